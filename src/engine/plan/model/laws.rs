//! laws — what holds for every plan, whatever happens on the way: it comes to an end, it rests, it loses nothing, it does
//! nothing twice. Owns: the properties, the other client. Tests only.
//! Start reading at: the two properties. `POSTRIDER_CASES` sets how many cases each of them gets.

use super::client::{Dice, End, pass};
use super::world::{Do, World, delta};
use super::{Mailbox, Msg, Server, names};
use crate::mail::flags::{Flag, Flags};
use crate::mail::intent::OpState;
use crate::mail::server::Caps;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn cases() -> u32 {
    std::env::var("POSTRIDER_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(400)
}

fn caps() -> impl Strategy<Value = Caps> {
    (0..MASKS).prop_map(masked)
}

/// How many combinations of extensions there are that matter to a plan.
pub(super) const MASKS: u8 = 12;

pub(super) fn masked(n: u8) -> Caps {
    Caps { moves: n & 1 > 0, uidplus: n & 2 > 0, condstore: n >= 4, qresync: n >= 8, ..Caps::default() }
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        2 => Just(End::Never),
        1 => (1..14u32, any::<bool>()).prop_map(|(at, after)| End::Killed { at, after }),
        1 => (1..10u32, any::<bool>()).prop_map(|(at, after)| End::LineLost { at, after }),
        1 => (1..10u32).prop_map(|at| End::GaveWay { at }),
    ]
}

fn deed() -> impl Strategy<Value = Do> {
    prop_oneof![
        2 => (0..20usize, any::<u8>()).prop_map(|(n, d)| Do::Flag(n, d)),
        3 => (0..20usize, 0..3usize).prop_map(|(n, to)| Do::Move(n, to)),
        1 => (0..20usize, 0..3usize).prop_map(|(n, to)| Do::Copy(n, to)),
        1 => (0..20usize).prop_map(Do::Expunge),
        5 => (0..3usize, end()).prop_map(|(n, end)| Do::Pass(n, end)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn alone_the_server_gets_exactly_what_the_person_did(
        caps in caps(), sizes in [0..5usize, 0..3, 0..3], deeds in prop::collection::vec(deed(), 0..24), seed in any::<u64>()
    ) {
        let mut world = World::alone(caps, sizes, seed);
        for name in 0..3 {
            world.act(&Do::Pass(name, End::Never), &mut |_, _| ());
        }
        for what in &deeds {
            world.act(what, &mut |_, _| ());
        }
        world.settle();
        world.check_exact();
    }

    #[test]
    fn among_others_nothing_is_lost_or_doubled(
        caps in caps(), looks in [prop::collection::vec(0..6u32, 0..6), prop::collection::vec(0..6u32, 0..4), prop::collection::vec(0..6u32, 0..4)],
        deeds in prop::collection::vec(deed(), 0..24), rate in 2..30usize, seed in any::<u64>()
    ) {
        let mut world = World::new(caps, &looks, seed);
        for name in 0..3 {
            world.act(&Do::Pass(name, End::Never), &mut |_, _| ());
        }
        let mut others = Others { rate, ..Others::default() };
        for what in &deeds {
            world.act(what, &mut |server, dice| others.meddle(server, dice));
        }
        for (mine, theirs) in [(&mut world.doomed, others.doomed), (&mut world.allowed, others.copied)] {
            for (look, more) in theirs {
                *mine.entry(look).or_insert(0) += more;
            }
        }
        world.settle();
        world.check_safe();
    }
}

/// The other client, and the server's own moods.
#[derive(Default)]
struct Others {
    rate: usize,
    doomed: BTreeMap<u32, usize>,
    copied: BTreeMap<u32, usize>,
    next: u32,
}

impl Others {
    fn meddle(&mut self, server: &mut Server, dice: &mut Dice) {
        if dice.roll(self.rate) > 0 {
            return;
        }
        let path = names()[dice.roll(3)].clone();
        let to = names()[dice.roll(3)].clone();
        let deed = dice.roll(6);
        let open = server.selected.as_ref() == Some(&path);
        let mailbox: &mut Mailbox = server.boxes.get_mut(&path).unwrap();
        let uids: Vec<u32> = mailbox.msgs.keys().copied().collect();
        let uid = uids.get(dice.roll(uids.len().max(1))).copied();
        match (deed, uid) {
            (0, _) => {
                self.next += 1;
                let look = self.next % 7;
                *self.copied.entry(look).or_default() += 1;
                mailbox.add(Msg { token: 1_000 + look, look, flags: Flags::new(), modseq: 0 });
            }
            (1, Some(uid)) => mailbox.flag(uid, |f| delta(2).apply(f)),
            (2, Some(uid)) => {
                let gone = mailbox.remove(uid).unwrap();
                *self.doomed.entry(gone.look).or_default() += 1;
            }
            (3, Some(uid)) if path != to => {
                let msg = mailbox.remove(uid).unwrap();
                // Away from where we look for a lost copy of ours, or between our copy and our expunge: then there are two,
                // and nobody could have known.
                *self.copied.entry(msg.look).or_default() += 1;
                server.boxes.get_mut(&to).unwrap().add(msg);
            }
            (4, Some(uid)) => {
                let msg = mailbox.msgs[&uid].clone();
                *self.copied.entry(msg.look).or_default() += 1;
                server.boxes.get_mut(&to).unwrap().add(msg);
            }
            // Never under a session that has it open (RFC 9051, 2.3.1.1).
            (5, _) if !open && dice.roll(3) == 0 => mailbox.renumber(),
            _ => {}
        }
    }
}

/// Moved while the line dropped, then starred; meanwhile somebody else took it from there. Nothing is in doubt: it is gone.
#[test]
fn what_others_took_is_moot_and_nothing_waits_for_the_person() {
    let mut lost = 0;
    for (caps, at) in (0..MASKS).flat_map(|n| (1..14).map(move |at| (masked(n), at))) {
        let mut world = World::alone(caps, [2, 0, 0], 7);
        let quiet = |world: &mut World, deeds: &[Do]| deeds.iter().for_each(|d| world.act(d, &mut |_, _| ()));
        quiet(&mut world, &[0, 1, 2].map(|n| Do::Pass(n, End::Never)));
        quiet(&mut world, &[Do::Move(0, 1), Do::Flag(0, 2), Do::Pass(0, End::LineLost { at, after: true })]);
        quiet(&mut world, &[Do::Pass(0, End::Never)]);
        let there = &mut world.server.boxes.get_mut(&names()[1]).unwrap();
        let taken: Vec<u32> = there.msgs.keys().copied().collect();
        taken.iter().for_each(|uid| drop(there.remove(*uid)));
        world.settle();
        let [moved, starred] = &world.client.journal[..] else { panic!("{:?}", world.client.journal) };
        assert!(matches!(moved.state, OpState::Settled | OpState::Hidden), "{caps:?} {at} {moved:?}");
        assert!(matches!(starred.state, OpState::Settled | OpState::Moot), "{caps:?} {at} {starred:?}");
        lost += u32::from(starred.state == OpState::Moot);
    }
    assert!(lost > 10, "{lost}");
}

/// What a server loses along with most of a mailbox is hidden, comes back with the flags that it has then, and is believed to be
/// gone at the second look.
#[test]
fn most_of_a_mailbox_is_missed_twice_before_it_goes() {
    for caps in (0..MASKS).map(masked) {
        let mut world = World::alone(caps, [6, 0, 0], 7);
        let look = |world: &mut World| {
            world.act(&Do::Pass(0, End::Never), &mut |_, _| ());
            let view = &world.client.boxes[&names()[0]];
            (view.rows.len(), view.doubted.len(), view.rows[&1].1.has(Flag::Seen))
        };
        assert_eq!(look(&mut world), (6, 0, false));
        for (seen, back) in [(true, true), (false, false)] {
            let inbox = world.server.boxes.get_mut(&names()[0]).unwrap();
            let lost: Vec<_> = (1..=5).filter_map(|uid| Some((uid, inbox.remove(uid)?))).collect();
            assert_eq!(look(&mut world), (6, 5, !seen));
            if !back {
                break;
            }
            let inbox = world.server.boxes.get_mut(&names()[0]).unwrap();
            inbox.gone.clear();
            inbox.msgs.extend(lost);
            // With an old number of change: only who asks for it learns of it.
            inbox.msgs.get_mut(&1).unwrap().flags = Flags::from_words(["\\Seen"]);
            assert_eq!(look(&mut world), (6, 0, true), "{caps:?}");
        }
        world.act(&Do::Pass(0, End::Never), &mut |_, _| ());
        assert_eq!(world.client.boxes[&names()[0]].rows.len(), 1, "{caps:?}");
    }
}

/// Every place at which the program can be killed, one after the other, in a day with every kind of command.
#[test]
fn killed_after_every_single_step_the_end_is_the_same() {
    let (mut days, mut steps) = (0, 0);
    for caps in (0..MASKS).map(masked) {
        for after in [false, true] {
            for lost in [false, true] {
                for at in 1u32.. {
                    let mut world = World::alone(caps, [4, 2, 1], 7);
                    let mut seen = 0;
                    let mut went = |world: &mut World| {
                        for name in &names() {
                            let end = match (at.checked_sub(seen), lost) {
                                (None | Some(0), _) => End::Never,
                                (Some(at), true) => End::LineLost { at, after },
                                (Some(at), false) => End::Killed { at, after },
                            };
                            seen += pass(&mut world.client, &mut world.server, name, end, &mut world.dice, &mut |_, _| ()).events;
                        }
                    };
                    went(&mut world);
                    for what in [
                        Do::Flag(0, 0),
                        Do::Move(0, 1),
                        Do::Flag(0, 2),
                        Do::Copy(1, 2),
                        Do::Move(2, 1),
                        Do::Move(2, 2),
                        Do::Expunge(3),
                    ] {
                        world.act(&what, &mut |_, _| ());
                    }
                    went(&mut world);
                    went(&mut world);
                    world.settle();
                    world.check_exact();
                    days += 1;
                    if at > seen {
                        steps += at - 1;
                        break;
                    }
                }
            }
        }
    }
    println!("{days} days, {steps} steps at which the program was killed or the line dropped");
}
