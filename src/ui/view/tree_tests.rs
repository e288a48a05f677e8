//! tree_tests — what is done to mailboxes: asked for, named, shown at once.
//! Owns: nothing. May import: ui.
//! Start reading at: `waiting`.

use super::stage::{NOW, Stage};
use super::tests::each_size;
use crate::app::layout::Focus;
use crate::app::msg;
use crate::app::screen::folders::Entry;
use crate::base::safetext::SafeText;
use crate::engine::api::{Answer, Changes, Done, MailboxAct, News, QueueRow, Request, Rows};
use crate::mail::fixtures;
use crate::mail::ids::{AccountName, GroupId, MailboxId, OpId};
use crate::mail::intent::OpState;
use crate::mail::mailbox::MailboxPath;

/// A change of a mailbox that the server was not told.
fn waiting(path: &str, to: Option<&str>, kind: &'static str) -> QueueRow {
    QueueRow {
        id: OpId(1),
        group: GroupId(1),
        account: AccountName::new("work"),
        mailbox: MailboxPath::from_typed(path),
        to: to.map(MailboxPath::from_typed),
        kind,
        detail: SafeText::line_max(&format!("{} {path}", kind.replace('_', " ")), 80),
        count: 1,
        state: OpState::Queued,
        attempts: 0,
        fault: SafeText::default(),
        created: NOW,
    }
}

fn queue(stage: &mut Stage, rows: Vec<QueueRow>) {
    let answer = Answer { generation: u64::MAX, rows: Ok(Rows::Queue(rows)) };
    stage.news(News { answers: [(msg::QUEUE, answer)].into(), ..News::default() });
}

/// Into the pane of mailboxes, to the one called so.
fn to(stage: &mut Stage, name: &str) {
    stage.press(if *stage.app.focus() == Focus::Folders { "g g" } else { "q g g" });
    for _ in 0..20 {
        if stage.app.mailbox_at_hand().is_some_and(|m| m.path.leaf(Some('/')) == name) {
            return;
        }
        stage.press("j");
    }
    panic!("no mailbox {name}");
}

#[test]
fn screens_of_mailboxes() {
    each_size("tree-waiting", |s| {
        to(s, "kernel");
        let rows = [waiting("Old", Some("Lists/kernel"), "rename_mailbox"), waiting("Lists/rust-users", None, "create_mailbox")];
        queue(s, rows.into());
        s.boxes[4].subscribed = false;
        s.touched();
    });
    each_size("tree-inbox", |s| {
        for (at, id, path) in [(1, 20, "INBOX/Kid"), (2, 21, "INBOX/Kid/Toy")] {
            s.boxes.insert(at, fixtures::mailbox(id, "work", path, None));
        }
        s.touched();
        to(s, "Kid");
    });
    each_size("tree-new", |s| {
        to(s, "Lists");
        s.press("a \"python");
    });
    each_size("tree-delete", |s| {
        to(s, "Lists");
        s.press("D");
    });
    each_size("tree-empty", |s| {
        to(s, "Trash");
        s.press("E");
    });
}

#[test]
fn mailboxes_are_made_renamed_emptied_and_deleted_knowingly() {
    let mut s = Stage::new(120, 40);
    let work = || AccountName::new("work");
    to(&mut s, "Lists");
    s.requests.clear();
    s.press("a \"python Enter");
    let create = |path: &str| Request::Mailbox(MailboxAct::Create { account: work(), path: MailboxPath::from_typed(path) });
    assert_eq!(s.requests, [create("Lists/python")], "below the one under the cursor");
    assert!(s.text().contains("made the mailbox Lists/python"));
    s.boxes.insert(6, fixtures::mailbox(20, "work", "Lists/python", None));
    s.touched();
    assert_eq!(s.app.mailbox_at_hand().map(|m| m.id), Some(MailboxId(20)), "the cursor goes to the new one");
    to(&mut s, "kernel");
    s.press("R C-u \"Kernel Enter");
    let rename = MailboxAct::Rename { mailbox: MailboxId(6), to: MailboxPath::from_typed("Kernel") };
    assert_eq!(s.requests.last(), Some(&Request::Mailbox(rename)));
    assert!(s.text().contains("u takes it back"));
    s.requests.clear();
    s.press("R C-u \"a*b Enter");
    assert!(s.requests.is_empty() && s.text().contains("a character that no mailbox can have"));
    s.press("D g a j Enter");
    assert!(
        s.requests.is_empty() && s.text().contains("Esc keeps"),
        "what is no answer leaves the question standing: {}",
        s.text()
    );
    s.press("Esc");
    assert!(s.requests.is_empty() && s.text().contains("Nothing was done"));
    s.press("D n");
    assert!(s.requests.is_empty() && !s.text().contains("Esc keeps"));
    s.press("D y");
    assert_eq!(s.requests, [Request::Mailbox(MailboxAct::Delete { mailbox: MailboxId(6) })]);
    s.press("S");
    assert_eq!(s.requests.last(), Some(&Request::Mailbox(MailboxAct::Subscribe { mailbox: MailboxId(6), on: false })));
    to(&mut s, "Trash");
    s.press("E");
    assert!(s.text().contains("Delete all 44 messages in Trash for ever?"));
    s.press("y");
    assert_eq!(s.requests.last(), Some(&Request::Mailbox(MailboxAct::Empty { mailbox: MailboxId(9) })));
    s.requests.clear();
    to(&mut s, "INBOX");
    s.press("D R");
    assert!(s.requests.is_empty() && s.app.popup().is_none(), "not the inbox");
    s.press("g g D");
    assert!(s.text().contains("there is no mailbox here"), "a view is none");
}

/// What is not deleted after all is where the cursor of the pane goes, whichever comes first: the word or the list.
#[test]
fn a_mailbox_that_comes_back_has_the_cursor() {
    let mut s = Stage::new(120, 40);
    to(&mut s, "kernel");
    let at = |s: &Stage| s.app.mailbox_at_hand().map(|m| m.id);
    for early in [true, false] {
        s.press("D y");
        let gone = s.boxes.remove(5);
        s.touched();
        assert_ne!(at(&s), Some(MailboxId(6)));
        s.press("j j");
        s.saved = Some(Done {
            group: Some(GroupId(2)),
            count: 1,
            word: "delete mailbox",
            stays: Some((gone.account.clone(), gone.path.clone())),
            ..Done::default()
        });
        if early {
            s.boxes.insert(5, gone);
            s.touched();
            s.press("u");
        } else {
            s.press("u");
            s.boxes.insert(5, gone);
            s.touched();
        }
        assert_eq!(at(&s), Some(MailboxId(6)), "{}", s.text());
    }
    // Whoever looks elsewhere is left there.
    s.press("D y");
    let gone = s.boxes.remove(5);
    s.touched();
    s.press("Tab");
    let cursor = |s: &Stage| match s.app.folders().current() {
        Some(Entry::Mailbox { row, .. }) => s.app.folders().rows().get(*row).map(|m| m.id),
        _ => None,
    };
    let (focus, before) = (*s.app.focus(), cursor(&s));
    assert_ne!(focus, Focus::Folders);
    s.press("u");
    s.boxes.insert(5, gone);
    s.touched();
    assert_eq!((s.app.focus(), cursor(&s)), (&focus, before));
    assert!(before.is_some() && before != Some(MailboxId(6)));
}

#[test]
fn a_slash_divides_whatever_the_server_writes_and_a_root_is_kept() {
    let mut s = Stage::new(80, 24);
    for row in &mut s.boxes {
        row.delimiter = Some('.');
        if !row.path.is_inbox() {
            row.path = MailboxPath::from_typed(&format!("INBOX.{}", row.path.as_str().replace('/', ".")));
        }
    }
    s.touched();
    s.requests.clear();
    s.press(": \"create-mailbox Enter \"a/b Enter");
    let create = MailboxAct::Create { account: AccountName::new("work"), path: MailboxPath::from_typed("INBOX.a.b") };
    assert_eq!(s.requests, [Request::Mailbox(create)]);
}

/// What is kept of a mailbox is chosen by a key, goes round, and is marked; so is a line that is spared.
#[test]
fn what_is_kept_here_is_chosen_by_a_key_and_marked() {
    let mut s = Stage::new(80, 24);
    s.press("q");
    let (id, was) = s.app.mailbox_at_hand().map(|m| (m.id, m.offline)).unwrap();
    assert_eq!(was, None);
    let mut chosen = Vec::new();
    for _ in 0..3 {
        s.requests.clear();
        s.press("O");
        let [Request::KeepOffline { mailbox, keep }] = s.requests.as_slice() else { panic!("{:?}", s.requests) };
        assert_eq!(*mailbox, id);
        chosen.push(*keep);
        let keep = *keep;
        s.boxes.iter_mut().filter(|b| b.id == id).for_each(|b| b.offline = keep);
        s.news(News { changes: Changes { mailboxes: true, ..Changes::default() }, ..News::default() });
    }
    assert_eq!(chosen, [Some(true), Some(false), None]);
    s.requests.clear();
    s.press("g m");
    assert_eq!(s.requests, [Request::Metered(true)]);
    assert!(s.text().lines().next().unwrap().contains("metered"), "{}", s.text());
    s.press("g m");
    assert_eq!(s.requests.last(), Some(&Request::Metered(false)));
    assert!(!s.text().lines().next().unwrap().contains("metered"));
    s.news(News { metered: Some(true), ..News::default() });
    assert!(s.text().lines().next().unwrap().contains("metered"), "switched before the start, or in another window");
    s.requests.clear();
    s.press("g m");
    assert_eq!(s.requests, [Request::Metered(false)]);
    each_size("folders-kept", |s| {
        s.boxes[1].offline = Some(true);
        s.boxes[4].offline = Some(false);
        s.news(News { changes: Changes { mailboxes: true, ..Changes::default() }, ..News::default() });
        s.press("q");
    });
}
