//! boxes — mailboxes made, renamed, emptied and deleted; messages brought along and written out; watching.

use crate::bed::Bed;
use crate::mail::same_shape;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

/// A program that says nothing for so long hangs.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

fn names(bed: &Bed) -> Vec<String> {
    let rows = bed.run(&["mailboxes", "--json"]).code(0).json();
    rows.as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_tree_is_changed_from_a_shell() {
    let bed = Bed::with_mail();
    bed.run(&["sync"]).code(0);
    bed.run(&["mailbox", "create", "Work/Plans", "--wait"]).code(0);
    assert!(bed.path("mail/Work/Plans/cur").is_dir() && names(&bed).contains(&"Work/Plans".to_owned()));
    bed.run(&["mailbox", "rename", "Lists/Rust", "Lists/Ferris", "--wait"]).code(0);
    assert!(bed.path("mail/Lists/Ferris/cur").is_dir() && !bed.path("mail/Lists/Rust").exists());
    bed.run(&["mailbox", "unsubscribe", "Lists/Ferris"]).code(0);
    let shown = bed.run(&["mailboxes", "--json"]).json();
    let row = shown.as_array().unwrap().iter().find(|r| r["name"] == "Lists/Ferris").unwrap();
    assert_eq!(row["subscribed"], false);
    // Without a terminal nobody can be asked.
    bed.run(&["mailbox", "empty", "Lists/Ferris"]).code(64).says("--yes");
    // It is there already, for the others below it: now it is to hold messages itself.
    bed.run(&["mailbox", "create", "Lists", "--wait"]).code(0);
    bed.run(&["mailbox", "delete", "Lists"]).code(64).says("Delete home/Lists, 1 mailbox below it and 1 message. Say --yes");
    bed.run(&["mailbox", "empty", "Lists/Ferris", "--yes", "--wait"]).code(0);
    assert_eq!((bed.files("Lists/Ferris").len(), bed.files("Trash").len()), (0, 1));
    bed.run(&["mailbox", "delete", "Work/Plans", "--yes"]).code(0);
    assert!(!names(&bed).contains(&"Work/Plans".to_owned()), "gone from the screen at once");
    bed.run(&["undo"]).code(0);
    assert!(names(&bed).contains(&"Work/Plans".to_owned()), "and back");
    bed.run(&["mailbox", "delete", "Nowhere", "--yes"]).code(66);
    bed.run(&["mailbox", "create", "a//b"]).code(64).says("no name");
    bed.run(&["mailbox", "delete", "INBOX", "--yes"]).code(64);
}

#[test]
fn what_cannot_be_done_is_tried_again_or_given_up_from_a_shell() {
    let bed = Bed::with_mail();
    bed.run(&["sync"]).code(0);
    let waiting = || -> Vec<String> {
        let rows = bed.run(&["queue", "list", "--json"]).code(0).json();
        rows.as_array().unwrap().iter().map(|row| row["id"].to_string()).collect()
    };
    // There is a file where the folder of a mailbox should be made.
    bed.write("mail/Later", "no folder\n");
    bed.run(&["mailbox", "create", "Later/Plans"]).code(0);
    bed.run(&["sync"]);
    let [later] = &waiting()[..] else { panic!("{:?}", waiting()) };
    bed.run(&["mailbox", "create", "Wrong/Plans"]).code(0);
    let [_, wrong] = &waiting()[..] else { panic!("{:?}", waiting()) };
    assert!(names(&bed).contains(&"Wrong/Plans".to_owned()));
    let told = bed.run(&["queue", "cancel", wrong, "4711"]).code(1).says("no change 4711 waits");
    assert!(told.out.contains("given up: ") && told.out.contains("Wrong/Plans"), "{}", told.out);
    assert!(!names(&bed).contains(&"Wrong/Plans".to_owned()), "it is not shown any more");
    assert_eq!(waiting(), [later.as_str()]);
    fs::remove_file(bed.path("mail/Later")).unwrap();
    let done = bed.run(&["queue", "retry", later, "--json"]).code(0).json();
    assert_eq!(done, serde_json::json!([{"id": later.parse::<i64>().unwrap(), "done": "retry"}]));
    bed.run(&["sync"]).code(0);
    assert!(bed.path("mail/Later/Plans/cur").is_dir() && waiting().is_empty());
    bed.run(&["queue", "drop", later]).code(66).says("postrider queue");
    // What no server was told of yet is given up as well.
    bed.run(&["mailbox", "delete", "Later/Plans", "--yes"]).code(0);
    let [delete] = &waiting()[..] else { panic!("{:?}", waiting()) };
    bed.run(&["queue", "cancel", delete]).code(0);
    assert!(names(&bed).contains(&"Later/Plans".to_owned()) && waiting().is_empty());
}

#[test]
fn what_is_exported_comes_back_the_same() {
    let bed = Bed::with_mail();
    bed.run(&["sync"]).code(0);
    let raw = |mailbox: &str, subject: &str| bed.run(&["show", &bed.id(mailbox, subject), "--raw"]).code(0).out;
    let before = raw("INBOX", "Re: Harbour");
    let at = |name: &str| bed.path(name).to_str().unwrap().to_owned();
    bed.run(&["export", "in:INBOX", "--to", &at("all.mbox")]).code(0);
    bed.run(&["export", "in:INBOX", "--to", &at("all.mbox")]).code(73).says("all.mbox");
    bed.run(&["export", "subject:zebra", "--to", &at("none.mbox")]).code(66);
    bed.run(&["export", "in:INBOX", "--to", &at("dir"), "--format", "maildir"]).code(0);
    bed.run(&["export", "from:ann", "--to", &at("eml"), "--format", "eml"]).code(0);
    assert_eq!(fs::read_dir(bed.path("dir/cur")).unwrap().count(), 3);
    bed.run(&["mailbox", "create", "Back", "--wait"]).code(0);
    for (path, count) in [("all.mbox", 3), ("dir", 3), ("eml", 1)] {
        bed.run(&["import", &at(path), "--into", "Back", "--wait"]).code(0);
        bed.run(&["sync"]).code(0);
        let rows = bed.list("Back");
        assert_eq!(rows.len(), count, "{path}");
        if count == 3 {
            assert_eq!(raw("Back", "Re: Harbour"), before, "{path}");
            let flagged = rows.iter().find(|r| r["subject"].as_str().unwrap().contains("clear")).unwrap();
            assert_eq!(flagged["flags"], serde_json::json!(["flagged"]));
            let dates = |rows: &[Value]| rows.iter().map(|r| r["date"].clone()).collect::<Vec<_>>();
            assert_eq!(dates(&rows), dates(&bed.list("INBOX")), "they keep their times");
        }
        bed.run(&["mailbox", "empty", "Back", "--yes", "--wait"]).code(0);
    }
    bed.write("note.txt", "just words\n");
    bed.run(&["import", &at("note.txt"), "--into", "Back"]).code(65).says("no message");
    bed.run(&["import", &at("nothing"), "--into", "Back"]).code(66);
    bed.run(&["import", &at("all.mbox"), "--into", "Nowhere"]).code(66);
}

#[test]
fn watch_tells_of_new_mail_and_runs_a_command() {
    let bed = Bed::with_mail();
    bed.run(&["sync"]).code(0);
    let ran = bed.path("ran");
    let command = format!("cat >> {}", ran.display());
    let mut child = bed.command(&["watch", "--json", "--exec", &command]).stdout(Stdio::piped()).spawn().unwrap();
    let (said, heard) = std::sync::mpsc::channel();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    std::thread::spawn(move || lines.into_iter().try_for_each(|line| said.send(line.unwrap())));
    let mut seen: Vec<Value> = Vec::new();
    let mut until = |wanted: &dyn Fn(&Value) -> bool| -> Value {
        loop {
            if let Some(found) = seen.iter().find(|v| wanted(v)) {
                return found.clone();
            }
            let line = heard.recv_timeout(PATIENCE).unwrap_or_else(|e| panic!("{e}: {seen:?}"));
            seen.push(serde_json::from_str(&line).unwrap());
        }
    };
    until(&|v| v["event"] == "state" && v["state"] == "live");
    bed.deliver("INBOX", 9, "", "From: Zoe <zoe@example.org>\nSubject: Fresh\nMessage-ID: <9@example.org>\n\nHi.\n");
    let new = until(&|v| v["event"] == "new");
    assert_eq!((&new["subject"], &new["mailbox"], &new["from"]["name"]), (&"Fresh".into(), &"INBOX".into(), &"Zoe".into()));
    until(&|v| v["event"] == "mailbox" && v["total"] == 4);
    // Each as the manual page says it.
    let examples = serde_json::Deserializer::from_str(include_str!("../../assets/doc/json/watch.json")).into_iter::<Value>();
    for example in examples.map(Result::unwrap).filter(|example| example["event"] != "fault") {
        same_shape(&example, &until(&|v| v["event"] == example["event"]), "watch");
    }
    let end = std::time::Instant::now() + PATIENCE;
    while !fs::read_to_string(&ran).is_ok_and(|text| text.contains("Fresh")) {
        assert!(std::time::Instant::now() < end, "the command did not run");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    // A signal ends it in order.
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
