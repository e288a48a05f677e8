//! dial — from a host name to a connected socket.
//! Owns: name resolution, the order of addresses, keep-alive.
//! May import: base.
//! Start reading at: `dial`. The first address that answers wins; a dead first one costs [`HEAD_START`], not a time-out.

use super::error::{NetError, NetErrorKind, Result};
use crate::base::cancel::Cancel;
use crate::base::gate::Permit;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::{Domain, Protocol, SockAddr, Socket, TcpKeepalive, Type};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long resolving and connecting may take together (security S-33).
pub const CONNECT: Duration = Duration::from_secs(30);
/// How long an address is tried alone before the next one joins in (RFC 8305).
const HEAD_START: Duration = Duration::from_millis(250);
/// How long a line is silent before the other end is asked whether it is there (decisions 13).
const SILENT: Duration = Duration::from_secs(120);
/// How long an answer is waited for before it is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(30);
/// How often it is asked.
const ASKED: u32 = 4;
/// The most addresses tried.
const MAX_ADDRESSES: usize = 8;

/// A connected socket, non-blocking, with keep-alive: a dead line is found within five minutes.
///
/// # Errors
/// `Unreachable`, `Timeout`, `Cancelled`.
#[expect(clippy::needless_pass_by_value, reason = "a permit is for one connection")]
pub fn dial(permit: Permit, host: &str, port: u16, cancel: &Cancel) -> Result<TcpStream> {
    let _ = permit.reason();
    let end = Instant::now() + CONNECT;
    let addresses = interleave(resolve(host, port, cancel, end)?);
    let stream = race(&addresses, cancel, end)?;
    keep_alive(&stream, SILENT, ASK_AGAIN, ASKED)?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// The addresses of a host, in the order in which they are tried.
///
/// # Errors
/// As [`dial`].
#[expect(clippy::needless_pass_by_value, reason = "a permit is for one question")]
pub fn addresses(permit: Permit, host: &str, cancel: &Cancel) -> Result<Vec<IpAddr>> {
    let _ = permit.reason();
    let found = resolve(host, 0, cancel, Instant::now() + CONNECT)?;
    Ok(interleave(found).into_iter().map(|address| address.ip()).collect())
}

/// Has the system ask the other end after `silent`, and every `again`; after `asked` questions without an answer the line is
/// dead. This wakes nobody while it lives.
pub(super) fn keep_alive(stream: &TcpStream, silent: Duration, again: Duration, asked: u32) -> std::io::Result<()> {
    let keepalive = TcpKeepalive::new().with_time(silent).with_interval(again).with_retries(asked);
    socket2::SockRef::from(stream).set_tcp_keepalive(&keepalive)
}

/// The system's resolver blocks without a time limit, so it runs on a thread of its own that may outlive the call.
fn resolve(host: &str, port: u16, cancel: &Cancel, end: Instant) -> Result<Vec<SocketAddr>> {
    if let Ok(ip) = host.trim_matches(['[', ']']).parse() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    let (send, receive) = mpsc::channel();
    let bell = crate::base::waker::Waker::new()?;
    let (name, ring) = (host.to_owned(), bell.clone());
    std::thread::Builder::new().name("resolve".to_owned()).spawn(move || {
        let _ = send.send((name.as_str(), port).to_socket_addrs().map(Iterator::collect::<Vec<_>>));
        ring.ring();
    })?;
    loop {
        let (stop, done) = (cancel.fd(), bell.fd());
        wait(&mut [PollFd::new(&stop, PollFlags::IN), PollFd::new(&done, PollFlags::IN)], end, cancel)?;
        match receive.try_recv() {
            Ok(Ok(found)) if !found.is_empty() => return Ok(found),
            Ok(Ok(_)) => return Err(NetError::new(NetErrorKind::Unreachable, "the name has no address")),
            Ok(Err(e)) => return Err(NetError::new(NetErrorKind::Unreachable, &e.to_string())),
            Err(mpsc::TryRecvError::Disconnected) => return Err(NetError::new(NetErrorKind::Unreachable, "the resolver failed")),
            Err(mpsc::TryRecvError::Empty) if Instant::now() >= end => {
                return Err(NetError::new(NetErrorKind::Timeout, "the name could not be resolved in time"));
            }
            Err(mpsc::TryRecvError::Empty) => {}
        }
    }
}

/// Families in turn, beginning with the one that the system prefers.
fn interleave(all: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = all.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = all.into_iter().partition(|a| a.is_ipv6() == first_is_v6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut out = Vec::new();
    loop {
        let (a, b) = (first.next(), second.next());
        if a.is_none() && b.is_none() {
            break;
        }
        out.extend(a.into_iter().chain(b));
    }
    out.truncate(MAX_ADDRESSES);
    out
}

/// Connects to all addresses, each [`HEAD_START`] after the one before or at once when that failed.
fn race(addresses: &[SocketAddr], cancel: &Cancel, end: Instant) -> Result<TcpStream> {
    let mut running: Vec<Socket> = Vec::new();
    let mut waiting = addresses.iter();
    let mut last = NetError::new(NetErrorKind::Unreachable, "the name has no address");
    let mut next_start = Instant::now();
    loop {
        if Instant::now() >= next_start || running.is_empty() {
            match waiting.next() {
                Some(address) => match start(address) {
                    Ok(socket) => {
                        running.push(socket);
                        next_start = Instant::now() + HEAD_START;
                    }
                    Err(e) => {
                        last = NetError::new(NetErrorKind::Unreachable, &e.to_string());
                        continue;
                    }
                },
                None if running.is_empty() => return Err(last),
                None => next_start = end,
            }
        }
        let stop = cancel.fd();
        let mut fds = vec![PollFd::new(&stop, PollFlags::IN)];
        fds.extend(running.iter().map(|s| PollFd::new(s, PollFlags::OUT)));
        wait(&mut fds, next_start.min(end), cancel)?;
        let ready: Vec<bool> = fds.iter().skip(1).map(|f| !f.revents().is_empty()).collect();
        drop(fds);
        let mut pending = Vec::new();
        for (socket, ready) in running.into_iter().zip(ready) {
            if !ready {
                pending.push(socket);
                continue;
            }
            match socket.take_error()? {
                None => return Ok(socket.into()),
                Some(e) => {
                    last = NetError::new(NetErrorKind::Unreachable, &e.to_string());
                    next_start = Instant::now();
                }
            }
        }
        running = pending;
        if Instant::now() >= end {
            return Err(NetError::new(NetErrorKind::Timeout, "no answer"));
        }
    }
}

fn start(address: &SocketAddr) -> std::io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(*address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    match socket.connect(&SockAddr::from(*address)) {
        Ok(()) => Ok(socket),
        Err(e) if e.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => Ok(socket),
        Err(e) => Err(e),
    }
}

pub(super) fn wait(fds: &mut [PollFd<'_>], until: Instant, cancel: &Cancel) -> Result<()> {
    let left = until.saturating_duration_since(Instant::now());
    let limit = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
    match poll(fds, Some(&limit)) {
        Ok(_) | Err(rustix::io::Errno::INTR) if cancel.is_set() => Err(NetError::cancelled()),
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(e) => Err(std::io::Error::from(e).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::gate::Reason;
    use std::net::TcpListener;

    fn permit() -> Permit {
        Permit::ask(Reason::MailServer).unwrap()
    }

    #[test]
    fn connects_and_refuses() {
        let cancel = Cancel::new().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let stream = dial(permit(), "localhost", port, &cancel).unwrap();
        // What the system was told, in its own words: silent for so long, then asked so often.
        let system = socket2::SockRef::from(&stream);
        assert!(system.keepalive().unwrap());
        let (silent, again) = (system.tcp_keepalive_time().unwrap(), system.tcp_keepalive_interval().unwrap());
        let dead = silent + again * system.tcp_keepalive_retries().unwrap();
        assert!(dead < Duration::from_secs(300), "{dead:?}");
        drop(listener);
        assert_eq!(dial(permit(), "127.0.0.1", port, &cancel).unwrap_err().kind, NetErrorKind::Unreachable);
        cancel.ring();
        assert_eq!(dial(permit(), "localhost", port, &cancel).unwrap_err().kind, NetErrorKind::Cancelled);
    }

    #[test]
    fn a_dead_first_address_costs_little() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        // 192.0.2.0/24 answers nobody (RFC 5737); where there is no route it fails at once.
        let all = [SocketAddr::from(([192, 0, 2, 1], port)), SocketAddr::from(([127, 0, 0, 1], port))];
        // Alone it would be waited for until [`CONNECT`].
        crate::base::clock::quick(Duration::from_secs(2), || {
            let begin = Instant::now();
            race(&all, &Cancel::new().unwrap(), begin + CONNECT).unwrap();
            begin.elapsed()
        });
    }

    #[test]
    fn families_take_turns() {
        let a = |s: &str| s.parse::<SocketAddr>().unwrap();
        let mixed = vec![a("[::1]:1"), a("[::2]:1"), a("1.1.1.1:1"), a("[::3]:1")];
        assert_eq!(interleave(mixed), [a("[::1]:1"), a("1.1.1.1:1"), a("[::2]:1"), a("[::3]:1")]);
    }
}
