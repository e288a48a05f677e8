//! child — runs a program for the person: own process group, deadline, capped output, no terminal.
//! Owns: `run`, `detach`, `Command`, `Finished`, `ChildError`. May import: `gate`, `cancel`.
//! Start reading at: `run`. A program that hangs or floods ends with its whole group; nothing waits for ever.

use super::cancel::Cancel;
use super::gate::Permit;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::AsFd;
use rustix::process::{Pid, Signal, kill_process_group};
use std::fmt;
use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long a program may live on after SIGTERM.
const GRACE: Duration = Duration::from_millis(500);
/// The most bytes of standard error that are kept.
const MAX_STDERR: usize = 4 * 1024;

/// What to run.
#[derive(Clone, Debug)]
pub struct Command {
    /// The program and its arguments, passed as they are.
    pub argv: Vec<String>,
    /// What it reads from its standard input.
    pub stdin: Vec<u8>,
    /// How long it may take.
    pub deadline: Duration,
    /// The most bytes that it may print.
    pub max_output: usize,
}

impl Command {
    /// A line for `sh -c`, as the configuration's password command: a minute, 64 KiB.
    #[must_use]
    pub fn shell(line: &str) -> Self {
        Self {
            argv: vec!["sh".to_owned(), "-c".to_owned(), line.to_owned()],
            stdin: Vec::new(),
            deadline: Duration::from_secs(60),
            max_output: 64 * 1024,
        }
    }
}

/// What a program left.
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// What it printed: may be a secret, so it has no `Debug`.
    pub stdout: Vec<u8>,
    /// The beginning of what it complained. Untrusted text.
    pub stderr: String,
}

/// Why there is nothing.
#[derive(Debug)]
pub enum ChildError {
    /// It could not be started.
    Start(io::Error),
    /// The deadline passed; its group was killed.
    Deadline,
    /// It printed more than it may; its group was killed.
    TooMuch,
    /// We were told to stop; its group was killed.
    Cancelled,
    /// A pipe broke.
    Io(io::Error),
}

impl fmt::Display for ChildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(e) => write!(f, "cannot be started: {e}"),
            Self::Deadline => f.write_str("took too long"),
            Self::TooMuch => f.write_str("printed too much"),
            Self::Cancelled => f.write_str("stopped"),
            Self::Io(e) => write!(f, "{e}"),
        }
    }
}

impl std::error::Error for ChildError {}

/// Runs `command` to its end. The permit is used up.
///
/// # Errors
/// See [`ChildError`]; an exit code other than 0 is none.
#[expect(clippy::needless_pass_by_value, reason = "a permit is for one start")]
pub fn run(permit: Permit, command: &Command, cancel: &Cancel) -> Result<Finished, ChildError> {
    let _ = permit.reason();
    let (program, args) = command.argv.split_first().ok_or_else(|| ChildError::Start(io::ErrorKind::InvalidInput.into()))?;
    let mut child = std::process::Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(ChildError::Start)?;
    let result = talk(&mut child, command, cancel);
    if result.is_err() {
        end_group(&mut child);
    }
    result
}

fn talk(child: &mut Child, command: &Command, cancel: &Cancel) -> Result<Finished, ChildError> {
    let end = Instant::now() + command.deadline;
    let (mut input, mut out, mut err) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (mut stdout, mut stderr, mut written) = (Vec::new(), Vec::new(), 0);
    for fd in
        [input.as_ref().map(AsFd::as_fd), out.as_ref().map(AsFd::as_fd), err.as_ref().map(AsFd::as_fd)].into_iter().flatten()
    {
        rustix::io::ioctl_fionbio(fd, true).map_err(|e| ChildError::Io(e.into()))?;
    }
    loop {
        if input.is_some() && written == command.stdin.len() {
            input = None;
        }
        if input.is_none() && out.is_none() && err.is_none() {
            break;
        }
        wait(cancel, end, input.as_ref(), out.as_ref(), err.as_ref())?;
        if let Some(pipe) = &mut input {
            match pipe.write(command.stdin.get(written..).unwrap_or_default()) {
                Ok(n) => written += n,
                Err(e) if again(&e) => {}
                // A program need not read what it is given.
                Err(_) => input = None,
            }
        }
        if drain(&mut out, &mut stdout, command.max_output)? {
            return Err(ChildError::TooMuch);
        }
        drain(&mut err, &mut stderr, MAX_STDERR)?;
    }
    // Both outputs are closed: it ends now or, having closed them early, soon.
    let status = loop {
        if let Some(status) = child.try_wait().map_err(ChildError::Io)? {
            break status;
        }
        check(cancel, end)?;
        std::thread::sleep(Duration::from_millis(5));
    };
    Ok(Finished { status, stdout, stderr: String::from_utf8_lossy(&stderr).into_owned() })
}

fn again(e: &io::Error) -> bool {
    matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

fn check(cancel: &Cancel, end: Instant) -> Result<(), ChildError> {
    if cancel.is_set() {
        Err(ChildError::Cancelled)
    } else if Instant::now() >= end {
        Err(ChildError::Deadline)
    } else {
        Ok(())
    }
}

fn wait(
    cancel: &Cancel,
    end: Instant,
    input: Option<&impl AsFd>,
    out: Option<&impl AsFd>,
    err: Option<&impl AsFd>,
) -> Result<(), ChildError> {
    check(cancel, end)?;
    let bell = cancel.fd();
    let mut fds = vec![PollFd::new(&bell, PollFlags::IN)];
    fds.extend(input.map(|p| PollFd::new(p, PollFlags::OUT)));
    fds.extend(out.map(|p| PollFd::new(p, PollFlags::IN)));
    fds.extend(err.map(|p| PollFd::new(p, PollFlags::IN)));
    let left = end.saturating_duration_since(Instant::now());
    let limit = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
    match poll(&mut fds, Some(&limit)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => check(cancel, end),
        Err(e) => Err(ChildError::Io(e.into())),
    }
}

/// Takes what is there; closes the pipe at its end. True if there is more than `max`: the rest is thrown away.
fn drain<R: Read>(pipe: &mut Option<R>, into: &mut Vec<u8>, max: usize) -> Result<bool, ChildError> {
    let mut buf = [0u8; 8 * 1024];
    let Some(open) = pipe else { return Ok(false) };
    match open.read(&mut buf) {
        Ok(0) => *pipe = None,
        Ok(n) => {
            let room = max - into.len();
            into.extend_from_slice(buf.get(..n.min(room)).unwrap_or_default());
            return Ok(n > room);
        }
        Err(e) if again(&e) => {}
        Err(e) => return Err(ChildError::Io(e)),
    }
    Ok(false)
}

/// SIGTERM to the group, SIGKILL after [`GRACE`], and no zombie.
fn end_group(child: &mut Child) {
    let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) else { return };
    let _ = kill_process_group(group, Signal::TERM);
    let end = Instant::now() + GRACE;
    while Instant::now() < end {
        if matches!(child.try_wait(), Ok(Some(_))) {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    // Also when the leader is gone: its children share the group.
    let _ = kill_process_group(group, Signal::KILL);
    let _ = child.wait();
}

/// Starts a program that lives on by itself, such as a viewer: its own process group, no terminal, nothing to read.
///
/// # Errors
/// It could not be started.
#[expect(clippy::needless_pass_by_value, reason = "a permit is for one start")]
pub fn detach(permit: Permit, program: &str, args: &[std::ffi::OsString]) -> io::Result<()> {
    let _ = permit.reason();
    let mut child = std::process::Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()?;
    // Somebody has to hear of its end, or it stays as a zombie. A thread that waits costs nothing.
    super::spawn::spawn("opened", move || {
        let _ = child.wait();
    })?;
    Ok(())
}

/// Runs a line for the shell with a file behind it, on our own terminal and to its end: the person's editor.
///
/// # Errors
/// It could not be started.
#[expect(clippy::needless_pass_by_value, reason = "a permit is for one start")]
pub fn foreground(permit: Permit, line: &str, file: &std::path::Path) -> io::Result<ExitStatus> {
    let _ = permit.reason();
    std::process::Command::new("sh").arg("-c").arg(format!("{line} \"$1\"")).arg("sh").arg(file).status()
}

impl Finished {
    /// Whether it ended with 0.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.status.success()
    }

    /// How it ended, in words.
    #[must_use]
    pub fn ending(&self) -> String {
        match (self.status.code(), self.status.signal()) {
            (Some(code), _) => format!("exit code {code}"),
            (None, Some(signal)) => format!("signal {signal}"),
            (None, None) => "no exit code".to_owned(),
        }
    }

    /// The first line printed, as passwords are: without its line break, other white space kept.
    #[must_use]
    pub fn first_line(&self) -> String {
        let line = self.stdout.split(|b| *b == b'\n').next().unwrap_or_default();
        String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::gate::Reason;

    fn sh(line: &str, change: impl FnOnce(&mut Command)) -> Result<Finished, ChildError> {
        let mut c = Command::shell(line);
        change(&mut c);
        run(Permit::ask(Reason::PasswordCommand).unwrap(), &c, &Cancel::new().unwrap())
    }

    #[test]
    fn prints_and_complains() {
        let f = sh("cat; echo oops >&2; exit 3", |c| c.stdin = b"p w \nnext".to_vec()).unwrap();
        assert_eq!((f.first_line().as_str(), f.stderr.as_str(), f.ending().as_str()), ("p w ", "oops\n", "exit code 3"));
        assert!(sh("true", |_| ()).unwrap().ok());
    }

    #[test]
    fn big_input_that_nobody_reads_is_no_deadlock() {
        let f = sh("head -c 10 >/dev/null; echo x", |c| c.stdin = vec![b'a'; 1_000_000]).unwrap();
        assert_eq!(f.stdout, b"x\n");
    }

    #[test]
    fn hanging_and_flooding_end() {
        crate::base::clock::quick(Duration::from_secs(5), || {
            let start = Instant::now();
            let e = sh("sleep 30 & sleep 30", |c| c.deadline = Duration::from_millis(100)).err().unwrap();
            assert!(matches!(e, ChildError::Deadline), "{e}");
            let e = sh("yes", |c| c.max_output = 10_000).err().unwrap();
            assert!(matches!(e, ChildError::TooMuch), "{e}");
            start.elapsed()
        });
    }

    #[test]
    fn cancel_ends_the_whole_group() {
        crate::base::clock::quick(Duration::from_secs(3), || {
            let cancel = Cancel::new().unwrap();
            let ring = cancel.clone();
            let t = std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(100));
                ring.ring();
            });
            let start = Instant::now();
            let c = Command::shell("trap '' TERM; sleep 20; sleep 20");
            let e = run(Permit::ask(Reason::PasswordCommand).unwrap(), &c, &cancel).err().unwrap();
            assert!(matches!(e, ChildError::Cancelled), "{e}");
            let took = start.elapsed();
            t.join().unwrap();
            took
        });
    }
}
