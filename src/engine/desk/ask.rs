//! ask — a search that goes on at the servers.
//! Owns: `ask`. May import: mail, config, and the engine's own.
//! Start reading at: `ask`, which only begins it.

use crate::config::AccountKind;
use crate::engine::api::{Done, Fault, Kind, Task};
use crate::engine::crew::Crew;
use crate::engine::reach;
use crate::engine::shared::Shared;
use crate::mail::ids::AccountName;
use crate::mail::query;
use crate::mail::query_eval::may_be_from;
use std::sync::Arc;

/// Begins to ask the servers of all accounts that a query may mean; each on a thread of its own.
///
/// # Errors
/// `Data` for a text that is no query; `Missing` where there is no server to be asked.
pub(super) fn ask(shared: &Arc<Shared>, crew: &Crew, text: &str) -> Result<Done, Fault> {
    let parsed = query::parse(text, jiff::Zoned::now().date());
    if let Some(complaint) = parsed.complaint {
        return Err(Fault::new(Kind::Data, complaint.as_str()));
    }
    let meant = |name: &AccountName| may_be_from(&parsed.query, name.as_str());
    let accounts: Vec<_> =
        shared.config.accounts.iter().filter(|a| matches!(a.kind, AccountKind::Imap(_)) && meant(&a.name)).collect();
    if accounts.is_empty() {
        return Err(Fault::new(Kind::Missing, "there is no server to ask: all of this mail is on this machine"));
    }
    let stop = shared.cancel.branch().map_err(|e| Fault::bug(&e.to_string()))?;
    let names: Vec<_> = accounts.iter().map(|a| a.name.clone()).collect();
    let serial = shared.servers.begin(text, parsed.query.clone(), &names, stop.clone());
    for account in accounts {
        shared.jobs.forget(&Task::Ask(account.name.clone()));
        if crew.is_at_work() {
            crew.ask(&account.name, &parsed.query, serial, &stop);
        } else {
            reach::start(shared, account, parsed.query.clone(), serial, &stop, None);
        }
    }
    Ok(Done::default())
}
