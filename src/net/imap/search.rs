//! search — a query in the words of SEARCH (RFC 9051, 6.4.4).
//! Owns: `keys`.
//! May import: mail, and the room's own.
//! Start reading at: `keys`. What IMAP cannot say is left out so that too many are found, never too few: its words match
//! anywhere in a word, its days are those of the server's clock, it knows neither names of files nor other mailboxes.

use super::conn::Command;
use crate::mail::query::{Field, Query, State, Term};
use crate::mail::utf7;
use jiff::civil::Date;
use jiff::{Span, ToSpan};

/// Deeper than any person asks; the language itself allows less.
const MAX_DEPTH: u32 = 64;

/// The largest size that all servers read, in octets: IMAP4rev1 has no more.
const MAX_SIZE: u64 = u32::MAX as u64;

/// How a server is spoken to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tongue {
    /// Words that are not ASCII may be said; else they are left out.
    pub foreign: bool,
    /// Tags are labels (X-GM-EXT-1).
    pub labels: bool,
    /// It knows when mail came into a mailbox (SAVEDATE, RFC 8514); else the date that mail has there stands for it.
    pub saved: bool,
}

/// Adds the query to a command that ends with a space.
pub(super) fn keys(command: Command, query: &Query, tongue: Tongue) -> Command {
    add(command, query, tongue, 0)
}

/// Whether any of its words is not ASCII: then the command has to name a charset.
pub(super) fn is_foreign(query: &Query) -> bool {
    match query {
        Query::And(all) | Query::Or(all) => all.iter().any(is_foreign),
        Query::Not(one) => is_foreign(one),
        Query::Term(Term::Text { text, .. }) => !text.is_ascii(),
        Query::Term(_) => false,
    }
}

fn add(command: Command, query: &Query, tongue: Tongue, depth: u32) -> Command {
    if depth > MAX_DEPTH {
        return command.text("ALL");
    }
    match query {
        Query::And(all) => {
            let mut command = command.text("(ALL");
            for one in all {
                command = add(command.text(" "), one, tongue, depth + 1);
            }
            command.text(")")
        }
        Query::Or(any) => match any.split_first() {
            None => command.text("ALL"),
            Some((one, [])) => add(command, one, tongue, depth + 1),
            Some((one, rest)) => {
                let command = add(command.text("OR "), one, tongue, depth + 1);
                add(command.text(" "), &Query::Or(rest.to_vec()), tongue, depth + 1)
            }
        },
        // The opposite of "too many" would be too few.
        Query::Not(one) if is_exact(one) => add(command.text("NOT "), one, tongue, depth + 1),
        Query::Not(_) => command.text("ALL"),
        Query::Term(term) => term_keys(command, term, tongue),
    }
}

/// Whether SEARCH says just this.
fn is_exact(query: &Query) -> bool {
    match query {
        Query::And(all) | Query::Or(all) => all.iter().all(is_exact),
        Query::Not(one) => is_exact(one),
        Query::Term(Term::Larger(size) | Term::Smaller(size)) => *size <= MAX_SIZE,
        Query::Term(term) => matches!(term, Term::Is(_) | Term::Tag(_) | Term::SavedSince(_) | Term::SavedBefore(_)),
    }
}

fn term_keys(command: Command, term: &Term, tongue: Tongue) -> Command {
    match term {
        // Cut at what is no word, as the index does; each has to be there.
        Term::Text { field, text, .. } => {
            let mut command = command.text("(ALL");
            for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
                if !tongue.foreign && !word.is_ascii() {
                    continue;
                }
                command = word_keys(command.text(" "), *field, word);
            }
            command.text(")")
        }
        Term::Is(State::Unread) => command.text("UNSEEN"),
        Term::Is(State::Read) => command.text("SEEN"),
        Term::Is(State::Starred) => command.text("FLAGGED"),
        Term::Is(State::Answered) => command.text("ANSWERED"),
        Term::Is(State::Draft) => command.text("DRAFT"),
        Term::Tag(keyword) if tongue.labels && !keyword.as_str().starts_with('$') => {
            command.text("X-GM-LABELS ").string(utf7::encode(&keyword.label()).as_bytes())
        }
        Term::Tag(keyword) => command.text(&format!("KEYWORD {}", keyword.as_str())),
        Term::Since(day) => day_key(command, "SINCE", *day, (-1).days()),
        Term::Before(day) => day_key(command, "BEFORE", *day, 1.days()),
        // The only ones who know are asked: by their clock.
        Term::SavedSince(day) => day_key(command, if tongue.saved { "SAVEDSINCE" } else { "SINCE" }, *day, 0.days()),
        Term::SavedBefore(day) => day_key(command, if tongue.saved { "SAVEDBEFORE" } else { "BEFORE" }, *day, 0.days()),
        Term::Larger(size) => command.text(&format!("LARGER {}", (*size).min(MAX_SIZE))),
        Term::Smaller(size) if *size <= MAX_SIZE => command.text(&format!("SMALLER {size}")),
        Term::Smaller(_) => command.text("ALL"),
        Term::HasAttachment | Term::In(_) | Term::Account(_) => command.text("ALL"),
    }
}

fn word_keys(command: Command, field: Field, word: &str) -> Command {
    let key = |command: Command, name: &str| command.text(name).text(" ").string(word.as_bytes());
    match field {
        Field::Any => key(command, "TEXT"),
        Field::From => key(command, "FROM"),
        Field::To => key(key(key(command.text("OR OR "), "TO").text(" "), "CC").text(" "), "BCC"),
        Field::Cc => key(command, "CC"),
        Field::Subject => key(command, "SUBJECT"),
        Field::Body => key(command, "BODY"),
        // The index looks for it in the names of files, which are not in the words that IMAP knows.
        Field::File => command.text("ALL"),
    }
}

/// The server's days may begin half a day earlier or later than ours.
fn day_key(command: Command, name: &str, day: Date, aside: Span) -> Command {
    match day.checked_add(aside) {
        Ok(day) => command.text(&format!("{name} {}", day.strftime("%-d-%b-%Y"))),
        Err(_) => command.text("ALL"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::query;

    fn said(text: &str) -> String {
        keys(
            Command::new("UID SEARCH "),
            &query::parse(text, jiff::civil::date(2026, 6, 1)).query,
            Tongue { foreign: true, labels: false, saved: true },
        )
        .shown()
    }

    #[test]
    fn when_mail_came_into_its_mailbox() {
        assert_eq!(said("saved:2026-05-30"), "UID SEARCH (ALL SAVEDSINCE 30-May-2026 SAVEDBEFORE 31-May-2026)");
        // Exact, so its opposite may be said.
        assert_eq!(said("-savedbefore:2026-05-30"), "UID SEARCH NOT SAVEDBEFORE 30-May-2026");
        let query = query::parse("savedsince:2026-05-30", jiff::civil::date(2026, 6, 1)).query;
        let without = Tongue { foreign: true, labels: false, saved: false };
        assert_eq!(keys(Command::new(""), &query, without).shown(), "SINCE 30-May-2026");
    }

    #[test]
    fn queries_in_the_words_of_imap() {
        let cases = [
            ("from:ann is:unread", "FROM \"ann\""),
            ("from:ann is:unread", "UNSEEN"),
            ("to:bob", "OR OR TO \"bob\" CC \"bob\" BCC \"bob\""),
            ("-is:starred", "NOT FLAGGED"),
            ("-from:ann", "ALL"),
            ("larger:5M", "LARGER 5000000"),
            ("before:2026-01-01", "BEFORE 2-Jan-2026"),
            ("after:2026-01-01", "SINCE "),
            ("a OR b", "OR (ALL TEXT \"a\") (ALL TEXT \"b\")"),
            ("\"q3 report\"", "TEXT \"q3\" TEXT \"report\""),
            ("zoë", "TEXT {4}"),
            ("smaller:6G", "ALL"),
            ("-larger:6G", "ALL"),
        ];
        for (text, part) in cases {
            let said = said(text);
            assert!(said.contains(part), "{text}: {said}");
        }
        assert!(!said("-from:ann").contains("NOT"), "too few would be found");
        let labelled = query::parse("tag:\"My Größe\" tag:todo", jiff::civil::date(2026, 6, 1));
        let said = keys(Command::new(""), &labelled.query, Tongue { foreign: false, labels: true, saved: false }).shown();
        assert!(said.contains("X-GM-LABELS \"My Gr&APYA3w-e\" X-GM-LABELS \"todo\""), "{said}");
        let foreign = |text| is_foreign(&query::parse(text, jiff::civil::date(2026, 6, 1)).query);
        assert!(foreign("x zoë") && !foreign("x"));
    }
}
