//! lines — the scenarios of `matrix.rs` over lines that are slow, thin, cut in either direction, reset or dead: each scenario over
//! each of them ends as it does over a good one, and a further pass does nothing (issue 3, "Faults").
//! Start reading at: `LINES`. In the ordinary run each scenario has some of them, each of them some scenario; `POSTRIDER_FULL=1` takes
//! them all, each cut at several places. `POSTRIDER_ROW=word` takes only scenarios with that word.

use super::day::{Day, Kind, Run};
use super::mailhost::host;
use super::mailhost::proxy::{End, Line, Proxy};
use super::matrix::{Ends, Other, Scenario, begun, ends, good_pass, scenarios};
use super::side_by_side;
use std::fs;
use std::time::Duration;

/// How many lines a scenario has in the ordinary run.
const SOME: usize = 2;
/// At how many places each line is cut in the full run.
const PLACES: u64 = 4;

/// What can be wrong with a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Bad {
    /// 200 ms there and back.
    Far,
    /// Few octets a second, each way.
    Thin,
    /// From the server, after so many octets of its connection: closed, reset, or nothing more comes.
    Down(End),
    /// The same for what goes to the server.
    Up(End),
}

const LINES: [Bad; 8] = [
    Bad::Down(End::Reset),
    Bad::Up(End::Close),
    Bad::Far,
    Bad::Up(End::Reset),
    Bad::Down(End::Close),
    Bad::Thin,
    Bad::Up(End::Silence),
    Bad::Down(End::Silence),
];

/// Octets before the first command: cut there it would only be a server that cannot be reached.
const fn handshake(up: bool) -> u64 {
    if up { 500 } else { 1_200 }
}

impl Bad {
    /// The line, cut at `place` of so many; `all` are the octets of a whole pass, from the server and to it.
    fn line(self, place: u64, of: u64, all: (u64, u64)) -> Line {
        let at = |up: bool| {
            let (first, last) = (handshake(up), if up { all.1 } else { all.0 }.max(handshake(up) + 1));
            first + (last - first) * (2 * place + 1) / (2 * of)
        };
        match self {
            Bad::Far => Line { latency: Duration::from_millis(100), ..Line::default() },
            Bad::Thin => Line { rate: Some(10_000), ..Line::default() },
            Bad::Down(how) => Line { cut: Some((at(false), how)), ..Line::default() },
            Bad::Up(how) => Line { cut_up: Some((at(true), how)), ..Line::default() },
        }
    }

    fn is_dead(self) -> bool {
        matches!(self, Bad::Down(End::Silence) | Bad::Up(End::Silence))
    }

    fn is_cut(self) -> bool {
        !matches!(self, Bad::Far | Bad::Thin)
    }
}

/// So long nothing comes on a dead line before the system finds out and resets it. What the program itself does about silence is in
/// `tests/it/watch.rs` and `tests/vectors/patience.rs`.
const DEAD: Duration = Duration::from_millis(700);

/// A pass over the proxy: no longer than the line lets it. Whether it failed.
fn bad_pass(day: &Day, proxy: &Proxy, bad: Bad, what: &str) -> bool {
    let over = std::sync::mpsc::channel::<()>();
    let code = std::thread::scope(|all| {
        let (done, wait) = over;
        if bad.is_dead() {
            all.spawn(move || {
                // Every connection, also the next one.
                while wait.recv_timeout(DEAD) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                    proxy.end_all(End::Reset);
                }
            });
        }
        let code = day.run(&Run::of(&["sync"]), None);
        drop(done);
        code
    });
    // Whatever it says, it says it in order: 101 would be a panic.
    assert!((0..=78).contains(&code), "{what}: exit {code}: {}", day.said());
    assert!(bad.is_cut() || code == 0, "{what}: exit {code}: {}", day.said());
    code != 0
}

/// The profile's way to the server goes through here.
fn through(day: &Day, proxy: &Proxy) {
    let file = day.home().join("config.toml");
    let text = fs::read_to_string(&file).unwrap();
    let [old, new] = [host().imaps, proxy.port].map(|port| format!("port = {port} }}"));
    assert_eq!(text.matches(&old).count(), 1, "{text}");
    fs::write(&file, text.replace(&old, &new)).unwrap();
}

/// A scenario over these lines, each with so many cuts. How many passes there were, and how many of them failed.
fn row(scenario: &Scenario, lines: &[Bad], places: u64) -> (u64, u64) {
    let day = Day::without(Kind::Dovecot, scenario.without);
    let start = begun(scenario, &day);
    let proxy = Proxy::start(host().imaps, Line::default());

    // How it ends over a good line, and how many octets that takes.
    (scenario.meanwhile)(&mut Other::new(&day));
    through(&day, &proxy);
    good_pass(&day);
    let all = proxy.bytes();
    good_pass(&day);
    let whole: Ends = ends(&day);

    let (mut passes, mut failed) = (0, 0);
    for bad in lines {
        for place in 0..if bad.is_cut() { places } else { 1 } {
            let what = format!("{}, {bad:?}, cut {place} of {places}", scenario.name);
            day.restore(&start);
            scenario.lose(&day);
            through(&day, &proxy);
            proxy.set(bad.line(place, places, all));
            failed += u64::from(bad_pass(&day, &proxy, *bad, &what));
            proxy.set(Line::default());
            (scenario.meanwhile)(&mut Other::new(&day));
            // Once more, a little further: what is left is less.
            proxy.set(bad.line(places - 1 - place, places, (all.0 / 2, all.1 / 2)));
            failed += u64::from(bad_pass(&day, &proxy, *bad, &what));
            proxy.set(Line::default());
            passes += 2;
            good_pass(&day);
            assert_eq!(ends(&day), whole, "{what}: {:?}", day.left());
            if place == 0 {
                day.rests();
                assert_eq!(ends(&day), whole, "{what}: a further pass changes something");
            }
        }
    }
    (passes, failed)
}

#[test]
fn each_scenario_over_each_bad_line() {
    let full = std::env::var_os("POSTRIDER_FULL").is_some();
    let only = std::env::var("POSTRIDER_ROW").unwrap_or_default();
    let all = scenarios();
    let chosen: Vec<(usize, &Scenario)> = all.iter().enumerate().filter(|(_, s)| s.name.contains(&only)).collect();
    let rows = side_by_side(&chosen, |(n, scenario)| {
        let some: Vec<Bad> = (0..SOME).map(|k| LINES[(n * SOME + k) % LINES.len()]).collect();
        let lines = if full { LINES.to_vec() } else { some };
        let (passes, broken) = row(scenario, &lines, if full { PLACES } else { 1 });
        println!("{:32} {} lines {passes:4} passes {broken:4} broken off    0 failures", scenario.name, lines.len());
        (passes, broken)
    });
    let sum = rows.iter().fold((0, 0), |sum, row| (sum.0 + row.0, sum.1 + row.1));
    let how = if full { "every scenario over every line" } else { "some lines each; POSTRIDER_FULL=1 for every one" };
    println!("{:32} {} passes {} broken off ({how})", "all", sum.0, sum.1);
    assert!(sum.1 > 0, "nothing was cut?");
}
