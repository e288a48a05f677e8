//! look — the verbs that only look: mailboxes, list, search, outbox, queue.
//! Owns: nothing; the store answers, `rows` prints.
//! May import: engine::api, mail, cli.
//! Start reading at: any of them.

use super::Door;
use super::args::QueueVerb;
use super::exit::{self, Failure};
use super::mail_args::{Json, List, OutboxVerb, Search};
use super::output::Out;
use super::session::{Session, odd};
use super::{place, rows, sync};
use crate::base::cancel::Cancel;
use crate::engine::api::{OutboxRow, Query, QueueRow, Request, Rows};
use crate::engine::remote::search_servers;
use crate::engine::words;
use crate::mail::ids::{MailboxId, OpId, OutboxId};
use crate::mail::mailbox::MailboxPath;
use crate::mail::outgoing::OutboxState;
use crate::mail::row::{MailboxRow, MessageRow, RowCursor};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::io;

/// The most rows of one call.
const MAX_ROWS: u32 = 1_000_000;

/// `postrider mailboxes`
pub fn mailboxes(door: &Door, args: &Json, out: &mut Out) -> Result<u8, Failure> {
    let all = Session::open(door)?.mailboxes()?;
    if all.is_empty() && !args.json {
        exit::say("nothing was fetched yet. `postrider sync` does");
    }
    print(args.json, &all, rows::mailbox, rows::mailbox_line, out)
}

/// `postrider list`
pub fn list(door: &Door, args: &List, out: &mut Out) -> Result<u8, Failure> {
    let session = Session::open(door)?;
    let account = args.account.as_deref().map(|name| session.account(name)).transpose()?;
    let all = session.mailboxes()?;
    let mailbox = place::find(&all, args.mailbox.as_deref().unwrap_or("INBOX"), account.as_ref())?.id;
    let limit = args.limit.min(MAX_ROWS);
    let query = Query::Messages { view: mailbox.into(), threaded: false, cursor: RowCursor::Newest, limit };
    match session.ask(&query)? {
        Rows::Messages(page) => messages(args.json, &page.rows, &all, out),
        _ => Err(odd()),
    }
}

/// `postrider search`
pub fn search(door: &Door, args: &Search, out: &mut Out) -> Result<u8, Failure> {
    let session = Session::open(door)?;
    read_texts(&session)?;
    let text = args.query.join(" ");
    let limit = args.limit.min(MAX_ROWS);
    // What the index says of texts that are here holds, whatever the limit.
    let query = Query::Search { text: text.clone(), within: None, limit: if args.server { MAX_ROWS } else { limit } };
    match session.ask(&query)? {
        Rows::Search(page) if page.complaint.is_none() && args.server => {
            let mut rows = page.rows;
            let code = servers(door, &session, &text, &mut rows)?;
            rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            messages(args.json, &rows, &session.mailboxes()?, out)?;
            Ok(code)
        }
        Rows::Search(page) => {
            if let Some(complaint) = page.complaint {
                return Err(Failure::new(exit::DATA, complaint.as_str(), "`postrider help search` shows the words"));
            }
            messages(args.json, &page.rows, &session.mailboxes()?, out)
        }
        _ => Err(odd()),
    }
}

/// So many texts are read before anybody wonders what takes so long.
const UNNOTICED: u64 = 1_000;

/// Reads the texts that came and were not read yet: a search misses none of them.
///
/// # Errors
/// 73 for our own files.
pub fn read_texts(session: &Session) -> Result<(), Failure> {
    let shared = session.engine().shared();
    let waiting = words::waiting(shared)?;
    if waiting > UNNOTICED && shared.owner {
        exit::say(&format!("reading {waiting} texts that came, for the index of words"));
    }
    if waiting > 0 && !shared.owner {
        exit::say(&format!("{waiting} texts are not in the index of words yet; the reader that is open reads them"));
    }
    Ok(words::finish(shared, u32::MAX)?)
}

/// Adds what only the servers can find: in texts that are not here. 1 if one could not be asked, each said.
fn servers(door: &Door, session: &Session, text: &str, rows: &mut Vec<MessageRow>) -> Result<u8, Failure> {
    sync::ask_passwords(door, session, &[])?;
    let found = search_servers(session.engine().shared(), text, &Cancel::new()?)?;
    let known: HashSet<_> = rows.iter().map(|row| row.message).collect();
    rows.extend(found.rows.into_iter().filter(|row| !known.contains(&row.message)));
    if found.absent > 0 {
        exit::say(&format!("{} more are on the server only, and the reader that is open fetches them", found.absent));
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.sort));
    let code = if found.faults.is_empty() { exit::OK } else { exit::SOME };
    found.faults.into_iter().map(Failure::from).for_each(|failure| failure.tell());
    Ok(code)
}

/// `postrider outbox`
pub fn outbox(door: &Door, what: &OutboxVerb, json: bool, out: &mut Out) -> Result<u8, Failure> {
    let session = Session::open(door)?;
    let find = |id: i64| -> Result<OutboxRow, Failure> {
        let found = outgoing(&session)?.into_iter().find(|r| r.id.0 == id);
        found.ok_or_else(|| {
            Failure::new(exit::MISSING, &format!("there is no mail {id} in the outbox"), "`postrider outbox` lists what is")
        })
    };
    // What is done, as JSON names it, and a sentence.
    let (id, done, said) = match what {
        OutboxVerb::List => return print(json, &outgoing(&session)?, rows::outbox, rows::outbox_line, out),
        OutboxVerb::Show { id } => {
            let row = find(*id)?;
            if json {
                out.json(&rows::outbox(&row))?
            } else {
                rows::outbox_line(&row, out)?
            }
            return Ok(exit::OK);
        }
        OutboxVerb::Retry { id } => {
            if find(*id)?.state == OutboxState::Unknown {
                let what = format!("nobody knows whether mail {id} arrived");
                let hint = "`postrider outbox resend` sends it again, `postrider outbox mark-sent` files it";
                return Err(Failure::new(exit::USAGE, &what, hint));
            }
            session.act(Request::OutboxRetry(OutboxId(*id)))?;
            (id, "retry", "is tried at the next connection")
        }
        OutboxVerb::Resend { id } => {
            if find(*id)?.state != OutboxState::Unknown {
                let what = format!("mail {id} did not arrive yet, that is known");
                return Err(Failure::new(exit::USAGE, &what, "`postrider outbox retry` tries it now"));
            }
            session.act(Request::OutboxRetry(OutboxId(*id)))?;
            (id, "resend", "is sent again at the next connection")
        }
        OutboxVerb::MarkSent { id } => {
            find(*id)?;
            session.act(Request::OutboxMarkSent(OutboxId(*id)))?;
            (id, "mark-sent", "counts as sent; its copy goes to Sent")
        }
        OutboxVerb::Cancel { id } => {
            find(*id)?;
            session.act(Request::OutboxCancel(OutboxId(*id)))?;
            (id, "cancel", "is not sent; it is a draft again")
        }
    };
    if json {
        out.json(&json!({"id": id, "done": done}))?
    } else {
        out.line(&format!("{id} {said}"))?
    }
    Ok(exit::OK)
}

/// What is in the outbox.
pub fn outgoing(session: &Session) -> Result<Vec<OutboxRow>, Failure> {
    match session.ask(&Query::Outbox)? {
        Rows::Outbox(rows) => Ok(rows),
        _ => Err(odd()),
    }
}

/// `postrider queue`
pub fn queue(door: &Door, what: &QueueVerb, json: bool, out: &mut Out) -> Result<u8, Failure> {
    let session = Session::open(door)?;
    let (ids, done, request): (_, _, fn(OpId) -> Request) = match what {
        QueueVerb::List => return print(json, &queued(&session)?, rows::queued, rows::queued_line, out),
        QueueVerb::Retry { ids } => (ids, "retry", Request::QueueRetry),
        QueueVerb::Cancel { ids } => (ids, "cancel", Request::QueueDrop),
    };
    let (mut did, mut failures) = (Vec::new(), Vec::new());
    for id in ids {
        // What gave way to another one of them is done, too.
        let found = queued(&session)?.into_iter().find(|row| row.id.0 == *id).ok_or_else(|| {
            Failure::new(exit::MISSING, &format!("no change {id} waits"), "`postrider queue` lists those that do")
        });
        match found.and_then(|row| session.act(request(row.id)).map(|_| row)) {
            Ok(_) if json => did.push(json!({"id": id, "done": done})),
            Ok(row) => {
                let detail = row.detail;
                out.text_line(&match what {
                    QueueVerb::Cancel { .. } => format!("given up: {detail} ({})", row.account),
                    _ => format!("{detail} ({}) is tried at the next connection", row.account),
                })?;
                did.push(Value::Null);
            }
            Err(failure) => failures.push(failure),
        }
    }
    if json {
        out.json(&did)?;
    }
    failures.iter().for_each(Failure::tell);
    Ok(match failures.first() {
        None => exit::OK,
        Some(first) if did.is_empty() && failures.iter().all(|f| f.code == first.code) => first.code,
        Some(_) => exit::SOME,
    })
}

/// What the servers have not confirmed.
pub fn queued(session: &Session) -> Result<Vec<QueueRow>, Failure> {
    match session.ask(&Query::Queue)? {
        Rows::Queue(rows) => Ok(rows),
        _ => Err(odd()),
    }
}

fn messages(json: bool, found: &[MessageRow], all: &[MailboxRow], out: &mut Out) -> Result<u8, Failure> {
    let path = |id: MailboxId| -> Option<&MailboxPath> { all.iter().find(|m| m.id == id).map(|m| &m.path) };
    print(json, found, |row| rows::message(row, path(row.mailbox)), rows::message_line, out)
}

/// An array, or a line each.
fn print<R, J: Serialize>(
    json: bool,
    all: &[R],
    value: impl Fn(&R) -> J,
    line: impl Fn(&R, &mut Out) -> io::Result<()>,
    out: &mut Out,
) -> Result<u8, Failure> {
    if json {
        out.json(&all.iter().map(value).collect::<Vec<_>>())?;
    } else {
        all.iter().try_for_each(|row| line(row, out))?;
    }
    Ok(exit::OK)
}
