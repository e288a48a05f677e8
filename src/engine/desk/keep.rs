//! keep — lets go of bodies by each account's rule (`keep` in the configuration), and removes what nothing names.
//! Owns: nothing. May import: store, config, and the engine's own.
//! Start reading at: `start`. On a thread of its own, in small steps: whoever presses a key never waits for it.

use super::super::asked;
use super::super::fault::{Fault, Kind};
use super::super::shared::Shared;
use crate::base::spawn::{guarded, spawn};
use crate::config::KeepBodies;
use crate::mail::ids::MailboxId;
use crate::store::blobs::Blobs;
use crate::store::{bodies, mailboxes};
use std::sync::Arc;

/// How many bodies are let go in one transaction.
const BATCH: u32 = 200;

/// Starts the thread; it ends by itself. Only the holder of the profile writes the cache.
///
/// # Errors
/// The system has no thread left.
pub(super) fn start(shared: &Arc<Shared>) -> Result<(), Fault> {
    if !shared.owner {
        return Ok(());
    }
    let mine = Arc::clone(shared);
    let run = move || {
        let done = guarded(|| tidy(&mine)).unwrap_or_else(|panic| Err(Fault::bug(&panic)));
        if let Err(fault) = done {
            mine.fault(fault);
        }
    };
    // Left alone: it looks at `cancel` between steps.
    spawn("tidy", run).map(drop).map_err(|e| Fault::new(Kind::Busy, "no thread is left").because(&e.to_string()))
}

fn tidy(shared: &Shared) -> Result<(), Fault> {
    for account in &shared.config.accounts {
        let before = match account.keep.bodies {
            KeepBodies::None => i64::MAX,
            KeepBodies::All => i64::MIN,
            KeepBodies::For(age) => shared.now().saturating_sub(i64::try_from(age.as_secs()).unwrap_or(i64::MAX)),
        };
        let limit = account.keep.limit.unwrap_or(u64::MAX);
        // Mailboxes of which more is to stay here than the account says.
        let longer = |bodies: KeepBodies| match (bodies, account.keep.bodies) {
            (KeepBodies::All, _) => true,
            (KeepBodies::For(_), KeepBodies::None) => true,
            (KeepBodies::For(one), KeepBodies::For(usual)) => one > usual,
            _ => false,
        };
        let rows = shared.store.read(|db| mailboxes::list(db, Some(&account.name)))?;
        let offline = rows.iter().filter(|_| !account.offline.is_empty());
        let spared: Vec<MailboxId> = offline.filter(|row| longer(account.bodies_of(&row.path))).map(|row| row.id).collect();
        loop {
            let (name, spared) = (account.name.clone(), spared.clone());
            if shared.cancel.is_set() {
                return Ok(());
            }
            if shared.store.cache(move |tx| bodies::expire(tx, &name, before, limit, BATCH, &spared))? == 0 {
                break;
            }
        }
    }
    // Named first, files afterwards: what arrives meanwhile is young, and is left alone.
    let mut named = shared.store.read(bodies::named)?;
    named.extend(asked::on_their_way(shared)?);
    Blobs::open(&shared.store.places().cache)?.sweep(&named)?;
    Ok(())
}
