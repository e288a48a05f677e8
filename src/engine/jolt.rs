//! jolt — learns that the world outside changed: the machine slept, its clock was set, its network came or went.
//! Owns: `Jolt`, `Kind`. May import: base.
//! Start reading at: `Jolt::start`. The kernel tells (a timer that is cancelled when the clock is set, which waking up does;
//! routing messages), so nothing is looked at in between and nothing runs at rest.

use crate::base::cancel::Cancel;
use crate::base::spawn::{Worker, spawn};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, bind, recv, socket_with};
use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, clock_gettime, timerfd_create, timerfd_settime,
};
use std::io;
use std::time::Duration;

/// Addresses came or went (RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR), or IPv4 routes did (RTMGRP_IPV4_ROUTE).
const GROUPS: u32 = 0x10 | 0x100 | 0x40;
/// Network changes come in bursts: the first one is waited on for so long.
const BURST: Duration = Duration::from_millis(700);
/// The machine slept if the clock that goes on in sleep is ahead by more than this.
const SLEPT: Duration = Duration::from_secs(2);
/// How long the end of the thread is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The machine was asleep: connections may be dead without knowing.
    Slept,
    /// The clock was set: what is due has to be looked at again.
    ClockSet,
    /// There may be a network where there was none.
    Network,
}

/// Listens until it is dropped.
#[derive(Debug)]
pub struct Jolt {
    stop: Cancel,
    worker: Option<Worker>,
}

impl Jolt {
    /// Starts listening; `hear` runs on its thread. Where the system tells nothing of one kind, that kind is not heard.
    ///
    /// # Errors
    /// No threads or file descriptors left.
    pub fn start(hear: impl Fn(Kind) + Send + 'static) -> io::Result<Self> {
        let stop = Cancel::new()?;
        let switch = stop.clone();
        let worker = spawn("jolt", move || listen(&switch, timer().ok(), &slept, &hear))?;
        Ok(Self { stop, worker: Some(worker) })
    }
}

impl Drop for Jolt {
    fn drop(&mut self) {
        self.stop.ring();
        if let Some(worker) = self.worker.take() {
            let _ = worker.join(PATIENCE);
        }
    }
}

/// `clock` is ready when the clock was set; `slept` says for how long the machine has been asleep in all.
fn listen(stop: &Cancel, clock: Option<OwnedFd>, slept: &dyn Fn() -> Duration, hear: &dyn Fn(Kind)) {
    let net = routes().ok();
    let mut asleep = slept();
    while !stop.is_set() {
        let quit = stop.fd();
        let mut fds = vec![PollFd::new(&quit, PollFlags::IN)];
        fds.extend(clock.iter().chain(net.iter()).map(|fd| PollFd::new(fd, PollFlags::IN)));
        match poll(&mut fds, None) {
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => return,
            Ok(_) => {}
        }
        drop(fds);
        if let Some(timer) = clock.as_ref().filter(|fd| ready(fd)) {
            let mut count = [0u8; 8];
            // ECANCELED: the clock was set. It is armed anew for the next time.
            let _ = rustix::io::read(timer, &mut count);
            if arm(timer).is_err() {
                return;
            }
            let now = slept();
            hear(if now.saturating_sub(asleep) > SLEPT { Kind::Slept } else { Kind::ClockSet });
            asleep = now;
        }
        if let Some(routes) = net.as_ref().filter(|fd| ready(fd)) {
            let quit = stop.fd();
            let _ = poll(&mut [PollFd::new(&quit, PollFlags::IN)], Some(&timespec(BURST)));
            // What they say does not matter: it is tried.
            let mut junk = [0u8; 4096];
            while !stop.is_set() && !matches!(recv(routes, &mut junk[..], RecvFlags::DONTWAIT), Err(rustix::io::Errno::AGAIN)) {}
            hear(Kind::Network);
        }
    }
}

fn ready(fd: &OwnedFd) -> bool {
    matches!(poll(&mut [PollFd::new(fd, PollFlags::IN)], Some(&timespec(Duration::ZERO))), Ok(n) if n > 0)
}

fn timespec(span: Duration) -> Timespec {
    Timespec { tv_sec: span.as_secs().cast_signed(), tv_nsec: span.subsec_nanos().into() }
}

/// How long the machine has been asleep since it was started.
fn slept() -> Duration {
    let of = |id| {
        let t = clock_gettime(id);
        Duration::new(t.tv_sec.unsigned_abs(), u32::try_from(t.tv_nsec).unwrap_or(0))
    };
    of(ClockId::Boottime).saturating_sub(of(ClockId::Monotonic))
}

fn timer() -> rustix::io::Result<OwnedFd> {
    let fd = timerfd_create(TimerfdClockId::Realtime, TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK)?;
    arm(&fd)?;
    Ok(fd)
}

/// For a time that never comes: only its being cancelled counts (decisions 13).
fn arm(fd: &OwnedFd) -> rustix::io::Result<()> {
    let never = Timespec { tv_sec: i64::from(u32::MAX) * 2, tv_nsec: 0 };
    let none = Timespec { tv_sec: 0, tv_nsec: 0 };
    let flags = TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET;
    timerfd_settime(fd.as_fd(), flags, &Itimerspec { it_interval: none, it_value: never }).map(drop)
}

fn routes() -> rustix::io::Result<OwnedFd> {
    // No protocol is number 0, which is NETLINK_ROUTE.
    let fd = socket_with(AddressFamily::NETLINK, SocketType::DGRAM, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?;
    bind(&fd, &SocketAddrNetlink::new(0, GROUPS))?;
    Ok(fd)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;
    use std::time::Instant;

    #[test]
    fn it_is_quiet_where_nothing_happens_and_ends_at_once() {
        crate::base::clock::quick(Duration::from_secs(1), || {
            let (tx, rx) = channel();
            let jolt = Jolt::start(move |kind| tx.send(kind).unwrap_or_default()).unwrap();
            assert!(!rx.recv_timeout(Duration::from_millis(200)).is_ok_and(|k| k == Kind::Slept));
            let begun = Instant::now();
            drop(jolt);
            begun.elapsed()
        });
    }

    /// The kernel's word comes through, and is told apart by how long the machine slept. `tests/it/wake.rs` has what follows.
    #[test]
    fn waking_is_told_from_a_clock_that_was_set() {
        for (asleep, expected) in [(0, Kind::ClockSet), (3, Kind::Slept)] {
            let (stop, fd) = (Cancel::new().unwrap(), timer().unwrap());
            let soon = Timespec { tv_sec: 0, tv_nsec: 1 };
            let spec = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: soon };
            let (tx, rx) = channel();
            let (switch, calls) = (stop.clone(), std::sync::atomic::AtomicU64::new(0));
            let slept = move || {
                let later = calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst) > 0;
                Duration::from_secs(if later { 1_000 + asleep } else { 1_000 })
            };
            timerfd_settime(fd.as_fd(), TimerfdTimerFlags::ABSTIME, &spec).unwrap();
            let worker = std::thread::spawn(move || {
                listen(&switch, Some(fd), &slept, &|kind| tx.send(kind).unwrap_or_default());
            });
            let heard = rx.iter().find(|kind| *kind != Kind::Network);
            assert_eq!(heard, Some(expected));
            stop.ring();
            worker.join().unwrap();
        }
    }

    #[test]
    fn the_timer_can_be_armed_again() {
        let fd = timer().unwrap();
        assert!(!ready(&fd));
        arm(&fd).unwrap();
        assert!(!ready(&fd));
    }
}
