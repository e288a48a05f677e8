//! change — what a commit touched, so that only those who show it ask again.
//! Owns: `Topic`, `ChangeSet`. May import: mail.
//! Start reading at: `Topic`. A set grows with the number of things, never with the number of changes.

use crate::mail::ids::{AccountName, MailboxId, MessageKey};
use std::collections::BTreeSet;

/// A thing whose rows changed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Topic {
    /// The list of mailboxes, or counts in it.
    Mailboxes,
    /// The rows of one mailbox.
    Messages(MailboxId),
    /// The body of one message arrived.
    Body(MessageKey),
    /// The journal of one account.
    Journal(AccountName),
    /// The outbox.
    Outbox,
    /// The drafts.
    Drafts,
    /// The address history.
    Contacts,
    /// The cache was lost and begun anew: fetch everything again and derive the overlay again.
    CacheRebuilt,
}

/// The topics of one or more commits.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ChangeSet {
    topics: BTreeSet<Topic>,
}

impl ChangeSet {
    /// None.
    #[must_use]
    pub const fn new() -> Self {
        Self { topics: BTreeSet::new() }
    }

    /// Adds one topic.
    pub fn note(&mut self, topic: Topic) {
        self.topics.insert(topic);
    }

    /// Adds all of another set.
    pub fn union(&mut self, other: Self) {
        self.topics.extend(other.topics);
    }

    /// Whether that topic is in it.
    #[must_use]
    pub fn has(&self, topic: &Topic) -> bool {
        self.topics.contains(topic)
    }

    /// Whether nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.topics.is_empty()
    }

    /// The topics, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &Topic> {
        self.topics.iter()
    }
}
