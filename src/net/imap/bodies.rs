//! bodies — the texts of messages and of their parts.
//! Owns: `fetch_whole`, `fetch_many`, `fetch_section` of [`ImapStore`].
//! May import: mail, base.
//! Start reading at: `fetch_many`. Texts are streamed while they come; one that did not end, or that turns out to be another
//! message's, never counts (security S-12, T-12).

use super::conn::{Command, kept};
use super::frame::{KeepAll, MAX_KEPT, Taker};
use super::store::ImapStore;
use super::untagged::{Fetched, Untagged};
use super::value::{self, Room, Value};
use crate::mail::body::PartPath;
use crate::mail::section::Section;
use crate::mail::uid::{Uid, UidSet};
use crate::net::error::{NetError, NetErrorKind, Result};
use crate::net::session::{Bodies, Excerpt, PartGot};
use std::cell::Cell;
use std::io::Write;

/// How many texts one command asks for: even as single numbers they fit a line.
const BATCH: u64 = 100;
/// How many commands are under way at once.
const IN_FLIGHT: usize = 2;

impl ImapStore {
    pub(super) fn fetch_whole(&mut self, uid: Uid, to: &mut dyn Write) -> Result<Option<u64>> {
        let got = self.fetch_named(uid, "BODY.PEEK[]", b"BODY[]", to)?;
        Ok(got.map(|text| text.unwrap_or(0)))
    }

    /// One section of one message. Nothing if there is no such message; nothing inside if the section is not there.
    fn fetch_named(&mut self, uid: Uid, item: &str, section: &[u8], to: &mut dyn Write) -> Result<Option<Option<u64>>> {
        let command = Command::new(&format!("UID FETCH {uid} (UID {item})"));
        let begun = Cell::new(false);
        let mut taker = One { uid, section, to, written: 0, begun: &begun };
        let (mut kept, mut judged) = (None, false);
        self.conn.run_with(&command, &mut taker, &mut |data| {
            let Untagged::Fetch(row) = data else { return Ok(false) };
            let mine = row.uid == Some(uid);
            if begun.get() && !judged {
                // The UID may stand behind the literal: only now is it known whose text went out (security S-11).
                judged = true;
                if !mine || !row.sound {
                    return Err(NetError::protocol("the text of another message"));
                }
            } else if mine && row.sound && row.section == section {
                kept.get_or_insert(row.body);
            }
            Ok(mine)
        })?;
        if judged {
            return Ok(Some(Some(taker.written)));
        }
        let Some(kept) = kept else { return Ok(None) };
        let Some(text) = kept else { return Ok(Some(None)) };
        to.write_all(&text)?;
        Ok(Some(Some(text.len() as u64)))
    }

    pub(super) fn fetch_section(&mut self, uid: Uid, piece: &Excerpt<'_>, to: &mut dyn Write) -> Result<Option<PartGot>> {
        let Excerpt { section, range, decoded } = piece;
        if range.as_ref().is_some_and(|r| r.is_empty()) {
            return Ok(Some(PartGot { octets: 0, decoded: false }));
        }
        let (part, origin) = match range {
            Some(r) => (format!("<{}.{}>", r.start, r.end - r.start), format!("<{}>", r.start)),
            None => (String::new(), String::new()),
        };
        let name = section.to_string();
        let numbered = matches!(section, Section::Part(path) if *path != PartPath::default());
        if *decoded && numbered && self.caps.binary {
            let (item, told) = (format!("BINARY.PEEK[{name}]{part}"), format!("BINARY[{name}]{origin}"));
            match self.fetch_named(uid, &item, told.as_bytes(), to) {
                Ok(Some(Some(octets))) => return Ok(Some(PartGot { octets, decoded: true })),
                Ok(Some(None)) => return Ok(None),
                Ok(None) => return Ok(None),
                // It cannot take this encoding off (RFC 3516, 4.3); nothing was written.
                Err(NetError { kind: NetErrorKind::No { .. } | NetErrorKind::Bad, .. }) => {}
                Err(e) => return Err(e),
            }
        }
        let (item, told) = (format!("BODY.PEEK[{name}]{part}"), format!("BODY[{name}]{origin}"));
        let got = self.fetch_named(uid, &item, told.as_bytes(), to)?;
        Ok(got.flatten().map(|octets| PartGot { octets, decoded: false }))
    }

    pub(super) fn fetch_many(&mut self, uids: &UidSet, to: &mut dyn Bodies) -> Result<()> {
        let mut rest = uids.clone();
        let mut many = Many { wanted: uids.clone(), alone: UidSet::new(), now: None, cut: false, fault: None, to };
        let mut under_way = 0;
        loop {
            while under_way < IN_FLIGHT && many.to.go_on() {
                // The newest are wanted first.
                let batch = rest.take_newest(BATCH);
                if batch.is_empty() {
                    break;
                }
                self.conn.start(format!("UID FETCH {batch} (UID BODY.PEEK[])").as_bytes())?;
                under_way += 1;
            }
            if under_way == 0 {
                break;
            }
            // One value takes the literals and reads the rows: never both at the same time.
            let shared = std::cell::RefCell::new(&mut many);
            let ended = self.conn.finish(&mut Shared(&shared), &mut |data| shared.borrow_mut().row(data));
            under_way -= 1;
            if let Err(refused) = ended {
                self.read_out(under_way)?;
                return Err(refused);
            }
        }
        // Those whose UID stood behind a text that was too long to wait for it.
        for uid in many.alone.clone().iter() {
            if many.to.go_on() {
                self.fetch_apart(uid, many.to)?;
            }
        }
        Ok(())
    }

    /// Reads the answers to so many commands that are wanted no more: the next command's is the one after them.
    fn read_out(&mut self, under_way: usize) -> Result<()> {
        for _ in 0..under_way {
            kept(self.conn.finish(&mut KeepAll, &mut |_| Ok(true)))?.ok();
        }
        Ok(())
    }

    fn fetch_apart(&mut self, uid: Uid, to: &mut dyn Bodies) -> Result<()> {
        to.begin(uid, 0)?;
        let mut pour = Pour(to);
        if self.fetch_whole(uid, &mut pour)?.is_some() {
            to.whole()?;
        }
        Ok(())
    }
}

/// Streams the section of one message, and of no other.
struct One<'w> {
    uid: Uid,
    section: &'w [u8],
    to: &'w mut dyn Write,
    written: u64,
    begun: &'w Cell<bool>,
}

impl Taker for One<'_> {
    fn wants(&mut self, so_far: &[u8], _: u64) -> bool {
        let Some((section, told)) = announced(so_far) else { return false };
        let mine = section == self.section && told.is_none_or(|uid| uid == self.uid);
        mine && !self.begun.replace(self.begun.get() || mine)
    }

    fn take(&mut self, piece: &[u8]) -> Result<()> {
        self.written += piece.len() as u64;
        self.to.write_all(piece)?;
        Ok(())
    }
}

/// What the literal that begins now is, and the UID if it was told before it.
pub(super) fn announced(so_far: &[u8]) -> Option<(Vec<u8>, Option<Uid>)> {
    let rest = so_far.strip_prefix(b"* ").unwrap_or_default();
    let room = Room::new();
    let words = value::parse(rest, &room);
    let Some(Value::List(items)) = words.get(2) else { return None };
    // The last word before the brace of the literal says what it is.
    let name = items.iter().rev().find(|v| !v.bytes().is_some_and(|b| b.starts_with(b"{") || b == b"~"))?;
    let told = items.chunks_exact(2).find(|p| p.first().is_some_and(|k| k.is("UID"))).and_then(|p| p.get(1)?.number());
    let uid = match told {
        Some(n) => Some(u32::try_from(n).ok().and_then(Uid::new)?),
        None => None,
    };
    Some((name.bytes()?.to_ascii_uppercase(), uid))
}

/// Streams the texts of many messages, each once, in the order in which they come.
struct Many<'b> {
    wanted: UidSet,
    /// To be asked for alone.
    alone: UidSet,
    now: Option<Uid>,
    /// Of the text in this response only the beginning was kept.
    cut: bool,
    fault: Option<NetError>,
    to: &'b mut dyn Bodies,
}

impl Many<'_> {
    fn row(&mut self, data: Untagged<'_>) -> Result<bool> {
        let Untagged::Fetch(row) = data else { return Ok(false) };
        let (now, cut) = (self.now.take(), std::mem::take(&mut self.cut));
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        if let Some(uid) = now {
            if row.uid != Some(uid) || !row.sound {
                return Err(NetError::protocol("the text of another message"));
            }
            self.to.whole()?;
            return Ok(true);
        }
        let Fetched { uid: Some(uid), section, body: Some(text), sound, .. } = *row else { return Ok(false) };
        if section != b"BODY[]" || !sound || !self.wanted.contains(uid) {
            return Ok(false);
        }
        self.wanted = self.wanted.difference(&UidSet::from_iter([uid]));
        if cut {
            self.alone.insert(uid);
            return Ok(true);
        }
        self.to.begin(uid, text.len() as u64)?;
        self.to.piece(&text)?;
        self.to.whole()?;
        Ok(true)
    }
}

impl Taker for Many<'_> {
    fn wants(&mut self, so_far: &[u8], size: u64) -> bool {
        let Some((section, told)) = announced(so_far) else { return false };
        if section != b"BODY[]" || self.now.is_some() {
            return false;
        }
        let Some(uid) = told else {
            self.cut |= size > MAX_KEPT;
            return false;
        };
        if !self.wanted.contains(uid) {
            return false;
        }
        self.wanted = self.wanted.difference(&UidSet::from_iter([uid]));
        self.now = Some(uid);
        self.fault = self.to.begin(uid, size).err();
        true
    }

    fn take(&mut self, piece: &[u8]) -> Result<()> {
        match self.fault.take() {
            Some(fault) => Err(fault),
            None => self.to.piece(piece),
        }
    }
}

/// The two sides of one [`Many`].
struct Shared<'s, 'm, 'b>(&'s std::cell::RefCell<&'m mut Many<'b>>);

impl Taker for Shared<'_, '_, '_> {
    fn wants(&mut self, so_far: &[u8], size: u64) -> bool {
        self.0.borrow_mut().wants(so_far, size)
    }
    fn take(&mut self, piece: &[u8]) -> Result<()> {
        self.0.borrow_mut().take(piece)
    }
}

/// Makes bytes pieces of the text that was begun.
struct Pour<'b>(&'b mut dyn Bodies);

impl Write for Pour<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.piece(bytes)?;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
