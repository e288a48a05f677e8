//! onlooker — tells a second window what the process that holds the profile has written, and takes over when that ends.
//! Owns: `start`. May import: store, base.
//! Start reading at: `start`. SQLite has no bell between processes: four times a second two numbers are compared, and the
//! lock is tried. Only a window beside another one has this thread.

use super::desk::Errand;
use super::office::Office;
use super::shared::Shared;
use crate::base::spawn::{Worker, spawn};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io;
use std::sync::Arc;

/// Between two looks.
const PACE: Timespec = Timespec { tv_sec: 0, tv_nsec: 250_000_000 };

/// Starts the thread; it ends when the program does, or the profile is ours.
///
/// # Errors
/// The system has no thread left.
pub(super) fn start(office: &Arc<Office>, shared: &Arc<Shared>) -> io::Result<Worker> {
    let (office, shared) = (Arc::clone(office), Arc::clone(shared));
    spawn("onlooker", move || {
        let (mut cache, mut state) = (shared.store.reader(), shared.store.state_reader());
        let mut seen = None;
        while !shared.cancel.is_set() {
            // A file that cannot be read just now is looked at again.
            let now = (cache.version().ok(), state.version().ok());
            if seen.replace(now).is_some_and(|before| before != now) {
                shared.news.put(|news| {
                    let changes = &mut news.changes;
                    (changes.all, changes.mailboxes, changes.queue, changes.outbox, changes.drafts) =
                        (true, true, true, true, true);
                });
                // What somebody waits for may be here.
                if let Some(staff) = &*office.staff() {
                    staff.desk.hand_in(Errand::Seen);
                }
            }
            if office.inherit() {
                return;
            }
            let stop = shared.cancel.fd();
            // Woken early by a signal: then it looks a little earlier.
            let _ = poll(&mut [PollFd::new(&stop, PollFlags::IN)], Some(&PACE));
        }
    })
}
