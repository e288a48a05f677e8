//! hints — the keys that matter now, for the last line.
//! Owns: `Hints`: commands of the place where one is, or the keys of what takes all of them for itself. May import: app.
//! Start reading at: `of`. A key that would be typed into a line is no hint.

use crate::app::App;
use crate::app::command;
use crate::app::key::parse_chord;
use crate::app::layout::Focus;
use crate::app::popup::{Popup, Use};
use crate::app::reading::Over;
use crate::app::screen::Screen;
use crate::app::screen::account::Trial;
use crate::app::tree::Naming;
use crate::engine::api::MailboxAct;

/// What the last line offers.
pub(super) enum Hints {
    /// Commands of the table, the likeliest first; shown by the keys that are bound to them.
    Commands(&'static [&'static str]),
    /// Keys and what they do, the likeliest first: of what lies over the screen, and of lines that are typed into.
    Keys(Vec<(String, &'static str)>),
}

/// Of a question for a choice from a list.
const CHOICE: [(&str, &str); 2] = [("Up Down", "choose"), ("Esc", "close")];

/// What can be done now.
pub(super) fn of(app: &App) -> Hints {
    if let Some(popup) = app.popup() {
        return keys(&over(popup));
    }
    if !app.typed().is_empty() {
        return keys(&[("Esc", "leave it")]);
    }
    match (app.screen(), app.focus()) {
        (Screen::Account, _) if app.form().as_ref().is_some_and(|f| f.trial == Trial::Running) => {
            keys(&[("Esc", "stop the test")])
        }
        (Screen::Account, _) => {
            keys(&[("Enter", "next, then test"), ("Tab", "next field"), ("Esc", "leave"), ("Space", "change")])
        }
        (Screen::Compose, _) => compose(app),
        (Screen::Jobs, _) if app.jobs().any_stopped() => Hints::Commands(&["refresh", "stop-job", "back", "help"]),
        (Screen::Jobs, _) => Hints::Commands(&["stop-job", "back", "help"]),
        (Screen::Outbox, _) => Hints::Commands(&["retry", "cancel", "mark-sent", "open", "back", "help"]),
        (Screen::Mail, Focus::Reader) if app.viewer().find().is_some_and(|f| f.editing) => {
            keys(&[("Enter", "done"), ("Up Down", "other places"), ("Esc", "leave")])
        }
        (Screen::Mail, _) if is_searching(app) => {
            let mut all = vec![("Enter".to_owned(), "to what was found"), ("Esc".to_owned(), "leave")];
            if let Some(key) = key(app, "search-server") {
                all.insert(1, (key, "asks the server"));
            }
            Hints::Keys(all)
        }
        (Screen::Mail, focus) => Hints::Commands(mail(app, focus)),
    }
}

/// The commands of the panes.
fn mail(app: &App, focus: &Focus) -> &'static [&'static str] {
    match focus {
        Focus::Messages if app.list().current().is_none() && app.search().is_some() => {
            &["search", "search-server", "back", "help"]
        }
        Focus::Messages if app.list().current().is_none() => &["compose", "undo", "search", "next-pane", "help"],
        Focus::Messages if app.search().is_some() => {
            &["open", "next-unread", "search", "search-server", "archive", "move", "back", "help"]
        }
        Focus::Folders => &[
            "open",
            "create-mailbox",
            "rename-mailbox",
            "delete-mailbox",
            "subscribe",
            "empty-mailbox",
            "search",
            "help",
            "unfold",
        ],
        Focus::Messages if app.list().marked() > 0 => {
            &["archive", "delete", "move", "toggle-read", "star", "copy", "back", "help"]
        }
        Focus::Messages => &["open", "compose", "reply", "archive", "delete", "move", "undo", "search", "help"],
        Focus::Reader if app.viewer().find().is_some() => &["next-unread", "previous-unread", "find", "back", "help"],
        Focus::Reader => {
            &["reply", "reply-all", "forward", "archive", "delete", "find", "search", "links", "help", "next-message", "html"]
        }
    }
}

fn compose(app: &App) -> Hints {
    match app.desk().front() {
        Some(c) if c.prompt().is_some() => {
            keys(&[("Enter", "attach"), ("Tab", "complete"), ("Up Down", "choose"), ("Esc", "leave")])
        }
        Some(c) if c.completion().is_some() => keys(&[("Tab", "take"), ("Up Down", "choose"), ("Esc", "close")]),
        _ => Hints::Commands(&["send", "attach", "edit-outside", "read-other", "leave-draft", "help", "discard", "next-field"]),
    }
}

/// The keys of what lies over the screen.
fn over(popup: &Popup) -> Vec<(&'static str, &'static str)> {
    let choose = |enter| [&[("Enter", enter)], &CHOICE[..]].concat();
    match popup {
        Popup::Palette(_) => choose("run"),
        Popup::Mailboxes(_, Use::Go) => choose("open"),
        Popup::Mailboxes(_, Use::Move) => choose("move"),
        Popup::Mailboxes(_, Use::Copy) => choose("copy"),
        Popup::Themes(_) => choose("use"),
        Popup::Drafts(_) => choose("go on writing"),
        Popup::Help(..) => vec![("j k", "scroll"), ("Space", "page"), ("q", "close")],
        Popup::Delete(..) => vec![("y", "delete"), ("Esc", "keep")],
        Popup::Sure(_, MailboxAct::Empty { .. }) => vec![("y", "empty"), ("Esc", "leave")],
        Popup::Sure(..) => vec![("y", "delete"), ("Esc", "keep")],
        Popup::Name(Naming::Create(_), _) => vec![("Enter", "make"), ("Esc", "close")],
        Popup::Name(Naming::Rename(_), _) => vec![("Enter", "rename"), ("Esc", "close")],
        Popup::Tags(_) => vec![("Enter", "set"), ("Esc", "close")],
        Popup::Password(..) => vec![("Enter", "log in"), ("Esc", "later")],
        Popup::Reading(Over::Links(_)) => [&[("Enter", "open"), ("C-y", "copy")], &CHOICE[..]].concat(),
        Popup::Reading(Over::Open(_)) => choose("open"),
        Popup::Reading(Over::Save(_)) => choose("save"),
        Popup::Reading(Over::Doubtful(_)) => vec![("y", "open"), ("Esc", "leave")],
        Popup::Reading(Over::Folder(..)) => vec![("Enter", "save"), ("Esc", "close")],
        Popup::Reading(Over::Pipe(_)) => vec![("Enter", "run"), ("Esc", "close")],
    }
}

fn keys(all: &[(&str, &'static str)]) -> Hints {
    Hints::Keys(all.iter().map(|(key, what)| ((*key).to_owned(), *what)).collect())
}

/// Whether what is typed goes to the search.
fn is_searching(app: &App) -> bool {
    *app.screen() == Screen::Mail && app.search().is_some_and(|(_, editing, ..)| editing)
}

/// The key that runs a command here and now: while a search is typed, one that is no letter.
pub(super) fn key(app: &App, id: &str) -> Option<String> {
    if !is_searching(app) {
        return app.keys().key_for(app.pane(), id);
    }
    if command::find(id).is_none_or(|spec| app.why_not(spec).is_some()) {
        return None;
    }
    let no_letter = |chord: &String| parse_chord(chord).is_ok_and(|keys| keys.first().is_some_and(|key| key.typed().is_none()));
    app.keys().chords(app.pane(), id).into_iter().find(no_letter)
}
