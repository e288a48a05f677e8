//! tree — carrying the person's wishes about mailboxes to the server: made, renamed, deleted, subscribed.
//! Owns: `TreeSync`, one pass over all such wishes of an account.
//! May import: mail, engine/journal.
//! Start reading at: `pick`. As for messages: a claim is on disk before its command is sent, what the server did is in the
//! cache before the wish is settled, and what became of a lost command is looked at before anything is told twice.

use std::collections::{HashSet, VecDeque};

use self::obstacle::obstacle;
use super::base::Outcome;
use super::goal::Goal;
use super::step::{Ask, Code, OpChange, OpFault, Part, Record, Refusal, Reply, Step, StepId, Tell};
use crate::engine::journal::op::backoff;
use crate::mail::ids::OpId;
use crate::mail::intent::{Mark, OpKind, OpState, Operation};
use crate::mail::mailbox::MailboxPath;
use crate::mail::server::ListedMailbox;

/// One pass over the wishes about mailboxes.
#[derive(Debug)]
pub struct TreeSync {
    /// Of one account, ascending: all that are pending or parked, of every kind.
    ops: Vec<Operation>,
    subscribed: Vec<MailboxPath>,
    /// The mailboxes that are to be renamed or deleted.
    goals: Vec<Goal>,
    /// The one of them that is another mailbox now: the list is to say where it is.
    strange: Option<MailboxPath>,
    now: i64,
    stage: Stage,
    tried: HashSet<OpId>,
    queue: VecDeque<(StepId, Step)>,
    waiting: Option<StepId>,
    last_id: u64,
    answer: Answer,
    outcome: Option<Outcome>,
    /// Subscriptions that follow a rename, which servers do not do by themselves.
    follow: Vec<Tell>,
    /// Operations that the server carried out.
    done: u64,
}

/// What the pass does when nothing is outstanding.
#[derive(Clone, Debug)]
enum Stage {
    Pick,
    /// All mailboxes were asked for: is it there, is the new name free?
    Listed(OpId),
    /// The mailbox's UIDVALIDITY was asked for: is it the one that was to go, or to be called otherwise?
    Marked(OpId),
    /// That was refused: all mailboxes were asked for.
    Missing(OpId),
    /// No mailbox is in use that is about to change.
    Aside(OpId),
    /// The claim is on disk.
    Claimed(OpId),
    /// The command was told.
    Told(OpId),
    Done,
}

#[derive(Debug, Default)]
struct Answer {
    listed: Vec<ListedMailbox>,
    mark: Option<Mark>,
    mark_of: String,
    refused: Option<Refusal>,
}

impl TreeSync {
    /// Begins a pass at `now` (seconds since 1970). `ops` are the account's operations that are pending or parked,
    /// `subscribed` what the cache knows to be subscribed to, by the server's names, `goals` what it knows of the mailboxes that are to
    /// be renamed or deleted.
    #[must_use]
    pub fn start(mut ops: Vec<Operation>, subscribed: Vec<MailboxPath>, goals: Vec<Goal>, now: i64) -> Self {
        ops.sort_by_key(|op| op.id);
        Self {
            ops,
            subscribed,
            goals,
            strange: None,
            now,
            stage: Stage::Pick,
            tried: HashSet::new(),
            queue: VecDeque::new(),
            waiting: None,
            last_id: 0,
            answer: Answer::default(),
            outcome: None,
            follow: Vec::new(),
            done: 0,
        }
    }

    /// The next step, or nothing while an answer is needed first, or at the end.
    #[allow(clippy::should_implement_trait)] // As `MailboxSync::next`.
    pub fn next(&mut self) -> Option<(StepId, Step)> {
        while self.queue.is_empty() && self.waiting.is_none() && self.outcome.is_none() {
            self.advance();
        }
        if self.waiting.is_some() {
            return None;
        }
        let step = self.queue.pop_front()?;
        self.waiting = Some(step.0);
        Some(step)
    }

    /// How the pass ended.
    #[must_use]
    pub const fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref()
    }

    /// A mailbox that was to be renamed or deleted and is another one now, where that ended the pass.
    #[must_use]
    pub const fn strange(&self) -> Option<&MailboxPath> {
        self.strange.as_ref()
    }

    /// How many wishes the server carried out.
    #[must_use]
    pub const fn done(&self) -> u64 {
        self.done
    }

    /// What came back for a step.
    pub fn heard(&mut self, id: StepId, reply: Reply) {
        if self.waiting != Some(id) {
            return;
        }
        match reply {
            Reply::Part(Part::Mailboxes(listed)) => self.answer.listed = listed,
            Reply::Part(Part::Marked(mark, of)) => (self.answer.mark, self.answer.mark_of) = (Some(mark), of),
            Reply::Part(_) => {}
            Reply::End { .. } => self.waiting = None,
            Reply::Refused(refusal) => {
                self.waiting = None;
                self.answer.refused = Some(refusal);
            }
            Reply::LineLost | Reply::GaveWay => {
                self.waiting = None;
                self.queue.clear();
                self.end(Outcome::LineLost);
            }
        }
    }

    fn end(&mut self, outcome: Outcome) {
        self.stage = Stage::Done;
        self.outcome.get_or_insert(outcome);
    }

    fn put(&mut self, step: Step) {
        self.last_id += 1;
        self.queue.push_back((StepId(self.last_id), step));
    }

    fn go(&mut self, step: Step, stage: Stage) {
        self.answer = Answer::default();
        self.put(step);
        self.stage = stage;
    }

    fn change(&mut self, change: OpChange) {
        if let Some(op) = self.ops.iter_mut().find(|op| op.id == change.id) {
            debug_assert!(crate::engine::journal::op::may_become(op.state, change.state), "{op:?} -> {change:?}");
            change.apply(op);
        }
        self.put(Step::Record(Record::Ops(vec![change])));
    }

    fn op(&self, id: OpId) -> Option<&Operation> {
        self.ops.iter().find(|op| op.id == id)
    }

    fn advance(&mut self) {
        // A Record that failed, or a list that was refused: the next pass begins where this one ends.
        let asked = matches!(self.stage, Stage::Listed(_) | Stage::Missing(_));
        if asked && let Some(refusal) = self.answer.refused.take() {
            return self.end(Outcome::Refused(refusal));
        }
        match self.stage.clone() {
            Stage::Pick => self.pick(),
            Stage::Listed(id) => self.listed(id),
            Stage::Marked(id) => self.marked(id),
            Stage::Missing(id) => {
                let path = self.op(id).map(|op| op.mailbox.clone());
                let there = self.answer.listed.iter().any(|m| Some(&m.path) == path.as_ref());
                if there { self.aside(id) } else { self.settle(id) }
            }
            Stage::Aside(id) => self.claim(id),
            Stage::Claimed(id) => self.claimed(id),
            Stage::Told(id) => self.told(id),
            Stage::Done => self.end(Outcome::LineLost),
        }
    }

    /// The first wish that nothing stands before.
    fn pick(&mut self) {
        let ready = |op: &&Operation| {
            op.kind.is_about_tree() && op.state.pending() && !self.tried.contains(&op.id) && op.not_before <= self.now
        };
        let mut chosen = None;
        for op in self.ops.iter().filter(ready) {
            match self.ops.iter().filter(|e| e.id < op.id).find_map(|e| obstacle(e, op)) {
                None => {
                    chosen = Some((op.id, true));
                    break;
                }
                Some(OpState::Parked) => {
                    chosen = Some((op.id, false));
                    break;
                }
                Some(_) => {}
            }
        }
        let Some((id, free)) = chosen else { return self.end(Outcome::Synced) };
        if !free {
            self.tried.insert(id);
            return self.change(OpChange::park(id, OpFault::Before));
        }
        let Some(op) = self.op(id) else { return };
        match &op.kind {
            OpKind::RenameMailbox { .. } | OpKind::DeleteMailbox => {
                let mailbox = op.mailbox.clone();
                self.go(Step::Ask(Ask::TargetMark { mailbox }), Stage::Marked(id));
            }
            _ => self.claim(id),
        }
    }

    /// Before a rename: what is there, and what did an earlier try of it do?
    fn listed(&mut self, id: OpId) {
        let listed = std::mem::take(&mut self.answer.listed);
        let Some(op) = self.op(id) else { return };
        let OpKind::RenameMailbox { to, delimiter } = op.kind.clone() else { return };
        let (from, unsure) = (op.mailbox.clone(), op.unsure());
        let there = |path: &MailboxPath| listed.iter().any(|m| m.path == *path);
        let done = unsure && !there(&from) && there(&to);
        if there(&to) && !done {
            return self.refused(id, &Refusal { code: Code::AlreadyExists, text: String::new() });
        }
        // Once it is done, the server lists the old names no more: then we go by what we knew of them.
        let told: Vec<MailboxPath> = listed.into_iter().filter(|m| m.subscribed).map(|m| m.path).collect();
        let old = if done { &self.subscribed } else { &told };
        self.follow.clear();
        for (old, new) in old.iter().filter_map(|old| Some((old, old.moved(&from, &to, delimiter)?))) {
            self.follow.push(Tell::Subscribe { mailbox: new, on: true });
            self.follow.push(Tell::Subscribe { mailbox: old.clone(), on: false });
        }
        if done {
            return self.settle(id);
        }
        self.aside(id);
    }

    /// Before a deletion or a new name: is it still the mailbox that the person meant?
    fn marked(&mut self, id: OpId) {
        let now = self.answer.mark.take();
        let Some(op) = self.op(id) else { return };
        let (state, then, unsure) = (op.state, op.mark, op.unsure());
        let goal = self.goals.iter().find(|goal| goal.path == op.mailbox && !unsure);
        let of = &self.answer.mark_of;
        let another = now.and_then(|now| goal.filter(|goal| goal.is_another(&op.here, now, of)));
        let renames = op.kind != OpKind::DeleteMailbox;
        let certain = op.here.says(of) == Some(false);
        match another {
            Some(goal) if !goal.looked_up => {
                self.strange = Some(goal.path.clone());
                return self.end(Outcome::NoMailbox);
            }
            // Nobody saw what is in it, or it is none that the person saw.
            Some(_) if !renames || certain => {
                self.stage = Stage::Pick;
                self.tried.insert(id);
                return self.change(OpChange::park(id, OpFault::AnotherMailbox));
            }
            _ => {}
        }
        if renames {
            return self.go(Step::Ask(Ask::Mailboxes), Stage::Listed(id));
        }
        let gone = matches!(&self.answer.refused, Some(r) if r.code == Code::NoMailbox);
        let another = matches!((then, now), (Some(then), Some(now)) if then.uidvalidity != now.uidvalidity);
        if gone || (unsure && another) {
            return self.settle(id);
        }
        // One that only holds others has no STATUS: it has no messages either. Not every server says what is the case.
        if self.answer.refused.is_some() {
            return self.go(Step::Ask(Ask::Mailboxes), Stage::Missing(id));
        }
        if now.is_some() && !unsure {
            self.change(OpChange { mark: now, ..OpChange::to(id, state) });
        }
        self.aside(id);
    }

    /// Some servers do not let go of a mailbox that is selected.
    fn aside(&mut self, id: OpId) {
        self.go(Step::Ask(Ask::Select { mailbox: MailboxPath::inbox(), read_only: true, resync: None }), Stage::Aside(id));
    }

    fn claim(&mut self, id: OpId) {
        self.change(OpChange { attempt: true, ..OpChange::to(id, OpState::InFlight) });
        self.stage = Stage::Claimed(id);
    }

    fn claimed(&mut self, id: OpId) {
        let Some(op) = self.op(id) else { return };
        let mailbox = op.mailbox.clone();
        let tell = match &op.kind {
            OpKind::RenameMailbox { to, .. } => Tell::Rename { mailbox, to: to.clone() },
            OpKind::DeleteMailbox => Tell::Delete { mailbox },
            OpKind::SubscribeMailbox { on } => Tell::Subscribe { mailbox, on: *on },
            _ => Tell::Create { mailbox },
        };
        self.go(Step::Tell(tell), Stage::Told(id));
    }

    fn told(&mut self, id: OpId) {
        let Some(refusal) = self.answer.refused.take() else { return self.settle(id) };
        let already = match self.op(id).map(|op| &op.kind) {
            Some(OpKind::CreateMailbox { .. }) => refusal.code == Code::AlreadyExists,
            Some(OpKind::DeleteMailbox | OpKind::SubscribeMailbox { on: false }) => refusal.code == Code::NoMailbox,
            _ => false,
        };
        if already { self.settle(id) } else { self.refused(id, &refusal) }
    }

    /// The server did it.
    fn settle(&mut self, id: OpId) {
        self.stage = Stage::Pick;
        let Some(op) = self.op(id).cloned() else { return };
        match op.kind {
            OpKind::RenameMailbox { ref to, delimiter } => {
                self.put(Step::Record(Record::Renamed { from: op.mailbox.clone(), to: to.clone(), delimiter }));
                for tell in std::mem::take(&mut self.follow) {
                    self.put(Step::Tell(tell));
                }
                self.change(OpChange::to(id, OpState::Settled));
                // As the journal does it.
                for other in self.ops.iter_mut().filter(|o| o.id < id) {
                    other.follow(&op.mailbox, to, delimiter);
                }
            }
            OpKind::DeleteMailbox => {
                self.put(Step::Record(Record::Deleted { mailbox: op.mailbox }));
                self.change(OpChange::to(id, OpState::Settled));
            }
            _ => self.change(OpChange::to(id, OpState::Settled)),
        }
        self.done += 1;
    }

    fn refused(&mut self, id: OpId, refusal: &Refusal) {
        self.stage = Stage::Pick;
        self.tried.insert(id);
        let fault = OpFault::Refused(refusal.clone());
        if !refusal.code.is_transient() {
            let renamed = self.op(id).cloned();
            self.change(OpChange::park(id, fault));
            // What was wished of the new name is wished of the old one: as the journal does it.
            if let Some(Operation { kind: OpKind::RenameMailbox { to, delimiter }, mailbox, .. }) = renamed {
                for other in self.ops.iter_mut().filter(|o| o.id > id) {
                    other.follow(&to, &mailbox, delimiter);
                }
            }
            return;
        }
        let attempts = self.op(id).map_or(1, |op| op.attempts.max(1));
        let not_before = Some(self.now.saturating_add(backoff(attempts)));
        self.change(OpChange { not_before, fault: Some(fault), ..OpChange::to(id, OpState::Queued) });
    }
}

mod obstacle;
#[cfg(test)]
mod tests;
