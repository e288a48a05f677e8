//! poison — messages on which the program failed, by a mistake of ours: tried once more after a pause, then left out (security F-10).
//! Owns: the table `poison`. May import: mail.
//! Start reading at: `stumbled`. What is left out stays so over restarts, until a newer version of the program comes.

use super::bodies::{self, Reading};
use super::error::Result;
use super::open::{Cache, Db};
use super::writer::Tx;
use crate::mail::ids::MessageKey;
use std::collections::HashSet;

/// After so many failures a message is left out.
const MOST: i64 = 2;
/// So long after a failure nobody tries again, in seconds.
const PAUSE: i64 = 30;
/// Which program tries.
const PROGRAM: &str = env!("CARGO_PKG_VERSION");

/// Records that the program failed on a message. That the message is gone meanwhile is no fault.
///
/// # Errors
/// As every transaction.
pub fn stumbled(tx: &mut Tx<'_, Cache>, message: MessageKey) -> Result<()> {
    let sql = "INSERT INTO poison (message, panics, again, program) SELECT id, 1, unixepoch() + ?2, ?3 FROM message WHERE id = ?1
               ON CONFLICT (message) DO UPDATE SET again = excluded.again, program = excluded.program,
                 panics = CASE WHEN program = excluded.program THEN panics + 1 ELSE 1 END";
    tx.conn().prepare_cached(sql)?.execute((message.0, PAUSE, PROGRAM))?;
    Ok(())
}

/// All messages that are left out.
///
/// # Errors
/// As every question.
pub fn left_out(db: &Db<Cache>) -> Result<HashSet<MessageKey>> {
    let sql = "SELECT message FROM poison WHERE panics >= ?1 AND program = ?2";
    let mut statement = db.conn().prepare_cached(sql)?;
    Ok(statement.query_map((MOST, PROGRAM), |r| r.get(0).map(MessageKey))?.collect::<rusqlite::Result<_>>()?)
}

/// Whether a message is left out.
///
/// # Errors
/// As every question.
pub fn is_left_out(db: &Db<Cache>, message: MessageKey) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM poison WHERE message = ?1 AND panics >= ?2 AND program = ?3)";
    Ok(db.conn().prepare_cached(sql)?.query_row((message.0, MOST, PROGRAM), |r| r.get(0))?)
}

/// Messages that are here and may be tried again now.
///
/// # Errors
/// As every question.
pub fn due(db: &Db<Cache>) -> Result<Vec<MessageKey>> {
    let sql = "SELECT p.message FROM poison p CROSS JOIN message m ON m.id = p.message
               WHERE (p.panics < ?1 OR p.program <> ?2) AND p.again <= unixepoch() AND m.held > 0";
    let mut statement = db.conn().prepare_cached(sql)?;
    Ok(statement.query_map((MOST, PROGRAM), |r| r.get(0).map(MessageKey))?.collect::<rusqlite::Result<_>>()?)
}

/// Nothing is held against that message any more.
pub(super) fn forget(tx: &Tx<'_, Cache>, message: MessageKey) -> Result<()> {
    tx.conn().prepare_cached("DELETE FROM poison WHERE message = ?1")?.execute([message.0])?;
    Ok(())
}

/// Records how a further try ended; nothing if somebody else has tried meanwhile.
///
/// # Errors
/// As every transaction.
pub fn tried(tx: &mut Tx<'_, Cache>, message: MessageKey, reading: &Reading) -> Result<()> {
    let sql = "SELECT EXISTS (SELECT 1 FROM poison WHERE message = ?1 AND again <= unixepoch())";
    if !tx.conn().prepare_cached(sql)?.query_row([message.0], |r| r.get::<_, bool>(0))? {
        return Ok(());
    }
    if !reading.failed {
        forget(tx, message)?;
    }
    bodies::said(tx, message, reading)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::fixtures;
    use crate::mail::ids::AccountName;
    use crate::mail::mailbox::MailboxPath;
    use crate::mail::uid::UidValidity;
    use crate::store::{Store, mailboxes, messages, tests::quiet};

    #[test]
    fn twice_and_no_more_until_a_newer_program_comes() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), quiet()).unwrap();
        let [one, two] = store
            .cache(|tx| {
                let inbox = mailboxes::ensure(tx, &AccountName::new("a"), &MailboxPath::inbox())?;
                messages::record_new(tx, inbox, UidValidity(1), &[fixtures::seen(1), fixtures::seen(2)])?;
                let ids = tx.conn().prepare("SELECT id FROM message ORDER BY id")?;
                let mut ids = ids;
                let all: Vec<i64> = ids.query_map([], |r| r.get(0))?.collect::<rusqlite::Result<_>>()?;
                Ok([MessageKey(all[0]), MessageKey(all[1])])
            })
            .unwrap();
        let fails = Reading { failed: true, ..Reading::default() };
        let failed = fails.clone();
        store.cache(move |tx| [one, two].iter().try_for_each(|m| bodies::arrived(tx, *m, "b", 9, &failed))).unwrap();
        let stands = || store.read(|db| Ok((due(db)?, left_out(db)?, is_left_out(db, one)?))).unwrap();
        assert_eq!(stands(), (vec![], HashSet::new(), false), "not at once again");
        let later = || store.cache(|tx| Ok(tx.conn().execute("UPDATE poison SET again = again - 60", [])?)).unwrap();
        later();
        assert_eq!(stands(), (vec![one, two], HashSet::new(), false));
        store.cache(move |tx| tried(tx, one, &fails).and_then(|()| tried(tx, two, &Reading::default()))).unwrap();
        later();
        assert_eq!(stands(), (vec![], HashSet::from([one]), true));
        // What came again and was not read says nothing of it.
        store.cache(move |tx| bodies::arrived(tx, one, "b", 9, &Reading::default())).unwrap();
        assert!(stands().2);
        store.cache(|tx| Ok(tx.conn().execute("UPDATE poison SET program = 'older'", [])?)).unwrap();
        assert_eq!(stands(), (vec![one], HashSet::new(), false));
        store.cache(move |tx| stumbled(tx, one)).unwrap();
        assert_eq!(stands(), (vec![], HashSet::new(), false), "it is counted anew");
    }
}
