//! reader — read-only connections whose questions can be stopped.
//! Owns: `Reader`, `Stop`. May import: base.
//! Start reading at: `Reader::ask`. Each thread that asks owns its reader; a question sees one snapshot of the file.

use super::error::{Result, StoreError, StoreErrorKind};
use super::open::{self, Db, Kind};
use super::writer::Writer;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How many steps of SQLite's machine lie between two looks at a [`Stop`]: some tens of microseconds.
const STEPS: i32 = 2_000;

/// Stops one question, from any thread, before or while it runs. One question, one `Stop`: so a late stop never
/// hits the next question.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Not stopped.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends the question with `Interrupted`.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether it was stopped.
    #[must_use]
    pub fn stopped(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// A read-only connection to one file, opened at the first question and again after the file was replaced.
pub struct Reader<K: Kind> {
    dir: PathBuf,
    /// None in a process that only attached to another's cache.
    writer: Option<Arc<Writer<K>>>,
    open: Option<(u64, Db<K>)>,
}

impl<K: Kind> std::fmt::Debug for Reader<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reader")
    }
}

impl<K: Kind> Reader<K> {
    pub(super) const fn new(dir: PathBuf, writer: Option<Arc<Writer<K>>>) -> Self {
        Self { dir, writer, open: None }
    }

    /// Asks in one snapshot. `stop` ends it early.
    ///
    /// # Errors
    /// `Interrupted` after `stop`; `Corrupt` where the file is damaged: the writer has then been told, and a later
    /// question may succeed.
    pub fn ask<T>(&mut self, stop: &Stop, question: impl FnOnce(&Db<K>) -> Result<T>) -> Result<T> {
        let generation = self.writer.as_ref().map_or(0, |w| w.generation());
        let answer = self.snapshot(generation, stop, question);
        if let Err(error) = &answer {
            let suspect = match error.kind {
                StoreErrorKind::Corrupt => true,
                // Cannot be opened: perhaps somebody removed the whole folder.
                StoreErrorKind::Io | StoreErrorKind::Newer | StoreErrorKind::Busy => self.open.is_none(),
                _ => false,
            };
            if suspect {
                self.open = None;
                if let Some(writer) = &self.writer {
                    writer.suspect(generation);
                }
            }
        }
        answer
    }

    /// A number that is another one after each commit by anybody else; it means nothing beyond this reader.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub fn version(&mut self) -> Result<i64> {
        self.ask(&Stop::new(), |db| Ok(db.conn().query_row("PRAGMA data_version", [], |r| r.get(0))?))
    }

    fn snapshot<T>(&mut self, generation: u64, stop: &Stop, question: impl FnOnce(&Db<K>) -> Result<T>) -> Result<T> {
        if stop.stopped() {
            return Err(StoreError::new(StoreErrorKind::Interrupted, ""));
        }
        if self.open.as_ref().is_none_or(|(g, _)| *g != generation) {
            self.open = None;
            self.open = Some((generation, open::open_reader::<K>(&self.dir)?));
        }
        let Some((_, db)) = &mut self.open else { return Err(StoreError::new(StoreErrorKind::Bug, "no connection")) };
        let ear = stop.clone();
        db.conn_mut().progress_handler(STEPS, Some(move || ear.stopped()))?;
        db.conn().execute_batch("BEGIN")?;
        let answer = question(db);
        // Only reads: whether this commits or not is the same.
        let _ = db.conn().execute_batch("ROLLBACK");
        answer
    }
}
