//! handle — the engine as one value: started once, asked and told things without ever blocking.
//! Owns: `Engine`. May import: base, and the engine's own.
//! Start reading at: `Engine::start`. What comes back lies in one inbox, which a poll set can wait for.

use super::answer::{self, Answerer};
use super::api::{Answer, Connectivity, Done, Fault, Kind, News, Query, Request, Rows, Slot, Ticket};
use super::crew::Crew;
use super::desk::{Desk, Errand};
use super::lane::Lane;
use super::onlooker;
use super::owner::{Door, Lock};
use super::setup::{self, Mode, Setup};
use super::shared::Shared;
use crate::store::Stop;
use rustix::fd::BorrowedFd;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel, sync_channel};
use std::time::Duration;

/// The engine. Dropping it ends all threads; what they had not finished goes on at the next start.
pub struct Engine {
    // In the order in which they go: nobody new is let in, no more questions, the accounts, then the files and the lock.
    _door: Option<Door>,
    lists: Lane,
    searches: Lane,
    texts: Lane,
    pages: Lane,
    desk: Desk,
    shared: Arc<Shared>,
    tickets: AtomicU64,
    generations: AtomicU64,
    _lock: Option<Lock>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("shared", &self.shared).finish_non_exhaustive()
    }
}

impl Engine {
    /// Starts it: takes the profile or attaches to it, opens both files, recovers, and lets the threads begin.
    ///
    /// # Errors
    /// Without its own files or threads it cannot work.
    pub fn start(setup: &Setup) -> Result<Self, Fault> {
        let (send, errands) = channel();
        let rebuilt = on_rebuilt(send.clone());
        let (shared, lock) = setup::open(setup, rebuilt)?;
        let shared = Arc::new(shared);
        // Only the owner's reader works; everybody else writes down what is wanted.
        let crew = match (&lock, setup.mode) {
            (Some(_), Mode::Live) => Crew::start(&shared).map_err(|e| no_threads(&e))?,
            _ => Crew::default(),
        };
        let door = match (&lock, setup.mode) {
            (Some(_), Mode::Live) => Some(open_door(&shared, send.clone()).map_err(|e| no_threads(&e))?),
            _ => None,
        };
        if !shared.owner {
            shared.config.accounts.iter().for_each(|account| shared.connectivity(&account.name, Connectivity::Elsewhere));
        }
        if !shared.owner && setup.mode == Mode::Live {
            onlooker::start(&shared).map_err(|e| no_threads(&e))?;
        }
        let desk = Desk::start(Arc::clone(&shared), crew, send, errands).map_err(|e| no_threads(&e))?;
        if door.is_some() {
            desk.hand_in(Errand::Tidy);
        }
        Ok(Self {
            _door: door,
            lists: store_lane("lists", &shared)?,
            searches: store_lane("search", &shared)?,
            texts: store_lane("texts", &shared)?,
            pages: lane("pages", &shared, lay_out)?,
            desk,
            shared,
            tickets: AtomicU64::new(0),
            generations: AtomicU64::new(0),
            _lock: lock,
        })
    }

    /// Asks for something to be done. Its outcome comes as news, as soon as what the person did is durable.
    pub fn request(&self, request: Request) -> Ticket {
        let ticket = Ticket(self.tickets.fetch_add(1, Ordering::Relaxed) + 1);
        self.desk.hand_in(Errand::Request(ticket, Box::new(request), None));
        ticket
    }

    /// The same for a verb, which has nothing else to do: waits until it is durable.
    ///
    /// # Errors
    /// Its outcome's.
    pub fn perform(&self, request: Request) -> Result<Done, Fault> {
        let (ear, outcome) = sync_channel(1);
        let ticket = Ticket(self.tickets.fetch_add(1, Ordering::Relaxed) + 1);
        self.desk.hand_in(Errand::Request(ticket, Box::new(request), Some(ear)));
        outcome.recv().unwrap_or_else(|_| Err(Fault::bug("the desk is closed")))
    }

    /// Asks a question for a slot; the answer comes as news, unless the slot asks again before. The number of the question.
    pub fn query(&self, slot: Slot, query: Query) -> u64 {
        let generation = self.generations.fetch_add(1, Ordering::Relaxed) + 1;
        // A long search must not keep lists waiting, nor must a large message or its layout.
        let lane = match query {
            Query::Search { .. } => &self.searches,
            Query::Message(_) => &self.texts,
            Query::Page(_) => &self.pages,
            _ => &self.lists,
        };
        lane.ask(slot, generation, query);
        generation
    }

    /// The same for a verb: answers on this thread.
    ///
    /// # Errors
    /// The answer's.
    pub fn ask(&self, query: &Query) -> Result<Rows, Fault> {
        answerer(&self.shared)?.answer(query, &Stop::new())
    }

    /// Readable while there are news.
    #[must_use]
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.shared.news.fd()
    }

    /// Takes all news.
    #[must_use]
    pub fn take(&self) -> News {
        self.shared.news.take()
    }

    /// Waits for news, at most for so long, and takes them.
    #[must_use]
    pub fn wait(&self, limit: Duration) -> News {
        self.shared.news.wait(limit)
    }

    /// What the threads share: for verbs that work without accounts running.
    #[must_use]
    pub const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Whether this process holds the profile.
    #[must_use]
    pub fn is_owner(&self) -> bool {
        self.shared.owner
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.shared.cancel.ring();
    }
}

fn no_threads(error: &io::Error) -> Fault {
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

fn answerer(shared: &Shared) -> Result<Answerer, Fault> {
    let accounts = shared.config.accounts.iter().map(|a| a.name.clone()).collect();
    Answerer::new(&shared.store, &shared.jobs, accounts, Arc::clone(&shared.awaited))
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
