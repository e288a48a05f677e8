//! setup — the start path: who holds the profile, both files open, what a crash left behind set right.
//! Owns: `Setup`, `Mode`, `open`. May import: store, config, base, and the engine's own.
//! Start reading at: `open`. There is no check of the files here (decisions 7), and nothing waits for a network.

use super::api::{Fault, Kind, News, Reach};
use super::filed::Filers;
use super::jobs::Jobs;
use super::offline;
use super::outbox::state;
use super::owner::Lock;
use super::servers::Servers;
use super::shared::{self, Pace, Shared};
use super::translate::file_fault;
use crate::base::busy::Busy;
use crate::base::cancel::Cancel;
use crate::base::clock::{Clock, System};
use crate::base::inbox::Inbox;
use crate::base::log;
use crate::base::paths::Paths;
use crate::base::secret::Secret;
use crate::config::Config;
use crate::mail::ids::AccountName;
use crate::mail::intent::Operation;
use crate::store::spool::Spool;
use crate::store::{self, Places, Result as Stored, Store, StoreErrorKind, Topic, journal, mailboxes, outbox, overlay};
use std::collections::HashSet;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a start waits for a verb that holds the profile for a moment.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// What the program is started for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// The reader, `watch`, `--wait`: accounts are kept in step for as long as it runs.
    Live,
    /// A verb that looks or writes an intent and ends: nothing connects.
    Still,
}

/// What somebody begins to work for, where it is not all that an account needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Errand {
    /// What is asked for of messages of this account is fetched, over one connection.
    Fetch(AccountName),
    /// What is wished is told to the servers, over one connection each, and what is to be sent is sent. Nobody is asked what is new.
    Tell,
}

/// All that a start needs.
#[derive(Clone)]
pub struct Setup {
    /// What the person configured.
    pub config: Arc<Config>,
    /// Where our files are.
    pub paths: Paths,
    /// What it is started for.
    pub mode: Mode,
    /// `--offline`: no connection is opened.
    pub offline: bool,
    /// Where it is live: only this is done.
    pub errand: Option<Errand>,
    /// Civil time.
    pub clock: Arc<dyn Clock>,
    /// How often things are looked at.
    pub pace: Pace,
    /// A password that the person typed already, in the form that made the account: known before anything connects, so
    /// that nobody is asked for it again.
    pub typed: Option<(AccountName, Secret)>,
}

impl std::fmt::Debug for Setup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setup").field("paths", &self.paths).field("mode", &self.mode).finish_non_exhaustive()
    }
}

impl Setup {
    /// With the system's clock, and connections allowed.
    #[must_use]
    pub fn new(config: Config, paths: Paths, mode: Mode) -> Self {
        let (clock, pace) = (Arc::new(System), Pace::default());
        Self { config: Arc::new(config), paths, mode, offline: false, errand: None, clock, pace, typed: None }
    }
}

/// Takes the profile if it is free.
///
/// # Errors
/// `Disk`: its folders cannot be used.
pub fn lock(setup: &Setup) -> Result<Option<Lock>, Fault> {
    setup.paths.create().map_err(|e| file_fault(&e, "a folder cannot be used").reaching(Reach::Program))?;
    take_lock(setup).map_err(|e| disk(&e))
}

/// Opens both files, and recovers if this process is the `owner` of the profile. `rebuilt` is called, on a writing thread,
/// when the cache had to be begun anew while the program runs.
///
/// # Errors
/// `Disk` or `Store`: without its own files the program cannot do anything.
pub fn open(setup: &Setup, news: &Inbox<News>, owner: bool, rebuilt: impl Fn() + Send + Sync + 'static) -> Result<Shared, Fault> {
    let dir = &setup.paths.data;
    let ear = news.clone();
    let told: store::Told = Arc::new(move |set| {
        if set.has(&Topic::CacheRebuilt) {
            rebuilt();
        }
        ear.put(|news| news.changes.absorb(shared::changes(&set)));
    });
    let places = Places { state: dir.clone(), cache: dir.clone() };
    let store = if owner { Store::open_at(places, told)? } else { Store::attach(places, told)? };
    let shared = Shared {
        spool: Spool::open(dir)?,
        store,
        jobs: Jobs::new(news.clone()),
        servers: Arc::new(Servers::new(news.clone())),
        news: news.clone(),
        clock: Arc::clone(&setup.clock),
        config: Arc::clone(&setup.config),
        offline: setup.offline,
        errand: setup.errand.clone(),
        owner,
        socket: setup.paths.socket(),
        busy: Busy::default(),
        cancel: Cancel::new().map_err(|e| disk(&e))?,
        typed: setup.typed.clone().into_iter().collect(),
        filers: Filers::default(),
        pace: setup.pace,
        awaited: Arc::default(),
        metered: std::sync::atomic::AtomicBool::new(false),
        kept: super::kept::Kept::default(),
        words: super::words::Words::default(),
        names: std::sync::RwLock::default(),
    };
    if shared.owner {
        recover(&shared, setup.mode)?;
    }
    offline::recall(&shared)?;
    Ok(shared)
}

fn disk(error: &io::Error) -> Fault {
    Fault::new(Kind::Disk, "the profile cannot be used").because(&error.to_string())
}

/// A verb holds the profile only for a moment: the reader waits for its end, a verb does without.
fn take_lock(setup: &Setup) -> io::Result<Option<Lock>> {
    let end = Instant::now() + PATIENCE;
    loop {
        let lock = Lock::take(&setup.paths.data)?;
        // Who has a door open stays for long.
        if lock.is_some() || setup.mode == Mode::Still || setup.paths.socket().exists() || Instant::now() >= end {
            return Ok(lock);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Sets right what an earlier process left half done: commands that may have reached a server become uncertain, mails
/// that may have been sent are not sent again, and what the person sees is derived anew from the journal.
fn recover(shared: &Shared, mode: Mode) -> Result<(), Fault> {
    let pending = shared.store.state(|tx| {
        journal::recover(tx)?;
        for mail in outbox::list(tx)? {
            if let Some(change) = state::recover(&mail) {
                outbox::update(tx, mail.id, |mail| {
                    (mail.state, mail.attempts, mail.due, mail.fault) = (change.state, change.attempts, change.due, change.fault);
                    true
                })?;
            }
        }
        journal::pending(tx, None)
    })?;
    match derive(shared, mode, &pending) {
        // Damage that nobody saw when the file was opened, or tables that are not ours: what is lost there can be fetched again.
        Err(e) if matches!(e.kind, StoreErrorKind::Corrupt | StoreErrorKind::Bug) => {
            log::warn("start", format_args!("the cache cannot be used: {e}"));
            if e.kind == StoreErrorKind::Bug {
                shared.store.begin_anew()?;
            } else {
                // The store has seen to it itself: behind that.
                shared.store.cache(|_| Ok(()))?;
            }
            Ok(derive(shared, mode, &pending)?)
        }
        done => Ok(done?),
    }
}

/// What the person sees, from the journal.
fn derive(shared: &Shared, mode: Mode, pending: &[Operation]) -> Stored<()> {
    let accounts: HashSet<AccountName> = shared.config.accounts.iter().map(|a| a.name.clone()).collect();
    let pending: Vec<_> = pending.iter().filter(|o| accounts.contains(&o.account)).cloned().collect();
    match mode {
        Mode::Live if shared.errand.is_none() => shared.store.cache(move |tx| {
            // Of an account that is configured no more only what no server can give again is kept.
            let known: HashSet<AccountName> = mailboxes::list(tx, None)?.into_iter().map(|row| row.account).collect();
            known.difference(&accounts).try_for_each(|gone| mailboxes::remove_account(tx, gone))?;
            overlay::rebuild(tx, &pending)
        }),
        // The rows that the last verb printed keep their numbers.
        Mode::Live | Mode::Still => overlaid(shared),
    }
}

/// Lays all that is pending over the cache, and takes off what is not pending any more: after another process wrote
/// intents.
///
/// # Errors
/// The store's own.
pub fn lay_over(shared: &Shared) -> Result<(), Fault> {
    Ok(overlaid(shared)?)
}

fn overlaid(shared: &Shared) -> Stored<()> {
    let laid = shared.store.read(overlay::operations)?;
    let current = shared.store.read_state(|db| {
        let mut all = journal::pending(db, None)?;
        for id in laid {
            if let Err(at) = all.binary_search_by_key(&id, |o| o.id)
                && let Some(ended) = journal::find(db, id)?
            {
                all.insert(at, ended);
            }
        }
        Ok(all)
    })?;
    if !current.is_empty() {
        shared.store.cache(move |tx| current.iter().try_for_each(|operation| overlay::apply(tx, operation)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Manual;
    use crate::mail::fixtures;
    use crate::mail::outgoing::OutboxState;

    fn setup(dir: &std::path::Path, mode: Mode) -> Setup {
        let clock = Arc::new(Manual::at(1_700_000_000));
        Setup { clock, ..Setup::new(Config::default(), Paths::of_profile(dir), mode) }
    }

    fn opened(setup: &Setup) -> (Shared, Option<Lock>) {
        let lock = lock(setup).unwrap();
        (open(setup, &Inbox::new().unwrap(), lock.is_some(), || ()).unwrap(), lock)
    }

    /// F-06: what only shows when the cache is asked stops no start.
    #[test]
    fn a_cache_whose_tables_are_not_ours_is_begun_anew() {
        for mode in [Mode::Live, Mode::Still] {
            let dir = tempfile::tempdir().unwrap();
            let setup = setup(dir.path(), mode);
            drop(opened(&setup));
            let db = rusqlite::Connection::open(setup.paths.data.join("cache.sqlite")).unwrap();
            db.execute_batch("PRAGMA foreign_keys = OFF; DROP TABLE wish; DROP TABLE placement").unwrap();
            drop(db);
            let (shared, _lock) = opened(&setup);
            assert!(shared.store.read(|db| mailboxes::list(db, None)).unwrap().is_empty());
            let aside = |e: std::fs::DirEntry| e.file_name().to_string_lossy().starts_with("cache.sqlite.bad-");
            assert!(std::fs::read_dir(&setup.paths.data).unwrap().any(|e| aside(e.unwrap())));
        }
    }

    #[test]
    fn a_second_process_attaches_and_the_next_owner_recovers() {
        let dir = tempfile::tempdir().unwrap();
        let (first, lock) = opened(&setup(dir.path(), Mode::Live));
        assert!(first.owner && lock.is_some());
        let mail = fixtures::outgoing();
        let id = first
            .store
            .state(move |tx| {
                let id = outbox::add(tx, &mail, 0)?;
                outbox::update(tx, id, |m| {
                    m.state = OutboxState::DotSent;
                    true
                })?;
                Ok(id)
            })
            .unwrap();
        let (second, none) = opened(&setup(dir.path(), Mode::Still));
        assert!(!second.owner && none.is_none());
        let seen = second.store.read_state(move |db| outbox::get(db, id)).unwrap();
        assert_eq!(seen.state, OutboxState::DotSent, "only the owner may judge what was in flight");
        drop((first, lock, second));
        let (third, _lock) = opened(&setup(dir.path(), Mode::Live));
        assert_eq!(third.store.read_state(move |db| outbox::get(db, id)).unwrap().state, OutboxState::Unknown);
    }
}
