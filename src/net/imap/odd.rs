//! odd — rows that name no message, and rows that contradict one another.
//! Owns: how they are told from others (security S-09, S-10). May import: mail.
//! Start reading at: `Core::is_sane`. They are counted, for whoever looks after a server that does wrong.

use super::core::Core;
use super::untagged::{Fetched, Untagged};

impl Core {
    /// Whether whoever asked is to see this; what is odd in it is noted.
    pub(super) fn is_sane(&mut self, data: &Untagged<'_>) -> bool {
        match data {
            Untagged::NoRow => {
                self.odd.rows += 1;
                false
            }
            // Places move up.
            Untagged::Expunge | Untagged::Vanished { .. } => {
                self.last_row = None;
                true
            }
            Untagged::Fetch(row) => self.is_row(row),
            _ => true,
        }
    }

    fn is_row(&mut self, row: &Fetched) -> bool {
        // While a mailbox is opened its size may be told last.
        let beyond = self.news.exists > 0 && row.place > self.news.exists;
        let told = row.envelope.is_some() || !row.section.is_empty();
        if beyond || row.misnumbered || (row.uid.is_none() && told) {
            self.odd.rows += 1;
            // Whoever takes in a text judges itself whose it was.
            return !row.section.is_empty() || !(beyond || row.misnumbered);
        }
        let Some(uid) = row.uid else { return true };
        let now = (row.place, uid);
        let before = self.last_row.replace(now);
        // Of two messages the one behind the other has the higher number, always.
        self.odd.contradicts |= before.is_some_and(|(place, uid)| place.cmp(&now.0) != uid.cmp(&now.1));
        true
    }
}
