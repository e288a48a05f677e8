//! farewell — the end: what is being written is saved before we go, however we go.
//! Owns: `farewell`. May import: app, engine::api.
//! Start reading at: `farewell`. The terminal may be gone by then; a store that does not answer is not waited for long.

use super::link::Link;
use crate::app::App;
use crate::app::compose::Unsaved;
use crate::app::msg::{Effect, Msg, Now};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::time::{Duration, Instant};

/// How long the end waits.
const LONGEST: Duration = Duration::from_secs(2);

/// Saves what is being written, and waits until it is on the disk; what the store would not take.
pub(super) fn farewell(link: &dyn Link, app: &mut App, now: impl Fn() -> Now) -> Vec<Unsaved> {
    let effects = app.leave();
    carry_out(link, app, effects);
    let end = Instant::now() + LONGEST;
    while !app.all_saved() {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        let span = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
        let mut set = [PollFd::from_borrowed_fd(link.fd(), PollFlags::IN)];
        if poll(&mut set, Some(&span)).is_err_and(|e| e != rustix::io::Errno::INTR) {
            break;
        }
        let effects = app.update(Msg::News(Box::new(link.take())), now());
        carry_out(link, app, effects);
    }
    app.unsaved()
}

/// Only requests matter now: nobody looks any more.
fn carry_out(link: &dyn Link, app: &mut App, effects: Vec<Effect>) {
    for effect in effects {
        if let Effect::Request(request, note) = effect {
            let ticket = link.request(request);
            app.sent(ticket, note);
        }
    }
}
