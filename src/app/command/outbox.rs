//! outbox — what can be done with outgoing mail and with changes that wait for the server.
//! Owns: its rows. May import: app.
//! Start reading at: `ROWS`.

use super::{CommandSpec, Group, Pane};

const fn row(id: &'static str, hint: &'static str, doc: &'static str, keys: &'static [(Pane, &'static str)]) -> CommandSpec {
    CommandSpec { keys, ..CommandSpec::new(id, Group::Outbox, hint, doc) }
}

pub(super) const ROWS: &[CommandSpec] = &[
    row("retry", "try again", "Try it again now", &[(Pane::Outbox, "r")]),
    CommandSpec {
        help: "A mail goes back to the drafts. A waiting change is dropped, and the message is shown as the server has it.",
        ..row("cancel", "take back", "Do not send it, or drop the waiting change", &[(Pane::Outbox, "d")])
    },
    CommandSpec {
        help: "For a mail of which the server did not say whether it took it: `retry` may then send it twice.",
        ..row("mark-sent", "was sent", "Note that the mail was sent after all", &[(Pane::Outbox, "s")])
    },
];
