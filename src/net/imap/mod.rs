//! imap — IMAP4rev1 and its extensions over [`super::wire::Wire`].
//! Owns: framing, reading and saying IMAP; nothing of the `imap` crate leaves this folder.
//! May import: mail, base.
//! Start reading at: `frame.rs` (whole responses within limits), then `untagged.rs` (what they mean). We speak of
//! messages by UID only, and mailbox names and search text always go out quoted or as literals by us.

pub mod envelope;
pub mod frame;
pub mod structure;
pub mod untagged;
pub mod value;
