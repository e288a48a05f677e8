//! flags — what is marked on a message, and *changes* of it (RFC 9051, 2.3.2).
//! Owns: `Flag`, `Keyword`, `Flags`, `FlagDelta`.
//! May import: base.
//! Start reading at: `FlagDelta`. The journal holds deltas only, never absolute sets: deltas of two clients
//! commute, absolute sets overwrite each other.

use std::collections::BTreeSet;
use std::fmt;

/// A system flag that we set or read. `\Recent` is not one: it says nothing about the message.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Flag {
    /// Read.
    Seen,
    /// A reply was sent.
    Answered,
    /// Starred.
    Flagged,
    /// Marked for expunging.
    Deleted,
    /// An unfinished message.
    Draft,
}

impl Flag {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Seen, Self::Answered, Self::Flagged, Self::Deleted, Self::Draft];

    /// This flag's bit in [`Flags::bits`].
    #[must_use]
    pub const fn bit(self) -> u8 {
        1 << self as u8
    }

    /// `\Seen` and so on.
    #[must_use]
    pub const fn wire(self) -> &'static str {
        match self {
            Self::Seen => "\\Seen",
            Self::Answered => "\\Answered",
            Self::Flagged => "\\Flagged",
            Self::Deleted => "\\Deleted",
            Self::Draft => "\\Draft",
        }
    }

    /// `seen` and so on: in JSON and on the command line.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Answered => "answered",
            Self::Flagged => "flagged",
            Self::Deleted => "deleted",
            Self::Draft => "draft",
        }
    }

    /// Reads either form, in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let word = text.strip_prefix('\\').unwrap_or(text);
        Self::ALL.into_iter().find(|f| f.word().eq_ignore_ascii_case(word))
    }
}

/// A keyword flag (`$Forwarded`, `work`): an IMAP atom of at most [`Keyword::MAX`] bytes, compared without case.
#[derive(Clone, Debug)]
pub struct Keyword(String);

impl Keyword {
    /// The longest keyword that we keep, in bytes; longer ones are left out (security S-20).
    pub const MAX: usize = 255;

    /// The keyword, or nothing for what is no atom (RFC 9051 `flag-keyword`).
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let fits = !text.is_empty() && text.len() <= Self::MAX;
        let atom = |b: u8| b.is_ascii_graphic() && !b"(){%*\"\\]".contains(&b);
        (fits && text.bytes().all(atom)).then(|| Self(text.to_owned()))
    }

    /// As the server or the person spelt it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Keyword {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}
impl Eq for Keyword {}
impl Ord for Keyword {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let lower = |s: &str| s.bytes().map(|b| b.to_ascii_lowercase()).collect::<Vec<_>>();
        lower(&self.0).cmp(&lower(&other.0))
    }
}
impl PartialOrd for Keyword {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl std::hash::Hash for Keyword {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        for b in self.0.bytes() {
            state.write_u8(b.to_ascii_lowercase());
        }
    }
}

/// The flags of one message in one mailbox.
#[derive(Clone, PartialEq, Eq, Default, Hash)]
pub struct Flags {
    bits: u8,
    keywords: BTreeSet<Keyword>,
}

impl Flags {
    /// The most keywords kept for one message (security S-20).
    pub const MAX_KEYWORDS: usize = 100;

    /// None.
    #[must_use]
    pub const fn new() -> Self {
        Self { bits: 0, keywords: BTreeSet::new() }
    }

    /// Of stored system bits, unknown ones left out.
    #[must_use]
    pub fn from_bits(bits: u8) -> Self {
        Self { bits: bits & 0x1f, keywords: BTreeSet::new() }
    }

    /// Of words as a server or a person writes them; what is neither a flag nor a keyword is left out.
    pub fn from_words<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        let mut flags = Self::new();
        for word in words {
            flags.insert_word(word);
        }
        flags
    }

    /// Adds one word, with or without a backslash for system flags. False if it is neither.
    pub fn insert_word(&mut self, word: &str) -> bool {
        if let Some(flag) = Flag::parse(word) {
            self.insert(flag);
            return true;
        }
        Keyword::new(word).is_some_and(|k| self.insert_keyword(k))
    }

    /// The system flags as bits, see [`Flag::bit`].
    #[must_use]
    pub const fn bits(&self) -> u8 {
        self.bits
    }

    /// Whether `flag` is set.
    #[must_use]
    pub const fn has(&self, flag: Flag) -> bool {
        self.bits & flag.bit() != 0
    }

    /// Sets `flag`.
    pub const fn insert(&mut self, flag: Flag) {
        self.bits |= flag.bit();
    }

    /// Clears `flag`.
    pub const fn remove(&mut self, flag: Flag) {
        self.bits &= !flag.bit();
    }

    /// Adds a keyword; false where [`Self::MAX_KEYWORDS`] are there already.
    pub fn insert_keyword(&mut self, keyword: Keyword) -> bool {
        if self.keywords.len() >= Self::MAX_KEYWORDS && !self.keywords.contains(&keyword) {
            return false;
        }
        self.keywords.insert(keyword);
        true
    }

    /// The keywords, sorted.
    pub fn keywords(&self) -> impl Iterator<Item = &Keyword> {
        self.keywords.iter()
    }

    /// Whether that keyword is set.
    #[must_use]
    pub fn has_keyword(&self, keyword: &Keyword) -> bool {
        self.keywords.contains(keyword)
    }

    /// Whether nothing is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bits == 0 && self.keywords.is_empty()
    }

    /// The system flags that are set.
    pub fn system(&self) -> impl Iterator<Item = Flag> + '_ {
        Flag::ALL.into_iter().filter(|f| self.has(*f))
    }

    /// All words, system flags first, in wire form, for a parenthesised list.
    #[must_use]
    pub fn wire(&self) -> String {
        let mut words: Vec<&str> = self.system().map(Flag::wire).collect();
        words.extend(self.keywords.iter().map(Keyword::as_str));
        words.join(" ")
    }
}

impl From<Flag> for Flags {
    fn from(flag: Flag) -> Self {
        Self::from_bits(flag.bit())
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Flags({})", self.wire())
    }
}

/// A change of flags: what to set and what to clear. No flag is in both.
#[derive(Clone, PartialEq, Eq, Default, Hash, Debug)]
pub struct FlagDelta {
    add: Flags,
    remove: Flags,
}

impl Flag {
    /// What setting it, and what clearing it, is called in a sentence to a person.
    const fn in_words(self) -> (&'static str, &'static str) {
        match self {
            Self::Seen => ("mark read", "mark unread"),
            Self::Answered => ("mark answered", "mark unanswered"),
            Self::Flagged => ("star", "take the star off"),
            Self::Deleted => ("mark deleted", "mark not deleted"),
            Self::Draft => ("mark as draft", "mark as no draft"),
        }
    }
}

impl FlagDelta {
    /// For a person: "star", "mark read, tag work".
    #[must_use]
    pub fn in_words(&self) -> String {
        let flags = |of: &Flags, pick: fn((&'static str, &'static str)) -> &'static str| {
            Flag::ALL.into_iter().filter(|f| of.has(*f)).map(|f| pick(f.in_words()).to_owned()).collect::<Vec<_>>()
        };
        let tags = |of: &Flags, verb: &str| of.keywords().map(|k| format!("{verb} {}", k.as_str())).collect::<Vec<_>>();
        let (add, remove) = (&self.add, &self.remove);
        [flags(add, |w| w.0), flags(remove, |w| w.1), tags(add, "tag"), tags(remove, "untag")].concat().join(", ")
    }

    /// Sets `add`, clears `remove`; what is in both is set.
    #[must_use]
    pub fn new(add: Flags, mut remove: Flags) -> Self {
        remove.bits &= !add.bits;
        remove.keywords.retain(|k| !add.keywords.contains(k));
        Self { add, remove }
    }

    /// Sets one flag.
    #[must_use]
    pub fn set(flag: Flag) -> Self {
        Self::new(flag.into(), Flags::new())
    }

    /// Clears one flag.
    #[must_use]
    pub fn clear(flag: Flag) -> Self {
        Self::new(Flags::new(), flag.into())
    }

    /// What is set.
    #[must_use]
    pub const fn add(&self) -> &Flags {
        &self.add
    }

    /// What is cleared.
    #[must_use]
    pub const fn remove(&self) -> &Flags {
        &self.remove
    }

    /// Whether it changes nothing, whatever it meets.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.add.is_empty() && self.remove.is_empty()
    }

    /// The flags after the change.
    #[must_use]
    pub fn apply(&self, flags: &Flags) -> Flags {
        let mut out = flags.clone();
        out.bits = (out.bits | self.add.bits) & !self.remove.bits;
        out.keywords.retain(|k| !self.remove.keywords.contains(k));
        out.keywords.extend(self.add.keywords.iter().cloned());
        out
    }

    /// This change and then `next`, as one.
    #[must_use]
    pub fn then(&self, next: &Self) -> Self {
        let keep = |mine: &Flags, theirs: &Flags| {
            let mut out = Flags { bits: mine.bits & !theirs.bits, keywords: mine.keywords.clone() };
            out.keywords.retain(|k| !theirs.keywords.contains(k));
            out
        };
        let join = |mut a: Flags, b: &Flags| {
            a.bits |= b.bits;
            a.keywords.extend(b.keywords.iter().cloned());
            a
        };
        Self { add: join(keep(&self.add, &next.remove), &next.add), remove: join(keep(&self.remove, &next.add), &next.remove) }
    }

    /// The change that gives `before` back after this one was applied to it: only what really differed.
    #[must_use]
    pub fn inverse(&self, before: &Flags) -> Self {
        let mut add = Flags { bits: self.remove.bits & before.bits, keywords: self.remove.keywords.clone() };
        add.keywords.retain(|k| before.keywords.contains(k));
        let mut remove = Flags { bits: self.add.bits & !before.bits, keywords: self.add.keywords.clone() };
        remove.keywords.retain(|k| !before.keywords.contains(k));
        Self { add, remove }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn flags() -> impl Strategy<Value = Flags> {
        (0u8..32, proptest::collection::vec("[a-c]", 0..3)).prop_map(|(bits, words)| {
            let mut f = Flags::from_bits(bits);
            for w in &words {
                f.insert_word(w);
            }
            f
        })
    }
    fn delta() -> impl Strategy<Value = FlagDelta> {
        (flags(), flags()).prop_map(|(a, r)| FlagDelta::new(a, r))
    }

    #[test]
    fn a_person_reads_what_is_to_be_done() {
        let delta = |add: &str, remove: &str| {
            FlagDelta::new(Flags::from_words(add.split_whitespace()), Flags::from_words(remove.split_whitespace())).in_words()
        };
        assert_eq!(delta("\\Flagged", ""), "star");
        assert_eq!(delta("work \\Seen", "\\Flagged old"), "mark read, take the star off, tag work, untag old");
    }

    proptest! {
        #[test]
        fn deltas_compose_and_invert(f in flags(), a in delta(), b in delta()) {
            prop_assert_eq!(a.then(&b).apply(&f), b.apply(&a.apply(&f)));
            prop_assert_eq!(a.inverse(&f).apply(&a.apply(&f)), f);
        }
    }

    #[test]
    fn words_of_servers() {
        let f = Flags::from_words(["\\SEEN", "$Junk", "\\Recent", "bad word", "", "\\*"]);
        assert_eq!(f.wire(), "\\Seen $Junk");
        assert!(f.has_keyword(&Keyword::new("$JUNK").unwrap()));
    }
}
