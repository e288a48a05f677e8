//! refs — which conversation a Message-ID belongs to; also of messages that are not here (ghosts).
//! Owns: the tables `thread_key`, `thread_alias`. May import: mail.
//! Start reading at: `of_id`. An id is kept as a number made of its letters and of the account: random ids in an index of texts
//! were a fifth of a first sync. Two ids of one number (one chance in 10^6 among 5,000,000 ids) would share a conversation, which
//! any mail can do on purpose by naming another one. What is new is on its way with the messages of its transaction (`fill.rs`).

use super::error::Result;
use super::open::Cache;
use super::writer::Tx;
use crate::mail::ids::{AccountName, ThreadKey};
use rusqlite::OptionalExtension;
use rusqlite::functions::FunctionFlags;
use std::collections::HashMap;

/// How many rows one statement takes.
const ROWS: usize = 50;

/// What is on its way into the table, and what was looked up there.
#[derive(Debug, Default)]
pub(super) struct Refs {
    /// Nothing for an id that nobody knows.
    known: HashMap<i64, Option<ThreadKey>>,
    fresh: Vec<(i64, ThreadKey)>,
}

/// The number of an id: the same in every version, for it is stored.
pub(super) fn key(account: &str, id: &str) -> i64 {
    // Multiplied and folded, eight octets at a time: each octet reaches every bit.
    let fold = |state: u64, word: u64| {
        let product = u128::from(state ^ word) * 0x9e37_79b9_7f4a_7c15;
        (product >> 64) as u64 ^ product as u64
    };
    let text = |state: u64, text: &str| {
        let mut state = fold(state, text.len() as u64 ^ 0xa076_1d64_78bd_642f);
        for part in text.as_bytes().chunks(8) {
            let mut word = [0; 8];
            word.iter_mut().zip(part).for_each(|(to, from)| *to = *from);
            state = fold(state, u64::from_le_bytes(word) ^ 0xe703_7ed1_a0b4_28db);
        }
        state
    };
    text(text(0x8ebc_6af0_9c88_c6e3, account), id).cast_signed()
}

/// For the migration, which has texts.
pub(super) fn functions(conn: &rusqlite::Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
    conn.create_scalar_function("thread_key", 2, flags, |c| Ok(key(c.get_raw(0).as_str()?, c.get_raw(1).as_str()?)))
}

/// The statement of [`of_id`].
pub(super) const OF_ID: &str = "SELECT coalesce((SELECT a.thread FROM thread_alias a WHERE a.id = k.thread), k.thread)
    FROM thread_key k WHERE k.id = ?1";

/// The same of many.
const MANY: &str = "SELECT k.id, coalesce((SELECT a.thread FROM thread_alias a WHERE a.id = k.thread), k.thread)
    FROM thread_key k WHERE k.id IN (#)";

/// The conversation of that id.
pub(super) fn of_id(tx: &mut Tx<'_, Cache>, account: &AccountName, id: &str) -> Result<Option<ThreadKey>> {
    let key = key(account.as_str(), id);
    if let Some(looked_up) = tx.fill.refs.known.get(&key) {
        return Ok(*looked_up);
    }
    let found = tx.conn().prepare_cached(OF_ID)?.query_row([key], |r| r.get(0).map(ThreadKey)).optional()?;
    tx.fill.refs.known.insert(key, found);
    Ok(found)
}

/// Looks up many ids at once, as often as they are named: neighbours lie on one page, and a statement costs more than an id.
pub(super) fn look_up<'a>(tx: &mut Tx<'_, Cache>, account: &AccountName, ids: impl Iterator<Item = &'a str>) -> Result<()> {
    let mut keys: Vec<i64> =
        ids.map(|id| key(account.as_str(), id)).filter(|key| !tx.fill.refs.known.contains_key(key)).collect();
    keys.sort_unstable();
    keys.dedup();
    let sql = MANY.replace('#', &vec!["?"; ROWS].join(","));
    // Fewer are asked for one by one.
    for part in keys.chunks_exact(ROWS) {
        let mut statement = tx.conn().prepare_cached(&sql)?;
        let found = statement.query_map(rusqlite::params_from_iter(part), |r| Ok((r.get(0)?, Some(ThreadKey(r.get(1)?)))))?;
        let found: Vec<_> = found.collect::<rusqlite::Result<_>>()?;
        drop(statement);
        tx.fill.refs.known.extend(part.iter().map(|key| (*key, None)));
        tx.fill.refs.known.extend(found);
    }
    Ok(())
}

/// Says that an id belongs to that conversation; nobody knows it yet.
pub(super) fn claim(tx: &mut Tx<'_, Cache>, account: &AccountName, id: &str, thread: ThreadKey) {
    let key = key(account.as_str(), id);
    if tx.fill.refs.known.insert(key, Some(thread)).flatten().is_none() {
        tx.fill.refs.fresh.push((key, thread));
    }
}

impl Refs {
    /// Puts into the table what is on its way.
    pub fn flush(mut self, tx: &Tx<'_, Cache>) -> Result<()> {
        // Neighbours lie on one page.
        self.fresh.sort_unstable_by_key(|(key, _)| *key);
        let (mut sql, mut values) = ((String::new(), 0), Vec::new());
        // Only two statements, compiled once each.
        let (many, few) = self.fresh.split_at(self.fresh.len() - self.fresh.len() % ROWS);
        for part in many.chunks(ROWS).chain(few.chunks(1)) {
            values.clear();
            values.extend(part.iter().flat_map(|(key, thread)| [*key, thread.0]));
            if sql.1 != part.len() {
                sql = (insert(part.len()), part.len());
            }
            tx.conn().prepare_cached(&sql.0)?.execute(rusqlite::params_from_iter(&values))?;
        }
        Ok(())
    }
}

/// Puts so many rows in.
fn insert(rows: usize) -> String {
    let mut sql = "INSERT OR IGNORE INTO thread_key (id, thread) VALUES (?,?)".to_owned();
    sql.push_str(&",(?,?)".repeat(rows.saturating_sub(1)));
    sql
}

/// All ids of one conversation belong to another one. Nothing may be on its way.
pub(super) fn rename(tx: &Tx<'_, Cache>, from: ThreadKey, to: ThreadKey) -> Result<()> {
    // One row in place of each id's: and never one that leads to one that leads on.
    tx.conn().prepare_cached("UPDATE thread_alias SET thread = ?2 WHERE thread = ?1")?.execute((from.0, to.0))?;
    tx.conn().prepare_cached("INSERT INTO thread_alias (id, thread) VALUES (?1, ?2)")?.execute((from.0, to.0))?;
    Ok(())
}

/// Forgets ids of conversations in which nothing is left. Looks at all of them.
pub(super) fn sweep(tx: &Tx<'_, Cache>) -> Result<()> {
    let sql = "DELETE FROM thread_key WHERE NOT EXISTS (SELECT 1 FROM placement p WHERE p.thread =
                 coalesce((SELECT a.thread FROM thread_alias a WHERE a.id = thread_key.thread), thread_key.thread))";
    tx.conn().execute(sql, [])?;
    let sql = "DELETE FROM thread_alias WHERE NOT EXISTS (SELECT 1 FROM placement p WHERE p.thread = thread_alias.thread)";
    tx.conn().execute(sql, [])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::mailbox::MailboxPath;
    use crate::mail::row::RowCursor;
    use crate::mail::uid::UidValidity;
    use crate::store::lists::{self, tests::seen};
    use crate::store::{Store, mailboxes, messages, tests::quiet};
    use std::collections::HashSet;

    #[test]
    fn what_was_joined_is_found_by_its_old_ids_until_nothing_of_it_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), quiet()).unwrap();
        let put = |account: &str, rows: Vec<_>| {
            let account = AccountName::new(account);
            let put = move |tx: &mut Tx<'_, Cache>| {
                let inbox = mailboxes::ensure(tx, &account, &MailboxPath::inbox())?;
                messages::record_new(tx, inbox, UidValidity(1), &rows)?;
                Ok(inbox)
            };
            store.cache(put).unwrap()
        };
        let count = |table: &str| -> i64 {
            let sql = format!("SELECT count(*) FROM {table}");
            store.read(|db| Ok(db.conn().query_row(&sql, [], |r| r.get(0))?)).unwrap()
        };
        put("b", vec![seen(1, "other", "x", &[])]);
        let inbox = put("a", vec![seen(1, "x", "x", &[]), seen(2, "y", "y", &["ghost"]), seen(3, "z", "z", &[])]);
        // Three become one, in two steps: the second one joins what was joined.
        put("a", vec![seen(4, "x and y", "xy", &["x", "y"])]);
        put("a", vec![seen(5, "z and w", "zw", &["z"]), seen(6, "v", "v", &["z"]), seen(7, "u", "u", &["v"])]);
        put("a", vec![seen(8, "all", "all", &["ghost", "u"])]);
        assert_eq!(count("thread_alias"), 3, "y is x, v is z, x is z");
        put("a", ["x", "y", "z", "ghost"].into_iter().zip(9..).map(|(to, uid)| seen(uid, "late", "", &[to])).collect());
        let rows = store.read(|db| lists::page(db, inbox, true, RowCursor::Newest, 9)).unwrap();
        assert_eq!(rows.iter().map(|r| r.thread_total).collect::<Vec<_>>(), [12]);
        store.cache(|tx| mailboxes::remove_account(tx, &AccountName::new("a"))).unwrap();
        assert_eq!((count("thread_alias"), count("thread_key")), (0, 1), "of the other account");
    }

    #[test]
    fn numbers_of_ids_stay_as_they_are_and_differ() {
        // Stored in files: another number is another migration.
        assert_eq!(key("home", "1.abc@mail.example.org"), 68346542812834397);
        let mut all = HashSet::new();
        for n in 0..200_000 {
            assert!(all.insert(key("a", &format!("{n}.{:x}@mail.example.org", n * 7919))), "{n}");
        }
        assert_ne!(key("a", "bc"), key("ab", "c"));
        assert_ne!(key("a", ""), key("a", "\0"));
    }
}
