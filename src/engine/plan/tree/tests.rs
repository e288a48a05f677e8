//! The tree planner against a server of names, killed at every event.

use super::*;
use crate::engine::journal::op::{may_become, recovered};
use crate::mail::fixtures::operation;
use crate::mail::flags::{Flag, FlagDelta};
use crate::mail::uid::UidValidity;
use std::collections::BTreeMap;

fn path(name: &str) -> MailboxPath {
    MailboxPath::from_typed(name)
}

fn op(id: i64, mailbox: &str, kind: OpKind) -> Operation {
    operation(id, &path(mailbox), kind, Vec::new())
}

fn rename(id: i64, from: &str, to: &str) -> Operation {
    op(id, from, OpKind::RenameMailbox { to: path(to), delimiter: Some('/') })
}

/// Names with their UIDVALIDITY, and what is subscribed to.
#[derive(Clone, Default)]
struct Server {
    boxes: BTreeMap<MailboxPath, u32>,
    subscribed: Vec<MailboxPath>,
    next: u32,
    log: Vec<String>,
}

impl Server {
    fn new(names: &[&str]) -> Self {
        let mut server = Self::default();
        for name in names {
            server.next += 1;
            server.boxes.insert(path(name), server.next);
            server.subscribed.push(path(name));
        }
        server
    }

    fn names(&self) -> Vec<&str> {
        self.boxes.keys().map(MailboxPath::as_str).collect()
    }

    fn carry(&mut self, step: &Step) -> Vec<Reply> {
        let no = |code| vec![Reply::Refused(Refusal { code, text: "no".into() })];
        let end = || vec![Reply::End { ms: 0 }];
        match step {
            Step::Ask(Ask::Mailboxes) => {
                let one = |p: &MailboxPath| ListedMailbox {
                    path: p.clone(),
                    delimiter: Some('/'),
                    selectable: true,
                    subscribed: self.subscribed.contains(p),
                    role: None,
                    status: None,
                    space: crate::mail::server::Space::Personal,
                    leaf: false,
                };
                let listed = self.boxes.keys().map(one).collect();
                vec![Reply::Part(Part::Mailboxes(listed)), Reply::End { ms: 0 }]
            }
            Step::Ask(Ask::TargetMark { mailbox }) => match self.boxes.get(mailbox) {
                Some(v) => {
                    vec![
                        Reply::Part(Part::Marked(Mark { uidvalidity: UidValidity(*v), uidnext: 1 }, String::new())),
                        Reply::End { ms: 0 },
                    ]
                }
                None => no(Code::Other),
            },
            Step::Ask(_) => end(),
            Step::Tell(Tell::Create { mailbox }) => {
                self.log.push(format!("create {}", mailbox.as_str()));
                if self.boxes.contains_key(mailbox) {
                    return no(Code::AlreadyExists);
                }
                self.next += 1;
                self.boxes.insert(mailbox.clone(), self.next);
                end()
            }
            Step::Tell(Tell::Rename { mailbox, to }) => {
                self.log.push(format!("rename {} {}", mailbox.as_str(), to.as_str()));
                if !self.boxes.contains_key(mailbox) {
                    return no(Code::NoMailbox);
                }
                if self.boxes.contains_key(to) {
                    return no(Code::AlreadyExists);
                }
                let renamed = |p: MailboxPath| p.moved(mailbox, to, Some('/')).unwrap_or(p);
                self.boxes = std::mem::take(&mut self.boxes).into_iter().map(|(p, v)| (renamed(p), v)).collect();
                end()
            }
            Step::Tell(Tell::Delete { mailbox }) => {
                self.log.push(format!("delete {}", mailbox.as_str()));
                if self.boxes.remove(mailbox).is_some() { end() } else { no(Code::NoMailbox) }
            }
            Step::Tell(Tell::Subscribe { mailbox, on }) => {
                self.subscribed.retain(|p| p != mailbox);
                self.subscribed.extend(on.then(|| mailbox.clone()));
                end()
            }
            other => panic!("{other:?}"),
        }
    }
}

/// As `store::journal` keeps it.
fn record(journal: &mut [Operation], record: &Record) {
    let Record::Ops(changes) = record else { return };
    for change in changes {
        let op = journal.iter_mut().find(|o| o.id == change.id).unwrap();
        assert!(may_become(op.state, change.state), "{op:?} -> {change:?}");
        change.apply(op);
        let OpKind::RenameMailbox { to, delimiter } = op.kind.clone() else { continue };
        let (id, state, from) = (op.id, op.state, op.mailbox.clone());
        for other in journal.iter_mut() {
            match state {
                OpState::Settled if other.id < id => other.follow(&from, &to, delimiter),
                OpState::Parked if other.id > id => other.follow(&to, &from, delimiter),
                _ => false,
            };
        }
    }
}

/// One pass, killed at the `at`-th event, before or after it took effect. Whether it came to its end.
fn pass(journal: &mut [Operation], server: &mut Server, at: usize, after: bool) -> (bool, usize) {
    let mut plan = TreeSync::start(journal.to_vec(), server.subscribed.clone(), Vec::new(), 100);
    let mut events = 0;
    while let Some((id, step)) = plan.next() {
        events += 1;
        let dies = events == at;
        if !dies || after {
            let replies = match &step {
                Step::Record(r) => {
                    record(journal, r);
                    vec![Reply::End { ms: 0 }]
                }
                other => server.carry(other),
            };
            if !dies {
                replies.into_iter().for_each(|r| plan.heard(id, r));
            }
        }
        if dies {
            journal.iter_mut().for_each(|o| o.state = recovered(o.state));
            return (false, events);
        }
    }
    assert_eq!(plan.outcome(), Some(&Outcome::Synced));
    (true, events)
}

fn run(journal: &mut [Operation], server: &mut Server) {
    assert!(pass(journal, server, 0, false).0);
}

#[test]
fn all_kinds_killed_at_every_event_end_the_same() {
    let wishes = || {
        vec![
            op(1, "new", OpKind::CreateMailbox { role: None }),
            rename(2, "a", "x"),
            rename(3, "x", "new/y"),
            op(4, "b", OpKind::SubscribeMailbox { on: false }),
            op(5, "c/d", OpKind::DeleteMailbox),
            op(6, "c", OpKind::DeleteMailbox),
        ]
    };
    let start = Server::new(&["INBOX", "a", "a/k", "b", "c", "c/d"]);
    let mut kills = 0;
    for after in [false, true] {
        for at in 1.. {
            let (mut journal, mut server) = (wishes(), start.clone());
            let (whole, events) = pass(&mut journal, &mut server, at, after);
            // Once more during the recovery.
            let second = at % 7 + 1;
            pass(&mut journal, &mut server, second, !after);
            run(&mut journal, &mut server);
            assert!(journal.iter().all(|o| o.state == OpState::Settled), "killed at {at}: {journal:#?}");
            assert_eq!(server.names(), ["INBOX", "b", "new", "new/y", "new/y/k"], "killed at {at}");
            assert!(server.subscribed.contains(&path("new/y/k")) && !server.subscribed.contains(&path("b")));
            let told = server.log.len();
            run(&mut journal, &mut server);
            assert_eq!(server.log.len(), told, "a second pass does nothing");
            if whole {
                break;
            }
            kills += 1;
            let _ = events;
        }
    }
    println!("{kills} kills");
}

#[test]
fn a_refused_rename_gives_what_was_wished_afterwards_back() {
    let mut server = Server::new(&["INBOX", "a", "b"]);
    let mut journal = vec![rename(1, "a", "b"), rename(2, "b", "c")];
    run(&mut journal, &mut server);
    assert_eq!(journal[0].state, OpState::Parked);
    // "b" meant the renamed "a".
    assert_eq!((journal[1].state, server.names()), (OpState::Settled, vec!["INBOX", "b", "c"]));
    assert_eq!(server.log, ["rename a c"]);
}

#[test]
fn what_is_saved_from_a_mailbox_goes_first() {
    let saving = op(1, "a", OpKind::Move { to: path("b") });
    let mut server = Server::new(&["INBOX", "a", "b"]);
    let mut journal = vec![saving.clone(), op(2, "a", OpKind::DeleteMailbox)];
    run(&mut journal, &mut server);
    assert_eq!((journal[1].state, server.log.len()), (OpState::Queued, 0));
    journal[0].state = OpState::Parked;
    run(&mut journal, &mut server);
    assert_eq!((journal[1].state, server.log.len()), (OpState::Parked, 0));
    // Marks on what goes are of no use any more.
    let mut journal = vec![op(1, "a", OpKind::Flag { delta: FlagDelta::set(Flag::Seen) }), op(2, "a", OpKind::DeleteMailbox)];
    run(&mut journal, &mut server);
    assert_eq!((journal[1].state, server.names()), (OpState::Settled, vec!["INBOX", "b"]));
}

#[test]
fn another_mailbox_of_the_same_name_is_not_deleted() {
    let mut server = Server::new(&["INBOX", "a"]);
    let mut journal = vec![op(1, "a", OpKind::DeleteMailbox)];
    // The answer is lost after the server did it, and somebody makes a new one.
    let mut at = 1;
    while server.boxes.contains_key(&path("a")) {
        journal = vec![op(1, "a", OpKind::DeleteMailbox)];
        pass(&mut journal, &mut server, at, true);
        at += 1;
    }
    assert_eq!(journal[0].state, OpState::Uncertain);
    server.next += 1;
    server.boxes.insert(path("a"), server.next);
    run(&mut journal, &mut server);
    assert_eq!((journal[0].state, server.names()), (OpState::Settled, vec!["INBOX", "a"]));
}

#[test]
fn what_waits_for_a_name_waits() {
    let (mut make, into) = (op(1, "b", OpKind::CreateMailbox { role: None }), op(2, "a", OpKind::Move { to: path("b") }));
    assert!(into.waits_for(&make) && !make.waits_for(&into));
    make.state = OpState::Settled;
    assert!(!into.waits_for(&make));
    let renamed = rename(1, "a", "x");
    let flag = |id, mailbox| op(id, mailbox, OpKind::Flag { delta: FlagDelta::set(Flag::Seen) });
    assert!(flag(2, "x/k").waits_for(&renamed) && !flag(2, "a").waits_for(&renamed));
    assert!(!flag(0, "x").waits_for(&renamed), "what was wished before goes by the old name");
}
