//! start — how soon the list is right on a line that is far away, and how a thin one is used.
//! Start reading at: `a_warm_start_is_right_after_few_turns`.

use crate::mailhost::proxy::{Line, Proxy};
use crate::mailhost::{host, user};
use crate::person::{Person, beside_a_beat, id, in_step, put, rows, sees, until, within_a_second};
use postrider::engine::api::{Query, Request, Rows, Task};
use postrider::mail::flags::{Flag, FlagDelta};
use postrider::mail::mailbox::MailboxPath;
use postrider::mail::uid::UidSet;
use postrider::net::session::MailStore;
use std::time::{Duration, Instant};

/// TCP's own turn does not count here (the proxy takes the connection at once): TLS 1.3 one, the greeting one, the login three
/// (SCRAM), agreeing on extensions one, opening the inbox with its new rows one. Room for what is said next, before somebody
/// has seen that the list is right: `rounds.rs` counts exactly.
const TURNS: u64 = 7 + 5;

/// The six of before; opening the inbox, its rows, its numbers, the list of mailboxes, and the texts. The same room.
const FIRST_TURNS: u64 = 6 + 5 + 5;

/// Many mailboxes, a warm cache, something new in the inbox, and 50 ms there and back.
#[test]
fn a_warm_start_is_right_after_few_turns() {
    // The bar is half a second for what a person is given; this is not built to be fast.
    within_a_second(warm_start);
}

/// How long it took until the list was right.
fn warm_start() -> Duration {
    let mut person = Person::new(user());
    let mut other = person.other();
    for n in 0..20 {
        other.create(&MailboxPath::from_typed(&format!("m{n}"))).unwrap();
    }
    put(&mut other, "INBOX", "a");
    put(&mut other, "INBOX", "b");
    let engine = person.start();
    sees(&engine, "INBOX", &["a", "b"]);
    until(&engine, "all mailboxes", |_| id(&engine, "m19"));
    in_step(&engine);
    drop(engine);
    put(&mut other, "INBOX", "c");
    other.select(&MailboxPath::inbox(), false, None).unwrap();
    other.store_flags(&UidSet::range(1, 1), &FlagDelta::set(Flag::Flagged)).unwrap();
    let latency = Duration::from_millis(25);
    let proxy = Proxy::start(host().imaps, Line { latency, ..Line::default() });
    person.imap = proxy.port;
    person.connections = 1;
    let begun = Instant::now();
    let engine = person.start();
    assert_eq!(rows(&engine, "INBOX").len(), 2, "the cache is there at once");
    until(&engine, "what is new", |_| {
        let all = rows(&engine, "INBOX");
        (all.len() == 3 && all.iter().any(|r| r.subject == "a" && r.flags.has(Flag::Flagged))).then_some(())
    });
    let (took, turns) = (begun.elapsed(), proxy.turns());
    println!("right after {took:?}, {turns} turns");
    assert!(turns <= TURNS, "{turns} turns");
    took
}

/// A cache with nothing in it, many mailboxes with nothing in them, one connection, 50 ms there and back: the inbox is read in one
/// go, its texts come next, and what LIST says is empty costs no turn.
#[test]
fn a_first_start_spends_no_turn_on_what_is_empty() {
    let mut person = Person::new(user());
    let mut other = person.other();
    for n in 0..20 {
        other.create(&MailboxPath::from_typed(&format!("m{n}"))).unwrap();
    }
    for n in 0..10 {
        put(&mut other, "INBOX", &format!("s{n}"));
    }
    let latency = Duration::from_millis(25);
    let proxy = Proxy::start(host().imaps, Line { latency, ..Line::default() });
    person.imap = proxy.port;
    person.more = "keep = { bodies = \"all\" }".into();
    person.connections = 1;
    let engine = person.start();
    until(&engine, "the texts", |_| {
        let all = rows(&engine, "INBOX");
        (all.len() == 10 && all.iter().all(|r| r.cached)).then_some(())
    });
    let texts = proxy.turns();
    in_step(&engine);
    println!("texts after {texts} turns, in step after {}", proxy.turns());
    assert!(texts <= FIRST_TURNS, "{texts} turns");
    let Ok(Rows::Mailboxes(all)) = engine.ask(&Query::Mailboxes) else { panic!() };
    assert!(all.len() > 20 && all.iter().filter(|m| m.selectable).all(|m| m.synced_at > 0), "{all:?}");
    // What comes into one of them is seen all the same.
    put(&mut other, "m7", "late");
    sees(&engine, "m7", &["late"]);
}

/// How a first sync over a thin line went.
#[derive(Debug)]
struct Thin {
    /// Until there was a screenful.
    first: Duration,
    /// Until all was there.
    all: Duration,
    /// The longest time without a word of how far it is.
    pause: Option<Duration>,
    /// Until another mailbox showed that was opened meanwhile.
    other: Option<Duration>,
    /// How many rows were there when the conversation of the message that was opened was.
    kin: Option<usize>,
}

fn over_a_thin_line(person: &Person) -> Thin {
    let begun = Instant::now();
    let engine = person.start();
    until(&engine, "the first rows", |_| (rows(&engine, "INBOX").len() >= 50).then_some(()));
    let first = begun.elapsed();
    let newest = rows(&engine, "INBOX").into_iter().find(|r| r.subject == "s1499").unwrap();
    engine.perform(Request::FetchBody(newest.id)).unwrap();
    let mut kin = None;
    let mut steps = vec![Instant::now()];
    let mut opened = None;
    until(&engine, "the whole list", |news| {
        if news.progress.iter().any(|(task, p)| matches!(task, Task::Sync(..)) && p.is_some()) {
            steps.push(Instant::now());
        }
        if opened.is_none() && steps.len() > 3 {
            let sent = id(&engine, "Sent")?;
            engine.perform(Request::OpenMailbox(sent)).unwrap();
            opened = Some((Instant::now(), None));
        }
        if kin.is_none() {
            let here = rows(&engine, "INBOX");
            kin = here.iter().any(|r| r.subject == "s0").then_some(here.len());
        }
        if let Some((at, None)) = opened
            && rows(&engine, "Sent").len() == 1
        {
            opened = Some((at, Some(at.elapsed())));
        }
        let Ok(Rows::Mailboxes(all)) = engine.ask(&Query::Mailboxes) else { panic!() };
        all.iter().any(|m| m.path.is_inbox() && m.synced_at > 0 && m.total == 1_501).then_some(())
    });
    let pause = steps.windows(2).map(|w| w[1] - w[0]).max();
    Thin { first, all: begun.elapsed(), pause, other: opened.and_then(|(_, took)| took), kin }
}

/// 200 ms there and back, 1 Mbit/s: the first rows come soon, the list fills steadily, and who opens another mailbox or a
/// conversation meanwhile does not wait for it to be full.
#[test]
fn a_thin_line_is_used_in_windows_that_fit() {
    let mut person = Person::new(user());
    let mut other = person.other();
    put(&mut other, "INBOX", "a");
    put(&mut other, "Sent", "other");
    for n in 0..1_500 {
        // The last one answers the first one.
        let answers = if n == 1_499 { "In-Reply-To: <0@b>\nReferences: <0@b>\n" } else { "" };
        let to = "x@y, ".repeat(10);
        let text = format!("From: a{n}@b.example\nSubject: s{n}\nMessage-ID: <{n}@b>\n{answers}To: {to}\n\nHello {n}.\n");
        person.deliver(&format!("{n:05}"), &text);
    }
    // So that the server has looked at them all.
    other.select(&MailboxPath::inbox(), true, None).unwrap();
    person.more = "without = [\"COMPRESS=DEFLATE\"]\nkeep = { bodies = \"none\" }".into();
    let line = Line { latency: Duration::from_millis(100), rate: Some(125_000), ..Line::default() };
    let proxy = Proxy::start(host().imaps, line);
    person.imap = proxy.port;
    let (thin, slower) = beside_a_beat(|| over_a_thin_line(&person));
    let floor = Duration::from_secs_f64(proxy.bytes().0 as f64 / 125_000.0);
    println!("{thin:?}, the bytes alone {floor:?}, {slower:.2} times slower than with a free processor");
    let within = |took: Option<Duration>, seconds: f64| took.is_some_and(|t| t < Duration::from_secs_f64(seconds * slower));
    assert!(thin.kin.is_some_and(|rows| rows < 1_400), "{thin:?}");
    assert!(within(Some(thin.first), 8.0), "{thin:?}");
    assert!(within(Some(thin.all), floor.as_secs_f64() * 2.0 + 4.0), "{thin:?} {floor:?}");
    assert!(within(thin.pause, 4.0), "{thin:?}");
    assert!(within(thin.other, 6.0), "{thin:?}");
}
