//! goals — the mailboxes that operations name, as the cache knows them: for telling one from another of the same name.
//! Owns: the part of [`Visitor`] that asks for them. May import: store, engine/plan.
//! Start reading at: `Visitor::goals`; `plan/goal.rs` judges. After each list `Visitor::aim` lets each wish follow what it means, by what
//! the journal says of that; the cache may know nothing of it. `Visitor::usurped` ends what can go nowhere.

use super::plan::folders::{self, Known};
use super::plan::goal::{Goal, Where, whereabouts};
use super::plan::step::{OpChange, OpFault};
use super::round::{Halt, Visitor};
use super::tree::ended;
use crate::mail::intent::{OpKind, OpState, Operation};
use crate::mail::mailbox::MailboxPath;
use crate::mail::meant::Meant;
use crate::mail::server::ListedMailbox;
use crate::store::journal::{self, Named};
use crate::store::{self, mailboxes, overlay, tree};
use std::collections::{BTreeSet, HashMap};
use std::sync::PoisonError;

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
            named.map(|n| Ok((n.server, mailboxes::meant(db, n.id)?))).collect::<store::Result<Vec<_>>>()
        })?;
        let looked_up = |path: &MailboxPath| path.is_inbox() || self.memory.looked_up.contains(path);
        let goal = |path: &MailboxPath| {
            let cached = named.iter().find(|(name, _)| name == path).map(|(_, meant)| meant.clone()).unwrap_or_default();
            Goal { path: path.clone(), cached, looked_up: looked_up(path) }
        };
        Ok(paths.iter().map(|path| goal(path)).collect())
    }

    /// What was wished follows the mailboxes that were meant, whatever they are called now; what means one that is not there any more, or
    /// of which nobody can tell which it is, ends, and the person is asked. One that is to be deleted is not followed.
    ///
    /// # Errors
    /// The store.
    pub(super) fn aim(&self, listed: &[ListedMailbox], known: &[Known]) -> Result<(), Halt> {
        let all = self.shared.store.read_state(|db| journal::pending(db, Some(&self.config.name)))?;
        let changes: Vec<&Operation> = all.iter().filter(|op| op.kind.is_about_tree()).collect();
        let numbered: HashMap<_, _> = known.iter().map(|k| (&k.path, k.base.uidvalidity)).collect();
        let new = |m: &ListedMailbox| m.status.as_ref().is_some_and(|s| numbered.get(&m.path) != Some(&s.uidvalidity));
        let mut found: HashMap<(MailboxPath, Meant), Where> = HashMap::new();
        let (mut aims, mut ends) = (Vec::new(), Vec::new());
        for op in all.iter().filter(|op| !changes.iter().any(|change| op.waits_for(change))) {
            for (named, path, meant) in names(op) {
                let of = (path.clone(), meant);
                let at = found.entry(of).or_insert_with_key(|(path, meant)| whereabouts(path, meant, listed, new)).clone();
                let goes = named == Named::There || op.targets.is_empty();
                match at {
                    Where::At(to) => aims.push((op.id, named, path.clone(), to)),
                    // What became of what was told already is looked at first.
                    Where::Gone | Where::Unclear if goes && op.state == OpState::Queued => {
                        ends.push(OpChange::park(op.id, OpFault::AnotherMailbox));
                    }
                    Where::Gone if !goes => ends.push(ended(op, &OpFault::AnotherMailbox)),
                    _ => {}
                }
            }
        }
        if !aims.is_empty() {
            let _names = self.shared.names.write().unwrap_or_else(PoisonError::into_inner);
            let pending = self.shared.store.state(move |tx| {
                aims.iter().try_for_each(|(id, named, from, to)| journal::aim(tx, *id, *named, from, to))?;
                journal::pending(tx, None)
            })?;
            self.shared.store.cache(move |tx| overlay::rebuild(tx, &pending))?;
        }
        ends.dedup_by_key(|change| change.id);
        self.change(ends)
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

/// The mailboxes that an operation names, and which ones it means, as far as it has to find them.
fn names(op: &Operation) -> Vec<(Named, &MailboxPath, Meant)> {
    let here = |meant: Meant| (Named::Here, &op.mailbox, meant);
    match &op.kind {
        OpKind::Flag { .. } | OpKind::Expunge => vec![here(op.here.clone())],
        OpKind::Move { .. } | OpKind::Copy { .. } if op.in_place() => vec![here(op.here.clone())],
        OpKind::Move { to } | OpKind::Copy { to } => vec![here(op.here.clone()), (Named::There, to, op.goal())],
        OpKind::Append { .. } => vec![here(op.goal())],
        OpKind::RenameMailbox { .. } if !op.unsure() => vec![here(op.here.clone())],
        _ => Vec::new(),
    }
}
