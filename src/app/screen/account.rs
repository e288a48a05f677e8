//! account — the form of a new account: what it asks, what it guesses, what the test said.
//! Owns: `Form`, `Trial`; `field` has the questions, `finding` what was found. May import: app, config, engine::api, base.
//! Start reading at: `Form::key`. Servers are found or guessed from the address until the person writes them: everything can be edited.

mod field;
mod finding;

pub use field::Field;
pub use finding::Finding;

use crate::app::input::Line;
use crate::app::key::{Code, Key};
use crate::base::safetext::SafeText;
use crate::config::account::{is_account_name, is_address};
use crate::config::discovery::Consent;
use crate::config::edit::NewAccount;
use crate::config::server_url::{Protocol, ServerUrl};
use crate::config::{Tls, account::is_loopback};
use crate::engine::api::{Fault, Kind, Remedy};
use std::path::PathBuf;

/// How far the test is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Trial {
    /// Nothing was tested.
    #[default]
    None,
    /// It runs.
    Running,
    /// It failed at this step.
    Failed(SafeText, Fault),
    /// The form itself is not complete.
    Incomplete(SafeText),
    /// The person stopped it.
    Stopped,
}

/// The form.
#[derive(Clone, Debug)]
pub struct Form {
    lines: [Line; 12],
    tls: [Tls; 2],
    /// Whether the password is printed by a command; else it is asked at each start.
    pub by_command: bool,
    /// Fields that the person wrote: guesses leave them alone.
    touched: [bool; 12],
    /// Whether a server was not trusted: then the file of an authority is asked for.
    own_authority: bool,
    leaving: bool,
    focus: usize,
    /// What the test said.
    pub trial: Trial,
    /// Names of accounts that there are already.
    taken: Vec<String>,
    search: finding::Search,
}

/// What a key asks of the outside.
#[derive(Debug)]
pub enum Wish {
    /// Nothing.
    None,
    /// Leave the form.
    Leave,
    /// Stop the test that runs.
    Stop,
    /// Test this account, then save it. The password is there where it is to be asked at each start.
    Try(Box<NewAccount>, Option<String>),
}

const fn port(protocol: Protocol, tls: Tls) -> &'static str {
    match (protocol, tls) {
        (Protocol::Smtp, Tls::Implicit) => "465",
        (Protocol::Smtp, _) => "587",
        (_, Tls::Implicit) => "993",
        (_, _) => "143",
    }
}

impl Form {
    /// An empty one.
    #[must_use]
    pub fn new(taken: Vec<String>) -> Self {
        let mut form = Self {
            lines: Default::default(),
            tls: [Tls::Implicit, Tls::Implicit],
            by_command: false,
            touched: [false; 12],
            own_authority: false,
            leaving: false,
            focus: 0,
            trial: Trial::None,
            taken,
            search: finding::Search::default(),
        };
        form.guess();
        form.set_source(false);
        form
    }

    /// The field that is typed into.
    #[must_use]
    pub fn focus(&self) -> Field {
        Field::ALL.get(self.focus).copied().unwrap_or(Field::Address)
    }

    /// What stands in a field.
    #[must_use]
    pub fn line(&self, field: Field) -> &Line {
        let n = field as usize;
        self.lines.get(n).unwrap_or(&self.lines[0])
    }

    fn text(&self, field: Field) -> &str {
        self.line(field).text().trim()
    }

    /// What a field of choices shows.
    #[must_use]
    pub fn choice(&self, field: Field) -> Option<&'static str> {
        match field {
            Field::IncomingTls => Some(tls_words(self.tls[0])),
            Field::OutgoingTls => Some(tls_words(self.tls[1])),
            Field::Source if self.by_command => Some("printed by a command"),
            Field::Source => Some("asked at each start"),
            _ => None,
        }
    }

    /// The fields that are asked for now, from top to bottom.
    pub fn fields(&self) -> impl Iterator<Item = Field> {
        Field::ALL.into_iter().filter(|f| *f != Field::CaFile || self.own_authority)
    }

    /// Whether what stands in a field was guessed: typing replaces it.
    #[must_use]
    pub fn guessed(&self, field: Field) -> bool {
        !self.touched.get(field as usize).copied().unwrap_or(false)
    }

    /// What stands below the form about the field.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        self.focus().hint(self.by_command)
    }

    /// The person wants to go; whether it was said a moment ago already.
    pub const fn second_thought(&mut self) -> bool {
        std::mem::replace(&mut self.leaving, true)
    }

    /// Text that was pasted.
    pub fn paste(&mut self, text: &str) {
        self.edit(true, |line| line.insert(text.trim()));
    }

    /// Changes the line of the field; `anew`: what was only guessed goes first.
    fn edit(&mut self, anew: bool, edit: impl FnOnce(&mut Line)) {
        if self.choice(self.focus()).is_some() {
            return;
        }
        let n = self.focus;
        if let (Some(line), Some(touched)) = (self.lines.get_mut(n), self.touched.get_mut(n)) {
            if anew && !*touched && !line.is_empty() {
                *line = Line::default();
            }
            edit(line);
            *touched = true;
        }
        self.guess();
    }

    /// Puts the cursor into a field.
    pub fn point(&mut self, n: usize) {
        self.focus = n.min(self.fields().count() - 1);
    }

    /// Takes a key.
    pub fn key(&mut self, key: Key) -> Wish {
        if key.code != Code::Esc {
            self.leaving = false;
        }
        match (key.code, key.ctrl) {
            (Code::Esc, _) if self.trial == Trial::Running => {
                self.trial = Trial::Stopped;
                return Wish::Stop;
            }
            (Code::Esc, _) => return Wish::Leave,
            (Code::Enter, _) if self.trial != Trial::Running => {
                let last = matches!(self.focus(), Field::Password | Field::CaFile);
                if last || self.complete().is_ok() && self.focus() != Field::Address {
                    return self.submit();
                }
                self.step(1);
            }
            (Code::Down | Code::Tab, _) | (Code::Char('n'), true) => self.step(1),
            (Code::Up | Code::BackTab, _) | (Code::Char('p'), true) => self.step(-1),
            (Code::Char(' ') | Code::Right | Code::Left, _) if self.choice(self.focus()).is_some() => {
                self.cycle(key.code != Code::Left)
            }
            (code, ctrl) => {
                let typed = matches!(code, Code::Char(_)) && !ctrl && !key.alt;
                self.edit(typed, |line| {
                    line.key(key);
                });
            }
        }
        Wish::None
    }

    fn step(&mut self, by: isize) {
        let count = self.fields().count().cast_signed();
        self.focus = (self.focus.cast_signed() + by).rem_euclid(count).unsigned_abs();
    }

    fn cycle(&mut self, forward: bool) {
        if let Some(touched) = self.touched.get_mut(self.focus) {
            *touched = true;
        }
        match self.focus() {
            Field::IncomingTls => self.cycle_tls(0, forward),
            Field::OutgoingTls => self.cycle_tls(1, forward),
            Field::Source => self.set_source(!self.by_command),
            _ => {}
        }
    }

    fn cycle_tls(&mut self, n: usize, forward: bool) {
        let order = [Tls::Implicit, Tls::StartTls, Tls::None];
        if let Some(tls) = self.tls.get_mut(n) {
            let at = order.iter().position(|t| t == tls).unwrap_or(0);
            let next = (at + if forward { 1 } else { 2 }) % 3;
            *tls = order.get(next).copied().unwrap_or(Tls::Implicit);
        }
        self.guess();
    }

    fn set_source(&mut self, by_command: bool) {
        self.by_command = by_command;
        self.set(Field::Password, if by_command { Line::default() } else { Line::secret() });
    }

    fn set(&mut self, field: Field, line: Line) {
        if let Some(place) = self.lines.get_mut(field as usize) {
            *place = line;
        }
    }

    /// The account, if everything that is needed is there; else the field and what is missing.
    ///
    /// # Errors
    /// The field to go to, and a sentence.
    pub fn complete(&self) -> Result<NewAccount, (Field, String)> {
        let address = self.text(Field::Address);
        if !is_address(address) {
            return Err((Field::Address, format!("`{address}` is no mail address: write name@example.org")));
        }
        let imap = self.server(Protocol::Imap, [Field::Incoming, Field::IncomingPort], self.tls[0])?;
        let smtp = self.server(Protocol::Smtp, [Field::Outgoing, Field::OutgoingPort], self.tls[1])?;
        let command = self.text(Field::Password);
        if self.by_command && command.is_empty() {
            return Err((Field::Password, "which command prints the password?".to_owned()));
        }
        let login = self.text(Field::Login);
        Ok(NewAccount {
            name: self.short_name(address),
            address: address.to_owned(),
            display_name: self.text(Field::Name).to_owned(),
            user: (login != address && !login.is_empty()).then(|| login.to_owned()),
            password_command: self.by_command.then(|| command.to_owned()),
            imap: Some(imap),
            smtp: Some(smtp),
            ca_file: Some(self.text(Field::CaFile)).filter(|f| !f.is_empty()).map(PathBuf::from),
            ..NewAccount::default()
        })
    }

    fn server(&self, protocol: Protocol, fields: [Field; 2], tls: Tls) -> Result<ServerUrl, (Field, String)> {
        let [host_field, port_field] = fields;
        let host = self.text(host_field);
        let odd = |c: char| c.is_whitespace() || c.is_control() || "/?#@[]\"".contains(c);
        if host.is_empty() || host.contains(odd) {
            return Err((host_field, "a server's name is needed here".to_owned()));
        }
        if tls == Tls::None && !is_loopback(host) {
            return Err((host_field, format!("{host} would get your password without encryption")));
        }
        let port = self.text(port_field).parse().ok().filter(|p| *p > 0);
        let port = port.ok_or_else(|| (port_field, "a port is a number between 1 and 65535".to_owned()))?;
        let Some(offered) = self.offered(protocol) else {
            return Ok(ServerUrl { protocol, tls, host: host.to_owned(), port, user: None });
        };
        let consent = if self.search.agreed { Consent::Person } else { Consent::Nobody };
        let wanted = |_| (Field::Password, self.to_agree().unwrap_or_default());
        let url = offered.clone().accepted(protocol, consent).map_err(wanted)?;
        let user = if protocol == Protocol::Smtp { self.outgoing_user() } else { None };
        Ok(ServerUrl { tls, port, user, ..url })
    }

    /// What the account is called: the domain's name, with a number if there is one already.
    fn short_name(&self, address: &str) -> String {
        let domain = address.rsplit_once('@').map_or("", |(_, d)| d);
        let label = domain.split('.').next().unwrap_or_default().to_lowercase();
        let label = if is_account_name(&label) { label } else { "mail".to_owned() };
        let free = |name: &String| !self.taken.contains(name);
        let mut numbered = (2..).map(|n| format!("{label}{n}"));
        Some(label.clone()).filter(free).or_else(|| numbered.find(free)).unwrap_or(label)
    }

    fn submit(&mut self) -> Wish {
        if let Some(what) = self.to_agree() {
            self.search.agreed = true;
            return self.miss(Field::Password, &what);
        }
        match self.complete() {
            Ok(account) => {
                let password = (!self.by_command).then(|| self.line(Field::Password).text().to_owned());
                if password.as_ref().is_some_and(String::is_empty) {
                    return self.miss(Field::Password, "the password is needed for the test");
                }
                self.trial = Trial::Running;
                Wish::Try(Box::new(account), password)
            }
            Err((field, what)) => self.miss(field, &what),
        }
    }

    fn miss(&mut self, field: Field, what: &str) -> Wish {
        self.point(field as usize);
        self.trial = Trial::Incomplete(SafeText::line_max(what, 200));
        Wish::None
    }

    /// The test failed: the cursor goes where the mistake probably is.
    pub fn failed(&mut self, step: SafeText, fault: Fault, outgoing: bool) {
        let untrusted = fault.remedy == Some(Remedy::TrustAuthority);
        self.own_authority |= untrusted;
        let at = match fault.kind {
            _ if untrusted => Field::CaFile,
            Kind::Login | Kind::NoPassword => Field::Password,
            _ if outgoing => Field::Outgoing,
            _ => Field::Incoming,
        };
        self.point(at as usize);
        self.trial = Trial::Failed(step, fault);
        // What was found while the test ran.
        self.guess();
    }
}

const fn tls_words(tls: Tls) -> &'static str {
    match tls {
        Tls::Implicit => "TLS",
        Tls::StartTls => "STARTTLS",
        Tls::None => "none (this machine only)",
    }
}

#[cfg(test)]
pub mod finding_tests;
#[cfg(test)]
mod tests;
