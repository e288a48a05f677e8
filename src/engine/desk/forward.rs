//! forward — files of a message that go with a mail: those that are here into the spool, the others asked for, to come there.
//! Owns: `attach`, `arrived`, `complete`, `again`. May import: store, mail, and the engine's own.
//! Start reading at: `attach`. A file that is not here goes with the draft all the same: its name in the spool is reserved, and that it
//! is asked for is durable (`asked.rs`). A mail that is sent before it is here waits in the outbox, and is frozen when it came.

use super::{letters, parts};
use crate::engine::api::{Done, Fault, Kind, Piece};
use crate::engine::asked;
use crate::engine::outbox::state::{Event, step};
use crate::engine::shared::Shared;
use crate::mail::body::{Message, PartPath};
use crate::mail::draft::{Away, Draft, DraftAttachment};
use crate::mail::ids::{MessageKey, OutboxId, PlacementKey};
use crate::mail::outgoing::{NewOutgoing, OutboxState, Outgoing};
use crate::mail::section::Section;
use crate::mail::{compose, filename, structure};
use crate::store::asked::Asked;
use crate::store::spool::Spool;
use crate::store::{drafts, outbox};
use std::io::Cursor;
use std::path::Path;

/// What stands for the folder where a file is asked for that goes into the spool.
const SPOOL: &str = "";

/// Whether a file that was asked for goes into the spool, not into a folder of the person's.
pub(super) fn is_for(folder: &Path) -> bool {
    folder == Path::new(SPOOL)
}

/// Attaches parts of a message whose text is here. What has to be fetched for it; nobody waits for that.
pub(super) fn attach(shared: &Shared, id: PlacementKey, paths: &[PartPath]) -> Result<(Done, Vec<Piece>), Fault> {
    let open = parts::open(shared, id)?;
    let (mut done, mut wanted) = (Done::default(), Vec::new());
    for path in paths {
        let (message, part) = open.part(path)?;
        done.attachments.push(if part.kept.is_here() {
            let (part, mut source) = open.source(shared, path)?;
            let (spool, size) = shared.spool.put(&mut source)?;
            let name = filename::safe(part.name.as_deref().unwrap_or_default());
            DraftAttachment { spool, name, mime: part.mime.clone(), size, away: None }
        } else {
            wanted.push(Piece::Part(path.clone()));
            reserve(shared, id, message, path)?
        });
        done.count += 1;
    }
    Ok((done, wanted))
}

/// Asks for a part that is not here, to come under a name of its own.
fn reserve(shared: &Shared, id: PlacementKey, message: &Message, path: &PartPath) -> Result<DraftAttachment, Fault> {
    let file = structure::attachments(message).into_iter().find(|file| file.path == *path);
    let file = file.ok_or_else(|| Fault::missing("the message has no such file"))?;
    let spool = Spool::reserve()?;
    asked::write(shared, id, &Piece::Part(path.clone()), Some((SPOOL.to_owned(), spool.clone())))?;
    let row = rows(shared)?.into_iter().find(|row| is_of(row, &spool));
    let row = row.ok_or_else(|| Fault::new(Kind::Missing, "this file is on no server yet"))?;
    let away = Away { account: row.account, mailbox: row.mailbox, target: row.target, section: row.section.to_string() };
    Ok(DraftAttachment { spool, name: file.safe_name, mime: file.mime, size: file.size, away: Some(away) })
}

fn rows(shared: &Shared) -> Result<Vec<Asked>, Fault> {
    Ok(shared.store.read_state(|db| crate::store::asked::list(db, None))?)
}

fn is_of(row: &Asked, spool: &str) -> bool {
    row.save.as_ref().is_some_and(|(folder, name)| folder == SPOOL && name == spool)
}

/// A file is here: into the spool, under the name that drafts know.
pub(super) fn arrived(shared: &Shared, message: MessageKey, piece: &Piece, spool: &str) -> Result<(), Fault> {
    let Some(mut source) = parts::arrived(shared, message, piece)? else { return Ok(()) };
    shared.spool.put_as(spool, &mut source)?;
    let name = spool.to_owned();
    shared.store.state(move |tx| drafts::arrived(tx, &name))?;
    shared.news.put(|news| {
        news.spooled.insert(spool.to_owned());
    });
    Ok(())
}

/// The files of a draft that are not here.
pub(super) fn lacking(shared: &Shared, draft: &Draft) -> Vec<DraftAttachment> {
    draft.attachments.iter().filter(|a| a.away.is_some() && !shared.spool.has(&a.spool)).cloned().collect()
}

/// A mail that waits for its files, with its draft.
fn waiting(shared: &Shared, mail: &Outgoing) -> Result<Option<Draft>, Fault> {
    match mail.mail.draft.filter(|_| mail.state == OutboxState::Awaiting) {
        Some(draft) => Ok(Some(shared.store.read_state(move |db| drafts::get(db, draft))?.draft)),
        None => Ok(None),
    }
}

/// Freezes mails whose files are all here now, and says of others which file is fetched no more. Whether any can be sent.
///
/// # Errors
/// The store, the spool.
pub fn complete(shared: &Shared) -> Result<bool, Fault> {
    let mut any = false;
    for mail in shared.store.read_state(outbox::list)? {
        let Some(draft) = waiting(shared, &mail)? else { continue };
        let lacking = lacking(shared, &draft);
        if lacking.is_empty() {
            any |= freeze(shared, &mail, &draft)?;
            continue;
        }
        let asked = rows(shared)?;
        let lost = lacking.iter().find(|file| !asked.iter().any(|row| is_of(row, &file.spool)));
        let fault = lost.map_or_else(String::new, |file| format!("{} could not be had; retry asks for it again", file.name));
        if fault != mail.fault {
            shared.store.state(move |tx| {
                outbox::update(tx, mail.id, |mail| {
                    mail.fault.clone_from(&fault);
                    mail.state == OutboxState::Awaiting
                })
            })?;
        }
    }
    Ok(any)
}

fn freeze(shared: &Shared, mail: &Outgoing, draft: &Draft) -> Result<bool, Fault> {
    let files = letters::attached(shared, draft)?;
    let frozen = compose::build(draft, &files, &letters::stamp(shared)?).map_err(|e| letters::refused(&e))?;
    let (spool, size) = shared.spool.put(&mut Cursor::new(frozen.bytes))?;
    let message_id = frozen.message_id.as_str().to_owned();
    let (id, now, bytes) = (mail.id, shared.now(), NewOutgoing { message_id, spool, size, ..mail.mail.clone() });
    Ok(shared.store.state(move |tx| {
        outbox::freeze(tx, id, &bytes, |mail| {
            let Some(change) = step(mail, Event::Whole, now) else { return false };
            (mail.state, mail.due, mail.fault) = (change.state, change.due, change.fault);
            true
        })
    })?)
}

/// Asks again for the files that a mail waits for; nothing if it waits for none. What is to be fetched.
///
/// # Errors
/// `Missing` where there is no such mail; the store.
pub(super) fn again(shared: &Shared, id: OutboxId) -> Result<Option<Vec<(PlacementKey, Piece)>>, Fault> {
    let mail = shared.store.read_state(|db| outbox::get(db, id))?;
    let Some(draft) = waiting(shared, &mail)? else { return Ok(None) };
    let mut wanted = Vec::new();
    for file in lacking(shared, &draft) {
        let Some((away, section)) = file.away.and_then(|away| Section::parse(&away.section).map(|section| (away, section)))
        else {
            continue;
        };
        let one = Asked {
            id: 0,
            account: away.account,
            mailbox: away.mailbox,
            target: away.target,
            what: file.name,
            section: section.clone(),
            save: Some((SPOOL.to_owned(), file.spool)),
            attempts: 0,
            due: 0,
            fault: String::new(),
            created: shared.now(),
        };
        let place = shared.store.read(|db| crate::store::asked::find(db, &one))?;
        shared.store.state(move |tx| crate::store::asked::put(tx, &one))?;
        if let (Some((_, place)), Section::Part(path)) = (place, section) {
            wanted.push((place, Piece::Part(path)));
        }
    }
    shared.news.put(|news| news.jobs = true);
    complete(shared)?;
    Ok(Some(wanted))
}
