//! cli — the door: the command line and the head-less verbs.
//! Owns: arguments, exit codes, what verbs print.
//! May import: every room.   Never: decides about mail; that is the engine's and `mail`'s.
//! Start reading at: `run`, then `args.rs` for the whole command line; one file a verb.
//! Tested by: tests/cli, with the real binary.

mod account;
mod account_find;
pub mod args;
mod change;
mod complete;
mod config;
mod demo;
pub mod demo_mail;
mod doctor;
pub mod exit;
mod export;
mod import;
mod keys;
mod look;
pub mod mail_args;
mod mailbox;
mod manual;
mod output;
mod place;
mod prompt;
mod reader;
mod rescue;
mod rows;
mod send;
mod session;
mod show;
mod sync;
mod watch;

use crate::base::log::{self, Level};
use crate::base::paths::Paths;
use crate::config::{Config, ConfigError};
use args::{Args, ConfigVerb, Options, QueueVerb, Verb};
use change::Change;
use clap::Parser;
use exit::Failure;
use mail_args::OutboxVerb;
use output::Out;
use std::process::ExitCode;

/// What every verb gets.
pub struct Door {
    /// The options that stand before the verb.
    pub options: Options,
    /// Where everything is.
    pub paths: Paths,
}

impl Door {
    /// Of the options.
    fn new(options: Options) -> Result<Self, Failure> {
        let found = options.profile.as_ref().map_or_else(Paths::of_user, |dir| Some(Paths::of_profile(dir)));
        let mut paths = found.ok_or_else(|| {
            Failure::new(exit::CONFIG, "there is no home directory", "Set HOME, or say where everything is with --profile DIR")
        })?;
        if let Some(file) = &options.config {
            paths.config.clone_from(file);
        }
        Ok(Self { options, paths })
    }

    /// Reads the configuration.
    ///
    /// # Errors
    /// 78 with file, line and column.
    pub fn read_config(&self) -> Result<Config, Failure> {
        self.named_is_there()?;
        Ok(Config::load(&self.paths.config)?)
    }

    /// Reads the configuration as far as it can be understood, and what is wrong with it.
    ///
    /// # Errors
    /// 78 if it cannot be read.
    pub fn understood(&self) -> Result<(Config, Vec<ConfigError>), Failure> {
        self.named_is_there()?;
        Ok(Config::read(&self.paths.config)?)
    }

    fn named_is_there(&self) -> Result<(), Failure> {
        // A first start has no file; a file that was named is meant to be there.
        if self.options.config.is_some() && !self.paths.config.exists() {
            let what = format!("{} is not there", self.paths.config.display());
            return Err(Failure::new(exit::CONFIG, &what, "`postrider config example` prints one to begin with"));
        }
        Ok(())
    }

    /// Reads the configuration, and says on standard error what is unwise in it.
    ///
    /// # Errors
    /// As [`Self::read_config`].
    pub fn config(&self) -> Result<Config, Failure> {
        let config = self.read_config()?;
        for warning in &config.warnings {
            exit::say(warning.as_str());
        }
        Ok(config)
    }

    /// Begins the log. Without one everything works, so that is only said.
    pub fn log(&self) {
        if let Err(error) = log::start(&self.paths.log(), self.options.log) {
            exit::say(&format!("there is no log ({error})"));
        }
    }
}

/// The whole program: reads the command line, runs the verb, ends with its exit code.
#[must_use]
pub fn run() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return exit::of_clap(&error),
    };
    match verb(args) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => failure.end(),
    }
}

fn verb(args: Args) -> Result<u8, Failure> {
    let door = Door::new(args.options)?;
    // The reader has the terminal for itself.
    let screen = matches!(args.verb, None | Some(Verb::Demo | Verb::Compose(_)));
    match (door.options.verbose, screen) {
        (0, _) | (_, true) => {}
        (1, _) => log::echo(Level::Info),
        (2, _) => log::echo(Level::Debug),
        _ => log::echo(Level::Trace),
    }
    let mut out = Out::stdout();
    let code = match args.verb {
        None => reader::open(&door, &args.reader),
        Some(Verb::Compose(to)) => reader::compose(&door, &to.to),
        Some(Verb::Demo) => reader::demo(&door, &args.reader),
        Some(Verb::Sync(args)) => sync::run(&door, &args, &mut out),
        Some(Verb::Doctor(args)) => doctor::run(&door, &args, &mut out),
        Some(Verb::Watch(args)) => watch::run(&door, &args, &mut out),
        Some(Verb::Mailboxes(args)) => look::mailboxes(&door, &args, &mut out),
        Some(Verb::Mailbox { what }) => mailbox::run(&door, &what, &mut out),
        Some(Verb::List(args)) => look::list(&door, &args, &mut out),
        Some(Verb::Search(args)) => look::search(&door, &args, &mut out),
        Some(Verb::Show(args)) => show::run(&door, &args, &mut out),
        Some(Verb::Attachments(args)) => show::attachments(&door, &args, &mut out),
        Some(Verb::Flag(args)) => change::run(&door, &Change::Flag(&args)),
        Some(Verb::Move(args)) => change::run(&door, &Change::Move(&args)),
        Some(Verb::Copy(args)) => change::run(&door, &Change::Copy(&args)),
        Some(Verb::Delete(args)) => change::run(&door, &Change::Delete(&args)),
        Some(Verb::Archive(args)) => change::run(&door, &Change::Archive(&args)),
        Some(Verb::Undo { count, json }) => change::undo(&door, count, json, &mut out),
        Some(Verb::Send(args)) => send::run(&door, &args),
        Some(Verb::Outbox { what, json }) => look::outbox(&door, &what.unwrap_or(OutboxVerb::List), json, &mut out),
        Some(Verb::Queue { what, json }) => look::queue(&door, &what.unwrap_or(QueueVerb::List), json, &mut out),
        Some(Verb::Import(args)) => import::run(&door, &args, &mut out),
        Some(Verb::Export(args)) => export::run(&door, &args, &mut out),
        Some(Verb::Account { what }) => account::run(&door, what, &mut out),
        Some(Verb::Keys(keys)) => keys::run(&keys, &mut out),
        Some(Verb::Config { what }) => config::run(&door, what.unwrap_or(ConfigVerb::Path { json: false }), &mut out),
        Some(Verb::Completions { shell }) => complete::run(shell, &mut out),
        Some(Verb::Man) => manual::run(&mut out),
    }?;
    out.flush()?;
    Ok(code)
}

/// Compares what is generated with what is checked in; writes it first if POSTRIDER_WRITE_DOCS is set.
#[cfg(test)]
fn written(name: &str, fresh: &[u8]) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var_os("POSTRIDER_WRITE_DOCS").is_some() {
        std::fs::write(&path, fresh).unwrap();
    }
    let kept = std::fs::read(&path).unwrap_or_default();
    assert!(kept == fresh, "{name} is old. Write it anew: POSTRIDER_WRITE_DOCS=1 cargo test --lib checked_in");
}
