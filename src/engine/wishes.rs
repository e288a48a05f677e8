//! wishes — what the threads of an account are to do: where wishes and news lie until one of them takes them.
//! Owns: `Desk`, `Wishes`, what each watcher has to look at. May import: config, base.
//! Start reading at: `Desk::put`. Wishes are a set, so that nothing queues twice; whoever puts something rings whom it
//! concerns, and nobody here ever waits.

use super::account::Nudge;
use super::far::Far;
use super::wished::Wished;
use crate::base::cancel::Cancel;
use crate::base::waker::Waker;
use crate::mail::ids::MailboxId;
use crate::mail::mailbox::MailboxPath;
use crate::mail::server::MailboxStatus;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The most errands for what is not cached that wait at the same time; older ones are forgotten first: passes fetch it, too.
const MAX_FAR: usize = 256;
/// A server that allows no second connection is asked for one again after so long.
const FOLDED: Duration = Duration::from_secs(900);

/// What was wished for since the last look.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    /// Push the journal.
    pub intents: bool,
    /// Visit these at once, the newest wish first.
    pub visit: VecDeque<MailboxId>,
    /// The server told that these changed, with their counts if it said them.
    pub news: BTreeMap<MailboxPath, Option<MailboxStatus>>,
    /// The list of mailboxes changed ...
    pub stale: bool,
    /// ... and these were told to be in it.
    pub named: BTreeSet<MailboxPath>,
    /// There are news that a long round should not keep waiting.
    pub hurry: bool,
    /// List and visit all.
    pub all: bool,
    /// Forget pauses and faults.
    pub retry: bool,
}

/// What a watcher has to look at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Post {
    /// Every mailbox, where the server tells of them all; else the inbox.
    First,
    /// One mailbox.
    Mailbox(MailboxPath),
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) wishes: Wishes,
    /// What somebody waits for of messages.
    pub(super) bodies: Wished,
    /// What is not cached, for `work` between two passes.
    far: VecDeque<Far>,
    open: Option<MailboxId>,
    offline: bool,
    era: u64,
    /// How often `work` has logged in.
    logins: u64,
    /// Whether watchers may connect: after the first login of `work`, so that a wrong password is tried once.
    admitted: bool,
    /// The server allows no second connection before then.
    folded: Option<Instant>,
    /// Whether the first watcher has a connection, and so takes bodies.
    pub(super) watching: bool,
    /// Whether a connection tells of every mailbox.
    notified: bool,
    /// Where `work` itself waits for news.
    here: Option<MailboxPath>,
    /// What `work` reads now.
    visiting: Option<(MailboxId, MailboxPath)>,
    /// What the further watchers are for, in order.
    posts: Vec<MailboxPath>,
}

impl State {
    fn may_watch(&self) -> bool {
        self.admitted && !self.offline && self.folded.is_none_or(|end| Instant::now() >= end)
    }
}

/// Where wishes lie until a thread of the account takes them.
pub(super) struct Desk {
    state: Mutex<State>,
    /// Wakes `work`.
    pub work: Waker,
    /// Wakes the watchers, one each.
    pub watch: Vec<Waker>,
    /// Ends all.
    pub cancel: Cancel,
    /// Cuts the lines that stand.
    lines: Mutex<Cancel>,
}

impl Desk {
    /// An empty one, for so many watchers.
    ///
    /// # Errors
    /// No file descriptors left.
    pub fn new(offline: bool, watchers: usize) -> io::Result<Self> {
        let watch = (0..watchers).map(|_| Waker::new()).collect::<io::Result<Vec<_>>>()?;
        let state = Mutex::new(State { offline, ..State::default() });
        let cancel = Cancel::new()?;
        let lines = Mutex::new(cancel.branch()?);
        Ok(Self { state, work: Waker::new()?, watch, cancel, lines })
    }

    /// The switch of a new line.
    ///
    /// # Errors
    /// No file descriptors left.
    pub fn line(&self) -> io::Result<Cancel> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).branch()
    }

    /// Whoever reads or writes on a line now ends at once: it may be dead without knowing.
    fn cut(&self) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let old = match self.cancel.branch() {
            Ok(new) => std::mem::replace(&mut *lines, new),
            // Without a new switch the old one stays: then a dead line is found by its time limit.
            Err(_) => return,
        };
        drop(lines);
        old.ring();
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here can be half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ring_watchers(&self) {
        self.watch.iter().for_each(Waker::ring);
    }

    /// Whether somebody wants it tried again now; not any more after this.
    pub fn take_retry(&self) -> bool {
        std::mem::take(&mut self.lock().wishes.retry)
    }

    /// Takes all wishes but bodies.
    pub fn take(&self) -> Wishes {
        std::mem::take(&mut self.lock().wishes)
    }

    /// Whether somebody waits for a round to make room; one that goes on for `long` makes room also for what it would bring.
    pub fn is_urgent(&self, long: bool) -> bool {
        let state = self.lock();
        let wishes = &state.wishes;
        wishes.intents
            || !wishes.visit.is_empty()
            || wishes.hurry
            || state.far.iter().any(|far| long || !far.comes_anyway())
            || (state.bodies.is_open() && !state.watching)
    }

    /// Something that is not cached is wanted. Never blocks.
    pub fn far(&self, far: Far) {
        let mut state = self.lock();
        if far.comes_anyway() {
            // The person reads one message at a time.
            state.far.retain(|other| !other.comes_anyway());
        }
        state.far.push_back(far);
        if state.far.len() > MAX_FAR {
            state.far.pop_front();
        }
        drop(state);
        self.work.ring();
    }

    /// What of it is to be done next; if a pass follows that is not `long`, not what this will bring.
    pub fn take_far(&self, long: bool) -> Option<Far> {
        let far = &mut self.lock().far;
        let next = far.iter().position(|far| long || !far.comes_anyway())?;
        far.remove(next)
    }

    /// The mailbox that the person looks at.
    pub fn open(&self) -> Option<MailboxId> {
        self.lock().open
    }

    /// There is no such mailbox any more.
    pub fn left(&self, mailbox: MailboxId) {
        let mut state = self.lock();
        if state.open == Some(mailbox) {
            state.open = None;
        }
    }

    /// Whether no connection is to be opened.
    pub fn is_offline(&self) -> bool {
        self.lock().offline
    }

    /// Changes when connections may be dead without knowing.
    pub fn era(&self) -> u64 {
        self.lock().era
    }

    /// Lets watchers connect, or sends them away.
    pub fn admit(&self, yes: bool) {
        let mut state = self.lock();
        let changed = std::mem::replace(&mut state.admitted, yes) != yes;
        state.logins += u64::from(yes);
        drop(state);
        if changed || yes {
            self.ring_watchers();
        }
    }

    /// Changes when watchers may try again at once.
    pub fn session(&self) -> (u64, u64) {
        let state = self.lock();
        (state.era, state.logins)
    }

    /// The server allows one connection: the watchers go, and `work` does all by itself. Whether one of them was there.
    pub fn fold(&self) -> bool {
        let mut state = self.lock();
        state.folded = Some(Instant::now() + FOLDED);
        let there = state.watching;
        drop(state);
        self.ring_watchers();
        there
    }

    /// Until when there is one connection only, if so.
    pub fn folded(&self) -> Option<Instant> {
        self.lock().folded.filter(|end| Instant::now() < *end)
    }

    /// What watcher `number` has to look at now; nothing if it is not wanted.
    pub fn post(&self, number: usize) -> Option<Post> {
        let state = self.lock();
        match number.checked_sub(1) {
            _ if !state.may_watch() => None,
            None => Some(Post::First),
            Some(_) if state.notified => None,
            Some(n) => state.posts.get(n).cloned().map(Post::Mailbox),
        }
    }

    /// What the further watchers are for.
    pub fn posts(&self, posts: Vec<MailboxPath>) {
        let mut state = self.lock();
        if state.posts != posts {
            state.posts = posts;
            drop(state);
            self.ring_watchers();
        }
    }

    /// Whether `work` has to wait for all news by itself.
    pub fn is_alone(&self) -> bool {
        let state = self.lock();
        self.watch.is_empty() || (!state.may_watch() && !state.watching)
    }

    /// The first watcher has (or has no more) a connection. What lies here for it goes to `work` then.
    pub fn watching(&self, yes: bool) {
        let mut state = self.lock();
        state.watching = yes;
        if !yes && state.bodies.is_open() {
            drop(state);
            self.work.ring();
        }
    }

    /// A connection tells of every mailbox from now on, or no more.
    pub fn notified(&self, yes: bool) {
        let changed = std::mem::replace(&mut self.lock().notified, yes) != yes;
        if changed {
            self.ring_watchers();
            // How often it asks by itself depends on it.
            self.work.ring();
        }
    }

    /// Whether every mailbox is told of.
    pub fn is_notified(&self) -> bool {
        self.lock().notified
    }

    /// Where `work` waits for news by itself, if it does.
    pub fn here(&self, place: Option<&MailboxPath>) {
        self.lock().here = place.cloned();
    }

    /// What `work` reads now, if it does.
    pub fn visiting(&self, place: Option<(MailboxId, &MailboxPath)>) {
        self.lock().visiting = place.map(|(id, path)| (id, path.clone()));
    }

    /// The server told of a mailbox: it changed, and stands so now, if that was said.
    pub fn news(&self, path: MailboxPath, status: Option<MailboxStatus>) {
        let mut state = self.lock();
        if state.here.as_ref() == Some(&path) {
            // It sees the same news by itself.
            return;
        }
        state.wishes.hurry |= path.is_inbox() && state.visiting.as_ref().is_none_or(|(_, at)| *at != path);
        state.wishes.news.insert(path, status);
        drop(state);
        self.work.ring();
    }

    /// The list of mailboxes is another one now, and this mailbox is in it.
    pub fn named(&self, path: Option<MailboxPath>) {
        let mut state = self.lock();
        state.wishes.stale = true;
        state.wishes.named.extend(path);
        drop(state);
        self.work.ring();
    }

    /// Rings whoever has a connection to spare for what somebody waits for.
    pub(super) fn ring_fetcher(&self) {
        let watching = self.lock().watching;
        match self.watch.first() {
            Some(first) if watching => first.ring(),
            _ => self.work.ring(),
        }
    }

    /// Takes a nudge.
    pub fn put(&self, nudge: Nudge) {
        let mut state = self.lock();
        let mut all = false;
        match nudge {
            Nudge::Intents => state.wishes.intents = true,
            Nudge::Opened(mailbox) => {
                state.open = Some(mailbox);
                // What is read just now need not make room for itself.
                if state.visiting.as_ref().is_none_or(|(at, _)| *at != mailbox) {
                    want(&mut state.wishes.visit, mailbox);
                }
            }
            Nudge::Refresh(Some(mailbox)) => {
                want(&mut state.wishes.visit, mailbox);
                state.wishes.retry = true;
            }
            Nudge::Refresh(None) => {
                state.wishes.all = true;
                state.wishes.retry = true;
            }
            Nudge::Fetch(wish) => {
                state.bodies.put(wish);
                drop(state);
                self.ring_fetcher();
                return;
            }
            Nudge::Password(_) => state.wishes.retry = true,
            // Whoever waits for news says something: on a line that is dead by now it finds out within a minute.
            Nudge::Retry => (state.wishes.retry, all) = (true, true),
            Nudge::Online(yes) => {
                state.offline = !yes;
                (state.wishes.retry, all) = (true, true);
            }
            Nudge::Woke => {
                state.era += 1;
                (state.wishes.retry, all) = (true, true);
                drop(state);
                self.cut();
                state = self.lock();
            }
        }
        drop(state);
        if all {
            self.ring_watchers();
        }
        self.work.ring();
    }
}

/// A random number, for pauses.
pub(super) fn jitter() -> u64 {
    let mut bytes = [0; 8];
    // Without randomness all pauses are the same: still pauses.
    let _ = getrandom::fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

pub(super) fn want(visit: &mut VecDeque<MailboxId>, mailbox: MailboxId) {
    visit.retain(|m| *m != mailbox);
    visit.push_front(mailbox);
}

#[cfg(test)]
#[path = "wishes_tests.rs"]
mod tests;
