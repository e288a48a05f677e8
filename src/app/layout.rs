//! layout — where the panes are, by the size of the terminal and by what has the focus.
//! Owns: `Layout`, `Area`, `Focus`. May import: nothing of ours.
//! Start reading at: `Layout::of`. Wide: mailboxes, list, message side by side. Middle: mailboxes beside list above message. Small: one
//! of them at a time. By width, never by an option.

/// A rectangle of cells.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Area {
    /// Its first column.
    pub x: u16,
    /// Its first row.
    pub y: u16,
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

impl Area {
    /// Whether a cell lies in it.
    #[must_use]
    pub const fn holds(&self, x: u16, y: u16) -> bool {
        x >= self.x && x - self.x < self.width && y >= self.y && y - self.y < self.height
    }
}

/// The pane that keys go to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Focus {
    /// The mailboxes.
    Folders,
    /// The list.
    Messages,
    /// The open message.
    Reader,
}

/// From this width on there are three panes side by side.
pub const WIDE: u16 = 140;
/// From this width on the mailboxes stand beside the list.
pub const MIDDLE: u16 = 100;
/// Columns that a list beside the message keeps.
const LIST: u16 = 57;
/// From this height on the message has room below the list.
const TALL: u16 = 30;

/// Where everything is.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Layout {
    /// The line with the place, at the top.
    pub title: Option<u16>,
    /// Rules across the whole width.
    pub rules: [Option<u16>; 2],
    /// The last line.
    pub status: u16,
    /// Everything between the rules.
    pub main: Area,
    /// The mailboxes.
    pub folders: Option<Area>,
    /// The list.
    pub list: Option<Area>,
    /// The open message.
    pub reader: Option<Area>,
    /// Lines between panes that stand side by side: column, first row, rows.
    pub bars: [Option<(u16, u16, u16)>; 2],
    /// The rule between the list and the message below it: row, first column, columns.
    pub split: Option<(u16, u16, u16)>,
}

impl Layout {
    /// For a terminal of this size.
    #[must_use]
    pub fn of(width: u16, height: u16, focus: Focus, zoom: bool) -> Self {
        // On a tiny terminal the chrome goes first: rules below 12 rows, the title below 6.
        let title = (height >= 6).then_some(0);
        let ruled = height >= 12;
        let top = u16::from(title.is_some()) + u16::from(ruled);
        let bottom = 1 + u16::from(ruled);
        let main = Area { x: 0, y: top.min(height), width, height: height.saturating_sub(top + bottom) };
        let status = height.saturating_sub(1);
        let rules = if ruled { [Some(1), Some(height - 2)] } else { [None, None] };
        let mut layout = Self { title, rules, status, main, ..Self::default() };
        if width < MIDDLE || zoom {
            match focus {
                Focus::Folders => layout.folders = Some(main),
                Focus::Messages => layout.list = Some(main),
                Focus::Reader => layout.reader = Some(main),
            }
            return layout;
        }
        // Below 180 columns the mails want the room more.
        let left = (width / 6).clamp(20, if width < 180 { 21 } else { 30 });
        layout.folders = Some(Area { width: left, ..main });
        layout.bars[0] = Some((left, main.y, main.height));
        let rest = Area { x: left + 1, width: width - left - 1, ..main };
        if width >= WIDE {
            // A mail of 80 columns comes first; long lines are hard to read: beyond them the list gets the room.
            let reader = rest.width.saturating_sub(LIST + 1).min(84);
            let list = rest.width - reader - 1;
            layout.list = Some(Area { width: list, ..rest });
            layout.bars[1] = Some((rest.x + list, main.y, main.height));
            layout.reader = Some(Area { x: rest.x + list + 1, width: reader, ..rest });
        } else if main.height >= TALL {
            let list = main.height * 2 / 5;
            layout.list = Some(Area { height: list, ..rest });
            layout.split = Some((main.y + list, rest.x, rest.width));
            layout.reader = Some(Area { y: main.y + list + 1, height: main.height - list - 1, ..rest });
        } else if focus == Focus::Reader {
            layout.reader = Some(rest);
        } else {
            layout.list = Some(rest);
        }
        layout
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panes(l: &Layout) -> String {
        let one = |a: Option<Area>| a.map_or("-".to_owned(), |a| format!("{}x{}+{}+{}", a.width, a.height, a.x, a.y));
        format!("{} {} {}", one(l.folders), one(l.list), one(l.reader))
    }

    #[test]
    fn panes_come_with_the_width() {
        let of = |w, h| panes(&Layout::of(w, h, Focus::Messages, false));
        assert_eq!(of(80, 24), "- 80x20+0+2 -");
        assert_eq!(of(120, 40), "20x36+0+2 99x14+21+2 99x21+21+17");
        assert_eq!(of(120, 24), "20x20+0+2 99x20+21+2 -");
        assert_eq!(of(200, 60), "30x56+0+2 84x56+31+2 84x56+116+2");
        assert_eq!(of(160, 50), "21x46+0+2 57x46+22+2 80x46+80+2");
        assert_eq!(panes(&Layout::of(120, 24, Focus::Reader, false)), "20x20+0+2 - 99x20+21+2");
        assert_eq!(panes(&Layout::of(200, 60, Focus::Reader, true)), "- - 200x56+0+2");
        assert_eq!(of(20, 5), "- 20x4+0+0 -");
    }

    #[test]
    fn nothing_lies_outside_and_nothing_overlaps() {
        for width in 0..260 {
            for height in 0..90 {
                for (focus, zoom) in [(Focus::Folders, false), (Focus::Messages, false), (Focus::Reader, true)] {
                    let l = Layout::of(width, height, focus, zoom);
                    let areas: Vec<Area> = [l.folders, l.list, l.reader].into_iter().flatten().collect();
                    for a in &areas {
                        assert!(a.x + a.width <= width && a.y + a.height <= height, "{width}x{height}: {a:?}");
                        assert!(a.height == 0 || a.y + a.height <= l.status);
                    }
                    for (n, a) in areas.iter().enumerate() {
                        for b in &areas[n + 1..] {
                            let apart =
                                a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
                            assert!(apart, "{width}x{height}: {a:?} {b:?}");
                        }
                    }
                    assert!(!areas.is_empty());
                }
            }
        }
    }
}
