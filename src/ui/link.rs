//! link — the engine as the screen sees it: asked and told without waiting, heard through one file descriptor.
//! Owns: `Link`, `Host`. May import: app, config, engine::api, mail.
//! Start reading at: `Link`. A trait, so that a test can be an engine.

use crate::app::msg::Refusal;
use crate::base::cancel::Cancel;
use crate::config::discovery::Found;
use crate::config::edit::NewAccount;
use crate::engine::api::{News, Password, Query, Request, Slot, Ticket};
use crate::mail::ids::AccountName;
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

/// What else a reader needs done that is not the engine's: the door does it.
pub trait Host: Send + Sync {
    /// Tests the logins of a new account, and saves it if they succeed and nobody stopped it. Runs on a thread of its own.
    ///
    /// # Errors
    /// The step that failed (`Kind::Cancelled` once `stop` was thrown); nothing was saved then.
    fn try_account(&self, account: &NewAccount, password: Option<&Password>, stop: &Cancel) -> Result<AccountName, Refusal>;

    /// Looks for the servers of an address, until it is done or `stop` is thrown. That nothing was found is an answer. Runs on a thread
    /// of its own.
    fn find_servers(&self, address: &str, stop: &Cancel) -> Found;
}
