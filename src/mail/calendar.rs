//! calendar — the events of a text/calendar part (RFC 5545, 5546): what, when, where, who.
//! Owns: `read`, `Invite`, `Event`, `When`, `Person`.
//! May import: base.
//! Start reading at: `read`. Nothing is expanded, fetched or answered: a rule of repetition is said in words, never run (security
//! M-26).

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// The most of a calendar that is read, in bytes.
pub const MAX_CALENDAR: usize = 1024 * 1024;
/// The most events of one part, and the most people of one event.
pub const MAX_EVENTS: usize = 100;
/// The most people of one event that are kept.
pub const MAX_PEOPLE: usize = 500;

/// What a calendar part says. All text is untrusted.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Invite {
    /// `METHOD` in capitals: REQUEST, CANCEL, REPLY; "" where there is none.
    pub method: String,
    /// The events, in the order of the part.
    pub events: Vec<Event>,
    /// How many more events there are.
    pub more: usize,
}

/// One event.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Event {
    /// `SUMMARY`.
    pub summary: String,
    /// `LOCATION`.
    pub location: String,
    /// `DESCRIPTION`, lines divided by `\n`.
    pub description: String,
    /// `COMMENT`: what somebody says to an answer.
    pub comment: String,
    /// `URL`.
    pub url: String,
    /// `STATUS` in capitals.
    pub status: String,
    /// `RRULE` as it stands.
    pub rule: String,
    /// When it begins.
    pub start: Option<When>,
    /// When it ends; for days, the first day that is no longer part of it.
    pub end: Option<When>,
    /// Who invites.
    pub organizer: Option<Person>,
    /// Who is invited.
    pub attendees: Vec<Person>,
    /// How many more people there are.
    pub more: usize,
}

/// Somebody of an event.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Person {
    /// `CN`.
    pub name: String,
    /// The address, without `mailto:`.
    pub address: String,
    /// `PARTSTAT` in capitals.
    pub answer: String,
}

/// A day or an instant.
#[derive(Clone, PartialEq, Debug)]
pub enum When {
    /// A whole day.
    Day(Date),
    /// An instant, with the zone that it was given in.
    At(Timestamp, TimeZone),
    /// By the clock on a wall: of a zone that we do not know, or of none ("").
    Wall(DateTime, String),
}

/// Reads a calendar; nothing if it holds no event.
#[must_use]
pub fn read(text: &str) -> Option<Invite> {
    let mut cut = text.len().min(MAX_CALENDAR);
    while !text.is_char_boundary(cut) {
        cut -= 1;
    }
    let mut invite = Invite::default();
    let mut event: Option<Event> = None;
    let mut duration = None;
    // Alarms and the like stand inside of events and have properties of the same names.
    let mut inner = 0usize;
    for line in unfold(text.get(..cut).unwrap_or_default()) {
        let Some(property) = Property::parse(&line) else { continue };
        match (property.name.as_str(), &mut event) {
            ("BEGIN", None) if property.value.eq_ignore_ascii_case("VEVENT") => {
                (event, duration, inner) = (Some(Event::default()), None, 0);
            }
            ("BEGIN", Some(_)) => inner += 1,
            ("END", Some(_)) if inner > 0 => inner -= 1,
            ("END", Some(_)) => {
                if let Some(mut done) = event.take() {
                    done.end = done.end.take().or_else(|| add(done.start.as_ref()?, duration.take()?));
                    if invite.events.len() < MAX_EVENTS { invite.events.push(done) } else { invite.more += 1 }
                }
            }
            ("METHOD", None) => invite.method = property.value.to_ascii_uppercase(),
            ("DURATION", Some(_)) if inner == 0 => duration = property.value.parse::<Span>().ok(),
            (_, Some(event)) if inner == 0 => event.take(&property),
            _ => {}
        }
    }
    (!invite.events.is_empty()).then_some(invite)
}

impl Event {
    fn take(&mut self, property: &Property) {
        let text = || unescape(&property.value);
        match property.name.as_str() {
            "SUMMARY" => self.summary = text(),
            "LOCATION" => self.location = text(),
            "DESCRIPTION" => self.description = text(),
            "COMMENT" => self.comment = text(),
            "URL" => self.url = property.value.clone(),
            "STATUS" => self.status = property.value.to_ascii_uppercase(),
            "RRULE" => self.rule = property.value.clone(),
            "DTSTART" => self.start = when(property),
            "DTEND" => self.end = when(property),
            "ORGANIZER" => self.organizer = Some(Person::of(property)),
            "ATTENDEE" if self.attendees.len() < MAX_PEOPLE => self.attendees.push(Person::of(property)),
            "ATTENDEE" => self.more += 1,
            _ => {}
        }
    }
}

impl Person {
    fn of(property: &Property) -> Self {
        let value = property.value.trim();
        let address = match value.get(..7) {
            Some(scheme) if scheme.eq_ignore_ascii_case("mailto:") => value.get(7..).unwrap_or_default(),
            _ => value,
        };
        Self {
            name: property.param("CN").to_owned(),
            address: address.to_owned(),
            answer: property.param("PARTSTAT").to_ascii_uppercase(),
        }
    }
}

/// `NAME;PARAM=value;PARAM="value":value` (RFC 5545, 3.1).
struct Property {
    name: String,
    params: Vec<(String, String)>,
    value: String,
}

impl Property {
    fn parse(line: &str) -> Option<Self> {
        let end = line.find([';', ':'])?;
        let name = line.get(..end)?.trim().to_ascii_uppercase();
        let mut params = Vec::new();
        let mut rest = line.get(end..)?;
        while let Some(param) = rest.strip_prefix(';') {
            let equals = param.find(['=', ':'])?;
            let mut quoted = false;
            let stop = param.char_indices().find(|(_, c)| {
                quoted ^= *c == '"';
                !quoted && matches!(c, ';' | ':')
            });
            let stop = stop.map(|(i, _)| i)?;
            let value = param.get(equals + 1..stop).unwrap_or_default().trim_matches('"');
            params.push((param.get(..equals)?.to_ascii_uppercase(), value.to_owned()));
            rest = param.get(stop..)?;
        }
        Some(Self { name, params, value: rest.strip_prefix(':')?.to_owned() })
    }

    fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.as_str())
    }
}

/// Lines, with those that go on joined.
fn unfold(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for line in text.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        match (line.strip_prefix([' ', '\t']), out.last_mut()) {
            (Some(more), Some(last)) => last.push_str(more),
            _ => out.push(line.to_owned()),
        }
    }
    out
}

/// RFC 5545, 3.3.11.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n' | 'N') => out.push('\n'),
                Some(other) => out.push(other),
                None => {}
            },
            _ => out.push(c),
        }
    }
    out
}

fn when(property: &Property) -> Option<When> {
    moment(&property.value, property.param("TZID"))
}

/// `20261123`, `20261123T140000`, `20261123T140000Z`, without a zone of its own.
#[must_use]
pub fn instant(value: &str) -> Option<When> {
    moment(value, "")
}

fn moment(value: &str, name: &str) -> Option<When> {
    let value = value.trim();
    let digits = |range: std::ops::Range<usize>| value.get(range).filter(|d| d.bytes().all(|b| b.is_ascii_digit()));
    let number = |range| digits(range).and_then(|d| d.parse::<i16>().ok());
    let small = |range| number(range).and_then(|n| i8::try_from(n).ok());
    let date = Date::new(number(0..4)?, small(4..6)?, small(6..8)?).ok()?;
    if value.len() == 8 {
        return Some(When::Day(date));
    }
    if value.get(8..9)? != "T" {
        return None;
    }
    let time = date.at(small(9..11)?.min(23), small(11..13)?.min(59), small(13..15)?.min(59), 0);
    if value.get(15..) == Some("Z") {
        return Some(When::At(time.to_zoned(TimeZone::UTC).ok()?.timestamp(), TimeZone::UTC));
    }
    Some(match zone(name).and_then(|z| time.to_zoned(z).ok()) {
        Some(zoned) => When::At(zoned.timestamp(), zoned.time_zone().clone()),
        None => When::Wall(time, name.to_owned()),
    })
}

/// The zone of a TZID, if it names one of the tz database; some writers put a path before it.
fn zone(name: &str) -> Option<TimeZone> {
    let plain =
        |n: &str| n.len() < 64 && n.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_+-".contains(&b)) && !n.starts_with('/');
    if name.eq_ignore_ascii_case("UTC") || name.eq_ignore_ascii_case("GMT") {
        return Some(TimeZone::UTC);
    }
    let tail = name.rmatch_indices('/').nth(1).and_then(|(i, _)| name.get(i + 1..));
    [Some(name), tail].into_iter().flatten().filter(|n| plain(n) && n.contains('/')).find_map(|n| TimeZone::get(n).ok())
}

fn add(start: &When, span: Span) -> Option<When> {
    Some(match start {
        When::Day(day) => When::Day(day.checked_add(span).ok()?),
        When::Wall(time, zone) => When::Wall(time.checked_add(span).ok()?, zone.clone()),
        When::At(at, zone) => When::At(at.to_zoned(zone.clone()).checked_add(span).ok()?.timestamp(), zone.clone()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn event(lines: &str) -> Event {
        let text = format!("BEGIN:VCALENDAR\r\nMETHOD:request\r\nBEGIN:VEVENT\r\n{lines}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n");
        read(&text).unwrap().events.remove(0)
    }

    #[test]
    fn what_when_where_who() {
        let e = event(
            "SUMMARY:Budget\\, part 2\r\nLOCATION:Room 5\r\n ;\\; upstairs\r\nDTSTART;TZID=Europe/Berlin:20261123T140000\r\nDURATION:PT1H30M\r\n\
             ORGANIZER;CN=\"Berger; Ann\":MAILTO:ann@example.org\r\nATTENDEE;PARTSTAT=accepted;CN=Bob:mailto:bob@example.org\r\n\
             DESCRIPTION:one\\ntwo\r\nBEGIN:VALARM\r\nDESCRIPTION:alarm\r\nEND:VALARM",
        );
        assert_eq!(
            (e.summary.as_str(), e.location.as_str(), e.description.as_str()),
            ("Budget, part 2", "Room 5;; upstairs", "one\ntwo")
        );
        let Some(When::At(start, zone)) = &e.start else { panic!("{:?}", e.start) };
        assert_eq!((start.to_string().as_str(), zone.iana_name()), ("2026-11-23T13:00:00Z", Some("Europe/Berlin")));
        assert!(matches!(&e.end, Some(When::At(end, _)) if end.as_second() - start.as_second() == 5_400));
        assert_eq!(e.organizer.unwrap().name, "Berger; Ann");
        assert_eq!((e.attendees[0].address.as_str(), e.attendees[0].answer.as_str()), ("bob@example.org", "ACCEPTED"));
    }

    #[test]
    fn days_walls_and_nonsense() {
        assert_eq!(event("DTSTART;VALUE=DATE:20261123").start, Some(When::Day(date(2026, 11, 23))));
        let wall = event("DTSTART;TZID=W. Europe Standard Time:20261123T140000").start;
        assert_eq!(wall, Some(When::Wall(date(2026, 11, 23).at(14, 0, 0, 0), "W. Europe Standard Time".to_owned())));
        let mozilla = event("DTSTART;TZID=/mozilla.org/2005/Europe/Berlin:20261123T140000").start;
        assert!(matches!(mozilla, Some(When::At(..))), "{mozilla:?}");
        for wrong in
            ["", "2026", "20261399", "20261123X", "99999999T999999Z", "20261123T1", "../../etc/passwd", "２０２６１１２３"]
        {
            let got = event(&format!("DTSTART;TZID=../../etc/passwd:{wrong}")).start;
            assert!(got.is_none(), "{wrong}: {got:?}");
        }
        assert_eq!(read("BEGIN:VCALENDAR\nEND:VCALENDAR"), None);
        assert_eq!(read(""), None);
        let many = "BEGIN:VEVENT\nSUMMARY:x\nEND:VEVENT\n".repeat(150);
        let invite = read(&many).unwrap();
        assert_eq!((invite.events.len(), invite.more), (MAX_EVENTS, 50));
    }
}
