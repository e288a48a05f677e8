//! address_list — addresses as people type and paste them, and the form that may go on the wire.
//! Owns: `parse`, `wire`, `BadAddress`.
//! May import: base.
//! Start reading at: `parse`, which loses nothing that was typed, then `wire`, which lets nothing doubtful out (O-03).

use super::address::Address;
use crate::base::safetext::SafeText;

/// Reads a typed list: `Ann Berger <ann@x.example>, "Ngo, Carol" <c@y.example>; bob@z.example (Bob)`. Separators are
/// commas, semicolons and line breaks outside quotes; group names (`team: a@x, b@y;`) are dropped, their members stay.
/// Total: what is no address comes back as an [`Address`] whose `addr` is the text, so that half-typed names survive
/// an autosave. [`wire`] refuses these.
#[must_use]
pub fn parse(text: &str) -> Vec<Address> {
    let mut found = Vec::new();
    let mut item = Item::default();
    let mut chars = text.chars();
    let (mut quoted, mut comment, mut angle) = (false, 0_u32, false);
    while let Some(c) = chars.next() {
        match c {
            '\\' if quoted || comment > 0 => {
                if let Some(next) = chars.next() {
                    item.put(next, comment > 0, angle, quoted);
                }
            }
            '"' if comment == 0 => {
                quoted = !quoted;
                item.quote(angle);
            }
            _ if quoted => item.put(c, false, angle, true),
            '(' => comment += 1,
            ')' if comment > 0 => comment -= 1,
            _ if comment > 0 => item.put(c, true, angle, false),
            '<' => angle = true,
            '>' => angle = false,
            ',' | ';' | '\n' | '\r' => {
                angle = false;
                item.finish(&mut found);
            }
            // A group's name; within an address, only in a literal such as `[IPv6:…]`.
            ':' if !angle && !item.plain.contains('@') => item = Item::default(),
            _ => item.put(c, false, angle, false),
        }
    }
    item.finish(&mut found);
    found
}

/// The parts of one address while it is read.
#[derive(Default)]
struct Item {
    /// Outside brackets and comments, quotes taken off.
    plain: String,
    /// The same with quotes as written, for `"a b"@example.org`.
    raw: String,
    angle: Option<String>,
    comment: String,
}

impl Item {
    fn put(&mut self, c: char, comment: bool, angle: bool, quoted: bool) {
        let c = if c.is_control() { ' ' } else { c };
        if comment {
            self.comment.push(c);
            return;
        }
        let raw = if angle { self.angle.get_or_insert_default() } else { &mut self.raw };
        if quoted && matches!(c, '"' | '\\') {
            raw.push('\\');
        }
        raw.push(c);
        if !angle {
            self.plain.push(c);
        }
    }

    fn quote(&mut self, angle: bool) {
        if angle { self.angle.get_or_insert_default().push('"') } else { self.raw.push('"') }
    }

    fn finish(&mut self, found: &mut Vec<Address>) {
        let item = std::mem::take(self);
        let words = |s: &str| s.split_whitespace().collect::<Vec<_>>().join(" ");
        let (name, addr) = match item.angle {
            Some(addr) => (words(&item.plain), addr.trim().to_owned()),
            None => (words(&item.comment), item.raw.trim().to_owned()),
        };
        if !addr.is_empty() || !name.is_empty() {
            found.push(Address { name, addr });
        }
    }
}

/// Why an address cannot be sent to.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadAddress {
    /// No `local@domain`.
    #[error("{0:?} is not an address: it needs a name, an @ and a domain")]
    Incomplete(SafeText),
    /// A local part that is neither a dot-atom nor a quoted string, or longer than 64 octets (RFC 5321, 4.5.3.1.1).
    #[error("{0:?} is not an address: what stands before the @ cannot be written in a mail")]
    Local(SafeText),
    /// A local part beyond ASCII: it needs SMTPUTF8 (RFC 6531), which Postrider does not speak.
    #[error("{0:?} has letters before the @ that most servers do not deliver to")]
    International(SafeText),
    /// No domain name or address literal, or longer than 255 octets.
    #[error("{0:?} is not an address: its domain cannot exist")]
    Domain(SafeText),
}

/// The form of `addr` for headers and the envelope: ASCII, its domain through IDNA (RFC 5891), with nothing in it that
/// could end a header or an SMTP command.
///
/// # Errors
/// [`BadAddress`]; the text in it is safe to show.
pub fn wire(addr: &str) -> Result<String, BadAddress> {
    let shown = || SafeText::line_max(addr, 80);
    let (local, domain) = addr.rsplit_once('@').ok_or_else(|| BadAddress::Incomplete(shown()))?;
    if local.is_empty() || domain.is_empty() {
        return Err(BadAddress::Incomplete(shown()));
    }
    if !local.is_ascii() && !local.chars().any(char::is_control) {
        return Err(BadAddress::International(shown()));
    }
    let fits = local.len() <= 64 && (dot_atom(local) || quoted(local));
    if !fits {
        return Err(BadAddress::Local(shown()));
    }
    let domain =
        if literal(domain) { domain.to_owned() } else { ascii_domain(domain).ok_or_else(|| BadAddress::Domain(shown()))? };
    Ok(format!("{local}@{domain}"))
}

fn dot_atom(text: &str) -> bool {
    let atext = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
    text.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(atext))
}

/// `"…"` of printable ASCII, each quote and backslash escaped (RFC 5321, 4.1.2).
fn quoted(text: &str) -> bool {
    let Some(inner) = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) else { return false };
    let mut escaped = false;
    for b in inner.bytes() {
        if !(b == b' ' || b.is_ascii_graphic()) || (b == b'"' && !escaped) {
            return false;
        }
        escaped = b == b'\\' && !escaped;
    }
    !escaped && !inner.is_empty()
}

/// `[192.0.2.1]` or `[IPv6:…]` (RFC 5321, 4.1.3).
fn literal(domain: &str) -> bool {
    domain.strip_prefix('[').and_then(|d| d.strip_suffix(']')).is_some_and(|inner| {
        let v6 = inner.strip_prefix("IPv6:").is_some_and(|ip| ip.parse::<core::net::Ipv6Addr>().is_ok());
        v6 || inner.parse::<core::net::Ipv4Addr>().is_ok()
    })
}

fn ascii_domain(domain: &str) -> Option<String> {
    let ascii = idna::domain_to_ascii_cow(domain.as_bytes(), idna::AsciiDenyList::STD3).ok()?.into_owned();
    let label = |l: &str| !l.is_empty() && l.len() <= 63;
    (ascii.len() <= 255 && ascii.split('.').all(label)).then_some(ascii)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        parse(text).into_iter().map(|a| (a.name, a.addr)).collect()
    }

    #[test]
    fn reads_what_people_type() {
        let want = |v: &[(&str, &str)]| v.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>();
        assert_eq!(
            pairs("Ann Berger <ann@x.example>, \"Ngo, Carol\" <c@y.example>; bob@z.example (Bob)\nd@e.example,"),
            want(&[
                ("Ann Berger", "ann@x.example"),
                ("Ngo, Carol", "c@y.example"),
                ("Bob", "bob@z.example"),
                ("", "d@e.example")
            ])
        );
        assert_eq!(pairs("team: a@x.example, b@y.example;"), want(&[("", "a@x.example"), ("", "b@y.example")]));
        assert_eq!(pairs("mailto:a@x.example"), want(&[("", "a@x.example")]));
        assert_eq!(pairs("fin"), want(&[("", "fin")]));
        assert_eq!(pairs("\"a b\"@c.example"), want(&[("", "\"a b\"@c.example")]));
        assert_eq!(pairs("\"A \\\"B\\\"\" <a@b.example>"), want(&[("A \"B\"", "a@b.example")]));
        assert_eq!(pairs(" , ;\n"), vec![]);
    }

    #[test]
    fn only_whole_addresses_go_out() {
        assert_eq!(wire("ann@x.example").unwrap(), "ann@x.example");
        assert_eq!(wire("ann@bücher.example").unwrap(), "ann@xn--bcher-kva.example");
        assert_eq!(wire("\"a b\"@c.example").unwrap(), "\"a b\"@c.example");
        assert_eq!(wire("a@[127.0.0.1]").unwrap(), "a@[127.0.0.1]");
        let long = format!("{}@x.example", "a".repeat(65));
        for bad in [
            "fin",
            "@x",
            "a@",
            "",
            "<>",
            "a@b>\r\nRCPT TO:<x@y",
            "a@b SIZE=1",
            "a b@c.example",
            "a\"@b.example",
            "\"a@b.example",
            "\"a\"b\"@c.example",
            "\"a\\\"@c.example",
            "a@b..c",
            "a@-b-\u{0}.c",
            "a@b\r\nc",
            "a..b@c.example",
            "a@[1.2.3]",
            "a@b,c",
            "a\u{85}@b.example",
            "a@b\u{2028}c",
            "--help",
            "müller@x.example",
            &long,
        ] {
            assert!(wire(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn display_comes_back(name in "[\\PC]{0,20}", local in "[a-z0-9]{1,8}", domain in "[a-z]{1,8}\\.example") {
            let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
            let one = Address { name, addr: format!("{local}@{domain}") };
            let text = format!("{one}, {one}");
            prop_assert_eq!(parse(&text), vec![one.clone(), one]);
        }

        #[test]
        fn nothing_on_the_wire_ends_a_line(text in "\\PC*|[\\x00-\\u{ff}@.<>\"\\\\]{0,40}") {
            for a in parse(&text) {
                if let Ok(w) = wire(&a.addr) {
                    prop_assert!(w.bytes().all(|b| b == b' ' || b.is_ascii_graphic()), "{:?}", w);
                }
            }
            if let Ok(w) = wire(&text) {
                prop_assert!(w.bytes().all(|b| b == b' ' || b.is_ascii_graphic()), "{:?}", w);
            }
        }
    }
}
