//! whole — the program against a real server: first sync, memory, rest, start, keys, search. The figures of issue 2, "Speed".

use crate::corpus::{COMMON, Corpus, RARE};
use crate::first;
use crate::report::Report;
use crate::screen::Screen;
use crate::server;
use postrider::mail::ids::AccountName;
use postrider::mail::mailbox::MailboxPath;
use postrider::store::open::{Cache, open_reader};
use postrider::store::{Db, mailboxes, search};
use std::path::Path;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longer than anything takes.
const LONG: Duration = Duration::from_secs(600);

/// How often it is looked whether all envelopes are here.
const LOOK: Duration = Duration::from_millis(10);

/// How often [`syncs`] measures: each time between two bare reads, for the machine's own speed drifts by a third within seconds.
const SYNCS: usize = 9;

/// How many bare reads all envelopes may take.
const BAR: f64 = 1.3;

/// A look into the cache beside the program; 0 where there is none yet.
fn look<T: Default>(dir: &Path, ask: impl FnOnce(&Db<Cache>) -> postrider::store::Result<T>) -> T {
    open_reader(&dir.join("data")).and_then(|db| ask(&db)).unwrap_or_default()
}

/// When the inbox has so many messages. Asked over one connection, for the sync that is measured goes on beside it.
fn filled(dir: &Path, count: u32) -> JoinHandle<Instant> {
    let dir = dir.join("data");
    std::thread::spawn(move || {
        let mut cache = None;
        loop {
            let here = cache.as_ref().map(|db: &Db<Cache>| {
                let inbox = mailboxes::find(db, &AccountName::new("bench"), &MailboxPath::inbox())?;
                inbox.map_or(Ok(0), |id| mailboxes::counted(db, id))
            });
            match here {
                Some(Ok(here)) if here >= count => return Instant::now(),
                Some(Ok(_)) => {}
                _ => cache = open_reader(&dir).ok(),
            }
            std::thread::sleep(LOOK);
        }
    })
}

/// A word of the newest mail's subject, as the first row of the list shows it.
fn newest(corpus: &Corpus) -> String {
    let subject = corpus.mail(corpus.count).seen.envelope.envelope().subject;
    subject.trim_start_matches("Re: ").split(' ').next().unwrap_or_default().to_owned()
}

/// Milliseconds of each, sorted.
fn sorted(mut all: Vec<f64>) -> Vec<f64> {
    all.sort_by(f64::total_cmp);
    all
}

fn at(all: &[f64], share: f64) -> f64 {
    let last = all.len().saturating_sub(1);
    all.get(((last as f64) * share).round() as usize).copied().unwrap_or(f64::NAN)
}

/// Everything.
pub fn run(count: u32, report: &mut Report) {
    let (dir, word) = beginning(count, report);
    starts(dir.path(), &word, report);
    keys(dir.path(), &word, report);
}

/// An empty cache becomes a full one. The profile, and a word of its newest mail.
pub fn beginning(count: u32, report: &mut Report) -> (TempDir, String) {
    let corpus = Corpus { seed: 1, count };
    let user = server::user();
    report.section(&format!("The program, {count} messages in an inbox on Dovecot (mdbox) over TLS"));
    server::fill(&corpus, &user);
    let word = newest(&corpus);
    cold(&user, &corpus, &word, report);
    first::rows(&user, &word, report);
    let bare = server::bare_read(&user);
    report.note("bare read of all envelopes", &format!("{:.2} s", bare.read));
    report.note("... octets", &format!("{:.1} MB", bare.octets as f64 / 1e6));
    let dir = server::profile(&user);
    let (mut screen, done) = first_sync(dir.path(), &corpus, &word, report);
    report.check("... in bare reads", done / bare.read, BAR, "x");
    let start = Instant::now();
    while look(dir.path(), search::unindexed_count) > 0 {
        screen.settle(Duration::from_millis(100));
    }
    report.note("... until all are indexed, further", &format!("{:.1} s", start.elapsed().as_secs_f64()));
    screen.settle(Duration::from_secs(3));
    screen.quit();
    (dir, word)
}

/// A mailbox that no client has read yet: the server reads every mail for it, and makes its own cache.
fn cold(user: &str, corpus: &Corpus, word: &str, report: &mut Report) {
    server::forget(user);
    let bare = server::bare_read(user);
    report.note("bare read of all envelopes, the server's own cache cold", &format!("{:.2} s", bare.read));
    server::forget(user);
    let dir = server::profile(user);
    let (screen, took, _) = all_envelopes(dir.path(), corpus, word);
    screen.quit();
    report.note("... ours, likewise cold", &format!("{took:.2} s, {:.2} x", took / bare.read));
}

/// Only that, several times: for whoever makes it quicker.
pub fn syncs(count: u32, report: &mut Report) {
    let corpus = Corpus { seed: 1, count };
    let user = server::user();
    report.section(&format!("First sync, {count} messages in an inbox on Dovecot (mdbox) over TLS"));
    server::fill(&corpus, &user);
    let word = newest(&corpus);
    cold(&user, &corpus, &word, report);
    let mut before = server::bare_read(&user).read;
    let mut all = Vec::new();
    for _ in 0..SYNCS {
        let dir = server::profile(&user);
        let (screen, done) = first_sync(dir.path(), &corpus, &word, report);
        screen.quit();
        let after = server::bare_read(&user).read;
        report.note("bare reads before and after", &format!("{before:.2}, {after:.2} s"));
        all.push(done / ((before + after) / 2.0));
        before = after;
    }
    let all = sorted(all);
    report.check("to all envelopes, in bare reads, median", at(&all, 0.5), BAR, "x");
    report.note("... the quickest, the slowest", &format!("{:.2}, {:.2} x", at(&all, 0.0), at(&all, 1.0)));
}

/// A reader on an empty profile has all envelopes: after how many seconds, and what its keys took meanwhile in milliseconds.
fn all_envelopes(dir: &Path, corpus: &Corpus, word: &str) -> (Screen, f64, Vec<f64>) {
    let mut screen = Screen::start(dir, false);
    let filled = filled(dir, corpus.count);
    screen.until(LONG, |s| s.text().contains(word) && s.bar().is_some());
    let mut keys = Vec::new();
    let (mut down, mut steps) = (true, 0);
    while !filled.is_finished() {
        // Between two keys of a person in a hurry.
        screen.pass(Duration::from_millis(30));
        let was = screen.bar();
        let typed = screen.type_in(if down { b"j" } else { b"k" });
        let moved = screen.until(Duration::from_secs(5), |s| s.bar() != was);
        keys.push((moved - typed).as_secs_f64() * 1e3);
        steps += 1;
        if steps % 20 == 0 {
            down = !down;
        }
    }
    let done = (filled.join().unwrap() - screen.begun).as_secs_f64();
    (screen, done, keys)
}

/// Says what it took; after how many seconds all was here.
fn first_sync(dir: &Path, corpus: &Corpus, word: &str, report: &mut Report) -> (Screen, f64) {
    let (screen, done, keys) = all_envelopes(dir, corpus, word);
    let (processor, threads) = (screen.processor(), screen.threads());
    let (now, most, _) = screen.memory();
    report.note("first sync, to all envelopes", &format!("{done:.2} s"));
    report.note("... processor time", &format!("{processor:.2} s"));
    for (name, spent) in threads {
        report.note(&format!("... ... {name}"), &format!("{spent:.2} s"));
    }
    let keys = sorted(keys);
    report.check(&format!("key to frame meanwhile ({} keys), median", keys.len()), at(&keys, 0.5), 16.0, "ms");
    report.check("... 99th percentile", at(&keys, 0.99), 16.0, "ms");
    report.note("... the worst", &format!("{:.1} ms", at(&keys, 1.0)));
    report.check("resident memory, the most until then", most, 50.0, "MB");
    report.note("... just then", &format!("{now:.1} MB"));
    (screen, done)
}

fn starts(dir: &Path, word: &str, report: &mut Report) {
    let mut times = Vec::new();
    for _ in 0..9 {
        let mut screen = Screen::start(dir, false);
        let seen = screen.until(LONG, |s| s.text().contains(word) && s.bar().is_some());
        times.push((seen - screen.begun).as_secs_f64() * 1e3);
        screen.quit();
    }
    let times = sorted(times);
    report.check("warm cache: start to the first frame with the list", at(&times, 0.5), 50.0, "ms");
    report.note("... the quickest, the slowest", &format!("{:.0}, {:.0} ms", at(&times, 0.0), at(&times, 1.0)));
}

fn keys(dir: &Path, word: &str, report: &mut Report) {
    for (far, what, bar) in [(false, "with the band", 0.0), (true, "with the bar alone", 60.0)] {
        let mut screen = Screen::start(dir, far);
        screen.until(LONG, |s| s.text().contains(word) && s.bar().is_some());
        screen.settle(Duration::from_secs(2));
        let (mut times, mut octets) = (Vec::new(), Vec::new());
        for n in 0..60 {
            let (was, before) = (screen.bar(), screen.octets);
            let typed = screen.type_in(if n < 30 { b"j" } else { b"k" });
            let moved = screen.until(Duration::from_secs(5), |s| s.bar() != was);
            times.push((moved - typed).as_secs_f64() * 1e3);
            screen.settle(Duration::from_millis(25));
            octets.push((screen.octets - before) as f64);
        }
        let (times, octets) = (sorted(times), sorted(octets));
        let bar = if bar == 0.0 { 2.0 * screen.list_width() as f64 + 150.0 } else { bar };
        report.check(&format!("a cursor move {what}: octets, median"), at(&octets, 0.5), bar, "B");
        report.check("... key to frame, 99th percentile", at(&times, 0.99), 16.0, "ms");
        if far {
            rest(screen, report);
        } else {
            flood(&mut screen, report);
            find(&mut screen, report);
            let (now, most, own) = screen.memory();
            report.check("resident memory with that mailbox open", now, 50.0, "MB");
            report.note("... of its own; the most there was", &format!("{own:.1}; {most:.1} MB"));
            screen.quit();
        }
    }
}

/// 200 keys at once become few frames.
fn flood(screen: &mut Screen, report: &mut Report) {
    let before = screen.octets;
    let typed = screen.type_in(&b"j".repeat(200));
    let mut last = typed;
    while let Some(when) = screen.take(Duration::from_millis(150)) {
        last = when;
    }
    report.check("200 cursor keys at once", (last - typed).as_secs_f64() * 1e3, 50.0, "ms");
    report.note("... octets", &format!("{}", screen.octets - before));
    screen.type_in(b"gg");
    screen.settle(Duration::from_millis(300));
}

fn find(screen: &mut Screen, report: &mut Report) {
    let mut times = Vec::new();
    for word in [RARE, COMMON, "re", "from:an"] {
        screen.type_in(b"/");
        screen.settle(Duration::from_millis(200));
        for letter in word.bytes() {
            let typed = screen.type_in(&[letter]);
            // The letter's own frame, and the one with what it found.
            let mut last = screen.take(Duration::from_secs(2)).unwrap_or(typed);
            while let Some(when) = screen.take(Duration::from_millis(120)) {
                last = when;
            }
            times.push((last - typed).as_secs_f64() * 1e3);
        }
        screen.type_in(b"\x1b");
        screen.settle(Duration::from_millis(200));
    }
    let times = sorted(times);
    report.check("search as one types: a letter to its last frame, median", at(&times, 0.5), 16.0, "ms");
    report.note("... the slowest", &format!("{:.1} ms", at(&times, 1.0)));
}

/// Nothing happens where nothing is due.
fn rest(mut screen: Screen, report: &mut Report) {
    screen.settle(Duration::from_secs(5));
    let before = screen.switches();
    std::thread::sleep(Duration::from_secs(20));
    let count = screen.switches() - before;
    report.check("context switches in 20 s of rest", count as f64, 0.0, "");
    screen.quit();
}
