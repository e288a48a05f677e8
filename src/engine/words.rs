//! words — reads the texts that came in numbers: for the list, and for the index of words.
//! Owns: `Words` (the bell of it, and whether texts are coming in), `Reader`, `finish`. May import: store, mail, and the engine's own.
//! Start reading at: `Reader::start`. Taking a text in only keeps its bytes (`bulk.rs`); a thread of its own reads what is kept, newest
//! first. The queue is the cache's own rows, so it goes on where it was, however the program ended. While texts are coming in it takes
//! a small share of the machine: the line, and whoever presses a key, go first.

use super::api::{Fault, Task, Unit};
use super::fetch::read_raw;
use super::jobs::Running;
use super::shared::{Shared, note};
use crate::base::spawn::{Worker, guarded, spawn};
use crate::config::AccountConfig;
use crate::store::blobs::Blobs;
use crate::store::bodies::Reading;
use crate::store::{StoreErrorKind, poison, words};
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How many messages are read and recorded at once ...
const BATCH: u32 = 50;
/// ... or until their words are so many octets.
const OCTETS: usize = 1024 * 1024;
/// Between two batches while texts are coming in.
const PAUSE: Duration = Duration::from_millis(500);
/// How long the end of the thread is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Default)]
struct State {
    /// There may be something to read.
    rung: bool,
    /// How many fetches are under way.
    coming: u32,
    over: bool,
}

/// What the reading thread waits for.
#[derive(Default)]
pub struct Words {
    state: Mutex<State>,
    bell: Condvar,
}

/// Texts are coming in, until it is dropped.
pub(super) struct Coming<'a>(&'a Words);

impl Words {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here can be half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something was kept that is to be read. Never blocks.
    pub fn ring(&self) {
        self.lock().rung = true;
        self.bell.notify_all();
    }

    /// Texts begin to come in.
    pub(super) fn coming(&self) -> Coming<'_> {
        self.lock().coming += 1;
        Coming(self)
    }

    fn is_over(&self) -> bool {
        self.lock().over
    }

    /// Waits for a ring. False if it is over.
    fn wait(&self) -> bool {
        let waits = |state: &mut State| !state.rung && !state.over;
        let mut state = self.bell.wait_while(self.lock(), waits).unwrap_or_else(PoisonError::into_inner);
        state.rung = false;
        !state.over
    }

    /// Between two batches: makes room for what is coming in.
    fn pause(&self) {
        let waits = |state: &mut State| state.coming > 0 && !state.over;
        // Whether it was the time or the end of it makes no difference.
        drop(self.bell.wait_timeout_while(self.lock(), PAUSE, waits));
    }
}

impl Drop for Coming<'_> {
    fn drop(&mut self) {
        self.0.lock().coming -= 1;
        self.0.ring();
    }
}

/// The thread. Dropped, it ends after the message that it reads.
pub(super) struct Reader {
    shared: Arc<Shared>,
    thread: Option<Worker>,
}

impl Reader {
    /// Lets it begin with what an earlier process left.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn start(shared: &Arc<Shared>) -> io::Result<Self> {
        let mine = Arc::clone(shared);
        let thread = spawn("words", move || run(&mine))?;
        Ok(Self { shared: Arc::clone(shared), thread: Some(thread) })
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.shared.words.lock().over = true;
        self.shared.words.bell.notify_all();
        if let Some(thread) = self.thread.take() {
            // What is not read then is read at the next start.
            let _ = thread.join(PATIENCE);
        }
    }
}

fn run(shared: &Shared) {
    let mut told = false;
    loop {
        let done = guarded(|| {
            let on = || !shared.words.is_over();
            shared.config.accounts.iter().try_for_each(|account| all(shared, account, &on))
        });
        match done.unwrap_or_else(|panic| Err(Fault::bug(&panic))) {
            Ok(()) => told = false,
            // A full disk is met again with every text that comes.
            Err(fault) if told => note(&fault),
            Err(fault) => {
                shared.fault(fault);
                told = true;
            }
        }
        if !shared.words.wait() {
            return;
        }
    }
}

/// Reads what waits of an account, as long as `on` says so and nobody stops it.
fn all(shared: &Shared, config: &AccountConfig, on: &dyn Fn() -> bool) -> Result<(), Fault> {
    let task = Task::Index(config.name.clone());
    let (mut job, mut done): (Option<Running>, u64) = (None, 0);
    while on() && !shared.jobs.is_stopped(&task) {
        let some = batch(shared, config, BATCH, on)?;
        if some == 0 {
            break;
        }
        done += u64::from(some);
        // A few are read before anybody could look.
        let begin = || shared.begin(task.clone(), &config.name, "indexing texts", Unit::Messages, None);
        job.get_or_insert_with(begin).at(done, 0);
        shared.words.pause();
    }
    Ok(())
}

/// Reads at most `limit`; how many.
fn batch(shared: &Shared, config: &AccountConfig, limit: u32, on: &dyn Fn() -> bool) -> Result<u32, Fault> {
    let (next, left_out) = shared.store.read(|db| Ok((words::next(db, &config.name, limit)?, poison::left_out(db)?)))?;
    if next.is_empty() {
        return Ok(0);
    }
    let blobs = Blobs::open(&shared.store.places().cache)?;
    let (mut rows, mut octets): (Vec<_>, usize) = (Vec::new(), 0);
    for (message, blob) in next {
        if octets >= OCTETS || !on() {
            break;
        }
        let reading: Option<Reading> = match blobs.get(&blob) {
            Ok(_) if left_out.contains(&message) => Some(Reading::default()),
            Ok(bytes) => Some(read_raw(bytes)),
            // Somebody cleared the folder, or the disk did.
            Err(e) if matches!(e.kind, StoreErrorKind::Missing | StoreErrorKind::Invalid) => None,
            Err(e) => return Err(e.into()),
        };
        octets += reading.as_ref().map_or(0, |reading| reading.text.len());
        rows.push((message, blob, reading));
    }
    let count = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    shared.store.cache(move |tx| {
        rows.iter().try_for_each(|(message, blob, reading)| words::read(tx, *message, blob, reading.as_ref()))
    })?;
    Ok(count)
}

/// Reads what waits, here and now, for a verb; at most `limit` of each account. Nothing where another process holds the profile: it
/// reads them.
///
/// # Errors
/// The store, the disk.
pub fn finish(shared: &Shared, limit: u32) -> Result<(), Fault> {
    for config in shared.config.accounts.iter().filter(|_| shared.owner) {
        let mut left = limit;
        while left > 0 && !shared.cancel.is_set() {
            match batch(shared, config, left.min(BATCH), &|| true)? {
                0 => break,
                some => left = left.saturating_sub(some),
            }
        }
    }
    Ok(())
}

/// How many texts wait to be read.
///
/// # Errors
/// The store.
pub fn waiting(shared: &Shared) -> Result<u64, Fault> {
    Ok(shared.store.read(words::count)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::paths::Paths;
    use crate::config::Config;
    use crate::engine::Engine;
    use crate::engine::setup::{Mode, Setup};
    use crate::mail::fixtures;
    use crate::mail::ids::MessageKey;
    use crate::mail::mailbox::MailboxPath;
    use crate::mail::server::EnvelopeSeen;
    use crate::mail::uid::UidValidity;
    use crate::store::{bodies, mailboxes, messages};
    use std::path::Path;
    use std::time::Instant;

    const COUNT: u32 = 120;

    /// A profile with texts that came and were not read.
    fn engine(dir: &Path) -> (Engine, Vec<MessageKey>) {
        let text = "[account.a]\naddress = \"ann@example.org\"\nmaildir = \"Mail\"\n";
        let config = Config::parse(text, Path::new("c"), 0o600).unwrap();
        let engine = Engine::start(&Setup::new(config, Paths::of_profile(dir), Mode::Still)).unwrap();
        let store = &engine.shared().store;
        let rows: Vec<EnvelopeSeen> =
            (1..=COUNT).map(|n| EnvelopeSeen { received: i64::from(n), size: 30, ..fixtures::seen(n) }).collect();
        let name = engine.shared().config.accounts[0].name.clone();
        let account = name.clone();
        store
            .cache(move |tx| {
                let inbox = mailboxes::ensure(tx, &account, &MailboxPath::inbox())?;
                messages::record_new(tx, inbox, UidValidity(1), &rows)
            })
            .unwrap();
        let wanted = store.read(|db| bodies::wanted(db, &name, 0, u64::MAX, COUNT, &|_, _| true)).unwrap();
        let mut pack = Blobs::open(&store.places().cache).unwrap().pack();
        let kept: Vec<(MessageKey, String)> = wanted
            .iter()
            .map(|w| (w.message, pack.put(format!("Subject: s\r\n\r\nThe kohlrabi {}.\r\n", w.uid).as_bytes()).unwrap()))
            .collect();
        let keys = kept.iter().map(|(message, _)| *message).collect();
        store.cache(move |tx| kept.iter().try_for_each(|(message, blob)| words::kept(tx, *message, blob, 40))).unwrap();
        (engine, keys)
    }

    fn until(what: &str, mut done: impl FnMut() -> bool) {
        let end = Instant::now() + Duration::from_secs(60);
        while !done() {
            assert!(Instant::now() < end, "{what} did not come");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    #[test]
    fn what_came_is_read_newest_first_and_what_the_disk_lost_is_wanted_again() {
        let dir = tempfile::tempdir().unwrap();
        let (engine, keys) = engine(dir.path());
        let shared = engine.shared();
        let left = || waiting(shared).unwrap();
        finish(shared, 20).unwrap();
        assert_eq!(left(), u64::from(COUNT) - 20);
        let next = shared.store.read(|db| words::next(db, &shared.config.accounts[0].name, 1)).unwrap();
        assert_eq!(next[0].0, keys[20], "the newest first");
        finish(shared, u32::MAX).unwrap();
        assert_eq!(left(), 0);
        let read = |key: MessageKey| {
            shared
                .store
                .read(|db| {
                    Ok(bodies::wanted(db, &shared.config.accounts[0].name, 0, 99, COUNT, &|_, _| true)?
                        .iter()
                        .any(|w| w.message == key))
                })
                .unwrap()
        };
        assert!(!read(keys[3]));
        // Kept again, and then the folder is cleared.
        let key = keys[3];
        let pack = Blobs::open(&shared.store.places().cache).unwrap().pack().put(b"Subject: s\r\n\r\nx\r\n").unwrap();
        shared.store.cache(move |tx| words::kept(tx, key, &pack, 40)).unwrap();
        std::fs::remove_dir_all(dir.path().join("data/blobs")).unwrap();
        finish(shared, u32::MAX).unwrap();
        assert!(left() == 0 && read(keys[3]), "it is fetched again");
    }

    #[test]
    fn it_can_be_seen_and_stopped_and_goes_on_with_what_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let (engine, keys) = engine(dir.path());
        let (shared, config) = (engine.shared(), &engine.shared().config.accounts[0]);
        let left = || waiting(shared).unwrap();
        // It is asked before each message; after the first batch there is a job, and somebody stops it.
        let on = || {
            let job = shared.jobs.list().pop();
            job.is_none_or(|job| {
                job.what.as_str() == "indexing texts" && job.done == u64::from(BATCH) && shared.jobs.stop(job.id)
            })
        };
        all(shared, config, &on).unwrap();
        let before = left();
        assert!(before > 0 && before < u64::from(COUNT), "{before}");
        all(shared, config, &|| true).unwrap();
        assert_eq!(left(), before, "what was stopped rests");
        shared.jobs.restart(&config.name);
        let reader = Reader::start(shared).unwrap();
        until("the end of what was left", || left() == 0);
        let bytes = b"Subject: t\r\n\r\nLater.\r\n";
        let (key, blob) = (keys[0], Blobs::open(&shared.store.places().cache).unwrap().pack().put(bytes).unwrap());
        shared.store.cache(move |tx| words::kept(tx, key, &blob, 40)).unwrap();
        shared.words.ring();
        until("what came later", || left() == 0);
        drop(reader);
    }
}
