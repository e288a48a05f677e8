//! store — what we remember.
//! Owns: `state.sqlite` (intents: journal, outbox, drafts, address history), `spool/` beside it; `cache.sqlite`
//! (everything a server can give again) and `blobs/`. Threads: "intent" writes the state, "store" the cache.
//! May import: config, mail, base.   Never: speaks to a network, draws, decides policy.
//! Start reading at: `Store`, then `migrations/*/0001_base.sql`, then `writer.rs`.
//! Tested by: the tests beside the code, and `tests.rs` here for what takes both files.
//!
//! No transaction spans both files (decisions 1). An *intent* is committed to the state, then laid over the cache; an
//! *observation* is committed to the cache, then the journal's state. At every start the overlay is derived again.

pub mod asked;
pub mod base;
pub mod blobs;
pub mod bodies;
pub mod change;
pub mod choices;
pub mod contacts;
pub mod details;
pub mod doubt;
pub mod draft_copies;
pub mod drafts;
pub mod error;
mod fill;
mod fts;
pub mod health;
pub mod journal;
pub mod keywords;
pub mod levels;
pub mod limits;
pub mod lists;
pub mod mailboxes;
pub mod messages;
mod migrate;
pub mod open;
pub mod outbox;
pub mod overlay;
pub mod packs;
pub mod partial;
pub mod partly;
pub mod parts;
pub mod people;
pub mod placements;
pub mod poison;
mod quarantine;
pub mod reader;
mod refs;
pub mod rescue;
pub mod search;
mod search_sql;
mod search_text;
pub mod search_told;
pub mod settings;
pub mod spool;
pub mod threads;
pub mod tree;
pub mod trouble;
mod unindexed;
mod views;
pub mod words;
mod writer;

#[cfg(test)]
mod faults;
#[cfg(test)]
mod plans;
#[cfg(test)]
pub(crate) mod tests;

pub use change::{ChangeSet, Topic};
pub use error::{Result, StoreError, StoreErrorKind};
pub use open::{Cache, Db, State};
pub use reader::{Reader, Stop};
pub use writer::{Told, Tx};

use open::Kind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use writer::{Habits, Writer};

/// Where the two halves lie; the same folder with `--profile` (decisions 9).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Places {
    /// Holds `state.sqlite` and `spool/`.
    pub state: PathBuf,
    /// Holds `cache.sqlite` and `blobs/`.
    pub cache: PathBuf,
}

/// Both files, open. Cheap to clone; the last clone dropped finishes what was queued and closes.
#[derive(Clone)]
pub struct Store {
    places: Arc<Places>,
    state: Arc<Writer<State>>,
    /// None in a process that does not own the profile: it reads the cache and only the owner writes it.
    cache: Option<Arc<Writer<Cache>>>,
    /// Readers at rest.
    readers: Arc<Mutex<Vec<Reader<Cache>>>>,
    state_readers: Arc<Mutex<Vec<Reader<State>>>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("places", &self.places).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens both files in one folder, as the owner of the profile. See [`Self::open_at`].
    ///
    /// # Errors
    /// See [`Self::open_at`].
    pub fn open(dir: &Path, told: Told) -> Result<Self> {
        Self::open_at(Places { state: dir.to_owned(), cache: dir.to_owned() }, told)
    }

    /// Opens both files as the owner of the profile (who holds its lock). `told` hears of every commit, on a writing
    /// thread. A damaged cache is put aside and begun anew, and `told` hears `CacheRebuilt`.
    ///
    /// # Errors
    /// `Corrupt` or `Newer` only for the state; `Permission`, `Io`, `Full`, `Busy`.
    pub fn open_at(places: Places, told: Told) -> Result<Self> {
        open::private_folder(&places.state)?;
        open::private_folder(&places.cache)?;
        let state = Self::state_writer(&places.state, &told)?;
        let (cache, rebuilt) = quarantine::open_cache(&places.cache)?;
        if rebuilt {
            let mut changes = ChangeSet::new();
            changes.note(Topic::CacheRebuilt);
            told(changes);
        }
        let habits = Habits {
            reopen: Some(|dir| {
                open::private_folder(dir)?;
                quarantine::put_aside(dir)?;
                Ok(quarantine::open_cache(dir)?.0)
            }),
            lost: |dir| !dir.join(Cache::NAME).exists(),
            idle: Some(fts::idle),
            flush: placements::flush,
        };
        let cache = Writer::start("store", cache, places.cache.clone(), told, habits)?;
        Ok(Self {
            places: Arc::new(places),
            state: Arc::new(state),
            cache: Some(Arc::new(cache)),
            readers: Arc::default(),
            state_readers: Arc::default(),
        })
    }

    /// Opens the state for reading and writing and the cache, if there is one, for reading: a process that does not
    /// own the profile appends intents and rings the owner (decisions 8).
    ///
    /// # Errors
    /// As [`Self::open_at`].
    pub fn attach(places: Places, told: Told) -> Result<Self> {
        open::private_folder(&places.state)?;
        let state = Self::state_writer(&places.state, &told)?;
        Ok(Self {
            places: Arc::new(places),
            state: Arc::new(state),
            cache: None,
            readers: Arc::default(),
            state_readers: Arc::default(),
        })
    }

    fn state_writer(dir: &Path, told: &Told) -> Result<Writer<State>> {
        let db = open::open_writer::<State>(dir)?;
        let habits = Habits { reopen: None, lost: |_| false, idle: None, flush: |_| Ok(()) };
        Writer::start("intent", db, dir.to_owned(), Arc::clone(told), habits)
    }

    /// Where the files lie.
    #[must_use]
    pub fn places(&self) -> &Places {
        &self.places
    }

    /// Runs `job` in a transaction on the state; when this returns, it is on the disk. Never from inside a job.
    ///
    /// # Errors
    /// The job's own, or why nothing was kept.
    pub fn state<T: Send + 'static>(&self, job: impl FnOnce(&mut Tx<'_, State>) -> Result<T> + Send + 'static) -> Result<T> {
        self.state.run(job)
    }

    /// Runs `job` in a transaction on the cache; when this returns, it is committed (a power cut may still take it
    /// back, consistently). Never from inside a job.
    ///
    /// # Errors
    /// The job's own, or why nothing was kept; `Invalid` in a process that attached.
    pub fn cache<T: Send + 'static>(&self, job: impl FnOnce(&mut Tx<'_, Cache>) -> Result<T> + Send + 'static) -> Result<T> {
        self.cache.as_ref().ok_or_else(|| StoreError::invalid("the cache belongs to another process"))?.run(job)
    }

    /// Puts the cache aside and begins it anew: something that is not ours, or is damaged, was met in it. `told` hears
    /// `CacheRebuilt`; when this returns, it is done.
    ///
    /// # Errors
    /// As [`Self::cache`].
    pub fn begin_anew(&self) -> Result<()> {
        if let Some(writer) = &self.cache {
            writer.suspect(writer.generation());
        }
        // Behind it.
        self.cache(|_| Ok(()))
    }

    /// A connection of one's own for questions to the cache: one for each thread that asks often.
    #[must_use]
    pub fn reader(&self) -> Reader<Cache> {
        Reader::new(self.places.cache.clone(), self.cache.clone())
    }

    /// The same for the state.
    #[must_use]
    pub fn state_reader(&self) -> Reader<State> {
        Reader::new(self.places.state.clone(), Some(Arc::clone(&self.state)))
    }

    /// Asks the cache, in one snapshot, on this thread.
    ///
    /// # Errors
    /// See [`Reader::ask`].
    pub fn read<T>(&self, question: impl FnOnce(&Db<Cache>) -> Result<T>) -> Result<T> {
        let mut reader = take(&self.readers).unwrap_or_else(|| self.reader());
        let answer = reader.ask(&Stop::new(), question);
        give_back(&self.readers, reader);
        answer
    }

    /// Asks the state, in one snapshot, on this thread.
    ///
    /// # Errors
    /// See [`Reader::ask`].
    pub fn read_state<T>(&self, question: impl FnOnce(&Db<State>) -> Result<T>) -> Result<T> {
        let mut reader = take(&self.state_readers).unwrap_or_else(|| self.state_reader());
        let answer = reader.ask(&Stop::new(), question);
        give_back(&self.state_readers, reader);
        answer
    }
}

/// The most connections kept at rest.
const RESTING: usize = 4;

fn take<T>(pool: &Mutex<Vec<T>>) -> Option<T> {
    pool.lock().unwrap_or_else(PoisonError::into_inner).pop()
}

fn give_back<T>(pool: &Mutex<Vec<T>>, item: T) {
    let mut pool = pool.lock().unwrap_or_else(PoisonError::into_inner);
    if pool.len() < RESTING {
        pool.push(item);
    }
}
