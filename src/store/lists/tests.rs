//! Tests of lists: from the server's rows to what the person sees.

use super::*;
use crate::mail::fixtures;
use crate::mail::fixtures::operation;
use crate::mail::flags::{Flag, FlagDelta};
use crate::mail::ids::OpId;
use crate::mail::intent::{OpKind, OpState, Operation, Target};
use crate::mail::mailbox::MailboxPath;
use crate::mail::server::{CopiedUids, EnvelopeSeen};
use crate::mail::uid::{Uid, UidSet, UidValidity};
use crate::store::{Store, mailboxes, messages, overlay, placements, tests::quiet};

pub fn seen(uid: u32, subject: &str, id: &str, references: &[&str]) -> EnvelopeSeen {
    let mut envelope = crate::mail::envelope::Envelope { subject: subject.to_owned(), ..Default::default() };
    envelope.message_id = crate::mail::envelope::MessageId::new(id);
    envelope.references = references.iter().filter_map(|r| crate::mail::envelope::MessageId::new(r)).collect();
    EnvelopeSeen { size: 1000, envelope: envelope.into(), ..fixtures::seen(uid) }
}

fn op(id: i64, kind: OpKind, targets: Vec<Target>) -> Operation {
    operation(id, &MailboxPath::inbox(), kind, targets)
}

#[test]
fn a_mailbox_from_the_server_to_the_list_and_an_archived_mail_until_it_is_settled() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), quiet()).unwrap();
    let archive = MailboxPath::from_typed("Archive");
    let to = archive.clone();
    let (inbox, kept) = store
        .cache(move |tx| {
            let account = AccountName::new("a");
            let inbox = mailboxes::ensure(tx, &account, &MailboxPath::inbox())?;
            let kept = mailboxes::ensure(tx, &account, &to)?;
            let rows = [seen(3, "Re: lunch", "c", &["a", "b"]), seen(2, "Invoice", "x", &[]), seen(1, "lunch", "a", &[])];
            messages::record_new(tx, inbox, UidValidity(7), &rows)?;
            Ok((inbox, kept))
        })
        .unwrap();
    let subjects = |mailbox, threaded| -> Vec<(String, u32, u32)> {
        let rows = store.read(|db| page(db, mailbox, threaded, RowCursor::Newest, 10)).unwrap();
        rows.into_iter().map(|r| (r.subject, r.thread_total, r.thread_unread)).collect()
    };
    let counts = |mailbox| store.read(|db| mailboxes::get(db, mailbox)).map(|b| (b.total, b.unread)).unwrap();
    assert_eq!(subjects(inbox, true), [("Re: lunch".into(), 2, 2), ("Invoice".into(), 1, 1)]);
    assert_eq!(subjects(inbox, false).len(), 3);

    // Read and archive UID 3, offline.
    let row = store.read(|db| page(db, inbox, true, RowCursor::Newest, 1)).unwrap().remove(0);
    let print = store.read(|db| messages::fingerprint(db, row.message)).unwrap();
    let target = vec![Target::Server { uidvalidity: UidValidity(7), uid: 3, print }];
    let read = op(1, OpKind::Flag { delta: FlagDelta::set(Flag::Seen) }, target.clone());
    let moved = op(2, OpKind::Move { to: archive.clone() }, target);
    let mut star = op(3, OpKind::Flag { delta: FlagDelta::set(Flag::Flagged) }, vec![Target::ResultOf { op: OpId(2), index: 0 }]);
    star.mailbox = archive.clone();
    let all = vec![read, moved, star];
    let again = all.clone();
    store.cache(move |tx| all.iter().try_for_each(|o| overlay::apply(tx, o))).unwrap();
    let check = || {
        assert_eq!(subjects(inbox, true), [("Invoice".into(), 1, 1), ("lunch".into(), 1, 1)]);
        assert_eq!(subjects(kept, true), [("Re: lunch".into(), 1, 0)]);
        assert_eq!((counts(inbox), counts(kept)), ((2, 2), (1, 0)));
        let row = store.read(|db| page(db, kept, false, RowCursor::Oldest, 1)).unwrap().remove(0);
        assert!(row.flags.has(Flag::Seen) && row.flags.has(Flag::Flagged) && row.uid.is_none());
    };
    check();
    // From unread row to unread row, and around the end.
    let unread = |mailbox, threaded, from| {
        let rows = store.read(|db| page(db, mailbox, threaded, from, 1)).unwrap();
        rows.first().map(|r| r.received / 60)
    };
    let at = |minute: i64| (minute * 60) << 24;
    for threaded in [true, false] {
        assert_eq!(unread(inbox, threaded, RowCursor::NextUnread(at(9))), Some(2));
        assert_eq!(unread(inbox, threaded, RowCursor::NextUnread(at(2))), Some(1));
        assert_eq!(unread(inbox, threaded, RowCursor::NextUnread(at(1))), Some(2));
        assert_eq!(unread(inbox, threaded, RowCursor::PreviousUnread(at(1))), Some(2));
        assert_eq!(unread(inbox, threaded, RowCursor::PreviousUnread(at(2))), Some(1));
        assert_eq!(unread(kept, threaded, RowCursor::NextUnread(i64::MAX)), None);
    }
    store.cache(move |tx| overlay::rebuild(tx, &again)).unwrap();
    check();

    // The server says where it is now; then the source goes, and the operations are settled.
    let copied = CopiedUids { uidvalidity: UidValidity(9), pairs: vec![(Uid::new(3).unwrap(), Uid::new(40).unwrap())] };
    store
        .cache(move |tx| {
            placements::flags_told(tx, inbox, &UidSet::range(3, 3), &FlagDelta::set(Flag::Seen))?;
            overlay::placed(tx, inbox, UidValidity(7), &archive, &copied)?;
            placements::vanished(tx, inbox, &UidSet::range(3, 3))?;
            overlay::forget(tx, OpId(1), OpState::Settled)?;
            overlay::forget(tx, OpId(2), OpState::Settled)
        })
        .unwrap();
    assert_eq!(subjects(kept, true), [("Re: lunch".into(), 1, 0)]);
    let row = store.read(|db| page(db, kept, false, RowCursor::Newest, 1)).unwrap().remove(0);
    assert_eq!((row.uid, row.flags.has(Flag::Flagged)), (Some(40), true));
    // The star is refused: gone again.
    store.cache(|tx| overlay::forget(tx, OpId(3), OpState::Parked)).unwrap();
    let row = store.read(|db| page(db, kept, false, RowCursor::Newest, 1)).unwrap().remove(0);
    assert!(row.flags.has(Flag::Seen) && !row.flags.has(Flag::Flagged));
    assert_eq!((counts(inbox), counts(kept)), ((2, 2), (1, 0)));
    // A mail that joins two conversations; and everything goes.
    store.cache(move |tx| messages::record_new(tx, inbox, UidValidity(7), &[seen(5, "both", "y", &["x", "a"])])).unwrap();
    assert_eq!(subjects(inbox, true), [("both".into(), 3, 3)]);
    store.cache(move |tx| placements::vanished(tx, inbox, &UidSet::range(1, u32::MAX))).unwrap();
    assert_eq!((subjects(inbox, true), counts(inbox)), (vec![], (0, 0)));
}

/// SQLite compiles a statement anew for each value that its plan might depend on, unless told not to (`open.rs`).
#[test]
fn statements_of_a_first_sync_are_compiled_once() {
    use rusqlite::StatementStatus::{RePrepare, Run};
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), quiet()).unwrap();
    let mailbox = store.cache(|tx| mailboxes::ensure(tx, &AccountName::new("a"), &MailboxPath::inbox())).unwrap();
    let counts = store.cache(move |tx| {
        let rows: Vec<_> = (1..100).map(|n| seen(n, "s", &format!("m{n}"), &["m1"])).collect();
        messages::record_new(tx, mailbox, UidValidity(1), &rows)?;
        let of = |sql| tx.conn().prepare_cached(sql).map(|s| (s.get_status(Run), s.get_status(RePrepare)));
        Ok([of(crate::store::refs::OF_ID)?, of("INSERT OR IGNORE INTO thread_key (id, thread) VALUES (?,?)")?])
    });
    assert!(counts.as_ref().unwrap().iter().all(|(run, again)| *run >= 40 && *again == 0), "{counts:?}");
}
