//! links — where a link leads, said plainly.
//! Owns: `Link`, `Links`, `host_of`.
//! May import: base.
//! Start reading at: `Link::new` (security M-42). The address that is kept is ASCII without a space or control character, so that
//! it can be handed to an opener; the host that is shown is the one a browser would go to.

use std::collections::HashMap;

/// The longest address kept, in bytes.
pub const MAX_URL: usize = 8 * 1024;
/// The most links kept of one message.
pub const MAX_LINKS: usize = 5_000;

/// What can be done with a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LinkKind {
    /// http or https: can be opened.
    Web,
    /// mailto: opens the composer.
    Mail,
    /// Anything else: is shown and can be copied, never opened.
    Other,
}

/// One link of a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    /// From 1, as shown.
    pub number: u32,
    /// Printable ASCII without spaces.
    pub url: String,
    /// The host it leads to, in ASCII ("xn--…" for others); "" where there is none.
    pub host: String,
    /// What can be done with it.
    pub kind: LinkKind,
    /// Whether its text names another host than the one it leads to.
    pub lies: bool,
}

impl Link {
    /// Of an address as written; nothing for an empty one or one that leads nowhere (`#top`).
    #[must_use]
    pub fn new(number: u32, href: &str, text: &str) -> Option<Self> {
        let url = ascii(href)?;
        let lower = url.get(..12).unwrap_or(&url).to_ascii_lowercase();
        let kind = if lower.starts_with("http://") || lower.starts_with("https://") {
            LinkKind::Web
        } else if lower.starts_with("mailto:") {
            LinkKind::Mail
        } else {
            LinkKind::Other
        };
        let host = host_of(&url).unwrap_or_default();
        // A Web address without a host leads nowhere that we could name.
        let kind = if kind == LinkKind::Web && host.is_empty() { LinkKind::Other } else { kind };
        let lies = kind == LinkKind::Web && claimed_host(text).is_some_and(|claimed| !related(&claimed, &host));
        Some(Self { number, url, host, kind, lies })
    }
}

/// The links of one message, numbered in order of appearance, each address once.
#[derive(Clone, Debug, Default)]
pub struct Links {
    all: Vec<Link>,
    seen: HashMap<(String, bool), u32>,
}

impl Links {
    /// The number of the link to `href` under `text`; nothing if it leads nowhere or there are too many.
    pub fn add(&mut self, href: &str, text: &str) -> Option<u32> {
        if self.all.len() >= MAX_LINKS {
            return None;
        }
        let link = Link::new(self.all.len() as u32 + 1, href, text)?;
        let key = (link.url.clone(), link.lies);
        if let Some(number) = self.seen.get(&key) {
            return Some(*number);
        }
        self.seen.insert(key, link.number);
        self.all.push(link);
        self.all.last().map(|l| l.number)
    }

    /// The link of that number.
    #[must_use]
    pub fn get(&self, number: u32) -> Option<&Link> {
        self.all.get((number as usize).checked_sub(1)?)
    }

    /// All of them, in order.
    #[must_use]
    pub fn into_vec(self) -> Vec<Link> {
        self.all
    }
}

/// The address in printable ASCII: what browsers drop is dropped, the rest is escaped.
fn ascii(href: &str) -> Option<String> {
    let trimmed = href.trim_matches(|c: char| c.is_whitespace() || c.is_control());
    if trimmed.is_empty() || trimmed.starts_with('#') || trimmed.starts_with('-') {
        return None;
    }
    let mut cut = trimmed.len().min(MAX_URL);
    while !trimmed.is_char_boundary(cut) {
        cut -= 1;
    }
    let text = trimmed.get(..cut).unwrap_or_default();
    let mut out = String::with_capacity(text.len());
    // The host of a Web address is made ASCII as a host (punycode), all else by percent signs.
    let (head, rest) = match (text.find("://"), host_of(text)) {
        (Some(at), Some(host)) if !text.is_ascii() => {
            let (scheme, behind) = text.split_at(at + 3);
            let end = behind.find(['/', '?', '#', '\\']).unwrap_or(behind.len());
            let (authority, path) = behind.split_at(end);
            let port = authority.rsplit_once(':').map(|(_, p)| p).filter(|p| p.bytes().all(|b| b.is_ascii_digit()));
            (format!("{scheme}{host}{}", port.map(|p| format!(":{p}")).unwrap_or_default()), path)
        }
        _ => (String::new(), text),
    };
    out.push_str(&head);
    for c in rest.chars() {
        match c {
            '\t' | '\n' | '\r' => {}
            '!'..='~' => out.push(c),
            _ => {
                for b in c.encode_utf8(&mut [0; 4]).bytes() {
                    out.push_str(&format!("%{b:02X}"));
                }
            }
        }
    }
    Some(out)
}

/// The host that a browser would go to for an http(s) address, in lower-case ASCII.
#[must_use]
pub fn host_of(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once(':')?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return None;
    }
    // Browsers take any number of slashes of either kind.
    let rest = rest.trim_start_matches(['/', '\\']);
    let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, h)| h);
    let host = if host.starts_with('[') {
        host.split_once(']').map_or(host, |(h, _)| h).trim_start_matches('[')
    } else {
        host.split(':').next().unwrap_or_default()
    };
    let host = host.trim_end_matches('.');
    if host.is_empty() || host.len() > 1_000 {
        return None;
    }
    let ascii = idna::domain_to_ascii(host).unwrap_or_else(|_| host.to_ascii_lowercase());
    // What is no host even so is shown escaped.
    Some(ascii.chars().flat_map(|c| if c.is_ascii_graphic() { vec![c] } else { c.escape_unicode().collect() }).collect())
}

/// The host that a link's text claims to lead to, if it looks like an address.
fn claimed_host(text: &str) -> Option<String> {
    let text = text.trim();
    if text.len() > 2_000 || text.contains(char::is_whitespace) {
        return None;
    }
    if text.contains("://") {
        return host_of(text);
    }
    let host = text.split(['/', '?', '#', ':']).next().unwrap_or_default();
    let last = host.rsplit_once('.')?.1;
    let looks = !host.contains('@') && last.len() >= 2 && last.chars().all(char::is_alphabetic) && !host.starts_with('.');
    looks.then(|| idna::domain_to_ascii(host).unwrap_or_else(|_| host.to_ascii_lowercase()))
}

/// Whether both are the same host, or one belongs to the other.
fn related(a: &str, b: &str) -> bool {
    let (a, b) = (a.strip_prefix("www.").unwrap_or(a), b.strip_prefix("www.").unwrap_or(b));
    let below = |x: &str, y: &str| x.strip_suffix(y).is_some_and(|rest| rest.ends_with('.')) && y.contains('.');
    a == b || below(a, b) || below(b, a)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(href: &str, text: &str) -> Link {
        Link::new(1, href, text).unwrap()
    }

    #[test]
    fn the_real_host_is_found() {
        for (href, host) in [
            ("https://bank.example/x", "bank.example"),
            ("https://bank.example@evil.example/", "evil.example"),
            ("HTTP:\\\\evil.example\\x", "evil.example"),
            ("https:///evil.example:8443/", "evil.example"),
            ("https://раypal.com", "xn--ypal-43d9g.com"),
            ("https://bank.example%2f@evil/", "evil"),
        ] {
            assert_eq!(link(href, "here").host, host, "{href}");
        }
    }

    #[test]
    fn lies_are_seen() {
        assert!(link("http://evil.example", "https://bank.example").lies);
        assert!(link("http://evil.example", "bank.example").lies);
        assert!(link("https://bank.example@evil.example/", "https://bank.example").lies);
        assert!(!link("https://www.bank.example/login", "bank.example").lies);
        assert!(!link("https://click.bank.example/?u=1", "bank.example").lies);
        assert!(!link("http://evil.example", "Click here").lies);
        assert!(!link("http://evil.example", "Yes.Please do").lies);
    }

    #[test]
    fn only_web_and_mail_open() {
        for href in ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "smb://x", "tel:1", "x-foo:", "//x/y"] {
            assert_eq!(link(href, "").kind, LinkKind::Other, "{href}");
        }
        assert_eq!(link("MAILTO:a@b", "").kind, LinkKind::Mail);
        assert!(Link::new(1, "#top", "").is_none() && Link::new(1, " ", "").is_none() && Link::new(1, "-x", "").is_none());
    }

    #[test]
    fn addresses_are_printable_ascii() {
        for href in ["http://a/\x1b]0;x\x07", "http://a/b c", "http://a/\u{202e}x", "http://ä.example/ä", "java\nscript:x"] {
            assert!(link(href, "").url.bytes().all(|b| (0x21..0x7f).contains(&b)), "{}", link(href, "").url);
        }
        assert!(link(&format!("http://a/{}", "x".repeat(100_000)), "").url.len() <= MAX_URL);
    }

    #[test]
    fn an_address_has_one_number() {
        let mut links = Links::default();
        assert_eq!(links.add("http://a/", "x"), Some(1));
        assert_eq!(links.add("http://b/", "x"), Some(2));
        assert_eq!(links.add("http://a/", "y"), Some(1));
        assert_eq!(links.get(2).unwrap().host, "b");
    }
}
