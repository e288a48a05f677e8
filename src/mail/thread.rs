//! thread — which messages belong together, and in what order they are shown (RFC 5256's REFERENCES, JWZ).
//! Owns: `join`, `Joined`, `arrange`, `Node`.
//! May import: base.
//! Start reading at: `join`, the decision for one message at a time in whatever order they come in: newest first in a first
//! sync. Ids of messages that are not here (*ghosts*) have a thread too, so children of a lost parent find one another.
//! Subjects are never compared: unrelated mails with the same subject are more common than lost headers.

use super::envelope::MessageId;
use super::ids::ThreadKey;
use std::collections::{HashMap, HashSet};

/// The most threads that one message may bring together. A real one joins two or three; a forged `References` header of
/// 1,000 ids must not melt a mailbox into one conversation (security M-18).
pub const MAX_MERGED: usize = 8;

/// What to do with a message's thread.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Joined {
    /// The thread that it belongs to; none means a new one.
    pub thread: Option<ThreadKey>,
    /// Threads that turn out to be the same one: all that is in them goes to `thread`.
    pub merged: Vec<ThreadKey>,
    /// Ids, by their index in the argument, that have no thread yet and get this one (ghosts, and the message itself).
    pub fresh: Vec<usize>,
}

/// Decides the thread of one message. `known` are its own id (if it has one) and its ancestors
/// ([`super::envelope::Envelope::ancestors`]), nearest last, each with the thread it is recorded for.
///
/// The oldest of the threads that it touches stays, so that the outcome does not depend on the order in which mail comes in.
/// Linear in the number of ids.
#[must_use]
pub fn join(known: &[Option<ThreadKey>]) -> Joined {
    let mut seen = HashSet::new();
    // From the nearest ancestor on: it is the likeliest to be true.
    let threads: Vec<ThreadKey> = known.iter().rev().filter_map(|t| *t).filter(|t| seen.insert(*t)).take(MAX_MERGED).collect();
    let thread = threads.iter().min().copied();
    Joined {
        thread,
        merged: threads.into_iter().filter(|t| Some(*t) != thread).collect(),
        fresh: known.iter().enumerate().filter(|(_, t)| t.is_none()).map(|(n, _)| n).collect(),
    }
}

/// One message of a conversation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Node<'a> {
    /// Its own id, if it has one.
    pub id: Option<&'a MessageId>,
    /// Its ancestors, oldest first.
    pub ancestors: Vec<&'a MessageId>,
    /// For the order among siblings: received, as in lists.
    pub sort: i64,
}

/// The order in which a conversation is shown: (index, depth), parents before children, siblings by `sort`. A message stands
/// below its nearest ancestor that is here. Each index occurs once, whatever ids repeat or run in circles.
#[must_use]
pub fn arrange(nodes: &[Node<'_>]) -> Vec<(usize, u16)> {
    let mut by_age: Vec<usize> = (0..nodes.len()).collect();
    by_age.sort_by_key(|n| nodes.get(*n).map_or(0, |node| node.sort));
    // Of messages with the same id, the oldest is the parent.
    let mut by_id: HashMap<&MessageId, usize> = HashMap::new();
    for &n in &by_age {
        if let Some(id) = nodes.get(n).and_then(|node| node.id) {
            by_id.entry(id).or_insert(n);
        }
    }
    let mut parent: Vec<Option<usize>> = vec![None; nodes.len()];
    for &n in &by_age {
        let Some(node) = nodes.get(n) else { continue };
        let above = node.ancestors.iter().rev().find_map(|id| by_id.get(id).copied()).filter(|p| !leads_to(&parent, *p, n));
        if let Some(slot) = parent.get_mut(n) {
            *slot = above;
        }
    }
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    let mut stack: Vec<(usize, u16)> = Vec::new();
    for &n in by_age.iter().rev() {
        match parent.get(n).copied().flatten() {
            Some(p) => children.get_mut(p).into_iter().for_each(|c| c.push(n)),
            None => stack.push((n, 0)),
        }
    }
    // Both lists hold the newest first, so the oldest is popped first.
    let mut out = Vec::with_capacity(nodes.len());
    while let Some((n, depth)) = stack.pop() {
        out.push((n, depth));
        stack.extend(children.get(n).into_iter().flatten().map(|c| (*c, depth.saturating_add(1))));
    }
    out
}

/// Whether `goal` is `from` or above it.
fn leads_to(parent: &[Option<usize>], mut from: usize, goal: usize) -> bool {
    loop {
        if from == goal {
            return true;
        }
        match parent.get(from).copied().flatten() {
            Some(next) => from = next,
            None => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn id(n: usize) -> MessageId {
        MessageId::new(&format!("{n}@x")).unwrap()
    }

    /// A store of threads in miniature.
    #[derive(Default)]
    struct Store {
        refs: HashMap<usize, i64>,
        next: i64,
    }

    impl Store {
        fn add(&mut self, own: usize, ancestors: &[usize]) {
            let ids: Vec<usize> = std::iter::once(own).chain(ancestors.iter().copied()).collect();
            let known: Vec<_> = ids.iter().map(|i| self.refs.get(i).map(|t| ThreadKey(*t))).collect();
            let joined = join(&known);
            self.next += 1;
            let thread = joined.thread.map_or(self.next, |t| t.0);
            for t in self.refs.values_mut().filter(|t| joined.merged.contains(&ThreadKey(**t))) {
                *t = thread;
            }
            for n in joined.fresh {
                self.refs.insert(ids[n], thread);
            }
        }

        fn partition(&self) -> BTreeSet<BTreeSet<usize>> {
            let mut by: HashMap<i64, BTreeSet<usize>> = HashMap::new();
            for (id, t) in &self.refs {
                by.entry(*t).or_default().insert(*id);
            }
            by.into_values().collect()
        }
    }

    #[test]
    fn a_lost_parent_still_holds_its_children_together() {
        let mut s = Store::default();
        s.add(5, &[1, 2]);
        s.add(6, &[2]);
        s.add(9, &[8]);
        assert_eq!(s.partition().len(), 2);
        s.add(8, &[1]);
        assert_eq!(s.partition().len(), 1);
    }

    #[test]
    fn a_forged_chain_melts_little() {
        let known: Vec<_> = (0..1_000).map(|n| Some(ThreadKey(n))).collect();
        let joined = join(&known);
        assert_eq!((joined.thread, joined.merged.len()), (Some(ThreadKey(992)), MAX_MERGED - 1));
        assert_eq!(join(&[]), Joined::default());
    }

    #[test]
    fn conversations_are_trees_even_in_circles() {
        let ids: Vec<_> = (0..5).map(id).collect();
        let node =
            |own: usize, up: &[usize], sort| Node { id: Some(&ids[own]), ancestors: up.iter().map(|n| &ids[*n]).collect(), sort };
        // 1 and 2 answer 0; 3 answers 2, which came later than 1; 4's parent is not here but its grandparent is.
        let nodes = [node(3, &[0, 2], 40), node(0, &[], 10), node(2, &[0], 30), node(1, &[0], 20)];
        assert_eq!(arrange(&nodes), [(1, 0), (3, 1), (2, 1), (0, 2)]);
        let circle = [node(0, &[1], 1), node(1, &[0], 2), node(1, &[0], 3)];
        assert_eq!(arrange(&circle).iter().map(|(n, _)| *n).collect::<BTreeSet<_>>().len(), 3);
        let itself = [Node { id: None, ancestors: vec![&ids[0]], sort: 2 }, node(0, &[0], 1)];
        assert_eq!(arrange(&itself), [(1, 0), (0, 1)]);
    }

    proptest! {
        #[test]
        fn the_order_of_arrival_does_not_matter(mails in proptest::collection::vec((0usize..12, proptest::collection::vec(0usize..12, 0..4)), 0..12).prop_flat_map(|m| (Just(m.clone()), Just(m).prop_shuffle()))) {
            let of = |mails: &[(usize, Vec<usize>)]| { let mut s = Store::default(); for (own, up) in mails { s.add(*own, up); } s.partition() };
            prop_assert_eq!(of(&mails.0), of(&mails.1));
        }

        #[test]
        fn each_message_is_shown_once(mails in proptest::collection::vec((0usize..8, proptest::collection::vec(0usize..8, 0..4), 0i64..5), 0..12)) {
            let ids: Vec<_> = (0..8).map(id).collect();
            let nodes: Vec<_> = mails.iter().map(|(own, up, sort)| Node { id: Some(&ids[*own]), ancestors: up.iter().map(|n| &ids[*n]).collect(), sort: *sort }).collect();
            let shown = arrange(&nodes);
            prop_assert_eq!(shown.iter().map(|(n, _)| *n).collect::<BTreeSet<_>>(), (0..nodes.len()).collect::<BTreeSet<_>>());
            prop_assert_eq!(shown.len(), nodes.len());
        }
    }
}
