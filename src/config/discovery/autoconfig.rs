//! autoconfig — the XML by which a provider tells its servers (Thunderbird's format 1.1).
//! Owns: `read`, `Who`, the limits of such a file. May import: base, config.
//! Start reading at: `read`. No document type and no entity of its own is read, and a server without encryption is none.

use super::{Offer, Place, Secure, host_name, login_name};
use crate::base::safetext::SafeText;
use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

/// The largest file, in octets.
pub const MAX_FILE: usize = 128 * 1024;
/// The most elements inside one another.
const MAX_DEPTH: usize = 16;
/// The most servers that are looked at.
const MAX_SERVERS: usize = 32;
/// The longest text of an element, in octets.
const MAX_TEXT: usize = 1024;

/// Why a file is not believed at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    /// It has more octets, elements or servers than a limit of ours allows.
    #[error("it is larger than such a file is")]
    TooLarge,
    /// It declares a document type or uses entities of its own.
    #[error("it declares more than data")]
    Declares,
    /// It is no XML in UTF-8, or ends too soon.
    #[error("it is no well-formed XML in UTF-8")]
    Malformed,
    /// The root is another one.
    #[error("it is no autoconfig file")]
    Other,
}

/// Whose servers they are: what `%EMAILADDRESS%`, `%EMAILLOCALPART%` and `%EMAILDOMAIN%` stand for.
#[derive(Clone, Copy, Debug)]
pub struct Who<'a> {
    /// The whole address.
    pub address: &'a str,
}

impl Who<'_> {
    fn fill(self, text: &str) -> String {
        let (local, domain) = self.address.rsplit_once('@').unwrap_or((self.address, ""));
        // One pass: what is put in is not looked at again.
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('%') {
            out.push_str(before);
            let known = [("EMAILADDRESS%", self.address), ("EMAILLOCALPART%", local), ("EMAILDOMAIN%", domain)];
            match known.iter().find_map(|(name, value)| after.strip_prefix(name).map(|rest| (rest, value))) {
                Some((after, value)) => {
                    out.push_str(value);
                    rest = after;
                }
                None => {
                    out.push('%');
                    rest = after;
                }
            }
        }
        out + rest
    }
}

/// A server as it stands there.
#[derive(Default)]
struct Raw {
    kind: String,
    host: String,
    port: String,
    socket: String,
    user: String,
    ways: Vec<String>,
}

impl Raw {
    /// The server, if it is one that we would speak to.
    fn place(&self, who: Who<'_>) -> Option<Place> {
        let secure = match self.socket.to_ascii_uppercase().as_str() {
            "SSL" => Secure::Implicit,
            "STARTTLS" => Secure::StartTls,
            // `plain`, and whatever nobody has heard of.
            _ => return None,
        };
        let host = host_name(&who.fill(&self.host))?;
        let port = self.port.parse().ok().filter(|port| *port > 0)?;
        let user = login_name(&who.fill(&self.user)).filter(|user| user != who.address);
        // A name that nobody filled in is none.
        let user = user.filter(|user| !user.contains('%'));
        Some(Place { host, port, secure, user })
    }

    /// Whether only a sign-in with a token is offered.
    fn wants_token(&self) -> bool {
        !self.ways.is_empty() && self.ways.iter().all(|way| way.eq_ignore_ascii_case("OAuth2"))
    }
}

/// Reads a file.
///
/// # Errors
/// Why nothing in it is believed. A file that only names servers without encryption is an empty offer.
pub fn read(file: &[u8], who: Who<'_>) -> Result<Offer, Refused> {
    if file.len() > MAX_FILE {
        return Err(Refused::TooLarge);
    }
    let text = std::str::from_utf8(file).map_err(|_| Refused::Malformed)?;
    let mut document = Document::default();
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    loop {
        match reader.read_event().map_err(|_| Refused::Malformed)? {
            Event::Start(start) => document.begin(&start)?,
            Event::End(_) => document.end(),
            Event::Empty(start) => {
                document.begin(&start)?;
                document.end();
            }
            Event::Text(text) => document.text(&text.xml10_content())?,
            Event::CData(text) => document.text(&text.xml10_content())?,
            Event::GeneralRef(name) => document.text(character(&name)?.encode_utf8(&mut [0; 4]))?,
            Event::DocType(_) => return Err(Refused::Declares),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof if document.whole => return Ok(document.offer(who)),
            Event::Eof => return Err(Refused::Malformed),
        }
    }
}

/// The five entities that XML has by itself, and numbers.
fn character(name: &BytesRef<'_>) -> Result<char, Refused> {
    if let Some(c) = name.resolve_char_ref().map_err(|_| Refused::Malformed)? {
        return Ok(c);
    }
    match &*name.xml10_content() {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => Err(Refused::Declares),
    }
}

#[derive(Default)]
struct Document {
    /// The elements that are open.
    path: Vec<String>,
    text: String,
    server: Option<Raw>,
    incoming: Vec<Raw>,
    outgoing: Vec<Raw>,
    /// The root was closed.
    whole: bool,
}

impl Document {
    fn begin(&mut self, start: &BytesStart<'_>) -> Result<(), Refused> {
        let name = start.local_name().as_ref().to_owned();
        if self.path.is_empty() && (self.whole || name != "clientConfig") {
            return Err(Refused::Other);
        }
        if self.path.len() >= MAX_DEPTH || self.incoming.len() + self.outgoing.len() >= MAX_SERVERS {
            return Err(Refused::TooLarge);
        }
        if self.at(&["clientConfig", "emailProvider"]) && matches!(name.as_str(), "incomingServer" | "outgoingServer") {
            let kind = start.try_get_attribute("type").map_err(|_| Refused::Malformed)?;
            let kind =
                kind.map(|a| a.normalized_value(quick_xml::XmlVersion::Implicit1_0).map(|v| v.trim().to_ascii_lowercase()));
            let kind = kind.transpose().map_err(|_| Refused::Declares)?.unwrap_or_default();
            self.server = Some(Raw { kind, ..Raw::default() });
        }
        self.path.push(name);
        self.text.clear();
        Ok(())
    }

    fn at(&self, path: &[&str]) -> bool {
        self.path.iter().map(String::as_str).eq(path.iter().copied())
    }

    fn text(&mut self, more: &str) -> Result<(), Refused> {
        // Of a server only: what else is said at length (documentation in many languages) is not kept.
        if self.server.is_none() {
            return Ok(());
        }
        self.text.push_str(more);
        if self.text.len() > MAX_TEXT { Err(Refused::TooLarge) } else { Ok(()) }
    }

    fn end(&mut self) {
        let Some(name) = self.path.pop() else { return };
        let text = std::mem::take(&mut self.text).trim().to_owned();
        match self.path.len() {
            0 => self.whole = true,
            2 => match (self.server.take(), name.as_str()) {
                (Some(raw), "incomingServer") => self.incoming.push(raw),
                (Some(raw), "outgoingServer") => self.outgoing.push(raw),
                _ => {}
            },
            3 => {
                if let Some(raw) = &mut self.server {
                    match name.as_str() {
                        "hostname" => raw.host = text,
                        "port" => raw.port = text,
                        "socketType" => raw.socket = text,
                        "username" => raw.user = text,
                        "authentication" => raw.ways.push(text),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }

    /// The provider's order is its preference: the first of each that we would speak to.
    fn offer(&self, who: Who<'_>) -> Offer {
        let pick = |all: &[Raw], kind: &str| -> Option<(Place, bool)> {
            all.iter().filter(|raw| raw.kind == kind).find_map(|raw| Some((raw.place(who)?, raw.wants_token())))
        };
        let (incoming, outgoing) = (pick(&self.incoming, "imap"), pick(&self.outgoing, "smtp"));
        let token = incoming.as_ref().is_some_and(|(_, token)| *token);
        let note = token.then(|| {
            SafeText::of("This provider wants a sign-in token: give a command that prints one, and auth = [\"XOAUTH2\"]")
        });
        Offer { incoming: incoming.map(|(place, _)| place), outgoing: outgoing.map(|(place, _)| place), note }
    }
}
