//! copies — a draft's copy in Drafts on the server, so that it can be gone on with elsewhere.
//! Owns: `file`, `file_all`, `forget`, `origin`, `adopt`, `catch_up`. May import: store, mail, base, and the engine's own.
//! Start reading at: `file`. The append of the new copy and the removal of the one before it are entries of the journal,
//! written together: the server is told in this order, each once, however often we are interrupted.

use super::intents;
use super::letters::{attached, refused, stamp};
use crate::engine::acts::{Picked, Place, entry};
use crate::engine::api::{Done, Fault};
use crate::engine::journal::op::can_withdraw;
use crate::engine::meant;
use crate::engine::roles;
use crate::engine::shared::Shared;
use crate::mail::compose;
use crate::mail::flags::{FlagDelta, Flags};
use crate::mail::ids::{AccountName, DraftId, OpId, PlacementKey};
use crate::mail::intent::{NewOperation, OpKind, OpState, Operation, Target};
use crate::mail::mailbox::{MailboxPath, Role};
use crate::mail::meant::Meant;
use crate::mail::server::Fingerprint;
use crate::store::draft_copies::{self, DraftCopy, digest};
use crate::store::journal::Command;
use crate::store::{self, State, StoreErrorKind, Tx, base, drafts, journal, mailboxes, placements};
use std::collections::BTreeSet;
use std::io::Cursor;

/// Whom it concerns.
type Accounts = BTreeSet<AccountName>;

/// Where an account keeps its drafts; nothing as long as nobody has listed what there is, unless that is configured.
fn place(shared: &Shared, account: &AccountName, listed: bool) -> Result<Option<Place>, Fault> {
    let config = shared.account(account);
    let certain = listed || config.is_some_and(|config| config.roles.contains_key(&Role::Drafts));
    Ok(shared.store.read(|db| {
        let place = roles::place(db, account, config, Role::Drafts)?;
        Ok((certain || !place.make || mailboxes::is_listed(db, account)?).then_some(place))
    })?)
}

/// Puts a draft as it was saved last into Drafts, in place of the copy before. Nothing is done if it lies there already, or before the
/// first list of its account: see [`file_all`].
///
/// # Errors
/// What the store and the spool say; an attachment that is gone.
pub(super) fn file(shared: &Shared, id: DraftId) -> Result<(Done, Accounts), Fault> {
    file_once(shared, id, false)
}

/// The mailboxes of an account are listed: puts the drafts there that waited for it. Whether there were any.
///
/// # Errors
/// As of [`file`].
pub fn file_all(shared: &Shared, account: &AccountName) -> Result<bool, Fault> {
    let mut any = false;
    for saved in shared.store.read_state(drafts::list)?.into_iter().filter(|saved| saved.account == *account) {
        any |= !file_once(shared, saved.id, true)?.1.is_empty();
    }
    Ok(any)
}

fn file_once(shared: &Shared, id: DraftId, listed: bool) -> Result<(Done, Accounts), Fault> {
    let (saved, known, sent) = match shared.store.read_state(move |db| {
        let on_its_way = !drafts::list(db)?.iter().any(|d| d.id == id);
        Ok((drafts::get(db, id)?, draft_copies::get(db, id)?, on_its_way))
    }) {
        // Thrown away, or sent, meanwhile.
        Err(e) if e.kind == StoreErrorKind::Missing => return Ok((Done::default(), Accounts::new())),
        other => other?,
    };
    let holds = digest(&saved.draft)?;
    let same = known.is_some_and(|copy| copy.holds == holds && copy.account == saved.account);
    // What is not whole yet is filed when it is: here it is safe.
    let whole = super::forward::lacking(shared, &saved.draft).is_empty();
    if !whole || sent || same || shared.account(&saved.account).is_none() {
        return Ok((Done::default(), Accounts::new()));
    }
    let Some(Place { path: mailbox, make }) = place(shared, &saved.account, listed)? else {
        return Ok((Done::default(), Accounts::new()));
    };
    let files = attached(shared, &saved.draft)?;
    let (bytes, message_id) = compose::unfinished(&saved.draft, &files, &stamp(shared)?).map_err(|e| refused(&e))?;
    let (spool, size) = shared.spool.put(&mut Cursor::new(bytes))?;
    let now = shared.now();
    let print = Fingerprint { message_id: Some(message_id.clone()), size, received: now, object_id: String::new() };
    let flags = FlagDelta::new(Flags::from_words(["\\Draft", "\\Seen"]), Flags::default());
    let append = OpKind::Append { spool, flags, received: now, print, look: false };
    let account = saved.account;
    let here = shared.store.read(|db| meant::seen(db, &account, &mailbox))?;
    let touched = shared.store.state(move |tx| {
        let group = journal::begin(tx, &Command::new("save draft", false), now)?;
        let mut after = None;
        if make {
            let make = OpKind::CreateMailbox { role: Some(Role::Drafts) };
            let made = journal::append(tx, group, vec![entry(&account, &mailbox, make)], now)?;
            after = made.first().map(|op| op.id);
        }
        let (mut touched, mut old) = take_out(tx, id)?;
        if let Some(old) = old.as_mut().filter(|old| old.mailbox == mailbox && old.account == account && !old.here.is_known()) {
            old.here.clone_from(&here);
        }
        let new = NewOperation { after, here, ..entry(&account, &mailbox, append) };
        let new = journal::append(tx, group, vec![new], now)?;
        let Some(op) = new.first().map(|op| op.id) else { return Ok(touched) };
        touched.extend(new);
        touched.extend(journal::append(tx, group, removals(old, Some(op)), now)?);
        let target = Target::ResultOf { op, index: 0 };
        let message_id = message_id.as_str().to_owned();
        draft_copies::put(tx, &DraftCopy { draft: id, account, mailbox, target, op: Some(op), message_id, holds })?;
        Ok(touched)
    })?;
    Ok((Done { count: 1, draft: Some(id), ..Done::default() }, intents::finish(shared, touched)?))
}

/// The message that a copy is, with the mailbox that it lies in.
struct Lying {
    account: AccountName,
    mailbox: MailboxPath,
    /// Which one that is, as far as the append knew that made it.
    here: Meant,
    messages: Vec<Target>,
}

/// Withdraws the append of a draft's copy if the server was not told yet; else the copy is to be removed.
fn take_out(tx: &mut Tx<'_, State>, id: DraftId) -> store::Result<(Vec<Operation>, Option<Lying>)> {
    let Some(copy) = draft_copies::get(tx, id)? else { return Ok((Vec::new(), None)) };
    let maker = match copy.op {
        Some(op) => journal::find(tx, op)?,
        None => None,
    };
    let (mut touched, mut left) = (Vec::new(), Vec::new());
    let here = maker.as_ref().map(Operation::goal).unwrap_or_default();
    match maker {
        Some(maker) if can_withdraw(maker.state) => {
            touched.extend(withdraw(tx, maker.id)?);
            // What it was to replace is still there.
            for later in journal::pending(tx, Some(&copy.account))? {
                if later.after == Some(maker.id) && later.kind == OpKind::Expunge && can_withdraw(later.state) {
                    left.extend(later.targets.iter().cloned());
                    touched.extend(withdraw(tx, later.id)?);
                }
            }
        }
        Some(maker) if matches!(maker.state, OpState::Withdrawn | OpState::Moot) => {}
        _ => left.push(copy.target),
    }
    let is_empty = left.is_empty();
    let lying = || Lying { account: copy.account, mailbox: copy.mailbox, here, messages: left };
    Ok((touched, (!is_empty).then(lying)))
}

fn withdraw(tx: &mut Tx<'_, State>, id: OpId) -> store::Result<Vec<Operation>> {
    journal::update(tx, id, |op| {
        op.state = OpState::Withdrawn;
        Ok(())
    })
}

fn removals(old: Option<Lying>, after: Option<OpId>) -> Vec<NewOperation> {
    let one = |old: Lying| NewOperation {
        targets: old.messages,
        after,
        here: old.here,
        ..entry(&old.account, &old.mailbox, OpKind::Expunge)
    };
    old.map(one).into_iter().collect()
}

/// The draft is finished with: what lies on the server goes too. To be called in the transaction that discards the draft,
/// and before it; what it gives is to be laid over the cache.
///
/// # Errors
/// As every transaction.
pub fn forget(tx: &mut Tx<'_, State>, id: DraftId, now: i64) -> store::Result<Vec<Operation>> {
    let (mut touched, old) = take_out(tx, id)?;
    if old.is_some() {
        let group = journal::begin(tx, &Command::new("remove draft", false), now)?;
        touched.extend(journal::append(tx, group, removals(old, None), now)?);
    }
    draft_copies::remove(tx, id)?;
    Ok(touched)
}

/// The message in Drafts that a draft goes on with, if it is still there; else the draft is a new one.
///
/// # Errors
/// What the store says.
pub(super) fn origin(shared: &Shared, message: PlacementKey) -> Result<Option<Picked>, Fault> {
    Ok(shared.store.read(|db| intents::pick(db, &[message]))?.into_iter().next())
}

/// From now on that message is the draft's copy.
///
/// # Errors
/// As every transaction.
pub(super) fn adopt(tx: &mut Tx<'_, State>, draft: DraftId, found: Picked) -> store::Result<()> {
    let message_id = match &found.target {
        Target::Server { print, .. } => print.message_id.as_ref().map_or_else(String::new, |id| id.as_str().to_owned()),
        Target::ResultOf { .. } => String::new(),
    };
    let (account, mailbox, target) = (found.account, found.mailbox, found.target);
    draft_copies::put(tx, &DraftCopy { draft, account, mailbox, target, op: None, message_id, holds: String::new() })
}

/// At a start: what a crash kept from being filed is filed; drafts whose copy somebody else has sent, replaced or removed
/// go, if nothing was written here since.
///
/// # Errors
/// What the store says.
pub(super) fn catch_up(shared: &Shared) -> Result<Accounts, Fault> {
    let (all, copies) = shared.store.read_state(|db| Ok((drafts::list(db)?, draft_copies::list(db)?)))?;
    let mut told = Accounts::new();
    for saved in all {
        let copy = copies.iter().find(|c| c.draft == saved.id);
        let unchanged = match copy {
            Some(copy) => copy.holds == digest(&saved.draft)?,
            None => false,
        };
        match copy {
            Some(copy) if unchanged => {
                if vanished(shared, copy)? {
                    let id = saved.id;
                    shared.store.state(move |tx| drafts::discard(tx, id))?;
                }
            }
            _ => told.extend(file(shared, saved.id)?.1),
        }
    }
    Ok(told)
}

/// Whether the copy was on the server, and is there no more.
fn vanished(shared: &Shared, copy: &DraftCopy) -> Result<bool, Fault> {
    let maker = match copy.op {
        Some(op) => shared.store.read_state(move |db| journal::find(db, op))?,
        None => None,
    };
    let known = match (&copy.target, maker) {
        (Target::Server { uidvalidity, uid, .. }, _) => Some((*uidvalidity, *uid)),
        (_, Some(maker)) if maker.state == OpState::Settled => maker.results.first().copied().flatten(),
        _ => None,
    };
    let Some((validity, uid)) = known else { return Ok(false) };
    let (account, path) = (copy.account.clone(), copy.mailbox.clone());
    Ok(shared.store.read(move |db| {
        let Some(mailbox) = mailboxes::find(db, &account, &path)? else { return Ok(false) };
        let seen = base::load(db, mailbox)?;
        // Only where we have looked since.
        Ok(seen.uidvalidity == validity && seen.uidnext > uid && placements::by_uid(db, mailbox, uid)?.is_none())
    })?)
}
