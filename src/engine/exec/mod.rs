//! exec — carries out what the planner decided, and decides nothing about mail itself.
//! Owns: `pass` (one planner to its end), `server` (asks and tells go to a connection).
//! Start reading at: `pass.rs`.

pub mod pass;
pub mod server;
