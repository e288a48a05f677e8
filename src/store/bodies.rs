//! bodies — which messages' bytes are here, which are wanted, and how long they stay.
//! Owns: the columns `blob`, `preview`, `files`, `attachments`. May import: mail.
//! Start reading at: `arrived`. The bytes themselves lie in `blobs.rs`; what is indexed of them is `fts.rs`'s.

use super::change::Topic;
use super::error::Result;
use super::open::{Cache, Db};
use super::writer::Tx;
use super::{fts, placements};
use crate::mail::ids::{AccountName, MailboxId, MessageKey, PlacementKey};
use std::collections::HashSet;

/// What was read out of a message's bytes. Made outside of the store: parsing is not the writer's work.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reading {
    /// The first words, for the list.
    pub preview: String,
    /// All words of its text, for the index.
    pub text: String,
    /// The attachments' names (untrusted), "" for one without: as many as there are attachments.
    pub files: Vec<String>,
}

/// Records that the bytes of a message are in `blobs/` under the name `blob`, and what they say. May be repeated.
///
/// # Errors
/// As every transaction. That the message is gone meanwhile is no fault: its blob is swept.
pub fn arrived(tx: &mut Tx<'_, Cache>, message: MessageKey, blob: &str, reading: &Reading) -> Result<()> {
    let files = serde_json::to_string(&reading.files).map_err(|e| super::StoreError::invalid(&e.to_string()))?;
    let sql = "UPDATE message SET blob = ?2, preview = ?3, files = ?4, attachments = ?5 WHERE id = ?1";
    let count = i64::try_from(reading.files.len()).unwrap_or(i64::MAX);
    if tx.conn().prepare_cached(sql)?.execute((message.0, blob, &reading.preview, files, count))? == 0 {
        return Ok(());
    }
    fts::feed(tx, message, Some(&reading.text))?;
    note(tx, message)
}

/// Records that the bytes of a message are not here: lost from the disk, or too old to be kept. What was indexed of them
/// stays, so that the message is still found.
///
/// # Errors
/// As every transaction.
pub fn forget(tx: &mut Tx<'_, Cache>, message: MessageKey) -> Result<()> {
    let sql = "UPDATE message SET blob = '' WHERE id = ?1 AND blob <> ''";
    if tx.conn().prepare_cached(sql)?.execute([message.0])? > 0 {
        note(tx, message)?;
    }
    Ok(())
}

fn note(tx: &mut Tx<'_, Cache>, message: MessageKey) -> Result<()> {
    tx.note(Topic::Body(message));
    for place in placements::of_message(tx, message)? {
        tx.note(Topic::Messages(place.mailbox));
    }
    Ok(())
}

/// A message whose bytes are not here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// Which content.
    pub message: MessageKey,
    /// One of its placements.
    pub placement: PlacementKey,
    /// The mailbox of that placement.
    pub mailbox: MailboxId,
    /// Its UID there.
    pub uid: u32,
    /// Octets.
    pub size: u64,
}

/// The statement of [`wanted`]. With min(), the other columns are those of the placement that it names.
pub(super) const WANTED: &str =
    "SELECT m.id, min(p.id), p.mailbox, p.uid, m.size FROM message m JOIN placement p ON p.message = m.id
    WHERE m.account = ?1 AND m.blob = '' AND m.received >= ?2 AND m.size <= ?3 AND p.uid IS NOT NULL AND p.hidden = 0
    GROUP BY m.received, m.id ORDER BY m.received DESC, m.id DESC LIMIT ?4";

/// Messages of an account received since `since` (seconds since 1970) and of at most `max_size` octets whose bytes are not
/// here, newest first; at most `limit`.
///
/// # Errors
/// As every question.
pub fn wanted(db: &Db<Cache>, account: &AccountName, since: i64, max_size: u64, limit: u32) -> Result<Vec<Wanted>> {
    let max_size = i64::try_from(max_size).unwrap_or(i64::MAX);
    let mut statement = db.conn().prepare_cached(WANTED)?;
    let rows = statement.query_map((account.as_str(), since, max_size, limit), |r| {
        Ok(Wanted {
            message: MessageKey(r.get(0)?),
            placement: PlacementKey(r.get(1)?),
            mailbox: MailboxId(r.get(2)?),
            uid: r.get(3)?,
            size: super::messages::from_i64(r.get(4)?),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The names of all blobs that rows name: what a sweep leaves.
///
/// # Errors
/// As every question.
pub fn named(db: &Db<Cache>) -> Result<HashSet<String>> {
    let mut statement = db.conn().prepare_cached("SELECT blob FROM message WHERE blob <> ''")?;
    Ok(statement.query_map([], |r| r.get(0))?.collect::<rusqlite::Result<_>>()?)
}

/// Lets go of bytes by the account's rule: of messages received before `before` (seconds since 1970), and of the oldest
/// ones until at most `limit` octets are kept; never of starred ones. At most `batch` messages a call; how many.
///
/// # Errors
/// As every transaction.
pub fn expire(tx: &mut Tx<'_, Cache>, account: &AccountName, before: i64, limit: Option<u64>, batch: u32) -> Result<usize> {
    let sql = "SELECT m.id, m.size, m.received, (SELECT sum(size) FROM message WHERE account = ?1 AND blob <> '') FROM message m
               WHERE m.account = ?1 AND m.blob <> ''
                 AND NOT EXISTS (SELECT 1 FROM placement p WHERE p.message = m.id AND p.flags & 4 <> 0)
               ORDER BY m.received, m.id LIMIT ?2";
    let oldest: Vec<(i64, i64, i64, i64)> = tx
        .conn()
        .prepare_cached(sql)?
        .query_map((account.as_str(), batch), |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let limit = limit.map_or(i64::MAX, |l| i64::try_from(l).unwrap_or(i64::MAX));
    let mut kept = oldest.first().map_or(0, |o| o.3);
    let mut gone = 0;
    for (id, size, received, _) in oldest {
        if received >= before && kept <= limit {
            break;
        }
        forget(tx, MessageKey(id))?;
        kept -= size;
        gone += 1;
    }
    Ok(gone)
}
