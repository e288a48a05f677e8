//! use_of_line — T-06 and T-13 to T-19: what servers say to the person, and how often they are asked.
//! Start reading at: the tests, in the order of their numbers.

use super::bed::{BINARY, Bed, PASSWORD, processor};
use super::cert::Identity;
use super::records::{self, Records};
use super::screen::Screen;
use super::wire::{Act, Server, Tls, first, say};
use postrider::net::error::MAX_TEXT;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// T-06: words for the person that came in the clear are nobody's; those that came encrypted are told once, cut, clean,
/// with the account's name (`MAX_TEXT` of `src/net/error.rs`, `MAX_ALERTS` of `src/net/imap/core.rs`).
#[test]
fn t_06_alerts() {
    let server = Server::imap_over(Tls::Start(Identity::good()));
    server.always("<greeting>", vec![say("* OK [ALERT] visit http://evil.example PWN1\r\n")]);
    server.always("STARTTLS", vec![first("* OK [ALERT] visit http://evil.example PWN2\r\n")]);
    let long = "x".repeat(5_000);
    let alert = format!("* OK [ALERT] The disk is nearly full \x1b]0;PWN3\x07{long}\r\n");
    server.always("LIST", vec![first(alert)]);
    let many: String = (0..100_000).map(|n| format!("* OK [ALERT] number {n}\r\n")).collect();
    server.always("SELECT", vec![first(many)]);
    let bed = Bed::at(&server);
    let ran = bed.run(&["sync"]).code(0);
    assert!(!ran.err.contains("PWN1") && !ran.err.contains("PWN2") && !ran.err.contains("evil"), "{}", ran.err);
    assert_eq!(ran.err.matches("a: the server says: The disk is nearly full").count(), 1, "{}", ran.err);
    assert!(ran.err.lines().all(|l| l.len() < 300) && ran.err.lines().count() <= 40, "{}", ran.err);
    assert!(!ran.err.contains('\x1b') && !ran.err.contains('\x07'));
    let told = ran.err.lines().find_map(|l| l.split_once("a: the server says: ")).unwrap().1;
    assert!((100..=MAX_TEXT + 2).contains(&told.chars().count()), "{told}");
    let mut screen = Screen::start(&bed.path(""));
    screen.shows("the server says");
    assert!(!screen.text().contains("PWN1") && !screen.text().contains("PWN2"));
    screen.press("Q");
    screen.ends();
}

/// A profile whose one account is at that port, with TLS from the first byte.
pub fn at_port(port: u16) -> Bed {
    let server = Server::imap_over(Tls::Implicit(Identity::good()));
    let bed = Bed::at(&server);
    let config = std::fs::read_to_string(bed.path("config.toml")).unwrap();
    bed.write("config.toml", &config.replace(&format!("port = {}", server.port), &format!("port = {port}")));
    bed
}

/// The time of the processor that a visit takes within ten seconds, then it is stopped.
fn busy_for_ten_seconds(bed: &Bed) -> Duration {
    let mut child =
        bed.command(BINARY, &[], &["sync"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let end = Instant::now() + Duration::from_secs(10);
    let mut busy = Duration::ZERO;
    while Instant::now() < end && child.try_wait().unwrap().is_none() {
        busy = processor(child.id()).max(busy);
        std::thread::sleep(Duration::from_millis(50));
    }
    let _ = child.kill();
    child.wait().unwrap();
    busy
}

/// T-13: a good-bye in the handshake, thousands of empty records, of records of one byte, of new keys: an end or a wait, and no
/// work for nothing. A record that is never finished, and keys that change for ever, are in `patience.rs`.
#[test]
fn t_13_odd_tls() {
    // Raw records in place of a handshake: close_notify; empty handshake records; empty alerts; a warning without end.
    let (goodbye, empty, nothing) =
        (&b"\x15\x03\x03\x00\x02\x01\x00"[..], &b"\x16\x03\x03\x00\x00"[..], &b"\x15\x03\x03\x00\x00"[..]);
    let warning = &b"\x15\x03\x03\x00\x02\x01\x5a"[..];
    for (record, times) in [(goodbye, 1), (empty, 10_000), (nothing, 10_000), (warning, 10_000)] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let bed = at_port(listener.local_addr().unwrap().port());
        std::thread::spawn(move || {
            let (mut tcp, _) = listener.accept().unwrap();
            let mut hello = [0; 4096];
            let _ = tcp.read(&mut hello);
            let _ = tcp.write_all(&record.repeat(times));
            let _ = tcp.read_to_end(&mut Vec::new());
        });
        let ran = bed.run(&["sync"]).code(69);
        assert!(ran.took < Duration::from_secs(10) && ran.busy < Duration::from_secs(1), "{ran:?}");
        assert_eq!(bed.subjects("INBOX"), Vec::<String>::new());
    }
    // After it: new keys and one byte a record are odd, and read right.
    let port = records::serve(|line| {
        for byte in b"* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] one byte after the other\r\n" {
            line.data(&[*byte]);
            line.key_update();
        }
        line.send();
        std::thread::sleep(Duration::from_secs(2));
    });
    // No way to log in is offered: it was understood.
    let ran = at_port(port).run(&["sync"]).code(77);
    assert!(ran.busy < Duration::from_secs(1), "{ran:?}");
    // Ten thousand of each, then nothing more: at most a twentieth of the processor over ten seconds.
    let flood = |each: fn(&mut Records)| {
        at_port(records::serve(move |line| {
            (0..10_000).for_each(|_| each(line));
            line.send();
            std::thread::sleep(Duration::from_secs(15));
        }))
    };
    let floods = [
        ("empty records", flood(|line| line.data(b""))),
        ("records of one byte", flood(|line| line.data(b"x"))),
        ("new keys", flood(Records::key_update)),
    ];
    std::thread::scope(|all| {
        for (what, bed) in &floods {
            all.spawn(move || {
                let busy = busy_for_ten_seconds(bed);
                println!("{what}: {busy:?}");
                assert!(busy < Duration::from_millis(500), "{what}: {busy:?}");
            });
        }
    });
}

/// T-16: a token that the server does not take: what it says is cleaned, what it points to is not called, and another token is asked
/// for, once in a minute (`REFRESH` of `src/engine/password.rs`).
#[test]
fn t_16_tokens() {
    use base64::Engine as _;
    let decoy = Server::imap();
    let why = format!("{{\"status\":\"401\\u001b]0;PWN\\u0007\",\"openid-configuration\":\"http://127.0.0.1:{}/\"}}", decoy.port);
    let refusal = format!("+ {}\r\n%T NO [AUTHENTICATIONFAILED] no\r\n", base64::engine::general_purpose::STANDARD.encode(why));
    let clean = |text: &str| !text.contains(|c: char| c.is_control() && c != '\n') && !text.contains("http");
    let bed = |server: &Server, way: &str, token: &str| {
        server.world().greeting_caps = format!("IMAP4rev1 SASL-IR AUTH={way}");
        let mut bed = Bed::new();
        bed.account("a", server, None, &format!("auth = [\"{way}\"]"));
        // Each time that it is run it adds a line to `asked`.
        bed.write("token", &format!("echo x >>\"$1/asked\"; echo {token}"));
        let config = std::fs::read_to_string(bed.path("config.toml")).unwrap();
        let command = format!("command = \"sh {0}/token {0}\"", bed.path("").display().to_string().trim_end_matches('/'));
        bed.write("config.toml", &config.replace("file = \"pw\"", &command));
        bed
    };
    let asked = |bed: &Bed| std::fs::read_to_string(bed.path("asked")).unwrap_or_default().lines().count();
    let new = "ya29.CANARY-$(wc -l <\"$1/asked\")";
    for way in ["XOAUTH2", "OAUTHBEARER"] {
        // It had run out: the next one is good.
        let server = Server::imap();
        server.once("AUTHENTICATE", vec![say(&refusal)]);
        let fresh = bed(&server, way, new);
        fresh.run(&["sync"]).code(0);
        assert_eq!((server.count("AUTHENTICATE"), asked(&fresh), fresh.subjects("INBOX").len()), (2, 2, 3), "{way}");
        // There is no other one: the server hears no token twice.
        let server = Server::imap();
        server.always("AUTHENTICATE", vec![say(&refusal)]);
        let same = bed(&server, way, "ya29.CANARY");
        let ran = same.run(&["sync"]).code(77);
        assert!(clean(&ran.err) && ran.err.contains("refused the login name or the token"), "{}", ran.err);
        let told = same.run(&["account", "test"]).code(77);
        assert!(clean(&told.out) && told.out.contains("401"), "{}", told.out);
        assert_eq!((server.count("AUTHENTICATE"), asked(&same)), (2, 3), "{way}: the test of the account asks once more");
        // None is good: one more, then the person is asked; who wants it tried again at once gets one try.
        let server = Server::imap();
        server.always("AUTHENTICATE", vec![say(&refusal)]);
        let bad = bed(&server, way, new);
        let mut screen = Screen::start(&bad.path(""));
        let tries = |screen: &Screen, n: usize| {
            screen.until("the tries", Duration::from_secs(30), |_| server.count("AUTHENTICATE") >= n);
            screen.until("the end of them", Duration::from_secs(30), |text| text.contains("or the token"));
        };
        tries(&screen, 2);
        screen.press("\x0e");
        tries(&screen, 3);
        screen.press("Q");
        let raw = screen.raw();
        screen.ends();
        super::oracle::obeys_only_us(&raw);
        assert_eq!((server.count("AUTHENTICATE"), asked(&bad)), (3, 3), "{way}");
        for bed in [&fresh, &same, &bad] {
            assert!(!bed.log().contains("CANARY") && !bed.log().contains('\x1b'), "{}", bed.log());
        }
    }
    assert!(decoy.came().is_empty());
}

/// T-17 with a password that would go out in the clear inside TLS: there LOGIN is not offered, so it is not used.
#[test]
fn t_17_login_disabled_after_tls() {
    let server = Server::imap_over(Tls::Start(Identity::good()));
    server.world().caps = "IMAP4rev1 LOGINDISABLED AUTH=X-UNKNOWN".to_owned();
    let bed = Bed::at(&server);
    bed.run(&["sync"]).code(77);
    assert!(
        server
            .heard()
            .iter()
            .all(|h| !h.line.contains("LOGIN ") && !h.line.contains("AUTHENTICATE") && !h.line.contains(PASSWORD))
    );
}

/// T-19: a wrong password stops at once and asks; a server that hangs up is called less and less often. The pauses over
/// ten minutes are in `src/base/backoff.rs`.
#[test]
fn t_19_no_storm() {
    let (wrong, storm) = (Server::imap(), Server::imap());
    wrong.always("AUTHENTICATE", vec![say("%T NO [AUTHENTICATIONFAILED] no\r\n")]);
    storm.always("<greeting>", vec![Act::Close]);
    let mut bed = Bed::new();
    bed.account("a", &wrong, None, "");
    bed.account("b", &storm, None, "");
    let mut screen = Screen::start(&bed.path(""));
    screen.until("the first calls", Duration::from_secs(20), |_| !wrong.came().is_empty() && !storm.came().is_empty());
    std::thread::sleep(Duration::from_secs(8));
    assert_eq!(wrong.count("AUTHENTICATE"), 1, "one try, then the person is asked");
    let calls = storm.came();
    // How many these are is chance (the pauses have jitter; `base::backoff` holds their sum); that each has its pause is not.
    assert!(calls.len() >= 2, "{calls:?}");
    assert!(calls.windows(2).all(|w| w[1] - w[0] >= Duration::from_secs(1)), "{calls:?}");
    screen.press("Q");
    screen.ends();
}
