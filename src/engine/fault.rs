//! fault — what went wrong, how far it reaches, and what can be done (architecture 3.14).
//! Owns: `Fault`, `Kind`, `Reach`, `Retry`, `Remedy`, the exit code of a kind.
//! May import: mail, base.
//! Start reading at: `Fault`. The rooms below have their own small error types; only `engine` turns them into
//! faults, from codes and never from prose. A remedy is data: `app` maps it to a command and prints its key.

use crate::base::safetext::SafeText;
use crate::mail::ids::{AccountName, OpId, OutboxId};
use crate::mail::mailbox::MailboxPath;
use std::fmt;

/// A failure as the person is told of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// One sentence without a final full stop: "mail.example.org does not answer".
    pub what: SafeText,
    /// What sort of failure it is.
    pub kind: Kind,
    /// How much had to be given up.
    pub reach: Reach,
    /// Whether and when it is tried again without being asked.
    pub retry: Retry,
    /// What the person can do about it.
    pub remedy: Option<Remedy>,
    /// Whose account it is about.
    pub account: Option<AccountName>,
    /// The chain of causes for the log and for `-v`, outermost first.
    pub causes: Vec<SafeText>,
}

/// The sort of a failure.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// No connection: no route, no name, no answer, or the line dropped.
    Unreachable,
    /// The certificate or the TLS handshake was refused.
    Tls,
    /// The server refused the login.
    Login,
    /// A password is needed and none is known.
    NoPassword,
    /// The server refused a command for good.
    Refused,
    /// The server cannot now; later it may.
    Busy,
    /// The server broke the protocol or one of our limits.
    Protocol,
    /// No such message, mailbox or row.
    Missing,
    /// The request makes no sense (not the server's doing).
    Usage,
    /// The data given are no good: not a message, no recipient.
    Data,
    /// A file or the disk: full, read-only, no permission.
    Disk,
    /// Our own files cannot be used: damaged, or written by a newer version.
    Store,
    /// The configuration.
    Config,
    /// Another process holds the profile and this needs to hold it.
    Held,
    /// Taken back or stopped before it was done.
    Cancelled,
    /// A mistake of ours.
    Bug,
    /// Nothing failed: words of the server that are for the person (IMAP's ALERT).
    Notice,
}

/// How much has to be abandoned for now.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reach {
    /// One message or one operation; everything else goes on.
    Message,
    /// One mailbox.
    Mailbox,
    /// One connection; a new one may be opened.
    Connection,
    /// Everything of one account.
    Account,
    /// The whole program.
    Program,
}

/// What happens next without anybody asking.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Retry {
    /// At once.
    Now,
    /// After a growing pause.
    Backoff,
    /// As soon as there is a network again.
    WhenOnline,
    /// Nothing, until the person has done something.
    NeedsUser,
    /// Nothing: trying again would fail again.
    Never,
}

/// What the person can do, as data.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Remedy {
    /// Enter a password for the account.
    EnterPassword(AccountName),
    /// Connect again now.
    Reconnect(Option<AccountName>),
    /// Make the mailbox that is missing.
    CreateMailbox(AccountName, MailboxPath),
    /// Look at the operation that is parked: try it again or drop it.
    OpenQueue(OpId),
    /// Look at the outgoing mail: send again, or say that it was sent.
    OpenOutbox(OutboxId),
    /// Change the configuration of the account.
    EditAccount(AccountName),
    /// Name the file of an authority that the account is to trust, or ask the provider.
    TrustAuthority,
    /// Add an account.
    AddAccount,
    /// Choose another mailbox for a role that the account does not have.
    ChooseMailbox,
    /// Make room on the disk.
    FreeSpace,
    /// Read the log.
    OpenLog,
}

impl Fault {
    /// Of a sentence of ours that holds foreign text; it is made safe here.
    #[must_use]
    pub fn new(kind: Kind, what: &str) -> Self {
        let (reach, retry) = kind.usual();
        Self { what: SafeText::line_max(what, 400), kind, reach, retry, remedy: None, account: None, causes: Vec::new() }
    }

    /// With another reach.
    #[must_use]
    pub const fn reaching(mut self, reach: Reach) -> Self {
        self.reach = reach;
        self
    }

    /// With another retry.
    #[must_use]
    pub const fn retrying(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// With a remedy.
    #[must_use]
    pub fn remedied(mut self, remedy: Remedy) -> Self {
        self.remedy = Some(remedy);
        self
    }

    /// About an account.
    #[must_use]
    pub fn of(mut self, account: &AccountName) -> Self {
        self.account = Some(account.clone());
        self
    }

    /// With one more cause behind it, made safe here.
    #[must_use]
    pub fn because(mut self, cause: &str) -> Self {
        self.causes.push(SafeText::line_max(cause, 1_000));
        self
    }

    /// A request about something that is not there (any more).
    #[must_use]
    pub fn missing(what: &str) -> Self {
        Self::new(Kind::Missing, what)
    }

    /// A mistake of ours, caught at a worker's edge.
    #[must_use]
    pub fn bug(what: &str) -> Self {
        Self::new(Kind::Bug, what).remedied(Remedy::OpenLog)
    }

    /// The exit code of a verb that ends by this fault (sysexits; decisions 29).
    #[must_use]
    pub const fn exit(&self) -> u8 {
        self.kind.exit()
    }
}

impl Kind {
    /// The exit code of a verb that ends by a fault of this kind.
    #[must_use]
    pub const fn exit(self) -> u8 {
        match self {
            Self::Unreachable | Self::Tls => 69,
            Self::Login | Self::NoPassword => 77,
            Self::Missing => 66,
            Self::Usage => 64,
            Self::Data | Self::Refused => 65,
            Self::Disk | Self::Store => 73,
            Self::Config => 78,
            Self::Busy | Self::Held | Self::Cancelled => 75,
            Self::Protocol => 76,
            Self::Bug => 70,
            Self::Notice => 0,
        }
    }

    /// Reach and retry where the place of the failure says nothing else.
    const fn usual(self) -> (Reach, Retry) {
        match self {
            Self::Notice => (Reach::Message, Retry::Never),
            Self::Unreachable => (Reach::Connection, Retry::WhenOnline),
            Self::Tls | Self::Login | Self::NoPassword | Self::Config => (Reach::Account, Retry::NeedsUser),
            Self::Busy | Self::Protocol => (Reach::Connection, Retry::Backoff),
            Self::Bug => (Reach::Connection, Retry::Backoff),
            Self::Refused | Self::Missing | Self::Usage | Self::Data | Self::Cancelled => (Reach::Message, Retry::Never),
            Self::Disk => (Reach::Program, Retry::Backoff),
            Self::Store | Self::Held => (Reach::Program, Retry::Never),
        }
    }

    /// `unreachable`, `tls` and so on: the `kind` in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Tls => "tls",
            Self::Login => "login",
            Self::NoPassword => "no_password",
            Self::Refused => "refused",
            Self::Busy => "busy",
            Self::Protocol => "protocol",
            Self::Missing => "missing",
            Self::Usage => "usage",
            Self::Data => "data",
            Self::Disk => "disk",
            Self::Store => "store",
            Self::Config => "config",
            Self::Held => "held",
            Self::Cancelled => "cancelled",
            Self::Bug => "bug",
            Self::Notice => "notice",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.account {
            Some(account) => write!(f, "{}: {}", SafeText::line(account.as_str()), self.what),
            None => self.what.fmt(f),
        }
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_text_cannot_reach_a_terminal_through_a_fault() {
        let fault = Fault::new(Kind::Refused, "the server says: \x1b]52;c;AAAA\x07").because("\u{202e}evil");
        assert!(!fault.to_string().contains('\x1b'));
        assert!(!fault.causes[0].as_str().contains('\u{202e}'));
    }

    #[test]
    fn exit_codes_are_those_of_the_contract() {
        let codes = [
            (Kind::Unreachable, 69),
            (Kind::Tls, 69),
            (Kind::Login, 77),
            (Kind::NoPassword, 77),
            (Kind::Missing, 66),
            (Kind::Refused, 65),
            (Kind::Disk, 73),
            (Kind::Config, 78),
            (Kind::Busy, 75),
        ];
        for (kind, code) in codes {
            assert_eq!(Fault::new(kind, "x").exit(), code, "{kind:?}");
        }
    }
}
