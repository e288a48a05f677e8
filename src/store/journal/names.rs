//! names — what the state says of mailboxes goes by their names; when one is renamed, all of it follows.
//! Owns: `renamed`, `divided`, `placed`, `aim`. May import: mail.
//! Start reading at: `rewrite`. What was wished before a rename names the old mailbox until the server has renamed it; what
//! was wished afterwards names the new one, unless the rename comes to nothing. What does not wait for the server (`choices`: what is
//! kept here, files that were asked for, where the copy of a draft lies) goes by the name that the person sees.

use super::{find, select, text};
use crate::mail::ids::{AccountName, OpId};
use crate::mail::intent::{OpKind, OpState, Operation};
use crate::mail::mailbox::MailboxPath;
use crate::mail::meant::Meant;
use crate::store::change::Topic;
use crate::store::error::Result;
use crate::store::open::State;
use crate::store::writer::Tx;

/// The tables beside the journal that name mailboxes as the person sees them, in columns `account` and `mailbox`.
const SHOWN: [&str; 3] = ["choice", "asked", "draft_copy"];

/// The person renames a mailbox: it is shown under its new name from now on.
pub(super) fn wished(tx: &Tx<'_, State>, new: &Operation) -> Result<()> {
    match &new.kind {
        OpKind::RenameMailbox { to, delimiter } => shown(tx, &new.account, &new.mailbox, to, *delimiter),
        _ => Ok(()),
    }
}

/// After a change of an operation that renames a mailbox: all others go by the name that counts now. Gives those that are
/// pending.
pub(super) fn follow(tx: &mut Tx<'_, State>, before: &Operation, after: &Operation) -> Result<Vec<Operation>> {
    let OpKind::RenameMailbox { to, delimiter } = &after.kind else { return Ok(Vec::new()) };
    let from = &after.mailbox;
    let (old, new, condition) = match (before.state.pending(), after.state.pending()) {
        (true, false) if after.state == OpState::Settled => (from, to, "id < ?4"),
        (true, false) => (to, from, "id > ?4"),
        // A parked one is tried again.
        (false, true) => (from, to, "id > ?4"),
        _ => return Ok(Vec::new()),
    };
    if after.state != OpState::Settled {
        shown(tx, &after.account, old, new, *delimiter)?;
    }
    let others = naming(tx, &after.account, old, condition, after.id.0)?;
    rewrite(tx, others, old, new, *delimiter)
}

/// Somebody else renamed a mailbox: all goes by its new name. Gives the operations that are pending.
///
/// # Errors
/// As every transaction.
pub fn renamed(tx: &mut Tx<'_, State>, account: &AccountName, from: &MailboxPath, to: &MailboxPath) -> Result<Vec<Operation>> {
    shown(tx, account, from, to, None)?;
    let all = naming(tx, account, from, "id > ?4", 0)?;
    rewrite(tx, all, from, to, None)
}

/// It is known now what divides the parts of an account's names. A mailbox that the person renamed before that takes along what lies
/// below it: what was wished since of what was shown there under its old name is wished of the new one, unless a mailbox was made
/// there anew. Whether there was such a one.
///
/// # Errors
/// As every transaction.
pub fn divided(tx: &mut Tx<'_, State>, account: &AccountName, delimiter: char) -> Result<bool> {
    let mut any = false;
    for mut operation in super::pending(tx, Some(account))? {
        let from = operation.mailbox.clone();
        let OpKind::RenameMailbox { to, delimiter: known @ None } = &mut operation.kind else { continue };
        *known = Some(delimiter);
        let to = to.clone();
        rename(tx, &operation)?;
        any = true;
        let since = naming(tx, account, &from, "id > ?4", operation.id.0)?;
        let makes = |op: &Operation| match &op.kind {
            OpKind::CreateMailbox { .. } => op.mailbox.is_within(&from, Some(delimiter)),
            OpKind::RenameMailbox { to, .. } => to.is_within(&from, Some(delimiter)),
            _ => false,
        };
        if !since.iter().any(makes) {
            shown(tx, account, &from, &to, Some(delimiter))?;
            rewrite(tx, since, &from, &to, Some(delimiter))?;
        }
    }
    Ok(any)
}

/// It is known now where that goes for which `make` was to make a mailbox: to `path`, which is `there` without that. What was wished since
/// of the mailbox that was shown until now is wished of that one, which is the one that is `meant`. Whether anything changed.
///
/// # Errors
/// As every transaction.
pub fn placed(
    tx: &mut Tx<'_, State>,
    account: &AccountName,
    make: OpId,
    path: &MailboxPath,
    there: bool,
    meant: &Meant,
) -> Result<bool> {
    // Told, or taken back, meanwhile.
    let Some(make) = find(tx, make)?.filter(|op| op.state == OpState::Queued) else { return Ok(false) };
    let moves = make.mailbox != *path;
    if moves {
        shown(tx, account, &make.mailbox, path, None)?;
        let since = naming(tx, account, &make.mailbox, "id >= ?4", make.id.0)?;
        for mut other in rewrite(tx, since, &make.mailbox, path, None)? {
            if other.mailbox == *path && !other.here.is_known() {
                other.here = meant.clone();
            }
            if matches!(&other.kind, OpKind::Move { to } | OpKind::Copy { to } if to == path) && !other.there.is_known() {
                other.there = meant.clone();
            }
            super::write(tx, &other)?;
        }
    }
    if there {
        super::update(tx, make.id, |op| {
            op.state = OpState::Moot;
            Ok(())
        })?;
    }
    Ok(moves || there)
}

/// Which of the two mailboxes that an operation names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Named {
    /// Its own.
    Here,
    /// The one that messages go to.
    There,
}

/// What one operation means by `from` is called `to` now; others may mean another one by the same name. Nothing if it is not
/// pending any more, or names another one by now.
///
/// # Errors
/// As every transaction.
pub fn aim(tx: &mut Tx<'_, State>, id: OpId, named: Named, from: &MailboxPath, to: &MailboxPath) -> Result<()> {
    let Some(mut operation) = find(tx, id)?.filter(|operation| operation.state.pending()) else { return Ok(()) };
    let name = match (named, &mut operation.kind) {
        (Named::Here, _) => Some(&mut operation.mailbox),
        (Named::There, OpKind::Move { to } | OpKind::Copy { to }) => Some(to),
        _ => None,
    };
    let Some(name) = name.filter(|name| *name == from) else { return Ok(()) };
    *name = to.clone();
    rename(tx, &operation)
}

/// The operations that may name a mailbox or one below it, done ones too. There may be years of others.
fn naming(tx: &Tx<'_, State>, account: &AccountName, path: &MailboxPath, which: &str, than: i64) -> Result<Vec<Operation>> {
    let inside = text(path.as_str())?;
    let inside = inside.trim_matches('"');
    let condition = format!("account = ?1 AND (instr(mailbox, ?2) = 1 OR instr(kind, ?3) > 0) AND {which}");
    select(tx, &condition, (account.as_str(), path.as_str(), inside, than))
}

fn shown(tx: &Tx<'_, State>, account: &AccountName, from: &MailboxPath, to: &MailboxPath, delimiter: Option<char>) -> Result<()> {
    for table in SHOWN {
        let sql = format!("SELECT DISTINCT mailbox FROM {table} WHERE account = ?1");
        let names: Vec<String> =
            tx.conn().prepare_cached(&sql)?.query_map([account.as_str()], |r| r.get(0))?.collect::<rusqlite::Result<_>>()?;
        for name in names {
            let Some(new) = MailboxPath::from_stored(&name).moved(from, to, delimiter) else { continue };
            let sql = format!("UPDATE OR REPLACE {table} SET mailbox = ?3 WHERE account = ?1 AND mailbox = ?2");
            tx.conn().prepare_cached(&sql)?.execute((account.as_str(), name, new.as_str()))?;
        }
    }
    Ok(())
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
        rename(tx, &other)?;
        if other.state.pending() {
            touched.push(other);
        }
    }
    Ok(touched)
}

/// Writes the names down that an operation has now.
fn rename(tx: &mut Tx<'_, State>, operation: &Operation) -> Result<()> {
    let sql = "UPDATE operation SET mailbox = ?2, kind = ?3 WHERE id = ?1";
    tx.conn().prepare_cached(sql)?.execute((operation.id.0, operation.mailbox.as_str(), text(&operation.kind)?))?;
    tx.note(Topic::Journal(operation.account.clone()));
    Ok(())
}
