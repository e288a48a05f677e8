//! net — how we talk: connections, protocols, the local mail store. No policy.
//! Owns: sockets, TLS, IMAP, SMTP, maildir.
//! May import: config, mail, base.   Never: a decision about when, whether or again.
//! Start reading at: `session.rs`, what any mail store can do.
//! Tested by: scripted servers beside the code; `tests/it` against real Dovecot and Postfix.

mod deflate;
pub mod dial;
pub mod dns;
pub mod dns_message;
pub mod error;
pub mod https;
mod identity;
pub mod imap;
pub mod local;
pub mod probe;
pub mod sasl;
mod scram;
#[cfg(test)]
mod script;
pub mod session;
pub mod smtp;
mod socket;
pub mod tls;
#[cfg(test)]
mod tls_tests;
pub mod trace;
pub mod wire;
#[cfg(test)]
mod wire_tests;
