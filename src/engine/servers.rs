//! servers — the one search that servers were asked for: what they found so far, and how each account stands with it.
//! Owns: `Servers`. May import: store, mail, base, engine/api.
//! Start reading at: `Servers::begin`. It holds UIDs, not rows: rows come and go in the cache, and are looked up when the search
//! is shown (`answer.rs`). The asking itself is in `reach.rs`.

use super::api::{Fault, News, ServerSearch};
use crate::base::cancel::Cancel;
use crate::base::inbox::Inbox;
use crate::mail::ids::{AccountName, MailboxId};
use crate::mail::query::Query;
use crate::mail::uid::{UidSet, UidValidity};
use crate::store::search_told::Told;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// So many messages beyond what is known here are enough: whoever has more looks for other words.
pub const MAX_FOUND: u64 = 1_000;

/// How an account stands.
#[derive(Debug)]
enum Standing {
    Asking,
    Done,
    Failed(Fault),
}

#[derive(Debug)]
struct Search {
    text: String,
    query: Query,
    stop: Cancel,
    accounts: BTreeMap<AccountName, Standing>,
    hits: BTreeMap<MailboxId, (UidValidity, UidSet)>,
    cut: bool,
}

#[derive(Debug, Default)]
struct State {
    serial: u64,
    search: Option<Search>,
}

/// The search.
pub struct Servers {
    state: Mutex<State>,
    news: Inbox<News>,
}

impl std::fmt::Debug for Servers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.lock().fmt(f)
    }
}

/// What is known of a search, for who shows it.
#[derive(Debug)]
pub struct Shown {
    /// As it was asked.
    pub query: Query,
    /// What was found.
    pub told: Vec<Told>,
    /// How it stands; the numbers of rows are left to who looks them up.
    pub standing: ServerSearch,
}

impl Servers {
    /// None yet; news go to `news`.
    #[must_use]
    pub fn new(news: Inbox<News>) -> Self {
        Self { state: Mutex::default(), news }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here can be half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self) {
        self.news.put(|news| news.changes.found = true);
    }

    /// A search of these accounts begins, in place of the one before; `stop` is thrown when it is not wanted any more. Its number.
    pub fn begin(&self, text: &str, query: Query, accounts: &[AccountName], stop: Cancel) -> u64 {
        let mut state = self.lock();
        state.serial += 1;
        let accounts = accounts.iter().map(|name| (name.clone(), Standing::Asking)).collect();
        let search = Search { text: text.trim().to_owned(), query, stop, accounts, hits: BTreeMap::new(), cut: false };
        let (before, serial) = (state.search.replace(search), state.serial);
        drop(state);
        before.iter().for_each(|search| search.stop.ring());
        self.changed();
        serial
    }

    /// Nobody looks at it any more.
    pub fn leave(&self) {
        let before = self.lock().search.take();
        before.iter().for_each(|search| search.stop.ring());
    }

    /// Whether the search of that number is still wanted.
    #[must_use]
    pub fn is_wanted(&self, serial: u64) -> bool {
        let state = self.lock();
        state.serial == serial && state.search.is_some()
    }

    /// A server found something. Whether more is wanted.
    pub fn found(&self, serial: u64, told: &Told) -> bool {
        let mut state = self.lock();
        if state.serial != serial {
            return false;
        }
        let Some(search) = &mut state.search else { return false };
        let known: u64 = search.hits.values().map(|(_, uids)| uids.len()).sum();
        let mut uids = told.uids.clone();
        // The newest of them.
        let room = MAX_FOUND.saturating_sub(known);
        search.cut |= uids.len() > room;
        let fresh = uids.take_newest(room);
        if !fresh.is_empty() {
            let hits = search.hits.entry(told.mailbox).or_insert((told.validity, UidSet::new()));
            if hits.0 != told.validity {
                *hits = (told.validity, UidSet::new());
            }
            hits.1 = hits.1.union(&fresh);
        }
        let more = !search.cut;
        drop(state);
        if !fresh.is_empty() {
            self.changed();
        }
        more
    }

    /// An account was asked, or could not be.
    pub fn ended(&self, serial: u64, account: &AccountName, how: Result<(), Fault>) {
        let mut state = self.lock();
        if state.serial != serial {
            return;
        }
        let Some(search) = &mut state.search else { return };
        let standing = match how {
            Ok(()) => Standing::Done,
            Err(fault) => Standing::Failed(fault),
        };
        search.accounts.insert(account.clone(), standing);
        drop(state);
        self.changed();
    }

    /// What is known of the search for `text`, if that is what was asked.
    #[must_use]
    pub fn shown(&self, text: &str) -> Option<Shown> {
        let state = self.lock();
        let search = state.search.as_ref().filter(|search| search.text == text.trim())?;
        let told = search.hits.iter().map(|(mailbox, (validity, uids))| Told {
            mailbox: *mailbox,
            validity: *validity,
            uids: uids.clone(),
        });
        let asking = search.accounts.values().filter(|s| matches!(s, Standing::Asking)).count();
        let faults = search.accounts.values().filter_map(|s| match s {
            Standing::Failed(fault) => Some(fault.clone()),
            Standing::Asking | Standing::Done => None,
        });
        let standing = ServerSearch {
            asking: u32::try_from(asking).unwrap_or(u32::MAX),
            cut: search.cut,
            faults: faults.collect(),
            ..ServerSearch::default()
        };
        Some(Shown { query: search.query.clone(), told: told.collect(), standing })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::api::Kind;
    use crate::mail::query;

    #[test]
    fn one_search_at_a_time_and_no_more_than_anybody_reads() {
        let news = Inbox::new().unwrap();
        let servers = Servers::new(news.clone());
        let (a, b) = (AccountName::new("a"), AccountName::new("b"));
        let query = query::parse("zebra", jiff::civil::date(2026, 6, 1)).query;
        let (first, second) = (Cancel::new().unwrap(), Cancel::new().unwrap());
        let begin = |stop: &Cancel| servers.begin(" zebra ", query.clone(), &[a.clone(), b.clone()], stop.clone());
        let old = begin(&first);
        let new = begin(&second);
        assert!(first.is_set() && !second.is_set() && !servers.is_wanted(old) && servers.is_wanted(new));
        let told = |low, high| Told { mailbox: MailboxId(1), validity: UidValidity(7), uids: UidSet::range(low, high) };
        assert!(!servers.found(old, &told(1, 9)) && servers.found(new, &told(500, 900)));
        assert!(news.take().changes.found);
        let shown = servers.shown("zebra").unwrap();
        assert_eq!((shown.told[0].uids.len(), shown.standing.asking), (401, 2));
        servers.ended(new, &a, Ok(()));
        servers.ended(new, &b, Err(Fault::new(Kind::Unreachable, "away")));
        servers.ended(old, &a, Err(Fault::new(Kind::Unreachable, "away")));
        assert!(!servers.found(new, &told(2_000, 4_000)), "enough");
        let shown = servers.shown("zebra").unwrap();
        assert_eq!(shown.told[0].uids.len(), MAX_FOUND);
        assert!(shown.told[0].uids.bounds() == Some((500, 4_000)), "the newest of the last ones");
        assert_eq!((shown.standing.asking, shown.standing.cut, shown.standing.faults.len()), (0, true, 1));
        assert!(servers.shown("zebras").is_none());
        servers.leave();
        assert!(second.is_set() && servers.shown("zebra").is_none() && !servers.is_wanted(new));
    }
}
