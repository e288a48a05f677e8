//! jobs — the screen of what runs that takes long: how far it is, and that it can be stopped.
//! Owns: `Jobs`. May import: engine::api.
//! Start reading at: `Jobs::fill`.

use crate::engine::api::{Job, JobState};

/// The screen.
#[derive(Default, Debug)]
pub struct Jobs {
    rows: Vec<Job>,
    cursor: usize,
    top: usize,
    height: usize,
}

impl Jobs {
    /// Takes the jobs in; the cursor stays on its own.
    pub fn fill(&mut self, rows: Vec<Job>) {
        let held = self.current().map(|j| j.id);
        self.rows = rows;
        if let Some(n) = self.rows.iter().position(|j| Some(j.id) == held) {
            self.cursor = n;
        }
        self.settle();
    }

    fn settle(&mut self) {
        self.cursor = self.cursor.min(self.rows.len().saturating_sub(1));
        let height = self.height.max(1);
        let lowest_top = self.rows.len().saturating_sub(height);
        self.top = self.top.min(self.cursor).max((self.cursor + 1).saturating_sub(height)).min(lowest_top);
    }

    /// Moves by so many lines.
    pub fn step(&mut self, by: isize) {
        self.cursor = self.cursor.saturating_add_signed(by);
        self.settle();
    }

    /// To the first or the last line.
    pub fn end(&mut self, last: bool) {
        self.cursor = if last { self.rows.len() } else { 0 };
        self.settle();
    }

    /// Moves by pages.
    pub fn page(&mut self, down: bool) {
        let by = self.height.max(2).cast_signed() - 1;
        self.step(if down { by } else { -by });
    }

    /// Puts the cursor on a line of the screen.
    pub fn point(&mut self, line: usize) {
        self.cursor = self.top + line;
        self.settle();
    }

    /// How many lines can be seen.
    pub fn set_height(&mut self, height: usize) {
        self.height = height;
        self.settle();
    }

    /// The job under the cursor.
    #[must_use]
    pub fn current(&self) -> Option<&Job> {
        self.rows.get(self.cursor)
    }

    /// The lines that can be seen, each with whether it is the cursor's.
    pub fn visible(&self) -> impl Iterator<Item = (&Job, bool)> {
        self.rows.iter().enumerate().skip(self.top).take(self.height).map(|(n, j)| (j, n == self.cursor))
    }

    /// Whether any was stopped and can go on.
    #[must_use]
    pub fn any_stopped(&self) -> bool {
        self.rows.iter().any(|j| j.state == JobState::Stopped)
    }
}
