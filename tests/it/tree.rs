//! tree — mailboxes are made, renamed with what is below them, subscribed, emptied and deleted, here and by another client, and both
//! sides have the same tree afterwards.
//! Start reading at: `what_is_done_to_mailboxes_is_done_at_the_server`.

use crate::mailhost::user;
use crate::person::{Person, agree, id, key, live, mailboxes, put, sees, settled, there, until};
use postrider::engine::Engine;
use postrider::engine::api::{MailboxAct, Query, Request, Rows};
use postrider::mail::ids::AccountName;
use postrider::mail::mailbox::MailboxPath;
use postrider::net::imap::ImapStore;
use postrider::net::session::MailStore;

fn path(name: &str) -> MailboxPath {
    MailboxPath::from_typed(name)
}

fn act(engine: &Engine, act: MailboxAct) {
    engine.perform(Request::Mailbox(act)).unwrap();
}

/// What is held back for a while so that it can be taken back is done now.
fn now(engine: &Engine) {
    let Ok(Rows::Queue(rows)) = engine.ask(&Query::Queue) else { panic!() };
    rows.into_iter().for_each(|row| drop(engine.perform(Request::QueueRetry(row.id))));
    settled(engine);
}

/// The names of a tree, those that are subscribed with a star.
fn at_server(other: &mut ImapStore, below: &str) -> Vec<String> {
    let all = other.list().unwrap().into_iter().filter(|m| m.path.as_str().starts_with(below));
    let mut names: Vec<String> = all.map(|m| format!("{}{}", m.path.as_str(), if m.subscribed { "*" } else { "" })).collect();
    names.sort();
    names
}

fn here(engine: &Engine, below: &str) -> Vec<String> {
    let all = mailboxes(engine).into_iter().filter(|m| m.path.as_str().starts_with(below));
    let mut names: Vec<String> = all.map(|m| format!("{}{}", m.path.as_str(), if m.subscribed { "*" } else { "" })).collect();
    names.sort();
    names
}

#[test]
fn what_is_done_to_mailboxes_is_done_at_the_server() {
    let person = Person::new(user());
    let mut other = person.other();
    let engine = person.start();
    live(&engine);
    until(&engine, "the tree", |_| id(&engine, "Trash"));
    let account = AccountName::new("me");
    for name in ["Plans", "Plans/2026", "Plans/2026/März"] {
        act(&engine, MailboxAct::Create { account: account.clone(), path: path(name) });
    }
    settled(&engine);
    let all = ["Plans*", "Plans/2026*", "Plans/2026/M&AOQ-rz*"];
    assert_eq!(
        (at_server(&mut other, "Plans"), here(&engine, "Plans")),
        (all.map(str::to_owned).to_vec(), all.map(str::to_owned).to_vec())
    );
    put(&mut other, "Plans/2026", "a");
    put(&mut other, "Plans/2026/März", "b");
    engine.perform(Request::Refresh { account: None }).unwrap();
    sees(&engine, "Plans/2026", &["a"]);
    // With what is below it, into another branch; what lies in it stays in it.
    act(&engine, MailboxAct::Create { account, path: path("Done") });
    act(&engine, MailboxAct::Rename { mailbox: id(&engine, "Plans/2026").unwrap(), to: path("Done/last year") });
    settled(&engine);
    assert_eq!(at_server(&mut other, "Plans"), ["Plans*"]);
    assert_eq!(at_server(&mut other, "Done"), ["Done*", "Done/last year*", "Done/last year/M&AOQ-rz*"]);
    assert_eq!(here(&engine, "Done"), at_server(&mut other, "Done"));
    sees(&engine, "Done/last year", &["a"]);
    assert_eq!(there(&mut other, "Done/last year/März"), ["b"]);
    // Subscribed no more, and taken back.
    act(&engine, MailboxAct::Subscribe { mailbox: id(&engine, "Done/last year").unwrap(), on: false });
    settled(&engine);
    assert_eq!(at_server(&mut other, "Done/last"), ["Done/last year", "Done/last year/M&AOQ-rz*"]);
    engine.perform(Request::Undo { count: 1 }).unwrap();
    settled(&engine);
    assert_eq!(at_server(&mut other, "Done/last"), ["Done/last year*", "Done/last year/M&AOQ-rz*"]);
    // Emptied: to the trash, and out of that for ever.
    act(&engine, MailboxAct::Empty { mailbox: id(&engine, "Done/last year").unwrap() });
    settled(&engine);
    assert!(there(&mut other, "Done/last year").is_empty());
    assert_eq!(there(&mut other, "Trash"), ["a"]);
    sees(&engine, "Trash", &["a"]);
    let _ = key(&engine, "Trash", "a");
    act(&engine, MailboxAct::Empty { mailbox: id(&engine, "Trash").unwrap() });
    sees(&engine, "Trash", &[]);
    assert_eq!(there(&mut other, "Trash"), ["a"], "it can be taken back yet");
    now(&engine);
    assert!(there(&mut other, "Trash").is_empty());
    // Deleted with what is below it: gone at once here, and taken back, and in the end gone there.
    let delete = |engine: &Engine| act(engine, MailboxAct::Delete { mailbox: id(engine, "Done").unwrap() });
    delete(&engine);
    assert!(here(&engine, "Done").is_empty() && at_server(&mut other, "Done").len() == 3);
    engine.perform(Request::Undo { count: 1 }).unwrap();
    assert_eq!(here(&engine, "Done").len(), 3);
    delete(&engine);
    now(&engine);
    assert!(at_server(&mut other, "Done").is_empty());
    agree(&engine, &mut other);
}

/// What another client does to the tree, with NOTIFY at once and without it by the next look.
#[test]
fn what_others_do_to_mailboxes_shows() {
    for without in ["[]", "[\"NOTIFY\", \"LIST-STATUS\", \"LIST-EXTENDED\"]"] {
        let mut person = Person::new(user());
        person.more = format!("without = {without}");
        let mut other = person.other();
        let engine = person.start();
        live(&engine);
        until(&engine, "the tree", |_| id(&engine, "Trash"));
        let look = |engine: &Engine, what: &str, names: &[&str]| {
            if without != "[]" {
                engine.perform(Request::Refresh { account: None }).unwrap();
            }
            until(engine, what, |_| (here(engine, "Team") == names).then_some(()));
        };
        other.create(&path("Team")).unwrap();
        other.create(&path("Team/old")).unwrap();
        put(&mut other, "Team/old", "a");
        look(&engine, "what was made", &["Team", "Team/old"]);
        other.subscribe(&path("Team"), true).unwrap();
        look(&engine, "what was subscribed", &["Team*", "Team/old"]);
        sees(&engine, "Team/old", &["a"]);
        other.rename(&path("Team"), &path("Team2")).unwrap();
        // The server keeps subscriptions by name: the new one has none.
        until(&engine, "the new name", |_| {
            engine.perform(Request::Refresh { account: None }).unwrap();
            (id(&engine, "Team2/old").is_some() && id(&engine, "Team/old").is_none()).then_some(())
        });
        sees(&engine, "Team2/old", &["a"]);
        other.delete(&path("Team2/old")).unwrap();
        until(&engine, "the end of it", |_| {
            engine.perform(Request::Refresh { account: None }).unwrap();
            id(&engine, "Team2/old").is_none().then_some(())
        });
        agree(&engine, &mut other);
    }
}
