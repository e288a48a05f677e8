//! session — one connection to a submission server.
//! Owns: `Smtp`, `Mail`.
//! May import: mail, base.
//! Start reading at: `Smtp::send`. Between the last byte of a mail and its final dot stands the caller's `dot`: once that has
//! returned, a broken line means "unknown", before it "not sent".

use super::body::{self, Bad, Shape, Source, Stuffer};
use super::error::{Rejected, SmtpError, Why};
use super::reply::{self, Reply};
use crate::base::cancel::Cancel;
use crate::base::gate::Permit;
use crate::base::log;
use crate::base::safetext::SafeText;
use crate::base::secret::Secret;
use crate::base::waker::Waker;
use crate::config::Mechanism;
use crate::net::error::{MAX_TEXT, NetError, NetErrorKind, TlsReason};
use crate::net::sasl::{self, Exchange};
use crate::net::session::{Endpoint, Login, TlsMode, Traffic};
use crate::net::wire::{NO_PROGRESS, Wire};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lettre::Address;
use lettre::transport::smtp::commands::{Data, Ehlo, Mail as MailFrom, Quit, Rcpt, Rset, Starttls};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter, ServerInfo};
use lettre::transport::smtp::response::Response;
use std::net::Ipv4Addr;
use std::time::Duration;

/// How long the server may think after the final dot (RFC 5321, 4.5.3.2.6).
pub const AFTER_DOT: Duration = Duration::from_secs(600);
/// How long the answer to the dot is waited for though the program ends: without it nobody knows whether the mail was sent.
pub const GRACE: Duration = Duration::from_millis(1500);
/// How long a good-bye is waited for.
const GOODBYE: Duration = Duration::from_secs(2);
/// The most challenges of one login.
const MAX_CHALLENGES: usize = 4;
/// The longest first answer that goes with the command: a line may have 512 octets (RFC 5321, 4.5.3.1.4).
const MAX_INITIAL: usize = 480;

type Result<T> = std::result::Result<T, SmtpError>;

/// The envelope of a mail.
#[derive(Clone, Copy, Debug)]
pub struct Mail<'a> {
    /// The sender, a bare address; "" for none (reports).
    pub sender: &'a str,
    /// All recipients, bare addresses, Bcc among them.
    pub recipients: &'a [String],
}

/// A connection that has said hello and is logged in. Dropped without [`Smtp::quit`] it just closes.
#[derive(Debug)]
pub struct Smtp {
    wire: Wire,
    info: ServerInfo,
    /// SIZE (RFC 1870), if the server has a limit.
    max_size: Option<u64>,
    /// The words of AUTH (RFC 4954), in upper case.
    ways: Vec<String>,
    /// A mail was begun and not taken: the server may still hold its envelope.
    begun: bool,
}

impl Smtp {
    /// Connects, encrypts, and logs in if `login` is given.
    ///
    /// # Errors
    /// See [`Why`]; a wrong password is `Net(LoginRefused)`.
    pub fn open(permit: Permit, endpoint: &Endpoint, login: Option<&Login<'_>>, cancel: &Cancel) -> Result<Self> {
        // Nothing here waits for work: nobody rings.
        let waker = Waker::new().map_err(NetError::from)?;
        let wire = Wire::connect(permit, endpoint, &waker, cancel)?;
        let mut smtp = Self { wire, info: ServerInfo::default(), max_size: None, ways: Vec::new(), begun: false };
        smtp.wire.set_limit(NO_PROGRESS);
        smtp.wire.begin();
        let greeting = smtp.reply()?;
        smtp.expect(&greeting, 220).map_err(|e| match e.why {
            // It concerns the server, not the mail.
            Why::Never(code) => SmtpError { why: Why::Later(code), ..e },
            _ => e,
        })?;
        smtp.hello(endpoint.tls == TlsMode::StartTls)?;
        if endpoint.tls == TlsMode::StartTls {
            if !smtp.info.supports_feature(Extension::StartTls) {
                return Err(NetError::tls(TlsReason::NoStartTls, "").into());
            }
            let done = smtp.command(&Starttls.to_string())?;
            if done.code() != 220 {
                return Err(NetError::tls(TlsReason::NoStartTls, &done.text()).into());
            }
            smtp.wire.encrypt(endpoint)?;
            smtp.wire.begin();
            // What was said in the clear is forgotten.
            smtp.hello(false)?;
        }
        if endpoint.tls != TlsMode::None && !smtp.wire.is_encrypted() {
            return Err(NetError::tls(TlsReason::Other, "the connection is not encrypted").into());
        }
        if let Some(login) = login {
            smtp.log_in(login, endpoint)?;
        }
        Ok(smtp)
    }

    /// What went over the wire.
    #[must_use]
    pub const fn traffic(&self) -> Traffic {
        self.wire.traffic
    }

    fn reply(&mut self) -> Result<Reply> {
        let reply = reply::read(&mut self.wire)?;
        self.wire.traffic.round_trips += 1;
        if reply.code() == 421 {
            // "Closing": whatever was asked.
            return Err(SmtpError::new(Why::Later(421), &reply.text()));
        }
        Ok(reply)
    }

    /// Says one whole line and reads the reply.
    fn command(&mut self, line: &str) -> Result<Reply> {
        if self.wire.has_unread() {
            // A reply to nothing: only a good-bye may come unasked. Any other would be taken for the next answer.
            self.reply()?;
            return Err(self.wire.fail(NetError::protocol("a reply to nothing")).into());
        }
        self.wire.send(line.as_bytes())?;
        let reply = self.reply()?;
        // AUTH and what follows it are not said, and a server may repeat in words what it was told.
        let word = line.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
        if ["EHLO", "STARTTLS", "MAIL", "RCPT", "DATA", "RSET", "QUIT"].contains(&word) {
            log::trace("smtp", format_args!("{word}: {} {}", reply.code(), reply.text()));
        }
        Ok(reply)
    }

    /// A reply that is not `code`, as the failure that it is.
    fn expect(&mut self, reply: &Reply, code: u16) -> Result<()> {
        let got = reply.code();
        match got {
            _ if got == code => Ok(()),
            400..=499 => Err(SmtpError::new(Why::Later(got), &reply.text())),
            500..=599 => Err(SmtpError::new(Why::Never(got), &reply.text())),
            _ => Err(self.wire.fail(NetError::protocol(&format!("{got} where {code} must be"))).into()),
        }
    }

    /// EHLO. With `clear` a refusal means that there is no STARTTLS: HELO would be a way around it (security T-08).
    fn hello(&mut self, clear: bool) -> Result<()> {
        // Our real name or address is nobody's business; the server knows where we come from.
        let name = ClientId::Ipv4(Ipv4Addr::LOCALHOST);
        let reply = self.command(&Ehlo::new(name).to_string())?;
        self.expect(&reply, 250).map_err(|e| match e.why {
            Why::Never(_) if clear => NetError { kind: NetErrorKind::Tls(TlsReason::NoStartTls), text: e.text }.into(),
            Why::Never(code) => SmtpError { why: Why::Later(code), ..e },
            _ => e,
        })?;
        // Keywords are written in any case (RFC 5321, 2.4); lettre knows them in capitals.
        let capitals = Response::new(reply.0.code(), reply.0.message().map(str::to_ascii_uppercase).collect());
        self.info = ServerInfo::from_response(&capitals).map_err(|_| self.wire.fail(NetError::protocol("an empty hello")))?;
        let size = capitals.message().find_map(|l| l.strip_prefix("SIZE ")?.trim().parse::<u64>().ok());
        self.max_size = size.filter(|n| *n > 0);
        // Some old servers write `AUTH=`.
        let ways = capitals.message().filter_map(|l| l.strip_prefix("AUTH").filter(|r| r.starts_with([' ', '='])));
        self.ways = ways.flat_map(|l| l.split([' ', '=']).map(str::to_owned)).filter(|w| !w.is_empty()).collect();
        Ok(())
    }

    /// By the strongest way that the server offers and the account allows (security T-15).
    fn log_in(&mut self, login: &Login<'_>, endpoint: &Endpoint) -> Result<()> {
        let offers = |m: Mechanism| self.ways.iter().any(|w| w == m.word());
        let way = sasl::choose(login.auth, offers).ok_or_else(|| sasl::no_way(login.auth))?;
        let mut exchange = Exchange::new(way, login.user, login.secret, &endpoint.host, endpoint.port)?;
        let first = exchange.initial().map(|first| if first.is_empty() { Secret::new("=".to_owned()) } else { encoded(&first) });
        let line = match &first {
            Some(first) if first.expose().len() <= MAX_INITIAL => {
                Secret::new(format!("AUTH {} {}\r\n", way.word(), first.expose()))
            }
            _ => Secret::new(format!("AUTH {}\r\n", way.word())),
        };
        let mut again = first;
        let mut reply = self.command(line.expose())?;
        for _ in 0..MAX_CHALLENGES {
            if reply.code() != 334 {
                break;
            }
            let text = reply.text();
            let answer = match again.take().filter(|_| text.trim().is_empty()) {
                // What is said first was too long to go along, or was not read: it is asked for with nothing.
                Some(first) => first,
                None => {
                    let challenge = match STANDARD.decode(text.trim()) {
                        Ok(challenge) => challenge,
                        // The questions of LOGIN are for people.
                        Err(_) if way == Mechanism::Login => Vec::new(),
                        Err(_) => return Err(self.wire.fail(NetError::protocol("a challenge that is none")).into()),
                    };
                    encoded(&exchange.answer(&challenge).map_err(|e| self.wire.fail(e))?)
                }
            };
            let line = Secret::new(format!("{}\r\n", answer.expose()));
            reply = self.command(line.expose())?;
        }
        match reply.code() {
            235 => Ok(exchange.finish().map_err(|e| self.wire.fail(e))?),
            400..=499 => Err(SmtpError::new(Why::Later(reply.code()), &reply.text())),
            _ => Err(exchange.refused(&NetError::new(NetErrorKind::LoginRefused, &reply.text())).into()),
        }
    }

    /// Sends one mail. `dot` is called when all but the final dot is with the system, and makes durable that it follows; if
    /// it fails the mail is not sent. All recipients get it or none. The server's words on success.
    ///
    /// # Errors
    /// See [`Why`]. After `Later`, `Never` and `Unfit` another mail can be tried on this connection.
    pub fn send(
        &mut self,
        mail: Mail<'_>,
        from: &mut dyn Source,
        dot: &mut dyn FnMut() -> std::result::Result<(), NetError>,
    ) -> Result<SafeText> {
        let unfit = |text: &str| SmtpError::new(Why::Unfit, text);
        let address = |text: &str| text.to_owned().try_into().map_err(|_| unfit(&format!("{text} is no address")));
        let sender = if mail.sender.is_empty() { None } else { Some(address(mail.sender)?) };
        let recipients: Vec<Address> = mail.recipients.iter().map(|r| address(r)).collect::<Result<_>>()?;
        if recipients.is_empty() {
            return Err(unfit("it has no recipient"));
        }
        let shape = body::examine(from).map_err(|e| match e {
            Bad::Io(e) => NetError::from(e).into(),
            Bad::Form(text) => unfit(text),
        })?;
        let wide = sender.iter().chain(&recipients).any(|a| !AsRef::<str>::as_ref(a).is_ascii());
        let params = self.parameters(shape, wide).map_err(unfit)?;
        if std::mem::replace(&mut self.begun, true) {
            let reply = self.command(&Rset.to_string())?;
            self.expect(&reply, 250)?;
        }
        self.envelope(sender, &recipients, params)?;
        let go = self.command(&Data.to_string())?;
        self.expect(&go, 354)?;
        let (mut stuffer, mut out) = (Stuffer::new(), Vec::new());
        let wire = &mut self.wire;
        body::pieces::<NetError>(from, &mut |piece| {
            out.clear();
            stuffer.push(piece, &mut out);
            wire.send(&out)
        })
        .map_err(|e| self.wire.fail(e))?;
        if self.wire.has_unread() {
            return Err(self.wire.fail(NetError::protocol("a reply before the end of the mail")).into());
        }
        dot().map_err(|e| self.wire.fail(e))?;
        self.wire.set_limit(AFTER_DOT);
        self.wire.set_grace(GRACE);
        let answer = self.wire.send(stuffer.end()).map_err(SmtpError::from).and_then(|()| self.reply());
        let answer = answer.map_err(SmtpError::after_dot)?;
        self.wire.set_limit(NO_PROGRESS);
        self.wire.set_grace(Duration::ZERO);
        self.expect(&answer, 250).map_err(SmtpError::after_dot)?;
        self.begun = false;
        Ok(SafeText::line_max(&answer.text(), MAX_TEXT))
    }

    /// What MAIL FROM says beside the sender, or why this server cannot take such a mail.
    fn parameters(&self, shape: Shape, wide: bool) -> std::result::Result<Vec<MailParameter>, &'static str> {
        let mut params = Vec::new();
        if let Some(limit) = self.max_size {
            if shape.size > limit {
                return Err("it is larger than the server takes");
            }
            params.push(MailParameter::Size(usize::try_from(shape.size).unwrap_or(usize::MAX)));
        }
        if wide || shape.utf8_header {
            if !self.info.supports_feature(Extension::SmtpUtfEight) {
                return Err("an address in it needs SMTPUTF8");
            }
            params.push(MailParameter::SmtpUtfEight);
        }
        if shape.eight_bit {
            if !self.info.supports_feature(Extension::EightBitMime) {
                return Err("its text needs 8BITMIME");
            }
            params.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        Ok(params)
    }

    /// MAIL and one RCPT per address; each refusal is kept.
    fn envelope(&mut self, sender: Option<Address>, recipients: &[Address], params: Vec<MailParameter>) -> Result<()> {
        let reply = self.command(&MailFrom::new(sender, params).to_string())?;
        if reply.code() == 530 {
            return Err(NetError::new(NetErrorKind::LoginRefused, &reply.text()).into());
        }
        self.expect(&reply, 250)?;
        let mut rejected = Vec::new();
        for to in recipients {
            let reply = self.command(&Rcpt::new(to.clone(), Vec::new()).to_string())?;
            match reply.code() {
                250..=252 => {}
                code @ 400..=599 => rejected.push(Rejected {
                    recipient: SafeText::line_max(to.as_ref(), MAX_TEXT),
                    code,
                    text: SafeText::line_max(&reply.text(), MAX_TEXT),
                }),
                code => return Err(self.wire.fail(NetError::protocol(&format!("{code} to a recipient"))).into()),
            }
        }
        // One that is refused for good needs the person; waiting for the others would not help.
        let worst = rejected.iter().map(|r| r.code).max_by_key(|code| *code >= 500);
        let Some(code) = worst else { return Ok(()) };
        let why = if code >= 500 { Why::Never(code) } else { Why::Later(code) };
        Err(SmtpError { why, text: SafeText::line(""), rejected })
    }

    /// Says good-bye; the answer is waited for briefly and does not matter.
    pub fn quit(mut self) {
        self.wire.set_limit(GOODBYE);
        let _ = self.command(&Quit.to_string());
    }
}

/// In base64.
fn encoded(text: &Secret) -> Secret {
    Secret::new(STANDARD.encode(text.expose()))
}
