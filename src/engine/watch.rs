//! watch — an account's further connections: they wait for news, and the first gets bodies while a round runs.
//! Owns: `run`, what follows from news (`hear`). May import: net, engine.
//! Start reading at: `Watch::serve`. The first has every mailbox where the server tells of them all (NOTIFY), else the inbox;
//! the others have what the person wants watched, one each. Where none can be had (some servers allow one connection), `work`
//! does all by itself.

use super::connect;
use super::fault::{Kind, Retry};
use super::fetch::Fetcher;
use super::round::Halt;
use super::shared::Shared;
use super::standing;
use super::wishes::{Desk, Post, jitter};
use crate::base::backoff::Backoff;
use crate::base::cancel::Cancel;
use crate::base::log;
use crate::base::park::park;
use crate::base::spawn::guarded;
use crate::base::waker::Waker;
use crate::config::AccountConfig;
use crate::mail::mailbox::MailboxPath;
use crate::mail::server::MailboxNews;
use crate::net::session::MailStore;
use crate::store::{StoreErrorKind, mailboxes, tree};
use std::time::{Duration, Instant};

/// After a refusal that is not a broken line: the server may allow no such connection.
const REFUSED: Duration = Duration::from_secs(900);

/// The thread of watcher `number`: until the account is stopped.
pub(super) fn run(config: &AccountConfig, shared: &Shared, desk: &Desk, number: usize) {
    let Some(bell) = desk.watch.get(number) else { return };
    let mut backoff = Backoff::default();
    // No try before then, unless `work` has logged in anew: what stood in the way may be gone.
    let (mut pause, mut session) = (None, desk.session());
    while !desk.cancel.is_set() {
        let post = desk.post(number);
        if desk.session() != session {
            (pause, session) = (None, desk.session());
        }
        let post = match (post, pause) {
            (None, _) => Err(desk.folded()),
            (Some(_), Some(end)) if Instant::now() < end => Err(Some(end)),
            (Some(post), _) => Ok(post),
        };
        let post = match post {
            Ok(post) => post,
            Err(until) => {
                sleep(bell, desk, until);
                continue;
            }
        };
        let born = Instant::now();
        let span = match life(config, shared, desk, (number, bell, post)) {
            Life::Left => continue,
            Life::Refused => {
                if number == 0 && desk.folded().is_none() {
                    log::info("account", format_args!("{}: one connection only", config.name));
                    desk.fold();
                }
                REFUSED
            }
            Life::Broke => {
                backoff.was_healthy(born.elapsed());
                backoff.next(jitter())
            }
        };
        pause = Some(Instant::now() + span);
    }
}

/// Sleeps until `until`, or until somebody rings.
fn sleep(bell: &Waker, desk: &Desk, until: Option<Instant>) {
    park(bell, &desk.cancel, until);
    let _ = bell.take();
}

/// How a connection ended.
enum Life {
    /// It is not wanted any more.
    Left,
    /// The server would not have it.
    Refused,
    /// The line broke.
    Broke,
}

fn life(config: &AccountConfig, shared: &Shared, desk: &Desk, (number, bell, post): (usize, &Waker, Post)) -> Life {
    let Ok(line) = desk.line() else { return Life::Broke };
    let mut conn = match connect::open(shared, config, bell, &line) {
        Ok(conn) => conn,
        // The first connection shows what is wrong; this one only is not there.
        Err(fault) if matches!(fault.retry, Retry::NeedsUser | Retry::Never) || fault.kind == Kind::Busy => return Life::Refused,
        Err(_) => return Life::Broke,
    };
    if !conn.caps().idle {
        conn.logout();
        return Life::Refused;
    }
    // A panic in the crates below is a broken line; the first connection goes on.
    let ended = guarded(|| {
        let fetcher = Fetcher::new(shared, &config.name)?;
        let mut watch = Watch { config, shared, desk, line: &line, number, bell, post, fetcher, place: None, all: false };
        if number == 0 {
            desk.watching(true);
        }
        watch.serve(conn.as_mut())
    });
    if number == 0 {
        desk.watching(false);
        desk.notified(false);
    }
    if matches!(ended, Ok(Ok(()))) {
        conn.logout();
        return Life::Left;
    }
    if line.is_set() {
        // Something was stopped that did not stop by itself: everything else goes on, on a new line.
        return Life::Left;
    }
    Life::Broke
}

/// One life of a connection.
struct Watch<'a> {
    config: &'a AccountConfig,
    shared: &'a Shared,
    desk: &'a Desk,
    /// Ends all waiting for this connection.
    line: &'a Cancel,
    number: usize,
    bell: &'a Waker,
    post: Post,
    fetcher: Fetcher<'a>,
    /// What is selected.
    place: Option<MailboxPath>,
    /// Whether the server tells of all mailboxes.
    all: bool,
}

impl Watch<'_> {
    /// Until the connection breaks, or is not wanted any more.
    fn serve(&mut self, conn: &mut dyn MailStore) -> Result<(), Halt> {
        let era = self.desk.era();
        if self.post == Post::First && conn.caps().notify {
            self.all = subscribe(conn)?;
            self.desk.notified(self.all);
        }
        loop {
            let _ = self.bell.take();
            if self.desk.post(self.number).as_ref() != Some(&self.post) || self.desk.era() != era {
                return Ok(());
            }
            self.told(conn)?;
            if self.number == 0 && self.desk.has_wish(false) {
                self.place = None;
                self.desk.get(&mut self.fetcher, conn, self.line, &|| false)?;
                continue;
            }
            self.settle(conn)?;
            // Whatever ends it, it is looked at above.
            let _ = conn.idle(self.shared.pace.idle)?;
        }
    }

    /// What came in goes to `work`, which looks what it is.
    fn told(&mut self, conn: &mut dyn MailStore) -> Result<(), Halt> {
        if !hear(self.desk, conn) {
            // It stopped telling: once more, and from now on.
            self.all = subscribe(conn)?;
            self.desk.notified(self.all);
        }
        if conn.changed()
            && let Some(place) = &self.place
        {
            self.desk.news(place.clone(), None);
        }
        Ok(())
    }

    /// What came into a mailbox just when it was left was told to nobody: see `Work::left_behind`.
    fn left_behind(&mut self, conn: &mut dyn MailStore) -> Result<(), Halt> {
        for id in self.fetcher.left() {
            let path = match self.shared.store.read(|db| tree::at_server(db, id)) {
                Ok(path) => path,
                Err(e) if e.kind == StoreErrorKind::Missing => continue,
                Err(e) => return Err(e.into()),
            };
            match conn.status(&path) {
                Ok(status) => self.desk.news(path, Some(status)),
                Err(e) if e.connection_lives() => {}
                Err(e) => return Err(e.into()),
            }
        }
        Ok(())
    }

    /// Selects what is to be watched, if it is not.
    fn settle(&mut self, conn: &mut dyn MailStore) -> Result<(), Halt> {
        if self.all && self.place.is_none() {
            let selected = self.fetcher.forget();
            if selected && conn.caps().unselect {
                conn.unselect()?;
                self.left_behind(conn)?;
            }
            if !selected || conn.caps().unselect {
                // Nothing selected: then the server tells of each mailbox alike.
                return Ok(());
            }
        }
        let place = match &self.post {
            Post::First => MailboxPath::inbox(),
            Post::Mailbox(path) => path.clone(),
        };
        if self.place.as_ref() == Some(&place) {
            return Ok(());
        }
        self.fetcher.forget();
        let selected = conn.select(&place, true, None).inspect_err(|e| {
            if e.connection_lives() {
                // It is gone; the next list tells.
                self.desk.named(None);
            }
        })?;
        self.place = Some(place.clone());
        // What came before it was selected was told to nobody.
        let known = self.shared.store.read(|db| mailboxes::find(db, &self.config.name, &place))?;
        let same = known.map(|id| standing::is_as_selected(self.shared, id, &selected)).transpose()?;
        if same != Some(true) {
            self.desk.news(place, None);
        }
        Ok(())
    }
}

/// Wants news of every mailbox; whether the server agrees.
pub(super) fn subscribe(conn: &mut dyn MailStore) -> Result<bool, Halt> {
    match conn.notify() {
        Ok(()) => Ok(true),
        Err(e) if e.connection_lives() => Ok(false),
        Err(e) => Err(e.into()),
    }
}

/// Takes what the server told of mailboxes to the desk. False if it tells no more.
pub(super) fn hear(desk: &Desk, conn: &mut dyn MailStore) -> bool {
    let mut goes_on = true;
    for news in conn.news() {
        match news {
            MailboxNews::Changed(path, status) => desk.news(path, status),
            MailboxNews::Listed(now) | MailboxNews::Renamed { to: now, .. } => desk.named(now.selectable.then_some(now.path)),
            MailboxNews::Gone(_) => desk.named(None),
            MailboxNews::Lost => {
                desk.named(None);
                goes_on = false;
            }
        }
    }
    goes_on
}
