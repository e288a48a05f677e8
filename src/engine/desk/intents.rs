//! intents — a command becomes entries of the journal: durable first, then visible.
//! Owns: `write`, `automatic`, `hurry`, `rebuild`. May import: store, mail, and the engine's own.
//! Start reading at: `write`. The state is committed before the cache (decisions 1); a crash in between is made good at the
//! next start, which lays the journal over the cache again.

use super::places;
use super::rights;
use crate::base::safetext::SafeText;
use crate::engine::acts::{self, Act, EXPUNGE_HOLD, Picked};
use crate::engine::api::{Done, Fault, Kind, Request};
use crate::engine::journal::op::{can_withdraw, retried};
use crate::engine::journal::undo::{self, Back};
use crate::engine::meant;
use crate::engine::outbox::state::STOPPED;
use crate::engine::owner::{Knock, ring};
use crate::engine::shared::Shared;
use crate::mail::flags::FlagDelta;
use crate::mail::ids::{AccountName, GroupId, OpId, PlacementKey};
use crate::mail::intent::{NewOperation, OpKind, OpState, Operation, Target};
use crate::mail::mailbox::{MailboxPath, Role};
use crate::mail::meant::Meant;
use crate::mail::outgoing::OutboxState;
use crate::store::journal::Command;
use crate::store::{
    self, Cache, Db, State, StoreError, StoreErrorKind, Tx, base, journal, mailboxes, messages, outbox, overlay, placements,
};
use std::collections::BTreeSet;
use std::sync::PoisonError;

/// The most targets of one operation: a longer command becomes several, so that no row of the journal grows without end.
const MAX_TARGETS: usize = 20_000;

/// Whom a command concerns.
pub(super) type Accounts = BTreeSet<AccountName>;

/// Carries out a request that is about the journal. What was done, and whose servers have to be told.
///
/// # Errors
/// `Missing` where none of the messages is here; what the store says.
pub(super) fn write(shared: &Shared, request: Request) -> Result<(Done, Accounts), Fault> {
    let _names = shared.names.read().unwrap_or_else(PoisonError::into_inner);
    match request {
        Request::Flag { targets, delta, automatic } => command(shared, &targets, &Act::Flag(delta), "flag", !automatic),
        Request::Move { targets, to } => command(shared, &targets, &Act::Move(places::alike(shared, to)?), "move", true),
        Request::Copy { targets, to } => command(shared, &targets, &Act::Copy(places::alike(shared, to)?), "copy", true),
        Request::File { targets, role } => {
            let label = match role {
                Role::Trash => "delete",
                Role::Archive | Role::All => "archive",
                Role::Junk => "junk",
                _ => "move",
            };
            command(shared, &targets, &Act::File(role), label, true)
        }
        Request::DeleteForever { targets } => command(shared, &targets, &Act::Expunge, "delete for ever", true),
        Request::Mailbox(act) => super::tree::change(shared, act),
        Request::Undo { count } => unwind(shared, count.max(1), Way::Back),
        Request::Redo => unwind(shared, 1, Way::Forth),
        Request::QueueRetry(id) => retry(shared, id),
        Request::QueueDrop(id) => drop_operation(shared, id),
        _ => Err(Fault::bug("no request of the journal's")),
    }
}

/// Changes a flag on the program's own account (answered, forwarded): cannot be taken back by `u`.
///
/// # Errors
/// As [`write`].
pub fn automatic(shared: &Shared, target: PlacementKey, delta: FlagDelta) -> Result<BTreeSet<AccountName>, Fault> {
    Ok(command(shared, &[target], &Act::Flag(delta), "flag", false)?.1)
}

pub(super) fn gone(error: StoreError, what: &str) -> Fault {
    if error.kind == StoreErrorKind::Missing { Fault::missing(what) } else { error.into() }
}

pub(super) fn command(
    shared: &Shared,
    targets: &[PlacementKey],
    act: &Act,
    label: &'static str,
    undoable: bool,
) -> Result<(Done, Accounts), Fault> {
    let (picked, roles) = shared.store.read(|db| {
        let picked = pick(db, targets)?;
        let roles = places::needed(shared, db, act, &picked)?;
        Ok((picked, roles))
    })?;
    let missing = count(targets.len() - picked.len());
    if picked.is_empty() && !targets.is_empty() {
        return Err(Fault::missing("none of these messages is here any more"));
    }
    let plan = acts::operations(&picked, act, &roles, shared.now());
    let mut done = Done { count: plan.count, missed: plan.missed + missing, word: label, ..Done::default() };
    if plan.operations.is_empty() {
        // All of it is so already: nothing to tell anybody, nothing to take back.
        return Ok((done, Accounts::new()));
    }
    if let Err(fault) = shared.store.read(|db| rights::check(db, plan.operations.iter().map(|(operation, _)| operation)))? {
        // What nobody asked for (read by being opened) is left out without a word.
        return if label == "flag" && !undoable {
            Ok((Done { word: label, ..Done::default() }, Accounts::new()))
        } else {
            Err(fault)
        };
    }
    let written = record(shared, Command::new(label, undoable), split(plan.operations))?;
    done.group = Some(written.group);
    if *act == Act::Expunge {
        done.until = Some(shared.now() + EXPUNGE_HOLD);
    }
    Ok((done, finish(shared, written.touched)?))
}

pub(super) fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// The messages as the store has them, each once; those that are not here are left out.
pub(super) fn pick(db: &Db<Cache>, targets: &[PlacementKey]) -> store::Result<Vec<Picked>> {
    let mut seen = BTreeSet::new();
    let mut picked = Vec::with_capacity(targets.len());
    for id in targets {
        let place = match placements::get(db, *id) {
            Ok(place) if !place.hidden && seen.insert(*id) => place,
            Ok(_) => continue,
            Err(e) if e.kind == StoreErrorKind::Missing => continue,
            Err(e) => return Err(e),
        };
        let row = mailboxes::get(db, place.mailbox)?;
        let target = match place.uid {
            Some(uid) => {
                let uidvalidity = base::load(db, place.mailbox)?.uidvalidity;
                Target::Server { uidvalidity, uid, print: messages::fingerprint(db, place.message)? }
            }
            None => match overlay::maker(db, *id)? {
                Some((op, index)) => Target::ResultOf { op, index },
                // Moved without a word of where to: the next look at its mailbox tells.
                None => continue,
            },
        };
        picked.push(Picked { id: *id, account: row.account, mailbox: row.path, target, flags: place.flags });
    }
    Ok(picked)
}

/// Cuts operations with very many targets.
fn split(operations: Vec<(NewOperation, Option<usize>)>) -> Vec<(NewOperation, Option<usize>)> {
    // Where what others wait for has gone; only operations without targets are waited for, and these are not cut.
    let mut at = Vec::new();
    let mut out = Vec::new();
    for (operation, after) in operations {
        let after = after.and_then(|n| at.get(n).copied());
        at.push(out.len());
        if operation.targets.len() <= MAX_TARGETS {
            out.push((operation, after));
            continue;
        }
        for (n, targets) in operation.targets.chunks(MAX_TARGETS).enumerate() {
            let inverse = operation.inverse.chunks(MAX_TARGETS).nth(n).unwrap_or_default().to_vec();
            out.push((NewOperation { targets: targets.to_vec(), inverse, ..operation.clone() }, after));
        }
    }
    out
}

/// What a commit to the journal changed.
pub(super) struct Written {
    pub(super) group: GroupId,
    /// To be laid over the cache in this order.
    pub(super) touched: Vec<Operation>,
}

pub(super) fn record(
    shared: &Shared,
    command: Command,
    mut operations: Vec<(NewOperation, Option<usize>)>,
) -> Result<Written, Fault> {
    meant::fill(shared, operations.iter_mut().map(|(operation, _)| operation))?;
    let now = shared.now();
    Ok(shared.store.state(move |tx| {
        let group = journal::begin(tx, &command, now)?;
        Ok(Written { group, touched: append(tx, group, operations, now)? })
    })?)
}

/// Appends operations of which some wait for an earlier one of the same list.
fn append(
    tx: &mut Tx<'_, State>,
    group: GroupId,
    operations: Vec<(NewOperation, Option<usize>)>,
    now: i64,
) -> store::Result<Vec<Operation>> {
    let mut appended: Vec<Operation> = Vec::with_capacity(operations.len());
    for (mut operation, after) in operations {
        operation.after = after.and_then(|n| appended.get(n)).map(|o| o.id).or(operation.after);
        appended.extend(journal::append(tx, group, vec![operation], now)?);
    }
    Ok(appended)
}

/// The journal has it: now the person sees it, and the owner hears of it. Whose servers have to be told. It is done even where the cache
/// cannot be written: whoever was told that it failed would do it once more (security F-04).
pub(super) fn finish(shared: &Shared, touched: Vec<Operation>) -> Result<Accounts, Fault> {
    let accounts = touched.iter().map(|o| o.account.clone()).collect();
    if shared.owner {
        let laid = shared.store.cache(move |tx| touched.iter().try_for_each(|operation| overlay::apply(tx, operation)));
        if let Err(error) = laid {
            let fault = Fault::from(error);
            let what = SafeText::line_max(&format!("written down, and not shown yet: {}", fault.what), 400);
            shared.fault(Fault { what, ..fault });
        }
    } else {
        // Nobody there: what is in the journal is carried out at the next start.
        let _ = ring(&shared.socket, &Knock::Wake);
    }
    Ok(accounts)
}

/// The direction on the undo stack.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Back,
    Forth,
}

/// What one step on the undo stack did.
struct Unwound {
    written: Written,
    label: String,
    finals: usize,
    count: usize,
    stays: Option<(AccountName, MailboxPath)>,
}

fn unwind(shared: &Shared, steps: u32, way: Way) -> Result<(Done, Accounts), Fault> {
    let (mut done, mut accounts, mut finals) = (Done::default(), Accounts::new(), 0);
    for step in 0..steps {
        let now = shared.now();
        let Some(unwound) = shared.store.state(move |tx| unwind_one(tx, way, now))? else {
            if step == 0 {
                let what = if way == Way::Back { "there is nothing to take back" } else { "there is nothing to do again" };
                return Err(Fault::missing(what));
            }
            break;
        };
        done.group = Some(unwound.written.group);
        done.count += count(unwound.count);
        (done.word, done.stays) = (word(&unwound.label), unwound.stays);
        finals += unwound.finals;
        accounts.extend(finish(shared, unwound.written.touched)?);
    }
    done.missed = count(finals);
    if done.count == 0 && finals > 0 {
        return Err(Fault::new(Kind::Refused, "this was deleted for ever, and cannot be taken back"));
    }
    Ok((done, accounts))
}

fn unwind_one(tx: &mut Tx<'_, State>, way: Way, now: i64) -> store::Result<Option<Unwound>> {
    let next = if way == Way::Back { journal::undo_next(tx)? } else { journal::redo_next(tx)? };
    let Some((group, label)) = next else { return Ok(None) };
    let operations = journal::group(tx, group)?;
    let pending = journal::pending(tx, None)?;
    let (back, command) = match way {
        Way::Back => (undo::take_back(&operations, &pending), Command { undoes: Some(group), ..Command::new(&label, false) }),
        Way::Forth => {
            let undone = match journal::undone_by(tx, group)? {
                Some(undone) => journal::group(tx, undone)?,
                None => Vec::new(),
            };
            let again = undo::again(&operations, &undone, &pending, now + EXPUNGE_HOLD);
            (again, Command { redoes: Some(group), ..Command::new(&label, true) })
        }
    };
    let finals: usize =
        operations.iter().filter(|o| way == Way::Back && back.finals.contains(&o.id)).map(|o| o.targets.len().max(1)).sum();
    let all = match operations.iter().map(|o| o.targets.len()).sum() {
        // About mailboxes.
        0 => operations.len(),
        messages => messages,
    };
    let stays = |o: &&Operation| way == Way::Back && o.kind == OpKind::DeleteMailbox && back.withdraw.contains(&o.id);
    let stays = operations.iter().filter(stays).min_by_key(|o| o.mailbox.as_str().len());
    let stays = stays.map(|o| (o.account.clone(), o.mailbox.clone()));
    let group = journal::begin(tx, &command, now)?;
    let touched = carry_back(tx, group, back, now)?;
    Ok(Some(Unwound { written: Written { group, touched }, label, finals, count: all.saturating_sub(finals), stays }))
}

/// Withdraws the newest first, so that what builds on a message goes before it; then appends.
fn carry_back(tx: &mut Tx<'_, State>, group: GroupId, back: Back, now: i64) -> store::Result<Vec<Operation>> {
    let mut touched = Vec::new();
    for id in back.withdraw.into_iter().rev() {
        touched.extend(journal::update(tx, id, |operation| {
            operation.state = OpState::Withdrawn;
            Ok(())
        })?);
    }
    touched.extend(append(tx, group, back.queue, now)?);
    Ok(touched)
}

/// A label as it was written by [`write`].
fn word(label: &str) -> &'static str {
    const WORDS: [&str; 7] = ["flag", "move", "copy", "delete", "archive", "junk", "delete for ever"];
    WORDS.into_iter().chain(super::tree::WORDS).find(|w| *w == label).unwrap_or("command")
}

fn retry(shared: &Shared, id: OpId) -> Result<(Done, Accounts), Fault> {
    let parked = shared.store.read_state(|db| journal::get(db, id));
    let parked = parked.map_err(|e| gone(e, "there is no such operation any more"))?;
    // Whoever says it once more means what has the name now; messages are still those that had their numbers then.
    let (here, there) = shared.store.read(|db| {
        let there = parked.destination().map_or_else(|| Ok(Meant::default()), |to| meant::seen(db, &parked.account, to));
        Ok((meant::seen(db, &parked.account, &parked.mailbox)?, there?))
    })?;
    let touched = shared.store.state(move |tx| {
        journal::update(tx, id, |operation| {
            if operation.state == OpState::Parked {
                operation.state = retried(operation);
                operation.there = there;
                if operation.targets.is_empty() {
                    operation.here = here;
                }
            }
            (operation.not_before, operation.fault) = (0, String::new());
            Ok(())
        })
    });
    let touched = touched.map_err(|e| gone(e, "there is no such operation any more"))?;
    Ok((Done { count: 1, ..Done::default() }, finish(shared, touched)?))
}

fn drop_operation(shared: &Shared, id: OpId) -> Result<(Done, Accounts), Fault> {
    let now = shared.now();
    let dropped = shared.store.state(move |tx| {
        let operation = journal::get(tx, id)?;
        if !can_withdraw(operation.state) {
            return Ok(None);
        }
        let back = undo::take_back(&[operation], &journal::pending(tx, None)?);
        let group = journal::begin(tx, &Command::new("drop", false), now)?;
        Ok(Some(Written { group, touched: carry_back(tx, group, back, now)? }))
    });
    let Some(written) = dropped.map_err(|e| gone(e, "there is no such operation any more"))? else {
        return Err(Fault::new(Kind::Busy, "the server may be doing this already; it can be undone when that is known"));
    };
    Ok((Done { count: 1, ..Done::default() }, finish(shared, written.touched)?))
}

/// Lets what waits for the end of a pause after a refusal be tried at once.
///
/// # Errors
/// What the store says.
pub(super) fn hurry(shared: &Shared, account: Option<&AccountName>) -> Result<(), Fault> {
    let (account, now) = (account.cloned(), shared.now());
    shared.store.state(move |tx| {
        for mail in outbox::list(tx)?.into_iter().filter(|m| account.as_ref().is_none_or(|a| m.mail.account == *a)) {
            outbox::update(tx, mail.id, |mail| {
                let stopped = mail.state == OutboxState::NeedsUser && mail.fault == STOPPED;
                let waits = stopped || (mail.state == OutboxState::Deferred && mail.due > now);
                if waits {
                    (mail.state, mail.due) = (if stopped { OutboxState::Queued } else { mail.state }, now);
                }
                waits
            })?;
        }
        for operation in journal::pending(tx, account.as_ref())? {
            // Not the time in which deleting for ever can be taken back: that was not tried yet.
            if operation.attempts > 0 && operation.not_before > now {
                journal::update(tx, operation.id, |o| {
                    o.not_before = 0;
                    Ok(())
                })?;
            }
        }
        Ok(())
    })?;
    Ok(())
}

/// The cache is new and empty: what is pending is laid over it again.
///
/// # Errors
/// What the store says.
pub(super) fn rebuild(shared: &Shared) -> Result<(), Fault> {
    let pending = shared.store.read_state(|db| journal::pending(db, None))?;
    Ok(shared.store.cache(move |tx| overlay::rebuild(tx, &pending))?)
}
