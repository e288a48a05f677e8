//! go — where one is: mailboxes, panes, search, the open message.
//! Owns: opening and leaving. May import: engine::api, mail.
//! Start reading at: `App::open_view`.

use super::compose::desk::Purpose;
use super::input::Line;
use super::layout::{Focus, MIDDLE};
use super::list::{Source, Want, Window};
use super::msg::{self, Note};
use super::popup::Use;
use super::screen::Screen;
use super::screen::folders::Entry;
use super::state::{App, Search};
use crate::base::safetext::SafeText;
use crate::engine::api::{Away, Body, Query, Request};
use crate::mail::ids::{MailboxId, PlacementKey};
use crate::mail::mailbox::Role;
use crate::mail::row::{RowCursor, View};

/// Hits that a search asks for while one types.
const HITS: u32 = 200;

impl App {
    /// Runs a command of this group; `false` if it is none.
    pub(super) fn go_command(&mut self, id: &str, arg: &str) -> bool {
        match id {
            "goto-inbox" => self.open_role(Role::Inbox),
            "goto-sent" => self.open_role(Role::Sent),
            "goto-drafts" => self.open_role(Role::Drafts),
            "goto-archive" => self.open_role(Role::Archive),
            "goto-trash" => self.open_role(Role::Trash),
            "goto-junk" => self.open_role(Role::Junk),
            "goto-outbox" => self.open_outbox(),
            "goto-jobs" => {
                self.screen = Screen::Jobs;
                self.ask(msg::JOBS, Query::Jobs);
            }
            // The inbox of the only account is all there is.
            "goto-inboxes" if self.accounts.len() < 2 => self.open_role(Role::Inbox),
            "goto-inboxes" => self.open_view(View::Inboxes),
            "goto-unread" => self.open_view(View::Unread),
            "goto-starred" => self.open_view(View::Flagged),
            "goto" if arg.is_empty() => self.open_mailboxes(Use::Go),
            "goto" => self.open_named(arg),
            "account" => self.open_account(arg),
            "search" => self.open_search(arg, arg.is_empty()),
            "search-server" => self.ask_servers(),
            "next-pane" => self.next_pane(1),
            "previous-pane" => self.next_pane(-1),
            "open" => self.open(),
            "back" => self.back(),
            "zoom" => {
                self.zoom = !self.zoom;
                self.lay_out();
            }
            "unfold" => self.unfold(),
            "fold" => self.fold(),
            "threads" => self.toggle_threads(),
            "refresh" => {
                self.request(Request::Refresh { account: None }, Note::Silent);
                // What could not be had may be had now.
                if let Some(view) = self.viewer.view().filter(|v| matches!(v.body, Body::Failed(_))) {
                    let id = view.row.id;
                    self.request(Request::FetchBody(id), Note::Silent);
                }
                self.status.say(self.now.since, SafeText::of("Asking for news"), None);
            }
            _ => return false,
        }
        true
    }

    pub(super) fn shown_mailbox(&self) -> Option<MailboxId> {
        match self.list.source {
            Source::View(View::Mailbox(id)) => Some(id),
            Source::View(_) | Source::Search(_) => self.list.current().map(|i| i.row.mailbox),
        }
    }

    /// Moves the keys to a pane.
    pub(super) fn set_focus(&mut self, focus: Focus) {
        if self.focus != focus {
            self.focus = focus;
            self.lay_out();
        }
        if focus != Focus::Reader {
            self.read_at = None;
        }
    }

    fn next_pane(&mut self, by: isize) {
        if self.screen != Screen::Mail {
            self.screen = Screen::Mail;
            return;
        }
        let reader = self.viewer.id().is_some();
        let order = [Focus::Folders, Focus::Messages, Focus::Reader];
        let count = if reader { 3 } else { 2 };
        let at = order.iter().position(|f| *f == self.focus).unwrap_or(0).cast_signed();
        let next = (at + by).rem_euclid(count).unsigned_abs();
        if let Some(focus) = order.get(next) {
            self.set_focus(*focus);
        }
    }

    pub(super) fn open_mailbox_id(&mut self, id: MailboxId) {
        self.open_view(View::Mailbox(id));
    }

    pub(super) fn open_view(&mut self, view: View) {
        self.screen = Screen::Mail;
        self.leave_servers();
        self.search = None;
        self.view = Some(view);
        self.list = Window::new(Source::View(view), self.threaded);
        self.folders.show(view);
        self.set_focus(Focus::Messages);
        self.lay_out();
        self.ask_page(Window::first_page());
        if let View::Mailbox(id) = view {
            self.request(Request::OpenMailbox(id), Note::Silent);
        }
        // The pane beside the list goes with it.
        if self.setup.size.0 >= MIDDLE {
            self.viewer.close();
        }
    }

    /// Asks for rows of the mailbox in the list.
    pub(super) fn ask_page(&mut self, want: Want) {
        match &self.list.source {
            Source::View(view) => {
                let (view, threaded) = (*view, self.list.threaded);
                self.ask(msg::LIST, Query::Messages { view, threaded, cursor: want.cursor, limit: want.limit });
            }
            Source::Search(text) => {
                let query = Query::Search { text: text.clone(), within: None, limit: HITS };
                self.ask(msg::SEARCH, query);
            }
        }
    }

    fn open_role(&mut self, role: Role) {
        let Some(account) = self.account().cloned() else { return };
        match self.folders.of_role(&account, role).map(|m| m.id) {
            Some(id) => self.open_mailbox_id(id),
            None => self.status.doubt(self.now.since, &format!("{account} has no mailbox for {}", role.word())),
        }
    }

    pub(super) fn open_named(&mut self, name: &str) {
        match self.folders.named(None, name).map(|m| m.id) {
            Some(id) => self.open_mailbox_id(id),
            None => self.status.doubt(self.now.since, &format!("No mailbox is called {name}")),
        }
    }

    fn open_outbox(&mut self) {
        self.screen = Screen::Outbox;
        self.ask(msg::OUTBOX, Query::Outbox);
        self.ask(msg::QUEUE, Query::Queue);
    }

    /// What Enter does.
    pub(super) fn open(&mut self) {
        if self.screen == Screen::Outbox {
            self.show_line();
            return;
        }
        match self.focus {
            Focus::Folders => match self.folders.current().cloned() {
                Some(Entry::View(view)) => self.open_view(view),
                Some(Entry::Saved(n)) => {
                    if let Some((_, query)) = self.folders.saved(n).cloned() {
                        self.search = None;
                        self.open_search(&query, false);
                    }
                }
                Some(Entry::Mailbox { row, .. }) => {
                    let chosen = self.folders.rows().get(row).filter(|m| m.selectable).map(|m| m.id);
                    match chosen {
                        Some(id) => self.open_mailbox_id(id),
                        None => self.status.doubt(self.now.since, "This mailbox only holds other mailboxes"),
                    }
                }
                _ => {}
            },
            Focus::Messages => {
                if let Some(id) = self.list.current().map(|i| i.row.id) {
                    if self.is_draft(id) {
                        return self.write_from(Purpose::GoOn);
                    }
                    self.set_focus(Focus::Reader);
                    self.show_message(id, true);
                }
            }
            Focus::Reader => {}
        }
    }

    /// Shows a message; `reading` if the person asked for it, so that it counts as read after a while.
    pub(super) fn show_message(&mut self, id: PlacementKey, reading: bool) {
        self.follow_at = None;
        // What is being looked at stays, but while a mailbox is first read its newest come last.
        let fills = matches!(self.view, Some(View::Mailbox(m)) if self.status.reads(m));
        if reading || !fills {
            self.list.cling();
        }
        if self.viewer.open(id) {
            self.ask(msg::READER, Query::Message(id));
        }
        self.lay_out();
        if reading {
            self.read_at = self.setup.config.reading.mark_read_after.map(|after| self.now.since + after);
        }
    }

    /// The list's cursor moved: the message beside it follows after a pause.
    pub(super) fn cursor_moved(&mut self) {
        let beside = self.layout().reader.is_some() && self.focus == Focus::Messages && self.screen == Screen::Mail;
        if beside && self.list.current().map(|i| i.row.id) != self.viewer.id() {
            self.follow_at = self.setup.follow.map(|pause| self.now.since + pause);
        }
        if let Some(want) = self.list.next_page() {
            self.ask_page(want);
        }
    }

    fn back(&mut self) {
        if self.screen != Screen::Mail {
            self.screen = Screen::Mail;
        } else if self.zoom {
            self.zoom = false;
            self.lay_out();
        } else if self.focus == Focus::Reader && self.viewer.end_find() {
        } else if self.focus == Focus::Reader || self.focus == Focus::Folders {
            self.set_focus(Focus::Messages);
        } else if self.list.clear_marks() {
        } else if self.search.is_some() {
            self.leave_search();
        } else {
            self.set_focus(Focus::Folders);
        }
    }

    /// Begins a search, or changes the one that is shown.
    pub(super) fn open_search(&mut self, text: &str, editing: bool) {
        self.screen = Screen::Mail;
        let text = match &self.search {
            Some(search) if text.is_empty() => search.line.text().to_owned(),
            _ => text.to_owned(),
        };
        let (before, asked, servers) = match self.search.take() {
            Some(search) => (search.before, search.asked, search.servers),
            None => (Some(self.list.clone()), None, None),
        };
        let line = Line::new(&text);
        self.search = Some(Search { line, before, editing, more: false, complaint: None, asked, servers });
        self.set_focus(Focus::Messages);
        if !text.is_empty() {
            self.search_typed();
        }
        self.lay_out();
    }

    /// The text of the search has changed.
    pub(super) fn search_typed(&mut self) {
        let Some(search) = &mut self.search else { return };
        let text = search.line.text().trim().to_owned();
        search.complaint = None;
        if search.asked.as_ref().is_some_and(|asked| *asked != text) {
            self.leave_servers();
        }
        if text.is_empty() {
            return;
        }
        // The hits shown stay until the new ones are here.
        let query = Query::Search { text, within: None, limit: HITS };
        self.ask(msg::SEARCH, query);
    }

    /// The servers go on with the search that is shown.
    fn ask_servers(&mut self) {
        let Some(search) = &mut self.search else { return };
        let text = search.line.text().trim().to_owned();
        search.editing = false;
        search.asked = Some(text.clone());
        self.request(Request::AskServers { text }, Note::Silent);
    }

    /// Nobody waits for the servers any more.
    fn leave_servers(&mut self) {
        let Some(search) = self.search.as_mut() else { return };
        search.servers = None;
        if search.asked.take().is_some() {
            self.request(Request::LeaveServers, Note::Silent);
        }
    }

    pub(super) fn leave_search(&mut self) {
        self.leave_servers();
        let before = self.search.take().and_then(|s| s.before);
        if matches!(self.list.source, Source::Search(_))
            && let Some(before) = before
        {
            // As it was, with what came and went in between.
            self.list = before;
            if let Some(view) = self.view {
                self.folders.show(view);
                self.ask_page(self.list.same_page());
            }
        }
        self.lay_out();
        self.cursor_moved();
    }

    fn unfold(&mut self) {
        if self.focus == Focus::Folders {
            self.folders.fold(false, &self.accounts);
        } else if let Some(row) = self.list.folded() {
            let id = row.id;
            self.ask(msg::UNFOLD, Query::Thread(id));
        }
    }

    fn fold(&mut self) {
        if self.focus == Focus::Folders {
            self.folders.fold(true, &self.accounts);
        } else {
            self.list.fold();
            self.cursor_moved();
        }
    }

    fn toggle_threads(&mut self) {
        if matches!(self.list.source, Source::View(view) if !view.can_thread()) {
            return self.status.doubt(self.now.since, "This list shows single messages");
        }
        self.threaded = !self.threaded;
        let said = if self.threaded { "Conversations" } else { "Single messages" };
        self.status.say(self.now.since, SafeText::of(said), None);
        if let Source::View(view) = self.list.source {
            // The cursor's message stays the place.
            let at = self.list.current().map(|i| i.row.sort);
            self.list = Window::new(Source::View(view), self.threaded);
            self.lay_out();
            let newest = Window::first_page();
            let cursor = at.filter(|_| !self.threaded).map_or(newest.cursor, |_| RowCursor::Newest);
            self.ask_page(Want { cursor, ..newest });
        }
    }

    /// The open message's text is not here: asks for it, once.
    pub(super) fn want_body(&mut self) {
        if let Some(view) = self.viewer.view()
            && matches!(view.body, Body::NotHere { why: Away::Unasked })
        {
            let id = view.row.id;
            self.request(Request::FetchBody(id), Note::Silent);
        }
    }
}
