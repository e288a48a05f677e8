//! places — where an account keeps what a command is about: the mailbox of a role, or the one that is like another account's.
//! Owns: `mailbox`, `alike`, `roles`. May import: store, mail, and the engine's own.
//! Start reading at: `alike`.

use super::intents::gone;
use crate::engine::acts::{self, Act, Places, Roles};
use crate::engine::api::{Fault, Kind};
use crate::engine::shared::Shared;
use crate::mail::ids::{AccountName, MailboxId};
use crate::mail::mailbox::{MailboxPath, Role};
use crate::mail::row::MailboxRow;
use crate::store::{self, Cache, Db, mailboxes};

/// Above all mailboxes that Gmail makes.
const GMAIL: [&str; 2] = ["[Gmail]", "[Google Mail]"];

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

/// Where each account keeps what the command needs.
pub(super) fn roles(db: &Db<Cache>, act: &Act) -> store::Result<Roles> {
    let Act::File(role) = act else { return Ok(Roles::new()) };
    let rows = mailboxes::list(db, None)?;
    let mut roles = Roles::new();
    // The first of each account, as `mailboxes::by_role` has it; else the one that was made for it.
    let usual = MailboxPath::from_typed(acts::usual_name(*role));
    let told = rows.iter().filter(|r| r.role == Some(*role));
    // Gmail archives by taking a message out of the inbox: it lies in All Mail already.
    let everything = |r: &&MailboxRow| *role == Role::Archive && r.role == Some(Role::All) && is_gmails(r);
    let told = told.chain(rows.iter().filter(everything));
    for row in told.chain(rows.iter().filter(|r| r.path == usual)).filter(|r| r.selectable) {
        roles.entry((row.account.clone(), *role)).or_insert_with(|| row.path.clone());
    }
    Ok(roles)
}

/// Whether it is one of the mailboxes that Gmail makes; elsewhere a mailbox that shows everything takes no messages.
fn is_gmails(row: &MailboxRow) -> bool {
    let mut path = row.path.clone();
    while let Some(above) = path.parent(row.delimiter) {
        path = above;
    }
    GMAIL.iter().any(|name| path.as_str().eq_ignore_ascii_case(name))
}
