//! What lies on an account's desk, and who is rung for it.

use super::*;
use crate::mail::ids::PlacementKey;

#[test]
fn watchers_have_their_posts_while_they_are_wanted() {
    let desk = Desk::new(false, 3).unwrap();
    let (lists, other) = (MailboxPath::from_typed("Lists"), MailboxPath::from_typed("Other"));
    desk.posts(vec![lists.clone(), other]);
    assert!(desk.post(0).is_none() && desk.is_alone(), "nobody has logged in");
    desk.admit(true);
    assert_eq!((desk.post(0), desk.post(1)), (Some(Post::First), Some(Post::Mailbox(lists))));
    assert!(!desk.is_alone());
    desk.notified(true);
    assert_eq!((desk.post(0), desk.post(1)), (Some(Post::First), None), "one tells of all");
    desk.watching(true);
    assert!(desk.fold() && desk.post(0).is_none() && !desk.is_alone(), "it is still there");
    desk.watching(false);
    assert!(desk.is_alone() && desk.folded().is_some());
}

#[test]
fn news_are_not_told_twice_and_only_the_inbox_is_in_a_hurry() {
    let desk = Desk::new(false, 1).unwrap();
    let (inbox, lists) = (MailboxPath::inbox(), MailboxPath::from_typed("Lists"));
    desk.here(Some(&inbox));
    desk.news(inbox.clone(), None);
    assert!(desk.take().news.is_empty());
    desk.here(None);
    desk.visiting(Some((MailboxId(2), &lists)));
    desk.news(lists.clone(), None);
    assert!(!desk.is_urgent(false));
    desk.news(inbox.clone(), None);
    assert!(desk.is_urgent(false));
    assert_eq!(desk.take().news.len(), 2);
    desk.visiting(Some((MailboxId(1), &inbox)));
    desk.news(inbox, None);
    assert!(!desk.is_urgent(false));
    desk.put(Nudge::Opened(MailboxId(1)));
    assert!(!desk.is_urgent(false) && desk.open() == Some(MailboxId(1)), "what is read makes no room for itself");
    desk.put(Nudge::Opened(MailboxId(2)));
    assert!(desk.is_urgent(false));
}

#[test]
fn waking_up_cuts_all_lines_and_new_ones_are_whole() {
    let desk = Desk::new(false, 1).unwrap();
    let before = [desk.line().unwrap(), desk.line().unwrap()];
    desk.put(Nudge::Woke);
    assert!(before.iter().all(Cancel::is_set));
    let after = desk.line().unwrap();
    assert!(!after.is_set() && !desk.cancel.is_set());
    desk.cancel.ring();
    assert!(after.is_set());
}

/// Who opens a message while its mailbox is read for the first time wants its conversation, which that reading brings soon.
#[test]
fn a_conversation_makes_no_room_for_itself_where_its_mailbox_is_soon_here() {
    let desk = Desk::new(false, 1).unwrap();
    let named = |far: Option<Far>| far.map(|far| matches!(far, Far::Kin(PlacementKey(n)) if n == 2));
    desk.far(Far::Kin(PlacementKey(1)));
    desk.far(Far::Kin(PlacementKey(2)));
    assert!(!desk.is_urgent(false) && desk.take_far(false).is_none());
    assert!(desk.is_urgent(true));
    assert_eq!((named(desk.take_far(true)), named(desk.take_far(true))), (Some(true), None), "one message is read at a time");
}
