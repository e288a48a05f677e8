//! inbox — one value that many threads add to and one takes as a whole: an ear that cannot be flooded.
//! Owns: `Inbox`. May import: `waker`.
//! Start reading at: `Inbox::put`. What is put is merged into what lies there, so its size depends on the number of
//! things that changed and not on the number of changes; the descriptor is written only from empty to non-empty.

use super::waker::Waker;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::BorrowedFd;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

struct Shared<T> {
    value: Mutex<T>,
    waker: Waker,
}

/// The one ear of a thread. Every clone is the same one.
pub struct Inbox<T>(Arc<Shared<T>>);

impl<T> Clone for Inbox<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Default> Inbox<T> {
    /// An empty one.
    ///
    /// # Errors
    /// No file descriptors left.
    pub fn new() -> io::Result<Self> {
        Ok(Self(Arc::new(Shared { value: Mutex::new(T::default()), waker: Waker::new()? })))
    }

    /// Lets `merge` add to what lies here, and rings. `merge` must be short: others wait for it.
    pub fn put(&self, merge: impl FnOnce(&mut T)) {
        // A panic inside `merge` leaves a value that is at worst incomplete: news, not data.
        merge(&mut self.0.value.lock().unwrap_or_else(PoisonError::into_inner));
        self.0.waker.ring();
    }

    /// Takes everything, and is quiet until the next `put`.
    #[must_use]
    pub fn take(&self) -> T {
        // Quiet first: what is put in between rings again and at worst wakes the taker for nothing.
        let _ = self.0.waker.take();
        std::mem::take(&mut *self.0.value.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// For a poll set: readable while something lies here.
    #[must_use]
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.0.waker.fd()
    }

    /// Waits until something lies here or `limit` is over, then takes it: for head-less verbs and tests.
    #[must_use]
    pub fn wait(&self, limit: Duration) -> T {
        let end = Instant::now() + limit;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let fd = self.fd();
            let span = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
            let interrupted = matches!(poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&span)), Err(rustix::io::Errno::INTR));
            if !interrupted || left.is_zero() {
                return self.take();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_one_ring_and_nothing_is_lost() {
        let inbox: Inbox<u64> = Inbox::new().unwrap();
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let inbox = inbox.clone();
                std::thread::spawn(move || (0..10_000).for_each(|_| inbox.put(|n| *n += 1)))
            })
            .collect();
        // Whoever had put something before it was taken, and rings after that, wakes for nothing: each of the threads may. A ring
        // that was lost is a silence that lasts.
        let limit = Duration::from_secs(5);
        let (mut sum, mut silent) = (0, false);
        while sum < 40_000 && !silent {
            let begun = Instant::now();
            let got = inbox.wait(limit);
            silent = got == 0 && begun.elapsed() >= limit;
            sum += got;
        }
        threads.into_iter().for_each(|t| t.join().unwrap());
        assert_eq!(sum, 40_000);
        assert_eq!(inbox.wait(Duration::from_millis(5)), 0, "nothing comes twice");
    }
}
