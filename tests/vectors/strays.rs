//! strays — S-21 for what is put somewhere just when the name of the mailbox goes to another one: the answer says where it went, and it is
//! brought where it was meant to go.
//! Start reading at: the tests. What is told beforehand is in `goals.rs`.

use super::goals::{LOST, Told, at_work, lose, numbers, replace};
use super::imap::{Mail, World, letter};
use super::wire::{Act, Server, replaced, say};
use super::wishes::{act, queue};

/// The line breaks in the middle of the copying, and the name is another one's when it is looked at again: the copy is found where it
/// is, and is not made once more.
#[test]
fn s_21_a_lost_copy_is_looked_for_where_it_went() {
    for (told, lost) in LOST.into_iter().flat_map(|lost| [(Told::Names, lost), (Told::Numbers, lost)]) {
        let (server, bed) = at_work(told, &["MOVE"]);
        act(&bed, "move", "Letter 1", &["--to", "Work"]);
        server.once("UID COPY", vec![Act::Honest, Act::World(Box::new(replace)), Act::Close]);
        // The answer is lost.
        server.once("UID EXPUNGE", vec![Act::Close]);
        bed.run(&["sync"]);
        lose(&bed, lost);
        bed.run(&["sync"]);
        lose(&bed, lost);
        bed.run(&["sync"]).code(0);
        assert_eq!(numbers(&server, "Old work"), ["10", "11", "12", "1"], "{told:?} {lost}");
        assert_eq!((numbers(&server, "Work"), queue(&bed)), (vec!["20".to_owned()], vec![]), "{told:?} {lost}");
        assert_eq!(numbers(&server, "INBOX"), ["2", "3"], "{told:?} {lost}");
    }
}

/// Between the look at the mailbox and the copying its name becomes another one's: what the answer says of where the copy went tells it.
/// Nothing leaves its place before it is where it was meant to go.
#[test]
fn s_21_a_copy_that_strayed() {
    for verb in ["move", "copy"] {
        let (server, bed) = at_work(Told::Numbers, &["MOVE"]);
        act(&bed, verb, "Letter 1", &["--to", "Work"]);
        server.once("UID COPY", vec![Act::World(Box::new(replace)), Act::Honest]);
        for _ in 0..3 {
            bed.run(&["sync"]);
        }
        bed.run(&["sync"]).code(0);
        assert_eq!(numbers(&server, "Old work"), ["10", "11", "12", "1"], "{verb}");
        // What went astray lies there, beside what is in its place.
        assert_eq!((numbers(&server, "Work"), queue(&bed)), (vec!["20".to_owned(), "1".to_owned()], vec![]), "{verb}");
        let left: &[&str] = if verb == "move" { &["2", "3"] } else { &["1", "2", "3"] };
        assert_eq!(numbers(&server, "INBOX"), left, "{verb}");
    }
}

/// The same with APPEND: what went astray is taken away again where it lies, and put where it was meant to go. Where the line breaks in
/// between, or what lies there is not it, it is told where it may be; a server whose APPENDUID is wrong is believed no more than it has
/// to be.
#[test]
fn s_21_an_append_that_strayed() {
    let put = |told| {
        let (server, bed) = at_work(told, &[]);
        bed.write("mail", &String::from_utf8(letter(30)).unwrap());
        bed.run(&["--offline", "import", bed.path("mail").to_str().unwrap(), "--into", "Work"]).code(0);
        (server, bed)
    };
    let texts = |all: &[&str]| all.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
    let (server, bed) = put(Told::Numbers);
    server.once("APPEND", vec![Act::World(Box::new(replace)), Act::Honest]);
    for _ in 0..2 {
        bed.run(&["sync"]);
    }
    bed.run(&["sync"]).code(0);
    assert_eq!((numbers(&server, "Old work"), numbers(&server, "Work")), (texts(&["10", "11", "12", "30"]), texts(&["20"])));
    assert_eq!((queue(&bed), bed.subjects("Old work").len(), bed.subjects("Work").len()), (vec![], 4, 1));

    // The line breaks as soon as it is known, and before the other end is told; the server lets nobody delete there.
    for answer in [vec![Act::Close], vec![say("%T NO [NOPERM] not here\r\n")]] {
        let (server, bed) = put(Told::Numbers);
        server.once("APPEND", vec![Act::World(Box::new(replace)), Act::Honest]);
        server.rule("STORE", 0, 1, answer);
        for _ in 0..3 {
            bed.run(&["sync"]);
        }
        assert_eq!(queue(&bed), [("append".to_owned(), "parked".to_owned())]);
        bed.run(&["--offline", "queue"]).code(0).says("another mailbox has its name now");
        assert_eq!((numbers(&server, "Work"), numbers(&server, "Old work").len()), (texts(&["20", "30"]), 3));
    }

    // It names a message of somebody else there: that one stays.
    let (server, bed) = put(Told::Numbers);
    let lie = replaced("APPENDUID 1000 2", "APPENDUID 1000 1");
    server.once("APPEND", vec![Act::World(Box::new(replace)), lie]);
    for _ in 0..3 {
        bed.run(&["sync"]);
    }
    assert_eq!((numbers(&server, "Work"), numbers(&server, "Old work").len()), (texts(&["20", "30"]), 3));
    assert_eq!(queue(&bed), [("append".to_owned(), "parked".to_owned())]);

    // It went where it was meant to go.
    let (server, bed) = put(Told::Numbers);
    let validity = server.world().folder("Work").validity;
    server.once("APPEND", vec![replaced(format!("APPENDUID {validity} "), "APPENDUID 4711 ")]);
    bed.run(&["sync"]).code(0);
    assert_eq!((numbers(&server, "Work"), queue(&bed)), (texts(&["10", "11", "12", "30"]), vec![]));
    assert_eq!(bed.subjects("Work").len(), 4);
}

/// A server that does not say where it went: the mailbox is looked at once more, and what went astray is looked for in the one that has
/// the name. It cannot be expunged by itself there, so it is marked as deleted.
#[test]
fn s_21_an_append_that_strayed_and_nobody_said_so() {
    let put = || {
        let (server, bed) = at_work(Told::Numbers, &["UIDPLUS"]);
        bed.write("mail", &String::from_utf8(letter(30)).unwrap());
        bed.run(&["--offline", "import", bed.path("mail").to_str().unwrap(), "--into", "Work"]).code(0);
        (server, bed)
    };
    let texts = |all: &[&str]| all.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
    let marked = |server: &Server| {
        let world = server.world();
        let work = world.folders.iter().find(|f| f.name == b"Work").unwrap();
        work.mails.iter().map(|m| m.flags.contains("\\Deleted")).collect::<Vec<_>>()
    };
    let (server, bed) = put();
    server.once("APPEND", vec![Act::World(Box::new(replace)), Act::Honest]);
    for _ in 0..2 {
        bed.run(&["sync"]);
    }
    bed.run(&["sync"]).code(0);
    assert_eq!((numbers(&server, "Old work"), queue(&bed)), (texts(&["10", "11", "12", "30"]), vec![]), "{:?}", server.heard());
    assert_eq!((numbers(&server, "Work"), marked(&server)), (texts(&["20", "30"]), vec![false, true]));
    assert_eq!((bed.subjects("Old work").len(), server.count("APPEND")), (4, 2));

    // There are two of it, or the server does not let us look: the person is asked.
    let twice = |world: &mut World| {
        let work = world.folder("Work");
        let twin = Mail { uid: work.next, ..work.mails.last().unwrap().clone() };
        work.next += 1;
        work.mails.push(twin);
    };
    for twins in [true, false] {
        let (server, bed) = put();
        if twins {
            server.once("APPEND", vec![Act::World(Box::new(replace)), Act::Honest, Act::World(Box::new(twice))]);
        } else {
            server.once("APPEND", vec![Act::World(Box::new(replace)), Act::Honest]);
            server.rule("UID SEARCH", 0, 1, vec![Act::Close]);
        }
        for _ in 0..3 {
            bed.run(&["sync"]);
        }
        assert_eq!(queue(&bed), [("append".to_owned(), "parked".to_owned())], "{twins} {:?}", server.heard());
        assert!(!marked(&server).contains(&true) && numbers(&server, "Old work").len() == 3, "{twins}");
        // Who says that it is to be put where it was meant to go has it there.
        let row = &bed.run(&["--offline", "queue", "--json"]).code(0).json()[0]["id"].to_string();
        bed.run(&["--offline", "queue", "retry", row]).code(0);
        bed.run(&["sync"]).code(0);
        assert_eq!((numbers(&server, "Old work").len(), queue(&bed)), (4, vec![]), "{twins}");
    }

    // It went where it was meant to go: a turn more, and nothing else.
    let (server, bed) = put();
    bed.run(&["sync"]).code(0);
    assert_eq!((numbers(&server, "Work"), queue(&bed)), (texts(&["10", "11", "12", "30"]), vec![]));
    assert_eq!((bed.subjects("Work").len(), server.count("APPEND")), (4, 1));
}

/// The same with MOVE: what went astray is brought back at once, and goes where it was meant to go. Where the line breaks in between it
/// is told where it may be; a server whose COPYUID is wrong is believed no more than it has to be.
#[test]
fn s_21_a_move_that_strayed() {
    let (server, bed) = at_work(Told::Numbers, &[]);
    act(&bed, "move", "Letter 1", &["--to", "Work"]);
    act(&bed, "move", "Letter 3", &["--to", "Work"]);
    server.once("UID MOVE", vec![Act::World(Box::new(replace)), Act::Honest]);
    bed.run(&["sync"]);
    assert!(!numbers(&server, "Work").contains(&"1".to_owned()), "{:?}", numbers(&server, "Work"));
    assert!(server.count("UID MOVE") >= 2, "there and back");
    for _ in 0..2 {
        bed.run(&["sync"]);
    }
    bed.run(&["sync"]).code(0);
    let mut there = numbers(&server, "Old work");
    there.sort();
    assert_eq!(
        (there, numbers(&server, "Work")),
        (["1", "10", "11", "12", "3"].map(str::to_owned).to_vec(), vec!["20".to_owned()])
    );
    assert_eq!((numbers(&server, "INBOX"), queue(&bed)), (vec!["2".to_owned()], vec![]));
    assert_eq!(
        (bed.subjects("Old work").len(), bed.subjects("Work").len(), bed.subjects("INBOX")),
        (5, 1, vec!["Letter 2".to_owned()])
    );

    // The line breaks as soon as it is known, and before that is told.
    let (server, bed) = at_work(Told::Numbers, &[]);
    act(&bed, "move", "Letter 1", &["--to", "Work"]);
    server.once("UID MOVE", vec![Act::World(Box::new(replace)), Act::Honest]);
    server.rule("UID MOVE 2", 0, 1, vec![Act::Close]);
    for _ in 0..3 {
        bed.run(&["sync"]);
    }
    assert_eq!(queue(&bed), [("move".to_owned(), "parked".to_owned())]);
    bed.run(&["--offline", "queue"]).code(0).says("another mailbox has its name now");
    assert_eq!(numbers(&server, "Work"), ["20", "1"]);

    // It went where it was meant to go.
    let (server, bed) = at_work(Told::Numbers, &[]);
    act(&bed, "move", "Letter 1", &["--to", "Work"]);
    let validity = server.world().folder("Work").validity;
    server.once("UID MOVE", vec![replaced(format!("COPYUID {validity} "), "COPYUID 4711 ")]);
    bed.run(&["sync"]).code(0);
    assert_eq!((numbers(&server, "Work"), queue(&bed)), (["10", "11", "12", "1"].map(str::to_owned).to_vec(), vec![]));
    assert_eq!((numbers(&server, "INBOX"), bed.subjects("Work").len()), (["2", "3"].map(str::to_owned).to_vec(), 4));
}
