//! placements — "content M lies in mailbox B": what the server confirmed, what the person sees, and counts of it.
//! Owns: `Counts`.

use super::error::Result;
use super::open::Cache;
use super::writer::Tx;
use crate::mail::ids::MailboxId;
use std::collections::BTreeMap;

/// Changes of mailbox counts within one job, written once at its end.
#[derive(Default)]
pub(super) struct Counts {
    /// (total, unread) by mailbox.
    by_mailbox: BTreeMap<MailboxId, (i64, i64)>,
}

/// Writes the counts that a job changed.
pub(super) fn flush(tx: &mut Tx<'_, Cache>) -> Result<()> {
    for (mailbox, (total, unread)) in std::mem::take(&mut tx.counts.by_mailbox) {
        let sql = "UPDATE mailbox SET total = total + ?2, unread = unread + ?3 WHERE id = ?1";
        tx.conn().prepare_cached(sql)?.execute((mailbox.0, total, unread))?;
    }
    Ok(())
}
