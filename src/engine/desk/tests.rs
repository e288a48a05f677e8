//! tests — requests through the whole engine, without a server: what is durable, what the person sees, what comes back.
#![allow(clippy::unwrap_used, clippy::panic)]

use crate::base::clock::{Clock, Manual};
use crate::base::paths::Paths;
use crate::config::Config;
use crate::engine::Engine;
use crate::engine::api::{Kind, Request};
use crate::engine::setup::{Mode, Setup};
use crate::mail::address::Address;
use crate::mail::body::PartPath;
use crate::mail::draft::Draft;
use crate::mail::envelope::Envelope;
use crate::mail::fixtures;
use crate::mail::flags::{Flag, FlagDelta};
use crate::mail::ids::{AccountName, MailboxId, PlacementKey};
use crate::mail::intent::{OpState, Operation};
use crate::mail::mailbox::{MailboxPath, Role};
use crate::mail::outgoing::OutboxState;
use crate::mail::ready::Addressing;
use crate::mail::row::{MessageRow, RowCursor};
use crate::mail::server::EnvelopeSeen;
use crate::mail::uid::{ModSeq, UidValidity};
use crate::store::{base, drafts, journal, lists, mailboxes, messages, outbox};
use std::path::Path;
use std::sync::Arc;

const CONFIG: &str = "[account.a]\naddress = \"ann@example.org\"\nmaildir = \"Mail\"\nsmtp = { local = true }\n";

fn start(dir: &Path, clock: &Manual) -> Engine {
    let config = Config::parse(CONFIG, Path::new("c"), 0o600).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(clock.clone());
    Engine::start(&Setup { clock, ..Setup::new(config, Paths::of_profile(dir), Mode::Still) }).unwrap()
}

pub(super) fn account() -> AccountName {
    AccountName::new("a")
}

fn seen(n: u32) -> EnvelopeSeen {
    EnvelopeSeen {
        received: 1_700_000_000 + i64::from(n),
        size: 10,
        envelope: Envelope { subject: format!("s{n}"), ..Envelope::default() }.into(),
        ..fixtures::seen(n)
    }
}

pub(super) struct World {
    pub(super) engine: Engine,
    clock: Manual,
    pub(super) inbox: MailboxId,
    dir: tempfile::TempDir,
}

impl World {
    /// An inbox with four messages and a folder `Work`; no archive.
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Manual::at(1_700_000_000);
        let engine = start(dir.path(), &clock);
        let inbox = engine
            .shared()
            .store
            .cache(|tx| {
                let inbox = mailboxes::ensure(tx, &account(), &MailboxPath::inbox())?;
                mailboxes::ensure(tx, &account(), &MailboxPath::from_typed("Work"))?;
                messages::record_new(tx, inbox, UidValidity(7), &[seen(1), seen(2), seen(3), seen(4)])?;
                base::record(tx, inbox, base::Base { uidvalidity: UidValidity(7), uidnext: 5, highestmodseq: ModSeq(0) })?;
                Ok(inbox)
            })
            .unwrap();
        Self { engine, clock, inbox, dir }
    }

    pub(super) fn rows(&self, mailbox: MailboxId) -> Vec<MessageRow> {
        let store = &self.engine.shared().store;
        store.read(|db| lists::page(db, mailbox, false, RowCursor::Newest, 50)).unwrap()
    }

    pub(super) fn named(&self, name: &str) -> MailboxId {
        let path = MailboxPath::from_typed(name);
        self.engine.shared().store.read(|db| mailboxes::find(db, &account(), &path)).unwrap().unwrap()
    }

    pub(super) fn ids(&self, mailbox: MailboxId) -> Vec<PlacementKey> {
        self.rows(mailbox).into_iter().map(|r| r.id).collect()
    }

    pub(super) fn pending(&self) -> Vec<Operation> {
        self.engine.shared().store.read_state(|db| journal::pending(db, None)).unwrap()
    }

    pub(super) fn again(self) -> Self {
        let Self { engine, clock, inbox, dir } = self;
        drop(engine);
        Self { engine: start(dir.path(), &clock), clock, inbox, dir }
    }
}

#[test]
fn archive_makes_the_folder_and_undo_brings_all_back() {
    let mut world = World::new();
    let all = world.ids(world.inbox);
    let done = world.engine.perform(Request::File { targets: all[..2].to_vec(), role: Role::Archive }).unwrap();
    assert_eq!((done.count, done.missed, done.word), (2, 0, "archive"));
    assert_eq!((world.rows(world.inbox).len(), world.ids(world.named("Archive")).len()), (2, 2));
    // The rows that a verb printed keep their numbers in the next process.
    let there = world.ids(world.named("Archive"));
    world = world.again();
    assert_eq!(world.ids(world.named("Archive")), there);
    // What is not on the server yet can be flagged there.
    let star = Request::Flag { targets: vec![there[0]], delta: FlagDelta::set(Flag::Flagged), automatic: false };
    assert_eq!(world.engine.perform(star).unwrap().count, 1);
    assert!(world.rows(world.named("Archive")).iter().any(|r| r.flags.has(Flag::Flagged)));
    let done = world.engine.perform(Request::Undo { count: 2 }).unwrap();
    assert_eq!((done.count, done.word), (3, "archive"));
    assert_eq!(world.rows(world.inbox).len(), 4);
    assert!(world.pending().iter().all(|o| o.kind.word() == "create_mailbox"), "{:?}", world.pending());
    assert_eq!(world.engine.perform(Request::Undo { count: 1 }).unwrap_err().kind, Kind::Missing);
    assert_eq!(world.engine.perform(Request::Redo).unwrap().word, "archive");
    assert_eq!(world.rows(world.inbox).len(), 2);
}

#[test]
fn deleting_for_ever_waits_and_is_final_when_it_was_told() {
    let world = World::new();
    let all = world.ids(world.inbox);
    let done = world.engine.perform(Request::DeleteForever { targets: all[..1].to_vec() }).unwrap();
    assert_eq!(done.until, Some(1_700_000_010));
    assert_eq!(world.rows(world.inbox).len(), 3);
    world.engine.perform(Request::Undo { count: 1 }).unwrap();
    assert_eq!(world.rows(world.inbox).len(), 4);
    world.clock.advance(100);
    world.engine.perform(Request::Redo).unwrap();
    assert_eq!(world.pending()[0].not_before, 1_700_000_110, "it waits again");
    let op = world.pending()[0].id;
    let told = move |tx: &mut crate::store::Tx<'_, crate::store::State>| {
        for state in [OpState::InFlight, OpState::Flagged, OpState::Settled] {
            journal::update(tx, op, |o| {
                o.state = state;
                Ok(())
            })?;
        }
        Ok(())
    };
    world.engine.shared().store.state(told).unwrap();
    assert_eq!(world.engine.perform(Request::Undo { count: 1 }).unwrap_err().kind, Kind::Refused);
    assert_eq!(world.engine.perform(Request::Undo { count: 1 }).unwrap_err().kind, Kind::Missing, "it stands in nobody's way");
}

#[test]
fn unknown_messages_are_missed_and_what_is_so_already_is_no_command() {
    let world = World::new();
    let mut targets = world.ids(world.inbox);
    targets.truncate(1);
    targets.push(PlacementKey(3));
    let read = Request::Flag { targets: targets.clone(), delta: FlagDelta::set(Flag::Seen), automatic: false };
    let done = world.engine.perform(read.clone()).unwrap();
    assert_eq!((done.count, done.missed), (1, 1));
    let again = world.engine.perform(read).unwrap();
    assert_eq!((again.count, again.missed, again.group), (0, 1, None));
    let gone = Request::DeleteForever { targets: vec![PlacementKey(3)] };
    assert_eq!(world.engine.perform(gone).unwrap_err().kind, Kind::Missing);
}

#[test]
fn an_operation_can_be_dropped_until_it_is_told() {
    let world = World::new();
    let targets = world.ids(world.inbox)[..1].to_vec();
    world.engine.perform(Request::Move { targets, to: world.named("Work") }).unwrap();
    let op = world.pending()[0].id;
    world.engine.perform(Request::QueueDrop(op)).unwrap();
    assert_eq!((world.rows(world.inbox).len(), world.rows(world.named("Work")).len(), world.pending().len()), (4, 0, 0));
    assert_eq!(world.engine.perform(Request::QueueDrop(op)).unwrap_err().kind, Kind::Busy);
}

#[test]
fn a_second_process_writes_intents_that_the_owner_shows() {
    let world = World::new();
    let second = start(world.dir.path(), &world.clock);
    assert!(world.engine.is_owner() && !second.is_owner());
    let targets = world.ids(world.inbox)[..1].to_vec();
    second.perform(Request::Move { targets, to: world.named("Work") }).unwrap();
    assert_eq!(world.rows(world.inbox).len(), 4, "nobody has laid it over the cache yet");
    crate::engine::setup::lay_over(world.engine.shared()).unwrap();
    assert_eq!((world.rows(world.inbox).len(), world.rows(world.named("Work")).len()), (3, 1));
    second.perform(Request::Undo { count: 1 }).unwrap();
    crate::engine::setup::lay_over(world.engine.shared()).unwrap();
    assert_eq!((world.rows(world.inbox).len(), world.rows(world.named("Work")).len()), (4, 0));
}

fn draft() -> Draft {
    Draft {
        from: Address::new("Ann", "ann@example.org"),
        to: vec![Address::new("", "bob@example.org")],
        subject: "Lunch".into(),
        body: "At noon?".into(),
        ..Draft::default()
    }
}

#[test]
fn a_mail_is_held_with_its_draft_and_comes_back() {
    let world = World::new();
    let note = world.dir.path().join("note.txt");
    std::fs::write(&note, "hello").unwrap();
    let attached = world.engine.perform(Request::Attach { path: note }).unwrap().attachments;
    assert_eq!((attached[0].name.as_str(), attached[0].mime.as_str(), attached[0].size), ("note.txt", "text/plain", 5));
    let draft = Draft { attachments: attached, ..draft() };
    let send = Request::Send { id: None, account: account(), draft: Box::new(draft.clone()), hold: 10 };
    let done = world.engine.perform(send).unwrap();
    assert_eq!(done.until, Some(1_700_000_010));
    let store = &world.engine.shared().store;
    let mail = store.read_state(|db| outbox::get(db, done.outbox.unwrap())).unwrap();
    assert_eq!((mail.state, mail.mail.recipients.as_slice()), (OutboxState::Held, ["bob@example.org".to_owned()].as_slice()));
    assert!(store.read_state(drafts::list).unwrap().is_empty(), "a mail on its way is no draft");
    let spool = &world.engine.shared().spool;
    assert!(spool.get(&mail.mail.spool).is_ok());
    let back = world.engine.perform(Request::OutboxCancel(mail.id)).unwrap();
    assert_eq!(store.read_state(|db| drafts::get(db, back.draft.unwrap())).unwrap().draft, draft);
    assert!(spool.get(&mail.mail.spool).is_err() && spool.get(&draft.attachments[0].spool).is_ok());
    let nobody = Box::new(Draft { to: Vec::new(), ..draft });
    let fault = world.engine.perform(Request::Send { id: None, account: account(), draft: nobody, hold: 0 }).unwrap_err();
    assert_eq!(fault.kind, Kind::Data);
}

#[test]
fn a_ready_message_is_due_at_once() {
    let world = World::new();
    let to = Addressing { recipients: Vec::new(), from_headers: true, sender: Address::new("Ann", "ann@example.org") };
    let bytes = b"To: bob@example.org\nBcc: eve@example.org\nSubject: hi\n\nbody\n".to_vec();
    let done = world.engine.perform(Request::SendReady { account: account(), bytes, to }).unwrap();
    let mail = world.engine.shared().store.read_state(|db| outbox::get(db, done.outbox.unwrap())).unwrap();
    assert_eq!((mail.due, mail.mail.recipients.len(), mail.mail.subject.as_str()), (1_700_000_000, 2, "hi"));
}

#[test]
fn a_refresh_ends_the_pauses_after_refusals_but_not_the_time_to_take_back() {
    let world = World::new();
    let to = Addressing {
        recipients: vec!["bob@example.org".into()],
        from_headers: false,
        sender: Address::new("Ann", "ann@example.org"),
    };
    let sent =
        world.engine.perform(Request::SendReady { account: account(), bytes: b"Subject: hi\n\nbody\n".to_vec(), to }).unwrap();
    let id = sent.outbox.unwrap();
    let all = world.ids(world.inbox);
    world.engine.perform(Request::DeleteForever { targets: all[..1].to_vec() }).unwrap();
    world.engine.perform(Request::Move { targets: all[1..2].to_vec(), to: world.named("Work") }).unwrap();
    let moved = world.pending().last().unwrap().id;
    let store = &world.engine.shared().store;
    let refused = move |tx: &mut crate::store::Tx<'_, crate::store::State>| {
        journal::update(tx, moved, |o| {
            (o.attempts, o.not_before) = (1, 1_800_000_000);
            Ok(())
        })?;
        outbox::update(tx, id, |m| {
            (m.state, m.due) = (OutboxState::Deferred, 1_800_000_000);
            true
        })
    };
    store.state(refused).unwrap();
    world.engine.perform(Request::Refresh { account: None }).unwrap();
    assert_eq!(world.pending().iter().map(|o| o.not_before).collect::<Vec<_>>(), [1_700_000_010, 0]);
    assert_eq!(store.read_state(|db| outbox::get(db, id)).unwrap().due, 1_700_000_000);
}

#[test]
fn outcomes_come_as_news() {
    let world = World::new();
    let ticket = world.engine.request(Request::Undo { count: 1 });
    let mut outcomes = Vec::new();
    while outcomes.is_empty() {
        outcomes.extend(world.engine.wait(std::time::Duration::from_secs(5)).outcomes);
    }
    assert_eq!(outcomes[0].ticket, ticket);
    assert!(outcomes[0].result.is_err());
}

#[test]
fn parts_become_files_that_replace_nothing_and_attachments() {
    let world = World::new();
    let id = world.ids(world.inbox)[0];
    let save = |name: &str| Request::SavePart {
        message: id,
        part: PartPath::new(vec![1]),
        folder: world.dir.path().to_owned(),
        name: name.into(),
        to_open: false,
    };
    assert_eq!(world.engine.perform(save("x")).unwrap_err().kind, Kind::Missing, "the body is not here yet");
    let store = &world.engine.shared().store;
    let blob = crate::store::blobs::Blobs::open(&store.places().cache).unwrap();
    let name = blob.put(b"Subject: s\r\nContent-Type: text/plain; name=a.txt\r\n\r\nhello\r\n").unwrap();
    let message = world.rows(world.inbox)[0].message;
    store.cache(move |tx| crate::store::bodies::arrived(tx, message, &name, 9, &Default::default())).unwrap();
    let first = world.engine.perform(save("../../evil/a.txt")).unwrap().path.unwrap();
    let second = world.engine.perform(save("a.txt")).unwrap().path.unwrap();
    assert_eq!((first, second), (world.dir.path().join("a.txt"), world.dir.path().join("a (1).txt")));
    assert_eq!(std::fs::read(world.dir.path().join("a.txt")).unwrap(), b"hello\r\n");
    let attached =
        world.engine.perform(Request::AttachParts { message: id, parts: vec![PartPath::new(vec![1])] }).unwrap().attachments;
    assert_eq!((attached[0].name.as_str(), attached[0].size), ("a.txt", 7));
}
