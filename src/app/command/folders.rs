//! folders — what can be done in the pane of mailboxes.
//! Owns: its rows. May import: app.
//! Start reading at: `ROWS`.

use super::{CommandSpec, Group, Pane, Undo};

const fn tree(
    id: &'static str,
    hint: &'static str,
    doc: &'static str,
    keys: &'static [(Pane, &'static str)],
    undo: Undo,
) -> CommandSpec {
    CommandSpec { keys, undo, ..CommandSpec::new(id, Group::Mailbox, hint, doc) }
}

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
    CommandSpec {
        arg: "NAME",
        help: "Below the mailbox under the cursor, unless another whole name is typed.",
        ..tree("create-mailbox", "new", "Make a mailbox", &[(Pane::Folders, "a")], Undo::Nothing)
    },
    CommandSpec {
        arg: "NAME",
        help: "The whole name, so that it can be put below another one; all below it go with it.",
        ..tree("rename-mailbox", "rename", "Rename the mailbox", &[(Pane::Folders, "R")], Undo::Journal)
    },
    CommandSpec {
        help: "With all its messages and the mailboxes below it. Waits ten seconds, or until there is a network; until then `undo` \
               takes it back.",
        ..tree("delete-mailbox", "delete", "Delete the mailbox for ever; asks first", &[(Pane::Folders, "D")], Undo::UntilDone)
    },
    CommandSpec {
        help: "What is not subscribed to stands dim; other programs may hide it.",
        ..tree("subscribe", "subscribe", "Subscribe to the mailbox, or no more", &[(Pane::Folders, "S")], Undo::Journal)
    },
    CommandSpec {
        help: "Once more: none of them before it is opened; once more: as the configuration says. Marked by ↓ and ·.",
        ..tree("keep-offline", "offline", "Keep all texts of the mailbox on this machine", &[(Pane::Folders, "O")], Undo::Nothing)
    },
    CommandSpec {
        help: "To the trash; what lies in the trash or in the junk mail goes for ever. Says how many before.",
        ..tree("empty-mailbox", "empty", "Remove all messages of the mailbox; asks first", &[(Pane::Folders, "E")], Undo::Journal)
    },
];
