//! sync — `postrider sync`: one pass over the accounts, with what is queued and what is to be sent.
//! Owns: how the pass is told on a terminal. May import: engine, config, base, cli.
//! Start reading at: `run`.

use super::Door;
use super::exit::{self, Failure};
use super::mail_args::{Bodies, Sync};
use super::output::Out;
use super::place;
use super::prompt;
use super::session::Session;
use crate::app::words::plural;
use crate::base::cancel::Cancel;
use crate::base::safetext::SafeText;
use crate::config::{AccountConfig, KeepBodies, PasswordSource};
use crate::engine::api::{AccountSummary, Fault, Kind, Progress, Reach, Remedy, SyncSummary, Task};
use crate::engine::check;
use crate::engine::connect;
use crate::engine::sync::{Scope, sync_once};
use crate::mail::ids::AccountName;
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write, stderr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often the line of progress is drawn.
const PACE: Duration = Duration::from_millis(100);
/// What `--bodies recent` means.
const RECENT: Duration = Duration::from_secs(90 * 86_400);

/// Runs it.
pub fn run(door: &Door, args: &Sync, out: &mut Out) -> Result<u8, Failure> {
    // What is unwise in it is said by the session.
    let config = door.read_config()?;
    let chosen = |account: &&AccountConfig| args.account.as_ref().is_none_or(|name| name == account.name.as_str());
    std::thread::scope(|threads| {
        if !door.options.offline {
            // Beside the opening of our own files.
            threads.spawn(|| connect::prepare(config.accounts.iter().filter(chosen)));
        }
        prepared(door, args, out)
    })
}

fn prepared(door: &Door, args: &Sync, out: &mut Out) -> Result<u8, Failure> {
    let session = Session::open(door)?;
    let account = args.account.as_deref().map(|name| session.account(name)).transpose()?;
    let (accounts, mailbox) = named(&session, account, args.mailbox.as_deref())?;
    let scope = Scope {
        accounts,
        mailbox,
        bodies: args.bodies.map(|which| match which {
            Bodies::None => KeepBodies::None,
            Bodies::Recent => KeepBodies::For(RECENT),
            Bodies::All => KeepBodies::All,
        }),
    };
    ask_passwords(door, &session, &scope.accounts)?;
    let sum = pass(&session, &scope, stderr().is_terminal() && door.options.verbose == 0)?;
    if args.json {
        out.json(&sum)?;
    } else {
        for account in &sum.accounts {
            tell(account, out)?;
        }
    }
    sum.accounts.iter().flat_map(|a| &a.warnings).for_each(|warning| exit::say(warning));
    for account in sum.accounts.iter().filter(|a| !a.fault.is_empty()) {
        let hint = if door.options.offline { "Leave --offline out" } else { hint(account.exit) };
        Failure::new(account.exit, &format!("{}: {}", account.account, account.fault), hint).tell();
    }
    Ok(sum.exit())
}

/// Which accounts are meant, and which mailbox: named as for every other verb, and where the cache knows of none, as it stands, since
/// another client may have made it.
fn named(
    session: &Session,
    account: Option<AccountName>,
    mailbox: Option<&str>,
) -> Result<(Vec<AccountName>, Option<String>), Failure> {
    let Some(typed) = mailbox else { return Ok((account.into_iter().collect(), None)) };
    let rows = session.mailboxes()?;
    let mut same = place::everywhere(&rows, typed);
    same.retain(|row| account.as_ref().is_none_or(|a| row.account == *a));
    let first = same.first().map(|row| row.path.decoded());
    same.retain(|row| Some(row.path.decoded()) == first);
    Ok(match (first, place::find(&rows, typed, account.as_ref())) {
        (Some(first), _) => (same.iter().map(|row| row.account.clone()).collect(), Some(first)),
        (None, Ok(row)) => (vec![row.account.clone()], Some(row.path.decoded())),
        (None, Err(_)) => (account.into_iter().collect(), Some(typed.to_owned())),
    })
}

/// Passwords that are asked at each start are asked before anything connects, if there is somebody.
///
/// # Errors
/// If the terminal goes away.
pub fn ask_passwords(door: &Door, session: &Session, only: &[AccountName]) -> Result<(), Failure> {
    if door.options.offline || !prompt::somebody() {
        return Ok(());
    }
    let shared = session.engine().shared();
    for account in &shared.config.accounts {
        let chosen = only.is_empty() || only.contains(&account.name);
        if chosen && account.password == PasswordSource::Ask && check::needs_password(account) {
            let secret = prompt::password(&format!("Password of {}", SafeText::line(&account.address)))?;
            shared.typed.put(&account.name, secret);
        }
    }
    Ok(())
}

/// The pass on a thread of its own, its progress on this one: in a line of the terminal, if it is `shown`.
fn pass(session: &Session, scope: &Scope, shown: bool) -> Result<SyncSummary, Failure> {
    let shared = Arc::clone(session.engine().shared());
    let cancel = Cancel::new()?;
    let over = AtomicBool::new(false);
    std::thread::scope(|threads| {
        let running = threads.spawn(|| {
            let sum = sync_once(&shared, scope, &cancel);
            over.store(true, Ordering::SeqCst);
            shared.news.put(|_| {});
            sum
        });
        let (mut tasks, mut notices) = (BTreeMap::new(), Vec::new());
        // It rings at its end; it does not if it breaks off.
        while !over.load(Ordering::SeqCst) && !running.is_finished() {
            let news = session.engine().wait(PACE);
            tasks.extend(news.progress);
            notices.extend(news.faults.into_iter().filter(is_told));
            if shown {
                draw(&tasks);
            }
        }
        // What was asked for and came now is made a file of, and told.
        session.engine().finish();
        notices.extend(session.engine().wait(Duration::ZERO).faults.into_iter().filter(is_told));
        if shown {
            // Nobody is left to tell if it fails.
            let _ = write!(stderr(), "\r\x1b[K");
        }
        notices.iter().for_each(|notice| exit::say(&notice.to_string()));
        running.join().map_err(|_| Failure::new(exit::SOFTWARE, "the pass broke off", "The log may say more"))
    })
}

/// Words of the server for the person, and what was wished and is not done: else nobody would know before the list of what waits is
/// looked at (security S-30). What broke the pass is told with its end.
fn is_told(fault: &Fault) -> bool {
    let not_done = (fault.kind, fault.reach) == (Kind::Missing, Reach::Message);
    fault.kind == Kind::Notice || not_done || matches!(fault.remedy, Some(Remedy::OpenQueue(_)))
}

/// One line: what is fetched, and how far.
fn draw(tasks: &BTreeMap<Task, Option<Progress>>) {
    let mut parts = Vec::new();
    for (task, progress) in tasks {
        let Some(progress) = progress else { continue };
        let what = match task {
            Task::Sync(account, _) => format!("{account}: messages"),
            Task::Bodies(account) => format!("{account}: texts"),
            Task::Ask(account) => format!("{account}: messages searched"),
            Task::Index(account) => format!("{account}: words"),
            Task::Send(_) => "sending".to_owned(),
            Task::Piece(..) => "octets of a message".to_owned(),
        };
        let of = if progress.total > 0 { format!(" of {}", progress.total) } else { String::new() };
        parts.push(format!("{what} {}{of}", progress.done));
    }
    let _ = write!(stderr(), "\r\x1b[K{}", SafeText::line_max(&parts.join("   "), 79));
}

/// What came, in a line for each mailbox where something did.
fn tell(account: &AccountSummary, out: &mut Out) -> std::io::Result<()> {
    let mut quiet = true;
    for mailbox in &account.mailboxes {
        let counts = [
            (mailbox.new, "new"),
            (mailbox.changed, "changed"),
            (mailbox.vanished, "gone"),
            (mailbox.bodies, if mailbox.bodies == 1 { "text" } else { "texts" }),
        ];
        let mut words: Vec<String> = counts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
        if !mailbox.fault.is_empty() {
            words.push(mailbox.fault.clone());
        }
        if !words.is_empty() {
            quiet = false;
            out.text_line(&format!("{}/{}: {}", account.account, mailbox.mailbox, words.join(", ")))?;
        }
    }
    if account.pushed > 0 {
        let changes = plural(account.pushed, "change", "changes");
        out.text_line(&format!("{}: {changes} confirmed by the server", account.account))?;
    } else if quiet && account.fault.is_empty() {
        out.text_line(&format!("{}: nothing new", account.account))?;
    }
    Ok(())
}

const fn hint(code: u8) -> &'static str {
    match code {
        exit::MISSING => "`postrider mailboxes` lists what is there",
        exit::TEMPORARY => "",
        _ => "`postrider doctor` looks into it step by step",
    }
}
