//! details — the second flight: what list rows were shown without (attachments, what a message answers), right behind them.
//! Owns: `Visitor::details`, `Visitor::some_details`, `Work::details`. May import: net, store, and the engine's own.
//! Start reading at: `Visitor::some_details`. The newest come with the pass that brought the rows; those of a first sync when
//! nothing else is to be done, before any text. It costs little: also on a metered line.

use super::fetch::Fetcher;
use super::round::{Halt, Visitor};
use super::work::Work;
use crate::mail::ids::MailboxId;
use crate::net::session::MailStore;
use crate::store::details;

/// Messages that are asked about at once.
const WINDOW: usize = 1_000;

impl Visitor<'_> {
    /// Asks about the newest rows of the selected mailbox that lack something. Whether there were any.
    ///
    /// # Errors
    /// What ended the connection, or the store.
    pub fn some_details(&mut self, conn: &mut dyn MailStore, mailbox: MailboxId) -> Result<bool, Halt> {
        let at_once = self.shared.store.read(|db| details::at_once(db, mailbox, WINDOW))?;
        let Some(untold) = self.shared.store.read(|db| details::untold(db, mailbox, at_once))? else { return Ok(false) };
        let mut rows = Vec::new();
        match conn.fetch_details(&untold.uids, &mut rows) {
            Ok(()) => {}
            Err(e) if e.connection_lives() => {
                // It is not asked over this connection again; the texts say the same.
                self.memory.untellable.insert(mailbox);
                return Ok(false);
            }
            Err(e) => {
                // What came whole is not asked again: over a line that breaks each time it goes on from there.
                let came = rows.iter().map(|row| row.uid).collect();
                self.memory.gained |= !rows.is_empty();
                self.shared.store.cache(move |tx| {
                    if rows.is_empty() {
                        details::ask_at_once(tx, mailbox, (at_once / 4).max(1))?;
                    }
                    details::told(tx, mailbox, &came, &rows)
                })?;
                return Err(e.into());
            }
        }
        let more = if at_once * 2 >= WINDOW { 0 } else { at_once * 2 };
        self.memory.gained |= more > 0;
        self.shared.store.cache(move |tx| {
            details::ask_at_once(tx, mailbox, more)?;
            details::told(tx, mailbox, &untold.range, &rows)
        })?;
        Ok(true)
    }

    /// The next mailbox in which rows lack something.
    ///
    /// # Errors
    /// The store.
    pub fn lacking(&self) -> Result<Option<MailboxId>, Halt> {
        let all = self.shared.store.read(|db| details::lacking(db, &self.config.name))?;
        Ok(all.into_iter().find(|id| !self.memory.untellable.contains(id)))
    }

    /// Asks about rows of a mailbox in which some lack something.
    ///
    /// # Errors
    /// What ended the connection, or the store.
    pub fn details(&mut self, conn: &mut dyn MailStore, fetcher: &mut Fetcher<'_>, mailbox: MailboxId) -> Result<(), Halt> {
        if fetcher.select(conn, mailbox)? {
            self.some_details(conn, mailbox)?;
        } else {
            // Its next visit tells why.
            self.memory.untellable.insert(mailbox);
        }
        Ok(())
    }
}

impl Work<'_> {
    /// Asks about rows that lack something. Whether there were any.
    pub fn details(&mut self, conn: &mut dyn MailStore) -> Result<bool, Halt> {
        let Some(mailbox) = self.visitor.lacking()? else { return Ok(false) };
        let here = self.hand_over()?;
        self.visitor.details(conn, &mut self.fetcher, mailbox)?;
        self.take_back(here);
        Ok(true)
    }
}
