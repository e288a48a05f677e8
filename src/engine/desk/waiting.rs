//! waiting — requests that need something of a message that is not here: carried out as soon as it is.
//! Owns: `Waiting`, the half of the clerk that waits. May import: store, and the engine's own.
//! Start reading at: `Waiting::arrived`. Who asked hears nothing until then: the outcome is that of the request itself.

use super::{Clerk, Ear, forward, parts};
use crate::engine::api::{Done, Fault, Kind, Piece, Request, Ticket};
use crate::engine::asked::{self, Left};
use crate::engine::awaited::Asking;
use crate::mail::body::PartPath;
use crate::mail::ids::{MessageKey, OutboxId, PlacementKey};
use crate::store::{mailboxes, placements};
use std::path::PathBuf;

/// The most requests that wait; more are refused.
const MAX: usize = 1_000;

/// One of them.
#[derive(Debug)]
pub(super) struct Waits {
    /// For this message.
    pub message: MessageKey,
    /// For this of it.
    pub piece: Piece,
    /// Since this asking for it.
    pub asking: Asking,
    /// What was asked for.
    pub request: Request,
    /// Under this ticket.
    pub ticket: Ticket,
    /// Who waits for the outcome, if not the news.
    pub ear: Ear,
}

/// The folder and the name of the file that a request makes, if that is to be made also later.
pub(super) fn file(request: &Request) -> Option<(PathBuf, String)> {
    match request {
        Request::SavePart { folder, name, to_open: false, .. } => Some((folder.clone(), name.clone())),
        _ => None,
    }
}

/// What is written down of a request that waits for `piece`: a file that is to be saved is wanted also where its message has to be
/// read first.
pub(super) fn lasting(request: &Request, piece: &Piece) -> Piece {
    match request {
        Request::SavePart { part, .. } => Piece::Part(part.clone()),
        _ => piece.clone(),
    }
}

impl Waits {
    /// As [`file`].
    pub fn file(&self) -> Option<(PathBuf, String)> {
        file(&self.request)
    }
}

/// All of them, in the order in which they were asked.
#[derive(Debug, Default)]
pub(super) struct Waiting(Vec<Waits>);

impl Waiting {
    /// Whether no more can wait.
    pub fn is_full(&self) -> bool {
        self.0.len() >= MAX
    }

    /// Keeps one more.
    pub fn add(&mut self, one: Waits) {
        self.0.push(one);
    }

    /// This is here, or an asking for it ended: who waited for it, and did not ask later than `until`.
    pub fn arrived(&mut self, message: MessageKey, piece: &Piece, until: Asking) -> Vec<Waits> {
        self.0.extract_if(.., |w| w.message == message && w.piece == *piece && w.asking <= until).collect()
    }

    /// Something may be here that another process fetched: all who wait.
    pub fn all(&mut self) -> Vec<Waits> {
        std::mem::take(&mut self.0)
    }
}

impl Clerk {
    /// What was waited for is here, or cannot be had: requests that waited are carried out or end, files that were asked for
    /// before are made.
    pub(super) fn arrived(&mut self, message: MessageKey, piece: &Piece, asking: Asking, how: &Result<(), Fault>) {
        // Who asked after that end waits for another one.
        let until = if how.is_ok() { Asking::MAX } else { asking };
        let later = self.shared.awaited.asking(message, piece).is_some_and(|now| now > until);
        let left = if later { Left::default() } else { asked::over(&self.shared, message, piece, how) };
        let Left { mut files, waits } = left;
        // Whoever sleeps has to know when it is due.
        self.crew.intents(&waits);
        for waits in self.waiting.arrived(message, piece, until) {
            match how {
                Ok(()) => {
                    files.retain(|file| waits.file().as_ref() != Some(file));
                    self.request(waits.ticket, waits.request, waits.ear);
                }
                Err(fault) => self.end(waits.ticket, waits.ear, Err(fault.clone())),
            }
        }
        if how.is_ok() {
            for (folder, name) in files {
                self.told(if forward::is_for(&folder) {
                    forward::arrived(&self.shared, message, piece, &name)
                } else {
                    parts::saved(&self.shared, message, piece, &folder, &name)
                });
            }
            self.told(asked::done(&self.shared, message, piece));
        }
        if *piece != Piece::Text {
            self.told(self.complete());
        }
    }

    /// Mails that waited for their files are sent when all are here.
    pub(super) fn complete(&self) -> Result<(), Fault> {
        if forward::complete(&self.shared)? {
            self.crew.outgoing();
        }
        Ok(())
    }

    /// Attaches parts of a message, and has those fetched that are not here.
    pub(super) fn attach(&self, message: PlacementKey, paths: &[PartPath]) -> Result<Done, Fault> {
        let (done, wanted) = forward::attach(&self.shared, message, paths)?;
        for piece in wanted {
            self.fetch(message, &piece)?;
        }
        Ok(done)
    }

    /// Has what a mail of the outbox waits for fetched; whether it waits for anything.
    pub(super) fn ask_again(&self, id: OutboxId) -> Result<bool, Fault> {
        let Some(wanted) = forward::again(&self.shared, id)? else { return Ok(false) };
        for (message, piece) in wanted {
            self.fetch(message, &piece)?;
        }
        Ok(true)
    }

    /// The person does not want it any more.
    pub(super) fn forget(&self, message: MessageKey, piece: &Piece) {
        let fault = Fault::new(Kind::Cancelled, "stopped; what is here of it is kept");
        // What nobody waits for in this process is only a row.
        if self.shared.awaited.failed(message, piece, None, fault.clone()) {
            self.shared.text_changed(message);
        } else {
            asked::over(&self.shared, message, piece, &Err(fault));
        }
    }

    /// Who still waits is told that nothing comes any more.
    pub(super) fn leave(&mut self) {
        for waits in self.waiting.all() {
            self.end(waits.ticket, waits.ear, Err(Fault::new(Kind::Cancelled, "stopped before it was here")));
        }
    }

    /// Whether what is asked for of a message cannot come just now.
    fn has_no_line(&self, message: PlacementKey) -> bool {
        let found = self.shared.store.read(|db| Ok(mailboxes::get(db, placements::get(db, message)?.mailbox)?.account));
        found.is_ok_and(|account| self.shared.awaited.has_no_line(&account))
    }

    /// Has `piece` fetched, and `request` wait for it. Gives the ear back with the fault if that cannot be.
    pub(super) fn wait(
        &mut self,
        ticket: Ticket,
        request: Request,
        ear: Ear,
        placement: PlacementKey,
        piece: Piece,
    ) -> Option<(Ear, Fault)> {
        let idle = self.shared.owner && !self.crew.is_at_work();
        let file = file(&request);
        let opens = matches!(request, Request::SavePart { to_open: true, .. });
        if idle || (self.shared.offline && file.is_none() && !opens) {
            let what = "this is on the server only, and no connection is to be opened";
            return Some((ear, Fault::new(Kind::Missing, what)));
        }
        let save = file.map(|(folder, name)| (folder.to_string_lossy().into_owned(), name));
        let lasting = lasting(&request, &piece);
        if let Err(fault) = asked::write(&self.shared, placement, &lasting, save) {
            return Some((ear, fault));
        }
        // Nothing is opened by itself an hour later: who looks again finds it here.
        if self.shared.offline || (opens && self.has_no_line(placement)) {
            let done = self.fetch(placement, &lasting).map(|_| Done { later: true, ..Done::default() });
            self.end(ticket, ear, done);
            return None;
        }
        if self.waiting.is_full() {
            return Some((ear, Fault::new(Kind::Busy, "too much is being fetched already")));
        }
        let message = match self.shared.store.read(|db| placements::get(db, placement)) {
            Ok(place) => place.message,
            Err(e) => return Some((ear, e.into())),
        };
        if let Err(fault) = self.fetch(placement, &piece) {
            return Some((ear, fault));
        }
        // Its end comes to this thread: not before this is done.
        let asking = self.shared.awaited.asking(message, &piece).unwrap_or_default();
        self.waiting.add(Waits { message, piece, asking, request, ticket, ear });
        None
    }
}
