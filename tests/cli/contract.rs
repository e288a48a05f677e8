//! contract — what the program promises to scripts, word for word: verbs, options, keys of JSON, exit codes.

use crate::bed::{Bed, Ran};
use crate::mail::documented;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;

/// A verb and the options that are promised of it.
const PROMISED: &[(&str, &[&str])] = &[
    ("", &["--config", "--profile", "--offline", "--log", "-v", "--account", "--mailbox", "--read-only"]),
    ("demo", &[]),
    (
        "account add",
        &[
            "--imap",
            "--smtp",
            "--pop3",
            "--maildir",
            "--user",
            "--password-command",
            "--password-stdin",
            "--display-name",
            "--name",
            "--ca-file",
            "--no-test",
            "[ADDRESS]",
        ],
    ),
    ("account list", &["--json"]),
    ("account remove", &["<NAME>"]),
    ("account test", &["[NAME]", "--json"]),
    ("sync", &["--account", "--mailbox", "--bodies", "--json", "none", "recent", "all"]),
    ("watch", &["--json", "--exec"]),
    ("mailboxes", &["--json"]),
    ("list", &["[MAILBOX]", "--limit", "--json"]),
    ("search", &["<QUERY>", "--limit", "--json", "--server"]),
    ("show", &["<ID>", "--raw", "--headers", "--text", "--html", "--structure", "--json"]),
    ("attachments", &["<ID>", "--save", "--part", "--json"]),
    ("flag", &["<ID>...", "--add", "--remove", "--wait"]),
    ("move", &["<ID>...", "--to", "--wait"]),
    ("copy", &["<ID>...", "--to", "--wait"]),
    ("delete", &["<ID>...", "--forever", "--wait"]),
    ("archive", &["<ID>...", "--wait"]),
    ("undo", &["[N]", "--json"]),
    ("mailbox create", &["<NAME>", "--json"]),
    ("mailbox rename", &["<MAILBOX>", "<NAME>"]),
    ("mailbox delete", &["<MAILBOX>"]),
    ("mailbox subscribe", &["<MAILBOX>"]),
    ("mailbox unsubscribe", &["<MAILBOX>"]),
    ("compose", &["MAILTO"]),
    ("send", &["-t", "-i", "-f", "[RCPT]...", "--queue-only", "--wait"]),
    ("outbox", &["list", "retry", "cancel", "show", "--json"]),
    ("queue", &["list", "retry", "cancel", "--json"]),
    ("queue cancel", &["<ID>...", "--json"]),
    ("import", &["<PATH>", "--into", "--json"]),
    ("export", &["<QUERY>", "--to", "--format", "mbox", "maildir", "eml", "--json"]),
    ("doctor", &["[ACCOUNT]", "--json", "--transcript"]),
    ("keys", &["--markdown", "--json"]),
    ("config path", &["--json"]),
    ("config check", &["--json"]),
    ("config show", &["--json"]),
    ("config example", &[]),
    ("completions", &["<SHELL>"]),
    ("man", &[]),
];

#[test]
fn every_promised_verb_and_option_is_in_its_help_and_in_the_manual() {
    let bed = Bed::new();
    let manual = bed.run(&["man"]).code(0).out.replace('\\', "");
    for (verb, words) in PROMISED {
        let mut args: Vec<&str> = verb.split_whitespace().collect();
        args.push("--help");
        let help = bed.run(&args).code(0).out;
        for word in *words {
            assert!(help.contains(word), "`postrider {verb} --help` does not name {word}:\n{help}");
            assert!(!word.starts_with("--") || manual.contains(word), "the manual does not name {word} of {verb}");
        }
        assert!(manual.contains(verb), "the manual does not name {verb}");
    }
}

/// The keys of an object.
fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap_or_else(|| panic!("{value}")).keys().map(String::as_str).collect()
}

#[track_caller]
fn has(value: &Value, promised: &[&str]) {
    let missing: Vec<_> = promised.iter().filter(|key| !keys(value).contains(**key)).collect();
    assert!(missing.is_empty(), "{missing:?} of {value}");
}

const ROW: [&str; 16] = [
    "id",
    "account",
    "mailbox",
    "uid",
    "message_id",
    "thread",
    "date",
    "from",
    "to",
    "subject",
    "flags",
    "keywords",
    "size",
    "attachments",
    "preview",
    "cached",
];

#[test]
fn rows_and_sums_have_the_promised_keys() {
    let bed = Bed::with_mail();
    let sum = bed.run(&["sync", "--json"]).code(0);
    assert_eq!(sum.out.lines().count(), 1, "one object: {}", sum.out);
    let sum = sum.json();
    has(&sum, &["accounts", "seconds"]);
    has(&sum["accounts"][0], &["account", "state", "mailboxes", "pushed", "bytes_in", "bytes_out", "round_trips"]);
    has(&sum["accounts"][0]["mailboxes"][0], &["mailbox", "new", "changed", "vanished", "bodies", "fault"]);
    for args in [&["list", "--json"][..], &["search", "ferry", "--json"]] {
        let ran = bed.run(args).code(0);
        assert_eq!(ran.out.lines().count(), 1, "one array: {}", ran.out);
        let rows = ran.json();
        has(&rows[0], &ROW);
        has(&rows[0]["from"], &["name", "address"]);
        assert!(rows[0]["id"].as_i64().is_some_and(|id| id < 1 << 53), "{rows}");
        assert!(rows[0]["date"].as_str().is_some_and(|date| date.ends_with('Z')), "{rows}");
        assert_eq!((&rows[0]["cached"], &rows[0]["account"]), (&true.into(), &"home".into()));
    }
    let id = bed.id("INBOX", "Harbour");
    has(&bed.run(&["show", &id, "--json"]).code(0).json(), &ROW);
}

#[test]
fn json_of_the_outbox_is_asked_for_before_or_behind_the_word() {
    let bed = Bed::with_mail();
    bed.feed(&["send", "ann@example.org", "--queue-only"], b"Subject: x\n\nx\n").code(0);
    let all = bed.run(&["outbox", "--json"]).code(0).json();
    let id = all[0]["id"].to_string();
    for args in [&["outbox", "--json", "list"][..], &["outbox", "list", "--json"]] {
        assert_eq!(bed.run(args).code(0).json(), all);
    }
    for args in [&["outbox", "--json", "show", &id][..], &["outbox", "show", &id, "--json"]] {
        assert_eq!(bed.run(args).code(0).json(), all[0]);
    }
    let number = all[0]["id"].clone();
    assert_eq!(bed.run(&["outbox", "retry", &id, "--json"]).code(0).json(), json!({"id": number, "done": "retry"}));
    assert_eq!(bed.run(&["outbox", "--json", "cancel", &id]).code(0).json(), json!({"id": number, "done": "cancel"}));
}

#[test]
fn what_was_done_is_json_too() {
    let bed = Bed::with_mail();
    bed.run(&["sync"]).code(0);
    let json = |args: &[&str]| -> Value {
        let ran = bed.run(&[args, &["--json"]].concat()).code(0);
        assert_eq!(ran.out.lines().count(), 1, "{args:?}: {}", ran.out);
        ran.json()
    };
    let made = json(&["mailbox", "create", "Work/Plans/", "--wait"]);
    assert_eq!(made, json!({"done": "create", "account": "home", "mailbox": "Work/Plans", "to": null, "count": 1}));
    documented("mailbox", &json(&["mailbox", "rename", "Work/Plans", "Work/Ideas"]));
    let all = bed.path("all.mbox");
    let all = all.to_str().unwrap();
    documented("export", &json(&["export", "in:INBOX", "--to", all]));
    documented("import", &json(&["import", all, "--into", "archive"]));
    bed.run(&["flag", &bed.id("INBOX", "Harbour"), "--add", "flagged"]).code(0);
    let undone = json(&["undo", "2"]);
    documented("undo", &undone);
    assert_eq!((&undone[0]["undone"], &undone[1]["undone"]), (&"flag".into(), &"rename mailbox".into()));
    // One command a line, in words.
    bed.run(&["flag", &bed.id("INBOX", "Harbour"), "--add", "flagged"]).code(0);
    bed.run(&["archive", &bed.id("INBOX", "Re: Harbour")]).code(0);
    assert_eq!(bed.run(&["undo", "2"]).code(0).out, "taken back: archive of 1 message\ntaken back: flag of 1 message\n");
    bed.run(&["undo"]).code(66).says("nothing to take back. ");
    assert_eq!(json(&["config", "path"])["path"], bed.path("config.toml").to_str().unwrap());
    let dir = bed.path("more");
    let added = json(&["account", "add", "--maildir", dir.to_str().unwrap(), "--name", "more", "--no-test"]);
    assert_eq!((&added["account"], &added["saved"]), (&"more".into(), &true.into()));
    assert_eq!(json(&["account", "remove", "more"]), json!({"done": "remove", "account": "more"}));
}

#[test]
fn one_who_is_not_there_is_told_of_with_the_way_on() {
    let bed = Bed::with_mail();
    bed.run(&["sync"]).code(0);
    for args in [&["show", "5"][..], &["attachments", "5"], &["flag", "5", "--add", "seen"], &["delete", "5"]] {
        bed.run(args).code(66).says("postrider: there is no message 5. `postrider list`");
    }
}

#[test]
fn a_pass_names_its_mailbox_as_every_other_verb_does() {
    let bed = Bed::with_mail();
    bed.run(&["sync"]).code(0);
    for (typed, name) in
        [("archive", "Archive"), ("home/Lists/Rust", "Lists/Rust"), ("inbox", "INBOX"), ("LISTS/rust", "Lists/Rust")]
    {
        let sum = bed.run(&["sync", "--mailbox", typed, "--json"]).code(0).json();
        assert_eq!(sum["accounts"][0]["mailboxes"][0]["mailbox"], name, "{sum}");
    }
    bed.run(&["sync", "--mailbox", "Nowhere"]).code(66).says("Nowhere");
}

#[test]
fn a_configuration_that_is_wrong_is_json_too() {
    let bed = Bed::new();
    bed.configure("[account.home]\nmaildri = \"m\"\n");
    let checked = bed.run(&["config", "check", "--json"]).code(78).json();
    assert!(checked["errors"][0].as_str().unwrap().contains("config.toml:2:1"), "{checked}");
    let nowhere = bed.path("nowhere.toml");
    bed.run(&["--config", nowhere.to_str().unwrap(), "config", "check"]).code(78).says("is not there");
}

#[test]
fn what_comes_later_is_said_to_come_later() {
    let bed = Bed::new();
    let account = "[account.a]\naddress = \"ann@example.org\"\nimap = { host = \"localhost\" }\n";
    for block in ["password = { keyring = true }", "password = { oauth = \"google\" }", "pop3 = { host = \"localhost\" }"] {
        bed.configure(&format!("{account}{block}\n"));
        bed.run(&["config", "check"]).code(78).says("is not built in yet").says("config.toml:4:");
    }
    bed.run(&["account", "add", "x@example.org", "--pop3", "pop3s://localhost", "--config", "/nonexistent"])
        .code(64)
        .says("POP3 is not built in yet");
}

#[test]
fn a_secret_that_others_can_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let bed = Bed::new();
    bed.configure("[account.a]\naddress = \"ann@example.org\"\nimap = { host = \"localhost\" }\npassword = { file = \"pw\" }\n");
    bed.write("pw", "S3CR3T\n");
    assert!(bed.run(&["account", "list"]).code(0).err.is_empty());
    fs::set_permissions(bed.path("pw"), fs::Permissions::from_mode(0o640)).unwrap();
    bed.run(&["account", "list"]).code(0).says("others on this machine can read the password in").says("chmod 600");
}

#[test]
fn what_cannot_be_written_is_73_with_the_reason() {
    let bed = Bed::with_mail();
    bed.run(&["sync"]).code(0);
    let id = bed.id("INBOX", "Re: Harbour");
    let folder = bed.path("new/deep");
    let saved = bed.run(&["attachments", &id, "--save", folder.to_str().unwrap()]).code(0);
    assert!(saved.out.trim().starts_with(folder.to_str().unwrap()), "{}", saved.out);
    let file = bed.path("config.toml/x");
    bed.run(&["attachments", &id, "--save", file.to_str().unwrap()]).code(73).says("cannot be made (Not a directory");
    // Root may write everywhere but here.
    bed.run(&["attachments", &id, "--save", "/proc/self"]).code(73).says("the attachment cannot be saved (");
    fs::rename(bed.path("data"), bed.path("aside")).unwrap();
    bed.write("data", "a file where a folder should be");
    let ran = bed.run(&["list"]).code(73).says("a folder cannot be used (");
    assert!(ran.err.contains("/data: "), "{}", ran.err);
}

#[test]
fn more_is_said_where_more_is_asked_for() {
    let bed = Bed::with_mail();
    let said = |args: &[&str]| -> Ran { bed.run(args).code(0) };
    assert!(said(&["sync"]).err.is_empty());
    let more = said(&["-v", "sync"]).says("postrider: sync: home: ok");
    assert!(more.err.lines().all(|line| line.starts_with("postrider: ")), "{}", more.err);
    assert!(!more.out.contains("postrider: "), "{}", more.out);
}
