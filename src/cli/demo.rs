//! demo — a throw-away profile with a built-in mailbox: no account, no network, no file left behind.
//! Owns: the profile's folder, from its making to its removal. May import: config, base, cli.
//! Start reading at: `Demo::create`. The account in it is an ordinary one of the local kind: a maildir that is written here,
//! and `smtp = { local = true }`, so that what is sent comes back (decisions 24).

use super::demo_mail::{self, ADDRESS, DemoMail, NAME, SIGNATURE};
use super::exit::{self, Failure};
use crate::base::clock::{Clock, System};
use crate::base::paths::{Paths, private_dir, write_private};
use crate::mail::flags::Flag;
use jiff::tz::TimeZone;
use rustix::fs::{FlockOperation, flock};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// What the folder's name begins with.
const PREFIX: &str = "postrider-demo-";

/// The profile. Dropping it removes the folder.
pub struct Demo {
    dir: PathBuf,
    /// Held while the demo runs: a folder whose lock is free belongs to a dead one.
    _lock: File,
}

impl Demo {
    /// Sweeps what dead demos left, and makes a new one below the temporary folder.
    ///
    /// # Errors
    /// 73 if there is no place for it.
    pub fn create() -> Result<Self, Failure> {
        let temp = std::env::temp_dir();
        sweep(&temp);
        Self::below(&temp, System.now()).map_err(|e| {
            let what = format!("the demo cannot be made below {} ({e})", temp.display());
            Failure::new(exit::CANNOT_WRITE, &what, "Set TMPDIR to a folder with some room")
        })
    }

    fn below(temp: &Path, now: i64) -> io::Result<Self> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let dir = temp.join(format!("{PREFIX}{:016x}", u64::from_ne_bytes(random)));
        private_dir(&dir)?;
        let lock = File::create_new(dir.join("lock"))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
        let demo = Self { dir, _lock: lock };
        demo.fill(now)?;
        Ok(demo)
    }

    /// Where everything of it is.
    pub fn paths(&self) -> Paths {
        Paths::of_profile(&self.dir)
    }

    fn fill(&self, now: i64) -> io::Result<()> {
        write_private(&self.dir.join("signature"), SIGNATURE.as_bytes())?;
        let config = format!(
            "[account.demo]\naddress = \"{ADDRESS}\"\nname = \"{NAME}\"\nmaildir = \"mail\"\nsmtp = {{ local = true }}\n\
             keep = {{ bodies = \"all\" }}\nsignature = \"signature\"\n"
        );
        write_private(&self.dir.join("config.toml"), config.as_bytes())?;
        let mail = self.dir.join("mail");
        for (n, message) in demo_mail::messages(now, &TimeZone::system()).iter().enumerate() {
            deliver(&mail, n, message)?;
        }
        Ok(())
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // What cannot be removed now is swept by the next demo.
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// Writes one message as a maildir has it: flags in the name, the time of its arrival as the file's.
fn deliver(mail: &Path, n: usize, message: &DemoMail) -> io::Result<()> {
    let folder = mail.join(if message.mailbox.eq_ignore_ascii_case("inbox") { "INBOX" } else { message.mailbox });
    for part in ["tmp", "new", "cur"] {
        private_dir(&folder.join(part))?;
    }
    // In the order of the alphabet, as maildir wants it.
    let letters = [(Flag::Draft, 'D'), (Flag::Flagged, 'F'), (Flag::Answered, 'R'), (Flag::Seen, 'S'), (Flag::Deleted, 'T')];
    let flags: String = letters.iter().filter(|(flag, _)| message.flags.contains(flag)).map(|(_, letter)| *letter).collect();
    let path = folder.join("cur").join(format!("{}.M{n}.demo:2,{flags}", message.received));
    fs::write(&path, &message.bytes)?;
    let received = u64::try_from(message.received).map_err(io::Error::other)?;
    File::open(&path)?.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(received))
}

/// Removes the folders of demos that were killed: ours, and with nobody holding their lock.
fn sweep(temp: &Path) {
    let Ok(entries) = fs::read_dir(temp) else { return };
    for entry in entries.flatten() {
        let dead = entry.file_name().to_string_lossy().starts_with(PREFIX)
            && entry.metadata().is_ok_and(|m| m.is_dir() && m.uid() == rustix::process::geteuid().as_raw())
            && File::open(entry.path().join("lock"))
                .is_ok_and(|lock| flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok());
        if dead {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{AccountKind, Config, Submission};

    #[test]
    fn the_profile_is_a_real_account_and_leaves_nothing() {
        let temp = tempfile::tempdir().unwrap();
        let demo = Demo::below(temp.path(), 1_800_000_000).unwrap();
        let config = Config::load(&demo.paths().config).unwrap();
        assert!(config.warnings.is_empty(), "{:?}", config.warnings);
        let account = &config.accounts[0];
        assert_eq!((account.address.as_str(), &account.smtp), (ADDRESS, &Submission::Local));
        let AccountKind::Maildir(mail) = &account.kind else { panic!("{account:?}") };
        let inbox: Vec<_> = fs::read_dir(mail.join("INBOX/cur")).unwrap().map(|e| e.unwrap()).collect();
        assert!(inbox.len() > 30);
        for entry in &inbox {
            let name = entry.file_name().into_string().unwrap();
            assert!(name.starts_with(&format!("{}.", entry.metadata().unwrap().mtime())), "{name}");
        }
        assert!(mail.join("Lists/tidewatch-dev/cur").is_dir());
        sweep(temp.path());
        assert!(mail.is_dir(), "a living demo is left alone");
        drop(demo);
        assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_killed_demo_is_swept() {
        let temp = tempfile::tempdir().unwrap();
        let dead = temp.path().join("postrider-demo-0");
        private_dir(&dead).unwrap();
        fs::write(dead.join("lock"), "").unwrap();
        let other = temp.path().join("postrider-demo-with-no-lock");
        private_dir(&other).unwrap();
        sweep(temp.path());
        assert!(!dead.exists() && other.exists());
    }
}
