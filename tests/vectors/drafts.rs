//! drafts — a draft that was saved before anything is known of its server: it lies there once, in the mailbox for drafts.
//! Start reading at: the tests.

use super::bed::Bed;
use super::imap::Folder;
use super::inside::draft;
use super::wire::{Act, Server};
use super::wishes::queue;
use super::words::field;

/// Where unfinished mails lie, and which: mailbox and subject.
fn lying(server: &Server) -> Vec<(String, String)> {
    let world = server.world();
    let of = |f: &Folder| {
        let name = String::from_utf8(f.name.clone()).unwrap();
        f.mails.iter().map(|m| (name.clone(), field(&m.raw, "Subject"))).collect::<Vec<_>>()
    };
    let mut all: Vec<(String, String)> = world.folders.iter().flat_map(of).collect();
    all.retain(|(_, subject)| !subject.starts_with("Letter"));
    all
}

/// Servers that keep drafts in mailboxes of different names, and one that has none: what the mailbox is called there.
fn servers() -> Vec<(&'static str, Server)> {
    let renamed = |name: &'static str, attributes: &'static str| {
        let server = Server::imap();
        let mut world = server.world();
        let drafts = world.folder("Drafts");
        (drafts.name, drafts.attributes) = (name.as_bytes().to_vec(), attributes);
        drop(world);
        (name, server)
    };
    let none = Server::imap();
    none.world().folders.retain(|f| f.name != b"Drafts");
    vec![
        renamed("Drafts", "\\Drafts"),
        renamed("Drafts", ""),
        renamed("Entw&APw-rfe", "\\Drafts"),
        renamed("[Mail]/Drafts", "\\Drafts"),
        ("Drafts", none),
    ]
}

#[test]
fn what_is_saved_before_the_first_connection_is_filed_once() {
    for (name, server) in servers() {
        let bed = Bed::at(&server);
        let first = draft(&bed, None, "one");
        draft(&bed, Some(first), "two");
        bed.run(&["sync"]);
        bed.run(&["sync"]).code(0);
        assert_eq!(lying(&server), [(name.to_owned(), "two".to_owned())]);
        assert_eq!(queue(&bed), vec![], "{name}");
        let names: Vec<_> = server.world().folders.iter().map(|f| String::from_utf8(f.name.clone()).unwrap()).collect();
        assert_eq!(names.iter().filter(|n| n.contains("Drafts") || n.contains("Entw")).count(), 1, "{names:?}");
        // And goes on there.
        draft(&bed, Some(first), "three");
        bed.run(&["sync"]).code(0);
        assert_eq!(lying(&server), [(name.to_owned(), "three".to_owned())]);
    }
}

/// The answer to the first copy is lost, and the draft is saved once more before that is known.
#[test]
fn a_copy_whose_answer_is_lost_is_replaced_by_the_next_one() {
    for (name, server) in servers() {
        let bed = Bed::at(&server);
        let first = draft(&bed, None, "one");
        server.once("APPEND", vec![Act::Honest, Act::Close]);
        bed.run(&["sync"]);
        draft(&bed, Some(first), "two");
        bed.run(&["sync"]);
        bed.run(&["sync"]);
        bed.run(&["sync"]).code(0);
        assert_eq!((lying(&server), queue(&bed)), (vec![(name.to_owned(), "two".to_owned())], vec![]), "{:?}", server.heard());
    }
}
