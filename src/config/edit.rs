//! edit — changes to the configuration file that leave everything else in it, comments too, as the person wrote it.
//! Owns: `NewAccount`, adding and removing an account, writing the file back in one step.
//! May import: base, config.
//! Start reading at: `add`. What was edited is read again and checked before a byte is written.

use super::account::{Tls, is_account_name};
use super::complain::{ConfigError, ConfigErrors, Source};
use super::server_url::ServerUrl;
use super::{Config, KeepBodies};
use crate::base::paths::{private_dir, write_private};
use std::path::{Path, PathBuf};
use toml_edit::{DocumentMut, InlineTable, Item, Table, Value};

/// An account as a form or a command line gives it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NewAccount {
    /// The short name.
    pub name: String,
    /// The mail address; `""` for a local account without one.
    pub address: String,
    /// The person's name, or `""`.
    pub display_name: String,
    /// The login name where it is not the address.
    pub user: Option<String>,
    /// The password command; none: asked at each start.
    pub password_command: Option<String>,
    /// Where mail is.
    pub imap: Option<ServerUrl>,
    /// Where mail is, on this machine.
    pub maildir: Option<PathBuf>,
    /// Where mail goes.
    pub smtp: Option<ServerUrl>,
    /// Mail is delivered to the account's own inbox.
    pub smtp_local: bool,
    /// An extra trust root.
    pub ca_file: Option<PathBuf>,
    /// Which bodies are kept, where it is not the usual.
    pub keep: Option<KeepBodies>,
}

/// Why the file was not changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The file, before or after the change, is no configuration.
    #[error("{0}")]
    Config(#[from] ConfigErrors),
    /// There is one of that name.
    #[error("there is an account `{0}` already")]
    Exists(String),
    /// There is none of that name.
    #[error("there is no account `{0}`")]
    Missing(String),
    /// The name cannot be one.
    #[error("`{0}` is no name for an account: letters, digits, `-`, `_` and `.`")]
    Name(String),
    /// It could not be written.
    #[error("the configuration cannot be written ({0})")]
    Io(#[from] std::io::Error),
}

/// Adds an account to the file, which is made if there is none.
///
/// # Errors
/// As `EditError` says; the file is then as it was.
pub fn add(file: &Path, account: &NewAccount) -> Result<Config, EditError> {
    change(file, |document| insert(document, file, account))?.write()
}

/// What the configuration would be with the account, so that it can be tried before it is saved.
///
/// # Errors
/// As [`add`].
pub fn with(file: &Path, account: &NewAccount) -> Result<Config, EditError> {
    Ok(change(file, |document| insert(document, file, account))?.config)
}

fn insert(document: &mut DocumentMut, file: &Path, account: &NewAccount) -> Result<(), EditError> {
    if !is_account_name(&account.name) {
        return Err(EditError::Name(account.name.clone()));
    }
    let accounts = accounts(document, file)?;
    if accounts.contains_key(&account.name) {
        return Err(EditError::Exists(account.name.clone()));
    }
    accounts.insert(&account.name, Item::Table(block(account)));
    Ok(())
}

/// Removes an account and the comments inside its block.
///
/// # Errors
/// As `EditError` says; the file is then as it was.
pub fn remove(file: &Path, name: &str) -> Result<Config, EditError> {
    change(file, |document| {
        let accounts = accounts(document, file)?;
        accounts.remove(name).map(|_| ()).ok_or_else(|| EditError::Missing(name.to_owned()))
    })?
    .write()
}

/// A changed file, not yet written.
struct Changed {
    real: PathBuf,
    text: String,
    config: Config,
}

impl Changed {
    /// Replaces the file.
    fn write(self) -> Result<Config, EditError> {
        if let Some(folder) = self.real.parent().filter(|f| !f.as_os_str().is_empty() && !f.exists()) {
            private_dir(folder)?;
        }
        write_private(&self.real, self.text.as_bytes())?;
        Ok(self.config)
    }
}

/// Reads, edits and checks the file.
fn change(file: &Path, edit: impl FnOnce(&mut DocumentMut) -> Result<(), EditError>) -> Result<Changed, EditError> {
    // A link (to a folder of dotfiles) stays one: what it names is replaced.
    let real = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    // What is wrong already is said in the words of a load.
    Config::load(&real)?;
    let text = match std::fs::read_to_string(&real) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error.into()),
    };
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        let at = error.span().unwrap_or(0..0);
        ConfigErrors::from(Source::new(file, &text).at(&at, error.message(), "Mend the file first"))
    })?;
    edit(&mut document)?;
    let text = document.to_string();
    let config = Config::parse(&text, file, 0o600)?;
    Ok(Changed { real, text, config })
}

/// The table of all accounts, made without a header of its own if there is none.
fn accounts<'d>(document: &'d mut DocumentMut, file: &Path) -> Result<&'d mut Table, EditError> {
    let item = document.as_table_mut().entry("account").or_insert_with(|| {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    });
    if item.is_inline_table() {
        // `account = { … }` means the same as blocks, but a block cannot be added to it.
        *item = std::mem::take(item).into_table().map_or(Item::None, Item::Table);
    }
    let odd = || ConfigError::whole(file, "`account` is no block", "Write [account.NAME]");
    item.as_table_mut().ok_or_else(|| ConfigErrors::from(odd()).into())
}

/// The account as a block.
fn block(account: &NewAccount) -> Table {
    let mut table = Table::new();
    let mut text = |key: &str, value: &str| {
        table.insert(key, Item::Value(Value::from(value)));
    };
    if !account.address.is_empty() {
        text("address", &account.address);
    }
    if !account.display_name.is_empty() {
        text("name", &account.display_name);
    }
    if let Some(user) = &account.user {
        text("user", user);
    }
    if let Some(dir) = &account.maildir {
        text("maildir", &dir.to_string_lossy());
    }
    if let Some(file) = &account.ca_file {
        text("ca-file", &file.to_string_lossy());
    }
    let mut inline = |key: &str, fields: Vec<(&str, Value)>| {
        table.insert(key, Item::Value(Value::InlineTable(InlineTable::from_iter(fields))));
    };
    match &account.password_command {
        Some(command) => inline("password", vec![("command", command.as_str().into())]),
        None if account.imap.is_some() || account.smtp.is_some() => inline("password", vec![("ask", true.into())]),
        None => {}
    }
    if let Some(imap) = &account.imap {
        inline("imap", server(imap));
    }
    match &account.smtp {
        Some(smtp) => inline("smtp", server(smtp)),
        None if account.smtp_local => inline("smtp", vec![("local", true.into())]),
        None => {}
    }
    match account.keep {
        Some(KeepBodies::All) => inline("keep", vec![("bodies", "all".into())]),
        Some(KeepBodies::None) => inline("keep", vec![("bodies", "none".into())]),
        Some(KeepBodies::For(age)) => inline("keep", vec![("bodies", format!("{}d", age.as_secs() / 86_400).into())]),
        None => {}
    }
    table
}

fn server(url: &ServerUrl) -> Vec<(&'static str, Value)> {
    let mut fields =
        vec![("host", Value::from(url.host.as_str())), ("port", i64::from(url.port).into()), ("tls", url.tls.word().into())];
    if let Some(user) = &url.user {
        fields.push(("user", user.as_str().into()));
    }
    fields
}

impl Tls {
    /// As in the file.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Implicit => "implicit",
            Self::StartTls => "starttls",
            Self::None => "none",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::server_url::Protocol;
    use super::*;
    use std::os::unix::fs::MetadataExt;

    fn work() -> NewAccount {
        NewAccount {
            name: "work".into(),
            address: "ann@example.org".into(),
            display_name: "Ann \"A\" Example".into(),
            password_command: Some("pass show 'mail/work'".into()),
            imap: ServerUrl::parse("imaps://imap.example.org", Protocol::Imap).ok(),
            smtp: ServerUrl::parse("smtp://ann@smtp.example.org", Protocol::Smtp).ok(),
            ca_file: Some("/etc/ca.pem".into()),
            ..NewAccount::default()
        }
    }

    #[test]
    fn comments_and_order_stay() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("c/config.toml");
        std::fs::create_dir(temp.path().join("c")).unwrap();
        let before =
            "# mine\ntheme = \"dark\" # at night\n\n[account.home] # first\nmaildir = \"m\"\n\n[sending]\nhold = \"5s\"\n";
        std::fs::write(&file, before).unwrap();
        let config = add(&file, &work()).unwrap();
        assert_eq!(config.accounts.len(), 2);
        let text = std::fs::read_to_string(&file).unwrap();
        for part in
            ["# mine\ntheme = \"dark\" # at night\n", "[account.home] # first\nmaildir = \"m\"\n", "[sending]\nhold = \"5s\"\n"]
        {
            assert!(text.contains(part), "{text}");
        }
        assert_eq!(std::fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
        assert!(matches!(add(&file, &work()), Err(EditError::Exists(_))));
        remove(&file, "work").unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), before);
        assert!(matches!(remove(&file, "work"), Err(EditError::Missing(_))));
    }

    #[test]
    fn a_first_account_makes_the_file() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("new/config.toml");
        let config = add(&file, &work()).unwrap();
        assert_eq!(config, Config::load(&file).unwrap());
        assert_eq!(config.accounts[0].display_name, "Ann \"A\" Example");
        assert!(std::fs::read_to_string(&file).unwrap().starts_with("[account.work]\n"));
    }

    #[test]
    fn nothing_is_written_into_a_broken_file() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("config.toml");
        std::fs::write(&file, "thme = 1\n").unwrap();
        assert!(matches!(add(&file, &work()), Err(EditError::Config(_))));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "thme = 1\n");
        let bad = NewAccount { address: "no address".into(), ..work() };
        std::fs::write(&file, "").unwrap();
        assert!(add(&file, &bad).is_err());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "");
        assert!(matches!(add(&file, &NewAccount { name: "a b".into(), ..work() }), Err(EditError::Name(_))));
    }

    #[test]
    fn a_link_to_the_file_stays_a_link() {
        let temp = tempfile::tempdir().unwrap();
        let (real, link) = (temp.path().join("dotfiles.toml"), temp.path().join("config.toml"));
        std::fs::write(&real, "# dots\n").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        add(&link, &work()).unwrap();
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(std::fs::read_to_string(&real).unwrap().contains("[account.work]"));
    }
}
