//! start — how a composer opens: new, from a `mailto:`, as an answer, from a draft.
//! Owns: its first text. May import: app, engine::api, mail, config.
//! Start reading at: `App::write_from`. An answer opens at once, with or without the text of what it answers: that may have to come
//! from the server, and nobody waits for a network before writing.

use super::desk::{Errand, Pending, Purpose};
use super::{Compose, Persona, Unfinished};
use crate::app::layout::Focus;
use crate::app::msg::{self, Note};
use crate::app::screen::Screen;
use crate::app::state::App;
use crate::base::safetext::SafeText;
use crate::engine::api::{Body, MessageView, Query, Request, SavedDraft};
use crate::mail::address::Address;
use crate::mail::body::Message;
use crate::mail::draft::{Audience, Draft, Original};
use crate::mail::envelope::MessageId;
use crate::mail::identity::{self, Identity};
use crate::mail::ids::{AccountName, DraftId, PlacementKey};
use crate::mail::mailbox::Role;
use crate::mail::structure::{self, Prefer};
use crate::mail::{address_list, mailto, render};

impl App {
    /// Everybody whom the person can write as, those of `account` first.
    fn personas(&self, account: Option<&AccountName>) -> Vec<Persona> {
        let mut all: Vec<Persona> = Vec::new();
        for config in &self.setup.config.accounts {
            for own in &config.identities {
                let signature = own.signature.as_ref().and_then(|path| self.setup.signatures.get(path)).cloned();
                let identity = Identity { address: own.address.clone(), signature: signature.unwrap_or_default() };
                all.push(Persona { account: config.name.clone(), identity });
            }
        }
        all.sort_by_key(|p| Some(&p.account) != account);
        all
    }

    /// Opens a composer on a draft.
    fn open_compose(&mut self, account: &AccountName, draft: Draft, id: Option<DraftId>) -> Option<super::ComposeKey> {
        let personas = self.personas(Some(account));
        if personas.is_empty() {
            self.status.doubt(self.now.since, "There is no account to write with");
            return None;
        }
        let key = self.desk.next_key();
        let compose = Compose::new(key, personas, account, draft, id);
        self.desk.open.push(compose);
        self.show_compose(key);
        Some(key)
    }

    /// Brings a composer to the front.
    pub(in crate::app) fn show_compose(&mut self, key: super::ComposeKey) {
        self.desk.front = Some(key);
        self.screen = Screen::Compose;
        self.typed.clear();
        self.lay_out();
    }

    /// A new mail, to nobody or to `to`: addresses or a `mailto:`.
    pub(in crate::app) fn write_new(&mut self, to: &str) {
        let account = self.target_account();
        let personas = self.personas(account.as_ref());
        let Some(me) = personas.first() else {
            return self.status.doubt(self.now.since, "There is no account to write with");
        };
        let account = me.account.clone();
        match mailto::parse(to, &me.identity) {
            Some(found) => {
                self.open_compose(&account, found.draft, None);
                if !found.ignored.is_empty() {
                    let names: Vec<&str> = found.ignored.iter().map(SafeText::as_str).collect();
                    self.status.doubt(self.now.since, &format!("The link also wanted: {}. That was left out", names.join(", ")));
                }
            }
            None => {
                let draft = Draft { to: address_list::parse(to), ..Draft::new(&me.identity) };
                self.open_compose(&account, draft, None);
            }
        }
    }

    /// Writes an answer to the message that keys are about, or another one from it.
    pub(in crate::app) fn write_from(&mut self, purpose: Purpose) {
        let reader = (self.focus == Focus::Reader).then(|| self.viewer.id()).flatten();
        let Some(message) = reader.or_else(|| self.list.current().map(|i| i.row.id)) else {
            return self.status.doubt(self.now.since, "There is no message here");
        };
        let purpose = if purpose == Purpose::AsNew && self.is_draft(message) { Purpose::GoOn } else { purpose };
        self.desk.pending = Some(Pending { purpose, message, filling: None });
        self.ask(msg::WRITE, Query::Message(message));
    }

    /// Whether a message of the list lies in Drafts, where opening it is going on with it.
    pub(in crate::app) fn is_draft(&self, message: PlacementKey) -> bool {
        let row = self.list.current().map(|i| &i.row).filter(|row| row.id == message);
        row.and_then(|row| self.folders.mailbox(row.mailbox)).is_some_and(|m| m.role == Some(Role::Drafts))
    }

    /// A message in Drafts is to be gone on with: the draft that it is a copy of, if that is here. Whether that was all.
    fn own_draft(&mut self, view: &MessageView) -> bool {
        let id = view.envelope.message_id.as_ref().map(MessageId::as_str);
        let own = self.desk.saved.iter().find(|row| row.copy.is_some() && row.copy.as_deref() == id).map(|row| row.id);
        let open = self.desk.open.iter().find(|c| {
            let (number, origin) = (c.saving().id, c.draft().copy_of);
            (number.is_some() && number == own) || origin == Some(view.row.id)
        });
        match (open.map(Compose::number), own) {
            (Some(key), _) => self.show_compose(key),
            (None, Some(id)) => self.go_on(Unfinished::Saved(id)),
            (None, None) => return false,
        }
        self.desk.pending = None;
        true
    }

    /// The store's answer about the message that is answered.
    pub(in crate::app) fn original(&mut self, view: &MessageView) {
        let Some(pending) = self.desk.pending.filter(|p| p.message == view.row.id) else { return };
        let here = match &view.body {
            Body::Here(message) => Some(message.clone()),
            Body::NotHere { .. } | Body::Coming { .. } | Body::Failed(_) => None,
        };
        if pending.purpose == Purpose::GoOn && self.own_draft(view) {
            return;
        }
        match (pending.filling, here) {
            // Half of a draft must not take the place of the whole one.
            (None, None) if pending.purpose == Purpose::GoOn => {
                if let Body::Failed(fault) = &view.body {
                    self.desk.pending = None;
                    return self.status.fault(self.now.since, fault);
                }
                if !matches!(view.body, Body::Coming { .. }) {
                    self.request(Request::FetchBody(view.row.id), Note::Silent);
                }
                self.status.say(self.now.since, SafeText::of("The draft opens when its text is here"), None);
            }
            (None, here) => {
                let waits = here.is_none() && !matches!(view.body, Body::Failed(_));
                let Some(key) = self.open_on(pending.purpose, view, here.as_deref()) else { return };
                self.desk.pending = waits.then_some(Pending { filling: Some(key), ..pending });
                if waits {
                    if let Some(compose) = self.desk.get_mut(key) {
                        compose.awaits_text = true;
                    }
                    self.request(Request::FetchBody(view.row.id), Note::Silent);
                }
            }
            (Some(key), Some(message)) => {
                self.desk.pending = None;
                let draft = self.begun(pending.purpose, view, Some(&message)).map(|(_, draft)| draft);
                let now = self.now.since;
                if let (Some(compose), Some(draft)) = (self.desk.get_mut(key), draft) {
                    compose.text_came(&draft, now);
                    self.attach_parts(key, pending.purpose, view, &message);
                }
            }
            (Some(key), None) => {
                if matches!(view.body, Body::Failed(_)) {
                    self.desk.pending = None;
                    if let Some(compose) = self.desk.get_mut(key) {
                        compose.awaits_text = false;
                    }
                }
            }
        }
    }

    fn open_on(&mut self, purpose: Purpose, view: &MessageView, message: Option<&Message>) -> Option<super::ComposeKey> {
        let Some((account, draft)) = self.begun(purpose, view, message) else {
            self.status.doubt(self.now.since, "There is no account to write with");
            return None;
        };
        let key = self.open_compose(&account, draft, None)?;
        if let Some(message) = message {
            self.attach_parts(key, purpose, view, message);
        }
        Some(key)
    }

    /// The first text of an answer, and the account that it goes through.
    fn begun(&self, purpose: Purpose, view: &MessageView, message: Option<&Message>) -> Option<(AccountName, Draft)> {
        let personas = self.personas(Some(&view.row.account));
        let own: Vec<&Persona> = personas.iter().filter(|p| p.account == view.row.account).collect();
        let identities: Vec<Identity> = own.iter().map(|p| p.identity.clone()).collect();
        let field = |name: &str| message.and_then(|m| m.field(name)).unwrap_or_default();
        let delivered: Vec<Address> = ["Delivered-To", "X-Original-To", "Envelope-To"]
            .into_iter()
            .flat_map(|name| address_list::parse(field(name)))
            .collect();
        let envelope = message.map_or(&view.envelope, |m| &m.envelope);
        let me = own.get(identity::choose(&identities, envelope, &delivered)).copied().or(personas.first())?;
        let post = field("List-Post").trim().trim_start_matches('<').trim_end_matches('>');
        let list_post = mailto::parse(post, &me.identity).and_then(|m| m.draft.to.into_iter().next());
        let text = message.map_or_else(String::new, render::plain);
        let when = self.calendar.long(envelope.date.unwrap_or(view.row.received));
        let original = Original {
            id: Some(view.row.id),
            envelope,
            text: &text,
            when: &when,
            followup_to: &address_list::parse(field("Mail-Followup-To")),
            list_post: list_post.as_ref(),
            attachments: &[],
        };
        // Everybody whom the person is, in any account, is left out of an answer to all.
        let all: Vec<Identity> = personas.iter().map(|p| p.identity.clone()).collect();
        let draft = match purpose {
            Purpose::Reply(audience) => Draft::reply(&original, audience, &all, &me.identity),
            Purpose::Forward => Draft::forward(&original, &me.identity),
            Purpose::AsNew => Draft::edit_as_new(&original, &me.identity),
            Purpose::GoOn => Draft::go_on(&original, &me.identity),
        };
        Some((me.account.clone(), draft))
    }

    /// A forward takes the attachments along.
    fn attach_parts(&mut self, key: super::ComposeKey, purpose: Purpose, view: &MessageView, message: &Message) {
        if matches!(purpose, Purpose::Reply(_)) {
            return;
        }
        let plan = structure::plan(message, Prefer::Plain);
        let parts: Vec<_> = plan.attachments.iter().filter(|a| !a.related).map(|a| a.path.clone()).collect();
        if parts.is_empty() {
            return;
        }
        if let Some(compose) = self.desk.get_mut(key) {
            compose.copying_begins();
        }
        self.request(Request::AttachParts { message: view.row.id, parts }, Note::Compose(key, Errand::Attach));
    }

    /// Goes on with a saved draft.
    pub(in crate::app) fn resume(&mut self, saved: SavedDraft) {
        let SavedDraft { id, account, draft, saved } = saved;
        if let Some(key) = self.desk.open.iter().find(|c| c.saving().id == Some(id)).map(Compose::number) {
            return self.show_compose(key);
        }
        if let Some(key) = self.open_compose(&account, draft, Some(id))
            && let Some(compose) = self.desk.get_mut(key)
        {
            compose.saving.at = Some(saved);
        }
    }

    /// An answer to all goes to the list where there is one.
    pub(in crate::app) fn write_command(&mut self, id: &str, arg: &str) -> bool {
        match id {
            "compose" => self.write_new(arg),
            "reply" => self.write_from(Purpose::Reply(Audience::Sender)),
            "reply-all" => self.write_from(Purpose::Reply(Audience::All)),
            "reply-list" => self.write_from(Purpose::Reply(Audience::List)),
            "forward" => self.write_from(Purpose::Forward),
            "edit-as-new" => self.write_from(Purpose::AsNew),
            "drafts" => self.open_drafts(),
            _ => return self.compose_command(id),
        }
        true
    }
}

impl Compose {
    /// The text that is answered has come: it goes where it would have been, or below what was written meanwhile.
    fn text_came(&mut self, draft: &Draft, now: std::time::Duration) {
        self.awaits_text = false;
        if self.body.revision() == 0 {
            self.body = super::Editor::new(&draft.body);
        } else {
            let me = self.me().map(|p| p.identity.signature.clone()).unwrap_or_default();
            let bare = draft.body.trim_end();
            let bare = bare.strip_suffix(me.trim_end()).map_or(bare, |b| b.trim_end().trim_end_matches("--").trim_end());
            let text = format!("{}\n\n{}\n", self.body.text().trim_end(), bare.trim_start());
            self.body.set_text(&text);
            self.touch(now);
        }
        // What only the whole message could tell.
        if self.rest.references.len() < draft.references.len() {
            self.rest.references.clone_from(&draft.references);
        }
        self.lay_out();
    }
}
