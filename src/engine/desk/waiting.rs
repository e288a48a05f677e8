//! waiting — requests that need something of a message that is not here: carried out as soon as it is.
//! Owns: `Waiting`. May import: the engine's own.
//! Start reading at: `Waiting::arrived`. Who asked hears nothing until then: the outcome is that of the request itself.

use super::Ear;
use crate::engine::api::{Piece, Request, Ticket};
use crate::engine::awaited::Asking;
use crate::mail::ids::MessageKey;
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

    /// Whether anybody waits.
    pub fn any(&self) -> bool {
        !self.0.is_empty()
    }
}
