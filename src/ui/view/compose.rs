//! compose — the mail that is being written: its fields, its text, what goes with it, what is doubtful about it.
//! Owns: its drawing. May import: app, mail, base.
//! Start reading at: `draw`.

use super::canvas::Canvas;
use super::popup;
use crate::app::App;
use crate::app::command::Pane;
use crate::app::compose::attach::Prompt;
use crate::app::compose::people::Completion;
use crate::app::compose::place::{LABEL, Place, Row};
use crate::app::compose::{Compose, Field};
use crate::app::editor::Editor;
use crate::app::layout::Area;
use crate::app::words;
use crate::base::safetext::SafeText;
use crate::base::width;
use crate::ui::theme::Role;
use ratatui::style::{Modifier, Style};

/// Draws it; the place of the cursor.
pub(super) fn draw(canvas: &mut Canvas<'_>, app: &App, area: Area) -> Option<(u16, u16)> {
    let compose = app.desk().front()?;
    let place = compose.place();
    let mut cursor = None;
    for row in &place.head {
        if let Some(at) = field(canvas, app, compose, &place, *row, area) {
            cursor = Some(at);
        }
    }
    for y in [place.rule, place.foot_rule].into_iter().flatten() {
        canvas.rule(area.x, area.y + y, area.width);
    }
    if let Some(at) = body(canvas, compose, &place, area) {
        cursor = Some(at);
    }
    if let Some(y) = place.attachments {
        attachments(canvas, compose, area, area.y + y);
    }
    if let Some(y) = place.notes {
        notes(canvas, app, compose, area, area.y + y);
    }
    if let Some(prompt) = compose.prompt() {
        return Some(ask(canvas, prompt, area));
    }
    if let (Some(completion), Some((x, y))) = (compose.completion(), cursor) {
        offers(canvas, completion, area, x, y);
    }
    cursor
}

/// One header field; the cursor if it is there.
fn field(canvas: &mut Canvas<'_>, app: &App, compose: &Compose, place: &Place, row: Row, area: Area) -> Option<(u16, u16)> {
    let y = area.y + row.y;
    let here = compose.field() == row.field;
    let label = if here { Role::Accent } else { Role::Dim };
    canvas.right(area.x + LABEL, y, LABEL, row.field.label(), label);
    let x = area.x + place.x;
    let Some(editor) = compose.editor(row.field) else {
        let me = compose.me()?;
        let name = SafeText::line_max(&me.identity.address.to_string(), 200);
        let used = canvas.text(x, y, place.cells, name.as_str(), Role::Text);
        if here && compose.names() > 1 {
            canvas.text(x + used + 2, y, place.cells.saturating_sub(used + 2), "← → another name", Role::Dim);
        } else if app.accounts().len() > 1 {
            let account = SafeText::line_max(me.account.as_str(), 40);
            canvas.right(area.x + area.width.saturating_sub(1), y, 20, account.as_str(), Role::Accent);
        }
        return here.then_some((x, y));
    };
    let role = if row.field == Field::Subject { Role::Strong } else { Role::Text };
    let style = canvas.theme.style(role);
    text(canvas, editor, (x, y), place.cells, |_| style);
    if !here {
        return None;
    }
    let (caret, column) = editor.caret()?;
    Some((x + cells(column), y + cells(caret)))
}

fn body(canvas: &mut Canvas<'_>, compose: &Compose, place: &Place, area: Area) -> Option<(u16, u16)> {
    let editor = compose.editor(Field::Body)?;
    let signature = editor.buffer().lines().iter().rposition(|l| l == "-- ");
    let theme = canvas.theme;
    let (x, y) = (area.x + place.body.x, area.y + place.body.y);
    text(canvas, editor, (x, y), place.body.width, |line| {
        let depth = editor.buffer().line(line).bytes().filter(|b| *b != b' ').take_while(|b| *b == b'>').count();
        let attribution = editor.buffer().line(line + 1).starts_with('>') && editor.buffer().line(line).ends_with(':');
        theme.style(match depth {
            0 if signature.is_some_and(|s| line >= s) => Role::ReaderSignature,
            0 if attribution => Role::Dim,
            0 => Role::Text,
            1 => Role::ReaderQuote,
            _ => Role::ReaderQuote2,
        })
    });
    if compose.field() != Field::Body {
        return None;
    }
    let (row, column) = editor.caret()?;
    Some((x + cells(column), y + cells(row)))
}

/// The rows of an editor, in the style of each line, what is selected in reverse.
fn text(canvas: &mut Canvas<'_>, editor: &Editor, at: (u16, u16), room: u16, style: impl Fn(usize) -> Style) {
    let selection = editor.selection();
    for ((spot, start, row), y) in editor.rows().into_iter().zip(at.1..) {
        // The editor holds clean text; a tab is one cell for it.
        let shown = row.trim_end_matches(' ').replace('\t', " ");
        let style = style(spot.line);
        canvas.styled(at.0, y, room + 1, &shown, style);
        let Some((from, to)) = selection else { continue };
        let end = start + row.len();
        let byte = |pos: crate::app::editor::buffer::Pos, before: usize, behind: usize| match pos.line.cmp(&spot.line) {
            std::cmp::Ordering::Less => before,
            std::cmp::Ordering::Equal => pos.byte.clamp(start, end),
            std::cmp::Ordering::Greater => behind,
        };
        let (a, b) = (byte(from, start, end), byte(to, start, end));
        let line_goes_on = to.line > spot.line && from.line <= spot.line && end == editor.buffer().line(spot.line).len();
        let piece = row.get(a - start..b - start).unwrap_or_default().replace('\t', " ");
        let piece = if line_goes_on { format!("{piece} ") } else { piece };
        if from.line <= spot.line && to.line >= spot.line && !piece.is_empty() {
            let before = width::width(row.get(..a - start).unwrap_or_default());
            canvas.styled(at.0 + cells(before), y, room + 1, &piece, style.add_modifier(Modifier::REVERSED));
        }
    }
}

fn attachments(canvas: &mut Canvas<'_>, compose: &Compose, area: Area, y: u16) {
    let end = area.x + area.width.saturating_sub(1);
    let mut x = area.x + 1;
    // The chosen one is always seen.
    let skip = compose.picked().map_or(0, |p| p.saturating_sub(1));
    for (n, file) in compose.attachments().iter().enumerate().skip(skip) {
        let picked = compose.picked() == Some(n);
        x += canvas.text(x, y, 2, if picked { "▸ " } else { "+ " }, if picked { Role::Accent } else { Role::ListAttachment });
        let name = SafeText::line_max(&file.name, 60);
        x += canvas.text(x, y, end.saturating_sub(x).min(40), name.as_str(), if picked { Role::Accent } else { Role::Strong });
        x += 2;
        x += canvas.text(x, y, end.saturating_sub(x), &words::size(file.size), Role::Dim);
        if file.away.is_some() {
            x += canvas.text(x, y, end.saturating_sub(x), " · not here yet", Role::StateWaiting);
        }
        x += 3;
        if x >= end {
            return;
        }
    }
    if compose.picked().is_some() {
        canvas.text(x, y, end.saturating_sub(x), "Delete takes it off", Role::Dim);
    }
}

/// What there is to know before sending.
fn notes(canvas: &mut Canvas<'_>, app: &App, compose: &Compose, area: Area, y: u16) {
    let x = area.x + 1;
    let room = area.width.saturating_sub(2);
    if compose.copying() {
        canvas.text(x, y, room, "Copying the file…", Role::Dim);
    } else if let Some(doubt) = compose.doubt() {
        canvas.text(x, y, room, &format!("⚠ {doubt}"), Role::ToastWarn);
    } else if compose.away() > 0 && !compose.awaits_text() {
        let files = if compose.away() == 1 { "A file is" } else { "Files are" };
        let text = format!("{files} on the server only, and asked for: the mail goes when all is here");
        canvas.text(x, y, room, &text, Role::Dim);
    } else if compose.awaits_text() {
        canvas.text(x, y, room, "The text that you answer is on its way; it will be quoted below", Role::Dim);
    } else {
        let hold = app.setup().config.sending.hold.as_secs();
        let undo = app.keys().key_for(Pane::Messages, "undo").unwrap_or_default();
        let text =
            if hold > 0 { format!("Goes {hold} s after you send it; until then {undo} takes it back") } else { String::new() };
        let files = compose.attachments().iter().map(|a| a.size).sum::<u64>();
        let size = if files > 0 { format!("{} in all · ", words::size(files)) } else { String::new() };
        canvas.text(x, y, room, &format!("{size}{text}"), Role::Dim);
    }
}

/// Names that the letters may mean, below the cursor (above it where there is no room).
fn offers(canvas: &mut Canvas<'_>, completion: &Completion, area: Area, x: u16, y: u16) {
    let rows: Vec<(String, String)> = completion
        .people
        .iter()
        .map(|a| (SafeText::line_max(&a.addr, 80).into_string(), SafeText::line_max(&a.name, 60).into_string()))
        .collect();
    let first = rows.iter().map(|(a, _)| width::width(a)).max().unwrap_or(0).min(44);
    let second = rows.iter().map(|(_, b)| width::width(b)).max().unwrap_or(0).min(30);
    let wide = cells(first + second + 4).min(area.width);
    let high = cells(rows.len());
    let back = cells(width::width(&completion.fragment)) + 1;
    let left = x.saturating_sub(back).min((area.x + area.width).saturating_sub(wide));
    let below = y + 1 + high <= area.y + area.height;
    let top = if below { y + 1 } else { y.saturating_sub(high) };
    let list = Area { x: left, y: top, width: wide, height: high };
    canvas.clear(list, Role::Popup);
    for (n, (address, name)) in rows.iter().enumerate() {
        let y = top + cells(n);
        let chosen = n == completion.chosen;
        canvas.text(left, y, 1, if chosen { "▌" } else { " " }, Role::PopupCursor);
        canvas.text(left + 1, y, cells(first), address, if chosen { Role::PopupCursor } else { Role::Popup });
        canvas.text(left + cells(first) + 3, y, wide.saturating_sub(cells(first) + 4), name, Role::PopupDim);
    }
}

/// The question for a file, at the foot; the cursor.
fn ask(canvas: &mut Canvas<'_>, prompt: &Prompt, area: Area) -> (u16, u16) {
    let fitting = prompt.fitting();
    let rows = fitting.len().min(usize::from(area.height.saturating_sub(3)).min(10));
    let high = cells(rows) + 2;
    let list = Area { x: area.x, y: (area.y + area.height).saturating_sub(high), width: area.width, height: high };
    canvas.clear(list, Role::Popup);
    canvas.rule(list.x, list.y, list.width);
    let keys = " Tab completes · Enter attaches · Esc does neither ";
    canvas.right(list.x + list.width.saturating_sub(2), list.y, list.width.saturating_sub(4), keys, Role::PopupDim);
    let skip = (prompt.chosen + 1).saturating_sub(rows);
    let label = "Attach";
    let x = area.x + 2 + cells(width::width(label)) + 2;
    for ((n, entry), y) in fitting.iter().enumerate().skip(skip).take(rows).zip(list.y + 1..) {
        let chosen = n == prompt.chosen;
        let name = SafeText::line_max(&entry.name, 200);
        let name = if entry.folder { format!("{name}/") } else { name.into_string() };
        canvas.text(x - 2, y, 1, if chosen { "▌" } else { " " }, Role::PopupCursor);
        canvas.text(x, y, area.width.saturating_sub(x + 14), &name, if chosen { Role::PopupCursor } else { Role::Popup });
        if !entry.folder {
            canvas.right(area.x + area.width.saturating_sub(2), y, 12, &words::size(entry.size), Role::PopupDim);
        }
    }
    popup::input(canvas, area, area.y + area.height.saturating_sub(1), label, &prompt.line)
}

fn cells(n: usize) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}
