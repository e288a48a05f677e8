//! goals — S-21 for where things go: another client gives the name of a mailbox to another one while something waits to be put there,
//! or while it is to be renamed or deleted. The mailbox that the person saw is meant: it is followed, or the person is asked. The journal
//! says which one that is: all of it holds where the cache is deleted before the server is told.
//! Start reading at: the tests. What lies in such a mailbox is in `numbers.rs`.

use super::bed::Bed;
use super::imap::{Folder, World, letter};
use super::screen::Screen;
use super::wire::Server;
use super::wishes::{act, queue};
use std::time::Duration;

/// Which mailbox is which: the server names them itself, each is numbered otherwise, or nothing tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Told {
    Names,
    Numbers,
    Nothing,
}

/// A profile in step with a server that has `Work` with letters 10 to 12.
pub(super) fn at_work(told: Told, without: &[&str]) -> (Server, Bed) {
    let server = Server::imap();
    {
        let mut world = server.world();
        world.folders.push(Folder::new("Work"));
        if told == Told::Names {
            world.caps.push_str(" OBJECTID");
        }
        for word in without {
            world.caps = world.caps.replace(word, "");
        }
        (10..=12).for_each(|n| {
            world.folder("Work").add(letter(n));
        });
        if told == Told::Numbers {
            (100..).zip(&mut world.folders).for_each(|(n, f)| f.validity = n);
        }
    }
    let bed = Bed::at(&server);
    bed.run(&["sync", "--bodies", "all"]).code(0);
    (server, bed)
}

/// The cache as it is, and deleted.
pub(super) const LOST: [bool; 2] = [false, true];

/// Deletes the cache, if it is to be lost.
pub(super) fn lose(bed: &Bed, lost: bool) {
    if lost {
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(bed.path(&format!("data/cache.sqlite{end}")));
        }
        std::fs::remove_dir_all(bed.path("data/blobs")).unwrap();
    }
}

/// Another client calls it otherwise, and another one has its name now.
pub(super) fn replace(world: &mut World) {
    world.folder("Work").name = b"Old work".to_vec();
    let validity = world.folder("Old work").validity;
    let validity = if validity == 7 { 7 } else { 1_000 };
    let mut new = Folder { object: "F-another".to_owned(), validity, ..Folder::new("Work") };
    new.add(letter(20));
    world.folders.push(new);
}

pub(super) fn numbers(server: &Server, folder: &str) -> Vec<String> {
    let raws: Vec<Vec<u8>> = server.world().folder(folder).mails.iter().map(|m| m.raw.clone()).collect();
    raws.iter().map(|raw| super::words::field(raw, "Subject").replace("Letter ", "")).collect()
}

/// Less than it takes until the list is asked for by itself.
const SOON: Duration = Duration::from_secs(60);
const HERE: [&str; 3] = ["10", "11", "12"];

/// What is moved, copied and put there goes to the mailbox that the person saw, under its new name; nothing else does.
#[test]
fn s_21_a_goal_is_followed() {
    for (told, lost) in LOST.into_iter().flat_map(|lost| [(Told::Names, lost), (Told::Numbers, lost)]) {
        for without in [&[][..], &["MOVE"], &["MOVE", "UIDPLUS"]] {
            let (server, bed) = at_work(told, without);
            act(&bed, "move", "Letter 1", &["--to", "Work"]);
            act(&bed, "copy", "Letter 2", &["--to", "Work"]);
            bed.write("mail", &String::from_utf8(letter(30)).unwrap());
            bed.run(&["--offline", "import", bed.path("mail").to_str().unwrap(), "--into", "Work"]).code(0);
            replace(&mut server.world());
            lose(&bed, lost);
            bed.run(&["sync"]);
            bed.run(&["sync"]).code(0);
            let mut there = numbers(&server, "Old work");
            there.sort();
            assert_eq!(there, ["1", "10", "11", "12", "2", "30"], "{told:?} {without:?} {lost}");
            assert_eq!((numbers(&server, "Work"), queue(&bed)), (vec!["20".to_owned()], vec![]), "{told:?} {without:?} {lost}");
            assert_eq!(bed.subjects("Work"), ["Letter 20"]);
            assert_eq!(bed.subjects("Old work").len(), 6, "{told:?} {without:?} {lost}");
        }
    }
}

/// Where nothing tells which is which the person is asked, and what they say holds.
#[test]
fn s_21_a_goal_that_cannot_be_told() {
    for lost in LOST {
        let (server, bed) = at_work(Told::Nothing, &[]);
        act(&bed, "move", "Letter 1", &["--to", "Work"]);
        replace(&mut server.world());
        lose(&bed, lost);
        let before = server.count("UID MOVE");
        bed.run(&["sync"]);
        bed.run(&["sync"]);
        is_asked(&bed, "move");
        assert_eq!((server.count("UID MOVE") - before, numbers(&server, "INBOX").len()), (0, 3));
        assert_eq!(
            (numbers(&server, "Work"), numbers(&server, "Old work")),
            (vec!["20".to_owned()], HERE.map(str::to_owned).to_vec())
        );
        // The list is known by now: whoever says so once more means the one that is there.
        act(&bed, "copy", "Letter 2", &["--to", "Work"]);
        bed.run(&["sync"]).code(0);
        assert_eq!((numbers(&server, "Work"), queue(&bed).len()), (vec!["20".to_owned(), "2".to_owned()], 1));
        again(&bed);
        assert_eq!((numbers(&server, "Work").len(), queue(&bed)), (3, vec![]), "{lost}");
    }
}

/// What waits is parked, with its reason.
#[track_caller]
fn is_asked(bed: &Bed, kind: &str) {
    assert_eq!(queue(bed), [(kind.to_owned(), "parked".to_owned())]);
    bed.run(&["--offline", "queue"]).code(0).says("another mailbox has its name now");
}

/// The person says of what is parked that it is to be tried again.
fn again(bed: &Bed) {
    let mut screen = Screen::start(&bed.path(""));
    screen.press("go");
    screen.shows("refused: another mailbox");
    screen.press("r");
    screen.shows_no("refused: another mailbox");
    screen.press("Q");
    screen.ends();
    bed.run(&["sync"]).code(0);
}

/// The mailbox that was meant is gone, and another one has its name: the server says so, whatever the numbers are.
#[test]
fn s_21_a_goal_that_is_gone() {
    for (lost, validity) in LOST.into_iter().flat_map(|lost| [(lost, 7), (lost, 1_000)]) {
        let (server, bed) = at_work(Told::Names, &[]);
        act(&bed, "move", "Letter 1", &["--to", "Work"]);
        {
            let mut world = server.world();
            replace(&mut world);
            world.folders.retain(|f| f.name != b"Old work");
            world.folder("Work").validity = validity;
        }
        lose(&bed, lost);
        bed.run(&["sync"]);
        bed.run(&["sync"]);
        is_asked(&bed, "move");
        assert_eq!((numbers(&server, "Work"), numbers(&server, "INBOX").len()), (vec!["20".to_owned()], 3), "{lost} {validity}");
        again(&bed);
        assert_eq!((numbers(&server, "Work"), queue(&bed)), (vec!["20".to_owned(), "1".to_owned()], vec![]), "{lost} {validity}");
    }
}

/// What is wished of letters in such a mailbox meets those letters, or nobody: their numbers are a stranger's by now.
#[test]
fn s_21_a_source_is_followed() {
    for (told, lost) in LOST.into_iter().flat_map(|lost| [Told::Names, Told::Numbers, Told::Nothing].map(|told| (told, lost))) {
        let (server, bed) = at_work(told, &[]);
        let id = |n: u32| bed.id("Work", &format!("Letter {n}"));
        bed.run(&["--offline", "flag", &id(10), "--add", "flagged"]).code(0);
        bed.run(&["--offline", "move", &id(11), "--to", "Archive"]).code(0);
        bed.run(&["--offline", "delete", &id(12), "--forever"]).code(0);
        let state = rusqlite::Connection::open(bed.path("data/state.sqlite")).unwrap();
        state.execute("UPDATE operation SET not_before = 0", []).unwrap();
        drop(state);
        {
            let mut world = server.world();
            replace(&mut world);
            // Fewer than there were: the fourth has the number that no letter had.
            (21..=22).for_each(|n| {
                world.folder("Work").add(letter(n));
            });
            if told == Told::Nothing {
                world.folder("Work").mails.remove(2);
                world.folder("Work").next = 3;
            }
        }
        lose(&bed, lost);
        bed.run(&["sync"]);
        bed.run(&["sync"]);
        let theirs: &[&str] = if told == Told::Nothing { &["20", "21"] } else { &["20", "21", "22"] };
        assert_eq!(numbers(&server, "Work"), theirs, "{told:?} {lost}");
        let flagged = |folder: &str| server.world().folder(folder).mails.iter().filter(|m| m.flags.contains("\\Flagged")).count();
        assert_eq!(flagged("Work"), 0, "{told:?} {lost}");
        if told == Told::Nothing {
            assert_eq!((numbers(&server, "Old work"), queue(&bed).len()), (HERE.map(str::to_owned).to_vec(), 3), "{lost}");
            assert!(queue(&bed).iter().all(|(_, state)| state == "parked"), "{lost}");
        } else {
            assert_eq!(
                (numbers(&server, "Old work"), numbers(&server, "Archive")),
                (vec!["10".to_owned()], vec!["11".to_owned()])
            );
            assert_eq!((flagged("Old work"), queue(&bed)), (1, vec![]), "{told:?} {lost}");
        }
    }
}

/// A mailbox of whose numbering nothing is left was numbered anew, or made anew: its name is all that there is to go by.
#[test]
fn s_21_a_goal_numbered_anew() {
    // Where the server names it itself, nothing needs to be looked up.
    for (told, lost) in LOST.into_iter().flat_map(|lost| [(Told::Names, lost), (Told::Numbers, lost)]) {
        let (server, bed) = at_work(told, &[]);
        act(&bed, "move", "Letter 1", &["--to", "Work"]);
        let id = bed.id("Work", "Letter 11");
        bed.run(&["--offline", "flag", &id, "--add", "flagged"]).code(0);
        {
            let mut world = server.world();
            let work = world.folder("Work");
            work.validity = 999;
            // Whoever went by the number would meet another letter.
            work.mails.reverse();
            work.mails.iter_mut().zip([1, 4, 6]).for_each(|(mail, uid)| mail.uid = uid);
            work.next = 7;
        }
        lose(&bed, lost);
        bed.run(&["sync"]).code(0);
        let there = ["12", "11", "10", "1"].map(str::to_owned).to_vec();
        assert_eq!((numbers(&server, "Work"), queue(&bed)), (there, vec![]), "{told:?} {lost}");
        let mut world = server.world();
        let flagged = world.folder("Work").mails.iter().filter(|m| m.flags.contains("\\Flagged")).map(|m| m.raw.clone());
        assert_eq!(flagged.collect::<Vec<_>>(), [letter(11)], "{told:?} {lost}");
    }
}

/// Both where it lies and where it is to go are numbered anew: each is looked up, and the reader waits for nobody.
#[test]
fn s_21_both_numbered_anew() {
    for lost in LOST {
        let (server, bed) = at_work(Told::Numbers, &[]);
        act(&bed, "move", "Letter 1", &["--to", "Work"]);
        {
            let mut world = server.world();
            (998..).zip(["INBOX", "Work"]).for_each(|(n, name)| world.folder(name).validity = n);
        }
        lose(&bed, lost);
        let mut screen = Screen::start(&bed.path(""));
        screen.until("the letter where it was to go", SOON, |_| server.world().folder("Work").mails.len() == 4);
        screen.press("Q");
        screen.ends();
        bed.run(&["sync"]).code(0);
        assert_eq!((numbers(&server, "INBOX"), queue(&bed)), (vec!["2".to_owned(), "3".to_owned()], vec![]), "{lost}");
    }
}

/// What is to be deleted is the mailbox that the person saw: one that has its name since is not, and keeps its letters.
#[test]
fn s_21_nothing_else_is_deleted() {
    for (told, lost) in LOST.into_iter().flat_map(|lost| [(Told::Names, lost), (Told::Numbers, lost)]) {
        let (server, bed) = at_work(told, &[]);
        bed.run(&["--offline", "mailbox", "delete", "Work", "--yes"]).code(0);
        // The time is over in which it can be taken back.
        let state = rusqlite::Connection::open(bed.path("data/state.sqlite")).unwrap();
        assert_eq!(state.execute("UPDATE operation SET not_before = 0", []).unwrap(), 1);
        drop(state);
        replace(&mut server.world());
        lose(&bed, lost);
        bed.run(&["sync"]);
        bed.run(&["sync"]);
        assert_eq!((server.count("DELETE"), numbers(&server, "Work")), (0, vec!["20".to_owned()]), "{told:?} {lost}");
        assert_eq!(numbers(&server, "Old work"), HERE);
        is_asked(&bed, "delete_mailbox");
        bed.run(&["sync"]);
        assert_eq!(bed.subjects("Work"), ["Letter 20"], "{told:?}");
        assert_eq!(bed.subjects("Old work"), HERE.map(|n| format!("Letter {n}")), "{told:?}");
    }
}

/// And what is to be called otherwise is.
#[test]
fn s_21_nothing_else_is_renamed() {
    for (told, lost) in LOST.into_iter().flat_map(|lost| [(Told::Names, lost), (Told::Numbers, lost)]) {
        let (server, bed) = at_work(told, &[]);
        bed.run(&["--offline", "mailbox", "rename", "Work", "Jobs"]).code(0);
        replace(&mut server.world());
        lose(&bed, lost);
        bed.run(&["sync"]);
        bed.run(&["sync"]).code(0);
        assert_eq!(
            (numbers(&server, "Jobs"), numbers(&server, "Work")),
            (HERE.map(str::to_owned).to_vec(), vec!["20".to_owned()])
        );
        assert_eq!((bed.subjects("Work"), queue(&bed)), (vec!["Letter 20".to_owned()], vec![]), "{told:?}");
        assert_eq!(bed.subjects("Jobs"), HERE.map(|n| format!("Letter {n}")), "{told:?}");
    }
}

/// Where nothing tells which is which, or the one that was meant is gone, the person is asked before another one is renamed.
#[test]
fn s_21_a_mailbox_to_be_renamed_that_cannot_be_told() {
    for (told, lost) in LOST.into_iter().flat_map(|lost| [(Told::Names, lost), (Told::Nothing, lost)]) {
        let (server, bed) = at_work(told, &[]);
        bed.run(&["--offline", "mailbox", "rename", "Work", "Jobs"]).code(0);
        {
            let mut world = server.world();
            replace(&mut world);
            if told == Told::Names {
                world.folders.retain(|f| f.name != b"Old work");
            }
        }
        lose(&bed, lost);
        bed.run(&["sync"]);
        bed.run(&["sync"]);
        is_asked(&bed, "rename_mailbox");
        assert_eq!((server.count("RENAME"), numbers(&server, "Work")), (0, vec!["20".to_owned()]), "{told:?} {lost}");
        bed.run(&["mailboxes"]).code(0).says("Work");
        again(&bed);
        assert_eq!((numbers(&server, "Jobs"), queue(&bed)), (vec!["20".to_owned()], vec![]), "{told:?} {lost}");
    }
}
