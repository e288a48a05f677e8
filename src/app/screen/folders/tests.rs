//! Tests of the pane of mailboxes.

use super::*;
use crate::mail::fixtures::mailbox as row;

fn pane() -> (Folders, Vec<AccountName>) {
    let accounts = vec![AccountName::new("work"), AccountName::new("home")];
    let mut f = Folders::default();
    f.set_height(20);
    f.fill(
        vec![
            row(1, "work", "INBOX", Some(Role::Inbox)),
            row(2, "work", "Lists", None),
            row(3, "work", "Lists/kernel", None),
            row(4, "work", "Lists/rust", None),
            row(5, "home", "INBOX", Some(Role::Inbox)),
        ],
        &accounts,
    );
    (f, accounts)
}

fn text(f: &Folders) -> Vec<String> {
    let line = |(e, cursor): (&Entry, bool)| {
        let mark = if cursor { ">" } else { "" };
        match e {
            Entry::Everywhere => "Everywhere".to_owned(),
            Entry::View(n) => format!("{mark}{}", view_name(*n)),
            Entry::Saved(n) => format!("{mark}?{}", f.saved(*n).unwrap().0),
            Entry::Account(a) => a.to_string(),
            Entry::Mailbox { row, depth, folded } => {
                let sign = match folded {
                    Some(true) => "+",
                    Some(false) => "-",
                    None => "",
                };
                format!("{mark}{}{sign}{}", " ".repeat(*depth), f.rows[*row].path.leaf(Some('/')))
            }
            Entry::Gap => String::new(),
        }
    };
    f.visible().map(line).collect()
}

#[test]
fn mailboxes_stand_as_a_tree_below_their_account() {
    let (mut f, accounts) = pane();
    f.show(View::Mailbox(MailboxId(2)));
    assert_eq!(
        text(&f),
        [
            "Everywhere",
            "All inboxes",
            "Unread",
            "Starred",
            "",
            "work",
            "INBOX",
            ">-Lists",
            " kernel",
            " rust",
            "",
            "home",
            "INBOX"
        ]
    );
    assert!(f.fold(true, &accounts));
    assert_eq!(text(&f), ["Everywhere", "All inboxes", "Unread", "Starred", "", "work", "INBOX", ">+Lists", "", "home", "INBOX"]);
    f.step(1);
    assert_eq!(text(&f)[10], ">INBOX", "the cursor leaps over headings");
    f.step(-1);
    assert_eq!(text(&f)[7], ">+Lists");
    f.end(false);
    assert_eq!(text(&f)[1], ">All inboxes");
}

/// The inbox is a branch like any other, unless it is the root of all.
#[test]
fn what_lies_in_the_inbox_stands_below_it() {
    let (mut f, accounts) = pane();
    let inbox = || row(1, "work", "INBOX", Some(Role::Inbox));
    let rest = [row(3, "work", "INBOX/Kid", None), row(4, "work", "INBOX/Kid/Toy", None)];
    f.fill([&[inbox()], &rest[..], &[row(5, "work", "Sent", Some(Role::Sent))]].concat(), &accounts);
    f.show(View::Mailbox(MailboxId(1)));
    assert_eq!(text(&f)[6..10], [">-INBOX", " -Kid", "  Toy", "Sent"]);
    assert!(f.fold(true, &accounts));
    assert_eq!(text(&f)[6..8], [">+INBOX", "Sent"]);
    f.fill([&[inbox(), row(5, "work", "INBOX/Sent", Some(Role::Sent))], &rest[..]].concat(), &accounts);
    assert_eq!(text(&f)[6..10], [">INBOX", "Sent", "-Kid", " Toy"]);
}

#[test]
fn the_cursor_keeps_its_mailbox_when_others_come() {
    let (mut f, accounts) = pane();
    f.show(View::Mailbox(MailboxId(3)));
    let mut rows = f.rows().to_vec();
    rows.insert(1, row(9, "work", "Archive", Some(Role::Archive)));
    f.fill(rows, &accounts);
    assert!(text(&f).contains(&"> kernel".to_owned()));
    assert_eq!(f.named(None, "lists/KERNEL").map(|r| r.id), Some(MailboxId(3)));
    assert_eq!(f.named(Some(&accounts[1]), "inbox").map(|r| r.id), Some(MailboxId(5)));
    assert_eq!(f.named(None, "archive").map(|r| r.id), Some(MailboxId(9)));
}
