//! folders — what a LIST reply means: what each mailbox is for, which ones need a visit, and in what order.
//! Owns: `assign_roles`, `Known`, `visits`.
//! May import: mail.
//! Start reading at: `visits`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::base::Base;
use crate::mail::mailbox::{MailboxPath, Role};
use crate::mail::meant::Meant;
use crate::mail::server::{ListedMailbox, MailboxStatus};
use crate::mail::uid::UidValidity;

/// Gives every role to one mailbox at most: what the person configured, else what the server says (SPECIAL-USE), else
/// what the name says. Names count only where a client creates such mailboxes: at the top or right below INBOX or
/// another top name.
pub fn assign_roles(listed: &mut [ListedMailbox], configured: &BTreeMap<Role, MailboxPath>) {
    let said: Vec<Option<Role>> = listed.iter_mut().map(|m| m.role.take()).collect();
    let mut taken: BTreeSet<Role> = BTreeSet::new();
    let mut give = |mailbox: &mut ListedMailbox, role: Option<Role>| {
        if let Some(role) = role.filter(|_| mailbox.role.is_none() && mailbox.selectable)
            && taken.insert(role)
        {
            mailbox.role = Some(role);
        }
    };
    for mailbox in listed.iter_mut() {
        let inbox = mailbox.path.is_inbox().then_some(Role::Inbox);
        give(mailbox, inbox.or_else(|| configured.iter().find(|(_, path)| **path == mailbox.path).map(|(role, _)| *role)));
    }
    // A configured name that is not there yet keeps its role: it is made when it is first needed.
    let free = |role: &Role| *role != Role::Inbox && !configured.contains_key(role);
    for (mailbox, role) in listed.iter_mut().zip(said) {
        give(mailbox, role.filter(free));
    }
    // Shallow names first: "Archive" rather than "INBOX.Archive".
    for depth in 0..=1 {
        for mailbox in listed.iter_mut().filter(|m| m.path.depth(m.delimiter) == depth) {
            give(mailbox, Role::from_name(&mailbox.path.leaf(mailbox.delimiter)).filter(free));
        }
    }
}

/// What we know of a mailbox, beside what the server just listed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Known {
    /// Which.
    pub path: MailboxPath,
    /// How far the cache is; all 0 for never synced.
    pub base: Base,
    /// The server's own name of it, whatever it is called (MAILBOXID); "" without.
    pub object_id: String,
    /// How many messages the cache holds, as the server has them.
    pub messages: u32,
    /// How many of them are unread on the server, as far as we know.
    pub unseen: u32,
    /// Whether operations are due here.
    pub pending: bool,
    /// The server contradicts itself: its count of messages says nothing for a while (security S-10).
    pub odd: bool,
    /// Nobody looked for long at what STATUS cannot tell: flags, where there are no modification sequences.
    pub stale: bool,
    /// Whether the person deleted it: then nobody wants to know what is in it.
    pub dying: bool,
}

impl Known {
    /// One that the person deleted.
    #[must_use]
    pub fn dying(path: MailboxPath) -> Self {
        let (base, object_id) = (Base::default(), String::new());
        Self { path, base, object_id, messages: 0, unseen: 0, pending: false, odd: false, stale: false, dying: true }
    }
}

impl Known {
    fn meant(&self) -> Meant {
        let Base { uidvalidity, uidnext, .. } = self.base;
        Meant { uidvalidity, uidnext, object_id: self.object_id.clone(), alone: false }
    }
}

/// The mailboxes that somebody else renamed: (old name, new name), in an order in which each new name is free when its turn
/// comes. Where the server names mailboxes itself (MAILBOXID), that says it. Else two are the same if they have the same
/// UIDVALIDITY and no other mailbox has it; a server that gives all mailboxes the same shows nothing so. An old name may be in
/// use again, for another mailbox. Two that changed names with one another are left: each is numbered anew then.
#[must_use]
pub fn renamed(listed: &[ListedMailbox], known: &[Known]) -> Vec<(MailboxPath, MailboxPath)> {
    let there: HashMap<&MailboxPath, &ListedMailbox> = listed.iter().map(|m| (&m.path, m)).collect();
    let ours: HashMap<&MailboxPath, &Known> = known.iter().map(|k| (&k.path, k)).collect();
    let mut of: HashMap<UidValidity, (u32, u32)> = HashMap::new();
    listed.iter().filter_map(|m| m.status.as_ref()).for_each(|s| of.entry(s.uidvalidity).or_default().0 += 1);
    known.iter().for_each(|k| of.entry(k.base.uidvalidity).or_default().1 += 1);
    let alone = |validity| validity != UidValidity(0) && of.get(&validity) == Some(&(1, 1));
    let same = |k: &Known, s: &MailboxStatus| match (k.object_id.as_str(), s.object_id.as_str()) {
        ("", _) | (_, "") => alone(k.base.uidvalidity) && s.uidvalidity == k.base.uidvalidity && s.uidnext >= k.base.uidnext,
        (ours, theirs) => ours == theirs,
    };
    let is = |k: &Known, m: &ListedMailbox| m.selectable && m.status.as_ref().is_some_and(|s| same(k, s));
    // At its place, as far as anybody can tell.
    let stays = |k: &Known| there.get(&k.path).is_some_and(|m| m.selectable && m.status.as_ref().is_none_or(|s| same(k, s)));
    let moves = known.iter().filter(|k| !k.dying && !k.path.is_inbox() && !stays(k));
    let found = moves.filter_map(|k| {
        let free = |m: &&ListedMailbox| !m.path.is_inbox() && ours.get(&m.path).is_none_or(|k| !k.dying && !is(k, m));
        let mut fits = listed.iter().filter(|m| m.path != k.path && is(k, m)).filter(free);
        let (one, more) = (fits.next()?, fits.next());
        more.is_none().then(|| (k.path.clone(), one.path.clone()))
    });
    in_order(found.collect())
}

/// The mailboxes that are others than those of the same name that we know, though they are numbered alike: nothing that we know of
/// those holds. Where the numbering is another one too, the visit finds what is left.
#[must_use]
pub fn replaced(listed: &[ListedMailbox], known: &[Known]) -> Vec<MailboxPath> {
    let there: HashMap<&MailboxPath, &MailboxStatus> =
        listed.iter().filter_map(|m| Some((&m.path, m.status.as_ref()?))).collect();
    let another = |k: &&Known| {
        let differs =
            |s: &&MailboxStatus| !s.object_id.is_empty() && s.object_id != k.object_id && s.uidvalidity == k.base.uidvalidity;
        !k.dying && !k.path.is_inbox() && !k.object_id.is_empty() && there.get(&k.path).is_some_and(differs)
    };
    known.iter().filter(another).map(|k| k.path.clone()).collect()
}

/// The mailboxes in whose place there is another one or the same numbered anew, while they themselves may lie elsewhere by now: there
/// is an unknown mailbox of their numbering. For a list after which everybody was followed who could be.
#[must_use]
pub fn usurped(listed: &[ListedMailbox], known: &[Known]) -> Vec<MailboxPath> {
    let ours: HashMap<&MailboxPath, &Known> = known.iter().map(|k| (&k.path, k)).collect();
    let there: HashMap<&MailboxPath, &MailboxStatus> =
        listed.iter().filter_map(|m| Some((&m.path, m.status.as_ref()?))).collect();
    let strange = |(path, s): (&&MailboxPath, &&MailboxStatus)| {
        (ours.get(*path).is_none_or(|k| k.base.uidvalidity != s.uidvalidity)).then_some(s.uidvalidity)
    };
    let strays: BTreeSet<UidValidity> = there.iter().filter_map(strange).collect();
    let another = |k: &&Known| {
        let is = |s: &&MailboxStatus| k.meant().is_another(s.mark(), &s.object_id);
        !k.dying && !k.path.is_inbox() && strays.contains(&k.base.uidvalidity) && there.get(&k.path).is_some_and(is)
    };
    known.iter().filter(another).map(|k| k.path.clone()).collect()
}

/// Such that nothing gets a name before who had it got another one.
fn in_order(mut left: Vec<(MailboxPath, MailboxPath)>) -> Vec<(MailboxPath, MailboxPath)> {
    let mut order = Vec::with_capacity(left.len());
    loop {
        let taken: BTreeSet<MailboxPath> = left.iter().map(|(from, _)| from.clone()).collect();
        let (later, now): (Vec<_>, Vec<_>) = left.into_iter().partition(|(_, to)| taken.contains(to));
        if now.is_empty() {
            return order;
        }
        order.extend(now);
        left = later;
    }
}

/// The mailboxes that a round has to visit, in order: the one the person looks at (`open`), the inbox, those with
/// operations due, the others by role and name. What agrees with its STATUS is left out, unless `all`.
#[must_use]
pub fn visits(listed: &[ListedMailbox], known: &[Known], open: Option<&MailboxPath>, all: bool) -> Vec<MailboxPath> {
    let known: HashMap<&MailboxPath, &Known> = known.iter().map(|k| (&k.path, k)).collect();
    let visited = listed.iter().filter(|m| m.selectable).filter_map(|m| {
        let ours = known.get(&m.path);
        let news = match (ours, &m.status) {
            (Some(ours), _) if ours.dying => false,
            (Some(ours), Some(status)) => all || ours.pending || !(agrees(ours, status) || has_nothing(ours, status)),
            _ => true,
        };
        let rank = match (m.role, ours) {
            _ if open == Some(&m.path) => 1,
            (Some(Role::Inbox), _) => 2,
            (_, Some(k)) if k.pending => 3,
            // Views of messages that lie elsewhere too.
            (Some(Role::All | Role::Flagged), _) => 5,
            _ => 4,
        };
        news.then_some((rank, m.role.map_or(u8::MAX, |r| r as u8), &m.path))
    });
    let mut order: Vec<_> = visited.collect();
    order.sort_unstable();
    order.dedup_by_key(|(_, _, path)| *path);
    order.into_iter().map(|(_, _, path)| path.clone()).collect()
}

/// Whether STATUS shows nothing new. What it does not say counts as equal, but never UIDVALIDITY or the counts.
pub(crate) fn agrees(ours: &Known, status: &MailboxStatus) -> bool {
    let same = |a: u64, b: u64| a == 0 || b == 0 || a == b;
    ours.base.uidnext != 0
        && ours.base.uidvalidity == status.uidvalidity
        && (ours.odd || ours.messages == status.messages)
        && same(u64::from(ours.base.uidnext), u64::from(status.uidnext))
        && same(ours.base.highestmodseq.0, status.highestmodseq.0)
        // With CONDSTORE the numbers above say all; STATUS may count otherwise than we do.
        && (status.highestmodseq.0 != 0 || ((ours.odd || ours.unseen == status.unseen) && !ours.stale))
}

/// Whether nothing was ever here and nothing is there: then STATUS tells all that a visit would, and no turn is spent on it.
pub(crate) fn has_nothing(ours: &Known, status: &MailboxStatus) -> bool {
    let known = [UidValidity(0), status.uidvalidity].contains(&ours.base.uidvalidity);
    known && ours.base.uidnext == 0 && ours.messages == 0 && is_empty(status)
}

/// Whether STATUS says that there is nothing in it, and all that has to be known of it for the next time.
pub(crate) fn is_empty(status: &MailboxStatus) -> bool {
    status.messages == 0 && status.uidnext != 0 && status.uidvalidity != UidValidity(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::uid::ModSeq;

    fn listed(name: &str, role: Option<Role>) -> ListedMailbox {
        let path = MailboxPath::from_wire(name.as_bytes());
        ListedMailbox {
            path,
            delimiter: Some('/'),
            selectable: true,
            subscribed: true,
            role,
            status: None,
            space: crate::mail::server::Space::Personal,
            leaf: false,
        }
    }
    fn known(name: &str, pending: bool) -> Known {
        let base = Base { uidvalidity: UidValidity(1), uidnext: 5, highestmodseq: ModSeq(9) };
        let (path, object_id) = (MailboxPath::from_wire(name.as_bytes()), String::new());
        Known { path, base, object_id, messages: 3, unseen: 1, pending, odd: false, stale: false, dying: false }
    }
    fn status(messages: u32, modseq: u64) -> Option<MailboxStatus> {
        let (uidvalidity, highestmodseq) = (UidValidity(1), ModSeq(modseq));
        Some(MailboxStatus { messages, unseen: 1, uidnext: 5, uidvalidity, highestmodseq, ..MailboxStatus::default() })
    }
    fn names(paths: &[MailboxPath]) -> Vec<&str> {
        paths.iter().map(MailboxPath::as_str).collect()
    }

    #[test]
    fn the_person_decides_before_the_server_and_the_name() {
        let mut all = [
            listed("INBOX", Some(Role::Sent)),
            listed("Old", None),
            listed("Archive", Some(Role::Archive)),
            listed("Gesendet", None),
            listed("Sent", Some(Role::Sent)),
            listed("a/b/Trash", None),
            listed("INBOX/Trash", None),
            listed("Junk", None),
            listed("Spam", Some(Role::Junk)),
        ];
        let old = MailboxPath::from_typed("Old");
        assign_roles(&mut all, &BTreeMap::from([(Role::Archive, old), (Role::Drafts, MailboxPath::from_typed("New"))]));
        let roles: Vec<Option<&str>> = all.iter().map(|m| m.role.map(Role::word)).collect();
        let none = None;
        let expect = [Some("inbox"), Some("archive"), none, none, Some("sent"), none, Some("trash"), none, Some("junk")];
        assert_eq!(roles, expect);
    }

    #[test]
    fn renamed_is_what_alone_has_the_number() {
        let with = |name: &str, validity: u32, uidnext: u32| {
            let status = MailboxStatus { uidvalidity: UidValidity(validity), uidnext, ..MailboxStatus::default() };
            ListedMailbox { status: Some(status), ..listed(name, None) }
        };
        let ours = |name: &str, validity: u32| {
            let base = Base { uidvalidity: UidValidity(validity), uidnext: 5, highestmodseq: ModSeq(0) };
            Known { base, ..known(name, true) }
        };
        let path = MailboxPath::from_typed;
        let known = [ours("INBOX", 1), ours("A", 2), ours("B", 3), ours("C", 4), ours("D", 4), ours("E", 0)];
        let found = renamed(&[with("INBOX", 1, 5), with("X", 2, 9), with("Y", 3, 4), with("Z", 4, 9), with("N", 0, 9)], &known);
        // Y has fewer messages than B ever had; C and D cannot be told apart.
        assert_eq!(found, [(path("A"), path("X"))]);
        assert_eq!(renamed(&[with("INBOX", 2, 5), with("X", 2, 9)], &known), [], "two of the same number");
        assert_eq!(renamed(&[with("A", 2, 5), with("X", 2, 9)], &known), [], "two of the same number");
        let two = [ours("A", 2), ours("B", 3)];
        // Its name was given to another one at once, be that new or one that we know.
        assert_eq!(renamed(&[with("A", 9, 1), with("X", 2, 9)], &two), [(path("A"), path("X"))]);
        assert_eq!(renamed(&[with("A", 3, 5), with("X", 2, 9)], &two), [(path("A"), path("X")), (path("B"), path("A"))]);
        assert_eq!(renamed(&[with("A", 3, 5), with("B", 2, 9)], &two), [], "each is numbered anew");
        let closed = ListedMailbox { selectable: false, status: None, ..with("A", 0, 0) };
        assert_eq!(renamed(&[closed, with("X", 2, 9)], &two), [(path("A"), path("X"))], "its children stayed");
        let dying = [ours("A", 2), Known::dying(path("X"))];
        assert_eq!(renamed(&[with("X", 2, 9)], &dying), [], "that name is about to go");
        // C has lost its name to another one, and lies in Y or in Z; where nothing has its number it is gone, or numbered anew.
        assert_eq!(usurped(&[with("C", 9, 1), with("D", 4, 5), with("Y", 4, 7)], &known), [path("C")]);
        assert_eq!(usurped(&[with("C", 9, 1), with("D", 4, 5), with("Y", 8, 7)], &known), []);
        assert_eq!(usurped(&[with("C", 4, 1), with("D", 4, 5), with("Y", 4, 7)], &known), [path("C")], "fewer than it ever had");
        assert_eq!(usurped(&[with("C", 4, 6), with("D", 4, 5), with("Y", 4, 7)], &known), []);
    }

    #[test]
    fn a_server_that_names_mailboxes_itself_says_which_is_which() {
        let with = |name: &str, object_id: &str, validity: u32| {
            let (uidvalidity, object_id) = (UidValidity(validity), object_id.to_owned());
            let status = MailboxStatus { uidvalidity, uidnext: 1, object_id, ..MailboxStatus::default() };
            ListedMailbox { status: Some(status), ..listed(name, None) }
        };
        let ours = |name: &str, id: &str| Known { object_id: id.to_owned(), ..known(name, true) };
        let path = MailboxPath::from_typed;
        // All are numbered alike.
        let known = [ours("INBOX", "i"), ours("A", "a"), ours("B", "b"), ours("C", "c")];
        let now = [with("INBOX", "i", 1), with("A", "b", 1), with("B", "n", 1), with("C", "d", 1), with("X", "a", 2)];
        assert_eq!(renamed(&now, &known), [(path("A"), path("X")), (path("B"), path("A"))]);
        assert_eq!(replaced(&now, &known), [path("A"), path("B"), path("C")], "before anybody follows");
        let known = [ours("INBOX", "i"), ours("X", "a"), ours("A", "b"), ours("C", "c"), ours("D", "")];
        assert_eq!(renamed(&now, &known), []);
        assert_eq!(replaced(&now, &known), [path("C")]);
        assert_eq!(replaced(&[with("INBOX", "j", 1), with("C", "d", 9), with("D", "d", 1), with("A", "", 1)], &known), []);
    }

    #[test]
    fn what_agrees_is_not_visited_and_the_open_one_comes_first() {
        let mut all: Vec<ListedMailbox> =
            ["All", "B", "C", "INBOX", "New", "Open", "Same", "X"].iter().map(|n| listed(n, None)).collect();
        all[0].role = Some(Role::All);
        all[3].role = Some(Role::Inbox);
        for (i, s) in
            [(0, status(4, 9)), (1, status(3, 10)), (2, status(3, 9)), (3, status(4, 9)), (6, status(3, 9)), (7, status(3, 0))]
        {
            all[i].status = s;
        }
        let mut ours = ["All", "B", "INBOX", "Open", "Same", "X"].map(|n| known(n, false)).to_vec();
        ours.push(known("C", true));
        all.push(listed("Dying", None));
        ours.push(Known::dying(MailboxPath::from_typed("Dying")));
        let open = MailboxPath::from_typed("Open");
        assert_eq!(names(&visits(&all, &ours, Some(&open), false)), ["Open", "INBOX", "C", "B", "New", "All"]);
        ours[5].unseen = 0;
        assert!(names(&visits(&all, &ours, None, false)).contains(&"X"), "without CONDSTORE unread counts tell");
        assert_eq!(visits(&all, &ours, None, true).len(), 8);
    }

    #[test]
    fn what_was_never_read_and_has_nothing_in_it_needs_no_visit() {
        let there = |messages, uidvalidity| MailboxStatus { messages, uidnext: 5, uidvalidity, ..MailboxStatus::default() };
        let never = |uidvalidity| {
            let base = Base { uidvalidity, uidnext: 0, highestmodseq: ModSeq(0) };
            Known { base, messages: 0, unseen: 0, ..known("A", false) }
        };
        let (none, one, two) = (UidValidity(0), UidValidity(1), UidValidity(2));
        let visited = |ours: Known, status| {
            let all = [ListedMailbox { status: Some(status), ..listed("A", None) }];
            !visits(&all, &[ours], None, false).is_empty()
        };
        assert!(!visited(never(none), there(0, one)) && !visited(never(one), there(0, one)));
        assert!(visited(never(none), there(1, one)), "there is something in it");
        assert!(visited(never(two), there(0, one)), "it was numbered anew while its first visit was not over");
        assert!(visited(never(none), there(0, none)), "nothing to hold on to");
        assert!(visited(Known { messages: 2, ..never(one) }, there(0, one)), "what came of a visit that broke off is gone");
        assert!(visited(Known { pending: true, ..never(none) }, there(0, one)));
        let all = [ListedMailbox { status: Some(there(0, one)), ..listed("A", None) }];
        assert_eq!(visits(&all, &[never(none)], None, true).len(), 1, "asked for all the same");
    }
}
