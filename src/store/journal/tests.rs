//! Tests of the journal's table.

use super::*;
use crate::mail::flags::Flag;
use crate::mail::meant::Meant;
use crate::store::{Store, StoreErrorKind, tests::quiet};

fn new(kind: OpKind, targets: Vec<Target>) -> NewOperation {
    NewOperation {
        account: AccountName::new("a"),
        mailbox: MailboxPath::inbox(),
        kind,
        targets,
        not_before: 0,
        after: None,
        inverse: vec![FlagDelta::clear(Flag::Seen)],
        here: Meant { uidvalidity: UidValidity(7), uidnext: 5, object_id: "F1".into(), alone: true },
        there: Meant::default(),
    }
}

fn at(uid: u32) -> Target {
    let print = Fingerprint { message_id: None, size: 1, received: 2, object_id: "o".into() };
    Target::Server { uidvalidity: UidValidity(7), uid, print }
}

#[test]
fn an_operation_comes_back_as_it_was_and_settling_names_what_it_made() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), quiet()).unwrap();
    let ops = store
        .state(|tx| {
            let group = begin(tx, &Command::new("archive", true), 5)?;
            let moved = new(OpKind::Move { to: MailboxPath::from_typed("Archive") }, vec![at(3), at(4)]);
            let mut ops = append(tx, group, vec![moved], 5)?;
            let star = OpKind::Flag { delta: FlagDelta::set(Flag::Flagged) };
            let aim = Target::ResultOf { op: ops[0].id, index: 1 };
            ops.extend(append(tx, group, vec![new(star, vec![aim])], 5)?);
            Ok(ops)
        })
        .unwrap();
    assert_eq!(store.read_state(|db| pending(db, None)).unwrap(), ops);
    let first = ops[0].id;
    store
        .state(move |tx| {
            update(tx, first, |o| {
                o.state = OpState::InFlight;
                Ok(())
            })
        })
        .unwrap();
    // Two processes: only one claims it.
    let claim = |store: &Store| {
        store.state(move |tx| {
            update(tx, first, |o| match o.state {
                OpState::Queued => {
                    o.state = OpState::InFlight;
                    Ok(())
                }
                _ => Err(StoreError::invalid("claimed already")),
            })
        })
    };
    let other = Store::attach(store.places().clone(), quiet()).unwrap();
    assert_eq!(claim(&other).unwrap_err().kind, StoreErrorKind::Invalid);
    store.state(recover).unwrap();
    assert_eq!(store.read_state(|db| get(db, first)).unwrap().state, OpState::Uncertain);
    let touched = store
        .state(move |tx| {
            update(tx, first, |o| {
                o.state = OpState::Settled;
                o.results = vec![Some((UidValidity(9), 40)), Some((UidValidity(9), 41))];
                Ok(())
            })
        })
        .unwrap();
    let Target::Server { uidvalidity, uid, print } = &touched[1].targets[0] else { panic!("not resolved") };
    assert_eq!((uidvalidity.0, *uid, print.object_id.as_str()), (9, 41, "o"));
    assert_eq!(store.read_state(|db| pending(db, None)).unwrap(), touched[1..]);
}

#[test]
fn undo_and_redo_walk_the_commands() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), quiet()).unwrap();
    let begin = |c: Command| store.state(move |tx| begin(tx, &c, 1)).unwrap();
    let next = || {
        let of = |n: Result<Option<(GroupId, String)>>| n.unwrap().map(|(g, _)| g);
        (of(store.read_state(undo_next)), of(store.read_state(redo_next)))
    };
    let a = begin(Command::new("a", true));
    let b = begin(Command::new("b", true));
    begin(Command::new("seen", false));
    assert_eq!(next(), (Some(b), None));
    begin(Command { undoes: Some(b), ..Command::new("", true) });
    assert_eq!(next(), (Some(a), Some(b)));
    begin(Command { undoes: Some(a), ..Command::new("", true) });
    assert_eq!(next(), (None, Some(a)));
    let again = begin(Command { redoes: Some(a), ..Command::new("a", true) });
    assert_eq!(next(), (Some(again), Some(b)));
    let c = begin(Command::new("c", true));
    assert_eq!(next(), (Some(c), None));
}

#[test]
fn a_name_that_is_another_ones_by_now_is_given_up_for_the_new_one_by_one_alone() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), quiet()).unwrap();
    let path = MailboxPath::from_typed;
    let ops = store
        .state(move |tx| {
            let group = begin(tx, &Command::new("move", true), 5)?;
            let moved = || NewOperation { mailbox: path("Work"), ..new(OpKind::Move { to: path("Work") }, vec![at(3)]) };
            append(tx, group, vec![moved(), moved()], 5)
        })
        .unwrap();
    let (first, from, to) = (ops[0].id, path("Work"), path("Old work"));
    let aim = |named: Named, from: MailboxPath, to: MailboxPath| {
        store.state(move |tx| aim(tx, first, named, &from, &to)).unwrap();
        store.read_state(|db| pending(db, None)).unwrap()
    };
    let now = aim(Named::There, from.clone(), to.clone());
    assert_eq!((&now[0].mailbox, now[0].destination(), &now[1]), (&from, Some(&to), &ops[1]));
    let now = aim(Named::There, from.clone(), path("Elsewhere"));
    assert_eq!(now[0].destination(), Some(&to), "it is not called so any more");
    let now = aim(Named::Here, from, to.clone());
    assert_eq!((&now[0].mailbox, &now[0].here, &now[1]), (&to, &ops[0].here, &ops[1]));
}
