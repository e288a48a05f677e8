//! bed — a profile in a temporary folder and the binary run in it.

use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, SystemTime};

pub const BINARY: &str = env!("CARGO_BIN_EXE_postrider");

/// A profile of its own; removed at the end of the test.
pub struct Bed {
    dir: tempfile::TempDir,
}

/// What a run left.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// With this exit code, or the test ends with what was said.
    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "standard output:\n{}standard error:\n{}", self.out, self.err);
        self
    }

    /// Whose error says this.
    #[track_caller]
    pub fn says(self, words: &str) -> Self {
        assert!(self.err.contains(words), "`{words}` is not in: {}", self.err);
        self
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {}{}", self.out, self.err))
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Bed {
    /// With nothing in it.
    pub fn new() -> Self {
        Self { dir: tempfile::Builder::new().prefix("pr").tempdir().unwrap() }
    }

    /// With a local account `home` that has some mail, some of it answered by the person.
    pub fn with_mail() -> Self {
        let bed = Self::new();
        bed.configure("[account.home]\naddress = \"dana@example.org\"\nname = \"Dana\"\nmaildir = \"mail\"\nsmtp = { local = true }\nkeep = { bodies = \"all\" }\n");
        for folder in ["INBOX", "Archive", "Sent", "Trash", "Lists/Rust"] {
            for part in ["cur", "new", "tmp"] {
                fs::create_dir_all(bed.path("mail").join(folder).join(part)).unwrap();
            }
        }
        bed.deliver("INBOX", 1, "", "From: Ann <ann@example.org>\nTo: dana@example.org\nSubject: Harbour\nMessage-ID: <1@example.org>\nDate: Thu, 12 Mar 2026 14:02:00 +0000\n\nThe ferry leaves at nine.\n");
        bed.deliver("INBOX", 2, "S", "From: Bob <bob@example.org>\nTo: dana@example.org\nSubject: Re: Harbour\nMessage-ID: <2@example.org>\nIn-Reply-To: <1@example.org>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nA chart is attached.\n--b\nContent-Type: text/csv\nContent-Disposition: attachment; filename=\"../chart one.csv\"\n\na,b\n--b--\n");
        bed.deliver("INBOX", 3, "F", "From: \"Evil \x1b]0;pwned\x07\" <evil@example.org>\nTo: dana@example.org\nSubject: \x1b[2Jclear\nMessage-ID: <3@example.org>\n\n\x1b[31mred\x1b[m\n");
        bed.deliver("Lists/Rust", 4, "", "From: Carl <carl@example.org>\nTo: rust@example.org\nSubject: Borrowing\nMessage-ID: <4@example.org>\n\nHow do I borrow a ferry?\n");
        bed
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn configure(&self, text: &str) {
        self.write("config.toml", text);
    }

    pub fn write(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt;
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Puts a message into a maildir; the greater `n`, the newer it is.
    pub fn deliver(&self, folder: &str, n: u64, flags: &str, text: &str) {
        let path = self.path("mail").join(folder).join("cur").join(format!("{n}.M1.test:2,{flags}"));
        fs::write(&path, text.replace('\n', "\r\n")).unwrap();
        let when = SystemTime::UNIX_EPOCH + Duration::from_secs(1_780_000_000 + n * 60);
        fs::File::open(&path).unwrap().set_modified(when).unwrap();
    }

    /// The files in a maildir's `cur` and `new`.
    pub fn files(&self, folder: &str) -> Vec<String> {
        let dir = self.path("mail").join(folder);
        let mut all: Vec<String> = ["cur", "new"]
            .iter()
            .flat_map(|part| fs::read_dir(dir.join(part)).unwrap())
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        all.sort();
        all
    }

    pub fn command(&self, args: &[&str]) -> Command {
        command(self.dir.path(), args)
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        self.command(args).stdin(Stdio::null()).output().unwrap().into()
    }

    /// With that on standard input.
    pub fn feed(&self, args: &[&str], input: &[u8]) -> Ran {
        let mut child = self.command(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // It may end without reading all of it.
        let _ = child.stdin.take().unwrap().write_all(input);
        child.wait_with_output().unwrap().into()
    }

    /// The messages of a mailbox as JSON, newest first.
    pub fn list(&self, mailbox: &str) -> Vec<Value> {
        self.run(&["list", mailbox, "--json"]).code(0).json().as_array().unwrap().clone()
    }

    /// The number of the message with that subject.
    #[track_caller]
    pub fn id(&self, mailbox: &str, subject: &str) -> String {
        let rows = self.list(mailbox);
        let row = rows.iter().find(|r| r["subject"] == subject).unwrap_or_else(|| panic!("no {subject} in {rows:?}"));
        row["id"].to_string()
    }
}

fn command(profile: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    // Not the person's own: home, and what their shell says.
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", profile).env("TZ", "UTC");
    command.arg("--profile").arg(profile).args(args);
    command
}
