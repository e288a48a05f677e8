//! placements — "content M lies in mailbox B": what the server confirmed, what the person sees, and counts of it.
//! Owns: the table `placement`, the counts in `mailbox`, the visible state. May import: mail.
//! Start reading at: `derive`, the one function that makes the visible state: the server's flags, and the wishes of
//! pending operations over them in the order of the person's acts. Nothing else writes `flags`, `words`, `hidden`.

use super::change::Topic;
use super::error::{Result, StoreError, StoreErrorKind};
use super::open::{Cache, Db};
use super::writer::Tx;
use super::{doubt, keywords, messages, threads};
use crate::mail::flags::{Flag, FlagDelta, Flags};
use crate::mail::ids::{MailboxId, MessageKey, PlacementKey, ThreadKey};
use crate::mail::intent::delta_words;
use crate::mail::server::FlagsSeen;
use crate::mail::uid::{Uid, UidSet};
use rusqlite::{OptionalExtension, Row};
use std::collections::BTreeMap;

/// How much the counts of a mailbox change.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Sums {
    pub total: i64,
    pub unread: i64,
    pub threads: i64,
}

/// Changes of mailbox counts within one job, written once at its end.
#[derive(Default)]
pub(super) struct Counts {
    by_mailbox: BTreeMap<MailboxId, Sums>,
}

/// Writes the counts that a job changed.
pub(super) fn flush(tx: &mut Tx<'_, Cache>) -> Result<()> {
    for (mailbox, sums) in std::mem::take(&mut tx.counts.by_mailbox) {
        if sums != Sums::default() {
            let sql = "UPDATE mailbox SET total = total + ?2, unread = unread + ?3, threads = threads + ?4 WHERE id = ?1";
            tx.conn().prepare_cached(sql)?.execute((mailbox.0, sums.total, sums.unread, sums.threads))?;
            tx.note(Topic::Mailboxes);
        }
    }
    Ok(())
}

/// One placement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Placement {
    /// Its number.
    pub id: PlacementKey,
    /// Where.
    pub mailbox: MailboxId,
    /// Of what.
    pub message: MessageKey,
    /// The content's conversation.
    pub thread: ThreadKey,
    /// The content's place in the order of rows.
    pub sort: i64,
    /// None while it is provisional.
    pub uid: Option<u32>,
    /// What the server confirmed.
    pub server: Flags,
    /// What the person sees.
    pub flags: Flags,
    /// Whether the person sees it at all.
    pub hidden: bool,
}

const COLUMNS: &str = "id, mailbox, message, thread, sort, uid, server_flags, server_words, flags, words, hidden";

fn read(row: &Row<'_>) -> rusqlite::Result<Placement> {
    Ok(Placement {
        id: PlacementKey(row.get(0)?),
        mailbox: MailboxId(row.get(1)?),
        message: MessageKey(row.get(2)?),
        thread: ThreadKey(row.get(3)?),
        sort: row.get(4)?,
        uid: row.get(5)?,
        server: keywords::flags(row.get(6)?, row.get_ref(7)?.as_str()?),
        flags: keywords::flags(row.get(8)?, row.get_ref(9)?.as_str()?),
        hidden: row.get(10)?,
    })
}

/// One placement.
///
/// # Errors
/// `Missing` if there is none of that number.
pub fn get(db: &Db<Cache>, id: PlacementKey) -> Result<Placement> {
    let sql = format!("SELECT {COLUMNS} FROM placement WHERE id = ?1");
    let found = db.conn().prepare_cached(&sql)?.query_row([id.0], read).optional()?;
    found.ok_or_else(|| StoreError::missing("message"))
}

/// The placement with that UID.
///
/// # Errors
/// As every question.
pub fn by_uid(db: &Db<Cache>, mailbox: MailboxId, uid: u32) -> Result<Option<Placement>> {
    let sql = format!("SELECT {COLUMNS} FROM placement WHERE mailbox = ?1 AND uid = ?2");
    Ok(db.conn().prepare_cached(&sql)?.query_row((mailbox.0, uid), read).optional()?)
}

/// All placements of one content.
///
/// # Errors
/// As every question.
pub fn of_message(db: &Db<Cache>, message: MessageKey) -> Result<Vec<Placement>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM placement WHERE sort = (SELECT sort FROM message WHERE id = ?1) AND message = ?1 ORDER BY id"
    );
    Ok(db.conn().prepare_cached(&sql)?.query_map([message.0], read)?.collect::<rusqlite::Result<_>>()?)
}

/// All UIDs that are cached of a mailbox.
///
/// # Errors
/// As every question.
pub fn uids(db: &Db<Cache>, mailbox: MailboxId) -> Result<UidSet> {
    uids_between(db, mailbox, 1, u32::MAX)
}

/// Those of them whose text is not here.
///
/// # Errors
/// As every question.
pub fn without_text(db: &Db<Cache>, mailbox: MailboxId) -> Result<UidSet> {
    let sql = "SELECT p.uid FROM placement p CROSS JOIN message m ON m.id = p.message
               WHERE p.mailbox = ?1 AND p.uid IS NOT NULL AND m.held = 0 ORDER BY p.uid";
    let mut statement = db.conn().prepare_cached(sql)?;
    let uids = statement.query_map([mailbox.0], |row| row.get(0))?;
    let uids: Vec<u32> = uids.collect::<rusqlite::Result<_>>()?;
    Ok(uids.into_iter().filter_map(Uid::new).collect())
}

/// Those of them from `low` to `high`.
pub(super) fn uids_between(db: &Db<Cache>, mailbox: MailboxId, low: u32, high: u32) -> Result<UidSet> {
    let sql = "SELECT uid FROM placement WHERE mailbox = ?1 AND uid BETWEEN ?2 AND ?3 ORDER BY uid";
    let mut statement = db.conn().prepare_cached(sql)?;
    let mut rows = statement.query((mailbox.0, low, high))?;
    // They come in order: each continues the interval before it or begins one.
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    while let Some(row) = rows.next()? {
        let uid: u32 = row.get(0)?;
        match ranges.last_mut() {
            Some((_, end)) if end.checked_add(1) == Some(uid) => *end = uid,
            _ => ranges.push((uid, uid)),
        }
    }
    Ok(UidSet::from_ranges(ranges))
}

/// How many messages the server has in a mailbox, and how many of them are unread there, more than the person sees: what
/// pending operations hide, less what they only promise. Costs pending work.
///
/// # Errors
/// As every question.
pub fn unseen_by_person(db: &Db<Cache>, mailbox: MailboxId) -> Result<(i64, i64)> {
    let sum = |sql: &str| -> Result<(i64, i64)> {
        Ok(db.conn().prepare_cached(sql)?.query_row([mailbox.0], |r| Ok((r.get(0)?, r.get(1)?)))?)
    };
    let (hidden, promised) = (sum(HIDDEN)?, sum(PROMISED)?);
    Ok((hidden.0 - promised.0, hidden.1 - promised.1))
}

/// From the wishes to the messages: the other way round it would look at each message of the mailbox.
pub(super) const HIDDEN: &str = "SELECT count(*), coalesce(sum((p.server_flags & 1) = 0), 0)
    FROM (SELECT DISTINCT place FROM wish WHERE place <> 0 AND hides = 1) w CROSS JOIN placement p ON p.id = w.place
    WHERE p.mailbox = ?1 AND p.uid IS NOT NULL AND p.hidden = 1";
pub(super) const PROMISED: &str = "SELECT count(*), coalesce(sum((flags & 1) = 0), 0) FROM placement
    WHERE mailbox = ?1 AND uid IS NULL AND hidden = 0";

/// All that the person sees in a mailbox, newest first.
///
/// # Errors
/// As every question.
pub fn visible(db: &Db<Cache>, mailbox: MailboxId) -> Result<Vec<PlacementKey>> {
    let sql = "SELECT id FROM placement WHERE mailbox = ?1 AND hidden = 0 ORDER BY sort DESC";
    let mut statement = db.conn().prepare_cached(sql)?;
    Ok(statement.query_map([mailbox.0], |r| r.get(0).map(PlacementKey))?.collect::<rusqlite::Result<_>>()?)
}

/// The (numbers of the) cached placements with UIDs in `uids`. Costs what is here, not what the set claims.
pub(super) fn within(db: &Db<Cache>, mailbox: MailboxId, uids: &UidSet) -> Result<Vec<PlacementKey>> {
    let sql = "SELECT id FROM placement WHERE mailbox = ?1 AND uid BETWEEN ?2 AND ?3 ORDER BY uid";
    let mut statement = db.conn().prepare_cached(sql)?;
    let mut found = Vec::new();
    for (low, high) in uids.ranges() {
        for id in statement.query_map((mailbox.0, low, high), |r| r.get(0))? {
            found.push(PlacementKey(id?));
        }
    }
    Ok(found)
}

/// A new placement with the server's flags, visible; `uid` is none for a provisional one.
pub(super) fn insert(
    tx: &mut Tx<'_, Cache>,
    mailbox: MailboxId,
    of: (MessageKey, ThreadKey, i64),
    uid: Option<u32>,
    server: &Flags,
) -> Result<PlacementKey> {
    let (bits, words) = keywords::columns(server);
    // Numbers are never used again, so no wish can be about this one yet: what the server says is what is seen.
    let sql = "INSERT INTO placement (mailbox, message, thread, sort, uid, server_flags, server_words, flags, words)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?6, ?7) ON CONFLICT (mailbox, uid) WHERE uid IS NOT NULL DO NOTHING";
    let (message, thread, sort) = of;
    if tx.conn().prepare_cached(sql)?.execute((mailbox.0, message.0, thread.0, sort, uid, bits, words))? == 0 {
        // Whoever asks for this has looked, and did not find it.
        return Err(StoreError::new(StoreErrorKind::Corrupt, "an index of the cache contradicts itself"));
    }
    let id = PlacementKey(tx.conn().last_insert_rowid());
    let (server, flags) = (server.clone(), server.clone());
    count(tx, &Placement { id, mailbox, message, thread, sort, uid, server, flags, hidden: false }, 1)?;
    Ok(id)
}

/// Sets the server's flags of a placement; nothing is written if they are so already.
pub(super) fn set_server(tx: &mut Tx<'_, Cache>, id: PlacementKey, server: &Flags) -> Result<()> {
    let (bits, words) = keywords::columns(server);
    let sql = "UPDATE placement SET server_flags = ?2, server_words = ?3 WHERE id = ?1
               AND (server_flags, server_words) IS NOT (?2, ?3)";
    if tx.conn().prepare_cached(sql)?.execute((id.0, bits, words))? > 0 {
        derive(tx, id)?;
    }
    Ok(())
}

/// Records the server's flags of messages that are cached; others are left out. How many were not as they had been.
///
/// # Errors
/// As every transaction.
pub fn flags_observed(tx: &mut Tx<'_, Cache>, mailbox: MailboxId, seen: &[FlagsSeen]) -> Result<usize> {
    let mut changed = 0;
    for row in seen {
        if let Some(placement) = by_uid(tx, mailbox, row.uid.get())?
            && placement.server != row.flags
        {
            set_server(tx, placement.id, &row.flags)?;
            changed += 1;
        }
    }
    Ok(changed)
}

/// Records that the server took our change of flags.
///
/// # Errors
/// As every transaction.
pub fn flags_told(tx: &mut Tx<'_, Cache>, mailbox: MailboxId, uids: &UidSet, delta: &FlagDelta) -> Result<()> {
    for id in within(tx, mailbox, uids)? {
        let server = get(tx, id)?.server;
        set_server(tx, id, &delta.apply(&server))?;
    }
    Ok(())
}

/// Records that messages are here no more. How many were not missed before.
///
/// # Errors
/// As every transaction.
pub fn vanished(tx: &mut Tx<'_, Cache>, mailbox: MailboxId, uids: &UidSet) -> Result<usize> {
    let missed = doubt::all(tx, mailbox)?.intersection(uids).len();
    let gone = within(tx, mailbox, uids)?;
    for id in &gone {
        remove(tx, *id)?;
    }
    Ok(gone.len().saturating_sub(usize::try_from(missed).unwrap_or(usize::MAX)))
}

/// Removes a placement, and its content if it lies nowhere else. Wishes about it stay, waiting for its UID.
pub(super) fn remove(tx: &mut Tx<'_, Cache>, id: PlacementKey) -> Result<()> {
    let placement = get(tx, id)?;
    tx.conn().prepare_cached("DELETE FROM placement WHERE id = ?1")?.execute([id.0])?;
    if !placement.hidden {
        count(tx, &placement, -1)?;
    }
    tx.conn().prepare_cached("UPDATE wish SET place = 0 WHERE place = ?1")?.execute([id.0])?;
    tx.conn().prepare_cached("UPDATE wish SET made = 0 WHERE made = ?1")?.execute([id.0])?;
    messages::remove_if_nowhere(tx, placement.message)
}

/// Removes all placements of a mailbox.
pub(super) fn remove_all(tx: &mut Tx<'_, Cache>, mailbox: MailboxId) -> Result<()> {
    let ids: Vec<i64> = tx
        .conn()
        .prepare_cached("SELECT id FROM placement WHERE mailbox = ?1")?
        .query_map([mailbox.0], |r| r.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for id in ids {
        remove(tx, PlacementKey(id))?;
    }
    Ok(())
}

/// The flags of `placement` as the person saw them just before operation `op`: the server's and earlier wishes.
pub(super) fn flags_before(db: &Db<Cache>, placement: &Placement, op: i64) -> Result<Flags> {
    let sql = "SELECT delta FROM wish WHERE place = ?1 AND op < ?2 AND delta <> '' ORDER BY op, idx";
    let mut statement = db.conn().prepare_cached(sql)?;
    let mut rows = statement.query((placement.id.0, op))?;
    let mut flags = placement.server.clone();
    while let Some(row) = rows.next()? {
        flags = delta_words::from_text(row.get_ref(0)?.as_str().unwrap_or_default()).apply(&flags);
    }
    Ok(flags)
}

/// Makes the visible state of a placement, and of the provisional ones that come from it.
pub(super) fn derive(tx: &mut Tx<'_, Cache>, id: PlacementKey) -> Result<()> {
    // A loop, not recursion: a chain of moves may be as long as the person's patience.
    let mut todo = vec![id];
    while let Some(id) = todo.pop() {
        let before = get(tx, id)?;
        let flags = flags_before(tx, &before, i64::MAX)?;
        let sql = "SELECT EXISTS (SELECT 1 FROM wish WHERE place = ?1 AND hides = 1)
                   OR EXISTS (SELECT 1 FROM placement WHERE id = ?1 AND uid IS NOT NULL AND waiting > 0)";
        let hidden = tx.conn().prepare_cached(sql)?.query_row([id.0], |r| r.get(0))?;
        let after = Placement { flags, hidden, ..before.clone() };
        if after != before {
            let (bits, words) = keywords::columns(&after.flags);
            let sql = "UPDATE placement SET flags = ?2, words = ?3, hidden = ?4 WHERE id = ?1";
            tx.conn().prepare_cached(sql)?.execute((id.0, bits, words, hidden))?;
            match (before.hidden, after.hidden) {
                (false, false) => recount(tx, &before, &after)?,
                (false, true) => count(tx, &before, -1)?,
                (true, false) => count(tx, &after, 1)?,
                (true, true) => {}
            }
        }
        for (op, made) in made_from(tx, id)? {
            let flags = flags_before(tx, &after, op)?;
            let (bits, words) = keywords::columns(&flags);
            let sql = "UPDATE placement SET server_flags = ?2, server_words = ?3 WHERE id = ?1 AND uid IS NULL
                       AND waiting = 0 AND (server_flags, server_words) IS NOT (?2, ?3)";
            if tx.conn().prepare_cached(sql)?.execute((made, bits, words))? > 0 {
                todo.push(PlacementKey(made));
            }
        }
    }
    Ok(())
}

/// (operation, provisional placement) of those that come from `id`.
fn made_from(db: &Db<Cache>, id: PlacementKey) -> Result<Vec<(i64, i64)>> {
    let sql = "SELECT op, made FROM wish WHERE place = ?1 AND made <> 0";
    let mut statement = db.conn().prepare_cached(sql)?;
    Ok(statement.query_map([id.0], |r| Ok((r.get(0)?, r.get(1)?)))?.collect::<rusqlite::Result<_>>()?)
}

/// Counts a change of flags of a placement that is and stays visible.
fn recount(tx: &mut Tx<'_, Cache>, before: &Placement, after: &Placement) -> Result<()> {
    let unread = i64::from(before.flags.has(Flag::Seen)) - i64::from(after.flags.has(Flag::Seen));
    tx.note(Topic::Messages(after.mailbox));
    if unread == 0 {
        return Ok(());
    }
    tx.counts.by_mailbox.entry(after.mailbox).or_default().unread += unread;
    threads::recount(tx, after, unread)
}

/// Counts a visible placement in (1) or out (-1): in its mailbox and in its thread's row. Its row in `placement` must
/// be written already.
pub(super) fn count(tx: &mut Tx<'_, Cache>, placement: &Placement, sign: i64) -> Result<()> {
    let unread = if placement.flags.has(Flag::Seen) { 0 } else { sign };
    let threads = threads::count(tx, placement, sign, unread)?;
    add(tx, placement.mailbox, Sums { total: sign, unread, threads });
    Ok(())
}

/// Counts changes of a mailbox.
pub(super) fn add(tx: &mut Tx<'_, Cache>, mailbox: MailboxId, more: Sums) {
    let sums = tx.counts.by_mailbox.entry(mailbox).or_default();
    sums.total += more.total;
    sums.unread += more.unread;
    sums.threads += more.threads;
    tx.note(Topic::Messages(mailbox));
}
/// What is here of a message has changed: for whoever shows it or a list with it.
pub(super) fn note_body(tx: &mut Tx<'_, Cache>, message: MessageKey) -> Result<()> {
    tx.note(Topic::Body(message));
    for place in of_message(tx, message)? {
        tx.note(Topic::Messages(place.mailbox));
    }
    Ok(())
}
