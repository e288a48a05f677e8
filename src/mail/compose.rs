//! compose — a draft becomes frozen bytes and an envelope.
//! Owns: `build`, `Frozen`, `Stamp`, `ComposeFault`.
//! May import: base.
//! Start reading at: `build`. What leaves it is final: CRLF only, at most 998 octets a line, 7 bit, no `Bcc`, nothing in any
//! header that a draft's text could have smuggled in (security O-01..O-07). Every attempt to send uses the same bytes.

use super::address::Address;
use super::address_list::{BadAddress, wire};
use super::draft::{Draft, DraftAttachment, Format};
use super::envelope::MessageId;
use super::flowed;
use base64::Engine as _;
use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address as Written;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::date::Date;
use mail_builder::headers::message_id::MessageId as Ids;
use mail_builder::headers::text::Text;
use mail_builder::mime::{BodyPart, MimePart};
use std::fmt::Write as _;

/// The longest line that a mail may have, in octets without CRLF (RFC 5322, 2.1.1).
pub const MAX_LINE: usize = 998;

/// A message that is ready to go. Its bytes never change again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frozen {
    /// The message: CRLF, no `Bcc`.
    pub bytes: Vec<u8>,
    /// Its `Message-ID`.
    pub message_id: MessageId,
    /// The envelope sender, a bare ASCII address.
    pub sender: String,
    /// The envelope recipients, bare ASCII addresses, each once, Bcc among them.
    pub recipients: Vec<String>,
    /// Decoded, one line, for lists.
    pub subject: String,
    /// Whether there are octets above 127 (only in ready messages, see `ready.rs`): the server must know 8BITMIME.
    pub eight_bit: bool,
}

/// What makes this message this one; chosen once, by the caller, who has a clock and a source of chance.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stamp {
    /// Seconds since 1970. Written in UTC: a zone would tell where the person is (O-07).
    pub date: i64,
    /// Random, for `Message-ID` and for the boundary between parts.
    pub random: [u8; 16],
}

impl Stamp {
    /// `random@domain` of the sender: names neither host nor program (O-07).
    #[must_use]
    pub fn message_id(&self, sender: &str) -> Option<MessageId> {
        let (_, domain) = sender.rsplit_once('@')?;
        MessageId::new(&format!("{}@{}", self.hex(), domain.trim_matches(['[', ']'])))
    }

    fn hex(&self) -> String {
        self.random.iter().fold(String::with_capacity(32), |mut out, b| {
            // Writing to a String cannot fail.
            let _ = write!(out, "{b:02x}");
            out
        })
    }
}

/// Why a draft cannot be sent as it is.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ComposeFault {
    /// No recipient.
    #[error("there is nobody to send this to")]
    NoRecipient,
    /// A recipient that cannot be written to.
    #[error("{0}")]
    Recipient(BadAddress),
    /// The author's own address is wrong.
    #[error("the sender cannot be used: {0}")]
    Sender(BadAddress),
    /// The bytes of attachments are not all there.
    #[error("an attachment is missing")]
    Attachment,
    /// What was built breaks the rules that it must keep: a bug, so nothing is sent.
    #[error("the message could not be built: {0}")]
    Broken(&'static str),
}

/// Freezes a draft. `files` are the bytes of its attachments, in order.
///
/// # Errors
/// [`ComposeFault`]; its text is safe to show.
pub fn build(draft: &Draft, files: &[Vec<u8>], stamp: &Stamp) -> Result<Frozen, ComposeFault> {
    if files.len() != draft.attachments.len() {
        return Err(ComposeFault::Attachment);
    }
    let sender = wire(&draft.from.addr).map_err(ComposeFault::Sender)?;
    let recipients = envelope([&draft.to, &draft.cc, &draft.bcc].into_iter().flatten().map(|a| a.addr.as_str()))?;
    let message_id = stamp.message_id(&sender).ok_or(ComposeFault::Broken("no Message-ID"))?;
    let subject = one_line(&draft.subject);
    let mut mail = MessageBuilder::new()
        .from(written(std::slice::from_ref(&draft.from))?)
        .subject(Text::new(subject.as_str()))
        .date(Date::new(stamp.date))
        .message_id(Ids::new(message_id.as_str()));
    for (name, list) in [("To", &draft.to), ("Cc", &draft.cc)] {
        if !list.is_empty() {
            mail = mail.header(name, written(list)?);
        }
    }
    if draft.to.is_empty() && draft.cc.is_empty() {
        mail = mail.to(Written::new_group(Some("undisclosed-recipients"), Vec::new()));
    }
    if let Some(id) = draft.in_reply_to.as_ref().filter(|id| plain_id(id)) {
        mail = mail.in_reply_to(Ids::new(id.as_str()));
    }
    let chain: Vec<&str> = draft.references.iter().filter(|id| plain_id(id)).map(MessageId::as_str).collect();
    if !chain.is_empty() {
        mail = mail.references(Ids::new_list(chain.into_iter()));
    }
    let text = text_part(draft);
    let body = if files.is_empty() {
        text
    } else {
        let parts = draft.attachments.iter().zip(files).map(|(a, bytes)| file_part(a, bytes));
        let kind = ContentType::new("multipart/mixed").attribute("boundary", format!("=_{}", stamp.hex()));
        MimePart::new(kind, std::iter::once(text).chain(parts).collect::<Vec<_>>())
    };
    let bytes = mail.body(body).write_to_vec().map_err(|_| ComposeFault::Broken("no memory"))?;
    sound(&bytes)?;
    Ok(Frozen { eight_bit: !bytes.is_ascii(), bytes, message_id, sender, recipients, subject })
}

/// Bare addresses for RCPT, each once whatever its case, in the order of their first naming.
///
/// # Errors
/// [`ComposeFault::Recipient`] for one that cannot be written to, [`ComposeFault::NoRecipient`].
pub fn envelope<'a>(addrs: impl Iterator<Item = &'a str>) -> Result<Vec<String>, ComposeFault> {
    let (mut out, mut seen) = (Vec::new(), std::collections::HashSet::new());
    for addr in addrs {
        let one = wire(addr).map_err(ComposeFault::Recipient)?;
        if seen.insert(one.to_ascii_lowercase()) {
            out.push(one);
        }
    }
    if out.is_empty() { Err(ComposeFault::NoRecipient) } else { Ok(out) }
}

/// The last look at bytes that go out: CR and LF in pairs only, no NUL, no line beyond [`MAX_LINE`].
///
/// # Errors
/// [`ComposeFault::Broken`].
pub fn sound(bytes: &[u8]) -> Result<(), ComposeFault> {
    let mut before = 0;
    let mut column = 0;
    for &b in bytes {
        if (before == b'\r') != (b == b'\n') {
            return Err(ComposeFault::Broken("a bare CR or LF"));
        }
        if b == 0 {
            return Err(ComposeFault::Broken("a NUL"));
        }
        column = if matches!(b, b'\r' | b'\n') { 0 } else { column + 1 };
        if column > MAX_LINE {
            return Err(ComposeFault::Broken("an overlong line"));
        }
        before = b;
    }
    if before == b'\n' { Ok(()) } else { Err(ComposeFault::Broken("no end of line at its end")) }
}

fn written(list: &[Address]) -> Result<Written<'static>, ComposeFault> {
    let mut out = Vec::with_capacity(list.len());
    for a in list {
        let name = one_line(&a.name);
        out.push(Written::new_address((!name.is_empty()).then_some(name), wire(&a.addr).map_err(ComposeFault::Recipient)?));
    }
    Ok(Written::new_list(out))
}

/// Whatever ends a line, here or in some other program, becomes a space (O-02).
fn one_line(text: &str) -> String {
    let spaced: String =
        text.chars().map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c }).collect();
    spaced.trim().to_owned()
}

/// Ids of others are copied only if they are ASCII and fit into a line.
fn plain_id(id: &MessageId) -> bool {
    id.as_str().len() <= 900 && id.as_str().bytes().all(|b| b.is_ascii_graphic())
}

fn text_part(draft: &Draft) -> MimePart<'static> {
    // CRLF and CR are line ends too; other controls have no meaning in a mail, and NUL is forbidden.
    let body = draft.body.replace("\r\n", "\n").replace('\r', "\n");
    let body: String = body.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    let body = body.trim_end_matches('\n');
    let mut kind = ContentType::new("text/plain").attribute("charset", "utf-8");
    let text = match draft.format {
        Format::Flowed => {
            kind = kind.attribute("format", "flowed");
            flowed::encode(body)
        }
        Format::Fixed => body.split('\n').fold(String::new(), |out, line| out + line + "\r\n"),
    };
    let plain = text.is_ascii() && text.split("\r\n").all(|l| l.len() <= MAX_LINE);
    if plain {
        // As it is: the spaces of flowed text would else turn a plain mail into quoted-printable.
        return MimePart::new(kind, BodyPart::Binary(text.into_bytes().into())).transfer_encoding("7bit");
    }
    MimePart::new(kind, BodyPart::Text(text.into()))
}

fn file_part(file: &DraftAttachment, bytes: &[u8]) -> MimePart<'static> {
    let name = one_line(&file.name);
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let name = if name.is_empty() { "attachment" } else { name };
    let mut mime = file.mime.to_ascii_lowercase();
    if mime == "message/rfc822" {
        // Only identity encodings are allowed (RFC 2046, 5.2.1): a mail that fits none goes as a file.
        let mail = crlf(bytes);
        if mail.is_ascii() && sound(&mail).is_ok() {
            return MimePart::new("message/rfc822", BodyPart::Binary(mail.into()))
                .transfer_encoding("7bit")
                .attachment(name.to_owned());
        }
    }
    if !is_mime(&mime) || mime.starts_with("message/") || mime.starts_with("multipart/") {
        "application/octet-stream".clone_into(&mut mime);
    }
    let mut kind = ContentType::new(mime.clone());
    if mime.starts_with("text/") && !bytes.is_ascii() && std::str::from_utf8(bytes).is_ok() {
        kind = kind.attribute("charset", "utf-8");
    }
    MimePart::new(kind, BodyPart::Binary(base64_lines(bytes).into())).transfer_encoding("base64").attachment(name.to_owned())
}

/// `type/subtype` of tokens (RFC 2045, 5.1), and nothing behind.
fn is_mime(text: &str) -> bool {
    let token =
        |t: &str| !t.is_empty() && t.len() <= 127 && t.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b));
    text.split_once('/').is_some_and(|(kind, sub)| token(kind) && token(sub))
}

/// Every line end as CRLF, one at the end.
#[must_use]
pub fn crlf(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 40 + 2);
    let mut rest = bytes.iter().copied().peekable();
    while let Some(b) = rest.next() {
        match b {
            b'\r' => {
                rest.next_if_eq(&b'\n');
                out.extend_from_slice(b"\r\n");
            }
            b'\n' => out.extend_from_slice(b"\r\n"),
            _ => out.push(b),
        }
    }
    if !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// Base64 in lines of 76 (RFC 2045, 6.8).
fn base64_lines(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() * 4 / 3 + bytes.len() / 28 + 8);
    let mut line = [0_u8; 76];
    for chunk in bytes.chunks(57) {
        // 57 octets make 76 characters, so it always fits.
        let n = base64::engine::general_purpose::STANDARD.encode_slice(chunk, &mut line).unwrap_or(0);
        out.extend_from_slice(line.get(..n).unwrap_or_default());
        out.extend_from_slice(b"\r\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stamp() -> Stamp {
        Stamp { date: 1_795_240_920, random: [0xab; 16] }
    }

    fn who(name: &str, addr: &str) -> Address {
        Address::new(name, addr)
    }

    fn draft() -> Draft {
        Draft {
            from: who("Dana Roth", "dana@example.org"),
            to: vec![who("Ann Berger", "ann@example.org")],
            subject: "Hello".to_owned(),
            body: "Hi Ann,\n\nall good.\n".to_owned(),
            ..Draft::default()
        }
    }

    fn text(frozen: &Frozen) -> String {
        String::from_utf8(frozen.bytes.clone()).unwrap()
    }

    fn headers(frozen: &Frozen) -> Vec<String> {
        let all = text(frozen);
        let head = all.split_once("\r\n\r\n").unwrap().0.replace("\r\n ", " ").replace("\r\n\t", " ");
        head.split("\r\n").map(|l| l.split_once(':').unwrap().0.to_owned()).collect()
    }

    fn parsed(bytes: &[u8]) -> mail_parser::Message<'_> {
        mail_parser::MessageParser::new().parse(bytes).unwrap()
    }

    #[test]
    fn a_plain_mail_stays_plain() {
        let f = build(&draft(), &[], &stamp()).unwrap();
        assert_eq!(
            text(&f),
            "From: \"Dana Roth\" <dana@example.org>\r\nSubject: Hello\r\nDate: Sat, 21 Nov 2026 06:02:00 +0000\r\n\
             Message-ID: <abababababababababababababababab@example.org>\r\nTo: \"Ann Berger\" <ann@example.org>\r\n\
             MIME-Version: 1.0\r\nContent-Type: text/plain; charset=\"utf-8\"; format=\"flowed\"\r\n\
             Content-Transfer-Encoding: 7bit\r\n\r\nHi Ann,\r\n\r\nall good.\r\n"
        );
        assert_eq!((f.sender.as_str(), f.recipients), ("dana@example.org", vec!["ann@example.org".to_owned()]));
    }

    #[test]
    fn bcc_is_in_the_envelope_only_and_each_once() {
        let mut d = draft();
        d.cc = vec![who("", "ANN@example.org"), who("", "b@bücher.example")];
        d.bcc = vec![who("", "secret@example.org"), who("", "b@xn--bcher-kva.example")];
        let f = build(&d, &[], &stamp()).unwrap();
        assert_eq!(f.recipients, ["ann@example.org", "b@xn--bcher-kva.example", "secret@example.org"]);
        assert!(!text(&f).contains("secret") && !text(&f).contains("Bcc"));
        d.to.clear();
        d.cc.clear();
        let f = build(&d, &[], &stamp()).unwrap();
        assert!(text(&f).contains("undisclosed-recipients"));
        d.bcc.clear();
        assert_eq!(build(&d, &[], &stamp()), Err(ComposeFault::NoRecipient));
        d.to = vec![who("", "fin")];
        assert!(matches!(build(&d, &[], &stamp()), Err(ComposeFault::Recipient(_))));
        d.from.addr.clear();
        assert!(matches!(build(&d, &[], &stamp()), Err(ComposeFault::Sender(_))));
    }

    #[test]
    fn nothing_is_smuggled_into_a_header() {
        let plain = headers(&build(&draft(), &[], &stamp()).unwrap());
        for end in ["\r\n", "\r", "\n", "\0", "\u{85}", "\u{2028}"] {
            let mut d = draft();
            d.subject = format!("hi{end}Bcc: evil@x.example");
            d.to[0].name = format!("Ann{end}Bcc: evil@x.example");
            d.from.name = format!("Dana{end}X-Evil: 1");
            let f = build(&d, &[], &stamp()).unwrap();
            assert_eq!(headers(&f), plain, "{end:?}");
            assert_eq!(f.recipients, ["ann@example.org"]);
            assert!(!f.subject.contains(end));
            let m = parsed(&f.bytes);
            assert!(m.bcc().is_none() && m.subject().unwrap().contains("Bcc: evil@x.example"));
            d.to[0].addr = format!("a@b.example>{end}RCPT TO:<x@y.example");
            assert!(matches!(build(&d, &[], &stamp()), Err(ComposeFault::Recipient(_))));
        }
    }

    #[test]
    fn threads_carry_only_clean_ids() {
        let mut d = draft();
        d.in_reply_to = MessageId::new("ä@x");
        d.references = ["a@x", "b\u{80}@x", &"c".repeat(950), "d@x"].iter().filter_map(|t| MessageId::new(t)).collect();
        let f = text(&build(&d, &[], &stamp()).unwrap());
        assert!(f.contains("References: <a@x> <d@x>\r\n"), "{f}");
        assert!(!f.contains("In-Reply-To"));
    }

    #[test]
    fn attachments_come_back_octet_for_octet() {
        let part = |name: &str, mime: &str| DraftAttachment {
            spool: String::new(),
            name: name.to_owned(),
            mime: mime.to_owned(),
            size: 0,
        };
        let mut d = draft();
        d.attachments = vec![
            part("Jahresabschluß, 2024.pdf", "application/pdf"),
            part("/home/dana/n\r\nX: y.txt", "text/plain; x=\r\nBcc: e@x"),
            part("ü.csv", "text/csv"),
            part("mail.eml", "message/rfc822"),
            part("mail8.eml", "message/rfc822"),
        ];
        let files = vec![
            (0..=255).cycle().take(5_000).collect::<Vec<u8>>(),
            b"x\n.\nMAIL FROM:<e@e>\n\r.\r".to_vec(),
            "a;ü\n".into(),
            b"Subject: a\n\n.\nb".to_vec(),
            "Subject: ä\r\n\r\nb".into(),
        ];
        let f = build(&d, &files, &stamp()).unwrap();
        assert!(!f.eight_bit);
        let m = parsed(&f.bytes);
        let found: Vec<_> = m.attachments().collect();
        assert_eq!(found.len(), 5);
        for (n, name) in [(0, "Jahresabschluß, 2024.pdf"), (1, "n  X: y.txt"), (2, "ü.csv"), (4, "mail8.eml")] {
            assert_eq!(mail_parser::MimeHeaders::attachment_name(found[n]), Some(name));
        }
        assert_eq!(found[0].contents(), files[0]);
        assert_eq!(found[1].contents(), files[1]);
        assert_eq!(found[2].contents(), files[2]);
        assert!(found[3].is_message());
        assert_eq!(found[4].contents(), files[4]);
        assert!(!text(&f).contains("/home/dana"));
        assert!(m.bcc().is_none());
        assert_eq!(build(&d, &[], &stamp()), Err(ComposeFault::Attachment));
    }

    #[test]
    fn text_comes_back() {
        let long = "ü".repeat(2_000);
        for body in ["日本語のメール", "x\n.\nMAIL FROM:<e@e>", "..\n.", "a\r.\rb", &long, &"y".repeat(3_000), ""] {
            for format in [Format::Flowed, Format::Fixed] {
                let f = build(&Draft { body: body.to_owned(), format, ..draft() }, &[], &stamp()).unwrap();
                let m = parsed(&f.bytes);
                let back = m.body_text(0).unwrap().replace("\r\n", "\n");
                assert_eq!(back.trim_end(), body.replace('\r', "\n").trim_end(), "{}", text(&f));
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_is_typed_the_bytes_are_sound(subject in "[\\x00-\\u{2fff}]{0,200}", name in "[\\x00-\\u{2fff}]{0,60}", body in "[\\x00-\\u{ff}\\r\\n]{0,300}", file in "[\\x00-\\u{2fff}]{0,40}", fixed: bool) {
            let mut d = draft();
            d.subject = subject;
            d.to[0].name = name;
            d.body = body;
            d.format = if fixed { Format::Fixed } else { Format::Flowed };
            d.attachments = vec![DraftAttachment { spool: String::new(), name: file.clone(), mime: file, size: 0 }];
            let f = build(&d, &[d.body.clone().into_bytes()], &stamp()).unwrap();
            prop_assert!(f.bytes.is_ascii());
            let names = headers(&f);
            prop_assert_eq!(names, ["From", "Subject", "Date", "Message-ID", "To", "MIME-Version", "Content-Type"]);
            let m = parsed(&f.bytes);
            prop_assert_eq!(m.attachments().count(), 1);
        }
    }
}
