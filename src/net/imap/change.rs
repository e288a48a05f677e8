//! change — changing messages: flags, move, copy, expunge.
//! Owns: the verbs of [`ImapStore`] that change something, COPYUID. `append.rs` puts new ones in.
//! May import: mail, base.
//! Start reading at: `transfer`. UIDs only, `+FLAGS`/`-FLAGS` only, UID EXPUNGE only (security S-14).

use super::conn::Command;
use super::fetch::pieces;
use super::labels;
use super::store::ImapStore;
use super::untagged::Untagged;
use super::value;
use crate::mail::flags::FlagDelta;
use crate::mail::mailbox::MailboxPath;
use crate::mail::server::CopiedUids;
use crate::mail::uid::{UidSet, UidValidity};
use crate::net::error::Result;

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
}
