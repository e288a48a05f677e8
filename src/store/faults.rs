//! faults — tests of what happens when the disk is full, the file is damaged, the schema is old, the process dies.
//! Owns: nothing. May import: store's own.
//! Start reading at: `dying_after_any_durable_step_loses_nothing`.

use super::open::{Cache, Db, Kind, State, open_writer};
use super::{Result, Store, StoreErrorKind, Topic, journal, lists, mailboxes, messages, migrate, tests::quiet};
use crate::mail::fixtures;
use crate::mail::ids::{AccountName, MailboxId};
use crate::mail::mailbox::MailboxPath;
use crate::mail::row::{RowCursor, View};
use crate::mail::server::EnvelopeSeen;
use crate::mail::uid::UidValidity;
use std::sync::{Arc, mpsc};

fn account() -> AccountName {
    AccountName::new("a")
}

fn seen(uid: u32) -> EnvelopeSeen {
    let envelope = crate::mail::envelope::Envelope { subject: format!("mail {uid}"), ..Default::default() };
    EnvelopeSeen { envelope: envelope.into(), ..fixtures::seen(uid) }
}

fn fill(store: &Store, uids: std::ops::RangeInclusive<u32>) -> Result<MailboxId> {
    store.cache(move |tx| {
        let inbox = mailboxes::ensure(tx, &account(), &MailboxPath::inbox())?;
        messages::record_new(tx, inbox, UidValidity(1), &uids.map(seen).collect::<Vec<_>>())?;
        Ok(inbox)
    })
}

fn limit<K: Kind>(pages: u32) -> impl Fn(&mut super::Tx<'_, K>) -> Result<()> + Send + 'static {
    move |tx| Ok(tx.conn().query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?)
}

fn pages<K: Kind>(db: &Db<K>) -> u32 {
    db.conn().query_row("PRAGMA page_count", [], |r| r.get(0)).unwrap()
}

#[test]
fn a_full_disk_is_told_and_takes_nothing_that_was_there() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), quiet()).unwrap();
    let inbox = fill(&store, 1..=50).unwrap();
    let full = store.read(|db| Ok(pages(db))).unwrap() + 3;
    store.cache(limit(full)).unwrap();
    assert_eq!(fill(&store, 51..=500).unwrap_err().kind, StoreErrorKind::Full);
    let count =
        || store.read(|db| Ok((mailboxes::get(db, inbox)?.total, lists::page(db, inbox, false, RowCursor::Newest, 999)?.len())));
    assert_eq!(count().unwrap(), (50, 50));

    // The intent of a key press: nothing of it is kept, and it says so.
    store.state(limit(store.read_state(|db| Ok(pages(db))).unwrap())).unwrap();
    let long = "x".repeat(1 << 16);
    let again = long.clone();
    let begin = move |tx: &mut super::Tx<'_, State>| journal::begin(tx, &journal::Command::new(&again, true), 1);
    assert_eq!(store.state(begin).unwrap_err().kind, StoreErrorKind::Full);
    assert_eq!(store.read_state(journal::undo_next).unwrap(), None);

    // Room again: it goes on, without a restart.
    store.cache(limit(100_000)).unwrap();
    store.state(limit(100_000)).unwrap();
    fill(&store, 51..=500).unwrap();
    assert_eq!(count().unwrap(), (500, 500));
    store.state(move |tx| journal::begin(tx, &journal::Command::new(&long, true), 1)).unwrap();
}

#[test]
fn a_flipped_byte_is_found_or_harmless_and_never_reaches_the_state() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), quiet()).unwrap();
    fill(&store, 1..=200).unwrap();
    store.state(|tx| journal::begin(tx, &journal::Command::new("archive", true), 1)).unwrap();
    drop(store);
    // Where nobody can miss it: the first octets of pages that every list begins at.
    let roots: Vec<u32> = {
        let db = rusqlite::Connection::open(dir.path().join("cache.sqlite")).unwrap();
        let sql = "SELECT rootpage FROM sqlite_schema WHERE name IN ('mailbox', 'message', 'placement')";
        let mut statement = db.prepare(sql).unwrap();
        statement.query_map([], |r| r.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap()
    };
    let whole = std::fs::read(dir.path().join("cache.sqlite")).unwrap();
    let size = usize::from(u16::from_be_bytes([whole[16], whole[17]]));
    let anywhere = (0..24).map(|n: usize| (n, n * 7_919 * 131 % whole.len(), n % 40));
    let certain = roots.iter().map(|root| (24, (*root as usize - 1) * size, 8));
    let state = std::fs::read(dir.path().join("state.sqlite")).unwrap();
    let mut rebuilt = 0;
    for (n, at, length) in anywhere.chain(certain) {
        let mut bytes = whole.clone();
        let end = bytes.len().min(at + 1 + length);
        bytes[at..end].fill(u8::try_from(n * 37 % 256).unwrap());
        std::fs::write(dir.path().join("cache.sqlite"), &bytes).unwrap();
        let (send, receive) = mpsc::channel();
        let send = std::sync::Mutex::new(send);
        let store = Store::open(dir.path(), Arc::new(move |c| send.lock().unwrap().send(c).unwrap())).unwrap();
        // Whatever these say: no panic, and at last a cache that works.
        for round in 0..3 {
            let all = store.read(|db| mailboxes::list(db, None)).unwrap_or_default();
            for mailbox in all {
                for threaded in [true, false] {
                    let rows = store.read(|db| lists::page(db, mailbox.id, threaded, RowCursor::Newest, 300)).unwrap_or_default();
                    rows.iter().for_each(|r| drop(store.read(|db| lists::conversation(db, r.id))));
                }
            }
            // What finds the damage may fail; the next try has a new cache.
            let recorded = fill(&store, 150..=210 + round).or_else(|_| fill(&store, 150..=210 + round));
            assert!(recorded.is_ok(), "{n}: {recorded:?}");
        }
        rebuilt += usize::from(receive.try_iter().any(|c| c.has(&Topic::CacheRebuilt)));
        drop(store);
        for entry in std::fs::read_dir(dir.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.to_str().unwrap().contains("cache.sqlite") {
                std::fs::remove_file(path).unwrap();
            }
        }
        assert_eq!(std::fs::read(dir.path().join("state.sqlite")).unwrap(), state, "{n}");
    }
    assert!(rebuilt >= roots.len() && roots.len() == 3, "{rebuilt}");
}

/// A file as its first version left it, and as its second one wants it.
enum Old {}
enum New {}
enum Broken {}

impl Kind for Old {
    const NAME: &'static str = "old.sqlite";
    const MIGRATIONS: &'static [&'static str] = &["CREATE TABLE t (a TEXT NOT NULL) STRICT; INSERT INTO t VALUES ('kept');"];
    const SYNCHRONOUS: &'static str = "FULL";
    const SEEDED: bool = false;
    const DISPOSABLE: bool = false;
}

impl Kind for New {
    const NAME: &'static str = "old.sqlite";
    const MIGRATIONS: &'static [&'static str] = &[Old::MIGRATIONS[0], "ALTER TABLE t ADD COLUMN b INTEGER NOT NULL DEFAULT 7;"];
    const SYNCHRONOUS: &'static str = "FULL";
    const SEEDED: bool = false;
    const DISPOSABLE: bool = false;
}

impl Kind for Broken {
    const NAME: &'static str = "old.sqlite";
    const MIGRATIONS: &'static [&'static str] =
        &[Old::MIGRATIONS[0], New::MIGRATIONS[1], "CREATE TABLE u (a TEXT) STRICT; INSERT INTO nowhere VALUES (1);"];
    const SYNCHRONOUS: &'static str = "FULL";
    const SEEDED: bool = false;
    const DISPOSABLE: bool = false;
}

#[test]
fn a_migration_keeps_what_was_there_beside_it_and_a_failing_one_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    drop(open_writer::<Old>(dir.path()).unwrap());
    let db = open_writer::<New>(dir.path()).unwrap();
    let row: (String, i64) = db.conn().query_row("SELECT a, b FROM t", [], |r| Ok((r.get(0)?, r.get(1)?))).unwrap();
    assert_eq!(row, ("kept".to_owned(), 7));
    drop(db);
    let backup = rusqlite::Connection::open(dir.path().join("old.sqlite.v1")).unwrap();
    assert_eq!(backup.query_row("SELECT a FROM t", [], |r| r.get::<_, String>(0)).unwrap(), "kept");
    assert!(backup.prepare("SELECT b FROM t").is_err());

    assert_eq!(open_writer::<Broken>(dir.path()).unwrap_err().kind, StoreErrorKind::Bug);
    let db = open_writer::<New>(dir.path()).unwrap();
    assert!(db.conn().prepare("SELECT 1 FROM u").is_err(), "half of the third version stayed");
    migrate::check::<New>(db.conn()).unwrap();
    assert_eq!(open_writer::<Old>(dir.path()).unwrap_err().kind, StoreErrorKind::Newer);
}

/// The cache as its first version was.
enum First {}

impl Kind for First {
    const NAME: &'static str = Cache::NAME;
    const MIGRATIONS: &'static [&'static str] = Cache::MIGRATIONS.split_at(1).0;
    const SYNCHRONOUS: &'static str = Cache::SYNCHRONOUS;
    const SEEDED: bool = true;
    const DISPOSABLE: bool = true;
}

#[test]
fn a_cache_of_the_first_version_is_migrated_with_its_rows() {
    let dir = tempfile::tempdir().unwrap();
    let old = open_writer::<First>(dir.path()).unwrap();
    old.conn()
        .execute_batch(
            "INSERT INTO mailbox (account, path, role, uidvalidity, uidnext, total, unread, threads)
               VALUES ('a', 'INBOX', 'inbox', 1, 2, 1, 1, 1);
             INSERT INTO message (account, sort, thread, message_id, received, subject, envelope)
               VALUES ('a', 60 << 24, 1, 'm@x', 60, 'kept', '{\"subject\":\"kept\",\"from\":[],\"sender\":[],\"reply_to\":[],
                 \"to\":[],\"cc\":[],\"bcc\":[],\"message_id\":\"m@x\",\"in_reply_to\":[],\"references\":[]}');
             INSERT INTO placement (mailbox, message, thread, sort, uid, flags)
               SELECT b.id, m.id, m.thread, m.sort, 1, 4 FROM mailbox b, message m;
             INSERT INTO thread_row SELECT mailbox, thread, sort, id, 1, 1 FROM placement;
             INSERT INTO thread_ref VALUES ('a', 'm@x', 1);",
        )
        .unwrap();
    drop(old);
    let store = Store::open(dir.path(), quiet()).unwrap();
    for view in [View::Inboxes, View::Unread, View::Flagged] {
        let rows = store.read(|db| lists::page(db, view, true, RowCursor::Newest, 9)).unwrap();
        assert_eq!((rows.len(), rows[0].subject.as_str(), rows[0].uid), (1, "kept", Some(1)), "{view:?}");
    }
    let sql = "SELECT thread FROM thread_key WHERE id = thread_key('a', 'm@x')";
    assert_eq!(store.read(|db| Ok(db.conn().query_row(sql, [], |r| r.get::<_, i64>(0))?)).unwrap(), 1, "ids of conversations");
    let spans =
        "SELECT count(*) FROM unindexed u JOIN message m ON (m.id, m.id, m.sort, m.sort) = (u.low, u.high, u.newest, u.oldest)";
    let spans: i64 = store.read(|db| Ok(db.conn().query_row(spans, [], |r| r.get(0))?)).unwrap();
    let query = crate::mail::query::parse("subject:kept", jiff::civil::date(2026, 11, 21)).query;
    let found = store.read(|db| crate::store::search::search(db, &query, None, &jiff::tz::TimeZone::UTC, 9)).unwrap();
    assert_eq!((spans, found.rows.len()), (1, 1), "what was not indexed will be");
    // It goes on as if it had always been so.
    fill(&store, 1..=3).unwrap();
}

/// The state as its first version was.
enum FirstState {}

impl Kind for FirstState {
    const NAME: &'static str = State::NAME;
    const MIGRATIONS: &'static [&'static str] = State::MIGRATIONS.split_at(1).0;
    const SYNCHRONOUS: &'static str = State::SYNCHRONOUS;
    const SEEDED: bool = false;
    const DISPOSABLE: bool = false;
}

#[test]
fn a_state_of_the_first_version_is_migrated_with_its_rows() {
    // A migration that was released never changes: a later one does.
    assert_eq!(State::MIGRATIONS.len(), 6, "give the new version a test: a file of the old one, migrated, with its rows");
    let dir = tempfile::tempdir().unwrap();
    let old = open_writer::<FirstState>(dir.path()).unwrap();
    old.conn()
        .execute_batch(
            "INSERT INTO draft (account, subject, body, saved) VALUES ('a', 's', '{\"subject\":\"s\"}', 7);
             INSERT INTO command (label, created) VALUES ('move', 5);
             INSERT INTO operation (command, account, mailbox, kind, targets, state, mark_validity, mark_uidnext, created)
               VALUES (1, 'a', 'INBOX', '{\"k\":\"move\",\"to\":\"Work\"}', '[]', 'in_flight', 7, 3, 5)",
        )
        .unwrap();
    drop(old);
    let store = Store::open(dir.path(), quiet()).unwrap();
    let kept = store.read_state(crate::store::drafts::list).unwrap();
    assert_eq!((kept.len(), kept[0].draft.subject.as_str()), (1, "s"));
    assert_eq!(store.read_state(crate::store::draft_copies::list).unwrap(), []);
    assert_eq!(store.read_state(|db| crate::store::asked::list(db, None)).unwrap(), []);
    assert!(store.read_state(crate::store::choices::all).unwrap().is_empty());
    assert!(!store.read_state(|db| crate::store::settings::is_on(db, crate::store::settings::Setting::Metered)).unwrap());
    // What waits goes by its names, as it did; what was sent went to a mailbox of which something is known.
    let waits = store.read_state(|db| journal::pending(db, None)).unwrap();
    assert_eq!((waits.len(), waits[0].destination().map(MailboxPath::as_str)), (1, Some("Work")));
    assert!(!waits[0].here.is_known() && !waits[0].there.is_known() && waits[0].goal().uidvalidity == UidValidity(7));
}

#[cfg(feature = "fault")]
mod crash {
    use super::*;
    use crate::mail::draft::Draft;
    use crate::mail::flags::{FlagDelta, Flags};
    use crate::mail::intent::{NewOperation, OpKind, OpState, Target};
    use crate::mail::meant::Meant;
    use crate::mail::query::parse;
    use crate::mail::server::{CopiedUids, Fingerprint};
    use crate::mail::uid::{Uid, UidSet};
    use crate::store::blobs::Blobs;
    use crate::store::bodies::{self, Reading};
    use crate::store::spool::Spool;
    use crate::store::{drafts, overlay, placements, search};
    use std::path::Path;
    use std::process::Command;

    fn archive(uid: u32) -> NewOperation {
        let print = Fingerprint { message_id: None, size: 100, received: i64::from(uid) * 60, object_id: String::new() };
        NewOperation {
            account: account(),
            mailbox: MailboxPath::inbox(),
            kind: OpKind::Move { to: MailboxPath::from_typed("Archive") },
            targets: vec![Target::Server { uidvalidity: UidValidity(1), uid, print }],
            not_before: 0,
            after: None,
            inverse: vec![FlagDelta::new(Flags::new(), Flags::new())],
            here: Meant::default(),
            there: Meant::default(),
        }
    }

    /// A day in the store, each step of which sees whether it was done before: the server has mail, one is archived offline,
    /// the server confirms it; a body comes; a draft is written.
    fn day(dir: &Path) -> Result<()> {
        let store = Store::open(dir, quiet())?;
        store.state(journal::recover)?;
        let pending = store.read_state(|db| journal::pending(db, None))?;
        store.cache(move |tx| overlay::rebuild(tx, &pending))?;
        let known = store.read(|db| mailboxes::find(db, &account(), &MailboxPath::inbox()))?;
        let inbox = known.map_or_else(|| fill(&store, 1..=3), Ok)?;
        if store.read_state(journal::undo_next)?.is_none() {
            let ops = store.state(|tx| {
                let group = journal::begin(tx, &journal::Command::new("archive", true), 1)?;
                journal::append(tx, group, vec![archive(2)], 1)
            })?;
            store.cache(move |tx| overlay::apply(tx, &ops[0]))?;
        }
        assert_eq!(shown(&store, "INBOX"), ["mail 3", "mail 1"], "an archived mail is seen again");
        assert_eq!(shown(&store, "Archive"), ["mail 2"]);
        for op in store.read_state(|db| journal::pending(db, None))? {
            let id = op.id;
            let to = |state| {
                store.state(move |tx| {
                    journal::update(tx, id, |o| {
                        o.state = state;
                        Ok(())
                    })
                    .map(drop)
                })
            };
            to(OpState::InFlight)?;
            // The server moved it, and is asked again where it is: what it says is recorded, then settled.
            let copied = CopiedUids { uidvalidity: UidValidity(4), pairs: vec![(Uid::new(2).unwrap(), Uid::new(9).unwrap())] };
            store.cache(move |tx| {
                overlay::placed(tx, inbox, UidValidity(1), &MailboxPath::from_typed("Archive"), &copied)?;
                placements::vanished(tx, inbox, &UidSet::range(2, 2)).map(drop)
            })?;
            to(OpState::Settled)?;
            store.cache(move |tx| overlay::forget(tx, id, OpState::Settled))?;
        }
        let first = store.read(|db| lists::page(db, inbox, false, RowCursor::Oldest, 1))?.remove(0);
        if !first.cached {
            let blob = Blobs::open(dir)?.put(b"Subject: mail 1\r\n\r\nkohlrabi\r\n")?;
            let reading = Reading { text: "kohlrabi".into(), ..Reading::default() };
            store.cache(move |tx| bodies::arrived(tx, first.message, &blob, 9, &reading))?;
        }
        if store.read_state(drafts::list)?.is_empty() {
            Spool::open(dir)?.put(&mut &b"attached"[..])?;
            let draft = Draft { subject: "half a thought".into(), ..Draft::default() };
            store.state(move |tx| drafts::save(tx, None, &account(), &draft, 1))?;
        }
        Ok(())
    }

    fn shown(store: &Store, path: &str) -> Vec<String> {
        let rows = store.read(|db| {
            let Some(id) = mailboxes::find(db, &account(), &MailboxPath::from_typed(path))? else { return Ok(Vec::new()) };
            let rows = lists::page(db, id, true, RowCursor::Newest, 99)?;
            let mailbox = mailboxes::get(db, id)?;
            assert_eq!(
                (mailbox.total as usize, lists::position(db, id, true, RowCursor::Newest, &rows)?.1 as usize),
                (rows.len(), rows.len())
            );
            Ok(rows)
        });
        rows.unwrap().into_iter().map(|r| r.subject).collect()
    }

    /// The child of the test below; alone it does nothing.
    #[test]
    fn child() {
        if let Ok(dir) = std::env::var("POSTRIDER_CRASH_DIR") {
            day(Path::new(&dir)).unwrap();
        }
    }

    #[test]
    fn dying_after_any_durable_step_loses_nothing() {
        let run = |dir: &Path, at: u64| {
            let mut child = Command::new(std::env::current_exe().unwrap());
            child.args(["--exact", "store::faults::crash::child", "--nocapture", "--test-threads=1"]);
            let out = child.env("POSTRIDER_CRASH_DIR", dir).env("POSTRIDER_CRASH_AT", at.to_string()).output().unwrap();
            let code = out.status.code().unwrap();
            assert!(code == 0 || code == 100, "step {at}: {}", String::from_utf8_lossy(&out.stderr));
            code == 0
        };
        let mut steps = 0;
        for at in 1..500 {
            let dir = tempfile::tempdir().unwrap();
            if run(dir.path(), at) {
                steps = at - 1;
                break;
            }
            assert!(run(dir.path(), 0), "the next start after step {at}");
            let store = Store::open(dir.path(), quiet()).unwrap();
            assert_eq!(
                (shown(&store, "INBOX"), shown(&store, "Archive")),
                (vec!["mail 3".into(), "mail 1".into()], vec!["mail 2".into()])
            );
            let query = parse("body:kohlrabi", jiff::civil::date(2026, 11, 21)).query;
            let found = store.read(|db| search::search(db, &query, None, &jiff::tz::TimeZone::UTC, 9)).unwrap();
            assert_eq!(found.rows.len(), 1, "step {at}");
            assert_eq!(store.read_state(drafts::list).unwrap()[0].draft.subject, "half a thought");
            assert_eq!(store.read_state(|db| journal::pending(db, None)).unwrap(), []);
            for file in ["cache.sqlite", "state.sqlite"] {
                let conn = rusqlite::Connection::open(dir.path().join(file)).unwrap();
                let said: String = conn.query_row("PRAGMA integrity_check", [], |r| r.get(0)).unwrap();
                assert_eq!(said, "ok", "{file} after step {at}");
            }
        }
        println!("{steps} durable steps");
        assert!(steps >= 15, "{steps}: the hook does not fire");
    }
}
