//! waiting — requests that need something of a message that is not here: carried out as soon as it is.
//! Owns: `Waiting`. May import: the engine's own.
//! Start reading at: `Waiting::arrived`. Who asked hears nothing until then: the outcome is that of the request itself.

use super::Ear;
use crate::engine::api::{Piece, Request, Ticket};
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

    /// This is here, or cannot be had: who waited for it.
    pub fn arrived(&mut self, message: MessageKey, piece: &Piece) -> Vec<Waits> {
        self.0.extract_if(.., |w| w.message == message && w.piece == *piece).collect()
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
