//! doctor — `postrider doctor` and `account test`: step by step, what works and what to do about what does not.
//! Owns: the steps before any server, how steps are printed. May import: engine::check, config, base, cli.
//! Start reading at: `run`. The exit code is that of the first step that failed (decisions 29).

use super::Door;
use super::exit::{self, Failure};
use super::mail_args::Doctor;
use super::output::Out;
use super::prompt;
use super::session::{no_account, no_such_account};
use crate::app::words::plural;
use crate::base::cancel::Cancel;
use crate::base::clock::{Clock, System};
use crate::base::safetext::SafeText;
use crate::base::secret::Secret;
use crate::config::{AccountConfig, PasswordSource};
use crate::engine::check::{self, Step, Verdict};
use crate::engine::check_files::own_files;
use crate::engine::trouble;
use crate::mail::ids::AccountName;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::rc::Rc;

/// `postrider doctor`
pub fn run(door: &Door, args: &Doctor, out: &mut Out) -> Result<u8, Failure> {
    let config = door.config()?;
    let accounts = chosen(&config.accounts, args.account.as_deref())?;
    let transcript = args.transcript.as_ref().map(|path| transcript(path)).transpose()?;
    let mut sheet = Sheet::new(args.json, out);
    let what = format!("{} with {}", door.paths.config.display(), plural(config.accounts.len() as u64, "account", "accounts"));
    sheet.add("", plain("configuration", Verdict::Ok, &what))?;
    for warning in &config.warnings {
        sheet.add("", plain("configuration", Verdict::Warn, warning.as_str()))?;
    }
    for folder in [&door.paths.data, &door.paths.state] {
        sheet.add("", folder_step(folder))?;
    }
    for step in own_files(&door.paths.data) {
        sheet.add("", step)?;
    }
    let names: Vec<AccountName> = accounts.iter().map(|a| a.name.clone()).collect();
    for (account, step) in trouble::steps(&door.paths.data, &names) {
        sheet.add(account.as_str(), step)?;
    }
    let mut look = || accounts_steps(door, &accounts, None, true, &mut sheet);
    match transcript {
        None => look()?,
        Some(mut file) => {
            let broken = Rc::new(RefCell::new(None));
            let told = Rc::clone(&broken);
            let sink = move |line: &SafeText| {
                if let Err(error) = writeln!(file, "{line}") {
                    told.replace(Some(error));
                }
            };
            check::recorded(Box::new(sink), look)?;
            if let Some(error) = broken.take() {
                return Err(Failure::new(exit::CANNOT_WRITE, &format!("the transcript could not be written ({error})"), ""));
            }
        }
    }
    Ok(sheet.end()?)
}

/// A new file that only its owner reads: addresses are in it, though no secret.
fn transcript(path: &Path) -> Result<File, Failure> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    made.map_err(|error| {
        Failure::new(exit::CANNOT_WRITE, &format!("{} cannot be written ({error})", path.display()), "Name a new file")
    })
}

/// `postrider account test`
pub fn test(door: &Door, account: Option<&str>, as_json: bool, out: &mut Out) -> Result<u8, Failure> {
    let config = door.config()?;
    let accounts = chosen(&config.accounts, account)?;
    let mut sheet = Sheet::new(as_json, out);
    accounts_steps(door, &accounts, None, false, &mut sheet)?;
    Ok(sheet.end()?)
}

/// Tries one account that may not be saved yet; the exit code, and the steps if they are wanted as JSON, else they are printed.
pub fn try_account(
    door: &Door,
    account: &AccountConfig,
    password: Option<&Secret>,
    as_json: bool,
    out: &mut Out,
) -> Result<(u8, Vec<Value>), Failure> {
    let mut sheet = Sheet::new(as_json, out);
    accounts_steps(door, &[account], password, false, &mut sheet)?;
    Ok((sheet.code, sheet.rows.unwrap_or_default()))
}

fn accounts_steps(
    door: &Door,
    all: &[&AccountConfig],
    password: Option<&Secret>,
    thorough: bool,
    sheet: &mut Sheet<'_>,
) -> Result<(), Failure> {
    if door.options.offline {
        sheet.add("", plain("servers", Verdict::Skipped, "not tried with --offline"))?;
        return Ok(());
    }
    let cancel = Cancel::new()?;
    for account in all {
        let asked = match (password, &account.password) {
            (None, PasswordSource::Ask) if check::needs_password(account) && prompt::somebody() => {
                Some(prompt::password(&format!("Password of {}", SafeText::line(&account.address)))?)
            }
            _ => None,
        };
        let mut failed: io::Result<()> = Ok(());
        let mut tell = |step| {
            let added = sheet.add(account.name.as_str(), step);
            failed = std::mem::replace(&mut failed, Ok(())).and(added);
        };
        let secret = password.or(asked.as_ref());
        if thorough {
            check::thorough(account, secret, &cancel, System.now(), &mut tell);
        } else {
            check::account(account, secret, &cancel, &mut tell);
        }
        failed?;
    }
    Ok(())
}

fn chosen<'c>(all: &'c [AccountConfig], name: Option<&str>) -> Result<Vec<&'c AccountConfig>, Failure> {
    if all.is_empty() {
        return Err(no_account());
    }
    match name {
        None => Ok(all.iter().collect()),
        Some(name) => match all.iter().find(|a| a.name.as_str() == name) {
            Some(account) => Ok(vec![account]),
            None => Err(no_such_account(name)),
        },
    }
}

/// Whether a folder of ours is there and closed to others.
fn folder_step(folder: &Path) -> Step {
    let shown = folder.display();
    match std::fs::metadata(folder) {
        Ok(found) if found.mode() & 0o077 != 0 => {
            plain("files", Verdict::Warn, &format!("others can look into {shown}; `chmod 700` closes it"))
        }
        Ok(_) => plain("files", Verdict::Ok, &format!("{shown} is private")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            plain("files", Verdict::Ok, &format!("{shown} is made at the first start"))
        }
        Err(error) => plain("files", Verdict::Fail, &format!("{shown} cannot be used ({error})")),
    }
}

fn plain(name: &'static str, verdict: Verdict, what: &str) -> Step {
    Step { name, verdict, what: SafeText::line_max(what, 500), fault: None, seconds: 0.0 }
}

/// Where steps are noted: a line each at once, or one array at the end.
struct Sheet<'a> {
    out: &'a mut Out,
    rows: Option<Vec<Value>>,
    code: u8,
}

impl<'a> Sheet<'a> {
    fn new(as_json: bool, out: &'a mut Out) -> Self {
        Self { out, rows: as_json.then(Vec::new), code: exit::OK }
    }

    fn add(&mut self, account: &str, step: Step) -> io::Result<()> {
        let failed = step.verdict == Verdict::Fail;
        let code =
            if failed { step.fault.as_ref().map_or(exit::CANNOT_WRITE, crate::engine::api::Fault::exit) } else { exit::OK };
        if self.code == exit::OK {
            self.code = code;
        }
        let hint = step.fault.clone().map(Failure::from).map_or(SafeText::default(), |f| f.hint);
        let causes = step.fault.as_ref().map_or(&[][..], |f| &f.causes);
        match &mut self.rows {
            Some(rows) => rows.push(json!({
                "account": if account.is_empty() { Value::Null } else { json!(account) }, "step": step.name,
                "state": step.verdict.word(), "what": step.what.as_str(), "hint": if hint.is_empty() { Value::Null } else { json!(hint.as_str()) },
                "causes": causes.iter().map(SafeText::as_str).collect::<Vec<_>>(), "seconds": step.seconds, "exit": code,
            })),
            None => {
                let who = if account.is_empty() { String::new() } else { format!("{account}: ") };
                self.out.text_line(&format!("{:7}  {who}{}: {}", step.verdict.word(), step.name, step.what))?;
                for line in causes.iter().chain(Some(&hint).filter(|h| !h.is_empty())) {
                    self.out.line(&format!("         {line}"))?;
                }
                self.out.flush()?;
            }
        }
        Ok(())
    }

    fn end(self) -> io::Result<u8> {
        if let Some(rows) = self.rows {
            self.out.json(&rows)?;
        }
        Ok(self.code)
    }
}
