//! encoded_word — text in header fields (RFC 2047), decoded as people wrote it rather than as the standard wanted it.
//! Owns: `decode_text`, `join_words`.
//! May import: base.
//! Start reading at: `decode_text`. Decoded text is never read as syntax again (security M-07).

use super::{charset, transfer};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

/// Decodes a header field's value: raw 8-bit text is repaired, adjacent encoded words are joined before decoding, so
/// that a character split between two words comes out whole. Line folds become a space; nothing else is changed.
#[must_use]
pub fn decode_text(raw: &[u8]) -> String {
    decoded(raw).into_owned()
}

/// The same, of the bytes themselves where there is nothing to decode.
#[must_use]
pub fn decoded(raw: &[u8]) -> Cow<'_, str> {
    if let Some(plain) = plain(raw) {
        return plain.trim().into();
    }
    let mut out = String::with_capacity(raw.len());
    walk(&unfold(raw), |piece| match piece {
        Piece::Plain(text) => out.push_str(text),
        Piece::Word(text) => out.push_str(&text),
    });
    out.trim().to_owned().into()
}

/// Text that says just what it says, as nearly all does: no fold, no escape, no encoded word, no letter beyond ASCII.
fn plain(raw: &[u8]) -> Option<&str> {
    let odd = raw.iter().fold(false, |odd, b| odd | !b.is_ascii() | matches!(b, b'\r' | b'\n' | 0x0e | 0x0f | 0x1b));
    let text = if odd { None } else { std::str::from_utf8(raw).ok() };
    text.filter(|text| !text.contains("=?"))
}

/// Rewrites a header field for a parser of structure: raw 8-bit text becomes UTF-8, each run of encoded words becomes one
/// word in UTF-8, so that structure is read before anything is decoded.
#[must_use]
pub fn join_words(raw: &[u8]) -> String {
    let mut out = String::with_capacity(raw.len());
    walk(&unfold(raw), |piece| match piece {
        Piece::Plain(text) => out.push_str(text),
        Piece::Word(text) => {
            out.push_str("=?utf-8?B?");
            STANDARD.encode_string(text, &mut out);
            out.push_str("?=");
        }
    });
    out
}

/// Text of a field without its line folds, in UTF-8.
#[must_use]
pub fn unfold(raw: &[u8]) -> String {
    let text = charset::decode(raw, "").0;
    if !text.contains(['\r', '\n']) {
        return text;
    }
    text.split('\n').map(|l| l.strip_suffix('\r').unwrap_or(l)).collect::<Vec<_>>().join("").trim_end().to_owned()
}

enum Piece<'a> {
    Plain(&'a str),
    Word(String),
}

/// One encoded word: charset, its bytes, and the length it took in the text.
struct Word<'a> {
    charset: &'a str,
    bytes: Vec<u8>,
    len: usize,
}

fn walk(text: &str, mut give: impl FnMut(Piece<'_>)) {
    // Words of the same charset that touch (white space between two words means nothing) are gathered here.
    let mut run: Option<(String, Vec<u8>)> = None;
    let mut plain = 0;
    let mut at = 0;
    // Beyond the last end of a word there is none: so each search below finds something, and the whole is linear.
    let last = text.rfind("?=").unwrap_or(0);
    while let Some(found) = text.get(at..last).and_then(|t| t.find("=?")) {
        let start = at + found;
        let Some(word) = text.get(start..).and_then(word) else {
            at = start + 2;
            continue;
        };
        let between = text.get(plain..start).unwrap_or_default();
        match &mut run {
            Some((charset, bytes)) if between.trim().is_empty() => {
                if charset.eq_ignore_ascii_case(word.charset) {
                    bytes.extend_from_slice(&word.bytes);
                } else {
                    give(Piece::Word(charset::decode(bytes, charset).0));
                    run = Some((word.charset.to_owned(), word.bytes));
                }
            }
            _ => {
                if let Some((charset, bytes)) = run.take() {
                    give(Piece::Word(charset::decode(&bytes, &charset).0));
                }
                give(Piece::Plain(between));
                run = Some((word.charset.to_owned(), word.bytes));
            }
        }
        at = start + word.len;
        plain = at;
    }
    if let Some((charset, bytes)) = run {
        give(Piece::Word(charset::decode(&bytes, &charset).0));
    }
    give(Piece::Plain(text.get(plain..).unwrap_or_default()));
}

/// The encoded word at the start of `text`, leniently: spaces inside and missing padding are taken.
fn word(text: &str) -> Option<Word<'_>> {
    let rest = text.strip_prefix("=?")?;
    let (charset, rest) = rest.split_once('?')?;
    if charset.is_empty() || charset.len() > 60 || charset.contains(char::is_whitespace) {
        return None;
    }
    let encoding = rest.chars().next()?;
    let data = rest.get(encoding.len_utf8()..)?.strip_prefix('?')?;
    if !matches!(encoding, 'b' | 'B' | 'q' | 'Q') {
        return None;
    }
    let (data, _) = data.split_once("?=")?;
    let bytes = if matches!(encoding, 'b' | 'B') {
        transfer::base64(data.as_bytes())
    } else {
        let mut out = Vec::with_capacity(data.len());
        transfer::escapes(data.as_bytes(), true, &mut out);
        out
    };
    Some(Word { charset, bytes, len: 2 + charset.len() + 3 + data.len() + 2 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_decode() {
        assert_eq!(decode_text(b"=?iso-8859-1?q?this=20is=20some=20text?="), "this is some text");
        assert_eq!(decode_text(b"Re: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= =?utf-8?q?_aus?= Ulm"), "Re: Grüße aus Ulm");
        assert_eq!(decode_text(b"a =?x?=?= b"), "a =?x?=?= b");
        assert_eq!(decode_text(b"folded\r\n =?us-ascii?q?text?="), "folded text");
        assert_eq!(decode_text(b"=?utf-8*en?b?w6Q=?="), "ä");
    }

    #[test]
    fn a_character_split_between_words_is_whole() {
        assert_eq!(decode_text(b"=?utf-8?B?w6TD?= =?utf-8?B?pMOk?="), "äää");
        assert_eq!(decode_text(b"=?utf-8?Q?=C3?=\r\n =?utf-8?Q?=A4?="), "ä");
    }

    #[test]
    fn raw_text_is_repaired() {
        assert_eq!(decode_text("Grüße".as_bytes()), "Grüße");
        assert_eq!(decode_text(b"Pri\xe8re de r\xe9pondre"), "Prière de répondre");
    }

    #[test]
    fn decoded_text_is_not_syntax() {
        let joined = join_words(b"=?utf-8?b?PGFkbWluQGxlZ2l0Pg==?=,<b@attack>");
        assert!(!joined.contains("admin"), "{joined}");
        // A word that decodes to the look of another word is decoded once.
        assert_eq!(decode_text(b"=?us-ascii?q?=3D=3Futf-8=3Fq=3Fx=3F=3D?="), "=?utf-8?q?x?=");
    }

    #[test]
    fn many_words_take_little_time() {
        let raw = b"=?utf-8?q?a?= ".repeat(100_000);
        assert_eq!(decode_text(&raw).len(), 100_000);
        let opened = b"=?utf-8?q?".repeat(100_000);
        assert!(!decode_text(&opened).is_empty());
    }
}
