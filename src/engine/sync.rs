//! sync — one pass over accounts without a screen: what is to be sent, the journal, every mailbox, bodies; then done.
//! Owns: `sync_once`, `Scope`. May import: net, store, engine.
//! Start reading at: `sync_once`. It does what an account's loop does, once, on one connection, and counts.

use super::api::{AccountSummary, Fault, Kind, MailboxSummary, SyncSummary, Task, Unit};
use super::asked;
use super::bulk::Rules;
use super::connect;
use super::desk;
use super::fetch::Fetcher;
use super::outbox;
use super::round::{End, Halt, Memory, Passed, Visitor};
use super::shared::Shared;
use super::stumbles;
use super::words;
use crate::base::cancel::Cancel;
use crate::base::log;
use crate::base::spawn::guarded;
use crate::base::waker::Waker;
use crate::config::{AccountConfig, KeepBodies};
use crate::mail::ids::{AccountName, MailboxId};
use crate::mail::mailbox::MailboxPath;
use crate::net::session::MailStore;
use crate::store::mailboxes;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Bodies that are asked of the store at a time: at the end of each the line waits until all of them are recorded.
const BATCH: u32 = 4_000;
/// So many of the newest texts are read before the pass ends; the others are read by whoever needs their words (`words.rs`).
const READ: u32 = 200;
/// The longest that a pass waits for the files to be made of what it fetched.
const DESK: Duration = Duration::from_secs(60);
/// How often the journal is gone through while each time something gets done.
const PUSHES: usize = 1_000;

/// What a pass is about.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Scope {
    /// These accounts; none for all.
    pub accounts: Vec<AccountName>,
    /// Only the mailbox of this name, as the person typed it.
    pub mailbox: Option<String>,
    /// Which bodies are got; none for what each account's configuration says.
    pub bodies: Option<KeepBodies>,
}

/// Synchronises once. Accounts go side by side: none waits for another. Progress comes as news.
#[must_use]
pub fn sync_once(shared: &Arc<Shared>, scope: &Scope, cancel: &Cancel) -> SyncSummary {
    let begun = Instant::now();
    if let Err(fault) = stumbles::again(shared) {
        shared.fault(fault);
    }
    let chosen = |a: &&AccountConfig| scope.accounts.is_empty() || scope.accounts.contains(&a.name);
    let accounts = std::thread::scope(|threads| {
        let running: Vec<_> = shared
            .config
            .accounts
            .iter()
            .filter(chosen)
            .map(|config| {
                let run = move || {
                    guarded(|| account(shared, config, scope, cancel)).unwrap_or_else(|p| failed(config, &Fault::bug(&p)))
                };
                (config, threads.spawn(run))
            })
            .collect();
        let end = running.into_iter().map(|(config, thread)| {
            let sum = thread.join().unwrap_or_else(|_| failed(config, &Fault::bug("a thread ended without a word")));
            log::info(
                "sync",
                format_args!(
                    "{}: {}; {} octets in, {} out, {} round trips",
                    sum.account, sum.state, sum.bytes_in, sum.bytes_out, sum.round_trips
                ),
            );
            sum
        });
        end.collect()
    });
    if let Err(fault) = words::finish(shared, READ) {
        // They are kept, and read another time.
        shared.fault(fault);
    }
    SyncSummary { accounts, seconds: begun.elapsed().as_secs_f64() }
}

fn failed(config: &AccountConfig, fault: &Fault) -> AccountSummary {
    let mut summary = AccountSummary { account: config.name.as_str().to_owned(), ..AccountSummary::default() };
    summary.fail(fault);
    summary
}

fn account(shared: &Arc<Shared>, config: &AccountConfig, scope: &Scope, cancel: &Cancel) -> AccountSummary {
    let name = &config.name;
    if !shared.owner {
        return failed(config, &Fault::new(Kind::Held, "another Postrider is running, and keeps this account in step"));
    }
    if shared.offline {
        return failed(config, &Fault::new(Kind::Unreachable, "not tried: offline"));
    }
    let mut pass = Once {
        shared,
        config,
        scope,
        cancel,
        memory: Memory::default(),
        mailboxes: BTreeMap::new(),
        order: Vec::new(),
        pushed: 0,
        warnings: Vec::new(),
    };
    let opened = Waker::new().map_err(|e| Fault::bug(&e.to_string()));
    let much = scope.bodies == Some(KeepBodies::All) || connect::is_first(shared, config);
    let mut conn = match opened.and_then(|waker| connect::open_for(shared, config, much, &waker, cancel)) {
        Ok(conn) => conn,
        Err(fault) => return failed(config, &fault),
    };
    let ended = pass.run(conn.as_mut());
    let traffic = conn.traffic();
    let mut summary = AccountSummary {
        account: name.as_str().to_owned(),
        state: "ok".to_owned(),
        pushed: pass.pushed,
        warnings: pass.warnings,
        bytes_in: traffic.received,
        bytes_out: traffic.sent,
        round_trips: traffic.round_trips,
        ..AccountSummary::default()
    };
    let mut by_id = pass.mailboxes;
    summary.mailboxes = pass.order.iter().filter_map(|id| by_id.remove(id)).collect();
    match ended {
        Ok(()) => {
            conn.logout();
            // Some of several failed.
            summary.exit = u8::from(summary.mailboxes.iter().any(|m| !m.fault.is_empty()));
        }
        Err(halt) => summary.fail(&halt.fault(&connect::host(config), config)),
    }
    summary
}

struct Once<'a> {
    shared: &'a Arc<Shared>,
    config: &'a AccountConfig,
    scope: &'a Scope,
    cancel: &'a Cancel,
    memory: Memory,
    mailboxes: BTreeMap<MailboxId, MailboxSummary>,
    order: Vec<MailboxId>,
    pushed: u64,
    warnings: Vec<String>,
}

impl Once<'_> {
    fn run(&mut self, conn: &mut dyn MailStore) -> Result<(), Halt> {
        // An earlier life may have ended between the last file of a mail and its freezing.
        desk::complete(self.shared).map_err(Halt::Store)?;
        outbox::flush(self.shared, &self.config.name, self.cancel).map_err(Halt::Store)?;
        self.push(conn)?;
        let shared = self.shared;
        let all = self.scope.mailbox.is_some();
        // Without modification sequences the counts do not tell that a flag of an old message changed.
        let unsure = !conn.caps().condstore;
        let wanted = self.scope.mailbox.as_ref().map(|typed| MailboxPath::from_typed(typed));
        loop {
            let order = self.visitor(|visitor| {
                let listed = visitor.list(conn)?;
                visitor.rights_of_others(conn, &listed)?;
                let mut order = visitor.order(&listed, None, all)?;
                if unsure {
                    order.extend(visitor.holding(&listed, &order)?);
                }
                visitor.agreed(&listed, &order)?;
                Ok::<_, Halt>(order)
            })?;
            self.pushed += std::mem::take(&mut self.memory.made);
            if let Some(path) = wanted.as_ref().filter(|path| !order.contains(path)) {
                let what = format!("there is no mailbox {} in {}", path.decoded(), self.config.name.as_str());
                return Err(Halt::Store(Fault::missing(&what)));
            }
            let asked = |path: &&MailboxPath| wanted.as_ref().is_none_or(|w| w == *path);
            let mut others = BTreeSet::new();
            for path in order.iter().filter(asked) {
                others.remove(path);
                others.extend(self.visit(conn, path)?.elsewhere);
            }
            // What was told on the way went where nobody looked since.
            for path in others.iter().filter(asked) {
                self.visit(conn, path)?;
            }
            if !self.visitor(|visitor| visitor.list_is_over(false))? {
                break;
            }
        }
        let only = match &wanted {
            Some(path) => shared.store.read(|db| mailboxes::find(db, &self.config.name, path))?,
            None => None,
        };
        self.details(conn)?;
        self.bodies(conn, only)?;
        asked::once(self.shared, &self.config.name, &mut Fetcher::new(self.shared, &self.config.name)?, conn, self.cancel)?;
        let warning = self.visitor(|visitor| visitor.room(conn))?;
        self.warnings.extend(warning);
        // The desk makes the files of what came, and freezes the mails that waited for it: they go in this pass, too.
        if self.shared.busy.wait_idle(DESK) {
            outbox::flush(self.shared, &self.config.name, self.cancel).map_err(Halt::Store)?;
        }
        Ok(())
    }

    fn visitor<T>(&mut self, what: impl FnOnce(&mut Visitor<'_>) -> T) -> T {
        let cancel = self.cancel;
        let give_way = |_| cancel.is_set();
        what(&mut Visitor {
            shared: self.shared,
            config: self.config,
            line: cancel,
            give_way: &give_way,
            small: 0,
            memory: &mut self.memory,
        })
    }

    fn visit(&mut self, conn: &mut dyn MailStore, path: &MailboxPath) -> Result<Passed, Halt> {
        let passed = self.visitor(|visitor| visitor.pass(conn, path))?;
        self.pushed += passed.pushed;
        let row = self.row(passed.mailbox, path);
        row.new += passed.tally.new;
        row.changed += passed.tally.changed;
        row.vanished += passed.tally.vanished;
        if let End::Left(fault) = &passed.end {
            row.fault = fault.what.as_str().to_owned();
        }
        Ok(passed)
    }

    fn row(&mut self, id: MailboxId, path: &MailboxPath) -> &mut MailboxSummary {
        let order = &mut self.order;
        self.mailboxes.entry(id).or_insert_with(|| {
            order.push(id);
            MailboxSummary { mailbox: path.decoded(), ..MailboxSummary::default() }
        })
    }

    /// Pushes the journal: each mailbox with operations that are due, as long as something gets done.
    fn push(&mut self, conn: &mut dyn MailStore) -> Result<(), Halt> {
        let mut seen = HashSet::new();
        self.pushed += self.visitor(|visitor| visitor.tree(conn))?.done;
        for _ in 0..PUSHES {
            let now = self.shared.now();
            let pending = self.visitor(|visitor| visitor.pending())?;
            let mut due = pending.into_iter().filter(|op| op.not_before <= now).map(|op| op.mailbox);
            let Some(path) = due.find(|path| !seen.contains(path)) else { break };
            if self.visit(conn, &path)?.pushed > 0 {
                seen.clear();
                self.pushed += self.visitor(|visitor| visitor.tree(conn))?.done;
            }
            seen.insert(path);
        }
        Ok(())
    }

    fn details(&mut self, conn: &mut dyn MailStore) -> Result<(), Halt> {
        let mut fetcher = Fetcher::new(self.shared, &self.config.name)?;
        let cancel = self.cancel;
        while !cancel.is_set()
            && let Some(mailbox) = self.visitor(|visitor| visitor.lacking())?
        {
            self.visitor(|visitor| visitor.details(conn, &mut fetcher, mailbox))?;
        }
        Ok(())
    }

    fn bodies(&mut self, conn: &mut dyn MailStore, only: Option<MailboxId>) -> Result<(), Halt> {
        let rules = Rules::of(self.shared, self.config, self.scope.bodies)?;
        let mut fetcher = Fetcher::new(self.shared, &self.config.name)?;
        let (mut skip, mut done) = (HashSet::new(), 0u64);
        let task = Task::Bodies(self.config.name.clone());
        let job = self.shared.begin(task, &self.config.name, "fetching texts", Unit::Messages, Some(self.cancel));
        loop {
            let limit = BATCH + u32::try_from(skip.len()).unwrap_or(u32::MAX);
            let fits = |message| !skip.contains(&message);
            let wanted = fetcher.wanted(&self.config.name, &rules, self.config.keep.limit, limit, &fits)?;
            // What lies in another mailbox is asked for only once, too.
            let (wanted, others): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|w| only.is_none_or(|id| id == w.mailbox));
            skip.extend(others.iter().map(|w| w.message));
            if self.cancel.is_set() || (wanted.is_empty() && others.is_empty()) {
                break;
            }
            let cancel = self.cancel;
            let missing = fetcher.all_ahead(conn, &rules, wanted, &|| !cancel.is_set(), &mut |mailbox, some| {
                let path = self.shared.store.read(|db| mailboxes::get(db, mailbox))?.path;
                self.row(mailbox, &path).bodies += some;
                done += some;
                job.at(done, 0);
                Ok(())
            })?;
            skip.extend(missing);
        }
        Ok(())
    }
}
