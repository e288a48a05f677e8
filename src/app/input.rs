//! input — a line that is typed into: search, names, passwords.
//! Owns: `Line`. May import: app::key.
//! Start reading at: `Line::key`. The text is what was typed; it is drawn through the usual boundary like any other.

use super::key::{Code, Key};
use unicode_segmentation::UnicodeSegmentation;

/// The longest line, in bytes.
const MAX: usize = 4_096;

/// A line of text with a cursor.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Line {
    text: String,
    /// A byte offset, always at a grapheme's edge.
    cursor: usize,
    /// Whether it is drawn as dots, and never shown in a debug print.
    secret: bool,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.secret { f.write_str("Line(…)") } else { write!(f, "Line({:?} at {})", self.text, self.cursor) }
    }
}

impl Line {
    /// With a text, the cursor behind it.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), cursor: text.len(), secret: false }
    }

    /// For a password.
    #[must_use]
    pub fn secret() -> Self {
        // Room at once: a buffer that grows leaves copies behind.
        Self { secret: true, text: String::with_capacity(MAX), cursor: 0 }
    }

    /// What was typed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Takes the text out.
    pub fn take(&mut self) -> String {
        self.cursor = 0;
        std::mem::take(&mut self.text)
    }

    /// What is drawn before and behind the cursor.
    #[must_use]
    pub fn shown(&self) -> (String, String) {
        let (before, after) = self.text.split_at_checked(self.cursor).unwrap_or((&self.text, ""));
        let dots = |s: &str| "•".repeat(s.graphemes(true).count());
        if self.secret { (dots(before), dots(after)) } else { (before.to_owned(), after.to_owned()) }
    }

    /// Whether nothing was typed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Types text at the cursor; line breaks and controls become spaces, so that a paste submits nothing.
    pub fn insert(&mut self, text: &str) {
        let room = MAX.saturating_sub(self.text.len());
        let mut cut = text.len().min(room);
        while !text.is_char_boundary(cut) {
            cut -= 1;
        }
        let clean: String = text.get(..cut).unwrap_or_default().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        self.text.insert_str(self.cursor, &clean);
        self.cursor += clean.len();
    }

    /// Takes a key; whether it was one for the line.
    pub fn key(&mut self, key: Key) -> bool {
        match (key.code, key.ctrl, key.alt) {
            (Code::Char(c), false, false) => self.insert(c.encode_utf8(&mut [0; 4])),
            (Code::Backspace, false, false) | (Code::Char('h'), true, false) => self.remove(self.before()),
            (Code::Delete, ..) | (Code::Char('d'), true, false) => {
                let end = self.after();
                self.text.replace_range(self.cursor..end, "");
            }
            (Code::Left, ..) | (Code::Char('b'), true, false) => self.cursor = self.before(),
            (Code::Right, ..) => self.cursor = self.after(),
            (Code::Home, ..) | (Code::Char('a'), true, false) => self.cursor = 0,
            (Code::End, ..) | (Code::Char('e'), true, false) => self.cursor = self.text.len(),
            (Code::Char('u'), true, false) => self.remove(0),
            (Code::Char('k'), true, false) => self.text.truncate(self.cursor),
            (Code::Char('w'), true, false) | (Code::Backspace, _, true) => self.remove(self.word_before()),
            _ => return false,
        }
        true
    }

    fn remove(&mut self, from: usize) {
        self.text.replace_range(from..self.cursor, "");
        self.cursor = from;
    }

    fn head(&self) -> &str {
        self.text.get(..self.cursor).unwrap_or_default()
    }

    fn before(&self) -> usize {
        self.head().grapheme_indices(true).next_back().map_or(0, |(n, _)| n)
    }

    fn after(&self) -> usize {
        let tail = self.text.get(self.cursor..).unwrap_or_default();
        self.cursor + tail.graphemes(true).next().map_or(0, str::len)
    }

    fn word_before(&self) -> usize {
        let words = self.head().trim_end();
        words
            .rfind(char::is_whitespace)
            .map_or(0, |n| n + words.get(n..).and_then(|s| s.chars().next()).map_or(1, char::len_utf8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn press(line: &mut Line, keys: &str) {
        for key in keys.split(' ') {
            line.key(Key::parse(key).unwrap());
        }
    }

    #[test]
    fn it_edits_by_what_a_person_sees() {
        let mut line = Line::default();
        press(&mut line, "a Space b ä");
        line.insert("e\u{301}");
        press(&mut line, "Left Backspace");
        assert_eq!(line.text(), "a be\u{301}");
        press(&mut line, "End Backspace");
        assert_eq!(line.text(), "a b");
        press(&mut line, "C-w");
        assert_eq!(line.text(), "a ");
        line.insert("x\ny\x1b[A");
        assert_eq!(line.text(), "a x y [A", "a paste submits nothing");
        press(&mut line, "C-u");
        assert!(line.is_empty());
        assert!(!line.key(Key::plain(Code::Enter)));
    }

    #[test]
    fn a_secret_shows_nothing() {
        let mut line = Line::secret();
        line.insert("hunter2");
        assert_eq!(line.shown().0, "•••••••");
        assert!(!format!("{line:?}").contains("hunter2"));
    }

    proptest! {
        #[test]
        fn the_cursor_stays_between_characters(keys in proptest::collection::vec(0usize..14, 0..60), text in "\\PC{0,20}") {
            let names = ["a", "佐", "Space", "Backspace", "Delete", "Left", "Right", "Home", "End", "C-w", "C-k", "C-u", "M-Backspace", "C-d"];
            let mut line = Line::new(&text);
            for k in keys {
                line.key(Key::parse(names[k]).unwrap());
                prop_assert!(line.text.is_char_boundary(line.cursor));
                let (a, b) = line.shown();
                prop_assert_eq!(a + &b, line.text());
            }
        }
    }
}
