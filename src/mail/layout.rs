//! layout — paragraphs with marked stretches, and their breaking into lines of a given width.
//! Owns: `Block`, `Role`, `Span`, `Line`, `lines`.
//! May import: base.
//! Start reading at: `Block`. Blocks know no width: the renderers make them once, `lines` breaks them for a screen. All text in
//! them has passed `SafeText` before it is measured, so that what is measured is what is drawn.

use crate::base::safetext::SafeText;
use crate::base::width;
use std::ops::Range;

/// The most lines made of one message.
pub const MAX_LINES: usize = 200_000;
/// The most quote marks drawn before a line.
const MAX_QUOTE_MARKS: usize = 8;

/// What a stretch of text is, for colours.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Role {
    /// The text itself.
    #[default]
    Text,
    /// Quote marks; the level is the line's.
    QuoteMark,
    /// A signature.
    Signature,
    /// The text of a link.
    Link,
    /// A link's number.
    LinkNumber,
    /// The host that a link really leads to, where its text says otherwise.
    LinkHost,
    /// A heading of HTML.
    Heading,
    /// Important.
    Strong,
    /// Stressed.
    Emphasis,
    /// Struck out.
    Struck,
    /// Code, preformatted.
    Code,
    /// A list's bullet or number.
    Bullet,
    /// In place of an image.
    Image,
    /// A rule across.
    Rule,
    /// A header field's name, of a message inside.
    FieldName,
    /// A header field's value, of a message inside.
    FieldValue,
    /// A line that a patch adds.
    Added,
    /// A line that a patch removes.
    Removed,
    /// `@@ … @@` of a patch.
    Hunk,
    /// The files that a patch is about.
    DiffFile,
    /// Said by us, not by the message.
    Notice,
}

/// A stretch of one line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Span {
    /// What it is.
    pub role: Role,
    /// The text, clean.
    pub text: SafeText,
    /// The number of the link that it belongs to.
    pub link: Option<u32>,
}

/// One line on a screen.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Line {
    /// Left to right.
    pub spans: Vec<Span>,
    /// How deep it is quoted.
    pub quote: u8,
    /// Whether it belongs to a signature.
    pub signature: bool,
}

impl Line {
    /// The text of all spans.
    #[must_use]
    pub fn text(&self) -> String {
        self.spans.iter().map(|s| s.text.as_str()).collect()
    }
}

/// How a block is broken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Wrap {
    /// At spaces; what follows hangs below the text.
    #[default]
    Words,
    /// Anywhere: code and patches keep their columns.
    Cells,
    /// A single character repeated across: a rule.
    Fill,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Mark {
    pub(super) end: usize,
    pub(super) role: Role,
    pub(super) link: Option<u32>,
}

/// One paragraph.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Block {
    /// How deep it is quoted.
    pub quote: u8,
    /// Cells of white space before it.
    pub indent: usize,
    /// What stands before its first line (a bullet); the other lines are indented by as much.
    pub bullet: String,
    /// How it is broken.
    pub wrap: Wrap,
    /// Whether it belongs to a signature.
    pub signature: bool,
    /// Whether its writer broke a paragraph here because the line was full: where the lines do not fit, they are broken anew
    /// together with the next block.
    pub goes_on: bool,
    pub(super) text: String,
    pub(super) marks: Vec<Mark>,
}

impl Block {
    /// A block of one stretch.
    #[must_use]
    pub fn of(text: &str, role: Role) -> Self {
        let mut block = Self::default();
        block.push(text, role, None);
        block
    }

    /// Adds a stretch.
    pub fn push(&mut self, text: &str, role: Role, link: Option<u32>) {
        if text.is_empty() {
            return;
        }
        self.text.push_str(SafeText::body_line(text).as_str());
        let end = self.text.len();
        match self.marks.last_mut() {
            Some(last) if last.role == role && last.link == link => last.end = end,
            _ => self.marks.push(Mark { end, role, link }),
        }
    }

    /// Adds the stretches of another block.
    pub(super) fn append(&mut self, other: &Self) {
        let mut at = 0;
        for mark in &other.marks {
            self.push(other.text.get(at..mark.end).unwrap_or_default(), mark.role, mark.link);
            at = mark.end;
        }
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Whether it holds our own words only.
    #[must_use]
    pub fn is_notice(&self) -> bool {
        self.marks.iter().all(|m| m.role == Role::Notice) && !self.marks.is_empty()
    }
}

/// Breaks blocks into lines of at most `cells` (20 at least). Says whether lines were left out.
#[must_use]
pub fn lines(blocks: &[Block], cells: usize) -> (Vec<Line>, bool) {
    let cells = cells.max(20);
    let mut out = Vec::new();
    let mut rest = blocks;
    while let Some(first) = rest.first() {
        if out.len() >= MAX_LINES {
            return (out, true);
        }
        let more = rest.iter().take_while(|b| b.goes_on).count().min(rest.len() - 1);
        let (paragraph, behind) = rest.split_at(more + 1);
        rest = behind;
        if more > 0 && paragraph.iter().any(|b| width::width(&b.text) > Room::of(b, cells).text) {
            break_block(&join(first, paragraph), cells, &mut out);
        } else {
            paragraph.iter().for_each(|b| break_block(b, cells, &mut out));
        }
    }
    let cut = out.len() > MAX_LINES;
    out.truncate(MAX_LINES);
    (out, cut)
}

/// The lines of one paragraph as one block.
fn join(first: &Block, lines: &[Block]) -> Block {
    let mut all = Block { text: String::new(), marks: Vec::new(), ..first.clone() };
    for line in lines {
        // Scripts that put no spaces between words need none here either.
        let wide = |c: Option<char>| c.is_some_and(|c| width::cell(c.encode_utf8(&mut [0; 4])) > 1);
        let unspaced = wide(all.text.chars().next_back()) && wide(line.text.chars().next());
        if !all.is_empty() && !unspaced {
            all.push(" ", Role::Text, None);
        }
        all.append(line);
    }
    all
}

/// How the columns of a line are shared out.
struct Room {
    marks: usize,
    indent: usize,
    bullet: SafeText,
    hang: usize,
    text: usize,
}

impl Room {
    fn of(block: &Block, cells: usize) -> Self {
        let marks = usize::from(block.quote).min(MAX_QUOTE_MARKS).min((cells - 10) / 2);
        let room = cells - 2 * marks;
        // Indents give way before the text does.
        let indent = block.indent.min(room.saturating_sub(10) / 2);
        let bullet = SafeText::body_line(width::truncate(&block.bullet, room.saturating_sub(indent) / 2).as_ref());
        let hang = indent + width::width(bullet.as_str());
        Self { marks, indent, bullet, hang, text: room - hang }
    }
}

fn break_block(block: &Block, cells: usize, out: &mut Vec<Line>) {
    let Room { marks, indent, bullet, hang, text: room } = Room::of(block, cells);
    let quote = "> ".repeat(marks);
    let ranges = match block.wrap {
        Wrap::Words => width::wrap(&block.text, room),
        Wrap::Cells => cut_cells(&block.text, room),
        Wrap::Fill => std::iter::once(0..block.text.len()).collect(),
    };
    let mut mark = 0;
    for (n, range) in ranges.into_iter().enumerate() {
        let mut line = Line { spans: Vec::new(), quote: block.quote, signature: block.signature };
        let mut put = |role: Role, text: &str, link: Option<u32>| {
            if !text.is_empty() {
                line.spans.push(Span { role, text: SafeText::body_line(text), link });
            }
        };
        let blank = range.is_empty() && bullet.is_empty();
        put(Role::QuoteMark, if blank { quote.trim_end() } else { &quote }, None);
        if !blank {
            let before = if n == 0 { indent } else { hang };
            put(Role::Text, &" ".repeat(before), None);
            if n == 0 {
                put(Role::Bullet, bullet.as_str(), None);
            }
        }
        if block.wrap == Wrap::Fill {
            put(Role::Rule, &block.text.repeat(room / width::width(&block.text).max(1)), None);
        } else {
            let mut at = range.start;
            while at < range.end {
                while block.marks.get(mark).is_some_and(|m| m.end <= at) {
                    mark += 1;
                }
                let Some(m) = block.marks.get(mark) else { break };
                let end = m.end.min(range.end);
                put(m.role, block.text.get(at..end).unwrap_or_default(), m.link);
                at = end;
            }
        }
        out.push(line);
        if out.len() > MAX_LINES {
            return;
        }
    }
}

/// Lines of at most `room` cells, cut wherever they are full.
fn cut_cells(text: &str, room: usize) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut at = 0;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let (mut fits, _) = width::fit(rest, room);
        if fits == 0 && !rest.is_empty() {
            // One grapheme wider than the room: it has a line to itself.
            fits = rest.char_indices().nth(1).map_or(rest.len(), |(i, _)| i);
        }
        out.push(at..at + fits);
        at += fits;
        if at >= text.len() {
            return out;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(block: &Block, cells: usize) -> Vec<String> {
        lines(std::slice::from_ref(block), cells).0.iter().map(Line::text).collect()
    }

    #[test]
    fn quotes_bullets_and_hanging_lines() {
        let mut block = Block::of("one two three four five", Role::Text);
        block.quote = 1;
        block.bullet = "• ".to_owned();
        assert_eq!(texts(&block, 20), ["> • one two three", ">   four five"]);
        let lines = lines(&[block], 20).0;
        assert_eq!(lines[0].spans[1].role, Role::Bullet);
        assert_eq!(lines[1].quote, 1);
    }

    #[test]
    fn marks_survive_breaks() {
        let mut block = Block::of("see ", Role::Text);
        block.push("a rather long link here", Role::Link, Some(7));
        block.push(" now", Role::Text, None);
        let lines = lines(&[block], 20).0;
        assert_eq!(lines[0].text(), "see a rather long");
        assert_eq!(lines[1].spans[0].link, Some(7));
        assert_eq!(lines[1].text(), "link here now");
    }

    #[test]
    fn code_keeps_its_columns_and_rules_fill() {
        let mut block = Block::of("if (x)   {  return; } else", Role::Code);
        block.wrap = Wrap::Cells;
        assert_eq!(texts(&block, 20), ["if (x)   {  return; ", "} else"]);
        let rule = Block { wrap: Wrap::Fill, ..Block::of("─", Role::Rule) };
        assert_eq!(texts(&rule, 20), ["─".repeat(20)]);
    }

    #[test]
    fn hostile_text_is_clean_and_deep_quotes_leave_room() {
        let mut block = Block::of("a\x1b[2Jb\u{202e}c", Role::Text);
        block.quote = 200;
        block.indent = 500;
        for text in texts(&block, 20) {
            assert!(!text.contains('\x1b') && width::width(&text) <= 20, "{text}");
        }
    }
}
