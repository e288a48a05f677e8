//! mailboxes — the mailboxes of each account as LIST and STATUS told of them.
//! Owns: the table `mailbox`, its rows for the folder pane. May import: mail.
//! Start reading at: `record_list`. Counts of visible messages are kept by `placements.rs`.

use super::change::Topic;
use super::error::{Result, StoreError};
use super::open::{Cache, Db};
use super::writer::Tx;
use super::{placements, refs};
use crate::mail::ids::{AccountName, MailboxId};
use crate::mail::mailbox::{MailboxPath, Role};
use crate::mail::meant::Meant;
use crate::mail::rights::Rights;
use crate::mail::row::MailboxRow;
use crate::mail::server::{ListedMailbox, MailboxStatus};
use crate::mail::uid::UidValidity;
use rusqlite::{OptionalExtension, Row};
use std::collections::HashSet;

/// The mailbox of that name: as it is shown, or as the server still calls it.
///
/// # Errors
/// As every question.
pub fn find(db: &Db<Cache>, account: &AccountName, path: &MailboxPath) -> Result<Option<MailboxId>> {
    let shown = "SELECT id FROM mailbox WHERE account = ?1 AND path = ?2";
    let server = "SELECT id FROM mailbox WHERE account = ?1 AND origin = ?2 AND origin <> ''";
    for sql in [shown, server] {
        let found = db.conn().prepare_cached(sql)?.query_row((account.as_str(), path.as_str()), |r| r.get(0)).optional()?;
        if let Some(id) = found {
            return Ok(Some(MailboxId(id)));
        }
    }
    Ok(None)
}

/// The mailbox of that name, made if it is not known yet.
///
/// # Errors
/// As every transaction.
pub fn ensure(tx: &mut Tx<'_, Cache>, account: &AccountName, path: &MailboxPath) -> Result<MailboxId> {
    if let Some(id) = find(tx, account, path)? {
        return Ok(id);
    }
    let sql = "INSERT INTO mailbox (account, path, role) VALUES (?1, ?2, ?3)";
    let role = if path.is_inbox() { Role::Inbox.word() } else { "" };
    tx.conn().prepare_cached(sql)?.execute((account.as_str(), path.as_str(), role))?;
    let id = MailboxId(tx.conn().last_insert_rowid());
    tx.note(Topic::Mailboxes);
    Ok(id)
}

/// Records a whole LIST reply: what is not in it goes, with its placements; except what is wished for.
///
/// # Errors
/// As every transaction.
pub fn record_list(tx: &mut Tx<'_, Cache>, account: &AccountName, listed: &[ListedMailbox]) -> Result<()> {
    for mailbox in listed {
        let id = ensure(tx, account, &mailbox.path)?;
        let role = match mailbox.role {
            _ if mailbox.path.is_inbox() => Some(Role::Inbox),
            role => role,
        };
        let sql = "UPDATE mailbox SET delimiter = ?2, role = ?3, selectable = ?4, wished = 0,
                     subscribed = CASE WHEN subscribing = 0 THEN ?5 ELSE subscribed END WHERE id = ?1
                   AND (delimiter, role, selectable, subscribed, wished) IS NOT (?2, ?3, ?4, ?5, 0)";
        let delimiter = mailbox.delimiter.map(String::from).unwrap_or_default();
        let values = (id.0, delimiter, role.map_or("", Role::word), mailbox.selectable, mailbox.subscribed);
        if tx.conn().prepare_cached(sql)?.execute(values)? > 0 {
            tx.note(Topic::Mailboxes);
        }
        if let Some(status) = &mailbox.status {
            record_status(tx, id, status)?;
        }
    }
    let here: HashSet<&MailboxPath> = listed.iter().map(|m| &m.path).collect();
    let sql = "SELECT id, CASE WHEN origin = '' THEN path ELSE origin END FROM mailbox WHERE account = ?1 AND wished = 0";
    let known: Vec<(i64, String)> = tx
        .conn()
        .prepare_cached(sql)?
        .query_map([account.as_str()], |r| Ok((r.get(0)?, r.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (id, path) in known {
        if !here.contains(&MailboxPath::from_stored(&path)) {
            remove(tx, MailboxId(id))?;
        }
    }
    Ok(())
}

/// Whether the mailboxes of an account were listed, as far as the cache knows: what divides names is said by a list alone. Of a server
/// whose names nothing divides that is not known.
///
/// # Errors
/// As every question.
pub fn is_listed(db: &Db<Cache>, account: &AccountName) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM mailbox WHERE account = ?1 AND wished = 0 AND delimiter <> '')";
    Ok(db.conn().prepare_cached(sql)?.query_row([account.as_str()], |r| r.get(0))?)
}

/// The server's own name of a mailbox, whatever it is called (MAILBOXID, RFC 8474); "" without.
///
/// # Errors
/// `Missing` if there is none of that number.
pub fn object_id(db: &Db<Cache>, mailbox: MailboxId) -> Result<String> {
    let sql = "SELECT object_id FROM mailbox WHERE id = ?1";
    let found = db.conn().prepare_cached(sql)?.query_row([mailbox.0], |r| r.get(0)).optional()?;
    found.ok_or_else(|| StoreError::missing("mailbox"))
}

/// What tells a mailbox from others that may get its name, as far as the cache knows.
///
/// # Errors
/// `Missing` if there is none of that number.
pub fn meant(db: &Db<Cache>, mailbox: MailboxId) -> Result<Meant> {
    let sql = "SELECT uidvalidity, uidnext, object_id, NOT EXISTS (SELECT 1 FROM mailbox o
                 WHERE o.account = m.account AND o.uidvalidity = m.uidvalidity AND o.id <> m.id) FROM mailbox m WHERE id = ?1";
    let found = db.conn().prepare_cached(sql)?.query_row([mailbox.0], |r| {
        Ok(Meant { uidvalidity: UidValidity(r.get(0)?), uidnext: r.get(1)?, object_id: r.get(2)?, alone: r.get(3)? })
    });
    found.optional()?.ok_or_else(|| StoreError::missing("mailbox"))
}

/// Records a STATUS reply.
///
/// # Errors
/// As every transaction.
pub fn record_status(tx: &mut Tx<'_, Cache>, mailbox: MailboxId, status: &MailboxStatus) -> Result<()> {
    if !status.object_id.is_empty() {
        // One that is to be deleted is the one that the person saw, whoever has its name by now.
        let sql = "UPDATE mailbox SET object_id = ?2 WHERE id = ?1 AND object_id <> ?2 AND dying = 0";
        tx.conn().prepare_cached(sql)?.execute((mailbox.0, &status.object_id))?;
    }
    let sql = "UPDATE mailbox SET status_total = ?2, status_unread = ?3 WHERE id = ?1
               AND (status_total, status_unread) IS NOT (?2, ?3)";
    if tx.conn().prepare_cached(sql)?.execute((mailbox.0, status.messages, status.unseen))? > 0 {
        tx.note(Topic::Mailboxes);
    }
    Ok(())
}

/// Sets what the mailbox is for, when that comes from the configuration or the name.
///
/// # Errors
/// As every transaction.
pub fn set_role(tx: &mut Tx<'_, Cache>, mailbox: MailboxId, role: Option<Role>) -> Result<()> {
    let sql = "UPDATE mailbox SET role = ?2 WHERE id = ?1 AND role <> ?2";
    if tx.conn().prepare_cached(sql)?.execute((mailbox.0, role.map_or("", Role::word)))? > 0 {
        tx.note(Topic::Mailboxes);
    }
    Ok(())
}

/// Removes a mailbox and all that lies in it.
///
/// # Errors
/// As every transaction.
pub fn remove(tx: &mut Tx<'_, Cache>, mailbox: MailboxId) -> Result<()> {
    placements::remove_all(tx, mailbox)?;
    for (table, column) in referring(tx, "mailbox")? {
        tx.conn().execute(&format!("DELETE FROM {table} WHERE {column} = ?1"), [mailbox.0])?;
    }
    tx.conn().execute("DELETE FROM mailbox WHERE id = ?1", [mailbox.0])?;
    tx.note(Topic::Mailboxes);
    tx.note(Topic::Messages(mailbox));
    Ok(())
}

/// The tables, and their columns, whose rows belong to one of another table by the schema: SQLite is not told to look after
/// that in the cache, for it would with each row that comes (`open.rs`).
pub(super) fn referring(db: &Db<Cache>, to: &str) -> Result<Vec<(String, String)>> {
    let sql = "SELECT t.name, f.\"from\" FROM sqlite_schema t JOIN pragma_foreign_key_list(t.name) f
               WHERE t.type = 'table' AND f.\"table\" = ?1 ORDER BY t.name";
    let mut statement = db.conn().prepare_cached(sql)?;
    Ok(statement.query_map([to], |r| Ok((r.get(0)?, r.get(1)?)))?.collect::<rusqlite::Result<_>>()?)
}

/// Removes all of an account.
///
/// # Errors
/// As every transaction.
pub fn remove_account(tx: &mut Tx<'_, Cache>, account: &AccountName) -> Result<()> {
    for row in super::tree::named(tx, account)? {
        remove(tx, row.id)?;
    }
    tx.conn().execute("DELETE FROM quota WHERE account = ?1", [account.as_str()])?;
    super::levels::over(tx, account)?;
    // Its conversations are empty now.
    refs::sweep(tx)?;
    Ok(())
}

const COLUMNS: &str = "id, account, path, delimiter, role, selectable, subscribed,
    CASE WHEN synced_at = 0 THEN max(total, status_total) ELSE total END,
    CASE WHEN synced_at = 0 THEN max(unread, status_unread) ELSE unread END, synced_at,
    CASE WHEN EXISTS (SELECT 1 FROM trouble t WHERE t.mailbox = mailbox.id AND t.unstable > 0) THEN 'lr' ELSE rights END";

fn read(row: &Row<'_>) -> rusqlite::Result<MailboxRow> {
    Ok(MailboxRow {
        id: MailboxId(row.get(0)?),
        account: AccountName::new(row.get_ref(1)?.as_str()?),
        path: MailboxPath::from_stored(row.get_ref(2)?.as_str()?),
        delimiter: row.get_ref(3)?.as_str()?.chars().next(),
        role: Role::parse(row.get_ref(4)?.as_str()?),
        selectable: row.get(5)?,
        subscribed: row.get(6)?,
        total: row.get(7)?,
        unread: row.get(8)?,
        synced_at: row.get(9)?,
        rights: row.get::<_, Option<String>>(10)?.map(Rights::from),
        // The state knows.
        offline: None,
    })
}

/// The mailboxes of one account, or of all, by account and name; not those that the person deleted.
///
/// # Errors
/// As every question.
pub fn list(db: &Db<Cache>, account: Option<&AccountName>) -> Result<Vec<MailboxRow>> {
    let sql = format!("SELECT {COLUMNS} FROM mailbox WHERE dying = 0 AND (?1 IS NULL OR account = ?1) ORDER BY account, path");
    let mut statement = db.conn().prepare_cached(&sql)?;
    Ok(statement.query_map([account.map(AccountName::as_str)], read)?.collect::<rusqlite::Result<_>>()?)
}

/// One mailbox.
///
/// # Errors
/// `Missing` if there is none of that number.
pub fn get(db: &Db<Cache>, mailbox: MailboxId) -> Result<MailboxRow> {
    let sql = format!("SELECT {COLUMNS} FROM mailbox WHERE id = ?1");
    let row = db.conn().prepare_cached(&sql)?.query_row([mailbox.0], read).optional()?;
    row.ok_or_else(|| StoreError::missing("mailbox"))
}

/// How many messages of it are here and visible, whatever STATUS said.
///
/// # Errors
/// `Missing` if there is none of that number.
pub fn counted(db: &Db<Cache>, mailbox: MailboxId) -> Result<u32> {
    let sql = "SELECT total FROM mailbox WHERE id = ?1";
    let found = db.conn().prepare_cached(sql)?.query_row([mailbox.0], |r| r.get(0)).optional()?;
    found.ok_or_else(|| StoreError::missing("mailbox"))
}

/// The mailbox of an account that is for `role`.
///
/// # Errors
/// As every question.
pub fn by_role(db: &Db<Cache>, account: &AccountName, role: Role) -> Result<Option<MailboxRow>> {
    let sql = format!("SELECT {COLUMNS} FROM mailbox WHERE account = ?1 AND role = ?2 AND dying = 0 ORDER BY id LIMIT 1");
    Ok(db.conn().prepare_cached(&sql)?.query_row((account.as_str(), role.word()), read).optional()?)
}
