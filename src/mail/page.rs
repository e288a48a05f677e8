//! page — the lines of a message as they can be scrolled: the chosen form, with long quotes folded away.
//! Owns: `Page`, `Row`, `Form`, `Sheet`. May import: base.
//! Start reading at: `Sheet::page`. A heavy text takes a while (the worst HTML most of a second): who draws lays light ones out by
//! itself and hands heavy ones to another thread.

use super::body::{Flaw, Kind, Message};
use super::layout::{self, Block, Line, Role, Span};
use super::links::Link;
use super::structure::{Plan, Prefer};
use super::{render, render_raw};
use crate::base::crash;
use crate::base::safetext::SafeText;
use crate::base::spawn::contained;
use jiff::tz::TimeZone;
use std::ops::Range;
use std::sync::Arc;

/// A run of quotes inside of quotes is folded from this many lines on.
const INNER: usize = 4;
/// What is quoted at the end of a message is folded from this many lines on.
const TRAILING: usize = 5;

/// How a message is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Form {
    /// Which of its texts.
    pub prefer: Prefer,
    /// With all header fields before it.
    pub headers: bool,
    /// As it came.
    pub source: bool,
    /// With all quotes.
    pub unfolded: bool,
}

/// Up to so many octets of text are light: laid out within a frame.
const LIGHT_TEXT: usize = 48 * 1024;
/// Up to so many octets, whatever they are, the message is light: files are only counted.
const LIGHT_FILES: usize = 4 * 1024 * 1024;

/// A message to be laid out, and how.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// Which.
    pub message: Arc<Message>,
    /// The width of its lines.
    pub cells: usize,
    /// How it is looked at.
    pub form: Form,
    /// In which an invitation's times are said.
    pub zone: TimeZone,
}

impl PartialEq for Sheet {
    fn eq(&self, other: &Self) -> bool {
        // The same parsed message, not one that reads the same: comparing must be cheap.
        Arc::ptr_eq(&self.message, &other.message)
            && (self.cells, self.form) == (other.cells, other.form)
            && self.zone == other.zone
    }
}

impl Eq for Sheet {}

impl Sheet {
    /// Whether laying it out may take longer than a frame.
    #[must_use]
    pub fn is_heavy(&self) -> bool {
        let message = &self.message;
        let text = |kind| matches!(kind, Kind::Plain | Kind::Html | Kind::Text);
        let texts: usize = message.parts.iter().filter(|p| text(p.kind)).map(|p| p.body.len()).sum();
        texts > LIGHT_TEXT || message.raw.len() > if self.form.source { LIGHT_TEXT } else { LIGHT_FILES }
    }

    /// Lays it out. One on which we fail is shown as it came, and one on which we failed often enough is not tried (security F-10).
    #[must_use]
    pub fn page(&self) -> Page {
        if self.message.flaws.contains(&Flaw::LeftOut) {
            return Page::as_it_came(&self.message, self.cells);
        }
        let laid = contained(|| {
            crash::poison("page", &self.message.raw);
            Page::of(&self.message, self.cells, self.form, &self.zone)
        });
        laid.unwrap_or_else(|_| Page { failed: true, ..Page::as_it_came(&self.message, self.cells) })
    }
}

/// One row that can be scrolled to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Row {
    /// A line, by its number.
    Line(usize),
    /// In place of so many lines from that number on.
    Fold(usize, usize),
}

/// A message at one width.
#[derive(Clone, Debug, Default)]
pub struct Page {
    lines: Vec<Line>,
    rows: Vec<Row>,
    folds: Vec<Range<usize>>,
    /// The links in it.
    pub links: Vec<Link>,
    /// What is read and what is attached.
    pub plan: Plan,
    /// Stretches of text that the sender hid.
    pub hidden: usize,
    /// It could not be laid out: a mistake of ours.
    pub failed: bool,
}

impl Page {
    /// Of a message, `cells` wide.
    #[must_use]
    pub fn of(message: &Message, cells: usize, form: Form, zone: &TimeZone) -> Self {
        let rendered = render::render_in(message, cells, form.prefer, zone);
        let mut page = Self { links: rendered.links, plan: rendered.plan, hidden: rendered.hidden, ..Self::default() };
        if form.source {
            let (lines, all) = render_raw::source(message, cells);
            page.lines = lines;
            if !all {
                page.lines.push(own("[The rest is too long to be shown.]", Role::Notice));
            }
        } else {
            let mut first = 0;
            if form.headers {
                page.lines = render_raw::headers(message, cells);
                page.lines.push(own(&"─".repeat(cells), Role::Rule));
                first = page.lines.len();
            }
            page.lines.extend(rendered.lines);
            page.folds = folds(page.lines.get(first..).unwrap_or_default());
            for fold in &mut page.folds {
                *fold = fold.start + first..fold.end + first;
            }
        }
        page.fold(form.unfolded);
        page
    }

    /// Of a message that we cannot lay out.
    fn as_it_came(message: &Message, cells: usize) -> Self {
        const WHY: &str = "[This message cannot be displayed, by a mistake of ours. It can be saved as it came; here it is.]";
        let (mut lines, _) = layout::lines(&[Block::of(WHY, Role::Notice), Block::default()], cells);
        lines.extend(render_raw::source(message, cells).0);
        let mut page = Self { lines, ..Self::default() };
        page.fold(true);
        page
    }

    /// Folds the quotes, or shows all of them.
    pub fn fold(&mut self, unfolded: bool) {
        self.rows.clear();
        let mut at = 0;
        for fold in self.folds.iter().filter(|_| !unfolded) {
            self.rows.extend((at..fold.start).map(Row::Line));
            self.rows.push(Row::Fold(fold.start, fold.len()));
            at = fold.end;
        }
        self.rows.extend((at..self.lines.len()).map(Row::Line));
    }

    /// Whether there is anything to fold.
    #[must_use]
    pub fn folds(&self) -> bool {
        !self.folds.is_empty()
    }

    /// All rows.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// All lines, folded or not.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The line that a row shows or stands for.
    #[must_use]
    pub fn line_of(&self, row: usize) -> usize {
        match self.rows.get(row) {
            Some(Row::Line(line) | Row::Fold(line, _)) => *line,
            None => self.lines.len(),
        }
    }

    /// The row on which a line is, or the one it is folded into.
    #[must_use]
    pub fn row_of(&self, line: usize) -> usize {
        self.rows.partition_point(|row| match row {
            Row::Line(n) => *n < line,
            Row::Fold(first, count) => first + count <= line,
        })
    }
}

fn own(text: &str, role: Role) -> Line {
    Line { spans: vec![Span { role, text: SafeText::body_line(text), link: None }], ..Line::default() }
}

/// What is folded: quotes within quotes, and all that is quoted at the end below the person's own words.
fn folds(lines: &[Line]) -> Vec<Range<usize>> {
    let blank = |l: &Line| l.quote == 0 && l.text().trim().is_empty();
    let words = |l: &Line| l.quote == 0 && !l.signature && !blank(l);
    let end = lines.iter().rposition(|l| !blank(l) && (!l.signature || l.quote > 0)).map_or(0, |n| n + 1);
    // Blank lines between quoted paragraphs belong to them.
    let tail = lines.get(..end).unwrap_or_default().iter().rposition(words).map_or(0, |n| n + 1);
    let tail = (tail..end).find(|n| lines.get(*n).is_some_and(|l| l.quote > 0)).unwrap_or(end);
    let own_words = lines.get(..tail).unwrap_or_default().iter().filter(|l| words(l)).count();
    // The line before a quote says whose it is: that alone is no answer.
    let folds_tail = own_words > 1 && end - tail >= TRAILING;
    let stop = if folds_tail { tail } else { lines.len() };
    let mut out = Vec::new();
    let mut at = 0;
    while at < stop {
        let run = lines.get(at..stop).unwrap_or_default().iter().take_while(|l| l.quote > 1).count();
        if run >= INNER {
            out.push(at..at + run);
        }
        at += run.max(1);
    }
    if folds_tail {
        out.push(tail..end);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn sheet(body: &str, form: Form) -> Sheet {
        let message = parse::message(format!("Subject: x\r\nX-Other: y\r\n\r\n{body}").into_bytes());
        Sheet { message: Arc::new(message), cells: 40, form, zone: TimeZone::UTC }
    }

    fn page(body: &str, form: Form) -> Page {
        sheet(body, form).page()
    }

    #[test]
    fn long_texts_are_heavy_and_their_source_too() {
        let source = Form { source: true, ..Form::default() };
        assert!(!sheet("text", Form::default()).is_heavy());
        assert!(sheet(&"long line\r\n".repeat(6_000), Form::default()).is_heavy());
        let file = format!("--b\r\nContent-Type: a/b\r\n\r\n{}\r\n--b--\r\n", "AAAA\r\n".repeat(20_000));
        let mail = |form| {
            let head = "Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n";
            let message = Arc::new(parse::message(format!("{head}{file}").into_bytes()));
            Sheet { message, cells: 40, form, zone: TimeZone::UTC }
        };
        assert!(!mail(Form::default()).is_heavy(), "files are not laid out");
        assert!(mail(source).is_heavy());
        let one = mail(source);
        assert!(one == one.clone() && one != mail(source));
    }

    fn shown(page: &Page) -> String {
        let row = |row: &Row| match row {
            Row::Line(n) => page.lines[*n].text(),
            Row::Fold(_, count) => format!("[{count}]"),
        };
        page.rows.iter().map(|r| row(r) + "\n").collect()
    }

    #[test]
    fn what_is_quoted_below_an_answer_is_folded() {
        let quote = "> a\r\n> b\r\n>\r\n> c\r\n> d\r\n";
        let page = self::page(&format!("Yes.\r\n\r\nAnn wrote:\r\n{quote}\r\n-- \r\nBob\r\n"), Form::default());
        assert_eq!(shown(&page), "Yes.\n\nAnn wrote:\n[5]\n\n--\nBob\n");
        assert_eq!((page.row_of(4), page.line_of(3), page.row_of(8)), (3, 3, 4));
        let open = self::page(&format!("Yes.\r\n\r\nAnn wrote:\r\n{quote}"), Form { unfolded: true, ..Form::default() });
        assert!(open.folds() && !shown(&open).contains('['));
        // Nothing but a quote: it is what the mail is about.
        assert!(!self::page(&format!("Ann wrote:\r\n{quote}"), Form::default()).folds());
        assert!(!self::page("Yes.\r\n\r\nAnn wrote:\r\n> short\r\n", Form::default()).folds());
    }

    #[test]
    fn answers_between_quotes_keep_their_context() {
        let page = page("> one\r\n>> a\r\n>> b\r\n>> c\r\n>> d\r\n> two\r\nMine.\r\n> three\r\nMine too.\r\n", Form::default());
        assert_eq!(shown(&page), "> one\n[4]\n> two\nMine.\n> three\nMine too.\n");
    }

    #[test]
    fn headers_and_source() {
        let page = self::page("text", Form { headers: true, ..Form::default() });
        assert!(shown(&page).starts_with("Subject: x\nX-Other: y\n──"), "{}", shown(&page));
        let page = self::page("=41\r\n>> a\r\n>> a\r\n>> a\r\n>> a\r\n", Form { source: true, ..Form::default() });
        assert!(shown(&page).starts_with("Subject: x\nX-Other: y\n\n=41\n>> a\n"), "{}", shown(&page));
    }
}
