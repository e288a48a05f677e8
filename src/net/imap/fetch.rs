//! fetch — reading messages: flags, envelopes, what tells them apart.
//! Owns: the FETCH verbs of [`ImapStore`] for many messages; `find.rs` says which.
//! May import: mail, base.
//! Start reading at: `Asking::command`; who reads the rows: `ahead.rs`. Rows that were not asked for, or come twice, are left out (security S-09 to S-12).
//!
//! What a row costs decides what a morning costs where nothing is compressed, so a row asks for less than decisions 11 says (the
//! issue's 55 kB for 100 new messages cannot be had with it): fields of the header in place of ENVELOPE, which tells the
//! author three times, and neither Date, Sender, Bcc nor In-Reply-To; they come with the text. BODYSTRUCTURE and In-Reply-To come
//! a turn later for those messages of which they decide something (`details.rs`). `cargo bench --bench mailbox -- items`
//! prints the octets of each. The windows of a first sync ask for all at once, as decisions 11 says: nothing is left to ask for
//! a hundred thousand times.

use super::conn::Command;
use super::labels;
use super::store::ImapStore;
use super::untagged::{Fetched, Untagged};
use crate::mail::envelope::MessageId;
use crate::mail::server::{EnvelopeSeen, Fingerprint, FlagsSeen, IdentitySeen};
use crate::mail::uid::{ModSeq, Uid, UidSet};
use crate::net::error::Result;
use crate::net::session::{PART, Sink};

/// Of the header; one that is not there costs only its name.
const FIELDS: &str = "FROM TO CC REPLY-TO SUBJECT MESSAGE-ID REFERENCES";

/// Of more messages than these, if it is said of which, all is told at once: a first sync.
const FEW: u64 = 300;
/// What decisions 11 says.
const ALL: &str = "ENVELOPE BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (REFERENCES)]";

/// The longest set in one command, in letters: many servers refuse lines beyond 8,000 octets (RFC 7162, 4).
const MAX_SET: usize = 6_000;
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
pub(super) struct Parts<'s, 'a, T> {
    rows: Vec<T>,
    /// Rows in one of them.
    size: usize,
    sink: &'s mut Sink<'a, T>,
}

impl<'s, 'a, T> Parts<'s, 'a, T> {
    pub(super) fn new(sink: &'s mut Sink<'a, T>) -> Self {
        Self { rows: Vec::new(), size: PART, sink }
    }

    /// Four parts or more of so many rows: whoever takes them sees a small window come, too. A few come whole: a list of which a
    /// server tells the oldest first is to begin with the newest.
    pub(super) fn of(rows: u64, sink: &'s mut Sink<'a, T>) -> Self {
        let size = if rows > FEW { usize::try_from(rows / 4).unwrap_or(PART).min(PART) } else { PART };
        Self { size, ..Self::new(sink) }
    }

    pub(super) fn push(&mut self, row: T) -> Result<()> {
        self.rows.push(row);
        if self.rows.len() >= self.size { self.flush() } else { Ok(()) }
    }

    pub(super) fn flush(&mut self) -> Result<()> {
        if self.rows.is_empty() { Ok(()) } else { (self.sink)(std::mem::take(&mut self.rows)) }
    }

    /// The command ended. If it did not end well, rows that came whole until then are handed on all the same: over a line that
    /// breaks each time nothing else would ever come of it.
    pub(super) fn settle<D>(&mut self, ran: Result<D>) -> Result<()> {
        let Err(error) = ran else { return Ok(()) };
        self.flush()?;
        Err(error)
    }
}

/// Calls `each` for the rows that were asked for, until it says that one had what was wanted of that message: others,
/// nobody asked for.
pub(super) fn asked<'a>(
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

/// What tells a message from others, if all of it came.
pub(super) fn identity(row: Fetched) -> Option<IdentitySeen> {
    let message_id = row.envelope?.kin().own.and_then(MessageId::new);
    let print = Fingerprint { message_id, size: row.size.unwrap_or(0), received: row.received, object_id: row.object_id };
    Some(IdentitySeen { uid: row.uid?, print })
}

/// What a list row needs, if it came.
pub(super) fn envelope_row(uid: Uid, row: Fetched) -> Option<EnvelopeSeen> {
    Some(EnvelopeSeen {
        uid,
        envelope: row.envelope?,
        flags: labels::with(row.flags.unwrap_or_default(), row.labels),
        modseq: row.modseq,
        received: row.received,
        size: row.size.unwrap_or(0),
        attachments: row.attachments,
        object_id: row.object_id,
    })
}

/// Asks one server for rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asking {
    object: &'static str,
    labels: &'static str,
}

impl Asking {
    pub(super) fn command(self, piece: &UidSet) -> Command {
        let few = piece.len() <= FEW || piece.bounds().is_some_and(|(_, high)| high == u32::MAX);
        let of = if few { format!("BODY.PEEK[HEADER.FIELDS ({FIELDS})]") } else { ALL.to_owned() };
        let items = format!("UID FLAGS INTERNALDATE RFC822.SIZE {of}");
        Command::new(&format!("UID FETCH {piece} ({items}{}{})", self.object, self.labels))
    }
}

impl ImapStore {
    fn modseqs(&self) -> bool {
        self.caps.condstore && self.selected.as_ref().is_some_and(|s| s.highestmodseq.0 > 0)
    }

    pub(super) fn fetch_flags_of(&mut self, uids: &UidSet, since: Option<ModSeq>, mut sink: Sink<'_, FlagsSeen>) -> Result<()> {
        // MODSEQ of a single message is never looked at: where a server tells it by itself, it is kept.
        let items = format!("(UID FLAGS{})", self.label_item());
        let tail = since.filter(|_| self.modseqs()).map_or_else(String::new, |m| format!(" (CHANGEDSINCE {})", m.0));
        let mut parts = Parts::new(&mut sink);
        for piece in pieces(uids) {
            let command = Command::new(&format!("UID FETCH {piece} {items}{tail}"));
            let mut on = asked(&piece, |uid, row| match row.flags {
                Some(flags) => {
                    let flags = labels::with(flags, row.labels);
                    parts.push(FlagsSeen { uid, flags, modseq: row.modseq }).map(|()| true)
                }
                None => Ok(false),
            });
            let ran = self.conn.run(&command, &mut on);
            drop(on);
            parts.settle(ran)?;
        }
        parts.flush()
    }

    /// Asks for what list rows, threads, searches and answers need of these; one command holds [`pieces`] of a set.
    pub(super) fn envelopes_command(&self, piece: &UidSet) -> Command {
        self.asking().command(piece)
    }

    /// What this server is asked for beside what all are.
    pub(super) fn asking(&self) -> Asking {
        Asking { object: self.object_item(), labels: self.label_item() }
    }

    fn object_item(&self) -> &'static str {
        match (self.has("OBJECTID"), self.has("X-GM-EXT-1")) {
            (true, _) => " EMAILID",
            (false, true) => " X-GM-MSGID",
            (false, false) => "",
        }
    }

    /// What [`identity`] needs; read as rows are, so that both name a message alike.
    pub(super) fn identity_items(&self) -> String {
        format!("UID INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]{}", self.object_item())
    }

    fn label_item(&self) -> &'static str {
        if self.caps.labels { labels::ITEM } else { "" }
    }

    pub(super) fn identify_all(&mut self, uids: &UidSet, mut sink: Sink<'_, IdentitySeen>) -> Result<()> {
        let items = self.identity_items();
        let mut parts = Parts::new(&mut sink);
        for piece in pieces(uids) {
            let command = Command::new(&format!("UID FETCH {piece} ({items})"));
            let mut on = asked(&piece, |_, row| {
                let Some(seen) = identity(row) else { return Ok(false) };
                parts.push(seen).map(|()| true)
            });
            let ran = self.conn.run(&command, &mut on);
            drop(on);
            parts.settle(ran)?;
        }
        parts.flush()
    }
}
