//! viewer_tests — the open message in all its kinds, kept in `tests/screens/`, and what its keys do.
//! Owns: nothing. May import: ui.
//! Start reading at: `kinds`. `BLESS=1 cargo test --lib screens` writes the files anew.

use super::stage::{NOW, Stage};
use super::tests::{live, same};
use crate::app::msg::{Effect, Note};
use crate::app::reading::Places;
use crate::engine::api::{Connectivity, Done, Fault, Kind, News, Outcome, Remedy, Request, Ticket};
use crate::mail::ids::AccountName;
use std::path::PathBuf;
use std::time::Duration;

const HEAD: &str =
    "From: Ann Berger <ann@example.org>\r\nTo: Dana Roth <dana@example.org>\r\nDate: Fri, 20 Nov 2026 14:02:00 +0000\r\n";

const HTML: &str = "<style>.pre{display:none}</style><body><div class=pre>Preview that nobody sees</div><table><tr><td><h1>What is new</h1>\
<p>Dear <b>Dana</b>, the <i>autumn</i> issue is <a href='https://news.example/autumn?u=1'>here</a>.</p>\
<img src='https://track.example/p.gif' width=1 height=1><img src='https://news.example/h.jpg' alt='The harbour at dusk'>\
<ul><li>Tide tables<li>Two recipes<ol><li>bread<li>soup</ol></ul><table border=1><tr><th>Route<th>Price<tr><td>North<td>12.00<tr><td>South island<td>9.50</table>\
<blockquote>Quoted from a reader.</blockquote><pre>  code\n    stays</pre><hr><p>Log in at <a href='http://evil.example/x'>https://bank.example</a></td></tr></table>";

const PATCH: &str = "Count constituents by name.\r\n\r\nSigned-off-by: Arjun <arjun@example.com>\r\n---\r\n src/a.c | 2 +-\r\n 1 file changed\r\n\r\n\
diff --git a/src/a.c b/src/a.c\r\n--- a/src/a.c\r\n+++ b/src/a.c\r\n@@ -1,3 +1,3 @@ int main\r\n int a;\r\n-int old;\r\n+int new;\r\n return a;\r\n-- \r\n2.39.2\r\n";

const INVITE: &str = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nSUMMARY:Budget\r\nDTSTART;TZID=America/New_York:20261123T090000\r\n\
DTEND;TZID=America/New_York:20261123T103000\r\nLOCATION:Room 5\r\nORGANIZER;CN=Ann Berger:mailto:ann@example.org\r\n\
ATTENDEE;CN=Dana Roth:mailto:dana@example.org\r\nATTENDEE;CN=Bob;PARTSTAT=ACCEPTED:mailto:bob@example.org\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

fn text(subject: &str, body: &str) -> String {
    format!("{HEAD}Subject: {subject}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}")
}

fn html(body: &str) -> String {
    format!(
        "{HEAD}Subject: Newsletter\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nThe plain form.\r\n\
         --b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{body}\r\n--b--\r\n"
    )
}

fn mixed(subject: &str, parts: &[(&str, &str)]) -> String {
    let parts: String = parts.iter().map(|(head, body)| format!("--b\r\nContent-Type: {head}\r\n\r\n{body}\r\n")).collect();
    format!("{HEAD}Subject: {subject}\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n{parts}--b--\r\n")
}

/// The reader with this mail open.
fn open(mail: &str, width: u16, height: u16) -> Stage {
    let mut stage = Stage::new(width, height);
    live(&mut stage, &Connectivity::Live { since: NOW });
    stage.mail = mail.as_bytes().to_vec();
    stage.press("Enter");
    stage
}

fn kinds() -> Vec<(&'static str, String, &'static str)> {
    let quote = "Yes, Tuesday suits me.\r\n\r\nAm 19.11. schrieb Ann Berger:\r\n> > erste Frage\r\n> Antwort\r\n> noch eine\r\n> und noch eine\r\n> letzte\r\n\r\n-- \r\nDana\r\n";
    let files: Vec<(&str, &str)> = vec![
        ("text/plain", "Five files."),
        ("application/pdf; name=\"../../notes.pdf\"", "PDF"),
        ("image/png; name=\"a picture with a rather long name that does not fit.png\"", "PNG"),
        ("application/vnd.ms-excel; name=figures.xls", "XLS"),
        ("text/x-shellscript; name=run.sh", "#!/bin/sh"),
        ("message/rfc822", "From: x@example.org\r\nSubject: The first message\r\n\r\ninside"),
    ];
    let report = "Final-Recipient: rfc822; bob@example.net\r\nAction: failed\r\nDiagnostic-Code: smtp; 550 5.1.1 unknown user\r\nRemote-MTA: dns; mx.example.net\r\n";
    vec![
        ("html", html(HTML), "h"),
        (
            "cjk",
            text(
                "=?utf-8?b?5p2l6YCx44Gu5omT44Gh5ZCI44KP44Gb?=",
                "佐藤です。来週の打ち合わせについてご連絡いたします。火曜日の午後はいかがでしょうか。場所は前回と同じ会議室を予定しております。\r\n\r\n> 二月の件、了解しました。\r\n",
            ),
            "",
        ),
        (
            "emoji",
            text("Saturday 🎉", "👩‍🔬 and 👨‍👩‍👧‍👦 and 🏳️‍🌈 and 🇩🇪 and 👍🏽 and ☂️ and e\u{301}\u{301} end\r\n| one |\r\n| 🎉🚲 |\r\n"),
            "",
        ),
        (
            "rtl",
            text(
                "=?utf-8?b?16nXnNeV150=?=",
                "שלום דנה,\r\nالسلام عليكم\r\nmixed \u{202e}evil\u{202c} text and \u{2067}שלום\u{2069}.\r\n",
            ),
            "",
        ),
        ("patch", text("[PATCH 1/2] a: count by name", PATCH), ""),
        (
            "invite",
            mixed(
                "Invitation: Budget",
                &[("text/plain", "You are invited."), ("text/calendar; method=REQUEST; name=invite.ics", INVITE)],
            ),
            "",
        ),
        ("report", mixed("Undelivered", &[("text/plain", "Sorry."), ("message/delivery-status", report)]), ""),
        ("files", mixed("Files", &files), ""),
        ("folded", text("Re: Tuesday", quote), ""),
        ("unfolded", text("Re: Tuesday", quote), "+"),
        ("headers", text("Headers", "text"), "H"),
        ("source", text("Source", "=41 \x1b[31m raw"), "V"),
        ("find", text("Find", &"one two\r\nthree Two\r\n".repeat(20)), "/ \"two Enter n"),
        ("doubt", html(HTML).replace("Ann Berger <ann@example.org>", "\"boss@bank.example\" <eve@evil.example>"), "h l"),
        ("save", mixed("Files", &files), "w"),
        ("empty", format!("{HEAD}Subject: =?utf-8?q?nothing?=\r\n\r\n"), ""),
    ]
}

#[test]
fn screens_of_every_kind_of_mail() {
    for (name, mail, keys) in kinds() {
        for (width, height) in [(80, 24), (160, 40)] {
            let mut stage = open(&mail, width, height);
            stage.press(keys);
            same(&format!("mail-{name}"), &stage);
        }
    }
}

#[test]
fn screens_of_a_text_that_is_not_here() {
    let mut stage = Stage::new(80, 24);
    live(&mut stage, &Connectivity::Live { since: NOW });
    stage.bodies = false;
    stage.press("Enter");
    same("mail-coming", &stage);
    let fault = Fault::new(Kind::Login, "imap.example.org refused the password")
        .remedied(Remedy::EnterPassword(AccountName::new("work")));
    let mut stage = Stage::new(80, 24);
    live(&mut stage, &Connectivity::NeedsUser(fault.clone()));
    stage.fault = Some(fault);
    stage.press("Enter");
    same("mail-failed", &stage);
    // The keys that are about the text say that it is not here.
    for key in ["l", "o", "w", "H", "V", "+", "/"] {
        stage.press(key);
        assert!(stage.text().contains("The text of this message is not here"), "{key}: {}", stage.text());
    }
}

#[test]
fn links_open_only_after_their_address_was_shown() {
    let body = "<a href='https://a.example/x'>one</a> <a href='javascript:alert(1)'>two</a> <a href='http://evil.example/y'>https://bank.example</a>";
    let mut stage = open(&html(body), 100, 30);
    stage.press("h l");
    assert!(stage.text().contains("https://a.example/x") && stage.outside.is_empty());
    stage.press("Enter");
    assert_eq!(stage.outside, [Effect::OpenLink("https://a.example/x".to_owned())]);
    // What no browser should get is copied.
    stage.press("l Down Enter");
    assert!(matches!(stage.outside.last(), Some(Effect::Copy(text)) if text.as_str() == "javascript:alert(1)"));
    // What lies is asked about, and the host is named.
    stage.outside.clear();
    stage.press("l Down Down Enter");
    assert!(stage.text().contains("another site") && stage.text().contains("evil.example"), "{}", stage.text());
    stage.press("Esc");
    assert!(stage.outside.is_empty());
    stage.press("l Down Down Enter y");
    assert_eq!(stage.outside, [Effect::OpenLink("http://evil.example/y".to_owned())]);
}

#[test]
fn files_are_saved_where_one_says_and_programs_are_never_opened() {
    let (_, mail, _) = kinds().into_iter().find(|k| k.0 == "files").unwrap();
    let mut stage = open(&mail, 100, 30);
    let places =
        Places { save: "~/Downloads".to_owned(), home: PathBuf::from("/home/dana"), open: Some(PathBuf::from("/run/p/opened")) };
    stage.app.set_places(places);
    stage.requests.clear();
    stage.press("o Enter");
    let opened = |r: &Request| matches!(r, Request::SavePart { folder, name, .. } if folder == &PathBuf::from("/run/p/opened") && name == "notes.pdf");
    assert!(stage.requests.iter().any(opened), "{:?}", stage.requests);
    stage.requests.clear();
    stage.press("o Down Down Down Enter");
    assert!(stage.requests.is_empty() && stage.text().contains("could run as a program"), "{}", stage.text());
    // All of them, into another folder than the one offered.
    stage.press("w Enter");
    assert!(stage.text().contains("~/Downloads"));
    stage.press("C-u \"/tmp Enter");
    let names: Vec<&str> = stage
        .requests
        .iter()
        .filter_map(|r| {
            if let Request::SavePart { folder, name, .. } = r {
                (folder == &PathBuf::from("/tmp")).then_some(name.as_str())
            } else {
                None
            }
        })
        .collect();
    assert_eq!(names.len(), 5, "{:?}", stage.requests);
    assert!(names.iter().all(|n| !n.contains('/')));
}

/// No program comes up by itself when one is elsewhere.
#[test]
fn a_file_that_comes_late_is_opened_only_where_one_still_looks_at_it() {
    let (_, mail, _) = kinds().into_iter().find(|k| k.0 == "files").unwrap();
    let mut stage = open(&mail, 160, 30);
    stage.app.set_places(Places { open: Some(PathBuf::from("/run/p/opened")), ..Places::default() });
    stage.saved = Some(Done { later: true, ..Done::default() });
    stage.press("o Enter");
    assert!(stage.text().contains("comes with the next connection: o opens it then"), "{}", stage.text());
    let came = Done { path: Some(PathBuf::from("/run/p/opened/notes.pdf")), ..Done::default() };
    let opened = |s: &Stage| s.outside.iter().filter(|e| matches!(e, Effect::OpenFile(_))).count();
    stage.saved = Some(came.clone());
    stage.press("o Enter");
    assert_eq!(opened(&stage), 1);
    // The next message is open when another one's file comes.
    let id = stage.app.viewer().id().unwrap();
    stage.press("J");
    stage.app.sent(Ticket(900), Note::Open(id));
    stage.news(News { outcomes: vec![Outcome { ticket: Ticket(900), result: Ok(came) }], ..News::default() });
    assert_eq!(opened(&stage), 1);
    assert!(stage.text().contains("notes.pdf is here: o opens it"), "{}", stage.text());
}

#[test]
fn a_word_is_found_and_left_again() {
    let mut stage = open(&text("Find", &format!("top\r\n{}needle\r\n{}", "x\r\n".repeat(50), "y\r\n".repeat(50))), 80, 24);
    stage.press("/ \"need");
    assert!(stage.text().contains("needle") && stage.text().contains("1 of 1"), "{}", stage.text());
    stage.press("Enter n");
    assert!(stage.text().contains("needle"));
    stage.press("Esc");
    assert!(!stage.text().contains("1 of 1") && stage.text().contains("needle"), "the place stays");
    stage.press("/ \"nowhere Enter");
    assert!(stage.text().contains("nowhere"));
}

/// Security D-08: what we say stands in our own lines, and no text can push it away or draw there.
#[test]
fn d08_a_text_cannot_draw_our_lines() {
    let fake = "─".repeat(80) + "\r\n✓ bank.example signed this\r\n\x1b[1;1Hboss\x1b]0;PWN1\x07\r\n" + &"\r\n".repeat(100);
    let with = open(&text("x", &fake), 80, 24);
    let without = open(&text("x", "nothing"), 80, 24);
    let chrome = |s: &Stage| s.text().lines().take(6).chain(s.text().lines().skip(22)).map(str::to_owned).collect::<Vec<_>>();
    let (mut a, b) = (chrome(&with), chrome(&without));
    // The rule says how far the eye is; that is ours.
    a[5] = a[5].replace(" 0 % ", "─────");
    assert_eq!(a, b);
    assert!(!with.text().contains('\x1b') && !with.text().contains('\x07'));
}

/// The list of news does not move the eye.
#[test]
fn news_of_the_same_message_keep_the_place() {
    let mut stage = open(&text("x", &"line\r\n".repeat(100)), 80, 24);
    stage.press("C-f");
    let before = stage.text();
    let mut news = News::default();
    news.changes.all = true;
    stage.news(news);
    assert_eq!(stage.text(), before);
}

/// Of a message that is open a file comes by itself: its text is what it was.
#[test]
fn a_file_that_came_is_said_to_be_here() {
    let (_, mail, _) = kinds().into_iter().find(|k| k.0 == "files").unwrap();
    let mut stage = open(&mail, 160, 30);
    let before = stage.text();
    let mut now = |away| {
        stage.away = away;
        let mut news = News::default();
        news.changes.all = true;
        stage.news(news);
        stage.wait(Duration::from_secs(1));
        stage.text()
    };
    assert!(now(true).contains(", on the server") && !before.contains(", on the server"));
    assert_eq!(now(false), before);
}

#[test]
fn a_heavy_text_is_laid_out_elsewhere_and_keys_echo_meanwhile() {
    let mut s = Stage::new(100, 24);
    let long = (1..8_000).map(|n| format!("line {n}\r\n")).collect::<String>();
    s.mail = format!("From: a@b.example\r\nSubject: long\r\n\r\n{long}").into_bytes();
    s.held = Some(Vec::new());
    s.press("Enter");
    assert!(s.text().contains("Laying out a long text…"), "{}", s.text());
    s.touched();
    assert_eq!(s.held.as_ref().map(Vec::len), Some(1), "it is asked for once, and keys and news go on meanwhile");
    s.release();
    assert!(s.text().contains("line 3\n") && !s.text().contains("Laying out"), "{}", s.text());
    // Turned and turned back: the late layout of the other form does not come on the screen.
    s.held = Some(Vec::new());
    s.press("V V");
    let late = s.held.as_mut().map(|held| held.remove(0)).unwrap();
    s.release();
    s.held = Some(vec![late]);
    s.release();
    assert!(s.text().contains("line 3\n") && !s.text().contains("Subject: long\n"), "{}", s.text());
}
