//! find — a word looked for in the open message.
//! Owns: `Find`, `Hit`. May import: app::input, mail.
//! Start reading at: `Find::look`. Capitals count only where one was typed.

use super::{Row, Viewer};
use crate::app::input::Line as Typed;
use crate::mail::layout::Line;
use std::ops::Range;

/// The most places that are kept.
const MAX_HITS: usize = 10_000;

/// One place: a line and the bytes of its text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hit {
    /// The line's number.
    pub line: usize,
    /// Bytes of the line's text.
    pub bytes: Range<usize>,
}

/// What is looked for, and where it is.
#[derive(Clone, Debug)]
pub struct Find {
    /// What was typed.
    pub typed: Typed,
    /// Whether keys still go to it.
    pub editing: bool,
    /// The first line that was seen when it began.
    pub from: usize,
    hits: Vec<Hit>,
    at: usize,
}

impl Find {
    /// Begins, at this line.
    #[must_use]
    pub fn new(from: usize) -> Self {
        Self { typed: Typed::default(), editing: true, from, hits: Vec::new(), at: 0 }
    }

    /// Looks in these lines.
    pub fn look(&mut self, lines: &[Line]) {
        let wanted = self.typed.text();
        let exact = wanted.chars().any(char::is_uppercase);
        let wanted: Vec<char> =
            if exact { wanted.chars().collect() } else { wanted.chars().flat_map(char::to_lowercase).collect() };
        self.hits.clear();
        if wanted.is_empty() {
            return;
        }
        for (n, line) in lines.iter().enumerate() {
            let text = line.text();
            let mut at = 0;
            while let Some(rest) = text.get(at..).filter(|r| !r.is_empty()) {
                let Some(len) = begins(rest, &wanted, exact) else {
                    at += rest.chars().next().map_or(1, char::len_utf8);
                    continue;
                };
                self.hits.push(Hit { line: n, bytes: at..at + len });
                if self.hits.len() >= MAX_HITS {
                    return;
                }
                at += len;
            }
        }
        self.at = self.hits.partition_point(|h| h.line < self.from) % self.hits.len().max(1);
    }

    /// To the next place or the one before, round at the ends.
    pub fn step(&mut self, forward: bool) {
        let count = self.hits.len().max(1);
        self.at = (self.at + if forward { 1 } else { count - 1 }) % count;
    }

    /// The place that is looked at.
    #[must_use]
    pub fn current(&self) -> Option<&Hit> {
        self.hits.get(self.at)
    }

    /// All places in a line.
    pub fn in_line(&self, line: usize) -> impl Iterator<Item = &Hit> {
        let first = self.hits.partition_point(|h| h.line < line);
        self.hits.iter().skip(first).take_while(move |h| h.line == line)
    }

    /// "3 of 12".
    #[must_use]
    pub fn count(&self) -> (usize, usize) {
        (if self.hits.is_empty() { 0 } else { self.at + 1 }, self.hits.len())
    }
}

/// The bytes of `text` that are `wanted`, if it begins so.
fn begins(text: &str, wanted: &[char], exact: bool) -> Option<usize> {
    let mut left = wanted;
    for (n, c) in text.char_indices() {
        if left.is_empty() {
            return Some(n);
        }
        if exact {
            left = left.strip_prefix(&[c])?;
        } else {
            for lower in c.to_lowercase() {
                left = left.strip_prefix(&[lower])?;
            }
        }
    }
    left.is_empty().then_some(text.len())
}

impl Viewer {
    /// Begins to look for a word.
    pub fn begin_find(&mut self) {
        let line = self.page.as_ref().map_or(0, |p| p.line_of(self.top));
        self.find = Some(Find::new(line));
    }

    /// No longer looks for a word; whether it did.
    pub fn end_find(&mut self) -> bool {
        self.find.take().is_some()
    }

    /// What is typed while a word is looked for.
    pub fn find_mut(&mut self) -> Option<&mut Find> {
        self.find.as_mut()
    }

    /// What is looked for has changed: shows the first place from where it began.
    pub fn look(&mut self) {
        if let (Some(find), Some(page)) = (&mut self.find, &self.page) {
            find.look(page.lines());
            self.show_hit();
        }
    }

    /// To the next place of the word; `false` if it is nowhere.
    pub fn step_hit(&mut self, forward: bool) -> bool {
        if let Some(find) = &mut self.find {
            find.step(forward);
        }
        self.show_hit()
    }

    fn show_hit(&mut self) -> bool {
        let Some(line) = self.find.as_ref().and_then(Find::current).map(|h| h.line) else { return false };
        let folded = self.page.as_ref().is_some_and(|p| matches!(p.rows().get(p.row_of(line)), Some(Row::Fold(..))));
        if folded {
            self.unfold(true);
        }
        let row = self.page.as_ref().map_or(0, |p| p.row_of(line));
        let room = usize::from(self.room()).max(1);
        if row < self.top || row >= self.top + room {
            self.top = row.saturating_sub(room / 3);
            self.scroll(0);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::layout::{Block, Role, lines};

    #[test]
    fn words_are_found_and_stepped_through() {
        let lines = lines(&[Block::of("Straße und STRASSE, straße", Role::Text), Block::of("İstanbul straße", Role::Text)], 60).0;
        let mut find = Find::new(0);
        find.typed.insert("straße");
        find.look(&lines);
        assert_eq!(find.count(), (1, 3));
        let hit = find.current().unwrap();
        assert_eq!(&lines[hit.line].text()[hit.bytes.clone()], "Straße");
        find.step(false);
        assert_eq!((find.count(), find.current().unwrap().line), ((3, 3), 1));
        find.step(true);
        assert_eq!((find.count(), find.in_line(0).count()), ((1, 3), 2));
        find.typed.insert("X");
        find.look(&lines);
        assert_eq!((find.count(), find.current()), ((0, 0), None));
        find.step(true);
        let mut exact = Find::new(1);
        exact.typed.insert("STR");
        exact.look(&lines);
        assert_eq!(exact.count(), (1, 1), "a capital asks for capitals, and the search goes round");
    }
}
