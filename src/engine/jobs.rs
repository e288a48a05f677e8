//! jobs — the register of what runs that takes long: how far it is, and the switch that stops it.
//! Owns: `Jobs`, `Running`. May import: base, mail, engine/api.
//! Start reading at: `Jobs::begin`. Who works holds a `Running`, tells it how far it is, and asks it whether to stop; where
//! that takes too long (a server that says nothing), the line that it works on is cut. News of it are told ten times a
//! second at most.

use super::api::{Job, JobId, JobState, News, Progress, Task, Unit};
use crate::base::cancel::Cancel;
use crate::base::inbox::Inbox;
use crate::base::safetext::SafeText;
use crate::base::spawn::spawn;
use crate::mail::ids::AccountName;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Progress is told at most so often.
const TELL: Duration = Duration::from_millis(100);
/// How long a job may take to stop by itself, before its line is cut.
const GRACE: Duration = Duration::from_millis(500);
/// The longest description.
const MAX_WHAT: usize = 120;

struct Entry {
    job: Job,
    /// What it waits on, if a wait of it can be ended.
    cut: Option<Cancel>,
    /// When news of it were told last.
    told: Option<Instant>,
    /// It is being stopped, and wanted again afterwards.
    again: bool,
}

#[derive(Default)]
struct State {
    last: u64,
    all: BTreeMap<JobId, Entry>,
}

impl State {
    fn of(&mut self, task: &Task) -> Option<&mut Entry> {
        self.all.values_mut().find(|entry| entry.job.task == *task)
    }
}

/// The register. Every clone is the same one.
#[derive(Clone)]
pub struct Jobs {
    state: Arc<Mutex<State>>,
    news: Inbox<News>,
}

impl std::fmt::Debug for Jobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.list()).finish()
    }
}

impl Jobs {
    /// An empty one, whose news go to `news`.
    #[must_use]
    pub fn new(news: Inbox<News>) -> Self {
        Self { state: Arc::default(), news }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here can be half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins `task` for `account`; `cut` is thrown if it does not stop by itself. One that was stopped before stays so: who
    /// holds it is told to stop at once.
    #[must_use]
    pub fn begin(&self, task: Task, account: &AccountName, what: &str, unit: Unit, cut: Option<&Cancel>) -> Running {
        let mut state = self.lock();
        let known = state.of(&task).map(|entry| {
            entry.cut = cut.cloned();
            entry.job.id
        });
        let id = known.unwrap_or_else(|| {
            state.last += 1;
            let id = JobId(state.last);
            let (what, account) = (SafeText::line_max(what, MAX_WHAT), account.clone());
            let job = Job { id, task: task.clone(), account, what, done: 0, total: 0, unit, state: JobState::Running };
            state.all.insert(id, Entry { job, cut: cut.cloned(), told: None, again: false });
            id
        });
        drop(state);
        Running { jobs: self.clone(), id, task }
    }

    /// All of them, oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<Job> {
        self.lock().all.values().map(|entry| entry.job.clone()).collect()
    }

    /// Whether this was stopped, or will be in a moment.
    #[must_use]
    pub fn is_stopped(&self, task: &Task) -> bool {
        self.lock().of(task).is_some_and(|entry| entry.job.state != JobState::Running)
    }

    /// Stops one. Never blocks: what does not stop by itself is cut off a little later. False if there is none such.
    #[must_use]
    pub fn stop(&self, id: JobId) -> bool {
        let mut state = self.lock();
        let Some(entry) = state.all.get_mut(&id) else { return false };
        if entry.job.state != JobState::Running {
            return true;
        }
        entry.job.state = JobState::Stopping;
        drop(state);
        self.changed();
        let late = self.clone();
        let waits = spawn("stop", move || {
            std::thread::sleep(GRACE);
            late.cut(id);
        });
        if waits.is_err() {
            // No thread to wait with: then at once.
            self.cut(id);
        }
        true
    }

    fn cut(&self, id: JobId) {
        let state = self.lock();
        let cut = state.all.get(&id).filter(|e| e.job.state == JobState::Stopping).and_then(|e| e.cut.clone());
        drop(state);
        cut.iter().for_each(Cancel::ring);
    }

    /// Lets what was stopped of `account` go on: forgets that it was. Those whose work it is begin anew.
    pub fn restart(&self, account: &AccountName) {
        let mut state = self.lock();
        let before = state.all.len();
        state.all.retain(|_, entry| entry.job.state != JobState::Stopped || entry.job.account != *account);
        let some = state.all.len() != before;
        drop(state);
        if some {
            self.changed();
        }
    }

    /// What was stopped of this task is wanted again: it begins anew, as soon as it has stopped. Whether it was, or is being
    /// stopped.
    pub fn forget(&self, task: &Task) -> bool {
        let mut state = self.lock();
        let stopped = state.of(task).is_some_and(|entry| {
            entry.again = entry.job.state == JobState::Stopping;
            entry.job.state != JobState::Running
        });
        let before = state.all.len();
        state.all.retain(|_, entry| entry.job.state != JobState::Stopped || entry.job.task != *task);
        let some = state.all.len() != before;
        drop(state);
        if some {
            self.changed();
        }
        stopped
    }

    fn changed(&self) {
        self.news.put(|news| news.jobs = true);
    }

    fn tell(&self, task: &Task, progress: Option<Progress>) {
        self.news.put(|news| {
            news.jobs = true;
            news.progress.insert(task.clone(), progress);
        });
    }

    fn end(&self, id: JobId) {
        let mut state = self.lock();
        let Some(entry) = state.all.get_mut(&id) else { return };
        entry.cut = None;
        let (task, told) = (entry.job.task.clone(), entry.told.take().is_some());
        let stopped = entry.job.state != JobState::Running;
        // What was sent or not is seen in the outbox.
        if stopped && !entry.again && !matches!(task, Task::Send(_)) {
            entry.job.state = JobState::Stopped;
        } else {
            state.all.remove(&id);
        }
        drop(state);
        if told || stopped {
            self.tell(&task, None);
        }
    }
}

/// A job at work. It ends when this is dropped.
#[derive(Debug)]
pub struct Running {
    jobs: Jobs,
    id: JobId,
    task: Task,
}

impl Running {
    /// How far it is, and how far it is to go (0 if not known).
    pub fn at(&self, done: u64, total: u64) {
        let mut state = self.jobs.lock();
        let Some(entry) = state.all.get_mut(&self.id) else { return };
        (entry.job.done, entry.job.total) = (done, total);
        if entry.told.is_some_and(|at| at.elapsed() < TELL) {
            return;
        }
        entry.told = Some(Instant::now());
        let progress = Progress { what: entry.job.what.clone(), done, total, unit: entry.job.unit };
        drop(state);
        self.jobs.tell(&self.task, Some(progress));
    }

    /// Whether it is to stop: soon, or its line is cut.
    #[must_use]
    pub fn must_stop(&self) -> bool {
        self.jobs.lock().all.get(&self.id).is_some_and(|entry| entry.job.state != JobState::Running)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.jobs.end(self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::ids::{MailboxId, OutboxId};

    #[test]
    fn one_that_is_stopped_stays_so_until_it_is_let_go_on() {
        let jobs = Jobs::new(Inbox::new().unwrap());
        let (me, cut) = (AccountName::new("me"), Cancel::new().unwrap());
        let task = || Task::Sync(me.clone(), MailboxId(1));
        let run = jobs.begin(task(), &me, "reading INBOX", Unit::Messages, Some(&cut));
        run.at(3, 10);
        let job = jobs.list().pop().unwrap();
        assert_eq!((job.done, job.total, job.state), (3, 10, JobState::Running));
        assert!(jobs.stop(job.id) && run.must_stop() && jobs.is_stopped(&task()));
        drop(run);
        assert_eq!(jobs.list()[0].state, JobState::Stopped);
        std::thread::sleep(GRACE + Duration::from_millis(100));
        assert!(!cut.is_set(), "it stopped by itself");
        let run = jobs.begin(task(), &me, "reading INBOX", Unit::Messages, Some(&cut));
        assert!(run.must_stop() && jobs.list()[0].id == job.id);
        drop(run);
        jobs.restart(&me);
        assert!(jobs.list().is_empty() && !jobs.stop(job.id));
        // Wanted again while it is being stopped: the next one runs.
        let run = jobs.begin(task(), &me, "reading INBOX", Unit::Messages, Some(&cut));
        assert!(!jobs.forget(&task()) && jobs.stop(jobs.list()[0].id) && jobs.forget(&task()) && run.must_stop());
        drop(run);
        assert!(!jobs.begin(task(), &me, "reading INBOX", Unit::Messages, Some(&cut)).must_stop());
    }

    #[test]
    fn one_that_does_not_stop_is_cut_off_within_a_second_and_news_are_few() {
        let news = Inbox::new().unwrap();
        let jobs = Jobs::new(news.clone());
        let me = AccountName::new("me");
        crate::base::clock::quick(Duration::from_secs(1), || {
            let cut = Cancel::new().unwrap();
            let run = jobs.begin(Task::Send(OutboxId(1)), &me, "sending", Unit::Octets, Some(&cut));
            let begun = Instant::now();
            assert!(jobs.stop(jobs.list()[0].id));
            crate::base::park::park(&crate::base::waker::Waker::new().unwrap(), &cut, Some(begun + Duration::from_secs(5)));
            let took = begun.elapsed();
            assert!(cut.is_set());
            drop(run);
            assert!(jobs.list().is_empty() && news.take().jobs);
            // It was stopped: begun again it would be stopped at once.
            jobs.restart(&me);
            took
        });
        let run = jobs.begin(Task::Index(me.clone()), &me, "indexing", Unit::Messages, None);
        let mut rings = 0;
        for n in 0..1_000 {
            run.at(n, 1_000);
            rings += u32::from(news.take().jobs);
        }
        assert!(rings < 20, "{rings}");
    }
}
