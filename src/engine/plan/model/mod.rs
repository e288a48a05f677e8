//! model — a mail server and a client in a few hundred lines, to run plans against by the thousand.
//! Owns: `Server` (`server.rs`), `Client` and the driver (`client.rs`), what is wanted (`world.rs`), the properties
//! (`laws.rs`). Tests only.
//! Start reading at: `laws.rs`.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod client;
mod laws;
mod server;
mod thin;
mod world;

use server::{Mailbox, Msg, Server, names};
