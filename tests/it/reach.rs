//! reach — what is not cached, asked of Dovecot: SEARCH, SORT, THREAD and SEARCHRES, each with and without.
//! Start reading at: any test.

use crate::extensions::open;
use crate::mailhost::user;
use postrider::mail::envelope::MessageId;
use postrider::mail::flags::Flags;
use postrider::mail::mailbox::MailboxPath;
use postrider::mail::query::{self, Query};
use postrider::mail::uid::{Uid, UidSet};
use postrider::net::session::MailStore;

fn query(text: &str) -> Query {
    let parsed = query::parse(text, jiff::civil::date(2026, 6, 1));
    assert!(parsed.complaint.is_none(), "{text}");
    parsed.query
}

/// Arrival in the order of days, which is not that of UIDs.
fn put(store: &mut dyn MailStore, day: i64, text: &str) {
    let received = 1_750_000_000 + day * 86_400;
    store.append(&MailboxPath::inbox(), &Flags::new(), received, text.len() as u64, &mut text.as_bytes()).unwrap();
}

fn mail(id: &str, follows: &str, subject: &str, body: &str) -> String {
    format!(
        "From: Ann <ann@x.test>\r\nTo: me@x.test\r\nSubject: {subject}\r\nMessage-ID: <{id}@x.test>\r\n{follows}MIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{body}\r\n"
    )
}

fn numbers(uids: &[Uid]) -> Vec<u32> {
    uids.iter().map(|u| u.get()).collect()
}

const ALL: [&str; 4] = ["ESEARCH", "SEARCHRES", "SORT", "THREAD=REFS"];

/// Queries of ours in SEARCH: nothing that matches is missed, foreign words are found, and no text can end a string.
#[test]
fn words_are_found_with_and_without_esearch() {
    let me = user();
    let mut store = open(&me, &[]);
    put(&mut store, 1, &mail("a", "", "harbour", "The kohlrabi is ripe."));
    put(&mut store, 2, &mail("b", "", "quay", "Über die Fähre \"quoted\" und {5}."));
    put(&mut store, 3, &mail("c", "", "a\\\"b", &"long ".repeat(2_000)));
    for without in [&[][..], &["ESEARCH"], &["LITERAL+"]] {
        let mut store = open(&me, without);
        store.select(&MailboxPath::inbox(), true, None).unwrap();
        for (text, hits) in [
            ("kohlrabi", "1"),
            ("body:kohl", "1"),
            ("body:Fähre", "2"),
            ("fähre OR harbour", "1:2"),
            ("subject:harbour from:ann", "1"),
            ("larger:5K", "3"),
            ("smaller:5K is:unread", "1:2"),
            ("after:2025-06-17", "2:3"),
            ("before:2025-06-16", "1"),
            ("-is:unread", ""),
            ("\"quoted und\"", "2"),
            ("x\r\nA9 DELETE INBOX", ""),
            ("nobody", ""),
        ] {
            let found = store.search(&query(text), None).unwrap();
            let few = UidSet::parse(hits, 0).unwrap_or_default();
            // Days of the server may begin earlier: too many is right, too few is not.
            assert!(few.difference(&found).is_empty(), "{text} without {without:?}: {found}");
            if !text.contains("after") && !text.contains("before") {
                assert_eq!(found, few, "{text} without {without:?}");
            }
        }
        assert_eq!(store.search(&query("kohlrabi"), Some(&UidSet::range(2, 9))).unwrap(), UidSet::new());
        assert_eq!(store.search(&query("ann"), Some(&UidSet::range(2, 9))).unwrap(), UidSet::range(2, 3));
    }
}

/// SORT: the newest arrival first; masked, the highest UID.
#[test]
fn hits_come_newest_first() {
    let me = user();
    let mut store = open(&me, &[]);
    assert!(store.caps().sort);
    for (n, day) in [5, 1, 9, 3].into_iter().enumerate() {
        put(&mut store, day, &mail(&format!("m{n}"), "", "Größe", "x"));
    }
    store.select(&MailboxPath::inbox(), true, None).unwrap();
    for text in ["subject:größe", "from:ann"] {
        assert_eq!(numbers(&store.newest(&query(text), None).unwrap()), [3, 1, 4, 2], "{text}");
        assert_eq!(numbers(&store.newest(&query(text), Some(&UidSet::range(1, 2))).unwrap()), [1, 2], "{text}");
    }
    let mut plain = open(&me, &["SORT"]);
    assert!(!plain.caps().sort);
    plain.select(&MailboxPath::inbox(), true, None).unwrap();
    assert_eq!(numbers(&plain.newest(&query("from:ann"), None).unwrap()), [4, 3, 2, 1]);
    assert!(plain.newest(&query("from:bob"), None).unwrap().is_empty());
}

/// SEARCHRES: what has a Message-ID is found and read in one turn; masked, in two.
#[test]
fn a_message_id_is_found_in_one_turn() {
    let me = user();
    let mut store = open(&me, &[]);
    put(&mut store, 1, &mail("a", "", "one", "x"));
    put(&mut store, 2, &mail("aa", "", "two", "x"));
    let id = MessageId::new("a@x.test").unwrap();
    for (without, turns) in [(&[][..], 1), (&["SEARCHRES"], 2), (&["ESEARCH"], 2)] {
        let mut store = open(&me, without);
        store.select(&MailboxPath::inbox(), true, None).unwrap();
        let before = store.traffic().round_trips;
        let found = store.find(&id).unwrap();
        assert_eq!(store.traffic().round_trips - before, turns, "{without:?}");
        let same: Vec<_> = found.iter().filter(|f| f.print.message_id.as_ref() == Some(&id)).collect();
        assert_eq!((same.len(), same[0].uid.get(), found.len()), (1, 1, 2));
        let before = store.traffic().round_trips;
        assert!(store.find(&MessageId::new("nobody@x.test").unwrap()).unwrap().is_empty());
        assert_eq!(store.traffic().round_trips - before, 1, "{without:?}");
    }
}

/// THREAD: the members of one conversation; masked, by their headers.
#[test]
fn a_conversation_is_found_by_its_ids() {
    let me = user();
    let mut store = open(&me, &[]);
    assert!(store.caps().thread);
    put(&mut store, 1, &mail("root", "", "lunch", "x"));
    put(&mut store, 2, &mail("other", "", "lunch", "x"));
    put(&mut store, 3, &mail("r1", "References: <root@x.test>\r\nIn-Reply-To: <root@x.test>\r\n", "Re: lunch", "x"));
    put(&mut store, 4, &mail("r2", "References: <root@x.test> <r1@x.test>\r\n", "Re: lunch", "x"));
    let root = [MessageId::new("root@x.test").unwrap()];
    for without in [&[][..], &["THREAD=REFS"], &["THREAD=REFS", "THREAD=REFERENCES"], &ALL] {
        let mut store = open(&me, without);
        store.select(&MailboxPath::inbox(), true, None).unwrap();
        let mut threads = store.thread(&root).unwrap();
        assert_eq!(threads.len(), 1, "{without:?}: {threads:?}");
        threads[0].sort();
        assert_eq!(numbers(&threads[0]), [1, 3, 4], "{without:?}");
        assert!(store.thread(&[MessageId::new("no@x.test").unwrap()]).unwrap().is_empty());
    }
}
