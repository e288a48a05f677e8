//! words — messages whose bytes are here and were not read yet: what a list shows of their texts and what the index has of them comes
//! later than they do.
//! Owns: the index `message_unread`. May import: mail.
//! Start reading at: `kept`. The queue is the rows themselves, so that nothing of it is lost however the program ends.

use super::bodies::{self, Reading};
use super::error::Result;
use super::open::{Cache, Db};
use super::writer::Tx;
use super::{messages, parts, placements};
use crate::mail::ids::{AccountName, MessageKey};

/// Records that the bytes of a message are in `blobs/` under the name `blob`, and how many octets they are; what they say is read
/// later. May be repeated.
///
/// # Errors
/// As every transaction. That the message is gone meanwhile is no fault: its bytes are swept.
pub fn kept(tx: &mut Tx<'_, Cache>, message: MessageKey, blob: &str, octets: u64) -> Result<()> {
    let sql = "UPDATE message SET blob = ?2, held = max(?3, 1), indexed = min(indexed, 1) WHERE id = ?1";
    if tx.conn().prepare_cached(sql)?.execute((message.0, blob, messages::to_i64(octets)))? == 0 {
        return Ok(());
    }
    parts::superseded(tx, message)?;
    placements::note_body(tx, message)
}

/// The statement of [`next`].
pub(super) const NEXT: &str = "SELECT id, blob FROM message INDEXED BY message_unread
    WHERE account = ?1 AND blob <> '' AND indexed < 2 ORDER BY sort DESC LIMIT ?2";

/// What is to be read next of an account, and the names of the bytes, newest first.
///
/// # Errors
/// As every question.
pub fn next(db: &Db<Cache>, account: &AccountName, limit: u32) -> Result<Vec<(MessageKey, String)>> {
    let mut statement = db.conn().prepare_cached(NEXT)?;
    let rows = statement.query_map((account.as_str(), limit), |r| Ok((MessageKey(r.get(0)?), r.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// How many are to be read.
///
/// # Errors
/// As every question.
pub fn count(db: &Db<Cache>) -> Result<u64> {
    let sql = "SELECT count(*) FROM message INDEXED BY message_unread WHERE blob <> '' AND indexed < 2";
    Ok(messages::from_i64(db.conn().prepare_cached(sql)?.query_row([], |r| r.get(0))?))
}

/// Whether any is to be read: then a search may not find all.
pub(super) fn any(db: &Db<Cache>) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM message INDEXED BY message_unread WHERE blob <> '' AND indexed < 2)";
    Ok(db.conn().prepare_cached(sql)?.query_row([], |r| r.get(0))?)
}

/// Records what the bytes `blob` of a message say; without a reading, that the disk lost them. Nothing happens if it has others
/// meanwhile, or none.
///
/// # Errors
/// As every transaction.
pub fn read(tx: &mut Tx<'_, Cache>, message: MessageKey, blob: &str, reading: Option<&Reading>) -> Result<()> {
    let same = "SELECT EXISTS (SELECT 1 FROM message WHERE id = ?1 AND blob = ?2)";
    if !tx.conn().prepare_cached(same)?.query_row((message.0, blob), |r| r.get::<_, bool>(0))? {
        return Ok(());
    }
    match reading {
        Some(reading) => {
            bodies::said(tx, message, reading)?;
            placements::note_body(tx, message)
        }
        None => bodies::forget(tx, message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::fixtures;
    use crate::mail::mailbox::MailboxPath;
    use crate::mail::query;
    use crate::mail::server::EnvelopeSeen;
    use crate::mail::uid::UidValidity;
    use crate::store::{Store, mailboxes, search, tests::quiet};
    use jiff::{civil::date, tz::TimeZone};

    #[test]
    fn what_came_waits_to_be_read_newest_first_and_a_search_says_that_there_may_be_more() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), quiet()).unwrap();
        let account = AccountName::new("a");
        let rows: Vec<EnvelopeSeen> =
            (1..=3u32).map(|uid| EnvelopeSeen { received: i64::from(uid), size: 10, ..fixtures::seen(uid) }).collect();
        let name = account.clone();
        store
            .cache(move |tx| {
                let here = mailboxes::ensure(tx, &name, &MailboxPath::inbox())?;
                messages::record_new(tx, here, UidValidity(1), &rows)
            })
            .unwrap();
        let waiting = |store: &Store| -> Vec<String> {
            store.read(|db| next(db, &account, 9)).unwrap().into_iter().map(|(_, blob)| blob).collect()
        };
        let keys: Vec<MessageKey> =
            store.read(|db| bodies::wanted(db, &account, 0, 99, 9, &|_, _| true)).unwrap().iter().map(|w| w.message).collect();
        let (new, mid, old) = (keys[0], keys[1], keys[2]);
        store
            .cache(move |tx| [(old, "old"), (new, "new"), (mid, "mid")].iter().try_for_each(|(m, b)| kept(tx, *m, b, 9)))
            .unwrap();
        assert_eq!(waiting(&store), ["new", "mid", "old"]);
        let find = |store: &Store| {
            let query = query::parse("kohlrabi", date(2026, 11, 21)).query;
            let found = store.read(|db| search::search(db, &query, None, &TimeZone::UTC, 9)).unwrap();
            (found.rows.len(), found.more)
        };
        assert_eq!(find(&store), (0, true));
        let said = Reading { text: "kohlrabi".into(), preview: "Kohl".into(), ..Reading::default() };
        let reading = said.clone();
        store
            .cache(move |tx| {
                read(tx, new, "new", Some(&reading))?;
                // It came anew meanwhile.
                read(tx, mid, "other", Some(&reading))?;
                read(tx, old, "old", None)
            })
            .unwrap();
        assert_eq!((waiting(&store), find(&store)), (vec!["mid".to_owned()], (1, true)));
        // Whatever happens between, the queue is what the rows say.
        drop(store);
        let store = Store::open(dir.path(), quiet()).unwrap();
        assert_eq!(waiting(&store), ["mid"]);
        assert_eq!(store.read(|db| bodies::wanted(db, &account, 0, 99, 9, &|_, _| true)).unwrap()[0].message, old);
        store.cache(move |tx| read(tx, mid, "mid", Some(&said))).unwrap();
        assert_eq!((store.read(count).unwrap(), find(&store)), (0, (2, false)));
        // What is fetched again is read again.
        store.cache(move |tx| kept(tx, new, "again", 9)).unwrap();
        assert_eq!((waiting(&store), find(&store)), (vec!["again".to_owned()], (2, true)));
        store.cache(move |tx| bodies::forget(tx, new)).unwrap();
        assert_eq!((store.read(count).unwrap(), find(&store)), (0, (2, false)));
    }
}
