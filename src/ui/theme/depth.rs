//! depth — colours reduced to what the terminal can show.
//! Owns: `Depth`, the xterm colour cube. May import: nothing of ours.
//! Start reading at: `Depth::reduce`.

use ratatui::style::{Color, Style};

/// How many colours there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Depth {
    /// None (`NO_COLOR`): bold, underline and reverse stay.
    None,
    /// The sixteen ANSI colours.
    Sixteen,
    /// The cube of 256.
    Cube,
    /// 24 bits.
    True,
}

/// The sixteen as xterm draws them: only for measuring distance.
const ANSI: [(Color, (u8, u8, u8)); 16] = [
    (Color::Black, (0, 0, 0)),
    (Color::Red, (205, 0, 0)),
    (Color::Green, (0, 205, 0)),
    (Color::Yellow, (205, 205, 0)),
    (Color::Blue, (60, 90, 238)),
    (Color::Magenta, (205, 0, 205)),
    (Color::Cyan, (0, 205, 205)),
    (Color::Gray, (229, 229, 229)),
    (Color::DarkGray, (127, 127, 127)),
    (Color::LightRed, (255, 110, 110)),
    (Color::LightGreen, (110, 255, 110)),
    (Color::LightYellow, (255, 255, 110)),
    (Color::LightBlue, (110, 130, 255)),
    (Color::LightMagenta, (255, 110, 255)),
    (Color::LightCyan, (110, 255, 255)),
    (Color::White, (255, 255, 255)),
];

impl Depth {
    /// What the environment says: `NO_COLOR`, `COLORTERM`, `TERM`.
    #[must_use]
    pub fn from_env(var: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| var(name).filter(|v| !v.is_empty());
        if set("NO_COLOR").is_some() {
            return Self::None;
        }
        let term = set("TERM").unwrap_or_default();
        match set("COLORTERM").as_deref() {
            Some("truecolor" | "24bit") => Self::True,
            _ if term.contains("direct") || term.contains("kitty") || term.contains("alacritty") || term.contains("ghostty") => {
                Self::True
            }
            _ if term.contains("256") => Self::Cube,
            _ if term.is_empty() || term == "dumb" || term.starts_with("vt") => Self::None,
            _ => Self::Sixteen,
        }
    }

    /// The style with the nearest colours that there are.
    #[must_use]
    pub fn reduce(self, mut style: Style) -> Style {
        style.fg = style.fg.and_then(|c| self.color(c, false));
        style.bg = style.bg.and_then(|c| self.color(c, true));
        style.underline_color = None;
        style
    }

    fn color(self, color: Color, background: bool) -> Option<Color> {
        match (self, color) {
            (Self::None, _) => None,
            (Self::True, c) | (Self::Cube, c @ Color::Indexed(_)) => Some(c),
            (Self::Cube, Color::Rgb(r, g, b)) => Some(Color::Indexed(nearest_cube((r, g, b)))),
            // A quiet band has no counterpart among sixteen colours: better none than a loud one.
            (Self::Sixteen, Color::Rgb(..) | Color::Indexed(16..)) if background => None,
            (Self::Sixteen, Color::Rgb(..) | Color::Indexed(_)) => {
                let from = rgb(color)?;
                // Grey text stays the terminal's own: dark grey cannot be read everywhere, light grey can.
                ANSI.iter().min_by_key(|(_, to)| distance(from, *to)).map(|(c, _)| *c)
            }
            (_, named) => Some(named),
        }
    }
}

/// The colour in red, green and blue, where that is fixed.
pub(super) fn rgb(color: Color) -> Option<(u8, u8, u8)> {
    match color {
        Color::Rgb(r, g, b) => Some((r, g, b)),
        Color::Indexed(n @ 16..=231) => {
            let step = |v: u8| if v == 0 { 0 } else { 55 + 40 * v };
            let n = n - 16;
            Some((step(n / 36), step(n / 6 % 6), step(n % 6)))
        }
        Color::Indexed(n @ 232..) => {
            let grey = 8 + 10 * (n - 232);
            Some((grey, grey, grey))
        }
        Color::Indexed(n) => ANSI.get(usize::from(n)).map(|(_, c)| *c),
        named => ANSI.iter().find(|(c, _)| *c == named).map(|(_, c)| *c),
    }
}

fn distance(a: (u8, u8, u8), b: (u8, u8, u8)) -> i32 {
    let (r, g, b) = (i32::from(a.0) - i32::from(b.0), i32::from(a.1) - i32::from(b.1), i32::from(a.2) - i32::from(b.2));
    2 * r * r + 4 * g * g + 3 * b * b
}

fn nearest_cube(from: (u8, u8, u8)) -> u8 {
    (16..=255u8).min_by_key(|n| rgb(Color::Indexed(*n)).map_or(i32::MAX, |to| distance(from, to))).unwrap_or(15)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> Depth {
        Depth::from_env(|name| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
    }

    #[test]
    fn the_environment_says_how_many() {
        assert_eq!(env(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]), Depth::True);
        assert_eq!(env(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("NO_COLOR", "1")]), Depth::None);
        assert_eq!(env(&[("TERM", "screen-256color")]), Depth::Cube);
        assert_eq!(env(&[("TERM", "linux")]), Depth::Sixteen);
        assert_eq!(env(&[("TERM", "dumb")]), Depth::None);
    }

    #[test]
    fn colours_go_to_the_nearest() {
        let style = Style::new().fg(Color::Rgb(215, 175, 95)).bg(Color::Rgb(40, 40, 48));
        assert_eq!(Depth::Cube.reduce(style).fg, Some(Color::Indexed(179)));
        assert_eq!(Depth::Sixteen.reduce(style).bg, None);
        assert_eq!(Depth::Sixteen.reduce(Style::new().fg(Color::Rgb(210, 30, 30))).fg, Some(Color::Red));
        assert_eq!(Depth::None.reduce(style.bold()), Style::new().bold());
    }
}
