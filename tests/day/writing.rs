//! writing — a mail is written key by key: typed in several scripts, pasted into, taken back, given a file; the program is
//! killed, the draft found again, left, found on the server, opened from there, and sent.
//! Start reading at: `a_mail_is_written_lost_and_sent`.

use crate::mailhost::{host, user};
use crate::screen::Screen;
use crate::{add_account, eventually, fill, folder, maildir};
use std::fs;
use std::path::PathBuf;

/// The whole text of the only message in a folder, if there is exactly one.
fn only(user: &str, name: &str) -> Option<String> {
    let dir = |part| maildir(user).join(name).join(part);
    let read = |part| fs::read_dir(dir(part)).into_iter().flatten().flatten().map(|e| e.path());
    let all: Vec<PathBuf> = read("cur").chain(read("new")).collect();
    match &all[..] {
        [one] => fs::read_to_string(one).ok(),
        _ => None,
    }
}

#[test]
fn a_mail_is_written_lost_and_sent() {
    let (me, friend) = (user(), user());
    fill(&me);
    let home = tempfile::Builder::new().prefix("wr").tempdir().unwrap();
    let profile = home.path().join("profile");
    let file = home.path().join("plan.txt");
    fs::write(&file, "one\ntwo\n").unwrap();
    add_account(&profile, &me, host().imaps, host().submissions);

    let mut screen = Screen::start(&profile);
    screen.shows("Letter number 12.");
    screen.press("c");
    screen.shows("New message");
    screen.press(&format!("{friend}\t\tGrüße 佐藤\tDear Satō,"));
    screen.press("\r\rこんにちは世界\r");
    screen.shows("こんにちは世界");
    // A paste is one thing, whatever its lines would mean as keys, and one step back.
    screen.paste("pasted: q Q d\nsecond line");
    screen.shows("second line");
    screen.press("\x1a");
    screen.shows_no("second line");
    screen.paste("pasted for good");
    screen.shows("pasted for good");
    screen.press("\x01");
    screen.press(&format!("{}\r", file.display()));
    screen.shows("plan.txt");
    screen.press("\x1b");
    // Kept here and, since the composer was left, on the server.
    screen.shows("Kept as a draft");
    screen.until("the draft in Drafts", crate::TOLD, |_| only(&me, ".Drafts").is_some_and(|text| text.contains("plan.txt")));
    let first = only(&me, ".Drafts").unwrap();
    screen.press("gw");
    screen.shows("pasted for good");
    screen.press("Bye.");
    screen.shows("Bye.");
    // A pause, and it is on the disk.
    std::thread::sleep(std::time::Duration::from_millis(1_600));
    screen.kill();

    let mut screen = Screen::start(&profile);
    screen.shows("There is an unfinished mail");
    eventually("the last words too are in Drafts, once", || only(&me, ".Drafts").is_some_and(|text| text != first));
    // Opened from the list of the mailbox, it is the same draft.
    screen.press("gd");
    screen.until("the draft in the list", crate::TOLD, |text| text.contains("work / Drafts  1 message") && text.contains("▌"));
    screen.shows("+ plan.txt  text");
    screen.press("\r");
    screen.shows("C-s send");
    assert!(["こんにちは世界", "Bye.", "plan.txt"].iter().all(|w| screen.text().contains(w)), "{}", screen.text());
    screen.press("\x13");
    screen.shows_no("C-s send");
    eventually("it arrives", || only(&friend, "").is_some());
    let text = only(&friend, "").unwrap();
    assert!(text.contains("plan.txt") && text.contains("b25lCnR3bwo="), "the file is in it: {text}");
    eventually("a copy lies in Sent, none in Drafts", || folder(&me, ".Sent").len() == 1 && folder(&me, ".Drafts").is_empty());
    screen.press("Q");
    screen.ends();
    // It may have gone before the answer to its last command: the next visit sees the copy.
    let done = std::process::Command::new(crate::BINARY).arg("--profile").arg(&profile).arg("sync").output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    // Deciphered by somebody else: what was typed, and nothing that was taken back.
    let shown = std::process::Command::new(crate::BINARY)
        .arg("--profile")
        .arg(&profile)
        .args(["search", "in:Sent", "--json"])
        .output()
        .unwrap();
    let rows = String::from_utf8(shown.stdout).unwrap();
    let id = rows.split("\"id\":").nth(1).unwrap().split([',', '}']).next().unwrap().to_owned();
    let shown = std::process::Command::new(crate::BINARY).arg("--profile").arg(&profile).args(["show", &id]).output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(["Grüße 佐藤", "こんにちは世界", "pasted for good", "Bye."].iter().all(|w| shown.contains(w)), "{shown}");
    assert!(!shown.contains("second line"), "{shown}");
}
