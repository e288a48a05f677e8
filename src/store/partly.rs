//! partly — how far a pass came that a broken line ended.
//! Owns: the table `partly`. May import: mail.
//! Start reading at: `put`. It lies beside the placements that it is about; when the base of its mailbox is recorded it goes.

use super::error::Result;
use super::messages::from_i64;
use super::open::{Cache, Db};
use super::writer::Tx;
use crate::mail::ids::MailboxId;
use crate::mail::uid::{ModSeq, UidSet, UidValidity};
use rusqlite::OptionalExtension;

/// Messages of which is known how they stood while the line held.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Partly {
    /// UIDVALIDITY of their numbers.
    pub uidvalidity: UidValidity,
    /// Every change of them up to this is recorded; 0 without CONDSTORE.
    pub since: ModSeq,
    /// When the first of these passes broke off, seconds since 1970.
    pub at: i64,
    /// Them.
    pub uids: UidSet,
    /// How many messages the next pass asks for at first; 0 as usual.
    pub at_once: u32,
}

/// Of one mailbox; nothing if its last pass came to its end.
///
/// # Errors
/// As every question.
pub fn load(db: &Db<Cache>, mailbox: MailboxId) -> Result<Option<Partly>> {
    let sql = "SELECT uidvalidity, since, at, uids, at_once FROM partly WHERE mailbox = ?1";
    let found = db.conn().prepare_cached(sql)?.query_row([mailbox.0], |r| {
        let uids: String = r.get(3)?;
        Ok(Partly {
            uidvalidity: UidValidity(r.get(0)?),
            since: ModSeq(from_i64(r.get(1)?)),
            at: r.get(2)?,
            // What was damaged is asked again.
            uids: UidSet::parse(&uids, 0).unwrap_or_default(),
            at_once: r.get(4)?,
        })
    });
    Ok(found.optional()?)
}

/// Records how far a pass came; when the first of several broke off stays.
///
/// # Errors
/// As every transaction.
pub fn put(tx: &mut Tx<'_, Cache>, mailbox: MailboxId, partly: &Partly) -> Result<()> {
    let sql = "INSERT INTO partly (mailbox, uidvalidity, since, at, uids, at_once) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
               ON CONFLICT (mailbox) DO UPDATE SET uidvalidity = ?2, since = ?3, uids = ?5, at_once = ?6,
               at = CASE WHEN uidvalidity = ?2 THEN at ELSE ?4 END";
    let since = i64::try_from(partly.since.0).unwrap_or(i64::MAX);
    let uids = if partly.uids.is_empty() { String::new() } else { partly.uids.to_string() };
    tx.conn().prepare_cached(sql)?.execute((mailbox.0, partly.uidvalidity.0, since, partly.at, uids, partly.at_once))?;
    Ok(())
}

/// A pass came to its end.
///
/// # Errors
/// As every transaction.
pub fn over(tx: &mut Tx<'_, Cache>, mailbox: MailboxId) -> Result<()> {
    tx.conn().prepare_cached("DELETE FROM partly WHERE mailbox = ?1")?.execute([mailbox.0])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::ids::AccountName;
    use crate::mail::mailbox::MailboxPath;
    use crate::store::{Store, mailboxes, tests::quiet};

    #[test]
    fn it_stays_until_a_pass_comes_to_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), quiet()).unwrap();
        let inbox = store.cache(|tx| mailboxes::ensure(tx, &AccountName::new("a"), &MailboxPath::inbox())).unwrap();
        let now = |validity, at, uids: &str| Partly {
            uidvalidity: UidValidity(validity),
            since: ModSeq(9),
            at,
            uids: UidSet::parse(uids, 0).unwrap_or_default(),
            at_once: 3,
        };
        let load = || store.read(|db| load(db, inbox)).unwrap();
        assert_eq!(load(), None);
        let write = |partly: &Partly| {
            let partly = partly.clone();
            store.cache(move |tx| put(tx, inbox, &partly)).unwrap();
        };
        write(&now(7, 100, ""));
        assert_eq!(load(), Some(now(7, 100, "")));
        write(&now(7, 200, "1:5,9"));
        assert_eq!(load(), Some(now(7, 100, "1:5,9")), "the first of them was then");
        write(&now(8, 300, "2"));
        assert_eq!(load(), Some(now(8, 300, "2")));
        store.cache(move |tx| over(tx, inbox)).unwrap();
        assert_eq!(load(), None);
    }
}
