//! words — the command line, the configuration, and what is said of mistakes in them.

use crate::bed::{BINARY, Bed, Ran};
use std::process::{Command, Stdio};

/// (arguments, exit code, what standard error says)
const MISTAKES: &[(&[&str], i32, &str)] = &[
    (&["lst"], 64, "lst"),
    (&["list", "--limit", "many"], 64, "many"),
    (&["show"], 64, "ID"),
    (&["show", "abc"], 64, "abc"),
    (&["show", "1", "--raw", "--json"], 64, "--json"),
    (&["flag", "1"], 64, "--add <FLAG>|--remove <FLAG>"),
    (&["undo", "0"], 64, "0 is not in 1"),
    (&["export", "x", "--to", "y", "--format", "zip"], 64, "Possible here: mbox, maildir, eml."),
    (&["move", "1"], 64, "--to"),
    (&["account"], 64, "one more word"),
    (&["account", "add"], 64, "address"),
    (&["account", "add", "ann"], 64, "no mail address"),
    (&["account", "add", "ann@example.org"], 64, "--imap"),
    (&["account", "add", "ann@example.org", "--imap", "imap+plain://mail.example.org"], 64, "without encryption"),
    (&["account", "add", "ann@example.org", "--imap", "http://mail.example.org"], 64, "http"),
    (&["account", "add", "ann@example.org", "--imap", "imaps://ann:pw@mail.example.org"], 64, "no password"),
    (&["account", "remove", "nobody"], 64, "nobody"),
    (&["--log", "loud", "keys"], 64, "loud"),
    (&["list", "--jsn"], 64, "A similar argument exists: '--json'."),
    (&["keys", "--config"], 64, "a value is required"),
    (&["--config", "/nonexistent/x.toml", "list"], 78, "/nonexistent/x.toml is not there"),
    (&["--config", "/", "list"], 78, "directory"),
    (&["send"], 64, "nobody to send"),
    (&["completions", "tcsh"], 64, "tcsh"),
];

#[test]
fn mistakes_are_said_in_one_sentence() {
    let bed = Bed::new();
    for (args, code, words) in MISTAKES {
        let ran = bed.run(args).code(*code).says(words);
        assert!(ran.out.is_empty(), "{args:?}: {}", ran.out);
        assert_eq!(ran.err.lines().count(), 1, "{args:?}: {}", ran.err);
        assert!(ran.err.starts_with("postrider: ") && ran.err.ends_with(['.', '?', '\n']), "{args:?}: {}", ran.err);
    }
}

#[test]
fn an_empty_profile_says_what_to_do_next() {
    let bed = Bed::new();
    for args in [
        &["list"][..],
        &["mailboxes"],
        &["search", "x"],
        &["show", "1"],
        &["flag", "1", "--add", "seen"],
        &["queue"],
        &["doctor"],
    ] {
        bed.run(args).code(78).says("account add");
    }
    bed.run(&["account", "list"]).code(0).says("account add");
    assert_eq!(bed.run(&["account", "list", "--json"]).code(0).json(), serde_json::json!([]));
}

#[test]
fn a_broken_configuration_is_named_with_its_place_and_what_was_meant() {
    let bed = Bed::new();
    for (text, place, words) in [
        ("[account.home]\nmaildri = \"m\"\n", "config.toml:2:1", "maildir"),
        ("theme = \n", "config.toml:1:", ""),
        ("[account.home]\nimap = { host = \"h\", tls = \"implict\" }\n", "config.toml:2:", "implicit"),
        (
            "[account.home]\naddress = \"ann@example.org\"\nimap = { host = \"mail.example.org\", tls = \"none\" }\n",
            "config.toml:3:",
            "encryption",
        ),
        ("[account.home]\naddress = \"x\"\nmaildir = \"m\"\n", "config.toml:2:", "x"),
    ] {
        bed.configure(text);
        for args in [&["list"][..], &["config", "show"], &["account", "list"]] {
            bed.run(args).code(78).says(place).says(words);
        }
        bed.run(&["config", "path"]).code(0);
        assert_eq!(bed.run(&["config", "check"]).code, 78, "{text}");
    }
}

#[test]
fn all_mistakes_of_a_configuration_are_told_in_one_go() {
    let bed = Bed::new();
    bed.configure(
        "thme = \"dark\"\n[account.home]\naddress = \"ann@example.org\"\nimap = { host = \"localhost\", port = 99999 }\n\
         password = { ask = \"S3CR3T\" }\n[keys.messages]\n\"e\" = \"archiv\"\n",
    );
    let places =
        ["config.toml:1:1: unknown key `thme`", "config.toml:4:37: `port` cannot be 99999", "config.toml:5:20: `ask` cannot be"];
    for args in [&["list"][..], &["sync"], &["config", "show"]] {
        let ran = bed.run(args).code(78);
        let lines: Vec<_> = ran.err.lines().collect();
        assert_eq!(lines.len(), places.len(), "{}", ran.err);
        assert!(
            lines.iter().zip(places).all(|(line, place)| line.starts_with("postrider: ") && line.contains(place)),
            "{}",
            ran.err
        );
        assert!(ran.err.contains("A port is a number from 1 to 65535") && !ran.err.contains("S3CR3T"), "{}", ran.err);
    }
    // What only the reader knows is told along with them.
    bed.run(&["config", "check"]).code(78).says("`thme`").says("`port`").says("`ask`").says("config.toml:7:");
    let checked = bed.run(&["config", "check", "--json"]).code(78).json();
    assert_eq!(checked["errors"].as_array().unwrap().len(), 4, "{checked}");
}

#[test]
fn keys_and_themes_are_checked_too() {
    let bed = Bed::new();
    for (text, words) in [("theme = \"drak\"\n", "drak"), ("[keys.messages]\n\"e\" = \"archiv\"\n", "config.toml:2:")] {
        bed.configure(text);
        let ran = bed.run(&["config", "check"]).code(78).says(words);
        assert!(ran.out.contains("wrong"), "{}", ran.out);
    }
}

#[test]
fn passwords_are_shown_nowhere() {
    let bed = Bed::new();
    bed.configure("[account.a]\naddress = \"ann@example.org\"\npassword = \"S3CR3T\"\nimap = { host = \"localhost\" }\n");
    for args in [
        &["config", "show"][..],
        &["config", "show", "--json"],
        &["account", "list", "--json"],
        &["config", "check"],
        &["-v", "list"],
    ] {
        let Ran { out, err, .. } = bed.run(args);
        assert!(!out.contains("S3CR3T") && !err.contains("S3CR3T"), "{args:?}: {out}{err}");
    }
    // Where a string is wanted, the parser must not repeat what stands there.
    bed.configure("[account.a]\naddress = \"ann@example.org\"\npassword = [\"S3CR3T\"]\nimap = { host = \"localhost\" }\n");
    let ran = bed.run(&["config", "check"]).code(78);
    assert!(!ran.err.contains("S3CR3T"), "{}", ran.err);
}

#[test]
fn accounts_come_and_go() {
    let bed = Bed::new();
    let add = [
        "account",
        "add",
        "ann@example.org",
        "--imap",
        "imaps://imap.example.org",
        "--smtp",
        "smtp://ann@smtp.example.org",
        "--password-command",
        "pass x",
        "--no-test",
    ];
    bed.run(&add).code(0);
    bed.run(&["account", "add", "--maildir", "mail", "--name", "old", "--no-test"]).code(0);
    let all = bed.run(&["account", "list", "--json"]).code(0).json();
    assert_eq!(all[0]["name"], "example");
    assert_eq!(all[0]["imap"]["port"], 993);
    assert_eq!((&all[0]["smtp"]["port"], &all[0]["smtp"]["tls"]), (&587.into(), &"starttls".into()));
    assert_eq!((&all[1]["name"], &all[1]["kind"]), (&"old".into(), &"maildir".into()));
    bed.run(&add).code(0);
    assert_eq!(bed.run(&["account", "list", "--json"]).json()[2]["name"], "example2");
    bed.run(&["account", "remove", "example"]).code(0);
    bed.run(&["account", "remove", "example"]).code(64).says("example");
    assert_eq!(bed.run(&["account", "list", "--json"]).json().as_array().unwrap().len(), 2);
}

#[test]
fn help_version_and_scripts_go_to_standard_output() {
    let bed = Bed::new();
    for args in
        [&["--help"][..], &["--version"], &["help", "send"], &["keys"], &["keys", "--json"], &["config", "example"], &["man"]]
    {
        let ran = bed.run(args).code(0);
        assert!(!ran.out.is_empty() && ran.err.is_empty(), "{args:?}");
    }
    for shell in ["bash", "zsh", "fish"] {
        assert!(bed.run(&["completions", shell]).code(0).out.contains("postrider"));
    }
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let bed = Bed::new();
    let mut child = bed.command(&["man"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    Ran::from(child.wait_with_output().unwrap()).code(0);
    let mut child = bed.command(&["--help"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ran = Ran::from(child.wait_with_output().unwrap()).code(0);
    assert!(ran.err.is_empty(), "{}", ran.err);
}

#[test]
fn a_full_disk_is_73() {
    let bed = Bed::new();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = bed.command(&["man"]).stdout(full).stderr(Stdio::piped()).output().unwrap();
    Ran::from(output).code(73).says("cannot write");
}

#[test]
fn without_a_home_there_is_still_a_sentence() {
    let output = Command::new(BINARY).env_clear().args(["list"]).stdin(Stdio::null()).output().unwrap();
    let ran = Ran::from(output);
    assert!([78, 0].contains(&ran.code), "{ran:?}");
    assert!(ran.err.lines().count() <= 1, "{ran:?}");
}

#[test]
fn without_a_terminal_the_reader_says_so() {
    let bed = Bed::with_mail();
    bed.run(&[]).code(64).says("terminal");
    bed.run(&["demo"]).code(64).says("terminal");
}
