//! discovery — the servers of a mail address, found and not yet believed.
//! Owns: `Domain`, `Place`, `Offer`, `Offered`, `Found`, `Source`, `Standing`, `Consent`.
//! May import: base, config.   Never: a connection (`engine::discover` asks, `net` carries).
//! Start reading at: `Offered::accepted`: it is the only way from what was found to a server that a login may be tried at, and it wants
//! to know who agreed. `gather.rs` says whom to believe first; `providers.rs`, `autoconfig.rs`, `srv.rs` read what each source says.

pub mod autoconfig;
pub mod gather;
pub mod providers;
pub mod srv;

use super::account::{Tls, is_address};
use super::server_url::{Protocol, ServerUrl};
use crate::base::safetext::SafeText;
use std::fmt;
use std::net::IpAddr;

/// The longest name of a host (RFC 1035, 2.3.4), in octets.
pub const MAX_HOST: usize = 253;
/// The longest login name that is taken over, in characters.
pub const MAX_USER: usize = 254;
/// Names below which nobody has mail (RFC 2606, 6761, 6762, 7686, 8375): nobody is asked about them.
const NOBODY: [&str; 9] =
    ["invalid", "localhost", "local", "example", "example.com", "example.net", "example.org", "onion", "home.arpa"];

/// The domain of an address, as name services know it: ASCII, lower case, at least two labels, nobody's test name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Domain(String);

impl Domain {
    /// Of an address; none if servers cannot be looked for by it.
    #[must_use]
    pub fn of_address(address: &str) -> Option<Self> {
        let domain = address.rsplit_once('@').filter(|_| is_address(address))?.1;
        let ascii = idna::domain_to_ascii(domain).ok()?.to_ascii_lowercase();
        let name = host_name(&ascii).filter(|name| name.contains('.') && name.parse::<IpAddr>().is_err())?;
        let reserved = NOBODY.iter().any(|other| is_below(&name, other));
        (!reserved).then_some(Self(name))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether `name` is `other` or a name below it.
fn is_below(name: &str, other: &str) -> bool {
    name.strip_suffix(other).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// The name of a host in lower case without a final dot, if it can be one: letters, digits and hyphens in labels of at most 63, or
/// an address.
#[must_use]
pub fn host_name(text: &str) -> Option<String> {
    let text = text.trim();
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Some(ip.to_string());
    }
    let text = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let label = |l: &str| {
        let plain = l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        plain && (1..=63).contains(&l.len()) && !l.starts_with('-') && !l.ends_with('-')
    };
    // A last label of digits would be read as an address by some.
    let last = text.rsplit('.').next().unwrap_or_default();
    let named = !last.bytes().all(|b| b.is_ascii_digit());
    (named && text.len() <= MAX_HOST && text.split('.').all(label)).then_some(text)
}

/// How the line to a found server is protected. There is no third way: a server without encryption is not found (T-14).
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Secure {
    /// TLS from the first byte.
    Implicit,
    /// STARTTLS, required.
    StartTls,
}

impl From<Secure> for Tls {
    fn from(secure: Secure) -> Self {
        match secure {
            Secure::Implicit => Self::Implicit,
            Secure::StartTls => Self::StartTls,
        }
    }
}

/// A server that somebody named.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// Its name, by [`host_name`].
    pub host: String,
    /// Its port, never 0.
    pub port: u16,
    /// How it is reached.
    pub secure: Secure,
    /// The login name, if it is not the address. Untrusted text of at most [`MAX_USER`] characters, without control characters.
    pub user: Option<String>,
}

/// Who named it. The order is the order of belief: whom the provider itself vouches for by its certificate before what anybody on the
/// line may have put into an answer of the name service (RFC 6186, 6).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Source {
    /// The list of providers that is built in.
    Providers,
    /// `https://autoconfig.DOMAIN/mail/config-v1.1.xml`
    Autoconfig,
    /// `https://DOMAIN/.well-known/autoconfig/mail/config-v1.1.xml`
    WellKnown,
    /// SRV records (RFC 6186, 8314).
    Srv,
    /// The mail exchanger of the domain is that of a provider in the list.
    Mx,
}

impl Source {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Providers, Self::Autoconfig, Self::WellKnown, Self::Srv, Self::Mx];

    /// In words, after "by".
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Providers => "the list of providers",
            Self::Autoconfig => "the domain's autoconfig",
            Self::WellKnown => "the domain's web site",
            Self::Srv => "the domain's SRV records",
            Self::Mx => "the domain's MX record",
        }
    }
}

/// What one source says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Offer {
    /// For reading.
    pub incoming: Option<Place>,
    /// For sending.
    pub outgoing: Option<Place>,
    /// What the person must know to log in.
    pub note: Option<SafeText>,
}

impl Offer {
    /// Whether it names no server.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.incoming.is_none() && self.outgoing.is_none()
    }
}

/// Whose the server is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Below the domain of the address.
    Own,
    /// Of a provider in the list.
    Provider,
    /// Of somebody else: the person has to agree.
    Other,
}

/// Who agreed that a found server gets the person's password.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Consent {
    /// Nobody was asked: enough for the domain's own servers and those of providers in the list.
    Nobody,
    /// The person, who saw the name of the host, or said `--yes`.
    Person,
}

/// A found server. It can be shown; to log in there, see [`Self::accepted`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Offered {
    place: Place,
    source: Source,
    standing: Standing,
}

impl Offered {
    fn new(place: Place, source: Source, domain: &Domain) -> Self {
        let listed = matches!(source, Source::Providers | Source::Mx) || providers::is_host(&place.host);
        let standing = if is_below(&place.host, domain.as_str()) {
            Standing::Own
        } else if listed {
            Standing::Provider
        } else {
            Standing::Other
        };
        Self { place, source, standing }
    }

    /// The host's name: letters, digits, hyphens, dots and colons only.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.place.host
    }

    /// The port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.place.port
    }

    /// How it is reached: never without encryption.
    #[must_use]
    pub fn tls(&self) -> Tls {
        self.place.secure.into()
    }

    /// The login name, if it is not the address.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.place.user.as_deref()
    }

    /// Who named it.
    #[must_use]
    pub const fn source(&self) -> Source {
        self.source
    }

    /// Whose it is.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        self.standing
    }

    /// The server for an account, if `consent` is enough for it.
    ///
    /// # Errors
    /// Itself: the person has to be asked first.
    pub fn accepted(self, protocol: Protocol, consent: Consent) -> Result<ServerUrl, Box<Self>> {
        if self.standing == Standing::Other && consent == Consent::Nobody {
            return Err(Box::new(self));
        }
        let tls = self.tls();
        Ok(ServerUrl { protocol, tls, host: self.place.host, port: self.place.port, user: self.place.user })
    }

    /// `imaps://imap.example.org:993`, as `--imap` takes it.
    #[must_use]
    pub fn url(&self, protocol: Protocol) -> String {
        let s = if self.place.secure == Secure::Implicit { "s" } else { "" };
        let host = if self.place.host.contains(':') { format!("[{}]", self.place.host) } else { self.place.host.clone() };
        format!("{}{s}://{host}:{}", protocol.word(), self.place.port)
    }
}

/// What was found, once nothing better can come.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Found {
    /// For reading.
    pub incoming: Option<Offered>,
    /// For sending.
    pub outgoing: Option<Offered>,
    /// What the person must know to log in.
    pub note: Option<SafeText>,
}

impl Found {
    /// The servers.
    pub fn servers(&self) -> impl Iterator<Item = &Offered> {
        self.incoming.iter().chain(&self.outgoing)
    }

    /// The hosts that the person has to agree with, each once.
    #[must_use]
    pub fn foreign(&self) -> Vec<&str> {
        let mut all: Vec<&str> = self.servers().filter(|s| s.standing == Standing::Other).map(Offered::host).collect();
        all.dedup();
        all
    }
}

/// A login name that was offered: what cannot be one, is none.
fn login_name(text: &str) -> Option<String> {
    let text = text.trim();
    let odd = text.is_empty() || text.chars().count() > MAX_USER || text.chars().any(char::is_control);
    // What a screen would not show as it is, nobody could agree with.
    (!odd && SafeText::line(text).as_str() == text).then(|| text.to_owned())
}

#[cfg(test)]
mod tests;
