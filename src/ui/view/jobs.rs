//! jobs — what runs that takes long, and how far it is.
//! Owns: its drawing. May import: app, engine::api, base.
//! Start reading at: `draw`.

use super::canvas::Canvas;
use crate::app::App;
use crate::app::layout::Area;
use crate::app::words;
use crate::base::safetext::SafeText;
use crate::engine::api::{Connectivity, Job, JobState, Unit};
use crate::ui::theme::Role;

/// From this width on there is a bar beside the numbers.
const BARS: u16 = 100;
/// Its columns.
const BAR: u16 = 20;

pub(super) fn draw(canvas: &mut Canvas<'_>, app: &App, area: Area) {
    let mut drawn = false;
    for ((job, cursor), y) in app.jobs().visible().zip(area.y..area.y + area.height) {
        drawn = true;
        let state = app.connectivity().get(&job.account);
        let live = matches!(state, Some(Connectivity::Live { .. } | Connectivity::Polled { .. }));
        row(canvas, job, live, area, y);
        if cursor {
            canvas.cursor(area, y, true);
        }
    }
    if !drawn && area.height > 0 {
        let y = area.y + area.height.min(9) / 3;
        canvas.text(area.x + 3, y, area.width.saturating_sub(4), "Nothing takes long just now", Role::Dim);
    }
}

fn row(canvas: &mut Canvas<'_>, job: &Job, live: bool, area: Area, y: u16) {
    let mut end = area.x + area.width.saturating_sub(1);
    if area.width >= BARS {
        if job.total > 0 {
            bar(canvas, end - BAR, y, job);
        }
        end -= BAR + 2;
    }
    let (text, role) = state(job, live);
    let far = canvas.right(end, y, area.width / 2, &text, role);
    let x = area.x + 2;
    let name = SafeText::line_max(job.account.as_str(), 60);
    let names = (area.width / 6).clamp(8, 20);
    canvas.text(x, y, names, name.as_str(), Role::Dim);
    let at = x + names + 2;
    let room = end.saturating_sub(far + 2).saturating_sub(at);
    canvas.text(at, y, room, job.what.as_str(), if job.state == JobState::Running { Role::List } else { Role::Dim });
}

/// How far a job is, in words.
fn state(job: &Job, live: bool) -> (String, Role) {
    match job.state {
        JobState::Waiting if live => ("waits".to_owned(), Role::StateWaiting),
        JobState::Waiting => ("coming when online".to_owned(), Role::StateWaiting),
        JobState::Stopping => ("stopping…".to_owned(), Role::StateWaiting),
        JobState::Stopped => ("stopped".to_owned(), Role::StateWaiting),
        JobState::Running if job.total > 0 => {
            let percent = job.done.min(job.total).saturating_mul(100) / job.total;
            (format!("{}  {percent} %", far(job.done, job.total, job.unit)), Role::Dim)
        }
        JobState::Running => (far(job.done, job.total, job.unit), Role::Dim),
    }
}

/// How much of how much, as far as either is known: "4,200 of 61,000".
pub(super) fn far(done: u64, total: u64, unit: Unit) -> String {
    let number = |n: u64| match unit {
        Unit::Messages => words::count(n),
        Unit::Octets => words::size(n),
    };
    match (done, total) {
        (0, 0) => String::new(),
        (done, 0) => number(done),
        (done, total) => format!("{} of {}", number(done), number(total)),
    }
}

fn bar(canvas: &mut Canvas<'_>, x: u16, y: u16, job: &Job) {
    let full = u64::from(BAR) * job.done.min(job.total) / job.total.max(1);
    for n in 0..BAR {
        let role = if u64::from(n) < full { Role::Accent } else { Role::Rule };
        canvas.text(x + n, y, 1, "━", role);
    }
}
