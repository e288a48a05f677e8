//! awaited — the texts that somebody waits for: asked for, how far they are, or why they do not come.
//! Owns: `Awaited`, `Stand`. May import: mail, and the engine's own.
//! Start reading at: `Awaited::body`. Kept in memory: what was asked for and did not come before the end is asked for again
//! when its message is opened again. Each method says which messages look different after it.

use super::api::{Away, Body, Connectivity, Fault};
use crate::mail::ids::{AccountName, MessageKey};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The most messages that are remembered; the oldest is forgotten first, and asked for again if it is still wanted.
const MAX: usize = 256;
/// How often somebody is told how far a text is.
const TELL: Duration = Duration::from_millis(100);

/// How the getting of one text stands.
#[derive(Clone, Debug)]
enum Stand {
    /// Asked for.
    Asked,
    /// So many octets are here, of so many.
    Coming { done: u64, total: u64, told: Instant },
    /// It could not be had.
    Failed(Fault),
}

#[derive(Debug)]
struct Wait {
    account: AccountName,
    stand: Stand,
}

#[derive(Debug, Default)]
struct State {
    /// Numbers ascend with age of the content, not of the wish: near enough for forgetting.
    waits: BTreeMap<MessageKey, Wait>,
    /// Accounts that have no connection, and wait for one.
    down: BTreeSet<AccountName>,
}

/// What is waited for.
#[derive(Debug, Default)]
pub struct Awaited(Mutex<State>);

impl Awaited {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here can be half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How a text stands that is not here.
    #[must_use]
    pub fn body(&self, message: MessageKey) -> Body {
        let state = self.lock();
        match state.waits.get(&message) {
            None => Body::NotHere { why: Away::Unasked },
            Some(Wait { stand: Stand::Failed(fault), .. }) => Body::Failed(fault.clone()),
            Some(wait) if state.down.contains(&wait.account) => Body::NotHere { why: Away::NoLine },
            Some(Wait { stand: Stand::Coming { done, total, .. }, .. }) => Body::Coming { done: *done, total: *total },
            Some(Wait { stand: Stand::Asked, .. }) => Body::Coming { done: 0, total: 0 },
        }
    }

    /// Somebody wants it (again); whether that changes anything.
    pub fn ask(&self, message: MessageKey, account: &AccountName) -> bool {
        let mut state = self.lock();
        if matches!(state.waits.get(&message), Some(Wait { stand: Stand::Asked | Stand::Coming { .. }, .. })) {
            return false;
        }
        state.waits.insert(message, Wait { account: account.clone(), stand: Stand::Asked });
        while state.waits.len() > MAX {
            state.waits.pop_first();
        }
        true
    }

    /// So much of it is here; whether it is time to tell. What nobody asked for is not remembered.
    pub fn coming(&self, message: MessageKey, done: u64, total: u64) -> bool {
        let mut state = self.lock();
        let Some(wait) = state.waits.get_mut(&message) else { return false };
        let now = Instant::now();
        match &mut wait.stand {
            Stand::Coming { done: was, total: of, told } => {
                (*was, *of) = (done, total);
                let due = now.duration_since(*told) >= TELL;
                if due {
                    *told = now;
                }
                due
            }
            other => {
                // The beginning is no news: a short text is here before anybody could read of it.
                *other = Stand::Coming { done, total, told: now };
                false
            }
        }
    }

    /// The line broke: it waits for the next one.
    pub fn again(&self, message: MessageKey) {
        if let Some(wait) = self.lock().waits.get_mut(&message) {
            wait.stand = Stand::Asked;
        }
    }

    /// It is here.
    pub fn here(&self, message: MessageKey) {
        self.lock().waits.remove(&message);
    }

    /// It cannot be had; whether anybody waits for it.
    pub fn failed(&self, message: MessageKey, fault: Fault) -> bool {
        self.lock().waits.get_mut(&message).map(|wait| wait.stand = Stand::Failed(fault)).is_some()
    }

    /// An account's line is up or down: which texts look different now.
    pub fn line(&self, account: &AccountName, now: &Connectivity) -> Vec<MessageKey> {
        let down = matches!(now, Connectivity::Off | Connectivity::Waiting { .. } | Connectivity::NeedsUser(_));
        let mut state = self.lock();
        let changed = if down { state.down.insert(account.clone()) } else { state.down.remove(account) };
        if !changed {
            return Vec::new();
        }
        state.waits.iter().filter(|(_, wait)| wait.account == *account).map(|(message, _)| *message).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::api::Kind;

    #[test]
    fn what_is_said_of_a_text_is_true_at_every_stage() {
        let (awaited, m, account) = (Awaited::default(), MessageKey(1), AccountName::new("a"));
        let stand = || format!("{:?}", awaited.body(m));
        assert_eq!(stand(), "NotHere { why: Unasked }");
        assert!(awaited.ask(m, &account) && !awaited.ask(m, &account));
        assert_eq!(stand(), "Coming { done: 0, total: 0 }");
        let fault = Fault::new(Kind::Unreachable, "x");
        assert_eq!(awaited.line(&account, &Connectivity::Waiting { until: 0, fault: fault.clone() }), [m]);
        assert!(awaited.line(&account, &Connectivity::Off).is_empty(), "still down");
        assert_eq!(stand(), "NotHere { why: NoLine }");
        assert_eq!(awaited.line(&account, &Connectivity::Connecting), [m]);
        assert!(!awaited.coming(m, 5, 10), "short ones are not told of");
        assert_eq!(stand(), "Coming { done: 5, total: 10 }");
        awaited.again(m);
        assert_eq!(stand(), "Coming { done: 0, total: 0 }");
        assert!(awaited.failed(m, fault));
        assert!(stand().starts_with("Failed"));
        assert!(awaited.ask(m, &account), "asked for again it is tried again");
        awaited.here(m);
        assert_eq!(stand(), "NotHere { why: Unasked }", "lost again later, it is asked for again");
        assert!(!awaited.coming(MessageKey(2), 1, 2), "ahead of need");
        assert!(!awaited.failed(MessageKey(2), Fault::missing("y")));
        assert_eq!(format!("{:?}", awaited.body(MessageKey(2))), "NotHere { why: Unasked }");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (awaited, account) = (Awaited::default(), AccountName::new("a"));
        for n in 0..1_000 {
            awaited.ask(MessageKey(n), &account);
        }
        assert_eq!(awaited.lock().waits.len(), MAX);
        assert!(matches!(awaited.body(MessageKey(999)), Body::Coming { .. }));
    }
}
