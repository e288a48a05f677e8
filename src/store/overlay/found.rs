//! found — messages that came to their new place before anybody knew that ours went there.
//! Owns: `found`. May import: mail.
//! Start reading at: `found`. A line that broke took the server's word with it, and the mailbox was read before the operation was
//! looked into: then the message is there twice, once as it was promised and once as it was read.

use super::{base, number, placements, select};
use crate::mail::ids::PlacementKey;
use crate::mail::intent::Operation;
use crate::store::error::Result;
use crate::store::open::Cache;
use crate::store::writer::Tx;
use rusqlite::OptionalExtension;

/// An operation was carried out: what it promised and has no UID yet is made one with the like of it that was read there, of those
/// that came since it was told. Any other is left: what waits is found by the next pass.
pub(super) fn found(tx: &mut Tx<'_, Cache>, operation: &Operation) -> Result<()> {
    let Some(mark) = operation.mark else { return Ok(()) };
    for wish in select(tx, "op = ?1 AND made <> 0", [operation.id.0])? {
        let made = placements::get(tx, PlacementKey(wish.made))?;
        if made.uid.is_some() || base::load(tx, made.mailbox)?.uidvalidity != mark.uidvalidity {
            continue;
        }
        // What another operation has found has an older content than what was just read.
        let sql = "SELECT p.uid FROM placement p JOIN message m ON m.id = p.message JOIN message ours ON ours.id = ?2
                   WHERE p.mailbox = ?1 AND p.uid >= ?3 AND m.id <> ours.id AND m.message_id = ours.message_id
                     AND m.size = ours.size AND m.received = ours.received
                   ORDER BY m.id DESC LIMIT 1";
        let values = (made.mailbox.0, made.message.0, mark.uidnext);
        let there: Option<u32> = tx.conn().prepare_cached(sql)?.query_row(values, |r| r.get(0)).optional()?;
        if let Some(uid) = there {
            number(tx, made.id, uid, &made.server)?;
        }
    }
    Ok(())
}
