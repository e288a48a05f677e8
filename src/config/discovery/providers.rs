//! providers — the list of large providers that is built in (`assets/providers.toml`).
//! Owns: `by_domain`, `by_exchanger`, `is_host`. May import: base, config.
//! Start reading at: `by_domain`. Who is in the list is found without asking anybody.

use super::{Domain, Offer, Place, Secure, is_below};
use crate::base::safetext::SafeText;
use serde::Deserialize;
use std::sync::LazyLock;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    provider: Vec<Provider>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Provider {
    name: String,
    #[serde(default)]
    domains: Vec<String>,
    #[serde(default)]
    mx: Vec<String>,
    imap: Option<Server>,
    smtp: Option<Server>,
    #[serde(default)]
    user: User,
    note: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Server {
    host: String,
    port: Option<u16>,
    tls: Option<Secure>,
}

#[derive(Deserialize, Default, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum User {
    #[default]
    Address,
    Local,
}

static LIST: LazyLock<Result<List, toml::de::Error>> =
    LazyLock::new(|| toml::from_str(include_str!("../../../assets/providers.toml")));

/// The list. It is our own, and a test reads it: what is wrong in it is no provider.
fn all() -> &'static [Provider] {
    LIST.as_ref().map_or(&[], |list| &list.provider)
}

impl Server {
    fn place(&self, port: u16, user: Option<String>) -> Place {
        let secure = self.tls.unwrap_or(Secure::Implicit);
        Place { host: self.host.clone(), port: self.port.unwrap_or(port), secure, user }
    }
}

impl Provider {
    fn offer(&self, user: Option<&str>) -> Offer {
        let user = user.filter(|_| self.user == User::Local).map(str::to_owned);
        let note = match &self.note {
            Some(note) => note.clone(),
            None => format!("Found: {}", self.name),
        };
        Offer {
            incoming: self.imap.as_ref().map(|imap| imap.place(993, user)),
            outgoing: self.smtp.as_ref().map(|smtp| smtp.place(465, None)),
            note: Some(SafeText::line(&note)),
        }
    }
}

/// The provider of an address; `local` is what stands before the `@`.
#[must_use]
pub fn by_domain(local: &str, domain: &Domain) -> Option<Offer> {
    let provider = all().iter().find(|p| p.domains.iter().any(|d| d == domain.as_str()))?;
    Some(provider.offer(Some(local)))
}

/// The provider to whom the mail of a domain is brought. `exchanger` is the name of a host, in lower case; the most exact entry
/// holds. The login name is the address: there the domain is the customer's own.
#[must_use]
pub fn by_exchanger(exchanger: &str) -> Option<Offer> {
    let entries = all().iter().flat_map(|p| p.mx.iter().map(move |mx| (mx, p)));
    let (_, provider) = entries.filter(|(mx, _)| is_below(exchanger, mx)).max_by_key(|(mx, _)| mx.len())?;
    Some(provider.offer(None))
}

/// Whether a name is that of a server in the list. An address is not: it would be whoever has it.
#[must_use]
pub fn is_host(name: &str) -> bool {
    let named = name.parse::<std::net::IpAddr>().is_err();
    named && all().iter().flat_map(|p| p.imap.iter().chain(&p.smtp)).any(|server| server.host == name)
}

#[cfg(test)]
mod tests {
    use super::super::{host_name, is_below};
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_list_is_whole() {
        let list = LIST.as_ref().unwrap();
        assert!(list.provider.len() > 30);
        let (mut domains, mut exchangers) = (HashSet::new(), HashSet::new());
        for p in &list.provider {
            for server in p.imap.iter().chain(&p.smtp) {
                assert_eq!(host_name(&server.host).as_deref(), Some(server.host.as_str()), "{}", p.name);
                assert_ne!(server.port, Some(0), "{}", p.name);
                let clear = [25, 110, 143].contains(&server.port.unwrap_or(993));
                assert!(!clear, "{}", p.name);
            }
            assert_eq!(p.imap.is_some(), p.smtp.is_some(), "{}", p.name);
            assert!(p.imap.is_some() || p.note.is_some(), "{}", p.name);
            assert!(p.domains.len() + p.mx.len() > 0, "{}", p.name);
            for d in &p.domains {
                assert!(Domain::of_address(&format!("a@{d}")).is_some_and(|found| found.as_str() == d), "{d}");
                assert!(domains.insert(d), "{d} twice");
            }
            for mx in &p.mx {
                assert!(host_name(mx).as_deref() == Some(mx.as_str()) && exchangers.insert(mx), "{mx}");
            }
            // A line of the form has room for so much.
            assert!(p.note.as_ref().is_none_or(|n| n.len() <= 130), "{}", p.name);
        }
    }

    #[test]
    fn addresses_and_exchangers_find_their_provider() {
        let domain = |d: &str| Domain::of_address(&format!("ann@{d}")).unwrap();
        let incoming = |offer: Option<Offer>| offer.and_then(|o| o.incoming);
        let gmail = incoming(by_domain("ann", &domain("GMail.com"))).unwrap();
        assert_eq!((gmail.host.as_str(), gmail.port, gmail.secure, gmail.user), ("imap.gmail.com", 993, Secure::Implicit, None));
        let icloud = by_domain("ann", &domain("icloud.com")).unwrap();
        assert_eq!(icloud.incoming.unwrap().user.as_deref(), Some("ann"));
        let out = icloud.outgoing.unwrap();
        assert_eq!((out.port, out.secure, out.user), (587, Secure::StartTls, None));
        assert!(by_domain("ann", &domain("mail.gmail.com")).is_none(), "a name below is somebody else's");
        assert_eq!(incoming(by_exchanger("aspmx.l.google.com")).unwrap().host, "imap.gmail.com");
        assert_eq!(incoming(by_exchanger("mx-aol.mail.gm0.yahoodns.net")).unwrap().host, "imap.aol.com");
        assert_eq!(incoming(by_exchanger("mta7.am0.yahoodns.net")).unwrap().host, "imap.mail.yahoo.com");
        assert!(by_exchanger("evilgoogle.com").is_none() && by_exchanger("google.com.evil.net").is_none());
        assert!(by_domain("ann", &domain("tuta.com")).unwrap().is_empty());
        assert!(is_host("imap.gmail.com") && !is_host("127.0.0.1") && !is_host("gmail.com"));
        assert!(is_below("a.b", "b") && is_below("b", "b") && !is_below("ab", "b"));
    }
}
