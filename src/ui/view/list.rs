//! list — rows of messages: marks, sender, subject with a dim preview behind it, size of the conversation, date.
//! Owns: its drawing. May import: app, engine::api, mail, base.
//! Start reading at: `draw`; `Columns` says what stands where.

use super::canvas::Canvas;
use super::chrome;
use super::hints;
use crate::app::App;
use crate::app::layout::{Area, Focus};
use crate::app::list::{Item, Source};
use crate::app::tags;
use crate::app::words;
use crate::base::safetext::SafeText;
use crate::base::width;
use crate::engine::api::{Connectivity, ServerSearch};
use crate::mail::flags::Flag;
use crate::mail::mailbox::Role as Purpose;
use crate::mail::row::{MessageRow, View};
use crate::ui::theme::Role;

/// Where the columns of a list are, from its left edge.
struct Columns {
    sender: u16,
    sender_room: u16,
    subject: u16,
    /// The column behind the subject.
    subject_end: u16,
    /// The column behind the size of the conversation; none where there is no room.
    thread_end: Option<u16>,
    /// The column behind the date, and its room.
    date: Option<(u16, u16)>,
    /// The column behind the account, and its room, where rows of several accounts stand together.
    account: Option<(u16, u16)>,
}

impl Columns {
    /// For so many columns; `names`: columns of the longest name of an account, 0 if none is to be shown.
    fn of(width: u16, names: u16) -> Self {
        // Bar, dot, mark, star, attachment, a space.
        let sender = 6.min(width);
        if width < 44 {
            let room = width.saturating_sub(sender);
            let sender_room = room * 2 / 5;
            let subject = sender + sender_room + 1;
            return Self { sender, sender_room, subject, subject_end: width, thread_end: None, date: None, account: None };
        }
        let date_room = if width < 90 { 7 } else { 10 };
        let end = width - 1;
        let names = names.min(if width < 70 { 6 } else { 12 });
        let account = (names > 0).then_some((end - date_room - 1, names));
        let thread_end = end - date_room - 1 - if names > 0 { names + 1 } else { 0 };
        let sender_room = (width / 4).clamp(12, 24);
        Self {
            sender,
            sender_room,
            subject: sender + sender_room + if width < 70 { 1 } else { 2 },
            // A narrow list has room for two digits.
            subject_end: thread_end - if width < 70 { 3 } else { 4 },
            thread_end: Some(thread_end),
            date: Some((end, date_room)),
            account,
        }
    }
}

/// Draws the list; the place of the terminal's cursor while a search is typed.
pub(super) fn draw(canvas: &mut Canvas<'_>, app: &App, mut area: Area) -> Option<(u16, u16)> {
    let cursor = search_line(canvas, app, &mut area);
    let focus = *app.focus() == Focus::Messages;
    let columns = Columns::of(area.width, account_names(app));
    let mut drawn = 0;
    for ((item, cursor, marked), y) in app.list().visible().zip(area.y..area.y + area.height) {
        row(canvas, app, item, (area, y), &columns, marked);
        if cursor {
            canvas.cursor(area, y, focus);
        }
        drawn += 1;
    }
    if drawn == 0 {
        empty(canvas, app, area);
    } else if app.list().news_above > 0 && app.layout().rules[0].is_some() && app.search().is_none() {
        let n = words::plural(app.list().news_above.into(), "new message above", "new messages above");
        let key = app.keys().key_for(app.pane(), "first").unwrap_or_default();
        canvas.right(
            (area.x + area.width).saturating_sub(1),
            // On the rule: it hides no mail.
            area.y.saturating_sub(1),
            area.width,
            &format!(" ↑ {n}   {key} goes there "),
            Role::PopupMatch,
        );
    }
    cursor
}

/// The line that is typed into, and how much was found.
fn search_line(canvas: &mut Canvas<'_>, app: &App, area: &mut Area) -> Option<(u16, u16)> {
    let (line, editing, more, complaint) = app.search()?;
    if area.height == 0 {
        return None;
    }
    let (x, y) = (area.x + 1, area.y);
    let end = area.x + area.width;
    (area.y, area.height) = (area.y + 1, area.height - 1);
    let found = match (&app.list().source, complaint) {
        (_, Some(why)) => why.to_string(),
        (Source::Search(text), None) if text == line.text().trim() => {
            let n = words::count(app.list().total().into());
            let here = if more { format!("the newest {n}") } else { format!("{n} found") };
            app.server_search().map_or(here.clone(), |servers| format!("{here}{}", at_servers(servers)))
        }
        _ => String::new(),
    };
    let used = canvas.right(
        end.saturating_sub(1),
        y,
        area.width / 2,
        &found,
        if complaint.is_some() { Role::ToastWarn } else { Role::Dim },
    );
    let mut at = x + canvas.text(x, y, 7, "Search ", Role::InputLabel);
    let room = end.saturating_sub(2).saturating_sub(used + at);
    let (before, after) = line.shown();
    let (before, after) = (SafeText::line(&before), SafeText::line(&after));
    // A long line shows its end, where the typing happens.
    let head = tail_of(before.as_str(), usize::from(room.saturating_sub(1)));
    at += canvas.text(at, y, room, head, Role::Input);
    canvas.text(at, y, end.saturating_sub(2).saturating_sub(used + at), after.as_str(), Role::Input);
    editing.then_some((at, y))
}

/// How the servers stand with a search.
fn at_servers(servers: &ServerSearch) -> String {
    let from = match servers.found {
        0 => String::new(),
        n => format!(", {} by the server", words::count(n.into())),
    };
    let end = match servers {
        ServerSearch { asking: 1.., .. } => "; asking…".to_owned(),
        ServerSearch { faults, .. } if !faults.is_empty() => "; not all asked".to_owned(),
        ServerSearch { coming: n @ 1.., .. } => format!("; {} more coming…", words::count((*n).into())),
        ServerSearch { cut: true, .. } => "; it has more".to_owned(),
        ServerSearch { found: 0, .. } => "; no more there".to_owned(),
        _ => String::new(),
    };
    format!("{from}{end}")
}

/// The end of a text that fits into so many cells.
pub(super) fn tail_of(text: &str, cells: usize) -> &str {
    let mut rest = text;
    while crate::base::width::width(rest) > cells {
        let mut chars = rest.chars();
        if chars.next().is_none() {
            break;
        }
        rest = chars.as_str();
    }
    rest
}

/// Columns of the longest name of an account, where rows of several stand together; else 0.
fn account_names(app: &App) -> u16 {
    let together = app.joined().is_some() || matches!(app.list().source, Source::Search(_));
    if !together || app.accounts().len() < 2 {
        return 0;
    }
    let longest = app.accounts().iter().map(|a| crate::base::width::width(a.as_str())).max();
    u16::try_from(longest.unwrap_or(0)).unwrap_or(u16::MAX)
}

fn row(canvas: &mut Canvas<'_>, app: &App, item: &Item, place: (Area, u16), columns: &Columns, marked: bool) {
    let (area, y) = place;
    let message = &item.row;
    let at = |column: u16| area.x + column;
    let whole = app.list().threaded && !item.inner && !app.list().is_unfolded(message.thread);
    let unread = !message.flags.has(Flag::Seen) || (whole && message.thread_unread > 0);
    if unread {
        canvas.text(at(1), y, 1, "•", Role::ListDot);
    }
    if marked {
        canvas.text(at(2), y, 1, "✓", Role::ListMarked);
    }
    if message.flags.has(Flag::Flagged) {
        canvas.text(at(3), y, 1, "★", Role::ListStar);
    } else if message.flags.has(Flag::Answered) {
        canvas.text(at(3), y, 1, "↩", Role::Dim);
    }
    if message.attachments > 0 {
        canvas.text(at(4), y, 1, "+", Role::ListAttachment);
    }
    let role = if unread { Role::ListUnread } else { Role::List };
    let indent = if item.inner { (1 + message.depth.min(5)) * 2 } else { 0 };
    let who = SafeText::line_max(&people(app, message), 80);
    let room = columns.sender_room.saturating_sub(indent);
    canvas.text(at(columns.sender + indent), y, room, who.as_str(), if marked { Role::ListMarked } else { role });
    // Where no number stands, its room is the subject's.
    let numbered = !item.inner && message.thread_total > 1;
    let end = columns.thread_end.filter(|_| !numbered).unwrap_or(columns.subject_end);
    let room = end.saturating_sub(columns.subject);
    let subject = SafeText::line_max(message.subject.trim(), 300);
    let subject = if subject.is_empty() { "(no subject)" } else { subject.as_str() };
    let mut used = canvas.text(at(columns.subject), y, room, subject, role);
    for tag in tags::of(&message.flags) {
        if used + 6 > room {
            break;
        }
        let tag = SafeText::line_max(&format!("#{}", tag.label()), 40);
        used += 1 + canvas.text(at(columns.subject + used + 1), y, room - used - 1, tag.as_str(), Role::ListTag);
    }
    if used + 4 < room && !message.preview.is_empty() {
        let preview = SafeText::line_max(&message.preview, 300);
        let x = at(columns.subject + used + 2);
        // The preview is cut without a mark: it is an appetiser.
        let (cut, _) = crate::base::width::fit(preview.as_str(), usize::from(room - used - 2));
        canvas.text(x, y, room - used - 2, preview.as_str().get(..cut).unwrap_or_default(), Role::ListPreview);
    }
    if let Some(end) = columns.thread_end
        && numbered
    {
        let room = end - columns.subject_end;
        canvas.right(at(end), y, room, &words::count(message.thread_total.into()), Role::ListDate);
    }
    if let Some((end, room)) = columns.account {
        let name = SafeText::line_max(message.account.as_str(), 60);
        canvas.right(at(end), y, room, name.as_str(), Role::ListDate);
    }
    if let Some((end, room)) = columns.date {
        let date = app.calendar().short(message.received);
        let date = if room < 10 && date.len() > 7 { date.get(..7).unwrap_or_default() } else { &date };
        canvas.right(at(end), y, room, date, Role::ListDate);
    }
}

/// Who a row is about: the author, or in sent mail and drafts the recipients.
fn people(app: &App, message: &MessageRow) -> String {
    let account = app.setup().config.accounts.iter().find(|a| a.name == message.account);
    let me = |address: &str| account.is_some_and(|a| a.writes_as(address));
    let outgoing =
        app.folders().mailbox(message.mailbox).is_some_and(|m| matches!(m.role, Some(Purpose::Sent | Purpose::Drafts)));
    if outgoing {
        let names: Vec<&str> = message.to.iter().map(|a| if me(&a.addr) { "me" } else { a.short() }).collect();
        return if names.is_empty() { "(nobody yet)".to_owned() } else { names.join(", ") };
    }
    if me(&message.from.addr) {
        return "me".to_owned();
    }
    let short = message.from.short().trim();
    if short.is_empty() { "(nobody)".to_owned() } else { short.to_owned() }
}

/// Why there is nothing to see.
fn empty(canvas: &mut Canvas<'_>, app: &App, area: Area) {
    let (text, hint) = reason(app);
    if text.is_empty() || area.height == 0 {
        return;
    }
    let (x, room) = (area.x + 3, area.width.saturating_sub(4));
    let mut y = area.y + area.height.min(9) / 3;
    let end = area.y + area.height;
    // Its end says what to do about it.
    let text = SafeText::line_max(&text, 500);
    for piece in width::wrap(text.as_str(), usize::from(room)) {
        if y < end {
            canvas.text(x, y, room, text.as_str().get(piece).unwrap_or_default().trim(), Role::Dim);
            y += 1;
        }
    }
    if let Some((key, what)) = hint
        && y + 1 < end
    {
        let used = canvas.text(x, y + 1, room, &key, Role::HintKey);
        canvas.text(x + 1 + used, y + 1, room.saturating_sub(1 + used), what, Role::HintText);
    }
}

type Hint = Option<(String, &'static str)>;

fn reason(app: &App) -> (String, Hint) {
    let key = |id: &str| hints::key(app, id).unwrap_or_default();
    if let Some((line, ..)) = app.search() {
        return match &app.list().source {
            _ if line.text().trim().is_empty() => {
                ("Words, or from: to: subject: body: is:unread is:starred has:attachment before: after: in:".to_owned(), None)
            }
            Source::Search(text) if text == line.text().trim() => match app.server_search() {
                None => ("Nothing here is like that".to_owned(), Some((key("search-server"), "asks the server"))),
                Some(ServerSearch { asking: 1.., .. }) => ("Nothing here is like that. Asking the server…".to_owned(), None),
                Some(_) => ("Nothing is like that, neither here nor at the server".to_owned(), None),
            },
            _ => (String::new(), None),
        };
    }
    if app.accounts().is_empty() {
        return ("No account yet".to_owned(), Some((":".to_owned(), "then add-account")));
    }
    if let Some(view) = app.joined() {
        return match view {
            _ if !app.list().loaded() => (String::new(), None),
            View::Unread => ("Everything is read".to_owned(), None),
            View::Flagged => ("Nothing is starred".to_owned(), Some((key("star"), "stars a message"))),
            View::Inboxes | View::Mailbox(_) => ("Nothing here".to_owned(), None),
        };
    }
    let Some(mailbox) = app.open_mailbox() else {
        return account_reason(app);
    };
    if !app.list().loaded() {
        return (String::new(), None);
    }
    let state = app.connectivity().get(&mailbox.account);
    match state {
        _ if mailbox.synced_at > 0 => ("Nothing here".to_owned(), None),
        Some(Connectivity::Waiting { fault, .. }) => {
            (format!("Not read yet: {}", fault.what), Some((key("refresh"), "tries again")))
        }
        Some(Connectivity::NeedsUser(fault)) => (format!("Not read yet: {}", fault.what), chrome::remedy(app, fault)),
        Some(Connectivity::Off) => ("Not read yet, and no connection is to be opened".to_owned(), None),
        _ => ("Reading…".to_owned(), None),
    }
}

/// No mailbox is open: the account's first contact.
fn account_reason(app: &App) -> (String, Hint) {
    let key = |id: &str| app.keys().key_for(app.pane(), id).unwrap_or_default();
    let Some(account) = app.account() else { return (String::new(), None) };
    match app.connectivity().get(account) {
        Some(Connectivity::Waiting { fault, .. }) => (fault.to_string(), Some((key("refresh"), "tries again"))),
        Some(Connectivity::NeedsUser(fault)) => (fault.to_string(), chrome::remedy(app, fault)),
        Some(Connectivity::Off) => (format!("{account} was never read, and no connection is to be opened"), None),
        Some(Connectivity::Connecting) => (format!("Connecting to {account}…"), None),
        Some(_) if app.folders().loaded() => (format!("Reading the mailboxes of {account}…"), None),
        _ => (String::new(), None),
    }
}
