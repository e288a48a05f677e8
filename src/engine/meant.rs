//! meant — which mailboxes a wish means by the names that it has, from what the person sees.
//! Owns: `fill`, `seen`. May import: store, mail.
//! Start reading at: `fill`. It goes into the journal with the wish: the cache may be gone, or be of another age, when a server is told.

use super::api::Fault;
use super::shared::Shared;
use crate::mail::ids::AccountName;
use crate::mail::intent::{NewOperation, OpKind};
use crate::mail::mailbox::MailboxPath;
use crate::mail::meant::Meant;
use crate::store::{self, Cache, Db, mailboxes};
use std::collections::HashMap;

/// Writes to each entry which mailboxes it means, unless it says so already.
///
/// # Errors
/// What the store says.
pub(super) fn fill<'a>(shared: &Shared, entries: impl IntoIterator<Item = &'a mut NewOperation>) -> Result<(), Fault> {
    Ok(shared.store.read(|db| {
        let mut known = HashMap::new();
        let mut of = |account: &AccountName, path: &MailboxPath| -> store::Result<Meant> {
            let name = (account.clone(), path.clone());
            if let Some(meant) = known.get(&name) {
                return Ok(Meant::clone(meant));
            }
            let meant = seen(db, account, path)?;
            known.insert(name, meant.clone());
            Ok(meant)
        };
        for entry in entries {
            if !entry.here.is_known() && !matches!(entry.kind, OpKind::CreateMailbox { .. } | OpKind::SubscribeMailbox { .. }) {
                entry.here = of(&entry.account, &entry.mailbox)?;
            }
            if let (false, OpKind::Move { to } | OpKind::Copy { to }) = (entry.there.is_known(), &entry.kind) {
                entry.there = of(&entry.account, to)?;
            }
        }
        Ok(())
    })?)
}

/// Which mailbox has that name now, for the person. Of one that is not there yet, nothing.
///
/// # Errors
/// As every question.
pub(super) fn seen(db: &Db<Cache>, account: &AccountName, path: &MailboxPath) -> store::Result<Meant> {
    match mailboxes::find(db, account, path)? {
        Some(id) => mailboxes::meant(db, id),
        None => Ok(Meant::default()),
    }
}
