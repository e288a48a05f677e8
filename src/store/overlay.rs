//! overlay — pending operations laid over what the server confirmed: what the person sees.
//! Owns: the table `wish`, provisional placements. May import: mail.
//! Start reading at: `apply`. A wish is one target of one pending operation, bound to the placement it touches; the visible
//! state follows by `placements::derive`. All of it can be dropped and derived again from the journal (`rebuild`), in
//! time proportional to pending work; that is done at every start.

mod found;

use super::error::Result;
use super::open::{Cache, Db};
use super::writer::Tx;
use super::{base, mailboxes, placements, tree};
use crate::mail::flags::Flags;
use crate::mail::ids::{MailboxId, OpId, PlacementKey};
use crate::mail::intent::{OpKind, OpState, Operation, Target, delta_words};
use crate::mail::mailbox::{MailboxPath, Role};
use crate::mail::server::CopiedUids;
use crate::mail::uid::UidValidity;
use rusqlite::OptionalExtension;

/// One row of `wish`.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Wish {
    op: i64,
    idx: i64,
    mailbox: i64,
    validity: u32,
    uid: u32,
    src: (i64, i64),
    place: i64,
    made: i64,
    target: i64,
    delta: String,
    hides: bool,
}

const COLUMNS: &str = "op, idx, mailbox, validity, uid, src_op, src_idx, place, made, target, delta, hides";

fn select(db: &Db<Cache>, condition: &str, values: impl rusqlite::Params) -> Result<Vec<Wish>> {
    let sql = format!("SELECT {COLUMNS} FROM wish WHERE {condition} ORDER BY op, idx");
    let mut statement = db.conn().prepare_cached(&sql)?;
    let rows = statement.query_map(values, |r| {
        Ok(Wish {
            op: r.get(0)?,
            idx: r.get(1)?,
            mailbox: r.get(2)?,
            validity: r.get(3)?,
            uid: r.get(4)?,
            src: (r.get(5)?, r.get(6)?),
            place: r.get(7)?,
            made: r.get(8)?,
            target: r.get(9)?,
            delta: r.get(10)?,
            hides: r.get(11)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Lays a pending operation over the cache; once more for one whose targets were rewritten. One that is not pending is
/// taken off.
///
/// # Errors
/// As every transaction.
pub fn apply(tx: &mut Tx<'_, Cache>, operation: &Operation) -> Result<()> {
    let mailbox = match &operation.kind {
        kind if kind.is_about_tree() && operation.state.pending() => return tree::apply(tx, operation),
        kind if kind.is_about_tree() => return tree::forget(tx, operation),
        _ if !operation.state.pending() => {
            if operation.state == OpState::Settled {
                said(tx, operation)?;
                found::found(tx, operation)?;
            }
            return forget(tx, operation.id, operation.state);
        }
        // What is appended shows when the server has it; until then it is in the outbox or among the drafts.
        OpKind::Append { .. } => return Ok(()),
        _ => mailboxes::ensure(tx, &operation.account, &operation.mailbox)?,
    };
    let (delta, hides, to) = match &operation.kind {
        OpKind::Flag { delta } => (delta_words::to_text(delta), false, None),
        OpKind::Move { to } => (String::new(), true, Some(to)),
        OpKind::Copy { to } => (String::new(), false, Some(to)),
        _ => (String::new(), true, None),
    };
    // What is in place already is not promised any more: it comes, or came, as any other message.
    let target = match to.filter(|_| !operation.in_place()) {
        Some(path) => mailboxes::ensure(tx, &operation.account, path)?.0,
        None => 0,
    };
    if operation.in_place() {
        said(tx, operation)?;
        found::found(tx, operation)?;
    }
    let known = select(tx, "op = ?1", [operation.id.0])?;
    for (idx, aim) in (0i64..).zip(&operation.targets) {
        let mut wish = Wish {
            op: operation.id.0,
            idx,
            mailbox: mailbox.0,
            validity: 0,
            uid: 0,
            src: (0, 0),
            place: 0,
            made: 0,
            target,
            delta: delta.clone(),
            hides,
        };
        match aim {
            Target::Server { uidvalidity, uid, .. } => (wish.validity, wish.uid) = (uidvalidity.0, *uid),
            Target::ResultOf { op, index } => wish.src = (op.0, i64::from(*index)),
        }
        wish.place = find(tx, &wish)?;
        let old = known.iter().find(|w| w.idx == idx);
        // The same placement under another name (the operation that made it settled): only the name changes.
        if let Some(old) = old.filter(|old| wish.place == 0 || old.place == wish.place) {
            wish.place = old.place;
            wish.made = old.made;
        } else if let Some(old) = old {
            take_off(tx, old, false)?;
        }
        if operation.in_place() {
            settle_made(tx, operation, &mut wish)?;
        }
        put(tx, &wish)?;
        if wish.place != 0 && wish.made == 0 {
            attach(tx, wish)?;
        } else if wish.place != 0 {
            placements::derive(tx, PlacementKey(wish.place))?;
        }
    }
    for old in known.iter().skip(operation.targets.len()) {
        take_off(tx, old, false)?;
    }
    Ok(())
}

/// The server said, or a probe found, where messages went: those that were shown there beforehand get their UIDs.
fn said(tx: &mut Tx<'_, Cache>, operation: &Operation) -> Result<()> {
    for wish in select(tx, "op = ?1 AND made <> 0", [operation.id.0])? {
        let made = placements::get(tx, PlacementKey(wish.made))?;
        let result = usize::try_from(wish.idx).ok().and_then(|i| operation.results.get(i).copied().flatten());
        if let (None, Some((validity, uid))) = (made.uid, result)
            && base::begin(tx, made.mailbox, validity).is_ok()
        {
            number(tx, made.id, uid, &made.server)?;
        }
    }
    Ok(())
}

/// A copy that is in place: what was shown for it waits for its UID, and follows its source no more; where nothing is shown
/// for it, later wishes find the message itself.
fn settle_made(tx: &Tx<'_, Cache>, operation: &Operation, wish: &mut Wish) -> Result<()> {
    if wish.made != 0 {
        return wait(tx, PlacementKey(wish.made));
    }
    let result = usize::try_from(wish.idx).ok().and_then(|i| operation.results.get(i).copied().flatten());
    let (Some((validity, uid)), Some(to)) = (result, operation.destination()) else { return Ok(()) };
    if let Some(to) = mailboxes::find(tx, &operation.account, to)?
        && base::load(tx, to)?.uidvalidity == validity
    {
        wish.made = placements::by_uid(tx, to, uid)?.map_or(0, |p| p.id.0);
    }
    Ok(())
}

/// A provisional placement waits for its UID from now on.
fn wait(tx: &Tx<'_, Cache>, made: PlacementKey) -> Result<()> {
    tx.conn()
        .prepare_cached("UPDATE placement SET waiting = 1 WHERE id = ?1 AND uid IS NULL AND waiting = 0")?
        .execute([made.0])?;
    Ok(())
}

fn put(tx: &Tx<'_, Cache>, wish: &Wish) -> Result<()> {
    let sql = format!("INSERT OR REPLACE INTO wish ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)");
    tx.conn().prepare_cached(&sql)?.execute(rusqlite::params![
        wish.op,
        wish.idx,
        wish.mailbox,
        wish.validity,
        wish.uid,
        wish.src.0,
        wish.src.1,
        wish.place,
        wish.made,
        wish.target,
        wish.delta,
        wish.hides
    ])?;
    Ok(())
}

/// The placement that a wish is about, 0 if it is not here.
fn find(tx: &Tx<'_, Cache>, wish: &Wish) -> Result<i64> {
    if wish.uid == 0 {
        let sql = "SELECT made FROM wish WHERE op = ?1 AND idx = ?2";
        let made = tx.conn().prepare_cached(sql)?.query_row(wish.src, |r| r.get(0)).optional()?;
        return Ok(made.unwrap_or(0));
    }
    if base::load(tx, MailboxId(wish.mailbox))?.uidvalidity != UidValidity(wish.validity) {
        return Ok(0);
    }
    Ok(placements::by_uid(tx, MailboxId(wish.mailbox), wish.uid)?.map_or(0, |p| p.id.0))
}

/// Lets a wish whose placement is here take effect, and those that wait for what it makes.
fn attach(tx: &mut Tx<'_, Cache>, wish: Wish) -> Result<()> {
    let mut todo = vec![wish];
    while let Some(mut wish) = todo.pop() {
        let place = placements::get(tx, PlacementKey(wish.place))?;
        if wish.target != 0 && wish.made == 0 {
            let flags = placements::flags_before(tx, &place, wish.op)?;
            let of = (place.message, place.thread, place.sort);
            wish.made = match shown_there(tx, &wish, &place)? {
                Some(there) => there.0,
                None => placements::insert(tx, MailboxId(wish.target), of, None, &flags)?.0,
            };
        }
        put(tx, &wish)?;
        placements::derive(tx, place.id)?;
        if wish.made != 0 {
            for mut next in select(tx, "src_op = ?1 AND src_idx = ?2 AND place = 0", (wish.op, wish.idx))? {
                next.place = wish.made;
                todo.push(next);
            }
        }
    }
    Ok(())
}

/// The row of the same message in a mailbox that shows everything: what is moved there lies there already.
fn shown_there(tx: &Tx<'_, Cache>, wish: &Wish, place: &placements::Placement) -> Result<Option<PlacementKey>> {
    let target = MailboxId(wish.target);
    if !wish.hides || mailboxes::get(tx, target)?.role != Some(Role::All) {
        return Ok(None);
    }
    let all = placements::of_message(tx, place.message)?;
    Ok(all.into_iter().find(|p| p.mailbox == target && p.uid.is_some() && !p.hidden).map(|p| p.id))
}

/// Binds the wishes that waited for a message with that UID.
pub(super) fn arrived(tx: &mut Tx<'_, Cache>, mailbox: MailboxId, uid: u32, id: PlacementKey) -> Result<()> {
    for mut wish in select(tx, "mailbox = ?1 AND uid = ?2 AND uid <> 0 AND place = 0", (mailbox.0, uid))? {
        if UidValidity(wish.validity) == base::load(tx, mailbox)?.uidvalidity {
            wish.place = id.0;
            attach(tx, wish)?;
        }
    }
    Ok(())
}

/// Takes an operation off that is not pending any more: settled ones leave what they made, waiting for its UID; of others
/// it goes. To be called after the journal's state was committed; what the server did must be in the cache before that.
///
/// # Errors
/// As every transaction.
pub fn forget(tx: &mut Tx<'_, Cache>, op: OpId, state: OpState) -> Result<()> {
    for wish in select(tx, "op = ?1", [op.0])? {
        take_off(tx, &wish, state == OpState::Settled)?;
    }
    Ok(())
}

fn take_off(tx: &mut Tx<'_, Cache>, wish: &Wish, done: bool) -> Result<()> {
    tx.conn().prepare_cached("DELETE FROM wish WHERE op = ?1 AND idx = ?2")?.execute((wish.op, wish.idx))?;
    if wish.made != 0 {
        let made = PlacementKey(wish.made);
        match placements::get(tx, made)?.uid {
            Some(_) => {}
            None if done => wait(tx, made)?,
            None => placements::remove(tx, made)?,
        }
    }
    if wish.place != 0 {
        placements::derive(tx, PlacementKey(wish.place))?;
    }
    Ok(())
}

/// Gives a provisional placement its UID and the server's flags. If the message was seen under that UID before, the two
/// become one, which keeps the provisional one's number, on which the person's cursor stands, and the flags that were seen.
pub(super) fn number(tx: &mut Tx<'_, Cache>, id: PlacementKey, uid: u32, server: &Flags) -> Result<()> {
    let mailbox = placements::get(tx, id)?.mailbox;
    let mut server = server.clone();
    if let Some(twin) = placements::by_uid(tx, mailbox, uid)? {
        tx.conn().prepare_cached("UPDATE wish SET place = ?2 WHERE place = ?1")?.execute((twin.id.0, id.0))?;
        tx.conn().prepare_cached("UPDATE wish SET made = ?2 WHERE made = ?1")?.execute((twin.id.0, id.0))?;
        placements::remove(tx, twin.id)?;
        server = twin.server;
    }
    tx.conn().prepare_cached("UPDATE placement SET uid = ?2, waiting = 0 WHERE id = ?1")?.execute((id.0, uid))?;
    placements::set_server(tx, id, &server)?;
    placements::derive(tx, id)?;
    arrived(tx, mailbox, uid, id)
}

/// Records where the server put messages of `mailbox`: there they share their content with ours (decisions 12). May be
/// repeated.
///
/// # Errors
/// As every transaction.
pub fn placed(
    tx: &mut Tx<'_, Cache>,
    mailbox: MailboxId,
    validity: UidValidity,
    to: &MailboxPath,
    copied: &CopiedUids,
) -> Result<()> {
    let account = base::account(tx, mailbox)?;
    let to = mailboxes::ensure(tx, &account, to)?;
    if base::load(tx, mailbox)?.uidvalidity != validity || base::begin(tx, to, copied.uidvalidity).is_err() {
        // One of the two was numbered anew meanwhile: its own pass will tell.
        return Ok(());
    }
    for (from, there) in &copied.pairs {
        let Some(source) = placements::by_uid(tx, mailbox, from.get())? else { continue };
        let sql = "SELECT w.made FROM wish w JOIN placement p ON p.id = w.made
                   WHERE w.place = ?1 AND w.target = ?2 AND p.uid IS NULL ORDER BY w.op LIMIT 1";
        let made: Option<i64> = tx.conn().prepare_cached(sql)?.query_row((source.id.0, to.0), |r| r.get(0)).optional()?;
        let known = placements::by_uid(tx, to, there.get())?;
        match (made, known) {
            (_, Some(known)) if known.message == source.message => {}
            (Some(made), _) => {
                let flags = placements::get(tx, PlacementKey(made))?.server;
                number(tx, PlacementKey(made), there.get(), &flags)?;
            }
            (None, Some(_)) => {}
            (None, None) => {
                let of = (source.message, source.thread, source.sort);
                let id = placements::insert(tx, to, of, Some(there.get()), &source.server)?;
                arrived(tx, to, there.get(), id)?;
            }
        }
    }
    Ok(())
}

/// After a change of UIDVALIDITY: the wishes about placements that were found again go by their new UIDs.
pub(super) fn renumber(tx: &Tx<'_, Cache>, mailbox: MailboxId, to: UidValidity, kept: &[(i64, u32)]) -> Result<()> {
    for (id, uid) in kept {
        let sql = "UPDATE wish SET uid = ?3, validity = ?4 WHERE place = ?1 AND mailbox = ?2 AND uid <> 0";
        tx.conn().prepare_cached(sql)?.execute((id, mailbox.0, uid, to.0))?;
    }
    Ok(())
}

/// The operations that are laid over the cache now, ascending.
///
/// # Errors
/// As every question.
pub fn operations(db: &Db<Cache>) -> Result<Vec<OpId>> {
    let sql = format!("SELECT op FROM wish UNION {} ORDER BY 1", tree::OPERATIONS);
    Ok(db.conn().prepare_cached(&sql)?.query_map([], |r| r.get(0).map(OpId))?.collect::<rusqlite::Result<_>>()?)
}

/// The pending operation that makes a provisional placement, and which of its targets it is.
///
/// # Errors
/// As every question.
pub fn maker(db: &Db<Cache>, id: PlacementKey) -> Result<Option<(OpId, u32)>> {
    let sql = "SELECT op, idx FROM wish WHERE made = ?1 ORDER BY op LIMIT 1";
    Ok(db.conn().prepare_cached(sql)?.query_row([id.0], |r| Ok((OpId(r.get(0)?), r.get(1)?))).optional()?)
}

/// Drops the whole overlay and lays `operations` (all pending ones, ascending) over what the server confirmed.
///
/// # Errors
/// As every transaction.
pub fn rebuild(tx: &mut Tx<'_, Cache>, operations: &[Operation]) -> Result<()> {
    let numbers = |sql: &str| -> Result<Vec<i64>> {
        Ok(tx.conn().prepare_cached(sql)?.query_map([], |r| r.get(0))?.collect::<rusqlite::Result<_>>()?)
    };
    let touched = numbers("SELECT DISTINCT place FROM wish WHERE place <> 0")?;
    let provisional = numbers("SELECT id FROM placement WHERE uid IS NULL")?;
    tx.conn().execute("DELETE FROM wish", [])?;
    for id in &provisional {
        placements::remove(tx, PlacementKey(*id))?;
    }
    for id in touched.into_iter().filter(|id| !provisional.contains(id)) {
        placements::derive(tx, PlacementKey(id))?;
    }
    tree::reset(tx)?;
    operations.iter().try_for_each(|operation| apply(tx, operation))
}

#[cfg(test)]
mod tests;
