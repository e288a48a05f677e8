//! kept — lets go of bodies by each account's rule (`keep` in the configuration), and removes what nothing names.
//! Owns: `Kept`: how much of each account is here. May import: store, config, and the engine's own.
//! Start reading at: `grew`, which is told of all that comes; `start` looks after everything, at the start and once a day. In small
//! steps, on threads of the network or of its own: whoever presses a key never waits for it. What is queued, starred, asked
//! for, on its way or open is never let go.

use super::asked;
use super::fault::{Fault, Kind};
use super::offline;
use super::shared::Shared;
use super::stumbles;
use crate::base::spawn::{guarded, spawn};
use crate::config::{AccountConfig, KeepBodies};
use crate::mail::ids::{AccountName, MailboxId};
use crate::store::blobs::Blobs;
use crate::store::bodies::{self, Spared};
use crate::store::mailboxes;
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many bodies are let go in one transaction.
const BATCH: u32 = 200;
/// Once the limit is passed, so many percent of it are made free: it is not passed again by the next mail.
const SPARE: u64 = 5;
/// Everything is looked after so often, in seconds.
const DAY: i64 = 86_400;

/// How many octets of each account are here.
#[derive(Default)]
pub struct Kept {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    sums: BTreeMap<AccountName, u64>,
    /// When everything was looked after last, seconds since 1970.
    tidied: i64,
}

impl Kept {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here can be half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts a thread that looks after everything; it ends by itself. Only the holder of the profile writes the cache.
///
/// # Errors
/// The system has no thread left.
pub(super) fn start(shared: &Arc<Shared>) -> Result<(), Fault> {
    if !shared.owner {
        return Ok(());
    }
    shared.kept.lock().tidied = shared.now();
    let mine = Arc::clone(shared);
    let run = move || {
        let done = guarded(|| tidy(&mine).and_then(|()| stumbles::again(&mine))).unwrap_or_else(|panic| Err(Fault::bug(&panic)));
        if let Err(fault) = done {
            mine.fault(fault);
        }
    };
    // Left alone: it looks at `cancel` between steps.
    spawn("tidy", run).map(drop).map_err(|e| Fault::new(Kind::Busy, "no thread is left").because(&e.to_string()))
}

/// Looks after everything if that was not done for a day.
///
/// # Errors
/// The store, the disk.
pub(super) fn daily(shared: &Shared) -> Result<(), Fault> {
    let now = shared.now();
    let mut state = shared.kept.lock();
    if now - state.tidied < DAY {
        return Ok(());
    }
    state.tidied = now;
    drop(state);
    tidy(shared)
}

/// So many octets of an account came: if that is more than it may keep, the oldest go.
///
/// # Errors
/// The store, the disk.
pub(super) fn grew(shared: &Shared, account: &AccountName, octets: u64) -> Result<(), Fault> {
    let Some(config) = shared.account(account) else { return Ok(()) };
    let Some(limit) = config.keep.limit else { return Ok(()) };
    if let Some(sum) = shared.kept.lock().sums.get_mut(account) {
        *sum = sum.saturating_add(octets);
        if *sum <= limit {
            return Ok(());
        }
    }
    // Counted anew: what was lost or deleted meanwhile is not counted there.
    let total = || shared.store.read(|db| bodies::total(db, account));
    let mut sum = total()?;
    if sum > limit {
        let gone = let_go(shared, config, limit - limit / 100 * SPARE)?;
        let named = if gone.is_empty() { HashSet::new() } else { shared.store.read(bodies::named)? };
        let blobs = Blobs::open(&shared.store.places().cache)?;
        gone.iter().filter(|name| !named.contains(*name)).try_for_each(|name| blobs.remove(name))?;
        sum = total()?;
    }
    shared.kept.lock().sums.insert(account.clone(), sum);
    Ok(())
}

fn tidy(shared: &Shared) -> Result<(), Fault> {
    for account in &shared.config.accounts {
        let_go(shared, account, account.keep.limit.unwrap_or(u64::MAX))?;
    }
    // Named first, files afterwards: what arrives meanwhile is young, and is left alone.
    let mut named = shared.store.read(bodies::named)?;
    named.extend(asked::on_their_way(shared)?);
    Blobs::open(&shared.store.places().cache)?.sweep(&named)?;
    Ok(())
}

/// Lets go of what is too old, and of the oldest until `limit` octets are here. The files that are named no more by these.
fn let_go(shared: &Shared, account: &AccountConfig, limit: u64) -> Result<Vec<String>, Fault> {
    let before = match account.keep.bodies {
        KeepBodies::None => i64::MAX,
        KeepBodies::All => i64::MIN,
        KeepBodies::For(age) => shared.now().saturating_sub(i64::try_from(age.as_secs()).unwrap_or(i64::MAX)),
    };
    // Mailboxes of which more is to stay here than the account says.
    let longer = |bodies: KeepBodies| match (bodies, account.keep.bodies) {
        (KeepBodies::All, _) => true,
        (KeepBodies::For(_), KeepBodies::None) => true,
        (KeepBodies::For(one), KeepBodies::For(usual)) => one > usual,
        _ => false,
    };
    let mut mailboxes: Vec<MailboxId> = Vec::new();
    if let Some(choices) = offline::chosen(shared, account)? {
        let rows = shared.store.read(|db| mailboxes::list(db, Some(&account.name)))?;
        let spared = rows.iter().filter(|row| longer(offline::bodies_of(account, &choices, &row.path)));
        mailboxes.extend(spared.map(|row| row.id));
    }
    let mut files = Vec::new();
    while !shared.cancel.is_set() {
        let mut messages = shared.awaited.in_use();
        messages.extend(asked::messages(shared)?);
        let (name, spared) = (account.name.clone(), Spared { mailboxes: mailboxes.clone(), messages });
        let (count, gone) = shared.store.cache(move |tx| bodies::expire(tx, &name, before, limit, BATCH, &spared))?;
        files.extend(gone);
        if count == 0 {
            break;
        }
    }
    Ok(files)
}

#[cfg(test)]
#[path = "kept_tests.rs"]
mod tests;
