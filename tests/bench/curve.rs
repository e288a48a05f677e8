//! curve — how costs grow with the size of the cache: 10,000, 100,000 and 1,000,000 messages, without a server.
//! Start reading at: `run`. What a person waits for must not grow; a search may, with the logarithm.

use crate::corpus::{Corpus, NEWEST, RARE};
use crate::report::{Report, times};
use crate::store::{fill, first_start, index, open};
use jiff::civil::date;
use jiff::tz::TimeZone;
use postrider::mail::query;
use postrider::mail::row::{RowCursor, View};
use postrider::store::{Store, lists, search};

/// A figure: what it is of, what it was, its bar, its unit.
type Figure = (String, f64, f64, &'static str);

fn page(store: &Store, view: View, threaded: bool, cursor: RowCursor) -> f64 {
    let ask = || {
        let rows = store.read(|db| {
            let rows = lists::page(db, view, threaded, cursor, 100)?;
            lists::position(db, view, threaded, cursor, &rows)?;
            Ok(rows)
        });
        assert!(!rows.unwrap().is_empty(), "{view:?}");
    };
    times(15, ask).0
}

fn figures(count: u32) -> Vec<Figure> {
    let dir = tempfile::tempdir().unwrap();
    let corpus = Corpus { seed: 1, count };
    let store = open(dir.path());
    let inbox = fill(&store, &corpus, &mut Report::silent());
    index(&store, &corpus, inbox, 2_000.min(count / 10), &mut Report::silent());
    let mut all = Vec::new();
    let middle = RowCursor::From((NEWEST - i64::from(count / 2) * 1_100) << 24);
    for (what, view, cursor) in [
        ("the newest conversations of a mailbox", View::Mailbox(inbox), RowCursor::Newest),
        ("... from its middle on", View::Mailbox(inbox), middle),
        ("all inboxes as one", View::Inboxes, RowCursor::Newest),
        ("all that is unread", View::Unread, RowCursor::Newest),
        ("all that is starred", View::Flagged, RowCursor::Newest),
    ] {
        all.push((what.to_owned(), page(&store, view, true, cursor), 50.0, "ms"));
    }
    for text in ["r", "re", RARE, "\"re an\"", "-re", "is:unread", "re is:draft", "larger:1M", "nosuchword"] {
        let query = query::parse(text, date(2026, 11, 21)).query;
        let find = || drop(store.read(|db| search::search(db, &query, None, &TimeZone::UTC, 50)).unwrap());
        all.push((format!("search {text}"), times(9, find).0, 10.0, "ms"));
    }
    drop(store);
    let start = first_start(dir.path());
    all.push(("start: both files open, first 100 rows".to_owned(), start[1], 50.0, "ms"));
    all.push(("memory of its own".to_owned(), start[2], 40.0, "MB"));
    all.push((
        "cache on disk".to_owned(),
        std::fs::metadata(dir.path().join("cache.sqlite")).unwrap().len() as f64 / 1e6,
        f64::INFINITY,
        "MB",
    ));
    all
}

/// The table, up to `most` messages.
pub fn run(most: u32, report: &mut Report) {
    let sizes: Vec<u32> = [10_000, 100_000, 1_000_000].into_iter().filter(|n| *n <= most).collect();
    report.section(&format!("Costs by size of the cache: {sizes:?} messages"));
    let all: Vec<Vec<Figure>> = sizes.iter().map(|n| figures(*n)).collect();
    let Some(largest) = all.last() else { return };
    for (n, (what, value, bar, unit)) in largest.iter().enumerate() {
        let before: Vec<String> = all.iter().map(|figures| format!("{:.1}", figures[n].1)).collect();
        report.check(&format!("{what} ({} {unit})", before.join(", ")), *value, *bar, unit);
    }
}
