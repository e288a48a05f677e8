//! waker — a file descriptor that one thread rings and another polls.
//! Owns: `Waker`. May import: nothing of ours.
//! Start reading at: `Waker::ring`. It is written only from quiet to rung, so any number of rings cost one byte.

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::pipe::{PipeFlags, pipe_with};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

struct Inner {
    rung: AtomicBool,
    read: OwnedFd,
    write: OwnedFd,
}

/// A bell: cheap to clone, every clone rings the same one.
#[derive(Clone)]
pub struct Waker(Arc<Inner>);

impl Waker {
    /// A quiet one.
    ///
    /// # Errors
    /// No file descriptors left.
    pub fn new() -> io::Result<Self> {
        let (read, write) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        Ok(Self(Arc::new(Inner { rung: AtomicBool::new(false), read, write })))
    }

    /// Makes [`Self::fd`] readable until [`Self::take`]. Never blocks.
    pub fn ring(&self) {
        if !self.0.rung.swap(true, Ordering::SeqCst) {
            // The pipe holds at most one byte, so this can fail only when interrupted: then again.
            while let Err(rustix::io::Errno::INTR) = rustix::io::write(&self.0.write, &[1]) {}
        }
    }

    /// Whether it was rung since the last time; quiet afterwards.
    #[must_use]
    pub fn take(&self) -> bool {
        // Empty the pipe first: a ring in between leaves a byte behind and is seen by the next poll.
        let mut byte = [0u8; 8];
        while let Err(rustix::io::Errno::INTR) = rustix::io::read(&self.0.read, &mut byte) {}
        self.0.rung.swap(false, Ordering::SeqCst)
    }

    /// Whether it is rung now.
    #[must_use]
    pub fn is_rung(&self) -> bool {
        self.0.rung.load(Ordering::SeqCst)
    }

    /// For a poll set: readable while rung.
    #[must_use]
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.0.read.as_fd()
    }
}

impl std::fmt::Debug for Waker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Waker(rung: {})", self.is_rung())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    fn readable(w: &Waker) -> bool {
        let fd = w.fd();
        poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).unwrap() > 0
    }

    #[test]
    fn many_rings_are_one() {
        let w = Waker::new().unwrap();
        assert!(!readable(&w) && !w.take());
        for _ in 0..100_000 {
            w.ring();
        }
        assert!(readable(&w) && w.take() && !readable(&w) && !w.take());
    }

    #[test]
    fn no_ring_is_lost_between_threads() {
        let w = Waker::new().unwrap();
        let other = w.clone();
        let (tx, rx) = std::sync::mpsc::channel();
        let t = std::thread::spawn(move || {
            for n in 0..2_000 {
                tx.send(n).unwrap();
                other.ring();
            }
        });
        let mut seen = 0;
        while seen < 2_000 {
            let fd = w.fd();
            let n = poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&Timespec { tv_sec: 5, tv_nsec: 0 })).unwrap();
            assert!(n > 0, "a ring was lost after {seen}");
            let _ = w.take();
            seen += rx.try_iter().count();
        }
        t.join().unwrap();
    }
}
