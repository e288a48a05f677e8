//! office — everything of the engine that works, as one thing: opened for a profile, closed, and opened anew when the process
//! that held the profile has ended (decisions 8).
//! Owns: `Office`, `Staff`. May import: store, base, and the engine's own.
//! Start reading at: `Staff::start`, the one start path; `Office::inherit` is what a second window does with it.

use super::answer::{self, Answerer};
use super::api::{Answer, Connectivity, Fault, Kind, News, Query, Rows, Slot};
use super::crew::Crew;
use super::desk::{Desk, Errand};
use super::lane::Lane;
use super::owner::{Door, Lock};
use super::setup::{self, Mode, Setup};
use super::shared::Shared;
use super::words;
use crate::base::inbox::Inbox;
use crate::base::log;
use crate::store::Stop;
use std::io;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

/// Who works.
pub(super) struct Staff {
    // In the order in which they go: nobody new is let in, no more questions, the accounts, then the files and the lock.
    _door: Option<Door>,
    pub lists: Lane,
    pub searches: Lane,
    pub texts: Lane,
    pub pages: Lane,
    pub desk: Desk,
    _words: Option<words::Reader>,
    pub shared: Arc<Shared>,
    _lock: Option<Lock>,
}

impl Staff {
    /// Starts it: opens both files, recovers where `lock` says that the profile is ours, and lets the threads begin.
    ///
    /// # Errors
    /// Without its own files or threads it cannot work.
    pub fn start(setup: &Setup, news: &Inbox<News>, lock: Option<Lock>) -> Result<Self, Fault> {
        let (send, errands) = channel();
        let shared = Arc::new(setup::open(setup, news, lock.is_some(), on_rebuilt(send.clone()))?);
        let ear = Mutex::new(send.clone());
        let busy = shared.busy.clone();
        shared.awaited.tell(move |message, piece, asking, how| {
            let errand = Errand::Arrived(message, piece, asking, how, busy.begin());
            // While the program ends nobody has to be told.
            let _ = ear.lock().unwrap_or_else(PoisonError::into_inner).send(errand);
        });
        // Only the owner's reader works; everybody else writes down what is wanted.
        let works = shared.owner && setup.mode == Mode::Live;
        let crew = if works { Crew::start(&shared).map_err(|e| no_threads(&e))? } else { Crew::default() };
        let door = if works { Some(open_door(&shared, send.clone()).map_err(|e| no_threads(&e))?) } else { None };
        if !shared.owner {
            shared.config.accounts.iter().for_each(|account| shared.connectivity(&account.name, Connectivity::Elsewhere));
        }
        let reader = if works { Some(words::Reader::start(&shared).map_err(|e| no_threads(&e))?) } else { None };
        let desk = Desk::start(Arc::clone(&shared), crew, send, errands).map_err(|e| no_threads(&e))?;
        if works {
            desk.hand_in(Errand::Tidy);
        }
        Ok(Self {
            _door: door,
            lists: store_lane("lists", &shared)?,
            searches: store_lane("search", &shared)?,
            texts: store_lane("texts", &shared)?,
            pages: lane("pages", &shared, lay_out)?,
            desk,
            _words: reader,
            shared,
            _lock: lock,
        })
    }
}

/// Where the staff works, if it does.
pub(super) struct Office {
    setup: Setup,
    news: Inbox<News>,
    staff: RwLock<Option<Staff>>,
}

impl Office {
    /// Opens it with these.
    pub fn new(setup: Setup, news: Inbox<News>, staff: Staff) -> Self {
        Self { setup, news, staff: RwLock::new(Some(staff)) }
    }

    /// Who works now; nobody where the files could not be opened again.
    pub fn staff(&self) -> RwLockReadGuard<'_, Option<Staff>> {
        // What a panic leaves behind is there or not, never half.
        self.staff.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends everybody home, and waits for it.
    pub fn close(&self) {
        self.staff.write().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Takes the profile over if nobody holds it any more. Whether it did, for good.
    pub fn inherit(&self) -> bool {
        let lock = match Lock::take(&self.setup.paths.data) {
            Ok(Some(lock)) => lock,
            // Somebody has it; or the folder is gone, and then there is nothing to take over.
            Ok(None) | Err(_) => return false,
        };
        let mut staff = self.staff.write().unwrap_or_else(PoisonError::into_inner);
        let Some(before) = staff.take() else { return false };
        if before.shared.cancel.is_set() {
            *staff = Some(before);
            return false;
        }
        // What lies on its desk is written down first.
        drop(before);
        log::info("profile", format_args!("taken over: the process that held it has ended"));
        let again = |fault: Fault| {
            self.news.put(|news| news.fault(fault));
            Staff::start(&self.setup, &self.news, None)
        };
        match Staff::start(&self.setup, &self.news, Some(lock)).or_else(again) {
            Ok(new) => *staff = Some(new),
            Err(fault) => self.news.put(|news| news.fault(fault)),
        }
        drop(staff);
        // Questions that were under way found nobody to answer them.
        self.news.put(|news| {
            let changes = &mut news.changes;
            (changes.all, changes.mailboxes, changes.queue, changes.outbox, changes.drafts) = (true, true, true, true, true);
        });
        true
    }
}

pub(super) fn no_threads(error: &io::Error) -> Fault {
    Fault::new(Kind::Bug, "the program cannot start its threads").because(&error.to_string())
}

fn on_rebuilt(desk: Sender<Errand>) -> impl Fn() + Send + Sync + 'static {
    move || {
        // While the program ends nobody has to be told.
        let _ = desk.send(Errand::Rebuilt);
    }
}

fn open_door(shared: &Shared, desk: Sender<Errand>) -> io::Result<Door> {
    Door::open(&shared.socket, move |knock| {
        let _ = desk.send(Errand::Knock(knock));
    })
}

/// Who answers questions.
///
/// # Errors
/// The store's folder cannot be used.
pub(super) fn answerer(shared: &Shared) -> Result<Answerer, Fault> {
    let accounts = shared.config.accounts.iter().map(|a| a.name.clone()).collect();
    Answerer::new(&shared.store, &shared.jobs, accounts, Arc::clone(&shared.awaited), Arc::clone(&shared.servers))
}

fn store_lane(name: &str, shared: &Shared) -> Result<Lane, Fault> {
    let mut answerer = answerer(shared)?;
    lane(name, shared, move |query, stop| answerer.answer(query, stop))
}

/// Needs none of our files.
fn lay_out(query: &Query, _: &Stop) -> Result<Rows, Fault> {
    match query {
        Query::Page(sheet) => Ok(answer::laid(sheet)),
        _ => Err(Fault::bug("this is asked elsewhere")),
    }
}

fn lane(
    name: &str,
    shared: &Shared,
    answer: impl FnMut(&Query, &Stop) -> Result<Rows, Fault> + Send + 'static,
) -> Result<Lane, Fault> {
    let news = shared.news.clone();
    let tell = move |slot: Slot, answer: Answer| {
        news.put(|news| {
            // A slot may have asked on several lanes.
            if news.answers.get(&slot).is_none_or(|old| old.generation < answer.generation) {
                news.answers.insert(slot, answer);
            }
        });
    };
    Lane::start(name, answer, tell).map_err(|e| no_threads(&e))
}
