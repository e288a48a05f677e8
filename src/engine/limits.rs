//! limits — how much room an account has and what may be done to its mailboxes: asked for when nothing else is to be done.
//! Owns: `Work::limits`, `Visitor::room`. May import: store, net.
//! Start reading at: `Work::limits`. Only what changed is written down; a quota that is nearly used up is told once.

use super::api::{Fault, Kind};
use super::fault::{Reach, Retry};
use super::round::{Halt, Visitor};
use super::work::Work;
use crate::mail::ids::MailboxId;
use crate::mail::mailbox::MailboxPath;
use crate::mail::rights::{Quota, Right};
use crate::mail::server::{ListedMailbox, Space};
use crate::net::session::MailStore;
use crate::store::{limits, mailboxes, tree};
use std::collections::HashSet;

/// The person is told when so many percent of a quota are used ...
const NEARLY: u64 = 90;
/// ... and again only after it had been below this.
const RELIEF: u64 = 85;
/// So many mailboxes are asked about in one turn.
const AT_ONCE: usize = 32;
/// A pass without a screen asks about mailboxes of others in so many turns at most.
const TURNS: usize = 32;

impl Work<'_> {
    /// Asks for some of them in one turn. Whether there may be more to ask for.
    ///
    /// # Errors
    /// What ended the connection, or the store.
    pub fn limits(&mut self, conn: &mut dyn MailStore) -> Result<bool, Halt> {
        let caps = conn.caps();
        if caps.quota && self.quota_due {
            self.quota_due = false;
            if let Some(what) = self.visitor.room(conn)? {
                let fault = Fault::new(Kind::Refused, &what).retrying(Retry::NeedsUser).reaching(Reach::Account);
                self.visitor.shared.fault(fault.of(&self.visitor.config.name));
            }
            return Ok(true);
        }
        if !caps.acl {
            return Ok(false);
        }
        let config = self.visitor.config;
        let all = self.visitor.shared.store.read(|db| tree::named(db, &config.name))?;
        let open = self.desk.open();
        let asked = &self.visitor.memory.rights;
        let mut left: Vec<_> = all.into_iter().filter(|named| !named.dying && !asked.contains(&named.id)).collect();
        left.sort_by_key(|named| open != Some(named.id));
        left.truncate(AT_ONCE);
        if left.is_empty() {
            return Ok(false);
        }
        self.visitor.memory.rights.extend(left.iter().map(|named| named.id));
        let left: Vec<_> = left.into_iter().map(|named| (named.id, named.server)).collect();
        self.visitor.ask_rights(conn, &left)?;
        Ok(true)
    }
}

impl Visitor<'_> {
    /// Asks how much room the inbox's quota roots have (QUOTA, RFC 9208, 4.1.2) and records it. A sentence for the person if there
    /// is little left and was not when it was asked last.
    ///
    /// # Errors
    /// What ended the connection, or the store.
    pub fn room(&mut self, conn: &mut dyn MailStore) -> Result<Option<String>, Halt> {
        if !conn.caps().quota {
            return Ok(None);
        }
        let roots = match conn.quota(&MailboxPath::inbox()) {
            Ok(roots) => roots,
            Err(e) if e.connection_lives() => return Ok(None),
            Err(e) => return Err(e.into()),
        };
        let name = &self.config.name;
        let mut told = None;
        match roots.iter().filter_map(percent).max() {
            Some(used) if used >= NEARLY && !self.memory.told_of_quota => {
                self.memory.told_of_quota = true;
                told = Some(format!("{name} is {used} % full on the server; when it is full, no mail comes in"));
            }
            Some(used) if used < RELIEF => self.memory.told_of_quota = false,
            _ => {}
        }
        let account = name.clone();
        self.shared.store.cache(move |tx| limits::record_quota(tx, &account, &roots))?;
        Ok(told)
    }

    /// Asks what the person may do to these mailboxes, in one turn.
    fn ask_rights(&mut self, conn: &mut dyn MailStore, of: &[(MailboxId, MailboxPath)]) -> Result<(), Halt> {
        let (ids, paths): (Vec<MailboxId>, Vec<MailboxPath>) = of.iter().cloned().unzip();
        match conn.rights(&paths) {
            Ok(rights) => self.shared.store.cache(move |tx| {
                // Where they are not told it is tried, and the server decides.
                let told = ids.iter().zip(rights).filter_map(|(id, rights)| Some((*id, rights.ok()?)));
                told.into_iter().try_for_each(|(id, rights)| limits::record_rights(tx, id, rights))
            })?,
            Err(e) if e.connection_lives() => {}
            Err(e) => return Err(e.into()),
        }
        Ok(())
    }

    /// Asks what the person may do to mailboxes of others that came with a list, where that is not known, or was not to open them: a
    /// verb without a screen obeys it too, and what may not be opened is no fault of each pass.
    ///
    /// # Errors
    /// What ended the connection, or the store.
    pub fn rights_of_others(&mut self, conn: &mut dyn MailStore, listed: &[ListedMailbox]) -> Result<(), Halt> {
        let of_others = |m: &&ListedMailbox| m.selectable && m.space != Space::Personal;
        let others: HashSet<&MailboxPath> = listed.iter().filter(of_others).map(|m| &m.path).collect();
        if others.is_empty() || !conn.caps().acl {
            return Ok(());
        }
        let unsure = self.shared.store.read(|db| {
            let mut unsure = Vec::new();
            for named in tree::named(db, &self.config.name)?.into_iter().filter(|n| !n.dying && others.contains(&n.server)) {
                if mailboxes::get(db, named.id)?.rights.is_none_or(|rights| !rights.can(Right::Read)) {
                    unsure.push((named.id, named.server));
                }
            }
            Ok(unsure)
        })?;
        unsure.chunks(AT_ONCE).take(TURNS).try_for_each(|some| self.ask_rights(conn, some))
    }
}

/// How much of it is used, in percent: the tighter of octets and messages.
fn percent(quota: &Quota) -> Option<u64> {
    let of = |limit: &(u64, u64)| limit.0.saturating_mul(100).checked_div(limit.1);
    quota.storage.iter().chain(&quota.messages).filter_map(of).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tighter_limit_counts() {
        let quota = Quota { storage: Some((50, 100)), messages: Some((9, 10)), ..Quota::default() };
        assert_eq!(percent(&quota), Some(90));
        assert_eq!(percent(&Quota { storage: Some((5, 0)), ..Quota::default() }), None, "no limit is no share");
    }
}
