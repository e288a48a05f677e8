//! envelope — the headers that a list row, a thread and a reply need.
//! Owns: `Envelope`, `MessageId`.
//! May import: base.
//! Start reading at: `Envelope`. It comes either from the server's ENVELOPE or, once the bytes are here, from
//! the message itself (`mail/parse.rs`), which then wins.

use super::address::Address;
use std::fmt;

/// A `Message-ID` without its angle brackets (RFC 5322, 3.6.4). It may repeat and it may lie:
/// an index for threading, never the identity of anything.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct MessageId(String);

impl MessageId {
    /// The longest that we keep, in bytes.
    pub const MAX: usize = 998;

    /// Of header text: white space and angle brackets are taken off. Nothing for an empty or overlong one
    /// or one with white space or control characters inside.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        Self::within(text).map(|id| Self(id.to_owned()))
    }

    /// The same, of the text itself.
    #[must_use]
    pub fn within(text: &str) -> Option<&str> {
        let id = text.trim().trim_start_matches('<').trim_end_matches('>');
        let fits = !id.is_empty() && id.len() <= Self::MAX;
        let odd = |c: char| c.is_whitespace() || c.is_control() || c == '<' || c == '>';
        let common = |b: u8| b.is_ascii_graphic() && b != b'<' && b != b'>';
        (fits && (id.bytes().all(common) || !id.contains(odd))).then_some(id)
    }

    /// Without brackets.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.0)
    }
}

/// The headers of a message that matter before its body is here, decoded. All text is untrusted.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Envelope {
    /// The `Date` header in seconds since 1970, if there was one that could be read.
    pub date: Option<i64>,
    /// Decoded; may hold any character.
    pub subject: String,
    /// `From`. More than one is legal and suspicious.
    pub from: Vec<Address>,
    /// `Sender`, where it differs.
    pub sender: Vec<Address>,
    /// `Reply-To`.
    pub reply_to: Vec<Address>,
    /// `To`, groups flattened.
    pub to: Vec<Address>,
    /// `Cc`.
    pub cc: Vec<Address>,
    /// `Bcc`: only in what we wrote ourselves.
    pub bcc: Vec<Address>,
    /// `Message-ID`.
    pub message_id: Option<MessageId>,
    /// `In-Reply-To`.
    pub in_reply_to: Vec<MessageId>,
    /// `References`, oldest first; at most [`Envelope::MAX_REFERENCES`] are kept (the newest).
    pub references: Vec<MessageId>,
}

impl Envelope {
    /// The most ids kept of `References` (security: M-18).
    pub const MAX_REFERENCES: usize = 1_000;

    /// Whether a server that told this of a message told another author or subject than its `own` headers have. What servers only
    /// write otherwise (case, spaces, what is no address) is the same.
    #[must_use]
    pub fn denies(&self, own: &Self) -> bool {
        let words = |text: &str| text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>();
        let authors = |envelope: &Self| envelope.from.iter().map(|a| a.addr.to_lowercase()).collect::<Vec<_>>();
        let (told, theirs) = (authors(self), authors(own));
        let whole = |all: &[String]| !all.is_empty() && all.iter().all(|addr| addr.contains('@'));
        let subject = !self.subject.is_empty() && words(&self.subject) != words(&own.subject);
        subject || (whole(&told) && whole(&theirs) && told != theirs)
    }

    /// All that this message says it follows, oldest first, without repeats: for threading.
    #[must_use]
    pub fn ancestors(&self) -> Vec<&MessageId> {
        let mut seen = std::collections::HashSet::new();
        self.references
            .iter()
            .chain(&self.in_reply_to)
            .filter(|id| Some(*id) != self.message_id.as_ref() && seen.insert(*id))
            .collect()
    }
}
