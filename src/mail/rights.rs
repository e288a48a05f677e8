//! rights — what a person may do to a mailbox, and how much room there is.
//! Owns: `Right`, `Rights` (RFC 4314), `Quota` (RFC 9208).
//! May import: nothing.
//! Start reading at: `Rights`. The server decides; we only do not offer what it would refuse.

use serde::{Deserialize, Serialize};

/// One right, by its letter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Right {
    /// `l`: see it in the list, subscribe.
    Lookup,
    /// `r`: open it.
    Read,
    /// `s`: mark messages read and unread for good.
    Seen,
    /// `w`: change flags other than read and deleted.
    Write,
    /// `i`: put messages in.
    Insert,
    /// `p`: send to its own address.
    Post,
    /// `k`: make mailboxes below it.
    Create,
    /// `x`: delete or rename the mailbox itself.
    DeleteMailbox,
    /// `t`: mark messages deleted.
    DeleteMessages,
    /// `e`: expunge.
    Expunge,
    /// `a`: change the rights of others.
    Administer,
}

const LETTERS: [(u8, Right); 11] = [
    (b'l', Right::Lookup),
    (b'r', Right::Read),
    (b's', Right::Seen),
    (b'w', Right::Write),
    (b'i', Right::Insert),
    (b'p', Right::Post),
    (b'k', Right::Create),
    (b'x', Right::DeleteMailbox),
    (b't', Right::DeleteMessages),
    (b'e', Right::Expunge),
    (b'a', Right::Administer),
];

/// A set of rights. Stored and sent as its letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Rights(u16);

impl Rights {
    /// Every right: of mailboxes that nobody else owns.
    #[must_use]
    pub const fn all() -> Self {
        Self((1 << LETTERS.len()) - 1)
    }

    /// Of letters as servers write them. `c` and `d` of RFC 2086 stand for what they became (RFC 4314, 2.1.1); other
    /// letters mean nothing to us.
    #[must_use]
    pub fn parse(letters: &str) -> Self {
        let mut bits = 0;
        for letter in letters.bytes() {
            let now: &[u8] = match letter {
                b'c' => b"kx",
                b'd' => b"te",
                _ => std::slice::from_ref(&letter),
            };
            for (n, (known, _)) in LETTERS.iter().enumerate() {
                if now.contains(known) {
                    bits |= 1 << n;
                }
            }
        }
        Self(bits)
    }

    /// Whether `right` is among them.
    #[must_use]
    pub fn can(self, right: Right) -> bool {
        LETTERS.iter().position(|(_, r)| *r == right).is_some_and(|n| self.0 & (1 << n) != 0)
    }

    /// The letters.
    #[must_use]
    pub fn letters(self) -> String {
        LETTERS.iter().enumerate().filter(|(n, _)| self.0 & (1 << n) != 0).map(|(_, (l, _))| char::from(*l)).collect()
    }
}

impl From<String> for Rights {
    fn from(letters: String) -> Self {
        Self::parse(&letters)
    }
}

impl From<Rights> for String {
    fn from(rights: Rights) -> Self {
        rights.letters()
    }
}

/// What one quota root allows.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Quota {
    /// The root's name, untrusted; often "".
    pub root: String,
    /// Octets used and allowed, if they are limited.
    pub storage: Option<(u64, u64)>,
    /// Messages there and allowed, if they are limited.
    pub messages: Option<(u64, u64)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_old_and_new() {
        assert_eq!(Rights::parse("lrswipkxtea"), Rights::all());
        assert_eq!(Rights::parse("lrc d9\u{1b}").letters(), "lrkxte");
        assert!(Rights::parse("lrs").can(Right::Seen) && !Rights::parse("lrs").can(Right::DeleteMessages));
        assert_eq!(Rights::from(String::from(Rights::all())), Rights::all());
    }
}
