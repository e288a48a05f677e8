//! Tests of the overlay on the tree of mailboxes.

use super::*;
use crate::mail::fixtures::operation;
use crate::mail::mailbox::Role;
use crate::mail::server::ListedMailbox;
use crate::store::{Store, mailboxes, overlay, tests::quiet};

fn path(name: &str) -> MailboxPath {
    MailboxPath::from_typed(name)
}

fn op(id: i64, mailbox: &str, kind: OpKind) -> Operation {
    operation(id, &path(mailbox), kind, Vec::new())
}

fn rename(id: i64, from: &str, to: &str) -> Operation {
    op(id, from, OpKind::RenameMailbox { to: path(to), delimiter: Some('/') })
}

struct World {
    store: Store,
    _dir: tempfile::TempDir,
}

impl World {
    fn new(names: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let world = Self { store: Store::open(dir.path(), quiet()).unwrap(), _dir: dir };
        world.list(names);
        world
    }

    fn list(&self, names: &[&str]) {
        let one = |name: &&str| ListedMailbox {
            path: path(name),
            delimiter: Some('/'),
            selectable: true,
            subscribed: true,
            role: (*name == "INBOX").then_some(Role::Inbox),
            status: None,
            space: crate::mail::server::Space::Personal,
            leaf: false,
        };
        let listed: Vec<_> = names.iter().map(one).collect();
        self.store.cache(move |tx| mailboxes::record_list(tx, &AccountName::new("a"), &listed)).unwrap();
    }

    fn lay(&self, operation: &Operation) {
        let operation = operation.clone();
        self.store.cache(move |tx| overlay::apply(tx, &operation)).unwrap();
    }

    fn end(&self, operation: &Operation, state: OpState) {
        self.lay(&Operation { state, ..operation.clone() });
    }

    /// (number, name, subscribed)
    fn shown(&self) -> Vec<(i64, String, bool)> {
        let rows = self.store.read(|db| mailboxes::list(db, None)).unwrap();
        rows.into_iter().map(|r| (r.id.0, r.path.as_str().to_owned(), r.subscribed)).collect()
    }

    fn names(&self) -> Vec<String> {
        self.shown().into_iter().map(|r| r.1).collect()
    }
}

#[test]
fn a_renamed_mailbox_shows_its_new_name_and_keeps_its_number() {
    let world = World::new(&["INBOX", "a", "a/b", "ab"]);
    let before = world.shown();
    let op = rename(1, "a", "x");
    world.lay(&op);
    world.lay(&op);
    assert_eq!(world.names(), ["INBOX", "ab", "x", "x/b"]);
    // The server still has the old names.
    world.list(&["INBOX", "a", "a/b", "ab"]);
    assert_eq!(world.names(), ["INBOX", "ab", "x", "x/b"]);
    let taken = |name: &'static str| world.store.read(|db| is_taken(db, &AccountName::new("a"), &path(name))).unwrap();
    assert!(taken("a") && taken("x/b") && !taken("x/c"));
    world.end(&op, OpState::Parked);
    assert_eq!(world.shown(), before, "refused: it is as it was");
    world.lay(&op);
    world.store.cache(|tx| renamed(tx, &AccountName::new("a"), &path("a"), &path("x"), Some('/'))).unwrap();
    world.end(&op, OpState::Settled);
    world.list(&["INBOX", "ab", "x", "x/b"]);
    let number = |rows: &[(i64, String, bool)], name: &str| rows.iter().find(|r| r.1 == name).map(|r| r.0);
    let after = world.shown();
    assert_eq!(number(&before, "a/b"), number(&after, "x/b"));
    assert_eq!(number(&before, "a"), number(&after, "x"));
    assert!(!taken("a"));
}

#[test]
fn renamed_twice_and_the_first_comes_to_nothing() {
    let world = World::new(&["INBOX", "a"]);
    let (one, two) = (rename(1, "a", "b"), rename(2, "b", "c"));
    world.lay(&one);
    world.lay(&two);
    assert_eq!(world.names(), ["INBOX", "c"]);
    // The journal rewrites the second: it is about the old name now.
    world.end(&one, OpState::Withdrawn);
    world.lay(&rename(2, "a", "c"));
    assert_eq!(world.names(), ["INBOX", "c"]);
    world.end(&rename(2, "a", "c"), OpState::Withdrawn);
    assert_eq!(world.names(), ["INBOX", "a"]);
    // The first is done, the second not yet.
    world.lay(&one);
    world.lay(&two);
    world.store.cache(|tx| renamed(tx, &AccountName::new("a"), &path("a"), &path("b"), Some('/'))).unwrap();
    world.end(&one, OpState::Settled);
    assert_eq!(world.names(), ["INBOX", "c"]);
    let id = world.shown()[1].0;
    assert_eq!(world.store.read(|db| at_server(db, MailboxId(id))).unwrap(), path("b"));
}

#[test]
fn a_deleted_mailbox_is_hidden_until_it_is_gone_or_back() {
    let world = World::new(&["INBOX", "a", "a/b"]);
    let op = op(1, "a", OpKind::DeleteMailbox);
    world.lay(&op);
    world.list(&["INBOX", "a", "a/b"]);
    assert_eq!(world.names(), ["INBOX", "a/b"]);
    world.end(&op, OpState::Withdrawn);
    assert_eq!(world.names(), ["INBOX", "a", "a/b"]);
    world.lay(&op);
    world.store.cache(|tx| deleted(tx, &AccountName::new("a"), &path("a"))).unwrap();
    world.end(&op, OpState::Settled);
    world.list(&["INBOX", "a/b"]);
    assert_eq!(world.names(), ["INBOX", "a/b"]);
}

#[test]
fn a_subscription_is_shown_at_once_and_taken_back() {
    let world = World::new(&["INBOX", "a"]);
    let op = op(1, "a", OpKind::SubscribeMailbox { on: false });
    world.lay(&op);
    world.list(&["INBOX", "a"]);
    assert!(!world.shown()[1].2);
    world.end(&op, OpState::Parked);
    assert!(world.shown()[1].2);
    world.lay(&op);
    world.end(&op, OpState::Settled);
    assert!(!world.shown()[1].2);
}

#[test]
fn a_start_derives_the_tree_anew() {
    let world = World::new(&["INBOX", "a", "b", "c"]);
    let ops = [
        rename(1, "a", "x"),
        op(2, "b", OpKind::DeleteMailbox),
        op(3, "c", OpKind::SubscribeMailbox { on: false }),
        op(4, "d", OpKind::CreateMailbox { role: None }),
    ];
    ops.iter().for_each(|o| world.lay(o));
    let names = |world: &World| world.shown().into_iter().map(|r| (r.1, r.2)).collect::<Vec<_>>();
    let laid = names(&world);
    assert_eq!(world.store.read(overlay::operations).unwrap(), [1, 2, 3, 4].map(OpId));
    world.store.cache(move |tx| overlay::rebuild(tx, &ops)).unwrap();
    assert_eq!(names(&world), laid);
    world.store.cache(move |tx| overlay::rebuild(tx, &[])).unwrap();
    assert_eq!(names(&world), ["INBOX", "a", "b", "c"].map(|n| (n.to_owned(), true)));
}

#[test]
fn what_is_made_has_others_below_it_at_once_and_what_it_lies_below_comes_with_it() {
    let world = World::new(&["INBOX", "a"]);
    let made = op(1, "x/y/z", OpKind::CreateMailbox { role: None });
    world.lay(&made);
    world.lay(&made);
    let rows = || world.store.read(|db| mailboxes::list(db, None)).unwrap();
    let told = |name: &str| rows().into_iter().find(|r| r.path == path(name)).map(|r| (r.selectable, r.subscribed, r.delimiter));
    assert_eq!(world.names(), ["INBOX", "a", "x", "x/y", "x/y/z"]);
    assert_eq!(told("x/y"), Some((false, false, Some('/'))));
    assert_eq!(told("x/y/z"), Some((true, true, Some('/'))));
    // The server did it: all of it can be renamed before it is listed.
    world.end(&made, OpState::Settled);
    world.lay(&rename(2, "x", "q"));
    assert_eq!(world.names(), ["INBOX", "a", "q", "q/y", "q/y/z"]);
    world.end(&rename(2, "x", "q"), OpState::Withdrawn);
    // What only held others is made one that holds messages.
    let again = op(3, "x/y", OpKind::CreateMailbox { role: None });
    world.lay(&again);
    assert_eq!(told("x/y"), Some((false, false, Some('/'))), "not before the server did it");
    world.end(&again, OpState::Settled);
    assert_eq!(told("x/y"), Some((true, true, Some('/'))));
    // Taken back, nothing of it stays.
    let other = op(4, "m/n", OpKind::CreateMailbox { role: None });
    world.lay(&other);
    world.end(&other, OpState::Withdrawn);
    assert_eq!(world.names(), ["INBOX", "a", "x", "x/y", "x/y/z"]);
}
