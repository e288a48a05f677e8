//! render_invite — a calendar part as a card: what, when, where, who.
//! Owns: `blocks`.
//! May import: base.
//! Start reading at: `blocks`. Times are said in the reader's zone, and in the inviter's where that is another one.

use super::calendar::{self, Event, Invite, Person, When};
use super::layout::{Block, Role};
use super::links::Links;
use super::render_text;
use jiff::Zoned;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// The most events and people that are shown.
const MAX_EVENTS: usize = 10;
const MAX_PEOPLE: usize = 20;
/// Names of fields are padded to this, so that their values line up.
const FIELD: usize = 7;

/// The card of a calendar part; nothing if the part holds no event.
#[must_use]
pub fn blocks(text: &str, zone: &TimeZone, links: &mut Links) -> Option<Vec<Block>> {
    let invite = calendar::read(text)?;
    let mut card = Card { out: Vec::new(), zone, links };
    for event in invite.events.iter().take(MAX_EVENTS) {
        card.event(&invite, event);
    }
    let more = invite.events.len().saturating_sub(MAX_EVENTS) + invite.more;
    if more > 0 {
        card.out.push(Block::of(&format!("[{more} more events are in the attached calendar.]"), Role::Notice));
    }
    Some(card.out)
}

struct Card<'a> {
    out: Vec<Block>,
    zone: &'a TimeZone,
    links: &'a mut Links,
}

impl Card<'_> {
    fn event(&mut self, invite: &Invite, event: &Event) {
        if !self.out.is_empty() {
            self.out.push(Block::default());
        }
        let who = event.attendees.first().map(short).unwrap_or_default();
        let said = event.attendees.first().map_or("", |a| a.answer.as_str());
        let head = match (invite.method.as_str(), said) {
            ("REPLY", "ACCEPTED") => format!("{who} accepts: "),
            ("REPLY", "DECLINED") => format!("{who} declines: "),
            ("REPLY", "TENTATIVE") => format!("{who} may come: "),
            ("REPLY", _) => format!("{who} answers: "),
            ("COUNTER", _) => format!("{who} proposes another time: "),
            ("CANCEL", _) => "Cancelled: ".to_owned(),
            _ if event.status == "CANCELLED" => "Cancelled: ".to_owned(),
            ("REQUEST", _) => "Invitation: ".to_owned(),
            _ => "Event: ".to_owned(),
        };
        let mut title = Block::of(&head, Role::FieldName);
        title.push(line(&event.summary, "(no title)").as_str(), Role::Heading, None);
        self.out.push(title);
        if let Some(start) = &event.start {
            self.field("When", &self.span(start, event.end.as_ref()));
        }
        if let Some(rule) = repeats(&event.rule, self.zone) {
            self.field("", &rule);
        }
        if !event.location.trim().is_empty() {
            self.field("Where", &line(&event.location, ""));
        }
        if !event.url.trim().is_empty() {
            self.field("Link", &line(&event.url, ""));
        }
        if let Some(organizer) = &event.organizer {
            self.field("From", &full(organizer));
        }
        if invite.method != "REPLY" && !event.attendees.is_empty() {
            let mut names: Vec<String> = event.attendees.iter().take(MAX_PEOPLE).map(with_answer).collect();
            let more = event.attendees.len().saturating_sub(MAX_PEOPLE) + event.more;
            if more > 0 {
                names.push(format!("{more} more"));
            }
            self.field("With", &names.join(", "));
        }
        for text in [&event.comment, &event.description] {
            if !text.trim().is_empty() {
                self.out.push(Block::default());
                self.out.extend(render_text::blocks(text.trim(), render_text::Format::default(), self.links));
            }
        }
    }

    fn field(&mut self, name: &str, value: &str) {
        let mut block = Block { bullet: format!("{name:<FIELD$}"), ..Block::default() };
        render_text::linked(&mut block, value, Role::Text, self.links);
        self.out.push(block);
    }

    fn span(&self, start: &When, end: Option<&When>) -> String {
        match (start, end) {
            (When::Day(first), Some(When::Day(end))) => {
                // The day on which it is over is not part of it.
                let last = end.yesterday().ok().filter(|l| l > first);
                last.map_or_else(|| day(*first), |l| format!("{} to {}", day(*first), day(l)))
            }
            (When::Day(first), _) => day(*first),
            (When::At(at, theirs), end) => {
                let from = at.to_zoned(self.zone.clone());
                let to = match end {
                    Some(When::At(end, _)) if end > at => Some(end.to_zoned(self.zone.clone())),
                    _ => None,
                };
                let mut out = between(&from, to.as_ref());
                let there = at.to_zoned(theirs.clone());
                if *theirs != TimeZone::UTC && there.offset() != from.offset() {
                    let place = theirs.iana_name().unwrap_or_default().rsplit('/').next().unwrap_or_default().replace('_', " ");
                    out.push_str(&format!(" ({} in {place})", clock(&there)));
                }
                out
            }
            (When::Wall(from, name), end) => {
                let mut out = format!("{}, {}", day(from.date()), from.strftime("%H:%M"));
                match end {
                    Some(When::Wall(to, _)) if to.date() == from.date() => out.push_str(&format!("–{}", to.strftime("%H:%M"))),
                    Some(When::Wall(to, _)) => out.push_str(&format!(" to {}, {}", day(to.date()), to.strftime("%H:%M"))),
                    _ => {}
                }
                if !name.is_empty() {
                    out.push_str(&format!(" ({})", line(name, "")));
                }
                out
            }
        }
    }
}

fn between(from: &Zoned, to: Option<&Zoned>) -> String {
    let start = format!("{}, {}", day(from.date()), clock(from));
    match to {
        Some(to) if to.date() == from.date() => format!("{start}–{}", clock(to)),
        Some(to) => format!("{start} to {}, {}", day(to.date()), clock(to)),
        None => start,
    }
}

fn clock(at: &Zoned) -> String {
    at.strftime("%H:%M").to_string()
}

fn day(date: Date) -> String {
    date.strftime("%a %-d %b %Y").to_string()
}

fn line(text: &str, instead: &str) -> String {
    let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if joined.is_empty() { instead.to_owned() } else { joined }
}

fn short(person: &Person) -> String {
    line(&person.name, &person.address)
}

fn full(person: &Person) -> String {
    if person.name.trim().is_empty() || person.name == person.address {
        return line(&person.address, "");
    }
    format!("{} <{}>", line(&person.name, ""), line(&person.address, ""))
}

fn with_answer(person: &Person) -> String {
    let said = match person.answer.as_str() {
        "ACCEPTED" => " (yes)",
        "DECLINED" => " (no)",
        "TENTATIVE" => " (maybe)",
        "DELEGATED" => " (sends somebody else)",
        _ => "",
    };
    format!("{}{said}", short(person))
}

/// A rule of repetition in words; nothing without one.
fn repeats(rule: &str, zone: &TimeZone) -> Option<String> {
    let part = |name: &str| {
        let found = rule.split(';').filter_map(|p| p.split_once('=')).find(|(n, _)| n.trim().eq_ignore_ascii_case(name));
        found.map(|(_, v)| v.trim().to_ascii_uppercase())
    };
    let frequency = part("FREQ")?;
    let unit = match frequency.as_str() {
        "DAILY" => "day",
        "WEEKLY" => "week",
        "MONTHLY" => "month",
        "YEARLY" => "year",
        _ => return Some("repeats".to_owned()),
    };
    let interval = part("INTERVAL").and_then(|i| i.parse::<u32>().ok()).unwrap_or(1);
    let mut out = if interval > 1 { format!("every {interval} {unit}s") } else { format!("every {unit}") };
    let days: Vec<&str> = part("BYDAY").unwrap_or_default().split(',').filter_map(weekday).collect();
    if !days.is_empty() && frequency == "WEEKLY" {
        out.push_str(&format!(" on {}", days.join(", ")));
    }
    if let Some(count) = part("COUNT").and_then(|c| c.parse::<u32>().ok()) {
        out.push_str(&format!(", {count} times"));
    } else if let Some(until) = part("UNTIL").as_deref().and_then(calendar::instant) {
        let last = match until {
            When::Day(date) => date,
            When::At(at, _) => at.to_zoned(zone.clone()).date(),
            When::Wall(time, _) => time.date(),
        };
        out.push_str(&format!(", until {}", day(last)));
    }
    Some(out)
}

fn weekday(code: &str) -> Option<&'static str> {
    Some(match code.trim() {
        "MO" => "Mon",
        "TU" => "Tue",
        "WE" => "Wed",
        "TH" => "Thu",
        "FR" => "Fri",
        "SA" => "Sat",
        "SU" => "Sun",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::layout;

    fn card(method: &str, lines: &str, zone: &str) -> String {
        let text = format!("BEGIN:VCALENDAR\nMETHOD:{method}\nBEGIN:VEVENT\n{lines}\nEND:VEVENT\nEND:VCALENDAR\n");
        let zone = TimeZone::get(zone).unwrap();
        let blocks = blocks(&text, &zone, &mut Links::default()).unwrap();
        layout::lines(&blocks, 60).0.iter().map(|l| l.text().trim_end().to_owned() + "\n").collect()
    }

    #[test]
    fn an_invitation_is_a_card() {
        let got = card(
            "REQUEST",
            "SUMMARY:Budget\nDTSTART;TZID=America/New_York:20261123T090000\nDTEND;TZID=America/New_York:20261123T103000\n\
             RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH;UNTIL=20270301T000000Z\nLOCATION:Room 5\nORGANIZER;CN=Ann:mailto:ann@example.org\n\
             ATTENDEE;CN=Bob;PARTSTAT=ACCEPTED:mailto:bob@example.org\nATTENDEE:mailto:c@example.org\nDESCRIPTION:Bring figures.\\nAnn",
            "Europe/Berlin",
        );
        let want = "Invitation: Budget\n\
                    When   Mon 23 Nov 2026, 15:00–16:30 (09:00 in New York)\n       every 2 weeks on Mon, Thu, until Mon 1 Mar 2027\n\
                    Where  Room 5\nFrom   Ann <ann@example.org>\nWith   Bob (yes), c@example.org\n\nBring figures.\nAnn\n";
        assert_eq!(got, want);
    }

    #[test]
    fn answers_days_and_cancellations() {
        let reply = card(
            "REPLY",
            "SUMMARY:Budget\nATTENDEE;CN=Bob;PARTSTAT=DECLINED:mailto:b@x\nDTSTART:20261123T230000Z",
            "Europe/Berlin",
        );
        assert!(reply.starts_with("Bob declines: Budget\nWhen   Tue 24 Nov 2026, 00:00\n"), "{reply}");
        let days = card("CANCEL", "SUMMARY:Trip\nDTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261227", "UTC");
        assert!(days.starts_with("Cancelled: Trip\nWhen   Thu 24 Dec 2026 to Sat 26 Dec 2026\n"), "{days}");
        let one = card("", "DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261225\nRRULE:FREQ=SECONDLY;COUNT=999999999", "UTC");
        assert!(one.starts_with("Event: (no title)\nWhen   Thu 24 Dec 2026\n       repeats\n"), "{one}");
        let wall = card("REQUEST", "DTSTART;TZID=Some Zone:20261224T090000\nDTEND;TZID=Some Zone:20261224T100000", "UTC");
        assert!(wall.contains("When   Thu 24 Dec 2026, 09:00–10:00 (Some Zone)\n"), "{wall}");
        let hostile = card("REQUEST", "SUMMARY:\x1b]0;PWN\x07\nLOCATION:a\u{202e}b", "UTC");
        assert!(!hostile.contains('\x1b') && !hostile.contains('\u{202e}'));
    }
}
