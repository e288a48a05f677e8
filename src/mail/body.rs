//! body — a whole message: its envelope, all its header fields, and the tree of its parts by byte ranges.
//! Owns: `Message`, `Part`, `PartPath`, `Kind`, `Kept`, `Attachment`, `Flaw`.
//! May import: base.
//! Start reading at: `Message`. `mail/parse.rs` makes it; `mail/structure.rs` says which parts are read and which are
//! attached; `mail/render.rs` turns it into lines. All text is untrusted.

use super::address::Address;
use super::envelope::Envelope;
use super::header::Field;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A parsed message and its bytes. Cheap to clone and to send between threads but for the tree.
#[derive(Clone, PartialEq, Debug)]
pub struct Message {
    /// The bytes as the server has them.
    pub raw: Arc<[u8]>,
    /// What lists, threads and replies need.
    pub envelope: Envelope,
    /// All header fields in order.
    pub fields: Vec<Field>,
    /// The parts, parents before children; the first is the whole message. Never empty.
    pub parts: Vec<Part>,
    /// What was wrong with it.
    pub flaws: Vec<Flaw>,
    /// Whether `raw` is all of it as the server has it. If not, `raw` holds its header and some of its parts, in any order
    /// (see `mail/outline.rs`).
    pub whole: bool,
}

/// The number of a part in [`Message::parts`].
pub type PartIndex = usize;

/// One part of the tree.
#[derive(Clone, PartialEq, Debug)]
pub struct Part {
    /// Its number as IMAP counts.
    pub path: PartPath,
    /// Whose child.
    pub parent: Option<PartIndex>,
    /// Children in order; of a [`Kind::Message`] the root part of the message inside.
    pub children: Vec<PartIndex>,
    /// What it is.
    pub kind: Kind,
    /// `type/subtype` in lower case.
    pub mime: String,
    /// Parameters of Content-Type, names in lower case, decoded (RFC 2231).
    pub params: Vec<(String, String)>,
    /// Content-Disposition.
    pub disposition: Disposition,
    /// What the sender called it: never a path, see [`Attachment::safe_name`].
    pub name: Option<String>,
    /// Content-ID without brackets.
    pub content_id: Option<String>,
    /// Content-Description.
    pub description: Option<String>,
    /// Content-Transfer-Encoding.
    pub encoding: Encoding,
    /// Its header fields in [`Message::raw`].
    pub header: Range<usize>,
    /// Its body in [`Message::raw`], still encoded; nothing if it is kept elsewhere.
    pub body: Range<usize>,
    /// Where its bytes are.
    pub kept: Kept,
}

/// Where the bytes of a part are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Kept {
    /// In the message.
    #[default]
    Within,
    /// Here, in a file of their own.
    Apart {
        /// How many they are, encoded, as the server said.
        octets: u64,
    },
    /// On the server only.
    OnServer {
        /// How many they are, encoded, as the server said.
        octets: u64,
    },
}

impl Kept {
    /// Whether they are on this machine.
    #[must_use]
    pub const fn is_here(self) -> bool {
        !matches!(self, Self::OnServer { .. })
    }

    /// How many octets are not in the message.
    #[must_use]
    pub const fn octets(self) -> u64 {
        match self {
            Self::Within => 0,
            Self::Apart { octets } | Self::OnServer { octets } => octets,
        }
    }
}

impl Part {
    /// The Content-Type parameter of that name (lower case), or "".
    #[must_use]
    pub fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.as_str())
    }
}

/// What a part is, as far as reading depends on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A multipart: only its children matter.
    Multipart,
    /// A message inside.
    Message,
    /// `text/plain`.
    Plain,
    /// `text/html`.
    Html,
    /// Other text: a calendar, a patch, a delivery status.
    Text,
    /// Anything else.
    Data,
}

/// Content-Disposition (RFC 2183).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Disposition {
    /// None given.
    #[default]
    Unsaid,
    /// Meant to be read with the message.
    Inline,
    /// Meant to be kept apart; also any word that we do not know (RFC 2183, 2.8).
    Attachment,
}

/// Content-Transfer-Encoding.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Encoding {
    /// 7bit, 8bit, binary, and what we do not know.
    #[default]
    Identity,
    /// base64.
    Base64,
    /// quoted-printable.
    QuotedPrintable,
}

/// The number of a part as IMAP counts (RFC 9051, 6.4.5): `1`, `2.1`; empty for the whole of a multipart message.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct PartPath(Vec<u32>);

impl PartPath {
    /// Of its numbers, each from 1.
    #[must_use]
    pub fn new(numbers: Vec<u32>) -> Self {
        Self(numbers)
    }

    /// Reads `2.1`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::default());
        }
        let numbers: Option<Vec<u32>> = text.split('.').map(|n| n.parse().ok().filter(|n| *n > 0)).collect();
        numbers.map(Self)
    }

    /// The path of the `n`-th child, from 1.
    #[must_use]
    pub fn child(&self, n: u32) -> Self {
        let mut numbers = self.0.clone();
        numbers.push(n);
        Self(numbers)
    }
}

impl fmt::Display for PartPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, n) in self.0.iter().enumerate() {
            write!(f, "{}{n}", if i > 0 { "." } else { "" })?;
        }
        Ok(())
    }
}

/// Something wrong with a message that its reader may want to know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flaw {
    /// It has no header that looks like mail: all of it is shown as text.
    NotMail,
    /// The blank line between header and body is missing.
    NoSeparator,
    /// More header fields than are kept.
    HeadersCut,
    /// More parts, or deeper ones, than are shown.
    PartsCut,
    /// The parser gave up: all of it is shown as text.
    Unparsable,
    /// We failed on it again and again: nobody tried to take it apart.
    LeftOut,
    /// Before it was here the server told another sender, subject, size or other files of it (security S-28).
    Untrue,
}

/// One attachment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attachment {
    /// Which part.
    pub part: PartIndex,
    /// Its number as IMAP counts.
    pub path: PartPath,
    /// `type/subtype` in lower case.
    pub mime: String,
    /// What the sender called it, untrusted; "" for nothing.
    pub name: String,
    /// A name for a file of ours: one path component.
    pub safe_name: String,
    /// Decoded size in octets; for base64 an estimate that is right to three octets.
    pub size: u64,
    /// Whether it belongs to the text (an image of the HTML): not counted in lists.
    pub related: bool,
    /// Whether its bytes are on this machine.
    pub here: bool,
}

/// Who wrote a message, by the one rule that list, viewer, trust and reply share.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Author {
    /// The first address of `From`, else of `Sender`; empty if there is none.
    pub address: Address,
    /// Whether there is not exactly one well-formed author: then nobody vouches for the name, and a reply asks.
    pub ambiguous: bool,
    /// Whether the display name looks like an address that is not this one.
    pub lies: bool,
}

/// The author of a message (security M-01 to M-14).
#[must_use]
pub fn author(envelope: &Envelope) -> Author {
    let address = envelope.from.first().or_else(|| envelope.sender.first()).cloned().unwrap_or_default();
    let ambiguous = envelope.from.len() != 1 || !well_formed(&address.addr);
    let name = address.name.trim().trim_matches(['"', '\'', '<', '>']);
    let lies = name.contains('@') && !name.eq_ignore_ascii_case(address.addr.trim());
    Author { address, ambiguous, lies }
}

/// Whether `addr` is one local part and one domain without anything that could be read as a second address.
fn well_formed(addr: &str) -> bool {
    let quoted = addr.starts_with('"');
    addr.rsplit_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && !domain.is_empty()
            && (quoted || !local.contains('@'))
            && !addr.chars().any(|c| c.is_control() || c == '<' || c == '>' || c == ',' || (c.is_whitespace() && !quoted))
    })
}

impl Message {
    /// The whole message's part.
    #[must_use]
    pub fn root(&self) -> Option<&Part> {
        self.parts.first()
    }

    /// The part with that number.
    #[must_use]
    pub fn at(&self, path: &PartPath) -> Option<PartIndex> {
        // A message inside shares its path with its multipart: the outer one is meant.
        self.parts.iter().position(|p| p.path == *path)
    }

    /// The first header field of that name, decoded.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|f| f.name.eq_ignore_ascii_case(name)).map(|f| f.value.as_str())
    }

    /// The bytes of a part as they stand in the message, still encoded.
    #[must_use]
    pub fn encoded(&self, part: &Part) -> &[u8] {
        self.raw.get(part.body.clone()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let path = PartPath::parse("2.1").unwrap();
        assert_eq!(path.to_string(), "2.1");
        assert_eq!(path.child(3).to_string(), "2.1.3");
        assert!(PartPath::parse("0").is_none() && PartPath::parse("1..2").is_none());
        assert_eq!(PartPath::parse("").unwrap(), PartPath::default());
    }

    #[test]
    fn authors() {
        let of = |from: &[(&str, &str)]| {
            author(&Envelope { from: from.iter().map(|(n, a)| Address::new(n, a)).collect(), ..Envelope::default() })
        };
        assert!(!of(&[("Ann", "ann@example.org")]).ambiguous);
        assert!(of(&[]).ambiguous);
        assert!(of(&[("", "a@attack"), ("", "admin@legit")]).ambiguous);
        assert!(of(&[("", "a@b@c")]).ambiguous && of(&[("", "nobody")]).ambiguous);
        assert!(of(&[("boss@bank.example", "eve@x.example")]).lies);
        assert!(!of(&[("ann@example.org", "ann@example.org")]).lies);
    }
}
