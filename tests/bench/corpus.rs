//! corpus — a mailbox of any size out of a seed: the same number gives the same mails, on every machine.
//! Start reading at: `Corpus::mail`. Words and people are as uneven as in real mail (a few make most of it), a third are replies.

use postrider::mail::address::Address;
use postrider::mail::envelope::{Envelope, MessageId};
use postrider::mail::flags::Flags;
use postrider::mail::server::EnvelopeSeen;
use postrider::mail::uid::{ModSeq, Uid};
use std::fmt::Write as _;

/// The newest mail of every corpus: 2026-11-20 12:00 UTC.
pub const NEWEST: i64 = 1_795_176_000;
/// How far apart two mails are on average, in seconds: 100,000 of them are three and a half years.
const STEP: i64 = 1_100;
/// A word that stands in one body of a thousand.
pub const RARE: &str = "quokka";
/// A word that stands in one body of ten.
pub const COMMON: &str = "ledger";

/// Numbers that look random and are not.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % n.max(1)
    }

    /// Below `n`, small numbers far more often than large ones.
    pub fn uneven(&mut self, n: u64) -> u64 {
        let (a, b, c) = (self.below(n) + 1, self.below(n) + 1, self.below(n) + 1);
        (a * b / n.max(1)) * c / n.max(1)
    }
}

fn syllables(mut n: u64) -> String {
    const PARTS: [&str; 40] = [
        "re", "an", "to", "mi", "la", "con", "ver", "tis", "po", "ne", "da", "sor", "el", "bri", "ma", "ti", "gen", "lo", "per",
        "sta", "in", "de", "fo", "ran", "ce", "mon", "tu", "al", "vi", "pro", "su", "ter", "no", "ga", "ris", "em", "ca", "ul",
        "ho", "ber",
    ];
    let mut word = String::new();
    loop {
        word.push_str(PARTS[usize::try_from(n % 40).unwrap_or(0)]);
        n /= 40;
        if n == 0 {
            return word;
        }
        n -= 1;
    }
}

/// How many different words there are.
const WORDS: u64 = 60_000;
/// How many people.
const PEOPLE: u64 = 1_500;

/// One mail.
pub struct Mail {
    /// As a server tells it.
    pub seen: EnvelopeSeen,
    /// Its text.
    pub body: String,
}

/// A mailbox of `count` mails.
pub struct Corpus {
    pub seed: u64,
    pub count: u32,
}

impl Corpus {
    fn dice(&self, uid: u32) -> Dice {
        let mut dice = Dice::new(self.seed << 32 | u64::from(uid));
        dice.below(2);
        dice
    }

    fn id(uid: u32) -> String {
        format!("{uid}.{}@bench.example", syllables(u64::from(uid)))
    }

    fn person(n: u64) -> Address {
        let (first, last) = (syllables(n % 60 + 100), syllables(n + 2_000));
        let mut name = format!("{first} {last}");
        name[..1].make_ascii_uppercase();
        Address::new(&name, &format!("{first}.{last}@{}.example", syllables(n % 90 + 40)))
    }

    /// The mail that `uid` answers, if it answers one.
    fn parent(&self, uid: u32) -> Option<u32> {
        let mut dice = self.dice(uid);
        (dice.below(3) == 0 && uid > 50).then(|| uid - 1 - u32::try_from(dice.uneven(49)).unwrap_or(0))
    }

    /// UIDs 1 to `count`, the oldest first.
    pub fn mail(&self, uid: u32) -> Mail {
        let mut dice = self.dice(uid);
        let mut references = Vec::new();
        let mut at = uid;
        while let Some(parent) = self.parent(at).filter(|_| references.len() < 8) {
            references.extend(MessageId::new(&Self::id(parent)));
            at = parent;
        }
        references.reverse();
        let mut words = Dice::new(self.seed << 32 | u64::from(at));
        let topic: Vec<String> = (0..3 + words.below(5)).map(|_| syllables(words.uneven(WORDS))).collect();
        let mut people = || Self::person(dice.uneven(PEOPLE));
        let (from, to) = (people(), vec![people()]);
        let cc = if uid.is_multiple_of(4) { vec![people(), people()] } else { Vec::new() };
        let mut body = String::new();
        for n in 0..60 + dice.below(120) {
            body.push_str(&syllables(dice.uneven(WORDS)));
            body.push_str(if n % 11 == 10 { "\n" } else { " " });
        }
        if dice.below(1_000) == 0 {
            body.push_str(RARE);
        }
        if dice.below(10) == 0 {
            body.push_str(COMMON);
        }
        body.push('\n');
        let flags = match dice.below(40) {
            0 => vec!["\\Seen", "\\Flagged"],
            1 | 2 => vec![],
            3..=7 => vec!["\\Seen", "\\Answered"],
            _ => vec!["\\Seen"],
        };
        let attachments = if dice.below(12) == 0 { vec![format!("{}.pdf", syllables(dice.uneven(WORDS)))] } else { Vec::new() };
        let received = NEWEST - i64::from(self.count - uid) * STEP + i64::try_from(dice.below(STEP as u64)).unwrap_or(0);
        let subject = format!("{}{}", if references.is_empty() { "" } else { "Re: " }, topic.join(" "));
        let envelope = Envelope {
            date: Some(received),
            subject,
            from: vec![from],
            to,
            cc,
            message_id: MessageId::new(&Self::id(uid)),
            in_reply_to: references.last().cloned().into_iter().collect(),
            references,
            ..Envelope::default()
        };
        let seen = EnvelopeSeen {
            uid: Uid::new(uid).unwrap(),
            flags: Flags::from_words(flags),
            modseq: ModSeq(1),
            received,
            size: body.len() as u64 + 700,
            envelope: envelope.into(),
            attachments: Some(attachments),
            object_id: String::new(),
        };
        Mail { seen, body }
    }

    /// The bytes of a mail, as they lie on a server.
    pub fn raw(&self, uid: u32) -> Vec<u8> {
        let mail = self.mail(uid);
        let e = mail.seen.envelope.envelope();
        let list = |all: &[Address]| all.iter().map(|a| format!("{} <{}>", a.name, a.addr)).collect::<Vec<_>>().join(", ");
        let date =
            jiff::Timestamp::from_second(mail.seen.received).map(|t| t.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string());
        let mut head = format!("From: {}\r\nTo: {}\r\n", list(&e.from), list(&e.to));
        if !e.cc.is_empty() {
            let _ = write!(head, "Cc: {}\r\n", list(&e.cc));
        }
        let _ = write!(head, "Subject: {}\r\nDate: {}\r\n", e.subject, date.unwrap_or_default());
        if let Some(id) = &e.message_id {
            let _ = write!(head, "Message-ID: <{id}>\r\n");
        }
        if let Some(parent) = e.in_reply_to.first() {
            let all: Vec<String> = e.references.iter().map(|r| format!("<{r}>")).collect();
            let _ = write!(head, "In-Reply-To: <{parent}>\r\nReferences: {}\r\n", all.join("\r\n "));
        }
        head.push_str("MIME-Version: 1.0\r\n");
        let text = mail.body.replace('\n', "\r\n");
        match mail.seen.attachments.iter().flatten().next() {
            None => format!("{head}Content-Type: text/plain; charset=utf-8\r\n\r\n{text}").into_bytes(),
            Some(name) => format!(
                "{head}Content-Type: multipart/mixed; boundary=\"=_b\"\r\n\r\n--=_b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n\
                 --=_b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"{name}\"\r\n\
                 Content-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjQK\r\n--=_b--\r\n"
            )
            .into_bytes(),
        }
    }
}
