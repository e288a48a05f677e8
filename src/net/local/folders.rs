//! folders — which maildirs a local account has, and under which names.
//! Owns: `Folders`: Maildir++ (`.Sent`, `.Lists.rust` beside the inbox), or plain folders below each other.
//! May import: mail, base.
//! Start reading at: `Folders::dir`, the one place where a mailbox's name becomes a path.

use super::maildir::Maildir;
use crate::base::paths;
use crate::mail::mailbox::{MailboxPath, Role};
use crate::mail::server::{ListedMailbox, Space};
use crate::net::error::{NetError, NetErrorKind, Result};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// How deep plain folders are looked for.
const MAX_DEPTH: usize = 16;
/// The most mailboxes.
const MAX: usize = 10_000;

/// How mailboxes are laid out below the account's folder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Layout {
    /// The folder itself is the inbox; the others are `.A.B` in it.
    PlusPlus,
    /// Every mailbox is a folder: `INBOX`, `A/B`.
    Plain,
}

/// The mailboxes of one local account.
#[derive(Clone, Debug)]
pub struct Folders {
    root: PathBuf,
    layout: Layout,
    /// The inbox's folder where mailboxes are plain folders.
    inbox: PathBuf,
}

impl Folders {
    /// Those below `root`, which is made, with an inbox, if there is nothing.
    pub fn open(root: &Path) -> Result<Self> {
        fs::create_dir_all(root)?;
        let mut layout = Layout::PlusPlus;
        let mut inbox = root.to_owned();
        if !Maildir::is(root) {
            for entry in fs::read_dir(root)? {
                let entry = entry?;
                let hidden = entry.file_name().as_bytes().starts_with(b".");
                if !hidden && Maildir::is(&entry.path()) {
                    layout = Layout::Plain;
                    if inbox == root || entry.file_name() == "INBOX" {
                        let is_inbox = entry.file_name().eq_ignore_ascii_case("inbox");
                        inbox = if is_inbox { entry.path() } else { inbox };
                    }
                }
            }
            if layout == Layout::Plain && inbox == root {
                inbox = root.join("INBOX");
            }
        }
        let folders = Self { root: root.to_owned(), layout, inbox };
        Maildir::at(folders.inbox.clone()).create()?;
        Ok(folders)
    }

    /// How mailboxes are laid out.
    pub(super) const fn layout(&self) -> Layout {
        self.layout
    }

    pub(super) const fn delimiter(&self) -> char {
        match self.layout {
            Layout::PlusPlus => '.',
            Layout::Plain => '/',
        }
    }

    /// The maildir of that name, there or not. Never outside of the account's folder.
    pub fn dir(&self, path: &MailboxPath) -> Result<Maildir> {
        if path.is_inbox() {
            return Ok(Maildir::at(self.inbox.clone()));
        }
        let wire = path.to_wire();
        let bad = || NetError::new(NetErrorKind::No { code: "CANNOT".to_owned() }, "no folder can have this name");
        let parts = wire.split(|b| char::from(*b) == self.delimiter());
        for part in parts {
            let taken = matches!(part, b"" | b"cur" | b"new" | b"tmp") || part.starts_with(b".");
            if taken || part.len() > 200 || part.iter().any(|b| matches!(b, b'/' | 0..=31 | 127)) {
                return Err(bad());
            }
        }
        if wire.len() > 240 {
            return Err(bad());
        }
        Ok(Maildir::at(match self.layout {
            Layout::PlusPlus => {
                let mut name = b".".to_vec();
                name.extend_from_slice(&wire);
                self.root.join(OsStr::from_bytes(&name))
            }
            Layout::Plain => self.root.join(OsStr::from_bytes(&wire)),
        }))
    }

    /// The maildir of that name, which is there.
    pub fn existing(&self, path: &MailboxPath) -> Result<Maildir> {
        let maildir = self.dir(path)?;
        if Maildir::is(maildir.dir()) {
            return Ok(maildir);
        }
        Err(NetError::new(NetErrorKind::No { code: "NONEXISTENT".to_owned() }, "there is no such folder"))
    }

    /// All of them.
    pub fn list(&self) -> Result<Vec<ListedMailbox>> {
        let mut paths = BTreeSet::from([MailboxPath::inbox()]);
        match self.layout {
            Layout::PlusPlus => {
                for entry in fs::read_dir(&self.root)? {
                    let entry = entry?;
                    if let Some(name) = entry.file_name().as_bytes().strip_prefix(b".")
                        && Maildir::is(&entry.path())
                    {
                        paths.insert(MailboxPath::from_wire(name));
                    }
                }
            }
            Layout::Plain => self.walk(&self.root, &mut Vec::new(), &mut paths)?,
        }
        // What cannot be opened under its own name is not shown.
        paths.retain(|p| self.dir(p).is_ok());
        let subscribed = self.subscribed()?;
        let delimiter = Some(self.delimiter());
        let listed = paths.into_iter().take(MAX).map(|path| ListedMailbox {
            delimiter,
            selectable: true,
            subscribed: subscribed.as_ref().is_none_or(|s| path.is_inbox() || s.contains(&path)),
            role: if path.is_inbox() { Some(Role::Inbox) } else { Role::from_name(&path.leaf(delimiter)) },
            status: None,
            space: Space::Personal,
            leaf: false,
            path,
        });
        Ok(listed.collect())
    }

    fn walk(&self, dir: &Path, names: &mut Vec<Vec<u8>>, found: &mut BTreeSet<MailboxPath>) -> Result<()> {
        if names.len() >= MAX_DEPTH || found.len() >= MAX {
            return Ok(());
        }
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            let name = entry.file_name();
            let ours = name.as_bytes().starts_with(b".") || ["cur", "new", "tmp"].iter().any(|n| name == *n);
            // A link to a maildir is one; a link to a folder of them could lead in a circle.
            let real = entry.file_type()?.is_dir();
            if ours || (!real && !Maildir::is(&entry.path())) {
                continue;
            }
            names.push(name.as_bytes().to_vec());
            // The inbox is there in any case; what lies in it is not.
            if entry.path() != self.inbox && Maildir::is(&entry.path()) {
                found.insert(MailboxPath::from_wire(&names.join(&b'/')));
            }
            if real {
                self.walk(&entry.path(), names, found)?;
            }
            names.pop();
        }
        Ok(())
    }

    /// Makes a mailbox; one that is there stays as it is. What is no folder stays what it is.
    ///
    /// # Errors
    /// `No` where a file has its name, or that of one that it lies in: only a person can mend that.
    pub fn create(&self, path: &MailboxPath) -> Result<()> {
        let maildir = self.dir(path)?;
        self.room_for(&maildir)?;
        maildir.create()?;
        if self.layout == Layout::PlusPlus && !path.is_inbox() {
            // Tells delivery agents that this is no account's root.
            fs::OpenOptions::new().append(true).create(true).open(maildir.dir().join("maildirfolder"))?;
        }
        Ok(())
    }

    /// Whether a mailbox can lie there: no file has its name, or that of a folder that it needs. What cannot be looked at is said by the
    /// making.
    pub(super) fn room_for(&self, maildir: &Maildir) -> Result<()> {
        // A link to a folder is one; one that leads nowhere is in the way.
        let in_the_way = |at: &Path| fs::metadata(at).map_or_else(|_| fs::symlink_metadata(at).is_ok(), |meta| !meta.is_dir());
        let parts = ["tmp", "new", "cur"].map(|sub| maildir.dir().join(sub));
        let above = maildir.dir().ancestors().take_while(|at| *at != self.root);
        let Some(file) = above.chain(parts.iter().map(PathBuf::as_path)).find(|at| in_the_way(at)) else { return Ok(()) };
        let what = format!("there is a file {}, which is no folder", file.display());
        Err(NetError::new(NetErrorKind::No { code: "CANNOT".to_owned() }, &what))
    }

    /// What is subscribed to; nothing where nobody ever chose: then all is.
    fn subscribed(&self) -> Result<Option<BTreeSet<MailboxPath>>> {
        match fs::read(self.subscriptions()) {
            Ok(text) => Ok(Some(text.split(|b| *b == b'\n').filter(|l| !l.is_empty()).map(MailboxPath::from_wire).collect())),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    fn subscriptions(&self) -> PathBuf {
        self.root.join("subscriptions")
    }

    /// Subscribes, or no more.
    pub fn subscribe(&self, path: &MailboxPath, on: bool) -> Result<()> {
        self.dir(path)?;
        let mut all = match self.subscribed()? {
            Some(all) => all,
            None if on => return Ok(()),
            None => self.list()?.into_iter().map(|l| l.path).collect(),
        };
        if on {
            all.insert(path.clone())
        } else {
            all.remove(path)
        };
        self.save_subscriptions(&all)
    }

    /// Makes of each subscription another one, or none.
    pub(super) fn change_subscriptions(&self, make: &dyn Fn(&MailboxPath) -> Option<MailboxPath>) -> Result<()> {
        let Some(all) = self.subscribed()? else { return Ok(()) };
        let new: BTreeSet<MailboxPath> = all.iter().filter_map(make).collect();
        if new == all { Ok(()) } else { self.save_subscriptions(&new) }
    }

    fn save_subscriptions(&self, all: &BTreeSet<MailboxPath>) -> Result<()> {
        let lines: Vec<Vec<u8>> = all.iter().map(MailboxPath::to_wire).collect();
        let mut text = lines.join(&b'\n');
        text.push(b'\n');
        Ok(paths::write_private(&self.subscriptions(), &text)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folders: &Folders) -> Vec<String> {
        folders.list().unwrap().into_iter().map(|l| l.path.as_str().to_owned()).collect()
    }

    #[test]
    fn both_layouts() {
        let temp = tempfile::tempdir().unwrap();
        let plus = Folders::open(&temp.path().join("a")).unwrap();
        plus.create(&MailboxPath::from_typed("Lists.rüst")).unwrap();
        assert_eq!(names(&plus), ["INBOX", "Lists.r&APw-st"]);
        assert!(temp.path().join("a/.Lists.r&APw-st/cur").is_dir());
        for dir in ["b/Inbox/cur", "b/Sent/cur", "b/Lists/rust/cur"] {
            fs::create_dir_all(temp.path().join(dir)).unwrap();
        }
        let plain = Folders::open(&temp.path().join("b")).unwrap();
        assert_eq!(names(&plain), ["INBOX", "Lists/rust", "Sent"]);
        assert_eq!(plain.list().unwrap()[2].role, Some(Role::Sent));
        assert!(plain.dir(&MailboxPath::inbox()).unwrap().dir().ends_with("Inbox"));
        // What is made in the inbox is there.
        fs::create_dir_all(temp.path().join("c/INBOX/cur")).unwrap();
        let plain = Folders::open(&temp.path().join("c")).unwrap();
        plain.create(&MailboxPath::from_typed("INBOX/Kid")).unwrap();
        assert_eq!(names(&plain), ["INBOX", "INBOX/Kid"]);
    }

    #[test]
    fn a_file_in_the_way_is_refused_in_words_and_stays() {
        let temp = tempfile::tempdir().unwrap();
        fs::create_dir_all(temp.path().join("b/Sent/cur")).unwrap();
        for (dir, taken, inside) in [("a", ".Taken", ".Half/cur"), ("b", "Taken", "Half/cur")] {
            let root = temp.path().join(dir);
            let folders = Folders::open(&root).unwrap();
            fs::write(root.join(taken), "mine").unwrap();
            fs::create_dir_all(root.join(inside).parent().unwrap()).unwrap();
            fs::write(root.join(inside), "mine").unwrap();
            std::os::unix::fs::symlink("nowhere", root.join(taken.replace("Taken", "Link"))).unwrap();
            folders.create(&MailboxPath::from_typed("Other")).unwrap();
            let below = MailboxPath::from_stored(&format!("Taken{}x", folders.delimiter()));
            let refused = |done: Result<()>| {
                let error = done.unwrap_err();
                assert_eq!(error.kind, NetErrorKind::No { code: "CANNOT".to_owned() }, "{error:?}");
                assert!(error.text.as_str().contains("no folder"), "{error:?}");
            };
            for name in ["Taken", "Half", "Link"] {
                refused(folders.create(&MailboxPath::from_typed(name)));
            }
            if dir == "b" {
                refused(folders.create(&below));
                refused(folders.rename(&MailboxPath::from_typed("Other"), &below));
            }
            assert_eq!(fs::read_to_string(root.join(taken)).unwrap(), "mine");
            assert_eq!(names(&folders).iter().filter(|name| *name != "INBOX" && *name != "Sent").count(), 1, "Other alone");
        }
    }

    #[test]
    fn no_name_leads_out() {
        let temp = tempfile::tempdir().unwrap();
        fs::create_dir_all(temp.path().join("b/Sent/cur")).unwrap();
        let both = [Folders::open(&temp.path().join("a")).unwrap(), Folders::open(&temp.path().join("b")).unwrap()];
        for folders in both {
            for bad in ["..", "../x", "a/../../x", "/etc", "", ".", "cur", "a\0b", "a//b", "x/../cur", ".hidden"] {
                assert!(folders.dir(&MailboxPath::from_stored(bad)).is_err(), "{bad:?}");
            }
        }
    }

    #[test]
    fn all_is_subscribed_until_somebody_chooses() {
        let temp = tempfile::tempdir().unwrap();
        let folders = Folders::open(temp.path()).unwrap();
        let (a, b) = (MailboxPath::from_typed("a"), MailboxPath::from_typed("b"));
        folders.create(&a).unwrap();
        folders.create(&b).unwrap();
        folders.subscribe(&a, true).unwrap();
        assert!(folders.list().unwrap().iter().all(|l| l.subscribed));
        folders.subscribe(&a, false).unwrap();
        let on = |f: &Folders| f.list().unwrap().into_iter().map(|l| l.subscribed).collect::<Vec<_>>();
        assert_eq!(on(&folders), [true, false, true]);
        folders.subscribe(&a, true).unwrap();
        assert_eq!(on(&folders), [true, true, true]);
    }
}
