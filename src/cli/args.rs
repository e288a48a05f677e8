//! args — the whole command line, as interface.md promises it.
//! Owns: `Args`, `Options`, `Verb` and their words of help, which are also the manual page and the completions.
//! May import: base.
//! Start reading at: `Verb`.

use super::mail_args::{
    Attachments, Delete, Doctor, Export, Flag, Import, Into, Json, List, MailboxVerb, OutboxVerb, Search, Send, Show, Sync,
    Targets, Watch,
};
use crate::base::log::Level;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Parser, Subcommand};
use clap_complete::Shell;
use std::path::PathBuf;

/// A terminal mail reader that never waits for a network and never loses what you did.
#[derive(Parser, Debug)]
#[command(name = "postrider", version, disable_help_subcommand = false, max_term_width = 100)]
pub struct Args {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub options: Options,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub reader: Reader,
    #[command(subcommand)]
    #[allow(missing_docs)]
    pub verb: Option<Verb>,
}

/// Options of every verb; they stand before or after it.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct Options {
    /// Read the configuration from FILE
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// Keep everything below DIR: configuration, data, log, socket
    #[arg(long, value_name = "DIR", global = true)]
    pub profile: Option<PathBuf>,
    /// Open no connection
    #[arg(long, global = true)]
    pub offline: bool,
    /// How much goes to the log
    #[arg(long, value_name = "LEVEL", global = true, default_value = "info", value_parser = levels())]
    pub log: Level,
    /// Say on standard error what is done; -vv and -vvv say more of it
    #[arg(short, long = "verbose", global = true, action = ArgAction::Count)]
    pub verbose: u8,
}

/// The words of `--log`.
fn levels() -> impl TypedValueParser<Value = Level> {
    PossibleValuesParser::new(Level::ALL.map(Level::word)).map(|word| Level::parse(&word).unwrap_or_default())
}

/// Options of the reader itself.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct Reader {
    /// Open this account
    #[arg(long, value_name = "ACCOUNT")]
    pub account: Option<String>,
    /// Open this mailbox
    #[arg(long, value_name = "MAILBOX")]
    pub mailbox: Option<String>,
    /// Change nothing on any server
    #[arg(long)]
    pub read_only: bool,
}

/// `compose`
#[derive(clap::Args, Clone, Debug, Default)]
pub struct Compose {
    /// A `mailto:` link, or addresses
    #[arg(value_name = "MAILTO | ADDRESS")]
    pub to: Vec<String>,
}

/// The verbs. Without one, the reader opens.
#[derive(Subcommand, Debug)]
pub enum Verb {
    /// The reader on a throw-away mailbox: no account, no network, no file left behind
    Demo,
    /// Write a mail: open the composer, in the reader that runs already if there is one
    Compose(Compose),
    /// Add, list, test or remove accounts
    Account {
        #[command(subcommand)]
        #[allow(missing_docs)]
        what: AccountVerb,
    },
    /// One pass of synchronisation, with queued changes and outgoing mail
    Sync(Sync),
    /// Keep accounts in step without a screen, tell what happens, run a command on new mail
    Watch(Watch),
    /// List the mailboxes
    Mailboxes(Json),
    /// Make, rename, delete, subscribe to or empty mailboxes
    Mailbox {
        #[command(subcommand)]
        #[allow(missing_docs)]
        what: MailboxVerb,
    },
    /// List the messages of a mailbox, newest first
    List(List),
    /// Search everything that is here, newest first
    Search(Search),
    /// Show one message
    Show(Show),
    /// List or save the attachments of a message
    Attachments(Attachments),
    /// Set or clear flags
    Flag(Flag),
    /// Move messages to another mailbox of their account
    Move(Into),
    /// Copy messages to another mailbox of their account
    Copy(Into),
    /// Move messages to Trash
    Delete(Delete),
    /// Move messages to Archive
    Archive(Targets),
    /// Take the last changes back
    Undo {
        /// How many
        #[arg(value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
        count: u32,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Send the message on standard input, like sendmail
    Send(Send),
    /// What is not sent yet: list, retry, cancel, show
    Outbox {
        #[command(subcommand)]
        #[allow(missing_docs)]
        what: Option<OutboxVerb>,
        /// As JSON
        #[arg(long, global = true)]
        json: bool,
    },
    /// What the servers have not confirmed: list, retry, cancel
    Queue {
        #[command(subcommand)]
        #[allow(missing_docs)]
        what: Option<QueueVerb>,
        /// As JSON
        #[arg(long, global = true)]
        json: bool,
    },
    /// Bring messages along: from an mbox, a maildir, or single files
    Import(Import),
    /// Write what a search finds to an mbox, a maildir, or single files
    Export(Export),
    /// Check an account step by step and say what to do
    Doctor(Doctor),
    /// List every command of the reader with its keys
    Keys(Keys),
    /// Show where the configuration is, check it, print it, or print an example
    Config {
        #[command(subcommand)]
        #[allow(missing_docs)]
        what: Option<ConfigVerb>,
    },
    /// Print a completion script for a shell
    Completions {
        #[arg(value_name = "SHELL")]
        #[allow(missing_docs)]
        shell: Shell,
    },
    /// Print the manual page, for `man -l -`
    Man,
}

/// `postrider queue`
#[derive(Subcommand, Debug)]
pub enum QueueVerb {
    /// List the changes that a server has not confirmed
    List,
    /// Try again what a server refused
    Retry {
        /// The numbers that the list prints
        #[arg(value_name = "ID", required = true)]
        ids: Vec<i64>,
    },
    /// Give up what a server refused or was not told yet, a mailbox that was to be made among it: all is again as it is there
    #[command(visible_alias = "drop")]
    Cancel {
        /// The numbers that the list prints
        #[arg(value_name = "ID", required = true)]
        ids: Vec<i64>,
    },
}

/// `postrider keys`
#[derive(clap::Args, Debug)]
pub struct Keys {
    /// As Markdown
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `postrider config …`
#[derive(Subcommand, Debug)]
pub enum ConfigVerb {
    /// Print the file's path
    Path {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Say whether the file is in order
    Check {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Print what is in force, defaults included, passwords left out
    Show {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Print an example with comments
    Example,
}

/// `postrider account …`
#[derive(Subcommand, Debug)]
pub enum AccountVerb {
    /// Add an account: finds its servers, tests the login and saves it
    Add(Box<AccountAdd>),
    /// List the accounts
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Connect, log in, list capabilities; nothing is submitted
    Test {
        /// Its short name; all accounts if left out
        name: Option<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Take an account out of the configuration
    Remove {
        /// The account's short name
        name: String,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

/// `postrider account add`
#[derive(clap::Args, Debug, Default)]
pub struct AccountAdd {
    /// The mail address
    pub address: Option<String>,
    /// Where mail is: imaps://HOST[:PORT], or imap:// for STARTTLS
    #[arg(long, value_name = "URL", conflicts_with = "maildir")]
    pub imap: Option<String>,
    /// Where mail goes: smtps://HOST[:PORT], or smtp:// for STARTTLS
    #[arg(long, value_name = "URL")]
    pub smtp: Option<String>,
    /// Where mail is fetched from: pop3s://HOST[:PORT]
    #[arg(long, value_name = "URL", conflicts_with_all = ["maildir", "imap"])]
    pub pop3: Option<String>,
    /// Where mail is, on this machine
    #[arg(long, value_name = "DIR")]
    pub maildir: Option<PathBuf>,
    /// The login name, where it is not the address
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
    /// A command for `sh -c`; the first line that it prints is the password
    #[arg(long, value_name = "COMMAND")]
    pub password_command: Option<String>,
    /// Read the password for the test from standard input; it is not saved
    #[arg(long, conflicts_with = "password_command")]
    pub password_stdin: bool,
    /// Your name as recipients see it
    #[arg(long, value_name = "NAME")]
    pub display_name: Option<String>,
    /// A short name for the account
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Trust the certificates in this file too (PEM)
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Save without trying to log in
    #[arg(long)]
    pub no_test: bool,
    /// Agree with servers that were found and are neither of the address's domain nor of a well-known provider
    #[arg(long)]
    pub yes: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}
