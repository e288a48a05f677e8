//! outbox — outgoing mail that is not done, and changes that wait for a server.
//! Owns: its drawing. May import: app, engine::api, mail, base.
//! Start reading at: `draw`.

use super::canvas::Canvas;
use crate::app::App;
use crate::app::layout::Area;
use crate::app::screen::outbox::Line;
use crate::app::words::{self, Calendar};
use crate::base::safetext::SafeText;
use crate::engine::api::{OutboxRow, OutboxState, QueueRow};
use crate::mail::intent::OpState;
use crate::ui::theme::Role;

pub(super) fn draw(canvas: &mut Canvas<'_>, app: &App, area: Area) {
    let mut drawn = false;
    for ((line, cursor), y) in app.outbox().visible().zip(area.y..area.y + area.height) {
        drawn = true;
        match line {
            Line::Heading(text) => {
                canvas.text(area.x + 1, y, area.width.saturating_sub(2), text, Role::Heading);
            }
            Line::Mail(mail) => {
                let (state, role) = mail_state(mail, app.calendar());
                let subject = if mail.subject.trim().is_empty() { "(no subject)" } else { mail.subject.trim() };
                row(
                    canvas,
                    (area, y),
                    (&mail.recipients.join(", "), subject),
                    (&state, role),
                    &app.calendar().short(mail.created),
                );
            }
            Line::Change(change) => {
                let (state, role) = change_state(change);
                let what = if change.is_about_tree() {
                    change.detail.to_string()
                } else {
                    format!("{}: {}", change.detail, words::plural(change.count.into(), "message", "messages"))
                };
                let name = if change.mailbox.is_inbox() { "Inbox".to_owned() } else { change.mailbox.decoded() };
                let place = format!("{} / {name}", change.account);
                row(canvas, (area, y), (&place, &what), (&state, role), &app.calendar().short(change.created));
            }
        }
        if cursor {
            canvas.cursor(area, y, true);
        }
    }
    if !drawn && area.height > 0 {
        let y = area.y + area.height.min(9) / 3;
        canvas.text(area.x + 3, y, area.width.saturating_sub(4), "Everything is sent, and every server knows", Role::Dim);
    }
}

fn row(canvas: &mut Canvas<'_>, place: (Area, u16), text: (&str, &str), state: (&str, Role), date: &str) {
    let (area, y) = place;
    let end = area.x + area.width.saturating_sub(1);
    let mut room = area.width.saturating_sub(4);
    if area.width >= 60 {
        canvas.right(end, y, 10, date, Role::ListDate);
        room = room.saturating_sub(12);
    }
    let who_room = room / 4;
    let x = area.x + 3;
    canvas.text(x, y, who_room, SafeText::line_max(text.0, 200).as_str(), Role::List);
    let what_room = room * 3 / 8;
    let x = x + who_room + 2;
    canvas.text(x, y, what_room, SafeText::line_max(text.1, 200).as_str(), Role::List);
    let x = x + what_room + 2;
    let left = (area.x + 4 + room).saturating_sub(x);
    canvas.text(x, y, left, SafeText::line_max(state.0, 300).as_str(), state.1);
}

fn mail_state(mail: &OutboxRow, calendar: &Calendar) -> (String, Role) {
    let due = || if mail.due > 0 { format!(" {}", calendar.clock(mail.due)) } else { String::new() };
    let why = || if mail.fault.is_empty() { String::new() } else { format!(": {}", mail.fault) };
    match mail.state {
        OutboxState::Awaiting if mail.fault.is_empty() => ("waits for its files".to_owned(), Role::StateWaiting),
        OutboxState::Awaiting => (format!("waits for its files{}", why()), Role::StateBad),
        OutboxState::Held => (format!("is sent at{}", due()), Role::StateWaiting),
        OutboxState::Queued => ("waits".to_owned(), Role::StateWaiting),
        OutboxState::Sending | OutboxState::DotSent => ("is being sent".to_owned(), Role::StateWaiting),
        OutboxState::Accepted => ("sent; the copy is being filed".to_owned(), Role::StateLive),
        OutboxState::Filed => ("sent".to_owned(), Role::StateLive),
        OutboxState::Deferred => (format!("tried again at{}{}", due(), why()), Role::StateWaiting),
        OutboxState::Refused => (format!("refused{}", why()), Role::StateBad),
        OutboxState::NeedsUser => (format!("needs you{}", why()), Role::StateBad),
        OutboxState::Unknown => (format!("may have been sent{}", why()), Role::StateBad),
    }
}

fn change_state(change: &QueueRow) -> (String, Role) {
    match change.state {
        OpState::Parked => (format!("refused: {}", change.fault), Role::StateBad),
        OpState::Settled | OpState::Moot | OpState::Withdrawn => ("done".to_owned(), Role::StateLive),
        _ if !change.fault.is_empty() => (format!("waits: {}", change.fault), Role::StateBad),
        OpState::Queued => ("waits".to_owned(), Role::StateWaiting),
        _ => ("under way".to_owned(), Role::StateWaiting),
    }
}
