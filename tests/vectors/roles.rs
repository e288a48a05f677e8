//! roles — what goes to the mailbox for sent mail, the archive and so on before anything is known of its server: it waits for the first
//! list, and goes to the one that the server has for that.
//! Start reading at: the tests.

use super::bed::Bed;
use super::imap::Folder;
use super::inside::first_rows;
use super::wire::{Act, Server, Tls, say};
use super::wishes::queue;
use super::words::field;

const MAIL: &str = "From: a@example.test\r\nTo: b@x.example\r\nSubject: Sent one\r\n\r\nWords.\r\n";

/// The mailboxes but the inbox that hold something, with the subjects there.
fn lying(server: &Server) -> Vec<(String, Vec<String>)> {
    let world = server.world();
    let all = world.folders.iter().filter(|f| f.name != b"INBOX" && !f.mails.is_empty());
    let subjects = |f: &Folder| f.mails.iter().map(|m| field(&m.raw, "Subject")).collect();
    all.map(|f| (String::from_utf8(f.name.clone()).unwrap(), subjects(f))).collect()
}

fn names(server: &Server) -> Vec<String> {
    server.world().folders.iter().map(|f| String::from_utf8(f.name.clone()).unwrap()).collect()
}

/// A server with these instead of the mailbox `usual`: name and attributes.
fn with(usual: &str, instead: &[(&str, &'static str)]) -> Server {
    let server = Server::imap();
    let mut world = server.world();
    world.folders.retain(|f| f.name != usual.as_bytes());
    world.folders.extend(instead.iter().map(|(name, attributes)| Folder { attributes, ..Folder::new(name) }));
    drop(world);
    server
}

/// Servers that have it under different names, and one that has none: where it goes there.
fn servers(usual: &'static str, special: &'static str) -> Vec<(&'static str, Server)> {
    vec![
        (usual, with(usual, &[(usual, special)])),
        (usual, with(usual, &[(usual, "")])),
        ("Abgelegt", with(usual, &[("Abgelegt", special)])),
        ("[Mail]/Abgelegt", with(usual, &[("[Mail]/Abgelegt", special)])),
        // The one of the usual name is another one.
        ("Abgelegt", with(usual, &[(usual, ""), ("Abgelegt", special)])),
        (usual, with(usual, &[])),
    ]
}

/// What was sent before the mailboxes were ever listed: its copy lies once, and no mailbox is made beside the one for that.
#[test]
fn a_copy_that_is_filed_before_the_first_list() {
    for (name, server) in servers("Sent", "\\Sent") {
        let smtp = Server::smtp_over(Tls::None);
        let mut bed = Bed::new();
        bed.account("a", &server, Some(&smtp), "");
        bed.write("mail", MAIL);
        let before = names(&server);
        // The list does not come at first: what is to be filed waits, and is shown.
        server.rule("LIST", 0, 1, vec![Act::Close]);
        bed.send(&["--queue-only"]).code(0);
        bed.run(&["sync"]);
        assert_eq!(smtp.world().sent.len(), 1, "{name}");
        let kinds: Vec<String> = queue(&bed).into_iter().map(|(kind, _)| kind).collect();
        assert_eq!((kinds, names(&server)), (vec!["create_mailbox".to_owned(), "append".to_owned()], before.clone()), "{name}");
        bed.run(&["sync"]).code(0);
        bed.run(&["sync"]).code(0);
        assert_eq!(lying(&server), [(name.to_owned(), vec!["Sent one".to_owned()])]);
        assert_eq!((queue(&bed), smtp.world().sent.len()), (vec![], 1), "{name}");
        let made = usize::from(!before.iter().any(|there| there == name));
        assert_eq!(names(&server).len(), before.len() + made, "{name}: {:?}", names(&server));
        assert_eq!(server.count("CREATE"), made, "{name}: what is there is not made");
        assert_eq!(bed.subjects(name), ["Sent one"]);
    }
}

/// The inbox shows its newest rows before the list is asked for: what is filed from there goes to the mailbox for that.
#[test]
fn what_is_filed_before_the_first_list() {
    let verbs = [("archive", "Archive", "\\Archive"), ("delete", "Trash", "\\Trash")];
    for (verb, usual, special) in verbs {
        for (name, server) in servers(usual, special) {
            let bed = first_rows(&server, "");
            let before = names(&server);
            for n in [1, 3] {
                bed.run(&["--offline", verb, &bed.id("INBOX", &format!("Letter {n}"))]).code(0);
            }
            // It shows where it will be called so, if nothing else is for that; what is wished of it there goes along.
            assert_eq!(bed.subjects(usual), ["Letter 1", "Letter 3"], "{verb} {name}");
            bed.run(&["--offline", "flag", &bed.id(usual, "Letter 3"), "--add", "flagged"]).code(0);
            // The line breaks over the list once more.
            bed.run(&["sync"]);
            assert_eq!((lying(&server), names(&server)), (vec![], before.clone()), "{verb} {name}: nobody knows yet");
            server.heal();
            for _ in 0..2 {
                bed.run(&["sync"]).code(0);
            }
            let there = lying(&server);
            assert_eq!(there.len(), 1, "{verb} {name}: {there:?}");
            assert_eq!((there[0].0.as_str(), there[0].1.len(), queue(&bed)), (name, 2, vec![]), "{verb}");
            let made = usize::from(!before.iter().any(|there| there == name));
            assert_eq!((names(&server).len(), server.count("CREATE")), (before.len() + made, made), "{verb} {name}");
            assert_eq!((bed.subjects(name), bed.subjects("INBOX")), (there[0].1.clone(), vec!["Letter 2".to_owned()]));
            let starred = server.world().folder(name).mails.iter().filter(|m| m.flags.contains("\\Flagged")).count();
            assert_eq!(starred, 1, "{verb} {name}");
            // And back.
            bed.run(&["undo", "3"]).code(0);
            bed.run(&["sync"]).code(0);
            assert_eq!((lying(&server), queue(&bed), bed.subjects("INBOX").len()), (vec![], vec![], 3), "{verb} {name}");
        }
    }
}

/// A configured name is the one, there or not; also on a server that does not say why it makes no second one of a name.
#[test]
fn a_configured_one_that_is_there_or_not() {
    for there in [true, false] {
        let server = if there { with("", &[("Old/2026", "")]) } else { Server::imap() };
        let bed = first_rows(&server, "roles = { archive = \"Old/2026\" }\n");
        bed.run(&["--offline", "archive", &bed.id("INBOX", "Letter 1")]).code(0);
        server.heal();
        if there {
            server.always("CREATE", vec![say("%T NO there is something\r\n")]);
        }
        bed.run(&["sync"]).code(0);
        // Once it is known.
        bed.run(&["--offline", "archive", &bed.id("INBOX", "Letter 2")]).code(0);
        bed.run(&["sync"]).code(0);
        assert_eq!(lying(&server), [("Old/2026".to_owned(), vec!["Letter 1".to_owned(), "Letter 2".to_owned()])], "{there}");
        assert_eq!((queue(&bed), server.count("CREATE")), (vec![], usize::from(!there)));
    }
}

/// Taken back before the list: nothing of it is told to the server.
#[test]
fn what_is_taken_back_before_the_first_list() {
    let server = with("Archive", &[("Abgelegt", "\\Archive")]);
    let bed = first_rows(&server, "");
    for n in [1, 3] {
        bed.run(&["--offline", "archive", &bed.id("INBOX", &format!("Letter {n}"))]).code(0);
    }
    bed.run(&["--offline", "undo"]).code(0);
    server.heal();
    bed.run(&["sync"]).code(0);
    assert_eq!(lying(&server), [("Abgelegt".to_owned(), vec!["Letter 1".to_owned()])]);
    assert_eq!((bed.subjects("INBOX"), queue(&bed)), (vec!["Letter 2".to_owned(), "Letter 3".to_owned()], vec![]));
}
