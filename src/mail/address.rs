//! address — a person as a header names them (RFC 5322, 3.4).
//! Owns: `Address` and how addresses are compared and written back.
//! May import: base.
//! Start reading at: `Address`. Both fields are untrusted: they reach a screen through `SafeText` only.

use std::borrow::Cow;
use std::fmt;

/// A display name and an addr-spec, decoded. Either may be empty.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Address {
    /// The display name, decoded from RFC 2047; "" if there is none.
    pub name: String,
    /// `local@domain` as written; "" in a malformed header.
    #[serde(rename = "address")]
    pub addr: String,
}

impl Address {
    /// Of both parts.
    #[must_use]
    pub fn new(name: &str, addr: &str) -> Self {
        Self { name: name.to_owned(), addr: addr.to_owned() }
    }

    /// Whether both are the same mailbox: domains without case, local parts without ASCII case
    /// (the case of local parts is theirs to keep, RFC 5321, 2.4, but no host in use tells them apart).
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        !self.addr.is_empty() && self.addr.eq_ignore_ascii_case(&other.addr)
    }

    /// The part after the last `@`, or "".
    #[must_use]
    pub fn domain(&self) -> &str {
        self.addr.rsplit_once('@').map_or("", |(_, d)| d)
    }

    /// The addr-spec as a reader should see it: a domain that mixes scripts within a word, as look-alikes do, in its ASCII form
    /// (security M-14).
    #[must_use]
    pub fn shown(&self) -> Cow<'_, str> {
        let domain = self.domain();
        if domain.is_ascii() || !domain.split('.').any(mixes_scripts) {
            return Cow::Borrowed(&self.addr);
        }
        match (idna::domain_to_ascii(domain), self.addr.rsplit_once('@')) {
            (Ok(ascii), Some((local, _))) => Cow::Owned(format!("{local}@{ascii}")),
            _ => Cow::Borrowed(&self.addr),
        }
    }

    /// The name, or the addr-spec where there is none.
    #[must_use]
    pub fn short(&self) -> &str {
        if self.name.trim().is_empty() { &self.addr } else { &self.name }
    }
}

/// Whether the letters of a word come from scripts that nobody writes together.
fn mixes_scripts(word: &str) -> bool {
    let script = |c: char| match u32::from(c) {
        0x41..=0x24f | 0x1e00..=0x1eff => 1,
        0x370..=0x3ff | 0x1f00..=0x1fff => 2,
        0x400..=0x52f | 0x1c80..=0x1c8f | 0x2de0..=0x2dff | 0xa640..=0xa69f => 3,
        // Chinese, Japanese and Korean are written together, and with Latin letters.
        0x1100..=0x11ff | 0x2e80..=0x9fff | 0xac00..=0xd7af | 0xf900..=0xfaff | 0xff00..=0xffef | 0x20000..=0x3ffff => 0,
        other => other >> 7,
    };
    let mut seen = word.chars().filter(|c| c.is_alphabetic()).map(script).filter(|s| *s > 0);
    let Some(first) = seen.next() else { return false };
    seen.any(|s| s != first)
}

impl fmt::Display for Address {
    /// `Name <addr>`, the name quoted where RFC 5322 wants it: for editing, not for the wire.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.is_empty() {
            return f.write_str(&self.addr);
        }
        let plain = self.name.chars().all(|c| c.is_alphanumeric() || !c.is_ascii() || " !#$%&'*+-/=?^_`{|}~".contains(c));
        if plain {
            write!(f, "{} <{}>", self.name, self.addr)
        } else {
            write!(f, "\"{}\" <{}>", self.name.replace('\\', "\\\\").replace('"', "\\\""), self.addr)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m14_domains_that_mix_scripts_are_shown_in_ascii() {
        let shown = |addr: &str| Address::new("", addr).shown().into_owned();
        assert_eq!(shown("a@p\u{430}ypal.com"), "a@xn--pypal-4ve.com");
        for honest in
            ["a@example.org", "a@bücher.example", "a@пример.рф", "a@例え-abc.jp", "a@xn--pple-43d.com", "no address", ""]
        {
            assert_eq!(shown(honest), honest);
        }
    }
}
