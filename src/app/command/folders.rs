//! folders — what can be done in the pane of mailboxes.
//! Owns: its rows. May import: app.
//! Start reading at: `ROWS`.

use super::{CommandSpec, Group, Pane};

pub(super) const ROWS: &[CommandSpec] = &[
    CommandSpec {
        keys: &[(Pane::Folders, "Enter"), (Pane::Messages, "Enter"), (Pane::Outbox, "Enter")],
        help: "Opens the mailbox, the message, or what waits to be sent.",
        ..CommandSpec::new("open", Group::Go, "open", "Open what the cursor is on")
    },
    CommandSpec {
        keys: &[(Pane::Folders, "+"), (Pane::Messages, "+")],
        help: "In the list, shows every message of the conversation below its first row.",
        ..CommandSpec::new("unfold", Group::Move, "unfold", "Unfold the conversation, or the mailboxes below this one")
    },
    CommandSpec {
        keys: &[(Pane::Folders, "-"), (Pane::Messages, "-")],
        ..CommandSpec::new("fold", Group::Move, "fold", "Fold it again")
    },
];
