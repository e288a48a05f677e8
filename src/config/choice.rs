//! choice — the finer choices of an account: extensions left unused, mailboxes kept here or watched.
//! Owns: `Pattern`, `OfflineRule`, the list of extensions that can be switched off.
//! May import: mail, config.
//! Start reading at: `Pattern`, then `EXTENSIONS`.

use super::complain::nearest;
use super::mistakes::Mistakes;
use super::values::Age;
use crate::mail::mailbox::MailboxPath;
use std::collections::BTreeMap;
use toml::Spanned;

/// The extensions of IMAP that Postrider uses where a server has them, under their names in CAPABILITY (RFC 9051, 6.1.1):
/// what `without = […]` may name. `AUTH=` is the matter of `auth` and `min-auth`.
pub const EXTENSIONS: [&str; 32] = [
    "ACL",
    "BINARY",
    "COMPRESS=DEFLATE",
    "CONDSTORE",
    "ENABLE",
    "ESEARCH",
    "ID",
    "IDLE",
    "IMAP4REV2",
    "LIST-EXTENDED",
    "LIST-STATUS",
    "LITERAL+",
    "LITERAL-",
    "MOVE",
    "NAMESPACE",
    "NOTIFY",
    "OBJECTID",
    "PREVIEW",
    "QRESYNC",
    "QUOTA",
    "SASL-IR",
    "SAVEDATE",
    "SEARCHRES",
    "SORT",
    "SPECIAL-USE",
    "STATUS=SIZE",
    "THREAD=REFERENCES",
    "THREAD=REFS",
    "UIDPLUS",
    "UNSELECT",
    "UTF8=ACCEPT",
    "X-GM-EXT-1",
];

/// Names of mailboxes, as the person reads them: `*` stands for any run of characters, the hierarchy's delimiter too.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pattern(String);

impl Pattern {
    /// Of what stands in the file.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it names this mailbox. `INBOX` may be written in any case.
    #[must_use]
    pub fn names(&self, mailbox: &MailboxPath) -> bool {
        if mailbox.is_inbox() && self.0.eq_ignore_ascii_case("INBOX") {
            return true;
        }
        fits(&self.0, &mailbox.decoded())
    }
}

/// Matches without going back further than to the last star: time stays below the product of both lengths.
fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|head| name.strip_prefix(head)) else { return false };
    let Some(tail) = pattern.contains('*').then(|| parts.next_back()).flatten() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    rest.ends_with(tail)
}

/// What stays on this machine of some mailboxes, where it is not what the account says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OfflineRule {
    /// Which mailboxes.
    pub mailboxes: Pattern,
    /// Which bodies of theirs.
    pub bodies: Age,
}

/// The rules, those that name fewer mailboxes first: a name before a pattern, a longer pattern before a shorter one.
pub(super) fn offline(block: BTreeMap<String, Age>) -> Vec<OfflineRule> {
    let mut rules: Vec<_> = block.into_iter().collect();
    rules.sort_by_key(|(name, _)| (name.contains('*'), usize::MAX - name.len()));
    rules.into_iter().map(|(name, bodies)| OfflineRule { mailboxes: Pattern(name), bodies }).collect()
}

/// The extensions that are left unused, in upper case.
pub(super) fn without(names: Vec<Spanned<String>>, mistakes: &mut Mistakes<'_>) -> Vec<String> {
    let one = |name: Spanned<String>| {
        let upper = name.get_ref().to_uppercase();
        if EXTENSIONS.contains(&upper.as_str()) {
            return Some(upper);
        }
        let what = format!("`{}` is no extension that Postrider uses", name.get_ref());
        let hint = match nearest(&upper, &EXTENSIONS) {
            Some(near) => format!("Did you mean `{near}`?"),
            None => "`postrider doctor` lists those of the server that are used".to_owned(),
        };
        mistakes.at(&name.span(), &what, &hint);
        None
    };
    names.into_iter().filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_anything() {
        let cases = [
            ("INBOX", "inbox", false),
            ("Lists/*", "Lists/rust/users", true),
            ("Lists/*", "Lists", false),
            ("*", "anything", true),
            ("*/2026", "Archive/2026", true),
            ("*/2026", "Archive/2026/05", false),
            ("A*b*c", "A--b--c", true),
            ("A*b*c", "A--c--b", false),
            ("a*a", "a", false),
            ("", "", true),
            ("", "x", false),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn names_are_compared_as_they_are_read() {
        assert!(Pattern::new("Entwürfe").names(&MailboxPath::from_wire(b"Entw&APw-rfe")));
        assert!(Pattern::new("inbox").names(&MailboxPath::inbox()));
        assert!(!Pattern::new("Sent").names(&MailboxPath::from_typed("sent")));
        assert!(EXTENSIONS.is_sorted_by_key(|e| e.replace("X-GM", "XZ-GM")));
    }
}
