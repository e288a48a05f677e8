//! people — names completed from the person's own mail while one types.
//! Owns: `Completion`. May import: engine::api, mail.
//! Start reading at: `Compose::fragment`. The list is asked of the store; an answer to letters that have changed since is dropped.

use super::{Compose, Field};
use crate::app::editor::Editor;
use crate::app::editor::motion::Motion;
use crate::base::safetext::SafeText;
use crate::engine::api::Contact;
use crate::mail::address::Address;
use crate::mail::address_list;
use std::time::Duration;

/// The most names that are offered.
pub const OFFERED: u32 = 6;

/// What is offered for the letters before the cursor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Completion {
    /// The letters.
    pub fragment: String,
    /// Whom they may mean, the likeliest first; never empty.
    pub people: Vec<Address>,
    /// The one that is chosen.
    pub chosen: usize,
}

impl Compose {
    /// The letters of a name before the cursor, if it is in a field of people.
    #[must_use]
    pub fn fragment(&self) -> Option<String> {
        if !self.field.is_people() {
            return None;
        }
        let (start, end) = self.fragment_span()?;
        let text = self.editor(self.field)?.text();
        let fragment = text.get(start..end)?.trim().to_owned();
        (!fragment.is_empty()).then_some(fragment)
    }

    /// From behind the last separator before the cursor to the cursor.
    fn fragment_span(&self) -> Option<(usize, usize)> {
        let editor = self.editor(self.field)?;
        let text = editor.text();
        let end = editor.cursor().byte;
        let mut quoted = false;
        let mut start = 0;
        for (n, c) in text.get(..end)?.char_indices() {
            match c {
                '"' => quoted = !quoted,
                ',' | ';' if !quoted => start = n + 1,
                _ => {}
            }
        }
        Some((start, end))
    }

    /// The store's answer to `prefix`.
    pub fn offer(&mut self, prefix: &str, contacts: &[Contact]) {
        if self.fragment().as_deref() != Some(prefix) {
            return;
        }
        let named: Vec<Address> = address_list::parse(&self.others());
        let mut people: Vec<Address> = contacts.iter().map(|c| c.address.clone()).collect();
        people.retain(|a| !named.iter().any(|n| n.same(a)));
        people.truncate(OFFERED as usize);
        // Whoever is written out already needs no offer.
        let done = people.iter().any(|a| a.addr.eq_ignore_ascii_case(prefix)) && people.len() == 1;
        self.completion = (!people.is_empty() && !done).then(|| Completion { fragment: prefix.to_owned(), people, chosen: 0 });
    }

    /// Everybody who is named, without the letters before the cursor.
    fn others(&self) -> String {
        let mut all = String::new();
        for field in [Field::To, Field::Cc, Field::Bcc] {
            let Some(editor) = self.editor(field) else { continue };
            let mut text = editor.text();
            if field == self.field
                && let Some((start, end)) = self.fragment_span()
            {
                text.replace_range(start..end, "");
            }
            all.push_str(&text);
            all.push(',');
        }
        all
    }

    /// Puts the chosen name in.
    pub(super) fn accept(&mut self, now: Duration) {
        let Some(completion) = self.completion.take() else { return };
        let (Some(address), Some((start, end))) = (completion.people.get(completion.chosen), self.fragment_span()) else {
            return;
        };
        let name = SafeText::line(&address.to_string());
        let space = if start == 0 { "" } else { " " };
        let field = self.field;
        if let Some(editor) = self.editor_mut(field) {
            editor.replace_in_line(start, end, &format!("{space}{name}, "));
        }
        self.touch(now);
        self.lay_out();
    }

    /// The first field that names somebody who cannot be written to; To where nobody is named.
    pub(super) fn doubtful_field(&self) -> Field {
        let bad = |f: &Field| {
            let text = self.editor(*f).map_or_else(String::new, Editor::text);
            address_list::parse(&text).iter().any(|a| address_list::wire(&a.addr).is_err())
        };
        [Field::To, Field::Cc, Field::Bcc].into_iter().find(bad).unwrap_or(Field::To)
    }

    /// Where a field of people is entered, the next name is divided from the last one; where it is left, nothing dangles.
    pub(super) fn separate(&mut self, enter: bool) {
        if !self.field.is_people() {
            return;
        }
        let field = self.field;
        let Some(editor) = self.editor_mut(field) else { return };
        let text = editor.text();
        let bare = text.trim_end().trim_end_matches([',', ';', ' ']);
        // What is not yet an address is written on.
        let whole = address_list::parse(bare).last().is_some_and(|a| address_list::wire(&a.addr).is_ok());
        let wanted = if enter && whole { format!("{bare}, ") } else { bare.to_owned() };
        if wanted != text {
            editor.replace_in_line(0, text.len(), &wanted);
        }
        editor.go_by(Motion::Bottom, false);
    }

    /// Whether Enter takes what is offered: not where an address is written out already.
    pub(super) fn enter_accepts(&self) -> bool {
        let Some(completion) = &self.completion else { return false };
        completion.chosen > 0 || address_list::wire(&completion.fragment).is_err()
    }
}
