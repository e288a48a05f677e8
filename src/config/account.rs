//! account — what an `[account.NAME]` block means: login, identities, what is kept. Its servers are in `server.rs`.
//! Owns: `AccountConfig` and its checks.
//! May import: mail, base, config.
//! Start reading at: `AccountConfig`, then `account` for the rules.

pub use super::auth::{AuthPolicy, Mechanism};
use super::choice;
pub use super::choice::{OfflineRule, Pattern};
use super::client_cert::{self, ClientCert};
use super::mistakes::Mistakes;
use super::password::PasswordSource;
use super::schema::{AccountBlock, IdentityBlock, RolesBlock};
use super::server::{self, Usual};
pub use super::server::{ImapServer, Server, Submission, Tls, is_loopback};
pub use super::values::Age as KeepBodies;
use crate::base::paths::{expand, open_to_others};
use crate::base::safetext::SafeText;
use crate::mail::address::Address;
use crate::mail::ids::AccountName;
use crate::mail::mailbox::{MailboxPath, Role};
use std::collections::BTreeMap;
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

/// Checks all account blocks; the result is in the order of the file, without those in which a mistake was found.
pub(super) fn accounts(
    blocks: BTreeMap<Spanned<String>, AccountBlock>,
    mistakes: &mut Mistakes<'_>,
    mode: u32,
    warnings: &mut Vec<SafeText>,
) -> Vec<AccountConfig> {
    let mut blocks: Vec<_> = blocks.into_iter().collect();
    blocks.sort_by_key(|(name, _)| name.span().start);
    let any = !blocks.is_empty();
    let accounts = blocks.into_iter().filter_map(|(name, block)| account(&name, block, mistakes, mode, warnings)).collect();
    if any && open_to_others(mode) {
        warnings.push(SafeText::line("others on this machine can read the configuration; chmod 600 closes it"));
    }
    accounts
}

/// Checks one block, all of it before it ends.
fn account(
    name: &Spanned<String>,
    block: AccountBlock,
    mistakes: &mut Mistakes<'_>,
    mode: u32,
    warnings: &mut Vec<SafeText>,
) -> Option<AccountConfig> {
    let short = name.get_ref();
    mistakes.account(short);
    if !is_account_name(short) {
        let what = "an account's name is made of letters, digits, `-`, `_` and `.`";
        mistakes.at(&name.span(), what, "Choose a short name, such as [account.work]");
    }
    let has_address = block.address.is_some();
    let address = block.address.as_ref().map_or(Some(String::new()), |a| checked_address(a, mistakes));
    let display_name = block.name.as_ref().map_or(Some(String::new()), |n| checked_name(n, mistakes));
    let user = block.user.or_else(|| address.clone()).unwrap_or_default();
    let usual = Usual { user: &user, fingerprint: server::fingerprint(block.fingerprint.as_ref(), mistakes) };
    let base = mistakes.source().folder().to_owned();
    let kind = match (block.imap, block.maildir) {
        (Some(imap), None) => server::imap(imap, usual, mistakes, warnings).map(AccountKind::Imap),
        (None, Some(dir)) => Some(AccountKind::Maildir(expand(dir.get_ref(), &base))),
        (Some(_), Some(dir)) => {
            mistakes.at(&dir.span(), "an account is either on a server or on this machine", "Keep imap or maildir");
            None
        }
        (None, None) => {
            mistakes.lacks(&name.span(), "the account has no server", "Add imap = { host = \"…\" } or maildir = \"…\"");
            None
        }
    };
    if matches!(kind, Some(AccountKind::Imap(_))) && !has_address {
        mistakes.lacks(&name.span(), "the account has no address", "Add address = \"you@example.org\"");
    }
    let smtp = block.smtp.map_or(Some(Submission::None), |s| server::submission(s, usual, mistakes, warnings));
    let password = match block.password {
        None => PasswordSource::Ask,
        Some(plain) if matches!(plain.get_ref(), PasswordSource::Plain(_)) && open_to_others(mode) => {
            let hint = "Close it with chmod 600, or use password = { command = \"…\" }";
            mistakes.at(&plain.span(), "a password stands in a file that others can read", hint);
            PasswordSource::Ask
        }
        Some(found) => found.into_inner().seen_from(&base, warnings),
    };
    let asked = block.auth.as_ref().map_or(name.span(), Spanned::span);
    let auth = AuthPolicy::checked(block.auth, block.min_auth, mistakes);
    let own = block.signature.map(|path| expand(&path, &base));
    let account_name = display_name.clone().unwrap_or_default();
    let others: Vec<_> = block.identity.into_iter().filter_map(|block| identity(block, &account_name, mistakes)).collect();
    let without = choice::without(block.without, mistakes);
    let (address, display_name, kind, smtp, auth) = (address?, display_name?, kind?, smtp?, auth?);
    let client_cert = client_cert::checked((block.client_cert, block.client_key), (&asked, &auth), (&kind, &smtp), mistakes);
    let mut identities = Vec::new();
    if !address.is_empty() {
        identities.push(Identity { address: Address::new(&display_name, &address), signature: own });
    }
    for more in others {
        match identities.iter_mut().find(|known| known.address.same(&more.address)) {
            Some(known) => *known = more,
            None => identities.push(more),
        }
    }
    Some(AccountConfig {
        name: AccountName::new(short),
        address,
        display_name,
        identities,
        password,
        kind,
        smtp,
        ca_file: block.ca_file.map(|path| expand(&path, &base)),
        client_cert,
        keep: Keep { bodies: block.keep.bodies.unwrap_or(Keep::default().bodies), limit: block.keep.limit.map(|l| l.0) },
        roles: roles(block.roles),
        offline: choice::offline(block.offline),
        watch: block.watch.iter().map(|name| Pattern::new(name)).collect(),
        metered: block.metered,
        without,
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

fn checked_address(text: &Spanned<String>, mistakes: &mut Mistakes<'_>) -> Option<String> {
    let address = text.get_ref();
    if is_address(address) {
        return Some(address.clone());
    }
    let what = format!("`{address}` is no mail address");
    mistakes.at(&text.span(), &what, "Write it as you@example.org, without the name");
    None
}

fn checked_name(text: &Spanned<String>, mistakes: &mut Mistakes<'_>) -> Option<String> {
    if text.get_ref().contains(char::is_control) {
        mistakes.at(&text.span(), "a name is one line of text", "Take out the line breaks and control characters");
        return None;
    }
    Some(text.get_ref().clone())
}

fn identity(block: IdentityBlock, account_name: &str, mistakes: &mut Mistakes<'_>) -> Option<Identity> {
    let address = checked_address(&block.address, mistakes);
    let name = block.name.map_or(Some(account_name.to_owned()), |name| checked_name(&name, mistakes));
    let signature = block.signature.map(|p| expand(&p, mistakes.source().folder()));
    Some(Identity { address: Address::new(&name?, &address?), signature })
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
