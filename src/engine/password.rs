//! password — where an account's password comes from, each time a connection is opened.
//! Owns: `of`, `Typed`. May import: config, base.
//! Start reading at: `of`. Only a password that the person typed is kept, in memory; all others are asked for anew, so
//! that a changed one is found.

use super::fault::{Fault, Kind, Remedy, Retry};
use crate::base::cancel::Cancel;
use crate::base::child::{self, Command};
use crate::base::gate::{Permit, Reason};
use crate::base::secret::Secret;
use crate::config::{AccountConfig, PasswordSource};
use crate::mail::ids::AccountName;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// A longer password is a mistake: a whole key file, a binary.
const MAX: u64 = 4 * 1024;

/// Passwords that the person entered, by account: in memory only, overwritten when they go.
#[derive(Default)]
pub struct Typed {
    known: Mutex<BTreeMap<AccountName, Secret>>,
    era: AtomicU64,
}

impl Typed {
    /// From now on `secret` is the password of `account`.
    pub fn put(&self, account: &AccountName, secret: Secret) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(account.clone(), secret);
        self.era.fetch_add(1, Ordering::SeqCst);
    }

    /// Changes with each password that is entered.
    #[must_use]
    pub fn era(&self) -> u64 {
        self.era.load(Ordering::SeqCst)
    }

    /// What was entered for `account`.
    #[must_use]
    pub fn get(&self, account: &AccountName) -> Option<Secret> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(account).cloned()
    }

    /// The server refused it: it is asked for again.
    pub fn forget(&self, account: &AccountName) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(account);
    }
}

impl FromIterator<(AccountName, Secret)> for Typed {
    fn from_iter<I: IntoIterator<Item = (AccountName, Secret)>>(entered: I) -> Self {
        Self { known: Mutex::new(entered.into_iter().collect()), era: AtomicU64::new(0) }
    }
}

impl std::fmt::Debug for Typed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Typed(…)")
    }
}

/// What `config` logs in with: nothing where only its certificate is shown. `typed` is what the person entered, if anything.
///
/// # Errors
/// As [`find`].
pub fn of(config: &AccountConfig, typed: Option<&Secret>, cancel: &Cancel) -> Result<Secret, Fault> {
    if !config.auth.wants_secret() {
        return Ok(Secret::new(String::new()));
    }
    find(&config.name, &config.password, typed, cancel)
}

/// The password of `account`. `typed` is what the person entered, if anything: it wins. `cancel` ends a running command.
///
/// # Errors
/// `NoPassword` where the person has to enter it, or the source gave none.
fn find(account: &AccountName, source: &PasswordSource, typed: Option<&Secret>, cancel: &Cancel) -> Result<Secret, Fault> {
    if let Some(typed) = typed {
        return Ok(typed.clone());
    }
    let failed = |what: &str| Fault::new(Kind::NoPassword, what).remedied(Remedy::EnterPassword(account.clone())).of(account);
    let found = match source {
        PasswordSource::Ask => return Err(failed("the password is needed")),
        PasswordSource::Plain(secret) => secret.clone(),
        PasswordSource::Env(name) => {
            let value = std::env::var(name);
            Secret::new(value.map_err(|_| failed(&format!("the password should stand in ${name}, which is not set")))?)
        }
        PasswordSource::File(path) => {
            let complain = |e: std::io::Error| {
                failed(&format!("the password file {} cannot be read", path.display())).because(&e.to_string())
            };
            let mut text = String::new();
            File::open(path).and_then(|f| f.take(MAX + 1).read_to_string(&mut text)).map_err(complain)?;
            let end = text.find('\n').unwrap_or(text.len());
            text.truncate(end);
            if text.ends_with('\r') {
                text.pop();
            }
            Secret::new(text)
        }
        PasswordSource::Command(line) => command(line, cancel, &failed)?,
    };
    // The system takes what it is given: an empty or overlong one would only be hammered at the server.
    match found.expose().len() as u64 {
        0 => Err(failed("the password is empty")),
        n if n > MAX => Err(failed("the password is longer than 4 KiB")),
        _ => Ok(found),
    }
}

fn command(line: &str, cancel: &Cancel, failed: &dyn Fn(&str) -> Fault) -> Result<Secret, Fault> {
    let permit = Permit::ask(Reason::PasswordCommand).map_err(|e| Fault::bug(&e.to_string()))?;
    let done = child::run(permit, &Command::shell(line), cancel).map_err(|e| match e {
        child::ChildError::Cancelled => Fault::new(Kind::Cancelled, "stopped"),
        other => failed("the password command did not work").because(&other.to_string()),
    })?;
    if !done.ok() {
        // What a locked keyring says is for the person; it is not tried again by itself, that could ask again and again.
        return Err(failed(&format!("the password command failed ({})", done.ending()))
            .retrying(Retry::NeedsUser)
            .because(&done.stderr));
    }
    Ok(Secret::new(done.first_line()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(source: &PasswordSource, typed: Option<&str>) -> Result<String, Fault> {
        let typed = typed.map(|t| Secret::new(t.to_owned()));
        let cancel = Cancel::new().unwrap();
        find(&AccountName::new("a"), source, typed.as_ref(), &cancel).map(|s| s.expose().to_owned())
    }

    #[test]
    fn each_source_gives_its_first_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pw");
        std::fs::write(&path, "p w\r\nsecond").unwrap();
        assert_eq!(get(&PasswordSource::File(path), None).unwrap(), "p w");
        assert_eq!(get(&PasswordSource::Command("printf 'x y\\nz'".into()), None).unwrap(), "x y");
        assert_eq!(get(&PasswordSource::Ask, Some("typed")).unwrap(), "typed");
    }

    #[test]
    fn failures_ask_the_person_and_name_no_secret() {
        for source in [
            PasswordSource::Ask,
            PasswordSource::Command("echo secret; echo locked >&2; exit 1".into()),
            PasswordSource::Command("true".into()),
            PasswordSource::Env("POSTRIDER_NO_SUCH_VARIABLE".into()),
            PasswordSource::File("/nonexistent/pw".into()),
        ] {
            let fault = get(&source, None).unwrap_err();
            assert_eq!((fault.kind, fault.retry), (Kind::NoPassword, Retry::NeedsUser), "{source:?}");
            assert!(!format!("{fault:?}").contains("secret"));
        }
    }
}
