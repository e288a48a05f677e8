//! details — what list rows can be shown without: attachments, and what a message answers that does not name its ancestors.
//! Owns: how they are asked for. May import: mail, base.
//! Start reading at: `fetch_details_of`. Most mails have neither, and BODYSTRUCTURE of all would be a fifth of the octets of their rows: so
//! the server says first of which there is anything to tell. Its search is asked for what is *not* plain text alone: one that
//! does not know these fields names all messages then, and nothing is missed. With SEARCHRES (RFC 5182) that is one turn.

use super::conn::Command;
use super::fetch::{asked, pieces};
use super::store::ImapStore;
use super::untagged::Untagged;
use crate::mail::server::DetailsSeen;
use crate::mail::uid::UidSet;
use crate::net::error::Result;

/// Of so few messages all is asked for at once.
const FEW: u64 = 3;
/// Messages of which there may be something to tell: of several parts, or not text, or text in a file; or they say what they
/// answer only here.
const TELLING: &str = "OR NOT HEADER CONTENT-TYPE \"text/\" OR HEADER CONTENT-TYPE \"multipart/\" OR HEADER CONTENT-TYPE \"name\" \
                       OR HEADER CONTENT-DISPOSITION \"\" (HEADER IN-REPLY-TO \"\" NOT HEADER REFERENCES \"\")";
/// What is told.
const ITEMS: &str = "(UID BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (IN-REPLY-TO)])";

impl ImapStore {
    pub(super) fn fetch_details_of(&mut self, uids: &UidSet, all: &mut Vec<DetailsSeen>) -> Result<()> {
        for piece in pieces(uids) {
            if piece.len() <= FEW || !self.telling(&piece, all)? {
                self.ask_details(&piece, &piece, all)?;
            }
        }
        Ok(())
    }

    /// Asks for those of which there is something to tell; whether the server could say which.
    fn telling(&mut self, piece: &UidSet, all: &mut Vec<DetailsSeen>) -> Result<bool> {
        if self.can_save() {
            let find = Command::new(&format!("UID SEARCH RETURN (SAVE) UID {piece} {TELLING}"));
            let read = Command::new(&format!("UID FETCH $ {ITEMS}"));
            let (before, mut on) = (all.len(), taking(piece, all));
            let answers = self.conn.run_all(&[find, read], &mut on)?;
            drop(on);
            let done = answers.iter().all(std::result::Result::is_ok);
            if !done {
                all.truncate(before);
            }
            return Ok(done);
        }
        match self.search_uids(&self.verb("").text(&format!("UID {piece} {TELLING}"))) {
            Ok(found) => {
                for some in pieces(&found.intersection(piece)) {
                    self.ask_details(&some, piece, all)?;
                }
                Ok(true)
            }
            Err(e) if e.connection_lives() => Ok(false),
            Err(e) => Err(e),
        }
    }

    fn ask_details(&mut self, some: &UidSet, of: &UidSet, all: &mut Vec<DetailsSeen>) -> Result<()> {
        let command = Command::new(&format!("UID FETCH {some} {ITEMS}"));
        self.conn.run(&command, &mut taking(of, all)).map(drop)
    }
}

fn taking<'a>(piece: &'a UidSet, all: &'a mut Vec<DetailsSeen>) -> impl FnMut(Untagged<'_>) -> Result<bool> + 'a {
    asked(piece, |uid, row| {
        let (Some(attachments), Some(header)) = (row.attachments, row.envelope) else { return Ok(false) };
        all.push(DetailsSeen { uid, attachments, in_reply_to: header.envelope().in_reply_to });
        Ok(true)
    })
}

#[cfg(test)]
#[path = "details_tests.rs"]
mod tests;
