//! drafts — unfinished mails, saved a second after the last key.
//! Owns: the table `draft`. May import: mail.
//! Start reading at: `save`.

use super::change::Topic;
use super::draft_copies;
use super::error::{Result, StoreError};
use super::open::{Db, State};
use super::writer::Tx;
use crate::mail::draft::Draft;
use crate::mail::ids::{AccountName, DraftId};
use rusqlite::{OptionalExtension, Row};

/// A draft as it is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Saved {
    /// Its number.
    pub id: DraftId,
    /// Whose.
    pub account: AccountName,
    /// What was written.
    pub draft: Draft,
    /// When it was saved, seconds since 1970.
    pub saved: i64,
}

fn read(row: &Row<'_>) -> rusqlite::Result<Saved> {
    let draft = serde_json::from_str(row.get_ref(2)?.as_str()?);
    Ok(Saved {
        id: DraftId(row.get(0)?),
        account: AccountName::new(row.get_ref(1)?.as_str()?),
        draft: draft.map_err(|e| rusqlite::Error::FromSqlConversionFailure(2, rusqlite::types::Type::Text, Box::new(e)))?,
        saved: row.get(3)?,
    })
}

/// Saves a draft at `now` (seconds since 1970): over the one of that number, or as a new one. One that was discarded
/// meanwhile gets a new number: what the person types is never lost.
///
/// # Errors
/// As every transaction.
pub fn save(tx: &mut Tx<'_, State>, id: Option<DraftId>, account: &AccountName, draft: &Draft, now: i64) -> Result<DraftId> {
    let body = serde_json::to_string(draft).map_err(|e| StoreError::invalid(&e.to_string()))?;
    tx.note(Topic::Drafts);
    if let Some(id) = id {
        let sql = "UPDATE draft SET account = ?2, subject = ?3, body = ?4, saved = ?5 WHERE id = ?1";
        if tx.conn().prepare_cached(sql)?.execute((id.0, account.as_str(), &draft.subject, &body, now))? > 0 {
            return Ok(id);
        }
    }
    let sql = "INSERT INTO draft (account, subject, body, saved) VALUES (?1, ?2, ?3, ?4)";
    tx.conn().prepare_cached(sql)?.execute((account.as_str(), &draft.subject, &body, now))?;
    Ok(DraftId(tx.conn().last_insert_rowid()))
}

/// One draft.
///
/// # Errors
/// `Missing` if there is none of that number.
pub fn get(db: &Db<State>, id: DraftId) -> Result<Saved> {
    let sql = "SELECT id, account, body, saved FROM draft WHERE id = ?1";
    db.conn().prepare_cached(sql)?.query_row([id.0], read).optional()?.ok_or_else(|| StoreError::missing("draft"))
}

/// All drafts that are not on their way out, the last saved first.
///
/// # Errors
/// As every question.
pub fn list(db: &Db<State>) -> Result<Vec<Saved>> {
    let sql = "SELECT id, account, body, saved FROM draft d
               WHERE NOT EXISTS (SELECT 1 FROM outbox o WHERE o.draft = d.id) ORDER BY saved DESC, id DESC";
    Ok(db.conn().prepare_cached(sql)?.query_map([], read)?.collect::<rusqlite::Result<_>>()?)
}

/// The spool files that drafts name, also those that wait in the outbox.
///
/// # Errors
/// As every question.
pub fn spool_files(db: &Db<State>) -> Result<Vec<String>> {
    let sql = "SELECT id, account, body, saved FROM draft";
    let all: Vec<Saved> = db.conn().prepare_cached(sql)?.query_map([], read)?.collect::<rusqlite::Result<_>>()?;
    Ok(all.into_iter().flat_map(|saved| saved.draft.attachments).map(|a| a.spool).collect())
}

/// A file that drafts name is in the spool now: it is away no more.
///
/// # Errors
/// As every transaction.
pub fn arrived(tx: &mut Tx<'_, State>, spool: &str) -> Result<()> {
    let sql = "SELECT id, account, body, saved FROM draft WHERE instr(body, ?1) > 0";
    let all: Vec<Saved> = tx.conn().prepare_cached(sql)?.query_map([spool], read)?.collect::<rusqlite::Result<_>>()?;
    for mut saved in all {
        saved.draft.attachments.iter_mut().filter(|a| a.spool == spool).for_each(|a| a.away = None);
        save(tx, Some(saved.id), &saved.account, &saved.draft, saved.saved)?;
    }
    Ok(())
}

/// Throws a draft away, and what was known of its copy: whoever calls this has queued the copy's removal. Its attachments'
/// spool files are the sweep's.
///
/// # Errors
/// As every transaction.
pub fn discard(tx: &mut Tx<'_, State>, id: DraftId) -> Result<()> {
    tx.conn().execute("DELETE FROM draft WHERE id = ?1", [id.0])?;
    draft_copies::remove(tx, id)?;
    tx.note(Topic::Drafts);
    Ok(())
}
