//! translate — the small errors of the rooms below as faults that a person can act on.
//! Owns: the only place where `NetError`, `StoreError`, `OpFault` and a server's refusal become sentences.
//! May import: net, store, engine/plan.
//! Start reading at: `net`. Decided by kinds and codes, never by prose.

use super::fault::{Fault, Kind, Reach, Remedy, Retry};
use super::plan::step::{Code, OpFault, Refusal};
use crate::base::safetext::SafeText;
use crate::mail::ids::AccountName;
use crate::net::error::{NetError, NetErrorKind, TlsReason};
use crate::store::{StoreError, StoreErrorKind};
use std::io;

/// A failure on the way to `host` (for a local account: its folder), on behalf of `account`.
#[must_use]
pub fn net(error: &NetError, host: &str, account: &AccountName) -> Fault {
    let host = SafeText::line_max(host, 100);
    let fault = match &error.kind {
        NetErrorKind::Unreachable => Fault::new(Kind::Unreachable, &format!("{host} cannot be reached")),
        NetErrorKind::Timeout => Fault::new(Kind::Unreachable, &format!("{host} does not answer")),
        NetErrorKind::Bye => Fault::new(Kind::Unreachable, &format!("{host} closed the connection")),
        NetErrorKind::Io(kind) => line_fault(*kind, &format!("the connection to {host} broke")),
        NetErrorKind::Tls(TlsReason::BadCaFile) => {
            Fault::new(Kind::Config, TlsReason::BadCaFile.sentence()).remedied(Remedy::TrustAuthority)
        }
        NetErrorKind::Tls(TlsReason::BadClientCert) => {
            Fault::new(Kind::Config, TlsReason::BadClientCert.sentence()).remedied(Remedy::EditAccount(account.clone()))
        }
        NetErrorKind::Tls(TlsReason::ClientRefused) => {
            let what = format!("{host} does not accept this account's certificate (client-cert), or wants one");
            Fault::new(Kind::Login, &what).remedied(Remedy::EditAccount(account.clone()))
        }
        NetErrorKind::Tls(reason) => {
            let what = format!("{host} is not trusted: {}; {}", reason.sentence(), advice(*reason));
            let own = matches!(reason, TlsReason::UnknownIssuer | TlsReason::SelfSigned);
            Fault::new(Kind::Tls, &what).remedied(if own { Remedy::TrustAuthority } else { Remedy::EditAccount(account.clone()) })
        }
        NetErrorKind::LoginRefused => Fault::new(Kind::Login, &format!("{host} refused the login name or the password"))
            .remedied(Remedy::EnterPassword(account.clone())),
        NetErrorKind::No { code } if code == "LIMIT" => {
            Fault::new(Kind::Busy, &format!("{host} allows no more connections")).reaching(Reach::Connection)
        }
        NetErrorKind::No { .. } => Fault::new(Kind::Refused, &format!("{host} refused")).reaching(Reach::Mailbox),
        NetErrorKind::Bad => Fault::new(Kind::Protocol, &format!("{host} did not understand us")).reaching(Reach::Mailbox),
        NetErrorKind::Protocol => Fault::new(Kind::Protocol, &format!("{host} broke the protocol")),
        NetErrorKind::Limit => Fault::new(Kind::Protocol, &format!("{host} sent more than is sane")),
        NetErrorKind::Cancelled => Fault::new(Kind::Cancelled, "stopped").reaching(Reach::Connection),
    };
    let fault = if error.text.is_empty() { fault } else { fault.because(error.text.as_str()) };
    let online = fault.kind == Kind::Unreachable && fault.remedy.is_none();
    let fault = if online { fault.remedied(Remedy::Reconnect(Some(account.clone()))) } else { fault };
    fault.of(account)
}

/// What to do about a server that is not trusted.
const fn advice(reason: TlsReason) -> &'static str {
    match reason {
        TlsReason::UnknownIssuer | TlsReason::SelfSigned => {
            "if that is your own, give its certificate as the account's CA file, else ask the provider"
        }
        TlsReason::Expired | TlsReason::NotYetValid => "if this machine's clock is right, ask the provider",
        TlsReason::WrongHost | TlsReason::NoSan => "if the server's name is right, ask the provider",
        TlsReason::PinMismatch => "if it was renewed, pin the new one, else ask the provider",
        TlsReason::NoStartTls => "another kind of security or another port may be meant",
        _ => "ask the provider",
    }
}

/// Words of the server for the person; they say from whom they are.
#[must_use]
pub fn alert(text: &SafeText, account: &AccountName) -> Fault {
    Fault::new(Kind::Notice, &format!("the server says: {text}")).of(account)
}

/// What the system says of a line, or of the folder of a local account. `what` is said where the kind has no sentence of its own.
fn line_fault(kind: io::ErrorKind, what: &str) -> Fault {
    match kind {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => full(),
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
            Fault::new(Kind::Disk, &format!("{what}: no permission")).retrying(Retry::NeedsUser)
        }
        _ => Fault::new(Kind::Unreachable, what),
    }
}

/// A file or folder on this machine that could not be made, written or read: `what`, and the system's reason.
#[must_use]
pub fn file_fault(error: &io::Error, what: &str) -> Fault {
    let fault = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => full(),
        _ => Fault::new(Kind::Disk, &format!("{what} ({error})")),
    };
    fault.reaching(Reach::Message).retrying(Retry::Never)
}

fn full() -> Fault {
    Fault::new(Kind::Disk, "the disk is full").remedied(Remedy::FreeSpace)
}

/// A failure of one of our two files.
#[must_use]
pub fn store(error: &StoreError) -> Fault {
    let fault = match error.kind {
        StoreErrorKind::Corrupt => Fault::new(Kind::Store, "a file of Postrider's own is damaged").remedied(Remedy::OpenLog),
        StoreErrorKind::Newer => Fault::new(Kind::Store, "the data were written by a newer Postrider, and are left as they are"),
        StoreErrorKind::Full => full(),
        StoreErrorKind::Busy => {
            Fault::new(Kind::Busy, "another Postrider is writing; nothing was changed").reaching(Reach::Message)
        }
        StoreErrorKind::Io => Fault::new(Kind::Disk, "the disk failed").remedied(Remedy::OpenLog),
        StoreErrorKind::Permission => {
            Fault::new(Kind::Disk, "a file of Postrider's own may not be used").retrying(Retry::NeedsUser)
        }
        StoreErrorKind::Interrupted | StoreErrorKind::Closed => Fault::new(Kind::Cancelled, "stopped"),
        StoreErrorKind::Missing => Fault::new(Kind::Missing, "this is not here any more"),
        StoreErrorKind::Invalid => Fault::new(Kind::Usage, "this is not possible"),
        StoreErrorKind::Bug => Fault::bug("a mistake of ours in the store"),
    };
    if error.detail.is_empty() { fault } else { fault.because(error.detail.as_str()) }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        store(&error)
    }
}

/// Why an operation is parked, as it is stored beside it: one safe sentence.
#[must_use]
pub fn op_fault(fault: &OpFault) -> SafeText {
    match fault {
        OpFault::Refused(refusal) => refused(refusal),
        OpFault::ReadOnly => SafeText::of("the mailbox cannot be changed"),
        OpFault::FlagsNotKept => SafeText::of("the server does not keep this mark"),
        OpFault::NotFoundAgain => {
            SafeText::of("the server numbered the mailbox anew, and the message was not found again without doubt")
        }
        OpFault::CannotTell => SafeText::of("the connection broke, and whether the server did it cannot be told without doubt"),
        OpFault::Before => SafeText::of("a change before it could not be done, and would lose its messages with the mailbox"),
        OpFault::AnotherMailbox => {
            SafeText::of("another mailbox has its name now, and which one was meant cannot be told without doubt")
        }
        OpFault::Gone => SafeText::of("the message is not there any more: somebody else moved or deleted it"),
        OpFault::NoUidValidity => SafeText::of("the server gives messages no lasting numbers"),
        OpFault::Unstable => {
            SafeText::of("the mailbox is numbered anew again and again, and is read-only until it keeps its numbers")
        }
    }
}

/// A server's NO or BAD as a sentence, its own words quoted.
#[must_use]
pub fn refused(refusal: &Refusal) -> SafeText {
    let what = match refusal.code {
        Code::NoMailbox => "there is no such mailbox on the server",
        Code::AlreadyExists => "it exists on the server already",
        Code::OverQuota => "the account is full on the server",
        Code::NotAllowed => "the server does not allow it",
        Code::TooBig => "it is too big for the server",
        Code::Later => "the server cannot now",
        Code::Login => "the server wants a new login",
        Code::Bad => "the server did not understand us",
        Code::NoSpool => "the bytes to be sent cannot be read",
        Code::Other => "the server refused",
    };
    if refusal.text.trim().is_empty() {
        SafeText::of(what)
    } else {
        SafeText::line_max(&format!("{what}: “{}”", refusal.text.trim()), 400)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_the_person_is_not_tried_again() {
        let who = AccountName::new("work");
        let of = |kind| net(&NetError::new(kind, "x"), "mx", &who);
        let login = of(NetErrorKind::LoginRefused);
        assert_eq!((login.kind, login.retry, login.reach), (Kind::Login, Retry::NeedsUser, Reach::Account));
        assert_eq!(login.remedy, Some(Remedy::EnterPassword(who.clone())));
        assert_eq!(of(NetErrorKind::Tls(TlsReason::Expired)).retry, Retry::NeedsUser);
        assert_eq!(of(NetErrorKind::Timeout).retry, Retry::WhenOnline);
        assert_eq!(of(NetErrorKind::Io(io::ErrorKind::StorageFull)).kind, Kind::Disk);
    }

    #[test]
    fn server_words_are_quoted_and_safe() {
        let text = refused(&Refusal { code: Code::OverQuota, text: "\x1b[2J over".into() });
        assert!(text.as_str().starts_with("the account is full") && !text.as_str().contains('\x1b'));
    }
}
