//! fetch_parts — gets parts of messages: the texts of a large one, a file that somebody asked for, a large message whole.
//! Owns: `Fetcher::piece`, what is read by its parts. May import: store, net, mail, and the engine's own.
//! Start reading at: `Fetcher::piece`. What is large comes in short pieces, each asked for by itself: between two of them it can be
//! stopped, make room for a text that somebody waits for, and go on after a dropped line where it ended.

use super::api::{Fault, Piece, Task, Unit};
use super::awaited::Asking;
use super::fault::{Kind, Reach, Remedy};
use super::fetch::{Fetcher, Got, read, refused};
use super::jobs::Running;
use super::kept;
use super::round::Halt;
use super::shared;
use crate::base::cancel::Cancel;
use crate::mail::body::Encoding;
use crate::mail::ids::{AccountName, MailboxId, MessageKey, PlacementKey};
use crate::mail::outline::{MAX_ALONG, Outline};
use crate::mail::section::Section;
use crate::mail::uid::Uid;
use crate::net::session::{Excerpt, MailStore};
use crate::store::bodies::{self, Reading, Wanted};
use crate::store::messages::Content;
use crate::store::parts::{self, Held};
use crate::store::{StoreErrorKind, messages, placements, poison};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// A message larger than this is read by its parts, if that saves anything.
pub(super) const LARGE: u64 = 256 * 1024;
/// The first piece of what is large, in octets, and the least and the most that is asked for at a time.
const FIRST: u64 = 128 * 1024;
const LEAST: u64 = 16 * 1024;
/// The first piece where a line broke before, in octets: it may break after little more than that each time. The next one is twice
/// as large, and so on: five short turns more over a line that is good again.
const AGAIN: u64 = 512;
const MOST: u64 = 4 * 1024 * 1024;
/// A piece is to take about so long: stopping waits for its end.
const BEAT: Duration = Duration::from_millis(300);
/// What may come beyond the size that the server told, in octets, before it is too much: some count otherwise.
const SLACK: u64 = 1024 * 1024;

/// Who waits for a piece, and what must not wait for it.
pub(super) struct Patience<'a> {
    /// Whether something more urgent is to be done.
    pub give_way: &'a dyn Fn() -> bool,
    /// What ends all waiting for the line.
    pub line: Option<&'a Cancel>,
}

fn stopped() -> Fault {
    Fault::new(Kind::Cancelled, "stopped; what is here of it is kept").reaching(Reach::Message)
}

/// Something large on its way.
struct Large<'a> {
    message: MessageKey,
    uid: Uid,
    mailbox: MailboxId,
    piece: &'a Piece,
    section: Section,
    /// Octets, as the server told.
    total: u64,
    /// Whether to ask for it without its transfer encoding.
    decoded: bool,
}

enum Came {
    /// All of it: its file, its octets, whether it is decoded.
    All(String, u64, bool),
    Not(Got),
}

impl Fetcher<'_> {
    /// Gets what somebody waits for of a message, if it is not here.
    ///
    /// # Errors
    /// What ended the connection, or the store.
    pub(super) fn piece(
        &mut self,
        conn: &mut dyn MailStore,
        key: PlacementKey,
        piece: &Piece,
        patience: &Patience<'_>,
    ) -> Result<Got, Halt> {
        let found = self.shared.store.read(|db| {
            let asked = placements::get(db, key)?;
            let content = messages::content(db, asked.message)?;
            let partly = parts::of(db, asked.message)?;
            // It may have no number yet where it is asked for, but still one where it comes from.
            let mut places = placements::of_message(db, asked.message)?;
            places.sort_by_key(|p| p.id != key);
            Ok((content, partly, places.into_iter().find_map(|p| Some((p.mailbox, Uid::new(p.uid?)?)))))
        });
        let (content, partly, place) = match found {
            Ok(found) => found,
            // It was deleted meanwhile.
            Err(e) if e.kind == StoreErrorKind::Missing => return Ok(Got::Nowhere),
            Err(e) => return Err(e.into()),
        };
        let asking = self.shared.awaited.asking(content.key, piece);
        if self.shared.awaited.is_stopped(content.key, piece) {
            return Ok(Got::Nowhere);
        }
        let whole = !content.blob.is_empty() && self.blobs.size(&content.blob).is_some();
        let here = whole
            || match (piece, &partly) {
                (Piece::Text, Some(partly)) => partly.held.iter().all(|h| self.blobs.size(&h.blob).is_some()),
                (Piece::Part(path), Some(partly)) => partly.part(path).is_some_and(|h| self.blobs.size(&h.blob).is_some()),
                _ => false,
            };
        let got = match place {
            _ if here => Ok(Got::Here),
            None => Ok(Got::Nowhere),
            Some((mailbox, uid)) => match (piece, partly) {
                (Piece::Text, _) => self.text(conn, &content, mailbox, uid),
                (Piece::Part(path), Some(partly)) => {
                    let Some(node) = partly.outline.node(path) else {
                        return self.ended(content.key, piece, asking, Ok(Got::Nowhere));
                    };
                    let large = Large {
                        message: content.key,
                        uid,
                        mailbox,
                        piece,
                        section: Section::Part(path.clone()),
                        total: node.octets,
                        // Four letters stand for three octets.
                        decoded: node.encoding() == Encoding::Base64,
                    };
                    let what = node.name.clone().unwrap_or_else(|| format!("part {path}"));
                    self.part(conn, &content.account, &what, &large, patience)
                }
                // What a part is only the outline says, which comes with the text; unless all of it comes then.
                (Piece::Part(_), None) => match self.text(conn, &content, mailbox, uid) {
                    Ok(Got::Here) => return self.piece(conn, key, piece, patience),
                    other => other,
                },
                (Piece::Whole, _) => {
                    let section = Section::Whole;
                    let large = Large { message: content.key, uid, mailbox, piece, section, total: content.size, decoded: false };
                    self.whole(conn, &content, &large, patience)
                }
            },
        };
        self.ended(content.key, piece, asking, got)
    }

    /// Tells whoever waits for a piece how its getting ended.
    fn ended(&self, message: MessageKey, piece: &Piece, asking: Option<Asking>, got: Result<Got, Halt>) -> Result<Got, Halt> {
        let awaited = &self.shared.awaited;
        let fault = match &got {
            // The commit is the news.
            Ok(Got::Here) => {
                awaited.here(message, piece);
                return got;
            }
            // Its line was cut for it to stop.
            Err(Halt::Net(_)) if self.shared.jobs.is_stopped(&Task::Piece(message, piece.clone())) => stopped(),
            // The next line, or the next pause, goes on with it.
            Err(Halt::Net(_)) | Ok(Got::Later) => {
                awaited.again(message, piece);
                return got;
            }
            Err(Halt::Store(fault)) | Ok(Got::Refused(fault)) => fault.clone(),
            Ok(Got::Gone(_)) => Fault::missing("the server does not have this message any more"),
            Ok(Got::Nowhere) => Fault::missing("this message is not on the server yet"),
        };
        shared::note(&fault);
        let fault = if fault.remedy.is_none() { fault.remedied(Remedy::Reconnect(None)) } else { fault };
        if awaited.failed(message, piece, asking, fault) {
            self.shared.text_changed(message);
        }
        got
    }

    /// The text of a message: by its parts if that saves much, else with all that belongs to it.
    pub(super) fn text(
        &mut self,
        conn: &mut dyn MailStore,
        content: &Content,
        mailbox: MailboxId,
        uid: Uid,
    ) -> Result<Got, Halt> {
        let files = !content.files.is_empty() && content.size > MAX_ALONG;
        if content.size > LARGE || files {
            if !self.select(conn, mailbox)? {
                return Ok(Got::Gone(mailbox));
            }
            let mut told = conn.fetch_outline(uid);
            if matches!(told, Ok(None)) {
                // Another line told of it, and this one had not heard of it yet; at the end of a command it has.
                told = conn.fetch_outline(uid);
            }
            match told {
                Ok(Some((outline, header))) if outline.is_worth_it() => {
                    if let Some(got) = self.by_parts(conn, content.key, uid, &outline, header)? {
                        return Ok(got);
                    }
                }
                Ok(_) => {}
                // It cannot tell: then the whole has to do.
                Err(e) if e.connection_lives() => {}
                Err(e) => return Err(e.into()),
            }
        }
        self.get(conn, content.key, mailbox, uid, content.size, &Piece::Text)
    }

    /// Nothing if the server does not give what it told of: then it is not to be believed.
    fn by_parts(
        &mut self,
        conn: &mut dyn MailStore,
        message: MessageKey,
        uid: Uid,
        outline: &Outline,
        header: Vec<u8>,
    ) -> Result<Option<Got>, Halt> {
        let sections: Vec<Section> = outline.to_read().into_iter().map(|(section, _)| section).collect();
        let mut pieces = match conn.fetch_sections(uid, &sections) {
            Ok(Some(pieces)) => pieces,
            Ok(None) => return Ok(None),
            Err(e) if e.connection_lives() => return Ok(None),
            Err(e) => return Err(e.into()),
        };
        if sections.iter().any(|section| !pieces.contains_key(section)) {
            return Ok(None);
        }
        pieces.insert(Section::Header, header);
        let mut held = Vec::with_capacity(pieces.len());
        for (section, bytes) in &pieces {
            let blob = self.blobs.put(bytes)?;
            held.push(Held { section: section.clone(), octets: bytes.len() as u64, decoded: false, blob });
        }
        let left_out = self.shared.store.read(|db| poison::is_left_out(db, message))?;
        let reading = if left_out { Reading::default() } else { read(outline.message(&pieces, &BTreeSet::new())) };
        let (outline, octets) = (outline.clone(), held.iter().map(|h| h.octets).sum());
        self.shared.store.cache(move |tx| parts::arrived(tx, message, &outline, &held, &reading))?;
        kept::grew(self.shared, &self.account, octets).map_err(Halt::Store)?;
        Ok(Some(Got::Here))
    }

    fn part(
        &mut self,
        conn: &mut dyn MailStore,
        account: &AccountName,
        what: &str,
        large: &Large<'_>,
        patience: &Patience<'_>,
    ) -> Result<Got, Halt> {
        match self.stream(conn, account, what, large, patience)? {
            Came::Not(got) => Ok(got),
            Came::All(blob, octets, decoded) => {
                let (message, section) = (large.message, large.section.clone());
                let held = Held { section, octets, decoded, blob };
                self.shared.store.cache(move |tx| parts::part_arrived(tx, message, &held))?;
                kept::grew(self.shared, &self.account, octets).map_err(Halt::Store)?;
                Ok(Got::Here)
            }
        }
    }

    fn whole(
        &mut self,
        conn: &mut dyn MailStore,
        content: &Content,
        large: &Large<'_>,
        patience: &Patience<'_>,
    ) -> Result<Got, Halt> {
        if content.size <= LARGE {
            return self.get(conn, content.key, large.mailbox, large.uid, content.size, large.piece);
        }
        match self.stream(conn, &content.account, &content.envelope.subject, large, patience)? {
            Came::Not(got) => Ok(got),
            Came::All(blob, octets, _) => self.keep(content.key, blob, octets),
        }
    }

    /// Gets a message whole in which a line broke before.
    ///
    /// # Errors
    /// What ended the connection, or the store.
    pub(super) fn in_pieces(&mut self, conn: &mut dyn MailStore, one: Wanted, patience: &Patience<'_>) -> Result<Got, Halt> {
        let content = match self.shared.store.read(|db| messages::content(db, one.message)) {
            Ok(content) => content,
            Err(e) if e.kind == StoreErrorKind::Missing => return Ok(Got::Nowhere),
            Err(e) => return Err(e.into()),
        };
        let (Some(uid), piece, section) = (Uid::new(one.uid), &Piece::Whole, Section::Whole) else { return Ok(Got::Nowhere) };
        let (message, mailbox, total) = (one.message, one.mailbox, content.size);
        let large = Large { message, uid, mailbox, piece, section, total, decoded: false };
        match self.stream(conn, &content.account, &content.envelope.subject, &large, patience)? {
            Came::Not(got) => Ok(got),
            Came::All(blob, octets, _) => self.keep(message, blob, octets),
        }
    }

    /// Gets something large piece by piece.
    fn stream(
        &mut self,
        conn: &mut dyn MailStore,
        account: &AccountName,
        what: &str,
        large: &Large<'_>,
        patience: &Patience<'_>,
    ) -> Result<Came, Halt> {
        if !self.select(conn, large.mailbox)? {
            return Ok(Came::Not(Got::Gone(large.mailbox)));
        }
        let what = format!("fetching {}", if what.trim().is_empty() { "a message" } else { what });
        let task = Task::Piece(large.message, large.piece.clone());
        let job = self.shared.begin(task, account, &what, Unit::Octets, patience.line);
        self.stream_in(conn, large, patience, &job)
    }

    fn stream_in(
        &mut self,
        conn: &mut dyn MailStore,
        large: &Large<'_>,
        patience: &Patience<'_>,
        job: &Running,
    ) -> Result<Came, Halt> {
        // Where it cannot take the encoding off, nothing is fetched to find that out.
        let mut decoded = large.decoded && conn.caps().binary;
        let mut partial = self.blobs.resume(large.message, &large.section, decoded)?;
        let (mut size, mut ended) = (if partial.was_begun() { AGAIN } else { FIRST }, false);
        loop {
            self.told(large, decoded, partial.len(), job);
            if job.must_stop() {
                return Ok(Came::Not(Got::Refused(stopped())));
            }
            if (patience.give_way)() {
                return Ok(Came::Not(Got::Later));
            }
            let (from, begun) = (partial.len(), Instant::now());
            let mut piece = partial.piece();
            let asked = Excerpt { section: &large.section, range: Some(from..from + size), decoded };
            let got = match conn.fetch_part(large.uid, &asked, &mut piece) {
                Ok(got) => got,
                Err(e) if e.connection_lives() => return Ok(Came::Not(Got::Refused(refused(&e)))),
                Err(e) => return Err(e.into()),
            };
            match got {
                // Not even the beginning is there.
                None if from == 0 => return Ok(Came::Not(Got::Gone(large.mailbox))),
                None => {}
                Some(got) if got.decoded != decoded => {
                    // The server does not take this encoding off, or no more: from the beginning as it is.
                    decoded = got.decoded;
                    drop(piece);
                    partial = self.blobs.resume(large.message, &large.section, decoded)?;
                    continue;
                }
                Some(_) => {}
            }
            let came = piece.len();
            if came > size || from + came > large.total.saturating_add(large.total / 4).saturating_add(SLACK) {
                drop(piece);
                partial.restart()?;
                let fault = Fault::new(Kind::Protocol, "the server sends more than it said").reaching(Reach::Message);
                return Ok(Came::Not(Got::Refused(fault)));
            }
            piece.keep();
            self.gained = true;
            let short = came < size;
            // As many as were told, or nothing twice: a server that counts otherwise is asked again whether that was all.
            if short && (came == 0 || decoded || from + came == large.total || std::mem::replace(&mut ended, true)) {
                self.told(large, decoded, partial.len(), job);
                let (blob, octets) = partial.finish()?;
                return Ok(Came::All(blob, octets, decoded));
            }
            size = match begun.elapsed() {
                // So few take no time: that was the turn.
                _ if size < LEAST => size * 2,
                fair if size < FIRST && fair < BEAT * 2 => size * 2,
                fast if fast < BEAT / 2 => (size * 2).min(MOST),
                slow if slow > BEAT * 2 => (size / 2).max(LEAST),
                _ => size,
            };
        }
    }

    fn told(&self, large: &Large<'_>, decoded: bool, done: u64, job: &Running) {
        // Decoded octets are fewer than the server told.
        let total = if decoded { large.total.saturating_mul(57) / 78 } else { large.total };
        job.at(done.min(total), total);
        if self.shared.awaited.coming(large.message, large.piece, done.min(total), total) {
            self.shared.text_changed(large.message);
        }
    }

    /// The file of a whole message is here: records it, and what it says.
    pub(super) fn keep(&self, message: MessageKey, blob: String, octets: u64) -> Result<Got, Halt> {
        let left_out = self.shared.store.read(|db| poison::is_left_out(db, message))?;
        let reading = if left_out { Reading::default() } else { super::fetch::read_raw(self.blobs.get(&blob)?) };
        self.shared.store.cache(move |tx| bodies::arrived(tx, message, &blob, octets, &reading))?;
        kept::grew(self.shared, &self.account, octets).map_err(Halt::Store)?;
        Ok(Got::Here)
    }
}
