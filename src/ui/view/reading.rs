//! reading — what lies over the open message: its links, its files, the folder to save in.
//! Owns: their drawing. May import: app, base.
//! Start reading at: `draw`.

use super::canvas::Canvas;
use super::popup::{chooser, input};
use crate::app::layout::Area;
use crate::app::reading::Over;
use crate::base::safetext::SafeText;
use crate::base::width;
use crate::mail::links::Link;
use crate::ui::theme::Role;

/// Columns and rows.
pub(super) fn size(over: &Over) -> (u16, usize) {
    match over {
        // The whole address is shown before anything is opened: as much of it as there is room for.
        Over::Links(c) => (140, c.rows().len().max(2) + 7),
        Over::Doubtful(_) => (76, 7),
        Over::Open(c) => (76, c.rows().len().max(1) + 4),
        Over::Save(c) => (76, c.rows().len().max(1) + 4),
        Over::Folder(..) | Over::Pipe(_) => (76, 5),
    }
}

/// Draws it; the place of the terminal's cursor.
pub(super) fn draw(canvas: &mut Canvas<'_>, area: Area, over: &Over) -> Option<(u16, u16)> {
    let x = area.x + 2;
    let room = area.width.saturating_sub(4);
    match over {
        Over::Links(c) => {
            // The last rows say the chosen address in full; the chooser has those above.
            let below = if area.height >= 8 { 3 } else { 0 };
            let upper = Area { height: area.height - below, ..area };
            let cursor = chooser(canvas, upper, c, 5);
            if below > 0
                && let Some(choice) = c.current()
            {
                address(canvas, x, area.y + area.height - below, room, &choice.value);
            }
            cursor
        }
        Over::Doubtful(link) => {
            canvas.text(x, area.y + 1, room, "This link says another site than it leads to. It leads to", Role::Popup);
            address(canvas, x, area.y + 2, room, link);
            let y = area.y + area.height.saturating_sub(2);
            let mut at = x + canvas.text(x, y, 2, "y", Role::PopupMatch);
            at += canvas.text(at, y, 24, " opens it all the same   ", Role::PopupDim) + 2;
            at += canvas.text(at, y, 8, "Esc", Role::PopupMatch);
            canvas.text(at, y, 20, " leaves it", Role::PopupDim);
            None
        }
        Over::Open(c) => chooser(canvas, area, c, 0),
        Over::Save(c) => chooser(canvas, area, c, 0),
        Over::Pipe(line) => {
            let at = input(canvas, area, area.y + 1, "Pipe to", line);
            let hint = "A command of the shell; it gets the message as it came";
            canvas.text(area.x + 2, area.y + 3, area.width.saturating_sub(4), hint, Role::PopupDim);
            Some(at)
        }
        Over::Folder(line, parts) => {
            let what = if parts.len() == 1 { "Save in".to_owned() } else { format!("Save {} files in", parts.len()) };
            let cursor = input(canvas, area, area.y + 1, &what, line);
            canvas.text(
                x,
                area.y + 3.min(area.height.saturating_sub(1)),
                room,
                "Nothing that is there is replaced",
                Role::PopupDim,
            );
            Some(cursor)
        }
    }
}

/// An address over at most two rows, its host marked.
fn address(canvas: &mut Canvas<'_>, x: u16, y: u16, room: u16, link: &Link) {
    let url = SafeText::line(&link.url);
    let host = SafeText::line(&link.host);
    let role = if link.lies { Role::TrustBad } else { Role::PopupMatch };
    let (before, rest) = match url.as_str().find(host.as_str()).filter(|_| !host.is_empty()) {
        Some(at) => {
            (url.as_str().get(..at).unwrap_or_default(), url.as_str().get(at + host.as_str().len()..).unwrap_or_default())
        }
        None => (url.as_str(), ""),
    };
    let shown = if before.len() + rest.len() == url.as_str().len() { "" } else { host.as_str() };
    // Addresses are ASCII: a byte is a cell.
    let (mut at, mut row) = (0, 0);
    for (text, role) in [(before, Role::PopupDim), (shown, role), (rest, Role::PopupDim)] {
        let mut left = text;
        while !left.is_empty() && row < 2 {
            let (bytes, cells) = width::fit(left, usize::from(room - at));
            let piece = left.get(..bytes).unwrap_or_default();
            canvas.text(x + at, y + row, room - at, piece, role);
            at += u16::try_from(cells).unwrap_or(room);
            left = left.get(bytes..).unwrap_or_default();
            if !left.is_empty() {
                (at, row) = (0, row + 1);
            }
        }
    }
}
