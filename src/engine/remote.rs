//! remote — a search that the servers answer, for texts that are not here.
//! Owns: `search_servers`. May import: store, net, config, mail, and the engine's own.
//! Start reading at: `search_servers`. It has a connection of its own, opens mailboxes read-only, and writes nothing; whoever
//! holds the profile is not disturbed.

use super::api::{Fault, Kind};
use super::connect;
use super::shared::Shared;
use super::translate;
use crate::base::cancel::Cancel;
use crate::base::waker::Waker;
use crate::config::{AccountConfig, AccountKind};
use crate::mail::ids::{MailboxId, PlacementKey};
use crate::mail::query::{self, Query};
use crate::mail::uid::{UidSet, UidValidity};
use crate::store::{base, mailboxes, placements};

/// What the servers found, and what went wrong.
#[derive(Debug, Default)]
pub struct Found {
    /// Messages that may match: all that do, and some that only nearly do.
    pub messages: Vec<PlacementKey>,
    /// By account, why it could not be asked.
    pub faults: Vec<Fault>,
}

/// Asks the server of every account, mailbox by mailbox.
///
/// # Errors
/// `Data` for a text that is no query; our own files.
pub fn search_servers(shared: &Shared, text: &str, cancel: &Cancel) -> Result<Found, Fault> {
    let parsed = query::parse(text, jiff::Zoned::now().date());
    if let Some(complaint) = parsed.complaint {
        return Err(Fault::new(Kind::Data, complaint.as_str()));
    }
    let mut found = Found::default();
    for config in shared.config.accounts.iter().filter(|a| matches!(a.kind, AccountKind::Imap(_))) {
        if shared.offline {
            found.faults.push(Fault::new(Kind::Unreachable, "not asked: offline").of(&config.name));
        } else if let Err(fault) = account(shared, config, &parsed.query, cancel, &mut found.messages) {
            found.faults.push(fault);
        }
    }
    Ok(found)
}

fn account(
    shared: &Shared,
    config: &AccountConfig,
    query: &Query,
    cancel: &Cancel,
    found: &mut Vec<PlacementKey>,
) -> Result<(), Fault> {
    let name = config.name.clone();
    let rows = shared.store.read(move |db| mailboxes::list(db, Some(&name)))?;
    let waker = Waker::new().map_err(|e| Fault::bug(&e.to_string()))?;
    let mut conn = connect::open(shared, config, &waker, cancel)?;
    let said = |e| translate::net(&e, &connect::host(config), &config.name);
    for row in rows.into_iter().filter(|row| row.selectable && row.synced_at > 0) {
        // One that is gone meanwhile is no reason to leave the others out.
        let Ok(selected) = conn.select(&row.path, true, None) else {
            if cancel.is_set() {
                return Err(Fault::new(Kind::Cancelled, "stopped"));
            }
            continue;
        };
        if selected.exists > 0 {
            let uids = conn.search(query, None).map_err(said)?;
            found.extend(here(shared, row.id, selected.uidvalidity, &uids)?);
        }
    }
    conn.logout();
    Ok(())
}

/// The rows of these messages. One that came since the last pass has none yet.
fn here(shared: &Shared, mailbox: MailboxId, validity: UidValidity, uids: &UidSet) -> Result<Vec<PlacementKey>, Fault> {
    let uids = uids.clone();
    Ok(shared.store.read(move |db| {
        let mut found = Vec::new();
        if base::load(db, mailbox)?.uidvalidity == validity {
            for uid in uids.iter() {
                found.extend(placements::by_uid(db, mailbox, uid.get())?.filter(|p| !p.hidden).map(|p| p.id));
            }
        }
        Ok(found)
    })?)
}
