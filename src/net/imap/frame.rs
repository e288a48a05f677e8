//! frame — cuts the server's stream into whole responses, literals included, within limits.
//! Owns: `Response`, `read`, the limits of literals, depth and responses.
//! May import: mail, base.
//! Start reading at: `read`. Everything hostile about size and nesting is refused here, before any parser sees it.

use crate::net::error::{NetError, Result};
use crate::net::wire::Wire;

/// The largest literal that is kept in memory; of a longer one only the beginning is kept, the rest is read and dropped.
pub const MAX_KEPT: u64 = 64 * 1024;
/// The largest literal that is read at all: no mail is larger.
pub const MAX_LITERAL: u64 = 256 * 1024 * 1024;
/// The largest response in memory.
const MAX_RESPONSE: usize = 4 * 1024 * 1024;
/// The deepest nesting of parentheses.
pub const MAX_DEPTH: u32 = 100;

/// One response. A literal stands in `bytes` as `{n}`, CRLF and its n octets.
#[derive(Clone, Debug, Default)]
pub struct Response {
    /// All of it, without the last line break.
    pub bytes: Vec<u8>,
}

impl Response {
    /// Whether it begins with `* `.
    #[must_use]
    pub fn is_untagged(&self) -> bool {
        self.bytes.first() == Some(&b'*')
    }

    /// Whether the server wants more of a command.
    #[must_use]
    pub fn is_continuation(&self) -> bool {
        self.bytes.first() == Some(&b'+')
    }
}

/// Takes literals that are not to be kept in memory.
pub trait Taker {
    /// Asked when a literal of `size` octets begins; `so_far` is the response up to it. True to receive it.
    fn wants(&mut self, so_far: &[u8], size: u64) -> bool;
    /// The next piece of it.
    ///
    /// # Errors
    /// Ends the connection.
    fn take(&mut self, piece: &[u8]) -> Result<()>;
}

/// Takes none.
#[derive(Debug)]
pub struct KeepAll;

impl Taker for KeepAll {
    fn wants(&mut self, _: &[u8], _: u64) -> bool {
        false
    }
    fn take(&mut self, _: &[u8]) -> Result<()> {
        Ok(())
    }
}

/// Reads one response, into the room of one that nobody needs any more.
///
/// # Errors
/// `Limit`, `Protocol`, or a broken connection. All of them end it.
pub fn read(wire: &mut Wire, taker: &mut dyn Taker, spent: Response) -> Result<Response> {
    let mut bytes = spent.bytes;
    bytes.clear();
    let mut scan = Scan::default();
    let mut inside = false;
    loop {
        let from = bytes.len();
        wire.read_line(&mut bytes, from)?;
        // A literal ends where it was said to, or what stands behind it is not what it seems (security S-03).
        if inside && !matches!(bytes.get(from), Some(b' ' | b')' | b'\r' | b'\n')) {
            return Err(wire.fail(NetError::protocol("a literal of another length than announced")));
        }
        inside = true;
        while matches!(bytes.last(), Some(b'\r' | b'\n')) && bytes.len() > from {
            bytes.pop();
        }
        if is_status(&bytes) {
            return Ok(Response { bytes });
        }
        if !scan.line(bytes.get(from..).unwrap_or_default()) {
            return Err(wire.fail(NetError::limit("too many parentheses")));
        }
        let Some(size) = (if scan.quoted { None } else { literal(&bytes, from).transpose() }) else {
            return Ok(Response { bytes });
        };
        let size = size.map_err(|e| wire.fail(e))?;
        read_literal(wire, taker, &mut bytes, size)?;
        if bytes.len() > MAX_RESPONSE {
            return Err(wire.fail(NetError::limit("a response is too large")));
        }
    }
}

fn read_literal(wire: &mut Wire, taker: &mut dyn Taker, bytes: &mut Vec<u8>, size: u64) -> Result<()> {
    if size > MAX_LITERAL {
        return Err(wire.fail(NetError::limit("a literal is too large")));
    }
    let taken = taker.wants(bytes, size);
    let keep = if taken { 0 } else { size.min(MAX_KEPT) };
    if keep == size && !bytes.ends_with(b"+}") {
        // It stands there already.
        bytes.extend_from_slice(b"\r\n");
    } else {
        let open = bytes.iter().rposition(|b| *b == b'{').unwrap_or(bytes.len());
        bytes.truncate(open);
        bytes.extend_from_slice(format!("{{{keep}}}\r\n").as_bytes());
    }
    let mut left = keep;
    wire.read_exactly(size, &mut |piece| {
        if taken {
            return taker.take(piece);
        }
        let n = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        bytes.extend_from_slice(piece.get(..n).unwrap_or_default());
        left -= n as u64;
        Ok(())
    })
}

/// Status responses and continuations end in free text: a brace in it opens nothing.
fn is_status(line: &[u8]) -> bool {
    let Some(space) = line.iter().position(|b| *b == b' ') else { return true };
    let (tag, rest) = line.split_at(space);
    if tag != b"*" {
        return true;
    }
    let word = rest.get(1..).unwrap_or_default().split(|b| *b == b' ').next().unwrap_or_default();
    [&b"OK"[..], b"NO", b"BAD", b"BYE", b"PREAUTH"].iter().any(|w| word.eq_ignore_ascii_case(w))
}

/// The size of the literal that the line from `from` on announces at its end. An unreadable announcement is an error:
/// guessing would read data as commands.
fn literal(bytes: &[u8], from: usize) -> Result<Option<u64>> {
    let line = bytes.get(from..).unwrap_or_default();
    let Some(inner) = line.strip_suffix(b"}") else { return Ok(None) };
    let Some(open) = inner.iter().rposition(|b| *b == b'{') else { return Ok(None) };
    let digits = inner.get(open + 1..).unwrap_or_default();
    let digits = digits.strip_suffix(b"+").unwrap_or(digits);
    let number = std::str::from_utf8(digits).ok().filter(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit()));
    match number.map(str::parse::<u64>) {
        Some(Ok(n)) => Ok(Some(n)),
        Some(Err(_)) => Err(NetError::limit("a literal is too large")),
        None => Err(NetError::protocol("a literal of unreadable size")),
    }
}

/// Quotes and parentheses over the lines of one response.
#[derive(Default)]
struct Scan {
    depth: u32,
    quoted: bool,
}

impl Scan {
    /// False if it nests too deeply. A quote that is not closed ends with its line: strings hold no line breaks.
    fn line(&mut self, line: &[u8]) -> bool {
        self.quoted = false;
        let mut octets = line.iter();
        loop {
            if self.quoted {
                match octets.find(|b| matches!(b, b'"' | b'\\')) {
                    Some(b'"') => self.quoted = false,
                    // Whatever is behind a backslash ends nothing.
                    Some(_) => drop(octets.next()),
                    None => return true,
                }
            } else {
                match octets.find(|b| matches!(b, b'"' | b'(' | b')')) {
                    Some(b'"') => self.quoted = true,
                    Some(b'(') => {
                        self.depth += 1;
                        if self.depth > MAX_DEPTH {
                            return false;
                        }
                    }
                    Some(_) => self.depth = self.depth.saturating_sub(1),
                    None => return true,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(line: &str) -> std::result::Result<Option<u64>, ()> {
        literal(line.as_bytes(), 0).map_err(|_| ())
    }

    #[test]
    fn literal_sizes_are_exact_or_refused() {
        // Security S-02.
        assert_eq!(size("* 1 FETCH (BODY[] {5}"), Ok(Some(5)));
        assert_eq!(size("* 1 FETCH (BODY[] ~{5}"), Ok(Some(5)));
        assert_eq!(size("x {05}"), Ok(Some(5)));
        assert_eq!(size("x {5+}"), Ok(Some(5)));
        assert_eq!(size("x }"), Ok(None));
        for bad in ["{-1}", "{}", "{ 5}", "{+5}", "{0x5}", "{1e3}", "{18446744073709551616}"] {
            assert_eq!(size(bad), Err(()), "{bad}");
        }
    }

    #[test]
    fn free_text_opens_no_literal() {
        for line in ["* OK look {5}", "* no x", "a1 OK {5}", "+ {5}", "* BYE {9}", "+"] {
            assert!(is_status(line.as_bytes()), "{line}");
        }
        assert!(!is_status(b"* LIST () NIL {5}") && !is_status(b"* 1 FETCH ("));
    }

    #[test]
    fn depth_counts_outside_quotes_only() {
        assert!(Scan::default().line(&[b'('; 100]));
        assert!(!Scan::default().line(&[b'('; 101]));
        let quoted = format!("\"{}\\\"(\" (x)", "(".repeat(500));
        assert!(Scan::default().line(quoted.as_bytes()));
    }
}
