//! extras — what some servers know of messages beside what lists need: their first words, their conversation, since when
//! they are here.
//! Owns: PREVIEW (RFC 8970), SAVEDATE (RFC 8514), THREADID (RFC 8474) and X-GM-THRID of [`ImapStore`].
//! May import: mail, base.
//! Start reading at: `some`. Each is asked for by itself, as nobody wants it of every message.

use super::conn::Command;
use super::fetch::{Parts, asked, pieces};
use super::store::ImapStore;
use super::untagged::Fetched;
use crate::mail::uid::{Uid, UidSet};
use crate::net::error::Result;
use crate::net::session::Sink;

impl ImapStore {
    pub(super) fn previews(&mut self, uids: &UidSet, lazy: bool, sink: Sink<'_, (Uid, String)>) -> Result<()> {
        self.some(uids, if lazy { "PREVIEW (LAZY)" } else { "PREVIEW" }, |row| row.preview, sink)
    }

    pub(super) fn save_dates(&mut self, uids: &UidSet, sink: Sink<'_, (Uid, i64)>) -> Result<()> {
        self.some(uids, "SAVEDATE", |row| row.saved, sink)
    }

    pub(super) fn thread_ids(&mut self, uids: &UidSet, sink: Sink<'_, (Uid, String)>) -> Result<()> {
        let item = if self.has("OBJECTID") { "THREADID" } else { "X-GM-THRID" };
        self.some(uids, item, |row| row.thread_id, sink)
    }

    /// One item of each message that has it. `of` gives nothing if it did not come: then the row is news.
    fn some<T>(
        &mut self,
        uids: &UidSet,
        item: &str,
        of: fn(Fetched) -> Option<Option<T>>,
        mut sink: Sink<'_, (Uid, T)>,
    ) -> Result<()> {
        let mut parts = Parts::new(&mut sink);
        for piece in pieces(uids) {
            let command = Command::new(&format!("UID FETCH {piece} (UID {item})"));
            let mut on = asked(&piece, |uid, row| match of(row) {
                Some(Some(value)) => parts.push((uid, value)).map(|()| true),
                Some(None) => Ok(true),
                None => Ok(false),
            });
            self.conn.run(&command, &mut on)?;
        }
        parts.flush()
    }
}
