//! reach — what is not cached, asked of Dovecot: SEARCH, SORT, THREAD and SEARCHRES, each with and without.
//! Start reading at: any test.

use crate::extensions::open;
use crate::mailhost::proxy::{Line, Proxy};
use crate::mailhost::{At, host, user};
use crate::person::{Person, id, rows, sees, until, within_a_second};
use postrider::engine::Engine;
use postrider::engine::api::{Query as EngineQuery, Request, Rows, SearchPage, Task};
use postrider::mail::envelope::MessageId;
use postrider::mail::flags::Flags;
use postrider::mail::mailbox::MailboxPath;
use postrider::mail::query::{self, Query};
use postrider::mail::row::{RowCursor, View};
use postrider::mail::uid::{Uid, UidSet};
use postrider::net::session::MailStore;
use std::time::{Duration, Instant};

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

fn found(engine: &Engine, text: &str) -> SearchPage {
    let query = EngineQuery::Search { text: text.into(), within: None, limit: 50 };
    let Ok(Rows::Search(page)) = engine.ask(&query) else { panic!() };
    page
}

fn asked(engine: &Engine, text: &str) -> SearchPage {
    engine.perform(Request::AskServers { text: text.into() }).unwrap();
    until(engine, "the servers' answer", |_| {
        let page = found(engine, text);
        page.servers.as_ref().is_some_and(|s| s.asking == 0 && s.coming == 0).then_some(page)
    })
}

fn subjects(page: &SearchPage) -> Vec<String> {
    page.rows.iter().map(|row| row.subject.clone()).collect()
}

/// The reader's search goes on at the server: words in texts that are not here, other conditions as they are known here.
fn searches_texts(person: &mut Person) {
    person.more = "keep = { bodies = \"none\" }\n".into();
    let mut other = person.other();
    put(&mut other, 1, &mail("a", "", "harbour", "The kohlrabi is ripe."));
    put(&mut other, 2, &mail("b", "", "quay", "No vegetable at all."));
    let archive = MailboxPath::from_typed("Archive");
    let text = mail("c", "", "shed", "More kohlrabi, and the kohlrabi again.");
    other.append(&archive, &Flags::new(), 1_750_600_000, text.len() as u64, &mut text.as_bytes()).unwrap();
    let engine = person.start();
    sees(&engine, "INBOX", &["harbour", "quay"]);
    sees(&engine, "Archive", &["shed"]);
    assert!(found(&engine, "kohlrabi").rows.is_empty() && found(&engine, "kohlrabi").servers.is_none());
    assert_eq!(subjects(&asked(&engine, "kohlrabi")), ["shed", "harbour"]);
    assert_eq!(subjects(&asked(&engine, "kohlrabi in:archive")), ["shed"]);
    assert!(asked(&engine, "kohlrabi has:attachment").rows.is_empty());
    let page = asked(&engine, "kohlrabi subject:harbour");
    assert_eq!((subjects(&page), page.servers.unwrap().found), (vec!["harbour".to_owned()], 1));
    // What is opened stays, and is found here from now on.
    let row = page.rows[0].id;
    engine.perform(Request::FetchBody(row)).unwrap();
    until(&engine, "the text", |_| {
        let page = found(&engine, "kohlrabi subject:harbour");
        (page.rows.len() == 1 && page.rows[0].cached && page.servers.unwrap().found == 0).then_some(())
    });
    engine.perform(Request::LeaveServers).unwrap();
    assert!(found(&engine, "kohlrabi in:archive").servers.is_none() && found(&engine, "kohlrabi in:archive").rows.is_empty());
    assert!(engine.perform(Request::AskServers { text: "after:never".into() }).is_err());
}

#[test]
fn a_search_goes_on_at_the_server() {
    searches_texts(&mut Person::new(user()));
}

/// A server that allows no third connection is asked over the one that is there.
#[test]
fn a_search_needs_no_connection_of_its_own() {
    let mut person = Person::new(user());
    // Of two, the other client has one.
    person.at = At::FewLines;
    searches_texts(&mut person);
}

/// While a large mailbox is read for the first time: what is found at its far end comes at once, with its conversation.
#[test]
fn what_the_first_fill_has_not_reached_is_found() {
    let mut person = Person::new(user());
    let mut other = person.other();
    put(&mut other, 1, &mail("root", "", "needle", "x"));
    put(&mut other, 2, &mail("r1", "References: <root@x.test>\r\n", "Re: needle", "x"));
    put(&mut other, 3, &mail("else", "", "straw", "x"));
    put(&mut other, 4, &mail("r2", "References: <root@x.test> <r1@x.test>\r\n", "an answer", "x"));
    for n in 0..600 {
        let to = "x@y, ".repeat(40);
        person.deliver(&format!("{n:05}"), &format!("From: a@b.test\nSubject: s{n}\nMessage-ID: <{n}@b>\nTo: {to}\n\nHello.\n"));
    }
    let proxy = Proxy::start(host().imaps, Line { rate: Some(30_000), ..Line::default() });
    person.imap = proxy.port;
    person.more = "without = [\"COMPRESS=DEFLATE\"]\nkeep = { bodies = \"none\" }\n".into();
    let engine = person.start();
    until(&engine, "the first rows", |_| (rows(&engine, "INBOX").len() >= 50).then_some(()));
    let page = asked(&engine, "subject:needle");
    assert_eq!(subjects(&page), ["Re: needle", "needle"]);
    let inbox = id(&engine, "INBOX").unwrap();
    let here = || {
        let view = View::Mailbox(inbox);
        let query = EngineQuery::Messages { view, threaded: false, cursor: RowCursor::Newest, limit: 1_000 };
        let Ok(Rows::Messages(page)) = engine.ask(&query) else { panic!() };
        page.rows.len()
    };
    assert!(here() < 600, "the fill goes on beside it: {}", here());
    engine.perform(Request::FetchBody(page.rows[1].id)).unwrap();
    until(&engine, "the conversation", |_| {
        let Ok(Rows::Thread(rows)) = engine.ask(&EngineQuery::Thread(page.rows[1].id)) else { panic!() };
        (rows.len() == 3).then_some(())
    });
    assert!(here() < 604 && found(&engine, "subject:straw").rows.is_empty(), "{}", here());
    proxy.set(Line::default());
    until(&engine, "the rest", |_| (here() == 604).then_some(()));
}

/// A server that says nothing: the search is stopped within a second, and says so.
#[test]
fn a_search_at_the_server_is_stopped() {
    within_a_second(stopped_search);
}

/// How long it took until it ended. The server's next word comes after eight seconds.
fn stopped_search() -> Duration {
    let mut person = Person::new(user());
    person.more = "keep = { bodies = \"none\" }\n".into();
    let mut other = person.other();
    put(&mut other, 1, &mail("a", "", "harbour", "The kohlrabi is ripe."));
    let proxy = Proxy::start(host().imaps, Line::default());
    person.imap = proxy.port;
    let engine = person.start();
    sees(&engine, "INBOX", &["harbour"]);
    proxy.set(Line { latency: Duration::from_secs(8), ..Line::default() });
    engine.perform(Request::AskServers { text: "kohlrabi".into() }).unwrap();
    let job = until(&engine, "the job", |_| {
        let Ok(Rows::Jobs(jobs)) = engine.ask(&EngineQuery::Jobs) else { panic!() };
        jobs.into_iter().find(|job| matches!(job.task, Task::Ask(_)))
    });
    let begun = Instant::now();
    engine.perform(Request::StopJob(job.id)).unwrap();
    let fault = until(&engine, "the end", |_| found(&engine, "kohlrabi").servers.unwrap().faults.pop());
    let took = begun.elapsed();
    assert!(fault.what.as_str().contains("stopped"), "{fault:?}");
    // It can be asked again.
    proxy.set(Line::default());
    assert_eq!(subjects(&asked(&engine, "kohlrabi")), ["harbour"]);
    took
}

/// PREVIEW (RFC 8970): rows whose text is not fetched have the first words that the server tells; masked, none until it is here.
#[test]
fn rows_without_a_text_have_first_words_of_the_server() {
    for (without, metered, expected) in [("", false, true), ("without = [\"PREVIEW\"]\n", false, false), ("", true, false)] {
        let mut person = Person::new(user());
        person.more = format!("{without}keep = {{ bodies = \"none\" }}\nmetered = {metered}\n");
        let mut other = person.other();
        put(&mut other, 1, &mail("a", "", "harbour", "The kohlrabi is ripe.\r\nSo are the beans."));
        let engine = person.start();
        let preview = || rows(&engine, "INBOX").first().map(|r| (r.preview.clone(), r.cached));
        sees(&engine, "INBOX", &["harbour"]);
        if expected {
            until(&engine, "the preview", |_| {
                preview().filter(|(words, cached)| words.starts_with("The kohlrabi is ripe. So are") && !cached)
            });
            continue;
        }
        std::thread::sleep(Duration::from_millis(700));
        assert_eq!(preview().unwrap(), (String::new(), false), "{without} {metered}");
        engine.perform(Request::FetchBody(rows(&engine, "INBOX")[0].id)).unwrap();
        until(&engine, "the text", |_| preview().filter(|(words, cached)| words.starts_with("The kohlrabi") && *cached));
    }
}

/// Rows that come into sight later have them, too: more than are asked for at once.
#[test]
fn rows_that_come_into_sight_have_first_words() {
    let mut person = Person::new(user());
    person.more = "keep = { bodies = \"none\" }\n".into();
    let mut other = person.other();
    for n in 0..230 {
        put(&mut other, 1, &mail(&format!("m{n}"), "", &format!("s{n}"), &format!("These are the words of {n}.")));
    }
    let engine = person.start();
    // To page through all of them is to look at them.
    until(&engine, "all previews", |_| {
        let all = rows(&engine, "INBOX");
        (all.len() == 230 && all.iter().all(|r| !r.cached && r.preview.starts_with("These are the words"))).then_some(())
    });
}
