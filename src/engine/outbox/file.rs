//! file — what follows once a server has taken a mail: a copy in Sent, once, and its draft goes.
//! Owns: `file`. May import: store, config.
//! Start reading at: `file`. Copy, draft and outbox row change in one transaction; the copy is an operation of the
//! journal, which never appends twice (decisions 5).

use super::sender::apply;
use super::state::Event;
use crate::config::{AccountConfig, Submission};
use crate::engine::acts::{self, Place};
use crate::engine::api::{Fault, Kind};
use crate::engine::desk;
use crate::engine::meant;
use crate::engine::roles;
use crate::engine::shared::Shared;
use crate::mail::draft::About;
use crate::mail::envelope::MessageId;
use crate::mail::flags::{Flag, FlagDelta, Flags};
use crate::mail::ids::AccountName;
use crate::mail::intent::{NewOperation, OpKind};
use crate::mail::mailbox::Role;
use crate::mail::outgoing::Outgoing;
use crate::mail::server::Fingerprint;
use crate::store::journal::Command;
use crate::store::{StoreErrorKind, drafts, journal, overlay};
use std::collections::BTreeSet;
use std::time::Duration;

/// Submission servers that put a copy into Sent by themselves.
const FILERS: [&str; 4] = ["smtp.gmail.com", "smtp.googlemail.com", "smtp.office365.com", "smtp-mail.outlook.com"];

/// Files an accepted mail, and marks what it answers or forwards; a server that may file it by itself gets `wait` for that,
/// then it is looked for. The accounts in whose journal there is something new.
///
/// # Errors
/// Our own files.
pub(super) fn file(shared: &Shared, mail: &Outgoing, wait: Duration) -> Result<BTreeSet<AccountName>, Fault> {
    // First: done twice it is done once, and afterwards the draft is gone.
    let mut told = mark(shared, mail)?;
    let config = shared.account(&mail.mail.account);
    let wanted = mail.mail.file && config.is_some_and(|c| !files_by_itself(c));
    let copy = match config {
        Some(config) if wanted => Some(copy(shared, config, mail, wait)?),
        _ => None,
    };
    let (id, draft, now) = (mail.id, mail.mail.draft, shared.now());
    let filed = shared.store.state(move |tx| {
        // Somebody else may have done it meanwhile: then the row has moved on.
        if apply(tx, id, Event::Filed, now)?.is_none() {
            return Ok(None);
        }
        if let Some(operations) = copy {
            let group = journal::begin(tx, &Command::new("file", false), now)?;
            let mut after = None;
            for operation in operations {
                after = journal::append(tx, group, vec![NewOperation { after, ..operation }], now)?.first().map(|op| op.id);
            }
        }
        let mut removed = Vec::new();
        if let Some(draft) = draft {
            removed = desk::forget(tx, draft, now)?;
            drafts::discard(tx, draft)?;
        }
        Ok(Some(removed))
    })?;
    let is_filed = filed.is_some();
    if is_filed && !wanted {
        shared.spool.remove(&mail.mail.spool)?;
    }
    if is_filed && wanted {
        told.insert(mail.mail.account.clone());
    }
    let removed = filed.unwrap_or_default();
    told.extend(removed.iter().map(|operation| operation.account.clone()));
    shared.store.cache(move |tx| removed.iter().try_for_each(|operation| overlay::apply(tx, operation)))?;
    Ok(told)
}

/// Marks the original as answered or forwarded.
fn mark(shared: &Shared, mail: &Outgoing) -> Result<BTreeSet<AccountName>, Fault> {
    let Some(draft) = mail.mail.draft else { return Ok(BTreeSet::new()) };
    let saved = match shared.store.read_state(|db| drafts::get(db, draft)) {
        Ok(saved) => saved,
        Err(e) if e.kind == StoreErrorKind::Missing => return Ok(BTreeSet::new()),
        Err(e) => return Err(e.into()),
    };
    let (target, flag) = match saved.draft.about {
        None => return Ok(BTreeSet::new()),
        Some(About::Reply(target)) => (target, "\\Answered"),
        Some(About::Forward(target)) => (target, "$Forwarded"),
    };
    match desk::automatic(shared, target, FlagDelta::new(Flags::from_words([flag]), Flags::default())) {
        // The original was deleted meanwhile.
        Err(fault) if fault.kind == Kind::Missing => Ok(BTreeSet::new()),
        other => other,
    }
}

fn files_by_itself(config: &AccountConfig) -> bool {
    matches!(&config.smtp, Submission::Smtp(server) if FILERS.iter().any(|host| server.host.eq_ignore_ascii_case(host)))
}

/// The operations that put the copy there; the mailbox is made if there is none, as far as is known once it is listed what there is.
fn copy(shared: &Shared, config: &AccountConfig, mail: &Outgoing, wait: Duration) -> Result<Vec<NewOperation>, Fault> {
    let Place { path: mailbox, make } = shared.store.read(|db| roles::place(db, &config.name, Some(config), Role::Sent))?;
    let new = |kind| acts::entry(&config.name, &mailbox, kind);
    let print = Fingerprint {
        message_id: MessageId::new(&mail.mail.message_id),
        size: mail.mail.size,
        received: mail.mail.created,
        object_id: String::new(),
    };
    // A server that may do it by itself gets a moment for that; then it is looked for.
    let look = config.smtp != Submission::Local && !shared.filers.leaves_it_to_us(&config.name);
    let wait = if look { i64::try_from(wait.as_secs()).unwrap_or(0) } else { 0 };
    let (spool, flags) = (mail.mail.spool.clone(), FlagDelta::set(Flag::Seen));
    let append = OpKind::Append { spool, flags, received: mail.mail.created, print, look };
    let mut operations = Vec::new();
    if make {
        operations.push(new(OpKind::CreateMailbox { role: Some(Role::Sent) }));
    }
    operations.push(NewOperation { not_before: if look { shared.now() + wait } else { 0 }, ..new(append) });
    meant::fill(shared, &mut operations)?;
    Ok(operations)
}
