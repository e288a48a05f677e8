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
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How much is read ahead of TLS.
const AHEAD: usize = 32 * 1024;
/// An answer is long from so many octets on ...
const LONG: usize = 128 * 1024;
/// ... and piles up for so long.
const PILE: Duration = Duration::from_millis(2);

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
    /// So many octets came since something was said: where an answer is [`LONG`] and nothing more is there yet, some of it is let
    /// come before it is read.
    heard: usize,
    ahead: Ahead,
}

/// What was read ahead of TLS, which asks for five octets and then for those behind them.
#[derive(Debug, Default)]
struct Ahead {
    room: Box<[u8]>,
    /// What of it was not asked for yet.
    unread: Range<usize>,
}

impl Socket {
    /// Over a connected socket, which does not block.
    pub(super) fn new(tcp: TcpStream, waker: &Waker, cancel: &Cancel, deadline: Instant) -> Self {
        let (cancel, waker) = (cancel.clone(), waker.clone());
        let (grace, thrown, over) = (Duration::ZERO, None, Arc::default());
        Self { tcp, cancel, waker, armed: false, deadline, grace, thrown, over, heard: 0, ahead: Ahead::default() }
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

    /// Reads until there is something, the end among it.
    fn receive(&mut self, mut read: impl FnMut(&TcpStream, &mut [u8]) -> io::Result<usize>) -> io::Result<usize> {
        loop {
            self.grace()?;
            match read(&self.tcp, &mut self.ahead.room) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    if self.heard >= LONG {
                        self.pile()?;
                    }
                    self.ready(PollFlags::IN)?;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Ok(n) if n > 0 => {
                    self.heard = self.heard.saturating_add(n);
                    return Ok(n);
                }
                other => {
                    self.over.store(true, Ordering::Relaxed);
                    return other;
                }
            }
        }
    }

    /// Waits for [`PILE`], or until the cancel switch is thrown: to be woken for each piece costs both sides more than to read it.
    fn pile(&self) -> io::Result<()> {
        let stop = self.cancel.fd();
        let limit = Timespec { tv_sec: 0, tv_nsec: PILE.subsec_nanos().into() };
        match poll(&mut [PollFd::new(&stop, PollFlags::IN)], Some(&limit)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(e) => Err(e.into()),
        }
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
        if buf.is_empty() {
            return Ok(0);
        }
        if self.ahead.unread.is_empty() {
            if buf.len() >= AHEAD {
                return self.receive(|mut tcp, _| tcp.read(buf));
            }
            if self.ahead.room.is_empty() {
                self.ahead.room = vec![0; AHEAD].into_boxed_slice();
            }
            self.ahead.unread = 0..self.receive(|mut tcp, room| tcp.read(room))?;
        }
        let Ahead { room, unread } = &mut self.ahead;
        let there = room.get(unread.clone()).unwrap_or_default();
        let n = there.len().min(buf.len());
        buf.iter_mut().zip(there).for_each(|(to, from)| *to = *from);
        unread.start += n;
        Ok(n)
    }
}

impl Write for Socket {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.heard = 0;
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
