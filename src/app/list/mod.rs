//! list — a window over a list of any length: rows around the cursor, the cursor on a message and not on a number.
//! Owns: `Window`: cursor, scroll, marks, range, unfolded conversations. May import: engine::api, mail.
//! Start reading at: `Window::fill`. The store gives pages by keyset; rows above and below the window are only counted. Whatever
//! arrives, the cursor stays on its message and on its line of the screen.

mod marks;
mod motion;

use crate::mail::flags::Flag;
use crate::mail::ids::{PlacementKey, ThreadKey};
use crate::mail::row::{MessageRow, RowCursor, View};
use std::collections::{BTreeMap, BTreeSet};

/// Rows that are asked for at once.
pub const PAGE: u32 = 400;
/// Rows that the first screen is asked for: fewer, so that it is there at once.
pub const FIRST_PAGE: u32 = 100;
/// When the cursor is so near to the window's end, the next page is asked for.
const MARGIN: usize = 120;

/// What a list shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// A mailbox, or several as one.
    View(View),
    /// What a search found.
    Search(String),
}

/// One line of the list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    /// The message.
    pub row: MessageRow,
    /// Whether it stands below the first row of its unfolded conversation.
    pub inner: bool,
}

/// Which page is wanted next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Want {
    /// From where.
    pub cursor: RowCursor,
    /// How many rows.
    pub limit: u32,
}

/// Where the cursor goes when the page that was asked for is here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Jump {
    First,
    Last,
}

/// The list and the cursor in it.
#[derive(Clone, Debug)]
pub struct Window {
    /// What it shows.
    pub source: Source,
    /// Whether each row is a conversation.
    pub threaded: bool,
    rows: Vec<MessageRow>,
    /// Messages of unfolded conversations, by the row that leads them.
    unfolded: BTreeMap<ThreadKey, Vec<MessageRow>>,
    items: Vec<Item>,
    /// How many rows lie above the first one here.
    above: u32,
    /// How many the whole list has.
    total: u32,
    loaded: bool,
    cursor: usize,
    top: usize,
    height: usize,
    jump: Option<Jump>,
    /// The person has moved, or reads: from then on the cursor clings to its message.
    clings: bool,
    /// Chosen rows, also those that the window has left.
    marks: BTreeMap<PlacementKey, MessageRow>,
    /// Where a range begins.
    anchor: Option<PlacementKey>,
    /// New rows above what can be seen, since it was last at the top.
    pub news_above: u32,
}

impl Window {
    /// An empty one that waits for its first page; conversations are rows where the source can do that.
    #[must_use]
    pub fn new(source: Source, threaded: bool) -> Self {
        let can = matches!(source, Source::View(view) if view.can_thread());
        Self {
            source,
            threaded: threaded && can,
            rows: Vec::new(),
            unfolded: BTreeMap::new(),
            items: Vec::new(),
            above: 0,
            total: 0,
            loaded: false,
            cursor: 0,
            top: 0,
            height: 20,
            jump: None,
            clings: false,
            marks: BTreeMap::new(),
            anchor: None,
            news_above: 0,
        }
    }

    /// The page to ask for when it is opened.
    #[must_use]
    pub fn first_page() -> Want {
        Want { cursor: RowCursor::Newest, limit: FIRST_PAGE }
    }

    /// The page to ask for when the store says that something changed.
    #[must_use]
    pub fn same_page(&self) -> Want {
        let at = self.row_index();
        if self.above == 0 && at + 2 * MARGIN < PAGE as usize {
            let limit = u32::try_from(at + 2 * MARGIN).unwrap_or(PAGE).max(FIRST_PAGE);
            return Want { cursor: RowCursor::Newest, limit };
        }
        let from = self.rows.get(at.saturating_sub(PAGE as usize / 2));
        Want { cursor: from.map_or(RowCursor::Newest, |r| RowCursor::From(r.sort)), limit: PAGE }
    }

    /// Which of the rows the cursor is on, or in the conversation of.
    fn row_index(&self) -> usize {
        self.current().and_then(|i| self.rows.iter().position(|r| r.thread == i.row.thread)).unwrap_or(0)
    }

    /// The page to ask for because the cursor comes near an end of the window.
    #[must_use]
    pub fn next_page(&self) -> Option<Want> {
        if !self.loaded || matches!(self.source, Source::Search(_)) {
            return None;
        }
        let below = self.total.saturating_sub(self.above) as usize > self.rows.len();
        // Half a page stays behind, so that turning round asks for nothing.
        let row = |n: usize| self.rows.get(n.min(self.rows.len().saturating_sub(1))).map(|r| r.sort);
        let at = self.row_index();
        if below && at + MARGIN >= self.rows.len() {
            let from = row(at.saturating_sub(MARGIN))?;
            return Some(Want { cursor: RowCursor::From(from), limit: PAGE });
        }
        if self.above > 0 && at < MARGIN {
            let up_to = row(at + MARGIN)?;
            return Some(Want { cursor: RowCursor::UpTo(up_to), limit: PAGE });
        }
        None
    }

    /// Takes a page in: the rows, how many lie above them, how many there are in all. A page that so much has come above
    /// that it no longer reaches down to the cursor is refused: the one to ask for instead.
    #[must_use]
    pub fn fill(&mut self, rows: Vec<MessageRow>, above: u32, total: u32) -> Option<Want> {
        if let (Some(at), Some(last), None) = (self.rows.get(self.row_index()), rows.last(), self.jump)
            && at.sort < last.sort
            && above as usize + rows.len() < total as usize
        {
            return Some(Want { cursor: RowCursor::From(at.sort), limit: PAGE });
        }
        let line = self.cursor.saturating_sub(self.top);
        let held = self.held();
        let before = self.above as usize + self.top;
        let was_top = before == 0;
        let grown = self.loaded && total > self.total;
        let arrived = total.saturating_sub(self.total);
        (self.rows, self.above, self.total) = (rows, above, total);
        self.flatten();
        self.forget_lost_marks();
        let first = !std::mem::replace(&mut self.loaded, true);
        match self.jump.take() {
            Some(Jump::First) => (self.cursor, self.top) = (0, 0),
            Some(Jump::Last) => self.cursor = self.items.len().saturating_sub(1),
            None if first || (!self.clings && self.above == 0) => (self.cursor, self.top) = (0, 0),
            None => {
                self.cursor = self.find_again(&held);
                // New rows slide in at the top only where the top is seen and the cursor stays in sight.
                self.top = if was_top && self.above == 0 && self.cursor < self.height {
                    0
                } else {
                    if grown && was_top {
                        self.news_above += arrived;
                    }
                    self.cursor.saturating_sub(line)
                };
            }
        }
        self.settle();
        None
    }

    fn held(&self) -> Vec<(PlacementKey, ThreadKey)> {
        self.items.iter().map(|i| (i.row.id, i.row.thread)).collect()
    }

    /// Where the message under the cursor is now, or the nearest one that is still there: below first, as after an archive.
    fn find_again(&self, held: &[(PlacementKey, ThreadKey)]) -> usize {
        let same = |id: PlacementKey| self.items.iter().position(|i| i.row.id == id);
        // A conversation goes on: its row shows another message now.
        let goes_on = |thread| self.items.iter().position(|i| self.threaded && !i.inner && i.row.thread == thread);
        let place = |(id, thread): &(PlacementKey, ThreadKey)| same(*id).or_else(|| goes_on(*thread));
        let below = held.iter().skip(self.cursor).find_map(place);
        below.or_else(|| held.iter().take(self.cursor).rev().find_map(place)).unwrap_or(0)
    }

    /// A marked message that should stand among these rows and does not is gone.
    fn forget_lost_marks(&mut self) {
        let newest = if self.above == 0 { i64::MAX } else { self.rows.first().map_or(i64::MIN, |r| r.sort) };
        let ends = (self.above as usize + self.rows.len()) >= self.total as usize;
        let oldest = if ends { i64::MIN } else { self.rows.last().map_or(i64::MAX, |r| r.sort) };
        let here: BTreeSet<PlacementKey> = self.items.iter().map(|i| i.row.id).collect();
        self.marks.retain(|id, row| here.contains(id) || !(oldest..=newest).contains(&row.sort));
    }

    fn flatten(&mut self) {
        let threads: BTreeSet<ThreadKey> = self.rows.iter().map(|r| r.thread).collect();
        self.unfolded.retain(|t, _| threads.contains(t));
        self.items.clear();
        for row in &self.rows {
            self.items.push(Item { row: row.clone(), inner: false });
            for inner in self.unfolded.get(&row.thread).into_iter().flatten().filter(|i| i.id != row.id) {
                self.items.push(Item { row: inner.clone(), inner: true });
            }
        }
    }

    /// Keeps the cursor inside the list and inside what is seen.
    fn settle(&mut self) {
        self.cursor = self.cursor.min(self.items.len().saturating_sub(1));
        let height = self.height.max(1);
        let lowest_top = self.items.len().saturating_sub(height);
        self.top = self.top.min(self.cursor).max((self.cursor + 1).saturating_sub(height)).min(lowest_top);
        if self.above == 0 && self.top == 0 {
            self.news_above = 0;
        }
    }

    /// How many lines can be seen.
    pub fn set_height(&mut self, height: usize) {
        if self.height != height {
            self.height = height;
            self.settle();
        }
    }

    /// The row under the cursor.
    #[must_use]
    pub fn current(&self) -> Option<&Item> {
        self.items.get(self.cursor)
    }

    /// The rows that can be seen, each with whether it is the cursor's and whether it is marked.
    pub fn visible(&self) -> impl Iterator<Item = (&Item, bool, bool)> {
        let range = self.range();
        self.items.iter().enumerate().skip(self.top).take(self.height).map(move |(n, item)| {
            let ranged = range.as_ref().is_some_and(|r| r.contains(&n));
            (item, n == self.cursor, ranged || self.marks.contains_key(&item.row.id))
        })
    }

    /// The rows that are here.
    #[must_use]
    pub fn rows(&self) -> &[MessageRow] {
        &self.rows
    }

    /// Whether a page has come yet.
    #[must_use]
    pub const fn loaded(&self) -> bool {
        self.loaded
    }

    /// Whether fewer rows are here than there is room for.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.items.len() < self.height
    }

    /// Rows of the whole list.
    #[must_use]
    pub const fn total(&self) -> u32 {
        self.total
    }

    /// Whether the window's rows hold this message.
    #[must_use]
    pub fn holds(&self, id: PlacementKey) -> bool {
        self.items.iter().any(|i| i.row.id == id)
    }

    /// Whether one of the rows is of this conversation.
    #[must_use]
    pub fn holds_thread(&self, thread: ThreadKey) -> bool {
        self.rows.iter().any(|r| r.thread == thread)
    }

    /// The folded conversation under the cursor, to be asked for.
    #[must_use]
    pub fn folded(&self) -> Option<&MessageRow> {
        let row = &self.current()?.row;
        (self.threaded && row.thread_total > 1 && !self.unfolded.contains_key(&row.thread)).then_some(row)
    }

    /// Whether the conversation under the cursor is unfolded.
    #[must_use]
    pub fn is_unfolded(&self, thread: ThreadKey) -> bool {
        self.unfolded.contains_key(&thread)
    }

    /// Shows the messages of a conversation below its row.
    pub fn unfold(&mut self, messages: Vec<MessageRow>) {
        let Some(thread) = messages.first().map(|m| m.thread) else { return };
        let held = self.held();
        self.unfolded.insert(thread, messages);
        self.flatten();
        self.cursor = self.find_again(&held);
        self.settle();
    }

    /// Takes in how the messages of an unfolded conversation are now.
    pub fn renew(&mut self, messages: Vec<MessageRow>) {
        if messages.first().is_some_and(|m| self.unfolded.contains_key(&m.thread)) {
            self.unfold(messages);
        }
    }

    /// The rows that lead unfolded conversations, the nearest to the cursor first.
    #[must_use]
    pub fn leading(&self) -> Vec<PlacementKey> {
        let at = self.row_index();
        let mut rows: Vec<(usize, PlacementKey)> = self
            .rows
            .iter()
            .enumerate()
            .filter(|(_, r)| self.unfolded.contains_key(&r.thread))
            .map(|(n, r)| (n.abs_diff(at), r.id))
            .collect();
        rows.sort_unstable();
        rows.into_iter().map(|(_, id)| id).collect()
    }

    /// Whether an item stands for something unread: its message, or in a folded conversation any.
    #[must_use]
    pub fn is_unread(&self, item: &Item) -> bool {
        let folded = self.threaded && !item.inner && !self.is_unfolded(item.row.thread);
        !item.row.flags.has(Flag::Seen) || folded && item.row.thread_unread > 0
    }

    /// The folded conversation under the cursor, if something in it is unread beside its first row.
    #[must_use]
    pub fn unread_inside(&self) -> Option<PlacementKey> {
        let row = self.folded()?;
        (row.thread_unread > u32::from(!row.flags.has(Flag::Seen))).then_some(row.id)
    }

    /// Folds the conversation under the cursor; whether it was unfolded.
    pub fn fold(&mut self) -> bool {
        let Some(thread) = self.current().map(|i| i.row.thread) else { return false };
        let was = self.unfolded.remove(&thread).is_some();
        if was {
            self.flatten();
            self.cursor = self.items.iter().position(|i| i.row.thread == thread).unwrap_or(self.cursor);
            self.settle();
        }
        was
    }
}

#[cfg(test)]
mod tests;
