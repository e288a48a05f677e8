//! names — mailbox names in UTF-8, where the server was asked for them (IMAP4rev2, RFC 9051; UTF8=ACCEPT, RFC 6855).
//! Owns: `Untagged::in_utf8`, `ImapStore::name`, `ImapStore::naming`.
//! May import: mail, base.
//! Start reading at: `ImapStore::name`. Everybody else knows a mailbox by its name in modified UTF-7, whatever the server was
//! asked for: a server that learns UTF-8, or an account that masks it, has the same mailboxes as before.

use super::conn::Command;
use super::store::ImapStore;
use super::untagged::{Renaming, Untagged};
use crate::mail::mailbox::MailboxPath;
use crate::mail::utf7;

/// The name that a server means by these octets, in the spelling in which we know it.
fn known(path: &MailboxPath) -> MailboxPath {
    match String::from_utf8(path.to_wire()) {
        Ok(name) if !path.is_inbox() => MailboxPath::from_stored(&utf7::encode(&name)),
        // What is no UTF-8 stays as it came.
        _ => path.clone(),
    }
}

impl Untagged<'_> {
    /// The same, of a server that spells names in UTF-8.
    #[must_use]
    pub fn in_utf8(mut self) -> Self {
        match &mut self {
            Self::List(listed, renaming) => {
                listed.path = known(&listed.path);
                if let Renaming::From(old) = renaming {
                    *old = known(old);
                }
            }
            Self::Lsub(path) | Self::Counts { path, .. } | Self::Rights(path, _) => *path = known(path),
            _ => {}
        }
        self
    }
}

impl ImapStore {
    /// The octets of a name as this server spells it.
    pub(super) fn name(&self, path: &MailboxPath) -> Vec<u8> {
        match utf7::decode(path.as_str()) {
            Some(name) if self.utf8 => name.into_bytes(),
            _ => path.to_wire(),
        }
    }

    /// Adds a mailbox's name to a command. UTF-8 may be quoted, where it was agreed on (RFC 6855, 3).
    pub(super) fn naming(&self, command: Command, path: &MailboxPath) -> Command {
        match utf7::decode(path.as_str()) {
            Some(name) if self.utf8 => command.words(&name),
            _ => command.string(&path.to_wire()),
        }
    }
}
