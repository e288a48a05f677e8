//! watch — learning of changes in one maildir without looking (inotify).
//! Owns: `Watch`.
//! May import: base.
//! Start reading at: `Watch::wait`. It is made before the maildir is read, so that no change falls between.

use super::maildir::Maildir;
use crate::base::cancel::Cancel;
use crate::base::waker::Waker;
use crate::net::error::{NetError, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use std::io;
use std::time::{Duration, Instant};

/// How a wait ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// Something was added, removed or renamed.
    Stirred,
    /// The waker was rung.
    Woken,
    /// The time is over.
    TimedOut,
}

/// Watches `cur` and `new` of one maildir.
#[derive(Debug)]
pub struct Watch(OwnedFd);

impl Watch {
    /// # Errors
    /// No inotify here, or too many watches.
    pub fn new(maildir: &Maildir) -> io::Result<Self> {
        let fd = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let what = WatchFlags::CREATE | WatchFlags::DELETE | WatchFlags::MOVED_FROM | WatchFlags::MOVED_TO;
        for sub in ["cur", "new"] {
            inotify::add_watch(&fd, maildir.dir().join(sub), what | WatchFlags::ONLYDIR)?;
        }
        Ok(Self(fd))
    }

    /// Whether anything stirred since the last time. What it was does not matter: the folder is read again.
    pub fn take(&self) -> bool {
        let mut buffer = [0u8; 4096];
        let mut any = false;
        loop {
            match rustix::io::read(&self.0, &mut buffer) {
                Ok(0) => return any,
                Ok(_) => any = true,
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => return any,
                // Blind: then better look once too often.
                Err(_) => return true,
            }
        }
    }
}

/// Waits until something stirs in what is watched (if anything is), or the waker is rung, or `limit` is over.
///
/// # Errors
/// `Cancelled`.
pub fn wait(watch: Option<&Watch>, waker: &Waker, cancel: &Cancel, limit: Duration) -> Result<Event> {
    let end = Instant::now() + limit;
    loop {
        if cancel.is_set() {
            return Err(NetError::cancelled());
        }
        if watch.is_some_and(Watch::take) {
            return Ok(Event::Stirred);
        }
        if waker.take() {
            return Ok(Event::Woken);
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(Event::TimedOut);
        }
        let (stop, wake) = (cancel.fd(), waker.fd());
        let mut fds = vec![PollFd::new(&stop, PollFlags::IN), PollFd::new(&wake, PollFlags::IN)];
        fds.extend(watch.map(|w| PollFd::new(&w.0, PollFlags::IN)));
        let time = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
        match poll(&mut fds, Some(&time)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(io::Error::from(e).into()),
        }
    }
}
