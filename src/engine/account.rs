//! account — one account at work: what the rest of the program may wish of it, and the threads that do it.
//! Owns: `Account`, `Nudge`. May import: config, base.
//! Start reading at: `Account::nudge`, then `wishes.rs`, where wishes lie, and `work.rs`, the loop. A nudge never blocks and
//! never queues twice: wishes are a set. One thread for each connection at most: `work` does rounds and pushes the journal;
//! the watchers wait for news, and the first of them gets bodies at once, also while a long round runs.

use super::api::Password;
use super::crew::Hand;
use super::far::Far;
use super::jolt;
use super::reach;
use super::shared::Shared;
use super::wished::Wish;
use super::wishes::Desk;
use super::{watch, work};
use crate::base::cancel::Cancel;
use crate::base::spawn::{Worker, spawn};
use crate::config::{AccountConfig, AccountKind};
use crate::mail::ids::{AccountName, MailboxId, PlacementKey};
use crate::mail::query::Query;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// How long the end of an account's threads is waited for.
const PATIENCE: Duration = Duration::from_secs(2);
/// The most connections that only wait for news, whatever the configuration allows.
const MAX_WATCHERS: usize = 16;

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
    Fetch(Wish),
    /// Log in with this from now on.
    Password(Password),
    /// Try again now: whatever stood in the way may be gone, and lines that stand may have died with a network.
    Retry,
    /// Whether connections may be opened.
    Online(bool),
    /// The machine was asleep, or its clock was set: connections may be dead without knowing.
    Woke,
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
        let watchers = match &config.kind {
            AccountKind::Imap(imap) => usize::from(imap.connections).saturating_sub(1).min(MAX_WATCHERS),
            AccountKind::Maildir(_) => 0,
        };
        let watchers = if shared.errand.is_some() { 0 } else { watchers };
        let desk = Arc::new(Desk::new(shared.offline, watchers)?);
        let mut account = Self { config: Arc::clone(&config), shared, desk, workers: Vec::new() };
        let name = config.name.as_str();
        let (c, s, d) = (Arc::clone(&config), Arc::clone(&account.shared), Arc::clone(&account.desk));
        account.workers.push(spawn(&format!("work/{name}"), move || work::run(&c, &s, &d))?);
        for number in 0..watchers {
            let (c, s, d) = (Arc::clone(&config), Arc::clone(&account.shared), Arc::clone(&account.desk));
            account.workers.push(spawn(&format!("watch/{name}"), move || watch::run(&c, &s, &d, number))?);
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
            self.shared.words.ring();
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
    fn fetch(&self, wish: Wish) {
        self.nudge(Nudge::Fetch(wish));
    }
    fn password(&self, password: Password) {
        self.nudge(Nudge::Password(password));
    }
    fn kin(&self, message: PlacementKey) {
        self.desk.far(Far::Kin(message));
    }
    fn ask(&self, query: &Query, serial: u64, stop: &Cancel) {
        reach::start(&self.shared, &self.config, query.clone(), serial, stop, Some(Arc::clone(&self.desk)));
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
