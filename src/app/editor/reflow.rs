//! reflow — one paragraph laid out anew, quotes kept.
//! Owns: `paragraph`, `reflow`. May import: mail, base, app::editor.
//! Start reading at: `reflow`. Quoted lines are broken again at 72 cells with their marks in front. The person's own words become one
//! line, because that is what a paragraph is to `format=flowed` (RFC 3676): the screen wraps it here and at the other end.

use super::buffer::Buffer;
use crate::base::width;
use crate::mail::draft::marks;
use std::ops::Range;

/// Where quoted lines are broken, in cells, marks included.
pub const CELLS: usize = 72;

/// Whether a line is part of running text: not empty, not indented, no list, no signature mark, no rule.
fn flows(text: &str) -> bool {
    let listed = text.starts_with(['-', '*', '+', '•', '|', '#']) || text.starts_with(char::is_whitespace);
    !text.trim().is_empty() && !listed
}

/// The lines of the paragraph at `line`; nothing where no running text is.
#[must_use]
pub fn paragraph(buffer: &Buffer, line: usize) -> Option<Range<usize>> {
    let (depth, text) = marks(buffer.line(line));
    let same = |n: usize| {
        let (d, t) = marks(buffer.line(n));
        d == depth && flows(t)
    };
    if !flows(text) {
        return None;
    }
    let start = (0..line).rev().take_while(|n| same(*n)).last().unwrap_or(line);
    let end = (line + 1..buffer.len()).take_while(|n| same(*n)).last().unwrap_or(line);
    Some(start..end + 1)
}

/// The paragraph of these lines laid out anew, lines divided by `\n`.
#[must_use]
pub fn reflow(buffer: &Buffer, lines: Range<usize>) -> String {
    let depth = marks(buffer.line(lines.start)).0;
    let mut whole = String::new();
    for n in lines {
        let piece = marks(buffer.line(n)).1.trim();
        let last = whole.chars().next_back();
        if last.is_some_and(|l| !(wide(l) && piece.starts_with(wide))) {
            whole.push(' ');
        }
        whole.push_str(piece);
    }
    if depth == 0 {
        return whole;
    }
    let mark = format!("{} ", ">".repeat(depth));
    let rows = width::wrap(&whole, CELLS.saturating_sub(mark.len()).max(20));
    let rows: Vec<String> = rows.into_iter().map(|r| format!("{mark}{}", whole.get(r).unwrap_or_default())).collect();
    rows.join("\n")
}

/// Scripts that are written without spaces.
fn wide(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ffef}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, line: usize) -> Option<String> {
        let buffer = Buffer::new(text);
        paragraph(&buffer, line).map(|lines| reflow(&buffer, lines))
    }

    #[test]
    fn own_words_become_one_line_and_quotes_stay_quoted() {
        assert_eq!(at("Hi,\n\none two\nthree\n\n> q", 3).unwrap(), "one two three");
        assert_eq!(at("> one\n> two\n>> three\nfour", 0).unwrap(), "> one two");
        assert_eq!(at("> > a\n>> b", 0).unwrap(), ">> a b");
        assert_eq!(at("日本\n語\nabc", 0).unwrap(), "日本語 abc");
        let long = format!("> {}\n> {}", "word ".repeat(20).trim(), "x");
        let lines = at(&long, 1).unwrap();
        assert!(lines.lines().all(|l| l.starts_with("> ") && l.len() <= CELLS), "{lines}");
        assert_eq!(lines.replace("> ", " ").split_whitespace().count(), 21);
    }

    #[test]
    fn lists_signatures_and_code_stay_as_they_are() {
        for text in ["- item", "-- ", "    code", "", "| a | b |", "> ", ">     code"] {
            assert_eq!(at(text, 0), None, "{text:?}");
        }
        assert_eq!(at("text\n- item", 0).unwrap(), "text");
    }
}
