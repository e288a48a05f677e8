//! others — four other clients of the same person, who change everything all the time, and what both sides then have.
//! Start reading at: `at_work`. For `soak.rs` (the engine) and `reader.rs` (the program).

use crate::mailhost::proxy::{Line, Proxy};
use crate::mailhost::{host, user};
use crate::person::{Dice, Person, put};
use postrider::mail::flags::{Flag, FlagDelta};
use postrider::mail::mailbox::MailboxPath;
use postrider::mail::uid::{Uid, UidSet};
use postrider::net::error::{NetError, Result};
use postrider::net::imap::ImapStore;
use postrider::net::session::MailStore;
use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// How many messages a mailbox has at most: more are removed by the other client.
const MOST: usize = 150;
/// How many other clients there are.
const OTHERS: u64 = 4;
pub const PLACES: [&str; 4] = ["INBOX", "Lists", "Archive", "Work/a"];

/// How many minutes `tests/run soak` was asked for, how long it is to last, and the dice for it.
pub fn asked() -> (Option<u64>, Duration, Dice) {
    let minutes: Option<u64> = std::env::var("POSTRIDER_SOAK").ok().map(|m| m.parse().unwrap());
    (minutes, minutes.map_or(Duration::from_secs(8), |m| Duration::from_secs(m * 60)), Dice(minutes.unwrap_or(1)))
}

/// A person with ten messages in each place behind a line that can be broken, and another client.
pub fn begin() -> (Person, ImapStore, Proxy) {
    let mut person = Person::new(user());
    let mut other = person.other();
    for place in &PLACES[1..] {
        other.create(&MailboxPath::from_typed(place)).unwrap();
    }
    for n in 0..40 {
        put(&mut other, PLACES[n % 4], &format!("old{n}"));
    }
    let proxy = Proxy::start(host().imaps, Line { latency: Duration::from_millis(5), ..Line::default() });
    person.imap = proxy.port;
    (person, other, proxy)
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
pub fn sweep(other: &mut ImapStore) {
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

/// Other clients at work, each on a thread of its own and with its own dice, but never while `still` is held.
pub fn at_work<'s>(threads: &'s std::thread::Scope<'s, '_>, person: &'s Person, work: &'s Work, seed: u64) {
    for client in 1..=OTHERS {
        let mut other = person.other();
        let mut dice = Dice(seed + client);
        threads.spawn(move || {
            for n in 0.. {
                if work.over.load(Ordering::SeqCst) {
                    break;
                }
                // Who held it may have failed: its words are enough.
                let Ok(turn) = work.still.read() else { break };
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
pub struct Work {
    pub still: RwLock<()>,
    pub over: AtomicBool,
    pub acts: AtomicU64,
}

/// Ends the others' work, however it ends.
pub struct Over<'a>(pub &'a Work);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::SeqCst);
    }
}

/// Each UID of each mailbox, here and there: nothing has another number, or none.
pub fn same_numbers(person: &Person, other: &mut ImapStore) {
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
