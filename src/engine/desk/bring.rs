//! bring — messages that the person brings along: into the spool, and as appends into the journal.
//! Owns: `import`. May import: store, mail, and the engine's own.
//! Start reading at: `import`.

use super::{intents, places};
use crate::engine::acts::entry;
use crate::engine::api::{Brought, Done, Fault};
use crate::engine::meant;
use crate::engine::shared::Shared;
use crate::mail::flags::{FlagDelta, Flags};
use crate::mail::ids::{AccountName, MailboxId};
use crate::mail::intent::{NewOperation, OpKind};
use crate::mail::parse;
use crate::mail::server::Fingerprint;
use crate::store::journal::{self, Command};
use std::collections::BTreeSet;
use std::io::Cursor;

/// Queues the messages for a mailbox, in one commit.
///
/// # Errors
/// What the store and the spool say.
pub(super) fn import(
    shared: &Shared,
    mailbox: MailboxId,
    messages: Vec<Brought>,
) -> Result<(Done, BTreeSet<AccountName>), Fault> {
    let (account, path) = places::mailbox(shared, mailbox)?;
    let mut operations: Vec<NewOperation> = Vec::with_capacity(messages.len());
    for message in messages {
        let message_id = {
            let _reading = crate::base::gate::reading();
            parse::envelope(&message.bytes).message_id
        };
        let (spool, size) = shared.spool.put(&mut Cursor::new(message.bytes))?;
        let print = Fingerprint { message_id, size, received: message.received, object_id: String::new() };
        let flags = FlagDelta::new(message.flags, Flags::default());
        operations.push(entry(&account, &path, OpKind::Append { spool, flags, received: message.received, print, look: false }));
    }
    meant::fill(shared, &mut operations)?;
    let (now, count) = (shared.now(), u32::try_from(operations.len()).unwrap_or(u32::MAX));
    let (group, touched) = shared.store.state(move |tx| {
        let group = journal::begin(tx, &Command::new("import", false), now)?;
        Ok((group, journal::append(tx, group, operations, now)?))
    })?;
    Ok((Done { group: Some(group), count, ..Done::default() }, intents::finish(shared, touched)?))
}
