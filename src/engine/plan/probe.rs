//! probe — finding out what became of a command whose answer was lost, and which message is which.
//! Owns: fingerprint matching (`matching`, `pairs`), the verdict on a lost COPY or APPEND (`verdict`).
//! May import: mail.
//! Start reading at: `verdict`. Whatever is not certain is parked: nothing is done twice, nothing is lost.

use std::collections::HashMap;

use super::MailboxSync;
use super::base::Outcome;
use super::push::{Probe, Stage};
use super::step::{Ask, OpChange, OpFault};
use super::strayed::is_strayed;
use crate::engine::journal::batch;
use crate::mail::ids::OpId;
use crate::mail::intent::{OpKind, OpState, Operation, Target};
use crate::mail::server::{Fingerprint, IdentitySeen};
use crate::mail::uid::{Uid, UidSet};

/// Whether two fingerprints are of the same message, as far as can be told without doubt.
pub(super) fn same(a: &Fingerprint, b: &Fingerprint) -> bool {
    if !a.object_id.is_empty() && !b.object_id.is_empty() {
        return a.object_id == b.object_id;
    }
    a.message_id.is_some() && a.message_id == b.message_id && a.size == b.size && a.received == b.received
}

/// Whether they may be: then nothing may be done that is wrong if they are.
pub(super) fn perhaps(a: &Fingerprint, b: &Fingerprint) -> bool {
    match (&a.message_id, &b.message_id) {
        (Some(x), Some(y)) => x == y,
        // Without a name nothing but the EMAILID tells them apart.
        (None, None) => a.object_id.is_empty() || b.object_id.is_empty() || a.object_id == b.object_id,
        _ => false,
    }
}

/// The UIDs of all in `among` that are the same message.
pub(super) fn matching(print: &Fingerprint, among: &[IdentitySeen]) -> Vec<Uid> {
    among.iter().filter(|seen| same(print, &seen.print)).map(|seen| seen.uid).collect()
}

/// What is the same message in both, where that is without doubt on both sides: (UID here, UID there). Linear.
pub(super) fn pairs(here: &[IdentitySeen], there: &[IdentitySeen]) -> Vec<(Uid, Uid)> {
    let by_id = unique(here, there, |p| (!p.object_id.is_empty()).then_some(&p.object_id));
    let done = |side: fn(&(Uid, Uid)) -> Uid| by_id.iter().map(side).collect::<UidSet>();
    let (mine, theirs) = (done(|p| p.0), done(|p| p.1));
    let all = unique(here, there, |p| p.message_id.as_ref().map(|id| (id, p.size, p.received)));
    // What differs by EMAILID is another message, whatever its headers say.
    let ids: HashMap<Uid, &str> = there.iter().map(|s| (s.uid, s.print.object_id.as_str())).collect();
    let own: HashMap<Uid, &str> = here.iter().map(|s| (s.uid, s.print.object_id.as_str())).collect();
    let differ = |a: &Uid, b: &Uid| match (own.get(a), ids.get(b)) {
        (Some(a), Some(b)) => !a.is_empty() && !b.is_empty() && a != b,
        _ => true,
    };
    let by_headers = all.into_iter().filter(|(a, b)| !mine.contains(*a) && !theirs.contains(*b) && !differ(a, b));
    let mut out: Vec<(Uid, Uid)> = by_id.iter().copied().chain(by_headers).collect();
    out.sort_unstable();
    out
}

fn unique<'a, K: std::hash::Hash + Eq>(
    here: &'a [IdentitySeen],
    there: &'a [IdentitySeen],
    key: impl Fn(&'a Fingerprint) -> Option<K>,
) -> Vec<(Uid, Uid)> {
    // A key that occurs twice maps to nothing.
    let index = |side: &'a [IdentitySeen]| {
        let mut map: HashMap<K, Option<Uid>> = HashMap::new();
        for seen in side {
            if let Some(key) = key(&seen.print) {
                map.entry(key).and_modify(|uid| *uid = None).or_insert(Some(seen.uid));
            }
        }
        map
    };
    let theirs = index(there);
    index(here).into_iter().filter_map(|(key, mine)| Some((mine?, (*theirs.get(&key)?)?))).collect()
}

/// What became of a lost COPY or APPEND.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// It was done: where each message went.
    Done(Vec<Uid>),
    /// It was not done.
    NotDone,
    /// Neither is certain.
    Doubt,
}

/// Judges by what appeared in the target mailbox since the mark: `meant` messages were to arrive, each once.
pub(super) fn verdict(meant: &[&Fingerprint], appeared: &[IdentitySeen]) -> Verdict {
    if !appeared.iter().any(|seen| meant.iter().any(|print| perhaps(print, &seen.print) || same(print, &seen.print))) {
        return Verdict::NotDone;
    }
    let mut used: Vec<Uid> = Vec::new();
    for print in meant {
        // Twins may be meant together: each takes one.
        match matching(print, appeared).into_iter().find(|uid| !used.contains(uid)) {
            Some(uid) => used.push(uid),
            None => return Verdict::Doubt,
        }
    }
    let all = appeared.iter().filter(|seen| meant.iter().any(|print| same(print, &seen.print))).count();
    if all == meant.len() { Verdict::Done(used) } else { Verdict::Doubt }
}

impl MailboxSync {
    /// Begins to find out what became of an operation whose answer was lost.
    pub(super) fn probe_first(&mut self, id: OpId) {
        let Some(op) = self.op(id) else { return };
        match &op.kind {
            OpKind::Move { .. } => {
                let uids = batch::uids(op, self.selected.uidvalidity).unwrap_or_default();
                self.go(Ask::FlagsOf { uids, changed_since: None }, Stage::Probe(id, Probe::Source));
            }
            // It ended while it was taken away from where it was not meant to go.
            OpKind::Append { .. } if is_strayed(op) => self.ask_person(id),
            _ => self.probe_target(id),
        }
    }

    pub(super) fn probe(&mut self, id: OpId, stage: Probe) {
        let refused = self.answer.refused.take();
        if let (Some(refusal), true) = (&refused, stage != Probe::Target) {
            return self.end(Outcome::Refused(refusal.clone()));
        }
        match stage {
            Probe::Source => self.source_probed(id),
            Probe::Target => {
                let mark = self.op(id).and_then(|op| op.mark);
                let here = self.answer.selected.take().map(|s| s.uidvalidity);
                self.away = true;
                let to = self.op(id).and_then(Operation::destination);
                let goal = self.goals.iter().find(|goal| Some(&goal.path) == to && !goal.looked_up);
                if let Some(goal) = goal.filter(|_| mark.is_some_and(|m| Some(m.uidvalidity) != here)) {
                    let to = Some(goal.path.clone());
                    return self.look_up(to);
                }
                match mark.filter(|m| Some(m.uidvalidity) == here && m.uidnext > 0) {
                    Some(mark) => self.go(Ask::Uids { from: mark.uidnext, to: u32::MAX }, Stage::Probe(id, Probe::Uids)),
                    None => self.judged(id, &Verdict::Doubt),
                }
            }
            Probe::Uids => {
                let uids = std::mem::take(&mut self.answer.uids);
                if uids.is_empty() {
                    return self.judged(id, &Verdict::NotDone);
                }
                self.go(Ask::Identify { uids }, Stage::Probe(id, Probe::Identities));
            }
            Probe::Identities => {
                let appeared = std::mem::take(&mut self.answer.identities);
                let Some(op) = self.op(id) else { return self.again() };
                let meant: Vec<&Fingerprint> = match &op.kind {
                    OpKind::Append { print, .. } => vec![print],
                    _ => op.targets.iter().filter_map(print_of).collect(),
                };
                let verdict = if meant.is_empty() { Verdict::Doubt } else { verdict(&meant, &appeared) };
                self.judged(id, &verdict);
            }
            Probe::Back => {
                self.away = false;
                if let Some(selected) = self.selected_or_end() {
                    // What was decided for the old numbers must not meet the new ones.
                    if selected.uidvalidity == self.selected.uidvalidity { self.again() } else { self.end(Outcome::Again) }
                }
            }
        }
    }

    /// A lost move: what is not at its source any more has gone where it should (decisions 5).
    fn source_probed(&mut self, id: OpId) {
        let there: UidSet = self.answer.flags.iter().map(|row| row.uid).collect();
        let Some(op) = self.op(id) else { return self.again() };
        if there.is_empty() && is_strayed(op) {
            // It ended while they were brought back.
            self.again();
            self.park(&[id], &OpFault::AnotherMailbox);
        } else if there.is_empty() {
            let uids = batch::uids(op, self.selected.uidvalidity).unwrap_or_default();
            self.again();
            self.gone(&uids);
            self.change(vec![OpChange::to(id, OpState::Settled)]);
        } else if self.caps.moves && op.state != OpState::Copying {
            self.judged(id, &Verdict::NotDone);
        } else {
            self.probe_target(id);
        }
    }

    fn probe_target(&mut self, id: OpId) {
        let Some(op) = self.op(id) else { return self.again() };
        let Some(mark) = op.mark else {
            // Without a mark nothing was ever sent.
            return self.judged(id, &Verdict::NotDone);
        };
        let to = op.destination().unwrap_or(&op.mailbox).clone();
        if to != self.mailbox {
            self.go(Ask::Select { mailbox: to, read_only: true, resync: None }, Stage::Probe(id, Probe::Target));
        } else if mark.uidvalidity == self.selected.uidvalidity && mark.uidnext > 0 {
            self.go(Ask::Uids { from: mark.uidnext, to: u32::MAX }, Stage::Probe(id, Probe::Uids));
        } else {
            self.judged(id, &Verdict::Doubt);
        }
    }

    fn judged(&mut self, id: OpId, verdict: &Verdict) {
        let Some(op) = self.op(id) else { return self.again() };
        let validity = op.mark.map(|m| m.uidvalidity).unwrap_or_default();
        match verdict {
            Verdict::Done(went) => {
                let state = if matches!(op.kind, OpKind::Move { .. }) { OpState::Copied } else { OpState::Settled };
                let results = Some(went.iter().map(|uid| Some((validity, uid.get()))).collect());
                self.change(vec![OpChange { results, ..OpChange::to(id, state) }]);
            }
            Verdict::NotDone => {
                self.change(vec![OpChange::to(id, OpState::Queued)]);
                // It was answered with OK and yet is not there: not again before the mailbox was observed.
                if self.sent.contains(&id) {
                    self.tried.insert(id);
                }
            }
            Verdict::Doubt => self.park(&[id], &OpFault::CannotTell),
        }
        if self.away {
            self.go(Ask::Select { mailbox: self.mailbox.clone(), read_only: false, resync: None }, Stage::Probe(id, Probe::Back));
        } else {
            self.again();
        }
    }
}

fn print_of(target: &Target) -> Option<&Fingerprint> {
    match target {
        Target::Server { print, .. } => Some(print),
        Target::ResultOf { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::envelope::MessageId;

    fn print(id: &str, size: u64, oid: &str) -> Fingerprint {
        Fingerprint { message_id: MessageId::new(id), size, received: 7, object_id: oid.to_owned() }
    }
    fn seen(uid: u32, id: &str, size: u64, oid: &str) -> IdentitySeen {
        IdentitySeen { uid: Uid::new(uid).unwrap(), print: print(id, size, oid) }
    }
    fn numbers(pairs: &[(Uid, Uid)]) -> Vec<(u32, u32)> {
        pairs.iter().map(|(a, b)| (a.get(), b.get())).collect()
    }

    #[test]
    fn only_what_is_unique_on_both_sides_is_paired() {
        let here = [seen(1, "a", 1, ""), seen(2, "b", 1, ""), seen(3, "b", 1, ""), seen(4, "", 1, ""), seen(5, "e", 1, "")];
        let there = [seen(11, "a", 1, ""), seen(12, "b", 1, ""), seen(14, "", 1, ""), seen(15, "e", 2, "")];
        assert_eq!(numbers(&pairs(&here, &there)), [(1, 11)]);
    }

    #[test]
    fn the_emailid_decides_where_both_have_one() {
        let here = [seen(1, "a", 1, "x"), seen(2, "b", 1, "y"), seen(3, "c", 1, "")];
        let there = [seen(11, "b", 1, "x"), seen(12, "a", 1, "z"), seen(13, "c", 1, "w")];
        assert_eq!(numbers(&pairs(&here, &there)), [(1, 11), (3, 13)]);
    }

    #[test]
    fn a_lost_copy_counts_only_if_the_number_is_right() {
        let (a, b, nameless) = (print("a", 1, ""), print("b", 1, ""), print("", 1, ""));
        let [a1, a2, b1] = [seen(1, "a", 1, ""), seen(2, "a", 1, ""), seen(3, "b", 1, "")];
        assert_eq!(verdict(&[&a], std::slice::from_ref(&b1)), Verdict::NotDone);
        assert_eq!(verdict(&[&a, &b], &[b1.clone(), a1.clone()]), Verdict::Done(vec![a1.uid, b1.uid]));
        assert_eq!(verdict(&[&a, &b], std::slice::from_ref(&b1)), Verdict::Doubt);
        assert_eq!(verdict(&[&a], &[a1.clone(), a2.clone()]), Verdict::Doubt);
        assert_eq!(verdict(&[&a, &a], &[a1.clone(), a2.clone()]), Verdict::Done(vec![a1.uid, a2.uid]));
        // A rewritten size is no proof that it was not done.
        assert_eq!(verdict(&[&a], &[seen(4, "a", 2, "")]), Verdict::Doubt);
        assert_eq!(verdict(&[&nameless], &[seen(5, "", 1, "")]), Verdict::Doubt);
        assert_eq!(verdict(&[&nameless], &[b1]), Verdict::NotDone);
    }
}
