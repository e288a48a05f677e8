//! render — a message as lines for a screen.
//! Owns: `render`, `Rendered`, `preview`, `words`, `plain`.
//! May import: base.
//! Start reading at: `render`. It never fails and never draws nothing; it fetches nothing.

use super::body::{Flaw, Kind, Message, PartIndex};
use super::header;
use super::layout::{self, Block, Line, Role, Wrap};
use super::links::{Link, Links};
use super::structure::{self, Plan, Prefer, Section};
use super::{parse, render_html, render_invite, render_report, render_text};
use crate::base::safetext::SafeText;
use jiff::tz::TimeZone;
use std::collections::HashMap;

/// The longest text of a section that is rendered, in bytes.
pub const MAX_TEXT: usize = 8 * 1024 * 1024;
static UTC: TimeZone = TimeZone::UTC;
/// The longest preview, in characters.
pub const MAX_PREVIEW: usize = 200;

/// A message made readable.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Rendered {
    /// The lines, each at most as wide as was asked for.
    pub lines: Vec<Line>,
    /// The links in them, by number from 1.
    pub links: Vec<Link>,
    /// How many stretches of text the sender hid in the HTML; they are not in the lines.
    pub hidden: usize,
    /// What is read and what is attached.
    pub plan: Plan,
}

/// Renders a message for a screen of `cells` columns (at least 20 are used); an invitation's times are said in UTC.
#[must_use]
pub fn render(message: &Message, cells: usize, prefer: Prefer) -> Rendered {
    render_in(message, cells, prefer, &TimeZone::UTC)
}

/// As [`render`], with an invitation's times in the reader's zone.
#[must_use]
pub fn render_in(message: &Message, cells: usize, prefer: Prefer, zone: &TimeZone) -> Rendered {
    let plan = structure::plan(message, prefer);
    let mut work = Work::new(message, zone);
    work.flaws();
    for section in &plan.sections {
        work.section(*section);
    }
    if plan.encrypted && plan.sections.is_empty() {
        work.notice("This message is encrypted.");
    }
    if work.blocks.iter().all(|b| b.is_empty() || b.is_notice()) && !plan.encrypted {
        work.notice(if plan.attachments.is_empty() { "This message is empty." } else { "This message has no text." });
    }
    let (mut lines, cut) = layout::lines(&work.blocks, cells);
    if cut {
        let (mut more, _) = layout::lines(&[Block::of("[The rest is too long to be shown.]", Role::Notice)], cells);
        lines.append(&mut more);
    }
    Rendered { lines, links: work.links.into_vec(), hidden: work.hidden, plan }
}

/// The first words of the message itself: no quotes, no signature, no hidden text, on one line.
#[must_use]
pub fn preview(message: &Message) -> String {
    let mut work = Work::new(message, &UTC);
    let plan = structure::plan(message, Prefer::Plain);
    if let Some(section) = plan.sections.iter().find(|s| matches!(s, Section::Text(_) | Section::Html(_))) {
        work.section(*section);
    }
    let own = |b: &&Block| b.quote == 0 && !b.signature && b.wrap != Wrap::Fill && !b.is_notice() && !b.is_empty();
    let mut out = join(work.blocks.iter().filter(own), MAX_PREVIEW);
    if out.is_empty() {
        out = join(work.blocks.iter().filter(|b| !b.is_notice()), MAX_PREVIEW);
    }
    // Bytes that are no text say nothing.
    if is_rubbish(&out) { String::new() } else { out }
}

/// Whether a tenth and more of a text are pictures of controls or stand for bytes of no charset.
fn is_rubbish(text: &str) -> bool {
    let odd = text.chars().filter(|c| matches!(c, '\u{2400}'..='\u{2426}' | '\u{fffd}')).count();
    odd > 0 && odd * 10 >= text.chars().count()
}

/// All words of the message's text, for an index: at most `max` characters.
#[must_use]
pub fn words(message: &Message, max: usize) -> String {
    let mut work = Work::new(message, &UTC);
    for section in structure::plan(message, Prefer::Plain).sections {
        work.section(section);
    }
    join(work.blocks.iter().filter(|b| !b.is_notice()), max)
}

/// The message's text to write on with: paragraphs unbroken, quotes marked with `> `, lines divided by `\n`.
#[must_use]
pub fn plain(message: &Message) -> String {
    let mut work = Work::new(message, &UTC);
    for section in structure::plan(message, Prefer::Plain).sections {
        work.section(section);
    }
    let mut out = String::new();
    for block in work.blocks.iter().filter(|b| !b.is_notice()) {
        if block.quote > 0 {
            out.push_str(&">".repeat(block.quote.into()));
            out.push(' ');
        }
        if !block.is_empty() || !block.bullet.is_empty() {
            out.push_str(&" ".repeat(block.indent));
            out.push_str(&block.bullet);
        }
        match block.wrap {
            Wrap::Fill => out.push_str("--------"),
            Wrap::Words | Wrap::Cells => out.push_str(block.text()),
        }
        out.truncate(out.trim_end_matches(' ').len());
        // A signature is known by the space behind its dashes (RFC 3676, 4.3).
        out.push_str(if block.text() == "-- " || block.text() == "--" { " \n" } else { "\n" });
    }
    out
}

fn join<'a>(blocks: impl Iterator<Item = &'a Block>, max: usize) -> String {
    let mut out = String::new();
    let mut count = 0;
    for word in blocks.flat_map(|b| b.text().split_whitespace()) {
        let len = word.chars().count();
        if count + len + 1 > max {
            if out.is_empty() {
                out.extend(word.chars().take(max));
            }
            break;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
        count += len + 1;
    }
    out
}

struct Work<'a> {
    message: &'a Message,
    zone: &'a TimeZone,
    links: Links,
    hidden: usize,
    blocks: Vec<Block>,
    after_card: bool,
}

impl<'a> Work<'a> {
    fn new(message: &'a Message, zone: &'a TimeZone) -> Self {
        Self { message, zone, links: Links::default(), hidden: 0, blocks: Vec::new(), after_card: false }
    }

    fn notice(&mut self, text: &'static str) {
        self.blocks.push(Block::of(&format!("[{text}]"), Role::Notice));
    }

    fn flaws(&mut self) {
        for flaw in &self.message.flaws {
            let text = match flaw {
                Flaw::NotMail => "This does not look like a mail; here is all of it as text.",
                Flaw::Unparsable => "This message cannot be taken apart; here is all of it as text.",
                Flaw::LeftOut => "This message cannot be displayed, by a mistake of ours. It can be saved as it came.",
                Flaw::Untrue => "The server told of another sender, subject, size or file than there is.",
                Flaw::PartsCut => "This message has more parts than are shown.",
                Flaw::NoSeparator | Flaw::HeadersCut => continue,
            };
            self.blocks.push(Block::of(&format!("[{text}]"), Role::Notice));
            self.blocks.push(Block::default());
        }
    }

    fn section(&mut self, section: Section) {
        if std::mem::take(&mut self.after_card) {
            self.blocks.push(Block { wrap: Wrap::Fill, ..Block::of("─", Role::Rule) });
        }
        // A message inside begins with a rule of its own.
        let apart = self.blocks.last().is_some_and(|b| !b.is_empty());
        if apart && !matches!(section, Section::Head(_)) {
            self.blocks.push(Block::default());
        }
        match section {
            Section::Head(index) => self.head(index),
            Section::Text(index) | Section::Html(index) => self.text(index),
            Section::Invite(index) | Section::Report(index) => self.card(section, index),
        }
    }

    fn card(&mut self, section: Section, index: PartIndex) {
        let Some(part) = self.message.parts.get(index) else { return };
        let report = matches!(section, Section::Report(_));
        let card = if report {
            render_report::blocks(&parse::bytes(self.message, part), &mut self.links)
        } else {
            render_invite::blocks(&parse::text(self.message, part), self.zone, &mut self.links)
        };
        self.after_card = card.is_some();
        match card {
            Some(card) => self.blocks.extend(card),
            // What cannot be taken apart is shown as it is; a calendar is attached anyway.
            None if report => self.text(index),
            None => {}
        }
    }

    fn text(&mut self, index: PartIndex) {
        let Some(part) = self.message.parts.get(index) else { return };
        let text = parse::text(self.message, part);
        let mut cut = text.len().min(MAX_TEXT);
        while !text.is_char_boundary(cut) {
            cut -= 1;
        }
        let shown = text.get(..cut).unwrap_or_default();
        let mut short = cut < text.len();
        if part.kind == Kind::Html {
            let named = self.images();
            let html = render_html::blocks(shown, &mut self.links, &named);
            short |= html.cut;
            self.hidden += html.hidden;
            self.blocks.extend(html.blocks);
        } else {
            self.blocks.extend(render_text::blocks(shown, render_text::Format::of(part), &mut self.links));
        }
        if short {
            self.notice("The rest is too long to be shown.");
        }
    }

    /// What the parts that the HTML may name by Content-ID are called.
    fn images(&self) -> HashMap<String, String> {
        let named = self.message.parts.iter().filter_map(|p| Some((p.content_id.clone()?, p.name.clone()?)));
        named.collect()
    }

    /// Who wrote a message inside, to whom, when and about what.
    fn head(&mut self, index: PartIndex) {
        if !self.blocks.is_empty() {
            self.blocks.push(Block::default());
        }
        self.blocks.push(Block { wrap: Wrap::Fill, ..Block::of("─", Role::Rule) });
        let inside = self.message.parts.get(index).and_then(|p| p.children.first()).and_then(|c| self.message.parts.get(*c));
        let raw = inside.and_then(|p| self.message.raw.get(p.header.clone())).unwrap_or_default();
        let fields = header::scan(raw).fields;
        for name in ["From", "To", "Cc", "Date", "Subject"] {
            if let Some(field) = header::named(&fields, name).next() {
                let mut block = Block::of(&format!("{name}: "), Role::FieldName);
                block.push(SafeText::line(&field.value).as_str(), Role::FieldValue, None);
                self.blocks.push(block);
            }
        }
        self.blocks.push(Block::default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(raw: &str) -> String {
        let m = parse::message(raw.as_bytes());
        render(&m, 80, Prefer::Plain).lines.iter().map(|l| l.text() + "\n").collect()
    }

    #[test]
    fn a_text_to_answer_keeps_its_paragraphs_and_quotes() {
        let raw = "From: a@x.example\nContent-Type: text/plain; format=flowed\n\nOne line \nthat goes on.\n\n> quoted\n>> twice\n\n-- \nAnn\n";
        assert_eq!(plain(&parse::message(raw.as_bytes().to_vec())), "One line that goes on.\n\n> quoted\n>> twice\n\n-- \nAnn\n");
        let raw = "From: a@x.example\nContent-Type: text/html\n\n<p>Hi <b>you</b></p><ul><li>one<li>two</ul><hr>end";
        let text = plain(&parse::message(raw.as_bytes().to_vec()));
        assert!(text.contains("Hi you\n") && text.contains("• one\n") && text.contains("\n--------\n"), "{text}");
    }

    #[test]
    fn never_blank() {
        assert_eq!(shown("Subject: x\n\n"), "[This message is empty.]\n");
        assert!(shown("no mail at all").contains("no mail at all"));
        assert!(shown("").contains("not look like a mail"));
    }

    #[test]
    fn cards_stand_before_the_text_and_nothing_is_lost() {
        let report = |status: &str| {
            format!(
                "Subject: x\nContent-Type: multipart/report; boundary=b\n\n--b\n\nSorry.\n--b\nContent-Type: message/delivery-status\n\n{status}\n--b--\n"
            )
        };
        let text = shown(&report("Final-Recipient: rfc822; a@b.example\nAction: failed\n"));
        assert_eq!(text, format!("Not delivered: a@b.example\n{}\n\nSorry.\n", "─".repeat(80)));
        assert_eq!(shown(&report("nothing like a report")), "nothing like a report\n\nSorry.\n");
        assert_eq!(preview(&parse::message(report("Final-Recipient: rfc822; a@b.example").into_bytes())), "Sorry.");
    }

    #[test]
    fn a_message_inside_has_its_header() {
        let text = shown("Subject: x\nContent-Type: message/rfc822\n\nFrom: Ann <a@b>\nSubject: =?utf-8?q?=C3=A4?=\n\ninner\n");
        assert!(text.contains("From: Ann <a@b>\nSubject: ä\n\ninner\n"), "{text}");
    }

    #[test]
    fn previews_are_the_authors_own_words() {
        let m = parse::message(&b"Subject: x\n\n> quoted\n\nMy  answer\nhere.\n-- \nAnn"[..]);
        assert_eq!(preview(&m), "My answer here.");
        assert_eq!(words(&m, 1_000), "quoted My answer here. -- Ann");
        let m = parse::message(&b"Subject: x\n\n> only quoted"[..]);
        assert_eq!(preview(&m), "only quoted");
        assert!(is_rubbish("0€␆ *†H†÷") && !is_rubbish("") && !is_rubbish("Der Rest ist gut zu lesen, nur ␆ nicht"));
    }
}
