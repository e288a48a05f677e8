//! sizes — S-01 to S-06, S-12, S-17, S-18, S-20: servers that send too much. Nothing is kept ready for what was only
//! announced, nothing grows without end, and who wants to stop it can.
//! Start reading at: `modest`. The limits: `MAX_LINE` of `src/net/wire.rs`, `MAX_LITERAL`, `MAX_KEPT` and `MAX_RESPONSE` of
//! `src/net/imap/frame.rs`, `Flags::MAX_KEYWORDS` of `src/mail/flags.rs`.

use super::bed::{Bed, Ran};
use super::imap::letter;
use super::screen::Screen;
use super::wire::{Act, Server, first, replaced, say};
use postrider::net::imap::{MAX_KEPT, MAX_LITERAL};
use postrider::net::wire::MAX_LINE;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// More than a run at an honest server may take, in kilobytes.
const MORE: u64 = 32 * 1024;

/// What a run at an honest server takes.
static USUAL: LazyLock<u64> = LazyLock::new(|| {
    let server = Server::imap();
    Bed::at(&server).run(&["sync", "--bodies", "all"]).code(0).peak
});

/// What the ordinary run does of ten million lines; `POSTRIDER_FULL=1` does all of them.
const A_TENTH: usize = 1_000_000;

fn full() -> bool {
    std::env::var_os("POSTRIDER_FULL").is_some()
}

#[track_caller]
fn modest(ran: Ran) -> Ran {
    assert!(ran.peak < *USUAL + MORE, "{} kB, usually {}: {}{}", ran.peak, *USUAL, ran.out, ran.err);
    ran
}

/// S-01: announced and never sent. The stall is in `patience.rs`.
#[test]
fn s_01_huge_literals() {
    assert_eq!((MAX_KEPT, MAX_LITERAL), (64 << 10, 256 << 20));
    for size in ["4294967295", "2147483648", "18446744073709551615", "18446744073709551616"] {
        for place in ["BODY.PEEK[]", "LIST", "SELECT \"INBOX\""] {
            let (server, fine) = (Server::imap(), Server::imap());
            server
                .always(place, vec![say(format!("* 3 FETCH (UID 3 BODY[] {{{size}}}\r\n")), Act::Stall(Duration::from_secs(90))]);
            let mut bed = Bed::new();
            bed.account("a", &server, None, "");
            bed.account("b", &fine, None, "");
            let ran = modest(bed.run(&["sync", "--bodies", "all"])).code(1);
            assert!(ran.took < Duration::from_secs(20) && ran.err.contains("more than is sane"), "{ran:?}");
            assert_eq!(bed.subjects("b/INBOX").len(), 3);
        }
    }
}

/// S-03: a text longer or shorter than announced is not that message's text.
#[test]
fn s_03_literals_of_another_length() {
    let text = "Subject: Letter 3\r\n\r\nPWN3 is the text";
    let size = text.len();
    for (announced, end) in [(size - 4, ")\r\n%T OK x\r\n"), (size + 40, ")\r\n%T OK x\r\n"), (size + 9, "")] {
        let server = Server::imap();
        let answer = format!("* 3 FETCH (UID 3 BODY[] {{{announced}}}\r\n{text}{end}");
        server.once("BODY.PEEK[]", vec![say(answer), Act::Close]);
        let bed = Bed::at(&server);
        assert_ne!(bed.run(&["sync", "--bodies", "all"]).code, 0);
        let id = bed.id("INBOX", "Letter 3");
        let shown = bed.run(&["--offline", "show", &id]);
        assert!(!shown.out.contains("PWN3"), "{announced}: {}", shown.out);
        bed.run(&["sync", "--bodies", "all"]).code(0);
        assert!(bed.run(&["--offline", "show", &id]).code(0).out.contains("the text of letter 3"));
    }
}

/// S-04: lines without end, and lines without number: memory stays as it is, and who wants to stop it can.
#[test]
fn s_04_floods() {
    assert_eq!(MAX_LINE, 1 << 20);
    // A line of 1 GiB.
    let endless = Server::imap();
    endless.always("LIST", vec![say("* LIST () \"/\" "), Act::Times(vec![b'x'; 1 << 20], 1 << 10)]);
    let ran = modest(Bed::at(&endless).run(&["sync"])).code(76);
    assert!(ran.took < Duration::from_secs(10), "{ran:?}");
    assert!(endless.said() < 64 << 20, "{} octets were taken", endless.said());
    // Ten million lines that say nothing before the answer, and a million that are none.
    let many = Server::imap();
    let lines = if full() { 10_000_000 } else { A_TENTH };
    many.always("LIST", vec![Act::Times(b"* OK x\r\n".repeat(1_000), lines / 1_000), Act::Honest]);
    many.always("SELECT", vec![Act::Times(b"*\r\n".repeat(1_000), 1_000), Act::Honest]);
    let bed = Bed::at(&many);
    let ran = modest(bed.run(&["sync"])).code(0);
    println!("{lines} lines that say nothing, and a million that are none, took {:?}", ran.took);
    assert_eq!(bed.subjects("INBOX").len(), 3);
    // Without end it is the person who ends it.
    let flood = Server::imap();
    flood.always("LIST", vec![Act::Repeat(b"* OK x\r\n".repeat(1_000), Duration::from_secs(60))]);
    ends_at_once(&flood);
}

/// S-05: who wants to stop a server that says a byte now and then can, and what keys do is seen meanwhile. The limit is in
/// `patience.rs`.
#[test]
fn s_05_cancelled_at_once() {
    let server = Server::imap();
    server.always("LIST", vec![Act::Drip(b"* LIST () \"/\" abcdefghijklmnopqrstuvwxyz".to_vec(), Duration::from_secs(3))]);
    ends_at_once(&server);
}

/// S-05: ten frames in a second while a byte comes now and then and a key is held.
#[test]
fn s_05_frames() {
    let server = Server::imap();
    (4..=60).for_each(|n| {
        server.world().inbox().add(letter(n));
    });
    let bed = Bed::at(&server);
    bed.run(&["sync"]).code(0);
    let before = server.count("LIST");
    let byte = || Act::Drip(b"* LIST () \"/\" abcdefghijklmnopqrstuvwxyz".to_vec(), Duration::from_secs(3));
    server.always("LIST", vec![byte()]);
    let mut screen = Screen::start(&bed.path(""));
    screen.shows("Letter 60");
    screen.until("a line that drips", Duration::from_secs(20), |_| server.count("LIST") > before);
    once_of_three("ten frames a second", || {
        let begun = Instant::now();
        for key in ["j"; 20].into_iter().chain(["k"; 20]) {
            let drawn = screen.raw().len();
            screen.press(key);
            screen.until("what the key does", Duration::from_secs(20), |_| screen.raw().len() > drawn);
        }
        println!("40 keys were seen in {:?}", begun.elapsed());
        begun.elapsed() < Duration::from_secs(4)
    });
    screen.press("Q");
    screen.ends();
}

/// A machine that is busy has bad moments: of three tries one is enough.
#[track_caller]
fn once_of_three(what: &str, mut try_it: impl FnMut() -> bool) {
    assert!((0..3).any(|_| try_it()), "never: {what}");
}

/// The reader at such a server: within a second help opens, and within a second `Q` ends it.
#[track_caller]
fn ends_at_once(server: &Server) {
    once_of_three("within a second", || {
        let bed = Bed::at(server);
        let mut screen = Screen::start(&bed.path(""));
        let before = server.count("LIST");
        screen.until("a connection", Duration::from_secs(20), |_| server.count("LIST") > before);
        let begun = Instant::now();
        screen.press("?");
        screen.shows("Moving");
        let shown = begun.elapsed();
        screen.press("\x1b");
        screen.shows_no("Moving");
        let begun = Instant::now();
        screen.press("Q");
        screen.ends();
        println!("shown after {shown:?}, ended after {:?}", begun.elapsed());
        shown.max(begun.elapsed()) < Duration::from_secs(1)
    });
}

/// S-06: counts that cannot be are believed by nobody, least of all by the allocator.
#[test]
fn s_06_impossible_counts() {
    let server = Server::imap();
    server.always("SELECT", vec![replaced("* 3 EXISTS", "* 4294967295 EXISTS")]);
    let bed = Bed::at(&server);
    modest(bed.run(&["sync"]));
    assert_eq!(bed.subjects("INBOX").len(), 3);
    assert!(server.heard().len() < 60, "{}", server.heard().len());
    for count in ["-1", "99999999999"] {
        let server = Server::imap();
        server.always("SELECT", vec![replaced("* 3 EXISTS", format!("* {count} EXISTS"))]);
        modest(Bed::at(&server).run(&["sync"])).code(76);
    }
}

/// S-12: a text that nobody asked for is dropped while it comes.
#[test]
fn s_12_unasked_texts() {
    let server = Server::imap();
    let text = vec![b'x'; 50_000_000];
    let unasked = [format!("* 1 FETCH (UID 1 BODY[] {{{}}}\r\n", text.len()).as_bytes(), &text, b")\r\n"].concat();
    server.once("LIST", vec![first(&unasked)]);
    server.once("(UID FLAGS INTERNALDATE", vec![first(&unasked)]);
    let bed = Bed::at(&server);
    modest(bed.run(&["sync", "--bodies", "all"])).code(0);
    let shown = bed.run(&["--offline", "show", &bed.id("INBOX", "Letter 1")]).code(0);
    assert!(shown.out.contains("the text of letter 1") && !shown.out.contains("xxxx"));
}

/// S-17: capabilities beyond any measure, and with what a terminal would obey.
#[test]
fn s_17_capabilities() {
    for caps in ["X".repeat(900_000), "X ".repeat(400_000), "X".repeat(3_000_000)] {
        let server = Server::imap();
        server.world().caps.push_str(&format!(" {caps}"));
        let bed = Bed::at(&server);
        let ran = modest(bed.run(&["account", "test"]));
        assert!(ran.out.len() < 20_000, "{}", ran.out.len());
        modest(bed.run(&["sync"]));
    }
    let server = Server::imap();
    // Other ones after the login than before: the later ones hold.
    server.world().greeting_caps = "IMAP4rev1 AUTH=PLAIN SASL-IR IDLE \x1b[2JPWN1 CONDSTORE".to_owned();
    server.world().caps = "IMAP4rev1 \x1b[2JPWN2\x07 UIDPLUS".to_owned();
    let bed = Bed::at(&server);
    let ran = bed.run(&["account", "test"]).code(0);
    assert!(ran.out.contains("UIDPLUS") && !ran.out.contains("PWN1") && !ran.out.contains(['\x1b', '\x07']), "{}", ran.out);
    bed.run(&["sync"]).code(0);
    assert_eq!(server.count("(CONDSTORE)"), 0, "that was before the login");
    assert!(!bed.log().contains('\x1b'));
}

/// S-18: sets and lists of numbers without bound. What a set may look like is in `src/net/imap/tests.rs`.
#[test]
fn s_18_searches() {
    for answer in
        ["* ESEARCH (TAG \"x\") UID ALL 1:4294967295\r\n%T OK x\r\n", "* ESEARCH (TAG \"x\") UID ALL 1:0\r\n%T OK x\r\n"]
    {
        let server = Server::imap();
        server.world().caps.push_str(" ESEARCH");
        server.always("SEARCH", vec![say(answer)]);
        let ran = modest(Bed::at(&server).run(&["sync"]));
        assert!(ran.took < Duration::from_secs(20) && ran.busy < Duration::from_secs(5), "{ran:?}");
    }
    let server = Server::imap();
    let many: String = (1..5_000_000u32).map(|n| format!(" {n}")).collect();
    server.always("SEARCH", vec![say(format!("* SEARCH{many}\r\n%T OK x\r\n"))]);
    modest(Bed::at(&server).run(&["sync"])).code(76);
}

/// S-20: flags without number, without end, and with what a terminal would obey; none of them does anything.
#[test]
fn s_20_flags() {
    let server = Server::imap();
    let many: String = (0..10_000).map(|n| format!("k{n} ")).collect();
    let flags = format!("FLAGS ({many}\\Seen \\Seen NIL \"q\" {} e\x1b[2J $Junk $Forwarded", "L".repeat(10_000));
    server.always("FETCH", vec![replaced("FLAGS (", flags + " ")]);
    let bed = Bed::at(&server);
    modest(bed.run(&["sync", "--bodies", "all"])).code(0);
    let rows = bed.list("INBOX");
    assert_eq!((rows.len(), &rows[0]["flags"]), (3, &serde_json::json!(["seen"])));
    let keywords = rows[0]["keywords"].as_array().unwrap();
    assert!(keywords.len() <= postrider::mail::flags::Flags::MAX_KEYWORDS && !keywords.is_empty());
    assert!(keywords.iter().all(|k| k.as_str().is_some_and(|k| k.len() < 1_000 && !k.contains('\x1b'))));
    assert!(server.heard().iter().all(|h| !["STORE", "MOVE", "COPY", "EXPUNGE"].iter().any(|w| h.line.contains(w))));
    let text = bed.run(&["--offline", "list", "INBOX"]).code(0).out;
    assert!(!text.contains('\x1b'));
}
