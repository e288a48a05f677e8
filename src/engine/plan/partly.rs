//! partly — a pass that a broken line ends, and the next one, which goes on where it ended.
//! Owns: what of a broken pass is written down, and what the next need not ask again.
//! May import: mail.
//! Start reading at: `broke_off`. A pass is small steps then: not all at once with the opening (QRESYNC), where nothing counts
//! before all has come, but each row for itself.

use super::base::Partly;
use super::observe;
use super::step::{Ask, MAX_ROWS, Record};
use super::{MailboxSync, Stage, rebase};
use crate::mail::uid::{ModSeq, UidSet, UidValidity};

impl MailboxSync {
    /// The pass ends early. What was told whole is recorded; here it is noted of which messages that was, so that not all is asked
    /// once more; and if the line was `lost`, that less is to be asked at once.
    pub(super) fn broke_off(&mut self, lost: bool) {
        let before = self.partly.take();
        let partly = match (&self.stage, before) {
            (Stage::Observe(_), before) if !lost => {
                let before = before.unwrap_or_else(|| self.nothing_yet());
                Partly { done: self.done_now(&before), ..before }
            }
            // It made room with nothing to go on from.
            (_, before) if !lost => return self.partly = before,
            // Over the numbers; what of them came is in it.
            (Stage::Observe(observe::Stage::Uids) | Stage::Rebase(rebase::Stage::Uids), before) => {
                let before = before.unwrap_or_else(|| self.nothing_yet());
                let (done, span) = (self.done_now(&before), self.shorter_span(&before));
                Partly { done, span, ..before }
            }
            // Over a few numbers: all are asked for the next time.
            (Stage::Observe(observe::Stage::Newer | observe::Stage::Doubt(_)), before) => {
                let before = before.unwrap_or_else(|| self.nothing_yet());
                Partly { done: self.done_now(&before), span: self.shorter_span(&before), ..before }
            }
            (Stage::Observe(_), before) => {
                let before = before.unwrap_or_else(|| self.nothing_yet());
                let done = self.done_now(&before);
                let gained = done != before.done;
                let mut partly = Partly { done, window: self.fewer(&before, gained), ..before };
                if !gained {
                    self.keep_numbers(&mut partly);
                }
                partly
            }
            (Stage::Rebase(rebase::Stage::There), before) => {
                let before = before.unwrap_or_else(|| self.nothing_yet());
                let came = std::mem::take(&mut self.answer.identities);
                let gained = !came.is_empty() || self.fetch.pace.is_some();
                for rows in came.chunks(MAX_ROWS) {
                    self.record(Record::Identified { uidvalidity: before.uidvalidity, rows: rows.to_vec() });
                }
                let mut partly = Partly { window: self.fewer(&before, gained), ..before };
                self.keep_numbers(&mut partly);
                partly
            }
            // All that was to come with the opening is lost: the next one asks for less.
            (Stage::Selecting | Stage::Reselecting, None) if self.resyncs => {
                Partly { uidvalidity: self.base.uidvalidity, since: ModSeq(i64::MAX.unsigned_abs()), ..Partly::default() }
            }
            _ => return,
        };
        if partly.uidvalidity != UidValidity::default() {
            self.record(Record::Partly(partly));
        }
    }

    fn done_now(&self, before: &Partly) -> UidSet {
        before.done.union(&self.fetch.told).union(&self.fetch.got)
    }

    /// How many messages the next pass asks for at first.
    fn fewer(&self, before: &Partly, gained: bool) -> u32 {
        let window = if before.window == 0 { self.fetch.policy.first_window } else { before.window };
        if gained { window } else { (window / 4).max(1) }
    }

    fn nothing_yet(&self) -> Partly {
        Partly { uidvalidity: self.selected.uidvalidity, since: self.selected.highestmodseq, ..Partly::default() }
    }

    /// What the passes before did holds for the mailbox as it was opened now, or is forgotten.
    pub(super) fn join(&mut self) {
        let now = self.selected.highestmodseq;
        let Some(partly) = &mut self.partly else { return self.identified.clear() };
        // Numbers that go back are no numbers (security S-19).
        let any = !partly.done.is_empty() || !partly.looked.is_empty();
        if partly.uidvalidity != self.selected.uidvalidity || (now < partly.since && any) {
            let (window, span) = (partly.window, partly.span);
            *partly = Partly { uidvalidity: self.selected.uidvalidity, since: now, window, span, ..Partly::default() };
            self.identified.clear();
        }
        partly.since = partly.since.min(now);
        self.fetch.old_numbers |= !partly.looked.is_empty() && self.fetch.looked.is_empty();
        self.fetch.begin_with(partly.window);
    }

    /// Messages of which need not be asked again.
    pub(super) fn done_before(&self) -> UidSet {
        self.partly.as_ref().map(|partly| partly.done.clone()).unwrap_or_default()
    }

    /// Asks whose flags changed since `then`, of those that no pass before told of. What is new is found by the numbers: its
    /// flags come with its row.
    pub(super) fn ask_the_rest(&mut self, then: ModSeq) -> observe::Stage {
        if self.fetch.policy.first_window > self.fetch.window {
            // Not even one message came whole: a few at a time.
            self.fetch.flags = self.known.difference(&self.done_before());
            self.fetch.since = Some(then);
            return self.next_flags();
        }
        let before = UidSet::range(1, self.base.uidnext.saturating_sub(1).max(1));
        let uids = before.union(&self.known).difference(&self.done_before());
        if uids.is_empty() {
            return self.all_uids();
        }
        self.ask(Ask::FlagsOf { uids, changed_since: Some(then) });
        observe::Stage::Changed
    }

    /// Everything is recorded as it was at this modification sequence.
    pub(super) fn reached(&self) -> ModSeq {
        let now = self.selected.highestmodseq;
        self.partly.as_ref().map_or(now, |partly| partly.since.min(now))
    }
}
