//! undo — taking a command back, and doing it again.
//! Owns: `Back`, `take_back`, `again`.
//! May import: mail.
//! Start reading at: `take_back`. What the server was not told yet is withdrawn; what it was told gets an operation of its
//! own that does the opposite. So undo works offline, across restarts, and while the command is still on its way.

use std::collections::HashSet;

use crate::mail::flags::{Flag, FlagDelta};
use crate::mail::ids::OpId;
use crate::mail::intent::{NewOperation, OpKind, OpState, Operation, Target};
use crate::mail::mailbox::MailboxPath;
use crate::mail::meant::Meant;
use crate::mail::server::Fingerprint;

use super::op::can_withdraw;

/// What has to be done to take a command back: one transaction.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Back {
    /// To become `Withdrawn`.
    pub withdraw: Vec<OpId>,
    /// To be queued, under one new group, in this order; with each the index of the one that it waits for.
    pub queue: Vec<(NewOperation, Option<usize>)>,
    /// Operations that cannot be taken back any more: messages that are deleted for ever.
    pub finals: Vec<OpId>,
}

impl Back {
    fn add(&mut self, new: NewOperation) {
        self.queue.push((new, None));
    }
}

/// Takes back the operations of one command. `pending` are all pending operations of the account: what was done later to
/// a message that now stays where it was is carried over to it.
#[must_use]
pub fn take_back(group: &[Operation], pending: &[Operation]) -> Back {
    let mut back = Back::default();
    let mut withdrawn: HashSet<OpId> = HashSet::new();
    let mut newest_first: Vec<&Operation> = group.iter().collect();
    newest_first.sort_by_key(|op| std::cmp::Reverse(op.id));
    for op in newest_first {
        let (state, done) = (op.state, matches!(op.state, OpState::Moot | OpState::Withdrawn));
        if done || withdrawn.contains(&op.id) {
            continue;
        }
        match &op.kind {
            // A mailbox that was made stays: something else may be in it already.
            OpKind::CreateMailbox { .. }
                if !can_withdraw(state) || pending.iter().any(|p| p.after == Some(op.id) && !withdrawn.contains(&p.id)) => {}
            _ if can_withdraw(state) => withdraw(op, pending, &mut withdrawn, &mut back),
            OpKind::Flag { .. } => flags_back(op, &mut back),
            OpKind::Move { to } => back.add(new(op, to, OpKind::Move { to: op.mailbox.clone() }, results(op))),
            OpKind::Copy { to } => back.add(new(op, to, OpKind::Expunge, results(op))),
            // Marked only, for want of UIDPLUS: the mark can be taken away.
            OpKind::Expunge if state.is_marked() => {
                let delta = FlagDelta::clear(Flag::Deleted);
                back.add(new(op, &op.mailbox, OpKind::Flag { delta }, op.targets.clone()));
            }
            OpKind::RenameMailbox { to, delimiter } => {
                let kind = OpKind::RenameMailbox { to: op.mailbox.clone(), delimiter: *delimiter };
                back.add(new(op, to, kind, Vec::new()));
            }
            OpKind::SubscribeMailbox { on } => {
                back.add(new(op, &op.mailbox, OpKind::SubscribeMailbox { on: !on }, Vec::new()));
            }
            OpKind::Expunge | OpKind::Append { .. } | OpKind::CreateMailbox { .. } | OpKind::DeleteMailbox => {
                back.finals.push(op.id);
            }
        }
    }
    back.withdraw = withdrawn.into_iter().collect();
    back.withdraw.sort_unstable();
    back
}

/// Does a command again that was taken back: `group` as it was given, `undone` the operations that took it back. Deleting
/// for ever waits until `expunge_at`, seconds since 1970, as it did at first.
#[must_use]
pub fn again(group: &[Operation], undone: &[Operation], pending: &[Operation], expunge_at: i64) -> Back {
    let mut back = take_back(undone, pending);
    let mut oldest_first: Vec<&Operation> = group.iter().filter(|op| op.state == OpState::Withdrawn).collect();
    oldest_first.sort_by_key(|op| op.id);
    // Where what others wait for (a mailbox to be made) is in the queue.
    let mut renewed: Vec<(OpId, usize)> = Vec::new();
    for op in oldest_first {
        let mut new = new(op, &op.mailbox, op.kind.clone(), op.targets.clone());
        new.inverse.clone_from(&op.inverse);
        if matches!(op.kind, OpKind::Expunge | OpKind::DeleteMailbox) {
            new.not_before = expunge_at;
        }
        let after = op.after.and_then(|before| renewed.iter().find(|(id, _)| *id == before)).map(|(_, at)| *at);
        renewed.push((op.id, back.queue.len()));
        back.queue.push((new, after));
    }
    back
}

/// In `mailbox`, which is the one of `op` or the one that it names beside it: they are those that were meant then.
fn new(op: &Operation, mailbox: &MailboxPath, kind: OpKind, targets: Vec<Target>) -> NewOperation {
    let renamed = matches!(op.kind, OpKind::RenameMailbox { .. });
    let meant = |path: &MailboxPath| if *path == op.mailbox || renamed { op.here.clone() } else { op.goal() };
    let there = match &kind {
        OpKind::Move { to } | OpKind::Copy { to } => meant(to),
        _ => Meant::default(),
    };
    let (account, here, mailbox) = (op.account.clone(), meant(mailbox), mailbox.clone());
    NewOperation { account, mailbox, kind, targets, not_before: 0, after: None, inverse: Vec::new(), here, there }
}

/// Withdraws an operation and everything that builds on its results. Changes of flags are kept: they go to the message
/// where it stays.
fn withdraw(op: &Operation, pending: &[Operation], withdrawn: &mut HashSet<OpId>, back: &mut Back) {
    withdrawn.insert(op.id);
    for later in pending.iter().filter(|p| p.id != op.id) {
        let built = |t: &Target| matches!(t, Target::ResultOf { op: maker, .. } if *maker == op.id);
        if withdrawn.contains(&later.id) || !can_withdraw(later.state) || !later.targets.iter().any(built) {
            continue;
        }
        if let (OpKind::Flag { .. }, OpKind::Move { .. }) = (&later.kind, &op.kind) {
            let index = |t: &Target| match t {
                Target::ResultOf { op: maker, index } if *maker == op.id => op.targets.get(*index as usize).cloned(),
                _ => None,
            };
            let kept: Vec<(Target, FlagDelta)> = later
                .targets
                .iter()
                .enumerate()
                .filter_map(|(i, t)| Some((index(t)?, later.inverse.get(i).cloned().unwrap_or_default())))
                .collect();
            let (targets, inverse) = kept.into_iter().unzip();
            back.add(NewOperation { inverse, ..new(op, &op.mailbox, later.kind.clone(), targets) });
        }
        withdraw(later, pending, withdrawn, back);
    }
}

/// The messages that an operation made: by number where the server told it, else as its results.
fn results(op: &Operation) -> Vec<Target> {
    let print = |target: &Target| -> Option<Fingerprint> {
        match target {
            Target::Server { print, .. } => Some(print.clone()),
            Target::ResultOf { .. } => None,
        }
    };
    let told = op.results.iter().any(Option::is_some);
    let one = |(index, target): (u32, &Target)| match (op.results.get(index as usize).copied().flatten(), print(target)) {
        (Some((uidvalidity, uid)), Some(print)) => Some(Target::Server { uidvalidity, uid, print }),
        // The server told of the others: this one was gone already.
        (None, _) if told && !op.state.pending() => None,
        _ => Some(Target::ResultOf { op: op.id, index }),
    };
    (0..).zip(&op.targets).filter_map(one).collect()
}

/// One operation for each different opposite.
fn flags_back(op: &Operation, back: &mut Back) {
    let mut by_delta: Vec<(&FlagDelta, Vec<Target>)> = Vec::new();
    for (target, inverse) in op.targets.iter().zip(&op.inverse).filter(|(_, inverse)| !inverse.is_empty()) {
        match by_delta.iter_mut().find(|(delta, _)| *delta == inverse) {
            Some((_, targets)) => targets.push(target.clone()),
            None => by_delta.push((inverse, vec![target.clone()])),
        }
    }
    for (delta, targets) in by_delta {
        // The inverse holds only what differed, so its own opposite is exact.
        let forth = FlagDelta::new(delta.remove().clone(), delta.add().clone());
        let inverse = vec![forth; targets.len()];
        back.add(NewOperation { inverse, ..new(op, &op.mailbox, OpKind::Flag { delta: delta.clone() }, targets) });
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{flag, mov, op};
    use super::*;
    use crate::mail::flags::Flags;
    use crate::mail::uid::UidValidity;

    fn told(mut op: Operation, state: OpState, results: &[Option<u32>]) -> Operation {
        op.state = state;
        op.results = results.iter().map(|r| r.map(|uid| (UidValidity(9), uid))).collect();
        op
    }

    #[test]
    fn what_was_not_told_is_withdrawn() {
        let back = take_back(&[mov(1, &[3], "B"), mov(2, &[4], "B")], &[]);
        assert_eq!((back.withdraw, back.queue.len()), (vec![OpId(1), OpId(2)], 0));
    }

    #[test]
    fn what_goes_back_means_the_mailboxes_that_were_meant() {
        let meant = |uidvalidity| Meant { uidvalidity: UidValidity(uidvalidity), ..Meant::default() };
        let from = |op: Operation| Operation { here: meant(1), there: meant(9), ..told(op, OpState::Settled, &[Some(7)]) };
        let back = |op: Operation| {
            let new = take_back(&[from(op)], &[]).queue.remove(0).0;
            (new.here.uidvalidity.0, new.there.uidvalidity.0)
        };
        assert_eq!(back(mov(1, &[3], "B")), (9, 1));
        assert_eq!(back(op(1, &[3], OpKind::Copy { to: MailboxPath::from_typed("B") })), (9, 0));
        let renamed = OpKind::RenameMailbox { to: MailboxPath::from_typed("B"), delimiter: None };
        assert_eq!(back(op(1, &[], renamed)), (1, 0));
        let gone = Operation { state: OpState::Withdrawn, ..from(mov(1, &[3], "B")) };
        let forth = again(&[gone], &[], &[], 0).queue.remove(0).0;
        assert_eq!((forth.here, forth.there), (meant(1), meant(9)));
        // Numbered anew by the time that it was told.
        let mark = Some(crate::mail::intent::Mark { uidvalidity: UidValidity(10), uidnext: 3 });
        assert_eq!(back(Operation { mark, ..mov(1, &[3], "B") }), (10, 1));
    }

    #[test]
    fn a_settled_move_goes_back_by_number_or_by_result() {
        let back = take_back(&[told(mov(1, &[3, 4], "B"), OpState::Settled, &[Some(7), None])], &[]);
        assert_eq!(back.queue.len(), 1);
        assert_eq!(back.queue[0].0.mailbox, MailboxPath::from_typed("B"));
        assert_eq!(back.queue[0].0.kind, OpKind::Move { to: MailboxPath::inbox() });
        assert_eq!(back.queue[0].0.targets.iter().map(Target::uid).collect::<Vec<_>>(), [crate::mail::uid::Uid::new(7)]);
        let back = take_back(&[told(mov(1, &[3], "B"), OpState::Settled, &[])], &[]);
        assert_eq!(back.queue[0].0.targets, [Target::ResultOf { op: OpId(1), index: 0 }]);
    }

    #[test]
    fn a_move_under_way_goes_back_when_it_has_arrived() {
        for state in [OpState::InFlight, OpState::Uncertain, OpState::Copying, OpState::Copied] {
            let back = take_back(&[told(mov(1, &[3], "B"), state, &[])], &[]);
            assert_eq!((back.withdraw.len(), &back.queue[0].0.targets[0]), (0, &Target::ResultOf { op: OpId(1), index: 0 }));
        }
    }

    #[test]
    fn flags_get_back_only_what_differed_and_forth_again() {
        let mut op = flag(1, &[3, 4, 5], &FlagDelta::set(Flag::Seen));
        op.state = OpState::Settled;
        let unread = FlagDelta::clear(Flag::Seen);
        op.inverse = vec![unread.clone(), FlagDelta::default(), unread.clone()];
        let back = take_back(&[op], &[]);
        assert_eq!(back.queue.len(), 1);
        assert_eq!(back.queue[0].0.kind, OpKind::Flag { delta: unread });
        assert_eq!(back.queue[0].0.targets.len(), 2);
        assert_eq!(back.queue[0].0.inverse[0].apply(&Flags::new()), Flag::Seen.into());
    }

    #[test]
    fn deleting_for_ever_can_be_taken_back_until_it_was_told() {
        assert_eq!(take_back(&[op(1, &[3], OpKind::Expunge)], &[]).withdraw, [OpId(1)]);
        assert_eq!(take_back(&[told(op(1, &[3], OpKind::Expunge), OpState::Settled, &[])], &[]).finals, [OpId(1)]);
        let marked = take_back(&[told(op(1, &[3], OpKind::Expunge), OpState::Flagged, &[])], &[]);
        assert_eq!(marked.queue[0].0.kind, OpKind::Flag { delta: FlagDelta::clear(Flag::Deleted) });
    }

    #[test]
    fn a_flag_set_after_a_withdrawn_move_stays_with_the_message() {
        let moved = mov(1, &[3], "B");
        let mut star = flag(2, &[], &FlagDelta::set(Flag::Flagged));
        star.mailbox = MailboxPath::from_typed("B");
        star.targets = vec![Target::ResultOf { op: OpId(1), index: 0 }];
        let mut on = mov(3, &[], "C");
        on.mailbox = MailboxPath::from_typed("B");
        on.targets.clone_from(&star.targets);
        let back = take_back(std::slice::from_ref(&moved), &[moved.clone(), star, on]);
        assert_eq!(back.withdraw, [OpId(1), OpId(2), OpId(3)]);
        assert_eq!(back.queue.len(), 1);
        assert_eq!((&back.queue[0].0.mailbox, &back.queue[0].0.targets), (&moved.mailbox, &moved.targets));
    }

    #[test]
    fn again_is_what_it_was() {
        let mut gone = mov(1, &[3], "B");
        gone.state = OpState::Withdrawn;
        let forth = again(&[gone.clone()], &[], &[], 0);
        assert_eq!((&forth.queue[0].0.kind, &forth.queue[0].0.targets), (&gone.kind, &gone.targets));
        // Taken back by a move that the server was told: that move is taken back.
        let mut settled = mov(1, &[3], "B");
        settled.state = OpState::Settled;
        let undone = told(mov(2, &[3], "INBOX"), OpState::Settled, &[Some(8)]);
        let forth = again(&[settled], &[undone], &[], 0);
        assert_eq!(forth.queue.len(), 1);
        assert_eq!(forth.queue[0].0.targets[0].uid(), crate::mail::uid::Uid::new(8));
    }

    #[test]
    fn a_mailbox_that_is_made_again_comes_first_and_deleting_waits_again() {
        let mut create = op(1, &[], OpKind::CreateMailbox { role: None });
        let mut into = mov(2, &[3], "B");
        let mut expunge = op(3, &[4], OpKind::Expunge);
        into.after = Some(OpId(1));
        for op in [&mut create, &mut into, &mut expunge] {
            op.state = OpState::Withdrawn;
        }
        let forth = again(&[create, into, expunge], &[], &[], 77);
        assert_eq!(
            forth.queue.iter().map(|(o, after)| (o.not_before, *after)).collect::<Vec<_>>(),
            [(0, None), (0, Some(0)), (77, None)]
        );
    }
}
