//! complain — what is wrong with the configuration: where, what, and what was probably meant.
//! Owns: `ConfigError` and several of them, the places in a file, "did you mean".
//! May import: base.
//! Start reading at: `ConfigError`; `mistakes.rs` gathers them. A complaint names keys and their values, but never a line of the file: it may hold a password.

use crate::base::safetext::SafeText;
use std::fmt;
use std::ops::Range;
use std::path::Path;

/// A configuration that cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigError {
    /// `FILE:LINE:COLUMN`, or the file alone.
    pub place: SafeText,
    /// What is wrong, without a full stop.
    pub what: SafeText,
    /// What to do about it, a sentence without its full stop.
    pub hint: SafeText,
}

impl ConfigError {
    /// Of the file as a whole.
    #[must_use]
    pub fn whole(file: &Path, what: &str, hint: &str) -> Self {
        Self { place: SafeText::line(&file.to_string_lossy()), what: SafeText::line(what), hint: SafeText::line(hint) }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}. {}", self.place, self.what, self.hint)
    }
}

impl std::error::Error for ConfigError {}

/// All that is wrong with a configuration, in the order of the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigErrors {
    /// The first of them.
    pub first: ConfigError,
    /// The others.
    pub rest: Vec<ConfigError>,
}

impl From<ConfigError> for ConfigErrors {
    fn from(first: ConfigError) -> Self {
        Self { first, rest: Vec::new() }
    }
}

impl fmt::Display for ConfigErrors {
    /// In one line: the first, and how many more there are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rest.len() {
            0 => write!(f, "{}", self.first),
            more => write!(f, "{} (and {more} more: `postrider config check` tells them)", self.first),
        }
    }
}

impl std::error::Error for ConfigErrors {}

/// A file's name and text, to give errors their place.
pub struct Source<'a> {
    file: &'a Path,
    text: &'a str,
}

impl<'a> Source<'a> {
    /// Of a file that was read.
    #[must_use]
    pub fn new(file: &'a Path, text: &'a str) -> Self {
        Self { file, text }
    }

    /// The text of the file.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// An error of the file as a whole.
    #[must_use]
    pub fn whole(&self, what: &str, hint: &str) -> ConfigError {
        ConfigError::whole(self.file, what, hint)
    }

    /// The folder that relative paths in the file start from.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new(""))
    }

    /// `FILE:LINE:COLUMN` of a byte; columns count characters from 1.
    #[must_use]
    pub fn place(&self, byte: usize) -> String {
        let before = self.text.get(..byte).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!("{}:{line}:{column}", self.file.display())
    }

    /// An error at a place.
    #[must_use]
    pub fn at(&self, span: &Range<usize>, what: &str, hint: &str) -> ConfigError {
        ConfigError {
            place: SafeText::line(&self.place(span.start)),
            what: SafeText::line_max(what, 300),
            hint: SafeText::line_max(hint, 300),
        }
    }
}

/// The word that was probably meant: at most a third of its letters differ.
#[must_use]
pub fn nearest<'w>(given: &str, known: &[&'w str]) -> Option<&'w str> {
    let close = known.iter().map(|word| (distance(given, word), *word)).min_by_key(|(distance, _)| *distance)?;
    (close.0 <= close.1.chars().count().max(3) / 3).then_some(close.1)
}

/// Levenshtein distance, where two neighbours that changed places count once.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.to_lowercase().chars().take(64).collect(), b.to_lowercase().chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for (i, ca) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, cb) in b.iter().enumerate() {
            let at = |r: &Vec<usize>, n: usize| r.get(n).copied().unwrap_or(usize::MAX - 1);
            let above = rows.last().map_or(usize::MAX - 1, |r| at(r, j + 1));
            let corner = rows.last().map_or(usize::MAX - 1, |r| at(r, j));
            let mut cost = (above + 1).min(at(&row, j) + 1).min(corner + usize::from(ca != cb));
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(cb) && b.get(j - 1) == Some(ca);
            if let Some(before) = rows.len().checked_sub(2).and_then(|n| rows.get(n)).filter(|_| swapped) {
                cost = cost.min(at(before, j - 1) + 1);
            }
            row.push(cost);
        }
        rows.push(row);
    }
    rows.last().and_then(|r| r.last()).copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found() {
        assert_eq!((distance("adress", "address"), distance("thmee", "theme"), distance("", "ab")), (1, 1, 2));
        assert_eq!(nearest("pasword", &["address", "password", "imap"]), Some("password"));
        assert_eq!(nearest("colour", &["address", "password"]), None);
        assert_eq!(nearest("x", &[]), None);
    }

    #[test]
    fn places_count_characters() {
        let source = Source::new(Path::new("c"), "a = 1\nü = 2\n");
        assert_eq!(source.place(0), "c:1:1");
        assert_eq!(source.place(9), "c:2:3");
        assert_eq!(source.place(99), "c:3:1");
    }
}
