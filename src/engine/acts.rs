//! acts — a person's command as entries of the journal. Pure: no clock, no database.
//! Owns: `Picked`, `Act`, `Place`, `Plan`, `operations`, the usual names of mailboxes that an account lacks.
//! May import: mail.
//! Start reading at: `operations`. Only what would change something becomes an operation, and flags are deltas with their
//! own inverse, so that undo gives back exactly what differed.

use crate::mail::flags::{FlagDelta, Flags};
use crate::mail::ids::{AccountName, PlacementKey};
use crate::mail::intent::{NewOperation, OpKind, Target};
use crate::mail::mailbox::{MailboxPath, Role};
use crate::mail::meant::Meant;
use std::collections::BTreeMap;

/// How long deleting for ever can be taken back, seconds (decisions 21).
pub const EXPUNGE_HOLD: i64 = 10;

/// A message that a command is about, as the store has it now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Picked {
    /// Its row.
    pub id: PlacementKey,
    /// Whose.
    pub account: AccountName,
    /// Where it lies (or will lie, when an earlier operation is done).
    pub mailbox: MailboxPath,
    /// Its name in the journal.
    pub target: Target,
    /// The flags that the person sees.
    pub flags: Flags,
}

/// What the command wants.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Act {
    /// Change flags.
    Flag(FlagDelta),
    /// Move, within each account.
    Move(Places),
    /// Copy, within each account.
    Copy(Places),
    /// Move to each account's mailbox of a role.
    File(Role),
    /// Delete for ever.
    Expunge,
}

/// The entries of one command, in order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Plan {
    /// The entry, and the index of the one that must be done before it.
    pub operations: Vec<(NewOperation, Option<usize>)>,
    /// How many messages the command changes.
    pub count: u32,
    /// How many were asked for and cannot be: their account has no such mailbox.
    pub missed: u32,
}

/// Where to in each account.
pub type Places = BTreeMap<AccountName, MailboxPath>;

/// Where an account keeps what is of a role.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// The mailbox.
    pub path: MailboxPath,
    /// Whether it is to be made, unless the server turns out to have another one for that.
    pub make: bool,
}

/// Where each account keeps what.
pub type Roles = BTreeMap<(AccountName, Role), Place>;

/// Turns a command into operations at `now` (seconds since 1970). Messages on which it would change nothing are left out.
#[must_use]
pub fn operations(picked: &[Picked], act: &Act, roles: &Roles, now: i64) -> Plan {
    let mut plan = Plan::default();
    // By account and mailbox, in the order in which they were picked: one operation each.
    let mut groups: Vec<(&AccountName, &MailboxPath, Vec<&Picked>)> = Vec::new();
    for p in picked {
        match act {
            Act::Move(to) | Act::Copy(to) if !to.contains_key(&p.account) => {
                plan.missed += 1;
                continue;
            }
            Act::Move(to) if to.get(&p.account) == Some(&p.mailbox) => continue,
            Act::File(role) if roles.get(&(p.account.clone(), *role)).map(|place| &place.path) == Some(&p.mailbox) => continue,
            Act::Flag(delta) if delta.apply(&p.flags) == p.flags => continue,
            _ => {}
        }
        plan.count += 1;
        match groups.iter_mut().find(|(a, m, _)| *a == &p.account && *m == &p.mailbox) {
            Some((_, _, members)) => members.push(p),
            None => groups.push((&p.account, &p.mailbox, vec![p])),
        }
    }
    let mut made: BTreeMap<&AccountName, usize> = BTreeMap::new();
    for (account, mailbox, members) in groups {
        let mut after = None;
        let kind = match act {
            Act::Flag(delta) => OpKind::Flag { delta: delta.clone() },
            Act::Move(to) | Act::Copy(to) => {
                // Those without a place were left out above.
                let Some(to) = to.get(account).cloned() else { continue };
                if matches!(act, Act::Move(_)) { OpKind::Move { to } } else { OpKind::Copy { to } }
            }
            Act::Expunge => OpKind::Expunge,
            Act::File(role) => {
                let usual = || Place { path: MailboxPath::from_typed(usual_name(*role)), make: true };
                let place = roles.get(&(account.clone(), *role)).cloned().unwrap_or_else(usual);
                if place.make {
                    after = Some(*made.entry(account).or_insert_with(|| {
                        plan.operations.push((entry(account, &place.path, OpKind::CreateMailbox { role: Some(*role) }), None));
                        plan.operations.len() - 1
                    }));
                }
                OpKind::Move { to: place.path }
            }
        };
        let inverse = match act {
            Act::Flag(delta) => members.iter().map(|p| delta.inverse(&p.flags)).collect(),
            _ => Vec::new(),
        };
        let not_before = if *act == Act::Expunge { now + EXPUNGE_HOLD } else { 0 };
        let targets = members.iter().map(|p| p.target.clone()).collect();
        plan.operations.push((NewOperation { targets, inverse, not_before, ..entry(account, mailbox, kind) }, after));
    }
    plan
}

/// An operation on no message.
#[must_use]
pub fn entry(account: &AccountName, mailbox: &MailboxPath, kind: OpKind) -> NewOperation {
    NewOperation {
        account: account.clone(),
        mailbox: mailbox.clone(),
        kind,
        targets: Vec::new(),
        not_before: 0,
        after: None,
        inverse: Vec::new(),
        here: Meant::default(),
        there: Meant::default(),
    }
}

/// How a mailbox is called that is made because the account has none for the role.
#[must_use]
pub const fn usual_name(role: Role) -> &'static str {
    match role {
        Role::Inbox => "INBOX",
        Role::Drafts => "Drafts",
        Role::Sent => "Sent",
        Role::Archive | Role::All => "Archive",
        Role::Junk => "Junk",
        Role::Trash => "Trash",
        Role::Flagged => "Flagged",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::flags::Flag;
    use crate::mail::server::Fingerprint;
    use crate::mail::uid::UidValidity;

    fn picked(id: i64, account: &str, mailbox: &str, flags: Flags) -> Picked {
        let print = Fingerprint { message_id: None, size: 1, received: 1, object_id: String::new() };
        Picked {
            id: PlacementKey(id),
            account: AccountName::new(account),
            mailbox: MailboxPath::from_typed(mailbox),
            target: Target::Server { uidvalidity: UidValidity(1), uid: u32::try_from(id).unwrap(), print },
            flags,
        }
    }

    #[test]
    fn one_operation_for_each_mailbox_with_its_own_inverse() {
        let all = [
            picked(1, "a", "INBOX", Flags::new()),
            picked(2, "a", "Lists", Flags::new()),
            picked(3, "a", "INBOX", Flag::Seen.into()),
            picked(4, "a", "INBOX", Flag::Flagged.into()),
        ];
        let plan = operations(&all, &Act::Flag(FlagDelta::set(Flag::Seen)), &Roles::new(), 100);
        assert_eq!((plan.count, plan.missed, plan.operations.len()), (3, 0, 2), "what is read already is left out");
        let (inbox, _) = &plan.operations[0];
        assert_eq!(inbox.targets.len(), 2);
        for (delta, p) in inbox.inverse.iter().zip([&all[0], &all[3]]) {
            assert_eq!(delta.apply(&FlagDelta::set(Flag::Seen).apply(&p.flags)), p.flags);
        }
    }

    #[test]
    fn a_missing_archive_is_made_once_and_first() {
        let all =
            [picked(1, "a", "INBOX", Flags::new()), picked(2, "a", "Lists", Flags::new()), picked(3, "b", "INBOX", Flags::new())];
        let roles =
            Roles::from([((AccountName::new("b"), Role::Archive), Place { path: MailboxPath::from_typed("Old"), make: false })]);
        let plan = operations(&all, &Act::File(Role::Archive), &roles, 0);
        let shape: Vec<_> = plan.operations.iter().map(|(o, after)| (o.kind.word(), o.account.as_str(), *after)).collect();
        assert_eq!(shape, [("create_mailbox", "a", None), ("move", "a", Some(0)), ("move", "a", Some(0)), ("move", "b", None)]);
    }

    #[test]
    fn each_message_stays_in_its_account_and_nothing_moves_onto_itself() {
        let all =
            [picked(1, "a", "INBOX", Flags::new()), picked(2, "b", "INBOX", Flags::new()), picked(3, "a", "X", Flags::new())];
        let place = |account: &str, name: &str| (AccountName::new(account), MailboxPath::from_typed(name));
        let plan = operations(&all, &Act::Move(Places::from([place("a", "X")])), &Roles::new(), 0);
        assert_eq!((plan.count, plan.missed, plan.operations.len()), (1, 1, 1));
        let plan = operations(&all, &Act::Copy(Places::from([place("a", "X"), place("b", "Y")])), &Roles::new(), 0);
        let shape: Vec<_> = plan.operations.iter().map(|(o, _)| (o.account.as_str(), o.kind.clone())).collect();
        let copy = |name: &str| OpKind::Copy { to: MailboxPath::from_typed(name) };
        assert_eq!(shape, [("a", copy("X")), ("b", copy("Y")), ("a", copy("X"))]);
        let plan = operations(&all, &Act::Expunge, &Roles::new(), 100);
        assert!(plan.operations.iter().all(|(o, _)| o.not_before == 110), "deleting for ever waits");
    }
}
