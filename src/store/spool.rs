//! spool — frozen bytes that are not cache: outgoing mails, bytes of queued APPENDs, attachments of drafts (decisions 3).
//! Owns: `spool/` beside `state.sqlite`. May import: base.
//! Start reading at: `Spool::put`. A file is whole and durable before a row names it; what no row names is swept.

use super::error::{Result, StoreError};
use super::open::private_folder;
use crate::base::crash;
use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Unnamed files younger than this may be about to be named.
const YOUNG: Duration = Duration::from_secs(3600);

/// The folder.
#[derive(Clone, Debug)]
pub struct Spool {
    dir: PathBuf,
}

impl Spool {
    /// The spool beside the state in `dir`.
    ///
    /// # Errors
    /// `Permission`, `Io`, `Full`.
    pub fn open(dir: &Path) -> Result<Self> {
        let dir = dir.join("spool");
        private_folder(&dir)?;
        Ok(Self { dir })
    }

    /// Keeps all that `bytes` gives, durably. The file's name, for a row, and its size in octets.
    ///
    /// # Errors
    /// `Full`, `Io`; what `bytes` gives.
    pub fn put(&self, bytes: &mut dyn Read) -> Result<(String, u64)> {
        let name = Self::reserve()?;
        let size = self.put_as(&name, bytes)?;
        Ok((name, size))
    }

    /// A name for a file that comes later, see [`Self::put_as`].
    ///
    /// # Errors
    /// `Io`: the system gives no random octets.
    pub fn reserve() -> Result<String> {
        let mut random = [0u8; 16];
        getrandom::fill(&mut random).map_err(|e| StoreError::new(super::StoreErrorKind::Io, &e.to_string()))?;
        Ok(format!("{:032x}", u128::from_le_bytes(random)))
    }

    /// Keeps all that `bytes` gives, durably, under a name that a row has already. Its size in octets. May be repeated.
    ///
    /// # Errors
    /// As [`Self::put`]; `Invalid` for what is no name of ours.
    pub fn put_as(&self, name: &str, bytes: &mut dyn Read) -> Result<u64> {
        self.path(name)?;
        write_durably(&self.dir, name, bytes)
    }

    /// Whether a file is here, whole.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.path(name).is_ok_and(|path| path.is_file())
    }

    /// Opens a file for reading.
    ///
    /// # Errors
    /// `Missing`, `Io`; `Invalid` for what is no name of ours.
    pub fn get(&self, name: &str) -> Result<File> {
        Ok(File::open(self.path(name)?)?)
    }

    /// Where a file lies.
    ///
    /// # Errors
    /// `Invalid` for what is no name of ours: names come from rows, and never lead out of the folder.
    pub fn path(&self, name: &str) -> Result<PathBuf> {
        let ours = name.len() == 32 && name.bytes().all(|b| b.is_ascii_hexdigit());
        if ours { Ok(self.dir.join(name)) } else { Err(StoreError::invalid("no name of a spool file")) }
    }

    /// Removes a file that no row names any more. That it is gone already is no fault.
    ///
    /// # Errors
    /// `Io`.
    pub fn remove(&self, name: &str) -> Result<()> {
        match fs::remove_file(self.path(name)?) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e.into()),
            _ => Ok(()),
        }
    }

    /// The names of all files that are whole.
    ///
    /// # Errors
    /// `Io`.
    pub fn names(&self) -> Result<Vec<String>> {
        let mut all = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            all.extend(entry?.file_name().into_string().ok().filter(|n| self.path(n).is_ok()));
        }
        all.sort_unstable();
        Ok(all)
    }

    /// Removes what is not in `named` and an hour old: left by a crash between file and row. How many.
    ///
    /// # Errors
    /// `Io`.
    pub fn sweep(&self, named: &HashSet<String>) -> Result<usize> {
        let mut swept = 0;
        for entry in fs::read_dir(&self.dir)? {
            let entry = entry?;
            let old = entry.metadata()?.modified()?;
            let young = SystemTime::now().duration_since(old).is_ok_and(|age| age < YOUNG);
            if !young && entry.file_name().to_str().is_none_or(|n| !named.contains(n)) {
                fs::remove_file(entry.path())?;
                swept += 1;
            }
        }
        Ok(swept)
    }
}

/// Writes `dir`/`name` so that it is there whole or not at all, also after a power cut: temp, fsync, rename, fsync of the
/// folder. The size in octets.
///
/// # Errors
/// `Full`, `Io`; what `bytes` gives. The temporary file is then gone.
pub(super) fn write_durably(dir: &Path, name: &str, bytes: &mut dyn Read) -> Result<u64> {
    let temp = dir.join(format!("{name}.tmp"));
    let written = (|| {
        // A left-over of a crash has this name only where the name follows from the content.
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temp)?;
        let size = std::io::copy(bytes, &mut file)?;
        file.flush()?;
        file.sync_all()?;
        crash::step("file synced");
        fs::rename(&temp, dir.join(name))?;
        File::open(dir)?.sync_all()?;
        crash::step("file renamed");
        Ok(size)
    })();
    if written.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&temp);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_whole_private_and_named_by_us_alone() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let spool = Spool::open(dir.path()).unwrap();
        let (name, size) = spool.put(&mut &b"frozen"[..]).unwrap();
        assert_eq!(size, 6);
        let mut text = String::new();
        spool.get(&name).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "frozen");
        assert_eq!(fs::metadata(spool.path(&name).unwrap()).unwrap().permissions().mode() & 0o777, 0o600);
        for bad in ["", "../state.sqlite", "/etc/passwd", &format!("{name}/")] {
            assert!(spool.get(bad).is_err(), "{bad}");
        }
        let other = spool.put(&mut &b"x"[..]).unwrap().0;
        let file = File::options().write(true).open(spool.path(&other).unwrap()).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(9999)).unwrap();
        assert_eq!(spool.sweep(&HashSet::from([name.clone()])).unwrap(), 1);
        assert!(spool.get(&name).is_ok() && spool.get(&other).is_err());
        spool.remove(&name).unwrap();
        spool.remove(&name).unwrap();
    }

    #[test]
    fn a_source_that_fails_leaves_nothing() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::ConnectionReset.into())
            }
        }
        let dir = tempfile::tempdir().unwrap();
        let spool = Spool::open(dir.path()).unwrap();
        assert!(spool.put(&mut b"half".chain(Broken)).is_err());
        assert_eq!(fs::read_dir(dir.path().join("spool")).unwrap().count(), 0);
    }
}
