//! Tests of what was asked for and refused: tried again after longer and longer pauses, given up in the end, stopped at once.

use super::super::api::{Fault, JobState, Kind, Piece, Query, Request, Rows};
use super::super::asked;
use super::tests::{World, account};
use crate::store::asked::{Asked, list};

fn rows(world: &World) -> Vec<Asked> {
    world.engine.shared().store.read_state(|db| list(db, Some(&account()))).unwrap()
}

#[test]
fn what_is_refused_is_tried_again_later_and_given_up_in_the_end() {
    let world = World::new();
    let (shared, id) = (world.engine.shared(), world.ids(world.inbox)[0]);
    let message = world.rows(world.inbox)[0].message;
    let whole = Piece::Whole;
    asked::write(shared, id, &Piece::Text, None).unwrap();
    assert_eq!(rows(&world), [], "texts are asked for when their message is opened");
    asked::write(shared, id, &whole, None).unwrap();
    asked::write(shared, id, &whole, None).unwrap();
    let refused = Err(Fault::new(Kind::Refused, "not now"));
    let (mut pauses, now) = (Vec::new(), shared.now());
    while let [one] = rows(&world).as_slice() {
        pauses.push(one.due.max(now) - now);
        let left = asked::over(shared, message, &whole, &refused);
        assert!(left.files.is_empty() && left.waits == [account()].into(), "whoever sleeps hears of it");
    }
    assert_eq!(pauses, [0, 60, 120, 240, 480, 960, 1_920]);
    // It is not where it was: at once it is looked for again, and only then later.
    asked::write(shared, id, &whole, None).unwrap();
    let gone = Err(Fault::missing("the server does not have this message any more"));
    let due = || {
        asked::over(shared, message, &whole, &gone);
        rows(&world)[0].due - now
    };
    assert!((0..10).contains(&due()) && (120..130).contains(&due()));
    // Stopped, by the row that shows it.
    asked::write(shared, id, &whole, None).unwrap();
    let Ok(Rows::Jobs(jobs)) = world.engine.ask(&Query::Jobs) else { panic!() };
    assert_eq!((jobs.len(), jobs[0].state), (1, JobState::Waiting));
    world.engine.perform(Request::StopJob(jobs[0].id)).unwrap();
    assert_eq!(rows(&world), []);
    assert_eq!(world.engine.perform(Request::StopJob(jobs[0].id)).unwrap_err().kind, Kind::Missing);
    // It came.
    asked::write(shared, id, &whole, Some(("/nowhere".into(), "x".into()))).unwrap();
    assert_eq!(asked::over(shared, message, &whole, &Ok(())).files, [("/nowhere".into(), "x".into())]);
    asked::done(shared, message, &whole).unwrap();
    assert_eq!(rows(&world), []);
}
