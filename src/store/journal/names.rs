//! names — operations name mailboxes; when one is renamed, they follow.
//! Owns: nothing. May import: mail.
//! Start reading at: `follow`. What was wished before a rename names the old mailbox until the server has renamed it; what
//! was wished afterwards names the new one, unless the rename comes to nothing.

use super::{select, text};
use crate::mail::intent::{OpKind, OpState, Operation};
use crate::store::change::Topic;
use crate::store::error::Result;
use crate::store::open::State;
use crate::store::writer::Tx;

/// After a change of an operation that renames a mailbox: all others go by the name that counts now. Gives those that are
/// pending.
pub(super) fn follow(tx: &mut Tx<'_, State>, before: &Operation, after: &Operation) -> Result<Vec<Operation>> {
    let OpKind::RenameMailbox { to, delimiter } = &after.kind else { return Ok(Vec::new()) };
    let from = &after.mailbox;
    let (old, new, condition) = match (before.state.pending(), after.state.pending()) {
        (true, false) if after.state == OpState::Settled => (from, to, "id < ?2"),
        (true, false) => (to, from, "id > ?2"),
        // A parked one is tried again.
        (false, true) => (from, to, "id > ?2"),
        _ => return Ok(Vec::new()),
    };
    let mut touched = Vec::new();
    for mut other in select(tx, &format!("account = ?1 AND {condition}"), (after.account.as_str(), after.id.0))? {
        if !other.follow(old, new, *delimiter) {
            continue;
        }
        let sql = "UPDATE operation SET mailbox = ?2, kind = ?3 WHERE id = ?1";
        tx.conn().prepare_cached(sql)?.execute((other.id.0, other.mailbox.as_str(), text(&other.kind)?))?;
        tx.note(Topic::Journal(other.account.clone()));
        if other.state.pending() {
            touched.push(other);
        }
    }
    Ok(touched)
}
