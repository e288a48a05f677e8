//! global — commands that hold everywhere: panes, places, search, palette, undo, quit.
//! Owns: their rows. May import: app.
//! Start reading at: `ROWS`.

use super::{CommandSpec, Group, Pane};

const fn row(
    id: &'static str,
    group: Group,
    hint: &'static str,
    doc: &'static str,
    keys: &'static [(Pane, &'static str)],
) -> CommandSpec {
    CommandSpec { keys, ..CommandSpec::new(id, group, hint, doc) }
}

pub(super) const ROWS: &[CommandSpec] = &[
    row("next-pane", Group::Go, "folders", "Go to the next pane", &[(Pane::Any, "Tab"), (Pane::Any, "Right")]),
    row("previous-pane", Group::Go, "back", "Go to the pane before", &[(Pane::Any, "BackTab"), (Pane::Any, "Left")]),
    row("back", Group::Go, "back", "Close what is open and go back", &[(Pane::Any, "q"), (Pane::Any, "Esc")]),
    row("goto-inbox", Group::Go, "inbox", "Go to the account's inbox", &[(Pane::Any, "g i")]),
    row("goto-sent", Group::Go, "sent", "Go to the sent mail", &[(Pane::Any, "g s")]),
    row("goto-drafts", Group::Go, "drafts", "Go to the drafts", &[(Pane::Any, "g d")]),
    row("goto-archive", Group::Go, "archive", "Go to the archive", &[(Pane::Any, "g a")]),
    row("goto-trash", Group::Go, "trash", "Go to the trash", &[(Pane::Any, "g t")]),
    row("goto-junk", Group::Go, "junk", "Go to the junk mail", &[(Pane::Any, "g j")]),
    CommandSpec {
        help: "What came in, of all accounts, in one list; each command acts in the account of its message.",
        ..row("goto-inboxes", Group::Go, "all inboxes", "Show the inboxes of all accounts as one", &[(Pane::Any, "0")])
    },
    row("goto-unread", Group::Go, "unread", "Show all that is unread", &[(Pane::Any, "g u")]),
    row("goto-starred", Group::Go, "starred", "Show all that is starred", &[(Pane::Any, "g *")]),
    row("goto-outbox", Group::Go, "outbox", "Show outgoing mail and changes that wait for the server", &[(Pane::Any, "g o")]),
    CommandSpec {
        help: "What is being read, fetched or sent, in which account and how far; `stop-job` stops it there.",
        ..row("goto-jobs", Group::Go, "running", "Show what runs and how far it is", &[(Pane::Any, "g r")])
    },
    CommandSpec {
        arg: "MAILBOX",
        help: "Type a few letters of the mailbox's name.",
        ..row("goto", Group::Go, "mailbox", "Go to any mailbox", &[(Pane::Any, "g f")])
    },
    CommandSpec {
        arg: "NUMBER",
        help: "The digits are the accounts in the order of the mailbox pane.",
        ..row(
            "account",
            Group::Go,
            "account",
            "Go to the inbox of the account with that number",
            &[
                (Pane::Any, "1"),
                (Pane::Any, "2"),
                (Pane::Any, "3"),
                (Pane::Any, "4"),
                (Pane::Any, "5"),
                (Pane::Any, "6"),
                (Pane::Any, "7"),
                (Pane::Any, "8"),
                (Pane::Any, "9"),
            ],
        )
    },
    CommandSpec {
        arg: "QUERY",
        help: "Searches everything on this machine while you type: words, from: to: subject: body: is: has: before: after: in:.",
        ..row(
            "search",
            Group::Go,
            "search",
            "Search all mail as you type",
            &[(Pane::Messages, "/"), (Pane::Folders, "/"), (Pane::Outbox, "/"), (Pane::Reader, "g /")],
        )
    },
    CommandSpec {
        help: "Words in texts that are not on this machine, messages whose rows are not here yet: hits are added as they come.",
        ..row(
            "search-server",
            Group::Go,
            "server",
            "Let the servers go on with the search that is shown",
            &[(Pane::Messages, "S"), (Pane::Messages, "C-s")],
        )
    },
    CommandSpec {
        help: "Messages flagged, moved, archived, deleted or sent come back, also after a restart. `redo` does it again.",
        ..row("undo", Group::Message, "undo", "Take back what was done last", &[(Pane::Any, "u")])
    },
    row("redo", Group::Message, "redo", "Do again what was taken back last", &[(Pane::Any, "C-r")]),
    CommandSpec {
        help: "Nothing is fetched but what is opened. Until it is switched off again, or the program ends.",
        ..row("metered", Group::Program, "metered", "Spare the line, which costs money, or no more", &[(Pane::Any, "g m")])
    },
    row("refresh", Group::Message, "refresh", "Ask the server for news now", &[(Pane::Any, "C-n"), (Pane::Any, "F5")]),
    CommandSpec {
        aliases: &["mail", "write"],
        arg: "ADDRESS",
        ..row("compose", Group::Write, "write", "Write a new message", &[(Pane::Any, "c")])
    },
    row(
        "palette",
        Group::Program,
        "commands",
        "Find a command by its name and run it",
        &[(Pane::Any, ":"), (Pane::Any, "C-p"), (Pane::Compose, "M-x")],
    ),
    row(
        "help",
        Group::Program,
        "keys",
        "Show what the keys do here",
        &[(Pane::Any, "?"), (Pane::Any, "F1"), (Pane::Compose, "F1")],
    ),
    row("zoom", Group::Program, "zoom", "Give the whole screen to this pane, or back to all", &[(Pane::Any, "Z")]),
    row("redraw", Group::Program, "redraw", "Draw the whole screen again", &[(Pane::Any, "C-l"), (Pane::Compose, "C-l")]),
    CommandSpec {
        help: "Asks for the password of an account that has none stored or whose password was refused.",
        arg: "ACCOUNT",
        ..row("password", Group::Program, "password", "Enter an account's password", &[(Pane::Any, "A")])
    },
    CommandSpec {
        arg: "NAME",
        help: "Until the end of this run; the line `theme` in the configuration keeps it.",
        ..row("theme", Group::Program, "theme", "Choose how everything looks", &[])
    },
    row("suspend", Group::Program, "suspend", "Stop and go back to the shell; fg comes back", &[(Pane::Any, "C-z")]),
    row("add-account", Group::Program, "add account", "Add an account", &[]),
    CommandSpec {
        aliases: &["exit"],
        ..row("quit", Group::Program, "quit", "Leave Postrider", &[(Pane::Any, "Q"), (Pane::Any, "C-c")])
    },
];
