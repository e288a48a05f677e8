//! query — what can be looked at, and how the answers look. All text in answers is untrusted unless it is `SafeText`.
//! Owns: `Query`, `Slot`, `Rows`, the row types that are not mail's own. May import: mail, base.
//! Start reading at: `Query`. A slot holds one question: a newer one replaces it, and the older is interrupted.

use super::{Fault, Job, Piece};
use crate::base::safetext::SafeText;
use crate::mail::address::Address;
use crate::mail::body::Message;
use crate::mail::draft::Draft;
use crate::mail::envelope::Envelope;
use crate::mail::ids::{AccountName, DraftId, GroupId, MailboxId, OpId, OutboxId, PlacementKey};
use crate::mail::intent::OpState;
use crate::mail::mailbox::MailboxPath;
use crate::mail::outgoing::OutboxState;
use crate::mail::page::{Page, Sheet};
use crate::mail::rights::Quota;
use crate::mail::row::{MailboxRow, MessageRow, RowCursor, View};
use std::sync::Arc;

/// The place (a pane, a picker) that asks. Numbers are the asker's own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Slot(pub u16);

/// A question to the store. None waits for a network.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Query {
    /// All mailboxes of all accounts, in display order.
    Mailboxes,
    /// How much room the accounts have, where that is limited. Changes with the mailboxes.
    Quotas,
    /// A page of a message list.
    Messages {
        /// Of this.
        view: View,
        /// One row a conversation, where the view can do that.
        threaded: bool,
        /// From here.
        cursor: RowCursor,
        /// At most so many rows.
        limit: u32,
    },
    /// All messages of the conversation of this one, oldest first, with depth.
    Thread(PlacementKey),
    /// One message to read.
    Message(PlacementKey),
    /// A message laid out for the screen, where that takes too long for who draws.
    Page(Sheet),
    /// Messages that match, newest first.
    Search {
        /// In the language of `mail::query`.
        text: String,
        /// The mailbox for which `in:` need not be said, if any.
        within: Option<MailboxId>,
        /// At most so many rows.
        limit: u32,
    },
    /// Addresses that begin so, likeliest first.
    Contacts {
        /// Of the name or the address.
        prefix: String,
        /// At most so many.
        limit: u32,
    },
    /// Outgoing mail that is not done.
    Outbox,
    /// Operations that the server has not confirmed.
    Queue,
    /// What runs that takes long, and what of it was stopped.
    Jobs,
    /// Unfinished mails, newest first.
    Drafts,
    /// One of them, to go on with.
    Draft(DraftId),
}

/// What a slot gets.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The number that `Engine::query` gave for the question: older ones can be dropped.
    pub generation: u64,
    /// The answer.
    pub rows: Result<Rows, Fault>,
}

/// The answers, by question.
#[derive(Clone, Debug)]
pub enum Rows {
    /// To `Query::Mailboxes`.
    Mailboxes(Vec<MailboxRow>),
    /// To `Query::Quotas`: each root with the account that it is of, in the order of the configuration.
    Quotas(Vec<(AccountName, Quota)>),
    /// To `Query::Messages`.
    Messages(MessagePage),
    /// To `Query::Thread`.
    Thread(Vec<MessageRow>),
    /// To `Query::Message`.
    Message(Box<MessageView>),
    /// To `Query::Page`, with what was asked.
    Page(Sheet, Box<Page>),
    /// To `Query::Search`.
    Search(SearchPage),
    /// To `Query::Contacts`.
    Contacts(Vec<Contact>),
    /// To `Query::Outbox`.
    Outbox(Vec<OutboxRow>),
    /// To `Query::Queue`.
    Queue(Vec<QueueRow>),
    /// To `Query::Jobs`, oldest first.
    Jobs(Vec<Job>),
    /// To `Query::Drafts`.
    Drafts(Vec<DraftRow>),
    /// To `Query::Draft`.
    Draft(Box<SavedDraft>),
}

/// A page of a message list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MessagePage {
    /// Of this.
    pub view: View,
    /// Whether conversations were asked for; see [`View::can_thread`].
    pub threaded: bool,
    /// Newest first.
    pub rows: Vec<MessageRow>,
    /// How many rows are above the first one.
    pub above: u32,
    /// How many rows the whole list has.
    pub total: u32,
}

/// What a search found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SearchPage {
    /// The text that was asked for.
    pub text: String,
    /// Newest first.
    pub rows: Vec<MessageRow>,
    /// Whether there are more than the limit.
    pub more: bool,
    /// Why the text is no query (with the rest of it searched for), if it is none.
    pub complaint: Option<SafeText>,
    /// How the servers stand with it, if they were asked for the same.
    pub servers: Option<ServerSearch>,
}

/// How a search at the servers stands ([`super::Request::AskServers`]).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ServerSearch {
    /// How many accounts are still being asked.
    pub asking: u32,
    /// How many of the rows only the servers found.
    pub found: u32,
    /// How many more they found, whose rows are not here yet.
    pub coming: u32,
    /// Whether it ended early: there are more than anybody reads.
    pub cut: bool,
    /// By account, why it could not be asked.
    pub faults: Vec<Fault>,
}

/// One message to read.
#[derive(Clone, Debug)]
pub struct MessageView {
    /// As in the list.
    pub row: MessageRow,
    /// The mailbox in which it lies.
    pub mailbox: MailboxPath,
    /// All headers that the server told; the body's own win once it is here.
    pub envelope: Envelope,
    /// The rest.
    pub body: Body,
    /// What else of it is asked for and not here.
    pub pieces: Vec<(Piece, PieceState)>,
}

/// How something stands that was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PieceState {
    /// There is no connection: it comes with the next one.
    Waits,
    /// On its way.
    Coming {
        /// Octets that are here.
        done: u64,
        /// Octets in all, about; 0 while the server was not reached yet.
        total: u64,
    },
    /// It could not be had, or was stopped.
    Failed(Fault),
}

/// Where the bytes of a message are.
#[derive(Clone, Debug)]
pub enum Body {
    /// Here, parsed; its raw bytes are in it.
    Here(Arc<Message>),
    /// Not here, and nothing of it is on its way.
    NotHere {
        /// Why.
        why: Away,
    },
    /// On its way.
    Coming {
        /// Octets that are here.
        done: u64,
        /// Octets in all; 0 while the server was not reached yet.
        total: u64,
    },
    /// It could not be had.
    Failed(Fault),
}

/// Why a text is not here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Away {
    /// Nobody asked for it; `Request::FetchBody` gets it.
    Unasked,
    /// It is asked for, and there is no connection: it comes with the next one.
    NoLine,
}

/// An address seen in the person's own mail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Contact {
    /// Who.
    pub address: Address,
    /// How likely it is meant: comparable within one answer.
    pub weight: i64,
}

/// One outgoing mail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutboxRow {
    /// Its number.
    pub id: OutboxId,
    /// Through which account.
    pub account: AccountName,
    /// `Message-ID`.
    pub message_id: String,
    /// The envelope sender.
    pub sender: String,
    /// The envelope recipients.
    pub recipients: Vec<String>,
    /// Its subject (untrusted: a script may have written it).
    pub subject: String,
    /// Where it stands.
    pub state: OutboxState,
    /// How often it was tried.
    pub attempts: u32,
    /// When the next try is due, or the hold ends, seconds since 1970; 0 if nothing is due.
    pub due: i64,
    /// Why it is not sent; empty if nothing is wrong.
    pub fault: SafeText,
    /// When the person sent it, seconds since 1970.
    pub created: i64,
}

/// One operation that the server has not confirmed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueueRow {
    /// Its number.
    pub id: OpId,
    /// The command that it belongs to.
    pub group: GroupId,
    /// Whose server.
    pub account: AccountName,
    /// In which mailbox.
    pub mailbox: MailboxPath,
    /// For a renamed mailbox, its new name.
    pub to: Option<MailboxPath>,
    /// `flag`, `move` and so on.
    pub kind: &'static str,
    /// In words, for a person: "move to Archive", "mark read".
    pub detail: SafeText,
    /// Of how many messages.
    pub count: u32,
    /// Where it stands.
    pub state: OpState,
    /// How often it was tried.
    pub attempts: u32,
    /// Why it is parked or put off; empty if it is neither.
    pub fault: SafeText,
    /// When the person did it, seconds since 1970.
    pub created: i64,
}

impl QueueRow {
    /// Whether it is about the mailbox itself, and not about messages.
    #[must_use]
    pub fn is_about_tree(&self) -> bool {
        self.kind.ends_with("_mailbox")
    }
}

/// A draft as it was saved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SavedDraft {
    /// Its number.
    pub id: DraftId,
    /// Under which account.
    pub account: AccountName,
    /// As it was.
    pub draft: Draft,
    /// When it was saved, seconds since 1970.
    pub saved: i64,
}

/// One unfinished mail in a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DraftRow {
    /// Its number.
    pub id: DraftId,
    /// Under which account.
    pub account: AccountName,
    /// The first recipients as typed.
    pub to: String,
    /// As typed.
    pub subject: String,
    /// When it was saved, seconds since 1970.
    pub saved: i64,
    /// The `Message-ID` of its copy in Drafts on the server, if it has one.
    pub copy: Option<String>,
}
