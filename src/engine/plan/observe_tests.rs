//! observe_tests — windows that fit the line; the guess at the newest. Tests of `observe.rs`.

use super::*;
use crate::engine::plan::base::Policy;
use crate::engine::plan::step::{Part, Reply, Step, StepId};
use crate::engine::plan::windows::MAX_RANGES;
use crate::engine::plan::{MailboxSync, Start};
use crate::mail::mailbox::MailboxPath;
use crate::mail::server::{Caps, Selected};
use crate::mail::uid::UidValidity;

fn set(text: &str) -> UidSet {
    UidSet::parse(text, u32::MAX).unwrap()
}

#[test]
fn windows_fit_the_line() {
    // What a window of so many takes: a turn, and the time of its octets.
    let run = |turn: u32, per_thousand: u32| {
        let mut fetch = Fetch::new(&Policy { first_window: 64, ..Policy::at(0) });
        let mut took = 0;
        for _ in 0..12 {
            took = turn + fetch.window * per_thousand / 1_000;
            fetch.grow(took);
        }
        (fetch.window, took)
    };
    let (window, took) = run(1, 20);
    assert!((8_192..=20_000).contains(&window) && took < 2 * 200, "loopback: as long as it is quick: {window} in {took} ms");
    let mut leaps = Fetch::new(&Policy { first_window: 64, ..Policy::at(0) });
    let sizes = [1, 2, 90, 199].map(|ms| {
        leaps.grow(ms);
        leaps.window
    });
    assert_eq!(sizes, [512, 4_096, 8_192, 16_384]);
    let (window, took) = run(200, 2_800);
    assert!((128..=512).contains(&window) && took < 2_000, "200 ms and 1 Mbit/s: {window} in {took} ms");
    assert!(run(600, 10).0 > 5_000, "far away and wide");
    let mut fetch = Fetch::new(&Policy { first_window: 64, ..Policy::at(0) });
    fetch.window = 4_096;
    fetch.grow(9_000);
    assert_eq!(fetch.window, 2_048, "the line became thin");
}

#[test]
fn windows_are_newest_first_short_and_whole() {
    let mut wanted = set("1,5:9,20");
    assert_eq!(window(&mut wanted, &set("2"), 3), set("8:20"));
    assert_eq!((window(&mut wanted, &set("2"), 9), wanted), (set("1,5:7"), UidSet::new()));
    let sparse: Vec<(u32, u32)> = (1..2000).map(|n| (n * 2, n * 2)).collect();
    let odd: Vec<(u32, u32)> = (1..2000).map(|n| (n * 2 + 1, n * 2 + 1)).collect();
    let (mut wanted, avoid) = (UidSet::from_ranges(sparse), UidSet::from_ranges(odd));
    let all = wanted.clone();
    let mut got = UidSet::new();
    while !wanted.is_empty() {
        let part = window(&mut wanted, &avoid, 1000);
        assert!(part.ranges().len() <= MAX_RANGES && !part.is_empty());
        got = got.union(&part);
    }
    assert_eq!(got, all);
}

/// A plan for a mailbox of which `known` is here, that has just been opened.
fn opened(exists: u32, uidnext: u32) -> MailboxSync {
    let start = Start {
        mailbox: MailboxPath::inbox(),
        base: Base::default(),
        object_id: String::new(),
        known: UidSet::new(),
        doubted: UidSet::new(),
        partly: None,
        identified: Vec::new(),
        ops: Vec::new(),
        goals: Vec::new(),
        caps: Caps::default(),
        policy: Policy { first_window: 64, ..Policy::at(0) },
    };
    let mut sync = MailboxSync::start(start);
    let Some((id, Step::Ask(Ask::Select { .. }))) = sync.next() else { panic!() };
    let selected = Selected { exists, uidnext, uidvalidity: UidValidity(7), ..Selected::default() };
    sync.heard(id, Reply::Part(Part::Selected(selected)));
    sync.heard(id, Reply::End { ms: 1 });
    sync
}

fn asked(sync: &mut MailboxSync) -> (StepId, Ask) {
    match sync.next() {
        Some((id, Step::Ask(ask))) => (id, ask),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_newest_of_an_empty_cache_come_before_all_numbers() {
    for (exists, uidnext, guess) in
        [(1_000, 1_001, "937:1000"), (1_000, 3_001, "2809:3000"), (9, 4_000_000_000, "3999999744:3999999999")]
    {
        let mut sync = opened(exists, uidnext);
        let (id, ask) = asked(&mut sync);
        assert_eq!(ask, Ask::Envelopes { uids: set(guess) });
        sync.heard(id, Reply::End { ms: 1 });
        // Whatever came of the guess, the numbers decide.
        assert_eq!(asked(&mut sync).1, Ask::Uids { from: 1, to: u32::MAX });
    }
    for (exists, uidnext) in [(0, 1), (5, 0), (0, 0)] {
        assert_eq!(asked(&mut opened(exists, uidnext)).1, Ask::Uids { from: 1, to: u32::MAX }, "{exists} {uidnext}");
    }
    let wide = Fetch::new(&Policy { first_window: 64, reached_window: 2_048, ..Policy::at(0) });
    assert_eq!(wide.window, 2_048, "a pass that made room had found out what the line holds");
    let (_, ask) = asked(&mut opened(5, 1));
    assert_eq!(ask, Ask::Uids { from: 1, to: u32::MAX }, "a server whose numbers do not fit");
}

fn rows(uids: &str) -> Part {
    Part::Envelopes(set(uids).iter().map(|uid| crate::mail::fixtures::seen(uid.get())).collect())
}

/// The next question, over the records that stand before it.
fn asked_then(sync: &mut MailboxSync) -> Option<(StepId, Ask)> {
    loop {
        match sync.next()? {
            (id, Step::Ask(ask)) => return Some((id, ask)),
            (id, Step::Record(_)) => sync.heard(id, Reply::End { ms: 0 }),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_next_window_is_asked_for_when_three_quarters_of_one_are_here() {
    let mut sync = opened(10_000, 10_001);
    let (id, _) = asked(&mut sync);
    sync.heard(id, Reply::Part(rows("9937:10000")));
    sync.heard(id, Reply::End { ms: 10 });
    let (id, _) = asked_then(&mut sync).unwrap();
    sync.heard(id, Reply::Part(Part::Uids(set("1:10000"))));
    sync.heard(id, Reply::End { ms: 10 });
    let (first, ask) = asked_then(&mut sync).unwrap();
    assert_eq!(ask, Ask::Envelopes { uids: set("9425:9936") }, "eight times the first one, which was quick");
    sync.heard(first, Reply::Part(rows("9425:9800")));
    assert_eq!(asked_then(&mut sync), None, "too early: what is more urgent would wait for both");
    // Rows that were here, or that nobody asked for, are none of them.
    sync.heard(first, Reply::Part(rows("9425:9500,9990,8000:8200")));
    assert_eq!(asked_then(&mut sync), None);
    sync.heard(first, Reply::Part(rows("9801:9810")));
    let (second, ask) = asked_then(&mut sync).unwrap();
    assert_eq!(ask, Ask::Envelopes { uids: set("8913:9424") }, "as large as the one before it, whose time is not known");
    sync.heard(first, Reply::Part(rows("9811:9936")));
    assert_eq!(asked_then(&mut sync), None, "one is ahead, never two");
    sync.heard(first, Reply::End { ms: 20 });
    assert_eq!((asked_then(&mut sync), sync.window()), (None, 4_096));
    // The one ahead was of an earlier size: what it took says nothing against the size that was reached.
    sync.heard(second, Reply::Part(rows("8913:9424")));
    sync.heard(second, Reply::End { ms: 150 });
    assert_eq!(sync.window(), 4_096);
    let (_, ask) = asked_then(&mut sync).unwrap();
    assert_eq!(ask, Ask::Envelopes { uids: set("4817:8912") });
}

#[test]
fn a_pass_that_ends_with_a_window_ahead_waits_for_neither() {
    for reply in [Reply::LineLost, Reply::GaveWay] {
        let mut sync = opened(10_000, 10_001);
        let (id, _) = asked(&mut sync);
        sync.heard(id, Reply::End { ms: 10 });
        let (id, _) = asked_then(&mut sync).unwrap();
        sync.heard(id, Reply::Part(Part::Uids(set("1:10000"))));
        sync.heard(id, Reply::End { ms: 10 });
        let (first, _) = asked_then(&mut sync).unwrap();
        sync.heard(first, Reply::Part(rows("9489:9990")));
        let (second, _) = asked_then(&mut sync).unwrap();
        sync.heard(first, reply.clone());
        assert_eq!(asked_then(&mut sync), None);
        sync.heard(second, reply);
        assert_eq!((asked_then(&mut sync), sync.outcome()), (None, Some(&Outcome::LineLost)));
    }
}
