//! parts — files of a message: into a file of the person's, or into the spool for a forward.
//! Owns: `missing`, `save`, `attach`. May import: store, mail, and the engine's own.
//! Start reading at: `missing`, which says what has to be fetched first. A name from a mail is made safe, and an existing file is
//! never replaced.

use crate::engine::api::{Done, Fault, Kind, Piece, Request};
use crate::engine::shared::Shared;
use crate::engine::texts::Texts;
use crate::engine::translate::io_fault;
use crate::mail::body::{Encoding, Kept, Message, Part, PartPath};
use crate::mail::draft::DraftAttachment;
use crate::mail::ids::PlacementKey;
use crate::mail::{filename, parse, transfer};
use crate::store::blobs::Blobs;
use crate::store::parts::Partly;
use crate::store::{StoreErrorKind, messages, parts, placements};
use std::fs::{self, OpenOptions};
use std::io::{Cursor, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

/// How many names are tried for a file before the folder is said to be full of them.
const MAX_TRIES: u32 = 1_000;
/// The most of a file that is looked at to tell whether it is a program, in octets.
const SNIFF: usize = 4_096;

/// A message as far as it is here.
struct Open {
    message: Option<Arc<Message>>,
    partly: Option<Partly>,
}

fn open(shared: &Shared, id: PlacementKey) -> Result<Open, Fault> {
    let found = shared.store.read(|db| {
        let key = placements::get(db, id)?.message;
        Ok((key, messages::content(db, key)?.blob, parts::of(db, key)?))
    });
    let (key, blob, partly) = found.map_err(|e| match e.kind {
        StoreErrorKind::Missing => Fault::missing("this message is not here any more"),
        _ => e.into(),
    })?;
    let message = Texts::new(&shared.store)?.message(key, &blob, partly.as_ref())?;
    Ok(Open { message, partly })
}

impl Open {
    fn part(&self, path: &PartPath) -> Result<(&Message, &Part), Fault> {
        let message = self.message.as_ref().ok_or_else(|| Fault::new(Kind::Missing, "this message is not here yet"))?;
        let part = message.at(path).and_then(|index| message.parts.get(index));
        Ok((message, part.ok_or_else(|| Fault::missing("the message has no such part"))?))
    }

    /// The decoded bytes of a part that is here.
    fn bytes(&self, shared: &Shared, path: &PartPath) -> Result<(&Part, Vec<u8>), Fault> {
        let (message, part) = self.part(path)?;
        let away = || Fault::missing("this file is not here yet");
        let bytes = match part.kept {
            Kept::Within => parse::bytes(message, part),
            Kept::OnServer { .. } => return Err(away()),
            Kept::Apart { .. } => {
                let held = self.partly.as_ref().and_then(|p| p.part(path)).ok_or_else(away)?;
                let bytes = Blobs::open(&shared.store.places().cache)?.get(&held.blob)?;
                match part.encoding {
                    _ if held.decoded => bytes,
                    Encoding::Identity => bytes,
                    Encoding::Base64 => transfer::base64(&bytes),
                    Encoding::QuotedPrintable => transfer::quoted_printable(&bytes),
                }
            }
        };
        Ok((part, bytes))
    }
}

/// What has to be fetched before `request` can be carried out; nothing if all is here.
pub(super) fn missing(shared: &Shared, request: &Request) -> Result<Option<(PlacementKey, Piece)>, Fault> {
    let (id, paths) = match request {
        Request::SavePart { message, part, .. } => (*message, std::slice::from_ref(part)),
        Request::AttachParts { message, parts } => (*message, parts.as_slice()),
        _ => return Ok(None),
    };
    let open = open(shared, id)?;
    if open.message.is_none() {
        return Ok(Some((id, Piece::Text)));
    }
    for path in paths {
        if matches!(open.part(path)?.1.kept, Kept::OnServer { .. }) {
            return Ok(Some((id, Piece::Part(path.clone()))));
        }
    }
    Ok(None)
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
    let (part, bytes) = open.bytes(shared, path)?;
    let name = filename::safe(name);
    if to_open && filename::runs(&name, &part.mime, bytes.get(..SNIFF).unwrap_or(&bytes)) {
        return Err(Fault::new(Kind::Usage, &format!("{name} could run as a program: it is only saved, not opened")));
    }
    let cannot = |e: &std::io::Error| io_fault(e.kind(), "the attachment cannot be saved").because(&e.to_string());
    for n in 0..MAX_TRIES {
        let path = folder.join(if n == 0 { name.clone() } else { filename::numbered(&name, n) });
        // `create_new` follows no link and replaces nothing.
        let mut file = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == ErrorKind::AlreadyExists => continue,
            Err(e) => return Err(cannot(&e)),
        };
        if let Err(error) = file.write_all(&bytes).and_then(|()| file.sync_all()) {
            // Half a file would look like a whole one.
            let _ = fs::remove_file(&path);
            return Err(cannot(&error));
        }
        return Ok(Done { count: 1, path: Some(path), ..Done::default() });
    }
    Err(Fault::new(Kind::Disk, "there are a thousand files of this name already"))
}

/// Copies parts into the spool.
pub(super) fn attach(shared: &Shared, id: PlacementKey, paths: &[PartPath]) -> Result<Done, Fault> {
    let open = open(shared, id)?;
    let mut done = Done::default();
    for path in paths {
        let (part, bytes) = open.bytes(shared, path)?;
        let (spool, size) = shared.spool.put(&mut Cursor::new(bytes))?;
        let name = filename::safe(part.name.as_deref().unwrap_or_default());
        done.attachments.push(DraftAttachment { spool, name, mime: part.mime.clone(), size });
        done.count += 1;
    }
    Ok(done)
}
