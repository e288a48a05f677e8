//! motion — moving the cursor, in every list and in the open message.
//! Owns: the rows of `Group::Move`. May import: app.
//! Start reading at: `ROWS`.

use super::{CommandSpec, Group, Pane};

const fn row(id: &'static str, hint: &'static str, doc: &'static str, keys: &'static [(Pane, &'static str)]) -> CommandSpec {
    CommandSpec { keys, ..CommandSpec::new(id, Group::Move, hint, doc) }
}

pub(super) const ROWS: &[CommandSpec] = &[
    row("down", "down", "Move down one row, or scroll one line", &[(Pane::Any, "j"), (Pane::Any, "Down")]),
    row("up", "up", "Move up one row, or scroll one line back", &[(Pane::Any, "k"), (Pane::Any, "Up")]),
    row("half-page-down", "half page", "Move down half a page", &[(Pane::Any, "C-d")]),
    row("half-page-up", "half back", "Move up half a page", &[(Pane::Any, "C-u")]),
    row("page-down", "page", "Move down a page", &[(Pane::Any, "PageDown"), (Pane::Any, "C-f")]),
    row("page-up", "page back", "Move up a page", &[(Pane::Any, "PageUp"), (Pane::Any, "C-b")]),
    row("first", "first", "Go to the first row, or the top", &[(Pane::Any, "g g"), (Pane::Any, "Home")]),
    row("last", "last", "Go to the last row, or the end", &[(Pane::Any, "G"), (Pane::Any, "End")]),
    CommandSpec {
        help: "While a search is shown, the next hit.",
        ..row(
            "next-unread",
            "next unread",
            "Go to the next unread message, or the next hit of a search",
            &[(Pane::Messages, "n"), (Pane::Reader, "n")],
        )
    },
    row(
        "previous-unread",
        "last unread",
        "Go to the unread message before, or the hit before",
        &[(Pane::Messages, "N"), (Pane::Reader, "N")],
    ),
    row(
        "next-message",
        "next",
        "Go to the next message without leaving the open one",
        &[(Pane::Reader, "J"), (Pane::Messages, "J")],
    ),
    row(
        "previous-message",
        "previous",
        "Go to the message before without leaving the open one",
        &[(Pane::Reader, "K"), (Pane::Messages, "K")],
    ),
];
