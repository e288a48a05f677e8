//! error — why a mail was not sent, by what may be done about it.
//! Owns: `SmtpError`, `Why`, `Rejected`.
//! May import: base.
//! Start reading at: `Why`. Only `Why::Unknown` leaves open whether the server took the mail.

use crate::base::safetext::SafeText;
use crate::net::error::{MAX_TEXT, NetError, NetErrorKind};
use std::fmt;

/// What kind of failure.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Why {
    /// No server was met, it was not to be trusted, it refused the login, or the line broke before the final dot: nothing
    /// was handed over.
    Net(NetErrorKind),
    /// The server said "later" (4yz), before or after the dot.
    Later(u16),
    /// The server said no (5yz), before or after the dot.
    Never(u16),
    /// This server cannot take this mail as it is; it was not offered.
    Unfit,
    /// The line broke after the final dot: it may have been sent.
    Unknown,
}

/// A recipient whom the server refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rejected {
    /// The address.
    pub recipient: SafeText,
    /// The reply's code.
    pub code: u16,
    /// The server's words.
    pub text: SafeText,
}

/// Why a mail was not sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SmtpError {
    /// What kind.
    pub why: Why,
    /// The server's or the system's words, cleaned and cut; may be empty.
    pub text: SafeText,
    /// Who was refused, where single recipients were; then nobody got the mail.
    pub rejected: Vec<Rejected>,
}

impl SmtpError {
    /// Of untrusted text.
    pub(super) fn new(why: Why, text: &str) -> Self {
        Self { why, text: SafeText::line_max(text, MAX_TEXT), rejected: Vec::new() }
    }

    /// After the dot no failure of the line says that the mail was not taken.
    pub(super) fn after_dot(self) -> Self {
        if matches!(self.why, Why::Net(_)) { Self { why: Why::Unknown, ..self } } else { self }
    }
}

impl From<NetError> for SmtpError {
    fn from(e: NetError) -> Self {
        Self { why: Why::Net(e.kind), text: e.text, rejected: Vec::new() }
    }
}

impl fmt::Display for SmtpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why {
            Why::Net(kind) => return NetError { kind: kind.clone(), text: self.text.clone() }.fmt(f),
            Why::Later(code) => write!(f, "the server refused for now ({code})")?,
            Why::Never(code) => write!(f, "the server refused ({code})")?,
            Why::Unfit => f.write_str("this server cannot take this mail")?,
            Why::Unknown => f.write_str("the connection broke after the mail was handed over: it may have been sent")?,
        }
        if !self.text.is_empty() {
            write!(f, ": {}", self.text)?;
        }
        for one in &self.rejected {
            write!(f, "; {}: {}", one.recipient, one.text)?;
        }
        Ok(())
    }
}

impl std::error::Error for SmtpError {}
