//! find — which messages of the selected mailbox: by number, by Message-ID, by a query, by conversation.
//! Owns: the SEARCH, SORT and THREAD verbs of [`ImapStore`], and how their answers are read.
//! May import: mail, base.
//! Start reading at: `search_query`. What each extension is used for, and the way without it:
//!
//! ESEARCH (RFC 4731): sets come as ranges; else as one number a message, in windows that keep below the limit of a line.
//! SEARCHRES (RFC 5182): what a SEARCH found is named `$` in the FETCH behind it, so that both go out together: one turn for
//! [`ImapStore::find_id`]; else the set is said in a second one.
//! SORT (RFC 5256): hits in the order of arrival, which is not that of UIDs where mail was moved or copied to: the newest
//! come to the screen first. Else by UID, newest first.
//! SAVEDATE (RFC 8514): `saved:` asks when mail came into its mailbox; else the date that it has there stands for that.
//! THREAD (RFC 5256): the members of one conversation, where the cache does not have the mailbox yet; else SEARCH for the
//! same headers, and for all that the server calls by the name of those conversations (OBJECTID, RFC 8474; X-GM-EXT-1), if it has
//! names; else also who only mentions them.

use super::conn::{Command, OnData};
use super::fetch::{MAX_UIDS, identity, pieces};
use super::frame::KeepAll;
use super::search::{self, Tongue};
use super::store::ImapStore;
use super::untagged::Untagged;
use super::value::{self, Room, Value};
use crate::mail::envelope::MessageId;
use crate::mail::query::Query;
use crate::mail::server::IdentitySeen;
use crate::mail::uid::{Uid, UidSet};
use crate::net::error::{NetError, Result};
use crate::net::session::MailStore;

/// How many UIDs one SEARCH may name where the server cannot answer in ranges: the line must stay below its limit.
const SEARCH_WINDOW: u32 = 50_000;
/// The most such SEARCHes: a UIDNEXT without measure makes windows wider, not more (security S-08).
const MAX_SEARCHES: u32 = 200;
/// The most messages that SORT and THREAD are asked about, for the same reason.
const MAX_SORTED: u64 = 50_000;
/// The most messages that are taken for one Message-ID.
const MAX_SAME: usize = 1_000;
/// The most Message-IDs by which a conversation is asked for.
const MAX_IDS: usize = 16;

impl ImapStore {
    pub(super) fn numbers_between(&mut self, from: u32, to: u32) -> Result<UidSet> {
        let from = from.max(1);
        if to < u32::MAX {
            let command = self.verb("").text(&format!("UID {from}:{to}"));
            return Ok(self.search_uids(&command)?.intersection(&UidSet::range(from, to)));
        }
        let found = self.search_from(from, &|command, window| command.text(window))?;
        // `n:*` also names the last message where it is below n (RFC 9051, 9).
        Ok(found.intersection(&UidSet::range(from, u32::MAX)))
    }

    pub(super) fn search_id(&mut self, id: &MessageId) -> Result<UidSet> {
        let command = with_id(self.verb(self.charset(!id.as_str().is_ascii())), id);
        self.search_uids(&command)
    }

    /// The messages with this Message-ID (or one that holds it), and what else tells them from others.
    pub(super) fn find_id(&mut self, id: &MessageId) -> Result<Vec<IdentitySeen>> {
        if !self.can_save() || !id.as_str().is_ascii() {
            let uids = self.search_id(id)?;
            return self.identify(&uids);
        }
        let find = with_id(Command::new("UID SEARCH RETURN (SAVE) "), id);
        let read = Command::new(&format!("UID FETCH $ ({})", self.identity_items()));
        let mut found: Vec<IdentitySeen> = Vec::new();
        let answers = self.conn.run_all(&[find, read], &mut |data| {
            let Untagged::Fetch(row) = data else { return Ok(false) };
            let Some(seen) = identity(*row) else { return Ok(false) };
            // Whatever a server may tell beside: nobody needs more, nor any twice.
            if found.len() < MAX_SAME && found.iter().all(|f| f.uid != seen.uid) {
                found.push(seen);
            }
            Ok(true)
        })?;
        answers.into_iter().collect::<Result<Vec<_>>>()?;
        Ok(found)
    }

    /// The messages that may answer a query; only among some, if told.
    pub(super) fn search_query(&mut self, query: &Query, among: Option<&UidSet>) -> Result<UidSet> {
        let foreign = search::is_foreign(query);
        match self.search_in(query, among, foreign) {
            // Words that it cannot read are left out: too many are found then.
            Err(e) if foreign && e.connection_lives() => self.search_in(query, among, false),
            other => other,
        }
    }

    fn search_in(&mut self, query: &Query, among: Option<&UidSet>, foreign: bool) -> Result<UidSet> {
        let tongue = Tongue { foreign, labels: self.caps.labels, saved: self.caps.save_date };
        let Some(among) = among else {
            let charset = self.charset(foreign);
            return self
                .search_from(1, &|command, window| search::keys(command.text(charset).text(window).text(" "), query, tongue));
        };
        let mut found = UidSet::new();
        for piece in pieces(among) {
            let command = self.verb(self.charset(foreign)).text(&format!("UID {piece} "));
            found = found.union(&self.search_uids(&search::keys(command, query, tongue))?);
        }
        Ok(found.intersection(among))
    }

    /// The same, newest first: by arrival where the server can sort, else by UID.
    pub(super) fn newest_of(&mut self, query: &Query, among: Option<&UidSet>) -> Result<Vec<Uid>> {
        let exists = u64::from(self.conn.core().news.exists);
        let bound = among.map_or(exists, |among| among.len().min(exists));
        let foreign = search::is_foreign(query);
        let tongue = Tongue { foreign, labels: self.caps.labels, saved: self.caps.save_date };
        let set = among.map(pieces);
        if self.has("SORT") && bound <= MAX_SORTED && set.as_ref().is_none_or(|s| s.len() == 1) {
            let among = set.and_then(|s| Some(format!("UID {} ", s.first()?))).unwrap_or_default();
            let command = Command::new(&format!("UID SORT (REVERSE ARRIVAL) {} {among}", charset_name(foreign)));
            match self.sorted(&search::keys(command, query, tongue)) {
                Err(e) if e.connection_lives() => {}
                other => return other,
            }
        }
        let found = self.search_query(query, among)?;
        let mut by_uid: Vec<Uid> = found.iter().collect();
        by_uid.reverse();
        if !self.has("SORT") || !(2..=MAX_SORTED).contains(&found.len()) {
            return Ok(by_uid);
        }
        let [set] = &pieces(&found)[..] else { return Ok(by_uid) };
        match self.sorted(&Command::new(&format!("UID SORT (REVERSE ARRIVAL) US-ASCII UID {set}"))) {
            // All of them and nothing else: it was understood.
            Ok(order) if order.iter().copied().collect::<UidSet>() == found => Ok(order),
            Err(e) if !e.connection_lives() => Err(e),
            _ => Ok(by_uid),
        }
    }

    fn sorted(&mut self, command: &Command) -> Result<Vec<Uid>> {
        let (mut order, mut seen) = (Vec::new(), UidSet::new());
        self.conn.run(command, &mut |data| {
            let Untagged::Sorted(uids) = data else { return Ok(false) };
            for uid in uids {
                if !seen.contains(uid) {
                    seen.insert(uid);
                    order.push(uid);
                }
            }
            Ok(true)
        })?;
        Ok(order)
    }

    /// The conversations to which messages with these Message-IDs belong, as far as their headers name them: members of each.
    pub(super) fn threads_of(&mut self, ids: &[MessageId]) -> Result<Vec<Vec<Uid>>> {
        let ids: Vec<&MessageId> = ids.iter().take(MAX_IDS).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let foreign = ids.iter().any(|id| !id.as_str().is_ascii());
        let way = ["REFS", "REFERENCES"].into_iter().find(|way| self.has(&format!("THREAD={way}")));
        if let Some(way) = way {
            let mut threads = Vec::new();
            let command = Command::new(&format!("UID THREAD {way} {} ", charset_name(foreign)));
            let told = self.conn.run(&of_ids(command, &ids), &mut |data| {
                let Untagged::Threads(all) = data else { return Ok(false) };
                threads.extend(all);
                Ok(true)
            });
            match told {
                Ok(_) => return Ok(threads),
                Err(e) if e.connection_lives() => {}
                Err(e) => return Err(e),
            }
        }
        let found = self.search_uids(&of_ids(self.verb(self.charset(foreign)), &ids))?;
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let named = if self.caps.thread_id { self.threads_named(&found)? } else { Vec::new() };
        Ok(if named.is_empty() { vec![found.iter().collect()] } else { named })
    }

    /// The conversations of these messages by the server's names for them, all members of each; none if it has none.
    fn threads_named(&mut self, of: &UidSet) -> Result<Vec<Vec<Uid>>> {
        let key = if self.has("OBJECTID") { "THREADID" } else { "X-GM-THRID" };
        let mut names: Vec<String> = Vec::new();
        self.thread_ids(of, &mut |rows| {
            for (_, name) in rows {
                // It goes into a command: `object_id` lets letters, digits, `-` and `_` through alone.
                if names.len() < MAX_IDS && !names.contains(&name) {
                    names.push(name);
                }
            }
            Ok(())
        })?;
        let mut threads = Vec::new();
        for name in names {
            match self.search_uids(&self.verb("").text(&format!("{key} {name}"))) {
                Ok(all) => threads.push(all.iter().collect()),
                Err(e) if e.connection_lives() => return Ok(Vec::new()),
                Err(e) => return Err(e),
            }
        }
        Ok(threads)
    }

    /// Whether what a search found can be named by the next command.
    pub(super) fn can_save(&self) -> bool {
        self.caps.esearch && self.has("SEARCHRES")
    }

    /// What SEARCH says of its strings before its keys; where UTF-8 was agreed on nothing may be said (RFC 6855, 3).
    fn charset(&self, foreign: bool) -> &'static str {
        if foreign && !self.utf8 { "CHARSET UTF-8 " } else { "" }
    }

    /// The beginning of a search for UIDs.
    pub(super) fn verb(&self, charset: &str) -> Command {
        let verb = if self.caps.esearch { "UID SEARCH RETURN (ALL) " } else { "UID SEARCH " };
        Command::new(verb).text(charset)
    }

    /// A search among all UIDs from one on, which `of` adds to the command; in windows, where the answer could be too long.
    fn search_from(&mut self, from: u32, of: &dyn Fn(Command, &str) -> Command) -> Result<UidSet> {
        let (mut low, mut all) = (from, UidSet::new());
        if !self.caps.esearch {
            let next = self.selected.as_ref().map_or(0, |s| s.uidnext);
            let exists = self.conn.core().news.exists;
            let width = SEARCH_WINDOW.max(next.saturating_sub(from) / MAX_SEARCHES);
            while exists > SEARCH_WINDOW && low.saturating_add(width) < next {
                let high = low + width - 1;
                let command = of(self.verb(""), &format!("UID {low}:{high}"));
                all = all.union(&self.search_uids(&command)?);
                low = high + 1;
            }
        }
        let command = of(self.verb(""), &format!("UID {low}:*"));
        Ok(all.union(&self.search_uids(&command)?))
    }

    pub(super) fn search_uids(&mut self, command: &Command) -> Result<UidSet> {
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

/// What SORT and THREAD always say.
fn charset_name(foreign: bool) -> &'static str {
    if foreign { "UTF-8" } else { "US-ASCII" }
}

fn with_id(command: Command, id: &MessageId) -> Command {
    command.text("HEADER Message-ID ").string(id.as_str().as_bytes())
}

/// Those that are one of these, or name one of them in what they follow.
fn of_ids(command: Command, ids: &[&MessageId]) -> Command {
    const FIELDS: [&str; 3] = ["Message-ID", "References", "In-Reply-To"];
    let all: Vec<_> = ids.iter().flat_map(|id| FIELDS.map(|field| (field, *id))).collect();
    let command = command.text(&"OR ".repeat(all.len().saturating_sub(1)));
    all.iter().enumerate().fold(command, |command, (n, (field, id))| {
        let command = command.text(if n > 0 { " HEADER " } else { "HEADER " });
        command.text(field).text(" ").string(id.as_str().as_bytes())
    })
}

/// The numbers of SORT, in its order.
pub fn numbers(tail: &[u8]) -> Vec<Uid> {
    let words = tail.split(|b| *b == b' ').take_while(|w| !w.starts_with(b"("));
    words.filter_map(|w| value::number(w).and_then(|n| u32::try_from(n).ok()).and_then(Uid::new)).collect()
}

/// The members of each thread of THREAD, in its order.
pub fn threads(tail: &[u8]) -> Vec<Vec<Uid>> {
    fn members(value: &Value<'_>, into: &mut Vec<Uid>) {
        match value {
            Value::List(items) => items.iter().for_each(|item| members(item, into)),
            other => into.extend(other.number().and_then(|n| u32::try_from(n).ok()).and_then(Uid::new)),
        }
    }
    let of = |list: &Value<'_>| {
        let mut all = Vec::new();
        members(list, &mut all);
        all
    };
    let room = Room::new();
    value::parse(tail, &room).iter().map(of).filter(|all| !all.is_empty()).collect()
}

#[cfg(test)]
#[path = "find_tests.rs"]
mod tests;
