//! key — one key press, and how keys are written in the table, the configuration and on the screen.
//! Owns: `Key`, `Code`, its notation. May import: nothing of ours.
//! Start reading at: `Key::parse`. `j`, `G`, `C-d` (also `Ctrl-d`), `M-x` (also `Alt-x`), `S-Tab` (also `BackTab`), `Enter`, `F5`; a
//! chord is several of them with spaces between: `g i`.

use std::fmt;

/// What was pressed, without its modifiers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Code {
    /// A character, upper case when it was typed with Shift.
    Char(char),
    /// F1 to F24.
    F(u8),
    /// Return.
    Enter,
    /// Escape.
    Esc,
    /// Tab.
    Tab,
    /// Shift-Tab.
    BackTab,
    /// Rubout to the left.
    Backspace,
    /// Rubout to the right.
    Delete,
    /// Insert.
    Insert,
    /// Arrow.
    Up,
    /// Arrow.
    Down,
    /// Arrow.
    Left,
    /// Arrow.
    Right,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
}

/// One key press.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Key {
    /// Which key.
    pub code: Code,
    /// With Control.
    pub ctrl: bool,
    /// With Alt (Meta).
    pub alt: bool,
    /// With Shift, for keys that are no characters.
    pub shift: bool,
}

const NAMES: [(&str, Code); 17] = [
    ("Enter", Code::Enter),
    ("Esc", Code::Esc),
    ("Tab", Code::Tab),
    ("BackTab", Code::BackTab),
    ("Backspace", Code::Backspace),
    ("Delete", Code::Delete),
    ("Insert", Code::Insert),
    ("Up", Code::Up),
    ("Down", Code::Down),
    ("Left", Code::Left),
    ("Right", Code::Right),
    ("Home", Code::Home),
    ("End", Code::End),
    ("PageUp", Code::PageUp),
    ("PageDown", Code::PageDown),
    ("Space", Code::Char(' ')),
    ("Return", Code::Enter),
];

impl Key {
    /// A key without modifiers.
    #[must_use]
    pub const fn plain(code: Code) -> Self {
        Self { code, ctrl: false, alt: false, shift: false }
    }

    /// A character.
    #[must_use]
    pub const fn char(c: char) -> Self {
        Self::plain(Code::Char(c))
    }

    /// A character with Control.
    #[must_use]
    pub const fn ctrl(c: char) -> Self {
        Self { code: Code::Char(c), ctrl: true, alt: false, shift: false }
    }

    /// The character that this key types, if it types one.
    #[must_use]
    pub const fn typed(self) -> Option<char> {
        match self.code {
            Code::Char(c) if !self.ctrl && !self.alt => Some(c),
            _ => None,
        }
    }

    /// Reads the notation of one key.
    ///
    /// # Errors
    /// A sentence for the person who wrote it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (mut ctrl, mut alt, mut shift) = (false, false, false);
        let mut rest = text;
        // A lone `-` at the end is the key itself (`C--`).
        while let Some((prefix, tail)) = rest.split_once('-').filter(|(p, t)| !p.is_empty() && !t.is_empty()) {
            match prefix.to_ascii_lowercase().as_str() {
                "c" | "ctrl" | "control" => ctrl = true,
                "m" | "a" | "alt" | "meta" => alt = true,
                "s" | "shift" => shift = true,
                _ => return Err(format!("`{text}` has an unknown modifier `{prefix}`: write C-x, M-x or S-Tab")),
            }
            rest = tail;
        }
        let code =
            Self::parse_code(rest).ok_or_else(|| format!("`{text}` is no key: write j, C-d, M-x, Enter, Space, F5, PageUp"))?;
        Ok(Self { code, ctrl, alt, shift }.canonical())
    }

    fn parse_code(text: &str) -> Option<Code> {
        let mut chars = text.chars();
        if let (Some(c), None) = (chars.next(), chars.next()) {
            return (!c.is_control() && c != ' ').then_some(Code::Char(c));
        }
        if let Some(n) = text.strip_prefix(['F', 'f']).and_then(|n| n.parse::<u8>().ok()) {
            return (1..=24).contains(&n).then_some(Code::F(n));
        }
        NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, code)| *code)
    }

    /// One form for what terminals report in several: Shift is part of a character, Control ignores case,
    /// Shift-Tab is BackTab.
    #[must_use]
    pub fn canonical(mut self) -> Self {
        match self.code {
            Code::Char(c) => {
                if self.ctrl {
                    self.code = Code::Char(c.to_ascii_lowercase());
                } else if self.shift {
                    let mut upper = c.to_uppercase();
                    if let (Some(one), None) = (upper.next(), upper.next()) {
                        self.code = Code::Char(one);
                    }
                }
                self.shift = false;
            }
            Code::Tab if self.shift => (self.code, self.shift) = (Code::BackTab, false),
            Code::BackTab => self.shift = false,
            _ => {}
        }
        self
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (on, prefix) in [(self.ctrl, "C-"), (self.alt, "M-"), (self.shift, "S-")] {
            if on {
                f.write_str(prefix)?;
            }
        }
        match self.code {
            Code::Char(' ') => f.write_str("Space"),
            Code::Char(c) => write!(f, "{c}"),
            Code::F(n) => write!(f, "F{n}"),
            code => f.write_str(NAMES.iter().find(|(_, c)| *c == code).map_or("?", |(name, _)| name)),
        }
    }
}

/// A chord: keys to be pressed one after the other.
///
/// # Errors
/// A sentence for the person who wrote it.
pub fn parse_chord(text: &str) -> Result<Vec<Key>, String> {
    let keys = text.split_whitespace().map(Key::parse).collect::<Result<Vec<_>, _>>()?;
    if keys.is_empty() { Err("an empty key: write j, C-d, or g i for a chord".to_owned()) } else { Ok(keys) }
}

/// A chord as it is shown: `g i`.
#[must_use]
pub fn chord_text(keys: &[Key]) -> String {
    keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn notation_is_read_and_written() {
        for (text, shown) in [
            ("j", "j"),
            ("G", "G"),
            ("C-d", "C-d"),
            ("Ctrl-D", "C-d"),
            ("Alt-x", "M-x"),
            ("S-Tab", "BackTab"),
            ("shift-tab", "BackTab"),
            ("space", "Space"),
            ("F12", "F12"),
            ("pagedown", "PageDown"),
            ("-", "-"),
            ("C--", "C--"),
            ("S-Up", "S-Up"),
            ("C-M-Left", "C-M-Left"),
            ("ß", "ß"),
        ] {
            assert_eq!(Key::parse(text).unwrap().to_string(), shown, "{text}");
        }
        for wrong in ["", "jk", "X-j", "F0", "F25", "C-", "\u{1b}"] {
            assert!(Key::parse(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(chord_text(&parse_chord("g  i").unwrap()), "g i");
        assert!(parse_chord("  ").is_err());
    }

    proptest! {
        #[test]
        fn what_is_shown_can_be_written(text in "(C-|M-|S-)?([!-~äΩ]|Enter|Tab|F[1-9]|Home|Space|Delete)") {
            if let Ok(key) = Key::parse(&text) {
                prop_assert_eq!(Key::parse(&key.to_string()), Ok(key));
            }
        }
    }
}
