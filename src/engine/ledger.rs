//! ledger — takes a pass's records to the two files, counts them, and tells how far the pass is.
//! Owns: `Ledger`, `Sum`, `journal`. May import: store, engine/exec.
//! Start reading at: `Ledger::carry`. It runs beside the thread that reads the socket.

use super::acquaint;
use super::api::{Fault, Remedy};
use super::exec::record::{self, OVERTAKEN, Tally};
use super::fault::{Kind, Reach};
use super::jobs::Running;
use super::plan::step::{OpChange, Record};
use super::shared::Shared;
use super::translate;
use crate::mail::flags::Flag;
use crate::mail::ids::{AccountName, MailboxId};
use crate::mail::intent::OpState;
use crate::mail::mailbox::Role;
use crate::store::{StoreErrorKind, mailboxes, overlay};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a pass will take is known once it has gone on for this ...
const KNOWN: Duration = Duration::from_secs(1);
/// ... and it is long if that much is still to come.
const LONG: Duration = Duration::from_secs(3);

/// What a pass recorded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Sum {
    /// In the cache.
    pub tally: Tally,
    /// Operations that are settled, or as far as this server lets them come.
    pub settled: u64,
    /// An operation was changed by somebody else: nothing is broken, the pass has to be planned again.
    pub overtaken: bool,
}

/// Why changes of operations could not be recorded.
pub(super) enum Unwritten {
    /// Somebody else changed one of them meanwhile: to be planned anew.
    Overtaken(Fault),
    /// The file.
    Store(Fault),
}

impl Unwritten {
    pub fn into_fault(self) -> Fault {
        match self {
            Self::Overtaken(fault) | Self::Store(fault) => fault,
        }
    }
}

/// Records changes of operations: the journal first, then the overlay: what the server did is in the cache already
/// (decisions 1). Tells the person of those that are parked, and of those that came to nothing.
pub(super) fn journal(shared: &Shared, account: &AccountName, changes: Vec<OpChange>) -> Result<(), Unwritten> {
    let done = shared.store.state(move |tx| record::on_journal(tx, &changes).map(|touched| (touched, changes)));
    let (touched, changes) = done.map_err(|e| {
        let overtaken = e.kind == StoreErrorKind::Missing || e.detail.as_str() == OVERTAKEN;
        let fault = translate::store(&e);
        if overtaken { Unwritten::Overtaken(fault) } else { Unwritten::Store(fault) }
    })?;
    for (change, why) in changes.iter().filter_map(|c| Some((c, translate::op_fault(c.fault.as_ref()?)))) {
        let what = format!("not done: {why}");
        match change.state {
            OpState::Parked => {
                shared.fault(Fault::new(Kind::Refused, &what).remedied(Remedy::OpenQueue(change.id)).of(account));
            }
            OpState::Moot => shared.fault(Fault::new(Kind::Missing, &what).reaching(Reach::Message).of(account)),
            _ => {}
        }
    }
    let lay = move |tx: &mut crate::store::Tx<'_, crate::store::Cache>| touched.iter().try_for_each(|op| overlay::apply(tx, op));
    shared.store.cache(lay).map_err(|e| Unwritten::Store(translate::store(&e)))
}

/// Of one pass.
pub(super) struct Ledger<'a> {
    shared: &'a Shared,
    account: &'a AccountName,
    mailbox: MailboxId,
    /// What it is for.
    purpose: Option<Role>,
    /// Whether this mailbox is read for the first time: then nothing "arrives".
    first: bool,
    /// How many messages were here when the pass began.
    here: u64,
    /// How many the server has; 0 until it said so.
    pub exists: AtomicU64,
    begun: Instant,
    job: &'a Running,
    inner: Mutex<Sum>,
}

impl<'a> Ledger<'a> {
    pub fn new(
        shared: &'a Shared,
        account: &'a AccountName,
        mailbox: MailboxId,
        (first, here): (bool, u64),
        job: &'a Running,
    ) -> Self {
        // A mailbox that is gone already is for nothing: its pass finds out.
        let purpose = shared.store.read(|db| mailboxes::get(db, mailbox)).ok().and_then(|row| row.role);
        Self {
            shared,
            account,
            mailbox,
            purpose,
            first,
            here,
            exists: AtomicU64::new(0),
            begun: Instant::now(),
            job,
            inner: Mutex::default(),
        }
    }

    /// Whether the pass, as quick as it is, will go on for long.
    pub fn takes_long(&self) -> bool {
        let (took, new) = (self.begun.elapsed(), self.inner.lock().unwrap_or_else(PoisonError::into_inner).tally.new);
        is_long(took, new, self.exists.load(Ordering::Relaxed).saturating_sub(self.here + new))
    }

    /// Carries one record out.
    ///
    /// # Errors
    /// The store's.
    pub fn carry(&self, record: Record) -> Result<(), Fault> {
        match record {
            Record::Ops(changes) => self.journal(changes),
            record => self.cache(record),
        }
    }

    fn cache(&self, record: Record) -> Result<(), Fault> {
        let unread = match &record {
            Record::NewMessages { rows, .. } if !self.first => rows.iter().filter(|r| !r.flags.has(Flag::Seen)).count(),
            _ => 0,
        };
        let people = match &record {
            Record::NewMessages { rows, .. } => acquaint::people(self.purpose, self.first, rows),
            _ => None,
        };
        let (mailbox, now) = (self.mailbox, self.shared.now());
        let tally =
            self.shared.store.cache(move |tx| record::on_cache(tx, mailbox, &record, now)).map_err(|e| translate::store(&e))?;
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.tally.add(tally);
        let done = self.here + inner.tally.new;
        drop(inner);
        if tally.new > 0 {
            self.job.at(done, self.exists.load(Ordering::Relaxed).max(done));
        }
        if let Some((role, people)) = people {
            acquaint::note(self.shared, self.account, role, people)?;
        }
        if unread > 0 {
            self.shared.news.put(|news| *news.arrived.entry(mailbox).or_default() += u32::try_from(unread).unwrap_or(u32::MAX));
        }
        Ok(())
    }

    fn journal(&self, changes: Vec<OpChange>) -> Result<(), Fault> {
        // Without UIDPLUS a move has come as far as it can when its source is hidden.
        let ended = |c: &&OpChange| matches!(c.state, OpState::Settled | OpState::Moot | OpState::Hidden);
        let settled = changes.iter().filter(ended).count();
        let done = journal(self.shared, self.account, changes);
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        match done {
            Ok(()) => inner.settled += settled as u64,
            Err(Unwritten::Overtaken(_)) => inner.overtaken = true,
            Err(Unwritten::Store(_)) => {}
        }
        done.map_err(Unwritten::into_fault)
    }

    /// The pass is over.
    pub fn close(self) -> Sum {
        *self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether what is left takes long if so many came in that time.
fn is_long(took: Duration, came: u64, left: u64) -> bool {
    took >= KNOWN && took.as_secs_f64() * left as f64 > LONG.as_secs_f64() * came as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_is_long_by_its_own_pace() {
        let long = |ms, came, left| is_long(Duration::from_millis(ms), came, left);
        assert!(!long(500, 64, 99_936), "too early to tell");
        assert!(long(1_000, 500, 10_000) && !long(1_000, 30_000, 70_000));
        assert!(long(2_000, 0, 1) && !long(60_000, 0, 0));
    }
}
