//! bodies — all texts of a mailbox, fetched ahead of need, against a bare read of the same in the same run.
//! Start reading at: `run`. 10,000 mails of 22 kB: a text, the same as HTML, and in every other one a file. Neither side compresses:
//! over a quick line Postrider leaves that where it is about to read much. Two figures: until `postrider sync` has ended and all texts are
//! kept and can be read, and until `postrider search`, begun right behind it, has found a word of theirs.

use crate::bare::Bare;
use crate::corpus::{COMMON, Corpus};
use crate::mailhost::{host, user};
use crate::report::{Report, processor_of};
use crate::server;
use postrider::mail::ids::AccountName;
use postrider::store::open::{Cache, open_reader};
use postrider::store::{self, Db};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// How many times a bare read it may take (issue 3).
const BAR: f64 = 1.7;

/// What our side took.
#[derive(Clone, Copy)]
struct Ours {
    /// Seconds until all is kept.
    kept: f64,
    /// Seconds of a processor until then.
    used: f64,
    /// Seconds until all is found by its words, from the beginning on.
    found: f64,
}

/// A mail of about 22 kB with its text in it.
fn mail(corpus: &Corpus, uid: u32) -> Vec<u8> {
    let plain = corpus.raw(uid);
    let text = String::from_utf8_lossy(&plain);
    let (header, body) = text.split_once("\r\n\r\n").unwrap();
    let header: Vec<&str> = header.lines().filter(|l| !l.starts_with("Content-") && !l.starts_with("MIME-")).collect();
    let mut out = header.join("\r\n");
    out.push_str("\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n");
    out.push_str("Content-Type: multipart/alternative; boundary=a\r\n\r\n--a\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n");
    out.push_str(body);
    out.push_str("\r\n--a\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><body><table width=\"600\">\r\n");
    for n in 0..if uid.is_multiple_of(2) { 4 } else { 12 } {
        for line in body.lines() {
            out.push_str("<tr><td style=\"padding:4px 8px;font-family:sans-serif\"><p class=x>");
            out.push_str(line);
            out.push_str("</p></td></tr>\r\n");
        }
        out.push_str(&format!("<tr><td><a href=\"https://news.example/{uid}/{n}\">more</a></td></tr>\r\n"));
    }
    out.push_str("</table></body></html>\r\n--a--\r\n");
    if uid.is_multiple_of(2) {
        out.push_str("--m\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n");
        out.push_str("Content-Transfer-Encoding: base64\r\n\r\n");
        let mut state = u64::from(uid);
        for _ in 0..190 {
            for _ in 0..76 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
                out.push(char::from(letters[(state >> 58) as usize]));
            }
            out.push_str("\r\n");
        }
    }
    out.push_str("--m--\r\n");
    out.into_bytes()
}

/// Runs a pass over all texts, then a search.
fn all(profile: &Path, count: u32) -> Ours {
    let (kept, used) = pass(profile, "all");
    let look = |question: &dyn Fn(&Db<Cache>) -> postrider::store::Result<u64>| {
        question(&open_reader::<Cache>(&profile.join("data")).unwrap()).unwrap()
    };
    let account = AccountName::new("bench");
    let missing = look(&|db| Ok(store::bodies::wanted(db, &account, 0, u64::MAX, 1, &|_, _| true)?.len() as u64));
    assert_eq!(missing, 0, "all texts are here");
    let begun = Instant::now();
    let mut search = Command::new(env!("CARGO_BIN_EXE_postrider"));
    search.arg("--profile").arg(profile).args(["search", "--limit", "1000000", COMMON]);
    let found = String::from_utf8(search.output().unwrap().stdout).unwrap().lines().count();
    let searched = begun.elapsed().as_secs_f64();
    assert_eq!(look(&store::words::count), 0, "all texts are in the index");
    assert!(found * 20 > count as usize, "{found} of {count} have a word that is in one of ten");
    Ours { kept, used, found: kept + searched }
}

/// Runs a pass; how many seconds it took, and how many of a processor's.
fn pass(profile: &Path, bodies: &str) -> (f64, f64) {
    let begun = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_postrider"))
        .arg("--profile")
        .arg(profile)
        .args(["sync", "--bodies", bodies])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let pid = child.id().to_string();
    let mut used = 0.0;
    while child.try_wait().unwrap().is_none() {
        used = processor_of(&pid).unwrap_or(used);
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let took = begun.elapsed().as_secs_f64();
    assert!(child.wait().unwrap().success());
    (took, used)
}

pub fn run(count: u32, report: &mut Report) {
    let corpus = Corpus { seed: 22, count };
    let me = user();
    server::fill_with(&corpus, &me, |uid| mail(&corpus, uid));
    report.section(&format!("All texts of {count} mails"));
    let mut bare = Bare::open(host().imaps, &me);
    bare.ask("EXAMINE INBOX");
    bare.ask("UID FETCH 1:* (UID BODY.PEEK[])");
    let mut best: Option<Ours> = None;
    let mut floor = f64::MAX;
    // Kept to the end: where many files were just removed, some file systems are slow to make new ones.
    let mut profiles = Vec::new();
    // In turns, so that both have the same machine.
    for _ in 0..2 {
        let profile = server::profile(&me);
        pass(profile.path(), "none");
        let (octets, read) = bare.ask("UID FETCH 1:* (UID BODY.PEEK[])");
        floor = floor.min(read);
        report.note("a bare read", &format!("{:.0} MB in {read:.2} s", octets as f64 / 1e6));
        let ours = all(profile.path(), count);
        let Ours { kept, used, found } = ours;
        report.note("ours", &format!("{kept:.2} s, {used:.2} s cpu; searchable {found:.2} s"));
        best = Some(best.map_or(ours, |best| if kept < best.kept { ours } else { best }));
        profiles.push(profile);
    }
    let best = best.unwrap();
    report.note("our processor time", &format!("{:.2} s", best.used));
    report.note("all texts searchable, times a bare read", &format!("{:.2} x", best.found / floor));
    report.check(
        "all texts kept and readable, times a bare read",
        best.kept / floor,
        if count < 10_000 { f64::INFINITY } else { BAR },
        "x",
    );
}
