//! names — S-23 to S-27: names and words of servers. They name no file, end no line, and are obeyed by no terminal.
//! Start reading at: `NAMES`.

use super::bed::{Bed, files};
use super::imap::{Folder, letter};
use super::oracle;
use super::screen::Screen;
use super::wire::{Act, GREETING, MAIL, Server, Tls, first, say};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// As they go over the wire.
const NAMES: [&[u8]; 22] = [
    b"../../../.ssh/authorized_keys",
    b"/etc/passwd",
    b".",
    b"..",
    b"a/../../b",
    b"&AAA-",
    b"&ABsAXQAwADsAeAAH-",
    b"&AJs-",
    b"&AA0ACg-",
    b"&IC4-",
    b"&2D0-",
    b"&AC8-",
    b"&ACo-",
    b"&AGE-",
    b"&",
    b"&AAA",
    b"\xff\xfe",
    b"A\r\nB DELETE x",
    b"x\" \r\nA99 DELETE INBOX\r\n",
    b"\x1b]52;c;UFdO\x07PWN",
    b"$(touch PWN)`id`;|",
    b"%s%n*",
];

/// What the screen shows of them, where it is not what they say: what would be nothing to be read, or is no text at all, as the server
/// wrote it.
const SHOWN: [&str; 14] = [
    "␀",
    "␛]0;x␇",
    "&AJs-",
    "␍␊",
    "&IC4-",
    "&2D0-",
    "/",
    "*",
    "&",
    "&AAA",
    "\\xff\\xfe",
    "A␍␊B DELETE x",
    "␛]52;c;UFdO␇PWN",
    "x\" ␍␊A99 DELET…",
];

/// S-23: names that lead elsewhere, end the line or drive the terminal. Each is a mailbox like others: its letters are read,
/// and it is asked for with exactly its own octets.
#[test]
fn s_23_names() {
    let server = Server::imap();
    for name in NAMES {
        let mut folder = Folder { name: name.to_vec(), ..Folder::new("") };
        folder.add(letter(50));
        server.world().folders.push(folder);
    }
    server.once(
        "LIST",
        vec![first(
            [
                b"* LIST () \"/\" \"\"\r\n* LIST () \"/\" \"",
                &vec![b'n'; 100_000][..],
                b"\"\r\n* LIST () \"/\" \"",
                &b"d/".repeat(10_000),
                b"\"\r\n",
            ]
            .concat(),
        )],
    );
    let bed = Bed::at(&server);
    let place = |bed: &Bed| {
        let mut all = BTreeSet::new();
        files(&bed.path(""), &mut |path| {
            let name = path.strip_prefix(bed.path("")).unwrap().display().to_string();
            all.insert(name);
        });
        all
    };
    bed.run(&["sync", "--bodies", "all"]).code(0);
    for name in place(&bed) {
        let known = ["ca.pem", "pw", "config.toml"].contains(&name.as_str())
            || ["data/", "state/", "run/"].iter().any(|d| name.starts_with(d));
        assert!(known && !name.contains("..") && !name.contains("PWN") && name.is_ascii(), "{name:?}");
        assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b"./_-".contains(&b)), "{name:?}");
    }
    // Each was selected, by the octets that the server uses; what does not fit between quotes as a literal.
    let lines: Vec<String> = server.heard().into_iter().map(|h| h.line).collect();
    for name in NAMES {
        let plain = name.iter().all(|b| (b' '..=b'~').contains(b));
        let text = String::from_utf8_lossy(name).into_owned();
        let quoted = format!("SELECT \"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        let told = if plain { lines.iter().any(|l| l.contains(&quoted)) } else { lines.contains(&text) };
        assert!(told, "{text:?} was not selected");
    }
    assert!(lines.iter().filter(|l| l.starts_with("A99")).count() == 0, "a name became a command");
    // They are shown, as text.
    let listed = bed.run(&["--offline", "mailboxes"]).code(0).out;
    assert!(listed.lines().count() >= NAMES.len() && !listed.contains(|c: char| c.is_control() && c != '\n'), "{listed:?}");
    let rows = bed.run(&["--offline", "mailboxes", "--json"]).code(0).json();
    let read = rows.as_array().unwrap().iter().filter(|r| r["total"] == 1).count();
    assert_eq!(read, NAMES.len(), "{listed}");
    // What has no name, or one beyond any measure, is none (`MAX_NAME` of `src/net/imap/untagged.rs`).
    assert_eq!(rows.as_array().unwrap().len(), server.world().folders.len(), "{listed}");
    let mut screen = Screen::start(&bed.path(""));
    screen.shows("Trash");
    // In the list of mailboxes each has a line of its own, with the one letter in it: what is no text as it was written.
    let text = screen.text();
    let words = |line: &str| line.split('│').next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    let lines: Vec<String> = text.lines().map(words).collect();
    for shown in SHOWN {
        let line = format!("{shown} 1");
        assert_eq!(lines.iter().filter(|l| **l == line).count(), 1, "`{line}` is not on the screen: {lines:?}");
    }
    for _ in 0..30 {
        screen.press("]");
    }
    screen.press("Q");
    let raw = screen.raw();
    screen.ends();
    oracle::obeys_only_us(&raw);
}

/// S-24: such a name as the place to move to, to copy to, to make and to subscribe: the server hears one command each.
#[test]
fn s_24_no_injection() {
    let server = Server::imap();
    let evil = b"x\" \r\nA99 DELETE INBOX\r\n";
    server.world().folders.push(Folder { name: evil.to_vec(), ..Folder::new("") });
    let bed = Bed::at(&server);
    bed.run(&["sync"]).code(0);
    let rows = bed.run(&["--offline", "mailboxes", "--json"]).code(0).json();
    let name =
        rows.as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap()).find(|n| n.contains("A99")).unwrap().to_owned();
    let id = |n: u32| bed.id("INBOX", &format!("Letter {n}"));
    bed.run(&["--offline", "move", &id(1), "--to", &name]).code(0);
    bed.run(&["--offline", "copy", &id(2), "--to", &name]).code(0);
    for keyword in ["a b", "a\r\nA99 NOOP", "x\")", "\\Seen \\Deleted", "{3}"] {
        let ran = bed.run(&["--offline", "flag", &id(3), "--add", keyword]);
        assert_ne!(ran.code, 0, "{keyword:?} is no keyword");
    }
    bed.run(&["sync"]).code(0);
    assert_eq!(server.world().folders.last().unwrap().mails.len(), 2);
    for made in ["y\" \r\nA99 DELETE INBOX\r\n", "z\\\"q", "новая"] {
        bed.run(&["mailbox", "create", made]);
    }
    bed.run(&["sync"]);
    assert!(server.heard().iter().all(|h| !h.line.starts_with("A99") && !h.line.contains("A99 NOOP")));
}

/// S-25: delimiters and trees that are odd are a tree all the same.
#[test]
fn s_25_odd_trees() {
    let server = Server::imap();
    let odd = "* LIST () NIL \"a/b\"\r\n* LIST () \"\\\\\" \"c\\\\d\"\r\n* LIST () \"\\\"\" \"e\\\"f\"\r\n* LIST () \"ab\" gabh\r\n\
        * LIST (\\Noselect) \"/\" parent\r\n* LIST () \"/\" gone/child\r\n* LIST () \"/\" Twice\r\n* LIST () \".\" Twice\r\n* LIST () \"/\" inbox\r\n";
    server.always("LIST", vec![first(odd)]);
    let bed = Bed::at(&server);
    bed.run(&["sync"]);
    let rows = bed.run(&["--offline", "mailboxes", "--json"]).code(0).json();
    let names: Vec<&str> = rows.as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap()).collect();
    for name in ["a/b", "c\\d", "e\"f", "gabh", "gone/child", "Twice", "INBOX"] {
        assert_eq!(names.iter().filter(|n| **n == name).count(), 1, "{name} in {names:?}");
    }
    assert_eq!(bed.subjects("INBOX").len(), 3, "however it is written");
    let mut screen = Screen::start(&bed.path(""));
    screen.shows("Twice");
    screen.shows("Letter 3");
    screen.press("Q");
    screen.ends();
}

/// S-26: whatever a server says, wherever: shown clean and cut.
#[test]
fn s_26_words_of_servers() {
    let evil = b"\x1b]52;c;UFdO\x07\x1b[31;1;4mPWN\x1b[0m\xc2\x9b2J\xe2\x80\xae\xff\xfe\x9b";
    // Just what still is a line.
    let long = vec![b'x'; 1_000_000];
    let places: [(&'static str, &str, bool, &'static str); 6] = [
        ("<greeting>", "* BYE ", true, ""),
        ("AUTHENTICATE", "%T NO [AUTHENTICATIONFAILED] ", true, "refused the login"),
        ("AUTHENTICATE", "%T BAD ", false, "refused the login"),
        ("LIST", "%T NO ", true, ""),
        ("SELECT", "%T NO [UNAVAILABLE] ", true, "cannot be read"),
        ("LIST", "* BYE ", false, ""),
    ];
    std::thread::scope(|all| {
        for (place, head, endless, seen) in places {
            let tail = if endless { long.clone() } else { Vec::new() };
            let words = [head.as_bytes(), &evil[..], &tail, b"\r\n"].concat();
            all.spawn(move || {
                let server = Server::imap();
                server.always(place, vec![say(words), Act::Stall(Duration::from_millis(100)), Act::Close]);
                let bed = Bed::at(&server);
                for ran in [bed.run(&["sync"]), bed.run(&["account", "test"])] {
                    for text in [&ran.out, &ran.err] {
                        assert!(!text.contains(|c: char| c.is_control() && c != '\n') && !text.contains('\u{202e}'), "{text:?}");
                        assert!(text.lines().all(|l| l.len() < 1_500), "{}", text.len());
                    }
                }
                assert!(!bed.log().contains(['\x1b', '\x07', '\u{9b}']));
                if !seen.is_empty() {
                    let mut screen = Screen::start(&bed.path(""));
                    screen.shows(seen);
                    screen.press("Q");
                    let raw = screen.raw();
                    screen.ends();
                    oracle::obeys_only_us(&raw);
                }
            });
        }
    });
}

/// S-26: the same of a server that takes mail, in each answer that it can give: head-less, in the outbox, on the screen, in the
/// log. The mail is still there.
#[test]
fn s_26_words_of_submission() {
    let evil = b"\x1b]52;c;UFdO\x07\x1b[31;1;4mPWN\x1b[0m\xc2\x9b2J\xe2\x80\xae\xff\xfe\x9b";
    let long = vec![b'x'; 1_000_000];
    let answer =
        |code: &str, tail: &[u8]| [code.as_bytes(), b"-", evil, b"\r\n", code.as_bytes(), b" ", evil, tail, b"\r\n"].concat();
    let places: [(&'static str, &str, bool); 9] = [
        (GREETING, "554", false),
        ("EHLO", "550", false),
        ("AUTH", "535", false),
        ("AUTH", "454", true),
        ("MAIL FROM", "550", false),
        ("RCPT TO", "550", true),
        ("RCPT TO", "451", false),
        ("DATA", "554", false),
        (MAIL, "554", true),
    ];
    std::thread::scope(|all| {
        for (n, (place, code, endless)) in places.into_iter().enumerate() {
            let tail = if endless { long.clone() } else { Vec::new() };
            let words = answer(code, &tail);
            all.spawn(move || {
                let (imap, smtp) = (Server::imap(), Server::smtp_over(Tls::None));
                smtp.always(place, vec![say(words), Act::Stall(Duration::from_millis(100)), Act::Close]);
                let mut bed = Bed::new();
                bed.account("a", &imap, Some(&smtp), "");
                bed.write("mail", "To: b@x.example\nSubject: A letter\n\nText.\n");
                let taken = bed.send(&["--wait"]);
                assert_ne!(taken.code, 0, "{place} {code}: {taken:?}");
                let listed = bed.run(&["--offline", "outbox", "list"]).code(0);
                assert!(listed.out.contains("A letter"), "{place} {code}: {listed:?}");
                let tested = bed.run(&["account", "test"]);
                for text in [&taken.out, &taken.err, &listed.out, &listed.err, &tested.out, &tested.err] {
                    assert!(!text.contains(|c: char| c.is_control() && c != '\n') && !text.contains('\u{202e}'), "{text:?}");
                    assert!(text.lines().all(|l| l.len() < 1_500), "{place} {code}: {}", text.len());
                }
                assert!(!bed.log().contains(['\x1b', '\x07', '\u{9b}']), "{place} {code}");
                if n % 3 == 2 {
                    let mut screen = Screen::start(&bed.path(""));
                    screen.shows("Letter 3");
                    screen.press("go");
                    screen.shows("A letter");
                    screen.press("Q");
                    let raw = screen.raw();
                    screen.ends();
                    oracle::obeys_only_us(&raw);
                }
            });
        }
    });
}

/// S-27: news without number while it waits: told together, drawn rarely, and the next news are heard. How IDLE ends is in
/// `src/net/imap/tests.rs`; when a dead line is found in `src/net/dial.rs`; suspended machines are in `tests/it`.
#[test]
fn s_27_idle_floods() {
    let server = Server::imap();
    let flood: String = (0..1_000_000).map(|n| format!("* {} EXISTS\r\n", 3 + n % 2)).collect();
    server.rule("IDLE", 1, 1, vec![say("+ idling\r\n"), say(flood), Act::Stall(Duration::from_secs(2))]);
    // And a good-bye: it comes back by itself.
    server.rule("IDLE", 0, 1, vec![say("+ idling\r\n* BYE tired\r\n"), Act::Close]);
    let bed = Bed::at(&server);
    let mut screen = Screen::start(&bed.path(""));
    screen.shows("Letter 3");
    std::thread::sleep(Duration::from_secs(4));
    let drawn = screen.raw().len();
    std::thread::sleep(Duration::from_secs(2));
    // After the flood: what is new is seen.
    server.world().inbox().add(letter(4));
    screen.until("Letter 4", Duration::from_secs(30), |text| text.contains("Letter 4"));
    assert!(drawn < 200_000, "{drawn} bytes to the screen");
    // A list that is full.
    let mut next = 5;
    for _ in 0..60 {
        server.world().inbox().add(letter(next));
        next += 1;
    }
    screen.press("gg");
    screen.until("all of them", Duration::from_secs(30), |text| text.contains("64 unread of 64"));
    // For a second after a key what comes is drawn at once (`AFTER_KEY` of `src/app/pace.rs`).
    std::thread::sleep(Duration::from_millis(1_500));
    // News that are to be seen, a hundred a second: drawn at most four times in one. Each time another count is shown.
    let (begun, mut counts) = (Instant::now(), BTreeSet::new());
    while begun.elapsed() < Duration::from_secs(3) {
        server.world().inbox().add(letter(next));
        next += 1;
        std::thread::sleep(Duration::from_millis(10));
        let text = screen.text();
        counts.extend(text.split_once(" unread of ").and_then(|(_, rest)| rest.split_whitespace().next()?.parse::<u32>().ok()));
    }
    let (frames, took) = (counts.len(), begun.elapsed());
    println!("{frames} times drawn in {took:?}");
    let all = format!("of {}", next - 1);
    screen.until(&all, Duration::from_secs(30), |text| text.contains(&all));
    screen.press("gg");
    let last = format!("Letter {}", next - 1);
    screen.until(&last, Duration::from_secs(30), |text| text.contains(&last));
    assert!((2.0..=4.0 * took.as_secs_f64() + 4.0).contains(&(frames as f64)), "{frames} times drawn in {took:?}");
    screen.press("Q");
    screen.ends();
    // Refused, and an IDLE that is never confirmed or never ended: the program ends all the same.
    for acts in [
        vec![say("%T BAD what\r\n")],
        vec![Act::Stall(Duration::from_secs(60))],
        vec![say("+ idling\r\n"), Act::Stall(Duration::from_secs(60))],
    ] {
        let server = Server::imap();
        server.always("IDLE", acts);
        let bed = Bed::at(&server);
        let mut screen = Screen::start(&bed.path(""));
        screen.shows("Letter 3");
        std::thread::sleep(Duration::from_millis(500));
        screen.press("Q");
        screen.ends();
        assert!(server.heard().len() < 200, "{}", server.heard().len());
    }
}
