//! envelope — ENVELOPE, fields of a header, and dates as our own types (RFC 9051, 7.5.2).
//! Owns: `envelope`, `fields`, `internal_date`, `date_time`.
//! May import: mail, base.
//! Start reading at: `envelope`. Text is decoded here (RFC 2047) and stays untrusted.

use super::value::Value;
use crate::mail::encoded_word::decoded;
use crate::mail::envelope::{Envelope, MessageId};
use crate::mail::packed::{Packed, Packer};
use crate::mail::parse;

/// The most addresses kept of one field.
const MAX_ADDRESSES: usize = 1000;
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The envelope in an ENVELOPE list, with what the header says besides: fields that are missing or odd are empty.
#[must_use]
pub fn envelope(list: &Value<'_>, references: &[MessageId]) -> Packed {
    let items = list.items();
    let text = |n: usize| items.get(n).and_then(Value::bytes).unwrap_or_default();
    let people = |n: usize| move |to: &mut Packer| items.get(n).map_or(0, |list| addresses(list, to));
    let date = common_date(text(0)).or_else(|| parse::date(&String::from_utf8_lossy(text(0))));
    let mut to = Packer::new(date, &decoded(text(1)));
    let from = to.list(people(2));
    // Servers fill Sender and Reply-To in from From (RFC 9051): then they say nothing.
    for other in [3, 4] {
        if items.get(other) == items.get(2) {
            to.list(|_| 0);
        } else {
            to.list_unless(from.clone(), people(other));
        }
    }
    for n in [5, 6, 7] {
        to.list(people(n));
    }
    to.list(|to| ids(&String::from_utf8_lossy(text(9))).take(1).map(|id| to.id(id)).count());
    let answered = String::from_utf8_lossy(text(8));
    let answered = ids(&answered);
    let extra = answered.clone().count().saturating_sub(Envelope::MAX_REFERENCES);
    to.list(|to| answered.skip(extra).map(|id| to.id(id)).count());
    to.list(|to| references.iter().map(|id| to.id(id.as_str())).count());
    to.done()
}

/// `Thu, 1 Jan 1970 00:01:00 +0000`, as nearly all mail writes it, with a comment behind it or not; nothing for any other form.
fn common_date(text: &[u8]) -> Option<i64> {
    let mut words = text.split(|b| *b == b' ').filter(|w| !w.is_empty());
    let mut day = words.next()?;
    if let Some(name) = day.strip_suffix(b",") {
        if !["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].iter().any(|d| name.eq_ignore_ascii_case(d.as_bytes())) {
            return None;
        }
        day = words.next()?;
    }
    let (month, year, time, zone) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let plain = words.next().is_none_or(|w| w.starts_with(b"("));
    // What is odd is left to whoever knows more forms.
    if year.len() != 4 || !plain || time.ends_with(b":60") || zone.get(1..3)? > &b"14"[..] || zone.get(3..)? > &b"59"[..] {
        return None;
    }
    civil(digits(day)?, month, digits(year)?, time, zone)
}

/// Seconds since 1970 of a date whose month has a name, `02:44:25` and `-0700`; nothing if there was none such.
fn civil(day: i64, month: &[u8], year: i64, time: &[u8], zone: &[u8]) -> Option<i64> {
    let month = MONTHS.iter().position(|m| m.as_bytes().eq_ignore_ascii_case(month))? + 1;
    let mut time = time.split(|b| *b == b':');
    let mut two = || time.next().and_then(digits);
    let (hour, minute, second) = (two()?, two()?, two()?);
    let small = |n: i64| i8::try_from(n).ok();
    let date = jiff::civil::Date::new(i16::try_from(year).ok()?, small(month.try_into().ok()?)?, small(day)?).ok()?;
    if time.next().is_some() || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (sign, digits_of_zone) = zone.split_first().filter(|(s, d)| matches!(s, b'+' | b'-') && d.len() == 4)?;
    let (hours, minutes) = (digits(digits_of_zone.get(..2)?)?, digits(digits_of_zone.get(2..)?)?);
    let days = date.duration_since(jiff::civil::Date::constant(1970, 1, 1)).as_secs() / 86_400;
    let utc = days * 86_400 + hour * 3_600 + minute * 60 + second.min(59);
    let offset = hours * 3_600 + minutes * 60;
    Some(if *sign == b'-' { utc + offset } else { utc - offset })
}

/// A number of one to four digits.
fn digits(text: &[u8]) -> Option<i64> {
    let fits = (1..=4).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
    fits.then(|| text.iter().fold(0, |n, d| n * 10 + i64::from(d - b'0')))
}

/// Writes the addresses of a list; how many.
fn addresses(list: &Value<'_>, to: &mut Packer) -> usize {
    list.items().iter().filter(|item| address(item, to)).take(MAX_ADDRESSES).count()
}

/// `(name adl mailbox host)`; whether it was written. Where the host is NIL a group begins or ends: its members follow as they are.
fn address(item: &Value<'_>, to: &mut Packer) -> bool {
    let [name, _, mailbox, host, ..] = item.items() else { return false };
    if host.is_nil() {
        return false;
    }
    let (mailbox, host) = (mailbox.text().unwrap_or_default(), host.text().unwrap_or_default());
    // Servers put a placeholder where the header held no host.
    let nowhere = host.is_empty() || host == "MISSING_DOMAIN" || host == ".SYNTAX-ERROR.";
    let pieces: [&str; 3] = if nowhere { [&mailbox, "", ""] } else { [&mailbox, "@", &host] };
    let name = decoded(name.bytes().unwrap_or_default());
    let any = !name.is_empty() || !nowhere || !mailbox.is_empty();
    if any {
        to.address(&name, &pieces);
    }
    any
}

/// The same of the fields of a header, as many as there are: what a whole message says is read by the same code.
#[must_use]
pub fn fields(header: &[u8]) -> Envelope {
    let mut read = parse::envelope(header);
    if read.reply_to == read.from {
        // As in an ENVELOPE.
        read.reply_to.clear();
    }
    read
}

/// The ids in a field: in brackets, or, without any, as some write them.
fn ids(text: &str) -> impl Iterator<Item = &str> + Clone {
    let bracketed = text.split('<').skip(1).filter_map(|t| MessageId::within(t.split('>').next()?));
    let bare = if bracketed.clone().next().is_some() { "" } else { text };
    bracketed.chain(bare.split_whitespace().filter(|w| w.contains('@')).filter_map(MessageId::within))
}

/// `17-Jul-1996 02:44:25 -0700` in seconds since 1970.
#[must_use]
pub fn internal_date(text: &str) -> Option<i64> {
    let mut words = text.split_ascii_whitespace();
    let (date, time, zone) = (words.next()?, words.next()?, words.next()?);
    let mut date = date.split('-');
    let (day, month, year) = (date.next()?, date.next()?, date.next()?);
    civil(digits(day.as_bytes())?, month.as_bytes(), digits(year.as_bytes())?, time.as_bytes(), zone.as_bytes())
}

/// Seconds since 1970 as IMAP writes them, in UTC.
#[must_use]
pub fn date_time(seconds: i64) -> String {
    let civil = jiff::Timestamp::from_second(seconds).unwrap_or_default().to_zoned(jiff::tz::TimeZone::UTC).datetime();
    let month = usize::try_from(civil.month() - 1).ok().and_then(|n| MONTHS.get(n)).unwrap_or(&"Jan");
    let (day, year, hour, minute, second) = (civil.day(), civil.year(), civil.hour(), civil.minute(), civil.second());
    format!("{day:02}-{month}-{year:04} {hour:02}:{minute:02}:{second:02} +0000")
}

#[cfg(test)]
mod tests {
    use super::super::value;
    use super::*;
    use crate::mail::address::Address;
    use proptest::prelude::*;

    #[test]
    fn an_envelope_as_dovecot_writes_it() {
        let room = value::Room::new();
        let v = value::parse(
            b"(\"Thu, 1 Jan 1970 00:01:00 +0000\" \"=?utf-8?q?Gr=C3=BC=C3=9Fe?=\" ((\"A \\\"b\\\"\" NIL \"a\" \"x.test\")) \
              ((\"A \\\"b\\\"\" NIL \"a\" \"x.test\")) ((NIL NIL \"r\" \"x.test\")) ((NIL NIL \"group\" NIL)(NIL NIL \"m\" \"y\")(NIL NIL NIL NIL)) \
              NIL NIL \"<1@x> <2@x>\" \"<3@x>\")",
            &room,
        );
        let follows = MessageId::new("0@x").unwrap();
        let e = envelope(&v[0], std::slice::from_ref(&follows)).envelope();
        assert_eq!(e.references, [follows]);
        assert_eq!((e.date, e.subject.as_str()), (Some(60), "Grüße"));
        assert_eq!(e.from, [Address::new("A \"b\"", "a@x.test")]);
        assert_eq!((e.sender.len(), e.reply_to.len()), (0, 1));
        assert_eq!(e.to, [Address::new("", "m@y")]);
        assert_eq!((e.in_reply_to.len(), e.message_id.unwrap().as_str()), (2, "3@x"));
    }

    #[test]
    fn dates_both_ways() {
        assert_eq!(internal_date("17-Jul-1996 02:44:25 -0700"), Some(837_596_665));
        assert_eq!(internal_date(" 7-jul-1996 02:44:60 +0000"), Some(836_707_499));
        for bad in [
            "",
            "NIL",
            "31-Feb-2020 00:00:00 +0000",
            "1-Jan-99999 00:00:00 +0000",
            "1-Jan-2020 0:0:0 GMT",
            "1-Jan-2020 00:00:00 +ä1",
        ] {
            assert_eq!(internal_date(bad), None, "{bad}");
        }
        for n in [0, 837_596_665, 4_000_000_000] {
            assert_eq!(internal_date(&date_time(n)), Some(n));
        }
    }

    proptest! {
        #[test]
        fn a_date_of_the_common_form_is_what_the_parser_of_all_forms_reads(
            day in 0u32..33, month in 0usize..12, year in 1960u32..2105, name in "((Mon|tue|Sat), )?", zone in "[+-][01][0-9][0-6][0-9]",
            hour in 0u32..25, minute in 0u32..61, second in 0u32..62, tail in "( \\(CET\\)| x)?", pad in any::<bool>(),
        ) {
            let day = if pad { format!("{day:02}") } else { day.to_string() };
            let text = format!("{name}{day} {} {year} {hour:02}:{minute:02}:{second:02} {zone}{tail}", MONTHS[month]);
            if let Some(date) = common_date(text.as_bytes()) {
                prop_assert_eq!(Some(date), parse::date(&text), "{}", text);
            }
        }
    }

    #[test]
    fn references_keep_the_newest() {
        let many = (0..3_000).map(|n| format!("<{n}@x>\r\n ")).collect::<String>();
        let ids = fields(format!("References: {many}\r\n\r\n").as_bytes()).references;
        assert_eq!((ids.len(), ids.last().unwrap().as_str()), (Envelope::MAX_REFERENCES, "2999@x"));
        assert!(fields(b"\r\n").references.is_empty());
    }
}
