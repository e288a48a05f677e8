//! uidlist — the numbers of a maildir's messages, kept beside it, as Dovecot does it.
//! Owns: `Uidlist`, `Lock`, the file `postrider-uidlist`.
//! May import: mail, base.
//! Start reading at: `Uidlist::refresh`. Who changes it holds the lock. A number is on the disk before anybody sees it, and is
//! never given twice; a list that is lost or damaged is begun anew under another UIDVALIDITY.

use super::maildir::{Base, Found, Maildir};
use crate::base::cancel::Cancel;
use crate::base::paths;
use crate::mail::uid::{Uid, UidValidity};
use crate::net::error::{NetError, NetErrorKind, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FlockOperation, flock};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long another program may hold the lock.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a lock is tried: only while another holds it, for some milliseconds.
const AGAIN: Timespec = Timespec { tv_sec: 0, tv_nsec: 5_000_000 };

/// The right to change one maildir's list; between programs and between our own connections.
pub struct Lock(#[expect(dead_code, reason = "held, never read: closing it unlocks")] File);

impl Lock {
    /// Waits for it.
    ///
    /// # Errors
    /// `Timeout`, `Cancelled`, or that the file cannot be made.
    pub fn take(maildir: &Maildir, cancel: &Cancel) -> Result<Self> {
        let path = maildir.dir().join("postrider-uidlist.lock");
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
        let until = Instant::now() + PATIENCE;
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Self(file)),
                Err(rustix::io::Errno::WOULDBLOCK | rustix::io::Errno::INTR) => {}
                Err(e) => return Err(io::Error::from(e).into()),
            }
            if cancel.is_set() {
                return Err(NetError::cancelled());
            }
            if Instant::now() >= until {
                return Err(NetError::new(NetErrorKind::Timeout, "another program holds the lock of the maildir"));
            }
            let stop = cancel.fd();
            match poll(&mut [PollFd::new(&stop, PollFlags::IN)], Some(&AGAIN)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(e) => return Err(io::Error::from(e).into()),
            }
        }
    }
}

/// Names by number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Uidlist {
    pub validity: UidValidity,
    /// The next number to give.
    pub next: u32,
    bases: BTreeMap<u32, Base>,
}

/// A maildir's messages by number.
pub type Messages = BTreeMap<Uid, (Base, Found)>;

impl Uidlist {
    /// The list as it is on the disk, or an empty one.
    pub fn load(maildir: &Maildir) -> Result<Self> {
        let bytes = match fs::read(maildir.dir().join("postrider-uidlist")) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Self::new(now())),
            Err(e) => return Err(e.into()),
        };
        // What is left of a damaged list may have been the same second, or not even say which validity it had.
        let other = |old: u32| getrandom::u32().map(|chance| now().max(old).saturating_add(1 + chance % 1000));
        match Self::parse(&bytes) {
            Ok(list) => Ok(list),
            Err(old) => Ok(Self::new(other(old).map_err(|e| io::Error::other(e.to_string()))?)),
        }
    }

    const fn new(validity: u32) -> Self {
        Self { validity: UidValidity(validity), next: 1, bases: BTreeMap::new() }
    }

    /// Reads it; the validity as far as known if anything is wrong with it.
    fn parse(bytes: &[u8]) -> Result<Self, u32> {
        let mut lines = bytes.split(|b| *b == b'\n');
        let head = lines.next().and_then(|l| std::str::from_utf8(l).ok()).unwrap_or_default();
        let number = |letter: char| head.split(' ').find_map(|w| w.strip_prefix(letter)?.parse::<u32>().ok());
        let validity = number('V').unwrap_or(0);
        let (Some(next), true) = (number('N'), head.starts_with("1 ") && validity > 0) else { return Err(validity) };
        let mut list = Self { validity: UidValidity(validity), next, bases: BTreeMap::new() };
        let mut whole = false;
        for line in lines {
            // The last line says that nothing is missing.
            if whole || line == b"." {
                whole = true;
                continue;
            }
            let at = line.iter().position(|b| *b == b' ').ok_or(validity)?;
            let uid: Option<u32> = line.get(..at).and_then(|d| std::str::from_utf8(d).ok()?.parse().ok());
            let base = line.get(at + 1..).and_then(Base::of);
            match (uid, base) {
                (Some(uid), Some(base)) if uid > 0 && uid < next => drop(list.bases.insert(uid, base)),
                _ => return Err(validity),
            }
        }
        if whole { Ok(list) } else { Err(validity) }
    }

    /// Writes it; needs the [`Lock`].
    pub fn save(&self, maildir: &Maildir, _: &Lock) -> Result<()> {
        let mut text = format!("1 V{} N{}\n", self.validity.0, self.next).into_bytes();
        for (uid, base) in &self.bases {
            text.extend_from_slice(uid.to_string().as_bytes());
            text.push(b' ');
            text.extend_from_slice(base.bytes());
            text.push(b'\n');
        }
        text.extend_from_slice(b".\n");
        Ok(paths::write_private(&maildir.dir().join("postrider-uidlist"), &text)?)
    }

    /// The next number, for `base`. Begins anew where the numbers are used up.
    pub fn give(&mut self, base: Base) -> Result<Uid> {
        let uid = Uid::new(self.next).ok_or_else(|| NetError::protocol("a list of numbers begins with 0"))?;
        self.next = self.next.checked_add(1).ok_or_else(|| NetError::limit("a maildir has used up its numbers"))?;
        self.bases.insert(uid.get(), base);
        Ok(uid)
    }

    /// Looks at the maildir: gives numbers to what is new, forgets what is gone, and writes the list if it changed.
    pub fn refresh(maildir: &Maildir, lock: &Lock) -> Result<(Self, Messages)> {
        let mut list = Self::load(maildir)?;
        let fresh = list.bases.is_empty() && list.next == 1;
        let mut found = maildir.scan()?;
        if list.bases.values().any(|base| !found.contains_key(base)) {
            // Renamed while we read the folder, or really gone: a second look tells.
            found.extend(maildir.scan()?);
        }
        let mut messages = Messages::new();
        let before = list.bases.len();
        list.bases.retain(|uid, base| match (Uid::new(*uid), found.remove(base)) {
            (Some(uid), Some(file)) => messages.insert(uid, (base.clone(), file)).is_none(),
            _ => false,
        });
        let mut new: Vec<(Base, Found)> = found.into_iter().collect();
        let changed = fresh || before != list.bases.len() || !new.is_empty();
        // Names begin with the time of delivery: the order in which messages came.
        new.sort_by(|(a, _), (b, _)| age(a).cmp(&age(b)).then_with(|| a.cmp(b)));
        for (base, file) in new {
            messages.insert(list.give(base.clone())?, (base, file));
        }
        if changed {
            list.save(maildir, lock)?;
        }
        Ok((list, messages))
    }
}

/// The time, as a validity.
fn now() -> u32 {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |d| d.as_secs());
    u32::try_from(seconds).unwrap_or(u32::MAX).max(1)
}

/// The seconds that a name begins with.
fn age(base: &Base) -> u64 {
    let digits: Vec<u8> = base.bytes().iter().copied().take_while(u8::is_ascii_digit).collect();
    std::str::from_utf8(&digits).ok().and_then(|d| d.parse().ok()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn maildir() -> (tempfile::TempDir, Maildir, Lock) {
        let dir = tempfile::tempdir().unwrap();
        let maildir = Maildir::at(dir.path().to_owned());
        maildir.create().unwrap();
        let lock = Lock::take(&maildir, &Cancel::new().unwrap()).unwrap();
        (dir, maildir, lock)
    }

    fn names(messages: &Messages) -> Vec<(u32, String)> {
        messages.iter().map(|(u, (b, _))| (u.get(), String::from_utf8_lossy(b.bytes()).into_owned())).collect()
    }

    #[test]
    fn numbers_stay_and_are_never_given_twice() {
        let (dir, maildir, lock) = maildir();
        for name in ["cur/20.b:2,S", "new/3.a", "cur/100.c:2,"] {
            fs::write(dir.path().join(name), "x").unwrap();
        }
        let (list, messages) = Uidlist::refresh(&maildir, &lock).unwrap();
        assert_eq!(names(&messages), [(1, "3.a".into()), (2, "20.b".into()), (3, "100.c".into())]);
        fs::rename(dir.path().join("new/3.a"), dir.path().join("cur/3.a:2,FS")).unwrap();
        fs::remove_file(dir.path().join("cur/100.c:2,")).unwrap();
        fs::write(dir.path().join("new/5.d"), "x").unwrap();
        let (again, messages) = Uidlist::refresh(&maildir, &lock).unwrap();
        assert_eq!(names(&messages), [(1, "3.a".into()), (2, "20.b".into()), (4, "5.d".into())]);
        assert_eq!((again.validity, again.next), (list.validity, 5));
        assert_eq!(Uidlist::load(&maildir).unwrap(), again);
    }

    #[test]
    fn a_damaged_list_begins_anew_under_another_validity() {
        let (dir, maildir, lock) = maildir();
        fs::write(dir.path().join("new/3.a"), "x").unwrap();
        let (list, _) = Uidlist::refresh(&maildir, &lock).unwrap();
        let path = dir.path().join("postrider-uidlist");
        let whole = fs::read(&path).unwrap();
        for cut in 1..whole.len() - 1 {
            fs::write(&path, &whole[..cut]).unwrap();
            let (again, messages) = Uidlist::refresh(&maildir, &lock).unwrap();
            assert_eq!(messages.len(), 1);
            assert!(again.validity != list.validity, "cut at {cut}");
        }
    }

    #[test]
    fn one_at_a_time() {
        let (_dir, maildir, lock) = maildir();
        let cancel = Cancel::new().unwrap();
        cancel.ring();
        assert_eq!(Lock::take(&maildir, &cancel).err().unwrap().kind, NetErrorKind::Cancelled);
        drop(lock);
        assert!(Lock::take(&maildir, &Cancel::new().unwrap()).is_ok());
    }
}
