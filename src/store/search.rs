//! search — the newest messages that match a query.
//! Owns: nothing; it reads. May import: mail.
//! Start reading at: `search`. What it finds is what `mail::query_eval` says, compared by a property test. Messages that are not
//! in the index yet are few and new; they are looked at one by one.

use super::error::Result;
use super::lists;
use super::mailboxes;
use super::open::{Cache, Db};
use super::search_sql::{Scope, Sql, names_mailbox};
use crate::mail::envelope::Envelope;
use crate::mail::ids::MailboxId;
use crate::mail::mailbox::Role;
use crate::mail::query::Query;
use crate::mail::query_eval::{self, Facts};
use crate::mail::row::{MailboxRow, MessageRow};
use jiff::tz::TimeZone;
use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::Value;
use std::collections::HashMap;

/// How many messages that are not indexed yet are looked at.
const UNINDEXED: u32 = 2_000;

/// What a search found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Found {
    /// Newest first; each message once, where it lies in several mailboxes.
    pub rows: Vec<MessageRow>,
    /// Whether there is more, or may be: not all is indexed yet.
    pub more: bool,
}

/// The newest `limit` (at most [`lists::MAX_ROWS`]) visible messages that match. `within` is the mailbox to look in, unless the
/// query names one itself. Days begin at midnight in `zone`.
///
/// # Errors
/// As every question.
pub fn search(db: &Db<Cache>, query: &Query, within: Option<MailboxId>, zone: &TimeZone, limit: u32) -> Result<Found> {
    let limit = limit.min(lists::MAX_ROWS) as usize;
    let mailboxes = mailboxes::list(db, None)?;
    let within = within.filter(|_| !names_mailbox(query));
    let sql = Sql::of(query, within, Scope { mailboxes: &mailboxes, zone });
    let mut found = indexed(db, &sql, &mailboxes, limit)?;
    if sql.text {
        let (rest, cut) = unindexed(db, query, within, &mailboxes, zone)?;
        found.more |= cut;
        if !rest.is_empty() {
            found.rows.extend(rest);
            found.rows.sort_by_key(|r| std::cmp::Reverse(r.sort));
        }
    }
    found.more |= found.rows.len() > limit;
    found.rows.truncate(limit);
    Ok(found)
}

/// How many messages are not in the index yet: for progress.
///
/// # Errors
/// As every question.
pub fn unindexed_count(db: &Db<Cache>) -> Result<u64> {
    let sql = "SELECT count(*) FROM message INDEXED BY message_unindexed WHERE indexed = 0";
    Ok(super::messages::from_i64(db.conn().prepare_cached(sql)?.query_row([], |r| r.get(0))?))
}

/// What SQL cannot say: Cc is no column of the index.
pub(super) fn functions(conn: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
    conn.create_scalar_function("cc_says", 3, flags, |context| {
        let envelope: Envelope = serde_json::from_str(context.get_raw(0).as_str().unwrap_or_default()).unwrap_or_default();
        Ok(query_eval::says_cc(&envelope, context.get_raw(1).as_str().unwrap_or_default(), context.get::<bool>(2)?))
    })
}

/// The statement of a search, without its limit: the rows of one message may be several.
pub(super) fn statement(sql: &Sql) -> String {
    let (from, order) = match (&sql.driver, sql.mailbox) {
        (Some(_), _) => ("message_fts f CROSS JOIN placement p ON p.sort = f.rowid", "f.rowid"),
        // Indices of one mailbox hold its rows in order; else there is one that holds all rows in order.
        _ if sql.words => ("placement p INDEXED BY placement_words", "p.sort"),
        (None, true) => ("placement p", "p.sort"),
        (None, false) => ("placement p INDEXED BY placement_find", "p.sort"),
    };
    let (driver, only) = match (&sql.driver, sql.text) {
        (Some(_), _) => ("f.message_fts MATCH ? AND", ""),
        // What is not indexed is looked at by itself.
        (None, true) => ("", "m.indexed > 0 AND"),
        (None, false) => ("", ""),
    };
    format!(
        "SELECT {} FROM {from} CROSS JOIN message m ON m.id = p.message WHERE {driver} {only} {} ORDER BY {order} DESC",
        lists::COLUMNS,
        sql.condition
    )
}

/// Those in the index (all, if no text is asked for): at most `limit` and one more.
fn indexed(db: &Db<Cache>, sql: &Sql, mailboxes: &[MailboxRow], limit: usize) -> Result<Found> {
    let text = statement(sql);
    let values: Vec<Value> = sql.driver.iter().cloned().map(Value::Text).chain(sql.values.iter().cloned()).collect();
    let mut statement = db.conn().prepare_cached(&text)?;
    let mut rows = statement.query(rusqlite::params_from_iter(values))?;
    let mut found = Found::default();
    while let Some(row) = rows.next()? {
        let row = lists::read(row)?;
        if found.rows.len() > limit && found.rows.last().is_some_and(|last| last.message != row.message) {
            break;
        }
        keep(&mut found.rows, mailboxes, row);
    }
    Ok(found)
}

/// Adds a row; placements of one message follow one another and become one row.
fn keep(rows: &mut Vec<MessageRow>, mailboxes: &[MailboxRow], row: MessageRow) {
    match rows.last_mut() {
        Some(last) if last.message == row.message => {
            if rank(mailboxes, &row) < rank(mailboxes, last) {
                *last = row;
            }
        }
        _ => rows.push(row),
    }
}

/// Which of several places a message is shown in: rather where a person keeps it than in a view of everything.
fn rank(mailboxes: &[MailboxRow], row: &MessageRow) -> (u8, i64) {
    let role = mailboxes.iter().find(|b| b.id == row.mailbox).and_then(|b| b.role);
    let rank = match role {
        Some(Role::All) => 3,
        Some(Role::Flagged) => 2,
        Some(Role::Trash | Role::Junk) => 1,
        _ => 0,
    };
    (rank, row.id.0)
}

/// Those not in the index that match, newest first, and whether there were too many to look at all.
fn unindexed(
    db: &Db<Cache>,
    query: &Query,
    within: Option<MailboxId>,
    mailboxes: &[MailboxRow],
    zone: &TimeZone,
) -> Result<(Vec<MessageRow>, bool)> {
    let by_id: HashMap<MailboxId, (&MailboxRow, String)> = mailboxes.iter().map(|b| (b.id, (b, b.path.decoded()))).collect();
    let text = format!(
        "SELECT {}, m.envelope, m.files FROM message m INDEXED BY message_unindexed CROSS JOIN placement p ON p.message = m.id
         WHERE m.indexed = 0 AND p.hidden = 0 ORDER BY m.sort DESC LIMIT {UNINDEXED}",
        lists::COLUMNS
    );
    let mut statement = db.conn().prepare_cached(&text)?;
    let mut rows = statement.query([])?;
    let (mut found, mut seen) = (Vec::<MessageRow>::new(), 0);
    while let Some(raw) = rows.next()? {
        seen += 1;
        let row = lists::read(raw)?;
        let envelope: Envelope = serde_json::from_str(&raw.get::<_, String>(lists::WIDTH)?).unwrap_or_default();
        let files: Vec<String> = serde_json::from_str(&raw.get::<_, String>(lists::WIDTH + 1)?).unwrap_or_default();
        let Some((mailbox, name)) = by_id.get(&row.mailbox) else { continue };
        let facts = Facts {
            envelope: &envelope,
            body: "",
            files: &files,
            attachments: row.attachments,
            flags: &row.flags,
            received: row.received,
            size: row.size,
            account: mailbox.account.as_str(),
            mailbox: name,
            role: mailbox.role,
        };
        let here = within.is_none_or(|w| w == row.mailbox);
        if here && query_eval::matches(query, &facts, zone) {
            keep(&mut found, mailboxes, row);
        }
    }
    Ok((found, seen >= UNINDEXED))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::address::Address;
    use crate::mail::envelope::MessageId;
    use crate::mail::flags::Flags;
    use crate::mail::ids::{AccountName, MessageKey};
    use crate::mail::mailbox::MailboxPath;
    use crate::mail::query::parse;
    use crate::mail::server::EnvelopeSeen;
    use crate::mail::uid::{ModSeq, Uid, UidValidity};
    use crate::store::bodies::Reading;
    use crate::store::{Reader, Stop, Store, bodies, messages, placements, tests::quiet};
    use jiff::civil::date;
    use proptest::prelude::*;

    const WORDS: [&str; 14] =
        ["ann", "annex", "Café", "report", "q3", "東京都", "東", "straße", "ØRE", "हिन्दी", "ไทย", "a", "an", "plan.pdf"];

    struct Dice(u64);

    impl Dice {
        fn below(&mut self, n: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(self.0 >> 33).unwrap() % n
        }

        fn text(&mut self, most: usize) -> String {
            (0..self.below(most + 1)).map(|_| WORDS[self.below(WORDS.len())]).collect::<Vec<_>>().join(" ")
        }

        fn people(&mut self, most: usize) -> Vec<Address> {
            (0..self.below(most + 1)).map(|_| Address::new(&self.text(2), "ann@example.org")).collect()
        }
    }

    /// One message in one mailbox, as the reference sees it.
    struct Known {
        seen: EnvelopeSeen,
        body: String,
        mailbox: usize,
        message: MessageKey,
    }

    const BOXES: [(&str, &str, Option<Role>); 3] =
        [("home", "INBOX", Some(Role::Inbox)), ("home", "Archive", Some(Role::Archive)), ("work", "Ärger", None)];

    fn build(dir: &std::path::Path) -> (Store, Vec<Known>, Vec<MailboxId>) {
        let store = Store::open(dir, quiet()).unwrap();
        let boxes = store
            .cache(|tx| {
                BOXES
                    .iter()
                    .map(|(account, name, role)| {
                        let id = mailboxes::ensure(tx, &AccountName::new(account), &MailboxPath::from_typed(name))?;
                        mailboxes::set_role(tx, id, *role).map(|()| id)
                    })
                    .collect::<Result<Vec<_>>>()
            })
            .unwrap();
        let mut dice = Dice(7);
        let mut all = Vec::new();
        for uid in 1..=90u32 {
            let mailbox = dice.below(3);
            let envelope = Envelope {
                subject: dice.text(4),
                from: dice.people(1),
                to: dice.people(2),
                cc: dice.people(1),
                message_id: MessageId::new(&format!("{uid}@x")),
                ..Envelope::default()
            };
            let words = ["\\Seen", "\\Flagged", "\\Answered", "\\Draft", "Work"];
            let files: Vec<String> = (0..dice.below(3)).map(|_| dice.text(1)).collect();
            let seen = EnvelopeSeen {
                uid: Uid::new(uid).unwrap(),
                flags: Flags::from_words(words.into_iter().filter(|_| dice.below(2) == 0)),
                modseq: ModSeq(0),
                // Around midnight in New York, some in the same second.
                received: 1_763_700_000 + 7_200 * i64::from(uid / 3),
                size: dice.below(4) as u64 * 1_000,
                envelope,
                attachments: files.clone(),
                // Some lie in a second mailbox too.
                object_id: if uid % 5 == 0 { format!("o{uid}") } else { String::new() },
            };
            let body = if uid % 3 == 0 { dice.text(6) } else { String::new() };
            let text = body.clone();
            let (row, here) = (seen.clone(), boxes[mailbox]);
            let message = store
                .cache(move |tx| {
                    messages::record_new(tx, here, UidValidity(1), std::slice::from_ref(&row))?;
                    let message = placements::by_uid(tx, here, uid)?.unwrap().message;
                    if uid % 3 == 0 {
                        let reading = Reading { preview: String::new(), text, files };
                        bodies::arrived(tx, message, "", &reading)?;
                    } else if uid % 3 == 1 {
                        super::super::fts::feed(tx, message, None)?;
                    }
                    Ok(message)
                })
                .unwrap();
            if uid % 5 == 0 && mailbox < 2 {
                let (row, there) = (seen.clone(), boxes[1 - mailbox]);
                store.cache(move |tx| messages::record_new(tx, there, UidValidity(1), &[row])).unwrap();
                all.push(Known { seen: seen.clone(), body: body.clone(), mailbox: 1 - mailbox, message });
            }
            all.push(Known { seen, body, mailbox, message });
        }
        (store, all, boxes)
    }

    fn expected(
        all: &[Known],
        boxes: &[MailboxId],
        query: &Query,
        within: Option<MailboxId>,
        zone: &TimeZone,
    ) -> Vec<MessageKey> {
        let within = within.filter(|_| !names_mailbox(query));
        let mut found: Vec<(i64, MessageKey)> = all
            .iter()
            .filter(|k| within.is_none_or(|w| w == boxes[k.mailbox]))
            .filter(|k| {
                let (account, mailbox, role) = BOXES[k.mailbox];
                let facts = Facts {
                    envelope: &k.seen.envelope,
                    body: &k.body,
                    files: &k.seen.attachments,
                    attachments: u32::try_from(k.seen.attachments.len()).unwrap(),
                    flags: &k.seen.flags,
                    received: k.seen.received,
                    size: k.seen.size,
                    account,
                    mailbox,
                    role,
                };
                query_eval::matches(query, &facts, zone)
            })
            .map(|k| (k.seen.received, k.message))
            .collect();
        found.sort_unstable_by(|a, b| b.cmp(a));
        found.dedup();
        found.into_iter().map(|(_, message)| message).collect()
    }

    fn term() -> impl Strategy<Value = String> {
        let word = prop::sample::select(WORDS.to_vec());
        let field = prop::sample::select(vec!["", "from:", "to:", "cc:", "subject:", "body:", "file:"]);
        let other = prop::sample::select(vec![
            "is:unread",
            "is:starred",
            "is:answered",
            "is:draft",
            "tag:work",
            "has:attachment",
            "before:2025-11-22",
            "after:2025-11-22",
            "larger:1k",
            "smaller:2k",
            "in:archive",
            "in:ärger",
            "account:HOME",
            "on:2025-11-21",
        ]);
        let text = (field, word.clone(), word, 0..4u8).prop_map(|(field, a, b, how)| match how {
            0 => format!("{field}\"{a} {b}\""),
            1 => format!("{field}\"{a}\""),
            2 => format!("{field}{}", a.chars().take(1).collect::<String>()),
            _ => format!("{field}{a}"),
        });
        prop_oneof![3 => text, 2 => other.prop_map(str::to_owned)]
    }

    fn text() -> impl Strategy<Value = String> {
        term().prop_recursive(3, 12, 4, |inner| {
            let list = prop::collection::vec(inner.clone(), 1..4);
            prop_oneof![
                list.clone().prop_map(|l| l.join(" ")),
                list.prop_map(|l| format!("({})", l.join(" OR "))),
                inner.prop_map(|one| format!("-({one})")),
            ]
        })
    }

    #[test]
    fn search_finds_exactly_what_the_reference_does() {
        let dir = tempfile::tempdir().unwrap();
        let (store, all, boxes) = build(dir.path());
        let zone = TimeZone::get("America/New_York").unwrap();
        let reader = std::cell::RefCell::new(store.reader());
        let ask = |reader: &mut Reader<Cache>, query: &Query, within, limit| {
            reader.ask(&Stop::new(), |db| search(db, query, within, &zone, limit)).unwrap()
        };
        let some = std::cell::Cell::new(0u32);
        proptest!(ProptestConfig { cases: 600, ..ProptestConfig::default() }, |(text in text(), place in 0..5usize)| {
            let query = parse(&text, date(2025, 11, 22)).query;
            let within = boxes.get(place).copied();
            let wanted = expected(&all, &boxes, &query, within, &zone);
            let found = ask(&mut reader.borrow_mut(), &query, within, 1_000);
            let keys: Vec<MessageKey> = found.rows.iter().map(|r| r.message).collect();
            prop_assert_eq!(&keys, &wanted, "{}", text);
            prop_assert!(!found.more);
            let few = ask(&mut reader.borrow_mut(), &query, within, 3);
            let keys: Vec<MessageKey> = few.rows.iter().map(|r| r.message).collect();
            prop_assert_eq!(&keys[..], &wanted[..wanted.len().min(3)]);
            prop_assert_eq!(few.more, wanted.len() > 3);
            some.set(some.get() + u32::from(!wanted.is_empty()));
        });
        assert!(some.get() > 200, "most queries find nothing: {}", some.get());
    }
}
