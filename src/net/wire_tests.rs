//! wire_tests — the wire while it is compressed.

use super::deflate::Deflate;
use super::error::NetErrorKind;
use super::script::{Script, Step, say};
use super::session::TlsMode;
use super::wire::{Wait, Wire};
use crate::base::cancel::Cancel;
use crate::base::gate::{Permit, Reason};
use crate::base::waker::Waker;
use std::time::Duration;

const SHORT: Duration = Duration::from_millis(50);

fn packed(plain: &[u8]) -> Vec<u8> {
    let (mut out, mut deflate) = (Vec::new(), Deflate::new(&[]));
    deflate.deflate(plain, &mut out).unwrap();
    deflate.flush(&mut out).unwrap();
    out
}

fn connect(steps: Vec<Step>) -> (Script, Wire, Waker) {
    let script = Script::start(steps);
    let (waker, cancel) = (Waker::new().unwrap(), Cancel::new().unwrap());
    let permit = Permit::ask(Reason::MailServer).unwrap();
    let wire = Wire::connect(permit, &script.endpoint(TlsMode::None), &waker, &cancel).unwrap();
    (script, wire, waker)
}

/// Lines that came in one segment with those before them, more of them than any buffer holds, are found one by one though
/// the socket stays silent; a ring of the waker waits for them, and then is heard.
#[test]
fn nothing_sleeps_beside_lines_that_are_here() {
    let lines: String = (0..20_000).map(|n| format!("* {n} EXISTS\r\n")).collect();
    let mut all = b"plain\r\n".to_vec();
    all.extend(packed(lines.as_bytes()));
    let (_script, mut wire, waker) = connect(vec![say(&all), Step::Drain]);
    let mut line = Vec::new();
    wire.read_line(&mut line, 0).unwrap();
    assert_eq!(line, b"plain\r\n");
    wire.compress();
    waker.ring();
    for n in 0..20_000 {
        let ready = loop {
            match wire.wait(Duration::from_secs(10)).unwrap() {
                Wait::Woken if n == 0 => waker.ring(),
                other => break other,
            }
        };
        assert_eq!(ready, Wait::Ready, "{n}");
        line.clear();
        wire.read_line(&mut line, 0).unwrap();
        assert_eq!(line, format!("* {n} EXISTS\r\n").as_bytes());
    }
    assert_eq!(wire.wait(SHORT).unwrap(), Wait::Woken);
    assert_eq!(wire.wait(SHORT).unwrap(), Wait::TimedOut);
    assert!(wire.traffic.received < 100_000, "{}", wire.traffic.received);
    assert!(wire.is_compressed());
}

/// T-18: little that becomes very much.
#[test]
fn t18_a_bomb_ends_the_connection() {
    // What is flushed stands for itself: the same again is as much again.
    let bomb = packed(&vec![b'x'; 1024 * 1024]).repeat(64);
    let (_script, mut wire, _waker) = connect(vec![say(bomb), Step::Drain]);
    wire.compress();
    let e = wire.read_exactly(u64::MAX, &mut |_| Ok(())).unwrap_err();
    assert_eq!(e.kind, NetErrorKind::Limit);
    assert!(wire.read_line(&mut Vec::new(), 0).is_err(), "it stays ended");
}
