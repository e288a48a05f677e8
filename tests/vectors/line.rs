//! line — one connection of a server: what comes is kept, what a rule or honesty asks for is said.
//! Start reading at: `Line::serve`.

use super::wire::{Act, GREETING, Heard, MAIL, Shared, Tls, replace};
use super::{imap, smtp};
use openssl::ssl::SslStream;
use socket2::SockRef;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

enum Stream {
    Plain(TcpStream),
    Tls(SslStream<TcpStream>),
    Gone,
}

/// One connection.
pub struct Line<'a> {
    shared: &'a Shared,
    stream: Stream,
    unread: Vec<u8>,
    session: imap::Session,
    letter: smtp::Letter,
}

impl<'a> Line<'a> {
    pub fn new(shared: &'a Shared, stream: TcpStream) -> Self {
        let _ = stream.set_nodelay(true);
        let _ = stream.set_read_timeout(Some(Duration::from_secs(120)));
        let (session, letter) = (imap::Session::default(), smtp::Letter::default());
        Self { shared, stream: Stream::Plain(stream), unread: Vec::new(), session, letter }
    }

    /// Until its end.
    pub fn serve(mut self) {
        if matches!(self.shared.tls, Tls::Implicit(_)) && !self.handshake() {
            return;
        }
        let mut line = GREETING.as_bytes().to_vec();
        loop {
            let text = String::from_utf8_lossy(&line).into_owned();
            let rule = self.shared.find(&text);
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
        let done = match &mut self.stream {
            Stream::Plain(tcp) => tcp.write_all(bytes).is_ok(),
            Stream::Tls(tls) => tls.write_all(bytes).is_ok(),
            Stream::Gone => false,
        };
        self.shared.said.fetch_add(if done { bytes.len() } else { 0 }, Ordering::SeqCst);
        done
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
        self.shared.heard.lock().unwrap().push(Heard { tls, line });
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
            Act::Times(bytes, times) => (0..*times).all(|_| self.write(bytes)),
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
            if let Some(acts) = self.shared.find(MAIL) {
                return acts.iter().all(|act| self.act(act, b""));
            }
            self.shared.world.lock().unwrap().sent.push(text);
            return self.write(b"250 2.0.0 queued\r\n");
        }
        true
    }
}
