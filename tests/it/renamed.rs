//! renamed — another client renames a mailbox, or the person does: its mail stays here, and what was wished and chosen holds.
//! Start reading at: `what_another_client_renamed_stays_what_it_was`.

use crate::mailhost::user;
use crate::person::{Person, agree, flag, id, key, mailboxes, put, rows, sees, settled, subjects, until};
use postrider::engine::Engine;
use postrider::engine::api::{MailboxAct, Request};
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
