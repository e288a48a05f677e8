//! base — how far the cache is known to agree with the server about a mailbox.
//! Owns: `Base`, UIDVALIDITY and its change. May import: mail.
//! Start reading at: `load`. It lies in the cache, in the same file and transaction as the placements that it describes,
//! so that a lost cache is simply fetched again (decisions 1).

use super::change::Topic;
use super::error::{Result, StoreError};
use super::open::{Cache, Db};
use super::writer::Tx;
use super::{details, doubt, overlay, placements};
use crate::mail::ids::{AccountName, MailboxId, PlacementKey};
use crate::mail::mailbox::MailboxPath;
use crate::mail::uid::{ModSeq, Uid, UidValidity};
use rusqlite::OptionalExtension;
use std::collections::HashMap;

/// What was last known of the server. All 0 for a mailbox never synced.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Base {
    /// UIDVALIDITY of all cached UIDs.
    pub uidvalidity: UidValidity,
    /// UIDNEXT when they agreed.
    pub uidnext: u32,
    /// Every change up to this is recorded; 0 without CONDSTORE.
    pub highestmodseq: ModSeq,
}

/// Of one mailbox.
///
/// # Errors
/// `Missing` if there is none of that number.
pub fn load(db: &Db<Cache>, mailbox: MailboxId) -> Result<Base> {
    let sql = "SELECT uidvalidity, uidnext, highestmodseq FROM mailbox WHERE id = ?1";
    let found = db.conn().prepare_cached(sql)?.query_row([mailbox.0], |r| {
        Ok(Base {
            uidvalidity: UidValidity(r.get(0)?),
            uidnext: r.get(1)?,
            highestmodseq: ModSeq(super::messages::from_i64(r.get(2)?)),
        })
    });
    found.optional()?.ok_or_else(|| StoreError::missing("mailbox"))
}

/// Whose mailbox it is.
pub(super) fn account(db: &Db<Cache>, mailbox: MailboxId) -> Result<AccountName> {
    let sql = "SELECT account FROM mailbox WHERE id = ?1";
    let found: Option<String> = db.conn().prepare_cached(sql)?.query_row([mailbox.0], |r| r.get(0)).optional()?;
    found.map(|a| AccountName::new(&a)).ok_or_else(|| StoreError::missing("mailbox"))
}

/// Makes sure that UIDs given under `validity` may be recorded: a mailbox never synced takes it on.
///
/// # Errors
/// `Invalid` if the mailbox stands under another one.
pub fn begin(tx: &mut Tx<'_, Cache>, mailbox: MailboxId, validity: UidValidity) -> Result<()> {
    let base = load(tx, mailbox)?;
    if base.uidvalidity == validity {
        return Ok(());
    }
    if base.uidvalidity != UidValidity(0) {
        return Err(StoreError::invalid("these UIDs were given under another UIDVALIDITY"));
    }
    let sql = "UPDATE mailbox SET uidvalidity = ?2 WHERE id = ?1";
    tx.conn().execute(sql, (mailbox.0, validity.0))?;
    Ok(())
}

/// Records that everything up to `base` is recorded. Nothing is written if it was so already.
///
/// # Errors
/// As every transaction.
pub fn record(tx: &mut Tx<'_, Cache>, mailbox: MailboxId, base: Base) -> Result<()> {
    let sql = "UPDATE mailbox SET uidvalidity = ?2, uidnext = ?3, highestmodseq = ?4 WHERE id = ?1
               AND (uidvalidity, uidnext, highestmodseq) IS NOT (?2, ?3, ?4)";
    let modseq = i64::try_from(base.highestmodseq.0).unwrap_or(i64::MAX);
    tx.conn().prepare_cached(sql)?.execute((mailbox.0, base.uidvalidity.0, base.uidnext, modseq))?;
    Ok(())
}

/// Records that cache and server agreed at `now` (seconds since 1970). Provisional rows whose UID no pass could tell,
/// twice in a row, go: the message is not where we thought.
///
/// # Errors
/// As every transaction.
pub fn synced(tx: &mut Tx<'_, Cache>, mailbox: MailboxId, now: i64) -> Result<()> {
    let first: bool =
        tx.conn().prepare_cached("SELECT synced_at = 0 FROM mailbox WHERE id = ?1")?.query_row([mailbox.0], |r| r.get(0))?;
    tx.conn().prepare_cached("UPDATE mailbox SET synced_at = ?2 WHERE id = ?1")?.execute((mailbox.0, now.max(1)))?;
    if first {
        tx.note(Topic::Mailboxes);
    }
    let sql = "SELECT id FROM placement WHERE mailbox = ?1 AND uid IS NULL AND waiting > 1";
    let stale: Vec<i64> =
        tx.conn().prepare_cached(sql)?.query_map([mailbox.0], |r| r.get(0))?.collect::<rusqlite::Result<_>>()?;
    for id in stale {
        placements::remove(tx, PlacementKey(id))?;
    }
    tx.conn()
        .prepare_cached("UPDATE placement SET waiting = 2 WHERE mailbox = ?1 AND uid IS NULL AND waiting = 1")?
        .execute([mailbox.0])?;
    Ok(())
}

/// Whether there are rows here whose operation is settled and whose UID is not known: the next passes tell.
///
/// # Errors
/// As every read.
pub fn is_waiting(db: &Db<Cache>, mailbox: MailboxId) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM placement WHERE mailbox = ?1 AND uid IS NULL AND waiting > 0)";
    Ok(db.conn().prepare_cached(sql)?.query_row([mailbox.0], |r| r.get(0))?)
}

/// Records that the server's counts of these mailboxes were those of the cache at `now` (seconds since 1970).
///
/// # Errors
/// As every transaction.
pub fn agreed(tx: &mut Tx<'_, Cache>, account: &AccountName, paths: &[MailboxPath], now: i64) -> Result<()> {
    let sql = "UPDATE mailbox SET synced_at = ?3 WHERE account = ?1 AND path = ?2 AND synced_at > 0";
    for path in paths {
        tx.conn().prepare_cached(sql)?.execute((account.as_str(), path.as_str(), now.max(1)))?;
    }
    if !paths.is_empty() {
        tx.note(Topic::Mailboxes);
    }
    Ok(())
}

/// Records that a mailbox of which nothing was ever read is empty at the server, as `base` says, at `now` (seconds since 1970).
/// Nothing is written of one that was read before.
///
/// # Errors
/// As every transaction.
pub fn begun_empty(tx: &mut Tx<'_, Cache>, account: &AccountName, path: &MailboxPath, base: Base, now: i64) -> Result<()> {
    let sql = "UPDATE mailbox SET uidvalidity = ?3, uidnext = ?4, highestmodseq = ?5, synced_at = ?6
               WHERE account = ?1 AND path = ?2 AND uidnext = 0 AND uidvalidity IN (0, ?3)
               AND NOT EXISTS (SELECT 1 FROM placement WHERE mailbox = mailbox.id AND uid IS NOT NULL)";
    let modseq = i64::try_from(base.highestmodseq.0).unwrap_or(i64::MAX);
    let values = (account.as_str(), path.as_str(), base.uidvalidity.0, base.uidnext, modseq, now.max(1));
    tx.conn().prepare_cached(sql)?.execute(values)?;
    Ok(())
}

/// Follows a changed UIDVALIDITY: placements in `pairs` (old UID, new UID) keep their content, their number and their
/// wishes; all other numbered ones go. May be repeated.
///
/// # Errors
/// `Invalid` if the mailbox stands under neither.
pub fn rebase(
    tx: &mut Tx<'_, Cache>,
    mailbox: MailboxId,
    from: UidValidity,
    to: UidValidity,
    pairs: &[(Uid, Uid)],
) -> Result<()> {
    let base = load(tx, mailbox)?;
    if base.uidvalidity == to {
        return Ok(());
    }
    if base.uidvalidity != from {
        return Err(StoreError::invalid("this UIDVALIDITY is not the one that changed"));
    }
    // What is found again is there; what is not goes.
    let doubted = doubt::all(tx, mailbox)?;
    doubt::set(tx, mailbox, &doubted, false)?;
    let pairs: HashMap<u32, u32> = pairs.iter().map(|(a, b)| (a.get(), b.get())).collect();
    let sql = "SELECT id, uid FROM placement WHERE mailbox = ?1 AND uid IS NOT NULL";
    let all: Vec<(i64, u32)> = tx
        .conn()
        .prepare_cached(sql)?
        .query_map([mailbox.0], |r| Ok((r.get(0)?, r.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let mut kept = Vec::new();
    for (id, uid) in all {
        match pairs.get(&uid) {
            Some(new) => kept.push((id, *new)),
            None => placements::remove(tx, PlacementKey(id))?,
        }
    }
    // Old and new numbers overlap: through the negative ones, so that no two meet on the way.
    for (id, new) in &kept {
        let sql = "UPDATE placement SET uid = -?2 WHERE id = ?1";
        tx.conn().prepare_cached(sql)?.execute((id, new))?;
    }
    for (id, _) in &kept {
        tx.conn().prepare_cached("UPDATE placement SET uid = -uid WHERE id = ?1")?.execute([id])?;
    }
    overlay::renumber(tx, mailbox, to, &kept)?;
    details::renumbered(tx, mailbox)?;
    record(tx, mailbox, Base { uidvalidity: to, ..Base::default() })?;
    tx.note(Topic::Messages(mailbox));
    Ok(())
}
