//! tree — what is done to mailboxes: make, rename, delete, subscribe, empty.
//! Owns: `Naming`, their commands. May import: engine::api, mail.
//! Start reading at: `App::tree_command`. Deleting and emptying ask first and say how much it is; all of it is shown at once and
//! told to the server later, like what is done to messages.

use super::input::Line;
use super::layout::Focus;
use super::limits;
use super::msg::Note;
use super::popup::Popup;
use super::screen::folders::{self, Entry};
use super::state::App;
use super::words::plural;
use crate::base::safetext::SafeText;
use crate::config::KeepBodies;
use crate::engine::api::{MailboxAct, Request};
use crate::mail::ids::{AccountName, MailboxId};
use crate::mail::mailbox::{MailboxPath, Role};
use crate::mail::rights::Right;
use crate::mail::row::{MailboxRow, View};

/// What a name is typed for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Naming {
    /// A new mailbox of this account.
    Create(AccountName),
    /// Another name of this one.
    Rename(MailboxId),
}

impl App {
    /// Runs a command of this group; `false` if it is none.
    pub(super) fn tree_command(&mut self, id: &str, arg: &str) -> bool {
        match id {
            "create-mailbox" => self.create(arg),
            "rename-mailbox" => self.rename(arg),
            "delete-mailbox" => self.delete_mailbox(),
            "subscribe" => self.subscribe(),
            "keep-offline" => self.keep_offline(),
            "empty-mailbox" => self.empty_mailbox(),
            _ => return false,
        }
        true
    }

    /// The mailbox that a command is about: the one under the cursor of the pane, else the open one.
    #[must_use]
    pub fn mailbox_at_hand(&self) -> Option<&MailboxRow> {
        match self.folders.current() {
            Some(Entry::Mailbox { row, .. }) if self.focus == Focus::Folders => self.folders.rows().get(*row),
            _ if self.focus == Focus::Folders => None,
            _ => self.open_mailbox(),
        }
    }

    fn create(&mut self, arg: &str) {
        let here = self.mailbox_at_hand();
        let Some(account) = here.map(|m| m.account.clone()).or_else(|| self.account().cloned()) else { return };
        if !arg.is_empty() {
            return self.named(&Naming::Create(account), arg);
        }
        if let Some(m) = here.filter(|m| m.role.is_none() && !limits::may(m, Right::Create)) {
            let text = format!("You may not make mailboxes below {}", SafeText::line_max(&folders::name(m), 60));
            return self.status.doubt(self.now.since, &text);
        }
        let below = here.filter(|m| m.role.is_none()).and_then(|m| Some(format!("{}{}", m.path.decoded(), m.delimiter?)));
        let begin = below.unwrap_or_else(|| self.root(&account));
        self.popup = Some(Popup::Name(Naming::Create(account), Line::new(&begin)));
    }

    /// What all mailboxes of an account lie below: some servers have everything inside of the inbox.
    fn root(&self, account: &AccountName) -> String {
        let mut mine = self.folders.rows().iter().filter(|r| r.account == *account && !r.path.is_inbox()).peekable();
        let Some(delimiter) = mine.peek().and_then(|r| r.delimiter) else { return String::new() };
        let root = format!("INBOX{delimiter}");
        if mine.all(|r| r.path.as_str().starts_with(&root)) { root } else { String::new() }
    }

    fn rename(&mut self, arg: &str) {
        let Some(row) = self.mailbox_at_hand() else { return };
        let (naming, old) = (Naming::Rename(row.id), row.path.decoded());
        if arg.is_empty() {
            self.popup = Some(Popup::Name(naming, Line::new(&old)));
        } else {
            self.named(&naming, arg);
        }
    }

    /// A name was typed.
    pub(super) fn named(&mut self, naming: &Naming, typed: &str) {
        let account = match naming {
            Naming::Create(account) => Some(account.clone()),
            Naming::Rename(id) => self.folders.mailbox(*id).map(|m| m.account.clone()),
        };
        let delimiter = self.folders.rows().iter().filter(|r| Some(&r.account) == account.as_ref()).find_map(|r| r.delimiter);
        // A slash divides for everybody, whatever the server writes.
        let whole = match delimiter.filter(|d| *d != '/') {
            Some(d) => typed.trim().replace('/', &d.to_string()),
            None => typed.trim().to_owned(),
        };
        let path = MailboxPath::from_typed(whole.trim_end_matches(|c| Some(c) == delimiter));
        if let Err(why) = path.check_new(delimiter) {
            return self.status.doubt(self.now.since, why);
        }
        self.expected = account.filter(|_| self.focus == Focus::Folders).map(|a| (a, path.clone()));
        let shown = path.decoded();
        let (act, text) = match naming {
            Naming::Create(account) => {
                (MailboxAct::Create { account: account.clone(), path }, format!("made the mailbox {shown}"))
            }
            Naming::Rename(mailbox) => (MailboxAct::Rename { mailbox: *mailbox, to: path }, format!("renamed to {shown}")),
        };
        let undo = matches!(act, MailboxAct::Rename { .. });
        self.request(Request::Mailbox(act), Note::Tree { text: SafeText::line_max(&text, 200), undo });
    }

    /// A mailbox that was to be deleted stays: the cursor of the pane, where the person looks, goes back to it.
    pub(super) fn stays(&mut self, mailbox: Option<(AccountName, MailboxPath)>) {
        if self.focus == Focus::Folders && mailbox.is_some() {
            self.expected = mailbox;
            self.meet();
        }
    }

    /// The cursor of the pane goes to the mailbox that it waits for, once that is listed.
    pub(super) fn meet(&mut self) {
        let Some((account, path)) = &self.expected else { return };
        if let Some(id) = self.folders.rows().iter().find(|r| r.account == *account && r.path == *path).map(|r| r.id) {
            self.folders.show(View::Mailbox(id));
            self.expected = None;
        }
    }

    /// This mailbox and all below it.
    fn within(&self, row: &MailboxRow) -> Vec<&MailboxRow> {
        let inside = |r: &&MailboxRow| r.account == row.account && r.path.is_within(&row.path, row.delimiter);
        self.folders.rows().iter().filter(inside).collect()
    }

    fn delete_mailbox(&mut self) {
        let Some(row) = self.mailbox_at_hand() else { return };
        let all = self.within(row);
        let messages: u64 = all.iter().map(|r| u64::from(r.total)).sum();
        let below = match all.len().saturating_sub(1) {
            0 => String::new(),
            n => format!(", {} below it", plural(n as u64, "mailbox", "mailboxes")),
        };
        let name = SafeText::line_max(&folders::name(row), 40);
        let question = format!("Delete {name}{below} and {} for ever?", plural(messages, "message", "messages"));
        let act = MailboxAct::Delete { mailbox: row.id };
        self.popup = Some(Popup::Sure(SafeText::line(&question), act));
    }

    fn subscribe(&mut self) {
        let Some(row) = self.mailbox_at_hand() else { return };
        let (mailbox, on, name) = (row.id, !row.subscribed, folders::name(row));
        let text = if on { format!("subscribed to {name}") } else { format!("unsubscribed from {name}") };
        let note = Note::Tree { text: SafeText::line_max(&text, 120), undo: true };
        self.request(Request::Mailbox(MailboxAct::Subscribe { mailbox, on }), note);
    }

    fn keep_offline(&mut self) {
        let Some(row) = self.mailbox_at_hand() else { return };
        let (mailbox, name) = (row.id, folders::name(row));
        let (keep, what) = match row.offline {
            None => (Some(true), "all texts are kept on this machine"),
            Some(true) => (Some(false), "texts come when they are opened"),
            Some(false) => (None, "texts are kept as the configuration says"),
        };
        let note = Note::Tree { text: SafeText::line_max(&format!("{name}: {what}"), 160), undo: false };
        self.request(Request::KeepOffline { mailbox, keep }, note);
    }

    /// Whether all texts of a mailbox are kept here (true) or none ahead of need (false), where that was chosen for it.
    #[must_use]
    pub fn keeps(&self, row: &MailboxRow) -> Option<bool> {
        let account = self.setup.config.accounts.iter().find(|a| a.name == row.account)?;
        let ruled = || account.offline.iter().find(|rule| rule.mailboxes.names(&row.path)).map(|rule| rule.bodies);
        row.offline.or_else(|| match ruled()? {
            KeepBodies::All => Some(true),
            KeepBodies::None => Some(false),
            KeepBodies::For(_) => None,
        })
    }

    /// Switches between sparing the line and not.
    pub(super) fn switch_metered(&mut self) {
        let on = !self.metered;
        self.request(Request::Metered(on), Note::Metered(on));
    }

    /// Whether nothing of the account that is shown is fetched ahead of need, for the line costs money.
    #[must_use]
    pub fn is_metered(&self) -> bool {
        let shown = self.account().and_then(|name| self.setup.config.accounts.iter().find(|a| a.name == *name));
        self.metered || shown.is_some_and(|account| account.metered)
    }

    fn empty_mailbox(&mut self) {
        let Some(row) = self.mailbox_at_hand() else { return };
        let name = SafeText::line_max(&folders::name(row), 40);
        if row.total == 0 {
            return self.status.doubt(self.now.since, &format!("There is nothing in {name}"));
        }
        let all = plural(row.total.into(), "message", "messages");
        let question = match row.role {
            Some(Role::Trash | Role::Junk) => format!("Delete all {all} in {name} for ever?"),
            _ => format!("Move all {all} of {name} to the trash?"),
        };
        let act = MailboxAct::Empty { mailbox: row.id };
        self.popup = Some(Popup::Sure(SafeText::line(&question), act));
    }

    /// The question was answered with yes.
    pub(super) fn sure(&mut self, act: MailboxAct) {
        let (verb, id) = match &act {
            MailboxAct::Delete { mailbox } => ("deleted", *mailbox),
            MailboxAct::Empty { mailbox } => ("emptied", *mailbox),
            MailboxAct::Create { .. } | MailboxAct::Rename { .. } | MailboxAct::Subscribe { .. } => return,
        };
        let name = self.folders.mailbox(id).map_or_else(String::new, folders::name);
        let text = SafeText::line_max(&format!("{verb} {name}"), 120);
        self.request(Request::Mailbox(act), Note::Tree { text, undo: true });
    }
}
