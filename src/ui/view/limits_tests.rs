//! limits_tests — what the server does not let one do: said before it is tried.
//! Owns: nothing. May import: ui.
//! Start reading at: `each_size`'s screens.

use super::stage::Stage;
use super::tests::each_size;
use crate::engine::api::{News, Request};
use crate::mail::ids::AccountName;
use crate::mail::rights::{Quota, Rights};
use std::time::Duration;

fn full(stage: &mut Stage, percent: u64) {
    let quota = Quota { root: String::new(), storage: Some((percent * 10_000_000, 1_000_000_000)), messages: None };
    stage.quotas = vec![(AccountName::new("work"), quota)];
    stage.touched();
}

fn allow(stage: &mut Stage, mailbox: usize, letters: &str) {
    stage.boxes[mailbox].rights = Some(Rights::parse(letters));
    stage.touched();
}

#[test]
fn screens_of_limits() {
    each_size("nearly-full", |s| {
        full(s, 93);
        s.press("q");
    });
    each_size("read-only-mailbox", |s| allow(s, 0, "lr"));
}

#[test]
fn a_full_account_is_shown_from_80_and_said_once_from_90() {
    let mut s = Stage::new(120, 40);
    full(&mut s, 79);
    assert!(!s.text().contains('%'));
    full(&mut s, 84);
    assert!(s.text().contains("84%") && !s.text().contains("full:"));
    full(&mut s, 91);
    assert!(s.text().contains("work is 91 % full: 910 MB of 1.0 GB"));
    s.wait(Duration::from_secs(60));
    full(&mut s, 92);
    assert!(!s.text().contains("full:"), "once");
    full(&mut s, 50);
    full(&mut s, 95);
    assert!(s.text().contains("work is 95 % full"), "and again when it was not");
}

#[test]
fn what_a_mailbox_does_not_allow_is_not_offered_and_says_why() {
    let mut s = Stage::new(80, 24);
    allow(&mut s, 0, "lr");
    s.requests.clear();
    for key in ["e", "d", "D", "m", "x", "s", "i"] {
        s.press(key);
        assert!(s.requests.is_empty() && s.app.popup().is_none() && s.text().contains("you may not"), "{key}: {}", s.text());
    }
    let footer = s.text().lines().last().map(str::to_owned).unwrap_or_default();
    assert!(!footer.contains("archive"));
    s.press("Enter");
    s.wait(Duration::from_secs(5));
    assert!(!s.requests.iter().any(|r| matches!(r, Request::Flag { .. })), "nothing is marked by itself either");
    s.press("q y");
    assert!(s.app.popup().is_some(), "a copy takes nothing away");
    s.press("Esc");
    allow(&mut s, 3, "lrs");
    allow(&mut s, 0, "lrswipkxtea");
    s.press("m \"arch Enter");
    assert!(s.text().contains("You may not put messages there"));
    s.requests.clear();
    s.press("i");
    assert!(matches!(&s.requests[..], [Request::Flag { .. }]));
    s.press("q G k k k D");
    assert!(s.app.popup().is_some(), "nothing is known of this one's rights: it is tried");
    s.news(News::default());
}
