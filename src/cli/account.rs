//! account — `postrider account add | list | remove`.
//! Owns: the account form of the command line.
//! May import: config, engine, cli.
//! Start reading at: `add`.

use super::args::{AccountAdd, AccountVerb};
use super::exit::{self, Failure};
use super::output::Out;
use super::{Door, account_find, doctor, prompt};
use crate::config::account::is_address;
use crate::config::edit::{self, NewAccount};
use crate::config::server_url::{Protocol, ServerUrl};
use crate::config::{AccountConfig, AccountKind, Config, PasswordSource, Server, Submission};
use serde_json::{Value, json};
use std::path::Path;

/// Runs the sub-verb.
pub fn run(door: &Door, what: AccountVerb, out: &mut Out) -> Result<u8, Failure> {
    match what {
        AccountVerb::Add(args) => add(door, *args, out),
        AccountVerb::List { json } => list(&door.config()?, json, out),
        AccountVerb::Test { name, json } => doctor::test(door, name.as_deref(), json, out),
        AccountVerb::Remove { name, json } => {
            edit::remove(&door.paths.config, &name)?;
            if json {
                out.json(&json!({"done": "remove", "account": name}))?;
            } else {
                out.line(&format!("{name} is out of the configuration; its mail on the server is untouched"))?;
            }
            Ok(exit::OK)
        }
    }
}

fn list(config: &Config, json: bool, out: &mut Out) -> Result<u8, Failure> {
    if json {
        out.json(&config.accounts.iter().map(row).collect::<Vec<_>>())?;
        return Ok(exit::OK);
    }
    for account in &config.accounts {
        let place = match &account.kind {
            AccountKind::Imap(imap) => format!("{}:{}", imap.server.host, imap.server.port),
            AccountKind::Maildir(dir) => dir.to_string_lossy().into_owned(),
        };
        out.text_line(&format!("{:16} {:32} {place}", account.name.as_str(), account.address))?;
    }
    if config.accounts.is_empty() {
        exit::say("there is no account yet. `postrider account add ADDRESS` adds one");
    }
    Ok(exit::OK)
}

/// An account as JSON; the manual page has an example.
fn row(account: &AccountConfig) -> Value {
    let server = |s: &Server| json!({"host": s.host, "port": s.port, "tls": s.tls.word(), "user": s.user});
    let (kind, imap, maildir) = match &account.kind {
        AccountKind::Imap(imap) => ("imap", server(&imap.server), Value::Null),
        AccountKind::Maildir(dir) => ("maildir", Value::Null, json!(dir.to_string_lossy())),
    };
    let smtp = match &account.smtp {
        Submission::Smtp(smtp) => server(smtp),
        Submission::Local => json!({"local": true}),
        Submission::None => Value::Null,
    };
    let password = match &account.password {
        PasswordSource::Command(_) => "command",
        PasswordSource::Env(_) => "env",
        PasswordSource::File(_) => "file",
        PasswordSource::Ask => "ask",
        PasswordSource::Plain(_) => "plain",
    };
    json!({"name": account.name.as_str(), "address": account.address, "display_name": account.display_name, "kind": kind,
        "imap": imap, "maildir": maildir, "smtp": smtp, "password": password})
}

fn add(door: &Door, args: AccountAdd, out: &mut Out) -> Result<u8, Failure> {
    let config = Config::load(&door.paths.config)?;
    let test = !args.no_test && !door.options.offline;
    let (not_kept, as_json) = (args.password_stdin, args.json);
    let mut steps = Vec::new();
    let password = if args.password_stdin { Some(prompt::first_line()?) } else { None };
    let account = complete(args, &config, door.options.offline)?;
    if test {
        let config = edit::with(&door.paths.config, &account)?;
        let fresh = config.accounts.iter().find(|a| a.name.as_str() == account.name);
        let tried = fresh.map(|fresh| doctor::try_account(door, fresh, password.as_ref(), as_json, out)).transpose()?;
        let (code, rows) = tried.unwrap_or_default();
        steps = rows;
        if code != exit::OK {
            if as_json {
                out.json(&added(door, &account.name, false, &steps))?;
                out.flush()?;
            }
            return Err(Failure::new(code, "the account does not work, so it was not saved", "--no-test saves it all the same"));
        }
    }
    edit::add(&door.paths.config, &account)?;
    if not_kept {
        exit::say("the password is asked at each start; `password` in the configuration can say where it comes from");
    }
    if as_json {
        out.json(&added(door, &account.name, true, &steps))?;
    } else {
        out.text_line(&format!("{} is saved in {}", account.name, door.paths.config.display()))?;
    }
    Ok(exit::OK)
}

/// What became of an account that was to be added, with the steps of its test.
fn added(door: &Door, name: &str, saved: bool, steps: &[Value]) -> Value {
    json!({"done": "add", "account": name, "saved": saved, "path": door.paths.config.to_string_lossy(), "steps": steps})
}

/// The account that the command line, and the person if there is one, describe.
fn complete(args: AccountAdd, config: &Config, offline: bool) -> Result<NewAccount, Failure> {
    let usage = |what: &str, hint: &str| Failure::new(exit::USAGE, what, hint);
    if args.pop3.is_some() {
        return Err(exit::not_built("POP3"));
    }
    let local = args.maildir.is_some();
    let address = match &args.address {
        Some(address) => address.clone(),
        None if local => String::new(),
        None if prompt::somebody() => prompt::ask("Your mail address", "")?,
        None => return Err(usage("an account needs an address", "Write postrider account add ADDRESS")),
    };
    if !(is_address(&address) || local && address.is_empty()) {
        return Err(usage(&format!("`{address}` is no mail address"), "Write it as you@example.org, without the name"));
    }
    let url = |text: Option<&String>, protocol: Protocol| match text {
        Some(text) => ServerUrl::parse(text, protocol).map(Some).map_err(|(what, hint)| usage(&what, &hint)),
        None => Ok(None),
    };
    let (mut imap, mut smtp) = (url(args.imap.as_ref(), Protocol::Imap)?, url(args.smtp.as_ref(), Protocol::Smtp)?);
    if imap.is_none() && !local {
        let (reading, sending) = account_find::servers(&address, &args, offline)?;
        imap = Some(reading);
        smtp = smtp.or(sending);
    }
    let name = args.name.unwrap_or_else(|| short_name(&address, args.maildir.as_deref(), config));
    let mut password_command = args.password_command;
    if password_command.is_none() && !args.password_stdin && !local && prompt::somebody() {
        let answer = prompt::ask("Command that prints the password (empty: ask at each start)", "")?;
        password_command = (!answer.is_empty()).then_some(answer);
    }
    let absolute = |path: std::path::PathBuf| std::path::absolute(&path).unwrap_or(path);
    Ok(NewAccount {
        name,
        address,
        display_name: args.display_name.unwrap_or_default(),
        user: args.user,
        password_command,
        imap,
        smtp,
        smtp_local: false,
        // Written from where the person stands, read from where the file is.
        maildir: args.maildir.map(absolute),
        ca_file: args.ca_file.map(absolute),
        keep: None,
    })
}

/// `example` of ann@mail.example.org, `archive` of ~/Mail/archive; with a number if it is taken.
fn short_name(address: &str, maildir: Option<&Path>, config: &Config) -> String {
    let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
    let labels: Vec<&str> = domain.split('.').collect();
    let label = labels.len().checked_sub(2).and_then(|n| labels.get(n)).or(labels.first()).copied().unwrap_or_default();
    let folder = maildir.and_then(Path::file_name).map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let wish = if label.is_empty() { &folder } else { label };
    let wish: String = wish.to_lowercase().chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    let wish = wish.trim_matches('-');
    let wish = if wish.is_empty() { "mail" } else { wish };
    let taken = |name: &str| config.accounts.iter().any(|a| a.name.as_str() == name);
    (1..).map(|n| if n == 1 { wish.to_owned() } else { format!("{wish}{n}") }).find(|name| !taken(name)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_the_domain_or_the_folder() {
        let none = Config::default();
        assert_eq!(short_name("ann@mail.example.org", None, &none), "example");
        assert_eq!(short_name("ann@localhost", None, &none), "localhost");
        assert_eq!(short_name("", Some(Path::new("/home/ann/Mail/Old Mail")), &none), "oldmail");
        assert_eq!(short_name("", Some(Path::new("/")), &none), "mail");
        let one = Config::parse("[account.example]\nmaildir = \"m\"", Path::new("c"), 0o600).unwrap();
        assert_eq!(short_name("ann@example.org", None, &one), "example2");
    }
}
