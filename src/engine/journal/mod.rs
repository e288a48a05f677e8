//! journal — the rules of pending operations, without a database: what may become of one, what goes together.
//! Owns: the table of legal transitions (`op`), batches for one command (`batch`), taking back (`undo`).
//! May import: mail.   Never: a clock, a file, a thread.
//! Start reading at: `op.rs`.

pub mod batch;
pub mod op;
pub mod undo;

#[cfg(test)]
mod tests {
    //! Operations for the tests of this room.
    use crate::mail::fixtures::operation;
    use crate::mail::flags::FlagDelta;
    use crate::mail::intent::{OpKind, Operation, Target};
    use crate::mail::mailbox::MailboxPath;
    use crate::mail::server::Fingerprint;
    use crate::mail::uid::UidValidity;

    pub fn op(id: i64, uids: &[u32], kind: OpKind) -> Operation {
        let print = |uid: u32| Fingerprint {
            message_id: crate::mail::envelope::MessageId::new(&format!("m{uid}@x")),
            size: u64::from(uid),
            received: 0,
            object_id: String::new(),
        };
        let target = |uid: &u32| Target::Server { uidvalidity: UidValidity(1), uid: *uid, print: print(*uid) };
        operation(id, &MailboxPath::inbox(), kind, uids.iter().map(target).collect())
    }

    pub fn flag(id: i64, uids: &[u32], delta: &FlagDelta) -> Operation {
        op(id, uids, OpKind::Flag { delta: delta.clone() })
    }

    pub fn mov(id: i64, uids: &[u32], to: &str) -> Operation {
        op(id, uids, OpKind::Move { to: MailboxPath::from_typed(to) })
    }
}
