//! server — the mail server of the model: what it holds, what it answers. Owns: `Server`, `Mailbox`, `Msg`. Tests only.
//! Start reading at: `Server::carry`. It names our own crate from outside, because `tests/it/model.rs` runs the same scripts
//! on this and on a real Dovecot, so that the properties mean something.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]
#![allow(dead_code, unreachable_pub, reason = "each of the two uses a part")]

use postrider::engine::plan::step::{Ask, Code, Part, Refusal, Reply, Step, Tell};
use postrider::mail::envelope::{Envelope, MessageId};
use postrider::mail::flags::{Flag, Flags};
use postrider::mail::intent::Mark;
use postrider::mail::mailbox::MailboxPath;
use postrider::mail::server::{
    Caps, CopiedUids, EnvelopeSeen, Fingerprint, FlagsSeen, IdentitySeen, ListedMailbox, Selected, Space,
};
use postrider::mail::uid::{ModSeq, Uid, UidSet, UidValidity};
use std::collections::BTreeMap;

/// A message: `token` is which one it really is, `look` what can be seen of that.
#[derive(Clone, PartialEq, Debug)]
pub struct Msg {
    pub token: u32,
    pub look: u32,
    pub flags: Flags,
    pub modseq: u64,
}

impl Msg {
    pub fn print(&self) -> Fingerprint {
        let message_id = MessageId::new(&format!("m{}@x", self.look));
        Fingerprint { message_id, size: u64::from(self.look) + 100, received: 1_000, object_id: String::new() }
    }
}

#[derive(Clone, PartialEq, Default, Debug)]
pub struct Mailbox {
    pub validity: u32,
    pub uidnext: u32,
    pub modseq: u64,
    pub msgs: BTreeMap<u32, Msg>,
    /// Which message ever had which number: (UIDVALIDITY, UID) to look.
    pub born: BTreeMap<(u32, u32), u32>,
    /// What went when: modification sequence to UID.
    pub gone: BTreeMap<u64, u32>,
}

impl Mailbox {
    pub fn add(&mut self, mut msg: Msg) -> u32 {
        self.modseq += 1;
        msg.modseq = self.modseq;
        let uid = self.uidnext;
        self.uidnext += 1;
        self.born.insert((self.validity, uid), msg.look);
        self.msgs.insert(uid, msg);
        uid
    }

    pub fn flag(&mut self, uid: u32, change: impl Fn(&Flags) -> Flags) {
        // What changes nothing has no number of its own.
        if let Some(msg) = self.msgs.get_mut(&uid).filter(|msg| change(&msg.flags) != msg.flags) {
            self.modseq += 1;
            msg.flags = change(&msg.flags);
            msg.modseq = self.modseq;
        }
    }

    pub fn remove(&mut self, uid: u32) -> Option<Msg> {
        let gone = self.msgs.remove(&uid)?;
        self.modseq += 1;
        self.gone.insert(self.modseq, uid);
        Some(gone)
    }

    /// All numbers change.
    pub fn renumber(&mut self) {
        self.validity += 1;
        self.gone.clear();
        let msgs = std::mem::take(&mut self.msgs);
        self.uidnext = 1 + self.validity * 3;
        for (_, msg) in msgs {
            self.add(msg);
        }
    }
}

#[derive(Clone, Debug)]
pub struct Server {
    pub caps: Caps,
    pub boxes: BTreeMap<MailboxPath, Mailbox>,
    pub selected: Option<MailboxPath>,
    /// Commands and questions so far, by name.
    pub log: Vec<&'static str>,
}

pub fn names() -> [MailboxPath; 3] {
    ["INBOX", "A", "B"].map(MailboxPath::from_typed)
}

impl Server {
    /// Messages by mailbox, with their looks; tokens are given in order.
    pub fn new(caps: Caps, looks: &[Vec<u32>]) -> Self {
        let mut boxes = BTreeMap::new();
        let mut token = 0;
        for (path, looks) in names().into_iter().zip(looks) {
            let mut mailbox = Mailbox { validity: 1, uidnext: 1, modseq: 1, ..Mailbox::default() };
            for look in looks {
                token += 1;
                mailbox.add(Msg { token, look: *look, flags: Flags::new(), modseq: 0 });
            }
            boxes.insert(path, mailbox);
        }
        Self { caps, boxes, selected: None, log: Vec::new() }
    }

    fn here(&mut self) -> &mut Mailbox {
        let selected = self.selected.clone().expect("a mailbox is selected");
        self.boxes.get_mut(&selected).expect("it is there")
    }

    /// Carries a step out: all replies, the last of which ends it.
    pub fn carry(&mut self, step: &Step) -> Vec<Reply> {
        let done = match step {
            Step::Ask(ask) => self.answer(ask),
            Step::Tell(tell) => self.act(tell),
            Step::Record(_) => panic!("the server keeps no records of ours"),
        };
        match done {
            Ok(parts) => parts.into_iter().map(Reply::Part).chain([Reply::End { ms: 1 }]).collect(),
            Err(code) => vec![Reply::Refused(Refusal { code, text: "no".into() })],
        }
    }

    fn answer(&mut self, ask: &Ask) -> Result<Vec<Part>, Code> {
        let condstore = self.caps.condstore;
        let modseq = |n: u64| if condstore { ModSeq(n) } else { ModSeq(0) };
        let within = |uids: &UidSet, n: u32| Uid::new(n).is_some_and(|u| uids.contains(u));
        Ok(match ask {
            Ask::Select { mailbox, read_only, resync } => {
                self.log.push("select");
                // Whatever comes of it, the last one is left (RFC 9051, 6.3.2).
                self.selected = None;
                // Dovecot has no code for it (RFC 5530 does not ask for one).
                let found = self.boxes.get(mailbox).ok_or(Code::Other)?;
                self.selected = Some(mailbox.clone());
                assert!(resync.is_none() || self.caps.qresync, "QRESYNC was not offered");
                let resync = resync.as_ref().filter(|r| r.uidvalidity.0 == found.validity);
                let since = resync.map_or(u64::MAX, |r| r.modseq.0);
                let known = |n: u32| resync.is_some_and(|r| within(&r.known, n));
                let vanished = found.gone.range(since.saturating_add(1)..).map(|(_, n)| *n).filter(|n| known(*n));
                let changed = found.msgs.iter().filter(|(n, m)| m.modseq > since && known(**n));
                let ahead = resync.filter(|r| !r.ahead.is_empty()).map(|r| {
                    let newer = found.msgs.iter().filter(|(n, _)| within(&r.ahead, **n));
                    newer.map(|(n, m)| envelope(*n, m)).collect()
                });
                vec![Part::Selected(Selected {
                    uidvalidity: UidValidity(found.validity),
                    uidnext: found.uidnext,
                    exists: u32::try_from(found.msgs.len()).unwrap(),
                    highestmodseq: modseq(found.modseq),
                    read_only: *read_only,
                    permanent_flags: None,
                    new_keywords: true,
                    resynced: resync.is_some(),
                    vanished: vanished.filter_map(Uid::new).collect(),
                    changed: changed.map(|(n, m)| row(*n, m, condstore)).collect(),
                    ahead,
                    ..Selected::default()
                })]
            }
            Ask::FlagsOf { uids, changed_since } => {
                self.log.push("flags");
                let since = changed_since.map_or(0, |m| m.0);
                let msgs = self.here().msgs.iter().filter(|(n, m)| within(uids, **n) && m.modseq > since);
                let rows: Vec<FlagsSeen> = msgs.map(|(n, m)| row(*n, m, condstore)).collect();
                rows.chunks(2).map(|c| Part::Flags(c.to_vec())).collect()
            }
            Ask::Uids { from, to } => {
                self.log.push("uids");
                vec![Part::Uids(
                    self.here().msgs.keys().filter(|n| (from..=to).contains(n)).filter_map(|n| Uid::new(*n)).collect(),
                )]
            }
            Ask::Envelopes { uids } => {
                self.log.push("envelopes");
                let msgs = self.here().msgs.iter().filter(|(n, _)| within(uids, **n));
                let rows: Vec<EnvelopeSeen> = msgs.map(|(n, m)| envelope(*n, m)).collect();
                rows.chunks(2).map(|c| Part::Envelopes(c.to_vec())).collect()
            }
            Ask::Identify { uids } => {
                self.log.push("identify");
                let msgs = self.here().msgs.iter().filter(|(n, _)| within(uids, **n));
                let rows: Vec<_> = msgs.map(|(n, m)| IdentitySeen { uid: Uid::new(*n).unwrap(), print: m.print() }).collect();
                rows.chunks(2).map(|c| Part::Identities(c.to_vec())).collect()
            }
            Ask::Mailboxes => vec![Part::Mailboxes(self.boxes.keys().map(listed).collect())],
            Ask::CachedIdentities => panic!("not asked of a server"),
            Ask::TargetMark { mailbox } => {
                self.log.push("mark");
                let found = self.boxes.get(mailbox).ok_or(Code::Other)?;
                vec![Part::Marked(Mark { uidvalidity: UidValidity(found.validity), uidnext: found.uidnext }, String::new())]
            }
        })
    }

    fn act(&mut self, tell: &Tell) -> Result<Vec<Part>, Code> {
        Ok(match tell {
            Tell::StoreFlags { uids, delta } => {
                self.log.push("tell store");
                for uid in uids.iter().collect::<Vec<_>>() {
                    self.here().flag(uid.get(), |f| delta.apply(f));
                }
                Vec::new()
            }
            Tell::Move { uids, to } => {
                assert!(self.caps.moves, "MOVE was not offered");
                self.log.push("tell move");
                self.transfer(uids, to, true)?
            }
            Tell::Copy { uids, to } => {
                self.log.push("tell copy");
                self.transfer(uids, to, false)?
            }
            Tell::UidExpunge { uids } => {
                assert!(self.caps.uidplus, "UID EXPUNGE was not offered");
                self.log.push("tell expunge");
                let here = self.here();
                let marked = |n: &u32| here.msgs.get(n).is_some_and(|m| m.flags.has(Flag::Deleted));
                for n in uids.iter().map(Uid::get).filter(marked).collect::<Vec<_>>() {
                    here.remove(n);
                }
                Vec::new()
            }
            // The file says how the message looks.
            Tell::Append { mailbox, spool, flags, .. } => {
                self.log.push("tell append");
                let look = spool.trim_start_matches("look-").parse().unwrap();
                let into = self.boxes.get_mut(mailbox).ok_or(Code::NoMailbox)?;
                let uid = into.add(Msg { token: 0, look, flags: flags.clone(), modseq: 0 });
                let said = (UidValidity(into.validity), Uid::new(uid).unwrap());
                self.caps.uidplus.then_some(Part::Appended(said.0, said.1)).into_iter().collect()
            }
            Tell::Create { .. } | Tell::Rename { .. } | Tell::Delete { .. } | Tell::Subscribe { .. } => {
                panic!("not in this model")
            }
        })
    }

    fn transfer(&mut self, uids: &UidSet, to: &MailboxPath, moving: bool) -> Result<Vec<Part>, Code> {
        let uids: Vec<Uid> = uids.iter().filter(|uid| self.here().msgs.contains_key(&uid.get())).collect();
        // Of messages that are not there nobody asks where to.
        if uids.is_empty() {
            return Ok(Vec::new());
        }
        if !self.boxes.contains_key(to) {
            return Err(Code::NoMailbox);
        }
        let mut pairs = Vec::new();
        for uid in uids {
            let here = self.here();
            let msg = if moving { here.remove(uid.get()) } else { here.msgs.get(&uid.get()).cloned() };
            let Some(msg) = msg else { continue };
            let there = self.boxes.get_mut(to).unwrap();
            pairs.push((uid, Uid::new(there.add(msg)).unwrap()));
        }
        let uidvalidity = UidValidity(self.boxes[to].validity);
        let said = self.caps.uidplus && !pairs.is_empty();
        Ok(said.then_some(Part::Copied(CopiedUids { uidvalidity, pairs })).into_iter().collect())
    }
}

fn listed(path: &MailboxPath) -> ListedMailbox {
    let (path, space) = (path.clone(), Space::Personal);
    ListedMailbox { path, delimiter: Some('.'), selectable: true, subscribed: true, role: None, status: None, space, leaf: false }
}

fn row(uid: u32, msg: &Msg, condstore: bool) -> FlagsSeen {
    let modseq = ModSeq(if condstore { msg.modseq } else { 0 });
    FlagsSeen { uid: Uid::new(uid).unwrap(), flags: msg.flags.clone(), modseq }
}

fn envelope(uid: u32, msg: &Msg) -> EnvelopeSeen {
    let print = msg.print();
    EnvelopeSeen {
        uid: Uid::new(uid).unwrap(),
        flags: msg.flags.clone(),
        modseq: ModSeq(msg.modseq),
        received: print.received,
        size: print.size,
        envelope: Envelope { message_id: print.message_id, ..Envelope::default() }.into(),
        attachments: Some(Vec::new()),
        object_id: String::new(),
    }
}
