//! chooser — a list that narrows while one types: the palette, mailboxes to move to, links, attachments.
//! Owns: `Chooser`, `Choice`. May import: app.
//! Start reading at: `Chooser::narrow`.

use crate::app::input::Line;
use crate::base::safetext::SafeText;
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// One thing that can be chosen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Choice<T> {
    /// What it is for the one who asked.
    pub value: T,
    /// What is matched and shown.
    pub label: SafeText,
    /// More about it, dim, to the right.
    pub note: SafeText,
    /// A key or number that stands before it.
    pub key: String,
    /// Why it cannot be chosen now.
    pub disabled: Option<&'static str>,
}

/// The list and what was typed.
#[derive(Clone, Debug)]
pub struct Chooser<T> {
    /// Its heading.
    pub title: &'static str,
    /// What was typed.
    pub line: Line,
    choices: Vec<Choice<T>>,
    /// Indices of those that match, best first, with the matched characters of each.
    matches: Vec<(usize, Vec<u32>)>,
    cursor: usize,
}

impl<T: Clone> Chooser<T> {
    /// With these choices, in this order until something is typed.
    #[must_use]
    pub fn new(title: &'static str, choices: Vec<Choice<T>>) -> Self {
        let mut chooser = Self { title, line: Line::default(), choices, matches: Vec::new(), cursor: 0 };
        chooser.narrow();
        chooser
    }

    /// Matches anew, after something was typed. Those that cannot be chosen come last.
    pub fn narrow(&mut self) {
        let mut matcher = Matcher::new(Config::DEFAULT);
        // Typed words may match in any order; a capital asks for a capital.
        let pattern = Pattern::parse(self.line.text(), CaseMatching::Smart, Normalization::Smart);
        let mut buffer = Vec::new();
        let mut scored: Vec<(u32, usize, Vec<u32>)> = Vec::new();
        for (n, choice) in self.choices.iter().enumerate() {
            let mut marks = Vec::new();
            let label = Utf32Str::new(choice.label.as_str(), &mut buffer);
            let by_label = pattern.indices(label, &mut matcher, &mut marks);
            let mut buffer = Vec::new();
            let score = by_label.map(|s| s * 2).or_else(|| {
                marks.clear();
                pattern.score(Utf32Str::new(choice.note.as_str(), &mut buffer), &mut matcher)
            });
            if let Some(score) = score {
                marks.sort_unstable();
                marks.dedup();
                scored.push((score, n, marks));
            }
        }
        let disabled = |n: usize| self.choices.get(n).is_some_and(|c| c.disabled.is_some());
        scored.sort_by_key(|(score, n, _)| (disabled(*n), std::cmp::Reverse(*score), *n));
        self.matches = scored.into_iter().map(|(_, n, marks)| (n, marks)).collect();
        self.cursor = 0;
    }

    /// Moves the cursor, round at the ends.
    pub fn step(&mut self, by: isize) {
        let count = self.matches.len().max(1).cast_signed();
        self.cursor = (self.cursor.cast_signed() + by).rem_euclid(count).unsigned_abs();
    }

    /// Puts the cursor on the n-th row that matches.
    pub fn point(&mut self, n: usize) -> bool {
        let there = n < self.matches.len();
        if there {
            self.cursor = n;
        }
        there
    }

    /// The choice under the cursor.
    #[must_use]
    pub fn current(&self) -> Option<&Choice<T>> {
        self.matches.get(self.cursor).and_then(|(n, _)| self.choices.get(*n))
    }

    /// The cursor's place among the rows that match.
    #[must_use]
    pub const fn cursor(&self) -> usize {
        self.cursor
    }

    /// Rows that match, each with the characters that matched.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = (&Choice<T>, &[u32])> {
        self.matches
            .iter()
            .filter_map(|(n, marks)| self.choices.get(*n).map(|c| (c, marks.as_slice())))
            .collect::<Vec<_>>()
            .into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(label: &'static str, disabled: Option<&'static str>) -> Choice<usize> {
        Choice { value: label.len(), label: SafeText::of(label), note: SafeText::default(), key: String::new(), disabled }
    }

    #[test]
    fn typing_narrows_and_what_cannot_be_chosen_comes_last() {
        let mut c = Chooser::new(
            "Go to",
            vec![choice("Archive", None), choice("Lists/rust-users", None), choice("Archived lists", Some("empty"))],
        );
        let labels = |c: &Chooser<usize>| c.rows().map(|(r, _)| r.label.to_string()).collect::<Vec<_>>();
        assert_eq!(labels(&c)[2], "Archived lists");
        c.line.insert("rust");
        c.narrow();
        assert_eq!(labels(&c), ["Lists/rust-users"]);
        assert_eq!(c.rows().next().unwrap().1, [6, 7, 8, 9]);
        c.line = Line::new("arc");
        c.narrow();
        assert_eq!(labels(&c), ["Archive", "Archived lists"]);
        c.step(-1);
        assert_eq!(c.current().unwrap().label.as_str(), "Archived lists");
        c.step(1);
        assert_eq!(c.cursor(), 0);
        c.line = Line::new("zzz");
        c.narrow();
        c.step(3);
        assert!(c.current().is_none());
    }
}
