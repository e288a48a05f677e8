//! screen — what each screen knows: one file a screen, of the same name as its view in `ui/view`.
//! Owns: `Screen`. May import: app, engine::api, mail, config, base.
//! Start reading at: `folders.rs`.

pub mod account;
pub mod chooser;
pub mod folders;
pub mod jobs;
pub mod outbox;
pub mod viewer;

/// What has the room between title and hints.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Screen {
    /// Mailboxes, list, message.
    Mail,
    /// Outgoing mail and waiting changes.
    Outbox,
    /// What runs that takes long.
    Jobs,
    /// The mail that is being written: `compose::desk::Desk::front`.
    Compose,
    /// The form of a new account.
    Account,
}
