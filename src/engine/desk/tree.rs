//! tree — a person's changes of the tree of mailboxes become entries of the journal.
//! Owns: `change`, what may be done to a mailbox. May import: store, mail, and the engine's own.
//! Start reading at: `change`. What a server would refuse anyhow is refused here, where the person can still mend it.

use super::intents::{self, Accounts};
use crate::engine::acts::{Act, EXPUNGE_HOLD, entry};
use crate::engine::api::{Done, Fault, Kind, MailboxAct};
use crate::engine::shared::Shared;
use crate::mail::ids::{AccountName, MailboxId};
use crate::mail::intent::{NewOperation, OpKind};
use crate::mail::mailbox::{MailboxPath, Role};
use crate::mail::row::MailboxRow;
use crate::store::journal::Command;
use crate::store::{mailboxes, placements, tree};

/// The labels of these commands, as the undo stack tells them.
pub(super) const WORDS: [&str; 6] = ["create mailbox", "rename mailbox", "delete mailbox", "subscribe", "unsubscribe", "empty"];

/// Carries a change out. What was done, and whose servers have to be told.
pub(super) fn change(shared: &Shared, act: MailboxAct) -> Result<(Done, Accounts), Fault> {
    match act {
        MailboxAct::Create { account, path } => {
            if shared.account(&account).is_none() {
                return Err(Fault::new(Kind::Config, "there is no such account"));
            }
            let delimiter = delimiter(shared, &account)?;
            free(shared, &account, &path, delimiter, true)?;
            write(
                shared,
                Command::new("create mailbox", false),
                vec![entry(&account, &path, OpKind::CreateMailbox { role: None })],
            )
        }
        MailboxAct::Rename { mailbox, to } => {
            let row = row(shared, mailbox)?;
            if row.path.is_inbox() {
                return Err(Fault::new(Kind::Usage, "the inbox cannot be renamed"));
            }
            if row.path == to {
                return Ok((Done { word: "rename mailbox", ..Done::default() }, Accounts::new()));
            }
            if to.is_within(&row.path, row.delimiter) {
                return Err(Fault::new(Kind::Usage, "a mailbox cannot be put below itself"));
            }
            // One that was wished before the first list may have none of its own.
            let delimiter = row.delimiter.map_or_else(|| delimiter(shared, &row.account), |d| Ok(Some(d)))?;
            free(shared, &row.account, &to, delimiter, false)?;
            let kind = OpKind::RenameMailbox { to, delimiter };
            write(shared, Command::new("rename mailbox", true), vec![entry(&row.account, &row.path, kind)])
        }
        MailboxAct::Delete { mailbox } => delete(shared, &row(shared, mailbox)?),
        MailboxAct::Subscribe { mailbox, on } => {
            let row = row(shared, mailbox)?;
            let word = if on { "subscribe" } else { "unsubscribe" };
            if row.subscribed == on {
                return Ok((Done { word, ..Done::default() }, Accounts::new()));
            }
            write(shared, Command::new(word, true), vec![entry(&row.account, &row.path, OpKind::SubscribeMailbox { on })])
        }
        MailboxAct::Empty { mailbox } => {
            let row = row(shared, mailbox)?;
            let targets = shared.store.read(|db| placements::visible(db, mailbox))?;
            let act = match row.role {
                Some(Role::Trash | Role::Junk) => Act::Expunge,
                _ => Act::File(Role::Trash),
            };
            intents::command(shared, &targets, &act, "empty", true)
        }
    }
}

fn row(shared: &Shared, id: MailboxId) -> Result<MailboxRow, Fault> {
    shared.store.read(|db| mailboxes::get(db, id)).map_err(|e| intents::gone(e, "there is no such mailbox any more"))
}

fn write(shared: &Shared, command: Command, operations: Vec<NewOperation>) -> Result<(Done, Accounts), Fault> {
    let count = intents::count(operations.len());
    let word = WORDS.into_iter().find(|w| *w == command.label).unwrap_or("command");
    let until = operations.iter().map(|o| o.not_before).max().filter(|at| *at > 0);
    let written = intents::record(shared, command, operations.into_iter().map(|o| (o, None)).collect())?;
    let done = Done { group: Some(written.group), count, word, until, ..Done::default() };
    Ok((done, intents::finish(shared, written.touched)?))
}

/// The account's hierarchy delimiter, as far as it is known.
fn delimiter(shared: &Shared, account: &AccountName) -> Result<Option<char>, Fault> {
    let rows = shared.store.read(|db| mailboxes::list(db, Some(account)))?;
    Ok(rows.into_iter().find_map(|row| row.delimiter))
}

/// Refuses a name that cannot be given, or is given; for a new mailbox that `holds` messages, not one that only holds others.
fn free(shared: &Shared, account: &AccountName, path: &MailboxPath, delimiter: Option<char>, holds: bool) -> Result<(), Fault> {
    path.check_new(delimiter).map_err(|why| Fault::new(Kind::Usage, why))?;
    let (taken, shown) = shared.store.read(|db| {
        let shown = mailboxes::list(db, Some(account))?.into_iter().find(|row| row.path == *path);
        Ok((tree::is_taken(db, account, path)?, shown))
    })?;
    match (taken, shown) {
        // What only holds others can be made one that holds messages (RFC 3501, 6.3.3).
        (_, Some(row)) if holds && !row.selectable => Ok(()),
        (_, Some(_)) => Err(Fault::new(Kind::Usage, "there is a mailbox of this name already")),
        (true, None) => Err(Fault::new(Kind::Busy, "the mailbox that had this name is not yet gone from the server")),
        (false, None) => Ok(()),
    }
}

/// The innermost first: a server keeps an empty shell of a mailbox that has others below it.
fn delete(shared: &Shared, row: &MailboxRow) -> Result<(Done, Accounts), Fault> {
    if row.path.is_inbox() {
        return Err(Fault::new(Kind::Usage, "the inbox cannot be deleted"));
    }
    let mut all = shared.store.read(|db| mailboxes::list(db, Some(&row.account)))?;
    all.retain(|other| other.path.is_within(&row.path, row.delimiter));
    all.sort_by_key(|other| std::cmp::Reverse(other.path.depth(row.delimiter)));
    let not_before = shared.now() + EXPUNGE_HOLD;
    let gone = all.iter().map(|other| NewOperation { not_before, ..entry(&row.account, &other.path, OpKind::DeleteMailbox) });
    write(shared, Command::new("delete mailbox", true), gone.collect())
}
