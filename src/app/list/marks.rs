//! marks — which messages of a list are chosen: single marks, ranges, all of one sender.
//! Owns: that part of `Window`. May import: mail.
//! Start reading at: `Window::take_targets`, what every command on messages begins with.

use super::Window;
use crate::mail::row::MessageRow;

impl Window {
    pub(super) fn range(&self) -> Option<std::ops::RangeInclusive<usize>> {
        let anchor = self.items.iter().position(|i| Some(i.row.id) == self.anchor)?;
        Some(anchor.min(self.cursor)..=anchor.max(self.cursor))
    }

    /// Marks the row under the cursor, or takes its mark away.
    pub fn toggle_mark(&mut self) {
        self.cling();
        if let Some(row) = self.current().map(|i| i.row.clone())
            && self.marks.remove(&row.id).is_none()
        {
            self.marks.insert(row.id, row);
        }
    }

    /// Begins a range at the cursor, or ends it and keeps its marks.
    pub fn toggle_range(&mut self) {
        self.cling();
        if self.anchor.is_some() {
            self.keep_range();
        } else {
            self.anchor = self.current().map(|i| i.row.id);
        }
    }

    fn keep_range(&mut self) {
        if let Some(range) = self.range() {
            let ranged = self.items.iter().take(range.end() + 1).skip(*range.start());
            self.marks.extend(ranged.map(|i| (i.row.id, i.row.clone())));
        }
        self.anchor = None;
    }

    /// Marks all rows of the sender under the cursor; on a marked row, takes all marks away.
    pub fn mark_like(&mut self) {
        let Some(current) = self.current() else { return };
        if self.marks.contains_key(&current.row.id) {
            self.marks.clear();
            return;
        }
        let like = current.row.from.clone();
        self.marks.extend(self.items.iter().filter(|i| i.row.from.same(&like)).map(|i| (i.row.id, i.row.clone())));
    }

    /// Takes all marks away; whether there were any.
    pub fn clear_marks(&mut self) -> bool {
        let any = self.anchor.take().is_some() || !self.marks.is_empty();
        self.marks.clear();
        any
    }

    /// How many are marked, a range in progress included.
    #[must_use]
    pub fn marked(&self) -> usize {
        self.marked_rows().count()
    }

    /// The marked rows, a range in progress included.
    pub fn marked_rows(&self) -> impl Iterator<Item = &MessageRow> {
        let ranged = self.range().map(|r| self.items.iter().take(r.end() + 1).skip(*r.start()));
        let ranged = ranged.into_iter().flatten().map(|i| &i.row).filter(|r| !self.marks.contains_key(&r.id));
        self.marks.values().chain(ranged)
    }

    /// What a command acts on: the marked rows, or the one under the cursor. Marks end here.
    pub fn take_targets(&mut self) -> Vec<MessageRow> {
        self.keep_range();
        if self.marks.is_empty() {
            return self.current().map(|i| i.row.clone()).into_iter().collect();
        }
        // In the order of the list.
        let mut rows: Vec<MessageRow> = std::mem::take(&mut self.marks).into_values().collect();
        rows.sort_by_key(|r| std::cmp::Reverse(r.sort));
        rows
    }
}
