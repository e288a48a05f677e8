//! results — the targets that an earlier wish creates: moved while offline, then starred.
//! Owns: `finished`; giving numbers to targets that have none yet (`resolve`).
//! May import: mail.
//! Start reading at: `resolve`. Where the server did not say where a message went, it is looked for from the mark on. One that
//! is not there any more was moved on or deleted by somebody else: then the wish is moot, and the person is told of it.

use super::base::Outcome;
use super::probe::{matching, perhaps};
use super::push::Stage;
use super::step::{Ask, OpChange, OpFault};
use super::{MailboxSync, moot};
use crate::mail::ids::OpId;
use crate::mail::intent::{Mark, OpKind, OpState, Operation, Target};
use crate::mail::server::{Fingerprint, IdentitySeen};
use crate::mail::uid::{Uid, UidSet};

/// Where the message that a wish is about is now.
enum Found {
    /// It has this name.
    Here(Target),
    /// It was here, and is not any more.
    Gone(Fingerprint),
    /// One that may be it, or may not.
    Doubt,
}

impl MailboxSync {
    /// Gives numbers to targets that an earlier operation made. True if it asked or recorded something.
    pub(super) fn resolve(&mut self) -> bool {
        let waiting = |op: &&Operation| {
            self.ours(op) && !self.tried.contains(&op.id) && op.targets.iter().any(|t| matches!(t, Target::ResultOf { .. }))
        };
        let ids: Vec<OpId> = self.ops.iter().filter(waiting).map(|op| op.id).collect();
        for id in ids {
            let Some(op) = self.op(id) else { continue };
            let makers: Vec<(OpId, Option<&Operation>)> =
                op.targets.iter().filter_map(|t| maker(t).map(|m| (m.0, self.op(m.0)))).collect();
            if makers.iter().any(|(_, maker)| maker.is_some_and(|m| !finished(m))) {
                continue;
            }
            if makers.iter().any(|(_, maker)| maker.is_some_and(|m| matches!(m.state, OpState::Withdrawn | OpState::Moot))) {
                self.change(vec![OpChange::to(id, OpState::Moot)]);
                return true;
            }
            let found: Vec<Target> = op.targets.iter().map(|t| self.result(t).unwrap_or_else(|| t.clone())).collect();
            if !found.iter().any(|t| matches!(t, Target::ResultOf { .. })) {
                self.change(vec![OpChange { targets: Some(found), ..OpChange::to(id, op.state) }]);
                return true;
            }
            // They are in this mailbox, above the lowest mark, if that mark is of this mailbox as it is now.
            let marks: Option<Vec<Mark>> = makers.iter().map(|(_, maker)| maker.and_then(|m| m.mark)).collect();
            let low = marks.filter(|m| m.iter().all(|m| m.uidvalidity == self.selected.uidvalidity));
            let low = low.and_then(|m| m.iter().map(|m| m.uidnext).min());
            match low.filter(|low| *low > 0) {
                Some(from) => self.go(Ask::Uids { from, to: u32::MAX }, Stage::Appeared(id)),
                None => self.park(&[id], &OpFault::CannotTell),
            }
            return true;
        }
        false
    }

    /// Where the server said that a target went.
    fn result(&self, target: &Target) -> Option<Target> {
        let (maker, index) = maker(target)?;
        let maker = self.op(maker)?;
        let (uidvalidity, uid) = (*maker.results.get(index)?)?;
        Some(Target::Server { uidvalidity, uid, print: print(maker, index)?.clone() })
    }

    /// What appeared since the mark is here.
    pub(super) fn resolve_by_print(&mut self, id: OpId) {
        self.again();
        if let Some(refusal) = self.answer.refused.take() {
            return self.end(Outcome::Refused(refusal));
        }
        let appeared = std::mem::take(&mut self.answer.identities);
        let Some(op) = self.op(id) else { return };
        let mut taken = UidSet::new();
        let found: Vec<Found> = op.targets.iter().map(|target| self.find(target, &appeared, &mut taken)).collect();
        if found.iter().all(|found| matches!(found, Found::Gone(_))) {
            return self.change(vec![moot(op)]);
        }
        // Beside others that are there one that is gone gets a number that was given and belongs to nobody any more.
        let mut free = self.unowned(op, &appeared);
        let here = |found| match found {
            Found::Here(target) => Some(target),
            Found::Gone(print) => {
                free.next().map(|uid| Target::Server { uidvalidity: self.selected.uidvalidity, uid: uid.get(), print })
            }
            Found::Doubt => None,
        };
        match found.into_iter().map(here).collect::<Option<Vec<Target>>>() {
            Some(targets) => self.change(vec![OpChange { targets: Some(targets), ..OpChange::to(id, op.state) }]),
            None => self.park(&[id], &OpFault::CannotTell),
        }
    }

    fn find(&self, target: &Target, appeared: &[IdentitySeen], taken: &mut UidSet) -> Found {
        let Some((maker, index)) = maker(target) else { return Found::Here(target.clone()) };
        if let Some(said) = self.result(target) {
            return Found::Here(said);
        }
        let Some(maker) = self.op(maker) else { return Found::Doubt };
        let Some(print) = print(maker, index) else { return Found::Doubt };
        let from = maker.mark.map_or(0, |mark| mark.uidnext);
        // Twins are the same mail, and came in the order of the commands: each wish takes the first that is left.
        if let Some(uid) = matching(print, appeared).into_iter().find(|uid| uid.get() >= from && !taken.contains(*uid)) {
            taken.insert(uid);
            let uidvalidity = self.selected.uidvalidity;
            return Found::Here(Target::Server { uidvalidity, uid: uid.get(), print: print.clone() });
        }
        let like = |seen: &&IdentitySeen| seen.uid.get() >= from && !taken.contains(seen.uid) && perhaps(print, &seen.print);
        if appeared.iter().any(|seen| like(&seen)) { Found::Doubt } else { Found::Gone(print.clone()) }
    }

    /// Numbers since the mark under which nothing is: they are never given again (RFC 9051, 2.3.1.1).
    fn unowned(&self, op: &Operation, appeared: &[IdentitySeen]) -> impl Iterator<Item = Uid> + use<> {
        let marks = op.targets.iter().filter_map(maker).filter_map(|(maker, _)| self.op(maker)?.mark);
        let from = marks.map(|mark| mark.uidnext).min().unwrap_or(0);
        let there: UidSet = appeared.iter().map(|seen| seen.uid).collect();
        (from.max(1)..self.selected.uidnext).filter_map(Uid::new).filter(move |uid| !there.contains(*uid))
    }
}

/// Whether nothing more is to come of an operation. What is marked has put its copy in place.
pub(super) fn finished(op: &Operation) -> bool {
    op.in_place()
        || matches!(op.state, OpState::Flagged | OpState::Hidden | OpState::Settled | OpState::Moot | OpState::Withdrawn)
}

fn maker(target: &Target) -> Option<(OpId, usize)> {
    match target {
        Target::ResultOf { op, index } => Some((*op, usize::try_from(*index).ok()?)),
        Target::Server { .. } => None,
    }
}

/// The fingerprint of an operation's `index`-th result.
fn print(op: &Operation, index: usize) -> Option<&Fingerprint> {
    match (&op.kind, op.targets.get(index)) {
        (OpKind::Append { print, .. }, _) => Some(print),
        (_, Some(Target::Server { print, .. })) => Some(print),
        _ => None,
    }
}
