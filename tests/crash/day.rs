//! day — a profile with one account, the binary run in it, and what the server holds: maildirs on this machine, or those
//! of a real Dovecot.

use super::mailhost;
use serde_json::Value;
use std::cell::RefCell;
use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

const FOLDERS: [&str; 7] = ["INBOX", "Archive", "Sent", "Trash", "Lists/Rust", "Junk", "Drafts"];
/// Deleting for ever waits so long; the test moves the date in the journal instead.
pub(super) const HOLD: i64 = 11;

/// The program; `POSTRIDER_BINARY` names a copy, for long runs beside a build.
pub(super) fn binary() -> OsString {
    std::env::var_os("POSTRIDER_BINARY").unwrap_or_else(|| env!("CARGO_BIN_EXE_postrider").into())
}

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
    pub(super) args: Vec<String>,
    pub(super) input: String,
}

impl Run {
    pub fn of(args: &[&str]) -> Self {
        Self { args: args.iter().map(|a| (*a).to_owned()).collect(), input: String::new() }
    }
}

/// Where the mail is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// In maildirs of ours.
    Local,
    /// In a Dovecot that knows everything, with a Postfix.
    Dovecot,
    /// In a Dovecot that announces no extension.
    Bare,
}

/// The profile; each saved state of it lies beside it.
pub struct Day {
    pub(super) kind: Kind,
    /// Extensions that the account is to do without.
    without: &'static [&'static str],
    /// The person's address at the server, and who gets what is sent.
    pub(super) me: String,
    pub(super) sink: String,
    /// The address of a second account of theirs, at the same server.
    second: Option<String>,
    pub(super) dir: tempfile::TempDir,
    saved: RefCell<u32>,
    said: RefCell<String>,
}

/// A state of the whole profile, server included.
pub struct Saved(PathBuf);

impl Day {
    pub fn new(kind: Kind) -> Self {
        Self::without(kind, &[])
    }

    pub fn without(kind: Kind, without: &'static [&'static str]) -> Self {
        Self::with(kind, without, None)
    }

    /// With two accounts, `home` and `work`.
    pub fn two() -> Self {
        Self::with(Kind::Dovecot, &[], Some(mailhost::user()))
    }

    fn with(kind: Kind, without: &'static [&'static str], second: Option<String>) -> Self {
        let dir = tempfile::Builder::new().prefix("crash").tempdir().unwrap();
        let (me, sink) = match kind {
            Kind::Local => ("dana@example.org".to_owned(), "dana@example.org".to_owned()),
            Kind::Dovecot => (mailhost::user(), mailhost::user()),
            Kind::Bare => (mailhost::bare_user(), mailhost::user()),
        };
        let day = Self { kind, without, me, sink, second, dir, saved: RefCell::default(), said: RefCell::default() };
        fs::create_dir(day.home()).unwrap();
        day.configure();
        for folder in FOLDERS {
            for part in ["cur", "new", "tmp"] {
                fs::create_dir_all(day.folder(folder).join(part)).unwrap();
            }
        }
        for n in 1..=5 {
            day.deliver(n);
        }
        if let Some(second) = &day.second {
            let there = maildir_of(second);
            fs::create_dir_all(there.parent().unwrap()).unwrap();
            copy(&day.root(), &there);
            day.owned(second);
        }
        day
    }

    pub(super) fn home(&self) -> PathBuf {
        self.dir.path().join("profile")
    }

    fn configure(&self) {
        let account = |name: &str, me: &str| {
            let servers = self.servers();
            let keep = "keep = { bodies = \"all\" }";
            format!("[account.{name}]\naddress = \"{me}\"\n{servers}{keep}\nwithout = {:?}\n", self.without)
        };
        let second = self.second.as_ref().map(|me| account("work", me)).unwrap_or_default();
        fs::write(self.home().join("config.toml"), account("home", &self.me) + &second).unwrap();
        private(&self.home().join("config.toml"));
    }

    fn servers(&self) -> String {
        match self.kind {
            Kind::Local => "maildir = \"mail\"\nsmtp = { local = true }\n".to_owned(),
            _ => {
                let host = mailhost::host();
                fs::write(self.home().join("password"), mailhost::PASSWORD).unwrap();
                private(&self.home().join("password"));
                format!(
                    "password = {{ file = \"password\" }}\nca-file = {:?}\nimap = {{ host = \"127.0.0.1\", port = {} }}\nsmtp = {{ host = \"127.0.0.1\", port = {} }}\n",
                    host.dir.join("tls/ca.pem"),
                    host.imaps,
                    host.submissions
                )
            }
        }
    }

    /// All that the server has of the person.
    fn root(&self) -> PathBuf {
        match self.kind {
            Kind::Local => self.home().join("mail"),
            _ => maildir_of(&self.me),
        }
    }

    pub(super) fn folder(&self, name: &str) -> PathBuf {
        match (self.kind, name) {
            (Kind::Local, _) => self.root().join(name),
            (_, "INBOX") => self.root(),
            _ => self.root().join(format!(".{}", name.replace('/', "."))),
        }
    }

    fn deliver(&self, n: u64) {
        let text = format!(
            "From: Ann <ann@example.org>\nTo: dana@example.org\nSubject: Mail {n}\nMessage-ID: <{n}@example.org>\nDate: Thu, 12 Mar 2026 14:0{n}:00 +0000\n\nThis is mail {n}.\n"
        );
        let path = self.put("INBOX", &format!("17700000{n:02}.M{n}P1.host"), &text);
        let file = fs::File::options().append(true).open(&path).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_770_000_000 + n)).unwrap();
    }

    /// A mail arrives, in a file of this name. Where that is.
    pub fn put(&self, folder: &str, name: &str, text: &str) -> PathBuf {
        let path = self.folder(folder).join("new").join(name);
        fs::write(&path, text).unwrap();
        if self.kind != Kind::Local {
            self.owned(&self.me);
        }
        path
    }

    /// So many mails of one kind arrive: what each says is what `text` makes of its number.
    pub fn put_many(&self, folder: &str, numbers: std::ops::Range<usize>, text: impl Fn(usize) -> String) {
        let new = self.folder(folder).join("new");
        for n in numbers {
            fs::write(new.join(format!("177000{:04}.M{n}P7.host", 1_000 + n)), text(n)).unwrap();
        }
        if self.kind != Kind::Local {
            self.owned(&self.me);
        }
    }

    /// Waits until the server has nobody left of ours.
    pub fn all_left(&self) {
        self.kept().into_iter().for_each(|(user, _)| mailhost::left(user));
    }

    fn owned(&self, user: &str) {
        let done = Command::new("chown").arg("-R").arg("mail:mail").arg(mailhost::home(user)).status().unwrap();
        assert!(done.success());
    }

    /// Whose mail the server keeps, with the name that it is saved under.
    fn kept(&self) -> Vec<(&str, &'static str)> {
        [(self.me.as_str(), "server")].into_iter().chain(self.second.as_deref().map(|second| (second, "second"))).collect()
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
        fs::create_dir(&saved).unwrap();
        copy(&self.home(), &saved.join("profile"));
        if self.kind != Kind::Local {
            self.kept().into_iter().for_each(|(user, name)| copy(&maildir_of(user), &saved.join(name)));
        }
        Saved(saved)
    }

    pub fn restore(&self, saved: &Saved) {
        fs::remove_dir_all(self.home()).unwrap();
        copy(&saved.0.join("profile"), &self.home());
        if self.kind != Kind::Local {
            // Nobody is to put anything there meanwhile: no mail is on its way, no session is over only by half.
            mailhost::delivered();
            let _ = fs::remove_dir_all(maildir_of(&self.sink));
            for (user, name) in self.kept() {
                mailhost::left(user);
                let end = Instant::now() + Duration::from_secs(30);
                // One that begins just now, of a client that was killed before it, may still make a file.
                while let Err(error) = fs::remove_dir_all(maildir_of(user)) {
                    assert!(error.kind() == std::io::ErrorKind::DirectoryNotEmpty && Instant::now() < end, "{error}");
                    mailhost::left(user);
                }
                copy(&saved.0.join(name), &maildir_of(user));
            }
        }
    }

    /// The exit code; 100 where it was killed after the `crash_at`-th step.
    pub fn run(&self, run: &Run, crash_at: Option<u64>) -> i32 {
        let mut command = Command::new(binary());
        command.arg("--profile").arg(self.home()).args(&run.args);
        command.env_remove("POSTRIDER_CRASH_AT").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(at) = crash_at {
            command.env("POSTRIDER_CRASH_AT", at.to_string());
        }
        let mut child = command.spawn().unwrap();
        // One that dies early reads nothing.
        let input = run.input.replace("ME", &self.me).replace("SINK", &self.sink);
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        if self.kind != Kind::Local {
            // Who was killed left commands on their way: another one's view begins behind them.
            self.all_left();
        }
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        *self.said.borrow_mut() = format!("{:?}\n{}{}", run.args, text(output.stdout), text(output.stderr));
        output.status.code().unwrap_or(-1)
    }

    /// What the last run said.
    pub fn said(&self) -> String {
        self.said.borrow().clone()
    }

    pub(super) fn json(&self, args: &[&str]) -> Value {
        let output = Command::new(binary()).arg("--profile").arg(self.home()).args(args).arg("--json").output().unwrap();
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
            if mailbox["selectable"] == false {
                continue;
            }
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

    /// What the server holds: folder, `Message-ID`, flags.
    pub fn server(&self) -> Vec<(String, String, String)> {
        let mut all = Vec::new();
        for (name, folder) in self.folders() {
            self.look(&folder, &name, &mut all);
        }
        if self.kind != Kind::Local {
            let sink = maildir_of(&self.sink);
            self.look(&sink, "sink", &mut all);
            if let Some(second) = &self.second {
                let root = maildir_of(second);
                folders_of(&root).iter().for_each(|(name, folder)| self.look(folder, &format!("work/{name}"), &mut all));
            }
        }
        all.sort();
        all
    }

    /// All that are there now.
    fn folders(&self) -> Vec<(String, PathBuf)> {
        if self.kind == Kind::Local {
            return FOLDERS.iter().map(|name| ((*name).to_owned(), self.folder(name))).collect();
        }
        folders_of(&self.root())
    }

    pub(super) fn look(&self, maildir: &Path, name: &str, all: &mut Vec<(String, String, String)>) {
        for part in ["cur", "new"] {
            let Ok(entries) = fs::read_dir(maildir.join(part)) else { continue };
            for entry in entries {
                let path = entry.unwrap().path();
                let text = fs::read_to_string(&path).unwrap();
                let id = text.lines().find_map(|l| l.strip_prefix("Message-ID: ")).unwrap_or("none").trim().to_owned();
                let file = path.file_name().unwrap().to_string_lossy().into_owned();
                let flags = file.rsplit_once(":2,").map_or("", |(_, flags)| flags);
                all.push((name.to_owned(), id, flags.to_owned()));
            }
        }
    }

    /// Lets the time pass in which deleting for ever can be taken back.
    pub fn wait_for_holds(&self, deed: &Deed) {
        if deed.args.contains(&"--forever") {
            self.let_holds_pass();
        }
    }
}

pub(super) fn maildir_of(user: &str) -> PathBuf {
    mailhost::home(user).join("Maildir")
}

/// All that are there now of a maildir with others in it.
fn folders_of(root: &Path) -> Vec<(String, PathBuf)> {
    let mut all = vec![("INBOX".to_owned(), root.to_owned())];
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with('.') && path.join("cur").is_dir() {
            all.push((name[1..].replace('.', "/"), path));
        }
    }
    all
}

fn private(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn copy(from: &Path, to: &Path) {
    let done = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(done.success());
}
