//! append — puts a message into a mailbox.
//! Owns: APPEND of [`ImapStore`], APPENDUID (RFC 4315).
//! May import: mail, base.
//! Start reading at: `append_stream`. A message goes out as a plain literal, also one that has UTF-8 in its header: servers that
//! have UTF8=ACCEPT take that (RFC 9755), and what RFC 6855 (4) wants, `UTF8 (~{size} …)`, is a danger. Dovecot 2.4.1 says ENABLED
//! UTF8=ACCEPT and does not know it: it waits for ever where it is asked for leave, and reads the text of the mail as *commands*
//! where it is not. So that is said only after a plain literal was refused without a reason, and never without leave.

use super::conn::Command;
use super::envelope::date_time;
use super::frame::KeepAll;
use super::store::ImapStore;
use super::value;
use crate::mail::flags::Flags;
use crate::mail::mailbox::MailboxPath;
use crate::mail::uid::{Uid, UidValidity};
use crate::net::error::{NetError, NetErrorKind, Result};
use std::io::Read;

/// How much of an append is read at once.
const PIECE: usize = 64 * 1024;
/// The longest message with UTF-8 in its header that is kept in memory, so that it can be said in another way.
const MAX_AGAIN: u64 = 8 * 1024 * 1024;

/// What stands around the text.
struct Frame {
    before: Command,
    behind: &'static [u8],
}

impl ImapStore {
    pub(super) fn append_stream(
        &mut self,
        path: &MailboxPath,
        flags: &Flags,
        received: i64,
        size: u64,
        from: &mut dyn Read,
    ) -> Result<Option<(UidValidity, Uid)>> {
        let begin = format!(" ({}) \"{}\" ", flags.wire(), date_time(received));
        let begin = self.naming(Command::new("APPEND "), path).text(&begin);
        let plain = Frame { before: begin.clone().open(size), behind: b"\r\n" };
        // Then a message with UTF-8 in its header may have to be called so.
        if !self.is_on("UTF8=ACCEPT") || size > MAX_AGAIN {
            return self.append_in(&plain, size, from);
        }
        let mut first = vec![0; PIECE];
        let got = self.more(from, &mut first, size)?;
        first.truncate(got);
        let mut all = first.as_slice().chain(from);
        if !has_utf8_header(&first) {
            return self.append_in(&plain, size, &mut all);
        }
        let mut whole = vec![0; usize::try_from(size).unwrap_or(0)];
        all.read_exact(&mut whole).map_err(|e| self.unreadable(e))?;
        match self.append_in(&plain, size, &mut &whole[..]) {
            // Refused, so it is not there: no second one comes of it.
            Err(e) if is_unexplained(&e) => {
                let called = Frame { before: begin.text("UTF8 (~").open_asking(size), behind: b")\r\n" };
                self.append_in(&called, size, &mut &whole[..])
            }
            other => other,
        }
    }

    fn append_in(&mut self, frame: &Frame, size: u64, from: &mut dyn Read) -> Result<Option<(UidValidity, Uid)>> {
        let mut buffer = vec![0; PIECE];
        let mut left = size;
        let mut got = self.more(from, &mut buffer, left)?;
        self.conn.say(&frame.before, &mut |_| Ok(false))?;
        while left > 0 {
            self.conn.core().wire.queue(buffer.get(..got).unwrap_or_default())?;
            left -= got as u64;
            got = self.more(from, &mut buffer, left)?;
        }
        self.conn.core().wire.queue(frame.behind)?;
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
                Ok(0) if left > 0 => Err(self.unreadable(std::io::ErrorKind::UnexpectedEof.into())),
                Ok(got) => Ok(got),
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(e) => Err(self.unreadable(e)),
            };
        }
    }

    /// The text does not come. The server may wait for it: only closing ends that, and it keeps nothing.
    fn unreadable(&mut self, e: std::io::Error) -> NetError {
        let error = match e.kind() {
            std::io::ErrorKind::UnexpectedEof => NetError::protocol("the message is shorter than it was said to be"),
            _ => e.into(),
        };
        self.conn.core().wire.fail(error)
    }
}

/// Whether a server refused without saying why, or because of what it was told.
fn is_unexplained(e: &NetError) -> bool {
    match &e.kind {
        NetErrorKind::Bad => true,
        NetErrorKind::No { code } => matches!(code.as_str(), "" | "CANNOT" | "PARSE" | "CLIENTBUG"),
        _ => false,
    }
}

/// Whether there is more than ASCII in the header with which a message begins.
fn has_utf8_header(begin: &[u8]) -> bool {
    let end = begin.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or(begin.len());
    !begin.get(..end).unwrap_or_default().is_ascii()
}

fn appended(args: &[u8]) -> Option<(UidValidity, Uid)> {
    let text = std::str::from_utf8(args).ok()?;
    let (validity, uid) = text.trim().split_once(' ')?;
    let uid = value::number(uid.as_bytes()).and_then(|n| u32::try_from(n).ok()).and_then(Uid::new)?;
    Some((UidValidity(value::number(validity.as_bytes()).and_then(|n| u32::try_from(n).ok())?), uid))
}

#[cfg(test)]
#[path = "append_tests.rs"]
mod tests;
