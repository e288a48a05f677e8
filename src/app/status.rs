//! status — what goes on and what went wrong: notices, work in progress, how accounts stand.
//! Owns: `Status`, `Toast`. May import: engine::api.
//! Start reading at: `Status::line`. Times are the app's own clock (`Duration` since the start); nothing here wakes anybody
//! but a notice that ends and work that begins to be worth showing.

use crate::base::safetext::SafeText;
use crate::engine::api::{Fault, Kind, Progress, Remedy, Task};
use crate::mail::ids::MailboxId;
use std::collections::BTreeMap;
use std::time::Duration;

/// Work that takes longer is shown.
const WORTH_SHOWING: Duration = Duration::from_secs(1);
/// How long a notice stands.
const NOTICE: Duration = Duration::from_secs(6);
/// How long a failure stands.
const FAILURE: Duration = Duration::from_secs(20);

/// How a notice looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tone {
    /// Something was done.
    Done,
    /// Something is doubtful.
    Doubt,
    /// Something failed.
    Failed,
}

/// A notice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Toast {
    /// One sentence without a full stop.
    pub text: SafeText,
    /// How it looks.
    pub tone: Tone,
    /// The command that helps, and what it does then: "undo", "takes it back".
    pub command: Option<(&'static str, &'static str)>,
    until: Duration,
}

/// Everything of the status line.
#[derive(Default, Debug)]
pub struct Status {
    toast: Option<Toast>,
    /// Failures behind the one that is shown.
    more: u64,
    work: BTreeMap<Task, (Progress, Duration)>,
}

impl Status {
    /// Shows a notice in place of the one before.
    pub fn say(&mut self, now: Duration, text: SafeText, command: Option<(&'static str, &'static str)>) {
        self.put(Toast { text, tone: Tone::Done, command, until: now + NOTICE });
    }

    /// Shows a notice unless a failure stands, which matters more.
    pub fn mention(&mut self, now: Duration, text: SafeText) {
        if self.toast.as_ref().is_none_or(|t| t.tone != Tone::Failed) {
            self.say(now, text, None);
        }
    }

    /// Shows a doubt: why a command cannot be run now.
    pub fn doubt(&mut self, now: Duration, text: &str) {
        self.put(Toast { text: SafeText::line_max(text, 200), tone: Tone::Doubt, command: None, until: now + NOTICE });
    }

    /// Shows a doubt, and the command that goes on in spite of it.
    pub fn ask(&mut self, now: Duration, text: SafeText, command: (&'static str, &'static str)) {
        self.put(Toast { text, tone: Tone::Doubt, command: Some(command), until: now + FAILURE });
    }

    /// Shows a failure with the command that helps.
    pub fn fault(&mut self, now: Duration, fault: &Fault) {
        let command = fault.remedy.as_ref().and_then(remedy);
        let text = SafeText::line_max(&fault.to_string(), 300);
        // The same again is no other failure.
        if self.toast.as_ref().is_some_and(|t| t.text == text) {
            return;
        }
        if self.toast.as_ref().is_some_and(|t| t.tone == Tone::Failed) {
            self.more += 1;
        }
        let tone = if fault.kind == Kind::Notice { Tone::Doubt } else { Tone::Failed };
        self.toast = Some(Toast { text, tone, command, until: now + FAILURE });
    }

    /// Counts failures that are not shown one by one.
    pub const fn more_faults(&mut self, n: u64) {
        self.more += n;
    }

    fn put(&mut self, toast: Toast) {
        self.toast = Some(toast);
        self.more = 0;
    }

    /// Takes the notice away.
    pub fn clear(&mut self) {
        self.toast = None;
        self.more = 0;
    }

    /// Notes how far work is, or that it ended.
    pub fn progress(&mut self, now: Duration, task: Task, progress: Option<Progress>) {
        match progress {
            Some(p) => {
                let since = self.work.get(&task).map_or(now, |(_, since)| *since);
                self.work.insert(task, (p, since));
            }
            None => {
                self.work.remove(&task);
            }
        }
    }

    /// The notice, and how many failures are behind it.
    #[must_use]
    pub fn line(&self) -> Option<(&Toast, u64)> {
        self.toast.as_ref().map(|t| (t, self.more))
    }

    /// The oldest work that is worth showing.
    #[must_use]
    pub fn work(&self, now: Duration) -> Option<&Progress> {
        let shown = self.work.values().filter(|(_, since)| now >= *since + WORTH_SHOWING);
        shown.min_by_key(|(_, since)| *since).map(|(progress, _)| progress)
    }

    /// Whether a mailbox is being read.
    #[must_use]
    pub fn reads(&self, mailbox: MailboxId) -> bool {
        self.work.keys().any(|task| matches!(task, Task::Sync(_, id) if *id == mailbox))
    }

    /// Time passes; whether anything changed.
    pub fn tick(&mut self, now: Duration) -> bool {
        let over = self.toast.as_ref().is_some_and(|t| now >= t.until);
        if over {
            self.clear();
        }
        over
    }

    /// When something changes by itself.
    #[must_use]
    pub fn deadline(&self, now: Duration) -> Option<Duration> {
        let shows = self.work.values().map(|(_, since)| *since + WORTH_SHOWING).filter(|at| *at > now);
        self.toast.iter().map(|t| t.until).chain(shows).min()
    }
}

/// The command that is a fault's remedy, and what it does, in words after the key.
#[must_use]
pub const fn remedy(remedy: &Remedy) -> Option<(&'static str, &'static str)> {
    match remedy {
        Remedy::EnterPassword(_) => Some(("password", "enters the password")),
        Remedy::Reconnect(_) => Some(("refresh", "tries again")),
        Remedy::OpenQueue(_) | Remedy::OpenOutbox(_) => Some(("goto-outbox", "shows it")),
        Remedy::AddAccount => Some(("add-account", "adds an account")),
        Remedy::CreateMailbox(..) | Remedy::ChooseMailbox => Some(("move", "chooses a mailbox")),
        Remedy::EditAccount(_) | Remedy::TrustAuthority | Remedy::FreeSpace | Remedy::OpenLog => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::api::{Kind, Unit};
    use crate::mail::ids::AccountName;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn short_work_is_invisible_and_long_work_is_not() {
        let mut status = Status::default();
        let progress = |done| Some(Progress { what: SafeText::of("indexing"), done, total: 9, unit: Unit::Messages });
        status.progress(MS(0), Task::Index(AccountName::new("me")), progress(1));
        assert_eq!(status.work(MS(999)), None);
        assert_eq!(status.deadline(MS(0)), Some(MS(1_000)));
        status.progress(MS(200), Task::Index(AccountName::new("me")), progress(5));
        assert_eq!(status.work(MS(1_000)).map(|p| p.done), Some(5));
        assert_eq!(status.deadline(MS(1_000)), None, "no timer for work that is shown");
        status.progress(MS(1_500), Task::Index(AccountName::new("me")), None);
        assert_eq!(status.work(MS(1_900)), None);
    }

    #[test]
    fn a_failure_names_the_next_key_and_notices_end() {
        let mut status = Status::default();
        let name = crate::mail::ids::AccountName::new("work");
        status.fault(MS(0), &Fault::new(Kind::Login, "refused").remedied(Remedy::EnterPassword(name)));
        status.fault(MS(1), &Fault::new(Kind::Disk, "disk full"));
        let (toast, more) = status.line().unwrap();
        assert_eq!((toast.tone, more), (Tone::Failed, 1));
        status.say(MS(2), SafeText::of("archived 5"), Some(("undo", "takes it back")));
        assert_eq!(status.line().unwrap().1, 0);
        assert!(!status.tick(MS(100)));
        let at = status.deadline(MS(100)).unwrap();
        assert!(status.tick(at) && status.line().is_none());
        assert_eq!(status.deadline(at), None);
    }

    #[test]
    fn remedies_name_commands_that_exist() {
        let account = crate::mail::ids::AccountName::new("a");
        for one in [
            Remedy::EnterPassword(account.clone()),
            Remedy::Reconnect(None),
            Remedy::OpenQueue(crate::mail::ids::OpId(1)),
            Remedy::AddAccount,
            Remedy::ChooseMailbox,
            Remedy::EditAccount(account),
        ] {
            if let Some((id, _)) = remedy(&one) {
                assert!(crate::app::command::find(id).is_some(), "{id}");
            }
        }
    }
}
