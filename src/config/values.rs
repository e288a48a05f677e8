//! values — the small languages inside the configuration's strings: lengths of time, sizes, fingerprints; numbers with bounds.
//! Owns: `Span`, `Age`, `ByteCount`, `Port`, `Count`, `fingerprint`.
//! May import: nothing of ours.
//! Start reading at: `duration`.

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};
use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

/// A length of time, or `never`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span(pub Option<Duration>);

/// How long something is kept: a length of time, `all` or `none`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Age {
    /// Not at all.
    None,
    /// While it is younger.
    For(Duration),
    /// For good.
    All,
}

/// A size in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ByteCount(pub u64);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        if text == "never" {
            return Ok(Self(None));
        }
        duration(&text).map(|d| Self(Some(d))).ok_or_else(|| {
            D::Error::custom(format!(
                "`{text}` is no length of time. Write a number and ms, s, m, h, d or w, such as `10s`, or `never`"
            ))
        })
    }
}

impl<'de> Deserialize<'de> for Age {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        match text.as_str() {
            "all" => Ok(Self::All),
            "none" => Ok(Self::None),
            other => duration(other).map(Self::For).ok_or_else(|| {
                D::Error::custom(format!("`{text}` is no length of time. Write one such as `90d`, or `all` or `none`"))
            }),
        }
    }
}

impl<'de> Deserialize<'de> for ByteCount {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        bytes(&text)
            .map(Self)
            .ok_or_else(|| D::Error::custom(format!("`{text}` is no size. Write a number and K, M, G or T, such as `4G`")))
    }
}

/// A TCP port.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Port(pub u16);

/// How many of something that is needed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Count(pub u8);

impl<'de> Deserialize<'de> for Port {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let number = from.deserialize_any(Bounds(1..=i64::from(u16::MAX)))?;
        u16::try_from(number).map(Self).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let number = from.deserialize_any(Bounds(1..=i64::from(u8::MAX)))?;
        u8::try_from(number).map(Self).map_err(D::Error::custom)
    }
}

/// Takes a whole number between two others, and says which.
struct Bounds(RangeInclusive<i64>);

impl Visitor<'_> for Bounds {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a number from {} to {}, without quotes", self.0.start(), self.0.end())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<i64, E> {
        if self.0.contains(&number) { Ok(number) } else { Err(E::invalid_value(Unexpected::Signed(number), &self)) }
    }
}

/// `10s`, `500ms`, `2m`, `1h`, `90d`, `2w`.
#[must_use]
pub fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = split(text)?;
    let seconds = match unit {
        "ms" => return Some(Duration::from_millis(number)),
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        _ => return None,
    };
    // A century is long enough for anything here, and keeps sums of times in range.
    number.checked_mul(seconds).filter(|s| *s <= 100 * 366 * 86_400).map(Duration::from_secs)
}

/// `4G`, `500M`, `64K`, `1000`; powers of 1,024.
fn bytes(text: &str) -> Option<u64> {
    let (number, unit) = split(text)?;
    let power = match unit.trim_end_matches('B').trim_end_matches('i') {
        "" => 0,
        "K" | "k" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        _ => return None,
    };
    number.checked_mul(1 << power)
}

/// A number and what follows it.
fn split(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    Some((number.parse().ok()?, unit.trim()))
}

/// `sha256:` and 64 hexadecimal digits, colons between them allowed.
#[must_use]
pub fn fingerprint(text: &str) -> Option<[u8; 32]> {
    let hex: Vec<u8> = text.strip_prefix("sha256:")?.bytes().filter(|b| *b != b':').collect();
    let mut out = [0; 32];
    if hex.len() != 64 || !hex.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    for (byte, pair) in out.iter_mut().zip(hex.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes() {
        assert_eq!(duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(duration("90d"), Some(Duration::from_secs(7_776_000)));
        for wrong in ["", "d", "-1s", "1y", "1.5s", "99999999999999999999s", "9999999999999w"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
        assert_eq!(bytes("4G"), Some(4 << 30));
        assert_eq!(bytes("64KiB"), Some(65_536));
        assert_eq!(bytes("7"), Some(7));
        for wrong in ["", "G", "4X", "99999999999T"] {
            assert_eq!(bytes(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn fingerprints() {
        let plain = format!("sha256:{}", "aB".repeat(32));
        let colons = format!("sha256:{}", ["AB"; 32].join(":"));
        assert_eq!(fingerprint(&plain), Some([0xab; 32]));
        assert_eq!(fingerprint(&colons), Some([0xab; 32]));
        for wrong in ["", "sha256:", "sha1:ab", &plain[..60], &plain.replace('a', "+")] {
            assert_eq!(fingerprint(wrong), None, "{wrong}");
        }
    }
}
