//! local — mail in maildirs on this machine, as a mail store like any other.
//! Owns: maildirs, their folders, the numbers that we give to messages, delivery into them.
//! May import: mail, base.
//! Start reading at: `store.rs`, the verbs; `uidlist.rs`, where UIDs come from; `maildir.rs`, files and flags. Other programs
//! may read and change the same maildirs at any time: all we add are `postrider-uidlist` and, as Dovecot, `dovecot-keywords`.

mod change;
mod folders;
mod maildir;
mod manage;
mod read;
mod store;
#[cfg(test)]
mod tests;
mod uidlist;
mod watch;

pub use store::{LocalStore, deliver};
