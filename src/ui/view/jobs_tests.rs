//! jobs_tests — what runs: shown with how far it is, stopped by a key.
//! Owns: nothing. May import: ui.
//! Start reading at: `job`.

use super::stage::Stage;
use super::tests::each_size;
use crate::app::msg;
use crate::base::safetext::SafeText;
use crate::engine::api::{Answer, Job, JobId, JobState, News, Progress, Request, Rows, Task, Unit};
use crate::mail::ids::AccountName;
use std::time::Duration;

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
        job(5, "work", "fetching minutes.odt", (0, 0), Unit::Octets, JobState::Waiting),
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

/// What takes longer than a second is named on the last line, the oldest first, and no timer runs for it.
#[test]
fn what_takes_long_is_named_on_the_last_line() {
    let progress = |what: &str, done, total, unit| Some(Progress { what: SafeText::line(what), done, total, unit });
    let (work, home) = (Task::Bodies(AccountName::new("work")), Task::Bodies(AccountName::new("home")));
    let tell = |s: &mut Stage, task: &Task, progress| {
        s.news(News { progress: [(task.clone(), progress)].into(), ..News::default() });
    };
    let last = |s: &Stage| s.text().lines().last().unwrap().to_owned();
    each_size("working", |s| {
        tell(
            s,
            &work,
            progress("fetching Plan of the cellar, third draft, with the pipes.pdf", 1_200_000, 40_000_000, Unit::Octets),
        );
        let before = last(s);
        s.wait(Duration::from_millis(500));
        tell(s, &home, progress("reading Archive", 4_200, 61_000, Unit::Messages));
        assert_eq!(last(s), before);
        s.wait(Duration::from_millis(500));
    });
    let mut s = Stage::new(80, 24);
    tell(&mut s, &home, progress("reading Archive", 4_200, 61_000, Unit::Messages));
    s.wait(Duration::from_secs(1));
    assert!(last(&s).contains("reading Archive 4,200 of 61,000") && last(&s).contains("? keys"), "{}", last(&s));
    assert_eq!(s.app.status().deadline(s.since), None, "nothing is drawn before there are news");
    tell(&mut s, &home, None);
    assert!(!last(&s).contains("Archive"));
    let mut tiny = Stage::new(30, 8);
    tell(&mut tiny, &home, progress("reading Archive", 4_200, 61_000, Unit::Messages));
    tiny.wait(Duration::from_secs(1));
    assert!(!tiny.text().contains("4,200"), "{}", tiny.text());
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
