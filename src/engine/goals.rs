//! goals — the mailboxes that operations name, as the cache knows them: for telling one from another of the same name.
//! Owns: the part of [`Visitor`] that asks for them. May import: store, engine/plan.
//! Start reading at: `Visitor::goals`; `plan/goal.rs` judges, and `Visitor::usurped` ends what can go nowhere.

use super::plan::folders::{self, Known};
use super::plan::goal::Goal;
use super::plan::step::OpFault;
use super::round::{Halt, Visitor};
use crate::mail::intent::{OpState, Operation};
use crate::mail::mailbox::MailboxPath;
use crate::mail::server::ListedMailbox;
use crate::mail::uid::UidValidity;
use crate::store::{self, base, mailboxes, tree};
use std::collections::BTreeSet;

impl Visitor<'_> {
    /// What is known of mailboxes, by their names at the server: also of those that are about to be renamed or deleted.
    ///
    /// # Errors
    /// The store.
    pub(super) fn goals(&self, paths: &BTreeSet<&MailboxPath>) -> Result<Vec<Goal>, Halt> {
        if paths.is_empty() {
            return Ok(Vec::new());
        }
        let named = self.shared.store.read(|db| {
            let named = tree::named(db, &self.config.name)?.into_iter().filter(|named| paths.contains(&named.server));
            named
                .map(|n| Ok((n.server, base::load(db, n.id)?, mailboxes::object_id(db, n.id)?)))
                .collect::<store::Result<Vec<_>>>()
        })?;
        let looked_up = |path: &MailboxPath| path.is_inbox() || self.memory.looked_up.contains(path);
        let goal = |path: &MailboxPath| {
            let known = named.iter().find(|(name, ..)| name == path);
            let (uidvalidity, uidnext) = known.map_or((UidValidity(0), 0), |(_, base, _)| (base.uidvalidity, base.uidnext));
            let object_id = known.map(|(.., id)| id.clone()).unwrap_or_default();
            Goal { path: path.clone(), uidvalidity, uidnext, object_id, looked_up: looked_up(path) }
        };
        Ok(paths.iter().map(|path| goal(path)).collect())
    }

    /// Parks what is to go into mailboxes whose names others may have by now, where the list does not show which is which.
    ///
    /// # Errors
    /// The store.
    pub(super) fn usurped(&self, listed: &[ListedMailbox], known: &[Known]) -> Result<(), Halt> {
        let usurped = folders::usurped(listed, known);
        let lost = |op: &Operation| op.state == OpState::Queued && op.destination().is_some_and(|to| usurped.contains(to));
        if usurped.is_empty() { Ok(()) } else { self.end(lost, &OpFault::AnotherMailbox) }
    }
}
