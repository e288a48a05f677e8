//! find_tests — SEARCH, SORT and THREAD: what is said, and how answers are read; a scripted server.

use super::*;
use crate::mail::query;
use crate::net::imap::tests::with_words;
use crate::net::script::{hear, say};

fn uid(n: u32) -> Uid {
    Uid::new(n).unwrap()
}

fn query(text: &str) -> Query {
    query::parse(text, jiff::civil::date(2026, 6, 1)).query
}

#[test]
fn answers_are_read_in_their_order() {
    assert_eq!(numbers(b"5 3 0 99999999999 7 x (MODSEQ 9)"), [uid(5), uid(3), uid(7)]);
    let read =
        |text: &str| -> Vec<Vec<u32>> { threads(text.as_bytes()).iter().map(|t| t.iter().map(|u| u.get()).collect()).collect() };
    assert_eq!(read("(2)(3 6 (4 23)(44 7 96))"), [vec![2], vec![3, 6, 4, 23, 44, 7, 96]]);
    assert_eq!(read("((3)(5)) ()"), [vec![3, 5]]);
    assert!(read("").is_empty() && read("(0)(x)").is_empty());
    // Deeper than anybody nests: nothing is lost but the nesting.
    let deep = format!("{}7{}", "(".repeat(5_000), ")".repeat(5_000));
    assert!(read(&deep).iter().flatten().all(|n| *n == 7));
}

#[test]
fn hits_come_in_the_order_of_arrival_where_the_server_sorts() {
    let steps = vec![
        hear("UID SORT (REVERSE ARRIVAL) US-ASCII UID 1:9 "),
        say("* SORT 2 9 2 4\r\n%T OK done\r\n"),
        // One that lies about it is asked without.
        hear("UID SORT (REVERSE ARRIVAL) UTF-8"),
        say("%T BAD what\r\n"),
        hear("UID SEARCH RETURN (ALL) CHARSET UTF-8 UID 1:* "),
        say("%T NO [BADCHARSET] what\r\n"),
        hear("UID SEARCH RETURN (ALL) UID 1:* (ALL (ALL FROM"),
        say("* ESEARCH (TAG \"x\") UID ALL 3:5\r\n%T OK done\r\n"),
        hear("UID SORT (REVERSE ARRIVAL) US-ASCII UID 3:5"),
        say("* SORT 4 5\r\n%T OK done\r\n"),
    ];
    let ((sorted, plain), heard) = with_words("ESEARCH SORT", steps, |store| {
        let sorted = store.newest_of(&query("from:ann"), Some(&UidSet::range(1, 9))).unwrap();
        (sorted, store.newest_of(&query("from:ann subject:Größe"), None).unwrap())
    });
    assert_eq!(sorted, [uid(2), uid(9), uid(4)]);
    assert_eq!(plain, [uid(5), uid(4), uid(3)], "half an order is none: {heard}");
    assert!(!heard.contains("US-ASCII UID 1:9 SUBJECT"), "{heard}");
}

#[test]
fn a_saved_result_spares_a_turn() {
    let row = |uid: u32, id: &str| {
        format!(
            "* 1 FETCH (UID {uid} RFC822.SIZE 9 INTERNALDATE \"01-Jan-2026 00:00:00 +0000\" \
             BODY[HEADER.FIELDS (MESSAGE-ID)] \"Message-ID: <{id}>\")\r\n"
        )
    };
    let id = MessageId::new("a@x.test").unwrap();
    let steps = vec![
        hear("UID SEARCH RETURN (SAVE) HEADER Message-ID \"a@x.test\""),
        hear("UID FETCH $ (UID INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])"),
        say(format!("a3 OK saved\r\n{}{}{}", row(3, "a@x.test"), row(3, "a@x.test"), row(4, "aa@x.test"))),
        say("%T OK done\r\n"),
    ];
    let ((found, turns), _) = with_words("ESEARCH SEARCHRES", steps, |store| {
        let before = store.conn.core().wire.traffic.round_trips;
        let found = store.find_id(&id).unwrap();
        (found, store.conn.core().wire.traffic.round_trips - before)
    });
    assert_eq!(found.iter().map(|f| f.uid.get()).collect::<Vec<_>>(), [3, 4]);
    assert_eq!(turns, 1);
}

#[test]
fn a_conversation_is_asked_for_by_its_ids() {
    let ids = [MessageId::new("a@x").unwrap(), MessageId::new("b\"@x").unwrap()];
    let asked = "OR OR OR OR OR HEADER Message-ID \"a@x\" HEADER References \"a@x\" HEADER In-Reply-To \"a@x\" \
         HEADER Message-ID \"b\\\"@x\"";
    let steps = vec![hear("UID THREAD REFS US-ASCII OR"), say("* THREAD (2 3)(4)\r\n%T OK done\r\n")];
    let (threads, heard) = with_words("ESEARCH THREAD=REFERENCES THREAD=REFS", steps, |s| s.threads_of(&ids).unwrap());
    assert_eq!(threads, [vec![uid(2), uid(3)], vec![uid(4)]]);
    assert!(heard.contains(asked), "{heard}");
    let steps = vec![hear("UID SEARCH RETURN (ALL) OR OR"), say("* ESEARCH (TAG \"x\") UID ALL 2:4\r\n%T OK done\r\n")];
    let (threads, _) = with_words("ESEARCH", steps, |s| s.threads_of(&ids).unwrap());
    assert_eq!(threads, [vec![uid(2), uid(3), uid(4)]]);
    let (none, _) = with_words("ESEARCH", vec![], |s| s.threads_of(&[]).unwrap());
    assert!(none.is_empty());
}

/// A server without THREAD that has names for conversations is asked by them; a name that would end the command is none.
#[test]
fn a_conversation_is_asked_for_by_its_name() {
    let ids = [MessageId::new("a@x").unwrap()];
    let found = "* ESEARCH (TAG \"x\") UID ALL 2\r\n%T OK done\r\n";
    for (caps, item, name, key) in [
        ("ESEARCH OBJECTID", "THREADID", "(T64b)", "UID SEARCH RETURN (ALL) THREADID T64b\r\n"),
        ("ESEARCH X-GM-EXT-1", "X-GM-THRID", "1278", "UID SEARCH RETURN (ALL) X-GM-THRID 1278\r\n"),
    ] {
        let steps = vec![
            hear("UID SEARCH RETURN (ALL) OR OR"),
            say(found),
            hear("UID FETCH 2 (UID "),
            say(format!("* 2 FETCH (UID 2 {item} {name})\r\n%T OK x\r\n")),
            hear(key),
            say("* ESEARCH (TAG \"x\") UID ALL 2:3,9\r\n%T OK done\r\n"),
        ];
        let (threads, _) = with_words(caps, steps, |s| s.threads_of(&ids).unwrap());
        assert_eq!(threads, [vec![uid(2), uid(3), uid(9)]]);
    }
    for name in ["NIL", "(\"x\\\" ALL\")"] {
        let steps = vec![
            hear("UID SEARCH RETURN (ALL) OR OR"),
            say(found),
            hear("UID FETCH 2 (UID THREADID)\r\n"),
            say(format!("* 2 FETCH (UID 2 THREADID {name})\r\n%T OK x\r\n")),
        ];
        let (threads, _) = with_words("ESEARCH OBJECTID", steps, |s| s.threads_of(&ids).unwrap());
        assert_eq!(threads, [vec![uid(2)]], "{name}");
    }
}
