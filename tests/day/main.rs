//! day — one day with the program in a terminal, at a real Dovecot and a real Postfix: an account is added, mail is read,
//! answered, archived, taken back; the server goes away, work goes on, the program is killed and comes back. At the end the
//! server has exactly what the person did, once.
//! Start reading at: `a_day`.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../mailhost/mod.rs"]
mod mailhost;
mod screen;
mod writing;

use mailhost::proxy::{End, Line, Proxy};
use mailhost::{PASSWORD, host, user};
use screen::Screen;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

const BINARY: &str = env!("CARGO_BIN_EXE_postrider");
const MAILS: u64 = 12;
/// How long the server may take to have everything.
const TOLD: Duration = Duration::from_secs(60);

fn maildir(user: &str) -> PathBuf {
    host().dir.join("mail").join(user.split('@').next().unwrap()).join("Maildir")
}

/// Mail 1 to 12, the last the newest, and a mailbox `Work`.
fn fill(user: &str) {
    let root = maildir(user);
    for folder in ["", ".Work"] {
        for part in ["cur", "new", "tmp"] {
            fs::create_dir_all(root.join(folder).join(part)).unwrap();
        }
    }
    for n in 1..=MAILS {
        let text = format!(
            "From: Sender {n} <s{n}@example.test>\nTo: {user}\nSubject: Letter number {n}.\nMessage-ID: <{n}@example.test>\nDate: Thu, 12 Mar 2026 14:{n:02}:00 +0000\n\nThis is the text of letter {n}.\n"
        );
        let path = root.join("new").join(format!("17700000{n:02}.M{n}P1.host"));
        fs::write(&path, text).unwrap();
        let file = fs::File::options().append(true).open(&path).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_770_000_000 + n)).unwrap();
    }
    let owned = Command::new("chown").arg("-R").arg("mail:mail").arg(root.parent().unwrap()).status().unwrap();
    assert!(owned.success());
}

/// What lies in a folder: `Message-ID` or, where it is ours, the subject; and flags without `S`.
fn folder(user: &str, name: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for part in ["cur", "new"] {
        let Ok(entries) = fs::read_dir(maildir(user).join(name).join(part)) else { continue };
        for entry in entries.flatten() {
            // One that is renamed just now is seen the next time.
            let Ok(text) = fs::read_to_string(entry.path()) else { continue };
            let field = |name: &str| text.lines().find_map(|l| l.strip_prefix(name)).unwrap_or_default().trim().to_owned();
            let id = field("Message-ID: ");
            let name = if id.ends_with("@example.test>") && id.len() < 20 { id } else { field("Subject: ") };
            let file = entry.file_name().to_string_lossy().into_owned();
            let flags = file.rsplit_once(":2,").map_or("", |(_, f)| f).replace('S', "");
            all.push((name, flags));
        }
    }
    all.sort();
    all
}

fn letters(numbers: &[u64]) -> Vec<(String, String)> {
    let mut all: Vec<_> = numbers.iter().map(|n| (format!("<{n}@example.test>"), String::new())).collect();
    all.sort();
    all
}

#[track_caller]
fn eventually(what: &str, is: impl Fn() -> bool) {
    let end = Instant::now() + TOLD;
    while !is() {
        assert!(Instant::now() < end, "it never came to this: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn add_account(profile: &Path, me: &str, imap: u16, smtp: u16) {
    let output = Command::new(BINARY)
        .arg("--profile")
        .arg(profile)
        .args(["account", "add", me, "--name", "work", "--display-name", "Dana Roth"])
        .args(["--imap", &format!("imaps://127.0.0.1:{imap}"), "--smtp", &format!("smtps://127.0.0.1:{smtp}")])
        .args(["--password-command", &format!("echo {PASSWORD}"), "--ca-file"])
        .arg(host().dir.join("tls/ca.pem"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_day() {
    let (me, friend) = (user(), user());
    fill(&me);
    let (imap, smtp) = (Proxy::start(host().imaps, Line::default()), Proxy::start(host().submissions, Line::default()));
    let home = tempfile::Builder::new().prefix("day").tempdir().unwrap();
    let profile = home.path().join("profile");
    add_account(&profile, &me, imap.port, smtp.port);

    // The first look, reading.
    let mut screen = Screen::start(&profile);
    screen.shows("Letter number 12.");
    screen.shows("Letter number 1.");
    screen.press("\r");
    screen.shows("This is the text of letter 12.");

    // A reply; the outbox holds it for a moment, then it goes.
    screen.press("r");
    screen.shows("Re: Letter number 12.");
    screen.press("Thank you.");
    screen.shows("Thank you.");
    screen.press("\x13");
    screen.shows_no("Re: Letter number 12.");
    eventually("the reply arrives", || folder("s12@example.test", "").len() == 1);
    eventually("a copy lies in Sent", || folder(&me, ".Sent").len() == 1);

    // Five to the archive, and all back again.
    screen.press("qgg");
    screen.shows("Letter number 11.");
    screen.press("     e");
    screen.shows_no("Letter number 12.");
    screen.shows_no("Letter number 8.");
    eventually("five are in the archive", || folder(&me, ".Archive").len() == 5);
    screen.press("u");
    screen.shows("Letter number 12.");
    screen.shows("Letter number 8.");
    eventually("all are back", || folder(&me, ".Archive").is_empty() && folder(&me, "").len() == 12);

    // The server goes away; nothing that the person does waits for it.
    for proxy in [&imap, &smtp] {
        proxy.set(Line { refuse: true, ..Line::default() });
        proxy.end_all(End::Reset);
    }
    screen.press("ggs");
    screen.press("jjm");
    screen.press("Work\r");
    screen.shows_no("Letter number 10.");
    screen.press("c");
    screen.press(&format!("{friend}\t\tA note\tWritten without a server."));
    screen.shows("Written without a server.");
    screen.press("\x13");
    screen.shows_no("Written without a server.");
    assert_eq!(folder(&me, "").len(), 12, "the server knows of nothing");
    // The mail is in the outbox by now: what was answered stays answered.
    screen.press("go");
    screen.shows("A note");
    screen.kill();

    // Another day: what was done is still to be seen, and the server hears of it when it is back.
    let mut screen = Screen::start(&profile);
    screen.shows("Letter number 12.");
    assert!(screen.line("Letter number 10.").is_none(), "{}", screen.text());
    for proxy in [&imap, &smtp] {
        proxy.set(Line::default());
    }
    eventually("the star is there", || folder(&me, "").iter().any(|(id, f)| id == "<12@example.test>" && f.contains('F')));
    eventually("the letter moved", || folder(&me, ".Work") == letters(&[10]));
    eventually("the note arrives", || folder(&friend, "").len() == 1);
    eventually("both copies lie in Sent", || folder(&me, ".Sent").len() == 2);
    screen.press("Q");
    screen.ends();

    // Once more from the outside: exactly that, once.
    let done = Command::new(BINARY).arg("--profile").arg(&profile).arg("sync").output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let mut inbox = letters(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 11]);
    inbox.push(("<12@example.test>".to_owned(), "FR".to_owned()));
    inbox.sort();
    assert_eq!(folder(&me, ""), inbox);
    assert_eq!(folder(&me, ".Work"), letters(&[10]));
    assert_eq!(folder(&me, ".Archive"), []);
    let sent: Vec<String> = folder(&me, ".Sent").into_iter().map(|(subject, _)| subject).collect();
    assert_eq!(sent, ["A note", "Re: Letter number 12."]);
    assert_eq!((folder("s12@example.test", "").len(), folder(&friend, "").len()), (1, 1), "each mail once");
}
