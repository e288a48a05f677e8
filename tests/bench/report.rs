//! report — figures beside their bars.

use rustix::io::Errno;
use std::time::{Duration, Instant};

/// What was measured.
#[derive(Default)]
pub struct Report {
    over: Vec<String>,
    silent: bool,
}

impl Report {
    /// One that nobody reads.
    pub fn silent() -> Self {
        Self { silent: true, ..Self::default() }
    }

    /// A heading.
    pub fn section(&self, name: &str) {
        if !self.silent {
            println!("\n## {name}");
        }
    }

    /// A figure without a bar.
    pub fn note(&self, what: &str, value: &str) {
        if !self.silent {
            println!("{what:<58} {value:>14}");
        }
    }

    /// A figure in `unit` with the bar that it must not be over.
    pub fn check(&mut self, what: &str, value: f64, bar: f64, unit: &str) {
        if self.silent {
            return;
        }
        let verdict = if value <= bar { "" } else { "  OVER" };
        println!("{what:<58} {:>14} (bar {}){verdict}", format!("{value:.2} {unit}"), format_args!("{bar} {unit}"));
        if value > bar {
            self.over.push(what.to_owned());
        }
    }

    /// The exit code.
    pub fn end(&self) -> i32 {
        if self.over.is_empty() {
            println!("\nAll figures are within their bars.");
            return 0;
        }
        println!("\nOver the bar: {}", self.over.join(", "));
        1
    }
}

/// In milliseconds.
pub fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Seconds of processor time that this process has used, all threads together: unlike the clock, it does not depend on what
/// else the machine is doing.
pub fn processor() -> f64 {
    processor_of("self").expect("this process runs")
}

/// ... of another process (its number), or one of its threads (`PID/task/ID`); none where that has ended, before this or just now.
pub fn processor_of(what: &str) -> Option<f64> {
    // utime and stime.
    ticks(what, 11)
}

/// ... of all children of this process that have ended and were waited for.
pub fn processor_of_children() -> f64 {
    // cutime and cstime.
    ticks("self", 13).expect("this process runs")
}

/// Two neighbouring fields of a `stat` (proc(5)), counted after the name, added up: in ticks of 1/100 s there, in seconds here.
fn ticks(what: &str, first: usize) -> Option<f64> {
    let stat = match std::fs::read_to_string(format!("/proc/{what}/stat")) {
        Ok(stat) => stat,
        // Its name is gone; or it went between being opened and being read.
        Err(e) if matches!(Errno::from_io_error(&e), Some(Errno::NOENT | Errno::SRCH)) => return None,
        Err(e) => panic!("/proc/{what}/stat: {e}"),
    };
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    Some((fields[first].parse::<f64>().unwrap() + fields[first + 1].parse::<f64>().unwrap()) / 100.0)
}

/// The median and the worst of `times` runs, in milliseconds.
pub fn times(times: usize, mut run: impl FnMut()) -> (f64, f64) {
    let mut all: Vec<f64> = (0..times)
        .map(|_| {
            let start = Instant::now();
            run();
            ms(start.elapsed())
        })
        .collect();
    all.sort_by(f64::total_cmp);
    (all[all.len() / 2], all[all.len() - 1])
}

/// Memory of this process in MB: what it holds now of its own (not the pages of mapped files), and all that is resident.
pub fn memory() -> (f64, f64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let field = |name: &str| {
        let line = status.lines().find(|l| l.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    };
    (field("RssAnon:"), field("VmRSS:"))
}
