//! standing — how mailboxes stand in the cache beside what the server says of them: which of them need a visit.
//! Owns: `Visitor::order`, `Visitor::differs`, `is_as_selected`. May import: store, engine/plan.
//! Start reading at: `Visitor::order`, for a whole list; `differs` is for news of a single one.

use super::plan::base::Base;
use super::plan::folders;
use super::round::{Halt, Visitor};
use super::shared::Shared;
use super::trouble;
use crate::mail::ids::MailboxId;
use crate::mail::mailbox::MailboxPath;
use crate::mail::rights::Right;
use crate::mail::row::MailboxRow;
use crate::mail::server::{ListedMailbox, MailboxStatus, Selected};
use crate::store::tree::{self, Named};
use crate::store::{self, Cache, Db, base, doubt, mailboxes, placements, trouble as troubles};
use std::collections::{HashMap, HashSet};

/// After so many seconds a mailbox is looked into of whose flags STATUS tells nothing (no CONDSTORE): what others marked there
/// would else never be seen.
const UNTOLD: i64 = 4 * 3_600;
/// One that the person looks at is, at each poll, if it has at most so many messages ...
const FEW: u32 = 5_000;
/// ... and if it has more, after so many seconds.
const UNTOLD_OPEN: i64 = 3_600;

impl Visitor<'_> {
    /// Which mailboxes need a visit, in order; see [`folders::visits`].
    ///
    /// # Errors
    /// The store.
    pub fn order(&self, listed: &[ListedMailbox], open: Option<MailboxId>, all: bool) -> Result<Vec<MailboxPath>, Halt> {
        let (mut known, place) = self.known(open)?;
        if let (Some(id), Some(place)) = (open, &place)
            && self.memory.told.as_ref() != Some(place)
            && let Some(known) = known.iter_mut().find(|known| known.path == *place)
        {
            let looked = self.shared.store.read(|db| mailboxes::get(db, id))?.synced_at;
            let pace = i64::try_from(self.shared.pace.poll.as_secs()).unwrap_or(UNTOLD_OPEN);
            let pace = if known.messages <= FEW { pace } else { UNTOLD_OPEN.max(pace) };
            known.stale |= known.messages > 0 && self.shared.now().saturating_sub(looked) >= pace;
        }
        let mut visits = folders::visits(listed, &known, place.as_ref(), all);
        if !all {
            let shut = self.shut()?;
            visits.retain(|path| !shut.contains(path));
        }
        Ok(visits)
    }

    /// The mailboxes that the person sees and may not open (ACL, RFC 4314: no right `r`), by their names at the server.
    fn shut(&self) -> Result<HashSet<MailboxPath>, Halt> {
        Ok(self.shared.store.read(|db| {
            let mut shut = HashSet::new();
            for row in mailboxes::list(db, Some(&self.config.name))? {
                if row.rights.is_some_and(|rights| !rights.can(Right::Read)) {
                    shut.insert(tree::at_server(db, row.id)?);
                }
            }
            Ok(shut)
        })?)
    }

    /// The mailboxes beside `visits` in which there is something, and that are not about to go.
    ///
    /// # Errors
    /// The store.
    pub fn holding(&self, listed: &[ListedMailbox], visits: &[MailboxPath]) -> Result<Vec<MailboxPath>, Halt> {
        let (known, _) = self.known(None)?;
        let dying = |path: &MailboxPath| known.iter().any(|k| k.dying && k.path == *path);
        let holds = |m: &&ListedMailbox| m.selectable && m.status.as_ref().is_some_and(|s| s.messages > 0);
        let paths = listed.iter().filter(holds).map(|m| m.path.clone());
        Ok(paths.filter(|path| !visits.contains(path) && !dying(path)).collect())
    }

    /// What we know of the account's mailboxes, by their names at the server; and such a name of `open`.
    ///
    /// # Errors
    /// The store.
    pub fn known(&self, open: Option<MailboxId>) -> Result<(Vec<folders::Known>, Option<MailboxPath>), Halt> {
        let (pending, now) = (self.pending()?, self.shared.now());
        Ok(self.shared.store.read(|db| {
            let named: HashMap<MailboxId, Named> =
                tree::named(db, &self.config.name)?.into_iter().map(|named| (named.id, named)).collect();
            let rows = mailboxes::list(db, Some(&self.config.name))?;
            let open = open.and_then(|id| named.get(&id)).map(|named| named.server.clone());
            let known: crate::store::Result<Vec<folders::Known>> = rows
                .into_iter()
                .map(|row| {
                    let path = named.get(&row.id).map_or_else(|| row.path.clone(), |named| named.server.clone());
                    let pending = pending.iter().any(|op| op.mailbox == path && !op.kind.is_about_tree());
                    known(db, &row, path, pending, now)
                })
                .collect();
            let mut known = known?;
            known.extend(named.into_values().filter(|named| named.dying).map(|named| folders::Known::dying(named.server)));
            Ok((known, open))
        })?)
    }

    /// Whether a mailbox that the server told of has to be visited: not if it stands as `status` says already. Nothing if
    /// it is not in the list.
    ///
    /// # Errors
    /// The store.
    pub fn differs(&self, path: &MailboxPath, status: Option<&MailboxStatus>) -> Result<Option<bool>, Halt> {
        Ok(self.shared.store.read(|db| {
            let Some(id) = mailboxes::find(db, &self.config.name, path)? else { return Ok(None) };
            let row = mailboxes::get(db, id)?;
            if !row.selectable {
                return Ok(None);
            }
            let known = known(db, &row, path.clone(), false, self.shared.now())?;
            Ok(Some(status.is_none_or(|status| !folders::agrees(&known, status))))
        })?)
    }

    /// The mailboxes in which a message is shown that was moved or copied there, and that only a visit can find: all of the
    /// account, or only `one`. What two visits do not find is not there.
    ///
    /// # Errors
    /// The store.
    pub fn waiting(&self, one: Option<MailboxId>) -> Result<Vec<MailboxPath>, Halt> {
        Ok(self.shared.store.read(|db| {
            let named = tree::named(db, &self.config.name)?;
            let chosen = named.into_iter().filter(|named| one.is_none_or(|one| one == named.id));
            let mut places = Vec::new();
            for named in chosen {
                if base::is_waiting(db, named.id)? {
                    places.push(named.server);
                }
            }
            Ok(places)
        })?)
    }

    /// Whether a mailbox was read to its end before.
    ///
    /// # Errors
    /// The store.
    pub fn is_known(&self, path: &MailboxPath) -> Result<bool, Halt> {
        Ok(self.shared.store.read(|db| match mailboxes::find(db, &self.config.name, path)? {
            Some(id) => Ok(base::load(db, id)?.uidnext != 0),
            None => Ok(false),
        })?)
    }

    /// Records that those of `listed` that need no visit are in step now; what was never read and is empty, from here on. Where
    /// nobody told of flags it is not known that they are: the time of the last look stays.
    ///
    /// # Errors
    /// The store.
    pub fn agreed(&self, listed: &[ListedMailbox], visits: &[MailboxPath]) -> Result<(), Halt> {
        if self.memory.by_levels == Some(true) {
            // Some of it is as it was when an earlier line broke.
            return Ok(());
        }
        let told = |status: &MailboxStatus| status.highestmodseq.0 != 0 || status.messages == 0;
        let same = |m: &&ListedMailbox| m.selectable && m.status.as_ref().is_some_and(told) && !visits.contains(&m.path);
        let paths: Vec<MailboxPath> = listed.iter().filter(same).map(|m| m.path.clone()).collect();
        let empty = |m: &ListedMailbox| {
            let MailboxStatus { uidvalidity, uidnext, highestmodseq, .. } =
                *m.status.as_ref().filter(|s| folders::is_empty(s))?;
            Some((m.path.clone(), base::Base { uidvalidity, uidnext, highestmodseq }))
        };
        let empty: Vec<_> = listed.iter().filter(same).filter_map(empty).collect();
        let (account, now) = (self.config.name.clone(), self.shared.now());
        Ok(self.shared.store.cache(move |tx| {
            for (path, base) in &empty {
                base::begun_empty(tx, &account, path, *base, now)?;
            }
            base::agreed(tx, &account, &paths, now)
        })?)
    }
}

/// What the cache has of a mailbox, which the server calls `path`, at `now`.
fn known(db: &Db<Cache>, row: &MailboxRow, path: MailboxPath, pending: bool, now: i64) -> store::Result<folders::Known> {
    let base = base::load(db, row.id)?;
    let base = Base { uidvalidity: base.uidvalidity, uidnext: base.uidnext, highestmodseq: base.highestmodseq };
    let more = placements::unseen_by_person(db, row.id)?;
    // What a visit alone can find is looked for as what is to be told: a line that broke may have taken the visit with it.
    let pending = pending || base::is_waiting(db, row.id)? || !doubt::all(db, row.id)?.is_empty();
    let there = |shown: u32, more: i64| u32::try_from(i64::from(shown) + more).unwrap_or(0);
    let (messages, unseen) = (there(row.total, more.0), there(row.unread, more.1));
    let object_id = mailboxes::object_id(db, row.id)?;
    let trouble = troubles::of(db, row.id)?;
    // One that does not keep its numbers is looked at each time: it may do so again. One that did not add up is once an hour.
    let odd = !trouble::counts(&trouble, now);
    let pending = pending || trouble.unstable > 0 || (trouble.inconsistent > 0 && !odd);
    let stale = messages > 0 && now.saturating_sub(row.synced_at) >= UNTOLD;
    Ok(folders::Known { path, base, object_id, messages, unseen, pending, odd, stale, dying: false })
}

/// Whether a mailbox that was just selected is as the cache has it.
///
/// # Errors
/// The store.
pub(super) fn is_as_selected(shared: &Shared, id: MailboxId, selected: &Selected) -> Result<bool, Halt> {
    let (base, here, doubted) =
        shared.store.read(|db| Ok((base::load(db, id)?, mailboxes::get(db, id)?.total, doubt::all(db, id)?)))?;
    let odd = !trouble::counts(&shared.store.read(|db| troubles::of(db, id))?, shared.now());
    Ok(doubted.is_empty()
        && base.uidvalidity == selected.uidvalidity
        && base.highestmodseq == selected.highestmodseq
        && (odd || selected.exists == here))
}
