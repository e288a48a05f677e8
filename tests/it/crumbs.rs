//! crumbs — a line that is cut within the first rows of every connection: what came whole counts, and the next connection goes on
//! behind it, until all is here. With QRESYNC, with CONDSTORE alone, with neither.
//! Start reading at: `Table`.

use crate::mailhost::proxy::{End, Line, Proxy};
use crate::mailhost::{host, user};
use crate::person::{Person, agree, mailboxes, put, rows};
use postrider::base::cancel::Cancel;
use postrider::base::paths::Paths;
use postrider::config::Config;
use postrider::engine::sync::{Scope, sync_once};
use postrider::engine::{Engine, Mode, Setup};
use postrider::mail::flags::{Flag, FlagDelta};
use postrider::mail::mailbox::MailboxPath;
use postrider::mail::uid::UidSet;
use postrider::net::imap::ImapStore;
use postrider::net::session::MailStore;
use std::time::{Duration, Instant};

/// What a pass says more in small steps than at once, in octets: the opening, and the numbers of all messages.
const STEPS: u64 = 400;
/// Octets of a message's flags.
const FLAGS: u64 = 90;
const PLAIN: &str = "without = [\"COMPRESS=DEFLATE\", \"CONDSTORE\", \"QRESYNC\"]";
const CONDSTORE: &str = "without = [\"COMPRESS=DEFLATE\", \"QRESYNC\"]";
const QRESYNC: &str = "without = [\"COMPRESS=DEFLATE\"]";

/// A person in step with an inbox of a few mails, and a line that can be cut.
struct Table {
    engine: Engine,
    proxy: Proxy,
    other: ImapStore,
    put: u32,
    /// Octets of a pass that brings one message, and of each further one.
    one: u64,
    row: u64,
    person: Person,
}

impl Table {
    fn new(more: &str) -> Self {
        let person = Person::new(user());
        let other = person.other();
        let proxy = Proxy::start(host().imaps, Line::default());
        let ca = host().dir.join("tls/ca.pem");
        let text = format!(
            "[account.me]\naddress = {:?}\npassword = {:?}\nca-file = {ca:?}\nimap = {{ host = \"127.0.0.1\", port = {} }}\n{more}\n",
            person.name, person.password, proxy.port
        );
        let config = Config::parse(&text, &person.dir.path().join("config.toml"), 0o600).unwrap();
        let engine = Engine::start(&Setup::new(config, Paths::of_profile(person.dir.path()), Mode::Still)).unwrap();
        let mut table = Self { engine, proxy, other, put: 0, one: 0, row: 0, person };
        table.arrive(3);
        table.pass();
        table.pass();
        table.arrive(1);
        table.one = table.whole();
        table.arrive(11);
        table.row = (table.whole() - table.one) / 10;
        table
    }

    fn arrive(&mut self, count: u32) {
        for _ in 0..count {
            self.put += 1;
            put(&mut self.other, "INBOX", &format!("mail{}", self.put));
        }
    }

    fn pass(&self) -> u8 {
        sync_once(self.engine.shared(), &Scope::default(), &Cancel::new().unwrap()).exit()
    }

    /// Octets from the server, of a pass over a good line.
    fn whole(&self) -> u64 {
        let before = self.proxy.bytes().0;
        assert_eq!(self.pass(), 0);
        self.proxy.bytes().0 - before
    }

    /// Pass after pass over a line that is cut after the octets of a pass and `more`; at most `most` of them. How many it took.
    fn crumbs(&mut self, what: &str, more: u64, most: u32) -> u32 {
        let cut = self.one + STEPS + more;
        let mut passes = 0;
        loop {
            let how = if passes % 2 == 0 { End::Close } else { End::Reset };
            self.proxy.set(Line { cut: Some((cut, how)), ..Line::default() });
            passes += 1;
            if self.pass() == 0 {
                break;
            }
            assert!(passes < most, "{what}: {passes} passes, {} of {} rows here", rows(&self.engine, "INBOX").len(), self.put);
        }
        self.proxy.set(Line::default());
        agree(&self.engine, &mut self.other);
        println!("{what}: {passes} passes of {cut} octets, {} each row", self.row);
        passes
    }

    fn mark(&mut self, uids: &UidSet, flag: Flag) {
        self.other.select(&MailboxPath::inbox(), false, None).unwrap();
        self.other.store_flags(uids, &FlagDelta::set(flag)).unwrap();
    }
}

/// New messages, flags of old ones, and messages that went.
fn crumb_by_crumb(what: &str, more: &str) {
    let mut table = Table::new(&format!("{more}\nkeep = {{ bodies = \"none\" }}"));
    for (rows, news) in [(1, 8), (5, 25), (30, 90)] {
        table.arrive(news);
        let broken = table.crumbs(&format!("{what}, {rows} rows"), rows * table.row, 2 * news + 10);
        assert!(rows > 1 || broken > 3, "{what}: the line was not cut");
    }
    let all = UidSet::range(1, table.put);
    table.mark(&all, Flag::Flagged);
    assert!(table.crumbs(&format!("{what}, flags"), 10 * FLAGS, table.put / 3) > 2, "{what}: the line was not cut");
    // More changes while the others are still on their way, and some go.
    let third: UidSet = all.iter().filter(|uid| uid.get() % 3 == 0).collect();
    table.mark(&all, Flag::Answered);
    table.mark(&third, Flag::Deleted);
    table.other.uid_expunge(&third).unwrap();
    table.arrive(5);
    table.crumbs(&format!("{what}, all of it"), 10 * FLAGS + 2 * table.row, table.put / 3);
    let quiet = table.whole();
    assert!(quiet < table.one + table.row + 200 * FLAGS, "{what}: the next pass asks for nothing again");
}

#[test]
fn rows_of_broken_lines_count_with_qresync() {
    crumb_by_crumb("QRESYNC", QRESYNC);
}

#[test]
fn rows_of_broken_lines_count_with_condstore() {
    crumb_by_crumb("CONDSTORE", CONDSTORE);
}

#[test]
fn rows_of_broken_lines_count_with_neither() {
    crumb_by_crumb("plain", PLAIN);
}

/// A first fill; and texts, one of them larger than what a line lets through.
#[test]
fn texts_of_broken_lines_count() {
    let mut table = Table::new(&format!("{QRESYNC}\nkeep = {{ bodies = \"all\" }}"));
    let large = format!(
        "Subject: large\r\nMessage-ID: <large@b>\r\n\r\n{}",
        "Sixty-four octets of text, and a line break at the end of it. \r\n".repeat(600)
    );
    table.put += 1;
    let inbox = MailboxPath::inbox();
    table.other.append(&inbox, &Default::default(), 1_600_000_000, large.len() as u64, &mut large.as_bytes()).unwrap();
    table.arrive(20);
    let passes = table.crumbs("texts", 9_000, 40);
    assert!(passes > 3, "{passes}");
    let held = || {
        let cache = rusqlite::Connection::open(table.person.dir.path().join("data/cache.sqlite")).unwrap();
        let sql = "SELECT count(*) FROM message WHERE blob <> ''";
        cache.query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap()
    };
    assert_eq!(held(), table.put, "all texts are here");
}

/// A text of which not even 4 kB come at a time.
#[test]
fn texts_come_in_small_pieces() {
    let mut table = Table::new(&format!("{QRESYNC}\nkeep = {{ bodies = \"all\" }}"));
    let line = "Sixty-four octets of text, and a line break at the end of it. \r\n";
    let large = format!("Subject: large\r\nMessage-ID: <large@b>\r\n\r\n{}", line.repeat(150));
    table.put += 1;
    let inbox = MailboxPath::inbox();
    table.other.append(&inbox, &Default::default(), 1_600_000_000, large.len() as u64, &mut large.as_bytes()).unwrap();
    let passes = table.crumbs("a text", 1_500, 60);
    assert!(passes > 4, "{passes}");
}

/// The numbers of a mailbox of which every second message is gone: in one answer they are longer than what any line lets through.
fn numbers_come_in_spans(what: &str, more: &str, messages: u32, octets: u64) {
    let mut table = Table::new(&format!("{more}\nkeep = {{ bodies = \"none\" }}"));
    table.arrive(messages);
    table.whole();
    let odd: UidSet = UidSet::range(1, table.put).iter().filter(|uid| uid.get() % 2 == 1).collect();
    table.mark(&odd, Flag::Deleted);
    table.other.uid_expunge(&odd).unwrap();
    table.arrive(3);
    let passes = table.crumbs(what, octets, 120);
    assert!(passes > 2, "{what}: the line was not cut");
}

#[test]
fn numbers_of_broken_lines_count_in_ranges() {
    numbers_come_in_spans("numbers, ranges", CONDSTORE, 800, 600);
}

#[test]
fn numbers_of_broken_lines_count_one_by_one() {
    let without = "without = [\"COMPRESS=DEFLATE\", \"CONDSTORE\", \"QRESYNC\", \"ESEARCH\"]";
    numbers_come_in_spans("numbers", without, 800, 500);
}

/// What is numbered anew is found again, a few fingerprints at a time; not one row is another than before.
#[test]
fn a_comparison_that_breaks_off_goes_on() {
    let mut table = Table::new(&format!("{QRESYNC}\nkeep = {{ bodies = \"none\" }}"));
    table.arrive(150);
    table.whole();
    let ids = |table: &Table| rows(&table.engine, "INBOX").iter().map(|row| row.id).collect::<Vec<_>>();
    let before = ids(&table);
    table.other.logout();
    table.person.forget_numbers();
    table.other = table.person.other();
    let passes = table.crumbs("numbered anew", 4_000, 60);
    assert!(passes > 3, "the line was not cut: {passes}");
    assert_eq!(ids(&table), before);
}

/// A tree of mailboxes of which no line tells all: what comes is recorded level by level, count by count, and each is read.
fn trees_come_level_by_level(what: &str, more: &str) {
    let mut table = Table::new(&format!("{more}\nkeep = {{ bodies = \"none\" }}"));
    let paths: Vec<String> = (0..6).flat_map(|dir| (0..9).map(move |n| format!("dir{dir}/box{n}"))).collect();
    for path in &paths {
        table.other.create(&MailboxPath::from_typed(path)).unwrap();
    }
    put(&mut table.other, "dir5/box8", "deep");
    let cut = table.one + STEPS + 1_600;
    let here = |table: &Table| rows(&table.engine, "dir5/box8").len();
    let mut passes = 0;
    while here(&table) == 0 {
        let how = if passes % 2 == 0 { End::Close } else { End::Reset };
        table.proxy.set(Line { cut: Some((cut, how)), ..Line::default() });
        passes += 1;
        assert_ne!(table.pass(), 0, "{what}: the line was not cut");
        assert!(passes < 60, "{what}: {passes} passes");
    }
    println!("{what}: {passes} passes of {cut} octets");
    assert!(passes > 3, "{what}");
    // What went meanwhile is gone once all is told; nothing else is.
    table.other.delete(&MailboxPath::from_typed("dir0/box0")).unwrap();
    table.proxy.set(Line::default());
    assert_eq!(table.pass(), 0);
    let known: Vec<String> = mailboxes(&table.engine).iter().map(|m| m.path.decoded()).filter(|p| p.contains("box")).collect();
    assert_eq!(known, paths[1..], "{what}");
}

#[test]
fn trees_of_broken_lines_count() {
    trees_come_level_by_level("tree", QRESYNC);
}

#[test]
fn trees_of_broken_lines_count_without_extensions() {
    let without = "[\"COMPRESS=DEFLATE\", \"LIST-EXTENDED\", \"LIST-STATUS\", \"SPECIAL-USE\"]";
    trees_come_level_by_level("tree, plain", &format!("without = {without}"));
}

/// As long as each line brings something, the next one is not put off for minutes.
#[test]
fn lines_that_bring_something_follow_soon() {
    let table = Table::new(&format!("{QRESYNC}\nkeep = {{ bodies = \"none\" }}"));
    let cut = table.one + STEPS + 10 * table.row;
    let person = Person::new(user());
    let mut other = person.other();
    (0..80).for_each(|n| put(&mut other, "INBOX", &format!("mail{n}")));
    table.proxy.set(Line { cut: Some((cut, End::Reset)), ..Line::default() });
    let person =
        Person { imap: table.proxy.port, connections: 1, more: format!("{QRESYNC}\nkeep = {{ bodies = \"none\" }}"), ..person };
    let before = table.proxy.connections();
    let (engine, begun) = (person.start(), Instant::now());
    let mut came = Vec::new();
    while rows(&engine, "INBOX").len() < 80 {
        assert!(begun.elapsed() < Duration::from_secs(120), "{came:?}");
        let now = table.proxy.connections() - before;
        if now > came.len() as u64 {
            came.push(begun.elapsed());
        }
        let _ = engine.wait(Duration::from_millis(50));
    }
    println!("{came:?}");
    // Pauses of one to three seconds; one that grew would be a minute at the sixth.
    assert!(came.len() >= 4, "the line was not cut: {came:?}");
    assert!(came.windows(2).all(|two| two[1] - two[0] < Duration::from_secs(9)), "{came:?}");
    drop(engine);
}
