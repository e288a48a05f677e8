//! watch — an account's second connection: waits for news of the inbox, and gets bodies while a round runs.
//! Owns: `run`. May import: net, engine.
//! Start reading at: `serve`. If it cannot be had (some servers allow one connection), `work` does all by itself.

use super::account::{Desk, jitter};
use super::connect;
use super::fault::Retry;
use super::fetch::Fetcher;
use super::round::Halt;
use super::shared::Shared;
use crate::base::backoff::Backoff;
use crate::base::park::park;
use crate::base::spawn::guarded;
use crate::config::AccountConfig;
use crate::mail::mailbox::MailboxPath;
use crate::net::session::{Idle, MailStore};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// After a refusal that is not a broken line: the server may allow one connection only.
const REFUSED: Duration = Duration::from_secs(900);

/// The thread: until the account is stopped.
pub(super) fn run(config: &AccountConfig, shared: &Shared, desk: &Desk) {
    let mut backoff = Backoff::default();
    while !desk.cancel.is_set() {
        if desk.is_offline() || !desk.admitted.load(Ordering::SeqCst) {
            sleep(desk, None);
            continue;
        }
        let born = Instant::now();
        let pause = match connect::open(shared, config, &desk.watch, &desk.cancel) {
            // The first connection shows what is wrong; this one only is not there.
            Err(fault) if matches!(fault.retry, Retry::NeedsUser | Retry::Never) => REFUSED,
            Err(_) => backoff.next(jitter()),
            Ok(conn) if !conn.caps().idle => REFUSED,
            Ok(mut conn) => {
                desk.watching(true);
                // A panic in the crates below is a broken line; the first connection goes on.
                let ended = guarded(|| serve(conn.as_mut(), shared, desk));
                desk.watching(false);
                if matches!(ended, Ok(Ok(()))) {
                    conn.logout();
                    continue;
                }
                backoff.was_healthy(born.elapsed());
                backoff.next(jitter())
            }
        };
        sleep(desk, Some(Instant::now() + pause));
    }
}

/// Sleeps until `until`, or until somebody rings.
fn sleep(desk: &Desk, until: Option<Instant>) {
    park(&desk.watch, &desk.cancel, until);
    let _ = desk.watch.take();
}

/// Until the connection breaks, or is not wanted any more.
fn serve(conn: &mut dyn MailStore, shared: &Shared, desk: &Desk) -> Result<(), Halt> {
    let era = desk.era();
    let mut fetcher = Fetcher::new(shared)?;
    let mut selected = false;
    loop {
        let _ = desk.watch.take();
        if desk.is_offline() || !desk.admitted.load(Ordering::SeqCst) || desk.era() != era {
            return Ok(());
        }
        if let Some(key) = desk.body() {
            selected = false;
            let got = fetcher.body(conn, key).inspect_err(|_| desk.again(key))?;
            desk.fetched(&got);
            continue;
        }
        if !selected {
            fetcher.forget();
            conn.select(&MailboxPath::inbox(), true, None)?;
            selected = true;
        }
        match conn.idle(shared.pace.idle)? {
            Idle::Changed => {
                // Only that something is new counts; `work` looks what it is.
                let _ = conn.changed();
                desk.inbox();
            }
            Idle::Woken | Idle::TimedOut => {}
        }
    }
}
