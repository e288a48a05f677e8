//! mailto — a `mailto:` URL becomes the beginning of a draft (RFC 6068), and nothing else.
//! Owns: `parse`, `Mailto`.
//! May import: base.
//! Start reading at: `parse`. Such a URL may come from a mail or a web page, so it is hostile: it names recipients, a subject, a
//! text and what it answers; it attaches nothing, sends nothing and does not choose who the person is (security O-04).

use super::address_list;
use super::draft::Draft;
use super::envelope::MessageId;
use super::identity::Identity;
use crate::base::safetext::SafeText;

/// The longest body that is taken over, in characters; the rest is cut off.
const MAX_BODY: usize = 100_000;
/// The most recipients that are taken over from one field.
const MAX_PEOPLE: usize = 200;

/// What a URL asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mailto {
    /// The message, to be looked at before it goes anywhere. A `bcc` in it was chosen by the URL: the composer shows it.
    pub draft: Draft,
    /// The names of fields that were left out, for a word of warning.
    pub ignored: Vec<SafeText>,
}

/// Reads a URL as a message by `me`; nothing if it is no `mailto:` URL.
#[must_use]
pub fn parse(url: &str, me: &Identity) -> Option<Mailto> {
    let (scheme, rest) = url.trim().split_once(':')?;
    if !scheme.eq_ignore_ascii_case("mailto") {
        return None;
    }
    let rest = rest.split_once('#').map_or(rest, |(r, _)| r);
    let (to, fields) = rest.split_once('?').unwrap_or((rest, ""));
    let mut draft = Draft::new(me);
    let mut ignored: Vec<SafeText> = Vec::new();
    let mut text: Option<String> = None;
    draft.to.extend(people(to));
    for field in fields.split('&').filter(|f| !f.is_empty()) {
        let (name, value) = field.split_once('=').unwrap_or((field, ""));
        let value = || decode(value);
        match decode(name).to_ascii_lowercase().as_str() {
            "to" => draft.to.extend(people(&value())),
            "cc" => draft.cc.extend(people(&value())),
            "bcc" => draft.bcc.extend(people(&value())),
            "subject" if draft.subject.is_empty() => draft.subject = SafeText::line_max(&value(), 900).into_string(),
            "body" if text.is_none() => text = Some(value()),
            "in-reply-to" if draft.in_reply_to.is_none() => draft.in_reply_to = MessageId::new(&value()),
            "references" if draft.references.is_empty() => {
                draft.references = value().split_whitespace().filter_map(MessageId::new).take(Draft::MAX_REFERENCES).collect();
            }
            "subject" | "body" | "in-reply-to" | "references" => {}
            other => {
                let name = SafeText::line_max(other, 40);
                if ignored.len() < 10 && !ignored.contains(&name) {
                    ignored.push(name);
                }
            }
        }
    }
    if let Some(text) = text {
        let cut: String = text.chars().take(MAX_BODY).collect();
        let lines: Vec<String> =
            cut.replace("\r\n", "\n").replace('\r', "\n").split('\n').map(|l| SafeText::body_line(l).into_string()).collect();
        draft.body.insert_str(0, &lines.join("\n"));
    }
    for list in [&mut draft.to, &mut draft.cc, &mut draft.bcc] {
        list.truncate(MAX_PEOPLE);
    }
    Some(Mailto { draft, ignored })
}

/// Addresses divided by commas; a comma that belongs to one is `%2C`, so each is decoded by itself.
fn people(list: &str) -> Vec<super::address::Address> {
    list.split(',').take(MAX_PEOPLE).flat_map(|one| address_list::parse(&decode(one))).collect()
}

/// Percent-decoding; a `%` that starts no escape stays, and octets that are no UTF-8 become marks.
pub(super) fn decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
        match (first, tail) {
            (b'%', [a, b, more @ ..]) => {
                if let (Some(high), Some(low)) = (hex(*a), hex(*b)) {
                    out.push(high * 16 + low);
                    rest = more;
                    continue;
                }
                out.push(first);
            }
            _ => out.push(first),
        }
        rest = tail;
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::address::Address;
    use proptest::prelude::*;

    fn me() -> Identity {
        Identity { address: Address::new("Dana", "dana@example.org"), signature: "Dana".to_owned() }
    }

    fn read(url: &str) -> Mailto {
        parse(url, &me()).unwrap()
    }

    #[test]
    fn what_may_be_asked_for() {
        let m = read(
            "MAILTO:ann@x.example,%22Ngo%2C%20Carol%22%20%3Cc@y.example%3E?to=d%40z.example&cc=e@z.example&subject=Hi%20there+x&body=one%0D%0Atwo&in-reply-to=%3C1@x%3E&references=%3C0@x%3E%20%3C1@x%3E",
        );
        let to: Vec<_> = m.draft.to.iter().map(ToString::to_string).collect();
        assert_eq!(to, ["ann@x.example", "\"Ngo, Carol\" <c@y.example>", "d@z.example"]);
        assert_eq!((m.draft.cc.len(), m.draft.subject.as_str()), (1, "Hi there+x"));
        assert_eq!(m.draft.body, "one\ntwo\n\n-- \nDana\n");
        assert_eq!((m.draft.in_reply_to, m.draft.references.len()), (MessageId::new("1@x"), 2));
        assert!(m.ignored.is_empty());
        assert!(parse("http://x", &me()).is_none() && parse("ann@x.example", &me()).is_none());
        assert!(read("mailto:").draft.to.is_empty());
    }

    #[test]
    fn what_may_not() {
        for field in [
            "attach=~/.gnupg/secring.gpg",
            "attachment=x",
            "Attach=x",
            "%61ttach=x",
            "inline=x",
            "from=boss@x",
            "sender=x@y",
            "reply-to=x@y",
            "x-evil=1",
        ] {
            let m = read(&format!("mailto:a@b.example?{field}"));
            assert_eq!(m.ignored.len(), 1, "{field}");
            assert_eq!(m.draft, Draft { to: m.draft.to.clone(), ..Draft::new(&me()) });
        }
        let m = read("mailto:?subject=a%0d%0aBcc:%20x@y&subject=second&bcc=evil@x.example&to=a%00b&body=%1b]0;PWN%07");
        assert!(m.draft.subject.starts_with('a') && !m.draft.subject.chars().any(char::is_control));
        assert_eq!(m.draft.bcc.len(), 1);
        assert!(address_list::wire(&m.draft.to[0].addr).is_err());
        assert!(!m.draft.body.contains(['\u{1b}', '\u{7}']));
        for odd in ["mailto:--help", "mailto:-oQ/tmp", "mailto:%zz%4"] {
            assert!(address_list::wire(&read(odd).draft.to[0].addr).is_err(), "{odd}");
        }
        let long = read(&format!("mailto:?body={}", "x".repeat(5_000_000)));
        assert!(long.draft.body.len() < MAX_BODY + 100);
        assert!(read(&format!("mailto:{}", "a@b.c,".repeat(100_000))).draft.to.len() <= MAX_PEOPLE);
    }

    proptest! {
        #[test]
        fn any_url_is_harmless(rest in "(%[0-9a-f]{2}|[a-z@?&=,%.]|subject=|body=|\\PC){0,40}") {
            let d = read(&format!("mailto:{rest}")).draft;
            prop_assert!(d.attachments.is_empty() && d.from == me().address);
            prop_assert!(!d.subject.chars().any(char::is_control));
            prop_assert!(!d.body.chars().any(|c| c.is_control() && c != '\n'));
        }
    }
}
