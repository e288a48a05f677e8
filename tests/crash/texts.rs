//! texts — a pass that fetches texts is killed after each durable step: each text of which a row says that it is here opens without a
//! line, a search finds a word of each, and a further pass gets the others.
//! Start reading at: `texts_that_came_open_and_are_found_after_each_death`.

use super::day::{Day, Kind, Run};
use super::each_death;
use postrider::store::open::{Cache, open_reader};
use postrider::store::words;
use std::collections::BTreeSet;

/// More than are recorded at once.
const MAILS: usize = 120;

/// The messages that a search for a word of their texts finds.
fn found(day: &Day) -> BTreeSet<i64> {
    let rows = day.json(&["search", "kohlrabi", "--limit", "1000"]);
    rows.as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

/// Of how many of these mails a row says that the text is here, and how many of all are still to be read.
fn kept(day: &Day) -> (usize, u64) {
    let sql = "SELECT count(*) FROM message WHERE message_id GLOB 't[0-9]*@example.org' AND blob <> ''";
    let cache = rusqlite::Connection::open(day.home().join("data/cache.sqlite")).unwrap();
    let here: u32 = cache.query_row(sql, [], |r| r.get(0)).unwrap();
    (here as usize, words::count(&open_reader::<Cache>(&day.home().join("data")).unwrap()).unwrap())
}

#[test]
fn texts_that_came_open_and_are_found_after_each_death() {
    let day = Day::new(Kind::Dovecot);
    day.put_many("INBOX", 0..MAILS, |n| {
        format!(
            "From: ann@example.org\r\nSubject: mail {n}\r\nMessage-ID: <t{n}@example.org>\r\n\r\nThe kohlrabi of mail {n}.\r\n"
        )
    });
    assert_eq!(day.run(&Run::of(&["sync", "--bodies", "none"]), None), 0, "{}", day.said());
    let pass = Run::of(&["sync", "--bodies", "all"]);
    let (mut some, mut unread) = (0, 0);
    let kills = each_death(&day, &pass, |day, at| {
        let (here, left) = kept(day);
        (some, unread) = (some + usize::from(here > 0), unread + usize::from(left > 0));
        let hits = found(day);
        assert_eq!((hits.len(), kept(day)), (here, (here, 0)), "killed after step {at}");
        if let Some(id) = hits.first() {
            let show = Run::of(&["--offline", "show", &id.to_string()]);
            assert_eq!(day.run(&show, None), 0, "killed after step {at}: {}", day.said());
        }
        assert_eq!(day.run(&pass, None), 0, "killed after step {at}: {}", day.said());
        assert_eq!(found(day).len(), MAILS, "killed after step {at}");
    });
    assert!(some > 0 && unread > 0, "{kills} deaths, of which {some} had texts and {unread} some to be read");
    println!("texts: {kills} killed at, {unread} of them between the coming and the reading of a text");
}
