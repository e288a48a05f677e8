//! buffer — the text of the editor as lines, and the only way in which it changes.
//! Owns: `Buffer`, `Pos`.
//! May import: base.
//! Start reading at: `Buffer::replace`: everything else is made of it, and so is undo.

use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation as _};

/// A place in the text, between two grapheme clusters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Pos {
    /// Which line, from 0.
    pub line: usize,
    /// The offset in bytes in that line.
    pub byte: usize,
}

/// Text as lines without their ends; at least one line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Buffer {
    lines: Vec<String>,
}

impl Default for Buffer {
    fn default() -> Self {
        Self { lines: vec![String::new()] }
    }
}

impl Buffer {
    /// Of lines divided by `\n`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self { lines: text.split('\n').map(str::to_owned).collect() }
    }

    /// All of it, lines divided by `\n`.
    #[must_use]
    pub fn text(&self) -> String {
        self.lines.join("\n")
    }

    /// How many lines; never 0.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is no text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self.lines.as_slice(), [one] if one.is_empty())
    }

    /// One line; "" beyond the end.
    #[must_use]
    pub fn line(&self, n: usize) -> &str {
        self.lines.get(n).map_or("", String::as_str)
    }

    /// All lines.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Behind the last character.
    #[must_use]
    pub fn end(&self) -> Pos {
        let line = self.lines.len() - 1;
        Pos { line, byte: self.line(line).len() }
    }

    /// The valid place at `pos` or, if that is inside of a cluster or outside of the text, the next one before it.
    #[must_use]
    pub fn snap(&self, pos: Pos) -> Pos {
        if pos.line >= self.lines.len() {
            return self.end();
        }
        let line = self.line(pos.line);
        if pos.byte >= line.len() {
            return Pos { line: pos.line, byte: line.len() };
        }
        let mut byte = pos.byte;
        while !line.is_char_boundary(byte) {
            byte -= 1;
        }
        let whole = GraphemeCursor::new(byte, line.len(), true).is_boundary(line, 0).unwrap_or(true);
        Pos { line: pos.line, byte: if whole { byte } else { before(line, byte) } }
    }

    /// One cluster to the left; the end of the line above at the start of a line.
    #[must_use]
    pub fn left(&self, pos: Pos) -> Pos {
        match (pos.byte, pos.line.checked_sub(1)) {
            (0, None) => pos,
            (0, Some(line)) => Pos { line, byte: self.line(line).len() },
            (byte, _) => Pos { line: pos.line, byte: before(self.line(pos.line), byte) },
        }
    }

    /// One cluster to the right; the start of the line below at the end of a line.
    #[must_use]
    pub fn right(&self, pos: Pos) -> Pos {
        let line = self.line(pos.line);
        if pos.byte < line.len() {
            return Pos { line: pos.line, byte: behind(line, pos.byte) };
        }
        if pos.line + 1 < self.lines.len() { Pos { line: pos.line + 1, byte: 0 } } else { pos }
    }

    /// The start of the word to the left, across line ends.
    #[must_use]
    pub fn word_left(&self, pos: Pos) -> Pos {
        let mut at = pos;
        loop {
            let head = self.line(at.line).get(..at.byte).unwrap_or_default();
            let word = head.split_word_bound_indices().rev().find(|(_, w)| is_word(w));
            match (word, at.line.checked_sub(1)) {
                (Some((byte, _)), _) => return Pos { line: at.line, byte },
                (None, None) => return Pos { line: at.line, byte: 0 },
                (None, Some(line)) => at = Pos { line, byte: self.line(line).len() },
            }
        }
    }

    /// The end of the word to the right, across line ends.
    #[must_use]
    pub fn word_right(&self, pos: Pos) -> Pos {
        let mut at = pos;
        loop {
            let tail = self.line(at.line).get(at.byte..).unwrap_or_default();
            if let Some((byte, word)) = tail.split_word_bound_indices().find(|(_, w)| is_word(w)) {
                return Pos { line: at.line, byte: at.byte + byte + word.len() };
            }
            if at.line + 1 >= self.lines.len() {
                return self.end();
            }
            at = Pos { line: at.line + 1, byte: 0 };
        }
    }

    /// The text between two places.
    #[must_use]
    pub fn slice(&self, from: Pos, to: Pos) -> String {
        if from >= to {
            return String::new();
        }
        if from.line == to.line {
            return self.line(from.line).get(from.byte..to.byte).unwrap_or_default().to_owned();
        }
        let mut out = self.line(from.line).get(from.byte..).unwrap_or_default().to_owned();
        for line in self.lines.get(from.line + 1..to.line).unwrap_or_default() {
            out.push('\n');
            out.push_str(line);
        }
        out.push('\n');
        out.push_str(self.line(to.line).get(..to.byte).unwrap_or_default());
        out
    }

    /// Puts `text` in the place of what stands between `from` and `to` (char boundaries); the place behind it.
    /// Linear in the text and in the lines that it touches, and in the number of lines behind if lines come or go.
    pub fn replace(&mut self, from: Pos, to: Pos, text: &str) -> Pos {
        let tail = self.line(to.line).get(to.byte..).unwrap_or_default().to_owned();
        let mut parts = text.split('\n');
        let first = parts.next().unwrap_or_default();
        let mut last = Pos { line: from.line, byte: from.byte + first.len() };
        let mut fresh: Vec<String> = parts.map(str::to_owned).collect();
        if let Some(line) = fresh.last_mut() {
            last = Pos { line: from.line + text.matches('\n').count(), byte: line.len() };
            line.push_str(&tail);
        }
        let single = fresh.is_empty();
        if let Some(line) = self.lines.get_mut(from.line) {
            line.truncate(from.byte);
            line.push_str(first);
            if single {
                line.push_str(&tail);
            }
        }
        let gone = from.line + 1..(to.line + 1).max(from.line + 1).min(self.lines.len());
        if !(gone.is_empty() && fresh.is_empty()) {
            self.lines.splice(gone, fresh);
        }
        last
    }
}

/// The place behind `text` if it were put in at `at`.
#[must_use]
pub fn end_of(at: Pos, text: &str) -> Pos {
    match text.rsplit_once('\n') {
        None => Pos { line: at.line, byte: at.byte + text.len() },
        Some((above, last)) => Pos { line: at.line + above.matches('\n').count() + 1, byte: last.len() },
    }
}

fn before(line: &str, byte: usize) -> usize {
    GraphemeCursor::new(byte, line.len(), true).prev_boundary(line, 0).ok().flatten().unwrap_or(0)
}

fn behind(line: &str, byte: usize) -> usize {
    GraphemeCursor::new(byte, line.len(), true).next_boundary(line, 0).ok().flatten().unwrap_or(line.len())
}

fn is_word(piece: &str) -> bool {
    piece.chars().any(char::is_alphanumeric)
}
