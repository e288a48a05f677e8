//! server — a mailbox of any size on a real Dovecot, and the bare read of it that ours is compared with.

use crate::bare::Bare;
use crate::corpus::Corpus;
use crate::mailhost::{self, Host, PASSWORD, host};
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
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

/// UIDVALIDITY of each inbox that is made here.
pub const VALIDITY: u32 = 1_763_700_000;

/// A new user whose mail lies in few files (mdbox), not one for each (Maildir): Dovecot itself takes a third of a second to see
/// that nothing is new in a Maildir of 100,000.
pub fn user() -> String {
    format!("{MDBOX}{}", mailhost::user())
}

/// What the names of those begin with.
const MDBOX: &str = "box";

/// Puts the corpus into the inbox of `user`, as Dovecot itself would have it after delivery.
pub fn fill(corpus: &Corpus, user: &str) {
    fill_with(corpus, user, |uid| corpus.raw(uid));
}

/// The same with other bytes.
pub fn fill_with(corpus: &Corpus, user: &str, raw: impl Fn(u32) -> Vec<u8>) {
    let temp = tempfile::tempdir().unwrap();
    let maildir = temp.path().join("home/Maildir");
    for part in ["cur", "new", "tmp"] {
        fs::create_dir_all(maildir.join(part)).unwrap();
    }
    let mut list = format!("3 V{VALIDITY} N{} G00000000000000000000000000000001\n", corpus.count + 1);
    for uid in 1..=corpus.count {
        let (mail, raw) = (corpus.mail(uid), raw(uid));
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
    let (conf, maildir) = (host().dir.join("dovecot.conf"), home.join("Maildir"));
    // Dovecot 2.4 has another language for it: there these mailboxes, too, are measured as they are.
    if user.starts_with(MDBOX) && fs::read_to_string(&conf).unwrap().contains("userdb_mail=mdbox") {
        let from = format!("maildir:{}", maildir.display());
        let options = ["-c", conf.to_str().unwrap(), "-o", "mail_location=mdbox:~/mdbox"];
        as_root("doveadm", &[&options[..], &["backup", "-R", "-u", user, &from]].concat());
        as_root("rm", &["-r", maildir.to_str().unwrap()]);
    }
}

/// The part of the configuration that says where the account is, on what line, and more of it.
pub fn account_at(user: &str, imaps: u16, more: &str) -> String {
    let Host { submissions, .. } = host();
    let ca = host().dir.join("tls/ca.pem");
    format!(
        "[account.bench]\naddress = \"{user}\"\npassword = {{ command = \"echo {PASSWORD}\" }}\n\
         imap = {{ host = \"127.0.0.1\", port = {imaps}, tls = \"implicit\" }}\n\
         smtp = {{ host = \"127.0.0.1\", port = {submissions}, tls = \"implicit\" }}\n\
         ca-file = \"{}\"\nkeep = {{ bodies = \"none\" }}\n{more}",
        ca.display()
    )
}

/// A profile of one's own with that account and nothing else in it.
pub fn profile(user: &str) -> tempfile::TempDir {
    profile_with(user, "")
}

/// ... with more of the configuration.
pub fn profile_with(user: &str, more: &str) -> tempfile::TempDir {
    let dir = tempfile::Builder::new().prefix("pr").tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let config = dir.path().join("config.toml");
    fs::write(&config, account_at(user, host().imaps, more)).unwrap();
    fs::set_permissions(&config, fs::Permissions::from_mode(0o600)).unwrap();
    dir
}

/// What a bare read took.
pub struct Read {
    /// Of all envelopes, in seconds, from connecting on: ours is measured from its start on.
    pub read: f64,
    /// Octets read, after decryption.
    pub octets: u64,
}

/// The server forgets what it has learnt of the inbox of `user` by reading its mails, as if no client had asked yet.
pub fn forget(user: &str) {
    let home = host().dir.join("mail").join(user.split('@').next().unwrap());
    as_root("find", &[home.to_str().unwrap(), "-name", "dovecot.index.cache", "-delete"]);
}

/// What a list wants of a message, as our own reader asks for it.
pub const ENVELOPE: &str = "(UID FLAGS INTERNALDATE RFC822.SIZE \
    BODY.PEEK[HEADER.FIELDS (FROM TO CC REPLY-TO SUBJECT MESSAGE-ID REFERENCES)])";

/// The same where many are asked for, in a first sync.
const ALL: &str = "(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (REFERENCES)])";

/// Logs in, asks for what our own list wants of every message, and reads it without looking at it.
pub fn bare_read(user: &str) -> Read {
    let begun = Instant::now();
    let mut bare = Bare::open(host().imaps, user);
    bare.ask("EXAMINE INBOX");
    let (octets, _) = bare.ask(&format!("UID FETCH 1:* {ALL}"));
    Read { read: begun.elapsed().as_secs_f64(), octets }
}
