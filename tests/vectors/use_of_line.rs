//! use_of_line — T-06 and T-13 to T-19: what servers say to the person, and how often they are asked.
//! Start reading at: the tests, in the order of their numbers.

use super::bed::{Bed, PASSWORD};
use super::cert::Identity;
use super::screen::Screen;
use super::wire::{Act, Server, Tls, first, say};
use openssl::ssl::SslStream;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

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
    let mut screen = Screen::start(&bed.path(""));
    screen.shows("the server says");
    assert!(!screen.text().contains("PWN1") && !screen.text().contains("PWN2"));
    screen.press("Q");
    screen.ends();
}

/// A TLS server of one connection that does what it likes once the handshake is done.
fn tls_server(then: impl FnOnce(SslStream<std::net::TcpStream>) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (tcp, _) = listener.accept().unwrap();
        tcp.set_nodelay(true).unwrap();
        then(Identity::good().acceptor().accept(tcp).unwrap());
    });
    port
}

/// T-13: a good-bye in the handshake, thousands of empty records, records of one byte: an end, and no work for nothing.
/// A record that is never finished is in `patience.rs`.
#[test]
fn t_13_odd_tls() {
    let at = |port: u16| {
        let server = Server::imap_over(Tls::Implicit(Identity::good()));
        let bed = Bed::at(&server);
        let config = std::fs::read_to_string(bed.path("config.toml")).unwrap();
        bed.write("config.toml", &config.replace(&format!("port = {}", server.port), &format!("port = {port}")));
        bed
    };
    // Raw records in place of a handshake: close_notify; empty handshake records; empty alerts; a warning without end.
    let (goodbye, empty, nothing) =
        (&b"\x15\x03\x03\x00\x02\x01\x00"[..], &b"\x16\x03\x03\x00\x00"[..], &b"\x15\x03\x03\x00\x00"[..]);
    let warning = &b"\x15\x03\x03\x00\x02\x01\x5a"[..];
    for (record, times) in [(goodbye, 1), (empty, 10_000), (nothing, 10_000), (warning, 10_000)] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let bed = at(listener.local_addr().unwrap().port());
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
    // One byte a record: slow, and right.
    let port = tls_server(|mut tls| {
        for byte in b"* BYE one byte after the other\r\n" {
            tls.write_all(&[*byte]).unwrap();
        }
        let _ = tls.shutdown();
    });
    let ran = at(port).run(&["sync"]).code(69);
    assert!(ran.busy < Duration::from_secs(1), "{ran:?}");
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
    assert!((2..=4).contains(&calls.len()), "{calls:?}");
    assert!(calls.windows(2).all(|w| w[1] - w[0] >= Duration::from_secs(1)), "{calls:?}");
    screen.press("Q");
    screen.ends();
}
