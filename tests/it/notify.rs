//! notify — news of every mailbox on one connection; masked, there is none and IDLE tells of the open one.
//! Start reading at: `every_mailbox_is_live_on_one_connection`.

use crate::extensions::{open, put};
use crate::mailhost::{At, PASSWORD, host, user};
use crate::{Strings, imap_to};
use postrider::mail::flags::{Flag, FlagDelta};
use postrider::mail::mailbox::MailboxPath;
use postrider::mail::server::MailboxNews;
use postrider::mail::uid::UidSet;
use postrider::net::imap::ImapStore;
use postrider::net::session::{Idle, MailStore, TlsMode};
use std::time::Duration;

/// Waits until the news fulfil `enough`.
fn until(store: &mut ImapStore, enough: &dyn Fn(&MailboxNews) -> bool) -> MailboxNews {
    let mut all = Vec::new();
    for _ in 0..10 {
        assert_ne!(store.idle(Duration::from_secs(3)).unwrap(), Idle::Woken);
        all.extend(store.news());
        store.changed();
        if let Some(found) = all.iter().find(|n| enough(n)) {
            return found.clone();
        }
    }
    panic!("{all:?}")
}

#[test]
fn every_mailbox_is_live_on_one_connection() {
    let user = user();
    let path = MailboxPath::from_typed;
    let strings = Strings::new();
    let endpoint = host().imap_at(At::Good, TlsMode::Implicit);
    let mut live = imap_to(&endpoint, &user, PASSWORD, &strings).unwrap();
    let mut other = open(&user, &[]);
    assert!(live.caps().notify);
    other.create(&path("Lists/rust")).unwrap();
    live.notify().unwrap();
    // The counts of now come with the answer.
    let now = live.news();
    assert!(
        now.iter().any(|n| matches!(n, MailboxNews::Changed(p, Some(s)) if *p == path("Lists/rust") && s.uidnext == 1)),
        "{now:?}"
    );
    strings.waker.ring();
    assert_eq!(live.idle(Duration::from_secs(20)).unwrap(), Idle::Woken);

    put(&mut other, &path("Lists/rust"), "Subject: x\r\n\r\nx\r\n");
    until(&mut live, &|n| matches!(n, MailboxNews::Changed(p, _) if *p == path("Lists/rust")));
    other.select(&path("Lists/rust"), false, None).unwrap();
    other.store_flags(&UidSet::range(1, 1), &FlagDelta::set(Flag::Seen)).unwrap();
    until(&mut live, &|n| matches!(n, MailboxNews::Changed(p, _) if *p == path("Lists/rust")));
    other.store_flags(&UidSet::range(1, 1), &FlagDelta::set(Flag::Deleted)).unwrap();
    other.uid_expunge(&UidSet::range(1, 1)).unwrap();
    until(&mut live, &|n| matches!(n, MailboxNews::Changed(p, _) if *p == path("Lists/rust")));

    other.unselect().unwrap();
    other.create(&path("New")).unwrap();
    until(&mut live, &|n| matches!(n, MailboxNews::Listed(l) if l.path == path("New")));
    // Of changes that follow at once Dovecot 2.3 may leave one out: so more than once.
    let told = (0..10u32).any(|n| {
        other.subscribe(&path("New"), n.is_multiple_of(2)).unwrap();
        live.idle(Duration::from_secs(1)).unwrap();
        live.news().iter().any(|n| matches!(n, MailboxNews::Listed(l) if l.path == path("New") && l.subscribed))
    });
    assert!(told);
    std::thread::sleep(Duration::from_secs(1));
    other.rename(&path("New"), &path("Older")).unwrap();
    until(&mut live, &|n| matches!(n, MailboxNews::Renamed { from, to } if *from == path("New") && to.path == path("Older")));
    other.delete(&path("Older")).unwrap();
    until(&mut live, &|n| matches!(n, MailboxNews::Gone(p) if *p == path("Older")));

    // The open mailbox goes on as ever beside it, and answers of our own are no news.
    live.select(&MailboxPath::inbox(), true, None).unwrap();
    live.list().unwrap();
    live.status(&path("Lists/rust")).unwrap();
    live.news();
    put(&mut other, &MailboxPath::inbox(), "Subject: y\r\n\r\ny\r\n");
    for _ in 0..20 {
        assert_eq!(live.idle(Duration::from_secs(20)).unwrap(), Idle::Changed);
        live.news();
        if live.changed() {
            break;
        }
    }
    assert_eq!(live.exists(), 1);
}

#[test]
fn without_notify_the_open_mailbox_is_live() {
    let user = user();
    let mut live = open(&user, &["NOTIFY"]);
    let mut other = open(&user, &[]);
    assert!(!live.caps().notify && live.caps().idle);
    live.select(&MailboxPath::inbox(), true, None).unwrap();
    put(&mut other, &MailboxPath::inbox(), "Subject: y\r\n\r\ny\r\n");
    assert_eq!(live.idle(Duration::from_secs(20)).unwrap(), Idle::Changed);
    assert!(live.changed() && live.news().is_empty());
}
