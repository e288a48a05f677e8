//! dns — asks the system's name servers for what its resolver has no words for: SRV and MX.
//! Owns: `Nameservers`, `ask`.
//! May import: config, base.   Never: host names to addresses; that is the system's own (`dial.rs`).
//! Start reading at: `ask`. Whoever cannot see the question cannot answer it: each is sent from a port of its own with a number
//! of its own to one server, and nothing else is read than what answers it (`dns_message.rs`).

use super::dial;
use super::dns_message::{self, Kind, MAX_ANSWER, Record, Said};
use super::error::{NetError, NetErrorKind, Result};
use super::session::{Endpoint, TlsMode};
use super::wire::Wire;
use crate::base::cancel::Cancel;
use crate::base::gate::Permit;
use crate::base::waker::Waker;
use rustix::event::{PollFd, PollFlags};
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::time::{Duration, Instant};

/// Where the system says who they are.
const RESOLV_CONF: &str = "/etc/resolv.conf";
/// How many of them are asked (as resolv.conf(5)).
const MAX_SERVERS: usize = 3;
/// How long one of them is waited for.
pub const PATIENCE: Duration = Duration::from_millis(1_500);
/// How often all of them are asked.
const ROUNDS: usize = 2;
/// The most datagrams that are looked at for one question: others are no answer to it.
const MAX_DATAGRAMS: usize = 100;

/// Who is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Nameservers {
    /// Where they are, the first first.
    pub servers: Vec<SocketAddr>,
    /// How long one of them is waited for: [`PATIENCE`] but in tests.
    pub patience: Duration,
}

impl Nameservers {
    /// Those of the system; without any, the one on this machine.
    #[must_use]
    pub fn of_system() -> Self {
        Self::read(&std::fs::read_to_string(Path::new(RESOLV_CONF)).unwrap_or_default())
    }

    /// Of the text of a resolv.conf(5).
    #[must_use]
    pub fn read(text: &str) -> Self {
        let words = text.lines().map(str::split_whitespace);
        let named =
            words.filter_map(|mut w| w.next().filter(|k| *k == "nameserver").and_then(|_| w.next()?.parse::<IpAddr>().ok()));
        let mut servers: Vec<SocketAddr> = named.take(MAX_SERVERS).map(|ip| (ip, 53).into()).collect();
        if servers.is_empty() {
            servers.push((Ipv4Addr::LOCALHOST, 53).into());
        }
        Self { servers, patience: PATIENCE }
    }
}

/// What the name servers say. One after the other is asked until one answers, twice each.
///
/// # Errors
/// `Timeout`, `Unreachable`: nobody answered; `Cancelled`. That there is no such name is an answer: no record.
pub fn ask(permit: Permit, who: &Nameservers, name: &str, kind: Kind, cancel: &Cancel) -> Result<Vec<Record>> {
    let mut last = NetError::new(NetErrorKind::Unreachable, "there is no name server");
    for server in who.servers.iter().cycle().take(who.servers.len() * ROUNDS) {
        match datagram((*server, who.patience), name, kind, cancel) {
            Ok(Said::Records(records)) => return Ok(records),
            Ok(Said::Cut) => return over_tcp(permit, (*server, who.patience), name, kind, cancel),
            Ok(_) => last = NetError::new(NetErrorKind::Unreachable, "the name server does not tell"),
            Err(e) if e.kind == NetErrorKind::Cancelled => return Err(e),
            Err(e) => last = e,
        }
    }
    Err(last)
}

fn number() -> Result<u16> {
    let random = getrandom::u32().map_err(|e| NetError::new(NetErrorKind::Io(ErrorKind::Other), &e.to_string()))?;
    Ok(u16::try_from(random >> 16).unwrap_or_default())
}

fn question(id: u16, name: &str, kind: Kind) -> Result<Vec<u8>> {
    dns_message::question(id, name, kind).ok_or_else(|| NetError::protocol("no name that can be asked for"))
}

/// One datagram there, and the one that answers it.
fn datagram((server, patience): (SocketAddr, Duration), name: &str, kind: Kind, cancel: &Cancel) -> Result<Said> {
    let end = Instant::now() + patience;
    let any: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    // The system chooses a port that nobody can foresee, and lets nothing through that comes from elsewhere.
    let socket = UdpSocket::bind((any, 0))?;
    socket.set_nonblocking(true)?;
    socket.connect(server)?;
    let id = number()?;
    socket.send(&question(id, name, kind)?)?;
    let mut buffer = vec![0; MAX_ANSWER];
    for _ in 0..MAX_DATAGRAMS {
        let stop = cancel.fd();
        dial::wait(&mut [PollFd::new(&stop, PollFlags::IN), PollFd::new(&socket, PollFlags::IN)], end, cancel)?;
        match socket.recv(&mut buffer) {
            Ok(n) => match dns_message::answer(buffer.get(..n).unwrap_or_default(), id, name, kind) {
                Said::Nothing => {}
                said => return Ok(said),
            },
            Err(e) if e.kind() == ErrorKind::WouldBlock => {}
            Err(e) => return Err(NetError::new(NetErrorKind::Unreachable, &e.to_string())),
        }
        if Instant::now() >= end {
            return Err(NetError::new(NetErrorKind::Timeout, "the name server does not answer"));
        }
    }
    Err(NetError::limit("the name server says too much"))
}

/// The same with room for a longer answer: two octets of length before each message (RFC 7766).
fn over_tcp(
    permit: Permit,
    (server, patience): (SocketAddr, Duration),
    name: &str,
    kind: Kind,
    cancel: &Cancel,
) -> Result<Vec<Record>> {
    let (host, port) = (server.ip().to_string(), server.port());
    let endpoint = Endpoint { host, port, tls: TlsMode::None, ca_file: None, fingerprint: None, client_cert: None };
    let mut wire = Wire::connect(permit, &endpoint, &Waker::new()?, cancel)?;
    wire.set_limit(patience);
    let id = number()?;
    let asked = question(id, name, kind)?;
    let length = u16::try_from(asked.len()).map_err(|_| NetError::limit("the name is too long"))?;
    wire.send(&[&length.to_be_bytes()[..], &asked].concat())?;
    let mut read = |count: usize| -> Result<Vec<u8>> {
        let mut all = Vec::new();
        wire.read_exactly(count as u64, &mut |piece| {
            all.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(all)
    };
    let length = read(2)?.iter().fold(0, |n, b| n << 8 | usize::from(*b));
    if length > MAX_ANSWER {
        return Err(NetError::limit("the answer of the name server is too long"));
    }
    match dns_message::answer(&read(length)?, id, name, kind) {
        Said::Records(records) => Ok(records),
        Said::Refused => Err(NetError::new(NetErrorKind::Unreachable, "the name server does not tell")),
        Said::Nothing | Said::Cut => Err(NetError::protocol("the name server answers something else")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::gate::Reason;
    use crate::config::discovery::srv::Srv;
    use simple_dns::rdata::{RData, SRV};
    use simple_dns::{CLASS, Name, Packet, ResourceRecord};
    use std::io::{Read, Write};
    use std::net::TcpListener;

    const NAME: &str = "_imaps._tcp.work.net";

    fn asking(servers: &[SocketAddr]) -> Result<Vec<Record>> {
        let permit = Permit::ask(Reason::Discovery).unwrap();
        // A busy machine is slow.
        let who = Nameservers { servers: servers.to_vec(), patience: PATIENCE * 40 };
        ask(permit, &who, NAME, Kind::Srv, &Cancel::new().unwrap())
    }

    fn reply(asked: &[u8], target: &str) -> Packet<'static> {
        let mut packet = Packet::parse(asked).unwrap().into_reply();
        let data = RData::SRV(SRV { priority: 0, weight: 0, port: 993, target: Name::new(target).unwrap().into_owned() });
        packet.answers.push(ResourceRecord::new(Name::new(NAME).unwrap(), CLASS::IN, 60, data));
        let questions = std::mem::take(&mut packet.questions);
        let mut own = Packet::new_reply(packet.id());
        own.questions = questions.into_iter().map(simple_dns::Question::into_owned).collect();
        own.answers = packet.answers.into_iter().map(ResourceRecord::into_owned).collect();
        own
    }

    fn wanted() -> Vec<Record> {
        vec![Record::Srv(Srv { priority: 0, weight: 0, port: 993, target: "good.work.net".into() })]
    }

    /// A name server on loopback; `act` is given each question and says what is sent back, in order.
    fn server(act: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static) -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let at = socket.local_addr().unwrap();
        std::thread::spawn(move || {
            let mut buffer = [0; 2048];
            while let Ok((n, from)) = socket.recv_from(&mut buffer) {
                for answer in act(&buffer[..n]) {
                    socket.send_to(&answer, from).unwrap();
                }
            }
        });
        at
    }

    #[test]
    fn what_answers_another_question_is_passed_over() {
        let at = server(|asked| {
            let mut other = reply(asked, "evil.net");
            other.set_id(other.id().wrapping_add(1));
            let elsewhere = dns_message::question(7, "evil.net", Kind::Srv).unwrap();
            let stranger = reply(&elsewhere, "evil.net");
            vec![
                b"no message".to_vec(),
                other.build_bytes_vec().unwrap(),
                stranger.build_bytes_vec().unwrap(),
                reply(asked, "good.work.net").build_bytes_vec().unwrap(),
            ]
        });
        assert_eq!(asking(&[at]).unwrap(), wanted());
    }

    #[test]
    fn the_next_server_is_asked_when_one_does_not_tell() {
        let refuses = server(|asked| {
            let mut packet = reply(asked, "evil.net");
            *packet.rcode_mut() = simple_dns::RCODE::Refused;
            vec![packet.build_bytes_vec().unwrap()]
        });
        let gone = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let good = server(|asked| vec![reply(asked, "good.work.net").build_bytes_vec().unwrap()]);
        assert_eq!(asking(&[gone, refuses, good]).unwrap(), wanted());
        assert_eq!(asking(&[refuses]).unwrap_err().kind, NetErrorKind::Unreachable);
        assert_eq!(asking(&[]).unwrap_err().kind, NetErrorKind::Unreachable);
    }

    #[test]
    fn a_long_answer_comes_over_tcp_and_not_without_an_end() {
        // The same port for both, if it is free for both.
        let (udp, tcp) = std::iter::repeat_with(|| {
            let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
            (UdpSocket::bind(tcp.local_addr().unwrap()), tcp)
        })
        .find_map(|(udp, tcp)| Some((udp.ok()?, tcp)))
        .unwrap();
        let at = tcp.local_addr().unwrap();
        std::thread::spawn(move || {
            let mut buffer = [0; 2048];
            while let Ok((n, from)) = udp.recv_from(&mut buffer) {
                let mut cut = reply(&buffer[..n], "evil.net").build_bytes_vec().unwrap();
                cut[2] |= 0b10;
                udp.send_to(&cut, from).unwrap();
            }
        });
        let ends = std::thread::spawn(move || {
            for long in [false, true] {
                let (mut line, _) = tcp.accept().unwrap();
                let mut length = [0; 2];
                line.read_exact(&mut length).unwrap();
                let mut asked = vec![0; usize::from(u16::from_be_bytes(length))];
                line.read_exact(&mut asked).unwrap();
                let answer = reply(&asked, "good.work.net").build_bytes_vec().unwrap();
                let length = if long { u16::MAX } else { u16::try_from(answer.len()).unwrap() };
                let _ = line.write_all(&[&length.to_be_bytes()[..], &answer].concat());
            }
        });
        assert_eq!(asking(&[at]).unwrap(), wanted());
        assert_eq!(asking(&[at]).unwrap_err().kind, NetErrorKind::Limit);
        ends.join().unwrap();
    }

    #[test]
    fn a_server_that_says_nothing_is_left_when_we_are_told_to() {
        let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
        let who = Nameservers { servers: vec![silent.local_addr().unwrap()], patience: PATIENCE * 40 };
        let cancel = Cancel::new().unwrap();
        let theirs = cancel.clone();
        let permit = Permit::ask(Reason::Discovery).unwrap();
        let asking = std::thread::spawn(move || ask(permit, &who, NAME, Kind::Srv, &theirs));
        silent.recv(&mut [0; 512]).unwrap();
        cancel.ring();
        assert_eq!(asking.join().unwrap().unwrap_err().kind, NetErrorKind::Cancelled);
    }

    #[test]
    fn the_systems_servers_are_read() {
        let text = "# x\nnameserver 10.0.0.1\nsearch a.b\nnameserver fe80::1%eth0\nnameserver ::1 \nnameserver x\nnameserver 1.1.1.1\n\
                    nameserver 2.2.2.2\n";
        let all: Vec<String> = Nameservers::read(text).servers.iter().map(ToString::to_string).collect();
        assert_eq!(all, ["10.0.0.1:53", "[::1]:53", "1.1.1.1:53"]);
        assert_eq!(Nameservers::read("").servers, [SocketAddr::from(([127, 0, 0, 1], 53))]);
    }
}
