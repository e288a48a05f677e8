//! goal — whether the mailbox that an operation names is still the one that the person saw by that name.
//! Owns: `Goal`.
//! May import: mail.
//! Start reading at: `Goal::is_another`. The journal names mailboxes; a name may go to another one between two lists. Before messages
//! are put anywhere, and before a mailbox is renamed or deleted, what the server says of it now is held against the cache.

use crate::mail::intent::Mark;
use crate::mail::mailbox::MailboxPath;
use crate::mail::uid::UidValidity;

/// What the cache knows of a mailbox that an operation names; of one that it never read, nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Goal {
    /// What the server calls it.
    pub path: MailboxPath,
    /// How it was numbered; 0 if that is not known.
    pub uidvalidity: UidValidity,
    /// The next number when it was read last; 0 if that is not known.
    pub uidnext: u32,
    /// The server's own name of it (MAILBOXID); "" without.
    pub object_id: String,
    /// Whether the list was asked for since it was found to be another one: whoever was renamed has been followed then, and the name
    /// is all that is left to go by.
    pub looked_up: bool,
}

impl Goal {
    /// Whether a mailbox of its name that stands at `now`, and is `object_id` to the server, is another one, or was numbered anew.
    #[must_use]
    pub fn is_another(&self, now: Mark, object_id: &str) -> bool {
        if !self.object_id.is_empty() && !object_id.is_empty() {
            return self.object_id != object_id;
        }
        let none = UidValidity::default();
        let (said, known) = (now.uidvalidity != none, self.uidvalidity != none);
        // Numbers of one numbering only grow (RFC 9051, 2.3.1.1).
        let fewer = self.uidnext > 0 && now.uidnext > 0 && now.uidnext < self.uidnext;
        said && known && (now.uidvalidity != self.uidvalidity || fewer)
    }

    /// Whether the list has to say where it is now.
    #[must_use]
    pub fn is_lost(&self, now: Mark, object_id: &str) -> bool {
        !self.looked_up && self.is_another(now, object_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_is_what_has_another_name_of_the_servers_other_numbers_or_fewer() {
        let goal = |uidvalidity, uidnext, id: &str| Goal {
            path: MailboxPath::from_typed("A"),
            uidvalidity: UidValidity(uidvalidity),
            uidnext,
            object_id: id.to_owned(),
            looked_up: false,
        };
        let mark = |uidvalidity, uidnext| Mark { uidvalidity: UidValidity(uidvalidity), uidnext };
        let rows = [
            (goal(1, 5, ""), mark(1, 5), "", false),
            (goal(1, 5, ""), mark(1, 9), "", false),
            (goal(1, 5, ""), mark(2, 5), "", true),
            (goal(1, 5, ""), mark(1, 4), "", true),
            (goal(1, 5, ""), mark(1, 0), "", false),
            (goal(1, 5, ""), mark(0, 5), "", false),
            (goal(0, 0, ""), mark(1, 5), "", false),
            // Where the server names mailboxes itself, that alone counts.
            (goal(1, 5, "a"), mark(1, 5), "b", true),
            (goal(1, 5, "a"), mark(2, 1), "a", false),
            (goal(1, 5, "a"), mark(2, 5), "", true),
        ];
        for (goal, now, id, another) in rows {
            assert_eq!(goal.is_another(now, id), another, "{goal:?}, {now:?} {id}");
            assert_eq!(goal.is_lost(now, id), another);
            assert!(!Goal { looked_up: true, ..goal }.is_lost(now, id));
        }
    }
}
