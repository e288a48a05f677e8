//! work — what becomes of a mail being written: saved, sent, postponed, thrown away, found again.
//! Owns: the composer's commands and its way to the engine. May import: app, engine::api, mail.
//! Start reading at: `App::compose_command`.

use super::desk::{Errand, Sent};
use super::keys::Heard;
use super::people::OFFERED;
use super::{Compose, ComposeKey, Field, check};
use crate::app::key::Key;
use crate::app::msg::{self, Effect, Note};
use crate::app::screen::Screen;
use crate::app::state::App;
use crate::base::paths;
use crate::base::safetext::SafeText;
use crate::engine::api::{Done, Fault, Query, Request};
use crate::mail::draft::About;
use crate::mail::ids::DraftId;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a mail that was thrown away can be taken back.
const REGRET: Duration = Duration::from_secs(10);

impl App {
    /// Keys of the composer that come before its commands; whether it took the key.
    pub(in crate::app) fn compose_first(&mut self, key: Key) -> bool {
        let now = self.now.since;
        let heard = self.desk.front_mut().map_or(Heard::No, |c| c.first(key, now));
        self.heard(heard)
    }

    /// Keys that are no command; whether the composer took the key.
    pub(in crate::app) fn compose_key(&mut self, key: Key) -> bool {
        let now = self.now.since;
        let heard = self.desk.front_mut().map_or(Heard::No, |c| c.key(key, now));
        self.heard(heard)
    }

    fn heard(&mut self, heard: Heard) -> bool {
        if let Heard::Attach(path) = &heard {
            self.attach(&paths::expand(path, Path::new("")));
        }
        self.compose_asks();
        heard != Heard::No
    }

    pub(in crate::app) fn compose_paste(&mut self, text: &str) {
        let now = self.now.since;
        // A file dragged onto a terminal arrives as its path.
        if let Some(compose) = self.desk.front_mut() {
            compose.paste(text, now);
        }
        self.compose_asks();
    }

    /// Asks for names and folders that what was typed needs.
    fn compose_asks(&mut self) {
        let Some(compose) = self.desk.front() else { return };
        if let Some(folder) = compose.prompt().and_then(super::attach::Prompt::wants) {
            self.out.push(Effect::ListFolder(folder));
        }
        match compose.fragment() {
            None => {
                self.desk.asked_for.clear();
                self.drop_completion();
            }
            Some(prefix) if prefix != self.desk.asked_for => {
                self.desk.asked_for.clone_from(&prefix);
                self.ask(msg::NAMES, Query::Contacts { prefix, limit: OFFERED + 4 });
            }
            Some(_) => {}
        }
    }

    fn drop_completion(&mut self) {
        if let Some(compose) = self.desk.front_mut() {
            compose.completion = None;
        }
    }

    fn attach(&mut self, path: &Path) {
        let Some(compose) = self.desk.front_mut() else { return };
        compose.copying_begins();
        let note = Note::Compose(compose.number(), Errand::Attach);
        self.request(Request::Attach { path: PathBuf::from(path) }, note);
    }

    /// Runs a command of the composer; `false` if it is none.
    pub(in crate::app) fn compose_command(&mut self, id: &str) -> bool {
        if self.screen != Screen::Compose {
            return false;
        }
        let now = self.now.since;
        let Some(compose) = self.desk.front_mut() else { return false };
        let body = compose.field() == Field::Body;
        let field = compose.field();
        match id {
            "send" => self.send(),
            "leave-draft" => self.leave_draft(),
            "discard" => self.discard(),
            "attach" => compose.open_prompt(),
            "edit-outside" => {
                let (key, text) = (compose.number(), compose.draft().body);
                self.out.push(Effect::Edit(key, text));
            }
            "read-other" => {
                self.screen = Screen::Mail;
                self.lay_out();
                let text = SafeText::of("The mail stays open");
                self.status.say(now, text, Some(("drafts", "goes on writing")));
            }
            "next-field" => compose.turn_field(1),
            "previous-field" => compose.turn_field(-1),
            "bcc" => compose.go_to(Field::Bcc),
            "next-name" => {
                compose.next_name(now, true);
                if compose.names() < 2 {
                    self.status.doubt(now, "There is only one name to write under");
                }
            }
            "reflow" if !body => {}
            "text-undo" | "text-redo" | "text-cut" | "text-paste" | "text-all" | "text-copy" | "reflow" => {
                let Some(editor) = compose.editor_mut(field) else { return true };
                let did = match id {
                    "text-undo" => editor.undo(),
                    "text-redo" => editor.redo(),
                    "text-cut" => editor.cut(),
                    "text-paste" => editor.paste_clip(),
                    "reflow" => editor.reflow(),
                    "text-all" => {
                        editor.select_all();
                        crate::app::editor::Did::Moved
                    }
                    _ => {
                        match editor.copy().map(str::to_owned) {
                            Some(text) => self.out.push(Effect::CopyText(text)),
                            None => self.status.doubt(now, "Nothing is selected: Shift and the arrows select"),
                        }
                        return true;
                    }
                };
                compose.did(did, now);
            }
            _ => return false,
        }
        self.compose_asks();
        true
    }

    /// The wheel was turned over the composer.
    pub(in crate::app) fn compose_scroll(&mut self, by: isize) {
        if let Some(compose) = self.desk.front_mut() {
            compose.body.scroll(by);
        }
    }

    /// The outside editor has ended.
    pub(in crate::app) fn edited(&mut self, key: ComposeKey, result: Result<String, String>) {
        let now = self.now.since;
        match (self.desk.get_mut(key), result) {
            (Some(compose), Ok(text)) => {
                let did = compose.body.set_text(&text);
                compose.did(did, now);
                compose.go_to(Field::Body);
            }
            (_, Err(why)) => self.status.doubt(now, &why),
            (None, Ok(_)) => {}
        }
    }

    fn send(&mut self) {
        let now = self.now.since;
        let hold = u32::try_from(self.setup.config.sending.hold.as_secs()).unwrap_or(u32::MAX);
        let Some(compose) = self.desk.front_mut() else { return };
        if compose.copying() {
            return self.status.doubt(now, "A file is still being copied; try again in a moment");
        }
        let draft = compose.draft();
        compose.reconsider(&draft);
        let problems = check::problems(&draft);
        if let Some(stops) = problems.iter().find(|p| p.stops) {
            let text = stops.text.clone();
            let field = compose.doubtful_field();
            compose.go_to(field);
            return self.status.doubt(now, text.as_str());
        }
        let unread = compose.awaits_text && matches!(draft.about, Some(About::Forward(_)));
        let unread = unread.then(|| SafeText::of("The text that you forward is not here yet"));
        if let Some(doubt) = problems.into_iter().map(|p| p.text).chain(unread).find(|t| !compose.doubted.contains(t)) {
            let text = format!("{doubt}. Send anyway?");
            compose.doubted.push(doubt);
            return self.status.ask(now, SafeText::line_max(&text, 200), ("send", "sends it"));
        }
        let Some(account) = compose.me().map(|p| p.account.clone()) else { return };
        compose.sending = true;
        compose.completion = None;
        let (id, key) = (compose.saving.id, compose.number());
        self.request(Request::Send { id, account, draft: Box::new(draft), hold }, Note::Compose(key, Errand::Send));
    }

    /// Closes the composer, and keeps what is in it.
    fn leave_draft(&mut self) {
        let Some(mut compose) = self.take_front() else { return };
        let now = self.now.since;
        let untouched = compose.is_blank() || compose.saving.dirty.is_none();
        if compose.saving.id.is_none() && untouched && !compose.saving.busy && !compose.copying() {
            return self.status.say(now, SafeText::of("Nothing was written"), None);
        }
        compose.saving.at_once = true;
        self.desk.parting.push(compose);
        self.part();
        self.status.say(now, SafeText::of("Kept as a draft"), Some(("drafts", "goes on")));
        self.compose_tick();
    }

    /// Composers that were closed and are saved now are done with.
    fn part(&mut self) {
        let (saved, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.desk.parting).into_iter().partition(Compose::is_saved);
        self.desk.parting = rest;
        for compose in saved {
            if let Some(id) = compose.saving.id {
                self.file(compose.number(), id);
            }
        }
    }

    /// The composer was left: the draft goes to the server, where other machines find it.
    pub(super) fn file(&mut self, key: ComposeKey, id: DraftId) {
        self.request(Request::FileDraft(id), Note::Compose(key, Errand::File));
    }

    /// Closes the composer, and throws away what is in it; for a while it can be taken back.
    fn discard(&mut self) {
        self.bury();
        let Some(compose) = self.take_front() else { return };
        let now = self.now.since;
        if compose.is_blank() && compose.saving.id.is_none() {
            return self.status.say(now, SafeText::of("Nothing was written"), None);
        }
        let text = SafeText::line_max(&format!("Thrown away: {}", compose.title()), 120);
        self.desk.buried = Some((compose, now + REGRET));
        self.status.say(now, text, Some(("undo", "takes it back")));
    }

    /// The mail that was thrown away is thrown away for good.
    pub(super) fn bury(&mut self) {
        if let Some((compose, _)) = self.desk.buried.take()
            && let Some(id) = compose.saving.id
        {
            self.request(Request::DiscardDraft(id), Note::Silent);
        }
    }

    /// Takes the front composer off the desk; the mail comes back to the screen.
    fn take_front(&mut self) -> Option<Compose> {
        let key = self.desk.front.take()?;
        let at = self.desk.open.iter().position(|c| c.number() == key)?;
        if self.desk.pending.is_some_and(|p| p.filling == Some(key)) {
            self.desk.pending = None;
        }
        self.desk.front = self.desk.open.iter().rev().map(Compose::number).find(|k| *k != key);
        if self.screen == Screen::Compose {
            self.screen = Screen::Mail;
            self.lay_out();
        }
        Some(self.desk.open.remove(at))
    }

    /// What was done last was done to a mail of one's own: throwing it away, or sending it.
    pub(in crate::app) fn undo_writing(&mut self) -> bool {
        if let Some((compose, _)) = self.desk.buried.take() {
            let key = compose.number();
            self.desk.open.push(compose);
            self.show_compose(key);
            return true;
        }
        if let Some(sent) = self.desk.sent.take().filter(|s| s.until > self.now.civil) {
            self.request(Request::OutboxCancel(sent.outbox), Note::Unsend);
            return true;
        }
        false
    }

    /// Time passes: what is due is saved.
    pub(in crate::app) fn compose_tick(&mut self) {
        let now = self.now.since;
        if self.desk.buried.as_ref().is_some_and(|(_, at)| now >= *at) {
            self.bury();
        }
        self.save_due(now);
    }

    pub(super) fn save_due(&mut self, now: Duration) {
        let mut saves = Vec::new();
        for compose in self.desk.open.iter_mut().chain(&mut self.desk.parting) {
            if compose.save_at().is_some_and(|at| now >= at) && !compose.sending {
                compose.saving.dirty = None;
                // A mail that was emptied again is still saved, so that the disk does not bring old words back.
                if compose.saving.id.is_none() && compose.is_blank() {
                    continue;
                }
                let Some(account) = compose.me().map(|p| p.account.clone()) else { continue };
                compose.saving.busy = true;
                let draft = compose.draft();
                compose.reconsider(&draft);
                let request = Request::SaveDraft { id: compose.saving.id, account, draft: Box::new(draft) };
                saves.push((request, Note::Compose(compose.number(), Errand::Save)));
            }
        }
        for (request, note) in saves {
            self.request(request, note);
        }
    }

    /// A request of a composer was done.
    pub(in crate::app) fn compose_done(&mut self, key: ComposeKey, errand: Errand, done: &Done) {
        let now = self.now;
        match errand {
            Errand::Save => {
                if let Some(compose) = self.desk.get_mut(key) {
                    compose.saving.busy = false;
                    compose.saving.id = done.draft.or(compose.saving.id);
                    compose.saving.at = Some(now.civil);
                }
                if let Some((compose, _)) = self.desk.buried.as_mut().filter(|(c, _)| c.number() == key) {
                    compose.saving.busy = false;
                    compose.saving.id = done.draft.or(compose.saving.id);
                }
                let open = self.desk.open.iter().any(|c| c.number() == key);
                if let Some(id) = done.draft.filter(|_| open && self.desk.leaving) {
                    self.file(key, id);
                }
                self.part();
            }
            Errand::File => {}
            Errand::Attach => {
                if let Some(compose) = self.desk.get_mut(key) {
                    compose.copied(done.attachments.clone(), now.since);
                }
                self.part();
                self.compose_tick();
            }
            Errand::Send => {
                let whom = self.desk.get_mut(key).map_or_else(String::new, |c| c.whom());
                if self.desk.front == Some(key) {
                    self.take_front();
                } else {
                    self.desk.open.retain(|c| c.number() != key);
                }
                self.desk.sent = done.outbox.zip(done.until).map(|(outbox, until)| Sent { outbox, until });
                let left = |until: i64| until.saturating_sub(now.civil).max(0);
                let when = match done.until {
                    _ if done.later => "as soon as its files are here".to_owned(),
                    Some(until) => format!("in {} s", left(until)),
                    None => "now".to_owned(),
                };
                let undo = self.desk.sent.map(|_| ("undo", "takes it back"));
                self.status.say(now.since, SafeText::line_max(&format!("Goes to {whom} {when}"), 120), undo);
            }
        }
    }

    /// A request of a composer failed: nothing is lost, and the person hears why.
    pub(in crate::app) fn compose_failed(&mut self, key: ComposeKey, errand: Errand, fault: &Fault) {
        let now = self.now.since;
        self.status.fault(now, fault);
        if let Some(at) = self.desk.parting.iter().position(|c| c.number() == key) {
            let compose = self.desk.parting.remove(at);
            self.desk.open.push(compose);
            self.show_compose(key);
        }
        let Some(compose) = self.desk.get_mut(key) else { return };
        match errand {
            Errand::Save => {
                compose.saving.busy = false;
                // Tried again after a while, or with the next key.
                compose.saving.dirty = Some((now, now + super::LONGEST));
                compose.saving.at_once = false;
            }
            Errand::Attach => compose.copied(Vec::new(), now),
            Errand::Send => compose.sending = false,
            // It is saved here, and tried again when it is left next, or at the next start.
            Errand::File => {}
        }
    }
}
