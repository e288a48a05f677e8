//! person — a person with a mailbox on the server, a profile with the whole engine, and another client at work beside it.
//! Start reading at: `Person`. Both sides can be looked at: what the person sees (`sees`), and what the server has (`there`).

use crate::mailhost::{At, PASSWORD, home, host, left};
use crate::{Strings, imap_to};
use postrider::base::paths::Paths;
use postrider::config::Config;
use postrider::engine::api::{Connectivity, News, Query, Request, Rows};
use postrider::engine::shared::Pace;
use postrider::engine::{Engine, Mode, Setup};
use postrider::mail::flags::{Flag, FlagDelta, Flags};
use postrider::mail::ids::{MailboxId, PlacementKey};
use postrider::mail::mailbox::MailboxPath;
use postrider::mail::row::{MailboxRow, MessageRow, RowCursor};
use postrider::mail::uid::UidSet;
use postrider::net::imap::ImapStore;
use postrider::net::session::{MailStore, TlsMode};
use rustix::time::{ClockId, clock_gettime};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

pub const PATIENCE: Duration = Duration::from_secs(30);

/// A person with a mailbox on the server, a profile, and another client.
pub struct Person {
    pub name: String,
    /// The account's name in the profile.
    pub account: &'static str,
    pub dir: tempfile::TempDir,
    pub imap: u16,
    pub smtp: u16,
    pub password: String,
    pub at: At,
    /// Further lines of the account's configuration.
    pub more: String,
    /// How many connections it may have.
    pub connections: u8,
    /// How often it looks at what nobody tells.
    pub pace: Pace,
}

impl Person {
    pub fn new(name: String) -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self {
            name,
            account: "me",
            dir,
            imap: host().imaps,
            smtp: host().submissions,
            password: PASSWORD.into(),
            at: At::Good,
            more: String::new(),
            connections: 2,
            pace: Pace { filing: Duration::from_secs(1), ..Pace::default() },
        }
    }

    /// What stands in the configuration.
    pub fn configuration(&self) -> String {
        let ca = host().dir.join("tls/ca.pem");
        let password = if self.password.is_empty() { "{ ask = true }".into() } else { format!("{:?}", self.password) };
        format!(
            "[account.{}]\naddress = {:?}\npassword = {password}\nca-file = {ca:?}\n\
             imap = {{ host = \"127.0.0.{}\", port = {}, connections = {} }}\nsmtp = {{ host = \"127.0.0.1\", port = {} }}\n{}\n",
            self.account, self.name, self.at as u8, self.imap, self.connections, self.smtp, self.more
        )
    }

    /// What Postrider is started with.
    pub fn setup(&self) -> Setup {
        let config = Config::parse(&self.configuration(), &self.dir.path().join("config.toml"), 0o600).unwrap();
        Setup { pace: self.pace, ..Setup::new(config, Paths::of_profile(self.dir.path()), Mode::Live) }
    }

    /// Starts Postrider.
    pub fn start(&self) -> Engine {
        Engine::start(&self.setup()).unwrap()
    }

    /// Another client of the same person.
    pub fn other(&self) -> ImapStore {
        imap_to(&host().imap_at(At::Good, TlsMode::Implicit), &self.name, PASSWORD, &Strings::new()).unwrap()
    }

    /// A mail arrives. `name` is its file's; the inbox must have been opened once.
    pub fn deliver(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt;
        let file = self.maildir().join("new").join(format!("1600000000.{name}.test"));
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o666)).unwrap();
    }

    pub fn maildir(&self) -> std::path::PathBuf {
        home(&self.name).join("Maildir")
    }

    /// The server forgets the numbers of the inbox, once nobody is connected: a session that stood would write them again.
    pub fn forget_numbers(&self) {
        left(&self.name);
        for entry in std::fs::read_dir(self.maildir()).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if name.starts_with("dovecot") && (name.contains("index") || name.contains("uidlist") || name.contains("uidvalidity"))
            {
                std::fs::remove_file(path).unwrap();
            }
        }
        // The new ones are of another second.
        std::thread::sleep(Duration::from_millis(1_100));
    }
}

pub fn put(store: &mut ImapStore, to: &str, subject: &str) {
    let text = format!("From: a@b.example\r\nSubject: {subject}\r\nMessage-ID: <{subject}@b>\r\n\r\nHello {subject}.\r\n");
    let flags = Flags::default();
    store.append(&MailboxPath::from_typed(to), &flags, 1_600_000_000, text.len() as u64, &mut text.as_bytes()).unwrap();
}

/// What the server has in a mailbox: subject and flags, in order.
pub fn there(store: &mut ImapStore, mailbox: &str) -> Vec<String> {
    let mut all = Vec::new();
    if store.select(&MailboxPath::from_typed(mailbox), true, None).is_ok_and(|s| s.exists > 0) {
        let sink = &mut |rows: Vec<postrider::mail::server::EnvelopeSeen>| {
            all.extend(
                rows.into_iter().map(|r| format!("{} {}", r.envelope.envelope().subject, r.flags.wire()).trim().to_owned()),
            );
            Ok(None)
        };
        store.fetch_envelopes(&UidSet::range(1, u32::MAX), sink).unwrap();
    }
    all
}

/// Looks after each piece of news until `done` gives something. Faults are in order only where `may_fail`.
pub fn until<T>(engine: &Engine, what: &str, mut done: impl FnMut(&News) -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    let mut news = News::default();
    loop {
        if let Some(found) = done(&news) {
            return found;
        }
        assert!(Instant::now() < end, "{what} did not come; {:?} {:?}", news.faults, news.connectivity);
        news = engine.wait(Duration::from_millis(100));
    }
}

pub fn live(engine: &Engine) {
    until(engine, "the connection", |news| is_live(news).then_some(()));
}

/// Whether it was told now that the account is connected; it is told once.
pub fn is_live(news: &News) -> bool {
    matches!(news.connectivity.values().next(), Some(Connectivity::Live { .. }))
}

pub fn mailboxes(engine: &Engine) -> Vec<MailboxRow> {
    let Ok(Rows::Mailboxes(rows)) = engine.ask(&Query::Mailboxes) else { panic!() };
    rows
}

pub fn id(engine: &Engine, path: &str) -> Option<MailboxId> {
    mailboxes(engine).into_iter().find(|r| r.path.as_str() == path).map(|r| r.id)
}

/// So many rows are asked for at a time.
const PAGE: u32 = 500;

/// All that the person sees in a mailbox.
pub fn rows(engine: &Engine, path: &str) -> Vec<MessageRow> {
    let Some(mailbox) = id(engine, path) else { return Vec::new() };
    let (mut all, mut cursor) = (Vec::new(), RowCursor::Newest);
    loop {
        let query = Query::Messages { view: mailbox.into(), threaded: false, cursor, limit: PAGE };
        let Ok(Rows::Messages(page)) = engine.ask(&query) else { panic!() };
        let more = page.rows.len() == PAGE as usize;
        all.extend(page.rows);
        match all.last() {
            Some(last) if more => cursor = RowCursor::From(last.sort - 1),
            _ => return all,
        }
    }
}

pub fn subjects(engine: &Engine, path: &str) -> Vec<String> {
    let mut all: Vec<String> = rows(engine, path).into_iter().map(|r| r.subject).collect();
    all.sort();
    all
}

pub fn key(engine: &Engine, path: &str, subject: &str) -> PlacementKey {
    until(engine, subject, |_| rows(engine, path).into_iter().find(|r| r.subject == subject).map(|r| r.id))
}

/// Waits until the person sees these subjects there.
pub fn sees(engine: &Engine, path: &str, expect: &[&str]) {
    until(engine, &format!("{expect:?} in {path}"), |_| (subjects(engine, path) == expect).then_some(()));
}

/// Waits until every mailbox was gone through once: what comes from now on is news.
pub fn in_step(engine: &Engine) {
    until(engine, "a look at all mailboxes", |_| {
        let all = mailboxes(engine);
        (!all.is_empty() && all.iter().all(|m| !m.selectable || m.synced_at > 0)).then_some(())
    });
}

/// A beat takes so long where a processor is free, and so much of it is work.
const BEAT: Duration = Duration::from_millis(5);
const WORK: Duration = Duration::from_micros(500);

/// Does `what`, and how many times slower than with a free processor this process came along meanwhile, 1 at least: a thread beside it
/// sleeps and works in turns, and counts. Waiting for a time of day slows no beat; a machine that gives this process little does, in
/// the measure in which it slows everything else here.
pub fn beside_a_beat<T>(what: impl FnOnce() -> T) -> (T, f64) {
    struct Over<'a>(&'a AtomicBool);
    impl Drop for Over<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let worked = || {
        let now = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap())
    };
    let (over, begun) = (AtomicBool::new(false), Instant::now());
    let (done, beats) = std::thread::scope(|all| {
        let beats = all.spawn(|| {
            (1u32..)
                .find(|_| {
                    std::thread::sleep(BEAT - WORK);
                    let from = worked();
                    while worked() - from < WORK {
                        std::hint::spin_loop();
                    }
                    over.load(Ordering::SeqCst)
                })
                .unwrap()
        });
        let over = Over(&over);
        let done = what();
        drop(over);
        (done, beats.join().unwrap())
    });
    (done, begun.elapsed().div_duration_f64(BEAT * beats).max(1.0))
}

/// `wanted` of at most `most` tries take less than `bound`; each says how long it took. What is slower again and again is not a busy
/// machine, and on a quiet one the first ones are enough. The bound is that of a machine with a free processor: where this process
/// gets less, it has as much longer as that makes everything here slower.
pub fn quick(wanted: usize, most: usize, bound: Duration, mut attempt: impl FnMut() -> Duration) {
    let (mut all, mut well) = (Vec::new(), 0);
    while well < wanted {
        assert!(all.len() < most, "not within {bound:?}, each with how much slower than a free machine this was: {all:?}");
        let (took, slower) = beside_a_beat(&mut attempt);
        well += usize::from(took < bound.mul_f64(slower));
        all.push((took, slower));
    }
    println!("within {bound:?}: {all:?}");
}

/// One of three tries is done within a second.
pub fn within_a_second(attempt: impl FnMut() -> Duration) {
    quick(1, 3, Duration::from_secs(1), attempt);
}

/// Waits until the journal is empty.
pub fn settled(engine: &Engine) {
    until(engine, "an empty journal", |_| {
        let Ok(Rows::Queue(rows)) = engine.ask(&Query::Queue) else { panic!() };
        rows.is_empty().then_some(())
    });
}

pub fn flag(engine: &Engine, target: PlacementKey, flag: Flag) {
    let delta = FlagDelta::set(flag);
    engine.perform(Request::Flag { targets: vec![target], delta, automatic: false }).unwrap();
}

/// What the person sees in each mailbox of the server: subject and flags, in no order.
fn here(engine: &Engine, path: &str) -> Vec<String> {
    let mut all: Vec<String> =
        rows(engine, path).iter().map(|r| format!("{} {}", r.subject, r.flags.wire()).trim().to_owned()).collect();
    all.sort();
    all
}

/// Waits until nothing is pending and every mailbox is as the server has it: the same mailboxes, messages and flags.
pub fn agree(engine: &Engine, other: &mut ImapStore) {
    agree_on(engine, other, |_| true);
}

/// The same where the server also has what counts for nothing: without UIDPLUS what is deleted is only marked.
pub fn agree_on(engine: &Engine, other: &mut ImapStore, counts: fn(&String) -> bool) {
    settled(engine);
    let mut difference = String::new();
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        difference.clear();
        for listed in other.list().unwrap().into_iter().filter(|m| m.selectable) {
            let path = listed.path.as_str();
            let mut theirs = there(other, path);
            theirs.retain(counts);
            theirs.sort();
            let ours = here(engine, path);
            if ours != theirs {
                difference = format!("{path}: here {ours:?}, there {theirs:?}");
                break;
            }
        }
        if difference.is_empty() {
            return;
        }
        let _ = engine.wait(Duration::from_millis(200));
    }
    panic!("{difference}");
}

/// What a process has in memory, in kB.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Memory {
    /// What it asked for itself: this is what grows where something is kept that nobody needs.
    pub own: u64,
    /// With the pages of its program and of files, which the system may take back at any time.
    pub resident: u64,
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} kB of its own, {} kB resident", self.own, self.resident)
    }
}

pub fn memory_of(process: u32) -> Memory {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = |name: &str| -> u64 {
        let line = text.lines().find_map(|l| l.strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    };
    Memory { own: line("RssAnon:"), resident: line("VmRSS:") }
}

/// Numbers that look random and are the same each time.
pub struct Dice(pub u64);

impl Dice {
    /// Below `sides`.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    /// One of so many things.
    pub fn pick(&mut self, of: usize) -> usize {
        usize::try_from(self.roll(of as u64)).unwrap()
    }
}
