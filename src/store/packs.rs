//! packs — the bytes of many messages in one file: a file each costs a file system more than the bytes themselves.
//! Owns: the files `*.pack` in `blobs/`. May import: base.
//! Start reading at: `Pack::put`. Bytes are only ever added at the end, and a row names them by pack, place, length and SHA-256. What no row
//! names any more becomes a hole, which the disk gets back, and a pack without anything in it goes.

use super::blobs::{Blobs, hash_of};
use super::error::{Result, StoreError, StoreErrorKind};
use rustix::fs::{FallocateFlags, fallocate};
use std::collections::{HashMap, HashSet};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A pack of so many octets is full.
const FULL: u64 = 16 * 1024 * 1024;
/// What a pack may hold on the disk beyond what is named in it, in octets: holes are made of whole blocks.
const SLACK: u64 = 64 * 1024;
/// What `st_blocks` counts, in octets.
const BLOCK: u64 = 512;
/// How the files' names end.
const END: &str = "pack";
/// Digits of a pack's number.
const DIGITS: usize = 16;

/// Where bytes lie in a pack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Spot<'a> {
    /// The pack's number, hex.
    pub pack: &'a str,
    /// Their first octet.
    pub at: u64,
    /// Octets.
    pub length: u64,
    /// Their SHA-256, hex.
    pub hash: &'a str,
}

impl<'a> Spot<'a> {
    /// What a name says: `pack.at.length.hash`. Nothing if it is none of ours.
    pub fn parse(name: &'a str) -> Option<Self> {
        let mut words = name.split('.');
        let (pack, at, length, hash) = (words.next()?, words.next()?, words.next()?, words.next()?);
        let number = |word: &str| word.parse::<u64>().ok().filter(|n| n.to_string() == word);
        let (at, length) = (number(at)?, number(length)?);
        at.checked_add(length)?;
        (words.next().is_none() && is_hex(pack, DIGITS) && is_hex(hash, 64)).then_some(Self { pack, at, length, hash })
    }

    /// Its pack in the folder of the blobs.
    pub fn path(&self, dir: &Path) -> PathBuf {
        dir.join(format!("{}.{END}", self.pack))
    }

    /// The bytes, as they are now.
    pub fn read(&self, dir: &Path) -> Result<Vec<u8>> {
        let file = File::open(self.path(dir))?;
        // A length is believed only where the file is that long.
        if file.metadata()?.len() < self.at + self.length {
            return Err(StoreError::missing("the message's bytes"));
        }
        let mut bytes = vec![0; usize::try_from(self.length).unwrap_or(usize::MAX)];
        file.read_exact_at(&mut bytes, self.at)?;
        Ok(bytes)
    }

    /// Gives them back to the disk.
    pub fn drop_from(&self, dir: &Path) -> Result<()> {
        match OpenOptions::new().write(true).open(self.path(dir)) {
            Ok(pack) => hole(&pack, self.at, self.length),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(e) => Err(e.into()),
        }
    }
}

/// Whether a word is so many digits, as we write them.
pub(super) fn is_hex(word: &str, digits: usize) -> bool {
    word.len() == digits && word.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Bytes that come one message after the other. Not forced to the disk: what the disk loses when the power fails is noticed by its
/// hash, and fetched again.
#[derive(Debug)]
pub struct Pack {
    blobs: Blobs,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    file: File,
    number: String,
    length: u64,
}

impl Blobs {
    /// A new pack, made when the first bytes come.
    #[must_use]
    pub fn pack(&self) -> Pack {
        Pack { blobs: self.clone(), open: None }
    }

    fn new_pack(&self) -> Result<Open> {
        let dir = self.room()?;
        let mut random = [0u8; 8];
        getrandom::fill(&mut random).map_err(|e| StoreError::new(StoreErrorKind::Io, &e.to_string()))?;
        let number = format!("{:0DIGITS$x}", u64::from_le_bytes(random));
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(dir.join(format!("{number}.{END}")))?;
        Ok(Open { file, number, length: 0 })
    }
}

impl Pack {
    /// Keeps `bytes`. Their name, for the row: they are with the system when this returns.
    ///
    /// # Errors
    /// `Full`, `Io`: nothing is kept then.
    pub fn put(&mut self, bytes: &[u8]) -> Result<String> {
        // Half of a write that failed stays behind: then the next one begins another pack.
        let mut open = match self.open.take().filter(|open| open.length < FULL) {
            Some(open) => open,
            None => self.blobs.new_pack()?,
        };
        open.file.write_all(bytes)?;
        let name = format!("{}.{}.{}.{}", open.number, open.length, bytes.len(), hash_of(bytes));
        open.length += bytes.len() as u64;
        self.open = Some(open);
        Ok(name)
    }
}

/// Where a file system cannot make holes, the room comes back when all of the pack is gone.
fn hole(pack: &File, at: u64, length: u64) -> Result<()> {
    if length == 0 {
        return Ok(());
    }
    match fallocate(pack, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, at, length) {
        Ok(()) | Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => Ok(()),
        Err(e) => Err(std::io::Error::from(e).into()),
    }
}

/// What is named of each pack.
#[derive(Debug, Default)]
pub(super) struct Live(HashMap<String, Vec<(u64, u64)>>);

impl Live {
    pub fn of(named: &HashSet<String>) -> Self {
        let mut all = Self::default();
        for spot in named.iter().filter_map(|name| Spot::parse(name)) {
            all.0.entry(spot.pack.to_owned()).or_default().push((spot.at, spot.at + spot.length));
        }
        all.0.values_mut().for_each(|ranges| ranges.sort_unstable());
        all
    }

    /// Sweeps the file at `path`, if it is a pack: (files, octets) that are gone. Nothing if it is none.
    pub fn sweep(&self, path: &Path, meta: &Metadata) -> Result<Option<(usize, u64)>> {
        let number = path.file_stem().and_then(|stem| stem.to_str()).filter(|stem| is_hex(stem, DIGITS));
        let Some(number) = number.filter(|_| path.extension().is_some_and(|end| end == END)) else { return Ok(None) };
        let Some(live) = self.0.get(number) else {
            fs::remove_file(path)?;
            return Ok(Some((1, meta.len())));
        };
        let named: u64 = live.iter().map(|(from, to)| to - from).sum();
        let held = meta.blocks().saturating_mul(BLOCK);
        if held <= named + SLACK {
            return Ok(Some((0, 0)));
        }
        let (pack, mut at) = (OpenOptions::new().write(true).open(path)?, 0);
        for (from, to) in live.iter().copied().chain([(meta.len(), meta.len())]) {
            hole(&pack, at, from.saturating_sub(at))?;
            at = at.max(to);
        }
        Ok(Some((0, held.saturating_sub(pack.metadata()?.blocks().saturating_mul(BLOCK)))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, SystemTime};

    #[test]
    fn bytes_of_many_messages_lie_in_one_file_and_go_one_by_one() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(dir.path()).unwrap();
        let mail = |n: u8| vec![b'a' + n; 100_000];
        let mut pack = blobs.pack();
        let names: Vec<String> = (0..5).map(|n| pack.put(&mail(n)).unwrap()).collect();
        let files = || fs::read_dir(dir.path().join("blobs")).unwrap().map(|f| f.unwrap().path()).collect::<Vec<_>>();
        assert_eq!(files().len(), 1);
        let file = files().remove(0);
        for (n, name) in (0..).zip(&names) {
            assert_eq!((blobs.get(name).unwrap(), blobs.size(name)), (mail(n), Some(100_000)));
            let mut checked = blobs.open_checked(name).unwrap();
            let read = std::io::copy(&mut checked, &mut std::io::sink()).unwrap();
            assert!(read == 100_000 && checked.sound());
        }
        let missing = |name: &str| blobs.get(name).unwrap_err().kind == StoreErrorKind::Missing;
        let held = || fs::metadata(&file).unwrap().blocks() * BLOCK;
        let before = held();
        blobs.remove(&names[2]).unwrap();
        assert!(missing(&names[2]) && blobs.get(&names[1]).is_ok() && blobs.get(&names[3]).is_ok());
        assert!(held() + 90_000 < before, "the disk has its room again");
        // What is young may be about to be named.
        let old = SystemTime::now() - Duration::from_secs(9_999);
        let sweep = |left: &[String]| blobs.sweep(&left.iter().cloned().collect()).unwrap();
        assert_eq!(sweep(&[]), (0, 0));
        File::options().write(true).open(&file).unwrap().set_modified(old).unwrap();
        let (none, octets) = sweep(&names[3..]);
        assert!(
            none == 0 && octets >= 190_000 && missing(&names[0]) && blobs.get(&names[3]).is_ok() && blobs.get(&names[4]).is_ok()
        );
        File::options().write(true).open(&file).unwrap().set_modified(old).unwrap();
        assert_eq!(sweep(&[]), (1, 500_000));
        assert!(missing(&names[4]) && blobs.size(&names[4]).is_none() && files().is_empty());
        blobs.remove(&names[4]).unwrap();
    }

    #[test]
    fn a_name_leads_nowhere_else_and_a_damaged_pack_is_a_missing_message() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(dir.path()).unwrap();
        let name = blobs.pack().put(b"Subject: x\r\n\r\ny").unwrap();
        let spot = Spot::parse(&name).unwrap();
        let others = [
            name.replacen(spot.pack, "../cache.sqlite0", 1),
            name.replacen(".0.", ".00.", 1),
            name.replacen(".0.", ".18446744073709551615.", 1),
            format!("{name}."),
        ];
        for bad in others {
            assert_eq!(blobs.get(&bad).unwrap_err().kind, StoreErrorKind::Invalid, "{bad}");
        }
        let far = name.replacen(&format!(".{}.", spot.length), ".9999999999999.", 1);
        assert_eq!(blobs.get(&far).unwrap_err().kind, StoreErrorKind::Missing);
        fs::write(spot.path(&dir.path().join("blobs")), b"Subject: x\r\n\r\nz").unwrap();
        assert_eq!(blobs.get(&name).unwrap_err().kind, StoreErrorKind::Missing);
        fs::remove_dir_all(dir.path().join("blobs")).unwrap();
        assert_eq!(blobs.get(&name).unwrap_err().kind, StoreErrorKind::Missing);
    }
}
