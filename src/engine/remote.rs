//! remote — a search that the servers answer, for a verb: asked and waited for.
//! Owns: `search_servers`. May import: store, net, config, mail, and the engine's own.
//! Start reading at: `search_servers`. It has a connection of its own and opens mailboxes read-only. Rows that are missing are
//! recorded only where this process holds the profile: whoever else holds it is not disturbed.

use super::api::{Fault, Kind};
use super::connect;
use super::far;
use super::reach::Ask;
use super::shared::Shared;
use crate::base::cancel::Cancel;
use crate::base::waker::Waker;
use crate::config::{AccountConfig, AccountKind};
use crate::mail::query::{self, Query};
use crate::mail::query_eval::may_be_from;
use crate::mail::row::MessageRow;
use crate::store::search_told::{Told, told};

/// What the servers found, and what went wrong.
#[derive(Debug, Default)]
pub struct Found {
    /// Messages that may match and that the index cannot know, newest first.
    pub rows: Vec<MessageRow>,
    /// How many more there are, whose rows are not here.
    pub absent: u32,
    /// By account, why it could not be asked.
    pub faults: Vec<Fault>,
}

/// Asks the server of every account that may be meant, mailbox by mailbox.
///
/// # Errors
/// `Data` for a text that is no query; our own files.
pub fn search_servers(shared: &Shared, text: &str, cancel: &Cancel) -> Result<Found, Fault> {
    let now = jiff::Zoned::now();
    let parsed = query::parse(text, now.date());
    if let Some(complaint) = parsed.complaint {
        return Err(Fault::new(Kind::Data, complaint.as_str()));
    }
    let (mut all, mut faults) = (Vec::new(), Vec::new());
    for config in shared.config.accounts.iter().filter(|a| matches!(a.kind, AccountKind::Imap(_))) {
        if !may_be_from(&parsed.query, config.name.as_str()) {
            continue;
        }
        if shared.offline {
            faults.push(Fault::new(Kind::Unreachable, "not asked: offline").of(&config.name));
        } else if let Err(fault) = account(shared, config, &parsed.query, cancel, &mut all) {
            faults.push(fault);
        }
    }
    let (rows, absent) = shared.store.read(|db| told(db, &parsed.query, &all, None, now.time_zone()))?;
    Ok(Found { rows, absent, faults })
}

fn account(shared: &Shared, config: &AccountConfig, query: &Query, cancel: &Cancel, found: &mut Vec<Told>) -> Result<(), Fault> {
    let mut ask = Ask::plan(shared, &config.name, query.clone(), 0)?;
    if ask.is_done() {
        return Ok(());
    }
    let waker = Waker::new().map_err(|e| Fault::bug(&e.to_string()))?;
    let mut conn = connect::open(shared, config, &waker, cancel)?;
    let said = |halt: super::round::Halt| halt.fault(&connect::host(config), config);
    let mut absent = Vec::new();
    while !ask.is_done() {
        if let Some(step) = ask.step(shared, conn.as_mut()).map_err(said)? {
            found.push(step.told);
            absent.push(step.absent);
        }
    }
    for told in absent.iter().filter(|_| shared.owner) {
        far::rows(shared, conn.as_mut(), told).map_err(said)?;
    }
    conn.logout();
    Ok(())
}
