//! unfinished — mails to go on with: open ones, and those that the disk kept.
//! Owns: `Unfinished`, `Unsaved`, and what is saved when the program ends. May import: app, engine::api, mail.
//! Start reading at: `App::open_drafts`. After a crash the first answer of the store brings them up by itself.

use super::ComposeKey;
use crate::app::msg::{self, Effect};
use crate::app::popup::Popup;
use crate::app::screen::chooser::{Choice, Chooser};
use crate::app::state::App;
use crate::base::safetext::SafeText;
use crate::engine::api::{DraftRow, Query};
use crate::mail::address::Address;
use crate::mail::draft::Draft;
use crate::mail::ids::DraftId;
use std::time::Duration;

/// An unfinished mail to go on with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unfinished {
    /// It is open.
    Open(ComposeKey),
    /// It rests on the disk.
    Saved(DraftId),
}

/// A mail that the store would not take.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unsaved {
    /// What it is, in words.
    pub title: SafeText,
    /// What was typed: recipients, subject, text.
    pub text: String,
}

/// A draft as a text file.
fn plain_text(draft: &Draft) -> String {
    let people = |list: &[Address]| list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let fields = [
        ("From", draft.from.to_string()),
        ("To", people(&draft.to)),
        ("Cc", people(&draft.cc)),
        ("Bcc", people(&draft.bcc)),
        ("Subject", draft.subject.clone()),
    ];
    let head = fields.iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| format!("{name}: {text}\n"));
    head.chain([format!("\n{}\n", draft.body.trim_end())]).collect()
}

impl App {
    /// The store's list of unfinished mails.
    pub(in crate::app) fn drafts_came(&mut self, rows: Vec<DraftRow>) {
        self.desk.saved = rows;
        if std::mem::replace(&mut self.desk.greeted, true) {
            return;
        }
        if let Some(first) = self.desk.resting().first() {
            let text = match self.desk.saved.len() {
                1 => format!("There is an unfinished mail: {}", draft_name(first)),
                n => format!("There are {n} unfinished mails; the last one: {}", draft_name(first)),
            };
            self.status.say(self.now.since, SafeText::line_max(&text, 160), Some(("drafts", "goes on")));
        }
    }

    /// Goes on writing: at once where only one mail is unfinished.
    pub(in crate::app) fn open_drafts(&mut self) {
        let choice = |value, label: &str, note: &str| Choice {
            value,
            label: SafeText::line_max(label, 120),
            note: SafeText::line_max(note, 60),
            key: String::new(),
            disabled: None,
        };
        let open = self
            .desk
            .open
            .iter()
            .rev()
            .map(|c| choice(Unfinished::Open(c.number()), &name(&c.whom(), &c.draft().subject), "open"));
        let saved =
            self.desk.resting().into_iter().map(|row| {
                choice(Unfinished::Saved(row.id), &draft_name(row), &format!("saved {}", self.calendar.short(row.saved)))
            });
        let choices: Vec<Choice<Unfinished>> = open.chain(saved).collect();
        match choices.as_slice() {
            [] => self.status.doubt(self.now.since, "No mail is unfinished"),
            [one] => self.go_on(one.value),
            _ => self.popup = Some(Popup::Drafts(Chooser::new("Go on writing", choices))),
        }
    }

    pub(in crate::app) fn go_on(&mut self, with: Unfinished) {
        match with {
            Unfinished::Open(key) => self.show_compose(key),
            Unfinished::Saved(id) => self.ask(msg::RESUME, Query::Draft(id)),
        }
    }

    /// The program ends: everything is saved now. What is to be done for it.
    #[must_use]
    pub fn leave(&mut self) -> Vec<Effect> {
        self.bury();
        self.desk.leaving = true;
        let open: Vec<_> =
            self.desk.open.iter().filter(|c| c.is_saved() && !c.sending).map(|c| (c.number(), c.saving.id)).collect();
        self.save_due(Duration::MAX);
        for (key, id) in open {
            id.into_iter().for_each(|id| self.file(key, id));
        }
        std::mem::take(&mut self.out)
    }

    /// What could not be saved, as text: who it goes to, what about, and the words.
    #[must_use]
    pub fn unsaved(&self) -> Vec<Unsaved> {
        let lost = self.desk.open.iter().chain(&self.desk.parting).filter(|c| !c.is_saved());
        lost.map(|compose| Unsaved { title: compose.title(), text: plain_text(&compose.draft()) }).collect()
    }

    /// Whether everything that was written is on the disk.
    #[must_use]
    pub fn all_saved(&self) -> bool {
        self.desk.is_saved()
    }
}

fn draft_name(row: &DraftRow) -> String {
    name(if row.to.trim().is_empty() { "nobody yet" } else { row.to.trim() }, &row.subject)
}

fn name(whom: &str, subject: &str) -> String {
    format!("{}, to {whom}", if subject.trim().is_empty() { "(no subject)" } else { subject.trim() })
}
