//! reader — what can be done with the open message: answers, links, attachments, other views of it.
//! Owns: its rows. May import: app.
//! Start reading at: `ROWS`.

use super::{CommandSpec, Group, Pane};

const fn write(id: &'static str, hint: &'static str, doc: &'static str, keys: &'static [(Pane, &'static str)]) -> CommandSpec {
    CommandSpec { keys, ..CommandSpec::new(id, Group::Write, hint, doc) }
}

const fn read(id: &'static str, hint: &'static str, doc: &'static str, keys: &'static [(Pane, &'static str)]) -> CommandSpec {
    CommandSpec { keys, ..CommandSpec::new(id, Group::Read, hint, doc) }
}

pub(super) const ROWS: &[CommandSpec] = &[
    write("reply", "reply", "Reply to the sender", &[(Pane::Messages, "r"), (Pane::Reader, "r")]),
    write("reply-all", "all", "Reply to everybody", &[(Pane::Messages, "a"), (Pane::Reader, "a")]),
    CommandSpec {
        help: "Where the mail came by no list, to everybody.",
        ..write("reply-list", "list", "Reply to the mailing list", &[(Pane::Messages, "L"), (Pane::Reader, "L")])
    },
    write("forward", "forward", "Forward the message", &[(Pane::Messages, "f"), (Pane::Reader, "f")]),
    CommandSpec {
        help: "In the drafts, goes on writing the draft.",
        ..write("edit-as-new", "edit", "Write a new message from this one", &[(Pane::Messages, "E"), (Pane::Reader, "E")])
    },
    CommandSpec {
        keys: &[(Pane::Reader, "Space")],
        ..CommandSpec::new("read-on", Group::Read, "read on", "Scroll a page; at the end, go to the next unread message")
    },
    CommandSpec {
        help: "Opens a list of them; the whole address is shown before anything is opened.",
        ..read("links", "links", "Choose one of the message's links", &[(Pane::Reader, "l")])
    },
    CommandSpec {
        help: "Opens it with the desktop's program for its type.",
        ..read("open-attachment", "open", "Open an attachment", &[(Pane::Reader, "o")])
    },
    CommandSpec { arg: "FOLDER", ..read("save-attachments", "save", "Save the attachments", &[(Pane::Reader, "w")]) },
    CommandSpec {
        help: "`next-unread` goes to the next place, `previous-unread` to the one before, `back` ends it.",
        ..read("find", "find", "Find a word in the open message", &[(Pane::Reader, "/")])
    },
    CommandSpec {
        arg: "COMMAND",
        help: "The shell runs it with the message, as it came, as its input: git am, less, sa-learn.",
        ..read("pipe", "pipe", "Hand the message to a command of the shell", &[(Pane::Reader, "|")])
    },
    read("headers", "headers", "Show all headers, or only the usual ones", &[(Pane::Reader, "H")]),
    read("source", "source", "Show the message as it came", &[(Pane::Reader, "V")]),
    read("html", "plain/HTML", "Switch between the plain and the HTML text", &[(Pane::Reader, "h")]),
    read("quotes", "quotes", "Unfold the quoted text, or fold it again", &[(Pane::Reader, "+"), (Pane::Reader, "-")]),
];
