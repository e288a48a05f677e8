//! bed — a profile of its own, the built binary run in it, and what it cost: time, memory, and whether a secret got out.
//! Start reading at: `Bed::run`. Every run is searched for the password.

use super::cert;
use super::wire::Server;
use serde_json::Value;
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

pub const BINARY: &str = env!("CARGO_BIN_EXE_postrider");
/// Looked for in everything that is written.
pub const PASSWORD: &str = "S3CR3T-pw-5f2c91";
/// A run that takes longer hangs.
const HANGS: Duration = Duration::from_secs(100);

/// Removed at the end of the test.
pub struct Bed {
    dir: tempfile::TempDir,
    config: String,
}

/// What a run left.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
    pub took: Duration,
    /// The most memory that was resident, in kilobytes.
    pub peak: u64,
    /// Time of the processor.
    pub busy: Duration,
}

impl Ran {
    /// With this exit code, or the test ends with what was said.
    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "standard output:\n{}standard error:\n{}", self.out, self.err);
        self
    }

    /// With these words in what was said.
    #[track_caller]
    pub fn says(self, words: &str) -> Self {
        assert!(self.out.contains(words) || self.err.contains(words), "`{words}` is not in: {}{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {}{}", self.out, self.err))
    }
}

impl Bed {
    /// Without an account.
    pub fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("vec").tempdir().unwrap();
        fs::write(dir.path().join("ca.pem"), cert::authority()).unwrap();
        let bed = Self { dir, config: String::new() };
        bed.write("pw", &format!("{PASSWORD}\n"));
        bed
    }

    /// With the account `a` at a server.
    pub fn at(imap: &Server) -> Self {
        let mut bed = Self::new();
        bed.account("a", imap, None, "");
        bed
    }

    /// One more account; `more` are further lines of its block.
    pub fn account(&mut self, name: &str, imap: &Server, smtp: Option<&Server>, more: &str) {
        let place = |s: &Server| format!("{{ host = \"127.0.0.1\", port = {}, tls = \"{}\" }}", s.port, s.mode());
        let smtp = smtp.map_or_else(String::new, |s| format!("smtp = {}\n", place(s)));
        self.config.push_str(&format!(
            "[account.{name}]\naddress = \"{name}@example.test\"\npassword = {{ file = \"pw\" }}\nca-file = \"{}\"\n\
             imap = {}\n{smtp}{more}\n",
            self.path("ca.pem").display(),
            place(imap)
        ));
        self.write("config.toml", &self.config);
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// The same on a profile elsewhere.
    pub fn run_in(&self, profile: &Path, args: &[&str]) -> Ran {
        let mut command = Command::new(BINARY);
        command.env_clear().env("HOME", profile).env("TZ", "UTC").arg("--profile").arg(profile).args(args);
        self.finish(command)
    }

    /// What `program` is to be run with before the binary's own words.
    pub fn command(&self, program: &str, before: &[&str], args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", self.dir.path()).env("TZ", "UTC");
        command.args(before);
        if program != BINARY {
            command.arg(BINARY);
        }
        command.args(["--log", "trace", "--profile"]).arg(self.dir.path()).args(args);
        command
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        self.finish(self.command(BINARY, &[], args))
    }

    /// Sends the file `mail` to those whom its header names.
    pub fn send(&self, more: &[&str]) -> Ran {
        let before = ["-c", "exec \"$@\" <\"$HOME/mail\"", "sh"];
        self.finish(self.command("sh", &before, &[&["send", "-t"], more].concat()))
    }

    /// Waits for the end of a command, and looks at what it left.
    pub fn finish(&self, mut command: Command) -> Ran {
        let begin = Instant::now();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (out, err) = (drain(child.stdout.take().unwrap()), drain(child.stderr.take().unwrap()));
        let (mut peak, mut busy) = (0, Duration::ZERO);
        let status = loop {
            peak = resident(child.id()).max(peak);
            busy = processor(child.id()).max(busy);
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if begin.elapsed() > HANGS {
                child.kill().unwrap();
                panic!("{command:?} hangs");
            }
            std::thread::sleep(Duration::from_millis(4));
        };
        let took = begin.elapsed();
        let (out, err) = (out.join().unwrap(), err.join().unwrap());
        let ran = Ran { code: status.code().unwrap_or(-1), out, err, took, peak, busy };
        self.no_secret_in(&[&ran.out, &ran.err]);
        ran
    }

    /// Neither there nor in any file but the password's own.
    #[track_caller]
    pub fn no_secret_in(&self, said: &[&str]) {
        use base64::Engine as _;
        let encode = |text: String| base64::engine::general_purpose::STANDARD.encode(text);
        let words = [PASSWORD.to_owned(), encode(PASSWORD.to_owned()), encode(format!("\0a@example.test\0{PASSWORD}"))];
        for (word, text) in words.iter().flat_map(|word| said.iter().map(move |text| (word, text))) {
            assert!(!text.contains(word.as_str()), "{word} was said: {text}");
        }
        // After each run, in all files, by a program that is built to be quick.
        let mut grep = Command::new("grep");
        grep.args(["--recursive", "--text", "--fixed-strings", "--files-with-matches", "--exclude=pw"]);
        for word in &words {
            grep.args(["-e", word]);
        }
        let found = grep.arg(self.dir.path()).stderr(Stdio::null()).output().unwrap();
        // 2: a file went while it was looked at.
        assert!(found.stdout.is_empty() && found.status.code().is_some(), "in {}", String::from_utf8_lossy(&found.stdout));
    }

    /// The messages of a mailbox, newest first, from our own files alone.
    #[track_caller]
    pub fn list(&self, mailbox: &str) -> Vec<Value> {
        self.run(&["--offline", "list", mailbox, "--json"]).code(0).json().as_array().unwrap().clone()
    }

    /// The subjects in a mailbox; none if nobody knows of the mailbox.
    pub fn subjects(&self, mailbox: &str) -> Vec<String> {
        let ran = self.run(&["--offline", "list", mailbox, "--json"]);
        if ran.code == 66 {
            return Vec::new();
        }
        let mut all: Vec<String> =
            ran.code(0).json().as_array().unwrap().iter().map(|r| r["subject"].as_str().unwrap().to_owned()).collect();
        all.sort();
        all
    }

    /// The number of the message with that subject.
    #[track_caller]
    pub fn id(&self, mailbox: &str, subject: &str) -> String {
        let rows = self.list(mailbox);
        let row = rows.iter().find(|r| r["subject"] == subject).unwrap_or_else(|| panic!("no {subject} in {rows:?}"));
        row["id"].to_string()
    }

    /// What the program wrote down of what it did.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.path("state/postrider.log")).unwrap_or_default()).into_owned()
    }
}

fn drain(mut from: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// The most that was resident so far, in kilobytes; 0 for a process that has ended.
pub fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
}

/// The time of the processor so far, in the kernel's ticks of 10 ms.
pub fn processor(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = [11, 12].iter().filter_map(|n| fields.get(*n)?.parse::<u64>().ok()).sum::<u64>();
    Duration::from_millis(ticks * 10)
}

/// All files below a folder.
pub fn files(folder: &Path, each: &mut dyn FnMut(&Path)) {
    for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path()) {
        if path.is_dir() { files(&path, each) } else { each(&path) }
    }
}
