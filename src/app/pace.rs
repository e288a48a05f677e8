//! pace — how often the screen follows what happens by itself: at once where somebody waits for it, else a few times a second.
//! Owns: `Pace`, when the screen catches up. May import: engine::api.
//! Start reading at: `Pace::take`. A server may tell of a hundred letters a second (security S-27); nobody reads that fast.

use super::state::App;
use crate::engine::api::Changes;
use std::time::Duration;

/// What was touched is asked for again at most once in this time.
pub const BEAT: Duration = Duration::from_millis(250);
/// So long after a key what changes is likely what the key did...
pub const AFTER_KEY: Duration = Duration::from_secs(1);
/// ... and is asked for again at most once in this time: while a mailbox fills, most of it is not.
pub const KEY_BEAT: Duration = Duration::from_millis(50);

/// What was touched and not asked for again yet.
#[derive(Default, Debug)]
pub struct Pace {
    held: Changes,
    /// When something was taken last.
    taken: Option<Duration>,
    /// When the person did something last.
    acted: Option<Duration>,
}

impl Pace {
    /// The person did something.
    pub const fn acted(&mut self, now: Duration) {
        self.acted = Some(now);
    }

    /// Something was touched.
    pub fn hold(&mut self, changes: Changes) {
        self.held.absorb(changes);
    }

    /// What is held.
    #[must_use]
    pub const fn held(&self) -> &Changes {
        &self.held
    }

    /// What is to be asked for again now, if anything; `waited`: somebody waits for it.
    pub fn take(&mut self, now: Duration, waited: bool) -> Option<Changes> {
        if self.held.is_empty() {
            return None;
        }
        if !waited && self.deadline().is_some_and(|due| now < due) {
            return None;
        }
        self.taken = Some(now);
        Some(std::mem::take(&mut self.held))
    }

    /// When what is held is due; nothing at rest.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        let taken = self.taken.filter(|_| !self.held.is_empty())?;
        let soon = taken.saturating_add(KEY_BEAT);
        let acting = self.acted.is_some_and(|at| soon < at.saturating_add(AFTER_KEY));
        Some(if acting { soon } else { taken.saturating_add(BEAT) })
    }
}

impl App {
    /// Asks again for what was touched, if it is time for that: at once where a text is waited for or the list still fills.
    pub(super) fn catch_up(&mut self) {
        let held = self.pace.held();
        let text =
            self.viewer.id().is_some() && self.viewer.body().is_none() && self.viewer.message().is_none_or(|m| held.message(m));
        let waited = text || self.desk.pending.is_some() || self.list.is_short();
        if let Some(changes) = self.pace.take(self.now.since, waited) {
            self.changes(&changes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn touched() -> Changes {
        Changes { mailboxes: true, ..Changes::default() }
    }

    #[test]
    fn the_first_is_taken_at_once_and_others_together() {
        let mut pace = Pace::default();
        assert!(pace.take(MS(0), false).is_none() && pace.deadline().is_none());
        pace.hold(touched());
        assert_eq!(pace.take(MS(5_000), false), Some(touched()));
        assert_eq!(pace.deadline(), None, "no timer at rest");
        for n in 1..250 {
            pace.hold(touched());
            assert_eq!(pace.take(MS(5_000 + n), false), None);
        }
        assert_eq!(pace.deadline(), Some(MS(5_250)));
        assert_eq!(pace.take(MS(5_250), false), Some(touched()));
        pace.hold(touched());
        assert!(pace.take(MS(5_300), true).is_some(), "somebody waits for it");
        pace.hold(touched());
        pace.acted(MS(5_360));
        assert!(pace.take(MS(5_361), false).is_some(), "what a key did is seen at once");
        pace.hold(touched());
        assert!(pace.take(MS(5_380), false).is_none() && pace.deadline() == Some(MS(5_411)), "more of it soon");
        assert!(pace.take(MS(5_411), false).is_some());
    }
}
