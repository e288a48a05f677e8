//! misfiled — a message that an APPEND put into another mailbox than was meant: its name went to that one between the look at it and the
//! APPEND. It is taken away again there, and put where it was meant to go once a new list has told where that is.
//! Owns: `Stage`, `Search`.
//! May import: mail.
//! Start reading at: `MailboxSync::misfiled`. APPENDUID tells of it (RFC 4315, 3: the UIDVALIDITY of the mailbox that it went to); without
//! UIDPLUS the mailbox is asked once more (`filed`), and what went there is looked for among its newest (`look_for`). Where it is known to be
//! is in the journal before anything else is done; only what is the message without doubt is taken away, else the person is asked.
//! Without UIDPLUS it is only marked as deleted. The bytes stay in `spool/` until it lies where it was meant to.

use super::MailboxSync;
use super::probe::{matching, same};
use super::push::{Probe, Stage as Push};
use super::step::{Ask, OpChange, OpFault, Tell};
use crate::mail::flags::{Flag, FlagDelta};
use crate::mail::ids::OpId;
use crate::mail::intent::{Mark, OpKind, OpState, Operation};
use crate::mail::uid::{Uid, UidSet, UidValidity};

/// What is done, and how far it is.
#[derive(Clone, Debug)]
pub(super) struct Stage {
    id: OpId,
    /// Where it went.
    validity: UidValidity,
    uid: Uid,
    at: At,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum At {
    /// Where it lies is being written down.
    Noted,
    /// The mailbox that has the name now was opened.
    There,
    /// What lies there under its number was asked for.
    Seen,
    /// It is marked as deleted.
    Marked,
    /// It was taken away.
    Gone,
}

/// Among so many of the newest numbers is looked for what was put there a moment ago.
const NEWEST: u32 = 100;

/// Where it went is found out, and how far that is.
#[derive(Clone, Debug)]
pub(super) struct Search {
    id: OpId,
    at: Seek,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Seek {
    /// What has the name now was asked for its numbers.
    Asked,
    /// It was opened, for it is another mailbox, which stands there.
    There(Mark),
    /// Its newest numbers were asked for.
    Numbers(UidValidity),
    /// ... and which messages these are.
    Prints(UidValidity),
}

impl MailboxSync {
    /// An APPEND was done, and the server did not say where the message of `id` went.
    pub(super) fn filed(&mut self, id: OpId) {
        self.go(Ask::TargetMark { mailbox: self.mailbox.clone() }, Push::Filed(Search { id, at: Seek::Asked }));
    }

    /// The next step.
    pub(super) fn look_for(&mut self, Search { id, at }: Search) {
        let refused = self.answer.refused.take().is_some();
        let known = self.op(id).and_then(|op| op.mark).map(|mark| mark.uidvalidity);
        match at {
            Seek::Asked => {
                let now = self.answer.mark.take().filter(|_| !refused);
                match now.filter(|now| now.uidvalidity != UidValidity::default() && Some(now.uidvalidity) != known) {
                    Some(now) => {
                        // Under which number is not known yet; that it went astray is, whenever the line breaks.
                        let state = self.op(id).map_or(OpState::InFlight, |op| op.state);
                        let results = Some(vec![Some((now.uidvalidity, 0))]);
                        self.change(vec![OpChange { results, ..OpChange::to(id, state) }]);
                        self.away = true;
                        let ask = Ask::Select { mailbox: self.mailbox.clone(), read_only: true, resync: None };
                        self.go(ask, Push::Filed(Search { id, at: Seek::There(now) }));
                    }
                    // It is where it was meant to be, as far as anybody can tell.
                    None => {
                        self.again();
                        self.change(vec![OpChange { results: Some(vec![None]), ..OpChange::to(id, OpState::Settled) }]);
                    }
                }
            }
            Seek::There(mark) => {
                let here = self.answer.selected.take().map(|s| s.uidvalidity);
                if refused || here != Some(mark.uidvalidity) || mark.uidnext == 0 {
                    return self.somewhere(id);
                }
                let from = mark.uidnext.saturating_sub(NEWEST).max(1);
                let ask = Ask::Uids { from, to: u32::MAX };
                self.go(ask, Push::Filed(Search { id, at: Seek::Numbers(mark.uidvalidity) }));
            }
            Seek::Numbers(validity) => {
                let uids = std::mem::take(&mut self.answer.uids);
                if refused || uids.is_empty() {
                    return self.somewhere(id);
                }
                self.go(Ask::Identify { uids }, Push::Filed(Search { id, at: Seek::Prints(validity) }));
            }
            Seek::Prints(validity) => {
                let seen = std::mem::take(&mut self.answer.identities);
                let found = match self.op(id).map(|op| &op.kind) {
                    Some(OpKind::Append { print, .. }) if !refused => matching(print, &seen),
                    _ => Vec::new(),
                };
                match found[..] {
                    [uid] => self.misfiled(id, (validity, uid)),
                    _ => self.somewhere(id),
                }
            }
        }
    }

    /// It lies somewhere in a mailbox that it was not meant for, or not.
    fn somewhere(&mut self, id: OpId) {
        self.ask_person(id);
        self.look_up(Some(self.mailbox.clone()));
    }

    /// The person says whether it is to be put where it was meant to go, wherever it lies now.
    pub(super) fn ask_person(&mut self, id: OpId) {
        self.tried.insert(id);
        self.change(vec![OpChange { results: Some(Vec::new()), ..OpChange::park(id, OpFault::AnotherMailbox) }]);
    }

    /// An APPEND said that the message of `id` went into a mailbox that is numbered otherwise than ours was a moment ago.
    pub(super) fn misfiled(&mut self, id: OpId, (validity, uid): (UidValidity, Uid)) {
        let Some(op) = self.op(id) else { return self.again() };
        let results = Some(vec![Some((validity, uid.get()))]);
        self.change(vec![OpChange { results, ..OpChange::to(id, op.state) }]);
        self.misfiled_at(Stage { id, validity, uid, at: At::Noted });
    }

    fn misfiled_at(&mut self, stage: Stage) {
        self.stage = super::Stage::Push(Push::Misfiled(stage));
    }

    /// The next step.
    pub(super) fn take_away(&mut self, stage: Stage) {
        let refused = self.answer.refused.take().is_some();
        let one: UidSet = [stage.uid].into_iter().collect();
        match stage.at {
            At::Noted => {
                self.away = true;
                self.ask(Ask::Select { mailbox: self.mailbox.clone(), read_only: false, resync: None });
                self.misfiled_at(Stage { at: At::There, ..stage });
            }
            At::There => {
                let here = self.answer.selected.take().map(|s| s.uidvalidity);
                let mark = self.op(stage.id).and_then(|op| op.mark);
                if let Some(mark) = mark.filter(|mark| Some(mark.uidvalidity) == here) {
                    // It is the one that was meant: what was told of where it went is not so (security S-29).
                    let state = self.op(stage.id).map_or(OpState::InFlight, |op| op.state);
                    self.change(vec![OpChange { results: Some(Vec::new()), ..OpChange::to(stage.id, state) }]);
                    return self.go(Ask::Uids { from: mark.uidnext, to: u32::MAX }, Push::Probe(stage.id, Probe::Uids));
                }
                if refused || here != Some(stage.validity) {
                    return self.lies_there(&stage);
                }
                self.ask(Ask::Identify { uids: one });
                self.misfiled_at(Stage { at: At::Seen, ..stage });
            }
            At::Seen => {
                let seen = std::mem::take(&mut self.answer.identities);
                let is_it = |op: &Operation| match &op.kind {
                    OpKind::Append { print, .. } => seen.iter().any(|row| row.uid == stage.uid && same(print, &row.print)),
                    _ => false,
                };
                match self.op(stage.id).is_some_and(is_it) {
                    // Somebody else took it away.
                    _ if seen.is_empty() && !refused => self.once_more(&stage),
                    true if !refused => {
                        self.tell(Tell::StoreFlags { uids: one, delta: FlagDelta::set(Flag::Deleted) });
                        self.misfiled_at(Stage { at: At::Marked, ..stage });
                    }
                    _ => self.lies_there(&stage),
                }
            }
            At::Marked | At::Gone if refused => self.lies_there(&stage),
            // The server cannot expunge one message: whoever expunges others there takes it along.
            At::Marked if !self.caps.uidplus => self.once_more(&stage),
            At::Marked => {
                self.tell(Tell::UidExpunge { uids: one });
                self.misfiled_at(Stage { at: At::Gone, ..stage });
            }
            At::Gone => self.once_more(&stage),
        }
    }

    /// Nothing of it lies where it was not meant to: it is put where it was, as soon as a list tells where that is.
    fn once_more(&mut self, stage: &Stage) {
        self.change(vec![OpChange { results: Some(Vec::new()), ..OpChange::to(stage.id, OpState::Queued) }]);
        self.look_up(Some(self.mailbox.clone()));
    }

    /// It may lie where it was not meant to: the person is told, and says whether it is to be put anywhere else.
    fn lies_there(&mut self, stage: &Stage) {
        self.ask_person(stage.id);
        self.look_up(Some(self.mailbox.clone()));
    }
}
