//! compose — a mail being written: its fields, its text, its attachments.
//! Owns: `Compose`, `Field`; below it completion, checks, and the way to the engine (`desk.rs`).
//! May import: app, engine::api, mail, config, base.
//! Start reading at: `Compose`, then `keys.rs` for what a key does, `desk.rs` for what becomes of it. What is written is saved at
//! every pause; nothing here waits for an answer.

pub mod attach;
pub mod check;
pub mod desk;
mod keys;
pub mod people;
pub mod place;
mod start;
mod unfinished;
mod work;

use super::editor::Editor;
use super::words::plural;
use crate::base::safetext::SafeText;
use crate::mail::address_list;
use crate::mail::draft::{About, Draft, DraftAttachment};
use crate::mail::identity::Identity;
use crate::mail::ids::{AccountName, DraftId};
use attach::Prompt;
use people::Completion;
use std::time::Duration;
pub use unfinished::{Unfinished, Unsaved};

/// A pause of so long, and what was written is saved.
const PAUSE: Duration = Duration::from_secs(1);
/// Somebody who never pauses is saved after so long.
const LONGEST: Duration = Duration::from_secs(10);

/// Where the keys go.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Field {
    /// Who writes.
    From,
    /// To whom.
    To,
    /// Who gets a copy.
    Cc,
    /// Who gets one that the others do not see.
    Bcc,
    /// What about.
    Subject,
    /// The text.
    Body,
    /// The files that go with it.
    Attachments,
}

impl Field {
    /// From the top down.
    pub const ALL: [Self; 7] = [Self::From, Self::To, Self::Cc, Self::Bcc, Self::Subject, Self::Body, Self::Attachments];

    /// What stands before it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::From => "From",
            Self::To => "To",
            Self::Cc => "Cc",
            Self::Bcc => "Bcc",
            Self::Subject => "Subject",
            Self::Body | Self::Attachments => "",
        }
    }

    /// Whether people are named in it.
    #[must_use]
    pub const fn is_people(self) -> bool {
        matches!(self, Self::To | Self::Cc | Self::Bcc)
    }
}

/// Names one composer while the program runs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ComposeKey(pub u32);

/// Somebody whom the person can write as.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Persona {
    /// Through which account.
    pub account: AccountName,
    /// Name, address, signature.
    pub identity: Identity,
}

/// How the draft stands with the disk.
#[derive(Clone, Debug, Default)]
pub struct Saving {
    /// Its number there.
    pub id: Option<DraftId>,
    /// When it was saved last, seconds since 1970.
    pub at: Option<i64>,
    /// Since when something is not saved, and when the last key came.
    dirty: Option<(Duration, Duration)>,
    /// Whether a save is under way.
    busy: bool,
    /// Whether it does not wait for a pause: the composer is closed.
    at_once: bool,
}

/// One mail being written.
#[derive(Clone, Debug)]
pub struct Compose {
    key: ComposeKey,
    personas: Vec<Persona>,
    who: usize,
    to: Editor,
    cc: Editor,
    bcc: Editor,
    subject: Editor,
    body: Editor,
    /// Everything that has no field: references, what it answers, attachments, format.
    rest: Draft,
    field: Field,
    /// The attachment that keys are about.
    picked: usize,
    show_bcc: bool,
    completion: Option<Completion>,
    prompt: Option<Prompt>,
    saving: Saving,
    /// Attachments on their way into the spool.
    coming: u32,
    /// Whether the text that is answered is on its way.
    awaits_text: bool,
    /// What was doubtful at the last pause.
    doubt: Option<SafeText>,
    /// The doubts that sending once more overrides.
    doubted: Vec<SafeText>,
    sending: bool,
    size: (u16, u16),
}

impl Compose {
    /// Of a draft. `personas` is not empty; the draft's author is found among them.
    #[must_use]
    pub fn new(key: ComposeKey, personas: Vec<Persona>, account: &AccountName, draft: Draft, id: Option<DraftId>) -> Self {
        let wrote = |p: &Persona| p.identity.address.same(&draft.from);
        let who = personas.iter().position(|p| wrote(p) && p.account == *account);
        let who = who.or_else(|| personas.iter().position(wrote)).or_else(|| personas.iter().position(|p| p.account == *account));
        let list = |people: &[crate::mail::address::Address]| {
            let shown: Vec<String> = people.iter().map(|a| SafeText::line(&a.to_string()).into_string()).collect();
            line(&shown.join(", "))
        };
        let mut new = Self {
            key,
            personas,
            who: who.unwrap_or(0),
            to: list(&draft.to),
            cc: list(&draft.cc),
            bcc: list(&draft.bcc),
            subject: line(&draft.subject),
            body: Editor::new(&draft.body),
            field: Field::To,
            picked: 0,
            show_bcc: !draft.bcc.is_empty(),
            completion: None,
            prompt: None,
            saving: Saving { id, ..Saving::default() },
            coming: 0,
            awaits_text: false,
            doubt: None,
            doubted: Vec::new(),
            sending: false,
            size: (80, 24),
            rest: Draft { body: String::new(), ..draft },
        };
        new.field = match (new.to.text().is_empty(), new.subject.text().is_empty()) {
            (true, _) => Field::To,
            (false, true) => Field::Subject,
            (false, false) => Field::Body,
        };
        new
    }

    /// Its number.
    #[must_use]
    pub const fn number(&self) -> ComposeKey {
        self.key
    }

    /// The draft as it stands.
    #[must_use]
    pub fn draft(&self) -> Draft {
        let people = |e: &Editor| address_list::parse(&e.text());
        Draft {
            from: self.me().map_or_else(|| self.rest.from.clone(), |p| p.identity.address.clone()),
            to: people(&self.to),
            cc: people(&self.cc),
            bcc: people(&self.bcc),
            subject: self.subject.text().trim().to_owned(),
            body: self.body.text(),
            ..self.rest.clone()
        }
    }

    /// Who writes.
    #[must_use]
    pub fn me(&self) -> Option<&Persona> {
        self.personas.get(self.who)
    }

    /// How many names the person can choose among.
    #[must_use]
    pub const fn names(&self) -> usize {
        self.personas.len()
    }

    /// Where the keys go.
    #[must_use]
    pub const fn field(&self) -> Field {
        self.field
    }

    /// The text of a field, if it is one that is typed into.
    #[must_use]
    pub const fn editor(&self, field: Field) -> Option<&Editor> {
        match field {
            Field::To => Some(&self.to),
            Field::Cc => Some(&self.cc),
            Field::Bcc => Some(&self.bcc),
            Field::Subject => Some(&self.subject),
            Field::Body => Some(&self.body),
            Field::From | Field::Attachments => None,
        }
    }

    const fn editor_mut(&mut self, field: Field) -> Option<&mut Editor> {
        match field {
            Field::To => Some(&mut self.to),
            Field::Cc => Some(&mut self.cc),
            Field::Bcc => Some(&mut self.bcc),
            Field::Subject => Some(&mut self.subject),
            Field::Body => Some(&mut self.body),
            Field::From | Field::Attachments => None,
        }
    }

    /// The files that go with it.
    #[must_use]
    pub fn attachments(&self) -> &[DraftAttachment] {
        &self.rest.attachments
    }

    /// The attachment that keys are about.
    #[must_use]
    pub fn picked(&self) -> Option<usize> {
        (self.field == Field::Attachments).then_some(self.picked)
    }

    /// Names that the letters before the cursor may mean.
    #[must_use]
    pub const fn completion(&self) -> Option<&Completion> {
        self.completion.as_ref()
    }

    /// The question for a file.
    #[must_use]
    pub const fn prompt(&self) -> Option<&Prompt> {
        self.prompt.as_ref()
    }

    /// How it stands with the disk.
    #[must_use]
    pub const fn saving(&self) -> &Saving {
        &self.saving
    }

    /// Whether files are still being copied.
    #[must_use]
    pub const fn copying(&self) -> bool {
        self.coming > 0
    }

    /// Whether the text that is answered is on its way.
    #[must_use]
    pub const fn awaits_text(&self) -> bool {
        self.awaits_text
    }

    /// What it is, in words: "Reply to Ann Berger".
    #[must_use]
    pub fn title(&self) -> SafeText {
        let to = address_list::parse(&self.to.text());
        let name = to.first().map(|a| SafeText::line_max(a.short(), 60).into_string());
        let more = to.len().saturating_sub(1) as u64;
        let whom = name.map(|n| if more > 0 { format!("{n} and {}", plural(more, "other", "others")) } else { n });
        let text = match (self.rest.about, self.rest.in_reply_to.is_some(), whom) {
            (Some(About::Forward(_)), _, None) => "Forward".to_owned(),
            (Some(About::Forward(_)), _, Some(whom)) => format!("Forward to {whom}"),
            (Some(About::Reply(_)), ..) | (None, true, _) => format!("Reply to {}", self.whom()),
            (None, false, None) => "New message".to_owned(),
            (None, false, Some(whom)) => format!("New message to {whom}"),
        };
        SafeText::line_max(&text, 120)
    }

    /// The first recipient and the number of others.
    #[must_use]
    pub fn whom(&self) -> String {
        let to = address_list::parse(&self.to.text());
        let Some(first) = to.first() else { return "nobody yet".to_owned() };
        let first = SafeText::line_max(first.short(), 60);
        match to.len() - 1 {
            0 => first.into_string(),
            n => format!("{first} and {}", plural(n as u64, "other", "others")),
        }
    }

    /// Something was changed that the disk does not know.
    fn touch(&mut self, now: Duration) {
        let since = self.saving.dirty.map_or(now, |(since, _)| since);
        self.saving.dirty = Some((since, now));
        self.doubted.clear();
    }

    /// Whether all is on the disk, or nothing is worth it; not while a file is on its way into the spool.
    #[must_use]
    pub const fn is_saved(&self) -> bool {
        self.saving.dirty.is_none() && !self.saving.busy && self.coming == 0
    }

    /// Whether there is nothing in it that would be missed.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.me().is_some_and(|me| self.draft().is_blank(&me.identity))
    }

    /// When it is to be saved.
    #[must_use]
    pub fn save_at(&self) -> Option<Duration> {
        let (since, last) = self.saving.dirty?;
        let due = if self.saving.at_once { Duration::ZERO } else { (last + PAUSE).min(since + LONGEST) };
        (!self.saving.busy).then_some(due)
    }

    /// The fields that are shown, from the top.
    #[must_use]
    pub fn fields(&self) -> Vec<Field> {
        let bcc = self.show_bcc || !self.bcc.text().is_empty();
        let shown = |f: &Field| match f {
            Field::Bcc => bcc,
            Field::Attachments => !self.rest.attachments.is_empty(),
            _ => true,
        };
        Field::ALL.into_iter().filter(shown).collect()
    }
}

/// An editor of one line.
fn line(text: &str) -> Editor {
    let mut editor = Editor::new(&text.replace(['\n', '\r', '\t'], " "));
    editor.go_by(super::editor::motion::Motion::Bottom, false);
    editor
}
