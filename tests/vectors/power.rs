//! power — F-08: the power goes. What was said to be done is done, and what is there can be read.
//! Start reading at: `Disk`, then `f_08_power_loss`. strace records (`bash tests/setup mailhost` installs it).

use super::bed::Bed;
use super::faults::under_strace;
use super::inside::{Dice, copy, look};
use super::wire::Server;
use std::collections::HashMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

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
            "close" => drop(self.numbers.remove(args[0].split(')').next().unwrap_or_default())),
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
                let size: Option<u64> = args.get(1).and_then(|a| a.split(')').next()?.parse().ok());
                if let (Some((path, _)), Some(size)) = (self.numbers.get(args[0]).cloned(), size) {
                    // What was written below stays to be written.
                    for (at, bytes) in self.open.entry(path.clone()).or_default() {
                        bytes.truncate(usize::try_from(size.saturating_sub(*at)).unwrap());
                    }
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
        if let Some(first) = rest.strip_suffix("<unfinished ...>").filter(|first| first.trim_start().starts_with("close(")) {
            // Another thread may get the number as soon as this has begun.
            lines.push(format!("{thread} {first}) = 0"));
        } else if let Some(first) = rest.strip_suffix("<unfinished ...>") {
            begun.insert(thread, first);
        } else if let Some((_, second)) = rest.trim_start().strip_prefix("<... ").and_then(|r| r.split_once(" resumed>")) {
            if let Some(first) = begun.remove(thread) {
                lines.push(format!("{thread} {}{second}", first.trim_end()));
            }
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
