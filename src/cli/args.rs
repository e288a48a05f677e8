//! args — the whole command line, as interface.md promises it.
//! Owns: `Args`, `Options`, `Verb` and their words of help, which are also the manual page and the completions.
//! May import: nothing of ours.
//! Start reading at: `Verb`.

use clap::{ArgAction, Parser, Subcommand, ValueEnum};
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
    #[arg(long, value_name = "LEVEL", global = true, default_value = "info")]
    pub log: Level,
    /// Say more on standard error
    #[arg(short, long = "verbose", global = true, action = ArgAction::Count)]
    pub verbose: u8,
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

/// How much goes to the log.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
#[allow(missing_docs)]
pub enum Level {
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

/// The verbs. Without one, the reader opens.
#[derive(Subcommand, Debug)]
pub enum Verb {
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
#[derive(Subcommand, Debug, Default)]
pub enum ConfigVerb {
    /// Print the file's path
    #[default]
    Path,
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
