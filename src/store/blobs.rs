//! blobs — the raw bytes of messages that a server has, by their SHA-256.
//! Owns: `blobs/` beside `cache.sqlite`. May import: base.
//! Start reading at: `Blobs::begin`. A file is whole and durable before a row names it. Reading checks the hash, so that what a
//! disk made of it is never shown as the message: it counts as absent and is fetched again. What no row names is swept. What comes in
//! numbers lies in packs (`packs.rs`); here are files of one message each.

use super::error::{Result, StoreError, StoreErrorKind};
use super::open::private_folder;
use super::packs::{Live, Spot, is_hex};
use crate::base::crash;
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Take, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Unnamed files younger than this may be about to be named.
const YOUNG: Duration = Duration::from_secs(3600);

/// The folder.
#[derive(Clone, Debug)]
pub struct Blobs {
    dir: PathBuf,
}

impl Blobs {
    /// The blobs beside the cache in `dir`.
    ///
    /// # Errors
    /// `Permission`, `Io`, `Full`.
    pub fn open(dir: &Path) -> Result<Self> {
        let dir = dir.join("blobs");
        private_folder(&dir)?;
        Ok(Self { dir })
    }

    /// Where a new message's bytes are written to as they come from the wire.
    ///
    /// # Errors
    /// `Full`, `Io`.
    pub fn begin(&self) -> Result<Incoming> {
        let dir = self.room()?;
        let mut random = [0u8; 16];
        getrandom::fill(&mut random).map_err(|e| StoreError::new(StoreErrorKind::Io, &e.to_string()))?;
        let temp = dir.join(format!("{:032x}.tmp", u128::from_le_bytes(random)));
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temp)?;
        Ok(Incoming { dir: self.dir.clone(), temp: Some(temp), file, hash: Sha256::new(), size: 0 })
    }

    /// The folder, made again if somebody cleared it.
    pub(super) fn room(&self) -> Result<&Path> {
        private_folder(&self.dir)?;
        Ok(&self.dir)
    }

    /// Keeps `bytes`. Their name, for the row.
    ///
    /// # Errors
    /// `Full`, `Io`.
    pub fn put(&self, bytes: &[u8]) -> Result<String> {
        let mut incoming = self.begin()?;
        incoming.write_all(bytes)?;
        Ok(incoming.finish()?.0)
    }

    /// The bytes of that name.
    ///
    /// # Errors
    /// `Missing` if they are not here or are not what they were; `Io`, `Invalid` for what is no name of ours.
    pub fn get(&self, name: &str) -> Result<Vec<u8>> {
        let (bytes, hash) = match Spot::parse(name) {
            Some(spot) => (spot.read(&self.dir)?, spot.hash),
            None => (fs::read(self.path(name)?)?, name),
        };
        if hash_of(&bytes) == hash { Ok(bytes) } else { Err(StoreError::missing("the message's bytes")) }
    }

    /// The same, to be read piece by piece: only its end says whether the bytes are what they were ([`Checked::sound`]).
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn open_checked(&self, name: &str) -> Result<Checked> {
        let (file, hash) = match Spot::parse(name) {
            Some(spot) => {
                let mut pack = File::open(spot.path(&self.dir))?;
                pack.seek(SeekFrom::Start(spot.at))?;
                (pack.take(spot.length), spot.hash)
            }
            None => (File::open(self.path(name)?)?.take(u64::MAX), name),
        };
        Ok(Checked { file, expected: hash.to_owned(), hash: Sha256::new() })
    }

    /// How many octets of that name lie here; none if they do not.
    #[must_use]
    pub fn size(&self, name: &str) -> Option<u64> {
        match Spot::parse(name) {
            Some(spot) => {
                let pack = fs::metadata(spot.path(&self.dir)).ok()?;
                (pack.len() >= spot.at + spot.length).then_some(spot.length)
            }
            None => Some(fs::metadata(self.path(name).ok()?).ok()?.len()),
        }
    }

    /// Where the bytes lie: `ab/abcdef…`. Names come from rows, and never lead out of the folder.
    fn path(&self, name: &str) -> Result<PathBuf> {
        let prefix = name.get(..2).filter(|_| is_hex(name, 64)).ok_or_else(|| StoreError::invalid("no name of a blob"))?;
        Ok(self.dir.join(prefix).join(name))
    }

    /// Removes the bytes of that name. That they are gone already is no fault.
    ///
    /// # Errors
    /// `Io`, `Invalid` for what is no name of ours.
    pub fn remove(&self, name: &str) -> Result<()> {
        if let Some(spot) = Spot::parse(name) {
            return spot.drop_from(&self.dir);
        }
        match fs::remove_file(self.path(name)?) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e.into()),
            _ => Ok(()),
        }
    }

    /// Removes what is not in `named` and an hour old: left by a crash between file and row, or not named any more.
    /// (files, octets) removed.
    ///
    /// # Errors
    /// `Io`.
    pub fn sweep(&self, named: &HashSet<String>) -> Result<(usize, u64)> {
        let (mut swept, live) = ((0, 0), Live::of(named));
        let mut folders = vec![self.dir.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                let meta = entry.metadata()?;
                if meta.is_dir() {
                    folders.push(entry.path());
                    continue;
                }
                if SystemTime::now().duration_since(meta.modified()?).is_ok_and(|age| age < YOUNG) {
                    continue;
                }
                if let Some((files, octets)) = live.sweep(&entry.path(), &meta)? {
                    swept = (swept.0 + files, swept.1 + octets);
                } else if entry.file_name().to_str().is_none_or(|n| !named.contains(n)) {
                    fs::remove_file(entry.path())?;
                    swept = (swept.0 + 1, swept.1 + meta.len());
                }
            }
        }
        Ok(swept)
    }
}

fn hex(hash: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    hash.iter().flat_map(|b| [b >> 4, b & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// The SHA-256 of these, hex.
pub(super) fn hash_of(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// A file that is read piece by piece.
#[derive(Debug)]
pub struct Checked {
    file: Take<File>,
    expected: String,
    hash: Sha256,
}

impl Read for Checked {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(to)?;
        self.hash.update(to.get(..read).unwrap_or_default());
        Ok(read)
    }
}

impl Checked {
    /// Whether what was read, to the end, is what was kept.
    #[must_use]
    pub fn sound(&self) -> bool {
        hex(&self.hash.clone().finalize()) == self.expected
    }
}

/// A message's bytes on their way in. Dropped before [`Self::finish`], they leave nothing.
#[derive(Debug)]
pub struct Incoming {
    dir: PathBuf,
    /// None once it has its name.
    temp: Option<PathBuf>,
    file: File,
    hash: Sha256,
    size: u64,
}

impl Write for Incoming {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or_default());
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

impl Incoming {
    /// Makes them durable. Their name, for the row, and their size in octets.
    ///
    /// # Errors
    /// `Full`, `Io`: nothing is kept then.
    pub fn finish(self) -> Result<(String, u64)> {
        self.file.sync_all()?;
        crash::step("blob synced");
        let folder = self.dir.clone();
        let (name, size) = self.finish_lazily()?;
        File::open(folder.join(name.get(..2).unwrap_or_default()))?.sync_all()?;
        crash::step("blob renamed");
        Ok((name, size))
    }

    /// Names them without waiting for the disk, where many come at once. What the disk loses when the power fails is
    /// noticed by its hash, and fetched again.
    ///
    /// # Errors
    /// `Full`, `Io`: nothing is kept then.
    pub fn finish_lazily(mut self) -> Result<(String, u64)> {
        let name = hex(&std::mem::take(&mut self.hash).finalize());
        let folder = self.dir.join(&name[..2]);
        private_folder(&folder)?;
        if let Some(temp) = &self.temp {
            fs::rename(temp, folder.join(&name))?;
        }
        self.temp = None;
        Ok((name, self.size))
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if let Some(temp) = &self.temp {
            // What stays is swept.
            let _ = fs::remove_file(temp);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_or_are_missing_but_never_others() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(dir.path()).unwrap();
        let name = blobs.put(b"Subject: x\r\n\r\ny").unwrap();
        assert_eq!(blobs.put(b"Subject: x\r\n\r\ny").unwrap(), name);
        assert_eq!(blobs.get(&name).unwrap(), b"Subject: x\r\n\r\ny");
        for bad in ["", "../cache.sqlite", &name[1..], &name.to_uppercase()] {
            assert_eq!(blobs.get(bad).unwrap_err().kind, StoreErrorKind::Invalid, "{bad}");
        }
        let sound = || {
            let mut file = blobs.open_checked(&name).unwrap();
            let early = file.sound();
            std::io::copy(&mut file, &mut std::io::sink()).unwrap();
            (early, file.sound())
        };
        assert_eq!(sound(), (false, true));
        fs::write(blobs.path(&name).unwrap(), b"Subject: x\r\n\r\nz").unwrap();
        assert_eq!(sound(), (false, false));
        assert_eq!(blobs.get(&name).unwrap_err().kind, StoreErrorKind::Missing);
        drop(blobs.begin().unwrap());
        let old = blobs.put(b"old").unwrap();
        let file = File::options().write(true).open(blobs.path(&old).unwrap()).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(9999)).unwrap();
        assert_eq!(blobs.sweep(&HashSet::from([old.clone()])).unwrap(), (0, 0));
        assert_eq!(blobs.sweep(&HashSet::new()).unwrap(), (1, 3));
        assert_eq!(blobs.get(&old).unwrap_err().kind, StoreErrorKind::Missing);
    }
}
