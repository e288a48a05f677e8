//! input — bytes from the terminal to keys, pastes and mouse events, however the bytes were split on the way.
//! Owns: `Decoder`. May import: app::key.
//! Start reading at: `Decoder::feed`. A lone Esc is a key only when nothing follows it for `ESC_WAIT` (decisions 19): over a
//! slow line `Esc [ A` comes in pieces, and three keys would be a disaster (`A` is a command).

use crate::app::key::{Code, Key};
use std::time::Duration;

/// How long after an Esc more bytes may follow that belong to it.
pub const ESC_WAIT: Duration = Duration::from_millis(50);

/// The longest control sequence that is waited for; a longer one is no key.
const MAX_SEQUENCE: usize = 256;
/// The most that is kept of one paste, in bytes.
const MAX_PASTE: usize = 16 << 20;
const PASTE_END: &[u8] = b"\x1b[201~";

/// What came in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Input {
    /// A key.
    Key(Key),
    /// Text that was pasted, with line feeds.
    Paste(String),
    /// The mouse, at column and row from 0.
    Mouse(Mouse, u16, u16),
    /// The terminal's background, as it answered: 16 bits each of red, green and blue.
    Background(u16, u16, u16),
}

/// What the mouse did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mouse {
    /// The left button was pressed.
    Press,
    /// The wheel was turned away.
    WheelUp,
    /// The wheel was turned to the person.
    WheelDown,
}

/// Gathers bytes until they mean something.
#[derive(Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    paste: Option<Vec<u8>>,
}

/// What the bytes at the front are.
enum Front {
    /// Something, so many bytes long.
    Whole(usize, Option<Input>),
    /// The beginning of something.
    Part,
}

impl Decoder {
    /// Takes bytes in and gives out what is complete.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<Input>) {
        self.buffer.extend_from_slice(bytes);
        loop {
            if self.paste.is_some() && !self.end_paste(out) {
                return;
            }
            if self.buffer.is_empty() {
                return;
            }
            match front(&self.buffer) {
                Front::Whole(n, input) => {
                    let begins = self.buffer.starts_with(b"\x1b[200~");
                    self.buffer.drain(..n.min(self.buffer.len()));
                    if begins {
                        self.paste = Some(Vec::new());
                    }
                    out.extend(input);
                }
                Front::Part if self.buffer.len() > MAX_SEQUENCE => self.buffer.clear(),
                Front::Part => return,
            }
        }
    }

    /// Whether an Esc waits for what may follow it: [`Self::settle`] is due `ESC_WAIT` after the last byte.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.paste.is_none() && matches!(self.buffer.as_slice(), b"\x1b" | b"\x1b[" | b"\x1bO" | b"\x1b\x1b")
    }

    /// Nothing followed: an Esc was a key.
    pub fn settle(&mut self, out: &mut Vec<Input>) {
        if self.waits() {
            let alt = |c| Input::Key(Key { alt: true, ..Key::char(c) });
            let esc = Input::Key(Key::plain(Code::Esc));
            match self.buffer.as_slice() {
                b"\x1b[" => out.push(alt('[')),
                b"\x1bO" => out.push(alt('O')),
                b"\x1b\x1b" => out.extend([esc.clone(), esc]),
                _ => out.push(esc),
            }
            self.buffer.clear();
        }
    }

    /// Moves pasted bytes over; whether the paste has ended.
    fn end_paste(&mut self, out: &mut Vec<Input>) -> bool {
        let Some(paste) = &mut self.paste else { return true };
        let end = self.buffer.windows(PASTE_END.len()).position(|w| w == PASTE_END);
        // The end mark itself may be cut: its length stays in the buffer.
        let take = end.unwrap_or_else(|| self.buffer.len().saturating_sub(PASTE_END.len() - 1));
        let room = MAX_PASTE.saturating_sub(paste.len());
        paste.extend(self.buffer.drain(..take).take(room));
        if end.is_none() {
            return false;
        }
        self.buffer.drain(..PASTE_END.len());
        let text = String::from_utf8_lossy(&self.paste.take().unwrap_or_default()).replace("\r\n", "\n").replace('\r', "\n");
        out.push(Input::Paste(text));
        true
    }
}

fn key(code: Code) -> Option<Input> {
    Some(Input::Key(Key::plain(code)))
}

fn front(bytes: &[u8]) -> Front {
    match bytes {
        [0x1b] => Front::Part,
        [0x1b, b'[', rest @ ..] => csi(rest),
        [0x1b, b'O', rest @ ..] => match rest {
            [] => Front::Part,
            [c, ..] => Front::Whole(3, ss3(*c)),
        },
        [0x1b, b']' | b'P' | b'_' | b'^', ..] => answer(bytes),
        [0x1b, 0x1b, rest @ ..] => match rest {
            [] => Front::Part,
            // Alt with an arrow, as some terminals send it; else Esc twice.
            [b'[' | b'O', ..] => Front::Whole(1, None),
            _ => Front::Whole(1, key(Code::Esc)),
        },
        [0x1b, rest @ ..] => match front(rest) {
            Front::Whole(n, Some(Input::Key(k))) => Front::Whole(n + 1, Some(Input::Key(Key { alt: true, ..k }))),
            Front::Whole(n, _) => Front::Whole(n + 1, None),
            Front::Part => Front::Part,
        },
        [b'\r', ..] => Front::Whole(1, key(Code::Enter)),
        [b'\t', ..] => Front::Whole(1, key(Code::Tab)),
        [0x7f | 0x08, ..] => Front::Whole(1, key(Code::Backspace)),
        [0, ..] => Front::Whole(1, Some(Input::Key(Key::ctrl(' ')))),
        [c @ 1..=26, ..] => Front::Whole(1, Some(Input::Key(Key::ctrl(char::from(b'a' + c - 1))))),
        [c @ 28..=31, ..] => Front::Whole(1, Some(Input::Key(Key::ctrl(char::from(b'\\' + c - 28))))),
        _ => text(bytes),
    }
}

/// One character of UTF-8; a byte that is none is dropped.
fn text(bytes: &[u8]) -> Front {
    let want = match bytes.first() {
        Some(0..0x80) => 1,
        Some(0xc2..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf4) => 4,
        _ => return Front::Whole(1, None),
    };
    match bytes.get(..want) {
        None => Front::Part,
        Some(one) => match std::str::from_utf8(one).ok().and_then(|s| s.chars().next()) {
            Some(c) => Front::Whole(want, Some(Input::Key(Key::char(c)))),
            None => Front::Whole(1, None),
        },
    }
}

fn ss3(c: u8) -> Option<Input> {
    match c {
        b'P'..=b'S' => key(Code::F(c - b'P' + 1)),
        b'M' => key(Code::Enter),
        _ => arrow(c).and_then(key),
    }
}

const fn arrow(c: u8) -> Option<Code> {
    Some(match c {
        b'A' => Code::Up,
        b'B' => Code::Down,
        b'C' => Code::Right,
        b'D' => Code::Left,
        b'H' => Code::Home,
        b'F' => Code::End,
        b'Z' => Code::BackTab,
        _ => return None,
    })
}

/// What follows `ESC [`.
fn csi(rest: &[u8]) -> Front {
    // The Linux console's F1 to F5.
    if let [b'[', c, ..] = rest {
        return Front::Whole(4, matches!(c, b'A'..=b'E').then(|| Input::Key(Key::plain(Code::F(c - b'A' + 1)))));
    }
    let Some(end) = rest.iter().position(|b| (0x40..=0x7e).contains(b) && *b != b'[') else {
        // An Esc begins something new: what stood before it never ends.
        return match rest.iter().position(|b| *b == 0x1b) {
            Some(n) => Front::Whole(2 + n, None),
            None => Front::Part,
        };
    };
    if let Some(n) = rest.get(..end).and_then(|p| p.iter().position(|b| *b == 0x1b)) {
        return Front::Whole(2 + n, None);
    }
    let last = rest.get(end).copied().unwrap_or(0);
    let params = std::str::from_utf8(rest.get(..end).unwrap_or_default()).unwrap_or_default();
    Front::Whole(end + 3, sequence(params, last))
}

fn sequence(params: &str, last: u8) -> Option<Input> {
    if let Some(mouse) = params.strip_prefix('<') {
        return pointer(mouse, last);
    }
    let mut numbers = params.split(';').map(|p| p.split(':').next().and_then(|n| n.parse::<u32>().ok()).unwrap_or(1));
    let (first, modifiers) = (numbers.next().unwrap_or(1), numbers.next().unwrap_or(1).saturating_sub(1));
    let code = match last {
        b'~' => match first {
            1 | 7 => Code::Home,
            2 => Code::Insert,
            3 => Code::Delete,
            4 | 8 => Code::End,
            5 => Code::PageUp,
            6 => Code::PageDown,
            n @ 11..=15 => Code::F(u8::try_from(n - 10).ok()?),
            n @ 17..=21 => Code::F(u8::try_from(n - 11).ok()?),
            n @ 23..=24 => Code::F(u8::try_from(n - 12).ok()?),
            _ => return None,
        },
        b'P'..=b'S' => Code::F(last - b'P' + 1),
        b'u' => match first {
            13 => Code::Enter,
            27 => Code::Esc,
            9 => Code::Tab,
            127 => Code::Backspace,
            n => Code::Char(char::from_u32(n).filter(|c| !c.is_control())?),
        },
        c => arrow(c)?,
    };
    let key = Key { code, shift: modifiers & 1 != 0, alt: modifiers & 2 != 0, ctrl: modifiers & 4 != 0 };
    Some(Input::Key(key.canonical()))
}

/// `ESC [ < button ; column ; row M`
fn pointer(params: &str, last: u8) -> Option<Input> {
    let mut numbers = params.split(';').map(|n| n.parse::<u16>().ok());
    let (button, x, y) = (numbers.next()??, numbers.next()??, numbers.next()??);
    let what = match button & !0b1_1100 {
        0 if last == b'M' => Mouse::Press,
        64 => Mouse::WheelUp,
        65 => Mouse::WheelDown,
        _ => return None,
    };
    Some(Input::Mouse(what, x.saturating_sub(1), y.saturating_sub(1)))
}

/// An answer of the terminal: `ESC ] 11 ; rgb:…` and others, which are dropped.
fn answer(bytes: &[u8]) -> Front {
    let bell = bytes.iter().position(|b| *b == 7).map(|n| (n, 1));
    let string_end = bytes.windows(2).position(|w| w == b"\x1b\\").map(|n| (n, 2));
    let Some((end, length)) = [bell, string_end].into_iter().flatten().min() else { return Front::Part };
    let text = bytes.get(2..end).and_then(|b| std::str::from_utf8(b).ok()).unwrap_or_default();
    Front::Whole(end + length, background(text))
}

fn background(text: &str) -> Option<Input> {
    let mut parts = text.strip_prefix("11;rgb:")?.split('/').map(|p| {
        // Two digits mean the same as the same two twice.
        let n = u16::from_str_radix(p, 16).ok()?;
        Some(if p.len() <= 2 { n * 0x101 } else { n })
    });
    Some(Input::Background(parts.next()??, parts.next()??, parts.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(chunks: &[&[u8]]) -> Vec<Input> {
        let (mut decoder, mut out) = (Decoder::default(), Vec::new());
        for chunk in chunks {
            decoder.feed(chunk, &mut out);
        }
        decoder.settle(&mut out);
        assert!(decoder.buffer.is_empty(), "{:?} is left", decoder.buffer);
        out
    }

    fn keys(text: &str) -> Vec<Input> {
        text.split(' ').map(|k| Input::Key(Key::parse(k).unwrap())).collect()
    }

    fn cases() -> Vec<(&'static [u8], Vec<Input>)> {
        vec![
            (b"\x1b[A", keys("Up")),
            (b"\x1bOA", keys("Up")),
            (b"\x1bOP", keys("F1")),
            (b"\x1b[15~", keys("F5")),
            (b"\x1b[24~", keys("F12")),
            (b"\x1b[[A", keys("F1")),
            (b"\x1b[1;5C", keys("C-Right")),
            (b"\x1b[1;2A", keys("S-Up")),
            (b"\x1b[Z", keys("BackTab")),
            (b"\x1b[5~j", keys("PageUp j")),
            (b"\x1bx", keys("M-x")),
            (b"\x1b\xc3\xa4", keys("M-ä")),
            (b"\r\t\x7f\x01", keys("Enter Tab Backspace C-a")),
            ("äß佐👩".as_bytes(), keys("ä ß 佐 👩")),
            (b"\x1b[104;5u", keys("C-h")),
            (b"\x1b[<0;3;4M\x1b[<0;3;4m", vec![Input::Mouse(Mouse::Press, 2, 3)]),
            (b"\x1b[<65;1;1M", vec![Input::Mouse(Mouse::WheelDown, 0, 0)]),
            (b"\x1b[200~a\rb\x1b[Ac\x1b[201~q", [vec![Input::Paste("a\nb\x1b[Ac".into())], keys("q")].concat()),
            (b"\x1b]11;rgb:1414/1616/1b1b\x1b\\j", [vec![Input::Background(0x1414, 0x1616, 0x1b1b)], keys("j")].concat()),
            (b"\x1b]11;rgb:ff/ff/ff\x07", vec![Input::Background(0xffff, 0xffff, 0xffff)]),
            (b"\x1b[?1;2c\x1b[I", vec![]),
            (b"\x1b[1\x1b[A", keys("Up")),
            (b"\xff\xfej", keys("j")),
        ]
    }

    #[test]
    fn every_sequence_is_read_however_it_is_split() {
        for (bytes, wanted) in cases() {
            assert_eq!(decode(&[bytes]), wanted, "{:?}", bytes.escape_ascii().to_string());
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(decode(&single), wanted, "byte by byte: {:?}", bytes.escape_ascii().to_string());
            for at in 1..bytes.len() {
                let (a, b) = bytes.split_at(at);
                assert_eq!(decode(&[a, b]), wanted, "cut at {at}: {:?}", bytes.escape_ascii().to_string());
            }
        }
    }

    #[test]
    fn a_lone_esc_is_a_key_when_nothing_follows() {
        let (mut decoder, mut out) = (Decoder::default(), Vec::new());
        decoder.feed(b"\x1b", &mut out);
        assert!(out.is_empty() && decoder.waits());
        decoder.settle(&mut out);
        assert_eq!(out, keys("Esc"));
        assert!(!decoder.waits());
        assert_eq!(decode(&[b"\x1b\x1b"]), keys("Esc Esc"));
        assert_eq!(decode(&[b"\x1b["]), keys("M-["));
    }

    #[test]
    fn a_paste_that_never_ends_is_bounded_and_types_nothing() {
        let (mut decoder, mut out) = (Decoder::default(), Vec::new());
        decoder.feed(b"\x1b[200~", &mut out);
        for _ in 0..20 {
            decoder.feed(&vec![b'd'; 1 << 20], &mut out);
        }
        assert!(out.is_empty());
        decoder.feed(b"\x1b[201~", &mut out);
        assert!(matches!(out.as_slice(), [Input::Paste(text)] if text.len() == MAX_PASTE));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..12), 0..12)) {
            let (mut decoder, mut out) = (Decoder::default(), Vec::new());
            for chunk in &chunks { decoder.feed(chunk, &mut out); }
            decoder.settle(&mut out);
            prop_assert!(decoder.buffer.len() <= MAX_SEQUENCE + 12);
        }
    }
}
