//! tests — a list over a store that changes under it: the cursor, pages, marks, conversations.
//! Owns: nothing. May import: app, mail.
//! Start reading at: `answer`, the store.

use super::*;
use crate::mail::address::Address;
use crate::mail::fixtures::message;
use crate::mail::ids::MailboxId;
use proptest::prelude::*;

/// The row of message `n`; a higher number is newer.
fn row(n: i64) -> MessageRow {
    MessageRow { from: Address::new("", if n % 3 == 0 { "a@x" } else { "b@x" }), ..message(n) }
}

/// A store of messages in descending order, as the engine answers.
fn answer(window: &mut Window, all: &[i64], want: Want) {
    let limit = want.limit as usize;
    let from = match want.cursor {
        RowCursor::Newest => 0,
        RowCursor::Oldest => all.len().saturating_sub(limit),
        RowCursor::NextUnread(_) | RowCursor::PreviousUnread(_) => panic!("the window does not ask for these"),
        RowCursor::From(sort) => all.iter().position(|n| *n <= sort).unwrap_or(all.len()),
        RowCursor::UpTo(sort) => (all.iter().rposition(|n| *n >= sort).map_or(0, |n| n + 1)).saturating_sub(limit),
    };
    let rows = all.iter().skip(from).take(limit).map(|n| row(*n)).collect();
    if let Some(want) = window.fill(rows, u32::try_from(from).unwrap(), u32::try_from(all.len()).unwrap()) {
        answer(window, all, want);
    }
}

fn open(all: &[i64]) -> Window {
    let mut window = Window::new(Source::View(View::Mailbox(MailboxId(1))), false);
    window.set_height(10);
    answer(&mut window, all, Window::first_page());
    window
}

fn at(window: &Window) -> i64 {
    window.current().unwrap().row.id.0
}

#[test]
fn the_cursor_stays_on_its_message_whatever_arrives() {
    let mut all: Vec<i64> = (0..50).rev().collect();
    let mut w = open(&all);
    w.step(3);
    assert_eq!(at(&w), 46);
    all.insert(0, 50);
    let want = w.same_page();
    answer(&mut w, &all, want);
    assert_eq!((at(&w), w.top, w.cursor), (46, 0, 4), "the top is seen: the new row is too");
    w.step(20);
    let (message, line) = (at(&w), w.cursor - w.top);
    all.insert(0, 51);
    let want = w.same_page();
    answer(&mut w, &all, want);
    assert_eq!((at(&w), w.cursor - w.top), (message, line), "the top is not seen: nothing moves");
    // The message itself goes: the next one below takes its place.
    all.retain(|n| *n != message);
    let want = w.same_page();
    answer(&mut w, &all, want);
    assert_eq!(at(&w), message - 1);
}

#[test]
fn a_long_list_is_walked_by_pages() {
    let all: Vec<i64> = (0..5_000).rev().collect();
    let mut w = open(&all);
    for n in 1..3_000 {
        w.step(1);
        if let Some(want) = w.next_page() {
            answer(&mut w, &all, want);
        }
        assert_eq!(at(&w), 4_999 - n);
        assert!(w.rows.len() <= PAGE as usize);
    }
    for n in (0..2_999).rev() {
        w.step(-1);
        if let Some(want) = w.next_page() {
            answer(&mut w, &all, want);
        }
        assert_eq!(at(&w), 4_999 - n);
    }
    let want = w.last().unwrap();
    answer(&mut w, &all, want);
    assert_eq!(at(&w), 0);
    assert!(w.next_page().is_none());
    let want = w.first().unwrap();
    answer(&mut w, &all, want);
    assert_eq!((at(&w), w.top), (4_999, 0));
}

#[test]
fn marks_and_ranges_are_what_commands_act_on() {
    let all: Vec<i64> = (0..20).rev().collect();
    let mut w = open(&all);
    assert_eq!(w.take_targets().len(), 1, "the one under the cursor");
    w.toggle_mark();
    w.step(3);
    w.toggle_range();
    w.step(2);
    assert_eq!(w.marked(), 4);
    assert_eq!(w.visible().filter(|(_, _, marked)| *marked).count(), 4);
    let ids: Vec<i64> = w.take_targets().iter().map(|r| r.id.0).collect();
    assert_eq!(ids, [19, 16, 15, 14]);
    assert_eq!(w.marked(), 0);
    w.mark_like();
    assert_eq!(w.marked(), w.items.iter().filter(|i| i.row.id.0 % 3 != 0).count());
    w.mark_like();
    assert_eq!(w.marked(), 0);
}

#[test]
fn conversations_unfold_below_their_row() {
    let mut w = Window::new(Source::View(View::Mailbox(MailboxId(1))), true);
    w.set_height(10);
    let mut head = row(9);
    head.thread_total = 3;
    assert!(w.fill(vec![row(10), head.clone(), row(3)], 0, 3).is_none());
    w.step(1);
    assert_eq!(w.folded().map(|r| r.id.0), Some(9));
    let inner = |n| MessageRow { thread: ThreadKey(9), ..row(n) };
    w.unfold(vec![inner(5), inner(7), inner(9)]);
    assert_eq!(
        w.items.iter().map(|i| (i.row.id.0, i.inner)).collect::<Vec<_>>(),
        [(10, false), (9, false), (5, true), (7, true), (3, false)]
    );
    assert_eq!(at(&w), 9);
    w.step(2);
    assert!(w.fold());
    assert_eq!((at(&w), w.items.len()), (9, 3));
}

#[derive(Clone, Debug)]
enum Act {
    Step(i8),
    Page(bool, bool),
    Arrive(i64),
    Vanish(usize),
    Height(usize),
    First,
    Last,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        any::<i8>().prop_map(Act::Step),
        any::<(bool, bool)>().prop_map(|(a, b)| Act::Page(a, b)),
        prop_oneof![Just(1i64), 1..900i64].prop_map(Act::Arrive),
        (0usize..2_000).prop_map(Act::Vanish),
        (0usize..60).prop_map(Act::Height),
        Just(Act::First),
        Just(Act::Last),
    ]
}

#[test]
fn a_list_that_fills_stays_at_its_top_until_the_person_moves() {
    let mut window = Window::new(Source::View(View::Mailbox(MailboxId(1))), false);
    let fill = |w: &mut Window, ids: &[i64]| assert!(w.fill(ids.iter().map(|n| row(*n)).collect(), 0, 9).is_none());
    fill(&mut window, &[3, 2, 1]);
    fill(&mut window, &[5, 4, 3, 2, 1]);
    assert_eq!((at(&window), window.news_above), (5, 0));
    window.step(1);
    fill(&mut window, &[7, 6, 5, 4, 3, 2, 1]);
    assert_eq!(at(&window), 4);
}

#[test]
fn the_cursor_stays_with_a_conversation_that_goes_on() {
    let mut window = Window::new(Source::View(View::Mailbox(MailboxId(1))), true);
    let rows = |ids: &[i64]| ids.iter().map(|n| MessageRow { thread: ThreadKey(*n % 100), ..row(*n) }).collect::<Vec<_>>();
    assert!(window.fill(rows(&[9, 8, 7]), 0, 3).is_none());
    window.step(1);
    assert!(window.fill(rows(&[108, 9, 7]), 0, 3).is_none());
    assert_eq!(at(&window), 108, "an answer came to the conversation under the cursor");
    assert!(window.fill(rows(&[9, 7]), 0, 2).is_none());
    assert_eq!(at(&window), 9);
}

proptest! {
    #[test]
    fn the_cursor_is_always_seen_and_moves_only_when_told(acts in proptest::collection::vec(act(), 1..60), n in 0i64..1_500) {
        let mut all: Vec<i64> = (0..n).rev().collect();
        let mut next = n;
        let mut w = open(&all);
        w.cling();
        for act in acts {
            let mut want = None;
            match act {
                Act::Step(by) => w.step(isize::from(by)),
                Act::Page(down, half) => w.page(down, half),
                Act::Height(h) => w.set_height(h),
                Act::First => want = w.first(),
                Act::Last => want = w.last(),
                Act::Arrive(many) => {
                    let before = w.current().map(|i| i.row.id);
                    (0..many).for_each(|n| all.insert(0, next + n));
                    next += many;
                    let want = w.same_page();
    answer(&mut w, &all, want);
                    prop_assert!(before.is_none() || w.current().map(|i| i.row.id) == before);
                }
                Act::Vanish(k) => {
                    if !all.is_empty() { let k = k % all.len(); all.remove(k); }
                    let want = w.same_page();
    answer(&mut w, &all, want);
                }
            }
            if let Some(want) = want.or_else(|| w.next_page()) { answer(&mut w, &all, want); }
            prop_assert_eq!(w.current().is_none(), all.is_empty());
            prop_assert!(w.cursor >= w.top && (w.height == 0 || w.cursor < w.top + w.height || w.items.is_empty()));
            prop_assert_eq!(w.items.len(), w.rows.len());
        }
    }
}
