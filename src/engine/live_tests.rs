//! The whole engine over local accounts: what a person does reaches the maildir, and what changes there reaches the person.

use super::api::{Body, Connectivity, MailboxAct, News, OutboxState, Query, Request, Rows};
use super::{Engine, Mode, Setup};
use crate::base::paths::Paths;
use crate::config::Config;
use crate::mail::address::Address;
use crate::mail::draft::Draft;
use crate::mail::flags::{Flag, FlagDelta};
use crate::mail::ids::AccountName;
use crate::mail::mailbox::Role;
use crate::mail::row::{MailboxRow, MessageRow, RowCursor};
use std::path::Path;
use std::time::{Duration, Instant};

fn start(dir: &Path) -> Engine {
    start_as(dir, "me")
}

fn start_as(dir: &Path, name: &str) -> Engine {
    let text = "[account.NAME]\naddress = \"me@example.org\"\nmaildir = \"mail\"\nsmtp = { local = true }\n";
    std::fs::create_dir_all(dir).unwrap();
    let path = dir.join("config.toml");
    let config = Config::parse(&text.replace("NAME", name), &path, 0o600).unwrap();
    Engine::start(&Setup::new(config, Paths::of_profile(dir), Mode::Live)).unwrap()
}

fn deliver(dir: &Path, subject: &str) {
    let text = format!("From: a@b.example\r\nSubject: {subject}\r\nMessage-ID: <{subject}@b>\r\n\r\nHello there.\r\n");
    let root = dir.join("mail");
    crate::net::local::deliver(&root, &mut text.as_bytes()).unwrap();
}

/// Looks at every piece of news until `done` gives something.
fn until<T>(engine: &Engine, what: &str, mut done: impl FnMut(&News) -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(20);
    let mut news = News::default();
    loop {
        if let Some(found) = done(&news) {
            return found;
        }
        assert!(news.faults.is_empty(), "{what}: {:?}", news.faults);
        assert!(Instant::now() < end, "{what} did not come");
        news = engine.wait(Duration::from_millis(200));
    }
}

fn mailbox(engine: &Engine, role: Role) -> Option<MailboxRow> {
    let Ok(Rows::Mailboxes(rows)) = engine.ask(&Query::Mailboxes) else { panic!() };
    rows.into_iter().find(|r| r.role == Some(role))
}

fn rows(engine: &Engine, role: Role) -> Vec<MessageRow> {
    let Some(row) = mailbox(engine, role) else { return Vec::new() };
    let query = Query::Messages { view: row.id.into(), threaded: false, cursor: RowCursor::Newest, limit: 50 };
    let Ok(Rows::Messages(page)) = engine.ask(&query) else { panic!() };
    page.rows
}

fn files(dir: &Path) -> Vec<String> {
    let name = |e: std::io::Result<std::fs::DirEntry>| e.unwrap().file_name().into_string().unwrap();
    std::fs::read_dir(dir).map(|d| d.map(name).collect()).unwrap_or_default()
}

#[test]
fn what_arrives_is_shown_and_what_is_done_is_done() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    let engine = start(dir);
    until(&engine, "the inbox", |news| {
        matches!(news.connectivity.values().next(), Some(Connectivity::Live { .. })).then_some(())
    });
    deliver(dir, "one");
    let row = until(&engine, "new mail", |_| rows(&engine, Role::Inbox).pop());
    // It is got ahead of need; somebody who asks gets it too.
    engine.perform(Request::FetchBody(row.id)).unwrap();
    until(&engine, "the body", |_| {
        let Ok(Rows::Message(view)) = engine.ask(&Query::Message(row.id)) else { panic!() };
        matches!(view.body, Body::Here(_)).then_some(())
    });
    // Its words are read a moment after its bytes are here.
    until(&engine, "its first words", |_| (rows(&engine, Role::Inbox)[0].preview == "Hello there.").then_some(()));
    let flag = Request::Flag { targets: vec![row.id], delta: FlagDelta::set(Flag::Seen), automatic: false };
    engine.perform(flag).unwrap();
    let cur = dir.join("mail/cur");
    until(&engine, "the flag in the maildir", |_| files(&cur).first().is_some_and(|f| f.ends_with("S")).then_some(()));
    engine.perform(Request::File { targets: vec![row.id], role: Role::Archive }).unwrap();
    until(&engine, "the move", |_| files(&cur).is_empty().then_some(()));
    assert!(rows(&engine, Role::Inbox).is_empty());
    until(&engine, "the archive", |_| (rows(&engine, Role::Archive).len() == 1).then_some(()));
    engine.perform(Request::Undo { count: 1 }).unwrap();
    until(&engine, "the move back", |_| (files(&cur).len() == 1).then_some(()));
    assert_eq!(rows(&engine, Role::Inbox).len(), 1);
    let mut engine = Some(engine);
    crate::base::clock::quick(Duration::from_secs(2), || {
        let engine = engine.take().unwrap_or_else(|| start(dir));
        let begun = Instant::now();
        drop(engine);
        begun.elapsed()
    });
}

#[test]
fn a_mail_is_sent_once_and_filed_once() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    let engine = start(dir);
    let me = Address::new("", "me@example.org");
    let draft = Draft { from: me.clone(), to: vec![me], subject: "note".into(), body: "x\n".into(), ..Draft::default() };
    let account = AccountName::new("me");
    let held = Request::Send { id: None, account: account.clone(), draft: Box::new(draft.clone()), hold: 600 };
    let done = engine.perform(held).unwrap();
    let Ok(Rows::Outbox(waiting)) = engine.ask(&Query::Outbox) else { panic!() };
    assert_eq!(waiting[0].state, OutboxState::Held);
    engine.perform(Request::OutboxCancel(done.outbox.unwrap())).unwrap();
    let Ok(Rows::Drafts(drafts)) = engine.ask(&Query::Drafts) else { panic!() };
    assert_eq!(drafts.len(), 1, "taken back, it is a draft again");
    let send = Request::Send { id: done.draft, account, draft: Box::new(draft), hold: 0 };
    engine.perform(send).unwrap();
    until(&engine, "the mail in the inbox", |_| (rows(&engine, Role::Inbox).len() == 1).then_some(()));
    until(&engine, "the copy in Sent", |_| (rows(&engine, Role::Sent).len() == 1).then_some(()));
    until(&engine, "an empty outbox", |_| {
        let Ok(Rows::Outbox(rows)) = engine.ask(&Query::Outbox) else { panic!() };
        rows.is_empty().then_some(())
    });
    let Ok(Rows::Drafts(drafts)) = engine.ask(&Query::Drafts) else { panic!() };
    assert!(drafts.is_empty(), "a sent mail is no draft");
    // Nothing is done again by a second start.
    drop(engine);
    let engine = start(dir);
    until(&engine, "the start", |news| {
        matches!(news.connectivity.values().next(), Some(Connectivity::Live { .. })).then_some(())
    });
    let _ = engine.wait(Duration::from_millis(300));
    assert_eq!((rows(&engine, Role::Inbox).len(), rows(&engine, Role::Sent).len()), (1, 1));
}

#[test]
fn at_rest_no_thread_runs() {
    let temp = tempfile::tempdir().unwrap();
    let engine = start_as(temp.path(), "resting");
    deliver(temp.path(), "one");
    until(&engine, "the mail", |_| (rows(&engine, Role::Inbox).first()?.preview == "Hello there.").then_some(()));
    let switches = || -> u64 {
        let of = |task: std::fs::DirEntry| -> Option<u64> {
            // Other tests' engines run beside this one; the whole program at rest is tests/pty's.
            let name = std::fs::read_to_string(task.path().join("comm")).ok()?;
            if name.trim() != "work/resting" {
                return None;
            }
            let text = std::fs::read_to_string(task.path().join("status")).ok()?;
            text.lines()
                .filter(|l| l.contains("ctxt_switches"))
                .filter_map(|l| l.split(':').nth(1)?.trim().parse::<u64>().ok())
                .sum::<u64>()
                .into()
        };
        std::fs::read_dir("/proc/self/task").unwrap().filter_map(|t| of(t.unwrap())).sum()
    };
    // It comes to rest, and then for three seconds.
    let (begun, mut since, mut before) = (Instant::now(), Instant::now(), switches());
    while since.elapsed() < Duration::from_secs(3) {
        std::thread::sleep(Duration::from_millis(50));
        let now = switches();
        if now != before {
            (since, before) = (Instant::now(), now);
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{before} -> {now}");
    }
    assert!(before > 0);
}

#[test]
fn one_pass_does_all_and_says_what_it_did() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    let config = |mode| {
        let text = "[account.me]\naddress = \"me@example.org\"\nmaildir = \"mail\"\nsmtp = { local = true }\n";
        let config = Config::parse(text, &dir.join("config.toml"), 0o600).unwrap();
        Setup::new(config, Paths::of_profile(dir), mode)
    };
    deliver(dir, "one");
    let engine = Engine::start(&config(Mode::Still)).unwrap();
    let draft = Draft { to: vec![Address::new("", "me@example.org")], subject: "two".into(), ..Draft::default() };
    let draft = Box::new(Draft { from: draft.to[0].clone(), ..draft });
    engine.perform(Request::Send { id: None, account: AccountName::new("me"), draft, hold: 0 }).unwrap();
    let cancel = crate::base::cancel::Cancel::new().unwrap();
    let sum = super::sync::sync_once(engine.shared(), &super::sync::Scope::default(), &cancel);
    let me = &sum.accounts[0];
    assert_eq!((me.state.as_str(), sum.exit()), ("ok", 0), "{me:?}");
    let inbox = me.mailboxes.iter().find(|m| m.mailbox == "INBOX").unwrap();
    assert_eq!((inbox.new, inbox.bodies, inbox.fault.as_str()), (2, 2, ""));
    let sent = me.mailboxes.iter().find(|m| m.mailbox == "Sent").unwrap();
    assert!(sent.new == 1 && me.pushed == 2, "{me:?}");
    let again = super::sync::sync_once(engine.shared(), &super::sync::Scope::default(), &cancel);
    assert!(again.accounts[0].mailboxes.iter().all(|m| m.new + m.changed + m.vanished + m.bodies == 0));
    let scope = super::sync::Scope { mailbox: Some("Nowhere".into()), ..Default::default() };
    assert_eq!(super::sync::sync_once(engine.shared(), &scope, &cancel).exit(), 66);
}

/// A server that lets nobody in: it greets, and answers each login with `answer`.
fn doorkeeper(answer: &'static str) -> (u16, std::sync::Arc<std::sync::atomic::AtomicU32>) {
    use std::io::{BufRead, BufReader, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let logins = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let count = std::sync::Arc::clone(&logins);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream.write_all(b"* OK hello\r\n").unwrap();
            for line in BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok) {
                let tag = line.split(' ').next().unwrap().to_owned();
                let reply = if line.contains("CAPABILITY") {
                    format!("* CAPABILITY IMAP4rev1\r\n{tag} OK\r\n")
                } else {
                    count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    format!("{tag} {answer}\r\n")
                };
                if stream.write_all(reply.as_bytes()).is_err() {
                    break;
                }
            }
        }
    });
    (port, logins)
}

#[test]
fn a_login_refused_for_now_is_tried_again_and_one_refused_for_good_is_not() {
    for (answer, again) in [("NO [UNAVAILABLE] later", true), ("NO [AUTHENTICATIONFAILED] no", false)] {
        let temp = tempfile::tempdir().unwrap();
        let (port, logins) = doorkeeper(answer);
        let text = format!(
            "[account.me]\naddress = \"me@example.org\"\npassword = \"x\"\n\
             imap = {{ host = \"127.0.0.1\", port = {port}, tls = \"none\" }}\n"
        );
        let config = Config::parse(&text, &temp.path().join("config.toml"), 0o600).unwrap();
        let engine = Engine::start(&Setup::new(config, Paths::of_profile(temp.path()), Mode::Live)).unwrap();
        let waits = until(&engine, answer, |news| match news.connectivity.values().next() {
            Some(Connectivity::Waiting { .. }) => Some(true),
            Some(Connectivity::NeedsUser(_)) => Some(false),
            _ => None,
        });
        assert_eq!(waits, again, "{answer}");
        assert_eq!(logins.load(std::sync::atomic::Ordering::SeqCst), 1, "one connection knocks first");
    }
}

/// A server that takes the connection and says nothing keeps neither another account nor the end of the program waiting.
#[test]
fn a_dead_server_slows_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = dead.local_addr().unwrap().port();
    let server = format!("{{ host = \"127.0.0.1\", port = {port}, tls = \"none\" }}");
    let text = format!(
        "[account.dead]\naddress = \"d@example.org\"\npassword = \"x\"\nimap = {server}\nsmtp = {server}\n\
         [account.me]\naddress = \"me@example.org\"\nmaildir = \"mail\"\nsmtp = {{ local = true }}\n"
    );
    let config = Config::parse(&text, &dir.join("config.toml"), 0o600).unwrap();
    let start = || Engine::start(&Setup::new(config.clone(), Paths::of_profile(dir), Mode::Live)).unwrap();
    let engine = start();
    let begun = Instant::now();
    for (account, from) in [("dead", "d@example.org"), ("me", "me@example.org")] {
        let to = vec![Address::new("", "me@example.org")];
        let draft = Box::new(Draft { from: Address::new("", from), to, subject: account.into(), ..Draft::default() });
        engine.perform(Request::Send { id: None, account: AccountName::new(account), draft, hold: 0 }).unwrap();
    }
    until(&engine, "the mail", |_| (rows(&engine, Role::Inbox).len() == 1).then_some(()));
    assert!(begun.elapsed() < Duration::from_secs(10));
    let mut engine = Some(engine);
    crate::base::clock::quick(Duration::from_secs(2), || {
        let engine = engine.take().unwrap_or_else(start);
        let begun = Instant::now();
        drop(engine);
        begun.elapsed()
    });
}

#[test]
fn a_second_window_sees_what_the_first_does_and_has_its_wishes_done() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    deliver(dir, "one");
    let first = start(dir);
    until(&first, "the mail", |_| (rows(&first, Role::Inbox).len() == 1).then_some(()));
    let second = start(dir);
    assert!(first.is_owner() && !second.is_owner());
    until(&second, "elsewhere", |news| news.connectivity.values().any(|c| *c == Connectivity::Elsewhere).then_some(()));
    // What comes in at the first shows in the second, by news.
    deliver(dir, "two");
    until(&second, "the second mail", |news| (news.changes.all && rows(&second, Role::Inbox).len() == 2).then_some(()));
    // What the second does is seen in both, and told to the server by the first.
    let targets = vec![rows(&second, Role::Inbox)[0].id];
    let star = Request::Flag { targets, delta: FlagDelta::set(Flag::Flagged), automatic: false };
    second.perform(star).unwrap();
    let starred = |engine: &Engine| rows(engine, Role::Inbox).iter().any(|r| r.flags.has(Flag::Flagged));
    until(&second, "the star", |news| (news.changes.all && starred(&second)).then_some(()));
    assert!(starred(&first));
    until(&first, "the star on the server", |_| files(&dir.join("mail/cur")).iter().any(|f| f.contains(":2,F")).then_some(()));
    let body = rows(&second, Role::Inbox)[0].id;
    second.perform(Request::FetchBody(body)).unwrap();
    until(&second, "the body", |_| {
        let Ok(Rows::Message(view)) = second.ask(&Query::Message(body)) else { panic!() };
        matches!(view.body, Body::Here(_)).then_some(())
    });
    // The first window ends: the second works on, and what it is told is done.
    drop(first);
    until(&second, "the profile", |_| second.is_owner().then_some(()));
    deliver(dir, "three");
    until(&second, "the third mail", |_| (rows(&second, Role::Inbox).len() == 3).then_some(()));
    let all: Vec<_> = rows(&second, Role::Inbox).iter().map(|r| r.id).collect();
    second.perform(Request::Flag { targets: all, delta: FlagDelta::set(Flag::Seen), automatic: false }).unwrap();
    let read = || files(&dir.join("mail/cur")).iter().filter(|f| f.ends_with('S')).count();
    until(&second, "the flags on the server", |_| (read() == 3).then_some(()));
}

#[test]
fn mailboxes_are_made_renamed_and_deleted_in_the_maildir() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    for name in ["mail", "mail/.Lists", "mail/.Lists.rust"] {
        for part in ["cur", "new", "tmp"] {
            std::fs::create_dir_all(dir.join(name).join(part)).unwrap();
        }
        std::fs::write(dir.join(name).join("cur/1.x:2,S"), "Subject: one\n\nx\n").unwrap();
    }
    let engine = start(dir);
    let find = |name: &str| {
        let Ok(Rows::Mailboxes(rows)) = engine.ask(&Query::Mailboxes) else { panic!() };
        rows.into_iter().find(|r| r.path.as_str() == name)
    };
    let lists = until(&engine, "the folders", |_| find("Lists.rust").filter(|r| r.synced_at > 0).and(find("Lists")));
    let account = AccountName::new("me");
    let path = |name: &str| crate::mail::mailbox::MailboxPath::from_typed(name);
    engine.perform(Request::Mailbox(MailboxAct::Create { account, path: path("New") })).unwrap();
    let act = MailboxAct::Rename { mailbox: lists.id, to: path("New.Old") };
    engine.perform(Request::Mailbox(act)).unwrap();
    assert!(find("New.Old.rust").is_some() && find("Lists").is_none(), "at once");
    let there = |name: &str| dir.join("mail").join(name).join("cur").is_dir();
    until(&engine, "the new names", |_| (there(".New") && there(".New.Old.rust") && !there(".Lists")).then_some(()));
    let kept = find("New.Old.rust").unwrap();
    assert_eq!(kept.total, 1);
    assert_eq!(find("New.Old").unwrap().id, lists.id);
    let done = engine.perform(Request::Mailbox(MailboxAct::Delete { mailbox: lists.id })).unwrap();
    assert_eq!((done.count, find("New.Old.rust").is_some()), (2, false));
    engine.perform(Request::Undo { count: 1 }).unwrap();
    assert_eq!(find("New.Old.rust").map(|r| (r.id, r.total)), Some((kept.id, 1)));
    engine.perform(Request::Redo).unwrap();
    until(&engine, "the end of it", |_| (!there(".New.Old") && !there(".New.Old.rust") && there(".New")).then_some(()));
}
