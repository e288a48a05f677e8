//! rare — what few servers have switched on, against Dovecot, with and without: LITERAL-, UTF8=ACCEPT.
//! Start reading at: any test. Dovecot 2.3 (Debian 12) knows no UTF8=ACCEPT: there the test says that it was left out, and
//! `src/net/imap/tests_extras.rs` has it scripted.

use crate::extensions::{open, put};
use crate::mailhost::{host, newer, user};
use postrider::mail::mailbox::MailboxPath;
use postrider::mail::uid::UidSet;
use postrider::net::imap::ImapStore;
use postrider::net::session::MailStore;

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
        for (words, expected) in [(100, small), (2_000, large)] {
            let before = store.traffic().round_trips;
            put(&mut store, &inbox, &format!("Subject: x\r\n\r\n{}\r\n", "text ".repeat(words)));
            assert_eq!(store.traffic().round_trips - before, expected, "{without:?} {words}");
        }
    }
    assert_eq!(found(&mut open(&user, &[]), "subject:x"), "1:4");
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
    put(&mut open(&user, &["UTF8=ACCEPT"]), &inbox, "Subject: Größe\r\nFrom: Jörg <j@x.test>\r\n\r\nmit Grüßen\r\n");
    put(&mut open(&user, &[]), &inbox, "Subject: plain\r\n\r\nplain\r\n");
    for without in [&[][..], &["UTF8=ACCEPT"]] {
        let mut store = open(&user, without);
        assert_eq!(store.list().unwrap().iter().filter(|l| l.path == inbox).count(), 1);
        assert_eq!(found(&mut store, "subject:Größe"), "1", "{without:?}");
        assert_eq!(found(&mut store, "body:Grüßen"), "1", "{without:?}");
        assert_eq!(found(&mut store, "subject:plain"), "2", "{without:?}");
        let mut rows = Vec::new();
        let sink = &mut |part: Vec<postrider::mail::server::EnvelopeSeen>| {
            rows.extend(part.into_iter().map(|row| row.envelope.subject.to_string()));
            Ok(())
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
