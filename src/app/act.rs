//! act — what is done to messages: flag, file, move, copy, delete, undo.
//! Owns: `Act`, the gathering of folded conversations. May import: engine::api, mail.
//! Start reading at: `App::act`. A folded conversation counts as all its messages in that mailbox: they are asked of the store
//! first. Nothing here changes what is shown: the journal does, and its news come back within the same moment.

use super::layout::Focus;
use super::msg::{self, Note};
use super::popup::Popup;
use super::screen::folders;
use super::state::App;
use super::words::plural;
use crate::base::safetext::SafeText;
use crate::engine::api::{Query, Request};
use crate::mail::flags::{Flag, FlagDelta};
use crate::mail::ids::{AccountName, MailboxId, PlacementKey};
use crate::mail::mailbox::Role;
use crate::mail::row::MessageRow;

/// What is to be done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Act {
    Flag(FlagDelta, &'static str),
    File(Role, &'static str),
    Move(MailboxId),
    Copy(MailboxId),
    DeleteForever,
}

/// A command that waits for the messages of folded conversations.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Gather {
    act: Act,
    keys: Vec<PlacementKey>,
    /// Rows that stand for several messages, the next one last.
    heads: Vec<MessageRow>,
}

impl App {
    /// Runs a command of this group; `false` if it is none.
    pub(super) fn act_command(&mut self, id: &str, arg: &str) -> bool {
        match id {
            "mark" => {
                self.list.toggle_mark();
                self.step(1);
            }
            "range" => self.list.toggle_range(),
            "mark-like" => self.list.mark_like(),
            "archive" => self.act(Act::File(Role::Archive, "archived")),
            "delete" => self.delete(),
            "junk" => self.act(Act::File(Role::Junk, "moved to junk:")),
            "delete-forever" => self.act(Act::DeleteForever),
            "star" => self.toggle(Flag::Flagged),
            "toggle-read" => self.toggle(Flag::Seen),
            "move" | "copy" => self.choose_mailbox(id == "copy", arg),
            "undo" if self.undo_writing() => {}
            "undo" => self.request(Request::Undo { count: 1 }, Note::Undo),
            "redo" => self.request(Request::Redo, Note::Redo),
            _ => return false,
        }
        true
    }

    /// The rows that a command is about. Marks end here.
    fn take_rows(&mut self) -> Vec<MessageRow> {
        if self.focus == Focus::Reader {
            let mut row = self.viewer.view().map(|v| v.row.clone());
            if let Some(row) = &mut row {
                // The open message stands for itself.
                row.thread_total = 1;
            }
            return row.into_iter().collect();
        }
        self.list.take_targets()
    }

    /// Whether any row that a command would be about is as said; marks stay.
    fn any_row(&self, is: impl Fn(&MessageRow) -> bool) -> bool {
        if self.focus == Focus::Reader {
            return self.viewer.view().is_some_and(|v| is(&v.row));
        }
        if self.list.marked() == 0 {
            return self.list.current().is_some_and(|i| is(&i.row));
        }
        self.list.marked_rows().any(is)
    }

    /// Sets a flag where any of the messages lacks it, else clears it.
    fn toggle(&mut self, flag: Flag) {
        let seen = flag == Flag::Seen;
        let reader = self.focus == Focus::Reader;
        let lacks = |r: &MessageRow| !r.flags.has(flag) || (seen && !reader && r.thread_unread > 0);
        let set = self.any_row(lacks);
        let (delta, verb) = match (seen, set) {
            (true, true) => (FlagDelta::set(flag), "marked as read:"),
            (true, false) => (FlagDelta::clear(flag), "marked as unread:"),
            (false, true) => (FlagDelta::set(flag), "starred"),
            (false, false) => (FlagDelta::clear(flag), "took the star from"),
        };
        let mut rows = self.take_rows();
        if !(seen && set) {
            // A star, and "unread", is for the newest message of a conversation, which its row shows.
            rows.iter_mut().for_each(|r| r.thread_total = 1);
        }
        if seen && !set {
            self.read_at = None;
        }
        self.act_on(Act::Flag(delta, verb), rows);
    }

    /// To the trash; what lies there already is asked about.
    fn delete(&mut self) {
        let in_trash = self.shown_mailbox().and_then(|id| self.folders.mailbox(id)).is_some_and(|m| m.role == Some(Role::Trash));
        self.act(if in_trash { Act::DeleteForever } else { Act::File(Role::Trash, "moved to the trash:") });
    }

    pub(super) fn act(&mut self, act: Act) {
        let rows = self.take_rows();
        self.act_on(act, rows);
    }

    fn act_on(&mut self, act: Act, rows: Vec<MessageRow>) {
        if rows.is_empty() {
            self.status.doubt(self.now.since, "There is no message here");
            return;
        }
        let folded = |r: &MessageRow| self.list.threaded && r.thread_total > 1 && !self.list.is_unfolded(r.thread);
        let (heads, single): (Vec<_>, Vec<_>) = rows.into_iter().partition(folded);
        let gather = Gather { act, keys: single.iter().map(|r| r.id).collect(), heads };
        self.gathers.push_back(gather);
        if self.gathers.len() == 1 {
            self.gather_on();
        }
    }

    /// Asks for the next conversation of the first command in the queue, or carries it out.
    fn gather_on(&mut self) {
        while let Some(first) = self.gathers.front() {
            if let Some(head) = first.heads.last() {
                let query = Query::Thread(head.id);
                self.ask(msg::GATHER, query);
                return;
            }
            if let Some(done) = self.gathers.pop_front() {
                self.carry_out(done.act, done.keys);
            }
        }
    }

    /// The messages of a conversation are here; none if it is gone.
    pub(super) fn gathered(&mut self, messages: Vec<MessageRow>) {
        if let Some(first) = self.gathers.front_mut()
            && let Some(head) = first.heads.pop()
        {
            let before = first.keys.len();
            first.keys.extend(messages.iter().filter(|m| m.mailbox == head.mailbox).map(|m| m.id));
            if first.keys.len() == before {
                first.keys.push(head.id);
            }
        }
        self.gather_on();
    }

    fn carry_out(&mut self, act: Act, mut targets: Vec<PlacementKey>) {
        targets.sort_unstable();
        targets.dedup();
        let did = |verb, to| Note::Did { verb, to };
        match act {
            Act::Flag(delta, verb) => self.request(Request::Flag { targets, delta, automatic: false }, did(verb, None)),
            Act::File(role, verb) => self.request(Request::File { targets, role }, did(verb, None)),
            Act::Move(to) => {
                let name = self.mailbox_name(to);
                self.request(Request::Move { targets, to }, did("moved", name));
            }
            Act::Copy(to) => {
                let name = self.mailbox_name(to);
                self.request(Request::Copy { targets, to }, did("copied", name));
            }
            Act::DeleteForever => {
                let n = targets.len() as u64;
                let question = format!("Delete {} for ever?", plural(n, "message", "messages"));
                self.popup = Some(Popup::Delete(SafeText::line(&question), targets));
            }
        }
    }

    pub(super) fn delete_forever(&mut self, targets: Vec<PlacementKey>) {
        self.request(Request::DeleteForever { targets }, Note::Did { verb: "deleted", to: None });
    }

    fn mailbox_name(&self, id: MailboxId) -> Option<SafeText> {
        let row = self.folders.mailbox(id)?;
        Some(SafeText::line_max(&folders::name(row), 60))
    }

    pub(super) fn move_to(&mut self, id: MailboxId, copy: bool) {
        self.last_target = Some(id);
        self.act(if copy { Act::Copy(id) } else { Act::Move(id) });
    }

    fn choose_mailbox(&mut self, copy: bool, arg: &str) {
        use super::popup::Use;
        if arg.is_empty() {
            return self.open_mailboxes(if copy { Use::Copy } else { Use::Move });
        }
        let accounts = self.target_accounts();
        match self.folders.named(accounts.first(), arg).map(|m| m.id) {
            Some(id) => self.move_to(id, copy),
            None => self.status.doubt(self.now.since, &format!("No mailbox is called {arg}")),
        }
    }

    /// The accounts of the messages that a command would be about, in the order of the configuration.
    pub(super) fn target_accounts(&self) -> Vec<AccountName> {
        if self.focus == Focus::Reader || self.list.marked() == 0 {
            return self.target_account().into_iter().collect();
        }
        self.accounts.iter().filter(|a| self.list.marked_rows().any(|r| r.account == **a)).cloned().collect()
    }

    /// The account of the messages that a command would be about.
    pub(super) fn target_account(&self) -> Option<AccountName> {
        let reader = (self.focus == Focus::Reader).then(|| self.viewer.view().map(|v| v.row.account.clone())).flatten();
        reader.or_else(|| self.list.current().map(|i| i.row.account.clone())).or_else(|| self.account().cloned())
    }
}
