//! park — a thread's sleep: until a bell rings, a switch is thrown, or a time comes. Costs nothing meanwhile.
//! Owns: `park`. May import: `waker`, `cancel`.
//! Start reading at: `park`.

use super::cancel::Cancel;
use super::waker::Waker;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::time::Instant;

/// Sleeps until `bell` is rung, `switch` is thrown, or `until` has come (none: no such time). May end early: look again.
pub fn park(bell: &Waker, switch: &Cancel, until: Option<Instant>) {
    let (bell, switch) = (bell.fd(), switch.fd());
    let mut fds = [PollFd::new(&bell, PollFlags::IN), PollFd::new(&switch, PollFlags::IN)];
    let left = until.map(|end| end.saturating_duration_since(Instant::now()));
    let limit = left.map(|d| Timespec { tv_sec: d.as_secs().cast_signed(), tv_nsec: d.subsec_nanos().into() });
    // An interruption is an early end.
    let _ = poll(&mut fds, limit.as_ref());
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn each_of_the_three_ends_it() {
        let (bell, switch) = (Waker::new().unwrap(), Cancel::new().unwrap());
        let begun = Instant::now();
        park(&bell, &switch, Some(begun + Duration::from_millis(20)));
        assert!(begun.elapsed() >= Duration::from_millis(20));
        bell.ring();
        park(&bell, &switch, None);
        assert!(bell.take());
        switch.ring();
        park(&bell, &switch, None);
    }
}
