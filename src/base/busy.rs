//! busy — counts work in flight, so that "idle" is a fact and not a guess.
//! Owns: `Busy`, `Working`. May import: nothing of ours.
//! Start reading at: `Busy::begin`.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// The count. Every clone is the same one.
#[derive(Clone, Default, Debug)]
pub struct Busy(Arc<(Mutex<u64>, Condvar)>);

/// One piece of work; done when it is dropped.
#[derive(Debug)]
pub struct Working(Busy);

impl Busy {
    /// Counts one piece of work until the guard is dropped.
    #[must_use]
    pub fn begin(&self) -> Working {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Working(self.clone())
    }

    /// Whether nothing is in flight.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) == 0
    }

    /// Waits until nothing is in flight; false if it did not come to that within `limit`.
    #[must_use]
    pub fn wait_idle(&self, limit: Duration) -> bool {
        let guard = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (guard, _) = self.0.1.wait_timeout_while(guard, limit, |n| *n > 0).unwrap_or_else(PoisonError::into_inner);
        *guard == 0
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        let mut count = self.0.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        *count -= 1;
        if *count == 0 {
            self.0.0.1.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_when_the_last_guard_is_gone() {
        let busy = Busy::default();
        let (one, two) = (busy.begin(), busy.begin());
        drop(one);
        assert!(!busy.wait_idle(Duration::from_millis(5)));
        let t = std::thread::spawn(move || drop(two));
        assert!(busy.wait_idle(Duration::from_secs(5)) && busy.is_idle());
        t.join().unwrap();
    }
}
