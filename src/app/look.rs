//! look — what others may see of the state, and what of it follows: where keys go, what a command is about, why one cannot be run.
//! Owns: that part of `App`. May import: engine::api, mail.
//! Start reading at: `App::pane`.

use super::command::{self, CommandSpec, Pane};
use super::compose::desk::Desk;
use super::input::Line;
use super::key::Key;
use super::layout::Focus;
use super::list::{Source, Window};
use super::msg::Now;
use super::popup::Popup;
use super::screen::Screen;
use super::screen::account::Form;
use super::screen::folders::Folders;
use super::screen::jobs::Jobs;
use super::screen::outbox::Outbox;
use super::screen::viewer::{State, Viewer};
use super::state::{App, Setup, WHICH_KEY};
use super::status::Status;
use super::trie::Keymap;
use super::words::Calendar;
use crate::base::safetext::SafeText;
use crate::engine::api::{Connectivity, ServerSearch};
use crate::mail::ids::AccountName;
use crate::mail::row::{MailboxRow, View};
use std::collections::BTreeMap;

impl App {
    /// The pane whose keys hold.
    #[must_use]
    pub const fn pane(&self) -> Pane {
        match (self.screen, self.focus) {
            (Screen::Outbox, _) => Pane::Outbox,
            (Screen::Jobs, _) => Pane::Jobs,
            (Screen::Compose, _) => Pane::Compose,
            (Screen::Account, _) => Pane::Compose,
            (Screen::Mail, Focus::Folders) => Pane::Folders,
            (Screen::Mail, Focus::Messages) => Pane::Messages,
            (Screen::Mail, Focus::Reader) => Pane::Reader,
        }
    }

    /// Why a command cannot be run now.
    #[must_use]
    pub fn why_not(&self, spec: &CommandSpec) -> Option<&'static str> {
        let changes = spec.undo != command::Undo::Nothing || spec.group == command::Group::Mailbox;
        if self.setup.read_only && (changes || spec.group == command::Group::Write) {
            return Some("nothing can be changed: opened with --read-only");
        }
        if spec.group == command::Group::Mailbox && spec.id != "create-mailbox" && self.mailbox_at_hand().is_none() {
            return Some("there is no mailbox here");
        }
        if matches!(spec.id, "rename-mailbox" | "delete-mailbox") && self.mailbox_at_hand().is_some_and(|m| m.path.is_inbox()) {
            return Some("the inbox can be neither renamed nor deleted");
        }
        if spec.id == "search-server" && self.search.as_ref().is_none_or(|s| s.line.text().trim().is_empty()) {
            return Some("there is no search here");
        }
        let covered = spec.keys.is_empty()
            || spec.group == command::Group::Mailbox
            || spec.keys.iter().any(|(pane, _)| pane.covers().contains(&self.pane()));
        if !covered {
            return Some("not in this pane");
        }
        if let Some(why) = self.forbidden(spec.id) {
            return Some(why);
        }
        if spec.group == command::Group::Mailbox {
            return None;
        }
        let on_message = spec.undo != command::Undo::Nothing && !matches!(spec.id, "undo") || spec.group == command::Group::Mark;
        let nothing = match self.focus {
            Focus::Reader => self.viewer.view().is_none(),
            Focus::Messages | Focus::Folders => self.list.current().is_none(),
        };
        (on_message && nothing).then_some("there is no message here")
    }

    /// The mailbox in the list, if the list shows one.
    #[must_use]
    pub fn open_mailbox(&self) -> Option<&MailboxRow> {
        match self.list.source {
            Source::View(View::Mailbox(id)) => self.folders.mailbox(id),
            Source::View(_) | Source::Search(_) => None,
        }
    }

    /// The view in the list that joins several mailboxes, if it shows one.
    #[must_use]
    pub fn joined(&self) -> Option<View> {
        match self.list.source {
            Source::View(View::Mailbox(_)) | Source::Search(_) => None,
            Source::View(view) => Some(view),
        }
    }

    /// The account that keys are about: of the open mailbox, in a view of several that of the row under the cursor, else the first.
    #[must_use]
    pub fn account(&self) -> Option<&AccountName> {
        let open = match self.view {
            Some(View::Mailbox(id)) => self.folders.mailbox(id).map(|m| &m.account),
            Some(_) => self.list.current().map(|i| &i.row.account),
            None => None,
        };
        open.or_else(|| self.accounts.first())
    }

    /// The account that waits for the person, else the one that keys are about.
    pub(super) fn needy_account(&self) -> Option<AccountName> {
        let needs = |a: &&AccountName| matches!(self.connectivity.get(*a), Some(Connectivity::NeedsUser(_)));
        self.accounts.iter().find(needs).or_else(|| self.account()).cloned()
    }

    /// Whether continuations of a half-typed chord are to be listed.
    #[must_use]
    pub fn which_key(&self) -> bool {
        !self.typed.is_empty() && self.now.since >= self.typed_at + WHICH_KEY
    }

    /// Whether the open message waits for its text.
    #[must_use]
    pub fn reader_waits(&self) -> bool {
        matches!(self.viewer.state(), Some(State::Asked))
    }
}

macro_rules! look {
    ($($(#[$doc:meta])* $name:ident: $type:ty,)*) => {
        impl App {
            $($(#[$doc])* #[must_use] pub const fn $name(&self) -> &$type { &self.$name })*
        }
    };
}

look! {
    /// How it was started.
    setup: Setup,
    /// All keys.
    keys: Keymap,
    /// The person's days.
    calendar: Calendar,
    /// The accounts in the order of the configuration.
    accounts: Vec<AccountName>,
    /// How accounts stand, as far as is known.
    connectivity: BTreeMap<AccountName, Connectivity>,
    /// The mailboxes.
    folders: Folders,
    /// The list.
    list: Window,
    /// The open message.
    viewer: Viewer,
    /// Outgoing mail and waiting changes.
    outbox: Outbox,
    /// What runs.
    jobs: Jobs,
    /// Mails that are being written.
    desk: Desk,
    /// What has the room.
    screen: Screen,
    /// Where keys go.
    focus: Focus,
    /// What lies over the screen.
    popup: Option<Popup>,
    /// The form of a new account.
    form: Option<Form>,
    /// A half-typed chord.
    typed: Vec<Key>,
    /// Notices and work.
    status: Status,
    /// The clock.
    now: Now,
}

impl App {
    /// The search's line, whether it is being typed, whether there are more hits than shown, and what is wrong with it.
    #[must_use]
    pub fn search(&self) -> Option<(&Line, bool, bool, Option<&SafeText>)> {
        self.search.as_ref().map(|s| (&s.line, s.editing, s.more, s.complaint.as_ref()))
    }

    /// How the servers stand with the search that is shown, if they were asked.
    #[must_use]
    pub fn server_search(&self) -> Option<&ServerSearch> {
        self.search.as_ref().and_then(|s| s.servers.as_ref())
    }
}
