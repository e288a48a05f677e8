//! outgoing — a finished mail on its way out, as data: the outbox's entries (decisions 22).
//! Owns: `OutboxState`, `Outgoing`, `NewOutgoing`.
//! May import: base.
//! Start reading at: `OutboxState`. What may follow what is decided in `engine/outbox/state.rs`, kept by `store/outbox.rs`.

use super::ids::{AccountName, DraftId, OutboxId};

/// Where an outgoing mail stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum OutboxState {
    /// Some of its files are on a server only: it is frozen when they are here.
    Awaiting,
    /// The undo window runs.
    Held,
    /// Waiting for its turn.
    Queued,
    /// Being sent; the final dot is not out.
    Sending,
    /// The final dot may be out; no answer yet.
    DotSent,
    /// The server has it; the copy for Sent is not filed yet.
    Accepted,
    /// Done.
    Filed,
    /// The server said "later".
    Deferred,
    /// The server said no, for good.
    Refused,
    /// Login or certificate: the person has to do something first.
    NeedsUser,
    /// It may have been sent: the line dropped after the final dot. Never sent again unasked.
    Unknown,
}

impl OutboxState {
    /// All.
    pub const ALL: [Self; 11] = [
        Self::Awaiting,
        Self::Held,
        Self::Queued,
        Self::Sending,
        Self::DotSent,
        Self::Accepted,
        Self::Filed,
        Self::Deferred,
        Self::Refused,
        Self::NeedsUser,
        Self::Unknown,
    ];

    /// As stored and in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Awaiting => "awaiting",
            Self::Held => "held",
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::DotSent => "dot_sent",
            Self::Accepted => "accepted",
            Self::Filed => "filed",
            Self::Deferred => "deferred",
            Self::Refused => "refused",
            Self::NeedsUser => "needs_user",
            Self::Unknown => "unknown",
        }
    }

    /// The inverse of [`Self::word`].
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.word() == word)
    }
}

/// A mail in the outbox. Its bytes never change again: every attempt sends the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outgoing {
    /// Its number.
    pub id: OutboxId,
    /// What was frozen.
    pub mail: NewOutgoing,
    /// Where it stands.
    pub state: OutboxState,
    /// How often it was tried; raised before connecting.
    pub attempts: u32,
    /// When the hold ends or the next try is due, seconds since 1970; 0 for at once.
    pub due: i64,
    /// Why it is not sent, as it was sanitised when it was stored; "" if nothing is wrong.
    pub fault: String,
}

/// A mail that is not yet in the outbox.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewOutgoing {
    /// Through whose submission server.
    pub account: AccountName,
    /// `Message-ID` without brackets.
    pub message_id: String,
    /// The envelope sender, a bare address.
    pub sender: String,
    /// The envelope recipients, bare addresses, Bcc among them.
    pub recipients: Vec<String>,
    /// Decoded, for lists.
    pub subject: String,
    /// The name of the frozen bytes in `spool/`; "" while its files are awaited.
    pub spool: String,
    /// Their size.
    pub size: u64,
    /// The draft that it was made of: it comes back if the sending is taken back, and goes when it is accepted.
    pub draft: Option<DraftId>,
    /// Whether a copy is to be filed in Sent.
    pub file: bool,
    /// When the person sent it, seconds since 1970.
    pub created: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_go_both_ways() {
        for state in OutboxState::ALL {
            assert_eq!(OutboxState::parse(state.word()), Some(state));
        }
    }
}
