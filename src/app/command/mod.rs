//! command — the command table: one row a command, and every face of it derived from the row.
//! Owns: `CommandSpec`, `Pane`, `Group`, the law tests. May import: app.
//! Start reading at: `CommandSpec`. Rows stand in one file a room of the screen; `commands` strings them together. Keymap,
//! which-key, help, palette, the documents and the check of `[keys]` all come from here.

mod folders;
mod global;
mod jobs;
mod messages;
mod motion;
mod outbox;
mod reader;
mod writing;

/// Where a key holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Pane {
    /// Every pane but the composer; `global` in the configuration.
    Any,
    /// The mailboxes.
    Folders,
    /// The list.
    Messages,
    /// The open message.
    Reader,
    /// The composer, where letters are text.
    Compose,
    /// Outgoing mail and waiting changes.
    Outbox,
    /// What runs that takes long.
    Jobs,
}

impl Pane {
    /// All of them.
    pub const ALL: [Self; 7] = [Self::Any, Self::Folders, Self::Messages, Self::Reader, Self::Compose, Self::Outbox, Self::Jobs];

    /// As in `[keys.<word>]`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Any => "global",
            Self::Folders => "folders",
            Self::Messages => "messages",
            Self::Reader => "reader",
            Self::Compose => "compose",
            Self::Outbox => "outbox",
            Self::Jobs => "jobs",
        }
    }

    /// The inverse of [`Self::word`].
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.word() == word)
    }

    /// All the words, for a sentence.
    #[must_use]
    pub fn words() -> String {
        Self::ALL.map(Self::word).join(", ")
    }

    /// The panes in which a key of this row is pressed.
    #[must_use]
    pub fn covers(self) -> Vec<Self> {
        match self {
            Self::Any => vec![Self::Folders, Self::Messages, Self::Reader, Self::Outbox, Self::Jobs],
            one => vec![one],
        }
    }
}

/// Under which heading the help and the documents list a command.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Group {
    /// Moving the cursor.
    Move,
    /// Going to another place.
    Go,
    /// Choosing messages.
    Mark,
    /// Doing something to messages.
    Message,
    /// Doing something to mailboxes.
    Mailbox,
    /// Reading one.
    Read,
    /// Writing.
    Write,
    /// Outgoing mail and waiting changes.
    Outbox,
    /// The screen and the program.
    Program,
}

impl Group {
    /// In the order of the help.
    pub const ALL: [Self; 9] =
        [Self::Move, Self::Go, Self::Mark, Self::Message, Self::Mailbox, Self::Read, Self::Write, Self::Outbox, Self::Program];

    /// The heading.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Move => "Moving",
            Self::Go => "Going places",
            Self::Mark => "Choosing messages",
            Self::Message => "Messages",
            Self::Mailbox => "Mailboxes",
            Self::Read => "Reading",
            Self::Write => "Writing",
            Self::Outbox => "Outgoing mail",
            Self::Program => "The program",
        }
    }
}

/// How a command is taken back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Undo {
    /// There is nothing to take back.
    Nothing,
    /// By `undo`, also after a restart.
    Journal,
    /// By `undo` until it was done; then it is final, and says so.
    UntilDone,
}

/// One row of the table.
#[derive(Debug)]
pub struct CommandSpec {
    /// Its name: in the palette, the configuration and the documents. Never changes.
    pub id: &'static str,
    /// Other names that the palette takes.
    pub aliases: &'static [&'static str],
    /// Its heading.
    pub group: Group,
    /// Where which chords run it; the first is the one that hints show.
    pub keys: &'static [(Pane, &'static str)],
    /// What the hint line calls it: one or two words.
    pub hint: &'static str,
    /// One line without a full stop.
    pub doc: &'static str,
    /// More, in whole sentences; may be empty.
    pub help: &'static str,
    /// What the words after its name mean (`goto MAILBOX`), "" if it takes none.
    pub arg: &'static str,
    /// How it is taken back.
    pub undo: Undo,
}

impl PartialEq for CommandSpec {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}
impl Eq for CommandSpec {}

impl CommandSpec {
    /// A row of which only the name and the line are said; the rest by struct update.
    const fn new(id: &'static str, group: Group, hint: &'static str, doc: &'static str) -> Self {
        Self { id, aliases: &[], group, keys: &[], hint, doc, help: "", arg: "", undo: Undo::Nothing }
    }
}

/// The whole table, in the order of the documents.
pub fn commands() -> impl Iterator<Item = &'static CommandSpec> {
    [motion::ROWS, global::ROWS, folders::ROWS, messages::ROWS, reader::ROWS, writing::ROWS, outbox::ROWS, jobs::ROWS]
        .into_iter()
        .flatten()
}

/// The row of that id or alias.
#[must_use]
pub fn find(name: &str) -> Option<&'static CommandSpec> {
    commands().find(|c| c.id == name || c.aliases.contains(&name))
}

/// The id that was probably meant.
#[must_use]
pub fn nearest(name: &str) -> Option<&'static str> {
    let (distance, id) = commands()
        .flat_map(|c| std::iter::once(c.id).chain(c.aliases.iter().copied()).map(move |n| (distance(name, n), c.id)))
        .min_by_key(|(d, _)| *d)?;
    (distance <= 1 + name.chars().count() / 3).then_some(id)
}

/// How many letters must be added, taken or changed (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (y, cell) in b.iter().zip(row.iter_mut().skip(1)) {
            left = (*cell + 1).min(left + 1).min(diagonal + usize::from(x != *y));
            diagonal = std::mem::replace(cell, left);
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::key::{Key, parse_chord};
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn names_are_unique() {
        let mut seen = BTreeSet::new();
        for spec in commands() {
            for name in std::iter::once(&spec.id).chain(spec.aliases) {
                assert!(seen.insert(*name), "{name} names two commands");
                assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{name}");
                assert_ne!(*name, "none", "means: no command");
            }
        }
    }

    #[test]
    fn no_key_means_two_commands_and_none_hides_another() {
        let mut panes: BTreeMap<Pane, BTreeMap<Vec<Key>, &str>> = BTreeMap::new();
        for spec in commands() {
            for (pane, keys) in spec.keys {
                let chord = parse_chord(keys).unwrap_or_else(|why| panic!("{}: {why}", spec.id));
                for pane in pane.covers() {
                    let keys = panes.entry(pane).or_default();
                    for (other, id) in keys.iter() {
                        assert!(
                            !other.starts_with(&chord) && !chord.starts_with(other),
                            "{pane:?}: {} and {id} both want {chord:?}",
                            spec.id
                        );
                    }
                    keys.insert(chord.clone(), spec.id);
                }
            }
        }
    }

    #[test]
    fn each_row_is_one_line_without_full_stop() {
        for spec in commands() {
            assert!(!spec.doc.is_empty() && !spec.doc.contains('\n') && !spec.doc.ends_with('.'), "{}: {}", spec.id, spec.doc);
            assert!(spec.doc.starts_with(char::is_uppercase) && spec.doc.len() <= 80, "{}: {}", spec.id, spec.doc);
            assert!(
                !spec.hint.is_empty() && spec.hint.len() <= 16 && spec.hint.split(' ').count() <= 2,
                "{}: {}",
                spec.id,
                spec.hint
            );
            assert!(spec.help.is_empty() || spec.help.ends_with('.'), "{}: help is whole sentences", spec.id);
        }
    }

    #[test]
    fn help_names_commands_that_exist() {
        for spec in commands() {
            for name in spec.help.split('`').skip(1).step_by(2) {
                assert!(find(name).is_some(), "{}: help names `{name}`", spec.id);
            }
        }
    }

    #[test]
    fn a_slip_of_the_finger_is_understood() {
        assert_eq!(nearest("archve"), Some("archive"));
        assert_eq!(nearest("repyl"), Some("reply"));
        assert_eq!(nearest("xyzzy-plugh"), None);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
