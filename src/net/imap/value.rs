//! value — the words of a response: atoms, strings, lists. Lenient: what it cannot make sense of, it leaves as it is.
//! Owns: `Value`, `Room`, `parse`, `Status` (what stands behind a tag, and in its brackets).
//! May import: mail, base.
//! Start reading at: `parse`. It borrows from the response and never fails; whoever looks for a meaning may not find one.
//! A row of a first sync has some thirty lists: they lie side by side in a room that is cleared for the next response, since to
//! allocate each of them costs more than to read them.

use super::frame::MAX_DEPTH;
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;
use std::borrow::Cow;

/// How much of a room is kept for the next response.
pub(super) const KEPT_ROOM: usize = 64 * 1024;
/// So many items of one response are usual.
const ITEMS: usize = 64;

/// Where lists lie.
#[derive(Debug, Default)]
pub struct Room(Bump);

impl Room {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Empties it for the next response; what a large one took is given back.
    pub fn clear(&mut self) {
        if self.0.allocated_bytes() > KEPT_ROOM {
            *self = Self::default();
        } else {
            self.0.reset();
        }
    }
}

/// One item.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value<'a> {
    /// Letters outside quotes, with what stands in brackets: `NIL`, `\Seen`, `42`, `BODY[HEADER.FIELDS (TO)]<0>`.
    Atom(&'a [u8]),
    /// A quoted string without its escapes, or a literal: any octets.
    Text(&'a [u8]),
    /// What stands in parentheses.
    List(&'a [Self]),
}

impl<'a> Value<'a> {
    /// Whether it is `NIL`.
    #[must_use]
    pub fn is_nil(&self) -> bool {
        matches!(self, Self::Atom(a) if a.eq_ignore_ascii_case(b"NIL"))
    }

    /// The octets of an atom or string; nothing for NIL and lists.
    #[must_use]
    pub fn bytes(&self) -> Option<&'a [u8]> {
        match self {
            Self::Atom(a) if !self.is_nil() => Some(a),
            Self::Text(t) => Some(t),
            _ => None,
        }
    }

    /// The same as text; octets that are no UTF-8 are replaced. Untrusted.
    #[must_use]
    pub fn text(&self) -> Option<Cow<'a, str>> {
        self.bytes().map(String::from_utf8_lossy)
    }

    /// The items of a list; none for anything else.
    #[must_use]
    pub fn items(&self) -> &'a [Self] {
        match self {
            Self::List(l) => l,
            _ => &[],
        }
    }

    /// A number; nothing for signs, letters, more than 64 bits.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        number(self.bytes()?)
    }

    /// Whether it is this word, in any case.
    #[must_use]
    pub fn is(&self, word: &str) -> bool {
        matches!(self, Self::Atom(a) if a.eq_ignore_ascii_case(word.as_bytes()))
    }
}

/// A number of digits only.
#[must_use]
pub fn number(digits: &[u8]) -> Option<u64> {
    let fits = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    fits.then(|| std::str::from_utf8(digits).ok()?.parse().ok()).flatten()
}

/// The items of a response (or of what stands in a code); their lists lie in `room`.
#[must_use]
pub fn parse<'a>(bytes: &'a [u8], room: &'a Room) -> &'a [Value<'a>] {
    Parser { bytes, at: 0, room: &room.0, open: BumpVec::with_capacity_in(ITEMS, &room.0) }.list(0)
}

struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
    room: &'a Bump,
    /// The items of all lists that are not closed yet, the outermost first.
    open: BumpVec<'a, Value<'a>>,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn list(&mut self, depth: u32) -> &'a [Value<'a>] {
        let first = self.open.len();
        while let Some(b) = self.peek() {
            match b {
                b' ' | b'\r' | b'\n' | b'\t' => self.at += 1,
                b')' => {
                    self.at += 1;
                    // At the top a stray one closes nothing.
                    if depth > 0 {
                        break;
                    }
                }
                b'(' if depth < MAX_DEPTH => {
                    self.at += 1;
                    let inner = self.list(depth + 1);
                    self.open.push(Value::List(inner));
                }
                b'(' => self.at += 1,
                b'~' if self.bytes.get(self.at + 1) == Some(&b'{') => self.at += 1,
                _ => {
                    let item = match b {
                        b'"' => self.quoted(),
                        b'{' => self.literal().unwrap_or_else(|| self.atom()),
                        _ => self.atom(),
                    };
                    self.open.push(item);
                }
            }
        }
        let items = self.room.alloc_slice_copy(self.open.get(first..).unwrap_or_default());
        self.open.truncate(first);
        items
    }

    fn quoted(&mut self) -> Value<'a> {
        self.at += 1;
        let start = self.at;
        let mut escapes = false;
        while let Some(b) = self.peek() {
            match b {
                b'"' => break,
                b'\\' => {
                    escapes = true;
                    self.at += 2;
                }
                _ => self.at += 1,
            }
        }
        let raw = self.bytes.get(start..self.at.min(self.bytes.len())).unwrap_or_default();
        self.at += 1;
        if !escapes {
            return Value::Text(raw);
        }
        let mut out = Vec::with_capacity(raw.len());
        let mut octets = raw.iter();
        while let Some(b) = octets.next() {
            out.extend(if *b == b'\\' { octets.next() } else { Some(b) });
        }
        Value::Text(self.room.alloc_slice_copy(&out))
    }

    fn literal(&mut self) -> Option<Value<'a>> {
        let rest = self.bytes.get(self.at + 1..)?;
        let close = rest.iter().take(24).position(|b| *b == b'}')?;
        let size = usize::try_from(number(rest.get(..close)?)?).ok()?;
        let data = rest.get(close + 1..)?.strip_prefix(b"\r\n")?;
        let text = data.get(..size)?;
        self.at += 1 + close + 1 + 2 + size;
        Some(Value::Text(text))
    }

    fn atom(&mut self) -> Value<'a> {
        let start = self.at;
        self.at += 1;
        if self.bytes.get(start) == Some(&b'[') {
            self.bracket(start);
        }
        while let Some(b) = self.peek() {
            match b {
                b' ' | b'(' | b')' | b'"' | b'\r' | b'\n' => break,
                // Elsewhere a bracket is a letter like others: keywords may hold one.
                b'[' if self.is_section(start) => {
                    let open = self.at;
                    self.at += 1;
                    self.bracket(open);
                }
                _ => self.at += 1,
            }
        }
        Value::Atom(self.bytes.get(start..self.at).unwrap_or_default())
    }

    /// Whether the atom from `start` on names a part of a message: then its bracket may hold spaces and parentheses.
    fn is_section(&self, start: usize) -> bool {
        let name = self.bytes.get(start..self.at).unwrap_or_default();
        [&b"BODY"[..], b"BODY.PEEK", b"BINARY", b"BINARY.PEEK", b"BINARY.SIZE"].iter().any(|w| name.eq_ignore_ascii_case(w))
    }

    /// Behind an opening bracket: to behind its closing one, if there is one on this line.
    fn bracket(&mut self, open: usize) {
        let rest = self.bytes.get(open..).unwrap_or_default();
        let end = rest.iter().take_while(|b| !matches!(b, b'\r' | b'\n')).position(|b| *b == b']');
        if let Some(end) = end {
            self.at = open + end + 1;
        }
    }
}

/// The word of a status response.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Word {
    /// Done, or news.
    Ok,
    /// Refused.
    No,
    /// Not understood.
    Bad,
    /// Good-bye.
    Bye,
    /// A greeting that needs no login.
    Preauth,
}

/// A status response behind its tag: `OK [CODE args] text`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Status<'a> {
    /// Its word.
    pub word: Word,
    /// The code's name in upper case, "" without one.
    pub code: String,
    /// What stands behind the code's name in the brackets.
    pub args: &'a [u8],
    /// Text for people. Untrusted.
    pub text: Cow<'a, str>,
}

/// Reads a status response behind its tag; nothing if it is another one.
#[must_use]
pub fn status(rest: &[u8]) -> Option<Status<'_>> {
    let (word, rest) = split(rest);
    let word = match word.to_ascii_uppercase().as_slice() {
        b"OK" => Word::Ok,
        b"NO" => Word::No,
        b"BAD" => Word::Bad,
        b"BYE" => Word::Bye,
        b"PREAUTH" => Word::Preauth,
        _ => return None,
    };
    let (mut code, mut args, mut text) = (&b""[..], &b""[..], rest);
    if let Some(inner) = rest.strip_prefix(b"[")
        && let Some(end) = closing(inner)
    {
        (code, args) = split(inner.get(..end).unwrap_or_default());
        text = inner.get(end + 1..).unwrap_or_default();
    }
    let code = String::from_utf8_lossy(code.get(..64).unwrap_or(code)).to_ascii_uppercase();
    Some(Status { word, code, args, text: String::from_utf8_lossy(text.trim_ascii()) })
}

/// Names of items are told apart by so many octets.
pub(super) const LONGEST_ITEM: usize = 32;

/// The beginning of a word in capitals, in `room`.
pub(super) fn capitals<'r>(word: &[u8], room: &'r mut [u8; LONGEST_ITEM]) -> &'r [u8] {
    room.iter_mut().zip(word).for_each(|(to, from)| *to = from.to_ascii_uppercase());
    room.get(..word.len()).unwrap_or(room)
}

/// Up to the first space, and behind it.
#[must_use]
pub fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.iter().position(|b| *b == b' ') {
        Some(n) => (bytes.get(..n).unwrap_or_default(), bytes.get(n + 1..).unwrap_or_default()),
        None => (bytes, b""),
    }
}

/// Where the bracket closes, outside quotes.
fn closing(inner: &[u8]) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    inner.iter().position(|b| {
        match b {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ => {}
        }
        *b == b']' && !quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_servers_write() {
        let room = Room::new();
        let v = parse(
            b"1 FETCH (UID 7 FLAGS (\\Seen $x) BODY[HEADER.FIELDS (\"References\")] {4}\r\na)\"( X \"q\\\"\\\\\" NIL)",
            &room,
        );
        assert_eq!(v.len(), 3);
        let f = v[2].items();
        assert_eq!(f[1].number(), Some(7));
        assert_eq!(f[3].items().len(), 2);
        assert_eq!(f[4], Value::Atom(b"BODY[HEADER.FIELDS (\"References\")]"));
        assert_eq!(f[5].bytes(), Some(&b"a)\"("[..]));
        assert_eq!(f[7].bytes(), Some(&b"q\"\\"[..]));
        assert!(f[8].is_nil());
    }

    #[test]
    fn codes() {
        let s = status(b"OK [COPYUID 7 1:2 4:5] Done").unwrap();
        assert_eq!((s.code.as_str(), s.args, s.text.as_ref()), ("COPYUID", &b"7 1:2 4:5"[..], "Done"));
        let s = status(b"no [BADCHARSET (\"]\")] x").unwrap();
        assert_eq!((s.word, s.code.as_str(), s.text.as_ref()), (Word::No, "BADCHARSET", "x"));
        assert_eq!(status(b"OK [never closed").unwrap().text, "[never closed");
        assert!(status(b"LIST () NIL x").is_none());
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "[(){}\\[\\]\"\\\\ 0-9a\r\n~]{0,60}") {
            let room = Room::new();
            let _ = (parse(&bytes, &room), status(&bytes), parse(text.as_bytes(), &room), status(text.as_bytes()));
        }
    }
}
