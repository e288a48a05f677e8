//! world — a person, a client and a server: what was wanted, what is there, and whether the two agree.
//! Owns: `World`, `Do`. Tests only.
//! Start reading at: `World::check_exact` and `World::check_safe`.

use super::client::{Client, Dice, End, flag, pass};
use super::{Msg, Server, names};
use crate::engine::plan::base::Outcome;
use crate::mail::flags::{Flag, FlagDelta, Flags, Keyword};
use crate::mail::intent::{OpKind, OpState, Operation, Target};
use crate::mail::mailbox::MailboxPath;
use crate::mail::server::Caps;
use crate::mail::uid::UidValidity;
use std::collections::{BTreeMap, BTreeSet};

/// What the person or fate does.
#[derive(Clone, Debug)]
pub enum Do {
    Flag(usize, u8),
    Move(usize, usize),
    Copy(usize, usize),
    Expunge(usize),
    /// One pass over one mailbox.
    Pass(usize, End),
}

/// A message as the person thinks of it.
#[derive(Clone, Debug)]
struct Thing {
    token: u32,
    mailbox: MailboxPath,
    flags: Flags,
    gone: bool,
    target: Option<Target>,
    /// Where it ever was.
    been: BTreeSet<MailboxPath>,
}

pub struct World {
    pub(super) client: Client,
    pub(super) server: Server,
    things: Vec<Thing>,
    pub(super) dice: Dice,
    looks: BTreeMap<u32, u32>,
    /// By look, how many were expunged on purpose, by whomever.
    pub(super) doomed: BTreeMap<u32, usize>,
    /// By look, how many there were at first.
    least: BTreeMap<u32, usize>,
    /// By look, how many may be there at most.
    pub(super) allowed: BTreeMap<u32, usize>,
}

pub fn delta(n: u8) -> FlagDelta {
    let mut keyword = Flags::new();
    keyword.insert_keyword(Keyword::new("$Work").unwrap());
    match n % 5 {
        0 => FlagDelta::set(Flag::Seen),
        1 => FlagDelta::clear(Flag::Seen),
        2 => FlagDelta::set(Flag::Flagged),
        3 => FlagDelta::new(keyword, Flags::new()),
        _ => FlagDelta::new(Flags::new(), keyword),
    }
}

/// Whether what an operation is about is hidden by it.
fn leaves(op: &Operation) -> bool {
    matches!(op.kind, OpKind::Move { .. } | OpKind::Expunge)
        && !matches!(op.state, OpState::Moot | OpState::Parked | OpState::Withdrawn)
}

impl World {
    pub fn new(caps: Caps, looks: &[Vec<u32>], seed: u64) -> Self {
        let server = Server::new(caps, looks);
        let mut things = Vec::new();
        for (path, mailbox) in &server.boxes {
            for msg in mailbox.msgs.values() {
                let (mailbox, flags) = (path.clone(), Flags::new());
                let been = BTreeSet::from([path.clone()]);
                things.push(Thing { token: msg.token, mailbox, flags, gone: false, target: None, been });
            }
        }
        things.sort_by_key(|t| t.token);
        let looks = server.boxes.values().flat_map(|b| b.msgs.values()).map(|m| (m.token, m.look)).collect();
        let mut allowed = BTreeMap::new();
        server.boxes.values().flat_map(|b| b.msgs.values()).for_each(|m| *allowed.entry(m.look).or_insert(0) += 1);
        Self {
            client: Client::default(),
            server,
            things,
            dice: Dice(seed),
            looks,
            doomed: BTreeMap::new(),
            least: allowed.clone(),
            allowed,
        }
    }

    /// One message in each mailbox at least has its own look: nothing is in doubt.
    pub fn alone(caps: Caps, sizes: [usize; 3], seed: u64) -> Self {
        let mut look = 0;
        let looks = sizes.map(|n| {
            (0..n)
                .map(|_| {
                    look += 1;
                    look
                })
                .collect()
        });
        Self::new(caps, &looks, seed)
    }

    /// Which rows of the cache the person's things are now.
    fn look(&mut self) {
        let claimed: Vec<(MailboxPath, u32)> = self
            .things
            .iter()
            .filter(|t| !t.gone)
            .filter_map(|t| Some((t.mailbox.clone(), t.target.as_ref()?.uid()?.get())))
            .chain(
                self.client
                    .journal
                    .iter()
                    .filter(|o| leaves(o))
                    .flat_map(|o| o.targets.iter().filter_map(|t| Some((o.mailbox.clone(), t.uid()?.get())))),
            )
            .collect();
        for n in 0..self.things.len() {
            let thing = &self.things[n];
            let view = self.client.boxes.get(&thing.mailbox).cloned().unwrap_or_default();
            let by_print = |look: u32| {
                let print = Msg { token: 0, look, flags: Flags::new(), modseq: 0 }.print();
                let free = |uid: &u32| !claimed.contains(&(thing.mailbox.clone(), *uid));
                let shown = view.rows.iter().filter(|(uid, _)| !view.doubted.contains(uid));
                let mut rows = shown.filter(|(uid, row)| row.0 == print && free(uid));
                let only = rows.next().filter(|_| rows.next().is_none());
                only.map(|(uid, row)| Target::Server { uidvalidity: view.base.uidvalidity, uid: *uid, print: row.0.clone() })
            };
            let target = match &thing.target {
                Some(Target::Server { uidvalidity, .. }) if *uidvalidity == view.base.uidvalidity => continue,
                Some(Target::ResultOf { op, index }) => {
                    let maker = self.client.op(*op);
                    let print = match &maker.targets[*index as usize] {
                        Target::Server { print, .. } => Some(print.clone()),
                        Target::ResultOf { .. } => None,
                    };
                    match (maker.state, maker.results.get(*index as usize).copied().flatten(), print) {
                        (OpState::Moot | OpState::Parked | OpState::Withdrawn, ..) => None,
                        (OpState::Settled, Some((uidvalidity, uid)), Some(print)) => {
                            Some(Target::Server { uidvalidity, uid, print })
                        }
                        (OpState::Settled, None, _) => by_print(self.looks(thing.token)),
                        _ => continue,
                    }
                }
                _ => by_print(self.looks(thing.token)),
            };
            self.things[n].target = target;
        }
    }

    fn looks(&self, token: u32) -> u32 {
        self.looks.get(&token).copied().unwrap_or(token.wrapping_sub(1_000))
    }

    /// The look of the message that an operation on `target` in `mailbox` is about.
    fn real(&self, mailbox: &MailboxPath, target: &Target) -> u32 {
        match target {
            Target::Server { uidvalidity, uid, .. } => self.server.boxes[mailbox].born[&(uidvalidity.0, *uid)],
            Target::ResultOf { op, index } => {
                let maker = self.client.op(*op);
                self.real(&maker.mailbox, &maker.targets[*index as usize])
            }
        }
    }

    /// Whether it is there, or another one of the same look was: such two cannot be told apart without UIDPLUS, and are
    /// parked.
    fn twin(&self, i: usize, to: &MailboxPath) -> bool {
        let others = self.things.iter().enumerate().filter(|(n, t)| *n != i && t.token == self.things[i].token);
        self.things[i].mailbox == *to || others.into_iter().any(|(_, t)| t.been.contains(to))
    }

    fn pick(&mut self, n: usize) -> Option<usize> {
        self.look();
        let can: Vec<usize> =
            (0..self.things.len()).filter(|i| !self.things[*i].gone && self.things[*i].target.is_some()).collect();
        (!can.is_empty()).then(|| can[n % can.len()])
    }

    pub fn act(&mut self, what: &Do, meddle: &mut dyn FnMut(&mut Server, &mut Dice)) {
        match what {
            Do::Pass(n, end) => {
                pass(&mut self.client, &mut self.server, &names()[n % 3], *end, &mut self.dice, meddle);
            }
            Do::Flag(n, which) => {
                let Some(i) = self.pick(*n) else { return };
                let thing = &mut self.things[i];
                thing.flags = delta(*which).apply(&thing.flags);
                self.client.intend(&thing.mailbox.clone(), flag(delta(*which)), vec![thing.target.clone().unwrap()]);
            }
            Do::Move(n, to) => {
                let Some(i) = self.pick(*n) else { return };
                let to = names()[to % 3].clone();
                if self.twin(i, &to) {
                    return;
                }
                let thing = &mut self.things[i];
                let kind = OpKind::Move { to: to.clone() };
                let op = self.client.intend(&thing.mailbox.clone(), kind, vec![thing.target.clone().unwrap()]);
                thing.been.insert(to.clone());
                thing.mailbox = to;
                thing.target = Some(Target::ResultOf { op, index: 0 });
            }
            Do::Copy(n, to) => {
                let Some(i) = self.pick(*n) else { return };
                let (to, mut thing) = (names()[to % 3].clone(), self.things[i].clone());
                if self.twin(i, &to) {
                    return;
                }
                let kind = OpKind::Copy { to: to.clone() };
                let op = self.client.intend(&thing.mailbox.clone(), kind, vec![thing.target.clone().unwrap()]);
                let real = self.real(&thing.mailbox, thing.target.as_ref().unwrap());
                *self.allowed.entry(real).or_insert(0) += 1;
                thing.been = BTreeSet::from([to.clone()]);
                thing.mailbox = to;
                thing.target = Some(Target::ResultOf { op, index: 0 });
                self.things.push(thing);
            }
            Do::Expunge(n) => {
                let Some(i) = self.pick(*n) else { return };
                let real = self.real(&self.things[i].mailbox, self.things[i].target.as_ref().unwrap());
                let thing = &mut self.things[i];
                self.client.intend(&thing.mailbox.clone(), OpKind::Expunge, vec![thing.target.clone().unwrap()]);
                thing.gone = true;
                *self.doomed.entry(real).or_insert(0) += 1;
            }
        }
    }

    /// Passes without trouble until nothing is left to do.
    pub fn settle(&mut self) {
        for _ in 0..8 {
            self.client.now += 4_000;
            for name in &names() {
                for _ in 0..3 {
                    let went = pass(&mut self.client, &mut self.server, name, End::Never, &mut self.dice, &mut |_, _| ());
                    if went.outcome != Some(Outcome::Again) {
                        break;
                    }
                }
            }
        }
    }

    /// Cache and server agree, and one more look tells nobody anything.
    fn check_rest(&mut self) {
        for (path, mailbox) in &self.server.boxes {
            let there: BTreeMap<u32, Flags> = mailbox.msgs.iter().map(|(n, m)| (*n, m.flags.clone())).collect();
            let view = &self.client.boxes[path];
            assert!(view.doubted.is_empty(), "{path:?}: in doubt for ever");
            let here: BTreeMap<u32, Flags> = view.rows.iter().map(|(n, r)| (*n, r.1.clone())).collect();
            assert_eq!(
                (here, view.base.uidvalidity),
                (there, UidValidity(mailbox.validity)),
                "{path:?} {:#?}",
                self.client.journal
            );
        }
        assert!(!self.client.journal.iter().any(|o| o.state.pending() && !self.waits(o)), "pending\n{}", self.brief());
        let before = self.client.boxes.clone();
        for name in &names() {
            self.server.log.clear();
            pass(&mut self.client, &mut self.server, name, End::Never, &mut self.dice, &mut |_, _| ());
            let log = &self.server.log;
            if self.server.caps.condstore {
                assert_eq!(log[..], ["select"], "a mailbox at rest costs one question");
            } else {
                assert!(log.iter().all(|w| ["select", "uids", "flags"].contains(w)), "{log:?}");
            }
        }
        assert_eq!(before, self.client.boxes);
    }

    /// Whether nothing can be done about an operation: it wants UIDPLUS, or is about what a parked one would have made.
    fn waits(&self, op: &Operation) -> bool {
        let maker = |t: &Target| match t {
            Target::ResultOf { op, .. } => Some(self.client.op(*op)),
            Target::Server { .. } => None,
        };
        let stuck = |o: &Operation| o.state == OpState::Parked || (o.state.pending() && self.waits(o));
        (op.state == OpState::Hidden && !self.server.caps.uidplus) || op.targets.iter().filter_map(maker).any(stuck)
    }

    /// The journal, a line each.
    fn brief(&self) -> String {
        let target = |t: &Target| match t {
            Target::Server { uidvalidity, uid, .. } => format!("{}/{uid}", uidvalidity.0),
            Target::ResultOf { op, index } => format!("result {index} of {op}"),
        };
        let line = |o: &Operation| {
            let targets: Vec<String> = o.targets.iter().map(target).collect();
            format!("{} {} {:?} {targets:?} {} {:?} {:?}", o.id, o.mailbox.as_str(), o.kind, o.state.word(), o.mark, o.results)
        };
        self.client.journal.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// What the person sees on the server: (mailbox, token, flags), sorted.
    fn visible(&self) -> Vec<(MailboxPath, u32, String)> {
        let mut all: Vec<_> = self
            .server
            .boxes
            .iter()
            .flat_map(|(path, mailbox)| mailbox.msgs.values().map(move |m| (path.clone(), m.token, m.flags.clone())))
            .filter(|(_, _, flags)| self.server.caps.uidplus || !flags.has(Flag::Deleted))
            .map(|(path, token, flags)| (path, token, flags.wire()))
            .collect();
        all.sort();
        all
    }

    /// The server has exactly what the person did, each thing once.
    pub fn check_exact(&mut self) {
        self.check_rest();
        let parked: Vec<_> = self.client.journal.iter().filter(|o| o.state == OpState::Parked).collect();
        assert!(parked.is_empty(), "parked\n{}", self.brief());
        let wanted = self.things.iter().filter(|t| !t.gone).map(|t| (t.mailbox.clone(), t.token, t.flags.wire()));
        let mut wanted: Vec<_> = wanted.collect();
        wanted.sort();
        assert_eq!(self.visible(), wanted, "\n{}", self.brief());
    }

    /// Whatever others did meanwhile: nothing is lost, and nothing is there more often than somebody wanted.
    pub fn check_safe(&mut self) {
        self.check_rest();
        let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
        for (_, token, _) in self.visible() {
            *counts.entry(self.looks(token)).or_default() += 1;
        }
        let parked = self.client.journal.iter().filter(|o| o.state == OpState::Parked).count();
        for (look, most) in &self.allowed {
            let count = counts.get(look).copied().unwrap_or(0);
            // Without MOVE a lost copy is looked for by its look: another client's twin that comes in just then may be
            // taken for it. Then the mail is there once instead of twice, but there.
            let least = self.least.get(look).map_or(0, |n| if self.server.caps.moves { *n } else { 1 });
            let doomed = self.doomed.get(look).copied().unwrap_or(0);
            assert!(count + doomed >= least, "of look {look} there are {count}, not {least}\n{}", self.brief());
            // What is parked in doubt may have been copied: it is shown, and not done again.
            assert!(count <= most + parked, "of look {look} there are {count}, not {most}\n{}", self.brief());
        }
    }
}
