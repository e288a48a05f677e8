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
    let session = if how.wait { Session::live(door)? } else { Session::open(door)? };
    let (act, said) = act(&session, what, how)?;
    let done = session.act(Request::Mailbox(act))?;
    out.text_line(&match what {
        MailboxVerb::Delete { .. } => format!("{said}; `postrider undo` takes it back until the server is told"),
        MailboxVerb::Empty { .. } => format!("{said}: {}", plural(done.count.into(), "message", "messages")),
        _ => said,
    })?;
    match done.group {
        Some(group) if how.wait => agreed(&session, &[group]),
        _ => Ok(exit::OK),
    }
}

/// What is to be done, and how it is said when it is.
fn act(session: &Session, what: &MailboxVerb, how: &OnMailbox) -> Result<(MailboxAct, String), Failure> {
    let all = session.mailboxes()?;
    let account = how.account.as_deref().map(|name| session.account(name)).transpose()?;
    let find = |name: &str| place::find_any(&all, name, account.as_ref());
    let shown = |row: &MailboxRow| format!("{}/{}", row.account, row.path.decoded());
    Ok(match what {
        MailboxVerb::Create { name, .. } => {
            let (account, path) = place::fresh(&all, &session.accounts(), name, account.as_ref())?;
            let said = format!("made {account}/{}", path.decoded());
            (MailboxAct::Create { account, path }, said)
        }
        MailboxVerb::Rename { mailbox, name, .. } => {
            let row = find(mailbox)?;
            let (owner, to) = place::fresh(&all, &session.accounts(), name, account.as_ref().or(Some(&row.account)))?;
            let said = format!("{} is {owner}/{} now", shown(row), to.decoded());
            (MailboxAct::Rename { mailbox: row.id, to }, said)
        }
        MailboxVerb::Delete { mailbox, yes, .. } => {
            let row = find(mailbox)?;
            sure(*yes, &format!("Delete {} with {}", shown(row), plural(row.total.into(), "message", "messages")))?;
            (MailboxAct::Delete { mailbox: row.id }, format!("{} is deleted", shown(row)))
        }
        MailboxVerb::Subscribe { mailbox, .. } => {
            let row = find(mailbox)?;
            (MailboxAct::Subscribe { mailbox: row.id, on: true }, format!("{} is subscribed", shown(row)))
        }
        MailboxVerb::Unsubscribe { mailbox, .. } => {
            let row = find(mailbox)?;
            (MailboxAct::Subscribe { mailbox: row.id, on: false }, format!("{} is not subscribed", shown(row)))
        }
        MailboxVerb::Empty { mailbox, yes, .. } => {
            let row = find(mailbox)?;
            sure(*yes, &format!("Remove all that is in {}: {}", shown(row), plural(row.total.into(), "message", "messages")))?;
            (MailboxAct::Empty { mailbox: row.id }, format!("{} is emptied", shown(row)))
        }
    })
}

/// Asks, where somebody can answer; a script says `--yes`.
fn sure(yes: bool, question: &str) -> Result<(), Failure> {
    if yes || (prompt::somebody() && prompt::yes(question)?) {
        return Ok(());
    }
    Err(Failure::new(exit::USAGE, &format!("not done: {question}"), "Say --yes if that is meant"))
}
