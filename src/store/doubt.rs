//! doubt — messages that the server is said to have lost along with most of a mailbox (security S-13).
//! Owns: `waiting` of a placement that has a UID: it is hidden, and not believed to be gone before the next pass. May import: mail.
//! Start reading at: `set`.

use super::error::Result;
use super::open::{Cache, Db};
use super::placements;
use super::writer::Tx;
use crate::mail::ids::MailboxId;
use crate::mail::uid::{Uid, UidSet};

/// The UIDs of messages that the server is said to have lost along with most of the mailbox; hidden, and not believed before the
/// next pass (security S-13).
///
/// # Errors
/// As every question.
pub fn all(db: &Db<Cache>, mailbox: MailboxId) -> Result<UidSet> {
    let sql = "SELECT uid FROM placement WHERE mailbox = ?1 AND uid IS NOT NULL AND waiting > 0 ORDER BY uid";
    let mut statement = db.conn().prepare_cached(sql)?;
    let uids = statement.query_map([mailbox.0], |r| r.get(0))?.collect::<rusqlite::Result<Vec<u32>>>()?;
    Ok(uids.into_iter().filter_map(Uid::new).collect())
}

/// Puts messages in doubt, or takes them out of it. How many changed.
///
/// # Errors
/// As every transaction.
pub fn set(tx: &mut Tx<'_, Cache>, mailbox: MailboxId, uids: &UidSet, doubted: bool) -> Result<usize> {
    let mut changed = 0;
    for id in placements::within(tx, mailbox, uids)? {
        let sql = "UPDATE placement SET waiting = ?2 WHERE id = ?1 AND waiting <> ?2";
        changed += tx.conn().prepare_cached(sql)?.execute((id.0, doubted))?;
        placements::derive(tx, id)?;
    }
    Ok(changed)
}
