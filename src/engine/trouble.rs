//! trouble — servers that do not keep their numbers, contradict themselves, or tell of messages that are none: what follows.
//! Owns: when a mailbox is left alone and when it is good again (security S-09, S-10, S-22). May import: store, net, engine/plan.
//! Start reading at: `Visitor::judged`. What is known of it lies in the cache: a restart begins no new storm.

use super::api::{Fault, Kind};
use super::check::{Step, Verdict};
use super::fault::Reach;
use super::memory::REBASE_SPAN;
use super::plan::base::Policy;
use super::round::{End, Halt, Visitor};
use crate::base::log;
use crate::base::safetext::SafeText;
use crate::mail::ids::{AccountName, MailboxId};
use crate::mail::mailbox::MailboxPath;
use crate::mail::uid::UidValidity;
use crate::net::session::MailStore;
use crate::store::trouble::{self, Trouble};
use crate::store::{Cache, Db, Places, health, journal, placements};
use std::path::Path;

/// So many changes of UIDVALIDITY within [`REBASE_SPAN`], and the mailbox is read-only (security S-22).
const MAX_REBASES: usize = 3;
/// Numbers that an unstable mailbox kept for so many seconds are believed.
const STEADY: i64 = REBASE_SPAN;
/// A mailbox whose server contradicts itself is compared anew after so many seconds (security S-10).
pub(super) const RECOUNT: i64 = 3_600;

/// Whether the count of messages says something of this mailbox now.
#[must_use]
pub(super) const fn counts(trouble: &Trouble, now: i64) -> bool {
    trouble.inconsistent == 0 || now - trouble.inconsistent >= RECOUNT
}

impl Visitor<'_> {
    /// What a pass may do in a mailbox that is known under `held`.
    ///
    /// # Errors
    /// The store.
    pub(super) fn judged(&self, mailbox: MailboxId, held: UidValidity, policy: Policy) -> Result<Policy, Halt> {
        let now = policy.now;
        let (trouble, times) = self
            .shared
            .store
            .read(|db| Ok((trouble::of(db, mailbox)?, trouble::renumberings(db, mailbox, now - REBASE_SPAN)?)))?;
        let steady = now - trouble.seen_since >= STEADY;
        let unstable = (trouble.unstable > 0).then_some(match trouble.seen {
            // It had none at all: those that we know are as good as ever.
            UidValidity(0) => held,
            seen if steady => seen,
            _ => UidValidity(0),
        });
        Ok(Policy { may_rebase: times < MAX_REBASES, unstable, recount: counts(&trouble, now), ..policy })
    }

    /// The mailbox had other numbers once more: it is left as it is, and nothing can be done in it. What was wished for before
    /// waits, and says why (`OpFault::Unstable`).
    ///
    /// # Errors
    /// The store.
    pub(super) fn unstable(&mut self, path: &MailboxPath, mailbox: MailboxId, seen: UidValidity) -> Result<End, Halt> {
        let now = self.shared.now();
        self.shared.store.cache(move |tx| trouble::unstable(tx, mailbox, seen, now))?;
        let pending = self.shared.store.read_state(|db| journal::pending(db, Some(&self.config.name)))?;
        let waiting = match pending.iter().filter(|op| op.mailbox == *path).count() {
            0 => String::new(),
            1 => "; 1 change waits for that".to_owned(),
            n => format!("; {n} changes wait for that"),
        };
        let name = path.decoded();
        let what = format!("{name} is numbered anew again and again; it is read-only until it keeps its numbers{waiting}");
        Ok(End::Left(Box::new(self.told_once(mailbox, "unstable", &what))))
    }

    /// Notes what the server told that cannot be, at the end of a pass; `synced` if it came to its end.
    ///
    /// # Errors
    /// The store.
    pub(super) fn note_trouble(
        &mut self,
        conn: &mut dyn MailStore,
        path: &MailboxPath,
        mailbox: MailboxId,
        synced: bool,
    ) -> Result<(), Halt> {
        let odd = conn.oddities();
        if odd.rows > 0 {
            log::warn("sync", format_args!("{}: {} rows of no message were left out", path.decoded(), odd.rows));
            self.shared.store.cache(move |tx| trouble::odd_rows(tx, mailbox, odd.rows))?;
        }
        let now = self.shared.now();
        let before = self.shared.store.read(|db| trouble::of(db, mailbox))?;
        if synced && before.unstable > 0 {
            self.memory.told_of.remove(&(mailbox, "unstable"));
            self.shared.store.cache(move |tx| trouble::stable(tx, mailbox))?;
        }
        if !counts(&before, now) {
            return Ok(());
        }
        let differs = |db: &Db<Cache>| Ok(placements::uids(db, mailbox)?.len() != u64::from(conn.exists()));
        if odd.contradicts {
            self.shared.store.cache(move |tx| trouble::inconsistent(tx, mailbox, now))?;
            let what =
                format!("the server contradicts itself about {}: some of its messages may be missing here", path.decoded());
            self.told_once(mailbox, "inconsistent", &what);
        } else if synced && before.inconsistent > 0 {
            let at = if self.shared.store.read(differs)? { now } else { 0 };
            self.shared.store.cache(move |tx| trouble::inconsistent(tx, mailbox, at))?;
        }
        Ok(())
    }

    fn told_once(&mut self, mailbox: MailboxId, which: &'static str, what: &str) -> Fault {
        let fault = Fault::new(Kind::Protocol, what).reaching(Reach::Mailbox).of(&self.config.name);
        if self.memory.told_of.insert((mailbox, which)) {
            self.shared.fault(fault.clone());
        }
        fault
    }
}

/// What servers do wrong in mailboxes of `accounts`, as steps of `doctor`: read from the files in `dir`, nobody is asked.
#[must_use]
pub fn steps(dir: &Path, accounts: &[AccountName]) -> Vec<(AccountName, Step)> {
    let mut steps = Vec::new();
    let places = &Places { state: dir.to_owned(), cache: dir.to_owned() };
    for account in accounts {
        // A file that cannot be read has its own step.
        for (path, trouble) in health::troubles(places, account).unwrap_or_default() {
            let mut told = Vec::new();
            if trouble.unstable > 0 {
                told.push("numbered anew again and again: read-only until it keeps its numbers".to_owned());
            }
            if trouble.inconsistent > 0 {
                told.push("the server is inconsistent: it contradicts itself about what is there".to_owned());
            }
            if trouble.odd_rows > 0 {
                told.push(format!("{} rows that named no message were left out", trouble.odd_rows));
            }
            let what = SafeText::line_max(&format!("{}: {}", path.decoded(), told.join("; ")), 500);
            steps.push((account.clone(), Step { name: "mailbox", verdict: Verdict::Warn, what, fault: None, seconds: 0.0 }));
        }
    }
    steps
}
