//! ahead — the next window of a long reading is asked for while the last rows of this one come (RFC 9051, 5.5).
//! Owns: `Owed`, the verbs of [`Conn`] and [`ImapStore`] that say a command before its time.
//! May import: mail, base.
//! Start reading at: `fetch_windows`. Between two windows a server would wait for us otherwise, a turn on a far line and a socket's
//! buffer on a near one. One command is ahead at most; a server may answer it first, and whoever wants something else meanwhile
//! reads its answer to the end before anything is said.

use super::conn::{Command, Conn, Done, OnData};
use super::fetch::{Parts, envelope_row, pieces};
use super::frame::KeepAll;
use super::store::ImapStore;
use super::untagged::Untagged;
use crate::mail::server::EnvelopeSeen;
use crate::mail::uid::UidSet;
use crate::net::error::Result;
use crate::net::session::{Sink, Windows};
use std::cell::RefCell;

/// A command whose answer nobody has read yet.
#[derive(Debug)]
pub struct Owed {
    tag: Vec<u8>,
    /// Of which messages it asks for rows; the command has the first of the [`pieces`] of them.
    uids: UidSet,
    /// The server answered it first.
    ended: Option<Result<Done>>,
}

/// Is there something to be said ahead now: how rows are asked for, and of which messages?
type Then<'a> = &'a mut dyn FnMut() -> Option<(Command, UidSet)>;

impl Conn {
    /// Says a command while the answer to another one is read.
    fn say_ahead(&mut self, (command, uids): (Command, UidSet)) -> Result<()> {
        self.say(&command, &mut |_| Ok(false))?;
        let tag = self.core().last_tag();
        self.owed = Some(Owed { tag, uids, ended: None });
        Ok(())
    }

    /// Reads to the tagged answer of the command that was said before the one ahead. What `then` says after a response goes
    /// out ahead at once.
    fn finish_saying(&mut self, on: OnData<'_>, then: Then<'_>) -> Result<Done> {
        self.begin();
        loop {
            let Some(ended) = self.read(&mut KeepAll, on)? else {
                if self.owed.is_none()
                    && let Some(next) = then()
                {
                    self.say_ahead(next)?;
                }
                continue;
            };
            let answered = self.core().answered_tag();
            match &mut self.owed {
                Some(owed) if owed.tag == answered => owed.ended = Some(ended),
                _ => return ended,
            }
        }
    }

    /// The same for the command that was said ahead.
    fn finish_ahead(&mut self, on: OnData<'_>, then: Then<'_>) -> Result<Done> {
        match self.owed.take() {
            Some(Owed { ended: Some(ended), .. }) => ended,
            _ => self.finish_saying(on, then),
        }
    }

    /// Nobody wants what was asked for ahead: its answer is read to the end, so that the next one is what it seems.
    pub(super) fn settle(&mut self) -> Result<()> {
        let Some(Owed { ended: None, .. }) = self.owed.take() else { return Ok(()) };
        self.begin();
        // Rows are no news; flags that somebody changed are.
        let mut on = |data: Untagged<'_>| Ok(matches!(data, Untagged::Fetch(row) if row.envelope.is_some()));
        while self.read(&mut KeepAll, &mut on)?.is_none() {}
        Ok(())
    }
}

impl ImapStore {
    /// Asks for what list rows need of `uids`, and ahead for what `to` says comes next. A server may answer both at the same time
    /// (Dovecot does): rows of both are handed on as they come.
    pub(super) fn fetch_windows(&mut self, uids: &UidSet, to: Windows<'_>) -> Result<()> {
        let asking = self.asking();
        let mut said = self.conn.owed.as_ref().is_some_and(|owed| owed.uids == *uids);
        // What comes next, as soon as it is known.
        let next: RefCell<Option<UidSet>> = RefCell::new(None);
        let mut sink = |rows| {
            let then = to(rows)?;
            let mut next = next.borrow_mut();
            *next = next.take().or(then);
            Ok(())
        };
        let mut sink: Sink<'_, EnvelopeSeen> = &mut sink;
        let mut parts = Parts::of(uids.len(), &mut sink);
        let all = pieces(uids);
        let mut seen = UidSet::new();
        for (n, piece) in all.iter().enumerate() {
            let last = n + 1 == all.len();
            let mut on = |data: Untagged<'_>| {
                let Untagged::Fetch(row) = data else { return Ok(false) };
                let wanted = |uid| piece.contains(uid) || next.borrow().as_ref().is_some_and(|next| next.contains(uid));
                let Some(uid) = row.uid.filter(|uid| wanted(*uid) && !seen.contains(*uid)) else { return Ok(false) };
                let Some(row) = envelope_row(uid, *row) else { return Ok(false) };
                seen.insert(uid);
                parts.push(row).map(|()| true)
            };
            let mut then = || {
                let next = next.borrow();
                // Of a set of several commands the first one goes ahead.
                let uids = next.as_ref().filter(|_| last)?;
                let piece = pieces(uids).into_iter().next()?;
                Some((asking.command(&piece), uids.clone()))
            };
            let ran = if std::mem::take(&mut said) {
                self.conn.finish_ahead(&mut on, &mut then)
            } else {
                self.conn.say(&asking.command(piece), &mut on).and_then(|()| self.conn.finish_saying(&mut on, &mut then))
            };
            parts.settle(ran)?;
        }
        parts.flush()
    }
}
