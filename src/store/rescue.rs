//! rescue — what can still be read of a state file that is damaged: what the person wrote.
//! Owns: `Remains`, `read`. May import: mail.
//! Start reading at: `read`. Nothing is written to the file, and it is opened for reading only.

use super::drafts::{self, Saved};
use super::open::{self, Db, State};
use super::outbox;
use crate::mail::ids::{DraftId, OutboxId};
use crate::mail::outgoing::Outgoing;
use std::path::Path;

/// What was read.
#[derive(Debug, Default)]
pub struct Remains {
    /// Unfinished mails.
    pub drafts: Vec<Saved>,
    /// Mails on their way out; their bytes are in the spool.
    pub outgoing: Vec<Outgoing>,
    /// Whether rows were there that could not be read, or none could be asked for.
    pub partly: bool,
}

/// Reads what can be read of the state in `dir`, row by row: one that is damaged does not hide the others.
#[must_use]
pub fn read(dir: &Path) -> Remains {
    let Ok(db) = open::open_reader::<State>(dir) else { return Remains { partly: true, ..Remains::default() } };
    let (drafts, no_draft) = rows(&db, "draft", |id| drafts::get(&db, DraftId(id)));
    let (outgoing, no_mail) = rows(&db, "outbox", |id| outbox::get(&db, OutboxId(id)));
    Remains { drafts, outgoing, partly: no_draft || no_mail }
}

/// The rows of a table of ours, and whether some are missing.
fn rows<T>(db: &Db<State>, table: &str, get: impl Fn(i64) -> super::Result<T>) -> (Vec<T>, bool) {
    let (mut numbers, mut partly) = (Vec::new(), false);
    // Once an error is met there, SQLite gives no further row.
    match db.conn().prepare(&format!("SELECT id FROM {table} ORDER BY id")) {
        Ok(mut found) => match found.query_map([], |r| r.get::<_, i64>(0)) {
            Ok(rows) => rows.for_each(|row| match row {
                Ok(id) => numbers.push(id),
                Err(_) => partly = true,
            }),
            Err(_) => partly = true,
        },
        Err(_) => partly = true,
    }
    let all: Vec<T> = numbers.iter().filter_map(|id| get(*id).ok()).collect();
    partly |= all.len() < numbers.len();
    (all, partly)
}
