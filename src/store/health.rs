//! health — whether our own files are sound, and how large they are: what `doctor` says of them.
//! Owns: `Finding`, `examine`. May import: base.
//! Start reading at: `examine`. It only reads, also while a reader runs; a file that was never made is no fault.

use super::blobs::Blobs;
use super::error::Result;
use super::open::{self, Cache, Db, Kind, State};
use super::trouble::{self, Trouble};
use super::{Places, bodies, drafts, journal, outbox, search, words};
use crate::mail::ids::AccountName;
use crate::mail::intent::OpState;
use crate::mail::mailbox::MailboxPath;
use std::fs;
use std::path::Path;

/// Pages that `quick_check` complains of before it stops.
const COMPLAINTS: u32 = 3;

/// One thing that was looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// Whether it is as it should be.
    pub sound: bool,
    /// What was found: a sentence of ours without a full stop; SQLite's own words may be in it.
    pub what: String,
}

/// Looks at both files and both folders. Reads all of both files: a second for each 100 MB.
#[must_use]
pub fn examine(places: &Places) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(db) = file::<State>(&places.state, &mut found) {
        found.push(said("what waits to be told to a server", state(&db)));
    }
    if let Some(db) = file::<Cache>(&places.cache, &mut found) {
        found.push(said("the counts of messages", counts(&db)));
        found.push(said("the bodies of messages", blobs(&db, &places.cache)));
    }
    found
}

/// What servers do wrong in the mailboxes of an account; nothing where there is no cache.
///
/// # Errors
/// It cannot be read.
pub fn troubles(places: &Places, account: &AccountName) -> Result<Vec<(MailboxPath, Trouble)>> {
    if !places.cache.join(Cache::NAME).exists() {
        return Ok(Vec::new());
    }
    trouble::all(&open::open_reader::<Cache>(&places.cache)?, account)
}

/// A sentence, or what went wrong on the way to it.
fn said(what: &str, result: Result<Finding>) -> Finding {
    result.unwrap_or_else(|e| Finding { sound: false, what: format!("{what} cannot be read ({e})") })
}

/// Opens a file and checks every page; nothing where it does not exist or cannot be opened, which is told.
fn file<K: Kind>(dir: &Path, found: &mut Vec<Finding>) -> Option<Db<K>> {
    let path = dir.join(K::NAME);
    match fs::metadata(&path) {
        Ok(_) => {}
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return None,
        Err(e) => {
            found.push(Finding { sound: false, what: format!("{} cannot be used ({e})", path.display()) });
            return None;
        }
    }
    let checked = open::open_reader::<K>(dir).and_then(|db| {
        let sql = format!("PRAGMA quick_check({COMPLAINTS})");
        let said: Vec<String> = db.conn().prepare(&sql)?.query_map([], |r| r.get(0))?.collect::<rusqlite::Result<_>>()?;
        // Most of it may lie in its log still.
        let sql = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()";
        let size: i64 = db.conn().query_row(sql, [], |r| r.get(0))?;
        Ok((db, said, size.unsigned_abs()))
    });
    match checked {
        Ok((db, said, size)) if said == ["ok"] => {
            found.push(Finding { sound: true, what: format!("{} is sound, {}", K::NAME, octets(size)) });
            Some(db)
        }
        Ok((_, said, _)) => {
            found.push(Finding { sound: false, what: format!("{} is damaged: {}", K::NAME, said.join("; ")) });
            None
        }
        Err(e) => {
            found.push(Finding { sound: false, what: format!("{}: {e}", K::NAME) });
            None
        }
    }
}

fn state(db: &Db<State>) -> Result<Finding> {
    let mut queue = journal::queue(db, None)?;
    queue.retain(|o| o.state != OpState::Hidden);
    let parked = queue.iter().filter(|o| !o.state.pending()).count();
    let what = format!(
        "{} waiting for a server, {parked} of them for you; {} outgoing, {} unfinished",
        many(queue.len(), "change"),
        many(outbox::list(db)?.len(), "mail"),
        many(drafts::list(db)?.len(), "draft"),
    );
    Ok(Finding { sound: true, what })
}

/// Whether the counts that lists show are those of the rows.
fn counts(db: &Db<Cache>) -> Result<Finding> {
    let sql = "SELECT b.path FROM mailbox b WHERE
                 (b.total, b.unread) IS NOT (SELECT count(*), coalesce(sum((flags & 1) = 0), 0) FROM placement p
                   WHERE p.mailbox = b.id AND p.hidden = 0)
                 OR (b.threads, b.total) IS NOT (SELECT count(*), coalesce(sum(total), 0) FROM thread_row t WHERE t.mailbox = b.id)";
    let wrong: Vec<String> = db.conn().prepare(sql)?.query_map([], |r| r.get(0))?.collect::<rusqlite::Result<_>>()?;
    if !wrong.is_empty() {
        return Ok(Finding { sound: false, what: format!("the counts do not fit the messages in {}", wrong.join(", ")) });
    }
    let (mailboxes, messages): (i64, i64) =
        db.conn().query_row("SELECT count(*), coalesce(sum(total), 0) FROM mailbox", [], |r| Ok((r.get(0)?, r.get(1)?)))?;
    let left = search::unindexed_count(db)?;
    let unread = words::count(db)?;
    let mut rest = if left > 0 { format!(", {left} not in the index yet") } else { String::new() };
    if unread > 0 {
        rest.push_str(&format!(", {} not in the index yet", many(unread, "text")));
    }
    Ok(Finding { sound: true, what: format!("{} in {} mailboxes{rest}", many(messages, "message"), mailboxes) })
}

/// Whether the bodies that rows name are there.
fn blobs(db: &Db<Cache>, dir: &Path) -> Result<Finding> {
    let blobs = Blobs::open(dir)?;
    let named = bodies::named(db)?;
    let (mut size, mut missing) = (0, 0);
    for name in &named {
        match blobs.size(name) {
            Some(octets) => size += octets,
            None => missing += 1,
        }
    }
    let kept = many(named.len() - missing, "message");
    let what = if missing == 0 {
        format!("{kept} kept whole, {}", octets(size))
    } else {
        format!("{kept} kept whole, {}; {missing} are lost and will be fetched again", octets(size))
    };
    Ok(Finding { sound: missing == 0, what })
}

fn many(n: impl TryInto<i64>, what: &str) -> String {
    let n = n.try_into().unwrap_or(i64::MAX);
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

fn octets(n: u64) -> String {
    match n {
        0..1_000_000 => format!("{} kB", n.div_ceil(1_000)),
        _ => format!("{} MB", n.div_ceil(1_000_000)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::ids::AccountName;
    use crate::mail::mailbox::MailboxPath;
    use crate::store::{Store, mailboxes, tests::quiet};

    #[test]
    fn sound_files_are_said_to_be_so_and_others_named() {
        let dir = tempfile::tempdir().unwrap();
        let places = Places { state: dir.path().to_owned(), cache: dir.path().to_owned() };
        assert_eq!(examine(&places), [], "nothing was made yet");
        let store = Store::open(dir.path(), quiet()).unwrap();
        let inbox = store.cache(|tx| mailboxes::ensure(tx, &AccountName::new("a"), &MailboxPath::inbox())).unwrap();
        let all = examine(&places);
        assert!(all.iter().all(|f| f.sound) && all.len() == 5, "{all:?}");
        let tables = |f: &&Finding| {
            f.what.starts_with("state.sqlite is sound") && f.what != format!("state.sqlite is sound, {}", octets(4096))
        };
        assert!(all.iter().any(|f| tables(&f)), "what lies in the log counts: {all:?}");
        store.cache(move |tx| Ok(tx.conn().execute("UPDATE mailbox SET unread = 3 WHERE id = ?1", [inbox.0])?)).unwrap();
        let bad: Vec<_> = examine(&places).into_iter().filter(|f| !f.sound).collect();
        assert_eq!((bad.len(), bad[0].what.as_str()), (1, "the counts do not fit the messages in INBOX"));
        drop(store);
        std::fs::write(dir.path().join("cache.sqlite"), vec![7; 9_000]).unwrap();
        let bad: Vec<_> = examine(&places).into_iter().filter(|f| !f.sound).collect();
        assert!(bad.len() == 1 && bad[0].what.starts_with("cache.sqlite: "), "{bad:?}");
    }
}
