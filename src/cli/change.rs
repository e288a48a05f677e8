//! change — the verbs that change mail: flag, move, copy, delete, archive, undo. Durable here first, told to the server next.
//! Owns: how several items succeed and fail, and waiting for the server.
//! May import: engine::api, mail, cli.
//! Start reading at: `run`.

use super::exit::{self, Failure};
use super::look::queued;
use super::mail_args::{self, Targets};
use super::output::Out;
use super::session::Session;
use super::{Door, place};
use crate::app::words::plural;
use crate::base::safetext::SafeText;
use crate::engine::api::{Done, Request};
use crate::mail::flags::{FlagDelta, Flags};
use crate::mail::ids::{AccountName, GroupId, PlacementKey};
use crate::mail::intent::OpState;
use crate::mail::mailbox::Role;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How long `--wait` waits.
const WAIT: Duration = Duration::from_secs(60);
/// How long it waits for a server that cannot be reached: a short break of the line is no reason to give up, a dead server is.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is done to messages.
pub enum Change<'a> {
    /// `flag`
    Flag(&'a mail_args::Flag),
    /// `move`
    Move(&'a mail_args::Into),
    /// `copy`
    Copy(&'a mail_args::Into),
    /// `delete`
    Delete(&'a mail_args::Delete),
    /// `archive`
    Archive(&'a Targets),
}

impl Change<'_> {
    fn on(&self) -> &Targets {
        match self {
            Self::Flag(args) => &args.on,
            Self::Move(args) | Self::Copy(args) => &args.on,
            Self::Delete(args) => &args.on,
            Self::Archive(on) => on,
        }
    }
}

/// Runs one of them.
pub fn run(door: &Door, what: &Change<'_>) -> Result<u8, Failure> {
    let on = what.on();
    let delta = if let Change::Flag(args) = what { Some(delta(args)?) } else { None };
    let session = if on.wait { Session::telling(door)? } else { Session::open(door)? };
    let mut failures: Vec<Failure> = Vec::new();
    // By account, in the order of the command line: a move stays within one.
    let mut batches: Vec<(AccountName, Vec<PlacementKey>)> = Vec::new();
    for id in &on.ids {
        match session.message(PlacementKey(*id)) {
            Ok(view) => match batches.iter_mut().find(|(account, _)| *account == view.row.account) {
                Some((_, targets)) => targets.push(view.row.id),
                None => batches.push((view.row.account, vec![view.row.id])),
            },
            Err(failure) if failure.code == exit::MISSING => failures.push(failure),
            Err(failure) => return Err(failure),
        }
    }
    let mut groups = Vec::new();
    let mut did = 0;
    for (account, targets) in batches {
        let done = request(&session, what, delta.as_ref(), &account, targets).and_then(|request| session.act(request));
        match done {
            Ok(Done { group, count, .. }) => {
                did += count.max(1);
                groups.extend(group);
            }
            Err(failure) => failures.push(failure),
        }
    }
    for failure in &failures {
        failure.tell();
    }
    match failures.first() {
        None => {}
        Some(first) if did == 0 => {
            return Ok(if failures.iter().all(|f| f.code == first.code) { first.code } else { exit::SOME });
        }
        Some(_) => return Ok(exit::SOME),
    }
    if on.wait { agreed(&session, &groups) } else { Ok(exit::OK) }
}

fn request(
    session: &Session,
    what: &Change<'_>,
    delta: Option<&FlagDelta>,
    account: &AccountName,
    targets: Vec<PlacementKey>,
) -> Result<Request, Failure> {
    let to = |name: &str| Ok::<_, Failure>(place::find(&session.mailboxes()?, name, Some(account))?.id);
    Ok(match what {
        Change::Flag(_) => Request::Flag { targets, delta: delta.cloned().unwrap_or_default(), automatic: false },
        Change::Move(args) => Request::Move { targets, to: to(&args.to)? },
        Change::Copy(args) => Request::Copy { targets, to: to(&args.to)? },
        Change::Delete(args) if args.forever => Request::DeleteForever { targets },
        Change::Delete(_) => Request::File { targets, role: Role::Trash },
        Change::Archive(_) => Request::File { targets, role: Role::Archive },
    })
}

fn delta(args: &mail_args::Flag) -> Result<FlagDelta, Failure> {
    let read = |words: &[String]| {
        let mut flags = Flags::new();
        for word in words.iter().flat_map(|w| w.split(',')).map(str::trim) {
            if !flags.insert_word(word) {
                let what = format!("`{word}` is no flag");
                return Err(Failure::new(
                    exit::USAGE,
                    &what,
                    "Write seen, flagged, answered, draft, or a keyword without blanks",
                ));
            }
        }
        Ok(flags)
    };
    Ok(FlagDelta::new(read(&args.add)?, read(&args.remove)?))
}

/// `postrider undo`: the last `count` commands, the newest first, each told by itself. 1 if some cannot be taken back.
pub fn undo(door: &Door, count: u32, as_json: bool, out: &mut Out) -> Result<u8, Failure> {
    let session = Session::open(door)?;
    let mut rows: Vec<Value> = Vec::new();
    let mut failed = None;
    for _ in 0..count {
        match session.act(Request::Undo { count: 1 }) {
            Ok(done) if as_json => rows.push(json!({"undone": done.word, "count": done.count, "missed": done.missed})),
            Ok(done) => {
                out.line(&format!("taken back: {}", undone(&done)))?;
                rows.push(Value::Null);
            }
            Err(failure) if failure.code == exit::MISSING && failed.is_none() && rows.is_empty() => {
                let hint = "Nothing was changed that could be, or all of it is taken back";
                return Err(Failure { hint: SafeText::of(hint), ..failure });
            }
            Err(failure) if failure.code == exit::MISSING => break,
            // Deleted for ever: what was done before it can still be taken back.
            Err(failure) => {
                failure.tell();
                failed.get_or_insert(failure.code);
            }
        }
    }
    if as_json {
        out.json(&rows)?;
    }
    Ok(match failed {
        None => exit::OK,
        Some(code) if rows.is_empty() => code,
        Some(_) => exit::SOME,
    })
}

/// What was taken back, in words.
fn undone(done: &Done) -> String {
    let many = |one, many| plural(done.count.into(), one, many);
    match done.word {
        word @ ("create mailbox" | "rename mailbox" | "delete mailbox" | "subscribe" | "unsubscribe") if done.count == 1 => {
            word.to_owned()
        }
        word @ ("rename mailbox" | "delete mailbox") => format!("{word}, {} in all", many("mailbox", "mailboxes")),
        word => format!("{word} of {}", many("message", "messages")),
    }
}

/// Waits until the server has confirmed these commands.
///
/// # Errors
/// 65 if it refuses, 75 if it does not answer in time or cannot be reached; what only the person can mend (a password that is
/// refused, a certificate) ends it at once, with its own code.
pub fn agreed(session: &Session, groups: &[GroupId]) -> Result<u8, Failure> {
    let begin = Instant::now();
    let end = session.watch(WAIT, |session| {
        let left: Vec<_> = queued(session)?.into_iter().filter(|op| groups.contains(&op.group)).collect();
        if let Some(parked) = left.iter().find(|op| op.state == OpState::Parked) {
            let what = format!("the server did not take it ({})", parked.fault);
            return Err(Failure::new(exit::DATA, &what, "`postrider queue` shows it; `queue retry` and `queue cancel` end it"));
        }
        if left.is_empty() {
            return Ok(Some(()));
        }
        if left.iter().any(|op| session.is_shut(&op.account)) {
            return Err(later("no connection is opened with --offline"));
        }
        // Faults of anything else that waits are no business of this command.
        match left.iter().find_map(|op| session.cut(&op.account)) {
            Some(cut) if cut.for_good => Err(Failure {
                hint: SafeText::of("It is queued, and told to the server once that is mended"),
                ..cut.fault.into()
            }),
            Some(cut) if begin.elapsed() >= PATIENCE => Err(later(cut.fault.what.as_str())),
            _ => Ok(None),
        }
    })?;
    end.map(|()| exit::OK).ok_or_else(|| later("the server did not confirm it in time"))
}

fn later(why: &str) -> Failure {
    Failure::new(exit::TEMPORARY, why, "It is queued and will be told to the server")
}
