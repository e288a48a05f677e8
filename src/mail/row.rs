//! row — what lists show: rows of messages and mailboxes as the store gives them and the screen draws them.
//! Owns: `MessageRow`, `MailboxRow`, `RowCursor`, `View`.
//! May import: base.
//! Start reading at: `MessageRow`.

use super::address::Address;
use super::flags::Flags;
use super::ids::{AccountName, MailboxId, MessageKey, PlacementKey, ThreadKey};
use super::mailbox::{MailboxPath, Role};
use super::rights::Rights;

/// One row of a message list; in threaded lists, the newest message of a conversation. All text is untrusted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MessageRow {
    /// What a command acts on, and the `id` in JSON.
    pub id: PlacementKey,
    /// The content.
    pub message: MessageKey,
    /// The conversation.
    pub thread: ThreadKey,
    /// Whose.
    pub account: AccountName,
    /// Where.
    pub mailbox: MailboxId,
    /// The UID; none while the server has not numbered it yet.
    pub uid: Option<u32>,
    /// The order of rows: `received << 24 | n`, unique, descending in lists (decisions 14).
    pub sort: i64,
    /// INTERNALDATE, seconds since 1970.
    pub received: i64,
    /// The first author.
    pub from: Address,
    /// The first recipients (at most three): shown instead of the author in Sent and Drafts.
    pub to: Vec<Address>,
    /// Decoded.
    pub subject: String,
    /// The first words of the body, "" until they are known.
    pub preview: String,
    /// What the person sees: the journal applied over the server's flags.
    pub flags: Flags,
    /// Octets.
    pub size: u64,
    /// How many attachments.
    pub attachments: u32,
    /// Whether the body is here.
    pub cached: bool,
    /// Messages of the conversation in this mailbox; 1 in unthreaded lists.
    pub thread_total: u32,
    /// Unread ones among them.
    pub thread_unread: u32,
    /// The depth in the conversation when it is unfolded, else 0.
    pub depth: u16,
    /// `Message-ID`, "" without.
    pub message_id: String,
}

/// One row of the folder pane. All text is untrusted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MailboxRow {
    /// Its number in this cache.
    pub id: MailboxId,
    /// Whose.
    pub account: AccountName,
    /// Its name.
    pub path: MailboxPath,
    /// The hierarchy delimiter.
    pub delimiter: Option<char>,
    /// What it is for.
    pub role: Option<Role>,
    /// Whether it can hold messages.
    pub selectable: bool,
    /// Whether the person subscribed to it.
    pub subscribed: bool,
    /// Visible messages here in the cache, or what STATUS said before the first sync.
    pub total: u32,
    /// Unread ones among them.
    pub unread: u32,
    /// When it last agreed with the server, seconds since 1970; 0 for never.
    pub synced_at: i64,
    /// What the person may do to it; none if that is not known: then everything is offered.
    pub rights: Option<Rights>,
    /// Whether the person chose in the reader to keep all its texts here (true), or to have none ahead of need (false).
    pub offline: Option<bool>,
}

impl MailboxRow {
    /// Whether it is for its account what `other` is for another one: of the same role, or, where neither has one, of the
    /// same name.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        // The parts of a name, whatever divides them.
        let name = |row: &Self| row.delimiter.map_or(row.path.as_str().to_owned(), |d| row.path.as_str().replace(d, "\0"));
        match (self.role, other.role) {
            (None, None) => name(self) == name(other),
            (mine, theirs) => mine == theirs,
        }
    }
}

/// Where a page of rows starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RowCursor {
    /// At the newest row.
    Newest,
    /// At the oldest rows.
    Oldest,
    /// Rows with `sort` at most this, descending.
    From(i64),
    /// Rows with `sort` at least this: the page that ends here.
    UpTo(i64),
    /// From the nearest row below this `sort` with something unread in it; if there is none, from the newest such row of
    /// all. No rows if all is read.
    NextUnread(i64),
    /// ... above this `sort`; if there is none, the oldest such row of all.
    PreviousUnread(i64),
}

/// What a list is a list of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum View {
    /// One mailbox.
    Mailbox(MailboxId),
    /// The inboxes of all accounts as one.
    Inboxes,
    /// All that is unread, of all accounts; not what lies in Trash or Junk. Always single messages.
    Unread,
    /// All that is starred, of all accounts; not what lies in Trash or Junk. Always single messages.
    Flagged,
}

impl View {
    /// Whether the view can show conversations as one row each.
    #[must_use]
    pub const fn can_thread(self) -> bool {
        matches!(self, Self::Mailbox(_) | Self::Inboxes)
    }
}

impl From<MailboxId> for View {
    fn from(mailbox: MailboxId) -> Self {
        Self::Mailbox(mailbox)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::fixtures::mailbox;

    #[test]
    fn mailboxes_are_alike_by_role_else_by_name() {
        let row = |name: &str, role| mailbox(1, "a", name, role);
        assert!(row("Archive", Some(Role::Archive)).is_like(&row("Archiv 2024", Some(Role::Archive))));
        assert!(!row("Archive", Some(Role::Archive)).is_like(&row("Archive", None)));
        let dotted = MailboxRow { delimiter: Some('.'), ..row("Lists.rust", None) };
        assert!(row("Lists/rust", None).is_like(&dotted) && !row("Lists", None).is_like(&dotted));
    }
}
