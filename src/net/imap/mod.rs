//! imap — IMAP4rev1 and its extensions over [`super::wire::Wire`].
//! Owns: framing, reading and saying IMAP; nothing of the `imap` crate leaves this folder.
//! May import: mail, base.
//! Start reading at: `store.rs`, IMAP as a mail store; `frame.rs` (whole responses within limits), `untagged.rs` (what
//! they mean). We speak of messages by UID only, and mailbox names and search text always go out quoted or as literals by us.

mod ahead;
mod append;
mod bodies;
mod caps;
mod change;
mod command;
mod conn;
mod core;
mod details;
mod envelope;
mod extras;
mod fetch;
mod find;
mod frame;
mod labels;
mod login;
mod mailboxes;
mod names;
mod notify;
mod odd;
mod outline;
mod quirks;
mod search;
mod select;
mod store;
mod structure;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_ahead;
#[cfg(test)]
mod tests_auth;
#[cfg(test)]
mod tests_extras;
#[cfg(test)]
mod tests_login;
mod untagged;
mod value;

pub use frame::{MAX_KEPT, MAX_LITERAL};
pub use store::{ImapStore, QUIET};
