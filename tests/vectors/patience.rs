//! patience — servers that make one wait: every wait ends, and costs nothing while it lasts. All of them at once, since each
//! takes as long as its limit: `NO_PROGRESS` of `src/net/wire.rs`, `CONNECT` of `src/net/dial.rs`.
//! Start reading at: `limits_of_time`.

use super::bed::{Bed, Ran};
use super::cert::Identity;
use super::records;
use super::use_of_line::at_port;
use super::wire::{Act, Server, Tls, say};
use postrider::net::dial::CONNECT;
use postrider::net::wire::NO_PROGRESS;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(200);
/// A busy machine is slow, and a pass begins with a login.
const SLACK: Duration = Duration::from_secs(15);

/// One account at `server`, and a second, honest one: how the pass went.
fn beside_another(server: &Server) -> (Ran, Vec<String>) {
    let fine = Server::imap();
    let mut bed = Bed::new();
    bed.account("a", server, None, "");
    bed.account("b", &fine, None, "");
    let ran = bed.run(&["sync", "--bodies", "all"]).code(1);
    (ran, bed.subjects("b/INBOX"))
}

fn ends_after(what: &str, limit: Duration, server: &Server) {
    let (ran, other) = beside_another(server);
    assert_eq!(other.len(), 3, "{what}: the other account goes on");
    assert!(ran.took >= limit.checked_sub(Duration::from_secs(1)).unwrap() && ran.took < limit + SLACK, "{what}: {ran:?}");
    assert!(ran.busy < Duration::from_secs(3), "{what}: {ran:?}");
    assert!(ran.err.contains("does not answer"), "{what}: {}", ran.err);
    // S-01: what was announced is not what is kept ready.
    assert!(ran.peak < 100_000, "{what}: {ran:?}");
}

/// T-13: records that say nothing are no progress, however many come.
fn keys_for_ever() {
    let bed = at_port(records::serve(|line| {
        loop {
            line.key_update();
            line.data(b"");
            if !line.send() {
                return;
            }
            std::thread::sleep(Duration::from_secs(1));
        }
    }));
    let ran = bed.run(&["sync"]).code(69);
    assert!(ran.took < NO_PROGRESS + SLACK && ran.busy < Duration::from_secs(3), "{ran:?}");
}

/// T-02: silence after STARTTLS. T-13: a handshake that never ends, keys that change for ever. S-01: a literal that never comes. S-05: a byte every
/// ten seconds for ever.
#[test]
fn limits_of_time() {
    assert_eq!((CONNECT.as_secs(), NO_PROGRESS.as_secs()), (30, 60));
    let silent = Server::imap_over(Tls::Start(Identity::good()));
    silent.always("STARTTLS", vec![Act::Stall(LONG), Act::Close]);
    let handshake = Server::imap_over(Tls::Start(Identity::good()));
    // A ServerHello of 16 kB, a byte every two seconds.
    let hello = [&[0x16, 3, 3, 0x3f, 0xf0, 2, 0, 0x3f, 0xec, 3, 3][..], &[0; 100]].concat();
    handshake.always("STARTTLS", vec![say("%T OK go\r\n"), Act::Drip(hello, Duration::from_secs(2))]);
    let literal = Server::imap();
    literal
        .always("BODY.PEEK[]", vec![say("* 3 FETCH (UID 3 BODY[] {200000000}\r\nSubject: x\r\n"), Act::Stall(LONG), Act::Close]);
    let drip = Server::imap();
    drip.always("LIST", vec![Act::Drip(b"* LIST () \"/\" abcdefghijklmnopqrstuvwxyz".to_vec(), Duration::from_secs(10))]);
    std::thread::scope(|all| {
        all.spawn(|| ends_after("silence after STARTTLS", CONNECT, &silent));
        all.spawn(|| ends_after("an endless handshake", CONNECT, &handshake));
        all.spawn(|| ends_after("a literal that stalls", NO_PROGRESS, &literal));
        all.spawn(|| ends_after("a byte now and then", NO_PROGRESS, &drip));
        all.spawn(keys_for_ever);
    });
}
