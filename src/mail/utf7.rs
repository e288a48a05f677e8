//! utf7 — text in the ASCII of mailbox names: modified UTF-7 (RFC 3501, 5.1.3).
//! Owns: `decode`, `encode`.
//! May import: nothing.
//! Start reading at: `decode`. Tested with names in `mailbox.rs` and labels in `flags.rs`.

/// Decodes. Nothing for what is malformed: then it is shown as it is.
#[must_use]
pub fn decode(name: &str) -> Option<String> {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(start) = rest.find('&') {
        out.push_str(rest.get(..start)?);
        let tail = rest.get(start + 1..)?;
        let end = tail.find('-')?;
        let code = tail.get(..end)?;
        if code.is_empty() {
            out.push('&');
        } else {
            let bytes = base64_bits(code)?;
            let units: Vec<u16> =
                bytes.chunks_exact(2).filter_map(|c| Some(u16::from_be_bytes([*c.first()?, *c.get(1)?]))).collect();
            out.push_str(&String::from_utf16(&units).ok()?);
        }
        rest = tail.get(end + 1..)?;
    }
    out.push_str(rest);
    Some(out)
}

/// Encodes as a mailbox name: printable ASCII stands for itself.
#[must_use]
pub fn encode(name: &str) -> String {
    encode_but(name, |c| (' '..='~').contains(&c))
}

/// Encodes so that only what is `plain` stands for itself.
pub(super) fn encode_but(name: &str, plain: impl Fn(char) -> bool) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";
    let mut out = String::with_capacity(name.len());
    let mut wide: Vec<u16> = Vec::new();
    let flush = |wide: &mut Vec<u16>, out: &mut String| {
        if wide.is_empty() {
            return;
        }
        out.push('&');
        let (mut bits, mut count) = (0u32, 0u32);
        for byte in wide.drain(..).flat_map(u16::to_be_bytes) {
            bits = (bits << 8) | u32::from(byte);
            count += 8;
            while count >= 6 {
                count -= 6;
                out.push(char::from(ALPHABET[(bits >> count) as usize & 63]));
            }
        }
        if count > 0 {
            out.push(char::from(ALPHABET[(bits << (6 - count)) as usize & 63]));
        }
        out.push('-');
    };
    for c in name.chars() {
        if plain(c) {
            flush(&mut wide, &mut out);
            out.push(c);
            if c == '&' {
                out.push('-');
            }
        } else {
            wide.extend_from_slice(c.encode_utf16(&mut [0; 2]));
        }
    }
    flush(&mut wide, &mut out);
    out
}

/// The bytes of unpadded base64 with `,` for `/`. Nothing for a foreign letter.
fn base64_bits(code: &str) -> Option<Vec<u8>> {
    let (mut bits, mut count, mut out) = (0u32, 0u32, Vec::new());
    for b in code.bytes() {
        let value = match b {
            b'A'..=b'Z' => b - b'A',
            b'a'..=b'z' => b - b'a' + 26,
            b'0'..=b'9' => b - b'0' + 52,
            b'+' => 62,
            b',' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    Some(out)
}
