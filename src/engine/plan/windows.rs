//! windows — what is still to be fetched, and how much of it at a time.
//! Owns: `Fetch`, `window`.
//! May import: mail.
//! Start reading at: `Fetch::grow_from`. Between two windows a server waits: the next one is asked for before this one has ended.

use super::base::Policy;
use crate::mail::uid::{ModSeq, Uid, UidSet};
use std::collections::VecDeque;

/// The most intervals in one set for the wire: servers limit a command to 8 kB (RFC 7162, 4) or more.
pub(super) const MAX_RANGES: usize = 300;

/// One window is at most so many times as large as the one before it.
const LEAP: u32 = 8;

/// The next window is asked for when this part of the one before it has come.
const NEAR: (u64, u64) = (3, 4);

/// A window may take so many milliseconds where turns are long: others wait for its end.
const SLOW_MS: u32 = 1_000;

/// A window of envelopes that is under way.
#[derive(Debug)]
struct Asked {
    uids: UidSet,
    /// How many messages it is to bring, and has brought.
    wanted: u64,
    came: u64,
    /// The size of windows when it was asked for.
    size: u32,
}

/// What is still to be fetched.
#[derive(Debug)]
pub(super) struct Fetch {
    /// Whose flags.
    pub(super) flags: UidSet,
    /// Only if they changed since then.
    pub(super) since: Option<ModSeq>,
    /// Whose envelopes.
    pub(super) envelopes: UidSet,
    /// Whose fingerprints.
    pub(super) prints: UidSet,
    /// Windows of them that are under way, at most two.
    asked: VecDeque<Asked>,
    /// Messages that came since one of these ended.
    came: u64,
    /// What came.
    pub(super) got: UidSet,
    /// Messages that were known, whose flags came.
    pub(super) told: UidSet,
    /// Messages in the next window.
    pub(super) window: u32,
    /// The last window, and how long it took in milliseconds.
    pub(super) pace: Option<(u32, u32)>,
    /// Numbers that were asked for in this pass, and those of them that messages have.
    pub(super) looked: UidSet,
    pub(super) there: UidSet,
    /// Whether some of the numbers came in an earlier pass.
    pub(super) old_numbers: bool,
    /// Whether a span of numbers came whole.
    pub(super) spanned: bool,
    /// Whether the flags of all are needed once their numbers are here.
    pub(super) all_flags: bool,
    /// Whether the set of UIDs was compared in this pass.
    pub(super) compared: bool,
    pub(super) policy: Policy,
}

impl Fetch {
    pub(super) fn new(policy: &Policy) -> Self {
        let none = UidSet::new;
        Self {
            flags: none(),
            since: None,
            envelopes: none(),
            prints: none(),
            asked: VecDeque::new(),
            came: 0,
            got: none(),
            told: none(),
            window: policy.first_window.max(policy.reached_window).max(1),
            pace: None,
            looked: none(),
            there: none(),
            old_numbers: false,
            spanned: false,
            all_flags: false,
            compared: false,
            policy: *policy,
        }
    }

    /// The first window is one of so many; 0 as usual.
    pub(super) fn begin_with(&mut self, window: u32) {
        if window > 0 {
            self.window = self.window.min(window);
        }
    }

    /// Takes the next window out of the envelopes that are wanted.
    pub(super) fn take_envelopes(&mut self, avoid: &UidSet) -> UidSet {
        if self.asked.is_empty() {
            self.came = 0;
        }
        let before = self.envelopes.len();
        let uids = window(&mut self.envelopes, avoid, self.window);
        let wanted = before - self.envelopes.len();
        self.asked.push_back(Asked { uids: uids.clone(), wanted, came: 0, size: self.window });
        uids
    }

    /// Whether the envelope of `uid` is one that a window under way asks for: a server may answer two of them at the same time.
    pub(super) fn is_asked_for(&self, uid: Uid) -> bool {
        self.asked.iter().any(|asked| asked.uids.contains(uid))
    }

    /// A message came that was not here before.
    pub(super) fn envelope_came(&mut self, uid: Uid) {
        self.came += 1;
        if let Some(asked) = self.asked.iter_mut().find(|asked| asked.uids.contains(uid)) {
            asked.came += 1;
        }
    }

    /// The oldest window of envelopes that is under way has ended, so long after the one before it.
    pub(super) fn envelopes_ended(&mut self, ms: u32) {
        let came = std::mem::take(&mut self.came).max(1);
        if let Some(Asked { wanted, size, .. }) = self.asked.pop_front() {
            // Some of it may have come before, or some of the next one with it.
            let ms = u64::from(ms) * wanted / came;
            self.grow_from(size, u32::try_from(ms).unwrap_or(u32::MAX));
        }
    }

    /// Whether a window of envelopes is under way.
    pub(super) fn is_asked(&self) -> bool {
        !self.asked.is_empty()
    }

    /// Whether the window that comes has brought so much that the next one is to be asked for ahead. Not before: whoever wants the
    /// line for something more urgent waits until both have come.
    pub(super) fn is_nearly_here(&self) -> bool {
        match (self.asked.front(), self.asked.len()) {
            (Some(Asked { wanted, came, .. }), 1) => {
                came < wanted && came * NEAR.1 >= wanted * NEAR.0 && !self.envelopes.is_empty()
            }
            _ => false,
        }
    }

    /// The window took so long.
    pub(super) fn grow(&mut self, ms: u32) {
        self.grow_from(self.window, ms);
    }

    /// One of `window` took so long. The next one is twice as large if that was quick, or more if all of that would still be quick
    /// (decisions 10 doubles). Twice as large also if it was not quick, on a line whose turns are long, while larger windows bring
    /// clearly more in the same time. One that took very long is halved: others wait for it.
    fn grow_from(&mut self, window: u32, ms: u32) {
        let (size, before) = (u64::from(window), self.pace.replace((window, ms)));
        // A quarter more messages in the same time.
        let gains = before.is_none_or(|(count, took)| size * u64::from(took) * 4 > u64::from(count) * u64::from(ms) * 5);
        if ms < self.policy.quick_ms || (ms < SLOW_MS && gains) {
            let times = (self.policy.quick_ms / ms.max(1)).clamp(2, LEAP);
            self.window = window.saturating_mul(times).min(self.policy.max_window.max(1)).max(self.window);
        } else if ms > 2 * SLOW_MS {
            self.window = (window / 2).max(self.policy.first_window.max(1)).min(self.window);
        }
    }
}

/// Takes the newest `count` of `wanted` for one command. Gaps in which nothing is in `avoid` are joined, so that the
/// set is short; it has at most [`MAX_RANGES`] intervals.
pub(super) fn window(wanted: &mut UidSet, avoid: &UidSet, count: u32) -> UidSet {
    let mut newest = wanted.take_newest(u64::from(count));
    let whole = newest.bounds().map(|(low, high)| UidSet::range(low, high)).unwrap_or_default();
    if whole.intersection(avoid).is_empty() {
        return whole;
    }
    let extra = newest.ranges().len().saturating_sub(MAX_RANGES);
    if extra > 0 {
        let back = UidSet::from_ranges(newest.ranges().iter().take(extra).copied().collect());
        newest = newest.difference(&back);
        *wanted = wanted.union(&back);
    }
    newest
}
