//! https — one file from a web server, verified and encrypted or not at all.
//! Owns: `Url`, `Page`, `Way`, `get`.
//! May import: config, base.   Never: http without s, a cookie, a referrer, another port, a name for ourselves beyond "Postrider".
//! Start reading at: `get`. It follows nothing by itself: where a page has moved is an answer, and who asks decides (T-14).

use super::dial;
use super::error::{NetError, NetErrorKind, Result};
use super::session::{Endpoint, TlsMode};
use super::wire::Wire;
use crate::base::cancel::Cancel;
use crate::base::gate::Permit;
use crate::base::waker::Waker;
use crate::config::discovery::host_name;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// The port of HTTPS. Where it is not served there, it is not looked for.
const PORT: u16 = 443;
/// How long is waited for a sign of life.
pub const PATIENCE: Duration = Duration::from_secs(4);
/// The most octets before the file, and the most lines there.
const MAX_HEAD: usize = 32 * 1024;
const MAX_FIELDS: usize = 100;
/// The longest URL that is gone to.
const MAX_URL: usize = 2_048;

/// An `https` URL at the usual port of a named host.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Url {
    host: String,
    /// With its `/` and its query.
    path: String,
}

impl Url {
    /// Of a host, which must be a name, and a path with its query.
    #[must_use]
    pub fn new(host: &str, path: &str) -> Option<Self> {
        let host = host_name(host).filter(|host| host.parse::<IpAddr>().is_err())?;
        let plain = path.bytes().all(|b| b.is_ascii_graphic());
        (plain && path.starts_with('/') && host.len() + path.len() <= MAX_URL).then(|| Self { host, path: path.to_owned() })
    }

    /// The host's name.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Where a `Location` leads from here. None: away from https, to another port or an address, or with a login name in it.
    #[must_use]
    pub fn leading_to(&self, location: &str) -> Option<Self> {
        let location = location.split('#').next().unwrap_or_default().trim();
        let lead = location.get(..8).filter(|scheme| scheme.eq_ignore_ascii_case("https://"));
        let rest = match lead {
            Some(_) => location.get(8..)?,
            None if location.starts_with("//") => location.get(2..)?,
            None if location.starts_with('/') => return Self::new(&self.host, location),
            None => return None,
        };
        let (authority, path) = rest.find(['/', '?']).map_or((rest, ""), |at| rest.split_at(at));
        let host = authority.strip_suffix(":443").unwrap_or(authority);
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Self::new(host, &path)
    }
}

/// Whom to believe, and where to go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Way {
    /// A PEM file of further authorities to believe.
    pub ca_file: Option<PathBuf>,
    /// Every host is here: only tests say so. It still has to prove its name.
    pub at: Option<SocketAddr>,
    /// How long is waited for a sign of life: [`PATIENCE`] but in tests.
    pub patience: Duration,
}

/// What the server answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Page {
    /// This file.
    Here(Vec<u8>),
    /// It is there.
    Moved(Url),
    /// There is none (the status).
    Nothing(u16),
}

/// Asks for the file at `url`, of at most `max` octets.
///
/// # Errors
/// `Tls`: the host is not proven to be it. `Limit`: more than `max`. `Protocol`: a redirect away from https, or no HTTP.
pub fn get(permit: Permit, url: &Url, way: &Way, max: usize, cancel: &Cancel) -> Result<Page> {
    let (host, tls) = (url.host.clone(), TlsMode::Implicit);
    let endpoint = Endpoint { host, port: PORT, tls, ca_file: way.ca_file.clone(), fingerprint: None, client_cert: None };
    let (place, port) = way.at.map_or_else(|| (url.host.clone(), PORT), |at| (at.ip().to_string(), at.port()));
    let mut wire = Wire::over(dial::dial(permit, &place, port, cancel)?, &Waker::new()?, cancel);
    wire.encrypt(&endpoint)?;
    wire.set_limit(way.patience);
    let question = format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: Postrider\r\nAccept: text/xml, application/xml\r\nAccept-Encoding: identity\r\n\
         Connection: close\r\n\r\n",
        url.path, url.host
    );
    wire.send(question.as_bytes())?;
    let head = Head::read(&mut wire)?;
    match head.status {
        200 => head.body(&mut wire, max).map(Page::Here),
        301 | 302 | 303 | 307 | 308 => {
            let away = || NetError::protocol("the page has moved to where there is no https");
            head.location.as_deref().and_then(|to| url.leading_to(to)).map(Page::Moved).ok_or_else(away)
        }
        status => Ok(Page::Nothing(status)),
    }
}

/// What is said before a file.
#[derive(Default)]
struct Head {
    status: u16,
    location: Option<String>,
    length: Option<usize>,
    chunked: bool,
}

fn line(wire: &mut Wire) -> Result<String> {
    let mut line = Vec::new();
    wire.read_line(&mut line, 0)?;
    Ok(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned())
}

impl Head {
    fn read(wire: &mut Wire) -> Result<Self> {
        let first = line(wire)?;
        let no_http = || NetError::protocol("what answers is no web server");
        let status = first.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)?.parse().ok()).ok_or_else(no_http)?;
        let mut head = Self { status, ..Self::default() };
        let mut octets = first.len();
        for _ in 0..MAX_FIELDS {
            let field = line(wire)?;
            if field.is_empty() {
                return Ok(head);
            }
            octets += field.len();
            if octets > MAX_HEAD {
                break;
            }
            let (name, value) = field.split_once(':').map_or((field.as_str(), ""), |(n, v)| (n, v.trim()));
            match name.to_ascii_lowercase().as_str() {
                "location" => head.location = Some(value.to_owned()),
                "content-length" => {
                    let length = Some(value.parse().map_err(|_| no_http())?);
                    if head.length.is_some_and(|before| Some(before) != length) {
                        return Err(no_http());
                    }
                    head.length = length;
                }
                "transfer-encoding" if value.eq_ignore_ascii_case("chunked") => head.chunked = true,
                // What we did not ask for, we cannot read.
                "transfer-encoding" | "content-encoding" if !value.eq_ignore_ascii_case("identity") => return Err(no_http()),
                _ => {}
            }
        }
        Err(NetError::limit("the web server says too much before the file"))
    }

    fn body(&self, wire: &mut Wire, max: usize) -> Result<Vec<u8>> {
        let mut all = Vec::new();
        match self.length {
            _ if self.chunked => loop {
                let size = line(wire)?;
                let digits = size.split(';').next().unwrap_or_default().trim();
                let size = usize::from_str_radix(digits, 16).map_err(|_| NetError::protocol("a piece without a size"))?;
                if size == 0 {
                    return Ok(all);
                }
                piece(wire, size, max, &mut all)?;
                if !line(wire)?.is_empty() {
                    return Err(NetError::protocol("a piece that is longer than its size"));
                }
            },
            Some(length) => piece(wire, length, max, &mut all)?,
            // Until the server closes: whether that is all of it, the file's own form says.
            None => loop {
                let begin = all.len();
                match wire.read_line(&mut all, begin) {
                    Ok(()) if all.len() > max => return Err(too_long()),
                    Ok(()) => {}
                    Err(e) if e.kind == NetErrorKind::Io(ErrorKind::UnexpectedEof) && all.len() <= max => break,
                    Err(e) => return Err(e),
                }
            },
        }
        Ok(all)
    }
}

fn too_long() -> NetError {
    NetError::limit("the file is longer than such a file is")
}

fn piece(wire: &mut Wire, size: usize, max: usize, all: &mut Vec<u8>) -> Result<()> {
    if size > max.saturating_sub(all.len()) {
        return Err(too_long());
    }
    wire.read_exactly(size as u64, &mut |bytes| {
        all.extend_from_slice(bytes);
        Ok(())
    })
}

#[cfg(test)]
mod tests;
