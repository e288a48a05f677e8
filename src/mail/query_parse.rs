//! query_parse — the search language: reading it.
//! Owns: `parse`, `Parsed`.
//! May import: base.
//! Start reading at: `parse`. It is total: while somebody types, every prefix of a query is one too.

use super::flags::Keyword;
use super::query::{FIELDS, Field, Query, STATES, Term};
use super::words::words;
use crate::base::safetext::SafeText;
use jiff::Span;
use jiff::civil::Date;

/// What text means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parsed {
    /// The query; what could not be read is left out of it or searched for as text.
    pub query: Query,
    /// The first thing that could not be read, as a sentence.
    pub complaint: Option<SafeText>,
}

/// Reads a query. Relative dates (`2w`, `3d`, `1m`, `1y`, `today`, `yesterday`) count from `today`.
#[must_use]
pub fn parse(text: &str, today: Date) -> Parsed {
    let mut reader = Reader { rest: text, today, depth: 0, complaint: None };
    let mut all = Vec::new();
    while !reader.rest.trim_start().is_empty() {
        // A closing bracket without an opening one ends the inner call; go on behind it.
        all.push(reader.any());
        reader.rest = reader.rest.trim_start().strip_prefix(')').unwrap_or(reader.rest);
    }
    Parsed { query: and(all), complaint: reader.complaint }
}

/// Flattened: one element stands for itself, nothing for everything.
fn and(parts: Vec<Query>) -> Query {
    let mut flat = Vec::new();
    for part in parts {
        match part {
            Query::And(more) => flat.extend(more),
            one => flat.push(one),
        }
    }
    if flat.len() == 1 { flat.remove(0) } else { Query::And(flat) }
}

struct Reader<'a> {
    rest: &'a str,
    today: Date,
    depth: u32,
    complaint: Option<SafeText>,
}

/// Brackets and negations deeper than this are read as one level.
const MAX_DEPTH: u32 = 64;

impl<'a> Reader<'a> {
    /// `a b OR c d`: OR binds weaker.
    fn any(&mut self) -> Query {
        let mut choices = vec![self.all()];
        while self.word_is("OR") {
            choices.push(self.all());
        }
        // A choice that asks for nothing is being typed: it does not turn the whole into "everything".
        choices.retain(|c| !c.is_all());
        let mut flat = Vec::new();
        for choice in choices {
            match choice {
                Query::Or(more) => flat.extend(more),
                one => flat.push(one),
            }
        }
        if flat.len() < 2 { and(flat) } else { Query::Or(flat) }
    }

    fn all(&mut self) -> Query {
        let mut parts = Vec::new();
        loop {
            self.rest = self.rest.trim_start();
            if self.rest.is_empty() || self.rest.starts_with(')') || self.at_word("OR") {
                return and(parts);
            }
            if !self.word_is("AND") {
                parts.push(self.one());
            }
        }
    }

    fn one(&mut self) -> Query {
        let negated = self.rest.strip_prefix('-').filter(|r| !r.starts_with([' ', '-']) && !r.is_empty());
        if let Some(rest) = negated {
            self.rest = rest;
        }
        if negated.is_some() || self.word_is("NOT") {
            self.rest = self.rest.trim_start();
            if self.rest.is_empty() {
                return Query::ALL;
            }
            let inner = self.deeper(Self::one);
            return match inner {
                Query::Not(twice) => *twice,
                all if all.is_all() => all,
                one => Query::Not(Box::new(one)),
            };
        }
        if let Some(rest) = self.rest.strip_prefix('(') {
            self.rest = rest;
            let inner = self.deeper(Self::any);
            self.rest = self.rest.trim_start();
            self.rest = self.rest.strip_prefix(')').unwrap_or(self.rest);
            return inner;
        }
        self.term()
    }

    fn deeper(&mut self, read: fn(&mut Self) -> Query) -> Query {
        if self.depth >= MAX_DEPTH {
            // Take the mark away and go on flat, so that a megabyte of brackets does not use up the stack.
            self.complain("too many brackets");
            self.rest = self.rest.trim_start_matches(['(', '-', ' ']);
            return if self.rest.is_empty() || self.rest.starts_with(')') { Query::ALL } else { self.term() };
        }
        self.depth += 1;
        let query = read(self);
        self.depth -= 1;
        query
    }

    fn at_word(&self, word: &str) -> bool {
        self.rest
            .strip_prefix(word)
            .is_some_and(|r| r.is_empty() || r.starts_with(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '"')))
    }

    fn word_is(&mut self, word: &str) -> bool {
        self.rest = self.rest.trim_start();
        let there = self.at_word(word);
        if there {
            self.rest = self.rest.get(word.len()..).unwrap_or_default();
        }
        there
    }

    /// `word`, `"a text"`, `key:word`, `key:"a text"`.
    fn term(&mut self) -> Query {
        if let Some(text) = self.quoted() {
            return self.words(Field::Any, text, true);
        }
        let end = self.rest.find(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '"')).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        let key_end = word.find(':');
        let Some((key, value)) = key_end.and_then(|at| Some((word.get(..at)?, word.get(at + 1..)?))) else {
            self.rest = rest;
            return self.words(Field::Any, word, false);
        };
        let key = key.to_ascii_lowercase();
        self.rest = rest;
        let (value, whole) = match value.is_empty().then(|| self.quoted()).flatten() {
            Some(text) => (text, true),
            None => (value, false),
        };
        match self.keyed(&key, value, whole) {
            Some(query) => query,
            None => {
                if key.bytes().all(|b| b.is_ascii_alphabetic()) && !value.starts_with("//") && !value.is_empty() {
                    self.complain(&format!("{key}: is not something to search by; looking for the words instead"));
                }
                if whole {
                    and(vec![self.words(Field::Any, word, false), self.words(Field::Any, value, true)])
                } else {
                    self.words(Field::Any, word, false)
                }
            }
        }
    }

    /// A quoted text at the start of the rest; one without an end goes to the end.
    fn quoted(&mut self) -> Option<&'a str> {
        let inner = self.rest.strip_prefix('"')?;
        let (text, rest) = inner.split_once('"').unwrap_or((inner, ""));
        self.rest = rest;
        Some(text)
    }

    fn words(&self, field: Field, text: &str, whole: bool) -> Query {
        if words(text).is_empty() {
            return Query::ALL;
        }
        Query::Term(Term::Text { field, text: text.to_owned(), whole })
    }

    /// Nothing for an unknown key.
    fn keyed(&mut self, key: &str, value: &str, whole: bool) -> Option<Query> {
        if let Some((_, field)) = FIELDS.iter().find(|(name, _)| *name == key) {
            return Some(self.words(*field, value, whole));
        }
        const KNOWN: &str =
            "is has tag in account before older after since newer date on larger smaller saved savedbefore savedsince";
        if !KNOWN.split(' ').any(|known| known == key) {
            return None;
        }
        let lower = value.to_lowercase();
        if value.trim().is_empty() {
            return Some(Query::ALL);
        }
        let term = match key {
            "is" => STATES.iter().find(|(name, _)| *name == lower).map(|(_, s)| Term::Is(*s)),
            "has" => ["attachment", "attachments", "file"].contains(&lower.as_str()).then_some(Term::HasAttachment),
            "tag" => Keyword::new(value).or_else(|| Keyword::of_label(value)).map(Term::Tag),
            "in" => Some(Term::In(value.to_owned())),
            "account" => Some(Term::Account(value.to_owned())),
            "before" | "older" => self.day(&lower).map(|(from, _)| Term::Before(from)),
            "after" | "since" | "newer" => self.day(&lower).map(|(from, _)| Term::Since(from)),
            "savedbefore" => self.day(&lower).map(|(from, _)| Term::SavedBefore(from)),
            "savedsince" => self.day(&lower).map(|(from, _)| Term::SavedSince(from)),
            "larger" => size(&lower).map(Term::Larger),
            "smaller" => size(&lower).map(Term::Smaller),
            // saved, date, on
            _ => {
                type Ends = (fn(Date) -> Term, fn(Date) -> Term);
                let (since, before): Ends =
                    if key == "saved" { (Term::SavedSince, Term::SavedBefore) } else { (Term::Since, Term::Before) };
                let range = self.day(&lower).map(|(from, to)| and([since(from), before(to)].map(Query::Term).to_vec()));
                return Some(range.unwrap_or_else(|| self.unread(key, value)));
            }
        };
        Some(term.map_or_else(|| self.unread(key, value), Query::Term))
    }

    /// A value that means nothing to its key is left out, and said so.
    fn unread(&mut self, key: &str, value: &str) -> Query {
        self.complain(&format!(
            "{key}:{value} is left out: {}",
            match key {
                "is" => "it can be unread, read, starred, answered or draft",
                "has" => "it can be attachment",
                "tag" => "that cannot be a tag",
                "larger" | "smaller" => "a size looks like 500k or 5M",
                _ => "a day looks like 2026-01-31, 2026-01, 2w, today or yesterday",
            }
        ));
        Query::ALL
    }

    fn complain(&mut self, what: &str) {
        self.complaint.get_or_insert_with(|| SafeText::line_max(what, 200));
    }

    /// The first day that is meant and the first one behind it.
    fn day(&self, text: &str) -> Option<(Date, Date)> {
        use jiff::ToSpan as _;
        let ago = |n: i64, unit: char| {
            let span = match unit {
                'd' => Span::new().try_days(n),
                'w' => Span::new().try_weeks(n),
                'm' => Span::new().try_months(n),
                'y' => Span::new().try_years(n),
                _ => return None,
            };
            self.today.checked_sub(span.ok()?).ok()
        };
        let from = match text {
            "today" => self.today,
            "yesterday" => ago(1, 'd')?,
            _ => {
                if let Some(n) = text.char_indices().last().and_then(|(at, unit)| ago(number(text.get(..at)?)?, unit)) {
                    return Some((n, n.tomorrow().ok()?));
                }
                let mut parts = text.split(['-', '/']);
                let year = parts.next().filter(|y| y.len() == 4).and_then(number)?;
                let (month, day) = (parts.next(), parts.next());
                if parts.next().is_some() {
                    return None;
                }
                let part = |t: Option<&str>| t.map_or(Some(1), |t| i8::try_from(number(t)?).ok());
                let from = Date::new(i16::try_from(year).ok()?, part(month)?, part(day)?).ok()?;
                let span = if day.is_some() {
                    1.day()
                } else if month.is_some() {
                    1.month()
                } else {
                    1.year()
                };
                return Some((from, from.checked_add(span).ok()?));
            }
        };
        Some((from, from.tomorrow().ok()?))
    }
}

/// Digits only: no sign, no space.
fn number(text: &str) -> Option<i64> {
    (!text.is_empty() && text.len() <= 6 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

/// `500`, `500k`, `5M`, `1.5g`, with or without a `b` behind; a thousand is 1,000.
fn size(text: &str) -> Option<u64> {
    let text = text.strip_suffix('b').unwrap_or(text);
    let (digits, unit): (&str, u64) = match text.char_indices().last()? {
        (at, 'k') => (text.get(..at)?, 1_000),
        (at, 'm') => (text.get(..at)?, 1_000_000),
        (at, 'g') => (text.get(..at)?, 1_000_000_000),
        _ => (text, 1),
    };
    let (whole, tenth) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    if !plain(whole) || !plain(tenth) || tenth.len() > 1 {
        return None;
    }
    let tenths = whole.parse::<u64>().ok()?.checked_mul(10)?.checked_add(tenth.parse().ok()?)?;
    Some(tenths.checked_mul(unit)? / 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn read(text: &str) -> Parsed {
        parse(text, date(2026, 11, 21))
    }

    fn back(text: &str) -> String {
        let parsed = read(text);
        assert_eq!(parsed.complaint, None, "{text}");
        parsed.query.to_string()
    }

    #[test]
    fn the_language() {
        for (text, want) in [
            ("", ""),
            ("ann  report", "ann report"),
            ("From:ann Subject:\"q3 report\" -is:seen", "from:ann subject:\"q3 report\" -is:read"),
            ("a OR b c", "a OR (b c)"),
            ("(a OR b) c", "(a OR b) c"),
            ("NOT (a b) AND c", "-(a b) c"),
            ("--a", "--a"),
            ("-(-a)", "a"),
            ("before:2w after:2026-01 on:yesterday", "before:2026-11-07 after:2026-01-01 after:2026-11-20 before:2026-11-21"),
            ("date:2025", "after:2025-01-01 before:2026-01-01"),
            ("saved:2026-10 -savedbefore:2w", "savedsince:2026-10-01 savedbefore:2026-11-01 -savedbefore:2026-11-07"),
            ("older:1m newer:3d", "before:2026-10-21 after:2026-11-18"),
            ("larger:5M smaller:1.5kb", "larger:5000000 smaller:1500"),
            ("in:\"Sent Mail\" account:work tag:$Later has:file", "in:\"Sent Mail\" account:work tag:$Later has:attachment"),
            ("https://x.example/a", "https://x.example/a"),
            // Half-typed.
            ("from:", ""),
            ("a OR", "a"),
            ("a -", "a"),
            ("(a OR (b", "a OR b"),
            ("subject:\"q3 re", "subject:\"q3 re\""),
            ("is: )) a", "a"),
        ] {
            assert_eq!(back(text), want, "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for (text, want) in [
            ("is:odd a", "a"),
            ("before:soon a", "a"),
            ("larger:big", ""),
            ("foo:bar", "foo:bar"),
            ("before:2026-02-30", ""),
            ("before:999999y", ""),
        ] {
            let parsed = read(text);
            assert!(parsed.complaint.is_some(), "{text}");
            assert_eq!(parsed.query.to_string(), want);
        }
    }

    #[test]
    fn depth_is_bounded() {
        let deep = format!("{}a", "(".repeat(100_000));
        assert!(read(&deep).complaint.is_some());
        assert!(read(&"-(".repeat(100_000)).complaint.is_some());
    }

    proptest! {
        #[test]
        fn every_text_reads_and_comes_back(text in "(from:|is:|in:|-|\\(|\\)|OR|NOT|before:2w|is:unread|larger:5k|\"| |a|ö|b:c|-x|tag:w|:|\\PC){0,14}") {
            let first = read(&text).query;
            let shown = first.to_string();
            prop_assert_eq!(read(&shown).query, first, "{:?} as {:?}", text, shown);
        }
    }
}
