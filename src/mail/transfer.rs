//! transfer — Content-Transfer-Encoding undone, leniently (RFC 2045, 6).
//! Owns: `base64`, `quoted_printable`, `Decoder`.
//! May import: mail.
//! Start reading at: `base64`; what is too large for memory goes through `Decoder`. Neither fails: what does not fit the encoding is left out or left as it is.

use super::body::Encoding;

/// A line of quoted-printable longer than this is none: it is decoded before its end is here.
const MAX_LINE: usize = 64 * 1024;

/// Undoes an encoding piece by piece: what comes out is what all at once would give.
#[derive(Clone, Debug)]
pub struct Decoder {
    encoding: Encoding,
    sextets: Sextets,
    /// The line that has not ended yet.
    line: Vec<u8>,
}

impl Decoder {
    /// For one part.
    #[must_use]
    pub const fn new(encoding: Encoding) -> Self {
        Self { encoding, sextets: Sextets { bits: 0, count: 0 }, line: Vec::new() }
    }

    /// Decodes the next piece onto `out`, as far as it can be.
    pub fn push(&mut self, data: &[u8], out: &mut Vec<u8>) {
        match self.encoding {
            Encoding::Identity => out.extend_from_slice(data),
            Encoding::Base64 => self.sextets.push(data, out),
            Encoding::QuotedPrintable => {
                self.line.extend_from_slice(data);
                let whole = self.line.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
                out.extend(quoted_printable(self.line.get(..whole).unwrap_or_default()));
                self.line.drain(..whole);
                if self.line.len() > MAX_LINE {
                    // Not in the middle of an escape.
                    let sure = self.line.len() - 3;
                    let sure = self.line.iter().skip(sure).position(|b| *b == b'=').map_or(self.line.len(), |at| sure + at);
                    escapes(self.line.get(..sure).unwrap_or_default(), false, out);
                    self.line.drain(..sure);
                }
            }
        }
    }

    /// Nothing follows.
    pub fn end(&mut self, out: &mut Vec<u8>) {
        out.extend(quoted_printable(&std::mem::take(&mut self.line)));
    }
}

/// Base64 on its way.
#[derive(Clone, Debug, Default)]
struct Sextets {
    bits: u32,
    count: u32,
}

/// Decodes base64; characters that do not belong are skipped, padding in the middle starts a new piece.
#[must_use]
pub fn base64(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len() / 4 * 3);
    Sextets::default().push(data, &mut out);
    out
}

impl Sextets {
    fn push(&mut self, data: &[u8], out: &mut Vec<u8>) {
        let (mut bits, mut count) = (self.bits, self.count);
        for b in data {
            let value = match b {
                b'A'..=b'Z' => b - b'A',
                b'a'..=b'z' => b - b'a' + 26,
                b'0'..=b'9' => b - b'0' + 52,
                b'+' | b'-' => 62,
                b'/' | b'_' => 63,
                b'=' => {
                    (bits, count) = (0, 0);
                    continue;
                }
                _ => continue,
            };
            bits = (bits << 6) | u32::from(value);
            count += 6;
            if count >= 8 {
                count -= 8;
                out.push((bits >> count & 0xff) as u8);
            }
        }
        (self.bits, self.count) = (bits, count);
    }
}

/// Decodes quoted-printable: soft line breaks joined, white space before line breaks dropped, wrong escapes kept.
#[must_use]
pub fn quoted_printable(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len());
    let mut lines = data.split_inclusive(|b| *b == b'\n').peekable();
    while let Some(line) = lines.next() {
        let bare = line.strip_suffix(b"\n").unwrap_or(line);
        let bare = bare.strip_suffix(b"\r").unwrap_or(bare);
        let text = bare.trim_ascii_end();
        let soft = text.last() == Some(&b'=') && (line.len() > bare.len() || lines.peek().is_none());
        escapes(if soft { text.get(..text.len() - 1).unwrap_or_default() } else { text }, false, &mut out);
        if !soft {
            out.extend_from_slice(line.get(bare.len()..).unwrap_or_default());
        }
    }
    out
}

/// Undoes `=XX`, and `_` for a space where `words` (RFC 2047, 4.2), onto `out`.
pub(super) fn escapes(text: &[u8], words: bool, out: &mut Vec<u8>) {
    let hex = |b: Option<&u8>| b.and_then(|b| char::from(*b).to_digit(16));
    let mut i = 0;
    while let Some(&b) = text.get(i) {
        match (b, hex(text.get(i + 1)), hex(text.get(i + 2))) {
            (b'_', _, _) if words => out.push(b' '),
            (b'=', Some(high), Some(low)) => {
                out.push((high << 4 | low) as u8);
                i += 2;
            }
            _ => out.push(b),
        }
        i += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_lenient() {
        assert_eq!(base64(b"SGVsbG8=\r\nV29ybGQ="), b"HelloWorld");
        assert_eq!(base64(b"SGVs bG8"), b"Hello");
        assert_eq!(base64(b"!!"), b"");
    }

    #[test]
    fn by_pieces_it_is_the_same_wherever_they_end() {
        let long = [b"x".repeat(MAX_LINE), b"=41=\n".repeat(3), b"y=3D".repeat(MAX_LINE / 2)].concat();
        let texts: [&[u8]; 5] = [b"SGVs bG8=\r\nV29y=bGQ=", b"a=3Db=\r\nc  \r\nd=zz=\n", b"=e4=E", b"1 =  \n2  =", &long];
        for text in texts {
            for encoding in [Encoding::Identity, Encoding::Base64, Encoding::QuotedPrintable] {
                let all = match encoding {
                    Encoding::Identity => text.to_vec(),
                    Encoding::Base64 => base64(text),
                    Encoding::QuotedPrintable => quoted_printable(text),
                };
                for size in [1, 2, 3, 7, 40_000] {
                    if text.len() > 1_000 && size < 40_000 {
                        continue;
                    }
                    let (mut decoder, mut out) = (Decoder::new(encoding), Vec::new());
                    text.chunks(size).for_each(|piece| decoder.push(piece, &mut out));
                    decoder.end(&mut out);
                    assert!(out == all, "{encoding:?} by {size}: {:?}", String::from_utf8_lossy(text.get(..40).unwrap_or(text)));
                }
            }
        }
    }

    #[test]
    fn quoted_printable_is_lenient() {
        assert_eq!(quoted_printable(b"a=3Db=\r\nc  \r\nd=zz=\n"), b"a=bc\r\nd=zz");
        assert_eq!(quoted_printable(b"=e4=E4="), b"\xe4\xe4");
        assert_eq!(quoted_printable(b"1 =  \n2\n"), b"1 2\n");
    }
}
