//! work — an account's loop: connect, go round, push the journal, rest in IDLE; and again when the line breaks.
//! Owns: `run`. May import: net, store, engine.
//! Start reading at: `Work::serve`. Order of need: bodies that somebody waits for, the journal, the mailbox that the
//! person looks at, the inbox, the rest. At rest the only thing that passes is time towards the next poll.

use super::account::{Desk, jitter};
use super::api::{Connectivity, Fault, Task, Unit};
use super::connect;
use super::fault::{Kind, Retry};
use super::fetch::{Fetcher, Got};
use super::jobs::Running;
use super::round::{End, Halt, Memory, Passed, Visitor};
use super::shared::Shared;
use crate::base::backoff::Backoff;
use crate::base::park::park;
use crate::base::spawn::guarded;
use crate::config::AccountConfig;
use crate::mail::mailbox::MailboxPath;
use crate::net::session::{Idle, MailStore};
use crate::store::{base, placements};
use std::collections::{HashSet, VecDeque};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Bodies that are got ahead of need in one go.
const BATCH: u32 = 100;
/// A server whose counts never fit is believed after so many visits in a row.
const UNSETTLED: u32 = 3;
/// The shortest rest: a clock that was set must not make a loop of it.
const LEAST: Duration = Duration::from_millis(50);

/// The thread: until the account is stopped.
pub(super) fn run(config: &AccountConfig, shared: &Shared, desk: &Desk) {
    let mut backoff = Backoff::default();
    let mut memory = Memory::default();
    while !desk.cancel.is_set() {
        if desk.is_offline() {
            shared.connectivity(&config.name, Connectivity::Off);
            rest(desk, None, |desk| !desk.is_offline());
            continue;
        }
        shared.connectivity(&config.name, Connectivity::Connecting);
        let born = Instant::now();
        let line = match desk.cancel.branch() {
            Ok(line) => line,
            Err(e) => {
                pause(config, shared, desk, Fault::bug(&e.to_string()).of(&config.name), &mut backoff);
                continue;
            }
        };
        let ended = guarded(|| {
            let mut conn = connect::open(shared, config, &desk.work, &line)?;
            let give_way = || desk.is_urgent() || desk.cancel.is_set();
            let visitor = Visitor { shared, config, line: &line, give_way: &give_way, memory: &mut memory };
            let ended = Work::new(desk, visitor).and_then(|mut work| work.serve(conn.as_mut()));
            if ended.is_ok() && !desk.cancel.is_set() {
                conn.logout();
            }
            ended.map_err(|halt| halt.fault(&connect::host(config), config))
        });
        let fault = match ended {
            Ok(Ok(())) => continue,
            Ok(Err(fault)) => fault,
            Err(panic) => Fault::bug(&panic).of(&config.name),
        };
        if desk.cancel.is_set() {
            break;
        }
        if line.is_set() {
            // A job was stopped: everything else goes on, on a new line.
            continue;
        }
        backoff.was_healthy(born.elapsed());
        if pause(config, shared, desk, fault, &mut backoff) {
            backoff.reset();
        }
    }
    desk.admit(false);
}

/// Waits before the next try: for a time, or for the person. Whether somebody wants it now.
fn pause(config: &AccountConfig, shared: &Shared, desk: &Desk, fault: Fault, backoff: &mut Backoff) -> bool {
    // What a server refuses as a whole (a list, a login "for now") it may grant later; what only the person can mend, it never
    // will, and asking again may lock the account.
    let stop = fault.retry == Retry::NeedsUser || matches!(fault.kind, Kind::Store | Kind::Held);
    let until = if stop {
        desk.admit(false);
        shared.connectivity(&config.name, Connectivity::NeedsUser(fault));
        None
    } else {
        let pause = backoff.next(jitter());
        let until = shared.now() + i64::try_from(pause.as_secs()).unwrap_or(0).max(1);
        shared.connectivity(&config.name, Connectivity::Waiting { until, fault });
        Some(Instant::now() + pause)
    };
    rest(desk, until, |desk| desk.is_offline() || desk.take_retry())
}

/// Sleeps until `until` or until `enough`; whether it was that.
fn rest(desk: &Desk, until: Option<Instant>, enough: impl Fn(&Desk) -> bool) -> bool {
    loop {
        if enough(desk) {
            return true;
        }
        if desk.cancel.is_set() || until.is_some_and(|end| Instant::now() >= end) {
            return false;
        }
        park(&desk.work, &desk.cancel, until);
        let _ = desk.work.take();
    }
}

/// One life of a connection.
struct Work<'a> {
    desk: &'a Desk,
    visitor: Visitor<'a>,
    /// Mailboxes to visit, in order.
    todo: VecDeque<MailboxPath>,
    /// When all mailboxes were listed last.
    round: Instant,
    /// Whether the list is known to be out of date.
    stale: bool,
    /// Since when the connection stands, seconds since 1970.
    since: i64,
    told: Option<Connectivity>,
    /// When an operation that waits for its time is due, seconds since 1970.
    due: Option<i64>,
    /// The mailbox that is selected for IDLE.
    here: Option<MailboxPath>,
    /// How often in a row a mailbox was visited because IDLE found it other than the last pass had left it.
    unsettled: u32,
    fetcher: Fetcher<'a>,
    /// Whether all bodies are here that are wanted ahead of need.
    complete: bool,
    /// The getting of them, and how many came.
    bodies: Option<(Running, u64)>,
}

impl<'a> Work<'a> {
    fn new(desk: &'a Desk, visitor: Visitor<'a>) -> Result<Self, Halt> {
        let fetcher = Fetcher::new(visitor.shared)?;
        let since = visitor.shared.now();
        let (todo, round) = (VecDeque::new(), Instant::now());
        Ok(Self {
            desk,
            visitor,
            todo,
            round,
            stale: false,
            since,
            told: None,
            due: None,
            here: None,
            unsettled: 0,
            fetcher,
            complete: false,
            bodies: None,
        })
    }

    /// Until the connection breaks (an error), or is not wanted any more.
    fn serve(&mut self, conn: &mut dyn MailStore) -> Result<(), Halt> {
        let era = self.desk.era();
        let poll = self.visitor.shared.pace.poll;
        if conn.caps().idle {
            self.tell(Connectivity::Live { since: self.since });
        }
        self.visitor.first_rows(conn)?;
        self.desk.admit(true);
        self.push(conn)?;
        self.list(conn)?;
        loop {
            let _ = self.desk.work.take();
            if self.desk.is_offline() || self.desk.era() != era || self.desk.cancel.is_set() {
                return Ok(());
            }
            self.bodies(conn)?;
            self.wishes(conn)?;
            if let Some(path) = self.todo.pop_front() {
                self.visit(conn, path)?;
                continue;
            }
            if self.stale || self.round.elapsed() >= poll {
                self.list(conn)?;
                continue;
            }
            if self.due.is_some_and(|at| at <= self.visitor.shared.now()) {
                self.push(conn)?;
                continue;
            }
            if self.ahead(conn)? {
                continue;
            }
            self.rest(conn)?;
        }
    }

    /// Gets the bodies that somebody waits for, unless the watch does.
    fn bodies(&mut self, conn: &mut dyn MailStore) -> Result<(), Halt> {
        while !self.desk.watching.load(Ordering::SeqCst)
            && let Some(key) = self.desk.body()
        {
            self.here = None;
            self.fetcher.forget();
            let got = self.fetcher.body(conn, key).inspect_err(|_| self.desk.again(key))?;
            self.desk.fetched(&got);
        }
        Ok(())
    }

    /// Gets some bodies ahead of need, as long as nothing else is to be done. Whether there may be more.
    fn ahead(&mut self, conn: &mut dyn MailStore) -> Result<bool, Halt> {
        if self.complete {
            return Ok(false);
        }
        let (shared, config) = (self.visitor.shared, self.visitor.config);
        let skip = &self.visitor.memory.unfetchable;
        let mut wanted = self.fetcher.wanted(
            &config.name,
            config.keep.bodies,
            config.keep.limit,
            BATCH + u32::try_from(skip.len()).unwrap_or(u32::MAX),
        )?;
        wanted.retain(|w| !skip.contains(&w.message));
        let task = Task::Bodies(config.name.clone());
        if wanted.is_empty() || shared.jobs.is_stopped(&task) {
            (self.complete, self.bodies) = (true, None);
            return Ok(false);
        }
        let line = Some(self.visitor.line);
        let begin = || (shared.begin(task, &config.name, "fetching texts", Unit::Messages, line), 0);
        let (job, done) = self.bodies.get_or_insert_with(begin);
        // One visit for each mailbox.
        wanted.sort_by_key(|w| w.mailbox);
        self.here = None;
        self.fetcher.forget();
        for w in wanted {
            if self.desk.work.is_rung() || self.desk.cancel.is_set() || job.must_stop() {
                break;
            }
            if self.fetcher.ahead(conn, w)? != Got::Here {
                self.visitor.memory.unfetchable.insert(w.message);
                continue;
            }
            *done += 1;
            job.at(*done, 0);
        }
        Ok(true)
    }

    /// Takes what was wished for since the last look.
    fn wishes(&mut self, conn: &mut dyn MailStore) -> Result<(), Halt> {
        let wishes = self.desk.take();
        if wishes.intents {
            self.push(conn)?;
        }
        if wishes.all {
            // What was stopped goes on.
            self.complete = false;
            self.list(conn)?;
        }
        if wishes.inbox {
            self.first(MailboxPath::inbox());
        }
        for id in wishes.visit.into_iter().rev() {
            if let Some(path) = self.visitor.at_server(id)? {
                self.first(path);
            }
        }
        Ok(())
    }

    fn first(&mut self, path: MailboxPath) {
        self.todo.retain(|p| *p != path);
        self.todo.push_front(path);
    }

    /// Lists all mailboxes; those that have news are to be visited.
    fn list(&mut self, conn: &mut dyn MailStore) -> Result<(), Halt> {
        (self.round, self.stale) = (Instant::now(), false);
        let listed = self.visitor.list(conn)?;
        self.todo = self.visitor.order(&listed, self.desk.open(), false)?.into();
        Ok(())
    }

    fn visit(&mut self, conn: &mut dyn MailStore, path: MailboxPath) -> Result<Passed, Halt> {
        self.here = None;
        let passed = self.visitor.pass(conn, &path)?;
        self.complete &= passed.tally.new == 0;
        for other in &passed.elsewhere {
            if !self.todo.contains(other) {
                self.todo.push_back(other.clone());
            }
        }
        self.stale |= passed.end == End::NoMailbox;
        // What was stopped is left alone; operations were pushed all the same.
        let stopped = || self.visitor.shared.jobs.is_stopped(&Task::Sync(self.visitor.config.name.clone(), passed.mailbox));
        if passed.end == End::GaveWay && !stopped() {
            self.todo.push_front(path);
        }
        Ok(passed)
    }

    /// Pushes the journal: each mailbox with operations that are due, as long as something gets done.
    fn push(&mut self, conn: &mut dyn MailStore) -> Result<(), Halt> {
        let mut seen = HashSet::new();
        self.tree(conn)?;
        loop {
            let now = self.visitor.shared.now();
            let pending = self.visitor.pending()?;
            self.due = self.visitor.due(now)?;
            let mut due = pending.into_iter().filter(|op| op.not_before <= now).map(|op| op.mailbox);
            let Some(path) = due.find(|path| !seen.contains(path)) else { return Ok(()) };
            let passed = self.visit(conn, path.clone())?;
            if passed.pushed > 0 {
                // What waited for one of these may be due now.
                seen.clear();
                self.tree(conn)?;
            }
            seen.insert(path);
        }
    }

    /// Changes the tree of mailboxes as the person wishes; the list and what is to be visited are others then.
    fn tree(&mut self, conn: &mut dyn MailStore) -> Result<(), Halt> {
        if self.visitor.tree(conn)? > 0 {
            self.stale = true;
            self.todo.clear();
            self.here = None;
        }
        Ok(())
    }

    /// Waits for news, wishes, or the next thing that is due.
    fn rest(&mut self, conn: &mut dyn MailStore) -> Result<(), Halt> {
        let (pace, now) = (self.visitor.shared.pace, self.visitor.shared.now());
        let due = self.due.map_or(pace.idle, |at| Duration::from_secs(at.saturating_sub(now).unsigned_abs()));
        let limit = pace.poll.saturating_sub(self.round.elapsed()).min(pace.idle).min(due).max(LEAST);
        if !conn.caps().idle {
            self.tell(Connectivity::Polled { at: now });
            park(&self.desk.work, &self.desk.cancel, Some(Instant::now() + limit));
            return Ok(());
        }
        self.tell(Connectivity::Live { since: self.since });
        // The watch has the inbox; this connection looks where the person looks.
        let open = match self.desk.open() {
            Some(id) => self.visitor.at_server(id)?,
            None => None,
        };
        let place = open.unwrap_or_else(MailboxPath::inbox);
        if self.here.as_ref() != Some(&place) && !self.settle(conn, &place)? {
            return Ok(());
        }
        self.desk.on_inbox.store(place.is_inbox(), Ordering::SeqCst);
        let idle = conn.idle(limit);
        self.desk.on_inbox.store(false, Ordering::SeqCst);
        self.visitor.alerts(conn);
        if idle? == Idle::Changed {
            let _ = conn.changed();
            self.unsettled = 0;
            self.first(place);
        }
        Ok(())
    }

    /// Selects `place` for IDLE. False if it is not as the last pass left it: then it is visited first.
    fn settle(&mut self, conn: &mut dyn MailStore, place: &MailboxPath) -> Result<bool, Halt> {
        let id = self.visitor.mailbox(place)?;
        let selected = match conn.select(place, true, None) {
            Ok(selected) => selected,
            Err(e) if e.connection_lives() && !place.is_inbox() => {
                // It is gone; the next list tells. Until then there is nothing to wait for but the inbox.
                self.desk.left(id);
                self.here = None;
                return Ok(false);
            }
            Err(e) => return Err(e.into()),
        };
        let (base, here) = self.visitor.shared.store.read(|db| Ok((base::load(db, id)?, placements::uids(db, id)?.len())))?;
        let same = base.uidvalidity == selected.uidvalidity
            && base.highestmodseq == selected.highestmodseq
            && u64::from(selected.exists) == here;
        let stopped = || self.visitor.shared.jobs.is_stopped(&Task::Sync(self.visitor.config.name.clone(), id));
        if same || stopped() || self.unsettled >= UNSETTLED {
            self.unsettled = 0;
            self.here = Some(place.clone());
            return Ok(true);
        }
        self.unsettled += 1;
        self.first(place.clone());
        Ok(false)
    }

    fn tell(&mut self, now: Connectivity) {
        if self.told.as_ref() != Some(&now) {
            self.visitor.shared.connectivity(&self.visitor.config.name, now.clone());
            self.told = Some(now);
        }
    }
}
