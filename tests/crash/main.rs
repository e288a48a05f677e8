//! crash — the program is killed after every durable step of a day, started again, and the end is the same each time.
//! Needs the feature `fault`, whose hook ends the process after the n-th step (`POSTRIDER_CRASH_AT`).
//! Start reading at: `a_day_on_this_machine`. How many deaths there were is printed (`--nocapture`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../mailhost/mod.rs"]
mod mailhost;

mod asked;
mod day;
mod lines;
mod lives;
mod matrix;
mod older;
mod state;
mod texts;
mod written;

use day::{Day, Deed, Kind, Run};
use std::sync::atomic::{AtomicUsize, Ordering};

const MAIL: &str = "From: Dana <ME>\nTo: SINK\nSubject: Sent once\nMessage-ID: <sent@example.org>\n\nOnce.\n";

/// Every kind of command, each on the world that the one before it left.
fn deeds() -> Vec<Deed> {
    let deed = |name: &'static str, about: &'static str, args: &'static [&'static str]| Deed { name, about, args, input: "" };
    vec![
        deed("flag", "1@example.org", &["flag", "ID", "--add", "flagged", "--add", "$Work"]),
        deed("move", "1@example.org", &["move", "ID", "--to", "Lists/Rust"]),
        deed("copy", "2@example.org", &["copy", "ID", "--to", "Archive"]),
        deed("archive", "3@example.org", &["archive", "ID"]),
        deed("undo", "", &["undo"]),
        deed("delete", "3@example.org", &["delete", "ID"]),
        deed("delete for ever", "5@example.org", &["delete", "ID", "--forever"]),
        Deed { name: "send", about: "", args: &["send", "-t", "--queue-only"], input: MAIL },
    ]
}

/// Kills `run` after its n-th step, for every n, each time on the same world; `check` looks at what is left. How often.
fn each_death(day: &Day, run: &Run, mut check: impl FnMut(&Day, u64)) -> u64 {
    let before = day.save();
    for at in 1.. {
        day.restore(&before);
        match day.run(run, Some(at)) {
            100 => check(day, at),
            0 => return at - 1,
            code => panic!("{run:?} after {at} steps: exit {code}\n{}", day.said()),
        }
    }
    unreachable!()
}

/// Several at a time, since most of each is waiting; the answers in order.
fn side_by_side<T: Sync, R: Send>(all: &[T], each: impl Fn(&T) -> R + Sync) -> Vec<R> {
    const WORKERS: usize = 4;
    let (next, each) = (AtomicUsize::new(0), &each);
    let mut done: Vec<(usize, R)> = std::thread::scope(|threads| {
        let work = || {
            let mine = std::iter::from_fn(|| {
                let n = next.fetch_add(1, Ordering::SeqCst);
                all.get(n).map(|one| (n, each(one)))
            });
            mine.collect::<Vec<_>>()
        };
        let workers: Vec<_> = (0..WORKERS).map(|_| threads.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    done.sort_by_key(|(n, _)| *n);
    done.into_iter().map(|(_, answer)| answer).collect()
}

fn sync() -> Run {
    Run::of(&["sync"])
}

#[test]
fn a_day_on_this_machine() {
    a_day(Kind::Local);
}

#[test]
fn a_day_at_a_server() {
    a_day(Kind::Dovecot);
}

#[test]
fn a_day_at_a_server_without_extensions() {
    a_day(Kind::Bare);
}

fn a_day(kind: Kind) {
    let day = Day::new(kind);
    let mut deaths = Vec::new();
    let mut count = |name: &str, n: u64| deaths.push((name.to_owned(), n));

    // The first look, then one that finds something new.
    for (name, news) in [("first sync", 0), ("next sync", 9)] {
        day.deliver_news(news);
        let before = day.save();
        assert_eq!(day.run(&sync(), None), 0, "{}", day.said());
        let (there, seen) = (day.server(), day.seen());
        day.restore(&before);
        let n = each_death(&day, &sync(), |day, at| {
            // The second start may be killed too.
            day.run(&sync(), Some(at % 5 + 1));
            assert_eq!(day.run(&sync(), None), 0, "{}", day.said());
            assert_eq!((day.server(), day.seen()), (there.clone(), seen.clone()), "{name}, killed after step {at}");
        });
        count(name, n);
    }

    let only = std::env::var("POSTRIDER_DEED").unwrap_or_default();
    for deed in deeds().into_iter().filter(|d| only.is_empty() || d.name == only) {
        let run = day.about(&deed);
        let (before, undone) = (day.save(), day.server());
        assert_eq!(day.run(&run, None), 0, "{}: {}", deed.name, day.said());
        let intended = day.save();
        day.wait_for_holds(&deed);
        assert_eq!(day.run(&sync(), None), 0, "{}: {}", deed.name, day.said());
        let arrive = |day: &Day| {
            if deed.name == "send" {
                day.wait_for_arrival()
            }
        };
        arrive(&day);
        let (after, done) = (day.save(), day.server());
        assert_ne!(done, undone, "{} does something", deed.name);

        // Killed while the command is written down: it is done whole, or not at all and can be given again.
        day.restore(&before);
        let written = each_death(&day, &run, |day, at| {
            day.wait_for_holds(&deed);
            // What is in the outbox goes out now; else nobody knows of it, and it is given again.
            let queued = day.outbox() > 0;
            assert_eq!(day.run(&sync(), None), 0, "{}: {}", deed.name, day.said());
            if queued {
                arrive(day);
            }
            let now = day.server();
            if now != done {
                assert_eq!(now, undone, "{}, killed after step {at}: half done", deed.name);
                assert_eq!(day.run(&run, None), 0, "{}: {}", deed.name, day.said());
                day.wait_for_holds(&deed);
                assert_eq!(day.run(&sync(), None), 0, "{}: {}", deed.name, day.said());
                arrive(day);
                assert_eq!(day.server(), done, "{}, killed after step {at}, given again", deed.name);
            }
        });
        count(deed.name, written);

        // Killed while the server is told: told once.
        day.restore(&intended);
        day.wait_for_holds(&deed);
        let told = each_death(&day, &sync(), |day, at| {
            day.run(&sync(), Some(at % 7 + 1));
            assert_eq!(day.run(&sync(), None), 0, "{}: {}", deed.name, day.said());
            day.settle_unknown();
            arrive(day);
            assert_eq!(day.server(), done, "{}, killed after step {at} of telling", deed.name);
            assert_eq!(day.queue(), 0, "{}, killed after step {at} of telling: something is left", deed.name);
        });
        count(&format!("telling the server: {}", deed.name), told);
        day.restore(&after);
    }
    for (name, n) in &deaths {
        println!("{kind:?}: {n:4} deaths: {name}");
    }
    println!("{kind:?}: {:4} deaths in all", deaths.iter().map(|(_, n)| n).sum::<u64>());
}
