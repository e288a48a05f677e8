//! safetext — the one text boundary (architecture D1).
//! Owns: `SafeText` and the sanitiser. May import: nothing of ours.
//! Start reading at: `SafeText::line`. All text from mail, servers, files and children is untrusted until it
//! is `SafeText`; nothing else reaches the terminal, a title, a log or an error.

use std::fmt;

/// The most combining marks kept behind one base character (security D-02).
pub const MAX_MARKS: usize = 8;

/// Text that can be drawn: no control or escape characters, no invisible or reordering characters, no private-use
/// glyphs, no stacks of marks. Hostile characters are made visible, not dropped.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SafeText(String);

impl SafeText {
    /// One line: a name, subject, address, file name, mailbox, URL, server text. Line breaks become a visible mark.
    #[must_use]
    pub fn line(raw: &str) -> Self {
        Self(clean(raw, false))
    }

    /// One line, at most `max` characters; a longer one ends in `…`.
    #[must_use]
    pub fn line_max(raw: &str, max: usize) -> Self {
        // Cut before cleaning, so that a hostile megabyte costs what it shows.
        match raw.char_indices().nth(max) {
            None => Self::line(raw),
            Some((cut, _)) => {
                let mut text = clean(raw.get(..cut).unwrap_or_default(), false);
                text.push('…');
                Self(text)
            }
        }
    }

    /// One line of a body: as [`Self::line`], but right-to-left text keeps its joiners and marks (LRM, RLM, ZWJ, ZWNJ),
    /// tabs become spaces, and characters that only say how text is set (soft hyphens, isolates, overrides) go without a mark:
    /// honest mail is full of them.
    #[must_use]
    pub fn body_line(raw: &str) -> Self {
        Self(clean(raw, true))
    }

    /// Text that stands in our own source.
    #[must_use]
    pub fn of(own: &'static str) -> Self {
        Self(own.to_owned())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Takes the text out.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }

    /// Whether there is nothing to see.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for SafeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for SafeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl AsRef<str> for SafeText {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// Whether `c` must never reach a terminal: controls, reordering, invisible, tag and private-use characters.
#[must_use]
pub fn hostile(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e000}'..='\u{f8ff}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}' | '\u{f0000}'..='\u{10ffff}')
        || (u32::from(c) & 0xfffe) == 0xfffe
        || ('\u{fdd0}'..='\u{fdef}').contains(&c)
}

/// Joiners and marks that right-to-left and Indic text and emoji need.
fn joiner(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200f}')
}

/// Characters that say how text is broken or ordered, and nothing else.
fn setting(c: char) -> bool {
    matches!(c, '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}'
        | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{e0020}'..='\u{e007f}')
}

fn is_mark(c: char) -> bool {
    unicode_width::UnicodeWidthChar::width(c) == Some(0) && !joiner(c)
}

fn clean(raw: &str, body: bool) -> String {
    // Nearly all text is harmless ASCII: one scan, one copy.
    if raw.bytes().all(|b| (0x20..0x7f).contains(&b)) {
        return raw.to_owned();
    }
    let mut out = String::with_capacity(raw.len());
    let (mut marks, mut previous) = (0usize, '\0');
    for c in raw.chars() {
        if body && setting(c) {
            continue;
        }
        if c == '\t' {
            out.push_str(if body { "    " } else { " " });
        } else if joiner(c) && (body || (c == '\u{200d}' && !previous.is_ascii() && !joiner(previous))) {
            // A ZWJ inside an emoji sequence is part of the picture, in names and subjects too.
            if !joiner(previous) {
                out.push(c);
            }
        } else if ('\u{e0020}'..='\u{e007f}').contains(&c) && previous == '\u{1f3f4}' {
            // The flags of Scotland and others are a black flag and letters that are not seen.
            continue;
        } else if let Some(picture) = control_picture(c) {
            out.push(picture);
        } else if hostile(c) {
            out.push('\u{fffd}');
        } else if is_mark(c) {
            marks += 1;
            if marks <= MAX_MARKS {
                out.push(c);
            }
            previous = c;
            continue;
        } else {
            out.push(c);
        }
        marks = 0;
        previous = c;
    }
    out
}

/// The visible form of a C0 control or DEL.
fn control_picture(c: char) -> Option<char> {
    match u32::from(c) {
        n @ 0..0x20 => char::from_u32(0x2400 + n),
        0x7f => Some('\u{2421}'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_become_visible() {
        assert_eq!(SafeText::line("a\x1b]0;x\x07b\r\nc").as_str(), "a␛]0;x␇b␍␊c");
        assert_eq!(SafeText::line("invoice\u{202e}fdp.exe").as_str(), "invoice\u{fffd}fdp.exe");
        assert_eq!(SafeText::line("\u{e0a0}\u{9b}2J").as_str(), "\u{fffd}\u{fffd}2J");
        assert_eq!(SafeText::line("👩\u{200d}🔬 ok").as_str(), "👩\u{200d}🔬 ok");
        let flag = "\u{1f3f4}\u{e0067}\u{e0062}\u{e007f} x\u{e0062}";
        assert_eq!(SafeText::line(flag).as_str(), "\u{1f3f4} x\u{fffd}");
        assert_eq!(SafeText::line("a\u{200d}b").as_str(), "a\u{fffd}b");
        let stack = format!("a{}", "\u{301}".repeat(2_000));
        assert_eq!(SafeText::line(&stack).as_str().chars().count(), 1 + MAX_MARKS);
        assert_eq!(SafeText::line_max("abcdef", 3).as_str(), "abc…");
        assert_eq!(SafeText::body_line("so\u{ad}ft \u{202e}over\u{202c} \u{2067}\u{5e9}\u{2069}").as_str(), "soft over \u{5e9}");
    }

    proptest! {
        #[test]
        fn nothing_hostile_comes_through(raw in "\\PC*|[\\x00-\\u{10ffff}]{0,40}") {
            for text in [SafeText::line(&raw), SafeText::body_line(&raw)] {
                prop_assert!(!text.as_str().chars().any(|c| hostile(c) && !joiner(c)));
                prop_assert!(!text.as_str().chars().any(char::is_control));
            }
            let once = SafeText::line(&raw);
            prop_assert_eq!(SafeText::line(once.as_str()), once);
        }
    }
}
