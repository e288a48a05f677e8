//! search_told — the rows of what a server found, where our index cannot know better.
//! Owns: `Told`, `told`. May import: mail.
//! Start reading at: `told`. A server matches inside of words and does not know all conditions: what is known here of a message is
//! asked again here, and only what its text says is believed.

use super::base;
use super::error::{Result, StoreErrorKind};
use super::open::{Cache, Db};
use super::search::rank;
use super::search_sql::names_mailbox;
use super::{lists, mailboxes, messages, placements};
use crate::mail::ids::MailboxId;
use crate::mail::query::Query;
use crate::mail::query_eval::{self, Facts};
use crate::mail::row::MessageRow;
use crate::mail::uid::{UidSet, UidValidity};
use jiff::tz::TimeZone;
use std::collections::HashSet;

/// What a server found in one mailbox.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// Which.
    pub mailbox: MailboxId,
    /// Under which its UIDs were told.
    pub validity: UidValidity,
    /// The messages.
    pub uids: UidSet,
}

/// The visible rows of these that may match, each message once, newest first; and how many of them are not in the cache.
/// `within` is the mailbox to look in, unless the query names one itself.
///
/// # Errors
/// As every question.
pub fn told(
    db: &Db<Cache>,
    query: &Query,
    all: &[Told],
    within: Option<MailboxId>,
    zone: &TimeZone,
) -> Result<(Vec<MessageRow>, u32)> {
    let boxes = mailboxes::list(db, None)?;
    let within = within.filter(|_| !names_mailbox(query));
    let (mut rows, mut seen, mut absent) = (Vec::new(), HashSet::new(), 0);
    for told in all {
        let same = match base::load(db, told.mailbox) {
            Ok(base) => base.uidvalidity == told.validity,
            Err(e) if e.kind == StoreErrorKind::Missing => continue,
            Err(e) => return Err(e),
        };
        for uid in told.uids.iter() {
            let Some(place) = placements::by_uid(db, told.mailbox, uid.get())?.filter(|_| same) else {
                absent += 1;
                continue;
            };
            if !seen.insert(place.message) {
                continue;
            }
            // A message may lie in several mailboxes: it is shown where a person keeps it.
            let mut places = Vec::new();
            for place in placements::of_message(db, place.message)?.into_iter().filter(|p| !p.hidden) {
                places.push(lists::row(db, place.id)?);
            }
            places.retain(|row| within.is_none_or(|w| w == row.mailbox));
            let content = messages::content(db, place.message)?;
            places.retain(|row| {
                let Some(mailbox) = boxes.iter().find(|b| b.id == row.mailbox) else { return false };
                let name = mailbox.path.decoded();
                let facts = Facts {
                    envelope: &content.envelope,
                    body: "",
                    files: &content.files,
                    attachments: row.attachments,
                    flags: &row.flags,
                    received: row.received,
                    size: row.size,
                    account: mailbox.account.as_str(),
                    mailbox: &name,
                    role: mailbox.role,
                };
                query_eval::may_match(query, &facts, zone)
            });
            rows.extend(places.into_iter().min_by_key(|row| rank(&boxes, row)));
        }
    }
    rows.sort_by_key(|row: &MessageRow| std::cmp::Reverse(row.sort));
    Ok((rows, absent))
}
