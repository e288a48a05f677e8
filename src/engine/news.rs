//! news — what an account's connection heard since its last look: wishes, and what the server told on this or another line. And when
//! the list of mailboxes does not fit that: then the session is not believed any more, and a new one is asked.
//! Owns: the part of [`Work`] that hears, and mistrusts. May import: net, store, engine.
//! Start reading at: `Work::wishes`; `Work::compare` for the list. Why a new session: Dovecot 2.3.19 can go on showing one session the
//! list of a moment at which somebody made, renamed or deleted a mailbox while it wrote down counts. What was made since is missing and
//! what is gone is in it, in each further list of that session and in no other's; STATUS of a name tells the truth there too.

use super::round::Halt;
use super::watch;
use super::work::Work;
use crate::base::log;
use crate::mail::mailbox::MailboxPath;
use crate::mail::server::ListedMailbox;
use crate::net::session::MailStore;
use std::collections::HashSet;

/// No session is followed by another one before it is so many seconds old: a key may be held down.
const YOUNG: i64 = 2;
/// A server whose lists never fit is believed for so many seconds: a session for each of them would be worse.
const BELIEVED: i64 = 600;

impl Work<'_> {
    /// Takes what was wished for since the last look.
    pub fn wishes(&mut self, conn: &mut dyn MailStore) -> Result<(), Halt> {
        let wishes = self.desk.take();
        if wishes.intents {
            self.push(conn)?;
        }
        if wishes.all {
            // What was stopped goes on.
            self.complete = false;
            self.anew = true;
            if !self.is_over() {
                self.list(conn)?;
            }
        }
        self.stale |= wishes.stale;
        self.unlisted.extend(wishes.named);
        // The inbox comes last, and so before the others.
        let (inbox, others): (Vec<_>, Vec<_>) = wishes.news.into_iter().partition(|(path, _)| path.is_inbox());
        for (path, status) in others.into_iter().chain(inbox) {
            match self.visitor.differs(&path, status.as_ref())? {
                Some(true) => self.first(path),
                Some(false) => {}
                // Nobody has told of it yet.
                None => {
                    self.stale = true;
                    self.unlisted.extend(status.is_some().then_some(path));
                }
            }
        }
        for id in wishes.visit.into_iter().rev() {
            // What is selected and in step, the server tells of by itself.
            if let Some(path) = self.visitor.at_server(id)?.filter(|path| !conn.caps().idle || self.here.as_ref() != Some(path)) {
                self.first(path);
            }
        }
        Ok(())
    }

    /// What the server told of other mailboxes meanwhile.
    pub fn hear(&mut self, conn: &mut dyn MailStore) -> Result<(), Halt> {
        if !watch::hear(self.desk, conn) && self.told_of_all == Some(true) {
            self.told_of_all = Some(watch::subscribe(conn)?);
            self.desk.notified(self.told_of_all == Some(true));
        }
        Ok(())
    }

    /// When the session ends because a new one is to be asked, seconds since 1970.
    pub fn ends(&self) -> Option<i64> {
        self.anew.then_some(self.since.saturating_add(YOUNG))
    }

    /// Whether it ends now: nothing that was begun waits for it.
    pub fn is_over(&self) -> bool {
        self.todo.is_empty() && self.ends().is_some_and(|at| at <= self.visitor.shared.now())
    }

    /// Looks whether a list has what others told of. What is there all the same, by its name, shows that this session does not see it.
    pub fn compare(&mut self, conn: &mut dyn MailStore, listed: &[ListedMailbox]) -> Result<(), Halt> {
        if self.unlisted.is_empty() {
            return Ok(());
        }
        let there: HashSet<&MailboxPath> = listed.iter().filter(|m| m.selectable).map(|m| &m.path).collect();
        for path in std::mem::take(&mut self.unlisted).into_iter().filter(|path| !there.contains(path)) {
            match conn.status(&path) {
                Ok(_) => self.mistrust(&path),
                // It is gone again.
                Err(e) if e.connection_lives() => {}
                Err(e) => return Err(e.into()),
            }
        }
        Ok(())
    }

    /// The list is wrong about `path`.
    pub fn mistrust(&mut self, path: &MailboxPath) {
        let (now, memory) = (self.visitor.shared.now(), &mut self.visitor.memory);
        memory.mistrusted.retain(|_, at| now.saturating_sub(*at) < BELIEVED);
        if !memory.mistrusted.contains_key(path) {
            memory.mistrusted.insert(path.clone(), now);
            log::info(
                "sync",
                format_args!("the list of mailboxes is wrong about {}: asked for in a new session", path.decoded()),
            );
            self.anew = true;
        }
    }
}
