//! awaited — what somebody waits for of messages: asked for, how far it is, or why it does not come.
//! Owns: `Awaited`. May import: mail, and the engine's own.
//! Start reading at: `Awaited::body`. Kept in memory: a text that did not come before the end is asked for again when its
//! message is opened again; files are written down (`asked.rs`). Each method says whether something looks different after it.

use super::api::{Away, Body, Connectivity, Fault, Kind, Piece, PieceState};
use super::sight::Sight;
use crate::mail::ids::{AccountName, MessageKey};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// The most wishes that are remembered; the oldest is forgotten first, and asked for again if it is still wanted.
const MAX: usize = 256;
/// How many messages count as open: the one that is read, and its neighbours.
const SEEN: usize = 8;
/// How often somebody is told how far a piece is.
const TELL: Duration = Duration::from_millis(100);

/// How the getting of one piece stands.
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
    asking: Asking,
    stand: Stand,
}

type Key = (MessageKey, Piece);

/// Counts askings: what ends one does not end a later one of the same.
pub type Asking = u64;

#[derive(Debug, Default)]
struct State {
    /// Numbers ascend with age of the content, not of the wish: near enough for forgetting.
    waits: BTreeMap<Key, Wait>,
    /// Accounts that have no connection, and wait for one.
    down: BTreeSet<AccountName>,
    /// The last asking.
    asked: Asking,
    /// What was looked at last.
    seen: VecDeque<MessageKey>,
}

/// Hears of pieces that came, or will not come.
type Ear = Box<dyn Fn(MessageKey, Piece, Asking, Result<(), Fault>) + Send + Sync>;

/// What is waited for.
#[derive(Default)]
pub struct Awaited {
    state: Mutex<State>,
    ear: OnceLock<Ear>,
    /// First words that rows in sight lack.
    pub sight: Sight,
}

impl fmt::Debug for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lock().fmt(f)
    }
}

impl Awaited {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here can be half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets `ear` hear of all that ends from now on; only the first one does.
    pub fn tell(&self, ear: impl Fn(MessageKey, Piece, Asking, Result<(), Fault>) + Send + Sync + 'static) {
        let _ = self.ear.set(Box::new(ear));
    }

    fn ended(&self, message: MessageKey, piece: &Piece, asking: Asking, how: Result<(), Fault>) {
        if let Some(ear) = self.ear.get() {
            ear(message, piece.clone(), asking, how);
        }
    }

    /// How a text stands that is not here.
    #[must_use]
    pub fn body(&self, message: MessageKey) -> Body {
        match self.state_of(&self.lock(), &(message, Piece::Text)) {
            None => Body::NotHere { why: Away::Unasked },
            Some(PieceState::Failed(fault)) => Body::Failed(fault),
            Some(PieceState::Waits) => Body::NotHere { why: Away::NoLine },
            Some(PieceState::Coming { done, total }) => Body::Coming { done, total },
        }
    }

    /// How all pieces of a message stand that somebody waits for, beside its text.
    #[must_use]
    pub fn pieces(&self, message: MessageKey) -> Vec<(Piece, PieceState)> {
        let state = self.lock();
        let of_it = state.waits.keys().filter(|(m, piece)| *m == message && *piece != Piece::Text);
        of_it.filter_map(|key| Some((key.1.clone(), self.state_of(&state, key)?))).collect()
    }

    fn state_of(&self, state: &State, key: &Key) -> Option<PieceState> {
        let wait = state.waits.get(key)?;
        Some(match &wait.stand {
            Stand::Failed(fault) => PieceState::Failed(fault.clone()),
            _ if state.down.contains(&wait.account) => PieceState::Waits,
            Stand::Coming { done, total, .. } => PieceState::Coming { done: *done, total: *total },
            Stand::Asked => PieceState::Coming { done: 0, total: 0 },
        })
    }

    /// Somebody wants it (again); whether that changes anything. `anew`: what is under way for it is being stopped.
    pub fn ask(&self, message: MessageKey, piece: &Piece, account: &AccountName, anew: bool) -> bool {
        let mut state = self.lock();
        let key = (message, piece.clone());
        if !anew && matches!(state.waits.get(&key), Some(Wait { stand: Stand::Asked | Stand::Coming { .. }, .. })) {
            return false;
        }
        state.asked += 1;
        let asking = state.asked;
        state.waits.insert(key, Wait { account: account.clone(), asking, stand: Stand::Asked });
        while state.waits.len() > MAX {
            state.waits.pop_first();
        }
        true
    }

    /// The last asking for it; nothing if nobody waits.
    pub fn asking(&self, message: MessageKey, piece: &Piece) -> Option<Asking> {
        self.lock().waits.get(&(message, piece.clone())).map(|wait| wait.asking)
    }

    /// So much of it is here; whether it is time to tell. What nobody asked for is not remembered.
    pub fn coming(&self, message: MessageKey, piece: &Piece, done: u64, total: u64) -> bool {
        let mut state = self.lock();
        let Some(wait) = state.waits.get_mut(&(message, piece.clone())) else { return false };
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
    pub fn again(&self, message: MessageKey, piece: &Piece) {
        if let Some(wait) = self.lock().waits.get_mut(&(message, piece.clone())) {
            wait.stand = Stand::Asked;
        }
    }

    /// It is here.
    pub fn here(&self, message: MessageKey, piece: &Piece) {
        let gone = self.lock().waits.remove(&(message, piece.clone()));
        if let Some(wait) = gone {
            self.ended(message, piece, wait.asking, Ok(()));
        }
    }

    /// An asking ended without it (the last one, if none is given); whether anybody waits for it. Who asked anew meanwhile
    /// goes on waiting.
    pub fn failed(&self, message: MessageKey, piece: &Piece, asking: Option<Asking>, fault: Fault) -> bool {
        let mut state = self.lock();
        let Some(wait) = state.waits.get_mut(&(message, piece.clone())) else { return false };
        let asking = asking.unwrap_or(wait.asking);
        if wait.asking <= asking {
            wait.stand = Stand::Failed(fault.clone());
        }
        drop(state);
        self.ended(message, piece, asking, Err(fault));
        true
    }

    /// Somebody looks at a message.
    pub fn seen(&self, message: MessageKey) {
        let mut state = self.lock();
        state.seen.retain(|known| *known != message);
        state.seen.push_back(message);
        if state.seen.len() > SEEN {
            state.seen.pop_front();
        }
    }

    /// What is looked at, or was just now, and what somebody waits for: not to be let go.
    #[must_use]
    pub fn in_use(&self) -> Vec<MessageKey> {
        let state = self.lock();
        state.seen.iter().copied().chain(state.waits.keys().map(|(message, _)| *message)).collect()
    }

    /// Whether the person stopped it: then nobody waits for it, though somebody was sent for it.
    pub fn is_stopped(&self, message: MessageKey, piece: &Piece) -> bool {
        let state = self.lock();
        let wait = state.waits.get(&(message, piece.clone()));
        wait.is_some_and(|wait| matches!(&wait.stand, Stand::Failed(fault) if fault.kind == Kind::Cancelled))
    }

    /// Whether an account is known to have no connection just now.
    pub fn has_no_line(&self, account: &AccountName) -> bool {
        self.lock().down.contains(account)
    }

    /// An account's line is up or down: which messages look different now.
    pub fn line(&self, account: &AccountName, now: &Connectivity) -> BTreeSet<MessageKey> {
        let down = matches!(now, Connectivity::Off | Connectivity::Waiting { .. } | Connectivity::NeedsUser(_));
        let mut state = self.lock();
        let changed = if down { state.down.insert(account.clone()) } else { state.down.remove(account) };
        if !changed {
            return BTreeSet::new();
        }
        state.waits.iter().filter(|(_, wait)| wait.account == *account).map(|((message, _), _)| *message).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::body::PartPath;

    #[test]
    fn what_is_said_of_a_text_is_true_at_every_stage() {
        let (awaited, m, account) = (Awaited::default(), MessageKey(1), AccountName::new("a"));
        let text = &Piece::Text;
        let stand = || format!("{:?}", awaited.body(m));
        assert_eq!(stand(), "NotHere { why: Unasked }");
        assert!(awaited.ask(m, text, &account, false) && !awaited.ask(m, text, &account, false));
        assert_eq!(stand(), "Coming { done: 0, total: 0 }");
        let fault = Fault::new(Kind::Unreachable, "x");
        assert_eq!(awaited.line(&account, &Connectivity::Waiting { until: 0, fault: fault.clone() }), [m].into());
        assert!(awaited.line(&account, &Connectivity::Off).is_empty(), "still down");
        assert_eq!(stand(), "NotHere { why: NoLine }");
        assert_eq!(awaited.line(&account, &Connectivity::Connecting), [m].into());
        assert!(!awaited.coming(m, text, 5, 10), "short ones are not told of");
        assert_eq!(stand(), "Coming { done: 5, total: 10 }");
        awaited.again(m, text);
        assert_eq!(stand(), "Coming { done: 0, total: 0 }");
        assert!(awaited.failed(m, text, None, fault));
        assert!(stand().starts_with("Failed"));
        assert!(awaited.ask(m, text, &account, false), "asked for again it is tried again");
        awaited.here(m, text);
        assert_eq!(stand(), "NotHere { why: Unasked }", "lost again later, it is asked for again");
        assert!(!awaited.coming(MessageKey(2), text, 1, 2), "ahead of need");
        assert!(!awaited.failed(MessageKey(2), text, None, Fault::missing("y")));
        assert_eq!(format!("{:?}", awaited.body(MessageKey(2))), "NotHere { why: Unasked }");
    }

    #[test]
    fn files_are_waited_for_each_by_itself_and_their_end_is_heard() {
        let (awaited, m, account) = (Awaited::default(), MessageKey(1), AccountName::new("a"));
        let (tell, heard) = std::sync::mpsc::channel();
        let tell = Mutex::new(tell);
        awaited.tell(move |m, piece, _, how| tell.lock().unwrap().send((m, piece, how.is_ok())).unwrap());
        let part = |text: &str| Piece::Part(PartPath::parse(text).unwrap());
        awaited.ask(m, &part("2"), &account, false);
        awaited.ask(m, &part("3"), &account, false);
        awaited.ask(m, &Piece::Text, &account, false);
        let _ = awaited.coming(m, &part("2"), 10, 20);
        let states = awaited.pieces(m);
        assert_eq!(states.len(), 2);
        assert_eq!(states[0], (part("2"), PieceState::Coming { done: 10, total: 20 }));
        awaited.here(m, &part("2"));
        awaited.failed(m, &part("3"), None, Fault::missing("gone"));
        awaited.here(m, &part("9"));
        assert_eq!(heard.try_iter().collect::<Vec<_>>(), [(m, part("2"), true), (m, part("3"), false)]);
        assert!(matches!(awaited.pieces(m).as_slice(), [(_, PieceState::Failed(_))]));
    }

    #[test]
    fn what_ends_one_asking_does_not_end_a_later_one() {
        let (awaited, m, account) = (Awaited::default(), MessageKey(1), AccountName::new("a"));
        let (tell, heard) = std::sync::mpsc::channel();
        let tell = Mutex::new(tell);
        awaited.tell(move |_, _, asking, how| tell.lock().unwrap().send((asking, how.is_ok())).unwrap());
        let whole = &Piece::Whole;
        awaited.ask(m, whole, &account, false);
        let first = awaited.asking(m, whole);
        assert!(!awaited.ask(m, whole, &account, false), "both wait for the same");
        assert_eq!(awaited.asking(m, whole), first);
        // It is being stopped when somebody asks anew: the end of the first is not that of the second.
        assert!(awaited.ask(m, whole, &account, true));
        let second = awaited.asking(m, whole);
        assert!(second > first);
        awaited.failed(m, whole, first, Fault::new(Kind::Cancelled, "stopped"));
        assert!(!awaited.is_stopped(m, whole) && matches!(awaited.pieces(m).as_slice(), [(_, PieceState::Coming { .. })]));
        awaited.failed(m, whole, second, Fault::missing("gone"));
        assert!(matches!(awaited.pieces(m).as_slice(), [(_, PieceState::Failed(_))]));
        let ends = [(first.unwrap(), false), (second.unwrap(), false)];
        assert_eq!(heard.try_iter().collect::<Vec<_>>(), ends);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (awaited, account) = (Awaited::default(), AccountName::new("a"));
        for n in 0..1_000 {
            awaited.ask(MessageKey(n), &Piece::Text, &account, false);
        }
        assert_eq!(awaited.lock().waits.len(), MAX);
        assert!(matches!(awaited.body(MessageKey(999)), Body::Coming { .. }));
    }
}
