//! keys — what a key does in a composer, beside the commands of the table.
//! Owns: `Heard`, the order in which a key is offered. May import: app.
//! Start reading at: `Compose::first`, which hears a key before the commands do, then `Compose::key`, which hears it after them.

use super::{Compose, Field};
use crate::app::editor::Did;
use crate::app::input::Line;
use crate::app::key::{Code, Key};
use std::time::Duration;

/// What became of a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Heard {
    /// It was for somebody else.
    No,
    /// It was for the composer.
    Yes,
    /// This file is to go with the mail.
    Attach(String),
}

impl Compose {
    /// Keys for what lies over the fields: the question for a file, the names that are offered.
    pub fn first(&mut self, key: Key, now: Duration) -> Heard {
        if self.sending {
            return Heard::Yes;
        }
        if self.prompt.is_some() {
            return self.prompt_key(key);
        }
        let enter = self.enter_accepts();
        let Some(completion) = &mut self.completion else { return Heard::No };
        let last = completion.people.len() - 1;
        match key.code {
            Code::Down => completion.chosen = if completion.chosen == last { 0 } else { completion.chosen + 1 },
            Code::Up => completion.chosen = completion.chosen.checked_sub(1).unwrap_or(last),
            Code::Tab => self.accept(now),
            Code::Enter if enter => self.accept(now),
            Code::Esc => self.completion = None,
            _ => return Heard::No,
        }
        Heard::Yes
    }

    fn prompt_key(&mut self, key: Key) -> Heard {
        let Some(prompt) = &mut self.prompt else { return Heard::No };
        match key.code {
            Code::Esc => self.prompt = None,
            Code::Char('c' | 'g') if key.ctrl => self.prompt = None,
            Code::Down => prompt.step(1),
            Code::Up => prompt.step(-1),
            Code::Tab => {
                prompt.take();
            }
            Code::Enter => {
                let known = !prompt.fitting().is_empty();
                if known && !prompt.take() {
                    return Heard::Yes;
                }
                let path = prompt.line.take();
                self.prompt = None;
                return if path.is_empty() { Heard::Yes } else { Heard::Attach(path) };
            }
            // A path that begins anew behind a folder, as one that is pasted does.
            Code::Char('/' | '~') if !key.ctrl && !key.alt && prompt.line.text().ends_with('/') => {
                prompt.line = Line::new(if key.code == Code::Char('/') { "/" } else { "~" });
                prompt.chosen = 0;
            }
            _ => {
                prompt.line.key(key);
                prompt.chosen = 0;
            }
        }
        Heard::Yes
    }

    /// Keys for the field.
    pub fn key(&mut self, key: Key, now: Duration) -> Heard {
        match self.field {
            Field::From => self.author_key(key, now),
            Field::Attachments => self.attachment_key(key, now),
            Field::Body => self.body_key(key, now),
            Field::To | Field::Cc | Field::Bcc | Field::Subject => self.line_key(key, now),
        }
    }

    fn author_key(&mut self, key: Key, now: Duration) -> Heard {
        match key.code {
            Code::Left | Code::Right | Code::Char(' ') => self.next_name(now, key.code != Code::Left),
            Code::Down | Code::Enter => self.step_field(1),
            Code::Up => {}
            _ => return Heard::No,
        }
        Heard::Yes
    }

    fn attachment_key(&mut self, key: Key, now: Duration) -> Heard {
        match key.code {
            Code::Left => self.step_attachment(-1),
            Code::Right => self.step_attachment(1),
            Code::Delete | Code::Backspace | Code::Char('d') => {
                self.detach(now);
            }
            Code::Up => self.go_to(Field::Body),
            Code::Down | Code::Enter => {}
            _ => return Heard::No,
        }
        Heard::Yes
    }

    fn body_key(&mut self, key: Key, now: Duration) -> Heard {
        // Up in the first row leaves for the fields, as it does in every form.
        if key.code == Code::Up && !key.shift && self.body.on_first_row() {
            self.step_field(-1);
            return Heard::Yes;
        }
        let did = self.body.key(key);
        self.did(did, now)
    }

    fn line_key(&mut self, key: Key, now: Duration) -> Heard {
        let field = self.field;
        let Some(editor) = self.editor_mut(field) else { return Heard::No };
        match key.code {
            Code::Enter => self.step_field(1),
            Code::Up if editor.on_first_row() => self.step_field(-1),
            Code::Down if editor.on_last_row() => self.step_field(1),
            _ => {
                let did = editor.key(key);
                return self.did(did, now);
            }
        }
        Heard::Yes
    }

    /// After an editor took a key.
    pub(super) fn did(&mut self, did: Did, now: Duration) -> Heard {
        match did {
            Did::Nothing => return Heard::No,
            Did::Moved => self.completion = None,
            Did::Changed => {
                self.touch(now);
                self.lay_out();
            }
        }
        Heard::Yes
    }

    /// Text was pasted.
    pub fn paste(&mut self, text: &str, now: Duration) {
        if let Some(prompt) = &mut self.prompt {
            let path = text.trim();
            if path.starts_with(['/', '~']) {
                prompt.line = Line::new("");
            }
            prompt.line.insert(path);
            return;
        }
        let field = self.field;
        let one_line = || {
            let between = if field.is_people() { ", " } else { " " };
            text.lines().map(str::trim).filter(|l| !l.is_empty()).collect::<Vec<_>>().join(between).replace('\t', " ")
        };
        let text = if field == Field::Body { text.to_owned() } else { one_line() };
        if let Some(editor) = self.editor_mut(field) {
            let did = editor.insert(&text);
            self.did(did, now);
        }
    }

    /// The keys go to a field.
    pub fn go_to(&mut self, field: Field) {
        self.completion = None;
        self.separate(false);
        self.field = field;
        self.separate(true);
        if field == Field::Bcc {
            self.show_bcc = true;
        }
        self.lay_out();
    }

    /// The keys go to the next field, or the one before; not beyond the ends.
    pub fn step_field(&mut self, by: isize) {
        let fields = self.fields();
        let at = fields.iter().position(|f| *f == self.field).unwrap_or(0);
        if let Some(field) = at.checked_add_signed(by).and_then(|n| fields.get(n)) {
            self.go_to(*field);
        }
    }

    /// As [`Self::step_field`], and around.
    pub fn turn_field(&mut self, by: isize) {
        let fields = self.fields();
        let at = fields.iter().position(|f| *f == self.field).unwrap_or(0).cast_signed();
        let next = (at + by).rem_euclid(fields.len().cast_signed()).unsigned_abs();
        if let Some(field) = fields.get(next) {
            self.go_to(*field);
        }
    }

    /// Writes under the next name, or the one before; the signature goes with it.
    pub fn next_name(&mut self, now: Duration, forward: bool) {
        let count = self.personas.len();
        if count < 2 {
            return;
        }
        let next = (self.who + if forward { 1 } else { count - 1 }) % count;
        let (Some(old), Some(new)) = (self.personas.get(self.who), self.personas.get(next)) else { return };
        let mut draft = self.draft();
        draft.change_identity(&old.identity, &new.identity);
        self.who = next;
        self.body.set_text(&draft.body);
        self.touch(now);
        self.lay_out();
    }
}
