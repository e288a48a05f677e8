//! jolt — learns that the world outside changed: the machine slept, its clock was set, its network came or went.
//! Owns: `Jolt`, `Kind`. May import: base.
//! Start reading at: `Jolt::start`. The kernel tells (a timer that is cancelled when the clock is set, which waking up does; a wait that
//! a sleep interrupts; routing messages), so nothing is looked at in between and nothing runs at rest.

use crate::base::cancel::Cancel;
use crate::base::spawn::{Worker, spawn};
use rustix::event::{PollFd, PollFlags, Timespec, epoll, poll};
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

/// How a sleep is told from what else happens, once for each.
#[derive(Debug)]
struct Sleeps {
    /// How long the machine had been asleep in all, by its clocks, when this was last looked at.
    asleep: Duration,
    /// How often it had.
    count: u64,
}

impl Sleeps {
    /// Whether the clocks tell of a sleep that was not told of.
    fn by_clock(&mut self, asleep: Duration) -> bool {
        let before = std::mem::replace(&mut self.asleep, asleep);
        asleep.saturating_sub(before) > SLEPT
    }

    /// Whether the kernel's count does: where it goes to sleep without stopping its clocks (s2idle, if the processor's driver has nothing
    /// better), nothing else tells. The clocks may follow, and are not to tell the same again.
    fn by_count(&mut self, count: u64, asleep: Duration, told: bool) -> bool {
        let before = std::mem::replace(&mut self.count, count);
        self.asleep = asleep;
        count > before && !told
    }
}

/// `clock` is ready when the clock was set; `slept` says for how long the machine has been asleep in all.
fn listen(stop: &Cancel, clock: Option<OwnedFd>, slept: &dyn Fn() -> Duration, hear: &dyn Fn(Kind)) {
    let net = routes().ok();
    let Ok(set) = epoll::create(epoll::CreateFlags::CLOEXEC) else { return };
    let quit = stop.fd();
    for fd in std::iter::once(quit.as_fd()).chain(clock.iter().chain(net.iter()).map(AsFd::as_fd)) {
        if epoll::add(&set, fd, epoll::EventData::new_u64(0), epoll::EventFlags::IN).is_err() {
            return;
        }
    }
    let pause = || {
        let _ = poll(&mut [PollFd::new(&quit, PollFlags::IN)], Some(&timespec(BURST)));
    };
    let mut sleeps = Sleeps { asleep: slept(), count: count() };
    while !stop.is_set() {
        let mut events = Vec::with_capacity(4);
        // Not `poll`, which goes on after a sleep as if nothing had been: this one is interrupted by it (signal(7)), and by a handled signal.
        let interrupted = match epoll::wait(&set, rustix::buffer::spare_capacity(&mut events), None) {
            Err(rustix::io::Errno::INTR) => true,
            Err(_) => return,
            Ok(_) => false,
        };
        let mut told = false;
        if let Some(timer) = clock.as_ref().filter(|fd| ready(fd)) {
            let mut expired = [0u8; 8];
            // ECANCELED: the clock was set. It is armed anew for the next time.
            let _ = rustix::io::read(timer, &mut expired);
            if arm(timer).is_err() {
                return;
            }
            told = sleeps.by_clock(slept());
            hear(if told { Kind::Slept } else { Kind::ClockSet });
        }
        if interrupted || told {
            // The kernel counts only when everybody runs again.
            pause();
            if sleeps.by_count(count(), slept(), told) {
                hear(Kind::Slept);
            }
        }
        if let Some(routes) = net.as_ref().filter(|fd| ready(fd)) {
            pause();
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

/// How often the machine has slept since it was started; 0 where that is not told.
fn count() -> u64 {
    let text = std::fs::read_to_string("/sys/power/suspend_stats/success").unwrap_or_default();
    text.trim().parse().unwrap_or(0)
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

    /// However a sleep is told, and in whatever order, it is one.
    #[test]
    fn a_sleep_is_told_once() {
        let s = Duration::from_secs;
        let new = || Sleeps { asleep: s(1_000), count: 7 };
        // By the clocks, and then by the count; only by the count; by the count, and then by the clocks.
        let mut both = new();
        assert!(both.by_clock(s(1_060)) && !both.by_count(8, s(1_060), true) && !both.by_count(8, s(1_060), false));
        let mut count = new();
        assert!(count.by_count(8, s(1_000), false) && !count.by_count(8, s(1_000), false) && count.by_count(9, s(1_000), false));
        let mut late = new();
        assert!(late.by_count(8, s(1_060), false) && !late.by_clock(s(1_060)) && late.by_clock(s(1_120)));
        // A clock that was set, and a handled signal.
        let mut neither = new();
        assert!(!neither.by_clock(s(1_001)) && !neither.by_count(7, s(1_001), false));
    }

    #[test]
    fn the_timer_can_be_armed_again() {
        let fd = timer().unwrap();
        assert!(!ready(&fd));
        arm(&fd).unwrap();
        assert!(!ready(&fd));
    }
}
