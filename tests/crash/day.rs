//! day — a profile with a local account, the binary run in it, and what the maildirs hold: the server's side.

use serde_json::Value;
use std::cell::RefCell;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

const BINARY: &str = env!("CARGO_BIN_EXE_postrider");
/// Deleting for ever waits so long; the test moves the date in the journal instead.
const HOLD: i64 = 11;

/// A command that changes something.
#[derive(Clone, Debug)]
pub struct Deed {
    pub name: &'static str,
    /// The `Message-ID` whose number stands for `ID`, "" for none.
    pub about: &'static str,
    pub args: &'static [&'static str],
    pub input: &'static str,
}

/// A call of the program.
#[derive(Clone, Debug)]
pub struct Run {
    args: Vec<String>,
    input: String,
}

impl Run {
    pub fn of(args: &[&str]) -> Self {
        Self { args: args.iter().map(|a| (*a).to_owned()).collect(), input: String::new() }
    }
}

/// The profile; each saved state of it lies beside it.
pub struct Day {
    dir: tempfile::TempDir,
    saved: RefCell<u32>,
    said: RefCell<String>,
}

/// A state of the whole profile, server included.
pub struct Saved(PathBuf);

impl Day {
    pub fn local() -> Self {
        let dir = tempfile::Builder::new().prefix("crash").tempdir().unwrap();
        let day = Self { dir, saved: RefCell::default(), said: RefCell::default() };
        fs::create_dir(day.home()).unwrap();
        let config = "[account.home]\naddress = \"dana@example.org\"\nmaildir = \"mail\"\nsmtp = { local = true }\nkeep = { bodies = \"all\" }\n";
        fs::write(day.home().join("config.toml"), config).unwrap();
        fs::set_permissions(day.home().join("config.toml"), fs::Permissions::from_mode(0o600)).unwrap();
        for folder in ["INBOX", "Archive", "Sent", "Trash", "Lists/Rust"] {
            for part in ["cur", "new", "tmp"] {
                fs::create_dir_all(day.home().join("mail").join(folder).join(part)).unwrap();
            }
        }
        for n in 1..=5 {
            day.deliver(n);
        }
        day
    }

    fn home(&self) -> PathBuf {
        self.dir.path().join("profile")
    }

    fn deliver(&self, n: u64) {
        let text = format!(
            "From: Ann <ann@example.org>\nTo: dana@example.org\nSubject: Mail {n}\nMessage-ID: <{n}@example.org>\nDate: Thu, 12 Mar 2026 14:0{n}:00 +0000\n\nThis is mail {n}.\n"
        );
        let path = self.home().join("mail/INBOX/new").join(format!("17700000{n:02}.M{n}P1.host"));
        fs::write(&path, text).unwrap();
        let file = fs::File::options().append(true).open(&path).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_770_000_000 + n)).unwrap();
    }

    /// One more mail, if `n` is not 0.
    pub fn deliver_news(&self, n: u64) {
        if n > 0 {
            self.deliver(n);
        }
    }

    pub fn save(&self) -> Saved {
        *self.saved.borrow_mut() += 1;
        let saved = self.dir.path().join(format!("saved{}", self.saved.borrow()));
        copy(&self.home(), &saved);
        Saved(saved)
    }

    pub fn restore(&self, saved: &Saved) {
        fs::remove_dir_all(self.home()).unwrap();
        copy(&saved.0, &self.home());
    }

    /// The exit code; 100 where it was killed after the `crash_at`-th step.
    pub fn run(&self, run: &Run, crash_at: Option<u64>) -> i32 {
        let mut command = Command::new(BINARY);
        command.arg("--profile").arg(self.home()).args(&run.args);
        command.env_remove("POSTRIDER_CRASH_AT").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(at) = crash_at {
            command.env("POSTRIDER_CRASH_AT", at.to_string());
        }
        let mut child = command.spawn().unwrap();
        // One that dies early reads nothing.
        let _ = child.stdin.take().unwrap().write_all(run.input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        *self.said.borrow_mut() = format!("{:?}\n{}{}", run.args, text(output.stdout), text(output.stderr));
        output.status.code().unwrap_or(-1)
    }

    /// What the last run said.
    pub fn said(&self) -> String {
        self.said.borrow().clone()
    }

    fn json(&self, args: &[&str]) -> Value {
        let output = Command::new(BINARY).arg("--profile").arg(self.home()).args(args).arg("--json").output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{args:?}: {e}: {text}{}", String::from_utf8_lossy(&output.stderr)))
    }

    /// The deed as a call: `ID` is the number of its message now.
    pub fn about(&self, deed: &Deed) -> Run {
        let id = match deed.about {
            "" => String::new(),
            about => {
                let rows = self.json(&["list", "INBOX"]);
                let row = rows.as_array().unwrap().iter().find(|row| row["message_id"] == about);
                row.unwrap_or_else(|| panic!("{about} is not in the inbox: {rows}"))["id"].to_string()
            }
        };
        let args = deed.args.iter().map(|a| if *a == "ID" { id.clone() } else { (*a).to_owned() }).collect();
        Run { args, input: deed.input.to_owned() }
    }

    /// All that the person sees, without numbers that may differ.
    pub fn seen(&self) -> Vec<String> {
        let mut seen = Vec::new();
        for mailbox in self.json(&["mailboxes"]).as_array().unwrap() {
            let name = mailbox["mailbox"].as_str().or(mailbox["name"].as_str()).unwrap_or_else(|| panic!("{mailbox}")).to_owned();
            seen.push(format!("{name} {} {}", mailbox["total"], mailbox["unread"]));
            for mut row in self.json(&["list", &name]).as_array().unwrap().clone() {
                let row = row.as_object_mut().unwrap();
                row.remove("id");
                row.remove("thread");
                seen.push(format!("{name}: {row:?}"));
            }
        }
        seen
    }

    /// What the maildirs hold: folder, `Message-ID`, flags.
    pub fn server(&self) -> Vec<(String, String, String)> {
        let root = self.home().join("mail");
        let mut all = Vec::new();
        for folder in ["INBOX", "Archive", "Sent", "Trash", "Lists/Rust", "Junk", "Drafts"] {
            for part in ["cur", "new"] {
                let Ok(entries) = fs::read_dir(root.join(folder).join(part)) else { continue };
                for entry in entries {
                    let path = entry.unwrap().path();
                    let text = fs::read_to_string(&path).unwrap();
                    let id = text.lines().find_map(|l| l.strip_prefix("Message-ID: ")).unwrap_or("none").to_owned();
                    let name = path.file_name().unwrap().to_string_lossy().into_owned();
                    let flags = name.rsplit_once(":2,").map_or(String::new(), |(_, flags)| flags.to_owned());
                    all.push((folder.to_owned(), id, flags));
                }
            }
        }
        all.sort();
        all
    }

    /// How many operations are left.
    pub fn queue(&self) -> usize {
        self.json(&["queue"]).as_array().unwrap().len()
    }

    /// A mail whose outcome is not known is never sent again unasked: the person looks whether it arrived, and says so.
    pub fn settle_unknown(&self) {
        for mail in self.json(&["outbox"]).as_array().unwrap() {
            assert_eq!(mail["state"], "unknown", "{mail}");
            let arrived = self.server().iter().filter(|(folder, id, _)| folder == "INBOX" && id == "<sent@example.org>").count();
            assert!(arrived <= 1, "sent twice: {mail}");
            if arrived == 1 {
                // As `mark-sent` in the reader does.
                let state = rusqlite::Connection::open(self.home().join("data/state.sqlite")).unwrap();
                state.execute("UPDATE outbox SET state = 'accepted' WHERE state = 'unknown'", []).unwrap();
            } else {
                assert_eq!(self.run(&Run::of(&["outbox", "retry", &mail["id"].to_string()]), None), 0, "{}", self.said());
            }
            assert_eq!(self.run(&Run::of(&["sync"]), None), 0, "{}", self.said());
        }
    }

    /// Lets the time pass in which deleting for ever can be taken back.
    pub fn wait_for_holds(&self, deed: &Deed) {
        if deed.args.contains(&"--forever") {
            let file = self.home().join("data/state.sqlite");
            let state = rusqlite::Connection::open(file).unwrap();
            state.execute("UPDATE operation SET not_before = not_before - ?1 WHERE not_before > 0", [HOLD]).unwrap();
        }
    }
}

fn copy(from: &Path, to: &Path) {
    let done = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(done.success());
}
