//! signals — what the system tells a terminal program, as a file descriptor for the poll set (decisions 19).
//! Owns: `Signals`. May import: nothing of ours.
//! Start reading at: `Signals::take`.

use rustix::fd::{AsFd, BorrowedFd};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGWINCH};
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What has come since the last look.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Came {
    /// The window has another size.
    pub resize: bool,
    /// The shell brought us back.
    pub resume: bool,
    /// We are to end: TERM or HUP.
    pub end: bool,
    /// Somebody pressed Ctrl-C while another program had the terminal, or sent INT.
    pub interrupt: bool,
}

/// Ears for signals. Dropping it takes them down.
pub struct Signals {
    pipe: UnixStream,
    resize: Arc<AtomicBool>,
    resume: Arc<AtomicBool>,
    end: Arc<AtomicBool>,
    interrupt: Arc<AtomicBool>,
    ids: Vec<signal_hook::SigId>,
}

impl Signals {
    /// Begins to listen.
    ///
    /// # Errors
    /// The system refuses.
    pub fn listen() -> io::Result<Self> {
        let (pipe, write) = UnixStream::pair()?;
        pipe.set_nonblocking(true)?;
        let flag = Arc::<AtomicBool>::default;
        let mut signals = Self { pipe, resize: flag(), resume: flag(), end: flag(), interrupt: flag(), ids: Vec::new() };
        let flags = [
            (SIGWINCH, &signals.resize),
            (SIGCONT, &signals.resume),
            (SIGTERM, &signals.end),
            (SIGHUP, &signals.end),
            (SIGINT, &signals.interrupt),
        ];
        let mut ids = Vec::new();
        for (signal, flag) in flags {
            // The flag first: when the pipe rings, it is up.
            ids.push(signal_hook::flag::register(signal, Arc::clone(flag))?);
            ids.push(signal_hook::low_level::pipe::register(signal, write.try_clone()?)?);
        }
        signals.ids = ids;
        Ok(signals)
    }

    /// For the poll set.
    #[must_use]
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }

    /// What has come since the last look.
    #[must_use]
    pub fn take(&self) -> Came {
        let mut sink = [0; 64];
        while (&self.pipe).read(&mut sink).is_ok_and(|n| n == sink.len()) {}
        let took = |flag: &AtomicBool| flag.swap(false, Ordering::SeqCst);
        Came { resize: took(&self.resize), resume: took(&self.resume), end: took(&self.end), interrupt: took(&self.interrupt) }
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        for id in self.ids.drain(..) {
            signal_hook::low_level::unregister(id);
        }
    }
}
