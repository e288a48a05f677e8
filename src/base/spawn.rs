//! spawn — named threads whose panics are caught and told, never lost.
//! Owns: `Worker`, `spawn`, `guarded`. May import: base.
//! Start reading at: `guarded`.

use super::log;
use std::any::Any;
use std::cell::Cell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

/// A thread of ours.
#[derive(Debug)]
pub struct Worker(JoinHandle<()>);

impl Worker {
    /// Waits for its end; false if it did not end within `limit` (then it is left alone: quitting is crashing).
    #[must_use]
    pub fn join(self, limit: Duration) -> bool {
        let end = Instant::now() + limit;
        while !self.0.is_finished() {
            if Instant::now() >= end {
                return false;
            }
            // Only at the program's end or a removed account's: a short poll is simpler than a second channel.
            std::thread::sleep(Duration::from_millis(2));
        }
        self.0.join().is_ok()
    }
}

/// Starts a thread. `name` is what `top -H` shows (at most 15 bytes are kept there).
///
/// # Errors
/// The system has no thread left.
pub fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<Worker> {
    Builder::new().name(name.to_owned()).spawn(run).map(Worker)
}

/// Runs `work` and turns a panic in it into its message. What `work` changed outside may be half done: let it work
/// on things that are dropped or made again afterwards (a connection, a parser).
///
/// # Errors
/// The panic's message.
pub fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|p| {
        let said = message(p.as_ref());
        log::error("panic", &said);
        said
    })
}

thread_local! {
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// The same for work on one thing, such as a message, that may fail by itself: a panic in it ends nothing, not even on the thread
/// of the screen (see [`is_contained`]).
///
/// # Errors
/// The panic's message.
pub fn contained<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    let outside = CONTAINED.replace(true);
    let done = guarded(work);
    CONTAINED.set(outside);
    done
}

/// Whether a panic of this thread would be that of [`contained`] work: then who panics loses no terminal.
#[must_use]
pub fn is_contained() -> bool {
    CONTAINED.get()
}

/// What a panic said.
fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|s| (*s).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without words".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_message() {
        assert_eq!(guarded(|| 7), Ok(7));
        assert_eq!(guarded(|| -> u8 { panic!("odd reply {}", 3) }), Err("odd reply 3".to_owned()));
    }

    #[test]
    fn a_thread_that_does_not_end_is_left_alone() {
        let (tx, rx) = std::sync::mpsc::channel::<()>();
        let worker = spawn("waits", move || {
            let _ = rx.recv();
        })
        .unwrap();
        assert!(!worker.join(Duration::from_millis(10)));
        drop(tx);
        assert!(spawn("ends", || ()).unwrap().join(Duration::from_secs(5)));
    }
}
