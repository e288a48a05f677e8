//! levels — a list of mailboxes that comes level by level, over lines that break before a whole one is told.
//! Owns: the table `level`. May import: mail.
//! Start reading at: `Levels`. Until the last level is here nobody knows which mailboxes are gone: `mailboxes` has what is shown.

use super::error::{Result, StoreError};
use super::open::{Cache, Db};
use super::writer::Tx;
use crate::mail::ids::AccountName;
use crate::mail::mailbox::MailboxPath;
use crate::mail::server::ListedMailbox;

/// What is here of such a list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Levels {
    /// When it was begun, seconds since 1970.
    pub at: i64,
    /// How many lines in a row broke over a list.
    pub breaks: u32,
    /// Whether the top is still to be asked for.
    pub top: bool,
    /// The mailboxes, and whether what lies below each is still to be asked for.
    pub mailboxes: Vec<(ListedMailbox, bool)>,
}

/// The list of an account that was begun; nothing if none was.
///
/// # Errors
/// As every question.
pub fn load(db: &Db<Cache>, account: &AccountName) -> Result<Option<Levels>> {
    let sql = "SELECT path, listed, open, at FROM level WHERE account = ?1 ORDER BY path";
    let mut statement = db.conn().prepare_cached(sql)?;
    let mut rows = statement.query([account.as_str()])?;
    let mut found: Option<Levels> = None;
    while let Some(row) = rows.next()? {
        let levels = found.get_or_insert_with(Levels::default);
        let open: bool = row.get(2)?;
        levels.at = row.get(3)?;
        let (path, listed): (String, String) = (row.get(0)?, row.get(1)?);
        if path.is_empty() {
            (levels.top, levels.breaks) = (open, listed.parse().unwrap_or(1));
        } else if let Ok(listed) = serde_json::from_str(&listed) {
            levels.mailboxes.push((listed, open));
        } else {
            // What was damaged is asked for again, all of it.
            return Ok(None);
        }
    }
    Ok(found)
}

/// Begins one at `now` (seconds since 1970), after so many breaks: nothing of it is here.
///
/// # Errors
/// As every transaction.
pub fn begin(tx: &mut Tx<'_, Cache>, account: &AccountName, now: i64, breaks: u32) -> Result<()> {
    over(tx, account)?;
    let sql = "INSERT INTO level (account, path, listed, open, at) VALUES (?1, '', ?3, 1, ?2)";
    tx.conn().prepare_cached(sql)?.execute((account.as_str(), now, breaks.to_string()))?;
    Ok(())
}

/// One level came: what lies below `of`, or at the top.
///
/// # Errors
/// As every transaction.
pub fn came(tx: &mut Tx<'_, Cache>, account: &AccountName, of: Option<&MailboxPath>, rows: &[ListedMailbox]) -> Result<()> {
    let sql = "INSERT OR IGNORE INTO level (account, path, listed, open, at)
               SELECT ?1, ?2, ?3, ?4, at FROM level WHERE account = ?1 AND path = ''";
    for row in rows {
        let below = !row.leaf && row.delimiter.is_some();
        tx.conn().prepare_cached(sql)?.execute((account.as_str(), row.path.as_str(), json(row)?, below))?;
    }
    let sql = "UPDATE level SET open = 0 WHERE account = ?1 AND path = ?2";
    tx.conn().prepare_cached(sql)?.execute((account.as_str(), of.map_or("", MailboxPath::as_str)))?;
    Ok(())
}

/// More is known of these: how much is in them.
///
/// # Errors
/// As every transaction.
pub fn told(tx: &mut Tx<'_, Cache>, account: &AccountName, rows: &[ListedMailbox]) -> Result<()> {
    let sql = "UPDATE level SET listed = ?3 WHERE account = ?1 AND path = ?2";
    for row in rows {
        tx.conn().prepare_cached(sql)?.execute((account.as_str(), row.path.as_str(), json(row)?))?;
    }
    Ok(())
}

/// It is of no more use.
///
/// # Errors
/// As every transaction.
pub fn over(tx: &mut Tx<'_, Cache>, account: &AccountName) -> Result<()> {
    tx.conn().prepare_cached("DELETE FROM level WHERE account = ?1")?.execute([account.as_str()])?;
    Ok(())
}

fn json(row: &ListedMailbox) -> Result<String> {
    serde_json::to_string(row).map_err(|e| StoreError::invalid(&e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::server::{MailboxStatus, Space};
    use crate::store::{Store, tests::quiet};

    #[test]
    fn level_by_level() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), quiet()).unwrap();
        let me = AccountName::new("a");
        let load = || store.read(|db| load(db, &me)).unwrap();
        let one = |name: &str, leaf| ListedMailbox {
            path: MailboxPath::from_typed(name),
            delimiter: Some('/'),
            selectable: true,
            subscribed: true,
            role: None,
            status: None,
            space: Space::Personal,
            leaf,
        };
        assert_eq!(load(), None);
        let account = me.clone();
        store.cache(move |tx| begin(tx, &account, 7, 2)).unwrap();
        assert_eq!(load(), Some(Levels { at: 7, breaks: 2, top: true, mailboxes: Vec::new() }));
        let (account, top) = (me.clone(), [one("A", false), one("B", true)]);
        store.cache(move |tx| came(tx, &account, None, &top)).unwrap();
        let (account, below) = (me.clone(), [one("A/x", true), one("A", true)]);
        let expected = vec![(one("A", false), true), (one("B", true), false)];
        assert_eq!(load(), Some(Levels { at: 7, breaks: 2, top: false, mailboxes: expected }));
        store.cache(move |tx| came(tx, &account, Some(&MailboxPath::from_typed("A")), &below)).unwrap();
        let status = Some(MailboxStatus { messages: 3, ..MailboxStatus::default() });
        let (account, full) = (me.clone(), ListedMailbox { status, ..one("B", true) });
        let counted = full.clone();
        store.cache(move |tx| told(tx, &account, &[counted])).unwrap();
        let all = load().unwrap().mailboxes;
        assert_eq!(all, [(one("A", false), false), (one("A/x", true), false), (full, false)]);
        store.cache(move |tx| over(tx, &me)).unwrap();
    }
}
