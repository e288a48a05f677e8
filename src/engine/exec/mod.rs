//! exec — carries out what the planner decided, and decides nothing about mail itself.
//! Owns: `pass` (one planner to its end), `server` (asks and tells go to a connection), `record` (what was found goes to the store).
//! Start reading at: `pass.rs`.

pub mod pass;
pub mod record;
pub mod server;
