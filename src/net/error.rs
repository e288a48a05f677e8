//! error — what can go wrong on the way to a server, as values that policy can be made of.
//! Owns: `NetError`, `NetErrorKind`, `TlsReason`.
//! May import: base.
//! Start reading at: `NetErrorKind`. Server text is in here only as `SafeText`, cut to [`MAX_TEXT`].

use crate::base::safetext::SafeText;
use std::fmt;
use std::io;

/// The most characters of server text that an error keeps.
pub const MAX_TEXT: usize = 200;

/// The result of anything in `net`.
pub type Result<T, E = NetError> = std::result::Result<T, E>;

/// Why a certificate or a handshake was refused: one word a person can act on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TlsReason {
    /// `notAfter` is past.
    Expired,
    /// `notBefore` is to come.
    NotYetValid,
    /// The certificate is for another name.
    WrongHost,
    /// The certificate names no host by subjectAltName.
    NoSan,
    /// Signed by itself.
    SelfSigned,
    /// No authority that we believe has signed it.
    UnknownIssuer,
    /// An authority in the chain may not sign (CA:FALSE, path length, name constraints).
    BadAuthority,
    /// Not meant for servers (key usage).
    WrongPurpose,
    /// A signature or key that is too weak.
    Weak,
    /// Revoked.
    Revoked,
    /// Another certificate than the pinned one.
    PinMismatch,
    /// No common protocol version: older than TLS 1.2.
    TooOld,
    /// The server does not offer STARTTLS, or refused it.
    NoStartTls,
    /// The server sent bytes before TLS that would have been taken for protected ones, or was logged in already.
    Injected,
    /// The `ca_file` cannot be read.
    BadCaFile,
    /// The account's own certificate or key cannot be used.
    BadClientCert,
    /// The server does not accept the account's own certificate, or wants one.
    ClientRefused,
    /// Anything else: see the text.
    Other,
}

impl TlsReason {
    /// A sentence for the person.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Expired => "its certificate has expired",
            Self::NotYetValid => "its certificate is not valid yet",
            Self::WrongHost => "its certificate is for another host",
            Self::NoSan => "its certificate names no host (no subjectAltName)",
            Self::SelfSigned => "its certificate is self-signed",
            Self::UnknownIssuer => "its certificate comes from an authority that this system does not know",
            Self::BadAuthority => "an authority in its certificate chain may not issue certificates",
            Self::WrongPurpose => "its certificate is not meant for servers",
            Self::Weak => "its certificate or key is too weak",
            Self::Revoked => "its certificate was revoked",
            Self::PinMismatch => "its certificate is not the one that was pinned for this server",
            Self::TooOld => "it speaks nothing newer than TLS 1.1",
            Self::NoStartTls => "it offers no STARTTLS",
            Self::Injected => "it spoke before encryption where it must not",
            Self::BadCaFile => "the file of authorities for this account cannot be read",
            Self::BadClientCert => "the certificate or key of this account cannot be used",
            Self::ClientRefused => "it does not accept this account's certificate, or wants one",
            Self::Other => "encryption could not be set up",
        }
    }
}

/// What kind of fault. `No` and `Bad` leave the connection usable, everything else ends it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NetErrorKind {
    /// No address, refused, no route: nobody there.
    Unreachable,
    /// The server is not proven to be the right one, or not safe to talk to.
    Tls(TlsReason),
    /// Name or password refused, or no way to log in that we know.
    LoginRefused,
    /// A tagged NO (IMAP) with its response code in upper case without arguments, "" without one.
    No {
        /// `TRYCREATE`, `OVERQUOTA`, …
        code: String,
    },
    /// A tagged BAD: we said something that the server does not understand.
    Bad,
    /// The server said good-bye.
    Bye,
    /// No answer in time.
    Timeout,
    /// The server broke the protocol.
    Protocol,
    /// A limit of ours was passed (line, literal, depth).
    Limit,
    /// We were told to stop.
    Cancelled,
    /// The link broke, or a local file could not be read or written.
    Io(io::ErrorKind),
}

/// A fault with what the server or system said about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NetError {
    /// What kind.
    pub kind: NetErrorKind,
    /// What was said, cleaned and cut; may be empty.
    pub text: SafeText,
}

impl NetError {
    /// Of untrusted text.
    #[must_use]
    pub fn new(kind: NetErrorKind, text: &str) -> Self {
        Self { kind, text: SafeText::line_max(text, MAX_TEXT) }
    }

    /// A protocol fault.
    #[must_use]
    pub fn protocol(text: &str) -> Self {
        Self::new(NetErrorKind::Protocol, text)
    }

    /// A limit of ours.
    #[must_use]
    pub fn limit(text: &str) -> Self {
        Self::new(NetErrorKind::Limit, text)
    }

    /// Told to stop.
    #[must_use]
    pub fn cancelled() -> Self {
        Self::new(NetErrorKind::Cancelled, "")
    }

    /// A TLS fault.
    #[must_use]
    pub fn tls(reason: TlsReason, text: &str) -> Self {
        Self::new(NetErrorKind::Tls(reason), text)
    }

    /// Whether the connection can be used on.
    #[must_use]
    pub const fn connection_lives(&self) -> bool {
        matches!(self.kind, NetErrorKind::No { .. } | NetErrorKind::Bad)
    }

    /// Whether it was the line, as far as anybody can tell: it may break again at the same place.
    #[must_use]
    pub const fn is_broken_line(&self) -> bool {
        matches!(self.kind, NetErrorKind::Bye | NetErrorKind::Timeout | NetErrorKind::Io(_))
    }
}

impl fmt::Display for NetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match &self.kind {
            NetErrorKind::Unreachable => "the server cannot be reached",
            NetErrorKind::Tls(reason) => reason.sentence(),
            NetErrorKind::LoginRefused => "the server refused the login",
            NetErrorKind::No { .. } => "the server refused",
            NetErrorKind::Bad => "the server did not understand",
            NetErrorKind::Bye => "the server closed the connection",
            NetErrorKind::Timeout => "the server did not answer in time",
            NetErrorKind::Protocol => "the server broke the protocol",
            NetErrorKind::Limit => "the server sent more than is sane",
            NetErrorKind::Cancelled => "stopped",
            NetErrorKind::Io(_) => "the connection broke",
        };
        if self.text.is_empty() { f.write_str(what) } else { write!(f, "{what}: {}", self.text) }
    }
}

impl std::error::Error for NetError {}

/// Carries a [`NetError`] through code that knows only [`io::Error`]; taken out again by `From`.
impl From<NetError> for io::Error {
    fn from(e: NetError) -> Self {
        io::Error::other(e)
    }
}

impl From<io::Error> for NetError {
    fn from(e: io::Error) -> Self {
        if let Some(own) = e.get_ref().and_then(|inner| inner.downcast_ref::<NetError>()) {
            return own.clone();
        }
        let kind = match e.kind() {
            io::ErrorKind::TimedOut => NetErrorKind::Timeout,
            io::ErrorKind::ConnectionRefused | io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
                NetErrorKind::Unreachable
            }
            kind => NetErrorKind::Io(kind),
        };
        Self::new(kind, &e.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_text_is_clean_and_cut() {
        let e = NetError::new(NetErrorKind::Bye, &format!("\x1b]52;c;UFdO\x07{}", "x".repeat(1_000_000)));
        assert!(e.text.as_str().chars().count() <= MAX_TEXT + 1);
        assert!(!e.to_string().chars().any(char::is_control));
    }

    #[test]
    fn survives_the_way_through_io() {
        let e = NetError::tls(TlsReason::NoSan, "x");
        assert_eq!(NetError::from(io::Error::from(e.clone())), e);
        assert_eq!(NetError::from(io::Error::from(io::ErrorKind::TimedOut)).kind, NetErrorKind::Timeout);
    }
}
