//! writing — what can be done in the composer, and how one comes back to it.
//! Owns: its rows. May import: app.
//! Start reading at: `ROWS`. Letters are text there, so every chord has Control or Alt or is no letter. Motions, rubbing out and
//! selecting with Shift are the editor's own and stand in the help of `reflow`.

use super::{CommandSpec, Group, Pane};

const fn row(id: &'static str, hint: &'static str, doc: &'static str, keys: &'static [(Pane, &'static str)]) -> CommandSpec {
    CommandSpec { keys, ..CommandSpec::new(id, Group::Write, hint, doc) }
}

pub(super) const ROWS: &[CommandSpec] = &[
    CommandSpec {
        help: "It goes after a while in which `undo` takes it back. What is doubtful is asked about once; pressed again, it is sent.",
        ..row("send", "send", "Send the mail", &[(Pane::Compose, "C-s")])
    },
    CommandSpec {
        help: "It was saved at every pause already. `drafts` goes on with it, also after a restart.",
        ..row("leave-draft", "keep draft", "Leave the mail, and keep it as a draft", &[(Pane::Compose, "Esc")])
    },
    CommandSpec {
        help: "`undo` takes it back for ten seconds.",
        ..row("discard", "throw away", "Throw the mail away", &[(Pane::Compose, "C-q")])
    },
    CommandSpec {
        help: "Tab completes the path, Enter takes the file. In the row of attachments, Delete takes one off.",
        ..row("attach", "attach", "Attach a file", &[(Pane::Compose, "C-a")])
    },
    CommandSpec {
        help: "Runs $VISUAL or $EDITOR on the text, in this terminal; what it saves comes back as one step of undo.",
        ..row("edit-outside", "$EDITOR", "Write the text in your own editor", &[(Pane::Compose, "C-e")])
    },
    CommandSpec {
        help: "The mail stays open; `drafts` comes back to it.",
        ..row("read-other", "read mail", "Go and read other mail", &[(Pane::Compose, "C-o")])
    },
    row("next-field", "next field", "Go to the next field", &[(Pane::Compose, "Tab")]),
    row("previous-field", "field before", "Go to the field before", &[(Pane::Compose, "BackTab")]),
    row("bcc", "Bcc", "Name somebody whom the others do not see", &[(Pane::Compose, "C-b")]),
    CommandSpec {
        help: "The signature changes with it. In the row From, the arrows do the same.",
        ..row("next-name", "other name", "Write under your next name", &[(Pane::Compose, "C-f")])
    },
    row("text-undo", "undo", "Take back what was typed last", &[(Pane::Compose, "C-z"), (Pane::Compose, "C-_")]),
    row("text-redo", "redo", "Type again what was taken back", &[(Pane::Compose, "C-y"), (Pane::Compose, "M-z")]),
    row("text-cut", "cut", "Cut what is selected, or else the line", &[(Pane::Compose, "C-x")]),
    row("text-copy", "copy", "Copy what is selected, also to the clipboard", &[(Pane::Compose, "C-c")]),
    row("text-paste", "paste", "Put in what was cut or copied last", &[(Pane::Compose, "C-v")]),
    row("text-all", "select all", "Select everything in the field", &[(Pane::Compose, "M-a")]),
    CommandSpec {
        help: "Quoted lines are broken at 72 columns with their marks; your own become one paragraph, which is wrapped by itself. Arrows \
               move, with Shift they select, with Control by words; C-w rubs out a word, C-u and C-k to the ends of the line.",
        ..row("reflow", "reflow", "Lay the paragraph out anew", &[(Pane::Compose, "M-q")])
    },
    CommandSpec {
        aliases: &["resume"],
        help: "Goes to the only one at once, else lists those that are open and those that were saved.",
        ..row("drafts", "unfinished", "Go on with an unfinished mail", &[(Pane::Any, "g w")])
    },
];
