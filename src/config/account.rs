//! account — what an `[account.NAME]` block means: servers, login, identities, what is kept.
//! Owns: `AccountConfig` and its checks.
//! May import: mail, base, config.
//! Start reading at: `AccountConfig`, then `account` for the rules.

pub use super::auth::{AuthPolicy, Mechanism};
use super::choice;
pub use super::choice::{OfflineRule, Pattern};
use super::client_cert::{self, ClientCert};
use super::complain::{ConfigError, Source};
use super::password::PasswordSource;
use super::schema::{AccountBlock, IdentityBlock, ImapBlock, RolesBlock, SmtpBlock};
use super::values;
pub use super::values::Age as KeepBodies;
use crate::base::paths::{expand, open_to_others};
use crate::base::safetext::SafeText;
use crate::mail::address::Address;
use crate::mail::ids::AccountName;
use crate::mail::mailbox::{MailboxPath, Role};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;
use toml::Spanned;

/// One account, checked.
#[derive(Clone, PartialEq, Debug)]
pub struct AccountConfig {
    /// Its short name.
    pub name: AccountName,
    /// Its mail address; `""` for a local account without one.
    pub address: String,
    /// The person's name as recipients see it, or `""`.
    pub display_name: String,
    /// Whom mail can be from: the account's own address first.
    pub identities: Vec<Identity>,
    /// Where the password comes from.
    pub password: PasswordSource,
    /// Where mail is.
    pub kind: AccountKind,
    /// Where mail goes.
    pub smtp: Submission,
    /// An extra trust root, PEM.
    pub ca_file: Option<PathBuf>,
    /// SHA-256 of the one certificate that is accepted.
    pub fingerprint: Option<[u8; 32]>,
    /// What is shown to the servers.
    pub client_cert: Option<ClientCert>,
    /// What stays on this machine.
    pub keep: Keep,
    /// Mailboxes by what they are for, as the person typed their names.
    pub roles: BTreeMap<Role, String>,
    /// Mailboxes of which more or less stays here than `keep` says; the first rule that fits holds.
    pub offline: Vec<OfflineRule>,
    /// Mailboxes that are told of as soon as something changes, beside the inbox, where the server cannot tell of all.
    pub watch: Vec<Pattern>,
    /// The line costs money: nothing is fetched ahead of need but envelopes.
    pub metered: bool,
    /// Extensions of the server that are left unused, in upper case.
    pub without: Vec<String>,
    /// How it may log in.
    pub auth: AuthPolicy,
}

impl AccountConfig {
    /// Whether one of the identities has this address.
    #[must_use]
    pub fn writes_as(&self, address: &str) -> bool {
        self.identities.iter().any(|i| !address.is_empty() && i.address.addr.eq_ignore_ascii_case(address))
    }

    /// Which bodies of a mailbox are fetched ahead of need and kept: what is said of it, else of the account.
    #[must_use]
    pub fn bodies_of(&self, mailbox: &MailboxPath) -> KeepBodies {
        self.offline.iter().find(|rule| rule.mailboxes.names(mailbox)).map_or(self.keep.bodies, |rule| rule.bodies)
    }

    /// Whether a mailbox is one of those that the person wants to be told of at once: the inbox and `watch`.
    #[must_use]
    pub fn watches(&self, mailbox: &MailboxPath) -> bool {
        mailbox.is_inbox() || self.watch.iter().any(|pattern| pattern.names(mailbox))
    }
}

/// An address that the person writes as.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    /// Name and address as they stand in From.
    pub address: Address,
    /// A text file put below what is written.
    pub signature: Option<PathBuf>,
}

/// Where mail is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AccountKind {
    /// On an IMAP server.
    Imap(ImapServer),
    /// In a maildir on this machine.
    Maildir(PathBuf),
}

/// An IMAP server and how it is used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImapServer {
    /// Where, and who logs in.
    pub server: Server,
    /// How many connections at most.
    pub connections: u8,
}

/// Where mail goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Submission {
    /// To a submission server.
    Smtp(Server),
    /// Into the account's own inbox (decisions 24).
    Local,
    /// Nowhere: the account only reads.
    None,
}

/// A server, how the line to it is protected, and who logs in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Server {
    /// A name or an address.
    pub host: String,
    /// Its TCP port.
    pub port: u16,
    /// How the line is protected.
    pub tls: Tls,
    /// The login name.
    pub user: String,
}

impl Server {
    /// Whether the host can only be this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }
}

/// Whether a host, as written, can only be this machine: `localhost`, 127.0.0.0/8, `::1`.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

/// How a line is protected.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// TLS from the first byte (RFC 8314).
    Implicit,
    /// STARTTLS, or no connection.
    StartTls,
    /// Not at all: loopback, or by `allow-plaintext`.
    None,
}

/// What stays on this machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Keep {
    /// Which bodies are fetched ahead of need and kept.
    pub bodies: KeepBodies,
    /// How many bytes of bodies at most.
    pub limit: Option<u64>,
}

impl Default for Keep {
    fn default() -> Self {
        Self { bodies: KeepBodies::For(Duration::from_secs(90 * 86_400)), limit: None }
    }
}

/// Checks all account blocks; the result is in the order of the file.
pub(super) fn accounts(
    blocks: BTreeMap<Spanned<String>, AccountBlock>,
    source: &Source<'_>,
    mode: u32,
    warnings: &mut Vec<SafeText>,
) -> Result<Vec<AccountConfig>, ConfigError> {
    let mut blocks: Vec<_> = blocks.into_iter().collect();
    blocks.sort_by_key(|(name, _)| name.span().start);
    let any = !blocks.is_empty();
    let accounts = blocks.into_iter().map(|(name, block)| account(&name, block, source, mode, warnings)).collect();
    if any && open_to_others(mode) {
        warnings.push(SafeText::line("others on this machine can read the configuration; chmod 600 closes it"));
    }
    accounts
}

/// Checks one block.
fn account(
    name: &Spanned<String>,
    block: AccountBlock,
    source: &Source<'_>,
    mode: u32,
    warnings: &mut Vec<SafeText>,
) -> Result<AccountConfig, ConfigError> {
    let at_name = |what: &str, hint: &str| source.at(&name.span(), what, hint);
    let short = name.get_ref();
    if !is_account_name(short) {
        return Err(at_name(
            "an account's name is made of letters, digits, `-`, `_` and `.`",
            "Choose a short name, such as [account.work]",
        ));
    }
    let address = block.address.as_ref().map(|a| checked_address(a, source)).transpose()?.unwrap_or_default();
    let display_name = block.name.as_ref().map(|n| checked_name(n, source)).transpose()?.unwrap_or_default();
    let user = block.user.unwrap_or_else(|| address.clone());
    let base = source.folder();
    let kind = match (block.imap, block.maildir) {
        (Some(imap), None) => AccountKind::Imap(imap_server(imap, &user, source, warnings)?),
        (None, Some(dir)) => AccountKind::Maildir(expand(dir.get_ref(), base)),
        (Some(_), Some(dir)) => {
            return Err(source.at(&dir.span(), "an account is either on a server or on this machine", "Keep imap or maildir"));
        }
        (None, None) => return Err(at_name("the account has no server", "Add imap = { host = \"…\" } or maildir = \"…\"")),
    };
    if matches!(kind, AccountKind::Imap(_)) && address.is_empty() {
        return Err(at_name("the account has no address", "Add address = \"you@example.org\""));
    }
    let smtp = block.smtp.map_or(Ok(Submission::None), |s| submission(s, &user, source, warnings))?;
    let password = match block.password {
        None => PasswordSource::Ask,
        Some(plain) if matches!(plain.get_ref(), PasswordSource::Plain(_)) && open_to_others(mode) => {
            let hint = "Close it with chmod 600, or use password = { command = \"…\" }";
            return Err(source.at(&plain.span(), "a password stands in a file that others can read", hint));
        }
        Some(found) => found.into_inner().seen_from(base, warnings),
    };
    let fingerprint = match &block.fingerprint {
        None => None,
        Some(text) => Some(values::fingerprint(text.get_ref()).ok_or_else(|| {
            source.at(
                &text.span(),
                "this is no fingerprint",
                "Write sha256: and 64 hexadecimal digits, as `postrider doctor` shows it",
            )
        })?),
    };
    let asked = block.auth.as_ref().map_or(name.span(), Spanned::span);
    let auth = AuthPolicy::checked(block.auth, block.min_auth, source)?;
    let client_cert = client_cert::checked((block.client_cert, block.client_key), (&asked, &auth), (&kind, &smtp), source)?;
    let mut identities = Vec::new();
    if !address.is_empty() {
        let own = block.signature.map(|path| expand(&path, base));
        identities.push(Identity { address: Address::new(&display_name, &address), signature: own });
    }
    for block in block.identity {
        let more = identity(block, &display_name, source)?;
        match identities.iter_mut().find(|known| known.address.same(&more.address)) {
            Some(known) => *known = more,
            None => identities.push(more),
        }
    }
    Ok(AccountConfig {
        name: AccountName::new(short),
        address,
        display_name,
        identities,
        password,
        kind,
        smtp,
        ca_file: block.ca_file.map(|path| expand(&path, base)),
        fingerprint,
        client_cert,
        keep: Keep { bodies: block.keep.bodies.unwrap_or(Keep::default().bodies), limit: block.keep.limit.map(|l| l.0) },
        roles: roles(block.roles),
        offline: choice::offline(block.offline),
        watch: block.watch.iter().map(|name| Pattern::new(name)).collect(),
        metered: block.metered,
        without: choice::without(block.without, source)?,
        auth,
    })
}

/// Whether `name` can be an account's short name: it stands in files, on command lines and in search queries.
#[must_use]
pub fn is_account_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
}

/// Whether this can stand in From and in MAIL FROM: one `@`, no space, no control character, no bracket.
#[must_use]
pub fn is_address(text: &str) -> bool {
    let odd = |c: char| c.is_whitespace() || c.is_control() || "<>\"(),;:\\".contains(c);
    let parts = text.rsplit_once('@');
    parts.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !local.contains('@'))
        && !text.contains(odd)
        && text.len() <= 254
}

fn checked_address(text: &Spanned<String>, source: &Source<'_>) -> Result<String, ConfigError> {
    let address = text.get_ref();
    if is_address(address) {
        return Ok(address.clone());
    }
    Err(source.at(&text.span(), &format!("`{address}` is no mail address"), "Write it as you@example.org, without the name"))
}

fn checked_name(text: &Spanned<String>, source: &Source<'_>) -> Result<String, ConfigError> {
    if text.get_ref().contains(char::is_control) {
        return Err(source.at(&text.span(), "a name is one line of text", "Take out the line breaks and control characters"));
    }
    Ok(text.get_ref().clone())
}

fn identity(block: IdentityBlock, account_name: &str, source: &Source<'_>) -> Result<Identity, ConfigError> {
    let address = checked_address(&block.address, source)?;
    let name = block.name.map_or(Ok(account_name.to_owned()), |name| checked_name(&name, source))?;
    Ok(Identity { address: Address::new(&name, &address), signature: block.signature.map(|p| expand(&p, source.folder())) })
}

fn imap_server(
    block: Spanned<ImapBlock>,
    user: &str,
    source: &Source<'_>,
    warnings: &mut Vec<SafeText>,
) -> Result<ImapServer, ConfigError> {
    let span = block.span();
    let block = block.into_inner();
    let tls = block.tls.unwrap_or(if block.port == Some(143) { Tls::StartTls } else { Tls::Implicit });
    let port = block.port.unwrap_or(if tls == Tls::Implicit { 993 } else { 143 });
    let server = Server { host: block.host, port, tls, user: block.user.unwrap_or_else(|| user.to_owned()) };
    protected(&server, block.allow_plaintext, &span, source, warnings)?;
    match block.connections.unwrap_or(2) {
        0 => Err(source.at(&span, "an account needs a connection", "Set connections to 1 or more")),
        connections => Ok(ImapServer { server, connections }),
    }
}

fn submission(
    block: Spanned<SmtpBlock>,
    user: &str,
    source: &Source<'_>,
    warnings: &mut Vec<SafeText>,
) -> Result<Submission, ConfigError> {
    let span = block.span();
    let block = block.into_inner();
    let host = match (block.local, block.host) {
        (true, None) => return Ok(Submission::Local),
        (false, Some(host)) => host,
        _ => return Err(source.at(&span, "mail goes to one place", "Write host = \"…\" or local = true")),
    };
    let tls = block.tls.unwrap_or(if matches!(block.port, Some(587 | 25)) { Tls::StartTls } else { Tls::Implicit });
    let port = block.port.unwrap_or(if tls == Tls::Implicit { 465 } else { 587 });
    let server = Server { host, port, tls, user: block.user.unwrap_or_else(|| user.to_owned()) };
    protected(&server, block.allow_plaintext, &span, source, warnings)?;
    Ok(Submission::Smtp(server))
}

/// Refuses a line without encryption that leaves this machine, unless the person insisted.
fn protected(
    server: &Server,
    allowed: bool,
    span: &std::ops::Range<usize>,
    source: &Source<'_>,
    warnings: &mut Vec<SafeText>,
) -> Result<(), ConfigError> {
    if server.host.is_empty() || server.host.contains(|c: char| c.is_whitespace() || c.is_control() || c == '/') {
        return Err(source.at(span, "the host is no name of a server", "Write host = \"imap.example.org\""));
    }
    if server.port == 0 {
        return Err(source.at(span, "port 0 is no port", "Leave it out for the usual one"));
    }
    if server.tls != Tls::None || server.is_loopback() {
        return Ok(());
    }
    if !allowed {
        let what = format!("`{}` would get your password without encryption", server.host);
        return Err(source.at(span, &what, "Use tls = \"implicit\" or \"starttls\"; or insist with allow-plaintext = true"));
    }
    warnings.push(SafeText::line(&format!("mail and password go to {} without encryption", server.host)));
    Ok(())
}

fn roles(block: RolesBlock) -> BTreeMap<Role, String> {
    [
        (Role::Drafts, block.drafts),
        (Role::Sent, block.sent),
        (Role::Archive, block.archive),
        (Role::Junk, block.junk),
        (Role::Trash, block.trash),
        (Role::All, block.all),
        (Role::Flagged, block.flagged),
    ]
    .into_iter()
    .filter_map(|(role, name)| Some((role, name?)))
    .collect()
}
