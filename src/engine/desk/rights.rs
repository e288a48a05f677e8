//! rights — what the person may not do to a mailbox is refused at once, with the reason, before anything is written down.
//! Owns: `check`. May import: store, mail.
//! Start reading at: `needed`. What the server has not said is allowed: it decides in the end.

use crate::engine::api::{Fault, Kind};
use crate::mail::flags::{Flag, FlagDelta, Flags};
use crate::mail::intent::{NewOperation, OpKind};
use crate::mail::mailbox::MailboxPath;
use crate::mail::rights::Right;
use crate::store::{self, Cache, Db, mailboxes, trouble};

/// What these operations need, of which mailboxes: the first that is not allowed, as a fault.
///
/// # Errors
/// The store's own.
pub(super) fn check<'a>(db: &Db<Cache>, operations: impl Iterator<Item = &'a NewOperation>) -> store::Result<Result<(), Fault>> {
    for operation in operations {
        for (place, right, what) in needed(operation) {
            let Some(id) = mailboxes::find(db, &operation.account, place)? else { continue };
            if trouble::of(db, id)?.unstable > 0 {
                // Its numbers may be those of other messages tomorrow (security S-22).
                let what = format!("{} is read-only: its server numbers it anew again and again", place.decoded());
                return Ok(Err(Fault::new(Kind::Protocol, &what).of(&operation.account)));
            }
            let row = mailboxes::get(db, id)?;
            if row.rights.is_some_and(|rights| !rights.can(right)) {
                let what = format!("in {} you may not {what}", place.decoded());
                return Ok(Err(Fault::new(Kind::Usage, &what).of(&operation.account)));
            }
        }
    }
    Ok(Ok(()))
}

fn needed(operation: &NewOperation) -> Vec<(&MailboxPath, Right, &'static str)> {
    let here = &operation.mailbox;
    let delete = || [(here, Right::DeleteMessages, "delete messages"), (here, Right::Expunge, "delete messages for good")];
    match &operation.kind {
        OpKind::Flag { delta } => flags(here, delta),
        OpKind::Move { to } => delete().into_iter().chain([(to, Right::Insert, "put messages")]).collect(),
        OpKind::Copy { to } => vec![(to, Right::Insert, "put messages")],
        OpKind::Expunge => delete().into(),
        OpKind::Append { .. } => vec![(here, Right::Insert, "put messages")],
        OpKind::RenameMailbox { .. } => vec![(here, Right::DeleteMailbox, "change the mailbox")],
        OpKind::DeleteMailbox => vec![(here, Right::DeleteMailbox, "delete the mailbox")],
        OpKind::CreateMailbox { .. } | OpKind::SubscribeMailbox { .. } => Vec::new(),
    }
}

fn flags<'a>(here: &'a MailboxPath, delta: &FlagDelta) -> Vec<(&'a MailboxPath, Right, &'static str)> {
    let touches = |flag: Flag| delta.add().has(flag) || delta.remove().has(flag);
    let mut needed = Vec::new();
    if touches(Flag::Seen) {
        needed.push((here, Right::Seen, "mark messages as read"));
    }
    if touches(Flag::Deleted) {
        needed.push((here, Right::DeleteMessages, "delete messages"));
    }
    let others = |flags: &Flags| {
        flags.keywords().next().is_some() || flags.system().any(|flag| !matches!(flag, Flag::Seen | Flag::Deleted))
    };
    if others(delta.add()) || others(delta.remove()) {
        needed.push((here, Right::Write, "change marks"));
    }
    needed
}
