//! accounts — several at once: what one of them suffers costs the others nothing.
//! Start reading at: `one_in_a_hole_one_locked_out_and_one_well`.

use crate::mailhost::proxy::{Line, Proxy};
use crate::mailhost::{PASSWORD, host, user};
use crate::person::{Person, mailboxes, put, quick, there, until};
use postrider::base::paths::Paths;
use postrider::config::Config;
use postrider::engine::api::{Connectivity, Kind, Query, Request, Rows};
use postrider::engine::{Engine, Mode, Setup};
use postrider::mail::ids::{AccountName, PlacementKey};
use postrider::mail::mailbox::{MailboxPath, Role};
use postrider::mail::row::{MessageRow, RowCursor};
use postrider::net::session::MailStore;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

/// What is in the inbox of an account.
fn inbox(engine: &Engine, account: &str) -> Vec<MessageRow> {
    let Ok(Rows::Mailboxes(all)) = engine.ask(&Query::Mailboxes) else { panic!() };
    let Some(inbox) = all.iter().find(|m| m.account.as_str() == account && m.path.is_inbox()) else { return Vec::new() };
    let query = Query::Messages { view: inbox.id.into(), threaded: false, cursor: RowCursor::Newest, limit: 50 };
    let Ok(Rows::Messages(page)) = engine.ask(&query) else { panic!() };
    page.rows
}

/// Their subjects.
fn subjects(engine: &Engine, account: &str) -> Vec<String> {
    inbox(engine, account).into_iter().map(|r| r.subject).collect()
}

fn account(name: &str, user: &str, password: &str, port: u16) -> String {
    let ca = host().dir.join("tls/ca.pem");
    format!(
        "[account.{name}]\naddress = {user:?}\npassword = {password:?}\nca-file = {ca:?}\n\
         imap = {{ host = \"127.0.0.1\", port = {port} }}\n"
    )
}

fn start(text: &str, person: &Person) -> Engine {
    start_in(text, person.dir.path())
}

fn start_in(text: &str, folder: &Path) -> Engine {
    let config = Config::parse(text, &folder.join("config.toml"), 0o600).unwrap();
    Engine::start(&Setup::new(config, Paths::of_profile(folder), Mode::Live)).unwrap()
}

/// A long first fill, its bodies after it, and another account whose mail comes in meanwhile.
#[test]
fn one_that_reads_much_keeps_no_other_waiting() {
    let (busy, well) = (Person::new(user()), Person::new(user()));
    let mut other = well.other();
    put(&mut other, "INBOX", "a");
    put(&mut busy.other(), "INBOX", "a");
    for n in 0..3_000 {
        busy.deliver(&format!("{n:05}"), &format!("From: a@b.example\nSubject: s{n}\nMessage-ID: <{n}@b>\n\nHello {n}.\n"));
    }
    let text = account("busy", &busy.name, PASSWORD, host().imaps) + &account("well", &well.name, PASSWORD, host().imaps);
    let engine = start(&text, &well);
    until(&engine, "the first mail", |_| (subjects(&engine, "well") == ["a"]).then_some(()));
    let mut n = 0;
    // Half a second of it Dovecot waits.
    quick(4, 12, Duration::from_millis(1_500), || {
        std::thread::sleep(Duration::from_millis(500));
        n += 1;
        let subject = format!("n{n}");
        put(&mut other, "INBOX", &subject);
        let begun = Instant::now();
        until(&engine, &subject, |_| subjects(&engine, "well").contains(&subject).then_some(()));
        begun.elapsed()
    });
}

/// Mails of two accounts are archived and moved by one command, each within its own account, and one undo brings them back.
#[test]
fn marked_mails_of_several_accounts_are_moved_each_within_its_own() {
    let (one, two) = (Person::new(user()), Person::new(user()));
    for person in [&one, &two] {
        put(&mut person.other(), "INBOX", "a");
        put(&mut person.other(), "INBOX", "b");
        person.other().create(&MailboxPath::from_typed("Lists")).unwrap();
    }
    let text = account("one", &one.name, PASSWORD, host().imaps) + &account("two", &two.name, PASSWORD, host().imaps);
    let engine = start(&text, &one);
    let names = ["one", "two"];
    let named = |account: &str, path: &str| {
        mailboxes(&engine).into_iter().find(|m| m.account.as_str() == account && m.path.as_str() == path).map(|m| m.id)
    };
    until(&engine, "both", |_| {
        names.iter().all(|name| subjects(&engine, name).len() == 2 && named(name, "Lists").is_some()).then_some(())
    });
    let both = |subject: &str| -> Vec<PlacementKey> {
        let of = |name| inbox(&engine, name).into_iter().find(|row| row.subject == subject).unwrap().id;
        names.iter().map(|name| of(name)).collect()
    };
    let done = engine.perform(Request::Move { targets: both("a"), to: named("one", "Lists").unwrap() }).unwrap();
    assert_eq!((done.count, done.missed), (2, 0));
    engine.perform(Request::File { targets: both("b"), role: Role::Archive }).unwrap();
    let mut others = [one.other(), two.other()];
    let mut at = |mailbox: &str| -> Vec<Vec<String>> { others.iter_mut().map(|other| there(other, mailbox)).collect() };
    let each = |subjects: &[&str]| vec![subjects.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>(); 2];
    until(&engine, "the moves", |_| (at("Lists") == each(&["a"]) && at("Archive") == each(&["b"])).then_some(()));
    assert_eq!(at("INBOX"), each(&[]));
    engine.perform(Request::Undo { count: 2 }).unwrap();
    until(&engine, "all back", |_| (at("Lists") == each(&[]) && at("Archive") == each(&[])).then_some(()));
    for mut subjects in at("INBOX") {
        subjects.sort();
        assert_eq!(subjects, ["a", "b"]);
    }
}

/// One server takes the connection and says nothing, one refuses the password, one is far away; the fourth is well: its mail
/// arrives in its usual time, and each says for itself how it stands.
#[test]
fn one_in_a_hole_one_locked_out_and_one_well() {
    let hole = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let well = Person::new(user());
    let mut other = well.other();
    put(&mut other, "INBOX", "a");
    let slow = Proxy::start(host().imaps, Line { latency: Duration::from_millis(400), ..Line::default() });
    let locked = Proxy::start(host().imaps, Line::default());
    let text = account("hole", "h@example.test", PASSWORD, hole.local_addr().unwrap().port())
        + &account("locked", &user(), "wrong", locked.port)
        + &account("slow", &user(), PASSWORD, slow.port)
        + &account("well", &well.name, PASSWORD, host().imaps);
    let mut stand: BTreeMap<AccountName, Connectivity> = BTreeMap::new();
    let (mut folders, mut started) = (Vec::new(), None);
    quick(1, 3, Duration::from_secs(4), || {
        drop(started.take());
        folders.push(tempfile::tempdir().unwrap());
        let begun = Instant::now();
        let engine = start_in(&text, folders.last().unwrap().path());
        until(&engine, "the first mail", |news| {
            stand.extend(news.connectivity.clone());
            (subjects(&engine, "well") == ["a"]).then_some(())
        });
        started = Some(engine);
        begun.elapsed()
    });
    let engine = started.unwrap();
    let mut n = 0;
    quick(3, 9, Duration::from_secs(1), || {
        // Its line for news is there, too.
        std::thread::sleep(Duration::from_secs(1));
        n += 1;
        let subject = format!("n{n}");
        put(&mut other, "INBOX", &subject);
        let begun = Instant::now();
        until(&engine, &subject, |news| {
            stand.extend(news.connectivity.clone());
            subjects(&engine, "well").contains(&subject).then_some(())
        });
        begun.elapsed()
    });
    until(&engine, "how they stand", |news| {
        stand.extend(news.connectivity.clone());
        let of = |name: &str| stand.get(&AccountName::new(name));
        let locked = matches!(of("locked"), Some(Connectivity::NeedsUser(fault)) if fault.kind == Kind::Login);
        let live = |name: &str| matches!(of(name), Some(Connectivity::Live { .. }));
        (matches!(of("hole"), Some(Connectivity::Connecting)) && locked && live("well") && live("slow")).then_some(())
    });
    assert_eq!(locked.connections(), folders.len() as u64, "a wrong password is tried once");
    // When each was in step last is told by its mailboxes.
    let Ok(Rows::Mailboxes(all)) = engine.ask(&Query::Mailboxes) else { panic!() };
    let fresh = |name: &str| all.iter().filter(|m| m.account.as_str() == name && m.selectable).map(|m| m.synced_at).min();
    assert!(fresh("well").is_some_and(|at| at > 0) && fresh("hole").is_none_or(|at| at == 0));
    // Leaving does not wait for any of them.
    let mut engine = Some(engine);
    quick(1, 3, Duration::from_secs(2), || {
        let engine = engine.take().unwrap_or_else(|| start_in(&text, folders.last().unwrap().path()));
        let begun = Instant::now();
        drop(engine);
        begun.elapsed()
    });
}
