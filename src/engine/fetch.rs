//! fetch — gets the bytes of messages, keeps them, reads them for the list and the index.
//! Owns: `Fetcher`, `Got`, the rule which bodies are got ahead of need. May import: store, net, mail.
//! Start reading at: `Fetcher::ahead`; what a person waits for goes through `fetch_parts.rs`. What others wrote is parsed with the door shut: nothing goes outside meanwhile.

use super::api::{Fault, Piece};
use super::bulk::Rules;
use super::fault::{Kind, Reach};
use super::fetch_parts::Patience;
use super::round::Halt;
use super::shared::Shared;
use crate::base::spawn::guarded;
use crate::base::{crash, gate, log};
use crate::config::KeepBodies;
use crate::mail::body::{Flaw, Message};
use crate::mail::ids::{AccountName, MailboxId, MessageKey};
use crate::mail::mailbox::MailboxPath;
use crate::mail::section::Section;
use crate::mail::uid::Uid;
use crate::mail::{claim, parse, render, structure};
use crate::net::error::NetError;
use crate::net::session::MailStore;
use crate::store::blobs::{Blobs, Incoming};
use crate::store::bodies::{self, Reading, Wanted};
use crate::store::{StoreErrorKind, base, messages, tree};
use std::collections::BTreeSet;
use std::io::{self, Write};

/// Of messages larger than this only the texts are fetched ahead of need, unless everything is to be kept.
const AHEAD_WHOLE: u64 = 1024 * 1024;
/// What is fetched ahead of need has at most so many octets.
const MAX_AHEAD: u64 = 10 * 1024 * 1024;
/// Characters of a message's text that are indexed.
const MAX_WORDS: usize = 200_000;

/// How the getting of a body ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Got {
    /// It is here.
    Here,
    /// The server does not have the message (any more), or not under the number that we know: its mailbox needs a visit.
    Gone(MailboxId),
    /// It was never there: a message that is about to be moved or appended.
    Nowhere,
    /// The server would not give it, or the person stopped it.
    Refused(Fault),
    /// Something more urgent is to be done: it goes on later.
    Later,
}

/// Gets bodies over one connection.
#[derive(Debug)]
pub struct Fetcher<'a> {
    pub(super) shared: &'a Shared,
    /// Whose connection it is.
    pub(super) account: AccountName,
    pub(super) blobs: Blobs,
    /// What is selected, and whether the numbers that we know hold there.
    selected: Option<(MailboxId, bool)>,
    /// What was, and is not any more.
    left: BTreeSet<MailboxId>,
    /// Whether anything came.
    pub(super) gained: bool,
}

impl<'a> Fetcher<'a> {
    /// Nothing is selected yet.
    ///
    /// # Errors
    /// The store.
    pub fn new(shared: &'a Shared, account: &AccountName) -> Result<Self, Halt> {
        Ok(Self {
            shared,
            account: account.clone(),
            blobs: Blobs::open(&shared.store.places().cache)?,
            selected: None,
            left: BTreeSet::new(),
            gained: false,
        })
    }

    /// `mailbox` is selected and in step with the cache.
    pub(super) const fn is_at(&mut self, mailbox: MailboxId) {
        self.selected = Some((mailbox, true));
    }

    /// Whether that is still so: nothing else was selected since.
    pub(super) fn is_still_at(&self, mailbox: MailboxId) -> bool {
        self.selected == Some((mailbox, true))
    }

    /// Another mailbox is selected by somebody else; whether one was.
    pub fn forget(&mut self) -> bool {
        let was = self.selected.take();
        self.left.extend(was.map(|(id, _)| id));
        was.is_some()
    }

    /// The mailboxes that were selected for it since this was last asked, and are not any more.
    pub(super) fn left(&mut self) -> BTreeSet<MailboxId> {
        std::mem::take(&mut self.left)
    }

    /// Gets one body ahead of need: whole, or if it is large and `whole` is not wanted, its text.
    ///
    /// # Errors
    /// What ended the connection, or the store.
    pub fn ahead(&mut self, conn: &mut dyn MailStore, wanted: Wanted, whole: bool) -> Result<Got, Halt> {
        let Some(uid) = Uid::new(wanted.uid) else { return Ok(Got::Nowhere) };
        if whole || wanted.size <= AHEAD_WHOLE {
            return self.get(conn, wanted.message, wanted.mailbox, uid, wanted.size, &Piece::Text);
        }
        let content = self.shared.store.read(|db| messages::content(db, wanted.message));
        match content {
            Ok(content) => self.text(conn, &content, wanted.mailbox, uid),
            Err(e) if e.kind == StoreErrorKind::Missing => Ok(Got::Nowhere),
            Err(e) => Err(e.into()),
        }
    }

    /// Gets a whole message at once.
    pub(super) fn get(
        &mut self,
        conn: &mut dyn MailStore,
        message: MessageKey,
        mailbox: MailboxId,
        uid: Uid,
        size: u64,
        piece: &Piece,
    ) -> Result<Got, Halt> {
        if !self.select(conn, mailbox)? {
            return Ok(Got::Gone(mailbox));
        }
        let mut counted = Counted { to: self.blobs.begin()?, shared: self.shared, message, piece, done: 0, size };
        match conn.fetch_body(uid, &mut counted) {
            Ok(Some(_)) => {}
            Ok(None) => return Ok(Got::Gone(mailbox)),
            Err(e) if e.connection_lives() => return Ok(Got::Refused(refused(&e))),
            Err(e) => return Err(e.into()),
        }
        let (blob, octets) = counted.to.finish()?;
        self.keep(message, blob, octets)
    }

    /// Whether the UIDs of the cache hold in that mailbox.
    pub(super) fn select(&mut self, conn: &mut dyn MailStore, mailbox: MailboxId) -> Result<bool, Halt> {
        if let Some((id, holds)) = self.selected
            && id == mailbox
        {
            return Ok(holds);
        }
        self.forget();
        let found = self.shared.store.read(|db| Ok((tree::at_server(db, mailbox)?, base::load(db, mailbox)?)));
        let (path, base): (MailboxPath, _) = match found {
            Ok(found) => found,
            Err(e) if e.kind == StoreErrorKind::Missing => return Ok(false),
            Err(e) => return Err(e.into()),
        };
        let selected = match conn.select(&path, true, None) {
            Ok(selected) => selected,
            Err(e) if e.connection_lives() => return Ok(false),
            Err(e) => return Err(e.into()),
        };
        let holds = selected.uidvalidity == base.uidvalidity;
        self.selected = Some((mailbox, holds));
        Ok(holds)
    }

    /// What is to be got ahead of need by the `rules`, newest first, at most `limit`; nothing once `room` octets are all but
    /// used up.
    ///
    /// # Errors
    /// The store.
    pub(super) fn wanted(
        &self,
        account: &AccountName,
        rules: &Rules,
        room: Option<u64>,
        limit: u32,
        fits: &dyn Fn(MessageKey) -> bool,
    ) -> Result<Vec<Wanted>, Halt> {
        let Some(since) = rules.earliest() else { return Ok(Vec::new()) };
        let mut all = self.shared.store.read(|db| {
            // What was let go for want of room is not to come back by itself.
            if let Some(room) = room
                && bodies::total(db, account)? >= room / 10 * 9
            {
                return Ok(Vec::new());
            }
            let ruled = |mailbox, received| rules.since(rules.rule(mailbox)).is_some_and(|since| received >= since);
            bodies::wanted(db, account, since, MAX_AHEAD, limit, &ruled)
        })?;
        all.retain(|w| fits(w.message));
        Ok(all)
    }

    /// Gets these ahead of need, mailbox by mailbox, as long as `go_on` says so; calls `came` with each mailbox and how many
    /// came. Which could not be had.
    ///
    /// # Errors
    /// What ended the connection, or the store.
    pub(super) fn all_ahead(
        &mut self,
        conn: &mut dyn MailStore,
        rules: &Rules,
        mut wanted: Vec<Wanted>,
        go_on: &dyn Fn() -> bool,
        came: &mut dyn FnMut(MailboxId, u64) -> Result<(), Halt>,
    ) -> Result<Vec<MessageKey>, Halt> {
        wanted.sort_by_key(|w| w.mailbox);
        let mut missing = Vec::new();
        for group in wanted.chunk_by(|a, b| a.mailbox == b.mailbox) {
            let Some(mailbox) = group.first().map(|w| w.mailbox) else { continue };
            let everything = rules.rule(mailbox) == KeepBodies::All;
            let (whole, by_text): (Vec<Wanted>, Vec<Wanted>) =
                group.iter().copied().partition(|w| everything || w.size <= AHEAD_WHOLE);
            let (in_pieces, whole): (Vec<Wanted>, Vec<Wanted>) =
                whole.into_iter().partition(|w| self.blobs.is_begun(w.message, &Section::Whole, false));
            if !go_on() {
                break;
            }
            // Where several broke a line, asking for many at once may bring nothing at all.
            let stuck = in_pieces.len() > 1;
            let single: Vec<(Wanted, bool)> =
                in_pieces.into_iter().map(|w| (w, true)).chain(by_text.into_iter().map(|w| (w, false))).collect();
            let patience = Patience { give_way: &|| !go_on(), line: None };
            for many in [!stuck, stuck] {
                if many && !whole.is_empty() {
                    let (some, gone) = self.many(conn, mailbox, &whole, go_on)?;
                    missing.extend(gone);
                    came(mailbox, some)?;
                }
                for (one, in_pieces) in single.iter().filter(|_| !many) {
                    if !go_on() {
                        break;
                    }
                    let got = if *in_pieces { self.in_pieces(conn, *one, &patience)? } else { self.ahead(conn, *one, false)? };
                    match got {
                        Got::Here => came(mailbox, 1)?,
                        Got::Later => break,
                        _ => missing.push(one.message),
                    }
                }
            }
        }
        Ok(missing)
    }
}

/// The server said no to one message. It may not say so for ever.
pub(super) fn refused(error: &NetError) -> Fault {
    let said = if error.text.is_empty() { String::new() } else { format!(": {}", error.text) };
    Fault::new(Kind::Refused, &format!("the server does not give this message{said}")).reaching(Reach::Message)
}

/// Counts the octets of a message on their way to the disk, and tells who waits for it.
struct Counted<'a> {
    to: Incoming,
    shared: &'a Shared,
    message: MessageKey,
    piece: &'a Piece,
    done: u64,
    size: u64,
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.done += written as u64;
        if self.shared.awaited.coming(self.message, self.piece, self.done, self.size) {
            self.shared.text_changed(self.message);
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Reads a message for the list and the index. One on which we fail is kept with what was known of it, and not got again: else it
/// would end the connection each time, and nothing behind it would ever come. It is read once more, later (security F-10).
#[must_use]
pub fn read_raw(bytes: Vec<u8>) -> Reading {
    read(parse::message(bytes))
}

/// The same of a message that is parsed, perhaps not whole.
#[must_use]
pub fn read(message: Message) -> Reading {
    let _shut = gate::reading();
    guarded(|| read_whole(message)).unwrap_or_else(|panic| {
        log::warn("fetch", format_args!("a message cannot be read, it is left out of the search: {panic}"));
        Reading { failed: true, ..Reading::default() }
    })
}

fn read_whole(message: Message) -> Reading {
    crash::poison("parse", &message.raw);
    let files = structure::attachments(&message).into_iter().filter(|a| !a.related).map(|a| a.name).collect();
    let envelope = (!message.flaws.contains(&Flaw::NotMail)).then(|| message.envelope.clone());
    let whole = message.whole && !message.flaws.contains(&Flaw::Unparsable);
    let claims = whole.then(|| claim::files(&message));
    let (preview, text) = (render::preview(&message), render::words(&message, MAX_WORDS));
    Reading { envelope, preview, text, files, claims, failed: false }
}
