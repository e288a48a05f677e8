//! untagged — what an untagged response means.
//! Owns: `Untagged`, `Fetched`, and how each is read from its words.
//! May import: mail, base.
//! Start reading at: `read`. Lenient towards form, strict towards numbers: what does not fit its type is not taken.

use super::envelope;
use super::find;
use super::quirks;
use super::value::{self, Room, Status, Value};
use crate::mail::flags::{Flags, Keyword};
use crate::mail::mailbox::{MailboxPath, Role};
use crate::mail::outline::Outline;
use crate::mail::packed::Packed;
use crate::mail::parse;
use crate::mail::rights::{Quota, Rights};
use crate::mail::server::{ListedMailbox, MailboxStatus, Space};
use crate::mail::uid::{ModSeq, Uid, UidSet, UidValidity};

/// The longest mailbox name that we keep, in octets; longer ones are left out.
const MAX_NAME: usize = 1000;
/// The longest preview, in characters (RFC 8970, 3.1).
const MAX_PREVIEW: usize = 256;
/// The most prefixes of NAMESPACE that are kept.
const MAX_NAMESPACES: usize = 100;

/// One untagged response.
#[derive(Debug)]
pub enum Untagged<'a> {
    /// OK, NO, BAD, BYE, PREAUTH.
    Status(Status<'a>),
    /// CAPABILITY, in upper case.
    Capability(Vec<String>),
    /// ENABLED, in upper case.
    Enabled(Vec<String>),
    /// A line of LIST.
    List(ListedMailbox, Renaming),
    /// A line of LSUB.
    Lsub(MailboxPath),
    /// STATUS of a mailbox.
    Counts {
        /// Which.
        path: MailboxPath,
        /// What was told.
        status: MailboxStatus,
        /// Whether all was told that a visit is decided by.
        whole: bool,
    },
    /// EXISTS.
    Exists(u32),
    /// A message went.
    Expunge,
    /// Messages went, by UID; `earlier` while this mailbox was not looked at (RFC 7162, 3.2.10).
    Vanished {
        /// Not now.
        earlier: bool,
        /// Which.
        uids: UidSet,
    },
    /// NAMESPACE: personal, others', shared, each with prefixes and delimiters.
    Namespaces(Vec<Namespace>),
    /// ID: the name of the server.
    Id(String),
    /// QUOTA.
    Quota(Quota),
    /// The rights that we have, of MYRIGHTS.
    Rights(MailboxPath, Rights),
    /// FETCH.
    Fetch(Box<Fetched>),
    /// SEARCH or ESEARCH with UIDs.
    Search(UidSet),
    /// SORT with UIDs, in its order.
    Sorted(Vec<Uid>),
    /// THREAD with UIDs: the members of each.
    Threads(Vec<Vec<Uid>>),
    /// A row of no message (security S-09).
    NoRow,
    /// A number that IMAP has no room for (security S-06).
    Insane,
    /// Anything else.
    Other,
}

/// What a line of LIST says about another name (RFC 5465, 5.4).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Renaming {
    /// Nothing.
    Not,
    /// There is no such mailbox any more.
    Gone,
    /// It had this name until now.
    From(MailboxPath),
}

/// What a FETCH told of one message. What was not in it, or made no sense, is not there.
#[derive(Debug, Default)]
pub struct Fetched {
    /// The message's place in the mailbox.
    pub place: u32,
    /// UID.
    pub uid: Option<Uid>,
    /// Whether a UID was told that is none.
    pub misnumbered: bool,
    /// FLAGS.
    pub flags: Option<Flags>,
    /// MODSEQ; 0 if not told.
    pub modseq: ModSeq,
    /// INTERNALDATE; 0 if unreadable.
    pub received: i64,
    /// RFC822.SIZE.
    pub size: Option<u64>,
    /// What ENVELOPE or fields of the header said, if they came.
    pub envelope: Option<Packed>,
    /// Names of attachments, if BODYSTRUCTURE came.
    pub attachments: Option<Vec<String>>,
    /// EMAILID or X-GM-MSGID.
    pub object_id: String,
    /// THREADID or X-GM-THRID, if it came; nothing inside for NIL.
    pub thread_id: Option<Option<String>>,
    /// X-GM-LABELS as keywords, if they came.
    pub labels: Option<Vec<Keyword>>,
    /// PREVIEW, if it came; nothing inside for NIL: it is not at hand.
    pub preview: Option<Option<String>>,
    /// SAVEDATE in seconds since 1970, if it came; nothing inside for NIL.
    pub saved: Option<Option<i64>>,
    /// The section that came, as it was named: `BODY[]`, `BODY[2.1]<0>`, `BINARY[1]`, in upper case; "" for none.
    pub section: Vec<u8>,
    /// Its text, if it came as a string that was kept; nothing for NIL.
    pub body: Option<Vec<u8>>,
    /// Sections that came before it.
    pub others: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    /// The tree of BODYSTRUCTURE, where the whole header came with it.
    pub outline: Option<Outline>,
    /// Whether all of it was names and values in turn.
    pub sound: bool,
}

/// Reads the response in `bytes` (`* …`); `room` is for what is looked at on the way.
#[must_use]
pub fn read<'a>(bytes: &'a [u8], room: &mut Room) -> Untagged<'a> {
    room.clear();
    let rest = bytes.strip_prefix(b"* ").unwrap_or_default();
    let (first, tail) = value::split(rest);
    if first.first().is_some_and(|b| b.is_ascii_digit() || *b == b'-') {
        return numbered(first, tail, room);
    }
    if let Some(status) = value::status(rest) {
        return Untagged::Status(status);
    }
    match first.to_ascii_uppercase().as_slice() {
        b"CAPABILITY" => Untagged::Capability(words(tail)),
        b"ENABLED" => Untagged::Enabled(words(tail)),
        b"LIST" => list(tail, room).map_or(Untagged::Other, |(l, r)| Untagged::List(l, r)),
        b"LSUB" => list(tail, room).map_or(Untagged::Other, |(l, _)| Untagged::Lsub(l.path)),
        b"STATUS" => counts(tail, room).unwrap_or(Untagged::Other),
        b"SEARCH" => Untagged::Search(search(tail)),
        b"ESEARCH" => Untagged::Search(esearch(tail, room)),
        b"SORT" => Untagged::Sorted(find::numbers(tail)),
        b"THREAD" => Untagged::Threads(find::threads(tail)),
        b"VANISHED" => vanished(tail).unwrap_or(Untagged::Other),
        b"NAMESPACE" => Untagged::Namespaces(namespaces(tail, room)),
        b"ID" => Untagged::Id(quirks::name(tail)),
        b"QUOTA" => quota(tail, room).map_or(Untagged::Other, Untagged::Quota),
        b"MYRIGHTS" => my_rights(tail, room).unwrap_or(Untagged::Other),
        _ => Untagged::Other,
    }
}

/// Whether it is a FETCH, without reading it.
#[must_use]
pub fn is_fetch(bytes: &[u8]) -> bool {
    let rest = bytes.strip_prefix(b"* ").unwrap_or_default();
    let (first, tail) = value::split(rest);
    first.iter().all(u8::is_ascii_digit) && tail.get(..6).is_some_and(|w| w.eq_ignore_ascii_case(b"FETCH "))
}

/// The words of a CAPABILITY response or code, in upper case; at most 1,000 of them (security S-17).
#[must_use]
pub fn words(bytes: &[u8]) -> Vec<String> {
    bytes
        .split(|b| *b == b' ')
        .filter(|w| !w.is_empty() && w.len() <= 100)
        .take(1000)
        .map(|w| String::from_utf8_lossy(w).trim().to_ascii_uppercase())
        .collect()
}

fn numbered<'a>(first: &[u8], tail: &'a [u8], room: &Room) -> Untagged<'a> {
    let (word, rest) = value::split(tail);
    let sane = value::number(first).and_then(|n| u32::try_from(n).ok());
    match (word.to_ascii_uppercase().as_slice(), sane) {
        (b"EXISTS", Some(n)) => Untagged::Exists(n),
        (b"EXISTS" | b"EXPUNGE", None) => Untagged::Insane,
        (b"EXPUNGE", Some(_)) => Untagged::Expunge,
        (b"FETCH", Some(place)) if place > 0 => Untagged::Fetch(Box::new(Fetched { place, ..fetched(rest, room) })),
        (b"FETCH", _) => Untagged::NoRow,
        _ => Untagged::Other,
    }
}

/// The flags of a list; what is none is left out (security S-20).
pub fn flags(list: &Value<'_>) -> Flags {
    let words = list.items().iter().filter_map(|word| std::str::from_utf8(word.bytes()?).ok());
    Flags::from_words(words.filter(|w| !w.eq_ignore_ascii_case("\\Recent")))
}

fn list(tail: &[u8], room: &Room) -> Option<(ListedMailbox, Renaming)> {
    let items = value::parse(tail, room);
    let [attributes, delimiter, name, ..] = items else { return None };
    let octets = match name {
        // A mailbox may be called NIL.
        Value::Atom(a) => *a,
        other => other.bytes()?,
    };
    if octets.is_empty() || octets.len() > MAX_NAME {
        return None;
    }
    let has = |word: &str| attributes.items().iter().any(|a| a.is(word));
    let mut letters = delimiter.text().unwrap_or_default().into_owned();
    let path = MailboxPath::from_wire(octets);
    let told = attributes.items().iter().filter_map(|a| a.text()).filter(|t| t.starts_with('\\')).find_map(|t| Role::parse(&t));
    let extended = items.get(3).map(Value::items).unwrap_or_default();
    let old =
        extended.chunks_exact(2).find(|p| p.first().and_then(Value::text).is_some_and(|t| t.eq_ignore_ascii_case("OLDNAME")));
    let old = old.and_then(|p| p.get(1)?.items().first()?.bytes()).filter(|o| !o.is_empty() && o.len() <= MAX_NAME);
    let renaming = match old {
        _ if has("\\NonExistent") || has("\\NoAccess") => Renaming::Gone,
        Some(old) => Renaming::From(MailboxPath::from_wire(old)),
        None => Renaming::Not,
    };
    let listed = ListedMailbox {
        role: if path.is_inbox() { Some(Role::Inbox) } else { told.filter(|r| *r != Role::Inbox) },
        path,
        delimiter: letters.pop().filter(|_| letters.is_empty()),
        selectable: !has("\\Noselect") && !has("\\NonExistent"),
        subscribed: has("\\Subscribed"),
        status: None,
        space: Space::Personal,
        leaf: has("\\HasNoChildren") || has("\\NoInferiors"),
    };
    Some((listed, renaming))
}

fn vanished(tail: &[u8]) -> Option<Untagged<'_>> {
    let (first, rest) = value::split(tail);
    let earlier = first.eq_ignore_ascii_case(b"(EARLIER)");
    let set = std::str::from_utf8(if earlier { rest } else { tail }).ok()?;
    Some(Untagged::Vanished { earlier, uids: UidSet::parse(set.trim(), 0)? })
}

/// One prefix of NAMESPACE (RFC 2342).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Namespace {
    /// Whose.
    pub space: Space,
    /// What names in it begin with, in wire form.
    pub prefix: Vec<u8>,
}

fn namespaces(tail: &[u8], room: &Room) -> Vec<Namespace> {
    let items = value::parse(tail, room);
    let all = items.iter().zip([Space::Personal, Space::Others, Space::Shared]);
    let one = |space, n: &Value<'_>| {
        let prefix = n.items().first()?.bytes()?.to_vec();
        (prefix.len() <= MAX_NAME).then_some(Namespace { space, prefix })
    };
    all.flat_map(|(list, space)| list.items().iter().filter_map(move |n| one(space, n))).take(MAX_NAMESPACES).collect()
}

fn quota(tail: &[u8], room: &Room) -> Option<Quota> {
    let items = value::parse(tail, room);
    let mut quota = Quota { root: items.first()?.text()?.into_owned(), ..Quota::default() };
    for limit in items.get(1)?.items().chunks_exact(3) {
        let [what, used, limit] = limit else { continue };
        let Some(pair) = used.number().zip(limit.number()) else { continue };
        if what.is("STORAGE") {
            // Counted in units of 1024 octets (RFC 9208, 5.1).
            quota.storage = Some((pair.0.saturating_mul(1024), pair.1.saturating_mul(1024)));
        } else if what.is("MESSAGE") {
            quota.messages = Some(pair);
        }
    }
    Some(quota)
}

fn my_rights(tail: &[u8], room: &Room) -> Option<Untagged<'static>> {
    let items = value::parse(tail, room);
    let rights = items.get(1)?.text()?;
    Some(Untagged::Rights(MailboxPath::from_wire(items.first()?.bytes()?), Rights::parse(&rights)))
}

fn counts(tail: &[u8], room: &Room) -> Option<Untagged<'static>> {
    let items = value::parse(tail, room);
    let name = items.first()?.bytes()?;
    let mut status = MailboxStatus::default();
    let mut told = 0;
    for pair in items.get(1)?.items().chunks_exact(2) {
        let [key, value] = pair else { continue };
        let number = value.number().unwrap_or(0);
        let small = u32::try_from(number).unwrap_or(0);
        match key.text()?.to_ascii_uppercase().as_str() {
            "MESSAGES" => (status.messages, told) = (small, told + 1),
            "UNSEEN" => (status.unseen, told) = (small, told + 1),
            "UIDNEXT" => (status.uidnext, told) = (small, told + 1),
            "UIDVALIDITY" => (status.uidvalidity, told) = (UidValidity(small), told + 1),
            "HIGHESTMODSEQ" => status.highestmodseq = modseq(number),
            "SIZE" => status.size = value.number(),
            "MAILBOXID" => status.object_id = object_id(value.items().first()),
            _ => {}
        }
    }
    Some(Untagged::Counts { path: MailboxPath::from_wire(name), status, whole: told == 4 })
}

/// A modification sequence; what has more than 63 bits is none (RFC 7162).
#[must_use]
pub const fn modseq(n: u64) -> ModSeq {
    ModSeq(if n <= i64::MAX as u64 { n } else { 0 })
}

fn search(tail: &[u8]) -> UidSet {
    let numbers = tail.split(|b| *b == b' ').take_while(|w| !w.starts_with(b"("));
    let single = |w: &[u8]| value::number(w).and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0).map(|n| (n, n));
    UidSet::from_ranges(numbers.filter_map(single).collect())
}

fn esearch(tail: &[u8], room: &Room) -> UidSet {
    let items = value::parse(tail, room);
    let mut words = items.iter().skip_while(|v| !v.is("ALL"));
    words.nth(1).and_then(Value::text).and_then(|set| UidSet::parse(&set, 0)).unwrap_or_default()
}

fn fetched(rest: &[u8], room: &Room) -> Fetched {
    let mut out = Fetched::default();
    let items = value::parse(rest, room);
    let (mut told, mut header, mut tree) = (None, None, None);
    let items = items.first().map(Value::items).unwrap_or_default();
    out.sound = items.len().is_multiple_of(2) && items.iter().step_by(2).all(|key| matches!(key, Value::Atom(_)));
    for pair in items.chunks_exact(2) {
        let [Value::Atom(key), value] = pair else { continue };
        let mut upper = [0; value::LONGEST_ITEM];
        match value::capitals(key, &mut upper) {
            b"UID" => {
                out.uid = value.number().and_then(|n| u32::try_from(n).ok()).and_then(Uid::new);
                out.misnumbered |= out.uid.is_none();
            }
            b"FLAGS" => out.flags = Some(flags(value)),
            b"MODSEQ" => out.modseq = value.items().first().and_then(Value::number).map_or(ModSeq(0), modseq),
            b"INTERNALDATE" => out.received = value.text().and_then(|t| envelope::internal_date(&t)).unwrap_or(0),
            b"RFC822.SIZE" => out.size = value.number(),
            b"ENVELOPE" => told = Some(value),
            b"BODYSTRUCTURE" | b"BODY" => {
                out.attachments = Some(super::structure::attachments(value));
                tree = Some(value);
            }
            b"EMAILID" => out.object_id = object_id(value.items().first()),
            b"X-GM-MSGID" if out.object_id.is_empty() => out.object_id = object_id(Some(value)),
            b"THREADID" => out.thread_id = Some(value.items().first().map(|v| object_id(Some(v))).filter(|id| !id.is_empty())),
            b"X-GM-THRID" => out.thread_id = Some(Some(object_id(Some(value))).filter(|id| !id.is_empty())),
            b"X-GM-LABELS" => out.labels = Some(super::labels::read(value)),
            b"PREVIEW" => out.preview = Some(value.text().map(|text| text.chars().take(MAX_PREVIEW).collect())),
            b"SAVEDATE" => out.saved = Some(value.text().and_then(|t| envelope::internal_date(&t))),
            other if other.starts_with(b"BODY[HEADER.FIELDS") => {
                header = Some(value.bytes().filter(|fields| *fields != b"\r\n").unwrap_or_default());
            }
            other if other.starts_with(b"BODY[") || other.starts_with(b"BINARY[") => {
                if !out.section.is_empty() {
                    out.others.push((std::mem::take(&mut out.section), out.body.take()));
                }
                // In capitals whatever its length: names of sections may be long.
                out.section = key.to_ascii_uppercase();
                out.body = value.bytes().map(<[u8]>::to_vec);
            }
            _ => {}
        }
    }
    out.envelope = match (told, header) {
        // ENVELOPE has all but these.
        (Some(told), fields) => Some(envelope::envelope(told, &fields.map(parse::references).unwrap_or_default())),
        (None, fields) => fields.map(|fields| Packed::of(&envelope::fields(fields))),
    };
    // Lists do not want it, and never ask for the whole header.
    if out.section == b"BODY[HEADER]" {
        out.outline = tree.and_then(super::outline::outline);
    }
    out
}

/// An identifier of RFC 8474 (4): up to 255 letters, digits, `_` and `-`; "" for what is none.
#[must_use]
pub fn object_id(value: Option<&Value<'_>>) -> String {
    let sane = |t: &str| t.len() <= 255 && t.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    value.and_then(|v| v.text()).filter(|t| sane(t)).map_or_else(String::new, |t| t.into_owned())
}

#[cfg(test)]
#[path = "untagged_tests.rs"]
mod tests;
