//! asked — files that somebody asked for: written down, so that they come though the line, or the program, ends before.
//! Owns: `write`, `over`, `recall`, `Work::asked`, how often what was refused is tried. May import: store, mail, net.
//! Start reading at: `write`. What is near goes by `awaited.rs` and `wished.rs`, in memory; the row is what a restart, a new
//! connection or the end of a pause begins with. It goes when the file came, or when the person stops it.

use super::account::Nudge;
use super::api::{Fault, Job, JobId, JobState, Kind, Piece, Task, Unit};
use super::crew::{Crew, wanted};
use super::fault::Reach;
use super::fetch::Fetcher;
use super::fetch_parts::Patience;
use super::round::Halt;
use super::shared::Shared;
use super::work::Work;
use crate::base::cancel::Cancel;
use crate::base::safetext::SafeText;
use crate::mail::ids::{AccountName, MessageKey, PlacementKey};
use crate::mail::intent::Target;
use crate::mail::section::Section;
use crate::mail::uid::Uid;
use crate::net::session::MailStore;
use crate::store::asked::{self, Asked};
use crate::store::blobs::Blobs;
use crate::store::{Store, StoreErrorKind, base, mailboxes, messages, parts, placements};
use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;

/// What was refused so often is given up.
const TRIES: u32 = 7;
/// The pause after the first refusal, in seconds; it doubles with each.
const PAUSE: i64 = 60;
/// Numbers of jobs from here on are those of rows: what waits and does not run.
const ROWS: u64 = 1 << 48;

/// A piece as the store names it; nothing for a text, which is asked for when its message is opened.
fn section(piece: &Piece) -> Option<Section> {
    match piece {
        Piece::Text => None,
        Piece::Whole => Some(Section::Whole),
        Piece::Part(path) => Some(Section::Part(path.clone())),
    }
}

fn piece(one: &Asked) -> Piece {
    match &one.section {
        Section::Part(path) => Piece::Part(path.clone()),
        _ => Piece::Whole,
    }
}

/// Writes down what is asked for of a message, and which file is to be made of it. What has no place on a server is not.
///
/// # Errors
/// `Missing` where there is no such message; the store.
pub(super) fn write(shared: &Shared, of: PlacementKey, what: &Piece, save: Option<(String, String)>) -> Result<(), Fault> {
    let Some(section) = section(what) else { return Ok(()) };
    let found = shared.store.read(|db| {
        let asked = placements::get(db, of)?;
        let mut places = placements::of_message(db, asked.message)?;
        places.sort_by_key(|p| p.id != of);
        let Some((place, uid)) = places.into_iter().find_map(|p| Some((p.mailbox, Uid::new(p.uid?)?))) else { return Ok(None) };
        let name = match what {
            Piece::Part(path) => parts::of(db, asked.message)?.and_then(|partly| partly.outline.node(path)?.name.clone()),
            _ => Some(messages::content(db, asked.message)?.envelope.subject),
        };
        let mailbox = mailboxes::get(db, place)?;
        let print = messages::fingerprint(db, asked.message)?;
        let uidvalidity = base::load(db, place)?.uidvalidity;
        Ok(Some((mailbox, Target::Server { uidvalidity, uid: uid.get(), print }, name)))
    });
    let found = found.map_err(|e| match e.kind {
        StoreErrorKind::Missing => Fault::missing("this message is not here any more"),
        _ => e.into(),
    })?;
    let Some((mailbox, target, name)) = found else { return Ok(()) };
    let one = Asked {
        id: 0,
        account: mailbox.account,
        mailbox: mailbox.path,
        target,
        what: name.unwrap_or_else(|| format!("part {section}")),
        section,
        save,
        attempts: 0,
        due: 0,
        fault: String::new(),
        created: shared.now(),
    };
    shared.store.state(move |tx| asked::put(tx, &one))?;
    shared.news.put(|news| news.jobs = true);
    Ok(())
}

/// The rows that are about this of this message.
fn about(shared: &Shared, message: MessageKey, what: &Piece) -> Result<Vec<Asked>, Fault> {
    let mut all = shared.store.read_state(|db| asked::list(db, None))?;
    all.retain(|one| piece(one) == *what);
    let mut mine = Vec::new();
    for one in all {
        if shared.store.read(|db| asked::find(db, &one))?.is_some_and(|(of, _)| of == message) {
            mine.push(one);
        }
    }
    Ok(mine)
}

/// What the end of an asking leaves to do.
#[derive(PartialEq, Eq, Debug, Default)]
pub(super) struct Left {
    /// Files that are to be made of it: their folders and names.
    pub files: Vec<(PathBuf, String)>,
    /// Whose rows wait for their time now.
    pub waits: BTreeSet<AccountName>,
}

/// What was asked for is here, or cannot be had just now: rows go, or wait. A store that cannot do that is a fault of its own.
pub(super) fn over(shared: &Shared, message: MessageKey, what: &Piece, how: &Result<(), Fault>) -> Left {
    try_over(shared, message, what, how).unwrap_or_else(|fault| {
        shared.fault(fault);
        Left::default()
    })
}

fn try_over(shared: &Shared, message: MessageKey, what: &Piece, how: &Result<(), Fault>) -> Result<Left, Fault> {
    let rows = if *what == Piece::Text { Vec::new() } else { about(shared, message, what)? };
    if rows.is_empty() {
        return Ok(Left::default());
    }
    if how.is_ok() {
        // They go when their files are there.
        let files = rows.into_iter().filter_map(|one| one.save).map(|(folder, name)| (folder.into(), name)).collect();
        return Ok(Left { files, ..Left::default() });
    }
    let waits = rows.iter().map(|one| one.account.clone()).collect();
    let now = shared.now();
    let how = how.clone();
    shared.store.state(move |tx| {
        let Err(fault) = &how else { return Ok(()) };
        for one in &rows {
            match fault.kind {
                Kind::Cancelled => asked::remove(tx, one.id)?,
                _ if one.attempts + 1 >= TRIES => asked::remove(tx, one.id)?,
                // It was moved a moment ago: its mailbox is looked at first, and then it is asked for where it is now.
                Kind::Missing if one.attempts == 0 => asked::tried(tx, one.id, now, fault.what.as_str())?,
                _ => asked::tried(tx, one.id, now + (PAUSE << one.attempts), fault.what.as_str())?,
            }
        }
        Ok(())
    })?;
    shared.news.put(|news| news.jobs = true);
    Ok(Left { waits, ..Left::default() })
}

/// What was asked for is here, and its files are made: nothing is left to do.
///
/// # Errors
/// The store.
pub(super) fn done(shared: &Shared, message: MessageKey, what: &Piece) -> Result<(), Fault> {
    let rows = if *what == Piece::Text { Vec::new() } else { about(shared, message, what)? };
    if rows.is_empty() {
        return Ok(());
    }
    shared.store.state(move |tx| rows.iter().try_for_each(|one| asked::remove(tx, one.id)))?;
    shared.news.put(|news| news.jobs = true);
    Ok(())
}

/// Asks again for all that was asked for before this program began.
///
/// # Errors
/// The store.
pub(super) fn recall(shared: &Shared, crew: &Crew) -> Result<(), Fault> {
    let now = shared.now();
    for one in shared.store.read_state(|db| asked::list(db, None))? {
        if one.due <= now
            && let Some((_, place)) = shared.store.read(|db| asked::find(db, &one))?
        {
            crew.fetch(shared, place, &piece(&one))?;
        }
    }
    Ok(())
}

/// Whether the job is a row, which waits.
pub(super) const fn is_row(id: JobId) -> bool {
    id.0 >= ROWS
}

/// The person does not want it any more. Nothing if it is over already; inside, which it was, if its message can be found.
///
/// # Errors
/// The store.
pub(super) fn stop(shared: &Shared, id: JobId) -> Result<Option<Option<(MessageKey, Piece)>>, Fault> {
    let number = i64::try_from(id.0.saturating_sub(ROWS)).unwrap_or(i64::MAX);
    let Some(one) = shared.store.read_state(|db| asked::list(db, None))?.into_iter().find(|one| one.id == number) else {
        return Ok(None);
    };
    let found = shared.store.read(|db| asked::find(db, &one))?;
    shared.store.state(move |tx| asked::remove(tx, number))?;
    shared.news.put(|news| news.jobs = true);
    Ok(Some(found.map(|(message, _)| (message, piece(&one)))))
}

/// What waits as jobs, behind those that run.
///
/// # Errors
/// The store.
pub(super) fn jobs(store: &Store, accounts: &[AccountName], running: &mut Vec<Job>) -> Result<(), Fault> {
    let mut rows = store.read_state(|db| asked::list(db, None))?;
    rows.retain(|one| accounts.contains(&one.account));
    for one in rows {
        let message = store.read(|db| asked::find(db, &one))?.map_or(MessageKey(0), |(message, _)| message);
        let task = Task::Piece(message, piece(&one));
        if running.iter().any(|job| job.task == task) {
            continue;
        }
        running.push(Job {
            id: JobId(ROWS + one.id.unsigned_abs()),
            task,
            what: SafeText::line_max(&format!("fetching {}", one.what), 120),
            account: one.account,
            done: 0,
            total: 0,
            unit: Unit::Octets,
            state: JobState::Waiting,
        });
    }
    Ok(())
}

/// The messages of which something is asked for.
///
/// # Errors
/// The store.
pub(super) fn messages(shared: &Shared) -> Result<Vec<MessageKey>, Fault> {
    let mut all = Vec::new();
    for one in shared.store.read_state(|db| asked::list(db, None))? {
        all.extend(shared.store.read(|db| asked::find(db, &one))?.map(|(message, _)| message));
    }
    Ok(all)
}

/// The files of what is on its way: they are not swept while it is asked for.
///
/// # Errors
/// The store.
pub(super) fn on_their_way(shared: &Shared) -> Result<Vec<String>, Fault> {
    let mut names = Vec::new();
    for one in shared.store.read_state(|db| asked::list(db, None))? {
        if let Some((message, _)) = shared.store.read(|db| asked::find(db, &one))? {
            names.extend([false, true].map(|decoded| Blobs::partial(message, &one.section, decoded)));
        }
    }
    Ok(names)
}

/// What the server did not have when all else was in step. Given up after some tries: somebody deleted it.
fn absent(shared: &Shared, one: &Asked) -> Result<(), Fault> {
    let (id, due) = (one.id, shared.now() + (PAUSE << one.attempts));
    if one.attempts + 1 < TRIES {
        return Ok(shared.store.state(move |tx| asked::tried(tx, id, due, "the message is not there"))?);
    }
    shared.store.state(move |tx| asked::remove(tx, id))?;
    let what = SafeText::line_max(&one.what, 80);
    shared.fault(Fault::missing(&format!("{what} is not on the server any more")).reaching(Reach::Message).of(&one.account));
    Ok(())
}

impl Work<'_> {
    /// Has what was asked for before this connection fetched, and what was refused tried again. Whether there was any.
    ///
    /// # Errors
    /// The store.
    pub fn asked(&mut self) -> Result<bool, Halt> {
        let (shared, name) = (self.visitor.shared, &self.visitor.config.name);
        let rows = shared.store.read_state(|db| asked::list(db, Some(name)))?;
        let now = shared.now();
        self.asked_due = rows.iter().map(|one| one.due).filter(|due| *due > now).min();
        let mut any = false;
        for one in rows.iter().filter(|one| one.due <= now) {
            match shared.store.read(|db| asked::find(db, one))? {
                Some((message, place)) => {
                    let what = piece(one);
                    // What the person stopped is over, though its row goes only in a moment: it is not wanted again by itself.
                    let stopped = shared.jobs.is_stopped(&Task::Piece(message, what.clone()));
                    if !stopped && self.asked.insert((one.id, one.attempts)) {
                        let (_, wish) = wanted(shared, place, &what).map_err(Halt::Store)?;
                        self.desk.put(Nudge::Fetch(wish));
                        any = true;
                    }
                }
                None => absent(shared, one).map_err(Halt::Store)?,
            }
        }
        Ok(any)
    }
}

/// Gets all that was asked for of an account over one connection, in one pass.
///
/// # Errors
/// What ended the connection, or the store.
pub(super) fn once(
    shared: &Shared,
    account: &AccountName,
    fetcher: &mut Fetcher<'_>,
    conn: &mut dyn MailStore,
    cancel: &Cancel,
) -> Result<(), Halt> {
    let (now, mut seen) = (shared.now(), HashSet::new());
    for one in shared.store.read_state(|db| asked::list(db, Some(account)))?.iter().filter(|one| one.due <= now) {
        let Some((message, place)) = shared.store.read(|db| asked::find(db, one))? else {
            absent(shared, one).map_err(Halt::Store)?;
            continue;
        };
        let what = piece(one);
        if cancel.is_set() || !seen.insert((message, what.clone())) {
            continue;
        }
        wanted(shared, place, &what).map_err(Halt::Store)?;
        fetcher.piece(conn, place, &what, &Patience { give_way: &|| cancel.is_set(), line: Some(cancel) })?;
    }
    Ok(())
}
