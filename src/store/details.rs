//! details — what list rows can be shown without, and comes a moment after them: attachments, and what a message answers.
//! Owns: the column `untold`; the columns `files`, `attachments` with `bodies.rs`. May import: mail.
//! Start reading at: `untold`. A row that came without says so in the transaction that records it (`lack`): so nothing is
//! forgotten, whatever ends us, and what was cached before there was such a column lacks nothing.

use super::error::{Result, StoreError};
use super::open::{Cache, Db};
use super::writer::Tx;
use super::{fts, messages, placements};
use crate::mail::ids::{AccountName, MailboxId, MessageKey};
use crate::mail::server::{DetailsSeen, EnvelopeSeen};
use crate::mail::uid::{Uid, UidSet};
use rusqlite::OptionalExtension;

/// What the server tells of files stands behind this in the column `files`; JSON passes over it. What a text says stands there alone, and
/// so does that there are none where nobody was asked.
const CLAIM: char = ' ';
/// More intervals than these are joined: in between are only messages of which it is asked once more.
const MAX_RANGES: usize = 100;

/// Messages of a mailbox of which is to be asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Untold {
    /// The newest of them, those whose texts are not here: what a text says is known.
    pub uids: UidSet,
    /// All that is answered with them, others among it.
    pub range: UidSet,
}

fn stored(db: &Db<Cache>, mailbox: MailboxId) -> Result<UidSet> {
    let sql = "SELECT untold FROM mailbox WHERE id = ?1";
    let told: Option<String> = db.conn().prepare_cached(sql)?.query_row([mailbox.0], |r| r.get(0)).optional()?;
    // What was damaged is as good as told: the texts say the same.
    Ok(told.and_then(|text| UidSet::parse(&text, 0)).unwrap_or_default())
}

fn set(tx: &Tx<'_, Cache>, mailbox: MailboxId, uids: &UidSet) -> Result<()> {
    let text = if uids.is_empty() { String::new() } else { uids.to_string() };
    tx.conn().prepare_cached("UPDATE mailbox SET untold = ?2 WHERE id = ?1")?.execute((mailbox.0, text))?;
    Ok(())
}

fn bounds(uids: &UidSet) -> UidSet {
    uids.bounds().map(|(low, high)| UidSet::range(low, high)).unwrap_or_default()
}

/// Notes those of the rows that came without.
pub(super) fn lack(tx: &Tx<'_, Cache>, mailbox: MailboxId, rows: &[EnvelopeSeen]) -> Result<()> {
    let lacking: UidSet = rows.iter().filter(|row| row.attachments.is_none()).map(|row| row.uid).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let all = stored(tx, mailbox)?.union(&bounds(&lacking));
    set(tx, mailbox, &if all.ranges().len() > MAX_RANGES { bounds(&all) } else { all })
}

/// All messages have other numbers now.
pub(super) fn renumbered(tx: &Tx<'_, Cache>, mailbox: MailboxId) -> Result<()> {
    if stored(tx, mailbox)?.is_empty() { Ok(()) } else { set(tx, mailbox, &UidSet::range(1, u32::MAX)) }
}

/// The mailboxes of an account in which there is something to ask.
///
/// # Errors
/// As every question.
pub fn lacking(db: &Db<Cache>, account: &AccountName) -> Result<Vec<MailboxId>> {
    let mut statement = db.conn().prepare_cached("SELECT id FROM mailbox WHERE account = ?1 AND untold <> '' ORDER BY id")?;
    let ids = statement.query_map([account.as_str()], |r| r.get(0).map(MailboxId))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

/// Of how many messages is asked at once, at most `most`.
///
/// # Errors
/// As every question.
pub fn at_once(db: &Db<Cache>, mailbox: MailboxId, most: usize) -> Result<usize> {
    let sql = "SELECT untold_at_once FROM mailbox WHERE id = ?1";
    let told: Option<u32> = db.conn().prepare_cached(sql)?.query_row([mailbox.0], |r| r.get(0)).optional()?;
    Ok(told.and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0).map_or(most, |n| n.min(most)))
}

/// Of so many is asked the next time; 0 for as many as usual.
///
/// # Errors
/// As every transaction.
pub fn ask_at_once(tx: &mut Tx<'_, Cache>, mailbox: MailboxId, count: usize) -> Result<()> {
    let sql = "UPDATE mailbox SET untold_at_once = ?2 WHERE id = ?1 AND untold_at_once <> ?2";
    tx.conn().prepare_cached(sql)?.execute((mailbox.0, u32::try_from(count).unwrap_or(0)))?;
    Ok(())
}

/// The newest `limit` messages of a mailbox of which is to be asked; nothing if there are none.
///
/// # Errors
/// As every question.
pub fn untold(db: &Db<Cache>, mailbox: MailboxId, limit: usize) -> Result<Option<Untold>> {
    let lacking = stored(db, mailbox)?;
    let Some((_, top)) = lacking.bounds() else { return Ok(None) };
    let sql = "SELECT p.uid FROM placement p CROSS JOIN message m ON m.id = p.message
               WHERE p.mailbox = ?1 AND p.uid BETWEEN ?2 AND ?3 AND m.held = 0 ORDER BY p.uid DESC LIMIT ?4";
    let mut statement = db.conn().prepare_cached(sql)?;
    let mut uids: Vec<u32> = Vec::new();
    for (low, high) in lacking.ranges().iter().rev() {
        let room = i64::try_from(limit.saturating_sub(uids.len())).unwrap_or(i64::MAX);
        let some = statement.query_map((mailbox.0, low, high, room), |r| r.get(0))?;
        uids.extend(some.collect::<rusqlite::Result<Vec<u32>>>()?);
        if uids.len() >= limit {
            break;
        }
    }
    // All below were looked at, too, if there was room for more.
    let low = uids.last().copied().filter(|_| uids.len() >= limit).unwrap_or(1);
    let uids = uids.into_iter().filter_map(Uid::new).collect();
    Ok(Some(Untold { uids, range: UidSet::range(low, top) }))
}

/// Records what was told of those in `range`; of all others in it there is nothing to tell. What a text said before stands
/// (security S-28).
///
/// # Errors
/// As every transaction.
pub fn told(tx: &mut Tx<'_, Cache>, mailbox: MailboxId, range: &UidSet, rows: &[DetailsSeen]) -> Result<()> {
    for row in rows.iter().filter(|row| range.contains(row.uid)) {
        let Some(place) = placements::by_uid(tx, mailbox, row.uid.get())? else { continue };
        let files = has(tx, place.message, row)?;
        let answers = messages::answers(tx, place.message, &row.in_reply_to)?;
        if files || answers {
            placements::note_body(tx, place.message)?;
        }
    }
    let left = stored(tx, mailbox)?.difference(range);
    set(tx, mailbox, &left)
}

/// Whether that is news.
fn has(tx: &mut Tx<'_, Cache>, message: MessageKey, row: &DetailsSeen) -> Result<bool> {
    let files = serde_json::to_string(&row.attachments).map_err(|e| StoreError::invalid(&e.to_string()))?;
    let files = format!("{CLAIM}{files}");
    let count = i64::try_from(row.attachments.len()).unwrap_or(i64::MAX);
    // 2: by its text.
    let sql = "SELECT attachments FROM message WHERE id = ?1 AND held = 0 AND indexed < 2 AND files <> ?2";
    let had: Option<i64> = tx.conn().prepare_cached(sql)?.query_row((message.0, &files), |r| r.get(0)).optional()?;
    let Some(had) = had else { return Ok(false) };
    let sql = "UPDATE message SET files = ?2, attachments = ?3 WHERE id = ?1";
    tx.conn().prepare_cached(sql)?.execute((message.0, files, count))?;
    // That there are none was taken for so before.
    let news = had > 0 || count > 0;
    if news {
        fts::again(tx, message)?;
    }
    Ok(news)
}

/// Puts in the server's word on its files, for a text that was not read yet.
pub(super) fn claim(tx: &mut Tx<'_, Cache>, message: MessageKey, files: &[String]) -> Result<()> {
    let files = serde_json::to_string(files).map_err(|e| StoreError::invalid(&e.to_string()))?;
    let sql = "UPDATE message SET files = ?2 WHERE id = ?1";
    tx.conn().prepare_cached(sql)?.execute((message.0, format!("{CLAIM}{files}")))?;
    Ok(())
}

/// The files of which the server told, if it told of any, or that there are none; nothing once the text said it itself.
pub(super) fn claimed(db: &Db<Cache>, message: MessageKey) -> Result<Option<Vec<String>>> {
    let sql = "SELECT files FROM message WHERE id = ?1";
    let files: Option<String> = db.conn().prepare_cached(sql)?.query_row([message.0], |r| r.get(0)).optional()?;
    Ok(files.and_then(|files| serde_json::from_str(files.strip_prefix(CLAIM)?).ok()))
}

#[cfg(test)]
#[path = "details_tests.rs"]
mod tests;
