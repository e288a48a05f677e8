//! offline — what is kept of a mailbox on this machine: the person's choice in the reader, else the configuration; and whether
//! the line costs money just now.
//! Owns: `choose`, `meter`, `recall`, `bodies_of`. May import: store, config, mail.
//! Start reading at: `bodies_of`. Who fetches ahead of need and who lets go ask here, so that both obey at their next step.

use super::api::Fault;
use super::shared::Shared;
use crate::config::{AccountConfig, KeepBodies};
use crate::mail::ids::{AccountName, MailboxId};
use crate::mail::mailbox::MailboxPath;
use crate::mail::row::MailboxRow;
use crate::store::choices::{self, Choices};
use crate::store::settings::{self, Setting};
use crate::store::{Store, StoreErrorKind, mailboxes};
use std::sync::atomic::Ordering;

/// Which bodies of a mailbox are fetched ahead of need and kept.
pub(super) fn bodies_of(config: &AccountConfig, choices: &Choices, mailbox: &MailboxPath) -> KeepBodies {
    match choices.get(&(config.name.clone(), mailbox.clone())) {
        Some(true) => KeepBodies::All,
        Some(false) => KeepBodies::None,
        None => config.bodies_of(mailbox),
    }
}

/// The person's choices, if there are any for this account or its configuration has some.
///
/// # Errors
/// The store.
pub(super) fn chosen(shared: &Shared, config: &AccountConfig) -> Result<Option<Choices>, Fault> {
    let choices = shared.store.read_state(choices::all)?;
    let any = !config.offline.is_empty() || choices.keys().any(|(account, _)| *account == config.name);
    Ok(any.then_some(choices))
}

/// Writes the person's choice down. Whose mailbox it is.
///
/// # Errors
/// `Missing` where there is no such mailbox; the store.
pub(super) fn choose(shared: &Shared, mailbox: MailboxId, keep: Option<bool>) -> Result<AccountName, Fault> {
    let row = shared.store.read(|db| mailboxes::get(db, mailbox)).map_err(|e| match e.kind {
        StoreErrorKind::Missing => Fault::missing("there is no such mailbox any more"),
        _ => e.into(),
    })?;
    let (account, path) = (row.account.clone(), row.path);
    shared.store.state(move |tx| choices::put(tx, &account, &path, keep))?;
    Ok(row.account)
}

/// Says in each row what the person chose.
///
/// # Errors
/// The store.
pub(super) fn mark(store: &Store, rows: &mut [MailboxRow]) -> Result<(), Fault> {
    let choices = store.read_state(choices::all)?;
    for row in rows.iter_mut().filter(|_| !choices.is_empty()) {
        row.offline = choices.get(&(row.account.clone(), row.path.clone())).copied();
    }
    Ok(())
}

/// Whether nothing is to be fetched ahead of need.
pub(super) fn is_metered(shared: &Shared, config: &AccountConfig) -> bool {
    config.metered || shared.metered.load(Ordering::Relaxed)
}

/// The line costs money from now on, or no more: written down; [`recall`] makes it hold.
///
/// # Errors
/// The store.
pub(super) fn meter(shared: &Shared, on: bool) -> Result<(), Fault> {
    Ok(shared.store.state(move |tx| settings::put(tx, Setting::Metered, on))?)
}

/// What was written down holds in this process from now on, and its window is told of it.
///
/// # Errors
/// The store.
pub(super) fn recall(shared: &Shared) -> Result<(), Fault> {
    let on = shared.store.read_state(|db| settings::is_on(db, Setting::Metered))?;
    if shared.metered.swap(on, Ordering::Relaxed) != on {
        shared.news.put(|news| news.metered = Some(on));
    }
    Ok(())
}
