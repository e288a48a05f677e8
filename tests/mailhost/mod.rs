//! mailhost — a real Dovecot and a real Postfix for tests, one pair for the whole run, one fresh user per test.
//! Start reading at: `host`. Used by several test targets by `#[path]`; `proxy.rs` spoils the line to it.
//! The servers stop by themselves when this process ends, however it ends: their script reads our pipe.

#![allow(dead_code, reason = "each test target uses a part")]

pub mod proxy;

use postrider::net::session::{Endpoint, TlsMode};
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Everybody's password.
pub const PASSWORD: &str = "secret";

/// The servers.
#[derive(Debug)]
pub struct Host {
    /// Its data: `tls/ca.pem`, `log/`, `mail/<user>/Maildir`.
    pub dir: PathBuf,
    /// STARTTLS.
    pub imap: u16,
    /// TLS from the first byte.
    pub imaps: u16,
    /// STARTTLS, required.
    pub submission: u16,
    /// TLS from the first byte.
    pub submissions: u16,
    /// Its pipe keeps the servers running.
    _script: Child,
}

/// What answers at an address, see `tests/mailhost/host`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum At {
    Good = 1,
    Expired = 2,
    OtherHost = 3,
    Stranger = 4,
    Itself = 5,
    /// No login before TLS (IMAP); an old relay with LOGIN only (submission).
    Strict = 6,
    /// No TLS at all.
    NoTls = 7,
    /// A certificate with a name in its CN only (IMAP over TLS).
    NoSan = 8,
    /// Two connections a person, those of other clients counted (IMAP over TLS).
    FewLines = 9,
    /// Asks for a certificate, and lets in by it (IMAP over TLS).
    Certified = 10,
}

impl Host {
    fn endpoint(&self, at: At, port: u16, tls: TlsMode) -> Endpoint {
        let host = format!("127.0.0.{}", at as u8);
        Endpoint { host, port, tls, ca_file: Some(self.dir.join("tls/ca.pem")), fingerprint: None, client_cert: None }
    }

    /// An IMAP server.
    pub fn imap_at(&self, at: At, tls: TlsMode) -> Endpoint {
        self.endpoint(at, if tls == TlsMode::Implicit { self.imaps } else { self.imap }, tls)
    }

    /// A submission server.
    pub fn smtp_at(&self, at: At, tls: TlsMode) -> Endpoint {
        self.endpoint(at, if tls == TlsMode::Implicit { self.submissions } else { self.submission }, tls)
    }
}

/// A new user: with a mailbox that nobody else uses.
pub fn user() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("u{}x{}@example.test", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A new user to whom the IMAP server announces no extension.
pub fn bare_user() -> String {
    format!("min{}", user())
}

/// Whether the IMAP server is Dovecot 2.4 or later.
pub fn newer() -> bool {
    !std::fs::read_to_string(host().dir.join("log/dovecot.log")).unwrap().contains("Dovecot v2.3.")
}

/// Where the server has a person's mail.
pub fn home(user: &str) -> PathBuf {
    host().dir.join("mail").join(user.split('@').next().unwrap())
}

/// Waits until something is so.
pub fn wait(what: &str, is: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !is() {
        assert!(Instant::now() < end, "the mail host never came to this: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until the IMAP server works for nobody of this name any more: of a client that was killed it carries out what was
/// on its way, and may still be at it when the next one comes.
pub fn left(user: &str) {
    let home = home(user);
    let here = |entry: std::fs::DirEntry| std::fs::read_link(entry.path().join("cwd")).is_ok_and(|at| at == home);
    wait("all have left", || !std::fs::read_dir("/proc").unwrap().flatten().any(here));
}

/// Waits until every mail that the submission server has taken lies with its recipient.
pub fn delivered() {
    let empty = |queue| std::fs::read_dir(host().dir.join("spool").join(queue)).unwrap().next().is_none();
    wait("all is delivered", || ["maildrop", "incoming", "active", "deferred"].into_iter().all(empty));
}

/// The servers; started by the first who asks.
pub fn host() -> &'static Host {
    static HOST: OnceLock<Host> = OnceLock::new();
    HOST.get_or_init(start)
}

/// How often they are started on other ports.
const TRIES: u32 = 3;
/// The script's exit code where a server ended at once: most likely somebody else took its port just now.
const ENDED: i32 = 75;

/// Four ports that are free on every address that the servers use, below those that the system gives to whoever asks for any: a
/// connection of another test would take one of those between this look and the servers' own.
fn ports() -> [u16; 4] {
    use std::hash::{BuildHasher, RandomState};
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let below = range.split_whitespace().next().and_then(|n| n.parse().ok()).filter(|n| *n > 12_000).unwrap_or(32_768);
    let any = || u16::try_from(10_000 + RandomState::new().hash_one(0) % (below - 10_000)).unwrap();
    let free = |port: u16| (1..=9).all(|n| TcpListener::bind((Ipv4Addr::new(127, 0, 0, n), port)).is_ok());
    let mut all = [0; 4];
    for n in 0..all.len() {
        all[n] = std::iter::repeat_with(any).find(|port| !all.contains(port) && free(*port)).unwrap();
    }
    all
}

fn start() -> Host {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mailhost/host");
    let root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    for _ in 0..TRIES {
        let [imap, imaps, submission, submissions] = ports();
        let mut command = if root { Command::new("bash") } else { Command::new("sudo") };
        if !root {
            command.args(["-n", "bash"]);
        }
        command.arg(&script).args([imap, imaps, submission, submissions].map(|port| port.to_string()));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if let Some(dir) = line.trim_end().strip_prefix("ready ") {
            return Host { dir: dir.into(), imap, imaps, submission, submissions, _script: child };
        }
        if child.wait().unwrap().code() != Some(ENDED) {
            break;
        }
    }
    panic!("the mail host did not start (bash tests/setup mailhost installs it)")
}
