//! watch — how news come in, in each of the ways that a server may offer: told of all, told of one, asked for.
//! Start reading at: `Seen::within`, how long it takes until the person sees a mail that another client put there.

use crate::mailhost::proxy::{End, Line, Proxy};
use crate::mailhost::{At, PASSWORD, bare_user, host, user};
use crate::person::{Person, id, in_step, put, quick, rows, sees, until, within_a_second};
use crate::{Strings, imap_to};
use postrider::engine::Engine;
use postrider::engine::api::{Connectivity, Request};
use postrider::engine::shared::Pace;
use postrider::mail::flags::{Flag, FlagDelta};
use postrider::mail::mailbox::MailboxPath;
use postrider::mail::uid::UidSet;
use postrider::net::error::NetErrorKind;
use postrider::net::imap::ImapStore;
use postrider::net::session::{MailStore, TlsMode};
use std::time::{Duration, Instant};

/// Nobody asks by itself: what is seen was told.
const NEVER: Pace = Pace { poll: HOUR, idle: HOUR, quiet: HOUR, filing: Duration::from_secs(1) };
const HOUR: Duration = Duration::from_secs(3_600);

/// A person with these mailboxes beside the usual ones.
fn with(mut person: Person, names: &[&str]) -> (Person, ImapStore) {
    person.pace = NEVER;
    let mut other = person.other();
    for name in names {
        other.create(&MailboxPath::from_typed(name)).unwrap();
    }
    put(&mut other, "INBOX", "a");
    (person, other)
}

/// All is read, and every watcher has had a moment to go to its post.
fn settled(engine: &Engine) {
    sees(engine, "INBOX", &["a"]);
    in_step(engine);
    std::thread::sleep(Duration::from_millis(1_000));
}

/// How long it takes until a mail put there is seen.
fn seen(engine: &Engine, other: &mut ImapStore, mailbox: &str, subject: &str) -> Duration {
    put(other, mailbox, subject);
    let begun = Instant::now();
    until(engine, subject, |_| rows(engine, mailbox).iter().any(|r| r.subject == subject).then_some(()));
    begun.elapsed()
}

/// Dovecot itself waits up to half a second, and the rest of a second is ours. What is not told is not seen within an hour.
fn soon(engine: &Engine, other: &mut ImapStore, mailbox: &str, subject: &str) {
    let mut again = String::new();
    within_a_second(|| {
        let took = seen(engine, other, mailbox, &format!("{subject}{again}"));
        again.push('+');
        took
    });
}

#[test]
fn the_inbox_and_what_is_watched_are_told_of_one_by_one() {
    let mut person = Person::new(user());
    person.connections = 4;
    person.more = "without = [\"NOTIFY\"]\nwatch = [\"Lists/*\"]".into();
    let (person, mut other) = with(person, &["Lists/one", "Lists/two", "Plain"]);
    let engine = person.start();
    settled(&engine);
    // The person looks at yet another one.
    let sent = id(&engine, "Sent").unwrap();
    engine.perform(Request::OpenMailbox(sent)).unwrap();
    std::thread::sleep(Duration::from_millis(700));
    for (n, mailbox) in ["INBOX", "Lists/one", "Lists/two", "Sent"].into_iter().enumerate() {
        soon(&engine, &mut other, mailbox, &format!("n{n}"));
    }
    // Nobody tells of this one; a refresh asks.
    put(&mut other, "Plain", "quiet");
    std::thread::sleep(Duration::from_secs(2));
    assert!(rows(&engine, "Plain").is_empty());
    engine.perform(Request::Refresh { account: None }).unwrap();
    sees(&engine, "Plain", &["quiet"]);
}

#[test]
fn where_nothing_is_told_it_is_asked_for() {
    let mut person = Person::new(bare_user());
    person.more = String::new();
    let (mut person, mut other) = with(person, &["Plain"]);
    person.pace = Pace { poll: Duration::from_secs(2), ..NEVER };
    let engine = person.start();
    until(&engine, "the first round", |news| {
        matches!(news.connectivity.values().next(), Some(Connectivity::Polled { .. })).then_some(())
    });
    for mailbox in ["INBOX", "Plain"] {
        // Every two seconds.
        let mut again = String::new();
        quick(1, 3, Duration::from_secs(4), || {
            again.push('+');
            seen(&engine, &mut other, mailbox, &format!("in {mailbox}{again}"))
        });
    }
}

/// Without CONDSTORE no number tells that another client set a star: the mailbox that the person looks at is looked into at each
/// poll, the others after some hours.
#[test]
fn stars_that_no_number_tells_of() {
    let mut person = Person::new(user());
    (person.connections, person.more) = (1, "without = [\"CONDSTORE\", \"QRESYNC\", \"NOTIFY\", \"IDLE\"]".to_owned());
    let (mut person, mut other) = with(person, &["Plain"]);
    put(&mut other, "Plain", "b");
    person.pace = Pace { poll: Duration::from_secs(1), ..NEVER };
    let engine = person.start();
    let flagged = |place: &str| rows(&engine, place).iter().any(|r| r.flags.has(Flag::Flagged));
    let here = |place: &str| !rows(&engine, place).is_empty();
    until(&engine, "both mails", |_| (here("INBOX") && here("Plain")).then_some(()));
    engine.perform(Request::OpenMailbox(id(&engine, "Plain").unwrap())).unwrap();
    let mut star = |place: &str| {
        other.select(&MailboxPath::from_typed(place), false, None).unwrap();
        other.store_flags(&UidSet::range(1, 9), &FlagDelta::set(Flag::Flagged)).unwrap();
    };
    star("Plain");
    until(&engine, "the star in the open mailbox", |_| flagged("Plain").then_some(()));
    // That one is selected now: of the inbox nothing tells.
    star("INBOX");
    let cache = rusqlite::Connection::open(person.dir.path().join("data/cache.sqlite")).unwrap();
    cache.busy_timeout(Duration::from_secs(5)).unwrap();
    cache.execute("UPDATE mailbox SET synced_at = synced_at - 4 * 3600 WHERE path = 'INBOX'", []).unwrap();
    drop(cache);
    until(&engine, "the star in the inbox", |_| flagged("INBOX").then_some(()));
}

/// The other client has one of the two connections that the server allows: work goes on with it at once, and news are still told.
#[test]
fn where_one_connection_is_allowed_it_does_all() {
    let mut person = Person::new(user());
    (person.at, person.connections) = (At::FewLines, 3);
    let (person, mut other) = with(person, &["Plain"]);
    let engine = person.start();
    settled(&engine);
    soon(&engine, &mut other, "INBOX", "b");
    // A text is got by the same connection.
    let b = crate::person::key(&engine, "INBOX", "b");
    engine.perform(Request::FetchBody(b)).unwrap();
    until(&engine, "the text", |_| rows(&engine, "INBOX").iter().any(|r| r.id == b && r.cached).then_some(()));
    let third = imap_to(&host().imap_at(At::FewLines, TlsMode::Implicit), &person.name, PASSWORD, &Strings::new());
    assert!(
        matches!(third.err().map(|e| e.kind), Some(NetErrorKind::No { code }) if code == "LIMIT"),
        "it is as strict as we think"
    );
}

/// One line tells of every mailbox, whatever is done on it beside; also where there is only that one.
#[test]
fn every_mailbox_is_told_of_on_one_line() {
    for connections in [2, 1] {
        let mut person = Person::new(user());
        person.connections = connections;
        let (person, mut other) = with(person, &["Lists/one", "Plain"]);
        let engine = person.start();
        settled(&engine);
        for (n, mailbox) in ["Plain", "INBOX", "Lists/one"].into_iter().enumerate() {
            soon(&engine, &mut other, mailbox, &format!("n{n}"));
        }
        // A text is got in between, on the line that waits.
        let key = crate::person::key(&engine, "Plain", "n0");
        engine.perform(Request::FetchBody(key)).unwrap();
        until(&engine, "the text", |_| rows(&engine, "Plain").iter().any(|r| r.id == key && r.cached).then_some(()));
        for (n, mailbox) in ["Plain", "INBOX"].into_iter().enumerate() {
            soon(&engine, &mut other, mailbox, &format!("m{n}"));
        }
        // Flags, removals and mailboxes of others show, too.
        other.select(&MailboxPath::from_typed("Lists/one"), false, None).unwrap();
        other.store_flags(&UidSet::range(1, 1), &FlagDelta::set(Flag::Flagged)).unwrap();
        until(&engine, "the star", |_| rows(&engine, "Lists/one").iter().any(|r| r.flags.has(Flag::Flagged)).then_some(()));
        other.create(&MailboxPath::from_typed("Fresh")).unwrap();
        until(&engine, "the mailbox", |_| id(&engine, "Fresh"));
        soon(&engine, &mut other, "Fresh", "first");
    }
}

/// What comes into a mailbox while a text is fetched from it, and is told by nothing but that mailbox itself, is found when the line has
/// left it: of what is selected NOTIFY tells otherwise than of all others. The line is so slow that the server looks before it is left.
#[test]
fn what_comes_just_before_a_mailbox_is_left_is_found() {
    std::thread::scope(|all| {
        for connections in [1, 2] {
            all.spawn(move || {
                let mut person = Person::new(user());
                (person.connections, person.more) = (connections, "keep = { bodies = \"none\" }".into());
                let (mut person, mut other) = with(person, &["Plain"]);
                put(&mut other, "Plain", "text");
                let proxy = Proxy::start(host().imaps, Line::default());
                person.imap = proxy.port;
                let engine = person.start();
                settled(&engine);
                let key = crate::person::key(&engine, "Plain", "text");
                proxy.set(Line { latency: Duration::from_millis(900), ..Line::default() });
                engine.perform(Request::FetchBody(key)).unwrap();
                until(&engine, "the text", |_| rows(&engine, "Plain").iter().any(|r| r.id == key && r.cached).then_some(()));
                put(&mut other, "Plain", "late");
                sees(&engine, "Plain", &["late", "text"]);
                // The same when it was visited for that.
                put(&mut other, "Plain", "later");
                sees(&engine, "Plain", &["late", "later", "text"]);
            });
        }
    });
}

/// All lines break, and meanwhile somebody else takes one of the two that the server allows: whichever of ours comes first, the
/// work goes on with what is left, and comes to an end.
#[test]
fn whoever_comes_back_first_the_work_goes_on() {
    let mut person = Person::new(user());
    person.connections = 2;
    let (mut person, mut other) = with(person, &["Plain"]);
    let proxy = Proxy::before(([127, 0, 0, At::FewLines as u8], host().imaps).into(), Line::default());
    (person.at, person.imap) = (At::Good, proxy.port);
    other.logout();
    let engine = person.start();
    settled(&engine);
    until(&engine, "both lines", |_| (proxy.connections() == 2).then_some(()));
    for round in 0..3 {
        proxy.end_all(End::Reset);
        let mut other = person.other();
        let subject = format!("r{round}");
        let begun = Instant::now();
        put(&mut other, "INBOX", &subject);
        until(&engine, &subject, |_| rows(&engine, "INBOX").iter().any(|r| r.subject == subject).then_some(()));
        assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
        other.logout();
    }
}

/// S-27: lines that died without a word, at rest: what is on the way still acknowledges, or drops every packet. They are found by
/// asking, as long after as `Pace::quiet` says and the answer may take, and replaced.
#[test]
fn a_line_that_says_nothing_is_asked_and_replaced() {
    for (how, connections) in [(End::Silence, 2), (End::Drop, 1)] {
        let mut person = Person::new(user());
        person.connections = connections;
        let (mut person, mut other) = with(person, &["Plain"]);
        person.pace.quiet = Duration::from_secs(2);
        let proxy = Proxy::start(host().imaps, Line::default());
        person.imap = proxy.port;
        let engine = person.start();
        settled(&engine);
        let before = proxy.connections();
        proxy.end_all(how);
        // Of the other one nobody tells without NOTIFY.
        for mailbox in ["INBOX", "Plain"].into_iter().take(1 + usize::from(other.caps().notify)) {
            put(&mut other, mailbox, "after");
            let what = format!("the mail after {how:?} in {mailbox}, {connections} connections,");
            until(&engine, &what, |_| rows(&engine, mailbox).iter().any(|r| r.subject == "after").then_some(()));
        }
        assert!(proxy.connections() > before);
    }
}

/// A server without IDLE is asked between the rounds, too.
#[test]
fn a_line_without_idle_is_asked_between_the_rounds() {
    let (mut person, _) = with(Person::new(bare_user()), &[]);
    (person.pace.quiet, person.connections) = (Duration::from_secs(1), 1);
    let proxy = Proxy::start(host().imaps, Line::default());
    person.imap = proxy.port;
    let engine = person.start();
    settled(&engine);
    let before = proxy.turns();
    until(&engine, "three questions", |_| (proxy.turns() >= before + 3).then_some(()));
}
