//! owner — which process holds a profile, and how the others reach it (decisions 8).
//! Owns: `Lock`, `Door`, `ring`. May import: mail, base.
//! Start reading at: `Lock::take`. The lock is an flock, so a killed process never holds it; the socket only wakes and
//! asks for a composer, and what it says is checked like any foreign text.

use super::api::Piece;
use crate::base::cancel::Cancel;
use crate::base::paths::private_dir;
use crate::base::spawn::{Worker, spawn};
use crate::mail::body::PartPath;
use crate::mail::ids::{MailboxId, PlacementKey};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{FlockOperation, flock};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The most bytes of one knock: a mailto: URL with a short body.
const MAX_KNOCK: u64 = 64 * 1024;
/// How long a peer may take to say what it wants, and we to say it.
const PATIENCE: Duration = Duration::from_secs(2);

/// The profile is ours while this lives.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "held open: the lock goes with the descriptor")] File);

impl Lock {
    /// Takes the profile whose state lies in `dir` (which must exist); nothing if another process has it.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn take(dir: &Path) -> io::Result<Option<Self>> {
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(dir.join("lock"))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Self(file))),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }
}

/// What another process wants of the owner.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Knock {
    /// There is something new in the state: intents, outgoing mail.
    Wake,
    /// Look at all servers now.
    Refresh,
    /// A person looks at this mailbox.
    Look(MailboxId),
    /// A person waits for this of this message.
    Fetch(PlacementKey, Piece),
    /// Open the composer with this `mailto:` URL or address (untrusted).
    Compose(String),
}

impl Knock {
    fn parse(text: &str) -> Option<Self> {
        match text.split_once('\n').map_or((text, ""), |(verb, rest)| (verb, rest)) {
            ("wake", "") => Some(Self::Wake),
            ("refresh", "") => Some(Self::Refresh),
            ("look", id) => id.parse().ok().map(MailboxId).map(Self::Look),
            ("fetch", what) => {
                let (id, piece) = what.split_once(' ')?;
                let piece = match piece {
                    "text" => Piece::Text,
                    "whole" => Piece::Whole,
                    path => Piece::Part(PartPath::parse(path)?),
                };
                Some(Self::Fetch(PlacementKey(id.parse().ok()?), piece))
            }
            ("compose", url) => Some(Self::Compose(url.to_owned())),
            _ => None,
        }
    }

    fn to_text(&self) -> String {
        match self {
            Self::Wake => "wake\n".to_owned(),
            Self::Refresh => "refresh\n".to_owned(),
            Self::Look(id) => format!("look\n{id}"),
            Self::Fetch(id, Piece::Text) => format!("fetch\n{id} text"),
            Self::Fetch(id, Piece::Whole) => format!("fetch\n{id} whole"),
            Self::Fetch(id, Piece::Part(path)) => format!("fetch\n{id} {path}"),
            Self::Compose(url) => format!("compose\n{url}"),
        }
    }
}

/// The owner's ear. Dropping it takes the socket away.
#[derive(Debug)]
pub struct Door {
    path: PathBuf,
    stop: Cancel,
    worker: Option<Worker>,
}

impl Door {
    /// Listens at `path`; only the holder of the [`Lock`] may. `hear` runs on the door's thread.
    ///
    /// # Errors
    /// The socket cannot be made.
    pub fn open(path: &Path, hear: impl Fn(Knock) + Send + 'static) -> io::Result<Self> {
        path.parent().map_or(Ok(()), private_dir)?;
        // Left by a killed owner: we hold the lock, so nobody listens there.
        match fs::remove_file(path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        listener.set_nonblocking(true)?;
        let stop = Cancel::new()?;
        let switch = stop.clone();
        let worker = spawn("door", move || listen(&listener, &switch, &hear))?;
        Ok(Self { path: path.to_owned(), stop, worker: Some(worker) })
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
        self.stop.ring();
        if let Some(worker) = self.worker.take() {
            // It sits in a poll or reads one short knock.
            let _ = worker.join(PATIENCE);
        }
    }
}

fn listen(listener: &UnixListener, stop: &Cancel, hear: &impl Fn(Knock)) {
    loop {
        let (quit, ear) = (stop.fd(), listener);
        let mut fds = [PollFd::new(&quit, PollFlags::IN), PollFd::new(ear, PollFlags::IN)];
        match poll(&mut fds, None) {
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => return,
            Ok(_) => {}
        }
        if stop.is_set() {
            return;
        }
        while let Ok((peer, _)) = listener.accept() {
            if let Ok(Some(knock)) = read_knock(peer) {
                hear(knock);
            }
        }
    }
}

fn read_knock(mut peer: UnixStream) -> io::Result<Option<Knock>> {
    if rustix::net::sockopt::socket_peercred(&peer)?.uid != rustix::process::geteuid() {
        return Ok(None);
    }
    peer.set_nonblocking(false)?;
    peer.set_read_timeout(Some(PATIENCE))?;
    let mut text = String::new();
    (&mut peer).take(MAX_KNOCK + 1).read_to_string(&mut text)?;
    let knock = if text.len() as u64 <= MAX_KNOCK { Knock::parse(&text) } else { None };
    // The answer tells the other process that somebody heard it.
    peer.write_all(if knock.is_some() { b"ok\n" } else { b"no\n" })?;
    Ok(knock)
}

/// Rings the owner's door. False if nobody is there: the intents wait for the next start.
#[must_use]
pub fn ring(path: &Path, knock: &Knock) -> bool {
    let say = || -> io::Result<bool> {
        let mut owner = UnixStream::connect(path)?;
        owner.set_write_timeout(Some(PATIENCE))?;
        owner.set_read_timeout(Some(PATIENCE))?;
        owner.write_all(knock.to_text().as_bytes())?;
        owner.shutdown(std::net::Shutdown::Write)?;
        let mut answer = [0; 3];
        owner.read_exact(&mut answer)?;
        Ok(&answer == b"ok\n")
    };
    say().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn one_owner_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let first = Lock::take(dir.path()).unwrap();
        assert!(first.is_some() && Lock::take(dir.path()).unwrap().is_none());
        drop(first);
        assert!(Lock::take(dir.path()).unwrap().is_some());
    }

    #[test]
    fn others_ring_and_are_heard() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run").join("socket");
        assert!(!ring(&path, &Knock::Wake), "nobody is there");
        let (tx, rx) = channel();
        let door = Door::open(&path, move |k| tx.send(k).unwrap()).unwrap();
        assert!(ring(&path, &Knock::Wake));
        assert!(ring(&path, &Knock::Compose("mailto:a@b?body=x%0Ay".into())));
        assert_eq!(rx.recv().unwrap(), Knock::Wake);
        assert_eq!(rx.recv().unwrap(), Knock::Compose("mailto:a@b?body=x%0Ay".into()));
        for knock in [
            Knock::Refresh,
            Knock::Look(MailboxId(7)),
            Knock::Fetch(PlacementKey(1 << 40), Piece::Text),
            Knock::Fetch(PlacementKey(2), Piece::Whole),
            Knock::Fetch(PlacementKey(2), Piece::Part(PartPath::new(vec![2, 1]))),
        ] {
            assert!(ring(&path, &knock));
            assert_eq!(rx.recv().unwrap(), knock);
        }
        assert!(!ring(&path, &Knock::Compose("x".repeat(70_000))), "too long");
        drop(door);
        assert!(!path.exists());
        // A killed owner leaves its socket behind: the next one takes the place.
        drop(UnixListener::bind(&path).unwrap());
        let (tx, rx) = channel();
        let _door = Door::open(&path, move |k| tx.send(k).unwrap()).unwrap();
        assert!(ring(&path, &Knock::Wake) && rx.recv().unwrap() == Knock::Wake);
    }
}
