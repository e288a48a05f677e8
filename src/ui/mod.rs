//! ui — how it looks: the state of `app` as cells, and keys as messages to it.
//! Owns: the terminal, the event loop, themes, one view a screen.      Thread: main.
//! May import: app, engine::api, mail, config, base.   Never: decides what a key does, waits for a disk or a network.
//! Start reading at: `run.rs`, then `view/mod.rs`.
//! Tested by: unit tests beside the code.

pub mod backend;
mod editor;
mod effects;
mod farewell;
pub mod hyper;
pub mod input;
pub mod link;
mod notify;
pub mod opened;
mod outside;
mod pipe;
mod run;
pub mod signals;
pub mod terminal;
pub mod theme;
pub mod view;

pub use link::{Host, Link};
pub use run::{End, Look, Reader};
