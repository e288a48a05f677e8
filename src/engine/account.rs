//! account — one account at work: what the rest of the program may wish of it, and the threads that do it.
//! Owns: `Account`, `Nudge`, `Desk` (wishes between threads). May import: config, base.
//! Start reading at: `Account::nudge`, then `work.rs`, the loop. A nudge never blocks and never queues twice: wishes are
//! a set. Two threads at most: `work` does rounds and pushes the journal; `watch` waits for news of the inbox and gets
//! bodies at once, also while a long round runs.

use super::api::Password;
use super::crew::Hand;
use super::fetch::Got;
use super::jolt;
use super::shared::Shared;
use super::{watch, work};
use crate::base::cancel::Cancel;
use crate::base::spawn::{Worker, spawn};
use crate::base::waker::Waker;
use crate::config::{AccountConfig, AccountKind};
use crate::mail::ids::{AccountName, MailboxId, PlacementKey};
use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long the end of an account's threads is waited for.
const PATIENCE: Duration = Duration::from_secs(2);
/// The most bodies that are asked for at the same time; older wishes are forgotten first: the person has moved on.
const MAX_BODIES: usize = 64;

/// Something that an account should know.
#[derive(Debug)]
pub enum Nudge {
    /// The journal has new operations.
    Intents,
    /// The person looks at this mailbox.
    Opened(MailboxId),
    /// Look at the server now: one mailbox, or all.
    Refresh(Option<MailboxId>),
    /// Get this body before everything else.
    FetchBody(PlacementKey),
    /// Log in with this from now on.
    Password(Password),
    /// Try again now: whatever stood in the way may be gone.
    Retry,
    /// Whether connections may be opened.
    Online(bool),
    /// The machine was asleep, or its clock was set: connections may be dead without knowing.
    Woke,
}

/// What was wished for since the last look.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    /// Push the journal.
    pub intents: bool,
    /// Visit these at once, the newest wish first.
    pub visit: VecDeque<MailboxId>,
    /// Visit what the watch says has news.
    pub inbox: bool,
    /// List and visit all.
    pub all: bool,
    /// Forget pauses and faults.
    pub retry: bool,
}

impl Wishes {
    /// Whether a round that runs should make room.
    pub fn urgent(&self) -> bool {
        self.intents || !self.visit.is_empty()
    }
}

#[derive(Debug, Default)]
struct State {
    wishes: Wishes,
    bodies: VecDeque<PlacementKey>,
    open: Option<MailboxId>,
    offline: bool,
    era: u64,
}

/// Where wishes lie until a thread of the account takes them.
pub(super) struct Desk {
    state: Mutex<State>,
    /// Wakes `work`.
    pub work: Waker,
    /// Wakes `watch`.
    pub watch: Waker,
    /// Ends both.
    pub cancel: Cancel,
    /// Whether `watch` has a connection, and so takes bodies.
    pub watching: AtomicBool,
    /// Whether `watch` may connect: after the first login of `work`, so that a wrong password is tried once.
    pub admitted: AtomicBool,
    /// Whether `work` itself waits for news of the inbox.
    pub on_inbox: AtomicBool,
}

impl Desk {
    /// An empty one.
    ///
    /// # Errors
    /// No file descriptors left.
    pub fn new(offline: bool) -> io::Result<Self> {
        Ok(Self {
            state: Mutex::new(State { offline, ..State::default() }),
            work: Waker::new()?,
            watch: Waker::new()?,
            cancel: Cancel::new()?,
            watching: AtomicBool::new(false),
            admitted: AtomicBool::new(false),
            on_inbox: AtomicBool::new(false),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here can be half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether somebody wants it tried again now; not any more after this.
    pub fn take_retry(&self) -> bool {
        std::mem::take(&mut self.lock().wishes.retry)
    }

    /// Takes all wishes but bodies.
    pub fn take(&self) -> Wishes {
        std::mem::take(&mut self.lock().wishes)
    }

    /// Whether somebody waits for a round to make room.
    pub fn is_urgent(&self) -> bool {
        let state = self.lock();
        state.wishes.urgent() || (!state.bodies.is_empty() && !self.watching.load(Ordering::SeqCst))
    }

    /// The body that was wished for last.
    pub fn body(&self) -> Option<PlacementKey> {
        self.lock().bodies.pop_back()
    }

    /// The line broke before this body was here.
    pub fn again(&self, key: PlacementKey) {
        self.lock().bodies.push_back(key);
    }

    /// A body that was wished for is here, or cannot be: then what we know of its mailbox is out of date.
    pub fn fetched(&self, got: &Got) {
        if let Got::Gone(mailbox) = got {
            want(&mut self.lock().wishes.visit, *mailbox);
            self.work.ring();
        }
    }

    /// The mailbox that the person looks at.
    pub fn open(&self) -> Option<MailboxId> {
        self.lock().open
    }

    /// There is no such mailbox any more.
    pub fn left(&self, mailbox: MailboxId) {
        let mut state = self.lock();
        if state.open == Some(mailbox) {
            state.open = None;
        }
    }

    /// Whether no connection is to be opened.
    pub fn is_offline(&self) -> bool {
        self.lock().offline
    }

    /// Changes when connections may be dead without knowing.
    pub fn era(&self) -> u64 {
        self.lock().era
    }

    /// Lets `watch` connect, or sends it away.
    pub fn admit(&self, yes: bool) {
        if self.admitted.swap(yes, Ordering::SeqCst) != yes {
            self.watch.ring();
        }
    }

    /// `watch` has (or has no more) a connection. What lies here for it goes to `work` then.
    pub fn watching(&self, yes: bool) {
        self.watching.store(yes, Ordering::SeqCst);
        if !yes && !self.lock().bodies.is_empty() {
            self.work.ring();
        }
    }

    /// Something happened in the inbox.
    pub fn inbox(&self) {
        if self.on_inbox.load(Ordering::SeqCst) {
            // It sees the same news by itself.
            return;
        }
        self.lock().wishes.inbox = true;
        self.work.ring();
    }

    fn put(&self, nudge: Nudge) {
        let mut state = self.lock();
        match nudge {
            Nudge::Intents => state.wishes.intents = true,
            Nudge::Opened(mailbox) => {
                state.open = Some(mailbox);
                want(&mut state.wishes.visit, mailbox);
            }
            Nudge::Refresh(Some(mailbox)) => {
                want(&mut state.wishes.visit, mailbox);
                state.wishes.retry = true;
            }
            Nudge::Refresh(None) => {
                state.wishes.all = true;
                state.wishes.retry = true;
            }
            Nudge::FetchBody(key) => {
                state.bodies.retain(|k| *k != key);
                state.bodies.push_back(key);
                if state.bodies.len() > MAX_BODIES {
                    state.bodies.pop_front();
                }
                drop(state);
                // Whoever has a connection to spare; both, while it is not clear who.
                self.watch.ring();
                if !self.watching.load(Ordering::SeqCst) {
                    self.work.ring();
                }
                return;
            }
            Nudge::Password(_) | Nudge::Retry => state.wishes.retry = true,
            Nudge::Online(yes) => {
                state.offline = !yes;
                state.wishes.retry = true;
                drop(state);
                self.watch.ring();
                self.work.ring();
                return;
            }
            Nudge::Woke => {
                state.era += 1;
                state.wishes.retry = true;
                drop(state);
                self.watch.ring();
                self.work.ring();
                return;
            }
        }
        drop(state);
        self.work.ring();
    }
}

/// A random number, for pauses.
pub(super) fn jitter() -> u64 {
    let mut bytes = [0; 8];
    // Without randomness all pauses are the same: still pauses.
    let _ = getrandom::fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

fn want(visit: &mut VecDeque<MailboxId>, mailbox: MailboxId) {
    visit.retain(|m| *m != mailbox);
    visit.push_front(mailbox);
}

/// An account at work. Dropping it stops its threads within two seconds.
pub struct Account {
    config: Arc<AccountConfig>,
    shared: Arc<Shared>,
    desk: Arc<Desk>,
    workers: Vec<Worker>,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Account({})", self.config.name.as_str())
    }
}

impl Account {
    /// Starts its threads.
    ///
    /// # Errors
    /// No threads or file descriptors left.
    pub fn start(config: AccountConfig, shared: Arc<Shared>) -> io::Result<Self> {
        let config = Arc::new(config);
        let desk = Arc::new(Desk::new(shared.offline)?);
        let mut account = Self { config: Arc::clone(&config), shared, desk, workers: Vec::new() };
        let name = config.name.as_str();
        let second = matches!(&config.kind, AccountKind::Imap(imap) if imap.connections > 1);
        let (c, s, d) = (Arc::clone(&config), Arc::clone(&account.shared), Arc::clone(&account.desk));
        account.workers.push(spawn(&format!("work/{name}"), move || work::run(&c, &s, &d))?);
        if second {
            let (c, s, d) = (Arc::clone(&config), Arc::clone(&account.shared), Arc::clone(&account.desk));
            account.workers.push(spawn(&format!("watch/{name}"), move || watch::run(&c, &s, &d))?);
        }
        Ok(account)
    }

    /// How it is configured.
    #[must_use]
    pub fn config(&self) -> &AccountConfig {
        &self.config
    }

    /// For threads that write into its journal.
    #[must_use]
    pub fn bell(&self) -> Bell {
        Bell { account: self.config.name.clone(), desk: Arc::clone(&self.desk) }
    }

    /// Tells it something. Never blocks.
    pub fn nudge(&self, nudge: Nudge) {
        if let Nudge::Password(password) = &nudge {
            self.shared.typed.put(&self.config.name, password.secret().clone());
        }
        if matches!(nudge, Nudge::Refresh(_)) {
            self.shared.jobs.restart(&self.config.name);
        }
        self.desk.put(nudge);
    }
}

/// Rings for one account, also after it is gone.
pub struct Bell {
    account: AccountName,
    desk: Arc<Desk>,
}

impl std::fmt::Debug for Bell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Bell({})", self.account.as_str())
    }
}

impl Bell {
    /// Whose.
    #[must_use]
    pub const fn account(&self) -> &AccountName {
        &self.account
    }

    /// The journal has new operations. Never blocks.
    pub fn intents(&self) {
        self.desk.put(Nudge::Intents);
    }

    /// The world outside changed. Never blocks.
    pub fn jolted(&self, kind: jolt::Kind) {
        match kind {
            jolt::Kind::Slept => self.desk.put(Nudge::Woke),
            jolt::Kind::Network => self.desk.put(Nudge::Retry),
            // Whoever sleeps until something is due looks again.
            jolt::Kind::ClockSet => self.desk.work.ring(),
        }
    }
}

impl Hand for Account {
    fn name(&self) -> &AccountName {
        &self.config.name
    }
    fn intents(&self) {
        self.nudge(Nudge::Intents);
    }
    fn opened(&self, mailbox: MailboxId) {
        self.nudge(Nudge::Opened(mailbox));
    }
    fn refresh(&self) {
        self.nudge(Nudge::Refresh(None));
    }
    fn fetch_body(&self, message: PlacementKey) {
        self.nudge(Nudge::FetchBody(message));
    }
    fn password(&self, password: Password) {
        self.nudge(Nudge::Password(password));
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.desk.cancel.ring();
        for worker in self.workers.drain(..) {
            // One that hangs in the system's resolver is left alone: quitting is crashing.
            let _ = worker.join(PATIENCE);
        }
    }
}
