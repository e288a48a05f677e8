//! render_raw — a message as it came, for those who want to see: all header fields, or every byte.
//! Owns: `headers`, `source`.
//! May import: base.
//! Start reading at: `headers`. Nothing is handed to the terminal as it came: lines pass the same boundary as all others, and bytes
//! that are no text are drawn as marks (security D-06).

use super::body::Message;
use super::layout::{self, Block, Line, Role, Wrap};
use crate::base::safetext::SafeText;

/// The most of a message that is shown as source, in bytes.
pub const MAX_SOURCE: usize = 2 * 1024 * 1024;

/// All header fields in order, decoded, as lines of at most `cells`.
#[must_use]
pub fn headers(message: &Message, cells: usize) -> Vec<Line> {
    let blocks: Vec<Block> = message
        .fields
        .iter()
        .map(|field| {
            let mut block = Block::of(&format!("{}: ", field.name), Role::FieldName);
            block.push(SafeText::line(&field.value).as_str(), Role::FieldValue, None);
            block
        })
        .collect();
    layout::lines(&blocks, cells).0
}

/// The message as it came, as lines of at most `cells`; whether that is all of it.
#[must_use]
pub fn source(message: &Message, cells: usize) -> (Vec<Line>, bool) {
    let all = message.raw.len() <= MAX_SOURCE;
    let text = String::from_utf8_lossy(message.raw.get(..MAX_SOURCE).unwrap_or(&message.raw));
    let mut head = true;
    let blocks: Vec<Block> = text
        .split('\n')
        .map(|line| {
            let line = line.strip_suffix('\r').unwrap_or(line);
            head &= !line.is_empty();
            let role = if head { Role::FieldName } else { Role::Code };
            Block { wrap: Wrap::Cells, ..Block::of(&line.replace('\t', "        "), role) }
        })
        .collect();
    let (lines, cut) = layout::lines(&blocks, cells);
    (lines, all && !cut)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::parse;

    fn texts(lines: &[Line]) -> Vec<String> {
        lines.iter().map(Line::text).collect()
    }

    #[test]
    fn headers_are_decoded_and_the_source_is_not() {
        let message = parse::message(&b"Subject: =?utf-8?q?=C3=A4?=\r\nX-Long: a\r\n\tb\r\n\r\n\x1b[31mred \xff\r\n"[..]);
        assert_eq!(texts(&headers(&message, 60)), ["Subject: ä", "X-Long: a b"]);
        let (lines, all) = source(&message, 60);
        assert!(all);
        let lines = texts(&lines);
        assert_eq!(lines[..4], ["Subject: =?utf-8?q?=C3=A4?=", "X-Long: a", "        b", ""]);
        assert!(lines[4].contains("[31mred") && !lines[4].contains('\x1b'), "{lines:?}");
    }
}
