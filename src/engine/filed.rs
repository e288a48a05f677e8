//! filed — servers that put a copy of what was sent into Sent by themselves: looked for before we put one there (decisions 23).
//! Owns: `Visitor::look_for_filed`, `Filers`. May import: store, net.
//! Start reading at: `Visitor::look_for_filed`. A copy waits a little before it is put there; then the mailbox is searched for
//! its Message-ID, and what is found is not put there again. What an account's server does not do once, it is not waited for
//! again while the program runs.

use super::exec::record;
use super::plan::step::OpChange;
use super::round::{Halt, Visitor};
use crate::mail::envelope::MessageId;
use crate::mail::ids::{AccountName, OpId};
use crate::mail::intent::{OpKind, OpState, Operation};
use crate::mail::mailbox::MailboxPath;
use crate::net::session::MailStore;
use crate::store::{journal, overlay};
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The accounts whose servers did not file a mail by themselves when they could have.
#[derive(Debug, Default)]
pub struct Filers(Mutex<BTreeSet<AccountName>>);

impl Filers {
    fn lock(&self) -> MutexGuard<'_, BTreeSet<AccountName>> {
        // Nothing in here can be half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is known that this account's server leaves it to us.
    #[must_use]
    pub fn leaves_it_to_us(&self, account: &AccountName) -> bool {
        self.lock().contains(account)
    }

    fn learn(&self, account: &AccountName, files: bool) {
        let mut known = self.lock();
        if files {
            known.remove(account);
        } else {
            known.insert(account.clone());
        }
    }
}

impl Visitor<'_> {
    /// Looks for copies that are about to be put into `path`, where the server may have done so by itself: what it has is done.
    /// Each is looked for once.
    ///
    /// # Errors
    /// What ended the connection, or the store.
    pub fn look_for_filed(&mut self, conn: &mut dyn MailStore, path: &MailboxPath) -> Result<(), Halt> {
        let now = self.shared.now();
        let ours = self.shared.store.read_state(|db| journal::pending(db, Some(&self.config.name)))?;
        let wanted: Vec<(OpId, MessageId)> = ours
            .into_iter()
            .filter(|op| op.mailbox == *path && op.state == OpState::Queued && op.not_before <= now)
            .filter(|op| !self.memory.looked.contains(&op.id))
            .filter_map(|op| match op.kind {
                OpKind::Append { look: true, print, .. } => Some((op.id, print.message_id?)),
                _ => None,
            })
            .collect();
        if wanted.is_empty() {
            return Ok(());
        }
        match conn.select(path, true, None) {
            Ok(_) => {}
            // It is not there: nobody can have put anything into it.
            Err(e) if e.connection_lives() => return Ok(()),
            Err(e) => return Err(e.into()),
        }
        for (id, message_id) in wanted {
            self.memory.looked.insert(id);
            let found = match conn.find(&message_id) {
                // Servers find those too that only hold it.
                Ok(all) => all.iter().any(|seen| seen.print.message_id.as_ref() == Some(&message_id)),
                Err(e) if e.connection_lives() => false,
                Err(e) => return Err(e.into()),
            };
            self.shared.filers.learn(&self.config.name, found);
            if found {
                self.done_by_server(id)?;
            }
        }
        Ok(())
    }

    fn done_by_server(&self, id: OpId) -> Result<(), Halt> {
        let change = [OpChange::to(id, OpState::Moot)];
        let touched: Vec<Operation> = self.shared.store.state(move |tx| record::on_journal(tx, &change))?;
        Ok(self.shared.store.cache(move |tx| touched.iter().try_for_each(|op| overlay::apply(tx, op)))?)
    }
}
