//! partial — a part of a message on its way in pieces, which goes on where it ended after a dropped line or a restart.
//! Owns: the files `*.part` in `blobs/`. May import: base.
//! Start reading at: `Blobs::resume`. Its name says whose it is, so that it is found again; left alone for an hour it is
//! swept, unless it is asked for (`asked.rs`).

use super::blobs::Blobs;
use super::error::Result;
use crate::base::crash;
use crate::mail::ids::MessageKey;
use crate::mail::section::Section;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

/// How much is read at a time while its name is made, in octets.
const PIECE: usize = 256 * 1024;

/// A part on its way.
#[derive(Debug)]
pub struct Partial {
    blobs: Blobs,
    path: PathBuf,
    file: File,
    length: u64,
    begun: bool,
}

impl Blobs {
    /// The name of the file of a section on its way.
    #[must_use]
    pub fn partial(message: MessageKey, section: &Section, decoded: bool) -> String {
        format!("{}-{section}-{}.part", message.0, if decoded { "d" } else { "e" })
    }

    /// What is here of a section; `decoded` parts without their transfer encoding are other files.
    ///
    /// # Errors
    /// `Full`, `Io`.
    pub fn resume(&self, message: MessageKey, section: &Section, decoded: bool) -> Result<Partial> {
        let path = self.room()?.join(Self::partial(message, section, decoded));
        let begun = path.exists();
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path)?;
        let length = file.seek(SeekFrom::End(0))?;
        Ok(Partial { blobs: self.clone(), path, file, length, begun })
    }

    /// Whether a section is on its way, though nothing of it may be here.
    #[must_use]
    pub fn is_begun(&self, message: MessageKey, section: &Section, decoded: bool) -> bool {
        self.room().is_ok_and(|dir| dir.join(Self::partial(message, section, decoded)).exists())
    }
}

impl Partial {
    /// Octets that are here.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.length
    }

    /// Whether nothing is here.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Whether it was asked for before, and did not come to its end.
    #[must_use]
    pub const fn was_begun(&self) -> bool {
        self.begun
    }

    /// A piece of it comes now, and is written as it comes.
    pub fn piece(&mut self) -> Coming<'_> {
        Coming { partial: self, came: 0 }
    }

    /// What was written beyond what counts is written over by the next piece.
    fn settle(&mut self) -> std::io::Result<()> {
        self.file.set_len(self.length)?;
        self.file.seek(SeekFrom::Start(self.length))?;
        Ok(())
    }

    /// Forgets what is here.
    ///
    /// # Errors
    /// `Io`.
    pub fn restart(&mut self) -> Result<()> {
        self.length = 0;
        Ok(self.settle()?)
    }

    /// It is all here: its name as a blob, and its size.
    ///
    /// # Errors
    /// `Full`, `Io`: then it is still here as it was.
    pub fn finish(mut self) -> Result<(String, u64)> {
        let mut incoming = self.blobs.begin()?;
        self.file.seek(SeekFrom::Start(0))?;
        let mut piece = vec![0; PIECE];
        loop {
            let read = self.file.read(&mut piece)?;
            if read == 0 {
                break;
            }
            incoming.write_all(piece.get(..read).unwrap_or_default())?;
        }
        let done = incoming.finish()?;
        std::fs::remove_file(&self.path)?;
        Ok(done)
    }
}

/// A piece on its way. Dropped before [`Self::keep`], it was never here.
#[derive(Debug)]
pub struct Coming<'a> {
    partial: &'a mut Partial,
    came: u64,
}

impl Write for Coming<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.partial.file.write(bytes)?;
        self.came += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.partial.file.flush()
    }
}

impl Coming<'_> {
    /// Octets of it so far.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.came
    }

    /// Whether nothing came yet.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.came == 0
    }

    /// It came whole.
    pub fn keep(mut self) {
        self.partial.length += std::mem::take(&mut self.came);
        crash::step("piece kept");
    }
}

impl Drop for Coming<'_> {
    fn drop(&mut self) {
        if self.came > 0 && self.partial.settle().is_err() {
            // What lies there then is not what we know of: nobody goes on with it.
            let _ = std::fs::remove_file(&self.partial.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(to: &mut Partial, bytes: &[u8]) {
        let mut piece = to.piece();
        piece.write_all(bytes).unwrap();
        assert_eq!(piece.len(), bytes.len() as u64);
        piece.keep();
    }

    #[test]
    fn it_goes_on_where_it_ended() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(dir.path()).unwrap();
        let section = Section::parse("2.1").unwrap();
        let resume = |decoded| blobs.resume(MessageKey(7), &section, decoded).unwrap();
        let mut partial = resume(false);
        assert!(partial.is_empty());
        add(&mut partial, b"one ");
        partial.piece().write_all(b"half of the next").unwrap();
        drop(partial);
        assert!(resume(true).is_empty(), "another form of it");
        let mut partial = resume(false);
        assert_eq!(partial.len(), 4);
        partial.piece().write_all(b"half, and longer").unwrap();
        add(&mut partial, b"two");
        let (blob, size) = partial.finish().unwrap();
        assert_eq!((size, blobs.get(&blob).unwrap().as_slice()), (7, &b"one two"[..]));
        let mut partial = resume(false);
        assert!(partial.is_empty());
        add(&mut partial, b"wrong");
        partial.restart().unwrap();
        add(&mut partial, b"right");
        let (blob, _) = partial.finish().unwrap();
        assert_eq!(blobs.get(&blob).unwrap(), b"right");
    }
}
