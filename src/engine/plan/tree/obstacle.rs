//! obstacle — which earlier wish stands before one about mailboxes.
//! Owns: `obstacle`.
//! May import: mail.
//! Start reading at: `obstacle`.

use crate::mail::intent::{OpKind, OpState, Operation};
use crate::mail::mailbox::MailboxPath;

/// The state of an earlier operation that has to be out of the way before `op`, if it is in the way.
pub(super) fn obstacle(earlier: &Operation, op: &Operation) -> Option<OpState> {
    let delimiter = match &op.kind {
        OpKind::RenameMailbox { delimiter, .. } => *delimiter,
        _ => None,
    };
    let near = |path: &MailboxPath| {
        let below = match &earlier.kind {
            OpKind::RenameMailbox { delimiter, .. } => *delimiter,
            _ => delimiter,
        };
        earlier.touches(path, delimiter) || path.is_within(&earlier.mailbox, below)
    };
    let related = match &op.kind {
        OpKind::RenameMailbox { to, .. } => near(&op.mailbox) || near(to),
        _ => near(&op.mailbox),
    };
    if !related {
        return None;
    }
    let pending = earlier.state.pending();
    match &earlier.kind {
        kind if kind.is_about_tree() => pending.then_some(earlier.state),
        // What is to be saved from a mailbox is saved before that goes.
        OpKind::Move { .. } | OpKind::Copy { .. } | OpKind::Append { .. } if op.kind == OpKind::DeleteMailbox => {
            (pending || earlier.state == OpState::Parked).then_some(earlier.state)
        }
        _ => None,
    }
}
