//! push — carrying the person's wishes to the server, each exactly once.
//! Owns: the stages of pushing: mark, claim, tell, settle.
//! May import: mail, engine/journal.
//! Start reading at: `Stage`. A claim is on disk before its command is sent; what the server did is in the cache
//! before the wish is settled.

use super::base::Outcome;
use super::goal::Goal;
use super::results::finished;
use super::step::{Ask, Code, OpChange, OpFault, Record, Refusal, Tell};
use super::{MailboxSync, Stage as Pass, misfiled, strayed};
use crate::engine::journal::batch::{self, Work};
use crate::engine::journal::op::backoff;
use crate::mail::flags::{Flag, FlagDelta, Flags};
use crate::mail::ids::OpId;
use crate::mail::intent::{Mark, OpKind, OpState, Operation, Target};
use crate::mail::mailbox::MailboxPath;
use crate::mail::meant::Meant;
use crate::mail::server::CopiedUids;
use crate::mail::uid::{UidSet, UidValidity};

/// One command and the operations that it is for.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) work: Work,
    pub(super) ids: Vec<OpId>,
    pub(super) uids: UidSet,
}

/// Where pushing stands.
#[derive(Clone, Debug)]
pub(super) enum Stage {
    /// What is next?
    Pick,
    /// The UIDs since the mark were asked for, for targets that an earlier operation made without saying where.
    Appeared(OpId),
    /// ... and their fingerprints.
    Resolve(OpId),
    /// The target's UIDNEXT was asked for.
    Marked(Job),
    /// That was refused: all mailboxes were asked for.
    Missing(Job, Refusal),
    /// The claim is on disk: tell.
    Claimed(Job),
    /// The server answered.
    Told(Job),
    /// A lost operation is probed.
    Probe(OpId, Probe),
    /// Messages are brought back from where they were not meant to go.
    Strayed(Box<strayed::Stage>),
    /// A message is taken away from where it was not meant to go.
    Misfiled(misfiled::Stage),
    /// ... it is looked for, because the server does not say where it went.
    Filed(misfiled::Search),
}

/// Where a probe stands; `probe.rs` judges.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Probe {
    /// Which sources are there was asked.
    Source,
    /// The target mailbox was opened.
    Target,
    /// Its UIDs since the mark were asked for.
    Uids,
    /// Their fingerprints were asked for.
    Identities,
    /// Our own mailbox was opened again.
    Back,
}

impl MailboxSync {
    pub(super) fn push(&mut self, stage: Stage) {
        match stage {
            Stage::Pick => self.pick(),
            Stage::Appeared(id) => {
                let uids = std::mem::take(&mut self.answer.uids);
                self.go(Ask::Identify { uids }, Stage::Resolve(id));
            }
            Stage::Resolve(id) => self.resolve_by_print(id),
            Stage::Marked(job) => self.marked(job),
            Stage::Missing(job, refusal) => self.missing(&job, &refusal),
            Stage::Claimed(job) => self.claimed(job),
            Stage::Told(job) => self.settle(job),
            Stage::Probe(id, stage) => self.probe(id, stage),
            Stage::Strayed(stage) => self.bring_back(*stage),
            Stage::Misfiled(stage) => self.take_away(stage),
            Stage::Filed(search) => self.look_for(search),
        }
    }

    pub(super) fn go(&mut self, ask: Ask, stage: Stage) {
        self.ask(ask);
        self.stage = Pass::Push(stage);
    }

    pub(super) fn again(&mut self) {
        self.stage = Pass::Push(Stage::Pick);
    }

    fn pick(&mut self) {
        if self.resolve() {
            return;
        }
        let caps = (self.caps.moves, self.caps.uidplus);
        let ours = self.ops.iter().filter(|op| self.ours(op));
        let others = self.ops.iter().filter(|op| op.mailbox != self.mailbox && op.unsure());
        let elsewhere: Vec<&MailboxPath> = others.filter_map(Operation::destination).collect();
        let picked = batch::pick(ours, &elsewhere, self.selected.uidvalidity, caps, |op| self.ready(op));
        let Some((work, ids, uids)) = picked else {
            return self.pushed();
        };
        let job = Job { work, ids, uids };
        if let Some(fault) = self.forbidden(&job.work) {
            return self.park(&job.ids, &fault);
        }
        match &job.work {
            Work::Probe => job.ids.iter().for_each(|id| self.probe_first(*id)),
            Work::Move(to) | Work::Copy { to, .. } => self.go(Ask::TargetMark { mailbox: to.clone() }, Stage::Marked(job)),
            Work::Append => self.go(Ask::TargetMark { mailbox: self.mailbox.clone() }, Stage::Marked(job)),
            Work::Store(_) | Work::Mark | Work::Expunge => self.claim(job, None),
        }
    }

    fn ready(&self, op: &Operation) -> bool {
        let before = op.after.and_then(|id| self.op(id));
        !self.tried.contains(&op.id) && op.not_before <= self.policy.now && before.is_none_or(finished)
    }

    /// Why the mailbox does not let this be done.
    fn forbidden(&self, work: &Work) -> Option<OpFault> {
        let changes =
            matches!(work, Work::Store(_) | Work::Move(_) | Work::Copy { moving: true, .. } | Work::Mark | Work::Expunge);
        if self.selected.uidvalidity == UidValidity::default() && *work != Work::Append {
            return Some(OpFault::NoUidValidity);
        }
        if self.selected.read_only && changes {
            return Some(OpFault::ReadOnly);
        }
        let delta = match work {
            Work::Store(delta) => delta.clone(),
            Work::Mark => FlagDelta::set(Flag::Deleted),
            _ => return None,
        };
        self.kept(&delta).is_empty().then_some(OpFault::FlagsNotKept)
    }

    /// The part of a change that the mailbox keeps for good.
    fn kept(&self, delta: &FlagDelta) -> FlagDelta {
        let Some(permanent) = &self.selected.permanent_flags else { return delta.clone() };
        let mut add = Flags::new();
        delta.add().system().filter(|flag| permanent.has(*flag)).for_each(|flag| add.insert(flag));
        for keyword in delta.add().keywords() {
            if self.selected.new_keywords || permanent.has_keyword(keyword) {
                add.insert_keyword(keyword.clone());
            }
        }
        FlagDelta::new(add, delta.remove().clone())
    }

    fn marked(&mut self, job: Job) {
        if let Some(refusal) = self.answer.refused.take() {
            if matches!(refusal.code, Code::NoMailbox | Code::Other) {
                return self.go(Ask::Mailboxes, Stage::Missing(job, refusal));
            }
            self.refused(&job.ids, &refusal);
            return self.again();
        }
        let mark = self.answer.mark.unwrap_or(Mark { uidvalidity: UidValidity::default(), uidnext: 0 });
        let of = std::mem::take(&mut self.answer.mark_of);
        let is_another = |id: &&OpId| self.op(**id).is_some_and(|op| self.goal_of(op).is_another(&op.goal(), mark, &of));
        let others: Vec<OpId> = job.ids.iter().filter(is_another).copied().collect();
        let Some(op) = others.first().and_then(|id| self.op(*id)) else { return self.claim(job, Some(mark)) };
        let goal = self.goal_of(op);
        if !goal.looked_up {
            return self.look_up(Some(goal.path));
        }
        // The list told where nothing is. By its name it may be the one that was meant, unless the server itself says that it is not.
        let strange: Vec<OpId> =
            others.into_iter().filter(|id| self.op(*id).is_some_and(|op| op.goal().says(&of) == Some(false))).collect();
        if strange.is_empty() {
            return self.claim(job, Some(mark));
        }
        self.park(&strange, &OpFault::AnotherMailbox);
        // What is left of the job is picked anew.
        self.again();
    }

    /// What is known, beside the journal, of where an operation puts messages.
    fn goal_of(&self, op: &Operation) -> Goal {
        let to = op.destination().unwrap_or(&op.mailbox);
        let known = self.goals.iter().find(|goal| goal.path == *to).cloned();
        let looked_up = self.policy.looked_up;
        known.unwrap_or_else(|| Goal { path: to.clone(), cached: Meant::default(), looked_up })
    }

    /// A mailbox may be called otherwise now, and another one have its name: nothing is put anywhere before a new list tells.
    pub(super) fn look_up(&mut self, goal: Option<MailboxPath>) {
        self.strange = goal;
        self.end(Outcome::NoMailbox);
    }

    /// The target says nothing of itself. If it is not there, somebody may have renamed it: a new list tells.
    fn missing(&mut self, job: &Job, refusal: &Refusal) {
        let to = job.ids.first().and_then(|id| self.op(*id)).and_then(Operation::destination);
        if self.answer.refused.is_none() && to.is_some_and(|to| !self.answer.listed.contains(to)) {
            return self.end(Outcome::NoMailbox);
        }
        self.again();
        self.refused(&job.ids, refusal);
    }

    /// Writes down that a command is about to be sent.
    fn claim(&mut self, job: Job, mark: Option<Mark>) {
        let state = |op: &Operation| match (&job.work, op.state) {
            (Work::Copy { moving: true, .. }, _) => OpState::Copying,
            // Both may be done twice: their state says already what comes next.
            (Work::Mark | Work::Expunge, OpState::Copied | OpState::Flagged | OpState::Hidden) => op.state,
            _ => OpState::InFlight,
        };
        let claims = job.ids.iter().filter_map(|id| self.op(*id)).filter(|op| state(op) != op.state || mark.is_some());
        let claims = claims.map(|op| OpChange { attempt: true, mark, ..OpChange::to(op.id, state(op)) }).collect();
        self.change(claims);
        self.stage = Pass::Push(Stage::Claimed(job));
    }

    fn claimed(&mut self, job: Job) {
        let uids = job.uids.clone();
        let tell = match &job.work {
            Work::Store(delta) => Tell::StoreFlags { uids, delta: self.kept(delta) },
            Work::Mark => Tell::StoreFlags { uids, delta: FlagDelta::set(Flag::Deleted) },
            Work::Move(to) => Tell::Move { uids, to: to.clone() },
            Work::Copy { to, .. } => Tell::Copy { uids, to: to.clone() },
            Work::Expunge => Tell::UidExpunge { uids },
            Work::Append => match job.ids.first().and_then(|id| self.op(*id)).map(|op| &op.kind) {
                Some(OpKind::Append { spool, flags, received, print, .. }) => Tell::Append {
                    mailbox: self.mailbox.clone(),
                    spool: spool.clone(),
                    flags: flags.add().clone(),
                    received: *received,
                    size: print.size,
                },
                _ => return self.again(),
            },
            Work::Probe => return self.again(),
        };
        self.sent.extend(&job.ids);
        self.tell(tell);
        self.stage = Pass::Push(Stage::Told(job));
    }

    /// The server did it, or refused.
    fn settle(&mut self, job: Job) {
        self.again();
        if let Some(refusal) = self.answer.refused.take() {
            return self.refused(&job.ids, &refusal);
        }
        let uidvalidity = self.selected.uidvalidity;
        // COPYUID counts only for what was asked (security S-29).
        let copied = self.answer.copied.take().map(|mut copied| {
            copied.pairs.retain(|(from, _)| job.uids.contains(*from));
            copied
        });
        let copied = copied.filter(|c| !c.pairs.is_empty());
        // Under other numbers than the goal had a moment ago: somebody gave its name to another mailbox in between, or it is not so.
        let mark = job.ids.first().and_then(|id| self.op(*id)).and_then(|op| op.mark).map(|mark| mark.uidvalidity);
        let known = mark.filter(|validity| *validity != UidValidity::default());
        let another = |of: UidValidity| known.is_some_and(|validity| validity != of);
        let strayed = |c: &CopiedUids| another(c.uidvalidity);
        if let (Some(appended), Work::Append) = (self.answer.appended.filter(|(of, _)| another(*of)), &job.work)
            && let Some(id) = job.ids.first()
        {
            return self.misfiled(*id, appended);
        }
        // The server does not say where it went: what has the name now does.
        if let (None, Work::Append, Some(id), Some(_)) = (self.answer.appended, &job.work, job.ids.first(), known) {
            return self.filed(*id);
        }
        let copied = match (copied, &job.work) {
            // What became of it is looked at before anything is taken away.
            (Some(c), Work::Copy { .. }) if strayed(&c) => return,
            (Some(c), Work::Move(to)) if strayed(&c) => {
                let to = to.clone();
                return self.strayed(job, to, c);
            }
            (copied, _) => copied,
        };
        let uids = job.uids.clone();
        let state = match &job.work {
            Work::Store(delta) => {
                self.record(Record::FlagsTold { uidvalidity, uids, delta: self.kept(delta) });
                OpState::Settled
            }
            Work::Mark => {
                self.record(Record::FlagsTold { uidvalidity, uids, delta: FlagDelta::set(Flag::Deleted) });
                OpState::Flagged
            }
            // The server could have said where to, and did not: look before anything is taken away.
            Work::Copy { moving: true, .. } if copied.is_none() && self.caps.uidplus => return,
            Work::Move(to) | Work::Copy { to, .. } => {
                if let Some(copied) = &copied {
                    self.record(Record::Placed { to: to.clone(), uidvalidity, copied: copied.clone() });
                }
                if matches!(job.work, Work::Move(_)) {
                    self.gone(&uids);
                }
                if matches!(job.work, Work::Copy { moving: true, .. }) { OpState::Copied } else { OpState::Settled }
            }
            Work::Expunge => {
                self.gone(&uids);
                OpState::Settled
            }
            Work::Append | Work::Probe => OpState::Settled,
        };
        let appended = self.answer.appended.take();
        let changes = job.ids.iter().filter_map(|id| self.op(*id)).map(|op| {
            let went = |target: &Target| {
                let copied = copied.as_ref()?;
                let (_, to) = copied.pairs.iter().find(|(from, _)| Some(*from) == target.uid())?;
                Some((copied.uidvalidity, to.get()))
            };
            let results = match &job.work {
                Work::Append => Some(vec![appended.map(|(validity, uid)| (validity, uid.get()))]),
                _ if copied.is_some() => Some(op.targets.iter().map(went).collect()),
                _ => None,
            };
            OpChange { results, ..OpChange::to(op.id, state) }
        });
        let changes = changes.collect();
        self.change(changes);
    }

    /// Messages left this mailbox by our own doing.
    pub(super) fn gone(&mut self, uids: &UidSet) {
        self.known = self.known.difference(uids);
        self.record(Record::Vanished { uidvalidity: self.selected.uidvalidity, uids: uids.clone() });
    }

    /// A typed outcome for every refusal (security S-30): later, or a person has to look.
    pub(super) fn refused(&mut self, ids: &[OpId], refusal: &Refusal) {
        let fault = OpFault::Refused(refusal.clone());
        if !refusal.code.is_transient() {
            return self.park(ids, &fault);
        }
        let put_off = |op: &Operation| OpChange {
            not_before: Some(self.policy.now.saturating_add(backoff(op.attempts.max(1)))),
            fault: Some(fault.clone()),
            ..OpChange::to(op.id, if op.state.is_marked() || op.state == OpState::Copied { op.state } else { OpState::Queued })
        };
        let changes = ids.iter().filter_map(|id| self.op(*id)).map(put_off).collect();
        self.change(changes);
        self.tried.extend(ids);
    }

    pub(super) fn park(&mut self, ids: &[OpId], fault: &OpFault) {
        self.tried.extend(ids);
        self.change(ids.iter().map(|id| OpChange::park(*id, fault.clone())).collect());
    }
}
