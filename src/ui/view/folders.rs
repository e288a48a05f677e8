//! folders — the pane of mailboxes.
//! Owns: its drawing. May import: app, engine::api, mail, base.
//! Start reading at: `draw`.

use super::canvas::Canvas;
use super::chrome;
use crate::app::App;
use crate::app::layout::{Area, Focus};
use crate::app::limits;
use crate::app::list::Source;
use crate::app::screen::folders::{Entry, name, view_name};
use crate::app::words;
use crate::base::safetext::SafeText;
use crate::base::width;
use crate::mail::mailbox::Role as Purpose;
use crate::mail::row::MailboxRow;
use crate::ui::theme::Role;

pub(super) fn draw(canvas: &mut Canvas<'_>, app: &App, area: Area) {
    let focus = *app.focus() == Focus::Folders;
    for ((entry, cursor), y) in app.folders().visible().zip(area.y..area.y + area.height) {
        let room = area.width.saturating_sub(2);
        let at_cursor = cursor && focus;
        match entry {
            Entry::Gap => {}
            Entry::Everywhere => {
                canvas.text(area.x + 1, y, room, "Everywhere", Role::Heading);
            }
            Entry::View(view) => {
                let open = app.list().source == Source::View(*view);
                let unread = app.folders().unread(*view).filter(|n| *n > 0);
                let role = match (open, unread) {
                    (true, _) => Role::FolderOpen,
                    (_, Some(_)) => Role::FolderUnread,
                    _ => Role::Folder,
                };
                let used = unread.map_or(0, |n| {
                    let role = if open { Role::FolderOpen } else { Role::FolderCount };
                    canvas.right((area.x + area.width).saturating_sub(1), y, 9, &words::count(n.into()), role) + 1
                });
                canvas.text(area.x + 2, y, room.saturating_sub(used + 1), view_name(*view), role);
            }
            Entry::Saved(n) => {
                let Some((name, query)) = app.folders().saved(*n) else { continue };
                let open = matches!(&app.list().source, Source::Search(text) if text == query);
                let name = SafeText::line_max(name, 60);
                canvas.text(area.x + 2, y, room, name.as_str(), if open { Role::FolderOpen } else { Role::Folder });
            }
            Entry::Account(name) => {
                let (text, role) = chrome::account_state(app, name);
                // When it is tried next stands in the first line.
                let text = text.split(',').next().unwrap_or_default();
                let end = (area.x + area.width).saturating_sub(1);
                let mut used = canvas.right(end, y, room, text, role);
                if let Some(percent) = app.fullness(name) {
                    let role = if percent >= limits::WARNED { Role::StateBad } else { Role::StateWaiting };
                    used += 1 + canvas.right(
                        end.saturating_sub(used + 1),
                        y,
                        room.saturating_sub(used + 1),
                        &format!("{percent}%"),
                        role,
                    );
                }
                let name = SafeText::line_max(name.as_str(), 60);
                canvas.text(area.x + 1, y, room.saturating_sub(used + 1), name.as_str(), Role::Heading);
            }
            Entry::Mailbox { row, depth, folded } => {
                if let Some(mailbox) = app.folders().rows().get(*row) {
                    mailbox_row(canvas, app, mailbox, (area, y), *depth, *folded);
                }
            }
        }
        if at_cursor {
            canvas.cursor(area, y, true);
        }
    }
    if !app.folders().loaded() {
        return;
    }
    if app.accounts().is_empty() {
        canvas.text(area.x + 1, area.y, area.width.saturating_sub(2), "No account yet", Role::Dim);
    }
}

fn mailbox_row(canvas: &mut Canvas<'_>, app: &App, mailbox: &MailboxRow, place: (Area, u16), depth: usize, folded: Option<bool>) {
    let (area, y) = place;
    let open = app.open_mailbox().is_some_and(|m| m.id == mailbox.id);
    // Drafts count all they hold: each waits to be finished.
    let number = if mailbox.role == Some(Purpose::Drafts) { mailbox.total } else { mailbox.unread };
    let counts = number > 0 && !matches!(mailbox.role, Some(Purpose::Sent | Purpose::Trash));
    // Where nothing is subscribed to, the person does without subscriptions.
    let plain = mailbox.subscribed || mailbox.role.is_some() || !app.folders().subscribes(&mailbox.account);
    let role = match (open, counts, mailbox.selectable && plain) {
        (true, ..) => Role::FolderOpen,
        (_, true, _) => Role::FolderUnread,
        (_, _, true) => Role::Folder,
        _ => Role::Dim,
    };
    let mut room = area.width.saturating_sub(3);
    if counts {
        let role = if open { Role::FolderOpen } else { Role::FolderCount };
        room = room
            .saturating_sub(canvas.right((area.x + area.width).saturating_sub(1), y, 9, &words::count(number.into()), role) + 1);
    }
    if app.outbox().tree_waits(&mailbox.account, &mailbox.path) {
        canvas.text(area.x + 1, y, 1, "⇅", Role::StateWaiting);
    } else if let Some(all) = app.keeps(mailbox) {
        canvas.text(area.x + 1, y, 1, if all { "↓" } else { "·" }, Role::Dim);
    }
    let indent = u16::try_from(depth.min(6) * 2).unwrap_or(0);
    let mut x = area.x + 2 + indent;
    if let Some(folded) = folded {
        x += canvas.text(x, y, room, if folded { "▸ " } else { "▾ " }, Role::Dim);
    }
    // A mailbox whose parent is none (or hidden) says the whole way.
    let whole = SafeText::line_max(&mailbox.path.decoded(), 120);
    let fits = width::width(whole.as_str()) <= usize::from(room.saturating_sub(indent));
    let name = if depth == 0 && mailbox.role.is_none() && fits { whole } else { SafeText::line_max(&name(mailbox), 120) };
    canvas.text(x, y, (area.x + 2 + room).saturating_sub(x), name.as_str(), role);
}
