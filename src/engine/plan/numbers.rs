//! numbers — which numbers messages have: asked for all at once, and by spans of them where a line broke over the answer.
//! Owns: the order of the spans, what of their answers holds for the next pass.
//! May import: mail.
//! Start reading at: `MailboxSync::ask_numbers`. Without ranges (ESEARCH) the numbers of 100,000 messages are 700 kB in one answer,
//! of which nothing counts before its end.

use super::MailboxSync;
use super::base::Partly;
use super::step::Ask;
use crate::mail::uid::UidSet;

impl MailboxSync {
    /// Asks which numbers messages have: all, or the highest span that was not asked for yet. Whether there was anything to ask.
    pub(super) fn ask_numbers(&mut self) -> bool {
        let Some((from, to)) = self.next_span() else { return false };
        self.ask(Ask::Uids { from, to });
        true
    }

    /// All numbers that messages have, once [`Self::ask_numbers`] has nothing more to ask.
    pub(super) fn numbers(&self) -> UidSet {
        self.partly.as_ref().map_or_else(|| self.fetch.there.clone(), |partly| partly.there.union(&self.fetch.there))
    }

    /// What came of the numbers all at once, for the next pass: where they are all that a line lets through, nothing else would ever
    /// come.
    pub(super) fn keep_numbers(&self, partly: &mut Partly) {
        let highest = self.highest();
        if partly.span == 0 && !self.fetch.looked.is_empty() && highest > 0 {
            partly.span = self.shorter_span(partly);
            (partly.looked, partly.there) = (UidSet::range(1, highest), self.fetch.there.clone());
        }
    }

    /// Forgets the numbers that earlier passes brought, if something went since: all that is new was found, so it would show. Whether
    /// they have to be asked for again.
    pub(super) fn numbers_are_wrong(&mut self) -> bool {
        let here = self.known.union(&self.fetch.got).len();
        let old = std::mem::take(&mut self.fetch.old_numbers) && self.fetch.policy.recount;
        let wrong = old && here != u64::from(self.selected.exists);
        if let Some(partly) = self.partly.as_mut().filter(|_| wrong) {
            (partly.looked, partly.there) = (UidSet::new(), UidSet::new());
            (self.fetch.looked, self.fetch.there, self.fetch.compared) = (UidSet::new(), UidSet::new(), false);
        }
        wrong
    }

    fn next_span(&self) -> Option<(u32, u32)> {
        let Some(partly) = self.partly.as_ref().filter(|partly| partly.span > 0) else {
            return self.fetch.looked.is_empty().then_some((1, u32::MAX));
        };
        let all = UidSet::range(1, u32::MAX);
        let rest = all.difference(&partly.looked).difference(&self.fetch.looked);
        let (low, high) = *rest.ranges().last()?;
        // Nobody knows how far numbers go: the first span has no end, and begins where they probably end.
        let end = if high == u32::MAX { self.likely_end() } else { high };
        Some((end.saturating_sub(partly.span - 1).clamp(low, high), high))
    }

    fn likely_end(&self) -> u32 {
        self.highest().max(self.selected.uidnext.saturating_sub(1))
    }

    /// The highest number that the server is known to have given.
    fn highest(&self) -> u32 {
        // Before a mailbox that was numbered anew is followed, what is known has other numbers.
        let known = Some(&self.known).filter(|_| self.base.uidvalidity == self.selected.uidvalidity);
        let sets = known.into_iter().chain([&self.fetch.got, &self.fetch.there]);
        sets.filter_map(|set| set.bounds().map(|(_, high)| high)).max().unwrap_or(0)
    }

    /// The answer to [`Self::ask_numbers`] is whole.
    pub(super) fn numbers_came(&mut self, from: u32, to: u32) {
        let came = std::mem::take(&mut self.answer.uids);
        self.fetch.there = self.fetch.there.union(&came);
        self.fetch.looked = self.fetch.looked.union(&UidSet::range(from, to));
        let (highest, few) = (self.highest(), u64::from(self.fetch.policy.first_window));
        let Some(partly) = self.partly.as_mut().filter(|partly| partly.span > 0) else { return };
        // What the server may yet give is asked for again.
        if from <= highest {
            partly.looked = partly.looked.union(&UidSet::range(from, to.min(highest)));
        }
        partly.there = partly.there.union(&came);
        self.fetch.spanned |= to < u32::MAX || came.len() >= u64::from(partly.span / 2);
        // Where most numbers are gone, a wider span is as short an answer.
        if to < u32::MAX && came.len() < few {
            partly.span = partly.span.saturating_mul(2);
        }
    }

    /// The line broke over such an answer: the next one is to be shorter.
    pub(super) fn shorter_span(&self, partly: &Partly) -> u32 {
        let span = match partly.span {
            0 => self.likely_end() / 4,
            span if self.fetch.spanned => span,
            span => span / 4,
        };
        // Not even a very bad line breaks over the numbers of one screenful.
        span.max(self.fetch.policy.first_window).max(1)
    }

    /// Those that nobody has yet of what came of the numbers so far.
    pub(super) fn new_numbers(&self) -> UidSet {
        self.fetch.there.difference(&self.known).difference(&self.fetch.got)
    }
}
