//! screen — the program in a terminal: keys go in, and what a person would see comes out.

#![allow(dead_code, reason = "each test target uses a part")]

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const BINARY: &str = env!("CARGO_BIN_EXE_postrider");
const ROWS: u16 = 40;
const COLUMNS: u16 = 120;
/// How long something that needs no server may take to show; a busy machine is slow.
const SOON: Duration = Duration::from_secs(20);

/// A running program and its terminal.
pub struct Screen {
    child: Box<dyn Child + Send + Sync>,
    keys: Option<Box<dyn Write + Send>>,
    parser: Arc<Mutex<vt100::Parser>>,
    raw: Arc<Mutex<Vec<u8>>>,
    /// What becomes of what the program draws: `SEEN`, `UNSEEN`, `GONE`.
    sight: Arc<AtomicU8>,
    // Closing it hangs the program up.
    master: Option<Box<dyn MasterPty + Send>>,
}

const SEEN: u8 = 0;
const UNSEEN: u8 = 1;
const GONE: u8 = 2;

impl Screen {
    /// Starts the reader on a profile.
    pub fn start(profile: &Path) -> Self {
        Self::start_with(profile, &[])
    }

    /// The same with something more in its environment.
    pub fn start_with(profile: &Path, more: &[(&str, &str)]) -> Self {
        Self::run(profile, &[], more)
    }

    /// Runs a verb in a terminal.
    pub fn run(profile: &Path, words: &[&str], more: &[(&str, &str)]) -> Self {
        let size = PtySize { rows: ROWS, cols: COLUMNS, pixel_width: 0, pixel_height: 0 };
        let pty = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(BINARY);
        command.arg("--profile");
        command.arg(profile);
        command.args(words);
        command.env("TERM", "xterm-256color");
        command.env("TZ", "UTC");
        command.env_remove("EDITOR");
        command.env_remove("VISUAL");
        more.iter().for_each(|(name, value)| command.env(name, value));
        let child = pty.slave.spawn_command(command).unwrap();
        drop(pty.slave);
        let parser = Arc::new(Mutex::new(vt100::Parser::new(NonZero::new(ROWS).unwrap(), NonZero::new(COLUMNS).unwrap(), 0)));
        let raw = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&raw);
        let (mut output, sink) = (pty.master.try_clone_reader().unwrap(), Arc::clone(&parser));
        let sight = Arc::new(AtomicU8::new(SEEN));
        let looks = Arc::clone(&sight);
        std::thread::spawn(move || {
            let mut bytes = [0; 8192];
            while let Ok(n) = output.read(&mut bytes) {
                while looks.load(Ordering::SeqCst) == UNSEEN {
                    std::thread::sleep(Duration::from_millis(10));
                }
                if looks.load(Ordering::SeqCst) == GONE {
                    return;
                }
                if n == 0 {
                    return;
                }
                sink.lock().unwrap().process(&bytes[..n]);
                all.lock().unwrap().extend_from_slice(&bytes[..n]);
            }
        });
        let keys = Some(pty.master.take_writer().unwrap());
        Self { child, keys, parser, raw, sight, master: Some(pty.master) }
    }

    /// Presses keys, one after the other.
    pub fn press(&mut self, keys: &str) {
        for key in keys.chars() {
            let mut bytes = [0; 4];
            self.send(key.encode_utf8(&mut bytes).as_bytes());
            // A key that is pressed by a person comes by itself.
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Pastes, as a terminal does it.
    pub fn paste(&mut self, text: &str) {
        self.send(format!("\x1b[200~{text}\x1b[201~").as_bytes());
    }

    fn send(&mut self, bytes: &[u8]) {
        let keys = self.keys.as_mut().unwrap();
        keys.write_all(bytes).unwrap();
        keys.flush().unwrap();
    }

    /// What is on the screen.
    pub fn text(&self) -> String {
        self.parser.lock().unwrap().screen().contents()
    }

    /// Every byte that the terminal was told.
    pub fn raw(&self) -> Vec<u8> {
        self.raw.lock().unwrap().clone()
    }

    /// Forgets these bytes: for who leaves the program open for long, and looks at the memory of this process, too.
    pub fn forget_raw(&self) {
        self.raw.lock().unwrap().clear();
    }

    /// The line that holds these words.
    pub fn line(&self, words: &str) -> Option<String> {
        self.text().lines().find(|l| l.contains(words)).map(str::to_owned)
    }

    /// Waits until `what` is so.
    #[track_caller]
    pub fn until(&self, name: &str, limit: Duration, what: impl Fn(&str) -> bool) {
        let end = Instant::now() + limit;
        while !what(&self.text()) {
            assert!(Instant::now() < end, "not seen: {name}\n{}", self.text());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until these words are on the screen.
    #[track_caller]
    pub fn shows(&self, words: &str) {
        self.until(words, SOON, |text| text.contains(words));
    }

    /// Waits until these words are gone.
    #[track_caller]
    pub fn shows_no(&self, words: &str) {
        self.until(&format!("the end of {words}"), SOON, |text| !text.contains(words));
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// From now on nobody reads what the program draws, or somebody does again.
    pub fn stop_reading(&self, stop: bool) {
        self.sight.store(if stop { UNSEEN } else { SEEN }, Ordering::SeqCst);
    }

    /// The terminal goes: its other side is closed, once the program has drawn what this last key does; it ends by itself.
    #[track_caller]
    pub fn hang_up(mut self, key: &str) {
        // Whoever reads holds the other side open.
        self.sight.store(GONE, Ordering::SeqCst);
        self.press(key);
        drop((self.keys.take(), self.master.take()));
        self.ends();
    }

    /// Presses these keys again and again until the program has ended; false if it does not.
    pub fn press_until_gone(&mut self, keys: &str) -> bool {
        let end = Instant::now() + SOON;
        while Instant::now() < end {
            for key in keys.bytes() {
                if self.child.try_wait().unwrap().is_some() {
                    // What it said last is read by a thread.
                    std::thread::sleep(Duration::from_millis(200));
                    return true;
                }
                // Nobody may take it any more.
                let _ = self.keys.as_mut().unwrap().write_all(&[key]);
                std::thread::sleep(Duration::from_millis(30));
            }
        }
        false
    }

    /// The exit code of a program that has ended, or ends now.
    pub fn code(mut self) -> u32 {
        self.child.wait().unwrap().exit_code()
    }

    /// `kill -9`: the child's own `kill` hangs up first, and who is hung up ends in good order.
    pub fn kill(mut self) {
        let process = rustix::process::Pid::from_raw(self.id().cast_signed()).unwrap();
        rustix::process::kill_process(process, rustix::process::Signal::KILL).unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for the program to end by itself.
    #[track_caller]
    pub fn ends(mut self) {
        let end = Instant::now() + SOON;
        while self.child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < end, "it does not end\n{}", self.text());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // It has ended already, or the test failed.
        let _ = self.child.kill();
    }
}
