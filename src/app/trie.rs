//! trie — which command a chord means in which pane, and what may follow a half-typed one.
//! Owns: `Keymap`, made from the command table and the person's overrides. May import: nothing above `key` and `command`.
//! Start reading at: `Keymap::new`.

use super::command::{self, CommandSpec, Pane};
use super::key::{Key, chord_text, parse_chord};
use crate::config::keys::KeyBinding;
use std::collections::BTreeMap;

/// A command with the words after it, as bound to a key: `goto Lists/kernel`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Binding {
    /// The row of the table.
    pub command: &'static CommandSpec,
    /// What stands after its name, "" for nothing.
    pub arg: String,
}

/// What the keys typed so far mean.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Lookup {
    /// This command.
    Command(Binding),
    /// Nothing yet: more keys may follow.
    Prefix,
    /// Nothing, and no key can make it something.
    Nothing,
}

/// The keys of every pane.
#[derive(Clone, Default, Debug)]
pub struct Keymap {
    panes: BTreeMap<Pane, BTreeMap<Vec<Key>, Binding>>,
}

impl Keymap {
    /// The table's own keys with the person's overrides on top.
    ///
    /// # Errors
    /// One sentence for each override that cannot be; the others hold.
    pub fn new(overrides: &[KeyBinding]) -> (Self, Vec<String>) {
        let mut map = Self::default();
        for spec in command::commands() {
            for (pane, keys) in spec.keys {
                // The table's keys are checked by a test: a wrong one is left out here.
                if let Ok(chord) = parse_chord(keys) {
                    for pane in pane.covers() {
                        map.bind(pane, chord.clone(), Some(Binding { command: spec, arg: String::new() }));
                    }
                }
            }
        }
        let mut wrong = Vec::new();
        // Global ones first, so that a pane's own override wins over them.
        let (global, own): (Vec<_>, Vec<_>) = overrides.iter().partition(|o| o.context == Pane::Any.word());
        for one in global.into_iter().chain(own) {
            if let Err(why) = map.override_with(one) {
                wrong.push(format!("{}: \"{}\": {why}", one.place, one.keys));
            }
        }
        (map, wrong)
    }

    fn override_with(&mut self, one: &KeyBinding) -> Result<(), String> {
        let pane = Pane::parse(&one.context)
            .ok_or_else(|| format!("no pane is called `{}`; there are {}", one.context, Pane::words()))?;
        let chord = parse_chord(&one.keys)?;
        let (name, arg) = one.command.trim().split_once(' ').unwrap_or((one.command.trim(), ""));
        let binding = if matches!(name, "" | "none") {
            None
        } else {
            let command = command::find(name).ok_or_else(|| {
                command::nearest(name).map_or_else(
                    || format!("no command is called `{name}`"),
                    |near| format!("no command is called `{name}`; did you mean `{near}`?"),
                )
            })?;
            Some(Binding { command, arg: arg.trim().to_owned() })
        };
        for pane in pane.covers() {
            self.bind(pane, chord.clone(), binding.clone());
        }
        Ok(())
    }

    /// Binds or frees a chord. What would be shadowed by it, or would shadow it, goes.
    fn bind(&mut self, pane: Pane, chord: Vec<Key>, binding: Option<Binding>) {
        let keys = self.panes.entry(pane).or_default();
        keys.retain(|other, _| !other.starts_with(&chord) && !chord.starts_with(other));
        if let Some(binding) = binding {
            keys.insert(chord, binding);
        }
    }

    /// What `typed` means in `pane`.
    #[must_use]
    pub fn lookup(&self, pane: Pane, typed: &[Key]) -> Lookup {
        let Some(keys) = self.panes.get(&pane) else { return Lookup::Nothing };
        if let Some(binding) = keys.get(typed) {
            return Lookup::Command(binding.clone());
        }
        let more = keys.range(typed.to_vec()..).next().is_some_and(|(chord, _)| chord.starts_with(typed));
        if more && !typed.is_empty() { Lookup::Prefix } else { Lookup::Nothing }
    }

    /// What may follow `typed`: the rest of each chord, and its command. For the which-key line.
    #[must_use]
    pub fn following(&self, pane: Pane, typed: &[Key]) -> Vec<(String, &Binding)> {
        let Some(keys) = self.panes.get(&pane) else { return Vec::new() };
        keys.range(typed.to_vec()..)
            .take_while(|(chord, _)| chord.starts_with(typed))
            .filter_map(|(chord, binding)| Some((chord_text(chord.get(typed.len()..)?), binding)))
            .collect()
    }

    /// The chords for `id` in `pane`, the shortest and plainest first.
    #[must_use]
    pub fn chords(&self, pane: Pane, id: &str) -> Vec<String> {
        let Some(keys) = self.panes.get(&pane) else { return Vec::new() };
        let mut found: Vec<_> =
            keys.iter().filter(|(_, b)| b.command.id == id && b.arg.is_empty()).map(|(chord, _)| chord.clone()).collect();
        // In the order of the table's row where it names them, so that hints show what the documents show.
        let row = command::find(id).map(|spec| spec.keys).unwrap_or_default();
        let place = |chord: &Vec<Key>| {
            row.iter().position(|(_, text)| parse_chord(text).is_ok_and(|c| c == *chord)).map_or((1, chord.len()), |n| (0, n))
        };
        found.sort_by_key(place);
        found.iter().map(|c| chord_text(c)).collect()
    }

    /// The one key to show for `id` in `pane`.
    #[must_use]
    pub fn key_for(&self, pane: Pane, id: &str) -> Option<String> {
        self.chords(pane, id).into_iter().next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(context: &str, keys: &str, command: &str) -> KeyBinding {
        KeyBinding { context: context.into(), keys: keys.into(), command: command.into(), place: "config.toml:3:1".into() }
    }

    fn lookup(map: &Keymap, pane: Pane, text: &str) -> Option<&'static str> {
        match map.lookup(pane, &parse_chord(text).unwrap()) {
            Lookup::Command(b) => Some(b.command.id),
            Lookup::Prefix => Some("prefix"),
            Lookup::Nothing => None,
        }
    }

    #[test]
    fn chords_resolve_by_pane() {
        let (map, wrong) = Keymap::new(&[]);
        assert!(wrong.is_empty());
        assert_eq!(lookup(&map, Pane::Messages, "e"), Some("archive"));
        assert_eq!(lookup(&map, Pane::Messages, "g"), Some("prefix"));
        assert_eq!(lookup(&map, Pane::Messages, "g i"), Some("goto-inbox"));
        assert_eq!(lookup(&map, Pane::Messages, "g q"), None);
        assert_eq!(lookup(&map, Pane::Folders, "e"), None);
        let after_g = map.following(Pane::Messages, &parse_chord("g").unwrap());
        assert!(after_g.iter().any(|(keys, b)| keys == "i" && b.command.id == "goto-inbox"));
        assert_eq!(map.key_for(Pane::Messages, "down").as_deref(), Some("j"));
    }

    #[test]
    fn overrides_replace_rows_and_wrong_ones_say_why() {
        let (map, wrong) = Keymap::new(&[
            rule("messages", "e", "delete"),
            rule("global", "g", "help"),
            rule("reader", "g", "goto Lists/kernel"),
            rule("messages", "x", "none"),
            rule("messages", "b", "archiv"),
            rule("mesages", "b", "archive"),
            rule("messages", "Hyper-b", "archive"),
        ]);
        assert_eq!(lookup(&map, Pane::Messages, "e"), Some("delete"));
        assert_eq!(lookup(&map, Pane::Messages, "g"), Some("help"), "a bare g takes the place of all g chords");
        assert_eq!(lookup(&map, Pane::Messages, "g i"), None);
        assert_eq!(lookup(&map, Pane::Messages, "x"), None);
        assert_eq!(map.key_for(Pane::Messages, "archive"), None);
        assert!(matches!(map.lookup(Pane::Reader, &[Key::char('g')]), Lookup::Command(b) if b.arg == "Lists/kernel"));
        assert_eq!(wrong.len(), 3, "{wrong:?}");
        assert!(wrong[0].contains("did you mean `archive`"), "{wrong:?}");
    }
}
