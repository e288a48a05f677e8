//! script — a server on loopback that says exactly what a test wants, byte for byte.
//! Owns: `Script`, `Step`. Tests only.
//! May import: net.
//! Start reading at: `Script::start`. It keeps all that the client said.

use super::session::{Endpoint, TlsMode};
use super::wire::Wire;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long it waits for the client.
const PATIENCE: Duration = Duration::from_secs(20);
/// The pauses of [`Step::Chat`].
const NOW_AND_THEN: Duration = Duration::from_millis(10);

/// One step of the server.
#[derive(Clone, Debug)]
pub enum Step {
    /// Reads a line, which must contain this.
    Hear(&'static str),
    /// Writes bytes in one segment; `%T` stands for the first word of the line heard last (IMAP's tag).
    Say(Vec<u8>),
    /// Writes bytes one by one, each in a segment of its own.
    Drip(Vec<u8>),
    /// Reads up to a line with a lone dot.
    Mail,
    /// Reads whatever comes until the client closes.
    Drain,
    /// From now on nothing that the client sends arrives, down to what its system asks: the line is dead, and nobody says so.
    Deaf,
    /// Says this again and again until the client closes.
    Repeat(Vec<u8>),
    /// Says this now and then until the client says something.
    Chat(&'static str),
}

/// Reads a line with this in it.
pub fn hear(text: &'static str) -> Step {
    Step::Hear(text)
}

/// Writes these bytes.
pub fn say(bytes: impl AsRef<[u8]>) -> Step {
    Step::Say(bytes.as_ref().to_vec())
}

/// Has the system ask soon whether the other end of a line is there: a test has no five minutes.
pub fn ask_soon(wire: &mut Wire) {
    let second = Duration::from_secs(1);
    wire.stream.socket().unwrap().keep_alive(second, second, 2).unwrap();
}

/// A server that runs.
pub struct Script {
    port: u16,
    thread: JoinHandle<String>,
}

impl Script {
    /// Starts it. It closes the connection after the last step.
    pub fn start(steps: Vec<Step>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let thread = std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            stream.set_nodelay(true).unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            let mut heard = String::new();
            let mut input = BufReader::new(stream.try_clone().unwrap());
            for step in steps {
                if !play(&step, &stream, &mut input, &mut heard) {
                    break;
                }
            }
            let _ = stream.shutdown(Shutdown::Write);
            heard
        });
        Self { port, thread }
    }

    /// Where it is.
    pub fn endpoint(&self, tls: TlsMode) -> Endpoint {
        Endpoint { host: "127.0.0.1".to_owned(), port: self.port, tls, ca_file: None, fingerprint: None, client_cert: None }
    }

    /// Waits for its end: what the client said.
    pub fn heard(self) -> String {
        self.thread.join().unwrap()
    }
}

/// False once the client is gone.
fn play(step: &Step, stream: &TcpStream, input: &mut BufReader<TcpStream>, heard: &mut String) -> bool {
    let mut out = stream;
    let line = |input: &mut BufReader<TcpStream>, heard: &mut String| -> Option<String> {
        let mut line = Vec::new();
        let n = input.read_until(b'\n', &mut line).unwrap_or(0);
        let line = String::from_utf8_lossy(&line).into_owned();
        heard.push_str(&line);
        (n > 0).then_some(line)
    };
    match step {
        Step::Hear(wanted) => match line(input, heard) {
            Some(line) => {
                assert!(line.contains(wanted), "wanted {wanted:?}, heard {line:?}");
                true
            }
            None => false,
        },
        Step::Say(bytes) => {
            let last = heard.lines().last().unwrap_or_default();
            let tag = last.split(' ').next().unwrap_or_default();
            let mut bytes = bytes.clone();
            while let Some(at) = bytes.windows(2).position(|w| w == b"%T") {
                bytes.splice(at..at + 2, tag.bytes());
            }
            out.write_all(&bytes).is_ok()
        }
        Step::Drip(bytes) => bytes.iter().all(|b| out.write_all(&[*b]).is_ok()),
        Step::Mail => loop {
            match line(input, heard) {
                Some(l) if l == ".\r\n" => return true,
                Some(_) => {}
                None => return false,
            }
        },
        Step::Drain => {
            let mut rest = Vec::new();
            let _ = input.read_to_end(&mut rest);
            heard.push_str(&String::from_utf8_lossy(&rest));
            false
        }
        Step::Deaf => {
            // "Return 0" takes no octet of any packet (BPF).
            const NOTHING: socket2::SockFilter = socket2::SockFilter::new(0x06, 0, 0, 0);
            socket2::SockRef::from(stream).attach_filter(&[NOTHING]).unwrap();
            std::thread::sleep(Duration::from_secs(15));
            false
        }
        Step::Chat(text) => {
            stream.set_read_timeout(Some(NOW_AND_THEN)).unwrap();
            let waiting = |e: std::io::Error| matches!(e.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut);
            while input.fill_buf().is_err_and(waiting) && out.write_all(text.as_bytes()).is_ok() {}
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            true
        }
        Step::Repeat(bytes) => {
            while out.write_all(bytes).is_ok() {}
            false
        }
    }
}
