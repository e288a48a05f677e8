//! transfer — Content-Transfer-Encoding undone, leniently (RFC 2045, 6).
//! Owns: `base64`, `quoted_printable`.
//! May import: base.
//! Start reading at: `base64`. Neither fails: what does not fit the encoding is left out or left as it is.

/// Decodes base64; characters that do not belong are skipped, padding in the middle starts a new piece.
#[must_use]
pub fn base64(data: &[u8]) -> Vec<u8> {
    let (mut bits, mut count) = (0u32, 0u32);
    let mut out = Vec::with_capacity(data.len() / 4 * 3);
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
    out
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
    fn quoted_printable_is_lenient() {
        assert_eq!(quoted_printable(b"a=3Db=\r\nc  \r\nd=zz=\n"), b"a=bc\r\nd=zz");
        assert_eq!(quoted_printable(b"=e4=E4="), b"\xe4\xe4");
        assert_eq!(quoted_printable(b"1 =  \n2\n"), b"1 2\n");
    }
}
