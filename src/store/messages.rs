//! messages — contents, wherever they lie.
//! Owns: the table `message`. May import: mail.
//! Start reading at: `record_new`. Two placements share a content only if the server said so (object id, COPYUID); never
//! because of a Message-ID, which may repeat and may lie.

use super::error::{Result, StoreError, StoreErrorKind};
use super::open::{Cache, Db};
use super::writer::Tx;
use super::{base, details, fill, fts, keywords, overlay, parts, placements, poison, refs, threads, unindexed};
use crate::mail::envelope::{Envelope, MessageId};
use crate::mail::flags::Flag;
use crate::mail::ids::{AccountName, MailboxId, MessageKey, PlacementKey, ThreadKey};
use crate::mail::packed::{self, Kin, Packed};
use crate::mail::server::{EnvelopeSeen, Fingerprint, IdentitySeen};
use crate::mail::uid::{Uid, UidSet, UidValidity};
use rusqlite::OptionalExtension;
use std::cmp::Reverse;

/// How many bits of `sort` tell messages of one second apart.
pub(super) const SORT_BITS: u32 = 24;
/// INTERNALDATE beyond this (the year 10889) is kept as this: `sort` must fit 63 bits.
pub(super) const LATEST: i64 = (1 << 38) - 1;

/// What the reader needs of a content.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Content {
    /// Its number.
    pub key: MessageKey,
    /// Whose.
    pub account: AccountName,
    /// Its conversation.
    pub thread: ThreadKey,
    /// All headers that a reply needs.
    pub envelope: Envelope,
    /// INTERNALDATE, seconds since 1970.
    pub received: i64,
    /// Octets.
    pub size: u64,
    /// The attachments' names (untrusted).
    pub files: Vec<String>,
    /// The name of its bytes in `blobs/`, "" while they are not here.
    pub blob: String,
    /// Whether the server had told something else of it than its bytes say (security S-28).
    pub untrue: bool,
}

/// By how many octets a size that a server tells may be wrong before it is said to be: some count line breaks as one octet.
const fn doubt(size: u64) -> u64 {
    1_024 + size / 10
}

/// Records messages that the cache did not have, under the UIDVALIDITY that their UIDs were given under. May be
/// repeated.
///
/// # Errors
/// `Invalid` if the mailbox stands under another UIDVALIDITY.
pub fn record_new(tx: &mut Tx<'_, Cache>, mailbox: MailboxId, validity: UidValidity, rows: &[EnvelopeSeen]) -> Result<()> {
    base::begin(tx, mailbox, validity)?;
    let account = base::account(tx, mailbox)?;
    let mut ground = Ground::of(tx, mailbox, rows)?;
    details::lack(tx, mailbox, rows)?;
    tx.fill.begin(&account, mailbox);
    // Newest first, as most indices have them: then each row comes right behind the one before.
    let mut rows: Vec<(&EnvelopeSeen, Kin<'_>)> = rows.iter().map(|row| (row, row.envelope.kin())).collect();
    rows.sort_by_key(|(row, _)| Reverse(row.received));
    refs::look_up(tx, &account, rows.iter().flat_map(|(_, kin)| threads::ids(kin)))?;
    for (row, kin) in rows {
        record_one(tx, &account, mailbox, (row, &kin), &mut ground)?;
    }
    fill::flush(tx)
}

/// What is looked up once for many rows: in a first sync nothing stands in their way.
struct Ground {
    /// UIDs that are cached, from the lowest to the highest of the rows.
    known: UidSet,
    /// Whether provisional placements wait for their UIDs here.
    waiting: bool,
    /// Whether wishes wait for messages that are not here.
    wished: bool,
    /// The numbers of the next content and of the next placement.
    next: (i64, i64),
}

impl Ground {
    fn of(tx: &Tx<'_, Cache>, mailbox: MailboxId, rows: &[EnvelopeSeen]) -> Result<Self> {
        let (low, high) = rows.iter().fold((u32::MAX, 0), |(low, high), r| (low.min(r.uid.get()), high.max(r.uid.get())));
        let says = |sql: &str| -> Result<bool> { Ok(tx.conn().prepare_cached(sql)?.query_row([mailbox.0], |r| r.get(0))?) };
        Ok(Self {
            known: placements::uids_between(tx, mailbox, low, high)?,
            waiting: says("SELECT EXISTS (SELECT 1 FROM placement WHERE mailbox = ?1 AND uid IS NULL AND waiting > 0)")?,
            wished: says("SELECT EXISTS (SELECT 1 FROM wish WHERE mailbox = ?1 AND uid <> 0 AND place = 0)")?,
            next: next(tx)?,
        })
    }
}

/// AUTOINCREMENT's own next numbers of contents and placements, taken beforehand: a thread is called after its first message.
fn next(tx: &Tx<'_, Cache>) -> Result<(i64, i64)> {
    let of = |table: &str| -> Result<i64> {
        let sql = "SELECT seq + 1 FROM sqlite_sequence WHERE name = ?1";
        Ok(tx.conn().prepare_cached(sql)?.query_row([table], |r| r.get(0))?)
    };
    Ok((of("message")?, of("placement")?))
}

fn record_one(
    tx: &mut Tx<'_, Cache>,
    account: &AccountName,
    mailbox: MailboxId,
    (row, kin): (&EnvelopeSeen, &Kin<'_>),
    ground: &mut Ground,
) -> Result<()> {
    let uid = row.uid.get();
    if ground.known.contains(row.uid) {
        fill::flush(tx)?;
        return match placements::by_uid(tx, mailbox, uid)? {
            Some(known) => placements::set_server(tx, known.id, &row.flags),
            None => Err(StoreError::new(StoreErrorKind::Corrupt, "an index of the cache contradicts itself")),
        };
    }
    ground.known.insert(row.uid);
    if ground.waiting
        && let Some(waiting) = waiting(tx, mailbox, row, kin)?
    {
        fill::flush(tx)?;
        overlay::number(tx, waiting, uid, &row.flags)?;
        ground.next = next(tx)?;
        return Ok(());
    }
    if tx.fill.has_object(&row.object_id) {
        fill::flush(tx)?;
    }
    let ((message, thread, sort), lone) = match shared(tx, account, mailbox, &row.object_id)? {
        Some(of) => (of, false),
        None => prepare(tx, account, row, kin, &mut ground.next.0)?,
    };
    let id = ground.next.1;
    ground.next.1 += 1;
    let (flags, words) = keywords::columns(&row.flags);
    let unread = !row.flags.has(Flag::Seen);
    tx.fill.place(fill::Place { id, message, thread, sort, uid, flags, words, unread, lone });
    if ground.wished {
        fill::flush(tx)?;
        overlay::arrived(tx, mailbox, uid, PlacementKey(id))?;
        ground.next = next(tx)?;
    }
    Ok(())
}

/// A content with that object id that does not lie in this mailbox already: there `sort` must stay unique.
fn shared(tx: &Tx<'_, Cache>, account: &AccountName, mailbox: MailboxId, object: &str) -> Result<Option<Of>> {
    if object.is_empty() {
        return Ok(None);
    }
    let sql = "SELECT id, thread, sort FROM message m WHERE account = ?1 AND object_id = ?2
               AND NOT EXISTS (SELECT 1 FROM placement p WHERE p.sort = m.sort AND p.mailbox = ?3 AND p.hidden = 0)";
    let found = tx
        .conn()
        .prepare_cached(sql)?
        .query_row((account.as_str(), object, mailbox.0), |r| Ok((MessageKey(r.get(0)?), ThreadKey(r.get(1)?), r.get(2)?)));
    Ok(found.optional()?)
}

/// The provisional placement that waits for exactly this message: its move or copy is done, its UID was not told.
fn waiting(tx: &Tx<'_, Cache>, mailbox: MailboxId, row: &EnvelopeSeen, kin: &Kin<'_>) -> Result<Option<PlacementKey>> {
    let sql = "SELECT p.id FROM placement p JOIN message m ON m.id = p.message
               WHERE p.mailbox = ?1 AND p.uid IS NULL AND p.waiting > 0 AND m.message_id = ?2 AND m.size = ?3 AND m.received = ?4
               ORDER BY p.id LIMIT 1";
    let id = kin.own.unwrap_or_default();
    let found = tx.conn().prepare_cached(sql)?.query_row((mailbox.0, id, to_i64(row.size), clamp(row.received)), |r| r.get(0));
    Ok(found.optional()?.map(PlacementKey))
}

fn clamp(received: i64) -> i64 {
    received.clamp(0, LATEST)
}

pub(super) fn to_i64(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

/// A stored size; what was damaged to below 0 is 0.
pub(super) fn from_i64(size: i64) -> u64 {
    u64::try_from(size).unwrap_or(0)
}

/// The next free place in the order of rows at that second.
pub(super) fn next_sort(tx: &Tx<'_, Cache>, received: i64) -> Result<i64> {
    let mut second = received;
    loop {
        let (low, high) = (second << SORT_BITS, (second << SORT_BITS) | ((1 << SORT_BITS) - 1));
        let sql = "SELECT max(sort) FROM message WHERE sort BETWEEN ?1 AND ?2";
        let last: Option<i64> = tx.conn().prepare_cached(sql)?.query_row((low, high), |r| r.get(0))?;
        match last {
            None => return Ok(low),
            Some(last) if last < high => return Ok(last + 1),
            // 16 million messages in one second: a server that lies. They flow over into the next one.
            Some(_) => second += 1,
        }
    }
}

fn json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|e| StoreError::invalid(&e.to_string()))
}

/// A content's number, its conversation and its place in the order of rows.
type Of = (MessageKey, ThreadKey, i64);

/// A new content; whether it is alone in its conversation.
fn prepare(
    tx: &mut Tx<'_, Cache>,
    account: &AccountName,
    row: &EnvelopeSeen,
    kin: &Kin<'_>,
    next: &mut i64,
) -> Result<(Of, bool)> {
    let received = clamp(row.received);
    let key = MessageKey(*next);
    *next += 1;
    let (thread, lone) = threads::assign(tx, account, kin, ThreadKey(key.0))?;
    // An object id that is taken (a second copy in one mailbox) is left out: the index wants it unique.
    let taken = "SELECT EXISTS (SELECT 1 FROM message WHERE account = ?1 AND object_id = ?2 AND object_id <> '')";
    let taken = !row.object_id.is_empty()
        && tx.conn().prepare_cached(taken)?.query_row((account.as_str(), &row.object_id), |r| r.get(0))?;
    let files = row.attachments.as_deref().unwrap_or_default();
    // Mostly nothing else was received in that second; if it was, it is found out when the row is put in.
    let sort = tx.fill.sort(received);
    tx.fill.content(fill::Content {
        key,
        sort,
        thread,
        object_id: if taken { String::new() } else { row.object_id.clone() },
        message_id: kin.own.unwrap_or_default().to_owned(),
        received,
        size: to_i64(row.size),
        attachments: i64::try_from(files.len()).unwrap_or(i64::MAX),
        files: if files.is_empty() { "[]".to_owned() } else { json(&files)? },
        envelope: row.envelope.as_str().to_owned(),
    });
    Ok(((key, thread, sort), lone))
}

/// The headers of a content as its own bytes say, in place of what the server said (security S-28); what it said of something else
/// may be known to be `untrue`. What tells messages apart stays the server's: it will be compared with what the server says.
pub(super) fn restate(tx: &mut Tx<'_, Cache>, message: MessageKey, envelope: &Envelope, untrue: bool) -> Result<()> {
    let told: Option<String> = tx
        .conn()
        .prepare_cached("SELECT envelope FROM message WHERE id = ?1")?
        .query_row([message.0], |r| r.get(0))
        .optional()?;
    // Read once more it is compared with itself.
    let untrue = untrue || told.is_some_and(|told| packed::is_untrue(&told) || packed::unpack(&told).denies(envelope));
    let sql = "UPDATE message SET envelope = ?2 WHERE id = ?1 AND envelope <> ?2";
    let packed = if untrue { Packed::untrue(envelope) } else { Packed::of(envelope) };
    let changed = tx.conn().prepare_cached(sql)?.execute((message.0, packed.as_str()))?;
    // Of one that names its ancestors a row does not say what else it answers.
    if changed > 0 && envelope.in_reply_to.iter().any(|id| !envelope.references.contains(id)) {
        let Content { account, thread, .. } = content(tx, message)?;
        threads::follow(tx, &account, envelope, thread)?;
    }
    Ok(())
}

/// What a content answers, where its row did not say it; its conversation follows. Whether that is news.
pub(super) fn answers(tx: &mut Tx<'_, Cache>, message: MessageKey, ids: &[MessageId]) -> Result<bool> {
    let Content { account, mut envelope, thread, .. } = content(tx, message)?;
    if ids.is_empty() || !envelope.in_reply_to.is_empty() {
        return Ok(false);
    }
    envelope.in_reply_to = ids.to_vec();
    tx.conn()
        .prepare_cached("UPDATE message SET envelope = ?2 WHERE id = ?1")?
        .execute((message.0, Packed::of(&envelope).as_str()))?;
    threads::follow(tx, &account, &envelope, thread)?;
    Ok(true)
}

/// Removes a content, and what is indexed of it, if no placement names it.
pub(super) fn remove_if_nowhere(tx: &mut Tx<'_, Cache>, message: MessageKey) -> Result<()> {
    let sql = "DELETE FROM message WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM placement p WHERE p.sort = message.sort)
               RETURNING sort, indexed";
    let gone: Option<(i64, i64)> =
        tx.conn().prepare_cached(sql)?.query_row([message.0], |r| Ok((r.get(0)?, r.get(1)?))).optional()?;
    let Some((sort, indexed)) = gone else { return Ok(()) };
    parts::forget(tx, message)?;
    poison::forget(tx, message)?;
    if indexed > 0 { fts::remove(tx, sort) } else { unindexed::remove(tx, message.0) }
}

/// One content.
///
/// # Errors
/// `Missing` if there is none of that number.
pub fn content(db: &Db<Cache>, message: MessageKey) -> Result<Content> {
    let sql = "SELECT account, thread, envelope, received, size, files, blob, held FROM message WHERE id = ?1";
    let found = db.conn().prepare_cached(sql)?.query_row([message.0], |r| {
        let (envelope, blob) = (r.get_ref(2)?.as_str()?, r.get::<_, String>(6)?);
        let (told, held) = (from_i64(r.get(4)?), from_i64(r.get(7)?));
        Ok(Content {
            untrue: packed::is_untrue(envelope) || (!blob.is_empty() && told.abs_diff(held) > doubt(told.max(held))),
            key: message,
            account: AccountName::new(r.get_ref(0)?.as_str()?),
            thread: ThreadKey(r.get(1)?),
            envelope: packed::unpack(envelope),
            received: r.get(3)?,
            size: told,
            files: serde_json::from_str(r.get_ref(5)?.as_str()?).unwrap_or_default(),
            blob,
        })
    });
    found.optional()?.ok_or_else(|| StoreError::missing("message"))
}

/// What tells each numbered message of a mailbox from the others, for finding it again under a new UIDVALIDITY.
///
/// # Errors
/// As every question.
pub fn identities(db: &Db<Cache>, mailbox: MailboxId) -> Result<Vec<IdentitySeen>> {
    let sql = "SELECT p.uid, m.message_id, m.size, m.received, m.object_id FROM placement p JOIN message m ON m.id = p.message
               WHERE p.mailbox = ?1 AND p.uid IS NOT NULL ORDER BY p.uid";
    let mut statement = db.conn().prepare_cached(sql)?;
    let mut rows = statement.query([mailbox.0])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let Some(uid) = Uid::new(row.get(0)?) else { continue };
        let message_id = MessageId::new(row.get_ref(1)?.as_str().unwrap_or_default());
        let print = Fingerprint { message_id, size: from_i64(row.get(2)?), received: row.get(3)?, object_id: row.get(4)? };
        all.push(IdentitySeen { uid, print });
    }
    Ok(all)
}

/// The content of that `Message-ID` and size that was received at that second; nothing if there is none, or several.
///
/// # Errors
/// As every question.
pub fn like(db: &Db<Cache>, account: &AccountName, id: &MessageId, size: u64, received: i64) -> Result<Option<MessageKey>> {
    // By the order of rows, which is an index: nobody looks for names otherwise.
    let sql = "SELECT id FROM message WHERE sort >= ?1 AND sort < ?2 AND account = ?3 AND message_id = ?4 AND size = ?5 LIMIT 2";
    let (low, high) = (received << SORT_BITS, (received + 1) << SORT_BITS);
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    let found: Vec<i64> = db
        .conn()
        .prepare_cached(sql)?
        .query_map((low, high, account.as_str(), id.as_str(), size), |r| r.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(if let [one] = found.as_slice() { Some(MessageKey(*one)) } else { None })
}

/// What tells one content from others: for the targets of an operation.
///
/// # Errors
/// `Missing` if there is none of that number.
pub fn fingerprint(db: &Db<Cache>, message: MessageKey) -> Result<Fingerprint> {
    let sql = "SELECT message_id, size, received, object_id FROM message WHERE id = ?1";
    let found = db.conn().prepare_cached(sql)?.query_row([message.0], |r| {
        let message_id = MessageId::new(r.get_ref(0)?.as_str()?);
        Ok(Fingerprint { message_id, size: from_i64(r.get(1)?), received: r.get(2)?, object_id: r.get(3)? })
    });
    found.optional()?.ok_or_else(|| StoreError::missing("message"))
}
