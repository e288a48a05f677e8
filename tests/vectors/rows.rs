//! rows — S-07 to S-11, S-19, S-28: servers whose numbers are wrong. Each message is here once, with its own text.
//! Start reading at: the tests, in the order of their numbers.

use super::bed::Bed;
use super::imap::{Mail, World, letter};
use super::wire::{Act, Server, first, replaced, say};
use std::time::Duration;

fn subjects(numbers: &[u32]) -> Vec<String> {
    let mut all: Vec<String> = numbers.iter().map(|n| format!("Letter {n}")).collect();
    all.sort();
    all
}

/// Letters up to `n`.
fn with(n: u32) -> Server {
    let server = Server::imap();
    (4..=n).for_each(|n| {
        server.world().inbox().add(letter(n));
    });
    server
}

/// S-07: fewer messages without a word about who went.
#[test]
fn s_07_counts_that_shrink() {
    let server = with(10);
    let bed = Bed::at(&server);
    bed.run(&["sync"]).code(0);
    server.world().inbox().mails.retain(|m| m.uid > 7);
    bed.run(&["sync"]).code(0);
    assert_eq!(bed.subjects("INBOX"), subjects(&[8, 9, 10]));
    // In the middle of a visit.
    let server = with(10);
    server.once("UID SEARCH", vec![Act::World(Box::new(|w: &mut World| w.inbox().mails.truncate(3))), first("* 3 EXISTS\r\n")]);
    let bed = Bed::at(&server);
    bed.run(&["sync"]).code(0);
    bed.run(&["sync"]).code(0);
    assert_eq!(bed.subjects("INBOX"), subjects(&[1, 2, 3]));
}

/// S-08: UIDNEXT is a hint: whatever it says, new mail is found, and soon.
#[test]
fn s_08_uidnext_lies() {
    for (there, lie) in
        [("UIDNEXT 4", "UIDNEXT 0"), ("UIDNEXT 4", "X 1"), ("UIDNEXT 4", "UIDNEXT 4294967295"), ("UIDNEXT 4", "UIDNEXT 2")]
    {
        let server = Server::imap();
        server.always("SELECT", vec![replaced(there, lie)]);
        let bed = Bed::at(&server);
        bed.run(&["sync"]).code(0);
        assert_eq!(bed.subjects("INBOX"), subjects(&[1, 2, 3]), "{lie}");
        server.heal();
        server.world().inbox().add(letter(4));
        let lie = lie.to_owned();
        let spoil = move |honest: Vec<u8>| super::wire::replace(&honest, b"UIDNEXT 5", lie.as_bytes());
        let spoil = std::sync::Arc::new(spoil);
        for verb in ["SELECT", "STATUS", "EXAMINE"] {
            let spoil = std::sync::Arc::clone(&spoil);
            server.always(verb, vec![Act::Edit(Box::new(move |honest| spoil(honest)))]);
        }
        let ran = bed.run(&["sync"]).code(0);
        assert!(ran.took < Duration::from_secs(20) && server.heard().len() < 200, "{} commands", server.heard().len());
        assert_eq!(bed.subjects("INBOX"), subjects(&[1, 2, 3, 4]), "{there}");
    }
}

/// S-09: rows that name no message are left out; the others are taken.
#[test]
fn s_09_rows_of_no_message() {
    let server = Server::imap();
    let rows = "* 1 FETCH (UID 0 FLAGS (\\Flagged))\r\n* 2 FETCH (UID 4294967296 FLAGS (\\Flagged))\r\n* 3 FETCH (FLAGS (\\Flagged))\r\n\
        * 0 FETCH (UID 1 FLAGS (\\Flagged))\r\n* 99 FETCH (UID 77 FLAGS (\\Flagged) ENVELOPE (NIL \"EVIL\" NIL NIL NIL NIL NIL NIL NIL NIL))\r\n";
    server.always("FETCH", vec![first(rows)]);
    let bed = Bed::at(&server);
    bed.run(&["sync"]).code(0);
    bed.run(&["sync"]).code(0);
    assert_eq!(bed.subjects("INBOX"), subjects(&[1, 2, 3]));
    assert!(bed.list("INBOX").iter().all(|r| r["flags"] == serde_json::json!([])), "{:?}", bed.list("INBOX"));
    // They were counted: a row with nothing but flags may come of its own accord, the other four name nothing.
    let told = bed.run(&["--offline", "doctor"]).says("INBOX: ").says("rows that named no message were left out").out;
    let count: u32 = told.split("INBOX: ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!(count >= 8 && count.is_multiple_of(4), "{told}");
    assert!(bed.log().contains("rows of no message were left out"));
}

/// S-10: the same UID twice, and out of order: one row each.
#[test]
fn s_10_uids_twice() {
    let server = Server::imap();
    {
        let mut world = server.world();
        let inbox = world.inbox();
        inbox.mails.push(Mail::new(2, letter(9)));
        inbox.mails.swap(0, 2);
    }
    let bed = Bed::at(&server);
    for _ in 0..2 {
        bed.run(&["sync", "--bodies", "all"]).code(0);
        let now = bed.subjects("INBOX");
        assert!(now.len() == 3 && now.contains(&"Letter 1".to_owned()) && now.contains(&"Letter 3".to_owned()), "{now:?}");
    }
    assert!(server.heard().len() < 80, "no end of asking: {}", server.heard().len());
}

/// S-10: such a mailbox is said to be inconsistent, and compared anew once in an hour, until all fits.
#[test]
fn s_10_once_an_hour() {
    let server = Server::imap();
    server.world().caps.push_str(" CONDSTORE");
    server.always("SELECT", vec![first("* OK [HIGHESTMODSEQ 9] x\r\n")]);
    server.world().inbox().mails.push(Mail::new(2, letter(9)));
    let bed = Bed::at(&server);
    bed.run(&["sync"]);
    bed.run(&["--offline", "doctor"]).says("INBOX: the server is inconsistent");
    let visits = |times: usize| {
        let before = server.count("SELECT");
        for _ in 0..times {
            bed.run(&["sync"]).code(0);
        }
        server.count("SELECT") - before
    };
    let an_hour_on = || {
        let cache = rusqlite::Connection::open(bed.path("data/cache.sqlite")).unwrap();
        assert_eq!(cache.execute("UPDATE trouble SET inconsistent = inconsistent - 3600", []).unwrap(), 1);
    };
    // Its count is one too high for ever: nobody asks each time.
    assert_eq!(visits(4), 0);
    an_hour_on();
    assert_eq!(visits(4), 1);
    // News are found all the same.
    server.world().inbox().add(letter(4));
    assert_eq!(visits(2), 1);
    assert!(bed.subjects("INBOX").contains(&"Letter 4".to_owned()));
    server.world().inbox().mails.retain(|m| m.raw != letter(9));
    bed.run(&["--offline", "doctor"]).says("INBOX: the server is inconsistent");
    an_hour_on();
    visits(1);
    let told = bed.run(&["--offline", "doctor"]).out;
    assert!(!told.contains("inconsistent"), "{told}");
    assert_eq!(bed.subjects("INBOX"), subjects(&[1, 2, 3, 4]));
}

/// S-11: the text of another message is never kept as that of the one that was asked for.
#[test]
fn s_11_another_text() {
    let other = "Subject: Letter 8\r\n\r\nPWN8";
    let as_literal = format!("{{{}}}\r\n{other}", other.len());
    for row in [format!("UID 8 BODY[] {as_literal}"), format!("BODY[] {as_literal} UID 8"), format!("BODY[] {as_literal}")] {
        let server = Server::imap();
        server.once("BODY.PEEK[]", vec![say(format!("* 3 FETCH ({row})\r\n%T OK x\r\n"))]);
        server.once("BODY.PEEK[]", vec![first(format!("* 3 FETCH ({row})\r\n"))]);
        let bed = Bed::at(&server);
        // Each of the two lies may cost a connection.
        bed.run(&["sync", "--bodies", "all"]);
        bed.run(&["sync", "--bodies", "all"]);
        bed.run(&["sync", "--bodies", "all"]).code(0);
        for n in 1..=3 {
            let text = bed.run(&["--offline", "show", &bed.id("INBOX", &format!("Letter {n}"))]).code(0).out;
            assert!(text.contains(&format!("the text of letter {n}")) && !text.contains("PWN8"), "{row}: {text}");
        }
    }
}

/// S-19: numbers of change that cannot be, or go back: flags are asked for in full, no change is passed over.
#[test]
fn s_19_modseq_lies() {
    for highest in ["18446744073709551616", "0", "9", "2", "NIL", "9223372036854775807"] {
        let server = Server::imap();
        server.world().caps.push_str(" CONDSTORE");
        let told = |n: &str| first(format!("* OK [HIGHESTMODSEQ {n}] x\r\n"));
        server.always("SELECT", vec![told("9")]);
        let bed = Bed::at(&server);
        bed.run(&["sync"]).code(0);
        server.heal();
        server.always("SELECT", vec![told(highest)]);
        server.world().inbox().mails[0].flags.insert("\\Flagged".to_owned());
        server.world().inbox().mails.remove(1);
        server.world().inbox().add(letter(4));
        // With the same number the server says that no flag changed: then only messages that came and went count.
        bed.run(&["sync"]).code(0);
        assert_eq!(bed.subjects("INBOX"), subjects(&[1, 3, 4]), "{highest}");
        let flagged = bed.list("INBOX").iter().filter(|r| r["flags"] == serde_json::json!(["flagged"])).count();
        assert_eq!(flagged, usize::from(highest != "9"), "{highest}");
    }
}

/// What is said of a message of which the server told something else.
pub const UNTRUE: &str = "[The server told of another sender, subject, size or file than there is.]";

/// S-28: what the server says of a message and what the message is differ: once it is here, the message itself counts.
#[test]
fn s_28_envelopes_that_lie() {
    let server = Server::imap();
    // As long as what is true.
    server.always("HEADER.FIELDS (FROM ", vec![replaced("Subject: Letter 3", "Subject: Untruth!")]);
    let bed = Bed::at(&server);
    bed.run(&["sync"]).code(0);
    let id = bed.id("INBOX", "Untruth!");
    bed.run(&["sync", "--bodies", "all"]).code(0);
    let shown = bed.run(&["--offline", "show", &id]).code(0).out;
    assert!(shown.contains("Letter 3") && !shown.contains("Untruth!") && shown.contains(UNTRUE), "{shown}");
    let honest = bed.run(&["--offline", "show", &bed.id("INBOX", "Letter 2")]).code(0).out;
    assert!(!honest.contains(UNTRUE), "{honest}");
    assert_eq!(bed.subjects("INBOX"), subjects(&[1, 2, 3]), "the list too");
}

/// S-28: of what is attached alone it is said, too, whether the server told of files that there are not, or of none; not where it told
/// nothing of them, since nobody asked or since its search does not know.
#[test]
fn s_28_files_that_are_not_so() {
    let part = |name: &str| format!("--b\r\nContent-Disposition: attachment; filename={name}\r\n\r\nx\r\n");
    let mail = |files: &str| {
        let head = "Subject: Letter 4\r\nFrom: Ann <a@x.example>\r\nMessage-ID: <m4@x.example>\r\nMIME-Version: 1.0\r\n";
        format!("{head}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nText.\r\n{files}--b--\r\n").into_bytes()
    };
    let claim = |name: &str| {
        let file =
            format!("(\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 1 1 NIL (\"ATTACHMENT\" (\"FILENAME\" \"{name}\")) NIL NIL)");
        format!("BODYSTRUCTURE ((\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 5 1 NIL NIL NIL NIL){file} \"MIXED\" NIL NIL NIL NIL)")
    };
    let nothing = "BODYSTRUCTURE (\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 5 1 NIL NIL NIL NIL)".to_owned();
    for (told, has, said) in [
        (Some(claim("a.pdf")), part("a.pdf"), false),
        (Some(claim("a.pdf")), part("a.exe"), true),
        (Some(claim("a.pdf")), String::new(), true),
        (Some(nothing.clone()), part("a.pdf"), true),
        (Some(nothing), String::new(), false),
        (None, part("a.pdf"), false),
    ] {
        let server = Server::imap();
        server.world().inbox().add(mail(&has));
        let found = if told.is_some() { "* SEARCH 4\r\n%T OK done\r\n" } else { "* SEARCH\r\n%T OK done\r\n" };
        server.always("NOT HEADER CONTENT-TYPE", vec![say(found)]);
        if let Some(told) = told.clone() {
            let row = move |honest: Vec<u8>| {
                let text = String::from_utf8(honest).unwrap();
                let (before, rest) = text.split_once("BODYSTRUCTURE ").unwrap();
                let (_, behind) = rest.split_once(" BODY[").unwrap();
                format!("{before}{told} BODY[{behind}").into_bytes()
            };
            server.always("UID FETCH 4 (UID BODYSTRUCTURE", vec![Act::Edit(Box::new(row))]);
        }
        let bed = Bed::at(&server);
        bed.run(&["sync"]).code(0);
        bed.run(&["sync", "--bodies", "all"]).code(0);
        let shown = bed.run(&["--offline", "show", &bed.id("INBOX", "Letter 4")]).code(0).out;
        assert_eq!(shown.contains(UNTRUE), said, "{told:?} {has}: {shown}\n{:?}", server.heard());
    }
}

/// A line may not have heard yet of a message that another line told of: it says nothing of how it is made, and is asked once more. No
/// large file comes in the meantime; of one that is told never the whole has to do.
#[test]
fn a_message_of_which_a_line_has_not_heard_yet() {
    let file = "QUJD".repeat(400_000);
    let body = "--b\r\nContent-Type: text/plain\r\n\r\nIt is attached.\r\n--b\r\nContent-Type: application/pdf\r\n\
                Content-Transfer-Encoding: base64\r\n\r\n";
    let head = "From: m@x.example\r\nSubject: The plan\r\nMessage-ID: <4@x.example>\r\nMIME-Version: 1.0\r\n\
                Content-Type: multipart/mixed; boundary=b\r\n\r\n";
    let made = format!(
        "BODYSTRUCTURE ((\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 15 1)(\"APPLICATION\" \"PDF\" NIL NIL NIL \"BASE64\" {}) \"MIXED\" \
         (\"BOUNDARY\" \"b\"))",
        file.len()
    );
    let asked = "UID FETCH 4 (UID BODYSTRUCTURE BODY.PEEK[HEADER])";
    for (silent, whole) in [(1, 0), (9, 1)] {
        let server = Server::imap();
        server.world().inbox().add(format!("{head}{body}{file}\r\n--b--\r\n").into_bytes());
        server.rule(asked, 0, silent, vec![say("%T OK done\r\n")]);
        server.always(
            asked,
            vec![say(format!("* 4 FETCH (UID 4 {made} BODY[HEADER] {{{}}}\r\n{head})\r\n%T OK done\r\n", head.len()))],
        );
        server.always(
            "UID FETCH 4 (UID BODY.PEEK[1])",
            vec![say("* 4 FETCH (UID 4 BODY[1] {15}\r\nIt is attached.)\r\n%T OK done\r\n")],
        );
        let mut bed = Bed::new();
        bed.account("a", &server, None, "keep = { bodies = \"36500d\" }");
        bed.run(&["sync"]).code(0);
        assert_eq!(server.count(asked), 2);
        assert_eq!(server.count("UID FETCH 4 (UID BODY.PEEK[])"), whole, "{:?}", server.heard());
        let shown = bed.run(&["--offline", "show", &bed.id("INBOX", "The plan")]).code(0).out;
        assert!(shown.contains("It is attached."), "{shown}");
    }
}
