//! job — one piece of work that takes long, as the person sees it: what, for whom, how far, and whether it goes on.
//! Owns: `Job`, `JobId`, `JobState`, `Unit`. May import: mail, base.
//! Start reading at: `Job`. `Query::Jobs` lists them; `Request::StopJob` stops one within a second; `Request::Refresh` lets
//! what was stopped go on.

use super::Task;
use crate::base::safetext::SafeText;
use crate::mail::ids::AccountName;

/// Names one job as long as it is listed. Never used again while the program runs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct JobId(pub u64);

/// One job.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Job {
    /// Its number.
    pub id: JobId,
    /// What it is about, for those who draw it where it belongs.
    pub task: Task,
    /// Whose.
    pub account: AccountName,
    /// In words: "reading INBOX".
    pub what: SafeText,
    /// How far it is, in `unit`.
    pub done: u64,
    /// How far it is to go; 0 if not known.
    pub total: u64,
    /// What is counted.
    pub unit: Unit,
    /// Whether it goes on.
    pub state: JobState,
}

/// What a job counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// Messages.
    Messages,
    /// Octets.
    Octets,
}

/// Whether a job goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JobState {
    /// It is asked for, and begins when there is a connection, or when a pause ends.
    Waiting,
    /// It runs.
    Running,
    /// It was told to stop, and will within a second.
    Stopping,
    /// It was stopped; `Request::Refresh` lets it go on.
    Stopped,
}
