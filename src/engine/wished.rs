//! wished — what somebody waits for of messages, on its way from the wish to a connection.
//! Owns: `Desk::get` and the order of wishes. May import: net, and the engine's own.
//! Start reading at: `Desk::get`. Texts first, the newest wish before older ones: the person has moved on. Files in the order in
//! which they were asked for; they make room for a text between two pieces.

use super::api::Piece;
use super::fetch::{Fetcher, Got};
use super::fetch_parts::Patience;
use super::round::Halt;
use super::wishes::{Desk, Wish, want};
use crate::base::cancel::Cancel;
use crate::net::session::MailStore;

impl Desk {
    /// The text that was wished for last; without any, the file that was wished for first.
    fn wish(&self) -> Option<Wish> {
        let mut state = self.lock();
        let text = state.bodies.iter().rposition(|wish| wish.1 == Piece::Text);
        state.bodies.remove(text.unwrap_or(0))
    }

    /// Whether somebody waits for anything of a message: for `work` (not while a watcher takes it) or for the first watcher.
    pub fn has_wish(&self, work: bool) -> bool {
        let state = self.lock();
        !(state.bodies.is_empty() || work && state.watching)
    }

    /// Whether the journal has news.
    pub fn has_intents(&self) -> bool {
        self.lock().wishes.intents
    }

    /// Whether somebody waits for a text: files make room for it.
    fn has_text(&self) -> bool {
        self.lock().bodies.iter().any(|wish| wish.1 == Piece::Text)
    }

    /// Gets one thing that somebody waits for over `conn`, unless something else is more `urgent`. Whether there was any.
    pub fn get(
        &self,
        fetcher: &mut Fetcher<'_>,
        conn: &mut dyn MailStore,
        line: &Cancel,
        urgent: &dyn Fn() -> bool,
    ) -> Result<bool, Halt> {
        let Some(wish) = self.wish() else { return Ok(false) };
        let give_way = || self.cancel.is_set() || self.is_offline() || self.has_text() || urgent();
        let got = fetcher.piece(conn, wish.0, &wish.1, &Patience { give_way: &give_way, line: Some(line) });
        let got = got.inspect_err(|_| self.lock().bodies.push_front(wish.clone()))?;
        if got == Got::Later {
            self.lock().bodies.push_front(wish);
        }
        self.fetched(&got);
        Ok(true)
    }

    /// A body that was wished for is here, or cannot be: then what we know of its mailbox is out of date.
    fn fetched(&self, got: &Got) {
        if let Got::Gone(mailbox) = got {
            want(&mut self.lock().wishes.visit, *mailbox);
            self.work.ring();
        }
    }
}
