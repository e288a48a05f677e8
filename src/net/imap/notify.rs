//! notify — news of every mailbox on one connection (NOTIFY, RFC 5465).
//! Owns: `NOTIFY SET` of [`ImapStore`], what untagged lines mean once it is on.
//! May import: mail, base.
//! Start reading at: `ImapStore::tell_all`. A LIST or STATUS that no command of ours asked for is news.
//!
//! Known of servers: Dovecot 2.3 (seen with 2.3.19.1) now and then loses its process (segfault in `mail_transaction_log_view_mark`,
//! after "duplicate transaction log sequence" in dovecot.list.index) where NOTIFY tells of messages, IDLE waits, and another client
//! makes, renames or deletes mailboxes; without NOTIFY it was not seen. To us it is a line that broke: the next one is opened, and
//! what was missed is found. Not avoided: only without NOTIFY would it not happen, and news of all mailboxes are worth more.

use super::conn::Command;
use super::core::Core;
use super::store::ImapStore;
use super::untagged::{Renaming, Untagged};
use crate::mail::mailbox::MailboxPath;
use crate::mail::server::MailboxNews;
use crate::net::error::{NetError, NetErrorKind, Result};

/// The most news that are kept; beyond them all mailboxes have to be looked at.
const MAX_NEWS: usize = 10_000;
/// What is told of the open mailbox: as without NOTIFY.
const SELECTED: &str = "(selected-delayed (MessageNew MessageExpunge FlagChange))";

impl ImapStore {
    pub(super) fn tell_all(&mut self) -> Result<()> {
        let events =
            ["MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange", "MessageNew MessageExpunge FlagChange"];
        for (n, events) in events.iter().enumerate() {
            // STATUS: the counts of now come along, so that nothing falls between a LIST and this.
            let command = Command::new(&format!("NOTIFY SET STATUS {SELECTED} (personal ({events}))"));
            self.conn.core().notifying = true;
            match self.simply(&command) {
                Ok(()) => return Ok(()),
                Err(e) => {
                    self.conn.core().notifying = false;
                    let events =
                        matches!(&e.kind, NetErrorKind::No { code } if code == "BADEVENT") || e.kind == NetErrorKind::Bad;
                    if n > 0 || !events {
                        return Err(e);
                    }
                }
            }
        }
        Err(NetError::protocol("no events are left"))
    }
}

impl Core {
    /// Notes what nobody asked for, if NOTIFY is on.
    pub(super) fn tell(&mut self, data: &Untagged<'_>) {
        if !self.notifying {
            return;
        }
        let news = match data {
            Untagged::Counts { path, status, whole } => {
                let status = whole.then(|| status.clone());
                self.told.retain(|n| !matches!(n, MailboxNews::Changed(p, _) if p == path));
                MailboxNews::Changed(path.clone(), status)
            }
            Untagged::List(l, Renaming::Gone) => MailboxNews::Gone(l.path.clone()),
            Untagged::List(l, Renaming::From(old)) => {
                let from: MailboxPath = old.clone();
                MailboxNews::Renamed { from, to: l.clone() }
            }
            Untagged::List(l, Renaming::Not) => MailboxNews::Listed(l.clone()),
            Untagged::Status(s) if s.code == "NOTIFICATIONOVERFLOW" => {
                self.notifying = false;
                MailboxNews::Lost
            }
            _ => return,
        };
        if self.told.len() >= MAX_NEWS {
            self.told = vec![MailboxNews::Lost];
        }
        if self.told.last() != Some(&MailboxNews::Lost) {
            self.told.push(news);
        }
    }
}
