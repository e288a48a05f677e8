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
}

impl Host {
    fn endpoint(&self, at: At, port: u16, tls: TlsMode) -> Endpoint {
        let host = format!("127.0.0.{}", at as u8);
        Endpoint { host, port, tls, ca_file: Some(self.dir.join("tls/ca.pem")), fingerprint: None }
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

/// The servers; started by the first who asks.
pub fn host() -> &'static Host {
    static HOST: OnceLock<Host> = OnceLock::new();
    HOST.get_or_init(start)
}

fn start() -> Host {
    // All four are held until all are known, so that they differ.
    let free: Vec<TcpListener> = (0..4).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()).collect();
    let ports: Vec<u16> = free.iter().map(|l| l.local_addr().unwrap().port()).collect();
    drop(free);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mailhost/host");
    let root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    let mut command = if root { Command::new("bash") } else { Command::new("sudo") };
    if !root {
        command.args(["-n", "bash"]);
    }
    command.arg(&script).args(ports.iter().map(u16::to_string));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let dir = line.trim_end().strip_prefix("ready ");
    let dir = dir.unwrap_or_else(|| panic!("the mail host did not start (bash tests/setup mailhost installs it)")).into();
    Host { dir, imap: ports[0], imaps: ports[1], submission: ports[2], submissions: ports[3], _script: child }
}
