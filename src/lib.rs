//! Postrider — a terminal mail reader that never waits for a network and never loses what you did.
//!
//! The rooms, from the top down; imports point downward only, and `tests/layers.rs` holds it:
//!
//! ```text
//! main.rs cli/   the door: one file a verb           -> ui, engine, mail, config, base
//! ui/            how it looks    (ratatui)           -> app, engine, mail, config, base
//! app/           what it is doing (pure)             -> engine::api, mail, config, base
//! engine/        how the two sides come to agree     -> store, net, mail, config, base
//! store/ net/    what we remember; how we talk       -> config, mail, base (never one another)
//! config/        what the user asked                 -> mail, base
//! mail/          what mail is    (pure)              -> base
//! base/          what any program needs              -> nothing
//! ```
//!
//! Two journeys explain the rest. Each file says at its top what it owns and where to start reading.
//!
//! **A mail, from the socket to the screen.** `net/wire.rs` reads bytes within limits and time; `net/imap/frame.rs` finds whole
//! responses in them, `net/imap/untagged.rs` what they mean, `net/imap/fetch.rs` hands rows on in parts. They were asked for by
//! `engine/plan/observe.rs`, pure, which says what to ask next and what to write down; `engine/exec/pass.rs` runs it, on the
//! connection that `engine/work.rs` keeps for the account. `engine/exec/record.rs` has `store/placements.rs` and
//! `store/threads.rs` write the rows, in one transaction each (`store/writer.rs`). What a commit touched becomes news in
//! `engine/shared.rs` and rings the one descriptor of `base/inbox.rs`. `ui/run.rs` wakes and gives them to `app/news.rs`, which
//! asks for the page again; `engine/lane.rs` answers from `store/lists.rs` on a thread of its own. `app/list/mod.rs` keeps the
//! cursor on its message, `ui/view/list.rs` draws what changed, text made safe by `base/safetext.rs`, and `ui/backend.rs` sends
//! only the cells that differ.
//!
//! **A key, from the keyboard to the server.** `ui/input.rs` makes keys of bytes, however split; `app/trie.rs` finds the command
//! of the table in `app/command/mod.rs`; `app/update.rs` and `app/act.rs` turn it into an effect, a request. `ui/run.rs` hands it
//! to `engine/handle.rs`, which never blocks. On the desk's thread `engine/desk/intents.rs` writes it down: `engine/acts.rs`
//! makes operations of it, `store/journal.rs` commits them to disk, `store/overlay.rs` shows them at once. Then
//! `engine/account.rs` is nudged; `engine/work.rs` lets `engine/plan/push.rs` say what to tell the server,
//! `net/imap/change.rs` tells it, and `engine/exec/record.rs` settles the operation. If the line breaks in between,
//! `engine/plan/probe.rs` finds out what the server has done before anything is told twice.

pub mod app;
pub mod base;
pub mod cli;
pub mod config;
pub mod engine;
pub mod mail;
pub mod net;
pub mod store;
pub mod ui;

// The model server is also checked against a real one, from outside.
#[cfg(test)]
extern crate self as postrider;
