//! extras — further extensions against Dovecot, with and without: what is asked of single messages.
//! Start reading at: any test; `extensions.rs` says which extension is tested where.

use crate::extensions::{fill, open};
use crate::mailhost::user;
use postrider::mail::mailbox::MailboxPath;
use postrider::mail::uid::UidSet;
use postrider::net::session::MailStore;

/// PREVIEW (RFC 8970) in one turn, without marking anything as read; masked, nobody is told that there is such a thing.
#[test]
fn previews_come_without_bodies() {
    let user = user();
    let mut store = open(&user, &[]);
    fill(&mut store, 3);
    store.select(&MailboxPath::inbox(), false, None).unwrap();
    for lazy in [false, true] {
        let (mut all, turns) = (Vec::new(), store.traffic().round_trips);
        store
            .fetch_previews(&UidSet::range(1, 3), lazy, &mut |rows| {
                all.extend(rows.into_iter().map(|(uid, text)| (uid.get(), text)));
                Ok(())
            })
            .unwrap();
        assert_eq!(all, [(1, "text 0".to_owned()), (2, "text 1".to_owned()), (3, "text 2".to_owned())], "{lazy}");
        assert_eq!(store.traffic().round_trips, turns + 1);
    }
    assert_eq!(store.status(&MailboxPath::inbox()).unwrap().unseen, 3);
    assert!(store.caps().preview && !open(&user, &["PREVIEW"]).caps().preview);
}

/// SAVEDATE (RFC 8514): when a message came into this mailbox, whatever its own date is.
#[test]
fn save_dates_are_those_of_the_mailbox() {
    let user = user();
    let mut store = open(&user, &[]);
    fill(&mut store, 2);
    let trash = MailboxPath::from_typed("Trash");
    store.select(&MailboxPath::inbox(), false, None).unwrap();
    store.move_to(&UidSet::range(1, 1), &trash).unwrap();
    store.select(&trash, false, None).unwrap();
    let (mut all, now) = (Vec::new(), jiff::Timestamp::now().as_second());
    store
        .fetch_save_dates(&UidSet::range(1, 9), &mut |rows| {
            all.extend(rows);
            Ok(())
        })
        .unwrap();
    assert_eq!(all.len(), 1);
    // Its own date is of 2020.
    assert!((now - 600..=now + 600).contains(&all[0].1), "{all:?}");
    assert!(store.caps().save_date && !open(&user, &["SAVEDATE"]).caps().save_date);
}
