//! step — the planner's whole vocabulary: what it asks of a server, tells it, and has the store record.
//! Owns: `Step`, `Ask`, `Tell`, `Record`, `OpChange`, `OpFault`, `Reply`, `Part`, `Refusal`.
//! May import: mail.
//! Start reading at: `Step`. An executor needs no judgement: it carries a step out, reports what came back,
//! and repeats. Asks and Tells go to the connection in the order in which they were handed out; Records go to
//! the store in that order too; the two lanes may overlap.

use super::base::{Base, Partly};
use crate::mail::flags::{FlagDelta, Flags};
use crate::mail::ids::OpId;
use crate::mail::intent::{Mark, OpState, Operation, Target};
use crate::mail::mailbox::MailboxPath;
use crate::mail::meant::Meant;
use crate::mail::server::{CopiedUids, EnvelopeSeen, FlagsSeen, IdentitySeen, ListedMailbox, Resync, Selected};
use crate::mail::uid::{ModSeq, Uid, UidSet, UidValidity};

/// The most rows that one Record holds: a commit that a key press may have to wait for.
pub const MAX_ROWS: usize = 200;

/// Names a step until its end was heard. Ascending within one pass.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StepId(pub u64);

/// One thing to do.
#[derive(Clone, PartialEq, Debug)]
pub enum Step {
    /// Read: from the server, or (`CachedIdentities`) from the store.
    Ask(Ask),
    /// Change the server.
    Tell(Tell),
    /// One transaction in one of our two files.
    Record(Record),
}

/// A question. UIDs are those of the mailbox that was selected last.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ask {
    /// SELECT (or EXAMINE): answered by [`Part::Selected`].
    Select {
        /// Which.
        mailbox: MailboxPath,
        /// EXAMINE: another mailbox is only looked at, for a probe.
        read_only: bool,
        /// What we know of it: then the answer says what happened since (QRESYNC).
        resync: Option<Resync>,
    },
    /// Flags, all or those that changed since: answered by [`Part::Flags`].
    FlagsOf {
        /// Of these; what is not there is left out of the answer.
        uids: UidSet,
        /// CHANGEDSINCE (RFC 7162).
        changed_since: Option<ModSeq>,
    },
    /// All UIDs that are there between these two, with them: answered by [`Part::Uids`].
    Uids {
        /// The lowest of interest.
        from: u32,
        /// The highest; `u32::MAX` for all.
        to: u32,
    },
    /// Everything that list rows need: answered by [`Part::Envelopes`].
    Envelopes {
        /// Of these.
        uids: UidSet,
    },
    /// Fingerprints: answered by [`Part::Identities`].
    Identify {
        /// Of these.
        uids: UidSet,
    },
    /// Fingerprints of what the *store* holds of this mailbox, under the old UIDVALIDITY: answered by [`Part::Identities`].
    CachedIdentities,
    /// STATUS (UIDVALIDITY UIDNEXT): answered by [`Part::Marked`].
    TargetMark {
        /// Of this mailbox, which is not selected for it.
        mailbox: MailboxPath,
    },
    /// LIST: answered by [`Part::Mailboxes`].
    Mailboxes,
}

/// A command. UIDs are those of the mailbox that was selected last. Long sets may be sent in several commands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Tell {
    /// UID STORE +FLAGS.SILENT, then -FLAGS.SILENT; never a plain FLAGS.
    StoreFlags {
        /// Whose.
        uids: UidSet,
        /// What changes.
        delta: FlagDelta,
    },
    /// UID MOVE. [`Part::Copied`] if the server said where to.
    Move {
        /// Which.
        uids: UidSet,
        /// Where to.
        to: MailboxPath,
    },
    /// UID COPY. [`Part::Copied`] if the server said where to.
    Copy {
        /// Which.
        uids: UidSet,
        /// Where to.
        to: MailboxPath,
    },
    /// UID EXPUNGE (UIDPLUS); a plain EXPUNGE is never sent, it could take what others have marked.
    UidExpunge {
        /// Which.
        uids: UidSet,
    },
    /// APPEND into the pass's own mailbox. [`Part::Appended`] if the server said under which UID.
    Append {
        /// Where to.
        mailbox: MailboxPath,
        /// The file in `spool/` with the bytes.
        spool: String,
        /// With these flags.
        flags: Flags,
        /// INTERNALDATE, seconds since 1970.
        received: i64,
        /// Octets of the file.
        size: u64,
    },
    /// CREATE, then SUBSCRIBE. That it exists already is no fault.
    Create {
        /// Which.
        mailbox: MailboxPath,
    },
    /// RENAME, with all that lies below.
    Rename {
        /// Which.
        mailbox: MailboxPath,
        /// Its new name.
        to: MailboxPath,
    },
    /// DELETE, with its messages.
    Delete {
        /// Which.
        mailbox: MailboxPath,
    },
    /// SUBSCRIBE or UNSUBSCRIBE.
    Subscribe {
        /// Which.
        mailbox: MailboxPath,
        /// Which of the two.
        on: bool,
    },
}

/// One transaction. `Ops` goes to the journal in `state.sqlite`, all others to the cache; every one may be
/// carried out twice with the same end.
#[derive(Clone, PartialEq, Debug)]
pub enum Record {
    /// Messages that the cache did not have, newest first; at most [`MAX_ROWS`].
    NewMessages {
        /// Under which UIDs were given.
        uidvalidity: UidValidity,
        /// Them.
        rows: Vec<EnvelopeSeen>,
    },
    /// The server's flags of messages that the cache has; at most [`MAX_ROWS`]. Rows that are as they were
    /// change nothing.
    FlagsObserved {
        /// Under which UIDs were given.
        uidvalidity: UidValidity,
        /// Them.
        rows: Vec<FlagsSeen>,
    },
    /// The server took our change of flags: the same change on its flags as the cache has them.
    FlagsTold {
        /// Under which UIDs were given.
        uidvalidity: UidValidity,
        /// Whose.
        uids: UidSet,
        /// What changed.
        delta: FlagDelta,
    },
    /// Messages that are here no more.
    Vanished {
        /// Under which UIDs were given.
        uidvalidity: UidValidity,
        /// Which.
        uids: UidSet,
    },
    /// Messages that are said to be here no more, along with most of the mailbox: hidden, and kept until the next pass confirms
    /// it (security S-13); or they are here all the same.
    Doubted {
        /// Under which UIDs were given.
        uidvalidity: UidValidity,
        /// Which.
        uids: UidSet,
        /// Whether they are in doubt.
        doubted: bool,
    },
    /// The server said where messages of this mailbox are in another: the placements there share their
    /// content with ours (decisions 12). Those here stay; for a move `Vanished` follows.
    Placed {
        /// The other mailbox.
        to: MailboxPath,
        /// The UIDVALIDITY of this mailbox.
        uidvalidity: UidValidity,
        /// The other's UIDVALIDITY, and pairs (UID here, UID there).
        copied: CopiedUids,
    },
    /// Under the new UIDVALIDITY: placements in `pairs` get their new UID, all others of this mailbox go; the
    /// mailbox's [`Base`] becomes `to` with UIDNEXT and HIGHESTMODSEQ 0.
    Rebase {
        /// The old one.
        from: UidValidity,
        /// The new one.
        to: UidValidity,
        /// (old UID, new UID), unique on both sides.
        pairs: Vec<(Uid, Uid)>,
    },
    /// The server renamed a mailbox of the account, with all that lies below; all of it keeps its messages.
    Renamed {
        /// What it was called.
        from: MailboxPath,
        /// What it is called now.
        to: MailboxPath,
        /// What divides names.
        delimiter: Option<char>,
    },
    /// The server deleted a mailbox of the account.
    Deleted {
        /// Which.
        mailbox: MailboxPath,
    },
    /// Everything up to here is recorded.
    Base(Base),
    /// The line broke, and this is recorded until then.
    Partly(Partly),
    /// The line broke while a mailbox that was numbered anew was compared: fingerprints that came until then; at most [`MAX_ROWS`].
    Identified {
        /// The new UIDVALIDITY.
        uidvalidity: UidValidity,
        /// Them.
        rows: Vec<IdentitySeen>,
    },
    /// Cache and server agreed at the end of this pass: for `synced_at`.
    Synced,
    /// Changes of journal entries, all or none.
    Ops(Vec<OpChange>),
}

/// What happens to one operation. Fields that are `None` stay.
#[derive(Clone, PartialEq, Debug)]
pub struct OpChange {
    /// Which.
    pub id: OpId,
    /// Its new state.
    pub state: OpState,
    /// Whether this begins another try: `attempts` rises by one.
    pub attempt: bool,
    /// Its mark.
    pub mark: Option<Mark>,
    /// Its targets, found again or resolved.
    pub targets: Option<Vec<Target>>,
    /// Which mailbox they were found in.
    pub here: Option<Meant>,
    /// Where its targets went.
    pub results: Option<Vec<Option<(UidValidity, u32)>>>,
    /// Not to be tried before, seconds since 1970.
    pub not_before: Option<i64>,
    /// Why it is parked, put off, or moot in a way that the person is told of.
    pub fault: Option<OpFault>,
}

impl OpChange {
    /// Nothing but a new state.
    #[must_use]
    pub const fn to(id: OpId, state: OpState) -> Self {
        Self { id, state, attempt: false, mark: None, targets: None, here: None, results: None, not_before: None, fault: None }
    }

    /// Parks it.
    #[must_use]
    pub fn park(id: OpId, fault: OpFault) -> Self {
        Self { fault: Some(fault), ..Self::to(id, OpState::Parked) }
    }

    /// Carries it out on `op`, all but the fault, whose sentence is the caller's.
    pub fn apply(&self, op: &mut Operation) {
        op.state = self.state;
        op.attempts = op.attempts.saturating_add(u32::from(self.attempt));
        op.mark = self.mark.or(op.mark);
        self.targets.iter().for_each(|targets| op.targets.clone_from(targets));
        self.here.iter().for_each(|here| op.here.clone_from(here));
        self.results.iter().for_each(|results| op.results.clone_from(results));
        op.not_before = self.not_before.unwrap_or(op.not_before);
    }
}

/// Why an operation is parked, put off or moot; the person reads a sentence made of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OpFault {
    /// The server said NO or BAD.
    Refused(Refusal),
    /// The mailbox cannot be changed.
    ReadOnly,
    /// The server keeps no such flags.
    FlagsNotKept,
    /// The mailbox was numbered anew, and the message could not be found again without doubt.
    NotFoundAgain,
    /// The line dropped, and whether the server did it cannot be told without doubt.
    CannotTell,
    /// Another mailbox has the name of the one that was meant.
    AnotherMailbox,
    /// Its messages are not there any more: somebody else moved or deleted them.
    Gone,
    /// The server gives no UIDVALIDITY: its numbers cannot be relied on.
    NoUidValidity,
    /// The mailbox does not keep its UIDVALIDITY, and nothing can be done in it until it does: put off, not parked.
    Unstable,
    /// The mailbox would be deleted with messages that an earlier, parked operation wants saved.
    Before,
}

/// What came back. Every step ends in one of the others; only `Part` may come before.
#[derive(Clone, PartialEq, Debug)]
pub enum Reply {
    /// Some of the answer.
    Part(Part),
    /// It is done, the answer is whole.
    End {
        /// How long it took, in milliseconds, for the size of the next window. 0 for Records.
        ms: u32,
    },
    /// NO or BAD: it was not done.
    Refused(Refusal),
    /// The connection ended (or the program wants to): it may or may not have been done.
    LineLost,
    /// It was not begun: something else is more urgent. The line holds, the pass ends.
    GaveWay,
}

/// Some of an answer.
#[derive(Clone, PartialEq, Debug)]
pub enum Part {
    /// To `Select`.
    Selected(Selected),
    /// To `FlagsOf`.
    Flags(Vec<FlagsSeen>),
    /// To `Uids`.
    Uids(UidSet),
    /// To `Envelopes`.
    Envelopes(Vec<EnvelopeSeen>),
    /// To `Identify` and `CachedIdentities`.
    Identities(Vec<IdentitySeen>),
    /// To `TargetMark`, with the server's own name of the mailbox (MAILBOXID), or "".
    Marked(Mark, String),
    /// To `Mailboxes`.
    Mailboxes(Vec<ListedMailbox>),
    /// COPYUID, to `Move` and `Copy`.
    Copied(CopiedUids),
    /// APPENDUID, to `Append`.
    Appended(UidValidity, Uid),
}

/// A tagged NO or BAD.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// Its response code.
    pub code: Code,
    /// Its text: untrusted, for a person only, never judged.
    pub text: String,
}

/// Response codes (RFC 5530, RFC 9051) as far as they differ in what follows from them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Code {
    /// TRYCREATE or NONEXISTENT: there is no such mailbox.
    NoMailbox,
    /// ALREADYEXISTS.
    AlreadyExists,
    /// OVERQUOTA.
    OverQuota,
    /// NOPERM, READ-ONLY, CONTACTADMIN, CANNOT.
    NotAllowed,
    /// TOOBIG, or the like for APPEND.
    TooBig,
    /// UNAVAILABLE, INUSE, SERVERBUG, LIMIT, EXPUNGEISSUED: later it may work.
    Later,
    /// AUTHENTICATIONFAILED, AUTHORIZATIONFAILED, EXPIRED, PRIVACYREQUIRED: the session is not good (any more).
    Login,
    /// A tagged BAD: the server did not understand us.
    Bad,
    /// The file in `spool/` cannot be read: there is nothing to send. Not of the server.
    NoSpool,
    /// NO without a code, or with one that we do not know.
    Other,
}

impl Code {
    /// Whether trying again without a person's act makes sense.
    #[must_use]
    pub const fn is_transient(self) -> bool {
        matches!(self, Self::Later | Self::Login)
    }
}
