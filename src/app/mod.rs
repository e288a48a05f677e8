//! app — what the reader is doing: messages in, effects out.
//! Owns: the command table, the keymap and the state of every screen.
//! May import: engine::api, mail, config, base.   Never: a file, a socket, a thread, a terminal.
//! Start reading at: `command/mod.rs`, one row a command.
//! Tested by: unit tests beside the code.

pub mod command;
pub mod key;
pub mod list;
pub mod trie;
