//! cli — the built binary from outside: what it prints, its exit codes, its JSON, what it says of bad input.
#![allow(clippy::unwrap_used, clippy::panic)]

mod bed;
mod boxes;
mod contract;
mod docs;
mod mail;
mod words;
