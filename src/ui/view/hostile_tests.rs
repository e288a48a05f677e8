//! hostile_tests — whatever a mail or a server says, no cell of a frame holds what a terminal would obey, and our own lines stay.
//! Owns: nothing. May import: ui.
//! Start reading at: `d01_no_payload_reaches_the_screen_from_any_slot` (security D-01 to D-09).

use super::stage::{NOW, Stage};
use super::tests::live;
use crate::base::safetext::hostile;
use crate::base::width;
use crate::engine::api::{Connectivity, Fault, Kind};
use crate::mail::address::Address;
use crate::mail::mailbox::MailboxPath;
use crate::ui::theme::{Depth, Theme};

/// Sequences that terminals act on.
const PAYLOADS: [&str; 34] = [
    "\x1b[2JPWN",
    "\x1b[31m",
    "\x1b]0;PWN\x07",
    "\x1b]2;PWN\x1b\\",
    "\x1b]52;c;UFdO\x07",
    "\x1b]8;;http://e\x1b\\x\x1b]8;;\x1b\\",
    "\x1b]4;1;?\x07",
    "\x1b]10;?\x07",
    "\x1b]1337;File=inline=1:AAAA\x07",
    "\x1b_Gf=24;AAAA\x1b\\",
    "\x1bP+q544e\x1b\\",
    "\x1b[c",
    "\x1b[6n",
    "\x1b[21t",
    "\x1b[?1049l",
    "\x1b[?25l",
    "\x1b[5i",
    "\x1b[1;1H",
    "\x1bc",
    "\x1b#8",
    "\x1bX PWN \x1b\\",
    "\u{9b}2J",
    "\u{90}q\u{9c}",
    "\u{9d}0;PWN\u{9c}",
    "\x0e",
    "\x0f",
    "\x05",
    "\x08\x08\x08\x08",
    "\r",
    "\x0b",
    "\x0c",
    "\x7f",
    "\0",
    "end\x1b",
];

/// Characters that hide, reorder, or draw what is ours.
const UNICODE: [&str; 14] = [
    "\u{61c}a",
    "\u{200b}a",
    "a\u{200e}b\u{200f}",
    "\u{202e}gpj.exe",
    "\u{2028}x",
    "\u{2066}x\u{2069}",
    "\u{feff}x",
    "\u{fff9}x",
    "\u{115f}\u{3164}\u{ffa0}",
    "\u{e0041}\u{e007f}",
    "\u{e0a0}\u{f023}",
    "\u{fdd0}\u{fffe}",
    "\u{fdfd}\u{1242b}",
    "\u{180e}\u{ad}x",
];

/// A mail with `p` in every place that is shown; `safe` keeps its structure.
fn mail(p: &str) -> Vec<u8> {
    // In a header field a line break would end it: that is the parser's matter, and tested there.
    let h = p.replace(['\r', '\n'], " ");
    let html = format!(
        "<p title=\"{p}\">{p}<a href=\"https://a.example/{h}\">{p}</a><img alt=\"{h}\" src=cid:x><table border=1><tr><th>{p}<th>b<tr><td>{p}<td>c</table>"
    );
    let event = format!(
        "BEGIN:VEVENT\r\nSUMMARY:{h}\r\nLOCATION:{h}\r\nORGANIZER;CN=\"{h}\":mailto:a@b\r\nDTSTART;TZID={h}:20261124T000000\r\nEND:VEVENT"
    );
    let report =
        format!("Final-Recipient: rfc822; {h}\r\nAction: failed\r\nDiagnostic-Code: smtp; {h}\r\nRemote-MTA: dns; {h}\r\n");
    format!(
        "From: \"{h}\" <a@b.example>\r\nTo: \"{h}\" <c@d>\r\nCc: <{h}@x>\r\nSubject: {h}\r\nDate: {h}\r\nList-Id: {h}\r\nX-Any: {h}\r\nMessage-ID: <{h}@x>\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{p}\r\n> {p}\r\n-- \r\n{p}\r\n\
         --b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{html}\r\n--b\r\nContent-Type: text/calendar\r\n\r\n{event}\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\n{report}\r\n--b\r\nContent-Type: application/pdf; name=\"{h}.pdf\"\r\nContent-Description: {h}\r\n\r\nx\r\n\
         --b\r\nContent-Type: message/rfc822\r\n\r\nFrom: {h}\r\nSubject: {h}\r\n\r\n{p}\r\n--b--\r\n"
    )
    .into_bytes()
}

/// A reader whose every text is `p`.
fn stage(p: &str, size: (u16, u16)) -> Stage {
    let mut stage = Stage::new(size.0, size.1);
    live(&mut stage, &Connectivity::Live { since: NOW });
    for row in &mut stage.rows {
        (row.from, row.subject, row.preview) = (Address::new(p, p), p.to_owned(), p.to_owned());
    }
    for mailbox in stage.boxes.iter_mut().filter(|m| m.role.is_none()) {
        mailbox.path = MailboxPath::from_typed(p);
    }
    stage.mail = mail(p);
    let mut news = crate::engine::api::News::default();
    news.changes.all = true;
    stage.news(news);
    stage
}

fn check(stage: &Stage, what: &str) {
    let theme = Theme::load("dark", None, Depth::True).unwrap();
    let buffer = stage.buffer(&theme, true);
    for cell in &buffer.content {
        let symbol = cell.symbol();
        assert!(!symbol.chars().any(|c| hostile(c) && !matches!(c, '\u{200c}'..='\u{200f}')), "{what}: {symbol:?}");
        assert!(width::width(symbol) <= 2, "{what}: {symbol:?}");
    }
}

/// All the places that show a mail's or a server's text.
const VIEWS: [&str; 8] = ["", "Enter", "H", "V", "V l", "Esc w", "Esc / \"x", "Esc Esc m"];

#[test]
fn d01_no_payload_reaches_the_screen_from_any_slot() {
    for p in PAYLOADS {
        let mut stage = stage(p, (160, 50));
        for keys in VIEWS {
            stage.press(keys);
            check(&stage, &format!("{p:?} after {keys}"));
        }
        assert!(!super::title(&stage.app).as_str().chars().any(char::is_control), "{p:?}");
        stage.fault = Some(Fault::new(Kind::Protocol, &format!("the server said {p}")));
        let mut news = crate::engine::api::News::default();
        news.changes.all = true;
        news.fault(Fault::new(Kind::Refused, p));
        stage.news(news);
        check(&stage, &format!("{p:?} as a fault"));
    }
}

#[test]
fn d02_invisible_and_private_characters_are_marks_in_names_and_gone_in_bodies() {
    for p in UNICODE {
        let mut stage = stage(p, (160, 50));
        for keys in VIEWS {
            stage.press(keys);
            check(&stage, &format!("{p:?} after {keys}"));
        }
    }
    let marks = format!("a{}", "\u{301}".repeat(2_000));
    let stage = stage(&marks, (80, 24));
    let theme = Theme::plain();
    for cell in &stage.buffer(&theme, false).content {
        assert!(cell.symbol().chars().count() <= 1 + crate::base::safetext::MAX_MARKS);
    }
}

/// Whatever the width of what stands in a row, the columns beside it stay.
#[test]
fn d03_wide_and_joined_characters_move_no_border() {
    let bars = |stage: &Stage| -> Vec<Vec<u16>> {
        let buffer = stage.buffer(&Theme::plain(), false);
        let area = buffer.area;
        (2..area.height - 2).map(|y| (0..area.width).filter(|x| buffer[(*x, y)].symbol() == "│").collect()).collect()
    };
    let plain = bars(&stage("x", (200, 40)));
    for p in [
        "👩‍👩‍👧‍👦👩‍🔬",
        "日本語の長い件名がここにあります。とても長いのです。とても長いのです。",
        "☂️⚠️❤️",
        "한각",
        "क्षत्रिय",
        "±×÷ΩΣ°",
        "a日b本c",
        "\u{1f1e9}\u{1f1ea}\u{1f1eb}",
    ] {
        let mut stage = stage(p, (200, 40));
        assert_eq!(bars(&stage), plain, "{p}");
        stage.wait(std::time::Duration::from_millis(150));
        // The message beside the list has rules of its own, but no other columns.
        for (row, want) in bars(&stage).iter().zip(&plain) {
            assert_eq!(row, want, "{p}");
        }
    }
}

/// D-09 and L-08: sizes, and headers without end.
#[test]
fn d09_l08_any_size_and_endless_headers_are_drawn_in_time() {
    let people: String = (0..100_000).map(|n| format!("p{n}@example.org, ")).collect();
    let raw = format!(
        "From: {}\r\nTo: {people}z@example.org\r\nSubject: {}\r\n\r\n{}",
        "x ".repeat(5_000) + "<a@b.example>",
        "long ".repeat(10_000),
        "word ".repeat(100_000)
    );
    let mut stage = Stage::new(80, 24);
    stage.mail = raw.into_bytes();
    let start = std::time::Instant::now();
    stage.press("Enter");
    for (width, height) in [(1, 1), (3, 2), (80, 24), (500, 200), (20, 5), (0, 0), (80, 24)] {
        let mut other = Stage::new(width, height);
        other.mail.clone_from(&stage.mail);
        other.press("Enter");
        check(&other, "size");
    }
    check(&stage, "endless");
    assert!(stage.text().contains("and "), "{}", stage.text());
    assert!(start.elapsed() < std::time::Duration::from_secs(60), "{:?}", start.elapsed());
}
