//! jobs_tests — what runs: shown with how far it is, stopped by a key.
//! Owns: nothing. May import: ui.
//! Start reading at: `job`.

use super::stage::Stage;
use super::tests::each_size;
use crate::app::msg;
use crate::base::safetext::SafeText;
use crate::engine::api::{Answer, Job, JobId, JobState, News, Request, Rows, Task, Unit};
use crate::mail::ids::AccountName;

fn job(id: u64, account: &str, what: &str, (done, total): (u64, u64), unit: Unit, state: JobState) -> Job {
    let account = AccountName::new(account);
    Job { id: JobId(id), task: Task::Bodies(account.clone()), account, what: SafeText::line(what), done, total, unit, state }
}

fn fill(stage: &mut Stage, jobs: Vec<Job>) {
    let answer = Answer { generation: u64::MAX, rows: Ok(Rows::Jobs(jobs)) };
    stage.news(News { answers: [(msg::JOBS, answer)].into(), ..News::default() });
}

fn several() -> Vec<Job> {
    vec![
        job(1, "work", "reading Archive", (4_200, 61_000), Unit::Messages, JobState::Running),
        job(2, "work", "fetching 佐藤 健.pdf", (1_200_000, 40_000_000), Unit::Octets, JobState::Running),
        job(3, "home", "fetching texts", (300, 0), Unit::Messages, JobState::Stopping),
        job(4, "home", "reading Lists/kernel", (10, 9_000), Unit::Messages, JobState::Stopped),
    ]
}

#[test]
fn screens_of_what_runs() {
    each_size("jobs", |s| {
        s.press("g r");
        fill(s, several());
        s.press("j");
    });
    each_size("jobs-none", |s| s.press("g r"));
}

#[test]
fn the_job_under_the_cursor_is_stopped_also_after_others_ended() {
    let mut s = Stage::new(80, 24);
    s.press("g r");
    fill(&mut s, several());
    s.press("j j");
    s.requests.clear();
    fill(&mut s, several().split_off(1));
    s.press("x");
    assert_eq!(s.requests, [Request::StopJob(JobId(3))]);
    fill(&mut s, vec![]);
    s.press("Enter");
    assert!(s.text().contains("Nothing runs here") && s.requests.len() == 1);
    s.press("q");
    assert_eq!(*s.app.screen(), crate::app::screen::Screen::Mail);
}
