//! search — the newest messages that match a query.
//! Owns: nothing; it reads. May import: mail.
//! Start reading at: `search`. What it finds is what `mail::query_eval` says, compared by a property test. Messages that are not
//! in the index yet are few and new; they are looked at one by one.

use super::error::Result;
use super::lists;
use super::mailboxes;
use super::open::{Cache, Db};
use super::search_sql::{Scope, Sql, Walk, names_mailbox};
use super::search_text::Texts;
use super::{unindexed, words};
use crate::mail::ids::MailboxId;
use crate::mail::mailbox::Role;
use crate::mail::packed;
use crate::mail::query::Query;
use crate::mail::query_eval::{self, Facts};
use crate::mail::row::{MailboxRow, MessageRow};
use jiff::tz::TimeZone;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension};
use std::collections::HashMap;

/// How many messages that are not indexed yet are looked at.
const UNINDEXED: u32 = 2_000;

/// What a search found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Found {
    /// Newest first; each message once, where it lies in several mailboxes.
    pub rows: Vec<MessageRow>,
    /// Whether there is more, or may be: not all is indexed yet.
    pub more: bool,
}

/// The newest `limit` (at most [`lists::MAX_ROWS`]) visible messages that match. `within` is the mailbox to look in, unless the
/// query names one itself. Days begin at midnight in `zone`.
///
/// # Errors
/// As every question.
pub fn search(db: &Db<Cache>, query: &Query, within: Option<MailboxId>, zone: &TimeZone, limit: u32) -> Result<Found> {
    let limit = limit.min(lists::MAX_ROWS) as usize;
    let mailboxes = mailboxes::list(db, None)?;
    let within = within.filter(|_| !names_mailbox(query));
    let sql = Sql::of(query, within, Scope { mailboxes: &mailboxes, zone });
    let mut found = indexed(db, &sql, &mailboxes, limit)?;
    if sql.text {
        let (rest, cut) = others(db, query, within, &mailboxes, zone)?;
        found.more |= cut || words::any(db)?;
        if !rest.is_empty() {
            found.rows.extend(rest);
            found.rows.sort_by_key(|r| std::cmp::Reverse(r.sort));
        }
    }
    found.more |= found.rows.len() > limit;
    found.rows.truncate(limit);
    Ok(found)
}

/// How many messages are not in the index yet: for progress.
///
/// # Errors
/// As every question.
pub fn unindexed_count(db: &Db<Cache>) -> Result<u64> {
    unindexed::count(db)
}

/// What SQL cannot say: Cc is no column of the index.
pub(super) fn functions(conn: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
    conn.create_scalar_function("cc_says", 3, flags, |context| {
        let envelope = packed::unpack(context.get_raw(0).as_str().unwrap_or_default());
        Ok(query_eval::says_cc(&envelope, context.get_raw(1).as_str().unwrap_or_default(), context.get::<bool>(2)?))
    })
}

/// The statement of a search that selects `columns`, without its limit: the rows of one message may be several.
pub(super) fn statement(sql: &Sql, columns: &str) -> String {
    // Where only keys are selected, contents are read only for conditions about them.
    let join = if sql.merges() && !sql.condition.contains("m.") { "" } else { "CROSS JOIN message m ON m.id = p.message" };
    let by = |index: &str| format!("placement p INDEXED BY {index} {join}");
    let from = match (&sql.driver, sql.walk) {
        (Some(_), _) => format!("message_fts f CROSS JOIN placement p ON p.sort = f.rowid {join}"),
        (None, Walk::Words) => by("placement_words"),
        (None, Walk::Flagged) => by("placement_all_flagged"),
        (None, Walk::Drafts) => by("placement_draft"),
        (None, Walk::Large) => {
            "message m INDEXED BY message_large CROSS JOIN placement p INDEXED BY placement_find ON p.sort = m.sort".to_owned()
        }
        // Indices of one mailbox hold its rows in order; else there is one that holds all rows in order.
        (None, _) if sql.mailbox => format!("placement p {join}"),
        (None, Walk::Unread) => by("placement_all_unread"),
        (None, Walk::All | Walk::Flags) => by("placement_find"),
    };
    let (driver, only) = match (&sql.driver, sql.text && !sql.merges()) {
        (Some(_), _) => ("f.message_fts MATCH ? AND", ""),
        // What is not indexed is looked at by itself.
        (None, true) => ("", "m.indexed > 0 AND"),
        (None, false) => ("", ""),
    };
    format!("SELECT {columns} FROM {from} WHERE {driver} {only} {} ORDER BY {} DESC", sql.condition, sql.order())
}

/// Those in the index (all, if no text is asked for): at most `limit` and one more.
fn indexed(db: &Db<Cache>, sql: &Sql, mailboxes: &[MailboxRow], limit: usize) -> Result<Found> {
    let mut found = Found::default();
    let full = |found: &Found, message| found.rows.len() > limit && found.rows.last().is_some_and(|last| last.message != message);
    let values: Vec<Value> = sql.driver.iter().cloned().map(Value::Text).chain(sql.values.iter().cloned()).collect();
    if !sql.merges() {
        let mut statement = db.conn().prepare_cached(&statement(sql, lists::COLUMNS))?;
        let mut rows = statement.query(rusqlite::params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            let row = lists::read(row)?;
            if full(&found, row.message) {
                break;
            }
            keep(&mut found.rows, mailboxes, row);
        }
        return Ok(found);
    }
    // Only what the text lets through is read as a whole.
    let mut statement = db.conn().prepare_cached(&statement(sql, "p.id, p.sort"))?;
    let mut rows = statement.query(rusqlite::params_from_iter(values))?;
    let mut texts = Texts::of(db, sql)?;
    let mut key = || -> Result<Option<(i64, i64)>> {
        match rows.next()? {
            Some(row) => Ok(Some((row.get(0)?, row.get(1)?))),
            None => Ok(None),
        }
    };
    let Some(mut at) = key()? else { return Ok(found) };
    let mut hits = texts.from(at.1)?;
    while let Some(found_here) = hits.of_row(at.1)? {
        if found_here && let Some(row) = indexed_row(db, at.0)? {
            if full(&found, row.message) {
                break;
            }
            keep(&mut found.rows, mailboxes, row);
        }
        match key()? {
            Some(next) => at = next,
            None => break,
        }
    }
    Ok(found)
}

fn indexed_row(db: &Db<Cache>, id: i64) -> Result<Option<MessageRow>> {
    let sql = format!(
        "SELECT {} FROM placement p CROSS JOIN message m ON m.id = p.message WHERE p.id = ?1 AND m.indexed > 0",
        lists::COLUMNS
    );
    Ok(db.conn().prepare_cached(&sql)?.query_row([id], lists::read).optional()?)
}

/// Adds a row; placements of one message follow one another and become one row.
fn keep(rows: &mut Vec<MessageRow>, mailboxes: &[MailboxRow], row: MessageRow) {
    match rows.last_mut() {
        Some(last) if last.message == row.message => {
            if rank(mailboxes, &row) < rank(mailboxes, last) {
                *last = row;
            }
        }
        _ => rows.push(row),
    }
}

/// Which of several places a message is shown in: rather where a person keeps it than in a view of everything.
pub(super) fn rank(mailboxes: &[MailboxRow], row: &MessageRow) -> (u8, i64) {
    let role = mailboxes.iter().find(|b| b.id == row.mailbox).and_then(|b| b.role);
    let rank = match role {
        Some(Role::All) => 3,
        Some(Role::Flagged) => 2,
        Some(Role::Trash | Role::Junk) => 1,
        _ => 0,
    };
    (rank, row.id.0)
}

/// The statement of those that are not in the index: about the newest first.
pub(super) fn unindexed_sql() -> String {
    format!(
        "SELECT {}, m.envelope, m.files FROM unindexed u CROSS JOIN message m ON m.id BETWEEN u.low AND u.high
           CROSS JOIN placement p ON p.sort = m.sort
         WHERE p.hidden = 0 ORDER BY u.newest DESC LIMIT {UNINDEXED}",
        lists::COLUMNS
    )
}

/// Those not in the index that match, and whether there were too many to look at all.
fn others(
    db: &Db<Cache>,
    query: &Query,
    within: Option<MailboxId>,
    mailboxes: &[MailboxRow],
    zone: &TimeZone,
) -> Result<(Vec<MessageRow>, bool)> {
    let by_id: HashMap<MailboxId, (&MailboxRow, String)> = mailboxes.iter().map(|b| (b.id, (b, b.path.decoded()))).collect();
    let mut statement = db.conn().prepare_cached(&unindexed_sql())?;
    let mut rows = statement.query([])?;
    let (mut found, mut seen) = (Vec::<MessageRow>::new(), 0);
    while let Some(raw) = rows.next()? {
        seen += 1;
        let row = lists::read(raw)?;
        let envelope = packed::unpack(&raw.get::<_, String>(lists::WIDTH)?);
        let files: Vec<String> = serde_json::from_str(&raw.get::<_, String>(lists::WIDTH + 1)?).unwrap_or_default();
        let Some((mailbox, name)) = by_id.get(&row.mailbox) else { continue };
        let facts = Facts {
            envelope: &envelope,
            body: "",
            files: &files,
            attachments: row.attachments,
            flags: &row.flags,
            received: row.received,
            size: row.size,
            account: mailbox.account.as_str(),
            mailbox: name,
            role: mailbox.role,
        };
        let here = within.is_none_or(|w| w == row.mailbox);
        if here && query_eval::matches(query, &facts, zone) {
            keep(&mut found, mailboxes, row);
        }
    }
    Ok((found, seen >= UNINDEXED))
}

#[cfg(test)]
mod tests;
