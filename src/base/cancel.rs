//! cancel — one switch that stops work which waits on a descriptor.
//! Owns: `Cancel`. May import: `waker`.
//! Start reading at: `Cancel::ring`. Unlike a waker it stays rung: whoever looks later is stopped too. A switch may have
//! branches: throwing it throws them all, throwing a branch stops that one alone.

use super::waker::Waker;
use rustix::fd::BorrowedFd;
use std::io;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// A switch that is thrown once. Every clone is the same switch.
#[derive(Clone)]
pub struct Cancel(Arc<Inner>);

struct Inner {
    bell: Waker,
    branches: Mutex<Vec<Weak<Inner>>>,
}

impl std::fmt::Debug for Cancel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cancel(thrown: {})", self.is_set())
    }
}

impl Cancel {
    /// One that is not thrown.
    ///
    /// # Errors
    /// No file descriptors left.
    pub fn new() -> io::Result<Self> {
        Ok(Self(Arc::new(Inner { bell: Waker::new()?, branches: Mutex::default() })))
    }

    /// A switch of its own that is also thrown with this one.
    ///
    /// # Errors
    /// No file descriptors left.
    pub fn branch(&self) -> io::Result<Self> {
        let new = Self::new()?;
        let mut branches = self.0.branches.lock().unwrap_or_else(PoisonError::into_inner);
        branches.retain(|branch| branch.strong_count() > 0);
        branches.push(Arc::downgrade(&new.0));
        drop(branches);
        // Thrown meanwhile: whoever threw it may not have seen the new branch.
        if self.is_set() {
            new.ring();
        }
        Ok(new)
    }

    /// Stops all that wait on [`Self::fd`] and all that ask [`Self::is_set`], here and on all branches. Never blocks.
    pub fn ring(&self) {
        self.0.bell.ring();
        let branches = self.0.branches.lock().unwrap_or_else(PoisonError::into_inner);
        branches.iter().filter_map(Weak::upgrade).for_each(|branch| Self(branch).ring());
    }

    /// Whether it was thrown.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.bell.is_rung()
    }

    /// For a poll set: readable for ever once thrown.
    #[must_use]
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.0.bell.fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_throws_its_branches_and_a_branch_only_itself() {
        let main = Cancel::new().unwrap();
        let (one, two) = (main.branch().unwrap(), main.branch().unwrap());
        let twig = two.branch().unwrap();
        one.ring();
        assert!(one.is_set() && !main.is_set() && !two.is_set());
        main.ring();
        assert!(two.is_set() && twig.is_set());
        assert!(main.branch().unwrap().is_set(), "thrown before it grew");
    }
}
