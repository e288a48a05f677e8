//! bodies — which messages' bytes are here, which are wanted, and how long they stay.
//! Owns: the columns `blob`, `held`, `preview`, `files`, `attachments`. May import: mail.
//! Start reading at: `arrived`. The bytes themselves lie in `blobs.rs`; what is indexed of them is `fts.rs`'s.

use super::error::Result;
use super::open::{Cache, Db};
use super::writer::Tx;
use super::{details, fts, messages, parts, placements, poison};
use crate::mail::claim;
use crate::mail::envelope::Envelope;
use crate::mail::flags::Flag;
use crate::mail::ids::{AccountName, MailboxId, MessageKey, PlacementKey};
use crate::mail::uid::Uid;
use std::collections::HashSet;

/// What was read out of a message's bytes. Made outside of the store: parsing is not the writer's work.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reading {
    /// What its own headers say; none if it is no mail.
    pub envelope: Option<Envelope>,
    /// The first words, for the list.
    pub preview: String,
    /// All words of its text, for the index.
    pub text: String,
    /// The attachments' names (untrusted), "" for one without: as many as there are attachments.
    pub files: Vec<String>,
    /// The files of which a server would tell that has this message (`mail/claim.rs`); none if it is not whole.
    pub claims: Option<Vec<String>>,
    /// We failed on it: nothing is known of it but that it is here.
    pub failed: bool,
}

/// Records that the bytes of a message are in `blobs/` under the name `blob`, how many octets they are (whatever the server said,
/// security S-28), and what they say. May be repeated.
///
/// # Errors
/// As every transaction. That the message is gone meanwhile is no fault: its blob is swept.
pub fn arrived(tx: &mut Tx<'_, Cache>, message: MessageKey, blob: &str, octets: u64, reading: &Reading) -> Result<()> {
    let sql = "UPDATE message SET blob = ?2, held = max(?3, 1) WHERE id = ?1";
    if tx.conn().prepare_cached(sql)?.execute((message.0, blob, messages::to_i64(octets)))? == 0 {
        return Ok(());
    }
    parts::superseded(tx, message)?;
    said(tx, message, reading)?;
    placements::note_body(tx, message)
}

/// Records the first words of a message as the server tells them, until its bytes are here.
///
/// # Errors
/// As every transaction.
pub fn previewed(tx: &mut Tx<'_, Cache>, message: MessageKey, text: &str) -> Result<()> {
    let sql = "UPDATE message SET preview = ?2 WHERE id = ?1 AND held = 0 AND preview IS NOT ?2";
    if tx.conn().prepare_cached(sql)?.execute((message.0, text))? > 0 {
        placements::note_body(tx, message)?;
    }
    Ok(())
}

/// The newest `limit` messages that a mailbox shows from the place `top` in its list on, those of them that have no first words: UID and content, newest first.
///
/// # Errors
/// As every question.
pub fn unpreviewed(db: &Db<Cache>, mailbox: MailboxId, top: i64, limit: u32) -> Result<Vec<(Uid, MessageKey)>> {
    let sql = "WITH t AS MATERIALIZED (SELECT uid, message FROM placement
                 WHERE mailbox = ?1 AND hidden = 0 AND sort <= ?3 ORDER BY sort DESC LIMIT ?2)
               SELECT t.uid, t.message FROM t CROSS JOIN message m ON m.id = t.message
               WHERE t.uid IS NOT NULL AND m.held = 0 AND m.preview = ''";
    let mut statement = db.conn().prepare_cached(sql)?;
    let rows = statement.query_map((mailbox.0, limit, top), |r| Ok((r.get::<_, u32>(0)?, MessageKey(r.get(1)?))))?;
    let rows: Vec<_> = rows.collect::<rusqlite::Result<_>>()?;
    Ok(rows.into_iter().filter_map(|(uid, message)| Some((Uid::new(uid)?, message))).collect())
}

/// Records what a message says, for the list and the index.
pub(super) fn said(tx: &mut Tx<'_, Cache>, message: MessageKey, reading: &Reading) -> Result<()> {
    let untrue = match &reading.claims {
        Some(own) => details::claimed(tx, message)?.is_some_and(|told| claim::denies(&told, own)),
        None => false,
    };
    let files = serde_json::to_string(&reading.files).map_err(|e| super::StoreError::invalid(&e.to_string()))?;
    let count = i64::try_from(reading.files.len()).unwrap_or(i64::MAX);
    let sql = "UPDATE message SET preview = ?2, files = ?3, attachments = ?4 WHERE id = ?1";
    tx.conn().prepare_cached(sql)?.execute((message.0, &reading.preview, files, count))?;
    if let Some(envelope) = &reading.envelope {
        messages::restate(tx, message, envelope, untrue)?;
    }
    if reading.failed {
        poison::stumbled(tx, message)?;
    }
    fts::feed(tx, message, Some(&reading.text))
}

/// Records that the bytes of a message are not here: lost from the disk, or too old to be kept. What was indexed of them
/// stays, so that the message is still found.
///
/// # Errors
/// As every transaction.
pub fn forget(tx: &mut Tx<'_, Cache>, message: MessageKey) -> Result<()> {
    let sql = "UPDATE message SET blob = '', held = 0 WHERE id = ?1 AND held > 0";
    if tx.conn().prepare_cached(sql)?.execute([message.0])? > 0 {
        parts::forget(tx, message)?;
        placements::note_body(tx, message)?;
    }
    Ok(())
}

/// A message whose bytes are not here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// Which content.
    pub message: MessageKey,
    /// One of its placements.
    pub placement: PlacementKey,
    /// The mailbox of that placement.
    pub mailbox: MailboxId,
    /// Its UID there.
    pub uid: u32,
    /// Octets.
    pub size: u64,
}

/// The statement of [`wanted`]. With min(), the other columns are those of the placement that it names.
pub(super) const WANTED: &str =
    "SELECT m.id, min(p.id), p.mailbox, p.uid, m.size, m.received FROM message m CROSS JOIN placement p ON p.sort = m.sort
    WHERE m.account = ?1 AND m.held = 0 AND m.received >= ?2 AND m.size <= ?3 AND p.uid IS NOT NULL AND p.hidden = 0
    GROUP BY m.received, m.id ORDER BY m.received DESC, m.id DESC";

/// Messages of an account received since `since` (seconds since 1970) and of at most `max_size` octets whose bytes are not
/// here, newest first; at most `limit` of those that `fits` (mailbox, arrival).
///
/// # Errors
/// As every question.
pub fn wanted(
    db: &Db<Cache>,
    account: &AccountName,
    since: i64,
    max_size: u64,
    limit: u32,
    fits: &dyn Fn(MailboxId, i64) -> bool,
) -> Result<Vec<Wanted>> {
    let max_size = i64::try_from(max_size).unwrap_or(i64::MAX);
    let mut statement = db.conn().prepare_cached(WANTED)?;
    let mut rows = statement.query((account.as_str(), since, max_size))?;
    let mut all = Vec::new();
    while all.len() < limit as usize
        && let Some(r) = rows.next()?
    {
        let one = Wanted {
            message: MessageKey(r.get(0)?),
            placement: PlacementKey(r.get(1)?),
            mailbox: MailboxId(r.get(2)?),
            uid: r.get(3)?,
            size: super::messages::from_i64(r.get(4)?),
        };
        if fits(one.mailbox, r.get(5)?) {
            all.push(one);
        }
    }
    Ok(all)
}

/// The statement of [`named`].
pub(super) const NAMED: &str = "SELECT blob FROM message WHERE blob <> '' UNION ALL SELECT blob FROM part";

/// The names of all blobs that rows name: what a sweep leaves.
///
/// # Errors
/// As every question.
pub fn named(db: &Db<Cache>) -> Result<HashSet<String>> {
    let mut statement = db.conn().prepare_cached(NAMED)?;
    Ok(statement.query_map([], |r| r.get(0))?.collect::<rusqlite::Result<_>>()?)
}

/// The statement of [`total`].
pub(super) const TOTAL: &str = "SELECT coalesce(sum(held), 0) FROM message WHERE account = ?1 AND held > 0";

/// How many octets of an account's messages are here.
///
/// # Errors
/// As every question.
pub fn total(db: &Db<Cache>, account: &AccountName) -> Result<u64> {
    Ok(super::messages::from_i64(db.conn().prepare_cached(TOTAL)?.query_row([account.as_str()], |r| r.get(0))?))
}

/// The statement of [`expire`].
pub(super) const OLDEST: &str = "SELECT m.id, m.held, m.received FROM message m INDEXED BY message_kept
    WHERE m.account = ?1 AND m.held > 0 AND m.id NOT IN (SELECT value FROM json_each(?5))
      AND NOT EXISTS (SELECT 1 FROM placement p WHERE p.sort = m.sort AND
        ((p.flags & ?2) <> 0 OR p.mailbox IN (SELECT value FROM json_each(?4)) OR EXISTS (SELECT 1 FROM wish w WHERE w.place = p.id AND w.place <> 0)))
    ORDER BY m.received LIMIT ?3";

/// What is not let go whatever its age.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Spared {
    /// What lies in these.
    pub mailboxes: Vec<MailboxId>,
    /// These.
    pub messages: Vec<MessageKey>,
}

/// Lets go of bytes by the account's rule: of messages received before `before` (seconds since 1970), and of the oldest
/// ones until at most `limit` octets are kept; never of starred ones, of those about which something is still to be told, nor
/// of what is `spared`. At most `batch` messages a call. How many, and the files that they named: these go with the next
/// sweep, or at once if nothing else names them.
///
/// # Errors
/// As every transaction.
pub fn expire(
    tx: &mut Tx<'_, Cache>,
    account: &AccountName,
    before: i64,
    limit: u64,
    batch: u32,
    spared: &Spared,
) -> Result<(usize, Vec<String>)> {
    let json = |ids: Vec<i64>| serde_json::to_string(&ids).map_err(|e| super::StoreError::invalid(&e.to_string()));
    let mailboxes = json(spared.mailboxes.iter().map(|id| id.0).collect())?;
    let messages = json(spared.messages.iter().map(|key| key.0).collect())?;
    let mut kept = total(tx, account)?;
    let oldest: Vec<(i64, i64, i64)> = tx
        .conn()
        .prepare_cached(OLDEST)?
        .query_map((account.as_str(), Flag::Flagged.bit(), batch, mailboxes, messages), |r| {
            Ok((r.get(0)?, r.get(1)?, r.get(2)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    let (mut gone, mut files) = (0, Vec::new());
    for (id, size, received) in oldest {
        if received >= before && kept <= limit {
            break;
        }
        let named = "SELECT blob FROM message WHERE id = ?1 AND blob <> '' UNION ALL SELECT blob FROM part WHERE message = ?1";
        let mut statement = tx.conn().prepare_cached(named)?;
        files.extend(statement.query_map([id], |r| r.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?);
        drop(statement);
        forget(tx, MessageKey(id))?;
        kept = kept.saturating_sub(super::messages::from_i64(size));
        gone += 1;
    }
    Ok((gone, files))
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::mail::fixtures;
    use crate::mail::flags::Flags;
    use crate::mail::mailbox::MailboxPath;
    use crate::mail::server::EnvelopeSeen;
    use crate::mail::uid::UidValidity;
    use crate::store::{Store, mailboxes, messages, tests::quiet};

    #[test]
    fn bytes_are_wanted_newest_first_and_let_go_oldest_first_but_for_starred_ones() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), quiet()).unwrap();
        let account = AccountName::new("a");
        let rows: Vec<EnvelopeSeen> = (1..=6u32)
            .map(|uid| EnvelopeSeen {
                flags: if uid == 2 { Flags::from_words(["\\Flagged"]) } else { Flags::new() },
                received: i64::from(uid) * 100,
                size: 10,
                object_id: format!("o{uid}"),
                ..fixtures::seen(uid)
            })
            .collect();
        let name = account.clone();
        store
            .cache(move |tx| {
                for path in ["INBOX", "All"] {
                    let here = mailboxes::ensure(tx, &name, &MailboxPath::from_typed(path))?;
                    messages::record_new(tx, here, UidValidity(1), &rows)?;
                }
                Ok(())
            })
            .unwrap();
        let ask = |since, size| store.read(|db| wanted(db, &account, since, size, 9, &|_, _| true)).unwrap();
        let all = ask(0, 10);
        assert_eq!(
            all.iter().map(|w| w.uid).collect::<Vec<_>>(),
            [6, 5, 4, 3, 2, 1],
            "each once, though each lies in two places"
        );
        assert_eq!(ask(500, 10).len(), 2);
        assert_eq!(ask(0, 9).len(), 0);
        store
            .cache(move |tx| all.iter().try_for_each(|w| arrived(tx, w.message, &format!("b{}", w.uid), 10, &Reading::default())))
            .unwrap();
        assert_eq!(ask(0, 10).len(), 0);
        let let_go = |before, limit, batch| {
            let account = account.clone();
            let (gone, files) = store.cache(move |tx| expire(tx, &account, before, limit, batch, &Spared::default())).unwrap();
            assert_eq!(files.len(), gone);
            let mut left: Vec<String> = store.read(named).unwrap().into_iter().collect();
            left.sort();
            (gone, left.concat())
        };
        assert_eq!(let_go(0, 60, 9), (0, "b1b2b3b4b5b6".to_owned()));
        assert_eq!(let_go(350, u64::MAX, 1), (1, "b2b3b4b5b6".to_owned()));
        assert_eq!(let_go(350, u64::MAX, 9), (1, "b2b4b5b6".to_owned()));
        assert_eq!(let_go(0, 25, 9), (2, "b2b6".to_owned()));
        assert_eq!(store.read(|db| total(db, &account)).unwrap(), 20);
        assert_eq!(let_go(i64::MAX, 0, 9), (1, "b2".to_owned()));
    }
}
