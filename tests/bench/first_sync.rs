//! bench — first sync: all envelopes of a mailbox of 100,000 mails, against a bare read of the same bytes in the same run.
//! `cargo bench --bench first_sync [-- COUNT]`. Absolute times drift with the machine, so the ratio is the bar (1.5).
//! Start reading at: `main`.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../mailhost/mod.rs"]
mod mailhost;

use mailhost::{At, PASSWORD, host, user};
use native_tls::{Certificate, TlsConnector, TlsStream};
use postrider::base::cancel::Cancel;
use postrider::base::gate::{Permit, Reason};
use postrider::base::secret::Secret;
use postrider::base::waker::Waker;
use postrider::mail::mailbox::MailboxPath;
use postrider::mail::uid::UidSet;
use postrider::net::imap::ImapStore;
use postrider::net::session::{Login, MailStore, TlsMode};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const ITEMS: &str = "UID FLAGS INTERNALDATE RFC822.SIZE \
    BODY.PEEK[HEADER.FIELDS (FROM TO CC REPLY-TO SUBJECT MESSAGE-ID REFERENCES)]";
const BAR: f64 = 1.5;

/// Writes mails into a maildir, as if they had been delivered.
fn fill(maildir: &Path, count: u32) {
    for sub in ["cur", "new", "tmp"] {
        std::fs::create_dir_all(maildir.join(sub)).unwrap();
    }
    for n in 0..count {
        let text = format!(
            "Return-Path: <sender{n}@example.org>\nFrom: \"Sender Number {n}\" <sender{n}@example.org>\nTo: Ann <ann@example.test>\n\
             Cc: list-{}@example.org, somebody.else@example.net\nSubject: Message {n} of many, with a subject of the usual length\n\
             Date: Mon, 12 Mar 2024 14:02:00 +0100\nMessage-ID: <{n}.abcdef0123456789@mail.example.org>\n\
             In-Reply-To: <{}.abcdef0123456789@mail.example.org>\nReferences: <{}.abcdef0123456789@mail.example.org>\n \
             <{}.abcdef0123456789@mail.example.org>\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\
             Content-Transfer-Encoding: 8bit\n\nText of message {n}.\n",
            n % 20,
            n / 2,
            n / 4,
            n / 2
        );
        std::fs::write(maildir.join(format!("cur/{}.{n:06}.bench:2,S", 1_600_000_000 + n)), text).unwrap();
    }
    let home = maildir.parent().unwrap();
    assert!(Command::new("chown").args(["-R", "mail:mail"]).arg(home).status().unwrap().success());
}

/// A connection without any reading of ours.
struct Bare(TlsStream<TcpStream>);

impl Bare {
    fn open(user: &str) -> Self {
        let endpoint = host().imap_at(At::Good, TlsMode::Implicit);
        let pem = std::fs::read(endpoint.ca_file.unwrap()).unwrap();
        let tls = TlsConnector::builder().add_root_certificate(Certificate::from_pem(&pem).unwrap()).build().unwrap();
        let tcp = TcpStream::connect((endpoint.host.as_str(), endpoint.port)).unwrap();
        tcp.set_nodelay(true).unwrap();
        let mut bare = Self(tls.connect(&endpoint.host, tcp).unwrap());
        bare.until("* OK");
        bare.ask(&format!("LOGIN {user} {PASSWORD}"));
        bare.ask("SELECT INBOX (CONDSTORE)");
        bare
    }

    fn until(&mut self, end: &str) -> u64 {
        let (mut buffer, mut tail, mut total) = (vec![0; 64 * 1024], Vec::new(), 0u64);
        loop {
            let n = self.0.read(&mut buffer).unwrap();
            assert!(n > 0, "closed");
            total += n as u64;
            tail.extend_from_slice(&buffer[..n]);
            // The last line says it, however long it is.
            let line = tail[..tail.len() - 1].iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
            if tail.ends_with(b"\r\n") && String::from_utf8_lossy(&tail[line..]).starts_with(end) {
                return total;
            }
            tail.drain(..line);
        }
    }

    fn ask(&mut self, command: &str) -> u64 {
        self.0.write_all(format!("t1 {command}\r\n").as_bytes()).unwrap();
        self.until("t1 OK")
    }
}

fn main() {
    let count = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(100_000);
    let user = user();
    let name = user.split('@').next().unwrap();
    let begun = Instant::now();
    fill(&host().dir.join("mail").join(name).join("Maildir"), count);
    println!("{count} mails written in {:.1} s", begun.elapsed().as_secs_f64());
    let mut bare = Bare::open(&user);
    let begun = Instant::now();
    let bytes = bare.ask(&format!("UID FETCH 1:* ({ITEMS})"));
    println!("server's first look: {:.1} s, {:.1} MB", begun.elapsed().as_secs_f64(), bytes as f64 / 1e6);
    let permit = Permit::ask(Reason::MailServer).unwrap();
    let endpoint = host().imap_at(At::Good, TlsMode::Implicit);
    let secret = Secret::new(PASSWORD.to_owned());
    let auth = postrider::config::AuthPolicy::default();
    let login = Login { user: &user, secret: &secret, without: &[], auth: &auth };
    let mut store = ImapStore::open(permit, &endpoint, &login, &Waker::new().unwrap(), &Cancel::new().unwrap()).unwrap();
    store.select(&MailboxPath::inbox(), false, None).unwrap();
    let mut best = [Duration::MAX; 2];
    for _ in 0..3 {
        let begun = Instant::now();
        bare.ask(&format!("UID FETCH 1:* ({ITEMS})"));
        best[0] = best[0].min(begun.elapsed());
        let (begun, mut rows) = (Instant::now(), 0);
        store
            .fetch_envelopes(&UidSet::range(1, u32::MAX), &mut |part| {
                rows += part.len();
                Ok(None)
            })
            .unwrap();
        assert_eq!(rows, count as usize);
        best[1] = best[1].min(begun.elapsed());
    }
    let ratio = best[1].as_secs_f64() / best[0].as_secs_f64();
    println!("bare read {:.2} s, fetch_envelopes {:.2} s: ratio {ratio:.2}", best[0].as_secs_f64(), best[1].as_secs_f64());
    assert!(ratio <= BAR || count < 10_000, "fetch_envelopes is {ratio:.2} times a bare read");
}
