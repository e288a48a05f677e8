//! command — what we say: text of ours with strings of others in it, and which of those wait for leave.
//! Owns: `Command`, `Literals`.
//! May import: nothing.
//! Start reading at: `Command::string`. With LITERAL+ or LITERAL- (RFC 7888) a literal goes out with its line, which spares a
//! turn; else the server is asked first.

use std::borrow::Cow;

/// The longest literal that LITERAL- lets go out without leave (RFC 7888, 5).
const MAX_MINUS: u64 = 4096;
/// The longest that goes out without leave where any might: beside sending more than this a turn is nothing, and a server
/// that wants none of it can say so before.
pub(super) const MAX_PLUS: u64 = 256 * 1024;
/// The longest string that is quoted.
const MAX_QUOTED: usize = 1000;

/// Which literals need no leave.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Literals {
    /// None.
    #[default]
    Ask,
    /// Short ones: LITERAL-, IMAP4rev2.
    Minus,
    /// All: LITERAL+.
    Plus,
}

impl Literals {
    /// Whether one of `size` octets goes out with its line.
    #[must_use]
    pub const fn at_once(self, size: u64) -> bool {
        match self {
            Self::Ask => false,
            Self::Minus => size <= MAX_MINUS,
            Self::Plus => size <= MAX_PLUS,
        }
    }
}

/// A line, and the literal behind it.
#[derive(Clone, Debug, Default)]
struct Piece {
    line: Vec<u8>,
    literal: Option<Vec<u8>>,
}

/// A command: lines and literals in turn.
#[derive(Clone, Debug)]
pub struct Command {
    pieces: Vec<Piece>,
    /// How long the literal is that somebody else writes behind it.
    open: Option<u64>,
    /// Whether leave is asked for it in any case.
    asking: bool,
}

/// What goes over the line together.
#[derive(Debug)]
pub struct Said<'a> {
    /// A line without its break.
    pub line: Cow<'a, [u8]>,
    /// Whether leave has to be waited for behind it.
    pub waits: bool,
    /// The literal behind it.
    pub literal: Option<&'a [u8]>,
}

impl Command {
    /// Begins with text of ours.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self { pieces: vec![Piece { line: text.as_bytes().to_vec(), literal: None }], open: None, asking: false }
    }

    /// Adds text of ours: words, sets, flags. Never names or text of others.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        if let Some(last) = self.pieces.last_mut() {
            last.line.extend_from_slice(text.as_bytes());
        }
        self
    }

    /// Adds any octets as a string: quoted where that is exact, else as a literal (security S-24).
    #[must_use]
    pub fn string(self, octets: &[u8]) -> Self {
        let plain = octets.iter().all(|b| (b' '..=b'~').contains(b));
        self.either(octets, plain)
    }

    /// Adds text as a string for a server that takes UTF-8 in quotes.
    #[must_use]
    pub fn words(self, text: &str) -> Self {
        let plain = !text.chars().any(char::is_control);
        self.either(text.as_bytes(), plain)
    }

    fn either(mut self, octets: &[u8], plain: bool) -> Self {
        let Some(last) = self.pieces.last_mut() else { return self };
        if octets.len() <= MAX_QUOTED && plain {
            last.line.push(b'"');
            for b in octets {
                if matches!(b, b'"' | b'\\') {
                    last.line.push(b'\\');
                }
                last.line.push(*b);
            }
            last.line.push(b'"');
        } else {
            last.literal = Some(octets.to_vec());
            self.pieces.push(Piece::default());
        }
        self
    }

    /// Ends it with a literal of `size` octets that the caller writes, and the line's break behind it.
    #[must_use]
    pub const fn open(mut self, size: u64) -> Self {
        self.open = Some(size);
        self
    }

    /// The same for a literal that a server may not know: leave is always asked, and nothing of it is said without.
    #[must_use]
    pub const fn open_asking(mut self, size: u64) -> Self {
        (self.open, self.asking) = (Some(size), true);
        self
    }

    /// As it goes over the line where `literals` are allowed.
    pub fn said(&self, literals: Literals) -> impl Iterator<Item = Said<'_>> {
        let last = self.pieces.len().saturating_sub(1);
        self.pieces.iter().enumerate().map(move |(n, piece)| {
            let size = piece.literal.as_ref().map(|l| l.len() as u64).or(self.open.filter(|_| n == last));
            let mut line = Cow::Borrowed(&piece.line[..]);
            let asks = self.asking && piece.literal.is_none();
            let at_once = !asks && size.is_some_and(|size| literals.at_once(size));
            if let Some(size) = size {
                let sign = if at_once { "+" } else { "" };
                line.to_mut().extend_from_slice(format!("{{{size}{sign}}}").as_bytes());
            }
            Said { line, waits: size.is_some() && !at_once, literal: piece.literal.as_deref() }
        })
    }

    /// Whether it can be said without waiting.
    #[must_use]
    pub fn is_one_go(&self, literals: Literals) -> bool {
        self.said(literals).all(|said| !said.waits)
    }

    /// Whether it is just this line.
    #[must_use]
    pub fn is(&self, line: &[u8]) -> bool {
        matches!(&self.pieces[..], [piece] if piece.line == line && self.open.is_none())
    }

    /// As it goes over the line, without what a literal waits for.
    #[cfg(test)]
    pub fn shown(&self) -> String {
        let one = |said: Said<'_>| [&said.line[..], said.literal.unwrap_or_default()].concat();
        self.said(Literals::Ask).map(|said| String::from_utf8_lossy(&one(said)).into_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_quoted_or_counted() {
        let command =
            Command::new("X ").string(b"a\"b\\").text(" ").string("ä".as_bytes()).text(" y ").string(b"a\r\nb").open(5000);
        let said = |literals| -> Vec<(String, bool)> {
            let shown = |s: Said<'_>| (String::from_utf8_lossy(&s.line).into_owned(), s.waits);
            command.said(literals).map(shown).collect()
        };
        let owned = |all: [(&str, bool); 3]| all.map(|(line, waits)| (line.to_owned(), waits)).to_vec();
        assert_eq!(said(Literals::Ask), owned([("X \"a\\\"b\\\\\" {2}", true), (" y {4}", true), ("{5000}", true)]));
        assert_eq!(said(Literals::Minus), owned([("X \"a\\\"b\\\\\" {2+}", false), (" y {4+}", false), ("{5000}", true)]));
        assert_eq!(said(Literals::Plus), owned([("X \"a\\\"b\\\\\" {2+}", false), (" y {4+}", false), ("{5000+}", false)]));
        assert!(command.is_one_go(Literals::Plus) && !command.is_one_go(Literals::Minus));
        assert!(Literals::Minus.at_once(4096) && !Literals::Minus.at_once(4097) && !Literals::Plus.at_once(MAX_PLUS + 1));
    }
}
