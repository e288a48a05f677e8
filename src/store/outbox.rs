//! outbox — finished mails on their way out (decisions 22).
//! Owns: the table `outbox`. May import: mail.
//! Start reading at: `update`. What may follow what is decided in `engine/outbox/state.rs`.

use super::change::Topic;
use super::error::{Result, StoreError};
use super::messages::from_i64;
use super::open::{Db, State};
use super::writer::Tx;
use crate::mail::ids::{AccountName, DraftId, OutboxId};
use crate::mail::outgoing::{NewOutgoing, OutboxState, Outgoing};
use rusqlite::{OptionalExtension, Row};

const COLUMNS: &str = "id, account, message_id, sender, recipients, subject, spool, size, draft, file, state, attempts, due,
    fault, created";

fn read(row: &Row<'_>) -> rusqlite::Result<Outgoing> {
    let damaged = |what: &str| rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, what.into());
    let draft: i64 = row.get(8)?;
    let mail = NewOutgoing {
        account: AccountName::new(row.get_ref(1)?.as_str()?),
        message_id: row.get(2)?,
        sender: row.get(3)?,
        recipients: serde_json::from_str(row.get_ref(4)?.as_str()?).map_err(|_| damaged("recipients"))?,
        subject: row.get(5)?,
        spool: row.get(6)?,
        size: from_i64(row.get(7)?),
        draft: (draft != 0).then_some(DraftId(draft)),
        file: row.get(9)?,
        created: row.get(14)?,
    };
    Ok(Outgoing {
        id: OutboxId(row.get(0)?),
        mail,
        state: OutboxState::parse(row.get_ref(10)?.as_str()?).ok_or_else(|| damaged("state"))?,
        attempts: row.get(11)?,
        due: row.get(12)?,
        fault: row.get(13)?,
    })
}

/// Puts a mail in, `Held` until `due` (seconds since 1970). Its bytes must be in the spool already; one that names none is
/// `Awaiting` its files.
///
/// # Errors
/// As every transaction.
pub fn add(tx: &mut Tx<'_, State>, mail: &NewOutgoing, due: i64) -> Result<OutboxId> {
    let sql =
        "INSERT INTO outbox (account, message_id, sender, recipients, subject, spool, size, draft, file, state, due, created)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    let recipients = serde_json::to_string(&mail.recipients).map_err(|e| StoreError::invalid(&e.to_string()))?;
    tx.conn().prepare_cached(sql)?.execute(rusqlite::params![
        mail.account.as_str(),
        mail.message_id,
        mail.sender,
        recipients,
        mail.subject,
        mail.spool,
        i64::try_from(mail.size).unwrap_or(i64::MAX),
        mail.draft.map_or(0, |d| d.0),
        mail.file,
        if mail.spool.is_empty() { OutboxState::Awaiting } else { OutboxState::Held }.word(),
        due,
        mail.created,
    ])?;
    let id = OutboxId(tx.conn().last_insert_rowid());
    tx.note(Topic::Outbox);
    // A draft that waits here is not among the drafts.
    tx.note(Topic::Drafts);
    Ok(id)
}

/// One mail.
///
/// # Errors
/// `Missing` if there is none of that number.
pub fn get(db: &Db<State>, id: OutboxId) -> Result<Outgoing> {
    let sql = format!("SELECT {COLUMNS} FROM outbox WHERE id = ?1");
    let found = db.conn().prepare_cached(&sql)?.query_row([id.0], read).optional()?;
    found.ok_or_else(|| StoreError::missing("outgoing mail"))
}

/// All mails that are not filed, oldest first.
///
/// # Errors
/// As every question.
pub fn list(db: &Db<State>) -> Result<Vec<Outgoing>> {
    let sql = format!("SELECT {COLUMNS} FROM outbox WHERE state <> 'filed' ORDER BY id");
    Ok(db.conn().prepare_cached(&sql)?.query_map([], read)?.collect::<rusqlite::Result<_>>()?)
}

/// Changes one mail: reads it, lets `decide` change state, attempts, due and fault, writes them in the same transaction, so
/// that it is claimed by one process only (security O-08). Nothing changes where `decide` says false. The mail as it is now.
///
/// # Errors
/// `Missing` if there is none of that number.
pub fn update(tx: &mut Tx<'_, State>, id: OutboxId, decide: impl FnOnce(&mut Outgoing) -> bool) -> Result<Option<Outgoing>> {
    let mut mail = get(tx, id)?;
    if !decide(&mut mail) {
        return Ok(None);
    }
    let sql = "UPDATE outbox SET state = ?2, attempts = ?3, due = ?4, fault = ?5 WHERE id = ?1";
    tx.conn().prepare_cached(sql)?.execute((id.0, mail.state.word(), mail.attempts, mail.due, &mail.fault))?;
    tx.note(Topic::Outbox);
    // A draft that waits here is not among the drafts.
    tx.note(Topic::Drafts);
    Ok(Some(mail))
}

/// Gives a mail that awaited its files its bytes; what follows from that is `decide`'s, as for [`update`]. Whether it did.
///
/// # Errors
/// `Missing` if there is none of that number.
pub fn freeze(
    tx: &mut Tx<'_, State>,
    id: OutboxId,
    bytes: &NewOutgoing,
    decide: impl FnOnce(&mut Outgoing) -> bool,
) -> Result<bool> {
    if update(tx, id, decide)?.is_none() {
        return Ok(false);
    }
    let sql = "UPDATE outbox SET message_id = ?2, spool = ?3, size = ?4 WHERE id = ?1";
    let size = i64::try_from(bytes.size).unwrap_or(i64::MAX);
    tx.conn().prepare_cached(sql)?.execute((id.0, &bytes.message_id, &bytes.spool, size))?;
    Ok(true)
}

/// Takes a mail out: taken back by the person, or filed long ago. Its spool file is the caller's to remove, afterwards.
///
/// # Errors
/// As every transaction.
pub fn remove(tx: &mut Tx<'_, State>, id: OutboxId) -> Result<()> {
    tx.conn().execute("DELETE FROM outbox WHERE id = ?1", [id.0])?;
    tx.note(Topic::Outbox);
    // A draft that waits here is not among the drafts.
    tx.note(Topic::Drafts);
    Ok(())
}

/// Forgets mails that were filed and are from before `before` (seconds since 1970). How many.
///
/// # Errors
/// As every transaction.
pub fn prune(tx: &mut Tx<'_, State>, before: i64) -> Result<usize> {
    Ok(tx.conn().execute("DELETE FROM outbox WHERE state = 'filed' AND created < ?1", [before])?)
}
