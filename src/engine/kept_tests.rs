//! Tests of what is let go when more came than an account may keep.

use super::*;
use crate::base::clock::Manual;
use crate::base::paths::Paths;
use crate::config::Config;
use crate::engine::Engine;
use crate::engine::setup::{Mode, Setup};
use crate::mail::fixtures;
use crate::mail::ids::MessageKey;
use crate::mail::mailbox::MailboxPath;
use crate::mail::server::EnvelopeSeen;
use crate::mail::uid::UidValidity;
use crate::store::bodies::Reading;
use crate::store::messages;
use std::path::Path;

const SIZE: u64 = 10_000;

#[test]
fn what_comes_beyond_the_limit_makes_the_oldest_go_but_never_what_is_open() {
    let dir = tempfile::tempdir().unwrap();
    let text = "[account.a]\naddress = \"ann@example.org\"\nmaildir = \"Mail\"\nkeep = { bodies = \"all\", limit = \"100k\" }\n";
    let config = Config::parse(text, Path::new("c"), 0o600).unwrap();
    let clock = Arc::new(Manual::at(1_700_000_000));
    let engine = Engine::start(&Setup { clock, ..Setup::new(config, Paths::of_profile(dir.path()), Mode::Still) }).unwrap();
    let (shared, name) = (engine.shared(), AccountName::new("a"));
    let limit = shared.config.accounts[0].keep.limit.unwrap();
    let rows: Vec<EnvelopeSeen> = (1..=30u32)
        .map(|n| EnvelopeSeen {
            received: 1_600_000_000 + i64::from(n),
            size: SIZE,
            object_id: format!("o{n}"),
            ..fixtures::seen(n)
        })
        .collect();
    let account = name.clone();
    shared
        .store
        .cache(move |tx| {
            let inbox = mailboxes::ensure(tx, &account, &MailboxPath::inbox())?;
            messages::record_new(tx, inbox, UidValidity(1), &rows)
        })
        .unwrap();
    let mut all = shared.store.read(|db| bodies::wanted(db, &name, 0, u64::MAX, 99, &|_, _| true)).unwrap();
    all.reverse();
    let blobs = Blobs::open(&shared.store.places().cache).unwrap();
    let names: Vec<String> = all.iter().map(|w| blobs.put(format!("mail {}", w.uid).as_bytes()).unwrap()).collect();
    // The oldest one is open.
    let open: MessageKey = all[0].message;
    shared.awaited.seen(open);
    for (wanted, blob) in all.iter().zip(&names) {
        let (message, blob) = (wanted.message, blob.clone());
        shared.store.cache(move |tx| bodies::arrived(tx, message, &blob, SIZE, &Reading::default())).unwrap();
        grew(shared, &name, SIZE).unwrap();
        assert!(shared.store.read(|db| bodies::total(db, &name)).unwrap() <= limit);
    }
    let here: Vec<bool> = names.iter().map(|name| blobs.size(name).is_some()).collect();
    assert!(here[0] && here[29] && here[25] && !here[1] && !here[15], "{here:?}");
    let named = shared.store.read(bodies::named).unwrap();
    assert_eq!(named.len(), here.iter().filter(|here| **here).count(), "files go with their rows");
    assert!((7..=10).contains(&named.len()), "{}", named.len());
}
