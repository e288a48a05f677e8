//! update — one thing happened: what becomes of the state, and what is to be done outside.
//! Owns: keys, mouse and timers on their way to commands. May import: app, engine::api.
//! Start reading at: `App::update`.

use super::command::CommandSpec;
use super::key::{Code, Key};
use super::layout::Focus;
use super::limits;
use super::list::Source;
use super::msg::{self, Effect, Msg, Note, Now};
use super::popup::Popup;
use super::screen::Screen;
use super::screen::outbox::Line;
use super::state::App;
use super::trie::Lookup;
use crate::base::safetext::SafeText;
use crate::engine::api::{Query, Request};
use crate::mail::flags::{Flag, FlagDelta};
use crate::mail::rights::Right;

impl App {
    /// Takes one thing in.
    #[must_use]
    pub fn update(&mut self, msg: Msg, now: Now) -> Vec<Effect> {
        self.now = now;
        self.calendar.set(now.civil);
        if matches!(msg, Msg::Key(_) | Msg::Paste(_) | Msg::Click(..) | Msg::Wheel(..)) {
            self.pace.acted(now.since);
            self.stands_in = false;
        }
        match msg {
            Msg::Key(key) => self.key(key),
            Msg::Paste(text) => self.paste(&text),
            Msg::Click(spot, line) => self.click(spot, line),
            Msg::Wheel(spot, down) => self.wheel(spot, if down { 3 } else { -3 }),
            Msg::News(news) => self.news(*news),
            Msg::Point(x, y) => {
                if let Some(compose) = self.desk.front_mut() {
                    compose.point(x, y);
                }
            }
            Msg::Edited(key, result) => self.edited(key, result),
            Msg::Listed(folder, entries) => {
                if let Some(compose) = self.desk.front_mut() {
                    compose.listed(&folder, entries);
                }
            }
            Msg::Resize(width, height) => {
                self.setup.size = (width, height);
                self.lay_out();
            }
            Msg::Tried(result) => self.tried(result),
            Msg::Found(address, found) => self.found(&address, found),
            Msg::Tick => {}
        }
        self.tick();
        if let Some(sheet) = self.viewer.take_heavy() {
            self.ask(msg::PAGE, Query::Page(sheet));
        }
        if let Some(id) = self.viewer.take_failed() {
            self.request(Request::Stumbled(id), Note::Silent);
        }
        std::mem::take(&mut self.out)
    }

    fn tick(&mut self) {
        let now = self.now.since;
        self.status.tick(now);
        self.compose_tick();
        self.catch_up();
        if self.follow_at.is_some_and(|at| now >= at) {
            self.follow_at = None;
            if let Some(id) = self.list.current().map(|i| i.row.id) {
                self.show_message(id, false);
            }
        }
        if self.read_at.is_some_and(|at| now >= at) {
            self.read_at = None;
            self.mark_read();
        }
    }

    /// The open message was looked at for long enough.
    fn mark_read(&mut self) {
        if self.setup.read_only {
            return;
        }
        if let Some(view) = self.viewer.view()
            && !view.row.flags.has(Flag::Seen)
            && self.folders.mailbox(view.row.mailbox).is_none_or(|m| limits::may(m, Right::Seen))
        {
            let targets = vec![view.row.id];
            self.request(Request::Flag { targets, delta: FlagDelta::set(Flag::Seen), automatic: true }, Note::Silent);
        }
    }

    fn key(&mut self, key: Key) {
        if self.popup.is_some() {
            return self.popup_key(key);
        }
        if self.screen == Screen::Account {
            return self.form_key(key);
        }
        if self.screen == Screen::Mail && self.search.as_ref().is_some_and(|s| s.editing) && self.search_key(key) {
            return;
        }
        if self.screen == Screen::Mail && self.focus == Focus::Reader && self.find_key(key) {
            return;
        }
        if self.screen == Screen::Compose && self.typed.is_empty() && self.compose_first(key) {
            return;
        }
        if key.code == Code::Esc && !self.typed.is_empty() {
            self.typed.clear();
            return;
        }
        self.typed.push(key);
        match self.keys.lookup(self.pane(), &self.typed) {
            Lookup::Command(binding) => {
                self.typed.clear();
                // The digits are one command: which one was pressed is its argument.
                let digit = key.typed().filter(|c| c.is_ascii_digit() && binding.command.id == "account").map(String::from);
                let arg = if binding.arg.is_empty() { digit.unwrap_or_default() } else { binding.arg };
                self.run(binding.command, &arg);
            }
            Lookup::Prefix => self.typed_at = self.now.since,
            Lookup::Nothing => {
                if self.screen == Screen::Compose && self.typed.len() == 1 && self.compose_key(key) {
                    self.typed.clear();
                    return;
                }
                let chord = super::key::chord_text(&std::mem::take(&mut self.typed));
                let help = self.keys.key_for(self.pane(), "help").map_or(String::new(), |k| format!("; {k} shows the keys"));
                self.status.doubt(self.now.since, &format!("{chord} does nothing here{help}"));
            }
        }
    }

    /// Keys while a search is typed; `false` for those that are about the hits.
    fn search_key(&mut self, key: Key) -> bool {
        let Some(search) = &mut self.search else { return false };
        match (key.code, key.ctrl) {
            (Code::Esc, _) | (Code::Char('c' | 'g'), true) => self.leave_search(),
            (Code::Enter, _) => {
                search.editing = false;
                if search.line.text().trim().is_empty() {
                    self.leave_search();
                }
            }
            (Code::Down | Code::PageDown | Code::Up | Code::PageUp | Code::Tab, _) => {
                search.editing = false;
                return false;
            }
            _ => {
                let before = search.line.text().to_owned();
                if !search.line.key(key) {
                    return false;
                }
                if search.line.text() != before {
                    self.search_typed();
                }
            }
        }
        true
    }

    fn paste(&mut self, text: &str) {
        if self.popup.is_some() {
            self.popup_paste(text);
        } else if self.screen == Screen::Compose {
            self.compose_paste(text);
        } else if let Some(form) = self.form.as_mut().filter(|_| self.screen == Screen::Account) {
            form.paste(text);
        } else if let Some(search) = self.search.as_mut().filter(|s| s.editing) {
            search.line.insert(text);
            self.search_typed();
        } else if let Some(find) = self.viewer.find_mut().filter(|f| f.editing) {
            find.typed.insert(text);
            self.viewer.look();
        } else {
            // Letters that were meant for a composer are no commands.
            self.status.doubt(self.now.since, "Nothing takes pasted text here");
        }
    }

    /// Runs a command, or says why it cannot be run now.
    pub(super) fn run(&mut self, spec: &'static CommandSpec, arg: &str) {
        if let Some(why) = self.why_not(spec) {
            return self.status.doubt(self.now.since, &format!("{}: {why}", spec.id));
        }
        let done = self.move_command(spec.id)
            || self.go_command(spec.id, arg)
            || self.write_command(spec.id, arg)
            || self.act_command(spec.id, arg)
            || self.tree_command(spec.id, arg)
            || self.tag_command(spec.id, arg)
            || self.reader_command(spec.id, arg)
            || self.program_command(spec.id, arg)
            || self.outbox_command(spec.id);
        if !done {
            self.status.doubt(self.now.since, &format!("{} cannot be done here", spec.id));
        }
    }

    /// Moves the cursor of what has the focus by so many lines.
    pub(super) fn step(&mut self, by: isize) {
        match (self.screen, self.focus) {
            (Screen::Outbox, _) => self.outbox.step(by),
            (Screen::Jobs, _) => self.jobs.step(by),
            (Screen::Compose, _) => {}
            (Screen::Account, _) => {}
            (Screen::Mail, Focus::Folders) => self.folders.step(by),
            (Screen::Mail, Focus::Messages) => {
                self.list.step(by);
                self.cursor_moved();
            }
            (Screen::Mail, Focus::Reader) => self.viewer.scroll(by),
        }
    }

    fn page_by(&mut self, down: bool, half: bool) {
        match (self.screen, self.focus) {
            (Screen::Outbox, _) => self.outbox.page(down),
            (Screen::Jobs, _) => self.jobs.page(down),
            (Screen::Compose, _) => {}
            (Screen::Account, _) => {}
            (Screen::Mail, Focus::Folders) => self.folders.page(down),
            (Screen::Mail, Focus::Messages) => {
                self.list.page(down, half);
                self.cursor_moved();
            }
            (Screen::Mail, Focus::Reader) => {
                self.viewer.page_by(down, half);
            }
        }
    }

    fn go_end(&mut self, last: bool) {
        match (self.screen, self.focus) {
            (Screen::Outbox, _) => self.outbox.end(last),
            (Screen::Jobs, _) => self.jobs.end(last),
            (Screen::Compose, _) => {}
            (Screen::Account, _) => {}
            (Screen::Mail, Focus::Folders) => self.folders.end(last),
            (Screen::Mail, Focus::Messages) => {
                let want = if last { self.list.last() } else { self.list.first() };
                match want {
                    Some(want) => self.ask_page(want),
                    None => self.cursor_moved(),
                }
            }
            (Screen::Mail, Focus::Reader) => self.viewer.end(last),
        }
    }

    fn move_command(&mut self, id: &str) -> bool {
        match id {
            "down" => self.step(1),
            "up" => self.step(-1),
            "half-page-down" => self.page_by(true, true),
            "half-page-up" => self.page_by(false, true),
            "page-down" => self.page_by(true, false),
            "page-up" => self.page_by(false, false),
            "first" => self.go_end(false),
            "last" => self.go_end(true),
            "next-unread" => self.next_unread(true),
            "previous-unread" => self.next_unread(false),
            "next-message" => self.next_message(1),
            "previous-message" => self.next_message(-1),
            _ => return false,
        }
        true
    }

    /// To the next unread message, or the next hit of a search; in the reader, it is opened.
    pub(super) fn next_unread(&mut self, forward: bool) {
        if self.focus == Focus::Reader && self.next_hit(forward) {
            return;
        }
        let hits = self.search.is_some();
        if forward && self.stands_on_next() {
            return self.show_current();
        }
        if forward && self.focus == Focus::Reader && self.unread_within() {
            return;
        }
        if !self.list.seek(forward, |list, i| hits || list.is_unread(i)) {
            if hits {
                return self.status.doubt(self.now.since, "No more hits");
            }
            self.unread_jump = Some(self.focus == Focus::Reader);
            let want = self.list.jump_unread(forward);
            return self.ask_page(want);
        }
        self.show_current();
    }

    /// Reading, what is unread in the conversation under the cursor comes before the next one: it is unfolded.
    fn unread_within(&mut self) -> bool {
        let Some(id) = self.list.unread_inside() else { return false };
        self.inside = true;
        self.ask(msg::UNFOLD, Query::Thread(id));
        true
    }

    /// Whether the open message has left the list (it is no longer unread), so that the cursor is on the one after it.
    fn stands_on_next(&self) -> bool {
        let single = matches!(self.list.source, Source::View(view) if !view.can_thread());
        let left = self.viewer.id().is_some_and(|id| !self.list.holds(id));
        self.focus == Focus::Reader && single && left && self.list.current().is_some()
    }

    fn next_message(&mut self, by: isize) {
        if by > 0 && self.stands_on_next() {
            return self.show_current();
        }
        let was = self.list.current().map(|i| i.row.id);
        self.list.step(by);
        if self.list.current().map(|i| i.row.id) == was {
            let what = if by > 0 { "This is the last message" } else { "This is the first message" };
            return self.status.doubt(self.now.since, what);
        }
        self.show_current();
    }

    /// The cursor went to another message: in the reader it is opened, in the list it may follow.
    pub(super) fn show_current(&mut self) {
        self.cursor_moved();
        if self.focus == Focus::Reader
            && let Some(id) = self.list.current().map(|i| i.row.id)
        {
            self.show_message(id, true);
        }
    }

    fn program_command(&mut self, id: &str, arg: &str) -> bool {
        match id {
            "palette" => self.open_palette(),
            "help" => self.popup = Some(Popup::Help(self.pane(), 0)),
            "redraw" => self.out.push(Effect::Redraw),
            "suspend" => self.out.push(Effect::Suspend),
            "quit" => self.out.push(Effect::Quit),
            "theme" if arg.is_empty() => self.open_themes(),
            "theme" => self.set_theme(arg.to_owned()),
            "add-account" => self.open_form(),
            "metered" => self.switch_metered(),
            "stop-job" => match self.jobs.current() {
                Some(job) => self.request(Request::StopJob(job.id), Note::Silent),
                None => self.status.doubt(self.now.since, "Nothing runs here"),
            },
            "password" => {
                let named = self.accounts.iter().find(|a| a.as_str() == arg).cloned();
                if let Some(account) = named.or_else(|| self.needy_account()) {
                    self.open_password(account);
                }
            }
            _ => return false,
        }
        true
    }

    pub(super) fn set_theme(&mut self, name: String) {
        self.out.push(Effect::Theme(name));
    }

    fn outbox_command(&mut self, id: &str) -> bool {
        let Some(line) = self.outbox.current() else { return false };
        let (request, note) = match (id, line) {
            ("retry", Line::Mail(m)) => (Request::OutboxRetry(m.id), Note::Silent),
            ("retry", Line::Change(c)) => (Request::QueueRetry(c.id), Note::Silent),
            ("cancel", Line::Mail(m)) => (Request::OutboxCancel(m.id), Note::Silent),
            ("cancel", Line::Change(c)) => (Request::QueueDrop(c.id), Note::Silent),
            ("mark-sent", Line::Mail(m)) => (Request::OutboxMarkSent(m.id), Note::Silent),
            _ => return false,
        };
        self.request(request, note);
        true
    }

    /// What Enter does on a line of the outbox: says all that is known.
    pub(super) fn show_line(&mut self) {
        let text = match self.outbox.current() {
            Some(Line::Mail(m)) if !m.fault.is_empty() => m.fault.to_string(),
            Some(Line::Mail(m)) => format!("to {}", m.recipients.join(", ")),
            Some(Line::Change(c)) if !c.fault.is_empty() => c.fault.to_string(),
            Some(Line::Change(c)) => format!("{}: {}", c.account, c.detail),
            Some(Line::Heading(_)) | None => return,
        };
        self.status.say(self.now.since, SafeText::line_max(&text, 400), None);
    }
}
