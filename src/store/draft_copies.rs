//! draft_copies — where on its server the copy of a draft lies.
//! Owns: the table `draft_copy`. May import: mail.
//! Start reading at: `DraftCopy`. It is written in the transaction that queues the append and the removal of the copy before,
//! so a crash leaves neither two copies nor a draft that does not know its own.

use super::error::{Result, StoreError};
use super::open::{Db, State};
use super::writer::Tx;
use crate::mail::draft::Draft;
use crate::mail::ids::{AccountName, DraftId, OpId};
use crate::mail::intent::Target;
use crate::mail::mailbox::MailboxPath;
use rusqlite::{OptionalExtension, Row};

/// The copy of one draft.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DraftCopy {
    /// Of which draft.
    pub draft: DraftId,
    /// On whose server.
    pub account: AccountName,
    /// In which mailbox.
    pub mailbox: MailboxPath,
    /// The message there, or the append that will make it.
    pub target: Target,
    /// The append that made it, if it was ours.
    pub op: Option<OpId>,
    /// Its `Message-ID`, or `""`.
    pub message_id: String,
    /// What it holds, as [`digest`] has it; `""` for what another program wrote.
    pub holds: String,
}

/// A draft as one text, to see whether a copy still holds it.
///
/// # Errors
/// None in practice: a draft is always text.
pub fn digest(draft: &Draft) -> Result<String> {
    serde_json::to_string(draft).map_err(|e| StoreError::invalid(&e.to_string()))
}

fn read(row: &Row<'_>) -> rusqlite::Result<DraftCopy> {
    let op: i64 = row.get(4)?;
    let target = serde_json::from_str(row.get_ref(3)?.as_str()?);
    Ok(DraftCopy {
        draft: DraftId(row.get(0)?),
        account: AccountName::new(row.get_ref(1)?.as_str()?),
        mailbox: MailboxPath::from_stored(row.get_ref(2)?.as_str()?),
        target: target.map_err(|e| rusqlite::Error::FromSqlConversionFailure(3, rusqlite::types::Type::Text, Box::new(e)))?,
        op: (op != 0).then_some(OpId(op)),
        message_id: row.get(5)?,
        holds: row.get(6)?,
    })
}

const COLUMNS: &str = "draft, account, mailbox, target, op, message_id, holds";

/// The copy of a draft, if it has one.
///
/// # Errors
/// As every question.
pub fn get(db: &Db<State>, draft: DraftId) -> Result<Option<DraftCopy>> {
    let sql = format!("SELECT {COLUMNS} FROM draft_copy WHERE draft = ?1");
    Ok(db.conn().prepare_cached(&sql)?.query_row([draft.0], read).optional()?)
}

/// All copies.
///
/// # Errors
/// As every question.
pub fn list(db: &Db<State>) -> Result<Vec<DraftCopy>> {
    let sql = format!("SELECT {COLUMNS} FROM draft_copy ORDER BY draft");
    Ok(db.conn().prepare_cached(&sql)?.query_map([], read)?.collect::<rusqlite::Result<_>>()?)
}

/// Writes down where the copy of a draft lies now.
///
/// # Errors
/// As every transaction.
pub fn put(tx: &mut Tx<'_, State>, copy: &DraftCopy) -> Result<()> {
    let sql = format!("INSERT OR REPLACE INTO draft_copy ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
    let target = serde_json::to_string(&copy.target).map_err(|e| StoreError::invalid(&e.to_string()))?;
    tx.conn().prepare_cached(&sql)?.execute((
        copy.draft.0,
        copy.account.as_str(),
        copy.mailbox.as_str(),
        target,
        copy.op.map_or(0, |op| op.0),
        &copy.message_id,
        &copy.holds,
    ))?;
    Ok(())
}

/// The draft has no copy any more, as far as we know.
///
/// # Errors
/// As every transaction.
pub fn remove(tx: &mut Tx<'_, State>, draft: DraftId) -> Result<()> {
    tx.conn().execute("DELETE FROM draft_copy WHERE draft = ?1", [draft.0])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Store, tests::quiet};

    #[test]
    fn a_copy_is_found_again_and_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), quiet()).unwrap();
        let copy = DraftCopy {
            draft: DraftId(4),
            account: AccountName::new("a"),
            mailbox: MailboxPath::from_typed("Entwürfe"),
            target: Target::ResultOf { op: OpId(9), index: 0 },
            op: Some(OpId(9)),
            message_id: "x@y".to_owned(),
            holds: digest(&Draft::default()).unwrap(),
        };
        let kept = copy.clone();
        store.state(move |tx| put(tx, &kept)).unwrap();
        assert_eq!(store.read_state(|db| get(db, DraftId(4))).unwrap(), Some(copy.clone()));
        let later = DraftCopy { op: None, ..copy };
        let kept = later.clone();
        store.state(move |tx| put(tx, &kept)).unwrap();
        assert_eq!(store.read_state(list).unwrap(), [later]);
        store.state(|tx| remove(tx, DraftId(4))).unwrap();
        assert_eq!(store.read_state(|db| get(db, DraftId(4))).unwrap(), None);
    }
}
