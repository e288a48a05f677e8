//! owner — which process holds a profile, and how the others reach it (decisions 8).
//! Owns: `Lock`, `Door`, `ring`. May import: base.
//! Start reading at: `Lock::take`. The lock is an flock, so a killed process never holds it; the socket only wakes and
//! asks for a composer, and what it says is checked like any foreign text.

use crate::base::cancel::Cancel;
use crate::base::spawn::{Worker, spawn};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{FlockOperation, flock};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The most bytes of one knock: a mailto: URL with a short body.
const MAX_KNOCK: u64 = 64 * 1024;
/// The longest path of a socket that the system takes, without the final NUL.
const MAX_PATH: usize = 107;
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
    /// Open the composer with this `mailto:` URL or address (untrusted).
    Compose(String),
}

impl Knock {
    fn parse(text: &str) -> Option<Self> {
        match text.split_once('\n').map_or((text, ""), |(verb, rest)| (verb, rest)) {
            ("wake", "") => Some(Self::Wake),
            ("compose", url) => Some(Self::Compose(url.to_owned())),
            _ => None,
        }
    }

    fn to_text(&self) -> String {
        match self {
            Self::Wake => "wake\n".to_owned(),
            Self::Compose(url) => format!("compose\n{url}"),
        }
    }
}

/// Where the socket lies: `dir`/socket, or where that path is too long, a private folder under the temporary one.
#[must_use]
pub fn socket_path(dir: &Path) -> PathBuf {
    let path = dir.join("socket");
    if path.as_os_str().len() <= MAX_PATH {
        return path;
    }
    // The same name for the same profile, without a registry: FNV-1a of its path.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in path.as_os_str().as_encoded_bytes() {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    let user = rustix::process::geteuid().as_raw();
    std::env::temp_dir().join(format!("postrider-{user}")).join(format!("{hash:016x}"))
}

/// Makes the socket's folder and refuses one that somebody else could have prepared.
fn private_parent(path: &Path) -> io::Result<()> {
    let Some(dir) = path.parent() else { return Err(io::ErrorKind::InvalidInput.into()) };
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let meta = fs::symlink_metadata(dir)?;
    let ours = meta.is_dir() && meta.uid() == rustix::process::geteuid().as_raw() && meta.mode() & 0o077 == 0;
    if ours { Ok(()) } else { Err(io::Error::new(io::ErrorKind::PermissionDenied, "the socket's folder is open to others")) }
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
        private_parent(path)?;
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
        let path = socket_path(&dir.path().join("run"));
        assert!(!ring(&path, &Knock::Wake), "nobody is there");
        let (tx, rx) = channel();
        let door = Door::open(&path, move |k| tx.send(k).unwrap()).unwrap();
        assert!(ring(&path, &Knock::Wake));
        assert!(ring(&path, &Knock::Compose("mailto:a@b?body=x%0Ay".into())));
        assert_eq!(rx.recv().unwrap(), Knock::Wake);
        assert_eq!(rx.recv().unwrap(), Knock::Compose("mailto:a@b?body=x%0Ay".into()));
        assert!(!ring(&path, &Knock::Compose("x".repeat(70_000))), "too long");
        drop(door);
        assert!(!path.exists());
        // A killed owner leaves its socket behind: the next one takes the place.
        drop(UnixListener::bind(&path).unwrap());
        let (tx, rx) = channel();
        let _door = Door::open(&path, move |k| tx.send(k).unwrap()).unwrap();
        assert!(ring(&path, &Knock::Wake) && rx.recv().unwrap() == Knock::Wake);
    }

    #[test]
    fn a_long_path_has_a_short_socket() {
        let long = PathBuf::from("/tmp").join("x".repeat(200));
        let path = socket_path(&long);
        assert!(path.as_os_str().len() <= MAX_PATH && path == socket_path(&long));
        assert_ne!(path, socket_path(&long.join("y")));
    }
}
