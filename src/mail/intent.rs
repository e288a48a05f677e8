//! intent — what the person wants of a server, as data: the journal's entries (decisions 1, 2, 5).
//! Owns: `Operation`, `OpKind`, `OpState`, `Target`, `NewOperation`.
//! May import: base.
//! Start reading at: `Operation`. Only names that survive a lost cache occur here: account, path,
//! UIDVALIDITY, UID, fingerprint; never a cache row's id. What may happen to an operation is decided in
//! `engine/journal`, kept by `store/journal.rs`.

use super::flags::FlagDelta;
use super::ids::{AccountName, GroupId, OpId};
use super::mailbox::{MailboxPath, Role};
use super::meant::Meant;
use super::server::Fingerprint;
use super::uid::{Uid, UidValidity};
use serde::{Deserialize, Serialize};

/// A message that an operation is about.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum Target {
    /// A message that the server has.
    Server {
        /// UIDVALIDITY under which `uid` was seen.
        uidvalidity: UidValidity,
        /// Its UID in the operation's mailbox.
        uid: u32,
        /// For finding it again under a new UIDVALIDITY.
        print: Fingerprint,
    },
    /// The `index`-th message that an earlier, unsettled operation will create in the operation's mailbox
    /// (moved while offline, then starred). Settling `op` rewrites this to `Server`.
    ResultOf {
        /// The operation that creates it.
        op: OpId,
        /// Which of its targets.
        index: u32,
    },
}

impl Target {
    /// The UID, if the server has the message already.
    #[must_use]
    pub fn uid(&self) -> Option<Uid> {
        match self {
            Self::Server { uid, .. } => Uid::new(*uid),
            Self::ResultOf { .. } => None,
        }
    }
}

/// What is wanted of the targets, or of the mailbox.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "k", rename_all = "snake_case")]
pub enum OpKind {
    /// Change flags.
    Flag {
        /// What to set and clear.
        #[serde(with = "delta_words")]
        delta: FlagDelta,
    },
    /// Move to another mailbox of the account.
    Move {
        /// Where to.
        to: MailboxPath,
    },
    /// Copy to another mailbox of the account.
    Copy {
        /// Where to.
        to: MailboxPath,
    },
    /// Delete for ever.
    Expunge,
    /// Put frozen bytes into the operation's mailbox.
    Append {
        /// The name of the file in `spool/` (decisions 3).
        spool: String,
        /// With these flags set.
        #[serde(with = "delta_words")]
        flags: FlagDelta,
        /// INTERNALDATE to ask for, seconds since 1970.
        received: i64,
        /// For probing: was it appended before the line dropped?
        print: Fingerprint,
        /// Whether the server may put the same there by itself: then its Message-ID is looked for first.
        #[serde(default)]
        look: bool,
    },
    /// Make the operation's mailbox.
    CreateMailbox {
        /// What it is for, where it is made for want of one: then another one that turns out to be for that takes its place.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role: Option<Role>,
    },
    /// Rename the operation's mailbox, with all that lies below it.
    RenameMailbox {
        /// Its new name.
        to: MailboxPath,
        /// The hierarchy delimiter, which says what lies below.
        delimiter: Option<char>,
    },
    /// Delete the operation's mailbox, with its messages.
    DeleteMailbox,
    /// Subscribe to the operation's mailbox, or no more.
    SubscribeMailbox {
        /// Which of the two.
        on: bool,
    },
}

impl OpKind {
    /// `flag`, `move` and so on: the `kind` in JSON.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Flag { .. } => "flag",
            Self::Move { .. } => "move",
            Self::Copy { .. } => "copy",
            Self::Expunge => "expunge",
            Self::Append { .. } => "append",
            Self::CreateMailbox { .. } => "create_mailbox",
            Self::RenameMailbox { .. } => "rename_mailbox",
            Self::DeleteMailbox => "delete_mailbox",
            Self::SubscribeMailbox { .. } => "subscribe_mailbox",
        }
    }

    /// Whether it is about the tree of mailboxes, and not about messages.
    #[must_use]
    pub const fn is_about_tree(&self) -> bool {
        !matches!(self, Self::Flag { .. } | Self::Move { .. } | Self::Copy { .. } | Self::Expunge | Self::Append { .. })
    }
}

/// Where an operation stands (architecture 3.10, decisions 5).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpState {
    /// Waiting for its turn.
    Queued,
    /// A command was sent; no answer is recorded. At a start it counts as `Uncertain`.
    InFlight,
    /// The line dropped or the program died after the command may have reached the server.
    Uncertain,
    /// MOVE without the extension: the copy is being made.
    Copying,
    /// ... the copy is confirmed; only now may the source be touched.
    Copied,
    /// ... the source is marked `\Deleted`, and about to be expunged.
    Flagged,
    /// ... the server cannot expunge single messages (no UIDPLUS): it is marked and not shown until it is gone there.
    Hidden,
    /// The server agrees.
    Settled,
    /// The wish was already true or had become impossible.
    Moot,
    /// Taken back by the person.
    Withdrawn,
    /// Refused for good: needs the person. Its fault says why.
    Parked,
}

impl OpState {
    /// Whether the source is marked as deleted, and only its end is still to come.
    #[must_use]
    pub const fn is_marked(self) -> bool {
        matches!(self, Self::Flagged | Self::Hidden)
    }

    /// Whether the server may still have to be told something.
    #[must_use]
    pub const fn pending(self) -> bool {
        !matches!(self, Self::Settled | Self::Moot | Self::Withdrawn | Self::Parked)
    }

    /// As stored and in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::InFlight => "in_flight",
            Self::Uncertain => "uncertain",
            Self::Copying => "copying",
            Self::Copied => "copied",
            Self::Flagged => "flagged",
            Self::Hidden => "hidden",
            Self::Settled => "settled",
            Self::Moot => "moot",
            Self::Withdrawn => "withdrawn",
            Self::Parked => "parked",
        }
    }

    /// The inverse of [`Self::word`].
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [
            Self::Queued,
            Self::InFlight,
            Self::Uncertain,
            Self::Copying,
            Self::Copied,
            Self::Flagged,
            Self::Hidden,
            Self::Settled,
            Self::Moot,
            Self::Withdrawn,
            Self::Parked,
        ]
        .into_iter()
        .find(|s| s.word() == word)
    }
}

/// What is known of a target mailbox from before anything was sent to it: only messages from `uidnext` on
/// can be the result (decisions 5).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Mark {
    /// UIDVALIDITY of the target mailbox.
    pub uidvalidity: UidValidity,
    /// UIDNEXT of the target mailbox.
    pub uidnext: u32,
}

/// One entry of the journal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operation {
    /// Its number; ascending in the order of the person's acts.
    pub id: OpId,
    /// The command that it belongs to.
    pub group: GroupId,
    /// Whose server.
    pub account: AccountName,
    /// The mailbox in which the targets lie, or into which is appended.
    pub mailbox: MailboxPath,
    /// What is wanted.
    pub kind: OpKind,
    /// Of which messages; empty for `Append` and what is about mailboxes.
    pub targets: Vec<Target>,
    /// Where it stands.
    pub state: OpState,
    /// How often it was tried; raised before each try.
    pub attempts: u32,
    /// Not to be tried before, seconds since 1970.
    pub not_before: i64,
    /// The operation that must be out of the way first.
    pub after: Option<OpId>,
    /// The target mailbox before the first try.
    pub mark: Option<Mark>,
    /// Where the targets went, by index: (UIDVALIDITY, UID), known after settling.
    pub results: Vec<Option<(UidValidity, u32)>>,
    /// The flags before a `Flag` operation, by target, for taking it back: only what really differed.
    pub inverse: Vec<FlagDelta>,
    /// Why it is parked or put off: a sentence that was sanitised when it was stored; "" if it is neither.
    pub fault: String,
    /// When the person did it, seconds since 1970.
    pub created: i64,
    /// Which mailbox was meant by `mailbox` when they did it.
    pub here: Meant,
    /// Which one was meant by the name that `kind` has, for what moves or copies.
    pub there: Meant,
}

impl Operation {
    /// Whether a command of it may have reached the server, and nobody knows.
    #[must_use]
    pub const fn unsure(&self) -> bool {
        matches!(self.state, OpState::InFlight | OpState::Uncertain | OpState::Copying)
    }

    /// Whether it is a move whose copy is where it should be, and only the source is still to go.
    #[must_use]
    pub const fn in_place(&self) -> bool {
        matches!(self.kind, OpKind::Move { .. }) && matches!(self.state, OpState::Copied | OpState::Flagged | OpState::Hidden)
    }

    /// Where it puts messages: those that appear there may be its doing.
    #[must_use]
    pub const fn destination(&self) -> Option<&MailboxPath> {
        match &self.kind {
            OpKind::Move { to } | OpKind::Copy { to } => Some(to),
            OpKind::Append { .. } => Some(&self.mailbox),
            _ => None,
        }
    }

    /// Which mailbox was meant by [`Self::destination`]. Once messages were put under its name, that is where they are.
    #[must_use]
    pub fn goal(&self) -> Meant {
        let meant = if matches!(self.kind, OpKind::Append { .. }) { &self.here } else { &self.there };
        match self.mark {
            Some(Mark { uidvalidity, uidnext }) if uidvalidity.0 != 0 && uidvalidity != meant.uidvalidity => {
                Meant { uidvalidity, uidnext, object_id: String::new(), alone: meant.alone }
            }
            _ => meant.clone(),
        }
    }

    /// Whether messages in `root` or below it are concerned: as source or as destination.
    #[must_use]
    pub fn touches(&self, root: &MailboxPath, delimiter: Option<char>) -> bool {
        let to = match &self.kind {
            OpKind::RenameMailbox { to, .. } => Some(to),
            _ => self.destination(),
        };
        self.mailbox.is_within(root, delimiter) || to.is_some_and(|to| to.is_within(root, delimiter))
    }

    /// Whether an earlier, pending `change` of the tree has to be carried out first, because it makes a mailbox that
    /// this operation names.
    #[must_use]
    pub fn waits_for(&self, change: &Self) -> bool {
        let made = match &change.kind {
            OpKind::CreateMailbox { .. } => Some((&change.mailbox, None)),
            OpKind::RenameMailbox { to, delimiter } => Some((to, *delimiter)),
            _ => None,
        };
        let before = change.id < self.id && change.account == self.account && change.state.pending();
        before && made.is_some_and(|(path, delimiter)| self.touches(path, delimiter))
    }

    /// Follows a mailbox that was renamed, with what lies below it. Whether that changed anything.
    pub fn follow(&mut self, from: &MailboxPath, to: &MailboxPath, delimiter: Option<char>) -> bool {
        let mut changed = false;
        let mut follow = |path: &mut MailboxPath| {
            if let Some(new) = path.moved(from, to, delimiter) {
                changed |= new != *path;
                *path = new;
            }
        };
        follow(&mut self.mailbox);
        if let OpKind::Move { to } | OpKind::Copy { to } | OpKind::RenameMailbox { to, .. } = &mut self.kind {
            follow(to);
        }
        changed
    }
}

/// An operation that is not yet in the journal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewOperation {
    /// See [`Operation::account`].
    pub account: AccountName,
    /// See [`Operation::mailbox`].
    pub mailbox: MailboxPath,
    /// See [`Operation::kind`].
    pub kind: OpKind,
    /// See [`Operation::targets`].
    pub targets: Vec<Target>,
    /// See [`Operation::not_before`]: deleting for ever waits 10 s (decisions 21).
    pub not_before: i64,
    /// See [`Operation::after`].
    pub after: Option<OpId>,
    /// See [`Operation::inverse`].
    pub inverse: Vec<FlagDelta>,
    /// See [`Operation::here`].
    pub here: Meant,
    /// See [`Operation::there`].
    pub there: Meant,
}

/// Deltas as `+\Seen -$Junk` words, readable in the file.
pub mod delta_words {
    use super::super::flags::{FlagDelta, Flags};
    use serde::{Deserialize, Deserializer, Serializer};

    /// As text.
    #[must_use]
    pub fn to_text(delta: &FlagDelta) -> String {
        let signed = |sign: char, flags: &Flags| {
            flags.wire().split(' ').filter(|w| !w.is_empty()).map(|w| format!("{sign}{w}")).collect::<Vec<_>>()
        };
        let mut words = signed('+', delta.add());
        words.extend(signed('-', delta.remove()));
        words.join(" ")
    }

    /// The inverse of [`to_text`]; foreign words are left out.
    #[must_use]
    pub fn from_text(text: &str) -> FlagDelta {
        let of = |sign: char| Flags::from_words(text.split(' ').filter_map(|w| w.strip_prefix(sign)));
        FlagDelta::new(of('+'), of('-'))
    }

    /// For serde.
    ///
    /// # Errors
    /// The serializer's own.
    pub fn serialize<S: Serializer>(delta: &FlagDelta, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&to_text(delta))
    }

    /// For serde.
    ///
    /// # Errors
    /// The deserializer's own.
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<FlagDelta, D::Error> {
        Ok(from_text(&String::deserialize(d)?))
    }
}
