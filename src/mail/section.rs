//! section — which piece of a message is meant, as IMAP names it (RFC 9051, 6.4.5.1).
//! Owns: `Section`.
//! May import: mail.
//! Start reading at: `Section`. `net` writes it behind `BODY[`; the numbers of parts are those of `mail/body.rs`.

use super::body::PartPath;
use std::fmt;

/// A piece of a message.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Section {
    /// All of it.
    Whole,
    /// Its header, with the blank line.
    Header,
    /// The content of a part, encoded as it is. Of a message that is no multipart its text is part 1.
    Part(PartPath),
    /// The MIME header of a part (not of the whole message: that has [`Self::Header`]).
    Mime(PartPath),
    /// The header of a message inside, by the number of its `message/rfc822` part.
    HeaderOf(PartPath),
}

impl Section {
    /// Reads what [`Display`](fmt::Display) writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let path = |text: &str| PartPath::parse(text).filter(|p| *p != PartPath::default());
        Some(match text {
            "" => Self::Whole,
            "HEADER" => Self::Header,
            "TEXT" => Self::Part(PartPath::default()),
            _ => match (text.strip_suffix(".MIME"), text.strip_suffix(".HEADER")) {
                (Some(of), _) => Self::Mime(path(of)?),
                (_, Some(of)) => Self::HeaderOf(path(of)?),
                _ => Self::Part(path(text)?),
            },
        })
    }
}

impl fmt::Display for Section {
    /// What stands in the brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => Ok(()),
            Self::Header => f.write_str("HEADER"),
            Self::Part(path) if *path == PartPath::default() => f.write_str("TEXT"),
            Self::Part(path) => write!(f, "{path}"),
            Self::Mime(path) => write!(f, "{path}.MIME"),
            Self::HeaderOf(path) => write!(f, "{path}.HEADER"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let path = |t: &str| PartPath::parse(t).unwrap();
        let all = [
            (Section::Whole, ""),
            (Section::Header, "HEADER"),
            (Section::Part(path("")), "TEXT"),
            (Section::Part(path("2.1")), "2.1"),
            (Section::Mime(path("1")), "1.MIME"),
            (Section::HeaderOf(path("3")), "3.HEADER"),
        ];
        assert!(Section::parse("x").is_none() && Section::parse("0.HEADER").is_none());
        for (section, text) in all {
            assert_eq!(section.to_string(), text);
            assert_eq!(Section::parse(text), Some(section));
        }
    }
}
