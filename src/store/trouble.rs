//! trouble — what the server of a mailbox does wrong, and when: it outlives the process, so that no restart begins anew.
//! Owns: the tables `trouble` and `renumbered`. May import: mail.
//! Start reading at: `Trouble`. What follows from it the engine decides.

use super::change::Topic;
use super::error::Result;
use super::messages::from_i64;
use super::open::{Cache, Db};
use super::writer::Tx;
use crate::mail::ids::{AccountName, MailboxId};
use crate::mail::mailbox::MailboxPath;
use crate::mail::uid::UidValidity;
use rusqlite::{OptionalExtension, Row};

/// What is wrong with a mailbox. Dates are seconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Trouble {
    /// Rows that named no message, and were left out (security S-09).
    pub odd_rows: u64,
    /// When the server last contradicted itself (security S-10); 0 if it does not.
    pub inconsistent: i64,
    /// Since when it is read-only, for it does not keep its numbers (security S-22); 0 if it does.
    pub unstable: i64,
    /// The UIDVALIDITY of the last look at an unstable one.
    pub seen: UidValidity,
    /// Since when it has that.
    pub seen_since: i64,
}

const COLUMNS: &str = "t.odd_rows, t.inconsistent, t.unstable, t.seen, t.seen_since";

fn read(row: &Row<'_>) -> rusqlite::Result<Trouble> {
    Ok(Trouble {
        odd_rows: from_i64(row.get(0)?),
        inconsistent: row.get(1)?,
        unstable: row.get(2)?,
        seen: UidValidity(row.get(3)?),
        seen_since: row.get(4)?,
    })
}

/// Of one mailbox.
///
/// # Errors
/// As every question.
pub fn of(db: &Db<Cache>, mailbox: MailboxId) -> Result<Trouble> {
    let sql = format!("SELECT {COLUMNS} FROM trouble t WHERE t.mailbox = ?1");
    Ok(db.conn().prepare_cached(&sql)?.query_row([mailbox.0], read).optional()?.unwrap_or_default())
}

/// Of all mailboxes of an account in which anything is wrong, by name.
///
/// # Errors
/// As every question.
pub fn all(db: &Db<Cache>, account: &AccountName) -> Result<Vec<(MailboxPath, Trouble)>> {
    let sql = format!(
        "SELECT {COLUMNS}, m.path FROM trouble t JOIN mailbox m ON m.id = t.mailbox
         WHERE m.account = ?1 AND (t.odd_rows > 0 OR t.inconsistent > 0 OR t.unstable > 0) ORDER BY m.path"
    );
    let mut statement = db.conn().prepare_cached(&sql)?;
    let rows = statement
        .query_map([account.as_str()], |r| Ok((MailboxPath::from_stored(r.get_ref(5)?.as_str()?), read(r)?)))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

fn ensure(tx: &Tx<'_, Cache>, mailbox: MailboxId) -> Result<()> {
    tx.conn().prepare_cached("INSERT OR IGNORE INTO trouble (mailbox) VALUES (?1)")?.execute([mailbox.0])?;
    Ok(())
}

/// So many more rows named no message.
///
/// # Errors
/// As every transaction.
pub fn odd_rows(tx: &mut Tx<'_, Cache>, mailbox: MailboxId, count: u64) -> Result<()> {
    ensure(tx, mailbox)?;
    let sql = "UPDATE trouble SET odd_rows = odd_rows + ?2 WHERE mailbox = ?1";
    tx.conn().prepare_cached(sql)?.execute((mailbox.0, i64::try_from(count).unwrap_or(i64::MAX)))?;
    Ok(())
}

/// The server contradicted itself at `at`; 0: it does not any more.
///
/// # Errors
/// As every transaction.
pub fn inconsistent(tx: &mut Tx<'_, Cache>, mailbox: MailboxId, at: i64) -> Result<()> {
    ensure(tx, mailbox)?;
    tx.conn().prepare_cached("UPDATE trouble SET inconsistent = ?2 WHERE mailbox = ?1")?.execute((mailbox.0, at))?;
    tx.note(Topic::Mailboxes);
    Ok(())
}

/// The mailbox was numbered anew at `now`; of what was more than `span` seconds before nobody asks any more.
///
/// # Errors
/// As every transaction.
pub fn renumbered(tx: &mut Tx<'_, Cache>, mailbox: MailboxId, now: i64, span: i64) -> Result<()> {
    let sql = "DELETE FROM renumbered WHERE mailbox = ?1 AND at <= ?2";
    tx.conn().prepare_cached(sql)?.execute((mailbox.0, now.saturating_sub(span)))?;
    tx.conn().prepare_cached("INSERT INTO renumbered (mailbox, at) VALUES (?1, ?2)")?.execute((mailbox.0, now))?;
    Ok(())
}

/// How often it was numbered anew after `since`. What seems to lie ahead counts too: the clock was set.
///
/// # Errors
/// As every question.
pub fn renumberings(db: &Db<Cache>, mailbox: MailboxId, since: i64) -> Result<usize> {
    let sql = "SELECT count(*) FROM renumbered WHERE mailbox = ?1 AND at > ?2";
    let count: u32 = db.conn().prepare_cached(sql)?.query_row((mailbox.0, since), |r| r.get(0))?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

/// At `now` it had these numbers, and does not keep them: it is left as it is.
///
/// # Errors
/// As every transaction.
pub fn unstable(tx: &mut Tx<'_, Cache>, mailbox: MailboxId, seen: UidValidity, now: i64) -> Result<()> {
    ensure(tx, mailbox)?;
    let sql = "UPDATE trouble SET unstable = CASE WHEN unstable = 0 THEN ?3 ELSE unstable END, seen = ?2,
               seen_since = CASE WHEN seen = ?2 AND seen_since > 0 THEN seen_since ELSE ?3 END WHERE mailbox = ?1";
    tx.conn().prepare_cached(sql)?.execute((mailbox.0, seen.0, now.max(1)))?;
    tx.note(Topic::Mailboxes);
    Ok(())
}

/// It keeps its numbers.
///
/// # Errors
/// As every transaction.
pub fn stable(tx: &mut Tx<'_, Cache>, mailbox: MailboxId) -> Result<()> {
    let sql = "UPDATE trouble SET unstable = 0, seen = 0, seen_since = 0 WHERE mailbox = ?1 AND unstable > 0";
    if tx.conn().prepare_cached(sql)?.execute([mailbox.0])? > 0 {
        tx.note(Topic::Mailboxes);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::rights::{Right, Rights};
    use crate::store::{Store, limits, mailboxes, tests::quiet};

    #[test]
    fn it_is_kept_and_ends() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), quiet()).unwrap();
        let account = AccountName::new("a");
        let inbox = store.cache(|tx| mailboxes::ensure(tx, &AccountName::new("a"), &MailboxPath::inbox())).unwrap();
        let now = || store.read(|db| of(db, inbox)).unwrap();
        assert_eq!((now(), store.read(|db| all(db, &account)).unwrap()), (Trouble::default(), vec![]));
        for at in [100, 200, 5_000] {
            store.cache(move |tx| renumbered(tx, inbox, at, 3_600)).unwrap();
        }
        let count = |since| store.read(|db| renumberings(db, inbox, since)).unwrap();
        assert_eq!((count(0), count(5_000)), (1, 0), "what is long ago is forgotten");
        // The same numbers for a while, then others.
        for (seen, at) in [(7, 10), (7, 20), (8, 30)] {
            store.cache(move |tx| unstable(tx, inbox, UidValidity(seen), at)).unwrap();
        }
        assert_eq!((now().unstable, now().seen, now().seen_since), (10, UidValidity(8), 30));
        let row = || store.read(|db| mailboxes::get(db, inbox)).unwrap();
        assert!(row().rights.is_some_and(|r| r.can(Right::Read) && !r.can(Right::Insert)), "it is read-only");
        store.cache(move |tx| limits::record_rights(tx, inbox, Rights::parse("lrswi"))).unwrap();
        assert!(!row().rights.unwrap().can(Right::Insert));
        store.cache(move |tx| stable(tx, inbox)).unwrap();
        assert!((now().unstable, now().seen_since) == (0, 0) && row().rights.unwrap().can(Right::Insert));
        store.cache(move |tx| odd_rows(tx, inbox, 3).and_then(|()| odd_rows(tx, inbox, 2))).unwrap();
        store.cache(move |tx| inconsistent(tx, inbox, 9)).unwrap();
        assert_eq!((now().odd_rows, now().inconsistent), (5, 9));
        assert_eq!(store.read(|db| all(db, &account)).unwrap(), [(MailboxPath::inbox(), now())]);
    }
}
