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
    let mut mail = begin(draft, written(std::slice::from_ref(&draft.from))?, stamp, &message_id);
    for (name, list) in [("To", &draft.to), ("Cc", &draft.cc)] {
        if !list.is_empty() {
            mail = mail.header(name, written(list)?);
        }
    }
    if draft.to.is_empty() && draft.cc.is_empty() {
        mail = mail.to(Written::new_group(Some("undisclosed-recipients"), Vec::new()));
    }
    let bytes = end(mail, draft, files, stamp)?;
    Ok(Frozen { eight_bit: !bytes.is_ascii(), bytes, message_id, sender, recipients, subject: one_line(&draft.subject) })
}

/// An unfinished mail as a message, to lie in Drafts where other programs find it: with `Bcc`, and with half-typed
/// recipients as names without an address.
///
/// # Errors
/// As [`build`], but any recipient will do.
pub fn unfinished(draft: &Draft, files: &[Vec<u8>], stamp: &Stamp) -> Result<(Vec<u8>, MessageId), ComposeFault> {
    if files.len() != draft.attachments.len() {
        return Err(ComposeFault::Attachment);
    }
    let message_id = stamp.message_id(&draft.from.addr).or_else(|| stamp.message_id("draft@localhost"));
    let message_id = message_id.ok_or(ComposeFault::Broken("no Message-ID"))?;
    let mut mail = begin(draft, half_typed(std::slice::from_ref(&draft.from)), stamp, &message_id);
    for (name, list) in [("To", &draft.to), ("Cc", &draft.cc), ("Bcc", &draft.bcc)] {
        if !list.is_empty() {
            mail = mail.header(name, half_typed(list));
        }
    }
    Ok((end(mail, draft, files, stamp)?, message_id))
}

/// The headers that do not depend on whether the mail is finished.
fn begin(draft: &Draft, from: Written<'static>, stamp: &Stamp, message_id: &MessageId) -> MessageBuilder<'static> {
    MessageBuilder::new()
        .from(from)
        .subject(Text::new(one_line(&draft.subject)))
        .date(Date::new(stamp.date))
        .message_id(Ids::new(message_id.as_str().to_owned()))
}

/// What it answers.
fn tie(mut mail: MessageBuilder<'static>, draft: &Draft) -> MessageBuilder<'static> {
    if let Some(id) = draft.in_reply_to.as_ref().filter(|id| plain_id(id)) {
        mail = mail.in_reply_to(Ids::new(id.as_str().to_owned()));
    }
    let chain: Vec<String> = draft.references.iter().filter(|id| plain_id(id)).map(|id| id.as_str().to_owned()).collect();
    if chain.is_empty() { mail } else { mail.references(Ids::new_list(chain.into_iter())) }
}

/// Puts text and files below the headers, and looks at the whole once more.
fn end(mail: MessageBuilder<'static>, draft: &Draft, files: &[Vec<u8>], stamp: &Stamp) -> Result<Vec<u8>, ComposeFault> {
    let text = text_part(draft);
    let body = if files.is_empty() {
        text
    } else {
        let parts = draft.attachments.iter().zip(files).map(|(a, bytes)| file_part(a, bytes));
        let kind = ContentType::new("multipart/mixed").attribute("boundary", format!("=_{}", stamp.hex()));
        MimePart::new(kind, std::iter::once(text).chain(parts).collect::<Vec<_>>())
    };
    let bytes = tie(mail, draft).body(body).write_to_vec().map_err(|_| ComposeFault::Broken("no memory"))?;
    sound(&bytes)?;
    Ok(bytes)
}

/// Addresses as far as they are some; what is none stands as a name.
fn half_typed(list: &[Address]) -> Written<'static> {
    let one = |a: &Address| match wire(&a.addr) {
        Ok(addr) => Written::new_address(Some(one_line(&a.name)).filter(|n| !n.is_empty()), addr),
        Err(_) => Written::new_address(Some(one_line(&format!("{} {}", a.name, a.addr))), ""),
    };
    Written::new_list(list.iter().map(one).collect())
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
#[path = "compose_tests.rs"]
mod tests;
