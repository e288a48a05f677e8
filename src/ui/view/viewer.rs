//! viewer — the open message: who, to whom, when, about what, then its text.
//! Owns: its drawing. May import: app, engine::api, mail, base.
//! Start reading at: `draw`.

use super::canvas::Canvas;
use super::chrome;
use crate::app::App;
use crate::app::layout::Area;
use crate::app::screen::viewer::State;
use crate::app::words;
use crate::base::safetext::SafeText;
use crate::engine::api::{Body, Connectivity, MessageView};
use crate::mail::address::Address;
use crate::mail::layout::{Line, Role as Part};
use crate::ui::theme::Role;

pub(super) fn draw(canvas: &mut Canvas<'_>, app: &App, area: Area, focus: bool) {
    let Some(state) = app.viewer().state() else { return };
    let x = area.x + 1;
    let room = area.width.saturating_sub(2);
    let head = app.reader_head(area.height);
    let view = match state {
        State::Asked => return,
        State::Failed(fault) => {
            canvas.text(x, area.y, room, fault.what.as_str(), Role::ToastBad);
            return;
        }
        State::Here(view) => view,
    };
    header(canvas, app, view, area, head);
    let top = area.y + head;
    let rows = area.height.saturating_sub(head);
    match (app.viewer().rendered(), &view.body) {
        (Some(rendered), _) => {
            for (line, y) in rendered.lines.iter().skip(app.viewer().top()).zip(top..top + rows) {
                text_line(canvas, line, x, y, room);
            }
        }
        (None, Body::Failed(fault)) => {
            canvas.text(x, top, room, fault.what.as_str(), Role::ToastBad);
            if let Some((key, what)) = chrome::remedy(app, fault) {
                let used = canvas.text(x, top + 1, room, &key, Role::HintKey);
                canvas.text(x + used + 1, top + 1, room.saturating_sub(used + 1), what, Role::HintText);
            }
        }
        (None, _) => {
            let offline = matches!(
                app.connectivity().get(&view.row.account),
                Some(Connectivity::Off | Connectivity::Waiting { .. } | Connectivity::NeedsUser(_))
            );
            let text = if offline {
                "The text is not on this machine; it comes with the next connection"
            } else {
                "Fetching the text…"
            };
            canvas.text(x, top, room, text, Role::Dim);
        }
    }
    if let (Some(percent), true) = (app.viewer().progress(), focus && head > 1) {
        let text = format!(" {percent} % ");
        canvas.right(area.x + area.width.saturating_sub(1), area.y + head - 1, 8, &text, Role::Dim);
    }
}

fn header(canvas: &mut Canvas<'_>, app: &App, view: &MessageView, area: Area, head: u16) {
    let x = area.x + 1;
    let room = area.width.saturating_sub(2);
    let envelope = &view.envelope;
    let subject = SafeText::line_max(envelope.subject.trim(), 500);
    let subject = if subject.is_empty() { "(no subject)" } else { subject.as_str() };
    canvas.text(x, area.y, room, subject, Role::ReaderSubject);
    if head < 3 {
        return;
    }
    let y = area.y + 1;
    let date = app.calendar().long(envelope.date.unwrap_or(view.row.received));
    let used = if room >= 50 { canvas.right(x + room, y, 24, &date, Role::ReaderMeta) + 2 } else { 0 };
    let from = envelope.from.first().unwrap_or(&view.row.from);
    let mut at = x;
    if !from.name.trim().is_empty() {
        let name = SafeText::line_max(from.name.trim(), 200);
        at += canvas.text(at, y, room.saturating_sub(used) / 2 + 1, name.as_str(), Role::ReaderName) + 1;
    }
    let addr = SafeText::line_max(&format!("<{}>", from.addr), 300);
    canvas.text(at, y, (x + room).saturating_sub(used + at), addr.as_str(), Role::ReaderMeta);
    if head >= 5 {
        let mut to = people(app, view, "to", &envelope.to);
        to.push_str(&people(app, view, "   cc", &envelope.cc));
        to.push_str(&people(app, view, "   bcc", &envelope.bcc));
        canvas.text(x, y + 1, room, SafeText::line_max(to.trim_start(), 1_000).as_str(), Role::ReaderMeta);
        attachments(canvas, app, x, y + 2, room);
    }
    canvas.rule(area.x, area.y + head - 1, area.width);
}

/// "to me, Carol Ngo".
fn people(app: &App, view: &MessageView, word: &str, list: &[Address]) -> String {
    if list.is_empty() {
        return String::new();
    }
    let account = app.setup().config.accounts.iter().find(|a| a.name == view.row.account);
    let me = |a: &Address| account.is_some_and(|account| account.writes_as(&a.addr));
    let names: Vec<&str> = list.iter().take(20).map(|a| if me(a) { "me" } else { a.short() }).collect();
    let more = if list.len() > 20 { format!(" and {} more", list.len() - 20) } else { String::new() };
    format!("{word} {}{more}", names.join(", "))
}

/// "+ q3-draft.xlsx 84 kB, notes.pdf 120 kB".
fn attachments(canvas: &mut Canvas<'_>, app: &App, x: u16, y: u16, room: u16) {
    let Some(rendered) = app.viewer().rendered() else { return };
    let files: Vec<String> = rendered
        .plan
        .attachments
        .iter()
        .filter(|a| !a.related)
        .map(|a| format!("{} {}", if a.name.is_empty() { &a.mime } else { &a.name }, words::size(a.size)))
        .collect();
    if !files.is_empty() {
        canvas.text(x, y, room, SafeText::line_max(&format!("+ {}", files.join(", ")), 500).as_str(), Role::ReaderMeta);
    }
}

fn text_line(canvas: &mut Canvas<'_>, line: &Line, x: u16, y: u16, room: u16) {
    let mut at = x;
    for span in &line.spans {
        let left = (x + room).saturating_sub(at);
        if left == 0 {
            break;
        }
        at += canvas.text(at, y, left, span.text.as_str(), role(span.role, line));
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
