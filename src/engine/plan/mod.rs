//! plan — what to do next, decided without doing it: no clock, no socket, no database, no thread.
//! Owns: one pass over one mailbox (`MailboxSync`), the folder list (`folders`), the vocabulary (`step`).
//! May import: mail, engine/journal.   Never: store, net, std::time.
//! Start reading at: `step.rs`.

pub mod base;
pub mod step;
