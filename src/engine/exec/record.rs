//! record — carries the planner's records out, one transaction each.
//! Owns: `on_cache`, `on_journal`, `Tally`. May import: store, engine/plan.
//! Start reading at: `on_cache`. Every record may be carried out twice with the same end.

use crate::engine::journal::op::may_become;
use crate::engine::memory::REBASE_SPAN;
use crate::engine::plan::base::Partly;
use crate::engine::plan::step::{OpChange, Record};
use crate::engine::translate;
use crate::mail::ids::{AccountName, MailboxId};
use crate::mail::intent::Operation;
use crate::mail::uid::UidValidity;
use crate::store::{self, Cache, State, StoreError, Tx, base, doubt, journal, overlay, partly, placements, tree, trouble};

/// What a pass changed in the cache.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Messages that were not here before.
    pub new: u64,
    /// Messages whose flags were others.
    pub changed: u64,
    /// Messages that are gone.
    pub vanished: u64,
}

impl Tally {
    /// Adds another one.
    pub const fn add(&mut self, other: Self) {
        self.new += other.new;
        self.changed += other.changed;
        self.vanished += other.vanished;
    }

    /// Whether nothing changed.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.new == 0 && self.changed == 0 && self.vanished == 0
    }
}

/// Records what was observed of `mailbox` at `now` (seconds since 1970). `Record::Ops` belongs to the other file and is
/// nothing here.
///
/// # Errors
/// The store's own; nothing of the record was kept then.
pub fn on_cache(tx: &mut Tx<'_, Cache>, mailbox: MailboxId, record: &Record, now: i64) -> store::Result<Tally> {
    let mut tally = Tally::default();
    match record {
        Record::NewMessages { uidvalidity, rows } => {
            store::messages::record_new(tx, mailbox, *uidvalidity, rows)?;
            tally.new = rows.len() as u64;
        }
        Record::FlagsObserved { uidvalidity, rows } => {
            base::begin(tx, mailbox, *uidvalidity)?;
            tally.changed = placements::flags_observed(tx, mailbox, rows)? as u64;
        }
        Record::FlagsTold { uidvalidity, uids, delta } => {
            base::begin(tx, mailbox, *uidvalidity)?;
            placements::flags_told(tx, mailbox, uids, delta)?;
        }
        Record::Vanished { uidvalidity, uids } => {
            base::begin(tx, mailbox, *uidvalidity)?;
            tally.vanished = placements::vanished(tx, mailbox, uids)? as u64;
        }
        Record::Doubted { uidvalidity, uids, doubted } => {
            base::begin(tx, mailbox, *uidvalidity)?;
            let count = doubt::set(tx, mailbox, uids, *doubted)? as u64;
            if *doubted { tally.vanished = count } else { tally.new = count }
        }
        Record::Placed { to, uidvalidity, copied } => overlay::placed(tx, mailbox, *uidvalidity, to, copied)?,
        Record::Rebase { from, to, pairs } => {
            if base::load(tx, mailbox)?.uidvalidity != *to {
                trouble::renumbered(tx, mailbox, now, REBASE_SPAN)?;
            }
            base::rebase(tx, mailbox, *from, *to, pairs)?;
        }
        Record::Base(new) => {
            let base = base::Base { uidvalidity: new.uidvalidity, uidnext: new.uidnext, highestmodseq: new.highestmodseq };
            base::record(tx, mailbox, base)?;
            partly::over(tx, mailbox)?;
        }
        Record::Partly(some) => {
            // Of a mailbox that is numbered anew it is noted before the cache follows: nothing here has those numbers yet.
            if !some.done.is_empty() || base::load(tx, mailbox)?.uidvalidity == UidValidity(0) {
                base::begin(tx, mailbox, some.uidvalidity)?;
            }
            partly::put(tx, mailbox, &noted(some, now))?;
        }
        Record::Identified { uidvalidity, rows } => partly::identified(tx, mailbox, *uidvalidity, rows)?,
        Record::Synced => {
            partly::over(tx, mailbox)?;
            base::synced(tx, mailbox, now)?;
        }
        // Of the tree, and of the other file.
        Record::Renamed { .. } | Record::Deleted { .. } | Record::Ops(_) => {}
    }
    Ok(tally)
}

fn noted(some: &Partly, now: i64) -> partly::Partly {
    let Partly { uidvalidity, since, done, window, looked, there, span } = some.clone();
    partly::Partly { uidvalidity, since, at: now, uids: done, at_once: window, looked, there, span }
}

/// Records what happened to the tree of mailboxes of `account`; all other records are nothing here.
///
/// # Errors
/// The store's own; nothing of the record was kept then.
pub fn on_tree(tx: &mut Tx<'_, Cache>, account: &AccountName, record: &Record) -> store::Result<()> {
    match record {
        Record::Renamed { from, to, delimiter } => tree::renamed(tx, account, from, to, *delimiter),
        Record::Deleted { mailbox } => tree::deleted(tx, account, mailbox),
        _ => Ok(()),
    }
}

/// What the person sees of an operation whose text changed meanwhile: it was taken back, or another process has it.
pub const OVERTAKEN: &str = "the operation was changed meanwhile";

/// Records changes of operations, all or none. The operations as they are now, each to be laid over the cache again.
///
/// # Errors
/// `Invalid` with [`OVERTAKEN`] if one of them is not any more as the plan knew it; the store's own.
pub fn on_journal(tx: &mut Tx<'_, State>, changes: &[OpChange]) -> store::Result<Vec<Operation>> {
    let mut touched = Vec::new();
    for change in changes {
        let now = journal::update(tx, change.id, |op| {
            if op.state != change.state && !may_become(op.state, change.state) {
                return Err(StoreError::invalid(OVERTAKEN));
            }
            change.apply(op);
            op.fault = change.fault.as_ref().map(|f| translate::op_fault(f).into_string()).unwrap_or_default();
            Ok(())
        })?;
        touched.extend(now);
    }
    Ok(touched)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::envelope::Envelope;
    use crate::mail::fixtures;
    use crate::mail::flags::{Flag, FlagDelta};
    use crate::mail::mailbox::MailboxPath;
    use crate::mail::server::EnvelopeSeen;
    use crate::mail::uid::{ModSeq, UidSet};
    use crate::store::{Store, mailboxes};
    use std::sync::Arc;

    #[test]
    fn each_record_twice_is_once() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), Arc::new(|_| {})).unwrap();
        let mailbox = store.cache(|tx| mailboxes::ensure(tx, &AccountName::new("a"), &MailboxPath::inbox())).unwrap();
        let row = |n| EnvelopeSeen {
            received: 1_700_000_000 + i64::from(n),
            size: 10,
            envelope: Envelope { subject: format!("s{n}"), ..Envelope::default() }.into(),
            ..fixtures::seen(n)
        };
        let uidvalidity = UidValidity(7);
        let records = [
            Record::NewMessages { uidvalidity, rows: vec![row(1), row(2), row(3)] },
            Record::FlagsTold { uidvalidity, uids: UidSet::range(1, 2), delta: FlagDelta::set(Flag::Seen) },
            Record::Vanished { uidvalidity, uids: UidSet::range(3, 3) },
            Record::Base(crate::engine::plan::base::Base { uidvalidity, uidnext: 4, highestmodseq: ModSeq(0) }),
            Record::Synced,
        ];
        for record in records {
            for _ in 0..2 {
                let record = record.clone();
                store.cache(move |tx| on_cache(tx, mailbox, &record, 1_700_000_100)).unwrap();
            }
        }
        let row = store.read(|db| mailboxes::get(db, mailbox)).unwrap();
        assert_eq!((row.total, row.unread, row.synced_at), (2, 0, 1_700_000_100));
        let foreign = Record::Vanished { uidvalidity: UidValidity(8), uids: UidSet::range(1, 9) };
        assert!(store.cache(move |tx| on_cache(tx, mailbox, &foreign, 0)).is_err(), "UIDs of another numbering touch nothing");
        assert_eq!(store.read(|db| mailboxes::get(db, mailbox)).unwrap().total, 2);
    }
}
