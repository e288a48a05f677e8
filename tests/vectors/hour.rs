//! hour — F-11: stopped for an hour (SIGSTOP, CONT), while the server loses patience and somebody else changes things. The program
//! is told of its clocks by `hour.c`, which the test loads into it and moves; `POSTRIDER_STOPPED=1900` stops it for so many seconds
//! of everybody's time instead, and then nobody says anything on the line either.
//! Start reading at: `f_11_stopped_for_an_hour`.

use super::bed::Bed;
use super::imap::letter;
use super::screen::Screen;
use super::wire::{Act, Server, say};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

const HOUR: i64 = 3_600;
/// A busy machine is slow.
const SOON: Duration = Duration::from_secs(40);
/// A line that says nothing is found out within five minutes (`tests/it/watch.rs`).
const SILENT: Duration = Duration::from_secs(330);

/// What is loaded, and the file with the seconds.
fn clock(bed: &Bed) -> (PathBuf, PathBuf) {
    let (library, file) = (bed.path("hour.so"), bed.path("hour"));
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/hour.c");
    let done = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).status().unwrap();
    assert!(done.success());
    fs::write(&file, 0i64.to_ne_bytes()).unwrap();
    (library, file)
}

fn signal(screen: &Screen, name: &str) {
    let done = Command::new("sh").args(["-c", &format!("kill -s {name} {}", screen.id())]).status().unwrap();
    assert!(done.success());
}

fn stopped(what: &str, ending: Vec<Act>) {
    let real: Option<u64> = std::env::var("POSTRIDER_STOPPED").ok().map(|seconds| seconds.parse().unwrap());
    let patience = if real.is_some() { SILENT } else { SOON };
    let server = Server::imap();
    let bed = Bed::at(&server);
    bed.run(&["sync", "--bodies", "all"]).code(0);
    // What an hour does: the line is over, and nobody was there to hear it. Of all lines of that time.
    let before = [say("+ idling\r\n"), Act::Stall(Duration::from_secs(if real.is_some() { 100_000 } else { 2 }))];
    server.rule("IDLE", 0, 2, before.into_iter().chain(ending).collect());
    let (library, file) = clock(&bed);
    let (library, place) = (library.display().to_string(), file.display().to_string());
    let mut screen = Screen::start_with(&bed.path(""), &[("LD_PRELOAD", &library), ("HOUR", &place)]);
    screen.shows("Letter 3");
    screen.until("its lines", SOON, |_| server.count("IDLE") > 1);
    let lines = server.came().len();
    // Stopped in the middle of a sentence, and of a wish.
    screen.press("Gsc");
    screen.shows("Subject");
    screen.press("x@x.example\t\tFerry\tThe ferry leaves at ni");
    screen.shows("The ferry leaves at ni");
    signal(&screen, "STOP");
    server.world().inbox().add(letter(4));
    if let Some(seconds) = real {
        std::thread::sleep(Duration::from_secs(seconds));
    } else {
        fs::write(&file, HOUR.to_ne_bytes()).unwrap();
        std::thread::sleep(Duration::from_secs(3));
    }
    // Woken: the sentence goes on where it was, what came meanwhile is there, what was wished is done once.
    signal(&screen, "CONT");
    let woken = Instant::now();
    screen.press("ne");
    screen.shows("The ferry leaves at nine");
    screen.until("the star", patience, |_| server.world().inbox().mails[0].flags.contains("\\Flagged"));
    screen.until("new lines", patience, |_| server.came().len() > lines);
    screen.press("\x1b");
    screen.shows_no("The ferry leaves at nine");
    screen.until("what came", patience, |text| text.contains("Letter 4"));
    println!("{what}: in step {:?} after it went on", woken.elapsed());
    // And it hears again of what is new.
    server.world().inbox().add(letter(5));
    screen.until("news", patience, |text| text.contains("Letter 5"));
    assert_eq!(server.count("UID STORE"), 1, "{what}");
    assert!(server.came().len() <= lines + 4, "{what}: no storm of lines: {}", server.came().len() - lines);
    screen.press("Q");
    screen.ends();
    assert!(!bed.log().contains("panic"), "{what}");
    bed.run(&["sync"]).code(0);
    assert_eq!(bed.subjects("INBOX").len(), 5, "{what}");
}

/// The server says good-bye (RFC 9051, 5.4), closes without a word, or has forgotten the line.
#[test]
fn f_11_stopped_for_an_hour() {
    let bye = || vec![say("* BYE Autologout; idle for too long\r\n"), Act::Close];
    std::thread::scope(|all| {
        all.spawn(|| stopped("good-bye", bye()));
        all.spawn(|| stopped("closed", vec![Act::Close]));
        all.spawn(|| stopped("reset", vec![Act::Reset]));
    });
}
