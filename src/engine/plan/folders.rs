//! folders — what a LIST reply means: what each mailbox is for, which ones need a visit, and in what order.
//! Owns: `assign_roles`, `Known`, `visits`.
//! May import: mail.
//! Start reading at: `visits`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::base::Base;
use crate::mail::mailbox::{MailboxPath, Role};
use crate::mail::server::{ListedMailbox, MailboxStatus};
use crate::mail::uid::{ModSeq, UidValidity};

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
    /// How many messages the cache holds, as the server has them.
    pub messages: u32,
    /// How many of them are unread on the server, as far as we know.
    pub unseen: u32,
    /// Whether operations are due here.
    pub pending: bool,
    /// Whether the person deleted it: then nobody wants to know what is in it.
    pub dying: bool,
}

impl Known {
    /// One that the person deleted.
    #[must_use]
    pub const fn dying(path: MailboxPath) -> Self {
        let base = Base { uidvalidity: UidValidity(0), uidnext: 0, highestmodseq: ModSeq(0) };
        Self { path, base, messages: 0, unseen: 0, pending: false, dying: true }
    }
}

/// The mailboxes that somebody else renamed: (old name, new name). One that is gone and one that is new are the same if
/// they have the same UIDVALIDITY and no other mailbox has it; a server that gives all mailboxes the same shows nothing so.
#[must_use]
pub fn renamed(listed: &[ListedMailbox], known: &[Known]) -> Vec<(MailboxPath, MailboxPath)> {
    let there: BTreeSet<&MailboxPath> = listed.iter().map(|m| &m.path).collect();
    let ours: BTreeSet<&MailboxPath> = known.iter().map(|k| &k.path).collect();
    let mut of: HashMap<UidValidity, (u32, u32)> = HashMap::new();
    listed.iter().filter_map(|m| m.status).for_each(|s| of.entry(s.uidvalidity).or_default().0 += 1);
    known.iter().for_each(|k| of.entry(k.base.uidvalidity).or_default().1 += 1);
    let alone = |validity| validity != UidValidity(0) && of.get(&validity) == Some(&(1, 1));
    let gone = known.iter().filter(|k| !k.dying && !k.path.is_inbox() && !there.contains(&k.path) && alone(k.base.uidvalidity));
    let found = gone.filter_map(|k| {
        let same = |m: &&ListedMailbox| {
            let status = m.status.filter(|s| s.uidvalidity == k.base.uidvalidity && s.uidnext >= k.base.uidnext);
            m.selectable && !ours.contains(&m.path) && status.is_some()
        };
        listed.iter().find(same).map(|m| (k.path.clone(), m.path.clone()))
    });
    found.collect()
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
            (Some(ours), Some(status)) => all || ours.pending || !agrees(ours, status),
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
        && ours.messages == status.messages
        && same(u64::from(ours.base.uidnext), u64::from(status.uidnext))
        && same(ours.base.highestmodseq.0, status.highestmodseq.0)
        // With CONDSTORE the numbers above say all; STATUS may count otherwise than we do.
        && (status.highestmodseq.0 != 0 || ours.unseen == status.unseen)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        }
    }
    fn known(name: &str, pending: bool) -> Known {
        let base = Base { uidvalidity: UidValidity(1), uidnext: 5, highestmodseq: ModSeq(9) };
        Known { path: MailboxPath::from_wire(name.as_bytes()), base, messages: 3, unseen: 1, pending, dying: false }
    }
    fn status(messages: u32, modseq: u64) -> Option<MailboxStatus> {
        let (uidvalidity, highestmodseq) = (UidValidity(1), ModSeq(modseq));
        Some(MailboxStatus { messages, unseen: 1, uidnext: 5, uidvalidity, highestmodseq, size: None })
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
        assert_eq!(renamed(&[with("A", 2, 5), with("X", 2, 9)], &known), [], "it is still there");
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
}
