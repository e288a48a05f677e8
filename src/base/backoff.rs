//! backoff — how long to wait before the next attempt: decorrelated jitter, 1 s to 5 min. Pure.
//! Owns: `Backoff`. May import: nothing of ours.
//! Start reading at: `Backoff::next`. The caller brings the random number and the clock.

use std::time::Duration;

/// The shortest wait.
pub const FIRST: Duration = Duration::from_secs(1);
/// The longest wait.
pub const LONGEST: Duration = Duration::from_secs(300);
/// After being healthy for this long the waits start from [`FIRST`] again.
pub const HEALTHY: Duration = Duration::from_secs(60);

/// A link that lasted this long was of use, on a line that breaks often: the waits are those of ...
pub const USEFUL: Duration = Duration::from_secs(5);
/// ... one that waited this long.
const AGAIN: Duration = Duration::from_secs(3);

/// The state of one account's (or one message's) waiting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Backoff {
    last: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { last: FIRST }
    }
}

impl Backoff {
    /// The next wait: somewhere between [`FIRST`] and three times the last one, never above [`LONGEST`].
    /// `random` is any number, uniformly distributed.
    pub fn next(&mut self, random: u64) -> Duration {
        let low = FIRST.as_millis() as u64;
        let high = (self.last.as_millis() as u64).saturating_mul(3).max(low + 1);
        let wait = low + random % (high - low);
        self.last = Duration::from_millis(wait).min(LONGEST);
        self.last
    }

    /// The link was up for `healthy`: forget the waits if that was long enough. A link that breaks at once
    /// after each login must not be hammered.
    pub fn was_healthy(&mut self, healthy: Duration) {
        if healthy >= HEALTHY {
            self.reset();
        } else if healthy >= USEFUL {
            self.last = self.last.min(AGAIN);
        }
    }

    /// Starts over: the network may be back (resume from suspend, the user asked).
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn stays_in_bounds_and_never_storms(rolls in proptest::collection::vec(any::<u64>(), 1..60)) {
            let mut b = Backoff::default();
            let mut last = FIRST;
            for r in rolls {
                let wait = b.next(r);
                prop_assert!(wait >= FIRST && wait <= LONGEST && wait <= last * 3);
                last = wait;
            }
        }
    }

    #[test]
    fn twenty_connects_in_ten_minutes_at_most() {
        // Security T-19: even with the median roll.
        let (mut b, mut at, mut connects, mut roll) = (Backoff::default(), Duration::ZERO, 0, 1u64);
        while at < Duration::from_secs(600) {
            connects += 1;
            roll = roll.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            at += b.next(roll >> 16);
        }
        assert!(connects <= 20, "{connects}");
    }

    #[test]
    fn health_resets() {
        let mut b = Backoff { last: LONGEST };
        b.was_healthy(Duration::from_secs(4));
        assert!(b.last > AGAIN, "it broke at once");
        b.was_healthy(USEFUL);
        assert!(b.last <= AGAIN && b != Backoff::default());
        b.was_healthy(HEALTHY);
        assert_eq!(b, Backoff::default());
    }
}
