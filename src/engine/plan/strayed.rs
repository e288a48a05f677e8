//! strayed — messages that a MOVE put into another mailbox than was meant: its name went to that one between the look at it and the
//! MOVE. They are brought back, and go where they were meant to go once a new list has told where that is.
//! Owns: `Stage`.
//! May import: mail.
//! Start reading at: `MailboxSync::strayed`. COPYUID tells of it (RFC 4315, 3: the UIDVALIDITY of the mailbox that they went to). Where
//! they lie is in the journal before anything is sent; where they cannot be brought back the person is asked.

use super::MailboxSync;
use super::push::{Job, Probe, Stage as Push};
use super::step::{Ask, OpChange, OpFault, Tell};
use crate::mail::intent::{OpState, Operation, Target};
use crate::mail::mailbox::MailboxPath;
use crate::mail::server::CopiedUids;
use crate::mail::uid::{Uid, UidSet};

/// What is done, and how far it is.
#[derive(Clone, Debug)]
pub(super) struct Stage {
    job: Job,
    to: MailboxPath,
    /// The UIDVALIDITY there, and pairs (UID here, UID there).
    copied: CopiedUids,
    at: At,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum At {
    /// Where they lie is being written down.
    Noted,
    /// The mailbox that has the name now was opened.
    There,
    /// They were told to come back.
    Back,
}

/// Whether it is written down that an operation's messages strayed.
pub(super) fn is_strayed(op: &Operation) -> bool {
    let known = op.mark.map(|mark| mark.uidvalidity);
    op.results.iter().flatten().any(|(validity, _)| Some(*validity) != known)
}

impl MailboxSync {
    /// A MOVE said that the messages of `job` went into a mailbox that is numbered otherwise than `to` was a moment ago.
    pub(super) fn strayed(&mut self, job: Job, to: MailboxPath, copied: CopiedUids) {
        let went = |target: &Target| {
            let (_, there) = copied.pairs.iter().find(|(from, _)| Some(*from) == target.uid())?;
            Some((copied.uidvalidity, there.get()))
        };
        let noted =
            |op: &Operation| OpChange { results: Some(op.targets.iter().map(went).collect()), ..OpChange::to(op.id, op.state) };
        let changes = job.ids.iter().filter_map(|id| self.op(*id)).map(noted).collect();
        self.change(changes);
        self.stage = super::Stage::Push(Push::Strayed(Box::new(Stage { job, to, copied, at: At::Noted })));
    }

    /// The next step.
    pub(super) fn bring_back(&mut self, mut stage: Stage) {
        let refused = self.answer.refused.take().is_some();
        match stage.at {
            At::Noted => {
                let mailbox = stage.to.clone();
                stage.at = At::There;
                self.away = true;
                self.go(Ask::Select { mailbox, read_only: false, resync: None }, Push::Strayed(Box::new(stage)));
            }
            At::There => {
                let here = self.answer.selected.take().map(|s| s.uidvalidity);
                let meant = stage.job.ids.first().and_then(|id| self.op(*id)?.mark).map(|mark| mark.uidvalidity);
                if here.is_some() && here == meant {
                    // It is the one that was meant: what was told of where they went is not so (security S-29).
                    return self.went_home(&stage.job);
                }
                if refused || here != Some(stage.copied.uidvalidity) {
                    return self.lost_sight(&stage);
                }
                let uids: UidSet = stage.copied.pairs.iter().map(|(_, there)| *there).collect();
                stage.at = At::Back;
                self.tell(Tell::Move { uids, to: self.mailbox.clone() });
                self.stage = super::Stage::Push(Push::Strayed(Box::new(stage)));
            }
            At::Back => {
                let back = self.answer.copied.take().filter(|back| back.uidvalidity == self.selected.uidvalidity);
                let Some(back) = back.filter(|_| !refused) else { return self.lost_sight(&stage) };
                let now = |uid: Uid| {
                    let (_, there) = stage.copied.pairs.iter().find(|(from, _)| *from == uid)?;
                    Some(back.pairs.iter().find(|(from, _)| from == there)?.1)
                };
                let target = |target: &Target| match target {
                    Target::Server { uidvalidity, print, .. } => {
                        let uid = now(target.uid()?)?.get();
                        Some(Target::Server { uidvalidity: *uidvalidity, uid, print: print.clone() })
                    }
                    Target::ResultOf { .. } => None,
                };
                let again = |op: &Operation| match op.targets.iter().map(target).collect::<Option<Vec<_>>>() {
                    Some(targets) => {
                        OpChange { targets: Some(targets), results: Some(Vec::new()), ..OpChange::to(op.id, OpState::Queued) }
                    }
                    None => OpChange::park(op.id, OpFault::AnotherMailbox),
                };
                let changes = stage.job.ids.iter().filter_map(|id| self.op(*id)).map(again).collect();
                self.gone(&stage.job.uids);
                self.change(changes);
                self.look_up(Some(stage.to));
            }
        }
    }

    /// Nobody knows where they are: the person is told, who finds them where the name points to, or by a search.
    fn lost_sight(&mut self, stage: &Stage) {
        self.gone(&stage.job.uids);
        self.park(&stage.job.ids, &OpFault::AnotherMailbox);
        self.look_up(Some(stage.to.clone()));
    }

    /// They are where they were meant to go, under numbers that nobody knows.
    fn went_home(&mut self, job: &Job) {
        self.gone(&job.uids);
        let settled = |id| OpChange { results: Some(Vec::new()), ..OpChange::to(id, OpState::Settled) };
        self.change(job.ids.iter().map(|id| settled(*id)).collect());
        let Some(id) = job.ids.first().copied() else { return self.again() };
        self.go(Ask::Select { mailbox: self.mailbox.clone(), read_only: false, resync: None }, Push::Probe(id, Probe::Back));
    }
}
