//! writer — the one thread that writes a file: jobs in, group commits, change notices out.
//! Owns: `Writer`, `Tx`. May import: base.
//! Start reading at: `Worker::group`. Waiting jobs share one `BEGIN IMMEDIATE … COMMIT`, each in a savepoint of its
//! own if they are several, so that one failing job takes nothing with it. A job's answer is sent only after the commit.

use super::change::{ChangeSet, Topic};
use super::error::{Result, StoreError, StoreErrorKind};
use super::fill::Fill;
use super::open::{Db, Kind};
use super::placements::Counts;
use crate::base::crash;
use crate::base::spawn::guarded;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// The most jobs in one commit: the first of them waits for the last.
const GROUP: usize = 32;
/// How long no job must have come before idle work begins: a sync that streams rows in is not idle, also where a busy machine lets
/// them come slowly (a transaction of 3,200 rows may take a tenth of a second to come together).
const QUIET: Duration = Duration::from_millis(500);

/// Hears of each commit, on the writing thread: it must not block, nor ask the store.
pub type Told = Arc<dyn Fn(ChangeSet) + Send + Sync>;

/// An open transaction on a file of kind `K`. Reads like a [`Db`].
pub struct Tx<'a, K> {
    db: &'a Db<K>,
    changes: ChangeSet,
    pub(super) counts: Counts,
    pub(super) fill: Fill,
    /// Whether the index was written, so that it is soon to be merged.
    pub(super) indexed: bool,
    /// Whether something waits to be indexed in a quiet moment.
    pub(super) fresh: bool,
}

impl<K> Deref for Tx<'_, K> {
    type Target = Db<K>;
    fn deref(&self) -> &Db<K> {
        self.db
    }
}

impl<K> Tx<'_, K> {
    /// Says that a topic's rows changed: told after the commit.
    pub fn note(&mut self, topic: Topic) {
        self.changes.note(topic);
    }
}

impl<K> std::fmt::Debug for Tx<'_, K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tx")
    }
}

/// Work for the thread, and its asker's ear.
trait Job<K>: Send {
    /// Does the work; what it gives is kept until the commit.
    fn run(&mut self, tx: &mut Tx<'_, K>) -> std::result::Result<(), StoreErrorKind>;
    /// Tells the asker: the result, or why nothing was kept.
    fn answer(self: Box<Self>, failed: Option<StoreError>);
}

struct Asked<F, T> {
    work: Option<F>,
    result: Option<Result<T>>,
    ear: SyncSender<Result<T>>,
}

impl<K, T: Send, F: FnOnce(&mut Tx<'_, K>) -> Result<T> + Send> Job<K> for Asked<F, T> {
    fn run(&mut self, tx: &mut Tx<'_, K>) -> std::result::Result<(), StoreErrorKind> {
        let Some(work) = self.work.take() else { return Ok(()) };
        let result = work(tx);
        let kind = result.as_ref().err().map(|e| e.kind);
        self.result = Some(result);
        kind.map_or(Ok(()), Err)
    }

    fn answer(self: Box<Self>, failed: Option<StoreError>) {
        let bug = || Err(StoreError::new(StoreErrorKind::Bug, "a job panicked"));
        // The asker waits for exactly this; it cannot have gone.
        let Self { result, ear, .. } = *self;
        let _ = ear.send(failed.map_or_else(|| result.unwrap_or_else(bug), Err));
    }
}

type BoxedJob<K> = Box<dyn Job<K>>;

enum Letter<K> {
    Job(BoxedJob<K>),
    /// A reader met damage in the file of that generation.
    Suspect(u64),
}

type Reopen<K> = fn(&Path) -> Result<Db<K>>;
type IdleWork<K> = fn(&Db<K>, bool) -> Result<bool>;

/// What there is to do when no job waits.
#[derive(Clone, Copy, Default)]
struct Idle {
    /// A slice right after the jobs.
    soon: bool,
    /// Slices once it has been quiet.
    later: bool,
}

/// What the kinds of file do differently on their threads.
pub(super) struct Habits<K> {
    /// Opens the file anew after damage; none where the file may not be replaced.
    pub reopen: Option<Reopen<K>>,
    /// Whether the file is gone from under us.
    pub lost: fn(&Path) -> bool,
    /// Work for idle moments, some milliseconds of it; whether it has been quiet. False when there is no more.
    pub idle: Option<IdleWork<K>>,
    /// Before each job's savepoint is released.
    pub flush: fn(&mut Tx<'_, K>) -> Result<()>,
}

/// The handle of a writing thread. Dropping it lets the thread finish its queue and waits for it.
pub(super) struct Writer<K: Kind> {
    send: Option<Sender<Letter<K>>>,
    thread: Option<JoinHandle<()>>,
    generation: Arc<AtomicU64>,
}

impl<K: Kind> Writer<K> {
    pub fn start(name: &str, db: Db<K>, dir: PathBuf, told: Told, habits: Habits<K>) -> Result<Self> {
        let (send, receive) = channel();
        let generation = Arc::new(AtomicU64::new(0));
        // The last process may have ended before its idle work was done.
        let idle = Idle { soon: false, later: habits.idle.is_some() };
        let worker = Worker { db: Some(db), dir, told, habits, generation: Arc::clone(&generation), idle };
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || worker.run(&receive))?;
        Ok(Self { send: Some(send), thread: Some(thread), generation })
    }

    /// Rises each time the file was replaced.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Runs `job` in a transaction and returns after its commit. Never from inside a job: it would wait for itself.
    pub fn run<T: Send + 'static>(&self, job: impl FnOnce(&mut Tx<'_, K>) -> Result<T> + Send + 'static) -> Result<T> {
        let (ear, receive) = sync_channel(1);
        self.post(Letter::Job(Box::new(Asked { work: Some(job), result: None, ear })))?;
        receive.recv().map_err(|_| closed())?
    }

    /// Says that a reader met damage in the file of `generation`; returns at once.
    pub fn suspect(&self, generation: u64) {
        // A closed store needs no mending.
        let _ = self.post(Letter::Suspect(generation));
    }

    fn post(&self, letter: Letter<K>) -> Result<()> {
        self.send.as_ref().and_then(|s| s.send(letter).ok()).ok_or_else(closed)
    }
}

impl<K: Kind> Drop for Writer<K> {
    fn drop(&mut self) {
        self.send = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn closed() -> StoreError {
    StoreError::new(StoreErrorKind::Closed, "")
}

struct Worker<K: Kind> {
    /// None only if a damaged file could not be replaced; tried again at each job.
    db: Option<Db<K>>,
    dir: PathBuf,
    told: Told,
    habits: Habits<K>,
    generation: Arc<AtomicU64>,
    idle: Idle,
}

impl<K: Kind> Worker<K> {
    fn run(mut self, receive: &Receiver<Letter<K>>) {
        let mut quiet = false;
        loop {
            // Idle work goes on in slices only while it has something to do; then the thread sleeps for good.
            let pause = match (self.idle.soon || quiet, self.idle.later) {
                (true, true) => Some(Duration::ZERO),
                (false, true) => Some(QUIET),
                (_, false) => None,
            };
            let first = match pause
                .map_or_else(|| receive.recv().map_err(|_| RecvTimeoutError::Disconnected), |p| receive.recv_timeout(p))
            {
                Ok(letter) => letter,
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    quiet |= !self.idle.soon;
                    self.rest(quiet);
                    continue;
                }
            };
            quiet = false;
            let mut jobs = Vec::new();
            let mut next = Some(first);
            while let Some(letter) = next {
                match letter {
                    Letter::Job(job) => jobs.push(job),
                    Letter::Suspect(generation) => self.look_again(generation),
                }
                next = if jobs.len() < GROUP { receive.try_recv().ok() } else { None };
            }
            if !jobs.is_empty() {
                self.group(jobs);
            }
        }
    }

    fn rest(&mut self, quiet: bool) {
        self.idle.soon = false;
        let more = match (self.habits.idle, &self.db) {
            // A failure here is met again, and told, by the next job.
            (Some(idle), Some(db)) => idle(db, quiet).unwrap_or(false),
            _ => false,
        };
        self.idle.later = more || !quiet;
    }

    /// Runs jobs in one transaction and answers each after the commit.
    fn group(&mut self, mut jobs: Vec<BoxedJob<K>>) {
        if self.db.is_none() || (self.habits.lost)(&self.dir) {
            self.replace();
        }
        let mut changes = ChangeSet::new();
        let mut damaged = false;
        let committed = match &self.db {
            None => Err(StoreError::new(StoreErrorKind::Corrupt, "the cache could not be begun anew")),
            Some(db) => {
                let done = transaction(db, &mut jobs, &self.habits, &mut changes, &mut self.idle, &mut damaged);
                if done.is_err() {
                    // Often SQLite has rolled back by itself: then this fails, harmlessly.
                    let _ = db.conn().execute_batch("ROLLBACK");
                }
                done
            }
        };
        match committed {
            Ok(()) => {
                crash::step(K::NAME);
                if !changes.is_empty() {
                    (self.told)(changes);
                }
                jobs.into_iter().for_each(|j| j.answer(None));
            }
            Err(error) => {
                damaged |= error.kind == StoreErrorKind::Corrupt;
                jobs.into_iter().for_each(|j| j.answer(Some(error.clone())));
            }
        }
        if damaged {
            self.replace();
        }
    }

    /// A reader met damage, or could not open the file.
    fn look_again(&mut self, generation: u64) {
        if generation == self.generation.load(Ordering::Acquire) {
            self.replace();
        }
    }

    /// Puts the damaged file aside and begins anew, if this kind of file may be replaced.
    fn replace(&mut self) {
        let Some(reopen) = self.habits.reopen else { return };
        // Closed first: SQLite must not checkpoint the old file's log into the new one.
        self.db = None;
        if let Ok(db) = reopen(&self.dir) {
            self.db = Some(db);
            self.generation.fetch_add(1, Ordering::AcqRel);
            let mut changes = ChangeSet::new();
            changes.note(Topic::CacheRebuilt);
            (self.told)(changes);
        }
    }
}

/// All jobs in one transaction. An error means that nothing at all was kept.
fn transaction<K: Kind>(
    db: &Db<K>,
    jobs: &mut [BoxedJob<K>],
    habits: &Habits<K>,
    changes: &mut ChangeSet,
    idle: &mut Idle,
    damaged: &mut bool,
) -> Result<()> {
    db.conn().execute_batch("BEGIN IMMEDIATE")?;
    // A savepoint copies each page before its first change: one job alone is the whole transaction.
    let alone = jobs.len() == 1;
    for job in jobs {
        if !alone {
            db.conn().execute_batch("SAVEPOINT job")?;
        }
        let mut tx =
            Tx { db, changes: ChangeSet::new(), counts: Counts::default(), fill: Fill::default(), indexed: false, fresh: false };
        // A job that panics loses its own savepoint, not the thread.
        let done = guarded(|| {
            crash::place(K::NAME);
            job.run(&mut tx)
        })
        .unwrap_or(Err(StoreErrorKind::Bug));
        match done {
            Ok(()) => {
                (habits.flush)(&mut tx)?;
                if !alone {
                    db.conn().execute_batch("RELEASE job")?;
                }
                idle.soon |= tx.indexed;
                idle.later |= tx.indexed || tx.fresh;
                changes.union(tx.changes);
            }
            Err(kind) => {
                *damaged |= kind == StoreErrorKind::Corrupt;
                if db.conn().is_autocommit() {
                    // A full disk made SQLite take back the whole transaction: nothing of this group was kept.
                    return Err(StoreError::new(kind, "the whole transaction was taken back"));
                }
                if alone {
                    return Ok(db.conn().execute_batch("ROLLBACK")?);
                }
                db.conn().execute_batch("ROLLBACK TO job; RELEASE job")?;
            }
        }
    }
    Ok(db.conn().execute_batch("COMMIT")?)
}
