//! discover — the servers of an address: who is asked, side by side, and until when.
//! Owns: `address`, `Ways`, the deadline. May import: net, config, base, and the engine's own.
//! Start reading at: `address`. Whoever is in the list of providers is found without asking anybody. Else only the domain itself is
//! asked, by name service and by HTTPS; nobody is told what stands before the `@`. That nobody knows, is offline or was stopped is an
//! answer too: nothing was found.

use crate::base::cancel::Cancel;
use crate::base::gate::{Permit, Reason};
use crate::base::log;
use crate::base::safetext::SafeText;
use crate::base::spawn;
use crate::config::discovery::autoconfig::{self, MAX_FILE, Who};
use crate::config::discovery::gather::Gathering;
use crate::config::discovery::srv::{QUESTIONS, Srv};
use crate::config::discovery::{Domain, Found, Offer, Offered, Source, host_name, providers, srv};
use crate::net::dns::{self, Nameservers};
use crate::net::dns_message::{Kind, Record};
use crate::net::error::NetError;
use crate::net::https::{self, Page, Url, Way};
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

/// How long all sources together may take.
pub const DEADLINE: Duration = Duration::from_secs(5);
/// How often a page may have moved.
const MAX_REDIRECTS: usize = 3;

/// How the outside is reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ways {
    /// Who is asked for records.
    pub nameservers: Nameservers,
    /// How files are fetched.
    pub https: Way,
    /// How long all of it may take: [`DEADLINE`] but in tests.
    pub deadline: Duration,
}

impl Ways {
    /// The system's; `ca_file` is a file of further authorities to believe. With the feature `fault` a test may say
    /// `POSTRIDER_DISCOVERY="DNS-ADDRESS HTTPS-ADDRESS CA-FILE TIMES"` in the environment: then these are asked and nobody else, and each
    /// wait is so many times as long.
    #[must_use]
    pub fn of_system(ca_file: Option<&Path>) -> Self {
        #[cfg(feature = "fault")]
        if let Ok(text) = std::env::var("POSTRIDER_DISCOVERY") {
            let words: Vec<&str> = text.split(' ').collect();
            let address = |n: usize| words.get(n).and_then(|word| word.parse().ok());
            let times = words.get(3).and_then(|word| word.parse().ok()).unwrap_or(1);
            let nameservers = Nameservers { servers: address(0).into_iter().collect(), patience: dns::PATIENCE * times };
            let https = Way { ca_file: words.get(2).map(Into::into), at: address(1), patience: https::PATIENCE * times };
            return Self { nameservers, https, deadline: DEADLINE * times };
        }
        let https = Way { ca_file: ca_file.map(Into::into), at: None, patience: https::PATIENCE };
        Self { nameservers: Nameservers::of_system(), https, deadline: DEADLINE }
    }
}

/// What a thread found.
enum Heard {
    Offer(Source, Offer),
    /// The answer to one of [`QUESTIONS`].
    Srv(usize, Vec<Srv>),
}

/// Looks for the servers of `address`, until nothing better can come or [`DEADLINE`] is over. Blocks; throwing `cancel` ends it.
#[must_use]
pub fn address(address: &str, ways: &Ways, cancel: &Cancel) -> Found {
    let Some(domain) = Domain::of_address(address) else { return Found::default() };
    let local = address.rsplit_once('@').map_or("", |(local, _)| local);
    if let Some(offer) = providers::by_domain(local, &domain) {
        let mut known = Gathering::new(domain, &[Source::Providers]);
        known.heard(Source::Providers, offer);
        return known.settled().unwrap_or_default();
    }
    // Asked here: the threads below have no mail open that could forbid it.
    if Permit::ask(Reason::Discovery).is_err() {
        return Found::default();
    }
    let Ok(stop) = cancel.branch() else { return Found::default() };
    let found = gather(address, &domain, ways, &stop);
    // Whoever is still waiting for an answer need not.
    stop.ring();
    let named = |s: &Offered| format!("{} by {}", s.host(), s.source().words());
    let all: Vec<String> = found.servers().map(named).collect();
    log::info("discover", SafeText::line_max(&format!("{domain}: {}", all.join(", ")), 300));
    found
}

fn gather(address: &str, domain: &Domain, ways: &Ways, stop: &Cancel) -> Found {
    let asked = [Source::Autoconfig, Source::WellKnown, Source::Srv, Source::Mx];
    let mut all = Gathering::new(domain.clone(), &asked);
    let (tell, heard) = mpsc::channel();
    let all_begun = begin(address, domain, ways, stop, &tell);
    drop(tell);
    if let Err(e) = all_begun {
        log::warn("discover", format_args!("{e}"));
    }
    let end = Instant::now() + ways.deadline;
    let mut services: [Option<Vec<Srv>>; 4] = Default::default();
    loop {
        if let Some(found) = all.settled() {
            return found;
        }
        match heard.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(Heard::Offer(source, offer)) => all.heard(source, offer),
            Ok(Heard::Srv(n, records)) => {
                if let Some(place) = services.get_mut(n) {
                    *place = Some(records);
                }
                if services.iter().all(Option::is_some) {
                    all.heard(Source::Srv, services_offer(&services));
                }
            }
            // Who has ended without a word knows nothing.
            Err(RecvTimeoutError::Disconnected | RecvTimeoutError::Timeout) => {
                // What some of the records say is still said.
                all.heard(Source::Srv, services_offer(&services));
                all.over();
            }
        }
    }
}

fn services_offer(services: &[Option<Vec<Srv>>; 4]) -> Offer {
    srv::offer(services.each_ref().map(|s| s.as_deref().unwrap_or_default()))
}

/// Begins all of it, a thread for each question. What is not begun says nothing.
fn begin(address: &str, domain: &Domain, ways: &Ways, stop: &Cancel, tell: &Sender<Heard>) -> std::io::Result<()> {
    let pages = [
        (Source::Autoconfig, format!("autoconfig.{domain}"), "/mail/config-v1.1.xml"),
        (Source::WellKnown, domain.to_string(), "/.well-known/autoconfig/mail/config-v1.1.xml"),
    ];
    for (source, host, path) in pages {
        let (address, way, stop) = (address.to_owned(), ways.https.clone(), stop.clone());
        run(tell, move || {
            let offer = page(&host, path, &way, &stop).map(|file| autoconfig::read(&file, Who { address: &address }));
            let offer = match offer {
                Ok(Ok(offer)) => offer,
                Ok(Err(refused)) => {
                    log::info("discover", format_args!("{host}: {refused}"));
                    Offer::default()
                }
                Err(error) => silent(&host, &error),
            };
            Heard::Offer(source, offer)
        })?;
    }
    for (n, service) in QUESTIONS.into_iter().enumerate() {
        let (name, servers, stop) = (format!("{service}.{domain}"), ways.nameservers.clone(), stop.clone());
        run(tell, move || {
            let records = records(&servers, &name, Kind::Srv, &stop).unwrap_or_else(|e| silent(&name, &e));
            let service = |r| if let Record::Srv(srv) = r { Some(srv) } else { None };
            Heard::Srv(n, records.into_iter().filter_map(service).collect())
        })?;
    }
    let (name, servers, stop) = (domain.to_string(), ways.nameservers.clone(), stop.clone());
    run(tell, move || {
        let mut all = records(&servers, &name, Kind::Mx, &stop).unwrap_or_else(|e| silent(&name, &e));
        all.sort_by_key(|r| if let Record::Mx { preference, .. } = r { *preference } else { u16::MAX });
        let host = |r: &Record| if let Record::Mx { exchanger, .. } = r { host_name(exchanger) } else { None };
        let first = all.iter().find_map(host);
        Heard::Offer(Source::Mx, first.and_then(|first| providers::by_exchanger(&first)).unwrap_or_default())
    })
}

/// A thread that tells what it found. What was a mistake of ours is told by the log, and is nothing here.
fn run(tell: &Sender<Heard>, work: impl FnOnce() -> Heard + Send + 'static) -> std::io::Result<()> {
    let tell = tell.clone();
    spawn::spawn("discover", move || {
        if let Ok(heard) = spawn::guarded(work) {
            // Nobody waits any more: fine.
            let _ = tell.send(heard);
        }
    })
    .map(drop)
}

fn silent<T: Default>(what: &str, error: &NetError) -> T {
    log::info("discover", format_args!("{what}: {error}"));
    T::default()
}

fn permit() -> Result<Permit, NetError> {
    Permit::ask(Reason::Discovery).map_err(|refused| NetError::protocol(&refused.to_string()))
}

fn records(servers: &Nameservers, name: &str, kind: Kind, stop: &Cancel) -> Result<Vec<Record>, NetError> {
    dns::ask(permit()?, servers, name, kind, stop)
}

/// The file at a host, where it has moved to at most [`MAX_REDIRECTS`] times.
fn page(host: &str, path: &str, way: &Way, stop: &Cancel) -> Result<Vec<u8>, NetError> {
    let mut url = Url::new(host, path).ok_or_else(|| NetError::protocol("no name of a web server"))?;
    for _ in 0..=MAX_REDIRECTS {
        match https::get(permit()?, &url, way, MAX_FILE, stop)? {
            Page::Here(file) => return Ok(file),
            Page::Moved(to) => url = to,
            Page::Nothing(status) => return Err(NetError::protocol(&format!("no such page ({status})"))),
        }
    }
    Err(NetError::limit("the page moves on and on"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::discovery::Standing;
    use std::net::{SocketAddr, TcpListener, UdpSocket};

    fn ways(dns: SocketAddr, https: SocketAddr, deadline: Duration) -> Ways {
        let patience = Duration::from_secs(100);
        let nameservers = Nameservers { servers: vec![dns], patience };
        Ways { nameservers, https: Way { ca_file: None, at: Some(https), patience }, deadline }
    }

    #[test]
    fn silence_ends_with_the_deadline_or_when_it_is_stopped() {
        let (dns, https) = (UdpSocket::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
        let at = (dns.local_addr().unwrap(), https.local_addr().unwrap());
        let cancel = Cancel::new().unwrap();
        let short = ways(at.0, at.1, Duration::from_millis(50));
        assert_eq!(address("ann@work.net", &short, &cancel), Found::default());
        assert!(!cancel.is_set(), "only its own branch");
        let https = TcpListener::bind("127.0.0.1:0").unwrap();
        let (theirs, long) = (cancel.clone(), ways(at.0, https.local_addr().unwrap(), Duration::from_secs(1_000)));
        let asking = std::thread::spawn(move || address("ann@work.net", &long, &theirs));
        // Both questions of the web have come, and wait.
        let lines = [https.accept().unwrap(), https.accept().unwrap()];
        cancel.ring();
        assert_eq!(asking.join().unwrap(), Found::default());
        drop(lines);
    }

    /// A mail that is being read, and who is in the list, ask nobody.
    #[test]
    fn nobody_is_asked_who_need_not_be() {
        let (dns, https) = (UdpSocket::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
        dns.set_nonblocking(true).unwrap();
        https.set_nonblocking(true).unwrap();
        let ways = ways(dns.local_addr().unwrap(), https.local_addr().unwrap(), Duration::from_secs(1_000));
        let cancel = Cancel::new().unwrap();
        let found = address("ann@posteo.de", &ways, &cancel);
        assert!(found.servers().all(|s| s.host() == "posteo.de" && s.source() == Source::Providers));
        assert!(found.servers().all(|s| s.standing() == Standing::Own) && found.outgoing.is_some());
        let reading = crate::base::gate::reading();
        assert_eq!(address("ann@work.net", &ways, &cancel), Found::default());
        drop(reading);
        assert_eq!(address("ann@example.org", &ways, &cancel), Found::default());
        assert!(dns.recv(&mut [0; 9]).is_err() && https.accept().is_err());
    }
}
