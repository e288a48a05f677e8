//! maildir — one maildir: its files, and the flags in their names (<https://cr.yp.to/proto/maildir.html>).
//! Owns: `Maildir`, `Base`, `Found`, `Letters` (keywords as letters, as Dovecot keeps them).
//! May import: mail, base.
//! Start reading at: `Maildir::scan`. A message's file is never written again: what changes is its name.

use crate::base::crash;
use crate::base::paths;
use crate::mail::flags::{Flag, Flags, Keyword};
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The letters of flags; `P` (passed on) is a keyword elsewhere.
const LETTERS: [(u8, Flag); 5] =
    [(b'D', Flag::Draft), (b'F', Flag::Flagged), (b'R', Flag::Answered), (b'S', Flag::Seen), (b'T', Flag::Deleted)];
/// What `P` is called on servers.
const PASSED: &str = "$Forwarded";
/// Keywords beside [`PASSED`] have the letters `a` to `z`.
const MAX_LETTERS: usize = 26;

/// A message's unique name, without its folder and flags.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Base(Vec<u8>);

impl Base {
    /// Of a file name; nothing for what is no message or cannot stand in a line of ours.
    pub fn of(name: &[u8]) -> Option<Self> {
        let base = name.split(|b| *b == b':').next()?;
        let odd = base.is_empty() || base.starts_with(b".") || base.iter().any(|b| matches!(b, b'\n' | b'\r' | b'/'));
        (!odd).then(|| Self(base.to_vec()))
    }

    /// A new one: time, process, a counter and chance, so that no two programs on any machine make the same.
    pub fn fresh() -> io::Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let chance = getrandom::u64().map_err(|e| io::Error::other(e.to_string()))?;
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let (seconds, micros, pid) = (now.as_secs(), now.subsec_micros(), std::process::id());
        Ok(Self(format!("{seconds}.M{micros}P{pid}Q{count}R{chance:016x}.postrider").into_bytes()))
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A message's file, as last seen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// Seen by no program yet (`new/`).
    pub fresh: bool,
    /// The whole file name.
    pub name: OsString,
}

impl Found {
    /// The letters behind `:2,`.
    fn info(&self) -> &[u8] {
        let name = self.name.as_bytes();
        name.windows(3).position(|w| w == b":2,").and_then(|at| name.get(at + 3..)).unwrap_or_default()
    }

    /// Its flags, with `letters` for keywords.
    pub fn flags(&self, letters: &Letters) -> Flags {
        let mut flags = Flags::new();
        for letter in self.info() {
            if let Some((_, flag)) = LETTERS.iter().find(|(l, _)| l == letter) {
                flags.insert(*flag);
            } else if let Some(keyword) = letters.keyword(*letter) {
                flags.insert_keyword(keyword);
            }
        }
        flags
    }
}

/// Which letter stands for which keyword in one maildir.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Letters(Vec<Option<Keyword>>);

impl Letters {
    fn parse(text: &str) -> Self {
        let mut all = vec![None; MAX_LETTERS];
        for line in text.lines() {
            let Some((number, word)) = line.split_once(' ') else { continue };
            if let (Ok(n), Some(keyword)) = (number.parse::<usize>(), Keyword::new(word.trim()))
                && let Some(slot) = all.get_mut(n)
            {
                *slot = Some(keyword);
            }
        }
        Self(all)
    }

    fn text(&self) -> String {
        let lines = self.0.iter().enumerate().filter_map(|(n, k)| Some(format!("{n} {}\n", k.as_ref()?.as_str())));
        lines.collect()
    }

    fn keyword(&self, letter: u8) -> Option<Keyword> {
        if letter == b'P' {
            return Keyword::new(PASSED);
        }
        self.0.get(usize::from(letter.checked_sub(b'a')?))?.clone()
    }

    fn letter(&self, keyword: &Keyword) -> Option<u8> {
        if keyword.as_str().eq_ignore_ascii_case(PASSED) {
            return Some(b'P');
        }
        let n = self.0.iter().position(|k| k.as_ref() == Some(keyword))?;
        u8::try_from(n).ok().map(|n| b'a' + n)
    }

    /// Whether another keyword fits.
    pub fn has_room(&self) -> bool {
        self.0.len() < MAX_LETTERS || self.0.iter().any(Option::is_none)
    }

    /// Gives letters to those of `flags` that have none. Whether any was new; an error if there are none left.
    fn learn(&mut self, flags: &Flags) -> io::Result<bool> {
        self.0.resize(MAX_LETTERS, None);
        let mut any = false;
        for keyword in flags.keywords() {
            if self.letter(keyword).is_some() {
                continue;
            }
            let slot = self.0.iter_mut().find(|k| k.is_none()).ok_or_else(|| io::Error::other("a maildir has 26 keywords"))?;
            *slot = Some(keyword.clone());
            any = true;
        }
        Ok(any)
    }

    /// The file name of `base` with `flags`, which were learned; letters of `old` that mean nothing to us stay.
    fn name(&self, base: &Base, flags: &Flags, old: &[u8]) -> OsString {
        let known = |l: &u8| LETTERS.iter().any(|(k, _)| k == l) || self.keyword(*l).is_some();
        let mut info: Vec<u8> = old.iter().copied().filter(|l| l.is_ascii_alphabetic() && !known(l)).collect();
        info.extend(LETTERS.iter().filter(|(_, f)| flags.has(*f)).map(|(l, _)| *l));
        info.extend(flags.keywords().filter_map(|k| self.letter(k)));
        // The order of letters is part of the format.
        info.sort_unstable();
        info.dedup();
        let mut name = base.bytes().to_vec();
        name.extend_from_slice(b":2,");
        name.extend_from_slice(&info);
        OsString::from_vec(name)
    }
}

/// One maildir.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Maildir {
    dir: PathBuf,
}

impl Maildir {
    pub const fn at(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// Whether `dir` is one.
    pub fn is(dir: &Path) -> bool {
        dir.join("cur").is_dir()
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Makes what is missing of it, for its owner only.
    pub fn create(&self) -> io::Result<()> {
        for sub in ["tmp", "new", "cur"] {
            DirBuilder::new().recursive(true).mode(0o700).create(self.dir.join(sub))?;
        }
        Ok(())
    }

    /// Which keyword has which letter.
    pub fn letters(&self) -> io::Result<Letters> {
        match fs::read_to_string(self.keywords()) {
            Ok(text) => Ok(Letters::parse(&text)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Letters::default()),
            Err(e) => Err(e),
        }
    }

    /// Makes `letters` know the keywords of `flags`, durably.
    pub fn learn(&self, letters: &mut Letters, flags: &Flags) -> io::Result<()> {
        if letters.learn(flags)? { paths::write_private(&self.keywords(), letters.text().as_bytes()) } else { Ok(()) }
    }

    fn keywords(&self) -> PathBuf {
        self.dir.join("dovecot-keywords")
    }

    /// Its messages. A file that another program renames meanwhile may be missed: see `Uidlist::refresh`.
    pub fn scan(&self) -> io::Result<HashMap<Base, Found>> {
        let mut all = HashMap::new();
        // A message that moves from `new` to `cur` meanwhile is seen in one of them, or in both.
        for (sub, fresh) in [("new", true), ("cur", false)] {
            for entry in fs::read_dir(self.dir.join(sub))? {
                let name = entry?.file_name();
                if let Some(base) = Base::of(name.as_bytes()) {
                    all.insert(base, Found { fresh, name });
                }
            }
        }
        Ok(all)
    }

    pub fn file(&self, found: &Found) -> PathBuf {
        self.dir.join(if found.fresh { "new" } else { "cur" }).join(&found.name)
    }

    /// Gives a message other flags. What its file is then; `NotFound` if it is not where it was.
    pub fn set_flags(&self, base: &Base, found: &Found, flags: &Flags, letters: &Letters) -> io::Result<Found> {
        let renamed = Found { fresh: false, name: letters.name(base, flags, found.info()) };
        if renamed != *found {
            fs::rename(self.file(found), self.file(&renamed))?;
        }
        Ok(renamed)
    }

    /// Writes a message into `tmp`, synced, with `received` as its time. Exactly `size` bytes if given.
    pub fn stage(&self, base: &Base, from: &mut dyn Read, size: Option<u64>, received: Option<i64>) -> io::Result<PathBuf> {
        let path = self.dir.join("tmp").join(OsStr::from_bytes(base.bytes()));
        let written = (|| {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            let got = io::copy(&mut from.take(size.unwrap_or(u64::MAX)), &mut file)?;
            if size.is_some_and(|size| size != got) {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the message is shorter than it was said to be"));
            }
            if let Some(seconds) = received.and_then(|r| u64::try_from(r).ok()) {
                file.set_modified(UNIX_EPOCH + Duration::from_secs(seconds))?;
            }
            file.sync_all()
        })();
        if written.is_err() {
            // The first error is the one to tell; what stays in tmp is swept by any maildir program.
            let _ = fs::remove_file(&path);
        }
        written.map(|()| path)
    }

    /// Where a message of these flags would be.
    pub fn place(&self, base: &Base, flags: &Flags, letters: &Letters) -> PathBuf {
        self.dir.join("cur").join(letters.name(base, flags, b""))
    }

    /// Delivers as a mail server does: into `new`, for whoever looks first.
    pub fn deliver(&self, from: &mut dyn Read) -> io::Result<()> {
        let base = Base::fresh()?;
        let staged = self.stage(&base, from, None, None)?;
        fs::rename(&staged, self.dir.join("new").join(OsStr::from_bytes(base.bytes())))?;
        self.sync("new")?;
        crash::step("delivered");
        Ok(())
    }

    /// Makes names in `sub` durable.
    pub fn sync(&self, sub: &str) -> io::Result<()> {
        File::open(self.dir.join(sub))?.sync_all()
    }
}

/// A file's size and the second it came: a maildir keeps it as the modification time, as Dovecot does.
pub fn size_and_time(path: &Path) -> io::Result<(u64, i64)> {
    let meta = fs::metadata(path)?;
    Ok((meta.len(), meta.mtime()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_letters_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let maildir = Maildir::at(dir.path().to_owned());
        maildir.create().unwrap();
        let mut letters = maildir.letters().unwrap();
        let flags = Flags::from_words(["\\Seen", "work", "$forwarded", "\\Flagged"]);
        maildir.learn(&mut letters, &flags).unwrap();
        assert_eq!(fs::read_to_string(dir.path().join("dovecot-keywords")).unwrap(), "0 work\n");
        let base = Base::of(b"1.x").unwrap();
        let name = letters.name(&base, &flags, b"ZS");
        assert_eq!(name.as_bytes(), b"1.x:2,FPSZa");
        let again = maildir.letters().unwrap();
        assert_eq!(Found { fresh: false, name }.flags(&again), flags);
        let many = Flags::from_words((0..26).map(|n| format!("k{n}")).collect::<Vec<_>>().iter().map(String::as_str));
        assert!(maildir.learn(&mut letters, &many).is_err());
    }

    #[test]
    fn what_is_no_message_has_no_name() {
        for odd in [&b".hidden"[..], b"", b":2,S", b"a\nb", b"a/b"] {
            assert_eq!(Base::of(odd), None, "{odd:?}");
        }
        assert_ne!(Base::fresh().unwrap(), Base::fresh().unwrap());
    }
}
