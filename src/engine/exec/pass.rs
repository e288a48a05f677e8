//! pass — runs one planner to its end: questions and commands on this thread, records on another beside it.
//! Owns: `Planner`, `run`, `Broken`. May import: net, engine/plan.
//! Start reading at: `run`. Parts of an answer become records while the socket is still read; the lane to the store is
//! short, so that a slow disk slows the socket down and not the memory up.

use super::server::{Bench, Exchange, carry};
use crate::base::spawn::guarded;
use crate::engine::fault::Fault;
use crate::engine::plan::step::{Code, Record, Refusal, Reply, Step, StepId};
use crate::net::error::NetError;
use crate::net::session::MailStore;
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};

/// The most records on their way to the store: each has at most 200 rows.
const LANE: usize = 4;

/// So many rows go to the store in one transaction, and at most one record more: a change that the person makes waits for
/// one transaction.
const PILE: usize = 800;

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
        let (to_store, records) = sync_channel::<(StepId, Record)>(LANE);
        let (done, from_store) = channel();
        // A pass that finds nothing new has no record: then this thread ends without having been woken.
        scope.spawn(move || {
            let mut held = None;
            while let Some((ids, entry)) = piled(&records, &mut held) {
                let result = guarded(|| record(entry)).unwrap_or_else(|p| Err(Fault::bug(&p)));
                for id in ids {
                    if done.send((id, result.clone())).is_err() {
                        return;
                    }
                }
            }
        });
        let mut lanes =
            Lanes { planner, exchanges: VecDeque::new(), to_store, from_store, recording: 0, broken: Broken::default() };
        lanes.run(conn, bench);
        lanes.broken
    })
}

/// The next record for the store. Rows that have piled up while it was busy are one: a transaction costs less for each of
/// many rows, and the first screenful still goes alone.
fn piled(records: &Receiver<(StepId, Record)>, held: &mut Option<(StepId, Record)>) -> Option<(Vec<StepId>, Record)> {
    let (id, mut entry) = held.take().or_else(|| records.recv().ok())?;
    let mut ids = vec![id];
    while let Record::NewMessages { uidvalidity, rows } = &mut entry
        && rows.len() < PILE
        && let Ok((id, next)) = records.try_recv()
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

struct Lanes<'a> {
    planner: &'a mut dyn Planner,
    exchanges: VecDeque<(StepId, Exchange)>,
    to_store: SyncSender<(StepId, Record)>,
    from_store: Receiver<(StepId, Result<(), Fault>)>,
    recording: u64,
    broken: Broken,
}

impl Lanes<'_> {
    fn run(&mut self, conn: &mut dyn MailStore, bench: &mut Bench<'_>) {
        loop {
            self.pump();
            if let Some((id, exchange)) = self.exchanges.pop_front() {
                self.broken.gave_way |= exchange.is_long_reading() && (bench.give_way)();
                if self.broken.net.is_some() || self.broken.gave_way {
                    self.planner.heard(id, Reply::LineLost);
                    continue;
                }
                let carried = guarded(|| carry(conn, &exchange, bench, &mut |reply| self.heard(id, reply)));
                match carried {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => self.broken.net = Some(error),
                    Err(panic) => {
                        self.broken.net = Some(NetError::protocol(&format!("a mistake of ours: {panic}")));
                        self.planner.heard(id, Reply::LineLost);
                    }
                }
            } else if self.recording > 0 {
                let Ok((id, result)) = self.from_store.recv() else { return };
                self.recorded(id, result);
            } else {
                return;
            }
        }
    }

    /// A part or the end of an exchange; what follows from it goes to the store at once.
    fn heard(&mut self, id: StepId, reply: Reply) {
        self.planner.heard(id, reply);
        self.pump();
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
                    if self.to_store.send((id, record)).is_err() {
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
mod tests {
    use super::*;
    use crate::engine::fault::Kind;
    use crate::engine::plan::step::{Ask, Part};
    use crate::mail::uid::{UidSet, UidValidity};
    use crate::net::error::NetErrorKind;
    use std::sync::Mutex;

    /// Asks for envelopes twice; makes a record of each part.
    #[derive(Default)]
    struct Scripted {
        queue: VecDeque<(StepId, Step)>,
        asked: u64,
        open: Vec<StepId>,
        log: Vec<String>,
    }

    impl Planner for Scripted {
        fn next(&mut self) -> Option<(StepId, Step)> {
            if self.queue.is_empty() && self.open.is_empty() && self.asked < 2 {
                self.asked += 1;
                self.queue.push_back((StepId(self.asked), Step::Ask(Ask::Envelopes { uids: UidSet::range(1, 9) })));
            }
            let step = self.queue.pop_front()?;
            self.open.push(step.0);
            Some(step)
        }
        fn heard(&mut self, id: StepId, reply: Reply) {
            match reply {
                Reply::Part(Part::Envelopes(rows)) => {
                    let record = Record::NewMessages { uidvalidity: UidValidity(1), rows };
                    self.queue.push_back((StepId(100 + self.log.len() as u64), Step::Record(record)));
                    self.log.push(format!("part {}", id.0));
                    return;
                }
                Reply::Part(_) => return,
                Reply::End { .. } => self.log.push(format!("end {}", id.0)),
                Reply::Refused(_) => self.log.push(format!("refused {}", id.0)),
                Reply::LineLost => {
                    self.asked = 2;
                    self.log.push(format!("lost {}", id.0));
                }
            }
            self.open.retain(|o| *o != id);
        }
    }

    fn play(conn: &mut dyn MailStore, record: impl FnMut(Record) -> Result<(), Fault> + Send) -> (Vec<String>, Broken) {
        let mut planner = Scripted::default();
        let mut bench = Bench { spool: std::path::Path::new("/nonexistent"), cached: &mut || None, give_way: &|| false };
        let broken = run(&mut planner, conn, &mut bench, record);
        assert!(planner.open.is_empty(), "every step has its end");
        (planner.log, broken)
    }

    #[test]
    fn parts_are_recorded_while_the_answer_still_comes() {
        // The second part is given only once the first one is recorded: lock-step would wait for ever.
        let (tx, rx) = channel();
        let mut conn = fake::Server { parts: 2, gate: Some(Mutex::new(rx)), ..fake::Server::default() };
        let (log, broken) = play(&mut conn, move |_| {
            let _ = tx.send(());
            Ok(())
        });
        assert!(broken.net.is_none() && broken.store.is_none());
        assert_eq!(log.iter().filter(|l| l.starts_with("part")).count(), 4);
    }

    #[test]
    fn a_broken_line_ends_the_pass_and_keeps_what_came() {
        let mut conn = fake::Server { parts: 1, fails: Some(NetErrorKind::Timeout), ..fake::Server::default() };
        let mut kept = 0;
        let (log, broken) = play(&mut conn, |_| {
            kept += 1;
            Ok(())
        });
        assert_eq!(broken.net.unwrap().kind, NetErrorKind::Timeout);
        assert!(log.contains(&"lost 1".to_owned()) && kept == 1, "{log:?}");
    }

    #[test]
    fn a_panic_below_is_a_broken_line() {
        let mut conn = fake::Server { panics: true, ..fake::Server::default() };
        let (log, broken) = play(&mut conn, |_| Ok(()));
        assert!(broken.net.is_some() && log == ["lost 1"]);
    }

    #[test]
    fn a_full_disk_is_told_to_the_planner() {
        let mut conn = fake::Server { parts: 1, ..fake::Server::default() };
        let (log, broken) = play(&mut conn, |_| Err(Fault::new(Kind::Disk, "full")));
        assert_eq!(broken.store.unwrap().kind, Kind::Disk);
        assert!(log.iter().any(|l| l.starts_with("refused 10")), "{log:?}");
    }

    mod fake {
        //! A server that knows one answer.
        use super::super::*;
        use crate::mail::envelope::{Envelope, MessageId};
        use crate::mail::flags::{FlagDelta, Flags};
        use crate::mail::mailbox::MailboxPath;
        use crate::mail::section::Section;
        use crate::mail::server::*;
        use crate::mail::uid::{ModSeq, Uid, UidSet, UidValidity};
        use crate::net::error::{NetErrorKind, Result};
        use crate::net::session::{Bodies, Idle, PartGot, Sink, Traffic};
        use std::io::{Read, Write};
        use std::ops::Range;
        use std::sync::Mutex;
        use std::time::Duration;

        #[derive(Default)]
        pub struct Server {
            pub parts: u32,
            /// Waited for before each part but the first.
            pub gate: Option<Mutex<Receiver<()>>>,
            pub fails: Option<NetErrorKind>,
            pub panics: bool,
        }

        impl MailStore for Server {
            fn fetch_envelopes(&mut self, _: &UidSet, sink: Sink<'_, EnvelopeSeen>) -> Result<()> {
                assert!(!self.panics, "odd answer");
                for n in 1..=self.parts {
                    if n > 1
                        && let Some(gate) = &self.gate
                    {
                        gate.lock().unwrap().recv_timeout(Duration::from_secs(5)).expect("not recorded meanwhile");
                    }
                    sink(vec![EnvelopeSeen {
                        uid: Uid::new(n).unwrap(),
                        flags: Flags::new(),
                        modseq: ModSeq(0),
                        received: 0,
                        size: 0,
                        envelope: Envelope::default(),
                        attachments: Vec::new(),
                        object_id: String::new(),
                    }])?;
                }
                self.fails.clone().map_or(Ok(()), |kind| Err(NetError::new(kind, "")))
            }
            fn caps(&self) -> Caps {
                Caps::default()
            }
            fn list(&mut self) -> Result<Vec<ListedMailbox>> {
                Ok(Vec::new())
            }
            fn status(&mut self, _: &MailboxPath) -> Result<MailboxStatus> {
                Ok(MailboxStatus::default())
            }
            fn select(&mut self, _: &MailboxPath, _: bool, _: Option<&Resync>) -> Result<Selected> {
                Ok(Selected::default())
            }
            fn fetch_flags(&mut self, _: &UidSet, _: Option<ModSeq>, _: Sink<'_, FlagsSeen>) -> Result<()> {
                Ok(())
            }
            fn uids(&mut self, _: u32) -> Result<UidSet> {
                Ok(UidSet::new())
            }
            fn identify(&mut self, _: &UidSet) -> Result<Vec<IdentitySeen>> {
                Ok(Vec::new())
            }
            fn fetch_body(&mut self, _: Uid, _: &mut dyn Write) -> Result<Option<u64>> {
                Ok(None)
            }
            fn fetch_bodies(&mut self, _: &UidSet, _: &mut dyn Bodies) -> Result<()> {
                Ok(())
            }
            fn fetch_part(
                &mut self,
                _: Uid,
                _: &Section,
                _: Option<Range<u64>>,
                _: bool,
                _: &mut dyn Write,
            ) -> Result<Option<PartGot>> {
                Ok(None)
            }
            fn unselect(&mut self) -> Result<()> {
                Ok(())
            }
            fn rename(&mut self, _: &MailboxPath, _: &MailboxPath) -> Result<()> {
                Ok(())
            }
            fn delete(&mut self, _: &MailboxPath) -> Result<()> {
                Ok(())
            }
            fn store_flags(&mut self, _: &UidSet, _: &FlagDelta) -> Result<()> {
                Ok(())
            }
            fn move_to(&mut self, _: &UidSet, _: &MailboxPath) -> Result<Option<CopiedUids>> {
                Ok(None)
            }
            fn copy_to(&mut self, _: &UidSet, _: &MailboxPath) -> Result<Option<CopiedUids>> {
                Ok(None)
            }
            fn uid_expunge(&mut self, _: &UidSet) -> Result<()> {
                Ok(())
            }
            fn append(
                &mut self,
                _: &MailboxPath,
                _: &Flags,
                _: i64,
                _: u64,
                _: &mut dyn Read,
            ) -> Result<Option<(UidValidity, Uid)>> {
                Ok(None)
            }
            fn create(&mut self, _: &MailboxPath) -> Result<()> {
                Ok(())
            }
            fn subscribe(&mut self, _: &MailboxPath, _: bool) -> Result<()> {
                Ok(())
            }
            fn idle(&mut self, _: Duration) -> Result<Idle> {
                Ok(Idle::TimedOut)
            }
            fn search_message_id(&mut self, _: &MessageId) -> Result<UidSet> {
                Ok(UidSet::new())
            }
            fn exists(&self) -> u32 {
                0
            }
            fn changed(&mut self) -> bool {
                false
            }
            fn noop(&mut self) -> Result<()> {
                Ok(())
            }
            fn logout(&mut self) {}
            fn traffic(&self) -> Traffic {
                Traffic::default()
            }
        }
    }
}
