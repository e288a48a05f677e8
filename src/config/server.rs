//! server — the servers of an account: where they are and how the line to them is protected.
//! Owns: `Server`, `ImapServer`, `Submission`, `Tls` and their checks: nothing goes unencrypted unless somebody insisted.
//! May import: base, config.
//! Start reading at: `protected`.

use super::mistakes::Mistakes;
use super::schema::{ImapBlock, SmtpBlock};
use super::values;
use crate::base::safetext::SafeText;
use std::net::IpAddr;
use std::ops::Range;
use toml::Spanned;

/// An IMAP server and how it is used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImapServer {
    /// Where, and who logs in.
    pub server: Server,
    /// How many connections at most.
    pub connections: u8,
}

/// Where mail goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Submission {
    /// To a submission server.
    Smtp(Server),
    /// Into the account's own inbox (decisions 24).
    Local,
    /// Nowhere: the account only reads.
    None,
}

/// A server, how the line to it is protected, and who logs in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Server {
    /// A name or an address.
    pub host: String,
    /// Its TCP port.
    pub port: u16,
    /// How the line is protected.
    pub tls: Tls,
    /// The login name.
    pub user: String,
    /// SHA-256 of the one certificate that is accepted at this host and port (security T-11).
    pub fingerprint: Option<[u8; 32]>,
}

impl Server {
    /// Whether the host can only be this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }
}

/// Whether a host, as written, can only be this machine: `localhost`, 127.0.0.0/8, `::1`.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

/// How a line is protected.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// TLS from the first byte (RFC 8314).
    Implicit,
    /// STARTTLS, or no connection.
    StartTls,
    /// Not at all: loopback, or by `allow-plaintext`.
    None,
}

/// What holds for each server of an account that says nothing else.
#[derive(Clone, Copy)]
pub(super) struct Usual<'a> {
    /// The login name.
    pub user: &'a str,
    /// The one certificate that is accepted.
    pub fingerprint: Option<[u8; 32]>,
}

/// Checks `fingerprint = "…"`.
pub(super) fn fingerprint(text: Option<&Spanned<String>>, mistakes: &mut Mistakes<'_>) -> Option<[u8; 32]> {
    let text = text?;
    let found = values::fingerprint(text.get_ref());
    if found.is_none() {
        let hint = "Write sha256: and 64 hexadecimal digits, as `postrider doctor` shows it";
        mistakes.at(&text.span(), "this is no fingerprint", hint);
    }
    found
}

/// Checks `imap = { … }`.
pub(super) fn imap(
    block: Spanned<ImapBlock>,
    usual: Usual<'_>,
    mistakes: &mut Mistakes<'_>,
    warnings: &mut Vec<SafeText>,
) -> Option<ImapServer> {
    let span = block.span();
    let block = block.into_inner();
    let port = block.port.map(|p| p.0);
    let tls = block.tls.unwrap_or(if port == Some(143) { Tls::StartTls } else { Tls::Implicit });
    let port = port.unwrap_or(if tls == Tls::Implicit { 993 } else { 143 });
    let fingerprint = fingerprint(block.fingerprint.as_ref(), mistakes).or(usual.fingerprint);
    let server = Server { host: block.host, port, tls, user: block.user.unwrap_or_else(|| usual.user.to_owned()), fingerprint };
    protected(&server, block.allow_plaintext, &span, mistakes, warnings)
        .then(|| ImapServer { server, connections: block.connections.map_or(2, |n| n.0) })
}

/// Checks `smtp = { … }`.
pub(super) fn submission(
    block: Spanned<SmtpBlock>,
    usual: Usual<'_>,
    mistakes: &mut Mistakes<'_>,
    warnings: &mut Vec<SafeText>,
) -> Option<Submission> {
    let span = block.span();
    let block = block.into_inner();
    let host = match (block.local, block.host) {
        (true, None) => return Some(Submission::Local),
        (false, Some(host)) => host,
        _ => {
            mistakes.at(&span, "mail goes to one place", "Write host = \"…\" or local = true");
            return None;
        }
    };
    let port = block.port.map(|p| p.0);
    let tls = block.tls.unwrap_or(if matches!(port, Some(587 | 25)) { Tls::StartTls } else { Tls::Implicit });
    let port = port.unwrap_or(if tls == Tls::Implicit { 465 } else { 587 });
    let fingerprint = fingerprint(block.fingerprint.as_ref(), mistakes).or(usual.fingerprint);
    let server = Server { host, port, tls, user: block.user.unwrap_or_else(|| usual.user.to_owned()), fingerprint };
    protected(&server, block.allow_plaintext, &span, mistakes, warnings).then_some(Submission::Smtp(server))
}

/// Refuses a line without encryption that leaves this machine, unless the person insisted.
fn protected(
    server: &Server,
    allowed: bool,
    span: &Range<usize>,
    mistakes: &mut Mistakes<'_>,
    warnings: &mut Vec<SafeText>,
) -> bool {
    if server.host.is_empty() || server.host.contains(|c: char| c.is_whitespace() || c.is_control() || c == '/') {
        mistakes.at(span, "the host is no name of a server", "Write host = \"imap.example.org\"");
        return false;
    }
    if server.tls != Tls::None || server.is_loopback() {
        return true;
    }
    if !allowed {
        let what = format!("`{}` would get your password without encryption", server.host);
        mistakes.at(span, &what, "Use tls = \"implicit\" or \"starttls\"; or insist with allow-plaintext = true");
        return false;
    }
    warnings.push(SafeText::line(&format!("mail and password go to {} without encryption", server.host)));
    true
}
