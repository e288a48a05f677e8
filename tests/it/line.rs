//! line — lines that are slow, cut or silent: nothing hangs, nothing half-read is taken for whole.
//! Start reading at: `at`, a connection through the proxy.

use crate::mailhost::proxy::{End, Line, Proxy};
use crate::mailhost::{At, PASSWORD, host, user};
use crate::person::within_a_second;
use crate::{Strings, imap_to};
use postrider::mail::flags::Flags;
use postrider::mail::mailbox::MailboxPath;
use postrider::mail::uid::{Uid, UidSet};
use postrider::net::error::NetErrorKind;
use postrider::net::imap::ImapStore;
use postrider::net::session::{Endpoint, Idle, MailStore, TlsMode};
use postrider::net::smtp::{Mail, Why};
use std::io::Cursor;
use std::time::{Duration, Instant};

fn at(proxy: &Proxy) -> Endpoint {
    Endpoint { port: proxy.port, ..host().imap_at(At::Good, TlsMode::Implicit) }
}

/// A user with one large mail, and a connection to it by way of `proxy`.
fn large(line: Line) -> (Proxy, ImapStore, Strings, usize) {
    let (user, strings) = (user(), Strings::new());
    let mut direct = crate::imap(&user, &Strings::new());
    // Numbers without a pattern: COMPRESS makes little of them.
    let mut n = 1u64;
    let mut line_of = |_| {
        n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("{:036}\r\n", u128::from(n) << 50 | u128::from(n >> 7))
    };
    let text = format!("Subject: large\r\n\r\n{}", (0..20_000).map(&mut line_of).collect::<String>());
    direct.append(&MailboxPath::inbox(), &Flags::new(), 0, text.len() as u64, &mut text.as_bytes()).unwrap();
    let proxy = Proxy::start(host().imaps, line);
    let mut store = imap_to(&at(&proxy), &user, PASSWORD, &strings).unwrap();
    store.select(&MailboxPath::inbox(), false, None).unwrap();
    (proxy, store, strings, text.len())
}

#[test]
fn a_line_cut_in_the_middle_is_an_error_and_never_a_short_mail() {
    for how in [End::Close, End::Reset] {
        let (proxy, mut store, _, size) = large(Line::default());
        let so_far = proxy.bytes().0;
        proxy.set(Line { cut: Some((so_far + 300_000, how)), ..Line::default() });
        let mut text = Vec::new();
        let e = store.fetch_body(Uid::new(1).unwrap(), &mut text).unwrap_err();
        assert!(matches!(e.kind, NetErrorKind::Io(_)), "{e:?}");
        assert!(text.len() < size);
        assert!(store.noop().is_err(), "a broken connection stays broken");
    }
}

#[test]
fn silence_ends_by_cancel() {
    within_a_second(|| {
        let (proxy, mut store, strings, _) = large(Line::default());
        proxy.end_all(End::Silence);
        std::thread::scope(|s| {
            let rung = s.spawn(|| {
                std::thread::sleep(Duration::from_millis(200));
                let now = Instant::now();
                strings.cancel.ring();
                now
            });
            assert_eq!(store.noop().unwrap_err().kind, NetErrorKind::Cancelled);
            let over = Instant::now();
            over.saturating_duration_since(rung.join().unwrap())
        })
    });
}

#[test]
fn idle_hears_that_the_line_is_gone() {
    let (proxy, mut store, ..) = large(Line::default());
    std::thread::scope(|s| {
        s.spawn(|| {
            std::thread::sleep(Duration::from_millis(200));
            proxy.end_all(End::Close);
        });
        assert!(store.idle(Duration::from_secs(60)).is_err());
    });
}

#[test]
fn nobody_there() {
    let strings = Strings::new();
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let endpoint = Endpoint { port: closed, ..host().imap_at(At::Good, TlsMode::Implicit) };
    assert_eq!(imap_to(&endpoint, &user(), PASSWORD, &strings).err().unwrap().kind, NetErrorKind::Unreachable);
    let endpoint = Endpoint { host: "no-such-host.invalid".to_owned(), ..endpoint };
    assert_eq!(imap_to(&endpoint, &user(), PASSWORD, &strings).err().unwrap().kind, NetErrorKind::Unreachable);
}

/// A start costs few turns, and an idle line wakes at once however slow it is.
#[test]
fn who_goes_away_during_the_handshake_is_not_one_who_cannot_be_trusted() {
    for line in [
        Line { refuse: true, ..Line::default() },
        Line { cut: Some((10, End::Reset)), ..Line::default() },
        Line { cut: Some((1_000, End::Close)), ..Line::default() },
    ] {
        let proxy = Proxy::start(host().imaps, line);
        let why = imap_to(&at(&proxy), &user(), PASSWORD, &Strings::new()).err().map(|e| e.kind);
        assert!(matches!(why, Some(NetErrorKind::Io(_))), "{why:?}");
    }
}

#[test]
fn a_slow_line_costs_turns_only() {
    let latency = Duration::from_millis(50);
    let proxy = Proxy::start(host().imaps, Line { latency, ..Line::default() });
    let (user, strings) = (user(), Strings::new());
    let begun = Instant::now();
    let mut store = imap_to(&at(&proxy), &user, PASSWORD, &strings).unwrap();
    store.list().unwrap();
    store.select(&MailboxPath::inbox(), false, None).unwrap();
    store.fetch_flags(&UidSet::range(1, 9), None, &mut |_| Ok(())).unwrap();
    // Login (SCRAM asks, and proves itself, in two turns more than PLAIN has), what both can do, LIST, SELECT, FETCH; the
    // greeting tells what the server can do.
    assert_eq!(store.traffic().round_trips, 7);
    // Beside them TLS and the greeting; the rest is the server's own time.
    let turns = begun.elapsed().as_secs_f64() / (2.0 * latency.as_secs_f64());
    assert!((5.0..20.0).contains(&turns), "{turns} turns");
    strings.waker.ring();
    assert_eq!(store.idle(Duration::from_secs(60)).unwrap(), Idle::Woken);
}

/// The one case in which nobody knows: the mail and its final dot went out, and the answer did not come.
#[test]
fn a_line_cut_after_the_dot_leaves_the_mail_unknown() {
    let proxy = Proxy::start(host().submissions, Line::default());
    let endpoint = Endpoint { port: proxy.port, ..host().smtp_at(At::Good, TlsMode::Implicit) };
    let user = user();
    for (cut_before, want) in [(false, true), (true, false)] {
        let mut smtp = crate::smtp_to(&endpoint, &user, PASSWORD).unwrap();
        let to = [user.clone()];
        let mail = Mail { sender: &user, recipients: &to };
        if cut_before {
            proxy.end_all(End::Reset);
        }
        let sent = smtp.send(mail, &mut Cursor::new("Subject: x\r\n\r\nx\r\n"), &mut || {
            proxy.end_all(End::Reset);
            Ok(())
        });
        assert_eq!(sent.unwrap_err().why == Why::Unknown, want);
    }
}
