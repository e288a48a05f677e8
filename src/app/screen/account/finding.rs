//! finding — what was found for the address in the form, and whether the person agreed to servers of others.
//! Owns: `Search`, `Finding`, and what the form does with them. May import: app, config, base.
//! Start reading at: `Form::to_find`. Nobody is asked before the person has left the field of the address; what the person wrote
//! is never replaced, and a server of another domain gets no password before the person agreed to its name (T-14).

use super::{Field, Form, Line, Trial, port};
use crate::base::safetext::SafeText;
use crate::config::account::is_address;
use crate::config::discovery::{Domain, Found, Offered, Source, Standing};
use crate::config::server_url::Protocol;

/// How far the search is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Finding {
    /// Nothing was looked for.
    #[default]
    None,
    /// It runs.
    Looking,
    /// It has ended.
    Ended(Found),
}

/// The search for one address.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Search {
    address: String,
    finding: Finding,
    /// The person has seen the names of others' servers, and went on.
    pub agreed: bool,
}

/// The fields of a server.
const fn fields(protocol: Protocol) -> [Field; 3] {
    match protocol {
        Protocol::Smtp => [Field::Outgoing, Field::OutgoingTls, Field::OutgoingPort],
        _ => [Field::Incoming, Field::IncomingTls, Field::IncomingPort],
    }
}

impl Form {
    /// The address whose servers are to be looked for now: it is whole, the person has left its field, and it was not asked for.
    #[must_use]
    pub fn to_find(&mut self) -> Option<String> {
        let address = self.text(Field::Address).to_owned();
        if self.focus() == Field::Address || address == self.search.address {
            return None;
        }
        let known = Domain::of_address(&address).is_some();
        let finding = match known {
            true => Finding::Looking,
            // Nobody has mail there who could be asked: what stands in the form is guessed, and that is said.
            false if is_address(&address) => Finding::Ended(Found::default()),
            false => Finding::None,
        };
        self.search = Search { address: address.clone(), finding, agreed: false };
        self.guess();
        known.then_some(address)
    }

    /// The search for `address` has ended. What runs already goes on with what was on the screen.
    pub fn found(&mut self, address: &str, found: Found) {
        if address == self.search.address {
            self.search.finding = Finding::Ended(found);
            self.search.agreed = false;
            if self.trial != Trial::Running {
                self.guess();
            }
        }
    }

    /// What was found for the address that stands there.
    fn ended(&self) -> Option<&Found> {
        match &self.search.finding {
            Finding::Ended(found) if self.search.address == self.text(Field::Address) => Some(found),
            _ => None,
        }
    }

    /// The found server that stands in the form: the person wrote no other name over it.
    pub(super) fn offered(&self, protocol: Protocol) -> Option<&Offered> {
        let [host, ..] = fields(protocol);
        let found = self.ended().filter(|_| self.guessed(host))?;
        if protocol == Protocol::Smtp { found.outgoing.as_ref() } else { found.incoming.as_ref() }
    }

    /// Fills what was not written by the person.
    pub(super) fn guess(&mut self) {
        let address = self.text(Field::Address).to_owned();
        let domain = address.rsplit_once('@').map_or("", |(_, d)| d);
        let mut login = address.clone();
        for (n, protocol) in [Protocol::Imap, Protocol::Smtp].into_iter().enumerate() {
            let [host_field, tls_field, port_field] = fields(protocol);
            let offered = self.offered(protocol).cloned();
            if let Some(tls) = self.tls.get_mut(n)
                && !self.touched.get(tls_field as usize).copied().unwrap_or_default()
                && !self.touched.get(host_field as usize).copied().unwrap_or_default()
            {
                *tls = offered.as_ref().map_or(crate::config::Tls::Implicit, Offered::tls);
            }
            let tls = self.tls.get(n).copied().unwrap_or(crate::config::Tls::Implicit);
            let host = match &offered {
                Some(offered) => offered.host().to_owned(),
                None if domain.is_empty() => String::new(),
                None => format!("{}.{domain}", protocol.word()),
            };
            let number = offered.as_ref().filter(|o| o.tls() == tls).map(|o| o.port().to_string());
            let number = number.unwrap_or_else(|| port(protocol, tls).to_owned());
            if protocol == Protocol::Imap {
                login = offered.as_ref().and_then(Offered::user).map_or(login, str::to_owned);
            }
            self.fill(host_field, &host);
            self.fill(port_field, &number);
        }
        self.fill(Field::Login, &login);
    }

    fn fill(&mut self, field: Field, text: &str) {
        if self.guessed(field) {
            self.set(field, Line::new(text));
        }
    }

    /// The login name of a found server for sending, where it is another one than that for reading.
    pub(super) fn outgoing_user(&self) -> Option<String> {
        let out = self.offered(Protocol::Smtp).filter(|_| self.guessed(Field::Login))?;
        let user = out.user().unwrap_or_else(|| self.text(Field::Address));
        (user != self.text(Field::Login)).then(|| user.to_owned())
    }

    /// What is said of the server in a field: that it is not of the address's domain.
    #[must_use]
    pub fn foreign(&self, field: Field) -> Option<SafeText> {
        let protocol = match field {
            Field::Incoming => Protocol::Imap,
            Field::Outgoing => Protocol::Smtp,
            _ => return None,
        };
        let offered = self.offered(protocol).filter(|o| o.standing() == Standing::Other);
        offered.map(|_| SafeText::line_max(&format!("not of {}", self.domain()), 80))
    }

    fn domain(&self) -> &str {
        self.search.address.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// What the person has to agree to before a password goes out; none once that was done.
    pub(super) fn to_agree(&self) -> Option<String> {
        let servers = [Protocol::Imap, Protocol::Smtp].map(|p| self.offered(p));
        let mut hosts: Vec<&str> =
            servers.into_iter().flatten().filter(|o| o.standing() == Standing::Other).map(Offered::host).collect();
        hosts.dedup();
        let asked = !self.search.agreed && !hosts.is_empty();
        let is = if hosts.len() == 1 { "is" } else { "are" };
        let who = hosts.join(" and ");
        asked.then(|| format!("{who} {is} not of {}: Enter again sends your password there", self.domain()))
    }

    /// How the search stands, in a line.
    #[must_use]
    pub fn finding(&self) -> Option<SafeText> {
        let text = match &self.search.finding {
            Finding::Looking => format!("Looking for the servers of {}…", self.domain()),
            Finding::None => return None,
            Finding::Ended(_) => match self.ended()? {
                found if found.servers().next().is_none() && found.note.is_some() => "Nothing to log in to was found".to_owned(),
                found => match sources(found).as_slice() {
                    [] => format!("Nothing was found for {}: the servers are guesses", self.domain()),
                    [one] => format!("Found by {}", one.words()),
                    [one, two, ..] => format!("Found by {} and {}", one.words(), two.words()),
                },
            },
        };
        Some(SafeText::line_max(&text, 200))
    }

    /// What must be known to log in, where the password is asked for or nothing was found.
    #[must_use]
    pub fn advice(&self) -> Option<&SafeText> {
        let near = matches!(self.focus(), Field::Login | Field::Source | Field::Password);
        self.ended().filter(|found| near || found.servers().next().is_none())?.note.as_ref()
    }
}

fn sources(found: &Found) -> Vec<Source> {
    let mut all: Vec<Source> = found.servers().map(Offered::source).collect();
    all.dedup();
    all
}
