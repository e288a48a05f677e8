//! parts — a large mail is read by its texts; its files come when somebody asks, go on after a dropped line, and can be stopped.
//! Start reading at: `a_large_mail_costs_its_text`. Octets are counted on the line.

use crate::mailhost::proxy::{End, Line, Proxy};
use crate::mailhost::{host, user};
use crate::person::{Person, key, live, quick, sees, until, within_a_second};
use postrider::engine::Engine;
use postrider::engine::api::{Body, Job, JobState, MessageView, Piece, PieceState, Query, Request, Rows, Task};
use postrider::mail::body::PartPath;
use postrider::mail::flags::Flags;
use postrider::mail::ids::PlacementKey;
use postrider::mail::mailbox::MailboxPath;
use postrider::mail::structure;
use postrider::net::session::MailStore;
use std::time::{Duration, Instant};

/// The file in the mail: `size` octets that no compression makes smaller.
pub fn file(size: usize) -> Vec<u8> {
    let mut state = 1u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..size).map(|_| next()).collect()
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for (n, three) in bytes.chunks(3).enumerate() {
        if n > 0 && n % 19 == 0 {
            out.push_str("\r\n");
        }
        let bits = three.iter().fold(0u32, |b, octet| b << 8 | u32::from(*octet)) << (8 * (3 - three.len()));
        for place in 0..4 {
            let letter = if place > three.len() { b'=' } else { LETTERS[(bits >> (18 - 6 * place) & 63) as usize] };
            out.push(letter as char);
        }
    }
    out
}

/// A mail with two texts and a file.
pub fn mail(bytes: &[u8]) -> String {
    format!(
        "From: a@b.example\r\nSubject: plan\r\nMessage-ID: <plan@b>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\nContent-Type: multipart/alternative; boundary=i\r\n\r\n\
         --i\r\nContent-Type: text/plain\r\n\r\nThe plan is attached.\r\n--i\r\nContent-Type: text/html\r\n\r\n\
         <p>The plan is attached.</p>\r\n--i--\r\n--o\r\nContent-Type: application/pdf; name=plan.pdf\r\n\
         Content-Disposition: attachment; filename=plan.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n--o--\r\n",
        base64(bytes)
    )
}

/// Puts it into the inbox.
pub fn put(person: &Person, bytes: &[u8]) {
    let text = mail(bytes);
    let mut other = person.other();
    let inbox = MailboxPath::inbox();
    other.append(&inbox, &Flags::default(), 1_600_000_000, text.len() as u64, &mut text.as_bytes()).unwrap();
}

pub fn view(engine: &Engine, id: PlacementKey) -> MessageView {
    let Ok(Rows::Message(view)) = engine.ask(&Query::Message(id)) else { panic!() };
    *view
}

pub fn opened(engine: &Engine, id: PlacementKey) -> MessageView {
    engine.perform(Request::FetchBody(id)).unwrap();
    until(engine, "the text", |_| {
        let view = view(engine, id);
        assert!(!matches!(view.body, Body::Failed(_)), "{:?}", view.body);
        matches!(view.body, Body::Here(_)).then_some(view)
    })
}

pub fn path(text: &str) -> PartPath {
    PartPath::parse(text).unwrap()
}

/// Nothing ahead of need: what is counted is what was asked for.
const NOTHING_AHEAD: &str = "keep = { bodies = \"none\" }";

/// A person, the line to the server, and before them the mail with this file; `more` are lines of the account.
pub fn before(more: &str, bytes: &[u8]) -> (Person, Proxy, Engine, PlacementKey) {
    let mut person = Person::new(user());
    person.more = more.into();
    put(&person, bytes);
    let proxy = Proxy::start(host().imaps, Line::default());
    person.imap = proxy.port;
    let engine = person.start();
    live(&engine);
    sees(&engine, "INBOX", &["plan"]);
    let id = key(&engine, "INBOX", "plan");
    (person, proxy, engine, id)
}

#[test]
fn a_large_mail_costs_its_text() {
    let bytes = file(3_700_000);
    let (person, proxy, engine, id) = before(NOTHING_AHEAD, &bytes);
    let before = proxy.bytes();
    let begun = Instant::now();
    let read = opened(&engine, id);
    let (after, took) = (proxy.bytes(), begun.elapsed());
    let cost = after.0 - before.0 + after.1 - before.1;
    eprintln!("opening a 5 MB mail: {cost} octets, {} ms", took.as_millis());
    assert!(cost < 20_000, "{cost} octets");
    let Body::Here(message) = &read.body else { panic!() };
    assert!(!message.whole);
    let files = structure::attachments(message);
    assert_eq!((files.len(), files[0].safe_name.as_str(), files[0].here), (1, "plan.pdf", false));
    assert_eq!(view(&engine, id).row.preview, "The plan is attached.");
    // The file, when somebody wants it: without its transfer encoding, so that fewer octets come than it has.
    let folder = person.dir.path().to_owned();
    let save = |name: &str| Request::SavePart {
        message: id,
        part: path("2"),
        folder: folder.clone(),
        name: name.into(),
        to_open: false,
    };
    let before = proxy.bytes();
    let saved = engine.perform(save("plan.pdf")).unwrap();
    assert_eq!(std::fs::read(saved.path.unwrap()).unwrap(), bytes);
    let came = proxy.bytes().0 + proxy.bytes().1 - before.0 - before.1;
    assert!(came < 3_900_000, "{came} octets");
    let before = proxy.bytes();
    engine.perform(save("again.pdf")).unwrap();
    // The line goes back to waiting for news meanwhile, which takes a few octets: the file is not among them.
    let came = proxy.bytes().0 + proxy.bytes().1 - before.0 - before.1;
    assert!(came < 5_000, "it is here now: {came} octets");
    // All of it, for its source.
    engine.perform(Request::FetchPart { message: id, piece: Piece::Whole }).unwrap();
    let whole = until(&engine, "all of it", |_| match view(&engine, id).body {
        Body::Here(message) if message.whole => Some(message),
        _ => None,
    });
    assert!(whole.raw.len() > 5_000_000);
    engine.perform(save("third.pdf")).unwrap();
    assert_eq!(std::fs::read(folder.join("third.pdf")).unwrap(), bytes);
}

#[test]
fn without_binary_the_file_is_the_same() {
    let mut person = Person::new(user());
    person.more = format!("{NOTHING_AHEAD}\nwithout = [\"BINARY\"]");
    let bytes = file(400_001);
    put(&person, &bytes);
    let engine = person.start();
    sees(&engine, "INBOX", &["plan"]);
    let id = key(&engine, "INBOX", "plan");
    opened(&engine, id);
    let folder = person.dir.path().to_owned();
    let save = Request::SavePart { message: id, part: path("2"), folder, name: "plan.pdf".into(), to_open: false };
    let saved = engine.perform(save).unwrap();
    assert_eq!(std::fs::read(saved.path.unwrap()).unwrap(), bytes);
}

fn job(engine: &Engine) -> Option<Job> {
    let Ok(Rows::Jobs(jobs)) = engine.ask(&Query::Jobs) else { panic!() };
    jobs.into_iter().find(|job| matches!(job.task, Task::Piece(..)))
}

/// On a thin line, which breaks in the middle; then it is stopped, and wanted again.
#[test]
fn a_file_goes_on_where_it_ended_and_stops_when_it_shall() {
    within_a_second(stopped_file);
}

/// How long it took until it stood still. Half a second of it is the job's own (`GRACE`).
fn stopped_file() -> Duration {
    let bytes = file(1_200_000);
    let (person, proxy, engine, id) = before(NOTHING_AHEAD, &bytes);
    opened(&engine, id);
    let begun = proxy.bytes();
    proxy.set(Line { rate: Some(400_000), ..Line::default() });
    let part = Piece::Part(path("2"));
    let state = |engine: &Engine| view(engine, id).pieces.into_iter().find(|(p, _)| *p == part).map(|(_, state)| state);
    engine.perform(Request::FetchPart { message: id, piece: part.clone() }).unwrap();
    let half = |_: &postrider::engine::api::News| match state(&engine) {
        Some(PieceState::Coming { done, .. }) if done > 300_000 => Some(()),
        _ => None,
    };
    until(&engine, "a part of it", half);
    proxy.end_all(End::Reset);
    // A new line goes on with it by itself. Then the person has enough of it.
    until(&engine, "more of it", |_| match state(&engine) {
        Some(PieceState::Coming { done, .. }) if done > 600_000 => Some(()),
        _ => None,
    });
    let running = until(&engine, "the job", |_| job(&engine).filter(|job| job.state == JobState::Running));
    assert!(running.what.as_str().contains("plan.pdf") && running.total > 1_100_000, "{running:?}");
    let stopped = Instant::now();
    engine.perform(Request::StopJob(running.id)).unwrap();
    until(&engine, "the stop", |_| matches!(state(&engine), Some(PieceState::Failed(_))).then_some(()));
    let took = stopped.elapsed();
    proxy.set(Line::default());
    let folder = person.dir.path().to_owned();
    let save = Request::SavePart { message: id, part: path("2"), folder, name: "plan.pdf".into(), to_open: false };
    let saved = engine.perform(save).unwrap();
    assert_eq!(std::fs::read(saved.path.unwrap()).unwrap(), bytes);
    let came = proxy.bytes().0 + proxy.bytes().1 - begun.0 - begun.1;
    eprintln!("a file of {} octets, broken off and stopped on its way: {came} octets", bytes.len());
    assert!(came < 1_600_000, "nothing came twice but what the reset cut off: {came}");
    took
}

/// A text that somebody wants to read does not wait for a file.
#[test]
fn a_text_goes_before_a_file() {
    quick(1, 3, Duration::from_secs(3), text_before_a_file);
}

/// How long the text took; the file takes seven seconds.
fn text_before_a_file() -> Duration {
    let mut person = Person::new(user());
    person.more = NOTHING_AHEAD.into();
    put(&person, &file(2_000_000));
    crate::person::put(&mut person.other(), "INBOX", "short");
    let proxy = Proxy::start(host().imaps, Line::default());
    person.imap = proxy.port;
    let engine = person.start();
    live(&engine);
    sees(&engine, "INBOX", &["plan", "short"]);
    let (id, short) = (key(&engine, "INBOX", "plan"), key(&engine, "INBOX", "short"));
    opened(&engine, id);
    proxy.set(Line { rate: Some(300_000), ..Line::default() });
    engine.perform(Request::FetchPart { message: id, piece: Piece::Part(path("2")) }).unwrap();
    until(&engine, "its beginning", |_| {
        view(&engine, id).pieces.iter().any(|(_, s)| matches!(s, PieceState::Coming { done, .. } if *done > 0)).then_some(())
    });
    let begun = Instant::now();
    opened(&engine, short);
    let took = begun.elapsed();
    // Else the file was there first.
    if view(&engine, id).pieces.is_empty() { Duration::MAX } else { took }
}

fn bodies(engine: &Engine, mailbox: &str) -> Vec<String> {
    let here = crate::person::rows(engine, mailbox).into_iter().filter(|row| row.cached);
    let mut all: Vec<String> = here.map(|row| row.subject).collect();
    all.sort();
    all
}

/// Many at once, and by the person's choice of mailboxes; each is what the server has.
#[test]
fn texts_come_ahead_of_need_by_choice() {
    let mut person = Person::new(user());
    person.more = "keep = { bodies = \"all\" }\noffline = { Lists = \"none\" }".into();
    let mut other = person.other();
    other.create(&MailboxPath::from_typed("Lists")).unwrap();
    let names: Vec<String> = (0..130).map(|n| format!("m{n:03}")).collect();
    names.iter().for_each(|name| crate::person::put(&mut other, "INBOX", name));
    crate::person::put(&mut other, "Lists", "list");
    let engine = person.start();
    until(&engine, "all texts", |_| (bodies(&engine, "INBOX") == names).then_some(()));
    sees(&engine, "Lists", &["list"]);
    std::thread::sleep(Duration::from_millis(500));
    assert!(bodies(&engine, "Lists").is_empty());
    let row = crate::person::rows(&engine, "INBOX").into_iter().find(|row| row.subject == "m077").unwrap();
    assert_eq!(row.preview, "Hello m077.");
    let Body::Here(message) = view(&engine, row.id).body else { panic!() };
    assert!(message.whole && String::from_utf8_lossy(&message.raw).ends_with("Hello m077.\r\n"));
    // What is not kept here is still read when it is opened.
    crate::person::put(&mut other, "Lists", "more");
    opened(&engine, key(&engine, "Lists", "list"));
    // The person's choice in the reader overrules the file, also after a restart.
    let choose = |engine: &Engine, keep| {
        let mailbox = crate::person::id(engine, "Lists").unwrap();
        engine.perform(Request::KeepOffline { mailbox, keep }).unwrap();
    };
    choose(&engine, Some(true));
    until(&engine, "the other text", |_| (bodies(&engine, "Lists") == ["list", "more"]).then_some(()));
    drop(engine);
    crate::person::put(&mut other, "Lists", "third");
    let engine = person.start();
    until(&engine, "the third text", |_| (bodies(&engine, "Lists") == ["list", "more", "third"]).then_some(()));
    let chosen =
        |engine: &Engine| crate::person::mailboxes(engine).into_iter().find(|m| m.path.as_str() == "Lists").unwrap().offline;
    assert_eq!(chosen(&engine), Some(true));
    choose(&engine, None);
    assert_eq!(chosen(&engine), None);
}

#[test]
fn a_metered_line_brings_what_is_opened_and_nothing_else() {
    let mut person = Person::new(user());
    person.more = "keep = { bodies = \"all\" }\nmetered = true".into();
    let mut other = person.other();
    crate::person::put(&mut other, "INBOX", "a");
    crate::person::put(&mut other, "INBOX", "b");
    let engine = person.start();
    sees(&engine, "INBOX", &["a", "b"]);
    opened(&engine, key(&engine, "INBOX", "a"));
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(bodies(&engine, "INBOX"), ["a"]);
}

/// Nothing more comes until it is switched back, also after a restart; every window says so.
#[test]
fn a_line_is_spared_while_the_person_says_so() {
    let mut person = Person::new(user());
    person.more = "keep = { bodies = \"all\" }".into();
    let mut other = person.other();
    crate::person::put(&mut other, "INBOX", "a");
    let engine = person.start();
    until(&engine, "the text", |_| (bodies(&engine, "INBOX") == ["a"]).then_some(()));
    engine.perform(Request::Metered(true)).unwrap();
    crate::person::put(&mut other, "INBOX", "b");
    sees(&engine, "INBOX", &["a", "b"]);
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(bodies(&engine, "INBOX"), ["a"]);
    drop(engine);
    let engine = person.start();
    until(&engine, "that it is spared", |news| (news.metered == Some(true)).then_some(()));
    crate::person::put(&mut other, "INBOX", "c");
    sees(&engine, "INBOX", &["a", "b", "c"]);
    // What is opened still comes, and nothing came before it.
    opened(&engine, key(&engine, "INBOX", "c"));
    assert_eq!(bodies(&engine, "INBOX"), ["a", "c"]);
    engine.perform(Request::Metered(false)).unwrap();
    until(&engine, "the other text", |_| (bodies(&engine, "INBOX") == ["a", "b", "c"]).then_some(()));
}
