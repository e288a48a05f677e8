//! enclosed — a file that goes with a message being written.
//! Owns: `DraftAttachment`, `Away`.
//! May import: base.
//! Start reading at: `DraftAttachment`.

use super::ids::AccountName;
use super::intent::Target;
use super::mailbox::MailboxPath;
use serde::{Deserialize, Serialize};

/// A file that goes with the message. Its bytes are in the spool (decisions 3).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DraftAttachment {
    /// The name of the file in `spool/`.
    pub spool: String,
    /// The name that the recipient sees: no path, untrusted where it came from a mail.
    pub name: String,
    /// `type/subtype`.
    pub mime: String,
    /// Octets; about so many while it is away.
    pub size: u64,
    /// Where its bytes are while they are on a server only, and asked for; they come into the spool under its name there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub away: Option<Away>,
}

/// A file of a message on a server, by what survives a lost cache (decisions 2).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Away {
    /// Whose message.
    pub account: AccountName,
    /// Where it lay.
    pub mailbox: MailboxPath,
    /// Which one.
    pub target: Target,
    /// Which part of it, as IMAP names it.
    pub section: String,
}
