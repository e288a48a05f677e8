//! mailboxes — which there are, whose, how full, and what we may do to them.
//! Owns: LIST with everything that can come along, STATUS, CREATE, RENAME, DELETE, SUBSCRIBE, GETQUOTAROOT, MYRIGHTS.
//! May import: mail, base.
//! Start reading at: `ImapStore::list_all`. One command where the server can: LIST-EXTENDED, SPECIAL-USE, LIST-STATUS.

use super::conn::Command;
use super::store::ImapStore;
use super::untagged::Untagged;
use crate::mail::mailbox::MailboxPath;
use crate::mail::rights::{Quota, Rights};
use crate::mail::server::{ListedMailbox, MailboxNews, MailboxStatus, Space};
use crate::net::error::{NetError, NetErrorKind, Result};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// The most mailboxes that are listed.
const MAX_MAILBOXES: usize = 100_000;
/// The most quota roots of one mailbox.
const MAX_ROOTS: usize = 20;

/// What a LIST and its company told.
#[derive(Default)]
struct Listing {
    found: BTreeMap<MailboxPath, ListedMailbox>,
    counts: Vec<(MailboxPath, MailboxStatus)>,
}

impl Listing {
    fn take(&mut self, data: Untagged<'_>) -> bool {
        match data {
            Untagged::List(l, _) if self.found.len() < MAX_MAILBOXES => {
                // The same name twice is one mailbox (security S-25): the one that can be opened, for Dovecot 2.3 tells of one that was
                // deleted and made again in both ways.
                match self.found.entry(l.path.clone()) {
                    Entry::Vacant(place) => {
                        place.insert(l);
                    }
                    Entry::Occupied(mut place) if l.selectable && !place.get().selectable => {
                        let subscribed = l.subscribed || place.get().subscribed;
                        place.insert(ListedMailbox { subscribed, ..l });
                    }
                    Entry::Occupied(_) => {}
                }
            }
            Untagged::Lsub(path) => {
                if let Some(l) = self.found.get_mut(&path) {
                    l.subscribed = true;
                }
            }
            Untagged::Counts { path, status, .. } if self.counts.len() < MAX_MAILBOXES => self.counts.push((path, status)),
            _ => return false,
        }
        true
    }
}

impl ImapStore {
    fn status_items(&self) -> String {
        let mut items = "MESSAGES UNSEEN UIDNEXT UIDVALIDITY".to_owned();
        if self.caps.condstore {
            items.push_str(" HIGHESTMODSEQ");
        }
        if self.has("OBJECTID") && !self.quirks.rubbish_mailbox_ids {
            items.push_str(" MAILBOXID");
        }
        items
    }

    /// What finds mailboxes that are not ours, beside which `*` may stop (RFC 2342, 5).
    fn foreign(&self, end: &'static [u8]) -> impl Iterator<Item = Vec<u8>> {
        let foreign = self.namespaces.iter().filter(|n| n.space != Space::Personal && !n.prefix.is_empty());
        // News groups are no mail, and there may be very many.
        foreign.filter(|n| !n.prefix.starts_with(b"#")).map(|n| [&n.prefix[..], end].concat())
    }

    fn list_extended(&self) -> Command {
        let mut back = "SUBSCRIBED".to_owned();
        if self.caps.special_use {
            back.push_str(" SPECIAL-USE");
        }
        if self.caps.list_status {
            back.push_str(&format!(" STATUS ({})", self.status_items()));
        }
        let mut command = Command::new("LIST \"\" ");
        let mut foreign = self.foreign(b"*").peekable();
        if foreign.peek().is_some() {
            command = command.text("(\"*\"");
            for pattern in foreign {
                command = command.text(" ").string(&pattern);
            }
            command = command.text(")");
        } else {
            command = command.text("\"*\"");
        }
        command.text(&format!(" RETURN ({back})"))
    }

    pub(super) fn list_all(&mut self) -> Result<Vec<ListedMailbox>> {
        let mut listing = Listing::default();
        if self.has("LIST-EXTENDED") {
            let command = self.list_extended();
            self.conn.run(&command, &mut |data| Ok(listing.take(data)))?;
        } else {
            let mut all = vec![Command::new("LIST \"\" \"*\"")];
            all.extend(self.foreign(b"*").map(|pattern| Command::new("LIST \"\" ").string(&pattern)));
            all.push(Command::new("LSUB \"\" \"*\""));
            for done in self.conn.run_all(&all, &mut |data| Ok(listing.take(data)))? {
                done?;
            }
        }
        let Listing { mut found, counts } = listing;
        for (path, status) in counts {
            if let Some(l) = found.get_mut(&path) {
                l.status = Some(status);
            }
        }
        for l in found.values_mut() {
            // Some servers tell it along: whoever has all wants to know nothing of the sort.
            (l.space, l.leaf) = (self.space(&l.path), false);
        }
        Ok(found.into_values().collect())
    }

    pub(super) fn list_below(&mut self, of: Option<&ListedMailbox>) -> Result<Vec<ListedMailbox>> {
        let prefix = match of {
            None => Vec::new(),
            Some(ListedMailbox { path, delimiter: Some(d), .. }) => [&self.name(path)[..], d.to_string().as_bytes()].concat(),
            Some(_) => return Ok(Vec::new()),
        };
        let mut patterns = vec![[&prefix[..], b"%"].concat()];
        patterns.extend(self.foreign(b"%").filter(|_| of.is_none()));
        let extended = self.has("LIST-EXTENDED");
        let back =
            if self.caps.special_use { " RETURN (SUBSCRIBED CHILDREN SPECIAL-USE)" } else { " RETURN (SUBSCRIBED CHILDREN)" };
        let list = |pattern: &Vec<u8>| Command::new("LIST \"\" ").string(pattern).text(if extended { back } else { "" });
        let mut all: Vec<Command> = patterns.iter().map(list).collect();
        if !extended {
            all.extend(patterns.iter().map(|pattern| Command::new("LSUB \"\" ").string(pattern)));
        }
        let mut listing = Listing::default();
        for done in self.conn.run_all(&all, &mut |data| Ok(listing.take(data)))? {
            done?;
        }
        let mut found: Vec<ListedMailbox> = listing.found.into_values().collect();
        // A name may have letters in it that stand for others in a pattern.
        found.retain(|l| of.is_none() || self.name(&l.path).starts_with(&prefix));
        found.iter_mut().for_each(|l| l.space = self.space(&l.path));
        Ok(found)
    }

    /// Whose a mailbox of that name is: by the longest prefix that fits.
    pub(super) fn space(&self, path: &MailboxPath) -> Space {
        let wire = self.name(path);
        let fits = self.namespaces.iter().filter(|n| wire.starts_with(&n.prefix));
        fits.max_by_key(|n| n.prefix.len()).map_or(Space::Personal, |n| n.space)
    }

    /// News with the space of the mailbox they are about.
    pub(super) fn placed(&self, mut news: MailboxNews) -> MailboxNews {
        if let MailboxNews::Listed(l) | MailboxNews::Renamed { to: l, .. } = &mut news {
            l.space = self.space(&l.path);
        }
        news
    }

    /// How many octets of mail a mailbox has; nothing if the server cannot say (STATUS=SIZE, RFC 8438). Never asked along with
    /// the counts: a server that was not asked before looks at each message for it.
    ///
    /// # Errors
    /// As for every command.
    pub fn size(&mut self, path: &MailboxPath) -> Result<Option<u64>> {
        if self.caps.status_size { Ok(self.status_of(path, "SIZE")?.size) } else { Ok(None) }
    }

    pub(super) fn counts(&mut self, path: &MailboxPath) -> Result<MailboxStatus> {
        let items = self.status_items();
        self.status_of(path, &items)
    }

    fn status_of(&mut self, path: &MailboxPath, items: &str) -> Result<MailboxStatus> {
        let command = self.naming(Command::new("STATUS "), path).text(&format!(" ({items})"));
        let mut found = None;
        self.conn.run(&command, &mut |data| match data {
            Untagged::Counts { path: of, status, .. } if of == *path => {
                found = Some(status);
                Ok(true)
            }
            _ => Ok(false),
        })?;
        found.ok_or_else(|| untold("no counts were given"))
    }

    pub(super) fn make(&mut self, path: &MailboxPath) -> Result<()> {
        let command = self.naming(Command::new("CREATE "), path);
        match self.simply(&command) {
            Err(NetError { kind: NetErrorKind::No { code }, .. }) if code == "ALREADYEXISTS" => Ok(()),
            // Cyrus 3.6 says it in words alone.
            Err(e) if matches!(&e.kind, NetErrorKind::No { code } if code.is_empty()) && self.is_there(path)? => Ok(()),
            other => other,
        }
    }

    /// Whether there is a mailbox of this name that holds mail.
    fn is_there(&mut self, path: &MailboxPath) -> Result<bool> {
        let (command, mut there) = (self.naming(Command::new("LIST \"\" "), path), false);
        self.conn.run(&command, &mut |data| {
            let Untagged::List(listed, _) = data else { return Ok(false) };
            // Letters that stand for others in LIST find more than this one.
            there |= listed.path == *path && listed.selectable;
            Ok(true)
        })?;
        Ok(there)
    }

    pub(super) fn rename_to(&mut self, from: &MailboxPath, to: &MailboxPath) -> Result<()> {
        let command = self.naming(self.naming(Command::new("RENAME "), from).text(" "), to);
        self.simply(&command)
    }

    pub(super) fn destroy(&mut self, path: &MailboxPath) -> Result<()> {
        let command = self.naming(Command::new("DELETE "), path);
        self.simply(&command)
    }

    pub(super) fn limits(&mut self, path: &MailboxPath) -> Result<Vec<Quota>> {
        let mut all = Vec::new();
        let command = self.naming(Command::new("GETQUOTAROOT "), path);
        self.conn.run(&command, &mut |data| match data {
            Untagged::Quota(quota) if all.len() < MAX_ROOTS => {
                all.push(quota);
                Ok(true)
            }
            _ => Ok(false),
        })?;
        Ok(all)
    }

    pub(super) fn my_rights(&mut self, paths: &[MailboxPath]) -> Result<Vec<Result<Rights>>> {
        let mut found: Vec<Option<Rights>> = vec![None; paths.len()];
        let commands: Vec<Command> = paths.iter().map(|path| self.naming(Command::new("MYRIGHTS "), path)).collect();
        let answers = self.conn.run_all(&commands, &mut |data| match data {
            Untagged::Rights(of, rights) => {
                let place = paths.iter().position(|path| *path == of).and_then(|n| found.get_mut(n));
                Ok(place.map(|place| *place = Some(rights)).is_some())
            }
            _ => Ok(false),
        })?;
        let told = answers.into_iter().zip(found);
        Ok(told.map(|(answer, rights)| answer.and_then(|_| rights.ok_or_else(|| untold("no rights were given")))).collect())
    }
}

fn untold(text: &str) -> NetError {
    NetError::new(NetErrorKind::No { code: String::new() }, text)
}
