//! srv — which of a domain's SRV records is taken (RFC 2782, 6186, 8314).
//! Owns: `Srv`, `QUESTIONS`, `offer`. May import: base, config.
//! Start reading at: `offer`. An account is written down once, so the first by priority and weight is taken and no dice are thrown.

use super::{Offer, Place, Secure, host_name};

/// An SRV record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Srv {
    /// The lowest is taken.
    pub priority: u16,
    /// Among those the highest.
    pub weight: u16,
    /// Its port.
    pub port: u16,
    /// Its name; `""` (the root) says that the service is not offered.
    pub target: String,
}

/// What is asked for below the domain, by the place of the answer in [`offer`].
pub const QUESTIONS: [&str; 4] = ["_imaps._tcp", "_imap._tcp", "_submissions._tcp", "_submission._tcp"];

/// What the answers to [`QUESTIONS`] offer. Encryption from the first byte is preferred (RFC 8314, 3); what is only offered with
/// STARTTLS is reached with STARTTLS, never without.
#[must_use]
pub fn offer(answers: [&[Srv]; 4]) -> Offer {
    let [imaps, imap, submissions, submission] = answers;
    let either = |tls: &[Srv], start: &[Srv]| best(tls, Secure::Implicit).or_else(|| best(start, Secure::StartTls));
    Offer { incoming: either(imaps, imap), outgoing: either(submissions, submission), note: None }
}

fn best(all: &[Srv], secure: Secure) -> Option<Place> {
    let usable = |srv: &&Srv| srv.port > 0 && srv.target.parse::<std::net::IpAddr>().is_err();
    let named = all.iter().filter(usable).filter_map(|srv| Some((srv, host_name(&srv.target)?)));
    let (srv, host) = named.min_by_key(|(srv, _)| (srv.priority, std::cmp::Reverse(srv.weight)))?;
    Some(Place { host, port: srv.port, secure, user: None })
}
