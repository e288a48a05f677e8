//! parse — from bytes to a `Message`. The only file that names `mail_parser`.
//! Owns: `message`, `envelope`, `text`, `bytes`: whatever the bytes are, something comes out.
//! May import: base.
//! Start reading at: `message`. The structure comes from the crate, under `catch_unwind` and limits; the header fields of the
//! whole message from our own scan (`header.rs`), its text from our own decoding (`charset.rs`).

use super::address::Address;
use super::body::{Disposition, Encoding, Flaw, Kept, Kind, Message, Part, PartPath};
use super::envelope::{Envelope, MessageId};
use super::header::{self, Block, Field};
use super::{charset, encoded_word, transfer};
use crate::base::crash;
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::parsers::MessageStream;
use mail_parser::{DateTime, HeaderValue, MessageParser, MimeHeaders, PartType};
use std::collections::HashMap;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// The largest message whose structure is read, in bytes; a larger one is shown as text.
pub const MAX_MESSAGE: usize = 1024 * 1024 * 1024;
/// The most parts kept.
pub const MAX_PARTS: usize = 10_000;
/// The deepest part kept.
pub const MAX_DEPTH: u16 = 50;
/// The most addresses kept of one kind.
pub const MAX_ADDRESSES: usize = 10_000;

/// Parses a whole message. Never fails and never panics: bytes that are no mail come out as one part of plain text.
#[must_use]
pub fn message(raw: impl Into<Arc<[u8]>>) -> Message {
    let raw = raw.into();
    let block = header::scan(&raw);
    let mut flaws = Vec::new();
    // Line breaks of a lone CR are none in mail: all of it would be one header field.
    let broken = raw.contains(&b'\r') && !raw.contains(&b'\n');
    if broken || !is_mail(&block) {
        return plain(raw, Block::default(), vec![Flaw::NotMail]);
    }
    if block.cut {
        flaws.push(Flaw::HeadersCut);
    }
    if block.unseparated {
        flaws.push(Flaw::NoSeparator);
    }
    // A panic in the crate makes one message plain, not the program end.
    let tree = catch_unwind(AssertUnwindSafe(|| {
        crash::poison("parse", &raw);
        structure(&raw, &block)
    }));
    match tree {
        Ok(Some((parts, cut))) => {
            if cut {
                flaws.push(Flaw::PartsCut);
            }
            Message { envelope: envelope_of(&raw, &block.fields), raw, fields: block.fields, parts, flaws, whole: true }
        }
        Ok(None) | Err(_) => {
            flaws.push(Flaw::Unparsable);
            plain(raw, block, flaws)
        }
    }
}

/// A message that is not to be taken apart (security F-10): its header fields, and all that follows as text.
#[must_use]
pub fn as_it_came(raw: impl Into<Arc<[u8]>>) -> Message {
    let raw = raw.into();
    let block = header::scan(&raw);
    plain(raw, block, vec![Flaw::LeftOut])
}

/// The envelope of a header block, with or without a body behind it.
#[must_use]
pub fn envelope(raw: &[u8]) -> Envelope {
    envelope_of(raw, &header::scan(raw).fields)
}

/// `References` of a header block.
#[must_use]
pub fn references(raw: &[u8]) -> Vec<MessageId> {
    if raw.is_empty() { Vec::new() } else { ids_of(&header::scan(raw).fields, "references") }
}

/// The decoded bytes of a part.
#[must_use]
pub fn bytes(message: &Message, part: &Part) -> Vec<u8> {
    let encoded = message.encoded(part);
    match part.encoding {
        Encoding::Identity => encoded.to_vec(),
        Encoding::Base64 => transfer::base64(encoded),
        Encoding::QuotedPrintable => transfer::quoted_printable(encoded),
    }
}

/// The first decoded bytes of a part, from at most `max` encoded ones: to tell what it is.
#[must_use]
pub fn head(message: &Message, part: &Part, max: usize) -> Vec<u8> {
    let encoded = message.encoded(part);
    let encoded = encoded.get(..max).unwrap_or(encoded);
    match part.encoding {
        Encoding::Identity => encoded.to_vec(),
        Encoding::Base64 => transfer::base64(encoded),
        Encoding::QuotedPrintable => transfer::quoted_printable(encoded),
    }
}

/// The text of a part, in whatever charset it really is; line breaks are `\n`.
#[must_use]
pub fn text(message: &Message, part: &Part) -> String {
    let bytes = bytes(message, part);
    let declared = part.param("charset");
    // A few charsets that the Web has no name for (UTF-7, code page 850): only where they are declared.
    let text = match charset_decoder(declared.as_bytes()) {
        Some(decoder) if !charset::knows(declared) => catch_unwind(|| decoder(&bytes)).unwrap_or_default(),
        _ => charset::decode(&bytes, declared).0,
    };
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text }
}

/// The first addresses of a header field's raw value.
#[must_use]
pub fn addresses(raw: &[u8]) -> Vec<Address> {
    let mut joined = encoded_word::join_words(raw.get(..header::MAX_BLOCK).unwrap_or(raw));
    joined.push('\n');
    let parsed = catch_unwind(|| match MessageStream::new(joined.as_bytes()).parse_address() {
        HeaderValue::Address(list) => list
            .iter()
            .take(MAX_ADDRESSES)
            .map(|a| Address::new(a.name().unwrap_or_default().trim(), a.address().unwrap_or_default().trim()))
            .filter(|a| !a.addr.is_empty() || !a.name.is_empty())
            .collect(),
        _ => Vec::new(),
    });
    parsed.unwrap_or_default()
}

/// A `Date` field's value in seconds since 1970, if it is one.
#[must_use]
pub fn date(value: &str) -> Option<i64> {
    let line = format!("{}\n", value.get(..200).unwrap_or(value).trim());
    let date = catch_unwind(|| DateTime::parse_rfc822(&line).filter(DateTime::is_valid).map(|d| d.to_timestamp()));
    date.ok().flatten()
}

fn is_mail(block: &Block) -> bool {
    const KNOWN: [&str; 14] = [
        "from",
        "to",
        "cc",
        "subject",
        "date",
        "message-id",
        "received",
        "return-path",
        "mime-version",
        "content-type",
        "sender",
        "reply-to",
        "delivered-to",
        "content-transfer-encoding",
    ];
    block.fields.iter().any(|f| KNOWN.iter().any(|k| f.name.eq_ignore_ascii_case(k)))
}

/// All of it as text, where there is no structure to be had.
fn plain(raw: Arc<[u8]>, block: Block, flaws: Vec<Flaw>) -> Message {
    let part = Part {
        path: PartPath::new(vec![1]),
        parent: None,
        children: Vec::new(),
        kind: Kind::Plain,
        mime: "text/plain".to_owned(),
        params: Vec::new(),
        disposition: Disposition::Unsaid,
        name: None,
        content_id: None,
        description: None,
        encoding: Encoding::Identity,
        header: block.start..block.body,
        body: block.body..raw.len(),
        kept: Kept::Within,
    };
    Message { envelope: envelope_of(&raw, &block.fields), raw, fields: block.fields, parts: vec![part], flaws, whole: true }
}

fn envelope_of(raw: &[u8], fields: &[Field]) -> Envelope {
    let people = |name: &str| {
        let mut all = Vec::new();
        for field in header::named(fields, name) {
            all.extend(addresses(raw.get(field.range.clone()).unwrap_or_default()));
            all.truncate(MAX_ADDRESSES);
        }
        all
    };
    let ids = |name: &str| ids_of(fields, name);
    Envelope {
        date: header::named(fields, "date").next().and_then(|f| date(&f.value)),
        subject: header::named(fields, "subject").next().map(|f| f.value.clone()).unwrap_or_default(),
        from: people("from"),
        sender: people("sender"),
        reply_to: people("reply-to"),
        to: people("to"),
        cc: people("cc"),
        bcc: people("bcc"),
        message_id: ids("message-id").into_iter().next(),
        in_reply_to: ids("in-reply-to"),
        references: ids("references"),
    }
}

/// The newest ids of all fields of that name.
fn ids_of(fields: &[Field], name: &str) -> Vec<MessageId> {
    let mut all: Vec<MessageId> = header::named(fields, name).flat_map(|f| message_ids(&f.value)).collect();
    let extra = all.len().saturating_sub(Envelope::MAX_REFERENCES);
    all.drain(..extra);
    all
}

/// The ids in a field: all in angle brackets, or, without any, the words that look like ids.
fn message_ids(value: &str) -> Vec<MessageId> {
    if value.contains('<') {
        return value.split('<').skip(1).filter_map(|p| p.split('>').next()).filter_map(MessageId::new).collect();
    }
    value.split_whitespace().filter(|w| w.contains('@')).filter_map(MessageId::new).collect()
}

/// A message of the crate and where it hangs in our tree.
struct Nested<'x> {
    message: mail_parser::Message<'x>,
    /// The messages inside, by the number of the part that holds them.
    inside: HashMap<usize, usize>,
}

/// The parts in our form, and whether some were left out.
fn structure(raw: &[u8], block: &Block) -> Option<(Vec<Part>, bool)> {
    if raw.len() > MAX_MESSAGE {
        return None;
    }
    // Where the blank line is missing, the crate would read the body as fields: give it one.
    let mended = block.unseparated.then(|| {
        let (head, body) = raw.split_at(block.body);
        [head, b"\n", body].concat()
    });
    let shift = |offset: u32| {
        let offset = offset as usize;
        if mended.is_some() && offset > block.body { offset - 1 } else { offset.min(raw.len()) }
    };
    let parsed = MessageParser::new().with_mime_headers().default_header_ignore().parse(mended.as_deref().unwrap_or(raw))?;
    let mut messages = dismantle(parsed);
    let mut parts = Vec::new();
    let mut cut = false;
    // Depth first, without recursion: (message, part, parent, path, depth).
    let mut todo = vec![(0usize, 0usize, None, PartPath::default(), 0u16)];
    while let Some((m, id, parent, path, depth)) = todo.pop() {
        if parts.len() >= MAX_PARTS || depth > MAX_DEPTH {
            cut = true;
            continue;
        }
        let Some(part) = messages.get_mut(m).and_then(|n| n.message.parts.get_mut(id)) else { continue };
        let range = |from: u32, to: u32| shift(from)..shift(to).max(shift(from));
        let children = match &part.body {
            PartType::Multipart(ids) => ids.iter().map(|i| *i as usize).filter(|i| *i > id).collect(),
            _ => Vec::new(),
        };
        let mut ours = convert(part, range(part.offset_header, part.offset_body), range(part.offset_body, part.offset_end));
        if ours.kind == Kind::Multipart && children.is_empty() {
            // A multipart without a boundary is text that says it is none.
            ours.kind = Kind::Plain;
        }
        // The root of a message that is no multipart is part 1 of it.
        ours.path = if id == 0 && ours.kind != Kind::Multipart { path.child(1) } else { path };
        ours.parent = parent;
        let (index, path, kind) = (parts.len(), ours.path.clone(), ours.kind);
        parts.push(ours);
        if let Some(parent) = parent
            && let Some(parent) = parts.get_mut(parent)
        {
            let parent: &mut Part = parent;
            parent.children.push(index);
        }
        if kind == Kind::Multipart {
            for (n, child) in children.iter().enumerate().rev() {
                todo.push((m, *child, Some(index), path.child(n as u32 + 1), depth + 1));
            }
        } else if let Some(inside) = messages.get(m).and_then(|n| n.inside.get(&id)) {
            todo.push((*inside, 0, Some(index), path, depth + 1));
        }
    }
    (!parts.is_empty()).then_some((parts, cut))
}

/// Takes nested messages out of one another, so that nothing recurses over a depth that the sender chose, not even `drop`.
fn dismantle(whole: mail_parser::Message<'_>) -> Vec<Nested<'_>> {
    let mut all = vec![Nested { message: whole, inside: HashMap::new() }];
    let mut at = 0;
    while let Some(nested) = all.get_mut(at) {
        let mut found = Vec::new();
        for (id, part) in nested.message.parts.iter_mut().enumerate() {
            if let PartType::Message(inner) = &mut part.body {
                let inner = std::mem::take(inner);
                // An encoded message inside is bytes of its own: its offsets are not ours. It is opened apart.
                if part.encoding == mail_parser::Encoding::None {
                    found.push((id, inner));
                }
            }
        }
        for (id, inner) in found {
            let number = all.len();
            all.push(Nested { message: inner, inside: HashMap::new() });
            if let Some(nested) = all.get_mut(at) {
                nested.inside.insert(id, number);
            }
        }
        at += 1;
    }
    all
}

fn convert(part: &mail_parser::MessagePart<'_>, header: Range<usize>, body: Range<usize>) -> Part {
    let content_type = part.content_type();
    let mime = content_type.map_or_else(
        || if part.is_message() { "message/rfc822".to_owned() } else { "text/plain".to_owned() },
        |c| format!("{}/{}", c.ctype(), c.subtype().unwrap_or_default()).to_ascii_lowercase(),
    );
    let kind = match (&part.body, mime.as_str()) {
        (PartType::Multipart(_), _) => Kind::Multipart,
        (PartType::Message(_), _) | (_, "message/rfc822" | "message/global") => Kind::Message,
        (_, "text/plain" | "text/" | "text") => Kind::Plain,
        (PartType::Text(_), m) if !m.contains('/') || m.ends_with('/') => Kind::Plain,
        (_, "text/html" | "application/xhtml+xml") => Kind::Html,
        (_, m) if m.starts_with("text/") || m.starts_with("message/") => Kind::Text,
        _ => Kind::Data,
    };
    let disposition = match part.content_disposition() {
        None => Disposition::Unsaid,
        Some(d) if d.is_inline() => Disposition::Inline,
        Some(_) => Disposition::Attachment,
    };
    // Names are often encoded words, which no standard allows here.
    let name = part
        .content_disposition()
        .and_then(|d| d.attribute("filename"))
        .or_else(|| content_type.and_then(|c| c.attribute("name")))
        .map(|n| encoded_word::decode_text(n.get(..header::MAX_VALUE).unwrap_or(n).as_bytes()))
        .filter(|n| !n.trim().is_empty());
    let encoding = match part.encoding {
        mail_parser::Encoding::None => Encoding::Identity,
        mail_parser::Encoding::Base64 => Encoding::Base64,
        mail_parser::Encoding::QuotedPrintable => Encoding::QuotedPrintable,
    };
    Part {
        path: PartPath::default(),
        parent: None,
        children: Vec::new(),
        kind,
        mime,
        params: content_type
            .and_then(|c| c.attributes())
            .map(|all| all.iter().take(100).map(|a| (a.name.to_ascii_lowercase(), a.value.to_string())).collect())
            .unwrap_or_default(),
        disposition,
        name,
        content_id: part.content_id().map(|id| id.trim_matches(['<', '>']).to_owned()),
        description: part.content_description().map(|d| encoded_word::decode_text(d.as_bytes())),
        encoding,
        header,
        body,
        kept: Kept::Within,
    }
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
