//! exit — how the program ends: sysexits codes and one sentence on standard error (interface.md, decisions 29).
//! Owns: the codes, `Failure`, how clap's complaints are reworded.
//! May import: base, config, engine.
//! Start reading at: `Failure::end`.

use crate::base::log;
use crate::base::safetext::SafeText;
use crate::config::edit::EditError;
use crate::config::{ConfigError, ConfigErrors};
use crate::engine::api::{Fault, Kind, Remedy};
use std::io::Write;
use std::process::ExitCode;

/// Done.
pub const OK: u8 = 0;
/// Some of it failed; each failure was said.
pub const SOME: u8 = 1;
/// Wrong usage.
pub const USAGE: u8 = 64;
/// Bad input data.
pub const DATA: u8 = 65;
/// No such mailbox or message.
pub const MISSING: u8 = 66;
/// A mistake of ours.
pub const SOFTWARE: u8 = 70;
/// Cannot write.
pub const CANNOT_WRITE: u8 = 73;
/// Not now; it is queued and will be tried again.
pub const TEMPORARY: u8 = 75;
/// Configuration.
pub const CONFIG: u8 = 78;

/// Why a verb ends early.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    /// What is wrong, without a full stop; empty for an end that needs no words.
    pub what: SafeText,
    /// What to do about it, or nothing.
    pub hint: SafeText,
    /// What else is wrong, each said by itself.
    pub more: Vec<Self>,
}

impl Failure {
    /// Of our own sentences around foreign words; made safe here.
    #[must_use]
    pub fn new(code: u8, what: &str, hint: &str) -> Self {
        Self { code, what: SafeText::line_max(what, 500), hint: SafeText::line_max(hint, 500), more: Vec::new() }
    }

    /// Says it and ends.
    #[must_use]
    pub fn end(&self) -> ExitCode {
        self.tell();
        ExitCode::from(self.code)
    }

    /// Says it.
    pub fn tell(&self) {
        if !self.what.is_empty() {
            let what = self.what.as_str().trim_end_matches('.');
            let stop = if what.ends_with(['?', '!']) { "" } else { "." };
            say(&format!("{what}{stop} {}", self.hint));
        }
        self.more.iter().for_each(Self::tell);
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new(CONFIG, &format!("{}: {}", error.place, error.what), error.hint.as_str())
    }
}

impl From<ConfigErrors> for Failure {
    fn from(errors: ConfigErrors) -> Self {
        Self { more: errors.rest.into_iter().map(Self::from).collect(), ..errors.first.into() }
    }
}

impl From<EditError> for Failure {
    fn from(error: EditError) -> Self {
        let what = error.to_string();
        match error {
            EditError::Config(error) => error.into(),
            EditError::Exists(_) => Self::new(USAGE, &what, "Choose another with --name, or remove it first"),
            EditError::Missing(_) => Self::new(USAGE, &what, "`postrider account list` shows them"),
            EditError::Name(_) => Self::new(USAGE, &what, "Choose one with --name"),
            EditError::Io(_) => Self::new(CANNOT_WRITE, &what, "Check the disk and the permissions"),
        }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        for cause in &fault.causes {
            log::warn("cli", format!("{fault}: {cause}"));
        }
        Self { code: fault.exit(), what: SafeText::line(&fault.to_string()), hint: SafeText::of(hint(&fault)), more: Vec::new() }
    }
}

/// What a person at a shell can do; the reader has keys for the same.
const fn hint(fault: &Fault) -> &'static str {
    match (&fault.remedy, fault.kind) {
        (Some(Remedy::EnterPassword(_)), Kind::NoPassword) => "Say in the configuration where the password comes from",
        (Some(Remedy::EnterPassword(_)), _) => "Check the login name, and where the password comes from",
        (Some(Remedy::Reconnect(_)), _) => "Check the network, and the server's name and port",
        (Some(Remedy::CreateMailbox(..) | Remedy::ChooseMailbox), _) => "`postrider mailboxes` lists what is there",
        (Some(Remedy::OpenQueue(_)), _) => "`postrider queue` shows it; `queue retry` and `queue cancel` end it",
        (Some(Remedy::OpenOutbox(_)), _) => "`postrider outbox` shows it",
        (Some(Remedy::EditAccount(_)), _) => "Check the account's block in the configuration",
        (Some(Remedy::TrustAuthority), _) => "`ca-file` in the account's block names it",
        (Some(Remedy::AddAccount), _) => "`postrider account add ADDRESS` adds one",
        (Some(Remedy::FreeSpace), _) => "Make room and try again",
        (Some(Remedy::OpenLog), _) => "The log may say more",
        (None, _) => "",
    }
}

impl From<std::io::Error> for Failure {
    /// Of writing the verb's output: a closed pipe ends quietly.
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self::new(OK, "", "");
        }
        Self::new(CANNOT_WRITE, &format!("cannot write ({error})"), "Check the disk and the permissions")
    }
}

/// Of a verb that stands in the contract and comes with a later version.
#[must_use]
pub fn not_built(what: &str) -> Failure {
    Failure::new(USAGE, &format!("{what} is not built in yet"), "`postrider help` lists what is")
}

/// One sentence on standard error, with the program's name. Nobody is left to tell if that fails.
pub fn say(sentence: &str) {
    let sentence = sentence.trim_end();
    let stop = if sentence.ends_with(['.', '?', '!']) { "" } else { "." };
    let _ = writeln!(std::io::stderr(), "postrider: {sentence}{stop}");
}

/// clap's errors in our form: 64 and one sentence; help and version go to standard output, 0.
#[must_use]
pub fn of_clap(error: &clap::Error) -> ExitCode {
    use clap::error::ErrorKind;
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let written = write!(std::io::stdout(), "{}", error.render());
        return written.map_or_else(|e| Failure::from(e).end(), |()| ExitCode::SUCCESS);
    }
    let text = error.render().to_string();
    let mut what = String::new();
    let mut hint = String::new();
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty()) {
        if let Some(tip) = line.strip_prefix("tip: ") {
            let mut letters = tip.chars();
            hint = letters.next().map_or(String::new(), |first| format!("{}{}", first.to_uppercase(), letters.as_str()));
        } else if let Some(values) = line.strip_prefix("[possible values: ") {
            hint = format!("Possible here: {}", values.trim_end_matches(']'));
        } else if line.starts_with("Usage:") || line.starts_with("For more information") {
            break;
        } else if what.is_empty() || !line.starts_with('[') {
            let line = line.strip_prefix("error: ").unwrap_or(line);
            let gap = if what.is_empty() { "" } else { " " };
            what = format!("{what}{gap}{line}");
        }
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        what = "this verb needs one more word".to_owned();
    }
    let hint = if hint.is_empty() { "`--help` says what can be written here".to_owned() } else { hint };
    Failure::new(USAGE, &what, &hint).end()
}
