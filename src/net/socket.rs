//! socket — a TCP socket whose waits end by a deadline, the cancel switch, and, where it is armed, the waker.
//! Owns: `Socket`, `Stream`: it alone, or below TLS.
//! May import: base.
//! Start reading at: `Socket::ready`. It is what TLS reads from and writes to.

use super::error::NetError;
use crate::base::cancel::Cancel;
use crate::base::waker::Waker;
use native_tls::TlsStream;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What is read from and written to.
#[derive(Debug)]
pub(super) enum Stream {
    Plain(Socket),
    Tls(Box<TlsStream<Socket>>),
    /// Lost while it changed from one to the other.
    Gone,
}

impl Stream {
    pub(super) fn socket(&mut self) -> Option<&mut Socket> {
        match self {
            Self::Plain(s) => Some(s),
            Self::Tls(s) => Some(s.get_mut()),
            Self::Gone => None,
        }
    }
}

/// The socket below TLS: non-blocking, waiting by poll.
#[derive(Debug)]
pub(super) struct Socket {
    tcp: TcpStream,
    pub(super) cancel: Cancel,
    pub(super) waker: Waker,
    /// Whether the waker and the deadline end a read by `WouldBlock`.
    pub(super) armed: bool,
    pub(super) deadline: Instant,
    /// How long a wait goes on after the cancel switch was thrown.
    pub(super) grace: Duration,
    /// When that was seen.
    thrown: Option<Instant>,
    /// Whether the peer closed or reset the line: what a layer above makes of that is not the cause.
    pub(super) over: Arc<AtomicBool>,
}

impl Socket {
    /// Over a connected socket, which does not block.
    pub(super) fn new(tcp: TcpStream, waker: &Waker, cancel: &Cancel, deadline: Instant) -> Self {
        let (cancel, waker) = (cancel.clone(), waker.clone());
        Self { tcp, cancel, waker, armed: false, deadline, grace: Duration::ZERO, thrown: None, over: Arc::default() }
    }

    /// As [`super::dial::keep_alive`].
    #[cfg(test)]
    pub(super) fn keep_alive(&self, silent: Duration, again: Duration, asked: u32) -> io::Result<()> {
        super::dial::keep_alive(&self.tcp, silent, again, asked)
    }

    /// How much of its grace is left, if the switch was thrown.
    fn grace(&mut self) -> io::Result<Option<Duration>> {
        if !self.cancel.is_set() {
            return Ok(None);
        }
        let end = *self.thrown.get_or_insert_with(Instant::now) + self.grace;
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(NetError::cancelled().into()) } else { Ok(Some(left)) }
    }

    fn ready(&mut self, flags: PollFlags) -> io::Result<()> {
        loop {
            let grace = self.grace()?;
            let soft = self.armed && flags == PollFlags::IN;
            if soft && self.waker.is_rung() {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let left = self.deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let kind = if soft { io::ErrorKind::WouldBlock } else { io::ErrorKind::TimedOut };
                return Err(kind.into());
            }
            let left = left.min(grace.unwrap_or(left));
            let (stop, wake) = (self.cancel.fd(), self.waker.fd());
            let mut fds = vec![PollFd::new(&self.tcp, flags)];
            if grace.is_none() {
                fds.push(PollFd::new(&stop, PollFlags::IN));
            }
            if soft {
                fds.push(PollFd::new(&wake, PollFlags::IN));
            }
            let limit = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
            match poll(&mut fds, Some(&limit)) {
                Ok(_) if fds.first().is_some_and(|f| !f.revents().is_empty()) => return Ok(()),
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(e) => return Err(e.into()),
            }
        }
    }
}

impl Read for Socket {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            self.grace()?;
            match self.tcp.read(buf) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => self.ready(PollFlags::IN)?,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Ok(n) if n > 0 || buf.is_empty() => return Ok(n),
                other => {
                    self.over.store(true, Ordering::Relaxed);
                    return other;
                }
            }
        }
    }
}

impl Write for Socket {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        loop {
            match self.tcp.write(buf) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => self.ready(PollFlags::OUT)?,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => {
                    self.over.store(true, Ordering::Relaxed);
                    return Err(e);
                }
                done => return done,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
