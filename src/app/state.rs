//! state — everything the reader knows while it runs, and what of it others may look at.
//! Owns: `App`, `Setup`. May import: engine::api, mail, config, base.
//! Start reading at: `App`, then `update.rs`, the only way in.

use super::act::Gather;
use super::compose::desk::Desk;
use super::input::Line;
use super::key::Key;
use super::layout::{Focus, Layout};
use super::limits::Room;
use super::list::{Source, Window};
use super::msg::{self, Effect, Note, Now};
use super::pace::Pace;
use super::popup::Popup;
use super::reading::Places;
use super::screen::Screen;
use super::screen::account::Form;
use super::screen::folders::Folders;
use super::screen::jobs::Jobs;
use super::screen::outbox::Outbox;
use super::screen::viewer::Viewer;
use super::status::Status;
use super::trie::Keymap;
use super::words::Calendar;
use crate::base::safetext::SafeText;
use crate::config::{self, Config};
use crate::engine::api::{Connectivity, Password, Query, Request, ServerSearch, Slot, Ticket};
use crate::mail::ids::{AccountName, MailboxId};
use crate::mail::mailbox::MailboxPath;
use crate::mail::row::View;
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
    /// The text for which the servers were asked, if they were.
    pub(super) asked: Option<String>,
    /// How they stand with it.
    pub(super) servers: Option<ServerSearch>,
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
    /// Another account's inbox was there before that of the account to begin with or last asked for, and nobody has done anything since.
    pub(super) stands_in: bool,
    pub(super) threaded: bool,
    pub(super) search: Option<Search>,
    pub(super) viewer: Viewer,
    pub(super) places: Places,
    /// The command that got a message last.
    pub(super) piped: String,
    pub(super) outbox: Outbox,
    pub(super) jobs: Jobs,
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
    /// How full accounts are.
    pub(super) rooms: Vec<(AccountName, Room)>,
    /// Accounts of which it was said that they are nearly full.
    pub(super) warned: BTreeSet<AccountName>,
    /// A mailbox that was just made or renamed, or is not deleted after all: the cursor of its pane goes there once it is listed.
    pub(super) expected: Option<(AccountName, MailboxPath)>,
    /// Accounts whose password was asked for in this run.
    pub(super) declined: BTreeSet<AccountName>,
    pub(super) last_target: Option<MailboxId>,
    /// A jump to an unread row waits for its page; whether it is to be opened then.
    pub(super) unread_jump: Option<bool>,
    /// The line costs money just now: switched by the person.
    pub(super) metered: bool,
    /// The conversation that is unfolded next is gone through from its first unread message.
    pub(super) inside: bool,
    pub(super) follow_at: Option<Duration>,
    pub(super) read_at: Option<Duration>,
    pub(super) pace: Pace,
    pub(super) out: Vec<Effect>,
}

/// What the list shows before the mailboxes are known.
pub(super) const NOTHING: Source = Source::View(View::Mailbox(MailboxId(0)));
/// How long a half-typed chord waits before its continuations are listed.
pub(super) const WHICH_KEY: Duration = Duration::from_millis(300);

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
            folders: Folders::new(setup.config.searches.clone().into_iter().collect()),
            list: Window::new(NOTHING, threaded),
            view: None,
            stands_in: false,
            threaded,
            search: None,
            viewer: Viewer::new(prefer, setup.zone.clone()),
            places: Places::default(),
            piped: String::new(),
            outbox: Outbox::default(),
            jobs: Jobs::default(),
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
            rooms: Vec::new(),
            warned: BTreeSet::new(),
            expected: None,
            declined: BTreeSet::new(),
            last_target: None,
            unread_jump: None,
            metered: false,
            inside: false,
            follow_at: None,
            read_at: None,
            pace: Pace::default(),
            out: Vec::new(),
            setup,
        };
        if app.accounts.is_empty() {
            app.open_form();
        }
        app.lay_out();
        app
    }

    /// The accounts whose mail or password go over a network without encryption.
    #[must_use]
    pub fn exposed(&self) -> Vec<&AccountName> {
        let there = |name: &AccountName| self.accounts.contains(name);
        self.setup.config.accounts.iter().filter(|a| a.is_exposed() && there(&a.name)).map(|a| &a.name).collect()
    }

    /// What to ask when the screen opens.
    #[must_use]
    pub fn start(&mut self) -> Vec<Effect> {
        self.ask(msg::FOLDERS, Query::Mailboxes);
        self.ask(msg::QUOTAS, Query::Quotas);
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
        [self.status.deadline(self.now.since), self.follow_at, self.read_at, chord, self.desk.deadline(), self.pace.deadline()]
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
        self.jobs.set_height(usize::from(layout.main.height));
        if let Some(compose) = self.desk.front_mut() {
            compose.set_size(layout.main.width, layout.main.height);
        }
    }
}
