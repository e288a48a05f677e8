//! charset — from bytes of an uncertain charset to text.
//! Owns: `decode`: the declared charset where it fits, else the likeliest one.
//! May import: base.
//! Start reading at: `decode`. The result never holds a charset's own escape sequences. UTF-7 is never guessed (security M-45).

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// The detector looks at this much of a text; more costs time and does not change its mind.
const MAX_SAMPLE: usize = 64 * 1024;

/// Decodes `bytes`, labelled `declared` ("" for no label). Returns the text and the name of the charset used.
///
/// The declared charset holds if the bytes are valid in it. US-ASCII and unknown labels say nothing once a byte is
/// above 127: then UTF-8 if it fits, else the likeliest charset by statistics.
#[must_use]
pub fn decode(bytes: &[u8], declared: &str) -> (String, &'static str) {
    let label = declared.trim().trim_matches('"');
    if bytes.is_ascii() && !escapes(bytes, label) && !wide(label) {
        return (String::from_utf8_lossy(bytes).into_owned(), "us-ascii");
    }
    let known = known(label);
    if let Some(encoding) = known {
        let (text, wrong) = encoding.decode_without_bom_handling(bytes);
        if !wrong {
            return (strip_bom(&text), encoding.name());
        }
    }
    // ISO-2022-JP is ASCII with escapes; nothing else looks like it.
    if known.is_none() && bytes.is_ascii() && bytes.contains(&0x1b) {
        let (text, wrong) = encoding_rs::ISO_2022_JP.decode_without_bom_handling(bytes);
        if !wrong {
            return (text.into_owned(), encoding_rs::ISO_2022_JP.name());
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return (strip_bom(text), UTF_8.name());
    }
    if let Some((encoding, skip)) = Encoding::for_bom(bytes) {
        let (text, _) = encoding.decode_without_bom_handling(bytes.get(skip..).unwrap_or_default());
        return (text.into_owned(), encoding.name());
    }
    // One bad byte in a long text of the declared charset is a wound, not another charset.
    if let Some(encoding) = known {
        let (text, _) = encoding.decode_without_bom_handling(bytes);
        let wounds = text.chars().filter(|c| *c == char::REPLACEMENT_CHARACTER).count();
        let signs = text.chars().filter(|c| !c.is_ascii()).count();
        if encoding != UTF_8 || wounds * 5 < signs {
            return (strip_bom(&text), encoding.name());
        }
    }
    let encoding = guess(bytes);
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    (text.into_owned(), encoding.name())
}

/// Whether the label names a charset that [`decode`] knows, or none at all.
#[must_use]
pub fn knows(label: &str) -> bool {
    let label = label.trim().trim_matches('"').to_ascii_lowercase();
    known(&label).is_some()
        || label.is_empty()
        || label.contains("ascii")
        || label.contains("unknown")
        || label.starts_with("ansi")
}

/// The charset that a label names; nothing for US-ASCII, unknown ones and labels that say nothing.
fn known(label: &str) -> Option<&'static Encoding> {
    let lower = label.to_ascii_lowercase();
    // RFC 2231 allows `utf-8*en` in encoded words; mails also write `charset=utf8mb4`, `cp932`, `ks_c_5601-1987`.
    let lower = lower.split('*').next().unwrap_or_default();
    match lower {
        "" | "us-ascii" | "ascii" | "ansi_x3.4-1968" | "unknown-8bit" | "unknown" | "x-unknown" | "default"
        | "default_charset" => None,
        "cp932" | "ms932" | "windows-932" => Some(encoding_rs::SHIFT_JIS),
        "cp949" | "ms949" | "ks_c_5601" => Some(encoding_rs::EUC_KR),
        "cp936" | "gb18030-2000" | "x-gbk" => Some(encoding_rs::GB18030),
        "cp950" => Some(encoding_rs::BIG5),
        "utf8mb4" | "utf-8mb4" | "x-utf-8" => Some(UTF_8),
        "iso-2022-jp-1" | "iso-2022-jp-2" | "iso-2022-jp-ms" | "cp50220" | "cp50221" => Some(encoding_rs::ISO_2022_JP),
        "latin-1" | "iso8859_1" => Some(WINDOWS_1252),
        other => Encoding::for_label(other.as_bytes()).filter(|e| *e != encoding_rs::REPLACEMENT),
    }
}

/// Whether the charset is made of ASCII bytes that do not mean ASCII.
fn escapes(bytes: &[u8], label: &str) -> bool {
    let lower = label.to_ascii_lowercase();
    (lower.starts_with("iso-2022") || lower == "hz-gb-2312" || lower.starts_with("cp5022") || lower.starts_with("csiso2022"))
        || (known(label).is_none() && bytes.contains(&0x1b))
}

fn wide(label: &str) -> bool {
    label.get(..5).is_some_and(|l| l.eq_ignore_ascii_case("utf-1") || l.eq_ignore_ascii_case("utf16"))
}

fn guess(bytes: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(bytes.get(..MAX_SAMPLE).unwrap_or(bytes), true);
    detector.guess(None, Utf8Detection::Deny)
}

fn strip_bom(text: &str) -> String {
    text.strip_prefix('\u{feff}').unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declared_charset_that_fits_holds() {
        assert_eq!(decode(b"Gr\xfc\xdfe", "iso-8859-1").0, "Grüße");
        assert_eq!(decode("Grüße".as_bytes(), "UTF-8").0, "Grüße");
        assert_eq!(decode(b"\x1b$B4A;z\x1b(B", "ISO-2022-JP").0, "漢字");
        assert_eq!(decode(b"\x80", "windows-1252").0, "€");
    }

    #[test]
    fn a_missing_or_wrong_charset_is_repaired() {
        assert_eq!(decode("Grüße aus Köln".as_bytes(), "us-ascii").0, "Grüße aus Köln");
        assert_eq!(decode("Grüße".as_bytes(), "").0, "Grüße");
        assert_eq!(decode(b"\xcf\xf0\xe8\xe2\xe5\xf2, \xea\xe0\xea \xe4\xe5\xeb\xe0?", "").0, "Привет, как дела?");
        assert_eq!(decode(b"caf\xe9 au lait, s'il vous pla\xeet", "utf-8").0, "café au lait, s'il vous plaît");
    }

    #[test]
    fn escape_sequences_of_a_charset_do_not_come_through() {
        let (text, _) = decode(b"\x1b$B4A;z", "iso-2022-jp");
        assert!(!text.contains('\x1b'));
        // Declared as nothing, written as ISO-2022-JP.
        assert_eq!(decode(b"\x1b$B4A;z\x1b(B", "").0, "漢字");
    }

    #[test]
    fn utf7_is_never_guessed() {
        assert_eq!(decode(b"+ADw-script+AD4-", "").0, "+ADw-script+AD4-");
    }
}
