//! rare — what few servers have, or have switched on, against them, with and without: LITERAL-, UTF8=ACCEPT, IMAP4rev2, OBJECTID.
//! Start reading at: any test. Dovecot 2.3 (Debian 12) knows no UTF8=ACCEPT; no Dovecot of Debian's is built for IMAP4rev2, and none has
//! OBJECTID. `tests/servers` gets servers that do: the ordinary run the Dovecot, `tests/run servers` both, told by
//! `POSTRIDER_TEST_DOVECOT` and `POSTRIDER_TEST_CYRUS`. Where the server is not there a test says that it was left out:
//! `src/net/imap/tests_extras.rs` has the same scripted.

use crate::extensions::{open, put};
use crate::imap_without;
use crate::mailhost::{At, PASSWORD, host, newer, user};
use postrider::mail::mailbox::MailboxPath;
use postrider::mail::uid::UidSet;
use postrider::net::imap::ImapStore;
use postrider::net::session::{MailStore, TlsMode};

fn odd_user() -> String {
    format!("odd{}", user())
}

fn found(store: &mut ImapStore, words: &str) -> String {
    store.select(&MailboxPath::inbox(), true, None).unwrap();
    let query = postrider::mail::query::parse(words, jiff::civil::date(2026, 6, 1)).query;
    store.search(&query, None).unwrap().to_string()
}

/// LITERAL- (RFC 7888): what is small goes out without leave, what is larger asks first (the server would end the line);
/// masked, everything asks.
#[test]
fn small_literals_wait_for_no_leave() {
    let (user, inbox) = (odd_user(), MailboxPath::inbox());
    for (without, small, large) in [(&[][..], 1, 2), (&["LITERAL-"], 2, 2)] {
        let mut store = open(&user, without);
        let has = |word: &str| store.words().iter().any(|w| w == word);
        assert_eq!((has("LITERAL-"), has("LITERAL+")), (without.is_empty(), false), "{without:?}");
        for (size, expected) in [(500, small), (4_096, small), (4_097, large), (10_000, large)] {
            let text = format!("Subject: x\r\n\r\n{}\r\n", "x".repeat(size - 16));
            assert_eq!(text.len(), size);
            let before = store.traffic().round_trips;
            put(&mut store, &inbox, &text);
            assert_eq!(store.traffic().round_trips - before, expected, "{without:?} {size}");
        }
    }
    assert_eq!(found(&mut open(&user, &[]), "subject:x"), "1:8");
}

/// UTF8=ACCEPT (RFC 6855): headers come in UTF-8, and a search says no CHARSET (this server takes that for a mistake then);
/// masked, nothing was agreed on, and a search has to say one.
#[test]
fn headers_and_words_in_utf8() {
    if !newer() {
        println!("left out: this Dovecot has no UTF8=ACCEPT");
        return;
    }
    let user = odd_user();
    let inbox = MailboxPath::inbox();
    // Not by `UTF8 (~{…}`: 2.4.1 read the text of the mail as commands then (`src/net/imap/append.rs`).
    put(&mut open(&user, &[]), &inbox, "Subject: Größe\r\nFrom: Jörg <j@x.test>\r\n\r\nmit Grüßen\r\n");
    put(&mut open(&user, &[]), &inbox, "Subject: plain\r\n\r\nplain\r\n");
    for without in [&[][..], &["UTF8=ACCEPT"]] {
        let mut store = open(&user, without);
        assert_eq!(store.is_on("UTF8=ACCEPT"), without.is_empty());
        assert_eq!(store.list().unwrap().iter().filter(|l| l.path == inbox).count(), 1);
        assert_eq!(found(&mut store, "subject:Größe"), "1", "{without:?}");
        assert_eq!(found(&mut store, "body:Grüßen"), "1", "{without:?}");
        assert_eq!(found(&mut store, "subject:plain"), "2", "{without:?}");
        let mut rows = Vec::new();
        let sink = &mut |part: Vec<postrider::mail::server::EnvelopeSeen>| {
            rows.extend(part.into_iter().map(|row| row.envelope.envelope().subject));
            Ok(None)
        };
        store.fetch_envelopes(&UidSet::range(1, 2), sink).unwrap();
        assert_eq!(rows, ["Größe", "plain"], "{without:?}");
    }
    // Debian's build says ENABLED, and yet spells names in modified UTF-7: whoever has such a server masks the word.
    let path = MailboxPath::from_typed("Entwürfe");
    let mut masked = open(&user, &["UTF8=ACCEPT"]);
    masked.create(&path).unwrap();
    assert!(masked.list().unwrap().iter().any(|l| l.path == path));
    masked.select(&path, true, None).unwrap();
}

/// Where SCRAM with channel binding is offered too (2.4), we log in by SCRAM without: `net/scram.rs` says why.
#[test]
fn the_strongest_way_that_binds_no_channel() {
    let user = user();
    open(&user, &[]).noop().unwrap();
    let log = || std::fs::read_to_string(host().dir.join("log/dovecot.log")).unwrap();
    let way = format!("user=<{user}>, method=SCRAM-SHA-256, ");
    crate::mailhost::wait("the login is in the log", || log().contains(&way));
}

/// IMAP4rev2 (RFC 9051): all that a mail store does, names of mailboxes in UTF-8 among it; masked, the same by the first revision.
#[test]
fn the_second_revision() {
    if std::env::var_os("POSTRIDER_TEST_DOVECOT").is_none() {
        println!("left out: no server here has IMAP4rev2");
        return;
    }
    let endpoint = host().imap_at(At::Good, TlsMode::Implicit);
    for without in [&[][..], &["UTF8=ACCEPT"], &["IMAP4REV2"], &["IMAP4REV2", "UTF8=ACCEPT"]] {
        let user = format!("rev{}", user());
        crate::store::suite(&|s| Box::new(imap_without(&endpoint, &user, PASSWORD, s, without).unwrap()));
        let mut store = open(&user, without);
        for word in ["IMAP4REV2", "UTF8=ACCEPT"] {
            assert_eq!(store.is_on(word), !without.contains(&word), "{without:?} {word}");
        }
        // Whoever speaks the other revision sees the same names.
        let first = without.contains(&"IMAP4REV2");
        let mut other = open(&user, if first { &[] } else { &["IMAP4REV2", "UTF8=ACCEPT"] });
        let path = MailboxPath::from_typed("Entwürfe & mehr/日本語");
        store.create(&path).unwrap();
        put(&mut store, &path, "Subject: Größe\r\nMessage-ID: <1@x.test>\r\n\r\nmit Grüßen\r\n");
        for s in [&mut store, &mut other] {
            let listed = s.list().unwrap().into_iter().find(|l| l.path == path).unwrap();
            assert_eq!(listed.status.map(|s| s.messages), Some(1));
            let opened = s.select(&path, false, None).unwrap();
            assert!(opened.exists == 1 && opened.uidnext == 2 && opened.highestmodseq.0 > 0, "{opened:?}");
            let query = postrider::mail::query::parse("subject:Größe", jiff::civil::date(2026, 6, 1)).query;
            assert_eq!(s.search(&query, None).unwrap(), UidSet::range(1, 1), "{without:?}");
        }
    }
}

/// OBJECTID (RFC 8474): a message, its conversation and its mailbox keep what they are called wherever they go; masked, nothing
/// is called anything.
#[test]
fn objects_keep_their_names() {
    if std::env::var_os("POSTRIDER_TEST_CYRUS").is_none() {
        println!("left out: no server here has OBJECTID");
        return;
    }
    let (user, inbox) = (user(), MailboxPath::inbox());
    let (from, to) = (MailboxPath::from_typed("Plans"), MailboxPath::from_typed("Plans of 2026"));
    let mut store = open(&user, &["THREAD=REFS", "THREAD=REFERENCES"]);
    for text in [
        "Subject: a\r\nMessage-ID: <a@x.test>\r\n\r\na\r\n",
        "Subject: Re: a\r\nMessage-ID: <b@x.test>\r\nIn-Reply-To: <a@x.test>\r\nReferences: <a@x.test>\r\n\r\nb\r\n",
        "Subject: c\r\nMessage-ID: <c@x.test>\r\n\r\nc\r\n",
    ] {
        put(&mut store, &inbox, text);
    }
    store.create(&from).unwrap();
    let named = store.select(&from, false, None).unwrap().mailbox_id;
    store.rename(&from, &to).unwrap();
    assert!(!named.is_empty() && store.select(&to, false, None).unwrap().mailbox_id == named);
    let ids = |s: &mut ImapStore| {
        let mut ids = Vec::new();
        let sink = &mut |rows: Vec<postrider::mail::server::EnvelopeSeen>| {
            ids.extend(rows.into_iter().map(|row| row.object_id));
            Ok(None)
        };
        s.fetch_envelopes(&UidSet::range(1, 9), sink).unwrap();
        ids
    };
    store.select(&inbox, false, None).unwrap();
    let all = ids(&mut store);
    assert!(all.len() == 3 && all.iter().all(|id| !id.is_empty()) && all[0] != all[1], "{all:?}");
    let thread = store.thread(&[postrider::mail::envelope::MessageId::new("a@x.test").unwrap()]).unwrap();
    assert_eq!(thread.iter().map(|t| t.iter().map(|uid| uid.get()).collect::<Vec<_>>()).collect::<Vec<_>>(), [[1, 2]]);
    store.move_to(&UidSet::range(1, 1), &to).unwrap();
    store.select(&to, false, None).unwrap();
    assert_eq!(ids(&mut store), all[..1]);
    // Its STATUS is not asked for what it tells wrongly (`src/net/imap/quirks.rs`).
    assert!(store.list().unwrap().iter().all(|l| l.status.as_ref().is_some_and(|s| s.object_id.is_empty())));
    let mut masked = open(&user, &["OBJECTID"]);
    masked.select(&to, false, None).unwrap();
    assert!(!masked.caps().object_id && ids(&mut masked) == [""]);
}
