//! vectors — servers, disks and people that do their worst, against the built program: T-01 to F-13 of our threat model.
//! Start reading at: the table below. Each number names the tests that hold it, here or elsewhere; `map.rs` holds the table.
//! Servers are honest until a rule of the test says otherwise (`wire.rs`), each test has its own and its own profile (`bed.rs`).
#![allow(dead_code, reason = "the vectors to come use the rest")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bed;
mod cert;
mod imap;
mod patience;
mod rows;
#[path = "../day/screen.rs"]
mod screen;
mod sizes;
mod smtp;
mod transport;
mod use_of_line;
mod wire;
mod words;
