//! fill — new messages on their way into the tables: many in one statement, for a statement costs more than a row.
//! Owns: `Fill`. May import: mail.
//! Start reading at: `flush`. Nobody but `messages::record_new` puts anything in, and it leaves nothing behind; whoever must see
//! all rows before that asks for `flush`.

use super::error::{Result, StoreError, StoreErrorKind};
use super::open::Cache;
use super::placements::{self, Sums};
use super::refs::Refs;
use super::writer::Tx;
use super::{messages, threads};
use crate::mail::ids::{MailboxId, MessageKey, ThreadKey};
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
    pub account: String,
    pub object_id: String,
    pub message_id: String,
    pub date: i64,
    pub received: i64,
    pub size: i64,
    pub from_name: String,
    pub from_addr: String,
    /// Packed, as the envelope.
    pub recipients: String,
    pub subject: String,
    pub attachments: i64,
    /// JSON.
    pub files: String,
    pub envelope: String,
}

/// Where it, or a content that was here before, lies.
#[derive(Debug)]
pub(super) struct Place {
    pub id: i64,
    pub mailbox: MailboxId,
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
    contents: Vec<Content>,
    places: Vec<Place>,
    /// The last place taken in a second.
    seconds: HashMap<i64, i64>,
    objects: HashSet<String>,
    pub refs: Refs,
}

impl Fill {
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
const CONTENT: &str =
    "INSERT OR ROLLBACK INTO message (account, sort, thread, object_id, message_id, date, received, size, from_name,
    from_addr, recipients, subject, attachments, files, envelope)";
// The uniqueness of all else is looked after beforehand.
const CONTENT_END: &str = "ON CONFLICT (sort) DO NOTHING";
// Numbers are never used again, so no wish can be about this one yet: what the server says is what is seen.
const PLACE: &str =
    "INSERT OR ROLLBACK INTO placement (mailbox, message, thread, sort, uid, server_flags, server_words, flags, words)";
const PLACE_END: &str = "ON CONFLICT (mailbox, uid) WHERE uid IS NOT NULL DO NOTHING";
const THREAD: &str = "INSERT OR ROLLBACK INTO thread_row (mailbox, thread, latest, placement, total, unread)";

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
    let Fill { mut contents, mut places, refs, .. } = std::mem::take(&mut tx.fill);
    refs.flush(tx)?;
    let taken = insert(tx, CONTENT, CONTENT_END, &contents, Content::bind)?;
    numbered(tx, "message", contents.last().map(|c| c.key.0))?;
    if taken < contents.len() {
        let moved = move_up(tx, &mut contents)?;
        for place in &mut places {
            place.sort = moved.get(&place.message.0).copied().unwrap_or(place.sort);
        }
    }
    // Their headers are indexed in an idle moment.
    tx.fresh |= !contents.is_empty();
    if insert(tx, PLACE, PLACE_END, &places, Place::bind)? < places.len() {
        // Whoever asks for this has looked, and did not find it.
        return Err(contradiction());
    }
    numbered(tx, "placement", places.last().map(|p| p.id))?;
    count(tx, &places)
}

/// Something else was received in the same second: those that found no room get a place behind it. Which by number.
fn move_up(tx: &Tx<'_, Cache>, contents: &mut [Content]) -> Result<HashMap<i64, i64>> {
    let mut moved = HashMap::new();
    for content in contents {
        let here = "SELECT EXISTS (SELECT 1 FROM message WHERE id = ?1)";
        if tx.conn().prepare_cached(here)?.query_row([content.key.0], |r| r.get(0))? {
            continue;
        }
        content.sort = messages::next_sort(tx, content.received)?;
        let numbered = CONTENT.replace("(account", "(id, account");
        insert(tx, &numbered, "", std::slice::from_ref(&*content), |content, to| {
            to.push(&content.key.0);
            content.bind(to);
        })?;
        moved.insert(content.key.0, content.sort);
    }
    Ok(moved)
}

/// Counts the places in their mailboxes and in the rows of their conversations.
fn count(tx: &mut Tx<'_, Cache>, places: &[Place]) -> Result<()> {
    let mut fresh: BTreeMap<(i64, i64), threads::Sum> = BTreeMap::new();
    let mut known: BTreeMap<(i64, i64), threads::Sum> = BTreeMap::new();
    for place in places {
        let key = (place.mailbox.0, place.thread.0);
        let one = threads::Sum { latest: place.sort, placement: place.id, total: 1, unread: i64::from(place.unread) };
        match fresh.get_mut(&key) {
            Some(sum) => sum.add(one),
            None if place.lone => drop(fresh.insert(key, one)),
            None => {
                known.entry(key).and_modify(|sum| sum.add(one)).or_insert(one);
            }
        }
        placements::add(tx, place.mailbox, Sums { total: 1, unread: one.unread, threads: i64::from(place.lone) });
    }
    let fresh: Vec<_> = fresh.into_iter().collect();
    insert(tx, THREAD, "", &fresh, |((mailbox, thread), sum), to| {
        to.extend([mailbox as &dyn ToSql, thread, &sum.latest, &sum.placement, &sum.total, &sum.unread]);
    })?;
    for ((mailbox, thread), sum) in known {
        let more = threads::add(tx, mailbox, thread, sum)?;
        placements::add(tx, MailboxId(mailbox), Sums { total: 0, unread: 0, threads: more });
    }
    Ok(())
}

/// Inserts rows, [`ROWS`] by a statement; how many were taken.
fn insert<T>(
    tx: &Tx<'_, Cache>,
    into: &str,
    end: &str,
    rows: &[T],
    bind: impl for<'a> Fn(&'a T, &mut Vec<&'a dyn ToSql>),
) -> Result<usize> {
    let (mut taken, mut sql) = (0, (String::new(), 0));
    let mut values: Vec<&dyn ToSql> = Vec::new();
    let whole = rows.len() - rows.len() % ROWS;
    let (many, few) = rows.split_at(whole);
    for part in many.chunks(ROWS).chain(few.chunks(1)) {
        values.clear();
        part.iter().for_each(|row| bind(row, &mut values));
        if sql.1 != part.len() {
            let marks = vec!["?"; values.len() / part.len()].join(",");
            let all = vec![format!("({marks})"); part.len()].join(",");
            sql = (format!("{into} VALUES {all} {end}"), part.len());
        }
        taken += tx.conn().prepare_cached(&sql.0)?.execute(values.as_slice())?;
    }
    Ok(taken)
}

impl Content {
    fn bind<'a>(&'a self, to: &mut Vec<&'a dyn ToSql>) {
        to.extend([
            &self.account as &dyn ToSql,
            &self.sort,
            &self.thread.0,
            &self.object_id,
            &self.message_id,
            &self.date,
            &self.received,
            &self.size,
            &self.from_name,
            &self.from_addr,
            &self.recipients,
            &self.subject,
            &self.attachments,
            &self.files,
            &self.envelope,
        ]);
    }
}

impl Place {
    fn bind<'a>(&'a self, to: &mut Vec<&'a dyn ToSql>) {
        to.extend([&self.mailbox.0 as &dyn ToSql, &self.message.0, &self.thread.0, &self.sort, &self.uid]);
        to.extend([&self.flags as &dyn ToSql, &self.words, &self.flags, &self.words]);
    }
}

#[cfg(test)]
mod tests;
