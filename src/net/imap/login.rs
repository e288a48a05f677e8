//! login — greeting, STARTTLS, and proving who we are.
//! Owns: `open`.
//! May import: mail, base.
//! Start reading at: `open`. Nothing is said in the clear but STARTTLS (unless the person chose a line without TLS), and nothing that came in the clear is believed
//! (security T-01 to T-06): capabilities are asked for after TLS, and again after the login.

use super::caps::Offer;
use super::conn::{Command, Conn, Fresh};
use super::core::{Core, locked};
use super::frame::{self, KeepAll};
use super::untagged;
use super::value::{self, Word};
use crate::base::cancel::Cancel;
use crate::base::gate::Permit;
use crate::base::log;
use crate::base::secret::Secret;
use crate::base::waker::Waker;
use crate::config::Mechanism;
use crate::net::dial;
use crate::net::error::{NetError, NetErrorKind, Result, TlsReason};
use crate::net::sasl::{self, Exchange};
use crate::net::session::{Endpoint, Login, TlsMode};
use crate::net::wire::{NO_PROGRESS, Wire};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::cell::RefCell;
use std::sync::{Arc, Mutex};

/// How many untagged lines are read over while STARTTLS is answered.
const MAX_BEFORE_TLS: usize = 100;
/// Codes of a refused login that say "later", not "wrong password" (RFC 5530).
const LATER: [&str; 5] = ["UNAVAILABLE", "INUSE", TOO_MANY, "SERVERBUG", "CONTACTADMIN"];

/// What says that (RFC 5530): the password is right, and there are too many connections.
const TOO_MANY: &str = "LIMIT";
/// Words that mean the same where they come with another code or with none, in small letters: of Dovecot 2.3 as most have it
/// ("[UNAVAILABLE] Maximum number of connections from user+IP exceeded"; Debian's of 2026 says LIMIT), and of Gmail ("[ALERT] Too many
/// simultaneous connections").
const TOO_MANY_WORDS: [&str; 2] = ["maximum number of connections", "too many simultaneous connections"];

/// Connects, encrypts and logs in. What the server offers is what it says after the login.
///
/// # Errors
/// `Unreachable`, `Tls`, `LoginRefused`, `No` for a refusal that time may heal, and what breaks connections.
pub fn open(permit: Permit, endpoint: &Endpoint, login: &Login<'_>, waker: &Waker, cancel: &Cancel) -> Result<(Conn, Offer)> {
    let mut wire = Wire::connect(permit, endpoint, waker, cancel)?;
    wire.set_limit(dial::CONNECT);
    let mut told = greeting(&mut wire, endpoint.tls)?;
    if endpoint.tls == TlsMode::StartTls {
        told = None;
        starttls(&mut wire, endpoint)?;
    }
    wire.set_limit(NO_PROGRESS);
    if endpoint.tls != TlsMode::None && !wire.is_encrypted() {
        return Err(NetError::tls(TlsReason::Other, "the connection is not encrypted"));
    }
    let mut fresh = Fresh::over(wire);
    // Most servers say it in their greeting: one turn less.
    let offered = match told {
        Some(words) => words,
        None => fresh.capabilities()?,
    };
    let offered = Offer::new(offered, login.without);
    let mut conn = log_in(fresh, &offered, endpoint, login)?;
    log::info("imap", format_args!("logged in at {}", endpoint.host));
    let told = conn.core().caps.take();
    let caps = match told {
        Some(caps) => caps,
        None => {
            conn.run(&Command::new("CAPABILITY"), &mut |_| Ok(true))?;
            conn.core().caps.take().unwrap_or_default()
        }
    };
    Ok((conn, Offer::new(caps, login.without)))
}

/// The capabilities, if the greeting tells them.
fn greeting(wire: &mut Wire, tls: TlsMode) -> Result<Option<Vec<String>>> {
    let first = frame::read(wire, &mut KeepAll, frame::Response::default())?;
    let status = first.bytes.strip_prefix(b"* ").and_then(value::status);
    match status.as_ref().map(|s| s.word) {
        Some(Word::Ok) => Ok(status.filter(|s| s.code == "CAPABILITY").map(|s| untagged::words(s.args))),
        // Logged in without us: as whom? Before TLS it would let anybody be the server (NO STARTTLS, 2021).
        Some(Word::Preauth) if tls == TlsMode::StartTls => Err(NetError::tls(TlsReason::Injected, "PREAUTH before TLS")),
        Some(Word::Preauth) => Err(NetError::protocol("it claims that we are logged in already")),
        Some(Word::Bye) => Err(NetError::new(NetErrorKind::Bye, status.as_ref().map_or("", |s| &s.text))),
        _ => Err(NetError::protocol("the greeting is not that of an IMAP server")),
    }
}

fn starttls(wire: &mut Wire, endpoint: &Endpoint) -> Result<()> {
    wire.send(b"s1 STARTTLS\r\n")?;
    for _ in 0..MAX_BEFORE_TLS {
        let response = frame::read(wire, &mut KeepAll, frame::Response::default())?;
        if response.is_untagged() {
            // Nobody is proven to have said it: dropped.
            continue;
        }
        let (tag, rest) = value::split(&response.bytes);
        return match value::status(rest) {
            Some(s) if tag == b"s1" && s.word == Word::Ok => wire.encrypt(endpoint),
            Some(s) if tag == b"s1" => Err(NetError::tls(TlsReason::NoStartTls, &s.text)),
            _ => Err(NetError::tls(TlsReason::Injected, "an answer to something else")),
        };
    }
    Err(NetError::tls(TlsReason::Injected, "much talk before encryption"))
}

/// By the strongest way that the server offers and the account allows (security T-15).
fn log_in(fresh: Fresh, offered: &Offer, endpoint: &Endpoint, login: &Login<'_>) -> Result<Conn> {
    let command_only = |m| m == Mechanism::Login && !offered.has("LOGINDISABLED");
    let offers = |m: Mechanism| offered.has(&format!("AUTH={}", m.word())) || command_only(m);
    let way = sasl::choose(login.auth, offers).ok_or_else(|| sasl::no_way(login.auth))?;
    if way == Mechanism::Login && command_only(way) {
        return by_command(fresh, login.user, login.secret);
    }
    let exchange = Exchange::new(way, login.user, login.secret, &endpoint.host, endpoint.port)?;
    by_exchange(fresh, exchange, offered.has("SASL-IR"))
}

/// The LOGIN command.
fn by_command(fresh: Fresh, user: &str, secret: &Secret) -> Result<Conn> {
    if [user, secret.expose()].iter().any(|t| !t.bytes().all(|b| (b' '..=b'~').contains(&b))) {
        let text = "this server takes no names and passwords with letters beyond ASCII";
        return Err(NetError::new(NetErrorKind::LoginRefused, text));
    }
    fresh.login(|client| client.login(user, secret.expose()).map_err(|(e, _)| Box::new(e))).map_err(judge)
}

/// AUTHENTICATE.
fn by_exchange(fresh: Fresh, exchange: Exchange, ir: bool) -> Result<Conn> {
    let first = exchange.initial();
    let line = match &first {
        // An empty response is written `=` (RFC 4959).
        Some(first) if ir && first.is_empty() => Secret::new(format!("{} =", exchange.name())),
        Some(first) if ir => Secret::new(format!("{} {}", exchange.name(), STANDARD.encode(first.expose()))),
        _ => Secret::new(exchange.name().to_owned()),
    };
    let core = fresh.core();
    let answers = Answers { first: RefCell::new(first.filter(|_| !ir)), exchange: RefCell::new(exchange), core };
    let done = fresh.login(|client| client.authenticate(line.expose(), &answers).map_err(|(e, _)| Box::new(e)));
    let exchange = answers.exchange.into_inner();
    match done {
        // A server that did not prove itself is not talked to: the connection ends with this value.
        Ok(conn) => exchange.finish().map(|()| conn),
        Err(e) => {
            let e = judge(e);
            Err(if e.kind == NetErrorKind::LoginRefused { exchange.refused(&e) } else { e })
        }
    }
}

/// Answers challenges for the crate, which does their base64.
struct Answers {
    /// What is said first, if the server wants to be asked for it.
    first: RefCell<Option<Secret>>,
    exchange: RefCell<Exchange>,
    core: Arc<Mutex<Core>>,
}

impl imap::Authenticator for Answers {
    type Response = Vec<u8>;

    fn process(&self, challenge: &[u8]) -> Vec<u8> {
        if let Some(first) = self.first.borrow_mut().take() {
            return first.expose().as_bytes().to_vec();
        }
        match self.exchange.borrow_mut().answer(challenge) {
            Ok(answer) => answer.expose().as_bytes().to_vec(),
            Err(e) => {
                // Nothing that we say can be right now: the line is cut instead.
                locked(&self.core).wire.fail(e);
                Vec::new()
            }
        }
    }
}

/// A refused login is a wrong password unless the server says that it is something else.
fn judge(e: NetError) -> NetError {
    let words = e.text.as_str().to_lowercase();
    match &e.kind {
        NetErrorKind::No { .. } if TOO_MANY_WORDS.iter().any(|too_many| words.contains(too_many)) => {
            NetError { kind: NetErrorKind::No { code: TOO_MANY.to_owned() }, text: e.text }
        }
        NetErrorKind::No { code } if !LATER.contains(&code.as_str()) => {
            NetError { kind: NetErrorKind::LoginRefused, text: e.text }
        }
        NetErrorKind::Bad => NetError { kind: NetErrorKind::LoginRefused, text: e.text },
        _ => e,
    }
}
