//! details_tests — what rows lack, and what becomes of it.

use super::*;

use crate::mail::envelope::{Envelope, MessageId};
use crate::mail::fixtures;
use crate::mail::mailbox::MailboxPath;
use crate::mail::query::parse;
use crate::mail::row::{MessageRow, RowCursor};
use crate::mail::uid::UidValidity;
use crate::store::bodies::{self, Reading};
use crate::store::lists;
use crate::store::{Store, base, mailboxes, search, tests::quiet};

struct World {
    store: Store,
    here: MailboxId,
    _dir: tempfile::TempDir,
}

fn id(text: &str) -> Option<MessageId> {
    MessageId::new(text)
}

/// A row that came without.
fn bare(uid: u32) -> EnvelopeSeen {
    let envelope = Envelope { subject: format!("s{uid}"), message_id: id(&format!("{uid}@x")), ..Envelope::default() };
    EnvelopeSeen { envelope: envelope.into(), attachments: None, ..fixtures::seen(uid) }
}

fn details(uid: u32, file: &str, answers: &str) -> DetailsSeen {
    let attachments = (!file.is_empty()).then(|| file.to_owned()).into_iter().collect();
    DetailsSeen { uid: Uid::new(uid).unwrap(), attachments, in_reply_to: id(answers).into_iter().collect() }
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), quiet()).unwrap();
        let here = store.cache(|tx| mailboxes::ensure(tx, &AccountName::new("a"), &MailboxPath::inbox())).unwrap();
        Self { store, here, _dir: dir }
    }

    fn record(&self, rows: Vec<EnvelopeSeen>) {
        let here = self.here;
        self.store.cache(move |tx| messages::record_new(tx, here, UidValidity(1), &rows)).unwrap();
    }

    fn untold(&self, limit: usize) -> Option<(String, String)> {
        let found = self.store.read(|db| untold(db, self.here, limit)).unwrap()?;
        Some((found.uids.to_string(), found.range.to_string()))
    }

    fn told(&self, range: &str, rows: Vec<DetailsSeen>) {
        let (here, range) = (self.here, UidSet::parse(range, 0).unwrap());
        self.store.cache(move |tx| told(tx, here, &range, &rows)).unwrap();
    }

    fn rows(&self, threaded: bool) -> Vec<MessageRow> {
        self.store.read(|db| lists::page(db, self.here, threaded, RowCursor::Newest, 99)).unwrap()
    }

    fn found(&self, text: &str) -> usize {
        while self.store.read(search::unindexed_count).unwrap() > 0 {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let query = parse(text, jiff::civil::date(2026, 11, 21)).query;
        let zone = jiff::tz::TimeZone::UTC;
        self.store.read(|db| search::search(db, &query, None, &zone, 99)).unwrap().rows.len()
    }

    fn text(&self, row: &MessageRow, reading: Reading) {
        let message = row.message;
        self.store.cache(move |tx| bodies::arrived(tx, message, "blob", 9, &reading)).unwrap();
    }
}

#[test]
fn the_newest_are_asked_for_first_and_each_once() {
    let world = World::new();
    assert_eq!(world.untold(9), None);
    world.record(vec![EnvelopeSeen { attachments: Some(vec![]), ..bare(3) }]);
    assert_eq!(world.untold(9), None, "it was told with the row");
    world.record((10..=19).map(bare).collect());
    let lacking = |world: &World| world.store.read(|db| lacking(db, &AccountName::new("a"))).unwrap();
    assert_eq!(lacking(&world), [world.here]);
    assert_eq!(world.untold(4), Some(("16:19".into(), "16:19".into())));
    world.told("16:19", vec![]);
    // What comes meanwhile is not lost.
    world.record((30..=31).map(bare).collect());
    assert_eq!(world.untold(4), Some(("14:15,30:31".into(), "14:31".into())));
    assert_eq!(world.untold(99), Some(("10:15,30:31".into(), "1:31".into())));
    world.told("1:31", vec![details(40, "of none.pdf", "")]);
    assert_eq!((world.untold(4), lacking(&world).len()), (None, 0));
}

#[test]
fn files_show_and_are_found() {
    let world = World::new();
    world.record((1..=3).map(bare).collect());
    assert_eq!(world.found("has:attachment"), 0);
    // Indexed by its header before.
    let newest = world.rows(false)[0].message;
    world.store.cache(move |tx| fts::feed(tx, newest, None)).unwrap();
    world.told("1:3", vec![details(3, "Kohlrabi.pdf", ""), details(9, "gone.pdf", "")]);
    assert_eq!(world.rows(false).iter().map(|r| r.attachments).collect::<Vec<_>>(), [1, 0, 0]);
    assert_eq!((world.found("has:attachment"), world.found("file:kohlrabi"), world.found("s3")), (1, 1, 1));
}

/// Its own structure wins (security S-28), whether it comes before or after, and also once it was let go.
#[test]
fn what_the_text_says_stands() {
    let world = World::new();
    world.record((1..=2).map(bare).collect());
    let rows = world.rows(false);
    let reading = || Reading { text: "cabbage".into(), files: vec!["own.pdf".into()], ..Reading::default() };
    world.text(&rows[0], reading());
    assert_eq!(world.untold(9), Some(("1".into(), "1:2".into())), "it is not asked for");
    let message = rows[0].message;
    world.store.cache(move |tx| bodies::forget(tx, message)).unwrap();
    world.told("1:2", vec![details(2, "lie.pdf", ""), details(1, "server.pdf", "")]);
    world.text(&rows[1], reading());
    assert_eq!((world.found("file:own"), world.found("file:lie"), world.found("file:server")), (2, 0, 0));
    assert_eq!(world.found("cabbage"), 2);
}

/// A mail that says what it answers only there joins the conversation when that comes, in every mailbox it lies in.
#[test]
fn who_answers_comes_to_the_conversation() {
    let world = World::new();
    world.record(vec![bare(1), bare(2), bare(3)]);
    assert_eq!(world.rows(true).len(), 3);
    world.told("1:3", vec![details(2, "", "1@x"), details(3, "", "ghost@x")]);
    assert_eq!(world.rows(true).iter().map(|r| r.thread_total).collect::<Vec<_>>(), [1, 2]);
    // Through one that is not here; and the same said by the text, of a mail that names its ancestors.
    world.record(vec![EnvelopeSeen {
        envelope: Envelope { references: id("ghost@x").into_iter().collect(), ..bare(4).envelope.envelope() }.into(),
        ..bare(4)
    }]);
    assert_eq!(world.rows(true).iter().map(|r| r.thread_total).collect::<Vec<_>>(), [2, 2]);
    let envelope = Envelope {
        references: id("ghost@x").into_iter().collect(),
        in_reply_to: id("2@x").into_iter().collect(),
        ..bare(4).envelope.envelope()
    };
    world.text(&world.rows(false)[0], Reading { envelope: Some(envelope), ..Reading::default() });
    assert_eq!(world.rows(true).iter().map(|r| r.thread_total).collect::<Vec<_>>(), [4]);
    // What it says it answers stays as it was said first.
    world.told("1:4", vec![details(2, "", "other@x")]);
    let content = |n: usize| world.store.read(|db| messages::content(db, world.rows(false)[n].message)).unwrap();
    assert_eq!(content(2).envelope.in_reply_to, id("1@x").into_iter().collect::<Vec<_>>());
}

#[test]
fn new_numbers_lose_nothing_and_many_gaps_are_joined() {
    let world = World::new();
    world.record((1..=4).map(bare).collect());
    let (here, pairs) = (world.here, [(Uid::new(2).unwrap(), Uid::new(7).unwrap())]);
    world.store.cache(move |tx| base::rebase(tx, here, UidValidity(1), UidValidity(2), &pairs)).unwrap();
    assert_eq!(world.untold(9), Some(("7".into(), "1:4294967295".into())));
    world.told("1:4294967295", vec![]);
    for n in 0..=u32::try_from(MAX_RANGES).unwrap() {
        world.store.cache(move |tx| messages::record_new(tx, here, UidValidity(2), &[bare(10 + 2 * n)])).unwrap();
    }
    let kept = world.store.read(|db| stored(db, here)).unwrap();
    assert_eq!(kept.ranges().len(), 1);
    assert_eq!(world.store.read(|db| untold(db, here, 999)).unwrap().unwrap().uids.len(), MAX_RANGES as u64 + 1);
}
