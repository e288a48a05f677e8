//! flow — the state machine between the tokens of an HTML text and paragraphs.
//! Owns: `Flow`. May import: base.
//! Start reading at: `Flow::start`. The style in force is kept with each open element, so that nothing is ever computed
//! again from the bottom; at most [`MAX_OPEN`] elements are open, deeper ones only break lines.

use super::element::{self, Element};
use super::style::{self, Colour, Inline};
use super::table::Tables;
use crate::mail::layout::{Block, Role};
use crate::mail::links::Links;
use html5ever::tokenizer::Tag;
use std::collections::{HashMap, HashSet};

/// The most open elements (security M-44).
pub(super) const MAX_OPEN: usize = 256;
/// The deepest quote and the deepest indent.
const MAX_QUOTE: u8 = 100;
const MAX_INDENT: usize = 40;

/// How the text at some place is shown.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Look {
    pub(super) role: Role,
    pub(super) quote: u8,
    pub(super) indent: usize,
    pub(super) hidden: bool,
    pub(super) tiny: bool,
    pub(super) dropped: bool,
    pub(super) pre: bool,
    pub(super) signature: bool,
    /// Nothing for what cannot be known.
    pub(super) background: Option<Colour>,
    pub(super) colour: Option<Colour>,
    /// The list that we are in.
    pub(super) list: Option<usize>,
}

pub(super) struct Open {
    element: Element,
    name: String,
    look: Look,
}

pub(super) struct List {
    depth: usize,
    next: Option<i64>,
}

pub(super) struct Anchor {
    pub(super) href: String,
    pub(super) text: String,
    pub(super) number: Option<u32>,
}

/// The machine.
pub(super) struct Flow {
    /// What the parts with a Content-ID are called.
    pub(super) named: HashMap<String, String>,
    pub(super) out: Vec<Block>,
    pub(super) current: Block,
    pub(super) open: Vec<Open>,
    pub(super) lists: Vec<List>,
    pub(super) links: Links,
    pub(super) anchors: Vec<Anchor>,
    pub(super) anchor: Option<usize>,
    pub(super) tables: Tables,
    pub(super) bullet: Option<(usize, String)>,
    pub(super) hidden_classes: HashSet<String>,
    pub(super) css: Option<String>,
    /// White space was seen that may become one space.
    pub(super) space: bool,
    /// A blank line is due before the next text.
    pub(super) gap: bool,
    pub(super) hidden: usize,
    pub(super) in_hidden: bool,
    pub(super) full: bool,
}

impl Flow {
    pub(super) fn new(links: Links, named: HashMap<String, String>) -> Self {
        Self {
            named,
            out: Vec::new(),
            current: Block::default(),
            open: Vec::new(),
            lists: Vec::new(),
            links,
            anchors: Vec::new(),
            anchor: None,
            tables: Tables::default(),
            bullet: None,
            hidden_classes: HashSet::new(),
            css: None,
            space: false,
            gap: false,
            hidden: 0,
            in_hidden: false,
            full: false,
        }
    }

    /// The blocks, the stretches of hidden text, the links, and whether something was left out.
    pub(super) fn finish(mut self) -> (Vec<Block>, usize, Links, bool) {
        self.close_to(0);
        self.close_anchor();
        self.flush();
        while self.out.last().is_some_and(Block::is_empty) {
            self.out.pop();
        }
        // Until now a link's marks named its anchor.
        let anchors = &self.anchors;
        for block in &mut self.out {
            for mark in &mut block.marks {
                if let Some(anchor) = mark.link {
                    mark.link = anchors.get(anchor as usize).and_then(|a| a.number);
                    if mark.link.is_none() && mark.role == Role::Link {
                        mark.role = Role::Text;
                    }
                }
            }
        }
        (self.out, self.hidden, self.links, self.full)
    }

    pub(super) fn look(&self) -> Look {
        self.open.last().map_or(Look { background: Some((255, 255, 255)), ..Look::default() }, |o| o.look)
    }

    /// A start tag.
    pub(super) fn start(&mut self, tag: &Tag) {
        let element = element::of(&tag.name);
        if self.look().dropped && !element.is_block() {
            if !element.is_void() && element == Element::Dropped {
                self.push(element, tag, self.look());
            }
            return;
        }
        self.close_implied(element);
        match element {
            Element::Break => return self.line_break(),
            Element::Rule => return self.rule(),
            Element::Image => return self.image(tag),
            Element::Void => return,
            _ => {}
        }
        if element.is_block() {
            self.flush();
            self.gap |= element.has_margin();
        }
        let mut look = self.look();
        self.style(element, tag, &mut look);
        match element {
            Element::Heading => look.role = Role::Heading,
            Element::Quote => look.quote = (look.quote + 1).min(MAX_QUOTE),
            Element::Pre => look.pre = true,
            Element::BulletList | Element::NumberList => self.list(element, tag, &mut look),
            Element::Item => self.item(tag, &mut look),
            Element::Definition => look.indent = (look.indent + 4).min(MAX_INDENT),
            Element::Term | Element::Strong if look.role == Role::Text => look.role = Role::Strong,
            Element::Emphasis if look.role == Role::Text => look.role = Role::Emphasis,
            Element::Struck => look.role = Role::Struck,
            Element::Code => look.role = Role::Code,
            Element::Dropped | Element::Style => look.dropped = true,
            Element::Anchor => self.open_anchor(tag),
            Element::Table => self.tables.open(self.out.len(), tag),
            Element::Row => self.tables.row(self.out.len()),
            Element::Cell(head) => {
                self.tables.cell(self.out.len(), head);
                if head && look.role == Role::Text {
                    look.role = Role::Strong;
                }
            }
            _ => {}
        }
        if element == Element::Style {
            self.css = Some(String::new());
        }
        if !tag.self_closing || element != Element::Dropped {
            self.push(element, tag, look);
        }
    }

    fn push(&mut self, element: Element, tag: &Tag, look: Look) {
        if self.open.len() < MAX_OPEN {
            self.open.push(Open { element, name: tag.name.to_string(), look });
        }
    }

    /// An end tag.
    pub(super) fn end(&mut self, name: &str) {
        let element = element::of(name);
        match element {
            // `</p>` and `</br>` without a start are line breaks in all browsers.
            Element::Break => return self.line_break(),
            Element::Anchor => self.close_anchor(),
            _ => {}
        }
        let wall = |o: &Open| {
            o.element.is_wall() && !matches!(element, Element::Table | Element::Row | Element::RowGroup | Element::Cell(_))
        };
        let mut found = None;
        for (i, open) in self.open.iter().enumerate().rev() {
            if open.name == name {
                found = Some(i);
                break;
            }
            // Inside of a table only the table's own tags reach out; and those not beyond their table.
            if wall(open) || (open.element == Element::Table && element != Element::Table) {
                break;
            }
        }
        let Some(index) = found else {
            if element.is_block() {
                self.flush();
                self.gap |= element.has_margin();
            }
            return;
        };
        if element.is_block() || index + 1 == self.open.len() {
            self.close_to(index);
        } else {
            // `<b><i></b>`: the bold ends, what is open inside goes on. Its look was computed with the bold: it keeps that
            // until it closes, which no reader will mind.
            self.open.remove(index);
        }
    }

    /// Closes all elements from `index` up.
    fn close_to(&mut self, index: usize) {
        while self.open.len() > index {
            let Some(open) = self.open.pop() else { return };
            match open.element {
                Element::Style => {
                    if let Some(css) = self.css.take() {
                        style::hidden_classes(&css, &mut self.hidden_classes);
                    }
                    continue;
                }
                e if !e.is_block() => continue,
                _ => {}
            }
            self.flush();
            self.in_hidden = false;
            self.gap |= open.element.has_margin();
            match open.element {
                Element::BulletList | Element::NumberList => {
                    self.lists.pop();
                }
                Element::Item => self.bullet = None,
                Element::Cell(_) => self.tables.end_cell(self.out.len()),
                Element::Row => self.tables.end_row(&mut self.out),
                Element::Table => self.gap |= self.tables.close(&mut self.out),
                _ => {}
            }
        }
    }

    /// Closes what the start of `element` ends without saying so.
    fn close_implied(&mut self, element: Element) {
        let ends = |open: Element| match element {
            Element::Item => open == Element::Item,
            Element::Term | Element::Definition => matches!(open, Element::Term | Element::Definition),
            Element::Row => matches!(open, Element::Row | Element::Cell(_)),
            Element::Cell(_) => matches!(open, Element::Cell(_)),
            Element::RowGroup => matches!(open, Element::Row | Element::Cell(_) | Element::RowGroup),
            Element::Anchor => open == Element::Anchor,
            _ => false,
        };
        if element == Element::Anchor {
            self.close_anchor();
        }
        let mut lowest = None;
        for (i, open) in self.open.iter().enumerate().rev() {
            let stop = match element {
                Element::Item => matches!(open.element, Element::BulletList | Element::NumberList) || open.element.is_wall(),
                Element::Row | Element::Cell(_) | Element::RowGroup => open.element == Element::Table,
                _ => open.element.is_wall() || matches!(open.element, Element::Quote | Element::Division | Element::Item),
            };
            if stop {
                break;
            }
            if ends(open.element) || (element.is_block() && open.name == "p") {
                lowest = Some(i);
            }
        }
        match lowest {
            Some(i) if element == Element::Anchor => {
                self.open.remove(i);
            }
            Some(i) => self.close_to(i),
            None => {}
        }
    }

    fn style(&mut self, element: Element, tag: &Tag, look: &mut Look) {
        let (mut classes, mut inline) = (false, Inline::default());
        for attr in &tag.attrs {
            match &*attr.name.local {
                "style" => inline = Inline::of(&attr.value),
                "hidden" => inline.hidden = true,
                "class" => {
                    classes = true;
                    for class in attr.value.split_whitespace().take(50) {
                        inline.hidden |= self.hidden_classes.contains(class);
                        look.signature |= matches!(class, "gmail_signature" | "moz-signature");
                    }
                }
                "bgcolor" => inline.background = style::colour(&attr.value).or(inline.background),
                "background" => inline.unknown_background = true,
                "color" => inline.colour = style::colour(&attr.value).or(inline.colour),
                _ => {}
            }
        }
        look.hidden |= inline.hidden;
        look.tiny = inline.tiny.unwrap_or(look.tiny);
        look.pre |= inline.pre && element.is_block();
        if inline.strong && look.role == Role::Text {
            look.role = Role::Strong;
        }
        look.colour = inline.colour.or(look.colour);
        // A style sheet may set what an attribute does not: then nobody knows.
        if inline.unknown_background || (classes && inline.background.is_none()) {
            look.background = None;
        } else if inline.background.is_some() {
            look.background = inline.background;
        }
        if let (Some(colour), Some(background)) = (look.colour, look.background) {
            look.hidden |= colour == background && (inline.colour.is_some() || inline.background.is_some());
        }
    }

    fn list(&mut self, element: Element, tag: &Tag, look: &mut Look) {
        let start = tag.attrs.iter().find(|a| &*a.name.local == "start").and_then(|a| a.value.trim().parse().ok());
        let next = (element == Element::NumberList).then(|| start.unwrap_or(1));
        let depth = look.list.map_or(0, |l| l + 1);
        look.list = Some(depth);
        look.indent = (look.indent + 2).min(MAX_INDENT);
        if depth > 0 {
            self.gap = false;
        }
        if self.open.len() < MAX_OPEN {
            self.lists.push(List { depth, next });
        }
    }

    fn item(&mut self, tag: &Tag, look: &mut Look) {
        let value = tag.attrs.iter().find(|a| &*a.name.local == "value").and_then(|a| a.value.trim().parse().ok());
        let bullet = match self.lists.last_mut() {
            Some(List { next: Some(next), .. }) => {
                let number = value.unwrap_or(*next);
                *next = number.saturating_add(1);
                format!("{number}. ")
            }
            Some(list) => ["• ", "◦ ", "▪ "].get(list.depth % 3).copied().unwrap_or("• ").to_owned(),
            None => "• ".to_owned(),
        };
        let before = look.indent;
        look.indent = (before + bullet.chars().count()).min(MAX_INDENT);
        self.bullet = Some((before, bullet));
    }
}
