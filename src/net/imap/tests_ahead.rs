//! tests_ahead — what is asked for while another answer still comes, from servers that answer in odd orders or not at all.

use super::ImapStore;
use super::tests::with_words;
use crate::mail::uid::{Uid, UidSet};
use crate::net::error::{NetErrorKind, Result};
use crate::net::script::{Step, hear, say};
use crate::net::session::{Bodies, MailStore};

/// Rows of list windows from `from` down to `to`, each a response of its own.
fn rows(from: u32, to: u32) -> String {
    let row =
        |n| format!("* {n} FETCH (UID {n} FLAGS () RFC822.SIZE 9 ENVELOPE (NIL \"s{n}\" NIL NIL NIL NIL NIL NIL NIL NIL))\r\n");
    (from..=to).map(row).collect()
}

const SIZE: &str = "* 1000 EXISTS\r\n";

/// Fetches `uids`; after so many rows `next` is said to come.
fn window(store: &mut ImapStore, uids: (u32, u32), next: Option<(u64, (u32, u32))>) -> (Result<()>, UidSet) {
    let mut came = UidSet::new();
    let ran = store.fetch_envelopes(&UidSet::range(uids.0, uids.1), &mut |rows| {
        came = came.union(&rows.iter().map(|row| row.uid).collect());
        Ok(next.filter(|(after, _)| came.len() >= *after).map(|(_, (low, high))| UidSet::range(low, high)))
    });
    (ran, came)
}

#[test]
fn the_next_window_is_asked_for_while_this_one_comes() {
    // The second command is heard before the first one is answered: a server that answers nothing without it would hang.
    let steps = vec![
        hear("UID FETCH 601:1000"),
        say([SIZE, &rows(601, 800)].concat()),
        hear("UID FETCH 201:600"),
        say([rows(801, 1000), "a3 OK x\r\n".to_owned(), rows(201, 600), "a4 OK x\r\n".to_owned()].concat()),
        hear("NOOP"),
        say("%T OK x\r\n"),
    ];
    let ((), heard) = with_words("IDLE", steps, |s| {
        let before = s.traffic().round_trips;
        let (ran, came) = window(s, (601, 1000), Some((200, (201, 600))));
        assert_eq!((ran, came), (Ok(()), UidSet::range(601, 1000)));
        let (ran, came) = window(s, (201, 600), None);
        assert_eq!((ran, came), (Ok(()), UidSet::range(201, 600)));
        assert_eq!(s.traffic().round_trips - before, 1);
        s.noop().unwrap();
    });
    assert_eq!(heard.matches("UID FETCH").count(), 2, "{heard}");
}

#[test]
fn a_server_may_answer_the_one_ahead_first() {
    let mixed = [
        &rows(201, 400),
        &rows(801, 1000),
        &rows(401, 600),
        // Rows that nobody asked for, and one twice.
        &rows(100, 100),
        &rows(600, 600),
        "a4 OK x\r\n",
        "a3 OK x\r\n",
    ];
    let steps = vec![
        hear("UID FETCH 601:1000"),
        say([SIZE, &rows(601, 800)].concat()),
        hear("UID FETCH 201:600"),
        say(mixed.concat()),
        hear("NOOP"),
        say("%T OK x\r\n"),
    ];
    with_words("IDLE", steps, |s| {
        // Rows of both are handed on as they come, and nothing is left of the second one.
        let (ran, came) = window(s, (601, 1000), Some((200, (201, 600))));
        assert_eq!((ran, came), (Ok(()), UidSet::range(201, 1000)));
        let (ran, came) = window(s, (201, 600), None);
        assert_eq!((ran, came), (Ok(()), UidSet::new()));
        s.noop().unwrap();
    });
}

#[test]
fn what_was_asked_for_ahead_and_is_not_wanted_is_read_out() {
    for (first, end) in [("a3 OK x\r\n", Ok(())), ("a3 NO [UNAVAILABLE] x\r\n", Err("UNAVAILABLE"))] {
        for second in ["a4 OK x\r\n", "a4 NO x\r\n", "a4 BAD x\r\n"] {
            let steps = vec![
                hear("UID FETCH 601:1000"),
                say([SIZE, &rows(601, 800)].concat()),
                hear("UID FETCH 201:600"),
                say([first, &rows(201, 400)].concat()),
                say([&rows(401, 600), second].concat()),
                hear("UID FETCH 1:9"),
                say([rows(1, 9), "%T OK x\r\n".to_owned()].concat()),
                hear("IDLE"),
                say("+ idling\r\n* 1001 EXISTS\r\n"),
                hear("DONE"),
                say("a6 OK x\r\n"),
            ];
            with_words("IDLE", steps, |s| {
                let (ran, _) = window(s, (601, 1000), Some((200, (201, 600))));
                match (ran, end) {
                    (Ok(()), Ok(())) => {}
                    (Err(e), Err(code)) => assert_eq!(e.kind, NetErrorKind::No { code: code.to_owned() }),
                    (ran, _) => panic!("{ran:?}"),
                }
                let (ran, came) = window(s, (1, 9), None);
                assert_eq!((ran, came), (Ok(()), UidSet::range(1, 9)));
                s.changed();
                s.idle(std::time::Duration::from_secs(9)).unwrap();
                assert!(s.changed());
            });
        }
    }
}

#[test]
fn a_line_that_breaks_under_the_one_ahead_is_broken() {
    let steps = vec![
        hear("UID FETCH 601:1000"),
        say([SIZE, &rows(601, 800)].concat()),
        hear("UID FETCH 201:600"),
        say([rows(801, 1000), "a3 OK x\r\n".to_owned(), rows(201, 450)].concat()),
    ];
    with_words("IDLE", steps, |s| {
        let (ran, came) = window(s, (601, 1000), Some((200, (201, 600))));
        assert_eq!((ran, came), (Ok(()), UidSet::range(601, 1000)));
        let (ran, came) = window(s, (201, 600), None);
        // What came whole is handed on.
        assert_eq!((ran.is_err(), came), (true, UidSet::range(201, 450)));
        assert!(s.noop().is_err());
    });
}

/// Keeps nothing but how many came.
#[derive(Default)]
struct Count(u64);

impl Bodies for Count {
    fn begin(&mut self, _: Uid, _: u64) -> Result<()> {
        Ok(())
    }
    fn piece(&mut self, _: &[u8]) -> Result<()> {
        Ok(())
    }
    fn whole(&mut self) -> Result<()> {
        self.0 += 1;
        Ok(())
    }
}

#[test]
fn a_refused_batch_of_texts_leaves_no_answer_behind() {
    let text = "* 1 FETCH (UID 1 BODY[] {3}\r\nabc)\r\n";
    let steps: Vec<Step> = vec![
        hear("UID FETCH 101:200"),
        hear("UID FETCH 1:100"),
        say(["a3 NO [LIMIT] too many\r\n", text, "a4 OK x\r\n"].concat()),
        hear("NOOP"),
        say("* 4 EXISTS\r\n%T OK x\r\n"),
    ];
    with_words("IDLE", steps, |s| {
        let mut count = Count::default();
        let refused = s.fetch_bodies(&UidSet::range(1, 200), &mut count);
        assert_eq!(refused.unwrap_err().kind, NetErrorKind::No { code: "LIMIT".to_owned() });
        s.noop().unwrap();
        assert_eq!((s.exists(), count.0), (4, 0));
    });
}
