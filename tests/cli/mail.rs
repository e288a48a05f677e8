//! mail — the head-less verbs on a local account: output, JSON, exit codes, a second start on the same profile.

use crate::bed::Bed;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Every key of the documented example is printed, with a value of the same kind; and no other key is.
#[track_caller]
pub fn same_shape(example: &Value, real: &Value, at: &str) {
    match (example, real) {
        (Value::Object(example), Value::Object(real)) => {
            let keys = |map: &serde_json::Map<String, Value>| map.keys().cloned().collect::<std::collections::BTreeSet<_>>();
            assert_eq!(keys(example), keys(real), "keys of {at}");
            example.iter().for_each(|(key, value)| same_shape(value, &real[key], &format!("{at}.{key}")));
        }
        (Value::Array(example), Value::Array(real)) => {
            if let (Some(example), Some(real)) = (example.first(), real.first()) {
                same_shape(example, real, &format!("{at}[]"));
            }
        }
        // null stands for "nothing known".
        (Value::Null, _) | (_, Value::Null) => {}
        (example, real) => {
            assert_eq!(std::mem::discriminant(example), std::mem::discriminant(real), "{at}: {example} and {real}");
        }
    }
}

#[track_caller]
pub fn documented(name: &str, real: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/doc/json").join(format!("{name}.json"));
    let example = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    same_shape(&example, real, name);
    assert!(!real.is_array() || !real.as_array().unwrap().is_empty(), "{name}: nothing to compare");
}

#[test]
fn a_pass_fills_the_lists() {
    let bed = Bed::with_mail();
    bed.run(&["list"]).code(66).says("sync");
    let sum = bed.run(&["sync", "--json"]).code(0).json();
    documented("sync", &sum);
    assert_eq!(sum["accounts"][0]["state"], "ok");
    let again = bed.run(&["sync", "--json"]).code(0).json();
    let new: i64 = again["accounts"][0]["mailboxes"].as_array().unwrap().iter().map(|m| m["new"].as_i64().unwrap()).sum();
    assert_eq!(new, 0, "{again}");
    let mailboxes = bed.run(&["mailboxes", "--json"]).code(0).json();
    documented("mailboxes", &mailboxes);
    let inbox = mailboxes.as_array().unwrap().iter().find(|m| m["role"] == "inbox").unwrap();
    assert_eq!((&inbox["total"], &inbox["unread"]), (&3.into(), &2.into()));
    let rows = Value::from(bed.list("INBOX"));
    documented("list", &rows);
    assert_eq!(rows[2]["subject"], "Harbour");
    assert_eq!(rows[2]["from"], serde_json::json!({"name": "Ann", "address": "ann@example.org"}));
    assert_eq!(rows[1]["attachments"], 1);
    assert_eq!(rows[1]["thread"], rows[2]["thread"]);
    assert_eq!(bed.list("lists/rust").len(), 1, "names without case");
    assert_eq!(bed.run(&["list", "--limit", "1", "--json"]).json().as_array().unwrap().len(), 1);
    bed.run(&["list", "Nowhere"]).code(66).says("Nowhere");
    bed.run(&["list", "--account", "nobody"]).code(64).says("nobody");
}

#[test]
fn foreign_text_cannot_steer_a_terminal() {
    let bed = Bed::with_mail();
    bed.run(&["sync"]).code(0);
    let id = bed.list("INBOX")[0]["id"].to_string();
    for args in [
        &["list"][..],
        &["search", "red"],
        &["show", &id],
        &["show", &id, "--headers"],
        &["show", &id, "--text"],
        &["show", &id, "--structure"],
    ] {
        let ran = bed.run(args).code(0);
        assert!(!ran.out.contains('\x1b') && !ran.out.contains('\x07'), "{args:?}: {:?}", ran.out);
    }
    assert!(bed.run(&["show", &id, "--raw"]).code(0).out.contains('\x1b'), "--raw is the message itself");
}

#[test]
fn a_message_has_many_forms() {
    let bed = Bed::with_mail();
    bed.run(&["sync"]).code(0);
    let id = bed.id("INBOX", "Re: Harbour");
    let shown = bed.run(&["show", &id]).code(0).out;
    assert!(
        shown.contains("From: Bob <bob@example.org>")
            && shown.contains("A chart is attached.")
            && shown.contains("chart one.csv"),
        "{shown}"
    );
    assert!(bed.run(&["show", &id, "--raw"]).out.starts_with("From: Bob"));
    assert!(bed.run(&["show", &id, "--headers"]).out.contains("In-Reply-To: <1@example.org>"));
    assert_eq!(bed.run(&["show", &id, "--text"]).out.trim(), "A chart is attached.");
    assert!(bed.run(&["show", &id, "--structure"]).out.contains("multipart/mixed"));
    bed.run(&["show", &id, "--html"]).code(66).says("no HTML");
    let json = bed.run(&["show", &id, "--json"]).code(0).json();
    documented("show", &json);
    assert_eq!(json["parts"][0]["safe_name"], "chart one.csv");
    for id in ["1", "-5", "9007199254740993"] {
        bed.run(&["show", "--", id]).code(66);
    }
}

#[test]
fn attachments_are_saved_beside_each_other() {
    let bed = Bed::with_mail();
    bed.run(&["sync"]).code(0);
    let id = bed.id("INBOX", "Re: Harbour");
    documented("attachments", &bed.run(&["attachments", &id, "--json"]).code(0).json());
    let folder = bed.path("saved");
    fs::create_dir(&folder).unwrap();
    let save = ["attachments", &id, "--save", folder.to_str().unwrap()];
    for n in 1..=2 {
        let path = bed.run(&save).code(0).out;
        assert_eq!(fs::read_to_string(path.trim()).unwrap().trim(), "a,b");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), n);
    }
    assert!(!bed.path("chart one.csv").exists(), "the name is no path");
    bed.run(&["attachments", &id, "--part", "7"]).code(66);
    bed.run(&["attachments", &id, "--part", "x"]).code(64);
    assert_ne!(bed.run(&["attachments", &id, "--save", "/proc/nowhere"]).code, 0);
}

#[test]
fn changes_are_kept_pushed_and_taken_back() {
    let bed = Bed::with_mail();
    bed.run(&["sync"]).code(0);
    let (harbour, reply) = (bed.id("INBOX", "Harbour"), bed.id("INBOX", "Re: Harbour"));
    bed.run(&["flag", &harbour, "--add", "seen,flagged"]).code(0);
    assert_eq!(bed.list("INBOX")[2]["flags"], serde_json::json!(["seen", "flagged"]), "shown at once");
    let queue = bed.run(&["queue", "--json"]).code(0).json();
    documented("queue", &queue);
    assert!(bed.files("INBOX").contains(&"1.M1.test:2,".to_owned()), "not told yet");
    bed.run(&["sync"]).code(0);
    assert!(bed.files("INBOX").iter().any(|f| f.ends_with(":2,FS")), "{:?}", bed.files("INBOX"));
    assert_eq!(bed.run(&["queue", "--json"]).json(), serde_json::json!([]));

    bed.run(&["archive", &harbour, &reply]).code(0);
    assert_eq!((bed.list("INBOX").len(), bed.list("archive").len()), (1, 2));
    assert!(bed.run(&["undo"]).code(0).out.contains("2 messages"));
    assert_eq!((bed.list("INBOX").len(), bed.list("archive").len()), (3, 0));
    let harbour = bed.id("INBOX", "Harbour");
    bed.run(&["move", &harbour, "--to", "Lists/Rust", "--wait"]).code(0);
    assert_eq!(bed.files("Lists/Rust").len(), 2);
    let harbour = bed.id("Lists/Rust", "Harbour");
    bed.run(&["copy", &harbour, "--to", "Archive", "--wait"]).code(0);
    assert_eq!((bed.files("Lists/Rust").len(), bed.files("Archive").len()), (2, 1));
    bed.run(&["delete", &harbour, "--wait"]).code(0);
    assert_eq!((bed.files("Lists/Rust").len(), bed.files("Trash").len()), (1, 1));
    bed.run(&["move", &reply, "--to", "Nowhere"]).code(66).says("Nowhere");
    bed.run(&["flag", &reply, "--add", "two words"]).code(64).says("two words");
}

#[test]
fn items_fail_one_by_one() {
    let bed = Bed::with_mail();
    bed.run(&["sync"]).code(0);
    let id = bed.id("INBOX", "Harbour");
    bed.run(&["flag", &id, "77", "--add", "flagged"]).code(1).says("77");
    assert_eq!(bed.list("INBOX")[2]["flags"], serde_json::json!(["flagged"]));
    let ran = bed.run(&["flag", "77", "78", "--add", "flagged"]).code(66).says("78");
    assert_eq!(ran.err.lines().count(), 2, "{}", ran.err);
}

#[test]
fn search_finds_what_is_here() {
    let bed = Bed::with_mail();
    bed.run(&["sync"]).code(0);
    let subjects = |query: &str| -> Vec<String> {
        let rows = bed.run(&["search", query, "--json"]).code(0).json();
        rows.as_array().unwrap().iter().map(|r| r["subject"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(subjects("ferry"), ["Borrowing", "Harbour"]);
    assert_eq!(subjects("from:ann"), ["Harbour"]);
    assert_eq!(subjects("has:attachment"), ["Re: Harbour"]);
    assert_eq!(subjects("subject:harbour is:unread"), ["Harbour"]);
    assert!(subjects("zebra").is_empty());
    bed.run(&["search", "before:yesterdayish"]).code(65);
}

const OUT: &[u8] =
    b"From: dana@example.org\nTo: ann@example.org\nBcc: secret@example.org\nSubject: Out\n\nHello.\n.\nStill here.\n";

#[test]
fn sent_mail_comes_back() {
    let bed = Bed::with_mail();
    bed.run(&["sync"]).code(0);
    bed.feed(&["send", "-t", "--wait"], OUT).code(0);
    assert_eq!(bed.run(&["outbox", "--json"]).json(), serde_json::json!([]));
    bed.run(&["sync"]).code(0);
    let back = bed.id("INBOX", "Out");
    let raw = bed.run(&["show", &back, "--raw"]).code(0).out;
    assert!(!raw.contains("secret@example.org") && raw.contains("Still here."), "{raw}");
    assert_eq!(bed.list("sent").len(), 1, "filed once");
}

#[test]
fn a_mail_of_unknown_outcome_is_judged_by_the_person() {
    let bed = Bed::with_mail();
    bed.run(&["sync"]).code(0);
    let doubtful = || {
        bed.feed(&["send", "-t", "--queue-only"], OUT).code(0);
        let id = bed.run(&["outbox", "--json"]).json()[0]["id"].to_string();
        bed.run(&["outbox", "resend", &id]).code(64).says("retry");
        bed.run(&["outbox", "mark-sent", &id]).code(64);
        let state = rusqlite::Connection::open(bed.path("data/state.sqlite")).unwrap();
        assert_eq!(state.execute("UPDATE outbox SET state = 'dot_sent' WHERE id = ?1", [&id]).unwrap(), 1);
        drop(state);
        // The next start finds that the final dot was sent and no answer was written down.
        assert_eq!(bed.run(&["outbox", "--json"]).json()[0]["state"], "unknown");
        id
    };
    let id = doubtful();
    bed.run(&["outbox", "retry", &id]).code(64).says("mark-sent");
    bed.run(&["outbox", "mark-sent", &id]).code(0);
    bed.run(&["sync"]).code(0);
    bed.run(&["sync"]).code(0);
    assert_eq!((bed.files("INBOX").len(), bed.files("Sent").len()), (3, 1), "filed, and not sent again");
    let id = doubtful();
    bed.run(&["outbox", "resend", &id]).code(0);
    bed.run(&["sync"]).code(0);
    assert_eq!(bed.files("INBOX").len(), 4, "sent again because the person said so");
}

#[test]
fn ids_do_not_come_to_mean_another_message() {
    let bed = Bed::with_mail();
    bed.run(&["sync"]).code(0);
    let id = bed.id("INBOX", "Harbour");
    for name in ["cache.sqlite", "cache.sqlite-wal", "cache.sqlite-shm"] {
        let _ = fs::remove_file(bed.path("data").join(name));
    }
    bed.run(&["show", &id]).code(66);
    bed.run(&["sync"]).code(0);
    bed.run(&["show", &id]).code(66);
    assert_ne!(bed.id("INBOX", "Harbour"), id);
}

#[test]
fn two_at_a_time_do_not_disturb_each_other() {
    let bed = Bed::with_mail();
    bed.run(&["sync"]).code(0);
    let id = bed.id("INBOX", "Harbour");
    let word = |n: usize| format!("k{n}");
    let words: Vec<String> = (0..8).map(word).collect();
    let mut children: Vec<_> = words.iter().map(|word| bed.command(&["flag", &id, "--add", word]).spawn().unwrap()).collect();
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(bed.list("INBOX")[2]["keywords"], serde_json::json!(words));
}

#[test]
fn damage_is_mended_or_said() {
    let bed = Bed::with_mail();
    bed.run(&["sync"]).code(0);
    fs::write(bed.path("data/cache.sqlite"), b"this is no database, and it is long enough to be looked at").unwrap();
    bed.run(&["sync"]).code(0);
    assert_eq!(bed.list("INBOX").len(), 3);
    for name in ["state.sqlite-wal", "state.sqlite-shm"] {
        fs::remove_file(bed.path("data").join(name)).unwrap();
    }
    fs::write(bed.path("data/state.sqlite"), b"this is no database, and it is long enough to be looked at").unwrap();
    let ran = bed.run(&["list"]).code(73);
    assert!(ran.err.contains("state.sqlite") || ran.err.contains("profile"), "{}", ran.err);
}

#[test]
fn what_is_sent_lies_in_the_outbox_first() {
    let bed = Bed::with_mail();
    bed.feed(&["send", "-t", "-i", "--queue-only"], OUT).code(0);
    let outbox = bed.run(&["outbox", "--json"]).code(0).json();
    documented("outbox", &outbox);
    assert_eq!(outbox[0]["recipients"], serde_json::json!(["ann@example.org", "secret@example.org"]));
    let id = outbox[0]["id"].to_string();
    bed.run(&["outbox", "show", &id]).code(0);
    bed.run(&["outbox", "show", "99"]).code(66);
    bed.run(&["outbox", "cancel", &id]).code(0);
    assert_eq!(bed.run(&["outbox", "--json"]).json(), serde_json::json!([]));
    bed.feed(&["send", "-t"], b"Subject: nobody\n\nx\n").code(65).says("nobody");
    bed.feed(&["send", "ann@example.org"], b"To: x\n\n\0").code(65).says("NUL");
    bed.feed(&["send", "ann@exam ple.org>\nRCPT TO:<x@y.z"], b"Subject: x\n\nx\n").code(65);
    bed.feed(&["send", "--wait", "--offline", "ann@example.org"], b"Subject: later\n\nx\n").code(75).says("outbox");
}

#[test]
fn before_the_first_pass_nothing_is_found() {
    let bed = Bed::with_mail();
    bed.run(&["list"]).code(66).says("sync");
    bed.run(&["mailboxes"]).code(0).says("sync");
    assert_eq!(bed.run(&["queue", "--json"]).code(0).json(), serde_json::json!([]));
    assert_eq!(bed.run(&["search", "ferry", "--json"]).code(0).json(), serde_json::json!([]));
    for id in ["1", "-5", "9007199254740993"] {
        bed.run(&["show", "--", id]).code(66);
    }
    let ran = bed.run(&["flag", "77", "78", "--add", "flagged"]).code(66).says("78");
    assert_eq!(ran.err.lines().count(), 2, "{}", ran.err);
}

#[test]
fn doctor_checks_a_local_account() {
    let bed = Bed::with_mail();
    let steps = bed.run(&["doctor", "--json"]).code(0).json();
    documented("doctor", &steps);
    assert!(steps.as_array().unwrap().iter().all(|s| s["state"] != "fail"), "{steps}");
    bed.run(&["account", "test", "home"]).code(0);
    bed.run(&["account", "test", "nobody"]).code(64);
    bed.configure("[account.away]\naddress = \"ann@example.org\"\npassword = { env = \"NO_SUCH_VARIABLE\" }\nimap = { host = \"127.0.0.1\", port = 9 }\n");
    let ran = bed.run(&["account", "test"]);
    assert!([69, 77].contains(&ran.code), "{ran:?}");
    bed.configure("[account.away]\naddress = \"ann@example.org\"\npassword = { command = \"echo x\" }\nimap = { host = \"localhost\", port = 9 }\n");
    let steps = bed.run(&["doctor", "--json"]).code(69).json();
    let state = |name: &str| steps.as_array().unwrap().iter().find(|s| s["step"] == name).map(|s| s["state"].clone());
    assert_eq!((state("dns"), state("connection")), (Some("ok".into()), Some("fail".into())), "{steps}");
    assert_eq!(state("login"), Some("skipped".into()), "{steps}");
}
