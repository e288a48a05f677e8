//! letters — drafts, attachments, and mails into and out of the outbox.
//! Owns: `save`, `send`, `send_ready`, `tidy`. May import: store, mail, base, and the engine's own.
//! Start reading at: `send`. The bytes are whole in the spool before a row names them; from then on nobody changes them.

use super::{copies, forward, intents};
use crate::engine::api::{Done, Fault, Kind};
use crate::engine::outbox::state::{Event, step};
use crate::engine::owner::{Knock, ring};
use crate::engine::shared::Shared;
use crate::engine::translate::file_fault;
use crate::mail::address::Address;
use crate::mail::compose::{self, ComposeFault, Frozen, Stamp};
use crate::mail::draft::{Draft, DraftAttachment};
use crate::mail::filename;
use crate::mail::ids::{AccountName, DraftId, OutboxId};
use crate::mail::intent::OpKind;
use crate::mail::outgoing::NewOutgoing;
use crate::mail::parse;
use crate::mail::ready::{self, Addressing};
use crate::store::{contacts, drafts, journal, outbox};
use std::collections::{BTreeSet, HashSet};
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

/// The largest file that goes with a mail, in octets: hardly a server takes more, and it is held in memory once.
const MAX_ATTACHMENT: u64 = 100 * 1024 * 1024;
/// How long settled commands can be taken back, and stay in the journal, seconds.
const KEEP_COMMANDS: i64 = 30 * 86_400;

/// Saves a draft.
pub(super) fn save(shared: &Shared, id: Option<DraftId>, account: &AccountName, draft: Draft) -> Result<Done, Fault> {
    let origin = match (id, draft.copy_of) {
        (None, Some(message)) => copies::origin(shared, message)?,
        _ => None,
    };
    let (account, now) = (account.clone(), shared.now());
    let id = shared.store.state(move |tx| {
        let id = drafts::save(tx, id, &account, &draft, now)?;
        origin.map_or(Ok(()), |found| copies::adopt(tx, id, found))?;
        Ok(id)
    })?;
    Ok(Done { count: 1, draft: Some(id), ..Done::default() })
}

/// Throws a draft away, and its copy on the server.
pub(super) fn discard(shared: &Shared, id: DraftId) -> Result<(Done, BTreeSet<AccountName>), Fault> {
    let now = shared.now();
    let touched = shared.store.state(move |tx| {
        let touched = copies::forget(tx, id, now)?;
        drafts::discard(tx, id)?;
        Ok(touched)
    })?;
    Ok((Done { count: 1, ..Done::default() }, intents::finish(shared, touched)?))
}

/// Copies a file into the spool.
pub(super) fn attach(shared: &Shared, path: &Path) -> Result<Done, Fault> {
    let shown = path.display();
    let cannot = |e: std::io::Error| {
        let kind = if e.kind() == std::io::ErrorKind::NotFound { Kind::Missing } else { Kind::Disk };
        Fault::new(kind, &format!("{shown} cannot be attached")).because(&e.to_string())
    };
    let file = File::open(path).map_err(cannot)?;
    let found = file.metadata().map_err(cannot)?;
    if !found.is_file() {
        return Err(Fault::new(Kind::Usage, &format!("{shown} is no file")));
    }
    if found.len() > MAX_ATTACHMENT {
        return Err(Fault::new(Kind::Data, &format!("{shown} is larger than 100 MiB")));
    }
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    // It may grow while it is read.
    let (spool, size) = shared.spool.put(&mut file.take(MAX_ATTACHMENT))?;
    let mime = mime_of(&name).to_owned();
    let attachment = DraftAttachment { spool, name: filename::safe(&name), mime, size, away: None };
    Ok(Done { count: 1, attachments: vec![attachment], ..Done::default() })
}

/// What a file is, by the end of its name: only a hint for the recipient's program.
fn mime_of(name: &str) -> &'static str {
    let end = name.rsplit_once('.').map_or("", |(_, end)| end).to_ascii_lowercase();
    match end.as_str() {
        "txt" | "log" | "md" => "text/plain",
        "html" | "htm" => "text/html",
        "csv" => "text/csv",
        "ics" => "text/calendar",
        "patch" | "diff" => "text/x-diff",
        "pdf" => "application/pdf",
        "json" => "application/json",
        "zip" => "application/zip",
        "gz" | "tgz" => "application/gzip",
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "svg" => "image/svg+xml",
        "mp3" => "audio/mpeg",
        "mp4" => "video/mp4",
        "doc" => "application/msword",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xls" => "application/vnd.ms-excel",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "odt" => "application/vnd.oasis.opendocument.text",
        "ods" => "application/vnd.oasis.opendocument.spreadsheet",
        "eml" => "message/rfc822",
        _ => "application/octet-stream",
    }
}

pub(super) fn refused(fault: &ComposeFault) -> Fault {
    Fault::new(Kind::Data, &fault.to_string())
}

pub(super) fn stamp(shared: &Shared) -> Result<Stamp, Fault> {
    let mut random = [0u8; 16];
    getrandom::fill(&mut random).map_err(|e| Fault::bug(&e.to_string()))?;
    Ok(Stamp { date: shared.now(), random })
}

/// The bytes of a draft's attachments, in order.
pub(super) fn attached(shared: &Shared, draft: &Draft) -> Result<Vec<Vec<u8>>, Fault> {
    let one = |attachment: &DraftAttachment| {
        let mut bytes = Vec::new();
        let read = shared.spool.get(&attachment.spool)?.read_to_end(&mut bytes);
        read.map_err(|e| file_fault(&e, "an attachment cannot be read"))?;
        Ok(bytes)
    };
    draft.attachments.iter().map(one).collect()
}

/// Freezes a draft and puts it into the outbox, held for `hold` seconds. The draft stays saved until the mail is accepted.
pub(super) fn send(shared: &Shared, id: Option<DraftId>, account: &AccountName, draft: Draft, hold: u32) -> Result<Done, Fault> {
    known(shared, account)?;
    // What is away counts as empty here: whether all else is in order is said now, and the mail is frozen when it came.
    let away = forward::lacking(shared, &draft);
    let here = Draft { attachments: draft.attachments.iter().filter(|a| !away.contains(a)).cloned().collect(), ..draft.clone() };
    let files = attached(shared, &here)?;
    let mut frozen = compose::build(&here, &files, &stamp(shared)?).map_err(|e| refused(&e))?;
    if !away.is_empty() {
        frozen.bytes.clear();
    }
    let people: Vec<Address> = [&draft.to, &draft.cc, &draft.bcc].into_iter().flatten().cloned().collect();
    let saved = (id, draft);
    put(shared, account, frozen, people, Some(saved), i64::from(hold))
}

/// Puts a message that somebody else has written into the outbox, due at once.
pub(super) fn send_ready(shared: &Shared, account: &AccountName, bytes: &[u8], to: &Addressing) -> Result<Done, Fault> {
    known(shared, account)?;
    let (people, subject) = {
        let _reading = crate::base::gate::reading();
        let read = parse::envelope(bytes);
        ([read.to, read.cc, read.bcc].concat(), read.subject)
    };
    let frozen = ready::freeze(bytes, &people, &subject, to, &stamp(shared)?).map_err(|e| refused(&e))?;
    put(shared, account, frozen, Vec::new(), None, 0)
}

fn known(shared: &Shared, account: &AccountName) -> Result<(), Fault> {
    let found = shared.account(account).ok_or_else(|| Fault::new(Kind::Config, "this account is not configured any more"))?;
    if found.smtp == crate::config::Submission::None {
        return Err(Fault::new(Kind::Config, "this account has no server for sending").of(account));
    }
    Ok(())
}

fn put(
    shared: &Shared,
    account: &AccountName,
    frozen: Frozen,
    people: Vec<Address>,
    draft: Option<(Option<DraftId>, Draft)>,
    hold: i64,
) -> Result<Done, Fault> {
    let later = frozen.bytes.is_empty();
    let (spool, size) = if later { (String::new(), 0) } else { shared.spool.put(&mut Cursor::new(frozen.bytes))? };
    let (account, now) = (account.clone(), shared.now());
    let due = now + hold;
    let (outbox, draft) = shared.store.state(move |tx| {
        let draft = match draft {
            Some((id, draft)) => Some(drafts::save(tx, id, &account, &draft, now)?),
            None => None,
        };
        contacts::note(tx, &people, contacts::Role::Sent, now)?;
        let mail = NewOutgoing {
            account,
            message_id: frozen.message_id.as_str().to_owned(),
            sender: frozen.sender,
            recipients: frozen.recipients,
            subject: frozen.subject,
            spool,
            size,
            draft,
            file: true,
            created: now,
        };
        Ok((outbox::add(tx, &mail, due)?, draft))
    })?;
    knock(shared);
    Ok(Done { count: 1, outbox: Some(outbox), draft, until: (hold > 0).then_some(due), later, ..Done::default() })
}

/// Another process sends, if there is one; else the mail waits for the next start.
pub(super) fn knock(shared: &Shared) {
    if !shared.owner {
        let _ = ring(&shared.socket, &Knock::Wake);
    }
}

fn happened(shared: &Shared, id: OutboxId, event: Event, cannot: &str) -> Result<Done, Fault> {
    let now = shared.now();
    let changed = shared.store.state(move |tx| {
        outbox::update(tx, id, |mail| match step(mail, event, now) {
            Some(change) => {
                (mail.state, mail.attempts, mail.due, mail.fault) = (change.state, change.attempts, change.due, change.fault);
                true
            }
            None => false,
        })
    })?;
    if changed.is_none() {
        return Err(Fault::new(Kind::Usage, cannot));
    }
    knock(shared);
    Ok(Done { count: 1, outbox: Some(id), ..Done::default() })
}

/// Sends a waiting mail now.
pub(super) fn retry(shared: &Shared, id: OutboxId) -> Result<Done, Fault> {
    happened(shared, id, Event::Retry, "this mail is on its way, or sent already")
}

/// The person knows that a mail of unknown outcome did arrive.
pub(super) fn mark_sent(shared: &Shared, id: OutboxId) -> Result<Done, Fault> {
    happened(shared, id, Event::MarkSent, "only a mail whose outcome is not known can be marked as sent")
}

/// Removes what is of no more use: spool files that nothing names, commands that are long done.
pub(super) fn tidy(shared: &Shared) -> Result<(), Fault> {
    let before = shared.now() - KEEP_COMMANDS;
    let named = shared.store.state(move |tx| {
        journal::prune(tx, before)?;
        outbox::prune(tx, before)?;
        let mut named = HashSet::new();
        for operation in journal::queue(tx, None)? {
            if let OpKind::Append { spool, .. } = operation.kind {
                named.insert(spool);
            }
        }
        // Drafts that wait in the outbox are not listed, but may come back.
        named.extend(drafts::spool_files(tx)?);
        named.extend(outbox::list(tx)?.into_iter().map(|mail| mail.mail.spool));
        Ok(named)
    })?;
    shared.spool.sweep(&named)?;
    Ok(())
}
