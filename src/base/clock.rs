//! clock — what time it is, as something that a test can set.
//! Owns: `Clock`, `System`, `Manual`. May import: nothing of ours.
//! Start reading at: `Clock`.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Civil time in seconds since 1970: for what is stored and compared across restarts. For waiting use `Instant`.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> i64;
}

/// The system's clock.
#[derive(Clone, Copy, Default, Debug)]
pub struct System;

impl Clock for System {
    fn now(&self) -> i64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs().cast_signed())
    }
}

/// The processor's time that this thread has had: other work on the machine does not count in it.
#[cfg(test)]
pub fn spent() -> std::time::Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    std::time::Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// One of three tries takes less than `bound`; each says how long it took. What is slow each time is not a busy machine.
#[cfg(test)]
pub fn quick(bound: std::time::Duration, mut attempt: impl FnMut() -> std::time::Duration) {
    let mut all = Vec::new();
    while !all.iter().any(|took| *took < bound) {
        assert!(all.len() < 3, "not within {bound:?}: {all:?}");
        all.push(attempt());
    }
}

/// A clock that stands until it is set. Every clone is the same one.
#[derive(Clone, Default, Debug)]
pub struct Manual(Arc<AtomicI64>);

impl Manual {
    /// Standing at `now`.
    #[must_use]
    pub fn at(now: i64) -> Self {
        Self(Arc::new(AtomicI64::new(now)))
    }

    /// Sets it.
    pub fn set(&self, now: i64) {
        self.0.store(now, Ordering::SeqCst);
    }

    /// Moves it on.
    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for Manual {
    fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}
