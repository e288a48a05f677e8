//! screen — the program itself on a pseudo-terminal: what comes out, when, and how much of it.

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Lines and columns.
const SIZE: (u16, u16) = (50, 200);

/// A running reader.
pub struct Screen {
    child: Box<dyn Child + Send + Sync>,
    write: Box<dyn Write + Send>,
    output: Receiver<(Instant, Vec<u8>)>,
    terminal: vt100::Parser,
    /// Octets that came out so far.
    pub octets: usize,
    /// When it was started.
    pub begun: Instant,
    _master: Box<dyn MasterPty + Send>,
}

impl Screen {
    /// Starts the reader on the profile in `dir`, as at home or as over ssh.
    pub fn start(dir: &Path, far: bool) -> Self {
        let size = PtySize { rows: SIZE.0, cols: SIZE.1, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_postrider"));
        command.args(["--profile", dir.to_str().unwrap()]);
        command.env("TERM", "xterm-256color");
        for name in ["SSH_CONNECTION", "SSH_TTY", "COLORTERM", "NO_COLOR"] {
            command.env_remove(name);
        }
        if far {
            command.env("SSH_TTY", "/dev/pts/0");
        }
        let begun = Instant::now();
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut read = pair.master.try_clone_reader().unwrap();
        let write = pair.master.take_writer().unwrap();
        let (send, output) = channel();
        std::thread::spawn(move || {
            let mut part = vec![0; 1 << 16];
            while let Ok(n) = read.read(&mut part) {
                if n == 0 || send.send((Instant::now(), part[..n].to_vec())).is_err() {
                    return;
                }
            }
        });
        let terminal = vt100::Parser::new(SIZE.0.try_into().unwrap(), SIZE.1.try_into().unwrap(), 0);
        Self { child, write, output, terminal, octets: 0, begun, _master: pair.master }
    }

    /// What is on the screen.
    pub fn text(&self) -> String {
        self.terminal.screen().contents()
    }

    /// Takes the next bytes; when they were read.
    pub fn take(&mut self, limit: Duration) -> Option<Instant> {
        match self.output.recv_timeout(limit) {
            Ok((when, bytes)) => {
                self.octets += bytes.len();
                self.terminal.process(&bytes);
                Some(when)
            }
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => panic!("the reader ended:\n{}", self.text()),
        }
    }

    /// Waits until the screen is as wanted; when the bytes that made it so were read.
    pub fn until(&mut self, limit: Duration, wanted: impl Fn(&Self) -> bool) -> Instant {
        let end = Instant::now() + limit;
        let mut when = Instant::now();
        while !wanted(self) {
            let left = end.saturating_duration_since(Instant::now());
            when = self.take(left).unwrap_or_else(|| panic!("not within {limit:?}:\n{}", self.text()));
        }
        when
    }

    /// Takes all that comes until nothing has come for `quiet`.
    pub fn settle(&mut self, quiet: Duration) {
        while self.take(quiet).is_some() {}
    }

    /// Takes all that comes in this time.
    pub fn pass(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while self.take(end.saturating_duration_since(Instant::now())).is_some() {}
    }

    /// Types; returns when it was typed.
    pub fn type_in(&mut self, bytes: &[u8]) -> Instant {
        let when = Instant::now();
        self.write.write_all(bytes).unwrap();
        self.write.flush().unwrap();
        when
    }

    /// The line on which the list's cursor is.
    pub fn bar(&self) -> Option<u16> {
        let screen = self.terminal.screen();
        let row = |row| screen.contents_between(row, 0, row, SIZE.1);
        (0..SIZE.0).find(|n| row(*n).contains('▌'))
    }

    /// How many rows of the list are on the screen.
    pub fn rows(&self) -> usize {
        // Each row ends in a time or a date, before the rule of the next pane or the edge.
        self.text().lines().filter(|l| l.contains("Re: ") || l.chars().filter(|c| c.is_alphabetic()).count() > 30).count()
    }

    /// How many columns the list has: from the cursor's bar to the next rule.
    pub fn list_width(&self) -> usize {
        let Some(row) = self.bar() else { return 0 };
        let line = self.terminal.screen().contents_between(row, 0, row, SIZE.1);
        let list = line.split('▌').nth(1).unwrap_or_default();
        1 + list.split('│').next().unwrap_or_default().chars().count()
    }

    /// Resident memory in MB: now, the most there was, and of its own (without mapped files).
    pub fn memory(&self) -> (f64, f64, f64) {
        let pid = self.child.process_id().unwrap();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let field = |name: &str| {
            let line = status.lines().find(|l| l.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
        };
        (field("VmRSS:"), field("VmHWM:"), field("RssAnon:"))
    }

    /// Seconds of processor time used so far.
    pub fn processor(&self) -> f64 {
        crate::report::processor_of(&self.child.process_id().unwrap().to_string()).expect("the program is not waited for yet")
    }

    /// ... by the names of its threads, the busiest first; what has ended is one of them.
    pub fn threads(&self) -> Vec<(String, f64)> {
        let pid = self.child.process_id().unwrap();
        let mut all: Vec<(String, f64)> = Vec::new();
        for task in std::fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten() {
            let id = task.file_name().into_string().unwrap();
            let name = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default().trim().to_owned();
            // One that ends while it is looked at is counted below, with those that ended before.
            let Some(spent) = crate::report::processor_of(&format!("{pid}/task/{id}")) else { continue };
            match all.iter_mut().find(|(n, _)| *n == name) {
                Some((_, sum)) => *sum += spent,
                None => all.push((name, spent)),
            }
        }
        let ended = self.processor() - all.iter().map(|(_, spent)| spent).sum::<f64>();
        all.push(("(ended)".to_owned(), ended));
        all.retain(|(_, spent)| *spent >= 0.01);
        all.sort_by(|a, b| b.1.total_cmp(&a.1));
        all
    }

    /// Context switches of all its threads so far.
    pub fn switches(&self) -> u64 {
        let pid = self.child.process_id().unwrap();
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
        tasks
            .filter_map(|t| std::fs::read_to_string(t.ok()?.path().join("status")).ok())
            .flat_map(|s| s.lines().filter(|l| l.contains("ctxt_switches")).map(str::to_owned).collect::<Vec<_>>())
            .filter_map(|l| l.split_whitespace().nth(1)?.parse::<u64>().ok())
            .sum()
    }

    /// Quits, as a person does.
    pub fn quit(mut self) {
        self.type_in(b"Q");
        let end = Instant::now() + Duration::from_secs(10);
        while self.child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < end, "does not quit:\n{}", self.text());
            let _ = self.output.recv_timeout(Duration::from_millis(5));
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // Gone already after `quit`.
        let _ = self.child.kill();
    }
}
