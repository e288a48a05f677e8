//! faults — F-04, F-05, F-08: calls to the system that fail, a disk without room, power that goes. What was said to be done
//! is done; what could not be done is said; afterwards everything works.
//! Start reading at: `under_strace`. strace injects and records (`bash tests/setup mailhost` installs it).

use super::bed::{Bed, Ran, files};
use super::wire::Server;
use std::collections::HashMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

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
    let errors = ["EIO", "ENOSPC", "EDQUOT", "EMFILE", "EINTR"];
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

/// What the disk has if the power goes: of each file only what was written before it was last synchronised.
struct Disk {
    root: PathBuf,
    /// Written, and not synchronised.
    open: HashMap<PathBuf, Vec<(u64, Vec<u8>)>>,
    /// By process-wide number.
    numbers: HashMap<String, PathBuf>,
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
                    self.numbers.insert(result.to_owned(), path);
                }
            }
            "close" => drop(self.numbers.remove(args[0].trim_end_matches(|c: char| !c.is_ascii_digit()))),
            "pwrite64" => {
                let offset = args.last().and_then(|a| a.split(')').next()?.parse().ok());
                if let (Some(path), Some(offset)) = (self.numbers.get(args[0]), offset) {
                    let bytes = args[1].trim_matches('"').split("\\x").skip(1).map(|h| u8::from_str_radix(h, 16).unwrap());
                    self.open.entry(path.clone()).or_default().push((offset, bytes.collect()));
                }
            }
            "fdatasync" | "fsync" => {
                let number = args[0].split(')').next().unwrap_or_default();
                if let Some(path) = self.numbers.get(number).cloned() {
                    self.flush(&path);
                }
            }
            "ftruncate" => {
                let size = args.get(1).and_then(|a| a.split(')').next()?.parse().ok());
                if let (Some(path), Some(size)) = (self.numbers.get(args[0]).cloned(), size) {
                    self.open.remove(&path);
                    File::options().write(true).open(path).unwrap().set_len(size).unwrap();
                }
            }
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
        let Ok(file) = File::options().write(true).open(path) else { return };
        for (offset, bytes) in self.open.remove(path).unwrap_or_default() {
            file.write_all_at(&bytes, offset).unwrap();
        }
    }
}

fn copy(from: &Path, to: &Path) {
    files(from, &mut |path| {
        let target = to.join(path.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(path, target).unwrap();
    });
}

/// F-08: the power goes after each of the calls of a few commands: what was said to be done by then is there, and what is
/// there can be read.
#[test]
fn f_08_power_loss() {
    let (_server, bed) = in_step();
    let ids: Vec<String> = (1..=3).map(|n| bed.id("INBOX", &format!("Letter {n}"))).collect();
    let calls = "trace=openat,close,pwrite64,fdatasync,fsync,ftruncate,unlink";
    let mut looked = 0;
    for (done, id) in ids.iter().enumerate() {
        let before = tempfile::tempdir().unwrap();
        copy(&bed.path("data"), &before.path().join("data"));
        let log = before.path().join("strace");
        let options = [log.to_str().unwrap(), "-xx", "-s", "200000", "-e", calls];
        under_strace(&bed, &options, &["--offline", "flag", id, "--add", "flagged"]).code(0);
        // strace writes all texts as bytes; paths are wanted as text.
        let lines: Vec<String> = fs::read_to_string(&log).unwrap().lines().map(readable).collect();
        assert!(lines.iter().any(|l| l.contains("sync(")), "nothing was synchronised");
        let step = (lines.len() / 8).max(1);
        for end in (0..=lines.len()).step_by(step).chain([lines.len()]) {
            let dark = Bed::at(&_server);
            let mut disk = Disk { root: dark.path(""), open: HashMap::new(), numbers: HashMap::new() };
            copy(&before.path().join("data"), &dark.path("data"));
            lines[..end].iter().for_each(|l| disk.play(l, &bed.path("")));
            let queue = dark.run(&["--offline", "queue", "--json"]).code(0).json().as_array().unwrap().len();
            let all = end == lines.len();
            assert!(queue == done || queue == done + 1, "after {end} of {}: {queue}", lines.len());
            assert!(!all || queue == done + 1, "said to be done, and lost: {queue} of {}", done + 1);
            dark.run(&["--offline", "list", "INBOX"]).code(0);
            looked += 1;
        }
    }
    assert!(looked > 20, "{looked}");
}

/// Paths as text, data as bytes.
fn readable(line: &str) -> String {
    if line.contains("pwrite64(") {
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
