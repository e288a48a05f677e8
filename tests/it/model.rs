//! model — the model server of the plans against a real Dovecot: the same scripts of commands, by two clients at once, and
//! the same answers. `POSTRIDER_SCRIPTS` sets how many scripts, `POSTRIDER_SEED` where they begin.
//! Start reading at: `the_model_answers_as_dovecot_does`.

#[path = "../../src/engine/plan/model/server.rs"]
mod server;

use crate::extensions::open;
use crate::mailhost::user;
use postrider::engine::exec::server::{Bench, Exchange, carry};
use postrider::engine::plan::step::{Ask, Part, Reply, Step, Tell};
use postrider::mail::flags::{Flag, FlagDelta, Flags, Keyword};
use postrider::mail::mailbox::MailboxPath;
use postrider::mail::server::{EnvelopeSeen, FlagsSeen, Resync, Selected};
use postrider::mail::uid::{ModSeq, Uid, UidSet, UidValidity};
use postrider::net::imap::ImapStore;
use postrider::net::session::MailStore;
use server::{Server, names};
use std::collections::BTreeMap;
use std::path::Path;

/// How many messages differ in their looks.
const LOOKS: u32 = 6;
/// Commands of one script.
const STEPS: usize = 60;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(otherwise)
}

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((self.0 >> 33) % u64::from(sides)).unwrap()
    }
}

/// What a client remembers of a mailbox: both servers' modification sequences, and the UIDs.
#[derive(Clone)]
struct Save {
    model: ModSeq,
    real: ModSeq,
    known: UidSet,
}

struct Client {
    conn: ImapStore,
    selected: Option<MailboxPath>,
    saves: BTreeMap<MailboxPath, Save>,
}

struct Both {
    model: Server,
    clients: [Client; 2],
    dice: Dice,
    spool: tempfile::TempDir,
}

/// An answer, without what may differ: numbers of modification sequences, the order of rows.
#[derive(Clone, PartialEq, Debug, Default)]
struct Said {
    selected: Option<Selected>,
    flags: Vec<(u32, Flags)>,
    uids: UidSet,
    rows: Vec<(u32, Flags, u64, Option<String>)>,
    others: Vec<Part>,
    refused: Option<String>,
}

fn said(replies: Vec<Reply>) -> Said {
    let mut said = Said::default();
    let flags = |rows: Vec<FlagsSeen>| rows.into_iter().map(|r| (r.uid.get(), r.flags));
    let row = |r: EnvelopeSeen| (r.uid.get(), r.flags, r.size, r.envelope.kin().own.map(str::to_owned));
    for reply in replies {
        match reply {
            Reply::Part(Part::Selected(mut s)) => {
                s.changed.iter_mut().for_each(|row| row.modseq = ModSeq(0));
                s.changed.sort_by_key(|row| row.uid);
                (s.permanent_flags, s.new_keywords, s.read_only) = (None, true, false);
                s.mailbox_id.clear();
                s.ahead.iter_mut().for_each(|ahead| said.rows.extend(std::mem::take(ahead).into_iter().map(row)));
                said.selected = Some(s);
            }
            Reply::Part(Part::Flags(rows)) => said.flags.extend(flags(rows)),
            Reply::Part(Part::Uids(uids)) => said.uids = said.uids.union(&uids),
            Reply::Part(Part::Envelopes(rows)) => said.rows.extend(rows.into_iter().map(row)),
            Reply::Part(Part::Identities(rows)) => said.rows.extend(
                rows.into_iter()
                    .map(|r| (r.uid.get(), Flags::new(), r.print.size, r.print.message_id.map(|id| id.as_str().to_owned()))),
            ),
            Reply::Part(other) => said.others.push(other),
            Reply::Refused(refusal) => said.refused = Some(format!("{:?}", refusal.code)),
            Reply::End { .. } => {}
            Reply::LineLost | Reply::GaveWay => said.refused = Some("the line is lost".to_owned()),
        }
    }
    said.flags.sort_by_key(|row| row.0);
    said.rows.sort_by_key(|row| row.0);
    said
}

/// A message that looks like the model's of that look: as long, and with its name.
fn text(look: u32) -> String {
    let head = format!("Message-ID: <m{look}@x>\r\nSubject: ");
    format!("{head}{}\r\n\r\n", "x".repeat(look as usize + 100 - head.len() - 4))
}

impl Both {
    fn new(without: &[&str], seed: u64) -> Self {
        let name = user();
        let clients = [(); 2].map(|()| Client { conn: open(&name, without), selected: None, saves: BTreeMap::new() });
        let mut both = Self {
            model: Server::new(clients[0].conn.caps(), &[vec![], vec![], vec![]]),
            clients,
            dice: Dice(seed),
            spool: tempfile::tempdir().unwrap(),
        };
        for look in 0..LOOKS {
            std::fs::write(both.spool.path().join(format!("look-{look}")), text(look)).unwrap();
        }
        for path in names() {
            let conn = &mut both.clients[0].conn;
            conn.create(&path).unwrap();
            both.model.boxes.get_mut(&path).unwrap().validity = conn.status(&path).unwrap().uidvalidity.0;
        }
        both
    }

    /// Carries a step out on both sides, for one of the clients.
    fn carry(&mut self, who: usize, model: Step, real: Step) -> (Said, Said) {
        let client = &mut self.clients[who];
        // What others did is told to a session only between its commands; the model knows no such delay.
        if client.selected.is_some() {
            client.conn.noop().unwrap();
        }
        self.model.selected.clone_from(&client.selected);
        let expected = self.model.carry(&model);
        client.selected.clone_from(&self.model.selected);
        let exchange = match real {
            Step::Ask(ask) => Exchange::Ask(ask),
            Step::Tell(tell) => Exchange::Tell(tell),
            Step::Record(_) => panic!(),
        };
        let mut heard = Vec::new();
        let spool: &Path = self.spool.path();
        let mut bench = Bench { spool, cached: &mut || None, give_way: &|| false };
        carry(&mut client.conn, &exchange, &mut bench, &mut |reply| {
            heard.push(reply);
            None
        })
        .unwrap();
        let (expected, mut heard) = (said(expected), said(heard));
        // That there is no such mailbox to look into, 2.4 says by a code, 2.3 in words, as the model does.
        if matches!(exchange, Exchange::Ask(_)) && heard.refused.as_deref() == Some("NoMailbox") {
            heard.refused = Some("Other".to_owned());
        }
        (expected, heard)
    }

    fn same(&mut self, who: usize, step: Step, log: &mut Vec<String>) {
        log.push(format!("{who}: {step:?}"));
        let (expected, heard) = self.carry(who, step.clone(), step);
        assert_eq!(expected, heard, "\n{}", log.join("\n"));
    }

    fn path(&mut self) -> MailboxPath {
        // Now and then one that is not there.
        let paths = names();
        paths.get(self.dice.roll(13) as usize % 4).cloned().unwrap_or_else(|| MailboxPath::from_typed("Nowhere"))
    }

    fn some_uids(&mut self, who: usize) -> UidSet {
        let mailbox = self.clients[who].selected.as_ref().and_then(|path| self.model.boxes.get(path));
        let next = mailbox.map_or(1, |mailbox| mailbox.uidnext);
        (0..=self.dice.roll(3)).filter_map(|_| Uid::new(self.dice.roll(next + 1))).collect()
    }

    fn select(&mut self, who: usize, log: &mut Vec<String>) {
        let path = self.path();
        let save = self.clients[who].saves.get(&path).cloned();
        let save = save.filter(|save| self.model.caps.qresync && !save.known.is_empty() && self.dice.roll(3) > 0);
        self.open(who, path, save, log);
    }

    fn open(&mut self, who: usize, path: MailboxPath, save: Option<Save>, log: &mut Vec<String>) {
        let validity = self.model.boxes.get(&path).map_or(UidValidity(0), |mailbox| UidValidity(mailbox.validity));
        let ask = |modseq: fn(&Save) -> ModSeq| {
            let resync = save.as_ref().map(|s| Resync {
                uidvalidity: validity,
                modseq: modseq(s),
                known: s.known.clone(),
                ahead: s.known.bounds().map_or_else(UidSet::new, |(_, high)| UidSet::range(high + 1, high + 300)),
            });
            Step::Ask(Ask::Select { mailbox: path.clone(), read_only: false, resync })
        };
        let (on_model, on_real) = (ask(|s| s.model), ask(|s| s.real));
        log.push(format!("{who}: {on_real:?}"));
        let (mut expected, mut heard) = self.carry(who, on_model, on_real);
        let modseqs = |said: &mut Said| said.selected.as_mut().map(|s| std::mem::take(&mut s.highestmodseq));
        let (model, real) = (modseqs(&mut expected), modseqs(&mut heard));
        assert_eq!(expected, heard, "\n{}", log.join("\n"));
        let (Some(model), Some(real)) = (model, real) else { return };
        let known: UidSet = self.model.boxes[&path].msgs.keys().filter_map(|n| Uid::new(*n)).collect();
        if let Some(old) = self.clients[who].saves.insert(path, Save { model, real, known }).filter(|_| self.model.caps.condstore)
        {
            assert_eq!(model > old.model, real > old.real, "whether anything happened\n{}", log.join("\n"));
        }
    }

    fn append(&mut self, who: usize, mailbox: MailboxPath, look: u32, log: &mut Vec<String>) {
        let flags = if self.dice.roll(2) == 0 { Flags::new() } else { Flag::Seen.into() };
        let (spool, size) = (format!("look-{look}"), text(look).len() as u64);
        self.same(who, Step::Tell(Tell::Append { mailbox, spool, flags, received: 1_000, size }), log);
    }

    fn step(&mut self, log: &mut Vec<String>) {
        let who = self.dice.roll(2) as usize;
        let Some(here) = self.clients[who].selected.clone() else { return self.select(who, log) };
        let uids = self.some_uids(who);
        let to = self.path();
        let step = match self.dice.roll(14) {
            0 | 1 => return self.select(who, log),
            2 => Step::Ask(Ask::FlagsOf { uids: UidSet::range(1, u32::MAX), changed_since: None }),
            3 => {
                let Some(save) = self.clients[who].saves.get(&here).cloned().filter(|_| self.model.caps.condstore) else {
                    return;
                };
                let ask = |since| Step::Ask(Ask::FlagsOf { uids: UidSet::range(1, u32::MAX), changed_since: Some(since) });
                log.push(format!("{who}: flags changed since"));
                let (expected, heard) = self.carry(who, ask(save.model), ask(save.real));
                return assert_eq!(expected, heard, "\n{}", log.join("\n"));
            }
            4 => Step::Ask(Ask::Uids { from: 1 + self.dice.roll(9), to: u32::MAX - self.dice.roll(2) * (u32::MAX - 9) }),
            5 => Step::Ask(Ask::Envelopes { uids: UidSet::range(1 + self.dice.roll(5), u32::MAX) }),
            6 if !uids.is_empty() => Step::Ask(Ask::Identify { uids }),
            7 => Step::Ask(Ask::TargetMark { mailbox: to }),
            8 | 9 => {
                let look = self.dice.roll(LOOKS);
                return self.append(who, to, look, log);
            }
            10 if !uids.is_empty() => Step::Tell(Tell::Copy { uids, to }),
            11 if !uids.is_empty() && self.model.caps.moves => Step::Tell(Tell::Move { uids, to }),
            12 if !uids.is_empty() && self.model.caps.uidplus => Step::Tell(Tell::UidExpunge { uids }),
            _ if !uids.is_empty() => {
                let mut word = Flags::new();
                word.insert_keyword(Keyword::new("$Work").unwrap());
                let delta = match self.dice.roll(6) {
                    0 => FlagDelta::set(Flag::Seen),
                    1 => FlagDelta::clear(Flag::Seen),
                    2 => FlagDelta::new(word, Flags::new()),
                    3 => FlagDelta::new(Flag::Flagged.into(), word),
                    _ => FlagDelta::set(Flag::Deleted),
                };
                Step::Tell(Tell::StoreFlags { uids, delta })
            }
            _ => return,
        };
        self.same(who, step, log);
    }
}

#[test]
fn the_model_answers_as_dovecot_does() {
    let (count, seed) = (number("POSTRIDER_SCRIPTS", 6), number("POSTRIDER_SEED", 1));
    let masks: [&[&str]; 4] = [&[], &["QRESYNC"], &["QRESYNC", "CONDSTORE"], &["MOVE"]];
    let mut steps = 0;
    for n in 0..count {
        let mask = masks[usize::try_from(n).unwrap() % masks.len()];
        let mut both = Both::new(mask, (seed + n).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut log = vec![format!("script {}, without {mask:?}", seed + n)];
        for look in 0..LOOKS {
            let mailbox = names()[look as usize % 2].clone();
            both.append(0, mailbox, look, &mut log);
        }
        for _ in 0..STEPS {
            both.step(&mut log);
        }
        // At last both hold the same.
        for path in names() {
            both.open(0, path, None, &mut log);
            both.same(0, Step::Ask(Ask::Envelopes { uids: UidSet::range(1, u32::MAX) }), &mut log);
        }
        steps += log.len() - 1;
    }
    println!("{count} scripts, {steps} commands, the same answers");
}
