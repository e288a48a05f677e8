//! app — what the reader is doing: messages in, effects out.
//! Owns: the command table, the keymap and the state of every screen.
//! May import: engine::api, mail, config, base.   Never: a file, a socket, a thread, a terminal.
//! Start reading at: `command/mod.rs`, one row a command.
//! Tested by: unit tests beside the code.

mod act;
pub mod command;
pub mod compose;
pub mod editor;
mod first;
mod go;
pub mod input;
pub mod key;
pub mod layout;
pub mod limits;
pub mod list;
mod look;
mod mouse;
pub mod msg;
mod news;
mod pace;
pub mod popup;
pub mod reading;
pub mod screen;
mod state;
pub mod status;
pub mod tags;
pub mod tree;
pub mod trie;
mod update;
pub mod words;

pub use state::{App, Setup};
