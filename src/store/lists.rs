//! lists — pages of rows: by keyset on `sort`, so that a page costs the same at row 50 and at row 1,000,000.
//! Owns: nothing; it reads. May import: mail.
//! Start reading at: `page`.

use super::error::{Result, StoreError};
use super::keywords;
use super::messages::from_i64;
use super::open::{Cache, Db};
use super::views;
use crate::mail::ids::{AccountName, MailboxId, MessageKey, PlacementKey, ThreadKey};
use crate::mail::packed::{self, Head};
use crate::mail::row::{MessageRow, RowCursor, View};
use rusqlite::{OptionalExtension, Row};
use std::collections::HashSet;

/// The most rows of one answer.
pub const MAX_ROWS: u32 = 1_000;

/// What [`read`] reads, of `placement p` and `message m`.
pub(super) const COLUMNS: &str =
    "p.id, p.message, p.thread, m.account, p.mailbox, p.uid, p.sort, m.received, m.envelope, m.preview, p.flags, p.words,
    CASE WHEN m.blob <> '' THEN m.held ELSE m.size END, m.attachments, m.held > 0, m.message_id";
/// How many columns that is.
pub(super) const WIDTH: usize = 16;

/// A row of [`COLUMNS`].
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<MessageRow> {
    let Head { subject, from, to } = packed::head(row.get_ref(8)?.as_str()?);
    Ok(MessageRow {
        id: PlacementKey(row.get(0)?),
        message: MessageKey(row.get(1)?),
        thread: ThreadKey(row.get(2)?),
        account: AccountName::new(row.get_ref(3)?.as_str()?),
        mailbox: MailboxId(row.get(4)?),
        uid: row.get(5)?,
        sort: row.get(6)?,
        received: row.get(7)?,
        from,
        to,
        subject,
        preview: row.get(9)?,
        flags: keywords::flags(row.get(10)?, row.get_ref(11)?.as_str()?),
        size: from_i64(row.get(12)?),
        attachments: row.get(13)?,
        cached: row.get(14)?,
        message_id: row.get(15)?,
        thread_total: 1,
        thread_unread: 0,
        depth: 0,
    })
}

/// The statement of [`page`] (mailbox, sort, limit), and the sort to start from.
pub(super) fn page_sql(threaded: bool, from: RowCursor) -> (String, i64) {
    let (bound, at, up) = match from {
        RowCursor::Newest => ("<=", i64::MAX, false),
        RowCursor::Oldest => (">=", 0, true),
        RowCursor::From(sort) | RowCursor::NextUnread(sort) | RowCursor::PreviousUnread(sort) => ("<=", sort, false),
        RowCursor::UpTo(sort) => (">=", sort, true),
    };
    let order = if up { "ASC" } else { "DESC" };
    let sql = if threaded {
        // MATERIALIZED: first the few keys from the index, then what they name.
        format!(
            "WITH t AS MATERIALIZED (SELECT placement, latest, total, unread FROM thread_row
               WHERE mailbox = ?1 AND latest {bound} ?2 ORDER BY latest {order} LIMIT ?3)
             SELECT {COLUMNS}, t.total, t.unread FROM t JOIN placement p ON p.id = t.placement JOIN message m ON m.id = p.message
             ORDER BY t.latest DESC"
        )
    } else {
        format!(
            "WITH t AS MATERIALIZED (SELECT id, sort FROM placement
               WHERE mailbox = ?1 AND hidden = 0 AND sort {bound} ?2 ORDER BY sort {order} LIMIT ?3)
             SELECT {COLUMNS}, 1, (p.flags & 1) = 0 FROM t JOIN placement p ON p.id = t.id JOIN message m ON m.id = p.message
             ORDER BY t.sort DESC"
        )
    };
    (sql, at)
}

/// A page of a list's visible rows, newest first; of conversations where `threaded`. At most [`MAX_ROWS`].
///
/// # Errors
/// As every question.
pub fn page(db: &Db<Cache>, view: impl Into<View>, threaded: bool, from: RowCursor, limit: u32) -> Result<Vec<MessageRow>> {
    let mailbox = match view.into() {
        View::Mailbox(mailbox) => mailbox,
        view => return views::page(db, view, threaded, from, limit),
    };
    let from = match from {
        RowCursor::NextUnread(sort) | RowCursor::PreviousUnread(sort) => {
            let below = matches!(from, RowCursor::NextUnread(_));
            match nearest_unread(db, mailbox, threaded, sort, below)? {
                Some(sort) => RowCursor::From(sort),
                None => return Ok(Vec::new()),
            }
        }
        other => other,
    };
    let (sql, at) = page_sql(threaded, from);
    let mut statement = db.conn().prepare_cached(&sql)?;
    let rows = statement.query_map((mailbox.0, at, limit.min(MAX_ROWS)), |r| {
        Ok(MessageRow { thread_total: r.get(WIDTH)?, thread_unread: r.get(WIDTH + 1)?, ..read(r)? })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// One row, visible or not.
///
/// # Errors
/// `Missing` if there is none of that number.
pub fn row(db: &Db<Cache>, id: PlacementKey) -> Result<MessageRow> {
    let sql = format!("SELECT {COLUMNS} FROM placement p JOIN message m ON m.id = p.message WHERE p.id = ?1");
    let found = db.conn().prepare_cached(&sql)?.query_row([id.0], read).optional()?;
    found.ok_or_else(|| StoreError::missing("message"))
}

/// How many rows of the list stand above those of a page that was asked for with `from`, and how many there are in all.
///
/// # Errors
/// As every question.
pub fn position(
    db: &Db<Cache>,
    view: impl Into<View>,
    threaded: bool,
    from: RowCursor,
    page: &[MessageRow],
) -> Result<(u32, u32)> {
    let mailbox = match view.into() {
        View::Mailbox(mailbox) => mailbox,
        view => return views::position(db, view, threaded, from, page),
    };
    let (total, above) = if threaded {
        ("SELECT threads FROM mailbox WHERE id = ?1", "SELECT count(*) FROM thread_row WHERE mailbox = ?1 AND latest > ?2")
    } else {
        (
            "SELECT total FROM mailbox WHERE id = ?1",
            "SELECT count(*) FROM placement WHERE mailbox = ?1 AND hidden = 0 AND sort > ?2",
        )
    };
    let total: u32 = db.conn().prepare_cached(total)?.query_row([mailbox.0], |r| r.get(0)).optional()?.unwrap_or(0);
    let first = match (from, page.first()) {
        (RowCursor::Newest, _) | (_, None) => return Ok((0, total)),
        (RowCursor::Oldest, _) => return Ok((total.saturating_sub(u32::try_from(page.len()).unwrap_or(u32::MAX)), total)),
        (_, Some(first)) => first.sort,
    };
    let above = db.conn().prepare_cached(above)?.query_row((mailbox.0, first), |r| r.get(0))?;
    Ok((above, total))
}

/// The visible messages of the conversation that this one is in, wherever in the account they lie (the person's own
/// replies are in Sent), oldest first; at most [`MAX_ROWS`], the newest ones. What lies in Trash or Junk is left out unless
/// `of` does too. A message with a `Message-ID` that was seen already is the same one again: the one in the mailbox of `of` wins.
///
/// # Errors
/// `Missing` if there is none of that number.
pub fn conversation(db: &Db<Cache>, of: PlacementKey) -> Result<Vec<MessageRow>> {
    let own = row(db, of)?;
    let sql = format!(
        "SELECT {COLUMNS} FROM placement p CROSS JOIN message m ON m.id = p.message CROSS JOIN mailbox b ON b.id = p.mailbox
         WHERE p.thread = ?1 AND m.account = ?2 AND (p.hidden = 0 OR p.id = ?4)
           AND (p.mailbox = ?3 OR b.role NOT IN ('trash', 'junk'))
         ORDER BY p.id <> ?4, p.mailbox <> ?3, p.sort DESC, p.id"
    );
    let mut statement = db.conn().prepare_cached(&sql)?;
    let mut rows = statement.query((own.thread.0, own.account.as_str(), own.mailbox.0, of.0))?;
    let (mut found, mut contents, mut ids) = (Vec::new(), HashSet::new(), HashSet::new());
    while let Some(row) = rows.next()? {
        let row = read(row)?;
        let repeated = !row.message_id.is_empty() && !ids.insert(row.message_id.clone());
        // Two of one mailbox are two rows of its list.
        if contents.insert(row.message) && (!repeated || row.mailbox == own.mailbox) {
            found.push(row);
        }
    }
    found.sort_by_key(|r| std::cmp::Reverse(r.sort));
    found.truncate(MAX_ROWS as usize);
    found.reverse();
    Ok(found)
}

/// The next row below `?2` with something unread in it: for [`next_unread`], of a list of messages.
pub(super) const NEXT_UNREAD: &str = "SELECT sort FROM placement
    WHERE mailbox = ?1 AND hidden = 0 AND (flags & 1) = 0 AND sort < ?2 ORDER BY sort DESC LIMIT 1";
/// ... above it.
pub(super) const PREVIOUS_UNREAD: &str = "SELECT sort FROM placement
    WHERE mailbox = ?1 AND hidden = 0 AND (flags & 1) = 0 AND sort > ?2 ORDER BY sort LIMIT 1";
/// ... in a list of conversations.
pub(super) const NEXT_UNREAD_THREAD: &str = "SELECT latest FROM thread_row
    WHERE mailbox = ?1 AND unread > 0 AND latest < ?2 ORDER BY latest DESC LIMIT 1";
/// ... above it.
pub(super) const PREVIOUS_UNREAD_THREAD: &str = "SELECT latest FROM thread_row
    WHERE mailbox = ?1 AND unread > 0 AND latest > ?2 ORDER BY latest LIMIT 1";

/// The `sort` of the nearest row with something unread in it: below `from` (older) or above it; where there is none, the
/// farthest one on the other side. None if all is read.
fn nearest_unread(db: &Db<Cache>, mailbox: MailboxId, threaded: bool, from: i64, below: bool) -> Result<Option<i64>> {
    let (sql, around) = match (threaded, below) {
        (false, true) => (NEXT_UNREAD, i64::MAX),
        (false, false) => (PREVIOUS_UNREAD, -1),
        (true, true) => (NEXT_UNREAD_THREAD, i64::MAX),
        (true, false) => (PREVIOUS_UNREAD_THREAD, -1),
    };
    for from in [from, around] {
        let found = db.conn().prepare_cached(sql)?.query_row((mailbox.0, from), |r| r.get(0)).optional()?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

#[cfg(test)]
pub(super) mod tests;
