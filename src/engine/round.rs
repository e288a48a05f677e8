//! round — what one connection does for an account: the list of mailboxes, and passes over single ones.
//! Owns: `Visitor`, `Passed`, `Halt`. May import: store, net, engine/plan, engine/exec.
//! Start reading at: `Visitor::pass`. The account's loop, `sync` and the tests all go through here; it opens nothing
//! and waits for nothing but the connection that it is given.

use super::api::{Fault, Task, Unit};
use super::desk;
use super::exec::pass::{self, Planner};
use super::exec::record::Tally;
use super::exec::server::Bench;
use super::fault::{Kind, Reach};
use super::ledger::Ledger;
use super::levels::All;
pub use super::memory::Memory;
use super::plan::base::{Base, Outcome, Partly, Policy};
use super::plan::step::{Code, Part, Refusal, Reply, Step, StepId};
use super::plan::{MailboxSync, Start, folders};
use super::shared::Shared;
use super::translate;
use crate::base::cancel::Cancel;
use crate::base::log;
use crate::config::AccountConfig;
use crate::mail::ids::{MailboxId, OpId};
use crate::mail::intent::{OpKind, Operation, Target};
use crate::mail::mailbox::MailboxPath;
use crate::mail::server::ListedMailbox;
use crate::mail::uid::UidValidity;
use crate::net::error::NetError;
use crate::net::session::MailStore;
use crate::store::{self, StoreError, base, doubt, mailboxes, messages, partly, placements};
use std::cell::Cell;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};

/// How often a pass is begun again because something moved under it.
pub(super) const AGAIN: u32 = 3;
/// So many different texts of a server's own does the person get to read.
const MAX_ALERTS: usize = 32;
/// The first screenful comes first, alone: then the list is right from the first moment.
const FIRST_WINDOW: u32 = 64;
/// Flags that no number tells of are as good as new for so many seconds, for a pass that goes on where others broke off.
const PARTLY: i64 = 3_600;
/// An inbox of so many messages is read whole before anything else: that is quicker than to open it once more.
const SMALL: u64 = 500;

/// Why a round ended early.
#[derive(Debug)]
pub enum Halt {
    /// The connection is gone.
    Net(NetError),
    /// One of our files cannot be used.
    Store(Fault),
}

impl Halt {
    /// For the person.
    #[must_use]
    pub fn fault(self, host: &str, config: &AccountConfig) -> Fault {
        match self {
            Self::Net(error) => translate::net(&error, host, &config.name),
            Self::Store(fault) => fault.of(&config.name),
        }
    }
}

impl From<NetError> for Halt {
    fn from(error: NetError) -> Self {
        Self::Net(error)
    }
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        Self::Store(translate::store(&error))
    }
}

/// How a pass ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum End {
    /// Cache and server agree.
    Synced,
    /// It made room for something more urgent: go on with it soon.
    GaveWay,
    /// There is no such mailbox any more: list anew.
    NoMailbox,
    /// Left alone; the fault was told.
    Left(Box<Fault>),
}

/// What a pass did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Passed {
    /// Where.
    pub mailbox: MailboxId,
    /// What changed in the cache.
    pub tally: Tally,
    /// Operations that the server confirmed.
    pub pushed: u64,
    /// Mailboxes that these changed elsewhere without the server saying how: to be visited.
    pub elsewhere: BTreeSet<MailboxPath>,
    /// How it ended.
    pub end: End,
    /// The mailbox into which something was to go, where that is what was not there.
    pub strange: Option<MailboxPath>,
}

/// Goes from mailbox to mailbox.
pub struct Visitor<'a> {
    /// The store and the news.
    pub shared: &'a Shared,
    /// Whose.
    pub config: &'a AccountConfig,
    /// Cuts the connection that is worked on, where a job on it has to stop and does not.
    pub line: &'a Cancel,
    /// See [`Bench::give_way`]; told whether the pass will go on for long.
    pub give_way: &'a dyn Fn(bool) -> bool,
    /// A mailbox of at most so many messages is read to its end whatever is more urgent.
    pub small: u64,
    /// What was before.
    pub memory: &'a mut Memory,
}

impl std::fmt::Debug for Visitor<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Visitor({})", self.config.name.as_str())
    }
}

impl Visitor<'_> {
    /// Lists the mailboxes, with counts, and records them.
    ///
    /// # Errors
    /// What ended the connection, or the store.
    pub fn list(&mut self, conn: &mut dyn MailStore) -> Result<Vec<ListedMailbox>, Halt> {
        let All { mut listed, old } = self.all_listed(conn)?;
        self.alerts(conn);
        let configured = self.config.roles.iter().map(|(role, name)| (*role, MailboxPath::from_typed(name))).collect();
        folders::assign_roles(&mut listed, &configured);
        if old {
            return Ok(listed);
        }
        self.memory.listed = listed.iter().filter_map(|m| Some((m.path.clone(), m.status.as_ref()?.uidvalidity))).collect();
        self.memory.looked_up = std::mem::take(&mut self.memory.missed);
        self.follow(&listed)?;
        let (account, rows) = (self.config.name.clone(), listed.clone());
        let first = !self.shared.store.read(|db| mailboxes::is_listed(db, &account))?;
        self.shared.store.cache(move |tx| mailboxes::record_list(tx, &account, &rows))?;
        // What waited to know where its mailbox is; that may have to be made.
        self.memory.listed_all = true;
        let makes = self.place_all(&listed)?;
        self.bury(&listed)?;
        let filed = first && desk::file_all(self.shared, &self.config.name).map_err(Halt::Store)?;
        if filed || (first && makes) {
            let grown = self.tree(conn)?;
            self.memory.made += grown.done;
            if grown.anew {
                return self.list(conn);
            }
        }
        Ok(listed)
    }

    /// Hands on what the server wants the person to read, each text once (security T-06).
    pub fn alerts(&mut self, conn: &mut dyn MailStore) {
        for text in conn.alerts() {
            if self.memory.alerts.len() < MAX_ALERTS && !self.memory.alerts.contains(&text) {
                self.shared.fault(translate::alert(&text, &self.config.name));
                self.memory.alerts.push(text);
            }
        }
    }

    /// Where a mailbox is in the cache.
    ///
    /// # Errors
    /// The store.
    pub fn mailbox(&self, path: &MailboxPath) -> Result<MailboxId, Halt> {
        if let Some(id) = self.shared.store.read(|db| mailboxes::find(db, &self.config.name, path))? {
            return Ok(id);
        }
        let (account, path) = (self.config.name.clone(), path.clone());
        Ok(self.shared.store.cache(move |tx| mailboxes::ensure(tx, &account, &path))?)
    }

    /// One pass over one mailbox: pushes what is due there, then fetches what is new.
    ///
    /// # Errors
    /// What ended the connection, or the store. What was recorded until then stands.
    pub fn pass(&mut self, conn: &mut dyn MailStore, path: &MailboxPath) -> Result<Passed, Halt> {
        self.look_for_filed(conn, path)?;
        self.memory.left.insert(path.clone());
        let mailbox = self.mailbox(path)?;
        let (tally, elsewhere) = (Tally::default(), BTreeSet::new());
        let mut passed = Passed { mailbox, tally, pushed: 0, elsewhere, end: End::Synced, strange: None };
        for _ in 0..AGAIN {
            match self.once(conn, path, &mut passed)? {
                Some(end) => {
                    self.memory.untellable.remove(&mailbox);
                    if end == End::Synced {
                        self.some_details(conn, mailbox)?;
                    }
                    passed.end = end;
                    return Ok(passed);
                }
                None => continue,
            }
        }
        // It will be visited again at the next round.
        let what = format!("{} changes faster than it can be read", path.decoded());
        passed.end = self.left(Fault::new(Kind::Busy, &what).reaching(Reach::Mailbox));
        Ok(passed)
    }

    /// The newest rows of an inbox that was never read, before anything else is asked: somebody looks at an empty list. Its own
    /// visit goes on from there, if it is not a small one. Whether it is selected and in step.
    ///
    /// # Errors
    /// What ended the connection, or the store.
    pub fn first_rows(&mut self, conn: &mut dyn MailStore) -> Result<bool, Halt> {
        let inbox = MailboxPath::inbox();
        let mailbox = self.mailbox(&inbox)?;
        let base = self.shared.store.read(|db| base::load(db, mailbox))?;
        if base.uidvalidity == UidValidity(0) {
            let begun = Cell::new(false);
            // One window whatever else is wished for (it is opened just now, by who sees it come), then it makes room.
            let give_way = |_| begun.replace(true);
            let (shared, config, line) = (self.shared, self.config, self.line);
            let mut visitor = Visitor { shared, config, line, give_way: &give_way, small: SMALL, memory: &mut *self.memory };
            return Ok(visitor.pass(conn, &inbox)?.end == End::Synced);
        }
        Ok(false)
    }

    fn start(&mut self, conn: &dyn MailStore, path: &MailboxPath, mailbox: MailboxId) -> Result<Start, Halt> {
        let (base, known, doubted) = self
            .shared
            .store
            .read(|db| Ok((base::load(db, mailbox)?, placements::uids(db, mailbox)?, doubt::all(db, mailbox)?)))?;
        let (object_id, partly) =
            self.shared.store.read(|db| Ok((mailboxes::object_id(db, mailbox)?, partly::load(db, mailbox)?)))?;
        let ops: Vec<Operation> = self.shared.store.read_state(|db| {
            let mut pending = store::journal::pending(db, Some(&self.config.name))?;
            let changes: Vec<Operation> = pending.extract_if(.., |op| op.kind.is_about_tree()).collect();
            pending.retain(|op| !changes.iter().any(|change| op.waits_for(change)));
            let mut ops: BTreeMap<OpId, Operation> =
                pending.into_iter().filter(|op| op.mailbox == *path || op.unsure()).map(|op| (op.id, op)).collect();
            let mut asked: Vec<OpId> = ops.values().flat_map(refers).collect();
            while let Some(id) = asked.pop() {
                // One that was forgotten since is unknown to the plan too, which then parks what is in doubt.
                if let (Entry::Vacant(place), Some(op)) = (ops.entry(id), store::journal::find(db, id)?) {
                    asked.extend(refers(place.insert(op)));
                }
            }
            Ok(ops.into_values().collect())
        })?;
        let to: BTreeSet<&MailboxPath> = ops.iter().filter_map(Operation::destination).filter(|to| *to != path).collect();
        let goals = self.goals(&to)?;
        let now = self.shared.now();
        let listed = self.memory.listed.get(path).copied().unwrap_or_default();
        let looked_up = path.is_inbox() || self.memory.looked_up.contains(path);
        let reached_window = self.memory.windows.get(&mailbox).copied().unwrap_or_default();
        let policy = Policy { listed, looked_up, first_window: FIRST_WINDOW, reached_window, ..Policy::at(now) };
        let policy = self.judged(mailbox, base.uidvalidity, policy)?;
        let base = Base { uidvalidity: base.uidvalidity, uidnext: base.uidnext, highestmodseq: base.highestmodseq };
        // Where no number tells of changes, what was seen long ago is seen anew.
        let partly = partly.filter(|p| p.since.0 > 0 || now - p.at < PARTLY);
        let identified = match &partly {
            Some(p) if p.uidvalidity != base.uidvalidity => {
                self.shared.store.read(|db| partly::prints(db, mailbox, p.uidvalidity))?
            }
            _ => Vec::new(),
        };
        let partly = partly.map(|p| Partly {
            uidvalidity: p.uidvalidity,
            since: p.since,
            done: p.uids,
            window: p.at_once,
            looked: p.looked,
            there: p.there,
            span: p.span,
        });
        let (mailbox, caps) = (path.clone(), conn.caps());
        Ok(Start { mailbox, base, object_id, known, doubted, partly, identified, ops, goals, caps, policy })
    }

    /// Nothing if it has to be done again at once.
    fn once(&mut self, conn: &mut dyn MailStore, path: &MailboxPath, passed: &mut Passed) -> Result<Option<End>, Halt> {
        let mailbox = passed.mailbox;
        let start = self.start(conn, path, mailbox)?;
        let (first, here) = (start.base.uidnext == 0, start.known.len());
        let ours = || start.ops.iter().filter(|op| op.mailbox == *path).map(|op| &op.kind);
        // What was never read cannot be shown where it went, even if the server says where that is.
        let unseen = first || !start.caps.uidplus;
        let elsewhere: Vec<MailboxPath> = ours().filter(|_| unseen).filter_map(goes_to).cloned().collect();
        let (task, what) = (Task::Sync(self.config.name.clone(), mailbox), format!("reading {}", path.decoded()));
        let job = self.shared.begin(task, &self.config.name, &what, Unit::Messages, Some(self.line));
        let ledger = Ledger::new(self.shared, &self.config.name, mailbox, (first, here), &job);
        let mut planner = Counted { sync: MailboxSync::start(start), exists: &ledger.exists };
        let mut failed = None;
        let mut cached = || self.shared.store.read(|db| messages::identities(db, mailbox)).map_err(|e| failed = Some(e)).ok();
        let spool = self.shared.store.places().state.join("spool");
        let many = || ledger.exists.load(Ordering::Relaxed) > self.small;
        let give_way = || job.must_stop() || (many() && (self.give_way)(ledger.takes_long()));
        let mut bench = Bench { spool: &spool, cached: &mut cached, give_way: &give_way };
        let broken = pass::run(&mut planner, conn, &mut bench, |record| ledger.carry(record));
        let (outcome, strange) = (planner.sync.outcome().cloned(), planner.sync.strange().cloned());
        self.memory.windows.remove(&mailbox);
        self.memory.long = broken.gave_way && ledger.takes_long();
        if broken.gave_way {
            self.memory.windows.insert(mailbox, planner.sync.window());
        }
        let sum = ledger.close();
        passed.tally.add(sum.tally);
        self.memory.gained |= !sum.tally.is_empty() || sum.settled > 0;
        passed.pushed += sum.settled;
        if sum.settled > 0 {
            passed.elsewhere.extend(elsewhere);
        }
        self.alerts(conn);
        self.note_trouble(conn, path, mailbox, outcome == Some(Outcome::Synced))?;
        match (broken.net, broken.store.or(failed.map(|e| translate::store(&e)))) {
            (_, Some(_)) if sum.overtaken => return Ok(None),
            (_, Some(fault)) => return Err(Halt::Store(fault)),
            (Some(error), None) => return Err(Halt::Net(error)),
            (None, None) if broken.gave_way => return Ok(Some(End::GaveWay)),
            (None, None) => {}
        }
        Ok(match outcome {
            Some(Outcome::Synced) => Some(End::Synced),
            Some(Outcome::Again) => None,
            Some(Outcome::NoMailbox) => {
                self.memory.missed.insert(path.clone());
                self.memory.missed.extend(strange.clone());
                passed.strange = strange;
                Some(End::NoMailbox)
            }
            Some(Outcome::Unstable(seen)) => Some(self.unstable(path, mailbox, seen)?),
            // Deleted by somebody, with others below it: there are servers that list it as before, and open it no more.
            Some(Outcome::Refused(refusal)) if refusal.code == Code::Other && here == 0 && self.holds_others(path)? => {
                log::info("sync", format_args!("{} only holds others: {}", path.decoded(), translate::refused(&refusal)));
                Some(End::NoMailbox)
            }
            Some(Outcome::Refused(refusal)) => Some(self.left(cannot_read(path, &refusal))),
            Some(Outcome::LineLost) | None => return Err(Halt::Store(Fault::bug("a pass ended without a reason"))),
        })
    }

    /// Whether the server has other mailboxes below this one.
    fn holds_others(&self, path: &MailboxPath) -> Result<bool, Halt> {
        let rows = self.shared.store.read(|db| mailboxes::list(db, Some(&self.config.name)))?;
        Ok(rows.iter().any(|row| row.path != *path && row.path.is_within(path, row.delimiter)))
    }

    fn left(&self, fault: Fault) -> End {
        let fault = fault.of(&self.config.name);
        self.shared.fault(fault.clone());
        End::Left(Box::new(fault))
    }
}

fn cannot_read(path: &MailboxPath, refusal: &Refusal) -> Fault {
    let what = format!("{} cannot be read: {}", path.decoded(), translate::refused(refusal));
    Fault::new(Kind::Refused, &what).reaching(Reach::Mailbox)
}

fn goes_to(kind: &OpKind) -> Option<&MailboxPath> {
    match kind {
        OpKind::Move { to } | OpKind::Copy { to } => Some(to),
        _ => None,
    }
}

/// The operations that this one names.
fn refers(op: &Operation) -> BTreeSet<OpId> {
    let results = op.targets.iter().filter_map(|t| match t {
        Target::ResultOf { op, .. } => Some(*op),
        Target::Server { .. } => None,
    });
    results.chain(op.after).collect()
}

/// The planner, and how many messages the server said there are.
struct Counted<'a> {
    sync: MailboxSync,
    exists: &'a AtomicU64,
}

impl Planner for Counted<'_> {
    fn next(&mut self) -> Option<(StepId, Step)> {
        self.sync.next()
    }
    fn heard(&mut self, id: StepId, reply: Reply) {
        if let Reply::Part(Part::Selected(selected)) = &reply {
            self.exists.store(u64::from(selected.exists), Ordering::Relaxed);
        }
        self.sync.heard(id, reply);
    }
}
