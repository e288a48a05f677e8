//! fts — the full-text index (decisions 16).
//! Owns: the table `message_fts`, the column `indexed`, word segmentation for scripts without blanks. May import: mail.
//! Start reading at: `feed`. The index is contentless: rowid = `message.sort`; text lies only in the blobs.

use super::error::Result;
use super::open::Cache;
use super::writer::Tx;

/// Forgets a message.
pub(super) fn remove(tx: &mut Tx<'_, Cache>, sort: i64) -> Result<()> {
    tx.conn().prepare_cached("DELETE FROM message_fts WHERE rowid = ?1")?.execute([sort])?;
    tx.indexed = true;
    Ok(())
}
