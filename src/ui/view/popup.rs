//! popup — what lies over the screen: palette, choosers, help, questions, prompts, which-key.
//! Owns: their drawing and place. May import: app, base.
//! Start reading at: `draw`.

use super::canvas::Canvas;
use super::list::tail_of;
use super::reading;
use crate::app::App;
use crate::app::input::Line;
use crate::app::layout::Area;
use crate::app::popup::{HelpLine, Popup};
use crate::app::screen::chooser::Chooser;
use crate::app::tree::Naming;
use crate::base::safetext::SafeText;
use crate::base::width;
use crate::engine::api::MailboxAct;
use crate::ui::theme::Role;
use std::fmt::Write as _;

/// Where it lies.
#[must_use]
pub fn area(app: &App, popup: &Popup) -> Area {
    let main = app.layout().main;
    let (wide, high) = match popup {
        Popup::Palette(c) => (96, c.rows().len() + 4),
        Popup::Mailboxes(c, _) => (60, c.rows().len() + 4),
        Popup::Themes(c) => (40, c.rows().len() + 4),
        Popup::Drafts(c) => (84, c.rows().len() + 4),
        Popup::Reading(over) => reading::size(over),
        Popup::Help(pane, _) => (96, app.help_lines(*pane).len() + 2),
        Popup::Delete(..) | Popup::Password(..) => (64, 5),
        Popup::Sure(question, _) => (u16::try_from(width::width(question.as_str()) + 4).unwrap_or(u16::MAX).max(64), 5),
        Popup::Name(..) | Popup::Tags(_) => (76, 5),
    };
    // Choosers keep their size while one types: nothing jumps.
    let high = match popup {
        Popup::Palette(_) | Popup::Mailboxes(..) => 20,
        _ => high,
    };
    let width = main.width.saturating_sub(if main.width > 40 { 8 } else { 0 }).min(wide);
    let height = u16::try_from(high).unwrap_or(u16::MAX).min(main.height.saturating_sub(if main.height > 10 { 2 } else { 0 }));
    let x = main.x + (main.width - width) / 2;
    let y = main.y + (main.height - height).min(2);
    Area { x, y, width, height }
}

/// The first row of what can be chosen, from the top of the area.
pub const FIRST_ROW: u16 = 3;

/// Draws it; the place of the terminal's cursor.
pub(super) fn draw(canvas: &mut Canvas<'_>, app: &App, popup: &Popup) -> Option<(u16, u16)> {
    let area = area(app, popup);
    canvas.clear(area, Role::Popup);
    frame(canvas, area);
    match popup {
        Popup::Palette(c) => chooser(canvas, area, c, 9),
        Popup::Mailboxes(c, _) => chooser(canvas, area, c, 0),
        Popup::Themes(c) => chooser(canvas, area, c, 0),
        Popup::Drafts(c) => chooser(canvas, area, c, 0),
        Popup::Reading(over) => reading::draw(canvas, area, over),
        Popup::Help(pane, top) => {
            help(canvas, area, &app.help_lines(*pane), *top);
            None
        }
        Popup::Delete(text, _) => {
            question(canvas, area, text.as_str(), [" deletes    ", " keeps them"]);
            None
        }
        Popup::Sure(text, act) => {
            let empties = matches!(act, MailboxAct::Empty { .. });
            let words = if empties { [" empties it    ", " leaves it"] } else { [" deletes    ", " keeps it"] };
            question(canvas, area, text.as_str(), words);
            None
        }
        Popup::Tags(tagging) => {
            let at = input(canvas, area, area.y + 1, "Tags", &tagging.line);
            let hint = if tagging.known.is_empty() { String::new() } else { format!("In this list: {}", tagging.known) };
            let hint = if hint.is_empty() { "Words with spaces between; other mail programs see them too" } else { &hint };
            canvas.text(area.x + 2, area.y + 3, area.width.saturating_sub(4), hint, Role::PopupDim);
            Some(at)
        }
        Popup::Name(naming, line) => {
            let (label, hint) = match naming {
                Naming::Create(account) => (format!("New mailbox of {account}"), "A slash puts it below another one"),
                Naming::Rename(_) => ("New name".to_owned(), "All mailboxes below it go with it"),
            };
            let at = input(canvas, area, area.y + 1, SafeText::line_max(&label, 60).as_str(), line);
            canvas.text(area.x + 2, area.y + 3, area.width.saturating_sub(4), hint, Role::PopupDim);
            Some(at)
        }
        Popup::Password(account, line) => {
            let account = SafeText::line_max(account.as_str(), 60);
            let label = format!("Password of {account}");
            let at = input(canvas, area, area.y + 1, &label, line);
            canvas.text(
                area.x + 2,
                area.y + 3,
                area.width.saturating_sub(4),
                "It stays in memory until the end of this run",
                Role::PopupDim,
            );
            Some(at)
        }
    }
}

/// A question and what its two answers do.
fn question(canvas: &mut Canvas<'_>, area: Area, text: &str, [yes, no]: [&str; 2]) {
    let x = area.x + 2;
    canvas.text(x, area.y + 1, area.width.saturating_sub(4), text, Role::Popup);
    let y = area.y + 3.min(area.height.saturating_sub(1));
    let used = canvas.text(x, y, 2, "y", Role::PopupMatch);
    let used = used + canvas.text(x + used, y, 20, yes, Role::PopupDim);
    let used = used + canvas.text(x + used, y, 8, "Esc", Role::PopupMatch);
    canvas.text(x + used, y, 20, no, Role::PopupDim);
}

fn frame(canvas: &mut Canvas<'_>, area: Area) {
    if area.height >= 4 {
        edge(canvas, area, area.y);
        edge(canvas, area, area.y + area.height - 1);
    }
}

/// A rule on the ground of what lies over the screen.
fn edge(canvas: &mut Canvas<'_>, area: Area, y: u16) {
    canvas.rule(area.x, y, area.width);
    let rect = ratatui::layout::Rect::new(area.x, y, area.width, 1).intersection(*canvas.buffer.area());
    if let Some(bg) = canvas.theme.style(Role::Popup).bg {
        canvas.buffer.set_style(rect, ratatui::style::Style::new().bg(bg));
    }
}

/// A label and what is typed; the place of the cursor.
pub(super) fn input(canvas: &mut Canvas<'_>, area: Area, y: u16, label: &str, line: &Line) -> (u16, u16) {
    let x = area.x + 2;
    let end = area.x + area.width.saturating_sub(2);
    let mut at = x + canvas.text(x, y, area.width / 2, label, Role::PopupDim) + 2;
    let (before, after) = line.shown();
    let (before, after) = (SafeText::line(&before), SafeText::line(&after));
    let room = end.saturating_sub(at);
    at += canvas.text(at, y, room, tail_of(before.as_str(), usize::from(room.saturating_sub(1))), Role::Popup);
    canvas.text(at, y, end.saturating_sub(at), after.as_str(), Role::Popup);
    (at, y)
}

pub(super) fn chooser<T: Clone>(canvas: &mut Canvas<'_>, area: Area, chooser: &Chooser<T>, key_room: u16) -> Option<(u16, u16)> {
    let cursor = input(canvas, area, area.y + 1, chooser.title, &chooser.line);
    let rows = usize::from(area.height.saturating_sub(FIRST_ROW + 1));
    let skip = (chooser.cursor() + 1).saturating_sub(rows);
    let x = area.x + 2;
    let end = area.x + area.width.saturating_sub(2);
    for ((n, (choice, marks)), y) in chooser.rows().enumerate().skip(skip).take(rows).zip(area.y + FIRST_ROW..) {
        let here = n == chooser.cursor();
        if here {
            canvas.text(area.x, y, 1, "▌", Role::PopupCursor);
        }
        let mut at = x;
        if key_room > 0 {
            canvas.text(
                at,
                y,
                key_room - 1,
                &choice.key,
                if choice.disabled.is_some() { Role::PopupDim } else { Role::PopupMatch },
            );
            at += key_room;
        }
        let plain = match (choice.disabled, here) {
            (Some(_), _) => Role::PopupDim,
            (None, true) => Role::PopupCursor,
            (None, false) => Role::Popup,
        };
        at += label(canvas, at, y, end.saturating_sub(at), choice.label.as_str(), marks, plain);
        let note = choice.disabled.unwrap_or(choice.note.as_str());
        let at = at.max(x + key_room + if key_room > 0 { 20 } else { 0 }) + 2;
        canvas.text(at, y, end.saturating_sub(at), note, Role::PopupDim);
    }
    if chooser.rows().len() == 0 {
        canvas.text(x, area.y + FIRST_ROW, area.width.saturating_sub(4), "Nothing is called like that", Role::PopupDim);
    }
    Some(cursor)
}

/// A label with the letters that matched.
fn label(canvas: &mut Canvas<'_>, x: u16, y: u16, room: u16, text: &str, marks: &[u32], plain: Role) -> u16 {
    let mut at = x;
    // Letters that combine have no cell of their own: such a label is drawn in one piece.
    if marks.is_empty() || width::width(text) != text.chars().count() {
        return canvas.text(x, y, room, text, plain);
    }
    for (n, c) in (0u32..).zip(text.chars()) {
        let left = (x + room).saturating_sub(at);
        if left == 0 {
            break;
        }
        let role = if marks.binary_search(&n).is_ok() { Role::PopupMatch } else { plain };
        at += canvas.text(at, y, left, c.encode_utf8(&mut [0; 4]), role);
    }
    at - x
}

fn help(canvas: &mut Canvas<'_>, area: Area, lines: &[HelpLine], top: usize) {
    let x = area.x + 2;
    let room = area.width.saturating_sub(4);
    let keys = 22.min(room / 2);
    for (line, y) in lines.iter().skip(top).zip(area.y + 1..area.y + area.height.saturating_sub(1)) {
        match line {
            HelpLine::Gap => {}
            HelpLine::Heading(text) => {
                canvas.text(x, y, room, text, Role::PopupDim);
            }
            HelpLine::Row(chords, doc) => {
                canvas.text(x, y, keys, chords, Role::PopupMatch);
                canvas.text(x + keys + 1, y, room.saturating_sub(keys + 1), doc, Role::Popup);
            }
        }
    }
    if top + usize::from(area.height.saturating_sub(2)) < lines.len() {
        canvas.right(
            area.x + area.width.saturating_sub(2),
            area.y + area.height.saturating_sub(1),
            14,
            " j shows more ",
            Role::PopupMatch,
        );
    }
}

/// What may follow a half-typed chord, above the last line.
pub(super) fn which_key(canvas: &mut Canvas<'_>, app: &App) {
    let main = app.layout().main;
    let cells: Vec<(String, &str)> =
        app.keys().following(app.pane(), app.typed()).into_iter().map(|(keys, b)| (keys, b.command.hint)).collect();
    let column = 20;
    let per_row = (main.width.saturating_sub(2) / column).max(1);
    let count = u16::try_from(cells.len()).unwrap_or(u16::MAX);
    let rows = count.div_ceil(per_row).min(main.height.saturating_sub(1));
    // The rule of the last line is its lower edge.
    let height = (rows + 1).min(main.height);
    let area = Area { x: main.x, y: main.y + main.height - height, width: main.width, height };
    canvas.clear(area, Role::Popup);
    edge(canvas, area, area.y);
    let mut prefix = String::new();
    let _ = write!(prefix, " {} … ", crate::app::key::chord_text(app.typed()));
    canvas.text(area.x + 1, area.y, 20, &prefix, Role::PopupMatch);
    for (n, (keys, hint)) in (0u16..).zip(&cells) {
        let (row, col) = (n / per_row, n % per_row);
        if row >= rows {
            break;
        }
        let (x, y) = (area.x + 2 + col * column, area.y + 1 + row);
        let used = canvas.text(x, y, 8, keys, Role::PopupMatch);
        canvas.text(x + used + 1, y, column - used - 2, hint, Role::Popup);
    }
}
