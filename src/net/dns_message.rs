//! dns_message — one question to a name service and what an answer to it says (RFC 1035, 2782).
//! Owns: `Kind`, `Record`, `Said`, `question`, `answer`. Pure. May import: config, base.
//! Start reading at: `answer`. What does not answer the question that was asked is not an answer: its number, the question it
//! repeats and the owner of each record are compared.

use crate::config::discovery::srv::Srv;
use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, PacketFlag, QCLASS, QTYPE, Question, RCODE, TYPE};

/// The largest answer that is read, in octets: over TCP it could be four times as much.
pub const MAX_ANSWER: usize = 16 * 1024;
/// The most records of a section.
const MAX_RECORDS: u16 = 64;
/// The octets of a header.
const HEADER: usize = 12;

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Where a service is (RFC 2782).
    Srv,
    /// Who takes mail.
    Mx,
}

impl Kind {
    const fn code(self) -> TYPE {
        match self {
            Self::Srv => TYPE::SRV,
            Self::Mx => TYPE::MX,
        }
    }
}

/// A record. Names are untrusted text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Record {
    /// Where a service is.
    Srv(Srv),
    /// Who takes mail.
    Mx {
        /// The lowest first.
        preference: u16,
        /// The host's name.
        exchanger: String,
    },
}

/// What a message says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Said {
    /// It answers another question, or is no message.
    Nothing,
    /// It was too long for a datagram: the question is asked again over TCP.
    Cut,
    /// The service cannot or will not tell.
    Refused,
    /// These; none if there is no such name or no such record.
    Records(Vec<Record>),
}

/// The question in octets; none if `name` can be no name.
#[must_use]
pub fn question(id: u16, name: &str, kind: Kind) -> Option<Vec<u8>> {
    let mut packet = Packet::new_query(id);
    packet.set_flags(PacketFlag::RECURSION_DESIRED);
    packet.questions.push(Question::new(Name::new(name).ok()?, QTYPE::TYPE(kind.code()), QCLASS::CLASS(CLASS::IN), false));
    packet.build_bytes_vec().ok()
}

/// What `bytes` says to [`question`] with the same arguments.
#[must_use]
pub fn answer(bytes: &[u8], id: u16, name: &str, kind: Kind) -> Said {
    // The parser makes room for what the header claims, so that is looked at first.
    let count = |at: usize| bytes.get(at..at + 2).map_or(u16::MAX, |b| u16::from_be_bytes([b[0], b[1]]));
    let claimed = [6, 8, 10].map(count);
    if bytes.len() < HEADER || bytes.len() > MAX_ANSWER || count(4) != 1 || claimed.iter().any(|n| *n > MAX_RECORDS) {
        return Said::Nothing;
    }
    // What was cut may end in the middle of a record: its question is enough.
    let cut = bytes.get(2).is_some_and(|flags| flags & 0b10 != 0);
    let short;
    let bytes = if cut {
        short = [bytes.get(..6).unwrap_or_default(), &[0; 6], bytes.get(HEADER..).unwrap_or_default()].concat();
        &short
    } else {
        bytes
    };
    let (Ok(packet), Ok(asked)) = (Packet::parse(bytes), Name::new(name)) else { return Said::Nothing };
    let same = packet
        .questions
        .first()
        .is_some_and(|q| q.qname == asked && q.qtype == QTYPE::TYPE(kind.code()) && q.qclass == QCLASS::CLASS(CLASS::IN));
    if packet.id() != id || !packet.has_flags(PacketFlag::RESPONSE) || !same {
        return Said::Nothing;
    }
    if cut {
        return Said::Cut;
    }
    match packet.rcode() {
        RCODE::NoError => Said::Records(records(&packet, asked, kind)),
        RCODE::NameError => Said::Records(Vec::new()),
        _ => Said::Refused,
    }
}

/// The records of the name, or of the one that it is an alias of.
fn records(packet: &Packet<'_>, asked: Name<'_>, kind: Kind) -> Vec<Record> {
    let mut owner = asked.into_owned();
    // Each alias leads on once: a ring of them ends.
    for _ in 0..packet.answers.len() {
        let next = packet.answers.iter().find_map(|r| match &r.rdata {
            RData::CNAME(to) if r.name == owner => Some(to.0.clone().into_owned()),
            _ => None,
        });
        match next {
            Some(next) => owner = next,
            None => break,
        }
    }
    let mine = packet.answers.iter().filter(|r| r.name == owner && r.class == CLASS::IN);
    mine.filter_map(|r| match (&r.rdata, kind) {
        (RData::SRV(srv), Kind::Srv) => {
            let target = srv.target.to_string();
            Some(Record::Srv(Srv { priority: srv.priority, weight: srv.weight, port: srv.port, target }))
        }
        (RData::MX(mx), Kind::Mx) => Some(Record::Mx { preference: mx.preference, exchanger: mx.exchange.to_string() }),
        _ => None,
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use simple_dns::ResourceRecord;
    use simple_dns::rdata::{CNAME, MX, SRV};

    const NAME: &str = "_imaps._tcp.work.net";

    fn record<'a>(name: &'a str, data: RData<'a>) -> ResourceRecord<'a> {
        ResourceRecord::new(Name::new(name).unwrap(), CLASS::IN, 60, data)
    }

    fn srv(target: &str) -> RData<'_> {
        RData::SRV(SRV { priority: 1, weight: 2, port: 993, target: Name::new(target).unwrap() })
    }

    fn reply(asked: &str, answers: Vec<ResourceRecord<'_>>) -> Vec<u8> {
        let asked = question(7, asked, Kind::Srv).unwrap();
        let mut packet = Packet::parse(&asked).unwrap().into_reply();
        packet.answers = answers;
        packet.build_bytes_vec_compressed().unwrap()
    }

    fn said(bytes: &[u8]) -> Said {
        answer(bytes, 7, NAME, Kind::Srv)
    }

    fn imap() -> Said {
        Said::Records(vec![Record::Srv(Srv { priority: 1, weight: 2, port: 993, target: "imap.work.net".into() })])
    }

    #[test]
    fn only_an_answer_to_the_question_is_one() {
        let good = reply(NAME, vec![record(NAME, srv("imap.work.net"))]);
        assert_eq!(said(&good), imap());
        assert_eq!(answer(&good, 8, NAME, Kind::Srv), Said::Nothing, "another number");
        assert_eq!(answer(&good, 7, "_imap._tcp.work.net", Kind::Srv), Said::Nothing, "another name");
        assert_eq!(answer(&good, 7, NAME, Kind::Mx), Said::Nothing, "another kind");
        assert_eq!(said(&question(7, NAME, Kind::Srv).unwrap()), Said::Nothing, "a question is no answer");
        let upper = reply(&NAME.to_uppercase(), vec![record(NAME, srv("imap.work.net"))]);
        assert_eq!(said(&upper), imap(), "names have no case");
        let other = reply(NAME, vec![record("_imaps._tcp.evil.net", srv("imap.evil.net"))]);
        assert_eq!(said(&other), Said::Records(vec![]), "a record of somebody else");
        let mut refused = good.clone();
        refused[3] = (refused[3] & 0xf0) | 5;
        assert_eq!(said(&refused), Said::Refused);
        refused[3] = (refused[3] & 0xf0) | 3;
        assert_eq!(said(&refused), Said::Records(vec![]));
        let mut cut = good;
        cut[2] |= 0b10;
        cut.truncate(cut.len() - 9);
        assert_eq!(said(&cut), Said::Cut);
    }

    #[test]
    fn aliases_are_followed_and_rings_of_them_end() {
        let alias = |to| RData::CNAME(CNAME(Name::new(to).unwrap()));
        let to = "srv.host.net";
        assert_eq!(said(&reply(NAME, vec![record(to, srv("imap.work.net")), record(NAME, alias(to))])), imap());
        assert_eq!(said(&reply(NAME, vec![record(NAME, alias(to)), record(to, alias(NAME))])), Said::Records(vec![]));
        let asked = question(7, "work.net", Kind::Mx).unwrap();
        let mut packet = Packet::parse(&asked).unwrap().into_reply();
        let mx = MX { preference: 10, exchange: Name::new("mx.host.net").unwrap() };
        packet.answers = vec![record("work.net", RData::MX(mx))];
        let bytes = packet.build_bytes_vec_compressed().unwrap();
        let wanted = Record::Mx { preference: 10, exchanger: "mx.host.net".into() };
        assert_eq!(answer(&bytes, 7, "work.net", Kind::Mx), Said::Records(vec![wanted]));
    }

    /// Names that point at themselves, at what comes after them, or on and on; counts that nothing stands behind.
    #[test]
    fn loops_and_counts_that_lie_cost_nothing() {
        let good = reply(NAME, vec![record(NAME, srv("imap.work.net"))]);
        for at in HEADER..good.len() - 1 {
            for to in [at, at + 2, HEADER, 0, 0x3fff] {
                let mut bad = good.clone();
                let [high, low] = u16::try_from(to).unwrap().to_be_bytes();
                (bad[at], bad[at + 1]) = (0xc0 | high, low);
                let _ = said(&bad);
            }
        }
        for at in [4, 6, 8, 10] {
            let mut bad = good.clone();
            (bad[at], bad[at + 1]) = (0xff, 0xff);
            assert_eq!(said(&bad), Said::Nothing);
        }
        // As many names as there is room for, each a chain of pointers back to the first.
        let mut long = good[..HEADER].to_vec();
        (long[6], long[7]) = (0, 64);
        long.extend(&question(7, NAME, Kind::Srv).unwrap()[HEADER..]);
        while long.len() < MAX_ANSWER - 64 * 12 {
            let [high, low] = u16::try_from(long.len() - 2).unwrap().to_be_bytes();
            long.extend([0xc0 | high, low]);
        }
        crate::base::clock::quick(std::time::Duration::from_secs(1), || {
            let begin = std::time::Instant::now();
            let _ = said(&long);
            begin.elapsed()
        });
        assert_eq!(question(7, &"a".repeat(64), Kind::Srv), None);
    }

    proptest! {
        #[test]
        fn no_octets_break_it(bytes in proptest::collection::vec(any::<u8>(), 0..300), at in 0usize..200, put in any::<u8>()) {
            let _ = said(&bytes);
            let mut near = reply(NAME, vec![record(NAME, srv("imap.work.net"))]);
            let at = at % near.len();
            near[at] = put;
            near.extend(&bytes);
            let _ = said(&near);
        }
    }
}
