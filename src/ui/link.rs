//! link — the engine as the screen sees it: asked and told without waiting, heard through one file descriptor.
//! Owns: `Link`. May import: engine::api.
//! Start reading at: `Link`. A trait, so that a test can be an engine.

use crate::engine::api::{News, Query, Request, Slot, Ticket};
use rustix::fd::BorrowedFd;

/// What answers.
pub trait Link {
    /// Asks for something to be done; its outcome comes as news.
    fn request(&self, request: Request) -> Ticket;
    /// Asks a question for a slot; the answer comes as news. The number of the question.
    fn query(&self, slot: Slot, query: Query) -> u64;
    /// Readable while there are news.
    fn fd(&self) -> BorrowedFd<'_>;
    /// Takes all news.
    fn take(&self) -> News;
}
