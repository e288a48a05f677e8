//! smtp — submission (RFC 6409): `lettre` makes the commands and reads the replies, [`super::wire::Wire`] carries them.
//! Owns: `Smtp`, `SmtpError`, what a refusal means.
//! May import: mail, base.
//! Start reading at: `session.rs`. lettre's own connection keeps bytes that came before TLS and cannot be stopped in a
//! read; so its commands, replies and extensions are used over our socket, as with IMAP.

mod body;
mod error;
mod reply;
mod session;
#[cfg(test)]
mod tests;

pub use body::Source;
pub use error::{Rejected, SmtpError, Why};
pub use session::{Mail, Smtp};
