//! live — the whole engine against Dovecot and Postfix, with another client at work in the same mailboxes.
//! Start reading at: `both_ways`. The person and the other client are in `person.rs`.

use crate::mailhost::proxy::{End, Line, Proxy};
use crate::mailhost::{At, PASSWORD, bare_user, delivered, host, user};
use crate::person::{PATIENCE, Person, flag, id, key, live, put, rows, sees, settled, subjects, there, until};
use postrider::engine::Engine;
use postrider::engine::api::{Body, Connectivity, Kind, OutboxState, Password, Query, Request, Rows, Ticket};
use postrider::mail::address::Address;
use postrider::mail::draft::{About, Draft};
use postrider::mail::flags::{Flag, FlagDelta};
use postrider::mail::ids::{AccountName, PlacementKey};
use postrider::mail::intent::OpKind;
use postrider::mail::mailbox::{MailboxPath, Role};
use postrider::mail::uid::UidSet;
use postrider::net::session::MailStore;
use postrider::store::journal;
use std::time::{Duration, Instant};

fn both_ways(person: &Person) {
    let mut other = person.other();
    put(&mut other, "INBOX", "a");
    put(&mut other, "INBOX", "b");
    let engine = person.start();
    sees(&engine, "INBOX", &["a", "b"]);
    // Ours there.
    let (a, b) = (key(&engine, "INBOX", "a"), key(&engine, "INBOX", "b"));
    flag(&engine, a, Flag::Flagged);
    settled(&engine);
    assert_eq!(there(&mut other, "INBOX"), ["a \\Flagged", "b"]);
    // Theirs here.
    other.select(&MailboxPath::inbox(), false, None).unwrap();
    other.store_flags(&UidSet::range(2, 2), &FlagDelta::set(Flag::Seen)).unwrap();
    put(&mut other, "INBOX", "c");
    sees(&engine, "INBOX", &["a", "b", "c"]);
    until(&engine, "the other's flag", |_| {
        rows(&engine, "INBOX").iter().any(|r| r.id == b && r.flags.has(Flag::Seen)).then_some(())
    });
    // A body on demand.
    engine.perform(Request::FetchBody(a)).unwrap();
    until(&engine, "the body", |_| {
        let Ok(Rows::Message(view)) = engine.ask(&Query::Message(a)) else { panic!() };
        matches!(view.body, Body::Here(_)).then_some(())
    });
    // Move, archive, copy, delete; each seen at once, and there in the end.
    engine.perform(Request::File { targets: vec![a], role: Role::Archive }).unwrap();
    assert_eq!(subjects(&engine, "INBOX"), ["b", "c"]);
    let sent = id(&engine, "Sent").unwrap();
    engine.perform(Request::Copy { targets: vec![b], to: sent }).unwrap();
    engine.perform(Request::File { targets: vec![b], role: Role::Trash }).unwrap();
    settled(&engine);
    sees(&engine, "Archive", &["a"]);
    sees(&engine, "Sent", &["b"]);
    sees(&engine, "Trash", &["b"]);
    // Deleting for ever waits ten seconds; an undo within them takes it back.
    let c = key(&engine, "INBOX", "c");
    engine.perform(Request::DeleteForever { targets: vec![c] }).unwrap();
    assert!(subjects(&engine, "INBOX").is_empty());
    engine.perform(Request::Undo { count: 1 }).unwrap();
    sees(&engine, "INBOX", &["c"]);
    // Gone by another client.
    other.select(&MailboxPath::inbox(), false, None).unwrap();
    let all = other.uids(1).unwrap();
    other.store_flags(&all, &FlagDelta::set(Flag::Deleted)).unwrap();
    other.uid_expunge(&all).unwrap();
    sees(&engine, "INBOX", &[]);
    settled(&engine);
    assert_eq!(there(&mut other, "Archive"), ["a \\Flagged"]);
    assert_eq!(there(&mut other, "Trash").len(), 1);
}

#[test]
fn both_sides_agree_with_all_extensions() {
    both_ways(&Person::new(user()));
}

#[test]
fn deleting_for_ever_is_done_after_its_time() {
    let person = Person::new(user());
    let mut other = person.other();
    put(&mut other, "INBOX", "a");
    put(&mut other, "INBOX", "b");
    let engine = person.start();
    sees(&engine, "INBOX", &["a", "b"]);
    engine.perform(Request::DeleteForever { targets: vec![key(&engine, "INBOX", "a")] }).unwrap();
    settled(&engine);
    assert_eq!(there(&mut other, "INBOX"), ["b"]);
}

/// No MOVE, no UIDPLUS, no CONDSTORE, no IDLE: the same end, by asking.
#[test]
fn without_extensions_it_works_too() {
    let person = Person::new(bare_user());
    let mut other = person.other();
    put(&mut other, "INBOX", "a");
    put(&mut other, "INBOX", "b");
    let engine = person.start();
    sees(&engine, "INBOX", &["a", "b"]);
    let a = key(&engine, "INBOX", "a");
    flag(&engine, a, Flag::Flagged);
    settled(&engine);
    assert_eq!(there(&mut other, "INBOX"), ["a \\Flagged", "b"]);
    let to = until(&engine, "a mailbox", |_| id(&engine, "Archive"));
    engine.perform(Request::Move { targets: vec![a], to }).unwrap();
    until(&engine, "the copy", |_| (there(&mut other, "Archive").len() == 1).then_some(()));
    sees(&engine, "Archive", &["a"]);
    sees(&engine, "INBOX", &["b"]);
    put(&mut other, "INBOX", "c");
    engine.perform(Request::Refresh { account: None }).unwrap();
    sees(&engine, "INBOX", &["b", "c"]);
}

#[test]
fn what_was_done_offline_is_done_when_the_line_is_back() {
    let mut person = Person::new(user());
    let mut other = person.other();
    for n in ["a", "b", "c"] {
        put(&mut other, "INBOX", n);
    }
    let proxy = Proxy::start(host().imaps, Line::default());
    person.imap = proxy.port;
    let engine = person.start();
    sees(&engine, "INBOX", &["a", "b", "c"]);
    proxy.set(Line { refuse: true, ..Line::default() });
    proxy.end_all(End::Reset);
    until(&engine, "the loss", |news| {
        matches!(news.connectivity.values().next(), Some(Connectivity::Waiting { .. })).then_some(())
    });
    let a = key(&engine, "INBOX", "a");
    engine.perform(Request::File { targets: vec![a], role: Role::Archive }).unwrap();
    let moved = key(&engine, "Archive", "a");
    flag(&engine, moved, Flag::Flagged);
    flag(&engine, key(&engine, "INBOX", "b"), Flag::Seen);
    // A restart in between forgets nothing, nor what undo would do.
    drop(engine);
    let engine = person.start();
    assert_eq!((subjects(&engine, "INBOX").len(), subjects(&engine, "Archive").len()), (2, 1));
    engine.perform(Request::Undo { count: 1 }).unwrap();
    assert!(rows(&engine, "INBOX").iter().all(|r| !r.flags.has(Flag::Seen)));
    // Meanwhile another client adds one.
    put(&mut other, "INBOX", "d");
    proxy.set(Line::default());
    engine.perform(Request::Refresh { account: None }).unwrap();
    settled(&engine);
    sees(&engine, "INBOX", &["b", "c", "d"]);
    assert_eq!(there(&mut other, "INBOX"), ["b", "c", "d"]);
    assert_eq!(there(&mut other, "Archive"), ["a \\Flagged"]);
    // A move that the server has confirmed is taken back after a restart, too.
    drop(engine);
    let engine = person.start();
    engine.perform(Request::Undo { count: 2 }).unwrap();
    settled(&engine);
    sees(&engine, "INBOX", &["a", "b", "c", "d"]);
    until(&engine, "the move back", |_| there(&mut other, "Archive").is_empty().then_some(()));
    assert!(there(&mut other, "INBOX").contains(&"a".to_owned()));
}

#[test]
fn a_mailbox_numbered_anew_keeps_what_was_wished() {
    let mut person = Person::new(user());
    let mut other = person.other();
    for n in ["a", "b", "c"] {
        put(&mut other, "INBOX", n);
    }
    let proxy = Proxy::start(host().imaps, Line::default());
    person.imap = proxy.port;
    let engine = person.start();
    sees(&engine, "INBOX", &["a", "b", "c"]);
    proxy.set(Line { refuse: true, ..Line::default() });
    proxy.end_all(End::Reset);
    flag(&engine, key(&engine, "INBOX", "b"), Flag::Flagged);
    let keys: Vec<PlacementKey> = rows(&engine, "INBOX").into_iter().map(|r| r.id).collect();
    // The server forgets its numbers; a session that stood would write them again.
    other.logout();
    person.forget_numbers();
    proxy.set(Line::default());
    engine.perform(Request::Refresh { account: None }).unwrap();
    settled(&engine);
    sees(&engine, "INBOX", &["a", "b", "c"]);
    let mut other = person.other();
    let mut now = there(&mut other, "INBOX");
    now.sort();
    assert_eq!(now, ["a", "b \\Flagged", "c"]);
    assert_eq!(rows(&engine, "INBOX").into_iter().map(|r| r.id).collect::<Vec<_>>(), keys, "rows stay the rows that they were");
}

#[test]
fn a_wrong_password_is_tried_once_and_asked_for() {
    let mut person = Person::new(user());
    person.password = "wrong".into();
    put(&mut person.other(), "INBOX", "a");
    let proxy = Proxy::start(host().imaps, Line::default());
    person.imap = proxy.port;
    let engine = person.start();
    until(&engine, "the refusal", |news| {
        matches!(news.connectivity.values().next(), Some(Connectivity::NeedsUser(f)) if f.kind == Kind::Login).then_some(())
    });
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(proxy.connections(), 1);
    let account = AccountName::new("me");
    let _: Ticket = engine.request(Request::Password { account, password: Password::new(PASSWORD.into()) });
    sees(&engine, "INBOX", &["a"]);
}

#[test]
fn a_bad_certificate_waits_for_the_person() {
    for (at, port) in [(At::Expired, host().imaps), (At::OtherHost, host().imaps)] {
        let mut person = Person::new(user());
        (person.at, person.imap) = (at, port);
        let engine = person.start();
        until(&engine, "the refusal", |news| {
            matches!(news.connectivity.values().next(), Some(Connectivity::NeedsUser(f)) if f.kind == Kind::Tls).then_some(())
        });
    }
}

fn outbox(engine: &Engine) -> Vec<(OutboxState, u32, String)> {
    let Ok(Rows::Outbox(rows)) = engine.ask(&Query::Outbox) else { panic!() };
    rows.into_iter().map(|r| (r.state, r.attempts, r.fault.as_str().to_owned())).collect()
}

fn send(engine: &Engine, from: &str, to: &str, subject: &str) {
    send_draft(engine, draft(from, to, subject));
}

fn draft(from: &str, to: &str, subject: &str) -> Draft {
    let address = |a: &str| Address::new("", a);
    Draft { from: address(from), to: vec![address(to)], subject: subject.into(), body: "x\n".into(), ..Draft::default() }
}

fn send_draft(engine: &Engine, draft: Draft) {
    let account = AccountName::new("me");
    engine.perform(Request::Send { id: None, account, draft: Box::new(draft), hold: 0 }).unwrap();
}

#[test]
fn a_mail_is_sent_and_filed_once() {
    let person = Person::new(user());
    let engine = person.start();
    live(&engine);
    send(&engine, &person.name, &person.name, "hello");
    sees(&engine, "INBOX", &["hello"]);
    sees(&engine, "Sent", &["hello"]);
    until(&engine, "an empty outbox", |_| outbox(&engine).is_empty().then_some(()));
    settled(&engine);
    assert_eq!(there(&mut person.other(), "Sent"), ["hello \\Seen"]);
    // What is answered is marked.
    let about = Some(About::Reply(key(&engine, "INBOX", "hello")));
    send_draft(&engine, Draft { about, ..draft(&person.name, "bob@example.test", "re") });
    sees(&engine, "Sent", &["hello", "re"]);
    settled(&engine);
    assert_eq!(there(&mut person.other(), "INBOX"), ["hello \\Answered"]);
}

#[test]
fn a_refusal_for_good_is_told_and_one_for_now_is_tried_again() {
    let person = Person::new(user());
    let engine = person.start();
    live(&engine);
    send(&engine, "somebody.else@example.test", "nobody@nowhere.invalid", "no");
    until(&engine, "the outcome", |_| {
        matches!(outbox(&engine).first(), Some((OutboxState::Refused | OutboxState::Deferred, 1, why)) if !why.is_empty())
            .then_some(())
    });
}

/// The line breaks when the server has everything and before it answers.
#[test]
fn a_mail_of_unknown_outcome_is_not_sent_again() {
    let mut person = Person::new(user());
    // The dialogue passes; once the most of the mail is out no answer comes any more.
    let proxy = Proxy::start(host().submissions, Line { mute: Some(50_000), ..Line::default() });
    person.smtp = proxy.port;
    let mut other = person.other();
    let engine = person.start();
    live(&engine);
    send_draft(&engine, Draft { body: "many words\n".repeat(20_000), ..draft(&person.name, &person.name, "maybe") });
    until(&engine, "the dot", |_| matches!(outbox(&engine).first(), Some((OutboxState::DotSent, ..))).then_some(()));
    until(&engine, "the mail", |_| (there(&mut other, "INBOX") == ["maybe"]).then_some(()));
    proxy.end_all(End::Reset);
    until(&engine, "doubt", |_| matches!(outbox(&engine).first(), Some((OutboxState::Unknown, 1, _))).then_some(()));
    let before = proxy.connections();
    proxy.set(Line::default());
    drop(engine);
    let engine = person.start();
    live(&engine);
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(proxy.connections(), before);
    let Ok(Rows::Outbox(waiting)) = engine.ask(&Query::Outbox) else { panic!() };
    assert_eq!(waiting[0].state, OutboxState::Unknown);
    engine.perform(Request::OutboxMarkSent(waiting[0].id)).unwrap();
    sees(&engine, "Sent", &["maybe"]);
    delivered();
    assert_eq!(there(&mut other, "INBOX"), ["maybe"]);
}

/// Nothing runs in an account's threads while nothing happens: it comes to that, and then for eight seconds.
#[test]
fn at_rest_nothing_runs() {
    const REST: Duration = Duration::from_secs(8);
    let mut person = Person::new(user());
    put(&mut person.other(), "INBOX", "a");
    // Threads of other tests are in the same process, and busy.
    person.account = "rest";
    let engine = person.start();
    sees(&engine, "INBOX", &["a"]);
    let switches = || -> Vec<(String, u64)> {
        let of = |task: std::fs::DirEntry| -> Option<(String, u64)> {
            let comm = std::fs::read_to_string(task.path().join("comm")).ok()?.trim().to_owned();
            let text = std::fs::read_to_string(task.path().join("status")).ok()?;
            let count = |l: &str| l.split(':').nth(1)?.trim().parse::<u64>().ok();
            comm.ends_with("/rest").then(|| (comm, text.lines().filter(|l| l.contains("ctxt_switches")).filter_map(count).sum()))
        };
        let mut all: Vec<_> = std::fs::read_dir("/proc/self/task").unwrap().filter_map(|t| of(t.unwrap())).collect();
        all.sort();
        all
    };
    let (begun, mut since, mut before) = (Instant::now(), Instant::now(), switches());
    while since.elapsed() < REST {
        std::thread::sleep(Duration::from_millis(100));
        let now = switches();
        if now != before {
            (since, before) = (Instant::now(), now);
        }
        assert!(begun.elapsed() < PATIENCE * 2, "it does not come to rest: {before:?}");
    }
    assert_eq!(before.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["watch/rest", "work/rest"]);
}

/// A server that puts a copy into Sent by itself gets a moment for that, and there is one in the end, not two; where it does
/// not, ours is put there, and from then on at once.
#[test]
fn a_copy_that_the_server_files_is_not_filed_again() {
    let mut person = Person::new(user());
    let proxy = Proxy::start(host().imaps, Line::default());
    (person.imap, person.pace.filing) = (proxy.port, Duration::from_secs(4));
    let mut other = person.other();
    let engine = person.start();
    live(&engine);
    sees(&engine, "Sent", &[]);
    let line = |there: bool| {
        proxy.set(Line { refuse: !there, ..Line::default() });
        proxy.end_all(End::Reset);
        engine.perform(Request::Refresh { account: None }).unwrap();
    };
    // When the copy that waits is to be put there.
    let due = |what: &str| {
        until(&engine, what, |_| {
            let all = engine.shared().store.read_state(|db| journal::pending(db, None)).unwrap();
            all.into_iter().find(|op| matches!(op.kind, OpKind::Append { .. })).map(|op| op.not_before)
        })
    };
    // It is done behind our back, before we can look.
    line(false);
    send(&engine, &person.name, &person.name, "theirs");
    until(&engine, "the mail", |_| (there(&mut other, "INBOX").len() == 1).then_some(()));
    assert!(due("a copy that waits") > 0);
    other.select(&MailboxPath::inbox(), false, None).unwrap();
    other.copy_to(&UidSet::range(1, 1), &MailboxPath::from_typed("Sent")).unwrap();
    line(true);
    settled(&engine);
    sees(&engine, "Sent", &["theirs"]);
    assert_eq!(there(&mut other, "Sent").len(), 1);
    send(&engine, &person.name, &person.name, "ours");
    sees(&engine, "Sent", &["ours", "theirs"]);
    // It is known now that the server leaves it to us: no wait any more.
    line(false);
    send(&engine, &person.name, &person.name, "soon");
    assert_eq!(due("a copy that need not wait"), 0);
    line(true);
    sees(&engine, "Sent", &["ours", "soon", "theirs"]);
    settled(&engine);
    assert_eq!(there(&mut other, "Sent").len(), 3);
}
