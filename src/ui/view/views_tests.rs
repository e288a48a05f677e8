//! views_tests — lists that join mailboxes: all inboxes, unread, starred.
//! Owns: nothing. May import: ui.
//! Start reading at: `two_accounts`.

use super::stage::{NOW, Stage};
use super::tests::{each_size, live};
use crate::app::popup::Popup;
use crate::app::screen::chooser::Choice;
use crate::engine::api::{Connectivity, Fault, Kind, News, Request};
use crate::mail::address::Address;
use crate::mail::fixtures;
use crate::mail::flags::{Flag, Flags};
use crate::mail::ids::{AccountName, MailboxId, PlacementKey};
use crate::mail::mailbox::Role;
use crate::mail::rights::Rights;
use crate::mail::row::{MailboxRow, MessageRow, View};
use std::time::Duration;

/// A message in the inbox of the other account stands between those of the first.
fn two_accounts(stage: &mut Stage) {
    let row = MessageRow {
        account: AccountName::new("home"),
        mailbox: MailboxId(10),
        sort: (NOW - 4_000) << 24,
        received: NOW - 4_000,
        from: Address::new("Oma", "oma@example.net"),
        subject: "Kuchen am Sonntag?".to_owned(),
        preview: "Der Apfelbaum trägt".to_owned(),
        flags: Flags::new(),
        cached: true,
        thread_unread: 1,
        ..fixtures::message(50)
    };
    stage.rows.insert(1, row);
    stage.touched();
}

fn ids(stage: &Stage) -> Vec<i64> {
    stage.app.list().visible().map(|(i, ..)| i.row.id.0).collect()
}

#[test]
fn screens_of_joined_mailboxes() {
    each_size("inboxes", |s| {
        two_accounts(s);
        s.press("0 j");
    });
    each_size("unread-behind", |s| {
        two_accounts(s);
        let fault = Fault::new(Kind::Unreachable, "imap.example.net does not answer");
        let state = Connectivity::Waiting { until: NOW + 60, fault };
        s.news(News { connectivity: [(AccountName::new("home"), state)].into(), ..News::default() });
        s.press("g u");
    });
    each_size("starred-none", |s| {
        s.rows.iter_mut().for_each(|r| r.flags = Flags::new());
        s.press("g *");
    });
}

#[test]
fn actions_in_a_joined_list_act_in_each_rows_own_account() {
    let mut s = Stage::new(80, 24);
    two_accounts(&mut s);
    s.press("0");
    assert_eq!(ids(&s)[..3], [1, 50, 2]);
    assert_eq!(s.app.account().map(AccountName::as_str), Some("work"));
    s.press("j");
    assert_eq!(s.app.account().map(AccountName::as_str), Some("home"));
    s.requests.clear();
    s.press("g i");
    assert_eq!(s.requests, [Request::OpenMailbox(MailboxId(10))], "its own inbox");
    s.press("0 j Space Space e");
    let filed = Request::File { targets: vec![PlacementKey(2), PlacementKey(50)], role: Role::Archive };
    assert!(s.requests.contains(&filed), "the engine files each in its own archive: {:?}", s.requests);
}

#[test]
fn marked_messages_of_several_accounts_are_moved_each_within_its_own() {
    let mut s = Stage::new(80, 24);
    two_accounts(&mut s);
    let old = |rights| MailboxRow { rights, ..fixtures::mailbox(20, "home", "Alt", Some(Role::Archive)) };
    s.boxes.push(old(None));
    s.boxes.push(fixtures::mailbox(21, "home", "Lists/kernel", None));
    s.touched();
    let offered = |s: &Stage| {
        let Some(Popup::Mailboxes(chooser, _)) = s.app.popup() else { panic!() };
        let one = |c: &Choice<MailboxId>| (c.label.to_string(), c.note.to_string(), c.disabled.is_some());
        chooser.rows().map(|(choice, _)| one(choice)).collect::<Vec<_>>()
    };
    s.press("0 j Space Space m");
    let each = |name: &str, off| (name.to_owned(), "of each account".to_owned(), off);
    assert_eq!(offered(&s), [each("Archive", false), each("Lists/kernel", false)], "what both have");
    s.press("\"arch Enter");
    let moved = Request::Move { targets: vec![PlacementKey(2), PlacementKey(50)], to: MailboxId(4) };
    assert_eq!(s.requests.last(), Some(&moved));
    assert!(s.text().contains("moved 2 to Archive") || s.text().contains("moved 2 messages to Archive"), "{}", s.text());
    let closed = old(Some(Rights::parse("lr")));
    s.boxes.iter_mut().filter(|b| b.id == closed.id).for_each(|b| *b = closed.clone());
    s.touched();
    s.press("0 j Space Space m");
    assert!(offered(&s).contains(&("Archive".to_owned(), "last one".to_owned(), true)), "one of them may not be put into");
    // The cursor stands on the other account's message: what counts is what is marked.
    s.press("Esc Esc 0 g g Space m");
    let names: Vec<String> = offered(&s).into_iter().map(|(name, ..)| name).collect();
    assert_eq!(names, ["Archive", "INBOX", "Drafts", "Sent", "Lists", "Lists/kernel", "Lists/rust-users", "Junk", "Trash"]);
}

#[test]
fn what_was_read_leaves_the_unread_and_stays_open() {
    let mut s = Stage::new(120, 40);
    live(&mut s, &Connectivity::Live { since: NOW });
    two_accounts(&mut s);
    s.press("g u");
    assert_eq!(ids(&s), [1, 50, 2, 5, 8]);
    assert_eq!(s.app.list().source, crate::app::list::Source::View(View::Unread));
    s.press("Enter");
    s.wait(Duration::from_secs(3));
    s.rows[0].flags.insert(Flag::Seen);
    s.touched();
    assert_eq!((ids(&s)[0], s.app.viewer().id()), (50, Some(PlacementKey(1))), "nothing jumps away from the reader");
    s.press("J");
    assert_eq!(s.app.viewer().id(), Some(PlacementKey(50)), "the next one, none is leapt over");
    s.press("n");
    assert_eq!(s.app.viewer().id(), Some(PlacementKey(2)));
    s.press("q T");
    assert!(s.text().contains("single messages"));
}

#[test]
fn saved_searches_stand_below_the_views() {
    let config = format!("{}[searches]\n\"Pull requests\" = \"postrider\"\n", super::stage::CONFIG);
    let mut s = Stage::with(&config, 120, 40);
    s.press("q g g j j j Enter");
    assert_eq!(ids(&s), [2]);
    assert!(s.text().contains("Pull requests") && s.text().contains("1 found"));
    s.press("Esc");
    assert_eq!(ids(&s).len(), 11, "back where one was");
}

#[test]
fn tags_are_written_in_one_line_and_only_the_difference_is_told() {
    let mut s = Stage::new(120, 40);
    for (row, words) in [(0, "todo $Forwarded"), (1, "work NonJunk"), (2, "todo work")] {
        words.split(' ').for_each(|w| assert!(s.rows[row].flags.insert_word(w)));
        s.rows[row].thread_total = 1;
    }
    s.touched();
    assert!(s.text().contains("#todo") && !s.text().contains("Forwarded"));
    s.requests.clear();
    s.press("t");
    assert!(s.text().contains("In this list: todo work"));
    s.press("\"urgent C-a C-d C-d C-d C-d C-d Enter");
    let Request::Flag { targets, delta, automatic: false } = &s.requests[0] else { panic!("{:?}", s.requests) };
    assert_eq!(
        (targets.as_slice(), delta.add().wire(), delta.remove().wire()),
        (&[PlacementKey(1)][..], "urgent".into(), "todo".into())
    );
    s.press("Space j Space t");
    s.requests.clear();
    s.press("Enter");
    assert!(s.requests.is_empty(), "todo is what both have: nothing changed");
    s.press("t \"größe Enter");
    let Some(Request::Flag { delta, .. }) = s.requests.pop() else { panic!() };
    assert_eq!(delta.add().keywords().map(|k| k.label()).collect::<Vec<_>>(), ["größe"]);
    s.requests.clear();
    s.press("t \"a(b Enter");
    assert!(s.requests.is_empty() && s.text().contains("cannot be a tag"));
    each_size("tags", |s| {
        s.rows[0].flags.insert_word("todo");
        s.rows[3].flags.insert_word("contract");
        s.touched();
        s.press("Enter t");
    });
}

#[test]
fn reading_on_goes_through_what_is_unread_inside_a_conversation() {
    let mut s = Stage::new(120, 40);
    s.rows[0].thread_unread = 3;
    s.touched();
    s.press("Enter");
    assert_eq!(s.app.viewer().id(), Some(PlacementKey(1)), "the newest first");
    s.rows[0].flags.insert(Flag::Seen);
    s.rows[0].thread_unread = 2;
    s.touched();
    s.press("n");
    assert_eq!((s.app.viewer().id(), ids(&s)[..4].to_vec()), (Some(PlacementKey(101)), vec![1, 101, 102, 2]), "unfolded");
    s.press("n n");
    assert_eq!(s.app.viewer().id(), Some(PlacementKey(2)), "then the next conversation");
    // What was read is drawn as read, though the list has only the first row of the conversation.
    assert!(s.app.list().visible().any(|(i, ..)| i.inner && !i.row.flags.has(Flag::Seen)));
    s.rows[0].thread_unread = 0;
    s.touched();
    assert!(s.app.list().visible().all(|(i, ..)| !i.inner || i.row.flags.has(Flag::Seen)));
}

#[test]
fn a_message_is_handed_to_a_command_as_it_came() {
    let mut s = Stage::new(80, 24);
    s.press("Enter | \"git Space \"am Enter");
    assert_eq!(s.outside, [crate::app::msg::Effect::Pipe("git am".into(), s.mail.clone())]);
    s.press("|");
    assert!(s.text().contains("git am"), "the last command stands there again");
}

#[test]
fn a_first_start_ends_in_the_inbox_of_the_first_account_unless_somebody_acted_meanwhile() {
    for (keys, at) in [("", "work / Inbox"), ("j", "home / Inbox")] {
        let mut stage = Stage::new(120, 40);
        let all = std::mem::take(&mut stage.boxes);
        stage.boxes = all.iter().filter(|b| b.account == AccountName::new("home")).cloned().collect();
        stage.restart();
        assert!(stage.text().contains("home / Inbox"), "what is there first is shown");
        stage.press(keys);
        stage.boxes = all;
        stage.touched();
        assert!(stage.text().contains(at), "{keys:?}: {}", stage.text());
    }
}

/// A key that comes before the mailboxes are known is no key that was never pressed: whoever pressed it goes on in that account.
#[test]
fn an_account_that_is_asked_for_before_its_inbox_is_known_is_shown_when_it_comes() {
    let only = |all: &[MailboxRow], name: &str| all.iter().filter(|b| b.account.as_str() == name).cloned().collect::<Vec<_>>();
    // What is known when the keys come, the keys, what is seen then, what is seen in the end.
    let rows = [
        ("", "2", "", "home / Inbox"),
        ("", "2 1", "", "work / Inbox"),
        ("", "2 j", "", "home / Inbox"),
        ("work", "2", "home has no inbox yet", "home / Inbox"),
        ("work", "2 j", "work / Inbox", "work / Inbox"),
    ];
    for (known, keys, then, end) in rows {
        let mut stage = Stage::new(120, 40);
        let all = std::mem::take(&mut stage.boxes);
        stage.boxes = only(&all, known);
        stage.restart();
        stage.press(keys);
        assert!(stage.text().contains(then), "{known} {keys}: {}", stage.text());
        stage.boxes = all;
        stage.touched();
        assert!(stage.text().contains(end), "{known} {keys}: {}", stage.text());
    }
}
