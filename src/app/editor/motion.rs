//! motion — how the cursor goes through the text, and the pane after it.
//! Owns: `Motion`. May import: app::editor.
//! Start reading at: `Editor::go_by`.

use super::Editor;
use super::buffer::Pos;

/// A way to move.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Motion {
    /// One character.
    Left,
    /// One character.
    Right,
    /// To the start of a word.
    WordLeft,
    /// To the end of a word.
    WordRight,
    /// So many rows of the screen; up if negative.
    Rows(isize),
    /// To the start of the row.
    RowStart,
    /// To its end.
    RowEnd,
    /// To the first character.
    Top,
    /// Behind the last one.
    Bottom,
}

impl Editor {
    /// Moves; with `select`, the selection grows or shrinks.
    pub fn go_by(&mut self, motion: Motion, select: bool) {
        self.anchor = if select { self.anchor.or(Some(self.cursor)) } else { None };
        let layout = self.layout();
        let (spot, column) = layout.spot(self.cursor);
        let to = match motion {
            Motion::Left => self.buffer.left(self.cursor),
            Motion::Right => self.buffer.right(self.cursor),
            Motion::WordLeft => self.buffer.word_left(self.cursor),
            Motion::WordRight => self.buffer.word_right(self.cursor),
            Motion::RowStart => layout.place(spot, 0),
            Motion::RowEnd => layout.place(spot, usize::MAX),
            Motion::Top => Pos::default(),
            Motion::Bottom => self.buffer.end(),
            Motion::Rows(by) => {
                let goal = self.goal.unwrap_or(column);
                let there = layout.step(spot, by);
                let to = match (there == spot, by > 0) {
                    (false, _) => layout.place(there, goal),
                    (true, true) => self.buffer.end(),
                    (true, false) => Pos::default(),
                };
                self.move_to(to, true);
                self.goal = Some(goal);
                return;
            }
        };
        self.move_to(to, false);
    }

    pub(super) fn move_to(&mut self, to: Pos, keep_goal: bool) {
        self.cursor = to;
        if !keep_goal {
            self.goal = None;
        }
        self.history.close();
        self.follow();
    }

    /// Scrolls so that the cursor is seen.
    pub(super) fn follow(&mut self) {
        let layout = self.layout();
        self.top = layout.scroll(self.top, layout.spot(self.cursor).0, self.height);
    }

    /// Scrolls by rows; the cursor comes along if it would be left behind.
    pub fn scroll(&mut self, by: isize) {
        let layout = self.layout();
        let top = layout.step(self.top, by);
        let bottom = layout.step(top, isize::try_from(self.height).unwrap_or(1) - 1);
        let (spot, column) = layout.spot(self.cursor);
        let goal = self.goal.unwrap_or(column);
        let to = if spot < top { Some(layout.place(top, goal)) } else { (spot > bottom).then(|| layout.place(bottom, goal)) };
        self.top = top;
        if let Some(to) = to {
            self.move_to(to, true);
            self.goal = Some(goal);
        }
    }

    /// Puts the cursor to a row and a column of the pane.
    pub fn point(&mut self, row: usize, column: usize) {
        let layout = self.layout();
        let visible = layout.visible(self.top, self.height);
        if let Some((spot, _)) = visible.get(row).or(visible.last()) {
            let to = layout.place(*spot, column);
            self.go(to);
        }
    }
}
