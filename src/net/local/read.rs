//! read — texts of messages and parts of a local account.
//! Owns: `LocalStore::read_many`, `LocalStore::read_part`.
//! May import: mail, base.
//! Start reading at: `section`, which cuts a message as an IMAP server would.

use super::store::LocalStore;
use crate::base::gate;
use crate::mail::body::{Message, Part, PartPath};
use crate::mail::parse;
use crate::mail::section::Section;
use crate::mail::uid::{Uid, UidSet};
use crate::net::error::{NetError, NetErrorKind, Result};
use crate::net::session::{Bodies, Excerpt, MailStore, PartGot};
use std::fs::File;
use std::io::{self, Write};

impl LocalStore {
    pub(super) fn read_whole(&mut self, uid: Uid, to: &mut dyn Write) -> Result<Option<u64>> {
        let mut size = None;
        self.each(&UidSet::from_iter([uid]), &mut |me, _, _, found| {
            // Opening is what can fail for a renamed file: nothing was written then.
            let mut file = File::open(me.path_of(found)?)?;
            let n = io::copy(&mut file, to).map_err(|e| NetError::new(NetErrorKind::Io(e.kind()), &e.to_string()))?;
            me.traffic.received += n;
            size = Some(n);
            Ok(())
        })?;
        Ok(size)
    }

    pub(super) fn read_many(&mut self, uids: &UidSet, to: &mut dyn Bodies) -> Result<()> {
        for uid in self.uids(1)?.intersection(uids).iter() {
            if !to.go_on() {
                break;
            }
            let mut text = Vec::new();
            if let Some(size) = self.read_whole(uid, &mut text)? {
                to.begin(uid, size)?;
                to.piece(&text)?;
                to.whole()?;
            }
        }
        Ok(())
    }

    pub(super) fn read_part(&mut self, uid: Uid, piece: &Excerpt<'_>, to: &mut dyn Write) -> Result<Option<PartGot>> {
        let mut text = Vec::new();
        if self.read_whole(uid, &mut text)?.is_none() {
            return Ok(None);
        }
        let shut = gate::reading();
        let message = parse::message(text);
        let Some((bytes, decoded)) = section(&message, piece.section, piece.decoded) else { return Ok(None) };
        drop(shut);
        let index = |n: u64| usize::try_from(n).unwrap_or(usize::MAX).min(bytes.len());
        let range = piece.range.as_ref().map_or(0..bytes.len(), |r| index(r.start)..index(r.end));
        let bytes = bytes.get(range).unwrap_or_default();
        to.write_all(bytes)?;
        Ok(Some(PartGot { octets: bytes.len() as u64, decoded }))
    }
}

/// The bytes of a section, and whether the transfer encoding is off them.
fn section(message: &Message, which: &Section, decoded: bool) -> Option<(Vec<u8>, bool)> {
    let raw = &message.raw;
    let find = |path: &PartPath| -> Option<&Part> { message.parts.iter().find(|p| p.path == *path) };
    let part = match which {
        Section::Whole => return Some((raw.to_vec(), false)),
        Section::Header => return Some((raw.get(message.parts.first()?.header.clone())?.to_vec(), false)),
        Section::Part(path) if *path == PartPath::default() => {
            let root = message.parts.first()?;
            return Some((raw.get(root.header.end..)?.to_vec(), false));
        }
        Section::Part(path) => find(path)?,
        Section::Mime(path) => return Some((raw.get(find(path)?.header.clone())?.to_vec(), false)),
        Section::HeaderOf(path) => {
            let inside = find(path)?.children.first().and_then(|c| message.parts.get(*c))?;
            return Some((raw.get(inside.header.clone())?.to_vec(), false));
        }
    };
    Some(if decoded { (parse::bytes(message, part), true) } else { (message.encoded(part).to_vec(), false) })
}
