//! older — a cache and a journal of their first versions are brought up to date, and an index is built anew, killed within each step:
//! the next start finishes it or begins again; what was wished is done, what was read is there, and all words are found.
//! Start reading at: `an_older_cache_and_journal`. How the first versions were is what their own migrations make of them.

use super::day::{Day, Kind, Run, Saved};
use super::lives::{Life, programs};
use super::matrix::{Ends, ends, good_pass};
use super::sync;
use postrider::store::open::{Cache, Kind as Sort, State};
use rusqlite::Connection;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Many times more than are read at once (50): each reading is a durable step.
const MORE: usize = 600;
/// A pass reads 200 of them.
const PASSES: usize = MORE / 200 + 1;
/// The tables that are virtual, or were of another kind, in the first version.
const OTHERS: [&str; 2] = ["message_fts", "thread_ref"];

/// What lies in a file of today in one that only the first migration made.
fn first_version<K: Sort>(data: &Path, more: &str) {
    let (now, old) = (data.join(K::NAME), data.join("old"));
    let file = Connection::open(&old).unwrap();
    file.execute_batch(&format!("PRAGMA page_size = {}; PRAGMA journal_mode = WAL", K::PAGE)).unwrap();
    file.execute_batch(K::MIGRATIONS[0]).unwrap();
    file.execute("ATTACH ?1 AS now", [now.to_str().unwrap()]).unwrap();
    let names = |sql: &str| -> Vec<String> {
        let mut rows = file.prepare(sql).unwrap();
        rows.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    };
    let tables = names(
        "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' OR name = 'sqlite_sequence'",
    );
    for table in tables.iter().filter(|table| !OTHERS.iter().any(|other| table.starts_with(other))) {
        let columns = names(&format!(
            "SELECT a.name FROM pragma_table_info('{table}', 'main') a JOIN pragma_table_info('{table}', 'now') b USING (name)"
        ));
        let columns = columns.join(", ");
        file.execute_batch(&format!(
            "DELETE FROM main.{table}; INSERT INTO main.{table} ({columns}) SELECT {columns} FROM now.{table};"
        ))
        .unwrap();
    }
    file.execute_batch(more).unwrap();
    file.execute_batch("PRAGMA user_version = 1; DETACH now; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    drop(file);
    for end in ["-wal", "-shm"] {
        let _ = fs::remove_file(data.join(format!("{}{end}", K::NAME)));
        let _ = fs::remove_file(data.join(format!("old{end}")));
    }
    fs::rename(&old, &now).unwrap();
    fs::set_permissions(&now, fs::Permissions::from_mode(0o600)).unwrap();
}

/// With things to be told, of which the person sees the end already, and so many mails more.
fn wished(more: usize) -> Day {
    let day = Day::new(Kind::Dovecot);
    day.put_many("Lists/Rust", 0..more, |n| {
        format!("From: ann@example.org\r\nSubject: more {n}\r\nMessage-ID: <t{n}@example.org>\r\n\r\nThis is mail t{n}.\r\n")
    });
    good_pass(&day);
    for verb in [&["flag", "INBOX:1", "--add", "flagged"][..], &["move", "INBOX:2", "--to", "Archive"], &["delete", "INBOX:3"]] {
        assert_eq!(day.run(&day.act(verb), None), 0, "{}", day.said());
    }
    day
}

/// What a search for a word of the texts finds, by our own files alone, and whether SQLite finds both files in order.
fn found(day: &Day) -> (Vec<String>, Vec<String>) {
    let rows = day.json(&["--offline", "search", "body:mail", "--limit", "1000"]);
    let mut hits: Vec<String> = rows.as_array().unwrap().iter().map(|row| row["message_id"].to_string()).collect();
    hits.sort();
    let whole = ["cache.sqlite", "state.sqlite"].map(|name| {
        let file = Connection::open(day.home().join("data").join(name)).unwrap();
        file.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap()
    });
    (hits, whole.to_vec())
}

/// How many messages are in the index, how many with all their words, and how many spans are not.
fn indexed(day: &Day) -> (i64, i64, i64) {
    let cache = Connection::open(day.home().join("data/cache.sqlite")).unwrap();
    let count = |sql| cache.query_row(sql, [], |row| row.get(0)).unwrap();
    let whole = "SELECT count(*) FROM message WHERE indexed = 2";
    (count("SELECT count(*) FROM message_fts"), count(whole), count("SELECT count(*) FROM unindexed"))
}

/// Killed within these again and again from `start` on.
fn row(name: &'static str, day: &Day, start: &Saved, runs: &[Run], mails: usize) -> (u64, u64, u64) {
    let live = |name: &str, value: &Path| programs(day, runs, name, value);
    let recover = || {
        // A pass reads some of what is not in the index.
        runs.iter().for_each(|_| good_pass(day));
        day.rests();
        let (hits, whole) = found(day);
        assert_eq!((hits.len(), whole), (mails, vec!["ok".to_owned(); 2]), "{name}: {hits:?}");
        let mails = i64::try_from(mails).unwrap();
        assert_eq!(indexed(day), (mails, mails, 0), "{name}");
    };
    let ends = || -> (Ends, (Vec<String>, Vec<String>)) { (ends(day), found(day)) };
    Life { name, day, start, live: &live, recover: &recover, ends: &ends }.row()
}

#[test]
fn an_older_cache_and_journal() {
    let day = wished(0);
    let data = day.home().join("data");
    // Nothing was indexed then; and which conversation a Message-ID is of stood there by its name.
    let older = "UPDATE message SET indexed = 0;
        INSERT INTO thread_ref (account, message_id, thread) SELECT account, message_id, thread FROM message WHERE message_id <> '';";
    first_version::<Cache>(&data, older);
    first_version::<State>(&data, "");
    let start = day.save();
    let (steps, kills, _) = row("an older cache and journal", &day, &start, &[sync()], 5);
    // Two for each version: within it, and after it.
    let versions = Cache::MIGRATIONS.len() + State::MIGRATIONS.len() - 2;
    assert!(steps > 2 * versions as u64 && kills > 0, "{steps} steps for {versions} versions");
}

#[test]
fn an_index_that_is_built_anew() {
    let day = wished(MORE);
    (0..=PASSES).for_each(|_| good_pass(&day));
    let cache = Connection::open(day.home().join("data/cache.sqlite")).unwrap();
    // As a migration leaves it that knows of no index: all rows in one span, none in the index.
    cache
        .execute_batch(
            "DELETE FROM message_fts; UPDATE message SET indexed = 0; DELETE FROM unindexed;
             INSERT INTO unindexed (low, high, newest, oldest)
               SELECT min(id), max(id), max(sort), min(sort)
               FROM (SELECT id, sort, id - row_number() OVER (ORDER BY id) AS run FROM message) GROUP BY run;",
        )
        .unwrap();
    drop(cache);
    assert_eq!((indexed(&day), found(&day).0.len()), ((0, 0, 1), MORE + 5), "what is not in it is read");
    let start = day.save();
    let (steps, ..) = row("an index built anew", &day, &start, &vec![sync(); PASSES], MORE + 5);
    assert!(steps > 10, "{steps} steps");
}
