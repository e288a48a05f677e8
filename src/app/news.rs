//! news — what the engine tells: answers, outcomes, changes, faults.
//! Owns: their way into the state. May import: engine::api, mail.
//! Start reading at: `App::news`.

use super::layout::Focus;
use super::list::{Source, Window};
use super::msg::{self, Effect, Note};
use super::screen::{Screen, folders};
use super::state::{App, NOTHING};
use super::words::{count, plural};
use crate::base::safetext::SafeText;
use crate::engine::api::{
    Answer, Changes, Connectivity, Done, Fault, Kind, MessagePage, News, Outcome, Query, Rows, SearchPage, Slot,
};
use crate::mail::ids::MailboxId;
use crate::mail::mailbox::Role;
use crate::mail::row::{MailboxRow, View};
use std::collections::BTreeMap;

impl App {
    pub(super) fn news(&mut self, news: News) {
        for (account, state) in news.connectivity {
            if let Connectivity::NeedsUser(fault) = &state
                && self.connectivity.get(&account) != Some(&state)
                && fault.kind != Kind::NoPassword
            {
                self.status.fault(self.now.since, fault);
            }
            self.connectivity.insert(account, state);
        }
        self.needless_password();
        self.ask_password();
        if self.screen == Screen::Jobs && (news.jobs || !news.progress.is_empty()) {
            self.ask(msg::JOBS, Query::Jobs);
        }
        for (task, progress) in news.progress {
            self.status.progress(self.now.since, task, progress);
        }
        self.arrived(&news.arrived);
        for to in &news.compose {
            self.write_new(to);
        }
        for outcome in news.outcomes {
            self.outcome(outcome);
        }
        for (slot, answer) in news.answers {
            self.answer(slot, answer);
        }
        self.desk.spooled(&news.spooled, self.now.since);
        self.metered = news.metered.unwrap_or(self.metered);
        self.pace.hold(news.changes);
        for fault in &news.faults {
            self.status.fault(self.now.since, fault);
        }
        self.status.more_faults(news.more_faults);
    }

    /// New mail came: a line says so where the list does not show it, and what the person wants beside it.
    fn arrived(&mut self, arrived: &BTreeMap<MailboxId, u32>) {
        let quiet = |m: &MailboxRow| matches!(m.role, Some(Role::Sent | Role::Drafts | Role::Trash | Role::Junk));
        let rows = arrived.iter().filter_map(|(id, n)| self.folders.mailbox(*id).map(|m| (m, u64::from(*n))));
        let news: Vec<(&MailboxRow, u64)> = rows.filter(|(m, _)| !quiet(m)).collect();
        let count = news.iter().map(|(_, n)| n).sum();
        let place = match news.as_slice() {
            [] => return,
            [(one, _)] if self.accounts.len() > 1 => format!("{} / {}", one.account, folders::name(one)),
            [(one, _)] => folders::name(one),
            several => plural(several.len() as u64, "mailbox", "mailboxes"),
        };
        let text = SafeText::line_max(&format!("{} in {place}", plural(count, "new message", "new messages")), 120);
        let seen = self.screen == Screen::Mail && news.iter().all(|(m, _)| self.shows(m));
        if !seen {
            self.status.mention(self.now.since, text.clone());
        }
        let ways = self.setup.config.reading.notify.clone();
        if !ways.is_empty() {
            self.out.push(Effect::Notify(text, ways));
        }
    }

    /// Whether the list shows what comes to a mailbox.
    fn shows(&self, mailbox: &MailboxRow) -> bool {
        match self.list.source {
            Source::View(View::Mailbox(id)) => id == mailbox.id,
            Source::View(View::Inboxes) => mailbox.role == Some(Role::Inbox),
            Source::View(View::Unread) => true,
            Source::View(View::Flagged) | Source::Search(_) => false,
        }
    }

    /// Asks again for what is shown and was touched.
    pub(super) fn changes(&mut self, changes: &Changes) {
        if changes.mailboxes || changes.all {
            self.ask(msg::FOLDERS, Query::Mailboxes);
            self.ask(msg::QUOTAS, Query::Quotas);
        }
        let touched = changes.all || !changes.lists.is_empty() || !changes.messages.is_empty();
        let inner = if touched { self.list.leading() } else { Vec::new() };
        for (id, slot) in inner.into_iter().zip(msg::RENEW) {
            self.ask(Slot(slot), Query::Thread(id));
        }
        match &self.list.source {
            Source::View(view) if touches(changes, *view) => {
                let want = if self.list.loaded() { self.list.same_page() } else { Window::first_page() };
                self.ask_page(want);
            }
            Source::Search(_) if changes.all || changes.found || !changes.lists.is_empty() => self.ask_page(Window::first_page()),
            _ => {}
        }
        if let Some(id) = self.viewer.id()
            && (self.viewer.message().is_none_or(|m| changes.message(m)) || !changes.lists.is_empty())
            && !changes.is_empty()
        {
            self.ask(msg::READER, Query::Message(id));
        }
        if changes.outbox {
            self.ask(msg::OUTBOX, Query::Outbox);
        }
        if changes.drafts || changes.all {
            self.ask(msg::DRAFTS, Query::Drafts);
        }
        if let Some(pending) = self.desk.pending.filter(|_| !changes.is_empty()) {
            self.ask(msg::WRITE, Query::Message(pending.message));
        }
        if changes.queue {
            self.ask(msg::QUEUE, Query::Queue);
        }
    }

    fn answer(&mut self, slot: Slot, answer: Answer) {
        if self.asked.get(&slot).is_some_and(|newest| answer.generation < *newest) {
            return;
        }
        match (slot, answer.rows) {
            (_, Ok(Rows::Mailboxes(rows))) => self.mailboxes(rows),
            (_, Ok(Rows::Messages(page))) => self.page(page),
            (_, Ok(Rows::Search(page))) => self.hits(page),
            (msg::WRITE, Ok(Rows::Message(view))) => self.original(&view),
            (_, Ok(Rows::Message(view))) => {
                self.viewer.fill(*view);
                self.want_body();
            }
            (_, Ok(Rows::Jobs(rows))) => self.jobs.fill(rows),
            (_, Ok(Rows::Quotas(rows))) => self.rooms_came(rows),
            (_, Ok(Rows::Page(sheet, page))) => self.viewer.laid(&sheet, *page),
            (_, Ok(Rows::Outbox(rows))) => self.outbox.fill_mails(rows),
            (_, Ok(Rows::Queue(rows))) => self.outbox.fill_changes(rows),
            (msg::GATHER, rows) => match rows {
                Ok(Rows::Thread(rows)) => self.gathered(rows),
                Ok(_) => {}
                Err(fault) => {
                    self.gathers.clear();
                    self.status.fault(self.now.since, &fault);
                }
            },
            (msg::UNFOLD, Ok(Rows::Thread(rows))) => self.unfolded(rows),
            (slot, Ok(Rows::Thread(rows))) if msg::renews(slot) => self.list.renew(rows),
            (slot, Err(_)) if msg::renews(slot) => {}
            (msg::READER, Err(fault)) => {
                self.viewer.fail(fault);
                self.after_loss();
            }
            (_, Err(fault)) => self.status.fault(self.now.since, &fault),
            (_, Ok(Rows::Contacts(people))) => {
                let prefix = self.desk.asked_for.clone();
                if let Some(compose) = self.desk.front_mut() {
                    compose.offer(&prefix, &people);
                }
            }
            (_, Ok(Rows::Drafts(rows))) => self.drafts_came(rows),
            (_, Ok(Rows::Draft(saved))) => self.resume(*saved),
            (_, Ok(Rows::Thread(_))) => {}
        }
    }

    fn mailboxes(&mut self, rows: Vec<MailboxRow>) {
        self.folders.fill(rows, &self.accounts);
        self.meet();
        if let Some(View::Mailbox(id)) = self.view {
            let there = self.folders.mailbox(id).is_some();
            if there && !self.stands_in {
                return;
            }
            // It is gone, or the cache was made anew.
            if !there {
                self.stands_in = false;
                self.view = None;
                self.list = Window::new(NOTHING, self.threaded);
            }
        }
        self.open_by_itself();
    }

    /// Opens what is to be seen first, as soon as it is there, and something else where it went away: behind a mail that is being
    /// written, the outbox or a form, since nobody asked for it now.
    fn open_by_itself(&mut self) {
        let screen = self.screen;
        if let Some(name) = self.setup.mailbox.take() {
            self.open_named(&name);
        }
        if (self.view.is_none() || self.stands_in) && self.search.is_none() {
            self.open_inbox();
        }
        self.screen = screen;
    }

    fn page(&mut self, page: MessagePage) {
        if self.list.source != Source::View(page.view) || self.list.threaded != page.threaded {
            return;
        }
        let jumped = self.unread_jump.take();
        if jumped.is_some() && page.rows.is_empty() {
            self.list.forget_jump();
            return self.status.doubt(self.now.since, "Everything here is read");
        }
        if let Some(want) = self.list.fill(page.rows, page.above, page.total) {
            self.ask_page(want);
        }
        if let (Some(true), Some(id)) = (jumped, self.list.current().map(|i| i.row.id)) {
            self.show_message(id, true);
        }
        self.rows_changed();
    }

    fn hits(&mut self, page: SearchPage) {
        let Some(search) = &mut self.search else { return };
        if search.line.text().trim() != page.text {
            return;
        }
        (search.more, search.complaint) = (page.more, page.complaint);
        let before = std::mem::replace(&mut search.servers, page.servers);
        let fault = search.servers.as_ref().and_then(|now| now.faults.last());
        if let Some(fault) =
            fault.filter(|_| before.is_none_or(|b| Some(b.faults.len()) != search.servers.as_ref().map(|s| s.faults.len())))
        {
            self.status.fault(self.now.since, fault);
        }
        let source = Source::Search(page.text);
        if self.list.source != source {
            self.list = Window::new(source, false);
            self.lay_out();
        }
        let total = u32::try_from(page.rows.len()).unwrap_or(u32::MAX);
        // A search holds all its rows: no page can be refused.
        let _ = self.list.fill(page.rows, 0, total);
        self.rows_changed();
    }

    /// Rows came, went or moved: the message beside the list follows.
    fn rows_changed(&mut self) {
        if self.focus == Focus::Reader {
            self.after_loss();
        } else {
            self.cursor_moved();
        }
    }

    /// The open message was filed away while one reads: on with the one under the cursor.
    fn after_loss(&mut self) {
        let Some(id) = self.viewer.id() else { return };
        if self.focus != Focus::Reader || self.list.holds(id) || self.lost_alone() {
            return;
        }
        match self.list.current().map(|i| i.row.id) {
            Some(next) => self.show_message(next, true),
            None => {
                self.viewer.close();
                self.set_focus(Focus::Messages);
            }
        }
    }

    /// Whether the open message never was a row of this list: a message inside a folded conversation, or far away.
    fn lost_alone(&self) -> bool {
        let row = self.viewer.view().map(|v| &v.row);
        match self.list.source {
            // What was read is no longer unread, and still open.
            Source::Search(_) | Source::View(View::Unread | View::Flagged) => row.is_some(),
            Source::View(View::Mailbox(id)) => {
                self.list.threaded && row.is_some_and(|r| r.mailbox == id && self.list.holds_thread(r.thread))
            }
            Source::View(View::Inboxes) => self.list.threaded && row.is_some_and(|r| self.list.holds_thread(r.thread)),
        }
    }

    fn unfolded(&mut self, rows: Vec<crate::mail::row::MessageRow>) {
        self.list.unfold(rows);
        if std::mem::take(&mut self.inside) && self.focus == Focus::Reader && self.list.seek(true, Window::is_unread) {
            return self.show_current();
        }
        self.cursor_moved();
    }

    fn outcome(&mut self, outcome: Outcome) {
        let note = self.sent.remove(&outcome.ticket).unwrap_or(Note::Silent);
        match outcome.result {
            Ok(done) => self.done(note, &done),
            Err(fault) => self.refused(note, &fault),
        }
    }

    fn refused(&mut self, note: Note, fault: &Fault) {
        match note {
            Note::Compose(key, errand) => self.compose_failed(key, errand, fault),
            _ => self.status.fault(self.now.since, fault),
        }
    }

    fn done(&mut self, note: Note, done: &Done) {
        let n = count(done.count.into());
        let undo = Some(("undo", "takes it back"));
        let now = self.now.since;
        match note {
            Note::Silent => {}
            Note::Compose(key, errand) => self.compose_done(key, errand, done),
            Note::Unsend => {
                if let Some(id) = done.draft {
                    self.ask(msg::RESUME, Query::Draft(id));
                }
                self.status.say(now, SafeText::of("Taken back: it was not sent"), None);
            }
            Note::Did { verb, to } => {
                let to = to.map_or(String::new(), |to| format!(" to {to}"));
                let missed =
                    if done.missed > 0 { format!(", {} could not be", count(done.missed.into())) } else { String::new() };
                let undo = undo.filter(|_| done.group.is_some() && done.count > 0);
                self.status.say(now, SafeText::line_max(&format!("{verb} {n}{to}{missed}"), 200), undo);
            }
            Note::Tree { text, undo: can } => {
                let undo = undo.filter(|_| can && done.group.is_some());
                let many = if done.count > 1 { format!(", {n} in all") } else { String::new() };
                self.status.say(now, SafeText::line_max(&format!("{text}{many}"), 200), undo);
            }
            Note::Undo if done.count == 0 => self.status.doubt(now, "There is nothing to take back"),
            Note::Redo if done.count == 0 => self.status.doubt(now, "There is nothing to do again"),
            Note::Undo => {
                let text = format!("took back the {} of {}", deed(done.word), about(done));
                self.status.say(now, SafeText::line_max(&text, 200), Some(("redo", "does it again")));
                self.stays(done.stays.clone());
            }
            Note::Redo => {
                let text = format!("did again the {} of {}", deed(done.word), about(done));
                self.status.say(now, SafeText::line_max(&text, 200), undo);
            }
            Note::Saved => self.file_came(None, done),
            Note::Open(from) => self.file_came(Some(from), done),
            Note::Metered(on) => {
                self.metered = on;
                let what = if on { "only what is opened is fetched now" } else { "texts are fetched ahead of need again" };
                self.status.say(now, SafeText::of(what), None);
            }
            Note::Password(account) => {
                self.status.say(now, SafeText::line_max(&format!("logging in to {account}"), 120), None);
            }
        }
    }
}

/// Whether a list has to be asked for again.
fn touches(changes: &Changes, view: View) -> bool {
    match view {
        View::Mailbox(id) => changes.list(id),
        View::Inboxes | View::Unread | View::Flagged => changes.all || !changes.lists.is_empty(),
    }
}

/// What it was done to.
fn about(done: &Done) -> String {
    match done.word {
        "create mailbox" | "rename mailbox" | "delete mailbox" => plural(done.count.into(), "mailbox", "mailboxes"),
        "subscribe" | "unsubscribe" => plural(done.count.into(), "subscription", "subscriptions"),
        _ => plural(done.count.into(), "message", "messages"),
    }
}

/// What was done, as a noun.
fn deed(word: &'static str) -> &'static str {
    match word {
        "flag" => "marking",
        "archive" => "archiving",
        "delete" | "expunge" => "deletion",
        "copy" => "copying",
        "create mailbox" => "making",
        "rename mailbox" => "renaming",
        "delete mailbox" => "deletion",
        "subscribe" | "unsubscribe" => "change",
        "empty" => "emptying",
        "" => "change",
        other => other,
    }
}
