//! extras — further extensions against Dovecot, with and without: what is asked of single messages.
//! Start reading at: any test; `extensions.rs` says which extension is tested where.

use crate::extensions::{fill, open, put};
use crate::mailhost::{host, user};
use postrider::mail::flags::{Flag, FlagDelta};
use postrider::mail::mailbox::MailboxPath;
use postrider::mail::uid::UidSet;
use postrider::net::imap::ImapStore;
use postrider::net::session::MailStore;

/// How many turns `act` takes.
fn turns(store: &mut ImapStore, act: impl FnOnce(&mut ImapStore)) -> u64 {
    let before = store.traffic().round_trips;
    act(store);
    store.traffic().round_trips - before
}

/// LITERAL+ (RFC 7888): a message, and a word that cannot be quoted, go out in one turn; masked, each asks first.
#[test]
fn literals_wait_for_no_leave() {
    let user = user();
    let inbox = MailboxPath::inbox();
    for (without, asked) in [(&[][..], 0), (&["LITERAL+"], 1)] {
        let mut store = open(&user, without);
        let small = format!("Subject: Größe\r\n\r\n{}\r\n", "text ".repeat(2_000));
        assert_eq!(turns(&mut store, |s| put(s, &inbox, &small)), 1 + asked, "{without:?}");
        // Beside sending this much a turn is nothing; a server that is full says so before.
        let large = format!("Subject: x\r\n\r\n{}\r\n", "text ".repeat(60_000));
        assert_eq!(turns(&mut store, |s| put(s, &inbox, &large)), 2, "{without:?}");
        store.select(&inbox, true, None).unwrap();
        let query = postrider::mail::query::parse("subject:Größe", jiff::civil::date(2026, 6, 1)).query;
        let mut found = UidSet::new();
        assert_eq!(turns(&mut store, |s| found = s.search(&query, None).unwrap()), 1 + asked, "{without:?}");
        assert_eq!(found, UidSet::from_iter(found.iter().filter(|uid| uid.get() % 2 == 1)), "{without:?}");
        assert!(!found.is_empty());
    }
}

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

/// `saved:` finds by when mail came into its mailbox, over all that the cache has; masked, by the date that it has there.
#[test]
fn mail_is_found_by_when_it_came_into_its_mailbox() {
    for (without, since, before) in [("", 1, 0), ("without = [\"SAVEDATE\"]\n", 0, 1)] {
        let user = user();
        let mut store = open(&user, &[]);
        // Of 2020 by their own date.
        fill(&mut store, 2);
        store.select(&MailboxPath::inbox(), false, None).unwrap();
        store.move_to(&UidSet::range(1, 1), &MailboxPath::from_typed("Trash")).unwrap();
        let profile = crate::rounds::profile(&user, without);
        let run = |args: &[&str]| -> String {
            let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_postrider"));
            let output = command.arg("--profile").arg(profile.path()).args(args).output().unwrap();
            assert!(output.status.success(), "{args:?}: {output:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        run(&["sync"]);
        let found = |words: &str, more: &[&str]| {
            let said = run(&[&["search", "--json", words][..], more].concat());
            let rows: serde_json::Value = serde_json::from_str(&said).unwrap();
            rows.as_array().unwrap().len()
        };
        assert_eq!(found("in:trash savedsince:1w", &["--server"]), since, "{without}");
        assert_eq!(found("in:trash -savedbefore:1w", &["--server"]), since, "{without}");
        assert_eq!(found("in:trash savedbefore:1w", &["--server"]), before, "{without}");
        // Here nobody knows: nothing is found by another date.
        assert_eq!(found("in:trash savedbefore:1w", &[]), 0, "{without}");
        assert_eq!(found("in:trash -savedsince:1w", &[]), 0, "{without}");
    }
}

/// ID (RFC 2971): the server knows who we are, and nothing else about us; masked, it does not.
#[test]
fn the_server_is_told_who_we_are() {
    let (named, unnamed) = (user(), user());
    open(&unnamed, &["ID"]).noop().unwrap();
    open(&named, &[]).noop().unwrap();
    // 2.3 writes what it was told in one line, 2.4 each word in one of its own, and later.
    let words = [
        concat!("name=postrider, version=", env!("CARGO_PKG_VERSION")).to_owned(),
        "\"id_param_name\":\"postrider\"".to_owned(),
        format!("\"id_param_version\":\"{}\"", env!("CARGO_PKG_VERSION")),
    ];
    let log = || std::fs::read_to_string(host().dir.join("log/dovecot.log")).unwrap();
    let told = |user: &str| -> Vec<bool> {
        let log = log();
        words.iter().map(|word| log.lines().any(|line| line.contains(user) && line.contains(word))).collect()
    };
    crate::mailhost::wait("the server was told", || matches!(told(&named)[..], [true, _, _] | [_, true, true]));
    assert_eq!(told(&unnamed), [false; 3]);
}

/// ENABLE (RFC 5161): without it nothing is switched on, and CONDSTORE alone does the work.
#[test]
fn nothing_is_enabled_unasked() {
    let user = user();
    assert!(open(&user, &[]).caps().qresync);
    let mut less = open(&user, &["ENABLE"]);
    assert!(!less.caps().qresync && less.caps().condstore);
    fill(&mut less, 1);
    assert!(less.select(&MailboxPath::inbox(), false, None).unwrap().highestmodseq.0 > 0);
}

/// UNSELECT (RFC 3691): a mailbox is left in one turn, masked in none; what is marked as deleted stays either way.
#[test]
fn to_leave_expunges_nothing() {
    let user = user();
    let inbox = MailboxPath::inbox();
    fill(&mut open(&user, &[]), 2);
    for (without, cost) in [(&[][..], 1), (&["UNSELECT"], 0)] {
        let mut store = open(&user, without);
        store.select(&inbox, false, None).unwrap();
        store.store_flags(&UidSet::range(1, 1), &FlagDelta::set(Flag::Deleted)).unwrap();
        assert_eq!(turns(&mut store, |s| s.unselect().unwrap()), cost, "{without:?}");
        assert_eq!(store.caps().unselect, without.is_empty());
        assert_eq!(store.status(&inbox).unwrap().messages, 2, "{without:?}");
    }
}
