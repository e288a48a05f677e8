//! batch — which operations go to the server in one command, and which have to wait.
//! Owns: `Work`, `pick`.
//! May import: mail.
//! Start reading at: `pick`. Order is kept for each message, not globally: a stuck operation never stops others.

use crate::mail::flags::FlagDelta;
use crate::mail::ids::OpId;
use crate::mail::intent::{OpKind, OpState, Operation, Target};
use crate::mail::mailbox::MailboxPath;
use crate::mail::uid::{UidSet, UidValidity};

/// What one command does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Work {
    /// Change flags.
    Store(FlagDelta),
    /// Move by the extension.
    Move(MailboxPath),
    /// Copy; `moving` for the first part of a move without the extension.
    Copy {
        /// Where to.
        to: MailboxPath,
        /// Whether the source goes afterwards.
        moving: bool,
    },
    /// Mark the source as deleted: an expunge's first part, or a move's second one.
    Mark,
    /// Take away what is marked.
    Expunge,
    /// Put frozen bytes here.
    Append,
    /// Find out what became of it.
    Probe,
}

/// The UIDs of an operation, or nothing while one of its targets has no number under `validity`.
#[must_use]
pub fn uids(op: &Operation, validity: UidValidity) -> Option<UidSet> {
    let number = |t: &Target| match t {
        Target::Server { uidvalidity, .. } if *uidvalidity == validity => t.uid(),
        _ => None,
    };
    op.targets.iter().map(number).collect()
}

/// The targets that the next command may touch. Of a move whose copy is confirmed by number, only those that
/// are confirmed: a message without a copy is never deleted (security S-29).
#[must_use]
pub fn sources(op: &Operation, validity: UidValidity) -> UidSet {
    let any = op.results.iter().any(Option::is_some);
    let confirmed = |i: usize| !any || op.results.get(i).is_some_and(Option::is_some);
    op.targets
        .iter()
        .enumerate()
        .filter(|(i, _)| confirmed(*i))
        .filter_map(|(_, t)| t.uid())
        .collect::<UidSet>()
        .intersection(&uids(op, validity).unwrap_or_default())
}

/// What has to be done about `op` next, if anything can be.
#[must_use]
pub fn work(op: &Operation, moves: bool, uidplus: bool) -> Option<Work> {
    use OpState::{Copied, Copying, Flagged, Hidden, InFlight, Queued, Uncertain};
    match (&op.kind, op.state) {
        (OpKind::Flag { delta }, Queued | InFlight | Uncertain) => Some(Work::Store(delta.clone())),
        (OpKind::Expunge, Queued | InFlight | Uncertain) | (OpKind::Move { .. }, Copied) => Some(Work::Mark),
        (OpKind::Expunge | OpKind::Move { .. }, Flagged | Hidden) => uidplus.then_some(Work::Expunge),
        (OpKind::Move { to }, Queued) if moves => Some(Work::Move(to.clone())),
        (OpKind::Move { to }, Queued) => Some(Work::Copy { to: to.clone(), moving: true }),
        (OpKind::Copy { to }, Queued) => Some(Work::Copy { to: to.clone(), moving: false }),
        (OpKind::Append { .. }, Queued) => Some(Work::Append),
        (OpKind::Move { .. } | OpKind::Copy { .. } | OpKind::Append { .. }, InFlight | Uncertain | Copying) => Some(Work::Probe),
        _ => None,
    }
}

/// The operations of the next command: the first that is `ready`, and those behind it that want the same and
/// have nothing unfinished before them. `ops` are in the order of the person's acts. Copies and appends stay
/// alone: they are counted when a line drops, and two in one could not be told apart. For the same reason nothing new
/// goes where one of another mailbox is still to be counted (`elsewhere`).
#[must_use]
pub fn pick<'a>(
    ops: impl IntoIterator<Item = &'a Operation>,
    elsewhere: &[&MailboxPath],
    validity: UidValidity,
    caps: (bool, bool),
    ready: impl Fn(&Operation) -> bool,
) -> Option<(Work, Vec<OpId>, UidSet)> {
    let mut chosen: Option<(Work, Vec<OpId>, UidSet)> = None;
    // UIDs with something unfinished before, and mailboxes in which a lost copy may still have to be counted.
    let mut busy = UidSet::new();
    let mut uncounted: Vec<&'a MailboxPath> = Vec::new();
    for op in ops.into_iter().filter(|op| op.state.pending()) {
        let named = uids(op, validity);
        // One with targets that have no number yet blocks only itself: nobody else can name those targets.
        let own = named.clone().unwrap_or_default();
        let to = op.destination();
        let clear = own.intersection(&busy).is_empty() && to.is_none_or(|to| !uncounted.contains(&to));
        let work = work(op, caps.0, caps.1).filter(|work| {
            let begins = matches!(work, Work::Move(_) | Work::Copy { .. } | Work::Append);
            let alone = !begins || to.is_none_or(|to| !elsewhere.contains(&to));
            named.is_some() && clear && alone && ready(op)
        });
        match (work, &mut chosen) {
            (Some(work), None) => chosen = Some((work, vec![op.id], sources(op, validity))),
            (Some(Work::Store(delta)), Some((Work::Store(first), ids, set))) if delta == *first => {
                ids.push(op.id);
                *set = set.union(&own);
            }
            // One after the other on the same messages: as one, so that setting and clearing costs one command.
            (Some(Work::Store(delta)), Some((Work::Store(first), ids, set))) if own == *set => {
                ids.push(op.id);
                *first = first.then(&delta);
            }
            (Some(Work::Move(to)), Some((Work::Move(first), ids, set))) if to == *first && set.intersection(&own).is_empty() => {
                ids.push(op.id);
                *set = set.union(&own);
            }
            _ => {
                // What is only marked for want of UIDPLUS has nothing more to do: it stops nobody.
                if !op.state.is_marked() {
                    busy = busy.union(&own);
                    uncounted.extend(to.filter(|_| op.mark.is_some()));
                }
            }
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::super::tests::{flag, mov};
    use super::*;
    use crate::mail::flags::{Flag, FlagDelta};

    fn next(ops: &[Operation]) -> Option<(Vec<i64>, String)> {
        pick(ops, &[], UidValidity(1), (true, true), |op| op.not_before == 0)
            .map(|(_, ids, set)| (ids.into_iter().map(|i| i.0).collect(), set.to_string()))
    }

    #[test]
    fn same_wishes_share_a_command() {
        let seen = FlagDelta::set(Flag::Seen);
        let ops = [flag(1, &[3], &seen), flag(2, &[7, 8], &seen), mov(3, &[20], "B"), flag(4, &[9], &seen)];
        assert_eq!(next(&ops), Some((vec![1, 2, 4], "3,7:9".to_owned())));
    }

    #[test]
    fn order_is_kept_for_each_message() {
        let (seen, unseen) = (FlagDelta::set(Flag::Seen), FlagDelta::clear(Flag::Seen));
        let ops = [flag(1, &[3], &seen), flag(2, &[3, 6], &unseen), flag(3, &[3, 4], &seen), flag(4, &[5], &seen)];
        assert_eq!(next(&ops), Some((vec![1, 4], "3,5".to_owned())));
    }

    #[test]
    fn setting_and_clearing_is_one_command() {
        let (seen, unseen) = (FlagDelta::set(Flag::Seen), FlagDelta::clear(Flag::Seen));
        let ops = [flag(1, &[3, 4], &seen), flag(2, &[3, 4], &unseen), flag(3, &[3], &seen)];
        let (work, ids, _) = pick(&ops, &[], UidValidity(1), (true, true), |_| true).unwrap();
        assert_eq!((work, ids.len()), (Work::Store(unseen), 2));
    }

    #[test]
    fn a_stuck_operation_stops_only_its_own_messages() {
        let seen = FlagDelta::set(Flag::Seen);
        let mut ops = [mov(1, &[3], "B"), flag(2, &[3], &seen), flag(3, &[4], &seen)];
        ops[0].not_before = 9;
        assert_eq!(next(&ops), Some((vec![3], "4".to_owned())));
    }

    #[test]
    fn one_message_is_not_moved_twice_by_one_command() {
        assert_eq!(next(&[mov(1, &[3], "B"), mov(2, &[3, 4], "B")]), Some((vec![1], "3".to_owned())));
    }

    #[test]
    fn only_confirmed_copies_lose_their_source() {
        let mut op = mov(1, &[3, 4], "B");
        op.state = OpState::Copied;
        op.results = vec![None, Some((UidValidity(9), 1))];
        let (work, _, set) = pick([&op], &[], UidValidity(1), (false, true), |_| true).unwrap();
        assert_eq!((work, set.to_string().as_str()), (Work::Mark, "4"));
    }
}
