//! op — the life of an operation as one table (architecture 3.10, decisions 5).
//! Owns: `may_become`, `recovered`, `retried`, `backoff`.
//! May import: mail.
//! Start reading at: `may_become`.

use crate::mail::intent::{OpState, Operation};

use OpState::{Copied, Copying, Flagged, Hidden, InFlight, Moot, Parked, Queued, Settled, Uncertain, Withdrawn};

/// Every legal step of an operation's life. A state may also stay: then only other fields change.
const LEGAL: [(OpState, &[OpState]); 11] = [
    (Queued, &[InFlight, Copying, Settled, Moot, Withdrawn, Parked]),
    // Refused: queued again or parked. An expunge goes on to `Flagged`.
    (InFlight, &[Uncertain, Queued, Flagged, Settled, Moot, Parked]),
    (Uncertain, &[Queued, InFlight, Copied, Settled, Moot, Parked]),
    (Copying, &[Uncertain, Queued, Copied, Settled, Moot, Parked]),
    // Never back: the copy exists, another one would be a second.
    (Copied, &[Flagged, Settled, Parked]),
    (Flagged, &[Hidden, Settled, Moot, Parked]),
    (Hidden, &[Settled, Moot, Parked]),
    // The person's choice; see `retried` for which.
    (Parked, &[Queued, Uncertain, Withdrawn]),
    (Settled, &[]),
    (Moot, &[]),
    (Withdrawn, &[]),
];

/// Whether an operation in state `from` may get state `to`.
#[must_use]
pub fn may_become(from: OpState, to: OpState) -> bool {
    from == to || LEGAL.iter().any(|(f, to_all)| *f == from && to_all.contains(&to))
}

/// The state at a start, after the program ended in `state` in whatever way.
#[must_use]
pub const fn recovered(state: OpState) -> OpState {
    match state {
        InFlight => Uncertain,
        other => other,
    }
}

/// The state of a parked operation when the person wants it tried again. One that may have reached the
/// server has to be probed first: else a copy could be made twice.
#[must_use]
pub const fn retried(op: &Operation) -> OpState {
    if op.mark.is_some() { Uncertain } else { Queued }
}

/// Whether the person can still take it back without telling the server anything.
#[must_use]
pub const fn can_withdraw(state: OpState) -> bool {
    matches!(state, Queued | Parked)
}

/// How long an operation waits after its `attempts`-th refusal, in seconds: 15 s, doubling up to an hour.
#[must_use]
pub fn backoff(attempts: u32) -> i64 {
    15_i64.saturating_mul(1 << attempts.saturating_sub(1).min(10)).min(3_600)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [OpState; 11] = [Queued, InFlight, Uncertain, Copying, Copied, Flagged, Hidden, Settled, Moot, Withdrawn, Parked];

    #[test]
    fn every_state_has_its_row_and_ends_are_ends() {
        for state in ALL {
            assert_eq!(LEGAL.iter().filter(|(f, _)| *f == state).count(), 1);
            let ways = ALL.iter().filter(|to| **to != state && may_become(state, **to)).count();
            assert_eq!(ways == 0, matches!(state, Settled | Moot | Withdrawn), "{state:?}");
            assert!(may_become(state, recovered(state)));
        }
    }

    #[test]
    fn what_was_copied_is_never_copied_again_or_taken_back() {
        for (from, to) in [(Copied, Queued), (Copied, Copying), (Flagged, Queued), (InFlight, Withdrawn), (Settled, Queued)] {
            assert!(!may_become(from, to), "{from:?} -> {to:?}");
        }
    }

    #[test]
    fn waits_grow_and_end() {
        assert_eq!([1, 2, 3, 30].map(backoff), [15, 30, 60, 3_600]);
    }
}
