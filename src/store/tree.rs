//! tree — what the person wished of the tree of mailboxes, laid over what the server listed; and what the server then did.
//! Owns: the columns `wished`, `origin`, `renaming`, `dying`, `subscribing` of `mailbox`. May import: mail.
//! Start reading at: `apply`. A renamed mailbox shows its new name at once and is still spoken of to the server by its old
//! one (`origin`); a deleted one is not shown. All of it can be taken off again (`reset`) and derived from the journal.

use super::change::Topic;
use super::error::{Result, StoreError};
use super::mailboxes::{ensure, find, remove};
use super::open::{Cache, Db};
use super::writer::Tx;
use crate::mail::ids::{AccountName, MailboxId, OpId};
use crate::mail::intent::{OpKind, OpState, Operation};
use crate::mail::mailbox::MailboxPath;
use rusqlite::OptionalExtension;
use std::iter::successors;

/// A mailbox as the server calls it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Named {
    /// Its number.
    pub id: MailboxId,
    /// What the server calls it.
    pub server: MailboxPath,
    /// What the person sees.
    pub shown: MailboxPath,
    /// Whether it is still there for the person.
    pub dying: bool,
}

/// All mailboxes of an account by their names at the server, those that are to be deleted too.
///
/// # Errors
/// As every question.
pub fn named(db: &Db<Cache>, account: &AccountName) -> Result<Vec<Named>> {
    let sql = "SELECT id, CASE WHEN origin = '' THEN path ELSE origin END, path, dying FROM mailbox WHERE account = ?1";
    let mut statement = db.conn().prepare_cached(sql)?;
    let rows = statement.query_map([account.as_str()], |r| {
        Ok(Named {
            id: MailboxId(r.get(0)?),
            server: MailboxPath::from_stored(r.get_ref(1)?.as_str()?),
            shown: MailboxPath::from_stored(r.get_ref(2)?.as_str()?),
            dying: r.get::<_, i64>(3)? != 0,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The mailboxes that an account is subscribed to as far as the cache knows, by their names at the server. Of one that is only named
/// by an operation, and was never listed, nothing is known.
///
/// # Errors
/// As every question.
pub fn subscribed(db: &Db<Cache>, account: &AccountName) -> Result<Vec<MailboxPath>> {
    let sql = "SELECT CASE WHEN origin = '' THEN path ELSE origin END FROM mailbox
               WHERE account = ?1 AND subscribed <> 0 AND wished = 0 AND (delimiter <> '' OR uidvalidity <> 0)";
    let mut statement = db.conn().prepare_cached(sql)?;
    let rows = statement.query_map([account.as_str()], |r| Ok(MailboxPath::from_stored(r.get_ref(0)?.as_str()?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// What the server calls a mailbox.
///
/// # Errors
/// `Missing` if there is none of that number.
pub fn at_server(db: &Db<Cache>, mailbox: MailboxId) -> Result<MailboxPath> {
    let sql = "SELECT CASE WHEN origin = '' THEN path ELSE origin END FROM mailbox WHERE id = ?1";
    let path: Option<String> = db.conn().prepare_cached(sql)?.query_row([mailbox.0], |r| r.get(0)).optional()?;
    path.map(|path| MailboxPath::from_stored(&path)).ok_or_else(|| StoreError::missing("mailbox"))
}

/// Whether a name is in use: shown, to be deleted, or still the server's name of one that was renamed.
///
/// # Errors
/// As every question.
pub fn is_taken(db: &Db<Cache>, account: &AccountName, path: &MailboxPath) -> Result<bool> {
    Ok(find(db, account, path)?.is_some())
}

/// What divides the parts of a new name: what does so in a mailbox that it lies below, else in any of the account. Without it a
/// mailbox that was made would have nothing below it until the server lists it.
fn delimiter_for(db: &Db<Cache>, account: &AccountName, path: &MailboxPath) -> Result<Option<char>> {
    let sql = "SELECT delimiter FROM mailbox WHERE account = ?1 AND delimiter <> ''
               ORDER BY substr(?2, 1, length(path)) = path DESC, length(path) DESC LIMIT 1";
    let found: Option<String> =
        db.conn().prepare_cached(sql)?.query_row((account.as_str(), path.as_str()), |r| r.get(0)).optional()?;
    Ok(found.and_then(|text| text.chars().next()))
}

/// Gives a mailbox that `wish` makes its delimiter, and its parents, which come with it (RFC 3501, 6.3.3), so that a person may rename
/// or delete those at once.
fn place(tx: &mut Tx<'_, Cache>, account: &AccountName, path: &MailboxPath, wish: OpId) -> Result<()> {
    let delimiter = delimiter_for(tx, account, path)?;
    let text = delimiter.map(String::from).unwrap_or_default();
    // What the server listed since stands.
    let sql = "UPDATE mailbox SET wished = ?3, delimiter = ?4, selectable = 1,
                 subscribed = CASE WHEN subscribing = 0 THEN 1 ELSE subscribed END
               WHERE account = ?1 AND path = ?2 AND (delimiter = '' OR selectable = 0)";
    tx.conn().execute(sql, (account.as_str(), path.as_str(), wish.0, &text))?;
    for above in successors(path.parent(delimiter), |path| path.parent(delimiter)) {
        if find(tx, account, &above)?.is_none() {
            let id = ensure(tx, account, &above)?;
            let sql = "UPDATE mailbox SET wished = ?2, delimiter = ?3, selectable = 0, subscribed = 0 WHERE id = ?1";
            tx.conn().execute(sql, (id.0, wish.0, &text))?;
        }
    }
    tx.note(Topic::Mailboxes);
    Ok(())
}

/// Lays a pending change of the tree over the cache. May be repeated.
pub(super) fn apply(tx: &mut Tx<'_, Cache>, operation: &Operation) -> Result<()> {
    let account = &operation.account;
    match &operation.kind {
        OpKind::CreateMailbox { .. } if find(tx, account, &operation.mailbox)?.is_none() => {
            ensure(tx, account, &operation.mailbox)?;
            place(tx, account, &operation.mailbox, operation.id)?;
        }
        OpKind::RenameMailbox { to, delimiter } => {
            for row in named(tx, account)? {
                let Some(new) = row.shown.moved(&operation.mailbox, to, *delimiter) else { continue };
                if is_taken(tx, account, &new)? {
                    continue;
                }
                let sql = "UPDATE mailbox SET path = ?2, origin = ?3, renaming = ?4 WHERE id = ?1";
                tx.conn().execute(sql, (row.id.0, new.as_str(), row.server.as_str(), operation.id.0))?;
                tx.note(Topic::Mailboxes);
            }
        }
        OpKind::DeleteMailbox => mark(tx, operation, "dying = ?2", operation.id.0)?,
        OpKind::SubscribeMailbox { on } => {
            mark(tx, operation, "subscribing = ?2", operation.id.0)?;
            mark(tx, operation, "subscribed = ?2", i64::from(*on))?;
        }
        _ => {}
    }
    Ok(())
}

fn mark(tx: &mut Tx<'_, Cache>, operation: &Operation, set: &str, value: i64) -> Result<()> {
    if let Some(id) = find(tx, &operation.account, &operation.mailbox)? {
        tx.conn().execute(&format!("UPDATE mailbox SET {set} WHERE id = ?1"), (id.0, value))?;
        tx.note(Topic::Mailboxes);
    }
    Ok(())
}

/// Takes a change of the tree off that is not pending any more. If it was `done`, the cache has that already.
pub(super) fn forget(tx: &mut Tx<'_, Cache>, operation: &Operation) -> Result<()> {
    let (id, done) = (operation.id, operation.state == OpState::Settled);
    match &operation.kind {
        OpKind::CreateMailbox { .. } => {
            unwish(tx, id, done)?;
            // It may have been wished before anything of the account was known; one that only held others holds messages now.
            if done && find(tx, &operation.account, &operation.mailbox)?.is_some() {
                place(tx, &operation.account, &operation.mailbox, OpId(0))?;
            }
        }
        OpKind::RenameMailbox { to, delimiter } if !done => {
            for row in named(tx, &operation.account)?.into_iter().filter(|row| row.server != row.shown) {
                if let Some(old) = row.shown.moved(to, &operation.mailbox, *delimiter) {
                    show_as(tx, &row, &old)?;
                }
            }
        }
        OpKind::DeleteMailbox => {
            tx.conn().execute("UPDATE mailbox SET dying = 0 WHERE dying = ?1", [id.0])?;
        }
        OpKind::SubscribeMailbox { on } => {
            let sql = "UPDATE mailbox SET subscribing = 0, subscribed = ?2 WHERE subscribing = ?1";
            tx.conn().execute(sql, (id.0, *on == done))?;
        }
        _ => return Ok(()),
    }
    tx.note(Topic::Mailboxes);
    Ok(())
}

fn show_as(tx: &Tx<'_, Cache>, row: &Named, path: &MailboxPath) -> Result<()> {
    let home = *path == row.server;
    let origin = if home { "" } else { row.server.as_str() };
    let sql = "UPDATE mailbox SET path = ?2, origin = ?3, renaming = CASE WHEN ?4 THEN 0 ELSE renaming END WHERE id = ?1";
    tx.conn().execute(sql, (row.id.0, path.as_str(), origin, home))?;
    Ok(())
}

/// Ends the wish for a mailbox: what the server did not list meanwhile goes, unless the operation was done.
fn unwish(tx: &mut Tx<'_, Cache>, op: OpId, done: bool) -> Result<()> {
    let find = "SELECT id FROM mailbox WHERE wished = ?1";
    let all: Vec<i64> = tx.conn().prepare_cached(find)?.query_map([op.0], |r| r.get(0))?.collect::<rusqlite::Result<_>>()?;
    for id in all {
        if done {
            tx.conn().execute("UPDATE mailbox SET wished = 0 WHERE id = ?1", [id])?;
        } else {
            remove(tx, MailboxId(id))?;
        }
    }
    Ok(())
}

/// Takes all of it off: the tree is as the server listed it.
pub(super) fn reset(tx: &mut Tx<'_, Cache>) -> Result<()> {
    let sql = "SELECT wished FROM mailbox WHERE wished <> 0";
    let wished: Vec<i64> = tx.conn().prepare_cached(sql)?.query_map([], |r| r.get(0))?.collect::<rusqlite::Result<_>>()?;
    wished.into_iter().try_for_each(|op| unwish(tx, OpId(op), false))?;
    let changed = tx.conn().execute(
        "UPDATE mailbox SET path = CASE WHEN origin = '' THEN path ELSE origin END, origin = '', renaming = 0, dying = 0,
           subscribed = CASE WHEN subscribing = 0 THEN subscribed ELSE NOT subscribed END, subscribing = 0
         WHERE origin <> '' OR dying <> 0 OR subscribing <> 0",
        [],
    )?;
    if changed > 0 {
        tx.note(Topic::Mailboxes);
    }
    Ok(())
}

/// The operations whose changes of the tree are laid over the cache now.
pub(super) const OPERATIONS: &str = "SELECT wished FROM mailbox WHERE wished <> 0 UNION SELECT renaming FROM mailbox
    WHERE renaming <> 0 UNION SELECT dying FROM mailbox WHERE dying <> 0 UNION SELECT subscribing FROM mailbox WHERE subscribing <> 0";

/// The server renamed a mailbox, with what lies below it: all of it keeps its messages. May be repeated.
///
/// # Errors
/// As every transaction.
pub fn renamed(
    tx: &mut Tx<'_, Cache>,
    account: &AccountName,
    from: &MailboxPath,
    to: &MailboxPath,
    delimiter: Option<char>,
) -> Result<()> {
    for row in named(tx, account)? {
        let Some(now) = row.server.moved(from, to, delimiter) else { continue };
        // Somebody listed in between: the row that has the messages stays.
        if let Some(twin) = find(tx, account, &now)?.filter(|id| *id != row.id) {
            remove(tx, twin)?;
        }
        // Renamed once more, and that is not done yet: it is shown under that name.
        let shown = if row.shown == row.server { &now } else { &row.shown };
        show_as(tx, &Named { server: now.clone(), ..row.clone() }, shown)?;
        tx.note(Topic::Mailboxes);
    }
    Ok(())
}

/// The server deleted a mailbox. May be repeated.
///
/// # Errors
/// As every transaction.
pub fn deleted(tx: &mut Tx<'_, Cache>, account: &AccountName, path: &MailboxPath) -> Result<()> {
    match find(tx, account, path)? {
        Some(id) => remove(tx, id),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
