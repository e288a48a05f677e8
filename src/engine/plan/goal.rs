//! goal — whether the mailbox that an operation names is still the one that the person saw by that name.
//! Owns: `Goal`, `Where`, `whereabouts`.
//! May import: mail.
//! Start reading at: `Goal::is_another`. The journal names mailboxes; a name may go to another one between two lists. Before messages
//! are put anywhere, and before a mailbox is renamed or deleted, what the server says of it now is held against what the journal says
//! was meant, and against the cache; a list says where it is now (`whereabouts`).

use crate::mail::intent::Mark;
use crate::mail::mailbox::MailboxPath;
use crate::mail::meant::Meant;
use crate::mail::server::ListedMailbox;

/// What the cache knows of a mailbox that an operation names; of one that it never read, nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Goal {
    /// What the server calls it.
    pub path: MailboxPath,
    /// Which one it is.
    pub cached: Meant,
    /// Whether the list was asked for since it was found to be another one: whoever was renamed has been followed then, and the name
    /// is all that is left to go by.
    pub looked_up: bool,
}

impl Goal {
    /// Whether a mailbox of its name that stands at `now`, and is `object_id` to the server, is another one than was `meant` in the
    /// journal, or than the cache has; or was numbered anew. Where the server itself says that it is the one that was meant, the cache is
    /// not asked: that may be of any age.
    #[must_use]
    pub fn is_another(&self, meant: &Meant, now: Mark, object_id: &str) -> bool {
        let same = meant.says(object_id) == Some(true);
        !same && (meant.is_another(now, object_id) || self.cached.is_another(now, object_id))
    }
}

/// Where a mailbox is that was meant by a name, as a list shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Where {
    /// Under its name, as far as can be told: it may have been numbered anew.
    Here,
    /// Somebody renamed it.
    At(MailboxPath),
    /// Its name is another one's, and it is none of those that are listed.
    Gone,
    /// Its name may be another one's, and it may be one of those that are listed: which cannot be told.
    Unclear,
}

/// Finds what was `meant` by `path`. `new` says of a listed mailbox whether it is one that the cache does not know by this name and
/// these numbers: such a one may be it.
#[must_use]
pub fn whereabouts(path: &MailboxPath, meant: &Meant, listed: &[ListedMailbox], new: impl Fn(&ListedMailbox) -> bool) -> Where {
    let here = listed.iter().find(|m| m.path == *path);
    let told = |m: &&ListedMailbox| m.selectable && m.status.is_some();
    if !meant.is_known() || path.is_inbox() || here.is_some_and(|m| m.selectable && m.status.is_none()) {
        return Where::Here;
    }
    let here = here.filter(told).and_then(|m| m.status.as_ref());
    if here.is_some_and(|s| !meant.is_another(s.mark(), &s.object_id)) {
        return Where::Here;
    }
    let others = || listed.iter().filter(told).filter(|m| m.path != *path);
    let numbered = |m: &&ListedMailbox| m.status.as_ref().is_some_and(|s| s.uidvalidity == meant.uidvalidity);
    let only = listed.iter().filter(numbered).count() == 1;
    let is =
        |m: &&ListedMailbox| !m.path.is_inbox() && m.status.as_ref().is_some_and(|s| meant.is_it(s.mark(), &s.object_id, only));
    let mut found = others().filter(is);
    match (found.next(), found.next(), here) {
        (Some(one), None, _) => Where::At(one.path.clone()),
        // There is none of its name either: whoever looks for it finds nothing.
        (_, _, None) => Where::Here,
        (_, _, Some(here)) => {
            let certain = meant.says(&here.object_id) == Some(false);
            let perhaps = |m: &ListedMailbox| {
                numbered(&m) && new(m) && m.status.as_ref().is_some_and(|s| meant.says(&s.object_id) != Some(false))
            };
            match others().any(perhaps) {
                true => Where::Unclear,
                false if certain => Where::Gone,
                false => Where::Here,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::server::{MailboxStatus, Space};
    use crate::mail::uid::UidValidity;

    fn meant(uidvalidity: u32, uidnext: u32, id: &str) -> Meant {
        Meant { uidvalidity: UidValidity(uidvalidity), uidnext, object_id: id.to_owned(), alone: true }
    }

    fn listed(name: &str, uidvalidity: u32, uidnext: u32, id: &str) -> ListedMailbox {
        let (uidvalidity, object_id) = (UidValidity(uidvalidity), id.to_owned());
        ListedMailbox {
            path: MailboxPath::from_typed(name),
            delimiter: Some('/'),
            selectable: true,
            subscribed: true,
            role: None,
            status: Some(MailboxStatus { uidvalidity, uidnext, object_id, ..MailboxStatus::default() }),
            space: Space::Personal,
            leaf: false,
        }
    }

    #[test]
    fn the_journal_comes_first_and_the_cache_second() {
        let goal = |cached: Meant| Goal { path: MailboxPath::from_typed("A"), cached, looked_up: false };
        let now = Mark { uidvalidity: UidValidity(2), uidnext: 5 };
        let (one, two, none) = (meant(1, 5, ""), meant(2, 5, ""), Meant::default());
        assert!(goal(none.clone()).is_another(&one, now, ""), "the cache was deleted");
        assert!(goal(two.clone()).is_another(&one, now, ""), "the cache is newer");
        assert!(goal(one.clone()).is_another(&none, now, ""), "an old entry");
        assert!(!goal(two.clone()).is_another(&two, now, "") && !goal(none.clone()).is_another(&none, now, ""));
        assert!(!goal(one.clone()).is_another(&meant(1, 5, "a"), now, "a"), "the server says that it is");
        assert!(goal(meant(2, 5, "a")).is_another(&two, now, "b"), "the server says that it is not");
    }

    #[test]
    fn a_list_shows_what_was_meant() {
        let path = MailboxPath::from_typed;
        let find = |meant: &Meant, listed: &[ListedMailbox]| whereabouts(&path("A"), meant, listed, |_| true);
        let (at, plain, named) = (|name: &str| Where::At(path(name)), meant(1, 5, ""), meant(1, 5, "a"));
        assert_eq!(find(&plain, &[listed("A", 1, 9, ""), listed("B", 2, 1, "")]), Where::Here);
        assert_eq!(find(&plain, &[listed("A", 2, 1, ""), listed("B", 1, 6, "")]), at("B"));
        assert_eq!(find(&plain, &[listed("B", 1, 6, "")]), at("B"), "its name is nobody's");
        assert_eq!(find(&plain, &[listed("A", 3, 1, ""), listed("B", 2, 6, "")]), Where::Here, "numbered anew");
        assert_eq!(find(&plain, &[listed("A", 2, 1, ""), listed("B", 1, 6, ""), listed("C", 1, 6, "")]), Where::Unclear);
        assert_eq!(find(&plain, &[listed("A", 2, 1, ""), listed("INBOX", 1, 6, "")]), Where::Unclear);
        assert_eq!(find(&plain, &[listed("A", 1, 4, ""), listed("B", 1, 6, "")]), Where::Unclear, "all are numbered alike");
        assert_eq!(find(&plain, &[listed("A", 1, 4, ""), listed("B", 2, 6, "")]), Where::Here, "as good as numbered anew");
        let known = |of: &ListedMailbox| of.path != path("B");
        let all = [listed("A", 1, 4, ""), listed("B", 1, 6, "")];
        assert_eq!(whereabouts(&path("A"), &plain, &all, known), Where::Here, "that one was there before");
        // The server names them itself.
        let all = [listed("A", 1, 9, "b"), listed("B", 7, 1, "a")];
        assert_eq!((find(&named, &all), find(&plain, &all)), (at("B"), Where::Here));
        assert_eq!(find(&named, &[listed("A", 2, 9, "a"), listed("B", 1, 9, "b")]), Where::Here, "numbered anew");
        assert_eq!(find(&named, &[listed("A", 1, 9, "b"), listed("B", 1, 9, "c")]), Where::Gone);
        assert_eq!(find(&named, &[listed("A", 2, 9, ""), listed("B", 1, 9, "")]), at("B"), "it does so no more");
        // Nothing is known of it, or nothing is told.
        assert_eq!(find(&Meant::default(), &[listed("A", 2, 1, ""), listed("B", 1, 6, "")]), Where::Here);
        assert_eq!(find(&plain, &[ListedMailbox { status: None, ..listed("A", 0, 0, "") }, listed("B", 1, 6, "")]), Where::Here);
        let closed = ListedMailbox { selectable: false, status: None, ..listed("A", 0, 0, "") };
        assert_eq!(find(&plain, &[closed, listed("B", 1, 6, "")]), at("B"), "its children stayed");
        assert_eq!(find(&plain, &[]), Where::Here);
    }
}
