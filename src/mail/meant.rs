//! meant — which mailbox of a name the person meant: what was known of it when they made a wish.
//! Owns: `Meant`. May import: base.
//! Start reading at: `Meant::is_another`. A name may go to another mailbox at any time; the journal keeps this beside each name, since
//! the cache, which knows more, may be lost (decisions 2).

use super::intent::Mark;
use super::uid::UidValidity;
use serde::{Deserialize, Serialize};

/// What tells a mailbox from others that may get its name. Of one that was never read, or is only wished for, nothing.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Meant {
    /// How it was numbered; 0 if that is not known.
    #[serde(default)]
    pub uidvalidity: UidValidity,
    /// The next number when it was read last; 0 if that is not known.
    #[serde(default)]
    pub uidnext: u32,
    /// The server's own name of it (MAILBOXID, RFC 8474); "" without.
    #[serde(default)]
    pub object_id: String,
    /// Whether no other mailbox of the account was known to be numbered so: then the numbering alone tells it.
    #[serde(default)]
    pub alone: bool,
}

impl Meant {
    /// Whether anything is known of it.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.uidvalidity != UidValidity::default() || !self.object_id.is_empty()
    }

    /// Whether a mailbox of its name that stands at `now`, and is `object_id` to the server, is another one, or was numbered anew.
    #[must_use]
    pub fn is_another(&self, now: Mark, object_id: &str) -> bool {
        match self.says(object_id) {
            Some(same) => !same,
            None => {
                let none = UidValidity::default();
                let (said, known) = (now.uidvalidity != none, self.uidvalidity != none);
                said && known && (now.uidvalidity != self.uidvalidity || self.is_above(now))
            }
        }
    }

    /// Whether the server itself names the two, and what it says: whether they are one.
    #[must_use]
    pub fn says(&self, object_id: &str) -> Option<bool> {
        (!self.object_id.is_empty() && !object_id.is_empty()).then_some(self.object_id == object_id)
    }

    /// Whether a mailbox of another name that stands at `now`, and is `object_id` to the server, is this one without doubt. `only`:
    /// no other mailbox that is listed is numbered so.
    #[must_use]
    pub fn is_it(&self, now: Mark, object_id: &str, only: bool) -> bool {
        let by_number =
            || self.uidvalidity != UidValidity::default() && self.uidvalidity == now.uidvalidity && !self.is_above(now);
        self.says(object_id).unwrap_or_else(|| self.alone && only && by_number())
    }

    /// Numbers of one numbering only grow (RFC 9051, 2.3.1.1).
    const fn is_above(&self, now: Mark) -> bool {
        self.uidnext > 0 && now.uidnext > 0 && now.uidnext < self.uidnext
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(uidvalidity: u32, uidnext: u32, id: &str) -> Meant {
        Meant { uidvalidity: UidValidity(uidvalidity), uidnext, object_id: id.to_owned(), alone: true }
    }

    fn mark(uidvalidity: u32, uidnext: u32) -> Mark {
        Mark { uidvalidity: UidValidity(uidvalidity), uidnext }
    }

    #[test]
    fn another_is_what_has_another_name_of_the_servers_other_numbers_or_fewer() {
        let rows = [
            (meant(1, 5, ""), mark(1, 5), "", false),
            (meant(1, 5, ""), mark(1, 9), "", false),
            (meant(1, 5, ""), mark(2, 5), "", true),
            (meant(1, 5, ""), mark(1, 4), "", true),
            (meant(1, 5, ""), mark(1, 0), "", false),
            (meant(1, 5, ""), mark(0, 5), "", false),
            (meant(0, 0, ""), mark(1, 5), "", false),
            // Where the server names mailboxes itself, that alone counts.
            (meant(1, 5, "a"), mark(1, 5), "b", true),
            (meant(1, 5, "a"), mark(2, 1), "a", false),
            (meant(1, 5, "a"), mark(2, 5), "", true),
        ];
        for (meant, now, id, another) in rows {
            assert_eq!(meant.is_another(now, id), another, "{meant:?}, {now:?} {id}");
        }
    }

    #[test]
    fn elsewhere_is_only_what_nothing_else_can_be() {
        let rows = [
            (meant(1, 5, ""), mark(1, 5), "", true, true),
            (meant(1, 5, ""), mark(1, 5), "", false, false),
            (meant(1, 5, ""), mark(1, 4), "", true, false),
            (meant(1, 5, ""), mark(2, 5), "", true, false),
            (meant(0, 0, ""), mark(0, 5), "", true, false),
            (meant(1, 5, "a"), mark(1, 5), "b", true, false),
            (meant(1, 5, "a"), mark(2, 1), "a", false, true),
        ];
        for (meant, now, id, only, is) in rows {
            assert_eq!(meant.is_it(now, id, only), is, "{meant:?}, {now:?} {id} {only}");
        }
        assert!(!Meant { alone: false, ..meant(1, 5, "") }.is_it(mark(1, 5), "", true), "there was another one of its numbers");
    }

    #[test]
    fn it_is_kept_as_text() {
        let kept = serde_json::to_string(&meant(7, 5, "a")).unwrap();
        assert_eq!(serde_json::from_str::<Meant>(&kept).unwrap(), meant(7, 5, "a"));
        assert_eq!(serde_json::from_str::<Meant>("{}").unwrap(), Meant::default());
    }
}
