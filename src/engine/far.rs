//! far — what is not cached and somebody waits for, fetched by an account's `work` between two passes.
//! Owns: `Far`, `Errand`, `rows`. May import: store, net, config, mail, and the engine's own.
//! Start reading at: `Errand::run`. Only `work` records rows, so that no pass works on what changed behind its back. SORT has put
//! the newest of a large result first; THREAD tells which messages belong to the one that is opened, where its mailbox is not
//! all here yet (a first fill that is under way).

use super::connect;
use super::reach::Ask;
use super::round::Halt;
use super::shared::Shared;
use crate::base::cancel::Cancel;
use crate::config::AccountConfig;
use crate::mail::ids::{MailboxId, PlacementKey};
use crate::mail::server::EnvelopeSeen;
use crate::mail::uid::{Uid, UidSet, UidValidity};
use crate::net::session::MailStore;
use crate::store::search_told::Told;
use crate::store::{self, base, mailboxes, messages, placements};

/// Rows that are fetched at a time.
const ROWS: u64 = 200;

/// Something that is not cached, for `work` between two passes.
#[derive(Debug)]
pub(super) enum Far {
    /// The rows of these messages.
    Rows(Told),
    /// The other members of this message's conversation, where its mailbox is not all here.
    Kin(PlacementKey),
    /// A search, where no second connection is to be had.
    Search(Box<Ask>),
}

impl Far {
    /// Whether the reading of its mailbox brings it, too: it is asked for by itself only where that takes long, since it costs the
    /// server more than thousands of rows (Dovecot: half a second to find one conversation among 100,000 messages).
    pub const fn comes_anyway(&self) -> bool {
        matches!(self, Self::Kin(_))
    }
}

/// What `work` does of it.
pub(super) struct Errand<'a> {
    /// The store and the news.
    pub shared: &'a Shared,
    /// Whose.
    pub config: &'a AccountConfig,
    /// Cuts the connection.
    pub line: &'a Cancel,
    /// Whether something more urgent waits for it.
    pub give_way: &'a dyn Fn() -> bool,
}

impl Errand<'_> {
    /// Does something of what is not cached. What is left of it to do, if something more urgent came.
    ///
    /// # Errors
    /// What ended the connection, or the store.
    pub fn run(&self, conn: &mut dyn MailStore, far: Far) -> Result<Option<Far>, Halt> {
        match far {
            Far::Rows(mut told) => {
                let some = told.uids.take_newest(ROWS);
                let now = Told { uids: some, ..told.clone() };
                rows(self.shared, conn, &now)?;
                Ok((!told.uids.is_empty()).then_some(Far::Rows(told)))
            }
            Far::Kin(of) => kin(self.shared, conn, of).map(|()| None),
            Far::Search(mut ask) => {
                let (serial, mut absent) = (ask.serial, Vec::new());
                let job = ask.job(self.shared, self.line);
                let asked = ask.go_on(self.shared, conn, &job, self.give_way, &mut |told| absent.push(told));
                for told in absent.iter().filter(|_| asked.is_ok()) {
                    rows(self.shared, conn, told)?;
                }
                match asked {
                    Ok(true) => self.shared.servers.ended(serial, &self.config.name, Ok(())),
                    Ok(false) => return Ok(Some(Far::Search(ask))),
                    Err(Halt::Store(fault)) => self.shared.servers.ended(serial, &self.config.name, Err(fault)),
                    Err(Halt::Net(error)) => {
                        let fault = Halt::Net(error.clone()).fault(&connect::host(self.config), self.config);
                        self.shared.servers.ended(serial, &self.config.name, Err(fault));
                        return Err(Halt::Net(error));
                    }
                }
                Ok(None)
            }
        }
    }
}

/// Fetches rows that are not here, and records them. Nobody else may be recording for this account meanwhile.
///
/// # Errors
/// What ended the connection, or the store.
pub(super) fn rows(shared: &Shared, conn: &mut dyn MailStore, told: &Told) -> Result<(), Halt> {
    let mailbox = told.mailbox;
    let found = shared.store.read(move |db| Ok((mailboxes::get(db, mailbox)?.path, placements::uids(db, mailbox)?)));
    let (path, known) = match found {
        Ok(found) => found,
        // It went meanwhile.
        Err(e) if e.kind == store::StoreErrorKind::Missing => return Ok(()),
        Err(e) => return Err(e.into()),
    };
    let missing = told.uids.difference(&known);
    if missing.is_empty() {
        return Ok(());
    }
    match conn.select(&path, true, None) {
        Ok(selected) if selected.uidvalidity == told.validity => {}
        Ok(_) => return Ok(()),
        Err(e) if e.connection_lives() => return Ok(()),
        Err(e) => return Err(e.into()),
    }
    fetch(shared, conn, mailbox, told.validity, &missing)
}

fn fetch(
    shared: &Shared,
    conn: &mut dyn MailStore,
    mailbox: MailboxId,
    validity: UidValidity,
    uids: &UidSet,
) -> Result<(), Halt> {
    let mut rows: Vec<EnvelopeSeen> = Vec::new();
    let came = conn.fetch_envelopes(uids, &mut |part| {
        rows.extend(part);
        Ok(None)
    });
    match came {
        Ok(()) => {}
        Err(e) if e.connection_lives() => return Ok(()),
        Err(e) => return Err(e.into()),
    }
    if !rows.is_empty() {
        let recorded = shared.store.cache(move |tx| messages::record_new(tx, mailbox, validity, &rows));
        match recorded {
            // The mailbox was numbered anew, or is gone: the next pass knows better.
            Err(e) if matches!(e.kind, store::StoreErrorKind::Invalid | store::StoreErrorKind::Missing) => {}
            other => other?,
        }
    }
    Ok(())
}

/// Fetches the other members of a message's conversation, where the mailbox is not all here yet: whoever opens one message wants
/// to see what it answers.
fn kin(shared: &Shared, conn: &mut dyn MailStore, of: PlacementKey) -> Result<(), Halt> {
    let found = shared.store.read(move |db| {
        let place = placements::get(db, of)?;
        let row = mailboxes::get(db, place.mailbox)?;
        let envelope = messages::content(db, place.message)?.envelope;
        let validity = base::load(db, place.mailbox)?.uidvalidity;
        Ok((place, row, validity, envelope))
    });
    let (place, row, validity, envelope) = match found {
        Ok(found) => found,
        Err(e) if e.kind == store::StoreErrorKind::Missing => return Ok(()),
        Err(e) => return Err(e.into()),
    };
    let ids: Vec<_> = envelope.ancestors().into_iter().chain(&envelope.message_id).cloned().collect();
    let Some(uid) = place.uid.and_then(Uid::new).filter(|_| row.synced_at == 0 && !ids.is_empty()) else { return Ok(()) };
    match conn.select(&row.path, true, None) {
        Ok(selected) if selected.uidvalidity == validity => {}
        Ok(_) => return Ok(()),
        Err(e) if e.connection_lives() => return Ok(()),
        Err(e) => return Err(e.into()),
    }
    let threads = match conn.thread(&ids) {
        Ok(threads) => threads,
        // It cannot tell: then they come when their turn comes.
        Err(e) if e.connection_lives() => return Ok(()),
        Err(e) => return Err(e.into()),
    };
    let mut members: UidSet = threads.into_iter().filter(|t| t.contains(&uid)).flatten().collect();
    let known = shared.store.read(move |db| placements::uids(db, place.mailbox))?;
    members = members.difference(&known);
    let some = members.take_newest(ROWS);
    if some.is_empty() { Ok(()) } else { fetch(shared, conn, place.mailbox, validity, &some) }
}
