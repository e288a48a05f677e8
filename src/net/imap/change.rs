//! change — changing messages: flags, move, copy, expunge, append.
//! Owns: the verbs of [`ImapStore`] that change something, COPYUID and APPENDUID.
//! May import: mail, base.
//! Start reading at: `transfer`. UIDs only, `+FLAGS`/`-FLAGS` only, UID EXPUNGE only (security S-14).

use super::conn::Command;
use super::envelope::date_time;
use super::fetch::pieces;
use super::frame::KeepAll;
use super::labels;
use super::store::ImapStore;
use super::untagged::Untagged;
use super::value;
use crate::mail::flags::{FlagDelta, Flags};
use crate::mail::mailbox::MailboxPath;
use crate::mail::server::CopiedUids;
use crate::mail::uid::{Uid, UidSet, UidValidity};
use crate::net::error::{NetError, Result};
use std::io::Read;

/// How much of an append is read at once.
const PIECE: usize = 64 * 1024;

impl ImapStore {
    pub(super) fn change_flags(&mut self, uids: &UidSet, delta: &FlagDelta) -> Result<()> {
        for piece in pieces(uids) {
            // Some servers answer all the same: for these messages that is no news.
            let ours = |data: &Untagged<'_>| matches!(data, Untagged::Fetch(f) if f.uid.is_some_and(|u| piece.contains(u)));
            let commands = labels::changes(&piece, delta, self.caps.labels);
            for done in self.conn.run_all(&commands, &mut |data| Ok(ours(&data)))? {
                done?;
            }
        }
        Ok(())
    }

    pub(super) fn transfer(&mut self, verb: &str, uids: &UidSet, to: &MailboxPath) -> Result<Option<CopiedUids>> {
        let moves = verb.contains("MOVE");
        let mut all: Option<CopiedUids> = None;
        let mut certain = true;
        for piece in pieces(uids) {
            let command = self.naming(Command::new(verb).text(&piece.to_string()).text(" "), to);
            if moves {
                self.conn.core().news.own_expunges = piece.len();
            }
            let mut told = None;
            // Dovecot tells the UIDs of a MOVE in an untagged OK, others in the tagged one.
            let result = self.conn.run(&command, &mut |data| match data {
                Untagged::Status(s) if s.code == "COPYUID" => {
                    told = copied(s.args, &piece);
                    Ok(true)
                }
                _ => Ok(false),
            });
            self.conn.core().news.own_expunges = 0;
            let done = result?;
            if done.code == "COPYUID" {
                told = copied(&done.args, &piece);
            }
            match (&mut all, told) {
                (_, None) => certain = false,
                (None, told) => all = told,
                (Some(all), Some(more)) if all.uidvalidity == more.uidvalidity => all.pairs.extend(more.pairs),
                _ => certain = false,
            }
        }
        Ok(all.filter(|_| certain))
    }

    pub(super) fn expunge_only(&mut self, uids: &UidSet) -> Result<()> {
        for piece in pieces(uids) {
            self.conn.core().news.own_expunges = piece.len();
            let result = self.simply(&Command::new(&format!("UID EXPUNGE {piece}")));
            self.conn.core().news.own_expunges = 0;
            result?;
        }
        Ok(())
    }

    pub(super) fn append_stream(
        &mut self,
        path: &MailboxPath,
        flags: &Flags,
        received: i64,
        size: u64,
        from: &mut dyn Read,
    ) -> Result<Option<(UidValidity, Uid)>> {
        let mut buffer = vec![0; PIECE];
        let mut left = size;
        let mut got = self.more(from, &mut buffer, left)?;
        let utf8 = self.utf8_mail && has_utf8_header(buffer.get(..got).unwrap_or_default());
        let (kind, close) = if utf8 { ("UTF8 (~", &b")\r\n"[..]) } else { ("", &b"\r\n"[..]) };
        let tail = format!(" ({}) \"{}\" {kind}", flags.wire(), date_time(received));
        let command = self.naming(Command::new("APPEND "), path).text(&tail).open(size);
        self.conn.say(&command, &mut |_| Ok(false))?;
        while left > 0 {
            self.conn.core().wire.queue(buffer.get(..got).unwrap_or_default())?;
            left -= got as u64;
            got = self.more(from, &mut buffer, left)?;
        }
        self.conn.core().wire.queue(close)?;
        self.conn.core().wire.flush_twice()?;
        let done = self.conn.finish(&mut KeepAll, &mut |_| Ok(false))?;
        Ok(if done.code == "APPENDUID" { appended(&done.args) } else { None })
    }

    /// The next octets of a message of which `left` are to come.
    fn more(&mut self, from: &mut dyn Read, buffer: &mut [u8], left: u64) -> Result<usize> {
        let want = usize::try_from(left).unwrap_or(usize::MAX).min(PIECE);
        let room = buffer.get_mut(..want).unwrap_or_default();
        loop {
            return match from.read(room) {
                Ok(0) if left > 0 => {
                    Err(self.conn.core().wire.fail(NetError::protocol("the message is shorter than it was said to be")))
                }
                Ok(got) => Ok(got),
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
                // The server may wait for what will not come: only closing ends that, and it keeps nothing.
                Err(e) => Err(self.conn.core().wire.fail(e.into())),
            };
        }
    }
}

/// Whether there is more than ASCII in the header with which a message begins.
fn has_utf8_header(begin: &[u8]) -> bool {
    let end = begin.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or(begin.len());
    !begin.get(..end).unwrap_or_default().is_ascii()
}

/// `validity source target`, if it is about what we asked for, one to one and in order. Otherwise nothing: then the
/// new UIDs are looked for (security S-29).
fn copied(args: &[u8], asked: &UidSet) -> Option<CopiedUids> {
    let text = std::str::from_utf8(args).ok()?;
    let mut words = text.split_whitespace();
    let (validity, source, target) = (words.next()?, words.next()?, words.next()?);
    let validity = value::number(validity.as_bytes()).and_then(|n| u32::try_from(n).ok())?;
    let source = ascending(source)?;
    if !source.difference(asked).is_empty() {
        return None;
    }
    CopiedUids::pair(UidValidity(validity), &source, &ascending(target)?)
}

/// A set whose members stand in ascending order: in any other order they would be paired wrongly.
fn ascending(text: &str) -> Option<UidSet> {
    let mut last = 0u32;
    for number in text.split([',', ':']) {
        let n = number.parse::<u32>().ok().filter(|n| *n > last)?;
        last = n;
    }
    UidSet::parse(text, 0)
}

fn appended(args: &[u8]) -> Option<(UidValidity, Uid)> {
    let text = std::str::from_utf8(args).ok()?;
    let (validity, uid) = text.trim().split_once(' ')?;
    let uid = value::number(uid.as_bytes()).and_then(|n| u32::try_from(n).ok()).and_then(Uid::new)?;
    Some((UidValidity(value::number(validity.as_bytes()).and_then(|n| u32::try_from(n).ok())?), uid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copyuid_that_does_not_fit_is_not_believed() {
        let asked = UidSet::range(1, 9);
        let ok = copied(b"7 2,4:5 10:12", &asked).unwrap();
        let numbers: Vec<_> = ok.pairs.iter().map(|(a, b)| (a.get(), b.get())).collect();
        assert_eq!(numbers, [(2, 10), (4, 11), (5, 12)]);
        for bad in ["7 2 10:11", "7 5,4 10:11", "7 4:5 11:10", "7 10 1", "7 4", "0x7 4 5", "7 * 5", "7 4 *", "7 4,4 5,6", ""] {
            assert_eq!(copied(bad.as_bytes(), &asked), None, "{bad}");
        }
    }

    #[test]
    fn appenduid() {
        assert_eq!(appended(b"38505 3955"), Some((UidValidity(38505), Uid::new(3955).unwrap())));
        for bad in ["38505 0", "38505 1:2", "38505", "a 1", "99999999999 1"] {
            assert_eq!(appended(bad.as_bytes()), None, "{bad}");
        }
    }
}
