//! day — one day with the program in a terminal, at a real Dovecot and a real Postfix: an account is added, mail is read,
//! answered, archived, taken back, a large file saved; a second account comes to it; the server goes away, work goes on, the
//! program is killed and comes back. At the end the server has exactly what the person did, once.
//! Start reading at: `a_day`.
#![allow(clippy::unwrap_used, clippy::panic)]

mod form;
#[path = "../mailhost/mod.rs"]
mod mailhost;
mod screen;
mod writing;

use base64::Engine as _;
use mailhost::proxy::{End, Line, Proxy};
use mailhost::{PASSWORD, home, host, user};
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
    home(user).join("Maildir")
}

/// Puts a mail into a folder that is there, of a second of the year 2026.
fn put(user: &str, folder: &str, n: u64, second: u64, text: &str) {
    let root = maildir(user).join(folder);
    let name = format!("17700000{n:02}.M{n}P1.host");
    // As a delivery does it: nobody sees half a mail.
    let path = root.join("tmp").join(&name);
    fs::write(&path, text).unwrap();
    let file = fs::File::options().append(true).open(&path).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_770_000_000 + second)).unwrap();
    own(&path);
    fs::rename(&path, root.join("new").join(&name)).unwrap();
}

fn own(path: &Path) {
    let owned = Command::new("chown").arg("-R").arg("mail:mail").arg(path).status().unwrap();
    assert!(owned.success());
}

fn letter(user: &str, n: u64) -> String {
    format!(
        "From: Sender {n} <s{n}@example.test>\nTo: {user}\nSubject: Letter number {n}.\nMessage-ID: <{n}@example.test>\nDate: Thu, 12 Mar 2026 14:{n:02}:00 +0000\n\nThis is the text of letter {n}.\n"
    )
}

/// Mail 1 to 12, the last the newest, and a mailbox `Work` with letter 20.
fn fill(user: &str) {
    let root = maildir(user);
    for folder in ["", ".Work"] {
        for part in ["cur", "new", "tmp"] {
            fs::create_dir_all(root.join(folder).join(part)).unwrap();
        }
    }
    own(root.parent().unwrap());
    (1..=MAILS).for_each(|n| put(user, "", n, n, &letter(user, n)));
    put(user, ".Work", 20, 20, &letter(user, 20));
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

/// A mail with a file that is too large to be got for its text alone, older than all others; and the file.
fn with_a_file(user: &str) -> (String, Vec<u8>) {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let bytes: Vec<u8> = (0..1_500_000).map(|_| next()).collect();
    let encoded = base64::engine::general_purpose::STANDARD.encode(&bytes);
    let lines: String = encoded.as_bytes().chunks(76).map(|l| format!("{}\n", str::from_utf8(l).unwrap())).collect();
    let text = format!(
        "From: Mia <mia@example.test>\nTo: {user}\nSubject: The plan\nMessage-ID: <13@example.test>\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nIt is attached.\n--b\n\
         Content-Type: application/pdf\nContent-Disposition: attachment; filename=plan.pdf\n\
         Content-Transfer-Encoding: base64\n\n{lines}--b--\n"
    );
    (text, bytes)
}

#[test]
fn a_day() {
    let (me, friend) = (user(), user());
    fill(&me);
    let (imap, smtp) = (Proxy::start(host().imaps, Line::default()), Proxy::start(host().submissions, Line::default()));
    let home = tempfile::Builder::new().prefix("day").tempdir().unwrap();
    let profile = home.path().join("profile");

    // The first look: the account, the first sync, reading.
    // Whoever would know of servers does not answer: the person names them.
    let mut screen = Screen::start_with(&profile, &[("POSTRIDER_DISCOVERY", "127.0.0.1:9 127.0.0.1:9 /nowhere")]);
    form::fill_in(&mut screen, &me, "Dana Roth", imap.port, smtp.port);
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

    // A mail with a large file comes: it is read without the file, which comes when it is saved.
    let (text, bytes) = with_a_file(&me);
    put(&me, "", 13, 0, &text);
    screen.shows("The plan");
    let before = imap.bytes().0;
    screen.press("G\r");
    screen.shows("It is attached.");
    screen.shows("plan.pdf");
    let cost = imap.bytes().0 - before;
    assert!(cost < 100_000, "{cost} octets for a text of two words");
    screen.press("w");
    screen.press("\x15");
    screen.press(&format!("{}\r", home.path().display()));
    screen.until("the file", TOLD, |_| fs::read(home.path().join("plan.pdf")).is_ok_and(|b| b == bytes));
    screen.press("qgg");

    // A second account, at the servers themselves.
    screen.press(":add-account\r");
    form::fill_in(&mut screen, &friend, "Kim", host().imaps, host().submissions);
    // Until its inbox is known the first account's stands in for it.
    screen.shows("example2 / Inbox");
    screen.press("1");
    screen.shows("Letter number 12.");

    // The server of the first one goes away; nothing that the person does waits for it.
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
    // The other account does not mind.
    put(&friend, "", 21, 21, &letter(&friend, 21));
    screen.press("2");
    screen.until("letter 21", TOLD, |text| text.contains("Letter number 21."));
    assert_eq!(folder(&me, "").len(), 13, "the server knows of nothing");
    // The mail is in the outbox by now: what was answered stays answered.
    screen.press("1go");
    screen.shows("A note");
    screen.kill();

    // Another day: a mailbox is to be here whole from now on. What was done is still to be seen, and the server hears of it when
    // it is back.
    let config = fs::read_to_string(profile.join("config.toml")).unwrap();
    let (first, rest) = config.split_once('\n').unwrap();
    assert!(first.starts_with("[account."), "{config}");
    fs::write(profile.join("config.toml"), format!("{first}\noffline = {{ Work = \"all\" }}\n{rest}")).unwrap();
    let mut screen = Screen::start(&profile);
    screen.shows("Letter number 12.");
    assert!(screen.line("Letter number 10.").is_none(), "{}", screen.text());
    for proxy in [&imap, &smtp] {
        proxy.set(Line::default());
    }
    eventually("the star is there", || folder(&me, "").iter().any(|(id, f)| id == "<12@example.test>" && f.contains('F')));
    eventually("the letter moved", || folder(&me, ".Work") == letters(&[10, 20]));
    eventually("the note arrives", || folder(&friend, "").len() == 2);
    eventually("both copies lie in Sent", || folder(&me, ".Sent").len() == 2);
    screen.press("2");
    screen.until("the note in the second account", TOLD, |text| text.contains("A note") && text.contains("Letter number 21."));
    eventually("what is to be here is here", || {
        let shown = offline(&profile, &["search", "in:Work", "body:text", "--json"]);
        shown.contains("Letter number 10.") && shown.contains("Letter number 20.")
    });

    // Without a server once more: the mailbox that is kept is read, and of others the text is not there.
    imap.set(Line { refuse: true, ..Line::default() });
    imap.end_all(End::Reset);
    screen.press("1gfWork\r");
    screen.shows("Letter number 20.");
    screen.press("gg\r");
    screen.shows("This is the text of letter 20.");
    screen.press("qgi");
    screen.shows("Letter number 9.");
    assert!(!offline(&profile, &["search", "body:text", "--json"]).contains("Letter number 9."), "nobody asked for it");
    imap.set(Line::default());
    screen.press("Q");
    screen.ends();

    // Once more from the outside: exactly that, once.
    let done = Command::new(BINARY).arg("--profile").arg(&profile).arg("sync").output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let mut inbox = letters(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13]);
    inbox.push(("<12@example.test>".to_owned(), "FR".to_owned()));
    inbox.sort();
    assert_eq!(folder(&me, ""), inbox);
    assert_eq!(folder(&me, ".Work"), letters(&[10, 20]));
    assert_eq!(folder(&me, ".Archive"), []);
    let sent: Vec<String> = folder(&me, ".Sent").into_iter().map(|(subject, _)| subject).collect();
    assert_eq!(sent, ["A note", "Re: Letter number 12."]);
    assert_eq!((folder("s12@example.test", "").len(), folder(&friend, "").len()), (1, 2), "each mail once");
}

/// What a verb says from our own files alone.
fn offline(profile: &Path, args: &[&str]) -> String {
    let done = Command::new(BINARY).arg("--profile").arg(profile).arg("--offline").args(args).output().unwrap();
    String::from_utf8(done.stdout).unwrap()
}
