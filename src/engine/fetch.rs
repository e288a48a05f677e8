//! fetch — gets the bytes of messages, keeps them, reads them for the list and the index.
//! Owns: `Fetcher`, `Got`, the rule which bodies are got ahead of need. May import: store, net, mail.
//! Start reading at: `Fetcher::body`. What others wrote is parsed with the door shut: nothing goes outside meanwhile.

use super::round::Halt;
use super::shared::Shared;
use crate::base::gate;
use crate::config::KeepBodies;
use crate::mail::ids::{AccountName, MailboxId, MessageKey, PlacementKey};
use crate::mail::mailbox::MailboxPath;
use crate::mail::uid::Uid;
use crate::mail::{parse, render, structure};
use crate::net::session::MailStore;
use crate::store::blobs::Blobs;
use crate::store::bodies::{self, Reading, Wanted};
use crate::store::{StoreErrorKind, base, mailboxes, messages, placements};

/// What is fetched ahead of need has at most so many octets.
const MAX_AHEAD: u64 = 10 * 1024 * 1024;
/// Characters of a message's text that are indexed.
const MAX_WORDS: usize = 200_000;

/// How the getting of a body ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Got {
    /// It is here.
    Here,
    /// The server does not have the message (any more), or not under the number that we know: its mailbox needs a visit.
    Gone(MailboxId),
    /// It was never there: a message that is about to be moved or appended.
    Nowhere,
}

/// Gets bodies over one connection.
#[derive(Debug)]
pub struct Fetcher<'a> {
    shared: &'a Shared,
    blobs: Blobs,
    /// What is selected, and whether the numbers that we know hold there.
    selected: Option<(MailboxId, bool)>,
}

impl<'a> Fetcher<'a> {
    /// Nothing is selected yet.
    ///
    /// # Errors
    /// The store.
    pub fn new(shared: &'a Shared) -> Result<Self, Halt> {
        Ok(Self { shared, blobs: Blobs::open(&shared.store.places().cache)?, selected: None })
    }

    /// Another mailbox was selected by somebody else.
    pub fn forget(&mut self) {
        self.selected = None;
    }

    /// Gets the body of one message, if it is not here.
    ///
    /// # Errors
    /// What ended the connection, or the store.
    pub fn body(&mut self, conn: &mut dyn MailStore, key: PlacementKey) -> Result<Got, Halt> {
        let found = self.shared.store.read(|db| {
            let asked = placements::get(db, key)?;
            let blob = messages::content(db, asked.message)?.blob;
            // It may have no number yet where it is asked for, but still one where it comes from.
            let mut places = placements::of_message(db, asked.message)?;
            places.sort_by_key(|p| p.id != key);
            Ok((asked.message, blob, places.into_iter().find_map(|p| Some((p.mailbox, Uid::new(p.uid?)?)))))
        });
        let (message, blob, place) = match found {
            Ok(found) => found,
            // It was deleted meanwhile.
            Err(e) if e.kind == StoreErrorKind::Missing => return Ok(Got::Nowhere),
            Err(e) => return Err(e.into()),
        };
        if !blob.is_empty() && self.blobs.get(&blob).is_ok() {
            return Ok(Got::Here);
        }
        let Some((mailbox, uid)) = place else { return Ok(Got::Nowhere) };
        self.get(conn, message, mailbox, uid)
    }

    /// Gets one body ahead of need.
    ///
    /// # Errors
    /// As [`Self::body`].
    pub fn ahead(&mut self, conn: &mut dyn MailStore, wanted: Wanted) -> Result<Got, Halt> {
        let Some(uid) = Uid::new(wanted.uid) else { return Ok(Got::Nowhere) };
        self.get(conn, wanted.message, wanted.mailbox, uid)
    }

    fn get(&mut self, conn: &mut dyn MailStore, message: MessageKey, mailbox: MailboxId, uid: Uid) -> Result<Got, Halt> {
        if !self.select(conn, mailbox)? {
            return Ok(Got::Gone(mailbox));
        }
        let mut incoming = self.blobs.begin()?;
        match conn.fetch_body(uid, &mut incoming) {
            Ok(Some(_)) => {}
            Ok(None) => return Ok(Got::Gone(mailbox)),
            Err(e) if e.connection_lives() => return Ok(Got::Gone(mailbox)),
            Err(e) => return Err(e.into()),
        }
        let (blob, _) = incoming.finish()?;
        let reading = read(self.blobs.get(&blob)?);
        self.shared.store.cache(move |tx| bodies::arrived(tx, message, &blob, &reading))?;
        Ok(Got::Here)
    }

    /// Whether the UIDs of the cache hold in that mailbox.
    fn select(&mut self, conn: &mut dyn MailStore, mailbox: MailboxId) -> Result<bool, Halt> {
        if let Some((id, holds)) = self.selected
            && id == mailbox
        {
            return Ok(holds);
        }
        self.selected = None;
        let found = self.shared.store.read(|db| Ok((mailboxes::get(db, mailbox)?.path, base::load(db, mailbox)?)));
        let (path, base): (MailboxPath, _) = match found {
            Ok(found) => found,
            Err(e) if e.kind == StoreErrorKind::Missing => return Ok(false),
            Err(e) => return Err(e.into()),
        };
        let selected = match conn.select(&path, true) {
            Ok(selected) => selected,
            Err(e) if e.connection_lives() => return Ok(false),
            Err(e) => return Err(e.into()),
        };
        let holds = selected.uidvalidity == base.uidvalidity;
        self.selected = Some((mailbox, holds));
        Ok(holds)
    }

    /// What is to be got ahead of need by the rule `keep`, newest first, at most `limit`; nothing once `room` octets are
    /// all but used up.
    ///
    /// # Errors
    /// The store.
    pub fn wanted(&self, account: &AccountName, keep: KeepBodies, room: Option<u64>, limit: u32) -> Result<Vec<Wanted>, Halt> {
        let since = match keep {
            KeepBodies::None => return Ok(Vec::new()),
            KeepBodies::All => i64::MIN,
            KeepBodies::For(age) => self.shared.now().saturating_sub(i64::try_from(age.as_secs()).unwrap_or(i64::MAX)),
        };
        let room = room.unwrap_or(u64::MAX);
        Ok(self.shared.store.read(|db| {
            // What was let go for want of room is not to come back by itself.
            if bodies::total(db, account)? >= room / 10 * 9 {
                return Ok(Vec::new());
            }
            bodies::wanted(db, account, since, MAX_AHEAD, limit)
        })?)
    }
}

/// Reads a message for the list and the index.
#[must_use]
pub fn read(bytes: Vec<u8>) -> Reading {
    let _shut = gate::reading();
    let message = parse::message(bytes);
    let files = structure::attachments(&message).into_iter().filter(|a| !a.related).map(|a| a.name).collect();
    Reading { preview: render::preview(&message), text: render::words(&message, MAX_WORDS), files }
}
