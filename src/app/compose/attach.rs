//! attach — files that go with a mail: the question for their path, and the list of them.
//! Owns: `Prompt`, `Entry`. May import: app, mail, base.
//! Start reading at: `Prompt`. What lies in a folder is read outside and comes back as entries; the path is completed among them.

use super::{Compose, Field};
use crate::app::input::Line;
use crate::base::safetext::SafeText;
use crate::mail::draft::DraftAttachment;
use std::collections::BTreeSet;
use std::time::Duration;

/// What lies in a folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Whether it is a folder.
    pub folder: bool,
    /// Octets.
    pub size: u64,
}

/// The question which file is to go with the mail.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Prompt {
    /// The path so far.
    pub line: Line,
    /// The folder that was read, with its `/` at the end, and what lies in it.
    folder: Option<(String, Vec<Entry>)>,
    /// The entry that is chosen among those that fit.
    pub chosen: usize,
}

impl Prompt {
    /// The folder that the path is in, with its `/`; "" for where the program was started.
    #[must_use]
    pub fn folder(&self) -> &str {
        let text = self.line.text();
        text.rfind('/').and_then(|n| text.get(..=n)).unwrap_or("")
    }

    /// The folder whose entries are to be read, if they are not here.
    #[must_use]
    pub fn wants(&self) -> Option<String> {
        let folder = self.folder();
        (self.folder.as_ref().map(|(f, _)| f.as_str()) != Some(folder)).then(|| folder.to_owned())
    }

    /// What lies in a folder, sorted.
    pub fn fill(&mut self, folder: &str, mut entries: Vec<Entry>) {
        entries.sort_by(|a, b| b.folder.cmp(&a.folder).then_with(|| a.name.to_lowercase().cmp(&b.name.to_lowercase())));
        if folder == self.folder() {
            self.folder = Some((folder.to_owned(), entries));
            self.chosen = 0;
        }
    }

    /// The entries that fit what was typed; hidden ones only where a dot was typed.
    #[must_use]
    pub fn fitting(&self) -> Vec<&Entry> {
        let Some((folder, entries)) = &self.folder else { return Vec::new() };
        if folder != self.folder() {
            return Vec::new();
        }
        let typed = self.line.text().get(folder.len()..).unwrap_or_default().to_lowercase();
        let fits = |e: &&Entry| e.name.to_lowercase().starts_with(&typed) && (typed.starts_with('.') || !e.name.starts_with('.'));
        entries.iter().filter(fits).collect()
    }

    /// Takes the chosen entry into the path; whether it is a file.
    pub(super) fn take(&mut self) -> bool {
        let fitting = self.fitting();
        let Some(entry) = fitting.get(self.chosen.min(fitting.len().saturating_sub(1))) else { return false };
        let path = format!("{}{}{}", self.folder(), entry.name, if entry.folder { "/" } else { "" });
        let file = !entry.folder;
        self.line = Line::new(&path);
        self.chosen = 0;
        file
    }

    /// The next entry, or the one before.
    pub(super) fn step(&mut self, by: isize) {
        let last = self.fitting().len().saturating_sub(1);
        self.chosen = self.chosen.saturating_add_signed(by).min(last);
    }
}

impl Compose {
    /// Asks for a file.
    pub fn open_prompt(&mut self) {
        self.prompt = Some(Prompt { line: Line::new("~/"), ..Prompt::default() });
    }

    /// What lies in a folder has been read.
    pub fn listed(&mut self, folder: &str, entries: Vec<Entry>) {
        if let Some(prompt) = &mut self.prompt {
            prompt.fill(folder, entries);
        }
    }

    /// Files are being copied into the spool.
    pub const fn copying_begins(&mut self) {
        self.coming += 1;
    }

    /// They are there, or could not be copied.
    pub fn copied(&mut self, files: Vec<DraftAttachment>, now: Duration) {
        self.coming = self.coming.saturating_sub(1);
        if !files.is_empty() {
            self.rest.attachments.extend(files);
            self.touch(now);
        }
        self.lay_out();
    }

    /// Files that were away are here.
    pub(super) fn spooled(&mut self, names: &BTreeSet<String>, now: Duration) {
        let mut came = false;
        for file in self.rest.attachments.iter_mut().filter(|a| a.away.is_some() && names.contains(&a.spool)) {
            (file.away, came) = (None, true);
        }
        if came {
            self.touch(now);
        }
    }

    /// Files that are on a server only, and asked for.
    #[must_use]
    pub fn away(&self) -> usize {
        self.rest.attachments.iter().filter(|a| a.away.is_some()).count()
    }

    /// Takes the chosen attachment off; its name.
    pub(super) fn detach(&mut self, now: Duration) -> Option<SafeText> {
        if self.picked >= self.rest.attachments.len() {
            return None;
        }
        let gone = self.rest.attachments.remove(self.picked);
        self.picked = self.picked.min(self.rest.attachments.len().saturating_sub(1));
        if self.rest.attachments.is_empty() && self.field == Field::Attachments {
            self.field = Field::Body;
        }
        self.touch(now);
        self.lay_out();
        Some(SafeText::line_max(&gone.name, 80))
    }

    /// Chooses the next attachment, or the one before.
    pub(super) fn step_attachment(&mut self, by: isize) {
        let last = self.rest.attachments.len().saturating_sub(1);
        self.picked = self.picked.saturating_add_signed(by).min(last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, folder: bool) -> Entry {
        Entry { name: name.to_owned(), folder, size: 1 }
    }

    #[test]
    fn a_path_is_completed_step_by_step() {
        let mut p = Prompt { line: Line::new("~/"), ..Prompt::default() };
        assert_eq!(p.wants().as_deref(), Some("~/"));
        p.fill("~/", vec![entry("plan.pdf", false), entry(".hidden", false), entry("Papers", true)]);
        assert_eq!(p.wants(), None);
        assert_eq!(p.fitting().iter().map(|e| e.name.as_str()).collect::<Vec<_>>(), ["Papers", "plan.pdf"]);
        p.line.insert("pa");
        assert!(!p.take(), "a folder is gone into");
        assert_eq!((p.line.text(), p.wants().as_deref()), ("~/Papers/", Some("~/Papers/")));
        p.fill("~/", vec![entry("late", false)]);
        assert!(p.fitting().is_empty(), "an answer for another folder is dropped");
        p.fill("~/Papers/", vec![entry("a.txt", false), entry("b.txt", false)]);
        p.step(1);
        assert!(p.take());
        assert_eq!(p.line.text(), "~/Papers/b.txt");
    }
}
