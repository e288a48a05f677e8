//! forward — a mail is sent on whose files are on the server only: it is written and sent without a line, and goes out whole, once.
//! Start reading at: `a_forward_without_a_line_goes_out_when_its_files_came`.

use crate::asked::{cut_off, jobs, waiting};
use crate::mailhost::proxy::Line;
use crate::parts::{file, opened, path, view};
use crate::person::{key, settled, subjects, there, until};
use postrider::engine::Engine;
use postrider::engine::api::{Done, OutboxRow, OutboxState, Query, Request, Rows};
use postrider::mail::address::Address;
use postrider::mail::draft::{About, Draft};
use postrider::mail::ids::{AccountName, DraftId, PlacementKey};

fn outbox(engine: &Engine) -> Option<OutboxRow> {
    let Ok(Rows::Outbox(rows)) = engine.ask(&Query::Outbox) else { panic!() };
    rows.into_iter().next()
}

fn attach(engine: &Engine, id: PlacementKey) -> Done {
    engine.perform(Request::AttachParts { message: id, parts: vec![path("2")] }).unwrap()
}

fn forward(to: &str, id: PlacementKey, files: &Done) -> Draft {
    let me = Address::new("", to);
    let (about, attachments) = (Some(About::Forward(id)), files.attachments.clone());
    Draft {
        from: me.clone(),
        to: vec![me],
        subject: "fwd".into(),
        body: "See below.\n".into(),
        about,
        attachments,
        ..Draft::default()
    }
}

fn send(engine: &Engine, id: Option<DraftId>, draft: &Draft) -> Done {
    let (account, draft) = (AccountName::new("me"), Box::new(draft.clone()));
    engine.perform(Request::Send { id, account, draft, hold: 0 }).unwrap()
}

fn state(engine: &Engine) -> Option<(OutboxState, String)> {
    outbox(engine).map(|row| (row.state, row.fault.to_string()))
}

#[test]
fn a_forward_without_a_line_goes_out_when_its_files_came() {
    let bytes = file(700_000);
    let (person, proxy, engine, id) = cut_off(&bytes);
    let files = attach(&engine, id);
    let [one] = files.attachments.as_slice() else { panic!("{files:?}") };
    assert!(one.name == "plan.pdf" && one.away.is_some() && (690_000..710_000).contains(&one.size), "{one:?}");
    assert!(waiting(&engine).is_some_and(|job| job.what.as_str() == "fetching plan.pdf"));
    let sent = send(&engine, None, &forward(&person.name, id, &files));
    assert!(sent.later);
    assert_eq!(state(&engine), Some((OutboxState::Awaiting, String::new())));
    // After a restart it waits still. What the person stops is said, and asked for again.
    drop(engine);
    let engine = person.start();
    assert_eq!(state(&engine), Some((OutboxState::Awaiting, String::new())));
    let job = until(&engine, "what waits", |_| waiting(&engine));
    engine.perform(Request::StopJob(job.id)).unwrap();
    until(&engine, "that it was stopped", |_| state(&engine).filter(|(_, why)| why.contains("plan.pdf could not be had")));
    engine.perform(Request::OutboxRetry(outbox(&engine).unwrap().id)).unwrap();
    until(&engine, "what waits", |_| waiting(&engine));
    assert_eq!(state(&engine), Some((OutboxState::Awaiting, String::new())));
    // Taken back it is a draft with its file, and is sent again.
    let draft = engine.perform(Request::OutboxCancel(outbox(&engine).unwrap().id)).unwrap().draft.unwrap();
    let Ok(Rows::Draft(saved)) = engine.ask(&Query::Draft(draft)) else { panic!() };
    assert_eq!((saved.draft.attachments.clone(), outbox(&engine)), (files.attachments, None));
    assert!(send(&engine, Some(draft), &saved.draft).later);
    drop(engine);
    proxy.set(Line::default());
    let engine = person.start();
    until(&engine, "the mail", |_| (subjects(&engine, "INBOX") == ["fwd", "plan"]).then_some(()));
    until(&engine, "an empty outbox", |_| (outbox(&engine).is_none() && jobs(&engine).is_empty()).then_some(()));
    // What came is what was sent on.
    let came = key(&engine, "INBOX", "fwd");
    opened(&engine, came);
    let folder = person.dir.path().to_owned();
    let save = Request::SavePart { message: came, part: path("2"), folder, name: "came.pdf".into(), to_open: false };
    let saved = engine.perform(save).unwrap();
    assert_eq!(std::fs::read(saved.path.unwrap()).unwrap(), bytes);
    settled(&engine);
    let mut all = there(&mut person.other(), "INBOX");
    all.sort();
    assert_eq!(all, ["fwd", "plan $Forwarded"], "once, and what was sent on is marked");
}

/// The file comes while one still writes: the draft has it, nothing waits, and it goes as any other.
#[test]
fn a_file_that_comes_while_one_writes_is_attached() {
    let bytes = file(300_000);
    let (person, proxy, engine, id) = cut_off(&bytes);
    let files = attach(&engine, id);
    let draft = forward(&person.name, id, &files);
    let account = AccountName::new("me");
    let request = Request::SaveDraft { id: None, account, draft: Box::new(draft) };
    let number = engine.perform(request).unwrap().draft.unwrap();
    proxy.set(Line::default());
    engine.perform(Request::Refresh { account: None }).unwrap();
    until(&engine, "its file", |news| news.spooled.contains(&files.attachments[0].spool).then_some(()));
    let Ok(Rows::Draft(saved)) = engine.ask(&Query::Draft(number)) else { panic!() };
    assert!(saved.draft.attachments[0].away.is_none());
    // The composer may not have heard of it yet: what counts is whether it is here.
    let sent = send(&engine, Some(number), &forward(&person.name, id, &files));
    assert!(!sent.later);
    until(&engine, "the mail", |_| (subjects(&engine, "INBOX") == ["fwd", "plan"]).then_some(()));
    assert!(view(&engine, key(&engine, "INBOX", "fwd")).row.size > 400_000);
}
