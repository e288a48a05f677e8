//! Tests of putting in many at a time: the same as putting in one after the other.

use crate::mail::envelope::{Envelope, MessageId};
use crate::mail::fixtures;
use crate::mail::flags::Flags;
use crate::mail::ids::{AccountName, MailboxId, ThreadKey};
use crate::mail::mailbox::MailboxPath;
use crate::mail::row::RowCursor;
use crate::mail::server::EnvelopeSeen;
use crate::mail::uid::UidValidity;
use crate::store::{Cache, Db, Store, lists, mailboxes, messages, tests::quiet};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// What one row is made of: second, own id, ids that it names, object id, whether it was read.
type Dice = (i64, Option<u8>, Vec<u8>, Option<u8>, bool);

fn row(uid: u32, (second, own, names, object, read): &Dice) -> EnvelopeSeen {
    let id = |n: &u8| MessageId::new(&format!("{n}@x"));
    let envelope = Envelope {
        subject: format!("mail {uid}"),
        message_id: own.as_ref().and_then(id),
        references: names.iter().filter_map(id).collect(),
        ..Envelope::default()
    };
    EnvelopeSeen {
        flags: Flags::from_words(if *read { vec!["\\Seen"] } else { vec![] }),
        received: *second,
        size: 1,
        envelope: envelope.into(),
        object_id: object.map_or_else(String::new, |n| format!("o{n}")),
        ..fixtures::seen(uid)
    }
}

/// Puts the rows in, so many at a time.
fn put(store: &Store, mailbox: MailboxId, rows: Vec<EnvelopeSeen>, many: usize) {
    let put = move |tx: &mut crate::store::Tx<'_, crate::store::Cache>| {
        rows.chunks(many).try_for_each(|rows| messages::record_new(tx, mailbox, UidValidity(1), rows))
    };
    store.cache(put).unwrap();
}

/// What the tables say of one another.
fn sound(db: &Db<Cache>) -> crate::store::Result<()> {
    let count = |sql: &str| -> crate::store::Result<i64> { Ok(db.conn().query_row(sql, [], |r| r.get(0))?) };
    let unindexed = count("SELECT count(*) FROM message WHERE indexed = 0")?;
    let spans = "SELECT count(*) FROM unindexed u JOIN message m ON m.id BETWEEN u.low AND u.high AND m.indexed = 0
                 AND m.sort BETWEEN u.oldest AND u.newest";
    assert_eq!((count(spans)?, crate::store::search::unindexed_count(db)?), (unindexed, unindexed.unsigned_abs()));
    for wrong in [
        "SELECT count(*) FROM placement p JOIN message m ON m.id = p.message WHERE (p.sort, p.thread) IS NOT (m.sort, m.thread)",
        "SELECT count(*) FROM message m WHERE NOT EXISTS (SELECT 1 FROM placement p WHERE p.sort = m.sort)",
        "SELECT count(*) FROM thread_alias a JOIN thread_alias b ON b.id = a.thread",
        "SELECT count(*) FROM thread_alias a JOIN placement p ON p.thread = a.id",
    ] {
        assert_eq!(count(wrong)?, 0, "{wrong}");
    }
    Ok(())
}

/// Each message's second and the company that it is in; the conversations as the list has them; the mailbox's counts.
type Seen = (BTreeMap<u32, (i64, BTreeSet<u32>)>, BTreeSet<(i64, u32, u32)>, (u32, u32, u32));

fn look(store: &Store, mailbox: MailboxId) -> Seen {
    store
        .read(|db| {
            sound(db)?;
            let flat = lists::page(db, mailbox, false, RowCursor::Newest, 500)?;
            let threads = lists::page(db, mailbox, true, RowCursor::Newest, 500)?;
            assert!(flat.is_sorted_by(|a, b| a.sort > b.sort) && threads.is_sorted_by(|a, b| a.sort > b.sort));
            let mut company: BTreeMap<ThreadKey, BTreeSet<u32>> = BTreeMap::new();
            for row in &flat {
                company.entry(row.thread).or_default().insert(row.uid.unwrap());
            }
            for row in &threads {
                let newest = flat.iter().find(|r| r.thread == row.thread).unwrap();
                assert_eq!((newest.id, row.thread_total as usize), (row.id, company[&row.thread].len()));
            }
            let all = flat.iter().map(|r| (r.uid.unwrap(), (r.received, company[&r.thread].clone()))).collect();
            let rows = threads.iter().map(|r| (r.received, r.thread_total, r.thread_unread)).collect();
            let row = mailboxes::get(db, mailbox)?;
            let (_, total) = lists::position(db, mailbox, true, RowCursor::Newest, &threads)?;
            assert_eq!(total as usize, threads.len());
            Ok((all, rows, (row.total, row.unread, total)))
        })
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]
    #[test]
    fn many_at_once_are_as_one_after_the_other(
        dice in prop::collection::vec(
            (0..6i64, prop::option::of(0..90u8), prop::collection::vec(0..90u8, 0..3), prop::option::weighted(0.2, 0..40u8), any::<bool>()),
            1..90,
        ),
        before in 0..40usize,
    ) {
        let rows: Vec<EnvelopeSeen> = (1..).zip(&dice).map(|(uid, dice)| row(uid, dice)).collect();
        let (old, new) = rows.split_at(before.min(rows.len()));
        let make = |one_by_one: bool| {
            let dir = tempfile::tempdir().unwrap();
            let store = Store::open(dir.path(), quiet()).unwrap();
            let mailbox = store.cache(|tx| mailboxes::ensure(tx, &AccountName::new("a"), &MailboxPath::inbox())).unwrap();
            put(&store, mailbox, old.to_vec(), 90);
            if one_by_one {
                put(&store, mailbox, new.to_vec(), 1);
            } else {
                // Some of them again, and one twice.
                put(&store, mailbox, rows.iter().skip(before / 2).chain(rows.last()).cloned().collect(), 200);
            }
            look(&store, mailbox)
        };
        prop_assert_eq!(make(true), make(false));
    }
}

/// What is received in one second shows in the order in which it came, the last one above, into whatever pieces it was divided on its way.
#[test]
fn one_second_keeps_its_order() {
    for cuts in [vec![60], vec![15, 45], vec![1, 59], vec![15, 15, 30], vec![30, 1, 29]] {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), quiet()).unwrap();
        let mailbox = store.cache(|tx| mailboxes::ensure(tx, &AccountName::new("a"), &MailboxPath::inbox())).unwrap();
        // A second before and one behind it, which nothing else shares.
        let second = |uid: u32| 1_000 + i64::from(uid > 5) + i64::from(uid > 55);
        let mut rows: Vec<EnvelopeSeen> = (1..=60).map(|uid| row(uid, &(second(uid), None, vec![], None, false))).collect();
        for many in &cuts {
            let part: Vec<EnvelopeSeen> = rows.drain(..many).collect();
            put(&store, mailbox, part, *many);
        }
        let sql = "SELECT uid FROM placement ORDER BY sort DESC";
        let shown = |db: &Db<Cache>| -> crate::store::Result<Vec<u32>> {
            let mut statement = db.conn().prepare(sql)?;
            Ok(statement.query_map([], |r| r.get(0))?.collect::<rusqlite::Result<_>>()?)
        };
        assert_eq!(store.read(shown).unwrap(), (1..=60).rev().collect::<Vec<u32>>(), "{cuts:?}");
        store.read(sound).unwrap();
    }
}
