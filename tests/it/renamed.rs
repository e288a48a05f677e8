//! renamed — another client renames a mailbox, or the person does: its mail stays here, and what was wished and chosen holds.
//! Start reading at: `what_another_client_renamed_stays_what_it_was`.

use crate::mailhost::user;
use crate::person::{Person, agree, agree_on, flag, id, in_step, key, mailboxes, put, rows, sees, settled, subjects, until};
use postrider::engine::api::{MailboxAct, Request};
use postrider::engine::{Engine, Setup};
use postrider::mail::flags::Flag;
use postrider::mail::mailbox::MailboxPath;
use postrider::net::imap::ImapStore;
use postrider::net::session::MailStore;

fn path(name: &str) -> MailboxPath {
    MailboxPath::from_typed(name)
}

/// A person of whose mail nothing is kept but what was chosen, with a mailbox of two.
fn person() -> Person {
    let person = Person { more: "keep = { bodies = \"none\" }".into(), ..Person::new(user()) };
    let mut other = person.other();
    other.create(&path("Lists")).unwrap();
    put(&mut other, "INBOX", "a");
    put(&mut other, "Lists", "b");
    put(&mut other, "Lists", "c");
    person
}

fn choose(engine: &Engine, name: &str) {
    engine.perform(Request::KeepOffline { mailbox: id(engine, name).unwrap(), keep: Some(true) }).unwrap();
}

fn chosen(engine: &Engine) -> Vec<String> {
    let kept = mailboxes(engine).into_iter().filter(|row| row.offline == Some(true));
    kept.map(|row| row.path.as_str().to_owned()).collect()
}

/// Waits until the texts of all that lies there are here.
fn all_here(engine: &Engine, name: &str, count: usize) {
    until(engine, "the texts", |_| {
        let all = rows(engine, name);
        (all.len() == count && all.iter().all(|row| row.cached)).then_some(())
    });
}

/// A person, another client of theirs, and the reader, in which `Lists` was chosen to be kept and is all here.
fn chosen_before() -> (Person, ImapStore, Engine) {
    let person = person();
    let other = person.other();
    let engine = person.start();
    sees(&engine, "Lists", &["b", "c"]);
    choose(&engine, "Lists");
    all_here(&engine, "Lists", 2);
    (person, other, engine)
}

#[test]
fn what_another_client_renamed_stays_what_it_was() {
    let (person, mut other, engine) = chosen_before();
    let (lists, b) = (id(&engine, "Lists").unwrap(), key(&engine, "Lists", "b"));
    drop(engine);
    // While nobody looks; and its name is another one's at once.
    other.rename(&path("Lists"), &path("Crates")).unwrap();
    other.create(&path("Lists")).unwrap();
    put(&mut other, "Lists", "d");
    let engine = person.start();
    // What is wished before the first look is wished of the same message.
    flag(&engine, b, Flag::Flagged);
    sees(&engine, "Lists", &["d"]);
    sees(&engine, "Crates", &["b", "c"]);
    assert_eq!((id(&engine, "Crates"), key(&engine, "Crates", "b"), chosen(&engine)), (Some(lists), b, vec!["Crates".into()]));
    all_here(&engine, "Crates", 2);
    settled(&engine);
    // While the person looks on; and what comes is kept as was chosen.
    other.rename(&path("Crates"), &path("Rust")).unwrap();
    put(&mut other, "Rust", "e");
    sees(&engine, "Rust", &["b", "c", "e"]);
    all_here(&engine, "Rust", 3);
    assert_eq!((id(&engine, "Rust"), chosen(&engine)), (Some(lists), vec!["Rust".into()]));
    assert!(!rows(&engine, "Lists")[0].cached, "of the new one nothing was chosen");
    agree(&engine, &mut other);
}

#[test]
fn what_the_person_renames_stays_what_it_was() {
    let (_person, mut other, engine) = chosen_before();
    let mailbox = id(&engine, "Lists").unwrap();
    engine.perform(Request::Mailbox(MailboxAct::Rename { mailbox, to: path("Crates") })).unwrap();
    assert_eq!((subjects(&engine, "Crates"), chosen(&engine)), (vec!["b".into(), "c".into()], vec!["Crates".into()]));
    settled(&engine);
    put(&mut other, "Crates", "d");
    sees(&engine, "Crates", &["b", "c", "d"]);
    all_here(&engine, "Crates", 3);
    assert_eq!(id(&engine, "Crates"), Some(mailbox));
    agree(&engine, &mut other);
}

/// What was to go into a mailbox goes into it whatever it is called by then, and not into what has its name: with MOVE and without, and
/// where an answer says nothing of where it went.
#[test]
fn what_goes_into_a_renamed_mailbox_gets_there() {
    for without in ["", "without = [\"MOVE\"]", "without = [\"MOVE\", \"UIDPLUS\"]"] {
        let mut person = person();
        person.more.push_str(&format!("\n{without}"));
        let mut other = person.other();
        put(&mut other, "INBOX", "e");
        let engine = person.start();
        sees(&engine, "INBOX", &["a", "e"]);
        sees(&engine, "Lists", &["b", "c"]);
        in_step(&engine);
        let lists = id(&engine, "Lists").unwrap();
        let to_lists = |engine: &Engine, subject: &str| {
            let target = key(engine, "INBOX", subject);
            engine.perform(Request::Move { targets: vec![target], to: lists }).unwrap();
        };
        let replace = |other: &mut ImapStore, from: &str, to: &str, with: &str| {
            other.rename(&path(from), &path(to)).unwrap();
            other.create(&path(from)).unwrap();
            put(other, from, with);
        };
        drop(engine);
        // Without a line.
        let engine = Engine::start(&Setup { offline: true, ..person.setup() }).unwrap();
        to_lists(&engine, "a");
        drop(engine);
        replace(&mut other, "Lists", "Crates", "d");
        let engine = person.start();
        sees(&engine, "Crates", &["a", "b", "c"]);
        sees(&engine, "Lists", &["d"]);
        settled(&engine);
        // While the person looks on, and has or has not heard of it.
        replace(&mut other, "Crates", "Rust", "f");
        to_lists(&engine, "e");
        sees(&engine, "Rust", &["a", "b", "c", "e"]);
        sees(&engine, "Crates", &["f"]);
        assert_eq!(id(&engine, "Rust"), Some(lists), "{without}");
        agree_on(&engine, &mut other, |row| !row.contains("\\Deleted"));
    }
}
