//! wire — one TCP or TLS connection whose every wait can be ended.
//! Owns: `Wire`, deadlines, the limit of a line, byte counters.
//! May import: mail, base.
//! Start reading at: `Wire::read_line`. A ring of the waker is honoured only between lines ([`Wire::wait`]), so no
//! half-read line is ever lost; the cancel switch is honoured everywhere and spoils the connection.

use super::deflate::Deflate;
use super::error::{NetError, NetErrorKind, Result, TlsReason};
use super::session::{Endpoint, TlsMode, Traffic};
use super::socket::{Socket, Stream};
use super::{dial, tls, trace};
use crate::base::cancel::Cancel;
use crate::base::gate::Permit;
use crate::base::waker::Waker;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// The longest line, beside literals (decisions 32).
pub const MAX_LINE: usize = 1024 * 1024;
/// How long to wait for useful progress: a whole line or [`USEFUL`] bytes (security S-05).
pub const NO_PROGRESS: Duration = Duration::from_secs(60);
/// What counts as progress inside a line or literal.
const USEFUL: u64 = 4096;
const BUFFER: usize = 32 * 1024;

/// How [`Wire::wait`] ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wait {
    /// There are bytes.
    Ready,
    /// The waker was rung.
    Woken,
    /// The time is over.
    TimedOut,
}

/// One connection.
#[derive(Debug)]
pub struct Wire {
    pub(super) stream: Stream,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    /// Since the last useful progress.
    unuseful: u64,
    limit: Duration,
    /// Said, but not with the system yet.
    pub(super) queued: Vec<u8>,
    pub(super) deflate: Option<Box<Deflate>>,
    broken: Option<NetError>,
    /// When something was said that nothing was heard after yet, and the shortest time that this took.
    asked: Option<Instant>,
    shortest_turn: Duration,
    /// The counters.
    pub traffic: Traffic,
}

impl Wire {
    /// Connects to `endpoint`; with [`TlsMode::Implicit`] the stream is encrypted on return.
    ///
    /// # Errors
    /// `Unreachable`, `Timeout`, `Cancelled`, `Tls`.
    pub fn connect(permit: Permit, endpoint: &Endpoint, waker: &Waker, cancel: &Cancel) -> Result<Self> {
        let tcp = dial::dial(permit, &endpoint.host, endpoint.port, cancel)?;
        let mut wire = Self::over(tcp, waker, cancel);
        if endpoint.tls == TlsMode::Implicit {
            wire.encrypt(endpoint)?;
        }
        Ok(wire)
    }

    /// Over a connected socket.
    pub(super) fn over(tcp: TcpStream, waker: &Waker, cancel: &Cancel) -> Self {
        let deadline = Instant::now() + NO_PROGRESS;
        let socket = Socket::new(tcp, waker, cancel, deadline);
        Self {
            stream: Stream::Plain(socket),
            buffer: vec![0; BUFFER].into_boxed_slice(),
            start: 0,
            end: 0,
            unuseful: 0,
            limit: NO_PROGRESS,
            queued: Vec::new(),
            deflate: None,
            broken: None,
            asked: None,
            shortest_turn: Duration::MAX,
            traffic: Traffic::default(),
        }
    }

    /// Whether the stream is encrypted.
    #[must_use]
    pub const fn is_encrypted(&self) -> bool {
        matches!(self.stream, Stream::Tls(_))
    }

    /// Encrypts the stream. Bytes that came before belong to nobody who is proven to be anybody: with any of them
    /// still unread the connection ends (NO STARTTLS, security T-04). What the kernel still holds breaks the handshake.
    ///
    /// # Errors
    /// `Tls`, `Timeout`, `Cancelled`.
    pub fn encrypt(&mut self, endpoint: &Endpoint) -> Result<()> {
        if self.start < self.end {
            return Err(self.fail(NetError::tls(TlsReason::Injected, "")));
        }
        let Stream::Plain(mut socket) = std::mem::replace(&mut self.stream, Stream::Gone) else {
            return Err(self.fail(NetError::protocol("encrypted twice")));
        };
        socket.deadline = Instant::now() + dial::CONNECT;
        let (end, cancel, over) = (socket.deadline, socket.cancel.clone(), Arc::clone(&socket.over));
        match tls::handshake(endpoint, socket) {
            Ok(tls) => {
                self.stream = Stream::Tls(Box::new(tls));
                Ok(())
            }
            // OpenSSL wraps what the socket said: ask the causes themselves.
            Err(_) if cancel.is_set() => Err(self.fail(NetError::cancelled())),
            Err(_) if Instant::now() >= end => Err(self.fail(NetError::new(NetErrorKind::Timeout, "no TLS handshake"))),
            // A server that goes away is not one that cannot be trusted: it is tried again.
            Err(_) if over.load(Ordering::Relaxed) => {
                let kind = NetErrorKind::Io(io::ErrorKind::UnexpectedEof);
                Err(self.fail(NetError::new(kind, "closed during the TLS handshake")))
            }
            Err(e) => Err(self.fail(e)),
        }
    }

    /// How long to wait without useful progress from now on; [`NO_PROGRESS`] if never called.
    pub const fn set_limit(&mut self, limit: Duration) {
        self.limit = limit;
    }

    /// Lets waits go on for so long after the cancel switch was thrown: for an answer whose lack would be worse than a
    /// short delay.
    pub fn set_grace(&mut self, grace: Duration) {
        if let Some(socket) = self.stream.socket() {
            socket.grace = grace;
        }
    }

    /// The fault that ended the connection.
    #[must_use]
    pub const fn broken(&self) -> Option<&NetError> {
        self.broken.as_ref()
    }

    /// Ends the connection for `error`, which is given back; the first one stays.
    pub fn fail(&mut self, error: NetError) -> NetError {
        self.broken.get_or_insert(error).clone()
    }

    fn useful(&mut self) {
        self.unuseful = 0;
        let deadline = Instant::now() + self.limit;
        if let Some(socket) = self.stream.socket() {
            socket.deadline = deadline;
        }
    }

    /// From now on both sides compress. What came already belongs to the compressed stream.
    pub fn compress(&mut self) {
        let ahead = self.buffer.get(self.start..self.end).unwrap_or_default();
        self.deflate = Some(Box::new(Deflate::new(ahead)));
        (self.start, self.end) = (0, 0);
    }

    /// Whether both sides compress.
    #[must_use]
    pub const fn is_compressed(&self) -> bool {
        self.deflate.is_some()
    }

    /// Reads more into the empty buffer, after all that was said has gone out. False if an armed read was ended.
    fn fill(&mut self) -> Result<bool> {
        self.flush()?;
        loop {
            if let Some(e) = &self.broken {
                return Err(e.clone());
            }
            if let Some(deflate) = &mut self.deflate {
                match deflate.inflate(&mut self.buffer) {
                    Ok(0) => {}
                    Ok(n) => {
                        (self.start, self.end) = (0, n);
                        return Ok(true);
                    }
                    Err(e) => return Err(self.fail(e)),
                }
            }
            let room = match &mut self.deflate {
                Some(deflate) => deflate.room(),
                None => &mut self.buffer[..],
            };
            let got = match &mut self.stream {
                Stream::Plain(s) => s.read(room),
                Stream::Tls(s) => s.read(room),
                Stream::Gone => Ok(0),
            };
            match got {
                Ok(0) => {
                    return Err(self.fail(NetError::new(NetErrorKind::Io(io::ErrorKind::UnexpectedEof), "closed by the server")));
                }
                Ok(n) => {
                    if let Some(asked) = self.asked.take() {
                        self.shortest_turn = self.shortest_turn.min(asked.elapsed());
                    }
                    self.traffic.received += n as u64;
                    self.unuseful += n as u64;
                    if self.unuseful >= USEFUL {
                        self.useful();
                    }
                    match &mut self.deflate {
                        Some(deflate) => deflate.filled(n),
                        None => {
                            (self.start, self.end) = (0, n);
                            return Ok(true);
                        }
                    }
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(e) => return Err(self.stopped(e)),
            }
        }
    }

    /// The own cause of an I/O error, which TLS may have wrapped.
    fn stopped(&mut self, e: io::Error) -> NetError {
        let cancelled = self.stream.socket().is_some_and(|s| s.cancel.is_set());
        let judged = matches!(self.stream, Stream::Tls(_)).then(|| tls::judged(&e)).flatten();
        let error = if cancelled { NetError::cancelled() } else { judged.unwrap_or_else(|| e.into()) };
        self.fail(error)
    }

    /// Waits for bytes, at most `limit`; also ended by the waker. Only between lines.
    ///
    /// # Errors
    /// A broken connection.
    pub fn wait(&mut self, limit: Duration) -> Result<Wait> {
        if self.start < self.end {
            return Ok(Wait::Ready);
        }
        if let Some(s) = self.stream.socket() {
            (s.armed, s.deadline) = (true, Instant::now() + limit);
        }
        let filled = self.fill();
        let mut rung = false;
        if let Some(s) = self.stream.socket() {
            s.armed = false;
            rung = s.waker.is_rung() && s.waker.take();
        }
        self.useful();
        Ok(match (filled?, rung) {
            (true, rung) => {
                if rung && let Some(s) = self.stream.socket() {
                    // The bytes come first; the ring is for the next wait.
                    s.waker.ring();
                }
                Wait::Ready
            }
            (false, true) => Wait::Woken,
            (false, false) => Wait::TimedOut,
        })
    }

    /// The shortest time between what was said and what came next: about how far away the server is. The longest possible one
    /// before the first turn.
    #[must_use]
    pub const fn shortest_turn(&self) -> Duration {
        self.shortest_turn
    }

    /// Whether bytes came that nobody has read yet, as far as they are in the buffer.
    #[must_use]
    pub const fn has_unread(&self) -> bool {
        self.start < self.end
    }

    /// Begins to wait for an answer: the clock starts anew.
    pub fn begin(&mut self) {
        self.useful();
    }

    /// Appends one line with its LF to `line`; the line in `line` counts against [`MAX_LINE`] from `from` on.
    ///
    /// # Errors
    /// `Limit`, or a broken connection.
    pub fn read_line(&mut self, line: &mut Vec<u8>, from: usize) -> Result<()> {
        loop {
            let ready = self.buffer.get(self.start..self.end).unwrap_or_default();
            let found = memchr::memchr(b'\n', ready);
            let take = found.map_or(ready.len(), |n| n + 1);
            if line.len() + take - from > MAX_LINE {
                return Err(self.fail(NetError::limit("a line is too long")));
            }
            line.extend_from_slice(ready.get(..take).unwrap_or_default());
            self.start += take;
            if found.is_some() {
                self.useful();
                trace::heard(line.get(from..).unwrap_or_default());
                return Ok(());
            }
            if !self.fill()? {
                return Err(self.fail(NetError::protocol("interrupted inside a line")));
            }
        }
    }

    /// Passes the next `count` bytes to `sink` in pieces.
    ///
    /// # Errors
    /// What `sink` says, or a broken connection. In both cases the connection is at an unknown place and ended.
    pub fn read_exactly(&mut self, count: u64, sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut left = count;
        while left > 0 {
            let ready = self.buffer.get(self.start..self.end).unwrap_or_default();
            if ready.is_empty() {
                if !self.fill()? {
                    return Err(self.fail(NetError::protocol("interrupted inside a literal")));
                }
                continue;
            }
            let take = ready.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let result = sink(ready.get(..take).unwrap_or_default());
            self.start += take;
            left -= take as u64;
            if let Err(e) = result {
                return Err(self.fail(e));
            }
        }
        trace::octets(count);
        Ok(())
    }

    /// Says `bytes`; they go out with the next [`Self::flush`] or before the next read, together with what is said until then.
    ///
    /// # Errors
    /// A broken connection.
    pub fn queue(&mut self, bytes: &[u8]) -> Result<()> {
        if let Some(e) = &self.broken {
            return Err(e.clone());
        }
        trace::said(bytes);
        let packed = match &mut self.deflate {
            Some(deflate) => deflate.deflate(bytes, &mut self.queued),
            None => {
                self.queued.extend_from_slice(bytes);
                Ok(())
            }
        };
        packed.map_err(|e| self.fail(e))?;
        if self.queued.len() >= BUFFER { self.write_out() } else { Ok(()) }
    }

    /// Sends all of `bytes`, and all that was said before.
    ///
    /// # Errors
    /// A broken connection.
    pub fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.queue(bytes)?;
        self.flush()
    }

    /// Sends all that was said.
    ///
    /// # Errors
    /// A broken connection.
    pub fn flush(&mut self) -> Result<()> {
        if let Some(deflate) = &mut self.deflate {
            deflate.flush(&mut self.queued).map_err(|e| self.broken.get_or_insert(e).clone())?;
        }
        if self.queued.is_empty() { Ok(()) } else { self.write_out() }
    }

    /// A write that is not finished cannot be taken up again, so every error ends the connection.
    pub(super) fn write_out(&mut self) -> Result<()> {
        let bytes = std::mem::take(&mut self.queued);
        for piece in bytes.chunks(BUFFER) {
            if let Some(e) = &self.broken {
                return Err(e.clone());
            }
            self.useful();
            let result = match &mut self.stream {
                Stream::Plain(s) => s.write_all(piece),
                Stream::Tls(s) => s.write_all(piece).and_then(|()| s.flush()).map_err(|e| tls::last_words(s, e)),
                Stream::Gone => Err(io::ErrorKind::NotConnected.into()),
            };
            result.map_err(|e| self.stopped(e))?;
            self.traffic.sent += piece.len() as u64;
        }
        self.asked = Some(Instant::now());
        Ok(())
    }
}
