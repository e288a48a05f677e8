//! reach — asks a server for what a search cannot know here.
//! Owns: `Ask`, `start`. May import: store, net, config, mail, and the engine's own.
//! Start reading at: `Ask::step`. A search goes over a connection of its own, since reading texts takes a server long: mailbox
//! by mailbox, in windows from the newest message on, so that it can be stopped, shows what it finds as it comes, and asks
//! for nothing that the index knows. It only reads: rows that are missing are fetched by `work` (see `far.rs`). Where a server
//! allows one connection, `work` asks, too.

use super::api::{Fault, Kind, Task, Unit};
use super::connect;
use super::far::Far;
use super::jobs::Running;
use super::round::Halt;
use super::servers::MAX_FOUND;
use super::shared::Shared;
use super::wishes::Desk;
use crate::base::cancel::Cancel;
use crate::base::spawn::{guarded, spawn};
use crate::base::waker::Waker;
use crate::config::AccountConfig;
use crate::mail::ids::{AccountName, MailboxId};
use crate::mail::mailbox::{MailboxPath, Role};
use crate::mail::query::Query;
use crate::mail::query_eval::{asks_arrival, asks_text, may_be_in};
use crate::mail::row::MailboxRow;
use crate::mail::uid::{UidSet, UidValidity};
use crate::net::session::MailStore;
use crate::store::search_told::Told;
use crate::store::{base, lists, mailboxes, placements};
use std::collections::VecDeque;
use std::sync::Arc;

/// Messages in one command: what a server reads before it can be stopped gently.
const WINDOW: u64 = 2_000;
/// Some messages of one mailbox, to be asked about.
#[derive(Debug)]
struct Window {
    mailbox: MailboxId,
    path: MailboxPath,
    among: UidSet,
    /// About how many messages that is.
    count: u64,
    /// Whether rows are missing here: then the newest arrivals come first.
    partly: bool,
}

/// A search at one server: what is left of it to do.
#[derive(Debug)]
pub(super) struct Ask {
    account: AccountName,
    query: Query,
    pub(super) serial: u64,
    todo: VecDeque<Window>,
    /// What is selected, and whether its UIDs are those of the cache.
    open: Option<(MailboxId, UidValidity, bool)>,
    done: u64,
    total: u64,
}

/// What one step found.
#[derive(Debug)]
pub(super) struct Step {
    /// Messages that may match, and whose text is not here.
    pub told: Told,
    /// Those of them whose rows are not here.
    pub absent: Told,
}

impl Ask {
    /// What there is to ask of an account: what the index does not know.
    ///
    /// # Errors
    /// The store.
    pub fn plan(shared: &Shared, account: &AccountName, query: Query, serial: u64) -> Result<Self, Fault> {
        let name = account.clone();
        let mut rows = shared.store.read(move |db| mailboxes::list(db, Some(&name)))?;
        rows.retain(|row| row.selectable && may_be_in(&query, account.as_str(), &row.path.decoded(), row.role));
        // What shows everything is asked instead of what it shows.
        if rows.iter().any(|row| row.role == Some(Role::All) && row.synced_at > 0) {
            rows.retain(|row| matches!(row.role, Some(Role::All | Role::Trash | Role::Junk)));
        }
        rows.sort_by_key(|row| row.role.map_or(u8::MAX, |role| role as u8));
        let mut ask = Self { account: account.clone(), query, serial, todo: VecDeque::new(), open: None, done: 0, total: 0 };
        let texts = asks_text(&ask.query);
        for row in rows {
            ask.windows(shared, &row, texts)?;
        }
        ask.total = ask.todo.iter().map(|w| w.count).sum();
        Ok(ask)
    }

    fn windows(&mut self, shared: &Shared, row: &MailboxRow, texts: bool) -> Result<(), Fault> {
        let (id, arrival) = (row.id, asks_arrival(&self.query));
        let (known, unread) = shared.store.read(move |db| {
            let missing = match texts {
                _ if arrival => placements::uids(db, id)?,
                true => placements::without_text(db, id)?,
                false => UidSet::new(),
            };
            Ok((placements::uids(db, id)?.bounds(), missing))
        })?;
        let (low, high) = known.unwrap_or((0, 0));
        let mut push = |among: UidSet, count: u64, partly: bool| {
            self.todo.push_back(Window { mailbox: id, path: row.path.clone(), among, count, partly });
        };
        if row.synced_at == 0 {
            // Rows come from the newest on: what is below is not here.
            let left = u64::from(row.total);
            if high < u32::MAX {
                push(UidSet::range(high + 1, u32::MAX), 0, true);
            }
            windows(unread, &mut |among, count| push(among, count, false));
            if low > 1 || known.is_none() {
                push(UidSet::range(1, if known.is_none() { u32::MAX } else { low - 1 }), left, true);
            }
            return Ok(());
        }
        windows(unread, &mut |among, count| push(among, count, false));
        Ok(())
    }

    /// How far it is: messages asked about, of how many.
    pub const fn far(&self) -> (u64, u64) {
        (self.done, self.total)
    }

    /// Whether all is asked.
    pub fn is_done(&self) -> bool {
        self.todo.is_empty()
    }

    /// Asks about the next window. Nothing if there was nothing to find in it.
    ///
    /// # Errors
    /// What ended the connection, or the store.
    pub fn step(&mut self, shared: &Shared, conn: &mut dyn MailStore) -> Result<Option<Step>, Halt> {
        let Some(window) = self.todo.pop_front() else { return Ok(None) };
        self.done += window.count;
        let (mailbox, open) = (window.mailbox, self.open.filter(|(open, ..)| *open == window.mailbox));
        let (validity, same) = match open {
            Some((_, validity, same)) => (validity, same),
            None => match conn.select(&window.path, true, None) {
                Ok(selected) => {
                    let base = shared.store.read(move |db| base::load(db, mailbox))?;
                    let same = base.uidvalidity == selected.uidvalidity || base.uidvalidity == UidValidity(0);
                    (selected.uidvalidity, same && selected.exists > 0)
                }
                // It is gone meanwhile, or may not be read: no reason to leave the others out.
                Err(e) if e.connection_lives() => (UidValidity(0), false),
                Err(e) => return Err(e.into()),
            },
        };
        self.open = Some((mailbox, validity, same));
        if !same {
            return Ok(None);
        }
        let found: UidSet = if window.partly {
            // A large result begins with what is newest.
            let mut newest = conn.newest(&self.query, Some(&window.among))?;
            newest.truncate(usize::try_from(MAX_FOUND).unwrap_or(usize::MAX) + 1);
            newest.into_iter().collect()
        } else {
            conn.search(&self.query, Some(&window.among))?
        };
        let (here, absent) = sift(shared, mailbox, found, asks_arrival(&self.query))?;
        let told = |uids| Told { mailbox, validity, uids };
        let all = here.union(&absent);
        Ok((!all.is_empty()).then(|| Step { told: told(all), absent: told(absent) }))
    }
}

/// Cuts a set into windows, from the newest on. What came after the newest of all is in the first one.
fn windows(mut uids: UidSet, each: &mut dyn FnMut(UidSet, u64)) {
    while !uids.is_empty() {
        let some = uids.take_newest(WINDOW);
        if let Some((low, high)) = some.bounds() {
            each(UidSet::range(low, high), some.len());
        }
    }
}

/// Those of `found` whose rows are here without their text (or all, if the index can know nothing of it), and those that are not
/// here. What the index knows is its own to find.
fn sift(shared: &Shared, mailbox: MailboxId, found: UidSet, all: bool) -> Result<(UidSet, UidSet), Halt> {
    Ok(shared.store.read(move |db| {
        let (mut here, mut absent) = (UidSet::new(), UidSet::new());
        for uid in found.iter() {
            match placements::by_uid(db, mailbox, uid.get())? {
                None => absent.insert(uid),
                Some(place) if all || !lists::row(db, place.id)?.cached => here.insert(uid),
                Some(_) => {}
            }
        }
        Ok((here, absent))
    })?)
}

/// Begins to ask one server, on a thread of its own. Rows that are missing are fetched by whoever sits at `desk`.
pub(super) fn start(
    shared: &Arc<Shared>,
    config: &AccountConfig,
    query: Query,
    serial: u64,
    stop: &Cancel,
    desk: Option<Arc<Desk>>,
) {
    let (mine, config, stop) = (Arc::clone(shared), config.clone(), stop.clone());
    let name = config.name.clone();
    let begun = spawn(&format!("ask/{}", name.as_str()), move || {
        let _working = mine.busy.begin();
        let ended = guarded(|| ask(&mine, &config, query, serial, &stop, desk.as_deref()));
        match ended.unwrap_or_else(|panic| Err(Fault::bug(&panic).of(&config.name))) {
            Ok(true) => mine.servers.ended(serial, &config.name, Ok(())),
            // `work` goes on with it.
            Ok(false) => {}
            Err(fault) => mine.servers.ended(serial, &config.name, Err(fault)),
        }
    });
    if let Err(e) = begun {
        shared.servers.ended(serial, &name, Err(Fault::bug(&e.to_string()).of(&name)));
    }
}

/// Whether it was asked to the end.
fn ask(
    shared: &Shared,
    config: &AccountConfig,
    query: Query,
    serial: u64,
    stop: &Cancel,
    desk: Option<&Desk>,
) -> Result<bool, Fault> {
    if shared.offline || desk.is_some_and(Desk::is_offline) {
        return Err(Fault::new(Kind::Unreachable, "offline: no server was asked").of(&config.name));
    }
    let mut ask = Ask::plan(shared, &config.name, query, serial)?;
    if ask.is_done() {
        // All that could be found is here.
        return Ok(true);
    }
    let bug = |e: std::io::Error| Fault::bug(&e.to_string()).of(&config.name);
    let (waker, line) = (Waker::new().map_err(bug)?, stop.branch().map_err(bug)?);
    let job = ask.job(shared, &line);
    let mut conn = match (connect::open(shared, config, &waker, &line), desk) {
        (Ok(conn), _) => conn,
        (Err(_), _) if job.must_stop() => return Err(stopped(&config.name)),
        (Err(fault), Some(desk)) if fault.kind == Kind::Busy => {
            desk.far(Far::Search(Box::new(ask)));
            return Ok(false);
        }
        (Err(fault), _) => return Err(fault),
    };
    let ended = ask.go_on(shared, conn.as_mut(), &job, &|| false, &mut |absent| {
        if let Some(desk) = desk {
            desk.far(Far::Rows(absent));
        }
    });
    if ended.is_ok() {
        conn.logout();
    }
    ended.map(|_| true).map_err(|halt| halt.fault(&connect::host(config), config))
}

impl Ask {
    /// What the person sees of it; cuts `line` where it does not stop by itself.
    pub(super) fn job(&self, shared: &Shared, line: &Cancel) -> Running {
        let task = Task::Ask(self.account.clone());
        shared.begin(task, &self.account, "searching at the server", Unit::Messages, Some(line))
    }

    /// Asks window by window; the rows that are missing go to `absent`. False if it made room for something more urgent.
    ///
    /// # Errors
    /// As [`Self::step`]; `Cancelled` if it was stopped.
    pub(super) fn go_on(
        &mut self,
        shared: &Shared,
        conn: &mut dyn MailStore,
        job: &Running,
        give_way: &dyn Fn() -> bool,
        absent: &mut dyn FnMut(Told),
    ) -> Result<bool, Halt> {
        // Another command may have selected something else meanwhile.
        self.open = None;
        while !self.is_done() && shared.servers.is_wanted(self.serial) {
            let (done, total) = self.far();
            job.at(done, total);
            if give_way() {
                return Ok(false);
            }
            if job.must_stop() {
                return Err(Halt::Store(stopped(&self.account)));
            }
            let step = match self.step(shared, conn) {
                Ok(Some(step)) => step,
                Ok(None) => continue,
                // Its line was cut.
                Err(_) if job.must_stop() => return Err(Halt::Store(stopped(&self.account))),
                Err(halt) => return Err(halt),
            };
            let more = shared.servers.found(self.serial, &step.told);
            if !step.absent.uids.is_empty() {
                absent(step.absent);
            }
            if !more {
                break;
            }
        }
        Ok(true)
    }
}

fn stopped(account: &AccountName) -> Fault {
    Fault::new(Kind::Cancelled, "stopped: not all was searched").of(account)
}
