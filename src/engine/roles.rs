//! roles — which mailbox of an account is the one for sent mail, the archive and so on; and what waits until that is known.
//! Owns: `place`, the part of [`Visitor`] that settles what is to be made for a role. May import: store, config, mail.
//! Start reading at: `place`. Before the first list nobody knows: then a mailbox of the usual name is shown, and the wish to make it waits
//! with all that goes there. The list says which one it is, and all of that follows; only where there is none it is made.

use super::acts::{self, Place};
use super::meant;
use super::round::{Halt, Visitor};
use crate::config::AccountConfig;
use crate::mail::ids::AccountName;
use crate::mail::intent::{OpKind, OpState, Operation};
use crate::mail::mailbox::{MailboxPath, Role};
use crate::mail::row::MailboxRow;
use crate::mail::server::ListedMailbox;
use crate::store::{self, Cache, Db, journal, mailboxes, overlay};
use std::collections::BTreeSet;
use std::sync::PoisonError;

/// Above all mailboxes that Gmail makes.
const GMAIL: [&str; 2] = ["[Gmail]", "[Google Mail]"];

/// A mailbox that may be the one.
struct Candidate<'a> {
    path: &'a MailboxPath,
    role: Option<Role>,
    delimiter: Option<char>,
}

impl<'a> Candidate<'a> {
    fn cached(row: &'a MailboxRow) -> Option<Self> {
        row.selectable.then_some(Self { path: &row.path, role: row.role, delimiter: row.delimiter })
    }

    fn listed(row: &'a ListedMailbox) -> Option<Self> {
        row.selectable.then_some(Self { path: &row.path, role: row.role, delimiter: row.delimiter })
    }

    /// Whether it is one of the mailboxes that Gmail makes; elsewhere a mailbox that shows everything takes no messages.
    fn is_gmails(&self) -> bool {
        let mut path = self.path.clone();
        while let Some(above) = path.parent(self.delimiter) {
            path = above;
        }
        GMAIL.iter().any(|name| path.as_str().eq_ignore_ascii_case(name))
    }
}

/// The one for `role` among `all`, which is as the server told it; else the name of one that is to be made.
fn among(all: &[Candidate<'_>], configured: Option<MailboxPath>, role: Role) -> Place {
    let there = |path: &MailboxPath| Place { path: path.clone(), make: false };
    if let Some(one) = all.iter().find(|c| c.role == Some(role)) {
        return there(one.path);
    }
    // Gmail archives by taking a message out of the inbox: it lies in All Mail already.
    let everything = |c: &&Candidate<'_>| role == Role::Archive && c.role == Some(Role::All) && c.is_gmails();
    if let Some(all_mail) = all.iter().find(everything).filter(|_| configured.is_none()) {
        return there(all_mail.path);
    }
    let name = configured.unwrap_or_else(|| MailboxPath::from_typed(acts::usual_name(role)));
    let make = !all.iter().any(|c| *c.path == name);
    Place { path: name, make }
}

fn configured(config: Option<&AccountConfig>, role: Role) -> Option<MailboxPath> {
    config.and_then(|config| config.roles.get(&role)).map(|name| MailboxPath::from_typed(name))
}

/// Where `account` keeps what is of `role`: what is configured, what the server says it is for, what the name says; else the usual name.
///
/// # Errors
/// As every question.
pub(super) fn place(db: &Db<Cache>, account: &AccountName, config: Option<&AccountConfig>, role: Role) -> store::Result<Place> {
    let rows = mailboxes::list(db, Some(account))?;
    let all: Vec<Candidate<'_>> = rows.iter().filter_map(Candidate::cached).collect();
    let place = among(&all, configured(config, role), role);
    // A name alone says nothing before the list does: it may be that of a wish, or of what an older wish named.
    let told = rows.iter().any(|row| row.path == place.path && row.role == Some(role)) || mailboxes::is_listed(db, account)?;
    Ok(Place { make: place.make || !told, ..place })
}

impl Visitor<'_> {
    /// Of the person's wishes, those that need not wait for the first list.
    ///
    /// # Errors
    /// The store.
    pub(super) fn placed(&self, ops: Vec<Operation>) -> Result<Vec<Operation>, Halt> {
        if self.memory.listed_all || self.shared.store.read(|db| mailboxes::is_listed(db, &self.config.name))? {
            return Ok(ops);
        }
        let (mut held, mut free): (Vec<Operation>, Vec<Operation>) = (Vec::new(), Vec::new());
        // Ascending: what waits for one of them comes after it.
        for op in ops {
            let waits = is_open(&op) || held.iter().any(|before| op.waits_for(before));
            if waits { held.push(op) } else { free.push(op) }
        }
        Ok(free)
    }

    /// Whether there are wishes that wait for the first list.
    ///
    /// # Errors
    /// The store.
    pub(super) fn waits_for_list(&self) -> Result<bool, Halt> {
        let pending = self.shared.store.read_state(|db| journal::pending(db, Some(&self.config.name)))?;
        let open: Vec<Operation> = pending.into_iter().filter(is_open).collect();
        Ok(!open.is_empty() && self.placed(open)?.is_empty())
    }

    /// All mailboxes are listed: what was to be made for want of one goes to the one that is there, with all that was to go into it.
    /// Whether any is still to be made.
    ///
    /// # Errors
    /// The store.
    pub(super) fn place_all(&self, listed: &[ListedMailbox]) -> Result<bool, Halt> {
        let (shared, account) = (self.shared, &self.config.name);
        let pending = shared.store.read_state(|db| journal::pending(db, Some(account)))?;
        let open: Vec<&Operation> = pending.iter().filter(|op| is_open(op)).collect();
        if open.is_empty() {
            return Ok(false);
        }
        let all: Vec<Candidate<'_>> = listed.iter().filter_map(Candidate::listed).collect();
        let mut made = BTreeSet::new();
        let mut settled = Vec::new();
        for op in open {
            let OpKind::CreateMailbox { role: Some(role) } = op.kind else { continue };
            let place = among(&all, configured(Some(self.config), role), role);
            let meant = shared.store.read(|db| meant::seen(db, account, &place.path))?;
            // One that is made twice is made once.
            let there = !place.make || !made.insert(place.path.clone());
            settled.push((op.id, place.path, there, meant));
        }
        let _names = shared.names.write().unwrap_or_else(PoisonError::into_inner);
        let name = account.clone();
        let pending = shared.store.state(move |tx| {
            let mut any = false;
            for (id, path, there, meant) in settled {
                any |= journal::placed(tx, &name, id, &path, there, &meant)?;
            }
            any.then(|| journal::pending(tx, None)).transpose()
        })?;
        if let Some(pending) = pending {
            shared.store.cache(move |tx| overlay::rebuild(tx, &pending))?;
        }
        Ok(!made.is_empty())
    }
}

/// Whether it makes a mailbox for a role, and the server was not told yet.
fn is_open(op: &Operation) -> bool {
    op.state == OpState::Queued && matches!(op.kind, OpKind::CreateMailbox { role: Some(_) })
}
