//! bare — a connection to the server without a reader behind it: what is asked for is read and counted, and not looked at.
//! Start reading at: `Bare::open`. It is the floor that our own figures stand beside.

use crate::mailhost::{At, PASSWORD, host};
use native_tls::{Certificate, TlsConnector, TlsStream};
use postrider::net::session::TlsMode;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Instant;

/// Logged in.
pub struct Bare {
    line: TlsStream<TcpStream>,
}

impl Bare {
    /// Logs in at this port of 127.0.0.1: the server's own, or a proxy's.
    pub fn open(port: u16, user: &str) -> Self {
        let endpoint = host().imap_at(At::Good, TlsMode::Implicit);
        let authority = Certificate::from_pem(&std::fs::read(endpoint.ca_file.unwrap()).unwrap()).unwrap();
        let connector = TlsConnector::builder().add_root_certificate(authority).build().unwrap();
        let tcp = TcpStream::connect((endpoint.host.as_str(), port)).unwrap();
        tcp.set_nodelay(true).unwrap();
        let line = connector.connect(&endpoint.host, tcp).unwrap();
        let mut bare = Self { line };
        bare.until("* OK");
        bare.ask(&format!("LOGIN {user} {PASSWORD}"));
        bare
    }

    /// Asks, and reads to the end; how many octets that were, and how many seconds it took.
    pub fn ask(&mut self, command: &str) -> (u64, f64) {
        let begun = Instant::now();
        self.line.write_all(format!("a {command}\r\n").as_bytes()).unwrap();
        (self.until("a OK"), begun.elapsed().as_secs_f64())
    }

    /// Asks for something short; the number or word that stands behind `after` in the answer.
    pub fn word(&mut self, command: &str, after: &str) -> String {
        self.line.write_all(format!("a {command}\r\n").as_bytes()).unwrap();
        let (mut part, mut text) = (vec![0; 1 << 12], String::new());
        while !text.contains("\r\na OK") {
            let n = self.line.read(&mut part).unwrap();
            assert!(n > 0, "the server hung up");
            text.push_str(&String::from_utf8_lossy(&part[..n]));
        }
        let rest = text.split(after).nth(1).unwrap_or_else(|| panic!("{text}"));
        rest.split([' ', ')', '\r']).next().unwrap_or_default().to_owned()
    }

    /// Puts a message into a mailbox.
    pub fn append(&mut self, mailbox: &str, raw: &[u8]) {
        // LITERAL+ (RFC 7888): the text follows at once.
        let mut command = format!("a APPEND {mailbox} {{{}+}}\r\n", raw.len()).into_bytes();
        command.extend_from_slice(raw);
        command.extend_from_slice(b"\r\n");
        self.line.write_all(&command).unwrap();
        self.until("a OK");
    }

    fn until(&mut self, done: &str) -> u64 {
        let mut part = vec![0; 1 << 16];
        let (mut octets, mut tail) = (0, Vec::new());
        loop {
            let n = self.line.read(&mut part).unwrap();
            assert!(n > 0, "the server hung up");
            octets += n as u64;
            tail.extend_from_slice(&part[..n]);
            let cut = tail.len().saturating_sub(4_096);
            tail.drain(..cut);
            let last = String::from_utf8_lossy(&tail);
            let line = last.lines().last().filter(|_| last.ends_with("\r\n")).unwrap_or_default();
            if line.starts_with(done) {
                return octets;
            }
            assert!(!line.starts_with("a "), "{line}");
        }
    }
}
