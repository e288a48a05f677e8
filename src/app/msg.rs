//! msg — what comes into the app and what goes out of it, as values.
//! Owns: `Msg`, `Effect`, `Note`, `Slot` numbers. May import: engine::api, mail, base.
//! Start reading at: `Msg`, then `Effect`.

use super::compose::ComposeKey;
use super::compose::attach::Entry;
use super::compose::desk::Errand;
use super::key::Key;
use crate::base::safetext::SafeText;
use crate::config::Notify;
use crate::config::discovery::Found;
use crate::config::edit::NewAccount;
use crate::engine::api::{Fault, News, Password, Query, Request, Slot};
use crate::mail::ids::{AccountName, PlacementKey};
use std::path::PathBuf;
use std::time::Duration;

/// The mailboxes.
pub const FOLDERS: Slot = Slot(0);
/// The list of a mailbox.
pub const LIST: Slot = Slot(1);
/// The open message.
pub const READER: Slot = Slot(2);
/// The search.
pub const SEARCH: Slot = Slot(3);
/// Outgoing mail.
pub const OUTBOX: Slot = Slot(4);
/// Waiting changes.
pub const QUEUE: Slot = Slot(5);
/// A conversation that is unfolded.
pub const UNFOLD: Slot = Slot(6);
/// The messages of a folded conversation that a command acts on.
pub const GATHER: Slot = Slot(7);
/// The message that is answered.
pub const WRITE: Slot = Slot(8);
/// Names that the composer offers.
pub const NAMES: Slot = Slot(9);
/// Unfinished mails.
pub const DRAFTS: Slot = Slot(10);
/// The one to go on with.
pub const RESUME: Slot = Slot(11);
/// What runs.
pub const JOBS: Slot = Slot(12);
/// How full accounts are.
pub const QUOTAS: Slot = Slot(13);

/// The open message's layout, where it takes long.
pub const PAGE: Slot = Slot(12);

/// The messages of conversations that are unfolded, asked for again: the nearest ones to the cursor.
pub const RENEW: std::ops::Range<u16> = 100..108;

/// Whether a slot is one of [`RENEW`].
#[must_use]
pub fn renews(slot: Slot) -> bool {
    RENEW.contains(&slot.0)
}

/// Something happened.
pub enum Msg {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted.
    Paste(String),
    /// The mouse pressed on a line of a place.
    Click(Spot, usize),
    /// The wheel was turned over a place; `true` is down.
    Wheel(Spot, bool),
    /// The mouse pressed on a column and a row of the composer.
    Point(u16, u16),
    /// The outside editor ended: its text, or a sentence.
    Edited(ComposeKey, Result<String, String>),
    /// What lies in a folder, as it was asked for.
    Listed(String, Vec<Entry>),
    /// The engine has news.
    News(Box<News>),
    /// The window has this size now: columns and rows.
    Resize(u16, u16),
    /// The test of a new account has ended; where it went well, the account is saved.
    Tried(Result<AccountName, Refusal>),
    /// The search for the servers of this address has ended.
    Found(String, Found),
    /// A deadline has come.
    Tick,
}

impl Msg {
    /// Whether the person may be waiting to see what becomes of it; else it came by itself.
    #[must_use]
    pub fn is_waited_for(&self) -> bool {
        match self {
            Self::News(news) => !news.answers.is_empty() || !news.outcomes.is_empty() || !news.compose.is_empty(),
            _ => true,
        }
    }
}

/// Why a new account was not saved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The step that failed: "Logging in to imap.example.org".
    pub step: SafeText,
    /// Why.
    pub fault: Box<Fault>,
    /// Whether it was about the server that sends.
    pub outgoing: bool,
}

/// What time it is, twice.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Now {
    /// Since the start: for waiting.
    pub since: Duration,
    /// Seconds since 1970: for what is shown.
    pub civil: i64,
}

/// A place of the screen that can be pointed at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Spot {
    /// The mailboxes.
    Folders,
    /// The list.
    Messages,
    /// The open message.
    Reader,
    /// What lies over the screen.
    Popup,
}

/// Something to be done outside.
#[derive(Clone, PartialEq, Debug)]
pub enum Effect {
    /// Ask the store. The asker is told the generation by `App::asked`.
    Query(Slot, Query),
    /// Ask the engine. The asker is told the ticket by `App::sent`.
    Request(Request, Note),
    /// Put text on the clipboard.
    Copy(SafeText),
    /// Put a text of several lines on the clipboard; it is what the person selected in the composer.
    CopyText(String),
    /// Run the person's editor on a text; [`Msg::Edited`] brings it back.
    Edit(ComposeKey, String),
    /// Run a command of the shell with these bytes as its input.
    Pipe(String, Vec<u8>),
    /// Read a folder, named as it was typed; [`Msg::Listed`] brings it.
    ListFolder(String),
    /// Open an address of a link with the desktop's program.
    OpenLink(String),
    /// Open a file that was saved for it with the desktop's program.
    OpenFile(PathBuf),
    /// Look for the servers of this address; `Msg::Found` answers. A search that runs is not waited for any more.
    FindServers(String),
    /// Test a new account and save it; `Msg::Tried` answers.
    TryAccount(Box<NewAccount>, Option<Password>),
    /// Stop that test: nothing is saved.
    StopTrial,
    /// Begin again with the configuration as it is now; the password is for this account.
    Reopen(AccountName, Option<Password>),
    /// Tell of new mail in these ways.
    Notify(SafeText, Vec<Notify>),
    /// Look like this theme from now on.
    Theme(String),
    /// Draw everything anew.
    Redraw,
    /// Stop, until the shell brings us back.
    Suspend,
    /// Leave.
    Quit,
}

/// What an outcome is for: what is said when it comes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Note {
    /// Nothing, unless it fails.
    Silent,
    /// "archived 5", with how to take it back.
    Did {
        /// "archived", "moved".
        verb: &'static str,
        /// "to Archive".
        to: Option<SafeText>,
    },
    /// Something was done to a mailbox.
    Tree {
        /// What, in words.
        text: SafeText,
        /// Whether it can be taken back.
        undo: bool,
    },
    /// Something was taken back.
    Undo,
    /// Something was done again.
    Redo,
    /// A file was saved.
    Saved,
    /// A file of this message was saved to be opened.
    Open(PlacementKey),
    /// Something of a composer.
    Compose(ComposeKey, Errand),
    /// A mail was taken back before it went.
    Unsend,
    /// A password was handed over.
    Password(AccountName),
    /// The line is spared from now on, or no more.
    Metered(bool),
}
