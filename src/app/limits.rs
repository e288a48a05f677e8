//! limits — what the server does not let one do: rights that a mailbox lacks, room that an account has left.
//! Owns: what commands need, `Room`. May import: engine::api, mail.
//! Start reading at: `App::forbidden`. Where nothing is known of rights everything is offered, and the server decides.

use super::layout::Focus;
use super::list::Item;
use super::state::App;
use super::words::size;
use crate::base::safetext::SafeText;
use crate::mail::ids::{AccountName, MailboxId};
use crate::mail::rights::{Quota, Right};
use crate::mail::row::{MailboxRow, MessageRow};

/// From so many percent on the room is shown.
pub const SHOWN: u64 = 80;
/// From so many percent on it is warned of.
pub const WARNED: u64 = 90;

/// What a command on messages needs to be allowed in their mailbox, and why it cannot be run without.
const fn needs(id: &str) -> Option<(&'static [Right], &'static str)> {
    const REMOVE: &[Right] = &[Right::DeleteMessages, Right::Expunge];
    const NO_REMOVE: &str = "you may not remove messages from this mailbox";
    // Comparing strings is not const; their bytes are.
    match id.as_bytes() {
        b"archive" | b"delete" | b"move" | b"junk" | b"delete-forever" => Some((REMOVE, NO_REMOVE)),
        b"star" | b"tag" | b"mute" => Some((&[Right::Write], "you may not change marks in this mailbox")),
        b"toggle-read" => Some((&[Right::Seen], "you may not mark messages as read in this mailbox")),
        b"empty-mailbox" => Some((REMOVE, NO_REMOVE)),
        b"rename-mailbox" | b"delete-mailbox" => Some((&[Right::DeleteMailbox], "you may not rename or delete this mailbox")),
        _ => None,
    }
}

/// Whether a mailbox allows something, as far as is known.
#[must_use]
pub fn may(mailbox: &MailboxRow, right: Right) -> bool {
    mailbox.rights.is_none_or(|r| r.can(right))
}

impl App {
    /// Why the mailboxes that a command would be about do not allow it.
    pub(super) fn forbidden(&self, id: &str) -> Option<&'static str> {
        let (rights, why) = needs(id)?;
        let lacks = |m: &MailboxRow| rights.iter().any(|r| !may(m, *r));
        let of = |id: MailboxId| self.folders.mailbox(id).is_some_and(lacks);
        let here = |row: &MessageRow| of(row.mailbox);
        let found = match id {
            "empty-mailbox" | "rename-mailbox" | "delete-mailbox" => self.mailbox_at_hand().is_some_and(lacks),
            _ if self.focus == Focus::Reader => self.viewer.view().is_some_and(|v| here(&v.row)),
            _ if self.list.marked() > 0 => self.list.marked_rows().any(here),
            _ => self.list.current().map(|Item { row, .. }| row).is_some_and(here),
        };
        found.then_some(why)
    }

    /// Takes in how much room accounts have; says so once where little is left.
    pub(super) fn rooms_came(&mut self, rows: Vec<(AccountName, Quota)>) {
        self.rooms = rows.into_iter().filter_map(|(account, quota)| Some((account, Room::of(&quota)?))).collect();
        for (account, room) in &self.rooms {
            if room.percent < WARNED {
                self.warned.remove(account);
            } else if self.warned.insert(account.clone()) {
                let text = format!("{account} is {} % full: {}; mail may be turned away soon", room.percent, room.text);
                self.status.doubt(self.now.since, SafeText::line_max(&text, 200).as_str());
            }
        }
    }

    /// How full an account is, in percent, where that is worth showing.
    #[must_use]
    pub fn fullness(&self, account: &AccountName) -> Option<u64> {
        let mine = self.rooms.iter().filter(|(a, _)| a == account).map(|(_, room)| room.percent);
        mine.max().filter(|p| *p >= SHOWN)
    }
}

/// How full a quota root is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Room {
    percent: u64,
    /// "930 MB of 1.0 GB".
    text: String,
}

impl Room {
    /// The limit that is nearest; nothing where there is none.
    fn of(quota: &Quota) -> Option<Self> {
        let percent = |(used, limit): (u64, u64)| used.saturating_mul(100) / limit.max(1);
        let storage = quota.storage.map(|p| Self { percent: percent(p), text: format!("{} of {}", size(p.0), size(p.1)) });
        let messages = quota.messages.map(|p| Self { percent: percent(p), text: format!("{} of {} messages", p.0, p.1) });
        storage.into_iter().chain(messages).max_by_key(|room| room.percent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::command;

    #[test]
    fn the_nearest_limit_counts() {
        let of = |storage, messages| Room::of(&Quota { root: String::new(), storage, messages });
        assert_eq!(of(None, None), None);
        let room = of(Some((930_000_000, 1_000_000_000)), Some((5, 100))).unwrap();
        assert_eq!((room.percent, room.text.as_str()), (93, "930 MB of 1.0 GB"));
        assert_eq!(of(Some((1, 0)), None).unwrap().percent, 100, "no room at all");
        assert_eq!(of(Some((u64::MAX, 1)), Some((1, 2))).unwrap().percent, u64::MAX);
    }

    #[test]
    fn every_command_that_changes_messages_says_what_it_needs() {
        for spec in command::commands().filter(|c| c.group == command::Group::Message && c.undo != command::Undo::Nothing) {
            assert!(needs(spec.id).is_some() || matches!(spec.id, "copy" | "undo"), "{}", spec.id);
        }
    }
}
