//! store — a local account as a [`MailStore`].
//! Owns: `LocalStore`, `deliver`.
//! May import: mail, base.
//! Start reading at: `LocalStore::look`, by which every verb first sees the maildir as it is. The verbs that change something
//! are in `change.rs`.

use super::folders::Folders;
use super::maildir::{Base, Found, Letters, Maildir, size_and_time};
use super::uidlist::{Lock, Messages, Uidlist};
use super::watch::{self, Event, Watch};
use crate::base::cancel::Cancel;
use crate::base::gate;
use crate::base::waker::Waker;
use crate::mail::envelope::MessageId;
use crate::mail::flags::{Flag, FlagDelta, Flags};
use crate::mail::mailbox::MailboxPath;
use crate::mail::server::{
    Caps, CopiedUids, EnvelopeSeen, Fingerprint, FlagsSeen, IdentitySeen, ListedMailbox, MailboxStatus, Resync, Selected,
};
use crate::mail::uid::{ModSeq, Uid, UidSet, UidValidity};
use crate::mail::{parse, structure};
use crate::net::error::{NetError, NetErrorKind, Result};
use crate::net::session::{Bodies, Excerpt, Idle, MailStore, PART, PartGot, Sink, Traffic, Windows};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

/// How much of a message is read for its headers.
const HEADERS: u64 = 256 * 1024;
/// Of a larger message only the headers are read for its row.
const WHOLE: u64 = 64 * 1024 * 1024;

/// Delivers a message into the inbox of the local account at `root`, as a mail server would: submission without a server.
///
/// # Errors
/// That the folder cannot be written, or what reading says; then nothing was delivered.
pub fn deliver(root: &Path, from: &mut dyn Read) -> Result<()> {
    let maildir = Folders::open(root)?.existing(&MailboxPath::inbox())?;
    Ok(maildir.deliver(from)?)
}

/// The selected mailbox.
pub(super) struct Open {
    pub(super) maildir: Maildir,
    pub(super) read_only: bool,
    pub(super) watch: Option<Watch>,
    pub(super) list: Uidlist,
    pub(super) messages: Messages,
    pub(super) letters: Letters,
    /// Something changed that the watch may not have told.
    pub(super) stale: bool,
}

impl Open {
    pub(super) fn chosen<'a>(&'a self, uids: &'a UidSet) -> impl Iterator<Item = (Uid, &'a Base, &'a Found)> {
        self.messages.iter().filter(|(uid, _)| uids.contains(**uid)).map(|(uid, (base, found))| (*uid, base, found))
    }
}

/// A local account, as one connection to it.
pub struct LocalStore {
    pub(super) folders: Folders,
    waker: Waker,
    pub(super) cancel: Cancel,
    pub(super) open: Option<Open>,
    news: bool,
    watches: bool,
    pub(super) traffic: Traffic,
}

impl LocalStore {
    /// Opens the maildirs below `root`; an inbox is made if there is nothing.
    ///
    /// # Errors
    /// That the folder cannot be made or read.
    pub fn open(root: &Path, waker: &Waker, cancel: &Cancel) -> Result<Self> {
        let folders = Folders::open(root)?;
        let inbox = folders.existing(&MailboxPath::inbox())?;
        Ok(Self {
            watches: Watch::new(&inbox).is_ok(),
            folders,
            waker: waker.clone(),
            cancel: cancel.clone(),
            open: None,
            news: false,
            traffic: Traffic::default(),
        })
    }

    pub(super) fn live(&self) -> Result<()> {
        if self.cancel.is_set() { Err(NetError::cancelled()) } else { Ok(()) }
    }

    /// The selected mailbox as it is now. Changes that were not ours become news.
    pub(super) fn look(&mut self) -> Result<&mut Open> {
        self.live()?;
        let open = self.open.as_mut().ok_or_else(|| NetError::protocol("no mailbox is selected"))?;
        let stirred = open.watch.as_ref().is_none_or(Watch::take);
        if stirred || open.stale {
            let lock = Lock::take(&open.maildir, &self.cancel)?;
            let (list, messages) = Uidlist::refresh(&open.maildir, &lock)?;
            if list.validity != open.list.validity {
                return Err(NetError::new(NetErrorKind::Bye, "the folder was numbered anew"));
            }
            let letters = open.maildir.letters()?;
            let flags = |messages: &Messages, letters: &Letters| -> Vec<(Uid, Flags)> {
                messages.iter().map(|(uid, (_, found))| (*uid, found.flags(letters))).collect()
            };
            if messages != open.messages || letters != open.letters {
                self.news |= flags(&messages, &letters) != flags(&open.messages, &open.letters);
            }
            (open.list, open.messages, open.letters, open.stale) = (list, messages, letters, false);
        }
        Ok(open)
    }

    /// Does `act` to the file of each of `uids`; a file that was renamed meanwhile is looked for once more, one that
    /// is gone is left out.
    pub(super) fn each(&mut self, uids: &UidSet, act: &mut dyn FnMut(&mut Self, Uid, &Base, &Found) -> Result<()>) -> Result<()> {
        let all: Vec<(Uid, Base, Found)> = self.look()?.chosen(uids).map(|(u, b, f)| (u, b.clone(), f.clone())).collect();
        for (uid, base, found) in all {
            self.live()?;
            match act(self, uid, &base, &found) {
                Err(e) if e.kind == NetErrorKind::Io(io::ErrorKind::NotFound) => {
                    let open = self.open.as_mut().ok_or_else(|| NetError::protocol("no mailbox is selected"))?;
                    open.stale = true;
                    let again = self.look()?.messages.get(&uid).cloned();
                    if let Some((base, found)) = again {
                        act(self, uid, &base, &found)?;
                    }
                }
                other => other?,
            }
        }
        Ok(())
    }

    pub(super) fn path_of(&self, found: &Found) -> Result<std::path::PathBuf> {
        let open = self.open.as_ref().ok_or_else(|| NetError::protocol("no mailbox is selected"))?;
        Ok(open.maildir.file(found))
    }

    fn read(&mut self, found: &Found, limit: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(self.path_of(found)?)?.take(limit).read_to_end(&mut bytes)?;
        self.traffic.received += bytes.len() as u64;
        Ok(bytes)
    }

    fn print(&mut self, found: &Found) -> Result<Fingerprint> {
        let (size, received) = size_and_time(&self.path_of(found)?)?;
        let bytes = self.read(found, HEADERS)?;
        let _shut = gate::reading();
        Ok(Fingerprint { message_id: parse::envelope(&bytes).message_id, size, received, object_id: String::new() })
    }

    fn row(&mut self, uid: Uid, found: &Found) -> Result<EnvelopeSeen> {
        let (size, received) = size_and_time(&self.path_of(found)?)?;
        let bytes = self.read(found, if size > WHOLE { HEADERS } else { WHOLE })?;
        let flags = self.open.as_ref().map(|o| found.flags(&o.letters)).unwrap_or_default();
        let _shut = gate::reading();
        let message = parse::message(bytes);
        let parts = if size > WHOLE { Vec::new() } else { structure::attachments(&message) };
        let attachments = Some(parts.into_iter().filter(|a| !a.related).map(|a| a.name).collect());
        let envelope = message.envelope.into();
        Ok(EnvelopeSeen { uid, flags, modseq: ModSeq(0), received, size, envelope, attachments, object_id: String::new() })
    }
}

/// Collects rows into parts.
fn flush<T>(rows: &mut Vec<T>, at: usize, sink: &mut Sink<'_, T>) -> Result<()> {
    if rows.len() < at || rows.is_empty() { Ok(()) } else { sink(std::mem::take(rows)) }
}

impl MailStore for LocalStore {
    fn caps(&self) -> Caps {
        Caps {
            moves: true,
            uidplus: true,
            idle: self.watches,
            special_use: true,
            esearch: true,
            binary: true,
            unselect: true,
            ..Caps::default()
        }
    }

    fn list(&mut self) -> Result<Vec<ListedMailbox>> {
        self.live()?;
        self.folders.list()
    }

    fn status(&mut self, path: &MailboxPath) -> Result<MailboxStatus> {
        self.live()?;
        let maildir = self.folders.existing(path)?;
        let lock = Lock::take(&maildir, &self.cancel)?;
        let (list, messages) = Uidlist::refresh(&maildir, &lock)?;
        let letters = Letters::default();
        let unseen = messages.values().filter(|(_, found)| !found.flags(&letters).has(Flag::Seen)).count();
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Ok(MailboxStatus {
            messages: count(messages.len()),
            unseen: count(unseen),
            uidnext: list.next,
            uidvalidity: list.validity,
            highestmodseq: ModSeq(0),
            size: None,
            object_id: String::new(),
        })
    }

    fn unselect(&mut self) -> Result<()> {
        self.live()?;
        self.open = None;
        self.news = false;
        Ok(())
    }

    fn select(&mut self, path: &MailboxPath, read_only: bool, _: Option<&Resync>) -> Result<Selected> {
        self.live()?;
        self.open = None;
        let maildir = self.folders.existing(path)?;
        let watch = if self.watches { Watch::new(&maildir).ok() } else { None };
        let lock = Lock::take(&maildir, &self.cancel)?;
        let (list, messages) = Uidlist::refresh(&maildir, &lock)?;
        let letters = maildir.letters()?;
        let selected = Selected {
            uidvalidity: list.validity,
            uidnext: list.next,
            exists: u32::try_from(messages.len()).unwrap_or(u32::MAX),
            highestmodseq: ModSeq(0),
            read_only,
            permanent_flags: Some(Flags::from_bits(u8::MAX)),
            new_keywords: letters.has_room(),
            ..Selected::default()
        };
        self.open = Some(Open { maildir, read_only, watch, list, messages, letters, stale: false });
        self.news = false;
        Ok(selected)
    }

    fn fetch_flags(&mut self, uids: &UidSet, _: Option<ModSeq>, mut sink: Sink<'_, FlagsSeen>) -> Result<()> {
        let open = self.look()?;
        let mut rows = Vec::new();
        for (uid, _, found) in open.chosen(uids) {
            rows.push(FlagsSeen { uid, flags: found.flags(&open.letters), modseq: ModSeq(0) });
            flush(&mut rows, PART, &mut sink)?;
        }
        flush(&mut rows, 1, &mut sink)
    }

    fn uids_between(&mut self, from: u32, to: u32) -> Result<UidSet> {
        Ok(self.look()?.messages.keys().copied().filter(|u| (from..=to).contains(&u.get())).collect())
    }

    fn fetch_envelopes(&mut self, uids: &UidSet, to: Windows<'_>) -> Result<()> {
        // Nothing is waited for between two windows.
        let mut sink: Sink<'_, EnvelopeSeen> = &mut |rows| to(rows).map(drop);
        let mut rows = Vec::new();
        self.each(uids, &mut |me, uid, _, found| {
            rows.push(me.row(uid, found)?);
            flush(&mut rows, PART, &mut sink)
        })?;
        flush(&mut rows, 1, &mut sink)
    }

    fn identify_in_parts(&mut self, uids: &UidSet, mut sink: Sink<'_, IdentitySeen>) -> Result<()> {
        let mut rows = Vec::new();
        self.each(uids, &mut |me, uid, _, found| {
            rows.push(IdentitySeen { uid, print: me.print(found)? });
            flush(&mut rows, PART, &mut sink)
        })?;
        flush(&mut rows, 1, &mut sink)
    }

    fn fetch_body(&mut self, uid: Uid, to: &mut dyn Write) -> Result<Option<u64>> {
        self.read_whole(uid, to)
    }

    fn fetch_bodies(&mut self, uids: &UidSet, to: &mut dyn Bodies) -> Result<()> {
        self.read_many(uids, to)
    }

    fn fetch_part(&mut self, uid: Uid, piece: &Excerpt<'_>, to: &mut dyn Write) -> Result<Option<PartGot>> {
        self.read_part(uid, piece, to)
    }

    fn store_flags(&mut self, uids: &UidSet, delta: &FlagDelta) -> Result<()> {
        self.change_flags(uids, delta)
    }

    fn move_to(&mut self, uids: &UidSet, to: &MailboxPath) -> Result<Option<CopiedUids>> {
        self.transfer(uids, to, true)
    }

    fn copy_to(&mut self, uids: &UidSet, to: &MailboxPath) -> Result<Option<CopiedUids>> {
        self.transfer(uids, to, false)
    }

    fn uid_expunge(&mut self, uids: &UidSet) -> Result<()> {
        self.expunge_marked(uids)
    }

    fn append(
        &mut self,
        path: &MailboxPath,
        flags: &Flags,
        received: i64,
        size: u64,
        from: &mut dyn Read,
    ) -> Result<Option<(UidValidity, Uid)>> {
        self.add(path, flags, received, size, from)
    }

    fn create(&mut self, path: &MailboxPath) -> Result<()> {
        self.live()?;
        self.folders.create(path)
    }

    fn rename(&mut self, path: &MailboxPath, to: &MailboxPath) -> Result<()> {
        self.live()?;
        self.open = None;
        self.folders.rename(path, to)
    }

    fn delete(&mut self, path: &MailboxPath) -> Result<()> {
        self.live()?;
        self.open = None;
        self.folders.delete(path)
    }

    fn subscribe(&mut self, path: &MailboxPath, on: bool) -> Result<()> {
        self.live()?;
        self.folders.subscribe(path, on)
    }

    fn idle(&mut self, limit: Duration) -> Result<Idle> {
        loop {
            self.look()?;
            if self.news {
                return Ok(Idle::Changed);
            }
            let watch = self.open.as_ref().and_then(|o| o.watch.as_ref());
            match watch::wait(watch, &self.waker, &self.cancel, limit)? {
                // Perhaps it was ourselves.
                Event::Stirred => self.open.iter_mut().for_each(|o| o.stale = true),
                Event::Woken => return Ok(Idle::Woken),
                Event::TimedOut => {
                    self.look()?;
                    return Ok(if self.news { Idle::Changed } else { Idle::TimedOut });
                }
            }
        }
    }

    fn search_message_id(&mut self, id: &MessageId) -> Result<UidSet> {
        let mut found = UidSet::new();
        self.each(&UidSet::range(1, u32::MAX), &mut |me, uid, _, file| {
            if me.print(file)?.message_id.as_ref() == Some(id) {
                found.insert(uid);
            }
            Ok(())
        })?;
        Ok(found)
    }

    fn exists(&self) -> u32 {
        self.open.as_ref().map_or(0, |o| u32::try_from(o.messages.len()).unwrap_or(u32::MAX))
    }

    fn changed(&mut self) -> bool {
        std::mem::take(&mut self.news)
    }

    fn noop(&mut self) -> Result<()> {
        if self.open.is_some() { self.look().map(drop) } else { self.live() }
    }

    fn logout(&mut self) {
        self.open = None;
    }

    fn traffic(&self) -> Traffic {
        self.traffic
    }
}
