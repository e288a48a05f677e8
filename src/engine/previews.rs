//! previews — the first words of messages whose texts are not here, where the server tells them (PREVIEW, RFC 8970).
//! Owns: `Work::previews`. May import: net, store, mail, and the engine's own.
//! Start reading at: `Work::previews`. Only of the newest rows of the mailbox that the person looks at, and of those that come into
//! sight (`sight.rs`), once all texts are here that are wanted ahead of need, and when nothing else is to be done: a pass never
//! pays for it, nor does a metered line. First what
//! the server has at hand (LAZY); then, of about a screenful, what it has to read the message for.

use super::offline;
use super::round::Halt;
use super::work::Work;
use crate::mail::ids::MessageKey;
use crate::mail::mailbox::MailboxPath;
use crate::mail::uid::{Uid, UidSet};
use crate::net::session::MailStore;
use crate::store::bodies;
use std::collections::BTreeMap;

/// Rows whose first words are asked for at once, where the server has them at hand.
const MOST: u32 = 100;
/// About as many rows as a screen shows: the server reads these messages for it.
const SCREEN: usize = 50;
/// The longest preview that is kept, in characters.
const MAX: usize = 200;

impl Work<'_> {
    /// Asks for first words that rows lack. Whether there were any to ask for.
    pub fn previews(&mut self, conn: &mut dyn MailStore) -> Result<bool, Halt> {
        let (shared, name) = (self.visitor.shared, &self.visitor.config.name);
        let sight = &shared.awaited.sight;
        let able = conn.caps().preview && !offline::is_metered(shared, self.visitor.config);
        sight.serve(name, able.then_some(&self.desk.work));
        if !able {
            return Ok(false);
        }
        // What came into sight, else the newest.
        let looked = sight.take(name);
        let top = looked.map_or(i64::MAX, |(_, top)| top);
        let open = match looked.map(|(mailbox, _)| mailbox).or_else(|| self.desk.open()) {
            Some(id) => self.visitor.at_server(id)?,
            None => None,
        };
        let path = open.unwrap_or_else(MailboxPath::inbox);
        let mailbox = self.visitor.mailbox(&path)?;
        let mut lacking = shared.store.read(|db| bodies::unpreviewed(db, mailbox, top, MOST))?;
        match looked {
            Some(_) => sight.leave_out_asked(&mut lacking),
            None => lacking.retain(|(_, message)| !self.visitor.memory.previewed.contains(message)),
        }
        if lacking.is_empty() {
            // Somebody may have looked elsewhere meanwhile.
            return Ok(looked.is_some());
        }
        // What has no words, is refused or breaks the line is not asked for again.
        self.visitor.memory.previewed.extend(lacking.iter().map(|(_, message)| *message));
        if self.here.as_ref() != Some(&path) {
            self.here = None;
            self.fetcher.forget();
            match conn.select(&path, true, None) {
                Ok(_) => {}
                Err(e) if e.connection_lives() => return Ok(true),
                Err(e) => return Err(e.into()),
            }
        }
        let mut told = ask(conn, lacking.iter().map(|(uid, _)| *uid).collect(), true)?;
        let rest: UidSet = lacking.iter().take(SCREEN).map(|(uid, _)| *uid).filter(|uid| !told.contains_key(uid)).collect();
        if !rest.is_empty() {
            told.extend(ask(conn, rest, false)?);
        }
        // What the server would have to read, and is not in sight, is asked for when it comes there.
        let done = lacking.iter().enumerate().filter(|(n, (uid, _))| *n < SCREEN || told.contains_key(uid));
        sight.asked(done.map(|(_, (_, message))| *message));
        let words: Vec<(MessageKey, String)> =
            lacking.iter().filter_map(|(uid, message)| Some((*message, told.remove(uid)?))).collect();
        // The others lack nothing any more: they need not be remembered.
        for (message, _) in &words {
            self.visitor.memory.previewed.remove(message);
        }
        if !words.is_empty() {
            shared.store.cache(move |tx| words.iter().try_for_each(|(of, text)| bodies::previewed(tx, *of, text)))?;
        }
        Ok(true)
    }
}

fn ask(conn: &mut dyn MailStore, uids: UidSet, lazy: bool) -> Result<BTreeMap<Uid, String>, Halt> {
    let mut told = BTreeMap::new();
    let asked = conn.fetch_previews(&uids, lazy, &mut |part| {
        for (uid, text) in part {
            let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let words: String = words.chars().take(MAX).collect();
            if !words.is_empty() {
                told.insert(uid, words);
            }
        }
        Ok(())
    });
    match asked {
        Err(e) if !e.connection_lives() => Err(e.into()),
        _ => Ok(told),
    }
}
