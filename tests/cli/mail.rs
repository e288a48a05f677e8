//! mail — the head-less verbs on a local account: output, JSON, exit codes, a second start on the same profile.

use crate::bed::Bed;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Every key of the documented example is printed, with a value of the same kind; and no other key is.
#[track_caller]
fn same_shape(example: &Value, real: &Value, at: &str) {
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
fn documented(name: &str, real: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/doc/json").join(format!("{name}.json"));
    let example = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    same_shape(&example, real, name);
    assert!(!real.is_array() || !real.as_array().unwrap().is_empty(), "{name}: nothing to compare");
}

#[test]
fn what_is_sent_lies_in_the_outbox_first() {
    let bed = Bed::with_mail();
    let mail = b"From: dana@example.org\nTo: ann@example.org\nBcc: secret@example.org\nSubject: Out\n\nHello.\n.\nStill here.\n";
    bed.feed(&["send", "-t", "-i", "--queue-only"], mail).code(0);
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
}
