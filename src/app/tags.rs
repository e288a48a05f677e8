//! tags — words of the person's own on messages: keywords of the server, so that other programs see them too.
//! Owns: `Tagging`, `of`. May import: mail.
//! Start reading at: `App::open_tags`. What was taken out of the line is taken from the messages, what was added is set.

use super::act::Act;
use super::input::Line;
use super::layout::Focus;
use super::popup::Popup;
use super::state::App;
use crate::base::safetext::SafeText;
use crate::mail::flags::{FlagDelta, Flags, Keyword};

/// What servers and programs note for themselves.
const NOT_TAGS: [&str; 5] = ["Junk", "NonJunk", "NotJunk", "Forwarded", "Old"];

/// The line in which tags are written.
#[derive(Clone, Debug)]
pub struct Tagging {
    /// What is written.
    pub line: Line,
    /// The tags that there were.
    before: Vec<Keyword>,
    /// Tags of other messages in the list, to be reminded of.
    pub known: SafeText,
}

/// As it stands in the line: a label whose words would be several tags there is spelt as the server's keyword.
fn spelt(tag: &Keyword) -> String {
    let label = tag.label();
    if label.contains([' ', ',', '#']) || label.chars().any(char::is_control) { tag.as_str().to_owned() } else { label }
}

/// What a word of the line means.
fn read(word: &str, before: &[Keyword]) -> Option<Keyword> {
    if let Some(known) = before.iter().find(|k| spelt(k) == word) {
        return Some(known.clone());
    }
    // Letters beyond ASCII: no keyword by itself, but a label.
    let beyond = || word.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c)).then(|| Keyword::of_label(word)).flatten();
    Keyword::new(word).filter(|_| !word.starts_with('$')).or_else(beyond)
}

/// The tags among the flags of a message, sorted.
pub fn of(flags: &Flags) -> impl Iterator<Item = &Keyword> {
    let own = |k: &&Keyword| !k.as_str().starts_with('$') && !NOT_TAGS.iter().any(|n| n.eq_ignore_ascii_case(k.as_str()));
    flags.keywords().filter(own)
}

impl App {
    /// Runs a command of this group; `false` if it is none.
    pub(super) fn tag_command(&mut self, id: &str, arg: &str) -> bool {
        match id {
            "tag" if arg.is_empty() => self.open_tags(),
            "tag" => {
                let before: Vec<Keyword> = self.tags_at_hand();
                let kept = before.iter().map(spelt).collect::<Vec<_>>().join(" ");
                self.tag(&before, &format!("{kept} {arg}"));
            }
            _ => return false,
        }
        true
    }

    /// Tags that all messages have that a command would be about.
    fn tags_at_hand(&self) -> Vec<Keyword> {
        if self.focus == Focus::Reader {
            return self.viewer.view().map(|v| of(&v.row.flags).cloned().collect()).unwrap_or_default();
        }
        if self.list.marked() == 0 {
            return self.list.current().map(|i| of(&i.row.flags).cloned().collect()).unwrap_or_default();
        }
        let mut rows = self.list.marked_rows();
        let first: Vec<Keyword> = rows.next().map(|r| of(&r.flags).cloned().collect()).unwrap_or_default();
        rows.fold(first, |common, row| common.into_iter().filter(|k| row.flags.has_keyword(k)).collect())
    }

    /// Asks for the tags of the messages.
    pub(super) fn open_tags(&mut self) {
        let before = self.tags_at_hand();
        let mut text = before.iter().map(spelt).collect::<Vec<_>>().join(" ");
        if !text.is_empty() {
            text.push(' ');
        }
        let mut known: Vec<&Keyword> = self.list.rows().iter().flat_map(|r| of(&r.flags)).collect();
        known.sort();
        known.dedup();
        let known = known.iter().map(|k| k.label()).collect::<Vec<_>>().join(" ");
        let known = SafeText::line_max(&known, 200);
        self.popup = Some(Popup::Tags(Box::new(Tagging { line: Line::new(&text), before, known })));
    }

    /// The line was finished.
    pub(super) fn tagged(&mut self, tagging: &Tagging) {
        self.tag(&tagging.before, tagging.line.text());
    }

    fn tag(&mut self, before: &[Keyword], typed: &str) {
        let (mut add, mut remove, mut kept) = (Flags::new(), Flags::new(), Vec::new());
        for word in typed.split([' ', ',']).map(|w| w.trim_start_matches('#')).filter(|w| !w.is_empty()) {
            let Some(keyword) = read(word, before) else {
                let text = format!("`{}` cannot be a tag: letters, digits, - and _", SafeText::line_max(word, 60));
                return self.status.doubt(self.now.since, &text);
            };
            if !before.contains(&keyword) {
                add.insert_keyword(keyword.clone());
            }
            kept.push(keyword);
        }
        for gone in before.iter().filter(|k| !kept.contains(k)) {
            remove.insert_keyword(gone.clone());
        }
        let delta = FlagDelta::new(add, remove);
        if !delta.is_empty() {
            self.act(Act::Flag(delta, "tagged"));
        }
    }
}
