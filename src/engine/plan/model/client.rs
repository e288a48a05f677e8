//! client — what our side keeps, and the driver of a pass with everything that can go wrong on the way.
//! Owns: `Client`, `Fate`, `pass`. Tests only.
//! Start reading at: `pass`.

use super::Server;
use crate::engine::journal::op::{may_become, recovered};
use crate::engine::plan::base::{Base, Outcome, Partly, Policy};
use crate::engine::plan::step::{Ask, Part, Record, Reply, Step, StepId};
use crate::engine::plan::{MailboxSync, Start};
use crate::mail::fixtures::operation;
use crate::mail::flags::{FlagDelta, Flags};
use crate::mail::ids::OpId;
use crate::mail::intent::{OpKind, OpState, Operation, Target};
use crate::mail::mailbox::MailboxPath;
use crate::mail::server::{Fingerprint, IdentitySeen};
use crate::mail::uid::{Uid, UidSet, UidValidity};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A cached mailbox.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct View {
    pub base: Base,
    pub rows: BTreeMap<u32, (Fingerprint, Flags)>,
    /// Those that are hidden, because most of the mailbox was missed.
    pub doubted: BTreeSet<u32>,
    /// How far broken passes came.
    pub partly: Option<Partly>,
    /// Fingerprints of a comparison that broke, by UIDVALIDITY.
    pub identified: BTreeMap<(UidValidity, Uid), IdentitySeen>,
}

impl View {
    fn begin(&mut self, validity: UidValidity) {
        if self.base.uidvalidity == UidValidity(0) {
            self.base.uidvalidity = validity;
        }
        assert_eq!(self.base.uidvalidity, validity, "UIDs of another numbering");
    }
}

/// What is on our disk.
#[derive(Clone, Default, Debug)]
pub struct Client {
    pub boxes: BTreeMap<MailboxPath, View>,
    pub journal: Vec<Operation>,
    pub now: i64,
}

impl Client {
    pub fn op(&self, id: OpId) -> &Operation {
        self.journal.iter().find(|o| o.id == id).unwrap()
    }

    /// The person did something.
    pub fn intend(&mut self, mailbox: &MailboxPath, kind: OpKind, targets: Vec<Target>) -> OpId {
        let id = OpId(i64::try_from(self.journal.len()).unwrap() + 1);
        self.journal.push(operation(id.0, mailbox, kind, targets));
        id
    }

    fn start(&self, mailbox: &MailboxPath, server: &Server) -> MailboxSync {
        let view = self.boxes.get(mailbox).cloned().unwrap_or_default();
        let mut ops: Vec<Operation> =
            self.journal.iter().filter(|o| o.mailbox == *mailbox && o.state.pending()).cloned().collect();
        for op in ops.clone() {
            let made = op.targets.iter().filter_map(|t| match t {
                Target::ResultOf { op, .. } => Some(*op),
                Target::Server { .. } => None,
            });
            for id in made.chain(op.after) {
                ops.push(self.op(id).clone());
            }
        }
        ops.extend(self.journal.iter().filter(|o| o.unsure()).cloned());
        let policy = Policy { first_window: 3, max_window: 4, doubtful: 1, ..Policy::at(self.now) };
        let known = view.rows.keys().filter_map(|n| Uid::new(*n)).collect();
        let doubted = view.doubted.iter().filter_map(|n| Uid::new(*n)).collect();
        MailboxSync::start(Start {
            mailbox: mailbox.clone(),
            base: view.base,
            object_id: String::new(),
            known,
            doubted,
            identified: identified(&view),
            partly: view.partly,
            ops,
            goals: Vec::new(),
            caps: server.caps,
            policy,
        })
    }

    /// One transaction.
    fn record(&mut self, mailbox: &MailboxPath, record: &Record) {
        let Self { boxes, journal, .. } = self;
        let source = boxes.entry(mailbox.clone()).or_default();
        let within = |uids: &UidSet, n: u32| Uid::new(n).is_some_and(|u| uids.contains(u));
        match record {
            Record::NewMessages { uidvalidity, rows } => {
                source.begin(*uidvalidity);
                for row in rows {
                    let print = Fingerprint {
                        message_id: row.envelope.envelope().message_id,
                        size: row.size,
                        received: row.received,
                        object_id: String::new(),
                    };
                    source.rows.insert(row.uid.get(), (print, row.flags.clone()));
                }
            }
            Record::FlagsObserved { uidvalidity, rows } => {
                source.begin(*uidvalidity);
                for row in rows {
                    if let Some(known) = source.rows.get_mut(&row.uid.get()) {
                        known.1 = row.flags.clone();
                    }
                }
            }
            Record::FlagsTold { uidvalidity, uids, delta } => {
                source.begin(*uidvalidity);
                for (_, (_, flags)) in source.rows.iter_mut().filter(|(n, _)| within(uids, **n)) {
                    *flags = delta.apply(flags);
                }
            }
            Record::Vanished { uidvalidity, uids } => {
                source.begin(*uidvalidity);
                source.rows.retain(|n, _| !within(uids, *n));
                source.doubted.retain(|n| !within(uids, *n));
            }
            Record::Doubted { uidvalidity, uids, doubted } => {
                source.begin(*uidvalidity);
                let here: Vec<u32> = source.rows.keys().copied().filter(|n| within(uids, *n)).collect();
                source.doubted.retain(|n| !within(uids, *n));
                source.doubted.extend(here.into_iter().filter(|_| *doubted));
            }
            Record::Placed { to, uidvalidity, copied } => {
                if source.base.uidvalidity != *uidvalidity {
                    return;
                }
                let rows = source.rows.clone();
                let target = boxes.entry(to.clone()).or_default();
                if target.base.uidvalidity == UidValidity(0) {
                    target.base.uidvalidity = copied.uidvalidity;
                }
                if target.base.uidvalidity == copied.uidvalidity {
                    for (from, there) in &copied.pairs {
                        if let Some(row) = rows.get(&from.get()) {
                            target.rows.entry(there.get()).or_insert_with(|| row.clone());
                        }
                    }
                }
            }
            Record::Rebase { from, to, pairs } => {
                if source.base.uidvalidity != *to {
                    assert_eq!(source.base.uidvalidity, *from);
                    let old = std::mem::take(&mut source.rows);
                    source.rows = pairs.iter().filter_map(|(a, b)| Some((b.get(), old.get(&a.get())?.clone()))).collect();
                    source.base = Base { uidvalidity: *to, ..Base::default() };
                    source.doubted.clear();
                    source.identified.clear();
                }
            }
            Record::Base(base) => (source.base, source.partly) = (*base, None),
            Record::Identified { uidvalidity, rows } => {
                source.identified.extend(rows.iter().map(|row| ((*uidvalidity, row.uid), row.clone())));
            }
            Record::Partly(partly) => {
                if !partly.done.is_empty() || source.base.uidvalidity == UidValidity(0) {
                    source.begin(partly.uidvalidity);
                }
                source.partly = Some(partly.clone());
            }
            Record::Synced => source.partly = None,
            Record::Renamed { .. } | Record::Deleted { .. } => {}
            Record::Ops(changes) => {
                for change in changes {
                    let op = journal.iter_mut().find(|o| o.id == change.id).unwrap();
                    assert!(may_become(op.state, change.state), "{op:?} -> {change:?}");
                    change.apply(op);
                    let settled = op.clone();
                    if settled.state == OpState::Settled {
                        resolve(journal, &settled);
                    }
                }
            }
        }
    }

    /// The program starts again.
    pub fn recover(&mut self) {
        for op in &mut self.journal {
            op.state = recovered(op.state);
        }
    }
}

/// As `store::partly` does it.
fn identified(view: &View) -> Vec<IdentitySeen> {
    let of = view.partly.as_ref().map(|p| p.uidvalidity);
    view.identified.iter().filter(|((validity, _), _)| Some(*validity) == of).map(|(_, seen)| seen.clone()).collect()
}

/// As `store::journal` does it.
fn resolve(journal: &mut [Operation], settled: &Operation) {
    for later in journal.iter_mut().filter(|o| o.state.pending() && o.id > settled.id) {
        for target in &mut later.targets {
            let Target::ResultOf { op, index } = *target else { continue };
            let result = settled.results.get(index as usize).copied().flatten();
            if let (true, Some((uidvalidity, uid))) = (op == settled.id, result)
                && let Some(Target::Server { print, .. }) = settled.targets.get(index as usize)
            {
                *target = Target::Server { uidvalidity, uid, print: print.clone() };
            }
        }
    }
}

/// What ends a pass before its time.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum End {
    /// Nothing.
    Never,
    /// The program is killed at the n-th event, before or after it took effect.
    Killed { at: u32, after: bool },
    /// The line drops at the n-th exchange, before or after the server acted; what is in the store stays in order.
    LineLost { at: u32, after: bool },
    /// From the n-th exchange on it makes room before the first that only reads; what is in the store stays in order.
    GaveWay { at: u32 },
    /// The line drops once more than so many rows came: of a set of numbers each is one, and nothing counts before its end.
    Thin { rows: u64 },
}

/// Small, repeatable chance.
#[derive(Clone, Debug)]
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

/// How a pass went.
#[derive(Debug)]
pub struct Went {
    /// None if the program was killed.
    pub outcome: Option<Outcome>,
    /// Exchanges and records that took place.
    pub events: u32,
}

fn rows_of(reply: &Reply) -> u64 {
    match reply {
        Reply::Part(Part::Uids(uids)) => uids.len(),
        Reply::Part(Part::Flags(rows)) => rows.len() as u64,
        Reply::Part(Part::Envelopes(rows)) => rows.len() as u64,
        Reply::Part(Part::Identities(rows)) => rows.len() as u64,
        Reply::Part(Part::Selected(s)) => s.vanished.len() + (s.changed.len() + s.ahead.as_ref().map_or(0, Vec::len)) as u64,
        _ => 0,
    }
}

/// Runs one pass. `meddle` is called before each exchange: the other client.
pub fn pass(
    client: &mut Client,
    server: &mut Server,
    mailbox: &MailboxPath,
    end: End,
    dice: &mut Dice,
    meddle: &mut dyn FnMut(&mut Server, &mut Dice),
) -> Went {
    let mut plan = client.start(mailbox, server);
    let mut exchanges: VecDeque<(StepId, Step)> = VecDeque::new();
    let mut records: VecDeque<(StepId, Record)> = VecDeque::new();
    let (mut events, mut lost, mut came) = (0, false, 0);
    server.selected = None;
    let pump = |plan: &mut MailboxSync, exchanges: &mut VecDeque<_>, records: &mut VecDeque<_>| {
        while let Some((id, step)) = plan.next() {
            match step {
                Step::Record(record) => records.push_back((id, record)),
                other => exchanges.push_back((id, other)),
            }
        }
    };
    loop {
        pump(&mut plan, &mut exchanges, &mut records);
        assert!(events < 5_000, "a pass without end");
        let store_first = exchanges.is_empty() || (!records.is_empty() && dice.roll(2) == 0);
        if store_first {
            let Some((id, record)) = records.pop_front() else {
                return Went { outcome: Some(plan.outcome().expect("an outcome").clone()), events };
            };
            events += 1;
            match end {
                End::Killed { at, after } if at == events => {
                    if after {
                        client.record(mailbox, &record);
                    }
                    client.recover();
                    return Went { outcome: None, events };
                }
                _ => client.record(mailbox, &record),
            }
            plan.heard(id, Reply::End { ms: 0 });
            continue;
        }
        let (id, step) = exchanges.pop_front().unwrap();
        let reads = matches!(step, Step::Ask(Ask::Uids { from: 1, .. } | Ask::Envelopes { .. } | Ask::FlagsOf { .. }));
        let room = matches!(end, End::GaveWay { at } if lost || (reads && events + 1 >= at));
        if room || lost {
            plan.heard(id, if room { Reply::GaveWay } else { Reply::LineLost });
            lost = true;
            continue;
        }
        meddle(server, dice);
        events += 1;
        let replies = |server: &mut Server| match &step {
            Step::Ask(Ask::CachedIdentities) => {
                let rows = client.boxes.get(mailbox).cloned().unwrap_or_default().rows;
                let seen = |(n, (print, _)): (u32, (Fingerprint, Flags))| IdentitySeen { uid: Uid::new(n).unwrap(), print };
                vec![Reply::Part(Part::Identities(rows.into_iter().map(seen).collect())), Reply::End { ms: 0 }]
            }
            other => server.carry(other),
        };
        match end {
            End::Killed { at, after } if at == events => {
                if after {
                    let _ = replies(server);
                }
                client.recover();
                return Went { outcome: None, events };
            }
            End::LineLost { at, after } if events >= at => {
                let mut heard = if after { replies(server) } else { Vec::new() };
                heard.truncate(dice.roll(heard.len().max(1)));
                for reply in heard {
                    plan.heard(id, reply);
                    pump(&mut plan, &mut exchanges, &mut records);
                }
                plan.heard(id, Reply::LineLost);
                lost = true;
            }
            End::Thin { rows } => {
                for reply in replies(server) {
                    // Our own disk is no line.
                    came += if step == Step::Ask(Ask::CachedIdentities) { 0 } else { rows_of(&reply) };
                    lost |= came > rows;
                    plan.heard(id, if lost { Reply::LineLost } else { reply });
                    pump(&mut plan, &mut exchanges, &mut records);
                    if lost {
                        break;
                    }
                }
            }
            _ => {
                for reply in replies(server) {
                    plan.heard(id, reply);
                    pump(&mut plan, &mut exchanges, &mut records);
                }
            }
        }
    }
}

/// A change of flags, for short.
pub fn flag(delta: FlagDelta) -> OpKind {
    OpKind::Flag { delta }
}
