//! thin — lines that drop after a few rows each time: whatever is to be told, it is told in the end.
//! Tests only.
//! Start reading at: `thin_lines_bring_everything`.

use super::client::{Client, Dice, End, pass};
use super::laws::{MASKS, masked};
use super::{Msg, Server, names};
use crate::engine::plan::base::Outcome;
use crate::mail::fixtures::operation;
use crate::mail::flags::{Flag, FlagDelta, Flags};
use crate::mail::intent::{OpKind, OpState, Target};
use crate::mail::uid::UidValidity;

struct Pair {
    client: Client,
    server: Server,
    dice: Dice,
}

impl Pair {
    fn new(mask: u8, messages: u32) -> Self {
        let looks = [(1..=messages).collect(), Vec::new(), Vec::new()];
        let mut pair = Self { client: Client::default(), server: Server::new(masked(mask), &looks), dice: Dice(7) };
        assert_eq!(pair.pass(End::Never), Some(Outcome::Synced));
        pair
    }

    fn pass(&mut self, end: End) -> Option<Outcome> {
        pass(&mut self.client, &mut self.server, &names()[0], end, &mut self.dice, &mut |_, _| ()).outcome
    }

    /// Passes of `rows` rows each until one comes to its end; how many.
    fn crumbs(&mut self, what: &str, rows: u64, most: u32) -> u32 {
        for n in 1..=most {
            match self.pass(End::Thin { rows }) {
                Some(Outcome::Synced) => return n,
                Some(Outcome::LineLost) => {}
                other => panic!("{what}: {other:?}"),
            }
        }
        panic!("{what}: {most} passes of {rows} rows, and no end: {:?}", self.client.boxes[&names()[0]].partly)
    }

    /// Whether both sides have the same, with nothing in doubt.
    fn check(&self, what: &str) {
        let view = &self.client.boxes[&names()[0]];
        let there = &self.server.boxes[&names()[0]];
        let mine: Vec<(u32, u64, &Flags)> = view.rows.iter().map(|(uid, (print, flags))| (*uid, print.size, flags)).collect();
        let theirs: Vec<(u32, u64, &Flags)> = there.msgs.iter().map(|(uid, m)| (*uid, m.print().size, &m.flags)).collect();
        assert_eq!(mine, theirs, "{what}");
        assert!(view.doubted.is_empty() && view.base.uidvalidity == UidValidity(there.validity), "{what}");
    }
}

#[test]
fn thin_lines_bring_everything() {
    for mask in 0..MASKS {
        let mut pair = Pair::new(mask, 120);
        let inbox = names()[0].clone();
        // Every third goes, some change, some come.
        let mailbox = pair.server.boxes.get_mut(&inbox).unwrap();
        for uid in (1..=120).step_by(3) {
            mailbox.remove(uid);
        }
        for uid in (2..=120).step_by(6) {
            mailbox.flag(uid, |flags| FlagDelta::set(Flag::Flagged).apply(flags));
        }
        for look in 200..240 {
            mailbox.add(Msg { token: look, look, flags: Flags::new(), modseq: 0 });
        }
        let what = format!("mask {mask}");
        let passes = pair.crumbs(&what, 12, 80);
        assert!(passes > 3, "{what}: the line was not thin");
        // Whatever moved while it went on.
        assert_eq!(pair.pass(End::Never), Some(Outcome::Synced));
        pair.check(&what);
    }
}

#[test]
fn a_mailbox_that_is_numbered_anew_is_found_again_over_thin_lines() {
    for mask in 0..MASKS {
        let mut pair = Pair::new(mask, 90);
        let inbox = names()[0].clone();
        let (uid, print) = pair.client.boxes[&inbox].rows.iter().nth(40).map(|(uid, row)| (*uid, row.0.clone())).unwrap();
        let uidvalidity = pair.client.boxes[&inbox].base.uidvalidity;
        let target = Target::Server { uidvalidity, uid, print };
        pair.client.journal.push(operation(1, &inbox, OpKind::Flag { delta: FlagDelta::set(Flag::Answered) }, vec![target]));
        let mailbox = pair.server.boxes.get_mut(&inbox).unwrap();
        mailbox.remove(5);
        mailbox.renumber();
        let what = format!("mask {mask}");
        let passes = pair.crumbs(&what, 10, 80);
        assert!(passes > 6, "{what}: the line was not thin");
        assert_eq!(pair.client.journal[0].state, OpState::Settled, "{what}: {:?}", pair.client.journal[0]);
        assert_eq!(pair.pass(End::Never), Some(Outcome::Synced));
        pair.check(&what);
        let answered = |n: &u32| pair.server.boxes[&inbox].msgs[n].flags.has(Flag::Answered);
        assert_eq!(pair.server.boxes[&inbox].msgs.keys().filter(|n| answered(n)).count(), 1, "{what}");
    }
}
