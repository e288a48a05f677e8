//! structure — BODYSTRUCTURE, as far as a list row wants it: the names of attachments.
//! Owns: `attachments`. May import: mail, base.
//! Start reading at: `attachments`. Once the message itself is here its own structure wins (security S-28).

use super::value::Value;
use crate::mail::charset;
use crate::mail::claim::{Leaf, MAX_FILES, MAX_NAME};
use crate::mail::encoded_word::decode_text;

/// The most pieces of one parameter.
const MAX_PIECES: usize = 100;

/// The names of what a person would call attachments; "" for one without a name.
#[must_use]
pub fn attachments(body: &Value<'_>) -> Vec<String> {
    let mut out = Vec::new();
    walk(body, false, &mut out);
    out
}

fn walk(part: &Value<'_>, related: bool, out: &mut Vec<String>) {
    let items = part.items();
    if out.len() >= MAX_FILES {
        return;
    }
    if matches!(items.first(), Some(Value::List(_))) {
        let subtype = items.iter().find(|v| !matches!(v, Value::List(_)));
        let related = subtype.and_then(Value::text).is_some_and(|t| t.eq_ignore_ascii_case("related"));
        for child in items.iter().take_while(|v| matches!(v, Value::List(_))) {
            walk(child, related, out);
        }
        return;
    }
    let lower = |n: usize| items.get(n).and_then(Value::text).unwrap_or_default().to_ascii_lowercase();
    let mime = format!("{}/{}", lower(0), lower(1));
    // Extension data follow the seven basic fields, the line count of texts, three more fields of a message.
    let extension = match mime.as_str() {
        "message/rfc822" | "message/global" => 10,
        m if m.starts_with("text/") => 8,
        _ => 7,
    };
    let disposition = items.get(extension + 1).map(Value::items).unwrap_or_default();
    let attached = disposition.first().and_then(Value::text).is_some_and(|t| t.eq_ignore_ascii_case("attachment"));
    let name =
        disposition.get(1).and_then(|p| parameter(p, "filename")).or_else(|| items.get(2).and_then(|p| parameter(p, "name")));
    let identified = items.get(3).and_then(Value::text).is_some_and(|id| !id.trim_matches(['<', '>', ' ']).is_empty());
    if (Leaf { mime: &mime, attached, named: name.is_some(), identified, related }).is_file() {
        out.push(name.unwrap_or_default().chars().take(MAX_NAME).collect());
    }
}

/// A parameter, also when it is extended or in pieces (RFC 2231).
pub(super) fn parameter<'a>(list: &Value<'a>, name: &str) -> Option<String> {
    // What stands behind the name in a key that begins with it.
    let rest = |key: &Value<'a>| {
        let (head, rest) = key.bytes()?.split_at_checked(name.len())?;
        head.eq_ignore_ascii_case(name.as_bytes()).then_some(rest)
    };
    let get = |end: &str| {
        let pair = list.items().chunks_exact(2).find(|p| p.first().and_then(rest).is_some_and(|rest| rest == end.as_bytes()));
        pair?.get(1)?.bytes()
    };
    // Most lists have none of that name: then nothing is put together to look for its pieces.
    if !list.items().iter().step_by(2).any(|key| rest(key).is_some()) {
        return None;
    }
    if let Some(value) = get("*") {
        return Some(extended(value));
    }
    if let Some(value) = get("") {
        return Some(decode_text(value));
    }
    let (mut joined, mut is_extended) = (Vec::new(), false);
    for n in 0..MAX_PIECES {
        if let Some(piece) = get(&format!("*{n}*")) {
            is_extended = true;
            joined.extend_from_slice(piece);
        } else if let Some(piece) = get(&format!("*{n}")) {
            joined.extend_from_slice(piece);
        } else {
            break;
        }
    }
    (!joined.is_empty()).then(|| if is_extended { extended(&joined) } else { decode_text(&joined) })
}

/// `charset'language'percent-encoded`.
fn extended(value: &[u8]) -> String {
    let mut parts = value.splitn(3, |b| *b == b'\'');
    let (label, text) = match (parts.next(), parts.next(), parts.next()) {
        (Some(label), Some(_), Some(text)) => (String::from_utf8_lossy(label).into_owned(), text),
        _ => (String::new(), value),
    };
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        let code = tail.get(..2).and_then(|h| std::str::from_utf8(h).ok()).filter(|h| h.bytes().all(|b| b.is_ascii_hexdigit()));
        match code.and_then(|h| u8::from_str_radix(h, 16).ok()) {
            Some(octet) if *first == b'%' => {
                octets.push(octet);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                octets.push(*first);
                rest = tail;
            }
        }
    }
    charset::decode(&octets, &label).0
}

#[cfg(test)]
mod tests {
    use super::super::value;
    use super::*;

    fn names(text: &str) -> Vec<String> {
        attachments(&value::parse(text.as_bytes(), &value::Room::new())[0])
    }

    #[test]
    fn what_people_call_attachments() {
        let text = "(\"text\" \"plain\" (\"charset\" \"utf-8\") NIL NIL \"7bit\" 5 1 NIL NIL NIL NIL)";
        let pdf = "(\"application\" \"pdf\" (\"name\" \"x.pdf\") NIL NIL \"base64\" 5 NIL (\"attachment\" (\"filename*\" \"utf-8''B%C3%A4r.pdf\")) NIL NIL)";
        assert_eq!(names(&format!("({text}{pdf} \"mixed\" (\"boundary\" \"b\") NIL NIL)")), ["Bär.pdf"]);
        assert!(names(text).is_empty());
        let logo = "(\"image\" \"png\" (\"name\" \"logo.png\") \"<l@x>\" NIL \"base64\" 5 NIL (\"inline\" (\"filename\" \"logo.png\")) NIL NIL)";
        assert!(names(&format!("({text}{logo} \"related\" NIL NIL NIL)")).is_empty());
        assert_eq!(names(&format!("({text}{logo} \"mixed\" NIL NIL NIL)")), ["logo.png"]);
        let signature = "(\"application\" \"pgp-signature\" (\"name\" \"s.asc\") NIL NIL \"7bit\" 5 NIL NIL NIL NIL)";
        assert!(names(&format!("({text}{signature} \"signed\" NIL NIL NIL)")).is_empty());
    }

    #[test]
    fn pieces_and_bombs() {
        let p = "(\"a\" \"b\" NIL NIL NIL \"7bit\" 1 NIL (\"attachment\" (\"filename*0*\" \"utf-8''%41\" \"filename*1\" \"b.txt\")) NIL)";
        assert_eq!(names(p), ["Ab.txt"]);
        let many = format!("({}\"mixed\")", "(\"a\" \"b\" NIL NIL NIL \"7bit\" 1 NIL (\"attachment\" NIL) NIL)".repeat(5_000));
        assert_eq!(names(&many).len(), MAX_FILES);
        assert!(names(&"(".repeat(90)).is_empty());
        assert_eq!(extended(b"''%zz%4"), "%zz%4");
    }
}
