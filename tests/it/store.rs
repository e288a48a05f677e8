//! store — one suite for every kind of mail store: Dovecot over TLS and STARTTLS, Dovecot without extensions, maildirs.
//! Start reading at: `suite`.

use crate::mailhost::{At, PASSWORD, bare_user, host, user};
use crate::{Strings, imap_to};
use postrider::mail::envelope::MessageId;
use postrider::mail::flags::{Flag, FlagDelta, Flags};
use postrider::mail::mailbox::{MailboxPath, Role};
use postrider::mail::server::{EnvelopeSeen, FlagsSeen, ListedMailbox};
use postrider::mail::uid::{ModSeq, Uid, UidSet, UidValidity};
use postrider::net::error::NetErrorKind;
use postrider::net::local::LocalStore;
use postrider::net::session::{Idle, MailStore, PART, TlsMode};
use std::time::{Duration, Instant};

const RECEIVED: i64 = 1_600_000_000;

fn mail(n: u32) -> String {
    format!(
        "From: =?utf-8?q?J=C3=BCrgen?= <j@example.test>\r\nTo: Ann <ann@example.test>, bob@example.test\r\n\
         Subject: =?utf-8?b?w4RwZmVs?= {n}\r\nDate: Mon, 12 Mar 2024 14:02:00 +0100\r\nMessage-ID: <m{n}@example.test>\r\n\
         In-Reply-To: <parent@example.test>\r\nReferences: <root@example.test>\r\n <parent@example.test>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n.text {n}\r\n--b\r\nContent-Type: application/pdf\r\n\
         Content-Disposition: attachment; filename=plan.pdf\r\n\r\nPDF\r\n--b--\r\n"
    )
}

fn put(store: &mut dyn MailStore, to: &MailboxPath, n: u32, flags: &str) -> Option<(UidValidity, Uid)> {
    let text = mail(n);
    let flags = Flags::from_words(flags.split(' '));
    store.append(to, &flags, RECEIVED + i64::from(n), text.len() as u64, &mut text.as_bytes()).unwrap()
}

fn flags_of(store: &mut dyn MailStore, since: Option<ModSeq>) -> Vec<FlagsSeen> {
    let mut all = Vec::new();
    store
        .fetch_flags(&UidSet::range(1, u32::MAX), since, &mut |rows| {
            assert!(!rows.is_empty() && rows.len() <= PART);
            all.extend(rows);
            Ok(())
        })
        .unwrap();
    all.sort_by_key(|r| r.uid);
    all
}

/// What is said of a message; Dovecot 2.4.5 adds by itself whether there is an attachment, where it was built for IMAP4rev2.
fn said(flags: &Flags) -> String {
    let words = flags.wire();
    words.split(' ').filter(|word| *word != "$HasAttachment").collect::<Vec<_>>().join(" ")
}

fn words(store: &mut dyn MailStore) -> Vec<(u32, String)> {
    flags_of(store, None).into_iter().map(|r| (r.uid.get(), said(&r.flags))).collect()
}

fn envelopes(store: &mut dyn MailStore, uids: &UidSet) -> Vec<EnvelopeSeen> {
    let mut all = Vec::new();
    store
        .fetch_envelopes(uids, &mut |rows| {
            assert!(!rows.is_empty() && rows.len() <= PART);
            all.extend(rows);
            Ok(None)
        })
        .unwrap();
    all
}

fn one(n: u32) -> UidSet {
    UidSet::range(n, n)
}

fn pairs(copied: Option<postrider::mail::server::CopiedUids>) -> Vec<(u32, u32)> {
    copied.unwrap().pairs.into_iter().map(|(a, b)| (a.get(), b.get())).collect()
}

fn find<'a>(all: &'a [ListedMailbox], path: &MailboxPath) -> &'a ListedMailbox {
    all.iter().find(|l| l.path == *path).unwrap()
}

/// All that a mail store can do. `open` makes another connection to the same, empty account.
pub fn suite(open: &dyn Fn(&Strings) -> Box<dyn MailStore>) {
    let strings = Strings::new();
    let mut store = open(&strings);
    let caps = store.caps();
    let inbox = MailboxPath::inbox();
    let other = MailboxPath::from_typed("Ümlaut & mehr");

    // Mailboxes.
    store.create(&other).unwrap();
    store.create(&other).unwrap();
    store.subscribe(&other, true).unwrap();
    let listed = store.list().unwrap();
    assert!(find(&listed, &other).subscribed && find(&listed, &other).selectable);
    assert_eq!(find(&listed, &other).path.decoded(), "Ümlaut & mehr");
    store.subscribe(&other, false).unwrap();
    assert!(!find(&store.list().unwrap(), &other).subscribed);
    let missing = MailboxPath::from_typed("missing");
    let e = store.select(&missing, false, None).unwrap_err();
    assert!(matches!(e.kind, NetErrorKind::No { .. }), "{e:?}");
    let e = store.append(&missing, &Flags::new(), 0, 1, &mut &b"x"[..]).unwrap_err();
    assert!(matches!(&e.kind, NetErrorKind::No { code } if code == "TRYCREATE" || code == "NONEXISTENT"), "{e:?}");

    // Messages in.
    let placed: Vec<_> = [(1, ""), (2, "\\Seen"), (3, "\\Flagged work")].map(|(n, f)| put(&mut *store, &inbox, n, f)).into();
    let selected = store.select(&inbox, false, None).unwrap();
    assert_eq!((selected.exists, selected.uidnext, selected.read_only, store.exists()), (3, 4, false, 3));
    assert!(selected.new_keywords && selected.uidvalidity != UidValidity(0));
    if caps.uidplus {
        let told: Vec<_> = placed.iter().map(|p| p.map(|(v, u)| (v, u.get()))).collect();
        assert_eq!(told, [1, 2, 3].map(|u| Some((selected.uidvalidity, u))));
    }
    let status = store.status(&inbox).unwrap();
    assert_eq!((status.messages, status.unseen, status.uidnext), (3, 2, 4));
    assert_eq!(status.uidvalidity, selected.uidvalidity);
    assert_eq!(store.uids(1).unwrap().to_string(), "1:3");
    assert_eq!(store.uids(3).unwrap().to_string(), "3");
    assert!(store.uids(4).unwrap().is_empty(), "4:* names the last message too");

    // What lists need.
    let rows = envelopes(&mut *store, &UidSet::range(2, u32::MAX));
    assert_eq!(rows.iter().map(|r| r.uid.get()).collect::<Vec<_>>(), [2, 3]);
    let row = &rows[1];
    assert_eq!((row.received, row.size), (RECEIVED + 3, mail(3).len() as u64));
    let envelope = row.envelope.envelope();
    assert_eq!(envelope.subject, "Äpfel 3");
    // A row need not tell it.
    assert!(envelope.date.is_none_or(|date| date == 1_710_248_520));
    assert_eq!(envelope.from[0].name, "Jürgen");
    assert_eq!(envelope.to.len(), 2);
    assert_eq!(
        envelope.references.iter().map(MessageId::as_str).collect::<Vec<_>>(),
        ["root@example.test", "parent@example.test"]
    );
    let later = || {
        let mut all = Vec::new();
        store.fetch_details(&one(3), &mut all).unwrap();
        all.remove(0).attachments
    };
    assert_eq!(row.attachments.clone().unwrap_or_else(later), ["plan.pdf"]);
    assert_eq!(said(&row.flags), "\\Flagged work");
    let print = &store.identify(&one(2)).unwrap()[0].print;
    assert_eq!((print.size, print.received), (mail(2).len() as u64, RECEIVED + 2));
    assert_eq!(print.message_id, MessageId::new("m2@example.test"));
    assert_eq!(store.search_message_id(&MessageId::new("m2@example.test").unwrap()).unwrap().to_string(), "2");
    assert!(store.search_message_id(&MessageId::new("m9@example.test").unwrap()).unwrap().is_empty());
    let mut body = Vec::new();
    assert_eq!(store.fetch_body(Uid::new(1).unwrap(), &mut body).unwrap(), Some(mail(1).len() as u64));
    assert_eq!(String::from_utf8(body).unwrap(), mail(1));
    assert_eq!(store.fetch_body(Uid::new(9).unwrap(), &mut Vec::new()).unwrap(), None);

    // Flags.
    let before = store.select(&inbox, false, None).unwrap().highestmodseq;
    assert_eq!(
        words(&mut *store),
        [(1, String::new()), (2, "\\Seen".into()), (3, "\\Flagged work".into())],
        "reading marks nothing"
    );
    store
        .store_flags(&UidSet::range(1, 9), &FlagDelta::new(Flags::from_words(["\\Answered", "$Forwarded"]), Flags::new()))
        .unwrap();
    store.store_flags(&one(3), &FlagDelta::new(Flags::new(), Flags::from_words(["work", "\\Flagged"]))).unwrap();
    let both = "\\Answered $Forwarded".to_owned();
    assert_eq!(words(&mut *store), [(1, both.clone()), (2, "\\Seen ".to_owned() + &both), (3, both.clone())]);
    if caps.condstore {
        assert_eq!(flags_of(&mut *store, Some(before)).len(), 3);
        let now = store.status(&inbox).unwrap().highestmodseq;
        assert!(now > before);
        assert_eq!(flags_of(&mut *store, Some(now)), []);
    }
    assert!(!store.changed(), "our own doing is no news");

    // Copy, move, expunge.
    let copied = store.copy_to(&one(1), &other).unwrap();
    if caps.uidplus {
        assert_eq!(pairs(copied), [(1, 1)]);
    }
    let e = store.copy_to(&one(1), &missing).unwrap_err();
    assert!(matches!(&e.kind, NetErrorKind::No { code } if code == "TRYCREATE" || code == "NONEXISTENT"), "{e:?}");
    if caps.moves {
        let moved = store.move_to(&UidSet::range(1, 2), &other).unwrap();
        assert_eq!(pairs(moved), [(1, 2), (2, 3)]);
        assert_eq!((words(&mut *store), store.exists()), (vec![(3, both.clone())], 1));
        assert!(!store.changed(), "our own doing is no news");
        put(&mut *store, &inbox, 4, "");
        store.noop().unwrap();
    }
    if caps.uidplus {
        let marked = if caps.moves { one(4) } else { UidSet::range(1, 2) };
        store.store_flags(&marked, &FlagDelta::set(Flag::Deleted)).unwrap();
        store.uid_expunge(&UidSet::range(1, 9)).unwrap();
        assert_eq!(words(&mut *store), [(3, both.clone())], "only what is marked goes");
    }
    let there = store.select(&other, true, None).unwrap();
    assert!(there.read_only);
    assert_eq!(envelopes(&mut *store, &one(1))[0].received, RECEIVED + 1, "copies keep their date");

    // Others.
    store.select(&inbox, false, None).unwrap();
    let mut second = open(&Strings::new());
    put(&mut *second, &inbox, 5, "");
    let count = store.exists();
    store.noop().unwrap();
    assert!(store.exists() == count + 1 && store.changed() && !store.changed());
    assert!(store.traffic().received > 0);
    if caps.idle {
        idle(&mut *store, &strings, &mut *second);
    }
    strings.cancel.ring();
    assert_eq!(store.noop().unwrap_err().kind, NetErrorKind::Cancelled);
    second.logout();
}

fn idle(store: &mut dyn MailStore, strings: &Strings, second: &mut dyn MailStore) {
    let inbox = MailboxPath::inbox();
    assert_eq!(store.idle(Duration::from_millis(50)).unwrap(), Idle::TimedOut);
    strings.waker.ring();
    assert_eq!(store.idle(Duration::from_secs(60)).unwrap(), Idle::Woken);
    let begun = Instant::now();
    std::thread::scope(|s| {
        s.spawn(|| {
            std::thread::sleep(Duration::from_millis(100));
            put(second, &inbox, 6, "");
        });
        assert_eq!(store.idle(Duration::from_secs(60)).unwrap(), Idle::Changed);
    });
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let count = store.exists();
    assert!(store.changed());
    // The connection goes on as if nothing had been.
    second.select(&inbox, false, None).unwrap();
    second.store_flags(&one(3), &FlagDelta::set(Flag::Flagged)).unwrap();
    assert_eq!(store.idle(Duration::from_secs(60)).unwrap(), Idle::Changed);
    assert_eq!(words(store).len(), count as usize);
}

#[test]
fn dovecot_over_tls() {
    let user = user();
    suite(&|s| Box::new(crate::imap(&user, s)));
}

#[test]
fn dovecot_over_starttls() {
    let user = user();
    let endpoint = host().imap_at(At::Strict, TlsMode::StartTls);
    suite(&|s| Box::new(imap_to(&endpoint, &user, PASSWORD, s).unwrap()));
}

#[test]
fn dovecot_without_extensions() {
    let user = bare_user();
    let endpoint = host().imap_at(At::Good, TlsMode::Implicit);
    let mut store = imap_to(&endpoint, &user, PASSWORD, &Strings::new()).unwrap();
    assert_eq!(store.caps(), postrider::mail::server::Caps::default());
    suite(&|s| Box::new(imap_to(&endpoint, &user, PASSWORD, s).unwrap()));
    store.logout();
}

#[test]
fn maildirs() {
    let dir = tempfile::tempdir().unwrap();
    suite(&|s| Box::new(LocalStore::open(dir.path(), &s.waker, &s.cancel).unwrap()));
}

#[test]
fn roles_and_counts_come_with_the_list() {
    let mut store = crate::imap(&user(), &Strings::new());
    let listed = store.list().unwrap();
    for (name, role) in [("Drafts", Role::Drafts), ("Sent", Role::Sent), ("Trash", Role::Trash), ("Archive", Role::Archive)] {
        let found = find(&listed, &MailboxPath::from_typed(name));
        assert_eq!((found.role, found.subscribed), (Some(role), name != "Archive"));
        assert!(found.status.is_some());
    }
    assert_eq!(find(&listed, &MailboxPath::inbox()).delimiter, Some('/'));
}
