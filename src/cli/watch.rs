//! watch — `postrider watch`: keeps accounts in step without a screen, tells what happens, runs a command on new mail.
//! Owns: the events as lines and as JSON. May import: engine::api, ui (signals), mail, base, cli.
//! Start reading at: `run`. It sleeps until the engine or a signal rings: at rest nothing runs.

use super::Door;
use super::exit::{self, Failure};
use super::mail_args::Watch;
use super::output::Out;
use super::session::{Session, odd};
use super::{prompt, rows, sync};
use crate::base::cancel::Cancel;
use crate::base::child::{self, Command};
use crate::base::gate::{Permit, Reason};
use crate::engine::api::{Connectivity, News, Query, Request, Rows};
use crate::mail::ids::{AccountName, MailboxId};
use crate::mail::row::{MailboxRow, MessageRow, RowCursor};
use crate::ui::signals::Signals;
use rustix::event::{PollFd, PollFlags, poll};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// The most messages that are told of at once: behind a long absence `list` is the better question.
const MOST: u32 = 1_000;
/// How long the command may take.
const DEADLINE: Duration = Duration::from_secs(600);

/// What has been told.
#[derive(Default)]
struct Told {
    counts: BTreeMap<MailboxId, (u32, u32)>,
    /// The newest message of each mailbox.
    newest: BTreeMap<MailboxId, i64>,
    states: BTreeMap<AccountName, Value>,
}

/// Runs until a signal ends it, or the output is closed.
pub fn run(door: &Door, args: &Watch, out: &mut Out) -> Result<u8, Failure> {
    let session = Session::live(door)?;
    if !door.options.offline && prompt::somebody() {
        sync::ask_passwords(door, &session, &[])?;
        session.act(Request::Refresh { account: None })?;
    }
    let signals = Signals::listen()?;
    let mut told = Told::default();
    for mailbox in session.mailboxes()? {
        told.counts.insert(mailbox.id, (mailbox.total, mailbox.unread));
        let newest = page(&session, mailbox.id, 50)?.iter().map(|row| row.id.0).max();
        told.newest.insert(mailbox.id, newest.unwrap_or(0));
    }
    loop {
        let news = session.engine().take();
        tell(&session, args, &mut told, &news, out)?;
        out.flush()?;
        let mut set = [
            PollFd::from_borrowed_fd(session.engine().fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(signals.fd(), PollFlags::IN),
        ];
        match poll(&mut set, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(std::io::Error::from(error).into()),
        }
        let came = signals.take();
        if came.end || came.interrupt {
            return Ok(exit::OK);
        }
    }
}

fn page(session: &Session, mailbox: MailboxId, limit: u32) -> Result<Vec<MessageRow>, Failure> {
    let query = Query::Messages { view: mailbox.into(), threaded: false, cursor: RowCursor::Newest, limit };
    match session.ask(&query)? {
        Rows::Messages(page) => Ok(page.rows),
        _ => Err(odd()),
    }
}

fn tell(session: &Session, args: &Watch, told: &mut Told, news: &News, out: &mut Out) -> Result<(), Failure> {
    for (account, state) in &news.connectivity {
        let (event, line) = connectivity(account, state);
        if told.states.insert(account.clone(), event.clone()).as_ref() != Some(&event) {
            if args.json { out.json(&event)? } else { out.text_line(&line)? }
        }
    }
    for fault in &news.faults {
        if args.json {
            let account = fault.account.as_ref().map(|a| a.as_str().to_owned());
            out.json(&json!({"event": "fault", "account": account, "what": fault.to_string(), "exit": fault.exit()}))?;
        } else {
            out.text_line(&format!("fault: {fault}"))?;
        }
    }
    let changes = &news.changes;
    if !changes.mailboxes && !changes.all && changes.lists.is_empty() && news.arrived.is_empty() {
        return Ok(());
    }
    let mut fresh: Vec<Value> = Vec::new();
    for mailbox in session.mailboxes()? {
        // Another process that holds the profile tells nobody how many came.
        let arrived = match news.arrived.get(&mailbox.id) {
            Some(count) => *count,
            None if !session.engine().is_owner() && changes.list(mailbox.id) => MOST,
            None => 0,
        };
        let newest = told.newest.entry(mailbox.id).or_default();
        let mut came = Vec::new();
        if arrived > 0 {
            came = page(session, mailbox.id, MOST)?;
            came.retain(|row| row.id.0 > *newest && !row.flags.has(crate::mail::flags::Flag::Seen));
            came.sort_by_key(|row| std::cmp::Reverse(row.id.0));
            came.truncate(usize::try_from(arrived).unwrap_or(usize::MAX));
            came.reverse();
            *newest = came.last().map_or(*newest, |row| row.id.0);
        }
        for row in &came {
            let mut event = rows::message(row, Some(&mailbox.path));
            event["event"] = json!("new");
            if args.json {
                out.json(&event)?;
            } else {
                out.text_line(&format!("new in {}/{}:", mailbox.account, mailbox.path.decoded()))?;
                rows::message_line(row, out)?;
            }
            fresh.push(event);
        }
        counts(&mailbox, args, told, out)?;
    }
    match (&args.exec, fresh.is_empty()) {
        (Some(command), false) => {
            out.flush()?;
            notify(command, &fresh)
        }
        _ => Ok(()),
    }
}

/// Counts that changed.
fn counts(mailbox: &MailboxRow, args: &Watch, told: &mut Told, out: &mut Out) -> Result<(), Failure> {
    let now = (mailbox.total, mailbox.unread);
    if told.counts.insert(mailbox.id, now) == Some(now) || !mailbox.selectable {
        return Ok(());
    }
    let name = mailbox.path.decoded();
    if args.json {
        out.json(&json!({"event": "mailbox", "account": mailbox.account, "mailbox": name, "total": now.0, "unread": now.1}))?;
    } else {
        out.text_line(&format!("{}/{name}: {} unread of {}", mailbox.account, now.1, now.0))?;
    }
    Ok(())
}

fn connectivity(account: &AccountName, state: &Connectivity) -> (Value, String) {
    let (word, why) = match state {
        Connectivity::Off => ("offline", None),
        Connectivity::Elsewhere => ("elsewhere", None),
        Connectivity::Connecting => ("connecting", None),
        Connectivity::Live { .. } => ("live", None),
        Connectivity::Polled { .. } => ("polled", None),
        Connectivity::Waiting { fault, .. } => ("waiting", Some(fault.to_string())),
        Connectivity::NeedsUser(fault) => ("needs_user", Some(fault.to_string())),
    };
    let line = why.as_ref().map_or_else(|| format!("{account}: {word}"), |why| format!("{account}: {word}, {why}"));
    (json!({"event": "state", "account": account, "state": word, "why": why}), line)
}

/// Runs the command, with one JSON object a line for each new message on its standard input.
fn notify(line: &str, fresh: &[Value]) -> Result<(), Failure> {
    let stdin: String = fresh.iter().map(|event| format!("{event}\n")).collect();
    let permit = Permit::ask(Reason::Notifier).map_err(|e| Failure::new(exit::SOFTWARE, &e.to_string(), ""))?;
    let command = Command { stdin: stdin.into_bytes(), deadline: DEADLINE, ..Command::shell(line) };
    match child::run(permit, &command, &Cancel::new()?) {
        Ok(finished) if finished.ok() => {}
        Ok(finished) => exit::say(&format!("the command of --exec {}: {}", finished.ending(), finished.first_line())),
        Err(error) => exit::say(&format!("the command of --exec {error}")),
    }
    Ok(())
}
