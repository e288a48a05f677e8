//! state — everything the reader knows while it runs, and what of it others may look at.
//! Owns: `App`, `Setup`. May import: engine::api, mail, config, base.
//! Start reading at: `App`, then `update.rs`, the only way in.

use super::act::Gather;
use super::command::{self, CommandSpec, Pane};
use super::compose::desk::Desk;
use super::input::Line;
use super::key::Key;
use super::layout::{Focus, Layout};
use super::list::{Source, Window};
use super::msg::{self, Effect, Note, Now};
use super::popup::Popup;
use super::reading::Places;
use super::screen::Screen;
use super::screen::account::Form;
use super::screen::folders::Folders;
use super::screen::outbox::Outbox;
use super::screen::viewer::{State, Viewer};
use super::status::Status;
use super::trie::Keymap;
use super::words::Calendar;
use crate::base::safetext::SafeText;
use crate::config::{self, Config};
use crate::engine::api::{Connectivity, Password, Query, Request, Slot, Ticket};
use crate::mail::ids::{AccountName, MailboxId};
use crate::mail::row::{MailboxRow, View};
use crate::mail::structure::Prefer;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::time::Duration;

/// How the reader starts.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The configuration.
    pub config: Config,
    /// The person's zone.
    pub zone: TimeZone,
    /// The terminal: columns and rows.
    pub size: (u16, u16),
    /// How long the cursor rests before the message pane follows; none: only when asked to.
    pub follow: Option<Duration>,
    /// The account to begin with.
    pub account: Option<AccountName>,
    /// The mailbox to begin with.
    pub mailbox: Option<String>,
    /// Whether nothing may be changed.
    pub read_only: bool,
    /// The texts of the signature files that the configuration names.
    pub signatures: BTreeMap<PathBuf, String>,
    /// Mails to begin with: `mailto:` addresses, or people.
    pub compose: Vec<String>,
    /// Names of the themes.
    pub themes: Vec<String>,
    /// A password that was typed for an account a moment ago.
    pub password: Option<(AccountName, Password)>,
}

/// A search that is shown in the list.
#[derive(Clone, Debug)]
pub(super) struct Search {
    pub(super) line: Line,
    /// The list as it was before, to go back to.
    pub(super) before: Option<Window>,
    /// Whether keys still go to the line.
    pub(super) editing: bool,
    pub(super) more: bool,
    pub(super) complaint: Option<SafeText>,
}

/// The reader.
pub struct App {
    pub(super) setup: Setup,
    pub(super) keys: Keymap,
    pub(super) now: Now,
    pub(super) calendar: Calendar,
    pub(super) accounts: Vec<AccountName>,
    pub(super) connectivity: BTreeMap<AccountName, Connectivity>,
    pub(super) folders: Folders,
    pub(super) list: Window,
    /// What was opened last; a search goes back to it.
    pub(super) view: Option<View>,
    pub(super) threaded: bool,
    pub(super) search: Option<Search>,
    pub(super) viewer: Viewer,
    pub(super) places: Places,
    pub(super) outbox: Outbox,
    pub(super) desk: Desk,
    pub(super) screen: Screen,
    pub(super) form: Option<Form>,
    /// The password of the account that is tested or was just made.
    pub(super) secret: Option<Password>,
    pub(super) focus: Focus,
    pub(super) zoom: bool,
    pub(super) popup: Option<Popup>,
    pub(super) typed: Vec<Key>,
    pub(super) typed_at: Duration,
    pub(super) status: Status,
    pub(super) asked: BTreeMap<Slot, u64>,
    pub(super) sent: BTreeMap<Ticket, Note>,
    pub(super) gathers: VecDeque<Gather>,
    /// Accounts whose password was asked for in this run.
    pub(super) declined: BTreeSet<AccountName>,
    pub(super) last_target: Option<MailboxId>,
    /// A jump to an unread row waits for its page; whether it is to be opened then.
    pub(super) unread_jump: Option<bool>,
    pub(super) follow_at: Option<Duration>,
    pub(super) read_at: Option<Duration>,
    pub(super) out: Vec<Effect>,
}

/// What the list shows before the mailboxes are known.
pub(super) const NOTHING: Source = Source::View(View::Mailbox(MailboxId(0)));
/// How long a half-typed chord waits before its continuations are listed.
const WHICH_KEY: Duration = Duration::from_millis(300);

impl App {
    /// At its start; [`Self::start`] says what to ask first. Keys that the configuration binds wrongly are said in the status line.
    #[must_use]
    pub fn new(setup: Setup, now: Now) -> Self {
        let (keys, wrong) = Keymap::new(&setup.config.keys);
        let mut status = Status::default();
        if let Some(first) = wrong.first() {
            status.doubt(now.since, first);
        }
        let prefer = match setup.config.reading.prefer {
            config::Prefer::Plain => Prefer::Plain,
            config::Prefer::Html => Prefer::Html,
        };
        let threaded = setup.config.reading.threads;
        let mut app = Self {
            keys,
            now,
            calendar: Calendar::new(setup.zone.clone(), now.civil),
            accounts: setup.config.accounts.iter().map(|a| a.name.clone()).collect(),
            connectivity: BTreeMap::new(),
            folders: Folders::default(),
            list: Window::new(NOTHING, threaded),
            view: None,
            threaded,
            search: None,
            viewer: Viewer::new(prefer, setup.zone.clone()),
            places: Places::default(),
            outbox: Outbox::default(),
            desk: Desk::default(),
            screen: Screen::Mail,
            form: None,
            secret: None,
            focus: Focus::Messages,
            zoom: false,
            popup: None,
            typed: Vec::new(),
            typed_at: Duration::ZERO,
            status,
            asked: BTreeMap::new(),
            sent: BTreeMap::new(),
            gathers: VecDeque::new(),
            declined: BTreeSet::new(),
            last_target: None,
            unread_jump: None,
            follow_at: None,
            read_at: None,
            out: Vec::new(),
            setup,
        };
        if app.accounts.is_empty() {
            app.open_form();
        }
        app.lay_out();
        app
    }

    /// What to ask when the screen opens.
    #[must_use]
    pub fn start(&mut self) -> Vec<Effect> {
        if let Some((account, password)) = self.setup.password.take() {
            self.request(Request::Password { account, password }, Note::Silent);
        }
        self.ask(msg::FOLDERS, Query::Mailboxes);
        self.ask(msg::OUTBOX, Query::Outbox);
        self.ask(msg::QUEUE, Query::Queue);
        self.ask(msg::DRAFTS, Query::Drafts);
        for to in std::mem::take(&mut self.setup.compose) {
            self.write_new(&to);
        }
        std::mem::take(&mut self.out)
    }

    /// The engine gave a question this number.
    pub fn asked(&mut self, slot: Slot, generation: u64) {
        self.asked.insert(slot, generation);
    }

    /// The engine gave a request this ticket.
    pub fn sent(&mut self, ticket: Ticket, note: Note) {
        self.sent.insert(ticket, note);
    }

    /// Something outside could not be done.
    pub fn complain(&mut self, why: &str) {
        self.status.doubt(self.now.since, why);
    }

    /// Whether the first rows are here, or there are none to wait for.
    #[must_use]
    pub fn settled(&self) -> bool {
        self.list.loaded() || self.accounts.is_empty()
    }

    pub(super) fn ask(&mut self, slot: Slot, query: Query) {
        self.out.push(Effect::Query(slot, query));
    }

    pub(super) fn request(&mut self, request: Request, note: Note) {
        self.out.push(Effect::Request(request, note));
    }

    /// When something changes by itself; none at rest.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        let chord = (!self.typed.is_empty() && self.now.since < self.typed_at + WHICH_KEY).then_some(self.typed_at + WHICH_KEY);
        [self.status.deadline(self.now.since), self.follow_at, self.read_at, chord, self.desk.deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Where the panes are.
    #[must_use]
    pub fn layout(&self) -> Layout {
        Layout::of(self.setup.size.0, self.setup.size.1, self.focus, self.zoom)
    }

    /// Tells each pane its room.
    pub(super) fn lay_out(&mut self) {
        let layout = self.layout();
        if let Some(area) = layout.folders {
            self.folders.set_height(usize::from(area.height));
        }
        if let Some(area) = layout.list {
            // The line that is typed into takes one.
            let typing = u16::from(self.search.is_some());
            self.list.set_height(usize::from(area.height.saturating_sub(typing)));
        }
        if let Some(area) = layout.reader {
            self.viewer.set_size(area.width, area.height);
        }
        self.outbox.set_height(usize::from(layout.main.height));
        if let Some(compose) = self.desk.front_mut() {
            compose.set_size(layout.main.width, layout.main.height);
        }
    }

    /// The pane whose keys hold.
    #[must_use]
    pub const fn pane(&self) -> Pane {
        match (self.screen, self.focus) {
            (Screen::Outbox, _) => Pane::Outbox,
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
        let covered = spec.keys.is_empty()
            || spec.group == command::Group::Mailbox
            || spec.keys.iter().any(|(pane, _)| pane.covers().contains(&self.pane()));
        if !covered {
            return Some("not in this pane");
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
}
