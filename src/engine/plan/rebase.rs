//! rebase — what to do when a mailbox was numbered anew (RFC 9051, 2.3.1.1; security S-21, S-22).
//! Owns: the stages of re-identification.
//! May import: mail.
//! Start reading at: `follow`. A number of the old UIDVALIDITY is never sent under the new one: an operation is
//! re-targeted only where its message is found without doubt, else it is parked.

use super::base::Outcome;
use super::probe::{matching, pairs};
use super::step::{Ask, MAX_ROWS, OpChange, OpFault, Record};
use super::windows::window;
use super::{MailboxSync, push};
use crate::mail::intent::{Mark, OpState, Operation, Target};
use crate::mail::meant::Meant;
use crate::mail::server::{IdentitySeen, Selected};
use crate::mail::uid::{ModSeq, UidSet, UidValidity};

use super::base::Base;

/// Where re-identifying stands.
#[derive(Clone, Debug)]
pub(super) enum Stage {
    /// All UIDs were asked for.
    Uids,
    /// The fingerprints behind them were asked for.
    There,
    /// The fingerprints in the cache were asked for.
    Here(Vec<IdentitySeen>),
}

impl MailboxSync {
    /// The mailbox is selected: is it still the one that we know?
    pub(super) fn follow(&mut self) {
        let now = self.selected.uidvalidity;
        let renumbered = self.base.uidvalidity != now && self.base.uidvalidity != UidValidity::default();
        let steady = self.policy.unstable.is_none_or(|held| held == now && now != UidValidity::default());
        if !steady || (renumbered && (!self.policy.may_rebase || now == UidValidity::default())) {
            self.put_off();
            return self.end(Outcome::Unstable(now));
        }
        // Or was ours renamed, and this is another one by its name? The list says where ours is.
        let unlisted = self.policy.listed != now;
        let told = |op: &Operation| op.here.uidvalidity == now || op.here.says(&self.selected.mailbox_id).is_some();
        let strange = self.ops.iter().any(|op| self.ours(op) && self.is_strange(op) && (unlisted || told(op)));
        if ((renumbered && unlisted) || strange) && !self.policy.looked_up {
            return self.end(Outcome::NoMailbox);
        }
        if self.misplaces() || (renumbered && !self.known.is_empty()) || self.counts_anew() {
            self.join();
            self.stage = super::Stage::Rebase(Stage::Uids);
            if !self.ask_numbers() {
                self.rebase(Stage::Uids);
            }
        } else {
            if renumbered {
                self.rebased(Vec::new());
            }
            self.stage = super::Stage::Push(push::Stage::Pick);
        }
    }

    /// Whether the mailbox is another one than the one in which an operation's messages were seen, or was numbered anew.
    fn is_strange(&self, op: &Operation) -> bool {
        let now = Mark { uidvalidity: self.selected.uidvalidity, uidnext: self.selected.uidnext };
        !op.targets.is_empty() && op.here.is_another(now, &self.selected.mailbox_id)
    }

    pub(super) fn rebase(&mut self, stage: Stage) {
        if let Some(refusal) = self.answer.refused.take() {
            return self.end(Outcome::Refused(refusal));
        }
        let next = match stage {
            Stage::Uids => {
                if self.ask_numbers() {
                    return;
                }
                let there = self.numbers();
                // What earlier passes brought of those that are gone since would only be in the way.
                self.identified.retain(|seen| there.contains(seen.uid));
                let here: UidSet = self.identified.iter().map(|seen| seen.uid).collect();
                self.fetch.prints = there.difference(&here);
                if !self.misplaces() && self.base.uidvalidity == self.selected.uidvalidity {
                    // Its rows alone are in question.
                    self.fetch.prints = self.fetch.prints.intersection(&self.known);
                    if !self.may_count_anew(&there) {
                        return self.retargeted();
                    }
                }
                self.identify()
            }
            Stage::There => self.identify(),
            Stage::Here(there) => {
                let here = std::mem::take(&mut self.answer.identities);
                self.retarget(&there, &here);
                if self.base.uidvalidity != self.selected.uidvalidity {
                    self.rebased(pairs(&here, &there));
                } else if self.counts_anew() {
                    self.keep_the_same(&there, &here);
                }
                return self.retargeted();
            }
        };
        self.stage = super::Stage::Rebase(next);
    }

    /// Whether operations have to be held against what is there.
    fn misplaces(&self) -> bool {
        let now = self.selected.uidvalidity;
        self.ops.iter().any(|op| self.ours(op) && (foreign(op, now) || self.is_strange(op)))
    }

    /// All that is known stands in the numbers of now.
    fn retargeted(&mut self) {
        // What is told to the server now may change which numbers there are.
        (self.fetch.looked, self.fetch.there) = (UidSet::new(), UidSet::new());
        self.stage = super::Stage::Push(push::Stage::Pick);
    }

    /// Asks for the fingerprints that are not here: of all, or where a line broke over them, of some.
    fn identify(&mut self) -> Stage {
        let came = std::mem::take(&mut self.answer.identities);
        let uidvalidity = self.selected.uidvalidity;
        if self.partly.is_some() {
            for rows in came.chunks(MAX_ROWS) {
                self.record(Record::Identified { uidvalidity, rows: rows.to_vec() });
            }
        }
        self.identified.extend(came);
        if self.fetch.prints.is_empty() {
            self.ask(Ask::CachedIdentities);
            return Stage::Here(std::mem::take(&mut self.identified));
        }
        let uids = if self.partly.is_some() {
            let here = self.identified.iter().map(|seen| seen.uid).collect();
            window(&mut self.fetch.prints, &here, self.fetch.window)
        } else {
            std::mem::take(&mut self.fetch.prints)
        };
        self.ask(Ask::Identify { uids });
        Stage::There
    }

    /// Nothing is done where the numbers do not last, and what waits says why. Once they last it is told as ever: to its own
    /// message, found again by what it is, or to nobody.
    fn put_off(&mut self) {
        let silent = self.ops.iter().filter(|op| self.ours(op) && op.fault.is_empty());
        let changes = silent.map(|op| OpChange { fault: Some(OpFault::Unstable), ..OpChange::to(op.id, op.state) }).collect();
        self.change(changes);
    }

    /// Operations first: if the program dies before the cache is rebased, both sides are still here to compare.
    fn retarget(&mut self, there: &[IdentitySeen], here: &[IdentitySeen]) {
        let now = self.selected.uidvalidity;
        let old = self.base.uidvalidity != now;
        let mut changes = Vec::new();
        for op in self.ops.iter().filter(|op| self.ours(op) && (foreign(op, now) || self.is_strange(op))) {
            // Its numbers mean nothing here, whatever they were given under.
            let strange = self.is_strange(op);
            let found: Vec<Option<Target>> = op
                .targets
                .iter()
                .map(|target| match target {
                    Target::Server { uidvalidity, uid, print } if strange || *uidvalidity != now => {
                        let twice = old && matching(print, here).len() > 1;
                        let like = matching(print, there);
                        if *uidvalidity == now && like.iter().any(|there| there.get() == *uid) {
                            return Some(target.clone());
                        }
                        match like[..] {
                            [only] if !twice => Some(Target::Server { uidvalidity: now, uid: only.get(), print: print.clone() }),
                            _ => None,
                        }
                    }
                    other => Some(other.clone()),
                })
                .collect();
            let all: Option<Vec<Target>> = found.iter().cloned().collect();
            // What is marked and is not found was expunged: that was the wish.
            let Selected { uidnext, ref mailbox_id, .. } = self.selected;
            let meant = || Meant { uidvalidity: now, uidnext, object_id: mailbox_id.clone(), alone: op.here.alone };
            let mut change = match (&all, op.state) {
                (Some(_), _) => OpChange { here: Some(meant()), ..OpChange::to(op.id, op.state) },
                (None, state) if state.is_marked() => OpChange::to(op.id, OpState::Settled),
                (None, _) => OpChange::park(op.id, OpFault::NotFoundAgain),
            };
            if change.state != OpState::Settled {
                // Those that were found keep their new number, for a later "try again".
                change.targets =
                    Some(op.targets.iter().zip(found).map(|(old, new)| new.unwrap_or_else(|| old.clone())).collect());
            }
            changes.push(change);
        }
        self.change(changes);
    }

    fn rebased(&mut self, pairs: Vec<(crate::mail::uid::Uid, crate::mail::uid::Uid)>) {
        let to = self.selected.uidvalidity;
        self.doubted = UidSet::new();
        self.known = pairs.iter().map(|(_, new)| *new).collect::<UidSet>();
        self.record(Record::Rebase { from: self.base.uidvalidity, to, pairs });
        self.base = Base { uidvalidity: to, uidnext: 0, highestmodseq: ModSeq(0) };
    }
}

/// Whether a target has a number of another UIDVALIDITY.
fn foreign(op: &Operation, now: UidValidity) -> bool {
    op.targets.iter().any(|t| matches!(t, Target::Server { uidvalidity, .. } if *uidvalidity != now))
}
