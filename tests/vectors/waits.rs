//! waits — verbs that wait until a server has what is wished: it is told that, and asked for nothing else.
//! Start reading at: the tests.

use super::bed::Bed;
use super::imap::{Folder, letter};
use super::wire::{Act, Server, Tls};
use super::wishes::queue;

/// What is said to a server from here on.
fn since(server: &Server, before: usize) -> Vec<String> {
    server.heard().split_off(before).into_iter().map(|h| h.line).collect()
}

fn none(said: &[String], words: &[&str]) {
    assert!(!said.iter().any(|line| words.iter().any(|word| line.contains(word))), "{words:?} in {said:?}");
}

/// Two accounts in step, texts not here, and mail that came since; the first one can send.
fn beds() -> (Server, Server, Server, Bed) {
    let (one, two, smtp) = (Server::imap(), Server::imap(), Server::smtp_over(Tls::None));
    let mut bed = Bed::new();
    bed.account("a", &one, Some(&smtp), "");
    bed.account("b", &two, None, "");
    bed.run(&["sync", "--bodies", "none"]).code(0);
    for server in [&one, &two] {
        server.world().inbox().add(letter(7));
        server.world().folder("Archive").add(letter(8));
    }
    (one, two, smtp, bed)
}

const OTHERS: [&str; 5] = ["LIST", "STATUS \"INBOX\"", "STATUS \"Trash\"", "BODY.PEEK[]", "IDLE"];

#[test]
fn a_verb_that_waits_tells_what_it_is_about_and_nothing_else() {
    let (one, two, smtp, bed) = beds();
    let first = bed.list("a/INBOX").iter().find(|row| row["subject"] == "Letter 2").unwrap()["id"].to_string();
    let last = bed.list("a/INBOX").iter().find(|row| row["subject"] == "Letter 3").unwrap()["id"].to_string();
    let (mine, others) = (one.heard().len(), two.came().len());
    bed.run(&["flag", &first, "--add", "flagged", "--wait"]).code(0);
    bed.run(&["archive", &last, "--wait"]).code(0);
    assert!(one.world().inbox().mails.iter().any(|m| m.flags.contains("\\Flagged")));
    assert_eq!((one.world().folder("Archive").mails.len(), queue(&bed)), (2, vec![]));
    bed.run(&["mailbox", "create", "New", "--account", "a", "--wait"]).code(0);
    bed.write("mail", "From: a@example.test\r\nTo: b@x.example\r\nSubject: Sent one\r\n\r\nWords.\r\n");
    bed.send(&["--wait"]).code(0);
    assert_eq!((smtp.world().sent.len(), one.world().folders.iter().any(|f| f.name == b"New")), (1, true));
    none(&since(&one, mine), &OTHERS);
    assert_eq!(two.came().len(), others, "who is to be told nothing is not asked");
}

/// The line breaks in between: it is told over the next one.
#[test]
fn a_verb_that_waits_goes_on_over_the_next_line() {
    let (one, _, _, bed) = beds();
    let first = bed.list("a/INBOX").iter().find(|row| row["subject"] == "Letter 2").unwrap()["id"].to_string();
    one.once("UID STORE", vec![Act::Close]);
    bed.run(&["flag", &first, "--add", "flagged", "--wait"]).code(0);
    assert!(one.world().inbox().mails.iter().any(|m| m.flags.contains("\\Flagged")));
}

/// What is to go to the mailbox for it, before that is known, has the list asked for.
#[test]
fn a_verb_that_waits_for_the_first_list_asks_for_it() {
    let server = Server::imap();
    server.world().folders.retain(|f| f.name != b"Archive");
    server.world().folders.push(Folder { attributes: "\\Archive", ..Folder::new("Abgelegt") });
    let bed = super::inside::first_rows(&server, "");
    server.heal();
    let id = bed.id("INBOX", "Letter 1");
    bed.run(&["archive", &id, "--wait"]).code(0);
    assert_eq!((server.world().folder("Abgelegt").mails.len(), queue(&bed)), (1, vec![]));
}
