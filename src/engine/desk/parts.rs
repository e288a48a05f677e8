//! parts — attachments of a message that is here: into a file, or into the spool for a forward.
//! Owns: `save`, `attach`. May import: store, mail, and the engine's own.
//! Start reading at: `save`. A name from a mail is made safe, and an existing file is never replaced.

use crate::engine::answer::Answerer;
use crate::engine::api::{Body, Done, Fault, Kind, Query, Rows};
use crate::engine::shared::Shared;
use crate::engine::translate::io_fault;
use crate::mail::body::{Message, Part, PartIndex};
use crate::mail::draft::DraftAttachment;
use crate::mail::ids::PlacementKey;
use crate::mail::{filename, parse};
use crate::store::Stop;
use std::fs::{self, OpenOptions};
use std::io::{Cursor, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

/// How many names are tried for a file before the folder is said to be full of them.
const MAX_TRIES: u32 = 1_000;

fn message(shared: &Shared, id: PlacementKey) -> Result<Arc<Message>, Fault> {
    let mut answerer = Answerer::new(&shared.store, &shared.jobs, Vec::new(), Arc::clone(&shared.awaited))?;
    match answerer.answer(&Query::Message(id), &Stop::new())? {
        Rows::Message(view) => match view.body {
            Body::Here(message) => Ok(message),
            Body::Failed(fault) => Err(fault),
            Body::NotHere { .. } | Body::Coming { .. } => Err(Fault::new(Kind::Missing, "this message is not here yet")),
        },
        _ => Err(Fault::bug("another answer than was asked for")),
    }
}

fn part(message: &Message, index: PartIndex) -> Result<&Part, Fault> {
    message.parts.get(index).ok_or_else(|| Fault::missing("the message has no such part"))
}

/// Saves a part under `name` (or a name with a number) in `folder`.
pub(super) fn save(shared: &Shared, id: PlacementKey, index: PartIndex, folder: &Path, name: &str) -> Result<Done, Fault> {
    let message = message(shared, id)?;
    let bytes = parse::bytes(&message, part(&message, index)?);
    let name = filename::safe(name);
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
pub(super) fn attach(shared: &Shared, id: PlacementKey, indices: &[PartIndex]) -> Result<Done, Fault> {
    let message = message(shared, id)?;
    let mut done = Done::default();
    for index in indices {
        let part = part(&message, *index)?;
        let bytes = parse::bytes(&message, part);
        let (spool, size) = shared.spool.put(&mut Cursor::new(bytes))?;
        let name = filename::safe(part.name.as_deref().unwrap_or_default());
        done.attachments.push(DraftAttachment { spool, name, mime: part.mime.clone(), size });
        done.count += 1;
    }
    Ok(done)
}
