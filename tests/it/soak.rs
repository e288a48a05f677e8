//! soak — the engine left open on a line that breaks all the time, while four other clients and the person change things: at each
//! checkpoint and in the end every mailbox equals the server's (F-13), and memory is where it was.
//! Start reading at: `soak`. A few seconds in the ordinary run; `bash tests/run soak MINUTES` for longer.

use crate::mailhost::proxy::End;
use crate::others::{Over, PLACES, Work, asked, at_work, begin, same_numbers, sweep};
use crate::person::{Dice, Memory, agree, id, memory_of, rows, until};
use postrider::engine::api::{Connectivity, Query, Request, Rows};
use postrider::engine::{Engine, shared::Pace};
use postrider::mail::flags::{Flag, FlagDelta};
use postrider::mail::intent::OpState;
use postrider::mail::mailbox::Role;
use postrider::net::imap::ImapStore;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// The chance of each connection to be reset, each second, in percent.
pub const RESETS: u64 = 10;
/// From so many minutes on memory is flat: at the ends of the three thirds what a process asked for itself differs by less than `FLAT`.
/// Before, the store's pages come in, which it keeps. The other clients and the line between are in the process of `soak`, too.
const LONG: u64 = 5;
const FLAT: u64 = 3 * 1024;
/// From so many on they are in since long.
const LONGER: u64 = 30;
const FLATTER: u64 = 2 * 1024;

/// All stop so often, and both sides are compared.
pub const CHECK: Duration = Duration::from_secs(30);

/// Memory of this process.
fn memory() -> Memory {
    memory_of(std::process::id())
}

/// A run of so many minutes did not grow.
pub fn flat(minutes: Option<u64>, thirds: impl Iterator<Item = Memory>) {
    let own: Vec<u64> = thirds.map(|memory| memory.own).collect();
    let grown = own.iter().max().unwrap() - own.iter().min().unwrap();
    let most = match minutes {
        Some(LONGER..) => FLATTER,
        Some(LONG..) => FLAT,
        _ => return,
    };
    assert!(grown < most, "memory is not flat: {own:?} kB");
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

#[test]
fn soak() {
    let (minutes, span, mut dice) = asked();
    let (mut person, mut other, proxy) = begin();
    person.pace = Pace { poll: Duration::from_secs(60), ..Pace::default() };
    let engine = person.start();
    until(&engine, "the beginning", |_| (rows(&engine, "Work/a").len() == 10).then_some(()));
    let begun = Instant::now();
    let (mut acts, mut resets, mut faults, mut live, mut checks) = (0u64, 0, 0, 0u64, 0);
    let (mut second, mut minute, mut check) = (begun, begun, begun);
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
    let (mut given_up, mut thirds): (BTreeMap<String, u32>, Vec<Memory>) = (BTreeMap::new(), Vec::new());
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
                thirds.push(memory());
            }
            if minutes.is_some() && minute.elapsed() >= Duration::from_secs(60) {
                minute = Instant::now();
                let (down, up) = proxy.bytes();
                println!(
                    "{:3} min: {} acts, {checks} checks, {resets} resets, {} connections, {live} times live, {faults} faults, {} kB \
                 read, {} kB written; {:?}",
                    begun.elapsed().as_secs() / 60,
                    acts + work.acts.load(Ordering::SeqCst),
                    proxy.connections(),
                    down / 1024,
                    up / 1024,
                    memory()
                );
            }
            if check.elapsed() >= every {
                checkpoint(&mut other).into_iter().for_each(|(why, n)| *given_up.entry(why).or_default() += n);
                checks += 1;
                check = Instant::now();
            }
        }
    });
    thirds.push(memory());
    println!("at the ends of the thirds: {thirds:?}");
    checkpoint(&mut other).into_iter().for_each(|(why, n)| *given_up.entry(why).or_default() += n);
    println!("given up: {given_up:?}");
    let acts = acts + work.acts.load(Ordering::SeqCst);
    println!("all mailboxes agree at {checks} checkpoints and in the end; {acts} acts, {resets} resets; now {:?}", memory());
    flat(minutes, thirds.into_iter());
}
