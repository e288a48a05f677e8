//! wished — what somebody waits for of messages, on its way from the wish to a connection.
//! Owns: `Wish`, `Wished`, `Desk::get` and the order of wishes. May import: net, and the engine's own.
//! Start reading at: `Desk::get`. Texts first, the newest wish before older ones: the person has moved on. Files in the order in
//! which they were asked for; they make room for a text between two pieces. What one thread is getting no other one takes: both
//! would write the same file.

use super::api::Piece;
use super::fetch::{Fetcher, Got};
use super::fetch_parts::Patience;
use super::round::Halt;
use super::wishes::{Desk, want};
use crate::base::cancel::Cancel;
use crate::mail::ids::{MessageKey, PlacementKey};
use crate::net::session::MailStore;
use std::collections::VecDeque;

/// The most wishes that wait at the same time; older ones are forgotten first: the person has moved on.
const MAX: usize = 64;

/// Something of a message that somebody waits for.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Of which message.
    pub message: MessageKey,
    /// Where it was seen.
    pub place: PlacementKey,
    /// What of it.
    pub piece: Piece,
}

impl Wish {
    /// The same of the same message, wherever it was seen.
    fn is(&self, other: &Self) -> bool {
        self.message == other.message && self.piece == other.piece
    }
}

/// The wishes of an account.
#[derive(Debug, Default)]
pub(super) struct Wished {
    waiting: VecDeque<Wish>,
    /// What a thread is getting; wished for again meanwhile it waits for the end of that.
    held: Vec<Wish>,
}

impl Wished {
    /// Takes a wish; what waits already waits once.
    pub fn put(&mut self, wish: Wish) {
        self.waiting.retain(|w| !w.is(&wish));
        self.waiting.push_back(wish);
        if self.waiting.len() > MAX {
            self.waiting.pop_front();
        }
    }

    fn is_held(&self, wish: &Wish) -> bool {
        self.held.iter().any(|held| held.is(wish))
    }

    fn open(&self) -> impl DoubleEndedIterator<Item = (usize, &Wish)> {
        self.waiting.iter().enumerate().filter(|(_, wish)| !self.is_held(wish))
    }

    /// Whether there is one that nobody is at.
    pub fn is_open(&self) -> bool {
        self.open().next().is_some()
    }

    /// The text that was wished for last; without any, the file that was wished for first. It is held from now on.
    fn take(&mut self) -> Option<Wish> {
        let text = self.open().rfind(|(_, wish)| wish.piece == Piece::Text);
        let (at, _) = text.or_else(|| self.open().next())?;
        let wish = self.waiting.remove(at)?;
        self.held.push(wish.clone());
        Some(wish)
    }

    /// Whoever held it is done with it, or is to go on with it later.
    fn release(&mut self, wish: Wish, again: bool) {
        self.held.retain(|held| !held.is(&wish));
        if again && !self.waiting.iter().any(|w| w.is(&wish)) {
            self.waiting.push_front(wish);
        }
    }
}

/// A wish in the hands of one thread: it is let go whatever ends that, also a panic.
struct Claim<'a> {
    desk: &'a Desk,
    wish: Wish,
    again: bool,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let mut state = self.desk.lock();
        state.bodies.release(self.wish.clone(), self.again);
        let open = state.bodies.is_open();
        drop(state);
        if open {
            self.desk.ring_fetcher();
        }
    }
}

impl Desk {
    fn claim(&self) -> Option<Claim<'_>> {
        let wish = self.lock().bodies.take()?;
        Some(Claim { desk: self, wish, again: false })
    }

    /// Whether somebody waits for anything of a message: for `work` (not while a watcher takes it) or for the first watcher.
    pub fn has_wish(&self, work: bool) -> bool {
        let state = self.lock();
        state.bodies.is_open() && !(work && state.watching)
    }

    /// Whether the journal has news.
    pub fn has_intents(&self) -> bool {
        self.lock().wishes.intents
    }

    /// Whether somebody waits for a text: files make room for it.
    fn has_text(&self) -> bool {
        self.lock().bodies.open().any(|(_, wish)| wish.piece == Piece::Text)
    }

    /// Gets one thing that somebody waits for over `conn`, unless something else is more `urgent`. Whether there was any.
    ///
    /// # Errors
    /// What ended the connection, or the store; what was wished for waits on.
    pub fn get(
        &self,
        fetcher: &mut Fetcher<'_>,
        conn: &mut dyn MailStore,
        line: &Cancel,
        urgent: &dyn Fn() -> bool,
    ) -> Result<bool, Halt> {
        let Some(mut claim) = self.claim() else { return Ok(false) };
        let give_way = || self.cancel.is_set() || self.is_offline() || self.has_text() || urgent();
        let got = fetcher.piece(conn, claim.wish.place, &claim.wish.piece, &Patience { give_way: &give_way, line: Some(line) });
        claim.again = matches!(got, Err(_) | Ok(Got::Later));
        drop(claim);
        self.fetched(&got?);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::body::PartPath;

    fn wish(message: i64, part: Option<&str>) -> Wish {
        let piece = part.map_or(Piece::Text, |path| Piece::Part(PartPath::parse(path).unwrap()));
        Wish { message: MessageKey(message), place: PlacementKey(message * 10), piece }
    }

    fn taken(all: &mut Wished) -> Option<i64> {
        all.take().map(|wish| wish.message.0)
    }

    #[test]
    fn texts_come_first_and_the_newest_of_them_files_in_their_order() {
        let mut all = Wished::default();
        [wish(1, Some("2")), wish(2, Some("2")), wish(3, None), wish(4, None), wish(3, None)]
            .into_iter()
            .for_each(|w| all.put(w));
        let order: Vec<i64> = std::iter::from_fn(|| taken(&mut all)).collect();
        assert_eq!(order, [3, 4, 1, 2]);
        (0..100).for_each(|n| all.put(wish(100 + n, None)));
        assert_eq!(all.waiting.len(), MAX);
    }

    /// Two connections at once on the same file would each write into it.
    #[test]
    fn what_one_thread_is_getting_no_other_one_takes() {
        let mut all = Wished::default();
        all.put(wish(1, Some("2")));
        let held = all.take().unwrap();
        all.put(Wish { place: PlacementKey(11), ..wish(1, Some("2")) });
        assert!(!all.is_open() && all.take().is_none(), "the same, seen in another mailbox");
        all.put(wish(1, Some("3")));
        assert_eq!(taken(&mut all), Some(1));
        // The line broke: it waits once.
        all.release(held, true);
        assert!(all.is_open() && all.waiting.len() == 1);
        let held = all.take().unwrap();
        all.release(held, false);
        assert!(!all.is_open());
    }

    #[test]
    fn a_thread_that_falls_over_lets_go_what_it_held() {
        let desk = Desk::new(false, 1).unwrap();
        desk.lock().bodies.put(wish(1, None));
        let fell = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _claim = desk.claim().unwrap();
            panic!("on purpose");
        }));
        assert!(fell.is_err() && desk.lock().bodies.held.is_empty());
    }
}
