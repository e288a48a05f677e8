//! fetch — reading messages: flags, envelopes, UID sets.
//! Owns: the FETCH and SEARCH verbs of [`ImapStore`].
//! May import: mail, base.
//! Start reading at: `fetch_envelopes_of`. Rows that were not asked for, or come twice, are left out (security S-09 to S-12).

use super::conn::{Command, OnData};
use super::frame::KeepAll;
use super::search;
use super::store::ImapStore;
use super::untagged::{Fetched, Untagged};
use crate::mail::envelope::MessageId;
use crate::mail::query::Query;
use crate::mail::server::{EnvelopeSeen, Fingerprint, FlagsSeen, IdentitySeen};
use crate::mail::uid::{ModSeq, Uid, UidSet};
use crate::net::error::{NetError, Result};
use crate::net::session::{PART, Sink};

/// The longest set in one command, in letters: many servers refuse lines beyond 8,000 octets (RFC 7162, 4).
const MAX_SET: usize = 6_000;
/// How many UIDs one SEARCH may name where the server cannot answer in ranges: the line must stay below its limit.
const SEARCH_WINDOW: u32 = 50_000;
/// The most such SEARCHes: a UIDNEXT without measure makes windows wider, not more (security S-08).
const MAX_SEARCHES: u32 = 200;
/// The most messages in a mailbox (security S-18).
pub const MAX_UIDS: u64 = 10_000_000;

/// The set in pieces that fit a command line.
pub fn pieces(uids: &UidSet) -> Vec<UidSet> {
    let (mut out, mut now, mut length) = (Vec::new(), Vec::new(), 0);
    for (a, b) in uids.ranges() {
        // At most two numbers of ten digits, a colon and a comma.
        length += 22;
        now.push((*a, *b));
        if length > MAX_SET {
            out.push(UidSet::from_ranges(std::mem::take(&mut now)));
            length = 0;
        }
    }
    if !now.is_empty() {
        out.push(UidSet::from_ranges(now));
    }
    out
}

/// Collects rows into parts.
struct Parts<'s, 'a, T> {
    rows: Vec<T>,
    sink: &'s mut Sink<'a, T>,
}

impl<T> Parts<'_, '_, T> {
    fn push(&mut self, row: T) -> Result<()> {
        self.rows.push(row);
        if self.rows.len() >= PART { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        if self.rows.is_empty() { Ok(()) } else { (self.sink)(std::mem::take(&mut self.rows)) }
    }
}

/// Calls `each` for the rows that were asked for, until it says that one had what was wanted of that message: others,
/// nobody asked for.
fn asked<'a>(
    wanted: &'a UidSet,
    mut each: impl FnMut(Uid, Fetched) -> Result<bool> + 'a,
) -> impl FnMut(Untagged<'_>) -> Result<bool> + 'a {
    let mut seen = UidSet::new();
    move |data| {
        let Untagged::Fetch(row) = data else { return Ok(false) };
        let Some(uid) = row.uid.filter(|u| wanted.contains(*u) && !seen.contains(*u)) else { return Ok(false) };
        let taken = each(uid, *row)?;
        if taken {
            seen.insert(uid);
        }
        Ok(taken)
    }
}

impl ImapStore {
    fn modseqs(&self) -> bool {
        self.caps.condstore && self.selected.as_ref().is_some_and(|s| s.highestmodseq.0 > 0)
    }

    pub(super) fn fetch_flags_of(&mut self, uids: &UidSet, since: Option<ModSeq>, mut sink: Sink<'_, FlagsSeen>) -> Result<()> {
        let items = if self.modseqs() { "(UID FLAGS MODSEQ)" } else { "(UID FLAGS)" };
        let tail = since.filter(|_| self.modseqs()).map_or_else(String::new, |m| format!(" (CHANGEDSINCE {})", m.0));
        let mut parts = Parts { rows: Vec::new(), sink: &mut sink };
        for piece in pieces(uids) {
            let command = Command::new(&format!("UID FETCH {piece} {items}{tail}"));
            let mut on = asked(&piece, |uid, row| match row.flags {
                Some(flags) => parts.push(FlagsSeen { uid, flags, modseq: row.modseq }).map(|()| true),
                None => Ok(false),
            });
            self.conn.run(&command, &mut on)?;
        }
        parts.flush()
    }

    pub(super) fn fetch_envelopes_of(&mut self, uids: &UidSet, mut sink: Sink<'_, EnvelopeSeen>) -> Result<()> {
        let mut items =
            "UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (REFERENCES)]".to_owned();
        if self.modseqs() {
            items.push_str(" MODSEQ");
        }
        items.push_str(self.object_item());
        let mut parts = Parts { rows: Vec::new(), sink: &mut sink };
        for piece in pieces(uids) {
            let command = Command::new(&format!("UID FETCH {piece} ({items})"));
            let mut on = asked(&piece, |uid, row| {
                let Some(envelope) = row.envelope else { return Ok(false) };
                parts.push(EnvelopeSeen {
                    uid,
                    flags: row.flags.unwrap_or_default(),
                    modseq: row.modseq,
                    received: row.received,
                    size: row.size.unwrap_or(0),
                    envelope,
                    attachments: row.attachments,
                    object_id: row.object_id,
                })?;
                Ok(true)
            });
            self.conn.run(&command, &mut on)?;
        }
        parts.flush()
    }

    fn object_item(&self) -> &'static str {
        match (self.has("OBJECTID"), self.has("X-GM-EXT-1")) {
            (true, _) => " EMAILID",
            (false, true) => " X-GM-MSGID",
            (false, false) => "",
        }
    }

    pub(super) fn identify_all(&mut self, uids: &UidSet) -> Result<Vec<IdentitySeen>> {
        let items = format!("UID INTERNALDATE RFC822.SIZE ENVELOPE{}", self.object_item());
        let mut out = Vec::new();
        for piece in pieces(uids) {
            let command = Command::new(&format!("UID FETCH {piece} ({items})"));
            let mut on = asked(&piece, |uid, row| {
                let Some(envelope) = row.envelope else { return Ok(false) };
                let message_id = envelope.message_id;
                let print =
                    Fingerprint { message_id, size: row.size.unwrap_or(0), received: row.received, object_id: row.object_id };
                out.push(IdentitySeen { uid, print });
                Ok(true)
            });
            self.conn.run(&command, &mut on)?;
        }
        Ok(out)
    }

    pub(super) fn uids_from(&mut self, from: u32) -> Result<UidSet> {
        let from = from.max(1);
        if self.caps.esearch {
            let found = self.search_uids(&Command::new(&format!("UID SEARCH RETURN (ALL) UID {from}:*")))?;
            // `n:*` also names the last message where it is below n (RFC 9051, 9).
            return Ok(found.intersection(&UidSet::range(from, u32::MAX)));
        }
        let next = self.selected.as_ref().map_or(0, |s| s.uidnext);
        let exists = self.conn.core().news.exists;
        let width = SEARCH_WINDOW.max(next.saturating_sub(from) / MAX_SEARCHES);
        let (mut low, mut all) = (from, UidSet::new());
        while exists > SEARCH_WINDOW && low.saturating_add(width) < next {
            let high = low + width - 1;
            all = all.union(&self.search_uids(&Command::new(&format!("UID SEARCH UID {low}:{high}")))?);
            low = high + 1;
        }
        let rest = self.search_uids(&Command::new(&format!("UID SEARCH UID {low}:*")))?;
        Ok(all.union(&rest).intersection(&UidSet::range(from, u32::MAX)))
    }

    pub(super) fn search_id(&mut self, id: &MessageId) -> Result<UidSet> {
        let charset = if id.as_str().is_ascii() { "" } else { "CHARSET UTF-8 " };
        let verb = if self.caps.esearch { "UID SEARCH RETURN (ALL) " } else { "UID SEARCH " };
        self.search_uids(&Command::new(&format!("{verb}{charset}HEADER Message-ID ")).string(id.as_str().as_bytes()))
    }

    /// The messages that may answer a query.
    pub(super) fn search_query(&mut self, query: &Query) -> Result<UidSet> {
        let charset = if search::is_foreign(query) { "CHARSET UTF-8 " } else { "" };
        let verb = if self.caps.esearch { "UID SEARCH RETURN (ALL) " } else { "UID SEARCH " };
        self.search_uids(&search::keys(Command::new(&format!("{verb}{charset}")), query))
    }

    fn search_uids(&mut self, command: &Command) -> Result<UidSet> {
        let mut found = UidSet::new();
        let on: OnData<'_> = &mut |data| {
            if let Untagged::Search(set) = data {
                found = found.union(&set);
                return Ok(true);
            }
            Ok(false)
        };
        self.conn.run_with(command, &mut KeepAll, on)?;
        if found.len() > MAX_UIDS {
            return Err(self.conn.core().wire.fail(NetError::limit("more messages than a mailbox can hold")));
        }
        Ok(found)
    }
}
