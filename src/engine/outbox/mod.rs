//! outbox — how a finished mail leaves: never lost, never silently sent twice (decisions 22, 23).
//! Owns: the states and what may follow them, the thread that submits, the copy for Sent.
//! Start reading at: `state.rs`, where everything is decided; the rest only does it.

mod file;
pub(crate) mod post;
mod sender;
pub mod state;

pub use sender::{Sender, flush};
