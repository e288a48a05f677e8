//! server_url — servers as `account add` takes them: `imaps://host:port`, `smtp://user@host`, `imap+plain://localhost`.
//! Owns: `ServerUrl` and its reading. May import: config.
//! Start reading at: `ServerUrl::parse`.

use super::account::{AccountConfig, AccountKind, Server, Submission, Tls, is_loopback};

/// What a server is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protocol {
    /// Reading.
    Imap,
    /// Sending.
    Smtp,
    /// Fetching.
    Pop3,
}

impl Protocol {
    /// The scheme without `s` or `+plain`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Imap => "imap",
            Self::Smtp => "smtp",
            Self::Pop3 => "pop3",
        }
    }

    /// The registered port (RFC 8314 for implicit TLS).
    const fn port(self, tls: Tls) -> u16 {
        match (self, tls) {
            (Self::Imap, Tls::Implicit) => 993,
            (Self::Imap, _) => 143,
            (Self::Smtp, Tls::Implicit) => 465,
            (Self::Smtp, _) => 587,
            (Self::Pop3, Tls::Implicit) => 995,
            (Self::Pop3, _) => 110,
        }
    }
}

/// What is wrong with a URL, and what to do.
pub type Complaint = (String, String);

/// A server's URL, checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerUrl {
    /// What it speaks.
    pub protocol: Protocol,
    /// How the line is protected.
    pub tls: Tls,
    /// A name or an address, without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The login name, if it stood there.
    pub user: Option<String>,
}

impl ServerUrl {
    /// Reads a URL; `wanted` is the protocol of the option that it was given to, whose scheme may be left out (`imaps` then).
    ///
    /// # Errors
    /// With a sentence and a hint: another scheme, a password in it, a port that is none, no encryption beyond this machine.
    pub fn parse(text: &str, wanted: Protocol) -> Result<Self, Complaint> {
        let word = wanted.word();
        let example = || format!("Write it as {word}s://{word}.example.org");
        let (scheme, rest) = text.split_once("://").unwrap_or((word, text));
        let tls = match scheme.strip_prefix(word) {
            _ if !text.contains("://") => Tls::Implicit,
            Some("s") => Tls::Implicit,
            Some("") => Tls::StartTls,
            Some("+plain") => Tls::None,
            _ => return Err((format!("`{scheme}` is no way to reach {} server", article(word)), example())),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(decode(user)), place),
            None => (None, authority),
        };
        if user.as_ref().is_some_and(|u| u.contains(':')) {
            let hint = "Others can read the command line; use --password-command or --password-stdin";
            return Err(("a server's URL holds no password".to_owned(), hint.to_owned()));
        }
        let (host, port) = match place.strip_prefix('[').and_then(|v6| v6.split_once(']')) {
            Some((host, "")) => (host, None),
            Some((host, port)) => (host, port.strip_prefix(':')),
            None => place.rsplit_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
        };
        let port = match port.map(str::parse) {
            None => wanted.port(tls),
            Some(Ok(port)) if port > 0 => port,
            Some(_) => return Err((format!("`{place}` has no port between 1 and 65535"), example())),
        };
        let odd = |c: char| c.is_whitespace() || c.is_control() || "/?#@[]\"".contains(c);
        if host.is_empty() || host.contains(odd) {
            return Err((format!("`{text}` names no server"), example()));
        }
        if tls == Tls::None && !is_loopback(host) {
            let what = format!("`{host}` would get your password without encryption");
            return Err((what, format!("Use {word}s:// or {word}://; {word}+plain:// is for this machine only")));
        }
        Ok(Self { protocol: wanted, tls, host: host.to_owned(), port, user })
    }
}

fn article(word: &str) -> String {
    format!("{} {}", if word.starts_with(['i', 's']) { "an" } else { "a" }, word.to_uppercase())
}

/// Percent-decoding (RFC 3986, 2.1), for login names that are addresses.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        match after.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(b'%');
                rest = after;
            }
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

impl AccountConfig {
    /// Whether mail or password go over a network without encryption, as the person insisted (`allow-plaintext`).
    #[must_use]
    pub fn is_exposed(&self) -> bool {
        let exposed = |server: &Server| server.tls == Tls::None && !server.is_loopback();
        let reads = matches!(&self.kind, AccountKind::Imap(imap) if exposed(&imap.server));
        reads || matches!(&self.smtp, Submission::Smtp(server) if exposed(server))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Read = (Tls, String, u16, Option<String>);

    fn imap(text: &str) -> Result<Read, Complaint> {
        ServerUrl::parse(text, Protocol::Imap).map(|u| (u.tls, u.host, u.port, u.user))
    }

    #[test]
    fn schemes_say_how_the_line_is_protected() {
        assert_eq!(imap("imaps://h").unwrap(), (Tls::Implicit, "h".into(), 993, None));
        assert_eq!(imap("imap://h:1143/").unwrap(), (Tls::StartTls, "h".into(), 1143, None));
        assert_eq!(imap("h").unwrap(), (Tls::Implicit, "h".into(), 993, None));
        assert_eq!(imap("imap+plain://[::1]:10143").unwrap(), (Tls::None, "::1".into(), 10143, None));
        assert_eq!(imap("imaps://ann%40example.org@h").unwrap().3.as_deref(), Some("ann@example.org"));
        assert_eq!(ServerUrl::parse("smtp://h", Protocol::Smtp).unwrap().port, 587);
    }

    #[test]
    fn what_is_no_server_is_refused() {
        for wrong in
            ["", "imaps://", "http://h", "smtp://h", "imaps://h:0", "imaps://h:x", "imaps://h/path", "imaps://a b", "imapss://h"]
        {
            assert!(imap(wrong).is_err(), "{wrong}");
        }
        assert!(imap("imap+plain://mail.example.org").unwrap_err().0.contains("without encryption"));
        assert!(imap("imaps://ann:pw@h").unwrap_err().0.contains("no password"));
    }
}
