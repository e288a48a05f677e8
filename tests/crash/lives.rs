//! lives — what else is killed after each step: a command over two accounts, a mail written, kept and sent, an older cache and journal
//! brought up to date, an index that is built anew (security F-01). Each starts again and ends as if it had not been killed.
//! Start reading at: `Life::row`. `POSTRIDER_FULL=1` takes every step, else they are taken evenly.

use super::day::{Day, Run, Saved};
use super::matrix::{Ends, ends, good_pass};
use super::sync;
use std::fmt::Debug;
use std::fs;
use std::path::Path;
use std::process::Command;

/// How many steps are taken in the ordinary run.
const SAMPLES: u64 = 4;
/// A step that only looks random.
pub const SPREAD: u64 = 0x9e37_79b9;

/// Something that is done in one life of the program, on a state of the world.
pub struct Life<'a, T> {
    pub name: &'static str,
    pub day: &'a Day,
    pub start: &'a Saved,
    /// The program, with this in its environment: its exit code.
    pub live: &'a dyn Fn(&str, &Path) -> i32,
    /// What is done once it is alive again, until nothing is left to do.
    pub recover: &'a dyn Fn(),
    /// What is left.
    pub ends: &'a dyn Fn() -> T,
}

impl<T: PartialEq + Debug> Life<'_, T> {
    fn killed(&self, at: u64) -> bool {
        let code = (self.live)("POSTRIDER_CRASH_AT", at.to_string().as_ref());
        assert!(code == 100 || code == 0, "{}, step {at}: exit {code}: {}", self.name, self.day.said());
        code == 100
    }

    /// A row of the table: how many steps there are, at how many it was killed, and how often once more.
    pub fn row(&self) -> (u64, u64, u64) {
        let log = self.day.dir.path().join("steps");
        let _ = fs::remove_file(&log);
        self.day.restore(self.start);
        let code = (self.live)("POSTRIDER_CRASH_LOG", &log);
        assert_eq!(code, 0, "{}: {}", self.name, self.day.said());
        let steps = u64::try_from(fs::read_to_string(&log).unwrap().lines().count()).unwrap();
        (self.recover)();
        let whole = (self.ends)();
        let full = std::env::var_os("POSTRIDER_FULL").is_some();
        let stride = if full { 1 } else { steps.div_ceil(SAMPLES).max(1) };
        let (mut kills, mut pairs, mut at) = (0, 0, 1);
        while at <= steps {
            self.day.restore(self.start);
            kills += u64::from(self.killed(at));
            let second = at.wrapping_mul(SPREAD) % steps + 1;
            pairs += u64::from(self.killed(second));
            (self.recover)();
            assert_eq!((self.ends)(), whole, "{}, killed after step {at}, then {second}: {:?}", self.name, self.day.left());
            at += stride;
        }
        println!("{:28} {steps:4} steps {kills:4} killed at {pairs:4} killed twice    0 failures", self.name);
        assert!(kills > 0, "{}: never killed", self.name);
        (steps, kills, pairs)
    }
}

/// Runs these one after the other with this in their environment, whatever comes of it: killed after the n-th step of all of them. The
/// last exit code that is not 0.
pub fn programs(day: &Day, runs: &[Run], name: &str, value: &Path) -> i32 {
    let log = day.dir.path().join("done");
    let _ = fs::remove_file(&log);
    let mut last = 0;
    for run in runs {
        let mut command = Command::new(super::day::binary());
        command.arg("--profile").arg(day.home()).args(&run.args).env("POSTRIDER_CRASH_LOG", &log);
        if name == "POSTRIDER_CRASH_AT" {
            let done = fs::read_to_string(&log).map_or(0, |text| text.lines().count() as u64);
            let at: u64 = value.to_str().unwrap().parse().unwrap();
            command.env(name, at.saturating_sub(done).to_string());
        } else {
            command.env(name, value);
        }
        let code = command.output().unwrap().status.code().unwrap_or(-1);
        day.all_left();
        last = if code == 0 { last } else { code };
        if code == 100 {
            break;
        }
    }
    last
}

/// A command on messages of two accounts, and what tells it to both servers: each message goes to the mailbox of its own account, once.
#[test]
fn a_move_in_two_accounts() {
    let day = Day::two();
    good_pass(&day);
    let all = ["home/INBOX:1", "work/INBOX:1", "home/INBOX:2", "work/INBOX:3"];
    let verb = day.act(&[&["move"][..], &all, &["--to", "Archive"]].concat());
    let start = day.save();
    let name = "move in two accounts";
    let live = |name: &str, value: &Path| {
        // Of a command that is given again some may be done already: that is said, and no failure here.
        let code = programs(&day, &[verb.clone(), sync()], name, value);
        if code == 100 { code } else { 0 }
    };
    let recover = || {
        day.run(&verb, None);
        good_pass(&day);
        day.rests();
        let there = day.server();
        let archived = there.iter().filter(|(place, ..)| place.ends_with("Archive")).count();
        assert_eq!((archived, there.len()), (4, 10), "{name}: {there:?}");
    };
    let life = Life { name, day: &day, start: &start, live: &live, recover: &recover, ends: &|| -> Ends { ends(&day) } };
    let (steps, ..) = life.row();
    assert!(steps > 10, "{steps} steps");
}
