//! parts — files of a message: what is here of them, and into a file of the person's.
//! Owns: `missing`, `open`, `save`, `saved`, `arrived`. May import: store, mail, and the engine's own.
//! Start reading at: `missing`, which says what has to be fetched first. A name from a mail is made safe; how the file is made is
//! in `target.rs`.

use super::target;
use crate::engine::api::{Done, Fault, Kind, Piece, Request};
use crate::engine::fault::Reach;
use crate::engine::shared::Shared;
use crate::engine::texts::Texts;
use crate::engine::translate::file_fault;
use crate::mail::body::{Encoding, Kept, Message, Part, PartPath};
use crate::mail::ids::{MessageKey, PlacementKey};
use crate::mail::transfer::Decoder;
use crate::mail::{filename, parse};
use crate::store::blobs::{Blobs, Checked};
use crate::store::parts::Partly;
use crate::store::{StoreErrorKind, messages, parts, placements};
use std::io::{self, Cursor, ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;

/// The most of a file that is looked at to tell whether it is a program, in octets.
const SNIFF: u64 = 4_096;
/// So much of a file is in memory at a time, encoded, in octets.
const PIECE: usize = 64 * 1024;

/// A message as far as it is here.
pub(super) struct Open {
    message: Option<Arc<Message>>,
    partly: Option<Partly>,
}

pub(super) fn open(shared: &Shared, id: PlacementKey) -> Result<Open, Fault> {
    let found = shared.store.read(|db| {
        let key = placements::get(db, id)?.message;
        Ok((key, messages::content(db, key)?.blob, parts::of(db, key)?))
    });
    let (key, blob, partly) = found.map_err(|e| match e.kind {
        StoreErrorKind::Missing => Fault::missing("this message is not here any more"),
        _ => e.into(),
    })?;
    let message = Texts::new(&shared.store)?.message(key, &blob, partly.as_ref(), false, false)?;
    Ok(Open { message, partly })
}

impl Open {
    pub fn part(&self, path: &PartPath) -> Result<(&Message, &Part), Fault> {
        let message = self.message.as_ref().ok_or_else(|| Fault::new(Kind::Missing, "this message is not here yet"))?;
        let part = message.at(path).and_then(|index| message.parts.get(index));
        Ok((message, part.ok_or_else(|| Fault::missing("the message has no such part"))?))
    }

    /// The decoded bytes of a part that is here, to be read piece by piece.
    pub fn source(&self, shared: &Shared, path: &PartPath) -> Result<(&Part, Source), Fault> {
        let (message, part) = self.part(path)?;
        let away = || Fault::missing("this file is not here yet");
        let bytes = match part.kept {
            Kept::Within => Source::within(parse::bytes(message, part)),
            Kept::OnServer { .. } => return Err(away()),
            Kept::Apart { .. } => {
                let held = self.partly.as_ref().and_then(|p| p.part(path)).ok_or_else(away)?;
                let file = Blobs::open(&shared.store.places().cache)?.open_checked(&held.blob)?;
                Source::apart(file, if held.decoded { Encoding::Identity } else { part.encoding })
            }
        };
        Ok((part, bytes))
    }
}

/// The decoded bytes of a part: never more than a piece of them in memory, if they lie in a file of their own.
pub(super) struct Source {
    file: Option<Checked>,
    decoder: Decoder,
    /// Decoded, and not read yet.
    ready: Cursor<Vec<u8>>,
}

impl Source {
    fn within(bytes: Vec<u8>) -> Self {
        Self { file: None, decoder: Decoder::new(Encoding::Identity), ready: Cursor::new(bytes) }
    }

    fn apart(file: Checked, encoding: Encoding) -> Self {
        Self { file: Some(file), decoder: Decoder::new(encoding), ready: Cursor::default() }
    }

    /// Decodes on until there is something to read, or all was read.
    fn more(&mut self) -> io::Result<()> {
        if self.file.is_none() {
            return Ok(());
        }
        let mut out = std::mem::take(&mut self.ready).into_inner();
        out.clear();
        let mut piece = vec![0; PIECE];
        while out.is_empty() && self.file.is_some() {
            let Some(file) = &mut self.file else { break };
            let read = file.read(&mut piece)?;
            if read > 0 {
                self.decoder.push(piece.get(..read).unwrap_or_default(), &mut out);
                continue;
            }
            self.decoder.end(&mut out);
            if !file.sound() {
                return Err(io::Error::new(ErrorKind::InvalidData, "the disk has lost a part of it: fetch it again"));
            }
            self.file = None;
        }
        self.ready = Cursor::new(out);
        Ok(())
    }
}

impl Read for Source {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.ready.position() >= self.ready.get_ref().len() as u64 {
            self.more()?;
        }
        self.ready.read(to)
    }
}

/// What has to be fetched before `request` can be carried out; nothing if all is here.
pub(super) fn missing(shared: &Shared, request: &Request) -> Result<Option<(PlacementKey, Piece)>, Fault> {
    let (Request::SavePart { message: id, .. } | Request::AttachParts { message: id, .. }) = request else { return Ok(None) };
    let id = *id;
    let open = open(shared, id)?;
    if open.message.is_none() {
        return Ok(Some((id, Piece::Text)));
    }
    match request {
        Request::SavePart { part, .. } if !open.part(part)?.1.kept.is_here() => Ok(Some((id, Piece::Part(part.clone())))),
        // What is attached and not here comes later: nobody waits for it.
        _ => Ok(None),
    }
}

/// Saves a part under `name` (or a name with a number) in `folder`; `to_open` refuses what could run as a program.
pub(super) fn save(
    shared: &Shared,
    id: PlacementKey,
    path: &PartPath,
    folder: &Path,
    name: &str,
    to_open: bool,
) -> Result<Done, Fault> {
    let open = open(shared, id)?;
    let (part, mut source) = open.source(shared, path)?;
    let name = filename::safe(name);
    let cannot = |e: &io::Error| file_fault(e, "the attachment cannot be saved");
    let mut head = Vec::new();
    (&mut source).take(SNIFF).read_to_end(&mut head).map_err(|e| cannot(&e))?;
    if to_open && filename::runs(&name, &part.mime, &head) {
        return Err(Fault::new(Kind::Usage, &format!("{name} could run as a program: it is only saved, not opened")));
    }
    let path = target::make(folder, &name, &mut head.chain(source), false).map_err(|e| cannot(&e))?;
    Ok(Done { count: 1, path: Some(path), ..Done::default() })
}

/// The decoded bytes of a part that is here; nothing for what is no part, and for a message that is gone.
pub(super) fn arrived(shared: &Shared, message: MessageKey, piece: &Piece) -> Result<Option<Source>, Fault> {
    let Piece::Part(path) = piece else { return Ok(None) };
    let places = shared.store.read(|db| placements::of_message(db, message))?;
    let Some(place) = places.first() else { return Ok(None) };
    Ok(Some(open(shared, place.id)?.source(shared, path)?.1))
}

/// Makes a file that was asked for in an earlier life, and says so. One that is there already, made just before that life
/// ended, is not made again.
pub(super) fn saved(shared: &Shared, message: MessageKey, piece: &Piece, folder: &Path, name: &str) -> Result<(), Fault> {
    let Some(mut source) = arrived(shared, message, piece)? else { return Ok(()) };
    let cannot = |e: &io::Error| file_fault(e, "the attachment cannot be saved");
    let path = target::make(folder, &filename::safe(name), &mut source, true).map_err(|e| cannot(&e))?;
    shared.fault(Fault::new(Kind::Notice, &format!("saved {}", path.display())).reaching(Reach::Message));
    Ok(())
}
