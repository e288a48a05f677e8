//! query — the search language: text to a tree, and back.
//! Owns: `Query`, `Term`, `Field`, `State`; `query_parse.rs` reads it.
//! May import: base.
//! Start reading at: `Query`. Two interpreters share the tree: `store/fts.rs` (SQL) and `query_eval.rs` (the reference).
//!
//! `from:ann subject:"q3 report" has:attachment is:unread in:archive before:2026-01 larger:5M -is:starred (a OR b)`.
//! A bare word matches the beginning of a word, a quoted text whole words side by side; case and diacritics do not count.

use super::flags::Keyword;
use jiff::civil::Date;
use std::fmt;

pub use super::query_parse::{Parsed, parse};

/// What a message must be.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Query {
    /// All of these; none at all matches everything.
    And(Vec<Query>),
    /// One of these, at least two.
    Or(Vec<Query>),
    /// Not this.
    Not(Box<Query>),
    /// This.
    Term(Term),
}

/// One condition.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Term {
    /// Words.
    Text {
        /// Where.
        field: Field,
        /// Has at least one word (see `words.rs`).
        text: String,
        /// Whole words (quoted), or the last one by its beginning.
        whole: bool,
    },
    /// A flag.
    Is(State),
    /// A keyword.
    Tag(Keyword),
    /// Attachments.
    HasAttachment,
    /// Received on this day or later, in the person's zone.
    Since(Date),
    /// Received before this day.
    Before(Date),
    /// Put into the mailbox where it is on this day or later, by the server's clock: only the server knows (SAVEDATE, RFC 8514).
    SavedSince(Date),
    /// Put into it before this day.
    SavedBefore(Date),
    /// More octets than this.
    Larger(u64),
    /// Fewer octets than this.
    Smaller(u64),
    /// In the mailbox of this name or role (`archive`), compared without case.
    In(String),
    /// In this account.
    Account(String),
}

/// Where words are looked for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Field {
    /// In all of the others.
    Any,
    /// Name and address of the authors.
    From,
    /// Of all recipients: To, Cc, Bcc.
    To,
    /// Of Cc alone.
    Cc,
    /// The subject.
    Subject,
    /// The text.
    Body,
    /// Names of attachments.
    File,
}

/// What `is:` asks for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum State {
    /// No `\Seen`.
    Unread,
    /// `\Seen`.
    Read,
    /// `\Flagged`.
    Starred,
    /// `\Answered`.
    Answered,
    /// `\Draft`.
    Draft,
}

pub(super) const FIELDS: [(&str, Field); 9] = [
    ("from", Field::From),
    ("to", Field::To),
    ("cc", Field::Cc),
    ("subject", Field::Subject),
    ("s", Field::Subject),
    ("body", Field::Body),
    ("text", Field::Body),
    ("file", Field::File),
    ("filename", Field::File),
];

pub(super) const STATES: [(&str, State); 9] = [
    ("unread", State::Unread),
    ("read", State::Read),
    ("starred", State::Starred),
    ("answered", State::Answered),
    ("draft", State::Draft),
    ("unseen", State::Unread),
    ("seen", State::Read),
    ("flagged", State::Starred),
    ("replied", State::Answered),
];

/// Every key of the language, for completion.
pub const KEYS: [&str; 18] = [
    "from:",
    "to:",
    "cc:",
    "subject:",
    "body:",
    "file:",
    "is:",
    "has:",
    "tag:",
    "in:",
    "account:",
    "before:",
    "after:",
    "larger:",
    "smaller:",
    "saved:",
    "savedbefore:",
    "savedsince:",
];

impl Query {
    /// What matches everything.
    pub const ALL: Self = Self::And(Vec::new());

    /// Whether it asks for nothing.
    #[must_use]
    pub fn is_all(&self) -> bool {
        matches!(self, Self::And(all) if all.is_empty())
    }
}

impl fmt::Display for Query {
    /// In the language; reading it again gives the same tree.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, all: &[Self], between: &str| {
            for (n, one) in all.iter().enumerate() {
                if n > 0 {
                    f.write_str(between)?;
                }
                match one {
                    Self::And(_) | Self::Or(_) => write!(f, "({one})")?,
                    _ => write!(f, "{one}")?,
                }
            }
            Ok(())
        };
        match self {
            Self::And(all) => list(f, all, " "),
            Self::Or(all) => list(f, all, " OR "),
            Self::Not(one) => match &**one {
                Self::Term(term) => write!(f, "-{term}"),
                more => write!(f, "-({more})"),
            },
            Self::Term(term) => write!(f, "{term}"),
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text { field, text, whole } => {
                if let Some((name, _)) = FIELDS.iter().find(|(_, x)| x == field) {
                    write!(f, "{name}:")?;
                }
                if *whole { write!(f, "\"{text}\"") } else { f.write_str(text) }
            }
            Self::Is(state) => write!(f, "is:{}", STATES.iter().find(|(_, s)| s == state).map_or("", |(n, _)| n)),
            Self::Tag(word) => quote(f, "tag", word.as_str()),
            Self::HasAttachment => f.write_str("has:attachment"),
            Self::Since(day) => write!(f, "after:{day}"),
            Self::Before(day) => write!(f, "before:{day}"),
            Self::SavedSince(day) => write!(f, "savedsince:{day}"),
            Self::SavedBefore(day) => write!(f, "savedbefore:{day}"),
            Self::Larger(n) => write!(f, "larger:{n}"),
            Self::Smaller(n) => write!(f, "smaller:{n}"),
            Self::In(name) => quote(f, "in", name),
            Self::Account(name) => quote(f, "account", name),
        }
    }
}

fn quote(f: &mut fmt::Formatter<'_>, key: &str, value: &str) -> fmt::Result {
    let plain = !value.contains(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '"'));
    if plain { write!(f, "{key}:{value}") } else { write!(f, "{key}:\"{value}\"") }
}
