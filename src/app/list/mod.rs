//! list — a window over a list of any length: rows around the cursor, the cursor on a message and not on a number.
//! Owns: `Window`: cursor, scroll, marks, range, unfolded conversations. May import: engine::api, mail.
//! Start reading at: `Window::fill`. The store gives pages by keyset; rows above and below the window are only counted. Whatever
//! arrives, the cursor stays on its message and on its line of the screen.

mod marks;
mod motion;

use crate::mail::ids::{MailboxId, PlacementKey, ThreadKey};
use crate::mail::row::{MessageRow, RowCursor};
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
    /// A mailbox.
    Mailbox(MailboxId),
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
    /// An empty one that waits for its first page.
    #[must_use]
    pub fn new(source: Source, threaded: bool) -> Self {
        Self {
            source,
            threaded,
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

    /// Whether a page has come yet.
    #[must_use]
    pub const fn loaded(&self) -> bool {
        self.loaded
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
mod tests {
    use super::*;
    use crate::mail::address::Address;
    use crate::mail::flags::Flags;
    use crate::mail::ids::{AccountName, MessageKey};
    use proptest::prelude::*;

    /// The row of message `n`; a higher number is newer.
    fn row(n: i64) -> MessageRow {
        MessageRow {
            id: PlacementKey(n),
            message: MessageKey(n),
            thread: ThreadKey(n),
            account: AccountName::new("work"),
            mailbox: MailboxId(1),
            uid: None,
            sort: n,
            received: n,
            from: Address::new("", if n % 3 == 0 { "a@x" } else { "b@x" }),
            to: vec![],
            subject: String::new(),
            preview: String::new(),
            flags: Flags::new(),
            size: 0,
            attachments: 0,
            cached: false,
            thread_total: 1,
            thread_unread: 0,
            depth: 0,
            message_id: String::new(),
        }
    }

    /// A store of messages in descending order, as the engine answers.
    fn answer(window: &mut Window, all: &[i64], want: Want) {
        let limit = want.limit as usize;
        let from = match want.cursor {
            RowCursor::Newest => 0,
            RowCursor::Oldest => all.len().saturating_sub(limit),
            RowCursor::NextUnread(_) | RowCursor::PreviousUnread(_) => panic!("the window does not ask for these"),
            RowCursor::From(sort) => all.iter().position(|n| *n <= sort).unwrap_or(all.len()),
            RowCursor::UpTo(sort) => (all.iter().rposition(|n| *n >= sort).map_or(0, |n| n + 1)).saturating_sub(limit),
        };
        let rows = all.iter().skip(from).take(limit).map(|n| row(*n)).collect();
        if let Some(want) = window.fill(rows, u32::try_from(from).unwrap(), u32::try_from(all.len()).unwrap()) {
            answer(window, all, want);
        }
    }

    fn open(all: &[i64]) -> Window {
        let mut window = Window::new(Source::Mailbox(MailboxId(1)), false);
        window.set_height(10);
        answer(&mut window, all, Window::first_page());
        window
    }

    fn at(window: &Window) -> i64 {
        window.current().unwrap().row.id.0
    }

    #[test]
    fn the_cursor_stays_on_its_message_whatever_arrives() {
        let mut all: Vec<i64> = (0..50).rev().collect();
        let mut w = open(&all);
        w.step(3);
        assert_eq!(at(&w), 46);
        all.insert(0, 50);
        let want = w.same_page();
        answer(&mut w, &all, want);
        assert_eq!((at(&w), w.top, w.cursor), (46, 0, 4), "the top is seen: the new row is too");
        w.step(20);
        let (message, line) = (at(&w), w.cursor - w.top);
        all.insert(0, 51);
        let want = w.same_page();
        answer(&mut w, &all, want);
        assert_eq!((at(&w), w.cursor - w.top), (message, line), "the top is not seen: nothing moves");
        // The message itself goes: the next one below takes its place.
        all.retain(|n| *n != message);
        let want = w.same_page();
        answer(&mut w, &all, want);
        assert_eq!(at(&w), message - 1);
    }

    #[test]
    fn a_long_list_is_walked_by_pages() {
        let all: Vec<i64> = (0..5_000).rev().collect();
        let mut w = open(&all);
        for n in 1..3_000 {
            w.step(1);
            if let Some(want) = w.next_page() {
                answer(&mut w, &all, want);
            }
            assert_eq!(at(&w), 4_999 - n);
            assert!(w.rows.len() <= PAGE as usize);
        }
        for n in (0..2_999).rev() {
            w.step(-1);
            if let Some(want) = w.next_page() {
                answer(&mut w, &all, want);
            }
            assert_eq!(at(&w), 4_999 - n);
        }
        let want = w.last().unwrap();
        answer(&mut w, &all, want);
        assert_eq!(at(&w), 0);
        assert!(w.next_page().is_none());
        let want = w.first().unwrap();
        answer(&mut w, &all, want);
        assert_eq!((at(&w), w.top), (4_999, 0));
    }

    #[test]
    fn marks_and_ranges_are_what_commands_act_on() {
        let all: Vec<i64> = (0..20).rev().collect();
        let mut w = open(&all);
        assert_eq!(w.take_targets().len(), 1, "the one under the cursor");
        w.toggle_mark();
        w.step(3);
        w.toggle_range();
        w.step(2);
        assert_eq!(w.marked(), 4);
        assert_eq!(w.visible().filter(|(_, _, marked)| *marked).count(), 4);
        let ids: Vec<i64> = w.take_targets().iter().map(|r| r.id.0).collect();
        assert_eq!(ids, [19, 16, 15, 14]);
        assert_eq!(w.marked(), 0);
        w.mark_like();
        assert_eq!(w.marked(), w.items.iter().filter(|i| i.row.id.0 % 3 != 0).count());
        w.mark_like();
        assert_eq!(w.marked(), 0);
    }

    #[test]
    fn conversations_unfold_below_their_row() {
        let mut w = Window::new(Source::Mailbox(MailboxId(1)), true);
        w.set_height(10);
        let mut head = row(9);
        head.thread_total = 3;
        assert!(w.fill(vec![row(10), head.clone(), row(3)], 0, 3).is_none());
        w.step(1);
        assert_eq!(w.folded().map(|r| r.id.0), Some(9));
        let inner = |n| MessageRow { thread: ThreadKey(9), ..row(n) };
        w.unfold(vec![inner(5), inner(7), inner(9)]);
        assert_eq!(
            w.items.iter().map(|i| (i.row.id.0, i.inner)).collect::<Vec<_>>(),
            [(10, false), (9, false), (5, true), (7, true), (3, false)]
        );
        assert_eq!(at(&w), 9);
        w.step(2);
        assert!(w.fold());
        assert_eq!((at(&w), w.items.len()), (9, 3));
    }

    #[derive(Clone, Debug)]
    enum Act {
        Step(i8),
        Page(bool, bool),
        Arrive(i64),
        Vanish(usize),
        Height(usize),
        First,
        Last,
    }

    fn act() -> impl Strategy<Value = Act> {
        prop_oneof![
            any::<i8>().prop_map(Act::Step),
            any::<(bool, bool)>().prop_map(|(a, b)| Act::Page(a, b)),
            prop_oneof![Just(1i64), 1..900i64].prop_map(Act::Arrive),
            (0usize..2_000).prop_map(Act::Vanish),
            (0usize..60).prop_map(Act::Height),
            Just(Act::First),
            Just(Act::Last),
        ]
    }

    #[test]
    fn a_list_that_fills_stays_at_its_top_until_the_person_moves() {
        let mut window = Window::new(Source::Mailbox(MailboxId(1)), false);
        let fill = |w: &mut Window, ids: &[i64]| assert!(w.fill(ids.iter().map(|n| row(*n)).collect(), 0, 9).is_none());
        fill(&mut window, &[3, 2, 1]);
        fill(&mut window, &[5, 4, 3, 2, 1]);
        assert_eq!((at(&window), window.news_above), (5, 0));
        window.step(1);
        fill(&mut window, &[7, 6, 5, 4, 3, 2, 1]);
        assert_eq!(at(&window), 4);
    }

    #[test]
    fn the_cursor_stays_with_a_conversation_that_goes_on() {
        let mut window = Window::new(Source::Mailbox(MailboxId(1)), true);
        let rows = |ids: &[i64]| ids.iter().map(|n| MessageRow { thread: ThreadKey(*n % 100), ..row(*n) }).collect::<Vec<_>>();
        assert!(window.fill(rows(&[9, 8, 7]), 0, 3).is_none());
        window.step(1);
        assert!(window.fill(rows(&[108, 9, 7]), 0, 3).is_none());
        assert_eq!(at(&window), 108, "an answer came to the conversation under the cursor");
        assert!(window.fill(rows(&[9, 7]), 0, 2).is_none());
        assert_eq!(at(&window), 9);
    }

    proptest! {
        #[test]
        fn the_cursor_is_always_seen_and_moves_only_when_told(acts in proptest::collection::vec(act(), 1..60), n in 0i64..1_500) {
            let mut all: Vec<i64> = (0..n).rev().collect();
            let mut next = n;
            let mut w = open(&all);
            w.cling();
            for act in acts {
                let mut want = None;
                match act {
                    Act::Step(by) => w.step(isize::from(by)),
                    Act::Page(down, half) => w.page(down, half),
                    Act::Height(h) => w.set_height(h),
                    Act::First => want = w.first(),
                    Act::Last => want = w.last(),
                    Act::Arrive(many) => {
                        let before = w.current().map(|i| i.row.id);
                        (0..many).for_each(|n| all.insert(0, next + n));
                        next += many;
                        let want = w.same_page();
        answer(&mut w, &all, want);
                        prop_assert!(before.is_none() || w.current().map(|i| i.row.id) == before);
                    }
                    Act::Vanish(k) => {
                        if !all.is_empty() { let k = k % all.len(); all.remove(k); }
                        let want = w.same_page();
        answer(&mut w, &all, want);
                    }
                }
                if let Some(want) = want.or_else(|| w.next_page()) { answer(&mut w, &all, want); }
                prop_assert_eq!(w.current().is_none(), all.is_empty());
                prop_assert!(w.cursor >= w.top && (w.height == 0 || w.cursor < w.top + w.height || w.items.is_empty()));
                prop_assert_eq!(w.items.len(), w.rows.len());
            }
        }
    }
}
