//! server — what a mail store tells us about its mailboxes, in types that no protocol crate owns.
//! Owns: `Caps`, `ListedMailbox`, `Selected`, `Resync`, `MailboxNews`, `FlagsSeen`, `EnvelopeSeen`, `DetailsSeen`, `IdentitySeen`, `CopiedUids`.
//! May import: base.
//! Start reading at: `Caps`. `net` makes these, `engine/plan` decides by them, `store` keeps them; IMAP, the
//! local account and the tests' model server all speak in them.

use super::envelope::MessageId;
use super::flags::Flags;
use super::intent::Mark;
use super::mailbox::{MailboxPath, Role};
use super::packed::Packed;
use super::uid::{ModSeq, Uid, UidSet, UidValidity};

/// What the server can do, as far as anybody depends on it. What the account's `without` names is not there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Caps {
    /// MOVE (RFC 6851).
    pub moves: bool,
    /// UIDPLUS (RFC 4315): UID EXPUNGE, APPENDUID, COPYUID.
    pub uidplus: bool,
    /// CONDSTORE (RFC 7162).
    pub condstore: bool,
    /// QRESYNC (RFC 7162), enabled on this connection: a mailbox is re-opened in one turn.
    pub qresync: bool,
    /// IDLE (RFC 2177).
    pub idle: bool,
    /// SPECIAL-USE (RFC 6154).
    pub special_use: bool,
    /// ESEARCH (RFC 4731): UID sets come as ranges.
    pub esearch: bool,
    /// LIST-STATUS (RFC 5819): all counts in one command.
    pub list_status: bool,
    /// EMAILID (RFC 8474) or X-GM-MSGID.
    pub object_id: bool,
    /// NOTIFY (RFC 5465): news of every mailbox on one connection.
    pub notify: bool,
    /// STATUS=SIZE (RFC 8438).
    pub status_size: bool,
    /// PREVIEW (RFC 8970).
    pub preview: bool,
    /// SAVEDATE (RFC 8514).
    pub save_date: bool,
    /// SORT (RFC 5256).
    pub sort: bool,
    /// THREAD=REFS or THREAD=REFERENCES (RFC 5256).
    pub thread: bool,
    /// QUOTA (RFC 9208).
    pub quota: bool,
    /// ACL (RFC 4314).
    pub acl: bool,
    /// BINARY (RFC 3516): parts can come decoded.
    pub binary: bool,
    /// X-GM-EXT-1: labels, which come and go as keywords (see `Keyword::label`).
    pub labels: bool,
    /// THREADID (RFC 8474) or X-GM-THRID: the server says which conversation a message belongs to.
    pub thread_id: bool,
    /// A mailbox can be left without anything else happening: UNSELECT (RFC 3691), IMAP4rev2.
    pub unselect: bool,
}

/// One line of a LIST reply.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct ListedMailbox {
    /// Its name.
    pub path: MailboxPath,
    /// The hierarchy delimiter; none for a flat name.
    pub delimiter: Option<char>,
    /// Whether it can be selected (no `\Noselect`, no `\NonExistent`).
    pub selectable: bool,
    /// Whether the person subscribed to it.
    pub subscribed: bool,
    /// SPECIAL-USE, if the server said one.
    pub role: Option<Role>,
    /// Counts, if they came with it.
    pub status: Option<MailboxStatus>,
    /// Whose it is.
    pub space: Space,
    /// Whether the server says that nothing lies below it; only where a list is asked for level by level.
    pub leaf: bool,
}

/// Whose a mailbox is (NAMESPACE, RFC 2342).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Space {
    /// The person's own.
    #[default]
    Personal,
    /// Another person's.
    Others,
    /// Everybody's.
    Shared,
}

/// A STATUS reply: enough to see whether a mailbox has to be visited.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct MailboxStatus {
    /// MESSAGES.
    pub messages: u32,
    /// UNSEEN.
    pub unseen: u32,
    /// UIDNEXT; 0 if not told.
    pub uidnext: u32,
    /// UIDVALIDITY.
    pub uidvalidity: UidValidity,
    /// HIGHESTMODSEQ; 0 without CONDSTORE.
    pub highestmodseq: ModSeq,
    /// SIZE in octets, if it was asked for and told.
    pub size: Option<u64>,
    /// MAILBOXID (RFC 8474), "" without: stays the same when it is renamed.
    pub object_id: String,
}

impl MailboxStatus {
    /// Where the numbers of its messages stand.
    #[must_use]
    pub const fn mark(&self) -> Mark {
        Mark { uidvalidity: self.uidvalidity, uidnext: self.uidnext }
    }
}

/// News of a mailbox that need not be the selected one (NOTIFY).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MailboxNews {
    /// Its messages or flags changed; the counts if the server told all of them.
    Changed(MailboxPath, Option<MailboxStatus>),
    /// It was made, or subscribed to, or no more: list again, not all is told here.
    Listed(ListedMailbox),
    /// It has another name now.
    Renamed {
        /// The old one.
        from: MailboxPath,
        /// The mailbox as it is now.
        to: ListedMailbox,
    },
    /// It is no more.
    Gone(MailboxPath),
    /// The server stopped telling: everything has to be looked at.
    Lost,
}

/// What we know of a mailbox that is opened again (QRESYNC).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Resync {
    /// The UIDVALIDITY under which we know it.
    pub uidvalidity: UidValidity,
    /// The modification sequence up to which we know it; not 0.
    pub modseq: ModSeq,
    /// The UIDs that we have. Nothing is told of any other.
    pub known: UidSet,
    /// Rows of these, if there are any, are to come in the same turn ([`Selected::ahead`]); none of them is in `known`.
    pub ahead: UidSet,
}

/// What SELECT or EXAMINE said.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Selected {
    /// UIDVALIDITY.
    pub uidvalidity: UidValidity,
    /// UIDNEXT; 0 if not told. A hint only: UIDs above it have been seen.
    pub uidnext: u32,
    /// EXISTS.
    pub exists: u32,
    /// HIGHESTMODSEQ; 0 for NOMODSEQ or no CONDSTORE.
    pub highestmodseq: ModSeq,
    /// Whether nothing can be changed here.
    pub read_only: bool,
    /// Flags that can be stored for good; none told means the system flags.
    pub permanent_flags: Option<Flags>,
    /// `\*`: new keywords can be made.
    pub new_keywords: bool,
    /// MAILBOXID (RFC 8474), "" without.
    pub mailbox_id: String,
    /// Whether what follows is all that happened to the known messages since (QRESYNC). False: ask for it.
    pub resynced: bool,
    /// Known messages that are no more.
    pub vanished: UidSet,
    /// Known messages whose flags changed.
    pub changed: Vec<FlagsSeen>,
    /// The rows of [`Resync::ahead`]; nothing where they were not asked for, or not answered.
    pub ahead: Option<Vec<EnvelopeSeen>>,
}

/// The flags of one message as the server has them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FlagsSeen {
    /// Which message.
    pub uid: Uid,
    /// All its flags.
    pub flags: Flags,
    /// MODSEQ; 0 where it was not told.
    pub modseq: ModSeq,
}

/// What a list row can be shown without, of one message as the server has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DetailsSeen {
    /// Which message.
    pub uid: Uid,
    /// How many attachments BODYSTRUCTURE shows, and their file names (untrusted).
    pub attachments: Vec<String>,
    /// `In-Reply-To`.
    pub in_reply_to: Vec<MessageId>,
}

/// All that a list row needs of one message as the server has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EnvelopeSeen {
    /// Which message.
    pub uid: Uid,
    /// All its flags.
    pub flags: Flags,
    /// MODSEQ; 0 where it was not told.
    pub modseq: ModSeq,
    /// INTERNALDATE in seconds since 1970; 0 if unreadable.
    pub received: i64,
    /// RFC822.SIZE in octets.
    pub size: u64,
    /// The headers.
    pub envelope: Packed,
    /// The attachments' file names (untrusted), "" for one without; none where that, and `In-Reply-To`, was not told with the
    /// row: a [`DetailsSeen`] follows.
    pub attachments: Option<Vec<String>>,
    /// EMAILID or X-GM-MSGID, "" without.
    pub object_id: String,
}

/// What tells one message from another when its UID is not known: for probing after an uncertain operation.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct Fingerprint {
    /// `Message-ID`, if it has one.
    pub message_id: Option<MessageId>,
    /// RFC822.SIZE in octets.
    pub size: u64,
    /// INTERNALDATE in seconds since 1970. COPY and MOVE keep it (RFC 9051, 6.4.7).
    pub received: i64,
    /// EMAILID, "" without.
    pub object_id: String,
}

/// A message and its fingerprint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IdentitySeen {
    /// Which message.
    pub uid: Uid,
    /// What it looks like.
    pub print: Fingerprint,
}

/// COPYUID or APPENDUID (RFC 4315): where messages went. Only made if the counts agree (security S-29).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CopiedUids {
    /// The target mailbox's UIDVALIDITY.
    pub uidvalidity: UidValidity,
    /// (source UID, target UID), in order; for APPEND the source is the target.
    pub pairs: Vec<(Uid, Uid)>,
}

impl CopiedUids {
    /// Pairs two sets as COPYUID gives them, or nothing if their sizes differ.
    #[must_use]
    pub fn pair(uidvalidity: UidValidity, source: &UidSet, target: &UidSet) -> Option<Self> {
        let same = source.len() == target.len() && source.len() <= 1_000_000;
        same.then(|| Self { uidvalidity, pairs: source.iter().zip(target.iter()).collect() })
    }
}
