//! again — a mail that is taken back becomes a draft, also one that never was: it came from `postrider send`.
//! Owns: `cancel`. May import: store, mail, base, and the engine's own.
//! Start reading at: `cancel`. The mail's bytes go only once its draft is written down.

use super::letters::knock;
use crate::engine::api::{Done, Fault, Kind};
use crate::engine::outbox::state::can_cancel;
use crate::engine::shared::Shared;
use crate::engine::translate::file_fault;
use crate::mail::address::Address;
use crate::mail::draft::{Draft, DraftAttachment, Original};
use crate::mail::identity::Identity;
use crate::mail::ids::OutboxId;
use crate::mail::outgoing::NewOutgoing;
use crate::mail::{filename, parse, render, structure};
use crate::store::{drafts, outbox};
use std::io::{Cursor, Read};

/// Takes a mail back: its draft can be written on.
pub(super) fn cancel(shared: &Shared, id: OutboxId) -> Result<Done, Fault> {
    let late = || Fault::new(Kind::Usage, "too late: this mail is on its way, or sent already");
    let waiting = shared.store.read_state(|db| outbox::get(db, id))?;
    if !can_cancel(waiting.state) {
        return Err(late());
    }
    let new = if waiting.mail.draft.is_none() { Some(as_draft(shared, &waiting.mail)?) } else { None };
    let now = shared.now();
    let taken = shared.store.state(move |tx| {
        let mail = outbox::get(tx, id)?;
        if !can_cancel(mail.state) {
            return Ok(None);
        }
        let draft = match &new {
            Some(draft) => Some(drafts::save(tx, None, &mail.mail.account, draft, now)?),
            None => mail.mail.draft,
        };
        outbox::remove(tx, id)?;
        Ok(Some((mail.mail.spool, draft)))
    })?;
    // What was copied for the draft is swept: no row names it.
    let Some((spool, draft)) = taken else { return Err(late()) };
    if !spool.is_empty() {
        shared.spool.remove(&spool)?;
    }
    knock(shared);
    Ok(Done { count: 1, draft, ..Done::default() })
}

/// The draft that a finished mail could have come from. Whom its header does not name gets it as before, unseen by the others.
fn as_draft(shared: &Shared, mail: &NewOutgoing) -> Result<Draft, Fault> {
    let mut bytes = Vec::new();
    let read = shared.spool.get(&mail.spool)?.read_to_end(&mut bytes);
    read.map_err(|e| file_fault(&e, "the mail cannot be read"))?;
    let message = parse::message(bytes);
    let mut attachments = Vec::new();
    for file in structure::attachments(&message).into_iter().filter(|a| !a.related) {
        let Some(part) = message.parts.get(file.part) else { continue };
        let (spool, size) = shared.spool.put(&mut Cursor::new(parse::bytes(&message, part)))?;
        attachments.push(DraftAttachment {
            spool,
            name: filename::safe(&file.safe_name),
            mime: part.mime.clone(),
            size,
            away: None,
        });
    }
    let text = render::plain(&message);
    let original = Original {
        id: None,
        envelope: &message.envelope,
        text: &text,
        when: "",
        followup_to: &[],
        list_post: None,
        attachments: &attachments,
    };
    let me = Identity { address: Address::new("", &mail.sender), signature: String::new() };
    let mut draft = Draft::go_on(&original, &me);
    let named: Vec<&Address> = draft.to.iter().chain(&draft.cc).chain(&draft.bcc).collect();
    let unseen: Vec<Address> =
        mail.recipients.iter().map(|r| Address::new("", r)).filter(|r| !named.iter().any(|n| n.same(r))).collect();
    draft.bcc.extend(unseen);
    Ok(draft)
}
