//! log — the program's diary: a file beside the data that only its owner can read.
//! Owns: `Level`, `Log`, the one log of the process.
//! May import: base.
//! Start reading at: `start`, then `info` and its like. A line takes only [`SafeText`], so that a log can be shown on a
//! terminal and pasted into a report; a [`super::secret::Secret`] has no text form, so that none can get here.

use super::paths::private_dir;
use super::safetext::SafeText;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

/// A file larger than this is put aside as `postrider.log.1`, whose predecessor goes: two files at most, octets.
const MAX_FILE: u64 = 4 << 20;
/// The longest line, in characters.
const MAX_LINE: usize = 2_000;

/// How much goes to the log: everything up to and including this.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Level {
    /// What failed and needs somebody.
    Error,
    /// What failed and is tried again.
    Warn,
    /// What began and ended.
    #[default]
    Info,
    /// What was decided on the way.
    Debug,
    /// What went over the wire, without logins and bodies.
    Trace,
}

impl Level {
    /// All, from the quietest.
    pub const ALL: [Self; 5] = [Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace];

    /// As on the command line and in the file.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }

    /// The inverse of [`Self::word`].
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|l| l.word() == word)
    }
}

/// A log file.
#[derive(Debug)]
pub struct Log {
    level: Level,
    path: PathBuf,
    /// The open file and its size; none after it could not be written.
    file: Mutex<Option<(File, u64)>>,
}

impl Log {
    /// Opens the file, and its folder if it is missing.
    ///
    /// # Errors
    /// If either cannot be made.
    pub fn open(path: &Path, level: Level) -> io::Result<Self> {
        path.parent().map_or(Ok(()), private_dir)?;
        Ok(Self { level, path: path.to_owned(), file: Mutex::new(Some(open(path)?)) })
    }

    /// Adds a line, if `level` is wanted. A log that cannot be written any more falls silent: its own failure must stop nothing.
    pub fn write(&self, level: Level, place: &'static str, what: &SafeText) {
        if level > self.level {
            return;
        }
        let what = SafeText::line_max(what.as_str(), MAX_LINE);
        let line = format!("{} {:5} {place}: {what}\n", jiff::Timestamp::now().strftime("%FT%T%.3fZ"), level.word());
        let mut slot = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        *slot = slot.take().and_then(|(file, size)| self.put(file, size, line.as_bytes()).ok());
    }

    fn put(&self, mut file: File, mut size: u64, line: &[u8]) -> io::Result<(File, u64)> {
        if size > 0 && size + line.len() as u64 > MAX_FILE {
            // Another process may have put the same file aside already: then only the new one is opened.
            if fs::metadata(&self.path).is_ok_and(|m| file.metadata().is_ok_and(|own| own.ino() == m.ino())) {
                fs::rename(&self.path, self.path.with_added_extension("1"))?;
            }
            (file, size) = open(&self.path)?;
        }
        file.write_all(line)?;
        Ok((file, size + line.len() as u64))
    }
}

fn open(path: &Path) -> io::Result<(File, u64)> {
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    let size = file.metadata()?.len();
    Ok((file, size))
}

static LOG: OnceLock<Log> = OnceLock::new();

/// Makes the log of this process. Before, and where it is never called (tests), everything said to it is dropped.
///
/// # Errors
/// As [`Log::open`].
pub fn start(path: &Path, level: Level) -> io::Result<()> {
    let log = Log::open(path, level)?;
    // Only the first call counts: there is one door.
    let _ = LOG.set(log);
    Ok(())
}

/// Which lines are also said on standard error.
static ECHO: OnceLock<Level> = OnceLock::new();

/// From now on lines up to this level are said on standard error, too: for a program that has no screen of its own.
pub fn echo(level: Level) {
    // Only the first call counts, as with the file.
    let _ = ECHO.set(level);
}

/// Whether lines of this level are kept or said: asked before a costly line is made.
#[must_use]
pub fn wants(level: Level) -> bool {
    LOG.get().is_some_and(|log| level <= log.level) || ECHO.get().is_some_and(|most| level <= *most)
}

/// Adds a line; `place` says which part of the program speaks ("imap work", "store").
pub fn write(level: Level, place: &'static str, what: &SafeText) {
    if let Some(log) = LOG.get() {
        log.write(level, place, what);
    }
    if ECHO.get().is_some_and(|most| level <= *most) {
        // Nobody is left to tell if it fails.
        let _ = writeln!(io::stderr(), "postrider: {place}: {}", SafeText::line_max(what.as_str(), MAX_LINE));
    }
}

/// A line of [`Level::Error`].
pub fn error(place: &'static str, what: impl fmt::Display) {
    say(Level::Error, place, what);
}

/// A line of [`Level::Warn`].
pub fn warn(place: &'static str, what: impl fmt::Display) {
    say(Level::Warn, place, what);
}

/// A line of [`Level::Info`].
pub fn info(place: &'static str, what: impl fmt::Display) {
    say(Level::Info, place, what);
}

/// A line of [`Level::Debug`].
pub fn debug(place: &'static str, what: impl fmt::Display) {
    say(Level::Debug, place, what);
}

/// A line of [`Level::Trace`]. Whoever speaks for a wire leaves out logins and bodies.
pub fn trace(place: &'static str, what: impl fmt::Display) {
    say(Level::Trace, place, what);
}

/// A line of any level; formatted only if it is kept, and made safe here, so that no caller can forget.
pub fn say(level: Level, place: &'static str, what: impl fmt::Display) {
    if wants(level) {
        write(level, place, &SafeText::line(&what.to_string()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_safe_private_and_of_the_wanted_level() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("state/postrider.log");
        let log = Log::open(&path, Level::Info).unwrap();
        log.write(Level::Info, "imap", &SafeText::line("hello \x1b]0;x\x07\nsecond"));
        log.write(Level::Debug, "imap", &SafeText::of("too much"));
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains("Z info  imap: hello ") && !text.contains('\x1b'), "{text}");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_full_file_is_put_aside_once() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("postrider.log");
        fs::write(&path, vec![b'x'; MAX_FILE as usize - 10]).unwrap();
        let (one, two) = (Log::open(&path, Level::Info).unwrap(), Log::open(&path, Level::Info).unwrap());
        one.write(Level::Info, "a", &SafeText::of("first"));
        two.write(Level::Info, "b", &SafeText::of("second"));
        let fresh = fs::read_to_string(&path).unwrap();
        assert!(fresh.contains("first") && fresh.contains("second"), "{fresh}");
        assert_eq!(fs::metadata(path.with_added_extension("1")).unwrap().len(), MAX_FILE - 10);
    }

    #[test]
    fn words_go_both_ways() {
        assert!(Level::ALL.into_iter().all(|l| Level::parse(l.word()) == Some(l)));
    }
}
