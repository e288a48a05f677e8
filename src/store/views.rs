//! views — lists over several mailboxes: all inboxes as one, all that is unread, all that is starred.
//! Owns: nothing; it reads. May import: mail.
//! Start reading at: `Keys::of`. Inboxes are merged, each from its own index, so that a page costs its rows times the accounts.
//! Unread and starred messages have an index of their own; a content that lies in several mailboxes is one row.

use super::error::Result;
use super::lists::{self, COLUMNS, MAX_ROWS, WIDTH};
use super::open::{Cache, Db};
use crate::mail::mailbox::Role;
use crate::mail::row::{MessageRow, RowCursor, View};
use rusqlite::OptionalExtension;
use std::fmt::Write as _;

/// Where the rows of a view come from.
pub(super) enum Keys {
    /// From the lists of these mailboxes.
    Merged { boxes: Vec<i64>, threaded: bool },
    /// From an index over all mailboxes.
    Marked {
        index: &'static str,
        condition: &'static str,
        /// Mailboxes that are left out, as `,1,2`.
        out: String,
        /// Mailboxes that show what lies elsewhere: what the server does not call by one name there would stand here twice.
        mirrors: String,
    },
}

impl Keys {
    /// Of a view; none of a single mailbox (`lists.rs`).
    fn of(db: &Db<Cache>, view: View, threaded: bool) -> Result<Option<Self>> {
        let (index, condition) = match view {
            View::Mailbox(_) => return Ok(None),
            View::Inboxes => return Ok(Some(Self::Merged { boxes: inboxes(db)?, threaded })),
            View::Unread => ("placement_all_unread", "(p.flags & 1) = 0"),
            View::Flagged => ("placement_all_flagged", "(p.flags & 4) <> 0"),
        };
        let out = list(db, &format!("dying <> 0 OR role IN ('{}', '{}')", Role::Trash.word(), Role::Junk.word()))?;
        let mirrors = list(db, &format!("role IN ('{}', '{}')", Role::All.word(), Role::Flagged.word()))?;
        Ok(Some(Self::Marked { index, condition, out, mirrors }))
    }

    /// Selects `placement, at, total, unread` of the first `?2` rows with `at {bound} ?1`, in `order`.
    pub fn select(&self, bound: &str, order: &str, unread: bool) -> String {
        match self {
            Self::Merged { boxes, threaded } => {
                let arm = |id: &i64| {
                    if *threaded {
                        let unread = if unread { " AND unread > 0" } else { "" };
                        format!(
                            "SELECT * FROM (SELECT placement, latest AS at, total, unread FROM thread_row
                             WHERE mailbox = {id} AND latest {bound} ?1{unread} ORDER BY latest {order} LIMIT ?2)"
                        )
                    } else {
                        let unread = if unread { " AND (flags & 1) = 0" } else { "" };
                        format!(
                            "SELECT * FROM (SELECT id AS placement, sort AS at, 1 AS total, (flags & 1) = 0 AS unread FROM placement
                             WHERE mailbox = {id} AND hidden = 0 AND sort {bound} ?1{unread} ORDER BY sort {order} LIMIT ?2)"
                        )
                    }
                };
                let arms: Vec<String> = boxes.iter().map(arm).collect();
                format!("{} ORDER BY at {order} LIMIT ?2", arms.join(" UNION ALL "))
            }
            Self::Marked { index, .. } => {
                let unread = if unread { " AND (p.flags & 1) = 0" } else { "" };
                // min() also says which row the other columns come from: rather where the message lies than where it shows.
                format!(
                    "SELECT p.id AS placement, p.sort AS at, 1 AS total, (p.flags & 1) = 0 AS unread, min({})
                     FROM placement p INDEXED BY {index} WHERE {} AND p.sort {bound} ?1{unread}
                     GROUP BY p.sort ORDER BY p.sort {order} LIMIT ?2",
                    self.rank(),
                    self.condition()
                )
            }
        }
    }

    fn rank(&self) -> String {
        match self {
            Self::Marked { mirrors, .. } => format!("p.id + iif(p.mailbox IN (0{mirrors}), 1 << 60, 0)"),
            Self::Merged { .. } => "p.id".to_owned(),
        }
    }

    fn condition(&self) -> String {
        match self {
            Self::Marked { condition, out, mirrors, .. } => {
                let mut text = format!("p.hidden = 0 AND {condition}");
                if !out.is_empty() {
                    let _ = write!(text, " AND +p.mailbox NOT IN (0{out})");
                }
                if !mirrors.is_empty() {
                    let _ = write!(
                        text,
                        " AND (+p.mailbox NOT IN (0{mirrors}) OR EXISTS
                           (SELECT 1 FROM message m WHERE m.id = p.message AND m.object_id <> ''))"
                    );
                }
                text
            }
            Self::Merged { .. } => "1".to_owned(),
        }
    }

    /// Counts the rows with `at > ?1`.
    pub fn count_above(&self) -> String {
        match self {
            Self::Merged { boxes, threaded } => {
                let arm = |id: &i64| {
                    if *threaded {
                        format!("(SELECT count(*) FROM thread_row WHERE mailbox = {id} AND latest > ?1)")
                    } else {
                        format!("(SELECT count(*) FROM placement WHERE mailbox = {id} AND hidden = 0 AND sort > ?1)")
                    }
                };
                let arms: Vec<String> = boxes.iter().map(arm).collect();
                format!("SELECT {}", arms.join(" + "))
            }
            Self::Marked { index, .. } => format!(
                "SELECT count(DISTINCT p.sort) FROM placement p INDEXED BY {index} WHERE {} AND p.sort > ?1",
                self.condition()
            ),
        }
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::Merged { boxes, .. } if boxes.is_empty())
    }
}

/// The inboxes of all accounts.
fn inboxes(db: &Db<Cache>) -> Result<Vec<i64>> {
    let sql = "SELECT id FROM mailbox WHERE role = ?1 AND selectable AND dying = 0 ORDER BY id";
    let mut statement = db.conn().prepare_cached(sql)?;
    Ok(statement.query_map([Role::Inbox.word()], |r| r.get(0))?.collect::<rusqlite::Result<_>>()?)
}

/// The numbers of the mailboxes that are so, as `,1,2`.
fn list(db: &Db<Cache>, condition: &str) -> Result<String> {
    let mut statement = db.conn().prepare_cached(&format!("SELECT id FROM mailbox WHERE {condition} ORDER BY id"))?;
    let mut all = String::new();
    for id in statement.query_map([], |r| r.get::<_, i64>(0))? {
        let _ = write!(all, ",{}", id?);
    }
    Ok(all)
}

/// The statement of a page (sort, limit).
pub(super) fn page_sql(keys: &Keys, bound: &str, order: &str) -> String {
    format!(
        "WITH t AS MATERIALIZED ({}) SELECT {COLUMNS}, t.total, t.unread
         FROM t JOIN placement p ON p.id = t.placement JOIN message m ON m.id = p.message ORDER BY t.at DESC",
        keys.select(bound, order, false)
    )
}

/// A page of a view over several mailboxes; see [`lists::page`].
pub(super) fn page(db: &Db<Cache>, view: View, threaded: bool, from: RowCursor, limit: u32) -> Result<Vec<MessageRow>> {
    let Some(keys) = Keys::of(db, view, threaded)?.filter(|k| !k.is_empty()) else { return Ok(Vec::new()) };
    let (bound, at, order) = match from {
        RowCursor::Newest => ("<=", i64::MAX, "DESC"),
        RowCursor::Oldest => (">=", 0, "ASC"),
        RowCursor::From(sort) => ("<=", sort, "DESC"),
        RowCursor::UpTo(sort) => (">=", sort, "ASC"),
        RowCursor::NextUnread(sort) | RowCursor::PreviousUnread(sort) => {
            let below = matches!(from, RowCursor::NextUnread(_));
            match nearest_unread(db, &keys, sort, below)? {
                Some(sort) => ("<=", sort, "DESC"),
                None => return Ok(Vec::new()),
            }
        }
    };
    let mut statement = db.conn().prepare_cached(&page_sql(&keys, bound, order))?;
    let rows = statement.query_map((at, limit.min(MAX_ROWS)), |r| {
        Ok(MessageRow { thread_total: r.get(WIDTH)?, thread_unread: r.get(WIDTH + 1)?, ..lists::read(r)? })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn nearest_unread(db: &Db<Cache>, keys: &Keys, from: i64, below: bool) -> Result<Option<i64>> {
    let (bound, order, around) = if below { ("<", "DESC", i64::MAX) } else { (">", "ASC", -1) };
    let sql = format!("SELECT at FROM ({})", keys.select(bound, order, true));
    for from in [from, around] {
        let found = db.conn().prepare_cached(&sql)?.query_row((from, 1), |r| r.get(0)).optional()?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// How many rows stand above the first of `page`, and how many there are in all; see [`lists::position`].
pub(super) fn position(db: &Db<Cache>, view: View, threaded: bool, from: RowCursor, page: &[MessageRow]) -> Result<(u32, u32)> {
    let Some(keys) = Keys::of(db, view, threaded)?.filter(|k| !k.is_empty()) else { return Ok((0, 0)) };
    let above =
        |sort: i64| -> Result<u32> { Ok(db.conn().prepare_cached(&keys.count_above())?.query_row([sort], |r| r.get(0))?) };
    let total = match &keys {
        Keys::Merged { boxes, threaded } => {
            let column = if *threaded { "threads" } else { "total" };
            let sql = format!("SELECT {column} FROM mailbox WHERE id = ?1");
            let mut total: u32 = 0;
            for id in boxes {
                total = total.saturating_add(db.conn().prepare_cached(&sql)?.query_row([id], |r| r.get(0))?);
            }
            total
        }
        Keys::Marked { .. } => above(-1)?,
    };
    match (from, page.first()) {
        (RowCursor::Newest, _) | (_, None) => Ok((0, total)),
        (RowCursor::Oldest, _) => Ok((total.saturating_sub(u32::try_from(page.len()).unwrap_or(u32::MAX)), total)),
        (_, Some(first)) => Ok((above(first.sort)?, total)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::flags::Flags;
    use crate::mail::ids::{AccountName, MailboxId};
    use crate::mail::mailbox::MailboxPath;
    use crate::mail::server::EnvelopeSeen;
    use crate::mail::uid::UidValidity;
    use crate::store::lists::tests::seen;
    use crate::store::{Store, mailboxes, messages, placements, tests::quiet};

    fn put(store: &Store, account: &str, name: &str, role: Role, rows: Vec<EnvelopeSeen>) -> MailboxId {
        let (account, path) = (AccountName::new(account), MailboxPath::from_typed(name));
        let put = move |tx: &mut crate::store::Tx<'_, Cache>| {
            let mailbox = mailboxes::ensure(tx, &account, &path)?;
            mailboxes::set_role(tx, mailbox, Some(role))?;
            messages::record_new(tx, mailbox, UidValidity(1), &rows)?;
            Ok(mailbox)
        };
        store.cache(put).unwrap()
    }

    fn with(row: EnvelopeSeen, flags: &str, object: &str) -> EnvelopeSeen {
        EnvelopeSeen { flags: Flags::from_words(flags.split(' ')), object_id: object.to_owned(), ..row }
    }

    fn shown(store: &Store, view: View, threaded: bool, from: RowCursor, limit: u32) -> (Vec<String>, u32, u32) {
        let page = |db: &Db<Cache>| {
            let rows = lists::page(db, view, threaded, from, limit)?;
            let (above, total) = lists::position(db, view, threaded, from, &rows)?;
            Ok((rows.into_iter().map(|r| format!("{}/{}", r.account, r.subject)).collect(), above, total))
        };
        store.read(page).unwrap()
    }

    #[test]
    fn inboxes_are_one_list_and_marked_messages_stand_in_it_once() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), quiet()).unwrap();
        assert_eq!(shown(&store, View::Inboxes, true, RowCursor::Newest, 9), (vec![], 0, 0));
        let seen_flag = "\\Seen";
        let home = vec![
            with(seen(9, "nine", "h9", &["h3"]), "", "o9"),
            with(seen(5, "five", "h5", &[]), "\\Seen \\Flagged", ""),
            with(seen(3, "three", "h3", &[]), seen_flag, ""),
        ];
        let work = vec![with(seen(7, "seven", "w7", &[]), "", ""), with(seen(2, "two", "w2", &[]), "\\Flagged", "")];
        let inbox = put(&store, "home", "INBOX", Role::Inbox, home);
        put(&store, "work", "INBOX", Role::Inbox, work);
        // The same content again where all mail is seen, and one that only lies there; and what is nobody's business.
        let all = vec![
            with(seen(9, "nine", "h9", &["h3"]), "", "o9"),
            with(seen(4, "four", "h4", &[]), "", "o4"),
            seen(1, "one", "", &[]),
        ];
        put(&store, "home", "All", Role::All, all);
        put(&store, "home", "Junk", Role::Junk, vec![with(seen(8, "spam", "j", &[]), "\\Flagged", "")]);

        let all = |view, threaded| shown(&store, view, threaded, RowCursor::Newest, 9);
        let names = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        let flat = names(&["home/nine", "work/seven", "home/five", "home/three", "work/two"]);
        assert_eq!(all(View::Inboxes, false), (flat, 0, 5));
        assert_eq!(all(View::Inboxes, true), (names(&["home/nine", "work/seven", "home/five", "work/two"]), 0, 4));
        assert_eq!(all(View::Unread, true), (names(&["home/nine", "work/seven", "home/four", "work/two"]), 0, 4));
        assert_eq!(all(View::Flagged, false), (names(&["home/five", "work/two"]), 0, 2));
        // The message shows where the person keeps it.
        let first = store.read(|db| lists::page(db, View::Unread, false, RowCursor::Newest, 1)).unwrap();
        assert_eq!(first[0].mailbox, inbox);

        // In pages, from both ends; and from unread row to unread row.
        let at = |minute: i64| (minute * 60) << 24;
        let from = |view, cursor| shown(&store, view, true, cursor, 2);
        assert_eq!(from(View::Inboxes, RowCursor::From(at(7))), (names(&["work/seven", "home/five"]), 1, 4));
        assert_eq!(from(View::Inboxes, RowCursor::UpTo(at(5))), (names(&["work/seven", "home/five"]), 1, 4));
        assert_eq!(from(View::Inboxes, RowCursor::Oldest), (names(&["home/five", "work/two"]), 2, 4));
        assert_eq!(from(View::Unread, RowCursor::From(at(4))), (names(&["home/four", "work/two"]), 2, 4));
        assert_eq!(from(View::Unread, RowCursor::Oldest), (names(&["home/four", "work/two"]), 2, 4));
        assert_eq!(from(View::Inboxes, RowCursor::NextUnread(at(7))).0, names(&["work/two"]));
        assert_eq!(from(View::Inboxes, RowCursor::NextUnread(at(2))).0, names(&["home/nine", "work/seven"]));
        assert_eq!(from(View::Flagged, RowCursor::PreviousUnread(at(5))).0, names(&["work/two"]));

        // Read in one place: its other placement has flags of its own. Read in both: it is gone from the list.
        let archive = store.read(|db| mailboxes::by_role(db, &AccountName::new("home"), Role::All)).unwrap().unwrap().id;
        for (mailbox, left) in [(inbox, 4), (archive, 3)] {
            let (uid, flags) = (crate::mail::uid::Uid::new(9).unwrap(), Flags::from_words([seen_flag]));
            let row = crate::mail::server::FlagsSeen { uid, flags, modseq: crate::mail::uid::ModSeq(0) };
            store.cache(move |tx| placements::flags_observed(tx, mailbox, &[row])).unwrap();
            let (rows, _, total) = all(View::Unread, false);
            assert_eq!((rows.len(), total), (left, u32::try_from(left).unwrap()));
        }
    }
}
