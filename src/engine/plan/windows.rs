//! windows — what is still to be fetched, and how much of it at a time.
//! Owns: `Fetch`, `window`.
//! May import: mail.
//! Start reading at: `Fetch::grow`.

use super::base::Policy;
use crate::mail::uid::{ModSeq, UidSet};

/// The most intervals in one set for the wire: servers limit a command to 8 kB (RFC 7162, 4) or more.
pub(super) const MAX_RANGES: usize = 300;

/// One window is at most so many times as large as the one before it.
const LEAP: u32 = 8;

/// A window may take so many milliseconds where turns are long: others wait for its end.
const SLOW_MS: u32 = 1_000;

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

    /// A window took so long. The next one is twice as large if that was quick, or more if all of that would still be quick (decisions
    /// 10 doubles): between two windows the server waits until what lies on the line is read. Twice as large also if it was not quick,
    /// on a line whose turns are long, while larger windows bring clearly more in the same time. One that took very long is halved:
    /// others wait for it.
    pub(super) fn grow(&mut self, ms: u32) {
        let (window, before) = (u64::from(self.window), self.pace.replace((self.window, ms)));
        // A quarter more messages in the same time.
        let gains = before.is_none_or(|(count, took)| window * u64::from(took) * 4 > u64::from(count) * u64::from(ms) * 5);
        if ms < self.policy.quick_ms || (ms < SLOW_MS && gains) {
            let times = (self.policy.quick_ms / ms.max(1)).clamp(2, LEAP);
            self.window = self.window.saturating_mul(times).min(self.policy.max_window.max(1));
        } else if ms > 2 * SLOW_MS {
            self.window = (self.window / 2).max(self.policy.first_window.max(1)).min(self.window);
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
