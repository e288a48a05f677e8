//! rest — what an account's connection does when no mailbox has to be visited: texts ahead of need, then waiting for news.
//! Owns: `Work::rest` and what leads to it. May import: net, store, engine.
//! Start reading at: `Work::rest`. At rest the only thing that passes is time towards the next poll.

use super::api::{Connectivity, Task, Unit};
use super::bulk::Rules;
use super::far::Errand;
use super::round::Halt;
use super::setup::Errand as Why;
use super::standing;
use super::watch;
use super::work::Work;
use crate::base::park::park;
use crate::mail::ids::MailboxId;
use crate::mail::mailbox::MailboxPath;
use crate::net::session::{Idle, MailStore};
use std::time::{Duration, Instant};

/// Bodies that are got ahead of need in one go.
pub(super) const BATCH: u32 = 400;
/// About as many as a screen shows: so many of what the person looks at come before other mailboxes are visited.
const SCREEN: u32 = 64;
/// A server whose counts never fit is believed after so many visits in a row.
const UNSETTLED: u32 = 3;
/// The shortest rest: a clock that was set must not make a loop of it.
const LEAST: Duration = Duration::from_millis(50);

impl Work<'_> {
    /// Gets the bodies that somebody waits for, unless the watch does.
    pub fn bodies(&mut self, conn: &mut dyn MailStore) -> Result<(), Halt> {
        while self.desk.has_wish(true) && !self.desk.cancel.is_set() && !self.desk.is_offline() {
            let here = self.hand_over()?;
            let urgent = || self.desk.has_intents();
            self.desk.get(&mut self.fetcher, conn, self.visitor.line, &urgent)?;
            self.take_back(here);
            if urgent() {
                break;
            }
        }
        Ok(())
    }

    /// What a connection is for: all of the account, or only what is asked for.
    ///
    /// # Errors
    /// What ended the connection, or the store.
    pub fn begin(&mut self, conn: &mut dyn MailStore) -> Result<(), Halt> {
        if self.visitor.shared.errand.is_none() {
            return self.serve(conn);
        }
        let era = self.desk.era();
        self.tell(Connectivity::Live { since: self.visitor.shared.now() });
        while !(self.desk.is_offline() || self.desk.era() != era || self.desk.cancel.is_set()) {
            let _ = self.desk.work.take();
            // What nobody waits for, the journal among it, waits for somebody who stays.
            let _ = self.desk.take();
            self.bodies(conn)?;
            if self.visitor.shared.errand == Some(Why::Tell) {
                self.deliver(conn)?;
            }
            if !self.desk.has_wish(true) {
                let (quiet, now) = (self.visitor.shared.pace.quiet, self.visitor.shared.now());
                let due = self.due.map_or(quiet, |at| Duration::from_secs(at.saturating_sub(now).unsigned_abs()));
                park(&self.desk.work, &self.desk.cancel, Some(Instant::now() + quiet.min(due)));
            }
        }
        Ok(())
    }

    /// Tells the server what is wished. All mailboxes are listed only where that is needed to do so.
    fn deliver(&mut self, conn: &mut dyn MailStore) -> Result<(), Halt> {
        self.push(conn)?;
        let now = self.visitor.shared.now();
        let left = self.visitor.pending()?.iter().any(|op| op.not_before <= now);
        if (std::mem::take(&mut self.stale) && left) || self.visitor.waits_for_list()? {
            self.visitor.list(conn)?;
            self.push(conn)?;
        }
        Ok(())
    }

    /// Gets what is not cached and somebody waits for, between two passes.
    pub fn reach(&mut self, conn: &mut dyn MailStore) -> Result<(), Halt> {
        let long = self.todo.is_empty() || self.visitor.memory.long;
        while let Some(far) = self.desk.take_far(long) {
            self.here = None;
            self.fetcher.forget();
            let (shared, config, line) = (self.visitor.shared, self.visitor.config, self.visitor.line);
            let urgent = || self.desk.has_intents() || self.desk.has_wish(true) || self.desk.cancel.is_set();
            let errand = Errand { shared, config, line, give_way: &urgent };
            if let Some(rest) = errand.run(conn, far)? {
                self.desk.far(rest);
            }
            if urgent() {
                break;
            }
        }
        Ok(())
    }

    /// Gets at most `some` bodies ahead of need, as long as nothing else is to be done. Whether there may be more.
    pub fn ahead(&mut self, conn: &mut dyn MailStore, some: u32) -> Result<bool, Halt> {
        if self.complete {
            return Ok(false);
        }
        let (shared, config) = (self.visitor.shared, self.visitor.config);
        let rules = Rules::of(shared, config, None)?;
        let skip = &self.visitor.memory.unfetchable;
        let limit = some + u32::try_from(skip.len()).unwrap_or(u32::MAX);
        let wanted = self.fetcher.wanted(&config.name, &rules, config.keep.limit, limit, &|message| !skip.contains(&message))?;
        let task = Task::Bodies(config.name.clone());
        if wanted.is_empty() || shared.jobs.is_stopped(&task) {
            (self.complete, self.ahead) = (true, None);
            return Ok(false);
        }
        let line = Some(self.visitor.line);
        let begin = || (shared.begin(task, &config.name, "fetching texts", Unit::Messages, line), 0);
        let here = self.hand_over()?;
        let (job, done) = self.ahead.get_or_insert_with(begin);
        let go_on = || !(self.desk.work.is_rung() || self.desk.cancel.is_set() || job.must_stop());
        let missing = self.fetcher.all_ahead(conn, &rules, wanted, &go_on, &mut |_, some| {
            *done += some;
            job.at(*done, 0);
            Ok(())
        })?;
        self.visitor.memory.unfetchable.extend(missing);
        self.take_back(here);
        Ok(true)
    }

    /// Once the inbox and what the person looks at are in step, the newest texts come before the other mailboxes: somebody is
    /// about to read them. Whether any came.
    pub fn taste(&mut self, conn: &mut dyn MailStore) -> Result<bool, Halt> {
        let Some(next) = self.todo.front().filter(|path| !self.tasted && !path.is_inbox()) else { return Ok(false) };
        let open = match self.desk.open() {
            Some(id) => self.visitor.at_server(id)?,
            None => None,
        };
        if open.as_ref() == Some(next) {
            return Ok(false);
        }
        self.tasted = true;
        self.ahead(conn, SCREEN)
    }

    /// What is selected is for the fetcher now: a turn is saved where it wants just that.
    pub fn hand_over(&mut self) -> Result<Option<(MailboxId, MailboxPath)>, Halt> {
        self.fetcher.forget();
        let Some(path) = self.here.take() else { return Ok(None) };
        let id = self.visitor.mailbox(&path)?;
        self.fetcher.is_at(id);
        Ok(Some((id, path)))
    }

    /// The fetcher is done; what was selected before is so still, or not.
    pub fn take_back(&mut self, here: Option<(MailboxId, MailboxPath)>) {
        self.here = here.filter(|(id, _)| self.fetcher.is_still_at(*id)).map(|(_, path)| path);
    }

    /// Waits for news, wishes, or the next thing that is due.
    pub fn rest(&mut self, conn: &mut dyn MailStore) -> Result<(), Halt> {
        if self.visitor.list_is_over(false)? {
            self.stale = true;
            return Ok(());
        }
        let (pace, now) = (self.visitor.shared.pace, self.visitor.shared.now());
        let due = self
            .due
            .into_iter()
            .chain(self.asked_due)
            .chain(self.ends())
            .min()
            .map_or(pace.idle, |at| Duration::from_secs(at.saturating_sub(now).unsigned_abs()));
        let limit = self.poll().saturating_sub(self.round.elapsed()).min(pace.idle).min(due).max(LEAST);
        if !conn.caps().idle {
            self.tell(Connectivity::Polled { at: now });
            let begun = Instant::now();
            park(&self.desk.work, &self.desk.cancel, Some(begun + limit.min(pace.quiet)));
            if begun.elapsed() >= pace.quiet {
                // Nothing else finds out that the line is dead.
                conn.noop()?;
            }
            return Ok(());
        }
        self.tell(Connectivity::Live { since: self.since });
        // The watchers have the rest; this connection looks where the person looks.
        let open = match self.desk.open() {
            Some(id) => self.visitor.at_server(id)?,
            None => None,
        };
        let place = open.unwrap_or_else(MailboxPath::inbox);
        if self.here.as_ref() != Some(&place) && !self.settle(conn, &place)? {
            return Ok(());
        }
        if self.told_of_all.is_none() && self.desk.is_alone() && conn.caps().notify {
            // Nobody else waits for the other mailboxes.
            self.told_of_all = Some(watch::subscribe(conn)?);
            self.desk.notified(self.told_of_all == Some(true));
        }
        if self.left_behind(conn, &place)? {
            return Ok(());
        }
        self.desk.here(Some(&place));
        let idle = conn.idle(limit);
        self.desk.here(None);
        self.visitor.alerts(conn);
        // What ended it may be about another mailbox: that is heard before the next step.
        if idle? == Idle::Changed && (conn.changed() || self.told_of_all != Some(true)) {
            self.unsettled = 0;
            self.first(place);
        }
        Ok(())
    }

    /// What came into a mailbox just when it was left, a server that tells of all has told nobody: of what is selected it tells otherwise
    /// (RFC 5465, 3.1). Whether some are to be visited once more.
    fn left_behind(&mut self, conn: &mut dyn MailStore, place: &MailboxPath) -> Result<bool, Halt> {
        // `place` is selected, and whatever was for a text is not any more.
        self.fetcher.forget();
        let (mut left, read) = (std::mem::take(&mut self.visitor.memory.left), self.fetcher.left());
        if self.told_of_all != Some(true) {
            return Ok(false);
        }
        for id in read {
            left.extend(self.visitor.at_server(id)?);
        }
        left.remove(place);
        for path in left {
            match conn.status(&path) {
                Ok(status) if self.visitor.differs(&path, Some(&status))? == Some(true) => {
                    let times = self.visitor.memory.left_changed.entry(path.clone()).or_default();
                    *times += 1;
                    // A server whose counts never fit is not asked for ever.
                    if *times <= UNSETTLED {
                        self.first(path);
                    } else {
                        self.visitor.memory.left_changed.remove(&path);
                    }
                }
                Ok(_) => {
                    self.visitor.memory.left_changed.remove(&path);
                }
                // It is gone: that is told.
                Err(e) if e.connection_lives() => {}
                Err(e) => return Err(e.into()),
            }
        }
        Ok(!self.todo.is_empty())
    }

    /// Selects `place` for IDLE. False if it is not as the last pass left it: then it is visited first.
    fn settle(&mut self, conn: &mut dyn MailStore, place: &MailboxPath) -> Result<bool, Halt> {
        let id = self.visitor.mailbox(place)?;
        let selected = match conn.select(place, true, None) {
            Ok(selected) => selected,
            Err(e) if e.connection_lives() && !place.is_inbox() => {
                // It is gone; the next list tells. Until then there is nothing to wait for but the inbox.
                self.desk.left(id);
                self.here = None;
                return Ok(false);
            }
            Err(e) => return Err(e.into()),
        };
        let same = standing::is_as_selected(self.visitor.shared, id, &selected)?;
        let stopped = || self.visitor.shared.jobs.is_stopped(&Task::Sync(self.visitor.config.name.clone(), id));
        if same || stopped() || self.unsettled >= UNSETTLED {
            self.unsettled = 0;
            self.here = Some(place.clone());
            return Ok(true);
        }
        self.unsettled += 1;
        self.first(place.clone());
        Ok(false)
    }

    pub fn tell(&mut self, now: Connectivity) {
        if self.told.as_ref() != Some(&now) {
            self.visitor.shared.connectivity(&self.visitor.config.name, now.clone());
            self.told = Some(now);
        }
    }
}
