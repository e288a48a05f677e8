//! places — where an account keeps what a command is about: the mailbox of a role, or the one that is like another account's.
//! Owns: `mailbox`, `alike`, `needed`. May import: store, mail, and the engine's own.
//! Start reading at: `alike`.

use super::intents::gone;
use crate::engine::acts::{Act, Picked, Places, Roles};
use crate::engine::api::{Fault, Kind};
use crate::engine::roles;
use crate::engine::shared::Shared;
use crate::mail::ids::{AccountName, MailboxId};
use crate::mail::mailbox::MailboxPath;
use crate::store::{self, Cache, Db, mailboxes};
use std::collections::BTreeSet;

/// A mailbox that holds messages: whose, and its name.
///
/// # Errors
/// `Missing` where there is none; `Usage` where it holds other mailboxes only.
pub(super) fn mailbox(shared: &Shared, id: MailboxId) -> Result<(AccountName, MailboxPath), Fault> {
    let row = shared.store.read(|db| mailboxes::get(db, id)).map_err(|e| gone(e, "there is no such mailbox any more"))?;
    if !row.selectable {
        return Err(Fault::new(Kind::Usage, "this mailbox holds other mailboxes only, no messages"));
    }
    Ok((row.account, row.path))
}

/// That mailbox, and the one that is like it in each other account: a command on messages of several accounts leaves each
/// message in its own.
///
/// # Errors
/// As [`mailbox`].
pub(super) fn alike(shared: &Shared, id: MailboxId) -> Result<Places, Fault> {
    let (account, path) = mailbox(shared, id)?;
    let rows = shared.store.read(|db| mailboxes::list(db, None))?;
    let mut places = Places::from([(account, path)]);
    if let Some(to) = rows.iter().find(|row| row.id == id) {
        for row in rows.iter().filter(|row| row.selectable && row.is_like(to)) {
            places.entry(row.account.clone()).or_insert_with(|| row.path.clone());
        }
    }
    Ok(places)
}

/// Where each account of the messages keeps what the command needs.
pub(super) fn needed(shared: &Shared, db: &Db<Cache>, act: &Act, picked: &[Picked]) -> store::Result<Roles> {
    let Act::File(role) = act else { return Ok(Roles::new()) };
    let accounts: BTreeSet<&AccountName> = picked.iter().map(|p| &p.account).collect();
    let of = |account: &AccountName| Ok(((account.clone(), *role), roles::place(db, account, shared.account(account), *role)?));
    accounts.into_iter().map(of).collect()
}
