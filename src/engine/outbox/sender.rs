//! sender — the thread that looks when which mail is due, and lets one thread for each account send.
//! Owns: `Sender`. May import: store, base, engine.
//! Start reading at: `Sender::start`. It sleeps until something is due or somebody rings; an account whose server hangs
//! keeps no other account waiting.

use super::file;
use super::post;
use super::state::{self, Event};
use crate::base::cancel::Cancel;
use crate::base::crash;
use crate::base::park::park;
use crate::base::spawn::{Worker, guarded, spawn};
use crate::base::waker::Waker;
use crate::engine::api::Fault;
use crate::engine::crew::Post;
use crate::engine::shared::Shared;
use crate::mail::ids::AccountName;
use crate::mail::outgoing::{OutboxState, Outgoing};
use crate::store::{self, outbox};
use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long the end of the threads is waited for.
const PATIENCE: Duration = Duration::from_secs(2);
/// After our own files failed.
const PAUSE: Duration = Duration::from_secs(30);

/// What the threads share.
pub(super) struct Inner {
    pub shared: Arc<Shared>,
    pub cancel: Cancel,
    bell: Waker,
    /// Accounts that a thread sends for now, beside others.
    running: Mutex<BTreeSet<AccountName>>,
    offline: AtomicBool,
    /// Tells an account that its journal has something new.
    filed: Box<dyn Fn(&AccountName) + Send + Sync>,
}

impl Inner {
    fn new(shared: Arc<Shared>, cancel: Cancel, filed: impl Fn(&AccountName) + Send + Sync + 'static) -> io::Result<Self> {
        Ok(Self {
            offline: AtomicBool::new(shared.offline),
            shared,
            cancel,
            bell: Waker::new()?,
            running: Mutex::default(),
            filed: Box::new(filed),
        })
    }

    /// Records what happened to a mail; nothing if it was changed by somebody else meanwhile.
    pub fn happened(&self, mail: &Outgoing, event: Event) -> Result<Option<Outgoing>, Fault> {
        let now = self.shared.now();
        let id = mail.id;
        Ok(self.shared.store.state(move |tx| apply(tx, id, event, now))?)
    }
}

/// Records what happened to a mail, in a transaction.
pub(super) fn apply(
    tx: &mut store::Tx<'_, store::State>,
    id: crate::mail::ids::OutboxId,
    event: Event,
    now: i64,
) -> store::Result<Option<Outgoing>> {
    outbox::update(tx, id, |mail| match state::step(mail, event, now) {
        Some(change) => {
            (mail.state, mail.attempts, mail.due, mail.fault) = (change.state, change.attempts, change.due, change.fault);
            true
        }
        None => false,
    })
}

/// Sends what is in the outbox. Dropping it stops it within two seconds: a mail whose final dot is out is of unknown
/// outcome then, all others are simply not sent yet.
pub struct Sender {
    inner: Arc<Inner>,
    worker: Option<Worker>,
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sender")
    }
}

impl Sender {
    /// Starts it. `filed` is called for an account whose journal got a copy to be put into Sent.
    ///
    /// # Errors
    /// No threads or file descriptors left.
    pub fn start(shared: Arc<Shared>, filed: impl Fn(&AccountName) + Send + Sync + 'static) -> io::Result<Self> {
        let inner = Arc::new(Inner::new(shared, Cancel::new()?, filed)?);
        let mine = Arc::clone(&inner);
        let worker = spawn("outbox", move || run(&mine))?;
        Ok(Self { inner, worker: Some(worker) })
    }

    /// The outbox changed, or what stood in the way may be gone. Never blocks.
    pub fn nudge(&self) {
        self.inner.bell.ring();
    }

    /// For threads that know that it has to look again.
    #[must_use]
    pub fn bell(&self) -> Waker {
        self.inner.bell.clone()
    }

    /// Whether mails may leave.
    pub fn online(&self, yes: bool) {
        self.inner.offline.store(!yes, Ordering::SeqCst);
        self.nudge();
    }
}

impl Post for Sender {
    fn outgoing(&self) {
        self.nudge();
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.inner.cancel.ring();
        let end = Instant::now() + PATIENCE;
        if let Some(worker) = self.worker.take() {
            let _ = worker.join(PATIENCE);
        }
        // A thread in the middle of a mail ends as soon as it sees the switch.
        while !lock(&self.inner.running).is_empty() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Sends what is due for one account now, on this thread, and files it: for a verb.
///
/// # Errors
/// Our own files. What the server says stands with each mail.
pub fn flush(shared: &Arc<Shared>, account: &AccountName, cancel: &Cancel) -> Result<(), Fault> {
    let inner = Inner::new(Arc::clone(shared), cancel.clone(), |_| ()).map_err(|e| Fault::bug(&e.to_string()))?;
    post::all(&inner, account)?;
    for mail in shared.store.read_state(outbox::list)? {
        if mail.state == OutboxState::Accepted && mail.mail.account == *account {
            // A verb does not wait: it looks at once.
            file::file(shared, &mail, Duration::ZERO)?;
        }
    }
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn run(inner: &Arc<Inner>) {
    let mut era = inner.shared.typed.era();
    while !inner.cancel.is_set() {
        let _ = inner.bell.take();
        let now = inner.shared.typed.era();
        let until = match round(inner, now != era) {
            Ok(due) => due.map(|at| Instant::now() + Duration::from_secs(at.saturating_sub(inner.shared.now()).unsigned_abs())),
            Err(fault) => {
                inner.shared.fault(fault);
                Some(Instant::now() + PAUSE)
            }
        };
        era = now;
        park(&inner.bell, &inner.cancel, until);
    }
}

/// Files what was accepted, and begins with what is due. When something is due next, seconds since 1970.
fn round(inner: &Arc<Inner>, password: bool) -> Result<Option<i64>, Fault> {
    let shared = &inner.shared;
    let mut mails = shared.store.read_state(outbox::list)?;
    if password {
        // A login may work now.
        for mail in mails.iter_mut().filter(|m| m.state == OutboxState::NeedsUser && shared.typed.get(&m.mail.account).is_some())
        {
            if let Some(now) = inner.happened(mail, Event::Retry)? {
                *mail = now;
            }
        }
    }
    for mail in mails.iter().filter(|m| m.state == OutboxState::Accepted) {
        file::file(shared, mail, shared.pace.filing)?.iter().for_each(|account| (inner.filed)(account));
    }
    let now = shared.now();
    let mut next: Option<i64> = None;
    let mut ready = BTreeSet::new();
    for mail in &mails {
        match state::due(mail, now) {
            Some(at) if at <= now => {
                ready.insert(mail.mail.account.clone());
            }
            Some(at) => next = Some(next.map_or(at, |n: i64| n.min(at))),
            None => {}
        }
    }
    for account in ready {
        let local = shared.account(&account).is_some_and(|a| a.smtp == crate::config::Submission::Local);
        if (inner.offline.load(Ordering::SeqCst) && !local) || !lock(&inner.running).insert(account.clone()) {
            continue;
        }
        let (mine, name) = (Arc::clone(inner), account.clone());
        let started = spawn(&format!("send/{}", account.as_str()), move || {
            let ended = guarded(|| {
                crash::place("post");
                post::all(&mine, &name)
            })
            .unwrap_or_else(|panic| Err(Fault::bug(&panic)));
            if let Err(fault) = ended {
                mine.shared.fault(fault.of(&name));
            }
            lock(&mine.running).remove(&name);
            // What became due meanwhile, and what is to be filed.
            mine.bell.ring();
        });
        if started.is_err() {
            lock(&inner.running).remove(&account);
            next = Some(now + 30);
        }
    }
    Ok(next)
}
