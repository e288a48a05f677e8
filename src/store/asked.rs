//! asked — what the person asked for of messages and is not here yet: it survives the end of the program.
//! Owns: the table `asked`. May import: mail.
//! Start reading at: `put`. A row names its message as the journal does, by what survives a lost cache (decisions 2); `find` says
//! which one that is now, also after it was moved.

use super::error::{Result, StoreError};
use super::open::{Cache, Db, State};
use super::writer::Tx;
use super::{base, mailboxes, messages, placements};
use crate::mail::ids::{AccountName, MessageKey, PlacementKey};
use crate::mail::intent::Target;
use crate::mail::mailbox::MailboxPath;
use crate::mail::section::Section;
use rusqlite::Row;

/// One thing that was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    /// Its number; 0 for one that has none yet.
    pub id: i64,
    /// Whose message.
    pub account: AccountName,
    /// Where it lay.
    pub mailbox: MailboxPath,
    /// Which one.
    pub target: Target,
    /// What of it.
    pub section: Section,
    /// How it is called (untrusted).
    pub what: String,
    /// The folder and the name of the file that is to be made of it.
    pub save: Option<(String, String)>,
    /// How often it was refused.
    pub attempts: u32,
    /// Not before this it is tried again, seconds since 1970.
    pub due: i64,
    /// Why it did not come.
    pub fault: String,
    /// When it was asked for, seconds since 1970.
    pub created: i64,
}

fn odd(at: usize, why: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(at, rusqlite::types::Type::Text, Box::new(why))
}

fn read(row: &Row<'_>) -> rusqlite::Result<Asked> {
    let save = row.get_ref(6)?.as_str()?;
    let section = row.get_ref(4)?.as_str()?;
    Ok(Asked {
        id: row.get(0)?,
        account: AccountName::new(row.get_ref(1)?.as_str()?),
        mailbox: MailboxPath::from_stored(row.get_ref(2)?.as_str()?),
        target: serde_json::from_str(row.get_ref(3)?.as_str()?).map_err(|e| odd(3, e))?,
        section: Section::parse(section).ok_or_else(|| odd(4, std::fmt::Error))?,
        what: row.get(5)?,
        save: if save.is_empty() { None } else { Some(serde_json::from_str(save).map_err(|e| odd(6, e))?) },
        attempts: row.get(7)?,
        due: row.get(8)?,
        fault: row.get(9)?,
        created: row.get(10)?,
    })
}

const COLUMNS: &str = "id, account, mailbox, target, section, what, save, attempts, due, fault, created";

/// All of them in the order in which they were asked for; of one account, or of all.
///
/// # Errors
/// As every question.
pub fn list(db: &Db<State>, account: Option<&AccountName>) -> Result<Vec<Asked>> {
    let sql = format!("SELECT {COLUMNS} FROM asked WHERE ?1 IS NULL OR account = ?1 ORDER BY id");
    let rows =
        db.conn().prepare_cached(&sql)?.query_map([account.map(AccountName::as_str)], read)?.collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

/// Writes one down. What is asked for already is asked for once, and may be tried at once again.
///
/// # Errors
/// As every transaction.
pub fn put(tx: &mut Tx<'_, State>, one: &Asked) -> Result<()> {
    let json = |e: serde_json::Error| StoreError::invalid(&e.to_string());
    let target = serde_json::to_string(&one.target).map_err(json)?;
    let save = one.save.as_ref().map(serde_json::to_string).transpose().map_err(json)?.unwrap_or_default();
    let section = one.section.to_string();
    let known = "UPDATE asked SET due = 0, attempts = 0
                 WHERE account = ?1 AND mailbox = ?2 AND target = ?3 AND section = ?4 AND save = ?5";
    if tx.conn().prepare_cached(known)?.execute((one.account.as_str(), one.mailbox.as_str(), &target, &section, &save))? > 0 {
        return Ok(());
    }
    let sql = "INSERT INTO asked (account, mailbox, target, section, what, save, attempts, due, fault, created)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    tx.conn().prepare_cached(sql)?.execute((
        one.account.as_str(),
        one.mailbox.as_str(),
        target,
        section,
        &one.what,
        save,
        one.attempts,
        one.due,
        &one.fault,
        one.created,
    ))?;
    Ok(())
}

/// One was refused: it is tried again at `due` (seconds since 1970).
///
/// # Errors
/// As every transaction.
pub fn tried(tx: &mut Tx<'_, State>, id: i64, due: i64, fault: &str) -> Result<()> {
    let sql = "UPDATE asked SET attempts = attempts + 1, due = ?2, fault = ?3 WHERE id = ?1";
    tx.conn().prepare_cached(sql)?.execute((id, due, fault))?;
    Ok(())
}

/// One came, or is not wanted any more.
///
/// # Errors
/// As every transaction.
pub fn remove(tx: &mut Tx<'_, State>, id: i64) -> Result<()> {
    tx.conn().prepare_cached("DELETE FROM asked WHERE id = ?1")?.execute([id])?;
    Ok(())
}

/// The message that is meant, and one of its placements; nothing if it is not in the cache (any more).
///
/// # Errors
/// As every question.
pub fn find(db: &Db<Cache>, one: &Asked) -> Result<Option<(MessageKey, PlacementKey)>> {
    let Target::Server { uidvalidity, uid, print } = &one.target else { return Ok(None) };
    if let Some(mailbox) = mailboxes::find(db, &one.account, &one.mailbox)?
        && base::load(db, mailbox)?.uidvalidity == *uidvalidity
        && let Some(place) = placements::by_uid(db, mailbox, *uid)?
        && messages::fingerprint(db, place.message)?.size == print.size
    {
        return Ok(Some((place.message, place.id)));
    }
    // It was moved, or its mailbox has another name now. Without a name of its own it would be a guess.
    let Some(name) = &print.message_id else { return Ok(None) };
    let Some(message) = messages::like(db, &one.account, name, print.size, print.received)? else { return Ok(None) };
    let places = placements::of_message(db, message)?;
    let seen = places.iter().find(|p| !p.hidden).or(places.first());
    Ok(seen.map(|p| (message, p.id)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::envelope::{Envelope, MessageId};
    use crate::mail::fixtures;

    use crate::mail::server::EnvelopeSeen;
    use crate::mail::uid::{ModSeq, UidSet, UidValidity};
    use crate::store::{Store, tests::quiet};

    #[test]
    fn it_is_found_again_where_it_lies_now_and_goes_when_it_came() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), quiet()).unwrap();
        let account = AccountName::new("a");
        let seen = |uid: u32, id: &str| EnvelopeSeen {
            received: 100,
            size: 5_000_000,
            envelope: Envelope { message_id: MessageId::new(id), ..Envelope::default() }.into(),
            ..fixtures::seen(uid)
        };
        let fill = |path: &str, uid, id: &str| {
            let (account, path, row) = (account.clone(), MailboxPath::from_typed(path), seen(uid, id));
            let fresh = move |tx: &mut Tx<'_, Cache>| {
                let here = mailboxes::ensure(tx, &account, &path)?;
                messages::record_new(tx, here, UidValidity(1), &[row])?;
                base::record(tx, here, base::Base { uidvalidity: UidValidity(1), uidnext: 9, highestmodseq: ModSeq(0) })?;
                Ok(here)
            };
            store.cache(fresh).unwrap()
        };
        let inbox = fill("INBOX", 1, "other@x");
        fill("INBOX", 2, "plan@x");
        let place = store.read(|db| placements::by_uid(db, inbox, 2)).unwrap().unwrap();
        let print = store.read(|db| messages::fingerprint(db, place.message)).unwrap();
        let one = Asked {
            id: 0,
            account: account.clone(),
            mailbox: MailboxPath::inbox(),
            target: Target::Server { uidvalidity: UidValidity(1), uid: 2, print },
            section: Section::parse("2").unwrap(),
            what: "plan.pdf".into(),
            save: Some(("/home/ann".into(), "plan.pdf".into())),
            attempts: 0,
            due: 0,
            fault: String::new(),
            created: 7,
        };
        for _ in 0..2 {
            let row = one.clone();
            store.state(move |tx| put(tx, &row)).unwrap();
        }
        let all = || store.read_state(|db| list(db, Some(&account))).unwrap();
        assert_eq!(all(), [Asked { id: 1, ..one.clone() }], "asked for twice it is asked for once");
        assert_eq!(store.read(|db| find(db, &one)).unwrap(), Some((place.message, place.id)));
        store.state(|tx| tried(tx, 1, 60, "no")).unwrap();
        assert_eq!((all()[0].attempts, all()[0].due, all()[0].fault.as_str()), (1, 60, "no"));
        // Somebody moves it.
        fill("Archive", 1, "plan@x");
        store.cache(move |tx| placements::vanished(tx, inbox, &UidSet::range(2, 2))).unwrap();
        let (message, moved) = store.read(|db| find(db, &one)).unwrap().unwrap();
        assert_eq!(store.read(|db| messages::content(db, message)).unwrap().envelope.message_id, MessageId::new("plan@x"));
        assert_ne!(moved, place.id);
        store.state(|tx| remove(tx, 1)).unwrap();
        assert_eq!(all(), []);
        assert!(store.read_state(|db| list(db, None)).unwrap().is_empty());
    }
}
