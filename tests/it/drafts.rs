//! drafts — an unfinished mail lies in Drafts on the server too, once, and goes on at another machine.
//! Start reading at: `a_draft_goes_on_at_another_machine`.

use crate::mailhost::{bare_user, user};
use crate::person::{Person, id, key, live, rows, sees, settled, subjects, there, until};
use postrider::engine::Engine;
use postrider::engine::api::{Body, Kind, Query, Request, Rows, SavedDraft};
use postrider::mail::address::Address;
use postrider::mail::draft::{Draft, Original};
use postrider::mail::identity::Identity;
use postrider::mail::ids::{AccountName, DraftId};

fn account() -> AccountName {
    AccountName::new("me")
}

fn draft(person: &Person, subject: &str) -> Draft {
    Draft {
        from: Address::new("", &person.name),
        to: vec![Address::new("", "half typed"), Address::new("Zoë", "zoe@example.org")],
        bcc: vec![Address::new("", "secret@example.org")],
        subject: subject.to_owned(),
        body: "Dear Zoë,\n\n日本語 and more\n".to_owned(),
        ..Draft::default()
    }
}

/// Until it is known where drafts lie nothing of them is in the journal: they wait here.
fn listed(engine: &Engine) {
    until(engine, "the list", |_| id(engine, "Drafts"));
}

/// Saves, as the composer does at a pause, and leaves it.
fn leave(engine: &Engine, id: Option<DraftId>, draft: &Draft) -> DraftId {
    let save = Request::SaveDraft { id, account: account(), draft: Box::new(draft.clone()) };
    let id = engine.perform(save).unwrap().draft.unwrap();
    engine.perform(Request::FileDraft(id)).unwrap();
    id
}

fn drafts(engine: &Engine) -> Vec<SavedDraft> {
    let Ok(Rows::Drafts(rows)) = engine.ask(&Query::Drafts) else { panic!() };
    let one = |id| match engine.ask(&Query::Draft(id)) {
        Ok(Rows::Draft(saved)) => Some(*saved),
        // It may go between the two questions.
        Err(fault) if fault.kind == Kind::Missing => None,
        other => panic!("{other:?}"),
    };
    rows.into_iter().filter_map(|row| one(row.id)).collect()
}

/// What the composer begins with when a message in Drafts is opened.
fn opened(engine: &Engine, subject: &str) -> Draft {
    let message = key(engine, "Drafts", subject);
    engine.perform(Request::FetchBody(message)).unwrap();
    until(engine, "the draft's text", |_| {
        let Ok(Rows::Message(view)) = engine.ask(&Query::Message(message)) else { panic!() };
        let Body::Here(body) = &view.body else { return None };
        let text = postrider::mail::render::plain(body);
        let original = Original {
            id: Some(message),
            envelope: &body.envelope,
            text: &text,
            when: "",
            followup_to: &[],
            list_post: None,
            attachments: &[],
        };
        Some(Draft::go_on(&original, &Identity::default()))
    })
}

fn goes_on(name: String) {
    let person = Person::new(name.clone());
    let mut other = person.other();
    let engine = person.start();
    listed(&engine);
    let mine = draft(&person, "one");
    let first = leave(&engine, None, &mine);
    settled(&engine);
    assert_eq!(there(&mut other, "Drafts"), ["one \\Seen \\Draft"]);
    // Left again unchanged: nothing is told to the server.
    engine.perform(Request::FileDraft(first)).unwrap();
    assert!(matches!(engine.ask(&Query::Queue), Ok(Rows::Queue(rows)) if rows.is_empty()));
    leave(&engine, Some(first), &Draft { subject: "two".to_owned(), ..mine.clone() });
    settled(&engine);
    assert_eq!(there(&mut other, "Drafts"), ["two \\Seen \\Draft"]);
    // At another machine it is as it was typed.
    let elsewhere = Person::new(name);
    let far = elsewhere.start();
    sees(&far, "Drafts", &["two"]);
    let found = opened(&far, "two");
    assert_eq!((&found.to, &found.bcc, found.body.trim_end()), (&mine.to, &mine.bcc, mine.body.trim_end()));
    let second = leave(&far, None, &Draft { subject: "three".to_owned(), ..found });
    settled(&far);
    assert_eq!(there(&mut other, "Drafts"), ["three \\Seen \\Draft"]);
    // Back at the first: the draft that was replaced there is none of ours any more.
    engine.perform(Request::Refresh { account: None }).unwrap();
    sees(&engine, "Drafts", &["three"]);
    drop(engine);
    let engine = person.start();
    until(&engine, "the end of the replaced draft", |_| drafts(&engine).is_empty().then_some(()));
    // Thrown away: everywhere.
    far.perform(Request::DiscardDraft(second)).unwrap();
    settled(&far);
    assert!(there(&mut other, "Drafts").is_empty());
}

#[test]
fn a_draft_goes_on_at_another_machine() {
    goes_on(user());
}

#[test]
fn what_is_written_offline_is_filed_once_and_a_sent_draft_goes() {
    let person = Person::new(user());
    let mut other = person.other();
    let engine = person.start();
    listed(&engine);
    let mine = draft(&person, "one");
    let id = leave(&engine, None, &mine);
    settled(&engine);
    drop(engine);
    // No line: left three times, and the last words alone go to the server.
    let offline = Person { imap: 1, ..person };
    let engine = offline.start();
    for subject in ["two", "three", "four"] {
        leave(&engine, Some(id), &Draft { subject: subject.to_owned(), ..mine.clone() });
    }
    let Ok(Rows::Queue(queue)) = engine.ask(&Query::Queue) else { panic!() };
    assert_eq!(queue.len(), 2, "one append, one removal: {queue:?}");
    drop(engine);
    let person = Person { imap: crate::mailhost::host().imaps, ..offline };
    let engine = person.start();
    settled(&engine);
    assert_eq!(there(&mut other, "Drafts"), ["four \\Seen \\Draft"]);
    sees(&engine, "Drafts", &["four"]);
    // Sent: the copy goes, the mail lies in Sent.
    let done = Draft { to: vec![Address::new("", &person.name)], bcc: Vec::new(), subject: "done".to_owned(), ..mine };
    engine.perform(Request::Send { id: Some(id), account: account(), draft: Box::new(done), hold: 0 }).unwrap();
    sees(&engine, "Sent", &["done"]);
    settled(&engine);
    sees(&engine, "Drafts", &[]);
    assert!(there(&mut other, "Drafts").is_empty() && drafts(&engine).is_empty());
}

#[test]
fn without_extensions_no_second_copy_is_seen() {
    let person = Person::new(bare_user());
    let engine = person.start();
    until(&engine, "the first pass", |_| id(&engine, "INBOX"));
    let mine = draft(&person, "one");
    let first = leave(&engine, None, &mine);
    until(&engine, "the copy", |_| id(&engine, "Drafts").filter(|_| !rows(&engine, "Drafts").is_empty()));
    leave(&engine, Some(first), &Draft { subject: "two".to_owned(), ..mine });
    // What cannot be removed for want of UIDPLUS is marked and hidden.
    sees(&engine, "Drafts", &["two"]);
    assert_eq!(subjects(&engine, "Drafts"), ["two"]);
}

/// Written before the account was ever connected, twice: it waits until it is known where drafts lie, and lies there once.
#[test]
fn what_is_written_before_the_first_connection_is_filed_once() {
    let person = Person::new(user());
    let mut other = person.other();
    let offline = Person { imap: 1, ..person };
    let engine = offline.start();
    let mine = draft(&offline, "one");
    let id = leave(&engine, None, &mine);
    leave(&engine, Some(id), &Draft { subject: "two".to_owned(), ..mine });
    drop(engine);
    let person = Person { imap: crate::mailhost::host().imaps, ..offline };
    let engine = person.start();
    sees(&engine, "Drafts", &["two"]);
    settled(&engine);
    assert_eq!((there(&mut other, "Drafts"), drafts(&engine).len()), (vec!["two \\Seen \\Draft".to_owned()], 1));
}

/// OVERQUOTA on APPEND: the draft stays here whole, nothing of it is on the server, and what is in the way is told.
#[test]
fn a_draft_that_does_not_fit_stays_here() {
    let person = Person::new(format!("ext{}", user()));
    let mut other = person.other();
    let engine = person.start();
    live(&engine);
    let mut large = draft(&person, "large");
    // Of 100 KiB.
    large.body = "0123456789\n".repeat(12_000);
    leave(&engine, None, &large);
    let told = until(&engine, "the refusal", |news| news.faults.iter().find(|f| f.what.as_str().contains("full")).cloned());
    assert!(told.what.as_str().contains("the account is full on the server"), "{told:?}");
    assert_eq!(drafts(&engine).iter().map(|d| d.draft.body.len()).collect::<Vec<_>>(), [large.body.len()]);
    assert!(there(&mut other, "Drafts").is_empty());
}
