//! server — carries asks and tells out on one connection, whatever it speaks.
//! Owns: `carry`, the mapping of response codes.
//! May import: net, engine/plan.
//! Start reading at: `carry`. Each step ends in exactly one `End`, `Refused` or `LineLost`.

use crate::base::crash;
use crate::engine::plan::step::{Ask, Code, Part, Refusal, Reply, Tell};
use crate::mail::server::IdentitySeen;
use crate::mail::uid::UidSet;
use crate::net::error::{NetError, NetErrorKind};
use crate::net::session::MailStore;
use std::fs::File;
use std::path::Path;
use std::time::Instant;

/// A step for the connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Exchange {
    /// Read.
    Ask(Ask),
    /// Change.
    Tell(Tell),
}

impl Exchange {
    /// Whether it only reads, and may be long: nothing is in doubt when it is left out.
    #[must_use]
    pub const fn is_long_reading(&self) -> bool {
        matches!(self, Self::Ask(Ask::Envelopes { .. } | Ask::FlagsOf { .. }))
    }

    /// Whether it asks for the numbers of all messages: worth nothing to a pass that ends before it reads by them.
    #[must_use]
    pub const fn is_numbering(&self) -> bool {
        matches!(self, Self::Ask(Ask::Uids { from: 1, .. }))
    }
}

/// What an exchange needs beside the connection.
pub struct Bench<'a> {
    /// The folder of frozen bytes.
    pub spool: &'a Path,
    /// Answers `Ask::CachedIdentities`; nothing if the store failed (the pass ends).
    pub cached: &'a mut dyn FnMut() -> Option<Vec<IdentitySeen>>,
    /// Whether something more urgent waits for this connection: a long reading ends early then, with all that it had.
    pub give_way: &'a dyn Fn() -> bool,
}

impl std::fmt::Debug for Bench<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Bench({})", self.spool.display())
    }
}

/// Is told what came back; says which rows are asked for next where that is known before the rest of these came.
pub type Heard<'a> = &'a mut dyn FnMut(Reply) -> Option<UidSet>;

/// Carries one exchange out and tells `heard` what came back, parts while they come.
///
/// # Errors
/// What ended the connection; `heard` was told `LineLost` then.
pub fn carry(conn: &mut dyn MailStore, exchange: &Exchange, bench: &mut Bench<'_>, heard: Heard<'_>) -> Result<(), NetError> {
    let begun = Instant::now();
    let done = match exchange {
        Exchange::Ask(ask) => answer(conn, ask, bench, heard),
        Exchange::Tell(tell) => act(conn, tell, bench, heard).inspect(|()| crash::step("told")),
    };
    match done {
        Ok(()) => {
            let ms = u32::try_from(begun.elapsed().as_millis()).unwrap_or(u32::MAX);
            heard(Reply::End { ms });
            Ok(())
        }
        Err(Stop::Refused(refusal)) => {
            heard(Reply::Refused(refusal));
            Ok(())
        }
        Err(Stop::Lost(error)) => {
            heard(Reply::LineLost);
            Err(error)
        }
    }
}

/// Why an exchange did not end well.
enum Stop {
    Refused(Refusal),
    Lost(NetError),
}

impl From<NetError> for Stop {
    fn from(error: NetError) -> Self {
        let code = match &error.kind {
            NetErrorKind::No { code } => code_of(code),
            NetErrorKind::Bad => Code::Bad,
            _ => return Self::Lost(error),
        };
        Self::Refused(Refusal { code, text: error.text.into_string() })
    }
}

/// What follows from a response code (RFC 5530, RFC 9051, 7.1).
#[must_use]
pub fn code_of(word: &str) -> Code {
    match word {
        "TRYCREATE" | "NONEXISTENT" => Code::NoMailbox,
        "ALREADYEXISTS" => Code::AlreadyExists,
        "OVERQUOTA" => Code::OverQuota,
        "NOPERM" | "READ-ONLY" | "CONTACTADMIN" | "CANNOT" => Code::NotAllowed,
        "TOOBIG" => Code::TooBig,
        "UNAVAILABLE" | "INUSE" | "SERVERBUG" | "LIMIT" | "EXPUNGEISSUED" => Code::Later,
        "AUTHENTICATIONFAILED" | "AUTHORIZATIONFAILED" | "EXPIRED" | "PRIVACYREQUIRED" => Code::Login,
        _ => Code::Other,
    }
}

fn answer(conn: &mut dyn MailStore, ask: &Ask, bench: &mut Bench<'_>, heard: Heard<'_>) -> Result<(), Stop> {
    let mut part = |p| drop(heard(Reply::Part(p)));
    match ask {
        Ask::Select { mailbox, read_only, resync } => {
            part(Part::Selected(conn.select(mailbox, *read_only, resync.as_ref())?));
        }
        Ask::FlagsOf { uids, changed_since } => conn.fetch_flags(uids, *changed_since, &mut |rows| {
            part(Part::Flags(rows));
            Ok(())
        })?,
        Ask::Uids { from, to } => part(Part::Uids(conn.uids_between(*from, *to)?)),
        Ask::Envelopes { uids } => conn.fetch_envelopes(uids, &mut |rows| Ok(heard(Reply::Part(Part::Envelopes(rows)))))?,
        Ask::Identify { uids } => conn.identify_in_parts(uids, &mut |rows| {
            part(Part::Identities(rows));
            Ok(())
        })?,
        Ask::CachedIdentities => {
            // The store's fault is told by the pass; for the plan the pass just ends here.
            let rows = (bench.cached)().ok_or_else(|| Stop::Lost(NetError::cancelled()))?;
            part(Part::Identities(rows));
        }
        Ask::TargetMark { mailbox } => {
            let status = conn.status(mailbox)?;
            part(Part::Marked(status.mark(), status.object_id));
        }
        Ask::Mailboxes => part(Part::Mailboxes(conn.list()?)),
    }
    Ok(())
}

fn act(conn: &mut dyn MailStore, tell: &Tell, bench: &mut Bench<'_>, heard: Heard<'_>) -> Result<(), Stop> {
    let mut part = |p| drop(heard(Reply::Part(p)));
    match tell {
        Tell::StoreFlags { uids, delta } => conn.store_flags(uids, delta)?,
        Tell::Move { uids, to } => conn.move_to(uids, to)?.into_iter().for_each(|c| part(Part::Copied(c))),
        Tell::Copy { uids, to } => conn.copy_to(uids, to)?.into_iter().for_each(|c| part(Part::Copied(c))),
        Tell::UidExpunge { uids } => conn.uid_expunge(uids)?,
        Tell::Append { mailbox, spool, flags, received, size } => {
            let mut file = File::open(bench.spool.join(spool)).map_err(|e| no_spool(&e.to_string()))?;
            // A file of another size would end the connection in the middle of the literal.
            if file.metadata().map_err(|e| no_spool(&e.to_string()))?.len() != *size {
                return Err(no_spool("the frozen bytes are damaged"));
            }
            let placed = conn.append(mailbox, flags, *received, *size, &mut file)?;
            placed.into_iter().for_each(|(validity, uid)| part(Part::Appended(validity, uid)));
        }
        Tell::Create { mailbox } => {
            conn.create(mailbox)?;
            // Some servers subscribe by themselves and refuse to do so again; the mailbox is there all the same.
            match conn.subscribe(mailbox, true) {
                Err(e) if !e.connection_lives() => return Err(e.into()),
                _ => {}
            }
        }
        Tell::Rename { mailbox, to } => conn.rename(mailbox, to)?,
        Tell::Delete { mailbox } => {
            conn.delete(mailbox)?;
            // No server does that by itself (RFC 3501, 6.3.9): the name would stay in every list of what one is subscribed to.
            match conn.subscribe(mailbox, false) {
                Err(e) if !e.connection_lives() => return Err(e.into()),
                _ => {}
            }
        }
        Tell::Subscribe { mailbox, on } => conn.subscribe(mailbox, *on)?,
    }
    Ok(())
}

fn no_spool(text: &str) -> Stop {
    Stop::Refused(Refusal { code: Code::NoSpool, text: text.to_owned() })
}
