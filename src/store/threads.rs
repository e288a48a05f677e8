//! threads — which messages belong together, and the rows of threaded lists.
//! Owns: the table `thread_row` (decisions 15); `refs.rs` knows which ids belong to which. May import: mail.
//! Start reading at: `assign`. Messages are joined by References and In-Reply-To only, also through messages that
//! are not here (ghosts); never by subject.

use super::error::Result;
use super::open::Cache;
use super::placements::{self, Placement};
use super::writer::Tx;
use super::{fill, refs};
use crate::mail::envelope::{Envelope, MessageId};
use crate::mail::ids::{AccountName, MessageKey, ThreadKey};
use crate::mail::packed::Kin;
use rusqlite::OptionalExtension;
use std::collections::BTreeSet;

/// The most ids of one message that are looked at: its oldest ancestor and its newest ones.
const MAX_IDS: usize = 100;
/// How far threads are counted to see which is smaller.
const MEASURE: u32 = 1_000;

/// The thread of a message with that envelope: the one its relatives are in, all of them joined; `fresh` if it has none, and
/// then nothing else is in it: whether that is so.
pub(super) fn assign(
    tx: &mut Tx<'_, Cache>,
    account: &AccountName,
    kin: &Kin<'_>,
    fresh: ThreadKey,
) -> Result<(ThreadKey, bool)> {
    let (known, unknown) = sorted_out(tx, account, ancestors(kin))?;
    let mut thread = if known.is_empty() { fresh } else { join(tx, &known)? };
    if let Some(own) = kin.own {
        match refs::of_id(tx, account, own)? {
            None => refs::claim(tx, account, own, thread),
            // Somebody named it before it came.
            Some(there) if thread == fresh => thread = there,
            Some(there) => thread = join(tx, &[thread, there])?,
        }
    }
    for id in unknown {
        refs::claim(tx, account, id, thread);
    }
    Ok((thread, thread == fresh))
}

/// All ids that say where a message belongs.
pub(super) fn ids<'a>(kin: &'a Kin<'_>) -> impl Iterator<Item = &'a str> {
    ancestors(kin).chain(kin.own)
}

fn ancestors<'a>(kin: &'a Kin<'_>) -> impl Iterator<Item = &'a str> {
    let left_out = kin.ancestors.len().saturating_sub(MAX_IDS);
    let (oldest, others) = kin.ancestors.split_at(kin.ancestors.len().min(1));
    oldest.iter().chain(others.iter().skip(left_out)).copied()
}

/// The conversations that some ids belong to, each once, and the ids that belong to none.
fn sorted_out<'a>(
    tx: &mut Tx<'_, Cache>,
    account: &AccountName,
    ids: impl Iterator<Item = &'a str>,
) -> Result<(Vec<ThreadKey>, Vec<&'a str>)> {
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for id in ids {
        match refs::of_id(tx, account, id)? {
            Some(thread) if known.contains(&thread) => {}
            Some(thread) => known.push(thread),
            None => unknown.push(id),
        }
    }
    Ok((known, unknown))
}

/// Joins `thread`, in which a message with that envelope is, with those of what it turned out to follow.
pub(super) fn follow(tx: &mut Tx<'_, Cache>, account: &AccountName, envelope: &Envelope, thread: ThreadKey) -> Result<()> {
    let ids =
        envelope.in_reply_to.iter().filter(|id| Some(*id) != envelope.message_id.as_ref()).take(MAX_IDS).map(MessageId::as_str);
    let (mut known, unknown) = sorted_out(tx, account, ids)?;
    known.push(thread);
    let thread = join(tx, &known)?;
    for id in unknown {
        refs::claim(tx, account, id, thread);
    }
    // Nobody else puts in what is on its way.
    fill::flush(tx)
}

/// Makes one thread of several, moving the smaller ones into the biggest, so that a long thread is not rewritten
/// for each reply that arrives out of order.
fn join(tx: &mut Tx<'_, Cache>, threads: &[ThreadKey]) -> Result<ThreadKey> {
    let Some((first, others)) = threads.split_first() else { return Ok(ThreadKey(0)) };
    if others.iter().all(|thread| thread == first) {
        return Ok(*first);
    }
    // Also those that are on their way are counted, and renamed.
    fill::flush(tx)?;
    let threads: BTreeSet<ThreadKey> = threads.iter().copied().collect();
    let mut biggest = (0, *first);
    for thread in &threads {
        let sql = "SELECT count(*) FROM (SELECT 1 FROM placement WHERE thread = ?1 LIMIT ?2)";
        let size: u32 = tx.conn().prepare_cached(sql)?.query_row((thread.0, MEASURE), |r| r.get(0))?;
        if size > biggest.0 {
            biggest = (size, *thread);
        }
    }
    for thread in threads.into_iter().filter(|t| *t != biggest.1) {
        rename(tx, thread, biggest.1)?;
    }
    Ok(biggest.1)
}

fn rename(tx: &mut Tx<'_, Cache>, from: ThreadKey, to: ThreadKey) -> Result<()> {
    // Each once, though it lies in several mailboxes.
    let members: BTreeSet<i64> = tx
        .conn()
        .prepare_cached("SELECT message FROM placement WHERE thread = ?1")?
        .query_map([from.0], |r| r.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for message in members {
        tx.conn().prepare_cached("UPDATE message SET thread = ?2 WHERE id = ?1")?.execute((message, to.0))?;
        for before in placements::of_message(tx, MessageKey(message))? {
            tx.conn().prepare_cached("UPDATE placement SET thread = ?2 WHERE id = ?1")?.execute((before.id.0, to.0))?;
            if !before.hidden {
                placements::count(tx, &before, -1)?;
                placements::count(tx, &Placement { thread: to, ..before }, 1)?;
            }
        }
    }
    refs::rename(tx, from, to)
}

/// Keeps the thread's row when a visible placement was read or became unread.
pub(super) fn recount(tx: &Tx<'_, Cache>, placement: &Placement, unread: i64) -> Result<()> {
    let sql = "UPDATE thread_row SET unread = unread + ?3 WHERE mailbox = ?1 AND thread = ?2";
    tx.conn().prepare_cached(sql)?.execute((placement.mailbox.0, placement.thread.0, unread))?;
    Ok(())
}

/// What comes to a thread's row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Sum {
    pub latest: i64,
    pub placement: i64,
    pub total: i64,
    pub unread: i64,
}

impl Sum {
    /// Both together.
    pub fn add(&mut self, other: Self) {
        self.total += other.total;
        self.unread += other.unread;
        if other.latest >= self.latest {
            (self.latest, self.placement) = (other.latest, other.placement);
        }
    }
}

/// Adds visible placements to their thread's row. How many more rows there are now: 1 or 0.
pub(super) fn add(tx: &Tx<'_, Cache>, mailbox: i64, thread: i64, more: Sum) -> Result<i64> {
    if more.unread == 0 {
        // An older one that was read changes nothing that an index knows of: in a first sync, which begins at the newest, nearly all.
        let sql = "UPDATE OR ROLLBACK thread_row SET total = total + ?4 WHERE mailbox = ?1 AND thread = ?2 AND latest > ?3";
        if tx.conn().prepare_cached(sql)?.execute((mailbox, thread, more.latest, more.total))? > 0 {
            return Ok(0);
        }
    }
    let sql = "INSERT INTO thread_row (mailbox, thread, latest, placement, total, unread) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
               ON CONFLICT DO UPDATE SET total = total + excluded.total, unread = unread + excluded.unread,
                 placement = iif(excluded.latest >= latest, excluded.placement, placement),
                 latest = max(latest, excluded.latest)
               RETURNING total";
    let values = (mailbox, thread, more.latest, more.placement, more.total, more.unread);
    let total: i64 = tx.conn().prepare_cached(sql)?.query_row(values, |r| r.get(0))?;
    Ok(i64::from(total == more.total))
}

/// Keeps the thread's row when a visible placement comes (1) or goes (-1). How many more rows there are now: 1, 0 or -1.
pub(super) fn count(tx: &Tx<'_, Cache>, placement: &Placement, sign: i64, unread: i64) -> Result<i64> {
    let key = (placement.mailbox.0, placement.thread.0);
    if sign > 0 {
        let one = Sum { latest: placement.sort, placement: placement.id.0, total: 1, unread };
        return add(tx, key.0, key.1, one);
    }
    let sql = "UPDATE thread_row SET total = total - 1, unread = unread + ?3 WHERE mailbox = ?1 AND thread = ?2
               RETURNING total, placement";
    let left: Option<(i64, i64)> =
        tx.conn().prepare_cached(sql)?.query_row((key.0, key.1, unread), |r| Ok((r.get(0)?, r.get(1)?))).optional()?;
    match left {
        Some((..=0, _)) => {
            let sql = "DELETE FROM thread_row WHERE mailbox = ?1 AND thread = ?2";
            tx.conn().prepare_cached(sql)?.execute(key)?;
            return Ok(-1);
        }
        Some((_, newest)) if newest == placement.id.0 => {
            let sql = "UPDATE thread_row SET (latest, placement) = (
                         SELECT sort, id FROM placement WHERE mailbox = ?1 AND thread = ?2 AND hidden = 0 AND id <> ?3
                         ORDER BY sort DESC LIMIT 1)
                       WHERE mailbox = ?1 AND thread = ?2";
            tx.conn().prepare_cached(sql)?.execute((key.0, key.1, placement.id.0))?;
        }
        _ => {}
    }
    Ok(0)
}
