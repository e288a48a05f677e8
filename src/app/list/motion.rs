//! motion — how the cursor of a list moves: by lines, by pages, to the ends, to what is wanted.
//! Owns: that part of `Window`. May import: mail.
//! Start reading at: `Window::step`. Until the person has moved, the cursor of a list stays at its top while rows come.

use super::{FIRST_PAGE, Item, Jump, PAGE, Want, Window};
use crate::mail::row::RowCursor;

impl Window {
    /// From now on the cursor stays on its message, also on the first one of all.
    pub const fn cling(&mut self) {
        self.clings = true;
    }

    /// Moves the cursor by so many lines.
    pub fn step(&mut self, by: isize) {
        self.cling();
        self.cursor = self.cursor.saturating_add_signed(by);
        self.settle();
    }

    /// Moves by pages: 1 is a whole one, `half` halves it. The screen moves with the cursor.
    pub fn page(&mut self, down: bool, half: bool) {
        let by = if half { self.height / 2 } else { self.height.saturating_sub(1) }.max(1).cast_signed();
        let by = if down { by } else { -by };
        self.top = self.top.saturating_add_signed(by);
        self.step(by);
    }

    /// To the first row; the page to ask for, if it is not here.
    pub fn first(&mut self) -> Option<Want> {
        (self.cursor, self.top) = (0, 0);
        self.settle();
        if self.above == 0 {
            return None;
        }
        self.jump = Some(Jump::First);
        Some(Want { cursor: RowCursor::Newest, limit: FIRST_PAGE })
    }

    /// To the last row; the page to ask for, if it is not here.
    pub fn last(&mut self) -> Option<Want> {
        self.cling();
        self.cursor = self.items.len().saturating_sub(1);
        self.settle();
        if self.total as usize <= self.above as usize + self.rows.len() {
            return None;
        }
        self.jump = Some(Jump::Last);
        Some(Want { cursor: RowCursor::Oldest, limit: PAGE })
    }

    /// Puts the cursor on a line of the screen; `false` if there is no row.
    pub fn point(&mut self, line: usize) -> bool {
        self.cling();
        let there = self.top + line < self.items.len() && line < self.height;
        if there {
            self.cursor = self.top + line;
        }
        there
    }

    /// Puts the cursor on the next row (or the one before) that is as wanted.
    pub fn seek(&mut self, forward: bool, wanted: impl Fn(&Self, &Item) -> bool) -> bool {
        let found = if forward {
            self.items.iter().enumerate().skip(self.cursor + 1).find(|(_, i)| wanted(self, i)).map(|(n, _)| n)
        } else {
            self.items.iter().enumerate().take(self.cursor).rev().find(|(_, i)| wanted(self, i)).map(|(n, _)| n)
        };
        if let Some(n) = found {
            self.cling();
            self.cursor = n;
            self.settle();
        }
        found.is_some()
    }

    /// To the nearest unread row beyond the rows that are here: the page to ask for.
    pub fn jump_unread(&mut self, forward: bool) -> Want {
        let at = self.current().map_or(i64::MAX, |i| i.row.sort);
        self.cling();
        self.jump = Some(Jump::First);
        Want { cursor: if forward { RowCursor::NextUnread(at) } else { RowCursor::PreviousUnread(at) }, limit: PAGE }
    }

    /// There is no such row: the cursor stays.
    pub const fn forget_jump(&mut self) {
        self.jump = None;
    }
}
