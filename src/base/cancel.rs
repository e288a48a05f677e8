//! cancel — one switch that stops work which waits on a descriptor.
//! Owns: `Cancel`. May import: `waker`.
//! Start reading at: `Cancel::ring`. Unlike a waker it stays rung: whoever looks later is stopped too.

use super::waker::Waker;
use rustix::fd::BorrowedFd;
use std::io;

/// A switch that is thrown once. Every clone is the same switch.
#[derive(Clone, Debug)]
pub struct Cancel(Waker);

impl Cancel {
    /// One that is not thrown.
    ///
    /// # Errors
    /// No file descriptors left.
    pub fn new() -> io::Result<Self> {
        Ok(Self(Waker::new()?))
    }

    /// Stops all that wait on [`Self::fd`] and all that ask [`Self::is_set`]. Never blocks.
    pub fn ring(&self) {
        self.0.ring();
    }

    /// Whether it was thrown.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.is_rung()
    }

    /// For a poll set: readable for ever once thrown.
    #[must_use]
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.0.fd()
    }
}
