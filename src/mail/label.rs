//! label — any text as a keyword: a label of Gmail's may hold spaces and letters that no keyword may (X-GM-EXT-1).
//! Owns: `Keyword::of_label`, `Keyword::label`.
//! May import: the room's own.
//! Start reading at: `Keyword::of_label`. What no keyword can hold is spelt as mailbox names spell what is beyond ASCII, so that
//! a label is a tag like any other to everybody but `net/imap/labels.rs`, and comes back as it was.

use super::flags::Keyword;
use super::utf7;

impl Keyword {
    /// The keyword that stands for a label; nothing for one that is empty or too long.
    #[must_use]
    pub fn of_label(label: &str) -> Option<Self> {
        Self::new(&utf7::encode_but(label, |c| c.is_ascii_graphic() && !"(){%*\"\\]".contains(c)))
    }

    /// The label for which it stands; itself where it stands for none. Untrusted.
    #[must_use]
    pub fn label(&self) -> String {
        utf7::decode(self.as_str()).unwrap_or_else(|| self.as_str().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn labels_are_keywords() {
        let keyword = |l: &str| Keyword::of_label(l).unwrap();
        assert_eq!(keyword("work").as_str(), "work");
        assert_eq!(keyword("Muy Importante").as_str(), "Muy&ACA-Importante");
        assert_eq!(keyword("R&D (2026)").label(), "R&D (2026)");
        assert_eq!(Keyword::new("a&b").unwrap().label(), "a&b");
        assert!(Keyword::of_label("").is_none() && Keyword::of_label(&"x".repeat(300)).is_none());
    }

    proptest! {
        #[test]
        fn any_label_comes_back(label in "\\PC{1,20}") {
            prop_assert_eq!(Keyword::of_label(&label).unwrap().label(), label);
        }
    }
}
