//! select — opening and leaving a mailbox.
//! Owns: SELECT and EXAMINE with CONDSTORE or QRESYNC (RFC 7162), UNSELECT.
//! May import: mail, base.
//! Start reading at: `ImapStore::open_mailbox`. What belongs to the mailbox before (up to `[CLOSED]`) is not the new one's.

use super::conn::{Command, kept};
use super::core::News;
use super::fetch::{asked, envelope_row};
use super::frame::KeepAll;
use super::store::ImapStore;
use super::untagged::{self, Fetched, Untagged, modseq};
use super::value::{self, Room, Status};
use crate::mail::mailbox::MailboxPath;
use crate::mail::server::{EnvelopeSeen, FlagsSeen, Resync, Selected};
use crate::mail::uid::{ModSeq, UidSet, UidValidity};
use crate::net::error::{NetError, Result};

/// The longest set of known UIDs that is sent along, in letters; beyond it only its bounds are said: every mailbox has holes, and
/// a server that remembers what it expunged needs none of them. One that does not names them all, once.
const MAX_KNOWN: usize = 100;

impl ImapStore {
    pub(super) fn open_mailbox(&mut self, path: &MailboxPath, read_only: bool, known: Option<&Resync>) -> Result<Selected> {
        let verb = if read_only { "EXAMINE " } else { "SELECT " };
        let mut command = self.naming(Command::new(verb), path);
        let known = known.filter(|k| self.caps.qresync && k.modseq.0 > 0 && k.uidvalidity.0 > 0);
        match known {
            Some(known) => command = command.text(&resync(known)),
            // ENABLE QRESYNC has switched CONDSTORE on.
            None if self.caps.condstore && !self.caps.qresync => command = command.text(" (CONDSTORE)"),
            None => {}
        }
        let ahead = known.filter(|k| !k.ahead.is_empty() && self.conn.at_once(&command));
        let ahead = ahead.map(|k| (self.envelopes_command(&k.ahead), &k.ahead));
        self.selected = None;
        self.conn.core().news = News::default();
        let mut seen =
            Seen { selected: Selected { read_only, ..Selected::default() }, known: known.map(|k| &k.known), told: UidSet::new() };
        let mut on = |data: Untagged<'_>| {
            // IMAP4rev2 says its own LIST of what is opened.
            let of_others = match &data {
                Untagged::List(listed, _) => listed.path != *path,
                Untagged::Counts { .. } => true,
                _ => false,
            };
            seen.take(data);
            Ok(!of_others)
        };
        self.conn.say(&command, &mut on)?;
        let tag = self.conn.core().last_tag();
        if let Some((fetch, _)) = &ahead {
            self.conn.say(fetch, &mut on)?;
        }
        let done = kept(self.conn.finish(&mut KeepAll, &mut on))?;
        if ahead.is_some() && self.conn.core().answered_tag() != tag {
            // What is opened decides what the next command means: nobody may answer that first.
            return Err(self.conn.core().wire.fail(NetError::protocol("an answer before that to SELECT")));
        }
        if ahead.is_some() && done.is_err() {
            // There is nothing to fetch from, and the answer to the second command says so, too.
            kept(self.conn.finish(&mut KeepAll, &mut |_| Ok(true)))?.ok();
        }
        let done = done?;
        let mut s = seen.selected;
        s.read_only |= done.code == "READ-ONLY";
        s.resynced = known.is_some_and(|k| k.uidvalidity == s.uidvalidity) && s.highestmodseq.0 > 0;
        if !s.resynced {
            (s.vanished, s.changed) = (UidSet::new(), Vec::new());
        }
        {
            let mut core = self.conn.core();
            (core.news.changed, core.news.exists) = (false, s.exists);
        }
        self.selected = Some(s.clone());
        if let Some((_, uids)) = ahead {
            s.ahead = self.rows_ahead(uids)?.filter(|_| s.resynced);
        }
        Ok(s)
    }

    /// The answer to what was asked along with the opening; nothing where the server refused it.
    fn rows_ahead(&mut self, uids: &UidSet) -> Result<Option<Vec<EnvelopeSeen>>> {
        let mut rows = Vec::new();
        let mut on = asked(uids, |uid, row| {
            let row = envelope_row(uid, row);
            let is_one = row.is_some();
            rows.extend(row);
            Ok(is_one)
        });
        let done = kept(self.conn.finish(&mut KeepAll, &mut on))?;
        drop(on);
        Ok(done.is_ok().then_some(rows))
    }

    pub(super) fn leave_mailbox(&mut self) -> Result<()> {
        if self.caps.unselect && self.selected.take().is_some() {
            self.simply(&Command::new("UNSELECT"))?;
            self.conn.core().news = News::default();
        }
        Ok(())
    }
}

fn resync(known: &Resync) -> String {
    let uids = if known.known.is_empty() {
        String::new()
    } else {
        let exact = known.known.to_string();
        let bounds = || known.known.bounds().map_or_else(String::new, |(a, b)| UidSet::range(a, b).to_string());
        format!(" {}", if exact.len() <= MAX_KNOWN { exact } else { bounds() })
    };
    format!(" (QRESYNC ({} {}{uids}))", known.uidvalidity.0, known.modseq.0)
}

/// What the answer told so far.
struct Seen<'a> {
    selected: Selected,
    known: Option<&'a UidSet>,
    told: UidSet,
}

impl Seen<'_> {
    fn take(&mut self, data: Untagged<'_>) {
        let s = &mut self.selected;
        match data {
            Untagged::Exists(n) => s.exists = n,
            Untagged::Expunge => s.exists = s.exists.saturating_sub(1),
            Untagged::Vanished { uids, .. } => {
                if let Some(known) = self.known {
                    s.vanished = s.vanished.union(&uids.intersection(known));
                }
            }
            Untagged::Fetch(row) => self.row(*row),
            Untagged::Status(code) => self.code(&code),
            _ => {}
        }
    }

    /// The last word about a message holds (S-10).
    fn row(&mut self, row: Fetched) {
        let (Some(uid), Some(flags), Some(known)) = (row.uid, row.flags, self.known) else { return };
        if !known.contains(uid) {
            return;
        }
        let now = FlagsSeen { uid, flags, modseq: row.modseq };
        if self.told.contains(uid) {
            self.selected.changed.retain(|r: &FlagsSeen| r.uid != uid);
        }
        self.told.insert(uid);
        self.selected.changed.push(now);
    }

    fn code(&mut self, code: &Status<'_>) {
        let small = |args: &[u8]| value::number(args).and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
        let s = &mut self.selected;
        match code.code.as_str() {
            // All before was about the mailbox that was open until now.
            "CLOSED" => {
                *s = Selected { read_only: s.read_only, ..Selected::default() };
                self.told = UidSet::new();
            }
            "UIDVALIDITY" => s.uidvalidity = UidValidity(small(code.args)),
            "UIDNEXT" => s.uidnext = small(code.args),
            "HIGHESTMODSEQ" => s.highestmodseq = value::number(code.args).map_or(ModSeq(0), modseq),
            "MAILBOXID" => {
                let room = Room::new();
                s.mailbox_id = untagged::object_id(value::parse(code.args, &room).first().and_then(|l| l.items().first()));
            }
            "PERMANENTFLAGS" => {
                let room = Room::new();
                let list = value::parse(code.args, &room);
                s.new_keywords = list.first().is_some_and(|l| l.items().iter().any(|v| v.is("\\*")));
                s.permanent_flags = list.first().map(untagged::flags);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::uid::Uid;

    #[test]
    fn what_is_known_is_said_shortly() {
        let mut known =
            Resync { uidvalidity: UidValidity(7), modseq: ModSeq(9), known: UidSet::range(1, 5), ..Resync::default() };
        assert_eq!(resync(&known), " (QRESYNC (7 9 1:5))");
        known.known = UidSet::new();
        assert_eq!(resync(&known), " (QRESYNC (7 9))");
        known.known = (1..2000).filter_map(|n| Uid::new(n * 2)).collect();
        assert_eq!(resync(&known), " (QRESYNC (7 9 2:3998))");
    }
}
