//! outbox — outgoing mail that is not done, and changes that the server has not confirmed.
//! Owns: `Outbox`, `Line`. May import: engine::api, mail.
//! Start reading at: `Outbox::lines`.

use crate::engine::api::{OutboxRow, OutboxState, QueueRow};
use crate::mail::ids::{AccountName, OpId, OutboxId};
use crate::mail::intent::OpState;
use crate::mail::mailbox::MailboxPath;

/// What a line is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Line<'a> {
    /// "To be sent" or "Waiting for the server".
    Heading(&'static str),
    /// A mail.
    Mail(&'a OutboxRow),
    /// A change.
    Change(&'a QueueRow),
}

/// What a line is, by its number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Held {
    Mail(OutboxId),
    Change(OpId),
}

/// The screen.
#[derive(Default, Debug)]
pub struct Outbox {
    mails: Vec<OutboxRow>,
    changes: Vec<QueueRow>,
    /// The mailboxes that changes are about, under the names that they will have.
    tree: Vec<(AccountName, MailboxPath)>,
    cursor: usize,
    top: usize,
    height: usize,
}

impl Outbox {
    /// Takes the outgoing mail in.
    pub fn fill_mails(&mut self, mails: Vec<OutboxRow>) {
        let held = self.held();
        self.mails = mails;
        self.find_again(held);
    }

    /// Takes the waiting changes in.
    pub fn fill_changes(&mut self, changes: Vec<QueueRow>) {
        let held = self.held();
        let about = changes.iter().filter(|c| c.is_about_tree());
        self.tree = about.map(|c| (c.account.clone(), c.to.as_ref().unwrap_or(&c.mailbox).clone())).collect();
        self.changes = changes;
        self.find_again(held);
    }

    fn held(&self) -> Option<Held> {
        self.lines().nth(self.cursor).and_then(name)
    }

    fn find_again(&mut self, held: Option<Held>) {
        if let Some(n) = held.and_then(|h| self.lines().position(|l| name(l) == Some(h))) {
            self.cursor = n;
        }
        self.settle(1);
    }

    /// Whether a change of the mailbox itself waits for its server.
    #[must_use]
    pub fn tree_waits(&self, account: &AccountName, path: &MailboxPath) -> bool {
        self.tree.iter().any(|(a, p)| a == account && p == path)
    }

    /// All lines.
    pub fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let head = |text, any: bool| any.then_some(Line::Heading(text));
        head("To be sent", !self.mails.is_empty())
            .into_iter()
            .chain(self.mails.iter().map(Line::Mail))
            .chain(head("Waiting for the server", !self.changes.is_empty()))
            .chain(self.changes.iter().map(Line::Change))
    }

    /// The lines that can be seen, each with whether it is the cursor's.
    pub fn visible(&self) -> impl Iterator<Item = (Line<'_>, bool)> {
        self.lines().enumerate().skip(self.top).take(self.height).map(|(n, l)| (l, n == self.cursor))
    }

    /// The line under the cursor.
    #[must_use]
    pub fn current(&self) -> Option<Line<'_>> {
        self.lines().nth(self.cursor).filter(|l| name(*l).is_some())
    }

    fn settle(&mut self, direction: isize) {
        let stands: Vec<bool> = self.lines().map(|l| name(l).is_some()).collect();
        self.cursor = self.cursor.min(stands.len().saturating_sub(1));
        let ahead = |n: &usize| stands.get(*n).copied().unwrap_or(false);
        let down = (self.cursor..stands.len()).find(ahead);
        let up = (0..=self.cursor).rev().find(ahead);
        self.cursor = if direction >= 0 { down.or(up) } else { up.or(down) }.unwrap_or(0);
        let height = self.height.max(1);
        let lowest_top = stands.len().saturating_sub(height);
        self.top = self.top.min(self.cursor).max((self.cursor + 1).saturating_sub(height)).min(lowest_top);
        if self.cursor <= 1 {
            self.top = 0;
        }
    }

    /// Moves by so many lines.
    pub fn step(&mut self, by: isize) {
        self.cursor = self.cursor.saturating_add_signed(by);
        self.settle(by);
    }

    /// To the first or the last line.
    pub fn end(&mut self, last: bool) {
        self.cursor = if last { usize::MAX / 2 } else { 0 };
        self.settle(if last { -1 } else { 1 });
    }

    /// Moves by pages.
    pub fn page(&mut self, down: bool) {
        let by = self.height.max(2).cast_signed() - 1;
        self.step(if down { by } else { -by });
    }

    /// Puts the cursor on a line of the screen, if it can stand there.
    pub fn point(&mut self, line: usize) -> bool {
        let there = self.lines().nth(self.top + line).is_some_and(|l| name(l).is_some());
        if there {
            self.cursor = self.top + line;
        }
        there
    }

    /// How many lines can be seen.
    pub fn set_height(&mut self, height: usize) {
        if self.height != height {
            self.height = height;
            self.settle(1);
        }
    }

    /// How many changes wait, and how many of them need the person.
    #[must_use]
    pub fn waiting(&self) -> (usize, usize) {
        let parked = self.changes.iter().filter(|c| matches!(c.state, OpState::Parked)).count();
        (self.changes.len() - parked, parked)
    }

    /// How many mails are on their way, and how many of them need the person.
    #[must_use]
    pub fn sending(&self) -> (usize, usize) {
        let stuck = |m: &&OutboxRow| match m.state {
            OutboxState::Refused | OutboxState::NeedsUser | OutboxState::Unknown => true,
            state => state == OutboxState::Awaiting && !m.fault.is_empty(),
        };
        let stuck = self.mails.iter().filter(stuck).count();
        (self.mails.len() - stuck, stuck)
    }
}

const fn name(line: Line<'_>) -> Option<Held> {
    match line {
        Line::Heading(_) => None,
        Line::Mail(m) => Some(Held::Mail(m.id)),
        Line::Change(c) => Some(Held::Change(c.id)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::safetext::SafeText;
    use crate::mail::ids::{AccountName, GroupId};
    use crate::mail::mailbox::MailboxPath;

    fn change(n: i64, state: OpState) -> QueueRow {
        QueueRow {
            id: OpId(n),
            group: GroupId(n),
            account: AccountName::new("work"),
            mailbox: MailboxPath::inbox(),
            to: None,
            kind: "move",
            detail: SafeText::of("move to Archive"),
            count: 1,
            state,
            attempts: 0,
            fault: SafeText::default(),
            created: 0,
        }
    }

    #[test]
    fn the_cursor_stands_on_things_and_stays_on_its_own() {
        let mut o = Outbox::default();
        o.set_height(10);
        assert!(o.current().is_none());
        o.fill_changes(vec![change(1, OpState::Queued), change(2, OpState::Parked)]);
        assert!(matches!(o.current(), Some(Line::Change(c)) if c.id == OpId(1)), "not on the heading");
        o.step(5);
        assert!(matches!(o.current(), Some(Line::Change(c)) if c.id == OpId(2)));
        o.fill_changes(vec![change(2, OpState::Parked), change(3, OpState::Queued)]);
        assert!(matches!(o.current(), Some(Line::Change(c)) if c.id == OpId(2)));
        o.end(false);
        o.step(-1);
        assert!(o.current().is_some());
        assert_eq!(o.waiting(), (1, 1));
    }
}
