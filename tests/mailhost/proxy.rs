//! proxy — a bad line to a server: slow, thin, cut after n bytes, silent.
//! Start reading at: `Proxy::start`, then `Line` for what can be wrong. Changes also hold for connections that stand.

use socket2::SockRef;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak, mpsc};
use std::time::{Duration, Instant};

/// How a connection is ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// Closed in good order.
    Close,
    /// Reset.
    Reset,
    /// Nothing more passes, in either direction, and nobody is told.
    Silence,
    /// The same, and packets to the proxy are dropped: nothing is acknowledged any more.
    Drop,
}

/// What the line is like.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// One way.
    pub latency: Duration,
    /// Bytes a second, each way; none for as fast as it goes.
    pub rate: Option<u64>,
    /// After so many bytes from the server, on each connection, it ends like this.
    pub cut: Option<(u64, End)>,
    /// The same for bytes to the server.
    pub cut_up: Option<(u64, End)>,
    /// After so many bytes to the server, on each connection, nothing more comes from it.
    pub mute: Option<u64>,
    /// New connections are closed at once.
    pub refuse: bool,
}

impl Default for Line {
    fn default() -> Self {
        Self { latency: Duration::ZERO, rate: None, cut: None, cut_up: None, mute: None, refuse: false }
    }
}

struct Shared {
    line: Mutex<Line>,
    /// Not kept alive here: closing the last handle is what resets.
    pairs: Mutex<Vec<Weak<Pair>>>,
    /// Bytes from the server, and to it.
    down: AtomicU64,
    up: AtomicU64,
    connections: AtomicU64,
    turns: AtomicU64,
}

/// One connection and its other half.
struct Pair {
    client: TcpStream,
    server: TcpStream,
    over: AtomicBool,
    silent: AtomicBool,
    /// The last bytes came from the server.
    answered: AtomicBool,
    /// Bytes to the server.
    up: AtomicU64,
}

impl Pair {
    fn end(&self, how: End) {
        if matches!(how, End::Silence | End::Drop) {
            self.silent.store(true, Ordering::SeqCst);
            if how == End::Drop {
                // "Return 0" takes no octet of any packet (BPF): what a firewall does that forgot the connection.
                const NOTHING: socket2::SockFilter = socket2::SockFilter::new(0x06, 0, 0, 0);
                SockRef::from(&self.client).attach_filter(&[NOTHING]).unwrap();
            }
            return;
        }
        self.over.store(true, Ordering::SeqCst);
        let _ = self.server.shutdown(Shutdown::Both);
        if how == End::Reset {
            // Closing then resets; only readers are stopped here, or the client would see an orderly end first.
            let _ = SockRef::from(&self.client).set_linger(Some(Duration::ZERO));
            let _ = self.client.shutdown(Shutdown::Read);
        } else {
            let _ = self.client.shutdown(Shutdown::Both);
        }
    }
}

/// The proxy. It runs until the process ends.
pub struct Proxy {
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    shared: Arc<Shared>,
}

impl Proxy {
    /// In front of a port of 127.0.0.1.
    pub fn start(to: u16, line: Line) -> Self {
        Self::before(SocketAddr::from((Ipv4Addr::LOCALHOST, to)), line)
    }

    /// In front of any server.
    pub fn before(to: SocketAddr, line: Line) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            line: Mutex::new(line),
            pairs: Mutex::new(Vec::new()),
            down: AtomicU64::new(0),
            up: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            turns: AtomicU64::new(0),
        });
        let all = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                all.connections.fetch_add(1, Ordering::SeqCst);
                if !all.line.lock().unwrap().refuse {
                    connect(&all, client, to);
                }
            }
        });
        Self { port, shared }
    }

    /// Makes the line so from now on.
    pub fn set(&self, line: Line) {
        *self.shared.line.lock().unwrap() = line;
    }

    /// Ends all connections that stand.
    pub fn end_all(&self, how: End) {
        let mut pairs = self.shared.pairs.lock().unwrap();
        pairs.iter().filter_map(Weak::upgrade).for_each(|p| p.end(how));
        if !matches!(how, End::Silence | End::Drop) {
            pairs.clear();
        }
    }

    /// Bytes that came from the server, and went to it, on all connections.
    pub fn bytes(&self) -> (u64, u64) {
        (self.shared.down.load(Ordering::SeqCst), self.shared.up.load(Ordering::SeqCst))
    }

    /// How often the client spoke after the server had: round trips, the handshake's among them.
    pub fn turns(&self) -> u64 {
        self.shared.turns.load(Ordering::SeqCst)
    }

    /// Ends each connection that stands with a chance of `percent`; `dice` gives numbers below 100. How many it ended.
    pub fn end_some(&self, percent: u64, how: End, mut dice: impl FnMut() -> u64) -> usize {
        let mut pairs = self.shared.pairs.lock().unwrap();
        pairs.retain(|p| p.upgrade().is_some_and(|p| !p.over.load(Ordering::SeqCst)));
        let ended: Vec<_> = pairs.iter().filter_map(Weak::upgrade).filter(|_| dice() < percent).collect();
        ended.iter().for_each(|p| p.end(how));
        ended.len()
    }

    /// How many connections there were.
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::SeqCst)
    }
}

fn connect(shared: &Arc<Shared>, client: TcpStream, to: SocketAddr) {
    let Ok(server) = TcpStream::connect(to) else { return };
    for stream in [&client, &server] {
        let _ = stream.set_nodelay(true);
    }
    let pair = Arc::new(Pair {
        client,
        server,
        over: AtomicBool::new(false),
        silent: AtomicBool::new(false),
        answered: AtomicBool::new(true),
        up: AtomicU64::new(0),
    });
    let mut pairs = shared.pairs.lock().unwrap();
    pairs.retain(|p| p.strong_count() > 0);
    pairs.push(Arc::downgrade(&pair));
    drop(pairs);
    for down in [false, true] {
        let (shared, pair) = (Arc::clone(shared), Arc::clone(&pair));
        let (tx, rx) = mpsc::channel::<(Instant, Vec<u8>)>();
        let (source, line) = (Arc::clone(&pair), Arc::clone(&shared));
        std::thread::spawn(move || {
            let mut from = if down { &source.server } else { &source.client };
            let mut buffer = vec![0; 16 * 1024];
            while let Ok(n @ 1..) = from.read(&mut buffer) {
                let due = Instant::now() + line.line.lock().unwrap().latency;
                if tx.send((due, buffer[..n].to_vec())).is_err() {
                    break;
                }
            }
        });
        std::thread::spawn(move || {
            let mut passed = 0u64;
            let mut to = if down { &pair.client } else { &pair.server };
            while let Ok((due, mut bytes)) = rx.recv() {
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                let line = *shared.line.lock().unwrap();
                let cut = if down { line.cut } else { line.cut_up };
                let cut = cut.filter(|(after, _)| passed + bytes.len() as u64 >= *after);
                if let Some((after, _)) = cut {
                    bytes.truncate(usize::try_from(after.saturating_sub(passed)).unwrap());
                }
                let mute = down && line.mute.is_some_and(|after| pair.up.load(Ordering::SeqCst) >= after);
                if mute || pair.silent.load(Ordering::SeqCst) {
                    continue;
                }
                if let Some(rate) = line.rate {
                    std::thread::sleep(Duration::from_secs_f64(bytes.len() as f64 / rate as f64));
                }
                if pair.answered.swap(down, Ordering::SeqCst) && !down {
                    shared.turns.fetch_add(1, Ordering::SeqCst);
                }
                passed += bytes.len() as u64;
                if !down {
                    pair.up.store(passed, Ordering::SeqCst);
                }
                if down { &shared.down } else { &shared.up }.fetch_add(bytes.len() as u64, Ordering::SeqCst);
                if to.write_all(&bytes).is_err() {
                    break;
                }
                if let Some((_, how)) = cut {
                    pair.end(how);
                }
            }
            if !pair.over.load(Ordering::SeqCst) {
                pair.end(End::Close);
            }
        });
    }
}
