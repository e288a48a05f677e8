//! search_sql — a query as SQL over the index and the rows.
//! Owns: `Sql`. May import: mail.
//! Start reading at: `Sql::of`. Text that stands together becomes one MATCH; the MATCH at the top, if there is one, drives the
//! search in the order of the rows, so that the newest few cost the same in a large mailbox. Values are always bound.

use super::messages;
use crate::mail::flags::Flag;
use crate::mail::ids::MailboxId;
use crate::mail::query::{Field, Query, State, Term};
use crate::mail::query_eval::{asks_arrival, start_of};
use crate::mail::row::MailboxRow;
use crate::mail::words::words;
use jiff::tz::TimeZone;
use rusqlite::types::Value;

/// Conditions over `placement p` and `message m`, and what drives them.
#[derive(Debug)]
pub(super) struct Sql {
    /// The MATCH that every hit fulfils, if there is one and nothing else leaves fewer.
    pub driver: Option<String>,
    /// What is walked where no MATCH drives.
    pub walk: Walk,
    /// The MATCH that every hit fulfils, where something else leaves fewer.
    pub wanted: Option<String>,
    /// Those that no hit fulfils, where there is no driver to say so.
    pub unwanted: Vec<String>,
    /// The rest; never empty.
    pub condition: String,
    /// The values of `condition`, in order.
    pub values: Vec<Value>,
    /// Whether `condition` holds to one mailbox.
    pub mailbox: bool,
    /// Whether text is asked for anywhere: then messages not yet indexed are looked at one by one.
    pub text: bool,
}

/// Placements in the order of their rows: which of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Walk {
    /// All.
    All,
    /// Those with a keyword.
    Words,
    /// Unread ones.
    Unread,
    /// Starred ones.
    Flagged,
    /// Drafts.
    Drafts,
    /// All, of whom few may have the flag that is asked for.
    Flags,
    /// Of large messages.
    Large,
}

/// From this size on a message is in the index of large ones.
const LARGE: u64 = 32_768;

impl Walk {
    /// The narrowest for a conjunction of these.
    fn of(parts: &[Query]) -> Self {
        let walk = |part: &Query| match part {
            Query::Term(Term::Tag(_)) => Self::Words,
            Query::Term(Term::Is(State::Draft)) => Self::Drafts,
            Query::Term(Term::Is(State::Starred)) => Self::Flagged,
            Query::Term(Term::Larger(n)) if *n >= LARGE => Self::Large,
            Query::Term(Term::Is(State::Unread)) => Self::Unread,
            Query::Term(Term::Is(State::Answered)) => Self::Flags,
            _ => Self::All,
        };
        let order = [Self::Words, Self::Drafts, Self::Flagged, Self::Large, Self::Unread, Self::Flags];
        let here: Vec<Self> = parts.iter().map(walk).collect();
        order.into_iter().find(|w| here.contains(w)).unwrap_or(Self::All)
    }

    /// What makes its index usable.
    const fn condition(self) -> Option<&'static str> {
        match self {
            Self::All | Self::Flags => None,
            Self::Words => Some("p.words <> ''"),
            Self::Unread => Some("(p.flags & 1) = 0"),
            Self::Flagged => Some("(p.flags & 4) <> 0"),
            Self::Drafts => Some("(p.flags & 16) <> 0"),
            Self::Large => Some("m.size >= 32768"),
        }
    }
}

/// What names and days mean.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub mailboxes: &'a [MailboxRow],
    pub zone: &'a TimeZone,
}

impl Sql {
    /// Of a query; `within` is the only mailbox to look in, if any.
    pub fn of(query: &Query, within: Option<MailboxId>, scope: Scope<'_>) -> Self {
        let parts: &[Query] = if let Query::And(all) = query { all } else { std::slice::from_ref(query) };
        let mut sql = Self {
            driver: None,
            condition: String::new(),
            walk: Walk::of(parts),
            wanted: None,
            unwanted: Vec::new(),
            values: Vec::new(),
            mailbox: within.is_some(),
            text: has_text(query),
        };
        let mut conditions = vec!["p.hidden = 0".to_owned()];
        if asks_arrival(query) {
            // Nothing here says when mail came into its mailbox: what a server finds stands beside this (see `search_told.rs`), and
            // whoever empties a mailbox by it shall find nothing by another date. No mailbox has the number 0.
            conditions.push("(+p.mailbox IN (0))".to_owned());
        }
        // Whoever stands in Cc is one of the recipients: found among them first.
        let implied = parts.iter().filter_map(recipient).map(Query::Term);
        let all: Vec<Query> = parts.iter().cloned().chain(implied).collect();
        let (matching, mut rest) = split(&all);
        match matching {
            // Few messages are so: the text is looked for in them, not the other way round.
            Some(text) if sql.walk != Walk::All => sql.wanted = Some(text),
            text => sql.driver = text,
        }
        if sql.driver.is_none() {
            conditions.extend(sql.walk.condition().map(str::to_owned));
            // What must not be in the text is found in the same order, and left out on the way.
            rest.retain(|part| match part {
                Query::Not(one) => matching_of(one).map(|m| sql.unwanted.push(m)).is_none(),
                _ => true,
            });
        }
        for part in parts {
            // The order of rows is that of their days: those out of range are not even looked at.
            let (bound, day) = match part {
                Query::Term(Term::Since(day)) => (">=", day),
                Query::Term(Term::Before(day)) => ("<", day),
                _ => continue,
            };
            let by = sql.order();
            let second = start_of(*day, scope.zone).clamp(0, messages::LATEST + 1);
            conditions.push(sql.with(second << messages::SORT_BITS, &format!("{by} {bound} ?")));
        }
        if let Some(mailbox) = within {
            sql.values.push(Value::Integer(mailbox.0));
            conditions.push("p.mailbox = ?".to_owned());
        }
        for part in rest {
            let condition = match part {
                Query::Term(Term::Text { field: Field::Cc, text, whole }) if recipient(part).is_some() => {
                    sql.says_cc(text, *whole)
                }
                _ => sql.condition(part, scope),
            };
            conditions.push(condition);
        }
        sql.condition = conditions.join(" AND ");
        sql
    }

    /// Whether texts are looked for beside the rows, not by the statement; see `search_text.rs`.
    pub const fn merges(&self) -> bool {
        self.wanted.is_some() || !self.unwanted.is_empty()
    }

    /// The column that the rows are in the order of.
    pub const fn order(&self) -> &'static str {
        match (&self.driver, self.walk) {
            (Some(_), _) => "f.rowid",
            (None, Walk::Large) => "m.sort",
            (None, _) => "p.sort",
        }
    }

    fn condition(&mut self, query: &Query, scope: Scope<'_>) -> String {
        if let Some(matching) = matching_of(query) {
            return self.matches(matching);
        }
        match query {
            Query::And(all) => {
                let (matching, rest) = split(all);
                let mut parts: Vec<String> = matching.into_iter().map(|m| self.matches(m)).collect();
                parts.extend(rest.into_iter().map(|q| self.condition(q, scope)));
                join(&parts, " AND ", "1")
            }
            Query::Or(any) => {
                let parts: Vec<String> = any.iter().map(|q| self.condition(q, scope)).collect();
                join(&parts, " OR ", "0")
            }
            Query::Not(one) => format!("NOT {}", self.condition(one, scope)),
            Query::Term(term) => self.term(term, scope),
        }
    }

    fn matches(&mut self, matching: String) -> String {
        self.values.push(Value::Text(matching));
        "(+p.sort IN (SELECT rowid FROM message_fts WHERE message_fts MATCH ?))".to_owned()
    }

    fn says_cc(&mut self, text: &str, whole: bool) -> String {
        self.values.push(Value::Text(text.to_owned()));
        format!("cc_says(m.envelope, ?, {})", i32::from(whole))
    }

    fn with(&mut self, value: i64, condition: &str) -> String {
        self.values.push(Value::Integer(value));
        condition.to_owned()
    }

    fn term(&mut self, term: &Term, scope: Scope<'_>) -> String {
        let bit = |flag: Flag, set: bool| format!("(p.flags & {}) {} 0", flag.bit(), if set { "<>" } else { "=" });
        let size = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let of = |wanted: &dyn Fn(&MailboxRow) -> bool| {
            let ids: Vec<String> = scope.mailboxes.iter().filter(|b| wanted(b)).map(|b| format!(",{}", b.id)).collect();
            // No mailbox has the number 0: an empty list would be a constant, and INDEXED BY then has no solution.
            // The plus keeps SQLite from visiting one mailbox after the other and sorting.
            format!("(+p.mailbox IN (0{}))", ids.concat())
        };
        match term {
            // Only what asks for Cc or has no word comes here: the rest is a MATCH.
            Term::Text { field: Field::Cc, text, whole } if !words(text).is_empty() => {
                let any_recipient = Term::Text { field: Field::To, text: text.clone(), whole: *whole };
                let found = matching_of(&Query::Term(any_recipient)).map_or_else(|| "1".to_owned(), |m| self.matches(m));
                let says = self.says_cc(text, *whole);
                format!("({found} AND {says})")
            }
            Term::Text { .. } => "1".to_owned(),
            Term::Is(State::Unread) => bit(Flag::Seen, false),
            Term::Is(State::Read) => bit(Flag::Seen, true),
            Term::Is(State::Starred) => bit(Flag::Flagged, true),
            Term::Is(State::Answered) => bit(Flag::Answered, true),
            Term::Is(State::Draft) => bit(Flag::Draft, true),
            Term::Tag(word) => {
                self.values.push(Value::Text(format!(" {} ", word.as_str().to_ascii_lowercase())));
                "(p.words <> '' AND instr(lower(p.words), ?) > 0)".to_owned()
            }
            Term::HasAttachment => "(m.attachments > 0)".to_owned(),
            Term::Since(day) => self.with(start_of(*day, scope.zone), "(m.received >= ?)"),
            Term::Before(day) => self.with(start_of(*day, scope.zone), "(m.received < ?)"),
            // Never reached by a hit: `of` lets none through.
            Term::SavedSince(_) | Term::SavedBefore(_) => "1".to_owned(),
            Term::Larger(n) => self.with(size(*n), "(m.size > ?)"),
            Term::Smaller(n) => self.with(size(*n), "(m.size < ?)"),
            Term::In(name) => {
                let name = name.to_lowercase();
                of(&|b| b.path.decoded().to_lowercase() == name || b.role.is_some_and(|r| r.word() == name))
            }
            Term::Account(name) => of(&|b| b.account.as_str().eq_ignore_ascii_case(name)),
        }
    }
}

/// What asks for Cc, asked of all recipients.
fn recipient(query: &Query) -> Option<Term> {
    match query {
        Query::Term(Term::Text { field: Field::Cc, text, whole }) if !words(text).is_empty() => {
            Some(Term::Text { field: Field::To, text: text.clone(), whole: *whole })
        }
        _ => None,
    }
}

fn join(parts: &[String], between: &str, none: &str) -> String {
    if parts.is_empty() { none.to_owned() } else { format!("({})", parts.join(between)) }
}

/// The conjunction of those parts that one MATCH can say, and the others.
fn split(parts: &[Query]) -> (Option<String>, Vec<&Query>) {
    let (mut all, mut none, mut rest) = (Vec::new(), Vec::new(), Vec::new());
    for part in parts {
        match part {
            Query::Not(one) if matching_of(one).is_some() => none.push(part),
            _ => match matching_of(part) {
                Some(m) => all.push(m),
                None => rest.push(part),
            },
        }
    }
    if all.is_empty() {
        // FTS5 has no NOT without something before it.
        rest.extend(none);
        return (None, rest);
    }
    let mut text = all.join(" AND ");
    for part in none {
        if let Query::Not(one) = part
            && let Some(m) = matching_of(one)
        {
            text = format!("({text}) NOT {m}");
        }
    }
    (Some(format!("({text})")), rest)
}

/// The query as an FTS5 expression, if it asks for nothing but text that has words.
fn matching_of(query: &Query) -> Option<String> {
    match query {
        Query::And(all) => match split(all) {
            (Some(text), rest) if rest.is_empty() => Some(text),
            _ => None,
        },
        Query::Or(any) => {
            let all: Option<Vec<String>> = any.iter().map(matching_of).collect();
            all.filter(|a| !a.is_empty()).map(|a| format!("({})", a.join(" OR ")))
        }
        Query::Not(_) => None,
        Query::Term(Term::Text { field, text, whole }) => {
            let column = match field {
                Field::Any => "",
                Field::From => "{sender} : ",
                Field::To => "{recipients} : ",
                Field::Subject => "{subject} : ",
                Field::Body => "{body} : ",
                Field::File => "{files} : ",
                Field::Cc => return None,
            };
            let words = words(text);
            let end = if *whole { "" } else { " *" };
            // Words hold letters and digits alone: nothing in them could end the quotes.
            (!words.is_empty()).then(|| format!("({column}\"{}\"{end})", words.join(" ")))
        }
        Query::Term(_) => None,
    }
}

fn has_text(query: &Query) -> bool {
    match query {
        Query::And(all) | Query::Or(all) => all.iter().any(has_text),
        Query::Not(one) => has_text(one),
        Query::Term(term) => matches!(term, Term::Text { .. }),
    }
}

/// Whether the query names a mailbox: then none is taken for granted.
pub(super) fn names_mailbox(query: &Query) -> bool {
    match query {
        Query::And(all) | Query::Or(all) => all.iter().any(names_mailbox),
        Query::Not(one) => names_mailbox(one),
        Query::Term(term) => matches!(term, Term::In(_) | Term::Account(_)),
    }
}
