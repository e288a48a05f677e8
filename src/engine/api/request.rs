//! request — what the person can ask the engine to do. Nothing here waits for a network.
//! Owns: `Request`, `Ticket`, `Password`, `Piece`. May import: mail, base.
//! Start reading at: `Request`. Each is answered by one `Outcome` with its ticket: as soon as the intent is durable.

use super::JobId;
use crate::base::secret::Secret;
use crate::mail::body::PartPath;
use crate::mail::draft::Draft;
use crate::mail::flags::{FlagDelta, Flags};
use crate::mail::ids::{AccountName, DraftId, MailboxId, OpId, OutboxId, PlacementKey};
use crate::mail::mailbox::{MailboxPath, Role};
use crate::mail::ready::Addressing;
use std::fmt;
use std::path::PathBuf;

/// Names one request until its outcome has come. Ascending, never used again while the program runs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ticket(pub u64);

/// A password on its way from a prompt to a login. It shows itself nowhere and is overwritten when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Secret);

impl Password {
    /// Takes the text over.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Secret::new(text))
    }

    /// The secret, for the login.
    #[must_use]
    pub const fn secret(&self) -> &Secret {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// A change of the tree of mailboxes: durable and shown at once, told to the server when there is a network. All but
/// `Create` are on the undo stack. A refusal of the server is in the queue, with its words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MailboxAct {
    /// Make a mailbox, and subscribe to it.
    Create {
        /// Of this account.
        account: AccountName,
        /// With this whole name, parts divided as the account does it ([`crate::mail::row::MailboxRow::delimiter`]).
        path: MailboxPath,
    },
    /// Rename a mailbox, with all that lies below it. Not the inbox.
    Rename {
        /// This one.
        mailbox: MailboxId,
        /// Its new whole name.
        to: MailboxPath,
    },
    /// Delete a mailbox with its messages, and all that lies below it. It goes from the screen at once, the server is told
    /// after 10 s; until then it can be undone. The caller has asked. Not the inbox. `Done::count` is how many mailboxes.
    Delete {
        /// This one.
        mailbox: MailboxId,
    },
    /// Subscribe to a mailbox, or no more.
    Subscribe {
        /// This one.
        mailbox: MailboxId,
        /// Which of the two.
        on: bool,
    },
    /// Remove all messages: to Trash; out of Trash and Junk for ever (as [`Request::DeleteForever`]: the caller has asked).
    Empty {
        /// This one.
        mailbox: MailboxId,
    },
}

/// A message that the person brings along.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Brought {
    /// The message: CRLF.
    pub bytes: Vec<u8>,
    /// Its flags.
    pub flags: Flags,
    /// When it came, seconds since 1970.
    pub received: i64,
}

/// What can be asked for of a message that is not all here.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Piece {
    /// What is needed to read it.
    Text,
    /// All of it, as the server has it.
    Whole,
    /// One part: a file.
    Part(PartPath),
}

/// One thing to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request {
    /// Change flags.
    Flag {
        /// Of these messages.
        targets: Vec<PlacementKey>,
        /// In this way.
        delta: FlagDelta,
        /// Done by the program (opening marks as read): not on the undo stack (decisions 21).
        automatic: bool,
    },
    /// Move to another mailbox; messages of another account to that which is like it there (of the same role, else of the
    /// same name), so that each stays in its account.
    Move {
        /// These messages.
        targets: Vec<PlacementKey>,
        /// To here. Messages whose account has no such mailbox are refused, each by itself.
        to: MailboxId,
    },
    /// Copy to another mailbox, as [`Request::Move`] moves.
    Copy {
        /// These messages.
        targets: Vec<PlacementKey>,
        /// To here.
        to: MailboxId,
    },
    /// Move to the account's mailbox for a role: archive, junk, or (`Role::Trash`) delete.
    /// What is in Trash already stays there: deleting it for ever is another request.
    File {
        /// These messages.
        targets: Vec<PlacementKey>,
        /// To the mailbox of this role, which is made if the account has none.
        role: Role,
    },
    /// Delete for ever. The rows go at once, the server is told after 10 s; until then it can be undone.
    DeleteForever {
        /// These messages.
        targets: Vec<PlacementKey>,
    },
    /// Change the tree of mailboxes.
    Mailbox(MailboxAct),
    /// Take the last commands back, newest first.
    Undo {
        /// How many.
        count: u32,
    },
    /// Do again what was taken back last.
    Redo,
    /// Look at a mailbox: its news come first from now on.
    OpenMailbox(MailboxId),
    /// Sync now, and try all that waits for a pause to end.
    Refresh {
        /// One account, or all.
        account: Option<AccountName>,
    },
    /// Ask the servers for what a search cannot know here: words in texts that are not here, messages whose rows are not
    /// here. `Query::Search` for the same text shows what they find as it comes; `Changes::found` says when. Another one
    /// takes its place.
    AskServers {
        /// In the language of `mail::query`.
        text: String,
    },
    /// The search is not shown any more: stop asking, forget what was found.
    LeaveServers,
    /// Stop a job within a second; `Refresh` lets it go on.
    StopJob(JobId),
    /// A message could not be displayed, by a mistake of ours: after the second time nobody tries any more.
    Stumbled(PlacementKey),
    /// Get the body of a message that is not here, before everything else.
    FetchBody(PlacementKey),
    /// Get something of a message that is not here: a file, or all of it. It is written down: it comes also if the program
    /// ends before.
    FetchPart {
        /// Of this message.
        message: PlacementKey,
        /// This.
        piece: Piece,
    },
    /// What is kept of a mailbox on this machine, whatever the configuration says.
    KeepOffline {
        /// Of this one.
        mailbox: MailboxId,
        /// All its texts, or none ahead of need; none: as the configuration says.
        keep: Option<bool>,
    },
    /// The line costs money from now on, or no more: nothing is fetched ahead of need then. It holds for every window, and
    /// after a restart, until it is taken back.
    Metered(bool),
    /// What was asked for of a message is not wanted any more.
    ForgetPart {
        /// Of this message.
        message: PlacementKey,
        /// This.
        piece: Piece,
    },
    /// Log in with this password from now on (kept in memory only).
    Password {
        /// To this account.
        account: AccountName,
        /// With this.
        password: Password,
    },
    /// Try a parked operation again.
    QueueRetry(OpId),
    /// Give a pending or parked operation up; the messages look again as the server has them.
    QueueDrop(OpId),
    /// Save a draft, at every pause.
    SaveDraft {
        /// Which; none for a new one: its number comes with the outcome.
        id: Option<DraftId>,
        /// Under this account.
        account: AccountName,
        /// As it is now.
        draft: Box<Draft>,
    },
    /// Put messages into a mailbox, such as those of an mbox. Not on the undo stack.
    Import {
        /// Into this one.
        mailbox: MailboxId,
        /// These, in order: together they are held in memory once.
        messages: Vec<Brought>,
    },
    /// The composer of a draft was left: put it into Drafts on the server too, in place of the copy before.
    FileDraft(DraftId),
    /// Save an attachment as a file that only its owner can read. An existing file is never replaced: the name gets
    /// a number. The outcome has the path.
    SavePart {
        /// Of this message, whose text is here.
        message: PlacementKey,
        /// This part. If it is on the server only, it is fetched first, and the outcome comes then; without any connection
        /// to wait for it is written down (`Done::later`), and made when there is one.
        part: PartPath,
        /// Into this folder, which exists.
        folder: PathBuf,
        /// Under this name, as the person sees it; it is made safe again.
        name: String,
        /// Whether it is to be opened: what could run as a program is refused then.
        to_open: bool,
    },
    /// Copy parts of a message into the spool, for a forward; the outcome has the attachments. What is on the server only is
    /// asked for, durably, and named all the same (`away`): a mail that is sent before it is here waits in the outbox.
    AttachParts {
        /// Of this message, whose text is here.
        message: PlacementKey,
        /// These parts.
        parts: Vec<PartPath>,
    },
    /// Copy a file into the spool, so that it is here when the draft is sent; the outcome has the attachment.
    Attach {
        /// The file.
        path: PathBuf,
    },
    /// Freeze a draft and put it into the outbox.
    Send {
        /// The number under which it was saved, if it was.
        id: Option<DraftId>,
        /// Through this account.
        account: AccountName,
        /// As it is now.
        draft: Box<Draft>,
        /// The undo window in seconds.
        hold: u32,
    },
    /// Put a finished message into the outbox (`postrider send`).
    SendReady {
        /// Through this account.
        account: AccountName,
        /// As it came, any line ends.
        bytes: Vec<u8>,
        /// Where it goes.
        to: Addressing,
    },
    /// Throw a draft away, here and on the server.
    DiscardDraft(DraftId),
    /// Send a held, deferred, refused or unknown mail now.
    OutboxRetry(OutboxId),
    /// Do not send it: it becomes a draft again. Too late once it was accepted.
    OutboxCancel(OutboxId),
    /// A mail of unknown outcome did arrive: file it.
    OutboxMarkSent(OutboxId),
}
