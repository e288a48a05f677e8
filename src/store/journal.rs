//! journal — the person's intents toward the servers, in the order of their acts.
//! Owns: the tables `command` and `operation`. May import: mail.
//! Start reading at: `append`. What may happen to an operation is decided in `engine/journal` and `engine/plan`; here it is
//! kept. Nothing in it names a row of the cache (decisions 2).

mod names;

pub use names::{Named, aim, divided, placed, renamed};

use super::change::Topic;
use super::error::{Result, StoreError};
use super::open::{Db, State};
use super::writer::Tx;
use crate::mail::flags::FlagDelta;
use crate::mail::ids::{AccountName, GroupId, OpId};
use crate::mail::intent::{Mark, NewOperation, OpKind, OpState, Operation, Target, delta_words};
use crate::mail::mailbox::MailboxPath;
use crate::mail::server::Fingerprint;
use crate::mail::uid::UidValidity;
use rusqlite::{OptionalExtension, Row};

const COLUMNS: &str = "id, command, account, mailbox, kind, targets, state, attempts, not_before, after, mark_validity,
    mark_uidnext, results, inverse, fault, created, here, there";

fn damaged(what: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, what.into())
}

fn json<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    serde_json::from_str(row.get_ref(column)?.as_str()?).map_err(|e| damaged(&e.to_string()))
}

fn text<T: serde::Serialize + ?Sized>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|e| StoreError::invalid(&e.to_string()))
}

fn words(deltas: &[FlagDelta]) -> Result<String> {
    text(&deltas.iter().map(delta_words::to_text).collect::<Vec<_>>())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Operation> {
    let after: i64 = row.get(9)?;
    let mark = match (row.get(10)?, row.get(11)?) {
        (Some(validity), Some(uidnext)) => Some(Mark { uidvalidity: UidValidity(validity), uidnext }),
        _ => None,
    };
    Ok(Operation {
        id: OpId(row.get(0)?),
        group: GroupId(row.get(1)?),
        account: AccountName::new(row.get_ref(2)?.as_str()?),
        mailbox: MailboxPath::from_stored(row.get_ref(3)?.as_str()?),
        kind: json(row, 4)?,
        targets: json(row, 5)?,
        state: OpState::parse(row.get_ref(6)?.as_str()?).ok_or_else(|| damaged("state"))?,
        attempts: row.get(7)?,
        not_before: row.get(8)?,
        after: (after != 0).then_some(OpId(after)),
        mark,
        results: json(row, 12)?,
        inverse: json::<Vec<String>>(row, 13)?.iter().map(|w| delta_words::from_text(w)).collect(),
        fault: row.get(14)?,
        created: row.get(15)?,
        here: json(row, 16)?,
        there: json(row, 17)?,
    })
}

fn select(db: &Db<State>, condition: &str, values: impl rusqlite::Params) -> Result<Vec<Operation>> {
    let sql = format!("SELECT {COLUMNS} FROM operation WHERE {condition} ORDER BY id");
    Ok(db.conn().prepare_cached(&sql)?.query_map(values, read)?.collect::<rusqlite::Result<_>>()?)
}

/// What a command is, beside its operations.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    /// What the person did, for "undo: archive 3".
    pub label: String,
    /// Whether `u` takes it back.
    pub undoable: bool,
    /// The command that it takes back.
    pub undoes: Option<GroupId>,
    /// The taken back command that it does again.
    pub redoes: Option<GroupId>,
}

impl Command {
    /// An ordinary one.
    #[must_use]
    pub fn new(label: &str, undoable: bool) -> Self {
        Self { label: label.to_owned(), undoable, undoes: None, redoes: None }
    }
}

/// Begins a command at `now` (seconds since 1970). When the transaction returns, it is on the disk.
///
/// # Errors
/// As every transaction.
pub fn begin(tx: &mut Tx<'_, State>, command: &Command, now: i64) -> Result<GroupId> {
    let sql = "INSERT INTO command (label, undoable, undoes, redoes, created) VALUES (?1, ?2, ?3, ?4, ?5)";
    let number = |g: Option<GroupId>| g.map_or(0, |g| g.0);
    let undoable = command.undoable && command.undoes.is_none();
    let values = (&command.label, undoable, number(command.undoes), number(command.redoes), now);
    tx.conn().prepare_cached(sql)?.execute(values)?;
    let id = GroupId(tx.conn().last_insert_rowid());
    for (column, other) in [("undone", command.undoes), ("redone", command.redoes)] {
        if let Some(other) = other {
            tx.conn().execute(&format!("UPDATE command SET {column} = ?2 WHERE id = ?1"), (other.0, id.0))?;
        }
    }
    Ok(id)
}

/// Appends operations to a command.
///
/// # Errors
/// As every transaction.
pub fn append(tx: &mut Tx<'_, State>, group: GroupId, operations: Vec<NewOperation>, now: i64) -> Result<Vec<Operation>> {
    let sql = "INSERT INTO operation (command, account, mailbox, kind, targets, not_before, after, inverse, created, here, there)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    let mut appended = Vec::with_capacity(operations.len());
    for new in operations {
        tx.conn().prepare_cached(sql)?.execute((
            group.0,
            new.account.as_str(),
            new.mailbox.as_str(),
            text(&new.kind)?,
            text(&new.targets)?,
            new.not_before,
            new.after.map_or(0, |o| o.0),
            words(&new.inverse)?,
            now,
            text(&new.here)?,
            text(&new.there)?,
        ))?;
        tx.note(Topic::Journal(new.account.clone()));
        appended.push(Operation {
            id: OpId(tx.conn().last_insert_rowid()),
            group,
            account: new.account,
            mailbox: new.mailbox,
            kind: new.kind,
            targets: new.targets,
            state: OpState::Queued,
            attempts: 0,
            not_before: new.not_before,
            after: new.after,
            mark: None,
            results: Vec::new(),
            inverse: new.inverse,
            fault: String::new(),
            created: now,
            here: new.here,
            there: new.there,
        });
        appended.last().map_or(Ok(()), |new| names::wished(tx, new))?;
    }
    Ok(appended)
}

/// One operation.
///
/// # Errors
/// `Missing` if there is none of that number.
pub fn get(db: &Db<State>, id: OpId) -> Result<Operation> {
    find(db, id)?.ok_or_else(|| StoreError::missing("operation"))
}

/// One operation, if it is not forgotten yet.
///
/// # Errors
/// As every question.
pub fn find(db: &Db<State>, id: OpId) -> Result<Option<Operation>> {
    Ok(select(db, "id = ?1", [id.0])?.pop())
}

/// The operations of one command, ascending.
///
/// # Errors
/// As every question.
pub fn group(db: &Db<State>, id: GroupId) -> Result<Vec<Operation>> {
    select(db, "command = ?1", [id.0])
}

/// All operations that the server may still have to be told of, ascending; of one account or of all.
///
/// # Errors
/// As every question.
pub fn pending(db: &Db<State>, account: Option<&AccountName>) -> Result<Vec<Operation>> {
    let mut open = queue(db, account)?;
    open.retain(|o| o.state.pending());
    Ok(open)
}

/// What the person sees of the journal: pending operations and parked ones.
///
/// # Errors
/// As every question.
pub fn queue(db: &Db<State>, account: Option<&AccountName>) -> Result<Vec<Operation>> {
    let condition = "state NOT IN ('settled', 'moot', 'withdrawn') AND (?1 IS NULL OR account = ?1)";
    select(db, condition, [account.map(AccountName::as_str)])
}

/// Changes one operation: reads it, lets `change` decide, writes what may change (state, attempts, not before, mark,
/// targets, results, fault, which mailboxes are meant) in the same transaction, so that two processes cannot both claim it. Settling it turns every
/// `ResultOf` that names it into `Server`, where the server said where the message is. Gives the operations as they are
/// now: the changed one first, then those whose targets were rewritten; each of them is to be laid over the cache again.
///
/// # Errors
/// `Missing` if there is none of that number; what `change` gives.
pub fn update(tx: &mut Tx<'_, State>, id: OpId, change: impl FnOnce(&mut Operation) -> Result<()>) -> Result<Vec<Operation>> {
    let mut operation = get(tx, id)?;
    let before = operation.clone();
    change(&mut operation)?;
    if operation == before {
        return Ok(vec![operation]);
    }
    write(tx, &operation)?;
    let mut touched = names::follow(tx, &before, &operation)?;
    if operation.state == OpState::Settled {
        touched.extend(resolve(tx, &operation)?);
    }
    touched.insert(0, operation);
    Ok(touched)
}

fn write(tx: &mut Tx<'_, State>, operation: &Operation) -> Result<()> {
    let sql = "UPDATE operation SET state = ?2, attempts = ?3, not_before = ?4, mark_validity = ?5, mark_uidnext = ?6,
                 targets = ?7, results = ?8, fault = ?9, here = ?10, there = ?11 WHERE id = ?1";
    tx.conn().prepare_cached(sql)?.execute((
        operation.id.0,
        operation.state.word(),
        operation.attempts,
        operation.not_before,
        operation.mark.map(|m| m.uidvalidity.0),
        operation.mark.map(|m| m.uidnext),
        text(&operation.targets)?,
        text(&operation.results)?,
        &operation.fault,
        text(&operation.here)?,
        text(&operation.there)?,
    ))?;
    tx.note(Topic::Journal(operation.account.clone()));
    Ok(())
}

/// What the `index`-th message that `operation` made looks like.
fn print(operation: &Operation, index: usize) -> Option<Fingerprint> {
    match (&operation.kind, operation.targets.get(index)) {
        (OpKind::Append { print, .. }, _) => Some(print.clone()),
        (_, Some(Target::Server { print, .. })) => Some(print.clone()),
        _ => None,
    }
}

fn resolve(tx: &mut Tx<'_, State>, settled: &Operation) -> Result<Vec<Operation>> {
    let mut touched = Vec::new();
    // Those that name it came after it.
    for mut later in pending(tx, Some(&settled.account))?.into_iter().filter(|o| o.id > settled.id) {
        let mut changed = false;
        for target in &mut later.targets {
            let Target::ResultOf { op, index } = *target else { continue };
            let index = index as usize;
            let result = settled.results.get(index).copied().flatten();
            if let (true, Some((uidvalidity, uid)), Some(print)) = (op == settled.id, result, print(settled, index)) {
                *target = Target::Server { uidvalidity, uid, print };
                changed = true;
            }
        }
        if changed {
            write(tx, &later)?;
            touched.push(later);
        }
    }
    Ok(touched)
}

/// At a start, before anything else: what was in flight when the last process ended may have reached the server.
///
/// # Errors
/// As every transaction.
pub fn recover(tx: &mut Tx<'_, State>) -> Result<()> {
    tx.conn().execute("UPDATE operation SET state = 'uncertain' WHERE state = 'in_flight'", [])?;
    Ok(())
}

/// The command that one undo takes back now, with its label.
///
/// # Errors
/// As every question.
pub fn undo_next(db: &Db<State>) -> Result<Option<(GroupId, String)>> {
    let sql = "SELECT id, label FROM command WHERE undoable = 1 AND undone = 0 AND undoes = 0 ORDER BY id DESC LIMIT 1";
    let found = db.conn().prepare_cached(sql)?.query_row([], |r| Ok((GroupId(r.get(0)?), r.get(1)?)));
    Ok(found.optional()?)
}

/// The command that took `group` back.
///
/// # Errors
/// As every question.
pub fn undone_by(db: &Db<State>, group: GroupId) -> Result<Option<GroupId>> {
    let sql = "SELECT undone FROM command WHERE id = ?1 AND undone <> 0";
    Ok(db.conn().prepare_cached(sql)?.query_row([group.0], |r| r.get(0).map(GroupId)).optional()?)
}

/// The command that one redo does again now, with its label: the one taken back last, unless something else was done since.
///
/// # Errors
/// As every question.
pub fn redo_next(db: &Db<State>) -> Result<Option<(GroupId, String)>> {
    let sql = "SELECT id, label FROM command c WHERE undone <> 0 AND redone = 0 AND NOT EXISTS (
                 SELECT 1 FROM command d WHERE d.id > c.undone AND d.undoable = 1 AND d.undoes = 0 AND d.redoes = 0)
               ORDER BY undone DESC LIMIT 1";
    let found = db.conn().prepare_cached(sql)?.query_row([], |r| Ok((GroupId(r.get(0)?), r.get(1)?)));
    Ok(found.optional()?)
}

/// Forgets commands from before `before` (seconds since 1970) of which nothing is pending or parked, and that made no draft's copy. How many.
///
/// # Errors
/// As every transaction.
pub fn prune(tx: &mut Tx<'_, State>, before: i64) -> Result<usize> {
    let old = "SELECT id FROM command c WHERE created < ?1 AND NOT EXISTS (
                 SELECT 1 FROM operation o WHERE o.command = c.id AND (o.state NOT IN ('settled', 'moot', 'withdrawn')
                   OR EXISTS (SELECT 1 FROM draft_copy d WHERE d.op = o.id)))";
    tx.conn().execute(&format!("DELETE FROM operation WHERE command IN ({old})"), [before])?;
    Ok(tx.conn().execute(&format!("DELETE FROM command WHERE id IN ({old})"), [before])?)
}

#[cfg(test)]
mod tests;
