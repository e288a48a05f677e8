//! mailbox — `postrider mailbox create | rename | delete | subscribe | unsubscribe | empty`.
//! Owns: how the tree of mailboxes is changed from a shell. May import: engine::api, mail, cli.
//! Start reading at: `run`. Durable here first, told to the server next, as everything.

use super::change::agreed;
use super::exit::{self, Failure};
use super::mail_args::{MailboxVerb, OnMailbox};
use super::output::Out;
use super::session::Session;
use super::{Door, place, prompt};
use crate::app::words::plural;
use crate::engine::api::{MailboxAct, Request};
use crate::mail::row::MailboxRow;
use serde_json::json;

/// Runs one of them.
pub fn run(door: &Door, what: &MailboxVerb, out: &mut Out) -> Result<u8, Failure> {
    let how = match what {
        MailboxVerb::Create { how, .. }
        | MailboxVerb::Rename { how, .. }
        | MailboxVerb::Delete { how, .. }
        | MailboxVerb::Subscribe { how, .. }
        | MailboxVerb::Unsubscribe { how, .. }
        | MailboxVerb::Empty { how, .. } => how,
    };
    let session = if how.wait { Session::telling(door)? } else { Session::open(door)? };
    let Plan { act, said, names } = plan(&session, what, how)?;
    let done = session.act(Request::Mailbox(act))?;
    if let (Some(group), true) = (done.group, how.wait) {
        agreed(&session, &[group])?;
    }
    if how.json {
        let (account, mailbox, to) = names;
        out.json(&json!({"done": word(what), "account": account, "mailbox": mailbox, "to": to, "count": done.count}))?;
        return Ok(exit::OK);
    }
    out.text_line(&match what {
        MailboxVerb::Delete { .. } if !how.wait => format!("{said}; `postrider undo` takes it back until the server is told"),
        MailboxVerb::Empty { .. } => format!("{said}: {}", plural(done.count.into(), "message", "messages")),
        _ => said,
    })?;
    Ok(exit::OK)
}

/// The verb, as JSON names it.
const fn word(what: &MailboxVerb) -> &'static str {
    match what {
        MailboxVerb::Create { .. } => "create",
        MailboxVerb::Rename { .. } => "rename",
        MailboxVerb::Delete { .. } => "delete",
        MailboxVerb::Subscribe { .. } => "subscribe",
        MailboxVerb::Unsubscribe { .. } => "unsubscribe",
        MailboxVerb::Empty { .. } => "empty",
    }
}

/// What is to be done, how it is said when it is, and account, mailbox and new name.
struct Plan {
    act: MailboxAct,
    said: String,
    names: (String, String, Option<String>),
}

fn plan(session: &Session, what: &MailboxVerb, how: &OnMailbox) -> Result<Plan, Failure> {
    let all = session.mailboxes()?;
    let account = how.account.as_deref().map(|name| session.account(name)).transpose()?;
    let find = |name: &str| place::find_any(&all, name, account.as_ref());
    let shown = |row: &MailboxRow| format!("{}/{}", row.account, row.path.decoded());
    let named = |row: &MailboxRow| (row.account.as_str().to_owned(), row.path.decoded(), None);
    let (act, said, names) = match what {
        MailboxVerb::Create { name, .. } => {
            let (account, path) = place::fresh(&all, &session.accounts(), name, account.as_ref())?;
            let said = format!("made {account}/{}", path.decoded());
            let names = (account.as_str().to_owned(), path.decoded(), None);
            (MailboxAct::Create { account, path }, said, names)
        }
        MailboxVerb::Rename { mailbox, name, .. } => {
            let row = find(mailbox)?;
            let (owner, to) = place::fresh(&all, &session.accounts(), name, account.as_ref().or(Some(&row.account)))?;
            let said = format!("{} is {owner}/{} now", shown(row), to.decoded());
            let names = (owner.as_str().to_owned(), row.path.decoded(), Some(to.decoded()));
            (MailboxAct::Rename { mailbox: row.id, to }, said, names)
        }
        MailboxVerb::Delete { mailbox, yes, .. } => {
            let row = find(mailbox)?;
            let within: Vec<_> =
                all.iter().filter(|r| r.account == row.account && r.path.is_within(&row.path, row.delimiter)).collect();
            let messages: u64 = within.iter().map(|r| u64::from(r.total)).sum();
            let below = match within.len().saturating_sub(1) {
                0 => String::new(),
                n => format!(", {} below it", plural(n as u64, "mailbox", "mailboxes")),
            };
            sure(*yes, &format!("Delete {}{below} and {}", shown(row), plural(messages, "message", "messages")))?;
            (MailboxAct::Delete { mailbox: row.id }, format!("{} is deleted", shown(row)), named(row))
        }
        MailboxVerb::Subscribe { mailbox, .. } => {
            let row = find(mailbox)?;
            (MailboxAct::Subscribe { mailbox: row.id, on: true }, format!("{} is subscribed", shown(row)), named(row))
        }
        MailboxVerb::Unsubscribe { mailbox, .. } => {
            let row = find(mailbox)?;
            (MailboxAct::Subscribe { mailbox: row.id, on: false }, format!("{} is not subscribed", shown(row)), named(row))
        }
        MailboxVerb::Empty { mailbox, yes, .. } => {
            let row = find(mailbox)?;
            sure(*yes, &format!("Remove all that is in {}: {}", shown(row), plural(row.total.into(), "message", "messages")))?;
            (MailboxAct::Empty { mailbox: row.id }, format!("{} is emptied", shown(row)), named(row))
        }
    };
    Ok(Plan { act, said, names })
}

/// Asks, where somebody can answer; a script says `--yes`.
fn sure(yes: bool, question: &str) -> Result<(), Failure> {
    if yes || (prompt::somebody() && prompt::yes(question)?) {
        return Ok(());
    }
    Err(Failure::new(exit::USAGE, &format!("not done: {question}"), "Say --yes if that is meant"))
}
