//! exec — carries out what the planner decided, and decides nothing about mail itself.
//! Owns: `server` (asks and tells go to a connection), later beside it what records into the store.
//! Start reading at: `server.rs`.

pub mod server;
