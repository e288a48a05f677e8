//! parts — messages of which only some parts are here: their trees, and which sections lie in which files.
//! Owns: the tables `outline` and `part`, and the column `held` with `bodies.rs`. May import: mail.
//! Start reading at: `arrived`. When the whole message comes (`bodies::arrived`), or it is let go, all of this goes.

use super::bodies::{self, Reading};
use super::error::{Result, StoreError};
use super::open::{Cache, Db};
use super::writer::Tx;
use super::{details, messages, placements};
use crate::mail::body::PartPath;
use crate::mail::claim;
use crate::mail::ids::MessageKey;
use crate::mail::outline::{Outline, Pieces};
use crate::mail::section::Section;
use rusqlite::OptionalExtension;
use std::collections::BTreeSet;

/// A section that is here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Held {
    /// Which.
    pub section: Section,
    /// Octets of its file.
    pub octets: u64,
    /// Whether the server took the transfer encoding off.
    pub decoded: bool,
    /// Its file in `blobs/`.
    pub blob: String,
}

/// What is here of a message.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Partly {
    /// Its tree.
    pub outline: Outline,
    /// Its sections.
    pub held: Vec<Held>,
}

impl Partly {
    /// The section, if it is here.
    #[must_use]
    pub fn part(&self, path: &PartPath) -> Option<&Held> {
        self.held.iter().find(|h| matches!(&h.section, Section::Part(p) if p == path))
    }
}

/// Records the tree of a message, the sections that are here, and what they say. May be repeated. Nothing happens if the
/// whole message is here meanwhile.
///
/// # Errors
/// As every transaction. That the message is gone meanwhile is no fault: its files are swept.
pub fn arrived(tx: &mut Tx<'_, Cache>, message: MessageKey, outline: &Outline, held: &[Held], reading: &Reading) -> Result<()> {
    let tree = serde_json::to_string(outline).map_err(|e| StoreError::invalid(&e.to_string()))?;
    let wanted = "SELECT EXISTS (SELECT 1 FROM message WHERE id = ?1 AND blob = '')";
    if !tx.conn().prepare_cached(wanted)?.query_row([message.0], |r| r.get::<_, bool>(0))? {
        return Ok(());
    }
    let sql = "INSERT INTO outline (message, tree) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET tree = excluded.tree";
    tx.conn().prepare_cached(sql)?.execute((message.0, tree))?;
    for one in held {
        put(tx, message, one)?;
    }
    bodies::said(tx, message, reading)?;
    count(tx, message)
}

/// Records that one more section is here.
///
/// # Errors
/// As [`arrived`].
pub fn part_arrived(tx: &mut Tx<'_, Cache>, message: MessageKey, held: &Held) -> Result<()> {
    let known = "SELECT EXISTS (SELECT 1 FROM outline WHERE message = ?1)";
    if tx.conn().prepare_cached(known)?.query_row([message.0], |r| r.get::<_, bool>(0))? {
        put(tx, message, held)?;
        count(tx, message)?;
    }
    Ok(())
}

fn put(tx: &mut Tx<'_, Cache>, message: MessageKey, held: &Held) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO part (message, section, octets, decoded, blob) VALUES (?1, ?2, ?3, ?4, ?5)";
    let octets = i64::try_from(held.octets).unwrap_or(i64::MAX);
    tx.conn().prepare_cached(sql)?.execute((message.0, held.section.to_string(), octets, held.decoded, &held.blob))?;
    Ok(())
}

fn count(tx: &mut Tx<'_, Cache>, message: MessageKey) -> Result<()> {
    let sql = "UPDATE message SET held = max(1, (SELECT coalesce(sum(octets), 0) FROM part WHERE message = ?1)) WHERE id = ?1";
    tx.conn().prepare_cached(sql)?.execute([message.0])?;
    placements::note_body(tx, message)
}

/// Records that the file of a section is lost: the section is on the server only.
///
/// # Errors
/// As every transaction.
pub fn lost(tx: &mut Tx<'_, Cache>, message: MessageKey, section: &Section) -> Result<()> {
    let sql = "DELETE FROM part WHERE message = ?1 AND section = ?2";
    if tx.conn().prepare_cached(sql)?.execute((message.0, section.to_string()))? > 0 {
        count(tx, message)?;
    }
    Ok(())
}

/// Lets go of all parts of a message that is here whole now; of what its server told of its files there is still something to be said.
pub(super) fn superseded(tx: &mut Tx<'_, Cache>, message: MessageKey) -> Result<()> {
    if let Some(partly) = of(tx, message)? {
        details::claim(tx, message, &claim::files(&partly.outline.message(&Pieces::new(), &BTreeSet::new())))?;
    }
    forget(tx, message)
}

/// Lets go of all parts of a message.
pub(super) fn forget(tx: &mut Tx<'_, Cache>, message: MessageKey) -> Result<()> {
    tx.conn().prepare_cached("DELETE FROM part WHERE message = ?1")?.execute([message.0])?;
    tx.conn().prepare_cached("DELETE FROM outline WHERE message = ?1")?.execute([message.0])?;
    Ok(())
}

/// What is here of a message; nothing if it is here whole or not at all. A tree that is damaged counts as not here.
///
/// # Errors
/// As every question.
pub fn of(db: &Db<Cache>, message: MessageKey) -> Result<Option<Partly>> {
    let tree: Option<String> = db
        .conn()
        .prepare_cached("SELECT tree FROM outline WHERE message = ?1")?
        .query_row([message.0], |r| r.get(0))
        .optional()?;
    let Some(outline) = tree.and_then(|tree| serde_json::from_str(&tree).ok()) else { return Ok(None) };
    let mut statement = db.conn().prepare_cached("SELECT section, octets, decoded, blob FROM part WHERE message = ?1")?;
    let mut rows = statement.query([message.0])?;
    let mut held = Vec::new();
    while let Some(row) = rows.next()? {
        let Some(section) = row.get_ref(0)?.as_str().ok().and_then(Section::parse) else { continue };
        held.push(Held { section, octets: messages::from_i64(row.get(1)?), decoded: row.get(2)?, blob: row.get(3)? });
    }
    Ok(Some(Partly { outline, held }))
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::mail::fixtures;

    use crate::mail::envelope::Envelope;
    use crate::mail::ids::AccountName;
    use crate::mail::mailbox::MailboxPath;
    use crate::mail::outline::Node;
    use crate::mail::packed;
    use crate::mail::server::EnvelopeSeen;
    use crate::mail::uid::UidValidity;
    use crate::store::{Store, mailboxes, tests::quiet};

    #[test]
    fn parts_come_one_by_one_and_go_together() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), quiet()).unwrap();
        let account = AccountName::new("a");
        let seen = EnvelopeSeen { received: 100, size: 5_000_000, ..fixtures::seen(1) };
        let name = account.clone();
        store
            .cache(move |tx| {
                let here = mailboxes::ensure(tx, &name, &MailboxPath::inbox())?;
                messages::record_new(tx, here, UidValidity(1), &[seen])
            })
            .unwrap();
        let wanted = || store.read(|db| bodies::wanted(db, &account, 0, u64::MAX, 9, &|_, _| true)).unwrap();
        let message = wanted()[0].message;
        let outline = Outline { nodes: vec![Node { path: "1".into(), mime: "text/plain".into(), ..Node::default() }] };
        let held = |section: &str, octets| Held {
            section: Section::parse(section).unwrap(),
            octets,
            decoded: false,
            blob: format!("b{section}"),
        };
        let reading = Reading {
            preview: "Hello".into(),
            text: "Hello kohlrabi".into(),
            files: vec!["plan.pdf".into()],
            ..Reading::default()
        };
        let (tree, texts) = (outline.clone(), vec![held("HEADER", 300), held("1", 50)]);
        store.cache(move |tx| arrived(tx, message, &tree, &texts, &reading)).unwrap();
        let total = || store.read(|db| bodies::total(db, &account)).unwrap();
        let named = || {
            let mut all: Vec<_> = store.read(bodies::named).unwrap().into_iter().collect();
            all.sort();
            all.join(" ")
        };
        assert!(wanted().is_empty(), "its text is here");
        assert_eq!((total(), named().as_str()), (350, "b1 bHEADER"));
        let file = held("2", 1_000);
        store.cache(move |tx| part_arrived(tx, message, &file)).unwrap();
        let partly = store.read(|db| of(db, message)).unwrap().unwrap();
        assert_eq!((partly.outline, partly.held.len(), total()), (outline, 3, 1_350));
        store.cache(move |tx| lost(tx, message, &Section::parse("2").unwrap())).unwrap();
        assert_eq!((total(), named().as_str()), (350, "b1 bHEADER"));
        // Its tree told of no file (security S-28).
        let own = Reading { claims: Some(vec!["plan.pdf".into()]), envelope: Some(Envelope::default()), ..Reading::default() };
        store.cache(move |tx| bodies::arrived(tx, message, "whole", 4_900_000, &own)).unwrap();
        assert!(packed::is_untrue(
            &store.read(|db| Ok(db.conn().query_row("SELECT envelope FROM message", [], |r| r.get::<_, String>(0))?)).unwrap()
        ));
        assert_eq!((total(), named().as_str()), (4_900_000, "whole"), "the whole takes their place, by its own octets");
        assert!(store.read(|db| of(db, message)).unwrap().is_none());
        let late = held("2", 1);
        store.cache(move |tx| part_arrived(tx, message, &late)).unwrap();
        assert_eq!(named(), "whole", "a part that comes late is of no use");
        store.cache(move |tx| bodies::forget(tx, message)).unwrap();
        assert_eq!((total(), wanted().len()), (0, 1));
    }
}
