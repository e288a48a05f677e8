//! body — whether a mail can go as it is, and its way over the wire.
//! Owns: `Shape`, `examine`, `Stuffer`.
//! May import: nothing of ours.
//! Start reading at: `examine`. The frozen bytes are sent as they are or not at all: what would have to be changed (bare
//! CR or LF, NUL, endless lines) is refused before the server hears of it, as is all that smuggling is made of.

use std::io::{self, Read, Seek, SeekFrom};

/// The longest line without its end (RFC 5321, 4.5.3.1.6).
pub const MAX_LINE: usize = 998;
const PIECE: usize = 32 * 1024;

/// Bytes that can be read twice.
pub trait Source: Read + Seek {}
impl<T: Read + Seek> Source for T {}

/// What a mail needs of the server.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Shape {
    /// Octets.
    pub size: u64,
    /// Octets above 127 anywhere: needs 8BITMIME.
    pub eight_bit: bool,
    /// Octets above 127 in the header: needs SMTPUTF8.
    pub utf8_header: bool,
}

/// Why a mail cannot be sent as it is.
#[derive(Debug)]
pub enum Bad {
    /// It cannot be read.
    Io(io::Error),
    /// Its form, in words for the person.
    Form(&'static str),
}

impl From<io::Error> for Bad {
    fn from(e: io::Error) -> Self {
        Self::Io(e)
    }
}

/// Calls `each` with pieces of `from`, from its start.
pub fn pieces<E: From<io::Error>>(from: &mut dyn Source, each: &mut dyn FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
    from.seek(SeekFrom::Start(0))?;
    let mut buffer = vec![0; PIECE];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(n) => each(buffer.get(..n).unwrap_or_default())?,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e.into()),
        }
    }
}

/// Looks through a mail.
pub fn examine(from: &mut dyn Source) -> Result<Shape, Bad> {
    let mut shape = Shape::default();
    let (mut line, mut cr, mut header) = (0usize, false, true);
    pieces(from, &mut |piece| {
        shape.size += piece.len() as u64;
        for &b in piece {
            if cr != (b == b'\n') {
                return Err(Bad::Form("a line of it does not end in CR and LF"));
            }
            cr = b == b'\r';
            match b {
                b'\n' => {
                    header &= line > 0;
                    line = 0;
                }
                b'\r' => {}
                0 => return Err(Bad::Form("there is a NUL in it")),
                _ => {
                    line += 1;
                    shape.eight_bit |= b > 127;
                    shape.utf8_header |= header && b > 127;
                }
            }
            if line > MAX_LINE {
                return Err(Bad::Form("a line of it is longer than 998 octets"));
            }
        }
        Ok(())
    })?;
    if cr { Err(Bad::Form("a line of it does not end in CR and LF")) } else { Ok(shape) }
}

/// Doubles dots at the start of lines (RFC 5321, 4.5.2).
#[derive(Debug)]
pub struct Stuffer {
    line_start: bool,
}

impl Stuffer {
    pub const fn new() -> Self {
        Self { line_start: true }
    }

    pub fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        for line in piece.split_inclusive(|b| *b == b'\n') {
            if self.line_start && line.first() == Some(&b'.') {
                out.push(b'.');
            }
            out.extend_from_slice(line);
            self.line_start = line.ends_with(b"\n");
        }
    }

    /// What ends the mail: on a line of its own.
    pub const fn end(&self) -> &'static [u8] {
        if self.line_start { b".\r\n" } else { b"\r\n.\r\n" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Cursor;

    fn look(text: &[u8]) -> Result<Shape, &'static str> {
        examine(&mut Cursor::new(text)).map_err(|e| if let Bad::Form(s) = e { s } else { "io" })
    }

    /// Security O-05 and O-06.
    #[test]
    fn what_would_have_to_be_changed_is_refused() {
        for bad in
            ["x\n.\nMAIL FROM:<e@e>", "\n.\r\n", "a\r.\r", "\r.\r\n", "\r\n.\n", "\r\n\0.\r\n", "x\r", "\r\r\n", &"x".repeat(999)]
        {
            assert!(look(bad.as_bytes()).is_err(), "{bad:?}");
        }
        let plain = look(b"A: b\r\n\r\n\xc3\xa4\r\n").unwrap();
        assert_eq!(plain, Shape { size: 12, eight_bit: true, utf8_header: false });
        assert!(look("A: ä\r\n\r\nx".as_bytes()).unwrap().utf8_header);
        assert!(look("x".repeat(998).as_bytes()).is_ok());
    }

    proptest! {
        /// Whatever the text and however it is cut: undoing the dots gives it back, and no line is a lone dot.
        #[test]
        fn dots_are_doubled_and_nothing_else(lines in proptest::collection::vec("[.a]{0,3}", 0..8), open in any::<bool>(), cut in 1usize..5) {
            let mut text = lines.join("\r\n");
            if !open { text.push_str("\r\n"); }
            let (mut stuffer, mut out) = (Stuffer::new(), Vec::new());
            for piece in text.as_bytes().chunks(cut) { stuffer.push(piece, &mut out); }
            let end = stuffer.end();
            let sent = String::from_utf8(out.clone()).unwrap();
            prop_assert!(sent.split("\r\n").all(|l| l != "."));
            let back: Vec<&str> = sent.split("\r\n").map(|l| l.strip_prefix('.').unwrap_or(l)).collect();
            prop_assert_eq!(back.join("\r\n"), text.clone());
            let whole = [sent.as_bytes(), end].concat();
            prop_assert!(whole.ends_with(b"\r\n.\r\n") || text.is_empty());
        }
    }
}
