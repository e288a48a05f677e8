//! wire — a server on loopback that is honest until a rule says otherwise, and that keeps every byte it was told.
//! Start reading at: `Server::imap`, then `Act` for what a rule can do. What an honest answer is stands in `imap.rs` and
//! `smtp.rs`; the bytes of one `Act::Say` leave in one segment.

use super::cert::Identity;
use super::imap::{self, World};
use super::smtp;
use openssl::ssl::SslStream;
use socket2::SockRef;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
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

struct Rule {
    on: &'static str,
    skip: usize,
    times: usize,
    acts: Arc<Vec<Act>>,
}

/// A line that a client said, with the literals in it.
#[derive(Clone, Debug)]
pub struct Heard {
    pub connection: usize,
    /// Whether it came encrypted.
    pub tls: bool,
    /// Without its line break.
    pub line: String,
}

struct Shared {
    smtp: bool,
    tls: Tls,
    world: Mutex<World>,
    rules: Mutex<Vec<Rule>>,
    heard: Mutex<Vec<Heard>>,
    came: Mutex<Vec<Instant>>,
    open: AtomicUsize,
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
            open: AtomicUsize::new(0),
        });
        let all = Arc::clone(&shared);
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().flatten().enumerate() {
                all.came.lock().unwrap().push(Instant::now());
                let shared = Arc::clone(&all);
                std::thread::spawn(move || {
                    shared.open.fetch_add(1, Ordering::SeqCst);
                    Line::new(&shared, stream, number).serve();
                    shared.open.fetch_sub(1, Ordering::SeqCst);
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

    /// When each client came.
    pub fn came(&self) -> Vec<Instant> {
        self.shared.came.lock().unwrap().clone()
    }

    /// How many are here.
    pub fn open(&self) -> usize {
        self.shared.open.load(Ordering::SeqCst)
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

enum Stream {
    Plain(TcpStream),
    Tls(SslStream<TcpStream>),
    Gone,
}

/// One connection.
struct Line<'a> {
    shared: &'a Shared,
    stream: Stream,
    number: usize,
    unread: Vec<u8>,
    session: imap::Session,
    letter: smtp::Letter,
}

impl<'a> Line<'a> {
    fn new(shared: &'a Shared, stream: TcpStream, number: usize) -> Self {
        let _ = stream.set_nodelay(true);
        let _ = stream.set_read_timeout(Some(Duration::from_secs(120)));
        let (session, letter) = (imap::Session::default(), smtp::Letter::default());
        Self { shared, stream: Stream::Plain(stream), number, unread: Vec::new(), session, letter }
    }

    fn serve(mut self) {
        if matches!(self.shared.tls, Tls::Implicit(_)) && !self.handshake() {
            return;
        }
        let mut line = GREETING.as_bytes().to_vec();
        loop {
            let text = String::from_utf8_lossy(&line).into_owned();
            let rule = self.find(&text);
            let go_on = match &rule {
                Some(acts) => acts.iter().all(|act| self.act(act, &line)),
                None => self.act(&Act::Honest, &line),
            };
            if !go_on || self.session.over || self.letter.over {
                break;
            }
            match self.line() {
                Some(next) => line = next,
                None => break,
            }
        }
        if let Stream::Tls(tls) = &mut self.stream {
            let _ = tls.shutdown();
        }
        if let Some(tcp) = self.tcp() {
            let _ = tcp.shutdown(Shutdown::Both);
        }
    }

    fn find(&self, line: &str) -> Option<Arc<Vec<Act>>> {
        let mut rules = self.shared.rules.lock().unwrap();
        let rule = rules.iter_mut().find(|r| r.times > 0 && line.contains(r.on))?;
        if rule.skip > 0 {
            rule.skip -= 1;
            return None;
        }
        rule.times -= 1;
        Some(Arc::clone(&rule.acts))
    }

    fn tcp(&self) -> Option<&TcpStream> {
        match &self.stream {
            Stream::Plain(tcp) => Some(tcp),
            Stream::Tls(tls) => Some(tls.get_ref()),
            Stream::Gone => None,
        }
    }

    fn handshake(&mut self) -> bool {
        let (Tls::Implicit(identity) | Tls::Start(identity)) = &self.shared.tls else { return false };
        let Stream::Plain(tcp) = std::mem::replace(&mut self.stream, Stream::Gone) else { return false };
        match identity.acceptor().accept(tcp) {
            Ok(tls) => {
                self.stream = Stream::Tls(tls);
                true
            }
            Err(_) => false,
        }
    }

    fn write(&mut self, bytes: &[u8]) -> bool {
        match &mut self.stream {
            Stream::Plain(tcp) => tcp.write_all(bytes).is_ok(),
            Stream::Tls(tls) => tls.write_all(bytes).is_ok(),
            Stream::Gone => false,
        }
    }

    fn read(&mut self) -> usize {
        let mut bytes = [0; 16 * 1024];
        let n = match &mut self.stream {
            Stream::Plain(tcp) => tcp.read(&mut bytes).unwrap_or(0),
            Stream::Tls(tls) => tls.read(&mut bytes).unwrap_or(0),
            Stream::Gone => 0,
        };
        self.unread.extend_from_slice(&bytes[..n]);
        n
    }

    fn note(&self, line: &[u8]) {
        let line = String::from_utf8_lossy(line).into_owned();
        let tls = matches!(self.stream, Stream::Tls(_));
        self.shared.heard.lock().unwrap().push(Heard { connection: self.number, tls, line });
    }

    /// The next line, without its break; what is no line when the client goes is noted too.
    fn line(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(end) = self.unread.iter().position(|b| *b == b'\n') {
                let mut line: Vec<u8> = self.unread.drain(..=end).collect();
                line.truncate(line.len() - if line.ends_with(b"\r\n") { 2 } else { 1 });
                self.note(&line);
                return Some(line);
            }
            if self.read() == 0 {
                if !self.unread.is_empty() {
                    self.note(&self.unread);
                }
                return None;
            }
        }
    }

    fn exactly(&mut self, count: usize) -> Option<Vec<u8>> {
        while self.unread.len() < count {
            if self.read() == 0 {
                return None;
            }
        }
        Some(self.unread.drain(..count).collect())
    }

    /// False once the connection is over.
    fn act(&mut self, act: &Act, line: &[u8]) -> bool {
        match act {
            Act::Say(bytes) => {
                let tag = line.split(|b| *b == b' ').next().unwrap_or_default();
                self.write(&replace(bytes, b"%T", tag))
            }
            Act::Honest => self.honest(line, &|answer| answer),
            Act::Edit(spoil) => self.honest(line, spoil.as_ref()),
            Act::World(change) => {
                change(&mut self.shared.world.lock().unwrap());
                true
            }
            Act::Drip(bytes, pause) => bytes.iter().all(|b| {
                std::thread::sleep(*pause);
                self.write(&[*b])
            }),
            Act::Repeat(bytes, limit) => {
                let end = Instant::now() + *limit;
                while Instant::now() < end {
                    if !self.write(bytes) {
                        return false;
                    }
                }
                true
            }
            Act::Stall(limit) => self.quiet(*limit),
            Act::Tls => self.handshake(),
            Act::Close => false,
            Act::Reset => {
                if let Some(tcp) = self.tcp() {
                    let _ = SockRef::from(tcp).set_linger(Some(Duration::ZERO));
                }
                // Dropped without a good-bye: the kernel resets.
                self.stream = Stream::Gone;
                false
            }
        }
    }

    /// Waits; false if the client went.
    fn quiet(&self, limit: Duration) -> bool {
        let end = Instant::now() + limit;
        let Some(tcp) = self.tcp() else { return false };
        let mut byte = [0];
        while Instant::now() < end {
            let _ = tcp.set_nonblocking(true);
            let peeked = tcp.peek(&mut byte);
            let _ = tcp.set_nonblocking(false);
            match peeked {
                Ok(0) => return false,
                Err(e) if e.kind() != std::io::ErrorKind::WouldBlock => return false,
                _ => std::thread::sleep(Duration::from_millis(20)),
            }
        }
        true
    }

    fn honest(&mut self, line: &[u8], spoil: &dyn Fn(Vec<u8>) -> Vec<u8>) -> bool {
        if self.shared.smtp {
            return self.honest_smtp(line, spoil);
        }
        let mut command = line.to_vec();
        while let Some((size, waits)) = imap::literal(&command) {
            if waits && !self.write(b"+ go\r\n") {
                return false;
            }
            let (Some(octets), true) = (self.exactly(size), true) else { return false };
            self.note(&octets);
            let Some(rest) = self.line() else { return false };
            command.extend_from_slice(b"\r\n");
            command.extend_from_slice(&octets);
            command.extend_from_slice(&rest);
        }
        let start = matches!(self.shared.tls, Tls::Start(_)) && matches!(self.stream, Stream::Plain(_));
        let answer = imap::answer(&mut self.shared.world.lock().unwrap(), &mut self.session, &command, start);
        if !self.write(&spoil(answer)) {
            return false;
        }
        if std::mem::take(&mut self.session.starts_tls) && !self.handshake() {
            return false;
        }
        if self.session.idling.is_some() {
            return self.idle();
        }
        true
    }

    /// Tells of what is new until the client is done.
    fn idle(&mut self) -> bool {
        let Some(done) = self.session.idling.take() else { return true };
        loop {
            if self.unread.contains(&b'\n') {
                let _ = self.line();
                return self.write(&done);
            }
            if let Some(tcp) = self.tcp() {
                let _ = tcp.set_read_timeout(Some(Duration::from_millis(50)));
            }
            let before = Instant::now();
            let came = self.read();
            if let Some(tcp) = self.tcp() {
                let _ = tcp.set_read_timeout(Some(Duration::from_secs(120)));
            }
            if came == 0 && before.elapsed() < Duration::from_millis(40) {
                return false;
            }
            let news = imap::news(&self.shared.world.lock().unwrap(), &mut self.session);
            if !news.is_empty() && !self.write(&news) {
                return false;
            }
        }
    }

    fn honest_smtp(&mut self, line: &[u8], spoil: &dyn Fn(Vec<u8>) -> Vec<u8>) -> bool {
        let start = matches!(self.shared.tls, Tls::Start(_)) && matches!(self.stream, Stream::Plain(_));
        let answer = self.letter.answer(line, start);
        if !self.write(&spoil(answer)) {
            return false;
        }
        if std::mem::take(&mut self.letter.starts_tls) {
            return self.handshake();
        }
        if std::mem::take(&mut self.letter.reads_mail) {
            let mut text = Vec::new();
            loop {
                match self.line() {
                    Some(l) if l == b"." => break,
                    Some(l) => text.extend_from_slice(&[&l[..], b"\r\n"].concat()),
                    None => return false,
                }
            }
            self.shared.world.lock().unwrap().sent.push(text);
            return self.write(b"250 2.0.0 queued\r\n");
        }
        true
    }
}
