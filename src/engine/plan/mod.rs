//! plan — what to do next, decided without doing it: no clock, no socket, no database, no thread.
//! Owns: one pass over one mailbox (`MailboxSync`), or over the tree of them (`tree`); what a LIST reply means (`folders`);
//! the vocabulary (`step`).
//! May import: mail, engine/journal.   Never: store, net, std::time.
//! Start reading at: `MailboxSync`. The order of a pass: select; follow a new UIDVALIDITY (`rebase`, `anew`); push the
//! person's wishes (`push`, `results`, `probe`, `strayed`, `misfiled`); observe and fetch what is new (`observe`); record the base last, so that
//! a pass that ends early repeats work and never skips any.

mod anew;
pub mod base;
mod doubt;
pub mod folders;
pub mod goal;
mod misfiled;
#[cfg(test)]
mod model;
mod numbers;
mod observe;
mod open;
mod partly;
mod probe;
mod push;
mod rebase;
mod results;
pub mod step;
mod strayed;
pub mod tree;
mod windows;

use std::collections::{BTreeMap, HashSet, VecDeque};

use crate::mail::ids::OpId;
use crate::mail::intent::{Mark, OpKind, OpState, Operation};
use crate::mail::mailbox::MailboxPath;
use crate::mail::server::{Caps, CopiedUids, FlagsSeen, IdentitySeen, Selected};
use crate::mail::uid::{Uid, UidSet, UidValidity};

use base::{Base, Outcome, Partly, Policy};
use goal::Goal;
use step::{Ask, OpChange, OpFault, Part, Record, Refusal, Reply, Step, StepId, Tell};

/// What a pass is about.
#[derive(Clone, Debug)]
pub struct Start {
    /// Which mailbox.
    pub mailbox: MailboxPath,
    /// How far the cache is.
    pub base: Base,
    /// The server's own name of the mailbox that the cache has (MAILBOXID); "" without.
    pub object_id: String,
    /// The UIDs that the cache holds, under `base.uidvalidity`.
    pub known: UidSet,
    /// Those of them that an earlier pass missed along with most of the mailbox: hidden until this one knows better.
    pub doubted: UidSet,
    /// How far earlier passes came that were broken off.
    pub partly: Option<Partly>,
    /// Fingerprints that they brought under the UIDVALIDITY of `partly`, while the cache has another one.
    pub identified: Vec<IdentitySeen>,
    /// The pending operations of this mailbox, and all that these refer to (`after`, `ResultOf`), in any
    /// state and of any mailbox; and those of other mailboxes that are [`Operation::unsure`].
    pub ops: Vec<Operation>,
    /// The mailboxes into which these put messages.
    pub goals: Vec<Goal>,
    /// What the server can do.
    pub caps: Caps,
    /// What the executor decides.
    pub policy: Policy,
}

/// One pass over one mailbox.
#[derive(Debug)]
pub struct MailboxSync {
    mailbox: MailboxPath,
    base: Base,
    object_id: String,
    known: UidSet,
    doubted: UidSet,
    partly: Option<Partly>,
    identified: Vec<IdentitySeen>,
    /// Whether the mailbox was opened with the question what happened in it.
    resyncs: bool,
    caps: Caps,
    policy: Policy,
    /// By number. Ours, kept in step with what is recorded, and those that ours refer to.
    ops: Vec<Operation>,
    goals: Vec<Goal>,
    /// The one of them that is another mailbox now, or is not there: the list is to say where it is.
    strange: Option<MailboxPath>,
    selected: Selected,
    /// Operations that were refused or put off in this pass.
    tried: HashSet<OpId>,
    /// Operations for which something was told in this pass.
    sent: HashSet<OpId>,
    /// Whether another mailbox is selected, for a probe.
    away: bool,
    /// Whether the server was told anything since it was selected.
    told: bool,
    stage: Stage,
    answer: Answer,
    queue: VecDeque<(StepId, Step)>,
    waiting: BTreeMap<StepId, Waiting>,
    last_id: u64,
    outcome: Option<Outcome>,
    fetch: windows::Fetch,
}

/// What the pass does when nothing is outstanding.
#[derive(Clone, Debug)]
enum Stage {
    Begin,
    Selecting,
    Rebase(rebase::Stage),
    Push(push::Stage),
    /// Our mailbox could not be opened: all that are there were asked for.
    Missing(Refusal),
    /// The server was told something: SELECT says how things are now.
    Reselecting,
    Observe(observe::Stage),
    Done,
}

/// What was handed out and not yet ended.
#[derive(Clone, Debug)]
enum Waiting {
    Ask(Ask),
    Tell,
    Record,
}

/// What was heard since the last question was put.
#[derive(Clone, Debug, Default)]
struct Answer {
    selected: Option<Selected>,
    uids: UidSet,
    flags: Vec<FlagsSeen>,
    identities: Vec<IdentitySeen>,
    mark: Option<Mark>,
    mark_of: String,
    copied: Option<CopiedUids>,
    appended: Option<(UidValidity, Uid)>,
    listed: Vec<MailboxPath>,
    refused: Option<Refusal>,
}

/// The wish of `op` was already true or has become impossible, because its messages are gone. A person who wanted them somewhere
/// is told; whoever only marked or deleted them misses nothing.
fn moot(op: &Operation) -> OpChange {
    let told = matches!(op.kind, OpKind::Move { .. } | OpKind::Copy { .. });
    OpChange { fault: told.then_some(OpFault::Gone), ..OpChange::to(op.id, OpState::Moot) }
}

impl MailboxSync {
    /// Begins a pass. Nothing was asked or told yet.
    #[must_use]
    pub fn start(start: Start) -> Self {
        let mut ops = start.ops;
        ops.sort_by_key(|op| op.id);
        ops.dedup_by_key(|op| op.id);
        Self {
            mailbox: start.mailbox,
            base: start.base,
            object_id: start.object_id,
            known: start.known,
            doubted: start.doubted,
            partly: start.partly,
            identified: start.identified,
            resyncs: false,
            caps: start.caps,
            policy: start.policy,
            ops,
            goals: start.goals,
            strange: None,
            selected: Selected::default(),
            tried: HashSet::new(),
            sent: HashSet::new(),
            away: false,
            told: false,
            stage: Stage::Begin,
            answer: Answer::default(),
            queue: VecDeque::new(),
            waiting: BTreeMap::new(),
            last_id: 0,
            outcome: None,
            fetch: windows::Fetch::new(&start.policy),
        }
    }

    /// The next step, or nothing while an answer to an earlier one is needed first, or at the end: see
    /// [`Self::outcome`].
    #[allow(clippy::should_implement_trait)] // No iterator: nothing now does not mean nothing later.
    pub fn next(&mut self) -> Option<(StepId, Step)> {
        while self.queue.is_empty() && self.waiting.is_empty() && self.outcome.is_none() {
            self.advance();
        }
        let (id, step) = self.queue.pop_front()?;
        let waiting = match &step {
            Step::Ask(ask) => Waiting::Ask(ask.clone()),
            Step::Tell(_) => Waiting::Tell,
            Step::Record(_) => Waiting::Record,
        };
        self.waiting.insert(id, waiting);
        Some((id, step))
    }

    /// How the pass ended; nothing while steps are left or outstanding.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref().filter(|_| self.queue.is_empty() && self.waiting.is_empty())
    }

    /// How many messages the next window would have.
    #[must_use]
    pub const fn window(&self) -> u32 {
        self.fetch.window
    }

    /// A mailbox into which messages were to be put and that is another one now, or is not there, where that ended the pass.
    #[must_use]
    pub const fn strange(&self) -> Option<&MailboxPath> {
        self.strange.as_ref()
    }

    /// What came back for a step. Answers to steps that are over are ignored.
    pub fn heard(&mut self, id: StepId, reply: Reply) {
        let Some(waiting) = self.waiting.get(&id).cloned() else { return };
        match reply {
            Reply::Part(part) => self.part(&waiting, part),
            Reply::End { ms } => {
                self.waiting.remove(&id);
                if let Waiting::Ask(ask) = &waiting {
                    self.ask_ended(ask, ms);
                }
            }
            Reply::Refused(refusal) => {
                self.waiting.remove(&id);
                match waiting {
                    // The store refused: nothing after it may be recorded.
                    Waiting::Record => self.lost(true, true),
                    Waiting::Ask(Ask::FlagsOf { .. } | Ask::Envelopes { .. }) => self.end(Outcome::Refused(refusal)),
                    Waiting::Ask(_) | Waiting::Tell => self.answer.refused = Some(refusal),
                }
            }
            Reply::LineLost => {
                self.waiting.remove(&id);
                self.lost(matches!(waiting, Waiting::Record), true);
            }
            Reply::GaveWay => {
                self.waiting.remove(&id);
                self.lost(false, false);
            }
        }
    }

    /// The connection is gone, or made room: nothing more is asked or told. What was heard whole is still recorded, unless a
    /// Record itself failed.
    fn lost(&mut self, store: bool, broken: bool) {
        self.queue.retain(|(_, step)| !store && matches!(step, Step::Record(_)));
        if !store {
            self.waiting.retain(|_, w| matches!(w, Waiting::Record));
            self.broke_off(broken);
        }
        self.end(Outcome::LineLost);
    }

    fn end(&mut self, outcome: Outcome) {
        self.stage = Stage::Done;
        self.outcome.get_or_insert(outcome);
    }

    fn part(&mut self, waiting: &Waiting, part: Part) {
        match (waiting, part) {
            (Waiting::Ask(Ask::Envelopes { uids }), Part::Envelopes(rows)) => self.envelopes(uids, rows),
            (Waiting::Ask(Ask::FlagsOf { uids, .. }), Part::Flags(mut rows)) => {
                rows.retain(|row| uids.contains(row.uid));
                if matches!(self.stage, Stage::Observe(_)) { self.flags(rows) } else { self.answer.flags.extend(rows) }
            }
            (Waiting::Ask(Ask::Select { resync, .. }), Part::Selected(mut selected)) => {
                let asked = |uid| resync.as_ref().is_some_and(|r| r.ahead.contains(uid));
                selected.ahead.iter_mut().for_each(|rows| rows.retain(|row| asked(row.uid)));
                self.answer.selected = Some(selected);
            }
            (Waiting::Ask(Ask::Uids { from, to }), Part::Uids(uids)) => {
                let asked = uids.intersection(&UidSet::range(*from, *to));
                self.answer.uids = self.answer.uids.union(&asked);
            }
            (Waiting::Ask(Ask::Identify { uids }), Part::Identities(rows)) => {
                self.answer.identities.extend(rows.into_iter().filter(|row| uids.contains(row.uid)));
            }
            (Waiting::Ask(Ask::CachedIdentities), Part::Identities(rows)) => self.answer.identities.extend(rows),
            (Waiting::Ask(Ask::Mailboxes), Part::Mailboxes(listed)) => {
                self.answer.listed = listed.into_iter().filter(|m| m.selectable).map(|m| m.path).collect();
            }
            (Waiting::Ask(Ask::TargetMark { .. }), Part::Marked(mark, of)) => {
                (self.answer.mark, self.answer.mark_of) = (Some(mark), of);
            }
            (Waiting::Tell, Part::Copied(copied)) => self.answer.copied = Some(copied),
            (Waiting::Tell, Part::Appended(validity, uid)) => self.answer.appended = Some((validity, uid)),
            // An answer to something never asked (security S-12).
            _ => {}
        }
    }

    fn put(&mut self, step: Step) {
        self.last_id += 1;
        self.queue.push_back((StepId(self.last_id), step));
    }

    fn ask(&mut self, ask: Ask) {
        // A fetch is streamed into Records while what was answered before is still needed.
        if !matches!(ask, Ask::Envelopes { .. }) {
            self.answer = Answer::default();
        }
        self.put(Step::Ask(ask));
    }

    fn tell(&mut self, tell: Tell) {
        self.answer = Answer::default();
        self.told = true;
        self.put(Step::Tell(tell));
    }

    fn record(&mut self, record: Record) {
        self.put(Step::Record(record));
    }

    /// Records changes of operations, and makes them here too.
    fn change(&mut self, changes: Vec<OpChange>) {
        for change in &changes {
            if let Some(op) = self.ops.iter_mut().find(|op| op.id == change.id) {
                debug_assert!(crate::engine::journal::op::may_become(op.state, change.state), "{op:?} -> {change:?}");
                change.apply(op);
            }
        }
        if !changes.is_empty() {
            self.record(Record::Ops(changes));
        }
    }

    fn op(&self, id: OpId) -> Option<&Operation> {
        self.ops.iter().find(|op| op.id == id)
    }

    /// Whether an operation is one of this mailbox that may still need something.
    fn ours(&self, op: &Operation) -> bool {
        op.mailbox == self.mailbox && op.state.pending()
    }

    /// Nothing is outstanding: goes on.
    fn advance(&mut self) {
        match self.stage.clone() {
            Stage::Begin => {
                self.select();
                self.stage = Stage::Selecting;
            }
            Stage::Selecting => {
                if let Some(selected) = self.selected_or_end() {
                    self.selected = selected;
                    self.follow();
                }
            }
            Stage::Missing(refusal) => {
                // That the list was refused too says nothing.
                let there = self.answer.refused.is_some() || self.answer.listed.contains(&self.mailbox);
                self.end(if there { Outcome::Refused(refusal) } else { Outcome::NoMailbox });
            }
            Stage::Rebase(stage) => self.rebase(stage),
            Stage::Push(stage) => self.push(stage),
            Stage::Reselecting => {
                if let Some(selected) = self.selected_or_end() {
                    if selected.uidvalidity == self.selected.uidvalidity {
                        self.selected = selected;
                        self.stage = Stage::Observe(observe::Stage::Begin);
                    } else {
                        self.end(Outcome::Again);
                    }
                }
            }
            Stage::Observe(stage) => self.observe(stage),
            Stage::Done => self.end(Outcome::LineLost),
        }
    }

    /// Pushing is over.
    fn pushed(&mut self) {
        if !self.caps.uidplus {
            // As far as this server goes; the person waits for nothing.
            let marked = self.ops.iter().filter(|op| self.ours(op) && op.state == OpState::Flagged).map(|op| op.id);
            let hidden = marked.map(|id| OpChange::to(id, OpState::Hidden)).collect();
            self.change(hidden);
        }
        if self.told {
            self.told = false;
            self.select();
            self.stage = Stage::Reselecting;
        } else {
            self.stage = Stage::Observe(observe::Stage::Begin);
        }
    }
}
