//! mail_args — the command line of the verbs that are about mail.
//! Owns: one struct of arguments for each of them, and their words of help.
//! May import: nothing of ours.
//! Start reading at: `args::Verb`, which names them all.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// `postrider sync`
#[derive(Args, Debug, Default)]
pub struct Sync {
    /// Only this account
    #[arg(long, value_name = "ACCOUNT")]
    pub account: Option<String>,
    /// Only this mailbox
    #[arg(long, value_name = "MAILBOX")]
    pub mailbox: Option<String>,
    /// Which bodies are fetched; without it, what `keep` says
    #[arg(long, value_name = "WHICH")]
    pub bodies: Option<Bodies>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// Which bodies a pass fetches.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bodies {
    /// None
    None,
    /// Those of the last 90 days
    Recent,
    /// All
    All,
}

/// `postrider watch`
#[derive(Args, Debug, Default)]
pub struct Watch {
    /// One JSON object a line for each event
    #[arg(long)]
    pub json: bool,
    /// A command for `sh -c` on new mail; the new messages come on its standard input, one JSON object a line
    #[arg(long, value_name = "CMD")]
    pub exec: Option<String>,
}

/// Whether a verb prints for people or for programs.
#[derive(Args, Debug, Default)]
pub struct Json {
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `postrider list`
#[derive(Args, Debug)]
pub struct List {
    /// A mailbox, a role such as `archive`, or ACCOUNT/MAILBOX; the inbox if left out
    #[arg(value_name = "MAILBOX")]
    pub mailbox: Option<String>,
    /// Of this account
    #[arg(long, value_name = "ACCOUNT")]
    pub account: Option<String>,
    /// At most N rows
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub limit: u32,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `postrider search`
#[derive(Args, Debug)]
pub struct Search {
    /// Words and from: to: subject: body: is: has: before: after: in:
    #[arg(value_name = "QUERY", required = true)]
    pub query: Vec<String>,
    /// At most N rows
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub limit: u32,
    /// As JSON
    #[arg(long)]
    pub json: bool,
    /// Ask the server too
    #[arg(long)]
    pub server: bool,
}

/// `postrider show`
#[derive(Args, Debug)]
pub struct Show {
    /// The number that list and search print
    #[arg(value_name = "ID")]
    pub id: i64,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub form: Form,
}

/// How a message is shown.
#[derive(Args, Debug, Default)]
#[group(multiple = false)]
pub struct Form {
    /// The message as it was sent
    #[arg(long)]
    pub raw: bool,
    /// All header fields
    #[arg(long)]
    pub headers: bool,
    /// The text alone
    #[arg(long)]
    pub text: bool,
    /// The HTML part as it is
    #[arg(long)]
    pub html: bool,
    /// The tree of its parts
    #[arg(long)]
    pub structure: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `postrider attachments`
#[derive(Args, Debug)]
pub struct Attachments {
    /// The number that list and search print
    #[arg(value_name = "ID")]
    pub id: i64,
    /// Save them into this folder, made if missing; a file that is there is never replaced
    #[arg(long, value_name = "DIR")]
    pub save: Option<PathBuf>,
    /// Only this part, such as 2 or 2.1
    #[arg(long, value_name = "P")]
    pub part: Option<String>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// Messages that something is done to.
#[derive(Args, Debug, Default)]
pub struct Targets {
    /// The numbers that list and search print
    #[arg(value_name = "ID", required = true)]
    pub ids: Vec<i64>,
    /// Come back when the server agrees
    #[arg(long)]
    pub wait: bool,
}

/// `postrider flag`
#[derive(Args, Debug)]
#[command(group(clap::ArgGroup::new("delta").args(["add", "remove"]).required(true).multiple(true)))]
pub struct Flag {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub on: Targets,
    /// Set this: seen, flagged, answered, draft, or a keyword
    #[arg(long, value_name = "FLAG")]
    pub add: Vec<String>,
    /// Clear this
    #[arg(long, value_name = "FLAG")]
    pub remove: Vec<String>,
}

/// `postrider move` and `copy`
#[derive(Args, Debug)]
pub struct Into {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub on: Targets,
    /// To this mailbox, or a role such as `archive`
    #[arg(long, value_name = "MAILBOX")]
    pub to: String,
}

/// `postrider delete`
#[derive(Args, Debug)]
pub struct Delete {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub on: Targets,
    /// For ever, not to Trash
    #[arg(long)]
    pub forever: bool,
}

/// `postrider import`
#[derive(Args, Debug)]
pub struct Import {
    /// An mbox, a maildir, a folder of .eml files, or one message
    #[arg(value_name = "PATH")]
    pub path: PathBuf,
    /// Into this mailbox, or a role such as `archive`
    #[arg(long, value_name = "MAILBOX")]
    pub into: String,
    /// Of this account
    #[arg(long, value_name = "ACCOUNT")]
    pub account: Option<String>,
    /// Come back when the server has everything
    #[arg(long)]
    pub wait: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `postrider export`
#[derive(Args, Debug)]
pub struct Export {
    /// As in search: in:archive, from:ann before:2024-01-01
    #[arg(value_name = "QUERY", required = true)]
    pub query: Vec<String>,
    /// A new file for an mbox, else a folder
    #[arg(long, value_name = "PATH")]
    pub to: PathBuf,
    /// How
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Mbox)]
    pub format: Format,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// What an export writes.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// One file, in the dialect mboxrd
    Mbox,
    /// A maildir
    Maildir,
    /// A file for each message
    Eml,
}

/// `postrider mailbox …`
#[derive(Subcommand, Debug)]
pub enum MailboxVerb {
    /// Make a mailbox
    Create {
        /// Its name: Lists/Rust, or ACCOUNT/Lists/Rust
        #[arg(value_name = "NAME")]
        name: String,
        #[command(flatten)]
        #[allow(missing_docs)]
        how: OnMailbox,
    },
    /// Rename a mailbox, with all that lies below it
    Rename {
        /// The mailbox, or ACCOUNT/MAILBOX
        mailbox: String,
        /// Its new whole name
        #[arg(value_name = "NAME")]
        name: String,
        #[command(flatten)]
        #[allow(missing_docs)]
        how: OnMailbox,
    },
    /// Delete a mailbox with its messages, and all that lies below it; for ten seconds `postrider undo` takes it back
    Delete {
        /// The mailbox, or ACCOUNT/MAILBOX
        mailbox: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        #[allow(missing_docs)]
        how: OnMailbox,
    },
    /// Subscribe to a mailbox
    Subscribe {
        /// The mailbox, or ACCOUNT/MAILBOX
        mailbox: String,
        #[command(flatten)]
        #[allow(missing_docs)]
        how: OnMailbox,
    },
    /// Subscribe to it no more
    Unsubscribe {
        /// The mailbox, or ACCOUNT/MAILBOX
        mailbox: String,
        #[command(flatten)]
        #[allow(missing_docs)]
        how: OnMailbox,
    },
    /// Move all its messages to Trash; those in Trash and Junk are deleted for ever
    Empty {
        /// The mailbox, or ACCOUNT/MAILBOX
        mailbox: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        #[allow(missing_docs)]
        how: OnMailbox,
    },
}

/// Options of all `mailbox` verbs.
#[derive(Args, Debug, Default)]
pub struct OnMailbox {
    /// Of this account
    #[arg(long, value_name = "ACCOUNT")]
    pub account: Option<String>,
    /// Come back when the server agrees
    #[arg(long)]
    pub wait: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `postrider send`
#[derive(Args, Debug, Default)]
pub struct Send {
    /// Take recipients from To, Cc and Bcc too
    #[arg(short = 't')]
    pub from_headers: bool,
    /// A line with a single dot is part of the message (it always is)
    #[arg(short = 'i')]
    pub dots: bool,
    /// The envelope sender; chooses the account
    #[arg(short = 'f', value_name = "FROM")]
    pub from: Option<String>,
    /// Recipients
    #[arg(value_name = "RCPT")]
    pub recipients: Vec<String>,
    /// Only put it into the outbox
    #[arg(long, conflicts_with = "wait")]
    pub queue_only: bool,
    /// Come back when the server has accepted it
    #[arg(long)]
    pub wait: bool,
}

/// `postrider outbox …`
#[derive(Subcommand, Debug)]
pub enum OutboxVerb {
    /// List what is not sent yet
    List,
    /// Try again now
    Retry {
        /// The number that the list prints
        id: i64,
    },
    /// Send it again although it may have arrived: for a mail whose outcome is not known
    Resend {
        /// The number that the list prints
        id: i64,
    },
    /// It did arrive, so file it: for a mail whose outcome is not known
    MarkSent {
        /// The number that the list prints
        id: i64,
    },
    /// Do not send it; it becomes a draft
    Cancel {
        /// The number that the list prints
        id: i64,
    },
    /// Show one
    Show {
        /// The number that the list prints
        id: i64,
    },
}

/// `postrider doctor`
#[derive(Args, Debug, Default)]
pub struct Doctor {
    /// Only this account
    #[arg(value_name = "ACCOUNT")]
    pub account: Option<String>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
    /// Write all that is said on the lines to this new file; secrets are left out
    #[arg(long, value_name = "FILE")]
    pub transcript: Option<PathBuf>,
}
