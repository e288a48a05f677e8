//! jobs — what runs is listed, is stopped within a second, and goes on when the person says so.
//! Start reading at: `a_first_fill_is_stopped_and_goes_on`.

use crate::mailhost::proxy::{Line, Proxy};
use crate::mailhost::{host, user};
use crate::person::{Person, is_live, live, rows, until, within_a_second};
use postrider::engine::Engine;
use postrider::engine::api::{Job, JobState, OutboxState, Query, Request, Rows, Task};
use postrider::mail::address::Address;
use postrider::mail::draft::Draft;
use postrider::mail::ids::AccountName;
use std::time::{Duration, Instant};

fn jobs(engine: &Engine) -> Vec<Job> {
    let Ok(Rows::Jobs(jobs)) = engine.ask(&Query::Jobs) else { panic!() };
    jobs
}

/// Puts `count` mails into the inbox, as their delivery would: quicker than by APPEND.
fn fill(person: &Person, count: u32) {
    let mut other = person.other();
    crate::person::put(&mut other, "INBOX", "first");
    for n in 0..count {
        let text =
            format!("From: a{n}@b.example\nSubject: s{n}\nMessage-ID: <{n}@b>\nTo: {}\n\nHello {n}.\n", "x@y, ".repeat(40));
        person.deliver(&format!("{n:05}"), &text);
    }
}

/// On a thin line, so that it takes long: also in the middle of a window.
#[test]
fn a_first_fill_is_stopped_and_goes_on() {
    within_a_second(stopped_fill);
}

/// How long it took until it stood still.
fn stopped_fill() -> Duration {
    let mut person = Person::new(user());
    fill(&person, 600);
    let proxy = Proxy::start(host().imaps, Line { rate: Some(60_000), ..Line::default() });
    person.imap = proxy.port;
    // Compressed, all of it would come in one piece.
    person.more = "without = [\"COMPRESS=DEFLATE\"]\n".into();
    let engine = person.start();
    // The first rows come by themselves; this is the rest.
    let (mut connected, mut begun) = (false, Instant::now());
    let job = until(&engine, "the job", |news| {
        connected |= is_live(news);
        let running = |j: &Job| matches!(j.task, Task::Sync(..)) && j.done > 64 && j.done < j.total;
        let job = jobs(&engine).into_iter().find(running)?;
        begun = Instant::now();
        // One that ended just now is followed by the next.
        engine.perform(Request::StopJob(job.id)).is_ok().then_some(job)
    });
    assert_eq!((job.what.as_str(), job.total, job.state), ("reading INBOX", 601, JobState::Running));
    until(&engine, "the stop", |news| {
        connected |= is_live(news);
        jobs(&engine).iter().any(|j| j.id == job.id && j.state == JobState::Stopped).then_some(())
    });
    let took = begun.elapsed();
    // Everything else goes on, and this does not.
    if !connected {
        live(&engine);
    }
    let so_far = rows(&engine, "INBOX").len();
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(rows(&engine, "INBOX").len(), so_far);
    assert!(so_far < 500, "{so_far}");
    proxy.set(Line::default());
    engine.perform(Request::Refresh { account: None }).unwrap();
    let inbox = crate::person::id(&engine, "INBOX").unwrap();
    until(&engine, "the rest", |_| {
        crate::person::mailboxes(&engine).iter().any(|m| m.id == inbox && m.total == 601).then_some(())
    });
    took
}

/// Nothing answers: the line is cut, the mail waits for the person, and a refresh sends it.
#[test]
fn sending_is_stopped_and_goes_on() {
    within_a_second(stopped_sending);
}

/// How long it took until the mail waited for the person. Half a second of it is the job's own (`GRACE`).
fn stopped_sending() -> Duration {
    let mut person = Person::new(user());
    let proxy = Proxy::start(host().submissions, Line { latency: Duration::from_secs(8), ..Line::default() });
    person.smtp = proxy.port;
    let engine = person.start();
    live(&engine);
    let me = Address::new("", &person.name);
    let draft = Draft { from: me.clone(), to: vec![me], subject: "slow".into(), body: "x\n".into(), ..Draft::default() };
    let account = AccountName::new("me");
    engine.perform(Request::Send { id: None, account, draft: Box::new(draft), hold: 0 }).unwrap();
    let find = || jobs(&engine).into_iter().find(|j| matches!(j.task, Task::Send(_)));
    let job = until(&engine, "the job", |_| find());
    let begun = Instant::now();
    engine.perform(Request::StopJob(job.id)).unwrap();
    let state = || {
        let Ok(Rows::Outbox(rows)) = engine.ask(&Query::Outbox) else { panic!() };
        rows.first().map(|r| (r.state, r.attempts))
    };
    until(&engine, "the stop", |_| (state() == Some((OutboxState::NeedsUser, 0))).then_some(()));
    let took = begun.elapsed();
    assert!(find().is_none());
    proxy.set(Line::default());
    engine.perform(Request::Refresh { account: None }).unwrap();
    until(&engine, "an empty outbox", |_| state().is_none().then_some(()));
    took
}
