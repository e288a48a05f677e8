//! rounds — what looking at an account costs on the wire when there is nothing, or little, to see.
//! Start reading at: `sixty_mailboxes_and_nothing_new`. The same is measured beside a bare floor by `tests/bench/cost.rs`.

use crate::extensions::{fill, open, put};
use crate::mailhost::{PASSWORD, host, user};
use postrider::mail::flags::{Flag, FlagDelta};
use postrider::mail::mailbox::MailboxPath;
use postrider::mail::uid::UidSet;
use postrider::net::session::MailStore;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

pub fn profile(user: &str, more: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let text = format!(
        "[account.me]\naddress = {user:?}\npassword = {PASSWORD:?}\nca-file = {:?}\nimap = {{ host = \"127.0.0.1\", port = {} }}\n\
         smtp = {{ host = \"127.0.0.1\", port = {} }}\nkeep = {{ bodies = \"none\" }}\n{more}",
        host().dir.join("tls/ca.pem"),
        host().imaps,
        host().submissions
    );
    let config = dir.path().join("config.toml");
    std::fs::write(&config, text).unwrap();
    std::fs::set_permissions(config, PermissionsExt::from_mode(0o600)).unwrap();
    dir
}

/// One pass: octets and turns of the connection, and messages that were new, changed, gone.
fn sync(profile: &Path) -> (u64, u64, [u64; 3]) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_postrider")).arg("--profile").arg(profile).args(["sync", "--json"]).output().unwrap();
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let me = &said["accounts"][0];
    assert_eq!(me["state"], "ok", "{said}");
    let number = |value: &Value| value.as_u64().unwrap();
    let sum = |what: &str| me["mailboxes"].as_array().unwrap().iter().map(|m| number(&m[what])).sum();
    let octets = number(&me["bytes_in"]) + number(&me["bytes_out"]);
    (octets, number(&me["round_trips"]), [sum("new"), sum("changed"), sum("vanished")])
}

#[test]
fn sixty_mailboxes_and_nothing_new() {
    let user = user();
    let mut other = open(&user, &[]);
    let login = other.traffic().round_trips;
    fill(&mut other, 20);
    for n in 0..60 {
        let path = MailboxPath::from_typed(&format!("Box {n}"));
        other.create(&path).unwrap();
        put(&mut other, &path, &format!("Subject: {n}\r\nMessage-ID: <b{n}@x.test>\r\n\r\ntext\r\n"));
    }
    let dir = profile(&user, "");
    assert_eq!(sync(dir.path()).2, [80, 0, 0]);
    let (octets, turns, found) = sync(dir.path());
    println!("60 mailboxes, nothing new: {octets} octets, {turns} turns, {login} of them for the login");
    assert_eq!(found, [0; 3]);
    assert!(octets <= 10_000 && turns <= login + 3, "{octets} octets, {turns} turns, {login} of them for the login");
    // One of them has news: that one costs one turn, to open it and for what is new, and one for what its row is shown without. How full
    // the account is, is one more, where the server tells.
    put(&mut other, &MailboxPath::from_typed("Box 7"), "Subject: news\r\n\r\ntext\r\n");
    let (_, turns, found) = sync(dir.path());
    assert_eq!(found, [1, 0, 0]);
    assert!(turns <= login + 3 + u64::from(other.caps().quota), "{turns} turns");
}

#[test]
fn news_flags_and_expunges_cost_what_changed() {
    let user = user();
    let mut other = open(&user, &[]);
    fill(&mut other, 400);
    for (without, most) in
        [("", 55_000), ("without = [\"QRESYNC\"]\n", 60_000), ("without = [\"QRESYNC\", \"CONDSTORE\"]\n", 90_000)]
    {
        let dir = profile(&user, without);
        sync(dir.path());
        other.select(&MailboxPath::inbox(), false, None).unwrap();
        let here: Vec<u32> = other.uids(1).unwrap().iter().map(|uid| uid.get()).collect();
        let set = |range: std::ops::Range<usize>| -> UidSet {
            here[range].iter().filter_map(|n| postrider::mail::uid::Uid::new(*n)).collect()
        };
        other.store_flags(&set(100..200), &FlagDelta::set(Flag::Flagged)).unwrap();
        other.store_flags(&set(0..50), &FlagDelta::set(Flag::Deleted)).unwrap();
        other.uid_expunge(&set(0..50)).unwrap();
        fill(&mut other, 100);
        other.select(&MailboxPath::inbox(), false, None).unwrap();
        other.store_flags(&UidSet::range(1, u32::MAX), &FlagDelta::clear(Flag::Answered)).unwrap();
        let (octets, turns, found) = sync(dir.path());
        println!("100 new, 100 flags, 50 gone, {without:?}: {octets} octets, {turns} turns");
        assert_eq!(found, [100, 100, 50], "{without}");
        assert!(octets <= most, "{without}: {octets} octets");
        other.store_flags(&UidSet::range(1, u32::MAX), &FlagDelta::clear(Flag::Flagged)).unwrap();
        let (octets, _, _) = sync(dir.path());
        let (again, turns, found) = sync(dir.path());
        println!("... and nothing new: {again} octets, {turns} turns, after {octets}");
        assert_eq!(found, [0; 3]);
        assert!(again <= 6_000, "{without}: {again} octets for nothing");
    }
}
