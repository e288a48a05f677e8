//! faults — F-04, F-05, F-08: calls to the system that fail, a disk without room, power that goes. What was said to be done
//! is done; what could not be done is said; afterwards everything works.
//! Start reading at: `under_strace`. strace injects and records (`bash tests/setup mailhost` installs it).

use super::bed::{Bed, Ran};
use super::inside::{Dice, copy, look};
use super::screen::Screen;
use super::wire::Server;
use std::collections::HashMap;
use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A busy machine is slow.
const SOON: Duration = Duration::from_secs(20);
/// A failed visit is tried again after a pause that grows.
const LONG: Duration = Duration::from_secs(60);

fn under_strace(bed: &Bed, options: &[&str], args: &[&str]) -> Ran {
    let before = [&["-f", "-qq", "-o"], options].concat();
    bed.finish(bed.command("strace", &before, args))
}

fn in_step() -> (Server, Bed) {
    let server = Server::imap();
    let bed = Bed::at(&server);
    bed.run(&["sync", "--bodies", "all"]).code(0);
    (server, bed)
}

/// F-04: the n-th call fails, once or from then on. Done is done, and what is not done says so.
#[test]
fn f_04_calls_that_fail() {
    let (server, bed) = in_step();
    let id = bed.id("INBOX", "Letter 2");
    let (mut kept, mut refused) = (Vec::new(), 0);
    let calls = ["pwrite64", "fsync", "ftruncate", "openat", "pread64"];
    let errors = ["EIO", "ENOSPC", "EDQUOT", "EMFILE", "EINTR", "EACCES"];
    let mut n = 0;
    for (c, call) in calls.into_iter().enumerate() {
        for (e, error) in errors.into_iter().enumerate() {
            // A program that cannot be loaded is no case of ours: its libraries come first.
            let first = if call == "openat" { 25 } else { 1 };
            let when = format!("{}{}", first + (c + 2 * e) % 7, if (c + e) % 3 == 0 { "+" } else { "" });
            n += 1;
            let keyword = format!("k{n}");
            let inject = format!("inject={call}:error={error}:when={when}");
            let trace = format!("trace={call}");
            let ran =
                under_strace(&bed, &["/dev/null", "-e", &trace, "-e", &inject], &["--offline", "flag", &id, "--add", &keyword]);
            assert!((0..=128).contains(&ran.code), "{inject}: {ran:?}");
            assert!(!ran.err.contains("panicked"), "{inject}: {}", ran.err);
            if ran.code == 0 {
                kept.push(keyword);
            } else {
                assert!(!ran.err.trim().is_empty(), "{inject}: failed without a word");
                refused += 1;
            }
            // It goes on at once.
            bed.run(&["--offline", "queue"]).code(0);
        }
    }
    assert!(refused > 3, "nothing was injected? {refused}");
    // The same while it speaks to the server.
    for (call, error, when) in
        [("pwrite64", "ENOSPC", "9"), ("fsync", "EIO", "2"), ("recvfrom", "EINTR", "3"), ("pwrite64", "EIO", "30+")]
    {
        server.world().inbox().add(super::imap::letter(10 + u32::try_from(when.len()).unwrap()));
        let ran = under_strace(
            &bed,
            &["/dev/null", "-e", &format!("trace={call}"), "-e", &format!("inject={call}:error={error}:when={when}")],
            &["sync"],
        );
        assert!((0..=128).contains(&ran.code) && !ran.err.contains("panicked"), "{call} {error}: {ran:?}");
    }
    bed.run(&["sync"]).code(0);
    let flags = server.world().inbox().mails[1].flags.clone();
    let lost: Vec<&String> = kept.iter().filter(|k| !flags.contains(*k)).collect();
    assert!(lost.is_empty(), "said to be done, and lost: {lost:?} of {kept:?}");
    assert_eq!(bed.subjects("INBOX").len(), server.world().inbox().mails.len());
    bed.run(&["doctor"]);
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
    let Some(small) = Small::over(&bed.path("data"), "6m") else {
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
    // Room: it goes on without being asked, and the mail goes.
    small.free();
    screen.press("\x13");
    screen.shows_no("Written on a full disk.");
    screen.until("what came meanwhile", LONG, |text| text.contains("of 400"));
    screen.until("the mail", LONG, |_| smtp.world().sent.len() == 1);
    screen.until("its copy", LONG, |_| imap.world().folder("Sent").mails.len() == 1);
    screen.press("Q");
    screen.ends();
    bed.run(&["sync"]).code(0);
    let rows = bed.run(&["--offline", "mailboxes", "--json"]).code(0).json();
    let total = |name: &str| rows.as_array().unwrap().iter().find(|m| m["name"] == name).unwrap()["total"].clone();
    assert_eq!((total("INBOX"), total("Sent"), imap.world().folder("Sent").mails.len()), (400.into(), 1.into(), 1));
}

/// What the disk has if the power goes: of each file only what was written before it was last synchronised.
struct Disk {
    root: PathBuf,
    /// Written, and not synchronised.
    open: HashMap<PathBuf, Vec<(u64, Vec<u8>)>>,
    /// By process-wide number, with the place for the next octet that comes without one.
    numbers: HashMap<String, (PathBuf, u64)>,
    /// Renamed, and the folder not synchronised.
    renamed: Vec<(PathBuf, PathBuf)>,
}

impl Disk {
    /// A line of strace, played on the copy.
    fn play(&mut self, line: &str, from: &Path) {
        let Some((call, rest)) = line.split_once(' ').map_or(line, |(_, l)| l.trim_start()).split_once('(') else { return };
        let args: Vec<&str> = rest.split(", ").collect();
        let result = rest.rsplit(" = ").next().unwrap_or_default().trim();
        let ours = |text: &str| Path::new(text.trim_matches(['"', ')'])).strip_prefix(from).ok().map(|p| self.root.join(p));
        match call {
            "openat" => {
                if let (Some(path), false) = (args.get(1).and_then(|a| ours(a)), result.starts_with('-')) {
                    if args.iter().any(|a| a.contains("O_CREAT")) && !path.exists() {
                        fs::create_dir_all(path.parent().unwrap()).unwrap();
                        File::create(&path).unwrap();
                    }
                    self.numbers.insert(result.to_owned(), (path, 0));
                } else {
                    self.numbers.remove(result);
                }
            }
            "close" => drop(self.numbers.remove(args[0].trim_end_matches(|c: char| !c.is_ascii_digit()))),
            "pwrite64" | "write" => {
                let offset = args.last().and_then(|a| a.split(')').next()?.parse::<u64>().ok());
                if let (Some((path, next)), Some(number)) = (self.numbers.get_mut(args[0]), offset) {
                    let bytes = args[1].trim_matches('"').split("\\x").skip(1).map(|h| u8::from_str_radix(h, 16).unwrap());
                    let bytes: Vec<u8> = bytes.collect();
                    let at = if call == "write" { *next } else { number };
                    *next = at + bytes.len() as u64;
                    self.open.entry(path.clone()).or_default().push((at, bytes));
                }
            }
            "fdatasync" | "fsync" => {
                let number = args[0].split(')').next().unwrap_or_default();
                if let Some((path, _)) = self.numbers.get(number).cloned() {
                    self.flush(&path);
                }
            }
            "ftruncate" => {
                let size = args.get(1).and_then(|a| a.split(')').next()?.parse().ok());
                if let (Some((path, _)), Some(size)) = (self.numbers.get(args[0]).cloned(), size) {
                    self.open.remove(&path);
                    File::options().write(true).open(path).unwrap().set_len(size).unwrap();
                }
            }
            "rename" => self.renamed.extend(ours(args[0]).zip(args.get(1).and_then(|a| ours(a.split(')').next()?)))),
            "unlink" => {
                if let Some(path) = ours(args[0]) {
                    self.open.remove(&path);
                    let _ = fs::remove_file(path);
                }
            }
            _ => {}
        }
    }

    fn flush(&mut self, path: &Path) {
        if path.is_dir() {
            for (from, to) in self.renamed.extract_if(.., |(from, _)| from.parent() == Some(path)) {
                fs::rename(from, to).unwrap();
            }
            return;
        }
        let Ok(file) = File::options().write(true).open(path) else { return };
        for (offset, bytes) in self.open.remove(path).unwrap_or_default() {
            file.write_all_at(&bytes, offset).unwrap();
        }
    }
}

/// F-08: the power goes at any of two hundred moments of a few commands: what was said to be done by then is there, and what is
/// there can be read, all of it.
#[test]
fn f_08_power_loss() {
    let (imap, smtp) = (Server::imap(), Server::smtp_over(super::wire::Tls::None));
    let mut bed = Bed::new();
    bed.account("a", &imap, Some(&smtp), "");
    bed.run(&["sync", "--bodies", "all"]).code(0);
    let before = tempfile::tempdir().unwrap();
    copy(&bed.path("data"), &before.path().join("data"));
    let log = before.path().join("strace");
    let options = [
        log.to_str().unwrap(),
        "-A",
        "-xx",
        "-s",
        "200000",
        "-e",
        "trace=openat,close,write,pwrite64,rename,fdatasync,fsync,ftruncate,unlink",
    ];
    // What there has to be after so many lines of the record: flags, a mail, and letters that came.
    let mut done: Vec<(usize, usize, usize)> = vec![(0, 0, 0)];
    let lines = || -> Vec<String> { whole(&fs::read_to_string(&log).unwrap_or_default()).iter().map(|l| readable(l)).collect() };
    for n in 1..=3 {
        let id = bed.id("INBOX", &format!("Letter {n}"));
        under_strace(&bed, &options, &["--offline", "flag", &id, "--add", "flagged"]).code(0);
        done.push((lines().len(), n, 0));
    }
    bed.write("mail", "To: b@x.example\nSubject: A letter\n\nText.\n");
    let script = [
        "-c",
        "exec strace -f -qq -o \"$0\" -A -xx -s 200000 -e trace=openat,close,write,pwrite64,rename,fdatasync,fsync,ftruncate,unlink \"$@\" <\"$HOME/mail\"",
        log.to_str().unwrap(),
    ];
    bed.finish(bed.command("sh", &script, &["--offline", "send", "-t", "--queue-only"])).code(0);
    let lines = lines();
    done.push((lines.len(), 3, 1));
    assert!(lines.iter().any(|l| l.contains("sync(")), "nothing was synchronised");
    let mut dice = Dice(1_234);
    let ends: Vec<usize> = (0..200).map(|_| dice.below(lines.len())).chain([lines.len()]).collect();
    for (n, end) in ends.into_iter().enumerate() {
        let dark = Bed::at(&imap);
        let mut disk = Disk { root: dark.path(""), open: HashMap::new(), numbers: HashMap::new(), renamed: Vec::new() };
        copy(&before.path().join("data"), &dark.path("data"));
        lines[..end].iter().for_each(|l| disk.play(l, &bed.path("")));
        for name in ["state", "cache"] {
            let db = rusqlite::Connection::open(dark.path(&format!("data/{name}.sqlite"))).unwrap();
            let sound: String = db.query_row("PRAGMA integrity_check", [], |r| r.get(0)).unwrap();
            assert_eq!(sound, "ok", "{name} after {end} of {}", lines.len());
        }
        let seen = look(&dark.path("")).unwrap_or_else(|fault| panic!("after {end} of {}: {fault}", lines.len()));
        let (_, flags, mails) = done.iter().rfind(|(at, ..)| *at <= end).unwrap();
        // One more may be there than was said to be.
        assert!((*flags..=flags + 1).contains(&seen.queue), "after {end} of {}: {seen:?} for {flags}", lines.len());
        assert!((*mails..=1).contains(&seen.outbox), "after {end} of {}: {seen:?}", lines.len());
        // The bytes of a mail are on the disk before anything names them.
        let state = rusqlite::Connection::open(dark.path("data/state.sqlite")).unwrap();
        let mut rows = state.prepare("SELECT spool, size FROM outbox").unwrap();
        let named = rows.query_map([], |r| Ok((r.get::<_, String>(0)?, r.get::<_, i64>(1)?))).unwrap();
        for (name, size) in named.map(Result::unwrap) {
            let there = fs::metadata(dark.path("data/spool").join(&name)).map(|m| m.len()).unwrap_or_default();
            assert_eq!(i64::try_from(there).unwrap(), size, "after {end} of {}: {name}", lines.len());
        }
        assert_eq!((seen.inbox.len(), seen.texts, seen.failed), (3, 3, 0), "after {end} of {}", lines.len());
        if n % 40 == 0 {
            dark.run(&["--offline", "list", "INBOX"]).code(0);
        }
    }
}

/// A record of several threads: what strace cut in two, because another thread came between, is one line where it ended.
fn whole(record: &str) -> Vec<String> {
    let mut begun: HashMap<&str, &str> = HashMap::new();
    let mut lines = Vec::new();
    for line in record.lines() {
        let (thread, rest) = line.split_once(' ').unwrap_or(("", line));
        if let Some(first) = rest.strip_suffix("<unfinished ...>") {
            begun.insert(thread, first);
        } else if let Some((_, second)) = rest.trim_start().strip_prefix("<... ").and_then(|r| r.split_once(" resumed>")) {
            let first = begun.remove(thread).unwrap_or_default().trim_end();
            lines.push(format!("{thread} {first}{second}"));
        } else {
            lines.push(line.to_owned());
        }
    }
    lines
}

/// Paths as text, data as bytes.
fn readable(line: &str) -> String {
    if line.contains("write64(") || line.contains(" write(") {
        return line.to_owned();
    }
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find("\\x") {
        out.push_str(&rest[..at]);
        out.push(char::from(u8::from_str_radix(&rest[at + 2..at + 4], 16).unwrap_or(b'?')));
        rest = &rest[at + 4..];
    }
    out + rest
}
