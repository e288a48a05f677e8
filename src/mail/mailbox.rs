//! mailbox — a mailbox's name as the server wrote it, how it is shown, and what it is for (RFC 6154).
//! Owns: `MailboxPath`, `Role`.
//! May import: base.
//! Start reading at: `MailboxPath`. The octets that the server sent are the identity and go back unchanged;
//! only the decoded form is ever shown, and only through `SafeText`.

use super::utf7;
use crate::base::safetext::SafeText;
use std::fmt;

/// First char of the range that stands for octets 0x80..=0xFF that were not UTF-8 (so that any octets fit a `str`).
const RAW_OCTET: u32 = 0x0010_FF00;

/// The longest name of a mailbox to be made, in octets: what the strictest of the usual servers takes.
const MAX_NAME: usize = 240;

/// A name, or a part of one, for a person: decoded; as the server wrote it where that fails or leaves nothing to be read, and octets
/// that are no text as `\xff` (security S-23).
fn readable(part: &str) -> String {
    let decoded = utf7::decode(part).filter(|text| {
        let shown = SafeText::line(text);
        !shown.as_str().contains('\u{fffd}') || shown.as_str().contains(char::is_alphanumeric)
    });
    let text = decoded.as_deref().unwrap_or(part);
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match u32::from(c).checked_sub(RAW_OCTET).and_then(|b| u8::try_from(b).ok()) {
            Some(octet) => out.push_str(&format!("\\x{octet:02x}")),
            None => out.push(c),
        }
    }
    out
}

/// A mailbox's name in wire form: exactly the server's octets.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct MailboxPath(String);

impl MailboxPath {
    /// Of the octets that a server sent. `INBOX` in any case is one mailbox (RFC 9051, 5.1).
    #[must_use]
    pub fn from_wire(octets: &[u8]) -> Self {
        if octets.eq_ignore_ascii_case(b"INBOX") {
            return Self::inbox();
        }
        let mut name = String::with_capacity(octets.len());
        for chunk in octets.utf8_chunks() {
            name.push_str(chunk.valid());
            name.extend(chunk.invalid().iter().filter_map(|b| char::from_u32(RAW_OCTET + u32::from(*b))));
        }
        Self(name)
    }

    /// Of a stored name, as [`Self::as_str`] gave it.
    #[must_use]
    pub fn from_stored(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// Of a name that a person typed, encoded as modified UTF-7.
    #[must_use]
    pub fn from_typed(name: &str) -> Self {
        if name.eq_ignore_ascii_case("INBOX") { Self::inbox() } else { Self(utf7::encode(name)) }
    }

    /// The inbox.
    #[must_use]
    pub fn inbox() -> Self {
        Self("INBOX".to_owned())
    }

    /// Whether this is the inbox.
    #[must_use]
    pub fn is_inbox(&self) -> bool {
        self.0 == "INBOX"
    }

    /// The octets for the wire: to be quoted or sent as a literal by `net`, never pasted.
    #[must_use]
    pub fn to_wire(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.0.len());
        for c in self.0.chars() {
            match u32::from(c).checked_sub(RAW_OCTET).and_then(|b| u8::try_from(b).ok()) {
                Some(octet) => out.push(octet),
                None => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        out
    }

    /// For storing; the inverse of [`Self::from_stored`].
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The whole name, decoded. Untrusted: show it through `SafeText`.
    #[must_use]
    pub fn decoded(&self) -> String {
        readable(&self.0)
    }

    /// The last part of the name below `delimiter`, decoded. Untrusted.
    #[must_use]
    pub fn leaf(&self, delimiter: Option<char>) -> String {
        let part = delimiter.and_then(|d| self.0.rsplit(d).find(|p| !p.is_empty())).unwrap_or(&self.0);
        readable(part)
    }

    /// How many ancestors it has under `delimiter`.
    #[must_use]
    pub fn depth(&self, delimiter: Option<char>) -> usize {
        delimiter.map_or(0, |d| self.0.trim_end_matches(d).matches(d).count())
    }

    /// The enclosing mailbox's name.
    #[must_use]
    pub fn parent(&self, delimiter: Option<char>) -> Option<Self> {
        let (parent, _) = self.0.trim_end_matches(delimiter?).rsplit_once(delimiter?)?;
        (!parent.is_empty()).then(|| Self::from_wire(parent.as_bytes()))
    }

    /// Whether it is `root` or lies below it.
    #[must_use]
    pub fn is_within(&self, root: &Self, delimiter: Option<char>) -> bool {
        self.moved(root, root, delimiter).is_some()
    }

    /// Its name after `from` was renamed to `to`, with all that lies below; nothing if it does not lie there.
    #[must_use]
    pub fn moved(&self, from: &Self, to: &Self, delimiter: Option<char>) -> Option<Self> {
        let below = self.0.strip_prefix(&from.0)?;
        let inside = delimiter.is_some_and(|d| below.starts_with(d)) && !from.is_inbox();
        (below.is_empty() || inside).then(|| Self(format!("{}{below}", to.0)))
    }

    /// Whether a mailbox can be made under this name in a hierarchy with `delimiter`; else why not.
    ///
    /// # Errors
    /// A sentence's end for the person.
    pub fn check_new(&self, delimiter: Option<char>) -> Result<(), &'static str> {
        if self.0.is_empty() {
            return Err("a mailbox needs a name");
        }
        if self.is_inbox() {
            return Err("the inbox is always there");
        }
        if self.0.len() > MAX_NAME {
            return Err("this name is too long");
        }
        // `%` and `*` could be made and never be asked for again by LIST (RFC 9051, 6.3.9).
        if self.decoded().chars().any(|c| c.is_control() || matches!(c, '%' | '*' | '\u{fffd}')) {
            return Err("this name has a character that no mailbox can have");
        }
        match delimiter {
            Some(d) if self.0.split(d).any(|part| part.trim().is_empty()) => Err("a part of this name is empty"),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for MailboxPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MailboxPath({:?})", self.0)
    }
}

/// What a mailbox is for: from SPECIAL-USE (RFC 6154), the configuration, or its name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// New mail.
    Inbox,
    /// `\Drafts`
    Drafts,
    /// `\Sent`
    Sent,
    /// `\Archive`
    Archive,
    /// `\Junk`
    Junk,
    /// `\Trash`
    Trash,
    /// `\All`: holds every message once.
    All,
    /// `\Flagged`: a view of starred messages.
    Flagged,
}

impl Role {
    /// All, in the order in which they are listed.
    pub const ALL: [Self; 8] =
        [Self::Inbox, Self::Drafts, Self::Sent, Self::Archive, Self::Junk, Self::Trash, Self::All, Self::Flagged];

    /// `inbox` and so on, as in the configuration, JSON and the store.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Drafts => "drafts",
            Self::Sent => "sent",
            Self::Archive => "archive",
            Self::Junk => "junk",
            Self::Trash => "trash",
            Self::All => "all",
            Self::Flagged => "flagged",
        }
    }

    /// The inverse of [`Self::word`]; also takes the SPECIAL-USE attribute (`\Sent`), in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let word = text.strip_prefix('\\').unwrap_or(text);
        Self::ALL.into_iter().find(|r| r.word().eq_ignore_ascii_case(word))
    }

    /// By the name's last part, for servers without SPECIAL-USE. Names are those that common clients create.
    #[must_use]
    pub fn from_name(leaf: &str) -> Option<Self> {
        const NAMES: [(Role, &[&str]); 5] = [
            (Role::Drafts, &["drafts", "draft", "entwürfe", "entwurf", "brouillons", "borradores", "bozze", "concepten"]),
            (
                Role::Sent,
                &[
                    "sent",
                    "sent items",
                    "sent mail",
                    "sent messages",
                    "gesendet",
                    "gesendete elemente",
                    "gesendete objekte",
                    "envoyés",
                    "éléments envoyés",
                    "enviados",
                    "inviata",
                    "posta inviata",
                    "verzonden items",
                ],
            ),
            (Role::Archive, &["archive", "archives", "archiv", "archivo", "archivio", "archief"]),
            (Role::Junk, &["junk", "junk e-mail", "junk email", "junk mail", "spam", "bulk mail", "indésirables", "ongewenst"]),
            (
                Role::Trash,
                &[
                    "trash",
                    "deleted",
                    "deleted items",
                    "deleted messages",
                    "bin",
                    "papierkorb",
                    "gelöschte elemente",
                    "gelöschte objekte",
                    "corbeille",
                    "papelera",
                    "cestino",
                    "prullenbak",
                ],
            ),
        ];
        let leaf = leaf.to_lowercase();
        NAMES.into_iter().find(|(_, names)| names.contains(&leaf.as_str())).map(|(role, _)| role)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn modified_utf7() {
        assert_eq!(MailboxPath::from_wire(b"Entw&APw-rfe").decoded(), "Entwürfe");
        // What would leave nothing to be read is shown as it was written, and octets that are no text by their numbers.
        for (odd, shown) in [(&b"&IC4-"[..], "&IC4-"), (b"&AJs-", "&AJs-"), (b"\xff\xfe", "\\xff\\xfe"), (b"a\xff", "a\\xff")] {
            assert_eq!(MailboxPath::from_wire(odd).decoded(), shown);
            assert_eq!(MailboxPath::from_wire(odd).to_wire(), odd);
        }
        assert_eq!(MailboxPath::from_typed("Entwürfe & mehr").as_str(), "Entw&APw-rfe &- mehr");
        // Malformed names keep their octets and are shown as they are.
        for odd in ["&", "&AAA", "&2D0-", "a&b"] {
            assert_eq!(MailboxPath::from_wire(odd.as_bytes()).decoded(), odd);
        }
    }

    #[test]
    fn octets_come_back() {
        let octets = b"a\xff\xfe\xc3\xa9\"\\\r\n";
        let path = MailboxPath::from_wire(octets);
        assert_eq!(MailboxPath::from_stored(path.as_str()).to_wire(), octets);
    }

    #[test]
    fn tree() {
        let path = MailboxPath::from_wire(b"INBOX.Lists.rust");
        assert_eq!((path.leaf(Some('.')), path.depth(Some('.'))), ("rust".to_owned(), 2));
        assert_eq!(path.parent(Some('.')).unwrap().as_str(), "INBOX.Lists");
        assert!(MailboxPath::from_wire(b"inBox").is_inbox());
        assert_eq!(path.leaf(None), "INBOX.Lists.rust");
    }

    #[test]
    fn what_lies_below_moves_along() {
        let path = |n: &str| MailboxPath::from_typed(n);
        let moved = |n: &str| path(n).moved(&path("a"), &path("x/y"), Some('/')).map(|p| p.as_str().to_owned());
        assert_eq!(moved("a").as_deref(), Some("x/y"));
        assert_eq!(moved("a/b/c").as_deref(), Some("x/y/b/c"));
        assert_eq!((moved("ab"), moved("b/a")), (None, None));
        assert_eq!(path("a/b").moved(&path("a"), &path("x"), None), None);
        // INBOX.a is no child of the inbox that a rename of it would take along (RFC 9051, 6.3.6).
        assert!(!path("INBOX/a").is_within(&MailboxPath::inbox(), Some('/')));
    }

    #[test]
    fn odd_names_are_not_made() {
        for bad in ["", "INBOX", "inbox", "a//b", "/a", "a/", "a/ /b", "a*", "a%b", "a\nb", &"x".repeat(300)] {
            assert!(MailboxPath::from_typed(bad).check_new(Some('/')).is_err(), "{bad:?}");
        }
        for good in ["Büro", "a/b", "a.b", "R&D", "2026 (old)"] {
            assert_eq!(MailboxPath::from_typed(good).check_new(Some('/')), Ok(()), "{good:?}");
        }
    }

    proptest! {
        #[test]
        fn any_name_survives(name in "\\PC{0,20}", octets in proptest::collection::vec(any::<u8>(), 0..30)) {
            if !name.eq_ignore_ascii_case("inbox") {
                let path = MailboxPath::from_typed(&name);
                prop_assert_eq!(utf7::decode(path.as_str()), Some(name.clone()));
                prop_assert!(!SafeText::line(&name).as_str().contains(char::is_alphanumeric) || path.decoded() == name);
            }
            if !octets.eq_ignore_ascii_case(b"inbox") {
                prop_assert_eq!(MailboxPath::from_wire(&octets).to_wire(), octets);
            }
        }
    }
}
