//! folders — the pane of mailboxes: accounts, their trees, the cursor.
//! Owns: `Folders`, `Entry`. May import: engine::api, mail.
//! Start reading at: `Folders::fill`.

use crate::mail::ids::{AccountName, MailboxId};
use crate::mail::mailbox::{MailboxPath, Role};
use crate::mail::row::{MailboxRow, View};
use std::collections::BTreeSet;

/// The views that stand above all accounts. All inboxes are worth a line only where there are several.
const VIEWS: [View; 3] = [View::Inboxes, View::Unread, View::Flagged];

/// What a view of several mailboxes is called; nothing for one of a single one.
#[must_use]
pub const fn view_name(view: View) -> &'static str {
    match view {
        View::Mailbox(_) => "",
        View::Inboxes => "All inboxes",
        View::Unread => "Unread",
        View::Flagged => "Starred",
    }
}

/// One line of the pane.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Entry {
    /// "Everywhere".
    Everywhere,
    /// Several mailboxes as one.
    View(View),
    /// A saved search, by its number.
    Saved(usize),
    /// An account's name.
    Account(AccountName),
    /// A mailbox: its index in [`Folders::rows`], its depth, and whether something below it is folded away.
    Mailbox {
        /// Index in the rows.
        row: usize,
        /// How far it is indented.
        depth: usize,
        /// Folded: `Some(true)`; unfolded with something below: `Some(false)`.
        folded: Option<bool>,
    },
    /// An empty line between accounts.
    Gap,
}

/// What an entry is, independent of its place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Name {
    View(View),
    Saved(usize),
}

/// The pane.
#[derive(Clone, Default, Debug)]
pub struct Folders {
    /// Names and queries of saved searches.
    saved: Vec<(String, String)>,
    rows: Vec<MailboxRow>,
    entries: Vec<Entry>,
    folded: BTreeSet<MailboxId>,
    loaded: bool,
    cursor: usize,
    top: usize,
    height: usize,
}

impl Folders {
    /// With these saved searches.
    #[must_use]
    pub fn new(saved: Vec<(String, String)>) -> Self {
        Self { saved, ..Self::default() }
    }

    /// The name and the query of a saved search.
    #[must_use]
    pub fn saved(&self, n: usize) -> Option<&(String, String)> {
        self.saved.get(n)
    }

    /// Takes the mailboxes in, in display order; `accounts` says which come first and names those without mailboxes yet.
    pub fn fill(&mut self, rows: Vec<MailboxRow>, accounts: &[AccountName]) {
        let held = self.current().cloned().and_then(|e| self.name_of(&e));
        self.rows = rows;
        self.loaded = true;
        self.lay_out(accounts);
        if let Some(held) = held
            && let Some(n) = self.entries.iter().position(|e| self.name_of(e).as_ref() == Some(&held))
        {
            self.cursor = n;
        }
        self.settle(1);
    }

    /// What an entry is, independent of its place.
    fn name_of(&self, entry: &Entry) -> Option<Name> {
        match entry {
            Entry::View(view) => Some(Name::View(*view)),
            Entry::Saved(n) => Some(Name::Saved(*n)),
            Entry::Mailbox { row, .. } => self.rows.get(*row).map(|r| Name::View(View::Mailbox(r.id))),
            _ => None,
        }
    }

    fn lay_out(&mut self, accounts: &[AccountName]) {
        self.entries = vec![Entry::Everywhere];
        let views = VIEWS.into_iter().skip(usize::from(accounts.len() < 2));
        self.entries.extend(views.map(Entry::View));
        self.entries.extend((0..self.saved.len()).map(Entry::Saved));
        for account in accounts {
            self.entries.extend([Entry::Gap, Entry::Account(account.clone())]);
            let mut hidden_below: Option<(MailboxPath, Option<char>)> = None;
            let rooted = self.is_rooted(account);
            for (n, row) in self.rows.iter().enumerate().filter(|(_, r)| r.account == *account) {
                if let Some((parent, delimiter)) = &hidden_below {
                    if is_below(&row.path, parent, *delimiter) {
                        continue;
                    }
                    hidden_below = None;
                }
                // Depth counts only ancestors that are shown.
                let depth = self.depth(row, rooted);
                let parent = !(rooted && row.path.is_inbox());
                let inside = |r: &MailboxRow| is_below(&r.path, &row.path, row.delimiter) && r.role.is_none();
                let has_children = parent && self.rows.iter().any(|r| r.account == row.account && inside(r));
                let folded = has_children.then(|| self.folded.contains(&row.id));
                if folded == Some(true) {
                    hidden_below = Some((row.path.clone(), row.delimiter));
                }
                self.entries.push(Entry::Mailbox { row: n, depth, folded });
            }
        }
    }

    /// Whether the server has everything inside of the inbox, the mailboxes with a role too: then the inbox is the root of the tree,
    /// and no branch of it.
    fn is_rooted(&self, account: &AccountName) -> bool {
        let inside = |r: &MailboxRow| r.role.is_some() && is_below(&r.path, &MailboxPath::inbox(), r.delimiter);
        self.rows.iter().any(|r| r.account == *account && inside(r))
    }

    fn depth(&self, row: &MailboxRow, rooted: bool) -> usize {
        if row.role.is_some() {
            return 0;
        }
        let mut depth = 0;
        let mut path = row.path.parent(row.delimiter);
        while let Some(parent) = path {
            let shown = self.rows.iter().any(|r| r.account == row.account && r.path == parent && !(rooted && parent.is_inbox()));
            depth += usize::from(shown);
            path = parent.parent(row.delimiter);
        }
        depth
    }

    /// Folds or unfolds the mailbox under the cursor.
    pub fn fold(&mut self, fold: bool, accounts: &[AccountName]) -> bool {
        let Some(Entry::Mailbox { row, folded: Some(_), .. }) = self.current() else { return false };
        let Some(id) = self.rows.get(*row).map(|r| r.id) else { return false };
        let changed = if fold { self.folded.insert(id) } else { self.folded.remove(&id) };
        self.lay_out(accounts);
        self.settle(1);
        changed
    }

    /// Whether the cursor can stand on it.
    const fn stands(entry: &Entry) -> bool {
        matches!(entry, Entry::View(_) | Entry::Saved(_) | Entry::Mailbox { .. })
    }

    /// Keeps the cursor on a line where it can stand and inside what is seen; looks in `direction` first.
    fn settle(&mut self, direction: isize) {
        self.cursor = self.cursor.min(self.entries.len().saturating_sub(1));
        let ahead = |n: &usize| self.entries.get(*n).is_some_and(Self::stands);
        let down = (self.cursor..self.entries.len()).find(ahead);
        let up = (0..=self.cursor).rev().find(ahead);
        let found = if direction >= 0 { down.or(up) } else { up.or(down) };
        self.cursor = found.unwrap_or(0);
        let height = self.height.max(1);
        let lowest_top = self.entries.len().saturating_sub(height);
        self.top = self.top.min(self.cursor).max((self.cursor + 1).saturating_sub(height)).min(lowest_top);
        // The heading above the first line is worth showing.
        if self.cursor <= height.saturating_sub(1) && self.top <= 1 {
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
        self.cursor = if last { self.entries.len() } else { 0 };
        self.settle(if last { -1 } else { 1 });
    }

    /// Moves by pages.
    pub fn page(&mut self, down: bool) {
        let by = self.height.max(2).cast_signed() - 1;
        self.step(if down { by } else { -by });
    }

    /// How many lines can be seen.
    pub fn set_height(&mut self, height: usize) {
        if self.height != height {
            self.height = height;
            self.settle(1);
        }
    }

    /// Puts the cursor on a line of the screen, if it can stand there.
    pub fn point(&mut self, line: usize) -> bool {
        let there = self.entries.get(self.top + line).is_some_and(Self::stands);
        if there {
            self.cursor = self.top + line;
        }
        there
    }

    /// Puts the cursor on a mailbox or a view.
    pub fn show(&mut self, view: View) {
        if let Some(n) = self.entries.iter().position(|e| self.name_of(e) == Some(Name::View(view))) {
            self.cursor = n;
            self.settle(1);
        }
    }

    /// The line under the cursor.
    #[must_use]
    pub fn current(&self) -> Option<&Entry> {
        self.entries.get(self.cursor)
    }

    /// The lines that can be seen, each with whether it is the cursor's.
    pub fn visible(&self) -> impl Iterator<Item = (&Entry, bool)> {
        self.entries.iter().enumerate().skip(self.top).take(self.height).map(|(n, e)| (e, n == self.cursor))
    }

    /// All mailboxes.
    #[must_use]
    pub fn rows(&self) -> &[MailboxRow] {
        &self.rows
    }

    /// Whether the store has answered.
    #[must_use]
    pub const fn loaded(&self) -> bool {
        self.loaded
    }

    /// The mailbox of that number.
    #[must_use]
    pub fn mailbox(&self, id: MailboxId) -> Option<&MailboxRow> {
        self.rows.iter().find(|r| r.id == id)
    }

    /// Whether the account subscribes to any mailbox but the inbox.
    #[must_use]
    pub fn subscribes(&self, account: &AccountName) -> bool {
        self.rows.iter().any(|r| r.account == *account && r.subscribed && !r.path.is_inbox())
    }

    /// How many unread messages a view has, as far as the mailboxes say.
    #[must_use]
    pub fn unread(&self, view: View) -> Option<u32> {
        let counts = |r: &&MailboxRow| match view {
            View::Mailbox(id) => r.id == id,
            View::Inboxes => r.role == Some(Role::Inbox),
            View::Unread => !matches!(r.role, Some(Role::Trash | Role::Junk)),
            View::Flagged => false,
        };
        let sum = self.rows.iter().filter(counts).fold(0_u32, |sum, r| sum.saturating_add(r.unread));
        (view != View::Flagged).then_some(sum)
    }

    /// The account's mailbox for a role.
    #[must_use]
    pub fn of_role(&self, account: &AccountName, role: Role) -> Option<&MailboxRow> {
        self.rows.iter().find(|r| r.account == *account && r.role == Some(role))
    }

    /// The account's mailbox that is what `other` is for its own.
    #[must_use]
    pub fn alike(&self, account: &AccountName, other: &MailboxRow) -> Option<&MailboxRow> {
        self.rows.iter().find(|r| r.account == *account && r.selectable && r.is_like(other))
    }

    /// The mailbox that a person means by a name: whole, last part, or role; without case.
    #[must_use]
    pub fn named(&self, account: Option<&AccountName>, name: &str) -> Option<&MailboxRow> {
        let mine = || self.rows.iter().filter(|r| account.is_none_or(|a| r.account == *a) && r.selectable);
        let same = |a: &str| a.to_lowercase() == name.to_lowercase();
        mine()
            .find(|r| same(&r.path.decoded()))
            .or_else(|| mine().find(|r| same(&r.path.leaf(r.delimiter))))
            .or_else(|| mine().find(|r| r.role.is_some_and(|role| same(role.word()))))
    }
}

/// What a mailbox is called: the inbox by our word for it, others as they are.
#[must_use]
pub fn name(mailbox: &MailboxRow) -> String {
    if mailbox.path.is_inbox() { "Inbox".to_owned() } else { mailbox.path.leaf(mailbox.delimiter) }
}

fn is_below(path: &MailboxPath, parent: &MailboxPath, delimiter: Option<char>) -> bool {
    let Some(delimiter) = delimiter else { return false };
    path.as_str().strip_prefix(parent.as_str()).is_some_and(|rest| rest.starts_with(delimiter) && rest.len() > 1)
}

#[cfg(test)]
mod tests;
