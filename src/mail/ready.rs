//! ready — a message that somebody else has written (`postrider send`, like `sendmail`) becomes frozen bytes.
//! Owns: `freeze`, `Addressing`.
//! May import: base.
//! Start reading at: `freeze`. The body is kept octet for octet but for its line ends; of the header, `Bcc` goes, and `From`,
//! `Date` and `Message-ID` come if they are missing.

use super::address::Address;
use super::address_list::{self, wire};
use super::compose::{ComposeFault, Frozen, MAX_LINE, Stamp, crlf, envelope, sound};
use super::envelope::MessageId;
use mail_builder::headers::Header as _;
use mail_builder::headers::address::Address as Written;
use mail_builder::headers::date::Date;

/// Where a ready message goes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Addressing {
    /// Recipients named on the command line.
    pub recipients: Vec<String>,
    /// `-t`: also those in To, Cc and Bcc.
    pub from_headers: bool,
    /// The envelope sender, and the author if the message names none.
    pub sender: Address,
}

/// Freezes a message as it stands on standard input. `subject` is its decoded subject, for lists; `people` are the decoded
/// addresses of To, Cc and Bcc (from `mail::parse`, which knows comments, groups and encoded words).
///
/// # Errors
/// [`ComposeFault`]: nobody to send to, an address that cannot be used, a NUL, a line beyond [`MAX_LINE`] octets.
pub fn freeze(raw: &[u8], people: &[Address], subject: &str, to: &Addressing, stamp: &Stamp) -> Result<Frozen, ComposeFault> {
    if raw.contains(&0) {
        return Err(ComposeFault::Broken("it holds a NUL octet"));
    }
    let sender = wire(&to.sender.addr).map_err(ComposeFault::Sender)?;
    // A line end inside an argument is an attack or a broken script (O-03): `wire` says so.
    if let Some(odd) = to.recipients.iter().find(|r| r.chars().any(char::is_control)) {
        wire(odd).map_err(ComposeFault::Recipient)?;
    }
    let typed: Vec<Address> = to.recipients.iter().flat_map(|r| address_list::parse(r)).collect();
    let named = if to.from_headers { people } else { &[] };
    let recipients = envelope(typed.iter().chain(named).map(|a| a.addr.as_str()))?;
    let mail = crlf(strip_mbox_line(raw));
    let (fields, body) = split(&mail);
    let mut out = Vec::with_capacity(mail.len() + 200);
    let mut id = None;
    let (mut has_from, mut has_date) = (false, false);
    for field in fields {
        match name(field).as_str() {
            "bcc" | "resent-bcc" => continue,
            "from" => has_from = true,
            "date" => has_date = true,
            "message-id" => {
                id = std::str::from_utf8(field).ok().and_then(|f| MessageId::new(f.split_once(':')?.1));
                if id.is_none() {
                    continue;
                }
            }
            _ => {}
        }
        out.extend_from_slice(field);
    }
    if !has_from {
        let name = (!to.sender.name.is_empty()).then(|| to.sender.name.clone());
        out.extend_from_slice(b"From: ");
        Written::new_address(name, sender.clone()).write_header(&mut out, 6);
    }
    if !has_date {
        out.extend_from_slice(format!("Date: {}\r\n", Date::new(stamp.date).to_rfc822()).as_bytes());
    }
    let message_id = match id {
        Some(id) => id,
        None => {
            let id = stamp.message_id(&sender).ok_or(ComposeFault::Broken("no Message-ID"))?;
            out.extend_from_slice(format!("Message-ID: <{id}>\r\n").as_bytes());
            id
        }
    };
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
    if out.split(|b| *b == b'\n').any(|line| line.len() > MAX_LINE + 1) {
        return Err(ComposeFault::Broken("it has a line of more than 998 octets"));
    }
    sound(&out)?;
    Ok(Frozen { eight_bit: !out.is_ascii(), bytes: out, message_id, sender, recipients, subject: subject.to_owned() })
}

/// `From ann Thu …`: what mbox puts before a message is not part of it.
fn strip_mbox_line(raw: &[u8]) -> &[u8] {
    if !raw.starts_with(b"From ") {
        return raw;
    }
    raw.iter().position(|b| *b == b'\n').and_then(|at| raw.get(at + 1..)).unwrap_or_default()
}

/// The header's fields, each with its folded lines and CRLF, and the body. Where the header ends in a line that is no field,
/// the body begins with that line.
fn split(mail: &[u8]) -> (Vec<&[u8]>, &[u8]) {
    let mut fields: Vec<(usize, usize)> = Vec::new();
    let mut at = 0;
    while let Some(end) = mail.get(at..).and_then(|m| m.windows(2).position(|w| w == b"\r\n")).map(|n| at + n + 2) {
        let line = mail.get(at..end).unwrap_or_default();
        if line == b"\r\n" {
            at = end;
            break;
        }
        match fields.last_mut() {
            Some(last) if line.starts_with(b" ") || line.starts_with(b"\t") => last.1 = end,
            _ if name(line).is_empty() => break,
            _ => fields.push((at, end)),
        }
        at = end;
    }
    let of = |(a, b): (usize, usize)| mail.get(a..b).unwrap_or_default();
    (fields.into_iter().map(of).collect(), mail.get(at..).unwrap_or_default())
}

/// A field's name in lower case; "" for a line that is no field. White space before the colon is taken off: `Bcc :` counts
/// (RFC 5322, 4.5.3).
fn name(field: &[u8]) -> String {
    let Some(at) = field.iter().position(|b| *b == b':') else { return String::new() };
    let name = field.get(..at).unwrap_or_default().trim_ascii_end();
    let fits = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
    if fits { String::from_utf8_lossy(name).to_ascii_lowercase() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stamp() -> Stamp {
        Stamp { date: 1_795_240_920, random: [1; 16] }
    }

    fn me(recipients: &[&str], from_headers: bool) -> Addressing {
        let recipients = recipients.iter().map(|r| (*r).to_owned()).collect();
        Addressing { recipients, from_headers, sender: Address::new("Dana", "dana@example.org") }
    }

    fn text(f: &Frozen) -> String {
        String::from_utf8(f.bytes.clone()).unwrap()
    }

    #[test]
    fn a_bare_text_becomes_a_mail() {
        let f = freeze(b"hello\nworld", &[], "", &me(&["ann@example.org"], false), &stamp()).unwrap();
        assert_eq!(
            text(&f),
            "From: \"Dana\" <dana@example.org>\r\nDate: Sat, 21 Nov 2026 06:02:00 +0000\r\n\
             Message-ID: <01010101010101010101010101010101@example.org>\r\n\r\nhello\r\nworld\r\n"
        );
        assert_eq!(freeze(b"x", &[], "", &me(&[], true), &stamp()), Err(ComposeFault::NoRecipient));
    }

    #[test]
    fn a_whole_mail_stays_and_loses_its_bcc() {
        let raw = b"From ann Thu Jan 1\nFrom: ann@example.org\nbCC: s@example.org,\n t@example.org\nBcc : u@example.org\nDate: today\nMessage-ID: <1@x>\nSubject: a\n\nBcc: body\n.\n";
        let people = [Address::new("", "s@example.org"), Address::new("S", "S@example.org")];
        let f = freeze(raw, &people, "a", &me(&["Bob <b@example.org>, s@example.org"], true), &stamp()).unwrap();
        assert_eq!(text(&f), "From: ann@example.org\r\nDate: today\r\nMessage-ID: <1@x>\r\nSubject: a\r\n\r\nBcc: body\r\n.\r\n");
        assert_eq!(f.recipients, ["b@example.org", "s@example.org"]);
        assert_eq!((f.message_id, f.sender), (MessageId::new("1@x").unwrap(), "dana@example.org".to_owned()));
    }

    #[test]
    fn what_cannot_be_sent_is_refused() {
        let to = me(&["a@example.org"], false);
        assert!(freeze(b"Subject: a\0\n\nb", &[], "", &to, &stamp()).is_err());
        assert!(freeze("x".repeat(1_000).as_bytes(), &[], "", &to, &stamp()).is_err());
        assert!(freeze(b"x", &[], "", &me(&["a@b>\r\nRCPT TO:<x@y"], false), &stamp()).is_err());
        assert!(freeze("Subject: ä\n\nb".as_bytes(), &[], "", &to, &stamp()).unwrap().eight_bit);
        // An id that cannot be one is replaced.
        let f = freeze(b"Message-ID: <a b>\n\nx", &[], "", &to, &stamp()).unwrap();
        assert_eq!(text(&f).matches("Message-ID").count(), 1);
    }

    proptest! {
        #[test]
        fn any_input_is_sound_or_refused(raw in "(Bcc: x@y|Subject: a|From: b|\\r\\n|\\n|\\r| |:|[\\x00-\\x7f]|ä){0,20}") {
            if let Ok(f) = freeze(raw.as_bytes(), &[], "", &me(&["a@example.org"], true), &stamp()) {
                sound(&f.bytes).unwrap();
                let (fields, _) = split(&f.bytes);
                prop_assert!(!fields.iter().any(|l| name(l) == "bcc"));
                prop_assert_eq!(fields.iter().filter(|l| name(l) == "message-id").count(), 1);
            }
        }
    }
}
