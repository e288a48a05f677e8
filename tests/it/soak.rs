//! soak — the engine left open on a line that breaks all the time, while four other clients and the person change things: at each
//! checkpoint and in the end every mailbox equals the server's (F-13), and memory is where it was.
//! Start reading at: `soak`. A few seconds in the ordinary run; `bash tests/run soak MINUTES` for longer.

use crate::mailhost::proxy::{End, Line, Proxy};
use crate::mailhost::{host, user};
use crate::person::{Dice, Person, agree, id, put, rows, until};
use postrider::engine::api::{Connectivity, Query, Request, Rows};
use postrider::engine::{Engine, shared::Pace};
use postrider::mail::flags::{Flag, FlagDelta};
use postrider::mail::intent::OpState;
use postrider::mail::mailbox::{MailboxPath, Role};
use postrider::mail::uid::{Uid, UidSet};
use postrider::net::error::{NetError, Result};
use postrider::net::imap::ImapStore;
use postrider::net::session::MailStore;
use std::collections::BTreeMap;
use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How many messages a mailbox has at most: more are removed by the other client.
const MOST: usize = 150;
/// The chance of each connection to be reset, each second, in percent.
const RESETS: u64 = 10;
/// What may be added to the memory of the first third of a short run, in kB: what the system and the store keep back at first.
const GROWTH: u64 = 24 * 1024;
/// From so many minutes on it is flat: at the ends of the three thirds it differs by less than this, in kB. The other clients, and the
/// line between, are in this process, too.
const LONG: u64 = 30;
const FLAT: u64 = 3 * 1024;

/// How many other clients there are.
const OTHERS: u64 = 4;
/// All stop so often, and both sides are compared.
const CHECK: Duration = Duration::from_secs(30);

const PLACES: [&str; 4] = ["INBOX", "Lists", "Archive", "Work/a"];

/// Resident memory of this process in kB.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// The person may have been quicker: what is gone is no fault.
fn done<T>(result: Result<T>) {
    assert!(result.as_ref().err().is_none_or(NetError::connection_lives), "{:?}", result.err());
}

/// Another client does one thing.
fn theirs(other: &mut ImapStore, dice: &mut Dice, n: u64) {
    let place = PLACES[dice.pick(PLACES.len())];
    if dice.roll(3) == 0 {
        put(other, place, &format!("t{n}"));
        return;
    }
    // Made, renamed and removed now and then.
    let odd = MailboxPath::from_typed("Odd");
    match dice.roll(40) {
        0 => done(other.create(&odd)),
        1 => done(other.rename(&odd, &MailboxPath::from_typed("Even"))),
        2 => done(other.delete(&MailboxPath::from_typed("Even"))),
        _ => {}
    }
    other.select(&MailboxPath::from_typed(place), false, None).unwrap();
    let all: Vec<Uid> = other.uids(1).unwrap().iter().collect();
    if all.is_empty() {
        return;
    }
    let one = UidSet::from_iter([all[dice.pick(all.len())]]);
    match dice.roll(4) {
        _ if all.len() > MOST => {
            let many = UidSet::from_iter(all.into_iter().take(MOST / 2));
            done(other.store_flags(&many, &FlagDelta::set(Flag::Deleted)));
            done(other.uid_expunge(&many));
        }
        0 => done(other.store_flags(&one, &FlagDelta::set(Flag::Answered))),
        1 => done(other.store_flags(&one, &FlagDelta::clear(Flag::Answered))),
        2 => done(other.move_to(&one, &MailboxPath::from_typed("Lists"))),
        _ => {
            done(other.store_flags(&one, &FlagDelta::set(Flag::Deleted)));
            done(other.uid_expunge(&one));
        }
    }
}

/// Somebody empties half of the trash, where it is full: what is measured is not to grow because the mailbox does.
fn sweep(other: &mut ImapStore) {
    if other.select(&MailboxPath::from_typed("Trash"), false, None).is_err() {
        return;
    }
    let all: Vec<Uid> = other.uids(1).unwrap().iter().collect();
    if all.len() > MOST {
        let many = UidSet::from_iter(all.into_iter().take(MOST / 2));
        done(other.store_flags(&many, &FlagDelta::set(Flag::Deleted)));
        done(other.uid_expunge(&many));
    }
}

/// The person does one thing. What is gone meanwhile is no fault.
fn ours(engine: &Engine, dice: &mut Dice) {
    let place = PLACES[dice.pick(PLACES.len())];
    let all = rows(engine, place);
    if all.is_empty() {
        return;
    }
    let targets = vec![all[dice.pick(all.len())].id];
    let _ = match dice.roll(7) {
        0 => engine.perform(Request::Flag { targets, delta: FlagDelta::set(Flag::Seen), automatic: false }),
        1 => engine.perform(Request::Flag { targets, delta: FlagDelta::clear(Flag::Seen), automatic: false }),
        2 => engine.perform(Request::File { targets, role: Role::Archive }),
        3 => engine.perform(Request::File { targets, role: Role::Trash }),
        4 => engine.perform(Request::FetchBody(targets[0])),
        5 => engine.perform(Request::OpenMailbox(id(engine, place).unwrap())),
        _ => engine.perform(Request::Undo { count: 1 }),
    };
}

/// What could not be told without doubt, or was refused, waits for the person with its reason: who gives it up here. The reasons,
/// and how often each.
fn give_up_what_waits_for_the_person(engine: &Engine) -> BTreeMap<String, u32> {
    let mut reasons = BTreeMap::new();
    until(engine, "an end of what is on its way", |_| {
        let Ok(Rows::Queue(rows)) = engine.ask(&Query::Queue) else { panic!() };
        rows.iter().all(|row| row.state == OpState::Parked).then_some(())
    });
    let Ok(Rows::Queue(rows)) = engine.ask(&Query::Queue) else { panic!() };
    for row in rows {
        assert!(!row.fault.is_empty(), "{row:?}");
        *reasons.entry(format!("{}: {}", row.kind, row.fault)).or_default() += 1;
        engine.perform(Request::QueueDrop(row.id)).unwrap();
    }
    reasons
}

/// Other clients at work, each on a thread of its own and with its own dice, but never while `still` is held.
fn at_work<'s>(threads: &'s std::thread::Scope<'s, '_>, person: &'s Person, work: &'s Work, seed: u64) {
    for client in 1..=OTHERS {
        let mut other = person.other();
        let mut dice = Dice(seed + client);
        threads.spawn(move || {
            for n in 0.. {
                if work.over.load(Ordering::SeqCst) {
                    break;
                }
                let turn = work.still.read().unwrap();
                theirs(&mut other, &mut dice, client * 1_000_000 + n);
                drop(turn);
                work.acts.fetch_add(1, Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(50 + dice.roll(400)));
            }
        });
    }
}

/// What others do, and when they do not.
#[derive(Default)]
struct Work {
    still: RwLock<()>,
    over: AtomicBool,
    acts: AtomicU64,
}

/// Ends the others' work, however it ends.
struct Over<'a>(&'a Work);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::SeqCst);
    }
}

/// Each UID of each mailbox, here and there: nothing has another number, or none.
fn same_numbers(person: &Person, other: &mut ImapStore) {
    let cache = rusqlite::Connection::open(person.dir.path().join("data/cache.sqlite")).unwrap();
    let sql = "SELECT p.uid FROM placement p JOIN mailbox b ON b.id = p.mailbox WHERE b.path = ?1 AND p.hidden = 0 ORDER BY 1";
    for place in PLACES {
        let mut rows = cache.prepare(sql).unwrap();
        let here: Vec<Option<u32>> = rows.query_map([place], |r| r.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
        other.select(&MailboxPath::from_typed(place), true, None).unwrap();
        let there: Vec<Option<u32>> = other.uids(1).unwrap().iter().map(|uid| Some(uid.get())).collect();
        assert_eq!(here, there, "{place}");
    }
}

#[test]
fn soak() {
    let minutes: Option<u64> = std::env::var("POSTRIDER_SOAK").ok().map(|m| m.parse().unwrap());
    let span = minutes.map_or(Duration::from_secs(8), |m| Duration::from_secs(m * 60));
    let mut dice = Dice(minutes.unwrap_or(1));
    let mut person = Person::new(user());
    person.pace = Pace { poll: Duration::from_secs(60), ..Pace::default() };
    let mut other = person.other();
    for place in &PLACES[1..] {
        other.create(&MailboxPath::from_typed(place)).unwrap();
    }
    for n in 0..40 {
        put(&mut other, PLACES[n % 4], &format!("old{n}"));
    }
    let proxy = Proxy::start(host().imaps, Line { latency: Duration::from_millis(5), ..Line::default() });
    person.imap = proxy.port;
    let engine = person.start();
    until(&engine, "the beginning", |_| (rows(&engine, "Work/a").len() == 10).then_some(()));
    let begun = Instant::now();
    let (mut acts, mut resets, mut faults, mut live, mut checks) = (0u64, 0, 0, 0u64, 0);
    let (mut second, mut minute, mut check, mut baseline) = (begun, begun, begun, 0);
    let work = Work::default();
    let work = &work;
    let (person, every) = (&person, CHECK.min(span / 2));
    // All stand still, the line is good, and both sides are looked at.
    let checkpoint = |other: &mut ImapStore| {
        let _still = work.still.write().unwrap();
        engine.perform(Request::Refresh { account: None }).unwrap();
        let parked = give_up_what_waits_for_the_person(&engine);
        agree(&engine, other);
        same_numbers(person, other);
        sweep(other);
        parked
    };
    let (mut given_up, mut thirds): (BTreeMap<String, u32>, Vec<u64>) = (BTreeMap::new(), Vec::new());
    std::thread::scope(|threads| {
        let _over = Over(work);
        at_work(threads, person, work, dice.0);
        while begun.elapsed() < span {
            ours(&engine, &mut dice);
            acts += 1;
            let news = engine.wait(Duration::from_millis(50 + dice.roll(100)));
            faults += news.faults.len();
            if minutes.is_some() {
                news.faults.iter().for_each(|fault| println!("  told: {}", fault.what));
            }
            live += u64::from(news.connectivity.values().any(|c| matches!(c, Connectivity::Live { .. })));
            if second.elapsed() >= Duration::from_secs(1) {
                second = Instant::now();
                resets += proxy.end_some(RESETS, End::Reset, || dice.roll(100));
            }
            if begun.elapsed() >= span / 3 * (1 + u32::try_from(thirds.len()).unwrap()) {
                thirds.push(resident());
            }
            if begun.elapsed() < span / 3 {
                baseline = baseline.max(resident());
            }
            if minutes.is_some() && minute.elapsed() >= Duration::from_secs(60) {
                minute = Instant::now();
                let (down, up) = proxy.bytes();
                println!(
                    "{:3} min: {} acts, {checks} checks, {resets} resets, {} connections, {live} times live, {faults} faults, {} kB \
                 read, {} kB written, {} kB resident",
                    begun.elapsed().as_secs() / 60,
                    acts + work.acts.load(Ordering::SeqCst),
                    proxy.connections(),
                    down / 1024,
                    up / 1024,
                    resident()
                );
            }
            if check.elapsed() >= every {
                checkpoint(&mut other).into_iter().for_each(|(why, n)| *given_up.entry(why).or_default() += n);
                checks += 1;
                check = Instant::now();
            }
        }
    });
    thirds.push(resident());
    println!("resident at the ends of the thirds: {thirds:?} kB");
    let (least, most) = (thirds.iter().min().unwrap(), thirds.iter().max().unwrap());
    checkpoint(&mut other).into_iter().for_each(|(why, n)| *given_up.entry(why).or_default() += n);
    println!("given up: {given_up:?}");
    let (end, acts) = (resident(), acts + work.acts.load(Ordering::SeqCst));
    println!(
        "all mailboxes agree at {checks} checkpoints and in the end; {acts} acts, {resets} resets; {baseline} kB resident in the first third, {end} kB now"
    );
    assert!(minutes.is_none_or(|m| m < LONG) || most - least < FLAT, "memory is not flat: {thirds:?} kB");
    assert!(minutes.is_none() || end < baseline + GROWTH, "memory grows: {baseline} -> {end} kB");
}
