//! The tests of `pass.rs`: a scripted planner at a server that knows one answer.

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
            Reply::LineLost | Reply::GaveWay => {
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

/// Asks for three windows, each while the second part of the one before comes.
#[derive(Default)]
struct Ahead {
    queue: VecDeque<(StepId, Step)>,
    asked: u64,
    parts: u64,
    gave_way: Vec<u64>,
    open: usize,
}

impl Planner for Ahead {
    fn next(&mut self) -> Option<(StepId, Step)> {
        if self.asked == 0 || (self.asked < 3 && self.parts == 2 * self.asked && self.gave_way.is_empty()) {
            self.asked += 1;
            let uids = UidSet::range(10 * self.asked as u32, 10 * self.asked as u32 + 9);
            self.queue.push_back((StepId(self.asked), Step::Ask(Ask::Envelopes { uids })));
        }
        self.open += self.queue.len();
        self.queue.pop_front()
    }
    fn heard(&mut self, id: StepId, reply: Reply) {
        match reply {
            Reply::Part(_) => self.parts += 1,
            Reply::GaveWay => self.gave_way.push(id.0),
            _ => {}
        }
        self.open -= usize::from(!matches!(reply, Reply::Part(_)));
    }
}

#[test]
fn the_connection_is_told_of_the_next_window_unless_something_is_more_urgent() {
    let windows = |urgent: &dyn Fn() -> bool| {
        let (mut planner, mut conn) = (Ahead::default(), fake::Server { parts: 3, ..fake::Server::default() });
        let mut bench = Bench { spool: std::path::Path::new("/nonexistent"), cached: &mut || None, give_way: urgent };
        let broken = run(&mut planner, &mut conn, &mut bench, |_| Ok(()));
        assert_eq!((planner.open, broken.gave_way), (0, !planner.gave_way.is_empty()), "every step has its end");
        (conn.told, planner.gave_way)
    };
    let uids = |low| Some(UidSet::range(low, low + 9));
    let told = windows(&|| false).0;
    let told_once = [None, uids(20), None, uids(30), None, None, None, None, None];
    assert_eq!(told, told_once, "told once of each, though each part asks");
    // Urgent from the first part on: it is told of nothing, and the pass gives way at the end of the window.
    let looks = std::cell::Cell::new(0);
    let urgent = || looks.replace(looks.get() + 1) > 0;
    assert_eq!(windows(&urgent), (vec![None, None, None], vec![2]));
    // Urgent once the connection was told: what was asked for ahead still comes, and nothing behind it.
    let looks = std::cell::Cell::new(0);
    let urgent = || looks.replace(looks.get() + 1) > 1;
    let (told, gave_way) = windows(&urgent);
    assert_eq!((told.len(), told.iter().flatten().count(), gave_way), (6, 1, vec![3]));
}

mod fake {
    //! A server that knows one answer.
    use super::super::*;
    use crate::mail::envelope::MessageId;
    use crate::mail::fixtures;
    use crate::mail::flags::{FlagDelta, Flags};
    use crate::mail::mailbox::MailboxPath;
    use crate::mail::server::*;
    use crate::mail::uid::{ModSeq, Uid, UidSet, UidValidity};
    use crate::net::error::{NetErrorKind, Result};
    use crate::net::session::{Bodies, Excerpt, Idle, PartGot, Sink, Traffic, Windows};
    use std::io::{Read, Write};
    use std::sync::Mutex;
    use std::time::Duration;

    #[derive(Default)]
    pub struct Server {
        pub parts: u32,
        /// Waited for before each part but the first.
        pub gate: Option<Mutex<Receiver<()>>>,
        pub fails: Option<NetErrorKind>,
        pub panics: bool,
        /// What it was told of the next window, at each part.
        pub told: Vec<Option<UidSet>>,
    }

    impl MailStore for Server {
        fn fetch_envelopes(&mut self, _: &UidSet, sink: Windows<'_>) -> Result<()> {
            assert!(!self.panics, "odd answer");
            for n in 1..=self.parts {
                if n > 1
                    && let Some(gate) = &self.gate
                {
                    gate.lock().unwrap().recv_timeout(Duration::from_secs(5)).expect("not recorded meanwhile");
                }
                let next = sink(vec![EnvelopeSeen { received: 0, size: 0, ..fixtures::seen(n) }])?;
                self.told.push(next);
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
        fn uids_between(&mut self, _: u32, _: u32) -> Result<UidSet> {
            Ok(UidSet::new())
        }
        fn identify_in_parts(&mut self, _: &UidSet, _: Sink<'_, IdentitySeen>) -> Result<()> {
            Ok(())
        }
        fn fetch_body(&mut self, _: Uid, _: &mut dyn Write) -> Result<Option<u64>> {
            Ok(None)
        }
        fn fetch_bodies(&mut self, _: &UidSet, _: &mut dyn Bodies) -> Result<()> {
            Ok(())
        }
        fn fetch_part(&mut self, _: Uid, _: &Excerpt<'_>, _: &mut dyn Write) -> Result<Option<PartGot>> {
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
        fn append(&mut self, _: &MailboxPath, _: &Flags, _: i64, _: u64, _: &mut dyn Read) -> Result<Option<(UidValidity, Uid)>> {
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

#[test]
fn rows_that_piled_up_are_one_record_up_to_a_limit_and_what_follows_stays_in_order() {
    let (to, entries) = channel();
    let rows = |count: usize| vec![crate::mail::fixtures::seen(1); count];
    let new = |count| Record::NewMessages { uidvalidity: UidValidity(1), rows: rows(count) };
    let mut sent = 0;
    let mut send = |record| {
        sent += 1;
        to.send(Entry::Record(StepId(sent), record)).unwrap();
    };
    (0..3).for_each(|_| send(new(200)));
    send(Record::Synced);
    (0..20).for_each(|_| send(new(200)));
    send(new(1));
    let mut held = None;
    let mut next = || match piled(&entries, &mut held).unwrap() {
        (ids, Record::NewMessages { rows, .. }) => (ids.len(), rows.len()),
        (ids, _) => (ids.len(), 0),
    };
    // The last one waits for more, and there is none.
    assert_eq!([next(), next(), next(), next()], [(3, 600), (1, 0), (16, PILE), (5, 801)]);
}

#[test]
fn what_piled_up_is_not_kept_waiting_for_more_where_none_comes() {
    let (to, entries) = channel();
    let new = |id| {
        let rows = vec![crate::mail::fixtures::seen(1); BULK];
        Entry::Record(StepId(id), Record::NewMessages { uidvalidity: UidValidity(1), rows })
    };
    for entry in [new(1), Entry::NoMore, Entry::NoMore, new(2), new(3)] {
        to.send(entry).unwrap();
    }
    drop(to);
    let next = || piled(&entries, &mut None).map(|(ids, _)| ids.len());
    assert_eq!([next(), next(), next()], [Some(1), Some(2), None]);
}
