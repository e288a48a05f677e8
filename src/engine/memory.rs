//! memory — what an account remembers from one connection to the next.
//! Owns: `Memory`. May import: mail.
//! Start reading at: `Memory`. It goes with the process; what must outlive it is in the two files.

use crate::base::safetext::SafeText;
use crate::mail::ids::{MailboxId, MessageKey, OpId};
use crate::mail::mailbox::MailboxPath;
use crate::mail::uid::UidValidity;
use std::collections::{HashMap, HashSet};

/// Changes of UIDVALIDITY count for so many seconds (security S-22).
pub(super) const REBASE_SPAN: i64 = 3_600;

/// What is remembered between connections.
#[derive(Debug, Default)]
pub struct Memory {
    /// Whether anything came, or was done, since this was last asked: a line that brings something is not left alone for minutes.
    pub gained: bool,
    /// The list of mailboxes comes level by level, and what came of it is recorded; whether some came over an earlier line.
    pub(super) by_levels: Option<bool>,
    /// Mailboxes of whose trouble the person was told.
    pub(super) told_of: HashSet<(MailboxId, &'static str)>,
    /// The mailbox of which the server tells everything by itself: it is selected for IDLE.
    pub(super) told: Option<MailboxPath>,
    /// Mailboxes that were selected for a visit since the line last rested.
    pub(super) left: HashSet<MailboxPath>,
    /// Those of them that were found changed after that, each time since they were found as they had been left: how often.
    pub(super) left_changed: HashMap<MailboxPath, u32>,
    /// Copies in Sent that were looked for on the server.
    pub looked: HashSet<OpId>,
    /// Mailboxes whose rights were asked for.
    pub rights: HashSet<MailboxId>,
    /// Whether the last pass made room because it would have gone on for long.
    pub(super) long: bool,
    /// How many rows the last window of a pass had that made room: its next one goes on with as many.
    pub(super) windows: HashMap<MailboxId, u32>,
    /// Whether there was a whole list: it says which mailbox is for what, also where nothing in the cache tells that there was one.
    pub(super) listed_all: bool,
    /// How many mailboxes were made because a list did not have them.
    pub(super) made: u64,
    /// The UIDVALIDITY that the last list showed of each mailbox.
    pub(super) listed: HashMap<MailboxPath, UidValidity>,
    /// Mailboxes that were not there, or another one in their place, since the last list.
    pub(super) missed: HashSet<MailboxPath>,
    /// Mailboxes about which the list of a session was wrong, and when that was, seconds since 1970.
    pub(super) mistrusted: HashMap<MailboxPath, i64>,
    /// Those that were missed before the last list: what they are now, they are.
    pub(super) looked_up: HashSet<MailboxPath>,
    /// Whether the person was told that there is little room left.
    pub told_of_quota: bool,
    /// Messages whose bodies the server did not give: not asked for ahead of need again.
    pub unfetchable: HashSet<MessageKey>,
    /// Mailboxes whose rows the server does not tell more of: not asked before their next visit.
    pub untellable: HashSet<MailboxId>,
    /// Messages whose first words the server was asked for and did not give.
    pub previewed: HashSet<MessageKey>,
    /// What servers wanted the person to read, and was told: not again at the next connection.
    pub(super) alerts: Vec<SafeText>,
}
