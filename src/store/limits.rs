//! limits — what the person may do to a mailbox, and how much room an account has, as the server said last.
//! Owns: the column `rights` of `mailbox`, the table `quota`. May import: mail.
//! Start reading at: `record_quota`. Both are told to be obeyed and shown; the server decides.

use super::change::Topic;
use super::error::Result;
use super::messages::from_i64;
use super::open::{Cache, Db};
use super::writer::Tx;
use crate::mail::ids::{AccountName, MailboxId};
use crate::mail::rights::{Quota, Rights};

/// Records what the person may do to a mailbox.
///
/// # Errors
/// As every transaction.
pub fn record_rights(tx: &mut Tx<'_, Cache>, mailbox: MailboxId, rights: Rights) -> Result<()> {
    let sql = "UPDATE mailbox SET rights = ?2 WHERE id = ?1 AND rights IS NOT ?2";
    if tx.conn().prepare_cached(sql)?.execute((mailbox.0, rights.letters()))? > 0 {
        tx.note(Topic::Mailboxes);
    }
    Ok(())
}

/// Records all quota roots of an account; those that are not among them go.
///
/// # Errors
/// As every transaction.
pub fn record_quota(tx: &mut Tx<'_, Cache>, account: &AccountName, roots: &[Quota]) -> Result<()> {
    if quota(tx, account)? == roots {
        return Ok(());
    }
    tx.conn().prepare_cached("DELETE FROM quota WHERE account = ?1")?.execute([account.as_str()])?;
    let sql = "INSERT OR REPLACE INTO quota (account, root, storage_used, storage_limit, messages_used, messages_limit)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    for root in roots {
        let pair = |limited: Option<(u64, u64)>| {
            limited.map_or((0, -1), |(used, limit)| {
                (i64::try_from(used).unwrap_or(i64::MAX), i64::try_from(limit).unwrap_or(i64::MAX))
            })
        };
        let (storage, messages) = (pair(root.storage), pair(root.messages));
        tx.conn().prepare_cached(sql)?.execute((account.as_str(), &root.root, storage.0, storage.1, messages.0, messages.1))?;
    }
    tx.note(Topic::Mailboxes);
    Ok(())
}

/// The quota roots of an account, by name; none where the server has no quota, or was not asked.
///
/// # Errors
/// As every question.
pub fn quota(db: &Db<Cache>, account: &AccountName) -> Result<Vec<Quota>> {
    let sql =
        "SELECT root, storage_used, storage_limit, messages_used, messages_limit FROM quota WHERE account = ?1 ORDER BY root";
    let mut statement = db.conn().prepare_cached(sql)?;
    let rows = statement.query_map([account.as_str()], |r| {
        let pair = |used: i64, limit: i64| (limit >= 0).then(|| (from_i64(used), from_i64(limit)));
        Ok(Quota { root: r.get(0)?, storage: pair(r.get(1)?, r.get(2)?), messages: pair(r.get(3)?, r.get(4)?) })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::mailbox::MailboxPath;
    use crate::store::{Store, mailboxes, tests::quiet};

    #[test]
    fn rights_and_room_are_as_they_were_told_last() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), quiet()).unwrap();
        let account = AccountName::new("a");
        let inbox = store.cache(|tx| mailboxes::ensure(tx, &AccountName::new("a"), &MailboxPath::inbox())).unwrap();
        let row = || store.read(|db| mailboxes::get(db, inbox)).unwrap();
        assert_eq!(row().rights, None);
        store.cache(move |tx| record_rights(tx, inbox, Rights::parse("lrs"))).unwrap();
        assert_eq!(row().rights, Some(Rights::parse("lrs")));
        // A mailbox in which nothing may be done is not one of which nothing is known.
        store.cache(move |tx| record_rights(tx, inbox, Rights::parse(""))).unwrap();
        assert_eq!(row().rights, Some(Rights::default()));

        let root = |name: &str, storage, messages| Quota { root: name.to_owned(), storage, messages };
        let first = vec![root("", Some((900, 1000)), None), root("shared", None, Some((3, u64::MAX >> 1)))];
        let again = vec![root("", Some((0, 0)), None)];
        for roots in [first, again, vec![]] {
            let (told, name) = (roots.clone(), account.clone());
            store.cache(move |tx| record_quota(tx, &name, &told)).unwrap();
            assert_eq!(store.read(|db| quota(db, &account)).unwrap(), roots);
        }
    }
}
