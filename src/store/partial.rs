//! partial — a part of a message on its way in pieces, which goes on where it ended after a dropped line or a restart.
//! Owns: the files `*.part` in `blobs/`. May import: base.
//! Start reading at: `Blobs::resume`. Its name says whose it is, so that it is found again; left alone for an hour it is swept.

use super::blobs::Blobs;
use super::error::Result;
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
}

impl Blobs {
    /// What is here of a section; `decoded` parts without their transfer encoding are other files.
    ///
    /// # Errors
    /// `Full`, `Io`.
    pub fn resume(&self, message: MessageKey, section: &Section, decoded: bool) -> Result<Partial> {
        let kind = if decoded { "d" } else { "e" };
        let path = self.room()?.join(format!("{}-{section}-{kind}.part", message.0));
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path)?;
        let length = file.seek(SeekFrom::End(0))?;
        Ok(Partial { blobs: self.clone(), path, file, length })
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

    /// Adds a piece that came whole.
    ///
    /// # Errors
    /// `Full`, `Io`; then the piece is not here.
    pub fn add(&mut self, piece: &[u8]) -> Result<()> {
        if let Err(error) = self.file.write_all(piece) {
            // What was written of it is written over by the next try.
            self.file.set_len(self.length)?;
            self.file.seek(SeekFrom::Start(self.length))?;
            return Err(error.into());
        }
        self.length += piece.len() as u64;
        Ok(())
    }

    /// Forgets what is here.
    ///
    /// # Errors
    /// `Io`.
    pub fn restart(&mut self) -> Result<()> {
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.length = 0;
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_on_where_it_ended() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(dir.path()).unwrap();
        let section = Section::parse("2.1").unwrap();
        let resume = |decoded| blobs.resume(MessageKey(7), &section, decoded).unwrap();
        let mut partial = resume(false);
        assert!(partial.is_empty());
        partial.add(b"one ").unwrap();
        drop(partial);
        assert!(resume(true).is_empty(), "another form of it");
        let mut partial = resume(false);
        assert_eq!(partial.len(), 4);
        partial.add(b"two").unwrap();
        let (blob, size) = partial.finish().unwrap();
        assert_eq!((size, blobs.get(&blob).unwrap().as_slice()), (7, &b"one two"[..]));
        let mut partial = resume(false);
        assert!(partial.is_empty());
        partial.add(b"wrong").unwrap();
        partial.restart().unwrap();
        partial.add(b"right").unwrap();
        let (blob, _) = partial.finish().unwrap();
        assert_eq!(blobs.get(&blob).unwrap(), b"right");
    }
}
