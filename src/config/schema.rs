//! schema — what the configuration file may hold, word for word. Anything else is an error with its place.
//! Owns: the serde shapes of every block of the contract. They mean nothing yet: `account.rs` and `mod.rs` check them.
//! May import: base, config.
//! Start reading at: `File`.

use super::account::Tls;
use super::password::PasswordSource;
use super::values::{Age, ByteCount, Count, Port, Span};
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

/// The whole file.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// A file name in `themes/`, without its ending.
    pub theme: Option<String>,
    /// How mail is shown.
    #[serde(default)]
    pub reading: ReadingBlock,
    /// How mail is sent.
    #[serde(default)]
    pub sending: SendingBlock,
    /// Saved searches: name and query.
    #[serde(default)]
    pub searches: BTreeMap<String, String>,
    /// Context, then key, then command.
    #[serde(default)]
    pub keys: BTreeMap<Spanned<String>, BTreeMap<Spanned<String>, String>>,
    /// By short name.
    #[serde(default)]
    pub account: BTreeMap<Spanned<String>, AccountBlock>,
}

/// `[reading]`
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ReadingBlock {
    /// `"2s"`, or `"never"`.
    pub mark_read_after: Option<Span>,
    /// `"plain"` or `"html"`.
    pub prefer: Option<super::Prefer>,
    /// Whether lists start as conversations.
    pub threads: Option<bool>,
    /// `"bell"`, `"desktop"`, both or none.
    pub notify: Option<Vec<super::Notify>>,
    /// `"never"`: said so that one knows.
    #[serde(rename = "remote-content")]
    pub _remote_content: Option<RemoteContent>,
}

/// There is no other value yet.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RemoteContent {
    /// Nothing is fetched to show a mail.
    Never,
}

/// `[sending]`
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct SendingBlock {
    /// `"10s"`
    pub hold: Option<Span>,
}

/// `[account.NAME]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AccountBlock {
    /// The mail address; a local account may go without.
    pub address: Option<Spanned<String>>,
    /// The person's name as recipients see it.
    pub name: Option<Spanned<String>>,
    /// The login name where it is not the address.
    pub user: Option<String>,
    /// Where the password comes from; none: it is asked for.
    pub password: Option<Spanned<PasswordSource>>,
    /// Where mail is.
    pub imap: Option<Spanned<ImapBlock>>,
    /// Where mail goes.
    pub smtp: Option<Spanned<SmtpBlock>>,
    /// Where mail is, on this machine.
    pub maildir: Option<Spanned<String>>,
    /// An extra trust root, PEM.
    pub ca_file: Option<String>,
    /// `sha256:…` of the one certificate that is accepted from a server that has none of its own.
    pub fingerprint: Option<Spanned<String>>,
    /// The certificate that is shown to the servers, PEM.
    pub client_cert: Option<Spanned<String>>,
    /// Its key; the same file if nothing is said.
    pub client_key: Option<Spanned<String>>,
    /// What is kept on this machine.
    #[serde(default)]
    pub keep: KeepBlock,
    /// Which mailbox is for what, where the server does not say.
    #[serde(default)]
    pub roles: RolesBlock,
    /// By mailbox, with `*`: `"90d"`, `"all"` or `"none"`.
    #[serde(default)]
    pub offline: BTreeMap<String, Age>,
    /// Mailboxes beside the inbox, with `*`.
    #[serde(default)]
    pub watch: Vec<String>,
    /// Whether the line costs money.
    #[serde(default)]
    pub metered: bool,
    /// Extensions that are left unused.
    #[serde(default)]
    pub without: Vec<Spanned<String>>,
    /// The ways of logging in that are allowed.
    pub auth: Option<Spanned<Vec<Spanned<String>>>>,
    /// The weakest of them.
    pub min_auth: Option<Spanned<String>>,
    /// A text file put below what is written.
    pub signature: Option<String>,
    /// More addresses of the same person.
    #[serde(default)]
    pub identity: Vec<IdentityBlock>,
}

/// `imap = { … }`
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ImapBlock {
    /// Name or address.
    pub host: String,
    /// 993 with implicit TLS, else 143.
    pub port: Option<Port>,
    /// Implicit if nothing is said.
    pub tls: Option<Tls>,
    /// The login name of this server alone.
    pub user: Option<String>,
    /// `sha256:…` of the one certificate that is accepted at this host and port.
    pub fingerprint: Option<Spanned<String>>,
    /// How many at most; 2 if nothing is said.
    pub connections: Option<Count>,
    /// Lets `tls = "none"` leave this machine.
    #[serde(default)]
    pub allow_plaintext: bool,
}

/// `smtp = { … }`
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SmtpBlock {
    /// Name or address.
    pub host: Option<String>,
    /// 465 with implicit TLS, else 587.
    pub port: Option<Port>,
    /// Implicit if nothing is said, STARTTLS on port 587.
    pub tls: Option<Tls>,
    /// The login name of this server alone.
    pub user: Option<String>,
    /// `sha256:…` of the one certificate that is accepted at this host and port.
    pub fingerprint: Option<Spanned<String>>,
    /// Lets `tls = "none"` leave this machine.
    #[serde(default)]
    pub allow_plaintext: bool,
    /// Delivers to the account's own inbox (decisions 24).
    #[serde(default)]
    pub local: bool,
}

/// `keep = { … }`
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct KeepBlock {
    /// `"90d"`, `"all"` or `"none"`.
    pub bodies: Option<Age>,
    /// `"4G"`
    pub limit: Option<ByteCount>,
}

/// `roles = { … }`
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct RolesBlock {
    pub drafts: Option<String>,
    pub sent: Option<String>,
    pub archive: Option<String>,
    pub junk: Option<String>,
    pub trash: Option<String>,
    pub all: Option<String>,
    pub flagged: Option<String>,
}

/// `[[account.NAME.identity]]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityBlock {
    /// The other address.
    pub address: Spanned<String>,
    /// The name with it; the account's if nothing is said.
    pub name: Option<Spanned<String>>,
    /// A text file put below what is written under this address.
    pub signature: Option<String>,
}
