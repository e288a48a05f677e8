//! Tests of the overlay on moves whose copy is in place and whose source stays, marked, for want of UIDPLUS.

use super::*;
use crate::mail::fixtures;
use crate::mail::fixtures::operation;
use crate::mail::flags::{Flag, FlagDelta};
use crate::mail::ids::AccountName;
use crate::mail::row::RowCursor;
use crate::mail::server::{EnvelopeSeen, Fingerprint};
use crate::mail::uid::UidSet;
use crate::store::{Store, lists, messages, tests::quiet};

const VALIDITY: UidValidity = UidValidity(7);

fn mail(uid: u32) -> EnvelopeSeen {
    let message_id = crate::mail::envelope::MessageId::new("m@x");
    EnvelopeSeen {
        received: 1_000,
        envelope: crate::mail::envelope::Envelope { message_id, ..Default::default() }.into(),
        ..fixtures::seen(uid)
    }
}

fn target(uid: u32) -> Target {
    let print =
        Fingerprint { message_id: mail(1).envelope.envelope().message_id, size: 100, received: 1_000, object_id: String::new() };
    Target::Server { uidvalidity: VALIDITY, uid, print }
}

struct World {
    store: Store,
    inbox: MailboxId,
    archive: MailboxId,
    moved: Operation,
    _dir: tempfile::TempDir,
}

impl World {
    /// One mail in the inbox, moved to the archive offline.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), quiet()).unwrap();
        let to = MailboxPath::from_typed("Archive");
        let (inbox, archive) = store
            .cache(move |tx| {
                let account = AccountName::new("a");
                let inbox = mailboxes::ensure(tx, &account, &MailboxPath::inbox())?;
                messages::record_new(tx, inbox, VALIDITY, &[mail(2)])?;
                Ok((inbox, mailboxes::ensure(tx, &account, &to)?))
            })
            .unwrap();
        let kind = OpKind::Move { to: MailboxPath::from_typed("Archive") };
        let moved = operation(1, &MailboxPath::inbox(), kind, vec![target(2)]);
        let world = Self { store, inbox, archive, moved, _dir: dir };
        world.lay(OpState::Queued, None);
        assert_eq!(world.shown(), (0, vec![(None, String::new())]));
        world
    }

    fn at(&self, state: OpState, went: Option<u32>) -> Operation {
        Operation { state, results: went.map(|uid| Some((VALIDITY, uid))).into_iter().collect(), ..self.moved.clone() }
    }

    fn lay(&self, state: OpState, went: Option<u32>) {
        let operation = self.at(state, went);
        self.store.cache(move |tx| apply(tx, &operation)).unwrap();
    }

    fn start_again(&self, operations: Vec<Operation>) {
        self.store.cache(move |tx| rebuild(tx, &operations)).unwrap();
    }

    fn arrives(&self, row: EnvelopeSeen) {
        let archive = self.archive;
        self.store.cache(move |tx| messages::record_new(tx, archive, VALIDITY, &[row])).unwrap();
    }

    fn marks_the_source(&self) {
        let inbox = self.inbox;
        let mark = FlagDelta::set(Flag::Deleted);
        self.store.cache(move |tx| placements::flags_told(tx, inbox, &UidSet::range(2, 2), &mark)).unwrap();
    }

    /// How many in the inbox; (UID, flags) of those in the archive.
    fn shown(&self) -> (usize, Vec<(Option<u32>, String)>) {
        let page = |id| self.store.read(|db| lists::page(db, id, false, RowCursor::Newest, 9)).unwrap();
        (page(self.inbox).len(), page(self.archive).into_iter().map(|r| (r.uid, r.flags.wire())).collect())
    }
}

fn once(uid: Option<u32>) -> (usize, Vec<(Option<u32>, String)>) {
    (0, vec![(uid, String::new())])
}

#[test]
fn what_was_read_before_its_operation_was_looked_into_is_shown_once() {
    for (uidnext, end) in [(40, vec![(Some(40), String::new())]), (41, vec![(Some(40), String::new()), (None, String::new())])] {
        let mut world = World::new();
        world.moved.mark = Some(crate::mail::intent::Mark { uidvalidity: VALIDITY, uidnext });
        world.lay(OpState::InFlight, None);
        world.arrives(mail(40));
        assert_eq!(world.shown().1.len(), 2, "nobody knows yet whether that is it");
        let promised =
            world.store.read(|db| Ok(db.conn().query_row("SELECT made FROM wish", [], |r| r.get::<_, i64>(0))?)).unwrap();
        world.lay(OpState::Settled, None);
        assert_eq!(world.shown().1, end, "of what was there before none is it");
        let sql = "SELECT count(*) FROM placement WHERE id = ?1";
        let kept: u32 = world.store.read(move |db| Ok(db.conn().query_row(sql, [promised], |r| r.get(0))?)).unwrap();
        assert_eq!(kept, 1, "the cursor stands on it");
    }
}

#[test]
fn a_copy_that_is_in_place_is_shown_once_wherever_it_was_learnt() {
    // A probe found it; then the target mailbox is read.
    let world = World::new();
    world.lay(OpState::Copied, Some(40));
    assert_eq!(world.shown(), once(Some(40)));
    world.marks_the_source();
    world.lay(OpState::Hidden, Some(40));
    world.arrives(mail(40));
    assert_eq!(world.shown(), once(Some(40)));
    // Nobody said where it is.
    let world = World::new();
    world.lay(OpState::Copied, None);
    world.marks_the_source();
    world.lay(OpState::Hidden, None);
    assert_eq!(world.shown(), once(None), "the mark is of the source alone");
    world.arrives(mail(40));
    assert_eq!(world.shown(), once(Some(40)));
    // It was read before the probe found it, and somebody starred it.
    let world = World::new();
    let mut starred = mail(40);
    starred.flags.insert(Flag::Flagged);
    world.arrives(starred);
    world.lay(OpState::Copied, Some(40));
    assert_eq!(world.shown(), (0, vec![(Some(40), "\\Flagged".to_owned())]), "the two are one, as the server has it");
    // A copy is settled at once.
    let mut copied =
        operation(1, &MailboxPath::inbox(), OpKind::Copy { to: MailboxPath::from_typed("Archive") }, vec![target(2)]);
    let world = World::new();
    world.lay(OpState::Withdrawn, None);
    for (state, results) in [(OpState::Queued, Vec::new()), (OpState::Settled, vec![Some((VALIDITY, 40))])] {
        (copied.state, copied.results) = (state, results);
        let copied = copied.clone();
        world.store.cache(move |tx| apply(tx, &copied)).unwrap();
    }
    assert_eq!(world.shown(), (1, vec![(Some(40), String::new())]));
}

#[test]
fn a_start_promises_nothing_that_is_there_already() {
    for went in [Some(40), None] {
        for state in [OpState::Copied, OpState::Flagged, OpState::Hidden] {
            let world = World::new();
            world.lay(OpState::Copied, went);
            world.arrives(mail(40));
            world.lay(state, went);
            // A wish for the copy that was not resolved yet.
            let seen = OpKind::Flag { delta: FlagDelta::set(Flag::Seen) };
            let read = operation(2, &MailboxPath::from_typed("Archive"), seen, vec![Target::ResultOf { op: OpId(1), index: 0 }]);
            for _ in 0..2 {
                world.start_again(vec![world.at(state, went), read.clone()]);
                let flags = if went.is_some() { "\\Seen" } else { "" };
                assert_eq!(world.shown(), (0, vec![(Some(40), flags.to_owned())]), "{state:?} {went:?}");
            }
        }
    }
}
