//! Tests of what takes both files: opening, migrating, damage, two processes.

use super::*;
use std::os::unix::fs::PermissionsExt;
use std::sync::mpsc;

pub(crate) fn quiet() -> Told {
    Arc::new(|_| {})
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn files_are_private_and_ids_start_high() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let store = Store::open(&data, quiet()).unwrap();
    store.cache(|tx| Ok(tx.conn().execute("INSERT INTO mailbox (account, path) VALUES ('a', 'INBOX')", [])?)).unwrap();
    store.state(|tx| Ok(tx.conn().execute("INSERT INTO command (created) VALUES (1)", [])?)).unwrap();
    for entry in std::fs::read_dir(&data).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path) & 0o077, 0, "{}", path.display());
    }
    assert_eq!(mode(&data), 0o700);
    let id: i64 = store.read(|db| Ok(db.conn().query_row("SELECT id FROM mailbox", [], |r| r.get(0))?)).unwrap();
    assert!(id < 1 << 53 && id & 0xffff_ffff == 1, "{id:x}");
    let sync: i64 = store.state(|tx| Ok(tx.conn().query_row("PRAGMA synchronous", [], |r| r.get(0))?)).unwrap();
    assert_eq!(sync, 2);
}

#[test]
fn a_failing_job_takes_nothing_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let (send, receive) = mpsc::channel();
    let send = std::sync::Mutex::new(send);
    let store = Store::open(dir.path(), Arc::new(move |c| send.lock().unwrap().send(c).unwrap())).unwrap();
    let insert = |path: &'static str, end: fn() -> Result<()>| {
        store.cache(move |tx| {
            tx.conn().execute("INSERT INTO mailbox (account, path) VALUES ('a', ?1)", [path])?;
            tx.note(Topic::Mailboxes);
            end()
        })
    };
    assert_eq!(insert("1", || Err(StoreError::invalid("no"))).unwrap_err().kind, StoreErrorKind::Invalid);
    assert_eq!(insert("2", || panic!("as a test")).unwrap_err().kind, StoreErrorKind::Bug);
    assert!(receive.try_recv().is_err());
    insert("3", || Ok(())).unwrap();
    assert!(receive.recv().unwrap().has(&Topic::Mailboxes));
    let paths: String =
        store.read(|db| Ok(db.conn().query_row("SELECT group_concat(path) FROM mailbox", [], |r| r.get(0))?)).unwrap();
    assert_eq!(paths, "3");
}

#[test]
fn a_question_can_be_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), quiet()).unwrap();
    let stop = Stop::new();
    let thread = std::thread::spawn({
        let (mut reader, stop) = (store.reader(), stop.clone());
        move || {
            reader.ask(&stop, |db| {
                let endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT sum(x) FROM c";
                Ok(db.conn().query_row(endless, [], |r| r.get::<_, i64>(0))?)
            })
        }
    });
    std::thread::sleep(std::time::Duration::from_millis(30));
    stop.stop();
    assert_eq!(thread.join().unwrap().unwrap_err().kind, StoreErrorKind::Interrupted);
}

#[test]
fn a_damaged_cache_is_begun_anew_and_the_state_is_not_touched() {
    for damage in [b"garbage that is no database at all, and long enough to be read as one".to_vec(), vec![0xff; 8192]] {
        let dir = tempfile::tempdir().unwrap();
        drop(Store::open(dir.path(), quiet()).unwrap());
        std::fs::write(dir.path().join("cache.sqlite"), &damage).unwrap();
        let state = std::fs::read(dir.path().join("state.sqlite")).unwrap();
        let (send, receive) = mpsc::channel();
        let send = std::sync::Mutex::new(send);
        let store = Store::open(dir.path(), Arc::new(move |c| send.lock().unwrap().send(c).unwrap())).unwrap();
        assert!(receive.try_recv().unwrap().has(&Topic::CacheRebuilt));
        store.read(|db| Ok(db.conn().query_row("SELECT count(*) FROM mailbox", [], |r| r.get::<_, i64>(0))?)).unwrap();
        drop(store);
        assert_eq!(std::fs::read(dir.path().join("state.sqlite")).unwrap(), state);
        let bad = std::fs::read_dir(dir.path()).unwrap().filter_map(|e| e.unwrap().file_name().into_string().ok());
        assert_eq!(bad.filter(|n| n.contains(".bad-")).count(), 1);
    }
}

#[test]
fn a_newer_state_is_left_alone_and_a_damaged_one_is_not_replaced() {
    let dir = tempfile::tempdir().unwrap();
    drop(Store::open(dir.path(), quiet()).unwrap());
    let path = dir.path().join("state.sqlite");
    let conn = rusqlite::Connection::open(&path).unwrap();
    conn.execute_batch("PRAGMA user_version = 99; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    drop(conn);
    let before = std::fs::read(&path).unwrap();
    assert_eq!(Store::open(dir.path(), quiet()).unwrap_err().kind, StoreErrorKind::Newer);
    assert_eq!(std::fs::read(&path).unwrap(), before);
    std::fs::write(&path, vec![0xff; 8192]).unwrap();
    assert_eq!(Store::open(dir.path(), quiet()).unwrap_err().kind, StoreErrorKind::Corrupt);
    assert_eq!(std::fs::read(&path).unwrap(), vec![0xff; 8192]);
}
