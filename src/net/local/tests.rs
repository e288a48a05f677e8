//! tests — a local account as a mail store, while others change it. The verbs that all stores share are tested in `tests/it`.

use super::{LocalStore, deliver};
use crate::base::cancel::Cancel;
use crate::base::waker::Waker;
use crate::mail::envelope::MessageId;
use crate::mail::flags::{Flag, FlagDelta, Flags};
use crate::mail::mailbox::MailboxPath;
use crate::mail::uid::UidSet;
use crate::net::error::NetErrorKind;
use crate::net::session::{Idle, MailStore};
use std::fs;
use std::path::Path;
use std::time::Duration;

const MAIL: &str = "From: Ann <ann@example.org>\r\nSubject: one\r\nMessage-ID: <1@x>\r\n\r\ntext\r\n";

struct Place {
    dir: tempfile::TempDir,
    waker: Waker,
    cancel: Cancel,
}

impl Place {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), waker: Waker::new().unwrap(), cancel: Cancel::new().unwrap() }
    }

    fn open(&self) -> LocalStore {
        LocalStore::open(self.dir.path(), &self.waker, &self.cancel).unwrap()
    }

    fn deliver(&self, n: usize) {
        for i in 0..n {
            deliver(self.dir.path(), &mut MAIL.replace("<1@x>", &format!("<{i}@x>")).as_bytes()).unwrap();
        }
    }
}

fn all() -> UidSet {
    UidSet::range(1, u32::MAX)
}

fn flags(store: &mut dyn MailStore) -> Vec<(u32, String)> {
    let mut out = Vec::new();
    store
        .fetch_flags(&all(), None, &mut |rows| {
            out.extend(rows.into_iter().map(|r| (r.uid.get(), r.flags.wire())));
            Ok(())
        })
        .unwrap();
    out
}

fn only_file(dir: &Path) -> std::path::PathBuf {
    fs::read_dir(dir).unwrap().next().unwrap().unwrap().path()
}

#[test]
fn delivered_mail_is_there_with_all_a_list_needs() {
    let place = Place::new();
    place.deliver(250);
    let mut store = place.open();
    let selected = store.select(&MailboxPath::inbox(), false, None).unwrap();
    assert_eq!((selected.exists, selected.uidnext), (250, 251));
    let (mut parts, mut rows) = (Vec::new(), Vec::new());
    store
        .fetch_envelopes(&all(), &mut |part| {
            parts.push(part.len());
            rows.extend(part);
            Ok(None)
        })
        .unwrap();
    assert_eq!(parts, [200, 50]);
    assert_eq!(rows[0].envelope.envelope().subject, "one");
    assert!(rows[0].received > 1_700_000_000 && rows[0].size > 60);
    assert_eq!(store.search_message_id(&MessageId::new("<7@x>").unwrap()).unwrap().len(), 1);
    let mut body = Vec::new();
    assert_eq!(store.fetch_body(rows[0].uid, &mut body).unwrap(), Some(body.len() as u64));
    assert_eq!(store.status(&MailboxPath::inbox()).unwrap().unseen, 250);
}

#[test]
fn others_change_files_meanwhile() {
    let place = Place::new();
    place.deliver(1);
    let (mut mine, mut theirs) = (place.open(), place.open());
    mine.select(&MailboxPath::inbox(), false, None).unwrap();
    theirs.select(&MailboxPath::inbox(), false, None).unwrap();
    mine.store_flags(&all(), &FlagDelta::new(Flags::from_words(["\\Seen", "work"]), Flags::new())).unwrap();
    assert!(!mine.changed(), "one's own changes are no news");
    assert_eq!(flags(&mut theirs), [(1, "\\Seen work".to_owned())]);
    assert!(theirs.changed());
    theirs.store_flags(&all(), &FlagDelta::set(Flag::Flagged)).unwrap();
    // Without having heard of it.
    mine.store_flags(&all(), &FlagDelta::clear(Flag::Seen)).unwrap();
    assert_eq!(flags(&mut theirs), [(1, "\\Flagged work".to_owned())]);
    fs::remove_file(only_file(&place.dir.path().join("cur"))).unwrap();
    mine.store_flags(&all(), &FlagDelta::set(Flag::Deleted)).unwrap();
    assert_eq!(flags(&mut mine), []);
    assert!(mine.changed());
}

#[test]
fn moves_and_copies_say_where_to() {
    let place = Place::new();
    place.deliver(3);
    let mut store = place.open();
    let there = MailboxPath::from_typed("Archive");
    store.select(&MailboxPath::inbox(), false, None).unwrap();
    let missing = store.move_to(&all(), &there).unwrap_err();
    assert_eq!(missing.kind, NetErrorKind::No { code: "NONEXISTENT".to_owned() });
    store.create(&there).unwrap();
    store.create(&there).unwrap();
    store.store_flags(&UidSet::range(2, 2), &FlagDelta::new(Flags::from_words(["work"]), Flags::new())).unwrap();
    let copied = store.copy_to(&UidSet::range(2, 2), &there).unwrap().unwrap();
    assert_eq!(copied.pairs.iter().map(|(a, b)| (a.get(), b.get())).collect::<Vec<_>>(), [(2, 1)]);
    let moved = store.move_to(&UidSet::range(2, 3), &there).unwrap().unwrap();
    assert_eq!(moved.pairs.iter().map(|(a, b)| (a.get(), b.get())).collect::<Vec<_>>(), [(2, 2), (3, 3)]);
    assert_eq!(flags(&mut store), [(1, String::new())]);
    let here = store.copy_to(&all(), &MailboxPath::inbox()).unwrap().unwrap();
    assert_eq!(here.pairs.len(), 1, "a mailbox can be copied into itself");
    assert_eq!(flags(&mut store).len(), 2);
    let selected = store.select(&there, false, None).unwrap();
    assert_eq!(selected.uidvalidity, moved.uidvalidity);
    assert_eq!(flags(&mut store), [(1, "work".to_owned()), (2, "work".to_owned()), (3, String::new())]);
}

#[test]
fn expunge_takes_only_what_is_marked() {
    let place = Place::new();
    place.deliver(2);
    let mut store = place.open();
    store.select(&MailboxPath::inbox(), true, None).unwrap();
    assert!(store.uid_expunge(&all()).unwrap_err().connection_lives());
    store.select(&MailboxPath::inbox(), false, None).unwrap();
    store.store_flags(&UidSet::range(2, 2), &FlagDelta::set(Flag::Deleted)).unwrap();
    store.uid_expunge(&all()).unwrap();
    assert_eq!(flags(&mut store), [(1, String::new())]);
}

#[test]
fn an_append_is_whole_or_not_there() {
    let place = Place::new();
    let mut store = place.open();
    let size = MAIL.len() as u64;
    let inbox = MailboxPath::inbox();
    let seen = Flags::from(Flag::Seen);
    assert!(store.append(&inbox, &seen, 1_000, size + 1, &mut MAIL.as_bytes()).is_err());
    let (validity, uid) = store.append(&inbox, &seen, 1_000, size, &mut MAIL.as_bytes()).unwrap().unwrap();
    assert_eq!(store.select(&inbox, false, None).unwrap().uidvalidity, validity);
    let seen = store.identify(&UidSet::from_iter([uid])).unwrap();
    assert_eq!((seen[0].print.size, seen[0].print.received), (size, 1_000));
    assert_eq!(flags(&mut store), [(1, "\\Seen".to_owned())]);
    assert_eq!(fs::read_dir(place.dir.path().join("tmp")).unwrap().count(), 0);
}

#[test]
fn idle_ends_by_mail_waker_or_cancel_and_not_by_our_own_doing() {
    let place = Place::new();
    place.deliver(1);
    let mut store = place.open();
    store.select(&MailboxPath::inbox(), false, None).unwrap();
    store.store_flags(&all(), &FlagDelta::set(Flag::Seen)).unwrap();
    assert_eq!(store.idle(Duration::from_millis(30)).unwrap(), Idle::TimedOut);
    place.waker.ring();
    assert_eq!(store.idle(Duration::from_secs(60)).unwrap(), Idle::Woken);
    std::thread::scope(|s| {
        s.spawn(|| {
            std::thread::sleep(Duration::from_millis(50));
            place.deliver(1);
        });
        assert_eq!(store.idle(Duration::from_secs(60)).unwrap(), Idle::Changed);
    });
    assert_eq!((store.exists(), store.changed(), store.changed()), (2, true, false));
    place.cancel.ring();
    assert_eq!(store.idle(Duration::from_secs(60)).unwrap_err().kind, NetErrorKind::Cancelled);
}
