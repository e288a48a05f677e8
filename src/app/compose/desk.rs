//! desk — the mails that are being written at once, and what was just sent or thrown away.
//! Owns: `Desk`, `Pending`, `Errand`. May import: engine::api, mail.
//! Start reading at: `Desk`.

use super::{Compose, ComposeKey};
use crate::engine::api::DraftRow;
use crate::mail::draft::Audience;
use crate::mail::ids::{DraftId, OutboxId, PlacementKey};
use std::collections::BTreeSet;
use std::time::Duration;

/// What a mail is wanted for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// To answer it.
    Reply(Audience),
    /// To send it on.
    Forward,
    /// To write one like it.
    AsNew,
    /// To go on with it: it lies in Drafts.
    GoOn,
}

/// A composer that is to open, or to be filled, once the store has said what it answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::app) struct Pending {
    pub(in crate::app) purpose: Purpose,
    pub(in crate::app) message: PlacementKey,
    /// The composer that is open already and waits for the text.
    pub(in crate::app) filling: Option<ComposeKey>,
}

/// What a request of a composer was for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Errand {
    /// To save it.
    Save,
    /// To copy files for it.
    Attach,
    /// To send it.
    Send,
    /// To put it into Drafts on the server.
    File,
}

/// A mail that was sent, while it can be taken back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::app) struct Sent {
    pub(in crate::app) outbox: OutboxId,
    /// Seconds since 1970.
    pub(in crate::app) until: i64,
}

/// Everything that is being written.
#[derive(Debug, Default)]
pub struct Desk {
    /// In the order of opening; the last one shown is `front`.
    pub(in crate::app) open: Vec<Compose>,
    pub(in crate::app) front: Option<ComposeKey>,
    /// Closed, but not yet known to be saved.
    pub(in crate::app) parting: Vec<Compose>,
    /// Thrown away, and since when: it can be taken back for a while, and only then the disk forgets it.
    pub(in crate::app) buried: Option<(Compose, Duration)>,
    pub(in crate::app) sent: Option<Sent>,
    pub(in crate::app) pending: Option<Pending>,
    /// The prefix that contacts were asked for.
    pub(in crate::app) asked_for: String,
    /// What the disk has, newest first.
    pub(in crate::app) saved: Vec<DraftRow>,
    /// Whether the program ends: what is saved now is filed too.
    pub(in crate::app) leaving: bool,
    /// Whether the drafts of the last run were spoken of.
    pub(in crate::app) greeted: bool,
    last_key: u32,
}

impl Desk {
    pub(in crate::app) const fn next_key(&mut self) -> ComposeKey {
        self.last_key += 1;
        ComposeKey(self.last_key)
    }

    /// The composer that is shown, or would be.
    #[must_use]
    pub fn front(&self) -> Option<&Compose> {
        self.front.and_then(|key| self.open.iter().find(|c| c.number() == key))
    }

    pub(in crate::app) fn front_mut(&mut self) -> Option<&mut Compose> {
        let key = self.front?;
        self.get_mut(key)
    }

    pub(in crate::app) fn get_mut(&mut self, key: ComposeKey) -> Option<&mut Compose> {
        self.open.iter_mut().chain(&mut self.parting).find(|c| c.number() == key)
    }

    /// How many mails are being written.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.open.len()
    }

    /// Saved drafts that no composer has open.
    #[must_use]
    pub fn resting(&self) -> Vec<&DraftRow> {
        let held = |id: DraftId| {
            let open = self.open.iter().chain(&self.parting).chain(self.buried.iter().map(|(c, _)| c));
            open.into_iter().any(|c| c.saving().id == Some(id))
        };
        self.saved.iter().filter(|row| !held(row.id)).collect()
    }

    /// Files that were away are in the spool now.
    pub(in crate::app) fn spooled(&mut self, names: &BTreeSet<String>, now: Duration) {
        if !names.is_empty() {
            self.open.iter_mut().chain(&mut self.parting).for_each(|compose| compose.spooled(names, now));
        }
    }

    /// When something of it is due.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        let saves = self.open.iter().chain(&self.parting).filter_map(Compose::save_at);
        saves.chain(self.buried.iter().map(|(_, at)| *at)).min()
    }

    /// Whether everything that was written is on the disk.
    #[must_use]
    pub fn is_saved(&self) -> bool {
        self.open.iter().chain(&self.parting).all(Compose::is_saved)
    }
}
