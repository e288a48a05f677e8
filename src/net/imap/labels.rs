//! labels — Gmail's labels as keywords (X-GM-EXT-1).
//! Owns: `read`, what a change of flags is there.
//! May import: mail, base.
//! Start reading at: `changes`. On such a server a tag is a label: both sides of it are here, so that nobody else need know.
//! `\Important` is `$Important` (RFC 8457); its other own labels say what mailboxes say already.

use super::conn::Command;
use super::value::Value;
use crate::mail::flags::{FlagDelta, Flags, Keyword};
use crate::mail::uid::UidSet;
use crate::mail::utf7;

/// What is asked for beside the flags.
pub(super) const ITEM: &str = " X-GM-LABELS";
const IMPORTANT: &str = "$Important";

/// The labels in a list as keywords; those of the server's own making are left out.
pub(super) fn read(list: &Value<'_>) -> Vec<Keyword> {
    let one = |label: &Value<'_>| {
        let text = label.text()?;
        match text.strip_prefix('\\') {
            Some(own) if own.eq_ignore_ascii_case("Important") => Keyword::new(IMPORTANT),
            Some(_) => None,
            None if text.is_ascii() => Keyword::of_label(&utf7::decode(&text).unwrap_or_else(|| text.to_string())),
            None => Keyword::of_label(&text),
        }
    };
    list.items().iter().take(Flags::MAX_KEYWORDS).filter_map(one).collect()
}

/// The flags with the labels among them.
pub(super) fn with(mut flags: Flags, labels: Option<Vec<Keyword>>) -> Flags {
    for label in labels.unwrap_or_default() {
        flags.insert_keyword(label);
    }
    flags
}

/// The commands that change the flags of `uids`; where `labels` are, keywords are changed as such.
pub(super) fn changes(uids: &UidSet, delta: &FlagDelta, labels: bool) -> Vec<Command> {
    let mut out = Vec::new();
    for (sign, flags) in [('+', delta.add()), ('-', delta.remove())] {
        let is_label = |k: &&Keyword| labels && (!k.as_str().starts_with('$') || is_important(k));
        // What is cleared may have been set as a keyword by another client.
        let plain: Vec<&str> = flags.system().map(|f| f.wire()).collect();
        let keywords = flags.keywords().filter(|k| sign == '-' || !is_label(k)).map(Keyword::as_str);
        let words: Vec<&str> = plain.into_iter().chain(keywords).collect();
        if !words.is_empty() {
            out.push(Command::new(&format!("UID STORE {uids} {sign}FLAGS.SILENT ({})", words.join(" "))));
        }
        let mut named = flags.keywords().filter(is_label).peekable();
        if named.peek().is_some() {
            let mut command = Command::new(&format!("UID STORE {uids} {sign}X-GM-LABELS ("));
            for (n, label) in named.enumerate() {
                command = command.text(if n > 0 { " " } else { "" });
                command = match is_important(label) {
                    true => command.text("\\Important"),
                    false => command.string(utf7::encode(&label.label()).as_bytes()),
                };
            }
            out.push(command.text(")"));
        }
    }
    out
}

fn is_important(keyword: &Keyword) -> bool {
    keyword.as_str().eq_ignore_ascii_case(IMPORTANT)
}

#[cfg(test)]
mod tests {
    use super::super::value;
    use super::*;
    use crate::mail::flags::Flag;

    #[test]
    fn labels_of_gmail() {
        let text =
            b"(\\Inbox \"\\\\Sent\" Important \"\\\\Important\" \"Muy Importante\" {3}\r\na\"b Entw&APw-rfe \"gr\xc3\xbcn\")";
        let labels: Vec<_> = read(&value::parse(text, &value::Room::new())[0]).iter().map(Keyword::label).collect();
        assert_eq!(labels, ["Important", "$Important", "Muy Importante", "a\"b", "Entwürfe", "grün"]);
        assert!(read(&value::parse(b"NIL", &value::Room::new())[0]).is_empty());
    }

    #[test]
    fn tags_are_changed_as_labels() {
        let flags = |labels: &[&str]| {
            let mut flags = Flags::from(Flag::Seen);
            for label in labels {
                flags.insert_keyword(Keyword::of_label(label).unwrap());
            }
            flags
        };
        let shown = |delta: &FlagDelta, labels| -> Vec<String> {
            changes(&UidSet::range(1, 2), delta, labels).iter().map(Command::shown).collect()
        };
        let delta = FlagDelta::new(flags(&["Zürich x", "$Forwarded"]), flags(&["a\"b", "$Important"]));
        assert_eq!(
            shown(&delta, true),
            [
                "UID STORE 1:2 +FLAGS.SILENT (\\Seen $Forwarded)",
                "UID STORE 1:2 +X-GM-LABELS (\"Z&APw-rich x\")",
                "UID STORE 1:2 -FLAGS.SILENT ($Important a&ACI-b)",
                "UID STORE 1:2 -X-GM-LABELS (\\Important \"a\\\"b\")",
            ]
        );
        assert_eq!(shown(&FlagDelta::set(Flag::Seen), true), ["UID STORE 1:2 +FLAGS.SILENT (\\Seen)"]);
        let plain = shown(&FlagDelta::new(flags(&["work"]), Flags::new()), false);
        assert_eq!(plain, ["UID STORE 1:2 +FLAGS.SILENT (\\Seen work)"]);
    }
}
