//! store — the store alone: filling it, opening it, paging, searching, changing; no server and no screen.

use crate::corpus::{COMMON, Corpus, RARE};
use crate::report::{Report, memory, ms, processor, times};
use jiff::civil::date;
use jiff::tz::TimeZone;
use postrider::mail::ids::{AccountName, MailboxId};
use postrider::mail::mailbox::MailboxPath;
use postrider::mail::row::RowCursor;
use postrider::mail::server::FlagsSeen;
use postrider::mail::uid::{ModSeq, Uid, UidValidity};
use postrider::mail::{claim, parse, query, render, structure};
use postrider::store::bodies::Reading;
use postrider::store::{Store, bodies, lists, mailboxes, messages, placements, search};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

/// How many bodies are here and indexed with their text.
const BODIES: u32 = 20_000;

pub fn open(dir: &Path) -> Store {
    Store::open(dir, Arc::new(|_| {})).unwrap()
}

/// The first screen, as the reader asks for it.
fn first_page(store: &Store) -> usize {
    store
        .read(|db| {
            let inbox = mailboxes::list(db, None)?.first().map(|b| b.id).unwrap();
            let rows = lists::page(db, inbox, true, RowCursor::Newest, 100)?;
            lists::position(db, inbox, true, RowCursor::Newest, &rows)?;
            Ok(rows.len())
        })
        .unwrap()
}

/// Opens the store in `dir`, shows a page, says what that took, and ends.
pub fn open_and_wait(dir: &str) {
    let start = Instant::now();
    let store = open(Path::new(dir));
    let opened = ms(start.elapsed());
    let rows = first_page(&store);
    let ready = ms(start.elapsed());
    let (own, all) = memory();
    println!("{opened} {ready} {own} {all} {rows}");
}

/// Records all envelopes.
pub fn fill(store: &Store, corpus: &Corpus, report: &mut Report) -> MailboxId {
    let inbox = store.cache(|tx| mailboxes::ensure(tx, &AccountName::new("bench"), &MailboxPath::inbox())).unwrap();
    let (mut seconds, mut busy) = (0.0, 0.0);
    let mut uid = corpus.count;
    while uid > 0 {
        let low = uid.saturating_sub(1_600);
        let rows: Vec<_> = (low + 1..=uid).rev().map(|u| corpus.mail(u).seen).collect();
        let (start, before) = (Instant::now(), processor());
        store.cache(move |tx| messages::record_new(tx, inbox, UidValidity(1), &rows)).unwrap();
        seconds += start.elapsed().as_secs_f64();
        busy += processor() - before;
        uid = low;
    }
    let bar = f64::from(corpus.count) * 6e-5;
    report.check("record all envelopes, 1,600 a commit, newest first", seconds, bar.max(0.1), "s");
    report.note("... processor time", &format!("{busy:.2} s"));
    inbox
}

/// What the engine reads out of a message's bytes.
fn read(raw: &[u8]) -> Reading {
    let message = parse::message(raw);
    let files = structure::attachments(&message).into_iter().map(|a| a.name).collect();
    Reading {
        envelope: Some(message.envelope.clone()),
        preview: render::preview(&message),
        text: render::words(&message, 1 << 20),
        files,
        claims: Some(claim::files(&message)),
        failed: false,
    }
}

/// Waits until all are indexed by their headers, then indexes the text of the newest `bodies`.
pub fn index(store: &Store, corpus: &Corpus, inbox: MailboxId, bodies: u32, report: &mut Report) {
    let (start, before) = (Instant::now(), processor());
    let left = || store.read(search::unindexed_count).unwrap();
    while left() > 0 {
        // To count them is no small question.
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    report.note("index all of them by their headers, in idle moments", &format!("{:.2} s", start.elapsed().as_secs_f64()));
    report.note("... processor time", &format!("{:.2} s", processor() - before));
    let (mut seconds, mut worst) = (0.0, 0.0f64);
    for uid in (corpus.count - bodies + 1..=corpus.count).rev() {
        let raw = corpus.raw(uid);
        let (reading, octets) = (read(&raw), raw.len() as u64);
        let start = Instant::now();
        store
            .cache(move |tx| {
                let Some(place) = placements::by_uid(tx, inbox, uid)? else { return Ok(()) };
                bodies::arrived(tx, place.message, "", octets, &reading)
            })
            .unwrap();
        seconds += start.elapsed().as_secs_f64();
        worst = worst.max(ms(start.elapsed()));
    }
    report.note("index the text of one message", &format!("{:.3} ms", seconds * 1e3 / f64::from(bodies)));
    report.note("... the slowest", &format!("{worst:.1} ms"));
}

/// Only that all envelopes are recorded: for a profiler.
pub fn fill_only(count: u32, report: &mut Report) {
    let dir = tempfile::tempdir().unwrap();
    report.section(&format!("Recording {count} messages"));
    fill(&open(dir.path()), &Corpus { seed: 1, count }, report);
}

/// Everything, in a fresh folder.
pub fn run(count: u32, report: &mut Report) {
    let dir = tempfile::tempdir().unwrap();
    let corpus = Corpus { seed: 1, count };
    report.section(&format!("Store, {count} messages in one mailbox"));
    let store = open(dir.path());
    let inbox = fill(&store, &corpus, report);
    index(&store, &corpus, inbox, BODIES.min(count), report);
    pages(&store, inbox, &corpus, report);
    searches(&store, inbox, report);
    changes(&store, inbox, &corpus, report);
    drop(store);
    opening(dir.path(), report);
    for file in ["cache.sqlite", "state.sqlite"] {
        let size = std::fs::metadata(dir.path().join(file)).unwrap().len() as f64 / 1e6;
        report.note(&format!("size of {file}"), &format!("{size:.1} MB"));
    }
}

/// The median start in a process of its own: milliseconds until both files are open, until the first rows; MB of its own, MB
/// in all; rows.
pub fn first_start(dir: &Path) -> Vec<f64> {
    let me = std::env::current_exe().unwrap();
    let mut all: Vec<Vec<f64>> = (0..9)
        .map(|_| {
            let out = Command::new(&me).args(["open", "0"]).arg(dir).stderr(Stdio::inherit()).output().unwrap();
            String::from_utf8(out.stdout).unwrap().split_whitespace().map(|n| n.parse().unwrap()).collect()
        })
        .collect();
    all.sort_by(|a, b| a[1].total_cmp(&b[1]));
    all.swap_remove(all.len() / 2)
}

fn opening(dir: &Path, report: &mut Report) {
    let middle = first_start(dir);
    report.check("open in a new process, warm, to the first 100 rows", middle[1], 10.0, "ms");
    report.note("... of which opening both files", &format!("{:.2} ms", middle[0]));
    report.check("... memory of its own", middle[2], 20.0, "MB");
}

fn pages(store: &Store, inbox: MailboxId, corpus: &Corpus, report: &mut Report) {
    for threaded in [true, false] {
        let name = if threaded { "conversations" } else { "messages" };
        let page = |cursor| {
            let rows = store.read(|db| {
                let rows = lists::page(db, inbox, threaded, cursor, 400)?;
                lists::position(db, inbox, threaded, cursor, &rows)?;
                Ok(rows)
            });
            rows.unwrap()
        };
        let middle = postrider::mail::row::RowCursor::From((crate::corpus::NEWEST - i64::from(corpus.count / 2) * 1_100) << 24);
        for (what, cursor) in [("newest", RowCursor::Newest), ("middle", middle), ("oldest", RowCursor::Oldest)] {
            let (median, _) = times(25, || drop(page(cursor)));
            report.check(&format!("a page of 400 {name}, {what}"), median, 10.0, "ms");
        }
    }
}

fn searches(store: &Store, inbox: MailboxId, report: &mut Report) {
    let queries = [
        "r",
        "re",
        "rean",
        "reante",
        RARE,
        COMMON,
        "from:re",
        "to:an",
        "subject:re",
        "\"re an\"",
        "-re",
        "re OR an",
        "re -an",
        "is:unread",
        "is:starred",
        "has:attachment",
        "re is:starred",
        "re is:unread",
        "re has:attachment",
        "is:draft",
        "tag:work",
        "re is:draft",
        "re in:inbox",
        "before:2024-01-01",
        "re before:2024-01-01",
        "cc:re",
        "larger:1M",
        "nosuchword",
        "re nosuchword",
    ];
    for text in queries {
        let query = query::parse(text, date(2026, 11, 21)).query;
        let mut rows = 0;
        let (median, worst) = times(15, || {
            let found = store.read(|db| search::search(db, &query, None, &TimeZone::UTC, 50)).unwrap();
            rows = found.rows.len();
        });
        report.check(&format!("search {text} ({rows} rows; worst {worst:.1} ms)"), median, 10.0, "ms");
    }
    let query = query::parse("re", date(2026, 11, 21)).query;
    let (median, _) = times(15, || drop(store.read(|db| search::search(db, &query, Some(inbox), &TimeZone::UTC, 50)).unwrap()));
    report.check("search re within the mailbox", median, 10.0, "ms");
}

fn changes(store: &Store, inbox: MailboxId, corpus: &Corpus, report: &mut Report) {
    let mut uid = corpus.count;
    let (median, worst) = times(200, || {
        let seen = corpus.mail(uid).seen;
        let mut flags = seen.flags.clone();
        flags.insert(postrider::mail::flags::Flag::Flagged);
        let row = FlagsSeen { uid: Uid::new(uid).unwrap(), flags, modseq: ModSeq(2) };
        store.cache(move |tx| placements::flags_observed(tx, inbox, &[row])).unwrap();
        uid -= 1;
    });
    report.check(&format!("record a change of flags (worst {worst:.1} ms)"), median, 2.0, "ms");
    let new = Corpus { seed: 2, count: corpus.count + 200 };
    uid = corpus.count + 1;
    let (median, worst) = times(200, || {
        let row = new.mail(uid).seen;
        store.cache(move |tx| messages::record_new(tx, inbox, UidValidity(1), &[row])).unwrap();
        uid += 1;
    });
    report.check(&format!("record a new message (worst {worst:.1} ms)"), median, 2.0, "ms");
}
