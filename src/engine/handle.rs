//! handle — the engine as one value: started once, asked and told things without ever blocking.
//! Owns: `Engine`. May import: base, and the engine's own.
//! Start reading at: `Engine::start`. What comes back lies in one inbox, which a poll set can wait for.

use super::api::{Answer, Done, Fault, News, Outcome, Query, Request, Rows, Slot, Ticket};
use super::desk::Errand;
use super::office::{Office, Staff, answerer, no_threads};
use super::onlooker;
use super::setup::{self, Mode, Setup};
use super::shared::Shared;
use crate::base::inbox::Inbox;
use crate::base::spawn::Worker;
use crate::store::Stop;
use rustix::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

/// How long the end of the thread that waits for a profile is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// The engine. Dropping it ends all threads; what they had not finished goes on at the next start.
pub struct Engine {
    office: Arc<Office>,
    news: Inbox<News>,
    /// As it was at the start.
    shared: Arc<Shared>,
    tickets: AtomicU64,
    generations: AtomicU64,
    /// Only where another process holds the profile: waits for its end.
    heir: Option<Worker>,
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
        let news = Inbox::new().map_err(|e| no_threads(&e))?;
        let lock = setup::lock(setup)?;
        let staff = Staff::start(setup, &news, lock)?;
        let shared = Arc::clone(&staff.shared);
        let office = Arc::new(Office::new(setup.clone(), news.clone(), staff));
        let waits = !shared.owner && setup.mode == Mode::Live;
        let heir = if waits { Some(onlooker::start(&office, &shared).map_err(|e| no_threads(&e))?) } else { None };
        Ok(Self { office, news, shared, tickets: AtomicU64::new(0), generations: AtomicU64::new(0), heir })
    }

    /// Asks for something to be done. Its outcome comes as news, as soon as what the person did is durable.
    pub fn request(&self, request: Request) -> Ticket {
        let ticket = Ticket(self.tickets.fetch_add(1, Ordering::Relaxed) + 1);
        match &*self.office.staff() {
            Some(staff) => staff.desk.hand_in(Errand::Request(ticket, Box::new(request), None)),
            None => self.news.put(|news| news.outcomes.push(Outcome { ticket, result: Err(closed()) })),
        }
        ticket
    }

    /// The same for a verb, which has nothing else to do: waits until it is durable.
    ///
    /// # Errors
    /// Its outcome's.
    pub fn perform(&self, request: Request) -> Result<Done, Fault> {
        let (ear, outcome) = sync_channel(1);
        let ticket = Ticket(self.tickets.fetch_add(1, Ordering::Relaxed) + 1);
        match &*self.office.staff() {
            Some(staff) => staff.desk.hand_in(Errand::Request(ticket, Box::new(request), Some(ear))),
            None => return Err(closed()),
        }
        outcome.recv().unwrap_or_else(|_| Err(closed()))
    }

    /// Waits until all is carried out that was asked for so far, and files are made of what came: what a verb does at its end.
    pub fn finish(&self) {
        let (call, done) = sync_channel(0);
        match &*self.office.staff() {
            Some(staff) => staff.desk.hand_in(Errand::Call(call)),
            None => return,
        }
        // Nothing is ever sent: the end of the call is the answer.
        let _ = done.recv();
    }

    /// Asks a question for a slot; the answer comes as news, unless the slot asks again before. The number of the question.
    pub fn query(&self, slot: Slot, query: Query) -> u64 {
        let generation = self.generations.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(staff) = &*self.office.staff() {
            // A long search must not keep lists waiting, nor must a large message or its layout.
            let lane = match query {
                Query::Search { .. } => &staff.searches,
                Query::Message(_) => &staff.texts,
                Query::Page(_) => &staff.pages,
                _ => &staff.lists,
            };
            lane.ask(slot, generation, query);
        } else {
            self.news.put(|news| drop(news.answers.insert(slot, Answer { generation, rows: Err(closed()) })));
        }
        generation
    }

    /// The same for a verb: answers on this thread.
    ///
    /// # Errors
    /// The answer's.
    pub fn ask(&self, query: &Query) -> Result<Rows, Fault> {
        let shared = self.office.staff().as_ref().map(|staff| Arc::clone(&staff.shared)).ok_or_else(closed)?;
        answerer(&shared)?.answer(query, &Stop::new())
    }

    /// Readable while there are news.
    #[must_use]
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.news.fd()
    }

    /// Takes all news.
    #[must_use]
    pub fn take(&self) -> News {
        self.news.take()
    }

    /// Waits for news, at most for so long, and takes them.
    #[must_use]
    pub fn wait(&self, limit: Duration) -> News {
        self.news.wait(limit)
    }

    /// What the threads share: for verbs, which work without accounts running and take nothing over.
    #[must_use]
    pub const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Whether this process holds the profile.
    #[must_use]
    pub fn is_owner(&self) -> bool {
        self.office.staff().as_ref().is_some_and(|staff| staff.shared.owner)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.shared.cancel.ring();
        if let Some(staff) = &*self.office.staff() {
            staff.shared.cancel.ring();
        }
        if let Some(heir) = self.heir.take() {
            // It looks four times a second; what it holds goes with it.
            let _ = heir.join(PATIENCE);
        }
        self.office.close();
    }
}

fn closed() -> Fault {
    Fault::bug("the program has lost its own files")
}
