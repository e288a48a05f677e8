//! viewer — the open message: who, to whom, when, about what, then its text.
//! Owns: its drawing. May import: app, engine::api, mail, base.
//! Start reading at: `draw`.

use super::canvas::Canvas;
use super::chrome;
use crate::app::App;
use crate::app::command;
use crate::app::layout::{Area, Focus};
use crate::app::screen::viewer::{MAX_FILES, Page, Row, State};
use crate::app::tags;
use crate::app::words;
use crate::base::safetext::SafeText;
use crate::base::width;
use crate::engine::api::{Away, Body, Connectivity, Fault, MessageView, Piece, PieceState};
use crate::mail::address::Address;
use crate::mail::body::{Attachment, author};
use crate::mail::ids::AccountName;
use crate::mail::layout::{Line, Role as Part};
use crate::mail::links::LinkKind;
use crate::mail::structure::Prefer;
use crate::ui::theme::Role;
use ratatui::layout::Rect;

pub(super) fn draw(canvas: &mut Canvas<'_>, app: &App, area: Area, focus: bool) {
    let viewer = app.viewer();
    let Some(state) = viewer.state() else { return };
    let x = area.x + 1;
    let room = area.width.saturating_sub(2);
    let view = match state {
        State::Asked => return,
        State::Failed(fault) => {
            failure(canvas, app, fault, x, area.y, room);
            return;
        }
        State::Here(view) => view,
    };
    header(canvas, app, view, area);
    let top = area.y + viewer.head();
    let end = top + viewer.room();
    match (viewer.page(), &view.body) {
        (Some(page), _) => {
            for ((n, row), y) in page.rows().iter().enumerate().skip(viewer.top()).zip(top..end) {
                page_row(canvas, app, page, (n, *row), (x, y, room));
            }
            files(canvas, app, area, end);
            looked_for(canvas, app, area);
        }
        (None, Body::Failed(fault)) => failure(canvas, app, fault, x, top, room),
        (None, Body::NotHere { why: Away::NoLine }) => without_line(canvas, app, &view.row.account, x, top, room),
        (None, Body::Coming { done, total }) => {
            canvas.text(x, top, room, &format!("Fetching the text…{}", far(*done, *total)), Role::Dim);
        }
        (None, Body::Here(_)) if viewer.form().source => source(canvas, app, view, x, top, room),
        (None, Body::Here(_)) => {
            canvas.text(x, top, room, "Laying out a long text…", Role::Dim);
        }
        // It is about to be asked for: nothing to say for so short a time.
        (None, Body::NotHere { why: Away::Unasked }) => {}
    }
    if viewer.head() > 1 {
        place(canvas, app, area, focus);
    }
}

/// " 1.2 of 5.0 MB", once anything is here.
fn far(done: u64, total: u64) -> String {
    if done > 0 && done <= total { format!(" {} of {}", words::size(done), words::size(total)) } else { String::new() }
}

/// The whole message is asked for, and is not here.
fn source(canvas: &mut Canvas<'_>, app: &App, view: &MessageView, x: u16, y: u16, room: u16) {
    match app.viewer().piece(&Piece::Whole) {
        Some(PieceState::Failed(fault)) => failure(canvas, app, fault, x, y, room),
        Some(PieceState::Waits) => without_line(canvas, app, &view.row.account, x, y, room),
        Some(PieceState::Coming { done, total }) => {
            canvas.text(x, y, room, &format!("Fetching the whole message…{}", far(*done, *total)), Role::Dim);
        }
        None => {}
    }
}

/// What is worth knowing of a file beside its size: where it is, or how far it is.
fn whereabouts(app: &App, file: &Attachment) -> String {
    match app.viewer().piece(&Piece::Part(file.path.clone())) {
        _ if file.here => String::new(),
        Some(PieceState::Coming { done, total }) => format!(", coming{}", far(*done, *total)),
        Some(PieceState::Waits) => ", coming when online".to_owned(),
        Some(PieceState::Failed(fault)) => format!(", {}", fault.what),
        None => ", on the server".to_owned(),
    }
}

/// The text is not here and there is no connection: why, and the key that helps.
fn without_line(canvas: &mut Canvas<'_>, app: &App, account: &AccountName, x: u16, y: u16, room: u16) {
    canvas.text(x, y, room, "The text is not on this machine; it comes with the next connection", Role::Dim);
    match app.connectivity().get(account) {
        Some(Connectivity::Off) => {
            canvas.text(x, y + 1, room, "Postrider was started with --offline", Role::Dim);
        }
        Some(Connectivity::Waiting { fault, .. } | Connectivity::NeedsUser(fault)) => failure(canvas, app, fault, x, y + 1, room),
        _ => {}
    }
}

/// What went wrong and the key that helps.
fn failure(canvas: &mut Canvas<'_>, app: &App, fault: &Fault, x: u16, y: u16, room: u16) {
    canvas.text(x, y, room, fault.what.as_str(), Role::ToastBad);
    if let Some((key, what)) = chrome::remedy(app, fault) {
        let used = canvas.text(x, y + 1, room, &key, Role::HintKey);
        canvas.text(x + used + 1, y + 1, room.saturating_sub(used + 1), what, Role::HintText);
    }
}

/// On the rule below the header: which form is shown, and how far the eye is.
fn place(canvas: &mut Canvas<'_>, app: &App, area: Area, focus: bool) {
    let viewer = app.viewer();
    let y = area.y + viewer.head() - 1;
    let form = viewer.form();
    let mut words = Vec::new();
    if form.source {
        words.push("source".to_owned());
    } else if viewer.page().is_some_and(|p| p.plan.alternative) {
        words.push(if form.prefer == Prefer::Html { "HTML" } else { "plain text" }.to_owned());
    }
    // Nearly every newsletter hides a preview text: worth a word, no alarm.
    if !form.source && viewer.page().is_some_and(|p| p.hidden > 0) {
        words.push("hidden text left out".to_owned());
    }
    if let (Some(percent), true) = (viewer.progress(), focus) {
        words.push(format!("{percent} %"));
    }
    if let Some(view) = viewer.view() {
        words.splice(0..0, tags::of(&view.row.flags).map(|k| SafeText::line_max(&format!("#{}", k.label()), 40).into_string()));
    }
    if !words.is_empty() {
        let text = format!(" {} ", words.join(" · "));
        canvas.right(area.x + area.width.saturating_sub(1), y, area.width / 2, &text, Role::Dim);
    }
}

fn header(canvas: &mut Canvas<'_>, app: &App, view: &MessageView, area: Area) {
    let viewer = app.viewer();
    let x = area.x + 1;
    let room = area.width.saturating_sub(2);
    let envelope = viewer.envelope().unwrap_or(&view.envelope);
    let subject = SafeText::line_max(envelope.subject.trim(), 500);
    let subject = if subject.is_empty() { "(no subject)" } else { subject.as_str() };
    canvas.text(x, area.y, room, subject, Role::ReaderSubject);
    if viewer.head() < 3 {
        return;
    }
    let y = area.y + 1;
    let date = app.calendar().long(envelope.date.unwrap_or(view.row.received));
    let used = if room >= 50 { canvas.right(x + room, y, 24, &date, Role::ReaderMeta) + 2 } else { 0 };
    let author = author(envelope);
    let from = if author.address.addr.is_empty() { &view.row.from } else { &author.address };
    let mut at = x;
    // A name that looks like an address would be taken for one.
    if !from.name.trim().is_empty() {
        let name = SafeText::line_max(from.name.trim(), 200);
        let name = if author.lies { format!("“{name}”") } else { name.to_string() };
        let style = if author.lies { Role::ReaderMeta } else { Role::ReaderName };
        // However long the name is, the address is seen.
        at += canvas.text(at, y, room.saturating_sub(used) / 2, &name, style) + 1;
    }
    let addr = SafeText::line_max(&format!("<{}>", from.shown()), 300);
    canvas.text(at, y, (x + room).saturating_sub(used + at), addr.as_str(), Role::ReaderMeta);
    if viewer.head() >= 4 {
        let mut to = String::new();
        for (word, list) in [("to", &envelope.to), ("   cc", &envelope.cc), ("   bcc", &envelope.bcc)] {
            let left = usize::from(room).saturating_sub(width::width(&to));
            to.push_str(&people(app, view, word, list, left));
        }
        if to.is_empty() {
            to.push_str("to nobody by name");
        }
        canvas.text(x, y + 1, room, SafeText::line_max(to.trim_start(), 1_000).as_str(), Role::ReaderMeta);
        if let Some(doubt) = viewer.doubt() {
            canvas.text(x, y + 2, room, &format!("⚠ {doubt}"), Role::TrustBad);
        }
    }
    canvas.rule(area.x, area.y + viewer.head() - 1, area.width);
}

/// "to me, Carol Ngo and 3 more": as many names as there is room for, one at least.
fn people(app: &App, view: &MessageView, word: &str, list: &[Address], room: usize) -> String {
    if list.is_empty() {
        return String::new();
    }
    let account = app.setup().config.accounts.iter().find(|a| a.name == view.row.account);
    let me = |a: &Address| account.is_some_and(|account| account.writes_as(&a.addr));
    let mut out = format!("{word} ");
    for (n, address) in list.iter().enumerate() {
        let name = if me(address) { SafeText::of("me") } else { SafeText::line_max(address.short().trim(), 100) };
        let left = list.len() - n;
        let more = if left > 1 { 18 } else { 0 };
        if n > 0 && width::width(&out) + 2 + width::width(name.as_str()) + more > room {
            out.push_str(&format!(" and {} more", words::count(left as u64)));
            break;
        }
        out.push_str(if n > 0 { ", " } else { "" });
        out.push_str(name.as_str());
    }
    out
}

/// The attachments below the text.
fn files(canvas: &mut Canvas<'_>, app: &App, area: Area, y: u16) {
    let viewer = app.viewer();
    let all = viewer.files();
    if viewer.foot() < 2 {
        return;
    }
    canvas.rule(area.x, y, area.width);
    let x = area.x + 1;
    let room = area.width.saturating_sub(2);
    let listed = if all.len() > MAX_FILES { MAX_FILES - 1 } else { all.len() };
    let names = all.iter().take(listed).map(|a| width::width(SafeText::line(&a.safe_name).as_str())).max().unwrap_or(0);
    let column = u16::try_from(names).unwrap_or(room).min(room * 3 / 5);
    for ((n, file), y) in all.iter().take(listed).enumerate().zip(y + 1..) {
        canvas.text(x, y, 2, if n == 0 { "+" } else { " " }, Role::ListAttachment);
        canvas.text(x + 2, y, column, SafeText::line(&file.safe_name).as_str(), Role::Text);
        let what = format!("{}, {}{}", words::kind(&file.mime), words::size(file.size), whereabouts(app, file));
        let what = SafeText::line_max(&what, 100);
        canvas.text(x + 2 + column + 2, y, room.saturating_sub(column + 4), what.as_str(), Role::Dim);
    }
    if all.len() > listed {
        let text = format!("and {} more", all.len() - listed);
        canvas.text(x + 2, y + 1 + u16::try_from(listed).unwrap_or(0), room, &text, Role::Dim);
    }
    // The keys that are about them, where they are pressed.
    if *app.focus() == Focus::Reader && room >= column + 50 {
        let mut end = x + room;
        for id in ["save-attachments", "open-attachment"] {
            let (Some(spec), Some(key)) = (command::find(id), app.keys().key_for(app.pane(), id)) else { continue };
            end -= canvas.right(end, y + 1, 12, spec.hint, Role::HintText) + 1;
            end -= canvas.right(end, y + 1, 8, &key, Role::HintKey) + 2;
        }
    }
}

/// What is looked for, on the last row.
fn looked_for(canvas: &mut Canvas<'_>, app: &App, area: Area) {
    let Some(find) = app.viewer().find() else { return };
    let y = area.y + area.height.saturating_sub(1);
    let x = area.x + 1;
    let room = area.width.saturating_sub(2);
    let (at, count) = find.count();
    let said = match (find.typed.is_empty(), count) {
        (true, _) => String::new(),
        (false, 0) => "nowhere".to_owned(),
        (false, _) => format!("{} of {}", words::count(at as u64), words::count(count as u64)),
    };
    let used = canvas.right(x + room, y, 20, &said, if count == 0 { Role::ToastWarn } else { Role::Dim });
    let typed = SafeText::line_max(find.typed.text(), 200);
    let after = x + canvas.text(x, y, 5, "Find", Role::InputLabel) + 1;
    let drawn = canvas.text(after, y, room.saturating_sub(used + 8), typed.as_str(), Role::Input);
    if find.editing {
        canvas.text(after + drawn, y, 1, " ", Role::InputCursor);
    }
}

/// Draws the `n`-th row of a page at a place: column, row of the screen, columns.
fn page_row(canvas: &mut Canvas<'_>, app: &App, page: &Page, (n, row): (usize, Row), (x, y, room): (u16, u16, u16)) {
    let line = match row {
        Row::Fold(_, count) => {
            canvas.text(
                x,
                y,
                room,
                &format!("▸ quoted text, {}", words::plural(count as u64, "line", "lines")),
                Role::ReaderFold,
            );
            return;
        }
        Row::Line(_) => page.line_of(n),
    };
    let Some(shown) = page.lines().get(line) else { return };
    let mut at = x;
    for span in &shown.spans {
        let left = (x + room).saturating_sub(at);
        if left == 0 {
            break;
        }
        let used = canvas.text(at, y, left, span.text.as_str(), role(span.role, shown));
        // One that leads elsewhere than it says is opened by `links` alone, which shows where to.
        let link = span.link.and_then(|n| page.links.get((n as usize).checked_sub(1)?));
        if let Some(link) = link.filter(|l| !l.lies && l.kind != LinkKind::Other) {
            canvas.link(at, y, used, &link.url);
        }
        at += used;
    }
    let Some(find) = app.viewer().find() else { return };
    let text = shown.text();
    for hit in find.in_line(line) {
        let before = width::width(text.get(..hit.bytes.start).unwrap_or_default());
        let cells = width::width(text.get(hit.bytes.clone()).unwrap_or_default());
        let look = if find.current() == Some(hit) { Role::ReaderHitHere } else { Role::ReaderHit };
        let (Ok(before), Ok(cells)) = (u16::try_from(before), u16::try_from(cells)) else { continue };
        let place = Rect::new(x + before.min(room), y, cells.min(room.saturating_sub(before)), 1);
        let place = place.intersection(*canvas.buffer.area());
        canvas.buffer.set_style(place, canvas.theme.style(look));
    }
}

const fn role(part: Part, line: &Line) -> Role {
    match part {
        Part::Text if line.signature => Role::ReaderSignature,
        Part::Text | Part::QuoteMark => match line.quote {
            0 => Role::Reader,
            1 => Role::ReaderQuote,
            _ => Role::ReaderQuote2,
        },
        Part::Signature => Role::ReaderSignature,
        Part::Link => Role::ReaderLink,
        Part::LinkNumber => Role::ReaderNumber,
        Part::LinkHost => Role::TrustBad,
        Part::Heading => Role::ReaderHeading,
        Part::Strong => Role::ReaderHeading,
        Part::Emphasis => Role::ReaderEmphasis,
        Part::Struck | Part::Image | Part::Notice => Role::ReaderMeta,
        Part::Code => Role::ReaderCode,
        Part::Bullet => Role::ReaderMeta,
        Part::Rule => Role::Rule,
        Part::FieldName => Role::ReaderMeta,
        Part::FieldValue => Role::ReaderName,
        Part::Added => Role::DiffAdd,
        Part::Removed => Role::DiffRemove,
        Part::Hunk => Role::DiffHunk,
        Part::DiffFile => Role::ReaderHeading,
    }
}
