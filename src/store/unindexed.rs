//! unindexed — which messages are not in the index of words yet: a few intervals of their numbers, newer mail first.
//! Owns: the table `unindexed`. May import: nothing but the store's own.
//! Start reading at: `add`. New messages have numbers side by side, so that thousands of them are one row; kept in the transaction
//! that makes or indexes a message, it names exactly the messages of which `indexed` is 0.

use super::error::Result;
use super::messages::from_i64;
use super::open::{Cache, Db};
use rusqlite::OptionalExtension;

/// Messages of neighbouring numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    /// The first and the last number.
    pub ids: (i64, i64),
    /// The lowest and the highest place in the order of rows.
    pub sorts: (i64, i64),
}

/// These are not indexed; they were until now, or are new.
pub(super) fn add(db: &Db<Cache>, span: Span) -> Result<()> {
    let Span { ids: (low, high), sorts: (oldest, newest) } = span;
    // Older mail that comes right behind is the same interval: then its numbers are in the order of what is done first.
    let more = "UPDATE OR ROLLBACK unindexed SET high = ?2, oldest = ?3 WHERE low = (SELECT max(low) FROM unindexed)
                AND high = ?1 - 1 AND oldest >= ?4";
    if db.conn().prepare_cached(more)?.execute((low, high, oldest, newest))? == 0 {
        insert(db, low, high, newest, oldest)?;
    }
    Ok(())
}

fn insert(db: &Db<Cache>, low: i64, high: i64, newest: i64, oldest: i64) -> Result<()> {
    let sql = "INSERT INTO unindexed (low, high, newest, oldest) VALUES (?1, ?2, ?3, ?4)";
    db.conn().prepare_cached(sql)?.execute((low, high, newest, oldest))?;
    Ok(())
}

/// This one is indexed, or gone. Nothing happens if it was before.
pub(super) fn remove(db: &Db<Cache>, id: i64) -> Result<()> {
    let sql = "SELECT low, high, newest, oldest FROM unindexed WHERE low <= ?1 ORDER BY low DESC LIMIT 1";
    let of = |r: &rusqlite::Row<'_>| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?));
    let found: Option<(i64, i64, i64, i64)> = db.conn().prepare_cached(sql)?.query_row([id], of).optional()?;
    let Some((low, high, newest, oldest)) = found.filter(|(_, high, ..)| *high >= id) else { return Ok(()) };
    if low == id {
        db.conn().prepare_cached("DELETE FROM unindexed WHERE low = ?1")?.execute([low])?;
    } else {
        db.conn().prepare_cached("UPDATE unindexed SET high = ?2 WHERE low = ?1")?.execute((low, id - 1))?;
    }
    if high > id { insert(db, id + 1, high, newest, oldest) } else { Ok(()) }
}

/// The next ones to be indexed, newest mail first; at most `limit`.
pub(super) fn next(db: &Db<Cache>, limit: usize) -> Result<Vec<i64>> {
    let mut statement = db.conn().prepare_cached("SELECT low, high FROM unindexed ORDER BY newest DESC")?;
    let mut rows = statement.query([])?;
    let mut ids = Vec::new();
    while ids.len() < limit
        && let Some(row) = rows.next()?
    {
        let (low, high): (i64, i64) = (row.get(0)?, row.get(1)?);
        ids.extend((low..=high).take(limit - ids.len()));
    }
    Ok(ids)
}

/// How many there are.
pub(super) fn count(db: &Db<Cache>) -> Result<u64> {
    let sql = "SELECT coalesce(sum(high - low + 1), 0) FROM unindexed";
    Ok(from_i64(db.conn().prepare_cached(sql)?.query_row([], |r| r.get(0))?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::open::open_writer;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
        #[test]
        fn what_was_put_in_and_not_taken_out_is_there_once(
            acts in prop::collection::vec(prop_oneof![(0..9i64, 0..99i64).prop_map(Ok), (0..60i64).prop_map(Err)], 1..60),
        ) {
            let dir = tempfile::tempdir().unwrap();
            let db = open_writer::<Cache>(dir.path()).unwrap();
            let (mut last, mut here) = (0, BTreeSet::new());
            for act in acts {
                match act {
                    Ok((more, newest)) => {
                        // Numbers are given out in order, sorts are not.
                        add(&db, Span { ids: (last + 1, last + 1 + more), sorts: (newest - 1, newest) }).unwrap();
                        here.extend(last + 1..=last + 1 + more);
                        last += 1 + more;
                    }
                    Err(id) => {
                        remove(&db, id).unwrap();
                        // Indexed once more: it is one that was taken out.
                        if !here.remove(&id) && id > 0 && id <= last && id % 3 == 0 {
                            add(&db, Span { ids: (id, id), sorts: (id, id) }).unwrap();
                            here.insert(id);
                        }
                    }
                }
                prop_assert_eq!(count(&db).unwrap(), here.len() as u64);
                let all = next(&db, 1_000).unwrap();
                prop_assert_eq!(all.len(), here.len());
                prop_assert_eq!(&all.into_iter().collect::<BTreeSet<_>>(), &here);
                prop_assert!(next(&db, 3).unwrap().len() == here.len().min(3));
            }
        }
    }
}
