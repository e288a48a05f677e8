//! ids — row numbers as types, so that a mailbox is never taken for a message.
//! Owns: the newtypes of every number that names something in our two files, and the account's name.
//! May import: base.
//! Start reading at: `PlacementKey`, the one that scripts see.

use std::fmt;
use std::sync::Arc;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// A mailbox's row in the cache. Never stored in `state.sqlite` (decisions 2).
    MailboxId
);
id!(
    /// A message *content* in the cache, wherever it lies.
    MessageKey
);
id!(
    /// "Content M lies in mailbox B": what a list row is, and the `id` that scripts see.
    /// Below 2^53 and never used for another placement, not even after the cache was rebuilt (decisions 6).
    PlacementKey
);
id!(
    /// A conversation in the cache.
    ThreadKey
);
id!(
    /// One entry of the journal in `state.sqlite`.
    OpId
);
id!(
    /// The operations of one user command: what one `u` takes back.
    GroupId
);
id!(
    /// A finished message waiting to be submitted, in `state.sqlite`.
    OutboxId
);
id!(
    /// An unfinished message, in `state.sqlite`.
    DraftId
);

/// The short name of an account (`[account.NAME]`): how both files and the person call it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct AccountName(Arc<str>);

impl AccountName {
    /// Takes the name as it stands in the configuration, which has checked it.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(Arc::from(name))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccountName({})", self.0)
    }
}
