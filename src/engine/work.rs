//! work — an account's loop: connect, go round, push the journal, rest; and again when the line breaks.
//! Owns: `run`, `Work`. May import: net, store, engine.
//! Start reading at: `Work::serve`. Order of need: bodies that somebody waits for, the journal, the mailbox that the
//! person looks at, the inbox, the rest. What it does when nothing is to be done is in `rest.rs`.

use super::api::{Connectivity, Fault, Task};
use super::connect;
use super::fault::{Kind, Retry};
use super::fetch::Fetcher;
use super::jobs::Running;
use super::kept;
use super::rest::BATCH;
use super::round::{End, Halt, Memory, Passed, Visitor};
use super::setup::Errand;
use super::shared::Shared;
use super::stumbles;
use super::wishes::{Desk, jitter};
use crate::base::backoff::Backoff;
use crate::base::crash;
use crate::base::park::park;
use crate::base::spawn::guarded;
use crate::config::AccountConfig;
use crate::mail::mailbox::MailboxPath;
use crate::mail::server::Space;
use crate::net::session::MailStore;
use std::collections::{BTreeSet, HashSet, VecDeque};
use std::time::{Duration, Instant};

/// What stands in the way is the disk of this machine: after so many seconds at most it is looked whether there is room again.
const ROOM: Duration = Duration::from_secs(30);
/// The server allows one connection, and it was in use: the watchers need a moment to go.
const LEAVING: Duration = Duration::from_secs(1);

/// The thread: until the account is stopped.
pub(super) fn run(config: &AccountConfig, shared: &Shared, desk: &Desk) {
    let mut backoff = Backoff::default();
    let mut memory = Memory::default();
    let mut begun = false;
    while !desk.cancel.is_set() {
        if desk.is_offline() {
            shared.connectivity(&config.name, Connectivity::Off);
            rest(desk, None, |desk| !desk.is_offline());
            continue;
        }
        if shared.errand == Some(Errand::Tell) && !begun {
            // Nobody is asked who is to be told nothing.
            begun = rest(desk, None, |desk| desk.is_offline() || desk.has_intents() || desk.has_wish(true));
            continue;
        }
        shared.connectivity(&config.name, Connectivity::Connecting);
        let born = Instant::now();
        let line = match desk.line() {
            Ok(line) => line,
            Err(e) => {
                pause(config, shared, desk, Fault::bug(&e.to_string()).of(&config.name), &mut backoff);
                continue;
            }
        };
        let ended = guarded(|| {
            crash::place("line");
            let mut conn = connect::open_for(shared, config, connect::is_first(shared, config), &desk.work, &line)?;
            let give_way = |long| desk.is_urgent(long) || desk.cancel.is_set();
            let visitor = Visitor { shared, config, line: &line, give_way: &give_way, small: 0, memory: &mut memory };
            let ended = Work::new(desk, visitor).and_then(|mut work| {
                let ended = work.begin(conn.as_mut());
                work.visitor.memory.gained |= work.fetcher.gained;
                ended
            });
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
        desk.notified(false);
        if line.is_set() {
            // A job was stopped: everything else goes on, on a new line.
            continue;
        }
        // Too many connections: then this one is the one to keep.
        if fault.kind == Kind::Busy && desk.fold() {
            rest(desk, Some(Instant::now() + LEAVING), Desk::is_offline);
            continue;
        }
        backoff.was_healthy(born.elapsed());
        if std::mem::take(&mut memory.gained) {
            // Each line brings something, however soon it breaks: then the next one is worth a second.
            backoff.reset();
        }
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
        let pause = backoff.next(jitter()).min(if fault.kind == Kind::Disk { ROOM } else { Duration::MAX });
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
pub(super) struct Work<'a> {
    pub desk: &'a Desk,
    pub visitor: Visitor<'a>,
    /// Mailboxes to visit, in order.
    pub todo: VecDeque<MailboxPath>,
    /// When all mailboxes were listed last.
    pub round: Instant,
    /// Whether there are mailboxes of others, of which the server does not tell.
    pub foreign: bool,
    /// Whether it is time to ask how much room there is.
    pub quota_due: bool,
    /// Whether the list is known to be out of date.
    pub stale: bool,
    /// Whether the session is to end, and a new one to be asked for the list: see `news.rs`.
    pub anew: bool,
    /// Mailboxes of which somebody told that they are there, and that the last list did not have.
    pub unlisted: BTreeSet<MailboxPath>,
    /// Mailboxes that were listed and were not there, or had such a goal: the next list in its time says more, not one at once.
    missed: HashSet<(MailboxPath, Option<MailboxPath>)>,
    /// Since when the connection stands, seconds since 1970.
    pub since: i64,
    /// What was told of how the account stands.
    pub told: Option<Connectivity>,
    /// When an operation that waits for its time is due, seconds since 1970.
    pub due: Option<i64>,
    /// The mailbox that is selected for IDLE.
    pub here: Option<MailboxPath>,
    /// How often in a row a mailbox was visited because IDLE found it other than the last pass had left it.
    pub unsettled: u32,
    pub fetcher: Fetcher<'a>,
    /// Whether all bodies are here that are wanted ahead of need.
    pub complete: bool,
    /// Whether this connection tells of all mailboxes; nothing if it was not asked for that.
    pub told_of_all: Option<bool>,
    /// Whether the newest of them were got before the other mailboxes.
    pub tasted: bool,
    /// The getting of them, and how many came.
    pub ahead: Option<(Running, u64)>,
    /// What was written down and is asked for over this connection: the row, and its how manieth try.
    pub asked: HashSet<(i64, u32)>,
    /// When something that was refused is tried again, seconds since 1970.
    pub asked_due: Option<i64>,
}

impl<'a> Work<'a> {
    fn new(desk: &'a Desk, visitor: Visitor<'a>) -> Result<Self, Halt> {
        let fetcher = Fetcher::new(visitor.shared, &visitor.config.name)?;
        let since = visitor.shared.now();
        let (todo, round) = (VecDeque::new(), Instant::now());
        Ok(Self {
            desk,
            visitor,
            todo,
            round,
            stale: false,
            anew: false,
            unlisted: BTreeSet::new(),
            missed: HashSet::new(),
            foreign: false,
            quota_due: false,
            since,
            told: None,
            due: None,
            here: None,
            unsettled: 0,
            fetcher,
            complete: false,
            told_of_all: None,
            tasted: false,
            ahead: None,
            asked: HashSet::new(),
            asked_due: None,
        })
    }

    /// Until the connection breaks (an error), or is not wanted any more.
    pub fn serve(&mut self, conn: &mut dyn MailStore) -> Result<(), Halt> {
        let era = self.desk.era();
        if conn.caps().idle {
            self.tell(Connectivity::Live { since: self.since });
        }
        if self.visitor.first_rows(conn)? {
            self.here = Some(MailboxPath::inbox());
        }
        self.desk.admit(true);
        self.push(conn)?;
        self.warm(conn)?;
        self.list(conn)?;
        loop {
            let _ = self.desk.work.take();
            self.hear(conn)?;
            if self.desk.is_offline() || self.desk.era() != era || self.desk.cancel.is_set() {
                return Ok(());
            }
            self.bodies(conn)?;
            self.wishes(conn)?;
            self.reach(conn)?;
            if self.taste(conn)? {
                continue;
            }
            if let Some(path) = self.todo.pop_front() {
                self.visit(conn, path)?;
                continue;
            }
            let due = self.round.elapsed() >= self.poll();
            if due {
                self.missed.clear();
            }
            if self.is_over() {
                return Ok(());
            }
            if self.stale || due {
                self.list(conn)?;
                continue;
            }
            if self.due.is_some_and(|at| at <= self.visitor.shared.now()) {
                self.push(conn)?;
                continue;
            }
            if self.asked()? || self.details(conn)? || self.ahead(conn, BATCH)? || self.limits(conn)? || self.previews(conn)? {
                continue;
            }
            self.rest(conn)?;
        }
    }

    pub fn first(&mut self, path: MailboxPath) {
        self.todo.retain(|p| *p != path);
        self.todo.push_front(path);
    }

    /// Before all are listed: what the person looks at, and the inbox, if they are known. A start with a warm cache is right
    /// as soon as these are.
    fn warm(&mut self, conn: &mut dyn MailStore) -> Result<(), Halt> {
        let open = match self.desk.open() {
            Some(id) => self.visitor.at_server(id)?,
            None => None,
        };
        let places: Vec<MailboxPath> = open.filter(|path| !path.is_inbox()).into_iter().chain([MailboxPath::inbox()]).collect();
        for path in places {
            if self.here.as_ref() != Some(&path) && self.visitor.is_known(&path)? {
                self.visit(conn, path)?;
            }
        }
        Ok(())
    }

    /// How long nobody has to ask for what the server does not tell by itself.
    pub fn poll(&self) -> Duration {
        let pace = self.visitor.shared.pace;
        if self.desk.is_notified() && !self.foreign { pace.idle.max(pace.poll) } else { pace.poll }
    }

    /// Lists all mailboxes; those that have news are to be visited.
    pub fn list(&mut self, conn: &mut dyn MailStore) -> Result<(), Halt> {
        if self.stale {
            self.visitor.list_is_over(true)?;
        }
        (self.round, self.stale, self.quota_due) = (Instant::now(), false, true);
        if !conn.caps().idle {
            // Of the selected mailbox STATUS need not know anything new (RFC 9051, 6.3.11), and nobody has told of it. One may be
            // selected though nothing is in step here: its pass went round too often, or made room.
            conn.noop()?;
        }
        let listed = self.visitor.list(conn)?;
        self.compare(conn, &listed)?;
        self.foreign = listed.iter().any(|m| m.selectable && m.space != Space::Personal);
        self.visitor.memory.told = self.here.clone().filter(|_| conn.caps().idle);
        let visits = self.visitor.order(&listed, self.desk.open(), false)?;
        let config = self.visitor.config;
        let watched = listed.iter().filter(|m| m.selectable && !m.path.is_inbox() && config.watches(&m.path));
        self.desk.posts(watched.map(|m| m.path.clone()).collect());
        self.visitor.agreed(&listed, &visits)?;
        kept::daily(self.visitor.shared).map_err(Halt::Store)?;
        stumbles::again(self.visitor.shared).map_err(Halt::Store)?;
        self.todo = visits.into();
        if let Some(here) = self.here.clone().filter(|_| conn.changed()) {
            self.first(here);
        }
        Ok(())
    }

    pub fn visit(&mut self, conn: &mut dyn MailStore, path: MailboxPath) -> Result<Passed, Halt> {
        self.here = None;
        self.desk.visiting(Some((self.visitor.mailbox(&path)?, &path)));
        let passed = self.visitor.pass(conn, &path);
        self.desk.visiting(None);
        let passed = passed?;
        self.complete &= passed.tally.new == 0;
        if passed.end == End::Synced {
            self.missed.retain(|(missed, _)| *missed != path);
            // It is selected and in step: what happens there from now on is told.
            self.here = Some(path.clone());
        }
        let mut others: Vec<MailboxPath> = passed.elsewhere.iter().cloned().collect();
        if passed.pushed > 0 || passed.end == End::Synced {
            others.extend(self.visitor.waiting((passed.pushed == 0).then_some(passed.mailbox))?);
        }
        for other in others {
            if !self.todo.contains(&other) {
                self.todo.push_back(other);
            }
        }
        if passed.end == End::NoMailbox {
            let missed = (path.clone(), passed.strange.clone());
            if self.missed.insert(missed) { self.stale = true } else { self.mistrust(&path) }
        }
        // What was stopped is left alone; operations were pushed all the same.
        let stopped = || self.visitor.shared.jobs.is_stopped(&Task::Sync(self.visitor.config.name.clone(), passed.mailbox));
        if passed.end == End::GaveWay && !stopped() {
            self.todo.push_front(path);
        }
        Ok(passed)
    }

    /// Pushes the journal: each mailbox with operations that are due, as long as something gets done.
    pub fn push(&mut self, conn: &mut dyn MailStore) -> Result<(), Halt> {
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
        if self.visitor.tree(conn)?.anew {
            self.stale = true;
            self.todo.clear();
            self.here = None;
        }
        Ok(())
    }
}
