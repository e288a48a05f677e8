//! cost — what a pass costs on the wire, beside the floor of the same run: the table of issue 3, "Cost".
//! Start reading at: `run`. Octets are counted on the line, TLS and login among them; round trips are turns of the line. The
//! floor is a connection that sends the fewest commands that would do, and looks at nothing.

use crate::bare::Bare;
use crate::bodies;
use crate::corpus::Corpus;
use crate::mailhost::host;
use crate::mailhost::proxy::{Line, Proxy};
use crate::report::{Report, processor_of_children};
use crate::screen::Screen;
use crate::server::{self, ENVELOPE};
use crate::store;
use crate::whole;
use postrider::store::search;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Someone with a mailbox, a profile, and a line that counts.
struct Person {
    user: String,
    proxy: Proxy,
    dir: tempfile::TempDir,
}

/// What something cost.
#[derive(Clone, Copy)]
struct Cost {
    octets: u64,
    turns: u64,
    seconds: f64,
    /// Of them on a processor, where it was a program of its own.
    processor: f64,
}

impl Person {
    /// With the corpus in the inbox; `more` is added to the account's configuration.
    fn new(corpus: &Corpus, more: &str) -> Self {
        let user = server::user();
        server::fill(corpus, &user);
        Self::of(user, more)
    }

    fn of(user: String, more: &str) -> Self {
        let proxy = Proxy::start(host().imaps, Line::default());
        let dir = tempfile::Builder::new().prefix("pr").tempdir().unwrap();
        std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        let person = Self { user, proxy, dir };
        person.configure(more);
        person
    }

    fn configure(&self, more: &str) {
        let config = self.dir.path().join("config.toml");
        std::fs::write(&config, server::account_at(&self.user, self.proxy.port, more)).unwrap();
        std::fs::set_permissions(&config, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    }

    /// Runs something and says what went over the line meanwhile.
    fn measure(&self, what: impl FnOnce()) -> Cost {
        let count = || {
            let (down, up) = self.proxy.bytes();
            (down + up, self.proxy.turns())
        };
        let (before, used, begun) = (count(), processor_of_children(), Instant::now());
        what();
        let (seconds, processor) = (begun.elapsed().as_secs_f64(), processor_of_children() - used);
        // What is under way is counted, too.
        std::thread::sleep(Duration::from_millis(20));
        let after = count();
        Cost { octets: after.0 - before.0, turns: after.1 - before.1, seconds, processor }
    }

    /// Until all is in the index of words: a reader does that at rest, the passes of this bench have none.
    fn indexed(&self) {
        let store = store::open(&self.dir.path().join("data"));
        while store.read(search::unindexed_count).unwrap() > 0 {
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// One pass of the program; what it told.
    fn sync(&self, args: &[&str]) -> Value {
        sync(self.dir.path(), args)
    }

    fn other(&self) -> Bare {
        Bare::open(host().imaps, &self.user)
    }

    /// A connection over the counted line that asks this and leaves.
    fn floor(&self, commands: &[String]) -> Cost {
        self.measure(|| {
            let mut bare = Bare::open(self.proxy.port, &self.user);
            for command in commands {
                bare.ask(command);
            }
            drop(bare);
        })
    }
}

fn sync(dir: &Path, args: &[&str]) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postrider"));
    command.args(["--profile", dir.to_str().unwrap(), "sync", "--json"]).args(args).stdin(Stdio::null());
    let out = command.output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

/// What the other client does: this many new, flagged and expunged.
const DELTA: (u32, u32, u32) = (100, 100, 50);

fn change(person: &Person, corpus: &Corpus, round: u32) {
    let mut other = person.other();
    other.ask("SELECT INBOX");
    let new = Corpus { seed: 7 + u64::from(round), count: DELTA.0 };
    for n in 1..=DELTA.0 {
        other.append("INBOX", &new.raw(n));
    }
    // Sequence numbers from the top: others each round, spread out as they are in life.
    let top = corpus.count - round * (corpus.count / 8);
    let spread = |from: u32, count: u32| (0..count).map(|n| (from - 3 * n).to_string()).collect::<Vec<_>>().join(",");
    let flag = if round.is_multiple_of(2) { "\\Flagged" } else { "$Forwarded" };
    other.ask(&format!("UID STORE {} +FLAGS.SILENT ({flag})", spread(top, DELTA.1)));
    other.ask(&format!("UID STORE {} +FLAGS.SILENT (\\Deleted)", spread(top - 400, DELTA.2)));
    other.ask("EXPUNGE");
    other.ask("LOGOUT");
}

/// A figure beside the floor of the same run.
fn row(report: &mut Report, what: &str, ours: Cost, floor: Cost, bars: (f64, f64)) {
    let kb = |n: u64| n as f64 / 1e3;
    report.check(&format!("{what}: octets"), kb(ours.octets), bars.0, "kB");
    report.note("... bare floor", &format!("{:.1} kB", kb(floor.octets)));
    report.check("... time, the start of the program in it", ours.seconds, bars.1, "s");
    report.note("... of it our processor time; bare floor", &format!("{:.2} s; {:.2} s", ours.processor, floor.seconds));
    report.note("... round trips (bare floor), handshake and login in it", &format!("{} ({})", ours.turns, floor.turns));
}

/// Without one of these, the program does with less.
const WAYS: [(&str, &str, f64); 4] = [
    ("QRESYNC and COMPRESS", "", 20.0),
    ("QRESYNC", "without = [\"COMPRESS=DEFLATE\"]\n", 55.0),
    ("CONDSTORE", "without = [\"COMPRESS=DEFLATE\", \"QRESYNC\"]\n", f64::INFINITY),
    ("plain", "without = [\"COMPRESS=DEFLATE\", \"QRESYNC\", \"CONDSTORE\"]\n", f64::INFINITY),
];

fn reopen(count: u32, report: &mut Report) {
    report.section(&format!("Again with nothing new, and after {DELTA:?} new, flagged, expunged: {count} messages"));
    let corpus = Corpus { seed: 1, count };
    let person = Person::new(&corpus, "");
    // Dovecot's own cache is made by the first read.
    server::bare_read(&person.user);
    let first = person.measure(|| drop(person.sync(&[])));
    report.note("first pass", &format!("{:.1} kB, {:.2} s, {} turns", first.octets as f64 / 1e3, first.seconds, first.turns));
    person.indexed();
    for (round, (name, more, bar)) in (0..).zip(WAYS) {
        person.configure(more);
        person.sync(&[]);
        let modseq = person.other().word("STATUS INBOX (HIGHESTMODSEQ)", "HIGHESTMODSEQ ");
        let select = format!("SELECT INBOX (QRESYNC ({} {modseq}))", server::VALIDITY);
        let commands = ["ENABLE QRESYNC", &select, "LOGOUT"].map(str::to_owned);
        let floor = person.floor(&commands);
        let ours = person.measure(|| drop(person.sync(&["--mailbox", "INBOX"])));
        let plain = if name == "plain" { f64::INFINITY } else { 6.0 };
        row(report, &format!("{name}: re-opened, nothing new"), ours, floor, (plain, 0.1));
        change(&person, &corpus, round);
        let uid = count + round * DELTA.0;
        let fetch = format!("UID FETCH {}:* {ENVELOPE}", uid + 1);
        let floor = person.floor(&["ENABLE QRESYNC", &select, &fetch, "LOGOUT"].map(str::to_owned));
        let mut told = Value::Null;
        let ours = person.measure(|| told = person.sync(&["--mailbox", "INBOX"]));
        row(
            report,
            &format!("{name}: after the changes"),
            ours,
            floor,
            (bar, if bar.is_finite() { 0.15 } else { f64::INFINITY }),
        );
        let here = &told["accounts"][0]["mailboxes"][0];
        let counts = [&here["new"], &here["vanished"]].map(|n| n.as_u64().unwrap_or(0));
        assert_eq!(counts, [u64::from(DELTA.0), u64::from(DELTA.2)], "{here}");
    }
}

/// Turns of the line before ours is logged in: TLS one, the greeting one, SCRAM three.
const LOGIN: u64 = 5;
/// Mailboxes beside the inbox.
const BOXES: u32 = 60;

fn many(report: &mut Report) {
    report.section(&format!("{BOXES} mailboxes with nothing new"));
    let corpus = Corpus { seed: 3, count: 200 };
    let person = Person::new(&corpus, "");
    let mut other = person.other();
    for n in 0..BOXES {
        let name = format!("box{n}");
        other.ask(&format!("CREATE {name}"));
        other.ask(&format!("SUBSCRIBE {name}"));
        for uid in 1..=3 {
            other.append(&name, &corpus.raw(uid + n));
        }
    }
    other.ask("LOGOUT");
    person.sync(&[]);
    person.sync(&[]);
    let floor = person.floor(&[
        "LIST \"\" \"*\" RETURN (SPECIAL-USE SUBSCRIBED STATUS (MESSAGES UIDNEXT UIDVALIDITY UNSEEN HIGHESTMODSEQ))".to_owned(),
        "LOGOUT".to_owned(),
    ]);
    let ours = person.measure(|| drop(person.sync(&[])));
    row(report, "a pass over all of them", ours, floor, (10.0, f64::INFINITY));
    report.check("... round trips after the login, the goodbye among them", (ours.turns - LOGIN) as f64, 3.0, "");
}

/// One way.
const FAR: Duration = Duration::from_millis(25);

fn far(count: u32, report: &mut Report) {
    report.section(&format!("A round trip of 50 ms, {count} messages"));
    let corpus = Corpus { seed: 1, count };
    let person = Person::new(&corpus, "");
    person.sync(&[]);
    let mut other = person.other();
    let subject = "Vespertine quince";
    other.append(
        "INBOX",
        format!("From: Ann <ann@example.org>\r\nSubject: {subject}\r\nMessage-ID: <far@x>\r\n\r\nHello.\r\n").as_bytes(),
    );
    person.proxy.set(Line { latency: FAR, ..Line::default() });
    let mut screen = Screen::start(person.dir.path(), false);
    let shown = screen.until(Duration::from_secs(30), |s| s.bar().is_some() && s.text().lines().count() > 10);
    report.check("start to the list from the cache", (shown - screen.begun).as_secs_f64() * 1e3, 50.0, "ms");
    let right = screen.until(Duration::from_secs(30), |s| s.text().contains(subject));
    report.check("... until what came meanwhile is in it", (right - screen.begun).as_secs_f64(), 0.5, "s");
    screen.quit();
}

/// The whole table; `count` is the size of the larger mailbox.
pub fn run(count: u32, report: &mut Report) {
    reopen(count / 10, report);
    reopen(count, report);
    many(report);
    whole::beginning(count, report);
    far(count / 10, report);
    bodies::run(count / 10, report);
}
