//! wire — a server on loopback that is honest until a rule says otherwise, and that keeps every byte it was told.
//! Start reading at: `Server::imap`, then `Act` for what a rule can do; `line.rs` does it. What an honest answer is stands in `imap.rs` and
//! `smtp.rs`; the bytes of one `Act::Say` leave in one segment.

use super::cert::Identity;
use super::imap::World;
use super::line::Line;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// How a server is reached.
#[derive(Clone)]
pub enum Tls {
    None,
    Implicit(Identity),
    Start(Identity),
}

/// What a rule does, one after the other.
pub enum Act {
    /// Writes this; `%T` stands for the tag of the command.
    Say(Vec<u8>),
    /// The honest answer.
    Honest,
    /// The honest answer, spoilt.
    Edit(Box<dyn Fn(Vec<u8>) -> Vec<u8> + Send + Sync>),
    /// Changes what the server has.
    World(Box<dyn Fn(&mut World) + Send + Sync>),
    /// Writes this byte by byte, with such a pause after each.
    Drip(Vec<u8>, Duration),
    /// Writes this again and again, at most for so long.
    Repeat(Vec<u8>, Duration),
    /// Writes this so often.
    Times(Vec<u8>, usize),
    /// Says nothing for so long, or until the client goes.
    Stall(Duration),
    /// A TLS handshake.
    Tls,
    Close,
    Reset,
}

/// Bytes to say.
pub fn say(bytes: impl AsRef<[u8]>) -> Act {
    Act::Say(bytes.as_ref().to_vec())
}

/// The honest answer with this before it.
pub fn first(bytes: impl AsRef<[u8]>) -> Act {
    let bytes = bytes.as_ref().to_vec();
    Act::Edit(Box::new(move |honest| [&bytes[..], &honest].concat()))
}

/// The honest answer with `from` replaced by `to`, everywhere.
pub fn replaced(from: impl AsRef<[u8]>, to: impl AsRef<[u8]>) -> Act {
    let (from, to) = (from.as_ref().to_vec(), to.as_ref().to_vec());
    Act::Edit(Box::new(move |honest| replace(&honest, &from, &to)))
}

pub fn replace(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), text);
    while let Some(at) = rest.windows(from.len()).position(|w| w == from) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    out.extend_from_slice(rest);
    out
}

/// The command that a rule waits for when a client has just come.
pub const GREETING: &str = "<greeting>";

/// The command that a rule waits for when a mail was submitted, to its final dot.
pub const MAIL: &str = "<mail>";

pub struct Rule {
    on: &'static str,
    skip: usize,
    times: usize,
    acts: Arc<Vec<Act>>,
}

/// A line that a client said, with the literals in it.
#[derive(Clone, Debug)]
pub struct Heard {
    /// Whether it came encrypted.
    pub tls: bool,
    /// Without its line break.
    pub line: String,
}

/// What the connections of one server share.
pub struct Shared {
    pub smtp: bool,
    pub tls: Tls,
    pub world: Mutex<World>,
    rules: Mutex<Vec<Rule>>,
    pub heard: Mutex<Vec<Heard>>,
    came: Mutex<Vec<Instant>>,
    /// How many octets went out, as far as the system took them.
    pub said: AtomicUsize,
}

/// It runs until the process ends.
pub struct Server {
    pub port: u16,
    shared: Arc<Shared>,
}

impl Server {
    /// IMAP, without TLS, with an inbox of three letters.
    pub fn imap() -> Self {
        Self::start(false, Tls::None)
    }

    pub fn imap_over(tls: Tls) -> Self {
        Self::start(false, tls)
    }

    /// Submission.
    pub fn smtp_over(tls: Tls) -> Self {
        Self::start(true, tls)
    }

    fn start(smtp: bool, tls: Tls) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            smtp,
            tls,
            world: Mutex::new(World::new()),
            rules: Mutex::default(),
            heard: Mutex::default(),
            came: Mutex::default(),
            said: AtomicUsize::new(0),
        });
        let all = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                all.came.lock().unwrap().push(Instant::now());
                let shared = Arc::clone(&all);
                std::thread::spawn(move || {
                    Line::new(&shared, stream).serve();
                });
            }
        });
        Self { port, shared }
    }

    /// Whenever a command holds `on`.
    pub fn always(&self, on: &'static str, acts: Vec<Act>) -> &Self {
        self.rule(on, 0, usize::MAX, acts)
    }

    /// The first time that a command holds `on`.
    pub fn once(&self, on: &'static str, acts: Vec<Act>) -> &Self {
        self.rule(on, 0, 1, acts)
    }

    /// So often, after so many honest answers. Of several rules for one command the first that is not used up holds.
    pub fn rule(&self, on: &'static str, skip: usize, times: usize, acts: Vec<Act>) -> &Self {
        self.shared.rules.lock().unwrap().push(Rule { on, skip, times, acts: Arc::new(acts) });
        self
    }

    /// From now on it is honest.
    pub fn heal(&self) {
        self.shared.rules.lock().unwrap().clear();
    }

    /// What it has.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.shared.world.lock().unwrap()
    }

    /// All that clients said.
    pub fn heard(&self) -> Vec<Heard> {
        self.shared.heard.lock().unwrap().clone()
    }

    /// How many commands held this.
    pub fn count(&self, text: &str) -> usize {
        self.heard().iter().filter(|h| h.line.contains(text)).count()
    }

    /// How many octets clients, and the system for them, took.
    pub fn said(&self) -> usize {
        self.shared.said.load(Ordering::SeqCst)
    }

    /// When each client came.
    pub fn came(&self) -> Vec<Instant> {
        self.shared.came.lock().unwrap().clone()
    }

    /// Whether it wants TLS, for the configuration.
    pub fn mode(&self) -> &'static str {
        match self.shared.tls {
            Tls::None => "none",
            Tls::Implicit(_) => "implicit",
            Tls::Start(_) => "starttls",
        }
    }
}

impl Shared {
    /// The rule for a command, if one holds.
    pub fn find(&self, line: &str) -> Option<Arc<Vec<Act>>> {
        let mut rules = self.rules.lock().unwrap();
        let rule = rules.iter_mut().find(|r| r.times > 0 && line.contains(r.on))?;
        if rule.skip > 0 {
            rule.skip -= 1;
            return None;
        }
        rule.times -= 1;
        Some(Arc::clone(&rule.acts))
    }
}
