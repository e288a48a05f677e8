//! names — operations name mailboxes; when one is renamed, they follow.
//! Owns: `renamed`. May import: mail.
//! Start reading at: `rewrite`. What was wished before a rename names the old mailbox until the server has renamed it; what
//! was wished afterwards names the new one, unless the rename comes to nothing.

use super::{select, text};
use crate::mail::ids::AccountName;
use crate::mail::intent::{OpKind, OpState, Operation};
use crate::mail::mailbox::MailboxPath;
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
    let others = select(tx, &format!("account = ?1 AND {condition}"), (after.account.as_str(), after.id.0))?;
    rewrite(tx, others, old, new, *delimiter)
}

/// Somebody else renamed a mailbox: all operations go by its new name. Gives those that are pending.
///
/// # Errors
/// As every transaction.
pub fn renamed(tx: &mut Tx<'_, State>, account: &AccountName, from: &MailboxPath, to: &MailboxPath) -> Result<Vec<Operation>> {
    let all = select(tx, "account = ?1", [account.as_str()])?;
    rewrite(tx, all, from, to, None)
}

fn rewrite(
    tx: &mut Tx<'_, State>,
    operations: Vec<Operation>,
    from: &MailboxPath,
    to: &MailboxPath,
    delimiter: Option<char>,
) -> Result<Vec<Operation>> {
    let mut touched = Vec::new();
    for mut other in operations {
        if !other.follow(from, to, delimiter) {
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
