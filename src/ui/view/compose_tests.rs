//! compose_tests — writing a mail key by key, on the cardboard engine: what is seen, what is asked of the engine.
//! Owns: nothing. May import: ui.
//! Start reading at: `a_reply_is_written_saved_and_sent`.

use super::stage::{NOW, Stage};
use super::tests::each_size;
use crate::app::compose::attach::Entry;
use crate::app::msg::{Effect, Msg};
use crate::app::screen::Screen;
use crate::engine::api::{Changes, DraftRow, Fault, Kind, News, Request, SavedDraft};
use crate::mail::address::Address;
use crate::mail::draft::{Away, Draft, DraftAttachment};
use crate::mail::ids::{AccountName, DraftId, OpId, OutboxId};
use crate::mail::intent::Target;
use crate::mail::mailbox::MailboxPath;
use std::time::Duration;

const PAUSE: Duration = Duration::from_secs(1);

fn stage() -> Stage {
    Stage::new(120, 40)
}

fn file(name: &str) -> DraftAttachment {
    DraftAttachment {
        spool: "s1".to_owned(),
        name: name.to_owned(),
        mime: "application/pdf".to_owned(),
        size: 88_000,
        away: None,
    }
}

fn saves(stage: &Stage) -> Vec<&Draft> {
    let all = stage.requests.iter();
    all.filter_map(|r| if let Request::SaveDraft { draft, .. } = r { Some(&**draft) } else { None }).collect()
}

fn sends(stage: &Stage) -> Vec<&Draft> {
    let all = stage.requests.iter();
    all.filter_map(|r| if let Request::Send { draft, .. } = r { Some(&**draft) } else { None }).collect()
}

#[test]
fn what_opens_by_itself_stays_behind_the_mail_that_is_being_written() {
    let mut s = stage();
    s.press("c");
    let open = s.app.open_mailbox().unwrap().id;
    // Another client deletes the mailbox in the list.
    s.boxes.retain(|b| b.id != open);
    s.news(News { changes: Changes { mailboxes: true, ..Changes::default() }, ..News::default() });
    assert!(s.app.open_mailbox().is_some_and(|m| m.id != open), "another one is opened");
    assert_eq!(*s.app.screen(), Screen::Compose, "behind what is written");
}

#[test]
fn screens_of_writing() {
    each_size("compose-new", |s| s.press("c"));
    each_size("compose-reply", |s| {
        s.press("r \"Yes,");
        s.wait(PAUSE);
    });
    each_size("compose-names", |s| s.press("c \"ca"));
    each_size("compose-attach", |s| {
        s.press("a C-a");
        let entry = |name: &str, folder| Entry { name: name.to_owned(), folder, size: 88_000 };
        let entries = vec![entry("plans", true), entry("q3-final.xlsx", false), entry("佐藤.pdf", false), entry(".ssh", true)];
        s.msg(Msg::Listed("~/".to_owned(), entries));
        s.press("Down");
    });
    each_size("compose-doubt", |s| {
        s.press("r \"It Space \"is Space \"attached. C-s");
    });
    each_size("compose-files", |s| {
        s.attachments = vec![file("q3-final.xlsx"), file("résumé des débats.pdf")];
        s.press("f C-a \"x Enter Tab Tab Tab Tab Tab");
    });
    each_size("compose-sent", |s| s.press("r \"Yes. C-s"));
    each_size("compose-discarded", |s| s.press("r \"Yes. C-q"));
    each_size("compose-help", |s| s.press("c F1"));
}

#[test]
fn a_reply_is_written_saved_and_sent() {
    let mut s = stage();
    s.press("r");
    assert_eq!(*s.app.screen(), Screen::Compose);
    assert!(saves(&s).is_empty(), "nothing was written yet");
    s.press("\"Yes, Space \"we \"can.");
    s.wait(PAUSE / 2);
    assert!(saves(&s).is_empty(), "no pause yet");
    s.wait(PAUSE);
    assert_eq!(saves(&s).len(), 1);
    assert!(saves(&s)[0].body.starts_with("Yes, wecan.\n\nAnn Berger wrote on Fri 20 Nov"), "{}", saves(&s)[0].body);
    assert_eq!(s.app.deadline(), None, "no timer while nothing is unsaved");
    s.press("C-s");
    let sent = sends(&s);
    assert_eq!(sent.len(), 1);
    assert_eq!(
        (sent[0].subject.as_str(), sent[0].to[0].addr.as_str()),
        ("Re: Quarterly figures, second draft", "ann.berger@example.org")
    );
    assert!(sent[0].body.contains("\n> Hi all,\n"));
    assert!(matches!(
        s.requests.iter().find(|r| matches!(r, Request::Send { .. })),
        Some(Request::Send { id: Some(DraftId(7)), hold: 10, .. })
    ));
    assert_eq!((*s.app.screen(), s.app.desk().count()), (Screen::Mail, 0));
    s.press("u");
    assert_eq!(s.requests.last(), Some(&Request::OutboxCancel(OutboxId(3))), "undo takes the mail back first");
}

#[test]
fn what_is_typed_without_a_pause_is_saved_too() {
    let mut s = stage();
    s.press("r");
    for _ in 0..30 {
        s.press("\"x");
        s.wait(PAUSE / 2);
    }
    assert_eq!(saves(&s).len(), 1, "after ten seconds");
}

#[test]
fn a_save_that_fails_is_tried_again_and_said() {
    let mut s = stage();
    s.fail = Some(Fault::new(Kind::Disk, "the disk is full"));
    s.press("r \"x");
    s.wait(PAUSE);
    assert!(s.text().contains("the disk is full"), "{}", s.text());
    assert!(!s.app.all_saved());
    s.fail = None;
    s.wait(Duration::from_secs(11));
    assert_eq!(saves(&s).len(), 2);
    assert!(s.app.all_saved());
}

#[test]
fn leaving_keeps_the_draft_and_a_failure_brings_it_back() {
    let mut s = stage();
    s.press("r \"x Esc");
    assert_eq!((*s.app.screen(), saves(&s).len()), (Screen::Mail, 1));
    s.fail = Some(Fault::new(Kind::Disk, "the disk is full"));
    s.press("r \"y Esc");
    assert_eq!(*s.app.screen(), Screen::Compose, "nothing is lost: the mail is on the screen again");
    s.press("C-o");
    assert_eq!((*s.app.screen(), s.app.desk().count()), (Screen::Mail, 1));
    s.press("g w");
    assert_eq!(*s.app.screen(), Screen::Compose);
}

fn filed(stage: &Stage) -> usize {
    stage.requests.iter().filter(|r| matches!(r, Request::FileDraft(_))).count()
}

#[test]
fn a_draft_goes_to_the_server_when_its_composer_is_left() {
    let mut s = stage();
    s.press("r \"x");
    s.wait(PAUSE);
    assert_eq!((saves(&s).len(), filed(&s)), (1, 0), "a pause saves it here only");
    s.press("Esc");
    assert_eq!((saves(&s).len(), filed(&s)), (1, 1));
    s.press("r \"y Esc");
    assert_eq!((saves(&s).len(), filed(&s)), (2, 2), "as soon as it is saved");
}

#[test]
fn the_end_saves_what_is_being_written() {
    let mut s = stage();
    s.press("r \"x");
    s.leave();
    assert_eq!((saves(&s).len(), filed(&s)), (1, 1));
    assert!(s.app.all_saved());
}

#[test]
fn what_cannot_be_saved_at_the_end_is_given_back_as_text() {
    let mut s = stage();
    s.fail = Some(Fault::new(Kind::Disk, "the disk is full"));
    s.press("r \"Dear Space \"Ann");
    s.leave();
    let lost = s.app.unsaved();
    assert!(lost.len() == 1 && lost[0].text.contains("Dear Ann") && lost[0].text.starts_with("From: "), "{lost:?}");
}

#[test]
fn an_untouched_mail_leaves_nothing_behind() {
    let mut s = stage();
    s.press("c Esc r Esc c C-q");
    assert_eq!(s.app.desk().count(), 0);
    assert!(s.requests.iter().all(|r| !matches!(r, Request::SaveDraft { .. } | Request::DiscardDraft(_))));
}

#[test]
fn thrown_away_comes_back_for_a_while() {
    let mut s = stage();
    s.press("r \"x");
    s.wait(PAUSE);
    s.press("C-q u");
    assert_eq!(*s.app.screen(), Screen::Compose);
    assert_eq!(s.app.desk().front().unwrap().draft().body.lines().next(), Some("x"));
    s.press("C-q");
    s.wait(Duration::from_secs(9));
    assert!(!s.requests.contains(&Request::DiscardDraft(DraftId(7))));
    s.wait(Duration::from_secs(2));
    assert_eq!(s.requests.last(), Some(&Request::DiscardDraft(DraftId(7))));
    assert_eq!(s.app.deadline(), None);
}

#[test]
fn what_is_wrong_stops_it_and_what_is_doubtful_asks_once() {
    let mut s = stage();
    s.press("c C-s");
    assert!(s.text().contains("Nobody is named"));
    s.press("\"ann C-s");
    assert!(sends(&s).is_empty() && s.text().contains("is not an address"), "{}", s.text());
    s.press("\"@x.example Tab Tab Tab \"Hello C-s");
    assert!(sends(&s).is_empty() && s.text().contains("There is no subject. Send anyway?"), "{}", s.text());
    s.press("C-s");
    assert_eq!(sends(&s).len(), 1);
}

#[test]
fn names_are_completed_and_each_person_once() {
    let mut s = stage();
    s.press("c \"ca");
    assert_eq!(s.app.desk().front().unwrap().completion().unwrap().people.len(), 2);
    s.press("Down Enter");
    let compose = s.app.desk().front().unwrap();
    assert_eq!(compose.draft().to, [Address::new("Castor, Inc.", "castor@example.net")]);
    assert_eq!(compose.editor(crate::app::compose::Field::To).unwrap().text(), "\"Castor, Inc.\" <castor@example.net>, ");
    s.press("\"ca");
    assert_eq!(s.app.desk().front().unwrap().completion().unwrap().people.len(), 1, "nobody is offered twice");
    s.press("Esc");
    assert_eq!(*s.app.screen(), Screen::Compose, "the first Esc only closes the list");
    s.press("Backspace Backspace \"dora@x.example Enter");
    let draft = s.app.desk().front().unwrap().draft();
    assert_eq!(draft.to[1].addr, "dora@x.example", "what is written out is not replaced");
    assert_eq!(s.app.desk().front().unwrap().field(), crate::app::compose::Field::Cc);
}

#[test]
fn files_are_attached_and_taken_off() {
    let mut s = stage();
    s.attachments = vec![file("plan.pdf")];
    s.press("c C-a");
    assert!(s.outside.iter().any(|e| *e == Effect::ListFolder("~/".to_owned())));
    s.press("\"none.pdf Enter");
    assert!(s.requests.iter().any(|r| matches!(r, Request::Attach { path } if path.ends_with("none.pdf"))));
    assert_eq!(s.app.desk().front().unwrap().attachments().len(), 1);
    s.press("BackTab BackTab Delete");
    assert!(s.app.desk().front().unwrap().attachments().is_empty());
    s.fail = Some(Fault::new(Kind::Missing, "none.pdf cannot be attached"));
    s.press("C-a \"none.pdf Enter");
    assert!(!s.app.desk().front().unwrap().copying(), "a file that cannot be had does not block sending");
}

#[test]
fn a_forward_takes_the_attachments_along() {
    let mut s = stage();
    s.attachments = vec![file("notes.pdf")];
    s.press("f");
    let compose = s.app.desk().front().unwrap();
    assert!(matches!(&s.requests[..], [.., Request::AttachParts { parts, .. }] if parts.len() == 1), "{:?}", s.requests);
    assert_eq!(compose.attachments(), [file("notes.pdf")]);
    assert_eq!(compose.draft().subject, "Fwd: Quarterly figures, second draft");
}

/// In the train: what is on the server only goes along all the same, and the mail goes when it is here.
#[test]
fn a_forward_takes_along_what_is_not_here_yet() {
    let mut s = stage();
    let target = Target::ResultOf { op: OpId(1), index: 0 };
    let (account, mailbox) = (AccountName::new("work"), MailboxPath::inbox());
    let away = Some(Away { account, mailbox, target, section: "2".to_owned() });
    s.attachments = vec![DraftAttachment { away, ..file("notes.pdf") }];
    s.press("f \"ann@example.org");
    let shown = s.text();
    assert!(shown.contains("notes.pdf  88 kB · not here yet") && shown.contains("the mail goes when all is here"), "{shown}");
    s.news(News { spooled: ["other".to_owned()].into(), ..News::default() });
    assert_eq!(s.app.desk().front().unwrap().away(), 1);
    s.later = true;
    s.press("C-s");
    assert!(s.text().contains("as soon as its files are here"), "{}", s.text());
    s.press("f");
    s.news(News { spooled: ["s1".to_owned()].into(), ..News::default() });
    assert_eq!((s.app.desk().front().unwrap().away(), s.text().contains("not here yet")), (0, false));
    // Without its text it is no forward.
    s.press("Esc");
    s.bodies = false;
    s.press("f \"ann@example.org");
    s.requests.clear();
    s.press("C-s");
    assert!(!s.requests.iter().any(|r| matches!(r, Request::Send { .. })) && s.text().contains("is not here yet"));
}

#[test]
fn an_answer_opens_without_its_text_and_is_quoted_when_that_comes() {
    let mut s = stage();
    s.bodies = false;
    s.press("r");
    assert_eq!(*s.app.screen(), Screen::Compose);
    assert!(s.requests.iter().any(|r| matches!(r, Request::FetchBody(_))));
    s.press("\"Mine.");
    s.bodies = true;
    s.touched();
    let body = s.app.desk().front().unwrap().draft().body;
    assert!(body.starts_with("Mine.") && body.contains("> Hi all,"), "{body}");
}

#[test]
fn drafts_of_a_run_that_was_killed_come_up_by_themselves() {
    let mut s = stage();
    let draft = Draft {
        to: vec![Address::new("Ann", "ann@example.org")],
        subject: "Half".to_owned(),
        body: "half a".to_owned(),
        ..Draft::default()
    };
    let account = AccountName::new("work");
    s.drafts = vec![SavedDraft { id: DraftId(4), account: account.clone(), draft, saved: NOW - 60 }];
    s.restart();
    assert!(s.text().contains("There is an unfinished mail: Half, to"), "{}", s.text());
    s.press("g w");
    assert_eq!(s.app.desk().front().unwrap().draft().body, "half a");
    s.press("\"X");
    s.wait(PAUSE);
    assert!(s.requests.iter().any(|r| matches!(r, Request::SaveDraft { id: Some(DraftId(4)), .. })), "it is the same draft");
    let row = DraftRow { id: DraftId(4), account, to: "Ann".to_owned(), subject: "Half".to_owned(), saved: NOW, copy: None };
    assert!(s.app.desk().resting().iter().all(|r| r.id != row.id), "an open draft is offered once");
}

#[test]
fn another_editor_and_another_name() {
    let mut s = Stage::with(
        "[account.work]\naddress = \"dana@example.org\"\nname = \"Dana\"\nimap = { host = \"imap.example.org\" }\n\
         [[account.work.identity]]\naddress = \"sales@example.org\"\nname = \"Sales\"\n",
        120,
        40,
    );
    s.press("r \"a C-e");
    let Some(Effect::Edit(key, text)) = s.outside.iter().find(|e| matches!(e, Effect::Edit(..))).cloned() else {
        panic!("no editor")
    };
    assert!(text.starts_with('a'));
    s.msg(Msg::Edited(key, Ok(format!("b\n{text}"))));
    assert!(s.app.desk().front().unwrap().draft().body.starts_with("b\na"));
    s.press("C-z");
    assert!(s.app.desk().front().unwrap().draft().body.starts_with("a"), "one step of undo");
    s.msg(Msg::Edited(key, Err("vi ended with an error".to_owned())));
    assert!(s.text().contains("vi ended with an error"));
    s.press("C-f");
    assert_eq!(s.app.desk().front().unwrap().draft().from, Address::new("Sales", "sales@example.org"));
}

#[test]
fn a_link_opens_a_mail_and_attaches_nothing() {
    let mut s = stage();
    let compose = vec!["mailto:ann@x.example?subject=Hi&body=Text&attach=/etc/passwd".to_owned()];
    s.news(crate::engine::api::News { compose, ..Default::default() });
    let draft = s.app.desk().front().unwrap().draft();
    assert_eq!((draft.subject.as_str(), draft.to.len(), draft.attachments.len()), ("Hi", 1, 0));
    assert!(s.text().contains("attach"), "{}", s.text());
}

#[test]
fn pasted_lines_become_text_or_people() {
    let mut s = stage();
    s.press("c");
    s.msg(Msg::Paste("Ann <ann@x.example>\nbob@x.example\r\n".to_owned()));
    assert_eq!(s.app.desk().front().unwrap().draft().to.len(), 2);
    s.press("Tab Tab Tab");
    let many: String = (0..200).map(|n| format!("line {n} 日本語 \u{1b}[31m\r\n")).collect();
    s.msg(Msg::Paste(many));
    let body = s.app.desk().front().unwrap().draft().body;
    assert_eq!(body.lines().filter(|l| l.starts_with("line ")).count(), 200);
    assert!(!body.contains('\u{1b}'));
    s.press("C-z");
    assert_eq!(s.app.desk().front().unwrap().draft().body.lines().filter(|l| l.starts_with("line ")).count(), 0);
}
