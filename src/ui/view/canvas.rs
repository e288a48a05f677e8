//! canvas — words onto cells: every view draws through it.
//! Owns: `Canvas`, the last sweep. May import: base, ui::theme.
//! Start reading at: `Canvas::text`. Text comes as `SafeText` or stands in our own source; `sweep` looks once more at every cell,
//! so that a view that forgot cannot hand an escape to the terminal.

use crate::app::layout::Area;
use crate::base::safetext::hostile;
use crate::base::width;
use crate::ui::hyper::Hyperlinks;
use crate::ui::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// A buffer with the look of everything.
pub struct Canvas<'a> {
    /// The cells.
    pub buffer: &'a mut Buffer,
    /// The look.
    pub theme: &'a Theme,
    /// Whether the cursor has a band behind its row.
    pub band: bool,
    /// Where links of the terminal's own go, if it has them.
    pub links: Option<Hyperlinks>,
}

impl Canvas<'_> {
    /// Writes text from a cell on, over at most `room` columns; what does not fit ends in `…`. The columns it took.
    pub fn text(&mut self, x: u16, y: u16, room: u16, text: &str, role: Role) -> u16 {
        self.styled(x, y, room, text, self.theme.style(role))
    }

    /// As [`Self::text`], with a style that is no role's.
    pub fn styled(&mut self, x: u16, y: u16, room: u16, text: &str, style: Style) -> u16 {
        let area = *self.buffer.area();
        if y >= area.height || x >= area.width {
            return 0;
        }
        let room = room.min(area.width - x);
        let cut = width::truncate(text, usize::from(room));
        if width::plain(&cut) {
            return self.letters(x, y, &cut, style);
        }
        let (end, _) = self.buffer.set_stringn(x, y, width::drawn(&cut), usize::from(room), style);
        end.saturating_sub(x)
    }

    /// Writes letters that take a cell each, as most do: nothing need be found out about them.
    fn letters(&mut self, x: u16, y: u16, text: &str, style: Style) -> u16 {
        let first = self.buffer.index_of(x, y);
        let cells = self.buffer.content.iter_mut().skip(first).zip(text.split_inclusive(|_| true));
        cells.map(|(cell, letter)| cell.set_symbol(letter).set_style(style)).count().try_into().unwrap_or(u16::MAX)
    }

    /// Writes text that ends before column `end`, over at most `room` columns. The columns it took.
    pub fn right(&mut self, end: u16, y: u16, room: u16, text: &str, role: Role) -> u16 {
        let cut = width::truncate(text, usize::from(room.min(end)));
        let cells = u16::try_from(width::width(&cut)).unwrap_or(room);
        self.text(end.saturating_sub(cells), y, cells, &cut, role)
    }

    /// Makes cells a link that the terminal can open.
    pub fn link(&mut self, x: u16, y: u16, columns: u16, address: &str) {
        if let Some(links) = &self.links {
            links.mark(self.buffer, Rect::new(x, y, columns, 1), address);
        }
    }

    /// A thin line across.
    pub fn rule(&mut self, x: u16, y: u16, columns: u16) {
        let style = self.theme.style(Role::Rule);
        for x in x..x.saturating_add(columns) {
            if let Some(cell) = self.buffer.cell_mut((x, y)) {
                cell.set_symbol("─").set_style(style);
            }
        }
    }

    /// A thin line down.
    pub fn bar(&mut self, x: u16, y: u16, rows: u16) {
        let style = self.theme.style(Role::Rule);
        for y in y..y.saturating_add(rows) {
            if let Some(cell) = self.buffer.cell_mut((x, y)) {
                cell.set_symbol("│").set_style(style);
            }
        }
    }

    /// The cursor of a list: the bar at the row's first cell, and the band behind it.
    pub fn cursor(&mut self, area: Area, y: u16, focus: bool) {
        if self.band {
            let rect = Rect::new(area.x, y, area.width, 1).intersection(*self.buffer.area());
            self.buffer.set_style(rect, self.theme.style(Role::CursorBand));
        }
        self.text(area.x, y, 1, "▌", if focus { Role::CursorBar } else { Role::Rule });
    }

    /// Makes room for what lies over the screen.
    pub fn clear(&mut self, area: Area, role: Role) {
        let rect = Rect::new(area.x, area.y, area.width, area.height).intersection(*self.buffer.area());
        for y in rect.top()..rect.bottom() {
            for x in rect.left()..rect.right() {
                if let Some(cell) = self.buffer.cell_mut((x, y)) {
                    cell.reset();
                    cell.set_style(self.theme.style(role));
                }
            }
        }
        // Half of a wide character must not stay behind at the left edge.
        if let Some(left) = rect.left().checked_sub(1) {
            for y in rect.top()..rect.bottom() {
                if let Some(cell) = self.buffer.cell_mut((left, y))
                    && width::width(cell.symbol()) > 1
                {
                    cell.set_symbol(" ");
                }
            }
        }
    }
}

/// The last look at a frame: no cell may hold what a terminal would obey or hide.
pub fn sweep(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        let symbol = cell.symbol();
        let plain = matches!(symbol.as_bytes(), [0x20..=0x7e]);
        // Joiners are part of emoji and of right-to-left words; alone they do nothing.
        if !plain && symbol.chars().any(|c| hostile(c) && !matches!(c, '\u{200c}'..='\u{200f}')) {
            cell.set_symbol("\u{fffd}");
        } else if !plain && let std::borrow::Cow::Owned(drawn) = width::drawn(symbol) {
            cell.set_symbol(&drawn);
        }
    }
    whole_characters(buffer);
}

/// A wide character whose second half was drawn over (a popup above a list) is blank: no terminal shows half of one, and what
/// it shows instead differs. The cell behind a whole one says nothing of its own: its look is the character's.
fn whole_characters(buffer: &mut Buffer) {
    let columns = usize::from(buffer.area.width).max(1);
    for row in buffer.content.chunks_mut(columns) {
        for x in 0..row.len() {
            if row[x].symbol().len() <= 2 || width::width(row[x].symbol()) != 2 {
                continue;
            }
            match row.get_mut(x + 1) {
                Some(behind) if behind.symbol() == " " => behind.reset(),
                _ => {
                    row[x].set_symbol(" ");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sweep_lets_no_escape_through() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 5, 1));
        for (n, symbol) in ["\x1b]0;x\x07", "ä", "a\u{202e}", "👩\u{200d}🔬"].into_iter().enumerate() {
            buffer.content[n].set_symbol(symbol);
        }
        sweep(&mut buffer);
        let shown: Vec<&str> = buffer.content.iter().map(ratatui::buffer::Cell::symbol).collect();
        assert_eq!(shown, ["\u{fffd}", "ä", "\u{fffd}", "👩", " "]);
    }

    #[test]
    fn half_a_character_is_none() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 6, 1));
        buffer.set_string(0, 0, "佐佐佐", Style::new());
        buffer.set_string(3, 0, "│", Style::new());
        sweep(&mut buffer);
        let shown: String = buffer.content.iter().map(ratatui::buffer::Cell::symbol).collect();
        assert_eq!(shown, "佐  │佐 ", "the second one lost its half");
    }

    #[test]
    fn text_stays_in_its_room() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 10, 2));
        let theme = Theme::plain();
        let mut c = Canvas { buffer: &mut buffer, theme: &theme, band: false, links: None };
        assert_eq!(c.text(2, 0, 5, "日本語です", Role::Text), 5, "a wide character that would be cut gives way");
        assert_eq!(c.right(10, 1, 4, "abcdef", Role::Text), 4);
        assert_eq!(c.text(9, 5, 5, "outside", Role::Text), 0);
        let row = |y: u16| (0..10).map(|x| buffer[(x, y)].symbol()).collect::<String>();
        assert_eq!(row(0).replace(' ', ""), "日本…");
        assert_eq!(row(1), "      abc…");
    }
}
