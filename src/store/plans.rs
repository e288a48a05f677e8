//! plans — tests that no list and no search reads a whole table or sorts what it found.
//! Owns: nothing. May import: store's own.
//! Start reading at: `plan`. What costs the same with 100 and with 1,000,000 messages must stay so.

use super::lists::page_sql;
use super::open::{Cache, Db, open_reader, open_writer};
use super::search::statement;
use super::search_sql::{Scope, Sql};
use super::views::{self, Keys};
use crate::mail::ids::MailboxId;
use crate::mail::query::parse;
use crate::mail::row::RowCursor;
use jiff::civil::date;
use jiff::tz::TimeZone;

fn cache() -> (tempfile::TempDir, Db<Cache>) {
    let dir = tempfile::tempdir().unwrap();
    drop(open_writer::<Cache>(dir.path()).unwrap());
    let db = open_reader::<Cache>(dir.path()).unwrap();
    (dir, db)
}

/// The steps of a statement, as SQLite tells them.
fn plan(db: &Db<Cache>, sql: &str) -> Vec<String> {
    let mut statement = db.conn().prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let values = vec![rusqlite::types::Null; statement.parameter_count()];
    let steps = statement.query_map(rusqlite::params_from_iter(values), |r| r.get(3)).unwrap();
    steps.collect::<rusqlite::Result<_>>().unwrap()
}

#[test]
fn a_page_costs_its_own_rows() {
    let (_dir, db) = cache();
    for threaded in [true, false] {
        for cursor in [RowCursor::Newest, RowCursor::Oldest, RowCursor::From(1), RowCursor::UpTo(1)] {
            let steps = plan(&db, &page_sql(threaded, cursor).0);
            let index = if threaded { "thread_row_list" } else { "placement_list" };
            assert!(steps.iter().any(|s| s.contains(&format!("INDEX {index} (mailbox=? AND"))), "{steps:?}");
            // The few keys that were found are put in order once more; nothing larger is.
            let large = |s: &&String| s.starts_with("SCAN") && *s != "SCAN t";
            assert_eq!(steps.iter().find(large), None, "{steps:?}");
        }
    }
}

#[test]
fn a_page_of_a_view_costs_its_own_rows_and_its_mailboxes() {
    let (_dir, db) = cache();
    let index = "placement_all_unread";
    let marked = Keys::Marked { index, condition: "(p.flags & 1) = 0", out: ",3,4".to_owned(), mirrors: ",5".to_owned() };
    let merged = |threaded| Keys::Merged { boxes: vec![1, 2], threaded };
    for (keys, index) in [
        (merged(true), "INDEX thread_row_list (mailbox=? AND latest<?)"),
        (merged(false), "INDEX placement_list (mailbox=? AND sort<?)"),
        (marked, "INDEX placement_all_unread (sort<?)"),
    ] {
        let steps = plan(&db, &views::page_sql(&keys, "<=", "DESC"));
        assert!(steps.iter().any(|s| s.contains(index)), "{steps:?}");
        let large = |s: &&String| s.starts_with("SCAN") && !s.starts_with("SCAN t") && !s.starts_with("SCAN (subquery");
        assert_eq!(steps.iter().find(large), None, "{steps:?}");
        assert!(!plan(&db, &keys.count_above()).iter().any(|s| s.starts_with("SCAN") && !s.contains("CONSTANT")), "{index}");
    }
}

#[test]
fn a_search_walks_one_index_in_the_order_of_its_rows() {
    let (_dir, db) = cache();
    let scope = Scope { mailboxes: &[], zone: &TimeZone::UTC };
    for (text, within, first) in [
        ("ann", false, "SCAN f VIRTUAL TABLE INDEX"),
        ("from:ann has:attachment", false, "SCAN f VIRTUAL TABLE INDEX"),
        ("ann", true, "SCAN f VIRTUAL TABLE INDEX"),
        ("is:unread", false, "SCAN p USING INDEX placement_all_unread"),
        ("is:unread ann", false, "SCAN p USING COVERING INDEX placement_all_unread"),
        ("is:draft ann", false, "SCAN p USING COVERING INDEX placement_draft"),
        ("cc:ann", false, "SCAN f VIRTUAL TABLE INDEX"),
        ("larger:1M", false, "SCAN m USING INDEX message_large"),
        ("is:unread", true, "SEARCH p USING INDEX placement_unread (mailbox=?)"),
        ("is:starred", true, "SCAN p USING INDEX placement_all_flagged"),
        ("in:inbox has:attachment", false, "SCAN p USING INDEX placement_find"),
        ("ann OR is:starred", false, "SCAN p USING INDEX placement_find"),
        ("tag:work ann", false, "SCAN p USING COVERING INDEX placement_words"),
        ("before:2020-01-01", false, "SEARCH p USING INDEX placement_find (sort<?)"),
        ("-ann", false, "SCAN p USING COVERING INDEX placement_find"),
    ] {
        let query = parse(text, date(2026, 11, 21)).query;
        let sql = Sql::of(&query, within.then_some(MailboxId(1)), scope);
        let columns = if sql.merges() { "p.id, p.sort" } else { super::lists::COLUMNS };
        let steps = plan(&db, &statement(&sql, columns));
        assert!(steps[0].starts_with(first), "{text}: {steps:?}");
        assert!(!steps.iter().any(|s| s.contains("TEMP B-TREE") || s == "SCAN m"), "{text}: {steps:?}");
    }
}

/// What belongs to a message is deleted with it by name (`messages.rs`): a new table is to be named there and here.
#[test]
fn nothing_that_belongs_to_a_message_is_forgotten_with_it() {
    let (_dir, db) = cache();
    let tables: Vec<_> = super::mailboxes::referring(&db, "message").unwrap().into_iter().map(|(table, _)| table).collect();
    assert_eq!(tables, ["outline", "part", "placement", "poison"]);
    let of_mailboxes = super::mailboxes::referring(&db, "mailbox").unwrap();
    assert!(of_mailboxes.iter().any(|(table, column)| table == "thread_row" && column == "mailbox"), "{of_mailboxes:?}");
}

#[test]
fn what_the_engine_asks_often_is_found_by_index() {
    let (_dir, db) = cache();
    for sql in [
        super::bodies::WANTED,
        super::bodies::TOTAL,
        super::bodies::OLDEST,
        super::lists::NEXT_UNREAD,
        super::lists::PREVIOUS_UNREAD,
        super::lists::NEXT_UNREAD_THREAD,
        super::lists::PREVIOUS_UNREAD_THREAD,
        &super::search::unindexed_sql(),
        "SELECT low, high FROM unindexed ORDER BY newest DESC",
        "SELECT id FROM placement WHERE mailbox = ?1 AND thread = ?2 AND hidden = 0 AND id <> ?3 ORDER BY sort DESC LIMIT 1",
        "SELECT message FROM placement WHERE thread = ?1",
        super::bodies::NAMED,
        super::words::NEXT,
        "SELECT count(*) FROM thread_row WHERE mailbox = ?1 AND latest > ?2",
        "SELECT count(*) FROM placement WHERE mailbox = ?1 AND hidden = 0 AND sort > ?2",
    ] {
        let steps = plan(&db, sql);
        let all_of_it = |s: &&String| s.starts_with("SCAN") && !s.contains("USING") && !s.contains("json_each");
        assert_eq!(steps.iter().find(all_of_it), None, "{sql}: {steps:?}");
        assert!(!steps.iter().any(|s| s.contains("TEMP B-TREE")), "{sql}: {steps:?}");
    }
}

#[test]
fn what_is_asked_of_each_mailbox_at_each_round_costs_what_is_pending() {
    let (_dir, db) = cache();
    for (sql, by) in [
        (super::placements::HIDDEN, "SEARCH p USING INTEGER PRIMARY KEY"),
        (super::placements::PROMISED, "SEARCH placement USING INDEX placement_provisional"),
    ] {
        let steps = plan(&db, sql);
        assert!(steps.iter().any(|s| s.starts_with(by)), "{sql}: {steps:?}");
        // What waits for the server is few.
        assert!(!steps.iter().any(|s| s.contains("placement_uid") || s.contains("placement_list")), "{sql}: {steps:?}");
    }
}
