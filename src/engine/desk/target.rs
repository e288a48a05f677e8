//! target — a new file among the person's: there whole or not at all, and never in the place of another one.
//! Owns: `make`. May import: base, mail.
//! Start reading at: `make`. Its bytes go into a file without a name, which gets one when they are all on the disk; where a file
//! system has no such files, into one that is made under its name.

use crate::mail::filename;
use rustix::fs::{AtFlags, CWD, Mode, OFlags, linkat};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// How many names are tried for a file before the folder is said to be full of them.
const MAX_TRIES: u32 = 1_000;
/// So much is read or compared at a time, in octets.
const PIECE: usize = 64 * 1024;

/// Makes a file of `bytes` in `folder`, only for its owner to read: under `name`, or if that is taken under one with a number.
/// `again`: it may have been made before, and one with the same bytes is it. Its path.
///
/// # Errors
/// What the disk says, or `bytes`.
pub(super) fn make(folder: &Path, name: &str, bytes: &mut dyn Read, again: bool) -> io::Result<PathBuf> {
    let names = (0..MAX_TRIES).map(|n| folder.join(if n == 0 { name.to_owned() } else { filename::numbered(name, n) }));
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    let made = match rustix::fs::open(folder, flags, Mode::RUSR | Mode::WUSR) {
        Ok(unnamed) => named_last(&mut File::from(unnamed), names, bytes, again),
        // Not on this file system; what else is wrong the other way finds out, too.
        Err(_) => named_first(names, bytes),
    };
    let path = made?;
    // Its name is to be on the disk, too; where a file system does not do that for folders, it is as good as it gets.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(path)
}

fn full() -> io::Error {
    io::Error::new(ErrorKind::AlreadyExists, "there are a thousand files of this name already")
}

fn copy(bytes: &mut dyn Read, file: &mut File) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        let read = bytes.read(&mut piece)?;
        if read == 0 {
            return file.sync_all();
        }
        file.write_all(piece.get(..read).unwrap_or_default())?;
    }
}

fn named_last(file: &mut File, names: impl Iterator<Item = PathBuf>, bytes: &mut dyn Read, again: bool) -> io::Result<PathBuf> {
    copy(bytes, file)?;
    let unnamed = format!("/proc/self/fd/{}", file.as_raw_fd());
    for path in names {
        match linkat(CWD, &unnamed, CWD, &path, AtFlags::SYMLINK_FOLLOW) {
            Ok(()) => return Ok(path),
            Err(rustix::io::Errno::EXIST) if again && same(file, &path)? => return Ok(path),
            Err(rustix::io::Errno::EXIST) => {}
            // No /proc, or a file system that gives no names afterwards: then the bytes are copied once more.
            Err(_) => {
                file.seek(SeekFrom::Start(0))?;
                return named_first(std::iter::once(path), file);
            }
        }
    }
    Err(full())
}

/// Whether both hold the same bytes. What cannot be read is another one.
fn same(file: &mut File, path: &Path) -> io::Result<bool> {
    let Ok(mut other) = File::open(path) else { return Ok(false) };
    if !other.metadata()?.is_file() || other.metadata()?.len() != file.metadata()?.len() {
        return Ok(false);
    }
    file.seek(SeekFrom::Start(0))?;
    let (mut a, mut b) = (vec![0; PIECE], vec![0; PIECE]);
    loop {
        let read = file.read(&mut a)?;
        if read == 0 {
            return Ok(true);
        }
        let piece = b.get_mut(..read).unwrap_or_default();
        if other.read_exact(piece).is_err() || a.get(..read) != Some(&*piece) {
            return Ok(false);
        }
    }
}

fn named_first(names: impl Iterator<Item = PathBuf>, bytes: &mut dyn Read) -> io::Result<PathBuf> {
    for path in names {
        // `create_new` follows no link and replaces nothing.
        let mut file = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == ErrorKind::AlreadyExists => continue,
            Err(e) => return Err(e),
        };
        if let Err(error) = copy(bytes, &mut file) {
            // Half a file would look like a whole one. The first error is the one to tell.
            let _ = fs::remove_file(&path);
            return Err(error);
        }
        return Ok(path);
    }
    Err(full())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn names(dir: &Path) -> Vec<String> {
        let mut all: Vec<_> = fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        all.sort();
        all
    }

    #[test]
    fn nothing_is_replaced_and_what_was_made_before_is_not_made_again() {
        let dir = tempfile::tempdir().unwrap();
        let bytes = vec![7; 200_000];
        let first = make(dir.path(), "a.bin", &mut bytes.as_slice(), false).unwrap();
        assert_eq!((first.clone(), fs::read(&first).unwrap()), (dir.path().join("a.bin"), bytes.clone()));
        assert_eq!(fs::metadata(&first).unwrap().permissions().mode() & 0o777, 0o600);
        let second = make(dir.path(), "a.bin", &mut &b"other"[..], true).unwrap();
        assert_ne!(first, second);
        assert_eq!(make(dir.path(), "a.bin", &mut &b"other"[..], true).unwrap(), second);
        assert_eq!(make(dir.path(), "a.bin", &mut bytes.as_slice(), true).unwrap(), first);
        assert_eq!(names(dir.path()).len(), 2);
        assert_eq!(fs::read(first).unwrap(), bytes);
        symlink("/nowhere/at/all", dir.path().join("b")).unwrap();
        assert_ne!(make(dir.path(), "b", &mut &b"x"[..], true).unwrap(), dir.path().join("b"), "no link is followed");
    }

    #[test]
    fn half_a_file_is_none() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(ErrorKind::InvalidData.into())
            }
        }
        let dir = tempfile::tempdir().unwrap();
        assert!(make(dir.path(), "a", &mut b"half".chain(Broken), false).is_err());
        assert!(named_first([dir.path().join("a")].into_iter(), &mut b"half".chain(Broken)).is_err());
        assert!(names(dir.path()).is_empty(), "{:?}", names(dir.path()));
        let path = named_first([dir.path().join("a")].into_iter(), &mut &b"all"[..]).unwrap();
        assert_eq!(fs::read(path).unwrap(), b"all");
        assert_eq!(make(&dir.path().join("no"), "a", &mut &b""[..], false).unwrap_err().kind(), ErrorKind::NotFound);
    }
}
