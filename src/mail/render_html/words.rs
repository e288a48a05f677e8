//! words — the text between the tags: white space, breaks, pictures, links.
//! Owns: the second half of `Flow`: what puts text into blocks. May import: base.
//! Start reading at: `Flow::text`.

use super::flow::{Anchor, Flow, Look};
use super::style::Inline;
use crate::mail::layout::{Block, MAX_LINES, Role, Wrap};
use crate::mail::links::{LinkKind, MAX_LINKS};
use html5ever::tokenizer::Tag;

/// The most text kept to compare with a link's address, in bytes.
const MAX_ANCHOR: usize = 2_000;

impl Flow {
    /// Text between tags.
    pub(super) fn text(&mut self, text: &str) {
        if let Some(css) = &mut self.css {
            css.push_str(text);
            return;
        }
        let look = self.look();
        if look.dropped || self.full {
            return;
        }
        if look.hidden || look.tiny {
            // Fillers of preview texts are made of nothing; only what could be read counts.
            if text.contains(char::is_alphanumeric) && !self.in_hidden {
                self.hidden += 1;
                self.in_hidden = true;
            }
            return;
        }
        self.in_hidden = false;
        if look.pre {
            let mut lines = text.split('\n');
            if let Some(first) = lines.next() {
                self.words(first, look);
            }
            for line in lines {
                self.line_break();
                self.words(line, look);
            }
        } else {
            self.words(text, look);
        }
    }

    fn words(&mut self, text: &str, look: Look) {
        let role = if self.anchor.is_some() { Role::Link } else { look.role };
        if look.pre {
            self.put(&text.replace('\t', "        "), role);
            return;
        }
        let mut word = String::new();
        for c in text.chars() {
            if c.is_ascii_whitespace() || c == '\u{a0}' {
                self.put_word(&mut word, role);
                self.space = true;
            } else if !filler(c) {
                word.push(c);
            }
        }
        self.put_word(&mut word, role);
    }

    fn put_word(&mut self, word: &mut String, role: Role) {
        if word.is_empty() {
            return;
        }
        if self.space && !self.current.is_empty() {
            // The space before a link is not part of it.
            if self.anchor.and_then(|a| self.anchors.get(a)).is_some_and(|a| a.text.is_empty()) {
                self.current.push(" ", Role::Text, None);
            } else {
                word.insert(0, ' ');
            }
        }
        self.put(word, role);
        word.clear();
    }

    fn put(&mut self, text: &str, role: Role) {
        self.space = false;
        if let Some(anchor) = self.anchor.and_then(|a| self.anchors.get_mut(a))
            && anchor.text.len() + text.len() < MAX_ANCHOR
        {
            anchor.text.push_str(text);
        }
        self.begin();
        self.current.push(text, role, self.anchor.map(|a| a as u32));
    }

    /// Sets up the block that is about to get its first text.
    fn begin(&mut self) {
        if !self.current.is_empty() {
            return;
        }
        let look = self.look();
        if self.gap && !self.out.is_empty() {
            let quote = look.quote.min(self.out.last().map_or(0, |b| b.quote));
            self.out.push(Block { quote, ..Block::default() });
        }
        self.gap = false;
        self.current.quote = look.quote;
        self.current.signature = look.signature;
        match self.bullet.take() {
            Some((indent, bullet)) => (self.current.indent, self.current.bullet) = (indent, bullet),
            None => self.current.indent = look.indent,
        }
    }

    /// Ends the current block, if there is something in it.
    pub(super) fn flush(&mut self) {
        self.space = false;
        if self.current.is_empty() {
            return;
        }
        self.out.push(std::mem::take(&mut self.current));
        self.full |= self.out.len() >= MAX_LINES;
    }

    pub(super) fn line_break(&mut self) {
        let look = self.look();
        if look.dropped || look.hidden {
            return;
        }
        if !self.current.is_empty() {
            return self.flush();
        }
        // Breaks in a row are blank lines; more than one is layout.
        if self.out.last().is_some_and(|b| !b.is_empty()) {
            self.gap = true;
        }
    }

    pub(super) fn rule(&mut self) {
        self.flush();
        if self.look().hidden || self.look().dropped || self.full {
            return;
        }
        let quote = self.look().quote;
        self.out.push(Block { wrap: Wrap::Fill, quote, ..Block::of("─", Role::Rule) });
    }

    pub(super) fn image(&mut self, tag: &Tag) {
        let look = self.look();
        let attr = |name: &str| tag.attrs.iter().find(|a| &*a.name.local == name).map(|a| a.value.trim()).unwrap_or_default();
        let mut alt: String = attr("alt").split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some(id) = attr("src").get(..4).filter(|s| s.eq_ignore_ascii_case("cid:")).and_then(|_| attr("src").get(4..))
            && alt.is_empty()
        {
            let id = crate::mail::mailto::decode(id);
            alt = self.named.get(&id).map_or("image", |n| n.as_str()).to_owned();
        }
        let pixel = |side: &str| matches!(attr(side), "0" | "1" | "0px" | "1px");
        let hidden = look.hidden || look.dropped || Inline::of(attr("style")).hidden;
        if alt.is_empty() || hidden || pixel("width") || pixel("height") || self.full {
            return;
        }
        let mut cut = alt.len().min(MAX_ANCHOR);
        while !alt.is_char_boundary(cut) {
            cut -= 1;
        }
        let joined = self.space || self.current.text().ends_with(']');
        let lead = if joined && !self.current.is_empty() { " " } else { "" };
        self.put(&format!("{lead}[{}]", alt.get(..cut).unwrap_or_default()), Role::Image);
    }

    pub(super) fn open_anchor(&mut self, tag: &Tag) {
        let href = tag.attrs.iter().find(|a| &*a.name.local == "href").map(|a| a.value.trim()).unwrap_or_default();
        if !href.is_empty() && !href.starts_with('#') && self.anchors.len() < MAX_LINKS {
            self.anchors.push(Anchor { href: href.to_owned(), text: String::new(), number: None });
            self.anchor = Some(self.anchors.len() - 1);
        }
    }

    /// Ends a link: its number, and its real host if the text named another one.
    pub(super) fn close_anchor(&mut self) {
        let Some(index) = self.anchor.take() else { return };
        let Some(anchor) = self.anchors.get_mut(index) else { return };
        // A link around a picture that says nothing shows nothing that could be followed by mistake; only its address would be left.
        if anchor.text.trim().is_empty() {
            return;
        }
        anchor.number = self.links.add(&anchor.href, &anchor.text);
        let Some(link) = anchor.number.and_then(|n| self.links.get(n)) else { return };
        let (number, host, lies) = (link.number, link.host.clone(), link.lies);
        let itself = link.kind == LinkKind::Mail && link.url.get(7..) == Some(anchor.text.trim());
        if lies {
            self.current.push(&format!(" (→ {host})"), Role::LinkHost, Some(index as u32));
        }
        if !itself {
            self.current.push(&format!("[{number}]"), Role::LinkNumber, Some(index as u32));
        }
    }
}

/// Characters without width that fill preview texts.
fn filler(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{200b}' | '\u{feff}' | '\u{2060}')
}
