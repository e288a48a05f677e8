//! query_eval — what a query means, said once in plain code: the reference that the index is compared with in tests.
//! Owns: `matches`, `may_match`, `may_be_in`, `may_be_from`, `says_cc`, `Facts`.
//! May import: base.
//! Start reading at: `matches`.

use super::address::Address;
use super::envelope::Envelope;
use super::flags::{Flag, Flags};
use super::mailbox::Role;
use super::query::{Field, Query, State, Term};
use super::words::{cut, words};
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// All that a query can ask of a message in a mailbox.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Its headers.
    pub envelope: &'a Envelope,
    /// Its text, "" as long as it is not here.
    pub body: &'a str,
    /// The names of its attachments.
    pub files: &'a [String],
    /// How many attachments it has.
    pub attachments: u32,
    /// What the person sees of its flags.
    pub flags: &'a Flags,
    /// Seconds since 1970.
    pub received: i64,
    /// Octets.
    pub size: u64,
    /// The account's name.
    pub account: &'a str,
    /// The mailbox's name, decoded.
    pub mailbox: &'a str,
    /// What the mailbox is for.
    pub role: Option<Role>,
}

/// Whether the message is meant. Days begin at midnight in `zone`.
#[must_use]
pub fn matches(query: &Query, facts: &Facts<'_>, zone: &TimeZone) -> bool {
    match query {
        Query::And(all) => all.iter().all(|q| matches(q, facts, zone)),
        Query::Or(any) => any.iter().any(|q| matches(q, facts, zone)),
        Query::Not(one) => !matches(one, facts, zone),
        Query::Term(term) => holds(term, facts, zone),
    }
}

/// Whether the message may be meant, as far as that can be told while its text is not here.
#[must_use]
pub fn may_match(query: &Query, facts: &Facts<'_>, zone: &TimeZone) -> bool {
    bounds(query, &|term| {
        let known = holds(term, facts, zone);
        (known && !is_about_arrival(term), known || is_about_text(term) || is_about_arrival(term))
    })
    .1
}

/// Whether a message of that mailbox may be meant.
#[must_use]
pub fn may_be_in(query: &Query, account: &str, mailbox: &str, role: Option<Role>) -> bool {
    bounds(query, &|term| match term {
        Term::In(name) => twice(is_called(name, mailbox, role)),
        Term::Account(name) => twice(name.eq_ignore_ascii_case(account)),
        _ => (false, true),
    })
    .1
}

/// Whether a message of that account may be meant.
#[must_use]
pub fn may_be_from(query: &Query, account: &str) -> bool {
    bounds(query, &|term| match term {
        Term::Account(name) => twice(name.eq_ignore_ascii_case(account)),
        _ => (false, true),
    })
    .1
}

const fn twice(known: bool) -> (bool, bool) {
    (known, known)
}

fn is_called(name: &str, mailbox: &str, role: Option<Role>) -> bool {
    let name = name.to_lowercase();
    mailbox.to_lowercase() == name || role.is_some_and(|r| r.word() == name)
}

/// Whether it asks for words in texts.
#[must_use]
pub fn asks_text(query: &Query) -> bool {
    match query {
        Query::And(all) | Query::Or(all) => all.iter().any(asks_text),
        Query::Not(one) => asks_text(one),
        Query::Term(term) => is_about_text(term),
    }
}

/// Whether it asks when mail came into the mailbox where it is: that is known at the server alone.
#[must_use]
pub fn asks_arrival(query: &Query) -> bool {
    match query {
        Query::And(all) | Query::Or(all) => all.iter().any(asks_arrival),
        Query::Not(one) => asks_arrival(one),
        Query::Term(term) => is_about_arrival(term),
    }
}

const fn is_about_arrival(term: &Term) -> bool {
    matches!(term, Term::SavedSince(_) | Term::SavedBefore(_))
}

const fn is_about_text(term: &Term) -> bool {
    matches!(term, Term::Text { field: Field::Any | Field::Body, .. })
}

/// Whether it holds surely, and whether it may hold, where single conditions are not all known.
fn bounds(query: &Query, of: &dyn Fn(&Term) -> (bool, bool)) -> (bool, bool) {
    let fold = |all: &[Query], both: fn(bool, bool) -> bool, start: bool| {
        all.iter().map(|q| bounds(q, of)).fold((start, start), |a, b| (both(a.0, b.0), both(a.1, b.1)))
    };
    match query {
        Query::And(all) => fold(all, |a, b| a && b, true),
        Query::Or(any) => fold(any, |a, b| a || b, false),
        Query::Not(one) => {
            let (surely, perhaps) = bounds(one, of);
            (!perhaps, !surely)
        }
        Query::Term(term) => of(term),
    }
}

/// The first second of a day. A day that the zone's clocks never show, or that lies outside of time, is at the nearer end.
#[must_use]
pub fn start_of(day: Date, zone: &TimeZone) -> i64 {
    let end = if day.year() < 1970 { i64::MIN } else { i64::MAX };
    day.to_zoned(zone.clone()).map_or(end, |z| z.timestamp().as_second())
}

fn holds(term: &Term, facts: &Facts<'_>, zone: &TimeZone) -> bool {
    match term {
        Term::Text { field, text, whole } => says(*field, &words(text), *whole, facts),
        Term::Is(state) => match state {
            State::Unread => !facts.flags.has(Flag::Seen),
            State::Read => facts.flags.has(Flag::Seen),
            State::Starred => facts.flags.has(Flag::Flagged),
            State::Answered => facts.flags.has(Flag::Answered),
            State::Draft => facts.flags.has(Flag::Draft),
        },
        Term::Tag(word) => facts.flags.has_keyword(word),
        Term::HasAttachment => facts.attachments > 0,
        // As far as anybody knows who has no other date of it.
        Term::SavedSince(day) => facts.received >= start_of(*day, zone),
        Term::SavedBefore(day) => facts.received < start_of(*day, zone),
        Term::Since(day) => facts.received >= start_of(*day, zone),
        Term::Before(day) => facts.received < start_of(*day, zone),
        Term::Larger(n) => facts.size > *n,
        Term::Smaller(n) => facts.size < *n,
        Term::In(name) => is_called(name, facts.mailbox, facts.role),
        Term::Account(name) => facts.account.eq_ignore_ascii_case(name),
    }
}

/// Each field is searched by itself: words side by side never reach from one into the next.
fn says(field: Field, wanted: &[String], whole: bool, facts: &Facts<'_>) -> bool {
    let e = facts.envelope;
    let text = |t: &str| found(t, wanted, whole);
    let people = |lists: &[&[Address]]| found(&people_text(lists), wanted, whole);
    match field {
        Field::Any => {
            [Field::Subject, Field::From, Field::To, Field::Body, Field::File].into_iter().any(|f| says(f, wanted, whole, facts))
        }
        Field::From => people(&[&e.from]),
        Field::To => people(&[&e.to, &e.cc, &e.bcc]),
        Field::Cc => people(&[&e.cc]),
        Field::Subject => text(&e.subject),
        Field::Body => text(facts.body),
        Field::File => text(&facts.files.join("\n")),
    }
}

/// Whether the Cc alone says it: what the index cannot tell.
#[must_use]
pub fn says_cc(envelope: &Envelope, text: &str, whole: bool) -> bool {
    found(&people_text(&[&envelope.cc]), &words(text), whole)
}

/// People as the index is fed with them: names and addresses, in the order given.
#[must_use]
pub fn people_text(lists: &[&[Address]]) -> String {
    lists.iter().copied().flatten().map(|a| format!("{} {}", a.name, a.addr)).collect::<Vec<_>>().join("\n")
}

/// Whether `wanted` stand side by side in `text`, the last one by its beginning unless `whole`.
fn found(text: &str, wanted: &[String], whole: bool) -> bool {
    let Some((last, head)) = wanted.split_last() else { return true };
    cut(text, true).windows(wanted.len()).any(|w| {
        w.split_last()
            .is_some_and(|(end, start)| start == head && if whole { end == last } else { end.starts_with(last.as_str()) })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::query::parse;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn envelope() -> Envelope {
        Envelope {
            subject: "Résumé of the Q3 report 東京都".to_owned(),
            from: vec![Address::new("Ann Berger", "ann@example.org")],
            to: vec![Address::new("Dana", "dana@example.org")],
            cc: vec![Address::new("", "carol@fin.example")],
            ..Envelope::default()
        }
    }

    fn check(text: &str) -> bool {
        check_as(text, matches)
    }

    fn check_as(text: &str, how: fn(&Query, &Facts<'_>, &TimeZone) -> bool) -> bool {
        let (e, files) = (envelope(), ["plan.pdf".to_owned()]);
        let flags = Flags::from_words(["\\Flagged", "work"]);
        let facts = Facts {
            envelope: &e,
            body: "the totals are right",
            files: &files,
            attachments: 1,
            flags: &flags,
            received: date(2026, 11, 20).at(23, 30, 0, 0).in_tz("Europe/Berlin").unwrap().timestamp().as_second(),
            size: 86_000,
            account: "work",
            mailbox: "Projects/Q3",
            role: Some(Role::Archive),
        };
        let parsed = parse(text, date(2026, 11, 21));
        assert_eq!(parsed.complaint, None);
        how(&parsed.query, &facts, &TimeZone::get("Europe/Berlin").unwrap())
    }

    #[test]
    fn what_a_text_says_that_is_not_here_may_be_so_and_all_else_is_known() {
        for yes in ["zebra", "body:zebra", "-body:zebra", "zebra from:ann", "zebra OR from:dana", "-(zebra from:ann)"] {
            assert!(check_as(yes, may_match) || check(yes), "{yes}");
        }
        for no in ["zebra from:dana", "zebra is:read", "zebra -from:ann", "subject:zebra", "zebra file:xls", "body:x in:inbox"] {
            assert!(!check_as(no, may_match), "{no}");
        }
        let query = |text: &str| parse(text, date(2026, 11, 21)).query;
        let inbox = |text: &str| may_be_in(&query(text), "work", "INBOX", Some(Role::Inbox));
        assert!(
            inbox("zebra") && inbox("in:inbox x") && inbox("-in:archive") && inbox("x OR in:archive") && inbox("account:WORK")
        );
        assert!(!inbox("in:archive x") && !inbox("-in:inbox x") && !inbox("account:home"));
        assert!(
            asks_text(&query("-(a from:x)")) && asks_text(&query("body:a")) && !asks_text(&query("from:a subject:b is:read"))
        );
    }

    #[test]
    fn what_is_meant_is_found() {
        for yes in [
            "",
            "resume",
            "RÉSU",
            "from:ann",
            "from:berger",
            "from:example.org",
            "to:dana",
            "to:carol",
            "cc:carol",
            "subject:\"q3 report\"",
            "body:tot",
            "plan",
            "file:plan.pdf",
            "東京",
            "京都",
            "都",
            "is:unread",
            "is:starred",
            "has:attachment",
            "tag:WORK",
            "in:archive",
            "in:projects/q3",
            "account:work",
            "after:2026-11-20",
            "on:yesterday",
            "before:today",
            "larger:50k",
            "smaller:1M",
            "x OR ann",
            "-x",
            "-(x OR y) ann",
            "ann totals",
        ] {
            assert!(check(yes), "{yes}");
        }
        for no in [
            "xyz",
            "from:dana",
            "cc:dana",
            "\"q3 repo\"",
            "\"report q3\"",
            "is:read",
            "tag:home",
            "in:inbox",
            "account:home",
            "before:2026-11-20",
            "after:today",
            "larger:86k",
            "smaller:86k",
            "-ann",
            "x y",
            "ann x",
            "大",
            "file:xls",
            "\"plan pdf the\"",
            "eport",
        ] {
            assert!(!check(no), "{no}");
        }
    }

    proptest! {
        #[test]
        fn negation_and_choice_are_those_of_logic(a in "(from:|is:|in:|-)?(ann|unread|inbox|q3|x)", b in "(ann|is:read|larger:5k|y)") {
            prop_assume!(parse(&a, date(2026, 11, 21)).complaint.is_none());
            prop_assert_eq!(check(&format!("-({a})")), !check(&a) );
            prop_assert_eq!(check(&format!("{a} OR {b}")), check(&a) || check(&b));
            prop_assert_eq!(check(&format!("{a} {b}")), check(&a) && check(&b));
        }
    }
}
