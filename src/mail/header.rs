//! header — the header block as fields by byte ranges, before anything is decoded.
//! Owns: `scan`, `Field`, where a header block ends.
//! May import: base.
//! Start reading at: `scan`. It is our own because two `From` fields, a field without a name's end and a missing blank
//! line must be seen as they are (security M-01 to M-05, M-19).

use super::encoded_word;
use std::ops::Range;

/// The most fields kept (security M-19).
pub const MAX_FIELDS: usize = 10_000;
/// The longest header block that is looked at, in bytes.
pub const MAX_BLOCK: usize = 1024 * 1024;
/// The longest value that is decoded, in bytes.
pub const MAX_VALUE: usize = 64 * 1024;

/// One header field. The text is untrusted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Field {
    /// The name as written, without the colon and white space about it.
    pub name: String,
    /// Decoded (RFC 2047), unfolded, cut at [`MAX_VALUE`] bytes of the raw text.
    pub value: String,
    /// The raw value in the message, folds and all, without the last line break.
    pub range: Range<usize>,
}

/// A scanned header block.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Block {
    /// The fields in order.
    pub fields: Vec<Field>,
    /// Where the fields start: behind an mbox `From ` line, else 0.
    pub start: usize,
    /// Where the body starts.
    pub body: usize,
    /// Whether the blank line between header and body is missing, so that the body starts at the first line that
    /// cannot be a field.
    pub unseparated: bool,
    /// Whether fields were left out because there were too many.
    pub cut: bool,
}

impl Block {
    /// All fields of that name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Field> {
        named(&self.fields, name)
    }
}

/// All fields of that name among `fields`, in order.
pub fn named<'a>(fields: &'a [Field], name: &'a str) -> impl Iterator<Item = &'a Field> {
    fields.iter().filter(move |f| f.name.eq_ignore_ascii_case(name))
}

/// Reads the header block at the start of `raw`.
#[must_use]
pub fn scan(raw: &[u8]) -> Block {
    let mut block = Block::default();
    let mut at = 0;
    if mbox_line(raw) {
        at = line_end(raw, 0).1;
    }
    block.start = at;
    loop {
        let start = at;
        let (mut end, mut next) = line_end(raw, at);
        if start == end {
            // A blank line ends the block; so does the end of the bytes.
            block.body = next;
            break;
        }
        // Lines that start with white space belong to the field above; a line of nothing but white space too (RFC 5322,
        // 4.2), unless it stands before any text.
        while matches!(raw.get(next), Some(b' ' | b'\t')) {
            (end, next) = line_end(raw, next);
        }
        let line = raw.get(start..end).unwrap_or_default();
        let Some(colon) = colon(line) else {
            // Some gateways leave the name's colon out of one line, or put an mbox line among the fields.
            if mbox_line(line) {
                at = next;
                continue;
            }
            block.body = start;
            block.unseparated = true;
            break;
        };
        if block.fields.len() >= MAX_FIELDS || start > MAX_BLOCK {
            block.cut = true;
        } else {
            let name = String::from_utf8_lossy(line.get(..colon).unwrap_or_default()).trim().to_owned();
            let range = start + colon + 1..end;
            let shown = raw.get(range.start..range.end.min(range.start + MAX_VALUE)).unwrap_or_default();
            block.fields.push(Field { name, value: encoded_word::decode_text(shown), range });
        }
        at = next;
        if at >= raw.len() {
            block.body = raw.len();
            break;
        }
    }
    block
}

/// The end of the line that starts at `at`, without and with its line break.
fn line_end(raw: &[u8], at: usize) -> (usize, usize) {
    let rest = raw.get(at..).unwrap_or_default();
    match rest.iter().position(|b| *b == b'\n') {
        None => (raw.len(), raw.len()),
        Some(n) => {
            let end = at + n;
            let bare = if n > 0 && raw.get(end - 1) == Some(&b'\r') { end - 1 } else { end };
            (bare, end + 1)
        }
    }
}

/// Whether a line is mbox's `From someone at some time`, and not a `From :` field.
fn mbox_line(line: &[u8]) -> bool {
    let line = line.strip_prefix(b">").unwrap_or(line);
    line.strip_prefix(b"From ").is_some_and(|rest| !rest.trim_ascii_start().starts_with(b":"))
}

/// Where the colon of a field stands, if the line can be a field: a name of printable characters, no white space inside
/// but perhaps before the colon.
fn colon(line: &[u8]) -> Option<usize> {
    let colon = line.iter().take(1_000).position(|b| *b == b':')?;
    let name = line.get(..colon)?.trim_ascii();
    let fits = !name.is_empty() && name.iter().all(|b| !b.is_ascii_whitespace());
    fits.then_some(colon)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(raw: &[u8]) -> Vec<String> {
        scan(raw).fields.into_iter().map(|f| f.name).collect()
    }

    #[test]
    fn fields_and_body() {
        let raw = b"From: a@b\r\nSubject: one\r\n two\r\n\r\nbody";
        let block = scan(raw);
        assert_eq!(block.fields.len(), 2);
        assert_eq!(block.fields[1].value, "one two");
        assert_eq!(&raw[block.body..], b"body");
        assert_eq!(scan(b"").body, 0);
        assert_eq!(scan(b"\nbody").body, 1);
        assert_eq!(names(b"From x@y Mon\nSubject: z\n\n"), ["Subject"]);
    }

    #[test]
    fn a_missing_blank_line_does_not_eat_the_body() {
        let raw = b"Subject: x\nThis is the text.\nNote: it has colons.\n";
        let block = scan(raw);
        assert!(block.unseparated);
        assert_eq!(&raw[block.body..], &raw[11..]);
    }

    #[test]
    fn every_form_of_two_authors_is_seen() {
        for raw in [
            &b"From: a@attack\r\nFrom: admin@legit\r\n\r\n"[..],
            b" From: a@attack\r\nFrom: admin@legit\r\n\r\n",
            b"From : a@attack\r\nFrom: admin@legit\r\n\r\n",
            b"From\r\n : a@attack\r\nFrom: admin@legit\r\n\r\n",
        ] {
            assert_eq!(scan(raw).all("from").count(), 2, "{}", String::from_utf8_lossy(raw));
        }
    }

    #[test]
    fn too_much_is_cut() {
        let block = scan(&b"X-A: b\n".repeat(100_000));
        assert!(block.cut && block.fields.len() == MAX_FIELDS);
        let mut line = b"X: ".to_vec();
        line.resize(5_000_000, b'a');
        assert!(scan(&line).fields[0].value.len() <= MAX_VALUE);
    }
}
