//! open — opening the mailbox of a pass, and what is asked along with it.
//! Owns: the question and its answer.
//! May import: mail.
//! Start reading at: `MailboxSync::select`.

use super::base::Outcome;
use super::step::{Ask, Code, Refusal};
use super::{MailboxSync, Stage, observe};
use crate::mail::server::{Resync, Selected};
use crate::mail::uid::{ModSeq, UidSet, UidValidity};

/// A set of known UIDs of more intervals is told as one: the command stays short, and of numbers that we do not hold the
/// server tells a little more.
const MAX_KNOWN: usize = 16;

impl MailboxSync {
    /// Opens our own mailbox; a server that can says at once what happened to what we know of it.
    pub(super) fn select(&mut self) {
        let usable = self.caps.qresync && self.base.highestmodseq > ModSeq(0) && self.base.uidvalidity != UidValidity::default();
        let known = if self.known.ranges().len() <= MAX_KNOWN { Some(self.known.clone()) } else { None };
        let known = known.or_else(|| self.known.bounds().map(|(low, high)| UidSet::range(low, high))).unwrap_or_default();
        // What is newer than all that we know comes in the same turn; not where something is told first, and it is opened anew.
        let idle = !self.ops.iter().any(|op| self.ours(op));
        let from = known.bounds().map_or(1, |(_, high)| high.saturating_add(1)).max(self.base.uidnext);
        let ahead = if idle { UidSet::range(from, from.saturating_add(observe::AHEAD - 1)) } else { UidSet::new() };
        let resync = Resync { uidvalidity: self.base.uidvalidity, modseq: self.base.highestmodseq, known, ahead };
        let resync = Some(resync).filter(|resync| usable && !resync.known.is_empty() && self.partly.is_none());
        self.resyncs = resync.is_some();
        self.ask(Ask::Select { mailbox: self.mailbox.clone(), read_only: false, resync });
    }

    /// The answer to a SELECT of our own mailbox, or the end of the pass.
    pub(super) fn selected_or_end(&mut self) -> Option<Selected> {
        match (self.answer.selected.take(), self.answer.refused.take()) {
            // Another one has its name since: the list says where ours is.
            (Some(selected), None) if self.is_another(&selected) => self.end(Outcome::NoMailbox),
            (Some(selected), None) => return Some(selected),
            (_, Some(Refusal { code: Code::NoMailbox, .. })) => self.end(Outcome::NoMailbox),
            // Not every server says by a code that there is none.
            (_, Some(refusal)) if refusal.code == Code::Other => {
                self.ask(Ask::Mailboxes);
                self.stage = Stage::Missing(refusal);
            }
            (_, Some(refusal)) => self.end(Outcome::Refused(refusal)),
            (None, None) => self.end(Outcome::LineLost),
        }
        None
    }

    fn is_another(&self, selected: &Selected) -> bool {
        !self.object_id.is_empty() && !selected.mailbox_id.is_empty() && self.object_id != selected.mailbox_id
    }
}
