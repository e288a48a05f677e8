//! finder — a name server and a web server on loopback that tell of mail servers, honestly or not, and keep all that they are asked.
//! Start reading at: `Finder::start`. The program is led to them by `POSTRIDER_DISCOVERY`, which only builds for tests know.

use super::cert::{Identity, Spec};
use simple_dns::rdata::{MX, RData, SRV};
use simple_dns::{CLASS, Name, Packet, QTYPE, ResourceRecord, TYPE};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// What it tells.
#[derive(Clone, Default)]
pub struct Tells {
    /// The beginning of a name and where that service is.
    pub srv: Vec<(&'static str, &'static str, u16)>,
    /// Who takes mail.
    pub mx: Option<&'static str>,
    /// The answer to each path that is asked for, from the status line on; others are not found.
    pub pages: Vec<(&'static str, String)>,
}

/// The path at `autoconfig.DOMAIN`.
pub const AUTOCONFIG: &str = "/mail/config-v1.1.xml";

/// Both servers. They run until the process ends.
pub struct Finder {
    dns: SocketAddr,
    https: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
}

/// A page with a file.
pub fn here(file: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n{file}", file.len())
}

/// An autoconfig file with such an incoming and such an outgoing server: host, port, socketType.
pub fn file(imap: (&str, u16, &str), smtp: (&str, u16, &str)) -> String {
    let server = |tag: &str, kind: &str, (host, port, socket): (&str, u16, &str)| {
        format!(
            "<{tag} type=\"{kind}\"><hostname>{host}</hostname><port>{port}</port><socketType>{socket}</socketType>\
             <username>%EMAILADDRESS%</username><authentication>password-cleartext</authentication></{tag}>\n"
        )
    };
    format!(
        "<?xml version=\"1.0\"?>\n<clientConfig version=\"1.1\"><emailProvider id=\"x\">\n{}{}</emailProvider></clientConfig>\n",
        server("incomingServer", "imap", imap),
        server("outgoingServer", "smtp", smtp)
    )
}

impl Finder {
    /// The web server proves to be `host` and nobody else.
    pub fn start(host: &'static str, tells: Tells) -> Self {
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let dns = socket.local_addr().unwrap();
        let (all, records) = (Arc::clone(&heard), tells.clone());
        std::thread::spawn(move || {
            let mut buffer = [0; 2048];
            while let Ok((n, from)) = socket.recv_from(&mut buffer) {
                let question = Packet::parse(&buffer[..n]).unwrap();
                let asked = question.questions[0].clone();
                all.lock().unwrap().push(format!("dns {:?} {}", asked.qtype, asked.qname));
                let mut answer = Packet::new_reply(question.id());
                answer.answers = answers(&asked.qname, asked.qtype, &records);
                answer.questions.push(asked);
                let _ = socket.send_to(&answer.build_bytes_vec().unwrap(), from);
            }
        });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let https = listener.local_addr().unwrap();
        let acceptor = Arc::new(Identity::new(&Spec { dns: Some(host), ip: None, ..Spec::GOOD }).acceptor());
        let all = Arc::clone(&heard);
        std::thread::spawn(move || {
            for line in listener.incoming().flatten() {
                let (all, acceptor, pages) = (Arc::clone(&all), Arc::clone(&acceptor), tells.pages.clone());
                std::thread::spawn(move || {
                    let Ok(tls) = acceptor.accept(line) else { return };
                    let mut tls = BufReader::new(tls);
                    let mut head = String::new();
                    while tls.read_line(&mut head).is_ok_and(|n| n > 2) {}
                    all.lock().unwrap().push(format!("https {head}"));
                    let path = head.split(' ').nth(1).unwrap_or_default();
                    let page = pages.iter().find(|(p, _)| *p == path).map(|(_, page)| page.as_str());
                    let _ = tls.get_mut().write_all(page.unwrap_or("HTTP/1.1 404 Not Found\r\n\r\n").as_bytes());
                    let _ = tls.get_mut().shutdown();
                });
            }
        });
        Self { dns, https, heard }
    }

    /// What leads the program here: a name and a value of its environment.
    pub fn way(&self, ca: &Path) -> (&'static str, String) {
        // A machine that is busy, under strace too, is slow: nothing here is about the time.
        ("POSTRIDER_DISCOVERY", format!("{} {} {} 20", self.dns, self.https, ca.display()))
    }

    /// The ports of both, for a list of all that were called.
    pub fn ports(&self) -> [u16; 2] {
        [self.dns.port(), self.https.port()]
    }

    /// All that was asked: `dns TYPE NAME`, and `https` with the whole head.
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

fn answers(name: &Name<'_>, kind: QTYPE, tells: &Tells) -> Vec<ResourceRecord<'static>> {
    let record = |data| ResourceRecord::new(name.clone().into_owned(), CLASS::IN, 60, data);
    let text = name.to_string();
    match kind {
        QTYPE::TYPE(TYPE::SRV) => {
            let mine = tells.srv.iter().filter(|(service, ..)| text.starts_with(&format!("{service}.")));
            let data = |target, port| SRV { priority: 0, weight: 0, port, target: Name::new(target).unwrap() };
            mine.map(|(_, target, port)| record(RData::SRV(data(target, *port)))).collect()
        }
        QTYPE::TYPE(TYPE::MX) => {
            let data = |exchange| MX { preference: 10, exchange: Name::new(exchange).unwrap() };
            tells.mx.iter().map(|to| record(RData::MX(data(to)))).collect()
        }
        _ => Vec::new(),
    }
}
