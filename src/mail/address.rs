//! address — a person as a header names them (RFC 5322, 3.4).
//! Owns: `Address` and how addresses are compared and written back.
//! May import: base.
//! Start reading at: `Address`. Both fields are untrusted: they reach a screen through `SafeText` only.

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

    /// The name, or the addr-spec where there is none.
    #[must_use]
    pub fn short(&self) -> &str {
        if self.name.trim().is_empty() { &self.addr } else { &self.name }
    }
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
