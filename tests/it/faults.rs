//! faults — days on bad lines: slow, thin, cut at any byte in either direction, dead, reset. However it goes, in the end both
//! sides are the same, and nothing was done twice.
//! Start reading at: `day`. Each is seeded; the seed is in the name of what fails. `POSTRIDER_SEEDS=20` takes so many more of each.

use crate::mailhost::proxy::{End, Line, Proxy};
use crate::mailhost::{host, user};
use crate::person::{Dice, Person, agree, agree_on, id, put, rows, sees, until};
use postrider::engine::Engine;
use postrider::engine::api::{Connectivity, Request};
use postrider::engine::shared::Pace;
use postrider::mail::flags::{Flag, FlagDelta};
use postrider::mail::ids::PlacementKey;
use postrider::mail::mailbox::{MailboxPath, Role};
use postrider::mail::uid::{Uid, UidSet};
use postrider::net::imap::ImapStore;
use postrider::net::session::MailStore;
use std::time::Duration;

/// How many things each side does.
const ACTS: u32 = 8;

/// Another client changes the inbox.
fn theirs(other: &mut ImapStore, dice: &mut Dice, n: u32) {
    match dice.roll(4) {
        0 | 1 => put(other, if dice.roll(3) == 0 { "Archive" } else { "INBOX" }, &format!("new{n}")),
        what => {
            other.select(&MailboxPath::inbox(), false, None).unwrap();
            let all: Vec<Uid> = other.uids(1).unwrap().iter().collect();
            if all.len() < 4 {
                return;
            }
            let one = UidSet::from_iter([all[dice.pick(all.len())]]);
            if what == 2 {
                other.store_flags(&one, &FlagDelta::set(Flag::Answered)).unwrap();
            } else {
                other.store_flags(&one, &FlagDelta::set(Flag::Deleted)).unwrap();
                other.uid_expunge(&one).unwrap();
            }
        }
    }
}

/// The person does something with what they see.
fn ours(engine: &Engine, dice: &mut Dice) {
    let keys: Vec<PlacementKey> = rows(engine, "INBOX").into_iter().map(|r| r.id).collect();
    if keys.is_empty() {
        return;
    }
    let targets = vec![keys[dice.pick(keys.len())]];
    let request = match dice.roll(5) {
        0 => Request::Flag { targets, delta: FlagDelta::set(Flag::Seen), automatic: false },
        1 => Request::Flag { targets, delta: FlagDelta::set(Flag::Flagged), automatic: false },
        2 => Request::File { targets, role: Role::Archive },
        3 => Request::Copy { targets, to: id(engine, "Sent").unwrap() },
        _ => Request::File { targets, role: Role::Trash },
    };
    // What another client has expunged meanwhile may be gone when the wish arrives.
    let _ = engine.perform(request);
}

/// A day: `bad` says what the line is like at each moment; then it is good again.
fn day(seed: u64, bad: impl Fn(&mut Dice, &Proxy)) {
    day_without(seed, "", bad);
}

/// How many more seeds each day has; those of one day are not those of another.
fn seeds(seed: u64) -> impl Iterator<Item = u64> {
    let more: u64 = std::env::var("POSTRIDER_SEEDS").ok().map_or(0, |n| n.parse().unwrap());
    (0..=more).map(move |n| seed + 100 * n)
}

/// The same with a server that lacks these extensions.
fn day_without(seed: u64, without: &str, bad: impl Fn(&mut Dice, &Proxy)) {
    seeds(seed).for_each(|seed| one_day(seed, without, &bad));
}

fn one_day(seed: u64, without: &str, bad: impl Fn(&mut Dice, &Proxy)) {
    println!("seed {seed}");
    let mut dice = Dice(seed);
    let mut person = Person::new(user());
    person.pace = Pace { poll: Duration::from_secs(5), ..Pace::default() };
    person.more = format!("without = [{without}]");
    let mut other = person.other();
    for n in 0..12 {
        put(&mut other, "INBOX", &format!("old{n}"));
    }
    let proxy = Proxy::start(host().imaps, Line::default());
    person.imap = proxy.port;
    let engine = person.start();
    until(&engine, "the beginning", |_| (rows(&engine, "INBOX").len() == 12 && id(&engine, "Sent").is_some()).then_some(()));
    for n in 0..ACTS {
        bad(&mut dice, &proxy);
        theirs(&mut other, &mut dice, n);
        ours(&engine, &mut dice);
        std::thread::sleep(Duration::from_millis(100 + dice.roll(300)));
        if dice.roll(3) == 0 {
            engine.perform(Request::Refresh { account: None }).unwrap();
        }
    }
    proxy.set(Line::default());
    proxy.end_all(End::Close);
    engine.perform(Request::Refresh { account: None }).unwrap();
    let shown = |row: &String| !row.contains("\\Deleted");
    agree_on(&engine, &mut other, if without.contains("UIDPLUS") { shown } else { |_| true });
    let (down, up) = proxy.bytes();
    println!(
        "day {seed} without [{without}]: {} connections, {} turns, {down} octets read, {up} written",
        proxy.connections(),
        proxy.turns()
    );
}

#[test]
fn a_slow_line() {
    day(1, |_, proxy| proxy.set(Line { latency: Duration::from_millis(250), ..Line::default() }));
}

#[test]
fn a_thin_line() {
    day(2, |_, proxy| proxy.set(Line { rate: Some(20_000), ..Line::default() }));
}

fn cut(seed: u64, how: End, up: bool) {
    cut_without(seed, "", how, up);
}

fn cut_without(seed: u64, without: &str, how: End, up: bool) {
    day_without(seed, without, |dice, proxy| {
        let cut = Some((proxy_handshake(up) + dice.roll(if up { 600 } else { 6_000 }), how));
        proxy.set(if up { Line { cut_up: cut, ..Line::default() } } else { Line { cut, ..Line::default() } });
        if dice.roll(2) == 0 {
            proxy.end_all(how);
        }
    });
}

/// So many bytes pass before anything is said: a cut before them is only a server that cannot be reached.
const fn proxy_handshake(up: bool) -> u64 {
    if up { 500 } else { 1_200 }
}

#[test]
fn cut_from_the_server_in_good_order() {
    cut(3, End::Close, false);
}

#[test]
fn reset_from_the_server() {
    cut(4, End::Reset, false);
}

#[test]
fn cut_to_the_server_in_good_order() {
    cut(5, End::Close, true);
}

#[test]
fn reset_to_the_server() {
    cut(6, End::Reset, true);
}

#[test]
fn resets_without_qresync_and_notify() {
    cut_without(8, "\"QRESYNC\", \"NOTIFY\"", End::Reset, false);
}

#[test]
fn resets_without_any_modification_sequence() {
    cut_without(9, "\"QRESYNC\", \"CONDSTORE\", \"NOTIFY\", \"LIST-STATUS\"", End::Reset, true);
}

#[test]
fn resets_without_move() {
    cut_without(10, "\"MOVE\", \"COMPRESS=DEFLATE\"", End::Reset, false);
}

/// Copies are counted, and what is deleted stays at the server, marked.
#[test]
fn resets_without_uidplus() {
    cut_without(11, "\"MOVE\", \"UIDPLUS\"", End::Reset, true);
}

/// Nothing passes any more and nobody is told; later the system finds out.
#[test]
fn dead_for_a_while() {
    day(7, |dice, proxy| {
        proxy.end_all(if dice.roll(2) == 0 { End::Silence } else { End::Reset });
        std::thread::sleep(Duration::from_millis(300));
        proxy.end_all(End::Reset);
    });
}

/// While the list is read for the first time.
#[test]
fn a_first_fill_that_breaks_again_and_again() {
    for seed in seeds(13) {
        println!("first fill, seed {seed}");
        breaks_in_the_first_fill(28_000 - (seed - 13) * 2);
    }
}

/// Each connection ends after so many octets.
fn breaks_in_the_first_fill(after: u64) {
    let mut person = Person::new(user());
    let mut other = person.other();
    put(&mut other, "INBOX", "a");
    for n in 0..300 {
        person.deliver(&format!("{n:04}"), &format!("From: a@b.example\nSubject: s{n}\nMessage-ID: <{n}@b>\n\nHello.\n"));
    }
    let proxy = Proxy::start(host().imaps, Line { rate: Some(200_000), cut: Some((after, End::Reset)), ..Line::default() });
    person.imap = proxy.port;
    // Whether it is quick enough to go without is not for the machine to decide here.
    person.more = "without = [\"COMPRESS=DEFLATE\"]\n".into();
    let engine = person.start();
    until(&engine, "progress", |_| (rows(&engine, "INBOX").len() > 30).then_some(()));
    until(&engine, "a break", |_| (proxy.connections() > 2).then_some(()));
    proxy.set(Line::default());
    engine.perform(Request::Refresh { account: None }).unwrap();
    agree(&engine, &mut other);
}

/// What is refused at the door is tried again, later and later; as soon as it is open, at once if the person says so.
#[test]
fn a_server_that_is_away() {
    let mut person = Person::new(user());
    put(&mut person.other(), "INBOX", "a");
    let proxy = Proxy::start(host().imaps, Line { refuse: true, ..Line::default() });
    person.imap = proxy.port;
    let engine = person.start();
    until(&engine, "the wait", |news| {
        matches!(news.connectivity.values().next(), Some(Connectivity::Waiting { .. })).then_some(())
    });
    std::thread::sleep(Duration::from_secs(5));
    assert!((1..=6).contains(&proxy.connections()), "{}", proxy.connections());
    proxy.set(Line::default());
    engine.perform(Request::Refresh { account: None }).unwrap();
    sees(&engine, "INBOX", &["a"]);
}

/// A thousand octets a second (security F-12): what is there comes, a screenful before anything else, and what is done arrives.
#[test]
fn a_line_of_a_thousand_octets_a_second() {
    let mut person = Person::new(user());
    let mut other = person.other();
    ["a", "b", "c"].iter().for_each(|subject| put(&mut other, "INBOX", subject));
    let proxy = Proxy::start(host().imaps, Line { rate: Some(1_000), ..Line::default() });
    (person.imap, person.connections) = (proxy.port, 1);
    let engine = person.start();
    // The handshake alone takes seconds.
    let patiently = |what: &str, done: &mut dyn FnMut() -> bool| {
        let end = std::time::Instant::now() + Duration::from_secs(180);
        while !done() {
            assert!(std::time::Instant::now() < end, "{what}");
            let _ = engine.wait(Duration::from_millis(100));
        }
    };
    patiently("the rows", &mut || rows(&engine, "INBOX").len() == 3);
    let first = rows(&engine, "INBOX")[0].id;
    engine.perform(Request::Flag { targets: vec![first], delta: FlagDelta::set(Flag::Flagged), automatic: false }).unwrap();
    patiently("the star at the server", &mut || {
        crate::person::there(&mut other, "INBOX").iter().any(|row| row.contains("Flagged"))
    });
    proxy.set(Line::default());
    agree(&engine, &mut other);
}
