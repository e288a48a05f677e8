//! store — IMAP as a [`MailStore`]: connection-wide verbs.
//! Owns: `ImapStore`, capabilities, mailboxes, IDLE.
//! May import: mail, base.
//! Start reading at: `ImapStore::open`. The verbs on messages are in `fetch.rs` and `change.rs`.

use super::conn::{Command, Conn};
use super::login;
use super::untagged::{Untagged, modseq};
use super::value;
use crate::base::cancel::Cancel;
use crate::base::gate::Permit;
use crate::base::safetext::SafeText;
use crate::base::secret::Secret;
use crate::base::waker::Waker;
use crate::mail::envelope::MessageId;
use crate::mail::flags::{FlagDelta, Flags};
use crate::mail::mailbox::MailboxPath;
use crate::mail::server::{Caps, CopiedUids, EnvelopeSeen, FlagsSeen, IdentitySeen, ListedMailbox, MailboxStatus, Selected};
use crate::mail::uid::{ModSeq, Uid, UidSet, UidValidity};
use crate::net::error::{NetError, NetErrorKind, Result};
use crate::net::session::{Endpoint, Idle, MailStore, Sink, Traffic};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::time::Duration;

/// The most mailboxes that are listed.
const MAX_MAILBOXES: usize = 100_000;
/// The longest IDLE; servers log a silent client out after 30 minutes (RFC 2177).
pub const MAX_IDLE: Duration = Duration::from_secs(28 * 60);
/// How long a good-bye is waited for.
const LOGOUT: Duration = Duration::from_secs(2);

/// A logged-in IMAP connection.
pub struct ImapStore {
    pub(super) conn: Conn,
    pub(super) caps: Caps,
    words: Vec<String>,
    pub(super) selected: Option<Selected>,
}

impl ImapStore {
    /// Connects and logs in.
    ///
    /// # Errors
    /// See [`NetErrorKind`]; `LoginRefused` for a wrong password.
    pub fn open(
        permit: Permit,
        endpoint: &Endpoint,
        user: &str,
        secret: &Secret,
        waker: &Waker,
        cancel: &Cancel,
    ) -> Result<Self> {
        let (conn, words) = login::open(permit, endpoint, user, secret, waker, cancel)?;
        let has = |word: &str| words.iter().any(|w| w == word);
        let caps = Caps {
            moves: has("MOVE"),
            uidplus: has("UIDPLUS"),
            condstore: has("CONDSTORE") || has("QRESYNC"),
            idle: has("IDLE"),
            special_use: has("SPECIAL-USE"),
            esearch: has("ESEARCH"),
            list_status: has("LIST-STATUS"),
            object_id: has("OBJECTID") || has("X-GM-EXT-1"),
        };
        Ok(Self { conn, caps, words, selected: None })
    }

    /// What the server said it can do, in upper case.
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.words
    }

    pub(super) fn has(&self, word: &str) -> bool {
        self.words.iter().any(|w| w == word)
    }

    /// Runs a command whose untagged data mean nothing to it.
    pub(super) fn simply(&mut self, command: &Command) -> Result<()> {
        self.conn.run(command, &mut |_| Ok(false)).map(drop)
    }

    fn status_items(&self) -> &'static str {
        if self.caps.condstore {
            "(MESSAGES UNSEEN UIDNEXT UIDVALIDITY HIGHESTMODSEQ)"
        } else {
            "(MESSAGES UNSEEN UIDNEXT UIDVALIDITY)"
        }
    }

    fn list_extended(&self) -> Command {
        let mut back = "SUBSCRIBED".to_owned();
        if self.caps.special_use {
            back.push_str(" SPECIAL-USE");
        }
        if self.caps.list_status {
            back.push_str(" STATUS ");
            back.push_str(self.status_items());
        }
        Command::new(&format!("LIST \"\" \"*\" RETURN ({back})"))
    }
}

impl MailStore for ImapStore {
    fn caps(&self) -> Caps {
        self.caps
    }

    fn list(&mut self) -> Result<Vec<ListedMailbox>> {
        let extended = self.has("LIST-EXTENDED");
        let mut found: BTreeMap<MailboxPath, ListedMailbox> = BTreeMap::new();
        let mut counts = Vec::new();
        let command = if extended { self.list_extended() } else { Command::new("LIST \"\" \"*\"") };
        self.conn.run(&command, &mut |data| {
            match data {
                Untagged::List(l) if found.len() < MAX_MAILBOXES => {
                    // The same name twice is one mailbox (security S-25).
                    found.entry(l.path.clone()).or_insert(l);
                }
                Untagged::Counts(path, status) if counts.len() < MAX_MAILBOXES => counts.push((path, status)),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        if !extended {
            self.conn.run(&Command::new("LSUB \"\" \"*\""), &mut |data| {
                if let Untagged::Lsub(path) = &data
                    && let Some(l) = found.get_mut(path)
                {
                    l.subscribed = true;
                }
                Ok(matches!(data, Untagged::Lsub(_)))
            })?;
        }
        for (path, status) in counts {
            if let Some(l) = found.get_mut(&path) {
                l.status = Some(status);
            }
        }
        Ok(found.into_values().collect())
    }

    fn status(&mut self, path: &MailboxPath) -> Result<MailboxStatus> {
        let command = Command::new("STATUS ").string(&path.to_wire()).text(" ").text(self.status_items());
        let mut found = None;
        self.conn.run(&command, &mut |data| match data {
            Untagged::Counts(of, status) if of == *path => {
                found = Some(status);
                Ok(true)
            }
            _ => Ok(false),
        })?;
        found.ok_or_else(|| NetError::new(NetErrorKind::No { code: String::new() }, "no counts were given"))
    }

    fn select(&mut self, path: &MailboxPath, read_only: bool) -> Result<Selected> {
        let verb = if read_only { "EXAMINE " } else { "SELECT " };
        let mut command = Command::new(verb).string(&path.to_wire());
        if self.caps.condstore {
            command = command.text(" (CONDSTORE)");
        }
        self.selected = None;
        self.conn.core().news = super::core::News::default();
        let mut s = Selected { read_only, ..Selected::default() };
        let small = |args: &[u8]| value::number(args).and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
        let done = self.conn.run(&command, &mut |data| {
            match data {
                Untagged::Exists(n) => s.exists = n,
                Untagged::Status(code) => match code.code.as_str() {
                    "UIDVALIDITY" => s.uidvalidity = UidValidity(small(code.args)),
                    "UIDNEXT" => s.uidnext = small(code.args),
                    "HIGHESTMODSEQ" => s.highestmodseq = value::number(code.args).map_or(ModSeq(0), modseq),
                    "PERMANENTFLAGS" => {
                        let list = value::parse(code.args);
                        s.new_keywords = list.first().is_some_and(|l| l.items().iter().any(|v| v.is("\\*")));
                        s.permanent_flags = list.first().map(super::untagged::flags);
                    }
                    _ => {}
                },
                _ => {}
            }
            Ok(true)
        })?;
        s.read_only |= done.code == "READ-ONLY";
        self.conn.core().news.changed = false;
        self.selected = Some(s.clone());
        Ok(s)
    }

    fn fetch_flags(&mut self, uids: &UidSet, since: Option<ModSeq>, sink: Sink<'_, FlagsSeen>) -> Result<()> {
        self.fetch_flags_of(uids, since, sink)
    }

    fn uids(&mut self, from: u32) -> Result<UidSet> {
        self.uids_from(from)
    }

    fn fetch_envelopes(&mut self, uids: &UidSet, sink: Sink<'_, EnvelopeSeen>) -> Result<()> {
        self.fetch_envelopes_of(uids, sink)
    }

    fn identify(&mut self, uids: &UidSet) -> Result<Vec<IdentitySeen>> {
        self.identify_all(uids)
    }

    fn fetch_body(&mut self, uid: Uid, to: &mut dyn Write) -> Result<Option<u64>> {
        self.fetch_whole(uid, to)
    }

    fn store_flags(&mut self, uids: &UidSet, delta: &FlagDelta) -> Result<()> {
        self.change_flags(uids, delta)
    }

    fn move_to(&mut self, uids: &UidSet, to: &MailboxPath) -> Result<Option<CopiedUids>> {
        self.transfer("UID MOVE ", uids, to)
    }

    fn copy_to(&mut self, uids: &UidSet, to: &MailboxPath) -> Result<Option<CopiedUids>> {
        self.transfer("UID COPY ", uids, to)
    }

    fn uid_expunge(&mut self, uids: &UidSet) -> Result<()> {
        self.expunge_only(uids)
    }

    fn append(
        &mut self,
        path: &MailboxPath,
        flags: &Flags,
        received: i64,
        size: u64,
        from: &mut dyn Read,
    ) -> Result<Option<(UidValidity, Uid)>> {
        self.append_stream(path, flags, received, size, from)
    }

    fn create(&mut self, path: &MailboxPath) -> Result<()> {
        match self.simply(&Command::new("CREATE ").string(&path.to_wire())) {
            Err(NetError { kind: NetErrorKind::No { code }, .. }) if code == "ALREADYEXISTS" => Ok(()),
            other => other,
        }
    }

    fn rename(&mut self, path: &MailboxPath, to: &MailboxPath) -> Result<()> {
        self.simply(&Command::new("RENAME ").string(&path.to_wire()).text(" ").string(&to.to_wire()))
    }

    fn delete(&mut self, path: &MailboxPath) -> Result<()> {
        self.simply(&Command::new("DELETE ").string(&path.to_wire()))
    }

    fn subscribe(&mut self, path: &MailboxPath, on: bool) -> Result<()> {
        let verb = if on { "SUBSCRIBE " } else { "UNSUBSCRIBE " };
        self.simply(&Command::new(verb).string(&path.to_wire()))
    }

    fn idle(&mut self, limit: Duration) -> Result<Idle> {
        self.conn.idle(limit.min(MAX_IDLE))
    }

    fn search_message_id(&mut self, id: &MessageId) -> Result<UidSet> {
        self.search_id(id)
    }

    fn exists(&self) -> u32 {
        self.conn.core().news.exists
    }

    fn changed(&mut self) -> bool {
        std::mem::take(&mut self.conn.core().news.changed)
    }

    fn alerts(&mut self) -> Vec<SafeText> {
        std::mem::take(&mut self.conn.core().alerts)
    }

    fn noop(&mut self) -> Result<()> {
        self.simply(&Command::new("NOOP"))
    }

    fn logout(&mut self) {
        self.conn.core().wire.set_limit(LOGOUT);
        // Whatever it answers, we go.
        let _ = self.simply(&Command::new("LOGOUT"));
    }

    fn traffic(&self) -> Traffic {
        self.conn.core().wire.traffic
    }
}
