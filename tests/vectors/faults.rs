//! faults — F-04, F-05: calls to the system that fail or do half, a disk without room. What was said to be done is done; what could
//! not be done is said; afterwards everything works.
//! Start reading at: `under_strace`. strace injects and records (`bash tests/setup mailhost` installs it).

use super::bed::{Bed, Ran};
use super::inside::copy;
use super::screen::Screen;
use super::wire::Server;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A busy machine is slow.
const SOON: Duration = Duration::from_secs(20);
/// How long the disk is full at `POSTRIDER_FULL=1`.
const TEN_MINUTES: Duration = Duration::from_secs(600);
/// A failed visit is tried again after a pause that grows.
const LONG: Duration = Duration::from_secs(60);

pub fn under_strace(bed: &Bed, options: &[&str], args: &[&str]) -> Ran {
    let before = [&["-f", "-qq", "-o"], options].concat();
    bed.finish(bed.command("strace", &before, args))
}

fn in_step() -> (Server, Bed) {
    let server = Server::imap();
    let bed = Bed::at(&server);
    bed.run(&["sync", "--bodies", "all"]).code(0);
    (server, bed)
}

/// Both files are whole, and what was said to be done is at the servers, once, and nothing else of it: flags of the second letter, mails
/// by their subjects.
fn nothing_lost((imap, smtp): (&Server, &Server), bed: &Bed, flags: &[String], mails: &[String]) {
    for name in ["state", "cache"] {
        let db = rusqlite::Connection::open(bed.path(&format!("data/{name}.sqlite"))).unwrap();
        let sound: String = db.query_row("PRAGMA integrity_check", [], |r| r.get(0)).unwrap();
        assert_eq!(sound, "ok", "{name}");
    }
    bed.run(&["sync", "--bodies", "all"]).code(0);
    bed.run(&["sync"]).code(0);
    let there: Vec<String> = imap.world().inbox().mails[1].flags.iter().cloned().collect();
    let (mut there, mut flags) = (there, flags.to_vec());
    there.sort();
    flags.sort();
    assert_eq!(there, flags);
    let sent = |mail: &Vec<u8>| super::words::field(mail, "Subject");
    let (mut there, mut mails): (Vec<String>, _) = (smtp.world().sent.iter().map(sent).collect(), mails.to_vec());
    there.sort();
    mails.sort();
    assert_eq!(there, mails);
    assert_eq!(bed.subjects("INBOX").len(), imap.world().inbox().mails.len());
    bed.run(&["--offline", "doctor"]).code(0);
}

/// A profile in step, that can send too.
fn sender() -> (Server, Server, Bed) {
    let (imap, smtp) = (Server::imap(), Server::smtp_over(super::wire::Tls::None));
    let mut bed = Bed::new();
    bed.account("a", &imap, Some(&smtp), "");
    bed.run(&["sync", "--bodies", "all"]).code(0);
    (imap, smtp, bed)
}

/// Done, or refused in words; never a panic. Whether it was done.
#[track_caller]
fn done(ran: &Ran, what: &str) -> bool {
    assert!((0..=128).contains(&ran.code) && !ran.err.contains("panicked"), "{what}: {ran:?}");
    assert!(ran.code == 0 || !ran.err.trim().is_empty(), "{what}: failed without a word");
    ran.code == 0
}

/// F-04: the n-th call fails, once or from then on, while a star is set and a mail is sent. Done is done, and what is not done says so.
#[test]
fn f_04_calls_that_fail() {
    let (imap, smtp, bed) = sender();
    let id = bed.id("INBOX", "Letter 2");
    let (mut flags, mut mails, mut refused) = (Vec::new(), Vec::new(), [0, 0]);
    let calls = ["pwrite64", "write", "fsync", "ftruncate", "openat", "pread64"];
    let errors = ["EIO", "ENOSPC", "EDQUOT", "EMFILE", "EINTR", "EACCES"];
    for (c, call) in calls.into_iter().enumerate() {
        for (e, error) in errors.into_iter().enumerate() {
            // A program that cannot be loaded is no case of ours: its libraries come first.
            let first = if call == "openat" { 25 } else { 1 };
            // Nobody is interrupted for ever.
            let lasts = (c + e) % 3 == 0 && error != "EINTR";
            let when = format!("{}{}", first + (c + 2 * e) % 7, if lasts { "+" } else { "" });
            let inject = format!("inject={call}:error={error}:when={when}");
            let trace = format!("trace={call}");
            let options = ["/dev/null", "-e", &trace, "-e", &inject];
            let name = format!("{call}-{error}");
            if done(&under_strace(&bed, &options, &["--offline", "flag", &id, "--add", &name]), &inject) {
                flags.push(name.clone());
            } else {
                refused[0] += 1;
            }
            bed.write("mail", &format!("To: b@x.example\nSubject: {name}\n\nText.\n"));
            let script = [&["-c", "exec strace -f -qq -o \"$@\" <\"$HOME/mail\"", "sh"], &options[..]].concat();
            let ran = bed.finish(bed.command("sh", &script, &["--offline", "send", "-t", "--queue-only"]));
            if done(&ran, &inject) {
                mails.push(name);
            } else {
                refused[1] += 1;
            }
            // It goes on at once.
            bed.run(&["--offline", "queue"]).code(0);
        }
    }
    println!("refused: {refused:?}");
    assert!(refused.iter().all(|n| *n > 3), "nothing was injected? {refused:?}");
    // The same while it speaks to the server.
    for (call, error, when) in
        [("pwrite64", "ENOSPC", "9"), ("fsync", "EIO", "2"), ("recvfrom", "EINTR", "3"), ("pwrite64", "EIO", "30+")]
    {
        imap.world().inbox().add(super::imap::letter(10 + u32::try_from(when.len()).unwrap()));
        let (trace, inject) = (format!("trace={call}"), format!("inject={call}:error={error}:when={when}"));
        done(&under_strace(&bed, &["/dev/null", "-e", &trace, "-e", &inject], &["sync"]), &inject);
    }
    nothing_lost((&imap, &smtp), &bed, &flags, &mails);
}

/// F-04: calls that do a part of what they were asked for, of files and of connections: all goes on behind that part.
#[test]
fn f_04_calls_that_do_a_part() {
    let library = tempfile::Builder::new().prefix("short").suffix(".so").tempfile().unwrap();
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/short.c");
    let made = std::process::Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(library.path()).arg(source).status();
    assert!(made.unwrap().success());
    for most in ["1", "7", "1000", "4095"] {
        let (imap, smtp) = (Server::imap(), Server::smtp_over(super::wire::Tls::None));
        let mut bed = Bed::new();
        bed.account("a", &imap, Some(&smtp), "");
        let run = |words: &[&str]| {
            let script = [
                "-c",
                "[ -e \"$HOME/mail\" ] && exec <\"$HOME/mail\"; LD_PRELOAD=$0 SHORT=$1; export LD_PRELOAD SHORT; shift; exec \"$@\"",
            ];
            let library = library.path().display().to_string();
            let ran = bed.finish(bed.command("sh", &[&script[..], &[&library, most]].concat(), words));
            assert_eq!(ran.code, 0, "{most}: {ran:?}");
            ran
        };
        run(&["sync", "--bodies", "all"]);
        let id = bed.id("INBOX", "Letter 2");
        assert!(run(&["--offline", "show", &id]).out.contains("the text of letter 2"), "{most}");
        run(&["--offline", "flag", &id, "--add", "short"]);
        bed.write("mail", &format!("To: b@x.example\nSubject: A mail\n\n{}", "A line of a mail that is longer.\n".repeat(300)));
        run(&["send", "-t", "--wait"]);
        run(&["sync"]);
        assert!(String::from_utf8_lossy(&smtp.world().sent[0]).matches("that is longer.\r\n").count() == 300, "{most}");
        nothing_lost((&imap, &smtp), &bed, &["short".to_owned()], &["A mail".to_owned()]);
    }
}

/// F-04: files that may not grow beyond a size: the write that reaches it does a part, the next one fails (EFBIG).
#[test]
fn f_04_files_that_may_not_grow() {
    let (imap, smtp, bed) = sender();
    let id = bed.id("INBOX", "Letter 2");
    let (mut flags, mut mails, mut refused) = (Vec::new(), Vec::new(), [0, 0]);
    // In blocks of 512 octets: in the middle of pages of the database, and of frames of its log.
    for blocks in [0, 5, 86, 131, 197, 333, 401, 457, 523, 701, 997, 1501, 4001] {
        let limit = format!("ulimit -f {blocks}; trap '' XFSZ; exec \"$@\" <\"$HOME/mail\"");
        let name = format!("below-{blocks}");
        bed.write("mail", &format!("To: b@x.example\nSubject: {name}\n\n{}", "A line of a mail that is longer.\n".repeat(3_000)));
        let run = |words: &[&str]| bed.finish(bed.command("sh", &["-c", &limit, "sh"], words));
        if done(&run(&["--offline", "flag", &id, "--add", &name]), &limit) {
            flags.push(name.clone());
        } else {
            refused[0] += 1;
        }
        if done(&run(&["--offline", "send", "-t", "--queue-only"]), &limit) {
            mails.push(name);
        } else {
            refused[1] += 1;
        }
        imap.world().inbox().add(super::imap::letter(1_000 + blocks));
        done(&run(&["sync", "--bodies", "all"]), &limit);
        bed.run(&["--offline", "queue"]).code(0);
    }
    println!("refused: {refused:?}");
    assert!(refused.iter().all(|n| (3..13).contains(n)), "{refused:?}");
    nothing_lost((&imap, &smtp), &bed, &flags, &mails);
}

/// F-05: no room at all for a while: what is here is read, what is asked is refused before it is shown as done, and when
/// there is room again it goes on.
#[test]
fn f_05_a_full_disk() {
    let (server, bed) = in_step();
    // To read, SQLite needs 32 kB beside each of the two databases, made by the first sixteen calls; after them there is no room.
    let from = |n: &str| format!("inject=pwrite64:error=ENOSPC:when={n}+");
    let (reading, writing) = (from("17"), from("9"));
    let reading = ["/dev/null", "-e", "trace=pwrite64", "-e", &reading];
    let full = ["/dev/null", "-e", "trace=pwrite64", "-e", &writing];
    let id = bed.id("INBOX", "Letter 1");
    let ran = under_strace(&bed, &reading, &["--offline", "list", "INBOX", "--json"]).code(0);
    assert_eq!(ran.json().as_array().unwrap().len(), 3);
    under_strace(&bed, &reading, &["--offline", "show", &id]).code(0).says("the text of letter 1");
    under_strace(&bed, &full, &["--offline", "flag", &id, "--add", "flagged"]).code(73).says("disk");
    assert_eq!(bed.run(&["--offline", "queue", "--json"]).code(0).json().as_array().unwrap().len(), 0);
    server.world().inbox().add(super::imap::letter(4));
    under_strace(&bed, &full, &["sync"]).code(73).says("disk");
    bed.run(&["sync"]).code(0);
    bed.run(&["--offline", "flag", &id, "--add", "flagged"]).code(0);
    bed.run(&["sync"]).code(0);
    assert_eq!(bed.subjects("INBOX").len(), 4);
    assert!(server.world().inbox().mails[0].flags.contains("\\Flagged"));
}

/// A file system of its own and of little room, over a folder.
struct Small(PathBuf);

impl Small {
    /// Nothing where this machine lets nobody mount one.
    fn over(folder: &Path, size: &str) -> Option<Self> {
        let kept = tempfile::tempdir().unwrap();
        copy(folder, kept.path());
        let options = format!("size={size},mode=0700");
        let done = as_root(&["mount", "-t", "tmpfs", "-o", &options, "tmpfs", folder.to_str()?]);
        done.then(|| {
            copy(kept.path(), folder);
            Self(folder.to_owned())
        })
    }

    /// Takes all the room that there is.
    fn fill(&self) {
        let mut file = File::create(self.0.join("filler")).unwrap();
        while std::io::Write::write_all(&mut file, &[0; 4096]).is_ok() {}
    }

    fn free(&self) {
        fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        as_root(&["umount", "-l", self.0.to_str().unwrap_or_default()]);
    }
}

fn as_root(words: &[&str]) -> bool {
    let root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let all = if root { words.to_vec() } else { [&["sudo", "-n"], words].concat() };
    std::process::Command::new(all[0]).args(&all[1..]).status().is_ok_and(|s| s.success())
}

/// F-05 at a disk that is really full, in the reader: mail that is here is read, the person is told, what cannot be kept is
/// refused before it counts as queued; once there is room it goes on by itself.
#[test]
fn f_05_a_disk_without_room_under_the_reader() {
    let (imap, smtp) = (Server::imap(), Server::smtp_over(super::wire::Tls::None));
    let mut bed = Bed::new();
    bed.account("a", &imap, Some(&smtp), "");
    bed.run(&["sync", "--bodies", "all"]).code(0);
    // What comes in ten minutes has to fit when there is room again.
    let room = if std::env::var_os("POSTRIDER_FULL").is_some() { "24m" } else { "6m" };
    let Some(small) = Small::over(&bed.path("data"), room) else {
        return eprintln!("F-05: no file system may be mounted here; only calls that fail were tested (f_05_a_full_disk)");
    };
    let mut screen = Screen::start(&bed.path(""));
    screen.shows("Letter 3");
    screen.until("its line", SOON, |_| imap.count("IDLE") > 0);
    small.fill();
    // More than fits into what the log of the cache has left.
    for n in 4..=400 {
        imap.world().inbox().add(super::imap::letter(n));
    }
    screen.shows("the disk is full");
    // What is here is read.
    screen.press("gi");
    screen.until("a letter", SOON, |text| text.contains("Letter 3"));
    screen.press("G\r");
    screen.shows("This is the text of letter 1.");
    screen.press("q");
    // A new mail is refused before it is said to be on its way: it stays in the composer.
    screen.press("c");
    screen.shows("New message");
    screen.press("b@x.example\t\tA letter\tWritten on a full disk.");
    screen.press("\x13");
    const MINE: &str = "Written on a full disk.";
    screen.until("why it does not go", SOON, |text| text.contains(MINE) && text.replace(MINE, "").contains("disk"));
    let rows = bed.run(&["--offline", "outbox", "list", "--json"]);
    assert!(rows.code != 0 || rows.json().as_array().unwrap().is_empty(), "{rows:?}");
    let all = 400 + still_full(&mut screen, &imap, MINE);
    // Room: it goes on without being asked, and the mail goes.
    small.free();
    screen.press("\x13");
    screen.shows_no("Written on a full disk.");
    screen.until("what came meanwhile", LONG, |text| text.contains(&format!("of {all}")));
    screen.until("the mail", LONG, |_| smtp.world().sent.len() == 1);
    screen.until("its copy", LONG, |_| imap.world().folder("Sent").mails.len() == 1);
    screen.press("Q");
    screen.ends();
    bed.run(&["sync"]).code(0);
    let rows = bed.run(&["--offline", "mailboxes", "--json"]).code(0).json();
    let total = |name: &str| rows.as_array().unwrap().iter().find(|m| m["name"] == name).unwrap()["total"].clone();
    assert_eq!((total("INBOX"), total("Sent"), imap.world().folder("Sent").mails.len()), (all.into(), 1.into(), 1));
}

/// The disk stays full for as long as `POSTRIDER_FULL=1` wants it, and more mail comes: the person is told still, and what they wrote is
/// where it was. How many mails came.
fn still_full(screen: &mut Screen, imap: &Server, mine: &str) -> u32 {
    if std::env::var_os("POSTRIDER_FULL").is_none() {
        return 0;
    }
    let (begun, before, mut came) = (Instant::now(), super::bed::resident(screen.id()), 0);
    while begun.elapsed() < TEN_MINUTES {
        came += 1;
        imap.world().inbox().add(super::imap::letter(400 + came));
        std::thread::sleep(Duration::from_secs(2));
        if came % 15 == 0 {
            screen.press("\x13");
            screen
                .until("that it does not go still", SOON, |text| text.contains(mine) && text.replace(mine, "").contains("disk"));
        }
    }
    let after = super::bed::resident(screen.id());
    println!(
        "a full disk for {} s, {came} mails came meanwhile; resident at most {before} kB, then {after} kB",
        begun.elapsed().as_secs()
    );
    assert!(after < before + 20_000, "{before} kB, then {after} kB");
    came
}
