//! editor — a text editor as a value: keys in, text out.
//! Owns: `Editor`: the text, the cursor, what is selected, undo, and which rows are seen.
//! May import: base, app::key.   Never: a terminal, a clock.
//! Start reading at: `Editor::key`, then `Editor::put`, through which every change goes. The text in it is safe to draw: it is cleaned on
//! its way in, once, and not at each frame; beside that only tabs stay, which patches need.

pub mod buffer;
pub mod history;
pub mod motion;
pub mod reflow;
pub mod wrap;

use super::key::{Code, Key};
use crate::base::safetext::SafeText;
use buffer::{Buffer, Pos};
use history::{Change, History, Kind};
use motion::Motion;
use wrap::{Layout, Spot};

/// What a key did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Did {
    /// It is no key of the editor.
    Nothing,
    /// The cursor or the selection changed.
    Moved,
    /// The text changed.
    Changed,
}

/// A text with a cursor in a pane.
#[derive(Clone, Debug)]
pub struct Editor {
    buffer: Buffer,
    cursor: Pos,
    /// The other end of the selection.
    anchor: Option<Pos>,
    /// The column that up and down aim at, in cells.
    goal: Option<usize>,
    history: History,
    /// Counts the changes: two equal numbers mean equal text.
    revision: u64,
    clip: String,
    cells: usize,
    height: usize,
    top: Spot,
}

impl Editor {
    /// With a text, the cursor at its start. Lines are divided by any line end.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self {
            buffer: Buffer::new(&clean(text)),
            cursor: Pos::default(),
            anchor: None,
            goal: None,
            history: History::default(),
            revision: 0,
            clip: String::new(),
            cells: 72,
            height: 10,
            top: Spot::default(),
        }
    }

    /// The room: cells of a row (the pane has one more, for the cursor) and rows.
    pub fn set_size(&mut self, cells: usize, height: usize) {
        (self.cells, self.height) = (cells.max(2), height.max(1));
        self.follow();
    }

    /// All of the text, lines divided by `\n`.
    #[must_use]
    pub fn text(&self) -> String {
        self.buffer.text()
    }

    /// Its lines.
    #[must_use]
    pub const fn buffer(&self) -> &Buffer {
        &self.buffer
    }

    /// Changes with each change of the text.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// Where the cursor is in the text.
    #[must_use]
    pub const fn cursor(&self) -> Pos {
        self.cursor
    }

    /// Puts the cursor to a place.
    pub fn go(&mut self, to: Pos) {
        self.anchor = None;
        self.move_to(self.buffer.snap(to), false);
    }

    /// The selection, first end first.
    #[must_use]
    pub fn selection(&self) -> Option<(Pos, Pos)> {
        self.anchor.filter(|a| *a != self.cursor).map(|a| (a.min(self.cursor), a.max(self.cursor)))
    }

    /// The rows that are seen: where each is, the offset of its first byte in its line, its text.
    #[must_use]
    pub fn rows(&self) -> Vec<(Spot, usize, &str)> {
        let mut at = Spot { line: usize::MAX, row: 0 };
        let mut byte = 0;
        let layout = self.layout();
        let visible = layout.visible(self.top, self.height);
        visible
            .into_iter()
            .map(|(spot, text)| {
                if spot.line != at.line {
                    byte = layout.rows(spot.line).get(spot.row).map_or(0, |r| r.start);
                }
                at = spot;
                let start = byte;
                byte += text.len();
                (spot, start, text)
            })
            .collect()
    }

    /// How many rows the text takes, counted up to `max`.
    #[must_use]
    pub fn row_count(&self, max: usize) -> usize {
        self.layout().visible(Spot::default(), max).len()
    }

    /// Where the cursor is in the pane: (row, column), if it is in it.
    #[must_use]
    pub fn caret(&self) -> Option<(usize, usize)> {
        let (spot, column) = self.layout().spot(self.cursor);
        let row = self.layout().visible(self.top, self.height).iter().position(|(s, _)| *s == spot)?;
        Some((row, column))
    }

    /// Whether the first row is at the top.
    #[must_use]
    pub fn on_first_row(&self) -> bool {
        self.layout().spot(self.cursor).0 == Spot::default()
    }

    /// Whether the cursor is in the last row of all.
    #[must_use]
    pub fn on_last_row(&self) -> bool {
        let layout = self.layout();
        layout.spot(self.cursor).0 == layout.spot(self.buffer.end()).0
    }

    /// How many lines there are above the first row that is seen.
    #[must_use]
    pub const fn lines_above(&self) -> usize {
        self.top.line
    }

    fn layout(&self) -> Layout<'_> {
        Layout::new(&self.buffer, self.cells)
    }

    /// Takes a key: letters, rubbing out, motions with and without Shift, words with Control or Alt.
    pub fn key(&mut self, key: Key) -> Did {
        let word = key.ctrl || key.alt;
        let page = isize::try_from(self.height.saturating_sub(2).max(1)).unwrap_or(10);
        let motion = match key.code {
            Code::Left if word => Motion::WordLeft,
            Code::Right if word => Motion::WordRight,
            Code::Left => Motion::Left,
            Code::Right => Motion::Right,
            Code::Up => Motion::Rows(-1),
            Code::Down => Motion::Rows(1),
            Code::PageUp => Motion::Rows(-page),
            Code::PageDown => Motion::Rows(page),
            Code::Home if word => Motion::Top,
            Code::End if word => Motion::Bottom,
            Code::Home => Motion::RowStart,
            Code::End => Motion::RowEnd,
            Code::Char('b') if key.alt => Motion::WordLeft,
            Code::Char('f') if key.alt => Motion::WordRight,
            Code::Char('<') if key.alt => Motion::Top,
            Code::Char('>') if key.alt => Motion::Bottom,
            _ => return self.edit_key(key),
        };
        self.go_by(motion, key.shift);
        Did::Moved
    }

    fn edit_key(&mut self, key: Key) -> Did {
        let at = self.cursor;
        match (key.code, key.ctrl, key.alt) {
            (Code::Char(c), false, false) => self.put(at, at, &clean(c.encode_utf8(&mut [0; 4])), Kind::Typing),
            (Code::Enter, ..) => self.put(at, at, "\n", Kind::Whole),
            (Code::Backspace, false, false) | (Code::Char('h'), true, false) => self.erase(self.buffer.left(at), Kind::Erasing),
            (Code::Backspace, ..) | (Code::Char('w'), true, false) => self.erase(self.buffer.word_left(at), Kind::Whole),
            (Code::Delete, false, false) | (Code::Char('d'), true, false) => self.erase(self.buffer.right(at), Kind::Whole),
            (Code::Delete, ..) | (Code::Char('d'), false, true) => self.erase(self.buffer.word_right(at), Kind::Whole),
            (Code::Char('u'), true, false) => self.kill(Pos { line: at.line, byte: 0 }),
            (Code::Char('k'), true, false) => {
                let end = Pos { line: at.line, byte: self.buffer.line(at.line).len() };
                self.kill(if end == at { self.buffer.right(at) } else { end })
            }
            _ => Did::Nothing,
        }
    }

    /// Every change goes through here: what stands between two places becomes `text` (clean). A selection is replaced first.
    fn put(&mut self, from: Pos, to: Pos, text: &str, kind: Kind) -> Did {
        let (from, to, kind) = self.selection().map_or((from, to, kind), |(a, b)| (a, b, Kind::Whole));
        if from == to && text.is_empty() {
            return Did::Moved;
        }
        let removed = self.buffer.slice(from, to);
        let change = Change { at: from, removed, inserted: text.to_owned(), before: self.cursor };
        let behind = self.buffer.replace(from, to, text);
        self.history.record(change, kind);
        self.after_change(behind)
    }

    fn after_change(&mut self, cursor: Pos) -> Did {
        // A mark that was typed joins the letter before it: the cursor goes behind both.
        let snapped = self.buffer.snap(cursor);
        self.cursor = if snapped == cursor { cursor } else { self.buffer.right(snapped) };
        self.anchor = None;
        self.goal = None;
        self.revision += 1;
        self.follow();
        Did::Changed
    }

    /// Takes out what is between the cursor and `to`, or the selection.
    fn erase(&mut self, to: Pos, kind: Kind) -> Did {
        let (from, to) = (to.min(self.cursor), to.max(self.cursor));
        self.put(from, to, "", kind)
    }

    /// As [`Self::erase`], kept for [`Self::paste_clip`].
    fn kill(&mut self, to: Pos) -> Did {
        let (from, to) = self.selection().unwrap_or((to.min(self.cursor), to.max(self.cursor)));
        self.clip = self.buffer.slice(from, to);
        self.put(from, to, "", Kind::Whole)
    }

    /// Puts text in at the cursor, in place of the selection: one step of undo.
    pub fn insert(&mut self, text: &str) -> Did {
        let text = clean(text);
        self.put(self.cursor, self.cursor, &text, Kind::Whole)
    }

    /// Puts text in the place of what stands between two offsets of the cursor's line, and the cursor behind it.
    pub fn replace_in_line(&mut self, start: usize, end: usize, text: &str) -> Did {
        let line = self.cursor.line;
        self.anchor = None;
        let (from, to) = (self.buffer.snap(Pos { line, byte: start }), self.buffer.snap(Pos { line, byte: end }));
        self.put(from, to, &clean(text), Kind::Whole)
    }

    /// The text anew, as after an outside editor: one step of undo. The cursor stays near its line.
    pub fn set_text(&mut self, text: &str) -> Did {
        let text = clean(text);
        if text == self.buffer.text() {
            return Did::Moved;
        }
        let was = self.cursor;
        self.anchor = None;
        let did = self.put(Pos::default(), self.buffer.end(), &text, Kind::Whole);
        self.go(was);
        did
    }

    /// Selects everything.
    pub fn select_all(&mut self) {
        self.move_to(self.buffer.end(), false);
        self.anchor = Some(Pos::default());
    }

    /// The selected text, kept for [`Self::paste_clip`] too.
    pub fn copy(&mut self) -> Option<&str> {
        let (from, to) = self.selection()?;
        self.clip = self.buffer.slice(from, to);
        Some(&self.clip)
    }

    /// As [`Self::copy`], and takes it out. Without a selection, the line.
    pub fn cut(&mut self) -> Did {
        let line = self.cursor.line;
        let next = if line + 1 < self.buffer.len() { Pos { line: line + 1, byte: 0 } } else { self.buffer.end() };
        let (from, to) = self.selection().unwrap_or((Pos { line, byte: 0 }, next));
        self.clip = self.buffer.slice(from, to);
        self.put(from, to, "", Kind::Whole)
    }

    /// What was cut or copied last.
    #[must_use]
    pub fn clip(&self) -> &str {
        &self.clip
    }

    /// Puts in what was cut or copied last.
    pub fn paste_clip(&mut self) -> Did {
        let text = std::mem::take(&mut self.clip);
        let did = self.put(self.cursor, self.cursor, &text, Kind::Whole);
        self.clip = text;
        did
    }

    /// Takes the last step back.
    pub fn undo(&mut self) -> Did {
        self.history.undo(&mut self.buffer).map_or(Did::Nothing, |to| self.after_change(to))
    }

    /// Does again what was taken back.
    pub fn redo(&mut self) -> Did {
        self.history.redo(&mut self.buffer).map_or(Did::Nothing, |to| self.after_change(to))
    }

    /// Lays the paragraph at the cursor out anew.
    pub fn reflow(&mut self) -> Did {
        let Some(lines) = reflow::paragraph(&self.buffer, self.cursor.line) else { return Did::Nothing };
        let text = reflow::reflow(&self.buffer, lines.clone());
        let last = lines.end - 1;
        let (from, to) = (Pos { line: lines.start, byte: 0 }, Pos { line: last, byte: self.buffer.line(last).len() });
        if self.buffer.slice(from, to) == text {
            return Did::Moved;
        }
        self.anchor = None;
        self.put(from, to, &text, Kind::Whole)
    }
}

/// Text as the buffer holds it: safe to draw, `\n` between lines, tabs kept.
fn clean(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut out = String::with_capacity(text.len());
    for piece in text.split_inclusive(['\n', '\t']) {
        let body = piece.trim_end_matches(['\n', '\t']);
        out.push_str(SafeText::body_line(body).as_str());
        out.push_str(piece.get(body.len()..).unwrap_or_default());
    }
    out
}

#[cfg(test)]
mod tests;
