//! Tests of changes of the tree: what is written down, shown, refused, and taken back.

use super::super::api::{Kind, MailboxAct, Request};
use super::super::round::{Memory, Visitor};
use super::tests::{World, account};
use crate::base::cancel::Cancel;
use crate::mail::fixtures;
use crate::mail::flags::{Flag, FlagDelta};
use crate::mail::ids::MailboxId;
use crate::mail::intent::{OpKind, OpState};
use crate::mail::mailbox::{MailboxPath, Role};
use crate::mail::server::{ListedMailbox, MailboxStatus, Space};
use crate::mail::uid::{ModSeq, UidValidity};
use crate::store::{base, choices, journal, mailboxes, messages};

fn path(name: &str) -> MailboxPath {
    MailboxPath::from_typed(name)
}

fn shown(world: &World) -> Vec<String> {
    let rows = world.engine.shared().store.read(|db| mailboxes::list(db, None)).unwrap();
    rows.into_iter().map(|r| r.path.as_str().to_owned()).collect()
}

fn act(world: &World, act: MailboxAct) -> Result<u32, Kind> {
    world.engine.perform(Request::Mailbox(act)).map(|done| done.count).map_err(|fault| fault.kind)
}

fn rename(world: &World, mailbox: MailboxId, to: &str) -> Result<u32, Kind> {
    act(world, MailboxAct::Rename { mailbox, to: path(to) })
}

/// The mailboxes of which the person chose what is kept.
fn chosen(world: &World) -> Vec<String> {
    let choices = world.engine.shared().store.read_state(choices::all).unwrap();
    choices.into_keys().map(|(_, path)| path.as_str().to_owned()).collect()
}

#[test]
fn a_mailbox_is_made_renamed_filled_and_deleted_offline() {
    let world = World::new();
    assert_eq!(act(&world, MailboxAct::Create { account: account(), path: path("New") }), Ok(1));
    let new = world.named("New");
    let targets = world.ids(world.inbox)[..1].to_vec();
    world.engine.perform(Request::Move { targets, to: new }).unwrap();
    assert_eq!(rename(&world, new, "Other"), Ok(1));
    assert_eq!((shown(&world), world.named("Other")), (vec!["INBOX".into(), "Other".into(), "Work".into()], new));
    // What is done now is about the new name; what was done before, about the old one.
    let targets = world.ids(world.inbox)[..1].to_vec();
    world.engine.perform(Request::Move { targets, to: new }).unwrap();
    let goes: Vec<_> = world.pending().iter().filter_map(|o| o.destination().map(|p| p.as_str().to_owned())).collect();
    assert_eq!(goes, ["New", "Other"]);
    assert_eq!(world.rows(new).len(), 2);
    let world = world.again();
    assert_eq!(shown(&world), ["INBOX", "Other", "Work"]);
    assert_eq!(act(&world, MailboxAct::Delete { mailbox: world.named("Other") }), Ok(1));
    assert_eq!(shown(&world), ["INBOX", "Work"]);
    assert_eq!(world.pending().last().map(|o| (o.kind.clone(), o.not_before)), Some((OpKind::DeleteMailbox, 1_700_000_010)));
    for (word, after) in [
        ("delete mailbox", ["INBOX", "Other", "Work"]),
        ("move", ["INBOX", "Other", "Work"]),
        ("rename mailbox", ["INBOX", "New", "Work"]),
    ] {
        let done = world.engine.perform(Request::Undo { count: 1 }).unwrap();
        assert_eq!((done.word, done.count), (word, 1));
        let stays = (word == "delete mailbox").then(|| (account(), path("Other")));
        assert_eq!(done.stays, stays);
        assert_eq!(shown(&world), after);
    }
}

#[test]
fn what_no_server_would_do_is_refused_at_once() {
    let world = World::new();
    let work = world.named("Work");
    assert_eq!(rename(&world, world.inbox, "x"), Err(Kind::Usage));
    assert_eq!(act(&world, MailboxAct::Delete { mailbox: world.inbox }), Err(Kind::Usage));
    assert_eq!(rename(&world, work, "INBOX"), Err(Kind::Usage));
    assert_eq!(rename(&world, work, "Work"), Ok(0));
    assert_eq!(act(&world, MailboxAct::Create { account: account(), path: path("Work") }), Err(Kind::Usage));
    assert_eq!(act(&world, MailboxAct::Create { account: account(), path: path("a*") }), Err(Kind::Usage));
    assert_eq!(act(&world, MailboxAct::Delete { mailbox: MailboxId(3) }), Err(Kind::Missing));
    rename(&world, work, "Job").unwrap();
    // Two of one name would meet on the server.
    assert_eq!(act(&world, MailboxAct::Create { account: account(), path: path("Work") }), Err(Kind::Busy));
    assert_eq!(world.pending().len(), 1);
}

#[test]
fn a_settled_rename_takes_the_journal_along_and_is_undone_by_another() {
    let world = World::new();
    let work = world.named("Work");
    let targets = world.ids(world.inbox)[..1].to_vec();
    world.engine.perform(Request::Copy { targets, to: work }).unwrap();
    rename(&world, work, "Job").unwrap();
    let id = world.pending().last().unwrap().id;
    let settle = move |tx: &mut crate::store::Tx<'_, crate::store::State>| {
        journal::update(tx, id, |o| {
            o.state = OpState::Settled;
            Ok(())
        })
    };
    let touched = world.engine.shared().store.state(settle).unwrap();
    assert_eq!(touched.len(), 2);
    assert_eq!(world.pending()[0].kind, OpKind::Copy { to: path("Job") });
    assert_eq!(world.engine.perform(Request::Undo { count: 1 }).unwrap().word, "rename mailbox");
    let back = world.pending().pop().unwrap();
    assert_eq!((back.mailbox, back.kind.word()), (path("Job"), "rename_mailbox"));
}

#[test]
fn what_was_chosen_of_a_mailbox_is_chosen_of_it_under_each_of_its_names() {
    let world = World::new();
    let work = world.named("Work");
    world.engine.perform(Request::KeepOffline { mailbox: work, keep: Some(true) }).unwrap();
    rename(&world, work, "Job").unwrap();
    assert_eq!(chosen(&world), ["Job"]);
    let world = world.again();
    let store = &world.engine.shared().store;
    let id = world.pending()[0].id;
    let becomes = |state| {
        let change = move |tx: &mut crate::store::Tx<'_, crate::store::State>| {
            journal::update(tx, id, |o| {
                o.state = state;
                Ok(())
            })
        };
        store.state(change).unwrap();
        chosen(&world)
    };
    assert_eq!(becomes(OpState::Parked), ["Work"], "the server refused");
    assert_eq!(becomes(OpState::Queued), ["Job"], "it is tried again");
    assert_eq!(becomes(OpState::Settled), ["Job"]);
    world.engine.perform(Request::Undo { count: 1 }).unwrap();
    assert_eq!(chosen(&world), ["Work"]);
    let (from, to) = (path("Work"), path("Somebody's"));
    store.state(move |tx| journal::renamed(tx, &account(), &from, &to)).unwrap();
    assert_eq!(chosen(&world), ["Somebody's"], "another client renamed it");
}

/// Another client renames, as a server tells it that has a name of its own for each mailbox (RFC 8474) and numbers all alike.
#[test]
fn what_another_client_renamed_keeps_its_mail_its_wishes_and_what_was_chosen() {
    let world = World::new();
    let shared = world.engine.shared();
    let work = world.named("Work");
    shared.store.cache(move |tx| messages::record_new(tx, work, UidValidity(7), &[fixtures::seen(1)])).unwrap();
    let base = base::Base { uidvalidity: UidValidity(7), uidnext: 2, highestmodseq: ModSeq(0) };
    shared.store.cache(move |tx| base::record(tx, work, base)).unwrap();
    let follow = |told: &[(&str, &str)]| {
        let listed = |(name, object_id): &(&str, &str)| ListedMailbox {
            path: path(name),
            delimiter: Some('/'),
            selectable: true,
            subscribed: true,
            role: None,
            status: Some(MailboxStatus {
                uidvalidity: UidValidity(7),
                object_id: (*object_id).to_owned(),
                ..MailboxStatus::default()
            }),
            space: Space::Personal,
            leaf: false,
        };
        let all: Vec<ListedMailbox> = told.iter().map(listed).collect();
        let (cancel, mut memory) = (Cancel::new().unwrap(), Memory::default());
        let config = &shared.config.accounts[0];
        let visitor = Visitor { shared, config, line: &cancel, give_way: &|_| false, small: 0, memory: &mut memory };
        visitor.follow(&all).unwrap();
        shared.store.cache(move |tx| mailboxes::record_list(tx, &account(), &all)).unwrap();
    };
    follow(&[("INBOX", "i"), ("Work", "w")]);
    let delta = FlagDelta::set(Flag::Flagged);
    world.engine.perform(Request::Flag { targets: world.ids(work), delta, automatic: false }).unwrap();
    world.engine.perform(Request::KeepOffline { mailbox: work, keep: Some(true) }).unwrap();
    let stands = |world: &World| {
        let rows = shared.store.read(|db| mailboxes::list(db, None)).unwrap();
        let pending: Vec<String> = world.pending().iter().map(|op| op.mailbox.as_str().to_owned()).collect();
        let shown: Vec<(String, u32)> = rows.iter().map(|r| (r.path.as_str().to_owned(), r.total)).collect();
        (shown, pending, chosen(world))
    };
    let row = |name: &str, total| (name.to_owned(), total);
    // Its old name is another one's already.
    follow(&[("INBOX", "i"), ("Work", "n"), ("Job", "w")]);
    assert_eq!(world.named("Job"), work);
    assert_eq!(stands(&world), (vec![row("INBOX", 4), row("Job", 1), row("Work", 0)], vec!["Job".into()], vec!["Job".into()]));
    // Another one in its place, of the same name and numbered alike: nothing that was wished is told to that.
    follow(&[("INBOX", "i"), ("Work", "n"), ("Job", "other")]);
    assert_ne!(world.named("Job"), work);
    assert_eq!(stands(&world), (vec![row("INBOX", 4), row("Job", 0), row("Work", 0)], vec![], vec!["Job".into()]));
}

#[test]
fn emptying_goes_to_trash_and_out_of_trash_for_ever() {
    let world = World::new();
    assert_eq!(act(&world, MailboxAct::Empty { mailbox: world.inbox }), Ok(4));
    let trash = world.named("Trash");
    assert_eq!((world.rows(world.inbox).len(), world.rows(trash).len()), (0, 4));
    world.engine.shared().store.cache(move |tx| mailboxes::set_role(tx, trash, Some(Role::Trash))).unwrap();
    let done = world.engine.perform(Request::Mailbox(MailboxAct::Empty { mailbox: trash })).unwrap();
    assert_eq!((done.count, done.word, done.until), (4, "empty", Some(1_700_000_010)));
    world.engine.perform(Request::Undo { count: 1 }).unwrap();
    assert_eq!(world.rows(trash).len(), 4);
}

#[test]
fn a_subscription_is_one_wish() {
    let world = World::new();
    let mailbox = world.named("Work");
    assert_eq!(act(&world, MailboxAct::Subscribe { mailbox, on: true }), Ok(0), "it is so already");
    assert_eq!(act(&world, MailboxAct::Subscribe { mailbox, on: false }), Ok(1));
    world.engine.perform(Request::Undo { count: 1 }).unwrap();
    assert!(world.pending().is_empty());
}
