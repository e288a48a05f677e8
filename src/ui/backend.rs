//! backend — cells to bytes, as few as there can be (decisions 17): over ssh a key press is tens of bytes, not a screen.
//! Owns: `Backend`. May import: nothing of ours.
//! Start reading at: `Backend::draw`. Compared with the stock backend it remembers the colours and the place between frames,
//! resets nothing at the end, moves by the shortest sequence, hides the cursor once, and writes each frame in one piece.

use super::hyper::Hyperlinks;
use ratatui::backend::{Backend as Draw, ClearType, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use ratatui::style::{Color, Modifier};
use std::collections::HashMap;
use std::io::{self, Write};

/// Frames from this size on are bracketed, so that a terminal that can does not show half of them.
const SYNCHRONISE_FROM: usize = 200;
/// A run of blanks from this length on is erased, not written.
const ERASE_FROM: u16 = 6;
/// What changes how a blank looks.
const ON_BLANK: Modifier = Modifier::REVERSED.union(Modifier::UNDERLINED).union(Modifier::CROSSED_OUT);

/// The style that the terminal has now.
#[derive(Clone, Copy, PartialEq)]
struct Pen {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

const DEFAULT_PEN: Pen = Pen { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

/// A backend for `ratatui::Terminal` that writes to `W`.
pub struct Backend<W: Write> {
    out: W,
    frame: Vec<u8>,
    pen: Option<Pen>,
    /// Where the terminal's cursor is, where that is certain.
    place: Option<Position>,
    shown: Option<bool>,
    size: Size,
    /// Where characters stand of which terminals may disagree, and how many columns we count for them.
    wide: HashMap<(u16, u16), u16>,
    /// Bytes written in all.
    written: u64,
    /// The addresses of cells that are links.
    links: Hyperlinks,
    /// The link that is being written.
    linked: Option<u32>,
}

impl<W: Write> Backend<W> {
    /// For a terminal of which nothing is known but its size.
    pub fn new(out: W, size: Size) -> Self {
        Self {
            out,
            frame: Vec::with_capacity(8 << 10),
            pen: None,
            place: None,
            shown: None,
            size,
            wide: HashMap::new(),
            written: 0,
            links: Hyperlinks::default(),
            linked: None,
        }
    }

    /// Where cells that are links find their addresses.
    pub fn links(&self) -> Hyperlinks {
        self.links.clone()
    }

    /// The terminal's size has changed, or something else drew on it: nothing about it is certain.
    pub fn forget(&mut self, size: Size) {
        (self.pen, self.place, self.shown, self.size) = (None, None, None, size);
        self.wide.clear();
    }

    /// Bytes written so far, and what they were written to.
    pub fn parts(&mut self) -> (u64, &mut W) {
        (self.written, &mut self.out)
    }

    fn put(&mut self, bytes: impl AsRef<[u8]>) {
        self.frame.extend_from_slice(bytes.as_ref());
    }

    /// To column `x`, row `y`, in as few bytes as possible.
    fn go(&mut self, x: u16, y: u16) {
        let absolute = format!("\x1b[{};{}H", y + 1, x + 1);
        let bytes = match self.place {
            Some(p) if p.x == x && p.y == y => return,
            Some(p) if p.y == y && x > p.x => shorter(count(x - p.x, 'C'), format!("\x1b[{}G", x + 1)),
            Some(p) if p.y == y && x < p.x => {
                if x == 0 {
                    "\r".to_owned()
                } else {
                    shorter(count(p.x - x, 'D'), format!("\x1b[{}G", x + 1))
                }
            }
            Some(p) if p.x == x && y > p.y => count(y - p.y, 'B'),
            Some(p) if p.x == x && y < p.y => count(p.y - y, 'A'),
            Some(p) if x == 0 && y == p.y + 1 => "\r\n".to_owned(),
            _ => absolute.clone(),
        };
        self.put(shorter(bytes, absolute));
        self.place = Some(Position { x, y });
    }

    /// Changes the pen; `all` also changes what a blank does not show.
    fn ink(&mut self, cell: &Cell, all: bool) {
        let has = self.pen;
        let old = has.unwrap_or(DEFAULT_PEN);
        let mut new = Pen { fg: cell.fg, bg: cell.bg, modifier: cell.modifier };
        if !all && has.is_some() {
            new.fg = old.fg;
            new.modifier = (old.modifier - ON_BLANK) | (new.modifier & ON_BLANK);
        }
        if has == Some(new) {
            return;
        }
        let step = sgr(old, new, has.is_none());
        let fresh = sgr(DEFAULT_PEN, new, true);
        self.put(shorter(step, fresh));
        self.pen = Some(new);
    }

    /// Begins or ends the link of a cell.
    fn link(&mut self, color: Color) {
        let link = if color == Color::Reset { None } else { self.links.of(color) };
        if self.linked == link.as_ref().map(|(number, _)| *number) {
            return;
        }
        match &link {
            // The number keeps together what is broken over lines.
            Some((number, address)) => self.put(format!("\x1b]8;id={number};{address}\x1b\\")),
            None => self.put("\x1b]8;;\x1b\\"),
        }
        self.linked = link.map(|(number, _)| number);
    }

    fn erase(&mut self, run: Option<(u16, u16, u16, bool)>) {
        let Some((x, y, n, wide)) = run else { return };
        self.link(Color::Reset);
        self.go(x, y);
        // Erased, not written over: then no terminal keeps half of a wide character.
        if n >= ERASE_FROM || wide {
            self.put(count(n, 'X'));
        } else {
            self.put(vec![b' '; usize::from(n)]);
            self.after(x, y, n);
        }
    }

    /// The place after `n` columns were written from `x`; at the right edge terminals differ.
    fn after(&mut self, x: u16, y: u16, n: u16) {
        let x = x.saturating_add(n);
        self.place = (x < self.size.width).then_some(Position { x, y });
    }
}

/// Whether all terminals agree that this takes two columns: a lone Chinese, Japanese or Korean character.
fn is_han(symbol: &str) -> bool {
    let mut chars = symbol.chars();
    let han =
        |c| matches!(c, '\u{3041}'..='\u{30fe}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}');
    chars.next().is_some_and(han) && chars.next().is_none()
}

/// `ESC [ n <letter>`, without an n of 1.
fn count(n: u16, letter: char) -> String {
    if n == 1 { format!("\x1b[{letter}") } else { format!("\x1b[{n}{letter}") }
}

fn shorter(a: String, b: String) -> String {
    if a.len() <= b.len() { a } else { b }
}

/// The SGR sequence from one pen to another; `reset` starts from nothing.
fn sgr(old: Pen, new: Pen, reset: bool) -> String {
    let mut codes: Vec<String> = Vec::new();
    if reset {
        codes.push(String::new());
    }
    let gone = old.modifier - new.modifier;
    let mut come = new.modifier - old.modifier;
    if gone.intersects(Modifier::BOLD | Modifier::DIM) {
        // One code ends both.
        codes.push("22".into());
        come |= new.modifier & (Modifier::BOLD | Modifier::DIM);
    }
    for (modifier, on, off) in [
        (Modifier::BOLD, "1", ""),
        (Modifier::DIM, "2", ""),
        (Modifier::ITALIC, "3", "23"),
        (Modifier::UNDERLINED, "4", "24"),
        (Modifier::REVERSED, "7", "27"),
        (Modifier::CROSSED_OUT, "9", "29"),
    ] {
        if gone.contains(modifier) && !off.is_empty() {
            codes.push(off.into());
        }
        if come.contains(modifier) {
            codes.push(on.into());
        }
    }
    if old.fg != new.fg {
        codes.push(color(new.fg, 30));
    }
    if old.bg != new.bg {
        codes.push(color(new.bg, 40));
    }
    format!("\x1b[{}m", codes.join(";"))
}

fn color(color: Color, base: u8) -> String {
    let bright = base + 60;
    match color {
        Color::Reset => (base + 9).to_string(),
        Color::Black => base.to_string(),
        Color::Red => (base + 1).to_string(),
        Color::Green => (base + 2).to_string(),
        Color::Yellow => (base + 3).to_string(),
        Color::Blue => (base + 4).to_string(),
        Color::Magenta => (base + 5).to_string(),
        Color::Cyan => (base + 6).to_string(),
        Color::Gray => (base + 7).to_string(),
        Color::DarkGray => bright.to_string(),
        Color::LightRed => (bright + 1).to_string(),
        Color::LightGreen => (bright + 2).to_string(),
        Color::LightYellow => (bright + 3).to_string(),
        Color::LightBlue => (bright + 4).to_string(),
        Color::LightMagenta => (bright + 5).to_string(),
        Color::LightCyan => (bright + 6).to_string(),
        Color::White => (bright + 7).to_string(),
        Color::Indexed(n) => format!("{};5;{n}", base + 8),
        Color::Rgb(r, g, b) => format!("{};2;{r};{g};{b}", base + 8),
    }
}

impl<W: Write> Draw for Backend<W> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        // Blanks without a colour are gathered: x, y, how many, and whether wide characters were there.
        let mut run: Option<(u16, u16, u16, bool)> = None;
        for (x, y, cell) in content {
            let blank = cell.symbol() == " " && !cell.modifier.intersects(ON_BLANK);
            if blank && cell.bg == Color::Reset && cell.underline_color == Color::Reset {
                // Both halves of a wide one: not every terminal clears the second by itself, and no cell asks for it.
                let columns = self.wide.remove(&(x, y)).unwrap_or(1);
                match &mut run {
                    Some((rx, ry, n, wide)) if *ry == y && (*rx..=*rx + *n).contains(&x) => {
                        *n = (*n).max(x - *rx + columns);
                        *wide |= columns > 1;
                    }
                    _ => {
                        self.erase(run.take());
                        self.ink(cell, false);
                        run = Some((x, y, columns, columns > 1));
                    }
                }
                continue;
            }
            self.erase(run.take());
            self.link(cell.underline_color);
            let symbol = cell.symbol();
            // Terminals disagree about the width of anything beyond plain text: the place is said again after it.
            let plain = symbol.chars().count() == 1 && symbol.len() <= 2 || matches!(symbol, "▌" | "─" | "│" | "•" | "…");
            let han = !plain && is_han(symbol);
            // Half of a wide character that is overwritten would keep the new colours: blank it out first. One that takes
            // the place of another one needs nothing.
            for column in x..=x + u16::from(!plain) {
                if let Some(columns) = self.wide.remove(&(column, y))
                    && !(han && column == x && columns == 2)
                {
                    self.go(column, y);
                    self.ink(&Cell::EMPTY, true);
                    self.put(count(columns, 'X'));
                }
            }
            self.go(x, y);
            self.ink(cell, !blank);
            self.put(symbol);
            if plain {
                self.after(x, y, 1);
            } else {
                self.place = None;
                self.wide.insert((x, y), if crate::base::width::width(symbol) == 2 { 2 } else { 1 });
                if han {
                    self.after(x, y, 2);
                }
            }
        }
        self.erase(run);
        self.link(Color::Reset);
        Ok(())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        if self.shown != Some(false) {
            self.put("\x1b[?25l");
            self.shown = Some(false);
        }
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        if self.shown != Some(true) {
            self.put("\x1b[?25h");
            self.shown = Some(true);
        }
        Ok(())
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(self.place.unwrap_or_default())
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let Position { x, y } = position.into();
        self.go(x, y);
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, clear: ClearType) -> io::Result<()> {
        self.ink(&Cell::EMPTY, true);
        self.wide.clear();
        self.put(match clear {
            ClearType::All => "\x1b[2J",
            ClearType::AfterCursor => "\x1b[J",
            ClearType::BeforeCursor => "\x1b[1J",
            ClearType::CurrentLine => "\x1b[2K",
            ClearType::UntilNewLine => "\x1b[K",
        });
        Ok(())
    }

    fn size(&self) -> io::Result<Size> {
        Ok(self.size)
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: self.size, pixels: Size::default() })
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.frame.is_empty() {
            return Ok(());
        }
        if self.frame.len() >= SYNCHRONISE_FROM {
            self.frame.splice(0..0, *b"\x1b[?2026h");
            self.put("\x1b[?2026l");
        }
        self.written += self.frame.len() as u64;
        let done = self.out.write_all(&self.frame).and_then(|()| self.out.flush());
        self.frame.clear();
        done
    }
}

#[cfg(test)]
mod tests;
