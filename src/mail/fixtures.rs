//! fixtures — rows for tests: the one place that writes out all their fields.
//! Owns: `mailbox`, `message`, `operation`, `seen`, `outgoing`. May import: mail. Only tests have it.
//! Start reading at: `mailbox`. What a test is about it sets by struct update.

use super::address::Address;
use super::flags::Flags;
use super::ids::{AccountName, GroupId, MailboxId, MessageKey, OpId, PlacementKey, ThreadKey};
use super::intent::{OpKind, OpState, Operation, Target};
use super::mailbox::{MailboxPath, Role};
use super::meant::Meant;
use super::outgoing::NewOutgoing;
use super::packed::Packed;
use super::row::{MailboxRow, MessageRow};
use super::server::EnvelopeSeen;
use super::uid::{ModSeq, Uid};

/// An empty, subscribed mailbox below `/`, never read.
pub fn mailbox(id: i64, account: &str, path: &str, role: Option<Role>) -> MailboxRow {
    MailboxRow {
        id: MailboxId(id),
        account: AccountName::new(account),
        path: MailboxPath::from_typed(path),
        delimiter: Some('/'),
        role,
        selectable: true,
        subscribed: true,
        total: 0,
        unread: 0,
        synced_at: 0,
        rights: None,
        offline: None,
    }
}

/// An unread message of nobody in mailbox 1 of `work`, a conversation by itself; a higher number is newer.
pub fn message(n: i64) -> MessageRow {
    MessageRow {
        id: PlacementKey(n),
        message: MessageKey(n),
        thread: ThreadKey(n),
        account: AccountName::new("work"),
        mailbox: MailboxId(1),
        uid: None,
        sort: n,
        received: n,
        from: Address::new("", ""),
        to: vec![],
        subject: String::new(),
        preview: String::new(),
        flags: Flags::new(),
        size: 0,
        attachments: 0,
        cached: false,
        thread_total: 1,
        thread_unread: 0,
        depth: 0,
        message_id: String::new(),
    }
}

/// A message as the server tells of it, `uid` minutes old: of nobody, about nothing, with no flag.
pub fn seen(uid: u32) -> EnvelopeSeen {
    EnvelopeSeen {
        uid: Uid::new(uid).unwrap(),
        flags: Flags::new(),
        modseq: ModSeq(0),
        received: i64::from(uid) * 60,
        size: 100,
        envelope: Packed::default(),
        attachments: Some(Vec::new()),
        object_id: String::new(),
    }
}

/// A mail of account `a` to one recipient.
pub fn outgoing() -> NewOutgoing {
    NewOutgoing {
        account: AccountName::new("a"),
        message_id: "m@x".into(),
        sender: "a@x".into(),
        recipients: vec!["b@x".into()],
        subject: String::new(),
        spool: "s".into(),
        size: 1,
        draft: None,
        file: true,
        created: 1_000,
    }
}

/// An operation of account `a`, not tried yet, a command by itself.
pub fn operation(id: i64, mailbox: &MailboxPath, kind: OpKind, targets: Vec<Target>) -> Operation {
    Operation {
        id: OpId(id),
        group: GroupId(id),
        account: AccountName::new("a"),
        mailbox: mailbox.clone(),
        kind,
        targets,
        state: OpState::Queued,
        attempts: 0,
        not_before: 0,
        after: None,
        mark: None,
        results: Vec::new(),
        inverse: Vec::new(),
        fault: String::new(),
        created: 0,
        here: Meant::default(),
        there: Meant::default(),
    }
}
