//! corpus — real and broken mail: everything parses, reads and fits the screen, in bounded time, and nothing that a terminal
//! would obey comes out.
//! Reads `POSTRIDER_CORPUS` (or /work/shared/corpus); says "skipped" where there is none. Hostile inputs that are too slow for the
//! unit tests are made here in full size.

mod hostile;

use postrider::base::safetext::SafeText;
use postrider::base::width;
use postrider::mail::body::{Kind, Message};
use postrider::mail::parse;
use postrider::mail::render::{self, Rendered};
use postrider::mail::structure::Prefer;
use proptest::prelude::*;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The processor's time of this thread: other work on the machine does not count.
fn spent() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// Without optimisation everything takes about ten times as long.
const SLOW: u32 = if cfg!(debug_assertions) { 10 } else { 1 };

fn corpus() -> Option<PathBuf> {
    let path = std::env::var_os("POSTRIDER_CORPUS").map_or_else(|| PathBuf::from("/work/shared/corpus"), PathBuf::from);
    path.is_dir().then_some(path)
}

fn files(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { files(&path, out) } else { out.push(path) }
    }
}

/// What must hold of all that is drawn.
fn check(rendered: &Rendered, cells: usize, name: &str) {
    assert!(!rendered.lines.is_empty() || rendered.plan.encrypted, "{name}: nothing is shown");
    for line in &rendered.lines {
        let text = line.text();
        assert!(width::width(&text) <= cells, "{name}: a line of {} cells in {cells}: {text:?}", width::width(&text));
        for c in text.chars() {
            assert!(!c.is_control(), "{name}: {c:?} in {text:?}");
            assert!(
                !matches!(c, '\u{202d}' | '\u{202e}' | '\u{e000}'..='\u{f8ff}' | '\u{e0001}'..='\u{e007f}'),
                "{name}: {c:?} in {text:?}"
            );
        }
    }
    for link in &rendered.links {
        assert!(link.url.bytes().all(|b| b.is_ascii_graphic()), "{name}: {:?}", link.url);
    }
    for attachment in &rendered.plan.attachments {
        let name_of = &attachment.safe_name;
        assert!(
            !name_of.is_empty() && !name_of.contains(['/', '\\', '\0']) && !name_of.starts_with(['.', '-']),
            "{name}: {name_of:?}"
        );
    }
}

fn read(raw: Vec<u8>, name: &str) -> (Message, usize) {
    let message = parse::message(raw);
    let mut lines = 0;
    for (prefer, cells) in [(Prefer::Plain, 80), (Prefer::Html, 80), (Prefer::Plain, 20), (Prefer::Html, 200)] {
        let rendered = render::render(&message, cells, prefer);
        check(&rendered, cells.max(20), name);
        lines = lines.max(rendered.lines.len());
    }
    let preview = SafeText::line(&render::preview(&message));
    assert!(preview.as_str().chars().count() <= render::MAX_PREVIEW * 4, "{name}");
    (message, lines)
}

#[test]
fn every_mail_of_the_corpus_is_readable() {
    let Some(corpus) = corpus() else {
        eprintln!("corpus: skipped: no folder of mails (set POSTRIDER_CORPUS)");
        return;
    };
    let mut paths = Vec::new();
    files(&corpus, &mut paths);
    paths.sort();
    let (mut mails, mut html, mut attachments, mut hidden, mut bytes) = (0usize, 0usize, 0usize, 0usize, 0u64);
    let mut times: Vec<(Duration, PathBuf)> = Vec::new();
    for path in &paths {
        let raw = std::fs::read(path).unwrap();
        let name = path.display().to_string();
        bytes += raw.len() as u64;
        // What a person does: take it apart and read it once.
        let start = spent();
        let message = parse::message(raw.clone());
        let rendered = render::render(&message, 80, Prefer::Plain);
        let took = spent() - start;
        assert!(took < Duration::from_millis(500) * SLOW, "{name}: {took:?}");
        times.push((took, path.clone()));
        mails += usize::from(message.flaws.is_empty());
        html += usize::from(message.parts.iter().any(|p| p.kind == Kind::Html));
        attachments += rendered.plan.attachments.len();
        hidden += usize::from(rendered.hidden > 0);
        read(raw, &name);
    }
    times.sort();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].0;
    let total: Duration = times.iter().map(|(t, _)| *t).sum();
    eprintln!(
        "corpus: {} files, {bytes} bytes: {mails} flawless mails, {html} with HTML, {hidden} with hidden text, {attachments} attachments",
        paths.len()
    );
    eprintln!(
        "corpus: parse and render: {total:?} in all, median {:?}, 99 % {:?}, slowest {:?}",
        at(50),
        at(99),
        times.last().unwrap()
    );
    assert!(paths.len() > 100, "the corpus is almost empty");
}

#[test]
fn html_of_the_corpus_is_readable_by_itself() {
    let Some(corpus) = corpus() else {
        eprintln!("corpus: skipped: no folder of mails (set POSTRIDER_CORPUS)");
        return;
    };
    let mut paths = Vec::new();
    files(&corpus, &mut paths);
    let mut count = 0;
    for path in paths.iter().filter(|p| p.extension().is_some_and(|e| e == "html" || e == "htm")) {
        let html = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
        let mail = format!("Subject: x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{html}");
        let (_, lines) = read(mail.into_bytes(), &path.display().to_string());
        assert!(lines > 0);
        count += 1;
    }
    eprintln!("corpus: {count} HTML files");
}

/// Security M-44, in full size: each within a second with optimisation, and never blank.
#[test]
fn m44_pathological_html_takes_linear_time() {
    let inputs = [
        "<div>".repeat(100_000) + "x",
        "<table><tr><td>".repeat(2_000) + "x",
        "<table><tr><td>x".repeat(100_000),
        "<blockquote>".repeat(5_000) + "x",
        "<ul><li>".repeat(1_000) + "x",
        "<b>".repeat(350_000) + "x",
        "<b id=i>".repeat(4_000) + &"<p>x".repeat(100_000),
        "<a href=x><p>y".repeat(5_000),
        "<td colspan=100000000>x<ol start=9223372036854775807><li>a<li>b".to_owned(),
        format!("<table><tr>{}</table>", "<td>x".repeat(50_000)),
        format!("<p {}>x", (0..20_000).map(|n| format!("a{n}=1 ")).collect::<String>()),
        "<".repeat(10_000_000),
        "&amp;".repeat(1_000_000),
        format!("<style>{}</style>x", ".a{color:red}".repeat(400_000)),
        format!("<style>{}</style>x", "/*".repeat(1_000_000)),
        "<p style='color:red;".repeat(100_000),
        "<!--".repeat(500_000) + "x",
        "<table><tr><th>a<th>b".to_owned() + &"<tr><td>x<td>y".repeat(100_000),
        "<select><option>".repeat(100_000) + "x",
        "<svg><title>".repeat(100_000) + "x",
    ];
    for html in inputs {
        let name: String = html.chars().take(50).collect();
        let start = spent();
        let rendered = {
            let mail = format!("Subject: x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{html}");
            render::render(&parse::message(mail.into_bytes()), 80, Prefer::Html)
        };
        let took = spent() - start;
        assert!(took < Duration::from_secs(1) * SLOW, "{took:?} for {name}");
        assert!(!rendered.lines.is_empty(), "blank: {name}");
    }
}

/// Security M-22 and M-25: trees and bodies that are far too large.
#[test]
fn m22_m25_bombs_are_bounded() {
    let nested = |depth: usize| -> String {
        let mut out = "Subject: x\r\n".to_owned();
        for n in 0..depth {
            out.push_str(&format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n"));
        }
        out + "\r\nthe end"
    };
    let inputs = [
        nested(51),
        nested(10_000),
        "Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n".to_owned() + &"--b\r\n\r\nx\r\n".repeat(300_000),
        "Subject: x\r\nContent-Type: message/rfc822\r\n\r\n".repeat(20_000),
        format!("Subject: x\r\n\r\n{}", "x".repeat(20_000_000)),
        format!("Subject: x\r\n\r\n{}", "> ".repeat(5_000_000)),
        format!("Subject: x\r\n\r\n{}", "\r\n".repeat(3_000_000)),
        format!("Subject: x\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{}", "=\r\n".repeat(1_000_000)),
        format!("Subject: x\r\nContent-Transfer-Encoding: base64\r\n\r\n{}", "QUFB".repeat(5_000_000)),
        format!("{}\r\nx", "X-A: b\r\n".repeat(100_000)),
        format!("Subject: {}\r\n\r\nx", "y".repeat(20_000_000)),
        format!("Subject: x\r\nTo: {}\r\n\r\nx", "a@b, ".repeat(1_000_000)),
        format!("Subject: x\r\nReferences: {}\r\n\r\nx", "<a@b> ".repeat(300_000)),
        format!("Subject: {}\r\n\r\nx", "=?utf-8?q?a?= ".repeat(100_000)),
        format!("Date: {}\r\nSubject: x\r\n\r\nx", "(".repeat(100_000)),
        format!("Subject: x\r\n\r\n{}", "https://a.example/ ".repeat(200_000)),
        format!("Subject: x\r\n\r\n{}", "a\u{301}".repeat(1_000_000)),
        format!("Subject: x\r\n\r\n--- a\r\n+++ b\r\n@@ -1,99999999 +1,99999999 @@\r\n{}", "+x\r\n".repeat(300_000)),
    ];
    for raw in inputs {
        let name: String = raw.chars().take(60).collect();
        let start = spent();
        let message = parse::message(raw.into_bytes());
        let rendered = render::render(&message, 80, Prefer::Plain);
        let took = spent() - start;
        eprintln!("corpus: {took:>12.3?} {name:?}");
        assert!(took < Duration::from_millis(1_500) * SLOW, "{took:?} for {name}");
        check(&rendered, 80, &name);
    }
}

fn bits() -> impl Strategy<Value = Vec<u8>> {
    let word = prop::sample::select(vec![
        "Subject: x\r\n",
        "From: a@b\r\n",
        "From",
        ": ",
        "\r\n",
        "\n",
        "\r",
        " ",
        "\t",
        "=?utf-8?b?",
        "YQ==",
        "?=",
        "=?utf-8?q?",
        "=1B]0;PWN=07",
        "Content-Type: ",
        "multipart/mixed; boundary=b",
        "multipart/alternative; boundary=\"b\"",
        "text/html",
        "text/calendar",
        "message/rfc822",
        "message/delivery-status",
        "; charset=utf-7",
        "; charset=iso-2022-jp",
        "; format=flowed",
        "--b",
        "--b--",
        "Content-Transfer-Encoding: ",
        "base64",
        "quoted-printable",
        "=",
        "=3D",
        "=\r\n",
        "<",
        ">",
        "</",
        "<b",
        "<p>",
        "<table>",
        "<tr>",
        "<td>",
        "<a href=",
        "https://a.example/",
        "javascript:x",
        "<style>",
        ".a{display:none}",
        "style='",
        "color:#fff",
        "<!--",
        "-->",
        "&amp;",
        "&#",
        "\u{202e}",
        "\u{1b}[2J",
        "\u{9b}31m",
        "ä",
        "日本",
        "🙂",
        "\u{200d}",
        "\0",
        "> ",
        ">> ",
        "-- ",
        "diff --git a b",
        "@@ -1,2 +1,2 @@",
        "+x",
        "BEGIN:VEVENT",
        "END:VEVENT",
        "DTSTART;TZID=Europe/Berlin:20261123T140000",
        "SUMMARY:",
        "RRULE:FREQ=DAILY",
        "DURATION:P1D",
        "Final-Recipient: rfc822;a@b",
        "Action: failed",
        "filename*0*=",
        "name=\"../x\"",
        "Content-ID: <i>",
        "cid:i",
    ]);
    let piece = prop_oneof![8 => word.prop_map(|w| w.as_bytes().to_vec()), 1 => prop::collection::vec(any::<u8>(), 0..12)];
    prop::collection::vec(piece, 0..120).prop_map(|p| p.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(400), failure_persistence: None, ..ProptestConfig::default() })]

    /// Any bytes at all.
    #[test]
    fn any_bytes_are_readable(raw in prop::collection::vec(any::<u8>(), 0..2_000)) {
        read(raw, "any bytes");
    }

    /// Bytes made of the pieces that parsers act on.
    #[test]
    fn pieces_of_mail_are_readable(raw in bits()) {
        read(raw, "pieces");
    }

    /// The same as HTML, which is the largest machine.
    #[test]
    fn pieces_of_html_are_readable(raw in bits()) {
        let mut mail = b"Subject: x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n".to_vec();
        mail.extend(raw);
        read(mail, "html");
    }
}
