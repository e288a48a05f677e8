//! gmail_tests — a server whose mailboxes are labels: what lies in the inbox lies in All Mail too, and is one message.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::tests::{World, account};
use crate::engine::api::{Query, Request, Rows};
use crate::mail::envelope::{Envelope, MessageId};
use crate::mail::flags::{Flag, FlagDelta, Flags};
use crate::mail::intent::OpKind;
use crate::mail::mailbox::{MailboxPath, Role};
use crate::mail::server::{EnvelopeSeen, ListedMailbox, Space};
use crate::mail::uid::{ModSeq, Uid, UidValidity};
use crate::store::{mailboxes, messages};

fn seen(uid: u32, object: u32) -> EnvelopeSeen {
    EnvelopeSeen {
        uid: Uid::new(uid).unwrap(),
        flags: Flags::new(),
        modseq: ModSeq(0),
        received: 1_700_100_000 + i64::from(object),
        size: 10,
        envelope: Envelope {
            subject: format!("gmail {object}"),
            message_id: MessageId::new(&format!("{object}@mail.gmail.com")),
            ..Envelope::default()
        }
        .into(),
        attachments: Some(Vec::new()),
        object_id: format!("179{object}"),
    }
}

/// Two mails in the inbox, which lie in All Mail as well, and one that only lies there.
fn gmail() -> World {
    let world = World::new();
    let listed = |name: &str, role| ListedMailbox {
        path: MailboxPath::from_typed(name),
        delimiter: Some('/'),
        selectable: true,
        subscribed: true,
        role: Some(role),
        status: None,
        space: Space::Personal,
        leaf: false,
    };
    let list = [
        listed("INBOX", Role::Inbox),
        listed("[Gmail]/All Mail", Role::All),
        listed("[Gmail]/Trash", Role::Trash),
        listed("[Gmail]/Sent Mail", Role::Sent),
    ];
    let inbox = world.inbox;
    let store = &world.engine.shared().store;
    store
        .cache(move |tx| {
            mailboxes::record_list(tx, &account(), &list)?;
            let all = mailboxes::ensure(tx, &account(), &MailboxPath::from_typed("[Gmail]/All Mail"))?;
            messages::record_new(tx, inbox, UidValidity(7), &[seen(11, 1), seen(12, 2)])?;
            messages::record_new(tx, all, UidValidity(9), &[seen(101, 1), seen(102, 2), seen(103, 3)])
        })
        .unwrap();
    world
}

fn subjects(world: &World, mailbox: &str) -> Vec<String> {
    let mut all: Vec<_> = world.rows(world.named(mailbox)).into_iter().map(|r| r.subject).collect();
    all.retain(|s| s.starts_with("gmail"));
    all
}

#[test]
fn archiving_takes_it_out_of_the_inbox_and_shows_it_once() {
    let mut world = gmail();
    let both = ["gmail 3", "gmail 2", "gmail 1"];
    assert_eq!((subjects(&world, "INBOX").len(), subjects(&world, "[Gmail]/All Mail")), (2, both.map(str::to_owned).to_vec()));
    let row = world.rows(world.inbox).remove(0);
    let done = world.engine.perform(Request::File { targets: vec![row.id], role: Role::Archive }).unwrap();
    assert_eq!((done.count, done.word), (1, "archive"));
    for _ in 0..2 {
        assert_eq!((subjects(&world, "INBOX"), subjects(&world, "[Gmail]/All Mail").len()), (vec!["gmail 1".to_owned()], 3));
        let pending = world.pending();
        let kinds: Vec<_> = pending.iter().map(|op| &op.kind).collect();
        assert_eq!(kinds, [&OpKind::Move { to: MailboxPath::from_typed("[Gmail]/All Mail") }], "no mailbox is made for it");
        // Also when it is laid over again at the next start.
        world = world.again();
    }
    // What is done to it next is done where it lies.
    let there = world.rows(world.named("[Gmail]/All Mail")).into_iter().find(|r| r.subject == "gmail 2").unwrap();
    let star = Request::Flag { targets: vec![there.id], delta: FlagDelta::set(Flag::Flagged), automatic: false };
    world.engine.perform(star).unwrap();
    world.engine.perform(Request::Undo { count: 2 }).unwrap();
    assert_eq!((subjects(&world, "INBOX").len(), subjects(&world, "[Gmail]/All Mail").len()), (2, 3));
    // Deleting is moving to Trash.
    world.engine.perform(Request::File { targets: vec![world.rows(world.inbox)[0].id], role: Role::Trash }).unwrap();
    assert_eq!((subjects(&world, "INBOX").len(), subjects(&world, "[Gmail]/Trash").len()), (1, 1));
}

#[test]
fn a_message_in_several_mailboxes_is_one_hit_and_one_of_its_conversation() {
    let world = gmail();
    let search = |text: &str| {
        let query = Query::Search { text: text.to_owned(), within: None, limit: 50 };
        let Ok(Rows::Search(page)) = world.engine.ask(&query) else { panic!() };
        page.rows
    };
    let hits = search("gmail");
    assert_eq!(hits.len(), 3);
    // Shown where the person keeps it.
    let inbox: Vec<_> = hits.iter().filter(|r| r.mailbox == world.inbox).map(|r| r.subject.as_str()).collect();
    assert_eq!(inbox, ["gmail 2", "gmail 1"]);
    let Ok(Rows::Thread(rows)) = world.engine.ask(&Query::Thread(hits[1].id)) else { panic!() };
    assert_eq!(rows.len(), 1);
    assert_eq!(search("is:unread gmail").len(), 3);
}
