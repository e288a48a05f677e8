//! summary — how a pass of synchronisation went, as `sync --json` prints it.
//! Owns: `SyncSummary`. May import: base.
//! Start reading at: `SyncSummary`. Names and nesting are a promise (interface.md).

use super::Fault;
use serde::Serialize;

/// A pass over one or more accounts.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct SyncSummary {
    /// By account, in the order of the configuration.
    pub accounts: Vec<AccountSummary>,
    /// How long it took.
    pub seconds: f64,
}

/// One account's pass.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct AccountSummary {
    /// Its name.
    pub account: String,
    /// `ok`, or the word of the fault's kind.
    pub state: String,
    /// What is wrong with the account as a whole; "" if nothing.
    pub fault: String,
    /// What is no fault yet and may become one: little room is left on the server. Sentences without a full stop.
    pub warnings: Vec<String>,
    /// By mailbox, in the order of visiting.
    pub mailboxes: Vec<MailboxSummary>,
    /// Operations that the server confirmed.
    pub pushed: u64,
    /// Octets read, after decryption.
    pub bytes_in: u64,
    /// Octets written, before encryption.
    pub bytes_out: u64,
    /// Commands that waited for an answer.
    pub round_trips: u64,
    /// The exit code that this account alone would give.
    #[serde(skip)]
    pub exit: u8,
}

/// One mailbox's pass.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct MailboxSummary {
    /// Its name, decoded (untrusted).
    pub mailbox: String,
    /// Messages that were not here before.
    pub new: u64,
    /// Messages whose flags changed there.
    pub changed: u64,
    /// Messages that are gone there.
    pub vanished: u64,
    /// Bodies fetched.
    pub bodies: u64,
    /// What went wrong; "" if nothing.
    pub fault: String,
}

impl SyncSummary {
    /// The exit code of the verb: that of the accounts if they agree, 1 if some failed (decisions 29).
    #[must_use]
    pub fn exit(&self) -> u8 {
        let first = self.accounts.first().map_or(0, |a| a.exit);
        if self.accounts.iter().all(|a| a.exit == first) { first } else { 1 }
    }
}

impl AccountSummary {
    /// An account whose pass ended by `fault`.
    pub fn fail(&mut self, fault: &Fault) {
        fault.kind.word().clone_into(&mut self.state);
        self.fault = fault.what.as_str().to_owned();
        self.exit = fault.exit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::api::Kind;

    #[test]
    fn mixed_accounts_exit_1() {
        let ok = AccountSummary::default();
        let mut bad = ok.clone();
        bad.fail(&Fault::new(Kind::Login, "no"));
        let sum = |accounts| SyncSummary { accounts, seconds: 0.0 };
        assert_eq!(sum(vec![ok.clone()]).exit(), 0);
        assert_eq!(sum(vec![bad.clone(), bad.clone()]).exit(), 77);
        assert_eq!(sum(vec![ok, bad]).exit(), 1);
    }
}
