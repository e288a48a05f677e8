//! change — changing messages of a local account: flags, move, copy, expunge, append.
//! Owns: the verbs of [`LocalStore`] that change something.
//! May import: mail, base.
//! Start reading at: `transfer`. Changes are made so that a crash at any point leaves each message in exactly one place: a new
//! number is on the disk before its file appears, and files are only ever renamed.

use super::maildir::{Base, Found, Maildir, size_and_time};
use super::store::LocalStore;
use super::uidlist::{Lock, Uidlist};
use crate::base::crash;
use crate::mail::flags::{Flag, FlagDelta, Flags};
use crate::mail::mailbox::MailboxPath;
use crate::mail::server::CopiedUids;
use crate::mail::uid::{Uid, UidSet, UidValidity};
use crate::net::error::{NetError, NetErrorKind, Result};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

impl LocalStore {
    pub(super) fn change_flags(&mut self, uids: &UidSet, delta: &FlagDelta) -> Result<()> {
        let cancel = self.cancel.clone();
        let open = self.look()?;
        if open.read_only {
            return Err(read_only());
        }
        let maildir = open.maildir.clone();
        {
            let _lock = Lock::take(&maildir, &cancel)?;
            let mut letters = maildir.letters()?;
            maildir.learn(&mut letters, delta.add()).map_err(no_letters)?;
            open.letters = letters;
        }
        self.each(uids, &mut |me, uid, base, found| {
            let open = me.open.as_mut().ok_or_else(|| NetError::protocol("no mailbox is selected"))?;
            let flags = delta.apply(&found.flags(&open.letters));
            let renamed = open.maildir.set_flags(base, found, &flags, &open.letters)?;
            open.messages.insert(uid, (base.clone(), renamed));
            Ok(())
        })?;
        Ok(maildir.sync("cur")?)
    }

    /// Moves or copies. Numbers and letters first, then the files one by one.
    pub(super) fn transfer(&mut self, uids: &UidSet, to: &MailboxPath, moves: bool) -> Result<Option<CopiedUids>> {
        let target = self.folders.existing(to)?;
        let cancel = self.cancel.clone();
        let open = self.look()?;
        if moves && open.read_only {
            return Err(read_only());
        }
        let mut keywords = Flags::new();
        let source: Vec<(Uid, Base, Found, Flags)> =
            open.chosen(uids).map(|(u, b, f)| (u, b.clone(), f.clone(), f.flags(&open.letters))).collect();
        for keyword in source.iter().flat_map(|(.., flags)| flags.keywords()) {
            keywords.insert_keyword(keyword.clone());
        }
        // Only ever one lock at a time: no two programs can wait for each other.
        let lock = Lock::take(&target, &cancel)?;
        let (mut list, _) = Uidlist::refresh(&target, &lock)?;
        let mut letters = target.letters()?;
        target.learn(&mut letters, &keywords).map_err(no_letters)?;
        let mut plan = Vec::new();
        for (uid, old, found, flags) in source {
            let base = Base::fresh()?;
            plan.push((uid, old, found, list.give(base.clone())?, target.place(&base, &flags, &letters), base));
        }
        list.save(&target, &lock)?;
        let mut pairs = Vec::new();
        for (uid, old, found, given, place, base) in plan {
            let gone = |r: &Result<()>| r.as_ref().is_err_and(|e| e.kind == NetErrorKind::Io(io::ErrorKind::NotFound));
            let mut done = put(&open.maildir.file(&found), &place, &target, &base, moves);
            if gone(&done)
                && let Some(renamed) = open.maildir.scan()?.get(&old)
            {
                done = put(&open.maildir.file(renamed), &place, &target, &base, moves);
            }
            if !gone(&done) {
                done?;
                crash::step("one file of many");
                pairs.push((uid, given));
            }
        }
        target.sync("cur")?;
        if moves {
            open.maildir.sync("cur")?;
            pairs.iter().for_each(|(uid, _)| drop(open.messages.remove(uid)));
        }
        Ok(Some(CopiedUids { uidvalidity: list.validity, pairs }).filter(|c| !c.pairs.is_empty()))
    }

    pub(super) fn expunge_marked(&mut self, uids: &UidSet) -> Result<()> {
        if self.look()?.read_only {
            return Err(read_only());
        }
        self.each(uids, &mut |me, uid, _, found| {
            let path = me.path_of(found)?;
            let open = me.open.as_mut().ok_or_else(|| NetError::protocol("no mailbox is selected"))?;
            if found.flags(&open.letters).has(Flag::Deleted) {
                fs::remove_file(path)?;
                open.messages.remove(&uid);
            }
            Ok(())
        })?;
        Ok(self.look()?.maildir.sync("cur")?)
    }

    pub(super) fn add(
        &mut self,
        path: &MailboxPath,
        flags: &Flags,
        received: i64,
        size: u64,
        from: &mut dyn Read,
    ) -> Result<Option<(UidValidity, Uid)>> {
        self.live()?;
        let maildir = self.folders.existing(path)?;
        let base = Base::fresh()?;
        let staged = maildir.stage(&base, from, Some(size), Some(received))?;
        self.traffic.sent += size;
        let placed = (|| {
            let lock = Lock::take(&maildir, &self.cancel)?;
            let (mut list, _) = Uidlist::refresh(&maildir, &lock)?;
            let mut letters = maildir.letters()?;
            maildir.learn(&mut letters, flags).map_err(no_letters)?;
            let uid = list.give(base.clone())?;
            list.save(&maildir, &lock)?;
            fs::rename(&staged, maildir.place(&base, flags, &letters))?;
            maildir.sync("cur")?;
            Ok(Some((list.validity, uid)))
        })();
        if placed.is_err() {
            // The first error is the one to tell.
            let _ = fs::remove_file(&staged);
        }
        placed
    }
}

/// Puts the file at `from` to `place` in `target`; by way of a copy where that is another file system.
fn put(from: &Path, place: &Path, target: &Maildir, base: &Base, moves: bool) -> Result<()> {
    let direct = if moves { fs::rename(from, place) } else { fs::hard_link(from, place) };
    match direct {
        Err(e)
            if matches!(
                e.kind(),
                io::ErrorKind::CrossesDevices | io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported
            ) =>
        {
            let (size, received) = size_and_time(from)?;
            let staged = target.stage(base, &mut File::open(from)?, Some(size), Some(received))?;
            fs::rename(staged, place)?;
            if moves { Ok(fs::remove_file(from)?) } else { Ok(()) }
        }
        other => Ok(other?),
    }
}

fn read_only() -> NetError {
    NetError::new(NetErrorKind::No { code: "READ-ONLY".to_owned() }, "the mailbox was opened for reading")
}

fn no_letters(e: io::Error) -> NetError {
    if e.kind() == io::ErrorKind::Other {
        return NetError::new(NetErrorKind::No { code: "CANNOT".to_owned() }, "a maildir can hold 26 keywords");
    }
    e.into()
}
