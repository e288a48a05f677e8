//! panics — F-10: mistakes of ours, made on purpose in each thread (`POSTRIDER_PANIC`, feature `fault`). A worker's is told and the
//! work done again; a mail on which we fail stands in no other's way; the screen's own gives the terminal back, and what was written
//! is there the next time.
//! Start reading at: `f_10_workers_go_on`.

use super::bed::Bed;
use super::imap::letter;
use super::oracle;
use super::screen::Screen;
use super::wire::{Server, Tls};
use std::time::{Duration, Instant};

/// Workers begin again after a pause that grows.
const LONG: Duration = Duration::from_secs(60);
/// What shows nothing for so long has failed: a key is pressed again.
const AGAIN: Duration = Duration::from_secs(8);

/// Each worker panics at one of its first turns, while a star is set and a mail is sent: the screen lives, and in the end the server
/// has both, once.
#[test]
fn f_10_workers_go_on() {
    let places = ["answer:2", "answer:5", "line:1", "desk:1", "desk:2", "post:1", "cache.sqlite:3", "state.sqlite:2"];
    std::thread::scope(|all| {
        for place in places {
            all.spawn(move || {
                let (imap, smtp) = (Server::imap(), Server::smtp_over(Tls::None));
                let mut bed = Bed::new();
                bed.account("a", &imap, Some(&smtp), "");
                bed.run(&["sync"]).code(0);
                bed.write("mail", "To: b@x.example\nSubject: A letter\n\nText.\n");
                bed.send(&["--queue-only"]).code(0);
                let mut screen = Screen::start_with(&bed.path(""), &[("POSTRIDER_PANIC", place)]);
                screen.until(place, LONG, |text| text.contains("Letter 3"));
                imap.world().inbox().add(letter(4));
                screen.until("what comes", LONG, |text| text.contains("Letter 4"));
                // What was asked of a thread that failed is said to have failed; asked again, it is done.
                screen.press("G");
                let shown = |screen: &Screen| screen.text().contains('★');
                for _ in 0..3 {
                    // Pressed where the star is on its way it would take it off again.
                    screen.press("s");
                    let end = Instant::now() + AGAIN;
                    while !shown(&screen) && Instant::now() < end {
                        std::thread::sleep(Duration::from_millis(20));
                    }
                    if shown(&screen) {
                        break;
                    }
                }
                screen.until("the star", LONG, |_| imap.world().inbox().mails[0].flags.contains("\\Flagged"));
                screen.until("the mail", LONG, |_| smtp.world().sent.len() == 1);
                screen.until("its copy", LONG, |_| imap.world().folder("Sent").mails.len() == 1);
                screen.press("?");
                screen.shows("Moving");
                screen.press("\x1b");
                screen.shows_no("Moving");
                screen.press("Q");
                let raw = screen.raw();
                screen.ends();
                oracle::obeys_only_us(&raw);
                assert!(bed.log().contains("made `"), "{place}: it was never reached, or nobody was told");
                bed.run(&["sync"]).code(0);
                assert_eq!((bed.subjects("INBOX").len(), smtp.world().sent.len()), (4, 1), "{place}");
            });
        }
    });
}

/// A mail on which the reader of mails fails each time: those before and behind it come, it is fetched once, it is shown as it came,
/// and can be saved.
#[test]
fn f_10_a_poisonous_mail() {
    let server = Server::imap();
    let poisoned = String::from_utf8(letter(4)).unwrap().replace("text of letter 4", "text with POISON 4");
    server.world().inbox().add(poisoned.clone().into_bytes());
    server.world().inbox().add(letter(5));
    let bed = Bed::at(&server);
    let config = std::fs::read_to_string(bed.path("config.toml")).unwrap();
    bed.write("config.toml", &format!("{config}keep = {{ bodies = \"all\" }}\n"));
    let mut screen = Screen::start_with(&bed.path(""), &[("POSTRIDER_POISON", "parse:POISON 4")]);
    screen.shows("Letter 5");
    for n in [3, 5] {
        let words = format!("body:\"text of letter {n}\"");
        screen
            .until("the others' texts", LONG, |_| bed.run(&["--offline", "search", &words]).out.contains(&format!("Letter {n}")));
    }
    screen.press("ggj\r");
    screen.shows("This message cannot be taken apart");
    screen.shows("text with POISON 4");
    screen.press("q");
    // At rest: it is not asked for again and again.
    std::thread::sleep(Duration::from_secs(3));
    let asked = server.heard().iter().filter(|h| h.line.contains("BODY.PEEK[]")).count();
    assert!(asked <= 4, "{asked} times");
    screen.press("Q");
    let raw = screen.raw();
    screen.ends();
    oracle::obeys_only_us(&raw);
    let to = bed.path("kept");
    bed.run(&["--offline", "export", "subject:4", "--to", to.to_str().unwrap(), "--format", "mbox"]).code(0);
    assert!(std::fs::read_to_string(to).unwrap().contains("text with POISON 4"));
}

/// Two failures, with a pause between them, and a mail is left out: that is written down, so that nobody tries again after a restart.
/// It is there as it came all the same.
#[test]
fn f_10_twice_and_left_out() {
    let server = Server::imap();
    for n in [4, 5] {
        let text = String::from_utf8(letter(n)).unwrap();
        server.world().inbox().add(text.replace(&format!("text of letter {n}"), &format!("text with POISON {n}")).into_bytes());
    }
    let mut bed = Bed::new();
    bed.account("a", &server, None, "keep = { bodies = \"all\" }");
    let sync = |poison: &str| {
        let mut command = bed.command(super::bed::BINARY, &[], &["sync", "--bodies", "all"]);
        command.env("POSTRIDER_POISON", format!("parse:{poison}"));
        bed.finish(command).code(0);
        bed.log().matches("it is left out of the search").count()
    };
    // The pause, without waiting for it.
    let later = || {
        let db = rusqlite::Connection::open(bed.path("data/cache.sqlite")).unwrap();
        db.execute("UPDATE poison SET again = again - 3600", []).unwrap()
    };
    let found = |n: u32| bed.run(&["--offline", "search", &format!("body:\"text with POISON {n}\"")]).out.contains("Letter");
    let asked = || server.heard().iter().filter(|h| h.line.contains("BODY.PEEK[]")).count();
    let tries = [sync("POISON"), sync("POISON")];
    assert_eq!(tries, [2, 2], "not at once again");
    let first = asked();
    assert_eq!(later(), 2);
    // One of them was only bad luck.
    assert_eq!((sync("POISON 4"), found(4), found(5)), (3, false, true));
    later();
    assert_eq!((sync("POISON 4"), found(4)), (3, false), "it is left alone");
    // Nor when it is shown: nobody takes it apart any more, in this program or in the next.
    let id = bed.id("INBOX", "Letter 4");
    let mut screen = Screen::start_with(&bed.path(""), &[("POSTRIDER_POISON", "parse:POISON 4")]);
    screen.shows("Letter 5");
    screen.press("ggj\r");
    screen.shows("This message cannot be displayed");
    screen.shows("text with POISON 4");
    screen.press("Q");
    screen.ends();
    assert_eq!(bed.log().matches("a mail made us panic").count(), 6, "each try: once taking it apart, once reading it");
    bed.run(&["--offline", "show", &id]).code(0).says("cannot be displayed");
    bed.run(&["--offline", "show", &id, "--raw"]).code(0).says("text with POISON 4");
    assert_eq!(asked(), first, "nothing came again");
}

/// Mails that we cannot lay out, a short one (which the screen's own thread does) and a long one: each is shown as it came, is
/// still there as it came, and others are read as ever.
#[test]
fn f_10_a_mail_that_cannot_be_displayed() {
    let server = Server::imap();
    let poisoned = |n: u32, more: &str| {
        let text =
            String::from_utf8(letter(n)).unwrap().replace(&format!("text of letter {n}"), &format!("text with POISON {n}"));
        format!("{text}{more}").into_bytes()
    };
    server.world().inbox().add(poisoned(4, ""));
    server.world().inbox().add(poisoned(5, &"Many words, line after line.\r\n".repeat(4_000)));
    let bed = Bed::at(&server);
    bed.run(&["sync", "--bodies", "all"]).code(0);
    let tries = || bed.log().matches("a mail made us panic").count();
    // How many failures of each are written down.
    let told = || {
        let db = rusqlite::Connection::open(bed.path("data/cache.sqlite")).unwrap();
        let mut rows = db.prepare("SELECT panics FROM poison ORDER BY 1").unwrap();
        rows.query_map([], |r| r.get(0)).unwrap().collect::<Result<Vec<u32>, _>>().unwrap()
    };
    let mut screen = Screen::start_with(&bed.path(""), &[("POSTRIDER_POISON", "page:POISON")]);
    screen.shows("Letter 5");
    screen.press("gg");
    for (n, stand) in [(5, vec![1]), (4, vec![1, 1])] {
        screen.press("\r");
        screen.shows("This message cannot be displayed");
        screen.shows(&format!("text with POISON {n}"));
        screen.until("it is written down", LONG, |_| told() == stand);
        screen.press("qj");
    }
    screen.press("\r");
    screen.shows("the text of letter 3");
    // Opened once more, and then nobody tries any more, also in another program.
    screen.press("qgg");
    for (n, stand) in [(5, vec![1, 2]), (4, vec![2, 2])] {
        screen.press("\r");
        screen.shows(&format!("text with POISON {n}"));
        screen.until("it is written down", LONG, |_| told() == stand);
        screen.press("qj");
    }
    screen.press("Q");
    let raw = screen.raw();
    screen.ends();
    oracle::obeys_only_us(&raw);
    let before = tries();
    let mut screen = Screen::start_with(&bed.path(""), &[("POSTRIDER_POISON", "page:POISON")]);
    screen.shows("Letter 5");
    screen.press("gg\r");
    screen.shows("This message cannot be displayed");
    screen.press("qj\r");
    screen.shows("text with POISON 4");
    screen.press("Q");
    screen.ends();
    assert!(before >= 4 && tries() == before, "each of the two twice, and no more: {before}, {}", tries());
    assert!(!bed.log().contains("text with POISON"), "no words of a mail");
    let shown = bed.run(&["--offline", "show", &bed.id("INBOX", "Letter 4"), "--raw"]).code(0);
    assert!(shown.out.contains("text with POISON 4"));
}

/// The screen's own thread, in the middle of a sentence: the terminal is itself again before a word is said, the exit code says that it
/// did not end well, and the sentence is there the next time.
#[test]
fn f_10_the_screen_itself() {
    let server = Server::imap();
    let bed = Bed::at(&server);
    bed.run(&["sync"]).code(0);
    let mut screen = Screen::start_with(&bed.path(""), &[("POSTRIDER_PANIC", "frame:90+")]);
    screen.shows("Letter 3");
    screen.press("c");
    screen.shows("Subject");
    screen.press("x@x.example\t\tFerry\tAt nine.");
    let typed = screen.press_until_gone("and more ");
    assert!(typed, "it never failed");
    let raw = String::from_utf8_lossy(&screen.raw()).into_owned();
    let (_, after) = raw.rsplit_once("\x1b[?1049l").expect("the first screen is back");
    assert!(raw.contains("\x1b[?25h") && after.contains("panic"), "{after:?}");
    assert!(!after.contains("At nine"), "no words of a mail: {after:?}");
    let code = screen.code();
    assert_eq!(code, 70, "it did not end well");
    let screen = Screen::start(&bed.path(""));
    screen.shows("There is an unfinished mail");
    screen.kill();
    let state = std::fs::read(bed.path("data/state.sqlite")).unwrap();
    let log = std::fs::read(bed.path("data/state.sqlite-wal")).unwrap_or_default();
    assert!([state, log].iter().any(|b| b.windows(8).any(|w| w == b"At nine.")), "what was written is kept");
}
