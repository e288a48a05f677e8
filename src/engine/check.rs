//! check — an account tried step by step, as `account test`, `doctor` and the account form do.
//! Owns: `Step`, `Verdict`, `account`. May import: config, net, base, and the engine's own.
//! Start reading at: `account`. One connection to each server tells of all its steps: how it failed says how far it came.
//! Nothing is submitted, no mailbox is opened, nothing is written.

use super::check_more;
use super::connect::{self, endpoint, host, login, permit};
use super::fault::{Fault, Kind};
use super::password;
use super::translate;
use crate::base::cancel::Cancel;
use crate::base::gate::Reason;
use crate::base::safetext::SafeText;
use crate::base::secret::Secret;
use crate::base::waker::Waker;
use crate::config::{AccountConfig, AccountKind, PasswordSource, Server, Submission};
use crate::net::dial;
use crate::net::error::{NetError, NetErrorKind};
use crate::net::imap::ImapStore;
use crate::net::local::LocalStore;
use crate::net::probe::Before;
use crate::net::session::{Endpoint, MailStore, TlsMode};
use crate::net::smtp::{Smtp, SmtpError, Why};
use crate::net::trace;
use crate::net::wire::Wire;
use std::net::IpAddr;
use std::time::Instant;

/// How a step ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It works, but somebody should look at it.
    Warn,
    /// It does not work.
    Fail,
    /// Not tried, because an earlier one failed.
    Skipped,
}

impl Verdict {
    /// As in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Skipped => "skipped",
        }
    }
}

/// One step.
#[derive(Clone, PartialEq, Debug)]
pub struct Step {
    /// Which: a word that stays the same.
    pub name: &'static str,
    /// How it ended.
    pub verdict: Verdict,
    /// What was found, in a sentence without a full stop.
    pub what: SafeText,
    /// Why it failed; the remedy is in it.
    pub fault: Option<Fault>,
    /// How long it took, or all steps of this server that far.
    pub seconds: f64,
}

/// The steps to a server, in order (interface.md: TCP, TLS, greeting, capabilities, login, mailboxes).
const IMAP: [&str; 6] = ["connection", "encryption", "greeting", "capabilities", "login", "mailboxes"];
const SMTP: [&str; 4] = ["submission connection", "submission encryption", "submission greeting", "submission login"];
/// So many columns of a list of capabilities are told: no server needs them, and a script misses none.
const CAPABILITIES: usize = 8_192;

/// Tries `config`. `typed` is a password that the person entered. Each step is told as soon as it is known.
pub fn account(config: &AccountConfig, typed: Option<&Secret>, cancel: &Cancel, tell: &mut dyn FnMut(Step)) {
    steps(Trial { config, cancel, tell, now: None }, typed);
}

/// As [`account`], and looks at certificates, extensions, room and rights too. `now` is in seconds since 1970.
pub fn thorough(config: &AccountConfig, typed: Option<&Secret>, cancel: &Cancel, now: i64, tell: &mut dyn FnMut(Step)) {
    steps(Trial { config, cancel, tell, now: Some(now) }, typed);
}

/// Runs `work`, and gives `sink` each line that is said on its connections meanwhile; secrets are left out.
pub fn recorded<T>(sink: trace::Sink, work: impl FnOnce() -> T) -> T {
    trace::record(sink, work)
}

fn steps(mut trial: Trial<'_>, typed: Option<&Secret>) {
    let (config, cancel) = (trial.config, trial.cancel);
    let secret = match is_remote(config).then(|| password::of(config, typed, cancel)) {
        None => None,
        Some(Ok(secret)) => {
            if needs_password(config) {
                trial.passed("password", source(&config.password), Instant::now());
            }
            Some(secret)
        }
        Some(Err(fault)) => {
            trial.failed("password", fault, Instant::now());
            None
        }
    };
    match &config.kind {
        AccountKind::Imap(imap) => trial.imap(&imap.server, secret.as_ref()),
        AccountKind::Maildir(dir) => {
            let begin = Instant::now();
            let listed = Waker::new().map_err(NetError::from).and_then(|waker| {
                let mut store = LocalStore::open(dir, &waker, cancel)?;
                Ok(store.list()?.len())
            });
            match listed {
                Ok(count) => trial.passed("mailboxes", &format!("{count} in {}", dir.display()), begin),
                Err(error) => trial.failed("mailboxes", translate::net(&error, &host(config), &config.name), begin),
            }
        }
    }
    match &config.smtp {
        Submission::Smtp(server) => trial.smtp(server, secret.as_ref()),
        Submission::Local => trial.passed("submission", "into the account's own inbox", Instant::now()),
        Submission::None => {
            let what = SafeText::of("this account has no smtp server, so it only reads");
            (trial.tell)(Step { name: "submission", verdict: Verdict::Warn, what, fault: None, seconds: 0.0 });
        }
    }
}

const fn is_remote(config: &AccountConfig) -> bool {
    matches!(config.kind, AccountKind::Imap(_)) || matches!(config.smtp, Submission::Smtp(_))
}

/// Whether a server of the account wants one.
#[must_use]
pub fn needs_password(config: &AccountConfig) -> bool {
    is_remote(config) && config.auth.wants_secret()
}

/// Where the password came from, in words.
const fn source(from: &PasswordSource) -> &'static str {
    match from {
        PasswordSource::Command(_) => "its command printed one",
        PasswordSource::Env(_) => "its variable is set",
        PasswordSource::File(_) => "its file has one",
        PasswordSource::Ask => "it was entered",
        PasswordSource::Plain(_) => "it stands in the configuration",
    }
}

struct Trial<'a> {
    config: &'a AccountConfig,
    cancel: &'a Cancel,
    tell: &'a mut dyn FnMut(Step),
    /// The time, if more is to be looked at than whether it works.
    now: Option<i64>,
}

impl Trial<'_> {
    fn passed(&mut self, name: &'static str, what: &str, begin: Instant) {
        let what = SafeText::line_max(what, 300);
        (self.tell)(Step { name, verdict: Verdict::Ok, what, fault: None, seconds: begin.elapsed().as_secs_f64() });
    }

    fn failed(&mut self, name: &'static str, fault: Fault, begin: Instant) {
        let what = fault.what.clone();
        (self.tell)(Step { name, verdict: Verdict::Fail, what, fault: Some(fault), seconds: begin.elapsed().as_secs_f64() });
    }

    /// All steps before `at` passed, `at` failed if there is a fault, the rest was not tried.
    fn broke(&mut self, steps: &[&'static str], at: usize, server: &Server, fault: Option<Fault>, begin: Instant) {
        let (passed, rest) = steps.split_at(at.min(steps.len()));
        for name in passed {
            self.passed(name, &found(server, name), begin);
        }
        let mut rest = rest.iter();
        if let (Some(fault), Some(name)) = (fault, rest.clone().next()) {
            rest.next();
            self.failed(name, fault, begin);
        }
        for name in rest {
            (self.tell)(Step { name, verdict: Verdict::Skipped, what: SafeText::of("not tried"), fault: None, seconds: 0.0 });
        }
    }

    /// As [`Self::broke`], and where a connection was made the server's certificates are looked at behind that step.
    fn met(
        &mut self,
        steps: &[&'static str],
        at: usize,
        endpoint: &Endpoint,
        server: &Server,
        fault: Option<Fault>,
        begin: Instant,
    ) {
        let (Some(now), true) = (self.now, at > 0) else { return self.broke(steps, at, server, fault, begin) };
        let (connection, rest) = steps.split_at(1);
        self.broke(connection, 1, server, None, begin);
        let before = if steps.first() == SMTP.first() { Before::Smtp } else { Before::Imap };
        check_more::certificates(endpoint, before, now, self.cancel, self.tell);
        self.broke(rest, at - 1, server, fault, begin);
    }

    /// Without a password: whether somebody is there, and with implicit TLS who.
    fn reach(&mut self, steps: &[&'static str], server: &Server, endpoint: &Endpoint) {
        let begin = Instant::now();
        let met = permit(Reason::MailServer).and_then(|permit| {
            let waker = Waker::new().map_err(|e| self.net(&e.into(), server))?;
            Wire::connect(permit, endpoint, &waker, self.cancel).map(drop).map_err(|e| self.net(&e, server))
        });
        match met {
            Ok(()) => {
                let at = if endpoint.tls == TlsMode::Implicit { 2 } else { 1 };
                self.met(steps, at, endpoint, server, None, begin);
            }
            Err(fault) => {
                let at = usize::from(fault.kind == Kind::Tls);
                self.met(steps, at, endpoint, server, Some(fault), begin);
            }
        }
    }

    fn net(&self, error: &NetError, server: &Server) -> Fault {
        connect::fault(error, server, self.config)
    }

    /// Whether the server has an address. Where its name is looked at by itself, that is step `name`.
    fn is_known(&mut self, name: &'static str, server: &Server) -> bool {
        if self.now.is_none() || server.host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() {
            return true;
        }
        let begin = Instant::now();
        let found = permit(Reason::MailServer)
            .and_then(|permit| dial::addresses(permit, &server.host, self.cancel).map_err(|e| self.net(&e, server)));
        match found {
            Ok(all) => {
                let all: Vec<String> = all.iter().map(ToString::to_string).collect();
                self.passed(name, &format!("{} is {}", server.host, all.join(", ")), begin);
                true
            }
            Err(fault) => {
                self.failed(name, fault, begin);
                false
            }
        }
    }

    fn imap(&mut self, server: &Server, secret: Option<&Secret>) {
        let begin = Instant::now();
        let endpoint = endpoint(self.config, server);
        if !self.is_known("dns", server) {
            return self.broke(&IMAP, 0, server, None, begin);
        }
        let Some(secret) = secret else { return self.reach(&IMAP, server, &endpoint) };
        let mut store = match self.open_imap(&endpoint, server, secret) {
            Ok(store) => store,
            Err((at, fault)) => return self.met(&IMAP, at, &endpoint, server, Some(fault), begin),
        };
        let (door, _) = IMAP.split_at(3);
        self.met(door, door.len(), &endpoint, server, None, begin);
        let (what, seconds) = (SafeText::line_max(&store.words().join(" "), CAPABILITIES), begin.elapsed().as_secs_f64());
        (self.tell)(Step { name: "capabilities", verdict: Verdict::Ok, what, fault: None, seconds });
        self.passed("login", &format!("as {}", server.user), begin);
        let begin = Instant::now();
        match store.list() {
            Ok(all) => self.passed("mailboxes", &format!("{} there", all.len()), begin),
            Err(error) => self.failed("mailboxes", self.net(&error, server), begin),
        }
        if self.now.is_some() {
            check_more::served(&mut store, &self.config.without, self.tell);
        }
        store.logout();
    }

    fn open_imap(&self, endpoint: &Endpoint, server: &Server, secret: &Secret) -> Result<ImapStore, (usize, Fault)> {
        let permit = permit(Reason::MailServer).map_err(|fault| (0, fault))?;
        let waker = Waker::new().map_err(|e| (0, self.net(&e.into(), server)))?;
        let login = login(self.config, server, secret);
        ImapStore::open(permit, endpoint, &login, &waker, self.cancel).map_err(|e| (stage(&e.kind, &IMAP), self.net(&e, server)))
    }

    fn smtp(&mut self, server: &Server, secret: Option<&Secret>) {
        let begin = Instant::now();
        let endpoint = endpoint(self.config, server);
        if !self.is_known("submission dns", server) {
            return self.broke(&SMTP, 0, server, None, begin);
        }
        let Some(secret) = secret else { return self.reach(&SMTP, server, &endpoint) };
        let login = login(self.config, server, secret);
        let opened = permit(Reason::MailServer)
            .map_err(|fault| (0, fault))
            .and_then(|permit| Smtp::open(permit, &endpoint, Some(&login), self.cancel).map_err(|e| self.refused(&e, server)));
        match opened {
            Ok(smtp) => {
                let (door, _) = SMTP.split_at(3);
                self.met(door, door.len(), &endpoint, server, None, begin);
                self.passed("submission login", &format!("as {}", server.user), begin);
                smtp.quit();
            }
            Err((at, fault)) => self.met(&SMTP, at, &endpoint, server, Some(fault), begin),
        }
    }

    fn refused(&self, error: &SmtpError, server: &Server) -> (usize, Fault) {
        let kind = match &error.why {
            Why::Net(kind) => kind.clone(),
            _ => NetErrorKind::No { code: String::new() },
        };
        (stage(&kind, &SMTP), self.net(&NetError { kind, text: error.text.clone() }, server))
    }
}

/// How far a connection came that ended like this: the place in `steps` of the step that failed.
fn stage(kind: &NetErrorKind, steps: &[&str]) -> usize {
    match kind {
        NetErrorKind::Unreachable | NetErrorKind::Timeout | NetErrorKind::Io(_) | NetErrorKind::Cancelled => 0,
        NetErrorKind::Tls(_) => 1,
        NetErrorKind::Bye | NetErrorKind::Protocol | NetErrorKind::Limit => 2,
        NetErrorKind::LoginRefused | NetErrorKind::No { .. } | NetErrorKind::Bad => {
            steps.iter().position(|name| name.ends_with("login")).unwrap_or(steps.len())
        }
    }
}

/// What a step that passed found.
fn found(server: &Server, step: &str) -> String {
    match step.trim_start_matches("submission ") {
        "connection" => format!("{} port {}", server.host, server.port),
        "encryption" if server.tls == crate::config::Tls::None => "none, and none is wanted".to_owned(),
        "encryption" => "TLS 1.2 or newer; the certificate is valid for this host".to_owned(),
        "greeting" => "the server said hello".to_owned(),
        _ => "the server said what it can do; all of it is known after a login".to_owned(),
    }
}
