//! news — what comes back from the engine, coalesced: its size is bounded by the number of things, not of events.
//! Owns: `News`, `Changes`, `Progress`, `Connectivity`, `Outcome`. May import: mail, base.
//! Start reading at: `News`, which is taken out of the inbox as a whole whenever its wake fd rings.

use super::{Answer, Fault, Piece, Slot, Ticket, Unit};
use crate::base::safetext::SafeText;
use crate::mail::draft::DraftAttachment;
use crate::mail::ids::{AccountName, DraftId, GroupId, MailboxId, MessageKey, OutboxId};
use crate::mail::mailbox::MailboxPath;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Everything that happened since the last look.
#[derive(Clone, Default, Debug)]
pub struct News {
    /// What the store's commits touched.
    pub changes: Changes,
    /// Work that takes long; none where it ended.
    pub progress: BTreeMap<Task, Option<Progress>>,
    /// What runs changed: see `Query::Jobs`.
    pub jobs: bool,
    /// How each account that changed stands now.
    pub connectivity: BTreeMap<AccountName, Connectivity>,
    /// Answers to queries, the newest of each slot.
    pub answers: BTreeMap<Slot, Answer>,
    /// Outcomes of requests, in order.
    pub outcomes: Vec<Outcome>,
    /// What went wrong without being asked for, oldest first; at most [`News::MAX_FAULTS`].
    pub faults: Vec<Fault>,
    /// How many more faults there were.
    pub more_faults: u64,
    /// New mail that came in while the program ran: (mailbox, how many).
    pub arrived: BTreeMap<MailboxId, u32>,
    /// Files of drafts that were away and are in the spool now, by their names there.
    pub spooled: BTreeSet<String>,
    /// Whether the line is spared from now on, where that changed or was so at the start.
    pub metered: Option<bool>,
    /// What another process asked this one to compose (`mailto:` URLs), oldest first.
    pub compose: Vec<String>,
}

impl News {
    /// The most faults that are kept until they are looked at.
    pub const MAX_FAULTS: usize = 64;

    /// Adds a fault, or counts it where there are too many.
    pub fn fault(&mut self, fault: Fault) {
        if self.faults.len() < Self::MAX_FAULTS {
            self.faults.push(fault);
        } else {
            self.more_faults += 1;
        }
    }
}

/// What commits touched, as sets of things to be asked for again.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Changes {
    /// The list of mailboxes or their counts.
    pub mailboxes: bool,
    /// Message lists.
    pub lists: BTreeSet<MailboxId>,
    /// Contents (body, preview, flags); more than [`Changes::MAX_MESSAGES`] become `all`.
    pub messages: BTreeSet<MessageKey>,
    /// Anything may have changed.
    pub all: bool,
    /// The outbox.
    pub outbox: bool,
    /// The journal.
    pub queue: bool,
    /// The drafts.
    pub drafts: bool,
    /// The address history.
    pub contacts: bool,
    /// What servers found for a search.
    pub found: bool,
}

impl Changes {
    /// The most messages that are named one by one.
    pub const MAX_MESSAGES: usize = 1_000;

    /// Adds what `other` touched.
    pub fn absorb(&mut self, other: Self) {
        self.mailboxes |= other.mailboxes;
        self.lists.extend(other.lists);
        self.messages.extend(other.messages);
        self.all |= other.all;
        self.outbox |= other.outbox;
        self.queue |= other.queue;
        self.drafts |= other.drafts;
        self.contacts |= other.contacts;
        self.found |= other.found;
        if self.messages.len() > Self::MAX_MESSAGES {
            self.messages.clear();
            self.all = true;
        }
    }

    /// Whether nothing was touched.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the list of `mailbox` has to be asked for again.
    #[must_use]
    pub fn list(&self, mailbox: MailboxId) -> bool {
        self.all || self.lists.contains(&mailbox)
    }

    /// Whether `message` has to be asked for again.
    #[must_use]
    pub fn message(&self, message: MessageKey) -> bool {
        self.all || self.messages.contains(&message)
    }
}

/// A piece of work that may take long.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Task {
    /// Reading the list of a mailbox.
    Sync(AccountName, MailboxId),
    /// Fetching bodies of an account ahead of need.
    Bodies(AccountName),
    /// Reading an account's texts for the index.
    Index(AccountName),
    /// Sending a mail.
    Send(OutboxId),
    /// Asking a server for what a search looks for.
    Ask(AccountName),
    /// Getting something large of a message.
    Piece(MessageKey, Piece),
}

/// How far a task is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Progress {
    /// In words: "reading INBOX".
    pub what: SafeText,
    /// Units done.
    pub done: u64,
    /// Units in all; 0 if not known.
    pub total: u64,
    /// What is counted.
    pub unit: Unit,
}

/// How an account stands with its server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Connectivity {
    /// No connection is to be opened (`--offline`).
    Off,
    /// Another process does the work.
    Elsewhere,
    /// A connection is being opened.
    Connecting,
    /// Connected; news of the inbox come by themselves.
    Live {
        /// Since when, seconds since 1970.
        since: i64,
    },
    /// In step with the server at the last look; the next one follows.
    Polled {
        /// When that was, seconds since 1970.
        at: i64,
    },
    /// Not connected; the next try is due.
    Waiting {
        /// When, seconds since 1970.
        until: i64,
        /// Why.
        fault: Fault,
    },
    /// Not connected, and not tried again before the person has done something.
    NeedsUser(Fault),
}

/// How a request ended. `Ok` means: durable here. What the server says comes later, as changes and faults.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// Which request.
    pub ticket: Ticket,
    /// How it ended.
    pub result: Result<Done, Fault>,
}

/// What a request did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Done {
    /// The group that `Undo` takes back.
    pub group: Option<GroupId>,
    /// How many messages (or operations) it was about.
    pub count: u32,
    /// How many were asked for and could not be: gone, or of another account.
    pub missed: u32,
    /// The draft that was saved.
    pub draft: Option<DraftId>,
    /// What was copied into the spool.
    pub attachments: Vec<DraftAttachment>,
    /// The file that was written.
    pub path: Option<PathBuf>,
    /// It is written down, and done when there is a connection.
    pub later: bool,
    /// The mail that is in the outbox now.
    pub outbox: Option<OutboxId>,
    /// The end of the time in which it can be taken back, seconds since 1970; none if there is no such end.
    pub until: Option<i64>,
    /// For undo and redo: what was taken back, such as "move".
    pub word: &'static str,
    /// For undo: the mailbox that was to be deleted and stays, the outermost of several.
    pub stays: Option<(AccountName, MailboxPath)>,
}
