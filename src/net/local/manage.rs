//! manage — renaming and deleting mailboxes of a local account.
//! Owns: `Folders::rename`, `Folders::delete`.
//! May import: mail, base.
//! Start reading at: `Folders::rename`. Folders are renamed, never copied; what is deleted first leaves its name, so that a
//! crash leaves a mailbox that is whole or one that is gone.

use super::folders::{Folders, Layout};
use super::maildir::Maildir;
use crate::base::crash;
use crate::mail::mailbox::MailboxPath;
use crate::net::error::{NetError, NetErrorKind, Result};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

fn no(code: &str, text: &str) -> NetError {
    NetError::new(NetErrorKind::No { code: code.to_owned() }, text)
}

impl Folders {
    /// Renames a mailbox with all below it.
    pub fn rename(&self, from: &MailboxPath, to: &MailboxPath) -> Result<()> {
        if from.is_inbox() || to.is_inbox() {
            return Err(no("CANNOT", "the inbox keeps its name"));
        }
        let (source, target) = (self.existing(from)?, self.dir(to)?);
        if fs::symlink_metadata(target.dir()).is_ok() {
            return Err(no("ALREADYEXISTS", "there is a folder of that name"));
        }
        self.room_for(&target)?;
        let delimiter = self.delimiter();
        let below = |path: &MailboxPath| path.as_str().strip_prefix(from.as_str()).is_some_and(|r| r.starts_with(delimiter));
        if below(to) {
            return Err(no("CANNOT", "a folder cannot be moved into itself"));
        }
        let moved = |path: &MailboxPath| -> Option<MailboxPath> {
            let rest = path.as_str().strip_prefix(from.as_str())?;
            (rest.is_empty() || rest.starts_with(delimiter)).then(|| MailboxPath::from_stored(&format!("{}{rest}", to.as_str())))
        };
        let mut renames = Vec::new();
        if self.layout() == Layout::PlusPlus {
            // Those below stand beside it, so each name changes: all must fit before the first does.
            for listed in self.list()?.iter().filter(|l| below(&l.path)) {
                let new = self.dir(&moved(&listed.path).unwrap_or_else(|| listed.path.clone()))?;
                renames.push((self.dir(&listed.path)?.dir().to_owned(), new.dir().to_owned()));
            }
        }
        // Itself last: a rename that was cut short can be done again.
        renames.push((source.dir().to_owned(), target.dir().to_owned()));
        if let Some(parent) = target.dir().parent() {
            fs::create_dir_all(parent)?;
        }
        for (old, new) in renames {
            fs::rename(old, new)?;
            crash::step("one folder of many");
        }
        self.change_subscriptions(&|path| Some(moved(path).unwrap_or_else(|| path.clone())))
    }

    /// Deletes a mailbox and its mail. Those below it stay.
    pub fn delete(&self, path: &MailboxPath) -> Result<()> {
        if path.is_inbox() {
            return Err(no("CANNOT", "the inbox cannot be deleted"));
        }
        let maildir = self.existing(path)?;
        let gone = self.grave(maildir.dir())?;
        match self.layout() {
            Layout::PlusPlus => fs::rename(maildir.dir(), &gone)?,
            Layout::Plain => bury(&maildir, &gone)?,
        }
        crash::step("put aside");
        fs::remove_dir_all(&gone)?;
        // In the plain layout the folder itself stays for those below it, else it goes.
        match fs::remove_dir(maildir.dir()) {
            Err(e) if !matches!(e.kind(), ErrorKind::NotFound | ErrorKind::DirectoryNotEmpty) => return Err(e.into()),
            _ => {}
        }
        self.change_subscriptions(&|p| (p != path).then(|| p.clone()))
    }

    /// A name that is no mailbox's, in the same file system.
    fn grave(&self, dir: &Path) -> Result<std::path::PathBuf> {
        let chance = getrandom::u64().map_err(|e| std::io::Error::other(e.to_string()))?;
        let above = if self.layout() == Layout::PlusPlus { dir.parent().unwrap_or(dir) } else { dir };
        Ok(above.join(format!("postrider-deleted-{chance:016x}")))
    }
}

/// Moves all but the mailboxes below into `grave`; first what makes it a mailbox.
fn bury(maildir: &Maildir, grave: &Path) -> Result<()> {
    fs::create_dir(grave)?;
    for name in ["cur", "new", "tmp"] {
        match fs::rename(maildir.dir().join(name), grave.join(name)) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(e.into()),
            _ => {}
        }
    }
    for entry in fs::read_dir(maildir.dir())? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() {
            fs::rename(entry.path(), grave.join(entry.file_name()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::error::NetErrorKind;

    fn names(folders: &Folders) -> Vec<String> {
        folders.list().unwrap().into_iter().filter(|l| l.subscribed).map(|l| l.path.as_str().to_owned()).collect()
    }

    fn code(result: Result<()>) -> String {
        match result.unwrap_err().kind {
            NetErrorKind::No { code } => code,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn both_layouts_rename_with_children_and_delete_without() {
        let temp = tempfile::tempdir().unwrap();
        fs::create_dir_all(temp.path().join("b/Sent/cur")).unwrap();
        for (dir, d) in [("a", '.'), ("b", '/')] {
            let folders = Folders::open(&temp.path().join(dir)).unwrap();
            let path = |t: &str| MailboxPath::from_stored(&t.replace('/', &d.to_string()));
            for name in ["A", "A/x", "Ab", "Old/deep"] {
                folders.create(&path(name)).unwrap();
            }
            if dir == "b" {
                folders.delete(&path("Sent")).unwrap();
            }
            folders.subscribe(&path("Ab"), false).unwrap();
            folders.rename(&path("A"), &path("New/B")).unwrap();
            let expected: Vec<_> =
                ["INBOX", "New/B", "New/B/x", "Old/deep"].iter().map(|n| path(n).as_str().to_owned()).collect();
            assert_eq!(names(&folders), expected);
            assert_eq!(code(folders.rename(&path("New/B"), &path("Ab"))), "ALREADYEXISTS");
            assert_eq!(code(folders.rename(&path("New/B"), &path("New/B/y"))), "CANNOT");
            assert_eq!(code(folders.rename(&MailboxPath::inbox(), &path("y"))), "CANNOT");
            assert_eq!(code(folders.delete(&path("missing"))), "NONEXISTENT");
            folders.delete(&path("New/B")).unwrap();
            let expected: Vec<_> = ["INBOX", "New/B/x", "Old/deep"].iter().map(|n| path(n).as_str().to_owned()).collect();
            assert_eq!(names(&folders), expected);
            folders.delete(&path("New/B/x")).unwrap();
            assert_eq!(code(folders.delete(&MailboxPath::inbox())), "CANNOT");
        }
    }
}
