//! partly — how far a pass came that a broken line ended.
//! Owns: the tables `partly` and `identified`. May import: mail.
//! Start reading at: `put`. It lies beside the placements that it is about; when the base of its mailbox is recorded it goes.

use super::error::Result;
use super::messages::from_i64;
use super::open::{Cache, Db};
use super::writer::Tx;
use crate::mail::envelope::MessageId;
use crate::mail::ids::MailboxId;
use crate::mail::server::{Fingerprint, IdentitySeen};
use crate::mail::uid::{ModSeq, Uid, UidSet, UidValidity};
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
    /// Numbers of which is known whether a message has them.
    pub looked: UidSet,
    /// Those of them that one has.
    pub there: UidSet,
    /// Of how many numbers the next pass asks at a time; 0 of all.
    pub span: u32,
}

/// Of one mailbox; nothing if its last pass came to its end.
///
/// # Errors
/// As every question.
pub fn load(db: &Db<Cache>, mailbox: MailboxId) -> Result<Option<Partly>> {
    let sql = "SELECT uidvalidity, since, at, uids, at_once, looked, there, span FROM partly WHERE mailbox = ?1";
    let found = db.conn().prepare_cached(sql)?.query_row([mailbox.0], |r| {
        // What was damaged is asked again.
        let set = |column| Ok::<_, rusqlite::Error>(UidSet::parse(r.get_ref(column)?.as_str()?, 0).unwrap_or_default());
        let (looked, there) = (set(5)?, set(6)?);
        Ok(Partly {
            uidvalidity: UidValidity(r.get(0)?),
            since: ModSeq(from_i64(r.get(1)?)),
            at: r.get(2)?,
            uids: set(3)?,
            at_once: r.get(4)?,
            // Half of it would say that messages are gone.
            there: if there.difference(&looked).is_empty() { there } else { UidSet::new() },
            looked,
            span: r.get(7)?,
        })
    });
    Ok(found.optional()?)
}

/// Records how far a pass came; when the first of several broke off stays.
///
/// # Errors
/// As every transaction.
pub fn put(tx: &mut Tx<'_, Cache>, mailbox: MailboxId, partly: &Partly) -> Result<()> {
    let sql = "INSERT INTO partly (mailbox, uidvalidity, since, at, uids, at_once, looked, there, span)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
               ON CONFLICT (mailbox) DO UPDATE SET uidvalidity = ?2, since = ?3, uids = ?5, at_once = ?6, looked = ?7, there = ?8,
               span = ?9, at = CASE WHEN uidvalidity = ?2 THEN at ELSE ?4 END";
    let since = i64::try_from(partly.since.0).unwrap_or(i64::MAX);
    let text = |set: &UidSet| if set.is_empty() { String::new() } else { set.to_string() };
    let (uids, looked, there) = (text(&partly.uids), text(&partly.looked), text(&partly.there));
    let row = (mailbox.0, partly.uidvalidity.0, since, partly.at, uids, partly.at_once, looked, there, partly.span);
    tx.conn().prepare_cached(sql)?.execute(row)?;
    Ok(())
}

/// A pass came to its end.
///
/// # Errors
/// As every transaction.
pub fn over(tx: &mut Tx<'_, Cache>, mailbox: MailboxId) -> Result<()> {
    tx.conn().prepare_cached("DELETE FROM partly WHERE mailbox = ?1")?.execute([mailbox.0])?;
    tx.conn().prepare_cached("DELETE FROM identified WHERE mailbox = ?1")?.execute([mailbox.0])?;
    Ok(())
}

/// Records what tells the messages of a mailbox apart that was numbered anew.
///
/// # Errors
/// As every transaction.
pub fn identified(tx: &mut Tx<'_, Cache>, mailbox: MailboxId, uidvalidity: UidValidity, rows: &[IdentitySeen]) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO identified (mailbox, uidvalidity, uid, message_id, size, received, object_id)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let mut statement = tx.conn().prepare_cached(sql)?;
    for IdentitySeen { uid, print } in rows {
        let id = print.message_id.as_ref().map_or("", MessageId::as_str);
        let size = i64::try_from(print.size).unwrap_or(i64::MAX);
        statement.execute((mailbox.0, uidvalidity.0, uid.get(), id, size, print.received, &print.object_id))?;
    }
    Ok(())
}

/// What was recorded so for this UIDVALIDITY.
///
/// # Errors
/// As every question.
pub fn prints(db: &Db<Cache>, mailbox: MailboxId, uidvalidity: UidValidity) -> Result<Vec<IdentitySeen>> {
    let sql = "SELECT uid, message_id, size, received, object_id FROM identified WHERE mailbox = ?1 AND uidvalidity = ?2";
    let mut statement = db.conn().prepare_cached(sql)?;
    let rows = statement.query_map((mailbox.0, uidvalidity.0), |r| {
        let message_id = MessageId::new(r.get_ref(1)?.as_str()?);
        let print = Fingerprint { message_id, size: from_i64(r.get(2)?), received: r.get(3)?, object_id: r.get(4)? };
        Ok(Uid::new(r.get(0)?).map(|uid| IdentitySeen { uid, print }))
    })?;
    Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?.into_iter().flatten().collect())
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
            looked: UidSet::range(4, 9),
            there: UidSet::range(5, 7),
            span: 64,
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
        let print = |n: u64| Fingerprint { size: n, message_id: MessageId::new("a@b"), received: 9, object_id: "o".to_owned() };
        let rows: Vec<IdentitySeen> =
            [(1, 7), (2, 8)].map(|(uid, n)| IdentitySeen { uid: Uid::new(uid).unwrap(), print: print(n) }).to_vec();
        let (given, twice) = (rows.clone(), rows[..1].to_vec());
        store.cache(move |tx| identified(tx, inbox, UidValidity(8), &given)).unwrap();
        store.cache(move |tx| identified(tx, inbox, UidValidity(8), &twice)).unwrap();
        let prints = |validity| store.read(|db| prints(db, inbox, UidValidity(validity))).unwrap();
        assert_eq!((prints(8), prints(7)), (rows, Vec::new()));
        store.cache(move |tx| over(tx, inbox)).unwrap();
        assert_eq!((load(), prints(8)), (None, Vec::new()));
    }
}
