//! words — numbers, sizes and dates as a person reads them.
//! Owns: `count`, `size`, `Calendar`. May import: nothing of ours.
//! Start reading at: `Calendar::short`. Dates on screen are absolute: time that passes draws nothing (decisions 18).

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// A number with its thousands apart.
#[must_use]
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// "1 message", "5 messages".
#[must_use]
pub fn plural(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

/// Octets as a person says them.
#[must_use]
pub fn size(octets: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if octets < 1000 {
        return format!("{octets} B");
    }
    let (mut whole, mut unit) = (octets, 0);
    while whole >= 999_950 && unit + 1 < UNITS.len() {
        whole /= 1000;
        unit += 1;
    }
    let name = UNITS.get(unit).copied().unwrap_or_default();
    if whole < 9_950 {
        let tenths = (whole + 50) / 100;
        return format!("{}.{} {name}", tenths / 10, tenths % 10);
    }
    format!("{} {name}", (whole + 500) / 1000)
}

/// What a file is, in a word or two.
#[must_use]
pub fn kind(mime: &str) -> &str {
    match mime {
        "application/pdf" => "PDF",
        "application/zip" | "application/gzip" | "application/x-tar" | "application/x-7z-compressed" => "archive",
        "text/calendar" | "application/ics" => "calendar",
        "text/x-patch" | "text/x-diff" => "patch",
        "text/vcard" | "text/x-vcard" => "contact",
        "text/html" => "Web page",
        "text/csv" => "table",
        "message/rfc822" | "message/global" => "message",
        "application/pgp-signature" | "application/pkcs7-signature" | "application/x-pkcs7-signature" => "signature",
        "application/pgp-keys" => "key",
        _ if mime.contains("spreadsheet") || mime.contains("excel") => "sheet",
        _ if mime.contains("presentation") || mime.contains("powerpoint") => "slides",
        _ if mime.contains("wordprocessing") || mime.contains("msword") || mime.contains("opendocument.text") => "document",
        _ => match mime.split_once('/') {
            Some((word @ ("image" | "audio" | "video" | "text"), _)) => word,
            _ => "file",
        },
    }
}

/// Where the person's days begin, and which day it is.
#[derive(Clone, Debug)]
pub struct Calendar {
    zone: TimeZone,
    now: Zoned,
}

impl Calendar {
    /// At `now`, seconds since 1970, in a zone.
    #[must_use]
    pub fn new(zone: TimeZone, now: i64) -> Self {
        let now = zoned(now, &zone);
        Self { zone, now }
    }

    /// Time goes on.
    pub fn set(&mut self, now: i64) {
        self.now = zoned(now, &self.zone);
    }

    /// At most ten columns for a list: `14:02`, `Mon 12`, `12 Mar`, `2024-03-12`.
    #[must_use]
    pub fn short(&self, seconds: i64) -> String {
        let then = zoned(seconds, &self.zone);
        let days = self.now.date().since(then.date()).map_or(i64::MAX, |span| i64::from(span.get_days()));
        let format = match days {
            0 => "%H:%M",
            1..=6 => "%a %d",
            _ if then.date() < self.now.date() && then.date().year() == self.now.date().year() => "%d %b",
            _ => "%Y-%m-%d",
        };
        then.strftime(format).to_string()
    }

    /// `Fri 20 Nov 14:02`, with the year where it is another one.
    #[must_use]
    pub fn long(&self, seconds: i64) -> String {
        let then = zoned(seconds, &self.zone);
        let same = then.date().year() == self.now.date().year();
        then.strftime(if same { "%a %d %b %H:%M" } else { "%a %d %b %Y %H:%M" }).to_string()
    }

    /// `14:02`.
    #[must_use]
    pub fn clock(&self, seconds: i64) -> String {
        zoned(seconds, &self.zone).strftime("%H:%M").to_string()
    }

    /// Seconds since 1970, now.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.now.timestamp().as_second()
    }
}

fn zoned(seconds: i64, zone: &TimeZone) -> Zoned {
    Timestamp::from_second(seconds).unwrap_or_default().to_zoned(zone.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(48_213), "48,213");
        assert_eq!(count(1_000_000), "1,000,000");
        assert_eq!(plural(1, "message", "messages"), "1 message");
        for (n, text) in
            [(0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (84_000, "84 kB"), (999_949, "1000 kB"), (1_250_000, "1.3 MB")]
        {
            assert_eq!(size(n), text, "{n}");
        }
        assert!(size(u64::MAX).ends_with("TB"));
    }

    #[test]
    fn dates_say_as_much_as_is_needed() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap().as_second();
        let c = Calendar::new(TimeZone::UTC, at("2026-11-20T15:00:00Z"));
        assert_eq!(c.short(at("2026-11-20T14:02:00Z")), "14:02");
        assert_eq!(c.short(at("2026-11-19T23:59:00Z")), "Thu 19");
        assert_eq!(c.short(at("2026-11-14T00:00:00Z")), "Sat 14");
        assert_eq!(c.short(at("2026-11-13T23:59:00Z")), "13 Nov");
        assert_eq!(c.short(at("2025-12-31T12:00:00Z")), "2025-12-31");
        assert_eq!(c.short(at("2026-11-21T12:00:00Z")), "2026-11-21", "a date to come is said whole");
        assert_eq!(c.long(at("2026-11-20T14:02:00Z")), "Fri 20 Nov 14:02");
        assert_eq!(c.long(at("2024-03-12T08:00:00Z")), "Tue 12 Mar 2024 08:00");
        let tokyo = Calendar::new(TimeZone::fixed(jiff::tz::offset(9)), at("2026-11-20T15:30:00Z"));
        assert_eq!(tokyo.short(at("2026-11-20T14:02:00Z")), "Fri 20", "days are the person's own");
        assert!(!c.short(i64::MAX).is_empty() && !c.short(i64::MIN).is_empty());
    }
}
