//! flips — F-06: one byte wrong in each page of both files. It is found or it is harmless: nobody panics, no wrong thing is told to the
//! server, the state is never touched by what befalls the cache, and what the person wrote can be had from a state that cannot be used.
//! Start reading at: `full`.

use super::bed::{Bed, files};
use super::imap::letter;
use super::inside::{Dice, Seen, copy, look};
use super::wire::{Server, Tls};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;

const PAGE: usize = 4096;
/// Flips of the cache; `POSTRIDER_FLIPS` says otherwise.
const FLIPS: usize = 500;
/// Of each so many the program itself goes on with the cache, at the server.
const AT_SERVER: usize = 50;
/// Threads that flip, each in a profile of its own.
const HANDS: usize = 2;

/// A profile with sixty letters and their texts, a star that waits, an outgoing mail and an unfinished one; all of it in the files
/// themselves, not in their logs.
pub fn full() -> (Server, Bed) {
    let (imap, smtp) = (Server::imap(), Server::smtp_over(Tls::None));
    (4..=60).for_each(|n| {
        imap.world().inbox().add(letter(n));
    });
    let mut bed = Bed::new();
    bed.account("a", &imap, Some(&smtp), "");
    bed.run(&["sync", "--bodies", "all"]).code(0);
    let id = bed.id("INBOX", "Letter 40");
    bed.run(&["--offline", "flag", &id, "--add", "flagged"]).code(0);
    for subject in ["Never sent", "A letter"] {
        bed.write("mail", &format!("To: b@x.example\nSubject: {subject}\n\nThe ferry leaves at nine.\n"));
        bed.send(&["--queue-only"]).code(0);
        if subject == "Never sent" {
            let rows = bed.run(&["--offline", "outbox", "list", "--json"]).code(0).json();
            bed.run(&["--offline", "outbox", "cancel", &rows[0]["id"].to_string()]).code(0);
        }
    }
    for name in ["cache", "state"] {
        let db = rusqlite::Connection::open(bed.path(&format!("data/{name}.sqlite"))).unwrap();
        db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    }
    (imap, bed)
}

/// A copy of a profile in which the byte at `at` of a file is another one.
fn flipped(bed: &Bed, file: &str, at: usize, by: u8) -> tempfile::TempDir {
    let dir = tempfile::Builder::new().prefix("flip").tempdir().unwrap();
    copy(&bed.path("data"), &dir.path().join("data"));
    for name in ["config.toml", "ca.pem", "pw"] {
        fs::copy(bed.path(name), dir.path().join(name)).unwrap();
    }
    let path = dir.path().join("data").join(file);
    let mut bytes = fs::read(&path).unwrap();
    bytes[at] ^= by;
    fs::write(path, bytes).unwrap();
    dir
}

/// A copy of a profile whose cache is flipped again and again; the rest of it is the same each time.
struct Worn {
    dir: tempfile::TempDir,
    bed: PathBuf,
    cache: Vec<u8>,
    blobs: usize,
}

impl Worn {
    fn of(bed: &Bed) -> Self {
        let dir = flipped(bed, "cache.sqlite", 0, 0);
        let blobs = count(&bed.path("data/blobs"));
        Self { dir, bed: bed.path(""), cache: fs::read(bed.path("data/cache.sqlite")).unwrap(), blobs }
    }

    /// As it was, but for one byte.
    fn flip(&self, at: usize, by: u8) {
        let data = self.dir.path().join("data");
        for entry in fs::read_dir(&data).unwrap().map(|e| e.unwrap().path()) {
            let name = entry.file_name().unwrap().to_string_lossy().into_owned();
            if name.contains(".sqlite-") || name.contains(".bad-") {
                fs::remove_file(entry).unwrap();
            }
        }
        let mut bytes = self.cache.clone();
        bytes[at] ^= by;
        fs::write(data.join("cache.sqlite"), bytes).unwrap();
        fs::copy(self.bed.join("data/state.sqlite"), data.join("state.sqlite")).unwrap();
        if count(&data.join("blobs")) != self.blobs {
            fs::remove_dir_all(data.join("blobs")).unwrap();
            copy(&self.bed.join("data/blobs"), &data.join("blobs"));
        }
    }
}

fn count(folder: &Path) -> usize {
    let mut all = 0;
    files(folder, &mut |_| all += 1);
    all
}

/// Where to flip: each page in turn, one place in it by the dice.
fn places(size: usize, count: usize, dice: &mut Dice) -> Vec<(usize, u8)> {
    let pages = size / PAGE;
    // Spread over the whole file, where there are fewer flips than pages.
    let page = |n: usize| if count < pages { n * pages / count } else { n % pages };
    (0..count).map(|n| (page(n) * PAGE + dice.below(PAGE), 1 << dice.below(8))).collect()
}

fn set_aside(data: &Path) -> bool {
    fs::read_dir(data).unwrap().any(|e| e.unwrap().file_name().to_string_lossy().starts_with("cache.sqlite.bad-"))
}

/// F-06: the cache.
#[test]
fn f_06_a_byte_of_the_cache() {
    let (imap, bed) = full();
    let whole = look(&bed.path("")).unwrap();
    let want = Seen { queue: 1, outbox: 1, drafts: 1, texts: 60, failed: 0, inbox: whole.inbox.clone() };
    assert_eq!((whole.inbox.len(), &whole), (60, &want));
    let state = fs::read(bed.path("data/state.sqlite")).unwrap();
    let size = usize::try_from(fs::metadata(bed.path("data/cache.sqlite")).unwrap().len()).unwrap();
    let count = std::env::var("POSTRIDER_FLIPS").ok().and_then(|n| n.parse().ok()).unwrap_or(FLIPS);
    let all = places(size, count, &mut Dice(20_260_621));
    let (found, aside, next) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let told = imap.heard().len();
    let hand = || {
        let worn = Worn::of(&bed);
        while let Some((at, by)) = all.get(next.fetch_add(1, SeqCst)).copied() {
            worn.flip(at, by);
            let seen = look(worn.dir.path()).unwrap_or_else(|fault| panic!("byte {at}: {fault}"));
            // What waits is in the state.
            assert_eq!((seen.queue, seen.outbox, seen.drafts), (1, 1, 1), "byte {at}");
            assert!(fs::read(worn.dir.path().join("data/state.sqlite")).unwrap() == state, "byte {at}: the state was touched");
            found.fetch_add(usize::from(seen != whole), SeqCst);
            aside.fetch_add(usize::from(set_aside(&worn.dir.path().join("data"))), SeqCst);
        }
    };
    std::thread::scope(|hands| (0..HANDS).for_each(|_| drop(hands.spawn(hand))));
    println!("{count} bytes of {size}: {found:?} seen, {aside:?} put aside");
    for (at, by) in all.iter().step_by(AT_SERVER) {
        let dir = flipped(&bed, "cache.sqlite", *at, *by);
        // The star goes to letter 40 or waits; nothing else is ever told.
        let ran = bed.run_in(dir.path(), &["sync"]);
        assert!([0, 1].contains(&ran.code), "byte {at}: {ran:?}");
        let mut world = imap.world();
        let wrong = world.inbox().mails.iter().filter(|m| m.uid != 40 && !m.flags.is_empty()).count();
        assert_eq!((wrong, world.inbox().mails.len()), (0, 60), "byte {at}");
        world.inbox().mails[39].flags.clear();
    }
    let wrong = ["UID MOVE", "UID COPY", "EXPUNGE", "-FLAGS", "APPEND \"INBOX", "DELETE", "RENAME"];
    assert!(imap.heard()[told..].iter().all(|h| !wrong.iter().any(|w| h.line.contains(w))), "a wrong act");
}

/// F-06: the state. It is read or it is refused, and left as it is; where it is refused, the mails lie beside it.
#[test]
fn f_06_a_byte_of_the_state() {
    let (_imap, bed) = full();
    let size = usize::try_from(fs::metadata(bed.path("data/state.sqlite")).unwrap().len()).unwrap();
    let count = size / PAGE;
    let mut refused = 0;
    // The head of the file first: there a byte is seen most often.
    let all = (16..24).map(|at| (at, 0x40)).chain(places(size, count, &mut Dice(7)));
    for (at, by) in all {
        let dir = flipped(&bed, "state.sqlite", at, by);
        let data = dir.path().join("data");
        let damaged = fs::read(data.join("state.sqlite")).unwrap();
        if look(dir.path()).is_err() {
            refused += 1;
            let ran = bed.run_in(dir.path(), &["--offline", "outbox", "list"]).code(73);
            assert!(ran.err.contains("left as it is") && ran.err.contains("rescued-"), "byte {at}: {}", ran.err);
            let mails = rescued(&data);
            assert!(mails.iter().any(|m| m.contains("Subject: A letter")), "byte {at}: {mails:?}");
            assert_eq!(fs::read(data.join("state.sqlite")).unwrap(), damaged, "byte {at}");
            // Said again, not written again.
            bed.run_in(dir.path(), &["--offline", "outbox", "list"]).code(73).says("rescued-");
            assert_eq!(rescued(&data).len(), mails.len(), "byte {at}");
        }
        assert!(data.join("state.sqlite").exists(), "byte {at}");
    }
    println!("{} bytes: {refused} refused", count + 8);
    assert!(refused > 0);
}

/// F-06: where the rows can still be read, unfinished mails are there too.
#[test]
fn f_06_drafts_are_rescued() {
    let (_imap, bed) = full();
    let done = postrider::engine::rescue::rescue(&bed.path("data")).unwrap();
    assert_eq!(done.mails, 2);
    let mails = rescued(&bed.path("data"));
    assert!(mails.iter().any(|m| m.contains("Subject: Never sent") && m.contains("The ferry leaves at nine.")), "{mails:?}");
    assert!(mails.iter().any(|m| m.contains("Subject: A letter") && m.contains("Message-ID: ")), "{mails:?}");
}

fn rescued(data: &Path) -> Vec<String> {
    let folder = fs::read_dir(data).unwrap().map(|e| e.unwrap().path()).find(|p| p.display().to_string().contains("/rescued-"));
    fs::read_dir(folder.unwrap()).unwrap().map(|e| fs::read_to_string(e.unwrap().path()).unwrap()).collect()
}
