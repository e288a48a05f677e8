//! first — an empty cache: from the login to a list full of rows, beside what a bare client needs for the same rows.
//! Start reading at: `rows`. Both meet the same server in turns: it has seen the mailbox before, as a real one has, and each
//! connection is a new process of it, which has to open the mailbox. When ours logged in stands in its own log.

use crate::bare::Bare;
use crate::mailhost::host;
use crate::report::Report;
use crate::screen::Screen;
use crate::server::{ENVELOPE, profile};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

/// How often each is measured.
const TIMES: usize = 5;
/// Rows of a full list on the screen, and of what a bare client asks for.
const ROWS: u32 = 50;
/// Longer than anything takes.
const LONG: Duration = Duration::from_secs(60);

/// From the OK of the login to the newest rows, in milliseconds: of it the opening of the mailbox.
fn floor(user: &str) -> (f64, f64) {
    let mut bare = Bare::open(host().imaps, user);
    let begun = Instant::now();
    let exists: u32 = bare.word("SELECT INBOX", "* OK [UIDNEXT ").trim_end_matches(']').parse().unwrap();
    let opened = begun.elapsed().as_secs_f64() * 1e3;
    bare.ask(&format!("FETCH {}:* {ENVELOPE}", exists.saturating_sub(ROWS)));
    let all = begun.elapsed().as_secs_f64() * 1e3;
    bare.ask("LOGOUT");
    (all, opened)
}

/// When the reader logged in, by its log.
fn login(dir: &Path) -> SystemTime {
    let log = std::fs::read_to_string(dir.join("state/postrider.log")).unwrap();
    let line = log.lines().find(|l| l.contains("imap: logged in")).unwrap();
    line.split(' ').next().unwrap().parse::<jiff::Timestamp>().unwrap().into()
}

/// From the login and from the start to a list that is full of rows with `word` among them, in milliseconds.
fn ours(user: &str, word: &str) -> (f64, f64) {
    let dir = profile(user);
    let mut screen = Screen::start(dir.path(), false);
    let seen = screen.until(LONG, |s| s.text().contains(word) && s.bar().is_some() && s.rows() >= 40);
    let then = SystemTime::now() - seen.elapsed();
    let since = then.duration_since(login(dir.path())).unwrap();
    (since.as_secs_f64() * 1e3, (seen - screen.begun).as_secs_f64() * 1e3)
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// Prints both.
pub fn rows(user: &str, word: &str, report: &mut Report) {
    let (bare, own): (Vec<_>, Vec<_>) = (0..TIMES).map(|_| (floor(user), ours(user, word))).unzip();
    let (floor, opened): (Vec<_>, Vec<_>) = bare.into_iter().unzip();
    let (login, start): (Vec<_>, Vec<_>) = own.into_iter().unzip();
    let floor = median(floor);
    report.note(&format!("bare: login to the {ROWS} newest rows (median of {TIMES})"), &format!("{floor:.0} ms"));
    report.note("... of it the server's SELECT", &format!("{:.0} ms", median(opened)));
    let login = median(login);
    // Where the server alone takes longer than the bar, nobody can be quicker than it.
    report.check("empty cache: login to a list full of rows", login, 250.0_f64.max(floor + 20.0), "ms");
    report.note("... more than the bare client", &format!("{:.0} ms", login - floor));
    report.note("... from the start of the program, an empty profile", &format!("{:.0} ms", median(start)));
}
