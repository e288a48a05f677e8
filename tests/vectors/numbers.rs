//! numbers — S-21, S-22: mailboxes numbered anew, under other names, again and again, while wishes wait. A wish follows its own message
//! (EMAILID, MAILBOXID, where the server has them), waits, or asks the person; the number alone is nobody.
//! Start reading at: the tests. What has no such names is in `wishes.rs` and `details.rs`.

use super::bed::Bed;
use super::imap::{Folder, Mail, World, letter};
use super::screen::Screen;
use super::wire::{Act, Server, replaced};
use super::wishes::{act, in_step, queue};

/// A server that names messages and mailboxes by itself (RFC 8474, or as Gmail does), and a profile in step with it.
fn named(caps: &str, more: impl Fn(&mut World)) -> (Server, Bed) {
    let server = Server::imap();
    server.world().caps.push_str(&format!(" {caps}"));
    more(&mut server.world());
    let bed = Bed::at(&server);
    bed.run(&["sync", "--bodies", "all"]).code(0);
    (server, bed)
}

/// The commands that change something, from the `from`th line on.
fn changes(server: &Server, from: usize) -> Vec<String> {
    let words = ["UID MOVE", "UID STORE", "UID EXPUNGE", "UID COPY", "APPEND"];
    let lines = server.heard().into_iter().skip(from).map(|h| h.line);
    // Without its tag.
    lines.filter(|l| words.iter().any(|w| l.contains(w))).map(|l| l.split_once(' ').unwrap().1.to_owned()).collect()
}

fn flagged(world: &mut World, folder: &str) -> Vec<u32> {
    let with = |m: &&Mail| m.flags.contains("\\Flagged");
    world.folder(folder).mails.iter().filter(with).map(|m| m.uid).collect()
}

/// S-21: by EMAILID, and by X-GM-MSGID: found although another message looks the same; not taken for another that looks the same; of two with one
/// EMAILID neither. Nothing is told to the numbers of old.
#[test]
fn s_21_by_email_id() {
    for caps in ["OBJECTID", "X-GM-EXT-1"] {
        by_their_own_name(caps);
    }
}

fn by_their_own_name(caps: &str) {
    let (server, bed) = named(caps, |world| {
        (4..=6).for_each(|n| {
            world.inbox().add(letter(n));
        });
    });
    act(&bed, "flag", "Letter 1", &["--add", "flagged"]);
    act(&bed, "delete", "Letter 5", &[]);
    act(&bed, "move", "Letter 6", &["--to", "Archive"]);
    act(&bed, "delete", "Letter 4", &["--forever"]);
    act(&bed, "copy", "Letter 3", &["--to", "Archive"]);
    {
        let mut world = server.world();
        let inbox = world.inbox();
        let of = |uid: u32, n: u32, object: &str| {
            let raw = letter(n);
            Mail {
                object: if object.is_empty() { Mail::new(0, raw.clone()).object } else { object.to_owned() },
                ..Mail::new(uid, raw)
            }
        };
        (inbox.validity, inbox.next) = (8, 20);
        // 1 is where 6 was; where 5 was is what looks like 5; 3 is there twice by one EMAILID; what looks like 4 is not 4.
        inbox.mails =
            vec![of(3, 3, ""), of(4, 4, "M77"), of(5, 5, "M88"), of(6, 1, ""), of(9, 5, ""), of(10, 3, ""), of(12, 6, "")];
    }
    let before = server.heard().len();
    bed.run(&["sync"]);
    bed.run(&["sync"]);
    let mut told = changes(&server, before);
    told.sort();
    assert_eq!(told, ["UID MOVE 12 \"Archive\"", "UID MOVE 9 \"Trash\"", "UID STORE 6 +FLAGS.SILENT (\\Flagged)"]);
    let mut left = queue(&bed);
    left.sort();
    assert_eq!(left, [("copy".to_owned(), "parked".to_owned()), ("expunge".to_owned(), "parked".to_owned())]);
    let shown = bed.run(&["--offline", "queue"]).code(0).out;
    assert_eq!(shown.matches("not found again without doubt").count(), 2, "{shown}");
    // What is known of each message stays with it: its text is not fetched again, the strangers' are.
    assert_eq!(bed.subjects("Trash"), ["Letter 5"]);
    bed.run(&["sync", "--bodies", "all"]);
    let told = |n: u32| server.world().told.get(&format!("Letter {n}")).copied();
    assert_eq!([1, 2, 4, 5, 6].map(told), [Some(1), Some(1), Some(2), Some(2), Some(1)]);
}

/// The same where nothing names mailboxes and all are numbered alike: that the new one has given fewer numbers tells that it is another one.
/// What was cached of the mailbox before is not shown in its place, and what is the same message stays.
#[test]
fn s_21_a_mailbox_that_counts_anew() {
    for caps in ["", "CONDSTORE"] {
        let (server, bed) = named(caps, |world| {
            world.folders.push(Folder::new("Work"));
            (10..=13).for_each(|n| {
                world.folder("Work").add(letter(n));
            });
        });
        {
            let mut world = server.world();
            world.folder("Work").name = b"Old work".to_vec();
            let mut new = Folder::new("Work");
            new.add(letter(20));
            // Somebody copied this one.
            let same = world.folder("Old work").mails[1].clone();
            new.add(letter(11));
            new.mails[1] = same;
            world.folders.push(new);
        }
        bed.run(&["sync", "--bodies", "all"]).code(0);
        assert_eq!(bed.subjects("Work"), ["Letter 11", "Letter 20"], "{caps}");
        let shown = bed.run(&["--offline", "show", &bed.id("Work", "Letter 20")]).code(0).out;
        assert!(shown.contains("the text of letter 20") && !shown.contains("letter 10"), "{caps}: {shown}");
        assert_eq!(bed.subjects("Old work").len(), 4, "{caps}");
        // In step: nothing of it is asked for again.
        let before = server.heard().len();
        bed.run(&["sync", "--bodies", "all"]).code(0);
        let again: Vec<String> = server.heard().into_iter().skip(before).map(|h| h.line).collect();
        assert!(!again.iter().any(|line| line.contains("INTERNALDATE") || line.contains("BODY")), "{caps}: {again:?}");
    }
}

/// S-21 for whole mailboxes: another client renames one and gives its name to a new one, with the same UIDVALIDITY and the same
/// numbers in it. What was wished goes to the messages that were meant, under their new name (MAILBOXID).
#[test]
fn s_21_by_mailbox_id() {
    let (server, bed) = named("OBJECTID", |world| {
        world.folders.push(Folder::new("Work"));
        (10..=12).for_each(|n| {
            world.folder("Work").add(letter(n));
        });
    });
    let id = |n: u32| bed.id("Work", &format!("Letter {n}"));
    bed.run(&["--offline", "flag", &id(10), "--add", "flagged"]).code(0);
    bed.run(&["--offline", "move", &id(11), "--to", "Archive"]).code(0);
    {
        let mut world = server.world();
        world.folder("Work").name = b"Old work".to_vec();
        let mut new = Folder { object: "F-another".to_owned(), ..Folder::new("Work") };
        (20..=22).for_each(|n| {
            new.add(letter(n));
        });
        world.folders.push(new);
    }
    let before = server.heard().len();
    bed.run(&["sync", "--bodies", "all"]);
    bed.run(&["sync", "--bodies", "all"]).code(0);
    let mut world = server.world();
    assert_eq!((flagged(&mut world, "Old work"), flagged(&mut world, "Work")), (vec![1], vec![]));
    let subjects = |world: &mut World, name: &str| -> Vec<String> {
        let raws = world.folder(name).mails.iter().map(|m| m.raw.clone());
        raws.map(|raw| super::words::field(&raw, "Subject").replace("Letter ", "")).collect()
    };
    assert_eq!(subjects(&mut world, "Old work"), ["10", "12"]);
    assert_eq!(
        (subjects(&mut world, "Work"), subjects(&mut world, "Archive")),
        (vec!["20".into(), "21".into(), "22".into()], vec!["11".into()])
    );
    drop(world);
    assert_eq!((changes(&server, before).len(), queue(&bed)), (2, vec![]));
    assert_eq!(bed.subjects("Work"), ["Letter 20", "Letter 21", "Letter 22"]);
    assert_eq!(bed.subjects("Old work"), ["Letter 10", "Letter 12"]);
    for n in [10, 11, 12, 20] {
        assert_eq!(server.world().told[&format!("Letter {n}")], 1, "letter {n} is fetched once");
    }
}

/// S-22: what was wished before the mailbox became read-only says why it waits, where it is listed and on the screen; nothing is told
/// by numbers that do not last. Once they last it is done, to the messages that were meant; where there is none, the person is told.
#[test]
fn s_22_what_waits() {
    let (server, bed) = in_step(6);
    let flip = |w: &mut World| {
        let inbox = w.inbox();
        inbox.validity ^= 3;
        // Whoever went by the number would meet another letter.
        inbox.mails.reverse();
        (1..).zip(&mut inbox.mails).for_each(|(uid, mail)| mail.uid = uid);
    };
    server.always("SELECT \"INBOX\"", vec![Act::World(Box::new(flip)), Act::Honest]);
    (0..3).for_each(|_| drop(bed.run(&["sync"]).code(0)));
    act(&bed, "flag", "Letter 1", &["--add", "flagged"]);
    act(&bed, "move", "Letter 2", &["--to", "Archive"]);
    act(&bed, "copy", "Letter 3", &["--to", "Archive"]);
    let before = server.heard().len();
    bed.run(&["sync"]).code(1).says("read-only until it keeps its numbers; 3 changes wait for that");
    let waits = || {
        let rows = bed.run(&["--offline", "queue", "--json"]).code(0).json();
        let rows = rows.as_array().unwrap().clone();
        assert!(rows.iter().all(|r| r["state"] == "queued"), "{rows:?}");
        rows.iter().filter(|r| r["fault"].as_str().is_some_and(|why| why.contains("read-only until it keeps"))).count()
    };
    assert_eq!(waits(), 3);
    bed.run(&["--offline", "queue"]).code(0).says("the mailbox is numbered anew again and again");
    let mut screen = Screen::start(&bed.path(""));
    screen.shows("3 waiting");
    screen.press("go");
    screen.shows("waits: the mailbox is numbered anew");
    screen.press("Q");
    screen.ends();
    bed.run(&["sync"]).code(1);
    assert_eq!((waits(), changes(&server, before)), (3, vec![]));
    // It keeps its numbers from now on, for an hour; the second letter is gone by then.
    server.heal();
    {
        let mut world = server.world();
        world.inbox().mails.retain(|m| m.raw != letter(2));
        // Others than any that were shown.
        world.inbox().validity = 9;
    }
    bed.run(&["sync"]).code(1);
    let cache = rusqlite::Connection::open(bed.path("data/cache.sqlite")).unwrap();
    cache.execute("UPDATE trouble SET seen_since = seen_since - 3601", []).unwrap();
    cache.execute("UPDATE renumbered SET at = at - 3601", []).unwrap();
    drop(cache);
    bed.run(&["sync"]).code(0).says("not found again without doubt");
    bed.run(&["sync"]).code(0);
    assert_eq!(queue(&bed), [("move".to_owned(), "parked".to_owned())]);
    let mut world = server.world();
    let there: Vec<Vec<u8>> =
        world.inbox().mails.iter().filter(|m| m.flags.contains("\\Flagged")).map(|m| m.raw.clone()).collect();
    let archived: Vec<Vec<u8>> = world.folder("Archive").mails.iter().map(|m| m.raw.clone()).collect();
    assert_eq!((there, archived, world.inbox().mails.len()), (vec![letter(1)], vec![letter(3)], 5));
    drop(world);
    assert_eq!(changes(&server, before).len(), 2);
    assert_eq!(bed.subjects("INBOX"), [1, 3, 4, 5, 6].map(|n| format!("Letter {n}")));
}

/// S-22: a UIDVALIDITY that is none: nothing is told by numbers that nobody vouches for; what is wished waits, and is done, once, when
/// the mailbox has its own again.
#[test]
fn s_22_numbers_that_are_none() {
    for none in ["UIDVALIDITY 0", "UIDVALIDITY 99999999999", "X 1"] {
        let (server, bed) = in_step(3);
        act(&bed, "flag", "Letter 1", &["--add", "flagged"]);
        act(&bed, "move", "Letter 2", &["--to", "Archive"]);
        let before = server.heard().len();
        server.always("SELECT", vec![replaced("UIDVALIDITY 7", none)]);
        bed.run(&["sync"]);
        bed.run(&["sync"]);
        assert_eq!((changes(&server, before), queue(&bed).len()), (vec![], 2), "{none}");
        server.heal();
        bed.run(&["sync"]);
        bed.run(&["sync"]).code(0);
        assert_eq!((changes(&server, before).len(), queue(&bed)), (2, vec![]), "{none}");
        let mut world = server.world();
        assert_eq!((flagged(&mut world, "INBOX"), world.folder("Archive").mails.len()), (vec![1], 1), "{none}");
    }
}
