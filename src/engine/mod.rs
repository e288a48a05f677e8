//! engine — how the two sides come to agree: what the person wants, and what the servers have.
//! Owns: every thread that talks to a server, the journal's rules, the outbox, and the one start path.
//! May import: store, net, config, mail, base.   Never: draws, reads keys, decides how anything looks.
//! Start reading at: `api/`, the only part that `app` and `ui` may name; then `account.rs`, one account's loop.
//! Tested by: unit and property tests beside the code; `tests/it` against real servers.

pub mod account;
mod acquaint;
pub mod acts;
pub mod answer;
pub mod api;
mod asked;
pub mod awaited;
mod bulk;
pub mod check;
pub mod check_files;
mod check_more;
pub mod connect;
pub mod crew;
pub mod desk;
mod details;
pub mod discover;
pub mod exec;
mod far;
pub mod fault;
pub mod fetch;
mod fetch_parts;
mod filed;
mod goals;
mod handle;
pub mod jobs;
pub mod jolt;
pub mod journal;
mod kept;
pub mod lane;
mod ledger;
mod levels;
mod limits;
#[cfg(test)]
mod live_tests;
mod meant;
mod memory;
mod news;
mod office;
mod offline;
mod onlooker;
pub mod outbox;
pub mod owner;
pub mod password;
pub mod plan;
mod previews;
mod reach;
pub mod remote;
pub mod rescue;
mod rest;
mod roles;
pub mod round;
pub mod servers;
pub mod setup;
pub mod shared;
mod sight;
mod standing;
mod stumbles;
pub mod sync;
mod texts;
pub mod translate;
mod tree;
pub mod trouble;
mod watch;
mod wished;
mod wishes;
pub mod words;
mod work;

pub use handle::Engine;
pub use setup::{Mode, Setup};
