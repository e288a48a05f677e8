//! wishes — S-13 to S-16, S-21, S-22, S-29: what a person did, told to servers that break off, renumber, refuse and
//! lie. It is done once, to the right message, or it is still there to be seen.
//! Start reading at: `Bed::at`, then `queue`.

use super::bed::Bed;
use super::imap::{World, letter};
use super::screen::Screen;
use super::wire::{Act, Server, first, replaced, say};
use serde_json::Value;
use std::time::{Duration, Instant};

/// What the server has not confirmed: kind and state.
pub fn queue(bed: &Bed) -> Vec<(String, String)> {
    let rows: Value = bed.run(&["--offline", "queue", "--json"]).code(0).json();
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    rows.as_array().unwrap().iter().map(|r| (text(r, "kind"), text(r, "state"))).collect()
}

fn subjects(numbers: &[u32]) -> Vec<String> {
    numbers.iter().map(|n| format!("Letter {n}")).collect()
}

/// A profile in step with an inbox of `n` letters, their texts here.
pub fn in_step(n: u32) -> (Server, Bed) {
    let server = Server::imap();
    (4..=n).for_each(|n| {
        server.world().inbox().add(letter(n));
    });
    let bed = Bed::at(&server);
    bed.run(&["sync", "--bodies", "all"]).code(0);
    (server, bed)
}

#[track_caller]
pub fn act(bed: &Bed, verb: &str, subject: &str, more: &[&str]) {
    let id = bed.id("INBOX", subject);
    bed.run(&[&["--offline", verb, &id], more].concat()).code(0);
}

/// S-13: who went is found by number, whatever stands between the rows; a word about billions costs nothing, and what is
/// said to have gone with most of the others is looked at before it is believed.
#[test]
fn s_13_vanished() {
    let (server, bed) = in_step(8);
    server.world().inbox().mails.remove(2);
    server.always(
        "(UID FLAGS)",
        vec![Act::Edit(Box::new(|honest| {
            let at = honest.windows(2).position(|w| w == b"\r\n").unwrap() + 2;
            [&honest[..at], b"* 3 EXPUNGE\r\n* VANISHED 1:4294967295\r\n* VANISHED (EARLIER) 1:*\r\n", &honest[at..]].concat()
        }))],
    );
    let ran = bed.run(&["sync"]);
    assert!(ran.took < Duration::from_secs(10), "{ran:?}");
    server.heal();
    bed.run(&["sync"]).code(0);
    assert_eq!(bed.subjects("INBOX"), subjects(&[1, 2, 4, 5, 6, 7, 8]));
    // With QRESYNC, at once in the answer to SELECT.
    let server = Server::imap();
    server.world().caps.push_str(" ENABLE CONDSTORE QRESYNC");
    (4..=150).for_each(|n| {
        server.world().inbox().add(letter(n));
    });
    server.always("SELECT", vec![first("* OK [HIGHESTMODSEQ 9] x\r\n")]);
    let bed = Bed::at(&server);
    bed.run(&["sync", "--bodies", "all"]).code(0);
    server.heal();
    server.always("QRESYNC (7", vec![first("* OK [HIGHESTMODSEQ 10] x\r\n* VANISHED (EARLIER) 1:4294967295\r\n")]);
    server.always("SELECT", vec![first("* OK [HIGHESTMODSEQ 10] x\r\n")]);
    server.world().inbox().add(letter(151));
    let asked = server.count("BODY.PEEK[]");
    bed.run(&["sync", "--bodies", "all"]).code(0);
    let all = bed.run(&["--offline", "mailboxes", "--json"]).code(0).json();
    let inbox = all.as_array().unwrap().iter().find(|m| m["name"] == "INBOX").unwrap();
    assert_eq!(inbox["total"], 151);
    assert!(server.count("BODY.PEEK[]") <= asked + 1, "texts that are here are not fetched again");
}

/// S-13: when most of a mailbox vanishes, its texts are kept until a second look says the same.
#[test]
fn s_13_most_of_a_mailbox() {
    for caps in ["", " ENABLE CONDSTORE"] {
        let server = Server::imap();
        server.world().caps.push_str(caps);
        (4..=150).for_each(|n| {
            server.world().inbox().add(letter(n));
        });
        let bed = Bed::at(&server);
        bed.run(&["sync", "--bodies", "all"]).code(0);
        let asked = server.count("BODY.PEEK[]");
        // How many are shown, and how many texts are here.
        let here = || -> (i64, i64) {
            let cache = rusqlite::Connection::open(bed.path("data/cache.sqlite")).unwrap();
            let sql = "SELECT total, (SELECT count(*) FROM message WHERE blob <> '') FROM mailbox WHERE path = 'INBOX'";
            cache.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
        };
        let look = |shown: i64, texts: i64| {
            bed.run(&["sync", "--bodies", "all"]).code(0);
            assert_eq!(here(), (shown, texts), "{caps}");
        };
        assert_eq!(here(), (150, 150));
        // A server that lost most of it for a while.
        let lost = server.world().inbox().mails.split_off(20);
        look(20, 150);
        server.world().inbox().mails.extend(lost);
        look(150, 150);
        assert_eq!(server.count("BODY.PEEK[]"), asked, "texts that are here are not fetched again");
        // Half of it is nothing to doubt; most of it for good is believed at the second look.
        server.world().inbox().mails.truncate(80);
        look(80, 80);
        (151..=300).for_each(|n| {
            server.world().inbox().add(letter(n));
        });
        look(230, 230);
        server.world().inbox().mails.truncate(30);
        look(30, 230);
        look(30, 30);
        look(30, 30);
    }
}

/// S-14: nothing is changed by the number of a row, and nothing is removed that others have marked.
#[test]
fn s_14_by_uid_only() {
    for caps in ["", "UIDPLUS", "MOVE", "UIDPLUS MOVE", "UIDPLUS MOVE CONDSTORE ESEARCH"] {
        let (server, bed) = in_step(8);
        server.world().caps = format!("IMAP4rev1 AUTH=PLAIN SASL-IR {caps}");
        server.world().inbox().mails[0].flags.insert("\\Deleted".to_owned());
        server.always("UID", vec![first("* 1 EXPUNGE\r\n* 1 EXISTS\r\n* 7 EXISTS\r\n")]);
        act(&bed, "flag", "Letter 2", &["--add", "flagged"]);
        act(&bed, "move", "Letter 3", &["--to", "Trash"]);
        act(&bed, "copy", "Letter 4", &["--to", "Trash"]);
        act(&bed, "archive", "Letter 5", &[]);
        act(&bed, "delete", "Letter 6", &["--forever"]);
        bed.run(&["sync"]);
        server.heal();
        bed.run(&["sync"]);
        bed.run(&["sync"]).code(0);
        for h in server.heard() {
            let words: Vec<&str> = h.line.split(' ').collect();
            if let Some(verb) = words.get(1).filter(|v| ["STORE", "COPY", "MOVE", "FETCH", "EXPUNGE"].contains(v)) {
                panic!("{verb} by row: {}", h.line);
            }
            assert!(!h.line.contains(" FLAGS (") && !h.line.contains(" FLAGS.SILENT ("), "flags are never replaced: {}", h.line);
        }
        let there: Vec<u32> = server.world().inbox().mails.iter().map(|m| m.uid).collect();
        assert!(there.contains(&1), "{caps}: {there:?}");
        let mut world = server.world();
        assert_eq!((world.folder("Trash").mails.len(), world.folder("Archive").mails.len()), (2, 1), "{caps}");
        assert!(world.inbox().mails[1].flags.contains("\\Flagged"));
    }
}

/// S-15: a good-bye at any moment: what was wished stays, and is done the next time, once.
#[test]
fn s_15_good_byes() {
    let places = ["<greeting>", "AUTHENTICATE", "LIST", "SELECT", "UID STORE", "UID MOVE", "UID FETCH", "UID SEARCH"];
    for place in places {
        let (server, bed) = in_step(3);
        act(&bed, "flag", "Letter 1", &["--add", "flagged"]);
        act(&bed, "archive", "Letter 2", &[]);
        server.once(place, vec![say("* BYE later\r\n"), Act::Close]);
        bed.run(&["sync"]).code(69);
        assert!(queue(&bed).iter().all(|(_, state)| state != "parked"), "{place}: {:?}", queue(&bed));
        bed.run(&["sync"]).code(0);
        assert_eq!(queue(&bed), [], "{place}");
        let mut world = server.world();
        assert!(world.inbox().mails[0].flags.contains("\\Flagged"), "{place}");
        assert_eq!((world.inbox().mails.len(), world.folder("Archive").mails.len()), (2, 1), "{place}");
        drop(world);
        assert_eq!(bed.subjects("Archive"), subjects(&[2]), "{place}");
    }
}

/// S-15: a good-bye in the middle of the rows that were asked for: what came whole may be kept, and the rest comes the next time.
#[test]
fn s_15_a_good_bye_in_the_middle() {
    for (place, rows) in [("UID FETCH", 1), ("BODY.PEEK[]", 1), ("UID SEARCH", 0)] {
        let (server, bed) = in_step(3);
        (4..=9).for_each(|n| {
            server.world().inbox().add(letter(n));
        });
        act(&bed, "flag", "Letter 1", &["--add", "flagged"]);
        let half = move |honest: Vec<u8>| {
            let text = String::from_utf8(honest).unwrap();
            let end = text.match_indices("* ").nth(rows).map_or(0, |(at, _)| at);
            format!("{}* BYE later\r\n", &text[..end]).into_bytes()
        };
        server.once(place, vec![Act::Edit(Box::new(half)), Act::Close]);
        bed.run(&["sync", "--bodies", "all"]).code(69);
        assert!(queue(&bed).iter().all(|(_, state)| state != "parked"), "{place}: {:?}", queue(&bed));
        bed.run(&["sync", "--bodies", "all"]).code(0);
        assert_eq!((queue(&bed), bed.subjects("INBOX").len()), (vec![], 9), "{place}");
        for n in 1..=9 {
            let text = bed.run(&["--offline", "show", &bed.id("INBOX", &format!("Letter {n}"))]).code(0).out;
            assert!(text.contains(&format!("the text of letter {n}.")), "{place}: {text}");
        }
    }
}

/// S-16: only the answer to what was asked is an answer.
#[test]
fn s_16_tags() {
    for answer in ["zz OK done\r\n", "OK done\r\n", "\x1b[2J OK x\r\n", "* OK done\r\n%T0 OK x\r\n"] {
        let (server, bed) = in_step(3);
        act(&bed, "flag", "Letter 1", &["--add", "flagged"]);
        // Said, and not done.
        server.once("UID STORE", vec![say(answer)]);
        bed.run(&["sync"]).code(76);
        assert_eq!(queue(&bed).len(), 1, "{answer:?}");
        bed.run(&["sync"]).code(0);
        assert!(server.world().inbox().mails[0].flags.contains("\\Flagged") && queue(&bed).is_empty(), "{answer:?}");
    }
    // Answers to commands that were not given yet.
    let (server, bed) = in_step(3);
    server.once("LIST", vec![Act::Honest, say("a4 OK x\r\na5 OK x\r\na6 OK x\r\n")]);
    act(&bed, "flag", "Letter 1", &["--add", "flagged"]);
    bed.run(&["sync"]).code(76);
    bed.run(&["sync"]).code(0);
    assert!(server.world().inbox().mails[0].flags.contains("\\Flagged"));
}

/// S-21: numbered anew while wishes wait: they follow their message, or are kept for the person; the number alone is nobody.
#[test]
fn s_21_renumbered_with_wishes() {
    let (server, bed) = in_step(5);
    act(&bed, "delete", "Letter 2", &[]);
    act(&bed, "move", "Letter 3", &["--to", "Archive"]);
    act(&bed, "delete", "Letter 4", &["--forever"]);
    {
        // 5 is where 2 was, 2 is where 9 is; of 3 there are two, 4 is gone.
        let mut world = server.world();
        let inbox = world.inbox();
        (inbox.validity, inbox.next) = (8, 20);
        inbox.mails = Vec::new();
        for (uid, n) in [(1, 1), (2, 5), (3, 3), (4, 7), (9, 2), (10, 3)] {
            inbox.next = uid;
            inbox.add(letter(n));
        }
    }
    let before = server.heard().len();
    bed.run(&["sync"]);
    let told: Vec<String> = server.heard()[before..].iter().map(|h| h.line.clone()).collect();
    let changes =
        |l: &&String| l.contains("UID MOVE") || l.contains("UID STORE") || l.contains("UID EXPUNGE") || l.contains("UID COPY");
    let changing: Vec<&String> = told.iter().filter(changes).collect();
    assert!(changing.iter().all(|l| l.contains("UID MOVE 9 ")), "{changing:?}");
    let mut world = server.world();
    assert_eq!((world.folder("Trash").mails.len(), world.inbox().mails.len()), (1, 5));
    drop(world);
    let mut left = queue(&bed);
    left.sort();
    assert!(left.contains(&("move".to_owned(), "parked".to_owned())), "two of them: a person decides; {left:?}");
    assert!(bed.run(&["--offline", "queue"]).out.len() > 20);
}

/// S-22: other numbers at each visit: given up for a while, with what is here still to be read.
#[test]
fn s_22_never_the_same_numbers() {
    let (server, bed) = in_step(6);
    server.always("INBOX\"", vec![Act::World(Box::new(|w: &mut World| w.inbox().validity ^= 3)), Act::Honest]);
    let before = server.heard().len();
    let mut screen = Screen::start(&bed.path(""));
    screen.shows("Letter 6");
    for n in 7..=9 {
        std::thread::sleep(Duration::from_millis(1500));
        server.world().inbox().add(letter(n));
    }
    std::thread::sleep(Duration::from_secs(2));
    assert!(screen.text().contains("Letter 6"), "{}", screen.text());
    screen.press("Q");
    screen.ends();
    let heard = server.heard();
    let fetched = heard[before..].iter().filter(|h| h.line.contains("HEADER.FIELDS (FROM ")).count();
    assert!(fetched <= 3 * 4 && heard.len() - before < 300, "{fetched} of {}", heard.len() - before);
    // Numbers that are none: nothing is done by them, nothing here is lost.
    for validity in ["UIDVALIDITY 0", "UIDVALIDITY 99999999999", "X 1"] {
        let (server, bed) = in_step(6);
        server.always("SELECT", vec![replaced("UIDVALIDITY 7", validity)]);
        bed.run(&["sync"]);
        bed.run(&["sync"]);
        assert_eq!(bed.subjects("INBOX").len(), 6, "{validity}");
        let shown = bed.run(&["--offline", "show", &bed.id("INBOX", "Letter 6")]).code(0).out;
        assert!(shown.contains("the text of letter 6"), "{validity}");
    }
}

/// S-29: where a server says that it copied, and where to, and it is not so: nothing leaves its place before it is seen at
/// the other. Where the server has no UIDPLUS nothing is expunged at all.
#[test]
fn s_29_copies_that_are_none() {
    let lies = ["", " [COPYUID 7 2 1:9]", " [COPYUID 7 9:1 1]", " [COPYUID 7 1:3 4:6]"];
    for (n, said) in lies.into_iter().chain(lies).enumerate() {
        let caps = ["UIDPLUS", "UIDPLUS MOVE", ""][n % 3];
        let (server, bed) = in_step(3);
        server.world().caps = format!("IMAP4rev1 AUTH=PLAIN SASL-IR {caps}");
        act(&bed, "move", "Letter 2", &["--to", "Archive"]);
        // Said, and not done.
        server.once("UID COPY", vec![say(format!("%T OK{said} done\r\n"))]);
        server.once("UID MOVE", vec![say(format!("%T OK{said} done\r\n"))]);
        for _ in 0..3 {
            bed.run(&["sync"]);
        }
        let mut world = server.world();
        let marked = |m: &&super::imap::Mail| caps.is_empty() || !m.flags.contains("\\Deleted");
        let at_home = world.inbox().mails.iter().filter(|m| m.raw == letter(2)).filter(marked).count();
        let away = world.folder("Archive").mails.iter().filter(|m| m.raw == letter(2)).count();
        assert_eq!(at_home + away, 1, "{caps}{said}: {at_home} at home, {away} in the archive");
    }
}

/// S-29: done, and told with numbers that cannot be: it is found where it is, once, and what is done to it next reaches it.
#[test]
fn s_29_numbers_of_copies_that_lie() {
    let lies =
        ["", "[COPYUID 7 2 1:9]", "[COPYUID 7 9:1 1]", "[COPYUID 0 2 1]", "[COPYUID 7 2:3 4:5]", "[COPYUID 7 2 4294967296]"];
    std::thread::scope(|all| {
        for (n, lie) in lies.into_iter().enumerate() {
            all.spawn(move || {
                for caps in ["UIDPLUS", "UIDPLUS MOVE"] {
                    let (server, bed) = in_step(3);
                    server.world().caps = format!("IMAP4rev1 AUTH=PLAIN SASL-IR {caps}");
                    let spoil = move |honest: Vec<u8>| {
                        let text = String::from_utf8(honest).unwrap();
                        let Some((head, rest)) = text.split_once("[COPYUID ") else { return text.into_bytes() };
                        let rest = rest.split_once(']').unwrap().1;
                        format!("{head}{lie}{rest}").into_bytes()
                    };
                    server.always("UID COPY", vec![Act::Edit(Box::new(spoil))]);
                    server.always("UID MOVE", vec![Act::Edit(Box::new(spoil))]);
                    act(&bed, "move", "Letter 2", &["--to", "Archive"]);
                    for _ in 0..3 {
                        bed.run(&["sync"]);
                    }
                    let both = |world: &mut World| {
                        let count = |f: &super::imap::Folder| f.mails.iter().filter(|m| m.raw == letter(2)).count();
                        (count(world.inbox()), count(world.folder("Archive")))
                    };
                    assert_eq!(both(&mut server.world()), (0, 1), "{n} {caps}{lie}");
                    assert_eq!(bed.subjects("Archive"), ["Letter 2"], "{caps}{lie}");
                    let id = bed.id("Archive", "Letter 2");
                    bed.run(&["--offline", "flag", &id, "--add", "flagged"]).code(0);
                    bed.run(&["sync"]);
                    let flagged = server.world().folder("Archive").mails.iter().all(|m| m.flags.contains("\\Flagged"));
                    assert!(flagged && queue(&bed).is_empty(), "{caps}{lie}: {:?}", queue(&bed));
                }
            });
        }
    });
}

/// S-29: the same of a mail that was sent and is put into Sent: one copy, whatever number is told for it.
#[test]
fn s_29_numbers_of_sent_copies_that_lie() {
    let lies = ["", "[APPENDUID 7 1:3]", "[APPENDUID 7 0]", "[APPENDUID 9 1]", "[APPENDUID 7 99]", "[APPENDUID 7 4294967296]"];
    std::thread::scope(|all| {
        for lie in lies {
            all.spawn(move || {
                let (imap, smtp) = (Server::imap(), Server::smtp_over(super::wire::Tls::None));
                let spoil = move |honest: Vec<u8>| {
                    let text = String::from_utf8(honest).unwrap();
                    let Some((head, rest)) = text.split_once("[APPENDUID ") else { return text.into_bytes() };
                    format!("{head}{lie}{}", rest.split_once(']').unwrap().1).into_bytes()
                };
                imap.always("APPEND", vec![Act::Edit(Box::new(spoil))]);
                let mut bed = Bed::new();
                bed.account("a", &imap, Some(&smtp), "");
                bed.run(&["sync"]).code(0);
                bed.write("mail", "To: b@x.example\nSubject: A letter\n\nText.\n");
                bed.send(&["--wait"]).code(0);
                // It is looked whether the server files by itself first.
                let begun = Instant::now();
                while imap.world().folder("Sent").mails.is_empty() {
                    assert!(begun.elapsed() < Duration::from_secs(60), "{lie}: never filed");
                    bed.run(&["sync"]);
                }
                for _ in 0..2 {
                    bed.run(&["sync"]);
                }
                let mut world = imap.world();
                assert_eq!((world.folder("Sent").mails.len(), smtp.world().sent.len()), (1, 1), "{lie}");
                drop(world);
                assert_eq!(bed.subjects("Sent"), ["A letter"], "{lie}");
            });
        }
    });
}
