//! mistakes — all that is wrong with a file is told in one go, and nothing that is right.
//! Owns: `Mistakes`: reads on behind a mistake, gathers what is found, leaves out what only follows from another one.
//! May import: config.
//! Start reading at: `Mistakes::read`. TOML and serde end at the first mistake, so what is wrong is taken out and the rest is
//! read again.

use super::complain::{ConfigError, Source};
use super::reword::reword;
use super::schema::File;
use serde::Deserialize;
use std::ops::Range;
use std::slice;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};
use zeroize::Zeroizing;

/// As many mistakes are told in one go. Each one costs another reading of the file; and who makes more of them mends
/// some first.
const MAX_TOLD: usize = 20;

/// A file, and what is wrong with it.
pub(super) struct Mistakes<'a> {
    source: Source<'a>,
    /// Where they stand, and what is said of them.
    found: Vec<(usize, ConfigError)>,
    /// Where the text is no TOML.
    broken: Vec<usize>,
    /// What was taken out: where, and the keys that lead there.
    taken: Vec<(usize, Vec<String>)>,
    /// The block that is looked at has lost something that is in the file.
    lame: bool,
}

impl<'a> Mistakes<'a> {
    /// Of a file that is not read yet.
    pub fn new(source: Source<'a>) -> Self {
        Self { source, found: Vec::new(), broken: Vec::new(), taken: Vec::new(), lame: false }
    }

    /// The file and its places.
    pub fn source(&self) -> &Source<'a> {
        &self.source
    }

    /// What the file says, without what is no TOML and what may not stand there.
    pub fn read(&mut self) -> File {
        let Some(text) = self.mended() else { return File::default() };
        let Ok(tree) = DeTable::parse(&text) else { return File::default() };
        let span = tree.span();
        let mut root = DeValue::Table(tree.into_inner());
        while let DeValue::Table(table) = &root {
            let deserializer = toml::de::Deserializer::from(Spanned::new(span.clone(), table.clone()));
            let error = match File::deserialize(deserializer) {
                Ok(file) => return file,
                Err(error) => error,
            };
            if self.taken.len() >= MAX_TOLD {
                let more = self.source.whole("there are more mistakes", "Mend these first");
                self.found.push((usize::MAX, more));
                break;
            }
            let at = error.span().unwrap_or_default();
            let path = find(&root, &at);
            let keys: Vec<String> = path.iter().filter_map(Step::key).collect();
            let (what, hint) = reword(error.message(), &keys);
            // It may stand in a line that could not be read.
            if self.broken.is_empty() || !error.message().starts_with("missing field") {
                self.at(&at, &what, &hint);
            }
            if !take(&mut root, &path) {
                break;
            }
            self.taken.push((at.start, keys));
        }
        File::default()
    }

    /// The text without the lines that are no TOML, each of which is told; nothing if it cannot be told what they are.
    fn mended(&mut self) -> Option<Zeroizing<String>> {
        let mut text = Zeroizing::new(self.source.text().to_owned());
        while let Some(error) = first_error(&text) {
            let at = error.span().unwrap_or_default();
            let (what, hint) = reword(error.message(), &[]);
            self.found.push((at.start, self.source.at(&at, &what, &hint)));
            self.broken.push(at.start);
            // A bracket that is not closed shows in the line behind it. What lets the reader come furthest was it.
            let here = line(&text, at.start);
            let mut tries = vec![without(&text, slice::from_ref(&here))];
            let before = line(&text, text.get(..here.start)?.trim_end().len());
            if !text.get(before.clone())?.starts_with('[') {
                tries.extend([without(&text, slice::from_ref(&before)), without(&text, &[before, here])]);
            }
            let reach = |text: &String| first_error(text).map(|e| e.span().unwrap_or_default().start);
            let reached = tries.into_iter().map(|text| (reach(&text), text));
            let (end, best) = reached.reduce(|a, b| if far(b.0) > far(a.0) { b } else { a })?;
            if far(end) <= at.start || self.broken.len() >= MAX_TOLD {
                return None;
            }
            text = Zeroizing::new(best);
        }
        Some(text)
    }

    /// From here on it is about this account.
    pub fn account(&mut self, name: &str) {
        let of_it = |keys: &[String]| matches!(keys, [all] if all == "account") || keys.get(1).is_some_and(|k| k == name);
        self.lame = !self.broken.is_empty() || self.taken.iter().any(|(_, keys)| of_it(keys));
    }

    /// Tells of a mistake, unless something was taken out there, or the text there is no TOML: it may only follow from that.
    pub fn at(&mut self, span: &Range<usize>, what: &str, hint: &str) {
        let lost = self.taken.iter().map(|(at, _)| at).chain(&self.broken);
        if !lost.into_iter().any(|at| span.contains(at)) {
            self.found.push((span.start, self.source.at(span, what, hint)));
        }
    }

    /// Tells that something is missing, unless something was taken out of the account: it may have been just that.
    pub fn lacks(&mut self, span: &Range<usize>, what: &str, hint: &str) {
        if !self.lame {
            self.at(span, what, hint);
        }
    }

    /// All of them, in the order of the file.
    pub fn into_errors(mut self) -> Vec<ConfigError> {
        self.found.sort_by_key(|(at, _)| *at);
        let mut errors: Vec<_> = self.found.into_iter().map(|(_, error)| error).collect();
        errors.dedup();
        errors
    }
}

/// The first place where the text is no TOML: the reader does not find them in order.
fn first_error(text: &str) -> Option<toml::de::Error> {
    let (_, errors) = DeTable::parse_recoverable(text);
    errors.into_iter().min_by_key(|e| e.span().unwrap_or_default().start)
}

/// How far the reader came: to the end, if there was no mistake.
fn far(end: Option<usize>) -> usize {
    end.unwrap_or(usize::MAX)
}

/// The line around a byte. The header of a block comes with all that stands in it: else it would be another block's.
fn line(text: &str, at: usize) -> Range<usize> {
    let at = at.min(text.len());
    let start = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |n| n + 1);
    let rest = text.get(start..).unwrap_or_default();
    let end = if rest.starts_with('[') { rest.find("\n[") } else { rest.find('\n') };
    start..start + end.unwrap_or(rest.len())
}

/// The text with spaces in the place of these lines, so that all else stays where it is.
fn without(text: &str, lines: &[Range<usize>]) -> String {
    let bytes = text.bytes().enumerate().map(|(n, byte)| {
        let gone = byte != b'\n' && lines.iter().any(|line| line.contains(&n));
        if gone { b' ' } else { byte }
    });
    String::from_utf8(bytes.collect()).unwrap_or_default()
}

/// A step into the tree.
#[derive(Clone)]
enum Step {
    Key(String),
    Item(usize),
}

impl Step {
    fn key(&self) -> Option<String> {
        match self {
            Self::Key(key) => Some(key.clone()),
            Self::Item(_) => None,
        }
    }
}

/// The way to what stands at a place: the key itself, the value itself, or the least that is around it.
fn find(root: &DeValue<'_>, at: &Range<usize>) -> Vec<Step> {
    let mut best = (usize::MAX, Vec::new());
    search(root, at, &mut Vec::new(), &mut best);
    best.1
}

fn search(value: &DeValue<'_>, at: &Range<usize>, way: &mut Vec<Step>, best: &mut (usize, Vec<Step>)) {
    let mut look = |step: Step, key: Option<Range<usize>>, value: &Spanned<DeValue<'_>>| {
        let around = value.span();
        let width = match key {
            Some(key) if key == *at => 0,
            _ if around == *at => 1,
            _ if around.start <= at.start && at.end <= around.end => 2 + around.len(),
            _ => usize::MAX,
        };
        way.push(step);
        if width < best.0 {
            *best = (width, way.clone());
        }
        search(value.get_ref(), at, way, best);
        way.pop();
    };
    match value {
        DeValue::Table(table) => {
            table.iter().for_each(|(key, value)| look(Step::Key(key.get_ref().to_string()), Some(key.span()), value));
        }
        DeValue::Array(items) => items.iter().enumerate().for_each(|(n, item)| look(Step::Item(n), None, item)),
        _ => {}
    }
}

/// Takes out what stands at the end of the way; whether there was something.
fn take(value: &mut DeValue<'_>, way: &[Step]) -> bool {
    match (value, way) {
        (DeValue::Table(table), [Step::Key(last)]) => table.remove(last.as_str()).is_some(),
        (DeValue::Array(items), [Step::Item(last)]) => {
            let mut left = DeArray::new();
            let kept = items.iter().enumerate().filter(|(n, _)| n != last);
            kept.for_each(|(_, item)| left.push(item.clone()));
            *items = left;
            true
        }
        (DeValue::Table(table), [Step::Key(next), rest @ ..]) => {
            let inner = table.iter_mut().find(|(key, _)| key.get_ref() == next);
            inner.is_some_and(|(_, inner)| take(inner.get_mut(), rest))
        }
        (DeValue::Array(items), [Step::Item(next), rest @ ..]) => {
            items.get_mut(*next).is_some_and(|inner| take(inner.get_mut(), rest))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use std::path::Path;

    /// What is told, without the file's name.
    fn told(text: &str) -> Vec<String> {
        let (_, wrong) = Config::understood(text, Path::new("c"), 0o600);
        wrong.iter().map(|e| e.to_string().strip_prefix("c:").unwrap_or("?").to_owned()).collect()
    }

    #[test]
    fn all_mistakes_are_told_in_one_go_each_in_its_place() {
        let text = "thme = \"dark\"\n[sending]\nhold = \"soon\"\n[account.work]\naddress = \"ann\"\n\
            imap = { host = \"h\", port = 99999, tls = \"implict\" }\nsmtp = { host = \"h h\" }\nmetered = \"yes\"\n\
            without = [\"QRSYNC\", 7, \"MOVE\"]\n[[account.work.identity]]\nname = \"A\"\n[account.home]\n\
            [account.\"a b\"]\nmaildir = \"m\"\n";
        assert_eq!(
            told(text),
            [
                "1:1: unknown key `thme`. Did you mean `theme`?",
                "3:8: `soon` is no length of time. Write a number and ms, s, m, h, d or w, such as `10s`, or `never`",
                "5:11: `ann` is no mail address. Write it as you@example.org, without the name",
                "6:29: `port` cannot be 99999. A port is a number from 1 to 65535, without quotes",
                "6:42: unknown value `implict`. Did you mean `implicit`?",
                "7:8: the host is no name of a server. Write host = \"imap.example.org\"",
                "8:11: `metered` cannot be text in quotes. Write metered = true or metered = false, without quotes",
                "9:12: `QRSYNC` is no extension that Postrider uses. Did you mean `QRESYNC`?",
                "9:22: `without` cannot be 7. Write text in quotes: without = \"…\"",
                "10:1: `address` is missing. Add address = …",
                "12:10: the account has no server. Add imap = { host = \"…\" } or maildir = \"…\"",
                "13:10: an account's name is made of letters, digits, `-`, `_` and `.`. Choose a short name, such as [account.work]",
            ]
        );
    }

    #[test]
    fn what_only_follows_from_another_mistake_is_not_told() {
        // No server, no address, no encryption, no certificate: all of them are in the file.
        for (text, words) in [
            ("[account.a]\naddress = \"a@x.test\"\nimap = { hots = \"h\" }\n", &["unknown key `hots`"][..]),
            ("[account.a]\nadress = \"a@x.test\"\nimap = { host = \"h\" }\n", &["unknown key `adress`"]),
            (
                "[account.a]\naddress = \"a@x.test\"\nimap = { host = \"h\", tls = \"none\", allow-plaintext = 1 }\n",
                &["`allow-plaintext` cannot be 1"],
            ),
            (
                "[account.a]\naddress = \"a@x.test\"\nmaildir = \"m\"\nauth = [\"EXTERNAL\"]\nclient-cert = 5\n",
                &["`client-cert` cannot be 5"],
            ),
            ("account = 5\n", &["Write a block: [account.NAME]"]),
            ("[account]\na = 5\n", &["Write a block: [account.a]"]),
        ] {
            let told = told(text);
            assert_eq!(told.len(), words.len(), "{told:?}");
            for (told, words) in told.iter().zip(words) {
                assert!(told.contains(words), "{told}");
            }
        }
    }

    #[test]
    fn a_broken_line_hides_no_other_mistake_and_makes_none() {
        let places = |text: &str| -> Vec<String> {
            told(text).iter().map(|t| t.split(':').next().unwrap_or_default().to_owned()).collect()
        };
        let text = "theme = \n[sending]\nhodl = \"5s\"\n[account.work\nadress = \"a@x.test\"\n[account.home]\n\
            maildir = \"m\nimap = 5\n[reading]\nprefer = \"htlm\"\nthreads = yes\n";
        assert_eq!(places(text), ["1", "3", "4", "7", "8", "10", "11"], "{:#?}", told(text));
        // A bracket that is not closed makes all that follows look wrong.
        let text = "[account.a]\naddress = \"a@x.test\"\nimap = { host = \"h\", port = 99\nmaildir = \"m\"\n\
            [reading]\nprefer = \"html\"\n[sending]\nhold = 5\n";
        assert_eq!(places(text), ["4", "8"], "{:#?}", told(text));
        let text = "[account.a]\nmaildir = \"m\"\n[account.a]\nmaildir = \"n\"\nadress = 5\n[sending]\nhold = 5\n";
        assert_eq!(places(text), ["3", "7"], "{:#?}", told(text));
        let text = "[account.a]\naddress = \"a@x.test\nimap = { host = \"h\", port = 99\nx y = 3\nmaildir = \"a\" \"b\"\n\
            metered = 1\n[reading]\nthreads = yes\n";
        assert_eq!(places(text), ["2", "4", "5", "6", "8"], "{:#?}", told(text));
        assert_eq!(places("theme = \"\"\"\n[reading]\nprefer = 5\n").len(), 1);
    }

    #[test]
    fn ports_and_counts_say_their_bounds_and_no_secret_is_repeated() {
        let imap = |rest: &str| told(&format!("[account.a]\naddress = \"a@x.test\"\nimap = {{ host = \"h\", {rest} }}\n"));
        for port in ["0", "-1", "65536", "99999999999999999999", "\"993\"", "1.5", "[]", "true"] {
            let told = imap(&format!("port = {port}"));
            assert!(told.len() == 1 && told[0].starts_with("3:29: `port` cannot be "), "{port} {told:?}");
            assert!(told[0].ends_with("A port is a number from 1 to 65535, without quotes"), "{port} {told:?}");
        }
        assert!(imap(&format!("port = {}", "9".repeat(50)))[0].contains(":29: `port` cannot be a number that large."));
        assert!(imap("connections = 0")[0].ends_with("`connections` cannot be 0. It is a number from 1 to 255, without quotes"));
        for secret in [
            "{ ask = \"S3CR3T\" }",
            "{ command = 837465 }",
            "[\"S3CR3T\"]",
            "{ env = [837465] }",
            "837465.5",
            "{ plain = \"S3CR3T\" }",
        ] {
            let told = told(&format!("[account.a]\nmaildir = \"m\"\npassword = {secret}\n"));
            assert!(told.len() == 1 && !told[0].contains("S3CR3T") && !told[0].contains("837465"), "{told:?}");
        }
    }

    #[test]
    fn there_is_an_end_to_it() {
        let text: String = (0..500).map(|n| format!("odd{n} = 1\n")).collect();
        let told = told(&text);
        assert_eq!(
            (told.len(), told.last().map(String::as_str)),
            (super::MAX_TOLD + 1, Some(" there are more mistakes. Mend these first"))
        );
    }
}
