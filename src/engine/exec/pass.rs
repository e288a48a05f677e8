//! pass — runs one planner to its end: questions and commands on this thread, records on another beside it.
//! Owns: `Planner`, `run`, `Broken`. May import: net, engine/plan.
//! Start reading at: `run`. Parts of an answer become records while the socket is still read; the lane to the store is
//! short, so that a slow disk slows the socket down and not the memory up.

use super::server::{Bench, Exchange, carry};
use crate::base::spawn::guarded;
use crate::engine::fault::Fault;
use crate::engine::plan::step::{Ask, Code, Record, Refusal, Reply, Step, StepId};
use crate::mail::uid::UidSet;
use crate::net::error::NetError;
use crate::net::session::MailStore;
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::time::Duration;

/// The most records on their way to the store: each has at most 200 rows.
const LANE: usize = 16;

/// So many rows go to the store in one transaction, and at most one record more: a change that the person makes waits for
/// one transaction.
const PILE: usize = 3_200;
/// Where so many have piled up, it is a large answer that is coming, and more of it is waited for ...
const BULK: usize = 400;
/// ... so long, unless it is known that no more comes: the more rows a transaction has, the fewer of the pages that all of them touch are
/// written.
const PATIENCE: Duration = Duration::from_millis(20);

/// Decides what to do next.
pub trait Planner {
    /// The next step; nothing while an answer is needed first, or at the end.
    fn next(&mut self) -> Option<(StepId, Step)>;
    /// What came back.
    fn heard(&mut self, id: StepId, reply: Reply);
}

/// What ended a pass early, if anything. The planner was told of both.
#[derive(Debug, Default)]
pub struct Broken {
    /// The connection.
    pub net: Option<NetError>,
    /// One of our files.
    pub store: Option<Fault>,
    /// Nothing is broken: the pass made room, see [`Bench::give_way`]. The connection lives.
    pub gave_way: bool,
}

/// What goes to the recording thread.
enum Entry {
    /// Carry this out.
    Record(StepId, Record),
    /// Nothing comes before what was sent is recorded.
    NoMore,
}

/// Runs `planner` until it has no step and waits for none. `record` carries out one record; it runs on another thread,
/// in order. A panic in the connection's code (the crates below are not proof against every odd answer) counts as a
/// broken line. Says what broke, if anything; what was recorded until then stands.
#[must_use]
pub fn run(
    planner: &mut dyn Planner,
    conn: &mut dyn MailStore,
    bench: &mut Bench<'_>,
    mut record: impl FnMut(Record) -> Result<(), Fault> + Send,
) -> Broken {
    std::thread::scope(|scope| {
        let (to_store, entries) = sync_channel(LANE);
        let (done, from_store) = channel();
        // A pass that finds nothing new has no record: then this thread ends without having been woken.
        scope.spawn(move || {
            let mut held = None;
            while let Some((ids, entry)) = piled(&entries, &mut held) {
                let result = guarded(|| record(entry)).unwrap_or_else(|p| Err(Fault::bug(&p)));
                for id in ids {
                    if done.send((id, result.clone())).is_err() {
                        return;
                    }
                }
            }
        });
        let (exchanges, broken) = (VecDeque::new(), Broken::default());
        let mut lanes =
            Lanes { planner, exchanges, to_store, from_store, recording: 0, read: false, ahead: false, tells: false, broken };
        lanes.run(conn, bench);
        lanes.broken
    })
}

/// The next record for the store. Rows that have piled up while it was busy, or come right behind many others, are one: a
/// transaction costs less for each of many rows, and the first screenful still goes alone.
fn piled(entries: &Receiver<Entry>, held: &mut Option<(StepId, Record)>) -> Option<(Vec<StepId>, Record)> {
    let (id, mut entry) = held.take().or_else(|| first(entries))?;
    let mut ids = vec![id];
    while let Record::NewMessages { uidvalidity, rows } = &mut entry
        && rows.len() < PILE
        && let Some(Entry::Record(id, next)) =
            if rows.len() < BULK { entries.try_recv().ok() } else { entries.recv_timeout(PATIENCE).ok() }
    {
        match next {
            Record::NewMessages { uidvalidity: same, rows: more } if same == *uidvalidity => {
                rows.extend(more);
                ids.push(id);
            }
            other => {
                *held = Some((id, other));
                break;
            }
        }
    }
    Some((ids, entry))
}

fn first(entries: &Receiver<Entry>) -> Option<(StepId, Record)> {
    loop {
        if let Entry::Record(id, record) = entries.recv().ok()? {
            return Some((id, record));
        }
    }
}

struct Lanes<'a> {
    planner: &'a mut dyn Planner,
    exchanges: VecDeque<(StepId, Exchange)>,
    to_store: SyncSender<Entry>,
    from_store: Receiver<(StepId, Result<(), Fault>)>,
    recording: u64,
    /// Whether something was read at length.
    read: bool,
    /// Whether the connection was told of the next exchange before its time: its answer comes in any case.
    ahead: bool,
    /// Whether the recording thread is to be told when no more comes.
    tells: bool,
    broken: Broken,
}

impl Lanes<'_> {
    fn run(&mut self, conn: &mut dyn MailStore, bench: &mut Bench<'_>) {
        loop {
            self.pump();
            if let Some((id, exchange)) = self.exchanges.pop_front() {
                // The numbers behind the newest rows, too: these were read by a guess.
                let long = exchange.is_long_reading() || (self.read && exchange.is_numbering());
                let ahead = std::mem::take(&mut self.ahead);
                self.broken.gave_way |= long && !ahead && (bench.give_way)();
                if self.broken.net.is_some() || self.broken.gave_way {
                    self.planner.heard(id, if self.broken.gave_way { Reply::GaveWay } else { Reply::LineLost });
                    continue;
                }
                self.read |= exchange.is_long_reading();
                self.tells = true;
                let give_way = bench.give_way;
                let carried = guarded(|| carry(conn, &exchange, bench, &mut |reply| self.heard(id, reply, give_way)));
                match carried {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => self.broken.net = Some(error),
                    Err(panic) => {
                        self.broken.net = Some(NetError::protocol(&format!("a mistake of ours: {panic}")));
                        self.planner.heard(id, Reply::LineLost);
                    }
                }
            } else if self.recording > 0 {
                if std::mem::take(&mut self.tells) {
                    // A thread that is gone waits for nothing.
                    let _ = self.to_store.send(Entry::NoMore);
                }
                let Ok((id, result)) = self.from_store.recv() else { return };
                self.recorded(id, result);
            } else {
                return;
            }
        }
    }

    /// A part or the end of an exchange; what follows from it goes to the store at once. The rows that are wanted next, unless
    /// something more urgent waits for their end.
    fn heard(&mut self, id: StepId, reply: Reply, give_way: &dyn Fn() -> bool) -> Option<UidSet> {
        self.planner.heard(id, reply);
        self.pump();
        match self.exchanges.front() {
            Some((_, Exchange::Ask(Ask::Envelopes { uids }))) if !self.ahead && !give_way() => {
                self.ahead = true;
                Some(uids.clone())
            }
            _ => None,
        }
    }

    /// Hands out all steps that there are now.
    fn pump(&mut self) {
        loop {
            while let Ok((id, result)) = self.from_store.try_recv() {
                self.recorded(id, result);
            }
            let Some((id, step)) = self.planner.next() else { return };
            match step {
                Step::Ask(ask) => self.exchanges.push_back((id, Exchange::Ask(ask))),
                Step::Tell(tell) => self.exchanges.push_back((id, Exchange::Tell(tell))),
                Step::Record(record) => {
                    self.recording += 1;
                    if self.to_store.send(Entry::Record(id, record)).is_err() {
                        self.recorded(id, Err(Fault::bug("the recording thread ended")));
                    }
                }
            }
        }
    }

    fn recorded(&mut self, id: StepId, result: Result<(), Fault>) {
        self.recording -= 1;
        let reply = match result {
            Ok(()) => Reply::End { ms: 0 },
            Err(fault) => {
                let text = fault.what.as_str().to_owned();
                self.broken.store.get_or_insert(fault);
                Reply::Refused(Refusal { code: Code::Other, text })
            }
        };
        self.planner.heard(id, reply);
    }
}

#[cfg(test)]
#[path = "pass_tests.rs"]
mod tests;
