//! server — a mailbox of any size on a real Dovecot, and the bare read of it that ours is compared with.

use crate::corpus::Corpus;
use crate::mailhost::{At, Host, PASSWORD, host};
use postrider::net::session::TlsMode;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

/// Runs a command as root, as the mail host's own script does.
fn as_root(program: &str, args: &[&str]) {
    let root = rustix::process::geteuid().is_root();
    let mut command = if root { Command::new(program) } else { Command::new("sudo") };
    if !root {
        command.args(["-n", program]);
    }
    assert!(command.args(args).status().unwrap().success(), "{program} failed");
}

/// Puts the corpus into the inbox of `user`, as Dovecot itself would have it after delivery.
pub fn fill(corpus: &Corpus, user: &str) {
    let temp = tempfile::tempdir().unwrap();
    let maildir = temp.path().join("home/Maildir");
    for part in ["cur", "new", "tmp"] {
        fs::create_dir_all(maildir.join(part)).unwrap();
    }
    let mut list = format!("3 V1763700000 N{} G00000000000000000000000000000001\n", corpus.count + 1);
    for uid in 1..=corpus.count {
        let (mail, raw) = (corpus.mail(uid), corpus.raw(uid));
        let base = format!("{}.M{uid}P1.bench,S={}", mail.seen.received, raw.len());
        // A letter a flag, in this order.
        let letters: String = [("\\Draft", 'D'), ("\\Flagged", 'F'), ("\\Answered", 'R'), ("\\Seen", 'S')]
            .iter()
            .filter(|(flag, _)| mail.seen.flags.wire().split(' ').any(|f| f == *flag))
            .map(|(_, letter)| *letter)
            .collect();
        let mut file = File::create(maildir.join("cur").join(format!("{base}:2,{letters}"))).unwrap();
        file.write_all(&raw).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(mail.seen.received.unsigned_abs())).unwrap();
        list.push_str(&format!("{uid} :{base}\n"));
    }
    fs::write(maildir.join("dovecot-uidlist"), list).unwrap();
    let home = host().dir.join("mail").join(user.split('@').next().unwrap());
    as_root("mv", &[temp.path().join("home").to_str().unwrap(), home.to_str().unwrap()]);
    as_root("chown", &["-R", "mail:mail", home.to_str().unwrap()]);
}

/// The part of the configuration that says where the account is.
pub fn account(user: &str) -> String {
    let Host { imaps, submissions, .. } = host();
    let ca = host().dir.join("tls/ca.pem");
    format!(
        "[account.bench]\naddress = \"{user}\"\npassword = {{ command = \"echo {PASSWORD}\" }}\n\
         imap = {{ host = \"127.0.0.1\", port = {imaps}, tls = \"implicit\" }}\n\
         smtp = {{ host = \"127.0.0.1\", port = {submissions}, tls = \"implicit\" }}\n\
         ca-file = \"{}\"\nkeep = {{ bodies = \"none\" }}\n",
        ca.display()
    )
}

/// What a bare read took.
pub struct Bare {
    /// From the first packet to the login's OK, in seconds.
    pub login: f64,
    /// Of opening the mailbox, in seconds: Dovecot looks at every file of a Maildir.
    pub examine: f64,
    /// Of all envelopes, in seconds.
    pub read: f64,
    /// Octets read, after decryption.
    pub octets: u64,
}

/// Logs in, asks for what our own list wants of every message, and reads it without looking at it.
pub fn bare_read(user: &str) -> Bare {
    let endpoint = host().imap_at(At::Good, TlsMode::Implicit);
    let start = Instant::now();
    let authority = native_tls::Certificate::from_pem(&fs::read(endpoint.ca_file.unwrap()).unwrap()).unwrap();
    let connector = native_tls::TlsConnector::builder().add_root_certificate(authority).build().unwrap();
    let tcp = TcpStream::connect((endpoint.host.as_str(), endpoint.port)).unwrap();
    tcp.set_nodelay(true).unwrap();
    let mut line = connector.connect(&endpoint.host, tcp).unwrap();
    ask(&mut line, &format!("a LOGIN {user} {PASSWORD}"), "a OK");
    let login = start.elapsed().as_secs_f64();
    let start = Instant::now();
    ask(&mut line, "b EXAMINE INBOX", "b OK");
    let examine = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let items = "(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (REFERENCES)])";
    let octets = ask(&mut line, &format!("c UID FETCH 1:* {items}"), "c OK");
    Bare { login, examine, read: start.elapsed().as_secs_f64(), octets }
}

fn ask(line: &mut (impl Read + Write), command: &str, done: &str) -> u64 {
    line.write_all(format!("{command}\r\n").as_bytes()).unwrap();
    let mut part = vec![0; 1 << 16];
    let (mut octets, mut tail) = (0, Vec::new());
    loop {
        let n = line.read(&mut part).unwrap();
        assert!(n > 0, "the server hung up");
        octets += n as u64;
        tail.extend_from_slice(&part[..n]);
        let cut = tail.len().saturating_sub(4_096);
        tail.drain(..cut);
        let last = String::from_utf8_lossy(&tail);
        if last.ends_with("\r\n") && last.lines().last().is_some_and(|l| l.starts_with(done)) {
            return octets;
        }
    }
}
