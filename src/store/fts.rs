//! fts — the full-text index (decisions 16).
//! Owns: the table `message_fts`, the column `indexed`. May import: mail.
//! Start reading at: `feed`. The index is contentless: rowid = `message.sort`; text lies only in the blobs. `mail::words` cuts and
//! folds all text, the same way as for queries and for the reference evaluator; SQLite's `ascii` tokenizer then only
//! divides it at the spaces.

use super::error::Result;
use super::open::{Cache, Db};
use super::unindexed::{self, Span};
use super::writer::Tx;
use crate::mail::ids::MessageKey;
use crate::mail::packed;
use crate::mail::query_eval::people_text;
use crate::mail::words::index_text;
use rusqlite::OptionalExtension;

/// How many messages one idle slice indexes by their headers.
const SLICE: usize = 50;
/// How many pages one idle slice merges.
const MERGE: i64 = 24;

/// Not indexed yet.
const NOT: i64 = 0;
/// By its headers.
const HEADERS: i64 = 1;
/// With its text.
const TEXT: i64 = 2;

/// Indexes a message by its headers and names of attachments as they are recorded now, and by `text`, if it is here.
/// May be repeated; headers alone never take text away.
pub(super) fn feed(tx: &mut Tx<'_, Cache>, message: MessageKey, text: Option<&str>) -> Result<()> {
    tx.indexed = true;
    write(tx, message, text)
}

fn write(db: &Db<Cache>, message: MessageKey, text: Option<&str>) -> Result<()> {
    let sql = "SELECT sort, indexed, envelope, files FROM message WHERE id = ?1";
    let found = db.conn().prepare_cached(sql)?.query_row([message.0], |r| {
        let envelope = packed::unpack(r.get_ref(2)?.as_str()?);
        let files: Vec<String> = serde_json::from_str(r.get_ref(3)?.as_str()?).unwrap_or_default();
        Ok((r.get::<_, i64>(0)?, r.get::<_, i64>(1)?, envelope, files))
    });
    let Some((sort, indexed, e, files)) = found.optional()? else { return Ok(()) };
    let level = if text.is_some() { TEXT } else { HEADERS };
    if indexed > level || (indexed == HEADERS && level == HEADERS) {
        return Ok(());
    }
    if indexed != NOT {
        db.conn().prepare_cached("DELETE FROM message_fts WHERE rowid = ?1")?.execute([sort])?;
    }
    let sql = "INSERT INTO message_fts (rowid, subject, sender, recipients, body, files) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    db.conn().prepare_cached(sql)?.execute((
        sort,
        index_text(&e.subject),
        index_text(&people_text(&[&e.from])),
        index_text(&people_text(&[&e.to, &e.cc, &e.bcc])),
        index_text(text.unwrap_or_default()),
        index_text(&files.join("\n")),
    ))?;
    db.conn().prepare_cached("UPDATE message SET indexed = ?2 WHERE id = ?1")?.execute((message.0, level))?;
    if indexed == NOT {
        unindexed::remove(db, message.0)?;
    }
    Ok(())
}

/// Indexes a message by its headers and names of attachments once more, in an idle moment; nothing where its text is indexed.
pub(super) fn again(tx: &mut Tx<'_, Cache>, message: MessageKey) -> Result<()> {
    let sql = "UPDATE message SET indexed = 0 WHERE id = ?1 AND indexed = 1 RETURNING sort";
    let sort = tx.conn().prepare_cached(sql)?.query_row([message.0], |r| r.get(0)).optional()?;
    if let Some(sort) = sort {
        remove(tx, sort)?;
        unindexed::add(tx, Span { ids: (message.0, message.0), sorts: (sort, sort) })?;
        tx.fresh = true;
    }
    Ok(())
}

/// Forgets a message.
pub(super) fn remove(tx: &mut Tx<'_, Cache>, sort: i64) -> Result<()> {
    tx.conn().prepare_cached("DELETE FROM message_fts WHERE rowid = ?1")?.execute([sort])?;
    tx.indexed = true;
    Ok(())
}

/// Work for an idle moment, some milliseconds of it: merging, and, once it has been quiet, messages not indexed yet, newest
/// first; at last the log is emptied into the file. False when there is nothing left to do.
pub(super) fn idle(db: &Db<Cache>, quiet: bool) -> Result<bool> {
    db.conn().execute_batch("BEGIN IMMEDIATE")?;
    let done = slice(db, quiet).and_then(|more| {
        db.conn().execute_batch("COMMIT")?;
        Ok(more)
    });
    if done.is_err() {
        // The first error is the one to tell.
        let _ = db.conn().execute_batch("ROLLBACK");
    }
    if quiet && matches!(done, Ok(false)) {
        // A reader that holds an old snapshot leaves some of it for the next time.
        db.conn().query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
    }
    done
}

fn slice(db: &Db<Cache>, quiet: bool) -> Result<bool> {
    let ids = unindexed::next(db, if quiet { SLICE } else { 0 })?;
    for id in &ids {
        write(db, MessageKey(*id), None)?;
    }
    let before = db.conn().total_changes();
    db.conn().prepare_cached("INSERT INTO message_fts (message_fts, rank) VALUES ('merge', ?1)")?.execute([MERGE])?;
    // As SQLite's documentation says: fewer than two changes mean that there was nothing to merge.
    Ok(!ids.is_empty() || db.conn().total_changes().saturating_sub(before) >= 2)
}
