//! password — where an account's password comes from, each time a connection is opened.
//! Owns: `of`, `another`, `Typed`. May import: config, base.
//! Start reading at: `of`. Only a password that the person typed is kept, in memory; all others are asked for anew, so
//! that a changed one is found.

use super::fault::{Fault, Kind, Remedy, Retry};
use crate::base::cancel::Cancel;
use crate::base::child::{self, Command};
use crate::base::gate::{Permit, Reason};
use crate::base::log;
use crate::base::secret::Secret;
use crate::config::{AccountConfig, PasswordSource};
use crate::mail::ids::AccountName;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A longer password is a mistake: a whole key file, a binary.
const MAX: u64 = 4 * 1024;
/// In place of a token that the server refused, the source is asked for another once in so long (security T-16).
pub const REFRESH: Duration = Duration::from_secs(60);

/// Passwords that the person entered, by account: in memory only, overwritten when they go. And when a token was refreshed last.
#[derive(Default)]
pub struct Typed {
    known: Mutex<BTreeMap<AccountName, Secret>>,
    era: AtomicU64,
    refreshed: Mutex<BTreeMap<AccountName, Instant>>,
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

    /// Whether the token of `account` may be refreshed at `now`; then it counts as done.
    fn may_refresh(&self, account: &AccountName, now: Instant) -> bool {
        let mut refreshed = self.refreshed.lock().unwrap_or_else(PoisonError::into_inner);
        let may = refreshed.get(account).is_none_or(|last| now.saturating_duration_since(*last) >= REFRESH);
        if may {
            refreshed.insert(account.clone(), now);
        }
        may
    }
}

impl FromIterator<(AccountName, Secret)> for Typed {
    fn from_iter<I: IntoIterator<Item = (AccountName, Secret)>>(entered: I) -> Self {
        Self { known: Mutex::new(entered.into_iter().collect()), ..Self::default() }
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

/// Another token in place of `refused`, which the server did not take: it may have run out on its way. Nothing where the account
/// logs in by a password, which is not told twice, where the person has to give it, where nothing new is to be had, or where one was
/// refreshed just now.
#[must_use]
pub fn another(config: &AccountConfig, refused: &Secret, typed: &Typed, cancel: &Cancel) -> Option<Secret> {
    let asks = matches!(config.password, PasswordSource::Command(_) | PasswordSource::File(_));
    if !config.auth.wants_token() || !asks || !typed.may_refresh(&config.name, Instant::now()) {
        return None;
    }
    match find(&config.name, &config.password, None, cancel) {
        Ok(token) => (token.expose() != refused.expose()).then_some(token),
        Err(fault) => {
            log::info("account", format_args!("{}: no other token: {fault}", config.name));
            None
        }
    }
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

    /// T-16: once a minute for each account.
    #[test]
    fn a_token_is_refreshed_once_a_minute() {
        assert_eq!(REFRESH.as_secs(), 60);
        let (typed, begin) = (Typed::default(), Instant::now());
        let may = |name: &str, seconds: u64| typed.may_refresh(&AccountName::new(name), begin + Duration::from_secs(seconds));
        let asked: Vec<bool> = [0, 1, 59, 60, 100, 119, 120].map(|at| may("a", at)).to_vec();
        assert_eq!(asked, [true, false, false, true, false, false, true]);
        assert!(may("b", 100), "another account's is its own");
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
