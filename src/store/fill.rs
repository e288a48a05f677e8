//! fill — new messages on their way into the tables: many in one statement, for a statement costs more than a row.
//! Owns: `Fill`. May import: mail.
//! Start reading at: `flush`. Nobody but `messages::record_new` puts anything in, and it leaves nothing behind; whoever must see
//! all rows before that asks for `flush`.

use super::error::{Result, StoreError, StoreErrorKind};
use super::open::Cache;
use super::placements::{self, Sums};
use super::refs::Refs;
use super::writer::Tx;
use super::{messages, threads, unindexed};
use crate::mail::ids::{AccountName, MailboxId, MessageKey, ThreadKey};
use rusqlite::ToSql;
use std::collections::{BTreeMap, HashMap, HashSet};

/// How many rows one statement takes.
const ROWS: usize = 25;

/// A content that nobody has yet.
#[derive(Debug)]
pub(super) struct Content {
    pub key: MessageKey,
    pub sort: i64,
    pub thread: ThreadKey,
    pub object_id: String,
    pub message_id: String,
    pub received: i64,
    pub size: i64,
    pub attachments: i64,
    /// JSON.
    pub files: String,
    pub envelope: String,
}

/// Where it, or a content that was here before, lies.
#[derive(Debug)]
pub(super) struct Place {
    pub id: i64,
    pub message: MessageKey,
    pub thread: ThreadKey,
    pub sort: i64,
    pub uid: u32,
    pub flags: u8,
    pub words: String,
    pub unread: bool,
    /// Nothing else is in its conversation.
    pub lone: bool,
}

/// What is on its way.
#[derive(Debug, Default)]
pub(super) struct Fill {
    /// Whose, and where: all of it.
    account: String,
    mailbox: i64,
    contents: Vec<Content>,
    places: Vec<Place>,
    /// The last place taken in a second.
    seconds: HashMap<i64, i64>,
    objects: HashSet<String>,
    pub refs: Refs,
}

impl Fill {
    /// All that comes is of this account, in this mailbox.
    pub fn begin(&mut self, account: &AccountName, mailbox: MailboxId) {
        (self.account, self.mailbox) = (account.as_str().to_owned(), mailbox.0);
    }

    /// Whether a content of that object id is on its way.
    pub fn has_object(&self, object: &str) -> bool {
        self.objects.contains(object)
    }

    /// The place in the order of rows that is free at that second, as far as is known here.
    pub fn sort(&mut self, received: i64) -> i64 {
        let low = received << messages::SORT_BITS;
        *self.seconds.entry(received).and_modify(|last| *last += 1).or_insert(low)
    }

    pub fn content(&mut self, content: Content) {
        if !content.object_id.is_empty() {
            self.objects.insert(content.object_id.clone());
        }
        self.contents.push(content);
    }

    pub fn place(&mut self, place: Place) {
        self.places.push(place);
    }
}

// OR ROLLBACK: else SQLite keeps a copy of each page, to take back half a statement. What cannot be put in is damage, and then the
// whole transaction goes.
// For the same reason the numbers are not said, but looked at afterwards: they are AUTOINCREMENT's next ones.
// The uniqueness of all else than `sort` is looked after beforehand.
const CONTENT: Form = Form {
    into: "INSERT OR ROLLBACK INTO message (account, sort, thread, object_id, message_id, received, size, attachments, files, envelope)",
    row: "?1,#,#,#,#,#,#,#,#,#",
    end: "ON CONFLICT (sort) DO NOTHING",
};
// The same under a number that was given out before.
const NUMBERED: Form = Form {
    into: "INSERT OR ROLLBACK INTO message
             (account, id, sort, thread, object_id, message_id, received, size, attachments, files, envelope)",
    row: "?1,#,#,#,#,#,#,#,#,#,#",
    end: "",
};
// Numbers are never used again, so no wish can be about this one yet: what the server says is what is seen.
const PLACE: Form = Form {
    into: "INSERT OR ROLLBACK INTO placement (mailbox, message, thread, sort, uid, server_flags, flags, server_words, words)",
    row: "?1,#,#,#,#,#,=,#,=",
    end: "ON CONFLICT (mailbox, uid) WHERE uid IS NOT NULL DO NOTHING",
};
const THREAD: Form = Form {
    into: "INSERT OR ROLLBACK INTO thread_row (mailbox, thread, latest, placement, total, unread)",
    row: "?1,#,#,#,#,#",
    end: "",
};

/// Fails unless the last number that was given out is this one: whatever else names the rows does so by their numbers.
fn numbered(tx: &Tx<'_, Cache>, table: &str, last: Option<i64>) -> Result<()> {
    let Some(last) = last else { return Ok(()) };
    let sql = "SELECT seq FROM sqlite_sequence WHERE name = ?1";
    let given: i64 = tx.conn().prepare_cached(sql)?.query_row([table], |r| r.get(0))?;
    if given == last { Ok(()) } else { Err(contradiction()) }
}

fn contradiction() -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, "an index of the cache contradicts itself")
}

/// Puts everything into the tables.
pub(super) fn flush(tx: &mut Tx<'_, Cache>) -> Result<()> {
    let next = Fill { account: tx.fill.account.clone(), mailbox: tx.fill.mailbox, ..Fill::default() };
    let Fill { account, mailbox, mut contents, mut places, refs, .. } = std::mem::replace(&mut tx.fill, next);
    refs.flush(tx)?;
    let taken = insert(tx, &CONTENT, &account, &contents, Content::bind)?;
    numbered(tx, "message", contents.last().map(|c| c.key.0))?;
    if taken < contents.len() {
        let moved = move_up(tx, &account, &mut contents)?;
        for place in &mut places {
            place.sort = moved.get(&place.message.0).copied().unwrap_or(place.sort);
        }
    }
    fresh(tx, &contents)?;
    if insert(tx, &PLACE, &mailbox, &places, Place::bind)? < places.len() {
        // Whoever asks for this has looked, and did not find it.
        return Err(contradiction());
    }
    numbered(tx, "placement", places.last().map(|p| p.id))?;
    count(tx, mailbox, &places)
}

/// The headers of these are indexed in an idle moment.
fn fresh(tx: &mut Tx<'_, Cache>, contents: &[Content]) -> Result<()> {
    let (Some(first), Some(last)) = (contents.first(), contents.last()) else { return Ok(()) };
    tx.fresh = true;
    let sorts = contents.iter().fold((i64::MAX, 0), |(low, high), c| (low.min(c.sort), high.max(c.sort)));
    unindexed::add(tx, unindexed::Span { ids: (first.key.0, last.key.0), sorts })
}

/// Something else was received in the same second: all that come now with that second get a place behind it, in their order, also
/// those that found room among the others. Which by number.
fn move_up(tx: &Tx<'_, Cache>, account: &str, contents: &mut [Content]) -> Result<HashMap<i64, i64>> {
    let here = |content: &Content| -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM message WHERE id = ?1)";
        Ok(tx.conn().prepare_cached(sql)?.query_row([content.key.0], |r| r.get(0))?)
    };
    let mut shared = HashSet::new();
    for content in contents.iter() {
        if !shared.contains(&content.received) && !here(content)? {
            shared.insert(content.received);
        }
    }
    let mut moved = HashMap::new();
    for content in contents.iter_mut().filter(|content| shared.contains(&content.received)) {
        content.sort = messages::next_sort(tx, content.received)?;
        if here(content)? {
            let sql = "UPDATE message SET sort = ?2 WHERE id = ?1";
            tx.conn().prepare_cached(sql)?.execute((content.key.0, content.sort))?;
        } else {
            insert(tx, &NUMBERED, &account, std::slice::from_ref(&*content), |content, to| {
                to.push(&content.key.0);
                content.bind(to);
            })?;
        }
        moved.insert(content.key.0, content.sort);
    }
    Ok(moved)
}

/// Counts the places in their mailbox and in the rows of their conversations.
fn count(tx: &mut Tx<'_, Cache>, mailbox: i64, places: &[Place]) -> Result<()> {
    let mut fresh: BTreeMap<i64, threads::Sum> = BTreeMap::new();
    let mut known: BTreeMap<i64, threads::Sum> = BTreeMap::new();
    let mut sums = Sums::default();
    for place in places {
        let key = place.thread.0;
        let one = threads::Sum { latest: place.sort, placement: place.id, total: 1, unread: i64::from(place.unread) };
        match fresh.get_mut(&key) {
            Some(sum) => sum.add(one),
            None if place.lone => drop(fresh.insert(key, one)),
            None => {
                known.entry(key).and_modify(|sum| sum.add(one)).or_insert(one);
            }
        }
        sums.total += 1;
        sums.unread += one.unread;
        sums.threads += i64::from(place.lone);
    }
    let fresh: Vec<_> = fresh.into_iter().collect();
    insert(tx, &THREAD, &mailbox, &fresh, |(thread, sum), to| {
        to.extend([thread as &dyn ToSql, &sum.latest, &sum.placement, &sum.total, &sum.unread]);
    })?;
    for (thread, sum) in known {
        sums.threads += threads::add(tx, mailbox, thread, sum)?;
    }
    if !places.is_empty() {
        placements::add(tx, MailboxId(mailbox), sums);
    }
    Ok(())
}

/// A statement that puts rows in.
struct Form {
    into: &'static str,
    /// The values of a row: `?1` is the one that all rows share, `#` one of its own, `=` the one before it again.
    row: &'static str,
    end: &'static str,
}

impl Form {
    fn of(&self, rows: usize) -> String {
        let mut sql = format!("{} VALUES ", self.into);
        let mut number = 1;
        for n in 0..rows {
            sql.push_str(if n == 0 { "(" } else { ",(" });
            for mark in self.row.chars() {
                number += usize::from(mark == '#');
                match mark {
                    '#' | '=' => sql.push_str(&format!("?{number}")),
                    other => sql.push(other),
                }
            }
            sql.push(')');
        }
        sql + " " + self.end
    }
}

/// Inserts rows, [`ROWS`] by a statement; how many were taken.
fn insert<T>(
    tx: &Tx<'_, Cache>,
    form: &Form,
    shared: &dyn ToSql,
    rows: &[T],
    bind: impl for<'a> Fn(&'a T, &mut Vec<&'a dyn ToSql>),
) -> Result<usize> {
    let (mut taken, mut sql) = (0, (String::new(), 0));
    let mut values: Vec<&dyn ToSql> = Vec::new();
    let whole = rows.len() - rows.len() % ROWS;
    let (many, few) = rows.split_at(whole);
    for part in many.chunks(ROWS).chain(few.chunks(1)) {
        values.clear();
        values.push(shared);
        part.iter().for_each(|row| bind(row, &mut values));
        if sql.1 != part.len() {
            sql = (form.of(part.len()), part.len());
        }
        taken += tx.conn().prepare_cached(&sql.0)?.execute(values.as_slice())?;
    }
    Ok(taken)
}

impl Content {
    fn bind<'a>(&'a self, to: &mut Vec<&'a dyn ToSql>) {
        to.extend([
            &self.sort as &dyn ToSql,
            &self.thread.0,
            &self.object_id,
            &self.message_id,
            &self.received,
            &self.size,
            &self.attachments,
            &self.files,
            &self.envelope,
        ]);
    }
}

impl Place {
    fn bind<'a>(&'a self, to: &mut Vec<&'a dyn ToSql>) {
        to.extend([&self.message.0 as &dyn ToSql, &self.thread.0, &self.sort, &self.uid, &self.flags, &self.words]);
    }
}

#[cfg(test)]
mod tests;
