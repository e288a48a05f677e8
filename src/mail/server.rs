//! server — what a mail store tells us about its mailboxes, in types that no protocol crate owns.
//! Owns: `Caps`, `ListedMailbox`, `Selected`, `FlagsSeen`, `EnvelopeSeen`, `IdentitySeen`, `CopiedUids`.
//! May import: base.
//! Start reading at: `Caps`. `net` makes these, `engine/plan` decides by them, `store` keeps them; IMAP, the
//! local account and the tests' model server all speak in them.

use super::envelope::{Envelope, MessageId};
use super::flags::Flags;
use super::mailbox::{MailboxPath, Role};
use super::uid::{ModSeq, Uid, UidSet, UidValidity};

/// What the server can do, as far as a plan depends on it. Extensions that come later get their field then.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Caps {
    /// MOVE (RFC 6851).
    pub moves: bool,
    /// UIDPLUS (RFC 4315): UID EXPUNGE, APPENDUID, COPYUID.
    pub uidplus: bool,
    /// CONDSTORE (RFC 7162).
    pub condstore: bool,
    /// IDLE (RFC 2177).
    pub idle: bool,
    /// SPECIAL-USE (RFC 6154).
    pub special_use: bool,
    /// ESEARCH (RFC 4731): UID sets come as ranges.
    pub esearch: bool,
    /// LIST-STATUS (RFC 5819): all counts in one command.
    pub list_status: bool,
    /// EMAILID (RFC 8474).
    pub object_id: bool,
}

/// One line of a LIST reply.
#[derive(Clone, PartialEq, Eq, Debug)]
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
}

/// A STATUS reply: enough to see whether a mailbox has to be visited.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
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
}

/// The flags of one message as the server has them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FlagsSeen {
    /// Which message.
    pub uid: Uid,
    /// All its flags.
    pub flags: Flags,
    /// MODSEQ; 0 without CONDSTORE.
    pub modseq: ModSeq,
}

/// All that a list row needs of one message as the server has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EnvelopeSeen {
    /// Which message.
    pub uid: Uid,
    /// All its flags.
    pub flags: Flags,
    /// MODSEQ; 0 without CONDSTORE.
    pub modseq: ModSeq,
    /// INTERNALDATE in seconds since 1970; 0 if unreadable.
    pub received: i64,
    /// RFC822.SIZE in octets.
    pub size: u64,
    /// The headers.
    pub envelope: Envelope,
    /// How many attachments BODYSTRUCTURE shows, and their file names (untrusted).
    pub attachments: Vec<String>,
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
