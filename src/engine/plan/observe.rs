//! observe — what the server has now, and what of it the cache has not.
//! Owns: the stages of observing and fetching.
//! May import: mail.
//! Start reading at: `Stage`. Counts and UIDNEXT are hints that a server may get wrong; only sets of UIDs decide.

use super::base::{Base, Outcome};
use super::step::{Ask, MAX_ROWS, OpChange, Record};
use super::windows::{Fetch, window};
use super::{MailboxSync, Stage as Pass, moot, rebase};
use crate::engine::journal::batch;
use crate::mail::flags::Flag;
use crate::mail::ids::OpId;
use crate::mail::intent::{OpKind, OpState};
use crate::mail::server::{EnvelopeSeen, FlagsSeen};
use crate::mail::uid::{ModSeq, UidSet};

/// So many new messages are asked for at once, by a range without an end.
const AT_ONCE: u64 = 300;
/// Room for so many new messages in the turn that opens a mailbox again.
pub(super) const AHEAD: u32 = 300;
/// A guess at the newest messages is at most so many times as wide as the window.
const MAX_SPARSE: u32 = 4;
/// Where observing stands.
#[derive(Clone, Debug)]
pub(super) enum Stage {
    /// Which way?
    Begin,
    /// The server says that most of the mailbox vanished: all UIDs were asked for, to be sure of it.
    Doubt(UidSet),
    /// The UIDs above those that we know were asked for.
    Newer,
    /// Nothing is here: the newest were asked for by a guess at their numbers, before all numbers are known.
    Newest,
    /// The flags that changed since the base were asked for.
    Changed,
    /// All UIDs were asked for, or a span of them.
    Uids,
    /// Flags are coming in, window by window.
    Windows,
    /// Envelopes are coming in, window by window.
    Fetching,
    /// Everything is recorded but the base.
    Last,
}

impl MailboxSync {
    pub(super) fn observe(&mut self, stage: Stage) {
        if let Some(refusal) = self.answer.refused.take() {
            return self.end(Outcome::Refused(refusal));
        }
        let next = match stage {
            Stage::Begin => self.observe_first(),
            Stage::Doubt(vanished) => {
                let there = std::mem::take(&mut self.answer.uids);
                self.expunged(&vanished.union(&self.doubted).difference(&there));
                self.back(&there);
                self.newer()
            }
            Stage::Newer => {
                let newer = std::mem::take(&mut self.answer.uids).difference(&self.known);
                self.fetch.envelopes = self.fetch.envelopes.union(&newer);
                self.next_envelopes()
            }
            // The guess was answered: it goes on with all numbers.
            Stage::Newest => self.every_uid(),
            Stage::Changed => self.compare_counts(),
            Stage::Uids => self.numbered(),
            Stage::Windows => self.next_flags(),
            Stage::Fetching => {
                // Counted only now, when everything that is known to be new is here (decisions 11).
                if self.fetch.compared { Stage::Last } else { self.compare_counts() }
            }
            Stage::Last if self.numbers_are_wrong() => self.all_uids(),
            Stage::Last => return self.finish(),
        };
        self.stage = Pass::Observe(next);
    }

    fn observe_first(&mut self) -> Stage {
        self.join();
        let (then, now) = (self.base.highestmodseq, self.selected.highestmodseq);
        // A server whose numbers go back or are missing is asked for everything (security S-19).
        let usable = self.caps.condstore && self.base.uidvalidity == self.selected.uidvalidity && then > ModSeq(0) && now >= then;
        if !usable {
            return match self.guess() {
                Some(uids) => {
                    self.ask(Ask::Envelopes { uids });
                    Stage::Newest
                }
                None => self.every_uid(),
            };
        }
        if self.selected.resynced {
            return self.resynced();
        }
        if now == then {
            // Nothing came without a new modification sequence, unless the server says by its numbers that something did.
            let came = self.selected.uidnext > self.base.uidnext || self.partly.is_some();
            return if came || !self.doubted.is_empty() { self.all_uids() } else { self.compare_counts() };
        }
        if self.partly.is_some() {
            return self.ask_the_rest(then);
        }
        self.ask(Ask::FlagsOf { uids: UidSet::range(1, u32::MAX), changed_since: Some(then) });
        Stage::Changed
    }

    fn every_uid(&mut self) -> Stage {
        self.fetch.all_flags = true;
        self.all_uids()
    }

    /// Where the newest messages of a mailbox of which nothing is here probably are, a first window of them: somebody looks at
    /// an empty list, and a turn is saved. Only a guess: the set of all UIDs decides later what is missing.
    fn guess(&self) -> Option<UidSet> {
        let (next, exists) = (self.selected.uidnext, self.selected.exists);
        if !self.known.is_empty() || next <= 1 || exists == 0 {
            return None;
        }
        // Where most numbers are gone, the window is wider.
        let sparse = (next / exists).clamp(1, MAX_SPARSE);
        let low = next.saturating_sub(self.fetch.window.saturating_mul(sparse)).max(1);
        Some(UidSet::range(low, next - 1))
    }

    /// SELECT told what happened to what we know (RFC 7162, 3.2.5).
    fn resynced(&mut self) -> Stage {
        let vanished = std::mem::take(&mut self.selected.vanished).intersection(&self.known);
        let changed = std::mem::take(&mut self.selected.changed);
        self.flags(changed.into_iter().filter(|row| !vanished.contains(row.uid)).collect());
        if self.is_most(&vanished) || !self.doubted.is_empty() {
            self.ask(Ask::Uids { from: 1, to: u32::MAX });
            return Stage::Doubt(vanished);
        }
        self.expunged(&vanished);
        self.newer()
    }

    /// What is above all that we know: a few are asked for without knowing their numbers.
    fn newer(&mut self) -> Stage {
        if let Some(rows) = self.selected.ahead.take() {
            self.envelopes(&UidSet::range(1, u32::MAX), rows);
        }
        let here = self.known.union(&self.fetch.got);
        let from = here.bounds().map_or(1, |(_, high)| high.saturating_add(1));
        let here = here.len() + self.fetch.envelopes.len();
        match u64::from(self.selected.exists).saturating_sub(here) {
            0 => self.compare_counts(),
            1..=AT_ONCE if self.fetch.envelopes.is_empty() => {
                self.ask(Ask::Envelopes { uids: UidSet::range(from, u32::MAX) });
                Stage::Fetching
            }
            _ => {
                self.ask(Ask::Uids { from, to: u32::MAX });
                Stage::Newer
            }
        }
    }

    /// Flags came: of known messages they are recorded, all others are to be fetched.
    pub(super) fn flags(&mut self, rows: Vec<FlagsSeen>) {
        let new: UidSet = rows.iter().map(|row| row.uid).collect::<UidSet>().difference(&self.known).difference(&self.fetch.got);
        self.fetch.envelopes = self.fetch.envelopes.union(&new);
        let rows: Vec<FlagsSeen> = rows.into_iter().filter(|row| self.known.contains(row.uid)).collect();
        self.fetch.told = self.fetch.told.union(&rows.iter().map(|row| row.uid).collect());
        self.restored(&rows);
        for part in rows.chunks(MAX_ROWS) {
            self.record(Record::FlagsObserved { uidvalidity: self.selected.uidvalidity, rows: part.to_vec() });
        }
    }

    /// Without UIDPLUS a message is only marked. If somebody took the mark away again, the message stays and shows.
    fn restored(&mut self, rows: &[FlagsSeen]) {
        let kept: UidSet = rows.iter().filter(|row| !row.flags.has(Flag::Deleted)).map(|row| row.uid).collect();
        let validity = self.selected.uidvalidity;
        let undone = self.ops.iter().filter(|op| self.ours(op) && op.state.is_marked() && !self.sent.contains(&op.id));
        let undone = undone.filter(|op| batch::uids(op, validity).is_some_and(|u| !u.intersection(&kept).is_empty()));
        let changes = undone.map(|op| OpChange::to(op.id, OpState::Moot)).collect();
        self.change(changes);
    }

    /// Whether the number of messages says that the set of UIDs has to be compared.
    fn compare_counts(&mut self) -> Stage {
        if !self.fetch.flags.is_empty() {
            return self.next_flags();
        }
        if !self.fetch.envelopes.is_empty() {
            return self.next_envelopes();
        }
        let here = self.known.union(&self.fetch.got).len();
        let fits = here == u64::from(self.selected.exists) || !self.fetch.policy.recount;
        let same = fits && self.doubted.is_empty() && self.partly.is_none();
        if same { Stage::Last } else { self.all_uids() }
    }

    pub(super) fn all_uids(&mut self) -> Stage {
        if self.ask_numbers() { Stage::Uids } else { self.compare() }
    }

    /// Some numbers came: what is new among them comes before the others are asked for.
    fn numbered(&mut self) -> Stage {
        self.fetch.envelopes = self.new_numbers();
        if self.partly.is_none() || self.fetch.envelopes.is_empty() { self.all_uids() } else { self.next_envelopes() }
    }

    /// All UIDs are here.
    fn compare(&mut self) -> Stage {
        let there = self.numbers();
        (self.fetch.compared, self.fetch.since) = (true, None);
        let here = self.known.union(&self.fetch.got);
        let doubted = self.expunged(&here.difference(&there));
        self.back(&there);
        // Wishes about what was never here, too.
        self.moot(|uids| uids.intersection(&there.union(&doubted)).is_empty());
        self.fetch.got = self.fetch.got.intersection(&there);
        self.fetch.envelopes = there.difference(&self.known).difference(&self.fetch.got);
        if std::mem::take(&mut self.fetch.all_flags) {
            self.fetch.flags = self.known.difference(&self.done_before());
        }
        self.next_flags()
    }

    /// Wishes about messages that are all gone: already true, or impossible.
    pub(super) fn moot(&mut self, gone: impl Fn(&UidSet) -> bool) {
        let validity = self.selected.uidvalidity;
        let mut changes = Vec::new();
        for op in self.ops.iter().filter(|op| self.ours(op) && !op.targets.is_empty()) {
            if batch::uids(op, validity).is_none_or(|uids| !gone(&uids)) {
                continue;
            }
            let change = match (&op.kind, op.state) {
                (_, OpState::Flagged | OpState::Hidden | OpState::Copied) => OpChange::to(op.id, OpState::Settled),
                // A lost copy may have come to its end before the message went: probed when its time comes.
                (OpKind::Copy { .. }, OpState::Uncertain | OpState::InFlight) | (_, OpState::Copying) => continue,
                (OpKind::Move { .. }, OpState::Uncertain | OpState::InFlight) => OpChange::to(op.id, OpState::Settled),
                _ => moot(op),
            };
            changes.push(change);
        }
        self.change(changes);
    }

    pub(super) fn next_flags(&mut self) -> Stage {
        if self.fetch.flags.is_empty() {
            return self.next_envelopes();
        }
        // What is new may be in the window too: it costs nothing and is left to the envelopes.
        let uids = window(&mut self.fetch.flags, &UidSet::new(), self.fetch.window);
        self.ask(Ask::FlagsOf { uids, changed_since: self.fetch.since });
        Stage::Windows
    }

    fn next_envelopes(&mut self) -> Stage {
        if self.fetch.envelopes.is_empty() {
            return if self.fetch.compared { Stage::Last } else { Stage::Fetching };
        }
        let uids = self.fetch.take_envelopes(&self.known.union(&self.fetch.got));
        self.ask(Ask::Envelopes { uids });
        Stage::Fetching
    }

    /// Envelopes came: only what was asked for, and each once (security S-10, S-11).
    pub(super) fn envelopes(&mut self, asked: &UidSet, rows: Vec<EnvelopeSeen>) {
        let (mut new, mut came) = (Vec::with_capacity(rows.len()), UidSet::new());
        for row in rows {
            let here = self.fetch.got.contains(row.uid) || came.contains(row.uid) || self.known.contains(row.uid);
            if !here && (asked.contains(row.uid) || self.fetch.is_asked_for(row.uid)) {
                came.insert(row.uid);
                self.fetch.envelope_came(row.uid);
                new.push(row);
            }
        }
        // At once: each of a mailbox with many gaps would else move what was read before it.
        self.fetch.got = self.fetch.got.union(&came);
        // Handed on, not copied: an envelope is many small pieces.
        while !new.is_empty() {
            let rest = new.split_off(new.len().min(MAX_ROWS));
            let rows = std::mem::replace(&mut new, rest);
            self.record(Record::NewMessages { uidvalidity: self.selected.uidvalidity, rows });
        }
        if matches!(self.stage, Pass::Observe(Stage::Fetching)) && self.fetch.is_nearly_here() {
            self.next_envelopes();
        }
    }

    /// A window ended: the next one is asked for while its Records are still under way.
    pub(super) fn ask_ended(&mut self, ask: &Ask, ms: u32) {
        match (ask, &self.stage) {
            (Ask::Envelopes { .. }, Pass::Observe(Stage::Fetching)) => {
                self.fetch.envelopes_ended(ms);
                if !self.fetch.envelopes.is_empty() && !self.fetch.is_asked() {
                    let next = self.next_envelopes();
                    self.stage = Pass::Observe(next);
                }
            }
            (Ask::Envelopes { .. }, Pass::Observe(Stage::Newest)) => {
                self.fetch.grow(ms);
                let next = self.every_uid();
                self.stage = Pass::Observe(next);
            }
            (Ask::Uids { from, to }, Pass::Observe(Stage::Uids) | Pass::Rebase(rebase::Stage::Uids)) => {
                self.numbers_came(*from, *to);
            }
            (Ask::Identify { .. }, Pass::Rebase(rebase::Stage::There)) => self.fetch.grow(ms),
            (Ask::FlagsOf { uids, .. }, Pass::Observe(stage @ (Stage::Windows | Stage::Changed))) => {
                // Of those that did not come nothing changed, or they are gone.
                let here = uids.intersection(&self.known);
                self.fetch.told = self.fetch.told.union(&here);
                if matches!(stage, Stage::Windows) {
                    self.fetch.grow(ms);
                }
            }
            _ => {}
        }
    }

    /// The last of all: only now may the next pass start from here.
    fn finish(&mut self) {
        let seen = self.known.union(&self.fetch.got).bounds().map_or(0, |(_, high)| high.saturating_add(1));
        let (reached, now) = (self.reached(), self.selected.highestmodseq);
        let base = Base {
            uidvalidity: self.selected.uidvalidity,
            uidnext: self.selected.uidnext.max(seen),
            highestmodseq: if self.caps.condstore { reached } else { ModSeq(0) },
        };
        if base != self.base {
            self.base = base;
            self.record(Record::Base(base));
        }
        if self.partly.take().is_some() && self.caps.condstore && reached > ModSeq(0) && reached < now {
            // What changed since the first of the broken passes.
            self.known = self.known.union(&self.fetch.got);
            self.fetch = Fetch::new(&self.policy);
            self.stage = Pass::Observe(Stage::Begin);
            return;
        }
        self.record(Record::Synced);
        self.end(Outcome::Synced);
    }

    /// The operations that could not be finished in this pass, for the executor's next date.
    #[must_use]
    pub fn waiting(&self) -> Vec<OpId> {
        self.ops.iter().filter(|op| self.ours(op)).map(|op| op.id).collect()
    }
}

#[cfg(test)]
#[path = "observe_tests.rs"]
mod tests;
