//! shared — what every thread of the engine works with: the two files, the news, the clock, the configuration.
//! Owns: `Shared`, `Pace`, which topics of the store become which news. May import: store, config, mail, base.
//! Start reading at: `Shared`.

use super::api::{Changes, Connectivity, Fault, Kind, News, Task, Unit};
use super::awaited::Awaited;
use super::filed::Filers;
use super::jobs::{Jobs, Running};
use super::kept::Kept;
use super::password::Typed;
use super::servers::Servers;
use super::setup::Errand;
use super::words::Words;
use crate::base::busy::Busy;
use crate::base::cancel::Cancel;
use crate::base::clock::Clock;
use crate::base::inbox::Inbox;
use crate::base::log::{self, Level};
use crate::config::{AccountConfig, Config};
use crate::mail::ids::{AccountName, MessageKey};
use crate::net::imap::QUIET;
use crate::store::spool::Spool;
use crate::store::{ChangeSet, Store, Topic};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, RwLock};
use std::time::Duration;

/// One for each running program; every thread has an `Arc` of it.
pub struct Shared {
    /// Both files.
    pub store: Store,
    /// Frozen bytes beside the state.
    pub spool: Spool,
    /// What runs that takes long.
    pub jobs: Jobs,
    /// Where all news go.
    pub news: Inbox<News>,
    /// Civil time.
    pub clock: Arc<dyn Clock>,
    /// As it was at the start.
    pub config: Arc<Config>,
    /// No connection is to be opened.
    pub offline: bool,
    /// Whether this process holds the profile. If not, it reads, appends intents and rings the owner.
    pub owner: bool,
    /// Where the owner listens.
    pub socket: PathBuf,
    /// Counts work in flight.
    pub busy: Busy,
    /// Thrown when the program ends.
    pub cancel: Cancel,
    /// Passwords that the person entered.
    pub typed: Typed,
    /// Whose servers leave the copy in Sent to us.
    pub filers: Filers,
    /// How often things are looked at.
    pub pace: Pace,
    /// Texts that somebody waits for.
    pub awaited: Arc<Awaited>,
    /// The line costs money just now: nothing is fetched ahead of need.
    pub metered: AtomicBool,
    /// See [`super::setup::Setup::errand`].
    pub errand: Option<Errand>,
    /// How much is here.
    pub kept: Kept,
    /// What servers found for a search.
    pub servers: Arc<Servers>,
    /// Texts that wait to be read.
    pub words: Words,
    /// Read while a command is written down by the names of mailboxes; written while one that somebody else renamed is followed: between
    /// the journal, which comes first, and the cache a new entry would go by the old name.
    pub names: RwLock<()>,
}

/// How often things are looked at that do not tell of themselves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    /// Between two rounds over all mailboxes of an account (decisions 11).
    pub poll: Duration,
    /// The longest IDLE before it is renewed.
    pub idle: Duration,
    /// How long a line may say nothing before the server is asked whether it is there (security S-27).
    pub quiet: Duration,
    /// How long a server may take to file by itself what was sent (decisions 23).
    pub filing: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        let (poll, idle) = (Duration::from_secs(300), Duration::from_secs(28 * 60));
        Self { poll, idle, quiet: QUIET, filing: Duration::from_secs(10) }
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("store", &self.store).field("owner", &self.owner).finish_non_exhaustive()
    }
}

impl Shared {
    /// Seconds since 1970.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.clock.now()
    }

    /// The account's part of the configuration; none if it was taken out.
    #[must_use]
    pub fn account(&self, name: &AccountName) -> Option<&AccountConfig> {
        self.config.accounts.iter().find(|a| a.name == *name)
    }

    /// Tells of a fault that nobody asked for.
    pub fn fault(&self, fault: Fault) {
        note(&fault);
        self.news.put(|news| news.fault(fault));
    }

    /// Tells how an account stands now.
    pub fn connectivity(&self, account: &AccountName, now: Connectivity) {
        match &now {
            Connectivity::Waiting { fault, .. } | Connectivity::NeedsUser(fault) => note(fault),
            Connectivity::Polled { .. } => log::debug("account", format_args!("{account}: in step")),
            Connectivity::Live { .. } => log::info("account", format_args!("{account}: live")),
            Connectivity::Connecting => log::info("account", format_args!("{account}: connecting")),
            Connectivity::Off | Connectivity::Elsewhere => {}
        }
        let texts = self.awaited.line(account, &now);
        self.news.put(|news| {
            news.connectivity.insert(account.clone(), now);
            news.changes.messages.extend(texts);
        });
    }

    /// Tells that a text stands otherwise than before.
    pub fn text_changed(&self, message: MessageKey) {
        self.news.put(|news| {
            news.changes.messages.insert(message);
        });
    }

    /// Begins a job, see [`Jobs::begin`].
    #[must_use]
    pub fn begin(&self, task: Task, account: &AccountName, what: &str, unit: Unit, cut: Option<&Cancel>) -> Running {
        self.jobs.begin(task, account, what, unit, cut)
    }
}

/// Into the log, with all causes: the screen has room for the first sentence only.
pub(super) fn note(fault: &Fault) {
    let causes: String = fault.causes.iter().map(|cause| format!(": {cause}")).collect();
    let level = if fault.kind == Kind::Bug { Level::Error } else { Level::Warn };
    log::say(level, fault.kind.word(), format_args!("{fault}{causes}"));
}

/// A commit's topics as things to be asked for again.
#[must_use]
pub fn changes(set: &ChangeSet) -> Changes {
    let mut changes = Changes::default();
    for topic in set.iter() {
        match topic {
            Topic::Mailboxes => changes.mailboxes = true,
            Topic::Messages(mailbox) => {
                changes.lists.insert(*mailbox);
            }
            Topic::Body(message) => {
                changes.messages.insert(*message);
            }
            Topic::Journal(_) => changes.queue = true,
            Topic::Outbox => changes.outbox = true,
            Topic::Drafts => changes.drafts = true,
            Topic::Contacts => changes.contacts = true,
            Topic::CacheRebuilt => (changes.all, changes.mailboxes) = (true, true),
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::ids::MailboxId;

    #[test]
    fn topics_name_what_to_ask_for_again() {
        let mut set = ChangeSet::new();
        set.note(Topic::Messages(MailboxId(3)));
        set.note(Topic::Body(MessageKey(9)));
        let seen = changes(&set);
        assert!(seen.list(MailboxId(3)) && !seen.list(MailboxId(4)) && seen.message(MessageKey(9)) && !seen.all);
        set.note(Topic::CacheRebuilt);
        assert!(changes(&set).list(MailboxId(4)));
    }
}
