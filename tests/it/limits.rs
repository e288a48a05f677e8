//! limits — what a server lets nobody have more of, or do: said before it hurts, and why.
//! Start reading at: each test is one limit.

use crate::mailhost::{At, PASSWORD, user};
use crate::person::{Person, id, key, mailboxes, put, sees, until};
use crate::verbs;
use postrider::engine::api::{Kind, Query, Request, Rows};
use postrider::mail::flags::{Flag, FlagDelta, Flags};
use postrider::mail::ids::PlacementKey;
use postrider::mail::mailbox::{MailboxPath, Role};
use postrider::mail::rights::Right;
use postrider::net::session::MailStore;
use serde_json::{Value, json};

#[test]
fn what_may_not_be_done_is_refused_at_once() {
    let person = Person::new(format!("ext{}", user()));
    let mut other = person.other();
    other.create(&MailboxPath::from_typed("Fixed")).unwrap();
    put(&mut other, "Fixed", "a");
    put(&mut other, "INBOX", "b");
    let file = person.maildir().join(".Fixed/dovecot-acl");
    std::fs::write(&file, "owner lrs\n").unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let engine = person.start();
    sees(&engine, "Fixed", &["a"]);
    sees(&engine, "INBOX", &["b"]);
    let fixed = id(&engine, "Fixed").unwrap();
    let rights = |path: &str| mailboxes(&engine).into_iter().find(|m| m.path.as_str() == path).and_then(|m| m.rights);
    until(&engine, "the rights", |_| (rights("Fixed").is_some() && rights("INBOX").is_some()).then_some(()));
    assert!(rights("INBOX").is_some_and(|r| r.can(Right::Expunge)) && !rights("Fixed").unwrap().can(Right::Write));
    let (a, b) = (key(&engine, "Fixed", "a"), key(&engine, "INBOX", "b"));
    let flag =
        |target: PlacementKey, flag, automatic| Request::Flag { targets: vec![target], delta: FlagDelta::set(flag), automatic };
    let refused = |request: Request| engine.perform(request).unwrap_err().what.as_str().to_owned();
    assert_eq!(refused(Request::File { targets: vec![a], role: Role::Trash }), "in Fixed you may not delete messages");
    assert_eq!(refused(Request::Move { targets: vec![b], to: fixed }), "in Fixed you may not put messages");
    assert_eq!(refused(flag(a, Flag::Flagged, false)), "in Fixed you may not change marks");
    engine.perform(flag(a, Flag::Seen, false)).unwrap();
    engine.perform(flag(b, Flag::Flagged, false)).unwrap();
    crate::person::settled(&engine);
    assert_eq!(crate::person::there(&mut other, "Fixed"), ["a \\Seen"]);
}

#[test]
fn little_room_is_told_once_and_none_is_explained() {
    let person = Person::new(format!("ext{}", user()));
    let mut other = person.other();
    let mut add = |subject: &str, size: usize| {
        let text = format!("Subject: {subject}\r\nMessage-ID: <{subject}@b>\r\n\r\n{}\r\n", "0123456789\r\n".repeat(size / 12));
        let (inbox, flags) = (MailboxPath::inbox(), Flags::default());
        other.append(&inbox, &flags, 1_600_000_000, text.len() as u64, &mut text.as_bytes()).unwrap();
    };
    add("big", 75_000);
    add("small", 18_000);
    let engine = person.start();
    let told = until(&engine, "the warning", |news| news.faults.iter().find(|f| f.what.as_str().contains("% full")).cloned());
    assert!(told.what.as_str().starts_with("me is 9"), "{told:?}");
    until(&engine, "the quota", |_| {
        let Ok(Rows::Quotas(all)) = engine.ask(&Query::Quotas) else { panic!() };
        all.iter().any(|(_, q)| q.storage.is_some_and(|(used, limit)| used > 90_000 && limit == 100 * 1_024)).then_some(())
    });
    // A copy that does not fit.
    let (small, sent) = (key(&engine, "INBOX", "small"), until(&engine, "Sent", |_| id(&engine, "Sent")));
    engine.perform(Request::Copy { targets: vec![small], to: sent }).unwrap();
    let refused = until(&engine, "the refusal", |news| {
        news.faults
            .iter()
            .inspect(|f| assert!(!f.what.as_str().contains("% full"), "told twice"))
            .find(|f| f.kind == Kind::Refused)
            .cloned()
    });
    assert!(refused.what.as_str().contains("the account is full on the server"), "{refused:?}");
}

/// The same is told of a pass without a screen, each time, and is no failure of it.
#[test]
fn a_pass_without_a_screen_says_that_there_is_little_room() {
    let person = Person::new(format!("ext{}", user()));
    let mut other = person.other();
    let mut add = |size: usize| {
        let text = format!("Subject: big\r\nMessage-ID: <{size}@b>\r\n\r\n{}\r\n", "0123456789\r\n".repeat(size / 12));
        let (inbox, flags) = (MailboxPath::inbox(), Flags::default());
        other.append(&inbox, &flags, 1_600_000_000, text.len() as u64, &mut text.as_bytes()).unwrap();
    };
    let profile = tempfile::tempdir().unwrap();
    verbs::add(profile.path(), &person.name, At::Good, PASSWORD).code(0);
    verbs::keep_password(profile.path());
    let sync = |more: &[&str]| verbs::run(profile.path(), &[&["sync"], more].concat(), "").code(0);
    add(50_000);
    let ran = sync(&["--json"]);
    let sum: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(sum["accounts"][0]["warnings"], json!([]));
    // The file with the password is open to others: that is said, and once.
    assert_eq!(ran.err.matches("chmod 600").count(), ran.err.lines().count(), "{}", ran.err);
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    add(46_000);
    for _ in 0..2 {
        let ran = sync(&["--json"]);
        let sum: Value = serde_json::from_str(&ran.out).unwrap();
        let warning = sum["accounts"][0]["warnings"][0].as_str().unwrap_or_default();
        assert!(warning.starts_with("work is 9") && warning.contains("% full on the server"), "{sum}");
        assert_eq!(ran.err.lines().filter(|line| *line == format!("postrider: {warning}.")).count(), 1, "{}", ran.err);
    }
    assert!(sync(&[]).err.contains("% full on the server"));
}
