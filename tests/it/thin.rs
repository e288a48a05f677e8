//! thin — a file over a line of 1 Mbit/s and 200 ms that breaks in the middle of it: it goes on where it was, also in the middle of
//! an encoded line, is the same in the end, and is stopped within a second.
//! Start reading at: `over_a_thin_line`.

use crate::mailhost::proxy::{End, Line};
use crate::parts::{before, file, opened, path, view};
use crate::person::{until, within_a_second};
use postrider::engine::Engine;
use postrider::engine::api::{JobState, Piece, PieceState, Query, Request, Rows, Task};
use std::time::{Duration, Instant};

/// Of the file, in octets.
const SIZE: usize = 500_000;
/// The largest piece that is asked for over such a line, in octets.
const PIECE: u64 = 128 * 1024;
/// 1 Mbit/s, 200 ms there and back.
fn thin() -> Line {
    Line { rate: Some(125_000), latency: Duration::from_millis(100), ..Line::default() }
}

fn over_a_thin_line(without: &str, encoded: u64) {
    let bytes = file(SIZE);
    let (person, proxy, engine, id) = before(&format!("keep = {{ bodies = \"none\" }}\nwithout = [{without}]"), &bytes);
    opened(&engine, id);
    let part = Piece::Part(path("2"));
    let state = |engine: &Engine| view(engine, id).pieces.into_iter().find(|(p, _)| *p == part).map(|(_, state)| state);
    let done = |engine: &Engine| match state(engine) {
        Some(PieceState::Coming { done, .. }) => done,
        _ => 0,
    };
    let begun = proxy.bytes().0;
    let after = |engine: &Engine, octets: u64| {
        let from = proxy.bytes().0;
        until(engine, "some of it", |_| (proxy.bytes().0 > from + octets).then_some(()));
    };
    proxy.set(thin());
    engine.perform(Request::FetchPart { message: id, piece: part.clone() }).unwrap();
    // In the middle of its first piece, and in the middle of a later one: what came before stays.
    after(&engine, 40_000);
    proxy.end_all(End::Reset);
    until(&engine, "its first piece", |_| (done(&engine) > 90_000).then_some(()));
    let kept = done(&engine);
    after(&engine, 20_000);
    proxy.end_all(End::Reset);
    let running = || {
        let Ok(Rows::Jobs(jobs)) = engine.ask(&Query::Jobs) else { panic!() };
        jobs.into_iter().find(|job| matches!(job.task, Task::Piece(..)) && job.state == JobState::Running && job.done >= kept)
    };
    after(&engine, 20_000);
    let mut stops = 0;
    // Half of it is the job's own (`GRACE`).
    within_a_second(|| {
        stops += 1;
        if stops > 1 {
            engine.perform(Request::FetchPart { message: id, piece: part.clone() }).unwrap();
        }
        // The one of the line that broke may still be listed: then it is over, and another one follows.
        let stopped = until(&engine, "that it goes on", |_| {
            let (job, now) = (running()?, Instant::now());
            engine.perform(Request::StopJob(job.id)).is_ok().then_some(now)
        });
        until(&engine, "the stop", |_| matches!(state(&engine), Some(PieceState::Failed(_))).then_some(()));
        stopped.elapsed()
    });
    let folder = person.dir.path().to_owned();
    let save = Request::SavePart { message: id, part: path("2"), folder, name: "plan.pdf".into(), to_open: false };
    let saved = engine.perform(save).unwrap();
    assert!(std::fs::read(saved.path.unwrap()).unwrap() == bytes);
    let came = proxy.bytes().0 - begun;
    eprintln!("{} octets over a thin line, broken twice and stopped: {came} octets came", bytes.len());
    // Of each break at most the piece is lost that was on its way, of which none is larger here; the rest is logging in again.
    assert!(came < encoded + (2 + stops) * PIECE + 100_000, "it did not begin anew: {came}");
}

#[test]
fn a_file_without_its_encoding_goes_on() {
    over_a_thin_line("", SIZE as u64);
}

#[test]
fn without_binary_it_goes_on_in_the_middle_of_a_line() {
    over_a_thin_line("\"BINARY\"", SIZE as u64 * 78 / 57);
}
