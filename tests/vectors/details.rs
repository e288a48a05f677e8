//! details — single sentences of T-08 to S-30 that the tests of those numbers leave to this file.
//! Start reading at: the tests, in the order of their numbers.

use super::bed::{Bed, PASSWORD};
use super::cert::Identity;
use super::imap::{Folder, World, letter};
use super::rows::UNTRUE;
use super::screen::Screen;
use super::wire::{Act, GREETING, Server, Tls, first, replaced, say};
use super::wishes::{act, in_step, queue};
use std::time::{Duration, Instant};

/// T-08, T-09: with a mail that waits to go out, too: nothing of it is said in the clear, and it waits on.
#[test]
fn t_08_a_mail_that_waits() {
    let refused = [("EHLO", "500 what\r\n"), ("EHLO", "250-x\r\n250 AUTH PLAIN LOGIN\r\n"), ("STARTTLS", "454 not now\r\n")];
    for (place, answer) in refused {
        let (imap, smtp) = (Server::imap(), Server::smtp_over(Tls::Start(Identity::good())));
        smtp.always(place, vec![say(answer)]);
        for word in ["HELO", "AUTH", "MAIL", "RCPT"] {
            smtp.always(word, vec![say("250 go on\r\n")]);
        }
        let mut bed = Bed::new();
        bed.account("a", &imap, Some(&smtp), "");
        bed.write("mail", "To: b@x.example\nSubject: A letter\n\nText.\n");
        assert_ne!(bed.send(&["--wait"]).code, 0);
        for word in ["AUTH", "MAIL", "RCPT", "letter", PASSWORD] {
            assert_eq!(smtp.count(word), 0, "{place} {answer}: {:?}", smtp.heard());
        }
        assert!(bed.run(&["--offline", "outbox", "list"]).code(0).out.contains("A letter"));
    }
}

/// T-11: no switch turns encryption off; whoever writes it into the account's block is told so on the screen for ever, whatever it shows.
#[test]
fn t_11_no_encryption_is_always_said() {
    let server = Server::imap();
    let bed = Bed::at(&server);
    let config = std::fs::read_to_string(bed.path("config.toml")).unwrap();
    let away = |more: &str| {
        let to = format!("host = \"no-such-host.invalid\", tls = \"none\"{more}, port = {}", server.port);
        let config = config.replace(&format!("host = \"127.0.0.1\", port = {}, tls = \"none\"", server.port), &to);
        assert!(config.contains("invalid"));
        bed.write("config.toml", &config);
    };
    bed.run(&["sync"]).code(0);
    let said = |screen: &Screen| screen.text().lines().next().unwrap_or_default().contains("⚠ not encrypted");
    let mut screen = Screen::start(&bed.path(""));
    screen.shows("Letter 3");
    assert!(!said(&screen), "this machine is no network: {}", screen.text());
    screen.press("Q");
    screen.ends();
    away("");
    bed.run(&["sync"]).code(78).says("without encryption");
    away(", allow-plaintext = true");
    let mut screen = Screen::start(&bed.path(""));
    screen.shows("Letter 3");
    for keys in ["", "go", "gi", "\r", "c"] {
        screen.press(keys);
        screen.until("that it is not encrypted", Duration::from_secs(20), |text| {
            text.lines().next().is_some_and(|l| l.contains("⚠ not encrypted"))
        });
    }
    screen.kill();
}

/// T-12: half a line, and then nothing, without a good-bye: no part of it is believed.
#[test]
fn t_12_half_a_line() {
    for (place, half) in [("FLAGS", "* 1 FETCH (UID 1 FLAGS (\\Flagged)"), ("LIST", "* LIST () \"/\" EVI"), ("SELECT", "* 2")] {
        for end in [Act::Reset, Act::Close] {
            let server = Server::imap_over(Tls::Implicit(Identity::good()));
            server.once(place, vec![say(half), end]);
            let bed = Bed::at(&server);
            bed.run(&["sync"]).code(69);
            let names = bed.run(&["--offline", "mailboxes"]).code(0).out;
            assert!(!names.contains("EVI"), "{names}");
            bed.run(&["sync"]).code(0);
            let rows = bed.list("INBOX");
            assert!(rows.len() == 3 && rows.iter().all(|r| r["flags"] == serde_json::json!([])), "{half}: {rows:?}");
        }
    }
}

/// T-15: the strongest of what the server offers; when it is refused, nothing weaker; where all that it offers is weaker than the
/// account allows, or nobody knows it, nothing at all.
#[test]
fn t_15_the_strongest_or_nothing() {
    let unknown: String = (0..60).map(|n| format!(" AUTH=X-{n}")).collect();
    let runs = [
        ("AUTH=PLAIN AUTH=CRAM-MD5 AUTH=SCRAM-SHA-256", "", Some("AUTHENTICATE SCRAM-SHA-256")),
        ("AUTH=PLAIN AUTH=CRAM-MD5 AUTH=SCRAM-SHA-256-PLUS", "", Some("AUTHENTICATE CRAM-MD5")),
        ("AUTH=PLAIN AUTH=LOGIN AUTH=CRAM-MD5", "min-auth = \"SCRAM-SHA-1\"", None),
        // The command LOGIN, which every server has that does not forbid it.
        ("", "min-auth = \"CRAM-MD5\"", None),
        (&unknown, "min-auth = \"CRAM-MD5\"", None),
        (&format!("LOGINDISABLED{unknown}"), "", None),
    ];
    for (offers, more, said) in runs {
        let server = Server::imap();
        server.world().greeting_caps = format!("IMAP4rev1 SASL-IR {offers}");
        server.always("AUTHENTICATE", vec![say("%T NO [AUTHENTICATIONFAILED] no\r\n")]);
        server.always("LOGIN", vec![say("%T OK in\r\n")]);
        let mut bed = Bed::new();
        bed.account("a", &server, None, more);
        bed.run(&["sync"]).code(77);
        let heard = server.heard();
        let tries: Vec<&str> =
            heard.iter().map(|h| h.line.as_str()).filter(|l| l.contains("AUTHENTICATE") || l.contains("LOGIN ")).collect();
        assert_eq!(tries.len(), usize::from(said.is_some()), "{offers}: {tries:?}");
        assert!(said.is_none_or(|said| tries[0].contains(said)), "{offers}: {tries:?}");
        assert!(!heard.iter().any(|h| h.line.contains(PASSWORD)), "{heard:?}");
    }
}

/// S-02: sizes that are none, in what is read while the list is: an error or an exact reading, and no next answer is taken for
/// another.
#[test]
fn s_02_sizes_that_are_none() {
    for size in ["{-1}", "{}", "{ 5}", "{+5}", "{5+}", "{0x5}", "{1e3}", "{05}", "~{5}", "{5}x", "{5"] {
        let server = Server::imap();
        server.once("SELECT", vec![first(format!("* 3 FETCH (UID 3 FLAGS () BODY[TEXT] {size}\r\nabcde)\r\n"))]);
        let bed = Bed::at(&server);
        let ran = bed.run(&["sync"]);
        assert!(ran.code == 0 || ran.code == 76, "{size}: {ran:?}");
        assert!(ran.code != 0 || bed.subjects("INBOX").len() == 3, "{size}");
        bed.run(&["sync", "--bodies", "all"]).code(0);
        assert_eq!(bed.subjects("INBOX"), ["Letter 1", "Letter 2", "Letter 3"], "{size}");
        let text = bed.run(&["--offline", "show", &bed.id("INBOX", "Letter 3")]).code(0).out;
        assert!(text.contains("the text of letter 3") && !text.contains("abcde"), "{size}: {text}");
    }
}

/// S-15: a good-bye where capabilities are asked for, and where a message waits for leave to be put into a mailbox.
#[test]
fn s_15_good_byes_elsewhere() {
    let (imap, smtp) = (Server::imap(), Server::smtp_over(Tls::None));
    let bye = || vec![say("* BYE later\r\n"), Act::Close];
    imap.always(GREETING, vec![say("* OK hi\r\n")]);
    imap.once("CAPABILITY", bye());
    let mut bed = Bed::new();
    bed.account("a", &imap, Some(&smtp), "");
    bed.run(&["sync"]).code(69);
    bed.run(&["sync"]).code(0);
    imap.once("APPEND", bye());
    bed.write("mail", "To: b@x.example\nSubject: A letter\n\nText.\n");
    bed.send(&["--wait"]);
    // It is looked whether the server files by itself first.
    let begun = Instant::now();
    while imap.world().folder("Sent").mails.is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(60), "never filed");
        bed.run(&["sync"]);
    }
    bed.run(&["sync"]).code(0);
    assert_eq!((imap.world().folder("Sent").mails.len(), smtp.world().sent.len()), (1, 1));
    assert!(imap.count("APPEND") >= 2, "it was broken off once");
    assert_eq!(queue(&bed), []);
}

/// S-19: rows with a number of change beyond the mailbox's own: what changes later is seen all the same.
#[test]
fn s_19_rows_of_the_future() {
    let server = Server::imap();
    server.world().caps.push_str(" CONDSTORE");
    let told = |n: &str| first(format!("* OK [HIGHESTMODSEQ {n}] x\r\n"));
    server.always("SELECT", vec![told("9")]);
    server.always("FETCH", vec![replaced("FLAGS (", "MODSEQ (9000000) FLAGS (")]);
    let bed = Bed::at(&server);
    bed.run(&["sync"]).code(0);
    server.heal();
    server.always("SELECT", vec![told("10")]);
    server.world().inbox().mails[0].flags.insert("\\Flagged".to_owned());
    server.world().inbox().add(letter(4));
    bed.run(&["sync"]).code(0);
    let flagged = bed.list("INBOX").iter().filter(|r| r["flags"] == serde_json::json!(["flagged"])).count();
    assert_eq!((flagged, bed.subjects("INBOX").len()), (1, 4));
}

/// S-22: who numbers anew at each visit is left as it is after a few, and it is said so; what is here stays, and is not fetched
/// again and again.
#[test]
fn s_22_it_is_said() {
    let (server, bed) = in_step(6);
    let flip = || Act::World(Box::new(|w: &mut World| w.inbox().validity ^= 3));
    server.always("INBOX\"", vec![flip(), Act::Honest]);
    let before = server.count("ENVELOPE");
    let mut screen = Screen::start(&bed.path(""));
    screen.shows("Letter 6");
    let next = std::cell::Cell::new(7);
    screen.until("it is said", Duration::from_secs(60), |text| {
        server.world().inbox().add(letter(next.get()));
        next.set(next.get() + 1);
        std::thread::sleep(Duration::from_millis(300));
        text.contains("numbered anew")
    });
    screen.press("Q");
    screen.ends();
    println!("{} times fetched", server.count("ENVELOPE") - before);
}

/// S-22: the limit holds over restarts: no new storm; what is here is read, nothing is done there, until the numbers are kept.
#[test]
fn s_22_over_restarts() {
    let (server, bed) = in_step(6);
    server.always("SELECT", vec![Act::World(Box::new(|w: &mut World| w.inbox().validity ^= 3)), Act::Honest]);
    let (before, mailbox) = (server.heard().len(), server.said());
    let runs: Vec<i32> = (0..8).map(|_| bed.run(&["sync"]).code).collect();
    let more = server.said() - mailbox;
    assert!(more <= 3 * mailbox, "{more} octets, and {mailbox} for the whole mailbox");
    let asked = |what: &str| server.heard()[before..].iter().filter(|h| h.line.contains(what)).count();
    // Three times all was compared; then only its numbers are looked at.
    assert!(runs.contains(&1) && asked("HEADER.FIELDS (MESSAGE-ID)") <= 3, "{runs:?}, {}", asked("HEADER.FIELDS (MESSAGE-ID)"));
    assert!(asked("HEADER.FIELDS (FROM ") + asked("BODY.PEEK[]") <= 3, "no mail is fetched again");
    let all: Vec<String> = (1..=6).map(|n| format!("Letter {n}")).collect();
    assert_eq!(bed.subjects("INBOX"), all);
    let id = bed.id("INBOX", "Letter 6");
    assert!(bed.run(&["--offline", "show", &id]).code(0).out.contains("the text of letter 6"));
    // Read-only, and it is said why.
    for verb in [&["flag", &id, "--add", "flagged"][..], &["move", &id, "--to", "Archive"], &["delete", &id, "--forever"]] {
        let ran = bed.run(&[&["--offline"], verb].concat()).says("INBOX is read-only");
        assert_ne!(ran.code, 0);
    }
    bed.run(&["--offline", "doctor"]).says("INBOX: numbered anew again and again");
    let told = bed.run(&["sync"]).out;
    assert!(told.contains("read-only"), "{told}");
    // It keeps its numbers from now on: after an hour they are believed.
    server.heal();
    bed.run(&["sync"]);
    bed.run(&["--offline", "flag", &id, "--add", "flagged"]).says("read-only");
    let cache = rusqlite::Connection::open(bed.path("data/cache.sqlite")).unwrap();
    cache.execute("UPDATE trouble SET seen_since = seen_since - 3601", []).unwrap();
    cache.execute("UPDATE renumbered SET at = at - 3601", []).unwrap();
    drop(cache);
    bed.run(&["sync"]).code(0);
    bed.run(&["sync"]).code(0);
    assert_eq!((bed.subjects("INBOX"), asked("BODY.PEEK[]")), (all, 0));
    let id = bed.id("INBOX", "Letter 6");
    bed.run(&["--offline", "flag", &id, "--add", "flagged"]).code(0);
    bed.run(&["sync"]).code(0);
    assert!(server.world().inbox().mails[5].flags.contains("\\Flagged") && queue(&bed).is_empty());
}

/// S-24: such words in other places: a mailbox renamed, subscribed to, words that a person looks for.
#[test]
fn s_24_no_injection_elsewhere() {
    let evil = "x\" \r\nA99 DELETE INBOX\r\n";
    let server = Server::imap();
    server.world().folders.push(Folder::new("Old"));
    let bed = Bed::at(&server);
    bed.run(&["sync"]).code(0);
    for verb in [&["rename", "Old", evil][..], &["subscribe", evil], &["create", evil], &["delete", evil]] {
        bed.run(&[&["mailbox"], verb].concat());
        bed.run(&["sync"]);
    }
    let searched = server.count("SEARCH");
    for words in [format!("subject:\"{evil}\""), format!("body:{evil}"), "body:{3}".to_owned(), "from:\\\"\\".to_owned()] {
        bed.run(&["search", "--server", &words]);
    }
    assert!(server.count("SEARCH") > searched, "nobody asked the server");
    // What a command announces is noted in one piece; a line that begins so would be a command.
    assert!(server.heard().iter().all(|h| !h.line.starts_with("A99")), "{:?}", server.heard());
    assert_eq!(server.world().inbox().mails.len(), 3);
}

/// S-28: who wrote it, how large it is and what is attached: the message itself says it, in the list, in what is shown, and in
/// the head of an answer.
#[test]
fn s_28_what_else_is_not_so() {
    let server = Server::imap();
    let with_file = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nThis is the text of letter 3.\r\n--b\r\n\
        Content-Disposition: attachment; filename=true.bin\r\n\r\nx\r\n--b--\r\n";
    let raw = String::from_utf8(letter(3)).unwrap().replace("\r\nThis is the text of letter 3.\r\n", with_file);
    let size = raw.len();
    server.world().inbox().mails[2].raw = raw.into_bytes();
    // As long as what is true; much larger; and the server says of all three that there is nothing but text.
    let lie = move |honest: Vec<u8>| {
        let sender = super::wire::replace(&honest, b"From: Ann 3 <a3@x.example>", b"From: Boss <evil@x.exampl>");
        super::wire::replace(&sender, format!("RFC822.SIZE {size}").as_bytes(), b"RFC822.SIZE 10000000")
    };
    server.always("HEADER.FIELDS (FROM ", vec![Act::Edit(Box::new(lie))]);
    let bed = Bed::at(&server);
    bed.run(&["sync"]).code(0);
    let row = |bed: &Bed| bed.list("INBOX").into_iter().find(|r| r["subject"] == "Letter 3").unwrap();
    let told = row(&bed);
    assert!(told.to_string().contains("evil") && told["size"] == 10_000_000 && told["attachments"] == 0, "{told}");
    bed.run(&["sync", "--bodies", "all"]).code(0);
    let shown = bed.run(&["--offline", "show", &bed.id("INBOX", "Letter 3")]).code(0).out;
    assert!(shown.contains(UNTRUE), "{shown}");
    let known = row(&bed);
    let text = known.to_string();
    assert!(!text.contains("evil") && !text.contains("Boss") && text.contains("a3@x.example"), "{text}");
    assert_eq!((&known["size"], &known["attachments"]), (&serde_json::json!(size), &serde_json::json!(1)), "{known}");
    let mut screen = Screen::start(&bed.path(""));
    screen.shows("Letter 3");
    screen.press("\r");
    screen.shows("the text of letter 3");
    screen.shows(UNTRUE);
    screen.press("r");
    screen.shows("a3@x.example");
    assert!(!screen.text().contains("evil") && !screen.text().contains("Boss"), "{}", screen.text());
    screen.kill();
}

/// S-28: of a size alone it is said, too, and again after the text was read once more; not where line breaks make the difference.
#[test]
fn s_28_sizes_that_are_not_so() {
    for (told, said) in [(10_000_000, true), (10, true), (0, false)] {
        let server = Server::imap();
        let raw = [letter(4), b"One line of many.\r\n".repeat(300)].concat();
        let size = raw.len();
        // By one octet for each line break.
        let told = if told == 0 { size - 310 } else { told };
        server.world().inbox().add(raw);
        server.always("RFC822.SIZE", vec![replaced(format!("RFC822.SIZE {size}"), format!("RFC822.SIZE {told}"))]);
        let bed = Bed::at(&server);
        bed.run(&["sync", "--bodies", "all"]).code(0);
        let show = |n: u32| bed.run(&["--offline", "show", &bed.id("INBOX", &format!("Letter {n}"))]).code(0).out;
        assert_eq!((show(4).contains(UNTRUE), show(3).contains(UNTRUE)), (said, false), "{told}");
        let cache = rusqlite::Connection::open(bed.path("data/cache.sqlite")).unwrap();
        cache.execute("UPDATE message SET indexed = 1", []).unwrap();
        drop(cache);
        bed.run(&["sync"]).code(0);
        assert_eq!(show(4).contains(UNTRUE), said, "{told}");
    }
}

/// S-30: each refusal's outcome, with the server's words, clean; what may be tried later is, by itself, and what may not is not, and
/// the person is told.
#[test]
fn s_30_outcomes() {
    const LATER: [&str; 6] =
        ["NO [UNAVAILABLE]", "NO [INUSE]", "NO [LIMIT]", "NO [SERVERBUG]", "NO [AUTHENTICATIONFAILED]", "NO [EXPIRED]"];
    let asks = ["NO [TRYCREATE]", "NO [OVERQUOTA]", "NO [NOPERM]", "NO [CANNOT]", "NO", "BAD"];
    let run = |answer: &str| {
        let later = LATER.contains(&answer);
        let (server, bed) = in_step(3);
        act(&bed, "move", "Letter 2", &["--to", "Archive"]);
        server.always("UID MOVE", vec![say(format!("%T {answer} because\x1b[2J PWN\r\n"))]);
        let told = bed.run(&["sync"]).err;
        let state = if later { "queued" } else { "parked" };
        assert_eq!(queue(&bed), [("move".to_owned(), state.to_owned())], "{answer}");
        assert!(later || told.contains("a: not done: ") && told.contains("because"), "{answer}: {told}");
        let shown = bed.run(&["--offline", "queue"]).code(0).out;
        for text in [&shown, &told] {
            assert!(!text.contains('\x1b'), "{text}");
        }
        assert!(shown.contains("because") && shown.contains("PWN"), "{shown}");
        // The list shows what is so at the server, unless it is only a matter of time.
        assert_eq!(bed.subjects("INBOX").len(), if later { 2 } else { 3 }, "{answer}");
        server.heal();
        let there = || server.world().folder("Archive").mails.len();
        if later {
            let begun = Instant::now();
            while there() == 0 {
                assert!(begun.elapsed() < Duration::from_secs(60), "{answer}: never tried again");
                bed.run(&["sync"]);
            }
        }
        bed.run(&["sync"]);
        assert_eq!((there(), queue(&bed).len()), if later { (1, 0) } else { (0, 1) }, "{answer}");
    };
    std::thread::scope(|all| {
        for answer in LATER.into_iter().chain(asks) {
            all.spawn(move || run(answer));
        }
    });
}

/// S-30: the same of a mark that the server does not understand; and in the reader it is said at once, counted, and can be looked at.
#[test]
fn s_30_in_the_reader() {
    let (server, bed) = in_step(3);
    server.always("UID STORE", vec![say("%T BAD what?\r\n")]);
    server.always("UID MOVE", vec![say("%T NO [OVERQUOTA] because\x1b[2J PWN\r\n")]);
    act(&bed, "flag", "Letter 2", &["--add", "flagged"]);
    bed.run(&["sync"]);
    assert_eq!(queue(&bed), [("flag".to_owned(), "parked".to_owned())]);
    let mut screen = Screen::start(&bed.path(""));
    screen.shows("Letter 3");
    screen.shows("1 need you");
    screen.press("e");
    screen.shows("2 need you");
    screen.shows("not done: the account is full on the server");
    // It is where it is at the server.
    screen.shows("Letter 3");
    screen.press("go");
    screen.shows("refused: the account is full");
    screen.press("Q");
    let raw = screen.raw();
    screen.ends();
    super::oracle::obeys_only_us(&raw);
    assert_eq!((queue(&bed).len(), server.world().inbox().mails.len()), (2, 3));
}
