//! chrome — the first line and the last: where one is, how things stand, what the keys do now, what went wrong.
//! Owns: their drawing. May import: app, engine::api, base.
//! Start reading at: `draw`.

use super::canvas::Canvas;
use super::hints::{self, Hints};
use super::jobs;
use crate::app::App;
use crate::app::command::{self, Pane};
use crate::app::compose::Compose;
use crate::app::layout::Layout;
use crate::app::screen::Screen;
use crate::app::screen::folders;
use crate::app::status::{self, Tone};
use crate::app::words;
use crate::base::safetext::SafeText;
use crate::base::width;
use crate::engine::api::{Connectivity, Fault};
use crate::mail::ids::AccountName;
use crate::ui::theme::Role;

/// Columns that work in progress leaves to the keys.
const KEYS: u16 = 36;
/// The fewest columns for what it is.
const NAME: u16 = 8;

pub(super) fn draw(canvas: &mut Canvas<'_>, app: &App, layout: &Layout) {
    let width = layout.main.width;
    if let Some(y) = layout.title {
        title_line(canvas, app, width, y);
    }
    for y in layout.rules.into_iter().flatten() {
        canvas.rule(0, y, width);
    }
    if *app.screen() == Screen::Mail {
        for (x, y, rows) in layout.bars.into_iter().flatten() {
            canvas.bar(x, y, rows);
        }
        if let Some((y, x, columns)) = layout.split {
            canvas.rule(x, y, columns);
        }
    }
    status_line(canvas, app, width, layout.status);
}

/// Where one is, in words: for the first line and the terminal's title.
#[must_use]
pub fn title(app: &App) -> SafeText {
    let place = match app.screen() {
        Screen::Compose => app.desk().front().map_or_else(String::new, |c| c.title().into_string()),
        Screen::Outbox => "Outgoing mail and waiting changes".to_owned(),
        Screen::Jobs => "What runs".to_owned(),
        Screen::Account => "Add an account".to_owned(),
        Screen::Mail => match (app.search(), app.open_mailbox()) {
            (Some(_), _) => "Search in all mail".to_owned(),
            (None, Some(m)) => format!("{} / {}", m.account, folders::name(m)),
            (None, None) => match app.joined() {
                Some(view) => folders::view_name(view).to_owned(),
                None => app.account().map_or(String::new(), ToString::to_string),
            },
        },
    };
    SafeText::line_max(&place, 200)
}

/// What a row of the list is: one, and several.
const fn row_words(app: &App) -> (&'static str, &'static str) {
    if app.list().threaded { ("conversation", "conversations") } else { ("message", "messages") }
}

fn title_line(canvas: &mut Canvas<'_>, app: &App, width: u16, y: u16) {
    let mut end = width.saturating_sub(1);
    for (text, role) in states(app) {
        let room = end.saturating_sub(12);
        let used = canvas.right(end, y, room, text.as_str(), role);
        end = end.saturating_sub(used + 3);
    }
    let mut x = 1;
    if width >= 40 {
        x += canvas.text(x, y, 10, "Postrider", Role::Title) + 2;
    }
    x += canvas.text(x, y, end.saturating_sub(x), title(app).as_str(), Role::TitlePlace) + 2;
    let counts = match (app.open_mailbox(), app.screen()) {
        (Some(m), Screen::Mail) if app.search().is_none() => match (m.unread, m.total) {
            (_, 0) => String::new(),
            (0, total) => words::plural(total.into(), "message", "messages"),
            (unread, total) => format!("{} unread of {}", words::count(unread.into()), words::count(total.into())),
        },
        (None, Screen::Mail) if app.search().is_none() && app.list().loaded() && app.joined().is_some() => {
            let (one, several) = row_words(app);
            words::plural(app.list().total().into(), one, several)
        }
        (_, Screen::Compose) => app.desk().front().map_or_else(String::new, |c| saved(app, c)),
        _ => String::new(),
    };
    let marked = app.list().marked();
    let counts = if marked > 0 { format!("{} marked", words::count(marked as u64)) } else { counts };
    let role = if marked > 0 { Role::ListMarked } else { Role::TitleCount };
    // Half a number is worse than none.
    if usize::from(end.saturating_sub(x)) >= width::width(&counts) {
        canvas.text(x, y, end.saturating_sub(x), &counts, role);
    }
}

/// How a draft stands with the disk.
fn saved(app: &App, compose: &Compose) -> String {
    match compose.saving().at {
        Some(at) => format!("draft saved {}", app.calendar().clock(at)),
        None => String::new(),
    }
}

/// What stands at the right end of the first line, from the right.
fn states(app: &App) -> Vec<(SafeText, Role)> {
    let mut all = Vec::new();
    let exposed = app.exposed();
    if let Some(first) = exposed.first() {
        // As long as it is so, before everything else (security T-11).
        let whose = if app.accounts().len() > 1 { format!("{first} ") } else { String::new() };
        all.push((SafeText::line_max(&format!("⚠ {whose}not encrypted"), 60), Role::StateBad));
    }
    let (waiting, parked) = app.outbox().waiting();
    let (sending, stuck) = app.outbox().sending();
    if parked + stuck > 0 {
        let key = app.keys().key_for(Pane::Messages, "goto-outbox").unwrap_or_default();
        all.push((SafeText::line(&format!("⚠ {} need you ({key})", parked + stuck)), Role::StateBad));
    }
    if waiting > 0 {
        all.push((SafeText::line(&format!("⇅ {} waiting", words::count(waiting as u64))), Role::StateWaiting));
    }
    if sending > 0 {
        all.push((SafeText::line(&format!("↑ {} to send", words::count(sending as u64))), Role::StateWaiting));
    }
    if app.is_metered() {
        all.push((SafeText::of("metered"), Role::StateWaiting));
    }
    let writing = app.desk().count();
    if writing > 0 && *app.screen() != Screen::Compose {
        let key = app.keys().key_for(app.pane(), "drafts").unwrap_or_default();
        all.push((
            SafeText::line(&format!("✎ {} ({key})", words::plural(writing as u64, "open mail", "open mails"))),
            Role::StateWaiting,
        ));
    }
    let several = app.accounts().len() > 1;
    if let (true, Some(_), Screen::Mail) = (several, app.joined(), app.screen()) {
        // A view of all accounts names those that are not in step.
        let live = |a: &&AccountName| matches!(app.connectivity().get(*a), Some(Connectivity::Live { .. }));
        for account in app.accounts().iter().rev().filter(|a| !live(a)) {
            let (text, role) = account_state(app, account);
            if let Some((sign, state)) = text.split_once(' ') {
                all.push((SafeText::line_max(&format!("{sign} {account} {state}"), 60), role));
            }
        }
        if app.accounts().iter().all(|a| live(&a)) {
            all.push((SafeText::of("● all live"), Role::StateLive));
        }
    } else if let Some(account) = app.account() {
        let (text, role) = account_state(app, account);
        if !text.is_empty() {
            all.push((SafeText::line(&text), role));
        }
    }
    all
}

/// How an account stands, in one or two words.
pub(super) fn account_state(app: &App, account: &AccountName) -> (String, Role) {
    match app.connectivity().get(account) {
        None => (String::new(), Role::StateIdle),
        Some(Connectivity::Off) => ("○ offline".to_owned(), Role::StateIdle),
        Some(Connectivity::Elsewhere) => ("○ other window".to_owned(), Role::StateIdle),
        Some(Connectivity::Connecting) => ("○ connecting".to_owned(), Role::StateIdle),
        Some(Connectivity::Live { .. }) => ("● live".to_owned(), Role::StateLive),
        Some(Connectivity::Polled { at }) => (format!("● {}", app.calendar().clock(*at)), Role::StateLive),
        Some(Connectivity::Waiting { until, .. }) => {
            (format!("○ offline, next {}", app.calendar().clock(*until)), Role::StateBad)
        }
        Some(Connectivity::NeedsUser(_)) => ("⚠ needs you".to_owned(), Role::StateBad),
    }
}

/// The key of a fault's remedy and what it does.
pub(super) fn remedy(app: &App, fault: &Fault) -> Option<(String, &'static str)> {
    let (id, what) = status::remedy(fault.remedy.as_ref()?)?;
    Some((key_of(app, id), what))
}

/// The key that runs a command here, or how to find it without one.
fn key_of(app: &App, id: &str) -> String {
    let pane = app.pane();
    app.keys().key_for(pane, id).unwrap_or_else(|| format!("{} {id}", app.keys().key_for(pane, "palette").unwrap_or_default()))
}

/// The oldest work that takes long, at the end of the line, where enough is left for the keys. The columns it took.
fn work(canvas: &mut Canvas<'_>, app: &App, (x, end): (u16, u16), y: u16) -> u16 {
    let Some(progress) = app.status().work(app.now().since) else { return 0 };
    let room = end.saturating_sub(x).saturating_sub(KEYS).min(end / 2);
    let far = jobs::far(progress.done, progress.total, progress.unit);
    let wide = u16::try_from(width::width(&far)).unwrap_or(u16::MAX);
    // A name may be cut, a number may not.
    if room < wide.saturating_add(NAME) {
        return 0;
    }
    let far = canvas.right(end, y, room, &far, Role::HintText);
    let gap = u16::from(far > 0);
    far + gap + canvas.right(end - far - gap, y, room - far - gap, progress.what.as_str(), Role::HintText) + 2
}

fn status_line(canvas: &mut Canvas<'_>, app: &App, width: u16, y: u16) {
    let mut end = width.saturating_sub(1);
    let mut x = 1;
    if let Some((toast, more)) = app.status().line() {
        let role = match toast.tone {
            Tone::Done => Role::Toast,
            Tone::Doubt => Role::ToastWarn,
            Tone::Failed => Role::ToastBad,
        };
        let command = toast.command.map(|(id, what)| (key_of(app, id), what));
        let tail = command.as_ref().map_or(0, |(key, what)| width::width(key) + width::width(what) + 4);
        let more = if more > 0 { format!("  and {more} more") } else { String::new() };
        let text = format!("{}{more}", toast.text);
        let wanted = width::width(&text) + tail;
        // Beside the hints where there is room for both, in their place where there is not.
        let beside = usize::from(width) > wanted + 50;
        let start = if beside { end.saturating_sub(u16::try_from(wanted).unwrap_or(end)) } else { x };
        let room = end.saturating_sub(start + u16::try_from(tail).unwrap_or(0));
        let mut at = start + canvas.text(start, y, room, &text, role);
        if let Some((key, what)) = command {
            at += 3;
            at += canvas.text(at, y, end.saturating_sub(at), &key, Role::HintKey) + 1;
            canvas.text(at, y, end.saturating_sub(at), what, Role::HintText);
        }
        if !beside {
            return;
        }
        end = start.saturating_sub(2);
    }
    if !app.typed().is_empty() {
        let typed = crate::app::key::chord_text(app.typed());
        canvas.right(end, y, 12, &format!("{typed} …"), Role::HintKey);
        end = end.saturating_sub(14);
    }
    if *app.screen() != Screen::Account {
        end = end.saturating_sub(work(canvas, app, (x, end), y));
    }
    match hints::of(app) {
        Hints::Keys(keys) => {
            for (n, (key, what)) in keys.iter().enumerate() {
                // Of the likeliest a part is better than nothing.
                if n == 0 || x.saturating_add(room(key, what)) <= end {
                    x += hint(canvas, (x, end), y, (key, what));
                }
            }
        }
        Hints::Commands(commands) => {
            // `?` is the one that leads to all others: it keeps its room.
            let help = app.keys().key_for(app.pane(), "help").map_or(0, |key| width::width(&key) + 7);
            let before_help = end.saturating_sub(u16::try_from(help).unwrap_or(0));
            for id in commands {
                let Some(spec) = command::find(id).filter(|spec| app.why_not(spec).is_none()) else { continue };
                let Some(key) = app.keys().key_for(app.pane(), id) else { continue };
                if x.saturating_add(room(&key, spec.hint)) <= if *id == "help" { end } else { before_help } {
                    x += hint(canvas, (x, end), y, (&key, spec.hint));
                }
            }
        }
    }
}

/// The columns that a key and what it does take.
fn room(key: &str, what: &str) -> u16 {
    u16::try_from(width::width(key) + 1 + width::width(what)).unwrap_or(u16::MAX)
}

/// A key and what it does; the columns to the next one.
fn hint(canvas: &mut Canvas<'_>, (x, end): (u16, u16), y: u16, (key, what): (&str, &str)) -> u16 {
    let used = canvas.text(x, y, end.saturating_sub(x), key, Role::HintKey) + 1;
    used + canvas.text(x + used, y, end.saturating_sub(x + used), what, Role::HintText) + 2
}
