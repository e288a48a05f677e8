//! account — the form of a new account.
//! Owns: its drawing. May import: app, base.
//! Start reading at: `draw`.

use super::canvas::Canvas;
use super::list::tail_of;
use crate::app::layout::Area;
use crate::app::screen::account::{Field, Form, Trial};
use crate::base::safetext::SafeText;
use crate::base::width;
use crate::ui::theme::Role;

/// Where the fields begin, from the left edge.
const INDENT: u16 = 18;

/// Which line each field stands on, from the top of the form.
#[must_use]
pub fn line_of(field: Field) -> u16 {
    match field {
        Field::Address => 2,
        Field::Name => 3,
        Field::Incoming => 5,
        Field::IncomingTls => 6,
        Field::IncomingPort => 7,
        Field::Outgoing => 9,
        Field::OutgoingTls => 10,
        Field::OutgoingPort => 11,
        Field::Login => 13,
        Field::Source => 14,
        Field::Password => 15,
        Field::CaFile => 16,
    }
}

/// How far the form is scrolled where it does not fit.
#[must_use]
pub fn scroll(form: &Form, area: Area) -> u16 {
    // Two lines for what the test says.
    (line_of(form.focus()) + 3).saturating_sub(area.height)
}

/// Draws it; the place of the terminal's cursor.
pub(super) fn draw(canvas: &mut Canvas<'_>, form: &Form, first: bool, area: Area) -> Option<(u16, u16)> {
    let skip = scroll(form, area);
    let row = |line: u16| line.checked_sub(skip).filter(|n| *n + 2 < area.height.max(3)).map(|n| area.y + n);
    let x = area.x + 2;
    let room = area.width.saturating_sub(4).min(76);
    if let Some(y) = row(0) {
        let text = if first { "Which mail do you want to read?" } else { "A new account" };
        canvas.text(x, y, room, text, Role::Title);
    }
    if let (Some(y), Some(text)) = (row(4), form.finding()) {
        canvas.text(x, y, room, text.as_str(), Role::Dim);
    }
    let mut cursor = None;
    let indent = INDENT.min(room / 3 + 2);
    for field in form.fields() {
        let Some(y) = row(line_of(field)) else { continue };
        let here = field == form.focus();
        if here {
            canvas.text(area.x, y, 1, "▌", Role::CursorBar);
        }
        canvas.text(x, y, indent.saturating_sub(1), field.label(), if here { Role::Accent } else { Role::InputLabel });
        let (at, left) = (x + indent, room.saturating_sub(indent));
        if let Some(choice) = form.choice(field) {
            let used = canvas.text(at, y, left, choice, Role::Input);
            if here {
                canvas.text(at + used + 2, y, left.saturating_sub(used + 2), "◂ ▸", Role::HintKey);
                cursor = Some((at, y));
            }
            continue;
        }
        let (before, after) = form.line(field).shown();
        let (before, after) = (SafeText::line(&before), SafeText::line(&after));
        let ink = if form.guessed(field) { Role::Dim } else { Role::Input };
        let used = canvas.text(at, y, left, tail_of(before.as_str(), usize::from(left.saturating_sub(1))), ink);
        let used_after = canvas.text(at + used, y, left.saturating_sub(used), after.as_str(), ink);
        if let Some(text) = form.foreign(field) {
            let beside = used + used_after + 2;
            canvas.text(at + beside, y, left.saturating_sub(beside), text.as_str(), Role::ToastWarn);
        }
        if here {
            cursor = Some((at + used, y));
        }
    }
    trial(canvas, form, area, x);
    cursor
}

/// What the test says, on the last two lines.
fn trial(canvas: &mut Canvas<'_>, form: &Form, area: Area, x: u16) {
    if area.height < 3 {
        return;
    }
    let y = (area.y + area.height - 2).min(area.y + 17);
    let room = area.width.saturating_sub(4);
    match &form.trial {
        Trial::None => match form.advice() {
            Some(advice) => wrapped(canvas, advice.as_str(), (x, y), area, Role::ToastWarn),
            None => {
                canvas.text(x, y, room, form.hint(), Role::Dim);
            }
        },
        Trial::Running => {
            canvas.text(x, y, room, "Testing the login…", Role::Accent);
        }
        Trial::Stopped => {
            canvas.text(x, y, room, "The test was stopped; nothing is saved", Role::Dim);
        }
        Trial::Incomplete(what) => {
            wrapped(canvas, what.as_str(), (x, y), area, Role::ToastWarn);
        }
        Trial::Failed(step, fault) => {
            let text = format!("{step}: {}", fault.what);
            wrapped(canvas, &text, (x, y), area, Role::ToastBad);
        }
    }
}

/// A sentence that may be longer than a line.
fn wrapped(canvas: &mut Canvas<'_>, text: &str, (x, y): (u16, u16), area: Area, role: Role) {
    let room = area.width.saturating_sub(4);
    let lines = width::wrap(text, usize::from(room));
    let below = area.y + area.height;
    for (range, y) in lines.into_iter().zip(y..below) {
        canvas.text(x, y, room, text.get(range).unwrap_or_default(), role);
    }
}
