//! messages — what can be done to messages, from the list and from the open one.
//! Owns: their rows. May import: app.
//! Start reading at: `ROWS`. Each acts on the marked messages, or else on the one under the cursor (a folded
//! conversation counts as all its messages in this mailbox).

use super::{CommandSpec, Group, Pane, Undo};

const fn mark(id: &'static str, hint: &'static str, doc: &'static str, keys: &'static [(Pane, &'static str)]) -> CommandSpec {
    CommandSpec { keys, ..CommandSpec::new(id, Group::Mark, hint, doc) }
}

const fn act(
    id: &'static str,
    hint: &'static str,
    doc: &'static str,
    help: &'static str,
    keys: &'static [(Pane, &'static str)],
) -> CommandSpec {
    CommandSpec { keys, help, undo: Undo::Journal, ..CommandSpec::new(id, Group::Message, hint, doc) }
}

pub(super) const ROWS: &[CommandSpec] = &[
    mark("mark", "mark", "Mark the message, or take its mark away, and move down", &[(Pane::Messages, "Space")]),
    CommandSpec {
        help: "Starts at the cursor; move, then press any command or `range` again to keep the marks.",
        ..mark("range", "range", "Mark a range by moving", &[(Pane::Messages, "v")])
    },
    CommandSpec {
        help: "All rows from the same sender that are loaded. Press it on a marked message to take all marks away.",
        ..mark("mark-like", "mark like", "Mark all messages from this sender", &[(Pane::Messages, "*")])
    },
    act(
        "archive",
        "archive",
        "Move the messages to the archive",
        "Uses the account's archive mailbox. `undo` takes it back.",
        &[(Pane::Messages, "e"), (Pane::Reader, "e")],
    ),
    act(
        "delete",
        "trash",
        "Move the messages to the trash",
        "`undo` takes it back; `delete-forever` is the one that does not keep them.",
        &[(Pane::Messages, "d"), (Pane::Reader, "d"), (Pane::Messages, "Delete")],
    ),
    CommandSpec {
        undo: Undo::UntilDone,
        ..act(
            "delete-forever",
            "delete",
            "Delete the messages for ever; asks first",
            "Waits ten seconds, or until there is a network; until then `undo` takes it back. After that it is final.",
            &[(Pane::Messages, "D"), (Pane::Reader, "D")],
        )
    },
    CommandSpec {
        arg: "MAILBOX",
        ..act(
            "move",
            "move",
            "Move the messages to another mailbox",
            "The mailbox used last stands first: Enter takes it.",
            &[(Pane::Messages, "m"), (Pane::Reader, "m")],
        )
    },
    CommandSpec {
        arg: "MAILBOX",
        ..act("copy", "copy", "Copy the messages to another mailbox", "", &[(Pane::Messages, "y"), (Pane::Reader, "y")])
    },
    act("junk", "junk", "Move the messages to the junk mail", "", &[(Pane::Messages, "x"), (Pane::Reader, "x")]),
    CommandSpec {
        aliases: &["flag"],
        ..act("star", "star", "Star the messages, or take the star away", "", &[(Pane::Messages, "s"), (Pane::Reader, "s")])
    },
    act(
        "toggle-read",
        "read/unread",
        "Mark the messages as read, or as unread",
        "",
        &[(Pane::Messages, "i"), (Pane::Reader, "i")],
    ),
    CommandSpec {
        arg: "WORDS",
        ..act(
            "tag",
            "tags",
            "Give the messages tags, or take them away",
            "Keywords on the server, so that other programs see them too; `search` finds them by tag:WORD.",
            &[(Pane::Messages, "t"), (Pane::Reader, "t")],
        )
    },
    CommandSpec {
        keys: &[(Pane::Messages, "T"), (Pane::Reader, "T")],
        ..CommandSpec::new("threads", Group::Read, "threads", "Show conversations, or single messages")
    },
];
