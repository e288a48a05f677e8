//! desk — the one thread that carries out what the person asks for, in the order in which it was asked.
//! Owns: `Desk`, `Errand`, who is told afterwards. May import: store, config, mail, base, and the engine's own.
//! Start reading at: `Clerk::carry_out`. What the person did is durable before its outcome is told; no request waits for
//! a network, so the row of requests is short at all times.

mod again;
mod ask;
mod bring;
mod copies;
mod forward;
mod intents;
mod letters;
mod parts;
mod places;
mod rights;
mod target;
mod tree;
mod waiting;

pub use copies::{file_all, forget};
pub use forward::complete;
pub use intents::automatic;

use super::api::{Done, Fault, Outcome, Piece, Request, Ticket};
use super::asked;
use super::awaited::Asking;
use super::crew::Crew;
use super::kept;
use super::offline;
use super::owner::{Knock, ring};
use super::setup;
use super::shared::Shared;
use crate::base::busy::Working;
use crate::base::crash;
use crate::base::spawn::{Worker, guarded, spawn};
use crate::mail::ids::{AccountName, MessageKey, PlacementKey};
use crate::store::{placements, poison};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender};
use std::time::Duration;
use waiting::Waiting;

/// Who waits for an outcome; if nobody, it goes to the news.
type Ear = Option<SyncSender<Result<Done, Fault>>>;

/// Work for the desk.
#[derive(Debug)]
pub enum Errand {
    /// A request; its outcome goes to the news, or to who waits for it.
    Request(Ticket, Box<Request>, Ear),
    /// Something of a message that was waited for is here, or cannot be had. Counted as work from its first moment.
    Arrived(MessageKey, Piece, Asking, Result<(), Fault>, Working),
    /// Another process has written something.
    Seen,
    /// The cache was begun anew: lay the journal over it and fetch everything again.
    Rebuilt,
    /// Another process wants something.
    Knock(Knock),
    /// Do what can wait: remove what nothing names any more.
    Tidy,
    /// Nothing: who holds the other end hears, when this is dropped, that all that came before is done.
    Call(SyncSender<()>),
    /// Go home.
    End,
}

/// How long the end of a running request is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// The thread.
#[derive(Debug)]
pub struct Desk {
    errands: Sender<Errand>,
    worker: Option<Worker>,
}

impl Desk {
    /// Starts it. It takes `errands` in order and owns `crew` until its end.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn start(shared: Arc<Shared>, crew: Crew, send: Sender<Errand>, errands: Receiver<Errand>) -> io::Result<Self> {
        let worker = spawn("desk", move || {
            let mut clerk = Clerk { shared, crew, waiting: Waiting::default() };
            for errand in errands {
                if matches!(errand, Errand::End) {
                    clerk.leave();
                    return;
                }
                clerk.serve(errand);
            }
        })?;
        Ok(Self { errands: send, worker: Some(worker) })
    }

    /// Hands something in. Never blocks.
    pub fn hand_in(&self, errand: Errand) {
        // The desk ends only when this is dropped.
        let _ = self.errands.send(errand);
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = self.errands.send(Errand::End);
        if let Some(worker) = self.worker.take() {
            let _ = worker.join(PATIENCE);
        }
    }
}

/// Rings the owner. Nobody there: then nothing comes, as without a connection.
fn knock(shared: &Shared, what: &Knock) -> Done {
    let _ = ring(&shared.socket, what);
    Done::default()
}

/// Who sits at the desk.
struct Clerk {
    shared: Arc<Shared>,
    crew: Crew,
    waiting: Waiting,
}

impl Clerk {
    fn serve(&mut self, errand: Errand) {
        let shared = Arc::clone(&self.shared);
        let _working = shared.busy.begin();
        match errand {
            Errand::Request(ticket, request, ear) => self.request(ticket, *request, ear),
            Errand::Arrived(message, piece, asking, how, _working) => self.arrived(message, &piece, asking, &how),
            Errand::Seen => {
                self.told(offline::recall(&shared));
                for waits in self.waiting.all() {
                    self.request(waits.ticket, waits.request, waits.ear);
                }
            }
            Errand::Call(_) | Errand::End => {}
            Errand::Rebuilt => self.told(intents::rebuild(&shared).map(|()| self.crew.refresh(None))),
            Errand::Knock(Knock::Wake) => self.told(setup::lay_over(&shared).map(|()| self.crew.wake())),
            Errand::Knock(Knock::Refresh) => self.told(self.refresh(None)),
            // Another process' knowledge may be older than ours: what is gone is no fault of anybody's.
            Errand::Knock(Knock::Look(mailbox)) => drop(self.crew.opened(&shared, mailbox)),
            Errand::Knock(Knock::Fetch(message, piece)) => drop(self.crew.fetch(&shared, message, &piece)),
            Errand::Knock(Knock::Compose(what)) => shared.news.put(|news| news.compose.push(what)),
            Errand::Tidy => {
                self.told(letters::tidy(&shared));
                self.told(kept::start(&shared));
                self.told(asked::recall(&shared, &self.crew));
                self.told(self.complete());
                self.told(copies::catch_up(&shared).map(|accounts| self.crew.intents(&accounts)));
            }
        }
    }

    /// Carries out a request, now or when what it needs is here.
    fn request(&mut self, ticket: Ticket, request: Request, ear: Ear) {
        let missing = guarded(|| parts::missing(&self.shared, &request)).unwrap_or_else(|panic| Err(Fault::bug(&panic)));
        let result = match missing {
            Ok(None) => guarded(|| {
                crash::place("desk");
                self.carry_out(request)
            })
            .unwrap_or_else(|panic| Err(Fault::bug(&panic))),
            Ok(Some((placement, piece))) => match self.wait(ticket, request, ear, placement, piece) {
                None => return,
                Some((back, fault)) => return self.end(ticket, back, Err(fault)),
            },
            Err(fault) => Err(fault),
        };
        self.end(ticket, ear, result);
    }

    /// The owner works for all of us.
    fn fetch(&self, message: PlacementKey, piece: &Piece) -> Result<Done, Fault> {
        if self.shared.owner {
            return self.crew.fetch(&self.shared, message, piece);
        }
        super::crew::wanted(&self.shared, message, piece)?;
        Ok(knock(&self.shared, &Knock::Fetch(message, piece.clone())))
    }

    fn end(&self, ticket: Ticket, ear: Ear, result: Result<Done, Fault>) {
        match ear {
            // Who waited may have given up: then nobody wants to know.
            Some(ear) => drop(ear.send(result)),
            None => self.shared.news.put(|news| news.outcomes.push(Outcome { ticket, result })),
        }
    }

    /// Nobody asked, so a fault goes to the news.
    fn told(&self, result: Result<(), Fault>) {
        if let Err(fault) = result {
            self.shared.fault(fault);
        }
    }

    fn refresh(&self, account: Option<&AccountName>) -> Result<(), Fault> {
        intents::hurry(&self.shared, account)?;
        offline::recall(&self.shared)?;
        self.crew.refresh(account);
        if !self.shared.owner {
            knock(&self.shared, &Knock::Refresh);
        }
        Ok(())
    }

    fn carry_out(&mut self, request: Request) -> Result<Done, Fault> {
        let shared = Arc::clone(&self.shared);
        let shared = &*shared;
        let crew = &mut self.crew;
        match request {
            Request::Flag { .. }
            | Request::Move { .. }
            | Request::Copy { .. }
            | Request::File { .. }
            | Request::DeleteForever { .. }
            | Request::Mailbox(_)
            | Request::Undo { .. }
            | Request::Redo
            | Request::QueueRetry(_)
            | Request::QueueDrop(_) => {
                let (done, accounts) = intents::write(shared, request)?;
                crew.intents(&accounts);
                Ok(done)
            }
            // The owner works for all of us.
            Request::OpenMailbox(mailbox) if !shared.owner => Ok(knock(shared, &Knock::Look(mailbox))),
            Request::OpenMailbox(mailbox) => crew.opened(shared, mailbox),
            Request::Refresh { account } => self.refresh(account.as_ref()).map(|()| Done::default()),
            Request::AskServers { text } => ask::ask(&self.shared, crew, &text),
            Request::LeaveServers => {
                shared.servers.leave();
                Ok(Done::default())
            }
            Request::StopJob(id) if asked::is_row(id) => {
                let stopped = asked::stop(shared, id)?.ok_or_else(|| Fault::missing("this is over already"))?;
                if let Some((message, piece)) = stopped {
                    self.forget(message, &piece);
                }
                Ok(Done::default())
            }
            Request::StopJob(id) if shared.jobs.stop(id) => Ok(Done::default()),
            Request::StopJob(_) => Err(Fault::missing("this is over already")),
            Request::FetchBody(message) => self.fetch(message, &Piece::Text),
            Request::Stumbled(message) => {
                let message = shared.store.read(|db| placements::get(db, message))?.message;
                shared.store.cache(move |tx| poison::stumbled(tx, message))?;
                Ok(Done::default())
            }
            Request::FetchPart { message, piece } => {
                if !shared.owner || crew.is_at_work() {
                    asked::write(shared, message, &piece, None)?;
                }
                self.fetch(message, &piece)
            }
            Request::KeepOffline { mailbox, keep } => {
                let account = offline::choose(shared, mailbox, keep)?;
                self.refresh(Some(&account)).map(|()| Done::default())
            }
            Request::Metered(on) => {
                offline::meter(shared, on)?;
                self.refresh(None).map(|()| Done::default())
            }
            Request::ForgetPart { message, piece } => {
                self.forget(shared.store.read(|db| placements::get(db, message))?.message, &piece);
                Ok(Done::default())
            }
            Request::Password { account, password } => {
                crew.password(&account, password);
                Ok(Done::default())
            }
            Request::SaveDraft { id, account, draft } => letters::save(shared, id, &account, *draft),
            Request::Import { mailbox, messages } => {
                let (done, accounts) = bring::import(shared, mailbox, messages)?;
                crew.intents(&accounts);
                Ok(done)
            }
            Request::FileDraft(id) => {
                let (done, accounts) = copies::file(shared, id)?;
                crew.intents(&accounts);
                Ok(done)
            }
            Request::DiscardDraft(id) => {
                let (done, accounts) = letters::discard(shared, id)?;
                crew.intents(&accounts);
                Ok(done)
            }
            Request::Attach { path } => letters::attach(shared, &path),
            Request::SavePart { message, part, folder, name, to_open } => {
                parts::save(shared, message, &part, &folder, &name, to_open)
            }
            Request::AttachParts { message, parts } => self.attach(message, &parts),
            Request::Send { id, account, draft, hold } => {
                let done = letters::send(shared, id, &account, *draft, hold)?;
                crew.outgoing();
                done.outbox.filter(|_| done.later).map_or(Ok(false), |id| self.ask_again(id))?;
                Ok(done)
            }
            Request::SendReady { account, bytes, to } => {
                let done = letters::send_ready(shared, &account, &bytes, &to)?;
                crew.outgoing();
                Ok(done)
            }
            Request::OutboxRetry(id) => {
                if self.ask_again(id)? {
                    return Ok(Done { count: 1, outbox: Some(id), ..Done::default() });
                }
                let done = letters::retry(shared, id)?;
                self.crew.outgoing();
                Ok(done)
            }
            Request::OutboxMarkSent(id) => {
                let done = letters::mark_sent(shared, id)?;
                crew.outgoing();
                Ok(done)
            }
            Request::OutboxCancel(id) => again::cancel(shared, id),
        }
    }
}

#[cfg(test)]
mod asked_tests;
#[cfg(test)]
mod gmail_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tree_tests;
