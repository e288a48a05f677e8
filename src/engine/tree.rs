//! tree — the person's wishes about mailboxes on one connection, and what waits for them.
//! Owns: the part of [`Visitor`] that is about the tree. May import: store, net, engine/plan, engine/exec.
//! Start reading at: `Visitor::tree`. It comes before all passes: what they name has to be there.

use super::exec::pass::{self, Planner};
use super::exec::record::on_tree;
use super::exec::server::Bench;
use super::ledger::{Unwritten, journal};
use super::plan::folders;
use super::plan::step::{Code, OpChange, OpFault, Record, Refusal, Reply, Step, StepId};
use super::plan::tree::TreeSync;
use super::round::{AGAIN, Halt, Visitor};
use super::translate;
use crate::mail::ids::MailboxId;
use crate::mail::intent::{OpKind, OpState, Operation};
use crate::mail::mailbox::MailboxPath;
use crate::mail::server::ListedMailbox;
use crate::net::session::MailStore;
use crate::store::{self, StoreErrorKind, mailboxes, overlay, tree};
use std::collections::HashSet;
use std::path::Path;
use std::sync::PoisonError;

/// What became of the person's wishes about mailboxes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Grown {
    /// How many the server carried out.
    pub done: u64,
    /// Whether the tree is another one now than what is to be visited goes by.
    pub anew: bool,
}

impl Visitor<'_> {
    /// Operations on messages that the server may have to be told of; not those that wait for a mailbox to be made or
    /// renamed.
    ///
    /// # Errors
    /// The store.
    pub fn pending(&self) -> Result<Vec<Operation>, Halt> {
        // What is hidden is as far as its server goes: the next visit for another reason looks whether that changed.
        let mut all = self.open_ends()?;
        all.retain(|op| op.state != OpState::Hidden);
        Ok(all)
    }

    fn open_ends(&self) -> Result<Vec<Operation>, Halt> {
        let mut all = self.shared.store.read_state(|db| store::journal::pending(db, Some(&self.config.name)))?;
        let changes: Vec<Operation> = all.extract_if(.., |op| op.kind.is_about_tree()).collect();
        all.retain(|op| !changes.iter().any(|change| op.waits_for(change)));
        Ok(all)
    }

    /// When the next operation is due that waits for its time, seconds since 1970.
    ///
    /// # Errors
    /// The store.
    pub fn due(&self, now: i64) -> Result<Option<i64>, Halt> {
        let all = self.shared.store.read_state(|db| store::journal::pending(db, Some(&self.config.name)))?;
        Ok(all.iter().map(|op| op.not_before).filter(|at| *at > now).min())
    }

    /// Carries the person's wishes about mailboxes out. The list may be asked for on the way, to follow a mailbox that was to be changed and is called otherwise now.
    ///
    /// # Errors
    /// What ended the connection, or the store. What was recorded until then stands.
    pub fn tree(&mut self, conn: &mut dyn MailStore) -> Result<Grown, Halt> {
        let mut grown = Grown::default();
        self.divide(conn)?;
        for _ in 0..AGAIN {
            let ops = self.placed(self.shared.store.read_state(|db| store::journal::queue(db, Some(&self.config.name)))?)?;
            if !ops.iter().any(|op| op.kind.is_about_tree() && op.state.pending()) {
                break;
            }
            let subscribed = self.shared.store.read(|db| store::tree::subscribed(db, &self.config.name))?;
            let about = ops.iter().filter(|op| matches!(op.kind, OpKind::RenameMailbox { .. } | OpKind::DeleteMailbox));
            let goals = self.goals(&about.map(|op| &op.mailbox).collect())?;
            let mut planner = TreeSync::start(ops, subscribed, goals, self.shared.now());
            let mut overtaken = false;
            let mut bench = Bench { spool: Path::new(""), cached: &mut || None, give_way: &|| false };
            let (shared, account) = (self.shared, &self.config.name);
            let broken = pass::run(&mut planner, conn, &mut bench, |record| match record {
                Record::Ops(changes) => journal(shared, account, changes).map_err(|e| {
                    overtaken |= matches!(e, Unwritten::Overtaken(_));
                    e.into_fault()
                }),
                record => {
                    let name = account.clone();
                    shared.store.cache(move |tx| on_tree(tx, &name, &record)).map_err(|e| translate::store(&e))
                }
            });
            grown.done += planner.done();
            grown.anew |= grown.done > 0;
            let strange = planner.strange().cloned();
            match (broken.net, broken.store) {
                (_, Some(_)) if overtaken => continue,
                (_, Some(fault)) => return Err(Halt::Store(fault)),
                (Some(error), None) => return Err(Halt::Net(error)),
                (None, None) => {}
            }
            match strange {
                Some(path) => {
                    self.memory.missed.insert(path);
                    self.list(conn)?;
                    grown.anew = true;
                }
                None => break,
            }
        }
        Ok(grown)
    }

    /// Before the first list nobody knows what divides the parts of a name. What was renamed then takes along what lies below it, as
    /// the server will do it: so that is asked before the server is told.
    fn divide(&mut self, conn: &mut dyn MailStore) -> Result<(), Halt> {
        let shared = self.shared;
        let pending = shared.store.read_state(|db| store::journal::pending(db, Some(&self.config.name)))?;
        if !pending.iter().any(|op| matches!(op.kind, OpKind::RenameMailbox { delimiter: None, .. })) {
            return Ok(());
        }
        let account = &self.config.name;
        let known = || shared.store.read(|db| Ok(mailboxes::list(db, Some(account))?.into_iter().find_map(|row| row.delimiter)));
        let mut delimiter = known()?;
        if delimiter.is_none() {
            self.list(conn)?;
            delimiter = known()?;
        }
        // There is none where nothing lies below anything.
        let Some(delimiter) = delimiter else { return Ok(()) };
        let _names = shared.names.write().unwrap_or_else(PoisonError::into_inner);
        let account = account.clone();
        let pending = shared.store.state(move |tx| {
            let any = store::journal::divided(tx, &account, delimiter)?;
            any.then(|| store::journal::pending(tx, None)).transpose()
        })?;
        pending.map_or(Ok(()), |pending| Ok(shared.store.cache(move |tx| overlay::rebuild(tx, &pending))?))
    }

    /// Follows what somebody else renamed, so that nothing is fetched again and what was wished for stays possible. First
    /// the journal: if the program dies before the cache has it, the next list shows it again. What another mailbox has taken the
    /// place of is forgotten.
    ///
    /// # Errors
    /// The store.
    pub fn follow(&self, listed: &[ListedMailbox]) -> Result<(), Halt> {
        for (from, to) in folders::renamed(listed, &self.known(None)?.0) {
            let _names = self.shared.names.write().unwrap_or_else(PoisonError::into_inner);
            let journal = || {
                let (account, old, new) = (self.config.name.clone(), from.clone(), to.clone());
                self.shared.store.state(move |tx| store::journal::renamed(tx, &account, &old, &new))
            };
            journal()?;
            let (account, old, new) = (self.config.name.clone(), from.clone(), to.clone());
            self.shared.store.cache(move |tx| tree::renamed(tx, &account, &old, &new, None))?;
            // What another process wrote meanwhile, which saw the old name still; the list that it saw has no other one of that name.
            journal()?;
        }
        let known = self.known(None)?.0;
        self.aim(listed, &known)?;
        self.usurped(listed, &known)?;
        for path in folders::replaced(listed, &known) {
            let into = |op: &Operation| op.state == OpState::Queued && op.destination() == Some(&path);
            self.end(|op| op.mailbox == path || into(op), &OpFault::AnotherMailbox)?;
            let account = self.config.name.clone();
            self.shared.store.cache(move |tx| tree::deleted(tx, &account, &path))?;
        }
        Ok(())
    }

    /// Ends operations in mailboxes that are no more, or into such: marks on what is gone are of no use, all else the person
    /// has to know.
    ///
    /// # Errors
    /// The store.
    pub fn bury(&self, listed: &[ListedMailbox]) -> Result<(), Halt> {
        let there: HashSet<&MailboxPath> = listed.iter().filter(|m| m.selectable).map(|m| &m.path).collect();
        let nowhere = |op: &Operation| op.state == OpState::Queued && op.destination().is_some_and(|to| !there.contains(to));
        let fault = OpFault::Refused(Refusal { code: Code::NoMailbox, text: String::new() });
        self.end(|op| !there.contains(&op.mailbox) || nowhere(op), &fault)
    }

    /// Ends the operations that are `lost`; the person is told why.
    pub(super) fn end(&self, lost: impl Fn(&Operation) -> bool, fault: &OpFault) -> Result<(), Halt> {
        self.change(self.open_ends()?.iter().filter(|op| lost(op)).map(|op| ended(op, fault)).collect())
    }

    /// Records what becomes of operations; what others made of them meanwhile stands.
    pub(super) fn change(&self, changes: Vec<OpChange>) -> Result<(), Halt> {
        if changes.is_empty() {
            return Ok(());
        }
        match journal(self.shared, &self.config.name, changes) {
            // The next list finds what is left.
            Ok(()) | Err(Unwritten::Overtaken(_)) => Ok(()),
            Err(Unwritten::Store(fault)) => Err(Halt::Store(fault)),
        }
    }

    /// What the server calls a mailbox; nothing if there is none to visit.
    ///
    /// # Errors
    /// The store.
    pub fn at_server(&self, id: MailboxId) -> Result<Option<MailboxPath>, Halt> {
        let shared = self.shared;
        let row = match shared.store.read(|db| mailboxes::get(db, id)) {
            Ok(row) => row,
            Err(e) if e.kind == StoreErrorKind::Missing => return Ok(None),
            Err(e) => return Err(e.into()),
        };
        let named = shared.store.read(|db| tree::named(db, &self.config.name))?;
        Ok(named.into_iter().find(|n| n.id == id && row.selectable && !n.dying).map(|n| n.server))
    }
}

/// What becomes of an operation in a mailbox that is no more, or into such a one.
pub(super) fn ended(op: &Operation, fault: &OpFault) -> OpChange {
    match (&op.kind, op.state) {
        (_, OpState::Flagged | OpState::Hidden | OpState::Copied) => OpChange::to(op.id, OpState::Settled),
        (OpKind::Flag { .. } | OpKind::Expunge, _) => OpChange::to(op.id, OpState::Moot),
        _ => OpChange::park(op.id, fault.clone()),
    }
}

impl Planner for TreeSync {
    fn next(&mut self) -> Option<(StepId, Step)> {
        Self::next(self)
    }
    fn heard(&mut self, id: StepId, reply: Reply) {
        Self::heard(self, id, reply);
    }
}
