//! levels — the list of mailboxes over a line that breaks before all of it is told.
//! Owns: the part of [`Visitor`] that asks level by level, and for the counts of each mailbox. May import: store, net.
//! Start reading at: `Visitor::all_listed`. The list of 5,000 mailboxes with counts is 800 kB in one answer. Where a line broke over it,
//! each level and each count is recorded as it comes, and the next line goes on there; what is not in it is gone only once all
//! of it is here. A level of very many mailboxes stays one answer: IMAP has no way to ask for half of it.

use super::plan::folders;
use super::round::{Halt, Visitor};
use crate::mail::mailbox::MailboxPath;
use crate::mail::server::{ListedMailbox, Space};
use crate::net::session::MailStore;
use crate::store::levels::{self, Levels};
use std::collections::HashSet;

/// Such a list is as good as new for so many seconds.
const FRESH: i64 = 3_600;
/// After so many breaks over it in a row a list is asked for level by level: that takes a turn for each mailbox, and one break may be
/// an accident.
const BREAKS: u32 = 2;
/// So many counts are recorded at once.
const COUNTS: usize = 16;
/// Of so many mailboxes that are not in the list it is asked by name whether they are gone.
const MISSED: usize = 32;

/// What is to be done with a list.
pub(super) struct All {
    /// The mailboxes.
    pub listed: Vec<ListedMailbox>,
    /// Whether it was whole before this line: then it says what is to be visited, and nothing new.
    pub old: bool,
}

impl Visitor<'_> {
    /// All mailboxes, with counts as far as the server tells.
    ///
    /// # Errors
    /// What ended the connection, or the store.
    pub(super) fn all_listed(&mut self, conn: &mut dyn MailStore) -> Result<All, Halt> {
        let account = self.config.name.clone();
        let now = self.shared.now();
        let begun = self.shared.store.read(|db| levels::load(db, &account))?;
        let begun = begun.filter(|levels| now.saturating_sub(levels.at) < FRESH);
        let breaks = begun.as_ref().map_or(0, |levels| levels.breaks);
        if let Some(levels) = begun.filter(|_| breaks >= BREAKS) {
            self.memory.by_levels = Some(!levels.top);
            return self.by_levels(conn, levels);
        }
        let listed = conn.list().map_err(Halt::from).and_then(|mut listed| {
            self.counts(conn, &mut listed, &mut |_| Ok(()))?;
            Ok(listed)
        });
        match &listed {
            Err(Halt::Net(error)) if error.is_broken_line() => {
                self.shared.store.cache(move |tx| levels::begin(tx, &account, now, breaks + 1))?;
            }
            Ok(_) if breaks > 0 => self.shared.store.cache(move |tx| levels::over(tx, &account))?,
            _ => {}
        }
        Ok(All { listed: listed?, old: false })
    }

    /// The round is over, or the tree is another one now: what is known of the list level by level is of no more use. Whether some
    /// of it was told over an earlier line: then nobody knows what happened since, and it is to be asked for again.
    ///
    /// # Errors
    /// The store.
    pub(super) fn list_is_over(&mut self, anew: bool) -> Result<bool, Halt> {
        let Some(older) = self.memory.by_levels.take() else { return Ok(false) };
        let (account, now) = (self.config.name.clone(), self.shared.now());
        self.shared
            .store
            .cache(move |tx| if anew { levels::begin(tx, &account, now, BREAKS) } else { levels::over(tx, &account) })?;
        Ok(older)
    }

    fn by_levels(&mut self, conn: &mut dyn MailStore, mut levels: Levels) -> Result<All, Halt> {
        let untold = |m: &ListedMailbox| m.selectable && m.status.is_none();
        let old = !levels.top && !levels.mailboxes.iter().any(|(m, open)| *open || untold(m));
        while let Some(of) = next(&levels) {
            let rows = conn.list_level(of.as_ref())?;
            self.memory.gained = true;
            let (account, path) = (self.config.name.clone(), of.map(|of| of.path));
            self.shared.store.cache(move |tx| levels::came(tx, &account, path.as_ref(), &rows))?;
            let now = self.shared.store.read(|db| levels::load(db, &self.config.name))?;
            levels = now.unwrap_or_default();
        }
        let mut listed: Vec<ListedMailbox> = levels.mailboxes.into_iter().map(|(mailbox, _)| mailbox).collect();
        let (store, account) = (&self.shared.store, self.config.name.clone());
        self.counts(conn, &mut listed, &mut |rows| {
            let (account, rows) = (account.clone(), rows.to_vec());
            Ok(store.cache(move |tx| levels::told(tx, &account, &rows))?)
        })?;
        if !old {
            self.still_there(conn, &mut listed)?;
        }
        Ok(All { listed, old })
    }

    /// Asks for the counts that did not come along; `told` is given them as they come.
    fn counts(
        &mut self,
        conn: &mut dyn MailStore,
        listed: &mut [ListedMailbox],
        told: &mut dyn FnMut(&[ListedMailbox]) -> Result<(), Halt>,
    ) -> Result<(), Halt> {
        let mut some = Vec::new();
        for mailbox in listed.iter_mut().filter(|m| m.selectable && m.status.is_none()) {
            match conn.status(&mailbox.path) {
                Ok(status) => {
                    mailbox.status = Some(status);
                    some.push(mailbox.clone());
                }
                // This one cannot be asked: it is visited, and says why itself.
                Err(e) if e.connection_lives() => {}
                Err(e) => {
                    told(&some)?;
                    return Err(e.into());
                }
            }
            if some.len() >= COUNTS {
                told(&std::mem::take(&mut some))?;
            }
        }
        told(&some)
    }

    /// Mailboxes that somebody made after their level came are in no list: nothing is forgotten without having been asked for.
    fn still_there(&mut self, conn: &mut dyn MailStore, listed: &mut Vec<ListedMailbox>) -> Result<(), Halt> {
        let there: HashSet<MailboxPath> = listed.iter().map(|m| m.path.clone()).collect();
        let missed: Vec<folders::Known> =
            self.known(None)?.0.into_iter().filter(|k| !there.contains(&k.path) && !k.dying).collect();
        if missed.len() > MISSED {
            return Ok(());
        }
        let delimiter = listed.first().and_then(|m| m.delimiter);
        for known in missed {
            match conn.status(&known.path) {
                Ok(status) => listed.push(ListedMailbox {
                    path: known.path,
                    delimiter,
                    selectable: true,
                    subscribed: true,
                    role: None,
                    status: Some(status),
                    space: Space::Personal,
                    leaf: false,
                }),
                Err(e) if e.connection_lives() => {}
                Err(e) => return Err(e.into()),
            }
        }
        Ok(())
    }
}

/// What is to be asked for next: nothing inside for the top.
fn next(levels: &Levels) -> Option<Option<ListedMailbox>> {
    if levels.top {
        return Some(None);
    }
    levels.mailboxes.iter().find(|(_, open)| *open).map(|(mailbox, _)| Some(mailbox.clone()))
}
