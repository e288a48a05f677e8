//! choices — mailboxes of which the person chose in the reader what is kept on this machine.
//! Owns: the table `choice`. May import: mail.
//! Start reading at: `put`. A mailbox is named by its path as the person sees it; when it is renamed, `journal/names.rs` takes
//! the choice along.

use super::change::Topic;
use super::error::Result;
use super::open::{Db, State};
use super::writer::Tx;
use crate::mail::ids::AccountName;
use crate::mail::mailbox::MailboxPath;
use std::collections::BTreeMap;

/// Which mailboxes: true where all texts are kept, false where none comes ahead of need.
pub type Choices = BTreeMap<(AccountName, MailboxPath), bool>;

/// Writes a choice down; without one the configuration holds again.
///
/// # Errors
/// As every transaction.
pub fn put(tx: &mut Tx<'_, State>, account: &AccountName, mailbox: &MailboxPath, keep: Option<bool>) -> Result<()> {
    let at = (account.as_str(), mailbox.as_str());
    match keep {
        Some(keep) => {
            let sql = "INSERT OR REPLACE INTO choice (account, mailbox, keep) VALUES (?1, ?2, ?3)";
            tx.conn().prepare_cached(sql)?.execute((at.0, at.1, keep))?;
        }
        None => {
            tx.conn().prepare_cached("DELETE FROM choice WHERE account = ?1 AND mailbox = ?2")?.execute(at)?;
        }
    }
    tx.note(Topic::Mailboxes);
    Ok(())
}

/// All of them.
///
/// # Errors
/// As every question.
pub fn all(db: &Db<State>) -> Result<Choices> {
    let mut statement = db.conn().prepare_cached("SELECT account, mailbox, keep FROM choice")?;
    let rows = statement.query_map([], |r| {
        let account = AccountName::new(r.get_ref(0)?.as_str()?);
        Ok(((account, MailboxPath::from_stored(r.get_ref(1)?.as_str()?)), r.get(2)?))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
